"""Every address for machines, on one screen. Pages are in ``web.routes``, Socket.IO in ``signaling.gate``."""

from functools import cache

from aiohttp import web

from practice.organisation.rights import Right
from signaling import health, metrics
from signaling.protocol import planning, pushing
from signaling.protocol import rest as bodies
from signaling.protocol.codes import CodePassed, CodeRequest, CodeSent, CodeTyped
from signaling.protocol.consents import ConsentGiving, ConsentsView, Lift, SayAge
from signaling.protocol.correction import Correction
from signaling.protocol.guests import NewGuest
from signaling.protocol.handouts import Handout
from signaling.protocol.model import Id
from signaling.protocol.moments import Day
from signaling.protocol.technical import SupportCode, TechnicalCheck
from signaling.protocol.told import Cancel, Invite
from signaling.protocol.waiting import LinkedAppointment, LinkedCalendar, LinkedRequest, WaitingPhotograph, WishRequest
from signaling.rest import (
    Endpoint,
    account,
    aiohttp_handler,
    appointments,
    assistants,
    codes,
    consents,
    entries,
    errors,
    factors,
    guests,
    handouts,
    join,
    linked,
    passkeys,
    presets,
    push,
    sentences,
    series,
    technical,
    tokens,
)
from signaling.rest.endpoint import WHOM, Handler
from signaling.schema import asyncapi, openapi
from vault.audit import Act

SIGNED_IN = ("unauthenticated", "token_invalid", "locked", "unreadable", "not_found")
ONE = (*SIGNED_IN, "gone")
PASSWORD = ("sign_in_refused", "rate_limited", "unreadable")
BEYOND = ("factor_needed", "factor_set_up_needed", "locked")
FOR = {WHOM: Id}
LINK = ("link_invalid", "code_needed", "rate_limited", "unreadable")
AGREED = ("consent_needed", "guardian_needed")
STEP = ("challenge_invalid", "factor_refused", "rate_limited", "unreadable", "locked")

ENDPOINTS = (
    Endpoint("POST", "/sign-in", account.sign_in, "Sign in with e-mail and password.",
             bodies.SignIn, bodies.Me, public=True, codes=(*PASSWORD, *BEYOND),
             entered=entries.signed_in),
    Endpoint("POST", "/sign-in/factor", factors.sign_in, "The second step, with a code.",
             bodies.FactorCode, bodies.Me, public=True, codes=STEP, entered=entries.signed_in_twice),
    Endpoint("POST", "/sign-in/passkey/options", passkeys.options, "What a browser asks for a passkey with.",
             reply=bodies.PasskeyOptions, public=True, codes=("passkey_address", "locked")),
    Endpoint("POST", "/sign-in/passkey", passkeys.sign_in, "Sign in with a passkey.",
             bodies.PasskeyAssertion, bodies.Me, public=True,
             codes=("challenge_invalid", "passkey_refused", "passkey_address", "factor_needed", "rate_limited",
                    "unreadable", "locked"),
             entered=entries.signed_in_with_passkey),
    Endpoint("POST", "/sign-in/set-up", factors.begin_set_up, "Set up a second factor, before anything else.",
             bodies.SetUp, public=True, codes=("challenge_invalid", "locked")),
    Endpoint("POST", "/sign-in/link", account.sign_in_by_link, "Sign in with the demo's link.",
             bodies.SignInLink, bodies.Me, public=True, codes=("link_invalid", "rate_limited", "unreadable"),
             entered=entries.signed_in),
    Endpoint("POST", "/tokens", tokens.sign_in, "Sign in an app: an access token and a refresh token, no cookie.",
             bodies.SignIn, bodies.TokenSet, public=True, codes=(*PASSWORD, *BEYOND),
             entered=entries.signed_in),
    Endpoint("POST", "/tokens/factor", factors.sign_in_app, "The second step of an app, with a code.",
             bodies.FactorCode, bodies.TokenSet, public=True, codes=STEP, entered=entries.signed_in_twice),
    Endpoint("POST", "/tokens/refresh", tokens.refresh, "The next access token and refresh token of an app.",
             bodies.RefreshRequest, bodies.TokenSet, public=True,
             codes=("token_invalid", "token_reused", "ended", "not_found", "gone", "locked", "rate_limited",
                    "unreadable", *AGREED)),
    Endpoint("POST", "/tokens/revoke", tokens.revoke, "Sign out an app.", bodies.RefreshRequest, public=True),
    Endpoint("POST", "/sign-out", account.sign_out, "End the session.", public=True, codes=("locked",)),
    Endpoint("POST", "/account/destroy-all", account.destroy_all, "Destroy all appointments irrecoverably, now.",
             bodies.Confirm, bodies.AllDestroyed, right=Right.AGENDA,
             codes=(*SIGNED_IN, "sign_in_refused", "rate_limited")),
    Endpoint("POST", "/account/close", account.close, "Destroy all appointments and the account.",
             bodies.Confirm, bodies.AccountClosed, right=Right.ACCOUNT,
             codes=(*SIGNED_IN, "sign_in_refused", "rate_limited")),
    Endpoint("GET", "/me", account.me, "Who is signed in.", reply=bodies.Me, right=Right.ACCOUNT, codes=SIGNED_IN),
    Endpoint("POST", "/desk/ticket", account.desk_ticket, "An access token for Socket.IO.",
             reply=bodies.Ticket, right=Right.GREET, codes=SIGNED_IN),
    Endpoint("GET", "/served", assistants.served, "For which practitioners an assistant works.",
             reply=bodies.ServedList, right=Right.ASSIST, codes=SIGNED_IN),
    Endpoint("GET", "/retention", account.preview_retention, "What a retention setting would destroy at once.",
             reply=bodies.RetentionSet, query={"retention": bodies.Retention}, right=Right.RETENTION, codes=SIGNED_IN),
    Endpoint("PUT", "/retention", account.set_retention, "Change the retention setting.",
             bodies.SetRetention, bodies.RetentionSet, right=Right.RETENTION, codes=(*SIGNED_IN, "not_allowed"),
             entered=entries.retention_changed),
    Endpoint("GET", "/appointments", appointments.list_days, "The appointments of some days.",
             reply=bodies.AppointmentList, query={"first": Day, "last": Day, **FOR},
             right=Right.PLAN, codes=SIGNED_IN, entered=entries.listed),
    Endpoint("POST", "/appointments", appointments.create, "Plan an appointment.",
             bodies.NewAppointment, bodies.AppointmentView, status=201, query=FOR,
             right=Right.PLAN, codes=(*SIGNED_IN, "doubtful"),
             entered=entries.one(Act.APPOINTMENT_CREATED)),
    Endpoint("POST", "/appointments/series", series.create, "Plan an appointment that is repeated.",
             planning.NewSeries, bodies.AppointmentList, status=201, query=FOR,
             right=Right.PLAN, codes=(*SIGNED_IN, "doubtful"), entered=entries.all_created),
    Endpoint("GET", "/appointments/{appointment}", appointments.get, "One appointment.",
             reply=bodies.AppointmentView, query=FOR, right=Right.PLAN, codes=ONE,
             entered=entries.one(Act.APPOINTMENT_READ)),
    Endpoint("PATCH", "/appointments/{appointment}", appointments.change, "Correct an appointment.",
             Correction, bodies.AppointmentView, query=FOR, right=Right.PLAN,
             codes=(*ONE, "ended", "doubtful", "conflict", "bad_state"),
             entered=entries.one(Act.APPOINTMENT_CHANGED)),
    Endpoint("POST", "/appointments/{appointment}/join", join.enter, "The practitioner's ticket into the consult.",
             reply=bodies.Entrance, right=Right.CONSULT, codes=(*ONE, "ended"),
             entered=entries.one(Act.APPOINTMENT_READ)),
    Endpoint("POST", "/appointments/{appointment}/end", appointments.end, "End an appointment.",
             reply=bodies.AppointmentView, query=FOR, right=Right.PLAN, codes=ONE,
             entered=entries.one(Act.APPOINTMENT_ENDED)),
    Endpoint("POST", "/appointments/{appointment}/reopen", appointments.reopen, "Take an end back.",
             reply=bodies.AppointmentView, query=FOR, right=Right.PLAN, codes=(*ONE, "ended"),
             entered=entries.one(Act.APPOINTMENT_CHANGED)),
    Endpoint("PUT", "/appointments/{appointment}/attendance", appointments.attend, "Say whether it was held.",
             planning.Attended, bodies.AppointmentView, query=FOR, right=Right.PLAN,
             codes=(*ONE, "ended", "bad_state"), entered=entries.one(Act.APPOINTMENT_CHANGED)),
    Endpoint("POST", "/appointments/{appointment}/cancel", appointments.cancel,
             "Cancel it: it is destroyed in ten seconds, or once its patient was told.",
             Cancel, bodies.AppointmentView, query=FOR, right=Right.PLAN,
             codes=(*ONE, "ended", "bad_state"), entered=entries.one(Act.APPOINTMENT_CANCELLED)),
    Endpoint("POST", "/appointments/{appointment}/keep", appointments.keep, "Take back that it was cancelled.",
             reply=bodies.AppointmentView, query=FOR, right=Right.PLAN, codes=ONE,
             entered=entries.one(Act.APPOINTMENT_KEPT)),
    Endpoint("POST", "/appointments/{appointment}/invitation", appointments.invite, "Tell its patient of it again.",
             Invite, bodies.AppointmentView, query=FOR, right=Right.PLAN, codes=(*ONE, "ended", "told_often"),
             entered=entries.one(Act.PATIENT_TOLD)),
    Endpoint("POST", "/appointments/{appointment}/guests", guests.add, "Let somebody else take part.",
             NewGuest, bodies.AppointmentView, status=201, query=FOR, right=Right.PLAN,
             codes=(*ONE, "ended", "guests_full"), entered=entries.one(Act.APPOINTMENT_CHANGED)),
    Endpoint("POST", "/appointments/{appointment}/guests/{guest}/link", guests.renew, "Give a guest another link.",
             reply=bodies.AppointmentView, query=FOR, right=Right.PLAN, codes=(*ONE, "ended", "told_often"),
             entered=entries.one(Act.APPOINTMENT_CHANGED)),
    Endpoint("DELETE", "/appointments/{appointment}/guests/{guest}", guests.remove, "Let a guest take part no more.",
             reply=bodies.AppointmentView, query=FOR, right=Right.PLAN, codes=(*ONE, "ended"),
             entered=entries.one(Act.APPOINTMENT_CHANGED)),
    Endpoint("PUT", "/appointments/{appointment}/age", consents.say_age, "Say how old its patient is then.",
             SayAge, bodies.AppointmentView, query=FOR, right=Right.PLAN, codes=(*ONE, "ended"),
             entered=entries.one(Act.APPOINTMENT_CHANGED)),
    Endpoint("POST", "/appointments/{appointment}/lift", consents.lift, "Receive a child without a guardian's consent.",
             Lift, bodies.AppointmentView, right=Right.CONSULT, codes=(*ONE, "ended", "bad_state"),
             entered=entries.lifted),
    Endpoint("GET", "/appointments/{appointment}/handout", handouts.get,
             "A text to paste, and a QR code, for its patient.", reply=Handout, query=FOR, right=Right.PLAN,
             codes=(*ONE, "ended"), entered=entries.one(Act.APPOINTMENT_READ)),
    Endpoint("DELETE", "/appointments/{appointment}", appointments.destroy, "Destroy it irrecoverably, now.",
             reply=bodies.Receipt, query=FOR, right=Right.PLAN, codes=(*ONE, "bad_state")),
    Endpoint("GET", "/appointments/{appointment}/technical-check", technical.technical_check,
             "How the connections of a consult were.", reply=TechnicalCheck, right=Right.TECHNICAL, codes=ONE,
             entered=entries.one(Act.TECHNICAL_CHECK_READ)),
    Endpoint("POST", "/appointments/{appointment}/support-code", technical.support_code,
             "Six digits that let support see the technical timeline.", reply=SupportCode,
             right=Right.TECHNICAL, codes=(*ONE, "rate_limited"), entered=entries.one(Act.SUPPORT_CODE_GIVEN)),
    Endpoint("GET", "/presets", presets.all_of_them, "What whoever is signed in plans often.",
             reply=planning.PresetList, right=Right.AGENDA, codes=SIGNED_IN),
    Endpoint("GET", "/sentences", sentences.all_of_them, "What whoever waits reads, by language.",
             reply=bodies.SentenceList, right=Right.SENTENCES, codes=SIGNED_IN, entered=entries.sentences_read),
    Endpoint("PUT", "/sentences", sentences.say, "Set what whoever waits reads in a language.",
             bodies.NewSentence, bodies.SentenceView, right=Right.SENTENCES, codes=SIGNED_IN,
             entered=entries.sentence_changed),
    Endpoint("DELETE", "/sentences/{sentence}", sentences.destroy, "Take one back, irrecoverably, now.",
             reply=bodies.Receipt, right=Right.SENTENCES, codes=SIGNED_IN),
    Endpoint("GET", "/push", push.offer, "What a browser subscribes with to be told that somebody waits.",
             reply=pushing.PushOffer, right=Right.CONSULT, codes=SIGNED_IN),
    Endpoint("PUT", "/push", push.subscribe, "Tell this browser, without content, when somebody waits.",
             pushing.PushBrowser, pushing.PushState, right=Right.CONSULT,
             codes=(*SIGNED_IN, "push_service", "conflict"), entered=entries.push_changed("set")),
    Endpoint("POST", "/push/renewal", push.renew, "Its desk is open: is it still told?",
             pushing.PushBrowser, pushing.PushState, right=Right.CONSULT, codes=SIGNED_IN),
    Endpoint("POST", "/push/end", push.end, "Tell this browser nothing more.",
             pushing.PushBrowser, pushing.PushState, right=Right.CONSULT, codes=SIGNED_IN,
             entered=entries.push_changed("removed")),
    Endpoint("GET", "/errors", errors.catalogue, "Every error code, with what to tell people in four languages.",
             reply=bodies.ErrorCatalogue, public=True),
    Endpoint("GET", "/receipts", appointments.receipts, "Receipts of what was destroyed.",
             reply=bodies.ReceiptList, right=Right.AGENDA, codes=SIGNED_IN,
             entered=entries.receipts_read),
    Endpoint("POST", "/join", join.join, "Open a patient's link.",
             bodies.JoinRequest, bodies.Join, public=True, codes=(*LINK, *AGREED)),
    Endpoint("POST", "/join/consents", consents.read, "What a link asks its holder to agree to.",
             bodies.WaitingRequest, ConsentsView, public=True, codes=LINK),
    Endpoint("POST", "/join/consents/give", consents.give, "Agree to the texts that were shown.",
             ConsentGiving, ConsentsView, public=True, codes=(*LINK, "conflict", "ended", "gone", "not_found")),
    Endpoint("POST", "/join/consents/withdraw", consents.withdraw,
             "Take back all that was agreed to: the consult ends, and the appointment is destroyed.",
             LinkedRequest, public=True, codes=(*LINK, "bad_state", "gone", "not_found")),
    Endpoint("POST", "/join/code", codes.send, "Have the code sent that a patient's link asks for.",
             CodeRequest, CodeSent, public=True,
             codes=("link_invalid", "rate_limited", "bad_state", "try_again", "unreadable")),
    Endpoint("POST", "/join/pass", codes.answer, "Type it: this device may open the link.",
             CodeTyped, CodePassed, public=True,
             codes=("link_invalid", "rate_limited", "bad_state", "code_refused", "code_spent", "unreadable")),
    Endpoint("POST", "/join/appointment", linked.about, "What a patient's link is about, also when it is over.",
             LinkedRequest, LinkedAppointment, public=True, codes=LINK),
    Endpoint("POST", "/join/calendar", linked.calendar, "The appointment for a calendar.",
             bodies.WaitingRequest, LinkedCalendar, public=True, codes=LINK),
    Endpoint("POST", "/join/wish", linked.wish, "Say that one cannot come, or asks for another time.",
             WishRequest, LinkedAppointment, public=True,
             codes=(*LINK, "forbidden", "ended", "gone")),
    Endpoint("POST", "/join/photograph", sentences.photograph_for_waiting, "Whom whoever waits with this link sees.",
             bodies.WaitingRequest, WaitingPhotograph, public=True,
             codes=LINK),
    Endpoint("POST", "/join/sentence", sentences.for_waiting, "What whoever waits with this link reads.",
             bodies.WaitingRequest, bodies.WaitingSentence, public=True,
             codes=LINK),
)  # fmt: skip

PUBLIC = ("/api/openapi.json", "/api/asyncapi.json", "/health/live", "/health/ready", "/metrics")
"""What has no ``Endpoint`` and is for everybody that the network lets in."""


@cache
def descriptions() -> tuple[Handler, Handler]:
    """Who serves OpenAPI and who AsyncAPI; written once per process."""
    return openapi.handler(ENDPOINTS), asyncapi.handler()


def attach(app: web.Application) -> None:
    """Add all of them to the application."""
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, endpoint.path, aiohttp_handler(endpoint))
    rest, events = descriptions()
    app.router.add_get("/api/openapi.json", rest)
    app.router.add_get("/api/asyncapi.json", events)
    app.router.add_get("/health/live", health.live)
    app.router.add_get("/health/ready", health.ready)
    app.router.add_get("/metrics", metrics.metrics)

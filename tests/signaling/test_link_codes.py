"""A patient's link that asks for a code: sent where the patient is told of it, typed once, then good on that device."""

import asyncio
import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from practice.invitations.digits import Digits
from practice.outgoing import Door
from practice.sms_providers.sending import Texter
from signaling.couriers import letterhead
from signaling.link_codes import link_code_key
from signaling.mailing import mailers
from signaling.settings import SignalingSettings
from signaling.typedefs import DIGITS, REDIS, TEXTER
from tests.servers.mail import Mail, MailServer
from tests.servers.sms import SmsServer
from tests.signaling.conftest import Answer, Server
from tests.signaling.test_guessing import PROXY
from tests.signaling.test_inviting import TO
from tests.signaling.test_texted import has_provider

HOME, STRANGER = "198.51.100.7", "203.0.113.200"


@pytest.fixture
def server_settings() -> SignalingSettings:
    return PROXY


@pytest.fixture
async def sending(server: Server, mails: MailServer) -> Server:
    """As with a mail server."""
    server.store.outbox.ways = frozenset({"mail"})
    settings = mails.settings()
    by = mailers(server.store, settings, Door.of(settings))
    server.app._state[DIGITS] = Digits(by, server.app[TEXTER], partial(letterhead, server.store))
    await server.sign_in("alice")
    return server


async def planned(server: Server, **other: Any) -> dict[str, Any]:
    starts_at = (server.time.now() + timedelta(minutes=5)).isoformat()
    body = {"patient": "Jan", "starts_at": starts_at, "minutes": 30, "mail": TO, "code": True} | other
    answer = await server.call("POST", "/api/v1/appointments", body, who="alice")
    assert answer.status == 201, answer.body
    return dict(answer.body)


def link_of(one: dict[str, Any]) -> dict[str, Any]:
    return {"link": one["link"].partition("#")[2]}


def refused(answer: Answer) -> str:
    return str(answer.body["error"]["code"])


async def asked(server: Server, one: dict[str, Any], network: str = HOME, **way: str) -> Answer:
    return await server.call("POST", "/api/v1/join/code", link_of(one) | way, headers={"X-Forwarded-For": network})


async def typed(server: Server, one: dict[str, Any], code: str, network: str = HOME) -> Answer:
    body = link_of(one) | {"code": code}
    return await server.call("POST", "/api/v1/join/pass", body, headers={"X-Forwarded-For": network})


def digits_in(mail: Mail) -> str:
    (found,) = re.findall(r"\b\d{6}\b", mail.message.get_content())
    return str(found)


async def sent(server: Server, mails: MailServer, one: dict[str, Any], network: str = HOME) -> str:
    """The digits of the newest mail."""
    before = len(mails.taken)
    answer = await asked(server, one, network)
    assert answer.status == 200, answer.body
    assert (answer.body["way"], answer.body["ways"]) == ("mail", ["mail"]) and answer.body["expires_in"] > 60
    assert len(mails.taken) == before + 1
    mail = mails.taken[-1].message
    assert mail["To"] == TO and one["link"] not in str(mail)
    return digits_in(mails.taken[-1])


async def test_nothing_opens_without_the_code_and_the_device_that_has_it_comes_in(
    sending: Server, mails: MailServer
) -> None:
    one = await planned(sending)
    assert one["code"] is True
    language = {"language": "nl"}
    for path, more in (
        ("/join", {}),
        ("/join/appointment", {}),
        ("/join/calendar", language),
        ("/join/sentence", language),
        ("/join/photograph", language),
        ("/join/wish", language | {"wish": "cancel", "typed": "afzeggen"}),
    ):
        answer = await sending.call("POST", f"/api/v1{path}", link_of(one) | more)
        assert (answer.status, refused(answer)) == (403, "code_needed"), path
    code = await sent(sending, mails, one)
    typed = link_of(one) | {"code": f" {code[:3]} {code[3:]} "}
    passed = await sending.call("POST", "/api/v1/join/pass", typed, who="jan")
    assert passed.status == 200, passed.body
    assert (await sending.call("POST", "/api/v1/join", link_of(one), who="jan")).body["role"] == "patient"
    app = link_of(one) | {"code_pass": passed.body["code_pass"]}
    assert (await sending.call("POST", "/api/v1/join", app)).status == 200, "an app sends it along"
    assert refused(await sending.call("POST", "/api/v1/join", link_of(one))) == "code_needed", "nobody else has it"
    again = await sending.call("POST", "/api/v1/join/pass", typed)
    assert refused(again) == "code_spent", "it is good once"


async def test_a_pass_is_worth_nothing_for_another_link_or_appointment(sending: Server, mails: MailServer) -> None:
    one, other = await planned(sending), await planned(sending, anyway=True)
    code = await sent(sending, mails, one)
    passed = await sending.call("POST", "/api/v1/join/pass", link_of(one) | {"code": code})
    given = {"code_pass": passed.body["code_pass"]}
    assert refused(await sending.call("POST", "/api/v1/join", link_of(other) | given)) == "code_needed"
    path = f"/api/v1/appointments/{one['appointment']}/invitation"
    renewed = await sending.call("POST", path, {"new_link": True}, who="alice")
    assert refused(await sending.call("POST", "/api/v1/join", link_of(renewed.body) | given)) == "code_needed"
    join = await sending.call("POST", "/api/v1/join", link_of(other) | {"code_pass": "x.y.z"})
    assert refused(join) == "code_needed"


async def test_after_ten_wrong_tries_of_one_network_and_ten_of_others_the_right_one_is_wrong_too(
    sending: Server, mails: MailServer
) -> None:
    one = await planned(sending)
    code = await sent(sending, mails, one)
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    for number in range(20):
        answer = await typed(sending, one, wrong, "203.0.113.250" if number < 10 else f"203.0.113.{number}")
        assert (answer.status, refused(answer)) == (403, "code_refused")
    answer = await sending.call("POST", "/api/v1/join/pass", link_of(one) | {"code": code})
    assert (answer.status, refused(answer)) == (410, "code_spent")
    another = await sent(sending, mails, one)
    assert (await sending.call("POST", "/api/v1/join/pass", link_of(one) | {"code": another})).status == 200


async def test_who_asks_again_soon_is_sent_the_same_and_not_without_end(sending: Server, mails: MailServer) -> None:
    one = await planned(sending)
    codes = {await sent(sending, mails, one) for _ in range(4)}
    assert len(codes) == 1, "whatever presses every button puts nobody out"
    answer = await asked(sending, one)
    assert (answer.status, refused(answer)) == (429, "rate_limited") and len(mails.taken) == 4
    assert (await sending.call("POST", "/api/v1/join/pass", link_of(one) | {"code": codes.pop()})).status == 200


async def test_of_many_who_ask_at_once_all_are_sent_the_same(sending: Server, mails: MailServer) -> None:
    one = await planned(sending)
    answers = await asyncio.gather(*(asked(sending, one) for _ in range(4)))
    assert {answer.status for answer in answers} == {200} and len(mails.taken) == 4
    (code,) = {digits_in(mail) for mail in mails.taken}
    assert (await typed(sending, one, code)).status == 200


async def test_a_stranger_with_the_link_uses_up_what_their_network_may_and_keeps_nobody_out(
    sending: Server, mails: MailServer
) -> None:
    one = await planned(sending)
    for _ in range(4):
        assert (await asked(sending, one, STRANGER)).status == 200
    assert refused(await asked(sending, one, STRANGER)) == "rate_limited"
    code = await sent(sending, mails, one)
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    tries = [refused(await typed(sending, one, wrong, STRANGER)) for _ in range(12)]
    assert tries == ["code_refused"] * 10 + ["rate_limited"] * 2
    assert refused(await typed(sending, one, code, STRANGER)) == "rate_limited", "right or wrong"
    assert (await typed(sending, one, code)).status == 200


async def test_the_pass_goes_along_with_an_appointment_that_is_handed_over(sending: Server, mails: MailServer) -> None:
    one = await planned(sending)
    code = await sent(sending, mails, one)
    given = {"code_pass": (await typed(sending, one, code)).body["code_pass"]}
    handing = sending.store.retention.handing
    await handing.ask(sending.alice.id, sending.bob.id, sending.alice.id)
    assert await handing.carry_out() == 1
    answer = await sending.call("POST", "/api/v1/join", link_of(one) | given)
    assert (answer.status, answer.body["practitioner_name"]) == (200, "Bob"), answer.body
    assert answer.body["appointment"] != one["appointment"]
    assert refused(await sending.call("POST", "/api/v1/join", link_of(one), who="stranger")) == "code_needed"


async def test_only_ways_that_go_are_offered_and_where_the_first_fails_the_next_is_tried(
    sending: Server, mails: MailServer, provider: SmsServer
) -> None:
    outbox, settings = sending.store.outbox, provider.settings()
    outbox.ways, outbox.texts_to = frozenset({"mail", "sms"}), settings.texts_to
    texter = Texter(settings.sms, Door.of(settings), sending.store.sms_providers.of_owner, sending.time.now)
    sending.app[DIGITS]._texter = texter
    await has_provider(sending, provider)
    one = await planned(sending, phone="06-12345678")
    mails.on_recipient = lambda _: "550 no such address"
    assert (await asked(sending, one)).body["way"] == "sms"
    assert len(provider.asked) == 1
    assert refused(await asked(sending, one, way="mail")) == "try_again", "who asks for a way is sent it by no other"
    mails.on_recipient = lambda _: None
    answer = (await asked(sending, one)).body
    assert (answer["way"], answer["ways"]) == ("mail", ["mail", "sms"])
    outbox.ways = frozenset({"mail"})
    other = await planned(sending, anyway=True)
    outbox.ways = frozenset({"sms"})
    answer = await asked(sending, one, STRANGER)
    assert (answer.body["way"], answer.body["ways"]) == ("sms", ["sms"])
    assert refused(await asked(sending, other)) == "try_again", "by none"


async def test_it_needs_an_address_and_is_asked_for_as_the_practitioner_says(sending: Server) -> None:
    starts_at = (sending.time.now() + timedelta(hours=1)).isoformat()
    body = {"patient": "Jan", "starts_at": starts_at, "minutes": 30, "code": True}
    answer = await sending.call("POST", "/api/v1/appointments", body, who="alice")
    assert (answer.status, answer.body["error"]["field"]) == (400, "code")
    one = await planned(sending, code=False)
    assert "code" not in one
    assert refused(await sending.call("POST", "/api/v1/join/code", link_of(one))) == "bad_state"
    path = f"/api/v1/appointments/{one['appointment']}"
    on = await sending.call("PATCH", path, {"seen": 1, "code": True}, who="alice")
    assert on.body["code"] is True
    assert refused(await sending.call("POST", "/api/v1/join", link_of(one))) == "code_needed"
    without = await sending.call("PATCH", path, {"seen": 2, "mail": ""}, who="alice")
    assert (without.status, without.body["error"]["field"]) == (400, "code")
    off = await sending.call("PATCH", path, {"seen": 2, "mail": "", "code": False}, who="alice")
    assert off.status == 200
    assert (await sending.call("POST", "/api/v1/join", link_of(one))).status == 200


@pytest.mark.duty("S-31")
async def test_nothing_of_a_code_stays_with_a_destroyed_appointment(sending: Server, mails: MailServer) -> None:
    one = await planned(sending)
    await sent(sending, mails, one)
    redis = sending.app[REDIS]
    assert await redis.exists(link_code_key(one["appointment"]))
    gone = await sending.call("DELETE", f"/api/v1/appointments/{one['appointment']}", who="alice")
    assert gone.status == 200
    assert not await redis.exists(link_code_key(one["appointment"]))

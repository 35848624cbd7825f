"""Invitations as people meet them: on the page of an organisation's people, in a mail, at the page behind a link."""

import logging
import re
from urllib.parse import urlencode

import pytest

from practice.organisation.model import MemberRole
from signaling.limiter import INVITED_ADDRESS, INVITED_NETWORK
from signaling.typedefs import SETTINGS
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server, postman_of
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.test_people import be_bob, roles, send
from vault.audit import invitation

PEOPLE = "/practice/people"
MAIL = "fatima@example.org"
OURS = ("practice", "signaling", "vault", "web", "aiohttp")
ACCOUNT = {"display_name": "Fatima El Amrani", "password": "vier losse woorden samen", "language": "fr"}


async def invite(browser: Browser, mail: str = MAIL, wanted: tuple[str, ...] = ("assistant",)) -> Seen:
    return await send(browser, "/practice/invitations/invite", mail=mail, roles=list(wanted), language="fr")


async def link(browser: Browser, mail: str = MAIL, wanted: tuple[str, ...] = ("assistant",)) -> str:
    """Where no mail can be sent it is shown."""
    return shown(await invite(browser, mail, wanted))


def shown(page: Seen) -> str:
    (found,) = re.findall(r"http://localhost:\d+(/invited/[\w-]{43})<", page.html)
    return str(found)


async def accept(server: Server, path: str, who: str = "fatima", **changes: str) -> Seen:
    return await Browser(server, who).send(f"{path}/accept", urlencode(ACCOUNT | changes))


def text(page: Seen) -> str:
    return " ".join(page.elements.text.split())


async def waiting(browser: Browser) -> str:
    """The list of who is invited."""
    return (await browser.get(PEOPLE)).html.partition('data-testid="invitations"')[2].partition("</ul>")[0]


# --- the way of one --------------------------------------------------------------------------------------------------


async def test_the_mail_brings_the_link_that_makes_an_account(
    mailing: Server, owner: Browser, mails: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """By a real mail server, as somebody reads it."""
    caplog.set_level(logging.DEBUG)
    postman = postman_of(mailing, mails.settings())
    sent = await invite(owner, wanted=("assistant", "auditor"))
    assert (sent.status, sent.location) == (303, f"{PEOPLE}?done=invited")
    page = await owner.get(sent.location)
    assert "De uitnodiging is onderweg." in text(page) and MAIL in await waiting(owner)
    assert "assistent, controleur" in text(page)
    await postman.round()
    (mail,) = [one for one in mails.taken if one.recipient == MAIL]
    assert mail.message["Subject"] == "Invitation : créez votre compte"
    (path,) = re.findall(rf"{mailing.origin}(/invited/\S+)", mail.text)
    for _ in range(2):
        page = await Browser(mailing, "a scanner").get(path)
        assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
        assert page.headers["Referrer-Policy"] == "strict-origin"
    assert MAIL in text(page) and PRACTICE.name in text(page)
    done = await accept(mailing, path)
    assert (done.status, done.location) == (303, "/account/security?done=joined")
    fatima = Browser(mailing, "fatima")
    assert "Uw account is gemaakt" in text(await fatima.get(done.location))
    assert (await fatima.get("/account")).field("display_name")["value"] == "Fatima El Amrani"
    account = await mailing.store.practitioners.id_by_mail(OPERATOR, MAIL)
    assert account is not None and await roles(mailing, account) == {"assistant", "auditor"}
    assert await waiting(owner) == "" and "Fatima El Amrani" in (await owner.get(PEOPLE)).html
    assert await mailing.store.notices.waiting() == [], "of a new device nobody need be told"
    said = " ".join(str(one.__dict__) for one in caplog.records if one.name.startswith(OURS))
    assert path.rpartition("/")[2] not in said and MAIL not in said


async def test_without_a_mail_server_the_link_is_shown_once(server: Server, owner: Browser) -> None:
    assert "Hier kan geen e-mail worden verstuurd." in (await owner.get(PEOPLE)).elements.text
    page = await invite(owner)
    assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
    path = shown(page)
    assert "/invited/" not in (await owner.get(PEOPLE)).html
    assert (await accept(server, path)).status == 303
    assert (await accept(server, path, "somebody else")).status == 404


async def test_what_is_done_is_entered(server: Server, owner: Browser) -> None:
    path = await link(owner)
    (one,) = await server.store.invitations.waiting(await scope_of(server.store, server.alice.id))
    name = await server.store.audit.name(invitation(one.owner, one.id))
    await send(owner, "/practice/invitations/again", invitation=one.id)
    (one,) = await server.store.invitations.waiting(await scope_of(server.store, server.alice.id))
    await send(owner, "/practice/invitations/withdraw", invitation=one.id)
    await accept(server, path)
    await accept(server, await link(owner, wanted=("assistant", "auditor")))
    entries = [entry async for entry in server.store.audit.entries()]
    told = [(one.act, one.subject, one.detail) for one in entries if one.act not in ("people-listed", "destroyed")]
    assert told[1:] == [
        ("invited", "invitation", "1"),
        ("invitation-renewed", "invitation", "1"),
        ("invitation-withdrawn", "invitation", None),
        ("invited", "invitation", "2"),
        ("account-added", "practitioner", "invited"),
    ]
    assert [one.act for one in entries if one.subject_name == name] == ["invited"]


# --- again, withdrawn, over ------------------------------------------------------------------------------------------


async def test_sent_again_only_the_new_link_works(server: Server, owner: Browser) -> None:
    before = await link(owner)
    one = (await owner.get(PEOPLE)).hidden("invitation")
    after = shown(await send(owner, "/practice/invitations/again", invitation=one))
    assert (await Browser(server, "fatima").get(before)).status == 404
    assert (await accept(server, before)).status == 404
    assert (await send(owner, "/practice/invitations/again", invitation=one)).status == 404
    assert (await accept(server, after)).status == 303


async def test_withdrawn_it_is_over_and_the_address_can_be_invited_anew(server: Server, owner: Browser) -> None:
    path = await link(owner)
    one = (await owner.get(PEOPLE)).hidden("invitation")
    sent = await send(owner, "/practice/invitations/withdraw", invitation=one)
    assert (sent.status, sent.location) == (303, f"{PEOPLE}?done=withdrawn")
    assert await waiting(owner) == ""
    page = await accept(server, path)
    assert page.status == 404 and "Deze link werkt niet, of niet meer." in text(page)
    assert (await send(owner, "/practice/invitations/withdraw", invitation=one)).status == 404
    assert (await accept(server, await link(owner))).status == 303


# --- bad input -------------------------------------------------------------------------------------------------------


async def test_an_address_of_a_member_or_one_that_is_invited_says_so(server: Server, owner: Browser) -> None:
    await link(owner)
    for mail in (MAIL.upper(), "bob@example.org"):
        page = await invite(owner, mail)
        assert page.status == 409
        assert "is al lid of is al uitgenodigd" in page.described("mail")
        assert page.field("mail")["value"] == mail


@pytest.mark.parametrize(
    ("mail", "wanted"),
    [("", ("assistant",)), ("x", ("assistant",)), ("a@b", ("assistant",)), (MAIL, ()), (MAIL, ("boss",))],
)
async def test_bad_input_invites_nobody(server: Server, owner: Browser, mail: str, wanted: tuple[str, ...]) -> None:
    page = await invite(owner, mail, wanted)
    assert page.status == 422
    assert [one for _, one in page.elements.with_attribute("role") if one["role"] == "alert"]
    assert await waiting(owner) == ""


async def test_what_was_typed_comes_back_but_for_the_password(server: Server, owner: Browser) -> None:
    path = await link(owner)
    page = await accept(server, path, password="kort")
    assert page.status == 422 and "Dit is te kort." in page.described("password")
    assert page.field("display_name")["value"] == "Fatima El Amrani" and "value" not in page.field("password")
    common = await accept(server, path, password="password123")
    assert common.field("password")["aria-invalid"] == "true"
    assert (await accept(server, path, mail="another@example.org")).status == 422, "the address is the invited one"
    assert (await accept(server, path)).status == 303


async def test_whose_address_has_an_account_meanwhile_is_told(server: Server, owner: Browser) -> None:
    path = await link(owner)
    await server.store.organisation.add_account(OPERATOR, MAIL, "correct horse battery", "Somebody", "nl")
    assert (await Browser(server, "fatima").get(path)).status == 200
    page = await accept(server, path)
    assert page.status == 409 and "intussen al een account gemaakt" in text(page)


# --- who may ---------------------------------------------------------------------------------------------------------


async def test_an_administrator_is_offered_no_owner_and_makes_none(server: Server, owner: Browser) -> None:
    await link(owner, "boss@example.org", ("owner",))
    await be_bob(server, "administrator")
    await server.sign_in("bob")
    bob = Browser(server, "bob")
    page = await bob.get(PEOPLE)
    assert 'value="owner"' not in page.html and "boss@example.org" in page.html
    assert 'name="invitation"' not in page.html
    assert (await invite(bob, wanted=("owner",))).status == 404
    one = (await owner.get(PEOPLE)).hidden("invitation")
    for form in ("again", "withdraw"):
        assert (await send(bob, f"/practice/invitations/{form}", invitation=one)).status == 404
    assert (await invite(bob)).status == 200


async def test_an_auditor_sees_who_is_invited_and_changes_nothing(server: Server, owner: Browser) -> None:
    await link(owner)
    one = (await owner.get(PEOPLE)).hidden("invitation")
    await be_bob(server, "auditor")
    await server.sign_in("bob")
    bob = Browser(server, "bob")
    assert MAIL in await waiting(bob)
    assert "<form" not in (await bob.get(PEOPLE)).html.partition("<main")[2].partition("</main")[0]
    assert (await invite(bob, "g@example.org")).status == 404
    for form in ("again", "withdraw"):
        assert (await send(bob, f"/practice/invitations/{form}", invitation=one)).status == 404


async def test_who_lost_the_right_leaves_dead_links(server: Server, owner: Browser) -> None:
    await be_bob(server, "administrator")
    await server.sign_in("bob")
    path = await link(Browser(server, "bob"))
    await be_bob(server, "practitioner")
    assert (await accept(server, path)).status == 404
    assert "De link werkt niet meer" in await waiting(owner)
    wanted: MemberRole = "administrator"
    await be_bob(server, wanted)
    assert (await accept(server, path)).status == 303


async def test_tries_are_counted(server: Server, owner: Browser) -> None:
    for _ in range(INVITED_ADDRESS.tries):
        await invite(owner)
    page = await invite(owner)
    assert page.status == 429 and int(page.headers["Retry-After"]) > 0
    stranger = Browser(server, "a stranger")
    for _ in range(INVITED_NETWORK.tries):
        assert (await stranger.get(f"/invited/{'A' * 43}")).status == 404
    assert (await stranger.get(f"/invited/{'A' * 43}")).status == 429


# --- signed in -------------------------------------------------------------------------------------------------------


async def test_where_a_second_factor_comes_first_nothing_else_is_open(server: Server, owner: Browser) -> None:
    path = await link(owner)
    demanded = {"second_factor": "demanded", "second_factor_grace_days": 0}
    server.app._state[SETTINGS] = server.app[SETTINGS].model_copy(update=demanded)
    assert (await accept(server, path)).location == "/account/security?done=joined"
    fatima = Browser(server, "fatima")
    assert (await fatima.get("/account/security/app")).status == 200
    page = await fatima.get("/account")
    assert (page.status, page.location) == (303, "/signin?next=/account")


async def test_this_browser_is_known_from_then_on(server: Server, owner: Browser) -> None:
    await accept(server, await link(owner))
    assert any("device" in one.key for one in server.jars["fatima"])

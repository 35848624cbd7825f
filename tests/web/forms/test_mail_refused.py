"""What is refused of another mail address: no address, no password, no factor, too many, a link that is none."""

from datetime import timedelta

import pyotp
import pytest

from signaling.limiter import MAIL_CHANGES
from tests.opening import of
from tests.signaling.conftest import Server
from tests.signaling.test_second_factor import shown, with_app
from tests.web.forms.conftest import Browser
from tests.web.forms.test_mail import alice, ask, confirm, links, mails, reader, rows

__all__ = ["alice", "reader"]
"""Fixtures."""


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ("", "Vul dit in."),
        ("nobody", "Dit klopt niet."),
        ("a@b", "Dit klopt niet."),
        ("a b@example.org", "Dit klopt niet."),
        ("a@example.org\r\nBcc: b@example.org", "Dit klopt niet."),
        ("\u0430lice@example.org", "Dit klopt niet."),  # the first letter is Cyrillic
        ("a@127.0.0.1", "Dit klopt niet."),
        ("x" * 250 + "@example.org", "te lang"),
        (" Alice@EXAMPLE.org ", "Dit adres hebt u al."),
        ("\uff41lice@example.org", "Dit adres hebt u al."),  # as wide as ideographs are
    ],
)
async def test_an_address_that_is_none_or_ones_own_is_said_and_changes_nothing(
    mailing: Server, alice: Browser, mail: str, said: str
) -> None:
    page = await ask(alice, mail)
    assert page.status == 422 and said in page.described("mail")
    assert (await rows(mailing), await mails(mailing)) == ([], [])


async def test_letters_that_look_like_others_are_spelt_out(mailing: Server, alice: Browser, reader: Browser) -> None:
    assert (await ask(alice, "alice@ex\u0430mple.org")).status == 303
    for page in [await alice.get("/account/mail"), *[await reader.get(link) for link in await links(mailing)]]:
        assert "alice@xn--exmple-4nf.org" in page.html


async def test_it_takes_the_password_and_a_factor_that_was_just_used(mailing: Server, alice: Browser) -> None:
    refused = await ask(alice, password="wrong")
    assert refused.status == 403 and "niet uw wachtwoord" in refused.described("password")
    assert 'name="code"' not in refused.html, "who has none is not asked for one"
    secret, made = await with_app(mailing, mailing.alice)
    page = await alice.get("/account/mail")
    assert page.field("code")["autocomplete"] == "one-time-code"
    assert 'href="/signin?next=/account/mail"' in page.html
    for code in ("", "000000x", "12345678"):
        refused = await ask(alice, code=code)
        assert refused.status == 403 and "De code klopt niet" in refused.described("code")
    code = shown(mailing, secret)
    assert (await ask(alice, password="wrong", code=code)).status == 403
    assert (await ask(alice, code=code)).status == 303, "a wrong password used no code up"
    replayed = await ask(alice, code=code)
    assert replayed.status == 403 and "De code klopt niet" in replayed.described("code")
    assert (await ask(alice, code=made[0])).status == 303
    assert len((await mailing.store.factors.of(of(mailing.alice.id))).codes) == 9


async def test_who_signed_in_with_two_factors_just_now_is_asked_for_no_code(mailing: Server) -> None:
    secret, _ = await with_app(mailing, mailing.alice)
    challenge = (await mailing.sign_in("alice")).body["error"]["challenge"]
    body = {"challenge": challenge, "code": pyotp.TOTP(secret).at(mailing.time.now())}
    assert (await mailing.call("POST", "/api/v1/sign-in/factor", body, who="alice")).status == 200
    alice = Browser(mailing, "alice")
    assert 'name="code"' not in (await alice.get("/account/mail")).html
    assert (await ask(alice)).status == 303
    mailing.time.ahead += timedelta(minutes=11)
    assert 'name="code"' in (await alice.get("/account/mail")).html
    assert (await ask(alice)).status == 403


async def test_an_account_asks_so_often(mailing: Server, alice: Browser) -> None:
    for number in range(MAIL_CHANGES.tries):
        assert (await ask(alice, f"new{number}@example.org")).status == 303
    refused = await ask(alice)
    assert refused.status == 429 and refused.headers["Retry-After"]


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "é", "A" * 5000])
async def test_a_link_that_is_none(mailing: Server, reader: Browser, token: str) -> None:
    assert (await reader.get(f"/mail/{token}")).status == 404
    assert (await confirm(reader, f"/mail/{token}")).status == 404
    assert (await reader.send(f"/mail/{token}/stop", "")).status == 404

"""Who is invited makes an account with a passkey alone: in one transaction, and without a password that anybody has."""

import re
from urllib.parse import urlencode

import pytest

from practice.accounts.sessions import JUST
from signaling.sessions import PLAIN
from tests.browser.test_passkeys import authenticator
from tests.chromium import chromium
from tests.organisations import OPERATOR
from tests.signaling.authenticator import PRESENT, Authenticator
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.forms.test_forgotten import NEW, choose, links
from tests.web.forms.test_passkeys import offered, sign_in
from tests.web.forms.test_security import codes_of
from tests.web.practice.test_invitations import MAIL, accept, invite, text
from tests.web.practice.test_people import roles


@pytest.fixture
def device(server: Server) -> Authenticator:
    return Authenticator(server.origin)


@pytest.fixture
async def path(mailing: Server, owner: Browser) -> str:
    """That of the link which was mailed."""
    assert (await invite(owner)).status == 303
    (told,) = [one for one in await mailing.store.notices.waiting() if one.news.word == "invitation"]
    return f"/invited/{mailing.store.invitations.token(told.news.values['invitation'])}"


async def make(server: Server, path: str, device: Authenticator, **changes: str) -> Seen:
    browser = Browser(server, "fatima")
    page = await browser.get(f"{path}/passkey")
    assert page.status == 200
    fields = {
        "display_name": "Fatima El Amrani",
        "language": "fr",
        "name": page.field("name")["value"],
        "challenge": page.hidden("challenge"),
        **device.made(offered(page)["bytes"]),
    }
    return await browser.send(f"{path}/passkey/make", urlencode(fields | changes))


async def account(server: Server) -> str | None:
    return await server.store.practitioners.id_by_mail(OPERATOR, MAIL)


async def test_it_makes_an_account_that_signs_in_by_it(mailing: Server, path: str, device: Authenticator) -> None:
    assert f'href="{path}/passkey"' in (await Browser(mailing, "fatima").get(path)).html
    made = await make(mailing, path, device)
    assert made.status == 200 and len(codes_of(made)) == 10
    person = await account(mailing)
    assert person is not None and await roles(mailing, person) == {"assistant"}
    cookie = next(one.value for one in mailing.jars["fatima"] if one.key == PLAIN)
    assert await mailing.store.sessions.strength(cookie) == "passkey"
    page = await Browser(mailing, "fatima").get("/account/security")
    assert "Passkey" in text(page) and "Stel de tweede stap in" not in text(page)
    answer = await sign_in(mailing, device, person)
    assert (answer.status, answer.body["display_name"]) == (200, "Fatima El Amrani")
    acts = [(one.act, one.detail) async for one in mailing.store.audit.entries()]
    assert ("account-added", "invited") in acts and ("factor-added", "passkey") in acts
    assert (await make_again(mailing, path)).status == 404


async def test_without_a_password_the_passkey_that_was_just_used_is_enough_for_ten_minutes(
    mailing: Server, path: str, device: Authenticator
) -> None:
    await make(mailing, path, device)
    person, browser = await account(mailing), Browser(mailing, "fatima")
    assert person is not None
    page = await browser.get("/account/data")
    assert 'name="password"' not in page.html
    token = page.hidden("form_token")
    assert (await browser.send("/account/export", urlencode({"form_token": token}))).status == 200
    wrong = await browser.send("/account/export", urlencode({"form_token": token, "password": "wrong"}))
    assert wrong.status == 403, "one that is typed is looked at"
    mailing.time.ahead += JUST
    late = await browser.send("/account/export", urlencode({"form_token": token}))
    assert late.status == 422 and 'name="password"' in late.html
    assert (await sign_in(mailing, device, person)).status == 200


@pytest.mark.browser
async def test_a_browser_makes_it_with_an_authenticator_of_its_own(mailing: Server, path: str) -> None:
    async with chromium() as browser:
        page = await (await browser.new_context(locale="nl-NL")).new_page()
        await page.set_viewport_size({"width": 390, "height": 844})
        await authenticator(page)
        await page.goto(f"{mailing.origin}{path}")
        await page.get_by_test_id("by-passkey").click()
        await page.get_by_test_id("make-passkey").click()
        await page.get_by_role("alert").get_by_text("Vul dit in.").wait_for()
        await page.get_by_label("Naam", exact=True).fill("Fatima El Amrani")
        await page.get_by_test_id("make-passkey").click()
        await page.get_by_test_id("recovery-codes").wait_for()
        await page.goto(f"{mailing.origin}/account/security")
        await page.get_by_text("Passkey", exact=True).first.wait_for()
        await page.context.close()
    assert await account(mailing) is not None


async def make_again(server: Server, path: str) -> Seen:
    return await Browser(server, "other").get(f"{path}/passkey")


async def test_a_password_is_chosen_later_as_by_who_forgot_theirs(
    mailing: Server, path: str, device: Authenticator
) -> None:
    codes = codes_of(await make(mailing, path, device))
    stranger = Browser(mailing, "stranger")
    await stranger.send("/forgotten", urlencode({"mail": MAIL}))
    assert (await choose(stranger, (await links(mailing))[0])).status == 200
    answer = await mailing.call("POST", "/api/v1/sign-in", {"mail": MAIL, "password": NEW}, who="later")
    assert answer.code == "factor_needed"
    body = {"challenge": answer.body["error"]["challenge"], "code": codes[0]}
    assert (await mailing.call("POST", "/api/v1/sign-in/factor", body, who="later")).status == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"credential": "", "client_data": "", "attestation": ""}, 403),
        ({"display_name": ""}, 422),
        ({"display_name": "\u200b"}, 422),
        ({"name": ""}, 422),
        ({"challenge": "x"}, 410),
        ({"password": "vier losse woorden samen"}, 422),
    ],
)
async def test_bad_input_makes_nothing(
    mailing: Server, path: str, device: Authenticator, changes: dict[str, str], status: int
) -> None:
    keys = set(await mailing.store.keys.ids())
    page = await make(mailing, path, device, **changes)
    assert page.status == status
    assert await account(mailing) is None
    assert set(await mailing.store.keys.ids()) == keys
    assert (await make(mailing, path, device)).status == 200


async def test_one_that_cannot_tell_its_person_is_refused(mailing: Server, path: str) -> None:
    page = await make(mailing, path, Authenticator(mailing.origin, flags=PRESENT))
    assert page.status == 403 and await account(mailing) is None


async def test_a_challenge_is_good_once_and_of_the_two_ways_one_wins(
    mailing: Server, path: str, device: Authenticator
) -> None:
    page = await Browser(mailing, "fatima").get(f"{path}/passkey")
    assert (await accept(mailing, path)).status == 303
    fields = {
        "display_name": "X", "language": "fr", "name": "Y", "challenge": page.hidden("challenge"),
        **device.made(offered(page)["bytes"]),
    }  # fmt: skip
    keys = set(await mailing.store.keys.ids())
    for _ in range(2):
        assert (await Browser(mailing, "other").send(f"{path}/passkey/make", urlencode(fields))).status in (404, 410)
    assert set(await mailing.store.keys.ids()) == keys


async def test_without_a_mail_server_there_is_no_such_way(server: Server, owner: Browser) -> None:
    page = await invite(owner)
    (link,) = re.findall(r"http://localhost:\d+(/invited/[\w-]{43})<", page.html)
    browser = Browser(server, "fatima")
    assert "/passkey" not in (await browser.get(link)).html
    assert (await browser.get(f"{link}/passkey")).status == 404

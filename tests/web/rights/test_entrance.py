"""The way to one's own data by a link: a code for every appointment that has an address, and nothing without it."""

from urllib.parse import quote

import pytest

from signaling.settings import SignalingSettings
from tests.opening import of
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server
from tests.signaling.test_guessing import PROXY
from tests.web.forms.conftest import Browser
from tests.web.rights.conftest import Planned
from web.locale import CATALOGUES
from web.rights import entrance, sections

t = CATALOGUES["nl"].text
BEHIND = [page for part in (entrance, *sections.MODULES) for page in part.PAGES if page.path.startswith("/c/rights/m")]


@pytest.fixture
def server_settings() -> SignalingSettings:
    return PROXY


async def test_a_code_goes_to_the_patient_and_whoever_types_it_reads(planned: Planned, mails: MailServer) -> None:
    _, jan = await planned()
    begins = await jan.browser.get("/c/rights")
    assert begins.status == 200 and begins.field("link")
    assert mails.taken == []
    seen = await jan.come_in()
    assert seen.status == 200 and t("rights.mine", when="").split()[0] in seen.html
    assert [mail.message["To"] for mail in mails.taken] == ["jan@elsewhere.example"]
    for one in sections.SECTIONS:
        assert f'href="{one.path}"' in seen.html
        assert (await jan.browser.get(one.path)).status == 200
    (cookie,) = [one for one in jan.browser.server.jars["jan"] if one.key.endswith("rights")]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Strict", "1800")
    assert jan.link[22:] not in cookie.value + seen.html


async def test_every_page_behind_the_code_leads_whoever_has_none_to_it(planned: Planned) -> None:
    _, jan = await planned()
    assert BEHIND
    for page in BEHIND:
        seen = await jan.browser.get(page.path)
        assert (seen.status, seen.location) == (303, "/c/rights"), page.path
    await jan.ask()
    for page in BEHIND:
        seen = await jan.browser.get(page.path)
        assert (seen.status, seen.location) == (303, "/c/rights"), "a code that was asked for is not typed yet"
    assert (await jan.browser.get("/c/rights/code")).status == 200
    assert (await Browser(jan.browser.server, "piet").get("/c/rights/code")).location == "/c/rights"


async def test_without_an_address_the_page_says_whom_to_ask(planned: Planned, mails: MailServer) -> None:
    _, jan = await planned(mail=None)
    answer = await jan.ask()
    assert answer.status == 409 and t("rights.no-address") in answer.html
    assert mails.taken == [] and jan.link not in answer.html


async def test_a_link_that_is_none_is_said_to_be_none(planned: Planned) -> None:
    _, jan = await planned()
    jan.link = jan.link[:22] + "A" * 22
    answer = await jan.ask()
    assert t("error.link_invalid") in answer.described("link")
    assert jan.link not in answer.html


async def test_what_mail_programs_put_around_a_link_does_not_matter(planned: Planned) -> None:
    _, jan = await planned()
    jan.link = quote(f" https://consult.example/c#{jan.link}.")
    assert (await jan.come_in()).status == 200


async def test_a_pass_is_worth_nothing_after_another_link_or_half_an_hour_or_destruction(
    planned: Planned, sending: Server
) -> None:
    one, jan = await planned()
    assert (await jan.come_in()).status == 200
    renewed = await sending.store.appointments.invite(of(sending.alice.id), one.id, new_link=True)
    assert (await jan.browser.get("/c/rights/mine")).location == "/c/rights"
    jan.link = renewed.id + renewed.secret
    assert (await jan.come_in()).status == 200
    await jan.browser.send("/c/rights/leave", "")
    assert (await jan.browser.get("/c/rights/mine")).location == "/c/rights"
    assert (await jan.come_in()).status == 200
    token = next(cookie.value for cookie in sending.jars["jan"] if cookie.key == "rights")
    await sending.store.retention.destroy(of(sending.alice.id), one.id)
    sending.jars["jan"].update_cookies({"rights": token})
    assert (await jan.browser.get("/c/rights/mine")).location == "/c/rights"


async def test_ten_tries_of_one_network_and_twenty_of_all_are_counted_before_they_are_looked_at(
    planned: Planned,
) -> None:
    _, jan = await planned()
    await jan.ask()
    right = jan.digits()
    wrong = str((int(right) + 1) % 10**6).zfill(6)

    async def typed(code: str, network: str) -> int:
        return (await jan.browser.send("/c/rights/open", f"code={code}", **{"X-Forwarded-For": network})).status

    for _ in range(10):
        assert await typed(wrong, "203.0.113.250") == 403
    assert await typed(right, "203.0.113.250") == 429, "the right one too"
    for number in range(10):
        assert await typed(wrong, f"203.0.113.{number}") == 403
    assert await typed(right, "198.51.100.7") == 410


async def test_a_guest_comes_in_by_their_own_link_and_address(planned: Planned, mails: MailServer) -> None:
    _, jan = await planned()
    _, maria = await planned(who="maria", guest="Maria")
    assert (await maria.come_in()).status == 200
    assert mails.taken[-1].message["To"] == "maria@elsewhere.example"
    assert (await jan.browser.get("/c/rights/mine")).location == "/c/rights"

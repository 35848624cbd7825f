"""The account's pages: without scripts, by keyboard, and judged as all pages are."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect

from practice.portability.opened import entry
from practice.statistics.model import What
from practice.storage import Store
from signaling.sessions import PLAIN
from tests.browser.conftest import TIMED, Demo, Desk, Person
from tests.browser.formpages import FORM_PAGES
from tests.browser.screenshots import LOCALES
from tests.browser.test_accessibility import judge
from tests.browser.test_an_account import PASSWORD, add_account
from tests.opening import open_store
from tests.organisations import OPERATOR
from tests.signaling.conftest import QUICK
from vault.records.content import new_id
from vault.records.scope import SERVER
from vault.settings import VaultSettings


async def test_without_scripts_a_name_is_changed_and_a_mistake_is_said(
    demo: Demo, desk: Desk, practitioner: Person
) -> None:
    """Chromium says where its form comes from, which it would not from a page with ``no-referrer``."""
    assert practitioner.context.browser is not None
    context = await practitioner.context.browser.new_context(java_script_enabled=False, locale="nl-NL")
    await context.add_cookies([{"name": PLAIN, "value": desk.cookie, "url": demo.origin}])
    page = await context.new_page()
    await page.goto(f"{demo.origin}/account")
    await page.get_by_label("Naam").fill("Dr. Blauw")
    await page.get_by_test_id("save-name").click()
    await expect(page.get_by_role("status")).to_be_focused()
    await expect(page.get_by_label("Naam")).to_have_value("Dr. Blauw")
    assert page.url == f"{demo.origin}/account?done=saved"
    await page.get_by_label("Naam").fill("")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page).to_have_title(re.compile("^Er klopt iets niet: Account "))
    await page.get_by_role("alert").get_by_role("link", name="Naam").click()
    await expect(page.get_by_label("Naam")).to_be_focused()
    await expect(page.get_by_label("Naam")).to_have_accessible_description("Zo ziet uw patiënt u. Vul dit in.")
    await context.close()


async def test_whoever_signs_in_for_a_page_comes_to_it(demo: Demo, patient: Person) -> None:
    mail, page = await add_account(demo), patient.page
    for path, comes_to in (
        ("/account", "/account"),
        ("/signin?next=https://evil.example", "/desk"),
        ("/signin?next=//evil.example/account", "/desk"),
        ("/signin?next=/account/../c", "/desk"),
    ):
        await patient.context.clear_cookies()
        await page.goto(demo.origin + path)
        await patient.find("mail").fill(mail)
        await patient.find("password").fill(PASSWORD)
        await patient.find("sign-in").click()
        await page.wait_for_url(demo.origin + comes_to)


async def test_the_desk_leads_to_pages_that_anybody_can_use(demo: Demo, practitioner: Person) -> None:
    page = practitioner.page
    await practitioner.find("account").click()
    await practitioner.find("account-page").click()
    await page.wait_for_url(f"{demo.origin}/account")
    await page.set_viewport_size({"width": 360, "height": 740})
    await judge(page, "account")
    await page.get_by_label("Naam").fill("")
    await practitioner.find("save-name").click()
    await page.get_by_role("alert").wait_for()
    await judge(page, "account with a mistake")


@pytest.mark.parametrize("language", LOCALES if TIMED else ["de"])
async def test_every_form_page_can_be_used_by_anybody(chromium: Browser, demo: Demo, language: str) -> None:
    """By an owner, who may open all of them. German has the longest words: the others are judged by `make prove`."""
    context = await chromium.new_context(locale=LOCALES[language], viewport={"width": 360, "height": 740})
    page = await context.new_page()
    await page.goto(demo.practitioner_url)
    await page.get_by_test_id("new-appointment").wait_for()
    somebody = await a_member(demo)
    about = [f"/practice/people/{somebody}{part}" for part in ("", "/factor", "/appointments", "/sight")]
    for path in (*(one.path for one in FORM_PAGES), *about, *DEAD_LINKS):
        answer = await page.goto(demo.origin + path)
        assert answer is not None
        assert answer.status == (404 if path in DEAD_LINKS else 200), path
        assert await page.locator("html").get_attribute("lang") == language, path
        await judge(page, f"{path} in {language}")
    await context.close()


DEAD_LINKS = tuple(f"/{one}/{'A' * 43}" for one in ("forgotten", "mail", "invited", "first"))


async def a_member(demo: Demo) -> str:
    """Of the organisation of the demo."""
    async with beside(demo) as store:
        person = await store.organisation.add_account(OPERATOR, f"{new_id()}@example.org", PASSWORD, "Bo", "nl")
        return person.id


@asynccontextmanager
async def beside(demo: Demo) -> AsyncIterator[Store]:
    """The demo's store, as an operator's commands have it."""
    async with open_store(VaultSettings(data=demo.data, trust_clock=True), exclusive=False) as store:
        store.practitioners._hasher = QUICK
        yield store


async def test_statistics_with_numbers_can_be_read_by_anybody(chromium: Browser, demo: Demo) -> None:
    """In every language, for the numbers stand beside words that differ in length; in light and dark."""
    context = await chromium.new_context(locale="nl-NL", viewport={"width": 360, "height": 740})
    page = await context.new_page()
    await page.goto(demo.practitioner_url)
    await page.get_by_test_id("new-appointment").wait_for()
    me = (await (await page.request.get(f"{demo.origin}/api/v1/me")).json())["practitioner"]
    last = datetime.now(UTC).replace(day=1) - timedelta(days=15)
    async with beside(demo) as store:
        store.statistics._now = lambda: last
        numbers: dict[What, int] = {"consults": 47, "absent": 7, "short": 20, "middle": 15, "long": 12}
        for what, number in numbers.items():
            await store.statistics.count(SERVER, what, {me: number})
    for language in LOCALES:
        await page.goto(f"{demo.origin}/practice/statistics?lang={language}")
        assert await page.locator("html").get_attribute("lang") == language
        await expect(page.locator("table").get_by_text("47").first).to_be_visible()
        await judge(page, f"statistics in {language}")
    await context.close()


async def test_the_account_of_an_owner_leads_to_pages_of_the_practice(demo: Demo, patient: Person) -> None:
    page = patient.page
    await page.goto(demo.practitioner_url)
    await patient.find("new-appointment").wait_for()
    for path in ("people", "organisation", "audit", "record"):
        await page.goto(f"{demo.origin}/account")
        await page.get_by_role("navigation", name="Uw organisatie").locator(f"[href$={path}]").click()
        await page.wait_for_url(f"{demo.origin}/practice/{path}")
        await judge(page, path)
    await page.goto(f"{demo.origin}/practice/audit")
    await page.get_by_label("Handeling").select_option("people-listed")
    await patient.find("search").click()
    await expect(patient.find("trail").get_by_role("listitem").first).to_be_visible()
    async with page.expect_download() as awaited:
        await patient.find("export").click()
    about, *rows = (await (await awaited.value).path()).read_text().splitlines()[1:]
    assert "whole: " in about
    assert {row.split(",")[2] for row in rows} == {"people-listed"}
    await patient.find("verify").click()
    await expect(page.get_by_role("status")).to_be_focused()
    await expect(page.get_by_text("Het was heel.")).to_be_visible()


@pytest.mark.duty("S-46")
async def test_ones_own_data_become_a_file(demo: Demo, desk: Desk, practitioner: Person) -> None:
    page = practitioner.page
    await page.goto(f"{demo.origin}/account/data")
    await page.get_by_label("Uw wachtwoord nu").fill(desk.password)
    await practitioner.find("export").click()
    password = await practitioner.find("export-password").inner_text()
    async with page.expect_download() as awaited:
        await practitioner.find("fetch-export").click()
    saved = await (await awaited.value).path()
    found = json.loads(entry(saved.read_bytes(), "account.json", password))
    assert [one["patient"] for one in found["records"]["appointments"]] == ["Patiënt"]

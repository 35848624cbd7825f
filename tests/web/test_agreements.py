"""What people agree to: on the way from signing in, never in the way; accepted, and older versions read."""

import re
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from practice.outgoing import PURPOSES
from signaling.typedefs import DOOR, STORE, TURN
from tests.signaling.conftest import Server
from tests.web.forms.conftest import *  # noqa: F403 -- pytest finds fixtures by their names here
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.conftest import owner
from turn.credentials import TurnCredentials
from turn.settings import TurnSettings
from vault.errors import DomainError
from vault.inventory import inventory
from web import papers
from web.agreements import said
from web.locale import CATALOGUES
from web.render import SETTINGS

__all__ = ["owner"]


async def accept(browser: Browser, page: Seen, name: str) -> Seen:
    mark = re.findall(rf'name="name" value="{name}">\s*<input type="hidden" name="mark" value="(\w+)"', page.html)[0]
    fields = {"form_token": page.hidden("form_token"), "name": name, "mark": mark}
    return await browser.send("/agreements/accept", urlencode(fields))


async def renamed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator is called otherwise."""
    settings = server.app[SETTINGS]
    operator = settings.operator.model_copy(update={"name": "Praktijk De Nieuwe Maan"})
    monkeypatch.setitem(server.app._state, SETTINGS, settings.model_copy(update={"operator": operator}))


@pytest.mark.duty("S-01")
async def test_both_are_accepted_and_a_new_version_is_asked_for_at_the_next_sign_in(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await owner.get("/agreements?next=/desk")
    assert page.status == 200 and 'href="/desk"' in page.html, "it may be left for later"
    for name in ("statement", "processing"):
        assert (await accept(owner, page, name)).status == 303
    went = await owner.get("/agreements?next=/desk")
    assert (went.status, went.location) == (303, "/desk")
    assert (await owner.get("/agreements")).html.count("Door u aanvaard") == 2
    await renamed(server, monkeypatch)
    page = await owner.get("/agreements?next=/desk")
    assert page.status == 200 and "Eerdere versies" in page.html
    old = re.findall(r'href="(/agreements/[\w-]{22})"', page.html)
    before = await owner.get(old[0])
    assert before.status == 200 and "De Nieuwe Maan" not in before.html
    acts = [(one.act, one.detail) async for one in server.store.audit.entries() if one.act.startswith("agreement")]
    assert acts == [("agreement-accepted", "statement"), ("agreement-accepted", "processing")]


@pytest.mark.duty("S-01")
@pytest.mark.parametrize("purpose", [*PURPOSES, "turn"])
async def test_whoever_data_go_to_is_named_and_one_more_is_asked_about_anew(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    page = await owner.get("/agreements")
    for name in ("statement", "processing"):
        assert (await accept(owner, page, name)).status == 303
    where = "192.0.2.7" if purpose == "turn" else "one.more.example"
    if purpose == "turn":
        relay = TurnSettings(address=where, secrets=["s" * 40])
        monkeypatch.setitem(server.app._state, TURN, TurnCredentials(relay, server.time.now))
    else:
        more: Any = {{"mail": "hosts"}.get(purpose, purpose): frozenset({where})}
        monkeypatch.setitem(server.app._state, DOOR, replace(server.app[DOOR], **more))
    assert all(where in text for text in said(server.app, "statement").values())
    assert (await owner.get("/agreements?next=/desk")).status == 200, "asked anew"


async def test_what_changed_while_it_was_read_is_not_accepted(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await owner.get("/agreements")
    await renamed(server, monkeypatch)
    answer = await accept(owner, page, "statement")
    assert answer.status == 409 and "intussen gewijzigd" in answer.html


@pytest.mark.duty("S-01")
async def test_nobody_is_kept_from_their_desk_by_what_does_not_answer(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise DomainError("try_again")

    monkeypatch.setattr(server.app[STORE].agreements, "put_forward", away)
    went = await owner.get("/agreements?next=/desk")
    assert (went.status, went.location) == (303, "/desk")


@pytest.mark.parametrize(
    "where", ["//elsewhere.example", "https://elsewhere.example/desk", "/agreements", "javascript:x"]
)
async def test_it_leads_nowhere_else(server: Server, owner: Browser, where: str) -> None:
    page = await owner.get(f"/agreements?{urlencode({'next': where})}")
    assert page.status == 200 and "elsewhere" not in page.html and "javascript" not in page.html


@pytest.mark.duty("S-01")
async def test_what_is_accepted_is_what_the_pages_say(server: Server, owner: Browser) -> None:
    """In all four languages: the words of the two pages and nothing else."""
    statement, agreement = said(server.app, "statement"), said(server.app, "processing")
    page = (await owner.get("/privacy")).html
    assert statement["nl"].startswith("Uw privacy") and "<" not in statement["nl"]
    assert "Skip" not in statement["en"] and len(set(statement.values())) == len(set(agreement.values())) == 4
    for line in statement["nl"].splitlines()[:6]:
        assert not line or line in page.replace("\n", " ") or line in re.sub(r"<[^>]+>", "", page)
    assert (await owner.get("/agreement")).status == 200
    assert agreement["nl"].splitlines()[0] == "Verwerkersovereenkomst"


@pytest.mark.duty("S-01")
@pytest.mark.parametrize("language", CATALOGUES)
async def test_whoever_reads_the_agreement_reads_its_annex_too(server: Server, language: str) -> None:
    anybody, t = Browser(server, "nobody"), CATALOGUES[language].text
    assert 'href="/agreement/annex"' in (await anybody.get(f"/agreement?lang={language}")).html
    page = await anybody.get(f"/agreement/annex?lang={language}")
    said = unescape(page.html)
    assert page.status == 200 and 'href="/agreement"' in said
    for item in inventory().entry:
        if item.category == "appointment":
            assert t(f"privacy.data.item.{item.label}") in said, item.label
    for what, how in papers.annex(server.app[SETTINGS], t):
        assert what in said and how in said, what

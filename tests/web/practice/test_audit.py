"""The audit trail on its page: looked through, taken along, checked; and each of these entered."""

import csv
import io
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from practice.organisation.model import MemberRole
from tests.organisations import OPERATOR
from tests.signaling.conftest import PASSWORD, Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen
from vault.audit import SERVER, Act, Draft, Entry, TrailReport, operator, practitioner
from vault.audit.verify import Bad
from web.practice import extract

WHERE = "/practice/audit"


async def send(browser: Browser, form: str, **fields: str) -> Seen:
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": await browser.token(), **fields}))


async def trail(server: Server) -> list[Entry]:
    return [entry async for entry in server.store.audit.entries()]


def said(page: Seen) -> str:
    """What is in the list."""
    inside = page.html.partition('data-testid="trail"')[2].partition("</ol>")[0]
    return " ".join(Seen(200, {}, inside).elements.text.split())


@pytest.mark.duty("S-51")
async def test_a_look_shows_names_and_is_entered(server: Server, owner: Browser) -> None:
    bob = practitioner(server.bob.id)
    await server.store.audit.record(Act.ROLES_CHANGED, practitioner(server.alice.id), bob, "2")
    page = await owner.get(WHERE)
    assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
    assert "Rollen gewijzigd \N{EN DASH} 2 rollen door: Alice · over: Bob" in said(page)
    last = (await trail(server))[-1]
    assert (last.act, last.actor, last.subject, last.detail) == ("audit-read", "practitioner", None, "2")
    filtered = await owner.get(f"{WHERE}?person={server.bob.id}&act=&first=&last=")
    assert "Ingelogd" not in said(filtered) and "Rollen gewijzigd" in said(filtered)
    last = (await trail(server))[-1]
    assert last.subject_name == await server.store.audit.name(bob)
    assert (last.act, last.detail) == ("audit-read", "1")
    assert WHERE in (await owner.get("/account")).html
    assert f'href="{WHERE}?person={server.bob.id}"' in (await owner.get(f"/practice/people/{server.bob.id}")).html


async def test_it_is_looked_through_by_act_and_days(server: Server, owner: Browser) -> None:
    first = server.time.now().date()
    await server.store.audit.record(Act.BACKUP_MADE, operator())
    server.time.ahead += timedelta(days=1)
    assert (await server.sign_in("alice")).status == 200
    await server.store.audit.record(Act.KEYS_ROTATED, operator())
    day = f"{first + timedelta(days=1):%Y-%m-%d}"
    later = said(await owner.get(f"{WHERE}?first={day}"))
    assert "Sleutels vernieuwd" in later and "Reservekopie" not in later
    before = said(await owner.get(f"{WHERE}?last={first:%Y-%m-%d}"))
    assert "Sleutels vernieuwd" not in before and "Reservekopie gemaakt" in before
    only = await owner.get(f"{WHERE}?act=backup-made&first={first:%Y-%m-%d}&last={day}")
    assert said(only).count("door:") == 1
    assert only.field("first")["value"] == f"{first:%Y-%m-%d}"
    none = await owner.get(f"{WHERE}?first=2001-01-01&last=2001-01-02")
    assert none.status == 200 and "Niets gevonden." in none.elements.text


async def test_there_are_pages_of_fifty(server: Server, owner: Browser) -> None:
    await server.store.audit.record_all([Draft(Act.BACKUP_MADE, SERVER, detail=str(n)) for n in range(120)])
    path, pages = f"{WHERE}?act=backup-made", []
    while path:
        page = await owner.get(path)
        pages.append([one["value"] for tag, one in page.elements.elements if tag == "li" and "value" in one])
        path = next((one["href"] for _, one in page.elements.with_attribute("rel") if one["rel"] == "next"), "")
        assert ("Nieuwste" in page.elements.text) == (len(pages) > 1)
    assert [len(one) for one in pages] == [50, 50, 20]
    numbers = [int(number) for one in pages for number in one]
    assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == 120


@pytest.mark.parametrize(
    "query",
    [
        "act=nonsense",
        "first=yesterday",
        "first=9999-12-31",
        "last=0001-01-01",
        "before=-1",
        "before=1e9",
        "before=" + "9" * 30,
        "person=" + "A" * 500,
    ],
)
async def test_a_bad_question_shows_nothing_and_is_not_entered(server: Server, owner: Browser, query: str) -> None:
    before = await trail(server)
    page = await owner.get(f"{WHERE}?{query}")
    assert page.status == 400
    assert 'data-testid="trail"' not in page.html
    assert await trail(server) == before


@pytest.mark.parametrize("person", ["A" * 22, "%00", "' OR 1=1 --"])
async def test_nobody_of_that_name_is_nowhere(server: Server, owner: Browser, person: str) -> None:
    path = f"{WHERE}?{urlencode({'person': person})}"
    assert (await owner.get(path)).status == 404


async def test_the_table_has_names_and_what_the_check_found(server: Server, owner: Browser) -> None:
    await server.store.organisation.add_account(OPERATOR, "x@example.org", PASSWORD, '=1+1;"مريم"', "nl")
    x = await server.store.practitioners.id_by_mail(OPERATOR, "x@example.org")
    assert x is not None
    await server.store.audit.record(Act.ROLES_CHANGED, practitioner(server.alice.id), practitioner(x), "1")
    sent = await send(owner, "export", person=x, act="", first="", last="", format="csv")
    assert (sent.status, sent.headers["Content-Type"]) == (200, "text/csv")
    assert sent.headers["Content-Disposition"].endswith('.csv"') and sent.headers["Cache-Control"] == "no-store"
    about, row = csv.DictReader(io.StringIO(sent.html))
    assert (about["act"], about["number"], about["detail"][:6]) == ("audit-verified", "", "whole:")
    assert (row["act"], row["by"], row["by_name"], row["detail"]) == ("roles-changed", "practitioner", "Alice", "1")
    assert (row["act_said"], row["detail_said"]) == ("Rollen gewijzigd", "1 rol")
    assert row["on_name"] == '\'=1+1;"مريم"', "no formula"
    acts = [(entry.act, entry.detail) for entry in await trail(server)][-2:]
    assert acts == [("audit-verified", "whole"), ("audit-exported", "1")]


async def test_lines_of_json_say_the_same(server: Server, owner: Browser) -> None:
    await server.store.audit.record(Act.BACKUP_MADE, operator())
    sent = await send(owner, "export", person="", act="", first="", last="", format="jsonl")
    about, *rows = [json.loads(line) for line in sent.html.splitlines()]
    assert (about["format"], about["version"], about["whole"]) == ("spreekkamer-audit", 1, True)
    assert about["entries"] == len(rows) == about["trail"]["entries"]
    assert [row["act"] for row in rows] == ["signed-in", "backup-made"]
    assert [(row["act_said"], row["detail_said"]) for row in rows] == [("Ingelogd", ""), ("Reservekopie gemaakt", "")]
    assert (rows[0]["by_name"], rows[1]["by"], rows[1]["by_name"]) == ("Alice", "operator", None)


async def test_a_trail_that_is_not_whole_is_said_to_be(server: Server, owner: Browser) -> None:
    assert "Nog niet nagekeken." in (await owner.get(WHERE)).elements.text
    sent = await send(owner, "verify")
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=audit-verified")
    assert "Het was heel." in (await owner.get(sent.location)).elements.text
    async with server.store.database.write() as connection:
        for trigger in ("audit_keeps", "audit_stands"):
            await connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        await connection.exec_driver_sql("UPDATE audit SET detail = '9' WHERE number = 2")
    await send(owner, "verify")
    assert "Het was niet heel" in (await owner.get(WHERE)).elements.text
    sent = await send(owner, "export", format="jsonl")
    about = json.loads(sent.html.splitlines()[0])
    assert (about["whole"], about["trail"]["bad"]["number"]) == (False, 2)


async def test_too_much_at_once_asks_for_fewer_days(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("practice.organisation.oversight.MOST", 1)
    await server.store.audit.record(Act.BACKUP_MADE, operator())
    page = await send(owner, "export", act="", first="2020-01-01", format="csv")
    assert page.status == 413
    assert "Kies minder dagen." in page.elements.text
    assert [one["value"] for _, one in page.elements.with_attribute("name") if one["name"] == "first"][1:] == [
        "2020-01-01"
    ]
    assert "audit-exported" not in [entry.act for entry in await trail(server)]
    assert (await send(owner, "export", format="exe")).status == 422


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator"])
async def test_to_others_the_trail_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    before = await trail(server)
    assert (await owner.get(WHERE)).status == 404
    for form in ("export", "verify"):
        assert (await send(owner, form, format="csv")).status == 404
    assert await trail(server) == before
    await be(server, "auditor")
    assert (await owner.get(WHERE)).status == 200


def test_what_a_check_found_is_one_sentence_in_a_table() -> None:
    report = TrailReport(9, 1, 12, [(4, 3)], Bad(7, "It was changed."))
    text = extract.sentence(report)
    assert text == (
        "not whole: entry 7 is the first bad one. It was changed. "
        "3 entries from 4 on were lost when an older database was put back."
    )

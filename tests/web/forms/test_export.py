"""All of one's own as an archive: once, within a day, made while it is fetched."""

import asyncio
import csv
import io
import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from icalendar import Calendar

from practice.agenda.guests import Invitee
from practice.agenda.records import APPOINTMENTS
from practice.portability import fhir
from practice.portability.opened import NotTaken, directory, entry
from signaling.exports import EXPORTS
from tests.opening import of
from tests.signaling.conftest import PASSWORD, Server
from tests.web.forms.conftest import Browser
from tests.web.forms.taking import fetched, made_ready, password_in
from web.locale import CATALOGUES

t = CATALOGUES["nl"].text


@pytest.mark.duty("S-46")
async def test_the_archive_has_all_of_ones_own_and_nothing_of_others(server: Server, alice: Browser) -> None:
    kept, gone = await server.appoint(server.alice, 0, "Charlie"), await server.appoint(server.alice, 60, "Delta")
    await server.appoint(server.bob, 0, "Echo")
    await server.store.sentences.say(of(server.alice.id), "nl", "Ik kom zo.")
    await server.store.sentences.say(of(server.bob.id), "nl", "Later.")
    receipt = await server.store.retention.destroy(of(server.alice.id), gone.id, APPOINTMENTS)
    await alice.get("/account/data")
    page = await made_ready(alice)
    sent = await fetched(alice, page)
    assert (sent.status, sent.headers["Content-Type"]) == (200, "application/zip")
    assert re.fullmatch(r'attachment; filename="spreekkamer-[0-9-]{10}.zip"', sent.headers["Content-Disposition"])
    assert (sent.headers["Cache-Control"], "Content-Encoding" in sent.headers) == ("no-store", False)
    plain = {name: entry(sent.body, name.decode(), password_in(page)) for name in directory(sent.body)}
    found = json.loads(plain[b"account.json"])
    assert (found["format"], found["version"]) == ("spreekkamer-account", 2)
    assert found["account"] == {
        "mail": "alice@example.org", "display_name": "Alice", "language": "nl", "retention": "30d"
    }  # fmt: skip
    assert len(found["sessions"]) == 1
    (appointment,) = found["records"]["appointments"]
    assert (appointment["patient"], appointment["starts_at"]) == ("Charlie", kept.starts_at.isoformat())
    assert found["records"]["sentences"] == [{"language": "nl", "text": "Ik kom zo."}]
    assert [one["receipt"] for one in found["receipts"]] == [receipt.receipt]
    assert (found["roles"], found["apps"]) == (["practitioner"], 0)
    assert {(one["by"], one["on"]) for one in found["trail"]} == {("self", None), ("self", "receipt")}
    assert {one["act"] for one in found["trail"]} >= {"signed-in", "destroyed", "data-read"}
    for text in plain.values():
        for others in ("Delta", "Echo", "Later.", "bob@", kept.secret, PASSWORD, password_in(page)):
            assert others.encode() not in text
    assert b"Charlie" not in sent.body and b"alice" not in sent.body
    assert [entry.act async for entry in server.store.audit.entries()][-1] == "data-exported"


@pytest.mark.duty("S-46")
async def test_what_is_destroyed_between_ready_and_fetched_is_not_in_it(server: Server, alice: Browser) -> None:
    planned = [await server.appoint(server.alice, number, f"Patient{number:02}") for number in range(6)]
    page = await made_ready(alice)
    for one in planned[::2]:
        await server.store.retention.destroy(of(server.alice.id), one.id)
    body = (await fetched(alice, page)).body
    found = json.loads(entry(body, "account.json", password_in(page)))["records"]["appointments"]
    assert {one["patient"] for one in found} == {"Patient01", "Patient03", "Patient05"}
    for name in ("appointments.csv", "appointments.ics", "fhir.json"):
        text = entry(body, name, password_in(page)).decode()
        assert set(re.findall(r"Patient\d\d", text)) == {"Patient01", "Patient03", "Patient05"}, name


async def test_what_is_past_due_is_not_in_it_before_the_sweep_came_by(server: Server, alice: Browser) -> None:
    scope = of(server.alice.id)
    one = await server.appoint(server.alice, -10, "Charlie")
    await server.store.practitioners.set_retention(scope, "end")
    page = await made_ready(alice)
    await server.store.appointments.end(scope, one.id)
    assert await server.store.exports.number(scope, APPOINTMENTS) == 1
    found = json.loads(entry((await fetched(alice, page)).body, "account.json", password_in(page)))
    assert found["records"]["appointments"] == []


async def test_it_is_fetched_once_and_within_a_day(server: Server, alice: Browser) -> None:
    page = await made_ready(alice)
    assert (await fetched(alice, page)).status == 200
    again = await fetched(alice, page)
    assert again.status == 404 and t("export.spent") in again.html
    assert t("export.state.fetched") in (await alice.get("/account/export")).html
    before, after = await made_ready(alice), await made_ready(alice)
    assert (await fetched(alice, before)).status == 404, "another takes its place"
    server.time.ahead += timedelta(hours=24, seconds=1)
    assert (await fetched(alice, after)).status in (303, 404)


async def test_of_two_that_fetch_at_once_one_gets_it(server: Server, alice: Browser) -> None:
    page = await made_ready(alice)
    both = await asyncio.gather(fetched(alice, page), fetched(alice, page))
    assert sorted(one.status for one in both) == [200, 404]


async def test_what_was_withdrawn_is_fetched_by_nobody(server: Server, alice: Browser) -> None:
    page = await made_ready(alice)
    assert t("export.state.ready") in (await alice.get("/account/export")).html
    gone = await alice.send("/account/export/withdraw", f"form_token={await alice.token()}&way=own")
    assert gone.location == "/account/export?done=export-withdrawn"
    assert (await fetched(alice, page)).status == 404


async def test_nobody_else_fetches_it(server: Server, alice: Browser) -> None:
    page = await made_ready(alice)
    await server.sign_in("bob")
    bob = Browser(server, "bob")
    taken = await bob.send(
        "/account/export/fetch", f"form_token={await bob.token()}&token={page.hidden('token')}"
    )  # fmt: skip
    assert taken.status == 404
    assert (await fetched(alice, page)).status == 200, "and it is not used up by that"


async def test_without_the_password_nothing_is_ready(server: Server, alice: Browser) -> None:
    page = await made_ready(alice, "something else")
    assert (page.status, page.headers["Content-Type"].partition(";")[0]) == (403, "text/html")
    assert page.described("password") == "Dit is niet uw wachtwoord."
    assert await server.app[EXPORTS].of(server.alice.id, "own") is None


async def test_who_goes_away_halfway_is_told_that_it_broke_off(
    server: Server, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.appoint(server.alice, 0, "Charlie")
    page = await made_ready(alice)

    def broken(*_: object) -> list[fhir.Resource]:
        raise ValueError("app-1")

    monkeypatch.setattr(fhir, "of", broken)
    with pytest.raises(Exception, match=r"(?i)payload|closed|reset|transfer"):
        await fetched(alice, page)
    seen = await alice.get("/account/export")
    assert t("export.state.broken") in seen.html


async def test_the_tables_the_calendar_and_the_bundle_say_the_same(server: Server, alice: Browser) -> None:
    one = await server.appoint(server.alice, 5, '=HYPERLINK("http://evil";"x"); Jan, "de\nVries"'.replace("\n", " "))
    await server.store.guests.add(of(server.alice.id), one.id, Invitee("Maria", "guardian", "nl"))
    page = await made_ready(alice)
    body, password = (await fetched(alice, page)).body, password_in(page)
    (line,) = csv.DictReader(io.StringIO(entry(body, "appointments.csv", password).decode("utf-8-sig")))
    assert line["patient"] == "'" + one.patient and line["starts_at"] == one.starts_at.isoformat()
    (event,) = Calendar.from_ical(entry(body, "appointments.ics", password)).walk("VEVENT")
    assert event["summary"] == one.patient and event.decoded("dtstart") == one.starts_at.replace(microsecond=0)
    bundle = json.loads(entry(body, "fhir.json", password))
    known = {each["fullUrl"] for each in bundle["entry"]}
    assert (bundle["resourceType"], bundle["type"], len(known)) == ("Bundle", "collection", 4)
    assert fhir.INSTANT.fullmatch(bundle["timestamp"])
    resources = {each["resource"]["resourceType"]: each["resource"] for each in bundle["entry"]}
    assert not [found for each in resources.values() for found in fhir.wrong(each, known)]
    planned = resources["Appointment"]
    assert (planned["status"], len(planned["participant"]), planned["minutesDuration"]) == ("booked", 3, 30)
    assert resources["Patient"]["name"] == [{"text": one.patient}]


@pytest.mark.parametrize("program", ["7z", "bsdtar"])
async def test_other_programs_open_it(server: Server, alice: Browser, tmp_path: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    await server.appoint(server.alice, 0, "Charlie")
    page = await made_ready(alice)
    file, password = tmp_path / "taken.zip", password_in(page)
    file.write_bytes((await fetched(alice, page)).body)

    def run(given: str) -> subprocess.CompletedProcess[bytes]:
        passed = {
            "7z": ["7z", "e", "-so", f"-p{given}", str(file), "account.json"],
            "bsdtar": ["bsdtar", "--passphrase", given, "-xOf", str(file), "account.json"],
        }
        return subprocess.run(passed[program], check=False, capture_output=True, timeout=60)

    right, wrong = await asyncio.to_thread(run, password), await asyncio.to_thread(run, "aaaaa-aaaaa")
    assert json.loads(right.stdout)["records"]["appointments"][0]["patient"] == "Charlie"
    assert wrong.returncode != 0 and b"Charlie" not in wrong.stdout
    with pytest.raises(NotTaken, match="password"):
        entry(await asyncio.to_thread(file.read_bytes), "account.json", "aaaaa-aaaaa")

"""An archive of ours, taken back: all of it or nothing, and one clear answer for each that is not taken."""

import asyncio
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest

from practice.agenda.ages import Age
from practice.agenda.consenting import PATIENT_SEAT, Current, mark, missing
from practice.agenda.guests import Invitee
from practice.agenda.model import Consent
from practice.portability.archive import Archive, whole
from practice.portability.opened import MOST, NotTaken, entry
from practice.presets.model import Preset
from tests.opening import of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import BOUNDARY, DISPOSITION, Browser, Seen
from tests.web.forms.taking import fetched, made_ready, password_in
from web.locale import CATALOGUES

SECRET = "abcde-abcde-abcde-abcde-abcde"
AT = datetime(2026, 11, 30, tzinfo=UTC)
t = CATALOGUES["nl"].text


async def take_in(browser: Browser, archive: bytes, secret: str = SECRET) -> Seen:
    fields = {"form_token": await browser.token(), "secret": secret}
    parts = [f'{DISPOSITION}; name="{one}"\r\n\r\n{value}'.encode() for one, value in fields.items()]
    parts.append(f'{DISPOSITION}; name="archive"; filename="a.zip"\r\n\r\n'.encode() + archive)
    body = b"".join(b"--" + BOUNDARY + b"\r\n" + one + b"\r\n" for one in parts) + b"--" + BOUNDARY + b"--\r\n"
    return await browser.send(
        "/account/import", body, **{"Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
    )


async def records(browser: Browser) -> dict[str, Any]:
    """As the account takes them along now."""
    page = await made_ready(browser)
    found = json.loads(entry((await fetched(browser, page)).body, "account.json", password_in(page)))
    return {name: sorted(map(json.dumps, found["records"][name])) for name in ("appointments", "sentences", "presets")}


@pytest.fixture
async def bob(server: Server) -> Browser:
    await server.sign_in("bob")
    return Browser(server, "bob")


@pytest.mark.duty("S-46")
async def test_what_was_taken_along_and_taken_back_is_the_same(server: Server, alice: Browser, bob: Browser) -> None:
    store, scope = server.store, of(server.alice.id)
    store.outbox.ways = frozenset({"mail"})
    begins = server.time.now() + timedelta(minutes=30)
    age = Age("12-15", begins.date() + timedelta(days=9))
    one = await store.appointments.create(
        scope, "Jan 'de =Vries", begins, 30, "nl", mail="jan@elsewhere.example", code=True, age=age
    )
    await store.guests.add(scope, one.id, Invitee("Maria", "guardian", "fr"))
    held = await server.appoint(server.alice, -10, "Charlie")
    await store.appointments.attend(scope, held.id, "held")
    await store.appointments.end(scope, held.id)
    await store.sentences.say(scope, "nl", "Ik kom zo.")
    await store.presets.add(scope, Preset("Intake", 45, "nl"), 0)
    page = await made_ready(alice)
    sent = (await fetched(alice, page)).body
    assert (await records(bob))["appointments"] == []
    done = await take_in(bob, sent, password_in(page))
    assert done.status == 200 and t("import.done.text", n=2) in done.html
    assert await records(bob) == await records(alice)
    theirs = (await store.exports.all_of(of(server.bob.id)))[0].by_id
    assert not {one.id, held.id} & set(theirs)
    taken = [await store.appointments.get(of(server.bob.id), row) for row in theirs]
    secrets = {each.secret for each in taken}
    assert len(secrets) == 2 and not {one.secret, held.secret} & secrets
    assert await store.outbox.of([one]) and not await store.outbox.of(taken), "nobody is told of what was taken back"
    acts = [(each.act, each.detail) async for each in store.audit.entries()]
    assert ("data-imported", "2") in acts


@pytest.mark.duty("S-16")
@pytest.mark.duty("S-44")
async def test_what_is_taken_back_waits_for_consent_and_for_a_guardian(
    server: Server, alice: Browser, bob: Browser
) -> None:
    store, his = server.store, of(server.bob.id)
    await store.consents.ask(his, ["video"], 0)
    begins = server.time.now() + timedelta(minutes=30)
    await store.appointments.create(of(server.alice.id), "Charlie", begins, 30, "nl")
    age = Age("12-15", begins.date() + timedelta(days=9))
    child = await store.appointments.create(of(server.alice.id), "Dana", begins, 30, "nl", age=age)
    await store.consents.lift(of(server.alice.id), child.id, "emergency", "nobody at home")
    page = await made_ready(alice)
    await take_in(bob, (await fetched(alice, page)).body, password_in(page))
    theirs = (await store.exports.all_of(his))[0].by_id
    taken = {one.patient: one for one in [await store.appointments.get(his, row) for row in theirs]}
    counted: Current = {"video": ["1"], "child": ["1"]}
    assert missing(taken["Charlie"], PATIENT_SEAT, counted) == "consent_needed"
    assert (taken["Dana"].age, taken["Dana"].lifted) == (age, None)
    agreed = replace(
        taken["Dana"], consents=(Consent("video", "1", "nl", PATIENT_SEAT, mark(taken["Dana"].secret), AT),)
    )
    assert missing(agreed, PATIENT_SEAT, counted) == "guardian_needed"


def account(**changed: Any) -> dict[str, Any]:
    planned = {
        "patient": "Charlie", "starts_at": "2026-12-24T10:00:00+01:00", "minutes": 30, "language": "nl",
        "state": "planned", "ended_at": None,
    }  # fmt: skip
    return {
        "format": "spreekkamer-account", "version": 2,
        "records": {"appointments": [planned, planned | changed]},
    }  # fmt: skip


def archived(content: Any) -> bytes:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return b"".join(whole(SECRET, {"account.json": data}, AT))


def bomb() -> bytes:
    """Says that it is 100 bytes long, and is 100 MB."""
    archive = Archive(SECRET)
    made = [archive.begin("account.json", AT), archive.add(bytes(100_000_000))]
    archive._entry.plain = 100
    return b"".join([*made, archive.end(), archive.close()])


def by_another_program() -> bytes:
    into = BytesIO()
    with zipfile.ZipFile(into, "w") as made:
        made.writestr("account.json", json.dumps(account()))
    return into.getvalue()


NOT_TAKEN = {
    "no archive": (b"PK", "archive_foreign"),
    "of another program": (by_another_program(), "archive_foreign"),
    "an archive without an account": (b"".join(whole(SECRET, {"other.json": b"{}"}, AT)), "archive_foreign"),
    "another format": (archived({"format": "another", "version": 2}), "archive_foreign"),
    "an older format": (archived(account() | {"version": 1}), "archive_foreign"),
    "of a newer version": (archived(account() | {"version": 3}), "archive_newer"),
    "cut short": (archived(account())[:-40], "archive_cut"),
    "changed by one bit": (bytes([*archived(account())[:120], archived(account())[120] ^ 1]) + b"", "archive_cut"),
    "a bomb": (bomb(), "archive_large"),
    "no JSON": (archived(b"{"), "archive_content"),
    "nested without end": (archived(b"[" * 200_000), "archive_content"),
    "no records": (archived({"format": "spreekkamer-account", "version": 2, "records": []}), "archive_content"),
    "no list of appointments": (
        archived({"format": "spreekkamer-account", "version": 2, "records": {"appointments": 5}}),
        "archive_content",
    ),
    "a nameless patient": (archived(account(patient=" ")), "archive_content"),
    "a time without a zone": (archived(account(starts_at="2026-12-24T10:00:00")), "archive_content"),
    "a day that is none": (archived(account(starts_at="2026-02-30T10:00:00+01:00")), "archive_content"),
    "too far ahead": (archived(account(starts_at="2036-02-01T10:00:00+01:00")), "archive_content"),
    "ended without an end": (archived(account(state="ended")), "archive_content"),
    "a language that is none": (archived(account(language="xx")), "archive_content"),
    "a mail address that is none": (archived(account(contact={"mail": "a@b@c", "phone": None})), "archive_content"),
    "ended in the time to come": (archived(account(state="ended", ended_at="2100-01-01T10:00:00Z")), "archive_content"),
    "before there were any": (archived(account(starts_at="0001-01-01T00:00:00+14:00")), "archive_content"),
    "a band that is none": (archived(account(band="old")), "archive_content"),
    "a birthday that decides nothing": (archived(account(sixteen="2026-12-20")), "archive_content"),
    "a birthday long after": (archived(account(band="12-15", sixteen="2028-12-20")), "archive_content"),
    "a code that goes nowhere": (archived(account(code=True)), "archive_content"),
}


@pytest.mark.parametrize("what", NOT_TAKEN)
async def test_what_is_not_taken_is_said_in_one_sentence_and_leaves_nothing(
    server: Server, alice: Browser, what: str
) -> None:
    archive, problem = NOT_TAKEN[what]
    keys = await server.store.keys._run(lambda keys: keys._db.execute("SELECT count(*) FROM data_keys").fetchone())
    answer = await take_in(alice, archive)
    assert answer.status == 422 and t(f"form.problem.{problem}") in answer.described("archive")
    assert (await records(alice))["appointments"] == []
    after = await server.store.keys._run(lambda keys: keys._db.execute("SELECT count(*) FROM data_keys").fetchone())
    assert after == keys


async def test_another_password_and_a_file_that_is_too_large(server: Server, alice: Browser) -> None:
    wrong = await take_in(alice, archived(account()), "bbbbb-bbbbb-bbbbb-bbbbb-bbbbb")
    assert t("form.problem.archive_password") in wrong.described("secret")
    assert "bbbbb" not in wrong.html
    with pytest.raises(NotTaken, match="large"):
        entry(b"PK\x03\x04" + bytes(MOST), "account.json", SECRET)


async def test_the_same_archive_is_taken_once_a_day(server: Server, alice: Browser, bob: Browser) -> None:
    archive, other = archived(account()), archived(account())
    both = await asyncio.gather(take_in(alice, archive), take_in(alice, archive))
    assert sorted(one.status for one in both) == [200, 429]
    again = await take_in(alice, archive)
    assert t("form.problem.archive_again") in again.described("archive")
    assert len((await records(alice))["appointments"]) == 2
    assert [(await take_in(alice, other)).status, (await take_in(bob, archive)).status] == [200, 200]
    server.time.ahead += timedelta(days=1, seconds=1)
    await server.sign_in("alice")
    assert (await take_in(Browser(server, "alice"), archive)).status == 200


async def test_with_the_disk_full_nothing_is_taken_and_nothing_is_ready(server: Server, alice: Browser) -> None:
    server.store.reserve.low = True
    full = archived(account())
    assert t("error.try_again") in (await take_in(alice, full)).html
    assert t("error.try_again") in (await made_ready(alice)).html
    server.store.reserve.low = False
    assert (await records(alice))["appointments"] == []
    assert (await take_in(alice, full)).status == 200, "the one that was not taken is taken now"

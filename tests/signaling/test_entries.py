"""What people and operators do leaves an entry in the audit trail, before the answer leaves."""

import asyncio
import io
import json
import sqlite3
from pathlib import Path

import pytest

from signaling.routes import ENDPOINTS
from signaling.typedefs import STORE
from spreekkamer import Settings, parser
from tests.signaling.conftest import PASSWORD, Server
from vault.audit import appointment, practitioner
from vault.errors import StartRefused
from vault.settings import VaultSettings

PLAN = {"patient": "Jan", "starts_at": "2027-03-01T09:00:00+01:00", "minutes": 30, "language": "nl"}

TOUCH_NOTHING = {
    "GET /api/v1/me": "the account's own name, for its own page",
    "POST /api/v1/desk/ticket": "a token, nothing stored",
    "GET /api/v1/served": "for whom somebody works, for their own page",
    "GET /api/v1/presets": "what somebody plans often, for their own page, of nobody else",
    "GET /api/v1/push": "a public key, the same for everybody",
    "POST /api/v1/push/renewal": "that a browser is still one's own, asked by it at each visit of the desk",
    "GET /api/v1/retention": "a number, nobody's name",
    "GET /api/v1/errors": "the same for everybody",
    "POST /api/v1/tokens/refresh": "tokens, nothing stored; a second use is entered where it is noticed",
    "POST /api/v1/tokens/revoke": "nothing stored",
    "POST /api/v1/sign-in/passkey/options": "a challenge, the same for everybody",
}
ENTERED_BY_STORAGE = {
    "POST /api/v1/account/destroy-all",
    "POST /api/v1/account/close",
    "DELETE /api/v1/appointments/{appointment}",
    "DELETE /api/v1/sentences/{sentence}",
}
ENTERED_BY_THEMSELVES = {
    "POST /api/v1/sign-out",
    "POST /api/v1/sign-in/set-up",
    "POST /api/v1/join",
    *("POST /api/v1/join/appointment", "POST /api/v1/join/wish", "POST /api/v1/join/calendar"),
    *("POST /api/v1/join/code", "POST /api/v1/join/pass"),
    "POST /api/v1/join/sentence",
    "POST /api/v1/join/photograph",
    *(f"POST /api/v1/join/consents{one}" for one in ("", "/give", "/withdraw")),
}


async def acts(server: Server) -> list[tuple[str, str, str | None]]:
    return [(entry.act, entry.actor, entry.detail) async for entry in server.store.audit.entries()]


@pytest.mark.duty("S-51")
def test_every_route_that_touches_stored_data_has_its_entry() -> None:
    without = {f"{one.method} {one.path}" for one in ENDPOINTS if one.entered is None}
    assert without == TOUCH_NOTHING.keys() | ENTERED_BY_STORAGE | ENTERED_BY_THEMSELVES


@pytest.mark.duty("S-51")
async def test_a_day_at_the_desk_is_entered(server: Server) -> None:
    await server.sign_in("alice")
    made = (await server.call("POST", "/api/v1/appointments", PLAN, who="alice")).body
    one = f"/api/v1/appointments/{made['appointment']}"
    await server.call("GET", one, who="alice")
    await server.call("GET", "/api/v1/appointments?first=2027-03-01&last=2027-03-01", who="alice")
    await server.call("POST", "/api/v1/join", {"link": made["link"].partition("#")[2]})
    name = await server.store.audit.name(appointment(server.alice.id, made["appointment"]))
    await server.call("PUT", "/api/v1/retention", {"retention": "7d"}, who="alice")
    await server.call("POST", f"{one}/end", who="alice")
    destroyed = (await server.call("DELETE", one, who="alice")).body
    await server.call("DELETE", one, who="alice")
    await server.call("GET", "/api/v1/receipts", who="alice")
    await server.call("POST", "/api/v1/sign-out", who="alice")
    assert await acts(server) == [
        ("signed-in", "practitioner", None),
        ("appointment-created", "practitioner", None),
        ("appointment-read", "practitioner", None),
        ("appointments-listed", "practitioner", "1"),
        ("link-opened", "patient", None),
        ("retention-changed", "practitioner", "7d"),
        ("appointment-ended", "practitioner", None),
        ("destroyed", "practitioner", None),
        ("receipts-read", "practitioner", "1"),
        ("signed-out", "practitioner", None),
    ]
    entries = [entry async for entry in server.store.audit.entries()]
    alice = await server.store.audit.name(practitioner(server.alice.id))
    assert {entry.actor_name for entry in entries} == {alice, None}
    assert [entry.number for entry in entries if entry.subject_name == name] == [2, 3, 5, 7]
    assert [entry.number for entry in entries if entry.subject_name == destroyed["receipt"]] == [8]


async def test_what_was_refused_touched_nothing_and_is_not_entered(server: Server) -> None:
    await server.call("POST", "/api/v1/sign-in", {"mail": "alice@example.org", "password": "wrong password"})
    await server.call("POST", "/api/v1/join", {"link": "A" * 44})
    await server.call("GET", "/api/v1/appointments")
    await server.sign_in("bob")
    await server.call("GET", f"/api/v1/appointments/{'A' * 22}", who="bob")
    assert await acts(server) == [("signed-in", "practitioner", None)]


async def test_nothing_is_answered_that_could_not_be_entered(server: Server) -> None:
    await server.sign_in("alice")
    made = (await server.call("POST", "/api/v1/appointments", PLAN, who="alice")).body
    async with server.app[STORE].database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE audit RENAME TO away")
    answer = await server.call("GET", f"/api/v1/appointments/{made['appointment']}", who="alice")
    assert (answer.status, answer.code) == (503, "try_again")
    assert "Jan" not in str(answer.body)


def command(data: Path, *words: str) -> str:
    """What a command of the operator prints."""
    arguments = parser().parse_args(words)
    said: str = asyncio.run(arguments.operate(Settings(rooms=VaultSettings(data=data)), arguments))
    return said


def shown(data: Path, *words: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in command(data, "audit", "show", "--json", *words).splitlines()]


@pytest.mark.duty("S-51")
def test_what_an_operator_does_is_entered_and_reading_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    command(data, "practitioner", "add", "eve@example.org", "--name", "Eve")
    command(data, "backup", str(tmp_path / "backups"))
    command(data, "keys", "rotate")
    command(data, "keys", "verify")
    command(data, "retention", "resume")
    first = shown(data)
    acts = ["account-added", "backup-made", "keys-rotated", "keys-verified", "clock-confirmed"]
    assert [line["act"] for line in first] == acts
    assert {line["actor"] for line in first} == {"operator"}
    assert len({line["actor_name"] for line in first}) == 1
    again = shown(data, "--act", "audit-read")
    assert [line["detail"] for line in again] == ["5"]
    assert [line["act"] for line in shown(data, "--practitioner", "eve@example.org")] == ["account-added"]
    assert "eve@example.org" not in command(data, "audit", "show")
    assert "No entries." in command(data, "audit", "show", "--day", "2001-01-01")
    assert "10 entries, 1 to 10" in command(data, "audit", "verify")
    command(data, "practitioner", "close", "eve@example.org", "--yes")
    assert [line["act"] for line in shown(data)][-2:] == ["audit-verified", "closure-asked"]


def test_a_restored_backup_leaves_a_gap_that_the_trail_names(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command(data, "audit", "verify")
    command(data, "backup", str(tmp_path / "backups"))
    for _ in range(3):
        command(data, "audit", "verify")
    command(data, "restore", str(tmp_path / "backups"), "--replace")
    said = command(data, "audit", "verify")
    assert "The audit trail is whole" in said
    assert "4 entries from 2 on were lost" in said
    assert [line["act"] for line in shown(data)][-3:] == ["audit-lost", "backup-restored", "audit-verified"]


def test_verify_names_the_first_bad_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for _ in range(3):
        command(data, "audit", "verify")
    connection = sqlite3.connect(data / "database" / "rooms.sqlite")
    with connection:
        connection.execute("DROP TRIGGER audit_stands")
        connection.execute("UPDATE audit SET detail = 'bad' WHERE number = 2")
    connection.close()
    with pytest.raises(StartRefused) as refused:
        command(data, "audit", "verify")
    assert str(refused.value) == "The first bad line of the audit trail is entry 2. It was changed."

"""The data inventory is what is there: whoever stores something new without saying so breaks the build (S-04)."""

import ast
import asyncio
import json
import re
import sqlite3
from pathlib import Path

import pytest

from operate import founding, process, tls
from operate.commands.inventory import show
from practice.accounts.records import MAIL_CHANGE, PROFILE, mail_changes, practitioners
from practice.invitations.records import LAYOUT, dispatches
from practice.kinds import KINDS
from practice.organisation.records import ORGANISATION, organisations, registrations
from practice.registrations.records import REGISTRATION
from signaling import logs
from signaling.settings import SignalingSettings
from spreekkamer import Settings, parser
from tests.opening import of, open_store
from tests.ours import FOLDERS, ROOT
from vault.database.tables import metadata
from vault.inventory import Inventory, inventory
from vault.settings import VaultSettings
from web.storage import KEPT

WRITTEN_BESIDE_THE_FIELDS = {"time", "level", "logger", "message", "place", "error", "traceback", "hidden_fields"}
PATTERNS = {"sk:*", "sk:media:*"}
"""What is looked through or allowed, not made."""
CHANNELS = {"sk:socket.io:", "sk:socket.io:x"}
"""Published, never stored."""


@pytest.fixture
def known() -> Inventory:
    return inventory()


@pytest.mark.duty("S-27")
def test_everything_has_one_class_and_no_name_stands_twice(known: Inventory) -> None:
    names = [(place, name) for entry in known.entry for place, name in entry.names()]
    assert len(names) == len(set(names))
    assert len({entry.label for entry in known.entry}) == len(known.entry)
    for entry in known.entry:
        assert (entry.category == "nobody") == (entry.basis == "none"), entry.label
        assert list(entry.names()), entry.label


@pytest.mark.duty("S-04")
async def test_every_column_of_the_key_store_is_in_it(tmp_path: Path, known: Inventory) -> None:
    rooms = VaultSettings(data=tmp_path)
    async with open_store(rooms):
        pass

    def columns() -> set[str]:
        connection = sqlite3.connect(tmp_path / "keys" / "keystore.sqlite")
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {f"{table}.{row[1]}" for table in tables for row in connection.execute(f"PRAGMA table_info({table})")}
        connection.close()
        return found

    assert await asyncio.to_thread(columns) == set(known.names("keystore"))


@pytest.mark.duty("S-04")
def test_every_field_of_what_is_sealed_is_in_it(known: Inventory) -> None:
    columns = [(kind.table.c.content, kind.layout) for kind in KINDS] + [
        (practitioners.c.profile, PROFILE),
        (organisations.c.content, ORGANISATION),
        (mail_changes.c.content, MAIL_CHANGE),
        (registrations.c.content, REGISTRATION),
        (dispatches.c.content, LAYOUT),
    ]
    found = {f"{column}.{field}" for column, layout in columns for field in layout.fields | layout.optional}
    assert found == set(known.names("content"))
    assert {str(column) for column, _ in columns} == {name.rpartition(".")[0] for name in known.names("content")}
    for entry in known.entry:
        assert not entry.content or entry.encrypted, entry.label


@pytest.mark.duty("S-04")
async def test_what_is_encrypted_is_a_column_of_bytes(known: Inventory) -> None:
    columns = {f"{table.name}.{column.name}": column for table in metadata.sorted_tables for column in table.columns}
    for entry in known.entry:
        for name in entry.database if entry.encrypted else ():
            assert str(columns[name].type) in ("BLOB", "BYTEA"), name


@pytest.mark.duty("S-04")
def test_every_key_that_the_code_can_make_is_in_it(known: Inventory) -> None:
    found = set()
    for folder in set(FOLDERS) - {"web"}:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                text = pattern(node)
                if text.startswith("sk:") and " " not in text:
                    found.add(text)
    used = {text for text in found if not known.knows("redis", text) and not known.knows("redis", f"{text}*")}
    assert used - CHANNELS - PATTERNS == set()


def pattern(node: ast.AST) -> str:
    """A literal, or a formatted one with ``x`` for its variable parts."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.mark.duty("S-04")
async def test_every_file_of_a_data_folder_is_in_it(tmp_path: Path, known: Inventory) -> None:
    rooms = VaultSettings(data=tmp_path / "data", trust_clock=True)
    async with open_store(rooms) as opened:
        person = await opened.practitioners.add("a@example.org", "correct horse battery", "A", "nl")
        now = opened.practitioners._now()
        planned = await opened.appointments.create(of(person.id), "Jan", now, 30, "nl")
        await opened.retention.destroy(of(person.id), planned.id)
        await opened.retention.sweep()
        process.shared_secret(SignalingSettings(), rooms.data)
        await asyncio.to_thread(founding.write, rooms.data / founding.FILE, "https://localhost:1/first/secret")
        await asyncio.to_thread(tls.self_signed, rooms.data, "https://localhost:1", now)
        during = files(rooms.data)
    for name in during | files(rooms.data):
        assert known.knows("files", name), name
    for pattern_ in known.names("files"):
        if not pattern_.startswith(("backups", "keys/*.lock", "rescued-")):
            assert any(Path(name).match(pattern_) for name in during), pattern_


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.duty("S-04")
def test_every_field_of_a_log_line_is_in_it(known: Inventory) -> None:
    assert set(known.names("log")) == set(logs.FIELDS) | WRITTEN_BESIDE_THE_FIELDS
    source = (ROOT / "signaling" / "logs.py").read_text()
    assert set(re.findall(r'line\["(\w+)"\]', source)) | {"time", "level", "logger"} == WRITTEN_BESIDE_THE_FIELDS


@pytest.mark.duty("S-37")
def test_what_a_browser_keeps_is_in_it(known: Inventory) -> None:
    assert set(known.names("browser")) == {kept.name for kept in KEPT}


def test_the_command_prints_every_row(known: Inventory) -> None:
    arguments = parser().parse_args(["inventory", "--json"])
    rows = json.loads(asyncio.run(show(Settings(), arguments)))
    assert len(rows) == sum(len(list(entry.names())) for entry in known.entry)
    assert {"place": "database", "name": "appointments.content", "category": "appointment"}.items() <= rows_by_name(
        rows
    )
    arguments = parser().parse_args(["inventory"])
    table = asyncio.run(show(Settings(), arguments)).splitlines()
    assert table[0].split() == ["place", "name", "category", "purpose", "basis", "retention", "form", "encrypted"]
    assert len(table) == len(rows) + 1


def rows_by_name(rows: list[dict[str, str]]) -> "set[tuple[str, str]]":
    (row,) = [row for row in rows if row["name"] == "appointments.content"]
    return set(row.items())

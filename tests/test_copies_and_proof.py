"""`backup`, `restore` and `prove-destroyed` as an operator types them."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.opening import of, open_store
from vault.settings import VaultSettings

ROOT = Path(__file__).parents[1]


async def spreekkamer(data: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "spreekkamer", *arguments),
        cwd=ROOT,
        env={**os.environ, "SPREEKKAMER_ROOMS__DATA": str(data), "SPREEKKAMER_SIGNALING__LOG_LEVEL": "error"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode is not None
    return process.returncode, said


@pytest.mark.duty("S-31")
async def test_a_destroyed_appointment_is_proven_gone_and_a_planted_one_is_found(tmp_path: Path) -> None:
    data, backups = tmp_path / "data", tmp_path / "backups"
    start = datetime.now(UTC) + timedelta(hours=1)
    async with open_store(VaultSettings(data=data, trust_clock=True)) as store:
        await store.retention.catch_up()
        person = await store.practitioners.add("alice@example.org", "correct horse battery", "Alice", "nl")
        gone = await store.appointments.create(of(person.id), "Jan", start, 30, "nl")
        kept = await store.appointments.create(of(person.id), "Piet", start, 30, "nl")
    status, said = await spreekkamer(data, "backup", str(backups))
    assert (status, "2 appointments, " in said) == (0, True), said
    async with open_store(VaultSettings(data=data, trust_clock=True)) as store:
        receipt = (await store.retention.destroy(of(person.id), gone.id)).receipt
        await store.retention.sweep()

    proving, which = ("prove-destroyed", "--backups", str(backups)), ("--", receipt)
    status, said = await spreekkamer(data, *proving, *which)
    assert status == 0, said
    assert "1 ciphertexts of it" in said
    assert "NOT LOOKED AT" in said, "logs and exports were not named"
    status, said = await spreekkamer(data, "restore", str(backups))
    assert (status, "There is a database already" in said) == (1, True), said
    status, said = await spreekkamer(data, "restore", str(backups), "--replace")
    assert (status, "1 were destroyed since the backup" in said) == (0, True), said
    status, said = await spreekkamer(data, *proving, "--json", *which)
    assert status == 0, said
    assert json.loads(said)["destroyed"] is True

    (tmp_path / "log").write_text(f"something about {gone.id} here")
    status, said = await spreekkamer(data, *proving, "--logs", str(tmp_path / "log"), *which)
    assert status == 1
    assert "SOMETHING IS LEFT" in said
    status, said = await spreekkamer(data, "prove-destroyed", "no-receipt")
    assert (status, "no such receipt" in said) == (1, True), said
    async with open_store(VaultSettings(data=data, trust_clock=True)) as store:
        assert (await store.appointments.get(of(person.id), kept.id)).patient == "Piet"

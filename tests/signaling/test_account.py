"""Destroying everything and closing the account over REST: the password once more, then gone."""

import asyncio
from pathlib import Path

import pytest

from operate.commands import practitioner
from tests.opening import of
from tests.signaling.conftest import PASSWORD, Server
from vault.errors import StartRefused
from vault.records.scope import SERVER

WRONG = {"password": "not the password"}
RIGHT = {"password": PASSWORD}


@pytest.mark.parametrize("path", ["/api/v1/account/destroy-all", "/api/v1/account/close"])
async def test_without_the_password_nothing_happens(server: Server, path: str) -> None:
    await server.sign_in("alice")
    planned = await server.appoint(server.alice)
    assert (await server.call("POST", path, RIGHT)).code == "unauthenticated"
    assert (await server.call("POST", path, {}, who="alice")).code == "invalid"
    assert (await server.call("POST", path, WRONG, who="alice")).code == "sign_in_refused"
    assert await server.store.appointments.get(of(server.alice.id), planned.id) == planned


async def test_guessing_the_password_here_is_counted_like_signing_in(server: Server) -> None:
    await server.sign_in("alice")
    codes = [(await server.call("POST", "/api/v1/account/close", WRONG, who="alice")).code for _ in range(12)]
    assert codes[0] == "sign_in_refused"
    assert codes[-1] == "rate_limited"


@pytest.mark.duty("S-43")
async def test_all_appointments_go_and_the_account_stays(server: Server) -> None:
    await server.sign_in("alice")
    for _ in range(3):
        await server.appoint(server.alice)
    foreign = await server.appoint(server.bob)
    answer = await server.call("POST", "/api/v1/account/destroy-all", RIGHT, who="alice")
    assert answer.body == {"destroyed": 3, "waiting": 0}
    listed = await server.call("GET", "/api/v1/appointments", who="alice")
    assert listed.body == {"appointments": [], "unreadable": []}
    assert len((await server.call("GET", "/api/v1/receipts", who="alice")).body["receipts"]) == 3
    assert await server.store.appointments.get(of(server.bob.id), foreign.id) == foreign


@pytest.mark.duty("S-28", "S-43")
async def test_a_closed_account_has_a_receipt_and_no_way_in(server: Server) -> None:
    await server.sign_in("alice")
    await server.appoint(server.alice)
    answer = await server.call("POST", "/api/v1/account/close", RIGHT, who="alice")
    counts = (answer.body["waiting"], answer.body["receipt"]["generation"])
    assert counts == (0, 3), "the appointment, since when a second factor is asked for, and the account"
    assert answer.body["destroyed"] in (1, 2), "a sweep beside it may have been quicker with what was marked"
    assert (await server.call("GET", "/api/v1/me", who="alice")).code == "unauthenticated"
    assert (await server.sign_in("alice")).code == "sign_in_refused"
    assert (await server.sign_in("bob")).status == 200


async def test_the_operator_closes_an_account_beside_a_running_server(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import argparse
    from dataclasses import dataclass

    from practice.settings import PracticeSettings
    from signaling.settings import SignalingSettings
    from turn.settings import TurnSettings
    from vault.settings import VaultSettings
    from web.settings import WebSettings

    @dataclass
    class Settings:
        rooms: VaultSettings
        practice: PracticeSettings
        signaling: SignalingSettings
        web: WebSettings
        turn: TurnSettings

    data = VaultSettings(data=tmp_path / "data")
    settings = Settings(data, PracticeSettings(), SignalingSettings(), WebSettings(), TurnSettings())
    planned = await server.appoint(server.alice)
    monkeypatch.setattr("builtins.input", lambda _: "something else")
    asked = argparse.Namespace(mail="alice@example.org", yes=False)
    with pytest.raises(StartRefused, match="Nothing was closed"):
        await practitioner.close(settings, asked)
    with pytest.raises(StartRefused, match="no account"):
        await practitioner.close(settings, argparse.Namespace(mail="x@example.org", yes=True))
    monkeypatch.setattr("builtins.input", lambda _: "alice@example.org")
    assert (await practitioner.close(settings, asked)).startswith("Closed.")
    assert (await server.call("GET", "/api/v1/me", who="alice")).code == "unauthenticated"
    async with asyncio.timeout(30):
        while not await server.store.appointments.receipts(of(server.alice.id)):
            await server.store.retention.sweep()
    assert await server.store.practitioners.by_mail(SERVER, "alice@example.org") is None
    assert planned.owner == server.alice.id

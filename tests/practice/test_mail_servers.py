"""An organisation's own mail server: sealed, used for its mail alone, and no hindrance to anybody else's."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from practice.mail_servers.model import Access
from practice.mail_servers.records import mail_servers
from practice.notices.model import News
from practice.organisation.model import MemberRole
from practice.outgoing import Door
from practice.settings import PracticeSettings
from practice.storage import Store
from signaling import mailing
from tests.organisations import found, scope_of
from tests.people import Time, charlie
from tests.practice.outbox import invited, send
from tests.practice.posting import ORIGIN, postman, server, sqlite_store, store, tell
from tests.practice.test_invitations import practice
from tests.practice.test_organisation import joined, whole
from tests.servers.mail import PASSWORD, USER, MailServer, running
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings

__all__ = ["server", "sqlite_store", "store"]

OWN = "praktijk@maan.example"


def access(server: MailServer, **changes: Any) -> Access:
    made = Access("localhost", server.port, "starttls", USER, PASSWORD, OWN)
    return replace(made, **changes)


async def write(store: Store, who: Scope, one: Access, seen: int = 0) -> None:
    await store.mail_servers.write(who, one, seen, port_is_free=True)


async def test_mail_of_its_members_goes_by_it_and_that_of_others_does_not(store: Store, server: MailServer) -> None:
    owner, _ = await practice(store)
    mine = await scope_of(store, owner.id)
    other = await charlie(store)
    await found(store, other.id, ["owner"])
    await write(store, mine, access(server))
    for person in (owner, other):
        await tell(store, person)
    await postman(store, server).round()
    assert {one.recipient: one.sender for one in server.taken} == {
        "alice@example.org": OWN,
        "charlie@example.org": "praktijk@example.org",
    }
    await store.mail_servers.remove(mine, 1)
    await tell(store, owner)
    await postman(store, server).round()
    assert server.taken[-1].sender == "praktijk@example.org"


async def test_the_envelope_is_of_the_domain_that_readers_see(
    sqlite_store: Store, server: MailServer, time: Time
) -> None:
    """SPF counts for DMARC only where both are of one domain (RFC 7489, 3.1.2)."""
    owner, _ = await practice(sqlite_store)
    for sender in ("praktijk@example.org", OWN):
        if sender == OWN:
            await write(sqlite_store, await scope_of(sqlite_store, owner.id), access(server))
        server.taken.clear()
        await tell(sqlite_store, owner)
        await invited(sqlite_store, owner)
        await send(sqlite_store, server, time)
        await postman(sqlite_store, server).round()
        assert len(server.taken) == 2
        for one in server.taken:
            seen = one.message["From"].addresses[0].addr_spec
            assert (one.sender, seen) == (sender, sender)
            assert one.message["Message-ID"].endswith(f"@{sender.rpartition('@')[2]}>")


async def test_one_that_refuses_holds_up_nobody_elses(store: Store, server: MailServer, tmp_path: Path) -> None:
    owner, _ = await practice(store)
    other = await charlie(store)
    await found(store, other.id, ["owner"])
    (tmp_path / "down").mkdir()
    async with running(tmp_path / "down") as gone:
        pass
    await write(store, await scope_of(store, owner.id), access(server, host="127.0.0.1", port=gone.port))
    await tell(store, owner)
    await tell(store, other)
    settings = server.settings()
    both = PracticeSettings(mail=settings.mail, mail_hosts=["127.0.0.1"])
    sender = mailing.postman(store, mailing.mailers(store, both, Door.of(both)), ORIGIN, lambda: UTC)
    assert sender is not None
    await sender.round()
    assert [one.recipient for one in server.taken] == ["charlie@example.org"]
    assert sender.fates["later"] == 1


async def test_what_nobody_can_read_sends_by_the_operators(store: Store, server: MailServer) -> None:
    owner, _ = await practice(store)
    await write(store, await scope_of(store, owner.id), access(server))
    async with store.database.write() as connection:
        await connection.execute(update(mail_servers).values(content=b"x" * 64))
    await tell(store, owner)
    await postman(store, server).round()
    assert server.taken[0].sender == "praktijk@example.org"


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({}, None),
        ({"password": "wrong"}, "sign-in"),
        ({"user": "", "password": ""}, "sender"),
        ({"host": "mail.elsewhere.example"}, "forbidden"),
        ({"security": "tls"}, "greeting"),
    ],
)
async def test_a_try_says_at_which_step_it_ended(
    sqlite_store: Store, server: MailServer, changes: dict[str, str], step: str | None
) -> None:
    owner, _ = await practice(sqlite_store)
    mine = await scope_of(sqlite_store, owner.id)
    await write(sqlite_store, mine, access(server, **changes))
    assert mine.organisation is not None
    fault = await postman(sqlite_store, server).try_out(mine.organisation, News("mail-test", owner.mail, "nl"))
    assert (fault and fault.step) == step or (step == "greeting" and fault is not None and fault.step == "certificate")
    assert [one.sender for one in server.taken] == ([OWN] if step is None else [])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "a b"}, "host"),
        ({"sender": "no address"}, "sender"),
        ({"password": ""}, "password"),
        ({"security": "none"}, "security"),
    ],
)
async def test_bad_input_changes_nothing(
    sqlite_store: Store, server: MailServer, changes: dict[str, str], field: str
) -> None:
    owner, _ = await practice(sqlite_store)
    mine = await scope_of(sqlite_store, owner.id)
    with pytest.raises(DomainError, check=lambda error: (error.code, error.field) == ("invalid", field)):
        await write(sqlite_store, mine, access(server, **changes))
    with pytest.raises(DomainError, check=lambda error: error.field == "port"):
        await sqlite_store.mail_servers.write(mine, access(server, port=8080), 0, port_is_free=False)
    assert await sqlite_store.mail_servers.of(mine) is None


async def test_who_is_overtaken_after_they_looked_changes_nothing(
    sqlite_store: Store, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, _ = await practice(sqlite_store)
    mine = await scope_of(sqlite_store, owner.id)
    servers = sqlite_store.mail_servers
    real = servers._of

    async def overtaken(organisation: str) -> Any:
        found = await real(organisation)
        monkeypatch.setattr(servers, "_of", real)
        await write(sqlite_store, mine, access(server), found.version if found else 0)
        return found

    calls: list[Callable[[], Awaitable[None]]] = [
        lambda: write(sqlite_store, mine, access(server, sender="other@example.org")),
        lambda: write(sqlite_store, mine, access(server, sender="other@example.org"), 1),
        lambda: servers.remove(mine, 2),
    ]
    for call in calls:
        monkeypatch.setattr(servers, "_of", overtaken)
        with pytest.raises(DomainError, match="conflict"):
            await call()
    kept = await servers.of(mine)
    assert kept is not None and (kept.access.sender, kept.version) == (OWN, 3)


async def test_an_address_that_mail_cannot_be_sent_to_is_said(sqlite_store: Store, server: MailServer) -> None:
    owner, _ = await practice(sqlite_store)
    with pytest.raises(DomainError, check=lambda error: (error.code, error.field) == ("invalid", "mail")):
        await postman(sqlite_store, server).try_out(owner.id, News("mail-test", "ünder@example.org\r\nBcc: x", "nl"))
    assert server.taken == []


async def test_who_comes_second_or_may_not_changes_nothing(
    store: Store, server: MailServer, settings: VaultSettings, time: Time
) -> None:
    owner, _ = await practice(store)
    mine = await scope_of(store, owner.id)
    await write(store, mine, access(server))
    for seen in (0, 2):
        with pytest.raises(DomainError, match="conflict"):
            await write(store, mine, access(server, sender="other@example.org"), seen)
    with pytest.raises(DomainError, match="conflict"):
        await store.mail_servers.remove(mine, 2)
    roles: list[MemberRole] = ["practitioner", "assistant", "auditor"]
    other = await joined(store, "fatima")
    await store.organisation.set_roles(mine, other.id, roles)
    theirs = await scope_of(store, other.id)
    for refused in (store.mail_servers.of(theirs), write(store, theirs, access(server), 1)):
        with pytest.raises(DomainError, match="not_found"):
            await refused
    kept = await store.mail_servers.of(mine)
    assert kept is not None and (kept.access.sender, kept.version) == (OWN, 1)
    assert PASSWORD not in repr(kept) and OWN not in repr(kept)
    await store.mail_servers.remove(mine, 1)
    await store.retention.sweep()
    await whole(store, settings, time)

"""The mailbox as it was recorded of Dovecot 2.3.19.1, and as no server should be: whatever it says, nothing is lost."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from practice.bounces.mailbox import empty
from practice.bounces.reports import report
from practice.imap import Mailbox, NotRead
from practice.outgoing import Door
from practice.settings import BounceSettings
from tests.servers.imap import ADDRESS, PASSWORD, USER, Player, playing, recorded

SAID = recorded(Path(__file__).with_name("returned") / "dovecot.imap")
FETCH = next(number for number, line in enumerate(SAID) if " FETCH 1 " in line)


def mailbox(player: Player) -> Mailbox:
    settings = BounceSettings(
        address=ADDRESS, host="localhost", port=player.port, security="none", user=USER, password=SecretStr(PASSWORD)
    )
    return Mailbox("bounces", settings, Door(frozenset(), frozenset({"localhost"}), bounces=frozenset({"localhost"})))


async def emptied(player: Player) -> list[bytes]:
    found: list[bytes] = []

    async def handle(raw: bytes) -> None:
        found.append(raw)

    try:
        await empty(mailbox(player), handle)
    finally:
        deleted = sum(" STORE " in line for line in player.heard)
        assert deleted in (len(found), len(found) - 1), "nothing is deleted that was not looked at"
    return found


async def test_it_is_read_and_emptied_as_it_was_recorded() -> None:
    async with playing(SAID) as player:
        first, second = await emptied(player)
    assert player.done and player.heard[-1] == "TAG LOGOUT"
    judged = report(first)
    assert judged is not None and (judged.action, judged.status) == ("failed", "5.1.1")
    assert second == b"Subject: x\r\n\r\nhello\r\n"


async def test_of_one_that_is_empty_no_place_is_asked_for() -> None:
    """Dovecot answers with none; RFC 9051 lets a server refuse that (9, seq-number)."""
    selected = [line for line in SAID[: SAID.index("C: TAG UID SEARCH 1:2")] if "UNSEEN" not in line]
    empty = [line.replace(" 2 EXISTS", " 0 EXISTS").replace(" 2 RECENT", " 0 RECENT") for line in selected]
    async with playing([*empty, "C: TAG LOGOUT", "S: * BYE Logging out"]) as player:
        assert await emptied(player) == []
    assert player.done and player.heard[-1] == "TAG LOGOUT"


STRANGE = {
    "more than fits": ["S: * 1 FETCH (UID 1 BODY[]<0> {99999999999}"],
    "a size of nothing": ["S: * 1 FETCH (UID 1 BODY[]<0> {-1}", "S: )"],
    "no": ["S: TAG NO not now"],
    "bad": ["S: TAG BAD what"],
    "goodbye": ["S: * BYE we are closing"],
    "silence": [],
    "half a letter": ["S: * 1 FETCH (UID 1 BODY[]<0> {2636}", "S: Return-Path: <>"],
    "another's tag": ["S: X1 OK done"],
    "no language": ["S: \x00\x01\x02"],
    "an endless line": [f"S: * {'x' * 2_000_000}"],
}


@pytest.mark.parametrize("name", STRANGE)
async def test_a_server_that_does_not_go_on_is_tried_again_and_nothing_is_deleted(name: str) -> None:
    async with playing([*SAID[: FETCH + 1], *STRANGE[name]]) as player:
        with pytest.raises(NotRead) as fault:
            await emptied(player)
    assert fault.value.step == "reading"
    assert not [line for line in player.heard if " STORE " in line or "EXPUNGE" in line]


@pytest.mark.parametrize("line", ["* BYE full", "HTTP/1.1 400 Bad Request", "220 mail.example.org ESMTP", ""])
async def test_what_is_no_imap_server_is_said(line: str) -> None:
    async with playing([f"S: {line}"]) as player:
        with pytest.raises(NotRead) as fault:
            await emptied(player)
    assert fault.value.step == "greeting"

"""An attachment that somebody mails about their data: none of its bytes is anywhere a minute later."""

import asyncio
import base64
import logging
import secrets
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from redis.asyncio import Redis

from signaling.typedefs import REQUEST_MAIL
from tests.conformance.world import until
from tests.organisations import OPERATOR, PRACTICE
from tests.servers import imap
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server
from tests.signaling.test_mailed_requests import box, enclosed, mail, server_practice

__all__ = ["box", "mail", "server_practice"]


async def everywhere(server: Server, redis: Redis, tmp_path: Path, box: Any, lines: str) -> dict[str, bytes]:
    """All that there is after a while, by what it is: files (database, WAL, key store, the mail server's folder),
    Redis, and log lines.
    """

    def files() -> dict[str, bytes]:
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    found = await asyncio.to_thread(files)
    assert any(name.endswith("-wal") for name in found), "the database is open"
    async for key in redis.scan_iter("*"):
        found[f"redis {key!r}"] = bytes(key) + (await redis.dump(key) or b"")
    found["log"] = lines.encode()
    if isinstance(box, imap.Box):
        found |= {f"mail {uid}": raw for uid, raw in box.messages.items()}
        found["given"] = b"".join(box.given)
    return found


@pytest.mark.duty("S-47")
async def test_of_a_mailed_attachment_no_byte_is_anywhere_a_minute_later(
    server: Server, redis: Redis, box: Any, tmp_path: Path, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A whole server with its own reader: what it keeps, wherever, is searched for the attachment, as it is in the mail
    (base64) and as it was.
    """
    canary = secrets.token_hex(24).encode()
    raw = enclosed(canary, size=400_000)
    coded = [base64.b64encode(canary * 3)[at : at + 40] for at in (0, 1, 2)]
    assert any(one in raw.replace(b"\n", b"") for one in coded)
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    server.store.notices.on = True
    reader = server.app[REQUEST_MAIL]
    assert reader is not None
    begun = monotonic()
    with caplog.at_level(logging.DEBUG):
        box.put(raw)
        await until(lambda: not box.left, "the mail is still there", 60)
        took = monotonic() - begun
        await until(lambda: bool(reader.came["filed"]), "it is not filed", 5)
    assert took < 30
    found = await everywhere(server, redis, tmp_path, box, caplog.text)
    assert len(found) > 5
    for name, content in found.items():
        held = content.replace(b"\r\n", b"").replace(b"\n", b"")
        assert canary not in held and not any(one in held for one in coded), name
        assert b"passport.jpg" not in held, name

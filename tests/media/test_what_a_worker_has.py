"""A media worker that is taken over holds one key and one user of Redis, and no code that decodes media."""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError

from media.control import Inspect, Inspected, MediaClient, OpenedRoom, OpenRoom
from media.processes import LocalWorkers, WorkerFailed
from media.settings import MediaSettings
from operate.deployment import acl
from signaling.derived import Use, derive
from signaling.protocol.errors import ProtocolError
from signaling.redis import connect
from signaling.tickets import Tickets, practitioner_access
from tests.media.servers import start_redis
from tests.ours import FOLDERS, ROOT
from vault.clock import utc_now

SECRET = secrets.token_bytes(48)
CALLS = derive(SECRET, "calls")
SERVERS, MEDIA = secrets.token_hex(16), secrets.token_hex(16)
SETTINGS = MediaSettings(workers=1, port=0, listen=["127.0.0.1"])


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Path]:
    """The socket of a Redis with our users and nobody else."""
    file = tmp_path / "acl"
    file.write_text(acl.rules(SERVERS, MEDIA))
    path = tmp_path / "redis.sock"
    server = await start_redis(path, "--aclfile", str(file), user=f"{acl.USER}:{SERVERS}@")
    yield path
    server.terminate()
    await server.wait()


async def test_a_worker_works_with_its_own_user_and_key(guarded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__SECRET", "canary")
    servers = connect(f"unix://{acl.USER}:{SERVERS}@{guarded}")
    client = MediaClient(servers, CALLS)
    async with LocalWorkers(SETTINGS, f"unix://{acl.MEDIA_USER}:{MEDIA}@{guarded}", CALLS) as workers:
        (worker,) = workers.workers
        assert await client.call(worker, OpenRoom(room="r", fence=1, capacity=2)) == OpenedRoom()
        assert isinstance(await client.call(worker, Inspect()), Inspected)
        assert [one.worker for one in await client.workers()] == [worker]
        (pid,) = workers.pids.values()
        loaded = await asyncio.to_thread(Path(f"/proc/{pid}/maps").read_text)
        assert "pylibsrtp" in loaded
        assert not [line for line in loaded.splitlines() if "/av/" in line or "libav" in line]
        environment = await asyncio.to_thread(Path(f"/proc/{pid}/environ").read_bytes)
        assert b"PATH=" in environment and b"SPREEKKAMER_" not in environment
    assert await client.workers() == []
    refused = await servers.execute_command("INFO", "errorstats")  # type: ignore[no-untyped-call]  # the library has no types
    assert "NOPERM" not in str(refused)
    await servers.aclose()


@pytest.mark.parametrize(
    "user", [f"{acl.MEDIA_USER}:{SERVERS}@", f"nobody:{MEDIA}@", ""], ids=["password of another", "nobody", "none"]
)
async def test_a_user_that_redis_does_not_know_is_said(
    guarded: Path, user: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WorkerFailed):
        await LocalWorkers(SETTINGS, f"unix://{user}{guarded}", CALLS).start()
    said = capfd.readouterr().err
    assert "Redis refuses the user of media workers" in said
    assert "Traceback" not in said and SERVERS not in said and MEDIA not in said


@pytest.mark.parametrize(
    "command",
    [
        *("GET sk:room:a", "SET sk:room:a x EX 5", "SMEMBERS sk:rooms", "GET sk:refresh:a", "DEL sk:signed-out:a"),
        *("GET sk:diag:a", "SET sk:limit:a 0", "GET sk:worker:a", "PUBLISH sk:socket.io x", "SUBSCRIBE sk:socket.io"),
        *("SCAN 0", "INFO", "KEYS *", "FLUSHALL", "CONFIG GET save", "EVAL return(1) 0", "LRANGE sk:media:events 0 -1"),
    ],
)
async def test_its_user_reaches_nothing_about_rooms(guarded: Path, command: str) -> None:
    redis = connect(f"unix://{acl.MEDIA_USER}:{MEDIA}@{guarded}")
    with pytest.raises(NoPermissionError):
        await redis.execute_command(*command.split())  # type: ignore[no-untyped-call]  # the library has no types
    await redis.aclose()


def test_its_key_signs_no_ticket_and_no_value_in_redis() -> None:
    uses: tuple[Use, ...] = ("tickets", "calls", "messages", "redis", "pseudonyms", "channel")
    keys = [derive(SECRET, use) for use in uses]
    assert len({*keys, SECRET}) == len(uses) + 1
    genuine = Tickets(SECRET, utc_now)
    with pytest.raises(ProtocolError, match="token_invalid"):
        genuine.verify(Tickets(CALLS, utc_now).issue(practitioner_access("p" * 22, expires=genuine.expires_in(60))))


def test_a_worker_imports_neither_ffmpeg_nor_what_knows_of_people() -> None:
    listing = "import json, sys, media.worker; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", listing], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "aiortc.rtcdtlstransport" in loaded
    roots = {name.partition(".")[0] for name in loaded}
    assert roots & {*FOLDERS, "av", "sqlalchemy", "aiohttp", "socketio"} == {"media"}


def test_the_whole_of_aiortc_can_be_had_afterwards() -> None:
    program = "import media.session.dtls, aiortc, av; assert aiortc.RTCPeerConnection and av.AudioFrame; print('both')"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "both"

"""What this process asks of the operating system, and what it keeps beside its data."""

import asyncio
import base64
import gc
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from secrets import token_bytes
from typing import Protocol

from pydantic import SecretStr

from signaling.settings import SignalingSettings
from vault.errors import StartRefused
from vault.faults import reason

SECRET_BYTES = 32
REST_SECONDS = 20.0
LATER = ("icalendar", "phonenumbers", "segno", "webauthn")


@contextmanager
def starting() -> Iterator[None]:
    """Without the garbage collector, until ``keep_what_is_there``: nearly all that a start imports and makes stays, and
    would be walked hundreds of times.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def keep_what_is_there() -> None:
    """What the start made stays to the end. Walked again and again by the garbage collector it would hold up everybody
    for a tenth of a second each time.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


async def read_ahead() -> None:
    """What a start goes without is imported when everybody is back who was there before a restart: who needs it first
    would hold up all others for a tenth of a second.
    """
    await asyncio.sleep(REST_SECONDS)
    for name in LATER:
        await asyncio.to_thread(import_module, name)
    from practice.invitations import wording

    await asyncio.to_thread(wording.read_ahead)


async def until_signal(work: Coroutine[None, None, None]) -> None:
    """Run ``work``; SIGTERM ends it the way Ctrl-C does, so that everything it opened is closed."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


async def asked_to_stop() -> None:
    """Return when SIGTERM comes, which then no longer ends the program at once; a second one does."""
    asked, task = asyncio.Event(), asyncio.current_task()
    assert task is not None

    def ask() -> None:
        if asked.is_set():
            task.cancel()
        asked.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ask)
    await asked.wait()


def shared_secret(settings: SignalingSettings, data: Path) -> bytes:
    """The configured secret; else one made at the first start, kept in ``data`` so that tickets outlive a restart.

    Of two servers that start at once, one of which will be refused, the first to write it has made it.
    """
    if settings.secret:
        return settings.secret.get_secret_value().encode()
    from vault.keys import files

    file = data / "secrets" / "signaling.key"
    try:
        for folder in (data, file.parent):
            files.private_folder(folder)
        if not file.exists():
            with suppress(FileExistsError):
                files.write_new(file, base64.b64encode(token_bytes(SECRET_BYTES)))
        secret = base64.b64decode(file.read_bytes(), validate=True)
    except OSError as error:
        raise StartRefused(reason(error, f"The secret in {file}")) from None
    except ValueError:
        raise StartRefused(f"{file} is not a secret of ours; restore it or remove it.") from None
    if len(secret) != SECRET_BYTES:
        raise StartRefused(f"{file} is not a secret of ours; restore it or remove it.")
    return secret


class Workers(Protocol):
    """What media workers on their own are told of how to reach servers."""

    @property
    def secret(self) -> SecretStr | None: ...
    @property
    def redis_url(self) -> SecretStr | None: ...


def calls(media: Workers, signaling: SignalingSettings) -> tuple[str, bytes]:
    """Redis and the key of calls for media workers on their own; StartRefused without."""
    url = reveal(media.redis_url) or reveal(signaling.redis_url)
    if not url or not media.secret:
        raise StartRefused(
            "Media workers alone need media.redis_url and media.secret: `spreekkamer setup` makes both, and "
            "`spreekkamer media-secret`, run where a server runs, prints the second."
        )
    from signaling.derived import call_key

    try:
        return url, call_key(media.secret.get_secret_value())
    except ValueError:
        raise StartRefused("media.secret is not what `spreekkamer media-secret` prints.") from None


def write_new(file: Path, content: bytes) -> None:
    """Whole or not at all, also if the machine stops in between."""
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def reveal(secret: SecretStr | None) -> str | None:
    """The text of an optional secret."""
    return secret.get_secret_value() if secret else None

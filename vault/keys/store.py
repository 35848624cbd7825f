"""The key store as all others see it: asynchronous, and locked when it cannot be trusted."""

import asyncio
import logging
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from vault.errors import Away, DomainError, Locked, Lost
from vault.keys.backends import Backend
from vault.keys.connection import FAULTS, Cluster
from vault.keys.inspection import Inspection
from vault.keys.opening import Both
from vault.keys.receipt import Receipt
from vault.keys.unseen import FOR_EVER
from vault.keys.wrapped import WaitingKeys, WrappedKeys

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5

P = ParamSpec("P")
T = TypeVar("T")


class KeyStore:
    """One thread, one connection. When ``locked`` is a sentence, every call raises Locked."""

    def __init__(self, keys: WrappedKeys | None, locked: Locked | None, executor: ThreadPoolExecutor) -> None:
        self._keys = keys
        self._locked = locked
        self._executor = executor
        self._lost: Lost | None = None

    @property
    def locked(self) -> str | None:
        """Why the key store cannot be used: one sentence for the operator."""
        return next((locked.reason for locked in (self._locked, self._lost) if locked), None)

    @property
    def pair(self) -> str:
        """The id that the database must carry too."""
        return self.unlocked().pair

    @property
    def flat(self) -> bool:
        """Whether the step to a tree of keys is still to be taken."""
        return self._keys is not None and self._keys.flat

    async def grow(self) -> bool:
        """Take the step to a tree of keys, unless others use the key store; whether it is a tree now."""
        return await self._run(WrappedKeys.grow)

    async def shrink(self) -> bool:
        """Take the step back, unless others use the key store; whether it is flat now. Errors: StartRefused."""
        return await self._run(WrappedKeys.shrink)

    def unlocked(self) -> WrappedKeys:
        """The store itself; Locked when it cannot be used."""
        if self._keys is None:
            raise self._locked or Locked("The key store is closed.")
        if self._lost is not None:
            raise self._lost
        return self._keys

    async def look(self) -> bool:
        """Whether what is open is also still on disk. Until it is again, every call raises Locked."""
        if self._keys is not None:
            before, self._lost = self._lost, None
            try:
                await self._run(lambda keys: None)
            except Lost:
                return False
            except DomainError:
                self._lost = before
        return self._lost is None

    async def save(self, folder: Path) -> None:
        """Write what is open into a new folder. Errors: Locked, ``try_again``."""
        if self._keys is None:
            raise self._locked or Locked("The key store is closed.")
        keys, loop = self._keys, asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._executor, keys.save, folder)
        except FAULTS:
            logger.exception("the key store could not be saved")
            raise DomainError("try_again") from None

    async def add_practitioner(self, row_id: str, now: datetime) -> bytes:
        """A practitioner key, and the data key (returned) of the practitioner's own row."""
        return await self._run(WrappedKeys.add_practitioner, row_id, now)

    async def add(self, owner: str, row_id: str, now: datetime) -> bytes:
        """A new data key, on disk when this returns. Errors: ``not_found`` when its owner's own key is gone."""
        return await self._run(WrappedKeys.add, owner, row_id, now)

    async def take(self, owner: str, ids: Sequence[str], now: datetime) -> dict[str, bytes]:
        """Data keys for rows that are handed over to an owner, by id. Errors: ``not_found``, ``try_again``."""
        return await self._run(WrappedKeys.take, owner, ids, now) if ids else {}

    async def get(self, owner: str, row_id: str) -> tuple[bytes, bool]:
        """A data key and True, or, with the same work, the key of nobody and False."""
        return await self._run(WrappedKeys.get, owner, row_id)

    async def get_with_owner(self, owner: str, row_id: str) -> Both:
        """The same, and the data key of the practitioner's own row."""
        return await self._run(WrappedKeys.get_with_owner, owner, row_id)

    async def get_many(self, wanted: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        """Data keys by id, for (owner, id) pairs; those that are not there or do not open are left out."""
        return await self._run(WrappedKeys.get_many, list(wanted))

    async def missing(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that have no data key."""
        return await self._run(WrappedKeys.missing, ids)

    async def unconfirmed(self) -> list[tuple[str, int]]:
        """(id, minute after which it may be forgotten) of keys whose row was not seen yet."""
        return await self._run(WrappedKeys.unconfirmed)

    async def confirmed(self, after: str, limit: int) -> list[str]:
        """Ids of keys whose row was seen, in order, after this one."""
        return await self._run(WrappedKeys.confirmed, after, limit)

    async def confirm(self, ids: Sequence[str]) -> None:
        """These have their row."""
        await self._run(WrappedKeys.confirm, ids)

    async def suspect(self, ids: Sequence[str], until: datetime) -> None:
        """These have no row any more; they may be forgotten after this moment."""
        await self._run(WrappedKeys.suspect, ids, until)

    async def discard(self, ids: Sequence[str], before: int = FOR_EVER) -> None:
        """Forget keys whose row was not seen; only those that may be forgotten ``before`` this minute."""
        if ids:
            await self._run(WrappedKeys.discard, ids, before)

    async def destroy(self, targets: Sequence[tuple[str, str]], at: datetime) -> list[Receipt]:
        """Destroy data keys of (owner, id), with receipts, in one transaction; idempotent."""
        return await self._run(WrappedKeys.destroy, targets, at)

    async def rotate(self) -> bool:
        """A new epoch if something was destroyed since the last one."""
        return await self._run(WrappedKeys.rotate)

    async def waiting(self) -> WaitingKeys:
        """Whose keys a new epoch has to replace."""
        return await self._run(WrappedKeys.waiting)

    async def final(self, receipt: Receipt) -> bool:
        """Whether the epoch is erased under which what the receipt stands for could be opened."""
        return await self._run(WrappedKeys.final, receipt)

    async def renew(self, *, root: bool) -> None:
        """A new epoch although nothing was destroyed; with ``root`` under a new root key."""
        await self._run(WrappedKeys.replace_root if root else lambda keys: keys.rotate(everything=True))

    async def inspect(self, now: datetime) -> Inspection:
        """Whether every key opens and the ledger is whole."""
        return await self._run(WrappedKeys.inspect, now)

    async def trouble(self) -> str | None:
        """What is wrong now, as one sentence for the operator; None when all is well."""
        try:
            await self._run(WrappedKeys.check)
            await asyncio.to_thread(self.unlocked().secrets.check)
        except Locked as locked:
            return locked.reason
        except DomainError:
            return "The key store does not answer."
        return None

    async def receipt(self, owner: str, row_id: str) -> Receipt | None:
        """The receipt of a destroyed row."""
        return await self._run(lambda keys: keys.ledger.find(owner, row_id))

    async def destroyed(self, targets: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of (owner, id) that have a receipt."""
        return await self._run(lambda keys: set(keys.ledger.among(targets)))

    async def receipts(self, owner: str) -> list[Receipt]:
        """All receipts of an owner, newest first."""
        return await self._run(lambda keys: keys.ledger.of(owner))

    async def known(self, receipt: str) -> Receipt | None:
        """A receipt by its name."""
        return await self._run(lambda keys: keys.ledger.known(receipt))

    async def ids(self) -> list[str]:
        """Of every data key."""
        return await self._run(WrappedKeys.ids)

    async def cluster(self) -> Cluster | None:
        """Where PostgreSQL keeps it; None for a file, or when it may not be asked."""
        return await self._run(lambda keys: keys.cluster())

    async def every(self) -> list[bytes]:
        """All keys that exist, for trying them on what should open with none."""
        return await self._run(WrappedKeys.every)

    async def newest(self) -> datetime | None:
        """When something was destroyed last."""
        return await self._run(lambda keys: keys.ledger.newest())

    async def generation(self) -> int:
        """Counts destructions."""
        return await self._run(lambda keys: keys.ledger.generation())

    def mail_index(self, mail: str) -> bytes:
        """The blind index of an address in canonical form."""
        return self.unlocked().mail_index(mail)

    def session_index(self, token: str) -> bytes:
        """What the database holds of a session."""
        return self.unlocked().session_index(token)

    def form_mark(self, token: str) -> bytes:
        """What the forms of a session hold."""
        return self.unlocked().form_mark(token)

    def factors_id(self, owner: str, number: int) -> str:
        """The id of what an account has of second factors, after so many that were destroyed."""
        return self.unlocked().factors_id(owner, number)

    def heir(self, row_id: str) -> str:
        """The id of a row after it was handed over."""
        return self.unlocked().heir(row_id)

    def handing_mark(self, owner: str, said: str) -> str:
        """What stands beside the words of what is being handed over."""
        return self.unlocked().handing_mark(owner, said)

    def totp_secret(self, of: str) -> bytes:
        """What an app that is set up gets, for whom and in which session."""
        return self.unlocked().totp_secret(of)

    def recovery_hash(self, owner: str, code: str) -> str:
        """What is kept of a recovery code."""
        return self.unlocked().recovery_hash(owner, code)

    def reset_mark(self, use: str, text: str) -> bytes:
        """What makes a mailed link out of its seed, and its row out of the link."""
        return self.unlocked().reset_mark(use, text)

    def link_token(self, seed: str) -> str:
        """What a mailed link holds, 43 characters, of which the mail that is written down has the seed alone."""
        return urlsafe_b64encode(self.reset_mark("token", seed)).rstrip(b"=").decode()

    async def audit_key(self) -> bytes:
        """The key of the audit trail."""
        return await self._run(WrappedKeys.audit_key)

    async def anchored(self) -> tuple[int, bytes]:
        """The newest entry of the audit trail that was anchored: its number and its link; 0 for none."""
        return await self._run(WrappedKeys.anchored)

    async def anchor(self, number: int, link: bytes) -> None:
        """Remember the newest entry of the audit trail; never an older one than is remembered."""
        await self._run(WrappedKeys.anchor, number, link)

    async def close(self) -> None:
        """Idempotent."""
        keys, self._keys = self._keys, None
        if keys is not None:
            await asyncio.get_running_loop().run_in_executor(self._executor, keys.close)
        self._executor.shutdown(wait=False)

    async def _run(self, call: Callable[Concatenate[WrappedKeys, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        keys = self.unlocked()
        loop = asyncio.get_running_loop()

        def attempt() -> T:
            try:
                answer = call(keys, *args, **kwargs)
            except Locked:  # another process began an epoch between our snapshot and our look at the file
                answer = call(keys, *args, **kwargs)
            keys.present()  # after the commit: what a restart would not find is not acknowledged
            return answer

        try:
            return await loop.run_in_executor(self._executor, attempt)
        except Lost as lost:
            if self._lost is None:
                logger.critical("the key store in use is not on disk any more; see Saving in docs/operations.md")
            self._lost = lost
            raise
        except FAULTS:
            logger.exception("the key store does not answer")
            raise DomainError("try_again") from None


async def open_keystore(
    backend: Backend, *, pair: str | None, generation: int, tidy: bool = True, wait: float = 0.0
) -> KeyStore:
    """The key store that belongs to a database with this pair id and generation.

    ``pair`` None is a new database: only then a key store and a root key are made, and never over existing ones.
    Anything wrong gives a locked store; a root key that others can read raises StartRefused. For what does not answer
    it waits ``wait`` seconds first: after a power cut everything starts at once, in any order.
    """
    executor = ThreadPoolExecutor(1, thread_name_prefix="keys")
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    try:
        while True:
            try:
                keys = await loop.run_in_executor(executor, open_checked, backend, pair, generation, tidy)
                break
            except Away:
                if loop.time() >= until:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
    except Locked as locked:
        return KeyStore(None, locked, executor)
    except BaseException:
        executor.shutdown(wait=False)
        raise
    return KeyStore(keys, None, executor)


def open_checked(backend: Backend, pair: str | None, generation: int, tidy: bool = True) -> WrappedKeys:
    """Create if the database is new, open, and compare with what the database says."""
    if pair is None and not backend.holds():
        backend.create(secrets.token_urlsafe(16))
    if not backend.there():
        raise Locked("The key store is missing; put it back and start again.")
    keys = backend.open(tidy=tidy)
    reason = None
    if pair is None and keys.practitioners():
        reason = "The key store belongs to another database than this empty one."
    elif pair is not None and keys.pair != pair:
        reason = "The key store belongs to another database."
    elif keys.ledger.generation() < generation:
        reason = (
            "The key store is older than the database and would bring back what was destroyed since;"
            " put the newest one in its place and start again."
        )
    if reason:
        keys.close()
        raise Locked(reason)
    return keys

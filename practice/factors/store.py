"""The second factor of accounts: one record each, changed as a whole, so that of two who use one code one is let in.

A kind of record (``vault.records.records``) without a due time: it lives as long as the account. Its id is the
account's and a number: that of the first which has no receipt.
"""

import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Executable, Row, Select, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import is_open
from practice.accounts.records import PRACTITIONERS
from practice.factors import codes
from practice.factors.model import Factors, Passkey, Used
from practice.factors.records import FACTORS, factors
from vault.database.marks import write_out
from vault.errors import DomainError, Newer, Unreadable
from vault.keys.unseen import minute
from vault.keys.wrapped import GRACE
from vault.records.scope import Scope
from vault.records.stores import RecordStore
from vault.records.writing import Along

TRIES: Final = 5
MOST_PASSKEYS: Final = 10
FEW: Final = 2
"""Recovery codes of which somebody is told that they run out."""

Change = Callable[[Factors], Factors]
Low = Callable[[int], Along]


class SecondFactors(RecordStore):
    """``store.factors``. Errors of all: ``not_found`` (the account), ``unreadable``, ``locked``, ``try_again``."""

    async def of(self, scope: Scope) -> Factors:
        """What an account has; version 0 where nothing was ever written."""
        owner = scope.owner
        held = await self._opened(await self._database.ask(_rows(owner)))
        if held is not None:
            return held
        row_id, known = await self._next(owner)
        return await self._late(owner, row_id) if known else self._none(owner, row_id)

    async def begin(self, scope: Scope) -> Factors:
        """The same, and from now on one is asked for, unless that began before."""
        held = await self.of(scope)
        if held.since is not None:
            return held
        return await self._change(scope, lambda now: now if now.since else replace(now, since=self._now()))

    async def proposed(self, scope: Scope, session: str) -> str:
        """The secret for an app that a session sets up: the same until one is set, so that nothing of it is kept."""
        return self._proposed(await self.of(scope), session)

    async def set_totp(self, scope: Scope, session: str, code: str, along: Along | None = None) -> tuple[str, ...]:
        """Codes of the app with the proposed secret from now on, once it has shown one; those of another app end.

        ``along`` writes more with it, as it does below. Gives recovery codes, where the account had none. Errors:
        ``factor_refused`` (not the code of this secret).
        """
        secret = await self.proposed(scope, session)
        step = codes.accepted(secret, codes.plain(code), self._now(), 0)
        if step is None:
            raise DomainError("factor_refused")
        made = codes.new_codes()
        held = await self._change(
            scope, lambda now: self._with_codes(replace(now, secret=secret, step=step), made), along
        )
        return self._given(held, made)

    async def add_passkey(self, scope: Scope, passkey: Passkey, along: Along | None = None) -> tuple[str, ...]:
        """One more; gives recovery codes as ``set_totp``. Errors: ``conflict`` (it is there), ``invalid`` (many)."""
        made = codes.new_codes()

        def added(now: Factors) -> Factors:
            if any(one.id == passkey.id for one in now.passkeys):
                raise DomainError("conflict")
            if len(now.passkeys) >= MOST_PASSKEYS:
                raise DomainError("invalid")
            return self._with_codes(replace(now, passkeys=(*now.passkeys, passkey)), made)

        return self._given(await self._change(scope, added, along), made)

    async def begin_with(self, connection: AsyncConnection, owner: str, passkey: Passkey) -> tuple[str, ...]:
        """The first of an account that is being made, in its transaction; gives recovery codes. ``began`` follows."""
        made, row_id = codes.new_codes(), self._keys.factors_id(owner, 0)
        key = await self._keys.add(owner, row_id, self._now())
        held = Factors(
            row_id, owner, since=self._now(), passkeys=(passkey,), codes=self._hashes(owner, made), version=1
        )
        await connection.execute(insert(factors).values(FACTORS.seal(key, held)))
        return made

    async def began(self, owner: str, *, made: bool) -> None:
        """Whether the account of ``begin_with`` was made."""
        row_id = self._keys.factors_id(owner, 0)
        await (self._keys.confirm([row_id]) if made else self._keys.discard([row_id]))

    async def new_codes(self, scope: Scope, along: Along | None = None) -> tuple[str, ...]:
        """Ten other recovery codes: those before end. Errors: ``bad_state`` (there is no second factor)."""
        made = codes.new_codes()

        def renewed(now: Factors) -> Factors:
            if not now.any:
                raise DomainError("bad_state")
            return replace(now, codes=self._hashes(now.owner, made))

        await self._change(scope, renewed, along)
        return made

    async def remove(self, scope: Scope, passkey: str | None, *, demanded: bool, along: Along | None = None) -> Factors:
        """Take one out: a passkey by its id, or the app's codes. With the last one the recovery codes end.

        Errors: ``not_found``, ``bad_state`` (it is the last, and one is demanded).
        """

        def without(now: Factors) -> Factors:
            if passkey is None:
                after = replace(now, secret=None, step=0)
            else:
                after = replace(now, passkeys=tuple(one for one in now.passkeys if one.id != passkey))
            if after == now:
                raise DomainError("not_found")
            if demanded and not after.any:
                raise DomainError("bad_state")
            return after if after.any else replace(after, codes=())

        return await self._change(scope, without, along)

    async def lift(self, scope: Scope, kept: Collection[str], along: Along) -> Factors:
        """For who lost it: the app and the recovery codes end, and the passkeys that are not ``kept``, by their ids.

        With it all that lets somebody in: sessions, and links that were mailed. Errors: ``bad_state`` (nothing ends).
        """

        def lifted(now: Factors) -> Factors:
            passkeys = tuple(one for one in now.passkeys if one.id in kept)
            after = replace(now, secret=None, step=0, codes=(), passkeys=passkeys)
            if after == now:
                raise DomainError("bad_state")
            return replace(after, lifted=True)

        return await self._change(scope, lifted, along, PRACTITIONERS.sign_out(scope.owner))

    async def take_away(self, scope: Scope, along: Along | None = None) -> bool:
        """All of it, whether or not it can be read; whether there was something. The row goes with the next sweep.

        With it all that lets somebody in, and a mark by which a running server closes what only it reaches; ``along``
        writes more with them. Errors: ``not_found`` (the scope: it is the operator's to do).
        """
        scope.demand("operator")
        owner = scope.owner
        row_id, known = await self._next(owner)

        async def marked(connection: AsyncConnection) -> bool:
            await connection.execute(FACTORS.marking().where(factors.c.owner == owner))
            if known:
                for statement in PRACTITIONERS.sign_out(owner):
                    await connection.execute(statement)
                await write_out(connection, owner)
            return known

        if along is not None:
            await along(marked)
        else:
            async with self._database.write() as connection:
                await marked(connection)
        if known:
            await self._keys.destroy([(owner, row_id)], self._now())
        return known

    async def use(self, scope: Scope, typed: str, low: Low | None = None) -> Used | None:
        """What this code was, which is worthless from now on; None for one that is not right, or not any more.

        ``low`` writes more with it, where few recovery codes are left after it: it is given how many.
        """
        code = codes.plain(typed)
        for _ in range(TRIES):
            held = await self.of(scope)
            after, used = self._used(held, code)
            few = used == "recovery" and len(after.codes) <= FEW
            if used is None or await self._written(after, low(len(after.codes)) if low and few else None):
                return used
        raise DomainError("try_again")

    async def used_passkey(self, scope: Scope, passkey: Passkey) -> None:
        """What its authenticator says of itself now. Errors: ``not_found`` (it was taken out meanwhile)."""

        def changed(now: Factors) -> Factors:
            if all(one.id != passkey.id for one in now.passkeys):
                raise DomainError("not_found")
            return replace(now, passkeys=tuple(passkey if one.id == passkey.id else one for one in now.passkeys))

        await self._change(scope, changed)

    def _proposed(self, held: Factors, session: str) -> str:
        return codes.as_secret(self._keys.totp_secret(f"{held.owner}|{session}|{held.secret}"))

    def _used(self, held: Factors, code: str) -> tuple[Factors, Used | None]:
        if codes.is_totp(code):
            step = None if held.secret is None else codes.accepted(held.secret, code, self._now(), held.step)
            return (held, None) if step is None else (replace(held, step=step), "totp")
        said = self._keys.recovery_hash(held.owner, code)
        left = tuple(one for one in held.codes if not hmac.compare_digest(one, said))
        return (replace(held, codes=left), "recovery") if len(left) < len(held.codes) else (held, None)

    def _with_codes(self, held: Factors, made: tuple[str, ...]) -> Factors:
        return held if held.codes else replace(held, codes=self._hashes(held.owner, made))

    def _given(self, held: Factors, made: tuple[str, ...]) -> tuple[str, ...]:
        return made if held.codes == self._hashes(held.owner, made) else ()

    def _hashes(self, owner: str, made: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._keys.recovery_hash(owner, code) for code in made)

    # --- writing -----------------------------------------------------------------------------------------------------

    async def _change(
        self, scope: Scope, change: Change, along: Along | None = None, with_it: Sequence[Executable] = ()
    ) -> Factors:
        self._reserve.require()
        for _ in range(TRIES):
            before = await self.of(scope)
            after = change(before)
            if after == before or await self._written(after, along, with_it):
                return replace(after, version=before.version + (after != before))
        raise DomainError("try_again")

    async def _written(self, held: Factors, along: Along | None = None, with_it: Sequence[Executable] = ()) -> bool:
        """In its next version, ``with_it`` in the same transaction; False where somebody else was first."""
        after = replace(held, version=held.version + 1)
        if after.version == 1:
            return await self._first(after, along)
        gone: list[bool] = []

        async def open_account(connection: AsyncConnection) -> bool:
            gone.append(await _closed(connection, held.owner))
            for statement in () if gone[-1] else with_it:
                await connection.execute(statement)
            return not gone[-1]

        written = await self._writer.instead(FACTORS, after, open_account, along)
        if any(gone):
            raise DomainError("not_found")
        return written

    async def _first(self, held: Factors, along: Along | None) -> bool:
        """Its key and its row while nobody else may write the account: the id is no secret of whoever comes first."""
        owner, row_id = held.owner, held.id

        async def write(connection: AsyncConnection) -> bool:
            if await _closed(connection, owner):
                raise DomainError("not_found")
            if await self._opened((await connection.execute(_rows(owner))).all()) is not None:
                return False
            key, known = await self._keys.get(owner, row_id)
            if known:
                await self._never_came(row_id)
            else:
                key = await self._keys.add(owner, row_id, self._now())
            await connection.execute(insert(factors).values(FACTORS.seal(key, held)))
            return True

        if along is not None:
            written = await along(write)
        else:
            async with self._database.write() as connection:
                written = await write(connection)
        if written:
            # A server that does not know this table must not take the key for one whose row never came.
            await self._keys.confirm([row_id])
        return written

    async def _opened(self, rows: Sequence[Row[Any]]) -> Factors | None:
        """What there is; rows that were destroyed and came back are none. Errors: ``unreadable``."""
        opened = await self._reader.open(FACTORS, rows)
        if opened.damaged:
            raise Newer if opened.damaged[0].newer else Unreadable
        return opened.living[0] if opened.living else None

    async def _next(self, owner: str) -> tuple[str, bool]:
        """The id that it has or would have, and whether there is a key for it."""
        number = 0
        while True:
            row_id = self._keys.factors_id(owner, number)
            if (await self._keys.get(owner, row_id))[1]:
                return row_id, True
            if await self._keys.receipt(owner, row_id) is None:
                return row_id, False
            number += 1

    async def _late(self, owner: str, row_id: str) -> Factors:
        """There is a key and was no row: somebody is writing the first one just now, or it was taken away."""
        async with self._database.write() as connection:
            if await _closed(connection, owner):
                raise DomainError("not_found")
            held = await self._opened((await connection.execute(_rows(owner))).all())
            if held is None:
                await self._never_came(row_id)
        return held or self._none(owner, row_id)

    def _none(self, owner: str, row_id: str) -> Factors:
        """Nothing was written yet; what was before and was taken away has a receipt, and this another id than that."""
        return Factors(row_id, owner, lifted=row_id != self._keys.factors_id(owner, 0))

    async def _never_came(self, row_id: str) -> None:
        """Whoever wrote the first row was cut off before it, a moment ago. Errors: ``unreadable`` if it was not so."""
        until = dict(await self._keys.unconfirmed()).get(row_id)
        if until is None or until > minute(self._now() + GRACE):
            raise Unreadable


def _rows(owner: str) -> Select[Any]:
    return FACTORS.living().where(factors.c.owner == owner)


async def _closed(connection: AsyncConnection, owner: str) -> bool:
    """Whether the account is gone or going; if not, nobody else writes here until the transaction ends."""
    return not await is_open(connection, owner)

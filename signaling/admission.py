"""Who may open a socket: a genuine ticket that was not overtaken by a sign-out.

**What was issued before a sign-out opens nothing after it.** A resume ticket lives for hours in a page's session
storage, an access token for minutes in its memory; a sign-out is noted for as long as either can live, and closes the
sockets that are open. An access token of a browser is as good as its session; a resume ticket is for a consult that
runs on and outlives a session that fell idle, but does not wake it.
"""

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.asyncio import Redis

from practice.accounts.sessions import Sessions
from signaling.exports import export_keys
from signaling.protocol.errors import ProtocolError
from signaling.protocol.events import SignedOutCode
from signaling.refresh import Refresh
from signaling.sockets.socket import Socket
from signaling.tickets import Claims, Tickets, place_of
from vault.errors import DomainError

CLOSING = timedelta(seconds=5)
"""Within which all sockets of who signed out are closed, on every node. What the server tells one of them meanwhile may
have a resume ticket in it."""


def signed_out_key(who: str) -> str:
    """Of a practitioner, of the session that signed out, or of the place of a patient whose link became another."""
    return f"sk:signed-out:{who}"


def others_of(practitioner: str) -> str:
    """The name under which it stands that somebody signed out everywhere but in one session."""
    return f"{practitioner}:others"


def patient_of(appointment: str) -> str:
    """The place whose tickets end when the patient's link becomes another."""
    return place_of(appointment, "patient")


def moment(mark: bytes | str) -> float:
    """When somebody signed out; a mark that says no time may be of any, also of just now."""
    try:
        found = float(mark)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(found) else found


@dataclass(frozen=True)
class Others:
    """A sign-out everywhere but in ``kept``."""

    at: float
    kept: str | None

    @classmethod
    def read(cls, mark: bytes | str | None) -> "Others":
        """None says that there was none; a mark that says nothing may be of any time and spares nobody."""
        if mark is None:
            return cls(-math.inf, None)
        at, _, kept = (mark.decode(errors="replace") if isinstance(mark, bytes) else mark).partition(" ")
        return cls(moment(at), kept or None)

    def overtook(self, claims: Claims, began: float) -> bool:
        """Whether what began then, with these claims, was signed out by it.

        A resume ticket of no session may have been told to a socket that was being closed.
        """
        if self.kept is not None and claims.session == self.kept:
            return False
        told_late = claims.kind == "resume" and not claims.session
        return began <= self.at + (CLOSING.total_seconds() if told_late else 0)


class Admission:
    """Turns tokens into claims. ``life`` is the longest that a ticket has."""

    def __init__(
        self,
        tickets: Tickets,
        refresh: Refresh,
        sessions: Sessions,
        redis: Redis,
        now: Callable[[], datetime],
        life: timedelta,
    ) -> None:
        self._tickets = tickets
        self._refresh = refresh
        self._sessions = sessions
        self._redis = redis
        self._now = now
        self._life = life

    async def authenticate(self, token: str) -> Claims:
        """The claims of a token; ``token_invalid`` for anything that does not open a socket (any more).

        They name a session only if it is alive.
        """
        claims = self._tickets.verify(token)
        if claims.family:
            if why := (await self._refresh.ended([claims.family])).get(claims.family):
                raise ProtocolError(why)
            # A resume ticket outlives an emptied Redis, for the sake of the consult that it rebuilds.
            if claims.kind == "access" and not await self._refresh.alive(claims):
                raise ProtocolError("token_invalid")
        if claims.practitioner and await self._signed_out(claims, claims.practitioner):
            raise ProtocolError("token_invalid")
        if await self._of_former_link(claims):
            raise ProtocolError("token_invalid")
        return await self._of_session(claims, claims.session) if claims.session else claims

    async def _of_former_link(self, claims: Claims) -> bool:
        """Whether the patient's link became another since. Who was being put out may have been told a resume ticket."""
        late = CLOSING.total_seconds() if claims.kind == "resume" else 0
        marks = await self._marks([_patient(claims)])
        return any(claims.issued <= moment(mark) + late for mark in marks.values())

    async def _signed_out(self, claims: Claims, person: str) -> bool:
        """Whether this session, all of them or all others were signed out since the ticket was issued."""
        marks = await self._marks([person, others_of(person), claims.session])
        if claims.session in marks or Others.read(marks.get(others_of(person))).overtook(claims, claims.issued):
            return True
        # A socket may be told a ticket until it is closed, which on a busy machine takes a while.
        return person in marks and await self._overtaken(claims, moment(marks[person]))

    async def _overtaken(self, claims: Claims, signed_out: float) -> bool:
        """Whether a ticket is of before the sign-out, or was still told to a socket that the sign-out was closing."""
        if claims.issued <= signed_out:
            return True
        if claims.kind == "access" or claims.family or claims.issued > signed_out + CLOSING.total_seconds():
            return False  # a family that ended was refused before
        return not (claims.session and await self._sessions.lives(claims.session))

    async def _of_session(self, claims: Claims, session: str) -> Claims:
        if claims.kind == "access":
            if not await self._sessions.lives(session):
                raise ProtocolError("token_invalid")
            return claims
        # A consult that runs goes on, also where nobody can say whether the session lives.
        with suppress(DomainError):
            if await self._sessions.lives(session):
                return claims
        return claims.model_copy(update={"session": None})

    async def sign_out(self, practitioner: str, session: str | None = None) -> None:
        """What was opened for this practitioner until now is no longer, and nothing more of this session ever. Where it
        is not only this session that ends, what was to be fetched of the account is withdrawn.
        """
        await self._refresh.end_all(practitioner)
        async with self._redis.pipeline() as pipe:
            if session is None:
                pipe.delete(*export_keys(practitioner))
            for one in (practitioner, session):
                if one:
                    pipe.set(signed_out_key(one), self._now().timestamp(), ex=self._life + CLOSING)
            await pipe.execute()

    async def link_renewed(self, appointment: str) -> None:
        """What came of its patient's link until now opens nothing any more."""
        life = self._life + CLOSING
        await self._redis.set(signed_out_key(patient_of(appointment)), self._now().timestamp(), ex=life)

    async def sign_out_session(self, session: str) -> None:
        """No ticket of this session is good any more."""
        await self._redis.set(signed_out_key(session), self._now().timestamp(), ex=self._life + CLOSING)

    async def sign_out_others(self, practitioner: str, kept: str, others: Iterable[str]) -> None:
        """What was opened for this practitioner until now is no longer, but for what this session opened; and nothing
        more ever of the others. What was to be fetched of the account is withdrawn.
        """
        await self._refresh.end_all(practitioner)
        at, life = self._now().timestamp(), self._life + CLOSING
        async with self._redis.pipeline() as pipe:
            pipe.delete(*export_keys(practitioner))
            pipe.set(signed_out_key(others_of(practitioner)), f"{at} {kept}", ex=life)
            for one in others:
                pipe.set(signed_out_key(one), at, ex=life)
            await pipe.execute()

    async def _marks(self, names: Iterable[str | None]) -> dict[str, bytes | str]:
        """What stands of the last sign-out of each that had one."""
        wanted = sorted({name for name in names if name})
        marks = await self._redis.mget([signed_out_key(name) for name in wanted]) if wanted else []
        return {name: mark for name, mark in zip(wanted, marks, strict=True) if mark is not None}

    async def outdated(self, sockets: Iterable[Socket]) -> list[tuple[Socket, SignedOutCode]]:
        """Which of these sockets were opened before their practitioner or session signed out, their family ended or
        their link became another.
        """
        everybody = list(sockets)
        people = {one.claims.practitioner for one in everybody if one.claims.practitioner}
        sessions = {one.claims.session for one in everybody if one.claims.session}
        patients = {_patient(one.claims) for one in everybody} - {None}
        marks = await self._marks(people | sessions | set(map(others_of, people)) | patients)
        ended = await self._refresh.ended(one.claims.family for one in everybody if one.claims.family)
        found: list[tuple[Socket, SignedOutCode]] = []
        for one in everybody:
            claims, person = one.claims, one.claims.practitioner or ""
            holders = (person, claims.session, _patient(claims))
            if why := ended.get(claims.family or ""):
                found.append((one, why))
            elif any(one.opened <= moment(marks[name]) for name in holders if name in marks) or (
                person and Others.read(marks.get(others_of(person))).overtook(claims, one.opened)
            ):
                found.append((one, "token_invalid"))
        return found


def _patient(claims: Claims) -> str | None:
    return patient_of(claims.appointment) if claims.role == "patient" and claims.appointment else None

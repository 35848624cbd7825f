"""Requests as whoever asks sees them: filed, found again by a link, confirmed, replied to; and what they pause.

**What was filed is on disk before anybody is answered**, with the mail about it. **Who asks twice asks once**, as long
as the first is open: found under a lock on the organisation's row. **Nothing is told to an address that nobody
proved**: a form or a mail may name any. **An objection pauses its purpose in the transaction that files it.**

A kind of record (``vault.records.records``) of an organisation's: its key opens requests and no appointment, so a
request holds nothing of an appointment but what was typed, and, of a link's, the address that answers go to: that goes
with the request and not with the appointment. Whose it is: of who is signed in or has a patient's link, their
practice's; what names nobody, the server's own organisation's, whose officer answers for the operator.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Final, NamedTuple, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.accounts.records import practitioners
from practice.accounts.store import Practitioners
from practice.agenda.store import Appointments
from practice.mailboxes import MOST_MAIL, canonical, mailbox
from practice.names import written
from practice.organisation.founding import founded
from practice.organisation.records import takes_members
from practice.organisation.store import Organisations
from practice.requests import clock
from practice.requests.backlog import COUNTED, bound, counted
from practice.requests.model import MOST, WAYS, WHATS, Backlog, Filed, Filing, Proof, Request, RequestList
from practice.requests.purposes import PURPOSES, Purpose
from practice.requests.records import REQUESTS, requests, seconds
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along, always

TRIES: Final = 5
THEIRS: Final = REQUESTS.living().where(requests.c.owner == bindparam("organisation")).order_by(requests.c.id)
OF_SUBJECT: Final = REQUESTS.living().where(requests.c.subject.in_(bindparam("subjects", expanding=True)))
BY_TOKEN: Final = REQUESTS.living().where(requests.c.token == bindparam("token"))
AT_ONCE: Final = 500
WAITING: Final = (
    REQUESTS.living()
    .where(requests.c.decided.is_(None), requests.c.id > bindparam("after"))
    .order_by(requests.c.id)
    .limit(AT_ONCE)
)
ZONES: Final[dict[str, tzinfo]] = {}
"""Those that were read, by name."""

HELD: Final = REQUESTS.living().where(requests.c.decided.is_not(None), requests.c.until.is_(None))
ACCOUNTS: Final = select(practitioners.c.id).where(practitioners.c.id.in_(bindparam("accounts", expanding=True)))

Tell = Callable[[Request], Along | None]
"""The mail about a request as it is from now on, to be written with it; None for none."""


class Whose(NamedTuple):
    """Who asks: what tells them from others, whose they are, where they are answered, and how that was proven."""

    name: str
    organisation: str
    account: str | None
    mail: str
    proven: Proof


def nobody(_: Request) -> None:
    """Nobody is told."""


class Requests(RecordStore):
    """``store.requests``. Errors of all: ``locked``, ``try_again``."""

    def __init__(
        self, means: Means, accounts: Practitioners, organisations: Organisations, appointments: Appointments
    ) -> None:
        super().__init__(means)
        self._accounts = accounts
        self._organisations = organisations
        self._appointments = appointments

    # --- for whoever asks --------------------------------------------------------------------------------------------

    async def file(self, scope: Scope, filing: Filing, tell: Tell = nobody) -> Filed:
        """What somebody asks for, on disk when this returns; where the same person has the same open, that one.

        ``scope`` is who is signed in, or who has a link and typed its code, which whoever calls this has seen to, or
        the server's, for who is neither: their address is proven by nothing.

        Errors: ``invalid`` with the field; ``not_found`` (the scope, or a link that leads nowhere any more);
        ``try_again`` also where this server has no organisation yet.
        """
        filing = checked(filing)
        whose = await self._whose(scope, filing)
        zone = (await self._organisations.profile_of(whose.organisation)).zone
        seed, now = secrets.token_urlsafe(16), self._now()
        due = clock.due(now, await asyncio.to_thread(ZoneInfo, zone))
        made = Request(
            *(new_id(), whose.organisation, filing.what, filing.way, filing.language, filing.text, filing.purpose),
            *(whose.mail, whose.proven, whose.account, now, zone, due),
            *(self._subject(whose.name).hex(), self._index(self.token(seed)).hex(), seed),
            enclosed=filing.enclosed,
            cut=filing.cut,
        )
        before: list[Request] = []

        async def is_first(connection: AsyncConnection) -> bool:
            before.clear()
            if not await takes_members(connection, made.owner):
                return False
            rows = (await connection.execute(OF_SUBJECT, {"subjects": [bytes.fromhex(made.subject)]})).all()
            before.extend(one for one in (await self._reader.open(REQUESTS, rows)).living if is_same(one, made))
            return not before

        if await self._writer.first(REQUESTS, made, is_first, tell(made)):
            return Filed(made, self.token(seed), new=True)
        if not before:
            raise DomainError("try_again")
        return Filed(before[0], self.token(before[0].seed), new=False)

    async def mine(self, scope: Scope) -> RequestList:
        """What whoever is signed in asked for, newest first; not what was granted to their address, which anybody may
        have typed. Errors: ``not_found`` (the scope).
        """
        scope.demand("practitioner")
        subject = self._subject(f"account:{scope.owner}")
        rows = await self._database.ask(OF_SUBJECT, {"subjects": [subject]})
        opened = await self._reader.open(REQUESTS, rows)
        theirs = [one for one in opened.living if one.proven == "account"]
        newest = sorted(theirs, key=lambda one: (one.asked, one.id), reverse=True)
        return RequestList(tuple(newest), len(opened.damaged))

    def token(self, seed: str) -> str:
        """What the link to a request holds."""
        return self._keys.link_token(seed)

    async def of_link(self, token: str) -> Request:
        """What a link leads to; looking changes nothing. Errors: ``link_invalid``, ``unreadable``."""
        rows = await self._database.ask(BY_TOKEN, {"token": self._index(token)})
        if not rows:
            raise DomainError("link_invalid")
        return (await self._reader.one(REQUESTS, rows[0]))[0]

    async def confirm(self, token: str) -> Request:
        """Whoever was mailed the link pressed the button behind it: the address is theirs. Whether the link was mailed
        is for whoever calls this to know.

        Errors: ``link_invalid``, ``unreadable``.
        """
        for _ in range(TRIES):
            before = await self.of_link(token)
            if before.proven or not before.mail:
                return before
            after = replace(before, proven="confirmed", version=before.version + 1)
            if await self._writer.instead(REQUESTS, after, always):
                return after
        raise DomainError("try_again")

    async def reply(self, token: str, text: str, tell: Tell = nobody) -> Request:
        """What was asked back is answered, once. Errors: ``link_invalid``, ``invalid``, ``conflict``."""
        said = written(text, "text", MOST)
        if not said:
            raise DomainError("invalid", "text")
        before = await self.of_link(token)
        if before.phase != "asked":
            raise DomainError("conflict")
        after = replace(before, reply=said, replied=self._now(), version=before.version + 1)
        if not await self._writer.instead(REQUESTS, after, always, tell(after)):
            raise DomainError("conflict")
        return after

    # --- for what may have to stand still ----------------------------------------------------------------------------

    async def paused(self, purpose: Purpose, who: Collection[str]) -> frozenset[str]:
        """Those of whom a purpose stands still: somebody objected, and it is undecided or granted. ``who`` are ids of
        accounts and mail addresses. What cannot be read counts as an objection.
        """
        names = {self._subject(named(one)): one for one in who}
        rows = await self._database.ask(OF_SUBJECT, {"subjects": list(names)}) if names else []
        opened = await self._reader.open(REQUESTS, rows)
        found = {one.subject for one in opened.living if one.pauses and one.purpose == purpose}
        damaged = {one.id for one in opened.damaged}
        found |= {row.subject.hex() for row in rows if row.id in damaged}
        return frozenset(one for subject, one in names.items() if subject.hex() in found)

    # --- the server's own work ---------------------------------------------------------------------------------------

    async def backlog(self) -> Backlog:
        """How many wait, of all organisations together."""
        now = self._now()
        return counted((await self._database.ask(COUNTED, bound(now)))[0], now)

    async def to_be_reminded(self) -> list[tuple[Request, int]]:
        """Those of which somebody is to be reminded now, and of which day: 0 of what just came, ``LATE`` once it is."""
        found, after = [], ""
        while rows := await self._database.ask(WAITING, {"after": after}):
            for one in (await self._reader.open(REQUESTS, rows)).living:
                zone, now = await zone_of(one), self._now()
                days = one.reminders
                day = clock.LATE if one.overdue(now) else clock.reminder(one.asked, now, zone, one.reminded, days)
                if day is None and one.reminded < 0:
                    day = 0
                if day is not None and day > one.reminded:
                    found.append((one, day))
            after = rows[-1].id
        return sorted(found, key=lambda each: (each[0].asked, each[0].id))

    async def reminded(self, request: Request, day: int, along: Along | None = None) -> bool:
        """Somebody is, by mail that ``along`` writes; whether nobody else did it meanwhile."""
        after = replace(request, reminded=day, version=request.version + 1)
        return await self._writer.instead(REQUESTS, after, always, along)

    async def extension_sent(self, seed: str, at: datetime) -> bool:
        """The mail with the reason of an extension went out: from now on it counts, if that was before day 28."""
        for _ in range(TRIES):
            try:
                one = await self.of_link(self.token(seed))
            except DomainError:
                return False
            zone = await zone_of(one)
            if not one.extension or one.extension_sent or one.decided or not clock.extends(one.asked, at, zone):
                return False
            due = clock.extended(one.asked, zone)
            after = replace(one, extension_sent=at, due=due, version=one.version + 1)
            if await self._writer.instead(REQUESTS, after, always):
                return True
        raise DomainError("try_again")

    async def bury(self) -> int:
        """Those that were answered long ago die, and objections that held until their account ended; how many."""
        held = (await self._reader.open(REQUESTS, await self._database.ask(HELD))).living
        accounts = {one.account for one in held if one.account}
        left = (
            {row.id for row in await self._database.ask(ACCOUNTS, {"accounts": list(accounts)})} if accounts else set()
        )
        gone = [one.id for one in held if one.account not in left]
        late = (requests.c.until <= seconds(self._now())) | requests.c.id.in_(gone)
        count = await self._database.tell(REQUESTS.marking().where(late, REQUESTS.is_living))
        if count:
            self._sweep()
        return count

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _whose(self, scope: Scope, filing: Filing) -> Whose:
        match scope.role:
            case "practitioner":
                person = await self._accounts.get(scope)
                organisation = await self._of_account(person.id)
                return Whose(f"account:{person.id}", organisation, person.id, person.mail, "account")
            case "guest":
                visit = await self._appointments.by_link(scope, filing.secret)
                if visit is None:
                    raise DomainError("not_found")
                one, guest = visit.appointment, visit.guest
                name = f"link:{one.id}:{guest.id if guest else ''}"
                mail = (one.contact.mail if one.contact else None) or ""
                return Whose(name, await self._of_account(one.owner), one.owner, mail, "link")
            case "server":
                name = f"mail:{canonical(filing.mail)}" if filing.mail else f"once:{filing.once or new_id()}"
                organisation = await (self._of_account(filing.about) if filing.about else self._host())
                return Whose(name, organisation, None, filing.mail, "")
            case _:
                raise DomainError("not_found")

    async def _of_account(self, account: str) -> str:
        standing = await self._organisations.standing(account)
        return (standing.organisation if standing else None) or await self._host()

    async def host(self) -> str | None:
        """The server's own organisation, if there is one that does not end: it is asked what names nobody."""
        async with self._database.read() as connection:
            return await founded(connection)

    async def _host(self) -> str:
        organisation = await self.host()
        if organisation is None:
            raise DomainError("try_again")
        return organisation

    def _subject(self, name: str) -> bytes:
        return subject_of(self._keys, name)

    def _index(self, token: str) -> bytes:
        return self._keys.reset_mark("request", token)


async def zone_of(one: Request) -> tzinfo:
    """By which the days of a request are counted: the file of a zone is read apart, once."""
    if one.zone not in ZONES:
        ZONES[one.zone] = await asyncio.to_thread(ZoneInfo, one.zone)
    return ZONES[one.zone]


def subject_of(keys: KeyStore, name: str) -> bytes:
    """The keyed hash by which who asks is found."""
    return keys.reset_mark("asks", name)


def named(who: str) -> str:
    """What tells an account, or an address, from others."""
    return f"mail:{canonical(who)}" if "@" in who else f"account:{who}"


def is_same(one: Request, other: Request) -> bool:
    """Whether somebody asks what they asked before and nobody has answered."""
    asked = [(each.owner, each.what, each.purpose, " ".join(each.text.split())) for each in (one, other)]
    return one.decided is None and asked[0] == asked[1]


def checked(filing: Filing) -> Filing:
    """The same as it is kept. Errors: ``invalid``, with the field."""
    for field, value, values in (
        ("what", filing.what, WHATS),
        ("way", filing.way, WAYS),
        ("language", filing.language, get_args(Language)),
        ("purpose", filing.purpose, PURPOSES if filing.what == "objection" else (None,)),
    ):
        if value not in values:
            raise DomainError("invalid", field)
    if mail := filing.mail.strip():
        try:
            mailbox(mail)
        except ValueError:
            raise DomainError("invalid", "mail") from None
        if len(mail) > MOST_MAIL:
            raise DomainError("invalid", "mail")
    return replace(filing, text=written(filing.text, "text", MOST), mail=mail)

"""A server that lies: it says who is in the room, withholds, replays, and takes part in handshakes under any name."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

from client.exchange import KeyExchange, _event, _message
from client.handshake import Handshake, Message, OutdatedError, TamperingError
from client.keyring import KeyRing
from client.tally import SAID_FROM, Chain, Tally
from signaling.protocol.events import RoomView
from signaling.protocol.handshake import KeyCommitted, KeyRevealed, KeyWrapped

APPOINTMENT = "appointment"
Heard = type[KeyCommitted | KeyRevealed | KeyWrapped]
HEARD: dict[str, Heard] = {"key-commit": KeyCommitted, "key-reveal": KeyRevealed, "key-wrap": KeyWrapped}
ROLES = {"a": "practitioner", "b": "patient", "x": "guest"}
MOST_UNSAID, RENEWALS = SAID_FROM - 1, 10
Sent = tuple[str, Any]


class LeakError(AssertionError):
    """Somebody who should not holds a secret, and nobody was told."""


class Claims(Chain):
    """Of the liar: it claims what it likes to have completed, and believes anything."""

    def __init__(self, claim: bytes) -> None:
        super().__init__()
        self._claim = claim

    def last(self, other: str) -> bytes:
        return self._claim

    def holds(self, other: str, claim: bytes) -> bool:
        return True


class Ring(KeyRing):
    """Writes down what was sent under."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.used: list[bytes] = []

    def set_own(self, epoch: int, index: int, secret: bytes) -> None:
        super().set_own(epoch, index, secret)
        self.used.append(secret)


class Page:
    """One person's page. ``withheld``: how often, truly, this person's reveal left in vain, on whatever page."""

    def __init__(self, letter: str, codes: int) -> None:
        self.letter = letter
        self.withheld = 0
        self._loads = 0
        self._codes = codes
        self.load(Tally())

    def load(self, tally: Tally) -> None:
        self._loads += 1
        self.id = f"{self.letter}{self._loads}"
        self.role = ROLES[self.letter]
        self.ring = Ring()
        self.keys = KeyExchange(self.ring, self.id, self._request, tally, codes=self._codes)
        self.sent: list[Sent] = []
        self.others: dict[bytes, set[str]] = {}
        self.refused = False
        self.epoch = 0
        self.revealed = False
        self.seen: set[str] = set()
        self.renewals = 0

    async def _request(self, event: str, body: Any) -> None:
        if self.refused:
            raise LeakError(f"{event} from a page that refused")
        self.sent.append((event, body))
        self.revealed = self.revealed or event == "key-reveal"

    def reload(self) -> None:
        self._over()
        self.keys.close()
        self.load(self.keys.tally)

    async def view(self, epoch: int, shown: Iterable[str], members: Iterable[str] | None) -> None:
        """``members``: ids beside our own; None: there are no keys."""
        self._over()
        shown = set(shown)
        if members is not None:
            self.epoch = epoch
            self.renewals = 1 if shown - self.seen else self.renewals + 1
            self.seen |= shown
        self.sent = []
        room = {
            "version": epoch,
            "appointment": APPOINTMENT,
            "me": person(self.id),
            "others": [person(one) for one in sorted(shown)],
            "media": None,
            "keys": members if members is None else {"epoch": epoch, "members": listed({self.id, *members})},
            "resume": "",
        }
        await self._guarded(self.keys.follow(RoomView.model_validate(room)))

    async def hear(self, sender: str, event: str, body: Any) -> None:
        fields = body.model_dump(exclude={"to", "sender"}) | {"sender": sender}
        digits, holders, epochs = self.keys.comparison._last, set(self.keys.holders), len(self.keys.epochs)
        await self._guarded(self.keys.receive(event, HEARD[event].model_validate(fields)))
        if len(self.keys.epochs) > epochs:
            self._completed(digits, holders)

    def _completed(self, digits: str | None, holders: set[str]) -> None:
        self.revealed = False
        self.others[self.ring.used[-1]] = set(self.keys.holders)
        again = self.keys.comparison.again
        if digits is not None and self.keys.code != digits and again is None:
            raise LeakError("digits changed in silence")
        if digits is not None and self.keys.holders - holders and again != "came":
            raise LeakError("somebody came in silence")

    async def _guarded(self, work: Any) -> None:
        if self.refused:
            work.close()
            return
        try:
            await work
        except (TamperingError, OutdatedError):
            self.refused = True

    def _over(self) -> None:
        """An epoch of this page ends, whatever the reason."""
        self.withheld += self.revealed
        self.revealed = False

    @property
    def shows(self) -> tuple[str | None, int, bool]:
        return self.keys.code, self.keys.people, self.keys.comparison.withheld


def person(one: str) -> dict[str, Any]:
    seen = {"participant": one, "role": ROLES[one[0]], "state": "admitted", "connected": True, "media": "new"}
    return seen | {"indicators": {}}


def listed(ids: Iterable[str]) -> list[dict[str, str]]:
    return [{"participant": one, "role": ROLES[one[0]]} for one in sorted(ids)]


class Persona:
    """The liar as a member of one epoch of ``victims``, under the name ``me``."""

    def __init__(self, me: str, epoch: int, victims: list[Page], claim: bytes, codes: int) -> None:
        self.me = me
        self.victims = victims
        members = [(one, ROLES[one[0]]) for one in sorted({me, *(victim.id for victim in victims)})]
        self.handshake = Handshake(APPOINTMENT, epoch, members, me, os.urandom, chain=Claims(claim), codes=codes)
        self.held: list[Message] = self.handshake.start()

    def listen(self) -> None:
        """To all that the victims sent."""
        for victim in self.victims:
            for event, body in victim.sent:
                if body.epoch == self.handshake.epoch and getattr(body, "to", self.me) == self.me:
                    with suppress(TamperingError, OutdatedError):
                        self.held += self.handshake.receive(victim.id, _message(event, body, self.me))

    async def say(self, kind: str) -> None:
        """What is held back of this kind, to those it is for."""
        said = [message for message in self.held if message.kind == kind]
        self.held = [message for message in self.held if message.kind != kind]
        for message in said:
            event, body = _event(self.handshake.epoch, message)
            for victim in self.victims:
                if message.to in ("", victim.id):
                    await victim.hear(self.me, event, body)


class Liar:
    """Between the pages of ``a`` and ``b``; what it does is drawn from ``random``."""

    def __init__(self, random: Random, codes: int) -> None:
        self.random = random
        self.codes = codes
        self.pages = [Page("a", codes), Page("b", codes)]
        self.epoch = 0
        self.middle: dict[str, Persona] = {}
        self.known: set[bytes] = set()
        self.recorded: list[tuple[str, Sent]] = []
        self.invented = 0

    async def run(self, steps: int) -> str:
        """Until somebody notices, or that many steps. Returns what came of it.

        Raises:
            LeakError: a secret is lost, and nobody was told.
        """
        moves = [self.relay] * 4 + [self.between] * 2 + [self.grind] * 6 + [self.finish] * 3
        moves += [self.agree_only, self.leave, self.hide, self.reload, self.replay, self.alter, self.time_out]
        try:
            for _ in range(steps):
                for page in self.pages:
                    if page.refused and self.random.random() < 0.5:
                        page.reload()
                await self.random.choice(moves)()
                self.check()
                if self.random.random() < 0.3 and (outcome := self.compare()):
                    return outcome
            return "nothing"
        finally:
            for page in self.pages:
                page.keys.close()

    # --- what it can do ----------------------------------------------------------------------------------------------

    def _other(self, page: Page) -> Page:
        return self.pages[page is self.pages[0]]

    def _some(self) -> Page:
        return self.random.choice(self.pages)

    def _next(self) -> int:
        self.epoch += self.random.choice((1, 1, 2))
        return self.epoch

    async def relay(self) -> None:
        """An honest epoch, to its end or until something is withheld."""
        ends = self.random.random() < 0.6
        await self.honest(self._next(), 99 if ends else self.random.randrange(6))

    async def honest(self, epoch: int, most: int = 99) -> None:
        """Both see each other; the first ``most`` messages are passed on."""
        self.middle.clear()
        for page in self.pages:
            await page.view(epoch, {self._other(page).id}, {self._other(page).id})
        await self._pass_on(epoch, most)

    async def _pass_on(self, epoch: int, most: int) -> None:
        for page, event, body in self._flow(epoch):
            if (most := most - 1) < 0:
                return
            self.recorded.append((page.id, (event, body)))
            await self._other(page).hear(page.id, event, body)

    def _flow(self, epoch: int) -> Iterator[tuple[Page, str, Any]]:
        """All that the two say, as they come to say it."""
        heard = {page.id: 0 for page in self.pages}
        while True:
            waiting = [page for page in self.pages if heard[page.id] < len(page.sent)]
            if not waiting:
                return
            page = self.random.choice(waiting)
            event, body = page.sent[heard[page.id]]
            heard[page.id] += 1
            if event in HEARD and body.epoch == epoch:
                yield page, event, body

    async def between(self, page: Page | None = None) -> None:
        """An epoch of one page in which the liar is the other person, or somebody who is shown instead."""
        page = page or self._some()
        name = self._other(page).id
        if self.random.random() < 0.1:
            self.invented += 1
            name = f"x{self.invented}"
        agreed = sorted(page.keys._chain._agreed.get(name, ()))
        persona = Persona(name, self._next(), [page], self.random.choice([b"", *agreed]), self.codes)
        self.middle[page.letter] = persona
        await page.view(self.epoch, {name}, {name})
        persona.listen()
        await persona.say("commit")
        persona.listen()

    async def grind(self) -> None:
        """If the codes would be the same, finish; if not, give up one end and begin it anew."""
        for page in self.pages:
            if page.letter not in self.middle:
                await self.between(page)
                return
        codes = {one.handshake.code for one in self.middle.values()}
        if len(codes) == 1 and None not in codes:
            for page in self.pages:
                await self.finish(page)
        else:
            await self.between(self._some())

    async def finish(self, page: Page | None = None) -> None:
        """Show the liar's key and give its secret."""
        page = page or self._some()
        persona = self.middle.get(page.letter)
        if persona:
            await persona.say("reveal")
            persona.listen()
            await persona.say("wrap")
            self.known |= set(persona.handshake.secrets.values())

    async def agree_only(self) -> None:
        """Show the key, take the secret, give none."""
        persona = self.middle.get(self._some().letter)
        if persona:
            await persona.say("reveal")
            persona.listen()
            self.known |= set(persona.handshake.secrets.values())

    async def leave(self) -> None:
        """Say that the other one left."""
        page = self._some()
        self.middle.pop(page.letter, None)
        await page.view(self._next(), set(), None)

    async def hide(self) -> None:
        """An honest epoch, with one member more, who is not shown."""
        epoch = self._next()
        self.middle.clear()
        persona = Persona("x0", epoch, self.pages, b"", self.codes)
        for page in self.pages:
            other = self._other(page).id
            await page.view(epoch, {other}, {other, "x0"})
        for kind in ("commit", "reveal", "wrap"):
            await persona.say(kind)
            await self._pass_on(epoch, 99)
            persona.listen()
        self.known |= set(persona.handshake.secrets.values())
        for page in self.pages:
            if page.sent or not page.refused:
                raise LeakError("something was sent in an epoch with somebody who is not shown")

    async def reload(self) -> None:
        """A person loads the page anew; whether the other one is told is another matter."""
        page = self._some()
        self.middle.pop(page.letter, None)
        page.reload()

    async def replay(self) -> None:
        """Something that was said before, as of now."""
        if self.recorded:
            page = self._some()
            sender, (event, body) = self.random.choice(self.recorded)
            body = body.model_copy(update={"epoch": max(1, page.epoch)}) if self.random.random() < 0.7 else body
            await page.hear(sender, event, body)

    async def alter(self) -> None:
        """An honest epoch in which one field is another."""
        epoch, at = self._next(), self.random.randrange(4)
        self.middle.clear()
        for page in self.pages:
            await page.view(epoch, {self._other(page).id}, {self._other(page).id})
        for number, (page, event, body) in enumerate(self._flow(epoch)):
            changes: dict[str, dict[str, Any]] = {
                "key-commit": {"version": 1},
                "key-reveal": {"withheld": getattr(body, "withheld", 0) + 1},
                "key-wrap": {"wrapped": "A" * 80},
            }
            said = body.model_copy(update=changes[event]) if number == at else body
            await self._other(page).hear(page.id, event, said)
            if number == at and not self._other(page).refused:
                raise LeakError("something that was altered was taken")

    async def time_out(self) -> None:
        """Five seconds pass."""
        page = self._some()
        if page.keys._handshake and not page.refused:
            counted, page.revealed = page.revealed and page.keys.epochs[-1:] != [page.epoch], False
            page.withheld += counted
            page.keys._restart(page.epoch)

    # --- what has to hold --------------------------------------------------------------------------------------------

    def check(self) -> None:
        for page in self.pages:
            if page.renewals >= RENEWALS and page.keys.comparison.code and not page.keys.comparison.withheld:
                raise LeakError(f"{page.renewals} renewals, and nobody was told")
            if page.withheld > MOST_UNSAID and page.keys.comparison.code and not page.keys.comparison.withheld:
                raise LeakError(f"{page.withheld} reveals came to nothing, and nobody was told")

    def compare(self) -> str | None:
        """The people look. Returns why it is over, if they notice something."""
        first, second = self.pages
        if first.keys.code is None or second.keys.code is None or first.refused or second.refused:
            return None
        if first.shows != second.shows:
            return "noticed"
        if first.keys.comparison.withheld:
            return "said"
        for page in self.pages:
            lost = [
                one
                for one in page.ring.used
                if one in self.known and self._other(page).id in page.others.get(one, page.seen)
            ]
            if lost and not (page.ring.used[-1] in self.known and self._lucky()):
                raise LeakError("a secret was lost, and the codes are equal")
            page.keys.comparison.agree()
        return "lucky" if self.known & {page.ring.used[-1] for page in self.pages} else None

    def _lucky(self) -> bool:
        """Whoever stands in between guessed right, with no more tries than he has."""
        return all(page.withheld <= MOST_UNSAID and page.renewals < RENEWALS for page in self.pages)

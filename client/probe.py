"""A synthetic consult: two participants through everything a server does, each step timed.

Of it stay the receipt of its appointment's destruction and what the audit trail says of it, nothing else.
"""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import SplitResult, urlsplit

from client.errors import ClientError, Refusal
from client.media import Receiving
from client.media_session import Tracks
from client.participant import Participant, patient, practitioner
from client.rest import Rest
from client.synthetic import Pattern, Tone

MARK = "Synthetic check"
"""The name of our patients; appointments with it are nobody else's."""
STALE_SECONDS = 600
CLEAN_UP_SECONDS = 10.0
HERTZ, GREY = {"practitioner": 400, "patient": 700}, {"practitioner": 60, "patient": 200}
HERTZ_OFF, GREY_OFF = 20, 12

HINTS = {
    "name": "Does the name resolve from here?",
    "tls": "Is the proxy running, and its certificate valid for this name?",
    "health": "`/health/ready` names what is missing; the server's log says more.",
    "sign-in": "Is the monitoring practitioner's account there, with this password?",
    "plan": "Do database and key store work?",
    "join": "Does the database work?",
    "socket": "Does the proxy pass WebSockets on, and is Redis there?",
    "wait": "Does Redis pass events from node to node?",
    "admit": "Does Redis work?",
    "offer": "Is there a media worker? (`/health/ready`, `workers`)",
    "transport": "Does UDP reach the media workers' announced addresses, or TURN?",
    "keys": "Do Socket.IO events reach both sides?",
    "picture to practitioner": "Media comes through, but not whole: look at loss and at the workers' load.",
    "picture to patient": "Media comes through, but not whole: look at loss and at the workers' load.",
    "sound to practitioner": "Media comes through, but not whole: look at loss and at the workers' load.",
    "sound to patient": "Media comes through, but not whole: look at loss and at the workers' load.",
    "chat": "Do Socket.IO events reach both sides?",
    "leave": "Does Redis pass events from node to node?",
    "destroy": "The appointment is still there: destroy it by hand. Does the key store work?",
}


@dataclass(frozen=True)
class Account:
    """The monitoring practitioner's: mail and password, or a demo's sign-in link."""

    mail: str = ""
    password: str = field(default="", repr=False)
    link: str = field(default="", repr=False)


@dataclass
class Step:
    """One that was made. ``why`` is None if it went well; ``detail`` says more and holds no secret."""

    name: str
    milliseconds: float
    detail: str = ""
    why: str | None = None


class StepFailed(Exception):  # noqa: N818 -- what happened, not what is wrong with us
    """The rest cannot be tried."""


def whole(url: str) -> SplitResult:
    """The parts of a server's origin.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(url)
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not parts.hostname or extra:
        raise ValueError("not the address of a server: it has to look like https://consult.example")
    return parts


class Probe:
    """Made for one check.

    Args:
        url: the server's origin.
        seconds: for everything but the cleaning up, which has 10 more.
        relayed: media goes through TURN, even if there is another way.
        on_step: called with each step as it was made.
    """

    def __init__(
        self,
        url: str,
        account: Account,
        *,
        seconds: float = 60.0,
        tls: ssl.SSLContext | None = None,
        relayed: bool = False,
        on_step: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        self.steps: list[Step] = []
        self._parts = whole(url)
        self._url = f"{self._parts.scheme}://{self._parts.netloc}"
        self._account = account
        self._seconds = seconds
        self._tls = tls
        self._relayed = relayed
        self._on_step = on_step
        self._deadline = 0.0
        self._appointment: str | None = None

    async def run(self) -> bool:
        """Whether all went well; ``steps`` say what did not."""
        self._deadline = time.monotonic() + self._seconds
        async with AsyncExitStack() as stack:
            desk = await stack.enter_async_context(Rest(self._url, tls=self._tls))
            visitor = await stack.enter_async_context(Rest(self._url, tls=self._tls))
            stack.push_async_callback(self._clean_up, desk)
            with suppress(StepFailed):
                await self._reach(desk)
                link = await self._plan(desk)
                await self._consult(desk, visitor, link)
        return all(step.why is None for step in self.steps)

    # --- steps -----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _step(self, name: str, since: float | None = None, *, limit: float | None = None) -> AsyncIterator[Step]:
        start = time.monotonic() if since is None else since
        step = Step(name, 0.0)
        left = max(0.0, self._deadline - time.monotonic()) if limit is None else limit
        try:
            async with asyncio.timeout(left):
                yield step
        except TimeoutError as error:
            step.why = str(error) or f"not within {left:.0f} s"
        except Refusal as error:
            step.why = f"the server answers {error}"
        except Exception as error:  # noqa: BLE001 -- whatever went wrong, it is this step that failed
            step.why = f"{type(error).__name__}: {error}"
        step.milliseconds = round((time.monotonic() - start) * 1000, 1)
        self.steps.append(step)
        self._on_step(step)
        if step.why is not None:
            raise StepFailed

    async def _until(self, reason: Callable[[], str | None], *people: Participant) -> None:
        """Wait until there is no reason any more why not yet; a timeout gives the last one."""
        while why := reason():
            for person in people:
                if person.failure:
                    raise person.failure
            # A little before the step's own timeout, which would not know why.
            if time.monotonic() > self._deadline - 0.2:
                raise TimeoutError(why)
            await asyncio.sleep(0.01)

    async def _reach(self, desk: Rest) -> None:
        host, tls = self._parts.hostname or "", self._parts.scheme == "https"
        port = self._parts.port or (443 if tls else 80)
        loop = asyncio.get_running_loop()
        async with self._step("name") as step:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            step.detail = " ".join(sorted({"IPv6" if one[0] == socket.AF_INET6 else "IPv4" for one in found}))
        async with self._step("tls" if tls else "connect") as step:
            context = (self._tls or ssl.create_default_context()) if tls else None
            _, writer = await asyncio.open_connection(host, port, ssl=context)
            step.detail = _certificate(writer.get_extra_info("ssl_object"))
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        async with self._step("health") as step:
            status, text = await desk.fetch("GET", "/health/ready")
            step.detail = "" if status == 200 else f"HTTP {status}"
            # A proxy may keep health from the outside; what does not work shows itself below.
            if status not in (200, 401, 403, 404):
                raise Refusal("not-ready", _unready(text))

    async def _plan(self, desk: Rest) -> str:
        async with self._step("sign-in"):
            if self._account.link:
                await desk.sign_in_with_link(self._account.link.rsplit("#", 1)[-1])
            else:
                await desk.sign_in(self._account.mail, self._account.password)
        async with self._step("plan"):
            await _sweep(desk)
            starts_at = datetime.now(UTC).isoformat(timespec="seconds")
            planned = await desk.new_appointment(MARK, starts_at, 5)
            self._appointment = planned.appointment
        return planned.link.split("#")[1]

    async def _consult(self, desk: Rest, visitor: Rest, link: str) -> None:
        assert self._appointment
        doctor = practitioner(desk, self._appointment, _tracks("practitioner"), relayed=self._relayed)
        async with AsyncExitStack() as stack:
            async with self._step("join"):
                guest = await patient(visitor, link, _tracks("patient"), relayed=self._relayed)
            async with self._step("socket"):
                for person in (doctor, guest):
                    await stack.enter_async_context(person)
            async with self._step("wait"):
                await doctor.watch()
                await guest.arrive()
                await self._until(lambda: _waits(doctor, guest), doctor, guest)
            start = time.monotonic()
            async with self._step("admit"):
                await doctor.admit(guest.id)
            await self._meet(doctor, guest, start)
            async with self._step("chat"):
                await doctor.send_chat("?")
                await guest.send_chat("!")
                texts = ["?", "!"]
                await self._until(
                    lambda: None if _said(doctor) == _said(guest) == sorted(texts) else "a message is missing", doctor
                )
            async with self._step("leave"):
                await doctor.leave()
                await self._until(lambda: None if guest.ended else "the patient is not told", guest)

    async def _meet(self, doctor: Participant, guest: Participant, start: float) -> None:
        """What happens at the same time, each counted from the moment of admission."""
        both = doctor, guest
        reasons: dict[str, Callable[[], str | None]] = {
            "offer": lambda: None if all(one.answered for one in both) else "no answer to an offer",
            "transport": lambda: _transport(doctor) or _transport(guest),
            "keys": lambda: _codes(doctor, guest),
        }
        for viewer, other in (both, both[::-1]):
            reasons[f"picture to {viewer.role}"] = partial(_picture, viewer, other)
            reasons[f"sound to {viewer.role}"] = partial(_sound, viewer, other)

        async def reach(name: str) -> None:
            async with self._step(name, start):
                await self._until(reasons[name], *both)

        reached = await asyncio.gather(*map(reach, reasons), return_exceptions=True)
        order = [*reasons]
        # The first that failed is what the others stand on.
        self.steps[-len(order) :] = sorted(self.steps[-len(order) :], key=lambda step: order.index(step.name))
        for outcome in reached:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _clean_up(self, desk: Rest) -> None:
        """Destroy our appointment, whatever happened before."""
        with suppress(StepFailed):
            if self._appointment:
                async with self._step("destroy", limit=CLEAN_UP_SECONDS):
                    await desk.destroy_appointment(self._appointment)
            with suppress(ClientError, TimeoutError):
                async with asyncio.timeout(CLEAN_UP_SECONDS):
                    await desk.sign_out()


async def _sweep(desk: Rest) -> None:
    """What a check that was killed left behind."""
    before = datetime.now(UTC) - timedelta(seconds=STALE_SECONDS)
    for one in await desk.appointments():
        if one.patient == MARK and datetime.fromisoformat(one.starts_at) < before:
            with suppress(Refusal):
                await desk.destroy_appointment(one.appointment)


def _tracks(role: str) -> Tracks:
    return {"microphone": Tone(HERTZ[role]), "camera": Pattern(GREY[role])}


def _certificate(connection: ssl.SSLObject | None) -> str:
    certificate = connection.getpeercert() if connection else None
    if connection is None or not certificate:
        return ""
    days = (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86_400
    return f"{connection.version()}, certificate for {days:.0f} more days"


def _unready(text: str) -> str:
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        checks = json.loads(text)["checks"]
        return ", ".join(sorted(name for name, one in checks.items() if not one["ok"]))
    return ""


def _waits(doctor: Participant, guest: Participant) -> str | None:
    waiting = [view.participant for view in doctor.desk.waiting] if doctor.desk else []
    return None if guest.id in waiting else "the desk does not show who waits"


def _said(person: Participant) -> list[str]:
    return sorted(entry.text for entry in person.chat)


def _transport(person: Participant) -> str | None:
    state = person.media.pc.connectionState if person.media else "missing"
    ice = person.media.pc.iceConnectionState if person.media else "missing"
    return None if state == "connected" else f"the {person.role}'s connection is {state}, ICE {ice}"


def _codes(doctor: Participant, guest: Participant) -> str | None:
    codes = {doctor.keys.code, guest.keys.code}
    if None in codes:
        return "the handshake is not complete"
    return None if len(codes) == 1 else "the verification codes differ"


def _picture(viewer: Participant, other: Participant) -> str | None:
    place = viewer.receiving(other.id, "camera")
    if place is None or place.decoded == 0:
        return _missing("picture", place)
    level = place.grey_level()
    return None if level is not None and abs(level - GREY[other.role]) < GREY_OFF else "a wrong picture"


def _sound(viewer: Participant, other: Participant) -> str | None:
    place = viewer.receiving(other.id, "microphone")
    if place is None or place.decoded == 0:
        return _missing("sound", place)
    return None if abs(place.frequency() - HERTZ[other.role]) < HERTZ_OFF else "a wrong sound"


def _missing(what: str, place: Receiving | None) -> str:
    if place is None:
        return f"no place for {what}"
    return f"no {what}: {place.opened} frames opened, {place.refused} refused"

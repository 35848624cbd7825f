"""Browsers are woken when somebody arrives: by whom, when not, and how often it is tried."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from practice.push_subscriptions.sending import Pusher
from practice.settings import PracticeSettings
from rooms.consult import new
from rooms.consult_events import Admit, Arrive, Leave
from rooms.consult_state import PRACTITIONER
from signaling.gate import SIGNALING
from signaling.pushing import FIRST_WAIT, TERM, Pushing
from signaling.typedefs import PUSHER
from tests.client.waiting import until
from tests.opening import of
from tests.servers.push import PushService, pushing
from tests.signaling.conftest import Server
from vault.errors import DomainError

WHERE = "/api/v1/push"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[PushService]:
    (tmp_path / "push").mkdir()
    async with pushing(tmp_path / "push") as found:
        yield found


@pytest.fixture
def server_practice(service: PushService) -> PracticeSettings:
    return service.settings()


@pytest.fixture
async def alices(server: Server, service: PushService) -> str:
    """Alice is signed in, and her browser wants to be told; its endpoint."""
    service.now = server.time.now()
    await server.sign_in("alice")
    answer = await server.call("PUT", WHERE, {"endpoint": service.endpoint()}, who="alice")
    assert (answer.status, answer.body) == (200, {"told": True})
    return service.endpoint()


async def told(server: Server) -> list[str]:
    return [one.endpoint for one in await server.store.push_subscriptions.of(of(server.alice.id))]


class Waiting:
    """Somebody who comes to an appointment of Alice's, and goes."""

    def __init__(self, server: Server, appointment: str) -> None:
        self.consults = server.app[SIGNALING].consults
        self.appointment = appointment
        self.absent = new(appointment, server.alice.id, server.time.now())

    async def comes(self, name: str = "patient", socket: str = "a patient's") -> None:
        arrival = Arrive(participant=name, seat=name, role="patient", socket=socket, node=self.consults.node)
        await self.consults.runner.apply(self.appointment, arrival, absent=self.absent)

    async def goes(self, name: str = "patient") -> None:
        await self.consults.runner.apply(self.appointment, Leave(name))

    async def is_admitted(self) -> None:
        me = Arrive(
            participant="doctor",
            seat=PRACTITIONER,
            role="practitioner",
            socket="of doctor",
            node=self.consults.node,
        )
        await self.consults.runner.apply(self.appointment, Admit(me, "patient"))


@pytest.fixture
async def patient(server: Server) -> Waiting:
    return Waiting(server, (await server.appoint(server.alice)).id)


def woken(service: PushService, number: int) -> Callable[[], str | None]:
    return lambda: None if len(service.woken) == number else f"{service.woken} and {service.wrong}"


async def test_who_arrives_wakes_the_browser_once(
    server: Server, service: PushService, alices: str, patient: Waiting
) -> None:
    await patient.comes()
    await until(woken(service, 1))
    assert service.server.asked[0].body == b"" and 0 < service.ttls[0] <= TERM
    await patient.goes()
    await patient.comes("again")
    await asyncio.sleep(0.3)
    assert len(service.server.asked) == 1, "whoever comes and goes wakes nobody each time"


async def test_who_only_comes_back_wakes_nobody(
    server: Server, service: PushService, alices: str, patient: Waiting
) -> None:
    arrivals: list[str] = []
    port = server.app[SIGNALING].consults.runner._port
    object.__setattr__(port, "arrived", arrivals.append)
    await patient.comes()
    await patient.comes(socket="another")
    await patient.is_admitted()
    assert arrivals == [server.alice.id]


async def test_a_browser_says_so_and_takes_it_back(server: Server, service: PushService, alices: str) -> None:
    key = server.app[PUSHER]
    assert key is not None
    assert (await server.call("GET", WHERE, who="alice")).body == {"key": key.public_key}
    assert (await server.call("POST", f"{WHERE}/renewal", {"endpoint": alices}, who="alice")).body == {"told": True}
    await server.sign_in("bob")
    assert (await server.call("POST", f"{WHERE}/renewal", {"endpoint": alices}, who="bob")).body == {"told": False}
    assert (await server.call("POST", f"{WHERE}/end", {"endpoint": alices}, who="bob")).body == {"told": False}
    assert await told(server) == [alices]
    assert (await server.call("POST", f"{WHERE}/end", {"endpoint": alices}, who="alice")).body == {"told": False}
    assert await told(server) == []
    acts = [(one.act, one.detail) async for one in server.store.audit.entries() if one.act == "push-changed"]
    assert acts == [("push-changed", "set"), ("push-changed", "removed"), ("push-changed", "removed")]


@pytest.mark.parametrize(
    "endpoint",
    ["https://127.0.0.1/x", "https://169.254.169.254/x", "https://evil.example/x", "http://localhost/x", "x"],
)
async def test_an_endpoint_of_another_host_is_refused_and_nothing_kept(
    server: Server, service: PushService, endpoint: str
) -> None:
    await server.sign_in("alice")
    answer = await server.call("PUT", WHERE, {"endpoint": endpoint}, who="alice")
    assert (answer.status, answer.body["error"]["code"]) == (422, "push_service")
    assert await told(server) == [] and service.server.asked == []


async def test_signing_out_ends_it(server: Server, alices: str) -> None:
    await server.call("POST", "/api/v1/sign-out", who="alice")
    assert await told(server) == []


async def test_other_sign_ins_end_with_it_and_deactivation_ends_all(
    server: Server, service: PushService, alices: str
) -> None:
    signaling, me = server.app[SIGNALING], server.alice.id
    here = (await server.store.sessions.of(of(me)))[0].reference
    other = service.endpoint("other")
    await server.store.push_subscriptions.subscribe(of(me), other, "another")
    await signaling.sign_out_session(me, "another")
    assert await told(server) == [alices]
    await server.store.push_subscriptions.subscribe(of(me), other, "another")
    await signaling.sign_out_others(me, here, ["another"])
    assert await told(server) == [alices]
    await signaling.sign_out(me)
    assert await told(server) == []


# --- tries -----------------------------------------------------------------------------------------------------------


class Tries:
    """Waits that take no time, and what they were; ``during`` is done in the first."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.during: Callable[[], Awaitable[object]] | None = None

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.during:
            await self.during()


def telling(server: Server, tries: Tries, pusher: Pusher | None = None) -> Pushing:
    store, live = server.store, server.app[SIGNALING].consults.live
    found = pusher or server.app[PUSHER]
    return Pushing(found, store.push_subscriptions, store.organisation.standings, live, tries.sleep)


async def arrival(server: Server, patient: Waiting) -> None:
    """Somebody waits, and the node itself told nobody of it."""
    port = server.app[SIGNALING].consults.runner._port
    object.__setattr__(port, "arrived", lambda _owner: None)
    await patient.comes()


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    server: Server, service: PushService, alices: str, patient: Waiting, status: int
) -> None:
    await arrival(server, patient)
    service.says.append(status)
    await telling(server, tries := Tries()).arrived(server.alice.id)
    assert await told(server) == [] and tries.waits == []


async def test_a_busy_service_is_asked_again_with_growing_waits(
    server: Server, service: PushService, alices: str, patient: Waiting
) -> None:
    await arrival(server, patient)
    service.says += [429, 503, (429, {"Retry-After": "60"})]
    await telling(server, tries := Tries()).arrived(server.alice.id)
    assert tries.waits == [FIRST_WAIT, 2 * FIRST_WAIT, 60]
    assert len(service.woken) == 1 and service.ttls == [600, 595, 585, 525]


async def test_for_ten_minutes_at_most(server: Server, service: PushService, alices: str, patient: Waiting) -> None:
    await arrival(server, patient)
    service.says += [500] * 100
    await telling(server, tries := Tries()).arrived(server.alice.id)
    assert sum(tries.waits) <= TERM and tries.waits == sorted(tries.waits) and len(tries.waits) > 5
    assert service.woken == [] and await told(server) == [alices]


async def test_not_once_nobody_waits_any_more_or_the_browser_signed_out(
    server: Server, service: PushService, alices: str, patient: Waiting
) -> None:
    await arrival(server, patient)
    service.says += [500] * 4
    tries = Tries()
    tries.during = lambda: server.store.push_subscriptions.keep_only(of(server.alice.id), None)
    await telling(server, tries).arrived(server.alice.id)
    assert len(service.server.asked) == 1
    await server.store.push_subscriptions.subscribe(of(server.alice.id), alices, "session")
    tries.during = patient.goes
    await telling(server, tries).arrived(server.alice.id)
    assert len(service.server.asked) == 2


async def test_silent_in_a_consult_and_for_who_may_not(
    server: Server, service: PushService, alices: str, patient: Waiting
) -> None:
    await arrival(server, patient)
    await patient.is_admitted()
    await telling(server, Tries()).arrived(server.alice.id)
    await telling(server, Tries()).arrived("n" * 22)
    assert service.server.asked == []


async def test_without_a_push_service_nobody_is_told(server: Server, service: PushService, alices: str) -> None:
    live = server.app[SIGNALING].consults.live
    nobody = Pushing(None, server.store.push_subscriptions, server.store.organisation.standings, live, Tries().sleep)
    await nobody.arrived(server.alice.id)
    assert service.server.asked == []


async def test_storage_that_does_not_answer_is_no_fault(
    server: Server, service: PushService, alices: str, patient: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise DomainError("try_again")

    await arrival(server, patient)
    pushing_now = telling(server, Tries())
    service.says.append(410)
    monkeypatch.setattr(server.store.push_subscriptions, "end", away)
    await pushing_now.arrived(server.alice.id)
    assert len(service.server.asked) == 1
    monkeypatch.setattr(server.store.push_subscriptions, "of", away)
    await telling(server, Tries()).arrived(server.alice.id)
    assert len(service.server.asked) == 1

"""A sign-out ends what was opened before it, and nothing else."""

import secrets
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from redis.asyncio import Redis

from practice.accounts.sessions import Sessions
from rooms.authentic import Authentic
from signaling.admission import Admission, others_of, signed_out_key
from signaling.protocol.errors import ProtocolError
from signaling.refresh import Refresh
from signaling.tickets import AUDIENCE, Claims, Tickets
from tests.signaling.conftest import SECRET

OLD, NEW = "o" * 43, "n" * 43
"""References of a session that has ended and of one that lives."""

LIFE = timedelta(hours=4)
CLOSING = timedelta(seconds=5)
ALICE, BOB = (secrets.token_urlsafe(16) for _ in range(2))


class House:
    """Tickets and sign-outs at moments that the test chooses; it begins on a full second."""

    def __init__(self, redis: Redis) -> None:
        self.wall = datetime(2027, 3, 1, 9, tzinfo=UTC)
        self.tickets = Tickets(SECRET, self.now)
        self.refresh = Refresh(self.tickets, redis, self.now, LIFE, Authentic(SECRET))
        sessions = cast("Sessions", SimpleNamespace(lives=self.lives))
        self.admission = Admission(self.tickets, self.refresh, sessions, redis, self.now, LIFE)

    def now(self) -> datetime:
        return self.wall

    async def lives(self, session: str) -> bool:
        return session == NEW

    def pass_(self, **span: float) -> None:
        self.wall += timedelta(**span)

    def claims(self, practitioner: str | None, kind: str = "resume", session: str | None = None) -> Claims:
        role = "practitioner" if practitioner else "patient"
        fields = {"kind": kind, "role": role, "seat": role, "practitioner": practitioner, "session": session}
        life = int(LIFE.total_seconds()) if kind == "resume" else 300
        return Claims.model_validate(fields | {"expires": self.tickets.expires_in(life)})

    def token(self, practitioner: str | None, kind: str = "resume", session: str | None = None) -> str:
        return self.tickets.issue(self.claims(practitioner, kind, session))

    async def opens(self, token: str) -> bool:
        try:
            await self.admission.authenticate(token)
        except ProtocolError as refusal:
            assert refusal.code == "token_invalid"
            return False
        return True


@pytest.fixture
def house(redis: Redis) -> House:
    return House(redis)


@pytest.mark.parametrize("kind", ["resume", "access"])
async def test_a_ticket_does_not_outlive_its_practitioners_sign_out(house: House, kind: str) -> None:
    hers, his, patients = (house.token(who, kind) for who in (ALICE, BOB, None))
    assert await house.opens(hers)
    house.pass_(minutes=1)
    await house.admission.sign_out(ALICE)
    house.pass_(seconds=2)
    assert not await house.opens(hers)
    assert await house.opens(his) and await house.opens(patients), "nobody else is signed out"
    assert await house.opens(house.token(ALICE, "access")), "who has signed in again"


async def test_a_resume_ticket_that_a_socket_got_before_it_was_closed_opens_nothing(house: House) -> None:
    """Signed in again the same moment is another matter."""
    await house.admission.sign_out(ALICE)
    opened = []
    for _ in range(3):
        house.pass_(seconds=2)
        tokens = [house.token(ALICE, session=one) for one in (None, OLD, NEW)]
        opened.append([await house.opens(one) for one in tokens])
    assert opened == [[False, False, True], [False, False, True], [True, True, True]]
    assert await house.opens(house.token(None)), "a patient's is nobody's to sign out"


async def test_no_ticket_of_the_session_that_signed_out_opens_anything_however_late_it_was_told(house: House) -> None:
    await house.admission.sign_out(ALICE, OLD)
    house.pass_(minutes=3)
    assert [await house.opens(house.token(ALICE, session=one)) for one in (OLD, NEW, None)] == [False, True, True]


async def test_what_was_issued_in_the_moment_of_the_sign_out_is_taken_for_older(house: House) -> None:
    house.pass_(microseconds=2_400)
    await house.admission.sign_out(ALICE)
    opened = []
    for _ in range(3):
        opened.append(await house.opens(house.token(ALICE, "access")))
        house.pass_(milliseconds=1)
    assert opened == [False, True, True]


async def test_a_ticket_of_a_release_that_did_not_say_when_opens_until_the_next_sign_out(house: House) -> None:
    said = house.claims(ALICE).model_dump(exclude={"expires", "issued"}, exclude_none=True)
    said |= {"aud": AUDIENCE, "exp": house.claims(ALICE).expires, "jti": "x"}
    old = jwt.encode({"alg": "HS256"}, said, OctKey.import_key(SECRET))
    assert await house.opens(old)
    await house.admission.sign_out(ALICE)
    assert not await house.opens(old)


async def test_a_sign_out_is_noted_for_as_long_as_a_ticket_of_before_could_live(house: House, redis: Redis) -> None:
    await house.admission.sign_out(ALICE, OLD)
    await house.admission.sign_out_session("s" * 43)
    await house.admission.sign_out_others(BOB, NEW, ["t" * 43])
    life = (LIFE + CLOSING).total_seconds()
    for name in (ALICE, OLD, "s" * 43, others_of(BOB), "t" * 43):
        assert life - 5 < await redis.ttl(signed_out_key(name)) <= life, name
    assert not await redis.exists(signed_out_key(BOB), signed_out_key(NEW))


async def test_what_a_closing_socket_was_told_is_refused_to_the_moment(house: House) -> None:
    """Within five seconds, the last millisecond included."""
    await house.admission.sign_out(ALICE)
    await house.admission.sign_out_others(BOB, NEW, [])
    house.pass_(seconds=4, milliseconds=999)
    opened = []
    for _ in range(3):
        opened.append([await house.opens(house.token(who)) for who in (ALICE, BOB)])
        house.pass_(milliseconds=1)
    assert opened == [[False, False], [False, False], [True, True]]


async def test_what_began_in_the_moment_of_a_sign_out_elsewhere_is_taken_for_older(house: House) -> None:
    await house.admission.sign_out_others(ALICE, NEW, [])
    opened = []
    for _ in range(2):
        tokens = [house.token(ALICE, "access"), house.token(ALICE, "access", NEW)]
        opened.append([await house.opens(one) for one in tokens])
        house.pass_(milliseconds=1)
    assert opened == [[False, True], [True, True]]


async def in_app(house: House, practitioner: str) -> Claims:
    """Access of an app that signed in just now."""
    expires = house.tickets.expires_in(300)
    claims, _ = await house.refresh.begin(house.claims(practitioner, "access"), expires)
    return claims


@pytest.mark.parametrize("everywhere", [True, False])
async def test_apps_are_signed_out_too_and_nobody_elses(house: House, everywhere: bool) -> None:
    hers, his = await in_app(house, ALICE), await in_app(house, BOB)
    house.pass_(seconds=1)
    if everywhere:
        await house.admission.sign_out(ALICE)
    else:
        await house.admission.sign_out_others(ALICE, NEW, [])
    assert [await house.refresh.alive(one) for one in (hers, his)] == [False, True]
    house.pass_(seconds=CLOSING.total_seconds() + 1)
    resumed = hers.model_copy(update={"kind": "resume", "expires": house.tickets.expires_in(3600)})
    assert not await house.opens(house.tickets.issue(resumed)), "issued late by a socket of that app"
    assert await house.opens(house.tickets.issue(his))
    signed_in = await in_app(house, ALICE)
    assert await house.opens(house.tickets.issue(signed_in))


async def test_an_app_whose_family_redis_forgot_opens_nothing_new_and_goes_on(house: House, redis: Redis) -> None:
    access = await in_app(house, ALICE)
    resumed = access.model_copy(update={"kind": "resume", "expires": house.tickets.expires_in(3600)})
    await redis.flushdb()
    assert [await house.opens(house.tickets.issue(one)) for one in (access, resumed)] == [False, True]


@pytest.mark.parametrize("mark", [b"", b"\xff", b"nan", b"soon", b"inf"])
async def test_a_mark_that_says_no_time_lets_nobody_in(house: House, redis: Redis, mark: bytes) -> None:
    await redis.set(signed_out_key(ALICE), mark)
    assert [await house.opens(house.token(who)) for who in (ALICE, BOB)] == [False, True]
    socket: Any = SimpleNamespace(claims=house.claims(ALICE, "access"), opened=house.wall.timestamp() + 3600)
    assert await house.admission.outdated([socket]) == [(socket, "token_invalid")]


async def test_sockets_that_were_opened_until_the_sign_out_are_found_and_no_others(house: House) -> None:
    await house.admission.sign_out(ALICE)
    moment = house.wall.timestamp()

    def socket(practitioner: str | None, opened: float) -> Any:
        return SimpleNamespace(claims=house.claims(practitioner, "access"), opened=opened)

    before, then = socket(ALICE, moment - 1), socket(ALICE, moment)
    others = [socket(ALICE, moment + 0.001), socket(BOB, moment - 1), socket(None, moment - 1)]
    assert await house.admission.outdated([before, *others, then]) == [
        (before, "token_invalid"),
        (then, "token_invalid"),
    ]
    assert await house.admission.outdated([]) == []


async def test_sockets_of_sessions_and_apps_that_ended_are_found_and_why(house: House) -> None:
    app, other_app = await in_app(house, ALICE), await in_app(house, BOB)
    moment = house.wall.timestamp()

    def socket(claims: Claims, opened: float = moment) -> Any:
        return SimpleNamespace(claims=claims, opened=opened)

    ended, kept = socket(house.claims(ALICE, "access", OLD)), socket(house.claims(ALICE, "access", NEW))
    plain, later = socket(house.claims(ALICE, "access")), socket(house.claims(ALICE, "access"), moment + 0.001)
    his, patient = socket(house.claims(BOB, "access", "t" * 43)), socket(house.claims(None, "access"))
    of_app = socket(app)
    everybody = [ended, kept, plain, later, his, patient, of_app, socket(other_app)]
    await house.admission.sign_out_session(OLD)
    await house.refresh.end(app, "token_reused")
    assert await house.admission.outdated(everybody) == [(ended, "token_invalid"), (of_app, "token_reused")]
    await house.admission.sign_out_others(ALICE, NEW, [])
    assert await house.admission.outdated([kept, plain, later, his, patient]) == [(plain, "token_invalid")]


async def test_a_sign_out_everywhere_else_spares_what_the_kept_session_opened(house: House) -> None:
    """And nothing else that was issued until then, nor what a socket was told while it was being closed."""
    before = {session: house.token(ALICE, session=session) for session in (NEW, OLD, None)}
    his = house.token(BOB)
    house.pass_(seconds=1)
    await house.admission.sign_out_others(ALICE, NEW, [OLD])
    assert [await house.opens(token) for token in before.values()] == [True, False, False]
    assert await house.opens(his)
    told = []
    for _ in range(3):
        house.pass_(seconds=2)
        told.append([await house.opens(house.token(ALICE, session=one)) for one in (NEW, OLD, None)])
    assert told == [[True, False, False], [True, False, False], [True, False, True]]
    assert await house.opens(house.token(ALICE, "access")), "an app that signs in again"


@pytest.mark.parametrize("mark", [b"", b"\xff", b"nan " + NEW.encode(), b"soon"])
async def test_a_forged_mark_of_others_lets_nobody_in(house: House, redis: Redis, mark: bytes) -> None:
    await redis.set(signed_out_key(others_of(ALICE)), mark)
    assert [await house.opens(house.token(ALICE, session=one)) for one in (OLD, None)] == [False, False]


async def test_one_session_that_was_ended_takes_no_other_along(house: House) -> None:
    tokens = [house.token(ALICE, session=one) for one in (OLD, NEW, None)]
    await house.admission.sign_out_session(OLD)
    assert [await house.opens(token) for token in tokens] == [False, True, True]


async def test_an_access_token_of_a_session_that_has_ended_opens_nothing_and_a_running_consult_goes_on(
    house: House,
) -> None:
    """Nobody signed out: it was idle, or twelve hours old."""
    opened = [await house.opens(house.token(ALICE, "access", one)) for one in (OLD, NEW, None)]
    assert opened == [False, True, True]
    claims = [await house.admission.authenticate(house.token(ALICE, session=one)) for one in (OLD, NEW)]
    assert [one.session for one in claims] == [None, NEW], "what has ended is used no more"

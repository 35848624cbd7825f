"""What follows from an event, in the order in which the state machine says so; without a socket, a worker or Redis."""

from typing import Any

import pytest

from media.control import CloseRoom as CloseRoomCall
from media.control import RemovePeer as RemovePeerCall
from rooms.consult import new
from rooms.consult_events import (
    CloseRoom,
    Count,
    Drop,
    Effect,
    PlaceRoom,
    RemovePeer,
    Show,
    ShowDesk,
    TakenOver,
    TellEnded,
    Tick,
)
from rooms.consult_state import Consult
from rooms.live import LiveConsults
from signaling.consults.runner import Port, Runner
from signaling.sockets import endings
from tests.people import START
from vault.errors import DomainError

CONSULT = new("a" * 22, "p" * 22, START)


class Live(LiveConsults):
    """Says what a test wants of it."""

    def __init__(self, effects: tuple[Effect, ...], *, refused: str | None = None) -> None:
        self.effects = effects
        self.refused = refused

    async def transition(self, _appointment: str, _event: Any, *, absent: Consult | None = None) -> Any:
        if self.refused:
            raise DomainError(self.refused)
        assert absent is None
        return CONSULT, self.effects


def port(done: list[tuple[Any, ...]]) -> Port:
    """Notes what is asked of it."""

    def note(name: str) -> Any:
        def at_once(*asked: Any) -> None:
            done.append((name, *asked))

        return at_once

    def later(name: str) -> Any:
        async def wait(*asked: Any) -> None:
            done.append((name, *asked))

        return wait

    return Port(
        show=later("show"),
        show_desk=note("show desk"),
        tell=later("tell"),
        end=later("end"),
        place=note("place"),
        tidy=note("tidy"),
        forget_messages=later("forget"),
        count=note("count"),
        arrived=note("arrived"),
        over=note("over"),
    )


async def carried_out(*effects: Effect) -> list[tuple[Any, ...]]:
    done: list[tuple[Any, ...]] = []
    await Runner(Live(effects), port(done)).apply(CONSULT.appointment, Tick(), answered="me")
    return done


async def test_each_effect_reaches_what_it_is_for_in_order() -> None:
    done = await carried_out(
        TakenOver("old"),
        Drop("same"),
        Show(),
        ShowDesk(),
        PlaceRoom(),
        RemovePeer("w", 3, "x"),
        CloseRoom("w", 4),
        Count("consults"),
    )
    told = [(what, *((asked[0], asked[1]) if what == "tell" else asked)) for what, *asked in done]
    room = CONSULT.appointment
    assert told == [
        ("tell", "old", "taken-over"),
        ("end", "old", endings.TAKEN_OVER),
        ("end", "same", endings.REPLACED),
        ("show", CONSULT, "me"),
        ("show desk", CONSULT.owner),
        ("place", room),
        ("tidy", "w", RemovePeerCall(room=room, fence=3, peer="x")),
        ("tidy", "w", CloseRoomCall(room=room, fence=4)),
        ("count", CONSULT, "consults"),
    ]


async def test_who_is_out_is_told_why() -> None:
    ((what, socket, event, message),) = await carried_out(TellEnded("s", "cancelled"))
    assert (what, socket, event, message.reason) == ("tell", "s", "ended", "cancelled")


async def test_what_is_refused_has_no_effect() -> None:
    done: list[tuple[Any, ...]] = []
    with pytest.raises(DomainError, match="seat_taken"):
        await Runner(Live((Show(),), refused="seat_taken"), port(done)).apply("a", Tick())
    assert done == []

"""No server gets a secret out of the Python client without being seen: any order of members, epochs, reveals, replays,
reloads and invented leavings. There are few codes, so that guessing right is within reach."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from client import tally
from client.exchange import KeyExchange
from client.handshake import Handshake, Message, OutdatedError, TamperingError
from client.keyring import KeyRing
from signaling.protocol.events import RoomView
from tests.client.liar import HEARD, LeakError, Liar
from tests.client.vectors import FILE

RUNS = 10_000 if os.environ.get("PROVE") else 250
STEPS = 40
CODES = 12


def play(seeds: range, steps: int = STEPS) -> Counter[str]:
    """What came of each run.

    Raises:
        LeakError: with the seed that shows it.
    """

    async def each() -> Counter[str]:
        outcomes: Counter[str] = Counter()
        for seed in seeds:
            try:
                outcomes[await Liar(Random(seed), CODES).run(steps)] += 1
            except LeakError as caught:
                raise LeakError(f"seed {seed}: {caught}") from caught
        return outcomes

    return asyncio.run(each())


@pytest.mark.timeout(1200)
def test_whoever_lies_is_seen_or_gets_nothing() -> None:
    outcomes = play(range(RUNS))
    assert sum(outcomes.values()) == RUNS
    assert outcomes["noticed"], "it never came as far as digits"
    assert outcomes["said"], "it never withheld enough to be told of"
    assert outcomes["lucky"] < RUNS / 10, "with twelve codes, some guess right"


def without_members(patch: pytest.MonkeyPatch) -> None:
    """Takes whoever the server lists for shown."""

    async def follow(self: KeyExchange, room: RoomView) -> None:
        members = room.keys.members if room.keys else []
        others = [
            room.me.model_copy(update={"participant": one.participant, "role": one.role})
            for one in members
            if one.participant != room.me.participant
        ]
        await plain(self, room.model_copy(update={"others": others}))

    plain = KeyExchange.follow
    patch.setattr(KeyExchange, "follow", follow)


def without_counting(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tally.Tally, "reveal", lambda _self: None)


def without_renewals(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tally, "RENEWALS", 10_000)


def without_chain(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tally.Chain, "holds", lambda _self, _other, _claim: True)


def without_notice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tally.Comparison, "_note", lambda _self, _change: None)


def with_early_use(patch: pytest.MonkeyPatch) -> None:
    """Sends under its secret as soon as it was given, before it has the others'."""

    async def send(self: KeyExchange, handshake: Handshake, messages: list[Message]) -> None:
        if any(message.kind == "wrap" for message in messages):
            self._ring.set_own(handshake.epoch, 0, handshake.secret)
            patch.setattr(handshake, "secret", os.urandom(32))
        await plain(self, handshake, messages)

    plain = KeyExchange._send
    patch.setattr(KeyExchange, "_send", send)


@pytest.mark.parametrize(
    ("weaken", "shown"),
    [
        (without_members, "somebody who is not shown"),
        (without_counting, "reveals came to nothing"),
        (without_chain, "a secret was lost"),
        (without_notice, "in silence"),
        (with_early_use, "a secret was lost"),
    ],
)
def test_each_check_is_needed(
    weaken: Callable[[pytest.MonkeyPatch], None], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same liar against a client that leaves it out."""
    weaken(monkeypatch)
    with pytest.raises(LeakError, match=shown):
        play(range(4_000))


def test_guessing_pays_for_whoever_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but withholding, at both ends: both are told; without a count it goes on until the codes are equal."""

    async def guess(tries: int, codes: int) -> int:
        liar = Liar(Random(1), codes)
        for _ in range(tries):
            await liar.grind()
            if all(page.keys.code for page in liar.pages):
                break
        told = [page.keys.comparison.withheld for page in liar.pages]
        for page in liar.pages:
            page.keys.close()
        assert all(told) or not any(told)
        return -1 if all(told) else sum(page.withheld for page in liar.pages)

    assert asyncio.run(guess(20, 1_000_000)) == -1
    without_counting(monkeypatch)
    without_renewals(monkeypatch)
    assert sum(asyncio.run(guess(20_000, 200)) for _ in range(5)) > 15


def test_the_tenth_epoch_without_somebody_new_is_said_to_both() -> None:
    async def said(newcomer: int | None) -> list[list[bool]]:
        liar = Liar(Random(1), 1_000_000)
        told = []
        for epoch in range(1, 12):
            for page in liar.pages if epoch == newcomer else []:
                page.reload()
            await liar.honest(epoch)
            told.append([page.keys.comparison.withheld for page in liar.pages])
        for page in liar.pages:
            page.keys.close()
        return told

    assert asyncio.run(said(None)) == [[False, False]] * 9 + [[True, True]] * 2
    assert asyncio.run(said(8)) == [[False, False]] * 11


@pytest.mark.parametrize("ending", ["epoch", "leaving", "reload", "time"])
def test_the_third_reveal_in_vain_is_said_on_ones_own_page_at_once_and_on_the_others_with_the_next_code(
    ending: str,
) -> None:
    async def story() -> None:
        liar = Liar(Random(1), 1_000_000)
        first, second = liar.pages
        for number in range(3):
            assert not first.keys.comparison.withheld, number
            await liar.between(first)
            if ending == "leaving":
                await first.view(liar.epoch, set(), None)
            elif ending == "reload":
                first.reload()
            elif ending == "time":
                first.keys._restart(first.epoch)
        if ending == "epoch":
            await liar.between(first)
        assert first.keys.comparison.withheld
        assert not second.keys.comparison.withheld
        await liar.honest(liar.epoch + 1)
        assert first.keys.code == second.keys.code is not None
        assert second.keys.comparison.withheld
        second.keys.comparison.agree()
        assert second.keys.comparison.withheld, "this sentence stays"
        for page in liar.pages:
            page.keys.close()

    asyncio.run(story())


def test_under_a_secret_of_somebody_who_is_no_longer_shown_nothing_is_sent_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("client.exchange.GONE_SECONDS", 0.05)

    async def leave(*, back: bool) -> bytes | None:
        liar = Liar(Random(1), 1_000_000)
        await liar.honest(1)
        first, second = liar.pages
        await first.view(2, set(), None)
        assert first.ring.seal(3, b"still", "data")
        if back:
            await first.view(3, {second.id}, {second.id})
        await asyncio.sleep(0.1)
        sealed = first.ring.seal(3, b"later", "data")
        for page in liar.pages:
            page.keys.close()
        return sealed

    assert asyncio.run(leave(back=False)) is None
    assert asyncio.run(leave(back=True)) is not None


REFUSALS: list[dict[str, Any]] = json.loads(FILE.read_text())["refusals"]


@pytest.mark.parametrize("vector", REFUSALS, ids=lambda vector: str(vector["why"]))
def test_what_the_vectors_refuse_is_refused(vector: dict[str, Any]) -> None:
    async def follow() -> None:
        said: list[str] = []

        async def request(event: str, _body: object) -> None:
            said.append(event)

        ring = KeyRing(lambda: 0.0)
        keys = KeyExchange(ring, vector["view"]["me"]["participant"], request)
        error = TamperingError if vector["as"] == "tampering" else OutdatedError
        with pytest.raises(error):
            await keys.follow(RoomView.model_validate(vector["view"]))
            for event, body in vector["receive"]:
                await keys.receive(event, HEARD[event].model_validate(body))
        assert said == vector["sent"]
        assert keys.code is None
        assert ring.seal(3, b"not a word", "data") is None
        keys.close()

    asyncio.run(follow())

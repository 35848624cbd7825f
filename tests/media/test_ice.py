"""Whose an address is, where media goes, and when a client counts as gone."""

from functools import partial

import pytest
from aioice import stun

from media.control import PeerState, RemovePeer
from media.net.outbox import Outbox
from media.session.ice import IceAgent, Path
from tests.media.client import Client
from tests.media.packets import frames
from tests.media.simulation import MemoryOutbox, Simulation

Pair = tuple[Client, Client]


class Nowhere(Outbox):
    def __init__(self, transport: str = "udp") -> None:
        super().__init__(1)
        self.transport = transport


def path(key: str, transport: str = "udp", at: float = 0.0) -> Path:
    return Path(key, key, Nowhere(transport), "192.0.2.1", 1, at)


def move(client: Client) -> None:
    """The client has another address from now on."""
    client.simulation.clients.pop(client.key, None)
    client.key = b"\2\0" + (int.from_bytes(client.key[2:4], "big") + 5_000).to_bytes(2, "big") + client.key[4:]


# --- agent -----------------------------------------------------------------------------------------------------------


def test_the_first_checked_path_is_used_until_one_is_nominated() -> None:
    agent = IceAgent(0.0, "client")
    first, second, third = (path(name) for name in "abc")
    ufrag = agent.local.ufrag
    assert agent.checked(first, ufrag, 0.0, nominated=False, nomination=None)
    agent.checked(second, ufrag, 0.1, nominated=False, nomination=None)
    assert agent.selected is first
    agent.checked(third, ufrag, 0.2, nominated=True, nomination=None)
    assert agent.selected is third
    agent.checked(second, ufrag, 10.0, nominated=True, nomination=None)
    assert agent.selected is second, "the newest nomination wins"


def test_a_lower_nomination_value_does_not_take_over() -> None:
    agent = IceAgent(0.0, "client")
    first, second = path("a"), path("b")
    agent.checked(path("c"), agent.local.ufrag, 0.0, nominated=False, nomination=None)
    agent.checked(first, agent.local.ufrag, 0.1, nominated=True, nomination=5)
    agent.checked(second, agent.local.ufrag, 0.2, nominated=True, nomination=4)
    assert agent.selected is first


def test_while_all_pairs_are_nominated_tcp_does_not_displace_udp_but_later_it_may() -> None:
    agent = IceAgent(0.0, "client")
    udp, tcp = path("a"), path("b", "tcp")
    agent.checked(udp, agent.local.ufrag, 0.0, nominated=True, nomination=None)
    agent.checked(tcp, agent.local.ufrag, 0.1, nominated=True, nomination=None)
    assert agent.selected is udp
    agent.checked(tcp, agent.local.ufrag, 20.0, nominated=True, nomination=None)
    assert agent.selected is tcp


def test_no_more_than_eight_paths_are_kept_and_the_one_in_use_stays() -> None:
    agent = IceAgent(0.0, "client")
    for index in range(40):
        agent.checked(
            path(str(index), at=index), agent.local.ufrag, float(index), nominated=index == 3, nomination=None
        )
    assert len(agent.paths) == 8
    assert agent.selected is not None
    assert agent.selected.key == "3"
    agent.expire(100.0)
    assert list(agent.paths) == ["3"]


def test_a_restart_changes_the_credentials_and_the_old_ones_end_after_ten_seconds() -> None:
    agent = IceAgent(0.0, "client")
    old = agent.local
    agent.restart(5.0, "other")
    assert agent.local.ufrag != old.ufrag
    assert agent.password(old.ufrag) == old.password
    agent.expire(15.1)
    assert agent.password(old.ufrag) is None
    assert agent.ufrags == [agent.local.ufrag]


def test_checks_past_a_hundred_at_once_are_not_verified() -> None:
    agent = IceAgent(0.0, "client")
    assert sum(agent.admit_check(1.0) for _ in range(500)) == 100
    assert agent.admit_check(1.1)


# --- relay -----------------------------------------------------------------------------------------------------------


async def test_an_ice_restart_keeps_keys_and_media(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(3)
    simulation.run(1)
    before = alice.attribute("ice-ufrag")
    alice.ufrag = "again"
    alice.offer()
    assert alice.attribute("ice-ufrag") != before
    move(alice)
    alice.check()
    simulation.run(2.2)
    assert len(frames(bob.got())) == 90
    assert [event.state for event in simulation.of(PeerState) if event.peer == "alice"] == ["connected"]


async def test_after_a_nat_rebinding_media_flows_at_the_next_check(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    bob.stream(4)
    simulation.run(1)
    move(alice)
    simulation.run(1)
    assert simulation.router.counters.unknown_source == 0
    lost = len(frames(alice.got()))
    alice.check()
    simulation.run(2.2)
    assert lost < len(frames(alice.got()))
    assert len(alice.got()) > 150


async def test_media_from_an_address_that_passed_no_check_is_dropped(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    simulation.run(0.1)
    move(alice)
    alice.stream(0.5)
    simulation.run(0.6)
    assert not bob.got()
    assert simulation.router.counters.unknown_source == 45


async def test_forged_checks_change_nothing_and_get_no_answer(
    simulation: Simulation, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = pair
    sent: list[bytes] = []
    monkeypatch.setattr(simulation, "sent", lambda _key, data: sent.append(data))
    selected = alice.peer.transport.path
    attacker = b"\2\0\x99\x99\1\2\3\4"
    truncated = alice.binding_request()
    for data in [
        alice.binding_request(password="x" * 24),
        alice.binding_request(ufrag="unknown"),
        alice.binding_request(ufrag=bob.attribute("ice-ufrag")),
        *(truncated[:size] for size in range(1, len(truncated))),
        bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)),
        bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)),
    ]:
        simulation.deliver(data, attacker)
    assert not sent
    assert alice.peer.transport.path is selected
    counters = simulation.router.counters
    assert (counters.stun_forged, counters.stun_unknown) == (2, 1)
    assert counters.stun_malformed + counters.unknown_source > len(truncated)
    assert counters.errors == 0


async def test_a_recorded_check_from_elsewhere_does_not_turn_the_media_there(
    simulation: Simulation, pair: Pair
) -> None:
    alice, _ = pair
    recorded = alice.binding_request()
    simulation.deliver(recorded, alice.key)
    simulation.deliver(recorded, b"\2\0\x99\x99\1\2\3\4")
    path = alice.peer.transport.path
    assert path is not None
    assert path.key == alice.key


async def test_an_address_that_a_nat_gave_to_somebody_else_is_theirs(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    simulation.run(0.1)
    bob.simulation.clients.pop(bob.key)
    bob.key = alice.key
    move(alice)
    alice.check()
    bob.check()
    alice.stream(0.5, audio=True)
    bob.stream(0.5, audio=True)
    simulation.run(0.7)
    assert len(bob.got("audio")) == 25
    assert len(alice.got("audio")) == 25


async def test_forged_packets_do_not_keep_a_client_alive(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    bob.keep_alive(40)
    for index in range(400):
        data = bytes([0x80, 96]) + bytes(40) + index.to_bytes(2, "big")
        simulation.at(simulation.now + index / 10, partial(simulation.deliver, data, alice.key))
    simulation.run(35)
    assert [event.state for event in simulation.of(PeerState) if event.peer == "alice"][-1] == "lost"
    assert simulation.router.counters.bad_tag > 300


async def test_everything_a_client_had_is_gone_with_it(simulation: Simulation) -> None:
    router = simulation.router
    bob = simulation.join("bob")
    bob.keep_alive(100)
    for round_ in range(30):
        alice = simulation.join(f"alice{round_}")
        alice.stream(0.2, audio=True)
        simulation.run(0.3)
        router.handle(RemovePeer(room="room", fence=1, peer=alice.name))
    simulation.run(2)
    assert len(router._rooms.by_ufrag) == 1
    assert len(router._peers_by_path) == 1
    assert not router._rooms.attention
    assert not any(slot.source for slot in bob.peer.viewing.slots.values())


async def test_a_tcp_path_that_breaks_falls_back_to_the_one_before(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    simulation.run(10)
    tcp = MemoryOutbox(simulation, "tcp")
    udp_key = alice.key
    move(alice)
    simulation.clients[alice.key] = alice
    simulation.deliver(alice.binding_request(), alice.key, tcp)
    assert alice.peer.transport.outbox is tcp
    bob.stream(0.5)
    simulation.run(0.1)
    simulation.router.connection_lost(alice.key)  # type: ignore[arg-type]  # the simulation's keys stand for connections
    alice.key = udp_key
    simulation.clients[udp_key] = alice
    simulation.run(0.7)
    assert alice.peer.transport.outbox is simulation.outbox
    assert alice.got()

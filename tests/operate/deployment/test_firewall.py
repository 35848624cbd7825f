"""The host's firewall (S-54): the ports of the compose file answer and no others, also those of containers."""

import asyncio
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest
import yaml
from pydantic import SecretStr

from operate.deployment import firewall
from tests.ours import ROOT
from turn.coturn import render
from turn.settings import TurnSettings

HOST, WORLD, GATEWAY, CONTAINER = "198.51.100.1", "198.51.100.2", "172.30.9.1", "172.30.9.2"
ACCIDENT = 5432
"""A port that a container publishes although it should not."""

RULES = firewall.rules(IPv4Address(HOST))
as_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("nft") is None, reason="needs root, iproute2 and nftables for namespaces"
)


@pytest.mark.duty("S-54")
def test_what_is_open_is_what_the_compose_file_publishes() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    published = [port for one in services.values() for port in one.get("ports", ())]
    tcp = {int(port.split(":")[0]) for port in published if not port.endswith("/udp")}
    udp = {int(port.split(":")[0]) for port in published if port.endswith("/udp")}
    assert (set(firewall.TCP), set(firewall.UDP)) == (tcp, udp)
    assert services["coturn"]["user"].split(":")[0] == str(firewall.COTURN)
    assert services["coturn"]["network_mode"] == "host"
    assert services["media"]["environment"]["SPREEKKAMER_MEDIA__PORT"] == str(firewall.MEDIA)


def test_coturn_listens_where_it_is_open() -> None:
    ours = TurnSettings(address=IPv4Address(HOST), secrets=[SecretStr("a" * 40)], relay_peers=[IPv4Address(HOST)])
    ports = re.findall(r"^(?:tls-)?listening-port=(\d+)$", render(ours), re.MULTILINE)
    assert ports == [str(firewall.TURN)]


async def run(*command: str, text: str | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate(text.encode() if text else None))[0].decode()
    assert process.returncode == 0, f"{command}: {said}"
    return said


@dataclass
class Place:
    """A host, the world before it and a container behind it, each a network namespace."""

    host: str
    world: str
    container: str

    async def look(self, at: str, address: str, kind: str, ports: set[int], answer: set[int], uid: int = 0) -> None:
        """Of these ports, seen from a namespace, exactly those answer that should; a busy machine has time for that."""
        patience = [f"{port}={PATIENCE if port in answer else IMPATIENCE}" for port in sorted(ports)]
        script = [sys.executable, "-m", "tests.operate.deployment.doors", "knock", str(uid), kind, address, *patience]
        assert set(json.loads(await run("ip", "netns", "exec", at, *script))) == answer


PATIENCE, IMPATIENCE = 20.0, 1.0
"""Seconds for what should answer, and for what should not."""

LISTENS = (22, 80, 443, 2019, 3478, 5349, 5433, 6379, 8080, 8200, 40_000, 49_200)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """Docker's own rules are played by two lines of address translation."""
    names = [f"sk-{secrets.token_hex(3)}" for _ in range(3)]
    host, world, container = names
    async with AsyncExitStack() as stack:
        for name in names:
            await run("ip", "netns", "add", name)
            stack.push_async_callback(run, "ip", "netns", "del", name)
            await run("ip", "-n", name, "link", "set", "lo", "up")
        for command in (
            f"-n {host} link add eth0 type veth peer name eth0 netns {world}",
            f"-n {host} link add br-test type veth peer name eth0 netns {container}",
            f"-n {host} addr add {HOST}/24 dev eth0",
            f"-n {world} addr add {WORLD}/24 dev eth0",
            f"-n {host} addr add {GATEWAY}/24 dev br-test",
            f"-n {container} addr add {CONTAINER}/24 dev eth0",
            f"-n {host} link set eth0 up",
            f"-n {world} link set eth0 up",
            f"-n {host} link set br-test up",
            f"-n {container} link set eth0 up",
            f"-n {container} route add default via {GATEWAY}",
        ):
            await run("ip", *command.split())
        await run("ip", "netns", "exec", host, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        to = [f"tcp dport {{ 81, {firewall.MEDIA}, {ACCIDENT} }}", f"udp dport {firewall.MEDIA}"]
        leads = "".join(f"ip daddr {HOST} {one} dnat to {CONTAINER};" for one in to)
        hooks = ("prerouting priority dstnat", "output priority -100")
        chains = "".join(f"chain {hook.split()[0]} {{ type nat hook {hook}; {leads} }};" for hook in hooks)
        await run("ip", "netns", "exec", host, "nft", "-f", "-", text=f"table ip engine {{ {chains} }}")
        for name in (host, container):
            ports = map(str, (*LISTENS, 81, ACCIDENT))
            listening = [sys.executable, "-m", "tests.operate.deployment.doors", "open", *ports]
            process = await asyncio.create_subprocess_exec(
                *("ip", "netns", "exec", name, *listening), cwd=ROOT, stdout=asyncio.subprocess.PIPE
            )
            stack.push_async_callback(end, process)
            assert process.stdout is not None
            assert await process.stdout.readline() == b"open\n"
        yield Place(host, world, container)


async def end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    await process.wait()


@as_root
@pytest.mark.duty("S-54")
async def test_the_world_reaches_what_is_published_and_nothing_else(place: Place) -> None:
    everything = {*LISTENS, 81, ACCIDENT}
    for kind in ("tcp", "udp"):
        await place.look(place.world, HOST, kind, everything, everything)
    for _ in range(2):  # it can be loaded again
        await run("ip", "netns", "exec", place.host, "nft", "-f", "-", text=RULES)
    await place.look(place.world, HOST, "tcp", everything, {22, 80, 443, 3478, 40_000})
    await place.look(place.world, HOST, "udp", everything, {443, 3478, 40_000})
    await place.look(place.container, HOST, "tcp", {3478, 8200}, {3478})


@as_root
async def test_by_the_bridge_of_the_post_mail_leaves_and_nothing_else(place: Place) -> None:
    rules = RULES.replace(f'"{firewall.POST}"', '"br-test"')
    assert rules != RULES
    doors = [sys.executable, "-m", "tests.operate.deployment.doors", "open", "25", "587", "8443"]
    process = await asyncio.create_subprocess_exec(
        *("ip", "netns", "exec", place.world, *doors), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"open\n"
        await run("ip", "-n", place.world, "route", "add", f"{CONTAINER}/32", "via", HOST)
        await place.look(place.container, WORLD, "tcp", {25, 587, 8443}, {25, 587, 8443})
        await run("ip", "netns", "exec", place.host, "nft", "-f", "-", text=rules)
        await place.look(place.container, WORLD, "tcp", {25, 587, 8443}, {25, 587})
        await place.look(place.container, WORLD, "udp", {587, 8443}, set())
    finally:
        await end(process)


@as_root
async def test_coturn_reaches_the_media_workers_and_nothing_else(place: Place) -> None:
    await run("ip", "netns", "exec", place.host, "nft", "-f", "-", text=RULES)
    coturn = firewall.COTURN
    await place.look(place.host, HOST, "udp", {40_000, 443, 8080}, {40_000}, coturn)
    await place.look(place.host, CONTAINER, "udp", {40_000, 8080, ACCIDENT}, set(), coturn)
    await place.look(place.host, CONTAINER, "tcp", {8080, ACCIDENT}, set(), coturn)
    await place.look(place.host, CONTAINER, "tcp", {8080}, {8080})  # other accounts may

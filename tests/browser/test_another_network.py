"""The same consult where browsers gather no loopback candidates: a network namespace with an address and a route."""

import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.browser.conftest import ROOT
from turn.coturn import render
from turn.settings import TurnSettings

HTTP_PORT = 8099
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("nft") is None, reason="needs root, iproute2 and nftables for namespaces"
)


async def run(*command: str, **env: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-4000:]
    return output.decode()


STORY = "tests/browser/test_a_consult.py::test_two_people_see_and_hear_each_other_encrypted"
IPV4, IPV6 = ("10.77.0.1/24", "10.77.0.254"), ("2001:db8:77::1/64", "2001:db8:77::fe")
TURN_PORT, RELAYED = 3478, (61_000, 61_100)
SECRET = "9f2c4e71b08d5a63f9e1d7c2a4b6083e"


@asynccontextmanager
async def namespace(address: str, gateway: str) -> AsyncIterator[str]:
    """A namespace of its own: loopback, one address, one default route, nothing behind it."""
    name = f"sk-{secrets.token_hex(3)}"
    await run("ip", "netns", "add", name)
    try:
        for command in (
            "link set lo up",
            "link add consult0 type veth peer name consult1",
            "link set consult1 up",
            f"addr add {address} dev consult0 nodad" if ":" in address else f"addr add {address} dev consult0",
            "link set consult0 up",
            f"route add default via {gateway}",
        ):
            await run("ip", "-n", name, *command.split())
        yield name
    finally:
        await run("ip", "netns", "del", name)


async def let_pass(name: str, *rules: str) -> None:
    """Drop what arrives in the namespace unless one of these rules, of nftables' own language, accepts it."""
    chain = "add chain inet wall door { type filter hook input priority 0; policy drop; }"
    for command in ("add table inet wall", chain, *(f"add rule inet wall door {rule} accept" for rule in rules)):
        await run("ip", "netns", "exec", name, "nft", command)


@asynccontextmanager
async def behind_nat(clinic: str) -> AsyncIterator[tuple[str, str]]:
    """A home network and its router before a namespace that has ``IPV4``; the names of both.

    The router gives each destination that a home's socket speaks to another random port, and lets in only answers: a
    symmetric NAT, address- and port-dependent in mapping and filtering (RFC 4787).
    """
    names = home, router = f"sk-{secrets.token_hex(3)}", f"sk-{secrets.token_hex(3)}"
    try:
        for name in names:
            await run("ip", "netns", "add", name)
        for command in (
            f"-n {clinic} link set consult1 netns {router}",
            f"-n {router} link add home1 type veth peer name home0 netns {home}",
            f"-n {router} addr add {IPV4[1]}/24 dev consult1",
            f"-n {router} addr add 10.78.0.254/24 dev home1",
            *(f"-n {router} link set {device} up" for device in ("lo", "consult1", "home1")),
            f"-n {home} addr add 10.78.0.1/24 dev home0",
            *(f"-n {home} link set {device} up" for device in ("lo", "home0")),
            f"-n {home} route add default via 10.78.0.254",
        ):
            await run("ip", *command.split())
        inside = ("ip", "netns", "exec", router)
        await run(*inside, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        for command in (
            "add table ip nat",
            "add chain ip nat out { type nat hook postrouting priority 100; }",
            "add rule ip nat out oifname consult1 counter masquerade fully-random",
            "add chain ip nat through { type filter hook forward priority 0; policy drop; }",
            "add rule ip nat through iifname home1 accept",
            "add rule ip nat through ct state established accept",
        ):
            await run(*inside, "nft", command)
        yield home, router
    finally:
        for name in names:
            await run("ip", "netns", "del", name)


async def story(name: str, test: str = STORY, passed: int = 1, **env: str) -> None:
    """Two people see and hear each other, server and browsers in the namespace."""
    command = ("ip", "netns", "exec", name, sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", test)
    assert f"{passed} passed" in await run(*command, WITHOUT_LOOPBACK="1", **env)


async def test_a_consult_works_without_loopback_candidates() -> None:
    async with namespace(*IPV4) as name:
        await story(name)


async def test_a_consult_works_over_ipv6_alone() -> None:
    async with namespace(*IPV6) as name:
        await story(name)


async def test_a_consult_works_where_udp_is_blocked() -> None:
    async with namespace(*IPV4) as name:
        await let_pass(name, "meta l4proto tcp")
        await story(name)


@pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn's turnserver")
async def test_a_consult_works_through_turn_where_only_its_tcp_port_is_open(tmp_path: Path) -> None:
    """The relay's own ports cannot be reached but from coturn's."""
    address = IPV4[0].partition("/")[0]
    settings = TurnSettings(
        address=IPv4Address(address),
        secrets=[SecretStr(SECRET)],
        relay_peers=[IPv4Address(address)],
        min_port=RELAYED[0],
        max_port=RELAYED[1],
    )
    file = tmp_path / "turnserver.conf"
    file.write_text(render(settings) + f"pidfile={tmp_path / 'pid'}\n")
    relayed = "-".join(map(str, RELAYED))
    async with namespace(*IPV4) as name:
        # What browsers send from must not look like coturn's.
        ports = "net.ipv4.ip_local_port_range=32768 60000"
        await run("ip", "netns", "exec", name, "sysctl", "-q", "-w", ports)
        await let_pass(
            *(name, "ct state established", f"udp sport {relayed}", f"udp dport {relayed}"),
            *(f"tcp dport {{ {TURN_PORT}, {HTTP_PORT} }}",),
        )
        coturn = await asyncio.create_subprocess_exec("ip", "netns", "exec", name, "turnserver", "-c", str(file))
        try:
            await story(
                name,
                DEMO_PORT=str(HTTP_PORT),
                SPREEKKAMER_TURN__ADDRESS=address,
                SPREEKKAMER_TURN__SECRETS=json.dumps([SECRET]),
            )
        finally:
            coturn.terminate()
            await coturn.wait()


async def test_a_consult_works_behind_a_symmetric_nat(tmp_path: Path) -> None:
    """Both browsers are at home; the relay sees ports that no candidate names."""
    async with namespace(*IPV4) as clinic, behind_nat(clinic) as (home, router):
        program = tmp_path / "chromium"
        program.write_text(f'#!/bin/sh\nexec ip netns exec {home} /usr/bin/chromium "$@"\n')
        program.chmod(0o700)
        command = ("ip", "netns", "exec", home, sys.executable, "-m", "tests.browser.doorway", str(HTTP_PORT), clinic)
        doorway = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        try:
            await story(clinic, DEMO_PORT=str(HTTP_PORT), CHROMIUM=str(program))
        finally:
            doorway.terminate()
            await doorway.wait()
        rules = await run("ip", "netns", "exec", router, "nft", "list", "chain", "ip", "nat", "out")
        assert "counter packets 0" not in rules

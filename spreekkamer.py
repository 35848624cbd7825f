"""Spreekkamer's command line and composition root: reads settings, builds, serves, waits for a signal."""

from __future__ import annotations

import sys

from operate import terminal

if sys.argv[0].endswith(("spreekkamer", "spreekkamer.py")):
    terminal.end_at_once_when_interrupted()

import argparse
import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from media.settings import MediaSettings
from operate import process
from operate.commands import attach
from operate.commands.arguments import path, port
from operate.configuration import StrictSettings, load
from practice.settings import PracticeSettings
from signaling import memory
from signaling.settings import SignalingSettings
from turn.settings import TurnSettings
from vault.clock import utc_now
from vault.errors import StartRefused
from vault.settings import VaultSettings
from web.settings import WebSettings

if TYPE_CHECKING:
    from operate.demo import Sandbox
    from practice.storage import Storage
    from vault.destruction.deadline import InProgress


class Settings(StrictSettings):
    """Every setting there is, by the folder that owns it."""

    rooms: VaultSettings = VaultSettings()
    media: MediaSettings = MediaSettings()
    turn: TurnSettings = TurnSettings()
    signaling: SignalingSettings = SignalingSettings()
    web: WebSettings = WebSettings()
    practice: PracticeSettings = PracticeSettings()


@asynccontextmanager
async def stored(settings: Settings, in_progress: InProgress, *, sends: bool) -> AsyncIterator[Storage]:
    """What is stored, with its organisation; says so if it is locked."""
    from operate import founding
    from practice.opening import open_storage

    practice = settings.practice
    countries = practice.sms.countries if sends else practice.texts_to
    async with open_storage(
        settings.rooms, in_progress=in_progress, now=utc_now, mail=practice.sends or sends, texts_to=countries
    ) as storage:
        if storage.locked:
            print(f"spreekkamer: locked. {storage.locked}", file=sys.stderr, flush=True)
        await founding.establish(storage, settings.web)
        yield storage


@asynccontextmanager
async def server(
    settings: Settings, *, sandbox: bool = False, own_tls: bool = False
) -> AsyncIterator[tuple[str, Sandbox | None, Callable[[], Awaitable[None]]]]:
    """Everything that one node is, opened in order and closed in reverse; yields its origin when it answers, and
    what a node among several does before it is closed, so that nobody notices.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(process.starting())
        from media.control import MediaClient
        from media.processes import LocalWorkers
        from operate import demo, founding, tls
        from signaling import addresses, app, drain, gate, health, listener, redis, tasks
        from signaling.derived import derive
        from turn.credentials import TurnCredentials
        from web import routes

        addresses.refuse_plain_http(settings.signaling)
        port = listener.bind(settings.signaling.host, settings.signaling.port)
        signaling = settings.signaling.model_copy(update={"port": port.getsockname()[1]})
        stack.callback(port.close)
        secret = process.shared_secret(signaling, settings.rooms.data)
        opened = await stack.enter_async_context(redis.open_redis(process.reveal(signaling.redis_url)))
        live = gate.documents(signaling, opened.client, utc_now, secret)
        store = await stack.enter_async_context(stored(settings, live.are_live, sends=sandbox))
        calls = derive(secret, "calls")
        guests = await demo.prepare(store, settings.practice, utc_now) if sandbox else None
        application = app.build(
            signaling,
            store,
            live,
            opened.client,
            MediaClient(opened.client, calls),
            TurnCredentials(settings.turn, utc_now),
            utc_now,
            secret=secret,
            practice=settings.practice,
            sign_in_link=guests.link if guests else None,
            kept=guests.post if guests else None,
        )
        origin = addresses.public_origin(signaling)
        routes.attach(application, settings.web, tls=origin.startswith("https://"))
        on_exit = application[gate.SIGNALING].worker_exited
        reach = process.reveal(settings.media.redis_url) or opened.url
        workers = await stack.enter_async_context(LocalWorkers(settings.media, reach, calls, on_exit))
        context = tls.self_signed(settings.rooms.data, origin, utc_now()) if own_tls else None
        await stack.enter_async_context(listener.listening(application, port, context))
        await (health.wait(application) if sandbox else founding.show_first_link(store, origin))
        process.keep_what_is_there()
        stack.push_async_callback(tasks.stop, [asyncio.create_task(process.read_ahead())])
        yield origin, guests, partial(drain.drain, application, partial(workers.drain, settings.media.drain_seconds))


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    from operate.deployment.strength import refuse_weak

    settings = configured(arguments)
    refuse_weak(settings)
    if settings.signaling.origin and (empty := settings.web.placeholders()):
        raise StartRefused(f"The privacy page needs these settings: {', '.join(f'web.{name}' for name in empty)}.")
    async with server(settings, own_tls=arguments.tls_self_signed) as (origin, _, leave):
        terminal.say(f"Spreekkamer answers at {origin}")
        await process.asked_to_stop()
        await leave()


async def demonstrate(arguments: argparse.Namespace) -> None:
    """The same server as a sandbox on loopback, with its links printed."""
    from signaling import addresses, logs

    settings = configured(arguments)
    if settings.signaling.host not in addresses.LOOPBACK:
        raise StartRefused("The demo is for this machine only: write 127.0.0.1 or ::1 in signaling.host, or nothing.")
    changed = {
        "rooms": settings.rooms.model_copy(update={"data": arguments.data, "trust_clock": True}),
        "media": settings.media.model_copy(update={"port": 0, "announce_loopback": True, "redis_url": None}),
        "signaling": settings.signaling.model_copy(
            update={"port": arguments.port, "origin": None, "redis_url": None, "second_factor": "offered"}
        ),
    }
    logs.configure("human", "warning")
    async with server(settings.model_copy(update=changed), sandbox=True) as (origin, sandbox, _):
        assert sandbox is not None
        urls = sandbox.urls(origin)
        if arguments.json:
            terminal.say(json.dumps({"ready": True, **urls}))
        else:
            terminal.say(f"Practitioner:  {urls['practitioner_url']}\nPatient:       {urls['patient_url']}")
            if sandbox.post:
                terminal.say(f"Post:          {urls['post_url']}")
            terminal.say("Open each in a browser of its own. Ctrl-C stops everything.")
        await asyncio.Event().wait()


async def relay(arguments: argparse.Namespace) -> None:
    """Media workers for servers elsewhere, until a signal comes."""
    from media.processes import LocalWorkers
    from operate.deployment.strength import refuse_weak

    settings = configured(arguments)
    refuse_weak(settings)
    url, key = process.calls(settings.media, settings.signaling)
    from signaling.redis import connect, refuse_absence

    async with connect(url) as client:
        await refuse_absence(client, "media.redis_url" if settings.media.redis_url else "signaling.redis_url")
    async with LocalWorkers(settings.media, url, key) as workers:
        await process.asked_to_stop()
        await workers.drain(settings.media.drain_seconds)


async def operate(arguments: argparse.Namespace) -> None:
    """One of the operator's commands, with what it says."""
    terminal.say(await arguments.operate(configured(arguments), arguments))


async def print_turn(arguments: argparse.Namespace) -> None:
    """Print coturn's configuration, secrets included."""
    from operate.deployment.strength import refuse_weak
    from turn.coturn import render

    settings = configured(arguments)
    refuse_weak(settings)
    terminal.say(render(settings.turn).rstrip("\n"))


def configured(arguments: argparse.Namespace) -> Settings:
    from signaling import logs

    settings = load(Settings, arguments.config)
    logs.configure(settings.signaling.log_format, settings.signaling.log_level)
    return settings


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="spreekkamer", description="End-to-end encrypted video consultations.")
    root.set_defaults(run=operate)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=path, metavar="FILE", help="settings in TOML; environment variables go before")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    server = commands.add_parser("serve", parents=[common], help="run a server")
    server.add_argument("--tls-self-signed", action="store_true", help="speak TLS with a certificate of our own")
    server.set_defaults(run=serve)
    commands.add_parser("media", parents=[common], help="run media workers only").set_defaults(run=relay)
    demo = commands.add_parser("demo", parents=[common], help="run a sandbox on this machine")
    demo.add_argument("--port", type=port, default=8080, help="0 takes a free one")
    demo.add_argument("--data", type=path, default=Path("var/demo"), metavar="FOLDER")
    demo.add_argument("--json", action="store_true", help="print the links as one line of JSON")
    demo.set_defaults(run=demonstrate)
    commands.add_parser("coturn", parents=[common], help="print coturn's configuration").set_defaults(run=print_turn)
    attach(commands, common)
    return root


DASHED_ID = re.compile(r"-[A-Za-z0-9_-]{21}")


def with_ids(typed: Sequence[str]) -> list[str]:
    """What was typed, with each id beside its option: one of 64 begins with a dash, and would be taken for another."""
    taken: list[str] = []
    for one in typed:
        if taken and taken[-1] == "--appointment" and DASHED_ID.fullmatch(one):
            taken[-1] += f"={one}"
        else:
            taken.append(one)
    return taken


def main() -> None:
    """The console command; how it ends is in `operate.terminal`."""
    memory.no_core_dumps()
    chosen: list[argparse.Namespace] = []

    def work() -> None:
        chosen.append(parser().parse_args(with_ids(sys.argv[1:])))
        terminal.close_all_when_interrupted()
        asyncio.run(process.until_signal(chosen[0].run(chosen[0])))

    terminal.run(work, stopping_is_well=lambda: bool(chosen) and chosen[0].run in (serve, relay, demonstrate))


if __name__ == "__main__":
    main()

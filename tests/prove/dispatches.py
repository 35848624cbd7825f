"""``kill -9`` while patients are told of appointments: nothing lost, nothing out of order, nothing of what is gone."""

import asyncio
import json
import os
import signal
import time
from collections import Counter, defaultdict
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from practice.agenda.changes import Correction
from practice.agenda.records import APPOINTMENTS
from practice.storage import Store
from signaling.couriers import TERM
from tests.opening import of, open_store
from tests.people import START, Time, alice
from tests.practice.outbox import courier
from tests.prove.children import ask, start
from tests.prove.figures import Figure, Size, counted
from tests.prove.kills import databases
from tests.servers import bao, mail
from tests.servers import postgres as servers
from tests.servers.mail import MailServer
from vault.database.leases import Lease
from vault.records.scope import SERVER
from vault.settings import VaultSettings

STAGES = ("recipient", "taken", "answered")
"""Before its letter begins; between the server's taking it and its 250; after its 250."""

PACE = 60
"""Seconds of a campaign's clock in one of ours: who takes over waits for the other's lease."""

PATIENCE = 120
PATIENT = "Jan Canary"
NEEDLES = (PATIENT.encode(), b"@example.com", b"BEGIN:VCALENDAR", b"Subject:")
"""A patient's name, the domain of their addresses, and what every letter has."""


def prove(size: Size) -> list[Figure]:
    """One node on each database; two on the one that can be shared."""
    figures = []
    with databases(size) as found:
        for name, server in found:
            if server is None:
                figures += campaign(size, Course(name, 1, size.choose(100, 3), 4), None)
            else:
                figures += campaign(size, Course(f"{name}, two nodes", 2, 200, 33), server)
    return figures


@dataclass(frozen=True)
class Course:
    """Of one campaign: how many send, how often one of them is killed, how many are planned before each."""

    name: str
    nodes: int
    kills: int
    new: int
    since: float = field(default_factory=time.monotonic)

    @property
    def what(self) -> str:
        return f"{self.name}: kill -9 while patients are told"

    def clock(self) -> Time:
        return Hurried(since=self.since)


@dataclass
class Hurried(Time):
    """The same for every process of a campaign."""

    since: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=PACE * (time.monotonic() - self.since))

    def boottime(self) -> float:
        return self.boot + PACE * (time.monotonic() - self.since)


def campaign(size: Size, course: Course, server: servers.Postgres | None) -> list[Figure]:
    """Appointments are made, moved and destroyed, and who sends is killed at a random letter, again and again."""
    folder = size.folder / f"dispatches-{course.nodes}"
    folder.mkdir()
    settings = VaultSettings(data=folder / "data-0", root_key_file=folder / "root.key", trust_clock=True)
    with ExitStack() as stack:
        if server:
            transit = stack.enter_context(bao.running()).transit(folder)
            keys = SecretStr(server.new_database(migrated=False))
            shared = {"database_url": SecretStr(server.new_database()), "keystore_url": keys, "transit": transit}
            settings = settings.model_copy(update=shared)
        post = start(partial(receive, folder))
        try:
            wait_for(folder / "port")
            return told(size, course, folder, settings, server)
        finally:
            os.kill(post, signal.SIGKILL)
            os.waitpid(post, 0)


def told(
    size: Size, course: Course, folder: Path, settings: VaultSettings, server: servers.Postgres | None
) -> list[Figure]:
    run, kills, bytes_, plain = 0, 0, 0, 0
    since = server.position() if server else None
    dead: dict[str, int] = {}
    ask(partial(found, settings, course), folder / "answer")
    while kills < course.kills:
        seen = len(events(folder))
        dead |= dict.fromkeys(ask(partial(act, settings, course, run), folder / "answer"), seen)
        stage, letter = size.random.choice(STAGES), size.random.randint(1, course.new)
        kills += send_all(settings, folder, course, f"{run} {stage} {letter}")
        run += 1
        for text in on_disk(folder):
            bytes_ += len(text)
            plain += sum(text.count(needle) for needle in NEEDLES)
    send_all(settings, folder, course, f"{run} never 0")
    expected = ask(partial(standing, settings, course, run), folder / "answer")
    if server and since and settings.database_url:
        text = server.written(since, settings.database_url.get_secret_value())
        bytes_ += len(text)
        plain += sum(text.count(needle) for needle in NEEDLES)
    judgement = judged(course.what, events(folder), dead, expected, kills)
    return [*judgement, counted(f"{course.what}: plain text in what is stored", plain, bytes_, "bytes looked at")]


def send_all(settings: VaultSettings, folder: Path, course: Course, aim: str) -> int:
    """As many as there are nodes send until nothing is left; how many were killed. RuntimeError when one fails."""
    put(folder / "aim", aim)
    nodes = [settings.model_copy(update={"data": folder / f"data-{node}"}) for node in range(course.nodes)]
    ends = [os.waitpid(child, 0)[1] for child in [start(partial(send, one, folder, course)) for one in nodes]]
    if any(os.WIFEXITED(one) and os.WEXITSTATUS(one) for one in ends):
        raise RuntimeError("who sends failed")
    return sum(map(os.WIFSIGNALED, ends))


def put(path: Path, text: str) -> None:
    """Whole, or not yet."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.rename(path)


def on_disk(folder: Path) -> list[bytes]:
    """All files of the nodes' data, as somebody has them who takes the disk away after a kill."""
    return [path.read_bytes() for path in folder.glob("data-*/**/*") if path.is_file()]


def judged(
    what: str, taken: list[dict[str, Any]], dead: dict[str, int], expected: dict[str, int], kills: int
) -> list[Figure]:
    """``dead`` says how many letters were taken when an appointment was destroyed, by its address."""
    by_address: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in taken:
        by_address[one["to"]].append(one)
    lost = [to for to, last in expected.items() if not by_address[to] or by_address[to][-1]["sequence"] != last]
    late = [one for number, one in enumerate(taken) if number >= dead.get(one["to"], number + 1)]
    order = {to: [one["sequence"] for one in those] for to, those in by_address.items()}
    disorder = [to for to, those in order.items() if those != sorted(those)]
    names = {(one["to"], one["sequence"], one["id"]) for one in taken}
    twice = Counter((to, sequence) for to, sequence, _ in names)
    again = len(taken) - len(names)
    unit = f"kills, {len(taken):,} letters"
    return [
        counted(f"{what}: lost", len(lost), kills, unit),
        counted(f"{what}: out of order for one appointment and address", len(disorder), kills, unit),
        counted(f"{what}: begun after a destruction", len(late), kills, f"kills, {len(dead):,} destroyed"),
        counted(f"{what}: twice under two names", sum(n > 1 for n in twice.values()), kills, unit),
        counted(f"{what}: twice under one name, beyond one a kill", max(0, again - kills), kills, f"kills, {again} so"),
    ]


# --- who sends and who decides, each in a process of its own ---------------------------------------------------------


def opened(settings: VaultSettings, clock: Time) -> AbstractAsyncContextManager[Store]:
    return open_store(settings, now=clock.now, boot=clock.boottime, mail=True)


def day_of(run: int) -> date:
    """Ten runs plan for the same day."""
    return (START + timedelta(days=9 + run // 10)).date()


async def found(settings: VaultSettings, course: Course) -> None:
    async with opened(settings, course.clock()) as store:
        await alice(store)


async def act(settings: VaultSettings, course: Course, run: int) -> list[str]:
    """New ones, some that move, one that is destroyed: whose that was, when it is on disk."""
    dead = []
    async with opened(settings, course.clock()) as store:
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        scope = of(person.id)
        there = await store.appointments.list(scope, day_of(max(0, run - 1)), day_of(run))
        for number, one in enumerate(there[-2 * course.new :]):
            assert one.contact is not None
            if number == 0:
                await store.retention.destroy(scope, one.id, APPOINTMENTS)
                dead.append(str(one.contact.mail))
            elif number % 2:
                correction = Correction(one.version, starts_at=one.starts_at + timedelta(minutes=5))
                await store.appointments.change(scope, one.id, correction)
        at = datetime.combine(day_of(run), START.timetz()) + timedelta(minutes=run % 10)
        for number in range(course.new):
            await store.appointments.create(scope, PATIENT, at, 30, "nl", mail=f"p{run}-{number}@example.com")
    return dead


async def send(settings: VaultSettings, folder: Path, course: Course) -> None:
    """Until nothing is left to be sent, or killed. Who may send says so first."""
    server = MailServer(int((folder / "port").read_text()), folder / "mail-ca.pem")
    clock = course.clock()
    async with opened(settings, clock) as store, asyncio.timeout(PATIENCE):
        sender = courier(store, server)
        lease = Lease(store.database, "outbox", store.lease.holder, TERM, clock.now)
        while await store.outbox.any():
            if await lease.take():
                put(folder / "victim", str(os.getpid()))
                await sender.round()
            await asyncio.sleep(0.05)
        await lease.release()


async def standing(settings: VaultSettings, course: Course, run: int) -> dict[str, int]:
    """What each patient was to be told last."""
    async with opened(settings, course.clock()) as store:
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        there = await store.appointments.list(of(person.id), day_of(0), day_of(run) + timedelta(days=1))
        return {str(one.contact.mail): one.contact.sequence for one in there if one.contact}


# --- who receives ----------------------------------------------------------------------------------------------------


def events(folder: Path) -> list[dict[str, Any]]:
    path = folder / "taken"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def receive(folder: Path) -> None:
    """A mail server that writes down what it takes, and kills who sends at the letter that it was told."""
    descriptor = os.open(folder / "taken", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    left: dict[str, int] = {}

    def reach(stage: str) -> None:
        run, at, letter = (folder / "aim").read_text().split()
        if at == stage:
            left[run] = left.get(run, int(letter)) - 1
            if left[run] == 0:
                os.kill(int((folder / "victim").read_text()), signal.SIGKILL)

    class Receiving(MailServer):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content)
            entry = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
            payload = entry.get_payload(decode=True)
            assert isinstance(payload, bytes)
            sequence = payload.partition(b"SEQUENCE:")[2].split()[0]
            line = {"to": envelope.rcpt_tos[0], "id": message["Message-ID"], "sequence": int(sequence)}
            os.write(descriptor, f"{json.dumps(line)}\n".encode())
            reach("taken")
            asyncio.get_running_loop().call_later(0.001, reach, "answered")
            return "250 OK"

    def on_recipient(_: str) -> None:
        reach("recipient")

    async with mail.running(folder, made=Receiving(on_recipient=on_recipient)) as server:
        put(folder / "port", str(server.port))
        await asyncio.Event().wait()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("the mail server did not come")
        time.sleep(0.01)

"""``kill -9`` while patients are told of appointments: nothing lost, nothing out of order, nothing of what is gone."""

import asyncio
import json
import os
import signal
import time
from collections import Counter, defaultdict
from datetime import timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from practice.agenda.cancelling import UNDO
from practice.agenda.changes import Correction
from practice.agenda.records import APPOINTMENTS
from tests.opening import of, open_store
from tests.people import START, Time, alice
from tests.practice.outbox import courier
from tests.prove.children import ask, start
from tests.prove.figures import Figure, Size, counted
from tests.prove.kills import databases
from tests.servers import mail
from tests.servers import postgres as servers
from tests.servers.mail import MailServer
from vault.records.scope import SERVER
from vault.settings import VaultSettings

STAGES = ("recipient", "taken", "answered")
"""Before its letter begins; between the server's taking it and its 250; after its 250."""

NEW = 4
PATIENT = "Jan Canary"
NEEDLES = (PATIENT.encode(), b"@example.com", b"BEGIN:VCALENDAR", b"Subject:")
"""A patient's name, the domain of their addresses, and what every letter has."""


def prove(size: Size) -> list[Figure]:
    """One campaign for each database."""
    figures = []
    with databases(size) as found:
        for name, server in found:
            figures += campaign(size, name, server)
    return figures


def campaign(size: Size, name: str, server: servers.Postgres | None) -> list[Figure]:
    """Appointments are made, moved and destroyed, and who sends is killed at a random letter, again and again."""
    folder = size.folder / f"dispatches-{name}"
    folder.mkdir()
    url = server.new_database() if server else None
    settings = VaultSettings(data=folder / "data", trust_clock=True, database_url=url)
    post = start(partial(receive, folder))
    try:
        wait_for(folder / "port")
        return told(size, f"{name}: kill -9 while patients are told", folder, settings, server)
    finally:
        os.kill(post, signal.SIGKILL)
        os.waitpid(post, 0)


def told(size: Size, what: str, folder: Path, settings: VaultSettings, server: servers.Postgres | None) -> list[Figure]:
    wanted, run, kills, bytes_, plain = size.choose(100, 3), 0, 0, 0, 0
    since = server.position() if server else None
    dead: dict[str, int] = {}
    ask(partial(found, settings), folder / "answer")
    while kills < wanted:
        seen = len(events(folder))
        dead |= dict.fromkeys(ask(partial(act, settings, run), folder / "answer"), seen)
        stage, letter = size.random.choice(STAGES), size.random.randint(1, NEW)
        (folder / "victim").write_text(f"0 {stage} {letter}")
        kills += os.WIFSIGNALED(os.waitpid(start(partial(send, settings, folder, run)), 0)[1])
        run += 1
        for text in on_disk(settings.data):
            bytes_ += len(text)
            plain += sum(text.count(needle) for needle in NEEDLES)
    (folder / "victim").write_text("0 never 0")
    os.waitpid(start(partial(send, settings, folder, run)), 0)
    expected = ask(partial(standing, settings, run), folder / "answer")
    if server and since and settings.database_url:
        text = server.written(since, settings.database_url.get_secret_value())
        bytes_ += len(text)
        plain += sum(text.count(needle) for needle in NEEDLES)
    told = judged(what, events(folder), dead, expected, kills)
    return [*told, counted(f"{what}: plain text in what is stored", plain, bytes_, "bytes looked at")]


def on_disk(data: Path) -> list[bytes]:
    """All files of a data folder, as somebody has them who takes the disk away after a kill."""
    return [path.read_bytes() for path in data.rglob("*") if path.is_file()]


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


def clock(run: int) -> Time:
    """Each run after the lease of the one before."""
    time_ = Time()
    time_.pass_(minutes=3 * run)
    return time_


async def found(settings: VaultSettings) -> None:
    async with open_store(settings, now=clock(0).now, boot=clock(0).boottime, mail=True) as store:
        await alice(store)


async def act(settings: VaultSettings, run: int) -> list[str]:
    """New ones, some that move, one that is destroyed: whose that was, when it is on disk."""
    time_, dead = clock(run), []
    async with open_store(settings, now=time_.now, boot=time_.boottime, mail=True) as store:
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        scope, day = of(person.id), (START + timedelta(days=9)).date()
        there = await store.appointments.list(scope, day, day)
        for number, one in enumerate(there[-2 * NEW :]):
            assert one.contact is not None
            if number == 0:
                await store.retention.destroy(scope, one.id, APPOINTMENTS)
                dead.append(str(one.contact.mail))
            elif number % 2:
                correction = Correction(one.version, starts_at=one.starts_at + timedelta(minutes=5))
                await store.appointments.change(scope, one.id, correction)
        for number in range(NEW):
            at = START + timedelta(days=9, minutes=run)
            await store.appointments.create(scope, PATIENT, at, 30, "nl", mail=f"p{run}-{number}@example.com")
    return dead


async def send(settings: VaultSettings, folder: Path, run: int) -> None:
    """Until nothing is left to be sent, or killed."""
    stage, letter = (folder / "victim").read_text().split()[1:]
    (folder / "victim").write_text(f"{os.getpid()} {stage} {letter}")
    time_ = clock(run)
    time_.pass_(seconds=UNDO.total_seconds())
    server = MailServer(int((folder / "port").read_text()), folder / "mail-ca.pem")
    async with open_store(settings, now=time_.now, boot=time_.boottime, mail=True) as store:
        await courier(store, server).round()


async def standing(settings: VaultSettings, run: int) -> dict[str, int]:
    """What each patient was to be told last."""
    async with open_store(settings, now=clock(run).now, boot=clock(run).boottime, mail=True) as store:
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        day = (START + timedelta(days=9)).date()
        there = await store.appointments.list(of(person.id), day, day + timedelta(days=2))
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
        pid, at, letter = (folder / "victim").read_text().split()
        if at == stage and pid != "0":
            left[pid] = left.get(pid, int(letter)) - 1
            if left[pid] == 0:
                os.kill(int(pid), signal.SIGKILL)

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
        (folder / "port.new").write_text(str(server.port))
        (folder / "port.new").rename(folder / "port")
        await asyncio.Event().wait()


def wait_for(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("the mail server did not come")
        time.sleep(0.01)

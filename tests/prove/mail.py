"""Patients' letters by Debian's Postfix: what it passes on is verified by three programs, what it returns by Dovecot's
mailbox is said on the desk.
"""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, timedelta
from pathlib import Path

from pydantic import SecretStr

from practice import dkim
from practice.bounces.tokens import Tokens
from practice.outgoing import Door
from practice.settings import MailSettings, PracticeSettings
from practice.storage import Store
from signaling import couriers, mailing
from tests.opening import of, open_store
from tests.people import START, Time, alice
from tests.practice.outbox import Told, send_by, states
from tests.practice.posting import ORIGIN
from tests.prove.figures import Figure, Size, counted
from tests.readers.letters import Judged, judge
from tests.servers.dovecot import Dovecot, dovecot
from tests.servers.imap import ADDRESS
from tests.servers.mail import SENDER, MailServer, running
from tests.servers.postfix import postfix
from vault.settings import VaultSettings

SELECTOR = "key1"
PATIENCE = 60.0


def prove(size: Size) -> list[Figure]:
    """Half of the patients have an address that their provider refuses."""
    return asyncio.run(_prove(size))


async def _prove(size: Size) -> list[Figure]:
    time, made = Time(), dkim.made().split()
    async with AsyncExitStack() as stack:
        for name in ("sink", "postfix", "dovecot"):
            (size.folder / name).mkdir()
        vault = VaultSettings(data=size.memory / "data", trust_clock=True)
        store = await stack.enter_async_context(open_store(vault, now=time.now, boot=time.boottime, mail=True))
        sink = await stack.enter_async_context(running(size.folder / "sink", tls="none", auth=False))
        sink.on_recipient = lambda to: "550 5.1.1 nobody is called so" if to.startswith("nobody") else None
        box = await stack.enter_async_context(dovecot(size.folder / "dovecot"))
        port = await stack.enter_async_context(postfix(size.folder / "postfix", box.new.parents[1], sink.port))
        sender = MailSettings(
            host="localhost", port=port, security="none", sender=SENDER,
            dkim_selector=SELECTOR, dkim_keys=[SecretStr(key) for key in made],
        )  # fmt: skip
        settings = PracticeSettings(mail=sender, bounces=box.settings())
        return await _figures(size, time, store, sink, box, settings)


async def _figures(
    size: Size, time: Time, store: Store, sink: MailServer, box: Dovecot, settings: PracticeSettings
) -> list[Figure]:
    person, patients = await alice(store), size.choose(40, 4)
    starts = [START + timedelta(days=2, hours=number) for number in range(patients)]
    planned = [
        await store.appointments.create(
            of(person.id), "Jan", at, 30, "nl", mail=f"{('jan', 'nobody')[number % 2]}{number}@example.com"
        )
        for number, at in enumerate(starts)
    ]
    door, tokens, told = Door.of(settings), Tokens(ADDRESS, bytes(range(32))), Told()
    by = mailing.mailers(store, settings, door)
    courier = couriers.courier(store, by, ORIGIN, lambda: UTC, told, None, tokens)
    assert courier is not None
    await send_by(courier, time)
    refused = patients // 2
    async with asyncio.timeout(PATIENCE):
        while len(sink.taken) < patients - refused or _there(box.new) < refused:  # noqa: ASYNC110 -- files tell nobody
            await asyncio.sleep(0.05)
    reader = couriers.reader(store, settings.bounces, door, tokens, told)
    await reader.round()
    wrong = [
        number
        for number, one in enumerate(planned)
        if await states(store, one) != [("invitation", ("sent", "refused")[number % 2])]
    ]
    zone = dkim.zone("example.org", SELECTOR, settings.mail.keys())
    policies = '@ 60 IN TXT "v=spf1 ip4:203.0.113.5 -all"\n_dmarc 60 IN TXT "v=DMARC1; p=reject; adkim=s; aspf=s"\n'
    letters = [(one.raw, one.sender) for one in sink.taken]
    judged = await asyncio.to_thread(judge, letters, f"{policies}{zone}\n")
    unaligned = sum(one.spf != "pass" or not one.dmarc or one.dmarc["result"] != "pass" for one in judged)
    return [
        _verified(judged),
        counted("letters whose SPF or DKIM is not aligned with who they are from", unaligned, len(judged), "letters"),
        counted("patients of whom the desk says another thing than what became of it", len(wrong), patients, "told"),
        counted(
            "messages that are left in the mailbox",
            _there(box.new) + _there(box.new.parent / "cur"),
            refused,
            "returned",
        ),
    ]


def _verified(judged: list[Judged]) -> Figure:
    """Of the three programs, those that take all letters."""
    takes = (
        all(one.opendkim for one in judged),
        all(("rsa-sha256", "pass") in one.mail_dkim for one in judged),
        all(one.mailauth and all(result == "pass" for _, result in one.mailauth) for one in judged),
    )
    reached = f"{sum(takes)} of 3, {len(judged)} letters"
    return Figure("DKIM behind Postfix: opendkim, Mail::DKIM, mailauth", "3 of 3", reached, all(takes) and bool(judged))


def _there(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())

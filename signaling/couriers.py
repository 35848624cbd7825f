"""Who tells patients of their appointments: the ways by which it goes, and what stands above it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta, tzinfo
from functools import partial
from typing import Final

from practice.agenda.model import patient_link
from practice.bounces.reader import BounceReader
from practice.bounces.tokens import Tokens
from practice.imap import Mailbox
from practice.invitations.courier import Courier
from practice.invitations.mail import ByMail
from practice.invitations.port import Carrier
from practice.invitations.sms import BySms
from practice.notices.smtp import Mailers
from practice.organisation.model import Profile
from practice.outgoing import Door
from practice.settings import BounceSettings
from practice.sms_providers.sending import Texter
from practice.storage import Storage
from signaling.scopes import of_server
from vault.database.leases import Lease
from vault.errors import DomainError

NOBODYS: Final = Profile("", "", "", "nl", "UTC")

TERM: Final = timedelta(minutes=2)
"""Longer than one message may take."""


def courier(
    store: Storage,
    by: Mailers | None,
    origin: str,
    zone: Callable[[], tzinfo],
    on_change: Callable[[str], Awaitable[None]],
    texter: Texter | None = None,
    tokens: Tokens | None = None,
) -> Courier | None:
    """One for patients whose links lead to ``origin``, by mail and text message; None where nothing goes.

    With ``tokens`` mail comes back to their address.
    """
    now, carriers = store.clock.wall, list[Carrier]()

    def returns(dispatch: str) -> str:
        assert tokens is not None
        return tokens.address(dispatch, now())

    if by is not None:
        carriers.append(ByMail(by, returns if tokens else None))
    if texter is not None and "sms" in store.outbox.ways:
        carriers.append(BySms(texter))
    if not (store.outbox.ways and carriers):
        return None

    return Courier(
        store.outbox,
        {one.way: one for one in carriers},
        Lease(store.database, "outbox", store.lease.holder, TERM, now),
        now,
        letterhead=partial(letterhead, store),
        link=partial(patient_link, origin),
        zone=zone,
        on_change=on_change,
    )


def reader(
    store: Storage, settings: BounceSettings, door: Door, tokens: Tokens, on_change: Callable[[str], Awaitable[None]]
) -> BounceReader:
    """Of what comes back to the address of ``tokens``."""
    now = store.clock.wall
    lease = Lease(store.database, "bounces", store.lease.holder, TERM, now)
    return BounceReader(Mailbox("bounces", settings, door), tokens, store.outbox, lease, now, on_change)


async def letterhead(store: Storage, account: str) -> tuple[Profile, bytes]:
    """What the practice of an account says of itself, and its logo. Errors: DomainError."""
    try:
        return await store.organisation.profile_of(account), await store.pictures.logo_of(account)
    except DomainError as error:
        if error.code != "not_found":
            raise
    # Of an account that ends: it is in no organisation any more.
    with suppress(DomainError):
        return (await store.organisation.get(of_server())).profile, b""
    return NOBODYS, b""

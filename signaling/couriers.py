"""Who tells patients of their appointments: the ways by which it goes, and what stands above it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta, tzinfo
from functools import partial
from typing import Final

from practice.agenda.model import patient_link
from practice.invitations.courier import Courier
from practice.invitations.mail import ByMail
from practice.notices.smtp import Mailers
from practice.organisation.model import Profile
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
) -> Courier | None:
    """One for patients whose links lead to ``origin``; None where nothing goes by any way."""
    if by is None or not store.outbox.ways:
        return None

    async def letterhead(account: str) -> tuple[Profile, bytes]:
        try:
            return await store.organisation.profile_of(account), await store.pictures.logo_of(account)
        except DomainError as error:
            if error.code != "not_found":
                raise
        # Of an account that ends: it is in no organisation any more.
        with suppress(DomainError):
            return (await store.organisation.get(of_server())).profile, b""
        return NOBODYS, b""

    now = store.clock.wall
    return Courier(
        store.outbox,
        {"mail": ByMail(by)},
        Lease(store.database, "outbox", store.lease.holder, TERM, now),
        now,
        letterhead=letterhead,
        link=partial(patient_link, origin),
        zone=zone,
        on_change=on_change,
    )

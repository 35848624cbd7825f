"""Who sends notices, and by which mail servers; what stands on a letter beside its text."""

from collections.abc import Callable
from datetime import timedelta, tzinfo
from functools import partial
from typing import Final

from practice.circulars.press import Press
from practice.notices.letter import Letterhead
from practice.notices.model import Notice
from practice.notices.paper import Paper
from practice.notices.postman import Postman
from practice.notices.smtp import Mailers
from practice.outgoing import Door
from practice.settings import PracticeSettings
from practice.storage import Storage
from vault.database.leases import Lease

TERM: Final = timedelta(minutes=2)
"""Longer than one letter may take."""


def mailers(store: Storage, settings: PracticeSettings, door: Door) -> Mailers | None:
    """The operator's mail server and those of organisations; None where no mail is sent."""
    return Mailers(settings.mail, door, store.mail_servers.of_owner) if settings.sends else None


def postman(store: Storage, by: Mailers | None, origin: str, zone: Callable[[], tzinfo]) -> Postman | None:
    """One for people who find this server at ``origin``; None where no mail is sent."""
    if by is None:
        return None

    async def is_void(notice: Notice) -> bool:
        """Whether the link of a mail was withdrawn, or another was sent in its place, before it went."""
        seed = notice.news.values.get("invitation")
        return seed is not None and not await store.invitations.stands(store.invitations.token(seed))

    now = store.clock.wall
    lease = Lease(store.database, "post", store.lease.holder, TERM, now)
    head = Letterhead(by.operators.sender, origin, zone, store.resets.token)
    return Postman(store.notices, by, head, partial(paper, store), is_void, lease, now)


def press(store: Storage, by: Mailers | None, origin: str, zone: Callable[[], tzinfo]) -> Press | None:
    """Of newsletters, for the same people; None where no mail is sent."""
    if by is None:
        return None
    now = store.clock.wall
    lease = Lease(store.database, "press", store.lease.holder, TERM, now)
    return Press(store.circulars, store.subscriptions, by, partial(paper, store), origin, zone, lease, now)


async def paper(store: Storage, owner: str) -> Paper:
    """What stands on a letter of this organisation's, or of that of this account. Errors: DomainError."""
    return Paper(await store.pictures.logo_of(owner), (await store.organisation.profile_of(owner)).phone)

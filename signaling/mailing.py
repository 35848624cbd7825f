"""Who sends notices, and by which mail servers; what stands on a letter beside its text."""

from collections.abc import Callable
from datetime import timedelta, tzinfo
from typing import Final

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

    async def paper(owner: str) -> Paper:
        return Paper(await store.pictures.logo_of(owner), (await store.organisation.profile_of(owner)).phone)

    async def is_void(notice: Notice) -> bool:
        """Whether the link of a mail was withdrawn, or another was sent in its place, before it went."""
        seed = notice.news.values.get("invitation")
        return seed is not None and not await store.invitations.stands(store.invitations.token(seed))

    now = store.clock.wall
    lease = Lease(store.database, "post", store.lease.holder, TERM, now)
    head = Letterhead(by.operators.sender, origin, zone, store.resets.token)
    return Postman(store.notices, by, head, paper, is_void, lease, now)

"""Telling practitioners what a law demanded of theirs, once nobody forbids it any more (S-36)."""

from practice.storage import Storage
from vault.audit import SERVER, Act, Draft, practitioner


async def tell(store: Storage) -> None:
    """Those who may know from now on, each once, and entered. What is old is forgotten. Errors: DomainError."""
    told = await store.disclosures.tell()
    await store.audit.record_all([Draft(Act.LEGAL_TOLD, SERVER, practitioner(one.account)) for one in told])
    await store.disclosures.bury()

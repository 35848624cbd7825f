"""Mail that one's bank account is another or none, for whoever did that may have been somebody else."""

from practice.accounts.model import Practitioner
from practice.notices.model import News, Word
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.records.writing import Along


async def removal_told(call: Call) -> Along:
    """Mail that it went, wherever that was asked for."""
    return told(call, await call.request.app[STORE].practitioners.get(call.scope), "bank-removed")


def told(call: Call, person: Practitioner, word: Word) -> Along:
    """Mail to whose account it is, without the number, in the transaction of the change."""
    return call.request.app[STORE].notices.of(person.id, News(word, person.mail, person.language))

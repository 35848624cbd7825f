"""What a practitioner says to whoever waits."""

from practice.sentences.model import Sentence
from practice.sentences.records import SENTENCES
from signaling.protocol.errors import Doubtful
from signaling.protocol.rest import (
    Receipt,
    SentenceList,
    SentenceView,
    UnreadableSentence,
    WaitingSentence,
)
from signaling.protocol.waiting import WaitingPhotograph
from signaling.rest.appointments import receipt_view
from signaling.rest.doubts import found_in
from signaling.rest.endpoint import Call
from signaling.rest.join import visited
from signaling.scopes import of_link
from signaling.typedefs import STORE
from vault.audit import PATIENT, Act


async def all_of_them(call: Call) -> SentenceList:
    """In every language that there is one for."""
    said = await call.request.app[STORE].sentences.of(call.scope)
    return SentenceList(
        sentences=[_view(one) for one in said.sentences],
        unreadable=[UnreadableSentence(sentence=one.id, newer=one.newer) for one in said.damaged],
    )


async def say(call: Call) -> SentenceView:
    """Set the one for this language; what seems to be about one patient is asked about first."""
    doubts = [] if call.body.anyway else found_in(call.body.text)
    if doubts:
        raise Doubtful(doubts)
    return _view(await call.request.app[STORE].sentences.say(call.scope, call.body.language, call.body.text))


async def destroy(call: Call) -> Receipt:
    """Take one back, irrecoverably."""
    retention = call.request.app[STORE].retention
    return receipt_view(await retention.destroy(call.scope, call.path["sentence"], SENTENCES))


async def for_waiting(call: Call) -> WaitingSentence:
    """What whoever has this link reads while they wait."""
    store, (visit, _, _) = call.request.app[STORE], await visited(call)
    await store.audit.record(Act.SENTENCES_READ, PATIENT, visit.subject)
    text = await store.sentences.for_waiting(of_link(visit.appointment.id), visit, call.body.language)
    return WaitingSentence(text=text)


async def photograph_for_waiting(call: Call) -> WaitingPhotograph:
    """Where whoever has this link sees whom they wait for."""
    store, (visit, _, _) = call.request.app[STORE], await visited(call)
    await store.audit.record(Act.PICTURE_SHOWN, PATIENT, visit.subject)
    found = await store.pictures.for_waiting(of_link(visit.appointment.id), visit)
    return WaitingPhotograph(address=f"/photographs/{found.name}.jpg" if found else None)


def _view(sentence: Sentence) -> SentenceView:
    return SentenceView(sentence=sentence.id, language=sentence.language, text=sentence.text)

"""Answering what is asked before a consult, by a link, without an account or a script: until the consult begins.

The link comes in a body and goes back in a hidden field of the answer, which has no address and is kept nowhere. What
is typed reaches no log and no mail; it stands in the appointment alone, and goes with it. **No answer that was saved
goes back by a link**: who has no more than that, reads nothing of the patient.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from practice.agenda.model import secret_part
from practice.agenda.questions import MAX_ANSWER, MOST
from practice.questionnaires.store import may_answer
from signaling.gate import SIGNALING
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.rest.join import Visited, demand_agreed, parts_of, visited
from signaling.scopes import of_link
from signaling.typedefs import STORE
from vault.audit import PATIENT, Act
from vault.errors import DomainError
from web.consents import linked
from web.forms import Form, Linked, Page, Shown

Answer = Annotated[str, Field(max_length=MAX_ANSWER)]


class Answered(Linked):
    """One for each question, in their order, as they stood in this version of the appointment."""

    version: Annotated[int, Field(ge=1)]
    answer: Annotated[tuple[Answer, ...], Field(max_length=MOST)] = ()


async def show(_call: Call) -> Mapping[str, object]:
    """What is asked for, and what happens then."""
    return {}


async def read(call: Call) -> Shown:
    """What is asked. Errors: ``link_invalid``, ``code_needed``, ``consent_needed``, ``guardian_needed``,
    ``bad_state`` (nothing is).
    """
    bare = linked(call)
    found = await visited(bare)
    await call.request.app[STORE].audit.record(Act.LINK_OPENED, PATIENT, found.visit.subject)
    await demand_agreed(bare, found)
    return await shown(found)


async def answer(call: Call) -> Shown:
    """All of it, in place of what was answered before; with something wrong the page comes back as it was typed."""
    bare = linked(call)
    found, app = await visited(bare), call.request.app
    await demand_agreed(bare, found)
    visit = found.visit
    _, secret = parts_of(bare.body.link) or ("", "")
    held = await app[SIGNALING].in_progress(visit.appointment.id)
    try:
        await app[STORE].questionnaires.answer(
            of_link(visit.appointment.id), secret, visit, call.body.answer, call.body.version, held=held
        )
    except DomainError as error:
        wrong = (error.field or "").removeprefix("answer_")
        if error.code == "invalid" and wrong.isdecimal():
            return await shown(found, call.body.answer, int(wrong))
        raise
    await app[STORE].audit.record(Act.QUESTIONS_ANSWERED, PATIENT, visit.subject)
    return await shown(found, saved=True)


async def shown(found: Visited, typed: Sequence[str] = (), wrong: int | None = None, *, saved: bool = False) -> Shown:
    """The page after the link, with what was just typed. Errors: ``bad_state`` where nothing is asked of who has it."""
    visit = found.visit
    whole = visit.whole
    if whole is None or not whole.questions or not may_answer(visit):
        raise UserError("bad_state")
    host = await visit.host()
    return Shown(
        "questions/asked.html",
        {
            "rows": list(enumerate(zip(whole.questions, typed or ("",) * len(whole.questions), strict=True))),
            "version": whole.version,
            "again": bool(whole.answers),
            "link": secret_part(visit.appointment),
            "name": host.display_name,
            "starts_at": visit.appointment.starts_at,
            "wrong": wrong,
            "saved": saved,
            "most": MAX_ANSWER,
        },
    )


ENTRANCE: Final = Page("/c/questions", "questions/entrance.html", show, public=True)

SAID: Final = {
    "link_invalid": ("link", "error.link_invalid"),
    "code_needed": ("", "consent.code"),
    "consent_needed": ("", "questions.consent"),
    "guardian_needed": ("", "questions.consent"),
    "bad_state": ("", "questions.closed"),
    "conflict": ("", "questions.others"),
    "ended": ("", "questions.closed"),
    "invalid": ("", "questions.others"),
}

PAGES: Final = (ENTRANCE,)
FORMS: Final = (
    Form("/c/questions/read", ENTRANCE, Linked, read, says=SAID),
    Form("/c/questions/answer", ENTRANCE, Answered, answer, says=SAID),
)
"""``pages`` has each page and each form."""

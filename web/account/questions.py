"""What a practitioner asks before consults: questionnaires of typed questions, made one question at a time."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.agenda.questions import MAX_CHOICE, MAX_LABEL, MOST, QUESTION_KINDS, Question, QuestionKind
from practice.organisation.rights import Right
from practice.questionnaires.model import Questionnaires
from practice.questionnaires.store import MAX_NAME
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from web.forms import Fields, Form, Page

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class Added(Fields):
    """One question more, of a questionnaire that is there or begins with it, in the version that the page showed."""

    name: Name
    label: Annotated[str, Field(min_length=1, max_length=MAX_LABEL)]
    kind: QuestionKind
    choices: Annotated[str, Field(max_length=MAX_CHOICE * 25)] = ""
    needed: bool = False
    version: int


class Removed(Fields):
    """One of them, by its place."""

    name: Name
    number: Annotated[int, Field(ge=0, lt=MOST)]
    version: int


async def show(call: Call) -> Mapping[str, object]:
    """As they are now."""
    found = await call.request.app[STORE].questionnaires.of(call.scope)
    return {
        "questionnaires": found.questionnaires,
        "version": found.version,
        "kinds": QUESTION_KINDS,
        "most": MOST,
        "lengths": (MAX_NAME, MAX_LABEL),
    }


async def add(call: Call) -> Questionnaires:
    """At the end. Errors: also ``invalid`` where there are as many as there may be."""
    said, store = call.body, call.request.app[STORE].questionnaires
    name = said.name.strip()
    before = (await store.of(call.scope)).named(name)
    if before and len(before.questions) >= MOST:
        raise UserError("too_large")
    choices = tuple(said.choices.splitlines()) if said.kind == "choice" else ()
    questions = (*(before.questions if before else ()), Question(said.kind, said.label, choices, said.needed))
    return await store.write(call.scope, name, questions, said.version)


async def remove(call: Call) -> Questionnaires:
    """With its last question a questionnaire goes. Errors: ``not_found``."""
    said, store = call.body, call.request.app[STORE].questionnaires
    before = (await store.of(call.scope)).named(said.name)
    if before is None or said.number >= len(before.questions):
        raise DomainError("not_found")
    left = [one for number, one in enumerate(before.questions) if number != said.number]
    return await store.write(call.scope, said.name, left, said.version)


def changed(call: Call, _result: object) -> Draft:
    return Draft(Act.QUESTIONS_CHANGED, practitioner(call.practitioner))


ASKED: Final = Page("/account/questions", "account/questions.html", show, right=Right.CONSULT)

MANY: Final = {"too_large": ("", "questions.many")}

PAGES: Final = (ASKED,)
FORMS: Final = (
    Form("/account/questions/add", ASKED, Added, add, done="saved", entered=changed, says=MANY),
    Form("/account/questions/remove", ASKED, Removed, remove, done="removed", entered=changed),
)
"""``pages`` has each page and each form."""

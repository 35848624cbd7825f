"""Questionnaires: made by a practitioner, chosen for an appointment, answered by who comes to it.

What was answered stands in the appointment (``agenda.questions``), under its key: nothing here keeps it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from practice.accounts.sole import SoleRecords
from practice.agenda.guests import whose
from practice.agenda.labels import seen
from practice.agenda.model import Appointment
from practice.agenda.questions import MOST, Question, answered, checked_question
from practice.agenda.questions import asked as asks
from practice.agenda.turning import ROW, Turning, asked, first
from practice.agenda.visit import Visit
from practice.names import named
from practice.questionnaires.model import Questionnaire, Questionnaires
from practice.questionnaires.records import QUESTIONNAIRES
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

MAX_NAME: Final = 60
MOST_QUESTIONNAIRES: Final = 20


class AllQuestionnaires(RecordStore):
    """``store.questionnaires``. Errors of all: ``not_found`` (the scope), ``unreadable``, ``locked``, ``try_again``."""

    def __init__(self, means: Means, turning: Turning) -> None:
        super().__init__(means)
        self._sole = SoleRecords(means, QUESTIONNAIRES)
        self._turning = turning

    async def of(self, scope: Scope) -> Questionnaires:
        """All of theirs; version 0 where there never was one."""
        return await self._sole.of(scope.owner) or Questionnaires("", scope.owner)

    async def write(self, scope: Scope, name: str, questions: Sequence[Question], seen: int) -> Questionnaires:
        """One more, or another of the same name; without questions none of this name any more. What was chosen for an
        appointment stays there.

        Errors: ``invalid`` with the field (``questions`` where there are more than ``MOST``, ``name`` also where there
        are as many questionnaires as there may be), ``conflict``, ``not_found`` (also: the account is closing).
        """
        name = named(name, "name", MAX_NAME)
        if len(questions) > MOST:
            raise DomainError("invalid", "questions")
        made = Questionnaire(name, tuple(map(checked_question, questions)))
        before = await self.of(scope)
        names = [one.name for one in before.questionnaires]
        found = [made if one.name == name else one for one in before.questionnaires]
        found += [] if name in names else [made]
        if len(found) > MOST_QUESTIONNAIRES:
            raise DomainError("invalid", "name")
        kept = tuple(one for one in found if one.questions)
        after = replace(before, id=before.id or new_id(), questionnaires=kept, version=seen + 1)
        return await self._sole.put(after, before)

    async def choose(self, scope: Scope, appointment_id: str, name: str) -> Appointment:
        """What is asked before this appointment, as it stands now; with an empty name nothing. Answers to other
        questions go.

        Errors: ``invalid`` (there is none of this name), ``not_found`` (also for somebody else's), ``gone``, ``ended``.
        """
        scope.demand("practitioner")
        chosen = (await self.of(scope)).named(name) if name else None
        if name and chosen is None:
            raise DomainError("invalid", "name")
        row = await self._turning.living(scope, appointment_id)
        return seen(await self._turning.turn(row, partial(asks, chosen.questions if chosen else ())), scope)

    async def answer(
        self, scope: Scope, secret: str, visit: Visit, answers: Sequence[str], seen: int, *, held: bool
    ) -> Appointment:
        """What the patient, or a child's guardian, answers: one for each question, in place of what was answered
        before. ``seen`` is the version of the appointment whose questions they read. Who has to consent first is for
        the caller to ask (``consents.missing``).

        Errors: ``forbidden`` (of another guest), ``bad_state`` (nothing is asked, or the consult is ``held``),
        ``conflict`` (they read other questions, or somebody answered since), ``invalid`` (``answers`` of another
        number, or ``answer_<n>``), ``ended``, ``gone``, ``not_found``.
        """
        scope.demand("guest")
        one = visit.whole
        if one is None or not scope.covers(one.owner, one.id):
            raise DomainError("not_found")
        if not may_answer(visit):
            raise DomainError("forbidden")
        if held:
            raise DomainError("bad_state")
        row = first(await self._database.ask(ROW, {"wanted": asked(one.id)}))
        if row is None:
            raise DomainError("gone")

        def changed(before: Appointment) -> Appointment:
            if not whose(before, secret)[0]:
                raise DomainError("not_found")
            return answered(answers, seen, before)

        return await self._turning.turn(row, changed)


def may_answer(visit: Visit) -> bool:
    """Whether the questions are for whoever has this link: the patient, or a guardian of one who is a child."""
    if visit.guest is None:
        return True
    return visit.guest.role == "guardian" and visit.whole is not None and visit.whole.is_of_a_child

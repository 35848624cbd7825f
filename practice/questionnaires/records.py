"""What is inside the sealed column of what a practitioner asks before consults, and its table."""

from dataclasses import asdict
from typing import Any

from practice.agenda.questions import QUESTION_KINDS, Question
from practice.questionnaires.model import Questionnaire, Questionnaires
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_table

questionnaires = kept_table("questionnaires", "names, questions")

QUESTIONNAIRE = Sealed("questionnaires", Layout(frozenset(("questionnaires",))))


def seal_questionnaires(key: bytes, one: Questionnaires) -> dict[str, Any]:
    """The row of what a practitioner asks."""
    return QUESTIONNAIRE.row(key, one, export_questionnaires(one))


def open_questionnaires(key: bytes, row: Any) -> Questionnaires:
    """What a practitioner asks, in a row. Errors: Unreadable, Newer."""
    content, unknown = QUESTIONNAIRE.open(key, row)
    try:
        found = tuple(
            Questionnaire(str(one["name"]), tuple(_question(each) for each in one["questions"]))
            for one in content["questionnaires"]
        )
        return Questionnaires(row.id, row.owner, found, number(row.version), unknown)
    except (LookupError, TypeError, ValueError):
        raise Unreadable from None


def _question(kept: dict[str, Any]) -> Question:
    """Errors: LookupError, TypeError, ValueError."""
    choices = tuple(str(one) for one in kept["choices"])
    return Question(known(kept["kind"], QUESTION_KINDS), str(kept["label"]), choices, kept["needed"] is True)


def export_questionnaires(one: Questionnaires) -> dict[str, Any]:
    """All of it."""
    return {"questionnaires": [asdict(each) for each in one.questionnaires]}


QUESTIONNAIRES = QUESTIONNAIRE.kind(
    questionnaires, open_questionnaires, seal_questionnaires, export=export_questionnaires
)

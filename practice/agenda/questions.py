"""What a practitioner asks before a consult, and what was answered: sealed with the appointment, and gone with it.

The questions stand in the appointment as they were when they were chosen: who makes others later changes no answer's
meaning.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Final, Literal, get_args

from practice.names import named
from vault.errors import DomainError

if TYPE_CHECKING:
    from practice.agenda.model import Appointment

QuestionKind = Literal["text", "number", "choice", "yesno", "date"]
QUESTION_KINDS: Final[tuple[QuestionKind, ...]] = get_args(QuestionKind)

MOST: Final = 30
"""Questions of one questionnaire."""

MAX_LABEL: Final = 200
MAX_CHOICE: Final = 100
CHOICES: Final = range(2, 21)
MAX_ANSWER: Final = 1000
YES_NO: Final = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Question:
    """One: ``choices`` are those of a *choice*; with ``needed`` it cannot be left open."""

    kind: QuestionKind
    label: str = field(repr=False)
    choices: tuple[str, ...] = field(default=(), repr=False)
    needed: bool = False


def checked_question(one: Question) -> Question:
    """The same, tidied. Errors: ``invalid``, with the field."""
    if one.kind not in QUESTION_KINDS:
        raise DomainError("invalid", "kind")
    choices = tuple(dict.fromkeys(named(choice, "choices", MAX_CHOICE) for choice in one.choices if choice.strip()))
    if (len(choices) in CHOICES) != (one.kind == "choice"):
        raise DomainError("invalid", "choices")
    return replace(one, label=named(one.label, "label", MAX_LABEL), choices=choices)


def answers_to(questions: Sequence[Question], typed: Sequence[str]) -> tuple[str, ...]:
    """What was typed, one for each question in their order, as it is kept; empty where it was left open.

    Errors: ``invalid``, with ``answers`` (their number is another), or ``answer_<n>`` of the first that is wrong.
    """
    if len(typed) != len(questions):
        raise DomainError("invalid", "answers")
    pairs = enumerate(zip(questions, typed, strict=True))
    return tuple(_answer(one, text.strip(), number) for number, (one, text) in pairs)


def _answer(one: Question, text: str, number: int) -> str:
    wrong = DomainError("invalid", f"answer_{number}")
    if not text:
        if one.needed:
            raise wrong
        return ""
    if len(text) > MAX_ANSWER or (one.kind == "choice" and text not in one.choices):
        raise wrong
    if one.kind == "yesno" and text not in YES_NO:
        raise wrong
    try:
        if one.kind == "number":
            return _number(text)
        return date.fromisoformat(text).isoformat() if one.kind == "date" else text
    except ValueError:
        raise wrong from None


def _number(text: str) -> str:
    """As it was typed, with a point: ``36,5`` is a number in three of our languages. Errors: ValueError."""
    plain = text.replace(",", ".", 1)
    whole, _, rest = plain.removeprefix("-").partition(".")
    if not whole.isascii() or not whole.isdecimal() or (rest and not (rest.isascii() and rest.isdecimal())):
        raise ValueError("no number")
    return plain.removesuffix(".")


def asked(questions: tuple[Question, ...], one: "Appointment") -> "Appointment":
    """The appointment with these questions; answers to others go. Errors: ``ended``."""
    if one.state != "planned" or one.cancelled_at or one.withdrawn_at:
        raise DomainError("ended")
    return one if one.questions == questions else replace(one, questions=questions, answers=())


def answered(typed: Sequence[str], seen: int, one: "Appointment") -> "Appointment":
    """The appointment with these answers, in place of those before. An answer has no name but its place: ``seen`` is
    the version whose questions were read. Errors: ``ended``, ``bad_state`` (nothing is asked), ``conflict``,
    ``invalid``.
    """
    if one.state != "planned" or one.cancelled_at or one.withdrawn_at:
        raise DomainError("ended")
    if not one.questions:
        raise DomainError("bad_state")
    if one.version != seen:
        raise DomainError("conflict")
    return replace(one, answers=answers_to(one.questions, typed))

"""What a practitioner asks before consults, as it leaves storage: decrypted, immutable, silent in ``repr``."""

from dataclasses import dataclass, field

from practice.agenda.questions import Question
from vault.records.content import Fields


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """One of them, by the name that its practitioner gave it."""

    name: str = field(repr=False)
    questions: tuple[Question, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Questionnaires:
    """All of the account that is its ``owner``, in the order in which they were made.

    ``unknown`` is what a newer program keeps beside these fields. ``version`` 0 is of who has made none yet.
    """

    id: str
    owner: str
    questionnaires: tuple[Questionnaire, ...] = ()
    version: int = 0
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    def named(self, name: str) -> Questionnaire | None:
        """The one of this name."""
        return next((one for one in self.questionnaires if one.name == name), None)

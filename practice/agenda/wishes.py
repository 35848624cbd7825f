"""What a patient says of an appointment by its link: *I cannot come*, or *another time, please*.

**It is typed, not pressed**: programs that look at links in mail open them, run their pages and press every button. A
word that stands beside the field is typed by none of them. It changes nothing but that it is shown: whoever planned the
appointment decides, and whoever said so may come all the same.
"""

import unicodedata
from typing import Final, Literal, get_args

from practice.accounts.model import Language
from vault.errors import DomainError

Wish = Literal["cancel", "move"]
WISHES: Final[tuple[Wish, ...]] = get_args(Wish)

WORDS: Final[dict[Wish, dict[Language, str]]] = {
    "cancel": {"nl": "afzeggen", "en": "cancel", "de": "absagen", "fr": "annuler"},
    "move": {"nl": "verzetten", "en": "move", "de": "verlegen", "fr": "reporter"},
}
"""What is to be typed. Those of all languages count: whoever typed one saw it."""


AROUND: Final = " \t\n\"'.\u00ab\u00bb\u2018\u2019\u201c\u201d\u201e"
"""What some put around a word that they were asked for."""


def demand_typed(wish: Wish, typed: str) -> None:
    """Errors: ``invalid`` for any other word than that of this wish."""
    plain = unicodedata.normalize("NFKC", typed).casefold().strip(AROUND)
    if plain not in WORDS[wish].values():
        raise DomainError("invalid", "typed")

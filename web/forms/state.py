"""What a template asks of its forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from practice.doubts import DOUBTS


@dataclass(frozen=True)
class State:
    """One form: as it stands empty, or as it came back. ``problems`` are texts in the reader's language, by field;
    that of ``""`` is about the whole.
    """

    name: str
    action: str
    token: str = field(repr=False)
    typed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problems: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    """Of ``web.forms.fields.PROBLEMS``, by field, with a space between several."""
    takes_file: bool = False
    labels: dict[str, str] = field(default_factory=dict, repr=False)
    """Of the fields that were drawn, for the list of what is wrong."""

    @property
    def returned(self) -> bool:
        """Whether it came back, with what was typed."""
        return bool(self.typed)

    def value(self, name: str, stored: object = "") -> object:
        """What a field shows: what was typed, else what is stored. A box that was not ticked was not sent."""
        return self.typed.get(name, "") if self.returned else stored

    def problem(self, name: str) -> str | None:
        """What is wrong with a field."""
        return self.problems.get(name)

    def doubts(self, name: str) -> str:
        """What a second press would keep of a field's text, with a space between several."""
        return " ".join(one for one in self.words.get(name, "").split() if one in DOUBTS)

    def id(self, name: str, label: str = "") -> str:
        """The field's id in the page."""
        if label:
            self.labels[name] = label
        return f"{self.name}-{name}"

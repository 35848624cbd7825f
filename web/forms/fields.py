"""What a form sends: ``application/x-www-form-urlencoded``, within bounds, each field once and none that is unknown.

A form with a file (a field of type ``bytes``) sends ``multipart/form-data`` instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from practice.doubts import DOUBTS
from signaling.protocol.errors import ProtocolError
from web.forms.multipart import parts

TOKEN: Final = "form_token"  # noqa: S105 -- the name of a field
MOST_FIELDS: Final = 200
MANY: Final = (list, set, frozenset, tuple)

TEXTABLE: Final = ("number", "country", "paid", "mobile")
"""What is wrong with a number for text messages."""

WORDS: Final = {
    "missing": "missing",
    "string_too_short": "missing",
    "string_too_long": "long",
    "too_long": "long",
    "bytes_too_short": "missing",
    "literal_error": "choice",
    "enum": "choice",
}
"""What is said of a field, by what pydantic found; of anything else ``wrong``. The texts are ``form.problem.*``."""

ARCHIVE: Final = tuple(f"archive_{one}" for one in ("foreign", "cut", "newer", "large", "password", "content", "again"))
"""Why an archive is not taken back."""

LOOKS: Final = ("mixed", "resembles")
"""What is said of a name that looks like what it is not."""

PROBLEMS: Final = frozenset(
    {
        *WORDS.values(),
        "short",
        "differs",
        "same",
        "unticked",
        "wrong",
        "none-there",
        "contrast",
        *TEXTABLE,
        *DOUBTS,
        *LOOKS,
        *ARCHIVE,
    }
)

Secret = SecretStr
"""A field that is never shown again. With ``Field(min_length=…, max_length=…)`` like a text."""

Password = Annotated[Secret, Field(max_length=1024)]
"""Of who is signed in, once more."""

PROOF: Final = {
    "sign_in_refused": ("password", "password.wrong"),
    "factor_refused": ("code", "error.factor_refused"),
}
"""What is said beside the fields by which somebody proves once more who they are."""

NOT_ASKED: Final = SecretStr("")
"""Of who signed in with a passkey a moment ago: for all others it is missing."""


class Fields(BaseModel):
    """A form's fields. A text without ``min_length`` may be left empty; a tuple is what may come more than once.

    An unticked box sends nothing: ``bool`` fields and tuples have a default, which is checked too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)


class Linked(Fields):
    """The link, as it was pasted or as the page's script took it from its own address."""

    link: Annotated[Secret, Field(min_length=1, max_length=2048)]


F = TypeVar("F", bound=Fields)


@dataclass(frozen=True)
class Sent:
    """The fields of a body as they came: a text each, a list where the model has one."""

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)

    def typed(self, model: type[Fields]) -> dict[str, Any]:
        """What may be shown again."""
        known = model.model_fields
        never = (SecretStr, bytes)
        return {name: value for name, value in self.values.items() if known[name].annotation not in never}

    def checked(self, model: type[F]) -> F:
        """As the model. Errors: ``Wrong``."""
        try:
            return model.model_validate(dict(self.values))
        except ValidationError as error:
            raise Wrong(problems(error)) from None


class Wrong(ProtocolError):  # noqa: N818 -- a state, not a mistake
    """Fields that are not as they have to be: for each a word out of ``PROBLEMS``, or several with spaces between, and
    by field the ``values`` of their texts.
    """

    def __init__(self, problems: Mapping[str, str], values: Mapping[str, Mapping[str, str]] | None = None) -> None:
        super().__init__("invalid")
        self.problems = problems
        self.values = values or {}


def parse(body: bytes, model: type[Fields]) -> Sent:
    """A body's fields. Errors: ``invalid`` for one that no form of ours sends."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise ProtocolError("invalid") from None
    return sorted_out(pairs, model)


def parse_parts(body: bytes, content_type: str, model: type[Fields]) -> Sent:
    """The same of a body that holds a file. Errors: ``invalid``."""
    try:
        pairs = [(name, data if is_file(model, name) else data.decode()) for name, data in parts(body, content_type)]
    except UnicodeDecodeError:
        raise ProtocolError("invalid") from None
    return sorted_out(pairs, model)


def sorted_out(pairs: Iterable[tuple[str, Any]], model: type[Fields]) -> Sent:
    """Each field once, or as a list. Errors: ``invalid``."""
    found: dict[str, Any] = {}
    token: list[str] = []
    for name, value in pairs:
        if name == TOKEN and not token:
            token.append(value)
        elif is_list(model, name):
            found.setdefault(name, []).append(value)
        elif name in found or name not in model.model_fields:
            raise ProtocolError("invalid")
        else:
            found[name] = value
    return Sent(found, *token)


def is_file(model: type[Fields], name: str) -> bool:
    """Whether a field is one that somebody chooses a file for."""
    known = model.model_fields.get(name)
    return known is not None and known.annotation is bytes


def is_list(model: type[Fields], name: str) -> bool:
    """Whether a field may come more than once."""
    known = model.model_fields.get(name)
    return known is not None and get_origin(known.annotation) in MANY


def problems(error: ValidationError) -> dict[str, str]:
    """The first of each field."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        found.setdefault(str(one["loc"][0]) if one["loc"] else "", word_for(one["type"], one.get("ctx", {})))
    return found


def word_for(kind: str, context: Mapping[str, Any]) -> str:
    """What is said of a finding of pydantic's. Of a secret and of several it says ``too_short`` alike."""
    if kind != "too_short":
        return WORDS.get(kind, "wrong")
    if context.get("field_type") != "Value":
        return "choice"
    return "short" if context.get("actual_length") else "missing"

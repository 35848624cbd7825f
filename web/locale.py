"""Languages of the pages: gettext catalogues, keyed by stable names such as ``desk.admit``, read once at import.

What is said of errors is the protocol's (``signaling.protocol.texts``), so that apps say the same.

The same catalogues go to the scripts as JSON. A key that a catalogue lacks is an error, never an English fallback
in the middle of a Dutch page.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from babel import Locale

from signaling.protocol.texts import TEXTS

ROOT = Path(__file__).parent / "locales"
EVERYWHERE = "en"
WISH = re.compile(r"(?P<language>[a-z]{2,8})(-[a-z0-9]{1,8})*\s*(;\s*q=(?P<quality>0(\.\d{0,3})?|1(\.0{0,3})?))?")
KEY = re.compile(r"""['"`]([a-z][\w-]*)\.""")
LINE = re.compile(r'(?:(?P<keyword>msgid|msgid_plural|msgstr|msgstr\[\d\]) )?"(?P<text>[^"\\]*(?:\\["\\nt][^"\\]*)*)"')
NAMES = {"nl": "Nederlands", "en": "English", "de": "Deutsch", "fr": "Français"}


@dataclass(frozen=True)
class Catalogue:
    """All texts of one language; a plural is a tuple of (one, other)."""

    language: str
    messages: Mapping[str, str | tuple[str, ...]]

    def text(self, key: str, **values: object) -> str:
        """The text of ``key`` with its ``{placeholders}`` filled in, where it has two forms that for ``n``.

        KeyError when it does not exist, or needs a number.
        """
        message = self.messages[key]
        if isinstance(message, tuple):
            if not isinstance(n := values.get("n"), int):
                raise KeyError(f"{key} needs a number")
            message = message[Locale(self.language).plural_form(n) != "one"]
        return message.format(**values) if values else message

    def json(self, families: Collection[str]) -> bytes:
        """As the scripts read it: ``{key: text}`` or ``{key: [one, other]}``, of keys that begin with these words."""
        messages = {key: text for key, text in self.messages.items() if key.partition(".")[0] in families}
        return json.dumps(messages, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def families(scripts: Iterable[str]) -> set[str]:
    """The first words of all keys that these scripts could look up."""
    return {"brand", *(word for source in scripts for word in KEY.findall(source))}


def load(language: str, root: Path = ROOT) -> Catalogue:
    """Read ``<root>/<language>/LC_MESSAGES/messages.po``. ValueError names what is not translated."""
    source = (root / language / "LC_MESSAGES" / "messages.po").read_text("utf-8")
    messages: dict[str, str | tuple[str, ...]] = {}
    for entry in entries(source):
        key, *forms = (text for keyword, text in entry.items() if keyword not in ("msgid_plural", "fuzzy"))
        if key and ("fuzzy" in entry or not forms or not all(forms)):
            raise ValueError(f"{language}: {key} is not translated")
        if key:
            messages[key] = tuple(forms) if "msgid_plural" in entry else forms[0]
    return Catalogue(language, messages | {f"error.{code}": getattr(one, language) for code, one in TEXTS.items()})


def entries(source: str) -> Iterator[dict[str, str]]:
    """Keyword to text of each entry of a catalogue; ``fuzzy`` where a tool marked it so. ValueError names what is none.

    Babel reads the same in four times as long, which every start would wait for; a test reads all catalogues with both.
    """
    entry: dict[str, str] = {}
    keyword = ""
    marks: set[str] = set()
    for number, line in enumerate(source.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            marks |= {"fuzzy"} if line.startswith("#,") and "fuzzy" in line else set()
            continue
        found = LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"line {number} is none of a catalogue")
        keyword = found["keyword"] or keyword
        if found["keyword"] == "msgid":
            if entry:
                yield entry
            entry, marks = dict.fromkeys(marks, ""), set()
        text = found["text"]
        entry[keyword] = entry.get(keyword, "") + (json.loads(f'"{text}"') if "\\" in text else text)
    yield entry


def available(root: Path = ROOT) -> Iterable[str]:
    """The languages that have a catalogue, in the order in which they are offered."""
    return [language for language in NAMES if (root / language).is_dir()]


CATALOGUES = {language: load(language) for language in available()}


def negotiate(chosen: str | None, accept: str, default: str) -> tuple[str, bool]:
    """(language, whether the person or the browser said anything about it).

    ``chosen`` is what the person chose on an earlier page, ``accept`` an Accept-Language header (RFC 9110 12.5.4).
    Who asks for languages that are lacking is more likely to read English than the practice's own.
    """
    if chosen in CATALOGUES:
        return chosen, True
    wishes = []
    for position, part in enumerate(accept[:1000].split(",")):
        wish = WISH.fullmatch(part.strip().lower())
        if wish and (quality := float(wish["quality"] or 1)) > 0:
            wishes.append((-quality, position, wish["language"]))
    for _, _, language in sorted(wishes):
        if language in CATALOGUES:
            return language, True
    return (EVERYWHERE, True) if wishes else (default, False)

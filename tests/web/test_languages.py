"""Every text exists in every language, and nobody can add one that does not."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from signaling.protocol.errors import CATALOGUE, Doubt
from signaling.protocol.events import EndReason, HoldMessage, Unusable
from signaling.protocol.rest import PersonCheckView, Retention
from tests.web.conftest import STATIC, TEMPLATES, Client, imported_by, scripts
from web.locale import CATALOGUES, load, negotiate
from web.pages import STORED
from web.storage import KEPT

DEVICES = ("camera", "microphone", "speaker")
OBSTACLES = ("in-app", "outdated", "insecure", "lockdown", "no-webrtc", "switched-off")
FAMILIES = {
    "error": [*CATALOGUE, "offline", "timeout"],
    "hold": [f"{message}{form}" for message in get_args(HoldMessage) for form in ("", ".short")],
    "bye.lead": get_args(EndReason),
    "bye.title": ["left", "cancelled"],
    "retention": get_args(Retention),
    "day.fate": get_args(Retention),
    "patient.progress": ["check", "wait", "talk", "goodbye"],
    "call.leave": ["patient", "practitioner"],
    "call.failed": ["media", "tampering", "outdated", "offline"],
    "line": ["good", "fair", "poor"],
    "waiting.sound": ["on", "off", "blocked"],
    "desk.obstacle": OBSTACLES,
    "message": [
        f"{name}.{part}"
        for name in (
            *("link_invalid", "early", "late", "ended", *OBSTACLES, "offline", "timeout"),
            *("rate_limited", "room_full", "tampering", "elsewhere", "try_again"),
        )
        for part in ("title", "text", "remedy")
    ],
    "problem": [
        *(
            f"{which}.{problem}"
            for which in ("both", *DEVICES[:2])
            for problem in ("denied", "busy", "missing", "insecure")
        ),
        *(f"denied.{browser}" for browser in ("chrome", "firefox", "safari", "in-app")),
        *(f"{problem}.remedy" for problem in ("busy", "missing", "insecure")),
    ],
    "devices": [*DEVICES, *(f"{kind}.none" for kind in DEVICES), *(f"{kind}.unnamed" for kind in DEVICES)],
    "devices.refused": ["denied", "busy", "missing"],
    "call": [f"{kind}-{problem}" for kind in ("mic", "camera", "both") for problem in ("none", "denied", "busy")],
    "call.unusable": list(get_args(Unusable)),
    "call.compare": ["came", "left", "renewed"],
    "call.person": ["practitioner", "patient", "guest"],
    "signin": ["mail.missing", "password.missing"],
    "new.doubt": get_args(Doubt),
    "day": ["running", "waiting", "ended", "past"],
    "new": ["patient.missing", "day.missing", "time.missing"],
    "privacy.data": [
        *(f"talk.{part}" for part in ("what", "why", "long")),
        *(f"item.{entry.label}" for _, entries in STORED for entry in entries),
        *(f"category.{category}" for category, _ in STORED),
        *{
            f"{part}.{getattr(entry, part)}"
            for _, entries in STORED
            for entry in entries
            for part in ("purpose", "basis", "retention", "form")
        },
    ],
    "technical": [
        f"{row}.{word}"
        for row in ("role", "device", "connection", "sound", "picture", "network")
        for word in get_args(PersonCheckView.model_fields[row].annotation)
    ],
    "privacy.kept": [
        *(f"{kept.text}.{part}" for kept in KEPT for part in ("purpose", "life")),
        *{kept.kind for kept in KEPT},
    ],
}


def made_keys() -> set[str]:
    """Keys that are put together at run time from a closed set."""
    return {f"{family}.{member}" for family, members in FAMILIES.items() for member in members}


def written_keys() -> set[str]:
    """Keys that stand in a template or a script as they are."""
    found: set[str] = set()
    for template in TEMPLATES.rglob("*.html"):
        found |= set(re.findall(r"\bt\('([\w.-]+)'(?! ~)", template.read_text()))
    for source in scripts().values():
        # Any quoted word that has a family's shape: keys are also chosen between before they are looked up.
        found |= set(re.findall(r"""'([a-z][\w-]*(?:\.[\w-]+)+)'""", source))
    found |= set(re.findall(r"t\('(brand)'", "".join(scripts().values())))
    return {key for key in found if not key.endswith((".js", ".html"))}


def test_all_languages_have_the_same_texts() -> None:
    keys = {language: set(catalogue.messages) for language, catalogue in CATALOGUES.items()}
    assert keys["nl"] == keys["en"]
    assert len({frozenset(found) for found in keys.values()}) == 1


def test_every_text_that_is_used_exists_and_every_text_that_exists_is_used() -> None:
    used, there = written_keys() | made_keys(), set(CATALOGUES["nl"].messages)
    assert used - there == set()
    assert there - used == set()


def placeholders(text: str | tuple[str, ...]) -> list[set[str]]:
    return [set(re.findall(r"\{(\w+)\}", form)) for form in ([text] if isinstance(text, str) else text)]


def test_placeholders_are_the_same_in_all_languages() -> None:
    for key, text in CATALOGUES["en"].messages.items():
        for catalogue in CATALOGUES.values():
            assert placeholders(catalogue.messages[key]) == placeholders(text), f"{catalogue.language}: {key}"


def test_a_text_without_translation_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "nl" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text('msgid ""\nmsgstr "Language: nl\\n"\n\nmsgid "desk.admit"\nmsgstr ""\n')
    with pytest.raises(ValueError, match=r"desk\.admit"):
        load("nl", tmp_path)


def test_an_unknown_text_is_an_error() -> None:
    with pytest.raises(KeyError):
        CATALOGUES["nl"].text("does.not.exist")


def test_people_are_addressed_formally_and_calmly() -> None:
    for key, text in CATALOGUES["nl"].messages.items():
        for form in [text] if isinstance(text, str) else text:
            assert not re.search(r"\b(je|jij|jouw|jullie)\b", form, re.IGNORECASE), key
    for catalogue in CATALOGUES.values():
        for key, text in catalogue.messages.items():
            for form in [text] if isinstance(text, str) else text:
                assert "!" not in form, key
                assert not re.search(r"oops|oeps|sorry|helaas", form, re.IGNORECASE), key
                assert '"' not in form, f"{key}: typographic quotes"
                assert "'" not in form, f"{key}: typographic apostrophes"


@pytest.mark.parametrize(
    ("chosen", "accept", "language", "asked"),
    [
        (None, "", "nl", False),
        (None, "en-GB,en;q=0.9,nl;q=0.8", "en", True),
        (None, "de-DE,nl;q=0.5,en;q=0.7", "en", True),
        (None, "*", "nl", False),
        (None, "*;q=0.5, tr", "en", True),
        (None, "ar,fa;q=0.9", "en", True),
        (None, "de-DE,de;q=0.9", "en", True),
        (None, "fr-BE,nl-BE;q=0.1", "nl", True),
        (None, "TR-tr, NL;q=0", "en", True),
        (None, "nl-Latn-NL", "nl", True),
        (None, "nl;q=nan,en;q=1e0,de;q=-1", "nl", False),
        (None, "nl;q=0.3,en;q=0.31", "en", True),
        (None, "en;q=0,nl;q=0.1", "nl", True),
        (None, "en;q=much,;;,=,nl", "nl", True),
        (None, "en" * 100_000, "nl", False),
        (None, "nl;q=0", "nl", False),
        ("en", "nl", "en", True),
        ("xx", "en", "en", True),
    ],
)
def test_the_language_is_what_the_person_chose_then_what_the_browser_asks(
    chosen: str | None, accept: str, language: str, asked: bool
) -> None:
    assert negotiate(chosen, accept, "nl") == (language, asked)


async def test_a_chosen_language_is_remembered_and_nothing_else_is(pages: Client) -> None:
    unasked = await pages.get("/", headers={"Accept-Language": "en"})
    assert "Set-Cookie" not in unasked.headers
    chosen = await pages.get("/?lang=en", headers={"Accept-Language": "nl"})
    assert chosen.headers["Set-Cookie"].startswith("lang=en;")
    again = await pages.get("/", headers={"Accept-Language": "nl"})
    assert again.headers["Content-Language"] == "en"
    wrong = await pages.get("/?lang=<script>", headers={"Accept-Language": "nl"})
    assert "Set-Cookie" not in wrong.headers


@pytest.mark.parametrize("page", ["desk", "patient", "signin"])
@pytest.mark.parametrize("language", CATALOGUES)
async def test_the_scripts_of_a_page_get_every_text_they_may_say_and_no_other_words(
    pages: Client, page: str, language: str
) -> None:
    said = json.loads(await (await pages.get(f"/static/locales/{page}-{language}.json")).text())
    catalogue = json.loads(json.dumps(CATALOGUES[language].messages))
    assert said.items() <= catalogue.items()
    sources = [(STATIC / name).read_text() for name in imported_by(f"pages/{page}.js")]
    literals = {text for source in sources for text in re.findall(r"""['`]([\w-]+(?:\.[\w-]+)+)['`]""", source)}
    beginnings = {text for source in sources for text in re.findall(r"""`([\w-]+\.[\w.-]*)\$\{""", source)}
    assert literals & catalogue.keys() <= said.keys()
    assert {key for key in catalogue if key.startswith(tuple(beginnings))} <= said.keys()

"""Every text exists in every language, and nobody can add one that does not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, get_args

import pytest
from babel.messages.pofile import read_po

from practice.accounts.model import Language
from practice.agenda.model import Attendance
from practice.agenda.wishes import WISHES
from practice.invitations.model import WAYS
from practice.invitations.model import WORDS as TOLD_WORDS
from practice.invitations.model import State as TellingState
from practice.kinds import KINDS
from practice.notices.model import Reason
from practice.notices.smtp import Step
from practice.organisation.rights import ROLES
from practice.policies.model import FEATURES, HOURS
from practice.sights.model import Phase, SightReason
from practice.sms_providers.model import Format
from practice.sms_providers.numbers import Reason as Unfit
from practice.sms_providers.sending import Step as SmsStep
from practice.statistics.model import TALLIES, WAITS
from signaling.protocol.errors import CATALOGUE, Doubt
from signaling.protocol.events import EndReason, HoldMessage, Unusable
from signaling.protocol.rest import PersonCheckView, Retention
from signaling.protocol.texts import TEXTS
from signaling.protocol.waiting_room import DeclineMessage, Found, Status
from tests.web.conftest import LANGUAGES, STATIC, TEMPLATES, Client, imported_by, scripts
from tests.web.forms.withheld import WITHHELD
from vault.audit import Act
from vault.audit.entry import Kind as PartyKind
from vault.records.records import Kind
from vault.records.scope import Label
from web.account import security
from web.forms.fields import PROBLEMS
from web.locale import CATALOGUES, ROOT, load, negotiate
from web.pages import STORED
from web.practice.menu import ENTRIES
from web.practice.report import CLAIMS
from web.routes import FORMS
from web.storage import KEPT
from web.trail import DETAILS


def given(kind: Kind[Any]) -> set[str]:
    """Fields of what is sealed that their owner is shown."""
    return set(kind.layout.fields | kind.layout.optional) - WITHHELD.get(kind.name, set())


DEVICES = ("camera", "microphone", "speaker")
OBSTACLES = ("in-app", "outdated", "insecure", "lockdown", "no-webrtc", "switched-off")
FAMILIES = {
    "error": [*CATALOGUE, "offline", "timeout"],
    "hold": [f"{message}{form}" for message in get_args(HoldMessage) for form in ("", ".short")],
    "bye.lead": [*get_args(EndReason), "declined"],
    "bye.title": ["left", "cancelled", "declined"],
    "decline": get_args(DeclineMessage),
    "announce.status": get_args(Status),
    "retention": get_args(Retention),
    "statistics": (*TALLIES, *WAITS, "few", "withheld"),
    "day.fate": get_args(Retention),
    "patient.progress": ["check", "wait", "talk", "goodbye"],
    "call.leave": ["patient", "practitioner"],
    "call.failed": ["media", "tampering", "outdated", "offline"],
    "line": ["good", "fair", "poor"],
    "waiting.check": [
        "green",
        *(f"{device}.{found}" for device in DEVICES[:2] for found in get_args(Found) if found != "works"),
    ],
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
    "form": ["stale"],
    "password": ["wrong"],
    "picture": ["too_large"],
    "mail": [
        *("taken", "confirmed.old", "confirmed.new"),
        *(f"told.{state}" for state in ("waits", "done", "done.text", "stopped", "stopped.text")),
    ],
    "data.field": sorted(
        {"app", "codes_left", "state"}.union(*(given(kind) for kind in KINDS if kind.export is not None))
    ),
    "sight": [
        *("factor", "conflict", "late", *(f"phase.{phase}" for phase in get_args(Phase))),
        *(f"reason.{reason}" for reason in get_args(SightReason)),
    ],
    "people.factor": ["none", *(f"reason.{reason}" for reason in get_args(Reason))],
    "dissolving": ["problem.name"],
    "invite": ["conflict"],
    "invited": ["conflict", "title", "text"],
    "registering": ["conflict", "title", "text", "own.title", "own.text"],
    "domains": ["taken"],
    "told": TOLD_WORDS,
    "told.way": WAYS,
    "new.phone": ["hint", *get_args(Unfit)],
    "told.state": [state for state in get_args(TellingState) if state != "void"],
    "policies.reminders": [str(hours) for hours in HOURS],
    "role": ROLES,
    "label": get_args(Label),
    "serves": ["conflict"],
    "served": ["doubtful"],
    "departments": ["taken"],
    "act": list(Act),
    "party": get_args(PartyKind),
    "policies": list(FEATURES),
    "duty": list(CLAIMS),
    "mail_server.outcome": ["accepted", *get_args(Step)],
    "day.wish": WISHES,
    "wish": ["cancel.word", *(f"{wish}.said" for wish in WISHES)],
    "feed": ["busy"],
    "push": ["waits"],
    "booking": ["taken", "busy"],
    "hour": ["closed", "full", "busy"],
    "sms.test": ["message"],
    "sms.outcome": ["accepted", *get_args(SmsStep)],
    "sms.format": get_args(Format),
    "report": ["inventory", "purposes", "kept", "here", "barred"],
    "audit.export": ["large"],
    "record.apart": ["database", "keystore", "transit", "redis"],
    "menu": [name for name, _ in ENTRIES],
    "form.problem": sorted(PROBLEMS),
    "done": sorted({form.done for form in FORMS if form.done}),
    "security": [*{key.partition(".")[2] for _, key in security.WRONG.values() if key.startswith("security.")}],
    "new.doubt": get_args(Doubt),
    "day": ["running", "waiting", "ended", "past", "planned", "cancelled", "held", "missed"],
    **{kind: ["title", "text", "yes", "button", "button.who"] for kind in ("cancel", "destroy")},
    "attend": [f"{said}{part}" for said in get_args(Attendance) for part in ("", ".button", ".who")],
    "week": [*(f"view.{view}" for view in ("day", "week", "list")), "previous", "next"],
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
    details = {key for one in DETAILS.values() for key in (*one.words.values(), one.counted) if key}
    return details | {f"{family}.{member}" for family, members in FAMILIES.items() for member in members}


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_stands_twice(language: str) -> None:
    """The second would take the place of the first without a word."""
    keys = re.findall(r'^msgid "(.+)"$', (ROOT / language / "LC_MESSAGES" / "messages.po").read_text(), re.MULTILINE)
    assert sorted(keys) == sorted(set(keys))


def test_all_languages_have_the_same_texts() -> None:
    assert tuple(CATALOGUES) == get_args(Language) == tuple(LANGUAGES)
    for language, catalogue in CATALOGUES.items():
        assert set(catalogue.messages) ^ set(CATALOGUES["nl"].messages) == set(), language


def test_what_is_counted_has_two_forms_in_every_language() -> None:
    for key, text in CATALOGUES["nl"].messages.items():
        for language, catalogue in CATALOGUES.items():
            other = catalogue.messages[key]
            assert (isinstance(other, tuple) and len(other)) == (isinstance(text, tuple) and 2), f"{language}: {key}"


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


def as_babel_reads(file: IO[bytes]) -> dict[str, str | tuple[str, ...]]:
    """Everything but the errors' texts."""
    read = {one.id[0] if isinstance(one.id, tuple) else one.id: one.string for one in read_po(file) if one.id}
    return {str(key): tuple(text) if isinstance(text, list | tuple) else str(text) for key, text in read.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_are_read_as_babel_reads_them(language: str) -> None:
    with (ROOT / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        expected = as_babel_reads(file)
    assert load(language).messages == expected | {
        f"error.{code}": getattr(one, language) for code, one in TEXTS.items()
    }


HEADER = 'msgid ""\nmsgstr "Language: nl\\n"\n\n'


def written(folder: Path, entries: str) -> Path:
    """A catalogue with these entries; the folder of its language."""
    (folder / "nl" / "LC_MESSAGES").mkdir(parents=True)
    (folder / "nl" / "LC_MESSAGES" / "messages.po").write_text(HEADER + entries)
    return folder


def test_whatever_a_translators_tool_writes_is_read_as_babel_reads_it(tmp_path: Path) -> None:
    entries = (
        '# a comment\n#. of a tool\n#: desk.html:3\nmsgid "desk.admit"\n'
        'msgstr ""\n"Laat \\"binnen\\"\\n"\n"een \\\\ streep\\t."\n'
        '\nmsgid "people.many"\nmsgid_plural "people.many"\nmsgstr[0] "een"\nmsgstr[1] "veel"\n\n'
        '#~ msgid "gone"\n#~ msgstr "weg"\n'
    )
    root = written(tmp_path, entries)
    with (root / "nl" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        expected = as_babel_reads(file)
    assert expected == {"desk.admit": 'Laat "binnen"\neen \\ streep\t.', "people.many": ("een", "veel")}
    read = load("nl", root).messages
    assert {key: read[key] for key in expected} == expected
    assert "gone" not in read


@pytest.mark.parametrize(
    "entry",
    [
        'msgid "desk.admit"\nmsgstr ""\n',
        'msgid "desk.admit"\n',
        '#, fuzzy\nmsgid "desk.admit"\nmsgstr "misschien"\n',
        'msgid "desk.admit"\nmsgid_plural "desk.admit"\nmsgstr[0] "een"\nmsgstr[1] ""\n',
    ],
)
def test_a_text_without_translation_is_refused(tmp_path: Path, entry: str) -> None:
    root = written(tmp_path, f'msgid "brand"\nmsgstr "x"\n\n{entry}\nmsgid "base.skip"\nmsgstr "y"\n')
    with pytest.raises(ValueError, match=r"desk\.admit"):
        load("nl", root)


@pytest.mark.parametrize("line", ["msgid desk.admit", 'msgctxt "x"', 'msgstr "a" "b"', 'msgstr "\\x"', "nonsense"])
def test_a_line_that_is_none_of_a_catalogue_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="line 4 is none"):
        load("nl", written(tmp_path, f"{line}\n"))


@pytest.mark.parametrize(
    ("language", "n", "text"), [("en", 0, "0 members"), ("en", 1, "1 member "), ("fr", 0, "0 membre ")]
)
def test_what_is_counted_has_the_form_of_its_number(language: str, n: int, text: str) -> None:
    assert CATALOGUES[language].text("people.unreadable", n=n).startswith(text)
    with pytest.raises(KeyError, match="needs a number"):
        CATALOGUES[language].text("people.unreadable")


def test_an_unknown_text_is_an_error() -> None:
    with pytest.raises(KeyError):
        CATALOGUES["nl"].text("does.not.exist")


FAMILIAR = {
    "nl": r"\b([Jj]e|[Jj]ij|[Jj]ouw|[Jj]ullie)\b",
    "de": r"\b([Dd]u|[Dd]ich|[Dd]ir|[Dd]ein\w*|ihr|[Ee]uch|[Ee]uer|[Ee]ure\w*)\b",
    "fr": r"\b([Tt]u|[Tt]e|[Tt]oi|[Tt]on|[Tt]a|[Tt]es)\b",
}
APOLOGIES = r"\boops|\boeps|sorry|helaas|leider|hoppla|désolé|malheureusement"


def forms() -> Iterator[tuple[str, str, str]]:
    """Every text of every language: language, key, text."""
    for language, catalogue in CATALOGUES.items():
        for key, text in catalogue.messages.items():
            for form in [text] if isinstance(text, str) else text:
                yield language, key, form


def test_people_are_addressed_formally_and_calmly() -> None:
    for language, key, form in forms():
        assert language == "en" or not re.search(FAMILIAR[language], form), f"{language}: {key}"
        assert "!" not in form, key
        assert not re.search(APOLOGIES, form, re.IGNORECASE), f"{language}: {key}"


def test_quotes_and_spaces_are_set_as_each_language_sets_them() -> None:
    for language, key, form in forms():
        assert '"' not in form, f"{language}: {key}: typographic quotes"
        assert "'" not in form, f"{language}: {key}: typographic apostrophes"
        if language == "de":
            assert not re.search("[„“”«»]", re.sub("„[^„“]+“", "", form)), key
        if language == "fr":
            assert not re.search("[„“”]", form), key
            assert not re.search("«(?!\u00a0)|(?<!\u00a0)[;?%»]|(?<!\u00a0):(?!\\d)", form), f"{key}: no-break space"
            assert not re.search(r"\b[Dd]e \{(name|place|operator)\}", form), f"{key}: a vowel may follow"


@pytest.mark.parametrize(
    ("chosen", "accept", "language", "asked"),
    [
        (None, "", "nl", False),
        (None, "en-GB,en;q=0.9,nl;q=0.8", "en", True),
        (None, "es-ES,nl;q=0.5,en;q=0.7", "en", True),
        (None, "*", "nl", False),
        (None, "*;q=0.5, tr", "en", True),
        (None, "ar,fa;q=0.9", "en", True),
        (None, "de-DE,de;q=0.9", "de", True),
        (None, "gsw-CH,de-CH;q=0.9,en;q=0.5", "de", True),
        (None, "fr-BE,nl-BE;q=0.1", "fr", True),
        (None, "es-ES,nl-BE;q=0.1", "nl", True),
        (None, "TR-tr, NL;q=0", "en", True),
        (None, "nl-Latn-NL", "nl", True),
        (None, "nl;q=nan,en;q=1e0,de;q=-1", "nl", False),
        (None, "nl;q=0.3,en;q=0.31", "en", True),
        (None, "en;q=0,nl;q=0.1", "nl", True),
        (None, "en;q=much,;;,=,nl", "nl", True),
        (None, "en" * 100_000, "nl", False),
        (None, "nl;q=0", "nl", False),
        ("en", "nl", "en", True),
        ("fr", "nl", "fr", True),
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

"""Every text exists in every language, and nobody can add one that does not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, get_args

import pytest
from babel.messages.pofile import read_po

from practice.accounts.model import Language
from signaling.protocol.texts import TEXTS
from tests.web.conftest import LANGUAGES, STATIC, TEMPLATES, Client, imported_by, scripts
from tests.web.families import FAMILIES
from web.locale import CATALOGUES, ROOT, load, negotiate
from web.trail import DETAILS


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
            assert not re.search("«(?!\u00a0)|(?<!\u00a0)[;?%»]|(?<!\u00a0):(?!\\d|//)", form), f"{key}: no-break space"
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

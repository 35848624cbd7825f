"""What mail says: a letter of RFC 5322, in the language of who reads it, neutral."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from practice.circulars.model import Topic
from practice.kinds import KINDS
from practice.notices.letter import LANGUAGES, LINKS, TEXTS, WORDS
from practice.notices.model import News, Reason, Word
from practice.notices.records import NOTICES
from practice.storage import Store
from tests.opening import open_store
from tests.practice.posting import ORIGIN, postman, server, sqlite_store
from tests.servers.mail import SENDER, MailServer
from vault.records.writing import always
from vault.settings import VaultSettings

__all__ = ["server", "sqlite_store"]


async def good(_: str) -> bool:
    """Whatever the link."""
    return True


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_letter_is_one_of_rfc_5322_in_the_language_of_who_reads_it(
    sqlite_store: Store,
    server: MailServer,
    word: Word,
    language: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = sqlite_store
    monkeypatch.setattr(store.invitations, "stands", good)
    person = await store.practitioners.add("a@bücher.example", "correct horse battery", "Dr Évilenbergh", language)
    values: dict[str, str] = {"left": "2", "reason": "lost", "authority": "https://authority.example/"}
    if "link" in TEXTS[word]["gaps"]:
        values |= {word if word in LINKS else "mail": "a seed"}
    await store.notices.along(person.id, [News(word, person.mail, person.language, values)], always)
    await postman(store, server).round()
    (mail,) = server.taken
    message = mail.message
    assert mail.recipient == "a@xn--bcher-kva.example"
    assert sorted(name for name, _ in message.items() if name != "X-Peer") == sorted([
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    ])  # fmt: skip
    assert message["From"] == SENDER
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == TEXTS[word][language]["subject"]
    assert message["Message-ID"].endswith("@example.org>")
    assert message["Date"].datetime == store.clock.wall()
    assert "consult.example.org" in mail.text and ORIGIN in mail.text
    assert "vilenbergh" not in mail.text, "nobody's name"
    assert mail.raw.isascii() and max(map(len, mail.raw.split(b"\r\n"))) <= 78
    assert mail.raw.count(b"\n") == mail.raw.count(b"\r\n")


FORBIDDEN = (
    *("patient", "patiënt", "cliënt", "client", "consult ", "afspraak", "appointment", "termin", "rendez-vous", "zorg"),
    *("care", "arts", "doctor", "arzt", "médecin", "praktijk", "practice", "praxis", "cabinet", "behandel", "!"),
)


GAPS = ("when", "link", "left", "reason", "home", "host", "address", "digits", "count", "authority", "topic")


def test_every_text_is_there_in_every_language_neutral_and_whole() -> None:
    assert set(TEXTS) == set(WORDS)
    for word, text in TEXTS.items():
        assert set(text) == {"gaps", *LANGUAGES}, word
        for language in LANGUAGES:
            said: Sequence[str] = (text[language]["subject"], text[language]["text"])
            gaps = {gap for gap in GAPS if f"{{{gap}}}" in said[1]}
            assert gaps - {"home", "host"} == set(text["gaps"]), (word, language)
            assert ("topic" in gaps) == (set(text[language].get("topics", {})) == set(get_args(Topic))), word
            assert ("reason" in gaps) == (set(text[language].get("reasons", {})) == set(get_args(Reason))), word
            said = (*said, *text[language].get("reasons", {}).values())
            assert not [one for one in FORBIDDEN if one in "".join(said).lower()], (word, language)
            assert "{" not in said[0] and len(said[0]) <= 60


def test_it_is_a_kind_like_any_other() -> None:
    assert NOTICES in KINDS.records
    assert not NOTICES.timed


async def test_a_link_cannot_be_made_of_its_seed_without_the_key_store(sqlite_store: Store, tmp_path: Path) -> None:
    """What is written down holds the seed: another key store makes another link of it."""
    seed = "s" * 22
    token = sqlite_store.keys.link_token(seed)
    assert len(token) == 43 and seed not in token
    async with open_store(VaultSettings(data=tmp_path / "another", trust_clock=True)) as another:
        assert another.keys.link_token(seed) != token == sqlite_store.keys.link_token(seed)

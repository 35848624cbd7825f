"""What a practitioner says to whoever waits: kept with the account, and destroyed as every record is."""

import asyncio
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select, update

from practice.accounts.model import Language, Practitioner
from practice.accounts.records import practitioners
from practice.kinds import KINDS
from practice.sentences.model import Sentence
from practice.sentences.records import SENTENCES, open_sentence, seal_sentence, sentences
from practice.sentences.store import TRIES
from practice.storage import Store
from tests.opening import of
from tests.people import Time, alice, caught_up, charlie, plan
from vault import keystore
from vault.errors import DomainError, Unreadable
from vault.keys.envelope import new_key, pack, seal
from vault.keys.places import NOBODY
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings

MAX_TEXT = 300
"""As documents and pages say it."""

TEXT = "Ik loop soms uit. Blijf gerust wachten."


async def texts(store: Store, person: Practitioner) -> dict[str, str]:
    return {one.language: one.text for one in (await store.sentences.of(of(person.id))).sentences}


async def waiting(store: Store, person: Practitioner, language: Language) -> str | None:
    """What a patient of this practitioner reads."""
    planned = await plan(store, person)
    scope = Scope.guest(planned.id)
    visit = await store.appointments.by_link(scope, planned.secret)
    assert visit is not None
    for other in (of(person.id), SERVER, Scope.operator(), Scope.guest("A" * 22)):
        with pytest.raises(DomainError, match="not_found"):
            await store.sentences.for_waiting(other, visit, language)
    return await store.sentences.for_waiting(scope, visit, language)


async def rows(store: Store) -> list[tuple[str, str]]:
    async with store.database.read() as connection:
        return [(row.id, row.state) for row in await connection.execute(select(sentences).order_by(sentences.c.id))]


async def kept(store: Store) -> set[str]:
    """Ids of the keys that there are."""
    return set(await store.keys.ids()) - {NOBODY}


async def test_one_for_each_language_and_the_last_one_said_counts(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    first = await store.sentences.say(of(person.id), "nl", f"  {TEXT}\n")
    await store.sentences.say(of(person.id), "en", "One moment, please.")
    await store.sentences.say(of(other.id), "nl", "Van een ander.")
    assert (first.text, first.version) == (TEXT, 1)
    again = await store.sentences.say(of(person.id), "nl", "Ik kom zo.")
    assert (again.id, again.version) == (first.id, 2)
    assert await texts(store, person) == {"en": "One moment, please.", "nl": "Ik kom zo."}
    assert await waiting(store, person, "nl") == "Ik kom zo."
    assert await waiting(store, person, "de") is None
    assert TEXT not in repr(first)


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b\u2060", "a\nb", "a\x00b", "a\u2028b", "\ud800", "x" * (MAX_TEXT + 1), "\u0085a\u0085b"]
)
async def test_what_is_no_sentence_changes_nothing(sqlite_store: Store, text: str) -> None:
    store = sqlite_store
    person = await alice(store)
    with pytest.raises(DomainError, match="invalid") as refused:
        await store.sentences.say(of(person.id), "nl", text)
    assert refused.value.field == "text"
    with pytest.raises(DomainError, match="invalid"):
        await store.sentences.say(of(person.id), "es", TEXT)  # type: ignore[arg-type]  # what is refused
    assert await rows(store) == []
    assert await kept(store) == {person.id}


async def test_the_longest_in_any_script_fits(sqlite_store: Store) -> None:
    person = await alice(sqlite_store)
    for text in ("🙂" * MAX_TEXT, "مرحبا"):
        assert (await sqlite_store.sentences.say(of(person.id), "en", text)).text == text


async def test_many_who_set_it_at_once_make_one(store: Store) -> None:
    person = await alice(store)
    said = await asyncio.gather(
        *(store.sentences.say(of(person.id), "nl", f"Tekst {number}") for number in range(TRIES)),
        return_exceptions=True,
    )
    made = {one.id for one in said if isinstance(one, Sentence)}
    assert len(made) == 1
    assert all(isinstance(one, Sentence) or (isinstance(one, DomainError) and one.code == "try_again") for one in said)
    assert len(await rows(store)) == 1
    assert await kept(store) == {person.id, *made}, "no key of one that came second is left"


@pytest.mark.duty("S-31")
async def test_taken_back_it_is_destroyed_with_a_receipt(store: Store) -> None:
    person = await alice(store)
    one = await store.sentences.say(of(person.id), "nl", TEXT)
    with pytest.raises(DomainError, match="not_found"):
        await store.retention.destroy(of((await charlie(store)).id), one.id)
    receipt = await store.retention.destroy(of(person.id), one.id)
    assert await store.retention.destroy(of(person.id), one.id) == receipt
    assert await store.keys.missing([one.id]) == [one.id]
    assert await rows(store) == []
    assert await store.appointments.receipts(of(person.id)) == [receipt]
    assert (await store.sentences.say(of(person.id), "nl", "Opnieuw.")).id != one.id


async def test_the_setting_and_destroy_all_are_for_appointments(store: Store, time: Time) -> None:
    person = await alice(store)
    await store.sentences.say(of(person.id), "nl", TEXT)
    await plan(store, person)
    await store.practitioners.set_retention(of(person.id), "end")
    time.pass_(days=700)
    assert await store.retention.sweep() == 1
    assert (await store.retention.destroy_all(of(person.id))).destroyed == 0
    assert await texts(store, person) == {"nl": TEXT}


@pytest.mark.duty("S-28")
async def test_it_ends_with_the_account_and_there_is_a_receipt(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    one = await store.sentences.say(of(person.id), "nl", TEXT)
    theirs = await store.sentences.say(of(other.id), "nl", TEXT)
    closed = await store.retention.close(of(person.id))
    assert (closed.destroyed, closed.waiting) == (1, 0)
    assert await store.keys.receipt(person.id, one.id) is not None
    assert await rows(store) == [(theirs.id, "kept")]
    assert await kept(store) == {other.id, theirs.id}
    with pytest.raises(DomainError, match="not_found"):
        await store.sentences.say(of(person.id), "nl", TEXT)


async def test_an_account_that_is_closing_says_nothing_new(store: Store) -> None:
    person = await alice(store)
    one = await store.sentences.say(of(person.id), "nl", TEXT)
    await store.retention.request_closure(of(person.id))
    for language in ("nl", "en"):
        with pytest.raises(DomainError, match="not_found"):
            await store.sentences.say(of(person.id), language, "Toch nog.")
    assert await rows(store) == [(one.id, "destroying")]
    await store.retention.sweep()
    assert await store.practitioners.id_by_mail(SERVER, person.mail) is None
    assert await kept(store) == set()


async def test_a_key_is_known_to_have_its_row_at_once(store: Store) -> None:
    """A server of the first release looks for rows of appointments and practitioners only."""
    person = await alice(store)
    one = await store.sentences.say(of(person.id), "nl", TEXT)
    assert one.id not in {row_id for row_id, _ in await store.keys.unconfirmed()}


async def test_what_a_server_of_the_first_release_left_of_an_account_is_destroyed(store: Store, time: Time) -> None:
    """It closes an account, and knows no sentences."""
    person, other = await alice(store), await charlie(store)
    one = await store.sentences.say(of(person.id), "nl", TEXT)
    theirs = await store.sentences.say(of(other.id), "nl", TEXT)
    await store.keys.destroy([(person.id, person.id)], time.now())
    async with store.database.write() as connection:
        await connection.execute(delete(practitioners).where(practitioners.c.id == person.id))
        await connection.execute(delete(practitioners).where(practitioners.c.id == other.id))
    await caught_up(store)
    assert await rows(store) == [(theirs.id, "kept")], "of a lost account nothing is destroyed"
    assert await store.keys.receipt(person.id, one.id) is not None


async def test_one_that_cannot_be_read_is_said_and_can_be_destroyed(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    person = await alice(store)
    bad, newer = [await store.sentences.say(of(person.id), language, TEXT) for language in ("nl", "en")]
    key, _ = await store.keys.get(person.id, newer.id)
    written = seal(key, pack({"version": 2, "words": []}), SENTENCES.place(newer.id, person.id))
    async with store.database.write() as connection:
        await connection.execute(update(sentences).where(sentences.c.id == bad.id).values(content=b"x" * 300))
        await connection.execute(update(sentences).where(sentences.c.id == newer.id).values(content=written))
    said = await store.sentences.of(of(person.id))
    assert said.sentences == []
    assert {(one.id, one.newer) for one in said.damaged} == {(bad.id, False), (newer.id, True)}
    assert await waiting(store, person, "nl") is None
    status = await store.retention.status()
    assert (status.unreadable, status.newer) == (1, 1)
    findings = (await keystore.verify(settings, KINDS, time.now)).findings
    assert any(one.startswith("Sentences that cannot be read: 1.") for one in findings)
    for one in (bad, newer):
        await store.retention.destroy(of(person.id), one.id)
    assert (await keystore.verify(settings, KINDS, time.now)).findings == ()


async def test_what_a_newer_program_added_stays(store: Store) -> None:
    person = await alice(store)
    one = await store.sentences.say(of(person.id), "nl", TEXT)
    key, _ = await store.keys.get(person.id, one.id)
    content = {"language": "nl", "text": TEXT, "shown": "before"}
    async with store.database.write() as connection:
        sealed = seal(key, pack(content), SENTENCES.place(one.id, person.id))
        await connection.execute(update(sentences).where(sentences.c.id == one.id).values(content=sealed))
    await store.sentences.say(of(person.id), "nl", "Anders.")
    (after,) = (await store.sentences.of(of(person.id))).sentences
    assert (after.text, after.unknown) == ("Anders.", {"shown": "before"})


@pytest.mark.duty("S-31")
async def test_an_older_database_brings_none_back(sqlite_store: Store) -> None:
    store = sqlite_store
    person = await alice(store)
    one = await store.sentences.say(of(person.id), "nl", TEXT)
    async with store.database.read() as connection:
        (row,) = (await connection.execute(select(sentences))).all()
    await store.retention.destroy(of(person.id), one.id)
    async with store.database.write() as connection:
        await connection.execute(sentences.insert().values(dict(row._mapping)))
    assert (await store.sentences.of(of(person.id))).sentences == []
    await caught_up(store)
    assert await rows(store) == []


async def test_whoever_is_always_overtaken_is_told_to_try_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await alice(store)
    said = await store.sentences.say(of(person.id), "nl", TEXT)

    async def overtaken(*_: object) -> bool:
        return False

    monkeypatch.setattr("vault.records.writing.Writer.instead", overtaken)
    with pytest.raises(DomainError, check=lambda error: error.code == "try_again"):
        await store.sentences.say(of(person.id), "nl", "Another.")
    assert (await store.sentences.of(of(person.id))).sentences == [said]


def test_a_row_whose_version_is_no_number_is_damaged() -> None:
    key = new_key()
    row = seal_sentence(key, Sentence("a" * 22, "o" * 22, "nl", TEXT, 1))
    assert open_sentence(key, SimpleNamespace(**row)).text == TEXT
    with pytest.raises(Unreadable):
        open_sentence(key, SimpleNamespace(**{**row, "version": "one"}))

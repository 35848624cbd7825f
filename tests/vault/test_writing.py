"""Rows that are written one by one: a key and its row are there together, or neither."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from practice.sentences.model import Sentence
from practice.sentences.records import SENTENCES
from practice.storage import Store
from tests.opening import of
from tests.people import Time, alice
from vault.records.content import new_id
from vault.records.writing import Writer


async def allowed(_: AsyncConnection) -> bool:
    return True


async def refused(_: AsyncConnection) -> bool:
    return False


async def test_a_row_that_is_not_wanted_after_all_leaves_no_key(store: Store, time: Time) -> None:
    person = await alice(store)
    one = Sentence(new_id(), person.id, "nl", "Welkom.", 1)
    assert not await Writer(store.database, store.keys, time.now).first(SENTENCES, one, refused)
    assert await store.keys.missing([one.id]) == [one.id]
    assert (await store.sentences.of(of(person.id))).sentences == []


async def test_a_row_is_replaced_where_that_is_allowed_and_nobody_was_quicker(store: Store, time: Time) -> None:
    person = await alice(store)
    said = await store.sentences.say(of(person.id), "nl", "Welkom.")
    writer, newer = Writer(store.database, store.keys, time.now), replace(said, text="Goedemorgen.", version=2)
    assert not await writer.instead(SENTENCES, newer, refused)
    assert not await writer.instead(SENTENCES, replace(newer, version=3), allowed)
    assert not await writer.instead(SENTENCES, replace(newer, id=new_id()), allowed)
    assert (await store.sentences.of(of(person.id))).sentences == [said]
    assert await writer.instead(SENTENCES, newer, allowed)
    assert [one.text for one in (await store.sentences.of(of(person.id))).sentences] == ["Goedemorgen."]

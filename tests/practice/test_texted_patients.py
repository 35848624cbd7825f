"""Patients who are told by text message: as by mail, in as few parts as can be, by the provider of their practice."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from practice.accounts.model import Practitioner
from practice.agenda.changes import Correction
from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENTS
from practice.invitations.courier import Courier
from practice.invitations.model import WORDS, Word
from practice.invitations.sms import MOST_PARTS, message
from practice.invitations.store import FIRST_WAIT, LIFE
from practice.invitations.wording import LANGUAGES
from practice.organisation.model import Profile
from practice.sms_providers.alphabet import BASIC, EXTENDED, parts, plain
from practice.sms_providers.model import Way
from practice.sms_providers.numbers import Untextable
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import START, Time
from tests.practice.handing import Cast, joined
from tests.practice.outbox import moved, send_by, sender_of, states
from tests.practice.test_patients_letters import parcel
from tests.servers.mail import MailServer
from tests.servers.sms import KEY, SmsServer
from vault.errors import DomainError
from vault.settings import VaultSettings

NUMBER, OTHER, MAIL = "+31612345678", "+31687654321", "jan@example.com"


@pytest.fixture
async def store(sqlite_settings: VaultSettings, time: Time) -> AsyncIterator[Store]:
    opening = open_store(sqlite_settings, now=time.now, boot=time.boottime, mail=True, texts_to=["NL", "BE"])
    async with opening as opened:
        yield opened


@pytest.fixture
async def texting(cast: Cast, provider: SmsServer) -> Cast:
    """Their organisation has a provider."""
    way = Way("webhook", provider.url(), KEY, "Praktijk")
    await cast.store.sms_providers.write(cast.noor, way, 0, port_is_free=True)
    return cast


async def invited(store: Store, person: Practitioner, phone: str = NUMBER, mail: str | None = None) -> Appointment:
    starts_at = START + timedelta(days=2)
    return await store.appointments.create(of(person.id), "Jan Canary", starts_at, 30, "nl", mail=mail, phone=phone)


async def corrected(store: Store, one: Appointment, **changes: Any) -> Appointment:
    return await store.appointments.change(of(one.owner), one.id, Correction(one.version, **changes))


def texts(provider: SmsServer) -> list[tuple[str, str]]:
    """To whom, and what."""
    return [(one.json["data"]["to"], one.json["data"]["text"]) for one in provider.asked]


async def refuses(_: web.Request) -> web.StreamResponse:
    return web.Response(status=422)


async def is_busy(_: web.Request) -> web.StreamResponse:
    return web.Response(status=503)


async def send(store: Store, provider: SmsServer, time: Time, mails: MailServer | None = None) -> Courier:
    made = sender_of(store, mails, provider)
    await send_by(made, time)
    return made


async def test_all_that_a_patient_is_told_goes_by_text_message(
    store: Store, texting: Cast, provider: SmsServer, time: Time
) -> None:
    await store.policies.change(texting.noor, None, (), 0, (1,))
    made = await invited(store, texting.alice, "06 12 34 56 78")
    assert made.contact is not None and made.contact.phone == NUMBER
    await send(store, provider, time)
    after = await moved(store, made, hours=3)
    await send(store, provider, time)
    time.pass_(seconds=(after.starts_at - timedelta(hours=1) - time.now()).total_seconds())
    await sender_of(store, None, provider).round()
    await store.appointments.cancel(of(made.owner), made.id, held=False)
    await send(store, provider, time)
    said = texts(provider)
    assert [to for to, _ in said] == [NUMBER] * 4
    words = ["uw afspraak via beeldbellen is", "gewijzigd", "herinnering", "gaat niet door"]
    assert all(word in text for word, (_, text) in zip(words, said, strict=True))
    assert [made.secret in text for _, text in said] == [True, True, True, False]
    assert not [text for _, text in said if "Canary" in text or "Alice" in text]
    await store.retention.sweep()
    assert await store.keys.receipt(made.owner, made.id) is not None, "it waited until its patient was told"


async def test_by_mail_and_by_telephone_each_has_its_state(
    store: Store, texting: Cast, provider: SmsServer, mails: MailServer, time: Time
) -> None:
    made = await invited(store, texting.alice, mail=MAIL)
    provider.answer = refuses
    await send(store, provider, time, mails)
    found = {one.way: one for one in (await store.outbox.of([made]))[made.id]}
    assert (found["mail"].state, found["sms"].state, found["sms"].reason) == ("sent", "refused", "refused 422")
    assert len(mails.taken) == 1 and len(provider.asked) == 1
    await send(store, provider, time, mails)
    assert len(provider.asked) == 1, "what is refused for good is not tried again"


async def test_who_has_another_number_has_another_link_and_the_mail_says_it_too(
    store: Store, texting: Cast, provider: SmsServer, mails: MailServer, time: Time
) -> None:
    made = await invited(store, texting.alice, mail=MAIL)
    await send(store, provider, time, mails)
    after = await corrected(store, made, phone=OTHER)
    assert after.secret != made.secret
    await send(store, provider, time, mails)
    assert [to for to, _ in texts(provider)] == [NUMBER, OTHER]
    body = mails.taken[-1].message.get_body(("plain",))
    assert len(mails.taken) == 2 and body is not None and after.secret in str(body.get_content())
    gone = await corrected(store, after, phone="")
    assert gone.contact is not None and (gone.contact.mail, gone.contact.phone) == (MAIL, None)
    assert gone.secret == after.secret
    none = await corrected(store, gone, mail="")
    assert none.contact is None
    back = await corrected(store, none, phone=NUMBER)
    assert back.contact is not None and back.contact.phone == NUMBER


async def test_a_later_one_waits_for_an_earlier_one(
    store: Store, texting: Cast, provider: SmsServer, time: Time
) -> None:
    made = await invited(store, texting.alice)
    await send(store, provider, time)
    provider.answer = is_busy
    await moved(store, made, hours=1)
    sender = await send(store, provider, time)
    assert dict(sender.fates) == {"later": 1}
    await store.appointments.cancel(of(made.owner), made.id, held=False)
    await send(store, provider, time)
    assert len(provider.asked) == 3, "the change, of which nobody knows whether it came, gave way to the cancellation"
    assert "gaat niet door" in texts(provider)[-1][1]


async def test_a_message_that_broke_off_keeps_its_reference(
    store: Store, texting: Cast, provider: SmsServer, time: Time
) -> None:
    await invited(store, texting.alice)
    provider.answer = is_busy
    await send(store, provider, time)
    time.pass_(seconds=FIRST_WAIT.total_seconds())
    await sender_of(store, None, provider).round()
    references = {one.headers["webhook-id"] for one in provider.asked}
    assert len(provider.asked) == 2 and len(references) == 1


async def test_nothing_goes_of_what_is_destroyed(store: Store, texting: Cast, provider: SmsServer, time: Time) -> None:
    made = await invited(store, texting.alice)
    await store.retention.destroy(of(made.owner), made.id, APPOINTMENTS)
    await send(store, provider, time)
    assert provider.asked == []


async def test_a_provider_that_was_taken_out_is_waited_for(
    store: Store, texting: Cast, provider: SmsServer, mails: MailServer, time: Time
) -> None:
    """And holds up nobody else."""
    made = [await invited(store, texting.alice) for _ in range(4)]
    by_mail = await invited(store, texting.alice, phone="", mail=MAIL)
    kept = await store.sms_providers.of(texting.noor)
    assert kept is not None
    await store.sms_providers.remove(texting.noor, kept.version)
    sender = await send(store, provider, time, mails)
    assert (provider.asked, dict(sender.fates)) == ([], {"later": 4, "sent": 1})
    assert await states(store, by_mail) == [("invitation", "sent")]
    time.pass_(seconds=LIFE.total_seconds())
    await sender_of(store, None, provider).round()
    assert await states(store, made[0]) == [("invitation", "late")]


async def test_a_country_that_is_not_listed_any_more_is_not_written_to(
    store: Store, texting: Cast, provider: SmsServer, time: Time
) -> None:
    made = await invited(store, texting.alice, "+32470123456")
    await send_by(sender_of(store, None, provider, countries=["NL"]), time)
    (found,) = (await store.outbox.of([made]))[made.id]
    assert (provider.asked, found.state, found.reason) == ([], "refused", "country")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("0900 1234", "paid"),
        ("+31 906 1234567", "paid"),
        ("020 123 4567", "mobile"),
        ("+44 7911 123456", "country"),
        ("12", "number"),
    ],
)
@pytest.mark.duty("S-09")
async def test_any_other_number_is_refused_before_anything_is_kept(
    store: Store, texting: Cast, typed: str, reason: str
) -> None:
    with pytest.raises(Untextable) as said:
        await invited(store, texting.alice, typed)
    assert (said.value.code, said.value.field, said.value.reason) == ("invalid", "phone", reason)
    made = await invited(store, texting.alice)
    with pytest.raises(Untextable):
        await corrected(store, made, phone=typed)
    assert await store.appointments.get(of(made.owner), made.id) == made


async def test_without_a_provider_nobody_is_told_so(store: Store, cast: Cast, time: Time) -> None:
    assert not await store.outbox.texts(cast.alice.id)
    with pytest.raises(Untextable) as said:
        await invited(store, cast.alice)
    assert said.value.reason == "provider"


async def test_nor_by_the_provider_of_another_organisation(store: Store, texting: Cast) -> None:
    stranger = await store.practitioners.add("mallory@example.org", "correct horse battery", "Mallory", "nl")
    assert await store.outbox.texts(texting.alice.id) and not await store.outbox.texts(stranger.id)
    with pytest.raises(DomainError):
        await invited(store, stranger)


async def test_handed_over_the_number_goes_along(store: Store, texting: Cast, provider: SmsServer, time: Time) -> None:
    await invited(store, texting.alice)
    assert await texting.hand_over() == 1
    await send(store, provider, time)
    (mine,) = await texting.agenda(texting.bob)
    assert await states(store, mine) == [("invitation", "sent")]
    assert [to for to, _ in texts(provider)] == [NUMBER]


async def test_who_is_still_to_come_is_told_that_the_account_ends(
    store: Store, texting: Cast, provider: SmsServer, time: Time
) -> None:
    """By the provider of the organisation that it was in."""
    leaver = await joined(store, "carol")
    await invited(store, leaver)
    await send(store, provider, time)
    await store.retention.close(of(leaver.id))
    await send(store, provider, time)
    assert "gaat niet door" in texts(provider)[-1][1]


# --- the message -----------------------------------------------------------------------------------------------------


@pytest.mark.duty("S-25")
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_short_and_neutral(word: Word, language: Any) -> None:
    """Of every month and day of the week, whatever the practice is called; the link comes whole."""
    names = [
        "",
        "Praktijk De Ruïne",
        "Gemeinschaftspraxis Möller \u2013 Großmann & Söhne, Karlsruhe",
        "Ψυχολόγος",
        "名" * 200,
    ]
    for name in names:
        profile = Profile(name, "", "020 123 4567", "nl", "Europe/Amsterdam")
        for month in range(12):
            one = parcel(word, language, START + timedelta(days=30 * month + month % 7), profile=profile)
            text = message(one)
            assert parts(text) <= MOST_PARTS, text
            assert (one.link in text) == (word != "cancelled")
            assert "10:00" in text or "11:00" in text
            assert "Canary" not in text and "Évi" not in text and "\n" not in text
            assert re.match(r"\S.*:", text)


def test_a_short_name_is_said_whole() -> None:
    profile = Profile("Praktijk De Ruïne", "", "", "nl", "Europe/Amsterdam")
    assert message(parcel(profile=profile)).startswith("Praktijk De Ruine: uw afspraak via beeldbellen is maandag")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("ê" * 134, 2),
        ("ê" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_parts_are_counted_as_networks_count_them(text: str, number: int) -> None:
    assert parts(text) == number


def test_signs_that_look_alike_take_the_place_of_dear_ones() -> None:
    assert (
        plain("août \u2013 l\u2019été, \u201cRuïne\u201d\u202f: à Ça\u2026 ﬁ") == 'aout - l\'été, "Ruine" : à Ça... fi'
    )
    assert plain("名Ж\u0301") == "名Ж\u0301"


def test_the_alphabet_is_whole() -> None:
    """127 signs and the escape; ten more behind it."""
    assert (len(BASIC), len(EXTENDED)) == (127, 10)

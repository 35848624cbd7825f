"""At any moment: nothing that a person typed, and no usable key, is in any file of the database."""

import base64
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import get_args

import pyotp
import pytest

from practice.accounts.model import Language
from practice.bookings.model import Terms
from practice.bookings.store import Wanted
from practice.factors.model import Passkey
from practice.mail_servers.model import Access
from practice.notices.model import News
from practice.organisation.model import Profile
from practice.particulars.model import Told
from practice.presets.model import Preset
from practice.registrations.store import Tell
from practice.sms_providers.model import Way
from practice.storage import Store
from tests.opening import of, open_store
from tests.organisations import scope_of
from tests.people import START, Time
from tests.servers.postgres import Postgres
from vault.records.scope import SERVER, Scope
from vault.records.writing import always
from vault.settings import VaultSettings

CANARIES = {
    "mail": "canary.mail@example.org",
    "name": "Doctor Canaryname",
    "password": "canary-password-1",
    "patient": "Canarypatient Jansen",
    "sentence": "Canarysentence, wacht maar even.",
    "iban": "NL91ABNA0417164300",
    "photograph": "canaryphotograph in the bytes of a picture",
    "city": "Canarytown aan Zee",
    "preset": "Canarypreset of an intake",
    "organisation": "Canaryorganisation Utrecht",
    "department": "Canarydepartment Noord",
    "role": "department_administrator",
    "to": "canary.recipient@example.org",
    "new mail": "canary.changed@example.org",
    "invited": "canary.invited@example.org",
    "mail server": "canary.mail.example.org",
    "mail domain": "canary-domain.example.org",
    "registering": "canary.registering@canary-domain.example.org",
    "password there": "canary password of the mail server",
    "token there": "canary-product-token",
    "frame": "https://canary-frame.example.org",
    "who books": "Canarybooker de Wit",
    "booking mail": "canary.booking@example.org",
    "network": "canary network of who books",
}
NAME = "Canarytelephone"
PART, OVERLAP = 1 << 12, 1 << 10


def forms(text: str | bytes) -> Iterator[bytes]:
    """Raw, UTF-16, hex and base64 at each of the three alignments."""
    raw = text if isinstance(text, bytes) else text.encode()
    yield raw
    if isinstance(text, str):
        yield text.encode("utf-16-le")
        yield text.lower().encode()
    yield raw.hex().encode()
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + raw)[4:-4]


def found(folder: Path, secrets: Mapping[str, str | bytes], searched: set[bytes] | None = None) -> list[str]:
    """Which secrets are in the files of a folder, except in parts that were ``searched`` for them before."""
    parts = {part for path in folder.rglob("*") if path.is_file() for part in overlapping(path.read_bytes())}
    new = parts - (searched or set())
    if searched is not None:
        searched |= new
    return found_in(b"\0".join(new), secrets)


def overlapping(content: bytes) -> Iterator[bytes]:
    """Parts of it, each with so much of the next that no secret falls between them."""
    return (content[start : start + PART + OVERLAP] for start in range(0, len(content), PART))


def found_in(content: bytes, secrets: Mapping[str, str | bytes]) -> list[str]:
    """Which secrets are in there, in any form."""
    return [name for name, text in secrets.items() if any(form in content for form in forms(text))]


async def story(store: Store, time: Time) -> AsyncIterator[dict[str, str | bytes]]:
    """All that happens to an appointment; after each step, what must not be found."""
    person = await store.practitioners.add(CANARIES["mail"], CANARIES["password"], CANARIES["name"], "nl")
    profile = Profile(
        CANARIES["organisation"], CANARIES["organisation"], CANARIES["organisation"], "nl", "Europe/Paris"
    )
    await store.organisation.establish(Scope.operator(), profile)
    owner = await scope_of(store, person.id)
    await store.organisation.set_roles(owner, person.id, ["owner", "practitioner", "department_administrator"])
    await store.departments.make(owner, CANARIES["department"])
    yield {}
    token = await store.sessions.create(person.id)
    yield {"token": token}
    planned = [
        await store.appointments.create(of(person.id), CANARIES["patient"], START.replace(minute=17), 37, "nl")
        for _ in range(30)
    ]
    said = [await store.sentences.say(of(person.id), one, CANARIES["sentence"]) for one in get_args(Language)]
    about = await store.particulars.tell(of(person.id), Told(city=CANARIES["city"]), 0)
    often = await store.presets.add(of(person.id), Preset(CANARIES["preset"], 20, "nl"), 0)
    bank = await store.bank_accounts.set_iban(of(person.id), CANARIES["iban"], 0)
    photograph = CANARIES["photograph"].encode()
    face = await store.pictures.set_photograph(of(person.id), photograph, True, 0)
    store.notices.on = True
    await store.notices.along(person.id, [News("new-device", CANARIES["to"], "nl")], always)
    (told,) = await store.notices.waiting()
    await store.mail_changes.ask(
        of(person.id), CANARIES["new mail"], token, lambda one, _: partial(store.notices.along, one.id, [])
    )
    there = Access(
        CANARIES["mail server"], 587, "starttls", CANARIES["mail"], CANARIES["password there"], CANARIES["mail"]
    )
    await store.mail_servers.write(owner, there, 0, port_is_free=False)
    await store.mail_domains.add(owner, CANARIES["mail domain"], "assistant", approval=True)
    store.registrations.ways = frozenset({"domains"})
    assert await store.registrations.ask(SERVER, CANARIES["registering"], "nl", registering(store)) == "new"
    way = Way("cm", "https://canary.sms.example.org/", CANARIES["token there"], "Canary")
    await store.sms_providers.write(owner, way, 0, port_is_free=False)
    _, subscribed = await store.feeds.make(of(person.id))
    offer = await store.bookings.set_terms(
        of(person.id), Terms((((0, 1440),),) * 7, notice=0, open=True, ancestors=(CANARIES["frame"],)), 0
    )
    looking = Scope.subscribed(person.id)
    free = (await store.bookings.times(offer, looking, UTC))[0]
    wanted = Wanted(free, CANARIES["who books"], CANARIES["booking mail"], "nl", CANARIES["network"])
    held, _ = await store.bookings.hold(offer, looking, UTC, wanted, lambda one, *_: store.notices.of(one))
    endpoint = "https://push.example.org/canary-push-endpoint"
    woken = await store.push_subscriptions.subscribe(of(person.id), endpoint, store.sessions.reference(token))
    invited = await store.invitations.invite(
        owner, CANARIES["invited"], ["department_administrator"], "nl", lambda one, _: store.notices.of(one.owner)
    )
    ids = [*(one.id for one in planned), *(one.id for one in said), told.id, about.id, often.id, bank.id, face.id]
    ids += [offer.id, held.id, woken.id]
    keys = await store.keys.get_many([(person.id, one) for one in ids])
    secrets: dict[str, str | bytes] = {"token": token, "start": planned[0].starts_at.isoformat()}
    for place in (0, 10, 20, 29):  # ended, destroyed by hand, living, the newest
        secrets |= {f"secret {place}": planned[place].secret, f"key {place}": keys[planned[place].id]}
    secrets |= {f"key of {one.language}": keys[one.id] for one in said}
    secrets |= await second_factor(store, person.id, time)
    secrets |= {"key of mail": keys[told.id], "key of particulars": keys[about.id], "key of bank": keys[bank.id]}
    secrets |= {"key of presets": keys[often.id]}
    secrets |= {"key of photograph": keys[face.id], "packed photograph": base64.b64encode(photograph)[:-4]}
    secrets |= {"feed": subscribed, "key of offer": keys[offer.id], "key of hold": keys[held.id]}
    secrets |= {"endpoint": endpoint, "key of browser": keys[woken.id]}
    asked = (invited.invitation.owner, invited.invitation.id)
    secrets |= {"invitation": invited.token, "key of invitation": (await store.keys.get(*asked))[0]}
    yield secrets
    for entry in planned[:10]:
        await store.appointments.end(Scope.consult(entry.id, entry.owner), entry.id)
    yield secrets
    await store.practitioners.set_retention(of(person.id), "7d")
    yield secrets
    await store.sentences.say(of(person.id), "nl", CANARIES["sentence"].upper())
    assert await store.factors.use(of(person.id), str(secrets["recovery code 0"])) == "recovery"
    await store.mail_changes.withdraw(of(person.id))
    await store.particulars.tell(of(person.id), Told(note=CANARIES["city"]), 1)
    await store.notices.later(told)
    await store.notices.done(told)
    await store.invitations.withdraw(owner, invited.invitation.id)
    for gone in (*(one.id for one in planned[10:20]), *(one.id for one in said[:2])):
        await store.retention.destroy(of(person.id), gone)
    yield secrets
    time.pass_(days=8)
    await store.retention.sweep()
    yield secrets


def registering(store: Store) -> Tell:
    """With the mail of it."""
    return lambda owner, mail, language, seed: store.notices.of(
        owner, News("register", mail, language, {"registration": str(seed)})
    )


async def second_factor(store: Store, person: str, time: Time) -> dict[str, str | bytes]:
    """An app and a passkey, and what of them must not be found."""
    secret = await store.factors.proposed(of(person), "session")
    key = Passkey("canarycredential" * 2, "canarykey" * 5, 0, "multi_device", True, NAME, START)
    made = await store.factors.set_totp(of(person), "session", pyotp.TOTP(secret).at(time.wall))
    await store.factors.add_passkey(of(person), key)
    kept: dict[str, str | bytes] = {"secret": secret, "credential": key.id, "public key": key.key, "name": key.name}
    return kept | {f"recovery code {number}": one for number, one in enumerate(made)}


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    for number, form in enumerate(forms(CANARIES["patient"])):
        for before in (5, PART - 5):
            searched = set(overlapping(b"x" * before))
            (tmp_path / str(number)).write_bytes(b"x" * before + form + b"y")
            assert found(tmp_path, CANARIES), number
            assert found(tmp_path, CANARIES, searched), number
            assert not found(tmp_path, CANARIES, searched), "once"
            (tmp_path / str(number)).unlink()


@pytest.mark.duty("S-05", "S-15")
async def test_sqlite_files_and_wal_and_key_store_hold_no_plaintext_at_any_time(
    sqlite_settings: VaultSettings, time: Time
) -> None:
    steps, searched = 0, set[bytes]()
    before: Mapping[str, str | bytes] | None = None
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        async for secrets in story(store, time):
            steps += 1
            if secrets is not before:
                searched.clear()
            assert found(sqlite_settings.data, {**CANARIES, **secrets}, searched) == [], steps
            before = secrets
    assert steps == 7
    assert found(sqlite_settings.data, {**CANARIES, **secrets}) == []


@pytest.mark.duty("S-05", "S-15")
async def test_postgresql_heap_and_wal_hold_no_plaintext_at_any_time(
    sqlite_settings: VaultSettings, time: Time, postgres: Postgres
) -> None:
    """Its WAL keeps every step, so looking once at the end is enough."""
    url = postgres.new_database()
    settings = VaultSettings(data=sqlite_settings.data, trust_clock=True, database_url=url)
    start = postgres.position()
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        secrets = [found async for found in story(store, time)][-1]
    written = postgres.written(start, url)
    assert found_in(written, {"state": "destroying"}), "the rows are in there"
    assert found_in(written, {**CANARIES, **secrets}) == []


@pytest.mark.parametrize("level", ["DEBUG"])
async def test_logs_hold_no_plaintext(
    sqlite_settings: VaultSettings, time: Time, caplog: pytest.LogCaptureFixture, level: str
) -> None:
    caplog.set_level(level)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        async for secrets in story(store, time):
            said = " ".join(
                str(record.__dict__) for record in caplog.records if record.name.startswith(("practice", "vault"))
            )
            assert not [name for name, text in {**CANARIES, **secrets}.items() if str(text) in said]

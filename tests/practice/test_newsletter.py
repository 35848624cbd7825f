"""The newsletter: asked for and confirmed, never a patient's, stopped by one click, begun by nobody after that."""

import inspect
from datetime import timedelta

import dkim
import pytest
from sqlalchemy import select, update

from practice.circulars.records import SUBSCRIPTIONS, subscriptions
from practice.circulars.subscriptions import LIFE, Subscriptions
from practice.dkim import Signer, made, parsed, records
from practice.requests.model import Filing
from practice.storage import Store
from tests.opening import of
from tests.people import Time, alice
from tests.practice.newsletter import account, asked, press, released, subscribed, writer
from tests.practice.outcomes import outcome
from tests.practice.posting import ORIGIN, postman, server, sqlite_store, store
from tests.servers.mail import MailServer
from vault.errors import DomainError
from vault.records.scope import SERVER, Scope
from vault.records.writing import always

__all__ = ["server", "sqlite_store", "store"]


@pytest.mark.duty("S-22")
async def test_it_is_off_until_the_mailed_link_was_used(store: Store, server: MailServer, time: Time) -> None:
    owner = await writer(store)
    bob = await account(store, str(owner.organisation), "bob")
    assert await store.subscriptions.of(bob) is None
    token = await asked(store, bob)
    await postman(store, server).round()
    assert f"{ORIGIN}/newsletter/confirm/{token}" in server.taken.pop().text
    await released(store, owner)
    time.pass_(seconds=1)
    await press(store, server).round()
    assert server.taken == [] and await store.subscriptions.count(owner) == 0, "a mail that was sent is no consent"
    assert await store.subscriptions.of_link(token) is not None, "nor is a look at the link"
    found = await store.subscriptions.of(bob)
    assert found is not None and found.given is None
    given = await store.subscriptions.confirm(token)
    assert given is not None and given.given == time.now() and given.wording == 1
    assert await store.subscriptions.count(owner) == 1
    time.pass_(seconds=1)
    await released(store, owner)
    await press(store, server).round()
    assert [mail.recipient for mail in server.taken] == ["bob@example.org"], "the letter of before is not sent now"


async def test_a_link_of_yesterday_confirms_nothing(store: Store, time: Time) -> None:
    owner = await writer(store)
    token = await asked(store, owner)
    time.pass_(seconds=LIFE.total_seconds())
    assert await store.subscriptions.confirm(token) is None
    await store.subscriptions.bury()
    assert await store.subscriptions.of_link(token) is None


async def test_asked_twice_the_first_link_is_void(store: Store) -> None:
    owner = await writer(store)
    first, second = await asked(store, owner), await asked(store, owner)
    assert await store.subscriptions.confirm(first) is None
    assert await store.subscriptions.confirm(second) is not None
    with pytest.raises(DomainError, match="conflict"):
        await asked(store, owner)


@pytest.mark.duty("S-22")
async def test_no_patient_can_be_on_it(store: Store, server: MailServer) -> None:
    """Nothing takes an address; who came by a link, and whoever is not signed in, is refused."""
    person = await alice(store)
    one = await store.appointments.create(of(person.id), "Jan", store.clock.wall() + timedelta(days=2), 30, "nl")
    owner = await writer(store)
    scopes = (Scope.guest(one.id), Scope.consult(one.id, person.id), Scope.subscribed(person.id), SERVER)
    for scope in (*scopes, owner.assisting(person.id, "whole"), of(person.id)):
        with pytest.raises(DomainError, match="not_found"):
            await asked(store, scope)
    taken = {
        name
        for _, method in inspect.getmembers(Subscriptions, inspect.isfunction)
        for name in inspect.signature(method).parameters
    }
    assert not taken & {"mail", "address", "to", "phone"}
    assert not {"mail", "address", "to"} & SUBSCRIPTIONS.layout.fields


async def test_a_row_that_somebody_wrote_into_the_database_is_nobodys(store: Store, server: MailServer) -> None:
    owner = await writer(store)
    bob = await account(store, str(owner.organisation), "bob")
    await subscribed(store, bob)
    async with store.database.write() as connection:
        await connection.execute(update(subscriptions).values(owner=owner.owner))
    assert await store.subscriptions.count(owner) == 0


@pytest.mark.duty("S-22")
@pytest.mark.parametrize("way", ["account", "link"])
async def test_after_a_withdrawal_none_goes_and_that_is_kept(
    store: Store, server: MailServer, time: Time, way: str
) -> None:
    owner = await writer(store)
    bob = await account(store, str(owner.organisation), "bob")
    one = await subscribed(store, bob)
    time.pass_(seconds=1)
    await released(store, owner)
    token = store.subscriptions.token(one.seed)
    left = await (store.subscriptions.withdraw(bob) if way == "account" else store.subscriptions.leave(token))
    assert left is not None and left.withdrawn == time.now()
    await press(store, server).round()
    assert server.taken == []
    assert await store.subscriptions.leave(token) == left, "again is no other thing"
    assert await store.subscriptions.confirm(token) is None, "a consent that was withdrawn is given anew, or not at all"
    found = await store.subscriptions.of(bob)
    assert found is not None and (found.given, found.withdrawn) == (one.given, left.withdrawn)
    await subscribed(store, bob)
    async with store.database.read() as connection:
        assert len((await connection.execute(SUBSCRIPTIONS.living())).all()) == 2, "one row for each consent"


@pytest.mark.duty("S-22")
async def test_an_objection_holds_letters_back_at_once(store: Store, server: MailServer, time: Time) -> None:
    owner = await writer(store)
    bob = await account(store, str(owner.organisation), "bob")
    await subscribed(store, bob)
    time.pass_(seconds=1)
    await released(store, owner)
    await store.requests.file(bob, Filing("objection", "dashboard", "nl", purpose="newsletter"))
    await press(store, server).round()
    assert server.taken == []


@pytest.mark.duty("S-22")
async def test_a_letter_has_the_way_out_that_mail_programs_show_and_the_signature_covers_it(
    store: Store, server: MailServer, time: Time
) -> None:
    owner = await writer(store)
    one = await subscribed(store, owner)
    time.pass_(seconds=1)
    await released(store, owner, "Eerste regel\n\n\n\nTweede regel")
    await press(store, server).round()
    (mail,) = server.taken
    leave = f"{ORIGIN}/newsletter/leave/{store.subscriptions.token(one.seed)}"
    assert f"\r\nList-Unsubscribe: <{leave}>\r\n".encode() in mail.raw, "in one line, as RFC 2369 has it"
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in mail.raw
    assert "Eerste regel\r\n\r\nTweede regel" in mail.text and leave in mail.text
    keys = parsed(made().splitlines())
    signed = Signer("example.org", "s", keys).signed(mail.raw)
    found = {f"{name}._domainkey.example.org.".encode(): text.encode() for name, text in records("s", keys).items()}
    assert dkim.verify(signed, dnsfunc=lambda name, timeout=5: found[name])
    for header in (b"List-Unsubscribe: <", b"List-Unsubscribe-Post: "):
        other = signed.replace(header, header + b"x", 1)
        assert not dkim.verify(other, dnsfunc=lambda name, timeout=5: found[name])
        added = header + b"https://elsewhere.example/>\r\n" + signed
        assert not dkim.verify(added, dnsfunc=lambda name, timeout=5: found[name])


async def test_what_a_server_does_not_take_is_tried_again_and_what_it_refuses_is_counted(
    store: Store, server: MailServer, time: Time
) -> None:
    owner = await writer(store)
    for name in ("bob", "carol", "dave"):
        await subscribed(store, await account(store, str(owner.organisation), name))
    time.pass_(seconds=1)
    await released(store, owner)
    answers = {"bob@example.org": "550 5.1.1 nobody", "carol@example.org": "451 4.7.1 greylisted"}
    server.on_recipient = answers.get
    sender = press(store, server)
    await sender.round()
    await sender.round()
    assert [mail.recipient for mail in server.taken] == ["dave@example.org"]
    (one,) = await store.circulars.under_way("newsletter")
    assert (one.reached, one.refused) == (1, 1)
    server.on_recipient = lambda _: None
    time.pass_(minutes=5)
    await sender.round()
    assert [mail.recipient for mail in server.taken[1:]] == ["carol@example.org"]
    assert await store.circulars.under_way("newsletter") == []
    (one,) = await store.circulars.of(owner, "newsletter")
    assert (one.reached, one.refused, one.ended) == (2, 1, time.now())
    assert dict(sender.fates) == {"refused": 1, "later": 1, "sent": 2}


async def test_a_server_that_is_away_holds_all_back_and_after_a_day_none_goes(
    store: Store, server: MailServer, time: Time
) -> None:
    owner = await writer(store)
    for name in ("bob", "carol"):
        await subscribed(store, await account(store, str(owner.organisation), name))
    time.pass_(seconds=1)
    await released(store, owner)
    sender = press(store, server, port=1)
    await sender.round()
    await sender.round()
    assert dict(sender.fates) == {"later": 1}
    time.pass_(days=1)
    await press(store, server).round()
    assert server.taken == []
    (one,) = await store.circulars.of(owner, "newsletter")
    assert (one.reached, one.refused, one.ended) == (0, 2, time.now())


async def test_cut_off_after_it_was_taken_it_goes_once_more_under_the_same_name(
    store: Store, server: MailServer, time: Time
) -> None:
    owner = await writer(store)
    await subscribed(store, owner)
    time.pass_(seconds=1)
    await released(store, owner)
    server.cut = True
    sender = press(store, server)
    await sender.round()
    server.cut = False
    time.pass_(minutes=5)
    await sender.round()
    names = {str(mail.message["Message-ID"]) for mail in server.taken}
    assert (len(server.taken), len(names)) == (2, 1)


async def test_of_two_servers_one_sends(store: Store, server: MailServer, time: Time) -> None:
    owner = await writer(store)
    await subscribed(store, owner)
    time.pass_(seconds=1)
    await released(store, owner)
    (one,) = await store.circulars.under_way("newsletter")
    (subscription,) = await store.subscriptions.waiting(one)
    await press(store, server).round()
    await press(store, server).round()
    assert len(server.taken) == 1
    assert await store.subscriptions.waiting(one) == []
    assert subscription.served is not None


async def test_who_left_the_organisation_gets_none(store: Store, server: MailServer, time: Time) -> None:
    owner = await writer(store)
    bob = await account(store, str(owner.organisation), "bob")
    await subscribed(store, bob)
    await store.organisation.set_state(owner, bob.owner, "deactivated")
    time.pass_(seconds=1)
    await released(store, owner)
    await press(store, server).round()
    assert server.taken == []


async def test_an_account_that_ends_takes_its_consent_along(store: Store) -> None:
    owner = await writer(store)
    bob = await account(store, str(owner.organisation), "bob")
    await subscribed(store, bob)
    await store.retention.close(bob)
    assert await store.subscriptions.count(owner) == 0
    assert await store.database.ask(select(subscriptions)) == []


async def test_one_writes_the_other_is_told(store: Store) -> None:
    owner = await writer(store)
    write = store.circulars.write
    draft = await write(owner, "newsletter", "Een", "Tekst", "nl", None, 0)
    assert await outcome(write(owner, "newsletter", "Twee", "Tekst", "nl", None, 0)) == "conflict"
    again = await write(owner, "newsletter", "Twee", "Tekst", "nl", None, draft.version)
    assert again.id == draft.id
    assert await outcome(store.circulars.release(owner, "newsletter", draft.version)) == "conflict"
    await store.circulars.release(owner, "newsletter", again.version)
    assert await outcome(store.circulars.release(owner, "newsletter", again.version)) == "conflict"
    bob = await account(store, str(owner.organisation), "bob")
    assert await outcome(store.circulars.of(bob, "newsletter")) == "not_found"
    for subject, text in (("", "x"), ("x", " "), ("x\ny", "x"), ("x" * 121, "x"), ("x", "y" * 8001)):
        assert await outcome(write(owner, "newsletter", subject, text, "nl", None, 0)) == "invalid"


async def test_what_was_not_carried_out_leaves_nothing(store: Store) -> None:
    owner = await writer(store)

    def fails(person: object, seed: str) -> object:
        async def along(cause: object) -> bool:
            raise DomainError("try_again")

        return along

    assert await outcome(store.subscriptions.ask(owner, fails)) == "try_again"  # type: ignore[arg-type]
    assert await store.subscriptions.of(owner) is None
    assert await store.notices.along(owner.owner, [], always)


async def test_what_was_sent_and_a_draft_that_nobody_went_on_with_die_after_400_days(store: Store, time: Time) -> None:
    owner = await writer(store)
    sent = await released(store, owner)
    await store.circulars.count(sent, ended=True)
    await store.circulars.write(owner, "newsletter", "Later", "Nog niet af.", "nl", None, 0)
    await store.circulars.write(owner, "service", "Onderhoud", "Zondag.", "nl", "maintenance", 0)
    time.pass_(days=399)
    await store.circulars.bury()
    assert len(await store.circulars.of(owner, "newsletter")) == 2
    time.pass_(days=1)
    await store.circulars.bury()
    assert await store.circulars.of(owner, "newsletter") == await store.circulars.of(owner, "service") == []

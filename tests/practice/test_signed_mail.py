"""Mail in the operator's name is signed, and verified by programs of others (S-56)."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from pydantic import SecretStr

from practice import dkim
from practice.invitations.courier import Courier
from practice.settings import MailSettings
from practice.storage import Store
from tests.organisations import scope_of
from tests.people import Time
from tests.practice.outbox import courier, invited, send_by
from tests.practice.posting import postman, server, sqlite_store, tell
from tests.practice.test_invitations import practice
from tests.practice.test_mail_servers import access, write
from tests.readers.letters import Judged, judge
from tests.servers.mail import SENDER, Mail, MailServer

__all__ = ["server", "sqlite_store"]

SELECTOR = "key1"
RSA, SECOND = "rsa-sha256", "ed25519-sha256"


@cache
def keys() -> list[SecretStr]:
    return [SecretStr(line) for line in dkim.made().splitlines()]


@cache
def zone() -> str:
    found = dkim.parsed([key.get_secret_value() for key in keys()])
    policies = '@ 60 IN TXT "v=spf1 ip4:203.0.113.5 -all"\n_dmarc 60 IN TXT "v=DMARC1; p=reject; adkim=s; aspf=s"\n'
    return f"{policies}{dkim.zone('example.org', SELECTOR, found)}\n"


def signed(**changes: Any) -> dict[str, Any]:
    return {"dkim_selector": SELECTOR, "dkim_keys": keys()} | changes


async def letters(store: Store, server: MailServer, time: Time, **changes: Any) -> list[Mail]:
    """What an account gets, and a patient: text alone, and text, page and calendar."""
    owner, _ = await practice(store)
    await tell(store, owner)
    await invited(store, owner)
    by: Courier = courier(store, server, **changes)
    await send_by(by, time)
    await postman(store, server, **changes).round()
    assert len(server.taken) == 2
    return server.taken


def good(one: Judged) -> bool:
    """Mail::DKIM of Debian 12 calls Ed25519 invalid, which is why there is RSA beside it."""
    perl, node = dict(one.mail_dkim), dict(one.mailauth)
    return one.opendkim and perl.get(RSA) == "pass" and node == {RSA: "pass", SECOND: "pass"}


def refused(one: Judged) -> bool:
    results = [result for _, result in (*one.mail_dkim, *one.mailauth)]
    return not one.opendkim and "pass" not in results and len(results) == 4


@pytest.mark.duty("S-56")
async def test_three_programs_verify_it_as_of_the_domain_that_readers_see(
    sqlite_store: Store, server: MailServer, time: Time
) -> None:
    taken = await letters(sqlite_store, server, time, **signed())
    alone = [re.sub(rb"(?s)DKIM-Signature: v=1; a=ed25519.*?\r\n(?=\S)", b"", one.raw) for one in taken]
    assert [raw.count(b"DKIM-Signature:") for raw in alone] == [1, 1]
    judged = judge([*((one.raw, one.sender) for one in taken), *((raw, SENDER) for raw in alone)], zone())
    for one in judged[:2]:
        assert good(one), one
    for one in judged:
        assert (one.spf, one.dmarc and one.dmarc["result"]) == ("pass", "pass"), one
        for way in ("spf", "dkim"):
            aligned = (one.dmarc or {})[way]
            assert (aligned["result"], aligned["strict"]) == ("example.org", True), one
    for one in judged[2:]:
        assert (one.opendkim, one.mail_dkim, one.mailauth) == (True, [(RSA, "pass")], [(RSA, "pass")])


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a word of the text": lambda raw: raw.replace(b"\r\n\r\n", b"\r\n\r\nx", 1),
    "something behind it": lambda raw: raw + b"x\r\n",
    "the subject": lambda raw: raw.replace(b"Subject: ", b"Subject: Re: ", 1),
    "the date": lambda raw: raw.replace(b"Date: ", b"Date: Mon, ", 1),
    "what it is": lambda raw: re.sub(rb"\r\nContent-Type: [a-z/]+", b"\r\nContent-Type: text/html", raw, count=1),
    **{
        f"another {name}": lambda raw, name=name: f"{name}: x@example.net\r\n".encode() + raw  # type: ignore[misc]
        for name in ("From", "To", "Cc", "Reply-To", "Subject", "Content-Type")
    },
}


async def test_what_was_changed_is_verified_by_none(sqlite_store: Store, server: MailServer, time: Time) -> None:
    taken = await letters(sqlite_store, server, time, **signed())
    changed = [(change(one.raw), one.sender) for one in taken for change in CHANGES.values()]
    for name, one in zip([*CHANGES, *CHANGES], judge(changed, zone()), strict=True):
        assert refused(one), (name, one)


async def test_it_is_verified_by_no_other_key(sqlite_store: Store, server: MailServer, time: Time) -> None:
    taken = await letters(sqlite_store, server, time, **signed())
    other = dkim.zone("example.org", SELECTOR, dkim.parsed(dkim.made().splitlines()))
    for one in judge([(one.raw, one.sender) for one in taken], f"{other}\n"):
        assert refused(one), one


async def test_without_a_selector_it_is_as_it_was(sqlite_store: Store, server: MailServer, time: Time) -> None:
    for one in await letters(sqlite_store, server, time, **signed(dkim_selector=None)):
        assert "DKIM-Signature" not in one.message


async def test_an_organisations_own_server_signs_for_itself(
    sqlite_store: Store, server: MailServer, time: Time
) -> None:
    """Its key is its provider's: a signature by ours would be of another domain than readers see."""
    owner, _ = await practice(sqlite_store)
    await write(sqlite_store, await scope_of(sqlite_store, owner.id), access(server))
    await tell(sqlite_store, owner)
    await postman(sqlite_store, server, **signed()).round()
    (one,) = server.taken
    assert one.sender != SENDER and "DKIM-Signature" not in one.message


async def test_a_try_more_is_signed_anew_under_the_same_name(
    sqlite_store: Store, server: MailServer, time: Time
) -> None:
    owner, _ = await practice(sqlite_store)
    await tell(sqlite_store, owner)
    server.on_content = lambda _: "451 later"
    by = postman(sqlite_store, server, **signed())
    await by.round()
    server.on_content = lambda _: None
    time.pass_(seconds=60)
    await by.round()
    (one,) = server.taken
    assert good(*judge([(one.raw, one.sender)], zone()))


# --- keys and settings ------------------------------------------------------------------------------------------------


def mail(**changes: Any) -> MailSettings:
    return MailSettings(host="localhost", security="none", sender=SENDER, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dkim_keys": []}, "no keys to sign with"),
        ({"dkim_keys": ["geheim"]}, "not what `spreekkamer dkim-keys` prints"),
        ({"dkim_keys": keys()[1:]}, "RSA key of 2048 bits"),
        ({"dkim_keys": keys() + keys()[1:]}, "RSA key of 2048 bits"),
        ({"dkim_selector": "a.b"}, "dkim_selector"),
        ({"dkim_selector": "-"}, "dkim_selector"),
    ],
)
def test_mail_that_cannot_be_signed_refuses_the_start(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        mail(**signed(**changes))
    assert not [key for key in keys() if key.get_secret_value() in str(refused.value)]


def test_a_short_key_is_none() -> None:
    import base64

    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    short = rsa.generate_private_key(65_537, 1024).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="nobody verifies by"):
        dkim.parsed([base64.b64encode(short).decode()])


def test_rsa_alone_signs_too() -> None:
    settings = mail(**signed(dkim_keys=keys()[:1]))
    raw = dkim.Signer("example.org", SELECTOR, settings.keys()).signed(b"From: a@example.org\r\n\r\nx\r\n")
    assert raw.count(b"DKIM-Signature:") == 1

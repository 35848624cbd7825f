"""DNS, DNSSEC and mail, asked of a real authoritative server; each check is seen failing."""

from datetime import timedelta
from typing import Any

import dns.rdataclass
import dns.rdatatype
import pytest

from operate.doctor import mail, names
from operate.doctor.finding import Finding
from operate.doctor.resolving import Resolver
from practice import dkim
from tests.operate.doctor.authority import PRACTICE, Authority, build, serving

HOST = "consult.example.org"


def states(findings: list[Finding]) -> dict[str, str]:
    return {one.check: one.state for one in findings}


async def chain(authority: Authority, host: str = HOST) -> Finding:
    async with serving(authority):
        (found,) = await names.dnssec(Resolver(authority.address), host, [authority.anchor])
    return found


async def test_a_name_that_is_right_is_good() -> None:
    async with serving(build()) as authority:
        found = await names.addresses(Resolver(authority.address), HOST, ["203.0.113.5"])
    assert states(found) == {"dns": "ok", "dns-caa": "ok"}


@pytest.mark.parametrize(
    ("host", "expected", "state"),
    [
        (HOST, ["203.0.113.6"], "fail"),
        ("nowhere.example.org", ["203.0.113.5"], "fail"),
        ("two.example.org", ["203.0.113.5"], "warn"),
    ],
)
async def test_a_name_that_leads_elsewhere_is_named(host: str, expected: list[str], state: str) -> None:
    records = PRACTICE + "two 60 IN A 203.0.113.5\ntwo 60 IN A 198.51.100.7\n"
    async with serving(build(records)) as authority:
        found = await names.addresses(Resolver(authority.address), host, expected)
    assert states(found)["dns"] == state
    assert all(one.fix for one in found if one.state != "ok")


async def test_without_caa_anybody_may_issue() -> None:
    async with serving(build(PRACTICE.replace("CAA 0 issue", "TXT 0 issue"))) as authority:
        found = await names.addresses(Resolver(authority.address), HOST, [])
    assert states(found)["dns-caa"] == "warn"


async def test_a_chain_from_the_root_down_is_good() -> None:
    found = await chain(build())
    assert (found.state, found.meaning) == ("ok", "Signed from the root down: . org. example.org..")


@pytest.mark.parametrize(
    ("changed", "state", "said"),
    [
        ({"signed": False}, "warn", "example.org. is not signed"),
        ({"expires": timedelta(days=-1)}, "fail", "expired"),
        ({"forged": f"{HOST}. 198.51.100.7"}, "fail", "wrong"),
        ({"wrong_ds": True}, "fail", "of another key"),
    ],
)
async def test_a_chain_that_is_broken_is_named(changed: dict[str, Any], state: str, said: str) -> None:
    found = await chain(build(**changed))
    assert found.state == state
    assert said in found.meaning
    assert found.fix


async def test_another_root_is_not_believed() -> None:
    authority = build()
    authority.anchor = build().anchor
    assert (await chain(authority)).state == "fail"


async def test_a_signature_that_was_taken_out_is_not_believed() -> None:
    authority = build()
    node = authority.zones["example.org."].get_node(f"{HOST}.")
    assert node is not None
    node.delete_rdataset(dns.rdataclass.IN, dns.rdatatype.RRSIG, dns.rdatatype.A)
    found = await chain(authority)
    assert (found.state, "missing" in found.meaning) == ("fail", True)


async def test_a_name_server_that_is_silent_is_unknown_and_not_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operate.doctor.resolving.SECONDS", 0.3)
    authority = build()
    authority.silent = True
    async with serving(authority):
        resolver = Resolver(authority.address)
        found = [
            *await names.addresses(resolver, HOST, []),
            *await names.dnssec(resolver, HOST, [authority.anchor]),
            *await mail.mail(resolver, "example.org", None),
        ]
    assert set(states(found).values()) == {"unknown"}


async def look_at_mail(records: str, selector: str | None = "key1") -> dict[str, str]:
    async with serving(build(records)) as authority:
        return states(await mail.mail(Resolver(authority.address), "example.org", selector))


async def test_mail_that_is_right_is_good() -> None:
    assert await look_at_mail(PRACTICE) == {"mail-spf": "ok", "mail-dkim": "ok", "mail-dmarc": "ok"}


@pytest.mark.parametrize(
    ("old", "new", "check", "state"),
    [
        ("v=spf1 mx -all", "v=spf1 mx +all", "mail-spf", "fail"),
        ("v=spf1 mx -all", "v=spf1 mx all", "mail-spf", "fail"),
        ("v=spf1 mx -all", "v=spf1 mx ~all", "mail-spf", "warn"),
        ("v=spf1 mx -all", "nothing", "mail-spf", "fail"),
        ("v=spf1 mx -all", "v=spf1 redirect=example.net", "mail-spf", "unknown"),
        ('"v=spf1 mx -all"', '"v=spf1 -all"\n@ 60 IN TXT "v=spf1 mx -all"', "mail-spf", "fail"),
        ("p=reject", "p=none", "mail-dmarc", "warn"),
        ("p=reject", "p=quarantine", "mail-dmarc", "ok"),
        ("v=DMARC1", "v=other", "mail-dmarc", "fail"),
        ("p=MCowBQYDK2VwAyEA", "p=", "mail-dkim", "fail"),
        ("key1._domainkey", "key2._domainkey", "mail-dkim", "fail"),
    ],
)
async def test_mail_that_others_could_forge_is_named(old: str, new: str, check: str, state: str) -> None:
    assert old in PRACTICE
    assert (await look_at_mail(PRACTICE.replace(old, new)))[check] == state


async def test_the_keys_that_we_sign_by_are_compared_with_what_is_published() -> None:
    keys, other = (dkim.parsed(dkim.made().splitlines()) for _ in range(2))
    ours = dkim.records("key1", keys)

    async def said(published: str) -> str:
        async with serving(build(f"{published}\n")) as authority:
            found = await mail.mail(Resolver(authority.address), "example.org", None, ours)
        return states(found)["mail-dkim"]

    right = dkim.zone("example.org", "key1", keys)
    assert await said(right) == "ok"
    assert await said(right.replace("k=rsa; ", "").replace("v=DKIM1; ", "v=DKIM1;t=s; ")) == "ok", "the same, otherwise"
    assert await said(right.splitlines()[0]) == "fail", "the second is missing"
    assert await said(dkim.zone("example.org", "key1", other)) == "fail"
    assert await said(PRACTICE) == "fail"


async def test_a_dkim_key_without_a_name_is_unknown() -> None:
    assert (await look_at_mail(PRACTICE, None))["mail-dkim"] == "unknown"

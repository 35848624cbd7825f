"""The record of processing: all that is stored, for what, how long as the settings are; and what is set or not."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from practice.organisation.model import MemberRole
from signaling.settings import SignalingSettings
from signaling.typedefs import DOOR, TURN
from tests.organisations import PRACTICE
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen
from turn.credentials import TurnCredentials
from turn.settings import TurnSettings
from vault.audit import Act, operator
from vault.inventory import inventory
from vault.settings import TransitSettings, VaultSettings
from web import papers
from web.locale import CATALOGUES

WHERE = "/practice/record"


@pytest.fixture
def server_settings() -> SignalingSettings:
    return SignalingSettings(refresh_seconds=172_800, resume_seconds=5400, second_factor_grace_days=1)


def fact(page: Seen, key: str) -> str:
    """What stands beside a term."""
    after = page.html.partition(f"<dt>{CATALOGUES['nl'].text(key)}</dt>")[2].partition("</dd>")[0]
    return " ".join(re.sub("<[^>]+>", "", after).split())


def row_of(page: Seen, label: str, language: str = "nl") -> str:
    """The row of what is stored under this label."""
    what = CATALOGUES[language].text(f"privacy.data.item.{label}")
    return page.html.partition(f">{what}<")[2].partition("</tr>")[0]


@pytest.mark.duty("S-19", "S-27")
@pytest.mark.parametrize("language", CATALOGUES)
async def test_all_that_is_stored_has_purpose_basis_and_its_time(server: Server, owner: Browser, language: str) -> None:
    page = await owner.get(f"{WHERE}?lang={language}")
    assert page.status == 200
    t = CATALOGUES[language].text
    about_somebody = [item for item in inventory().entry if item.category != "nobody"]
    assert sum(len(items) for _, items in papers.by_purpose()) == len(about_somebody)
    for item in about_somebody:
        row = row_of(page, item.label, language)
        assert t(f"privacy.data.basis.{item.basis}") in row, item.label
        if item.retention not in ("setting", "audit", "refresh", "resume"):
            assert t(f"privacy.data.retention.{item.retention}") in row, item.label
    assert PRACTICE.name in page.html and PRACTICE.address in page.html


async def test_periods_are_those_of_the_settings(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)

    def period(label: str) -> str:
        return row_of(page, label).rpartition("<td")[2].partition(">")[2].partition("<")[0].strip()

    assert period("appointment") == "Zoals de behandelaar het instelt, uiterlijk 365 dagen na het einde"
    assert period("audit") == "1827 dagen"
    assert period("refresh") == "2 dagen"
    assert period("room") == "90 minuten"
    assert fact(page, "record.factor") == "verplicht, 1 dag na de eerste keer"
    assert (fact(page, "record.cap"), fact(page, "record.trail")) == ("365 dagen", "1827 dagen")


async def test_what_is_not_set_or_was_not_done_is_said(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)
    assert [fact(page, f"record.{one}") for one in ("mail", "turn")] == ["geen", "geen"]
    for never in ("record.backup", "record.verified"):
        assert fact(page, never) == "daar weet het logboek niet van"
    assert fact(page, "record.reset") == "is niet te vervangen: er is geen mailserver"
    assert fact(page, "record.operator") == fact(page, "privacy.contact.dpo") == "niet ingevuld"
    assert fact(page, "record.where") == "op deze server zelf"
    assert fact(page, "record.overdue") == "0"


async def test_what_is_set_and_was_done_is_said(server: Server, owner: Browser) -> None:
    app = server.app
    app._state[DOOR] = replace(
        app[DOOR], hosts=frozenset({"mail.example.org"}), bounces=frozenset({"imap.example.org"})
    )
    turn = TurnSettings.model_validate({"address": "192.0.2.1", "secrets": [SecretStr("s" * 40)]})
    app._state[TURN] = TurnCredentials(turn, server.time.now)
    await server.store.audit.record(Act.BACKUP_MADE, operator())
    await server.store.audit.record(Act.AUDIT_VERIFIED, operator(), detail="bad")
    page = await owner.get(WHERE)
    assert [fact(page, f"record.{one}") for one in ("mail", "bounces", "turn")] == [
        *("mail.example.org", "imap.example.org", "192.0.2.1")
    ]
    assert fact(page, "record.backup").startswith("vandaag om ")
    assert fact(page, "record.verified").endswith(": niet heel")
    await server.store.audit.record(Act.AUDIT_VERIFIED, operator(), detail="whole")
    assert fact(await owner.get(WHERE), "record.verified").endswith(": heel")


@pytest.mark.parametrize(
    ("changes", "redis", "apart"),
    [
        ({}, False, []),
        ({"database_url": "postgresql://a:b@db.example/rooms"}, True, ["database", "redis"]),
        (
            {
                "database_url": "postgresql://a:b@db.example/rooms",
                "keystore_url": "postgresql://a:b@db.example/keys",
                "transit": TransitSettings(address="https://bao.example:8200"),
            },
            False,
            ["database", "keystore", "transit"],
        ),
    ],
)
def test_what_is_a_service_of_its_own(changes: dict[str, object], redis: bool, apart: list[str]) -> None:
    settings = VaultSettings.model_validate({"data": Path("/nowhere"), **changes})
    assert papers.apart(settings, redis=redis) == apart


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator"])
async def test_to_others_the_record_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    assert (await owner.get(WHERE)).status == 404
    await be(server, "auditor")
    assert (await owner.get(WHERE)).status == 200


async def test_a_sweep_of_long_ago_shows(server: Server, owner: Browser) -> None:
    await server.store.retention.sweep()
    server.time.ahead += timedelta(hours=1)
    assert (await server.sign_in("alice")).status == 200
    ago = (server.time.now() - timedelta(hours=1)).strftime("%H.%M")
    assert ago in fact(await owner.get(WHERE), "record.swept")

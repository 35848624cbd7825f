"""The privacy report: each duty with what is set here and the tests that claim it, as a page and as a file."""

import csv
import io
import json
import re
from urllib.parse import urlencode

import pytest

from practice.organisation.model import MemberRole
from signaling.settings import SignalingSettings
from tests.organisations import scope_of
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.test_privacy_claims import claims, duties
from tests.web.forms.conftest import Browser, Seen
from web.locale import CATALOGUES
from web.practice.report import CLAIMS, COLUMNS

WHERE = "/practice/report"


@pytest.fixture
def server_settings() -> SignalingSettings:
    return SignalingSettings(second_factor="offered")


def of(page: Seen, duty: str) -> str:
    """What the page says of one, without tags."""
    after = page.html.partition(f'id="{duty}"')[2].partition("</li>")[0]
    return " ".join(re.sub("<[^>]+>", " ", after).split())


async def take(browser: Browser, form: str) -> Seen:
    return await browser.send(f"{WHERE}/take", urlencode({"form_token": await browser.token(), "format": form}))


async def test_every_duty_is_there_with_its_tests_or_said_to_be_unproven(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)
    assert page.status == 200
    claimed_by = claims()
    assert {one: claimed_by.get(one, []) for one in duties()} == CLAIMS
    for duty, tests in CLAIMS.items():
        said = of(page, duty)
        assert CATALOGUES["nl"].text(f"duty.{duty}") in said
        assert all(test in said for test in tests), duty
        assert ("nog niet bewezen" in said) is (not tests), duty
    claimed = sum(bool(tests) for tests in CLAIMS.values())
    assert f"{claimed} van 57 plichten" in page.html


async def test_it_says_what_is_set_and_was_done_here(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)
    assert server.origin in of(page, "S-55")
    assert "mag, hoeft niet" in of(page, "S-24")
    assert "niet ingevuld" in of(page, "S-03")
    assert "Geen grens van de praktijk" in of(page, "S-32") and "365 dagen" in of(page, "S-32")
    assert "daar weet het logboek niet van" in of(page, "S-51")
    scope = await scope_of(server.store, server.alice.id)
    await server.store.policies.change(scope, "7d", ["chat"], 0)
    await server.store.oversight.verify(scope)
    page = await owner.get(WHERE)
    assert "7 dagen na afloop" in of(page, "S-32")
    assert "Niet toegestaan in consulten Chat" in of(page, "S-20")


async def test_it_is_taken_along_as_a_table_and_as_objects(server: Server, owner: Browser) -> None:
    sent = await take(owner, "csv")
    assert sent.headers["Content-Disposition"].endswith('.csv"')
    rows = list(csv.reader(io.StringIO(sent.html)))
    assert (tuple(rows[0]), [row[0] for row in rows[1:]]) == (COLUMNS, list(CLAIMS))
    about, *lines = map(json.loads, (await take(owner, "jsonl")).html.splitlines())
    assert (about["format"], about["version"], about["duties"]) == ("spreekkamer-privacy-report", 1, 57)
    assert {one["id"]: one["claimed_by"] for one in lines} == CLAIMS
    assert next(one["here"] for one in lines if one["id"] == "S-55") == [f"Adres van deze server: {server.origin}"]
    assert (await take(owner, "pdf")).status == 422


async def test_who_audits_reads_it_too(server: Server, owner: Browser) -> None:
    await be(server, "auditor")
    assert (await owner.get(WHERE)).status == 200


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator"])
async def test_to_others_it_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    assert (await owner.get(WHERE)).status == 404
    assert (await take(owner, "csv")).status == 404

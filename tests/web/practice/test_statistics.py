"""The statistics of a practice: a page and a table, in which nothing below ten stands."""

import csv
import io
from urllib.parse import urlencode

import pytest

from practice.organisation.model import MemberRole
from signaling.settings import SignalingSettings
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen
from vault.records.scope import SERVER
from web.practice.statistics import COLUMNS

WHERE = "/practice/statistics"


@pytest.fixture
def server_settings() -> SignalingSettings:
    return SignalingSettings(second_factor="offered")


async def take(browser: Browser) -> Seen:
    return await browser.send(f"{WHERE}/take", urlencode({"form_token": await browser.token()}))


async def test_a_month_is_there_with_its_weeks_and_nothing_small(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = server.store.statistics
    await counting.count(SERVER, "consults", {server.alice.id: 47})
    await counting.count(SERVER, "absent", {server.alice.id: 7})
    late = counting._now().replace(year=counting._now().year + 1, month=1, day=15)
    monkeypatch.setattr(counting, "_now", lambda: late)
    page = await owner.get(WHERE)
    assert page.status == 200
    assert page.html.count(">47<") == 1
    assert ">7<" not in page.html and "minder dan 10" in page.html
    sent = await take(owner)
    assert sent.headers["Content-Disposition"].endswith('.csv"')
    rows = list(csv.reader(io.StringIO(sent.html)))
    assert tuple(rows[0]) == COLUMNS
    assert {cell for row in rows[1:] for cell in row[2:]} == {"", "47"}
    assert {row[0] for row in rows[1:]} == {"month", "week"}


async def test_who_audits_reads_them_too(server: Server, owner: Browser) -> None:
    await be(server, "auditor")
    assert (await owner.get(WHERE)).status == 200


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator"])
async def test_no_other_role_finds_them(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    assert (await owner.get(WHERE)).status == 404
    assert (await take(owner)).status == 404

"""The register of breaches by pages without scripts: the clock of 72 hours, as an officer reads and stops it."""

from datetime import datetime, timedelta

import pytest

from signaling.typedefs import ZONE
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser
from tests.web.practice.test_people import be_bob, send

PATH = "/practice/breaches"


@pytest.fixture
async def officer(server: Server, owner: Browser) -> Browser:
    """Bob, who is the data protection officer."""
    await be_bob(server, "officer")
    assert (await server.sign_in("bob")).status == 200
    return Browser(server, "bob")


def local(server: Server, at: datetime) -> str:
    return f"{at.astimezone(server.app[ZONE]()):%Y-%m-%dT%H:%M}"


@pytest.mark.duty("S-52")
async def test_an_officer_enters_a_breach_sees_its_72_hours_and_writes_down_who_was_told(
    server: Server, officer: Browser
) -> None:
    found = server.time.now() - timedelta(hours=10)
    entered = await send(officer, f"{PATH}/enter", found=local(server, found), what="A laptop in a train", people="12")
    assert (entered.status, entered.location) == (303, f"{PATH}?done=breach-entered")
    page = await officer.get(PATH)
    assert "Nog 61 uur om het de toezichthouder te melden" in page.html and "A laptop in a train" in page.html
    server.time.ahead += timedelta(hours=63)
    assert (await server.sign_in("bob")).status == 200, "again, after so long"
    page = await officer.get(PATH)
    assert "De 72 uur zijn voorbij" in page.html
    one = next(href for href in page.elements.all("href") if href.startswith(f"{PATH}/"))
    shown = await officer.get(one)
    facts = {
        "version": shown.hidden("version"),
        "found": shown.field("found")["value"],
        "what": "A laptop in a train",
        "people": "12",
        "risk": "high",
        "told": local(server, server.time.now()),
    }
    refused = await send(officer, f"{one}/change", **facts)
    assert (refused.status, "late" in refused.html) == (422, True)
    saved = await send(officer, f"{one}/change", **facts, late="Nobody was in")
    assert saved.status == 303
    assert "wie het betreft, moet het nog horen" in (await officer.get(one)).html
    shown = await officer.get(one)
    facts |= {"version": shown.hidden("version"), "late": "Nobody was in"}
    done = await send(
        officer, f"{one}/change", **facts, concerned=local(server, server.time.now()), words="We are sorry."
    )
    assert done.status == 303
    assert "Gemeld, of er staat waarom dat niet hoeft" in (await officer.get(PATH)).html


@pytest.mark.parametrize("found", ["", "soon", "2027-13-45T00:00", "2026-11-30T10:00+01:00"])
async def test_a_moment_that_is_none_comes_back_with_what_was_typed(
    server: Server, officer: Browser, found: str
) -> None:
    page = await send(officer, f"{PATH}/enter", found=found, what="A laptop in a train")
    assert page.status == 422 and "A laptop in a train" in page.html
    register = await server.store.breaches.clocks()
    assert (register.running, register.late) == (0, 0)


async def test_to_an_owner_the_register_is_nowhere(server: Server, owner: Browser) -> None:
    assert (await owner.get(PATH)).status == 404
    assert PATH not in (await owner.get("/practice/people")).html

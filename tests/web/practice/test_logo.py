"""A practice's logo: what is taken, where it is seen, and what is refused, told and entered."""

import re
from collections.abc import Iterator

import pytest

from practice.pictures.intake import Intake
from practice.settings import UploadSettings
from signaling.typedefs import INTAKE
from tests.organisations import OPERATOR
from tests.pictures import PLACE, SVG, huge, photographed, picture
from tests.servers.clamd import FOUND, Clamd
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen
from vault.records.scope import Scope
from web.naming import PRACTICE as SHOWN

WHERE = "/practice/branding"


@pytest.fixture
def scanning(server: Server, clamd: Clamd) -> Iterator[None]:
    """As with a scanner in the settings."""
    before = server.app[INTAKE]
    server.app._state[INTAKE] = Intake(UploadSettings(scanner=clamd.socket, most_bytes=50_000))
    yield
    server.app._state[INTAKE] = before


async def send(browser: Browser, file: bytes, version: str = "0") -> Seen:
    return await browser.upload(f"{WHERE}/logo", file, version=version)


async def stored(server: Server) -> bytes:
    return (await server.store.pictures.logo(OPERATOR)).data


async def acts(server: Server) -> list[tuple[str, str | None]]:
    return [(entry.act, entry.detail) async for entry in server.store.audit.entries()]


def address(page: Seen) -> str | None:
    found = re.findall(r'src="(/branding/[0-9a-f]{32}\.png)"', page.html)
    return found[0] if found else None


@pytest.mark.usefixtures("scanning")
async def test_it_is_kept_entered_and_seen_where_people_come_in(server: Server, owner: Browser) -> None:
    assert address(await owner.get("/c")) is None
    sent = await send(owner, photographed())
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    assert PLACE not in await stored(server)
    assert (await acts(server))[-1] == ("picture-changed", "logo")
    nobody = Browser(server, "nobody")
    (where,) = {address(await nobody.get(path)) for path in ("/c", "/signin", "/")}
    assert where is not None
    logo = await nobody.get(where)
    assert (logo.status, logo.headers["Content-Type"], logo.body) == (200, "image/png", await stored(server))
    assert "immutable" in logo.headers["Cache-Control"] and logo.headers["X-Content-Type-Options"] == "nosniff"
    shown = next(one for tag, one in (await nobody.get("/c")).elements.elements if tag == "img")
    assert shown["alt"] == "Praktijk Voorbeeld"


@pytest.mark.usefixtures("scanning")
async def test_another_takes_its_place_and_it_can_be_taken_away(server: Server, owner: Browser) -> None:
    await send(owner, picture())
    first = await stored(server)
    assert (await send(owner, picture(width=80), version="0")).status == 409
    assert (await send(owner, picture(width=80), version="1")).status == 303
    assert await stored(server) != first
    where = address(await owner.get("/c"))
    assert (await owner.send(f"{WHERE}/no-logo", f"form_token={await owner.token()}")).status == 303
    assert (await stored(server), address(await owner.get("/c"))) == (b"", None)
    await server.store.retention.sweep()
    assert (await send(owner, picture())).status == 303
    assert where != address(await owner.get("/c"))


async def test_another_server_has_it_as_soon_as_it_is_asked_for(server: Server, owner: Browser) -> None:
    standing = await server.store.organisation.standing(server.alice.id)
    assert standing is not None
    scope = Scope.practitioner(server.alice.id, standing.organisation, standing.roles)
    made = await server.store.pictures.set_logo(scope, picture(), 0)
    assert server.app[SHOWN].logo is None
    assert (await owner.get(f"/branding/{made.mark}.png")).status == 200


@pytest.mark.usefixtures("scanning")
@pytest.mark.parametrize(
    ("file", "status", "said"),
    [
        (SVG, 422, "geen afbeelding"),
        (b"", 422, "Vul dit in"),
        (huge(), 422, "te veel beeldpunten"),
        (bytes(50_001), 413, "te groot"),
        (bytes(90_000), 413, "te groot"),
        (picture() + FOUND, 422, "De virusscanner vond iets"),
    ],
)
async def test_what_is_refused_is_told_beside_the_field_and_changes_nothing(
    server: Server, owner: Browser, file: bytes, status: int, said: str
) -> None:
    page = await send(owner, file)
    assert page.status == status and said in page.described("picture")
    assert await stored(server) == b""
    assert "picture-changed" not in [act for act, _ in await acts(server)]


@pytest.mark.usefixtures("scanning")
@pytest.mark.duty("S-51")
async def test_what_the_scanner_finds_is_entered(server: Server, owner: Browser) -> None:
    await send(owner, picture() + FOUND)
    assert (await acts(server))[-1] == ("file-refused", "logo")


@pytest.mark.duty("S-53")
async def test_without_a_scanner_the_page_has_no_form_and_takes_nothing(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)
    assert 'type="file"' not in page.html and "geen virusscanner" in page.html
    page = await send(owner, picture())
    assert page.status == 503 and await stored(server) == b""


@pytest.mark.usefixtures("scanning")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"version=0&picture=x"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="version"\r\n\r\n0\r\n'),
        ("multipart/form-data; boundary=" + "x" * 100, b""),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 5_000),
    ],
)
async def test_a_body_that_no_form_of_ours_sends(
    server: Server, owner: Browser, content_type: str, body: bytes
) -> None:
    page = await owner.send(f"{WHERE}/logo", body, **{"Content-Type": content_type})
    assert page.status in (403, 422) and await stored(server) == b""


@pytest.mark.usefixtures("scanning")
async def test_another_forms_fields_and_another_session_are_refused(server: Server, owner: Browser) -> None:
    assert (await owner.upload(f"{WHERE}/logo", picture(), version="0", more="1")).status == 422
    assert (await owner.upload(f"{WHERE}/logo", picture(), version="0", form_token="x")).status == 403
    assert await stored(server) == b""


@pytest.mark.usefixtures("scanning")
async def test_to_others_it_is_nowhere(server: Server, owner: Browser) -> None:
    await be(server, "practitioner")
    assert (await send(owner, picture())).status == 404
    assert await stored(server) == b""

"""Showing who one is: a page that takes a masked picture and nothing else, which an officer sees once (S-48)."""

from collections.abc import Iterator

import pytest

from practice.pictures.intake import Intake
from practice.requests.model import Filing
from practice.settings import UploadSettings
from signaling.limiter import PAPERS_NETWORK, PAPERS_SENT
from signaling.typedefs import INTAKE
from tests.organisations import scope_of
from tests.papers import file, masked, paper, typed
from tests.servers.clamd import Clamd
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.test_people import be_bob, send
from vault.records.scope import SERVER

MASKED = masked(paper())


@pytest.fixture(autouse=True)
def scanning(server: Server, clamd: Clamd) -> Iterator[None]:
    """As with a scanner in the settings."""
    before = server.app[INTAKE]
    server.app._state[INTAKE] = Intake(UploadSettings(scanner=clamd.socket))
    yield
    server.app._state[INTAKE] = before


@pytest.fixture
async def officer(server: Server, owner: Browser) -> Browser:
    """Bob, who is the data protection officer."""
    await be_bob(server, "officer")
    assert (await server.sign_in("bob")).status == 200
    return Browser(server, "bob")


async def asked(server: Server, text: str = "What do you have?") -> tuple[str, str]:
    filed = await server.store.requests.file(SERVER, Filing("access", "form", "nl", text, mail="jan@example.net"))
    await server.store.requests.confirm(filed.token)
    return filed.request.id, f"/identity/{filed.token}"


async def upload(server: Server, path: str, data: bytes, **fields: str) -> Seen:
    """Of somebody who is not signed in, by the page's own form."""
    somebody = Browser(server, "nobody")
    content, boundary = b"", b"a boundary of the tests"
    for name, value in ({"boxes": typed(MASKED.places), "covered": "on"} | fields).items():
        content += b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
            *(boundary, name.encode(), value.encode()),
        )
    content += b'--%s\r\nContent-Disposition: form-data; name="picture"; filename="x"\r\n\r\n' % boundary
    content += data + b"\r\n--%s--\r\n" % boundary
    return await somebody.send(
        f"{path}/send", content, **{"Content-Type": f'multipart/form-data; boundary="{boundary.decode()}"'}
    )


@pytest.mark.duty("S-48")
async def test_a_masked_picture_is_taken_an_officer_sees_it_once_and_it_is_gone(
    server: Server, officer: Browser
) -> None:
    request, path = await asked(server)
    sent = await upload(server, path, file(MASKED.pixels, "mjpeg"))
    assert (sent.status, sent.location) == (303, f"{path}?done=paper-sent")
    page = await officer.get(f"/practice/requests/{request}")
    assert 'data-testid="paper"' in page.html
    first = await send(officer, f"/practice/requests/{request}/paper")
    assert (first.status, first.body[:3], first.headers["Cache-Control"]) == (200, b"\xff\xd8\xff", "no-store")
    assert (await send(officer, f"/practice/requests/{request}/paper")).status == 404
    assert 'data-testid="paper"' not in (await officer.get(f"/practice/requests/{request}")).html


@pytest.mark.duty("S-48")
async def test_what_is_not_masked_comes_back_with_why_and_nothing_is_kept(server: Server, officer: Browser) -> None:
    request, path = await asked(server)
    for data, code, status in (
        (file(paper().pixels, "mjpeg"), "Op deze afbeelding is niet alles bedekt", 422),
        (b"%PDF-1.7" + bytes(100), "PDF en HEIC kunnen hier niet", 422),
        (b"\x00\x00\x00\x18ftypheic" + bytes(100), "PDF en HEIC kunnen hier niet", 422),
        (bytes(1_010_000), "", 413),
    ):
        back = await upload(server, path, data)
        assert back.status == status and code in back.html, code
    unticked = await upload(server, path, file(MASKED.pixels, "mjpeg"), covered="")
    assert unticked.status == 422
    assert await server.store.identity_papers.waiting(await scope_of(server.store, server.bob.id)) == frozenset()
    assert request


@pytest.mark.duty("S-48")
async def test_it_is_gone_with_the_answer(server: Server, officer: Browser) -> None:
    request, path = await asked(server)
    await upload(server, path, file(MASKED.pixels, "mjpeg"))
    scope = await scope_of(server.store, server.bob.id)
    assert await server.store.identity_papers.waiting(scope) == {request}
    assert (
        await send(officer, f"/practice/requests/{request}/answer", outcome="granted", answer="Here.")
    ).status == 303
    assert await server.store.identity_papers.waiting(scope) == frozenset()
    assert "nu geen identiteitsbewijs nodig" in (await Browser(server, "nobody").get(path)).html
    assert (await upload(server, path, file(MASKED.pixels, "mjpeg"))).status == 409


@pytest.mark.duty("S-48")
async def test_who_was_signed_in_is_asked_for_none(server: Server, officer: Browser) -> None:
    filed = await server.store.requests.file(
        await scope_of(server.store, server.alice.id), Filing("access", "dashboard", "nl", "Mine")
    )
    page = await Browser(server, "nobody").get(f"/identity/{filed.token}")
    assert "nu geen identiteitsbewijs nodig" in page.html and 'data-slot="masking"' not in page.html
    assert (await upload(server, f"/identity/{filed.token}", file(MASKED.pixels, "mjpeg"))).status == 409
    assert "/identity/" not in (await Browser(server, "nobody").get(f"/request/{filed.token}")).html


async def test_the_page_has_no_field_by_which_a_chosen_file_is_sent(server: Server, officer: Browser) -> None:
    _, path = await asked(server)
    page = await Browser(server, "nobody").get(path)
    files = [one for tag, one in page.elements.elements if tag == "input" and one.get("type") == "file"]
    assert [one.get("name") for one in files] == [None]
    assert path in (await Browser(server, "nobody").get(path.replace("identity", "request"))).html


async def test_a_link_that_is_none_leads_nowhere(server: Server, officer: Browser) -> None:
    assert (await Browser(server, "nobody").get(f"/identity/{'x' * 43}")).status in (404, 410, 403, 401, 422)


async def test_an_officer_is_told_of_what_hung_on_a_mail_and_of_what_should_not_stand_in_it(
    server: Server, officer: Browser
) -> None:
    asked = Filing(
        "unspecified", "mailbox", "nl", "Mijn BSN is 111222333", mail="jan@example.net", enclosed=2, cut=True
    )
    filed = await server.store.requests.file(SERVER, asked)
    page = await officer.get(f"/practice/requests/{filed.request.id}")
    assert 'data-testid="doubted"' in page.html and '<dd data-testid="enclosed">2</dd>' in page.html
    assert "alleen het begin is bewaard" in page.html


async def test_pictures_without_end_are_not_looked_at(
    server: Server, officer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is scanned and encoded, by work that anybody could make who filed one request."""
    _, path = await asked(server)
    looked: list[int] = []
    take = Intake.take_masked

    async def counting(self: Intake, data: bytes, boxes: str) -> bytes:
        looked.append(len(data))
        return await take(self, data, boxes)

    monkeypatch.setattr(Intake, "take_masked", counting)
    statuses = [(await upload(server, path, b"none")).status for _ in range(PAPERS_SENT.tries + 1)]
    assert statuses == [422] * PAPERS_SENT.tries + [429]
    for _ in range(PAPERS_NETWORK.tries):
        _, other = await asked(server, "Another one")
        await upload(server, other, b"none")
    assert len(looked) <= PAPERS_NETWORK.tries

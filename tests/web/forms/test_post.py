"""What a sandbox would have sent is read on a page of its own; a server that sends has no such page."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from practice.agenda.cancelling import UNDO
from practice.mail_servers.model import Access
from practice.notices.model import News
from practice.organisation.model import Profile
from practice.post import MOST, SENDER, KeptTexter, Letterbox
from practice.settings import SmsSettings
from practice.sms_providers.numbers import Untextable
from practice.sms_providers.sending import Text
from signaling.settings import SignalingSettings
from signaling.typedefs import COURIER, POSTMAN, TEXTER
from tests.organisations import scope_of
from tests.signaling.conftest import Server, serving
from tests.web.conftest import Elements
from tests.web.forms.conftest import Browser, Seen
from vault.clock import utc_now
from vault.records.scope import Scope
from vault.records.writing import always
from vault.settings import VaultSettings
from web.headers import CONTENT_SECURITY_POLICY, LETTER_POLICY
from web.post import parted

TO = "jan@example.com"
LOGO = b"\x89PNG\r\n\x1a\n made up"


@pytest.fixture
async def sandbox(
    tmp_path: Path,
    redis: Redis,
    first_start: Path,
    server_settings: SignalingSettings,
    server_zone: tzinfo,
) -> AsyncIterator[tuple[Server, Letterbox]]:
    shutil.copytree(first_start, tmp_path / "data")
    rooms, post = VaultSettings(data=tmp_path / "data", trust_clock=True), Letterbox(utc_now)
    async with serving(rooms, redis, server_settings, server_zone, post) as running:
        await running.sign_in("alice")
        yield running, post


async def invited(sandbox: Server) -> dict[str, Any]:
    """An appointment whose patient is told, and the others who are."""
    starts_at = (sandbox.time.now() + timedelta(hours=1)).isoformat()
    body = {"patient": "Jan Canary", "starts_at": starts_at, "minutes": 30, "language": "nl", "mail": TO}
    made = await sandbox.call("POST", "/api/v1/appointments", body, who="alice")
    assert made.status == 201, made.body
    sandbox.time.ahead += UNDO
    postman, courier = sandbox.app[POSTMAN], sandbox.app[COURIER]
    assert postman is not None and courier is not None
    await postman.round()
    await courier.round()
    return dict(made.body)


async def found(sandbox: Server) -> None:
    """An organisation that Alice owns."""
    await sandbox.store.organisation.establish(Scope.operator(), Profile("Maan", "", "", "nl", "UTC"))
    await sandbox.store.organisation.name_owner(Scope.operator(sandbox.alice.id))


async def read(sandbox: Server, path: str) -> Seen:
    return await Browser(sandbox, "nobody").get(path)


async def test_what_a_patient_is_told_is_read_there_and_its_links_work(sandbox: tuple[Server, Letterbox]) -> None:
    running, post = sandbox
    empty = await read(running, post.path)
    assert empty.status == 200 and "Er is nog niets verstuurd." in empty.html
    made = await invited(running)
    page = await read(running, post.path)
    links = page.elements.all("href")
    assert made["link"] in links and TO in page.html and SENDER in page.html and "Canary" not in page.html
    assert "BEGIN:VCALENDAR" in page.html and "Er is nog niets verstuurd." not in page.html
    assert page.headers["Cache-Control"] == "no-store"
    joined = await running.call("POST", "/api/v1/join", {"link": made["link"]})
    assert joined.status == 200
    (letter,) = [one for one in links if one.endswith("/page") and f"/{post.sent[0].number}/" in one]
    html = await read(running, letter)
    assert made["link"] in Elements(html.html).all("href")
    (entry,) = [one for one in links if one.endswith("/entry.ics")]
    calendar = await running.call("GET", entry)
    assert calendar.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert calendar.body.startswith("BEGIN:VCALENDAR\r\n") and "METHOD:REQUEST" in calendar.body


async def test_a_letters_page_is_shown_as_a_mail_program_does_and_runs_nothing(
    sandbox: tuple[Server, Letterbox],
) -> None:
    running, post = sandbox
    await invited(running)
    headers = (await read(running, f"{post.path}/{post.sent[0].number}/page")).headers
    assert headers["Content-Security-Policy"] == LETTER_POLICY and "script" not in LETTER_POLICY
    assert headers["X-Frame-Options"] == "DENY"
    assert (await read(running, post.path)).headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


async def test_its_logo_comes_along(sandbox: tuple[Server, Letterbox], monkeypatch: pytest.MonkeyPatch) -> None:
    running, post = sandbox

    async def logo(owner: str) -> bytes:
        return LOGO

    await found(running)
    monkeypatch.setattr(running.store.pictures, "logo_of", logo)
    await invited(running)
    where = f"{post.path}/{post.sent[0].number}"
    page = await read(running, f"{where}/page")
    assert page.elements.all("src") == ["pictures/logo@spreekkamer"]
    logo_ = await read(running, f"{where}/pictures/logo@spreekkamer")
    assert (logo_.status, logo_.headers["Content-Type"], logo_.body) == (200, "image/png", LOGO)
    assert (await read(running, f"{where}/pictures/another")).status == 404


async def test_a_link_for_an_account_is_there_too(sandbox: tuple[Server, Letterbox]) -> None:
    running, post = sandbox
    news = News("reset", "alice@example.org", "nl", {"reset": "a-seed"})
    assert await running.store.notices.along(running.alice.id, [news], always)
    postman = running.app[POSTMAN]
    assert postman is not None
    await postman.round()
    notice = next(one for one in post.sent if "a-seed" not in one.text and "/forgotten/" in one.text)
    assert (notice.page, notice.calendar) == ("", "")
    assert any("/forgotten/" in one for one in (await read(running, post.path)).elements.all("href"))
    for part in ("page", "entry.ics", "pictures/logo"):
        assert (await read(running, f"{post.path}/{notice.number}/{part}")).status == 404


async def test_it_comes_from_the_address_of_an_organisations_own_mail_server(sandbox: tuple[Server, Letterbox]) -> None:
    running, post = sandbox
    await found(running)
    access = Access("localhost", 587, "starttls", "", "", "praktijk@maan.example")
    await running.store.mail_servers.write(
        await scope_of(running.store, running.alice.id), access, 0, port_is_free=True
    )
    await invited(running)
    assert post.sent[0].sender == "praktijk@maan.example"


async def test_without_its_token_nobody_reads_it(sandbox: tuple[Server, Letterbox]) -> None:
    running, post = sandbox
    await invited(running)
    number = post.sent[0].number
    for path in (f"/post/{'A' * 43}", f"/post/{'A' * 43}/{number}/page", f"{post.path}/{number + 9}/page",
                 f"{post.path}/x/page", f"{post.path}/{'9' * 40}/page"):  # fmt: skip
        seen = await read(running, path)
        assert seen.status == 404 and TO not in seen.html


async def test_nothing_of_it_is_stored(sandbox: tuple[Server, Letterbox]) -> None:
    running, _ = sandbox
    made = await invited(running)
    data = running.store.settings.data
    for path in data.rglob("*"):
        if path.is_file():
            assert not re.search(re.escape(made["link"].encode()) + b"|" + TO.encode(), path.read_bytes()), path
    async with running.store.database.read() as connection:
        assert (await connection.execute(text("select count(*) from dispatches"))).scalar() == 1


async def test_a_server_that_sends_has_no_such_page(server: Server) -> None:
    assert not [one for one in server.app.router.resources() if one.canonical.startswith("/post")]
    assert (await read(server, f"/post/{'A' * 43}")).status == 404


async def test_a_text_message_is_kept_where_its_number_may_get_one(sandbox: tuple[Server, Letterbox]) -> None:
    running, post = sandbox
    texter = running.app[TEXTER]
    assert await texter.can(running.alice.id)
    assert await texter.send(running.alice.id, Text("06 12345678", "Om 10:00. https://a.example/c#x", "ref"))
    with pytest.raises(Untextable):
        await texter.send(running.alice.id, Text("0900 1234", "Om 10:00.", "ref"))
    (sent,) = [one for one in post.sent if one.to.startswith("+")]
    assert (sent.to, sent.sender, sent.subject) == ("+31612345678", "Spreekkamer", "")
    page = await read(running, post.path)
    assert "https://a.example/c#x" in page.elements.all("href") and "+31612345678" in page.html


async def test_only_the_newest_stay() -> None:
    post = Letterbox(utc_now)
    texter = KeptTexter(SmsSettings(sender="Maan"), post._now, post)
    await asyncio.gather(*(texter.send("o", Text("+31612345678", str(one), "r")) for one in range(MOST + 3)))
    assert len(post.sent) == MOST and post.get(3) is None and post.get(MOST + 3) is not None
    assert post.sent[0].sender == "Maan"
    assert await texter._of_owner("o") is None


def test_a_text_is_parted_at_its_links() -> None:
    assert parted("Zie https://a.example/x. Dag") == [("Zie ", "https://a.example/x"), (". Dag", "")]
    assert parted("Dag") == [("Dag", "")]

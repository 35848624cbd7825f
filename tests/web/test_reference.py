"""The page about the API names all that there is, and loads nothing from elsewhere."""

import re

from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS
from signaling.routes import ENDPOINTS
from tests.web.conftest import Client


async def test_the_page_names_every_call_event_and_model(pages: Client) -> None:
    answer = await pages.get("/api")
    text = await answer.text()
    assert answer.status == 200 and answer.content_type == "text/html"
    for name in (*(f"{one.method} {one.path}" for one in ENDPOINTS), *CLIENT_EVENTS, *SERVER_EVENTS):
        assert f"<code>{name}</code>" in text, name
    linked, there = set(re.findall(r'href="#(\w+)"', text)), set(re.findall(r'id="([\w-]+)"', text))
    assert linked and linked <= there


async def test_the_page_loads_nothing_from_elsewhere_and_runs_no_inline_script(pages: Client) -> None:
    text = await (await pages.get("/api")).text()
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)
    assert all('src="/static/' in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "style=" not in text

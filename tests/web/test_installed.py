"""The manifest of the desk and its service worker, as they are sent."""

import json
import struct

import pytest

from tests.web.conftest import LANGUAGES, Client, Serve, read
from web.installed import MANIFEST, WORKER
from web.locale import CATALOGUES
from web.settings import WebSettings

OFF = WebSettings(installable=False)


async def test_the_manifest_is_of_the_desk_and_of_the_product(pages: Client) -> None:
    answer = await pages.get(MANIFEST)
    assert (answer.status, answer.content_type) == (200, "application/manifest+json")
    said = await answer.json()
    assert said["name"] == "Spreekkamer"
    assert said["id"] == said["scope"] == said["start_url"] == "/desk"
    assert {one["purpose"] for one in said["icons"]} == {"any", "maskable"}
    for one in said["icons"]:
        icon = await pages.get(one["src"])
        assert icon.headers["Cache-Control"] == "max-age=31536000, immutable"
        width, height = struct.unpack(">II", (await icon.read())[16:24])
        assert one["sizes"] == f"{width}x{height}"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_worker_is_asked_for_anew_and_speaks_the_desks_language(pages: Client, language: str) -> None:
    answer = await pages.get(f"{WORKER}?lang={language}")
    assert (answer.status, answer.content_type) == (200, "text/javascript")
    assert answer.headers["Service-Worker-Allowed"] == "/desk"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    said = json.loads((await answer.text()).partition("\n")[0].removeprefix("self.said = ").removesuffix(";"))
    assert CATALOGUES[language].text("offline.title") in said["page"] and f'lang="{language}"' in said["page"]
    assert "<script" not in said["page"]
    for file in said["files"]:
        assert (await pages.get(file)).headers["Cache-Control"] == "max-age=31536000, immutable"
        assert file in said["page"]


async def test_only_the_desk_names_the_manifest(pages: Client) -> None:
    for path in ("/", "/signin", "/c", "/privacy", "/desk"):
        page = await read(pages, path)
        assert ("manifest" in page.all("rel")) == (path == "/desk"), path


async def test_switched_off_nothing_names_it_and_the_worker_removes_itself(serve: Serve) -> None:
    pages = await serve(OFF)
    assert (await pages.get(MANIFEST)).status == 404
    assert "manifest" not in (await read(pages, "/desk")).all("rel")
    answer = await pages.get(WORKER)
    assert answer.headers["Service-Worker-Allowed"] == "/desk"
    text = await answer.text()
    assert "registration.unregister()" in text and "said" not in text

"""Every page in every language: complete, strict about what it may load, and holding what others rely on."""

import re

import pytest

from tests.web.conftest import LANGUAGES, PAGES, STATIC, TEMPLATES, Client, Serve, imported_by, read, scripts
from web.render import ENVIRONMENT
from web.settings import Operator, WebSettings

EVERYWHERE = [*PAGES, "/does-not-exist"]

PRELOADED = ("modulepreload", "preload")

TEST_IDS = {
    "/c": [
        *("join", "waiting", "hold-message", "call", "self-video", "remote-video", "remote-screen", "toggle-mic"),
        *("toggle-camera", "share-screen", "toggle-chat", "chat-input", "chat-log", "verification-code", "leave"),
        *("take-over", "preview-video"),
    ],
    "/desk": [
        *("waiting-list", "new-appointment", "call", "self-video", "remote-video", "remote-screen", "toggle-mic"),
        *("toggle-camera", "share-screen", "toggle-chat", "chat-input", "chat-log", "verification-code", "leave"),
        *("take-over", "appointments", "patient-name", "create-appointment", "patient-link"),
    ],
    "/signin": ["mail", "password", "sign-in"],
}


def test_every_template_can_be_compiled() -> None:
    """A server compiles each at its first use only."""
    for name in ENVIRONMENT.list_templates():
        ENVIRONMENT.get_template(name)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", EVERYWHERE)
async def test_every_page_renders_in_every_language(pages: Client, path: str, language: str) -> None:
    page = await read(pages, path, language)
    tags = [tag for tag, _ in page.elements]
    assert dict(page.elements)["html"]["lang"] == language
    assert tags.count("main") == 1
    assert tags.count("title") == 1
    assert "footer" in tags
    assert not re.search(r"\{\w+\}|\b[a-z]+\.[a-z]+\.[a-z]+\b", page.text.replace("security.txt", "")), path


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_nothing_is_inline_and_nothing_comes_from_elsewhere(pages: Client, path: str) -> None:
    page = await read(pages, path)
    assert page.inline == []
    for tag, attributes in page.elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "poster", "srcset", "data"):
            target = attributes.get(name, "")
            loads = tag != "a" and not target.startswith("mailto:")
            assert not (loads and re.match(r"(\w+:)?//|data:|javascript:", target)), (tag, target)


def test_scripts_write_no_markup_and_call_nobody_else() -> None:
    for name, source in scripts().items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source), (
            name
        )
        assert not re.search(r"console\.|debugger|alert\(", source), name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", source), name


def test_styles_load_nothing_and_print_nothing_external() -> None:
    for path in STATIC.glob("css/*.css"):
        assert not re.search(r"url\(|@import|https?:", path.read_text()), path.name


@pytest.mark.parametrize("path", TEST_IDS)
async def test_what_others_rely_on_is_there_once(pages: Client, path: str) -> None:
    page = await read(pages, path)
    found = page.all("data-testid")
    for testid in TEST_IDS[path]:
        assert found.count(testid) == 1, testid
    by_testid = {attributes["data-testid"]: tag for tag, attributes in page.with_attribute("data-testid")}
    for testid in ("self-video", "remote-video"):
        assert by_testid.get(testid, "video") == "video"


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_ids_are_unique_and_references_lead_somewhere(pages: Client, path: str) -> None:
    page = await read(pages, path)
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
        for value in page.all(name):
            assert set(value.split()) <= set(ids), value
    for value in page.all("href"):
        if value.startswith("#"):
            assert value[1:] in ids, value


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_every_control_has_a_name(pages: Client, path: str) -> None:
    response = await pages.get(path, headers={"Accept-Language": "nl", "Accept": "text/html"})
    html = await response.text()
    labelled = set(re.findall(r'<label[^>]* for="([^"]+)"', html))
    for tag, attributes in (await read(pages, path)).elements:
        if tag in ("input", "select") and attributes.get("type") != "radio":
            assert attributes.get("id") in labelled
    for attributes, content in re.findall(r"<button([^>]*)>(.*?)</button>", html, re.DOTALL):
        words = re.sub(r"<[^>]+>", "", content).strip()
        assert words or "aria-label=" in attributes, content


@pytest.mark.parametrize("path", ["/c", "/desk"])
async def test_nothing_is_captured_by_the_page_itself(pages: Client, path: str) -> None:
    """Only custody.js asks for devices, and waits to be called."""
    for question in ("getUserMedia(", "getDisplayMedia("):
        assert {name for name, source in scripts().items() if question in source} == {"custody.js"}
    page = await read(pages, path)
    assert not page.with_attribute("capture")


@pytest.mark.parametrize("path", ["/c", "/desk"])
async def test_a_page_without_scripts_says_so(pages: Client, path: str) -> None:
    response = await pages.get(path, headers={"Accept-Language": "nl"})
    assert re.search(r"<noscript>.*JavaScript.*</noscript>", await response.text(), re.DOTALL)


async def test_sign_in_never_puts_a_password_in_an_address(pages: Client) -> None:
    page = await read(pages, "/signin")
    form = next(attributes for tag, attributes in page.elements if tag == "form")
    button = next(attributes for tag, attributes in page.elements if attributes.get("type") == "submit")
    assert form["method"] == "post"
    assert "disabled" in button, "until the script takes over"


async def test_a_wrong_address_is_a_page_for_people_and_an_error_for_machines(pages: Client) -> None:
    person = await pages.get("/nowhere", headers={"Accept": "text/html"})
    assert (person.status, person.content_type) == (404, "text/html")
    for path in ("/api/nowhere", "/static/nowhere.js", "/health/nowhere", "/.well-known/nowhere"):
        machine = await pages.get(path, headers={"Accept": "text/html"})
        assert (machine.status, machine.content_type) == (404, "text/plain")


@pytest.mark.parametrize("path", ["/c", "/desk"])
async def test_the_consult_page_weighs_at_most_200_kilobytes(pages: Client, path: str) -> None:
    page = await read(pages, path)
    files = {attributes["href"] for tag, attributes in page.elements if attributes.get("rel") == "stylesheet"}
    files |= {attributes["href"] for _, attributes in page.elements if attributes.get("rel") in PRELOADED}
    files |= {attributes["src"] for tag, attributes in page.elements if tag == "script"}
    files |= {f"/static/{name}" for name in imported_by("client/e2ee-worker.js")}
    total = 0
    for file in {path, *files}:
        response = await pages.get(file, headers={"Accept-Encoding": "gzip"}, auto_decompress=False)
        assert response.status == 200, file
        total += len(await response.read())
    print(f"{path}: {total / 1000:.0f} kB in {len(files) + 1} files")
    assert total <= 200_000


async def test_whoever_is_told_to_call_gets_the_name_and_the_number(serve: Serve) -> None:
    practice = Operator(name="Praktijk De Linde", phone="020 555-01 23")
    known = await serve(WebSettings(operator=practice))
    html = await (await known.get("/c")).text()
    links = re.findall(r"<bdi>Praktijk De Linde</bdi> <a href=\"tel:0205550123\">020 555-01 23</a>", html)
    # No script, every message, a connection that failed, the goodbye of a cancelled appointment.
    assert len(links) == 4
    assert "tel:" not in await (await (await serve()).get("/c")).text()


def test_every_module_stays_small() -> None:
    long = {name: lines for name, source in scripts().items() if (lines := len(source.splitlines())) > 400}
    assert long == {}


def test_only_the_desk_loads_what_draws_its_lists() -> None:
    for script in ("base", "signin", "patient"):
        assert not [name for name in imported_by(f"pages/{script}.js") if name.startswith("vendor/")]
    assert len([name for name in imported_by("pages/desk.js") if name.startswith("vendor/")]) == 2


def test_each_dialog_is_a_file_named_after_its_slot() -> None:
    for path in TEMPLATES.rglob("*.html"):
        slots = re.findall(r'<dialog[^>]* data-slot="([\w-]+)"', path.read_text())
        assert slots == ([path.stem] if path.parent.name == "dialogs" else []), path.name


WITH_SCRIPTS = [
    "rights/entrance.html",
    "requests/identity.html",
    "practice/served.html",
    "practice/_waiting.html",
    "practice/served_day.html",
]
"""Of who is signed in."""


async def test_slots_and_actions_that_scripts_look_for_stand_in_a_page(pages: Client) -> None:
    slots: set[str] = set()
    actions: set[str] = set()
    for path in PAGES:
        page = await read(pages, path)
        slots |= set(page.all("data-slot"))
        actions |= set(page.all("data-action"))
    for template in WITH_SCRIPTS:
        slots |= set(re.findall(r'data-slot="([\w-]+)"', (TEMPLATES / template).read_text()))
    made = {slot for source in scripts().values() for slot in re.findall(r"'data-slot': '([\w-]+)'", source)}
    for name, source in scripts().items():
        assert set(re.findall(r"slot\([\w.]+, '([\w-]+)'[,)]", source)) <= slots | made, name
        assert "[data-testid" not in source, f"{name}: that is for tests and for others"
    handled = " ".join(scripts().values())
    for action in actions:
        assert re.search(rf"""['"]?{re.escape(action)}['"]?\s*[:(]|data-action="{re.escape(action)}\"""", handled), (
            action
        )

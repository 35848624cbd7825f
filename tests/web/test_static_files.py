"""Files that are kept for good, pages that name all they need, and what is left out on the way."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.conftest import PAGES, STATIC, Client, imported_by, read
from web import assets
from web.bare import STYLE, without_comments

WEB = STATIC.parent
TYPESCRIPT = WEB / "node_modules" / "typescript" / "lib" / "typescript.js"
SAME = """
const ts = require(process.argv[2]);
const fs = require('node:fs');
const [, , , written, sent] = process.argv;
const plain = (path) => ts.transpileModule(fs.readFileSync(path, 'utf8'), {
  compilerOptions: { removeComments: true, target: 'esnext', module: 'esnext' },
}).outputText;
const ours = (name) => name.endsWith('.js') && !name.includes('vendor');
const all = fs.readdirSync(written, { recursive: true }).filter(ours);
if (all.length < 50) throw new Error('where are the modules?');
for (const name of all) {
  const [one, other] = [plain(`${written}/${name}`), plain(`${sent}/${name}`)];
  if (one !== other) throw new Error(name);
  if (/\\/\\*\\*/.test(fs.readFileSync(`${sent}/${name}`, 'utf8'))) throw new Error(`comments in ${name}`);
}
"""


async def address(pages: Client) -> str:
    """Where a page says that its files are."""
    found = re.search(r'href="(/static/[0-9a-f]{16})/css/', await (await pages.get("/")).text())
    assert found
    return found[1]


async def test_what_a_page_names_is_kept_for_good(pages: Client) -> None:
    for path in PAGES:
        page = await read(pages, path)
        named = [
            target for _, attributes in page.elements for name in ("src", "href") if (target := attributes.get(name))
        ]
        files = [target for target in named if target.startswith("/static/")]
        assert files
        for file in files:
            response = await pages.get(file)
            assert response.status == 200, file
            assert response.headers["Cache-Control"] == "max-age=31536000, immutable", file


@pytest.mark.parametrize("version", ["", "0123456789abcdef/", "ffffffffffffffff/"])
async def test_the_page_of_another_version_gets_the_present_file_and_does_not_keep_it(
    pages: Client, version: str
) -> None:
    """During a rolling update a page of one node may ask another."""
    response = await pages.get(f"/static/{version}pages/patient.js")
    assert response.headers["Cache-Control"] == "no-cache"
    present = await pages.get(f"{await address(pages)}/pages/patient.js")
    assert await response.read() == await present.read()
    again = await pages.get(response.url.path, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status, again.headers["Cache-Control"]) == (304, "no-cache")


async def test_what_does_not_exist_exists_under_no_version(pages: Client) -> None:
    for version in (await address(pages), "/static/0123456789abcdef", "/static/0123456789abcdef/0123456789abcdef"):
        for name in ("pages/nothing.js", "client/README.md", "../settings.py", "%2e%2e/settings.py"):
            assert (await pages.get(f"{version}/{name}")).status == 404


def test_the_version_changes_with_every_file() -> None:
    read = dict(assets.read())
    versions = {assets.Files(read).version}
    for name, asset in read.items():
        versions.add(assets.Files(read | {name: assets.Asset.of(asset.body + b" ", asset.content_type)}).version)
    assert len(versions) == len(read) + 1
    assert assets.Files(dict(reversed(read.items()))).version in versions


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_names_every_module_that_it_will_import(pages: Client, path: str) -> None:
    """So all of them come in one round trip after the page, instead of one per step of the chain."""
    page, files = await read(pages, path), await address(pages)
    scripts = [attributes["src"].removeprefix(f"{files}/") for tag, attributes in page.elements if tag == "script"]
    preloaded = {
        attributes["href"].removeprefix(f"{files}/")
        for _, attributes in page.elements
        if attributes.get("rel") == "modulepreload"
    }
    needed = {name for script in scripts for name in imported_by(script)}
    assert preloaded | set(scripts) == needed
    texts = [attributes["href"] for _, attributes in page.elements if attributes.get("rel") == "preload"]
    name = {"/c": "patient"}.get(path, path.rpartition("/")[2])
    assert texts == ([f"{files}/locales/{name}-nl.json"] if "pages/language.js" in needed else [])


@pytest.mark.parametrize("path", [*PAGES, "/static/css/base.css"])
@pytest.mark.parametrize(
    ("accept", "packed"),
    [("gzip, br", True), ("br, GZIP;q=0.5", True), ("identity", False), ("gzip;q=0, br", False), ("xgzip", False)],
)
async def test_pages_and_files_are_compressed_when_the_browser_can(
    pages: Client, path: str, accept: str, packed: bool
) -> None:
    response = await pages.get(path, headers={"Accept-Encoding": accept})
    plain = await pages.get(path, headers={"Accept-Encoding": "identity"})
    assert (response.headers.get("Content-Encoding") == "gzip") == packed
    assert "Accept-Encoding" in response.headers["Vary"]
    assert await response.read() == await plain.read()


async def test_what_is_compressed_holds_nothing_of_the_request(pages: Client) -> None:
    """A secret beside something of the asker's would tell itself by its length when compressed (BREACH)."""
    asked = {"Cookie": "__Host-sid=probe-probe; sid=probe-probe", "Accept": "text/html", "User-Agent": "probe-probe"}
    for path in [*PAGES, "/nowhere"]:
        usual = await pages.get(path, headers={"Accept": "text/html"})
        probed = await pages.get(f"{path}?probe-probe=probe-probe&lang=probe-probe", headers=asked)
        assert await probed.read() == await usual.read()


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("let a = 1; // one\nlet b;", "let a = 1;\nlet b;"),
        ("/** What. */\nlet a = /** @type {X} */ (b);", "\nlet a = (b);"),
        ("/*\n * a\n */\nb();", "\n\n\nb();"),
        ("a('// no'); b(\"/* no */\");", "a('// no'); b(\"/* no */\");"),
        ("a(`//${b} /* no */`); // yes", "a(`//${b} /* no */`);"),
        ("a('it\\'s // no'); // yes", "a('it\\'s // no');"),
        ("a.replace(/[/*]\\/\\/'/g, b); // yes", "a.replace(/[/*]\\/\\/'/g, b);"),
        ("const c = a / b / d; // it's", "const c = a / b / d;"),
        ("/*! Licence. */ a();", "/*! Licence. */ a();"),
        ("if (a) {\n  b(`\n  c \n`);   \n}", "if (a) {\nb(`\n  c \n`);\n}"),
    ],
)
def test_comments_stay_at_home_and_lines_where_they_are(source: str, sent: str) -> None:
    assert without_comments(source) == sent


def test_style_sheets_lose_nothing_but_comments() -> None:
    assert without_comments('a::before { content: "/* no */"; } /* yes\n */ b {}', STYLE) == (
        'a::before { content: "/* no */"; }\nb {}'
    )


@pytest.mark.skipif(
    not TYPESCRIPT.exists() or shutil.which("node") is None, reason="node or typescript is not installed"
)
def test_the_compiler_sees_the_same_program_in_what_is_sent(tmp_path: Path) -> None:
    for name, asset in assets.read().items():
        (tmp_path / "sent" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sent" / name).write_bytes(asset.body)
    (tmp_path / "same.cjs").write_text(SAME)
    command = ["node", *map(str, (tmp_path / "same.cjs", TYPESCRIPT, STATIC, tmp_path / "sent"))]
    run = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert run.returncode == 0, run.stderr


def test_what_others_wrote_is_sent_as_it_is() -> None:
    for path in (STATIC / "client" / "vendor").rglob("*.js"):
        assert assets.read()[path.relative_to(STATIC).as_posix()].body == path.read_bytes()

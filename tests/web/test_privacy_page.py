"""What a visitor can read of privacy, and what a browser keeps."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signaling import devices, link_codes, sessions
from tests.web.conftest import LANGUAGES, PAGES, Client, Serve, read, scripts
from vault.inventory import inventory
from web.locale import CATALOGUES
from web.rights import holder
from web.settings import Authority, Officer, Operator, WebSettings
from web.storage import KEPT

CLIENT_SCRIPTS = Path(__file__).parents[2] / "web" / "static" / "client"

FILLED_IN = WebSettings(
    operator=Operator(
        name="Praktijk <b>Zuid</b>",
        address="Dorpsstraat 1, 1234 AB Ons Dorp",
        phone="+31 20 123 4567",
        mail="info@zuid.example",
    ),
    dpo=Officer(name="F. Gerritsen", mail="fg@zuid.example"),
    authority=Authority(name="Toezichthouder", web="https://toezicht.example/"),
)


@pytest.mark.duty("S-01", "S-02")
@pytest.mark.parametrize("language", LANGUAGES)
async def test_contact_data_are_readable_without_script_cookie_or_account(serve: Serve, language: str) -> None:
    client = await serve(FILLED_IN)
    response = await client.get("/privacy", headers={"Accept-Language": language})
    assert "Set-Cookie" not in response.headers
    page = await read(client, "/privacy", language)
    for words in ("Praktijk <b>Zuid</b>", "Dorpsstraat 1", "1234 AB Ons Dorp", "+31 20 123 4567", "info@zuid.example"):
        assert words in page.text
    html = await (await client.get("/privacy", headers={"Accept-Language": language})).text()
    isolated = ("<bdi>Praktijk &lt;b&gt;Zuid&lt;/b&gt;</bdi>", "\u2068Praktijk &lt;b&gt;Zuid&lt;/b&gt;\u2069")
    assert sum(html.count(one) for one in isolated) == 4, "a name of another script turns nothing around it"
    assert "<bdi>F. Gerritsen</bdi>" in html
    assert "F. Gerritsen" in page.text
    assert "fg@zuid.example" in page.text
    assert "Toezichthouder" in page.text
    assert page.text.count("Praktijk <b>Zuid</b>") >= 4, "footer, both roles, address"
    assert {"mailto:info@zuid.example", "tel:+31201234567"} <= set(page.all("href"))


@pytest.mark.duty("S-01")
@pytest.mark.parametrize(
    ("language", "roles"),
    [
        ("nl", ("verwerkingsverantwoordelijke", "verwerker")),
        ("en", ("controller", "processor")),
        ("de", ("Verantwortlicher", "Auftragsverarbeiter")),
        ("fr", ("responsable du traitement", "sous-traitant")),
    ],
)
async def test_both_roles_are_stated(pages: Client, language: str, roles: tuple[str, str]) -> None:
    text = (await read(pages, "/privacy", language)).text
    for role in roles:
        assert role in text


@pytest.mark.duty("S-02")
@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
async def test_every_page_leads_to_privacy_and_contact(pages: Client, path: str) -> None:
    assert {"/privacy", "/privacy#contact"} <= set((await read(pages, path)).all("href"))


@pytest.mark.duty("S-01")
def test_what_is_not_filled_in_is_named() -> None:
    assert WebSettings().placeholders() == [
        "operator.name",
        "operator.address",
        "operator.mail",
        "dpo.name",
        "dpo.mail",
    ]
    assert FILLED_IN.placeholders() == []


@pytest.mark.duty("S-27")
async def test_every_class_of_data_has_its_retention(pages: Client) -> None:
    text = (await read(pages, "/privacy", "nl")).text
    for words in ("Tot het account wordt gesloten", "90 dagen", "24 uur", "Helemaal niet"):
        assert words in text


@pytest.mark.duty("S-04", "S-19", "S-27")
@pytest.mark.parametrize("language", LANGUAGES)
async def test_all_that_is_stored_is_on_the_page_with_purpose_basis_and_retention(pages: Client, language: str) -> None:
    text = "".join((await read(pages, "/privacy", language)).text.split())
    catalogue = CATALOGUES[language]
    for entry in inventory().entry:
        if entry.category == "nobody":
            continue
        parts = {"item": entry.label, "form": entry.form, "purpose": entry.purpose, "basis": entry.basis}
        parts["retention"] = entry.retention
        row = "".join(catalogue.text(f"privacy.data.{part}.{word}") for part, word in parts.items())
        assert "".join(row.split()) in text, entry.label


@pytest.mark.duty("S-37")
async def test_the_page_lists_exactly_what_the_code_keeps(pages: Client) -> None:
    page = await read(pages, "/privacy")
    cookies = {kept.name: kept.plain for kept in KEPT if kept.kind == "cookie"}
    known = {module.SECURE: module.PLAIN for module in (sessions, devices, link_codes, holder)}
    assert cookies == {**known, "lang": None}
    for kept in KEPT:
        assert kept.name in page.text
    sources = {**scripts(), **{path.name: path.read_text() for path in CLIENT_SCRIPTS.glob("*.js")}}
    for name, source in sources.items():
        assert not re.search(r"document\.cookie|cookieStore|indexedDB|storage\.persist", source), name
        assert not re.search(r"\bcaches\.", source) or name == "installed.js", name
        assert "localStorage" not in source or name in ("capture.js", "alerts.js"), name
        assert "sessionStorage" not in source or name in ("resume.js", "tally.js"), name
    assert "const KEPT = 'av';" in sources["capture.js"]
    assert "const KEPT = 'alerts';" in sources["alerts.js"]
    assert "const KEY = 'spreekkamer.resume';" in sources["resume.js"]
    assert "const KEY = 'spreekkamer.keys';" in sources["tally.js"]
    assert "const SCRIPT = '/desk/worker.js';" in sources["installed.js"]
    assert "const CACHE = 'desk-files';" in sources["installed.js"]
    declared = {kept.name for kept in KEPT if kept.kind != "cookie"}
    assert declared == {"av", "alerts", "spreekkamer.resume", "spreekkamer.keys", "/desk/worker.js", "desk-files"}


@pytest.mark.duty("S-39")
async def test_no_page_sets_a_cookie_by_itself(pages: Client) -> None:
    for path in PAGES:
        response = await pages.get(path)
        assert "Set-Cookie" not in response.headers, path


async def test_security_txt_is_as_rfc_9116_wants_it(serve: Serve) -> None:
    client = await serve(FILLED_IN)
    response = await client.get("/.well-known/security.txt")
    assert (response.status, response.content_type, response.charset) == (200, "text/plain", "utf-8")
    lines = [line.split(": ", 1) for line in (await response.text()).splitlines()]
    fields = dict(lines)
    contacts = [value for name, value in lines if name == "Contact"]
    assert contacts == ["mailto:info@zuid.example", "http://localhost:8080/report"], "in the order of preference"
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=90) < expires - datetime.now(UTC) < timedelta(days=365)
    demo = await (await serve()).get("/.well-known/security.txt")
    assert (await demo.text()).startswith("Contact: http://localhost:8080/privacy\n")


@pytest.mark.duty("S-52")
@pytest.mark.parametrize("path", ["/", "/c", "/signin", "/desk", "/privacy"])
async def test_each_page_leads_to_where_something_wrong_is_reported(pages: Client, path: str) -> None:
    assert "/report" in (await read(pages, path)).all("href")


def test_settings_refuse_an_address_that_is_none() -> None:
    for wrong in ("javascript:alert(1)", "http://plain.example", "https://a b"):
        with pytest.raises(ValueError, match="web"):
            Operator(web=wrong)
    with pytest.raises(ValueError, match="security_contact"):
        WebSettings(security_contact="javascript:alert(1)")

"""Pages that are forms, over HTTP: who may send them, what comes back, what is kept."""

from urllib.parse import quote_plus, urlencode

import pytest

from tests.opening import of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser

NAME = {"display_name": "Dr. Alice", "language": "fr", "version": "1"}


def body(token: str, **changes: str) -> str:
    return urlencode({"form_token": token, **NAME, **changes})


async def name_of(server: Server) -> str:
    return (await server.store.practitioners.get(of(server.alice.id))).display_name


async def test_a_form_is_sent_done_entered_and_told(server: Server, alice: Browser) -> None:
    sent = await alice.send("/account/name", body(await alice.token()))
    assert (sent.status, sent.location) == (303, "/account?done=saved")
    person = await server.store.practitioners.get(of(server.alice.id))
    assert (person.display_name, person.language, person.version) == ("Dr. Alice", "fr", 2)
    page = await alice.get(sent.location)
    assert page.field("display_name")["value"] == "Dr. Alice"
    said = next(one for _, one in page.elements.with_attribute("role") if one["role"] == "status")
    assert said["tabindex"] == "-1" and "autofocus" in said
    assert "Bewaard." in page.elements.text
    acts = [(entry.act, entry.actor) async for entry in server.store.audit.entries()]
    assert acts == [("signed-in", "practitioner"), ("account-changed", "practitioner")]


@pytest.mark.parametrize("done", ["", "nonsense", "<script>", "saved.x", "problem"])
async def test_a_notice_is_one_of_ours(alice: Browser, done: str) -> None:
    page = await alice.get(f"/account?done={quote_plus(done)}")
    assert page.status == 200
    assert not [one for _, one in page.elements.with_attribute("role") if one["role"] == "status"]


async def test_what_was_typed_comes_back_with_what_is_wrong(server: Server, alice: Browser) -> None:
    token = await alice.token()
    page = await alice.send("/account/name", body(token, display_name="", language="<b>"))
    assert page.status == 422
    assert page.field("display_name")["aria-invalid"] == "true"
    assert "Vul dit in." in page.described("display_name")
    assert "Kies wat er in de lijst staat." in page.described("language")
    summary = next(one for _, one in page.elements.with_attribute("role") if one["role"] == "alert")
    assert summary["tabindex"] == "-1" and "autofocus" in summary
    links = [one["href"] for tag, one in page.elements.elements if tag == "a" and one.get("href", "").startswith("#n")]
    assert links == ["#name-display_name", "#name-language"]
    assert {link[1:] for link in links} <= set(page.elements.all("id"))
    assert page.elements.text.lstrip().startswith("Er klopt iets niet: ")
    assert await name_of(server) == "Alice"
    kept = await alice.send("/account/name", body(token, display_name='Dr. "A" <b>', language="xx"))
    assert kept.field("display_name")["value"] == 'Dr. "A" <b>'
    assert "<b>" not in kept.html


async def test_a_name_that_shows_nothing_is_refused_beside_its_field(server: Server, alice: Browser) -> None:
    page = await alice.send("/account/name", body(await alice.token(), display_name="\u200b"))
    assert (page.status, page.described("display_name").endswith("Dit klopt niet. Kijk het na.")) == (422, True)
    assert await name_of(server) == "Alice"


@pytest.mark.duty("S-42")
async def test_who_comes_second_sees_both_and_decides(server: Server, alice: Browser) -> None:
    token = await alice.token()
    await alice.send("/account/name", body(token, display_name="First"))
    page = await alice.send("/account/name", body(token, display_name="Second"))
    assert (page.status, page.field("display_name")["value"]) == (409, "Second")
    assert "Nu opgeslagen: First" in page.described("display_name")
    assert await name_of(server) == "First"
    again = body(token, display_name="Second", version=page.hidden("version"))
    assert (await alice.send("/account/name", again)).status == 303
    assert await name_of(server) == "Second"


@pytest.mark.parametrize("path", ["/account"])
async def test_whoever_is_not_signed_in_signs_in_and_comes_back(server: Server, path: str) -> None:
    nobody = Browser(server, "nobody")
    page = await nobody.get(path)
    assert (page.status, page.location) == (303, f"/signin?next={path}")
    sent = await nobody.send("/account/name", body("x"))
    assert (sent.status, sent.location) == (303, "/signin?next=/account")
    app = await server.call(
        "POST", "/api/v1/tokens", {"mail": "bob@example.org", "password": "correct horse battery staple"}
    )
    bearer = {"Authorization": f"Bearer {app.body['access_token']}"}
    assert (await nobody.send("/account/name", body("x"), **bearer)).status == 303
    assert (await server.store.practitioners.get(of(server.bob.id))).display_name == "Bob"


async def test_a_form_of_another_session_changes_nothing(server: Server, alice: Browser) -> None:
    old = await alice.token()
    await server.sign_in("bob")
    bobs = await Browser(server, "bob").token()
    await server.sign_in("alice")
    for token in (old, bobs, "", "x" * 5000, "é"):
        page = await alice.send("/account/name", body(token, display_name="Eve"))
        assert page.status == 403
        assert page.field("display_name")["value"] == "Alice", "what came from nobody knows where is not repeated"
        assert "U bent opnieuw ingelogd" in page.elements.text
    assert await name_of(server) == "Alice"
    assert len({old, bobs, await alice.token()}) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "", "Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_of_another_site_changes_nothing(server: Server, alice: Browser, headers: dict[str, str]) -> None:
    page = await alice.send("/account/name", body(await alice.token()), **headers)
    assert page.status == 403
    assert await name_of(server) == "Alice"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("{token}&display_name=A&language=nl&version=1&display_name=B", 422),
        ("{token}&{token}&display_name=A&language=nl&version=1", 422),
        ("{token}&display_name=A&language=nl&version=1&role=owner", 422),
        ("{token}&display_name=A&language=nl&version=1&x", 422),
        ("{token}&display_name=A&language=nl&version=1x", 422),
        ("{token}&display_name=%ff&language=nl&version=1", 422),
        ("{token}&display_name=\u00e9&language=nl&version=1", 422),
        ("{token}&" + "&" * 300 + "display_name=A", 422),
        ("{token}&display_name=" + "A" * 201 + "&language=nl&version=1", 422),
        ("{token}&display_name=" + "A" * 20_000 + "&language=nl&version=1", 413),
        ("", 403),
    ],
)
async def test_a_body_that_no_form_of_ours_sends_changes_nothing(
    server: Server, alice: Browser, sent: str, status: int
) -> None:
    token = f"form_token={await alice.token()}"
    page = await alice.send("/account/name", sent.replace("{token}", token))
    assert page.status == status
    assert 'role="alert"' in page.html
    assert await name_of(server) == "Alice"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
async def test_another_kind_of_body_is_refused(server: Server, alice: Browser, kind: str) -> None:
    page = await alice.send("/account/name", body(await alice.token()), **{"Content-Type": kind})
    assert page.status == 422
    assert await name_of(server) == "Alice"


async def test_a_page_for_one_reader_is_kept_nowhere_and_tells_no_address(server: Server, alice: Browser) -> None:
    await server.sign_in("bob")
    for who, name in (("alice", "Alice"), ("bob", "Bob")):
        page = await Browser(server, who).get("/account")
        assert page.headers["Cache-Control"] == "no-store"
        assert "Content-Encoding" not in page.headers
        assert page.headers["Referrer-Policy"] == "strict-origin"
        assert page.field("display_name")["value"] == name
    assert (await alice.get("/privacy")).headers["Referrer-Policy"] == "no-referrer"


async def test_the_address_of_a_form_leads_back_to_its_page(alice: Browser) -> None:
    """Whoever chooses a language above what came back, or opens the address again."""
    page = await alice.get("/account/name?lang=en")
    assert (page.status, page.location) == (303, "/account?lang=en")


async def test_a_page_whose_store_does_not_answer_says_so(server: Server, alice: Browser) -> None:
    token = await alice.token()
    async with server.store.database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE audit RENAME TO away")
    page = await alice.send("/account/name", body(token))
    assert (page.status, page.headers["Retry-After"]) == (503, "2")
    assert page.field("display_name")["value"] == "Dr. Alice"
    async with server.store.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM practitioners")
    assert (await alice.get("/account")).status in (303, 404)


async def test_signing_out_needs_no_scripts(server: Server, alice: Browser) -> None:
    sent = await alice.send("/account/sign-out", f"form_token={await alice.token()}")
    assert (sent.status, sent.location) == (303, "/signin?done=signed-out")
    assert "Max-Age=0" in sent.headers["Set-Cookie"]
    assert (await alice.get("/account")).status == 303
    assert (await server.call("GET", "/api/v1/me", who="alice")).code == "unauthenticated"

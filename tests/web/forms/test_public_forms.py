"""Forms for whoever has a link, and fields of every kind: on an application of their own."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import Field

from signaling import middlewares, typedefs
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.settings import SignalingSettings
from tests.web.conftest import Client, Elements
from web import routes
from web.forms import Fields, Form, Page, Secret, Shown, attach
from web.forms.fields import parse
from web.render import ENVIRONMENT

ORIGIN = "https://consult.example"
TEMPLATE = """
{% extends "form_page.html" %}
{% import "forms.html" as forms with context %}
{% block name %}Welcome{% endblock %}
{% block content %}
{% if code is defined %}<p>{{ code }}</p>{% else %}
{% call forms.form(form('accept')) %}
{{ forms.field(form('accept'), 'password', 'Password', type='password') }}
{{ forms.choices(form('accept'), 'roles', 'Roles', [('a', 'First'), ('b', 'Second')], stored=['a']) }}
{{ forms.checkbox(form('accept'), 'agreed', 'Agreed') }}
{{ forms.textarea(form('accept'), 'note', 'Note') }}
{{ forms.submit('Send') }}
{% endcall %}
{% endif %}
{% endblock %}
"""


class Accepting(Fields):
    password: Annotated[Secret, Field(min_length=8, max_length=20)]
    roles: Annotated[tuple[Literal["a", "b"], ...], Field(min_length=1)] = ()
    agreed: bool = False
    note: Annotated[str, Field(max_length=20)] = ""


done: list[tuple[dict[str, str], Accepting]] = []


async def show(call: Call) -> dict[str, object]:
    if call.path["token"] == "unknown":
        raise UserError("not_found")
    return {}


async def accept(call: Call) -> object:
    done.append((call.path, call.body))
    match call.body.note:
        case "code":
            return Shown("test.html", {"code": "only once"})
        case "refused":
            raise UserError("sign_in_refused")
        case "broken":
            raise ZeroDivisionError
    return None


INVITATION = Page("/invitation/{token}", "test.html", show, public=True)
ACCEPT = Form(
    "/invitation/{token}/accept", INVITATION, Accepting, accept,
    done="saved", says={"sign_in_refused": ("password", "form.problem.wrong")},
)  # fmt: skip


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    done.clear()
    loader: Any = ENVIRONMENT.loader
    monkeypatch.setitem(loader.mapping, "test.html", TEMPLATE)
    app = web.Application(middlewares=[middlewares.errors_to_wire, middlewares.same_site])
    app[typedefs.SETTINGS] = SignalingSettings(origin=ORIGIN)
    routes.attach(app)
    attach(app, [INVITATION], [ACCEPT])
    async with TestClient(TestServer(app)) as found:
        yield found


async def send(client: Client, body: str, token: str = "good", **headers: str) -> tuple[int, str, Any]:
    sent = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN, "Accept-Language": "nl"} | headers
    sent = {name: value for name, value in sent.items() if value}
    path = f"/invitation/{quote(token)}/accept"
    response = await client.post(path, data=body.encode(), headers=sent, allow_redirects=False)
    return response.status, await response.text(), response.headers


async def test_whoever_has_the_link_sends_the_form(client: Client) -> None:
    page = await client.get("/invitation/good", headers={"Accept-Language": "nl"})
    html = await page.text()
    assert 'action="/invitation/good/accept"' in html
    assert "form_token" not in html
    assert page.headers["Referrer-Policy"] == "strict-origin"
    status, _, headers = await send(client, "password=eight+or+more&roles=a&roles=b&agreed=on&note=%C3%A9")
    assert (status, headers["Location"]) == (303, "/invitation/good?done=saved")
    path, fields = done.pop()
    assert path == {"token": "good"}
    assert fields.password.get_secret_value() == "eight or more"
    assert (fields.roles, fields.agreed, fields.note) == (("a", "b"), True, "é")
    assert "eight" not in repr(fields)


async def test_what_was_typed_comes_back_but_for_secrets(client: Client) -> None:
    status, html, _ = await send(client, "password=secret7&roles=b&agreed=on&note=" + "n" * 21)
    assert (status, done) == (422, [])
    assert "secret7" not in html
    elements = Elements(html).elements
    fields = {(one.get("name"), one.get("value")): one for tag, one in elements if tag == "input"}
    assert "checked" in fields["roles", "b"] and "checked" not in fields["roles", "a"]
    assert "checked" in fields["agreed", "on"]
    assert ">" + "n" * 21 + "</textarea>" in html
    assert 'href="#accept-note"' in html and 'href="#accept-password"' in html


def test_a_secret_is_not_among_what_may_be_shown_again() -> None:
    sent = parse(b"password=secret7&roles=b&note=n", Accepting)
    assert sent.typed(Accepting) == {"roles": ["b"], "note": "n"}


async def test_nothing_of_several_is_said_beside_all_of_them(client: Client) -> None:
    status, html, _ = await send(client, "password=eight+or+more&note=x")
    assert (status, done) == (422, [])
    group = next(one for tag, one in Elements(html).elements if tag == "fieldset")
    assert (group["id"], group["aria-describedby"]) == ("accept-roles", "accept-roles-problem")
    assert "checked" not in html


async def test_an_error_stands_beside_the_field_that_the_form_names(client: Client) -> None:
    status, html, _ = await send(client, "password=eight+or+more&roles=a&note=refused")
    assert status == 403
    assert 'id="accept-password-problem"' in html


async def test_what_is_shown_once_has_no_address(client: Client) -> None:
    status, html, headers = await send(client, "password=eight+or+more&roles=a&note=code")
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert "only once" in html
    assert "only once" not in await (await client.get("/invitation/good")).text()


async def test_a_fault_of_ours_is_a_page_that_says_nothing_of_it(client: Client) -> None:
    status, html, headers = await send(client, "password=eight+or+more&roles=a&note=broken")
    assert (status, headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "Dit lukt nu niet" in html and "Zero" not in html


async def test_a_link_that_opens_nothing_is_a_page_that_does_not_exist(client: Client) -> None:
    assert (await client.get("/invitation/unknown")).status == 404
    status, _, _ = await send(client, "password=short", token="unknown")
    assert (status, done) == (404, [])


@pytest.mark.parametrize("token", ["a/b", "//evil.example", "{x}", "%2e%2e", "é", "a?b#c"])
async def test_what_stands_in_the_address_stays_one_part_of_it(client: Client, token: str) -> None:
    status, _, headers = await send(client, "password=eight+or+more&roles=a", token=quote(token, safe=""))
    assert status in (303, 404)
    if status == 303:
        assert headers["Location"].startswith("/invitation/")
        assert (await client.get(headers["Location"])).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "", "Sec-Fetch-Site": "none"},
        {"Origin": "", "Cookie": "lang=nl"},
    ],
)
async def test_another_sites_page_sends_none(client: Client, headers: dict[str, str]) -> None:
    status, _, _ = await send(client, "password=eight+or+more&roles=a", **headers)
    assert (status, done) == (403, [])

"""What a practitioner plans often, on a page without scripts; apps and the desk read it."""

from urllib.parse import urlencode

from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen

WHERE = "/account/presets"
INTAKE = {"name": "Intake", "minutes": "45", "language": "fr"}


async def send(browser: Browser, form: str, version: int, **fields: str) -> Seen:
    token = (await browser.get(WHERE)).hidden("form_token")
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": token, "version": version, **fields}))


async def test_one_is_made_read_by_the_desk_and_taken_back(server: Server, alice: Browser) -> None:
    assert f'href="{WHERE}"' in (await alice.get("/account")).html
    sent = await send(alice, "add", 0, **INTAKE)
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    assert "Intake45 minuten · Français" in " ".join((await alice.get(WHERE)).elements.text.split())
    read = await server.call("GET", "/api/v1/presets", who="alice")
    assert read.body == {"presets": [{"name": "Intake", "minutes": 45, "language": "fr"}]}
    wrong = await send(alice, "add", 1, **INTAKE | {"minutes": "4"})
    assert wrong.status == 422
    assert (await send(alice, "add", 0, **INTAKE)).status == 409
    assert (await send(alice, "remove", 1, name="Intake")).status == 303
    assert (await server.call("GET", "/api/v1/presets", who="alice")).body == {"presets": []}
    assert [entry.act async for entry in server.store.audit.entries()].count("presets-changed") == 2

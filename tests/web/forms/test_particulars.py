"""What somebody tells of themselves: each with why and how long, corrected in place, warned about, taken back."""

import html
import re
from urllib.parse import urlencode

import pytest

from practice.particulars.model import Told
from practice.particulars.records import PARTICULARS
from tests.opening import of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen

WHERE = "/account/particulars"
TYPED = {
    "gender": "vrouw",
    "born": "1980-02-29",
    "phone": "+31 6 12345678",
    "street": "Maanweg 2",
    "postal_code": "3511ab",
    "city": "Utrecht",
    "country": "NL",
    "note": "Dinsdag niet.\r\nAnders na tienen.",
    "version": "0",
}
EMPTY = dict.fromkeys(TYPED, "")


async def send(browser: Browser, **changes: str) -> Seen:
    token = (await browser.get(WHERE)).hidden("form_token")
    return await browser.send(f"{WHERE}/tell", urlencode({"form_token": token, **TYPED, **changes}))


async def told(server: Server) -> Told:
    return (await server.store.particulars.of(of(server.alice.id))).told


@pytest.mark.duty("S-06")
@pytest.mark.duty("S-08")
async def test_none_of_it_is_needed_and_each_has_its_why_and_how_long(server: Server, alice: Browser) -> None:
    page = await alice.get(WHERE)
    for name in ("gender", "born", "phone", "street", "note"):
        said = page.described(name)
        assert "Niet nodig. Bewaard tot" in said and len(said) > len("Niet nodig. Bewaard tot u het weghaalt."), name
        assert "required" not in page.field(name)
    for elsewhere in ("alice@example.org", "IP-adres", "Browser en soort apparaat", 'href="/account/mail"'):
        assert elsewhere in page.html
    assert (await send(alice, **EMPTY | {"version": "0"})).status == 303
    assert await told(server) == Told()
    held = {one.kind.name: one.records for one in await server.store.exports.all_of(of(server.alice.id))}
    assert held[PARTICULARS.name] == [], "who tells nothing has no record"


@pytest.mark.duty("S-42")
async def test_it_is_told_shown_and_corrected(server: Server, alice: Browser) -> None:
    sent = await send(alice)
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    kept = await told(server)
    assert (kept.phone, kept.postal_code, kept.note) == ("+31612345678", "3511 AB", "Dinsdag niet.\nAnders na tienen.")
    page = await alice.get(WHERE)
    assert (page.field("city")["value"], page.field("born")["value"]) == ("Utrecht", "1980-02-29")
    assert (await send(alice, version="1", city="Gent", country="BE", postal_code="9000")).status == 303
    assert (await told(server)).city == "Gent"
    entries = [entry async for entry in server.store.audit.entries()][-2:]
    assert {(one.act, one.actor, one.subject, one.detail) for one in entries} == {
        ("particulars-changed", "practitioner", None, None)
    }
    await server.sign_in("bob")
    assert "Gent" not in (await Browser(server, "bob").get(WHERE)).html


@pytest.mark.duty("S-42")
async def test_who_comes_second_sees_both_and_decides(server: Server, alice: Browser) -> None:
    assert (await send(alice, city="Eerst")).status == 303
    page = await send(alice, city="Tweede", note="")
    assert (page.status, page.field("city")["value"]) == (409, "Tweede")
    assert "Nu opgeslagen: Eerst" in page.described("city")
    assert "Nu opgeslagen: Nederland" in page.described("country")
    assert "Nu opgeslagen: Dinsdag niet." in page.described("note")
    assert (await told(server)).city == "Eerst"
    assert (await send(alice, city="Tweede", version=page.hidden("version"))).status == 303
    assert (await told(server)).city == "Tweede"


@pytest.mark.duty("S-13")
async def test_a_number_or_an_illness_is_warned_of_and_kept_by_a_second_press(server: Server, alice: Browser) -> None:
    note = "Mijn BSN is 111222333."
    page = await send(alice, note=note)
    assert (page.status, "burgerservicenummer" in page.described("note")) == (422, True)
    assert note in html.unescape(page.html) and await told(server) == Told()
    (keep,) = [one for tag, one in page.elements.elements if tag == "button" and one.get("name") == "keep"]
    more = await send(alice, note="111222333 is zwanger", keep=keep["value"])
    assert "gezondheid" in more.described("note") and "BSN" not in more.described("note")
    both = await send(alice, note="111222333 is zwanger")
    (keep_both,) = [one for tag, one in both.elements.elements if tag == "button" and one.get("name") == "keep"]
    assert keep_both["value"] == "citizen-nl medical"
    assert (await send(alice, note=note, keep=keep["value"])).status == 303
    assert (await told(server)).note == note
    assert "111222333" not in str([entry async for entry in server.store.audit.entries()])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"born": "2999-01-01"}, "born"), ({"born": "2023-02-29"}, "born"), ({"born": "1583020800"}, "born"),
        ({"phone": "06 12345678"}, "phone"), ({"postal_code": "1"}, "postal_code"), ({"country": "XX"}, "country"),
        ({"gender": "a\x00b"}, "gender"), ({"note": "x" * 1001}, "note"), ({"street": "x" * 201}, "street"),
    ],
)  # fmt: skip
async def test_bad_input_changes_nothing_and_is_said_beside_its_field(
    server: Server, alice: Browser, changes: dict[str, str], field: str
) -> None:
    page = await send(alice, **changes)
    assert (page.status, page.field(field)["aria-invalid"]) == (422, "true")
    assert re.search(r"Dit", page.described(field))
    assert await told(server) == Told()


@pytest.mark.duty("S-43")
async def test_all_of_it_is_taken_back_at_once(server: Server, alice: Browser) -> None:
    for body, changes in ((f"{WHERE}/remove", {}), (f"{WHERE}/tell", EMPTY | {"version": "1"})):
        await send(alice)
        kept = await server.store.particulars.of(of(server.alice.id))
        token = (await alice.get(WHERE)).hidden("form_token")
        sent = await alice.send(body, urlencode({"form_token": token, **changes}))
        assert sent.status == 303
        assert await server.store.keys.receipt(server.alice.id, kept.id) is not None
        assert await told(server) == Told()
    token = (await alice.get(WHERE)).hidden("form_token")
    assert (await alice.send(f"{WHERE}/remove", urlencode({"form_token": token}))).status == 404


@pytest.mark.duty("S-06", "S-42")
async def test_one_of_them_is_erased_and_the_rest_stays_and_no_log_has_it(
    server: Server, alice: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await send(alice, gender="Genderwoord")
    assert (await told(server)).gender == "Genderwoord"
    assert (await send(alice, gender="", version="1")).status == 303
    after = await told(server)
    assert (after.gender, after.city) == ("", "Utrecht")
    row = await server.store.particulars.of(of(server.alice.id))
    assert "Genderwoord" not in repr(row) and row.unknown == {}, "what it was before is kept nowhere"
    assert "Genderwoord" not in caplog.text
    assert "Genderwoord" not in str([entry async for entry in server.store.audit.entries()])

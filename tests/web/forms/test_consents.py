"""Consent by a link without a script: read, agreed to, taken back; and the pages where it is decided what is asked."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from practice.agenda.ages import Age
from practice.agenda.guests import Invitee
from practice.agenda.model import Appointment
from practice.legal.model import Demand, Operator
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE
from tests.people import START
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.conftest import owner
from vault.records.scope import Scope
from web.locale import CATALOGUES

__all__ = ["owner"]

t = CATALOGUES["nl"].text
CHILD, TEEN = Age("under-12"), Age("12-15")


async def planned(server: Server, **more: Any) -> Appointment:
    at = server.time.now() + timedelta(minutes=5)
    return await server.store.appointments.create(of(server.alice.id), "Jan Jansen", at, 30, "nl", **more)


async def read(browser: Browser, link: str) -> Seen:
    return await browser.send("/c/consent/read", urlencode({"link": link}))


async def press(browser: Browser, seen: Seen, what: str) -> Seen:
    fields: Sequence[tuple[str, str]] = re.findall(r'type="hidden" name="(link|version)" value="([^"]+)"', seen.html)
    pairs = [fields[0], *((name, value) for name, value in fields if name == "version")]
    return await browser.send(f"/c/consent/{what}", urlencode(pairs if what == "give" else pairs[:1]))


async def test_only_the_patient_and_a_guardian_read_that_the_patient_is_a_child(server: Server) -> None:
    one, scope = await planned(server, age=CHILD), of(server.alice.id)
    for role, told in (("guardian", True), ("interpreter", False), ("guest", False), ("colleague", False)):
        guest = (await server.store.guests.add(scope, one.id, Invitee("Maria", role, "nl"))).guests[-1]  # type: ignore[arg-type]
        seen = await read(Browser(server, role), one.id + guest.secret)
        assert seen.status == 200 and (t("consent.parents") in seen.html) == told, role
    assert t("consent.parents") in (await read(Browser(server, "jan"), one.id + one.secret)).html


@pytest.mark.duty("S-16", "S-17", "S-44")
async def test_a_child_and_a_guardian_agree_by_links_of_their_own_and_either_takes_it_back(server: Server) -> None:
    one = await planned(server, age=TEEN)
    after = await server.store.guests.add(of(server.alice.id), one.id, Invitee("Moeder", "guardian", "nl"))
    child, mother = Browser(server, "jan"), Browser(server, "moeder")
    links = one.id + one.secret, one.id + after.guests[0].secret
    entrance = await child.get("/c/consent")
    assert entrance.status == 200 and entrance.field("link")
    seen = await read(child, links[0])
    assert seen.status == 200 and t("consent.agree") in seen.html and t("consent.parents") in seen.html
    assert "Ik ga ermee akkoord dat deze afspraak via beeldbellen plaatsvindt." in seen.html
    agreed = await press(child, seen, "give")
    assert t("consent.guardian") in agreed.html and t("consent.withdraw") in agreed.html
    theirs = await read(mother, links[1])
    assert "ouder met gezag of voogd" in theirs.html
    done = await press(mother, theirs, "give")
    assert t("consent.done") in done.html
    assert t("consent.done") in (await read(child, links[0])).html
    assert f'href="/c#{links[0]}"' in (await read(child, links[0])).html
    for page in (seen, agreed, theirs, done):
        assert page.headers["Cache-Control"] == "no-store"
    withdrawn = await press(mother, done, "withdraw")
    assert t("consent.withdrawn.text") in withdrawn.html
    assert t("error.link_invalid") in (await read(child, links[0])).html


@pytest.mark.duty("S-36", "S-44")
@pytest.mark.parametrize("known", [True, False])
async def test_what_a_law_demands_stays_when_consent_is_taken_back_and_that_is_said_once_it_may_be(
    server: Server, known: bool
) -> None:
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    one, jan = await planned(server, age=TEEN), Browser(server, "jan")
    until = server.time.now() + timedelta(days=30)
    demand = Demand("an authority", "a law", *(() if known else (until, "secret")))
    two = [Operator(name, "", name, "", 0, START) for name in ("Anna", "Ben")]
    await server.store.disclosures.preserve(Scope.operator(server.alice.id), [one.id], until, demand, two)
    agreed = await press(jan, await read(jan, one.id + one.secret), "give")
    assert t("consent.withdraw.text") in agreed.html
    taken = await press(jan, agreed, "withdraw")
    assert (t("own.preserved") in taken.html) == known
    await server.store.retention.sweep()
    assert await server.store.keys.missing([one.id]) == []
    assert t("error.link_invalid") in (await read(jan, one.id + one.secret)).html


async def test_what_is_no_link_or_no_longer_asked_comes_back_with_words(server: Server) -> None:
    jan, one = Browser(server, "jan"), await planned(server, age=TEEN)
    link = one.id + one.secret
    wrong = await read(jan, one.id + "A" * 22)
    assert wrong.status == 404 and t("error.link_invalid") in wrong.described("link")
    stale = await jan.send("/c/consent/give", urlencode({"link": link, "version": "A" * 22}))
    assert stale.status == 409 and t("consent.newer") in stale.html and link not in stale.html
    nothing = await jan.send("/c/consent/withdraw", urlencode({"link": link}))
    assert nothing.status == 409 and t("consent.nothing") in nothing.html
    without = await jan.send("/c/consent/give", urlencode({"link": link}))
    assert without.status == 422


@pytest.mark.duty("S-16")
async def test_a_practitioner_says_the_age_and_receives_a_child_in_an_emergency(server: Server, alice: Browser) -> None:
    one = await planned(server)
    where = f"/account/before/{one.id}"
    seen = await alice.get(where)
    token = seen.hidden("form_token")
    assert seen.status == 200 and t("before.lift") not in seen.html
    far = await alice.send(f"{where}/age", urlencode({"form_token": token, "band": "12-15", "sixteen": "2031-01-01"}))
    assert far.status == 422 and far.field("sixteen")["aria-invalid"] == "true"
    said = await alice.send(f"{where}/age", urlencode({"form_token": token, "band": "under-12", "sixteen": ""}))
    assert (said.status, said.location) == (303, f"{where}?done=saved")
    seen = await alice.get(where)
    assert t("before.guardian_needed") in seen.html and t("before.guardians.none") in seen.html
    bare = await alice.send(f"{where}/lift", urlencode({"form_token": token, "reason": "otherwise", "note": ""}))
    assert bare.status == 422 and bare.field("note")["aria-invalid"] == "true"
    lifted = await alice.send(f"{where}/lift", urlencode({"form_token": token, "reason": "emergency", "note": ""}))
    assert lifted.status == 303
    assert t("lift.emergency") in (await alice.get(where)).html
    await server.sign_in("bob")
    assert (await Browser(server, "bob").get(where)).status == 404
    acts = [(entry.act, entry.detail) async for entry in server.store.audit.entries()]
    assert ("guardian-lifted", "emergency") in acts and ("appointment-read", None) in acts


@pytest.mark.duty("S-44")
async def test_what_is_asked_is_decided_by_practitioner_and_organisation(server: Server, owner: Browser) -> None:
    token = (await owner.get("/account/consents")).hidden("form_token")
    body = {"form_token": token, "version": "0", "asks": "video"}
    assert (await owner.send("/account/consents/ask", urlencode(body))).status == 303
    assert (await owner.send("/account/consents/ask", urlencode(body))).status == 409
    texts = {"nl": "", "en": "", "de": "", "fr": ""}
    house = body | texts | {"asks": "house"}
    empty = await owner.send("/practice/consents/ask", urlencode(house))
    assert empty.status == 422 or t("asking.house.missing") in empty.html
    for version, text in enumerate(("De huisregels.", "De nieuwe huisregels.")):
        saved = await owner.send("/practice/consents/ask", urlencode(house | {"nl": text, "version": str(version)}))
        assert saved.status == 303, saved.html
    page = await owner.get("/practice/consents")
    assert "De nieuwe huisregels.</textarea>" in page.html and "<p>De huisregels.</p>" in page.html
    one = await planned(server)
    seen = await read(Browser(server, "jan"), one.id + one.secret)
    assert "De nieuwe huisregels." in seen.html and "via beeldbellen" in seen.html

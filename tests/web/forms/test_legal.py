"""What a practitioner reads of what a law demanded, and what destroying says of what is kept."""

from datetime import timedelta

import pytest

from practice.legal.model import Demand, Operator
from practice.legal.store import Demanded
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE
from tests.people import START
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser
from vault.records.scope import Scope
from web.locale import CATALOGUES

WHERE = "/account/legal"
TWO = [Operator(name, "", name, "", 0, START) for name in ("<b>Anna</b>", "Ben")]


async def planned(server: Server) -> str:
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    start = server.time.now().replace(microsecond=0) + timedelta(days=1)
    return (await server.store.appointments.create(of(server.alice.id), "Jan", start, 30, "nl")).id


@pytest.mark.duty("S-36")
@pytest.mark.parametrize("language", CATALOGUES)
async def test_it_says_who_demanded_what_and_until_when(server: Server, alice: Browser, language: str) -> None:
    one, about, t = await planned(server), Scope.operator(server.alice.id), CATALOGUES[language].text
    assert t("legal.none") in (await alice.get(f"{WHERE}?lang={language}")).html.replace("&#39;", "'")
    demand, until = Demand("Rechter-<i>commissaris</i>", "artikel 126nd"), server.time.now() + timedelta(days=30)
    await server.store.disclosures.export(about, Demanded((one,)), demand, TWO)
    await server.store.disclosures.preserve(about, [one], until, demand, TWO)
    html = (await alice.get(f"{WHERE}?lang={language}")).html
    assert "Rechter-&lt;i&gt;commissaris&lt;/i&gt;" in html and "&lt;b&gt;Anna&lt;/b&gt;, Ben" in html
    for key in ("legal.export", "legal.preservation"):
        assert t(key, n=1) in html
    assert t("legal.until").replace("'", "&#39;") in html


async def test_what_may_not_be_known_yet_is_not_there(server: Server, alice: Browser) -> None:
    one, about = await planned(server), Scope.operator(server.alice.id)
    later = server.time.now() + timedelta(days=1)
    await server.store.disclosures.preserve(about, [one], later, Demand("Geheim", "wet", later, "art. 126bb"), TWO)
    for page in (WHERE, "/account/data"):
        assert "Geheim" not in (await alice.get(page)).html
    server.time.ahead += timedelta(days=1)
    await server.sign_in("alice")
    html = (await alice.get(WHERE)).html
    assert "Geheim" in html and "art. 126bb" in html


@pytest.mark.duty("S-36")
async def test_destroying_what_is_kept_is_answered_once_and_clearly(server: Server, alice: Browser) -> None:
    one, about = await planned(server), Scope.operator(server.alice.id)
    until = server.time.now() + timedelta(days=30)
    await server.store.disclosures.preserve(about, [one], until, Demand("A", "B"), TWO)
    token = await alice.token()
    body = f"form_token={token}&kind=appointments&record={one}"
    answer = await alice.send("/account/data/destroy", body)
    assert answer.status >= 400 and CATALOGUES["nl"].text("legal.kept") in answer.html
    assert await server.store.keys.missing([one]) == []

"""Who looked: in plain words while the appointment lives, and of nobody afterwards."""

import re
from datetime import timedelta

import pytest

from practice.agenda.changes import Correction
from practice.sights import looks
from practice.sights.looks import Glanced
from tests.opening import of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Seen
from tests.web.rights.conftest import Planned
from vault.audit import Act, appointment, operator, practitioner, support
from vault.audit.search import Search
from vault.records.scope import Scope
from web.locale import CATALOGUES

WHERE = "/c/rights/mine/looked"
t = CATALOGUES["nl"].text


def lines(page: Seen) -> list[tuple[str, str]]:
    """Who and what, newest first."""
    items = re.findall(r"<strong>(.*?)</strong><br>\s*(.*?)<br>", page.html, re.DOTALL)
    return [(re.sub("<[^>]+>", "", who).strip(), what.strip()) for who, what in items]


@pytest.mark.duty("S-51")
async def test_a_patient_reads_who_looked_and_what_they_did(planned: Planned, sending: Server) -> None:
    one, jan = await planned()
    me, whole = practitioner(sending.alice.id), appointment(sending.alice.id, one.id)
    record = sending.store.audit.record
    await record(Act.APPOINTMENT_CREATED, me, whole)
    await record(Act.APPOINTMENT_READ, practitioner(sending.bob.id), whole)
    await record(Act.SUPPORT_LOOKED, support(), whole, "3")
    await record(Act.LEGAL_EXPORTED, operator(), whole)
    await record(Act.APPOINTMENT_READ, me, appointment(sending.alice.id, "A" * 22))
    await jan.come_in()
    page = await jan.browser.get(WHERE)
    assert page.status == 200
    found = lines(page)
    name = (await sending.store.practitioners.get(of(sending.alice.id))).display_name
    assert found[-4:] == [
        (t("looked.who.operators"), t("act.legal-exported")),
        (t("looked.who.support"), t("act.support-looked")),
        (t("looked.who.member"), t("act.appointment-read")),
        (f"{t('looked.who.practitioner')}: {name}", t("act.appointment-created")),
    ]
    assert {who for who, _ in found[:-4]} == {t("looked.who.link")}, "what the patient did to get here"
    bob = (await sending.store.practitioners.get(of(sending.bob.id))).display_name
    assert bob not in page.html, "by what they are to the patient, and no name"
    again = lines(await jan.browser.get(WHERE))
    assert again[0] == (t("looked.who.link"), t("act.data-read")), "that it was read is entered"


@pytest.mark.duty("S-51")
async def test_no_look_is_pushed_out_of_sight_by_whoever_has_the_link_and_a_cut_is_said(
    planned: Planned, sending: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "MOST", 3)
    one, jan = await planned()
    whole, record = appointment(sending.alice.id, one.id), sending.store.audit.record
    await record(Act.SUPPORT_LOOKED, support(), whole, "3")
    await jan.come_in()
    assert t("looked.more") not in (await jan.browser.get(WHERE)).html
    for _ in range(5):
        page = await jan.browser.get(WHERE)
    found = lines(page)
    assert found[-1] == (t("looked.who.support"), t("act.support-looked")) and len(found) == 4
    assert t("looked.more") in page.html
    for _ in range(3):
        await record(Act.APPOINTMENT_READ, practitioner(sending.bob.id), whole)
    page = await jan.browser.get(WHERE)
    assert (t("looked.who.support"), t("act.support-looked")) not in lines(page) and t("looked.more") in page.html


@pytest.mark.duty("S-51")
async def test_what_is_done_at_the_desk_is_a_line(planned: Planned, sending: Server) -> None:
    one, jan = await planned()
    await sending.sign_in("alice")
    answer = await sending.call("GET", f"/api/v1/appointments/{one.id}", who="alice")
    assert answer.status == 200
    await jan.come_in()
    assert t("act.appointment-read") in [what for _, what in lines(await jan.browser.get(WHERE))]


@pytest.mark.duty("S-51")
async def test_sight_of_the_agenda_is_a_line_where_the_appointment_was_among_it(
    planned: Planned, sending: Server
) -> None:
    one, jan = await planned()
    me, bob = practitioner(sending.alice.id), practitioner(sending.bob.id)
    await sending.store.audit.record(Act.APPOINTMENT_CREATED, me, appointment(sending.alice.id, one.id))
    later = Correction(1, starts_at=one.starts_at + timedelta(days=3))
    await sending.store.appointments.change(of(sending.alice.id), one.id, later)
    await sending.store.audit.record(Act.SIGHT_USED, bob, me)
    await sending.store.audit.record(Act.SIGHT_USED, me, bob)
    await jan.come_in()
    found = lines(await jan.browser.get(WHERE))
    assert [what for who, what in found if who == t("looked.who.two")] == [t("act.sight-used")]
    far = Correction(2, starts_at=one.starts_at + timedelta(days=29, hours=1))
    await sending.store.appointments.change(of(sending.alice.id), one.id, far)
    found = lines(await jan.browser.get(WHERE))
    assert t("looked.who.two") not in [who for who, _ in found], "four weeks are shown, and no more"


@pytest.mark.duty("S-31", "S-51")
async def test_after_destruction_the_entries_name_nobody(planned: Planned, sending: Server) -> None:
    one, jan = await planned()
    whole = appointment(sending.alice.id, one.id)
    await sending.store.audit.record(Act.APPOINTMENT_READ, practitioner(sending.alice.id), whole)
    await jan.come_in()
    assert lines(await jan.browser.get(WHERE))
    name = await sending.store.audit.name(whole)
    assert name is not None
    token = next(cookie.value for cookie in sending.jars["jan"] if cookie.key == "rights")
    await sending.store.retention.destroy(of(sending.alice.id), one.id)
    sending.jars["jan"].update_cookies({"rights": token})
    assert (await jan.browser.get(WHERE)).location == "/c/rights"
    assert await sending.store.looks.of(Scope.guest(one.id), one) == Glanced([], more=False)
    assert await sending.store.audit.name(whole) is None
    left = [entry async for entry in sending.store.audit.found(Search(names=[name]))]
    assert left, "that it was done stays"


@pytest.mark.parametrize("language", CATALOGUES)
async def test_it_is_said_in_four_languages_what_comes_next(planned: Planned, language: str) -> None:
    _, jan = await planned()
    await jan.come_in()
    html = (await jan.browser.get(f"{WHERE}?lang={language}")).html.replace("&#39;", "'")
    for key in ("looked.text", "looked.lists", "looked.next"):
        assert CATALOGUES[language].text(key) in html


async def test_a_guest_has_no_such_page(planned: Planned) -> None:
    _, maria = await planned(who="maria", guest="Maria")
    page = await maria.come_in()
    assert WHERE not in page.html
    seen = await maria.browser.get(WHERE)
    assert (seen.status, seen.location) == (303, "/c/rights/mine")

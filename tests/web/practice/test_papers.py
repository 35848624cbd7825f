"""The papers of a practice follow from inventory, settings and code: nothing that is there is missing in them."""

from dataclasses import replace

import pytest

from practice.organisation.model import MemberRole
from practice.outgoing import PURPOSES, Door
from signaling.settings import SignalingSettings
from signaling.typedefs import DOOR
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser
from vault.audit.entry import Entry
from vault.inventory import inventory
from vault.settings import VaultSettings
from web.locale import CATALOGUES
from web.papers import Known, Paper, markdown, papers
from web.settings import Authority, Operator, WebSettings
from web.storage import KEPT

WHERE = "/practice/papers"
NOTHING: frozenset[str] = frozenset()
DOOR_OUT = Door(
    frozenset({"smtp.example.org", "smtp2.example.org"}),
    NOTHING,
    sms=frozenset({"sms.example.org"}),
    push=frozenset({"*.push.example"}),
    bounces=frozenset({"imap.example.org"}),
    requests=frozenset({"asked.example.org"}),
)
KNOWN = Known(
    WebSettings(operator=Operator(name="Zuid | <b>*x*</b>"), authority=Authority(name="AP", web="https://ap.example/")),
    VaultSettings(retention_cap=90, audit_days=400),
    SignalingSettings(refresh_seconds=172_800),
    DOOR_OUT,
    "192.0.2.1",
)


def made(language: str, known: Known = KNOWN) -> dict[str, Paper]:
    return {one.name: one for one in papers(known, CATALOGUES[language].text)}


NAMES = tuple(made("nl"))


@pytest.mark.duty("S-19", "S-27")
@pytest.mark.parametrize("language", CATALOGUES)
def test_the_register_has_each_purpose_with_basis_and_time(language: str) -> None:
    t, rows = CATALOGUES[language].text, made(language)["register"].rows
    assert rows[1:], "there is something"
    for item in inventory().entry:
        if item.category != "nobody":
            said = [t(f"privacy.data.{one}") for one in (f"purpose.{item.purpose}", f"item.{item.label}")]
            found = [one for one in rows if list(one[:2]) == said and one[-1]]
            assert t(f"privacy.data.basis.{item.basis}") in {one[3] for one in found}, item.label
    lengths = {row[-1] for row in rows}
    assert {t("record.days", n=400), t("record.days", n=2), t("record.setting.cap", n=90)} <= lengths


@pytest.mark.duty("S-35")
def test_each_host_that_data_go_to_is_a_recipient() -> None:
    text = markdown(made("en")["recipients"])
    hosts = {"192.0.2.1", *(host for one in PURPOSES for host in DOOR_OUT.listed(one) if "*" not in host)}
    assert all(DOOR_OUT.listed(one) for one in PURPOSES), "one of each"
    assert all(host in text for host in hosts) and "\\*.push.example" in text
    without = replace(KNOWN, door=Door(NOTHING, NOTHING), turn=None)
    bare = made("en", without)["recipients"]
    assert [row[1] for row in bare.rows[1:]] == ["none"] * (len(PURPOSES) + 1)


@pytest.mark.duty("S-37")
def test_each_thing_a_browser_keeps_is_in_the_table() -> None:
    names = [row[0] for row in made("nl")["cookies"].rows[1:]]
    assert names == [one.name for one in KEPT]


@pytest.mark.duty("S-27")
@pytest.mark.parametrize("language", CATALOGUES)
def test_each_thing_stored_is_in_the_table_of_retention(language: str) -> None:
    said = "; ".join(row[1] for row in made(language)["retention"].rows[1:])
    for item in inventory().entry:
        if item.category != "nobody":
            assert CATALOGUES[language].text(f"privacy.data.item.{item.label}") in said, item.label


def test_each_field_of_the_trail_is_in_the_map() -> None:
    fields = [row[0] for row in made("fr")["trail"].rows[1:]]
    assert fields == [*Entry.__dataclass_fields__, "chain", "-"]


def test_the_annex_says_what_is_processed_for_the_practitioner() -> None:
    annex = made("en")["annex"]
    ours = [item for item in inventory().entry if item.category == "appointment"]
    assert len(annex.rows) == 1 + len(ours)
    assert "Zuid | <b>*x*</b>" in " ".join(how for _, how in annex.facts)


def test_nothing_that_is_set_becomes_markup_of_a_file() -> None:
    text = markdown(made("en")["register"])
    assert "Zuid \\| \\<b\\>\\*x\\*\\</b\\>" in text and "<b>" not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {6}


@pytest.mark.parametrize("language", CATALOGUES)
async def test_the_page_has_all_of_them(server: Server, owner: Browser, language: str) -> None:
    server.app._state[DOOR] = DOOR_OUT
    page = await owner.get(f"{WHERE}?lang={language}")
    assert page.status == 200
    t = CATALOGUES[language].text
    for name in NAMES:
        assert f'data-testid="{name}"' in page.html and t(f"papers.{name}.text") in page.html.replace("&#39;", "'")
    assert "sms.example.org" in page.html and "__Host-sid" in page.html


async def test_all_of_them_are_taken_as_one_file(owner: Browser) -> None:
    answer = await owner.send(f"{WHERE}/take", f"form_token={await owner.token()}")
    assert answer.status == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="spreekkamer-papers-')
    text = answer.body.decode()
    for name in NAMES:
        assert f"# {CATALOGUES['nl'].text(f'papers.{name}')}" in text.replace("\\", "")


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support"])
async def test_to_others_they_are_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    assert (await owner.get(WHERE)).status == 404
    assert (await owner.send(f"{WHERE}/take", f"form_token={await owner.token()}")).status == 404

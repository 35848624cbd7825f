"""Our own server meets every requirement; one with a mistake is found out."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from client.probe import Account
from tests.client.house import House, open_house
from tests.conformance.__main__ import line, run
from tests.conformance.proxy import Alter, altered
from tests.conformance.requirement import REQUIREMENTS, Requirement
from tests.opening import open_store
from vault.settings import VaultSettings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
NOTHING_TO_TRY = {
    "Errors": "each code is looked at where it comes up",
    "End-to-end encryption": "its parts have their own",
    "Keys": "between clients; docs/vectors.json",
    "Test vectors": "between clients; docs/vectors.json",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("conformance")) as house:
        yield house


def headings() -> set[str]:
    prose = re.sub(r"```.*?```", "", DOCUMENT, flags=re.DOTALL)
    return set(re.findall(r"^#{1,3} (.+)$", prose, re.MULTILINE))


def test_every_requirement_is_of_a_section_and_every_section_has_one() -> None:
    sections = {one.section for one in REQUIREMENTS.values()}
    assert sections <= headings()
    assert headings() - sections == set(NOTHING_TO_TRY)


async def unmet(url: str, house: House, chosen: Iterable[Requirement]) -> dict[str, str]:
    outcomes = await run(url, Account(link=house.token), chosen, show=False)
    return {outcome.requirement.name: outcome.why for outcome in outcomes if outcome.why}


async def test_our_own_server_meets_every_requirement(house: House) -> None:
    chosen = [one for one in REQUIREMENTS.values() if not one.exhausts]
    assert len(chosen) >= 50
    assert await unmet(house.url, house, chosen) == {}


async def test_it_meets_those_that_use_up_an_allowance_and_those_of_a_practitioner_with_a_password(
    tmp_path: Path,
) -> None:
    account = Account(mail="alice@example.org", password="correct horse battery staple")
    async with open_store(VaultSettings(data=tmp_path, trust_clock=True)) as store:
        await store.practitioners.add(account.mail, account.password, "Alice", "nl")
    chosen = [one for one in REQUIREMENTS.values() if one.exhausts or one.name == "app-signs-in"]
    with open_house(tmp_path) as house:
        outcomes = await run(house.url, account, chosen, show=False)
    assert len(outcomes) > 1
    assert {outcome.requirement.name: outcome.why or outcome.untried for outcome in outcomes} == dict.fromkeys(
        one.name for one in chosen
    )


async def test_what_could_not_be_tried_is_not_said_to_be_met(house: House) -> None:
    (outcome,) = await run(house.url, Account(link=house.token), [REQUIREMENTS["app-signs-in"]], show=False)
    assert outcome.untried and line(outcome).startswith("SKIP")


def untouched(text: str) -> list[str]:
    return [text]


def swapped(pattern: str, by: str) -> Alter:
    return lambda text: [re.sub(pattern, by, text)]


MISTAKES: dict[str, tuple[str, Alter, Alter]] = {
    "takes every event": (
        "unknown-event",
        untouched,
        swapped(r'\{"ok":false,"error":\{"code":"unknown_event".*?\}\}', '{"ok":true,"data":{}}'),
    ),
    "says another code": ("wrong-link-opens-nothing", swapped("link_invalid", "not_found"), untouched),
    "gives an old app another answer": ("recorded-session", swapped('"window":"open"', '"window":"soon"'), untouched),
    "says too much to who waits": ("waiting-sees-nothing", untouched, swapped('"media":null', '"media":[1]')),
    "lets everybody in": ("ticket-of-waiting", untouched, swapped('"state":"waiting"', '"state":"admitted"')),
    "gives views a field more": ("told", untouched, swapped('"appointment"', '"patient":"x","appointment"')),
    "sends an event of its own": (
        "told",
        untouched,
        lambda text: [text, '42["hello",{}]'] if text.startswith('42["told"') else [text],
    ),
    "loses chat": ("chat-is-passed-on", untouched, lambda text: [] if text.startswith('42["chat"') else [text]),
    "sends chat twice": (
        "chat-is-passed-on",
        untouched,
        lambda text: [text, text] if text.startswith('42["chat"') else [text],
    ),
    "changes who sent a key": ("keys-are-passed-on", untouched, swapped('"sender":"[^"]+"', '"sender":"mallory"')),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_server_with_a_mistake_is_found_out(house: House, mistake: str) -> None:
    name, answer, frame = MISTAKES[mistake]
    async with altered(house.url, answer, frame) as url:
        assert set(await unmet(url, house, [REQUIREMENTS[name]])) == {name}


async def test_the_proxy_alone_is_no_mistake(house: House) -> None:
    names = {name for name, _, _ in MISTAKES.values()}
    async with altered(house.url, untouched, untouched) as url:
        assert await unmet(url, house, [REQUIREMENTS[name] for name in names]) == {}

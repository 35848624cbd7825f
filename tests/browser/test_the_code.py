"""The digits that two people compare: with how many, when again, and what a lying server gets out of it."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import WebSocketRoute

from tests.browser.conftest import Demo, Person, begin_consult, eventually

PICTURES = os.environ.get("PICTURES")
COUNTED = """
() => {
  const kept = JSON.parse(sessionStorage.getItem('spreekkamer.keys'));
  sessionStorage.setItem('spreekkamer.keys', JSON.stringify({...kept, withheld: 3}));
}
"""


async def code(person: Person) -> str:
    return re.sub(r"\D", "", await person.find("verification-code").text_content() or "")


async def same_code(*people: Person) -> str:
    async def same() -> str | None:
        codes = {await code(person) for person in people}
        return codes.pop() if len(codes) == 1 and len(min(codes)) == 6 else None

    return await eventually(same, "the same six digits on both screens")


async def picture(person: Person, name: str) -> None:
    """For a look at it, when PICTURES names a folder."""
    if PICTURES:
        viewport = person.page.viewport_size
        for width, height in ((390, 844), (1440, 900)):
            await person.page.set_viewport_size({"width": width, "height": height})
            await person.page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png")
        assert viewport
        await person.page.set_viewport_size(viewport)


async def test_who_holds_keys_is_shown_and_changed_digits_are_marked(practitioner: Person, patient: Person) -> None:
    await begin_consult(practitioner, patient)
    first = await same_code(practitioner, patient)
    for person in (practitioner, patient):
        assert await person.find("people").first.text_content() == "2 personen"
        assert await person.find("compare-again").is_hidden()
        assert await person.find("compare").is_hidden()
    await picture(patient, "code")
    await patient.page.locator("[data-action=trust]").click()
    assert "van: u, " in (await patient.find("holders").text_content() or "")
    await picture(patient, "people")
    await patient.page.keyboard.press("Escape")

    await patient.page.reload()
    await practitioner.find("compare").filter(has_text="binnengekomen").wait_for()
    await patient.find("compare").filter(has_text="vernieuwd").wait_for()
    assert await same_code(practitioner, patient) != first
    for person, name in ((practitioner, "practitioner"), (patient, "patient")):
        assert await person.find("compare-again").is_visible()
        await picture(person, f"again-{name}")
        await person.find("compared").click()
        await person.find("compare").wait_for(state="hidden")
        assert await person.find("compare-again").is_hidden()
        assert await person.find("withheld").is_hidden()

    await patient.page.evaluate(COUNTED)
    await patient.page.reload()
    for person, name in ((practitioner, "practitioner"), (patient, "patient")):
        await person.find("withheld").filter(has_text="opvallend vaak").wait_for()
        await person.find("compared").click()
        assert await person.find("withheld").is_visible(), "this stays"
        assert await person.find("compare-again").is_visible()
        await picture(person, f"withheld-{name}")


def between(change: Callable[[str], str]) -> Callable[[WebSocketRoute], None]:
    def relay(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(lambda message: route.send(change(message) if isinstance(message, str) else message))
        route.on_message(server.send)

    return relay


def hide_somebody(message: str) -> str:
    """One member more, in every room view that has keys; nobody more is shown."""
    frame, found, body = message.partition("[")
    if not found or '"members"' not in message:
        return message
    content = json.loads(found + body)
    for view in content:
        keys = view.get("keys") or view.get("data", {}).get("keys") if isinstance(view, dict) else None
        if keys:
            keys["members"].append({"participant": "zz-hidden-0000000000z", "role": "guest"})
    return frame + json.dumps(content, separators=(",", ":"))


def outdate(message: str) -> str:
    return re.sub(r'("key-commit",\{[^}]*"version":)2', r"\g<1>1", message)


@pytest.mark.parametrize(
    ("change", "words"),
    [(hide_somebody, "niet veilig worden opgezet"), (outdate, "verouderd")],
    ids=["hidden", "old"],
)
async def test_a_lying_server_is_told_of_in_words(
    change: Callable[[str], str], words: str, demo: Demo, practitioner: Person, patient: Person
) -> None:
    await patient.page.route_web_socket(re.compile("socket.io"), between(change))
    await patient.page.reload()
    await patient.find("join").click()
    await practitioner.find("admit").first.click()
    await patient.page.get_by_text(words).locator("visible=true").first.wait_for()
    assert await patient.find("verification-code").is_hidden()
    assert await practitioner.find("verification-code").is_hidden()
    await picture(patient, f"refused-{words.split(maxsplit=1)[0]}")

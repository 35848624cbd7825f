"""After a consult the practitioner reads how the connections were, and asks for a code to read out."""

import re

import pytest

from tests.browser.conftest import Demo, Person


@pytest.mark.duty("S-11", "S-34")
async def test_the_technical_check_is_in_plain_words_and_gives_a_code(
    demo: Demo, practitioner: Person, patient: Person
) -> None:
    await patient.find("join").click()
    await practitioner.find("admit").first.click()
    await practitioner.find("verification-code").wait_for()
    await practitioner.find("remote-video").wait_for()
    await practitioner.page.wait_for_timeout(1_000)
    await practitioner.find("leave").click()
    await practitioner.find("more-of-appointment").first.click()
    await practitioner.find("technical-check").first.click()
    dialog = practitioner.page.locator("dialog[open]")
    await dialog.get_by_role("heading", name="Technische controle").wait_for()
    await dialog.get_by_role("heading", name="Patiënt").wait_for()
    words = await dialog.inner_text()
    assert "Goed" in words
    assert re.search(r"Computer, Chrome \d+", words)
    assert not re.search(r"\d+\.\d+\.\d+\.\d+|\[?::1", words)
    await practitioner.find("ask-help").click()
    await practitioner.find("support-code").wait_for()
    assert re.fullmatch(r"\d{3} \d{3}", await practitioner.find("support-code").inner_text())
    await practitioner.page.set_viewport_size({"width": 390, "height": 844})
    assert not await practitioner.page.evaluate("document.documentElement.scrollWidth > innerWidth")

"""Contrast of the colour tokens, by the formula of WCAG 2.2 (1.4.3 and 1.4.11), in the light and the dark set."""

import re

import pytest

from tests.web.conftest import STATIC

TOKENS = (STATIC / "css" / "tokens.css").read_text()

TEXT = [
    *(
        (ink, paper)
        for ink in ("ink", "ink-soft", "action", "action-strong")
        for paper in ("paper", "surface", "sunken")
    ),
    *((ink, paper) for ink in ("red", "green", "amber") for paper in ("surface",)),
    ("on-action", "action"),
    ("on-action", "action-strong"),
    ("on-action-soft", "action-soft"),
    ("on-amber-soft", "amber-soft"),
    ("ink", "amber-soft"),
    ("ink-soft", "amber-soft"),
    ("on-red-soft", "red-soft"),
    ("on-green-soft", "green-soft"),
    ("on-red", "red"),
]
PARTS = [
    *((part, paper) for part in ("control", "focus", "action") for paper in ("paper", "surface", "sunken")),
    ("focus", "amber-soft"),
    ("amber", "paper"),
    ("amber", "amber-soft"),
    ("green", "sunken"),
]


def sets() -> dict[str, dict[str, str]]:
    """Colour tokens by set, six hex digits each."""
    blocks = {
        "light": TOKENS[: TOKENS.index("@media")],
        "dark": TOKENS[TOKENS.index("@media") : TOKENS.index("[data-call]")],
        "call": TOKENS[TOKENS.index("[data-call]") : TOKENS.index("@media (prefers-contrast")],
    }
    return {name: dict(re.findall(r"--([\w-]+): #([0-9a-f]{6});", block)) for name, block in blocks.items()}


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_the_formula_is_right() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("767676", "ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", ["light", "dark", "call"])
def test_text_can_be_read(name: str) -> None:
    colours = sets()[name]
    weak = {pair: round(c, 2) for pair in TEXT if (c := contrast(colours[pair[0]], colours[pair[1]])) < 4.5}
    assert weak == {}


@pytest.mark.parametrize("name", ["light", "dark", "call"])
def test_parts_of_controls_can_be_seen(name: str) -> None:
    colours = sets()[name]
    weak = {pair: round(c, 2) for pair in PARTS if (c := contrast(colours[pair[0]], colours[pair[1]])) < 3}
    assert weak == {}


def test_the_consult_is_the_dark_set() -> None:
    assert sets()["call"] == sets()["dark"]


def test_buttons_over_the_picture_can_be_read() -> None:
    """On glass over white, the worst picture there is, and on the leave button."""
    glass = [round(channel * 0.82 + 255 * 0.18) for channel in (20, 27, 28)]
    assert contrast("".join(f"{c:02x}" for c in glass), sets()["call"]["ink"]) >= 4.5
    assert contrast("c9382b", "ffffff") >= 4.5

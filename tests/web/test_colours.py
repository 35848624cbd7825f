"""Contrast of the colour tokens, by the formula of WCAG 2.2 (1.4.3 and 1.4.11), in the light and the dark set."""

import re

import pytest

from practice.organisation.model import Colours
from tests.web.conftest import STATIC
from web.colours import Theme, contrast, derived, nearest, passes, sheet

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
    """Colour tokens by set, ``#rrggbb`` each."""
    blocks = {
        "light": TOKENS[: TOKENS.index("@media")],
        "dark": TOKENS[TOKENS.index("@media") : TOKENS.index("[data-call]")],
        "call": TOKENS[TOKENS.index("[data-call]") : TOKENS.index("@media (prefers-contrast")],
    }
    return {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for name, block in blocks.items()}


def test_the_formula_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


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
    assert contrast("#" + bytes(glass).hex(), sets()["call"]["ink"]) >= 4.5
    assert contrast("#c9382b", "#ffffff") >= 4.5


def some_colours() -> list[str]:
    """Of every hue, from pale to strong and from dark to bright."""
    steps = (0, 51, 102, 153, 204, 255)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red in steps for green in steps for blue in steps]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_with_a_colour_that_passes_all_that_follows_can_be_read(theme: Theme) -> None:
    """And the nearest of one that does not pass does."""
    own = sets()[theme]
    for colour in some_colours():
        near = nearest(colour, theme)
        assert passes(near, theme) and (near == colour) == passes(colour, theme)
        made = own | derived(near, theme)
        weak = {pair for pair in TEXT if contrast(made[pair[0]], made[pair[1]]) < 4.5}
        weak |= {pair for pair in PARTS if contrast(made[pair[0]], made[pair[1]]) < 3}
        assert weak == set(), near


def test_the_style_sheet_has_both_sets_and_the_consult() -> None:
    found = sheet(Colours("#6b2346", "#f0b6d0"))
    text = found.asset.body.decode()
    assert [text.count(f"--action: {one};") for one in ("#6b2346", "#f0b6d0")] == [1, 2]
    assert text.count("{") == text.count("}") == 4
    assert (
        found == sheet(Colours("#6b2346", "#f0b6d0")) and found.address != sheet(Colours("#6b2346", "#ffffff")).address
    )

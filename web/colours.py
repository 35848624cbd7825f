"""Colours of a practice's own: how well they can be seen (WCAG 2.2), and the style sheet that puts them on its pages.

A practice chooses what stands for action: links, buttons, where the focus is. All else follows from that and from the
tokens (``static/css/tokens.css``). Text in it has to reach 4.5 : 1 (1.4.3) on every ground that our pages have, which
is more than the 3 : 1 of parts of controls (1.4.11).
"""

import hashlib
import re
from collections.abc import Iterator
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from practice.organisation.model import Colours
from web.assets import Asset, read

Theme = Literal["light", "dark"]
Channels = tuple[float, float, float]
"""Red, green and blue of sRGB, each from 0 to 1."""

BRANDING: Final = "/branding"
"""Where the files of a practice's own are."""
TEXT: Final = 4.5
GROUNDS: Final = ("paper", "surface", "sunken")
BLACK: Final = "#000000"
WHITE: Final = "#ffffff"
DARK_BEGINS: Final = "@media (prefers-color-scheme: dark)"
CONSULT_BEGINS: Final = "[data-call]"
STEPS: Final = 512


@cache
def tokens(theme: Theme) -> dict[str, str]:
    """Our own colours by the names of their properties, as ``#rrggbb``."""
    sheet = read()["css/tokens.css"].body.decode()
    light, _, rest = sheet.partition(DARK_BEGINS)
    return dict(
        re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light if theme == "light" else rest.split(CONSULT_BEGINS)[0])
    )


def channels(colour: str) -> Channels:
    """Those of ``#rrggbb``."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red / 255, green / 255, blue / 255


def written(of: Channels) -> str:
    """As ``#rrggbb``."""
    return "#" + bytes(round(one * 255) for one in of).hex()


def luminance(colour: str) -> float:
    """WCAG 2.2, *relative luminance*."""
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, *contrast ratio*: from 1 to 21."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def mixed(colour: str, other: str, share: float) -> str:
    """``colour`` with this share, from 0 to 1, of another."""
    red, green, blue = (a + (b - a) * share for a, b in zip(channels(colour), channels(other), strict=True))
    return written((red, green, blue))


def reached(colour: str, theme: Theme) -> float:
    """The least contrast that text in this colour has on a ground of this theme."""
    return min(contrast(colour, tokens(theme)[ground]) for ground in GROUNDS)


def passes(colour: str, theme: Theme) -> bool:
    """Whether text in this colour can be read everywhere."""
    return reached(colour, theme) >= TEXT


def nearest(colour: str, theme: Theme) -> str:
    """The one of the same hue whose lightness differs least, of those that pass; itself where it does."""
    return next((one for one in _alike(colour) if passes(one, theme)), tokens(theme)["action"])


def _alike(colour: str) -> Iterator[str]:
    """Itself, then ever lighter and darker ones."""
    yield colour
    hue, lightness, saturation = rgb_to_hls(*channels(colour))
    for step in range(1, STEPS + 1):
        for moved in (lightness - step / STEPS, lightness + step / STEPS):
            if 0 <= moved <= 1:
                yield written(hls_to_rgb(hue, moved, saturation))


def derived(colour: str, theme: Theme) -> dict[str, str]:
    """What stands in place of our tokens."""
    ours, away = tokens(theme), BLACK if theme == "light" else WHITE
    strong = mixed(colour, away, 0.25)
    soft = mixed(ours["surface"], colour, 0.12 if theme == "light" else 0.18)
    on_soft = next(one for one in (strong, ours["ink"]) if one == ours["ink"] or contrast(one, soft) >= TEXT)
    return {
        "action": colour,
        "action-strong": strong,
        "on-action": WHITE if theme == "light" else ours["sunken"],
        "action-soft": soft,
        "on-action-soft": on_soft,
        "focus": colour if theme == "light" else strong,
    }


@dataclass(frozen=True)
class Sheet:
    """A style sheet, at an address that says what is in it."""

    address: str
    asset: Asset


def put(colour: str, theme: Theme) -> str:
    """The declarations of a rule."""
    return "".join(f"--{name}: {value}; " for name, value in derived(colour, theme).items())


@cache
def sheet(colours: Colours) -> Sheet:
    """For a page that has our style sheet before it. The consult stays dark, in the colour for that."""
    light, dark = put(colours.light, "light"), put(colours.dark, "dark")
    text = (
        f":root {{ {light}}}\n"
        f"{DARK_BEGINS} {{ :root {{ {dark}}} }}\n"
        f"{CONSULT_BEGINS} .call {{ {dark}}}\n"
    )  # fmt: skip
    body = text.encode()
    return Sheet(f"{BRANDING}/{hashlib.sha256(body).hexdigest()[:32]}.css", Asset.of(body, "text/css"))

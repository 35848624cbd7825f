"""Two people who do not exist, drawn as moving pictures for a browser's made-up camera.

Chromium takes a file of JPEG pictures one after another (``--use-file-for-fake-video-capture``) and begins anew at its
end. The faces are this file's own drawing; no photograph of anybody is in them.
"""

import base64
import math
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser

WIDTH, HEIGHT = 960, 720
PICTURES = 60

DRAW = """
async ([svg, width, height]) => {
  const image = new Image();
  image.src = 'data:image/svg+xml;base64,' + btoa(svg);
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), {width, height});
  canvas.getContext('2d').drawImage(image, 0, 0, width, height);
  return canvas.toDataURL('image/jpeg', 0.85).split(',')[1];
}
"""


@dataclass(frozen=True)
class Face:
    """The colours and shapes of one person and of the room behind."""

    wall: str
    shelf: str
    skin: str
    shade: str
    hair: str
    coat: str
    shirt: str
    long_hair: bool
    glasses: bool


PRACTITIONER = Face("#e9e2d4", "#b98f63", "#e8b894", "#d49a75", "#4a3428", "#f4f6f5", "#3f7d80", True, True)
PATIENT = Face("#d9e3e0", "#7d8f86", "#c98f68", "#b27a55", "#d9d6d2", "#7a5a78", "#efe6da", False, False)


def books(face: Face) -> str:
    """A shelf with books, out of focus."""
    colours = ("#a65d4c", "#d8b26a", "#5e7f8c", "#8a9a6b", "#c98b6b", "#6f6a8a")
    found, x = [f'<rect x="620" y="90" width="300" height="14" fill="{face.shelf}"/>'], 632
    for number in range(9):
        width, height = 22 + 7 * (number % 3), 70 + 12 * ((number * 5) % 4)
        found.append(
            f'<rect x="{x}" y="{90 - height}" width="{width}" height="{height}" fill="{colours[number % 6]}" rx="2"/>'
        )
        x += width + 4
    return "".join(found)


def plant() -> str:
    leaves = "".join(
        f'<ellipse cx="130" cy="250" rx="22" ry="95" fill="#6d9a78" transform="rotate({angle} 130 340)"/>'
        for angle in (-48, -24, 0, 24, 48)
    )
    return f'{leaves}<path d="M85 340h90l-12 110h-66z" fill="#b5714e"/>'


def portrait(face: Face, at: float) -> str:
    """The person as SVG, ``at`` in 0 to 1 of the loop: breathing, nodding a little, blinking once."""
    sway, nod = 5 * math.sin(2 * math.pi * at), 4 * math.sin(4 * math.pi * at)
    closed = 0.47 < at < 0.53
    talk = 4 + 5 * max(0.0, math.sin(6 * math.pi * at))
    eye = 2.0 if closed else 11.0
    look = '<circle cx="1" cy="1" r="7.5" fill="#3c2c22"/><circle cx="3" cy="-2" r="2.4" fill="#fff"/>'
    eyes = "".join(
        f'<g transform="translate({x} 330)"><ellipse rx="13" ry="{eye}" fill="#fffaf4"/>{"" if closed else look}'
        f'<path d="M-20 -27q20 -13 40 0" stroke="{face.hair}" stroke-width="6" fill="none" stroke-linecap="round"/></g>'
        for x in (432, 528)
    )
    glasses = (
        '<g fill="none" stroke="#3b3f45" stroke-width="5"><rect x="398" y="306" width="68" height="50" rx="22"/>'
        '<rect x="494" y="306" width="68" height="50" rx="22"/><path d="M466 326q14 -8 28 0"/></g>'
        if face.glasses
        else ""
    )
    behind = (
        f'<path d="M340 330q-6 -200 140 -200t140 200q8 150 -20 200h-240q-28 -50 -20 -200z" fill="{face.hair}"/>'
        if face.long_hair
        else ""
    )
    line = (
        "M362 320q-6 -168 118 -168t118 168q-18 -62 -58 -92q-70 44 -138 26q-28 22 -40 66z"
        if face.long_hair
        else "M358 306q-10 -150 122 -150t122 150q-10 -34 -26 -52q-96 -40 -192 0q-16 18 -26 52z"
    )
    fringe = f'<path d="{line}" fill="{face.hair}"/>'
    pairs = "".join(
        f'<ellipse cx="{480 + side * 114}" cy="344" rx="16" ry="28" fill="{face.shade}"/>'
        f'<ellipse cx="{480 + side * 72}" cy="386" rx="26" ry="15" fill="#e07f6a" opacity=".22"/>'
        for side in (-1, 1)
    )
    ears, cheeks = pairs, pairs.replace(face.shade, "none")
    skin = "M364 300q0 -138 116 -138t116 138q0 108 -52 152q-30 26 -64 26t-64 -26q-52 -44 -52 -152z"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 720" width="{WIDTH}" height="{HEIGHT}">
<defs><filter id="far"><feGaussianBlur stdDeviation="7"/></filter>
<linearGradient id="wall" x1="0" y1="0" x2="1" y2="1"><stop stop-color="#fff" stop-opacity=".55"/>
<stop offset="1" stop-color="#000" stop-opacity=".12"/></linearGradient></defs>
<rect width="960" height="720" fill="{face.wall}"/>
<g filter="url(#far)">{plant()}<g transform="translate(0 130)">{books(face)}</g></g>
<rect width="960" height="720" fill="url(#wall)"/>
<g transform="translate({sway / 2:.2f} {abs(nod) / 2:.2f})">
<path d="M180 720q10 -190 190 -214h220q180 24 190 214z" fill="{face.coat}"/>
<path d="M398 506l82 130l82 -130z" fill="{face.shirt}"/>
<path d="M398 506l60 160M562 506l-60 160" stroke="#000" stroke-opacity=".12" stroke-width="5" fill="none"/></g>
<g transform="translate({sway:.2f} {nod:.2f}) rotate({sway / 4:.2f} 480 520)">{behind}
<path d="M430 420h100v96q-50 46 -100 0z" fill="{face.shade}"/>
{ears}<path d="{skin}" fill="{face.skin}"/>{cheeks}
{eyes}{fringe}{glasses}
<path d="M478 340q-12 38 -8 46q10 9 22 2" stroke="{face.shade}" stroke-width="5" fill="none" stroke-linecap="round"/>
<path d="M446 420q34 {16 + talk:.1f} 68 0q-34 {6 - talk:.1f} -68 0z" fill="#a8483f"/>
</g></svg>"""


async def film(browser: Browser, face: Face, file: Path) -> None:
    """Write two seconds of ``face`` to ``file``, which must end in ``.mjpeg``."""
    page = await browser.new_page()
    pictures = []
    for number in range(PICTURES):
        drawn = await page.evaluate(DRAW, [portrait(face, number / PICTURES), WIDTH, HEIGHT])
        pictures.append(base64.b64decode(drawn))
    file.write_bytes(b"".join(pictures))
    await page.close()


def camera(file: Path) -> str:
    """The flag that makes Chromium's camera show it."""
    return f"--use-file-for-fake-video-capture={file}"

"""Where a picture of a paper is black: over the photograph, the lines for machines (MRZ), the number of the document
and that of the citizen (S-48). A browser burns these boxes into a new picture, and says where; here it is looked
whether they can be meant, and in the program that decodes it whether they are black.

Of no picture it is known what it shows: a box that somebody puts beside a number covers nothing.
"""

import re
from itertools import combinations
from typing import Final, NamedTuple

from practice.pictures.formats import Header
from vault.errors import DomainError

NAMES: Final = ("photo", "mrz", "document", "citizen")
"""In this order. Which paper somebody has, and where it says what, only they see."""

BOX: Final = re.compile(r"(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})")

SHORTEST: Final = 240
"""Pixels of the shorter side of a picture in which something could be read."""

LEAST: Final = {"photo": (0.08, 0.08), "mrz": (0.3, 0.03), "document": (0.08, 0.015), "citizen": (0.08, 0.015)}
"""The longer and the shorter side of each box, of the picture's longer side."""

THINNEST: Final = 12
"""Pixels of a box's shorter side."""

MOST: Final = 0.8
"""Of the picture, by all boxes together: else nothing is left to be seen."""

OVERLAP: Final = 0.25
"""Of the smaller of two boxes: four in one place are one."""


class Box(NamedTuple):
    """In pixels, from the upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return ",".join(map(str, self))

    @property
    def area(self) -> int:
        """In pixels."""
        return self.width * self.height

    def shared(self, other: "Box") -> int:
        """Pixels that are in both."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(0, width) * max(0, height)


def boxes(typed: str, found: Header) -> tuple[Box, ...]:
    """The four, as ``x,y,width,height`` with spaces between. Errors: ``picture_unmasked``: they cannot be meant."""
    words = [BOX.fullmatch(one) for one in typed.split(" ")]
    if len(words) != len(NAMES) or not all(words) or min(found.width, found.height) < SHORTEST:
        raise DomainError("picture_unmasked")
    made = tuple(Box(*map(int, one.groups())) for one in words if one)
    side, whole = max(found.width, found.height), found.width * found.height
    for name, box in zip(NAMES, made, strict=True):
        longer, shorter = LEAST[name]
        inside = box.x + box.width <= found.width and box.y + box.height <= found.height
        large = max(box[2:]) >= longer * side and min(box[2:]) >= max(shorter * side, THINNEST)
        if not (inside and large):
            raise DomainError("picture_unmasked")
    apart = all(one.shared(other) <= OVERLAP * min(one.area, other.area) for one, other in combinations(made, 2))
    if not apart or sum(box.area for box in made) > MOST * whole:
        raise DomainError("picture_unmasked")
    return made

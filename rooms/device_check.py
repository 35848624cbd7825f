"""How the devices of whoever waits are, and what that means for the practitioner who is to hear and see them."""

from dataclasses import dataclass
from typing import Final, Literal

Found = Literal["works", "silent", "off", "denied", "busy", "missing", "insecure"]
Grade = Literal["green", "amber", "red"]
Device = Literal["microphone", "camera"]

MAY_BE_HEARD: Final = ("works", "silent")


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """As their page found them. ``silent``: open, but the system lets no sound through."""

    microphone: Found
    camera: Found


@dataclass(frozen=True, slots=True)
class Judgement:
    """``device`` is the one that matters most, None when all is well."""

    grade: Grade
    device: Device | None = None
    found: Found | None = None


def judged(check: DeviceCheck) -> Judgement:
    """Who cannot be heard is not admitted before that is mended; who cannot be seen may be."""
    if check.microphone not in MAY_BE_HEARD:
        return Judgement("red", "microphone", check.microphone)
    if check.microphone != "works":
        return Judgement("amber", "microphone", check.microphone)
    if check.camera != "works":
        return Judgement("amber", "camera", check.camera)
    return Judgement("green")

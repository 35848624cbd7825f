"""Other WebRTC stacks hold an encrypted consult with a browser-like client: sound and picture both ways."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from client.participant import Participant, patient, practitioner
from client.rest import Rest
from client.synthetic import Pattern, Tone
from tests.client.house import House, open_house
from tests.client.waiting import within
from tests.prove.figures import Figure, Size
from tests.stacks.participant import Stack, encoded, lend

SOURCES = Path(__file__).parents[1] / "stacks"
OURS = (400.0, 60)
THEIRS = (700.0, 200)
CONSULT_SECONDS = 8
MUTED_SECONDS = 40


COMMANDS: dict[str, list[str]] = {
    "werift": ["node", "werift.mjs"],
    "node-datachannel": ["node", "datachannel.mjs"],
    "Pion": ["./pion"],
    "GStreamer": ["/usr/bin/python3", "gstreamer.py"],
}


def prove(size: Size) -> list[Figure]:
    """Packages are installed first, by ``tests/stacks/install``: there is no short form."""
    folder = size.folder / "stacks"
    shutil.copytree(SOURCES, folder)
    subprocess.run(["sh", str(folder / "install"), str(folder)], check=True)
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": f"{folder / 'go'}:/usr/share/gocode",
        "GOCACHE": str(size.folder / "go-cache"),
        "PION_VERSION": debian("golang-github-pion-webrtc.v3-dev"),
    }
    subprocess.run(["go", "build", "-o", str(folder / "pion"), "stack"], env=environment, check=True)
    figures = []
    with open_house(size.folder / "demo") as house:
        for name, command in COMMANDS.items():
            figures.append(asyncio.run(held(house, name, command, folder, environment)))
    met = sum(figure.met for figure in figures)
    return [
        *figures,
        Figure("stacks that held it", f"{len(COMMANDS)}", f"{met} of {len(COMMANDS)}", met == len(COMMANDS)),
    ]


def debian(package: str) -> str:
    """The version of an installed package."""
    shown = ["dpkg-query", "--show", "--showformat", "${Version}", package]
    return subprocess.run(shown, check=True, capture_output=True, text=True).stdout


async def held(house: House, name: str, command: list[str], folder: Path, environment: dict[str, str]) -> Figure:
    """One consult: our client is the practitioner, the stack the patient."""
    media = await encoded(*THEIRS)
    async with (
        Rest(house.url) as desk,
        Rest(house.url) as visitor,
        Stack(command, folder, media, environment) as stack,
    ):
        await desk.sign_in_with_link(house.token)
        appointment, link = await house.appointment(desk)
        doctor = practitioner(desk, appointment, {"microphone": Tone(OURS[0]), "camera": Pattern(OURS[1])})
        guest = await patient(visitor, link)
        lend(guest, stack)
        failure = None
        async with doctor, guest:
            await doctor.watch()
            await guest.arrive()
            await within(10, lambda: None if doctor.desk and doctor.desk.waiting else "nobody waits")
            await doctor.admit(guest.id)
            try:
                await within(40, lambda: missing(doctor, guest, stack))
                await asyncio.sleep(CONSULT_SECONDS)
                await muted(doctor, stack)
                await within(10, lambda: missing(doctor, guest, stack))
            except TimeoutError as error:
                failure = str(error)
            reached, met = judged(doctor, stack, failure or missing(doctor, guest, stack))
            record(name, stack)
            await guest.leave()
            await doctor.leave()
    return Figure(
        f"{name} {stack.version}: sound and picture both ways, stays while muted for {MUTED_SECONDS} s; frames refused",
        "0",
        reached,
        met,
    )


async def muted(doctor: Participant, stack: Stack) -> None:
    """The stack sends neither sound nor picture for a while, and stays all the time.

    Raises:
        TimeoutError: it did not.
    """
    sent = sum(place.opened for place in doctor.media.receiving) if doctor.media else 0
    stack.tell({"mute": True})
    for _ in range(MUTED_SECONDS * 2):
        await asyncio.sleep(0.5)
        states = [one.media for one in doctor.room.others] if doctor.room else []
        if states != ["connected"]:
            raise TimeoutError(f"muted, it is {states}, {stack.state}")
    still = sum(place.opened for place in doctor.media.receiving) if doctor.media else 0
    if still - sent > MUTED_SECONDS:
        raise TimeoutError(f"muted, it sent {still - sent} frames")
    stack.tell({"mute": False})
    await asyncio.sleep(3)


def missing(doctor: Participant, guest: Participant, stack: Stack) -> str | None:
    """Why the consult is not whole yet."""
    if not doctor.keys.code or doctor.keys.code != guest.keys.code:
        return f"codes {doctor.keys.code}, {guest.keys.code}"
    sound, picture = doctor.receiving(guest.id, "microphone"), doctor.receiving(guest.id, "camera")
    if not sound or abs(sound.frequency() - THEIRS[0]) > 20:
        return f"the stack is not heard: {sound and (sound.frequency(), sound.opened, sound.refused)}, {stack.state}"
    if not picture or abs((picture.grey_level() or 0) - THEIRS[1]) > 25:
        return f"the stack is not seen: {picture and (picture.opened, picture.refused, picture.decoded)}, {stack.state}"
    if abs(stack.heard.frequency() - OURS[0]) > 20:
        return f"the stack hears nothing: {stack.heard.frequency()}, {stack.heard.opened}, {stack.heard.refused}"
    if abs((stack.heard.grey_level() or 0) - OURS[1]) > 25:
        return f"the stack sees nothing: {stack.heard.grey_level()}, {stack.heard.opened}, {stack.heard.refused}"
    return None


def judged(doctor: Participant, stack: Stack, failure: str | None) -> tuple[str, bool]:
    places = doctor.media.receiving if doctor.media else []
    refused = sum(place.refused for place in places) + stack.heard.refused.total()
    opened = sum(place.opened for place in places), stack.heard.opened.total()
    lines = ", ".join(f"{one.mid} {one.reason}" for one in stack.refused_lines)
    words = failure or f"{refused} of {opened[0]:,} frames from it and {opened[1]:,} to it"
    return words + (f"; lines refused: {lines}" if lines else ""), failure is None and not refused and not lines


def record(name: str, stack: Stack) -> None:
    """Keep its offer and the answer in the folder that ``STACKS_RECORD`` names."""
    if folder := os.environ.get("STACKS_RECORD"):
        for kind, text in zip(("offer", "answer"), stack.exchanged, strict=False):
            (Path(folder) / f"{name.lower()}-{kind}.sdp").write_bytes(text.encode())

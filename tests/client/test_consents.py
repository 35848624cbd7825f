"""Consent between real participants over the public protocol, with real media: what is taken back ends all of it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from client.errors import Refusal
from client.participant import Participant, patient, practitioner
from client.rest import Rest
from client.synthetic import Pattern, Tone
from tests.client.house import House
from tests.client.test_participant import sees, waits
from tests.client.waiting import until

MOST_SECONDS = 1.0
DESTROYED_SECONDS = 60.0


async def planned(desk: Rest) -> tuple[str, str, str]:
    """A child's appointment that starts now: its id, its link, and that of a guardian."""
    starts_at = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
    one = await desk.new_appointment("Somebody", starts_at, band="12-15")
    body: Any = {"name": "Moeder", "role": "guardian"}
    await desk.call("POST", f"/appointments/{one.appointment}/guests", body)
    (found,) = [each for each in await desk.appointments() if each.appointment == one.appointment]
    return one.appointment, one.link.split("#")[1], found.guests[0].link.split("#")[1]


async def agree(rest: Rest, link: str) -> None:
    asked = await rest.consents(link)
    assert asked.texts
    await rest.give_consents(link, [text.version for text in asked.texts])


@pytest.mark.duty("S-44")
async def test_withdrawing_in_a_consult_stops_media_within_a_second(house: House, desk: Rest, visitor: Rest) -> None:
    appointment, link, guardians = await planned(desk)
    with pytest.raises(Refusal, match="consent_needed"):
        await patient(visitor, link, {})
    await agree(visitor, link)
    with pytest.raises(Refusal, match="guardian_needed"):
        await patient(visitor, link, {})
    await agree(visitor, guardians)

    doctor = practitioner(desk, appointment, {"microphone": Tone(400), "camera": Pattern(60)})
    child = await patient(visitor, link, {"microphone": Tone(700), "camera": Pattern(200)})
    async with doctor, child:
        await doctor.watch()
        await child.arrive()
        await until(lambda: waits(doctor, child))
        await doctor.admit(child.id)
        await until(lambda: sees(doctor, child) or sees(child, doctor))
        place = doctor.receiving(child.id, "camera")
        assert place
        resume = child.room.resume if child.room else ""

        began, last, seen = time.monotonic(), 0.0, place.decoded
        withdrawing = asyncio.create_task(visitor.withdraw_consents(guardians))
        while time.monotonic() - began < 2 * MOST_SECONDS:
            if place.decoded != seen:
                last, seen = time.monotonic() - began, place.decoded
            await asyncio.sleep(0.005)
        await withdrawing
        print(f"withdrawal to the last picture that came out of the relay: {last * 1000:.0f} ms")
        assert last <= MOST_SECONDS
        await until(lambda: None if ended(doctor) and ended(child) else "somebody was not told")

    for who in (link, guardians):
        with pytest.raises(Refusal, match="link_invalid"):
            await visitor.join(who)
    assert resume
    gone = began + DESTROYED_SECONDS
    while (await desk.fetch("GET", f"/api/v1/appointments/{appointment}"))[0] != 410 or not await has_receipt(desk):
        assert time.monotonic() < gone
        await asyncio.sleep(0.05)
    print(f"withdrawal to the receipt of destruction: {time.monotonic() - began:.1f} s")


def ended(one: Participant) -> bool:
    return one.ended is not None


async def has_receipt(desk: Rest) -> bool:
    return '"receipt":' in (await desk.fetch("GET", "/api/v1/receipts"))[1].replace(" ", "")

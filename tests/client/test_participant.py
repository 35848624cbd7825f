"""Whole consults of two participants against a running server, over nothing but its public protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from client.errors import Offline, Refusal
from client.participant import Participant, patient, practitioner
from client.rest import Rest
from client.synthetic import Pattern, Tone
from signaling.protocol.events import HoldMessage, RoomView
from tests.client.house import House
from tests.client.waiting import until

SOON: HoldMessage = "soon"


@dataclass
class Consult:
    """Both are in and see each other."""

    appointment: str
    link: str
    doctor: Participant
    visitor: Participant


def waits(doctor: Participant, visitor: Participant) -> str | None:
    waiting = [view.participant for view in doctor.desk.waiting] if doctor.desk else []
    return None if visitor.id in waiting else f"waiting: {waiting}"


def codes(*people: Participant) -> str | None:
    shown = {person.keys.code for person in people}
    return None if len(shown) == 1 and None not in shown else f"codes {shown}"


def sees(viewer: Participant, other: Participant, more_than: int = 0) -> str | None:
    place = viewer.receiving(other.id, "camera")
    state = viewer.media.pc.connectionState if viewer.media else "no media"
    return None if place and place.decoded > more_than else f"{viewer.role} sees nothing: {place}, {state}"


@asynccontextmanager
async def consult(house: House, desk: Rest, visitor: Rest) -> AsyncIterator[Consult]:
    appointment, link = await house.appointment(desk)
    doctor = practitioner(desk, appointment, {"microphone": Tone(400), "camera": Pattern(60)})
    guest = await patient(visitor, link, {"microphone": Tone(700), "camera": Pattern(200)})
    async with doctor, guest:
        await doctor.watch()
        await guest.arrive()
        await until(lambda: waits(doctor, guest))
        await doctor.write(guest.id, "Wilt u de camera vrijgeven?")
        await until(lambda: None if guest.room and guest.room.written else "nothing was written")
        await guest.say("Dat lukt niet")
        await until(lambda: None if doctor.desk and doctor.desk.waiting[0].said == "Dat lukt niet" else "no answer")
        await guest.check("works", "busy")
        await until(lambda: None if doctor.desk and doctor.desk.waiting[0].check else "nothing of the devices")
        await doctor.admit(guest.id)
        await until(lambda: codes(doctor, guest) or sees(doctor, guest) or sees(guest, doctor))
        yield Consult(appointment, link, doctor, guest)


async def test_a_consult_from_the_waiting_room_to_goodbye(house: House, desk: Rest, visitor: Rest) -> None:
    appointment, link = await house.appointment(desk)
    doctor = practitioner(desk, appointment, {"microphone": Tone(400), "camera": Pattern(60)})
    guest = await patient(visitor, link, {"microphone": Tone(700), "camera": Pattern(200)})
    async with doctor, guest:
        await doctor.watch()
        view = await guest.arrive()
        assert view.me.state == "waiting"
        assert (view.others, view.media, view.keys) == ([], None, None)
        await until(lambda: waits(doctor, guest))
        await doctor.tell(guest.id, SOON)
        await until(lambda: None if guest.told == [SOON] else "not told")
        await doctor.admit(guest.id)
        await until(lambda: codes(doctor, guest) or sees(doctor, guest) or sees(guest, doctor))
        places = doctor.receiving(guest.id, "microphone"), doctor.receiving(guest.id, "camera")
        await until(lambda: None if places[0] and places[0].frequency() else "no sound yet")
        assert places[0]
        assert places[1]
        assert places[0].frequency() == pytest.approx(700, abs=5)
        assert places[1].grey_level() == pytest.approx(200, abs=6)
        await doctor.leave()
        await until(lambda: None if guest.ended else "not ended")
    with pytest.raises(Refusal, match="link_invalid"):
        await visitor.join(link)


async def test_chat_is_encrypted_and_sent_again_to_a_page_that_was_reloaded(
    house: House, desk: Rest, visitor: Rest
) -> None:
    async with consult(house, desk, visitor) as them:
        doctor, first = them.doctor, them.visitor
        await doctor.send_chat("Goedemorgen")
        await first.send_chat("Dag, dokter — ça va")
        await until(lambda: None if len(doctor.chat) == len(first.chat) == 2 else "not all arrived")
        assert [entry.text for entry in doctor.chat] == [entry.text for entry in first.chat]
        reloaded = await patient(visitor, them.link, {"camera": Pattern(120)}, resume=first.resume)
        async with reloaded:
            await reloaded.arrive(take_over=True)
            await until(lambda: None if first.taken_over else "the first page was not told")
            await until(lambda: codes(doctor, reloaded) or sees(doctor, reloaded) or sees(reloaded, doctor))
            assert doctor.keys.epochs == sorted(set(doctor.keys.epochs))
            await until(lambda: None if len(reloaded.chat) == 2 else "no log")
            assert [entry.text for entry in reloaded.chat] == [entry.text for entry in doctor.chat]


async def test_a_seat_that_somebody_holds_is_not_given_away_unasked(house: House, desk: Rest, visitor: Rest) -> None:
    async with consult(house, desk, visitor) as them:
        second = await patient(visitor, them.link)
        async with second:
            with pytest.raises(Refusal, match="seat_taken"):
                await second.arrive()
        frames = them.doctor.receiving(them.visitor.id, "camera")
        assert frames
        before = frames.decoded
        await until(lambda: sees(them.doctor, them.visitor, before + 3))
        assert not them.visitor.taken_over


async def test_the_picture_goes_on_while_signaling_is_lost_and_the_same_page_comes_back(
    house: House, desk: Rest, visitor: Rest
) -> None:
    async with consult(house, desk, visitor) as them:
        doctor, guest = them.doctor, them.visitor
        epochs, code = list(doctor.keys.epochs), doctor.keys.code
        await guest.lose_signaling()
        place = doctor.receiving(guest.id, "camera")
        assert place
        before = place.decoded
        await until(lambda: sees(doctor, guest, before + 10))
        await until(lambda: None if guest.returns == 1 else "not back")
        assert guest.losses == 1
        await guest.send_chat("terug")
        await until(lambda: None if doctor.chat else "no chat")
        assert (doctor.keys.epochs, doctor.keys.code) == (epochs, code)


async def test_a_screen_is_seen_on_the_stage_and_taken_away(house: House, desk: Rest, visitor: Rest) -> None:
    async with consult(house, desk, visitor) as them:
        await them.visitor.set_track("screen", Pattern(90, 640, 480, 10))

        def screen() -> str | None:
            place = them.doctor.receiving(them.visitor.id, "screen")
            return None if place and place.decoded else f"no screen: {place}"

        await until(screen)
        place = them.doctor.receiving(them.visitor.id, "screen")
        assert place
        assert place.grey_level() == pytest.approx(90, abs=6)
        await them.visitor.set_track("screen", None)


async def test_a_ticket_that_is_not_taken_gives_way_to_the_link(house: House, desk: Rest, visitor: Rest) -> None:
    _, link = await house.appointment(desk)
    guest = await patient(visitor, link, resume="no ticket of this server")
    async with guest:
        assert (await guest.arrive()).me.state == "waiting"
        assert guest.resume


async def test_a_consult_that_ended_meanwhile_is_not_come_back_to(house: House, desk: Rest, visitor: Rest) -> None:
    async with consult(house, desk, visitor) as them:
        await them.visitor.lose_signaling()
        await them.doctor.leave()
        await until(lambda: None if them.visitor.ended else "still trying")


async def test_what_is_said_while_a_page_is_away_waits_for_it_and_comes_once(
    house: House, desk: Rest, visitor: Rest
) -> None:
    async with consult(house, desk, visitor) as them:
        doctor, guest = them.doctor, them.visitor
        await guest.lose_signaling()
        await doctor.send_chat("gehoord?")
        # The guest's own is sent into the loss, and again after it under the same id.
        await guest.send_chat("hier nog")
        await until(lambda: None if len(guest.chat) == len(doctor.chat) == 2 else "a message is missing")
        assert {entry.text for entry in guest.chat} == {entry.text for entry in doctor.chat} == {"gehoord?", "hier nog"}
        assert guest.returns == 1


async def test_what_is_said_before_a_page_is_back_in_its_place_waits_for_that(
    house: House, desk: Rest, visitor: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with consult(house, desk, visitor) as them:
        doctor, guest = them.doctor, them.visitor
        arrive, may_enter = doctor.arrive, asyncio.Event()

        async def enter_late(*, take_over: bool = False) -> RoomView:
            await may_enter.wait()
            return await arrive(take_over=take_over)

        monkeypatch.setattr(doctor, "arrive", enter_late)
        await doctor.lose_signaling()
        while True:  # until the connection is there again, without a place
            try:
                await doctor.request("snapshot")
            except Refusal as refusal:
                assert refusal.code == "bad_state"
                break
            except Offline:
                await asyncio.sleep(0.05)
        said = asyncio.create_task(doctor.send_chat("gehoord?"))
        await asyncio.sleep(0.2)
        assert not said.done()
        may_enter.set()
        await said
        await until(lambda: None if [entry.text for entry in guest.chat] == ["gehoord?"] else "still lost")


async def test_what_nobody_kept_for_a_page_is_asked_of_the_others(house: House, desk: Rest, visitor: Rest) -> None:
    async with consult(house, desk, visitor) as them, Redis.from_url(house.redis_url) as redis:
        doctor, guest = them.doctor, them.visitor
        await guest.lose_signaling()
        await doctor.send_chat("gehoord?")
        await redis.delete(*[key async for key in redis.scan_iter("sk:replay-body:*")])
        await doctor.lose_signaling()
        await until(lambda: None if [entry.text for entry in guest.chat] == ["gehoord?"] else "still lost")
        assert guest.returns == 1

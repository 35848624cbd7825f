"""Seats: waiting, admission, takeovers, coming back, leaving."""

import asyncio
from typing import Any

from tests.conformance.requirement import Violation, expect, requirement
from tests.conformance.world import Consult, Refused, World, until


@requirement("From link to talk", "A waiting participant sees itself and nothing else.")
async def waiting_sees_nothing(world: World) -> None:
    them = await world.waiting()
    await them.doctor.arrive()
    view = await them.guest.do("snapshot")
    expect(view["me"]["participant"] == them.guest.id, "the view is somebody else's")
    expect(view["me"]["state"] == "waiting", f"the state is {view['me']['state']}")
    seen = {name: view[name] for name in ("others", "media", "keys") if view[name]}
    expect(not seen, f"who waits sees {sorted(seen)}")


@requirement("From link to talk", "The desk shows who waits.")
async def desk_shows(world: World) -> None:
    them = await world.waiting()

    def shown() -> bool:
        newest = max(them.doctor.events("desk"), key=lambda desk: int(desk["version"]), default=None)
        return newest is not None and any(one["participant"] == them.guest.id for one in newest["waiting"])

    await until(shown, "the desk does not show who waits")


def beside(them: Consult) -> dict[str, Any]:
    """The guest as the newest view of the desk has them."""
    views: list[dict[str, Any]] = [{"version": 0, "waiting": []}, *them.doctor.events("desk")]
    waiting = max(views, key=lambda view: int(view["version"]))["waiting"]
    return next((one for one in waiting if one["participant"] == them.guest.id), {})


@requirement("Events from a client", "`check` stands beside who waits, in a colour with its reason.")
async def checked(world: World) -> None:
    them = await world.waiting()
    await them.guest.do("check", {"microphone": "denied", "camera": "works"})
    red = {"grade": "red", "device": "microphone", "found": "denied"}
    await until(lambda: beside(them).get("check") == red, "the desk does not show how the devices are")


@requirement("Events from the server", "A canned message reaches who waits.")
async def told(world: World) -> None:
    them = await world.waiting()
    await them.doctor.do(
        "tell", {"appointment": them.appointment, "participant": them.guest.id, "message": "five-minutes"}
    )
    await until(lambda: them.guest.events("told"), "no `told`")
    expect(them.guest.events("told") == [{"message": "five-minutes"}], "another message")


@requirement("Events from a client", "Words pass between the desk and who waits, and end with admission.")
async def words_while_waiting(world: World) -> None:
    them = await world.waiting()
    to = {"appointment": them.appointment, "participant": them.guest.id}
    await them.doctor.do("write", to | {"text": "Is u hier?"})
    await until(lambda: them.guest.view.get("written") == "Is u hier?", "what was written does not arrive")
    await them.guest.do("say", {"text": "Jazeker"})

    await until(lambda: beside(them).get("said") == "Jazeker", "the desk does not show what was said")
    await them.doctor.refused("invalid", "write", to | {"text": "x" * 501})
    await them.guest.refused("invalid", "say", {"text": "x" * 501})
    await them.doctor.admit(them.guest)
    await until(lambda: them.guest.view["me"]["state"] == "admitted", "nobody was called in")
    expect("written" not in them.guest.view, "it is still there in the consult")
    await them.doctor.refused("not_found", "write", to | {"text": "too late"})


@requirement("Events from a client", "What is announced reaches who waits, and who comes to wait later.")
async def announced(world: World) -> None:
    them = await world.waiting()
    said = {"status": "away", "delay": 15, "overrun": False}
    await them.doctor.do("announce", {"status": "away", "delay": 15})
    await until(lambda: said in them.guest.events("announced"), "who waits is told nothing")
    await them.guest.close()
    back = await world.guest(them.link)
    await back.arrive()
    await until(lambda: said in back.events("announced"), "who comes later is told nothing")
    await them.doctor.do("announce", {"status": "open"})
    await until(lambda: back.events("announced")[-1]["status"] == "open", "the end of it is not told")
    await them.doctor.refused("invalid", "announce", {"status": "asleep"})


@requirement("Events from a client", "Who is declined reads the words that go with it, and may come again by the link.")
async def declined(world: World) -> None:
    them = await world.waiting()
    to = {"appointment": them.appointment, "participant": them.guest.id}
    await them.doctor.do("decline", to | {"message": "call-us", "text": "Na twee uur"})
    await until(lambda: them.guest.events("ended"), "who is declined is told nothing")
    expect(
        them.guest.events("ended") == [{"reason": "ended", "declined": {"message": "call-us", "text": "Na twee uur"}}],
        "other words",
    )
    await until(lambda: not beside(them), "the desk still shows who was declined")
    again = await world.guest(them.link)
    expect((await again.arrive())["me"]["state"] == "waiting", "the link does not open any more")


@requirement("Events from a client", "`put-back` takes media and keys; the tickets of before do not let in again.")
async def put_back(world: World) -> None:
    them = await world.consult()
    epoch = them.guest.view["keys"]["epoch"]
    await them.guest.refused("forbidden", "put-back", {"participant": them.doctor.id})
    await them.doctor.do("put-back", {"participant": them.guest.id})
    await until(lambda: them.guest.view["me"]["state"] == "waiting", "still in")
    seen = {name: them.guest.view[name] for name in ("others", "media", "keys") if them.guest.view[name]}
    expect(not seen and them.guest.view["held"], f"who was put back sees {sorted(seen)}")
    await them.doctor.admit(them.guest)
    await until(lambda: them.guest.view["me"]["state"] == "admitted", "not called in again")
    expect(them.guest.view["keys"]["epoch"] > epoch, "the keys of before")


@requirement("From link to talk", "After `admit` both see each other, media and keys, of the same epoch and order.")
async def admitted(world: World) -> None:
    them = await world.consult()
    await until(lambda: len(them.doctor.view["others"]) == 1, "the practitioner does not see the patient")
    for page, other in ((them.doctor, them.guest), (them.guest, them.doctor)):
        view = page.view
        expect([one["participant"] for one in view["others"]] == [other.id], "`others` are not the others")
        expect(view["keys"] is not None, "no keys")
        ids = [member["participant"] for member in view["keys"]["members"]]
        expect(ids == sorted((page.id, other.id), key=str.encode), "the members are not in bytewise order")
        expect(view["media"] is not None, "no media")
        expect(view["media"]["slots"] >= 1, "no slot for the other")
    await until(
        lambda: them.doctor.view["keys"]["epoch"] == them.guest.view["keys"]["epoch"], "two epochs at the same time"
    )


@requirement("From link to talk", "Versions of the room view only rise; `snapshot` gives the newest.")
async def versions_rise(world: World) -> None:
    them = await world.consult()
    for microphone in (False, True, False):
        await them.guest.do("indicate", {"microphone": microphone, "camera": True, "screen": False})
    heard = [int(view["version"]) for view in them.doctor.events("room")]
    expect(heard == sorted(heard), f"versions fall: {heard}")
    snapshot = await them.doctor.do("snapshot")
    expect(snapshot["version"] >= max(heard, default=0), "an old snapshot")
    expect(snapshot["others"][0]["indicators"]["microphone"] is False, "the indicators are not the last ones")


@requirement("From link to talk", "`arrive` by the same page again changes nothing for the others.")
async def arriving_twice(world: World) -> None:
    them = await world.consult()
    epoch = them.guest.view["keys"]["epoch"]
    view = await them.guest.arrive()
    expect(view["me"]["state"] == "admitted", "no longer in")
    expect(view["keys"]["epoch"] == epoch, "a new epoch for the same page")


@requirement("Seats, takeovers, tickets", "A second page with the ticket is asked, then takes over; the first is told.")
async def seat_taken(world: World) -> None:
    them = await world.consult()
    epoch = them.guest.view["keys"]["epoch"]
    second = await world.returning(them.guest)
    body = {"appointment": them.appointment, "participant": second.id}
    await second.refused("seat_taken", "arrive", body)
    expect(not them.guest.events("taken-over"), "the first page lost its seat unasked")
    view = await second.arrive(take_over=True)
    expect(view["me"]["state"] == "admitted", "the newcomer is not in")
    expect(view["keys"]["epoch"] > epoch, "the new page has the old keys' epoch")
    await until(lambda: them.guest.events("taken-over"), "the first page is not told")
    await until(lambda: not them.guest.connected, "the first page stays connected")


@requirement("Events from the server", "A page that does not say that it is still there gives way unasked.")
async def silent_page_gives_way(world: World) -> None:
    them = await world.consult()
    them.guest.silent = True
    second = await world.returning(them.guest)
    view = await second.arrive()
    expect(view["me"]["state"] == "admitted", "the newcomer is not in")


@requirement("Seats, takeovers, tickets", "Who has only the link waits beside who is in, and throws nobody out.")
async def link_alone_waits(world: World) -> None:
    them = await world.consult()
    stranger = await world.guest(them.link)
    view = await stranger.arrive(take_over=True)
    expect(view["me"]["state"] == "waiting", "a link alone gets in")
    expect(not view["others"], "a link alone sees who is in")
    await asyncio.sleep(0.3)
    expect(them.guest.connected, "a link alone throws somebody out")
    await them.doctor.admit(stranger)
    await until(lambda: them.guest.events("taken-over"), "who was in is not told when the newcomer is admitted")


@requirement("From link to talk", "A page that lost its socket comes back to its place, with the same keys.")
async def resume(world: World) -> None:
    them = await world.consult()
    epoch = them.guest.view["keys"]["epoch"]
    await them.guest.drop()
    back = await world.returning(them.guest, same=True)
    view = await back.arrive()
    expect(view["me"]["state"] == "admitted", "no longer in")
    expect(view["keys"]["epoch"] == epoch, "a reconnect makes a new epoch")
    expect([one["participant"] for one in view["others"]] == [them.doctor.id], "the other is not there")


@requirement("From link to talk", "A reload comes back with the ticket, as a new participant with a new epoch.")
async def reload(world: World) -> None:
    them = await world.consult()
    epoch = them.guest.view["keys"]["epoch"]
    await them.guest.close()
    back = await world.returning(them.guest)
    view = await back.arrive()
    expect(view["me"]["state"] == "admitted", "no longer in")
    expect(view["keys"]["epoch"] > epoch, "a reload keeps the epoch")


@requirement("Seats, takeovers, tickets", "A ticket of the waiting room does not let in.")
async def ticket_of_waiting(world: World) -> None:
    them = await world.waiting()
    ticket = them.guest
    await them.guest.close()
    back = await world.returning(ticket)
    view = await back.arrive()
    expect(view["me"]["state"] == "waiting", "in without admission")


@requirement("Seats, takeovers, tickets", "Who left gives up the seat: the ticket is no way back in.")
async def patient_leaves(world: World) -> None:
    them = await world.consult()
    await them.guest.do("leave")
    await until(lambda: not them.doctor.view["others"], "the practitioner still sees who left")
    try:
        back = await world.returning(them.guest)
    except Refused as refused:
        expect(refused.code == "token_invalid", f"the ticket gets {refused.code}")
        back = await world.guest(them.link)
    view = await back.arrive()
    expect(view["me"]["state"] == "waiting", "back in without admission")


@requirement("Seats, takeovers, tickets", "The practitioner's `leave` ends the consult for all, and its link.")
async def practitioner_leaves(world: World) -> None:
    from client.errors import Refusal

    them = await world.consult()
    await them.doctor.do("leave")
    await until(lambda: them.guest.events("ended"), "the patient is not told")
    try:
        await world.visitor.join(them.link)
    except Refusal as refusal:
        expect(refusal.code == "link_invalid", f"the link gets {refusal.code}")
    else:
        raise Violation("the link still opens")

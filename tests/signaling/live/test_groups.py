"""More than two in one consult, over real sockets: who is in, who leads, what is passed on and kept nowhere."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from media.control import MediaUnavailable, OpenRoom, Refused, SetSizes, SlotsChanged, SlotSize, SlotView
from practice.agenda.guests import Invitee
from practice.agenda.model import Guest, GuestRole
from rooms.live import LiveConsults
from tests.opening import of
from tests.signaling.live.cast import LINES, SDP, Node, Person, Practice, Worker, until
from tests.signaling.live.test_guests import guest_page
from tests.signaling.live.test_placement import ready
from vault.audit.search import Search


async def invite(practice: Practice, role: GuestRole) -> Guest:
    one = practice.appointment
    changed = await practice.store.guests.add(of(one.owner), one.id, Invitee(f"A {role}", role, "nl"))
    practice.appointment = changed
    return changed.guests[-1]


@dataclass
class Group:
    """Practitioner, patient, interpreter and colleague; ``guests`` are those of the last two."""

    where: str
    doctor: Person
    patient: Person
    interpreter: Person
    colleague: Person
    guests: tuple[Guest, Guest]

    @property
    def everybody(self) -> tuple[Person, ...]:
        return self.doctor, self.patient, self.interpreter, self.colleague


@pytest.fixture
async def group(node: Node, worker: Worker, practice: Practice) -> Group:
    """All four are in."""
    guests = await invite(practice, "interpreter"), await invite(practice, "colleague")
    where = practice.appointment.id
    doctor, patient = await practice.practitioner_page().connect(node), await practice.patient_page().connect(node)
    others = [await guest_page(practice, one).connect(node) for one in guests]
    for one in (patient, *others):
        await one.arrive(where)
        await doctor.admit(where, one)
    them = Group(where, doctor, patient, others[0], others[1], guests)
    for one in them.everybody:
        await until(partial(sees, one, 3), "all see all")
        await ready(one)
    return them


def sees(page: Person, others: int) -> bool:
    return len(page.view["others"]) == others


def has_heard(page: Person, told: list[dict[str, Any]]) -> bool:
    return page.events("speaks") == told


def members(page: Person) -> set[str]:
    return {one["participant"] for one in page.view["keys"]["members"]}


async def test_all_who_are_in_are_shown_and_shake_hands(group: Group) -> None:
    everybody = {one.id for one in group.everybody}
    for page in group.everybody:
        shown = {one["participant"] for one in page.view["others"] if one["state"] == "admitted"}
        assert shown | {page.id} == everybody == members(page)
        assert (page.view["capacity"], page.view["media"]["slots"], page.view["media"]["simulcast"]) == (4, 3, True)
    assert len({page.view["keys"]["epoch"] for page in group.everybody}) == 1


async def test_a_consult_of_two_says_nothing_of_groups(node: Node, worker: Worker, practice: Practice) -> None:
    patient, doctor = await practice.talk(node)
    for page in (patient, doctor):
        assert {"capacity", "locked"} & set(page.view) == set()
        assert "simulcast" not in page.view["media"]
        assert page.view["media"]["slots"] == 1
        assert await page.code("speak", {"speaking": True}) == "bad_state"


async def test_a_guest_who_is_invited_while_it_runs_makes_it_larger(
    node: Node, worker: Worker, practice: Practice
) -> None:
    patient, doctor = await practice.talk(node)
    await ready(doctor)
    fence = doctor.view["media"]["fence"]
    late = await invite(practice, "guardian")
    await node.signaling.invited(practice.appointment)
    await until(lambda: doctor.view["media"]["slots"] == patient.view["media"]["slots"] == 2, "there is a slot more")
    larger = OpenRoom(room=practice.appointment.id, fence=fence, capacity=3)
    await until(lambda: larger in worker.calls, "the worker knows")
    assert doctor.view["media"]["fence"] == fence, "under the same fence"
    page = await guest_page(practice, late).connect(node)
    await page.arrive(practice.appointment.id)
    await doctor.admit(practice.appointment.id, page)
    assert members(doctor) == {doctor.id, patient.id, page.id}


async def test_a_guest_who_comes_makes_room_where_nobody_could_be_told(
    node: Node, worker: Worker, practice: Practice
) -> None:
    _, doctor = await practice.talk(node)
    page = await guest_page(practice, await invite(practice, "guest")).connect(node)
    await page.arrive(practice.appointment.id)
    await doctor.admit(practice.appointment.id, page)
    assert doctor.view["capacity"] == 3


async def test_a_worker_that_was_not_told_that_a_room_grew_is_told_by_the_next_offer(
    group: Group, worker: Worker
) -> None:
    fence, larger = group.colleague.view["media"]["fence"], []

    def forgetful(call: Any) -> Any:
        if isinstance(call, OpenRoom):
            larger.append(call.capacity)
        elif call.call == "offer" and not larger:
            return Refused(code="room_full")
        return Worker.handle(worker, call)

    worker.control._handle = forgetful
    answer = await group.colleague.do("offer", {"fence": fence, "sdp": SDP, "lines": LINES})
    assert (answer["fence"], larger) == (fence, [4])


async def test_one_more_than_may_be_in_reads_that_it_is_full(
    nodes: Callable[..., Awaitable[Node]], worker: Worker, practice: Practice
) -> None:
    small = await nodes(people=2)
    interpreter = await guest_page(practice, await invite(practice, "interpreter")).connect(small)
    patient, doctor = await practice.talk(small)
    await interpreter.arrive(practice.appointment.id)
    body = {"appointment": practice.appointment.id, "participant": interpreter.id, "me": doctor.id}
    assert await doctor.code("admit", body) == "room_full"
    await doctor.do("put-back", {"participant": patient.id})
    await doctor.do("admit", body)
    assert members(doctor) == {doctor.id, interpreter.id}


# --- who leads -------------------------------------------------------------------------------------------------------


def acts(group: Group) -> dict[str, dict[str, Any]]:
    """What only who leads does, in an order in which each is possible for them."""
    return {
        "lock": {"locked": True},
        "put-back": {"participant": group.interpreter.id},
        "call-in": {"appointment": group.where, "participant": group.interpreter.id},
        "remove": {"participant": group.interpreter.id},
    }


async def test_what_takes_who_leads_is_refused_to_everybody_else(group: Group) -> None:
    for event, body in (acts(group) | {"hand-over": {"participant": group.colleague.id}}).items():
        for page in (group.patient, group.interpreter, group.colleague):
            assert await page.code(event, body) == "forbidden", (event, page.claims)
    assert members(group.doctor) == {one.id for one in group.everybody}


async def test_a_host_does_all_of_it_but_hand_on(group: Group) -> None:
    await group.doctor.do("hand-over", {"participant": group.colleague.id})
    await until(lambda: group.colleague.view["me"].get("host"), "the colleague is told")
    await until(lambda: sum(one.get("host", False) for one in group.patient.view["others"]) == 1, "and the others")
    assert await group.colleague.code("hand-over", {"participant": group.colleague.id}) == "forbidden"
    elsewhere = {"appointment": "a" * 22, "participant": group.interpreter.id}
    assert await group.colleague.code("call-in", elsewhere) == "not_found"
    for event, body in acts(group).items():
        await group.colleague.do(event, body)
        await until(lambda: group.colleague.view["version"] == group.doctor.view["version"], "both see it")
        waiting = {one["participant"] for one in group.colleague.view["others"] if one["state"] == "waiting"}
        assert waiting == ({group.interpreter.id} if event == "put-back" else set()), "who leads sees who waits"
    assert group.doctor.view["locked"]
    assert group.interpreter.events("ended") == [{"reason": "removed"}]
    assert await group.colleague.code("remove", {"participant": group.doctor.id}) == "not_found"
    assert await group.colleague.code("watch") == "forbidden", "the desk is not theirs"


async def test_only_a_colleague_is_handed_over_to(group: Group) -> None:
    for page in (group.patient, group.interpreter):
        assert await group.doctor.code("hand-over", {"participant": page.id}) == "forbidden"
    assert await group.doctor.code("hand-over", {"participant": "nobody"}) == "not_found"
    await group.doctor.do("hand-over", {"participant": group.colleague.id})
    await group.doctor.do("hand-over", {"participant": group.doctor.id})
    await until(lambda: "host" not in group.colleague.view["me"], "it was taken back")
    assert await group.colleague.code("lock", {"locked": True}) == "forbidden"


async def test_the_practitioner_leaves_it_to_a_host_who_ends_it(group: Group, practice: Practice) -> None:
    appointments, owner = practice.store.appointments, of(practice.appointment.owner)
    await group.doctor.do("hand-over", {"participant": group.colleague.id})
    await group.doctor.do("leave")
    await until(lambda: members(group.patient) == {one.id for one in group.everybody[1:]}, "it goes on")
    assert (await appointments.get(owner, group.where)).state == "planned"
    await group.colleague.do("leave")
    await until(lambda: group.patient.events("ended") == [{"reason": "ended"}], "it is over")
    assert (await appointments.get(owner, group.where)).state == "ended"
    entries = [str(one.act) for one in await practice.store.audit.newest(Search(), 10)]
    assert {"consult-handed-over", "appointment-ended"} <= set(entries)


async def test_where_the_host_was_lost_meanwhile_who_leaves_ends_it_in_storage_too(
    group: Group, practice: Practice, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await group.doctor.do("hand-over", {"participant": group.colleague.id})
    real = LiveConsults.load
    stale = await node.signaling.consults.live.load(group.where)
    await group.doctor.do("put-back", {"participant": group.colleague.id})

    async def load(self: LiveConsults, appointment: str) -> Any:
        monkeypatch.setattr(LiveConsults, "load", real)
        return stale

    monkeypatch.setattr(LiveConsults, "load", load)
    await group.doctor.do("leave")
    assert (await practice.store.appointments.get(of(practice.appointment.owner), group.where)).state == "ended"


# --- out, and in -----------------------------------------------------------------------------------------------------


async def test_who_is_removed_hears_it_and_waits_by_their_link(group: Group, practice: Practice, node: Node) -> None:
    resume = group.interpreter.view["resume"]
    await group.doctor.do("remove", {"participant": group.interpreter.id})
    await until(lambda: group.interpreter.events("ended") == [{"reason": "removed"}], "their page is told")
    assert members(group.doctor) == {one.id for one in group.everybody} - {group.interpreter.id}
    for token in (group.interpreter.token(), resume):
        again = await Person(token).connect(node)
        view = await again.arrive(group.where, take_over=True)
        assert (view["me"]["state"], view["others"], view["media"]) == ("waiting", [], None)


async def test_nobody_new_comes_to_a_locked_consult_and_who_reloads_is_in(
    group: Group, practice: Practice, node: Node
) -> None:
    late = await guest_page(practice, await invite(practice, "guest")).connect(node)
    await group.doctor.do("lock", {"locked": True})
    reply = await late.ask("arrive", {"appointment": group.where, "participant": late.id})
    assert (reply["error"]["code"], reply["error"]["category"]) == ("room_locked", "user")
    reloaded = await Person(group.patient.view["resume"]).connect(node)
    assert (await reloaded.arrive(group.where, take_over=True))["me"]["state"] == "admitted"
    await group.doctor.do("lock", {"locked": False})
    assert (await late.arrive(group.where))["me"]["state"] == "waiting"


# --- sizes and speech ------------------------------------------------------------------------------------------------


async def test_what_is_shown_how_large_reaches_the_worker_and_nothing_else(
    group: Group, worker: Worker, node: Node
) -> None:
    before = await node.signaling.consults.live.load(group.where)
    body = {
        "sizes": [{"slot": 0, "height": 180}, {"slot": -1, "height": 1080, "pinned": True}, {"slot": 2, "height": 0}]
    }
    await group.patient.do("sizes", body)
    call = worker.calls[-1]
    assert isinstance(call, SetSizes)
    assert (call.room, call.fence, call.peer) == (group.where, group.patient.view["media"]["fence"], group.patient.id)
    sizes = [SlotSize(slot=0, height=180), SlotSize(slot=-1, height=1080, pinned=True), SlotSize(slot=2, height=0)]
    assert call.sizes == sizes
    assert await node.signaling.consults.live.load(group.where) == before, "the document knows nothing of it"


async def test_a_worker_that_does_not_take_sizes_keeps_its_rooms(
    group: Group, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of an older version lets the call pass in silence, or refuses it."""
    fence = group.doctor.view["media"]["fence"]

    async def silent(_worker: str, _call: Any) -> Any:
        raise MediaUnavailable

    async def refuses(_worker: str, _call: Any) -> Any:
        return Refused(code="internal")

    monkeypatch.setattr(node.signaling.consults.workers, "call", silent)
    assert await group.doctor.code("sizes", {"sizes": []}) == "try_again"
    monkeypatch.setattr(node.signaling.consults.workers, "call", refuses)
    await group.doctor.do("sizes", {"sizes": []})
    assert (await group.doctor.do("snapshot"))["media"] | {"ice_servers": []} == {
        "fence": fence,
        "ready": True,
        "slots": 3,
        "ice_servers": [],
        "simulcast": True,
    }


async def test_a_worker_that_forgot_the_room_is_noticed_by_sizes_too(group: Group, worker: Worker) -> None:
    fence = group.doctor.view["media"]["fence"]

    def forgetful(call: Any) -> Any:
        return Refused(code="no_room") if isinstance(call, SetSizes) else Worker.handle(worker, call)

    worker.control._handle = forgetful
    assert await group.doctor.code("sizes", {"sizes": []}) == "bad_state"
    await ready(group.doctor, above=fence)


async def test_who_speaks_is_told_to_those_who_are_in(group: Group, practice: Practice, node: Node) -> None:
    waiting = await guest_page(practice, await invite(practice, "guest")).connect(node)
    await waiting.arrive(group.where)
    assert await waiting.code("speak", {"speaking": True}) == "forbidden"
    await group.patient.do("speak", {"speaking": True})
    await group.patient.do("speak", {"speaking": False})
    told = [{"participant": group.patient.id, "speaking": on} for on in (True, False)]
    for one in (group.doctor, group.interpreter, group.colleague):
        await until(partial(has_heard, one, told), "they hear it")
    assert group.patient.events("speaks") == waiting.events("speaks") == []


async def test_who_says_it_too_often_is_held_back(group: Group, node: Node) -> None:
    for event, body in (("speak", {"speaking": True}), ("sizes", {"sizes": []})):
        codes = [await group.patient.code(event, body) for _ in range(40)]
        assert codes[:10] == [None] * 10
        assert "rate_limited" in codes
    assert await group.doctor.code("speak", {"speaking": True}) is None, "and nobody else"


async def test_a_slot_without_a_picture_for_want_of_bandwidth_is_told(group: Group, worker: Worker) -> None:
    fence = group.doctor.view["media"]["fence"]
    slots = [SlotView(slot=0, peer=group.patient.id, paused=True), SlotView(slot=1, peer=group.colleague.id)]
    worker.emit(SlotsChanged(room=group.where, fence=fence, peer=group.doctor.id, version=9, slots=slots))
    shown = [
        {"slot": 0, "participant": group.patient.id, "paused": True},
        {"slot": 1, "participant": group.colleague.id},
    ]
    await until(lambda: group.doctor.events("slots") == [{"fence": fence, "version": 9, "slots": shown}], "it is told")

"""One participant cannot begin the key handshake again and again."""

from typing import Any

from signaling.limiter import KEY_RESTARTS
from tests.signaling.live.cast import Node, Person, Practice, Worker, until


async def begin_again(person: Person) -> dict[str, Any]:
    """Of the epoch that is; the reply."""
    view = await person.do("snapshot")
    return await person.ask("key-restart", {"epoch": view["keys"]["epoch"]})


async def test_key_handshakes_of_one_seat_are_rated_whatever_page_sits_in_it(
    nodes: Any, worker: Worker, practice: Practice
) -> None:
    here, there = await nodes(), await nodes()
    patient, doctor = await practice.talk(here, at=there)
    for _ in range(KEY_RESTARTS.tries):
        assert (await begin_again(patient))["ok"]
    epoch = (await doctor.do("snapshot"))["keys"]["epoch"]
    refused = await begin_again(patient)
    assert refused["error"]["code"] == "rate_limited"
    assert 1 <= refused["error"]["retry_after"] <= KEY_RESTARTS.seconds
    resume = patient.view["resume"]
    await patient.leave_abruptly()
    again = await Person(resume).connect(there)
    await again.arrive(practice.appointment.id)
    assert (await begin_again(again))["error"]["code"] == "rate_limited"
    # The other's are counted apart, and an epoch that is over costs nothing.
    assert (await begin_again(doctor))["ok"]
    await until(lambda: again.view["keys"] and again.view["keys"]["epoch"] > epoch, "the other begins again")
    assert await again.code("key-restart", {"epoch": epoch}) is None


async def test_an_epoch_that_is_over_may_be_asked_about_as_often_as_one_likes(
    node: Node, worker: Worker, practice: Practice
) -> None:
    patient, doctor = await practice.talk(node)
    old = patient.view["keys"]["epoch"]
    assert (await begin_again(doctor))["ok"]
    for _ in range(2 * KEY_RESTARTS.tries):
        assert await patient.code("key-restart", {"epoch": old}) is None
    assert (await begin_again(patient))["ok"]

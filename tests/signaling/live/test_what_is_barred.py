"""What a practice does not allow in its consults: said to both, refused to whoever tries, as it was when they began."""

from functools import partial

from tests.organisations import found, scope_of
from tests.signaling.live.cast import LINES, SDP, Node, Person, Practice, Worker, until

SCREEN = [*LINES, {"mid": "2", "use": "screen"}]


async def decide(practice: Practice, *barred: str) -> None:
    scope = await scope_of(practice.store, practice.practitioner)
    before = await practice.store.policies.of(scope)
    await practice.store.policies.change(scope, None, barred, before.version)  # type: ignore[arg-type]  # as they are


def ready(page: Person) -> bool:
    return bool(page.view["media"] and page.view["media"]["ready"])


async def test_it_is_refused_in_consults_that_begin_afterwards(node: Node, worker: Worker, practice: Practice) -> None:
    await found(practice.store, practice.practitioner, ["owner", "practitioner"])
    running, (patient, _) = practice, await practice.talk(node)
    await decide(practice, "chat", "screen")
    await patient.do("chat", {"ciphertext": "abc"})
    assert "barred" not in patient.view, "what runs stays as it began"

    later = await running.another()
    patient, doctor = await later.talk(node)
    assert await patient.code("chat", {"ciphertext": "abc"}) == "not_allowed"
    for page in (patient, doctor):
        assert page.view["barred"] == ["chat", "screen"]
        await until(partial(ready, page), "ready")
        offer = {"fence": page.view["media"]["fence"], "sdp": SDP, "lines": SCREEN}
        assert await page.code("offer", offer) == "not_allowed"
        await page.do("offer", offer | {"lines": LINES})
    assert (await doctor.do("snapshot"))["barred"] == ["chat", "screen"]


async def test_what_is_decided_about_one_leaves_the_other(node: Node, worker: Worker, practice: Practice) -> None:
    await found(practice.store, practice.practitioner, ["owner", "practitioner"])
    await decide(practice, "screen")
    patient, _ = await practice.talk(node)
    await patient.do("chat", {"ciphertext": "abc"})
    assert patient.view["barred"] == ["screen"]

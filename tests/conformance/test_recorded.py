"""docs/session.json is a whole consult in the words of the registry; what is not as recorded is noticed."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS
from signaling.routes import ENDPOINTS
from tests.conformance.recorded import FILE, RANDOM, difference, mask
from tests.conformance.story import STORY, Step

STEPS: list[Step] = json.loads(FILE.read_text())["steps"]
KIND = {"integer": 100, "string": "x" * 22, "list": [], "state": "new", "null": None, "any": None}
SENT = ("who", "call", "connect", "send", "hears", "beside", "bind", "refused", "drops", "closed")


def plain(value: Any) -> Any:
    """With something for each name and kind."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if value in ("{epoch}", "{fence}", "{seen}"):
        return 1
    if isinstance(value, str) and value.startswith("{*"):
        return KIND[value[2:-1]]
    return "x" * 22 if isinstance(value, str) and value.startswith("{") else value


def test_what_is_sent_and_heard_is_in_the_registry() -> None:
    for step in STEPS:
        if "send" in step:
            event = CLIENT_EVENTS[step["send"]]
            event.body.model_validate(plain(step["body"]))
            if "answer" in step:
                event.reply.model_validate(plain(step["answer"]), extra="ignore")
        elif "hears" in step:
            SERVER_EVENTS[step["hears"]][0].model_validate(plain(step["body"]), extra="ignore")
        elif "call" in step:
            (route,) = [one for one in ENDPOINTS if f"{one.method} {one.path}" == step["call"]]
            assert route.body is None or route.body.model_validate_json(json.dumps(moments(step["body"])))


def moments(body: dict[str, Any]) -> Any:
    return plain(body) | {key: "2027-03-01T09:00:00Z" for key in body if key == "starts_at"}


GROUP = {"sizes", "speak", "remove", "lock", "hand-over"}


def test_every_event_is_in_it_but_those_of_other_people_of_groups_and_of_a_source_in_clear() -> None:
    assert {step["send"] for step in STEPS if "send" in step} == set(CLIENT_EVENTS) - {"call-in", "decline"} - GROUP
    heard = {step["hears"] for step in STEPS if "hears" in step}
    assert heard == set(SERVER_EVENTS) - {"sight", "unencrypted", "speaks"}


def test_it_says_what_the_story_says() -> None:
    def told(step: Step) -> Step:
        return {key: value for key, value in step.items() if key in SENT or (key == "body" and "hears" not in step)}

    assert [told(step) for step in STEPS] == [told(step) for step in STORY]


def test_nothing_of_one_run_is_in_it() -> None:
    text = FILE.read_text()
    assert "eyJ" not in text and "http" not in text.replace("http://www.webrtc.org", "")


VIEW = {"version": 5, "me": {"participant": "abc", "state": "waiting", "media": "new"}, "waiting": [{"a": 1}]}
RECORDED = mask(VIEW, {"guest": "abc"})


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({}, False),
        ({"version": 6, "more": "of a later server"}, False),
        ({"waiting": [{"a": 2}, {"a": 1}]}, False),
        ({"version": "5"}, True),
        ({"me": {"participant": "abc", "state": "admitted", "media": "new"}}, True),
        ({"me": {"participant": "xyz", "state": "waiting", "media": "new"}}, True),
        ({"me": {"participant": "abc", "state": "waiting"}}, True),
        ({"waiting": []}, True),
    ],
)
def test_what_differs_from_the_recording_is_found(changes: dict[str, Any], *, differs: bool) -> None:
    found = difference(RECORDED, VIEW | changes, {"guest": "abc"})
    assert (found is not None) == differs, found


def test_a_change_of_the_registry_that_breaks_old_apps_would_be_noticed() -> None:
    """The bodies are checked as strictly as the server does."""
    step = next(step for step in STEPS if step.get("send") == "chat")
    with pytest.raises(ValidationError):
        CLIENT_EVENTS["chat"].body.model_validate(plain(step["body"]) | {"language": "nl"})
    assert len(set(RANDOM)) == len(RANDOM)

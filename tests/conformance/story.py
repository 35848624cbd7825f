"""A whole consult, step by step, as a client of the first version holds it.

A step is what somebody (``who``) does or hears. A text ``{name}`` stands for what was bound before by ``bind``, which
says where in the answer it is; ``{now}`` for this moment, ``{seen}`` for the last number that was heard. Of what is
heard the body says only what tells it from the others; recording fills in the rest.
"""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "docs" / "vectors.json").read_text())
CHATS = [one["ciphertext"] for one in VECTORS["chats"]]
SDP = (ROOT / "tests" / "media" / "wire" / "offers" / "aiortc-consult.sdp").read_text()
LINES = [
    {"mid": "0", "use": "microphone"},
    {"mid": "1", "use": "camera"},
    {"mid": "2", "use": "slot", "slot": 0},
    {"mid": "3", "use": "slot", "slot": 0},
    {"mid": "4", "use": "stage"},
]
BOTH = ["replay", "once"]
TWO = ("doctor", "guest")

Step = dict[str, Any]


def call(who: str, route: str, body: Any = None, **bind: str) -> Step:
    return {"who": who, "call": route} | ({"body": body} if body is not None else {}) | ({"bind": bind} if bind else {})


def connect(who: str, token: str) -> Step:
    return {"who": who, "connect": {"version": 1, "token": token, "capabilities": BOTH}}


def send(who: str, event: str, body: Any = None, *, once: str | None = None, **bind: str) -> Step:
    step: Step = {"who": who, "send": event, "body": body or {}}
    return step | ({"beside": {"id": once}} if once else {}) | ({"bind": bind} if bind else {})


def hears(who: str, event: str, body: Any = None, **bind: str) -> Step:
    return {"who": who, "hears": event, "body": body or {}} | ({"bind": bind} if bind else {})


def handshake() -> list[Step]:
    """Messages of the right form; what is in them is for the clients only."""
    steps: list[Step] = []
    digest, key, wrapped = "q" * 43, "B" * 87, "w" * 80
    for event, body in (
        ("key-commit", {"version": 2, "commitment": digest}),
        ("key-reveal", {"key": key, "nonce": digest, "last": [""], "withheld": 0}),
        ("key-wrap", {"wrapped": wrapped}),
    ):
        for who, other in (TWO, TWO[::-1]):
            to = {"to": f"{{{other}}}"} if event == "key-wrap" else {}
            steps.append(send(who, event, {"epoch": "{epoch}"} | to | body))
            steps.append(hears(other, event, {"sender": f"{{{who}}}"}))
    return steps


ENTERING = [
    call(
        "doctor",
        "POST /api/v1/appointments",
        {"patient": "Recorded", "starts_at": "{now}", "minutes": 15, "language": "nl"},
        appointment="appointment",
        link="link",
    ),
    call("doctor", "POST /api/v1/appointments/{appointment}/join", {}, ticket="access_token"),
    call(
        "guest", "POST /api/v1/join", {"link": "{link}", "refresh": True}, token="access_token", first="refresh_token"
    ),
    call(
        "guest",
        "POST /api/v1/tokens/refresh",
        {"refresh_token": "{first}"},
        access="access_token",
        second="refresh_token",
    ),
    connect("doctor", "{ticket}"),
    hears("doctor", "welcome"),
    send("doctor", "watch"),
    connect("guest", "{access}"),
    hears("guest", "welcome"),
    send("guest", "arrive", {"appointment": "{appointment}", "participant": "{guest}"}, resume="resume"),
    hears("guest", "replay"),
    hears("doctor", "desk", {"waiting": [{"appointment": "{appointment}", "participant": "{guest}"}]}),
    send(
        "doctor", "tell", {"appointment": "{appointment}", "participant": "{guest}", "message": "soon"}, once="{once}"
    ),
    hears("guest", "told"),
    send(
        "doctor",
        "write",
        {"appointment": "{appointment}", "participant": "{guest}", "text": "Recorded"},
        once="{wrote}",
    ),
    hears("guest", "room", {"written": "Recorded"}),
    send("guest", "say", {"text": "Heard"}),
    hears("doctor", "desk", {"waiting": [{"written": "Recorded", "said": "Heard"}]}),
    send("doctor", "announce", {"status": "away", "delay": 10}),
    hears("guest", "announced", {"status": "away", "delay": 10}),
    send("doctor", "announce", {"status": "open"}),
    send("guest", "check", {"microphone": "works", "camera": "denied"}),
    hears("doctor", "desk", {"waiting": [{"check": {"grade": "amber", "device": "camera", "found": "denied"}}]}),
    {
        "who": "doctor",
        "call": "PATCH /api/v1/appointments/{appointment}",
        "body": {"seen": 1, "minutes": 20, "anyway": True},
    },
    hears("doctor", "agenda"),
    hears("guest", "room", {"me": {"state": "waiting"}}),
    send("doctor", "admit", {"appointment": "{appointment}", "participant": "{guest}", "me": "{doctor}"}),
    hears("doctor", "replay"),
    hears(
        "guest",
        "room",
        {"me": {"state": "admitted"}, "media": {"ready": True}},
        epoch="keys.epoch",
        fence="media.fence",
    ),
    hears("doctor", "room", {"media": {"ready": True}}),
]

TALKING = [
    *handshake(),
    send("doctor", "offer", {"fence": "{fence}", "sdp": SDP, "lines": LINES}),
    send("guest", "offer", {"fence": "{fence}", "sdp": SDP, "lines": LINES}),
    hears("doctor", "slots"),
    send("guest", "indicate", {"microphone": True, "camera": False, "screen": False}),
    hears("doctor", "room", {"others": [{"indicators": {"camera": False}}]}),
    send("doctor", "keyframe", {"participant": "{guest}", "source": "camera"}),
    send("guest", "report", {"at": 0, "candidate": "host", "transport": "udp", "rtt_ms": 12}),
    send("doctor", "chat", {"ciphertext": CHATS[0]}, once="{another}"),
    hears("guest", "chat"),
    send("guest", "snapshot", resume="resume"),
]

PUT_BACK = [
    send("doctor", "put-back", {"participant": "{guest}"}),
    hears("guest", "room", {"me": {"state": "waiting"}, "held": True}),
    send(
        "doctor",
        "admit",
        {"appointment": "{appointment}", "participant": "{guest}", "me": "{doctor}"},
        epoch="keys.epoch",
    ),
    send("guest", "snapshot", resume="resume"),
]

COMING_BACK = [
    {"who": "guest", "drops": True},
    hears("doctor", "room", {"others": [{"connected": False}]}),
    send("doctor", "chat", {"ciphertext": CHATS[1]}),
    connect("guest", "{resume}"),
    hears("guest", "welcome"),
    send(
        "guest", "arrive", {"appointment": "{appointment}", "participant": "{guest}", "seen": "{seen}"}, resume="resume"
    ),
    hears("guest", "replay"),
    hears("guest", "chat", {"ciphertext": CHATS[1]}),
    send("doctor", "key-restart", {"epoch": "{epoch}"}),
    hears("guest", "room", {"others": [{"connected": True}]}),
    connect("elsewhere", "{resume}"),
    send("elsewhere", "arrive", {"appointment": "{appointment}", "participant": "{elsewhere}"})
    | {"refused": "seat_taken"},
    hears("guest", "present"),
    send("elsewhere", "arrive", {"appointment": "{appointment}", "participant": "{elsewhere}", "take_over": True}),
    hears("guest", "taken-over"),
    {"who": "guest", "closed": True},
]

LEAVING = [
    send("doctor", "leave"),
    hears("elsewhere", "ended"),
    call("guest", "POST /api/v1/tokens/revoke", {"refresh_token": "{second}"}),
    hears("elsewhere", "signed-out"),
    {"who": "elsewhere", "closed": True},
]

STORY: list[Step] = [*ENTERING, *TALKING, *PUT_BACK, *COMING_BACK, *LEAVING]

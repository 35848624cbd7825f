"""What arrives below and beside the registered events."""

import asyncio
import json
import logging
import random
import re
from typing import Any

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from socketio.exceptions import ConnectionError as Refused

from signaling.sockets.limits import Limits
from tests.signaling.live.cast import ORIGIN, Node, Practice, Worker, until
from tests.signaling.live.raw import raw

RESERVED = ["connect", "disconnect", "*", "__disconnect_final", "connect_error", "message", "", "room", "present"]

FRAMES: list[str | bytes] = [
    "",
    "0",
    "2",
    "2probe",
    "3probe",
    "5",
    "6",
    "7",
    "9",
    "x",
    "4",
    "44",
    "45",
    "46",
    "47",
    "4x",
    '4["arrive",{}]',
    "42",
    "42{}",
    '42"arrive"',
    "42[",
    '42["arrive",',
    '42/admin,["arrive",{}]',
    "40/admin,{}",
    '451-["chat",{"_placeholder":true,"num":0}]',
    '4599999-["x"]',
    "461-1[]",
    '42999999999999999999["arrive",{}]',
    '42["arrive",' + "[" * 50_000,
    '42["arrive",' + "[" * 50_000 + "]" * 50_000 + "]",
    '42["report",{"at":' + "9" * 5000 + "}]",
    b"\x00\x01",
    b"",
    "43",
    "43[]",
    "40[]",
    "bAAAA",
]

SWALLOWED = [
    "430[]",
    '431["x"]',
    "43999999999[]",
    "42[]",
    '42[["arrive"],{}]',
    "42[null]",
    "42[1,2,3]",
    '42["arrive",{},{}]',
]

ORIGINS = [
    "https://evil.test",
    "null",
    "https://sub.consult.test",
    "https://consult.test:444",
    "http://consult.test",
    "https://consult.test.evil.test",
    "https://CONSULT.test",
    "https://consult.test/",
    "",
]

DOORS = [
    ("GET", "EIO=4&transport=polling"),
    ("POST", "EIO=4&transport=polling"),
    ("POST", "EIO=4&transport=websocket&sid=x"),
    ("GET", "EIO=4&transport=websocket"),
    ("GET", "EIO=3&transport=websocket"),
    ("GET", ""),
    ("OPTIONS", "EIO=4&transport=websocket"),
]

JUNK = ["", '"', "[", "}", "\x00", "9", "é", "null"]


def quiet(caplog: pytest.LogCaptureFixture) -> bool:
    """Nothing that a client can say is worth an error line, let alone a traceback."""
    return not [line for line in caplog.records if line.levelno >= logging.WARNING or line.exc_info]


async def test_reserved_and_unknown_names_reach_no_handler(
    node: Node, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[Any] = []
    async with raw(node) as client:
        await client.connect(practice.patient_page())
        # Where the library keeps the handlers that such a name would reach.
        for event in (*RESERVED, "*"):
            monkeypatch.setitem(node.signaling.gate.handlers["/"], event, lambda *args: called.append(args))
        for number, event in enumerate(RESERVED):
            reply = await client.ask(number, event, {"forged": "environ"}, {"token": "forged"})
            assert reply["error"]["code"] == "unknown_event"
            await client.send(f"42{json.dumps([event, 'another sid'])}")
        assert (await client.ask(99, "snapshot"))["error"]["code"] == "bad_state"
        assert called == []
        assert len(node.signaling.gate.authenticated) == 1
        monkeypatch.undo()


@pytest.mark.parametrize("authenticated", [True, False])
async def test_a_frame_that_no_client_library_sends_ends_its_connection_only(
    node: Node, practice: Practice, authenticated: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bystander = await practice.practitioner_page().connect(node)
    for frame in FRAMES:
        async with raw(node) as client:
            if authenticated:
                await client.connect(practice.patient_page())
            await client.send(frame)
            assert await client.closed(), frame[:40]
        assert (await bystander.do("watch"))["waiting"] == [], frame[:40]
    await until(lambda: len(node.signaling.gate.eio.sockets) == 1, "the sockets are forgotten")
    assert quiet(caplog)


async def test_a_well_formed_frame_without_meaning_is_dropped_and_counted(
    node: Node, practice: Practice, caplog: pytest.LogCaptureFixture
) -> None:
    async with raw(node) as client:
        await client.connect(practice.patient_page())
        for frame in SWALLOWED:
            before = sum(node.counters.values())
            await client.send(frame)
            assert (await client.ask(7, "snapshot"))["error"]["code"] == "bad_state", frame
            assert sum(node.counters.values()) == before + 2, frame
    assert quiet(caplog)


async def test_an_acknowledgement_of_a_question_never_asked_does_not_spoil_the_next_one(
    node: Node, practice: Practice
) -> None:
    patient = practice.patient_page()
    async with raw(node) as client:
        await client.connect(patient)
        await client.send("430[]")
        arrived = await client.ask(1, "arrive", {"appointment": practice.appointment.id, "participant": patient.id})
        assert arrived["ok"]
        second = await practice.patient_page().connect(node)
        question = asyncio.create_task(
            second.code("arrive", {"appointment": practice.appointment.id, "participant": second.id})
        )
        asked = re.fullmatch(r'42(\d+)\["present",\{\}\]', await client.frame() or "")
        assert asked
        await client.send(f'43{asked[1]}[{{"more": ["than", "was", "asked"]}}]')
        assert await question == "seat_taken"


async def test_an_event_before_connect_ends_the_connection(node: Node, practice: Practice) -> None:
    async with raw(node) as client:
        await client.send(f'420["arrive",{{"appointment":"{practice.appointment.id}","participant":"p"}}]')
        assert await client.closed()
    assert await node.signaling.consults.live.load(practice.appointment.id) is None


async def test_a_second_connect_on_one_socket_is_refused(node: Node, practice: Practice) -> None:
    async with raw(node) as client:
        await client.connect(practice.patient_page())
        await client.send('40{"version":1,"token":"x"}')
        assert (await client.until("44"))["data"]["code"] == "bad_state"
        assert (await client.ask(1, "snapshot"))["error"]["code"] == "bad_state"


async def test_a_connect_without_a_good_token_is_refused_and_closed(nodes: Any) -> None:
    node = await nodes(Limits(authenticate_within=0.3))
    for auth in (
        "",
        "{}",
        '{"version":1}',
        '{"version":1,"token":""}',
        '{"version":1,"token":"x","role":"practitioner"}',
    ):
        async with raw(node) as client:
            await client.send(f"40{auth}")
            error = (await client.until("44"))["data"]
            assert error["code"] in ("invalid", "token_invalid"), auth
            assert await client.closed(), auth


async def test_another_version_of_the_protocol_is_refused_by_name(node: Node) -> None:
    async with raw(node) as client:
        await client.send('40{"version":99,"token":"x"}')
        assert (await client.until("44"))["data"]["code"] == "version_unsupported"


async def test_whoever_does_not_authenticate_is_closed_while_others_come_in(nodes: Any, practice: Practice) -> None:
    node = await nodes(Limits(authenticate_within=3, pending_per_network=5))
    async with ClientSession() as session:
        idle = [
            await session.ws_connect(f"{node.url}/socket.io/?EIO=4&transport=websocket", headers={"Origin": ORIGIN})
            for _ in range(5)
        ]
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"{node.url}/socket.io/?EIO=4&transport=websocket", headers={"Origin": ORIGIN})
        assert refused.value.status == 429
        for socket in idle:
            while not (await socket.receive(timeout=60)).type.value >= 0x100:
                pass
        assert not node.signaling.gate._half_open.of_network
        await practice.patient_page().connect(node)


async def test_only_our_own_origin_comes_in(node: Node, practice: Practice) -> None:
    for origin in ORIGINS:
        with pytest.raises(Refused):
            await practice.patient_page().connect(node, origin=origin or None)
    assert node.counters["origin_refused"] == len(ORIGINS)


async def test_a_client_that_is_no_browser_comes_in_without_origin_only_where_that_is_set(
    nodes: Any, practice: Practice
) -> None:
    node = await nodes(native=True)
    await practice.patient_page().connect(node, origin=None)
    with pytest.raises(Refused):
        await practice.patient_page().connect(node, origin="https://evil.test")


async def test_there_is_no_way_in_but_a_websocket(node: Node) -> None:
    async with ClientSession() as session:
        for method, query in DOORS:
            url = f"{node.url}/socket.io/?{query}"
            async with session.request(method, url, headers={"Origin": ORIGIN}) as answer:
                assert answer.status == 400, query
                assert (await answer.json())["error"]["code"] == "invalid"
                assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_message_too_large_closes_its_socket(node: Node, practice: Practice) -> None:
    async with raw(node) as client:
        await client.connect(practice.patient_page())
        await client.send('420["chat",{"ciphertext":"' + "x" * 300_000 + '"}]')
        assert await client.closed()
        assert client.socket.close_code == 1009


async def test_a_flood_is_kicked_and_nobody_else_notices(node: Node, worker: Worker, practice: Practice) -> None:
    gate, most = node.signaling.gate, 0
    original = gate._handler_of["snapshot"]
    running = 0

    async def watched(socket: Any, body: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await asyncio.sleep(0.001)
            return await original(socket, body)
        finally:
            running -= 1

    gate._handler_of["snapshot"] = watched
    doctor = await practice.practitioner_page().connect(node)
    async with raw(node) as client:
        await client.connect(practice.patient_page())

        async def flood() -> None:
            for number in range(20_000):
                await client.send(f'42{number}["{"snapshot" if number % 2 else "report"}",{{"at":0}}]')

        flooding = asyncio.create_task(flood())
        for _ in range(40):
            await doctor.do("watch")  # answered, or it fails
        assert await client.closed(30)
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
    assert most <= 8
    assert node.counters["rate_limited"] >= gate.limits.strikes


async def test_ten_thousand_pongs_make_no_tasks(node: Node, practice: Practice) -> None:
    async with raw(node) as client:
        await client.connect(practice.patient_page())
        before = len(asyncio.all_tasks())
        for _ in range(10_000):
            await client.send("3")
        assert (await client.ask(1, "snapshot"))["error"]["code"] == "bad_state"
        assert len(asyncio.all_tasks()) <= before + 3


async def test_a_client_that_does_not_read_is_cut_off(nodes: Any, worker: Worker, practice: Practice) -> None:
    node = await nodes(Limits(send_within=2, backlog=64, events_per_second=10_000, events_burst=10_000))
    appointment = practice.appointment.id
    patient, doctor = practice.patient_page(), await practice.practitioner_page().connect(node)
    async with raw(node) as client:
        await client.connect(patient)
        assert (await client.ask(1, "arrive", {"appointment": appointment, "participant": patient.id}))["ok"]
        await doctor.admit(appointment, patient)
        client.transport.pause_reading()
        for _ in range(400):
            if node.counters["client_stuck"]:
                break
            await doctor.do("chat", {"ciphertext": "x" * 60_000})
        assert node.counters["client_stuck"]
        await until(lambda: len(node.signaling.gate.authenticated) == 1, "the stuck socket is gone")
        client.transport.resume_reading()


async def test_mutated_frames_crash_nothing(
    nodes: Any, worker: Worker, practice: Practice, caplog: pytest.LogCaptureFixture
) -> None:
    """Grammar fuzz: frames that were good, cut, doubled, and mixed."""
    node = await nodes(Limits(events_per_second=1e6, events_burst=100_000, pending_per_network=1000))
    chance = random.Random(7)
    patient, bystander = practice.patient_page(), await practice.practitioner_page().connect(node)
    good = [
        "3",
        '421["snapshot",{}]',
        f'422["arrive",{{"appointment":"{practice.appointment.id}","participant":"{patient.id}"}}]',
        '42["indicate",{"microphone":true,"camera":false,"screen":false}]',
        '423["report",{"at":5,"rtt_ms":10}]',
        '424["chat",{"ciphertext":"abc"}]',
        "431[{}]",
    ]
    sent = 0
    while sent < 3_000:
        async with raw(node) as client:
            await client.connect(patient)
            for _ in range(200):
                if client.socket.closed or client.socket._response.connection is None:
                    break
                frame = list(chance.choice(good))
                for _ in range(chance.randrange(3)):
                    place = chance.randrange(len(frame)) if frame else 0
                    frame[place : place + chance.randrange(3)] = chance.choice(JUNK)
                sent += 1
                try:
                    await client.send("".join(frame))
                except ConnectionError:
                    break
                if sent % 20 == 0:
                    await asyncio.sleep(0)
    assert (await bystander.do("watch"))["in_consult"] is None
    assert quiet(caplog)


@pytest.mark.parametrize("query", ["EIO=4&EIO=4&transport=websocket", "EIO=4&transport=websocket&transport=polling"])
async def test_a_parameter_said_twice_is_refused_in_our_words(node: Node, query: str) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Origin": ORIGIN}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    async with (
        ClientSession() as session,
        session.get(f"{node.url}/socket.io/?{query}", headers=upgrade | key) as reply,
    ):
        assert reply.status == 400
        assert (await reply.json(content_type=None))["error"]["code"] == "invalid"

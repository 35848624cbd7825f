"""Answers, judged by the libraries that must take them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from hypothesis import given
from hypothesis import strategies as st

from media.wire import WireError
from media.wire.sdp import AnswerLine, AnswerParams, Candidate, Fingerprint, Offer, Outgoing, build_answer, parse_offer

OFFERS = {path.stem: path.read_bytes().decode() for path in (Path(__file__).parent / "offers").glob("*.sdp")}


def params(offer: Offer, **changes: Any) -> AnswerParams:
    lines = {
        line.mid: AnswerLine("recvonly")
        if line.direction == "sendonly"
        else AnswerLine("sendonly", Outgoing(1000 + index, 2000 + index, "cname", "stream", f"track{index}"))
        for index, line in enumerate(offer.media)
    }
    fields: dict[str, Any] = {
        "session": 2**62,
        "version": 1,
        "ice_ufrag": "w0AAAAAAAAAAAAAA",
        "ice_pwd": "p" * 24,
        "fingerprints": [Fingerprint("sha-256", ":".join(["AB"] * 32))],
        "candidates": [
            Candidate("udp", "192.0.2.1", 40000),
            Candidate("udp", "2001:db8::1", 40000),
            Candidate("tcp", "192.0.2.1", 40000),
        ],
        "lines": lines,
        "bundle": [line.mid for line in offer.media if line.mid in (changes.get("lines") or lines)],
    }
    return AnswerParams(**(fields | changes))


def sections(answer: str) -> list[list[str]]:
    assert answer.endswith("\r\n")
    parts: list[list[str]] = [[]]
    for line in answer[:-2].split("\r\n"):
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    return parts


@pytest.mark.parametrize("name", sorted(OFFERS))
def test_every_line_is_answered_in_order_with_one_codec_and_one_transport(name: str) -> None:
    offer = parse_offer(OFFERS[name])
    session, *media = sections(build_answer(offer, params(offer)))
    assert "a=ice-lite" in session
    assert ("a=extmap-allow-mixed" in session) == offer.extmap_allow_mixed
    assert "a=group:BUNDLE " + " ".join(line.mid for line in offer.media) in session
    for line, section in zip(offer.media, media, strict=True):
        assert f"a=mid:{line.mid}" in section
        assert "a=setup:passive" in section
        assert "a=rtcp-mux" in section
        assert ("a=recvonly" if line.direction == "sendonly" else "a=sendonly") in section
        names = [entry.split()[1].split("/")[0] for entry in section if entry.startswith("a=rtpmap")]
        expected = ["opus"] if line.kind == "audio" else ["VP8", "rtx"]
        assert names == [codec for codec in expected if codec != "rtx" or "rtx" in {one.name for one in line.payloads}]
        assert len(section[0].split()) == 3 + len(names)
        assert sum(entry.startswith("a=candidate") for entry in section) == 3
        assert section[-1] == "a=end-of-candidates"


def test_a_slot_names_its_stream_and_binds_its_repair_stream() -> None:
    offer = parse_offer(OFFERS["firefox-consult"])
    answer = sections(build_answer(offer, params(offer)))
    assert "a=ssrc-group:FID 1003 2003" in answer[4]
    assert "a=ssrc:1003 cname:cname" in answer[4]
    assert "a=ssrc:2003 cname:cname" in answer[4]
    assert "a=msid:stream track3" in answer[4]
    assert not any("FID" in entry for entry in answer[3])
    assert not any(entry.startswith("a=ssrc") for entry in answer[1] + answer[2])


def test_candidates_have_unique_priorities_in_the_given_order_and_tcp_is_passive() -> None:
    offer = parse_offer(OFFERS["firefox-consult"])
    lines = [line.split() for line in sections(build_answer(offer, params(offer)))[1] if line.startswith("a=candidate")]
    priorities = [int(line[3]) for line in lines]
    assert priorities == sorted(set(priorities), reverse=True)
    assert [line[4] for line in lines] == ["192.0.2.1", "2001:db8::1", "192.0.2.1"]
    assert lines[2][-2:] == ["tcptype", "passive"]


def test_a_line_nobody_wants_or_nobody_can_carry_gets_port_0_and_leaves_the_bundle() -> None:
    text = OFFERS["chromium-consult"]
    offer = parse_offer(text)
    wanted = params(offer).lines
    del wanted[offer.media[0].mid]
    session, *media = sections(build_answer(offer, params(offer, lines=wanted)))
    assert media[0][0] == "m=audio 0 UDP/TLS/RTP/SAVPF 111"
    assert "a=group:BUNDLE 1 2 3 4" in session
    assert media[1][-1] == "a=end-of-candidates"
    other = parse_offer(text.replace("VP8/90000", "VPX/90000"))
    _, *media = sections(build_answer(other, params(other)))
    assert [section[0].split()[1] for section in media] == ["9", "0", "9", "0", "0"]


def test_a_refused_line_has_what_webrtcbin_and_werift_look_for_in_every_line() -> None:
    offer = parse_offer(OFFERS["chromium-consult"])
    wanted = {mid: line for mid, line in params(offer).lines.items() if mid != offer.media[1].mid}
    _, *media = sections(build_answer(offer, params(offer, lines=wanted)))
    refused = media[1]
    codec = offer.media[1].payloads[0]
    assert refused[0] == f"m=video 0 UDP/TLS/RTP/SAVPF {codec.payload_type}"
    assert f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}" in refused
    for attribute in ("a=mid:1", "a=inactive", "a=setup:passive"):
        assert attribute in refused
    for name in ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 "):
        assert any(line.startswith(name) for line in refused)


def test_a_direction_the_offer_does_not_allow_becomes_inactive() -> None:
    offer = parse_offer(OFFERS["chromium-consult"])
    _, *media = sections(
        build_answer(offer, params(offer, lines={line.mid: AnswerLine("sendonly") for line in offer.media}))
    )
    assert ["a=inactive" in section for section in media] == [True, True, False, False, False]


def test_opus_keeps_the_wish_for_constant_bitrate_and_packets_do_not_stop_in_silence() -> None:
    text = OFFERS["chromium-consult"].replace("useinbandfec=1", "useinbandfec=1;usedtx=1;cbr=1;stereo=1;x=\u0661")
    offer = parse_offer(text)
    answer = build_answer(offer, params(offer))
    assert "a=fmtp:111 useinbandfec=1;minptime=10;cbr=1" in sections(answer)[1]
    assert "usedtx" not in answer, "in a consult of two and in a group"


@asynccontextmanager
async def offering() -> AsyncIterator[tuple[RTCPeerConnection, Offer]]:
    """aiortc, which sends sound and a picture by two lines and receives them by two others, and what it offers."""
    client = RTCPeerConnection()
    try:
        for direction in ("sendonly", "recvonly"):
            client.addTransceiver("audio", direction=direction)
            client.addTransceiver("video", direction=direction)
        await client.setLocalDescription(await client.createOffer())
        yield client, parse_offer(client.localDescription.sdp)
    finally:
        await client.close()


async def test_aiortc_takes_the_answer_to_its_offer() -> None:
    async with offering() as (client, offer):
        await client.setRemoteDescription(
            RTCSessionDescription(build_answer(offer, params(offer, candidates=[])), "answer")
        )
        assert [transceiver.currentDirection for transceiver in client.getTransceivers()] == ["sendonly"] * 2 + [
            "recvonly"
        ] * 2


@pytest.mark.parametrize("refused", range(4))
async def test_aiortc_takes_an_answer_with_a_line_refused(refused: int) -> None:
    async with offering() as (client, offer):
        wanted = {mid: line for mid, line in params(offer).lines.items() if mid != str(refused)}
        answer = build_answer(offer, params(offer, candidates=[], lines=wanted))
        await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))


@given(st.sampled_from(sorted(OFFERS)), st.text(max_size=40), st.integers(0, 600))
def test_nothing_of_an_offer_can_add_a_line_to_the_answer(name: str, text: str, at: int) -> None:
    lines = OFFERS[name].split("\r\n")
    place = at % len(lines)
    lines[place] = lines[place][:8] + text + "\ra=evil"
    try:
        offer = parse_offer("\r\n".join(lines))
    except WireError:
        return
    answer = build_answer(offer, params(offer))
    assert "evil" not in answer
    assert answer.isascii()
    assert all(line[:2] in ("v=", "o=", "s=", "t=", "a=", "m=", "c=") for line in answer[:-2].split("\r\n"))
    assert answer.count("\n") == answer.count("\r\n") == answer.count("\r")

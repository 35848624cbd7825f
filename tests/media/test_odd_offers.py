"""Offers as other stacks write them: what both sides can use is live, what is refused is named, and offers go on."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from media.control import Answered, Line, OfferCall, Refused, Use
from media.refusals import Reason
from media.wire.sdp import parse_offer
from tests.media.client import Client
from tests.media.simulation import Simulation

WIRE = Path(__file__).parent / "wire"
RECORDED = sorted((WIRE / "offers").glob("*.sdp"))
TAKEN = sorted((WIRE / "answers").glob("*.sdp"))
"""Answers that other stacks took and held a consult with, without what differs each time."""

Change = Callable[[str], str]
STALE = "AB:" * 19 + "AB"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:data\r\na=sctp-port:5000\r\n"


def section(sdp: str, mid: str, change: Change) -> str:
    """One m-line changed."""
    parts = re.split(r"(?=^m=)", sdp, flags=re.MULTILINE)
    return "".join(change(part) if f"a=mid:{mid}\r\n" in part else part for part in parts)


def without(part: str) -> Change:
    return lambda text: "".join(line for line in text.splitlines(keepends=True) if part not in line)


def put(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new)


def both(*changes: Change) -> Change:
    def changed(text: str) -> str:
        for change in changes:
            text = change(text)
        return text

    return changed


def session(line: str) -> Change:
    return put("t=0 0\r\n", f"t=0 0\r\n{line}\r\n")


def profile(name: str) -> Change:
    return put("UDP/TLS/RTP/SAVPF", name)


def stopped(text: str) -> str:
    return re.sub(r"^(m=\w+) 9", r"\1 0", text, flags=re.MULTILINE)


def renamed(text: str) -> str:
    """Mids as long and as odd as tokens may be."""
    for mid in "01234":
        text = text.replace(f"a=mid:{mid}\r\n", f"a=mid:{long_mid(mid)}\r\n")
    return text.replace("BUNDLE 0 1 2 3 4", "BUNDLE " + " ".join(map(long_mid, "01234")))


def long_mid(mid: str) -> str:
    return f"{mid}.com.example~{'x' * 40}!#$"


def directions_of_the_session(text: str) -> str:
    """All lines receive; those that send say so themselves."""
    return session("a=recvonly")(without("a=recvonly")(text))


ODD: dict[str, tuple[Change, dict[str, str]]] = {
    "a rejected line without a mid": (lambda text: text + "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n", {}),
    "a rejected line of the same mid": (lambda text: text + "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n", {}),
    "a rejected line in the group": (
        lambda text: section(text, "4", stopped),
        {"4": "stopped"},
    ),
    "a line outside of the group": (put("BUNDLE 0 1 2 3 4", "BUNDLE 0 1 2 3"), {"4": "bundle"}),
    "two groups": (put("BUNDLE 0 1 2 3 4", "BUNDLE 4\r\na=group:BUNDLE 0 1 2 3"), {"4": "bundle"}),
    "a group of another kind beside it": (session("a=group:LS 0 1"), {}),
    "TCP/DTLS/RTP/SAVPF": (profile("TCP/DTLS/RTP/SAVPF"), {}),
    "TCP/DTLS/RTP/SAVP": (profile("TCP/DTLS/RTP/SAVP"), {}),
    "UDP/TLS/RTP/SAVP": (profile("UDP/TLS/RTP/SAVP"), {}),
    "RTP/SAVPF": (profile("RTP/SAVPF"), {}),
    "RTP/SAVP": (profile("RTP/SAVP"), {}),
    "RTP/AVPF": (profile("RTP/AVPF"), {}),
    "RTP/AVP": (profile("RTP/AVP"), {}),
    "a profile that is none": (lambda text: section(text, "4", profile("TCP/MSRP")), {"4": "profile"}),
    "long mids with dots": (renamed, {}),
    "no setup": (without("a=setup"), {}),
    "active": (put("a=setup:actpass", "a=setup:active"), {}),
    "directions at the session": (directions_of_the_session, {}),
    "extensions at the session": (
        lambda text: session("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid")(without("hdrext:sdes:mid")(text)),
        {},
    ),
    "SHA-1 at the line, SHA-256 at the session": (
        lambda text: session(re.findall(r"a=fingerprint:.*", text)[0].strip())(
            re.sub(r"a=fingerprint:sha-256 .*\r\na=setup", f"a=fingerprint:sha-1 {STALE}\r\na=setup", text)
        ),
        {},
    ),
    "SHA-1 beside SHA-256": (put("a=fingerprint", f"a=fingerprint:sha-1 {STALE}\r\na=fingerprint"), {}),
    "H.264 only at the camera": (lambda text: section(text, "1", put("VP8/90000", "H264/90000")), {"1": "codec"}),
    "G.711 only at the microphone": (
        lambda text: section(text, "0", put("opus/48000/2", "PCMU/8000")),
        {"0": "codec"},
    ),
    "a data channel": (
        lambda text: text.replace("BUNDLE 0 1 2 3 4", "BUNDLE 0 1 2 3 4 data") + DATA,
        {"data": "kind"},
    ),
    "a data channel first": (
        lambda text: text.replace("BUNDLE 0 1 2 3 4", "BUNDLE data 0 1 2 3 4").replace("m=audio", DATA + "m=audio", 1),
        {"data": "kind"},
    ),
    "a format that nobody knows": (
        lambda text: text + "m=application 9 RTP/AVP *.x\r\na=mid:data\r\n",
        {"data": "kind"},
    ),
    "a line that nobody named": (
        lambda text: text.replace("BUNDLE 0 1 2 3 4", "BUNDLE 0 1 2 3 4 5") + other_camera(text),
        {"5": "unused"},
    ),
    "a first line of another transport": (
        lambda text: section(
            text, "0", both(put("opus", "g722"), put("a=ice-ufrag:", "a=ice-ufrag:other"), put(":sha-256 ", ":sha-1 "))
        ),
        {"0": "codec"},
    ),
    "bundle-only lines": (
        lambda text: section(
            section(text, "1", both(stopped, without("ice-"), without("fingerprint"), without("setup"), bundle_only)),
            "3",
            both(stopped, without("ice-"), without("fingerprint"), without("setup"), bundle_only),
        ),
        {},
    ),
}


def other_camera(text: str) -> str:
    part = next(part for part in re.split(r"(?=^m=)", text, flags=re.MULTILINE) if "a=mid:1\r\n" in part)
    return "".join(
        line.replace("a=mid:1", "a=mid:5") for line in part.splitlines(keepends=True) if not line.startswith("a=ssrc")
    )


def bundle_only(text: str) -> str:
    return text + "a=bundle-only\r\n"


def ports(answer: Answered) -> list[str]:
    return re.findall(r"^m=\w+ (\d+)", answer.sdp, re.MULTILINE)


def offered(client: Client, change: Change) -> Answered | Refused:
    sdp = change(client.sdp())
    lines = [one.line for one in client.lines()]
    if change is renamed:
        lines = [line.model_copy(update={"mid": long_mid(line.mid)}) for line in lines]
    call = OfferCall(room="room", fence=1, peer=client.name, sdp=sdp, lines=lines)
    reply = client.simulation.router.handle(call)
    assert isinstance(reply, (Answered, Refused))
    if isinstance(reply, Answered):
        client.answer = reply
    return reply


@pytest.mark.parametrize("name", sorted(ODD))
async def test_what_can_be_used_of_an_odd_offer_is_live_and_the_rest_named(simulation: Simulation, name: str) -> None:
    change, refused = ODD[name]
    bob = simulation.join("bob")
    alice = Client(simulation, "alice")
    answer = offered(alice, change)
    assert isinstance(answer, Answered), answer
    assert {one.mid: one.reason for one in answer.refused} == refused
    alice.check()
    alice.secure()
    simulation.run(0.05)
    for number in range(2):
        for client in (alice, bob):
            client.stream(0.5, audio=True, at=number * 90_000)
        simulation.run(1)
        for speaker, listener, own in ((alice, bob, ("0", "1")), (bob, alice, ("2", "3"))):
            sound, picture = (0 if mid in refused else 1 for mid in own)
            assert len(listener.got("audio")) == 25 * (number + 1) * sound, speaker.name
            assert len(listener.got()) == 45 * (number + 1) * picture, speaker.name
        alice.ufrag = f"again{number}"
        assert isinstance(offered(alice, change), Answered), "an ICE restart after it"
        alice.check()
        simulation.run(0.1)
    assert alice.checks >= 3


async def test_an_answer_has_a_line_for_each_and_port_0_for_those_refused(simulation: Simulation) -> None:
    for name, (change, refused) in ODD.items():
        alice = Client(simulation, "alice")
        sdp = change(alice.sdp())
        answer = offered(alice, change)
        assert isinstance(answer, Answered), name
        media = parse_offer(sdp).media
        assert len(ports(answer)) == len(media), name
        named = {one.line for one in answer.refused}
        assert [port == "0" for port in ports(answer)] == [
            index in named or line.rejected for index, line in enumerate(media)
        ], name
        assert all(media[one.line].mid == (one.mid or "") for one in answer.refused)
        profiles = re.findall(r"^m=\w+ \d+ (\S+)", answer.sdp, re.MULTILINE)
        assert profiles == [line.protocol for line in media], name
        assert len(refused) == len(answer.refused)


async def test_what_a_client_cannot_send_or_take_is_told_apart(simulation: Simulation) -> None:
    expected = {"0": "microphone", "1": "camera", "2": "hearing", "3": "seeing", "4": "seeing"}
    for mid, lacks in expected.items():
        answer = offered(Client(simulation, "alice"), partial(section, mid=mid, change=profile("TCP/MSRP")))
        assert isinstance(answer, Answered)
        assert answer.unusable == [lacks]
    alice = Client(simulation, "alice")
    answer = offered(alice, put("VP8/90000", "H264/90000"))
    assert isinstance(answer, Answered)
    assert answer.unusable == ["camera", "seeing"]
    answer = offered(alice, lambda text: text)
    assert isinstance(answer, Answered)
    assert answer.unusable == []


async def test_one_line_needs_no_group_and_gets_none(simulation: Simulation) -> None:
    alice = Client(simulation, "alice")
    parts = re.split(r"(?=^m=)", alice.sdp().replace("a=group:BUNDLE 0 1 2 3 4\r\n", ""), flags=re.MULTILINE)
    line = Line(mid="0", use="microphone")
    call = OfferCall(room="room", fence=1, peer="alice", sdp="".join(parts[:2]), lines=[line])
    answer = simulation.router.handle(call)
    assert isinstance(answer, Answered)
    assert (ports(answer), answer.refused) == (["9"], [])
    assert "a=group" not in answer.sdp


async def test_of_lines_without_a_group_one_is_live_and_the_others_are_named(simulation: Simulation) -> None:
    bob, alice = simulation.join("bob"), Client(simulation, "alice")
    answer = offered(alice, without("a=group"))
    assert isinstance(answer, Answered)
    assert ports(answer) == ["9", "0", "0", "0", "0"]
    assert [(one.mid, one.reason) for one in answer.refused] == [(mid, "bundle") for mid in "1234"]
    alice.check()
    alice.secure()
    alice.stream(0.5, audio=True)
    simulation.run(1)
    assert (len(bob.got("audio")), len(bob.got())) == (25, 0)


def lasting(answer: str) -> str:
    """An answer without credentials, candidates and numbers that are made anew."""
    ssrcs: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return f"ssrc{ssrcs.setdefault(found[0], str(len(ssrcs)))}"

    lines = [line for line in answer.split("\r\n") if "candidate" not in line]
    text = "\r\n".join(lines)
    text = re.sub(r"(?<=\no=- )\d+ \d+", "session version", text)
    text = re.sub(r"(?<=\na=)(ice-ufrag:|ice-pwd:|fingerprint:sha-256 ).*(?=\r)", r"\1…", text)
    text = re.sub(r"(cname:\w+-)[0-9a-f]+", r"\1…", text)
    return re.sub(r"(?<=\na=ssrc:)\d+|(?<=FID )\d+|(?<=\d )\d+(?=\r\na=ssrc:)", number, text)


@pytest.mark.parametrize("path", TAKEN, ids=lambda path: path.stem)
async def test_a_stack_gets_the_answer_that_it_took(simulation: Simulation, path: Path) -> None:
    """``make prove NAMES=stacks`` holds the consults."""
    sdp = (WIRE / "offers" / path.name).read_bytes().decode()
    mids = [line.mid for line in parse_offer(sdp).media]
    lines = [Line(mid=mid, use=use, slot=slot) for mid, (use, slot) in zip(mids, use_of_lines(sdp), strict=True)]
    answer = simulation.router.handle(OfferCall(room="room", fence=1, peer="alice", sdp=sdp, lines=lines))
    assert isinstance(answer, Answered)
    assert lasting(answer.sdp) == path.read_bytes().decode()


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_every_line_of_a_recorded_offer_is_live(simulation: Simulation, path: Path) -> None:
    sdp = path.read_bytes().decode()
    uses = dict(zip((line.mid for line in parse_offer(sdp).media), use_of_lines(sdp), strict=True))
    lines = [Line(mid=mid, use=use, slot=slot) for mid, (use, slot) in uses.items()]
    answer = simulation.router.handle(OfferCall(room="room", fence=1, peer="alice", sdp=sdp, lines=lines))
    assert isinstance(answer, Answered)
    assert answer.refused == []
    assert set(ports(answer)) == {"9"}


def use_of_lines(sdp: str) -> list[tuple[Use, int | None]]:
    sections = len(parse_offer(sdp).media)
    uses: list[tuple[Use, int | None]] = [("microphone", None), ("camera", None)]
    for slot in range((sections - 2) // 2):
        uses += [("slot", slot), ("slot", slot)]
    return [*uses, ("stage", None)] if sections % 2 else uses


H264_ONLY: Change = both(put("VP8/90000", "H264/90000"), put("opus/48000/2", "PCMA/8000"))
REFUSED: dict[str, tuple[Change, Reason]] = {
    "no codec of ours anywhere": (H264_ONLY, "codec"),
    "no profile of ours anywhere": (profile("TCP/MSRP"), "profile"),
    "data channels only": (lambda _: "v=0\r\nt=0 0\r\n" + DATA, "line_unknown"),
    "all lines stopped": (stopped, "stopped"),
    "no mids": (without("a=mid"), "line_unknown"),
    "codecs here, profiles there": (
        lambda text: section(H264_ONLY(text), "0", profile("TCP/MSRP")),
        "nothing_usable",
    ),
    "the same mid twice": (put("a=mid:1\r\n", "a=mid:0\r\n"), "mid_twice"),
    "no fragment": (without("a=ice-ufrag"), "ice"),
    "no password": (without("a=ice-pwd"), "ice"),
    "an ICE-lite offerer": (session("a=ice-lite"), "ice_lite"),
    "no fingerprint": (without("fingerprint"), "fingerprint"),
    "SHA-1 only": (put(":sha-256 ", ":sha-1 "), "fingerprint"),
    "keys in the description": (put("fingerprint:sha-256", "crypto:1 AES_CM_128_HMAC_SHA1_80"), "fingerprint"),
    "a passive offerer": (put("actpass", "passive"), "dtls_role"),
    "a held connection": (put("actpass", "holdconn"), "dtls_role"),
    "no description": (lambda _: "hello", "not_sdp"),
    "too many lines": (lambda text: text + "m=audio 9 RTP/AVP 0\r\n" * 400, "too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_an_offer_of_which_nothing_can_be_used_is_refused_by_name(simulation: Simulation, name: str) -> None:
    change, reason = REFUSED[name]
    assert offered(Client(simulation, "alice"), change) == Refused(code="sdp_invalid", reason=reason)
    assert not simulation.router.rooms["room"].peers

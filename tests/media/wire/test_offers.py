"""Offers of real browsers and libraries, and what is refused."""

import contextlib
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.control import Line
from media.forwarding.offers import plan
from media.wire import WireError
from media.wire.sdp import (
    AUDIO_LEVEL,
    MID,
    RID,
    TRANSPORT_SEQUENCE,
    Connection,
    OfferError,
    agree,
    connect,
    parse_offer,
)

OFFERS = {path.stem: path.read_bytes().decode() for path in (Path(__file__).parent / "offers").glob("*.sdp")}
CHROMIUM = OFFERS["chromium-consult"]
FINGERPRINT = next(line for line in CHROMIUM.splitlines() if line.startswith("a=fingerprint"))
CALLS_A_LINE = 100
BARE = {"gstreamer", "libdatachannel", "pion", "werift"}
"""They offer no RTX by themselves, and some no header extension."""


def connection(sdp: str) -> Connection:
    """The transport that all lines share."""
    offer = parse_offer(sdp)
    return connect(offer, {line.mid for line in offer.media if agree(line)})


@pytest.mark.parametrize("name", sorted(OFFERS))
def test_an_offer_of_a_real_client_names_its_lines_codecs_and_transport(name: str) -> None:
    offer = parse_offer(OFFERS[name])
    slots = 12 if "twelve" in name else 1
    assert [line.kind for line in offer.media] == ["audio", "video"] * (slots + 1) + ["video"]
    assert [line.direction for line in offer.media] == ["sendonly"] * 2 + ["recvonly"] * (2 * slots + 1)
    transport = connection(OFFERS[name])
    assert (transport.mids, transport.bundled) == ([line.mid for line in offer.media], True)
    assert transport.setup == "actpass"
    assert transport.fingerprints[0].algorithm == "sha-256"
    assert not any(line.rejected for line in offer.media)
    for line in offer.media:
        agreement = agree(line)
        assert agreement is not None
        assert agreement.codec.name == {"audio": "opus", "video": "vp8"}[line.kind]
        bare = name.split("-", maxsplit=1)[0] in BARE
        assert (agreement.rtx_payload_type is not None) == (
            line.kind == "video" and "rtx" in {one.name for one in line.payloads}
        )
        assert bare or MID in agreement.extensions


def test_firefox_and_aiortc_signal_their_ssrcs_and_chromium_its_rids() -> None:
    camera = parse_offer(OFFERS["firefox-consult"]).media[1]
    assert list(camera.fid) == camera.ssrcs[:1]
    assert list(camera.fid.values()) == camera.ssrcs[1:]
    camera = parse_offer(OFFERS["aiortc-consult"]).media[1]
    assert list(camera.fid.items()) == [tuple(camera.ssrcs)]
    camera = parse_offer(OFFERS["chromium-simulcast"]).media[1]
    assert camera.rids == ("q", "h", "f")
    assert RID in camera.extensions
    assert camera.ssrcs == []


def test_transport_wide_feedback_is_agreed_on_only_where_the_client_sends() -> None:
    microphone, camera, *slots = parse_offer(CHROMIUM).media
    for line in (microphone, camera):
        agreement = agree(line)
        assert agreement is not None
        assert TRANSPORT_SEQUENCE in agreement.extensions
        assert "transport-cc" in agreement.feedback
    for line in slots:
        agreement = agree(line)
        assert agreement is not None
        assert TRANSPORT_SEQUENCE not in agreement.extensions
        assert "transport-cc" not in agreement.feedback
        assert (AUDIO_LEVEL in agreement.extensions) == (line.kind == "audio")
        assert ("goog-remb" in agreement.feedback) == (line.kind == "video")


def change(old: str, new: str, text: str = CHROMIUM, count: int = -1) -> str:
    assert old in text
    return text.replace(old, new, count)


REFUSED = {
    "empty": "",
    "no m-lines": "v=0\r\n",
    "too large": CHROMIUM + "a=x:" + "y" * 131_072,
    "too many lines": CHROMIUM + "\n" * 8_001,
    "too many m-lines": CHROMIUM + "".join(f"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:m{n}\r\n" for n in range(36)),
    "the same mid twice": change("a=mid:1", "a=mid:0"),
    "no fragment": change("a=ice-ufrag", "a=ice-xfrag"),
    "a short password": change("a=ice-pwd:", "a=ice-pwd:short\r\na=x:"),
    "a fragment with a colon": change("a=ice-ufrag:", "a=ice-ufrag:ab:cd\r\na=x:"),
    "no fingerprint": change(FINGERPRINT, "a=x:1"),
    "SHA-1": change(FINGERPRINT, "a=fingerprint:sha-1 " + ":".join(["AB"] * 20)),
    "a cut fingerprint": change(FINGERPRINT, FINGERPRINT[:-3]),
    "passive": change("a=setup:actpass", "a=setup:passive"),
    "no formats": change(
        CHROMIUM[CHROMIUM.index("m=video") : CHROMIUM.index("\r\n", CHROMIUM.index("m=video"))], "m=video 9 X"
    ),
    "65 SSRCs in a line": change("a=mid:1", "a=mid:1\r\n" + "\r\n".join(f"a=ssrc:{n} cname:x" for n in range(1, 66))),
    "65 SSRCs in all": change("a=mid:1", "a=mid:1\r\n" + "\r\n".join(f"a=ssrc:{n} cname:x" for n in range(1, 64))),
    "200 formats": change("m=video 9 UDP/TLS/RTP/SAVPF ", "m=video 9 UDP/TLS/RTP/SAVPF " + "1 " * 200),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_an_offer_outside_of_the_limits_is_refused(case: str) -> None:
    with pytest.raises(OfferError):
        connection(REFUSED[case])


ODD = [
    "a=mid:0",
    "a=fmtp:77 x=1",
    "a=fmtp:111 stereo=1; sprop-stereo=1;;=;cbr",
    "a=extmap:9/recvonly urn:x with attributes",
    "a=extmap:0 urn:zero",
    "a=extmap:15 urn:fifteen",
    "a=extmap:\u0661 urn:digits",
    "a=ssrc:1 foo",
    "a=ssrc:x",
    "a=ssrc-group:FID 1",
    "a=ssrc-group:",
    "a=ssrc-group:FID 1 1",
    "a=rtpmap:",
    "a=rtpmap:111",
    "a=rtcp-fb:* x y",
    "a=rid:",
    "a=",
    "a",
    "",
    "b=AS:\u2028",
]


def test_odd_but_harmless_attributes_are_passed_over() -> None:
    line = parse_offer(change("a=mid:0", "\r\n".join(ODD))).media[0]
    opus = line.payloads[0]
    assert (opus.name, opus.clock_rate, opus.channels) == ("opus", 48000, 2)
    assert opus.fmtp == {"minptime": "10", "useinbandfec": "1", "stereo": "1", "sprop-stereo": "1", "cbr": ""}
    assert opus.feedback == ["transport-cc", "x y"]
    assert line.extensions["urn:x"] == 9
    assert not {"urn:zero", "urn:fifteen", "urn:digits"} & set(line.extensions)
    assert 1 in line.ssrcs
    assert line.fid == {}


def test_bare_line_feeds_and_transport_attributes_of_the_session_are_taken() -> None:
    text = OFFERS["firefox-consult"]
    session = text.index("m=audio")
    assert "a=fingerprint" in text[:session]
    assert "a=fingerprint" not in text[session:]
    assert parse_offer(text.replace("\r\n", "\n")) == parse_offer(text)
    assert connection(text).fingerprints


def test_a_stopped_line_is_rejected_but_a_bundle_only_one_is_not() -> None:
    second = CHROMIUM.index("m=video 9")
    stopped = CHROMIUM[:second] + CHROMIUM[second:].replace("m=video 9", "m=video 0", 1)
    assert parse_offer(stopped).media[1].rejected
    assert agree(parse_offer(stopped).media[1]) is None
    bundled = CHROMIUM[:second] + CHROMIUM[second:].replace("a=mid:1", "a=mid:1\r\na=bundle-only", 1)
    assert not parse_offer(bundled.replace("m=video 9", "m=video 0", 1)).media[1].rejected


def test_mutated_offers_are_parsed_or_refused() -> None:
    chance = random.Random(7)
    texts = sorted(text for name, text in OFFERS.items() if "twelve" not in name)
    for _ in range(3_000):
        text = mutate(chance.choice(texts), chance)
        with contextlib.suppress(WireError):
            plan(parse_offer(text), [Line(mid="0", use="microphone"), Line(mid="1", use="camera")])


def mutate(text: str, chance: random.Random) -> str:
    lines = text.split("\r\n")
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines[at] = lines[at][: chance.randint(0, len(lines[at]))]
            case 2:
                lines.insert(at, chance.choice(lines))
            case 3:
                place = chance.randint(0, len(lines[at]))
                lines[at] = lines[at][:place] + chance.choice(":/ ;=-9a\0\u00e9\u2028\n\r") + lines[at][place + 1 :]
            case 4:
                lines[at] = lines[at].replace(
                    chance.choice("0123456789"), chance.choice(["", "-1", "99999999999", "\u0663"])
                )
            case _:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
        lines = lines or [""]
    return chance.choice(["\r\n", "\n"]).join(lines)


@pytest.mark.parametrize(
    "filler",
    ["a=rtpmap:96 VP8/90000", "a=rtcp-fb:* x", "a=extmap:1 u", "a=ssrc:1 a:b", "a=fmtp:96 a=b", "a=mid:0", "m=a 9 b 1"],
)
def test_the_work_for_the_largest_offers_grows_with_their_lines_only(filler: str) -> None:
    lines = min(7_000, 110_000 // len(filler))
    assert calls(CHROMIUM + "\n".join([filler] * lines)) < CALLS_A_LINE * lines


def calls(text: str) -> int:
    """How many functions run to parse it: as good as its time, and the same on a busy machine."""
    count = 0

    def one_more(*_event: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(one_more)
    try:
        with contextlib.suppress(WireError):
            parse_offer(text)
    finally:
        sys.setprofile(before)
    return count


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for offer in (text, CHROMIUM + text, "v=0\r\nm=" + text):
        try:
            parse_offer(offer)
        except WireError:
            continue

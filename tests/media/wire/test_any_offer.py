"""Offers of any lines, in any order: answered line by line, or refused by a word; nobody else notices."""

from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.control import Answered, Line, OfferCall, OpenRoom, Refused
from media.forwarding.router import Router
from media.refusals import LineReason, OfferReason
from media.session.dtls import Certificate
from media.wire.sdp import parse_offer
from tests.media.offering import EXTENSIONS, LAYERS

REASONS = {*get_args(OfferReason), *get_args(LineReason)}
CERTIFICATE = Certificate()
FINGERPRINT = ":".join(["AB"] * 32)

tokens = st.sampled_from(["q", "h", "f", "0", "1", "a-b", "", "x" * 40, "ü", "~", "1 send", "h;h"])


def mostly(usual: list[str], odd: list[str]) -> st.SearchStrategy[str]:
    """Something odd once in a while: of many odd things at once the first is refused, and nothing else is seen."""
    return st.sampled_from([*usual * (12 * len(odd) // len(usual) + 1), *odd])


@st.composite
def sections(draw: st.DrawFn, index: int) -> tuple[list[str], Line]:
    """An m-line with what may stand below one, right or wrong, and what it is said to be for."""
    kind = draw(mostly(["audio", "video"], ["application"]))
    direction = draw(mostly(["sendonly", "recvonly"], ["sendrecv", "inactive"]))
    codec = "VP8/90000" if kind == "video" else "opus/48000/2"
    lines = [
        f"m={kind} {draw(mostly(['9'], ['0', '7']))} {draw(mostly(['UDP/TLS/RTP/SAVPF'], ['RTP/AVP', 'x']))} 96 97",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{draw(mostly([str(index)], ['0', 'm' * 20]))}",
        f"a={direction}",
        f"a=rtpmap:96 {draw(mostly([codec], ['VP8/0', '/', 'red/48000/2']))}",
        f"a=rtpmap:97 {draw(mostly(['rtx/90000'], ['VP8/90000']))}",
        f"a=fmtp:97 apt={draw(mostly(['96'], ['97', '300']))}",
    ]
    lines += [f"a=rtcp-fb:96 {draw(st.sampled_from(['nack', 'nack pli', 'transport-cc', '']))}" for _ in range(2)]
    for uri in draw(st.lists(st.sampled_from([*EXTENSIONS.values(), *LAYERS.values()]), max_size=5)):
        lines.append(f"a=extmap:{draw(st.integers(0, 300))} {uri}")
    if draw(st.booleans()):
        lines += [f"a=extmap:{number} {uri}" for number, uri in (EXTENSIONS | LAYERS).items()]
    rids = draw(st.just(["q", "h", "f"]) | st.lists(tokens, max_size=5))
    lines += [f"a=rid:{rid} send" for rid in rids]
    if draw(st.booleans()):
        lines.append("a=simulcast:send " + ";".join(draw(st.just(rids) | st.lists(tokens, max_size=5))))
    for ssrc in draw(st.lists(st.integers(0, 2**33), max_size=4)):
        lines += [f"a=ssrc:{ssrc} cname:x", f"a=ssrc-group:FID {ssrc} {draw(st.integers(0, 2**32))}"]
    sending = "microphone" if kind == "audio" else draw(st.sampled_from(["camera", "screen"]))
    fitting = sending if direction == "sendonly" else "slot"
    use: Any = draw(mostly([fitting], ["stage", "camera", "slot"]))
    return lines, Line(mid=str(index), use=use, slot=draw(st.integers(0, 70)) if use == "slot" else None)


@st.composite
def offers(draw: st.DrawFn) -> tuple[str, list[Line]]:
    made = [draw(sections(index)) for index in range(draw(st.integers(1, 4)))]
    session = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-ufrag:abcd", "a=ice-pwd:" + "p" * 24]
    session += [f"a=fingerprint:sha-256 {FINGERPRINT}", "a=setup:actpass"]
    session += ["a=group:BUNDLE " + " ".join(str(index) for index in range(len(made)))]
    lines = [line for section, _ in made for line in section]
    return "\r\n".join([*session, *lines]) + "\r\n", [line for _, line in made]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(offers())
def test_an_offer_is_answered_line_by_line_or_refused_by_a_word(made: tuple[str, list[Line]]) -> None:
    sdp, lines = made
    router = Router(CERTIFICATE, list, lambda _: None)
    router.handle(OpenRoom(room="room", fence=1, capacity=4))
    reply = router.handle(OfferCall(room="room", fence=1, peer="somebody", sdp=sdp, lines=lines))
    if isinstance(reply, Refused):
        assert reply.code == "sdp_invalid"
        assert reply.reason in REASONS
        assert not router.rooms["room"].peers
        return
    assert isinstance(reply, Answered)
    answered = reply.sdp.split("\r\n")
    assert all(line.isprintable() for line in answered)
    kinds = [line[2:].split(" ")[0] for line in answered if line.startswith("m=")]
    assert kinds == [line.kind for line in parse_offer(sdp).media]
    peer = router.rooms["room"].peers["somebody"]
    assert len(peer.viewing.slots) <= len(kinds)
    assert all(1 <= len(publication.streams) <= 3 for publication in peer.publications.values())

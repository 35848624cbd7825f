"""RTCP: our builders read by aiortc, aiortc's read by our parser, and what no parser should fall over."""

from struct import pack

import pytest
from aiortc import rtp
from hypothesis import given
from hypothesis import strategies as st

from media.wire import WireError
from media.wire.rtcp import (
    Bye,
    FullIntraRequest,
    Nack,
    PictureLoss,
    ReceiverEstimate,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    bye,
    fir,
    nack,
    parse,
    pli,
    receiver_report,
    remb,
    sdes,
    sender_report,
    transport_feedback,
)

U32 = st.integers(0, 2**32 - 1)
BLOCKS = st.builds(ReportBlock, U32, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), U32, U32, U32, U32)
BLOCK = ReportBlock(7, 128, -3, 70_000, 12, 0xABCD1234, 65_536)


@given(U32, st.integers(0, 2**64 - 1), U32, U32, U32, st.lists(BLOCKS, max_size=31))
def test_a_sender_report_comes_back(
    ssrc: int, ntp: int, time: int, packets: int, octets: int, blocks: list[ReportBlock]
) -> None:
    data = sender_report(ssrc, ntp, time, packets, octets, blocks)
    assert parse(data) == [SenderReport(ssrc, ntp, time, packets, octets, blocks)]


@given(U32, st.lists(BLOCKS, max_size=31))
def test_a_receiver_report_comes_back(ssrc: int, blocks: list[ReportBlock]) -> None:
    assert parse(receiver_report(ssrc, blocks)) == [ReceiverReport(ssrc, blocks)]


@given(st.dictionaries(U32, st.text(max_size=60), max_size=31))
def test_canonical_names_come_back(cnames: dict[int, str]) -> None:
    assert parse(sdes(cnames)) == [SourceDescription(cnames)]


@given(U32, U32, st.lists(st.integers(0, 65535), min_size=1, max_size=400))
def test_lost_packets_come_back_whatever_their_order(sender: int, media: int, lost: list[int]) -> None:
    [packet] = parse(nack(sender, media, lost))
    assert isinstance(packet, Nack)
    assert (packet.sender, packet.media) == (sender, media)
    assert set(packet.lost) == set(lost)


@given(st.integers(0, 65535), st.integers(1, 17))
def test_a_run_of_17_lost_packets_takes_one_pair_also_across_the_wrap(first: int, size: int) -> None:
    lost = [first + offset & 0xFFFF for offset in range(size)]
    data = nack(1, 2, lost)
    assert len(data) == 16
    assert parse(data) == [Nack(1, 2, lost)]


@given(U32, st.integers(0, 2**40), st.lists(U32, max_size=100))
def test_an_estimate_comes_back_with_18_bits(sender: int, bitrate: int, ssrcs: list[int]) -> None:
    [packet] = parse(remb(sender, bitrate, ssrcs))
    assert isinstance(packet, ReceiverEstimate)
    assert (packet.sender, packet.ssrcs) == (sender, ssrcs)
    assert bitrate * (1 - 2**-17) <= packet.bitrate <= bitrate


@given(U32, st.lists(st.tuples(U32, st.integers(0, 255)), max_size=60))
def test_key_frame_requests_come_back(sender: int, targets: list[tuple[int, int]]) -> None:
    assert parse(fir(sender, targets)) == [FullIntraRequest(sender, targets)]
    assert parse(pli(sender, 9)) == [PictureLoss(sender, 9)]
    assert parse(bye([1, 2])) == [Bye([1, 2])]


def test_aiortc_reads_what_we_build() -> None:
    data = (
        sender_report(1, 2**63 + 5, 3, 4, 5, [BLOCK])
        + sdes({1: "canonical"})
        + receiver_report(1, [BLOCK])
        + nack(1, 2, [10, 12, 40])
        + pli(1, 2)
        + remb(1, 250_000, [2, 3])
        + bye([1])
    )
    report, description, received, lost, picture, estimate, goodbye = rtp.RtcpPacket.parse(data)
    assert isinstance(report, rtp.RtcpSrPacket)
    assert (report.ssrc, report.sender_info.ntp_timestamp, report.reports[0].packets_lost) == (1, 2**63 + 5, -3)
    assert isinstance(description, rtp.RtcpSdesPacket)
    assert description.chunks[0].items == [(1, b"canonical")]
    assert isinstance(received, rtp.RtcpRrPacket)
    assert received.reports[0].highest_sequence == 70_000
    assert isinstance(lost, rtp.RtcpRtpfbPacket)
    assert lost.lost == [10, 12, 40]
    assert isinstance(picture, rtp.RtcpPsfbPacket)
    assert (picture.fmt, picture.media_ssrc) == (1, 2)
    assert isinstance(estimate, rtp.RtcpPsfbPacket)
    assert rtp.unpack_remb_fci(estimate.fci) == (250_000, [2, 3])
    assert isinstance(goodbye, rtp.RtcpByePacket)
    assert goodbye.sources == [1]


def test_we_read_what_aiortc_builds() -> None:
    info = rtp.RtcpSenderInfo(ntp_timestamp=2**63, rtp_timestamp=2, packet_count=3, octet_count=4)
    assert parse(bytes(rtp.RtcpSrPacket(ssrc=1, sender_info=info))) == [SenderReport(1, 2**63, 2, 3, 4, [])]
    assert parse(bytes(rtp.RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=[5, 6, 90]))) == [Nack(1, 2, [5, 6, 90])]
    estimate = rtp.RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=rtp.pack_remb_fci(1_000_000, [7]))
    assert parse(bytes(estimate)) == [ReceiverEstimate(1, 1_000_000, [7])]


def test_unknown_and_malformed_packets_cost_no_more_than_themselves() -> None:
    extended_report = bytes.fromhex("80cf0002 00000001 04000000".replace(" ", ""))
    short_sender_report = pack("!BBHI", 0x80, 200, 1, 7)
    false_count = pack("!BBH", 0x8F, 206, 4) + pack("!II4sBBH", 1, 0, b"REMB", 200, 0, 5)
    no_targets = pack("!BBHI", 0x81, 206, 1, 1)
    data = extended_report + short_sender_report + false_count + no_targets + pli(1, 2)
    assert parse(data) == [ReceiverEstimate(1, 5, []), PictureLoss(1, 2)]


def test_what_follows_the_reports_is_an_extension_of_the_profile() -> None:
    data = bytearray(receiver_report(1, [BLOCK]) + b"\1\2\3\4" * 2)
    data[2:4] = pack("!H", len(data) // 4 - 1)
    assert parse(data) == [ReceiverReport(1, [BLOCK])]


def test_padding_is_taken_off_the_last_packet() -> None:
    data = bytearray(nack(1, 2, [7]) + b"\0\0\0\4")
    data[0] |= 0x20
    data[2:4] = pack("!H", len(data) // 4 - 1)
    assert parse(data) == [Nack(1, 2, [7])]
    data[-1] = 255
    assert parse(data) == []


def test_a_cut_off_compound_keeps_what_came_before() -> None:
    assert parse(pli(1, 2) + pli(3, 4)[:8]) == [PictureLoss(1, 2)]
    assert parse(pli(1, 2) + b"\0" * 12) == [PictureLoss(1, 2)]


@pytest.mark.parametrize("data", [b"", b"\x80", pli(1, 2)[:-1], b"\0" * 12, b"\x80\xc8" + b"\xff" * 40, bytes(3000)])
def test_what_is_not_rtcp_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        parse(data)


@given(st.binary(max_size=200), st.integers(0, 31), st.sampled_from([200, 201, 202, 203, 204, 205, 206, 207]))
def test_any_body_is_parsed_or_passed_over(body: bytes, count: int, kind: int) -> None:
    body += bytes(-len(body) % 4)
    parse(pack("!BBH", 0x80 | count, kind, len(body) // 4) + body)
    parse(pack("!BBH", 0xA0 | count, kind, len(body) // 4) + body)


@given(st.binary(max_size=300))
def test_any_datagram_is_parsed_or_refused(data: bytes) -> None:
    try:
        parse(data)
    except WireError:
        return


@given(st.data())
def test_a_changed_byte_is_parsed_or_refused(data: st.DataObject) -> None:
    whole = (
        sender_report(1, 2, 3, 4, 5, [BLOCK]) + sdes({1: "x"}) + nack(1, 2, [3]) + remb(1, 2, [3]) + fir(1, [(2, 3)])
    )
    whole += transport_feedback(1, 2, 0, [(1, 0), (3, 500), (4, 90_000)])[0]
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse(changed)
    except WireError:
        return

#!/bin/sh
# GStreamer 1.22's webrtcbin (libnice 0.1.21), as Debian 12 has it, sends no consent checks (RFC 7675) once it is connected:
# two authenticated checks at the start, then one binding indication each 25 s, without MESSAGE-INTEGRITY.
#
# What one would think: like browsers, libwebrtc, libdatachannel and werift, a check every 4 to 6 s, or at least a keepalive
# in the 15 s that RFC 8445 (section 11) has as its default. So a relay that takes 6, 10 or 15 s without an authentic check
# for silence loses this stack as soon as its senders pause, and one that reads requests only never sees a sign of life.
#
# Needs Debian 12 and root (packages, and a raw socket on lo to see the STUN messages). Takes about a minute.
set -eu
[ "$(id -u)" = 0 ] || { echo 'run as root' >&2; exit 2; }
folder=$(mktemp -d)
policy=/usr/sbin/policy-rc.d
made=''
trap 'rm -rf "$folder"; [ -z "$made" ] || rm -f "$policy"' EXIT
[ -e "$policy" ] || { made=1; printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends 'gstreamer1.0-plugins-base=1.22.*' 'gstreamer1.0-plugins-good=1.22.*' \
    'gstreamer1.0-plugins-bad=1.22.*' 'gstreamer1.0-nice=0.1.21*' 'gir1.2-gst-plugins-bad-1.0=1.22.*' python3-gi >/dev/null
dpkg-query --show gstreamer1.0-plugins-bad libnice10

cat >"$folder/two.py" <<'P'
import socket
import struct
import sys
import threading
import time

import gi

for name in ("Gst", "GstSdp", "GstWebRTC"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstWebRTC

SECONDS = 60
Gst.init(None)
seen = []


def listen():
    """All STUN over UDP on the loopback interface: when, from which port, message type, whether it has an integrity."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
    raw.bind(("lo", 0))
    while True:
        data, where = raw.recvfrom(4000)
        form = struct.unpack_from("!H", data, 12)[0]
        if where[2] == socket.PACKET_OUTGOING or form not in (0x0800, 0x86DD) or data[20 if form == 0x86DD else 23] != 17:
            continue
        at = 54 if form == 0x86DD else 14 + (data[14] & 15) * 4
        packet = data[at + 8 :]
        if len(packet) < 20 or packet[4:8] != b"\x21\x12\xa4\x42":
            continue
        place, attributes = 20, set()
        while place + 4 <= len(packet):
            kind, size = struct.unpack_from("!HH", packet, place)
            attributes.add(kind)
            place += 4 + (size + 3 & ~3)
        seen.append((time.monotonic(), struct.unpack_from("!H", data, at)[0], struct.unpack_from("!H", packet)[0], 8 in attributes))


threading.Thread(target=listen, daemon=True).start()
send = Gst.parse_launch(
    "webrtcbin name=rtc bundle-policy=max-bundle audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=111 ! "
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! rtc."
)
take = Gst.parse_launch("webrtcbin name=rtc bundle-policy=max-bundle fakesrc num-buffers=0 ! fakesink")
one, other = send.get_by_name("rtc"), take.get_by_name("rtc")
other.connect("pad-added", lambda _, pad: sink(pad))
own = set()
one.connect("on-ice-candidate", lambda _, line, text: found(other, line, text))
other.connect("on-ice-candidate", lambda _, line, text: found(one, line, text))


def found(peer, line, text):
    own.add(int(text.split()[5]))
    peer.emit("add-ice-candidate", line, text)


def sink(pad):
    if pad.get_direction() == Gst.PadDirection.SRC:
        end = Gst.ElementFactory.make("fakesink")
        take.add(end)
        end.sync_state_with_parent()
        pad.link(end.get_static_pad("sink"))


def described(promise, mine, theirs, kind):
    reply = promise.get_reply()
    description = reply.get_value(kind)
    for element, signal in ((mine, "set-local-description"), (theirs, "set-remote-description")):
        element.emit(signal, description, Gst.Promise.new())
    if kind == "offer":
        theirs.emit("create-answer", None, Gst.Promise.new_with_change_func(described, theirs, mine, "answer"))


def offer(_element):
    one.emit("create-offer", None, Gst.Promise.new_with_change_func(described, one, other, "offer"))


one.connect("on-negotiation-needed", offer)
take.set_state(Gst.State.PLAYING)
send.set_state(Gst.State.PLAYING)
loop = GLib.MainLoop()
GLib.timeout_add_seconds(SECONDS, loop.quit)
loop.run()
state = one.get_property("connection-state").value_nick
print(f"{Gst.version_string()}: {state} for {SECONDS} s")
if state != "connected":
    sys.exit(2)
began = min(when for when, port, *_ in seen if port in own)
late = [(round(when - began, 1), port, f"0x{kind:04x}", "integrity" if whole else "no integrity")
        for when, port, kind, whole in seen if port in own and when - began > 5]
for line in late:
    print("after 5 s:", *line)
requests = [line for line in late if line[2] == "0x0001"]
indications = [line for line in late if line[2] == "0x0011"]
gaps = {port: [] for _, port, *_ in indications}
for port in gaps:
    times = [when for when, of, *_ in indications if of == port]
    gaps[port] = [round(b - a) for a, b in zip(times, times[1:])]
print(f"{len(requests)} requests, {len(indications)} indications after 5 s; seconds between them: {gaps}")
same = not requests and indications and all(line[3] == "no integrity" for line in indications)
same = same and all(gap == 25 for one in gaps.values() for gap in one)
sys.exit(0 if same else 1)
P
/usr/bin/python3 "$folder/two.py"

#!/bin/sh
# An answer that rejects one m-line, as RFC 8829 (5.3.1) writes it (port 0, and nothing that a line in use would need), is
# refused as a whole by aiortc 1.16.0 and werift 0.24.4: nobody hears anybody because one line has no common codec.
#
# What one would think: only the transceiver of that line stops, as in browsers, Pion and libdatachannel. Instead aiortc
# asks the rejected line for ICE credentials, DTLS, rtcp-mux and a codec of its own; werift for a codec.
# With those attributes in the rejected line, where nothing ever uses them, both take the answer and the other lines work.
#
# Needs python3 with venv, node 20 and npm; installs into a folder of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'aiortc==1.16.0'
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund werift@0.24.4

cat >two.py <<'P'
import asyncio
import re

from aiortc import RTCPeerConnection, RTCSessionDescription


async def taken(extra):
    """Whether an offerer of sound and picture takes an answer that rejects the picture."""
    one, other = RTCPeerConnection(), RTCPeerConnection()
    for kind in ("audio", "video"):
        one.addTransceiver(kind, direction="sendonly")
    await one.setLocalDescription(await one.createOffer())
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription(await other.createAnswer())
    sound, picture = re.split(r"(?=^m=video)", other.localDescription.sdp, flags=re.MULTILINE)
    sound = re.sub(r"a=group:BUNDLE 0 1", "a=group:BUNDLE 0", sound)
    format_ = re.match(r"m=video \d+ \S+ (\d+)", picture)[1]
    kept = [line for line in picture.splitlines() if re.match(extra, line)] if extra else []
    rejected = "\r\n".join([f"m=video 0 UDP/TLS/RTP/SAVPF {format_}", "c=IN IP4 0.0.0.0", "a=mid:1", "a=inactive", *kept, ""])
    try:
        await one.setRemoteDescription(RTCSessionDescription(sound + rejected, "answer"))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        await one.close()
        await other.close()
    return "taken"


async def main():
    for name, extra in (
        ("port 0, mid, inactive", ""),
        ("ICE credentials too", "a=ice-ufrag|a=ice-pwd"),
        ("and fingerprint, setup", "a=ice-ufrag|a=ice-pwd|a=fingerprint|a=setup"),
        ("and rtcp-mux", "a=ice-ufrag|a=ice-pwd|a=fingerprint|a=setup|a=rtcp-mux"),
        ("and rtpmap", "a=ice-ufrag|a=ice-pwd|a=fingerprint|a=setup|a=rtcp-mux|a=rtpmap|a=fmtp"),
    ):
        print(f"aiortc 1.16.0, {name}: {await taken(extra)}")


asyncio.run(main())
P
cat >two.mjs <<'J'
import { RTCPeerConnection } from 'werift';

async function taken(extra) {
  const [one, other] = [new RTCPeerConnection(), new RTCPeerConnection()];
  for (const kind of ['audio', 'video']) one.addTransceiver(kind, { direction: 'sendonly' });
  await one.setLocalDescription(await one.createOffer());
  await other.setRemoteDescription(one.localDescription);
  await other.setLocalDescription(await other.createAnswer());
  const [sound, picture] = other.localDescription.sdp.split(/(?=^m=video)/m);
  const format = picture.match(/^m=video \d+ \S+ (\d+)/)[1];
  const mid = picture.match(/a=mid:(\S+)/)[1];
  const kept = extra ? picture.split('\r\n').filter((line) => extra.test(line)) : [];
  const rejected = [`m=video 0 UDP/TLS/RTP/SAVPF ${format}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, 'a=inactive', ...kept, ''].join('\r\n');
  const sdp = sound.replace(new RegExp(`(a=group:BUNDLE .*) ${mid}`), '$1') + rejected;
  try {
    await one.setRemoteDescription({ type: 'answer', sdp });
    return 'taken';
  } catch (error) {
    return `${error.name}: ${error.message}`;
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
}

console.log(`werift 0.24.4, port 0, mid, inactive: ${await taken(null)}`);
console.log(`werift 0.24.4, an rtpmap too: ${await taken(/^a=rtpmap/)}`);
process.exit(0);
J
{ env/bin/python two.py; node two.mjs; } | tee seen
cat >expected <<'X'
aiortc 1.16.0, port 0, mid, inactive: ValueError: ICE username fragment or password is missing
aiortc 1.16.0, ICE credentials too: AttributeError: 'NoneType' object has no attribute 'role'
aiortc 1.16.0, and fingerprint, setup: ValueError: RTCP mux is not enabled
aiortc 1.16.0, and rtcp-mux: OperationError: Failed to set remote video description send parameters
aiortc 1.16.0, and rtpmap: taken
werift 0.24.4, port 0, mid, inactive: Error: negotiate codecs failed.
werift 0.24.4, an rtpmap too: taken
X
diff expected seen

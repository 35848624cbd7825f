// libdatachannel by node-datachannel: tracks of packets, its description of each line made here.
import datachannel from 'node-datachannel';
import { Bridge, say, version } from './bridge.mjs';

const OPUS = 111;
const VP8 = 96;
const connection = new datachannel.PeerConnection('stack', { iceServers: [], disableAutoNegotiation: true });
const tracks = [];
let bridge;

function add(kind, mid, direction, ssrc) {
  const media = new datachannel[kind](mid, direction);
  if (kind === 'Audio') media.addOpusCodec(OPUS);
  else media.addVP8Codec(VP8);
  if (ssrc) media.addSSRC(ssrc, 'stack', 'stack', mid);
  const track = connection.addTrack(media);
  tracks.push(track);
  return track;
}

bridge = new Bridge({
  types: { audio: OPUS, video: VP8 },
  ssrcs: { audio: 1111, video: 2222 },
  ready: (label) => tracks[label]?.isOpen(),
  send: (label, packet) => tracks[label].sendMessageBinary(packet),
  connect() {
    add('Audio', '0', 'SendOnly', 1111);
    add('Video', '1', 'SendOnly', 2222);
    for (const [index, kind] of ['Audio', 'Video'].entries()) {
      const take = bridge.receiver(kind === 'Video');
      add(kind, String(2 + index), 'RecvOnly').onMessage((packet) => {
        if (packet[1] < 192 || packet[1] > 223) take(packet);
      });
    }
    add('Video', '4', 'RecvOnly');
    connection.onStateChange((state) => say({ state }));
    return new Promise((resolve) => {
      connection.onLocalDescription((sdp) => resolve({ offer: sdp }));
      connection.setLocalDescription('offer');
    });
  },
  answer: (sdp) => connection.setRemoteDescription(sdp, 'answer'),
});
say({ version: `${version('node-datachannel')}, libdatachannel ${datachannel.getLibraryVersion()}` });

// werift: transceivers whose tracks take and give RTP packets.
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from 'werift';
import { Bridge, say, version } from './bridge.mjs';

const OPUS = 111;
const VP8 = 96;
const codecs = {
  audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: OPUS })],
  video: [
    new RTCRtpCodecParameters({
      mimeType: 'video/VP8',
      clockRate: 90000,
      payloadType: VP8,
      rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'goog-remb' }],
    }),
  ],
};
const connection = new RTCPeerConnection({ codecs, bundlePolicy: 'max-bundle', iceServers: [] });
const tracks = [];
let bridge;

bridge = new Bridge({
  types: { audio: OPUS, video: VP8 },
  ssrcs: { audio: 1111, video: 2222 },
  ready: () => connection.connectionState === 'connected',
  send: (label, packet) => tracks[label].writeRtp(packet),
  async connect() {
    for (const kind of ['audio', 'video']) {
      tracks.push(new MediaStreamTrack({ kind }));
      connection.addTransceiver(tracks.at(-1), { direction: 'sendonly' });
    }
    for (const kind of ['audio', 'video', 'video']) {
      const transceiver = connection.addTransceiver(kind, { direction: 'recvonly' });
      const take = bridge.receiver(kind === 'video');
      transceiver.onTrack.subscribe((track) => track.onReceiveRtp.subscribe((rtp) => take(rtp.serialize())));
    }
    connection.connectionStateChange.subscribe((state) => say({ state }));
    await connection.setLocalDescription(await connection.createOffer());
    return { offer: connection.localDescription.sdp };
  },
  answer: (sdp) => connection.setRemoteDescription({ type: 'answer', sdp }),
});
say({ version: version('werift') });

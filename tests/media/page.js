// Frames leave with the end of an encrypted frame and lose it again: the relay's tests need no keys.
const transformer = `
  const trailer = [0, 0, 0, 0x53, 0x4b];
  onrtctransform = ({transformer: {readable, writable, options}}) => {
    readable.pipeThrough(new TransformStream({transform(frame, controller) {
      const data = new Uint8Array(frame.data);
      if (options.send) {
        const longer = new Uint8Array(data.length + trailer.length);
        longer.set(data);
        longer.set(trailer, data.length);
        frame.data = longer.buffer;
      } else {
        frame.data = data.slice(0, data.length - trailer.length).buffer;
      }
      controller.enqueue(frame);
    }})).pipeTo(writable);
  };`;
const worker = new Worker(URL.createObjectURL(new Blob([transformer], {type: 'text/javascript'})));
const uses = [];
const videos = {};
let connection;

function send(kind, use) {
  const transceiver = connection.addTransceiver(kind, {direction: 'sendonly'});
  transceiver.sender.transform = new RTCRtpScriptTransform(worker, {send: true});
  uses.push([transceiver, {use}]);
  return transceiver.sender;
}

function receive(kind, use) {
  const transceiver = connection.addTransceiver(kind, {direction: 'recvonly'});
  transceiver.receiver.transform = new RTCRtpScriptTransform(worker, {send: false});
  uses.push([transceiver, use]);
  const element = document.body.appendChild(document.createElement(kind));
  element.autoplay = true;
  element.srcObject = new MediaStream([transceiver.receiver.track]);
  if (kind === 'video') videos[use.use] = element;
}

async function negotiate() {
  await connection.setLocalDescription(await connection.createOffer());
  const lines = uses.map(([transceiver, use]) => ({mid: transceiver.mid, ...use}));
  const sdp = await offerToRelay(connection.localDescription.sdp, lines);
  await connection.setRemoteDescription({type: 'answer', sdp});
}

async function join(width = 640, height = 360) {
  connection = new RTCPeerConnection();
  const microphone = send('audio', 'microphone');
  const camera = send('video', 'camera');
  receive('audio', {use: 'slot', slot: 0});
  receive('video', {use: 'slot', slot: 0});
  receive('video', {use: 'stage'});
  const media = await navigator.mediaDevices.getUserMedia({audio: true, video: {width, height}});
  await microphone.replaceTrack(media.getAudioTracks()[0]);
  await camera.replaceTrack(media.getVideoTracks()[0]);
  await negotiate();
}

async function share() {
  const canvas = document.createElement('canvas');
  canvas.width = 320;
  canvas.height = 180;
  const context = canvas.getContext('2d');
  let hue = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(hue += 7)} 80% 50%)`;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }, 100);
  const screen = send('video', 'screen');
  await screen.replaceTrack(canvas.captureStream(10).getVideoTracks()[0]);
  await negotiate();
}

async function restart() {
  connection.restartIce();
  await negotiate();
}

async function look() {
  const seen = {slot: 0, stage: 0, energy: 0, lost: 0, repaired: 0, freezes: 0, transport: null, dtls: null};
  for (const use of ['slot', 'stage']) seen[use] = videos[use].getVideoPlaybackQuality().totalVideoFrames;
  const stats = await connection.getStats();
  for (const report of stats.values()) {
    if (report.type === 'inbound-rtp' && report.kind === 'audio') seen.energy += report.totalAudioEnergy ?? 0;
    if (report.type === 'inbound-rtp' && report.kind === 'video') {
      seen.lost += report.packetsLost;
      seen.repaired += report.retransmittedPacketsReceived ?? 0;
      seen.freezes += report.freezeCount ?? 0;
    }
    if (report.type === 'transport') {
      const pair = stats.get(report.selectedCandidatePairId);
      seen.transport = pair ? stats.get(pair.localCandidateId).protocol : null;
      seen.dtls = `${report.dtlsState} ${report.selectedCandidatePairChanges}`;
      seen.certificate = report.remoteCertificateId;
    }
  }
  return seen;
}

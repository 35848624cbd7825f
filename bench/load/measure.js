// Beside tests/media/page.js, whose `connection` this is.

/** Both ways on two lines and back from the relay, as an echo test has it. */
async function echo(width, height) {
  connection = new RTCPeerConnection();
  const media = await navigator.mediaDevices.getUserMedia({audio: true, video: {width, height}});
  for (const track of media.getTracks()) {
    const transceiver = connection.addTransceiver(track, {direction: 'sendrecv'});
    if (track.kind === 'video') {
      const wanted = ['video/vp8', 'video/rtx'];
      const {codecs} = RTCRtpReceiver.getCapabilities('video');
      transceiver.setCodecPreferences(codecs.filter(({mimeType}) => wanted.includes(mimeType.toLowerCase())));
    }
    const element = document.body.appendChild(document.createElement(track.kind));
    element.autoplay = true;
    element.srcObject = new MediaStream([transceiver.receiver.track]);
  }
  await negotiate();
}

/** All counts so far, of what comes and what goes. */
async function counts() {
  const seen = {at: performance.now() / 1000};
  const add = (name, value) => (seen[name] = (seen[name] ?? 0) + (value ?? 0));
  for (const report of (await connection.getStats()).values()) {
    const {kind, type} = report;
    if (type === 'inbound-rtp' && kind === 'video') {
      add('frozen', report.totalFreezesDuration);
      add('freezes', report.freezeCount);
      add('frames', report.framesDecoded);
      add('dropped', report.framesDropped);
      add('height', report.frameHeight);
      add('videoOctets', report.bytesReceived);
      add('videoLost', report.packetsLost);
      add('videoPackets', report.packetsReceived);
      add('repaired', report.retransmittedPacketsReceived);
      add('nacks', report.nackCount);
      add('plis', report.pliCount);
      add('videoWait', report.jitterBufferDelay);
      add('videoWaited', report.jitterBufferEmittedCount);
    }
    if (type === 'inbound-rtp' && kind === 'audio') {
      add('concealed', report.concealedSamples);
      add('silent', report.silentConcealedSamples);
      add('samples', report.totalSamplesReceived);
      add('fec', report.fecPacketsReceived);
      add('audioLost', report.packetsLost);
      add('audioPackets', report.packetsReceived);
      add('audioDiscarded', report.packetsDiscarded);
      add('events', report.concealmentEvents);
      add('audioWait', report.jitterBufferDelay);
      add('audioWaited', report.jitterBufferEmittedCount);
    }
    if (type === 'outbound-rtp' && kind === 'video') {
      add('sentHeight', report.frameHeight);
      add('target', report.targetBitrate);
      add('sentOctets', report.bytesSent);
      add('sentNacks', report.nackCount);
      add('sentPlis', report.pliCount);
      add('sentAgain', report.retransmittedPacketsSent);
      seen.limitedBy = report.qualityLimitationReason;
    }
    if (type === 'candidate-pair' && report.nominated) {
      seen.rtt = report.currentRoundTripTime;
      seen.available = report.availableOutgoingBitrate;
    }
    if (type === 'remote-inbound-rtp') seen[`${kind}Told`] = report.fractionLost;
  }
  return seen;
}

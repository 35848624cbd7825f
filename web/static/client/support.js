/**
 * Whether this browser can hold an encrypted consult; there is no unencrypted one.
 *
 * `insecure-context`: the page came over plain HTTP from another host than localhost. `no-frame-encryption`: WebRTC
 * is there but `RTCRtpScriptTransform` is not (Chrome and Edge from 141, Firefox from 117, Safari from 15.4 have it).
 *
 * @returns {{ok: boolean, reason: null | 'insecure-context' | 'no-webrtc' | 'no-web-crypto' | 'no-frame-encryption'}}
 */
export function encryptionSupport() {
  const reason = lacking();
  return { ok: reason === null, reason };
}

function lacking() {
  if (!globalThis.isSecureContext) return 'insecure-context';
  if (!('RTCPeerConnection' in globalThis) || !('RTCRtpTransceiver' in globalThis)) return 'no-webrtc';
  if (!globalThis.crypto?.subtle || !('Worker' in globalThis)) return 'no-web-crypto';
  if (!('RTCRtpScriptTransform' in globalThis)) return 'no-frame-encryption';
  if (!('transform' in RTCRtpSender.prototype) || !('transform' in RTCRtpReceiver.prototype)) return 'no-frame-encryption';
  return null;
}

/**
 * Whether this browser can hold an encrypted consult; there is no unencrypted one.
 *
 * `insecure-context`: the page came over plain HTTP from another host than localhost. `no-webrtc`: there is none, or it is switched
 * off. `no-frame-encryption`: WebRTC is there but `RTCRtpScriptTransform` is not (Chrome and Edge from 141, Firefox from 117, Safari
 * from 15.4 have it).
 *
 * @returns {{ok: boolean, reason: null | 'insecure-context' | 'no-webrtc' | 'no-web-crypto' | 'no-frame-encryption'}}
 */
export function encryptionSupport() {
  const reason = lacking();
  return { ok: reason === null, reason };
}

/** @type {boolean | undefined} */
let works;

/** Add-ons and policies that take WebRTC away leave its names behind at times. */
function worksAtAll() {
  if (typeof RTCPeerConnection !== 'function' || typeof RTCRtpSender !== 'function' || typeof RTCRtpReceiver !== 'function') return false;
  try {
    new RTCPeerConnection().close();
    return true;
  } catch {
    return false;
  }
}

function lacking() {
  if (!globalThis.isSecureContext) return 'insecure-context';
  works ??= worksAtAll();
  if (!works) return 'no-webrtc';
  if (!globalThis.crypto?.subtle || !('Worker' in globalThis)) return 'no-web-crypto';
  if (!('RTCRtpScriptTransform' in globalThis)) return 'no-frame-encryption';
  if (!('transform' in RTCRtpSender.prototype) || !('transform' in RTCRtpReceiver.prototype)) return 'no-frame-encryption';
  return null;
}

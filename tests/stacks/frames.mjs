// Frames as docs/protocol.md has them: keys of a sender's secret, sealing, opening. Node's own cryptography only.
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

export const MICROPHONE = 0;
export const CAMERA = 1;
const END = Buffer.from([0x53, 0x4b]);
const TAG = 16;

const length = (value) => Buffer.concat([Buffer.from([value.length >> 8, value.length & 255]), value]);

/** @param {number} value its big-endian bytes, at least one */
function shortest(value) {
  const hex = BigInt(value).toString(16);
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
}

/** The key of one label of a sender: {kid, key, salt}. */
export function frameKey(version, { epoch, index, secret }, label) {
  const kid = (epoch % 65536) * 256 + index * 8 + label;
  const id = Buffer.alloc(4);
  id.writeUInt32BE(kid);
  const info = Buffer.concat([length(Buffer.from(`${version} key`)), length(id)]);
  const derived = Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'hex'), Buffer.alloc(0), info, 44));
  return { kid, key: derived.subarray(0, 32), salt: derived.subarray(32), counter: 0 };
}

function nonce(salt, counter) {
  const made = Buffer.from(salt);
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(counter));
  for (let at = 0; at < 8; at++) made[4 + at] ^= number[at];
  return made;
}

const clearBytes = (frame, video) => (video && frame.length ? Math.min(frame.length, frame[0] & 1 ? 1 : 10) : 0);

export function seal(own, frame, video) {
  const clear = frame.subarray(0, clearBytes(frame, video));
  const [kid, counter] = [shortest(own.kid), shortest(own.counter)];
  const header = Buffer.concat([kid, counter, Buffer.from([(kid.length - 1) * 16 + counter.length - 1])]);
  const cipher = createCipheriv('aes-256-gcm', own.key, nonce(own.salt, own.counter++));
  cipher.setAAD(Buffer.concat([clear, header]));
  const body = Buffer.concat([cipher.update(frame.subarray(clear.length)), cipher.final()]);
  return Buffer.concat([clear, body, cipher.getAuthTag(), header, END]);
}

/** Key id and counter, and where the header starts; null for what is no frame. */
export function dissect(frame) {
  if (frame.length < 3 + 2 + TAG || !frame.subarray(-2).equals(END)) return null;
  const sizes = frame[frame.length - 3];
  const [kidSize, counterSize] = [(sizes >> 4) + 1, (sizes & 15) + 1];
  const start = frame.length - 3 - kidSize - counterSize;
  if (kidSize > 4 || counterSize > 6 || start < TAG) return null;
  const kid = frame.readUIntBE(start, kidSize);
  return { kid, counter: frame.readUIntBE(start + kidSize, counterSize), start };
}

/** @throws if it does not authenticate */
export function open(remote, frame, { counter, start }, video) {
  const body = frame.subarray(0, start);
  const clear = body.subarray(0, Math.min(clearBytes(body, video), start - TAG));
  const decipher = createDecipheriv('aes-256-gcm', remote.key, nonce(remote.salt, counter));
  decipher.setAAD(Buffer.concat([clear, frame.subarray(start, -2)]));
  decipher.setAuthTag(body.subarray(-TAG));
  return Buffer.concat([clear, decipher.update(body.subarray(clear.length, -TAG)), decipher.final()]);
}

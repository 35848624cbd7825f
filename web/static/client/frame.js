/**
 * The frame format of docs/protocol.md: `clear ‖ AES-GCM(rest) ‖ header ‖ 0x53 0x4B`, in the manner of SFrame
 * (RFC 9605) with the header at the end, because the first bytes of a VP8 frame must stay readable for packetisation.
 */

import { concat, prefixed, utf8 } from './bytes.js';

/** @import {Bytes} from './bytes.js' */
/** @typedef {{kid: number, key: CryptoKey, salt: Bytes}} FrameKey */
/** @typedef {'audio' | 'video' | 'data'} Kind */
/** @typedef {{kid: number, counter: number, body: Bytes, header: Bytes}} Parsed */

export const VERSION = 'spreekkamer e2ee 2';
/** What `key-commit` offers; another one is refused. */
export const NUMBER = 2;
export const LABEL = Object.freeze({ microphone: 0, camera: 1, screen: 2, data: 3 });
export const MAX_MEMBERS = 32;

const MAGIC = new Uint8Array([0x53, 0x4b]);
const TAG_BYTES = 16;
const SALT_BYTES = 12;
const REPLAY_WINDOW = 64;

/** @param {number} epoch @param {number} index place in the ordered member list @param {number} label */
export const keyId = (epoch, index, label) => (epoch % 65_536) * 256 + index * 8 + label;

/** @param {number} kid */
export const labelOf = (kid) => kid % 8;

/** @param {number} kid */
export const epochOf = (kid) => Math.floor(kid / 256);

/** @param {Bytes} secret 32 bytes @param {number} kid @returns {Promise<FrameKey>} */
export async function frameKey(secret, kid) {
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  const kidBytes = new Uint8Array([kid >>> 24, (kid >>> 16) & 0xff, (kid >>> 8) & 0xff, kid & 0xff]);
  const info = concat(prefixed(`${VERSION} key`), prefixed(kidBytes));
  const params = { name: 'HKDF', hash: 'SHA-256', salt: utf8(''), info };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(params, base, (32 + SALT_BYTES) * 8));
  const key = await crypto.subtle.importKey('raw', bits.slice(0, 32), 'AES-GCM', false, ['encrypt', 'decrypt']);
  return { kid, key, salt: bits.slice(32) };
}

/**
 * How many leading bytes stay readable.
 * @param {Kind} kind
 * @param {number} firstByte of the frame; even marks a VP8 key frame (RFC 6386, 9.1)
 * @param {number} length of the plaintext
 */
export function clearBytes(kind, firstByte, length) {
  if (kind !== 'video') return 0;
  return Math.min(firstByte % 2 === 0 ? 10 : 1, length);
}

/** Big-endian, shortest form, at least one byte. @param {number} value */
function shortest(value) {
  const bytes = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return new Uint8Array(bytes);
}

/** @param {number} kid @param {number} counter */
export function frameHeader(kid, counter) {
  const [k, c] = [shortest(kid), shortest(counter)];
  return concat(k, c, new Uint8Array([(k.length - 1) * 16 + (c.length - 1)]));
}

/** The salt XOR the counter as 12 bytes big-endian. @param {Bytes} salt @param {number} counter */
export function frameNonce(salt, counter) {
  const nonce = salt.slice();
  for (let rest = counter, at = SALT_BYTES - 1; rest > 0; rest = Math.floor(rest / 256), at -= 1) {
    nonce[at] = (nonce[at] ?? 0) ^ (rest % 256);
  }
  return nonce;
}

/**
 * @param {FrameKey} frameKey
 * @param {number} counter never used before under this key
 * @param {Bytes} plaintext
 * @param {Kind} kind
 * @returns {Promise<Bytes>}
 */
export async function seal({ kid, key, salt }, counter, plaintext, kind) {
  const clear = plaintext.subarray(0, clearBytes(kind, plaintext[0] ?? 0, plaintext.length));
  const header = frameHeader(kid, counter);
  const params = { name: 'AES-GCM', iv: frameNonce(salt, counter), additionalData: concat(clear, header) };
  const hidden = await crypto.subtle.encrypt(params, key, plaintext.subarray(clear.length));
  return concat(clear, new Uint8Array(hidden), header, MAGIC);
}

/**
 * Take a frame apart without a key.
 * @param {Bytes} frame
 * @returns {Parsed | null} null if this is no encrypted frame; `body` is the clear part and the ciphertext
 */
export function parse(frame) {
  const end = frame.length - MAGIC.length;
  if (end < TAG_BYTES + 3 || frame[end] !== MAGIC[0] || frame[end + 1] !== MAGIC[1]) return null;
  const lengths = frame[end - 1] ?? 0;
  const [kidBytes, counterBytes] = [(lengths >> 4) + 1, (lengths & 0x0f) + 1];
  const start = end - 1 - counterBytes - kidBytes;
  if (kidBytes > 4 || counterBytes > 6 || start < TAG_BYTES) return null;
  const kid = number(frame.subarray(start, start + kidBytes));
  const counter = number(frame.subarray(start + kidBytes, end - 1));
  const header = frame.subarray(start, end);
  if (header.length !== frameHeader(kid, counter).length) return null;
  return { kid, counter, body: frame.subarray(0, start), header };
}

/** @param {Bytes} bytes big-endian, at most 6 */
const number = (bytes) => bytes.reduce((value, byte) => value * 256 + byte, 0);

/**
 * @param {FrameKey} frameKey
 * @param {Parsed} parsed
 * @param {Kind} kind
 * @returns {Promise<Bytes>} the plaintext
 * @throws {DOMException} OperationError if it does not authenticate
 */
export async function open({ key, salt }, { counter, body, header }, kind) {
  const clear = body.subarray(0, clearBytes(kind, body[0] ?? 0, body.length - TAG_BYTES));
  const params = { name: 'AES-GCM', iv: frameNonce(salt, counter), additionalData: concat(clear, header) };
  const plaintext = await crypto.subtle.decrypt(params, key, body.subarray(clear.length));
  return concat(clear, new Uint8Array(plaintext));
}

/** Which of the last 64 counters were seen. Ask before decrypting, mark after: a forgery must not move the window. */
export class ReplayWindow {
  #top = -1;
  #seen = 0n;

  /** @param {number} counter */
  fresh(counter) {
    if (counter > this.#top) return true;
    const age = this.#top - counter;
    return age < REPLAY_WINDOW && (this.#seen & (1n << BigInt(age))) === 0n;
  }

  /** @param {number} counter */
  mark(counter) {
    if (counter > this.#top) {
      const shift = Math.min(counter - this.#top, REPLAY_WINDOW);
      this.#seen = BigInt.asUintN(REPLAY_WINDOW, (this.#seen << BigInt(shift)) | 1n);
      this.#top = counter;
    } else {
      this.#seen |= 1n << BigInt(this.#top - counter);
    }
  }
}

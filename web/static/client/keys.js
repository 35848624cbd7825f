/** The cryptography of the key handshake (docs/protocol.md), without any state: commitments, transcript, wrapping, code. */

import { compare, concat, prefixed, random, utf8 } from './bytes.js';
import { VERSION } from './frame.js';

/** @import {Bytes} from './bytes.js' */
/** @import {Role} from './wire.js' */
/**
 * What one member reveals. `last`: for each other member, in order, the transcript last completed with it, or nothing.
 *
 * @typedef {{participant: string, role: Role, key: Bytes, nonce: Bytes, last: Bytes[], withheld: number}} Entry
 */
/** @typedef {{privateKey: CryptoKey, key: Bytes, nonce: Bytes, secret: Bytes}} Own what one member makes for one epoch */

const CURVE = { name: 'ECDH', namedCurve: 'P-256' };
const IV_BYTES = 12;

/** Fresh material for one handshake. @returns {Promise<Own>} */
export async function ownMaterial() {
  const pair = await crypto.subtle.generateKey(CURVE, false, ['deriveBits']);
  const key = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { privateKey: pair.privateKey, key, nonce: random(32), secret: random(32) };
}

/** @param {Bytes} bytes */
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

/** @param {Entry} entry */
const encoded = ({ participant, role, key, nonce, last, withheld }) =>
  concat(...[participant, role, key, nonce, concat(...last.map(prefixed)), String(withheld)].map(prefixed));

/** @param {string} appointment @param {number} epoch @param {Entry} entry @returns {Promise<Bytes>} 32 bytes */
export function commitment(appointment, epoch, entry) {
  return sha256(
    concat(prefixed(`${VERSION} commitment`), prefixed(appointment), prefixed(String(epoch)), encoded(entry)),
  );
}

/** @param {string} appointment @param {number} epoch @param {Entry[]} entries @returns {Promise<Bytes>} 32 bytes */
export function transcript(appointment, epoch, entries) {
  const ordered = [...entries].sort((left, right) => compare(left.participant, right.participant));
  return sha256(
    concat(
      prefixed(`${VERSION} transcript`),
      prefixed(appointment),
      prefixed(String(epoch)),
      ...ordered.map(encoded),
    ),
  );
}

/** @param {Bytes} ikm @param {Bytes} salt @param {Bytes} info @param {number} length in bytes */
async function hkdf(ikm, salt, info, length) {
  const base = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, base, length * 8));
}

/**
 * The six digits both people compare.
 * @param {Bytes} transcript
 * @param {number} [codes] how many there are; fewer only where a test lets somebody guess
 */
export async function verificationCode(transcript, codes = 1_000_000) {
  const bytes = await hkdf(transcript, utf8(''), utf8(`${VERSION} code`), 8);
  const value = new DataView(bytes.buffer).getBigUint64(0);
  return String(value % BigInt(codes)).padStart(6, '0');
}

/**
 * @param {CryptoKey} privateKey
 * @param {Bytes} peer the other's public point
 * @param {Bytes} transcript
 * @param {string} from
 * @param {string} to
 */
async function wrappingKey(privateKey, peer, transcript, from, to) {
  const point = await crypto.subtle.importKey('raw', peer, CURVE, false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: point }, privateKey, 256));
  const info = concat(prefixed(`${VERSION} wrap`), prefixed(from), prefixed(to));
  const key = await hkdf(shared, transcript, info, 32);
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/**
 * @param {CryptoKey} privateKey
 * @param {Bytes} peer the receiver's public point
 * @param {Bytes} transcript
 * @param {string} from
 * @param {string} to
 * @param {Bytes} secret
 * @param {Bytes} [iv]
 * @returns {Promise<Bytes>} 60 bytes
 */
export async function wrap(privateKey, peer, transcript, from, to, secret, iv = random(IV_BYTES)) {
  const key = await wrappingKey(privateKey, peer, transcript, from, to);
  const hidden = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: transcript }, key, secret);
  return concat(iv, new Uint8Array(hidden));
}

/**
 * @param {CryptoKey} privateKey
 * @param {Bytes} peer the sender's public point
 * @param {Bytes} transcript
 * @param {string} from
 * @param {string} to
 * @param {Bytes} wrapped
 * @returns {Promise<Bytes>} the sender's secret
 * @throws {DOMException} OperationError if it does not authenticate
 */
export async function unwrap(privateKey, peer, transcript, from, to, wrapped) {
  const key = await wrappingKey(privateKey, peer, transcript, from, to);
  const params = { name: 'AES-GCM', iv: wrapped.slice(0, IV_BYTES), additionalData: transcript };
  return new Uint8Array(await crypto.subtle.decrypt(params, key, wrapped.slice(IV_BYTES)));
}

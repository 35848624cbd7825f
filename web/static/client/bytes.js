/** Bytes and their text forms on the wire. Every buffer here is an ordinary ArrayBuffer, as WebCrypto wants it. */

const text = new TextEncoder();

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** @param {string} value @returns {Bytes} UTF-8 */
export const utf8 = (value) => text.encode(value);

/** @param {Bytes[]} parts @returns {Bytes} */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A two-byte big-endian length, then the value: `L(x)` of docs/protocol.md.
 * @param {Bytes | string} value
 */
export function prefixed(value) {
  const bytes = typeof value === 'string' ? utf8(value) : value;
  if (bytes.length > 0xffff) throw new RangeError('a field of the handshake is too long');
  return concat(new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes);
}

/** @param {Bytes} left @param {Bytes} right */
export function equal(left, right) {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** Bytewise order of two texts in UTF-8. @param {string} left @param {string} right */
export function compare(left, right) {
  const [a, b] = [utf8(left), utf8(right)];
  const common = Math.min(a.length, b.length);
  for (let index = 0; index < common; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Without padding. @param {Bytes} bytes */
export function toBase64Url(bytes) {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @param {string} value @returns {Bytes} @throws {RangeError} if it is no base64url */
export function fromBase64Url(value) {
  if (!/^[A-Za-z0-9_-]*$/.test(value)) throw new RangeError('not base64url');
  try {
    return Uint8Array.from(atob(value.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  } catch {
    throw new RangeError('not base64url');
  }
}

/** @param {number} length @returns {Bytes} */
export const random = (length) => crypto.getRandomValues(new Uint8Array(length));

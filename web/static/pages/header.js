/** What the first bytes of a file say it is, and how many pixels: before anything decodes it. */

const BEFORE = 1_048_576;

/** @typedef {{kind: 'picture', width: number, height: number} | {kind: 'pdf' | 'heic' | 'other'}} Header */

/** @param {Blob} file @returns {Promise<Header>} */
export async function header(file) {
  const bytes = new Uint8Array(await file.slice(0, BEFORE).arrayBuffer());
  const view = new DataView(bytes.buffer);
  const text = /** @param {number} from @param {number} to */ (from, to) => String.fromCharCode(...bytes.slice(from, to));
  if (text(0, 1024).includes('%PDF-')) return { kind: 'pdf' };
  if (text(4, 8) === 'ftyp') return { kind: 'heic' };
  try {
    if (text(1, 4) === 'PNG') return { kind: 'picture', width: view.getUint32(16), height: view.getUint32(20) };
    if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return ofWebp(view, text(12, 16));
    if (view.getUint16(0) === 0xffd8) return ofJpeg(view);
  } catch {
    return { kind: 'other' };
  }
  return { kind: 'other' };
}

/** By the segments before the first scan (T.81, B.1.1). @param {DataView} view @returns {Header} */
function ofJpeg(view) {
  let at = 2;
  for (;;) {
    const marker = view.getUint16(at);
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      return { kind: 'picture', width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    if (marker < 0xff01 || marker === 0xffda) return { kind: 'other' };
    at += marker === 0xffff ? 1 : 2 + view.getUint16(at + 2);
  }
}

/** By the first chunk (RFC 9649). @param {DataView} view @param {string} chunk @returns {Header} */
function ofWebp(view, chunk) {
  const three = /** @param {number} at */ (at) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  if (chunk === 'VP8X') return { kind: 'picture', width: three(24) + 1, height: three(27) + 1 };
  if (chunk === 'VP8 ') {
    return { kind: 'picture', width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (chunk !== 'VP8L') return { kind: 'other' };
  const bits = view.getUint32(21, true);
  return { kind: 'picture', width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
}

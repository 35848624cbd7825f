// RTP of Opus (RFC 7587) and VP8 (RFC 7741): frames to packets and back.
const MOST = 1000;

export class Packetiser {
  constructor(type, ssrc, clock, video) {
    Object.assign(this, { type, ssrc, clock, video, sequence: 1000 });
  }

  /** Packets of one frame. @param {number} at seconds */
  packets(frame, at) {
    const parts = [];
    for (let from = 0; from < frame.length || !from; from += MOST) parts.push(frame.subarray(from, from + MOST));
    return parts.map((part, index) => {
      const last = index === parts.length - 1;
      const head = Buffer.alloc(12);
      head[0] = 0x80;
      head[1] = this.type | (this.video && last ? 0x80 : 0);
      head.writeUInt16BE(this.sequence++ & 0xffff, 2);
      head.writeUInt32BE(Math.round(at * this.clock) >>> 0, 4);
      head.writeUInt32BE(this.ssrc, 8);
      return Buffer.concat([head, ...(this.video ? [Buffer.from([index ? 0 : 0x10])] : []), part]);
    });
  }
}

/** Where the payload of a packet is. */
function payload(packet) {
  let start = 12 + 4 * (packet[0] & 15);
  if (packet[0] & 0x10) start += 4 + 4 * packet.readUInt16BE(start + 2);
  return packet.subarray(start, packet[0] & 0x20 ? packet.length - packet[packet.length - 1] : packet.length);
}

function descriptor(part) {
  if (!(part[0] & 0x80)) return 1;
  const [, x] = part;
  let size = 2;
  if (x & 0x80) size += part[size] & 0x80 ? 2 : 1;
  return size + (x & 0x40 ? 1 : 0) + (x & 0x30 ? 1 : 0);
}

/** Puts frames together; what has a gap is left out. */
export class Depacketiser {
  constructor(video, frame) {
    Object.assign(this, { video, frame, parts: [], next: -1 });
  }

  take(packet) {
    const part = payload(packet);
    if (!part.length) return;
    if (!this.video) return this.frame(part);
    const sequence = packet.readUInt16BE(2);
    const begins = part[0] & 0x10 && !(part[0] & 7);
    if (begins) this.parts = [];
    else if (sequence !== this.next) this.parts = null;
    this.next = (sequence + 1) & 0xffff;
    this.parts?.push(part.subarray(descriptor(part)));
    if (packet[1] & 0x80 && this.parts) {
      this.frame(Buffer.concat(this.parts));
      this.parts = null;
    }
  }
}

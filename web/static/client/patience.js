/**
 * How long a picture waits in the browser before it is shown, where packets are lost.
 *
 * A browser waits by what its own path is like. What is lost between the other side and the relay takes that path's round
 * trip more to come, which no browser can know: so the picture stands still again and again. A quarter of a second of
 * patience and it does not; sound waits along, by the browser itself, to keep lips in sync.
 */

const STEP_MS = 120;
const MOST_MS = 300;
/** Of the packets in an interval, lost ones: below that something else stops the picture, and waiting does not help. */
const LEAST_LOST = 0.005;
const CALM_SAMPLES = 15;

/** @typedef {{freezes: number, asked: number, packets: number}} Seen of one picture, since its connection began */

/** The patience with one picture; ask it at each sample, every 2 s. */
export class Patience {
  /** ms */
  wait = 0;
  #calm = 0;
  /** @type {Seen} */
  #last;

  /** @param {Seen} seen */
  constructor(seen) {
    this.#last = seen;
  }

  /** @param {Seen} seen @returns {number} how long to wait now, in ms */
  update(seen) {
    const packets = seen.packets - this.#last.packets;
    const lossy = seen.asked - this.#last.asked > packets * LEAST_LOST;
    const froze = seen.freezes > this.#last.freezes;
    this.#last = seen;
    this.#calm = lossy || froze ? 0 : this.#calm + 1;
    if (froze && lossy) this.wait = Math.min(this.wait + STEP_MS, MOST_MS);
    else if (this.#calm >= CALM_SAMPLES && this.wait > 0) {
      this.#calm = 0;
      this.wait = Math.max(this.wait - STEP_MS, 0);
    }
    return this.wait;
  }
}

/** Pictures by their m-line. @type {WeakMap<RTCRtpReceiver, Patience>} */
const patiences = new WeakMap();

/**
 * Set how long each receiver of a picture waits.
 * @param {RTCPeerConnection} pc
 * @param {any[]} inbound its statistics of what comes in
 */
export function wait(pc, inbound) {
  for (const { mid, receiver } of pc.getTransceivers()) {
    const report = inbound.find((one) => one.kind === 'video' && one.mid === mid);
    if (!report) continue;
    const { freezeCount: freezes = 0, nackCount: asked = 0, packetsReceived: packets = 0 } = report;
    const patience = patiences.get(receiver) ?? new Patience({ freezes: 0, asked: 0, packets: 0 });
    patiences.set(receiver, patience);
    const before = patience.wait;
    const now = patience.update({ freezes, asked, packets });
    if (now !== before) receiver.jitterBufferTarget = now || null;
  }
}

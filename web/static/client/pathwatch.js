/**
 * Notices that nothing comes from the relay any more, before ICE does.
 *
 * A browser checks a path that worked each 2.5 s, and waits for several answers. Where a NAT gave it another port, or UDP
 * was closed behind its back, that is 3 to 9 s without sound. The relay says ten times a second what has arrived, and is
 * silent for no other reason: after less than a second without a word the path is worth asking about.
 */

const EVERY_MS = 250;
/** Sound of somebody that is so young says enough, and costs nothing to ask for. */
const YOUNG_MS = 300;
const SILENT_MS = 500;
/** Of a device that slept everything is old: what it has to say comes first. */
const ASLEEP_MS = 2_000;
const AGAIN_MS = 4_000;
const LEAST_SENT = 10;

/** Judges counters of packets; what is dead is said once in 4 s. */
export class Silence {
  /** @type {{received: number, sent: number, at: number} | null} when something came last */
  #last = null;
  #looked = 0;
  #said = Number.NEGATIVE_INFINITY;

  /** Something came. */
  reset() {
    this.#last = null;
  }

  /** @param {number} received @param {number} sent packets so far @param {number} at ms @returns {boolean} */
  update(received, sent, at) {
    const slept = at - this.#looked > ASLEEP_MS;
    this.#looked = at;
    if (this.#last === null || slept || received !== this.#last.received || sent < this.#last.sent) {
      this.#last = { received, sent, at };
      return false;
    }
    if (at - this.#last.at < SILENT_MS || sent - this.#last.sent < LEAST_SENT || at - this.#said < AGAIN_MS) return false;
    this.#said = at;
    return true;
  }
}

/**
 * Watch until told to stop.
 * @param {RTCPeerConnection} pc
 * @param {() => void} onSilence
 * @returns {() => void} stop
 */
export function watch(pc, onSilence) {
  const silence = new Silence();
  const timer = setInterval(async () => {
    const [sender] = pc.getSenders();
    if (!sender || pc.connectionState !== 'connected') return;
    if (heard(pc)) {
      silence.reset();
      return;
    }
    for (const report of (await sender.getStats()).values()) {
      if (report.type !== 'transport') continue;
      if (silence.update(report.packetsReceived ?? 0, report.packetsSent ?? 0, performance.now())) onSilence();
    }
  }, EVERY_MS);
  return () => clearInterval(timer);
}

/** @param {RTCPeerConnection} pc */
function heard(pc) {
  const young = performance.timeOrigin + performance.now() - YOUNG_MS;
  return pc.getReceivers().some((receiver) => receiver.getSynchronizationSources().some(({ timestamp }) => timestamp > young));
}

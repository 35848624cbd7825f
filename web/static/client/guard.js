/**
 * Proves, for as long as a consult lasts, that what leaves passed the encryption worker: the frames the browser encoded are
 * compared with the frames the worker saw. A source for which they disagree is stopped. Fails closed: a browser that does not
 * call its transform (Chromium, when it was assigned late) raises no error, it just sends plaintext.
 */

/** @import {Encryption} from './encryption.js' */
/** @import {MediaSession} from './media-session.js' */
/** @import {Source} from './wire.js' */

const QUICK_MS = 250;
const CALM_MS = 1_000;
/** How long the checks are quick after a new connection or track: the known failures show at the first frames. */
const QUICK_FOR_MS = 5_000;
/** Frames between encoder and worker at any moment: one or two of each size of video, some more of the short audio ones. */
const TOLERANCE = { video: 3, audio: 15 };
/** A busy worker catches up; frames missing for this long went past it. */
const PERSISTENT_MS = 3_000;

/** @typedef {{encoded: number, seen: number, since: number | null}} Last */

export class Guard {
  #encryption;
  #media;
  #onViolation;
  #now;
  /** @type {Map<string, Last>} */
  #last = new Map();
  /** @type {Set<string>} */
  #stopped = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #quickUntil = 0;
  #closed = false;

  /**
   * @param {Encryption} encryption
   * @param {MediaSession} media
   * @param {(source: Source) => void} onViolation called after the source was stopped
   * @param {() => number} [now] monotonic, ms
   */
  constructor(encryption, media, onViolation, now = () => performance.now()) {
    this.#encryption = encryption;
    this.#media = media;
    this.#onViolation = onViolation;
    this.#now = now;
  }

  /** Look closely for a while. */
  alert() {
    if (this.#closed) return;
    this.#quickUntil = this.#now() + QUICK_FOR_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), QUICK_MS);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #turn() {
    await this.check().catch(() => undefined);
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), this.#now() < this.#quickUntil ? QUICK_MS : CALM_MS);
  }

  /** One look at all senders. */
  async check() {
    const connection = this.#media.connection;
    if (!connection) return;
    /** @type {[Source, string, number, number][]} */
    const encoded = [];
    for (const [source, { transceiver, id }] of connection.senders) {
      encoded.push([source, id, ...(await encodedFrames(transceiver.sender))]);
    }
    // Counted after the browser's figures, so that in a healthy connection the worker is never behind.
    const { sent } = await this.#encryption.counts();
    for (const [source, id, frames, layers] of encoded) {
      if (this.#stopped.has(id) || !this.#suspicious(source, id, frames, sent[id]?.seen ?? 0, layers)) continue;
      this.#stopped.add(id);
      await this.#media.stop(source).finally(() => this.#onViolation(source));
    }
  }

  /** @param {Source} source @param {string} id @param {number} encoded @param {number} seen @param {number} layers */
  #suspicious(source, id, encoded, seen, layers) {
    const tolerance = source === 'microphone' ? TOLERANCE.audio : TOLERANCE.video * layers;
    const last = this.#last.get(id) ?? { encoded: 0, seen: 0, since: null };
    const missing = encoded - seen > tolerance;
    const since = missing ? (last.since ?? this.#now()) : null;
    this.#last.set(id, { encoded, seen, since });
    if (since === null) return false;
    const bypassed = last.since !== null && encoded > last.encoded && seen === last.seen;
    return bypassed || seen === 0 || this.#now() - since >= PERSISTENT_MS;
  }
}

/**
 * Video counts frames, of all sizes that are sent at once; audio has no such figure, but one packet is one frame there (no RED,
 * no FEC packets).
 * @param {RTCRtpSender} sender
 * @returns {Promise<[number, number]>} frames, and in how many sizes
 */
async function encodedFrames(sender) {
  let [frames, layers] = [0, 0];
  for (const report of (await sender.getStats()).values()) {
    if (report.type !== 'outbound-rtp') continue;
    layers += 1;
    frames += report.kind === 'video' ? (report.framesEncoded ?? 0) : report.packetsSent - (report.retransmittedPacketsSent ?? 0);
  }
  return [frames, layers];
}

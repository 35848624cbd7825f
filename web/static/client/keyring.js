/** The keys of one page: its own sending keys with their counters, everybody else's with their replay windows. */

import { LABEL, ReplayWindow, epochOf, frameKey, keyId, open, seal } from './frame.js';
import { toBase64Url } from './bytes.js';

/** @import {Bytes} from './bytes.js' */
/** @import {FrameKey, Kind, Parsed} from './frame.js' */
/** @typedef {{epoch: number, index: number, secret: Bytes}} SecretAt a sender's secret and its place in the epoch */
/** @typedef {{participant: string, frameKey: FrameKey, window: ReplayWindow, expires: number}} Remote */

const OLD_SECRET_MS = 10_000;
const LABELS = Object.values(LABEL);

export class KeyRing {
  #now;
  /** @type {{keys: FrameKey[], counters: number[]} | null} */
  #own = null;
  /** @type {Set<string>} */
  #used = new Set();
  /** @type {Map<number, Remote>} */
  #remote = new Map();

  /** @param {() => number} now monotonic, ms */
  constructor(now) {
    this.#now = now;
  }

  /**
   * Send under this secret from now on. Its counters start at 0, so a secret is taken once and never again.
   * @param {SecretAt} own
   * @throws {Error} if the secret was used before
   */
  async setOwn({ epoch, index, secret }) {
    const fingerprint = toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', secret)));
    if (this.#used.has(fingerprint)) throw new Error('a secret may be used once');
    this.#used.add(fingerprint);
    const keys = await Promise.all(LABELS.map((label) => frameKey(secret, keyId(epoch, index, label))));
    this.#own = { keys, counters: LABELS.map(() => 0) };
  }

  dropOwn() {
    this.#own = null;
  }

  /**
   * Accept frames under this secret from now on, and those of other epochs for 10 s more.
   * @param {string} participant
   * @param {SecretAt} place
   */
  async setRemote(participant, { epoch, index, secret }) {
    const keys = await Promise.all(LABELS.map((label) => frameKey(secret, keyId(epoch, index, label))));
    const until = this.#now() + OLD_SECRET_MS;
    for (const [kid, remote] of this.#remote) {
      if (remote.expires <= this.#now()) this.#remote.delete(kid);
      else if (epochOf(kid) !== epoch % 65_536) remote.expires = Math.min(remote.expires, until);
    }
    for (const key of keys) {
      this.#remote.set(key.kid, { participant, frameKey: key, window: new ReplayWindow(), expires: Infinity });
    }
  }

  /** Whose key id this is, or null if there is no key for it (any more). @param {number} kid */
  sender(kid) {
    const remote = this.#remote.get(kid);
    return remote && remote.expires > this.#now() ? remote.participant : null;
  }

  /** Whether this very frame was taken before. @param {Parsed} parsed */
  seen({ kid, counter }) {
    return this.#remote.get(kid)?.window.fresh(counter) === false;
  }

  /**
   * @param {number} label
   * @param {Bytes} plaintext
   * @param {Kind} kind
   * @returns {Promise<Bytes> | null} null as long as there is no key
   */
  seal(label, plaintext, kind) {
    const key = this.#own?.keys[label];
    if (!this.#own || !key) return null;
    const counter = this.#own.counters[label] ?? 0;
    this.#own.counters[label] = counter + 1;
    return seal(key, counter, plaintext, kind);
  }

  /**
   * @param {Parsed} parsed
   * @param {Kind} kind
   * @returns {Promise<Bytes | null>} null if it has no key, was seen before or does not authenticate
   */
  async open(parsed, kind) {
    const remote = this.#remote.get(parsed.kid);
    if (!remote || remote.expires <= this.#now() || !remote.window.fresh(parsed.counter)) return null;
    try {
      const plaintext = await open(remote.frameKey, parsed, kind);
      if (!remote.window.fresh(parsed.counter)) return null;
      remote.window.mark(parsed.counter);
      return plaintext;
    } catch {
      return null;
    }
  }
}

/** Tells the relay how large this page shows each picture, so that it sends no more of it: at most four times a second. */

/** @import {SlotSize} from './wire.js' */

const EVERY_MS = 250;
const AGAIN_MS = 1_000;

export class Sizes {
  #tell;
  #now;
  /** @type {SlotSize[]} */
  #wanted = [];
  #known = '';
  #earliest = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(sizes: SlotSize[]) => Promise<unknown>} tell @param {() => number} [now] monotonic, ms */
  constructor(tell, now = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  /** @param {SlotSize[]} sizes */
  set(sizes) {
    this.#wanted = sizes;
    this.#arm(EVERY_MS);
  }

  /** There is another connection, which knows nothing yet. */
  forget() {
    this.#known = '';
    this.#arm(EVERY_MS);
  }

  close() {
    clearTimeout(this.#timer);
    this.#tell = async () => undefined;
  }

  /** @param {number} after of what was told last, ms */
  #arm(after) {
    if (this.#timer !== undefined || this.#known === JSON.stringify(this.#wanted)) return;
    const wait = Math.max(0, this.#earliest - this.#now());
    this.#timer = setTimeout(() => this.#say(after), wait);
  }

  /** @param {number} after */
  async #say(after) {
    this.#earliest = this.#now() + after;
    const wanted = this.#wanted;
    this.#known = JSON.stringify(wanted);
    try {
      if (wanted.length) await this.#tell(wanted);
    } catch {
      // Offline, or too fast for the server: what is newest then is told again.
      this.#known = '';
      this.#earliest = this.#now() + AGAIN_MS;
    }
    this.#timer = undefined;
    this.#arm(EVERY_MS);
  }
}

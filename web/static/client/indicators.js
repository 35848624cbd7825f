/** What one says of one's own devices: the server is told until it knows the newest, one word at a time. */

import { WireError } from './errors.js';

/** @import {Wire} from './key-exchange.js' */
/** @import {Indicators} from './wire.js' */

const AGAIN_MS = 1_000;
const PASSING = new Set(['try_again', 'rate_limited', 'timeout']);

export class OwnIndicators {
  #wire;
  /** @type {Indicators} */
  #wanted = { microphone: false, camera: false, screen: false };
  /** What the server has; null outside a room. A view is too old to know when it was made before the last word came. @type {Indicators | null} */
  #known = null;
  #telling = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Wire} wire */
  constructor(wire) {
    this.#wire = wire;
  }

  /** @param {Partial<Indicators>} indicators */
  set(indicators) {
    this.#wanted = { ...this.#wanted, ...indicators };
    this.#tell();
  }

  /** One is in a room, or again, and this is what the server has. @param {Indicators} indicators */
  entered(indicators) {
    this.#known = indicators;
    this.#tell();
  }

  close() {
    this.#known = null;
    clearTimeout(this.#timer);
  }

  async #tell() {
    if (this.#telling) return;
    this.#telling = true;
    clearTimeout(this.#timer);
    try {
      while (this.#known !== null && !same(this.#wanted, this.#known)) {
        const wanted = this.#wanted;
        await this.#wire.request('indicate', wanted);
        if (this.#known !== null) this.#known = wanted;
      }
    } catch (error) {
      // Whoever is offline enters again, and then it goes on.
      if (error instanceof WireError && PASSING.has(error.code)) this.#timer = setTimeout(() => this.#tell(), AGAIN_MS);
    } finally {
      this.#telling = false;
    }
  }
}

/** @param {Indicators} left @param {Indicators} right */
function same(left, right) {
  return left.microphone === right.microphone && left.camera === right.camera && left.screen === right.screen;
}

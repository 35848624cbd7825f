/** What one says of oneself: the server is told until it knows the newest, one word at a time. */

import { WireError } from './errors.js';

/** @import {Wire} from './key-exchange.js' */
/** @import {Indicators} from './wire.js' */

const AGAIN_MS = 1_000;
const PASSING = new Set(['try_again', 'rate_limited', 'timeout']);

/** @template {object} Word */
export class OwnWord {
  #wire;
  #event;
  /** Null: there is nothing to say. @type {Word | null} */
  #wanted;
  /** What the server has; null outside a room. A view is too old to know when it was made before the last word came. @type {Partial<Word> | null} */
  #known = null;
  #telling = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Wire} wire @param {string} event @param {Word | null} wanted */
  constructor(wire, event, wanted) {
    this.#wire = wire;
    this.#event = event;
    this.#wanted = wanted;
  }

  /** @param {Partial<Word>} word */
  set(word) {
    this.#wanted = /** @type {Word} */ ({ ...this.#wanted, ...word });
    this.#tell();
  }

  /** One is in a room, or again, and this is what the server has. @param {Partial<Word>} known */
  entered(known) {
    this.#known = known;
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
      while (this.#wanted !== null && this.#known !== null && !same(this.#wanted, this.#known)) {
        const wanted = this.#wanted;
        await this.#wire.request(this.#event, wanted);
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

/** What is muted. @extends {OwnWord<Indicators>} */
export class OwnIndicators extends OwnWord {
  /** @param {Wire} wire */
  constructor(wire) {
    super(wire, 'indicate', { microphone: false, camera: false, screen: false });
  }
}

/** @param {object} wanted @param {object} known */
function same(wanted, known) {
  return Object.entries(wanted).every(([name, value]) => Reflect.get(known, name) === value);
}

/** The server's hours, which this machine's clock knows nothing of: it may stand wrong by hours, be set, or sleep. */

/** A page that asks more often tells nobody anything new, and each visit is written down. */
export const LEAST_MS = 20_000;
const LOOK_MS = 15_000;

/**
 * Calls `ask` when as many seconds have gone by as the server said. Whether the hour has come is the server's to say, so whatever this
 * machine counted, it only decides when to ask: by a clock that nobody sets, or sooner by one that goes on while the machine sleeps.
 */
export class Hour {
  #ask;
  #steady;
  #wall;
  #from = { steady: 0, wall: 0 };
  #due = Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /**
   * @param {() => void} ask
   * @param {() => number} [steady] monotonic, ms
   * @param {() => number} [wall] ms since the epoch, or since anything
   */
  constructor(ask, steady = () => performance.now(), wall = () => Date.now()) {
    this.#ask = ask;
    this.#steady = steady;
    this.#wall = wall;
  }

  /** From the newest answer. @param {number} seconds until the hour comes @param {number} [least] ms until it is asked again */
  set(seconds, least = LEAST_MS) {
    this.#from = { steady: this.#steady(), wall: this.#wall() };
    this.#due = Math.max(seconds * 1000, least);
    this.look();
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#due = Infinity;
  }

  /** See whether it is time; also called when the page is looked at again. */
  look() {
    clearTimeout(this.#timer);
    if (this.#due === Infinity) return;
    const gone = Math.max(this.#steady() - this.#from.steady, this.#wall() - this.#from.wall);
    if (gone < this.#due) {
      this.#timer = setTimeout(() => this.look(), Math.min(this.#due - gone, LOOK_MS));
      return;
    }
    this.#due = Infinity;
    this.#ask();
  }
}

/**
 * What time it is at the server, as of its answer.
 * @param {{opens_at: string, opens_in: number, closes_at: string, closes_in: number}} hours
 */
export function serverNow({ opens_at, opens_in, closes_at, closes_in }) {
  return new Date(opens_in > 0 ? Date.parse(opens_at) - opens_in * 1000 : Date.parse(closes_at) - closes_in * 1000);
}

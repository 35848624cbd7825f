/**
 * Notices when somebody whose microphone is on is not heard, the failure that people find last, and when a picture stands still.
 *
 * Only counts are compared, so a page whose timers are slowed in the background judges late and never wrongly.
 */

const STILL_MS = 5_000;

/** @typedef {{frames: number, since: number, flowing: boolean}} Last */

/** Judges counters of frames per person; a stillness begins and ends with one call of `onChange`. */
export class Flow {
  #onChange;
  #now;
  /** @type {Map<string, Last>} */
  #flows = new Map();

  /**
   * @param {(participant: string, flowing: boolean) => void} onChange
   * @param {() => number} [now] monotonic, ms
   */
  constructor(onChange, now = () => performance.now()) {
    this.#onChange = onChange;
    this.#now = now;
  }

  /**
   * @param {Map<string, {frames: number, expected: boolean}>} people `expected`: the device is on
   */
  update(people) {
    for (const participant of this.#flows.keys()) if (!people.has(participant)) this.#flows.delete(participant);
    for (const [participant, { frames, expected }] of people) {
      const last = this.#flows.get(participant);
      const moved = last === undefined || frames !== last.frames || !expected;
      const since = moved ? this.#now() : last.since;
      const flowing = this.#now() - since < STILL_MS;
      this.#flows.set(participant, { frames, since, flowing });
      if (last !== undefined && last.flowing !== flowing) this.#onChange(participant, flowing);
    }
  }
}

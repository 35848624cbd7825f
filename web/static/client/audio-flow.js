/** Notices when somebody whose microphone is on is not heard: the commonest failure, and the one people find last. */

const SILENT_MS = 5_000;

/** @typedef {{frames: number, since: number, flowing: boolean}} Flow */

/** Judges counters of audio frames per person; a silence begins and ends with one call of `onChange`. */
export class AudioFlow {
  #onChange;
  #now;
  /** @type {Map<string, Flow>} */
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
   * @param {Map<string, {frames: number, expected: boolean}>} people `expected`: connected, with the microphone on
   */
  update(people) {
    for (const participant of this.#flows.keys()) if (!people.has(participant)) this.#flows.delete(participant);
    for (const [participant, { frames, expected }] of people) {
      const last = this.#flows.get(participant);
      const moved = last === undefined || frames !== last.frames || !expected;
      const since = moved ? this.#now() : last.since;
      const flowing = this.#now() - since < SILENT_MS;
      this.#flows.set(participant, { frames, since, flowing });
      if (last !== undefined && last.flowing !== flowing) this.#onChange(participant, flowing);
    }
  }
}

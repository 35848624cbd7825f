/** Whether somebody speaks, from the levels of their sound: by level and time, for a voice bit is set by any noise. */

/** −50 dBov. */
const LOUD = 10 ** (-50 / 20);
const BEGINS_MS = 60;
const ENDS_MS = 800;

/** Says *speaks* after 60 ms above −50 dBov, *silent* 800 ms after the last of them; so at most two changes in that time. */
export class Speech {
  #onChange;
  #speaking = false;
  /** When the sound began that may become speech. @type {number | null} */
  #since = null;
  #last = -Infinity;

  /** @param {(speaking: boolean) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @param {number} level of some 20 ms, 0…1 @param {number} now monotonic, ms */
  heard(level, now) {
    if (level <= LOUD) this.#since = null;
    else {
      this.#since ??= now;
      if (this.#speaking || now - this.#since >= BEGINS_MS) this.#last = now;
    }
    const speaking = now - this.#last < ENDS_MS;
    if (speaking === this.#speaking) return;
    this.#speaking = speaking;
    this.#onChange(speaking);
  }
}

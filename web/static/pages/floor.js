/** Whose face is large where there is room for one: whoever speaks, without jumping at every word. */

/** Somebody else has to speak this long, after whoever is large fell silent. */
const YIELDS_MS = 1_000;

export class Floor {
  /** @type {string | null} */
  holder = null;

  /** @type {Map<string, number>} since when each of them speaks, ms */
  #since = new Map();

  /**
   * @param {string[]} people who is there, the one to begin with first
   * @param {Set<string>} speaking
   * @param {number} now monotonic, ms
   * @returns {number | null} when to look again, ms from now
   */
  look(people, speaking, now) {
    for (const one of this.#since.keys()) if (!speaking.has(one)) this.#since.delete(one);
    for (const one of speaking) if (!this.#since.has(one)) this.#since.set(one, now);
    if (this.holder === null || !people.includes(this.holder)) this.holder = people.find((one) => speaking.has(one)) ?? people[0] ?? null;
    if (this.holder === null || speaking.has(this.holder)) return null;
    const [next, since] = [...this.#since].filter(([one]) => people.includes(one)).sort((left, right) => left[1] - right[1])[0] ?? [];
    if (next === undefined || since === undefined) return null;
    const wait = since + YIELDS_MS - now;
    if (wait > 0) return wait;
    this.holder = next;
    return null;
  }
}

/** What time it is at the server: a practice's machine may stand wrong by hours, and its day and what is past would with it. */

/** The header counts whole seconds, and an answer takes a while. */
const WORTH_MS = 5_000;

let ahead = 0;

/** From an answer's `Date` header. @param {string | null} date @param {number} [here] ms since the epoch by this machine's clock */
export function heard(date, here = Date.now()) {
  const there = Date.parse(date ?? '');
  if (Number.isNaN(there)) return;
  ahead = Math.abs(there - here) < WORTH_MS ? 0 : there - here;
}

/** Milliseconds since the epoch, as of the server's last answer. */
export const now = () => Date.now() + ahead;

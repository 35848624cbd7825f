/** What happened to a connection, told to the server; what happens while the line is down is kept until it is back. */

/** @import {Wire} from './key-exchange.js' */
/** @typedef {{appointment: string, at: number, body: object}} Kept */

/** Beyond these a line is so bad that a few more say nothing. */
const MOST = 20;
const PASSING = new Set(['offline', 'timeout', 'try_again', 'rate_limited', 'bad_state']);

/** Of all presences of this page: whoever connects anew tells what ended the one before. @type {Kept[]} */
const unsent = [];

export class Reports {
  #wire;
  #now;
  #sending = false;

  /** @param {Wire} wire @param {() => number} [now] monotonic, ms */
  constructor(wire, now = () => performance.now()) {
    this.#wire = wire;
    this.#now = now;
  }

  /** @param {string} appointment @param {object} body without its age */
  keep(appointment, body) {
    unsent.push({ appointment, at: this.#now(), body });
    unsent.splice(0, unsent.length - MOST);
    return this.send(appointment);
  }

  /** Hand in what is kept, oldest first, until one fails. @param {string} appointment */
  async send(appointment) {
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let next; (next = unsent.find((one) => one.appointment === appointment)); ) {
        const sent = this.#wire.request('report', { ...next.body, at: Math.round(this.#now() - next.at) });
        // Whatever the server does not take now, it never will; the line being down, or it being busy, passes.
        if (!(await sent.then(() => true, (error) => !PASSING.has(error?.code)))) return;
        unsent.splice(unsent.indexOf(next), 1);
      }
    } finally {
      this.#sending = false;
    }
  }
}

/**
 * What a page remembers of its handshakes: whom it agreed with, what came to nothing, which digits were shown
 * (docs/protocol.md, Chain, Counting, What the code says).
 */

import { toBase64Url } from './bytes.js';

/** @import {Bytes} from './bytes.js' */
/** @typedef {'renewed' | 'left' | 'came'} Change */

/** As many withheld reveals are said to both people. */
export const SAID_FROM = 3;
/** As many epochs without somebody new are said like that. */
const RENEWALS = 10;
const MAX_SHOWN = 64;
const KEY = 'spreekkamer.keys';
const NOTHING = new Uint8Array();
/** @type {Change[]} */
const GRAVITY = ['renewed', 'left', 'came'];

/** The transcripts that this page agreed on and completed, with whom. */
export class Chain {
  /** @type {Map<string, Set<string>>} */
  #agreed = new Map();
  /** @type {Map<string, Bytes>} */
  #last = new Map();

  /** Of the last handshake completed with this one in it; empty if there was none. @param {string} other @returns {Bytes} */
  last(other) {
    return this.#last.get(other) ?? NOTHING;
  }

  /** Whether this one can have completed `claim` with us: it is empty or was agreed on. @param {string} other @param {Bytes} claim */
  holds(other, claim) {
    return claim.length === 0 || this.#agreed.get(other)?.has(toBase64Url(claim)) === true;
  }

  /** @param {Bytes} transcript @param {Iterable<string>} others who agreed on it with us, if they are honest */
  agree(transcript, others) {
    for (const other of others) {
      const known = this.#agreed.get(other) ?? new Set();
      this.#agreed.set(other, known.add(toBase64Url(transcript)));
    }
  }

  /** @param {Bytes} transcript @param {Iterable<string>} others a secret of each was opened under it */
  complete(transcript, others) {
    for (const other of others) this.#last.set(other, transcript);
  }
}

/** Counts of one appointment, kept in this tab over a reload. */
export class Tally {
  /** Reveals of ours after which no code was shown, the one that is under way included. */
  withheld = 0;
  /** Begun since somebody new was shown. */
  epochs = 0;
  /** @type {string[]} who was, the newest last */
  shown = [];
  /** Whether digits were shown. */
  digits = false;
  /** As many others were shown at once at most. */
  most = 0;

  #appointment;
  #waiting = false;

  /** @param {string} appointment */
  constructor(appointment) {
    this.#appointment = appointment;
    try {
      const { appointment: of, withheld, epochs, shown, digits, most } = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? {};
      if (of !== appointment) return;
      Object.assign(this, { withheld: Number(withheld), epochs: Number(epochs), shown: shown.map(String), digits: digits === true, most: Number(most) });
    } catch {
      // A browser may refuse storage (private mode, blocked site data); then a reload begins to count anew.
    }
  }

  /** Without the one that is under way. */
  get counted() {
    return this.withheld - (this.#waiting ? 1 : 0);
  }

  /** More people are shown than ever before: the epoch that this ends is not held against anybody. @param {number} others */
  excuse(others) {
    if (others <= this.most) return;
    this.most = others;
    this.withheld = this.counted;
    this.#waiting = false;
    this.#store();
  }

  /** A new epoch. @param {string[]} others @returns {number} what its entry says to be withheld */
  begin(others) {
    this.lapse();
    const fresh = others.filter((other) => !this.shown.includes(other));
    this.shown = [...this.shown, ...fresh].slice(-MAX_SHOWN);
    this.epochs = fresh.length ? 1 : this.epochs + 1;
    if (this.epochs >= RENEWALS) this.withheld = Math.max(this.withheld, SAID_FROM);
    this.#store();
    return this.withheld;
  }

  /** Before our key leaves. */
  reveal() {
    this.withheld += 1;
    this.#waiting = true;
    this.#store();
  }

  /** The code of this epoch is there. */
  show() {
    this.withheld = this.counted;
    this.#waiting = false;
    this.digits = true;
    this.#store();
  }

  /** If no code came by now, it counts for good. */
  lapse() {
    this.#waiting = false;
  }

  #store() {
    const { withheld, epochs, shown, digits, most } = this;
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ appointment: this.#appointment, withheld, epochs, shown, digits, most }));
    } catch {
      // As above.
    }
  }
}

/** The consult is over. What counts against somebody in between stays until the tab is closed: an end can be invented. */
export function forgetTally() {
  try {
    if (!JSON.parse(sessionStorage.getItem(KEY) ?? 'null')?.withheld) sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was stored either.
  }
}

/** The digits on the screen, and why they have to be compared again. */
export class Comparison {
  /** Six digits, or null while nobody else holds keys. @type {string | null} */
  code = null;
  /** What changed since the digits were compared. @type {Change | null} */
  again = null;
  /** The sentence about the count is due, here or at another's. */
  withheld = false;

  /** @type {string | null} */
  #last = null;
  /** @type {Set<string>} */
  #people = new Set();
  /** @type {Set<string> | null} who held keys when the digits were compared, or first shown */
  #compared = null;

  /** @param {string} code @param {Iterable<string>} others @param {number} withheld the highest count of anybody @param {boolean} before whether digits were shown before this page was loaded */
  show(code, others, withheld, before) {
    const here = this.#people;
    this.#people = new Set(others);
    const same = code === this.#last && here.size === this.#people.size && [...here].every((one) => this.#people.has(one));
    if (this.#compared === null) {
      this.#compared = this.#people;
      if (before) this.#note('renewed');
    } else if (!same) {
      const compared = this.#compared;
      const came = [...this.#people].some((one) => !compared.has(one));
      const left = [...compared].some((one) => !this.#people.has(one));
      this.#note(came ? 'came' : left ? 'left' : 'renewed');
    }
    this.code = code;
    this.#last = code;
    this.count(withheld);
  }

  /** It is never taken back. @param {number} withheld */
  count(withheld) {
    this.withheld ||= withheld >= SAID_FROM;
  }

  /** There is no code for now. */
  hide() {
    this.code = null;
  }

  /** The person says to have compared. */
  agree() {
    this.again = null;
    if (this.#compared !== null) this.#compared = this.#people;
  }

  /** @param {Change} change */
  #note(change) {
    if (this.again === null || GRAVITY.indexOf(change) > GRAVITY.indexOf(this.again)) this.again = change;
  }
}

import { Desk } from '../client/desk.js';
import { deskTicket } from '../client/rest.js';
import { Signaling } from '../client/signaling.js';
import { Alerts } from './alerts.js';
import { slot } from './build.js';

/**
 * Who waits for those whom an assistant works for, or one of them with their day, kept as it is now: whenever somebody comes to wait
 * or goes, or an appointment changes, the page is asked for again and what differs takes its place. Without this script it says when
 * it was made, and has a link to look again.
 */

/** @import {DeskView} from '../../types/wire.js' */

const SOONEST_MS = 2_000;
const PARTS = ['waiting', 'day'];

class Served {
  /** Who waits, by practitioner; of those of whom nothing was heard yet nobody came just now. @type {Map<string, Set<string>>} */
  #waiting = new Map();
  #asked = 0;
  #wanted = false;
  #timer = 0;

  /** @param {HTMLElement} root with the practitioners' ids */
  constructor(root) {
    this.root = root;
    this.title = document.title;
    const signaling = new Signaling({ token: async () => (await deskTicket()).access_token });
    this.alerts = new Alerts(slot(root, 'alerts'));
    for (const practitioner of (root.dataset.practitioner ?? '').split(' ').filter(Boolean)) {
      const desk = new Desk(signaling, practitioner);
      desk.addEventListener('desk', (event) => this.#seen(practitioner, /** @type {CustomEvent} */ (event).detail));
      for (const news of ['desk', 'agenda']) desk.addEventListener(news, () => this.#changed());
      desk.watch().catch(() => {});
    }
    window.addEventListener('pagehide', () => signaling.close());
    window.addEventListener('pageshow', (event) => event.persisted && location.reload());
  }

  /** At once, before the page has been looked at again. @param {string} practitioner @param {DeskView} view */
  #seen(practitioner, view) {
    const before = this.#waiting.get(practitioner);
    const now = new Set(view.waiting.map(({ participant }) => participant));
    this.#waiting.set(practitioner, now);
    const number = [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0);
    this.alerts.show(number, before !== undefined && [...now].some((one) => !before.has(one)));
  }

  /** Look again, soon: several that come at once are one. */
  #changed() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#timer = window.setTimeout(() => this.#renew(), Math.max(0, this.#asked + SOONEST_MS - performance.now()));
  }

  async #renew() {
    window.clearTimeout(this.#timer);
    this.#wanted = false;
    this.#asked = performance.now();
    const answer = await fetch(location.pathname, { headers: { Accept: 'text/html' } }).catch(() => null);
    if (!answer) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    // Nobody is signed in any more, or works for them: the page that says so.
    if (!page.querySelector('[data-slot="served"]')) return location.reload();
    for (const part of PARTS) {
      if (this.root.querySelector(`[data-slot="${part}"]`)) this.#instead(slot(this.root, part), slot(page, part));
    }
  }

  /** What stays keeps its element: what is unfolded or pressed. @param {HTMLElement} before @param {HTMLElement} after */
  #instead(before, after) {
    const [there, now] = [rows(before), rows(after)];
    slot(this.root, 'made').textContent = after.ownerDocument.querySelector('[data-slot="made"]')?.textContent ?? '';
    if ([...there.keys()].join() === [...now.keys()].join()) return;
    const held = document.activeElement;
    for (const [key, row] of now) row.replaceWith(there.get(key) ?? row);
    before.replaceChildren(...[...after.childNodes].map((node) => document.adoptNode(node)));
    if (held instanceof HTMLElement && before.contains(held)) held.focus({ preventScroll: true });
    if (before.dataset.slot === 'waiting') this.#say([...now].filter(([key]) => !there.has(key)).map(([, row]) => row), now.size);
  }

  /** @param {HTMLElement[]} come @param {number} number who wait */
  #say(come, number) {
    const names = come.map((row) => row.querySelector('bdi')?.textContent ?? '');
    if (names.length) slot(this.root, 'said').textContent = `${slot(this.root, 'waiting-title').textContent}: ${names.join(', ')}`;
    document.title = number ? `(${number}) ${this.title}` : this.title;
  }
}

/** The list's rows by what they say. @param {HTMLElement} part @returns {Map<string, HTMLElement>} */
function rows(part) {
  const found = /** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll('[data-key]'));
  return new Map([...found].map((row) => [row.dataset.key ?? '', row]));
}

const root = document.querySelector('[data-slot="served"]');
if (root instanceof HTMLElement) new Served(root);

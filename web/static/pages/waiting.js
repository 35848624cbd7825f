import { el, icon, say, slot } from './build.js';
import { audible, chime } from './chime.js';
import { ago } from './dates.js';
import { plural, t } from './language.js';

/** @import {DeskView, WaitingView, HoldMessage} from '../../types/wire.js' */

const HOLD_MESSAGES = /** @type {HoldMessage[]} */ (['soon', 'five-minutes', 'fifteen-minutes', 'check-sound']);
const REMIND_MS = 30_000;
const REFRESH_MS = 15_000;

/**
 * Who waits: the list, the sound, the number in the title.
 *
 * `names` gives the name that belongs to an appointment; `admit` and `tell` are the two things to do.
 * @typedef {object} WaitingOptions
 * @property {(appointment: string) => string} names
 * @property {(who: WaitingView) => void} admit
 * @property {(who: WaitingView, message: HoldMessage) => Promise<void>} tell
 * @property {(state: 'on' | 'off' | 'blocked') => void} onSound `blocked`: the browser keeps it off until a press
 */

export class WaitingRoom {
  /** @type {WaitingView[]} */ who = [];
  /** A consult is going on: no sound, no title (KBV Anlage 31b: undisturbed). */
  quiet = false;
  #sound = true;
  #told = new Map();
  #lastChime = 0;

  /** @param {HTMLElement} root @param {WaitingOptions} options */
  constructor(root, options) {
    this.root = root;
    this.options = options;
    this.list = slot(root, 'waiting-list');
    window.setInterval(() => this.#tick(), REFRESH_MS);
  }

  /** @param {DeskView} view */
  show(view) {
    const known = new Set(this.who.map((one) => one.participant));
    const arrived = view.waiting.filter((one) => !known.has(one.participant));
    this.who = view.waiting;
    this.#draw();
    if (!arrived.length) return;
    const names = arrived.map((one) => this.options.names(one.appointment)).join(', ');
    slot(this.root, 'waiting-said').textContent = t('waiting.arrived', { name: names });
    this.#ring();
  }

  redraw() {
    this.#draw();
  }

  /** Switch the sound off, or on; on is heard at once. */
  toggleSound() {
    this.#sound = !this.#sound || !audible();
    if (this.#sound) chime('arrival');
    this.options.onSound(this.#sound ? 'on' : 'off');
  }

  /** What the title says of who waits, or nothing. */
  get title() {
    return this.who.length && !this.quiet ? plural('waiting.title.count', this.who.length) : null;
  }

  #ring() {
    if (this.quiet || !this.#sound || !this.who.length) return;
    this.#lastChime = Date.now();
    chime('arrival').then((heard) => this.options.onSound(heard ? 'on' : 'blocked'));
  }

  #tick() {
    for (const part of this.list.querySelectorAll('span')) {
      if (part.dataset.since) part.textContent = this.#since(Number(part.dataset.since));
    }
    if (Date.now() - this.#lastChime >= REMIND_MS) this.#ring();
  }

  /** @param {number} since */
  #since(since) {
    return t('waiting.since', { ago: ago(since) });
  }

  #draw() {
    const kept = new Map([...this.list.querySelectorAll('li')].map((item) => [item.dataset.participant, item]));
    const items = this.who.map((one) => this.#update(kept.get(one.participant) ?? this.#item(one), one));
    if (items.length !== this.list.children.length || items.some((item, n) => this.list.children[n] !== item)) {
      this.list.replaceChildren(...items);
    }
    slot(this.root, 'nobody-waits').hidden = items.length > 0;
  }

  /** @param {WaitingView} one */
  #item(one) {
    const messages = HOLD_MESSAGES.map((message) =>
      el('button', {
        className: 'chip press',
        type: 'button',
        textContent: t(`hold.${message}.short`),
        on: { click: () => this.#tell(one, message) },
      }),
    );
    return el(
      'li',
      { className: 'waiting-card', 'data-participant': one.participant },
      el(
        'div',
        { className: 'waiting-who' },
        el('p', { className: 'name' }, el('bdi')),
        el('p', { className: 'soft small' }, el('span', { 'data-since': one.since, textContent: this.#since(one.since) }), el('span', { className: 'gone' })),
        el('p', { className: 'chip tiny amber', 'data-slot': 'lacks', 'data-testid': 'waiting-lacks', hidden: true }),
      ),
      el(
        'button',
        { className: 'button primary large admit', type: 'button', 'data-slot': 'admit', 'data-testid': 'admit', on: { click: () => this.options.admit(one) } },
        icon('door-open'),
        el('span', { textContent: t('waiting.admit') }),
      ),
      el(
        'details',
        { className: 'tell' },
        el('summary', { className: 'small' }, icon('message-square'), t('waiting.tell')),
        el('div', { className: 'tell-messages' }, ...messages),
      ),
      el('p', { className: 'told soft small', role: 'status' }),
    );
  }

  /** @param {HTMLElement} item @param {WaitingView} one */
  #update(item, one) {
    const name = this.options.names(one.appointment);
    const label = /** @type {HTMLElement} */ (item.querySelector('.name bdi'));
    if (label.textContent !== name) label.textContent = name;
    slot(item, 'admit').setAttribute('aria-label', t('waiting.admit.who', { name }));
    /** @type {HTMLElement} */ (item.querySelector('.gone')).textContent = one.connected ? '' : ` · ${t('waiting.gone')}`;
    item.classList.toggle('is-gone', !one.connected);
    say(slot(item, 'lacks'), one.connected && one.indicators?.microphone === false ? t('waiting.no-microphone') : null);
    /** @type {HTMLElement} */ (item.querySelector('.told')).textContent = this.#told.get(one.participant) ?? '';
    return item;
  }

  /** @param {WaitingView} one @param {HoldMessage} message */
  async #tell(one, message) {
    try {
      await this.options.tell(one, message);
      this.#told.set(one.participant, t('waiting.told', { message: t(`hold.${message}.short`) }));
    } catch {
      this.#told.set(one.participant, t('waiting.not-told'));
    }
    this.#draw();
  }
}

import { appointments } from '../client/rest.js';
import { copy, el, icon, say, slot } from './build.js';
import { dayOf, day, daysAway, daysLater, fullDay, minutes, moment, time } from './dates.js';
import { explain, t } from './language.js';

/** @import {AppointmentView} from '../client/wire.js' */

const COPIED_MS = 2500;

/** One day of appointments as a line; also knows the names of everybody who may come around today. */
export class Day {
  shown = new Date();
  /** @type {Map<string, AppointmentView>} */
  known = new Map();
  /** Appointments with somebody waiting, and the one in consult. */
  waiting = new Set();
  /** @type {string | null} */
  running = null;
  #asked = 0;
  #drawn = '';
  #today = true;

  /**
   * @param {HTMLElement} root
   * @param {{destroy: (one: AppointmentView) => void, reopen: (one: AppointmentView) => void,
   *   technical: (one: AppointmentView) => void}} acts
   */
  constructor(root, acts) {
    this.root = root;
    this.acts = acts;
  }

  /** @param {string} appointment */
  name(appointment) {
    return this.known.get(appointment)?.patient ?? t('day.unknown');
  }

  /** @param {number} days */
  async move(days) {
    this.shown = days === 0 ? new Date() : daysLater(this.shown, days);
    this.#today = daysAway(this.shown) === 0;
    await this.load();
  }

  /** Time went by: what was to come is past, and after midnight today is another day. */
  async tick() {
    if (this.#today && daysAway(this.shown) !== 0) await this.move(0);
    else this.draw();
  }

  /** Fetch the shown day with its neighbours: a day here may be two days on the server. */
  async load() {
    const asked = ++this.#asked;
    const busy = slot(this.root, 'day-busy');
    busy.hidden = this.known.size > 0;
    try {
      const [first, last] = [dayOf(daysLater(this.shown, -1)), dayOf(daysLater(this.shown, 1))];
      const found = await appointments(first, last);
      if (asked !== this.#asked) return;
      for (const [id, one] of this.known) {
        const on = dayOf(new Date(one.starts_at));
        if (on >= first && on <= last) this.known.delete(id);
      }
      for (const one of found) this.known.set(one.appointment, one);
      busy.hidden = true;
      this.draw();
    } catch (error) {
      if (asked === this.#asked) say(busy, explain(error));
      throw error;
    }
  }

  draw() {
    const today = daysAway(this.shown) === 0;
    const title = day(this.shown);
    slot(this.root, 'day-title').textContent = title.charAt(0).toLocaleUpperCase() + title.slice(1);
    slot(this.root, 'day-date').textContent = title === fullDay(this.shown) ? '' : fullDay(this.shown);
    /** @type {HTMLElement} */ (this.root.querySelector('[data-action="today"]')).hidden = today;
    const on = dayOf(this.shown);
    const list = [...this.known.values()]
      .filter((one) => dayOf(new Date(one.starts_at)) === on)
      .sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at) || a.patient.localeCompare(b.patient));
    const drawn = JSON.stringify(list.map((one) => [one, this.#state(one), this.#fate(one)]));
    if (drawn !== this.#drawn) this.#replace(list);
    this.#drawn = drawn;
    slot(this.root, 'day-empty').hidden = list.length > 0;
    slot(this.root, 'day-empty-words').textContent = t(today ? 'day.empty' : 'day.empty.other');
  }

  /** Draw the line anew; whoever stood on a button of it stays there. @param {AppointmentView[]} list */
  #replace(list) {
    const line = slot(this.root, 'day');
    const button = line.contains(document.activeElement) ? document.activeElement : null;
    const appointment = button?.closest('[data-appointment]')?.getAttribute('data-appointment');
    const name = button?.className;
    line.replaceChildren(...list.map((one) => this.#item(one)));
    const again = [...line.querySelectorAll(`[data-appointment="${appointment}"] button`)];
    again.find((one) => one.className === name)?.focus();
  }

  /** @param {AppointmentView} one @returns {['running' | 'waiting' | 'ended' | 'past' | 'planned', string | null]} */
  #state(one) {
    if (this.running === one.appointment) return ['running', t('day.running')];
    if (one.state === 'ended') return ['ended', t('day.ended')];
    if (this.waiting.has(one.appointment)) return ['waiting', t('day.waiting')];
    const end = new Date(one.starts_at).getTime() + one.minutes * 60_000;
    return end < Date.now() ? ['past', null] : ['planned', null];
  }

  /** @param {AppointmentView} one */
  #item(one) {
    const [state, word] = this.#state(one);
    const start = new Date(one.starts_at);
    return el(
      'li',
      { className: 'entry', 'data-state': state, 'data-appointment': one.appointment },
      el('time', { className: 'entry-time', dateTime: one.starts_at, textContent: time(start) }),
      el(
        'div',
        { className: 'entry-body' },
        el('p', { className: 'name' }, el('bdi', { textContent: one.patient })),
        el(
          'p',
          { className: 'soft small' },
          minutes(one.minutes),
          word ? el('span', { className: 'chip tiny', textContent: word }) : null,
        ),
        el('p', { className: 'soft small fate' }, icon('hourglass'), this.#fate(one)),
      ),
      el(
        'div',
        { className: 'entry-tools' },
        state !== 'ended' ? this.#copyButton(one) : one.reopens ? this.#reopenButton(one) : null,
        state === 'planned' ? null : this.#technicalButton(one),
        this.#destroyButton(one),
      ),
    );
  }

  /** When it is destroyed. @param {AppointmentView} one */
  #fate(one) {
    return one.destroyed_at ? t('day.destroyed', { when: moment(one.destroyed_at) }) : t('day.kept');
  }

  /** @param {AppointmentView} one */
  #copyButton(one) {
    const label = t('link.copy.who', { name: one.patient });
    const button = el('button', { className: 'icon-button', type: 'button', title: t('link.copy'), 'aria-label': label }, icon('link'));
    button.addEventListener('click', async () => {
      const copied = await copy(one.link);
      button.replaceChildren(icon(copied ? 'check' : 'x'));
      button.setAttribute('aria-label', t(copied ? 'link.copied' : 'link.copy.failed'));
      window.setTimeout(() => {
        button.replaceChildren(icon('link'));
        button.setAttribute('aria-label', label);
      }, COPIED_MS);
    });
    return button;
  }

  /** @param {AppointmentView} one */
  #reopenButton(one) {
    return el(
      'button',
      {
        className: 'icon-button',
        type: 'button',
        title: t('day.reopen'),
        'aria-label': t('day.reopen.who', { name: one.patient }),
        'data-testid': 'reopen-appointment',
        on: { click: () => this.acts.reopen(one) },
      },
      icon('rotate-cw'),
    );
  }

  /** @param {AppointmentView} one */
  #technicalButton(one) {
    return el(
      'button',
      {
        className: 'icon-button',
        type: 'button',
        title: t('technical.title'),
        'aria-label': t('technical.title.who', { name: one.patient }),
        'data-testid': 'technical-check',
        on: { click: () => this.acts.technical(one) },
      },
      icon('info'),
    );
  }

  /** @param {AppointmentView} one */
  #destroyButton(one) {
    return el(
      'button',
      {
        className: 'icon-button danger',
        type: 'button',
        title: t('destroy.button'),
        'aria-label': t('destroy.button.who', { name: one.patient }),
        'data-testid': 'delete-appointment',
        on: { click: () => this.acts.destroy(one) },
      },
      icon('trash-2'),
    );
  }
}

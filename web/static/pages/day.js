import { now } from '../client/clock.js';
import { agenda } from '../client/rest.js';
import { copy, el, icon, say, slot } from './build.js';
import { dayOf, day, daysAway, elsewhere, fullDay, minutes, moment, place, time } from './dates.js';
import { explain, t } from './language.js';
import { daysLater } from './zone.js';

/** @import {AppointmentView} from '../../types/wire.js' */

const COPIED_MS = 2500;

/** One day of appointments as a line; also knows the names of everybody who may come around today. */
export class Day {
  /** The practice's calendar day, `YYYY-MM-DD`. */
  shown = dayOf();
  /** @type {Map<string, AppointmentView>} */
  known = new Map();
  /** Appointments with somebody waiting, and the one in consult. */
  waiting = new Set();
  /** @type {string | null} */
  running = null;
  /** Those that cannot be read: nobody knows their day. @type {{appointment: string, newer: boolean}[]} */
  unreadable = [];
  #asked = 0;
  #drawn = '';
  /** Appointments of which more is shown. */
  #unfolded = new Set();
  /** @type {string | null} the central setting */
  retention = null;
  #today = true;

  /**
   * @param {HTMLElement} root
   * @param {{destroy: (one: Pick<AppointmentView, 'appointment' | 'patient'>) => void, reopen: (one: AppointmentView) => void,
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

  /** When it was planned to end. @param {string} appointment */
  ends(appointment) {
    const one = this.known.get(appointment);
    return one ? new Date(Date.parse(one.starts_at) + one.minutes * 60_000) : null;
  }

  /** @param {number} days */
  async move(days) {
    this.shown = days === 0 ? dayOf() : daysLater(this.shown, days);
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
    if (this.#today) this.shown = dayOf();
    const asked = ++this.#asked;
    const busy = slot(this.root, 'day-busy');
    busy.hidden = this.known.size > 0;
    try {
      const [first, last] = [daysLater(this.shown, -1), daysLater(this.shown, 1)];
      const found = await agenda(first, last);
      if (asked !== this.#asked) return;
      for (const [id, one] of this.known) {
        const on = dayOf(new Date(one.starts_at));
        if (on >= first && on <= last) this.known.delete(id);
      }
      for (const one of found.appointments) this.known.set(one.appointment, one);
      this.unreadable = found.unreadable;
      busy.hidden = true;
      this.draw();
    } catch (error) {
      if (asked === this.#asked) say(busy, explain(error));
      throw error;
    }
  }

  draw() {
    const today = daysAway(this.shown) === 0;
    say(slot(this.root, 'day-zone'), elsewhere(new Date(`${this.shown}T12:00Z`)) ? t('day.zone', { place }) : null);
    const title = day(this.shown);
    slot(this.root, 'day-title').textContent = title.charAt(0).toLocaleUpperCase() + title.slice(1);
    slot(this.root, 'day-date').textContent = title === fullDay(this.shown) ? '' : fullDay(this.shown);
    /** @type {HTMLElement} */ (this.root.querySelector('[data-action="today"]')).hidden = today;
    const list = [...this.known.values()]
      .filter((one) => dayOf(new Date(one.starts_at)) === this.shown)
      .sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at) || a.patient.localeCompare(b.patient));
    const drawn = JSON.stringify([this.#now(list), list.map((one) => [one, this.#state(one), this.#fate(one)]), this.unreadable]);
    if (drawn !== this.#drawn) this.#replace(list);
    this.#drawn = drawn;
    const clock = this.root.querySelector('.now time');
    if (clock) clock.textContent = time(new Date(now()));
    say(slot(this.root, 'day-fate'), list.length && this.retention ? t(`day.fate.${this.retention}`) : null);
    slot(this.root, 'day-empty').hidden = list.length + this.unreadable.length > 0;
    slot(this.root, 'day-empty-words').textContent = t(today ? 'day.empty' : 'day.empty.other');
  }

  /** Draw the line anew; whoever stood on a button of it stays there. @param {AppointmentView[]} list */
  #replace(list) {
    const line = slot(this.root, 'day');
    const button = line.contains(document.activeElement) ? document.activeElement : null;
    const appointment = button?.closest('[data-appointment]')?.getAttribute('data-appointment');
    const name = button?.className;
    const items = list.map((one) => this.#item(one));
    const stands = this.#now(list);
    if (stands >= 0) items.splice(stands, 0, el('li', { className: 'now' }, t('day.now'), ' ', el('time')));
    line.replaceChildren(...items, ...this.unreadable.map((one) => this.#unread(one)));
    const again = line.querySelector(`[data-appointment="${appointment}"]`)?.querySelectorAll('button') ?? [];
    [...again].find((one) => one.className === name)?.focus();
  }

  /** @param {AppointmentView} one @returns {['running' | 'waiting' | 'ended' | 'past' | 'planned', string | null]} */
  #state(one) {
    if (this.running === one.appointment) return ['running', t('day.running')];
    if (one.state === 'ended') return ['ended', t('day.ended')];
    if (this.waiting.has(one.appointment)) return ['waiting', t('day.waiting')];
    const end = new Date(one.starts_at).getTime() + one.minutes * 60_000;
    return end < now() ? ['past', t('day.past')] : ['planned', null];
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
      ),
      el(
        'div',
        { className: 'entry-tools' },
        state !== 'ended' ? this.#copyButton(one) : one.reopens ? this.#reopenButton(one) : null,
        this.#moreButton(one),
      ),
      el(
        'div',
        { className: 'entry-panel', id: `more-${one.appointment}`, hidden: !this.#unfolded.has(one.appointment) },
        el('p', { className: 'soft small fate' }, icon('hourglass'), this.#fate(one)),
        el('p', { className: 'actions' }, state === 'planned' ? null : this.#technicalButton(one), this.#destroyButton(one)),
      ),
    );
  }

  /** What is seldom wanted, and what cannot be undone, is a press further away. @param {AppointmentView} one */
  #moreButton(one) {
    const button = el(
      'button',
      {
        className: 'button quiet small more',
        type: 'button',
        'aria-expanded': this.#unfolded.has(one.appointment),
        'aria-controls': `more-${one.appointment}`,
        'aria-label': t('day.more.who', { name: one.patient }),
        'data-testid': 'more-of-appointment',
      },
      el('span', { textContent: t('day.more') }),
    );
    button.addEventListener('click', () => {
      const open = !this.#unfolded.delete(one.appointment);
      if (open) this.#unfolded.add(one.appointment);
      button.setAttribute('aria-expanded', String(open));
      /** @type {HTMLElement} */ (button.closest('.entry')?.querySelector('.entry-panel')).hidden = !open;
    });
    return button;
  }

  /** Where the day stands: between what has begun and what is to come. @param {AppointmentView[]} list */
  #now(list) {
    return daysAway(this.shown) === 0 && list.length ? list.filter((one) => Date.parse(one.starts_at) <= now()).length : -1;
  }

  /** What is left to see of one that cannot be read. @param {{appointment: string, newer: boolean}} found */
  #unread({ appointment, newer }) {
    const one = { appointment, patient: '' };
    return el(
      'li',
      { className: 'entry', 'data-state': 'unreadable', 'data-appointment': appointment },
      el('span', { className: 'entry-time', 'aria-hidden': 'true', textContent: '?' }),
      el(
        'div',
        { className: 'entry-body' },
        el('p', { className: 'name', textContent: t('day.unreadable') }),
        el('p', { className: 'soft small', textContent: t(newer ? 'day.unreadable.newer' : 'day.unreadable.help') }),
      ),
      el('div', { className: 'entry-tools' }, this.#destroyButton(one)),
    );
  }

  /** When it is destroyed. @param {AppointmentView} one */
  #fate(one) {
    return one.destroyed_at ? t('day.destroyed', { when: moment(one.destroyed_at) }) : t('day.kept');
  }

  /** @param {AppointmentView} one */
  #copyButton(one) {
    const label = t('link.copy.who', { name: one.patient });
    const words = el('span', { textContent: t('link.copy') });
    const button = el('button', { className: 'button quiet small copies', type: 'button', 'aria-label': label }, icon('link'), words);
    const show = (/** @type {string} */ sign, /** @type {string} */ said, /** @type {string} */ name) => {
      button.firstChild?.replaceWith(icon(sign));
      words.textContent = said;
      button.setAttribute('aria-label', name);
    };
    button.addEventListener('click', async () => {
      const copied = await copy(one.link);
      const said = t(copied ? 'link.copied' : 'link.copy.failed');
      show(copied ? 'check' : 'x', said, said);
      window.setTimeout(() => show('link', t('link.copy'), label), COPIED_MS);
    });
    return button;
  }

  /** @param {AppointmentView} one */
  #reopenButton(one) {
    return el(
      'button',
      {
        className: 'button quiet small reopens',
        type: 'button',
        'aria-label': t('day.reopen.who', { name: one.patient }),
        'data-testid': 'reopen-appointment',
        on: { click: () => this.acts.reopen(one) },
      },
      icon('rotate-cw'),
      el('span', { textContent: t('day.reopen') }),
    );
  }

  /** @param {AppointmentView} one */
  #technicalButton(one) {
    return el(
      'button',
      {
        className: 'button small technicals',
        type: 'button',
        'aria-label': t('technical.title.who', { name: one.patient }),
        'data-testid': 'technical-check',
        on: { click: () => this.acts.technical(one) },
      },
      icon('info'),
      el('span', { textContent: t('technical.title') }),
    );
  }

  /** @param {Pick<AppointmentView, 'appointment' | 'patient'>} one without a name where it cannot be read */
  #destroyButton(one) {
    return el(
      'button',
      {
        className: 'button small destroys',
        type: 'button',
        'aria-label': one.patient ? t('destroy.button.who', { name: one.patient }) : t('destroy.button.unreadable'),
        'data-testid': 'delete-appointment',
        on: { click: () => this.acts.destroy(one) },
      },
      icon('trash-2'),
      el('span', { textContent: t('destroy.button') }),
    );
  }
}

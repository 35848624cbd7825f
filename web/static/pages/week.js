import { html, nothing, render } from '../vendor/lit-html-3.3.3/lit-html.js';
import { dayOf, daysAway, fullDay, minutes, shortDay, spoken, time, zone } from './dates.js';
import { lanesOf } from './lanes.js';
import { t } from './language.js';
import { overlaps } from './overlap.js';
import { daysLater, momentOf } from './zone.js';

/** @import {AppointmentView} from '../../types/wire.js' */
/** @import {State} from './entries.js' */

/** The hours that are always shown, by the practice's clock; what is earlier or later makes them more. */
const FIRST_HOUR = 8;
const LAST_HOUR = 17;
const HOUR_MS = 3_600_000;
const KEYS = new Set(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home', 'End']);

/** @typedef {{day: string, hour: number, starting: AppointmentView[], busy: boolean}} Cell */

/**
 * A week as a grid of days and hours. Tab comes to one button in it; arrows go on to the next appointment or free hour of the
 * day, or to the same hour of the next day.
 */
export class Week {
  /** The button that Tab comes to. */
  #here = '';
  /** @type {Map<string, AppointmentView>} */ #drawn = new Map();

  /**
   * @param {HTMLElement} place
   * @param {{open: (one: AppointmentView) => void, create: (day: string, time: string) => void, day: (day: string) => void}} acts
   */
  constructor(place, acts) {
    this.place = place;
    this.acts = acts;
    place.addEventListener('click', (event) => this.#press(event));
    place.addEventListener('keydown', (event) => this.#key(event));
    place.addEventListener('focusin', (event) => this.#enter(event));
  }

  /**
   * @param {string[]} days of the week, from Monday
   * @param {AppointmentView[]} planned on them, by their start
   * @param {number} at ms since the epoch
   * @param {(one: AppointmentView) => State} state
   */
  draw(days, planned, at, state) {
    const active = document.activeElement;
    const held = active instanceof HTMLElement && this.place.contains(active) ? active.dataset.key : undefined;
    this.#drawn = new Map(planned.map((one) => [one.appointment, one]));
    const today = dayOf(new Date(at));
    const shown = days.filter((day, n) => n < 5 || day === today || planned.some((one) => dayOfOne(one) === day));
    const columns = shown.map((day) => column(day, planned.filter((one) => dayOfOne(one) === day)));
    const hours = hoursOf(planned);
    const keys = columns.flatMap(({ of }) => hours.flatMap((hour) => keysOf(of(hour))));
    if (!keys.includes(this.#here)) this.#here = keys.find((key) => key.startsWith(today)) ?? keys[0] ?? '';
    const heads = columns.map(({ day }) => head(day, day === today, at));
    const rows = hours.map((hour) => {
      const cells = columns.map(({ of, lanes }) => this.#cell(of(hour), lanes, at, state));
      return html`<tr><th scope="row">${spoken(clock(hour))}</th>${cells}</tr>`;
    });
    render(html`<table role="grid" aria-label=${t('week.grid')}>
      <thead><tr><th scope="col"><span class="visually-hidden">${t('week.hour')}</span></th>${heads}</tr></thead>
      <tbody>${rows}</tbody>
    </table>`, this.place);
    if (held !== undefined && document.activeElement?.getAttribute('data-key') !== held) this.#focus(held);
  }

  /** @param {Cell} cell @param {ReturnType<typeof lanesOf>} lanes @param {number} at @param {(one: AppointmentView) => State} state */
  #cell(cell, lanes, at, state) {
    const { day, hour, starting } = cell;
    const planned = starting.map((one) => this.#one(one, cell, lanes.get(one.appointment), state(one)));
    const today = daysAway(day, dayOf(new Date(at))) === 0;
    return html`<td ?data-today=${today}>${starting.length ? planned : this.#free(cell)}${nowLine(day, hour, at)}</td>`;
  }

  /** @param {Cell} cell at which nothing begins */
  #free({ day, hour, busy }) {
    const key = `${day} ${hour}`;
    const words = t(busy ? 'week.busy' : 'week.free', { day: fullDay(day), time: spoken(clock(hour)) });
    return html`<button type="button" class="free" data-key=${key} data-day=${day} data-hour=${hour}
      tabindex=${this.#here === key ? 0 : -1}><span class="visually-hidden">${words}</span></button>`;
  }

  /**
   * @param {AppointmentView} one @param {Cell} cell @param {{lane: number, lanes: number} | undefined} place @param {State} state
   */
  #one(one, { day, hour }, place = { lane: 0, lanes: 1 }, state) {
    const { appointment, patient, starts_at } = one;
    const begins = time(new Date(starts_at));
    const key = `${day} ${hour} ${appointment}`;
    const said = t(`day.${state}`);
    const where = `--from: ${Number(begins.slice(3)) / 60}; --long: ${one.minutes / 60}; --lane: ${place.lane}; --lanes: ${place.lanes}`;
    return html`<button type="button" class="week-entry" data-key=${key} data-appointment=${appointment} data-state=${state}
      tabindex=${this.#here === key ? 0 : -1} .style=${where}><span class="visually-hidden">${fullDay(day)}, </span><time
      datetime=${starts_at}>${begins}</time> <bdi>${patient}</bdi> <span class=${state === 'planned' ? 'visually-hidden' : 'state'}>${said}</span><span
      class="visually-hidden">, ${minutes(one.minutes)}</span></button>`;
  }

  /** @param {Event} event */
  #press(event) {
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    if (!button) return;
    const { appointment, day = '', hour } = button.dataset;
    const one = this.#drawn.get(appointment ?? '');
    if (one) this.acts.open(one);
    else if (hour) this.acts.create(day, clock(Number(hour)));
    else this.acts.day(day);
  }

  /** @param {Event} event */
  #enter(event) {
    const key = event.target instanceof HTMLElement ? event.target.dataset.key : undefined;
    if (key === undefined || key === this.#here) return;
    const before = this.#button(this.#here);
    if (before) before.tabIndex = -1;
    this.#here = key;
    /** @type {HTMLElement} */ (event.target).tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key } = event;
    const from = event.target instanceof HTMLElement ? event.target.dataset.key : undefined;
    if (from === undefined || !KEYS.has(key) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const [day = '', hour] = from.split(' ');
    const column = this.#buttons().filter((one) => one.startsWith(day));
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (step) return this.#focus(column[column.indexOf(from) + step]);
    if (key === 'Home' || key === 'End') return this.#focus(column[key === 'Home' ? 0 : column.length - 1]);
    const right = (key === 'ArrowRight') === (document.documentElement.dir !== 'rtl');
    const beside = this.#buttons().filter((one) => one.split(' ')[1] === hour && (right ? one > from : one < from) && !one.startsWith(day));
    const next = (right ? beside[0] : beside.at(-1))?.split(' ')[0];
    return this.#focus(beside.find((one) => one.startsWith(String(next))));
  }

  /** The keys of all buttons, day by day and down each day. */
  #buttons() {
    const keys = [...this.place.querySelectorAll('[data-key]')].map((one) => /** @type {HTMLElement} */ (one).dataset.key ?? '');
    const order = (/** @type {string} */ key) => `${key.slice(0, 10)} ${key.split(' ')[1]?.padStart(2, '0')}`;
    return keys.sort((a, b) => order(a).localeCompare(order(b)));
  }

  /** @param {string} key @returns {HTMLElement | null} */
  #button(key) {
    return this.place.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  /** @param {string | undefined} key */
  #focus(key) {
    if (key !== undefined) this.#button(key)?.focus();
  }
}

/** @param {string} day @param {AppointmentView[]} planned on it */
function column(day, planned) {
  const lanes = lanesOf(planned);
  /** @param {number} hour @returns {Cell} */
  const of = (hour) => {
    const from = momentOf(day, clock(hour), zone).at.getTime();
    const starting = planned.filter((one) => hourOf(one) === hour);
    return { day, hour, starting, busy: planned.some((one) => overlaps(one, from, from + HOUR_MS)) };
  };
  return { day, lanes, of };
}

/** @param {Cell} cell */
const keysOf = ({ day, hour, starting }) =>
  starting.length ? starting.map(({ appointment }) => `${day} ${hour} ${appointment}`) : [`${day} ${hour}`];

/** @param {string} day @param {boolean} today @param {number} at */
function head(day, today, at) {
  const now = today ? html`<span class="small">${t('day.now')} <time>${time(new Date(at))}</time></span>` : nothing;
  return html`<th scope="col" ?data-today=${today}><button type="button" class="button quiet small" data-day=${day}
    ><span aria-hidden="true">${shortDay(day)}</span><span class="visually-hidden">${fullDay(day)}</span></button>${now}</th>`;
}

/** @param {string} day @param {number} hour @param {number} at */
function nowLine(day, hour, at) {
  const now = new Date(at);
  if (dayOf(now) !== day || hourIn(now) !== hour) return nothing;
  const where = `--from: ${Number(time(now).slice(3)) / 60}`;
  return html`<span class="week-now" aria-hidden="true" .style=${where}></span>`;
}

/** All hours from the first to the last that has something. @param {AppointmentView[]} planned */
function hoursOf(planned) {
  const lasts = planned.map((one) => hourOf(one) + Math.ceil((Number(time(new Date(one.starts_at)).slice(3)) + one.minutes) / 60) - 1);
  const first = Math.min(FIRST_HOUR, ...planned.map(hourOf));
  const last = Math.min(23, Math.max(LAST_HOUR, ...lasts));
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}

/** @param {number} hour */
const clock = (hour) => `${String(hour).padStart(2, '0')}:00`;

/** @param {Date} at */
const hourIn = (at) => Number(time(at).slice(0, 2));

/** @param {AppointmentView} one */
const hourOf = (one) => hourIn(new Date(one.starts_at));

/** @param {AppointmentView} one */
const dayOfOne = (one) => dayOf(new Date(one.starts_at));

/** The seven days of the week that a day is in, from Monday. @param {string} day */
export function weekOf(day) {
  const monday = daysLater(day, -((new Date(day).getUTCDay() + 6) % 7));
  return Array.from({ length: 7 }, (_, n) => daysLater(monday, n));
}

/** Its number (ISO 8601): that of its Thursday. @param {string} day */
export function weekNumber(day) {
  const thursday = weekOf(day)[3] ?? day;
  return 1 + Math.floor((Date.parse(thursday) - Date.parse(`${thursday.slice(0, 4)}-01-01`)) / (7 * 24 * HOUR_MS));
}

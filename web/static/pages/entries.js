import { html, nothing } from '../vendor/lit-html-3.3.3/lit-html.js';
import { fullDay, minutes, moment, time } from './dates.js';
import { t } from './language.js';
import { icon } from './rows.js';
import { toldAlarm, toldLines, toldTools } from './told.js';

/** @import {AppointmentView, UnreadableView} from '../../types/wire.js' */
/** @import {Row} from './rows.js' */

/** @typedef {'running' | 'waiting' | 'ended' | 'past' | 'planned' | 'cancelled' | 'held' | 'missed'} State */

/**
 * What the entry of an appointment shows beside the appointment itself.
 * @typedef {object} Look
 * @property {State} state
 * @property {boolean} unfolded
 * @property {boolean} [copied] the link is on the clipboard since a moment ago, or could not be put there
 */

/**
 * What can be done with an appointment.
 * @typedef {object} Acts
 * @property {(one: Pick<AppointmentView, 'appointment' | 'patient' | 'told'>, coming: boolean) => void} destroy without a name where it
 *   cannot be read; what is to come is cancelled
 * @property {(one: AppointmentView) => void} keep
 * @property {(one: AppointmentView) => void} correct
 * @property {(one: AppointmentView) => void} reopen
 * @property {(one: AppointmentView, attended: 'held' | 'missed') => void} attend
 * @property {(one: AppointmentView) => void} technical
 * @property {(one: AppointmentView) => void} copy
 * @property {(one: AppointmentView) => void} handOut
 * @property {(one: AppointmentView) => void} guests
 * @property {(one: AppointmentView, newLink: boolean) => void} invite
 * @property {(one: AppointmentView) => void} unfold
 */

/** States of which somebody may say whether it was held. @type {Set<State>} */
const OVER = new Set(['ended', 'past', 'held', 'missed']);

/** One appointment in the line of a day. @param {AppointmentView} one @param {Look} look @param {Acts} acts @returns {Row} */
export function entry(one, { state, unfolded, copied }, acts) {
  const { appointment, patient, starts_at } = one;
  const coming = state === 'planned' || state === 'waiting';
  const leaving = state === 'cancelled';
  const tool = one.state !== 'ended' ? copyButton(one, copied, acts) : one.reopens ? reopenButton(one, acts) : nothing;
  const technical = state === 'planned' ? nothing : technicalButton(one, acts);
  const correct = one.state === 'ended' ? nothing : correctButton(one, acts);
  const content = html`
    <time class="entry-time" datetime=${starts_at}>${time(new Date(starts_at))}</time>
    <div class="entry-body">
      <p class="name"><bdi>${patient}</bdi></p>
      <p class="soft small">${minutes(one.minutes)}${chip(state)}${wished(one)}${lacks(one)}${toldAlarm(one)}</p>
    </div>
    <div class="entry-tools">${leaving ? keepButton(one, acts) : [tool, moreButton(one, unfolded, acts)]}</div>
    <div class="entry-panel" id="more-${appointment}" ?hidden=${!unfolded || leaving}>
      <p class="soft small fate">${icon('hourglass')}${fate(one)}</p>
      ${guestNames(one)}${toldLines(one)}
      <p class="actions">${technical}${correct}${coming || state === 'running' ? guestsButton(one, acts) : nothing}${coming ? [beforeLink(one), handOutButton(one, acts), toldTools(one, acts)] : nothing}${OVER.has(state) ? attendButtons(one, acts) : nothing}${destroyButton(one, coming, acts)}</p>
    </div>`;
  return { key: appointment, attributes: { class: 'entry', 'data-state': state, 'data-appointment': appointment }, content };
}

/** Above the entries of a day. @param {string} day @returns {Row} */
export const heading = (day) => ({
  key: `day ${day}`,
  attributes: { class: 'day-heading' },
  content: html`<h3>${fullDay(day)}</h3>`,
});

/** What is left to see of one that cannot be read. @param {UnreadableView} found @param {Acts} acts @returns {Row} */
export function unread({ appointment, newer }, acts) {
  const content = html`
    <span class="entry-time" aria-hidden="true">?</span>
    <div class="entry-body">
      <p class="name">${t('day.unreadable')}</p>
      <p class="soft small">${t(newer ? 'day.unreadable.newer' : 'day.unreadable.help')}</p>
    </div>
    <div class="entry-tools">${destroyButton({ appointment, patient: '' }, false, acts)}</div>`;
  return { key: appointment, attributes: { class: 'entry', 'data-state': 'unreadable', 'data-appointment': appointment }, content };
}

/** Where the day stands. @param {number} at ms since the epoch @returns {Row} */
export const stand = (at) => ({
  key: 'now',
  attributes: { class: 'now' },
  content: html`${t('day.now')} <time>${time(new Date(at))}</time>`,
});

/** @param {State} state */
const chip = (state) => (state === 'planned' ? nothing : html`<span class="chip tiny">${t(`day.${state}`)}</span>`);

/** What the patient says of coming. @param {AppointmentView} one */
const wished = ({ wish, state }) =>
  wish && state === 'planned' ? html`<span class="chip tiny amber" data-testid="wished">${t(`day.wish.${wish}`)}</span>` : nothing;

/** What keeps its patient out of the waiting room. @param {AppointmentView} one */
const lacks = ({ missing }) => (missing ? html`<span class="chip tiny amber" data-testid="lacks">${t(`day.${missing}`)}</span>` : nothing);

/** Their age, consent and answers have a page of their own. @param {AppointmentView} one */
const beforeLink = ({ appointment, patient }) =>
  html`<a class="button small" href="/account/before/${appointment}" data-testid="before" aria-label=${t('day.before.who', { name: patient })}>${t('day.before')}</a>`;

/** When it is destroyed. @param {AppointmentView} one */
const fate = (one) => (one.destroyed_at ? t('day.destroyed', { when: moment(one.destroyed_at) }) : t('day.kept'));

/** @param {AppointmentView} one @param {boolean | undefined} copied @param {Acts} acts */
function copyButton(one, copied, acts) {
  const sign = copied === undefined ? 'link' : copied ? 'check' : 'x';
  const words = t(copied === undefined ? 'link.copy' : copied ? 'link.copied' : 'link.copy.failed');
  const label = copied === undefined ? t('link.copy.who', { name: one.patient }) : words;
  return html`<button class="button quiet small copies" type="button" aria-label=${label}
    @click=${() => acts.copy(one)}>${icon(sign)}<span>${words}</span></button>`;
}

/** What is seldom wanted, and what cannot be undone, is a press further away. @param {AppointmentView} one @param {boolean} unfolded @param {Acts} acts */
const moreButton = (one, unfolded, acts) =>
  html`<button class="button quiet small more" type="button" data-testid="more-of-appointment"
    aria-expanded=${String(unfolded)} aria-controls="more-${one.appointment}" aria-label=${t('day.more.who', { name: one.patient })}
    @click=${() => acts.unfold(one)}><span>${t('day.more')}</span></button>`;

/** @param {AppointmentView} one @param {Acts} acts */
const reopenButton = (one, acts) =>
  html`<button class="button quiet small reopens" type="button" data-testid="reopen-appointment"
    aria-label=${t('day.reopen.who', { name: one.patient })}
    @click=${() => acts.reopen(one)}>${icon('rotate-cw')}<span>${t('day.reopen')}</span></button>`;

/** @param {AppointmentView} one @param {Acts} acts */
const correctButton = (one, acts) =>
  html`<button class="button small corrects" type="button" data-testid="correct-appointment"
    aria-label=${t('correct.button.who', { name: one.patient })}
    @click=${() => acts.correct(one)}>${icon('clock')}<span>${t('correct.button')}</span></button>`;

/** What the consult showed, corrected. @param {AppointmentView} one @param {Acts} acts */
const attendButtons = (one, acts) =>
  /** @type {const} */ (['held', 'missed']).filter((attended) => one.attended !== attended).map((attended) => attendButton(one, attended, acts));

/** @param {AppointmentView} one @param {'held' | 'missed'} attended @param {Acts} acts */
function attendButton(one, attended, acts) {
  const [id, label, words] = [`attend-${attended}`, t(`attend.${attended}.who`, { name: one.patient }), t(`attend.${attended}.button`)];
  return html`<button class="button small attends" type="button" data-testid=${id} aria-label=${label}
    @click=${() => acts.attend(one, attended)}>${icon(attended === 'held' ? 'check' : 'x')}<span>${words}</span></button>`;
}

/** @param {AppointmentView} one @param {Acts} acts */
const technicalButton = (one, acts) =>
  html`<button class="button small technicals" type="button" data-testid="technical-check"
    aria-label=${t('technical.title.who', { name: one.patient })}
    @click=${() => acts.technical(one)}>${icon('info')}<span>${t('technical.title')}</span></button>`;

/** @param {AppointmentView} one @param {Acts} acts */
const handOutButton = (one, acts) =>
  html`<button class="button small" type="button" data-testid="hand-out" aria-label=${t('handout.title.who', { name: one.patient })}
    @click=${() => acts.handOut(one)}>${icon('smartphone')}<span>${t('handout.title')}</span></button>`;

/** @param {AppointmentView} one @param {Acts} acts */
const guestsButton = (one, acts) =>
  html`<button class="button small" type="button" data-testid="guests-of-appointment" aria-label=${t('guests.button.who', { name: one.patient })}
    @click=${() => acts.guests(one)}>${icon('user')}<span>${t('guests.button')}</span></button>`;

/** Who else takes part. @param {AppointmentView} one */
const guestNames = ({ guests = [] }) =>
  guests.length ? html`<p class="soft small fate">${icon('user')}<span>${guests.map(({ name, role }) => t('guests.as', { name, role: t(`guests.role.${role}`) })).join(', ')}</span></p>` : nothing;

/** @param {AppointmentView} one @param {Acts} acts */
const keepButton = (one, acts) =>
  html`<button class="button small keeps" type="button" data-testid="keep-appointment"
    aria-label=${t('undo.button.who', { name: one.patient })}
    @click=${() => acts.keep(one)}>${icon('rotate-cw')}<span>${t('undo.button')}</span></button>`;

/** @param {Pick<AppointmentView, 'appointment' | 'patient' | 'told'>} one @param {boolean} coming @param {Acts} acts */
function destroyButton(one, coming, acts) {
  const kind = coming ? 'cancel' : 'destroy';
  const label = one.patient ? t(`${kind}.button.who`, { name: one.patient }) : t('destroy.button.unreadable');
  const words = t(`${kind}.button`);
  return html`<button class="button small destroys" type="button" data-testid="delete-appointment" aria-label=${label}
    @click=${() => acts.destroy(one, coming)}>${icon('trash-2')}<span>${words}</span></button>`;
}

import { html, nothing } from '../vendor/lit-html-3.3.3/lit-html.js';
import { moment } from './dates.js';
import { has, t } from './language.js';
import { icon } from './rows.js';

/** @import {AppointmentView, ToldView} from '../../types/wire.js' */

const GONE_WRONG = ['refused', 'late'];

/** What became of what the patient was told, a line for each way. @param {Pick<AppointmentView, 'told'>} one */
export const toldLines = (one) =>
  (one.told ?? []).map((told) => html`<p class="soft small fate" data-told=${told.state}>${icon('send')}<span>${line(told)}</span></p>`);

/** That the patient could not be told: seen without unfolding anything. @param {AppointmentView} one */
export function toldAlarm(one) {
  const wrong = (one.told ?? []).some(({ state }) => GONE_WRONG.includes(state));
  return wrong ? html`<span class="chip tiny amber" data-testid="not-told">${t('told.alarm')}</span>` : nothing;
}

/** @param {AppointmentView} one @param {{invite: (one: AppointmentView, newLink: boolean) => void}} acts */
export function toldTools(one, acts) {
  if (!one.mail && !one.phone) return nothing;
  return html`<button class="button small" type="button" data-testid="invite-again" aria-label=${t('told.again.who', { name: one.patient })}
      @click=${() => acts.invite(one, false)}>${icon('send')}<span>${t('told.again')}</span></button><button class="button small"
      type="button" data-testid="invite-new-link" aria-label=${t('told.new-link.who', { name: one.patient })}
      @click=${() => acts.invite(one, true)}>${icon('link')}<span>${t('told.new-link')}</span></button>`;
}

/** @param {ToldView} told */
function line({ way, word, state, at, reason }) {
  const said = t(`told.state.${state}`, { when: at ? moment(at) : '' });
  return t('told.line', { what: t(`told.${word}`), way: t(`told.way.${way}`), state: said }) + (reason ? ` – ${why(reason)}` : '');
}

/** A word of the server's, and the number of whoever did not take it. @param {string} reason */
function why(reason) {
  const [word = '', number] = reason.split(' ');
  const key = [`told.reason.${word}`, `new.phone.${word}`].find(has);
  return (key ? t(key) : word) + (number ? ` (${number})` : '');
}

import { html, render } from '../vendor/lit-html-3.3.3/lit-html.js';
import { t } from './language.js';
import { icon } from './rows.js';
import { present } from './trust.js';

/** @import {Consult} from '../client/consult.js' */
/** @import {ParticipantView, WaitingView} from '../../types/wire.js' */

const PATIENT = 'patient';

/** In whose place somebody is: the patient's, or that of a guest. @param {{guest?: string}} one */
const seat = ({ guest }) => guest ?? PATIENT;

/** Who is in with the practitioner, the patient first. @param {Consult | null} consult @returns {ParticipantView[]} */
export const inside = (consult) => (consult ? present(consult) : []);

/** Whether somebody else may come in. @param {Consult | null} consult */
export const hasRoom = (consult) => inside(consult).length + 1 < (consult?.room?.capacity ?? 2);

/**
 * Of those who wait for a consult that runs: who comes instead of somebody who is in, by the same link, and who comes beside them.
 * @param {WaitingView[]} waiting @param {Consult | null} consult
 */
export function sorted(waiting, consult) {
  const mine = consult ? waiting.filter((one) => one.appointment === consult.appointment) : [];
  const seats = inside(consult).map(seat);
  const anew = mine.find((one) => (seats.length ? seats.includes(seat(one)) : seat(one) === PATIENT));
  return { anew, callers: mine.filter((one) => one !== anew), elsewhere: waiting.filter((one) => !mine.includes(one)) };
}

/**
 * Who else waits, in the consult itself: called in alone, or told why that cannot be yet.
 * @param {HTMLElement} place
 * @param {WaitingView[]} callers
 * @param {object} options
 * @param {boolean} options.free there is a place for one more
 * @param {(who: WaitingView) => string} options.names
 * @param {(who: WaitingView) => void} options.admit
 */
export function showCallers(place, callers, { free, names, admit }) {
  const rows = callers.map((one) => {
    const name = names(one);
    const words = t(free ? 'guests.waits' : 'guests.no-place', { name });
    const button = html`<button class="button" type="button" data-testid="admit-caller" aria-label=${t('waiting.admit.who', { name })}
      @click=${() => admit(one)}>${icon('door-open')}${t('waiting.admit')}</button>`;
    return html`<p class="banner ask" data-testid="caller"><span>${words}</span>${free ? button : ''}</p>`;
  });
  render(rows, place);
}

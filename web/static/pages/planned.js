import { calendarOf, wish } from '../client/linked.js';
import { el, say, slot } from './build.js';
import { explain, language, t } from './language.js';

export { linked } from '../client/linked.js';

/** @import {Language, Wish} from '../../types/wire.js' */

/**
 * What may be done with an appointment before anybody comes, loaded when somebody wants to. What is said of coming is
 * typed, not pressed: programs that look at links press every button.
 */

/** How long a file that was offered stays at hand: a slow telephone asks first where to put it. */
const KEPT_MS = 60_000;

/**
 * Say it, with the word that was typed.
 * @param {HTMLElement} card @param {EventTarget | null} form @param {string} link
 */
export async function send(card, form, link) {
  if (!(form instanceof HTMLFormElement)) return;
  const [field, problem] = [slot(form, 'typed', HTMLInputElement), slot(form, 'wish-problem')];
  /** @type {Wish} */
  const wanted = field.value.toLowerCase().includes(t('wish.move.word')) ? 'move' : 'cancel';
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'));
  button.disabled = true;
  try {
    await wish(link, /** @type {Language} */ (language), wanted, field.value);
    form.reset();
    wrong(field, problem, null);
    /** @type {HTMLDetailsElement} */ (form.parentElement).open = false;
    say(slot(card, 'wish-said'), t(`wish.${wanted}.said`));
  } catch (error) {
    const typed = /** @type {{code?: string}} */ (error).code === 'invalid';
    wrong(field, problem, typed ? t('wish.wrong') : explain(error));
  }
  button.disabled = false;
}

/** @param {HTMLInputElement} field @param {HTMLElement} problem @param {string | null} words */
function wrong(field, problem, words) {
  say(problem, words);
  if (!words) return field.removeAttribute('aria-invalid');
  field.setAttribute('aria-invalid', 'true');
  field.focus();
}

/** The file as a download: calendars open it. @param {HTMLElement} card @param {string} link */
export async function toCalendar(card, link) {
  try {
    const text = await calendarOf(link, /** @type {Language} */ (language));
    const address = URL.createObjectURL(new Blob([text], { type: 'text/calendar;charset=utf-8' }));
    el('a', { href: address, download: `consult.ics` }).click();
    setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
  } catch (error) {
    say(slot(card, 'wish-said'), explain(error));
  }
}

import { me, signIn } from '../client/rest.js';
import { onAction, say, slot } from './build.js';
import { explain, t } from './language.js';
import { SecondStep, inTwoSteps } from './secondstep.js';

/** @import {Me} from '../../types/wire.js' */

/**
 * The session ended while the page was open: ask for the password above what is there, and lose nothing of it.
 *
 * At the desk it covers the page, for whoever sits there now may be somebody else. Above a running consult it covers
 * nothing, can be put aside until the consult is over, and takes nothing away.
 */
export class SignInAgain {
  /** @type {Promise<boolean> | null} */
  #asking = null;
  /** @type {((signedIn: boolean) => void) | null} */
  #settle = null;
  #later = false;
  #inConsult = false;

  /** @param {HTMLDialogElement} dialog @param {Me} person */
  constructor(dialog, person) {
    this.dialog = dialog;
    this.person = person;
    this.form = slot(dialog, 'again-form', HTMLFormElement);
    this.second = new SecondStep(dialog);
    this.password = /** @type {HTMLInputElement} */ (this.form.elements.namedItem('password'));
    slot(dialog, 'again-mail', HTMLInputElement).value = person.mail;
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    onAction(dialog, { later: () => this.#putAside(), other: () => location.assign('/signin') });
    for (const type of ['focus', 'visibilitychange']) window.addEventListener(type, () => this.#look());
  }

  /** Whether the practitioner is signed in again; false when that was put off. @returns {Promise<boolean>} */
  async ask() {
    if (this.#later) return false;
    this.#asking ??= new Promise((resolve) => {
      this.#settle = resolve;
      this.#show();
    }).finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** Resolves as soon as the practitioner is signed in again, also when that was put off for a while. */
  async wait() {
    while (!(await this.ask())) await new Promise((resolve) => this.dialog.addEventListener('due', resolve, { once: true }));
  }

  /** A consult begins or is over. @param {boolean} inConsult */
  consult(inConsult) {
    this.#inConsult = inConsult;
    if (!inConsult && this.#later) {
      this.#later = false;
      this.dialog.dispatchEvent(new Event('due'));
    }
    if (this.dialog.open) this.#show();
  }

  #show() {
    const { dialog } = this;
    const typed = this.password.value;
    if (dialog.open) dialog.close();
    dialog.classList.toggle('above', this.#inConsult);
    slot(dialog, 'again-later').hidden = !this.#inConsult;
    slot(dialog, 'again-other').hidden = this.#inConsult;
    slot(dialog, 'again-text').textContent = t(this.#inConsult ? 'again.consult' : 'again.text');
    if (this.#inConsult) dialog.show();
    else dialog.showModal();
    this.password.value = typed;
  }

  async #submit() {
    const button = /** @type {HTMLButtonElement} */ (this.form.querySelector('[type="submit"]'));
    const problem = slot(this.dialog, 'again-problem');
    if (!this.password.value) return say(problem, t('signin.password.missing'));
    button.disabled = true;
    say(problem, null);
    try {
      const { mail } = this.person;
      await inTwoSteps(() => signIn(mail, this.password.value), (challenge) => this.#second(challenge));
      this.#done(true);
    } catch (error) {
      say(problem, explain(error));
      this.password.focus();
    }
    this.password.value = '';
    button.disabled = false;
  }

  /** The second step takes the place of the first. @param {string} challenge */
  #second(challenge) {
    this.form.hidden = true;
    return this.second.ask(challenge).finally(() => (this.form.hidden = false));
  }

  #putAside() {
    this.#later = true;
    this.#done(false);
  }

  /** Somebody may have signed in in another window. */
  async #look() {
    if (!this.#settle || document.hidden) return;
    const now = await me().catch(() => null);
    if (now?.practitioner === this.person.practitioner) this.#done(true);
    else if (now && !this.#inConsult) location.reload();
  }

  /** @param {boolean} signedIn */
  #done(signedIn) {
    this.dialog.close();
    this.#settle?.(signedIn);
    this.#settle = null;
  }
}

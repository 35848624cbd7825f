import { closeAccount, destroyAll } from '../client/rest.js';
import { say, slot } from './build.js';
import { explain, plural, t } from './language.js';

/** Destroying all appointments, or the account with them: the password is asked for once more (S-28, S-43). */
export class Ending {
  /** @param {HTMLElement} place @param {() => void} onDone */
  constructor(place, onDone) {
    this.form = /** @type {HTMLFormElement} */ (slot(place, 'ending'));
    this.fold = /** @type {HTMLDetailsElement} */ (this.form.closest('details'));
    this.said = slot(place, 'ending-said');
    this.onDone = onDone;
    this.form.addEventListener('submit', (event) => this.#submit(event));
  }

  close() {
    this.form.reset();
    this.fold.open = false;
    say(this.said, null);
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    const password = String(new FormData(this.form).get('password') ?? '');
    if (!button || !password) return;
    for (const one of this.form.querySelectorAll('button')) one.disabled = true;
    try {
      if (button.value === 'account') {
        await closeAccount(password);
        location.assign('/');
        return;
      }
      const { destroyed, waiting } = await destroyAll(password);
      this.form.reset();
      say(this.said, [plural('ending.destroyed', destroyed), waiting ? t('ending.waiting') : ''].join(' ').trim());
      this.onDone();
    } catch (error) {
      say(this.said, explain(error));
    } finally {
      for (const one of this.form.querySelectorAll('button')) one.disabled = false;
    }
  }
}

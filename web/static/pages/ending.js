import { closeAccount, destroyAll } from '../client/rest.js';
import { onAction, openDialog, say, slot } from './build.js';
import { uninstall } from './installed.js';
import { explain, plural, t } from './language.js';

/** Destroying all appointments, or the account with them: the password is asked for once more (S-28, S-43). */
export class Ending {
  /** @param {HTMLDialogElement} dialog @param {() => void} onDone */
  constructor(dialog, onDone) {
    this.dialog = dialog;
    this.form = slot(dialog, 'ending', HTMLFormElement);
    this.said = slot(dialog, 'ending-said');
    this.onDone = onDone;
    onAction(dialog, { close: () => dialog.close() });
    this.form.addEventListener('submit', (event) => this.#submit(event));
  }

  open() {
    this.form.reset();
    say(this.said, null);
    openDialog(this.dialog);
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
        await uninstall().catch(() => {});
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

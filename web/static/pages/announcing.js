import { say, slot } from './build.js';
import { explain } from './language.js';

/** @import {AnnouncedView, Status} from '../../types/wire.js' */

/** What is said to all who wait: whether the practitioner is there, and how much later it gets. */
export class Announcing {
  /** @param {HTMLFormElement} form @param {(status: Status, delay: number | null) => Promise<void>} announce */
  constructor(form, announce) {
    this.form = form;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('change', async () => {
      const delay = Number(this.#delay.value) || null;
      await announce(/** @type {Status} */ (this.#status.value), delay).then(
        () => say(slot(form, 'announced-said'), null),
        (error) => say(slot(form, 'announced-said'), explain(error)),
      );
    });
  }

  /** @param {AnnouncedView | null} said */
  show(said) {
    // What somebody is choosing at this moment stays theirs.
    if (this.form.contains(document.activeElement) && document.activeElement?.matches('select:open')) return;
    const delay = String(said?.delay ?? '');
    this.#status.value = said?.status ?? 'open';
    // Another page may say a number that is not offered here.
    if (![...this.#delay.options].some(({ value }) => value === delay)) this.#delay.add(new Option(delay, delay));
    this.#delay.value = delay;
  }

  get #status() {
    return slot(this.form, 'status', HTMLSelectElement);
  }

  get #delay() {
    return slot(this.form, 'delay', HTMLSelectElement);
  }
}

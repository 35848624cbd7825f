import { previewRetention, receipts, setRetention } from '../client/rest.js';
import { el, onAction, openDialog, say, slot } from './build.js';
import { moment } from './dates.js';
import { explain, plural, t } from './language.js';

/** @import {Me, Retention} from '../../types/wire.js' */

/** The one central setting (S-29), and the receipts of what was destroyed. */
export class RetentionDialog {
  /** @param {HTMLDialogElement} dialog @param {Me} me @param {() => void} onSet */
  constructor(dialog, me, onSet) {
    this.dialog = dialog;
    this.me = me;
    this.onSet = onSet;
    onAction(dialog, { 'save-retention': () => this.#save() });
    for (const choice of this.#choices()) choice.addEventListener('change', () => this.#preview(choice.value));
    dialog.querySelector('.receipts')?.addEventListener('toggle', () => this.#showReceipts());
  }

  open() {
    for (const choice of this.#choices()) choice.checked = choice.value === this.me.retention;
    say(slot(this.dialog, 'retention-said'), null);
    say(slot(this.dialog, 'retention-preview'), null);
    this.#showReceipts();
    this.#showCap();
    openDialog(this.dialog);
  }

  /** @returns {NodeListOf<HTMLInputElement>} */
  #choices() {
    return this.dialog.querySelectorAll('input[name="retention"]');
  }

  /** What would go, before it goes. @param {string} chosen */
  async #preview(chosen) {
    say(slot(this.dialog, 'retention-said'), null);
    const place = slot(this.dialog, 'retention-preview');
    try {
      const { retention, due_within_minute: due } = await previewRetention(/** @type {Retention} */ (chosen));
      if (this.#choice()?.value !== retention) return;
      place.classList.toggle('red', due > 0);
      say(place, due ? plural('retention.preview', due) : t('retention.preview.none'));
    } catch (error) {
      say(place, explain(error));
    }
  }

  /** The longest that the practice allows, and who set it. What is longer cannot be chosen. */
  async #showCap() {
    const place = slot(this.dialog, 'retention-cap');
    try {
      const { cap, cap_by: name } = await previewRetention();
      const choices = [...this.#choices()];
      const last = choices.findIndex(({ value }) => value === cap);
      for (const [at, choice] of choices.entries()) choice.disabled = last >= 0 && at > last;
      const longest = cap ? t(`retention.${cap}`) : '';
      say(place, cap ? (name ? t('retention.cap.by', { longest, name: `\u2068${name}\u2069` }) : t('retention.cap', { longest })) : null);
    } catch (error) {
      say(place, explain(error));
    }
  }

  #choice() {
    return [...this.#choices()].find((choice) => choice.checked);
  }

  async #save() {
    const chosen = this.#choice();
    if (!chosen) return;
    say(slot(this.dialog, 'retention-preview'), null);
    const said = slot(this.dialog, 'retention-said');
    try {
      const { retention, due_within_minute: due } = await setRetention(/** @type {Retention} */ (chosen.value));
      this.me.retention = retention;
      say(said, due ? plural('retention.due', due) : t('retention.saved'));
      this.onSet();
    } catch (error) {
      say(said, explain(error));
    }
  }

  async #showReceipts() {
    const details = /** @type {HTMLDetailsElement} */ (this.dialog.querySelector('.receipts'));
    if (!details.open) return;
    const list = slot(this.dialog, 'receipts');
    try {
      const found = await receipts();
      const lines = found.map((one) =>
        el('li', {}, el('span', { textContent: moment(one.destroyed_at) }), el('code', { textContent: one.receipt })),
      );
      list.replaceChildren(...(lines.length ? lines : [el('li', { className: 'soft', textContent: t('receipts.none') })]));
    } catch (error) {
      list.replaceChildren(el('li', { textContent: explain(error) }));
    }
  }
}

import { presets } from '../client/rest.js';
import { el, slot } from './build.js';
import { minutes } from './dates.js';

/** @import {PresetView} from '../client/wire.js' */

/** Of the dialog that plans: what is planned often, to be chosen with one press. */
export class Presets {
  /** @type {PresetView[]} */ #known = [];

  /** @param {HTMLFormElement} form @param {(chosen: PresetView) => void} onChosen */
  constructor(form, onChosen) {
    this.form = form;
    this.select = /** @type {HTMLSelectElement} */ (form.elements.namedItem('preset'));
    this.select.addEventListener('change', () => {
      const chosen = this.#known[Number(this.select.value)];
      if (this.select.value !== '' && chosen) onChosen(chosen);
    });
  }

  /** They may have been changed on their page. @param {boolean} offered not where an appointment is corrected */
  async begin(offered) {
    this.select.value = '';
    const place = slot(this.form, 'new-preset');
    place.hidden = !offered || this.#known.length === 0;
    if (!offered) return;
    this.#known = await presets().catch(() => this.#known);
    const [none] = this.select.options;
    const options = this.#known.map((one, n) => el('option', { value: String(n), textContent: `${one.name}, ${minutes(one.minutes)}` }));
    this.select.replaceChildren(...(none ? [none] : []), ...options);
    place.hidden = this.#known.length === 0;
  }
}

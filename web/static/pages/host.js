import { html, render } from '../vendor/lit-html-3.3.3/lit-html.js';
import { el } from './build.js';
import { explain, t } from './language.js';
import { icon } from './rows.js';

/** @import {Group} from '../client/group.js' */
/** @import {ParticipantView} from '../../types/wire.js' */

/** Who waits, for a colleague who leads the consult: the practitioner has them at the desk. */
export class HostList {
  #problem = '';
  #line = el('div', { className: 'callers', role: 'status' });

  /** @param {HTMLElement} place @param {Group} group @param {(person: ParticipantView) => string} nameOf */
  constructor(place, group, nameOf) {
    this.group = group;
    this.nameOf = nameOf;
    place.append(this.#line);
  }

  /** @param {ParticipantView[]} waiting */
  show(waiting) {
    const rows = waiting.map(({ participant, ...person }) => {
      const name = this.nameOf({ participant, ...person });
      const press = () => this.#admit(participant);
      return html`<p class="banner ask" data-testid="caller"><span>${t('group.waits', { name })}</span>
      <button class="button" type="button" data-testid="admit-caller" aria-label=${t('group.admit.who', { name })} @click=${press}>${icon('door-open')}${t('group.admit')}</button></p>`;
    });
    const problem = this.#problem && waiting.length ? html`<p class="banner">${this.#problem}</p>` : '';
    render(html`${rows}${problem}`, this.#line);
  }

  remove() {
    this.#line.remove();
  }

  /** @param {string} participant */
  async #admit(participant) {
    this.#problem = '';
    await this.group.callIn(participant).catch((error) => (this.#problem = explain(error)));
  }
}

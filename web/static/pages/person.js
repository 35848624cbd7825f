import { html, render } from '../vendor/lit-html-3.3.3/lit-html.js';
import { el, openDialog } from './build.js';
import { explain, t } from './language.js';
import { icon } from './rows.js';

/** @import {Consult} from '../client/consult.js' */
/** @import {Group} from '../client/group.js' */
/** @import {ParticipantView} from '../../types/wire.js' */
/** @import {Named} from './group.js' */
/**
 * @typedef {object} PersonOptions
 * @property {(person: ParticipantView) => Named} named
 * @property {() => boolean} leads whether whoever looks has the practitioner's rights in this consult
 * @property {(participant: string) => void} pin
 */

/** @param {boolean} pinned @param {() => void} press */
const pinButton = (pinned, press) => html`<button class="button" type="button" data-testid="pin" aria-pressed=${String(pinned)} @click=${press}>${icon('eye')}${t('group.pin')}</button>`;

/** @param {'hold' | 'hand-over' | 'remove'} act @param {string} sign @param {() => unknown} press */
function button(act, sign, press) {
  const words = t(`group.${act}`);
  return html`<button class="button" type="button" data-testid=${act} @click=${press}>${icon(sign)}${words}</button>`;
}

/** What can be done about one person of a group, in one dialog. */
export class PersonDialog {
  /** @type {string | null} */ #who = null;
  /** @type {ParticipantView[]} */ #people = [];
  /** @type {string[]} */ #pinned = [];
  #problem = '';

  /** @param {HTMLElement} place @param {Group} group @param {PersonOptions} options */
  constructor(place, group, options) {
    this.group = group;
    this.options = options;
    this.dialog = el('dialog', { className: 'sheet person', 'aria-labelledby': 'person-title', 'data-testid': 'person' });
    place.append(this.dialog);
  }

  /** @param {string} participant */
  open(participant) {
    this.#who = participant;
    this.#problem = '';
    this.#draw();
    openDialog(this.dialog);
  }

  /** Who is there now. @param {ParticipantView[]} people @param {string[]} pinned */
  show(people, pinned) {
    this.#people = people;
    this.#pinned = pinned;
    if (!this.dialog.open) return;
    if (people.some(({ participant }) => participant === this.#who)) this.#draw();
    else this.dialog.close();
  }

  remove() {
    this.dialog.remove();
  }

  #draw() {
    const person = this.#people.find(({ participant }) => participant === this.#who);
    if (!person) return;
    const { participant } = person;
    const { name, role } = this.options.named(person);
    const leading = this.options.leads() && person.role !== 'practitioner';
    const acts = leading
      ? [
          button('hold', 'armchair', () => this.#do(() => this.group.putBack(participant))),
          role === 'colleague' && !person.host ? button('hand-over', 'user', () => this.#do(() => this.group.handOver(participant))) : '',
          button('remove', 'phone-off', () => this.#do(() => this.group.remove(participant))),
        ]
      : [];
    const takesPart = role ? t(`group.role.${role}`) : '';
    const as = role ? html`<p class="soft">${takesPart}</p>` : '';
    const problem = this.#problem ? html`<p class="problem" role="alert">${this.#problem}</p>` : '';
    const hint = leading ? html`<p class="soft small">${t('group.remove.hint')}</p>` : '';
    render(
      html`<header><h2 id="person-title" tabindex="-1"><bdi>${name}</bdi></h2><button class="icon-button" type="button" aria-label=${t('base.close')} @click=${() => this.dialog.close()}>${icon('x')}</button></header>
      ${as}${problem}
      <p class="actions">${pinButton(this.#pinned.includes(participant), () => this.options.pin(participant))}${acts}</p>
      ${hint}`,
      this.dialog,
    );
  }

  /** @param {() => Promise<void>} act */
  async #do(act) {
    try {
      await act();
      this.dialog.close();
    } catch (error) {
      this.#problem = explain(error);
      this.#draw();
    }
  }
}

/** Whether somebody new may come as far as the waiting room; among what is more. */
export class Door {
  #locked = false;

  /** @param {HTMLElement} place @param {Group} group @param {() => boolean} leads */
  constructor(place, group, leads) {
    this.group = group;
    this.leads = leads;
    this.line = el('p', { hidden: true });
    place.querySelector('[data-action="show-self"]')?.closest('p')?.after(this.line);
  }

  /** @param {Consult} consult */
  show({ room }) {
    this.#locked = room?.locked === true;
    this.line.hidden = !this.leads();
    render(
      html`<button class="button" type="button" data-testid="lock" aria-pressed=${String(this.#locked)} @click=${() => this.#turn()}>${icon('lock')}${t('group.lock')}</button>
      <span class="soft small" role="status">${this.#locked ? t('group.locked') : ''}</span>`,
      this.line,
    );
  }

  remove() {
    this.line.remove();
  }

  async #turn() {
    try {
      await this.group.lock(!this.#locked);
    } catch (error) {
      this.line.lastElementChild?.replaceChildren(explain(error));
    }
  }
}

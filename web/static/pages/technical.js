import { supportCode, technicalCheck } from '../client/rest.js';
import { el, onAction, openDialog, say, slot } from './build.js';
import { time } from './dates.js';
import { explain, plural, t } from './language.js';

/** @import {AppointmentView, PersonCheckView} from '../../types/wire.js' */

/** How the connections of one consult were, and a code to ask for help with them (S-11, S-34). */
export class TechnicalDialog {
  /** @type {AppointmentView | null} */
  #one = null;

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    onAction(dialog, { close: () => dialog.close(), 'ask-help': (button) => this.#ask(/** @type {HTMLButtonElement} */ (button)) });
  }

  /** @param {AppointmentView} one */
  async open(one) {
    this.#one = one;
    slot(this.dialog, 'technical-who').textContent = one.patient;
    slot(this.dialog, 'technical-code').hidden = true;
    const said = slot(this.dialog, 'technical-said');
    const list = slot(this.dialog, 'technical');
    list.replaceChildren();
    say(said, t('technical.loading'));
    openDialog(this.dialog);
    try {
      const { people } = await technicalCheck(one.appointment);
      if (this.#one !== one) return;
      list.replaceChildren(...people.map((person) => side(person)));
      say(said, people.length ? null : t('technical.none'));
    } catch (error) {
      say(said, explain(error));
    }
  }

  /** @param {HTMLButtonElement} button */
  async #ask(button) {
    const one = this.#one;
    if (!one) return;
    button.disabled = true;
    try {
      const { code } = await supportCode(one.appointment);
      const place = slot(this.dialog, 'technical-code');
      slot(place, 'technical-digits').textContent = `${code.slice(0, 3)} ${code.slice(3)}`;
      place.hidden = false;
    } catch (error) {
      say(slot(this.dialog, 'technical-said'), explain(error));
    } finally {
      button.disabled = false;
    }
  }
}

/** @param {PersonCheckView} person */
function side(person) {
  const lost = person.loss_permille === null ? null : Math.round(person.loss_permille / 10);
  const device = t(`technical.device.${person.device}`);
  const rows = [
    [t('technical.device'), person.browser ? `${device}, ${person.browser}` : device],
    [t('technical.connection'), t(`technical.connection.${person.connection}`)],
    [t('technical.sound'), t(`technical.sound.${person.sound}`)],
    [t('technical.picture'), t(`technical.picture.${person.picture}`)],
    [t('technical.network'), network(person)],
    [t('technical.loss'), lost === null ? t('technical.unknown') : t('technical.loss.percent', { n: lost })],
    [t('technical.reconnects'), person.reconnects ? plural('technical.reconnects.times', person.reconnects) : t('technical.reconnects.none')],
  ];
  return el(
    'section',
    { className: 'technical-side' },
    el('h3', { textContent: t(`technical.role.${person.role}`) }),
    el('p', { className: 'soft small', textContent: `${time(new Date(person.first))} – ${time(new Date(person.last))}` }),
    el('dl', {}, ...rows.map(([name, words]) => el('div', {}, el('dt', { textContent: name }), el('dd', { textContent: words })))),
  );
}

/** @param {PersonCheckView} person */
function network(person) {
  const way = t(`technical.network.${person.network}`);
  return person.udp === false ? `${way}, ${t('technical.network.tcp')}` : way;
}

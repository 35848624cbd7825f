import { handout } from '../client/rest.js';
import { html, render } from '../vendor/lit-html-3.3.3/lit-html.js';
import { copy, onAction, openDialog, say, slot } from './build.js';
import { explain, t } from './language.js';

/** @import {AppointmentView, QrCode} from '../../types/wire.js' */

/** The dialog with what a patient is given by a way of the practitioner's own: words to paste, and a code to point a camera at. */
export class Handout {
  /** The one that was asked for last. */
  #asked = '';

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    onAction(dialog, { close: () => dialog.close(), 'copy-handout': (button) => this.#copy(button) });
    // Nobody who opens another sees this one's.
    dialog.addEventListener('close', () => this.#show('', null));
  }

  /** @param {AppointmentView} one */
  async open({ appointment, patient }) {
    this.#asked = appointment;
    slot(this.dialog, 'handout-who').textContent = patient;
    say(slot(this.dialog, 'handout-problem'), null);
    this.#show('', null);
    openDialog(this.dialog);
    slot(this.dialog, 'handout-title').focus();
    try {
      const { text, qr } = await handout(appointment);
      if (this.dialog.open && this.#asked === appointment) this.#show(text, qr);
    } catch (error) {
      say(slot(this.dialog, 'handout-problem'), explain(error));
    }
  }

  /** @param {string} text @param {QrCode | null} qr */
  #show(text, qr) {
    slot(this.dialog, 'handout-given').hidden = qr === null;
    slot(this.dialog, 'handout-text', HTMLTextAreaElement).value = text;
    slot(this.dialog, 'handout-copy').textContent = t('handout.copy');
    const code = slot(this.dialog, 'handout-code');
    render(qr ? drawn(qr) : '', code);
  }

  /** @param {HTMLElement} button */
  async #copy(button) {
    const field = slot(this.dialog, 'handout-text', HTMLTextAreaElement);
    field.select();
    const copied = await copy(field.value);
    slot(button, 'handout-copy').textContent = t(copied ? 'link.copied' : 'link.copy.by-hand');
  }
}

/** Dark on light whatever the page's colours are: telephones read no other. @param {QrCode} qr */
const drawn = ({ size, path }) => html`<svg class="qr" role="img" aria-label=${t('handout.code')} viewBox="0 0 ${size} ${size}"
  shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"></rect><path d=${path} fill="#000"></path></svg>`;

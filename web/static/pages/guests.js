import { addGuest, removeGuest, renewGuest } from '../client/rest.js';
import { html } from '../vendor/lit-html-3.3.3/lit-html.js';
import { wrongAddress } from './addresses.js';
import { copy, onAction, openDialog, say, slot } from './build.js';
import { explain, t } from './language.js';
import { Rows, icon } from './rows.js';
import { toldLines } from './told.js';

const FIELDS = ['name', 'mail', 'phone'];

/** @import {AppointmentView, GuestRole, GuestView, Language, Me} from '../../types/wire.js' */

/** The dialog with who takes part beside practitioner and patient: each has a link of their own, and is admitted alone. */
export class GuestsDialog {
  /** @type {AppointmentView | null} */ #one = null;

  /** @param {HTMLDialogElement} dialog @param {(changed: AppointmentView) => void} onChange */
  constructor(dialog, onChange) {
    this.dialog = dialog;
    this.onChange = onChange;
    this.rows = new Rows(slot(dialog, 'guests-list'));
    this.form = slot(dialog, 'guests-form', HTMLFormElement);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#add();
    });
    onAction(dialog, { close: () => dialog.close() });
    // Nobody who opens another sees this one's.
    dialog.addEventListener('close', () => this.#show(null));
  }

  /** How guests can be told of it. @param {Me} person */
  tells({ sends, texts }) {
    slot(this.dialog, 'guest-invite').hidden = !sends;
    slot(this.dialog, 'guest-text').hidden = !texts;
  }

  /** @param {AppointmentView} one */
  open(one) {
    this.#say(null);
    for (const name of FIELDS) this.#wrong(name, null);
    this.form.reset();
    this.#show(one);
    openDialog(this.dialog);
    slot(this.dialog, 'guests-title').focus();
  }

  /** @param {AppointmentView | null} one */
  #show(one) {
    this.#one = one;
    slot(this.dialog, 'guests-who').textContent = one?.patient ?? '';
    const guests = one?.guests ?? [];
    this.rows.draw(guests.map((guest) => this.#row(guest)));
    slot(this.dialog, 'guests-none').hidden = guests.length > 0;
  }

  /** @param {GuestView} guest */
  #row(guest) {
    const { name } = guest;
    const button = (/** @type {string} */ act, /** @type {string} */ sign, /** @type {() => unknown} */ press) => html`<button
      class="button small" type="button" data-testid=${`guest-${act}`} aria-label=${t(`guests.${act}.who`, { name })}
      @click=${press}>${icon(sign)}<span>${t(`guests.${act}`)}</span></button>`;
    const content = html`
      <p><strong><bdi>${name}</bdi></strong> <span class="chip tiny">${t(`guests.role.${guest.role}`)}</span></p>
      ${toldLines(guest)}
      <p class="actions">${button('copy', 'copy', () => this.#copy(guest))}${button('renew', 'link', () => this.#change(guest, 'renew'))}${button('remove', 'trash-2', () => this.#change(guest, 'remove'))}</p>`;
    return { key: guest.guest, attributes: { 'data-guest': guest.guest }, content };
  }

  async #add() {
    const field = /** @type {HTMLInputElement} */ (this.form.elements.namedItem('name'));
    const [name, said] = [field.value.trim(), new FormData(this.form)];
    for (const each of FIELDS) this.#wrong(each, null);
    if (!name) return this.#wrong('name', t('guests.name.missing'));
    const role = /** @type {GuestRole} */ (said.get('role'));
    const language = /** @type {Language} */ (said.get('language'));
    const [mail, phone] = ['mail', 'phone'].map((each) => String(said.get(each) ?? '').trim() || null);
    const words = t(mail || phone ? 'guests.invited' : 'guests.added', { name });
    const done = await this.#told((one) => addGuest(one.appointment, { name, role, language, mail, phone }), words);
    if (!done) return;
    this.form.reset();
    /** @type {HTMLElement | null} */ (this.dialog.querySelector('[data-slot="guests-list"] > :last-child button'))?.focus();
  }

  /** @param {GuestView} guest @param {'renew' | 'remove'} act */
  async #change({ guest, name }, act) {
    const change = act === 'renew' ? renewGuest : removeGuest;
    // The row that was pressed is gone, or another.
    if (await this.#told((one) => change(one.appointment, guest), t(`guests.${act}.done`, { name }))) slot(this.dialog, 'guests-title').focus();
  }

  /** @param {(one: AppointmentView) => Promise<AppointmentView>} change @param {string} words once it is done */
  async #told(change, words) {
    const one = this.#one;
    if (!one) return false;
    try {
      const changed = await change(one);
      this.onChange(changed);
      if (this.#one?.appointment !== changed.appointment) return false;
      this.#show(changed);
      this.#say(words);
      return true;
    } catch (error) {
      const wrong = wrongAddress(error);
      if (wrong) this.#wrong(wrong.name, wrong.words);
      else this.#say(null, explain(error));
      return false;
    }
  }

  /** @param {GuestView} guest */
  async #copy({ link, name }) {
    if (await copy(link)) this.#say(t('guests.copy.done', { name }));
    else this.#say(link);
  }

  /** @param {string | null} words @param {string | null} [problem] */
  #say(words, problem = null) {
    say(slot(this.dialog, 'guests-said'), words);
    say(slot(this.dialog, 'guests-problem'), problem);
  }

  /** @param {string} name @param {string | null} words */
  #wrong(name, words) {
    const field = /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name));
    say(slot(this.dialog, `guest-${name}-problem`), words);
    field.setAttribute('aria-invalid', String(words !== null));
    if (words) field.focus();
  }
}

/** Who somebody is that waits or is in: the patient, or one of the guests. @param {AppointmentView | undefined} one @param {string} [guest] */
export const guestOf = (one, guest) => (guest ? one?.guests?.find((each) => each.guest === guest) : undefined);

import { now } from '../client/clock.js';
import { waitingPhotograph, waitingSentence } from '../client/linked.js';
import { say, slot } from './build.js';
import { explain, language, plural, t } from './language.js';

/** @import {Consult} from '../client/consult.js' */
/** @import {AnnouncedView, Declined, HoldMessage, Join, Language} from '../../types/wire.js' */
/** @import {DevicePreview} from './preview.js' */

const LOOK_MS = 15_000;

/** What whoever waits reads, and what the desk is told of their devices. */
export class Waits {
  #name = '';
  /** @type {Consult | null} */ #consult = null;
  /** @type {AnnouncedView | null} */ #announced = null;
  /** When it is planned to begin, ms since the epoch. */
  #begins = 0;

  /** @param {DevicePreview} preview with the words beside it */
  constructor(preview) {
    this.preview = preview;
    window.setInterval(() => this.#sayAnnounced(), LOOK_MS);
    preview.capture.addEventListener('change', () => this.#check());
    const form = slot(preview, 'say', HTMLFormElement);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say();
    });
    form.addEventListener('input', () => (this.#button.disabled = !this.#words));
  }

  /** Of this visit from now on. @param {Consult} consult */
  follow(consult) {
    this.#consult = consult;
    this.#announced = null;
    consult.addEventListener('told', (event) => {
      const { message } = /** @type {CustomEvent<{message: HoldMessage}>} */ (event).detail;
      say(slot(this.preview, 'hold-message'), t(`hold.${message}`, { name: this.#name }));
      slot(this.preview, 'say').hidden = false;
    });
    consult.addEventListener('announced', async (event) => {
      const { queue } = (this.#announced = /** @type {CustomEvent<AnnouncedView>} */ (event).detail);
      this.#sayAnnounced();
      if (queue) (await import('./queue.js')).show(slot(this.preview, 'wait-announced'), queue);
    });
    consult.addEventListener('room', () => this.#consult === consult && this.#read(consult));
    this.#check();
  }

  /** The waiting room is on the screen. @param {string} link @param {Join} appointment */
  open(link, { practitioner_name: name, starts_at }) {
    this.#name = name;
    this.#begins = Date.parse(starts_at);
    this.#sayAnnounced();
    say(slot(this.preview, 'hold-message'), null);
    say(slot(this.preview, 'say-said'), null);
    slot(this.preview, 'say').hidden = true;
    if (this.#consult) this.#read(this.#consult);
    this.#readSentence(link);
    this.#seePhotograph(link);
  }

  /** The appointment is at another time. @param {Join} appointment @param {string} when in words */
  moved({ starts_at }, when) {
    this.#begins = Date.parse(starts_at);
    this.#sayAnnounced();
    say(slot(this.preview, 'wait-moved'), t('wait.moved', { when }));
  }

  /** Who came early is not late yet because of another's consult. */
  #sayAnnounced() {
    const { status, delay, overrun } = this.#announced ?? { status: 'open', delay: null, overrun: false };
    const late = delay && !(overrun && now() < this.#begins) ? plural('wait.delay', delay) : '';
    const away = status === 'away' ? t('wait.away', { name: this.#name }) : '';
    say(slot(this.preview, 'wait-announced'), [away, late].filter(Boolean).join(' ') || null);
  }

  /** What the desk wrote; it can be answered. @param {Consult} consult */
  #read({ room }) {
    const waits = room?.me.state === 'waiting';
    const written = waits ? room.written : null;
    slot(this.preview, 'wait-held').hidden = !(waits && room.held);
    say(slot(this.preview, 'wait-written'), written ?? null);
    if (written) slot(this.preview, 'say').hidden = false;
  }

  get #field() {
    return slot(this.preview, 'say-text', HTMLInputElement);
  }

  get #button() {
    return /** @type {HTMLButtonElement} */ (slot(this.preview, 'say').querySelector('button'));
  }

  get #words() {
    return this.#field.value.trim();
  }

  async #say() {
    const words = this.#words;
    if (!words || !this.#consult) return;
    const said = slot(this.preview, 'say-said');
    this.#button.disabled = true;
    try {
      await this.#consult.say(words);
      this.#field.value = '';
      say(said, t('wait.say.said', { words }));
    } catch (error) {
      this.#button.disabled = false;
      say(said, explain(error));
    }
  }

  #check() {
    const { found } = this.preview;
    if (found) this.#consult?.check(found);
  }

  /** What the practitioner says to whoever waits; without an answer nothing is missing. @param {string} link */
  async #readSentence(link) {
    const text = await waitingSentence(link, /** @type {Language} */ (language)).catch(() => undefined);
    if (text !== undefined) say(slot(this.preview, 'wait-sentence'), text);
  }

  /** Whom they wait for, where that one wants to be seen. @param {string} link */
  async #seePhotograph(link) {
    const address = await waitingPhotograph(link, /** @type {Language} */ (language)).catch(() => null);
    const picture = slot(this.preview, 'wait-photograph', HTMLImageElement);
    picture.hidden = !address;
    if (address) picture.src = address;
  }
}

/** Why somebody is not received now, as far as it was said. @param {Declined} declined */
export const inWords = ({ message, text }) => [message && t(`decline.${message}`), text].filter(Boolean).join(' ');

import { call } from '../client/linked.js';
import { onAction, say, slot } from './build.js';
import { explain, t } from './language.js';
import { tidyLink } from './link.js';

/** @import {CodeSent, CodeWay} from '../../types/wire.js' */

/** `<link-code>`: six digits that were sent, before a link that asks for them opens. Nothing is sent until somebody presses. */
class LinkCode extends HTMLElement {
  #link = '';
  /** The way that was not taken, if there is one. @type {CodeWay | undefined} */ #other;

  connectedCallback() {
    this.#link = tidyLink(location.hash.slice(1));
    slot(this, 'send', HTMLButtonElement).disabled = false;
    onAction(this, { send: () => this.#send(null), other: () => this.#send(this.#other ?? null) });
    slot(this, 'code-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#open();
    });
    window.addEventListener('hashchange', () => location.reload());
  }

  /** @param {CodeWay | null} way */
  async #send(way) {
    say(slot(this, 'problem'), null);
    try {
      /** @type {CodeSent} */
      const sent = await call('POST', '/join/code', { link: this.#link, way });
      this.#other = sent.ways.find((one) => one !== sent.way);
      say(slot(this, 'sent'), t(`code.sent.${sent.way}`, { n: Math.ceil(sent.expires_in / 60) }));
      say(slot(this, 'other'), this.#other ? t(`code.other.${this.#other}`) : null);
      slot(this, 'send').textContent = t('code.again');
      slot(this, 'send').classList.remove('primary');
      slot(this, 'code-form').hidden = false;
      slot(this, 'code').focus();
    } catch (error) {
      this.#refused(error, slot(this, 'problem'));
    }
  }

  async #open() {
    const field = slot(this, 'code', HTMLInputElement);
    const problem = slot(this, 'code-problem');
    try {
      await call('POST', '/join/pass', { link: this.#link, code: field.value || '-' });
      this.#onwards();
    } catch (error) {
      this.#refused(error, problem);
      field.setAttribute('aria-invalid', 'true');
      field.focus();
    }
  }

  /** @param {unknown} error @param {HTMLElement} place */
  #refused(error, place) {
    const { code } = /** @type {{code?: string}} */ (error);
    // The page of the link says what is wrong with it, or opens where no code is asked for any more.
    if (code === 'link_invalid' || code === 'bad_state') return this.#onwards();
    say(place, explain(error));
  }

  #onwards() {
    location.replace(`/c#${this.#link}`);
  }
}

customElements.define('link-code', LinkCode);

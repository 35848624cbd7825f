import { beginSetUp, me, passkeyOptions, signIn, signInByLink, signInWithPasskey } from '../client/rest.js';
import { assertion, hasPasskeys } from './authenticator.js';
import { say, slot } from './build.js';
import { uninstall } from './installed.js';
import { explain, t } from './language.js';
import { SecondStep, inTwoSteps } from './secondstep.js';

/** @import {Me} from '../../types/wire.js' */

/** Where to go once signed in: back to the page that asked for it, if it is one of ours. */
function onwards() {
  const next = new URLSearchParams(location.search).get('next') ?? '';
  return /^\/(account|practice)(\/[\w-]+)*$/.test(next) ? next : '/desk';
}

/** `<sign-in>`: by e-mail address and password, or by the token behind the `#` of a sign-in link. */
class SignIn extends HTMLElement {
  connectedCallback() {
    this.form = /** @type {HTMLFormElement} */ (this.querySelector('form'));
    this.button = /** @type {HTMLButtonElement} */ (this.querySelector('[type="submit"]'));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.button.disabled = false;
    const passkey = slot(this, 'passkey', HTMLButtonElement);
    passkey.hidden = !hasPasskeys();
    passkey.addEventListener('click', () => this.#try(() => this.#passkey()));
    this.second = new SecondStep(this);
    if (new URLSearchParams(location.search).get('done') === 'signed-out') this.#signedOut();
    const token = location.hash.slice(1);
    if (token) this.#try(() => signInByLink(token));
  }

  /** By way of what is to be agreed to, which leads on by itself where there is nothing. */
  #onwards() {
    const next = onwards();
    return this.dataset.agreements === undefined ? next : `/agreements?${new URLSearchParams({ next })}`;
  }

  /** By a form, which could not remove what the desk keeps. */
  #signedOut() {
    slot(this, 'out').hidden = false;
    uninstall().catch(() => {});
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.form?.elements.namedItem(name));
  }

  #submit() {
    let first = null;
    for (const name of ['password', 'mail']) {
      const field = this.#field(name);
      const missing = field.value.trim() === '';
      say(/** @type {HTMLElement} */ (this.querySelector(`#${name}-problem`)), missing ? t(`signin.${name}.missing`) : null);
      field.setAttribute('aria-invalid', String(missing));
      if (missing) first = field;
    }
    if (first) return first.focus();
    this.#try(() => signIn(this.#field('mail').value.trim(), this.#field('password').value));
  }

  /** @param {() => Promise<Me>} attempt @returns {Promise<void>} */
  async #try(attempt) {
    const { button } = this;
    if (!button) return;
    button.disabled = true;
    say(slot(this, 'problem'), null);
    slot(this, 'busy').hidden = false;
    try {
      await inTwoSteps(attempt, (challenge) => this.#second(challenge));
      // Without the cookie the desk would only send back here.
      const kept = await me().catch((error) => (error.code === 'unauthenticated' ? null : Promise.reject(error)));
      if (kept) return location.replace(this.#onwards());
      this.#failed(t('signin.cookies'));
    } catch (error) {
      const { code, challenge, words } = /** @type {{code?: unknown, challenge?: unknown, words?: string}} */ (error);
      if (code === 'factor_set_up_needed' && typeof challenge === 'string') return this.#try(() => this.#setUp(challenge));
      this.#failed(words ?? explain(error));
    }
  }

  /** In one step. @returns {Promise<Me>} */
  async #passkey() {
    const options = await passkeyOptions();
    const said = await assertion(options).catch(() => Promise.reject({ words: t('signin.passkey.none') }));
    return signInWithPasskey(said);
  }

  /** The second step takes the place of the first. @param {string} challenge @returns {Promise<Me>} */
  #second(challenge) {
    const { form, second } = this;
    if (!form || !second) throw new Error('not connected');
    slot(this, 'busy').hidden = true;
    form.hidden = true;
    return second.ask(challenge).finally(() => (form.hidden = false));
  }

  /** Nothing else is open to this account before. @param {string} challenge @returns {Promise<never>} */
  async #setUp(challenge) {
    await beginSetUp(challenge);
    location.replace('/account/security');
    return new Promise(() => {});
  }

  /** @param {string} words */
  #failed(words) {
    slot(this, 'busy').hidden = true;
    /** @type {HTMLButtonElement} */ (this.button).disabled = false;
    say(slot(this, 'problem'), words);
    this.#field('password').value = '';
  }
}

customElements.define('sign-in', SignIn);

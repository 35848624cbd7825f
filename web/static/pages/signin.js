import { me, signIn, signInByLink } from '../client/rest.js';
import { say, slot } from './build.js';
import { explain, t } from './language.js';

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
    const token = location.hash.slice(1);
    if (token) this.#try(() => signInByLink(token));
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

  /** @param {() => Promise<unknown>} attempt */
  async #try(attempt) {
    const { button } = this;
    if (!button) return;
    button.disabled = true;
    say(slot(this, 'problem'), null);
    slot(this, 'busy').hidden = false;
    try {
      await attempt();
      // Without the cookie the desk would only send back here.
      const kept = await me().catch((error) => (error.code === 'unauthenticated' ? null : Promise.reject(error)));
      if (kept) return location.replace('/desk');
      this.#failed(t('signin.cookies'));
    } catch (error) {
      this.#failed(explain(error));
    }
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

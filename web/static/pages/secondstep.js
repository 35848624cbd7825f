import { signInWithCode } from '../client/rest.js';
import { say, slot } from './build.js';
import { explain, t } from './language.js';

/** @import {Me} from '../../types/wire.js' */

/** The second step of signing in: a form that asks for a code, in place of the one that asked for the password. */
export class SecondStep {
  /** @type {((person: Me) => void) | null} */
  #settle = null;
  /** @type {((error: unknown) => void) | null} */
  #give_up = null;
  #challenge = '';

  /** @param {HTMLElement} root holds the slots `code-form`, `code` and `code-problem` */
  constructor(root) {
    this.form = slot(root, 'code-form', HTMLFormElement);
    this.code = slot(root, 'code', HTMLInputElement);
    this.problem = slot(root, 'code-problem');
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /**
   * Ask for it. Fails with what cannot be mended by another code.
   * @param {string} challenge of `factor_needed`
   * @returns {Promise<Me>}
   */
  ask(challenge) {
    this.#challenge = challenge;
    this.code.value = '';
    this.#say(null);
    this.form.hidden = false;
    this.code.focus();
    return /** @type {Promise<Me>} */ (
      new Promise((resolve, reject) => {
        this.#settle = resolve;
        this.#give_up = reject;
      })
    ).finally(() => (this.form.hidden = true));
  }

  async #submit() {
    if (this.code.value.trim() === '') {
      this.#say(t('signin.code.missing'));
      return this.code.focus();
    }
    const button = /** @type {HTMLButtonElement} */ (this.form.querySelector('[type="submit"]'));
    button.disabled = true;
    this.#say(null);
    try {
      this.#settle?.(await signInWithCode(this.#challenge, this.code.value));
    } catch (error) {
      if (/** @type {{code?: unknown}} */ (error).code === 'challenge_invalid') this.#give_up?.(error);
      this.#say(explain(error));
      this.code.select();
      this.code.focus();
    }
    button.disabled = false;
  }

  /** @param {string | null} words */
  #say(words) {
    say(this.problem, words);
    this.code.setAttribute('aria-invalid', String(words !== null));
  }
}

/**
 * Sign in, with a second step where one is asked for.
 * @param {() => Promise<Me>} attempt
 * @param {(challenge: string) => Promise<Me>} ask
 * @returns {Promise<Me>}
 */
export async function inTwoSteps(attempt, ask) {
  try {
    return await attempt();
  } catch (error) {
    const { code, challenge } = /** @type {{code?: unknown, challenge?: unknown}} */ (error);
    if (code !== 'factor_needed' || typeof challenge !== 'string') throw error;
    return ask(challenge);
  }
}

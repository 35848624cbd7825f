import { destroySentence, saySentence, sentences } from '../client/rest.js';
import { onAction, say, slot } from './build.js';
import { asked, inWords } from './doubts.js';
import { explain, plural, t } from './language.js';

/** @import {Language, SentenceList} from '../../types/wire.js' */

/** What whoever waits reads, one sentence for each language of the pages; an empty one is taken back. */
export class Sentences {
  /** @type {SentenceList} */ #known = { sentences: [], unreadable: [] };
  /** Texts that were asked about, by language: pressing the button again means them. @type {Map<string, string>} */ #asked = new Map();

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.said = slot(form, 'sentences-said');
    this.lost = slot(form, 'sentences-lost');
    onAction(form, { 'forget-sentences': () => this.#try(() => this.#forget()) });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#try(() => this.#save());
    });
  }

  open() {
    say(this.said, null);
    return this.#try(() => this.#load());
  }

  /** @returns {HTMLTextAreaElement[]} */
  get #fields() {
    return [...this.form.querySelectorAll('textarea')];
  }

  async #load() {
    this.#known = await sentences();
    for (const field of this.#fields) field.value = this.#of(field)?.text ?? '';
    const { length } = this.#known.unreadable;
    this.lost.hidden = length === 0;
    slot(this.lost, 'sentences-lost-words').textContent = length ? plural('sentences.lost', length) : '';
  }

  /** @param {HTMLTextAreaElement} field */
  #of(field) {
    return this.#known.sentences.find((one) => one.language === field.name);
  }

  async #save() {
    for (const field of this.#fields) {
      const before = this.#of(field);
      // One line: the key that breaks it is a space.
      const text = field.value.replace(/\s+/g, ' ').trim();
      if (text === (before?.text ?? '')) continue;
      if (!text && before) await destroySentence(before.sentence);
      else if (text && !(await this.#meant(field, text))) return;
    }
    this.#asked.clear();
    await this.#load();
    say(this.said, t('sentences.saved'));
  }

  /** Store it, or ask whether it is meant. @param {HTMLTextAreaElement} field @param {string} text */
  async #meant({ name }, text) {
    try {
      await saySentence(/** @type {Language} */ (name), text, this.#asked.get(name) === text);
      return true;
    } catch (error) {
      const doubts = asked(error);
      if (!doubts) throw error;
      this.#asked.set(name, text);
      say(this.said, `${inWords(doubts)} ${t('sentences.anyway')}`);
      return false;
    }
  }

  async #forget() {
    for (const { sentence } of this.#known.unreadable) await destroySentence(sentence);
    await this.#load();
  }

  /** Nothing is typed or pressed meanwhile: what comes in would take its place. @param {() => Promise<void>} act */
  async #try(act) {
    const parts = [...this.form.querySelectorAll('button'), ...this.#fields];
    for (const one of parts) one.disabled = true;
    try {
      await act();
    } catch (error) {
      say(this.said, explain(error));
    } finally {
      for (const one of parts) one.disabled = false;
    }
  }
}

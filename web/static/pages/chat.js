import { el, say, slot } from './build.js';
import { timeFor } from './dates.js';
import { explain, t } from './language.js';

/** @import {ChatEntry} from '../client/chat.js' */
/** @import {Consult} from '../client/consult.js' */

const RECENT_MS = 9000;

/** The chat of a consult: a slim line to write in, with new messages above it for a moment, or the whole panel. */
export class ChatPanel {
  /** @type {Consult | null} */ #consult = null;
  #unread = 0;

  /**
   * @param {HTMLElement} root
   * @param {() => void} onChange the panel was opened or closed, or the number of unread messages changed
   * @param {(entry: ChatEntry) => string} nameOf who wrote it
   */
  constructor(root, onChange, nameOf) {
    this.root = root;
    this.nameOf = nameOf;
    this.onChange = onChange;
    this.log = slot(root, 'chat-log');
    this.input = slot(root, 'chat-input', HTMLInputElement);
    root.querySelector('form')?.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  get open() {
    return this.root.hasAttribute('data-open');
  }

  get unread() {
    return this.#unread;
  }

  /** @param {Consult} consult */
  follow(consult) {
    const known = this.#consult === consult;
    this.#consult = consult;
    this.#draw();
    if (known) return;
    consult.addEventListener('chat', (event) => {
      if (this.#consult !== consult) return;
      const { detail } = /** @type {CustomEvent} */ (event);
      if (detail.log) this.#draw();
      else this.#add(detail, true);
    });
  }

  /** Nothing of it stays on the page. */
  forget() {
    this.#consult = null;
    this.log.replaceChildren();
    this.input.value = '';
    this.#unread = 0;
    this.toggle(false);
  }

  /** @param {boolean} [open] */
  toggle(open = !this.open) {
    this.root.toggleAttribute('data-open', open);
    if (open) {
      this.#unread = 0;
      this.log.scrollTop = this.log.scrollHeight;
      this.input.focus();
    }
    this.onChange();
  }

  #draw() {
    this.log.replaceChildren();
    for (const entry of this.#consult?.chatLog ?? []) this.#add(entry, false);
  }

  /** @param {ChatEntry} entry @param {boolean} fresh */
  #add(entry, fresh) {
    const name = this.nameOf(entry);
    // There may be several guests.
    const own = entry.mine || (entry.role === this.#consult?.role && entry.role !== 'guest');
    const at = new Date(entry.at);
    const line = el(
      'div',
      { className: entry.mine ? 'mine' : 'theirs' },
      el(
        'div',
        { className: 'said-by' },
        el('bdi', { textContent: own ? t('chat.me') : name }),
        entry.copy && own ? el('span', { className: 'copy', textContent: t('chat.copy', { name }) }) : null,
        el('time', { textContent: timeFor(this.#consult?.role, at), dateTime: at.toISOString() }),
      ),
      el('p', { dir: 'auto', textContent: entry.text }),
    );
    if (fresh) {
      line.dataset.recent = '';
      window.setTimeout(() => delete line.dataset.recent, RECENT_MS);
    }
    this.log.append(line);
    this.log.scrollTop = this.log.scrollHeight;
    if (fresh && !entry.mine && !this.open) {
      this.#unread += 1;
      this.onChange();
    }
  }

  async #send() {
    const text = this.input.value.trim();
    if (!text || !this.#consult) return;
    const problem = slot(this.root, 'chat-problem');
    say(problem, null);
    this.input.value = '';
    try {
      await this.#consult.sendChat(text);
    } catch (error) {
      this.input.value = text;
      const alone = /** @type {{code?: string}} */ (error).code === 'bad_state';
      say(problem, alone ? t('chat.alone') : explain(error));
    }
  }
}

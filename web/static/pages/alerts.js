import { onAction, slot } from './build.js';
import { allowSound, audible, chime } from './chime.js';

const KEPT = 'alerts';
const REMIND_MS = 30_000;
const LOOK_MS = 15_000;
/** One notification at a time, by whatever shows it: this page, another, or a service worker. */
const TAG = 'waiting';

/** @typedef {'on' | 'off' | 'blocked'} Heard `blocked`: the browser keeps it off, sound until a press, notifications until its settings say otherwise */

/** What this person switched, here or at an earlier visit. @returns {{sound: boolean, notify: boolean}} */
function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? '{}');
    return { sound: kept?.sound !== false, notify: kept?.notify === true };
  } catch {
    return { sound: true, notify: false };
  }
}

/**
 * Says that somebody waits to whoever does not look: a soft sound, the number on the program's icon, a notification that names
 * nobody. Both switches are in `root`, with their words.
 */
export class Alerts {
  #quiet = false;
  #number = 0;
  #rang = 0;
  #wanted = remembered();
  /** @type {Notification | null} */ #shown = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    root.hidden = false;
    slot(root, 'notify').hidden = !('Notification' in globalThis);
    onAction(root, { sound: () => this.#switchSound(), notify: () => this.#switchNotify() });
    this.#showSound(this.#wanted.sound ? 'on' : 'off');
    this.#showNotify();
    document.addEventListener('pointerdown', () => allowSound().then((heard) => heard && this.#wanted.sound && this.#showSound('on')), {
      once: true,
    });
    document.addEventListener('visibilitychange', () => document.hidden || this.#withdraw());
    window.setInterval(() => Date.now() - this.#rang >= REMIND_MS && this.#ring(), LOOK_MS);
  }

  /** A consult is going on: nothing is heard or comes up (KBV Anlage 31b: undisturbed). The number stays. @param {boolean} quiet */
  set quiet(quiet) {
    this.#quiet = quiet;
    if (quiet) this.#withdraw();
  }

  /** @param {number} number who wait @param {boolean} arrived whether one of them came just now */
  show(number, arrived) {
    this.#number = number;
    if (number) navigator.setAppBadge?.(number).catch(() => {});
    else navigator.clearAppBadge?.().catch(() => {});
    if (!number) this.#withdraw();
    if (!arrived) return;
    this.#ring();
    this.#notify();
  }

  #ring() {
    if (this.#quiet || !this.#wanted.sound || !this.#number) return;
    this.#rang = Date.now();
    chime('arrival').then((heard) => this.#wanted.sound && this.#showSound(heard ? 'on' : 'blocked'));
  }

  #notify() {
    if (this.#quiet || !document.hidden || !this.#notifies) return;
    try {
      const { title = '', body = '' } = slot(this.root, 'notify').dataset;
      const { lang } = document.documentElement;
      this.#shown = new Notification(title, { body, lang, tag: TAG, silent: true });
      this.#shown.onclick = () => {
        window.focus();
        this.#withdraw();
      };
    } catch {
      // Chromium on Android lets only a service worker show one.
    }
  }

  #withdraw() {
    this.#shown?.close();
    this.#shown = null;
  }

  get #notifies() {
    return this.#wanted.notify && globalThis.Notification?.permission === 'granted';
  }

  /** On is heard at once. */
  #switchSound() {
    this.#keep({ sound: !this.#wanted.sound || !audible() });
    if (this.#wanted.sound) chime('arrival');
    this.#showSound(this.#wanted.sound ? 'on' : 'off');
  }

  /** Asked for by a press only. */
  async #switchNotify() {
    const on = !this.#notifies && (await Notification.requestPermission()) === 'granted';
    this.#keep({ notify: on });
    this.#showNotify();
  }

  /** @param {Partial<{sound: boolean, notify: boolean}>} wanted */
  #keep(wanted) {
    this.#wanted = { ...this.#wanted, ...wanted };
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.#wanted));
    } catch {
      // A browser that keeps nothing asks again at the next visit.
    }
  }

  /** @param {Heard} state */
  #showSound(state) {
    this.#switched('sound', state);
  }

  #showNotify() {
    const blocked = globalThis.Notification?.permission === 'denied';
    this.#switched('notify', blocked ? 'blocked' : this.#notifies ? 'on' : 'off');
  }

  /** @param {'sound' | 'notify'} name @param {Heard} state */
  #switched(name, state) {
    const button = slot(this.root, name);
    button.setAttribute('aria-pressed', String(state === 'on'));
    slot(button, `${name}-words`).textContent = button.dataset[state] ?? '';
  }
}

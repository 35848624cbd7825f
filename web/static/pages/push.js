/** Whether this browser is told, by web push, that somebody waits: asked for by its practitioner, in the desk's preferences. */

import { endPush, pushOffer, renewPush, subscribePush } from '../client/rest.js';
import { onAction, say, slot } from './build.js';
import { registration } from './installed.js';
import { explain, t } from './language.js';

/** @returns {Promise<PushManager | undefined>} */
const manager = async () => (await registration())?.pushManager;

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));

/** @param {PushSubscription} one @param {string} key whether it is for this server, as it is now */
function isFor(one, key) {
  const [theirs, ours] = [new Uint8Array(one.options.applicationServerKey ?? new ArrayBuffer(0)), bytes(key)];
  return theirs.length === ours.length && theirs.every((byte, place) => byte === ours[place]);
}

/**
 * The subscription of this browser that the server knows as that of who is signed in. Any other, such as of somebody who
 * was signed in here before, is taken back.
 * @param {PushManager} push @param {string} key
 */
async function current(push, key) {
  const one = await push.getSubscription();
  if (!one) return null;
  if (isFor(one, key) && (await renewPush(one.endpoint)).told) return one;
  await one.unsubscribe();
  return null;
}

/** At each visit of the desk. @returns {Promise<void>} */
export async function renew() {
  const push = await manager();
  if (!(await push?.getSubscription())) return;
  const { key } = await pushOffer();
  if (push && key) await current(push, key);
}

/** The part of the preferences that turns it on and off. */
export class PushSwitch {
  /** @param {HTMLElement} part */
  constructor(part) {
    this.part = part;
    this.button = slot(part, 'push-button', HTMLButtonElement);
    this.said = slot(part, 'push-said');
    onAction(part, { push: () => this.#turn() });
  }

  /** Shown where the browser and the operator have what it takes. @returns {Promise<void>} */
  async open() {
    say(this.said, null);
    this.push = await manager();
    this.key = this.push && (await pushOffer()).key;
    this.part.hidden = !this.push || !this.key;
    if (this.push && this.key) this.#show(await current(this.push, this.key));
  }

  /** @param {PushSubscription | null} one */
  #show(one) {
    this.one = one;
    this.button.textContent = t(one ? 'push.off' : 'push.on');
  }

  async #turn() {
    if (!this.push || !this.key) return;
    this.button.disabled = true;
    try {
      if (this.one) await this.#off(this.one);
      else await this.#on(this.push, this.key);
    } catch (error) {
      say(this.said, Notification.permission === 'denied' ? t('push.blocked') : explain(error));
    } finally {
      this.button.disabled = false;
    }
  }

  /** @param {PushManager} push @param {string} key */
  async #on(push, key) {
    const one = await push.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
    try {
      await subscribePush(one.endpoint);
    } catch (error) {
      await one.unsubscribe();
      throw error;
    }
    this.#show(one);
    say(this.said, t('push.on.said'));
  }

  /** @param {PushSubscription} one */
  async #off(one) {
    await endPush(one.endpoint);
    await one.unsubscribe();
    this.#show(null);
    say(this.said, t('push.off.said'));
  }
}

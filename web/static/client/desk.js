/** @import {Signaling} from './signaling.js' */
/** @import {Declined, DeskView, Status, WaitingView} from './wire.js' */

/**
 * Who waits for this practitioner, or for another whom they work for; several of these may share a connection. Events: `desk` with
 * the DeskView, at each change and after each reconnect; `agenda` when what is planned is another, `sight` when others had sight of
 * it, or may have while the connection was away.
 */
export class Desk extends EventTarget {
  #signaling;
  #whose;
  #watching = false;
  /** @type {DeskView | null} */
  view = null;

  /** @param {Signaling} signaling @param {string} [practitioner] for whom somebody works; without it one's own */
  constructor(signaling, practitioner) {
    super();
    this.#signaling = signaling;
    this.#whose = practitioner ? { practitioner } : undefined;
    signaling.on('desk', (view) => this.#show(view));
    signaling.on('agenda', () => this.#corrected());
    signaling.on('sight', () => this.#looked());
    signaling.addEventListener('open', () => {
      if (this.#watching) this.watch().then(() => this.#missed(), () => undefined);
    });
  }

  /** @returns {Promise<DeskView>} @throws {WireError} */
  async watch() {
    this.view = null;
    this.#show(await this.#signaling.request('watch', this.#whose));
    this.#watching = true;
    return /** @type {DeskView} */ (/** @type {unknown} */ (this.view));
  }

  /** Words of one's own to who waits, at most 500 characters. @param {WaitingView} who @param {string} text @throws {WireError} */
  async write({ appointment, participant }, text) {
    await this.#signaling.request('write', { appointment, participant, text });
  }

  /**
   * Do not receive somebody who waits, with a canned message, words of one's own, or both.
   * @param {WaitingView} who @param {Partial<Declined>} words @throws {WireError}
   */
  async decline({ appointment, participant }, words) {
    await this.#signaling.request('decline', { appointment, participant, ...words });
  }

  /** Make somebody who is in wait again. @param {string} participant @throws {WireError} */
  async putBack(participant) {
    await this.#signaling.request('put-back', { participant });
  }

  /** To all who wait, and who come later: how it stands. @param {Status} status @param {number | null} delay minutes @throws {WireError} */
  async announce(status, delay) {
    await this.#signaling.request('announce', { ...this.#whose, status, delay });
  }

  #missed() {
    this.#corrected();
    this.#looked();
  }

  #looked() {
    this.dispatchEvent(new Event('sight'));
  }

  #corrected() {
    this.dispatchEvent(new Event('agenda'));
  }

  /** @param {DeskView} view */
  #show(view) {
    if (this.#whose && view.practitioner && view.practitioner !== this.#whose.practitioner) return;
    if (this.view && view.version < this.view.version) return;
    this.view = view;
    this.dispatchEvent(new CustomEvent('desk', { detail: view }));
  }
}

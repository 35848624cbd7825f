/** @import {Signaling} from './signaling.js' */
/** @import {DeskView} from './wire.js' */

/** Who waits for this practitioner. Event: `desk` with the DeskView, at each change and after each reconnect. */
export class Desk extends EventTarget {
  #signaling;
  #watching = false;
  /** @type {DeskView | null} */
  view = null;

  /** @param {Signaling} signaling */
  constructor(signaling) {
    super();
    this.#signaling = signaling;
    signaling.on('desk', (view) => this.#show(view));
    signaling.addEventListener('open', () => {
      if (this.#watching) this.watch().catch(() => undefined);
    });
  }

  /** @returns {Promise<DeskView>} @throws {WireError} */
  async watch() {
    this.view = null;
    this.#show(await this.#signaling.request('watch'));
    this.#watching = true;
    return /** @type {DeskView} */ (/** @type {unknown} */ (this.view));
  }

  /** @param {DeskView} view */
  #show(view) {
    if (this.view && view.version < this.view.version) return;
    this.view = view;
    this.dispatchEvent(new CustomEvent('desk', { detail: view }));
  }
}

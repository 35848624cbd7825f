import { el } from './build.js';
import { learn, t } from './language.js';

/** @import {ConsultCall} from './call.js' */

await learn('group');

/** As large as there is. */
const MOST = 8192;

/** Sound alone, by hand: no picture leaves, and none is sent here. */
export class SoundOnly {
  #again = false;

  /** @param {ConsultCall} call */
  constructor(call) {
    this.call = call;
    const button = el('button', { className: 'button', type: 'button', 'data-action': 'sound-only', 'data-testid': 'pictures-again', textContent: t('group.sound-only.end') });
    this.banner = el('p', { className: 'banner ask', role: 'status', hidden: true }, el('span', { textContent: t('group.sound-only') }), button);
    call.querySelector('.call-notes')?.append(this.banner);
    call.querySelector('dialog [data-action="sound-only"]')?.setAttribute('aria-pressed', 'false');
  }

  /** On, or off again. */
  async turn() {
    const { capture, consult } = this.call;
    if (!capture || !consult) return;
    const on = !this.call.soundOnly;
    this.call.soundOnly = on ? t('group.sound-only.short') : '';
    this.banner.hidden = !on;
    this.call.querySelector('dialog [data-action="sound-only"]')?.setAttribute('aria-pressed', String(on));
    if (on) {
      this.#again = Boolean(capture.camera) && !capture.off.camera;
      capture.turnOff('camera');
    } else if (this.#again) await capture.turnOn('camera');
    await consult.gather();
    this.call.show();
  }

  /** To whoever came, or sits elsewhere, as well. */
  apply() {
    const { capture, consult, group, soundOnly } = this.call;
    if (soundOnly && capture && !capture.off.camera) this.turn();
    if (group) return;
    consult?.group?.show(consult.slots.map(({ slot, participant }) => ({ participant, stage: slot < 0, height: soundOnly ? 0 : MOST })));
  }

  remove() {
    this.call.soundOnly = '';
    this.banner.remove();
  }
}

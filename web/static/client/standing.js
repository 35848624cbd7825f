/** How somebody who is in a room stands: in touch with the others or not, and what is lacking. */

/** @import {Conversation} from './conversation.js' */
/** @import {ParticipantView, RoomView} from './wire.js' */

/**
 * @typedef {object} Stand
 * @property {'waiting' | 'connecting' | 'connected' | 'reconnecting'} state
 * @property {'signaling' | 'media' | null} reason what `reconnecting` lacks; without signaling alone, picture and sound go on
 */

/** Remembers what was there before: what was never there is not lost. */
export class Standing {
  #wasConnected = false;
  /** @type {Set<string>} */
  #met = new Set();

  /**
   * @param {RoomView} room
   * @param {boolean} signaling whether the server is in reach
   * @param {Conversation | null} conversation
   * @returns {Stand}
   */
  judge({ me, others }, signaling, conversation) {
    if (me.state === 'waiting') return { state: 'waiting', reason: null };
    const media = conversation?.mediaState === 'connected';
    if (!media || !signaling) return this.#lacking(this.#wasConnected, media ? 'signaling' : 'media');
    const present = others.filter(({ state, connected }) => state === 'admitted' && connected);
    const inTouch = present.filter((other) => inTouchWith(other, conversation));
    for (const { participant } of inTouch) this.#met.add(participant);
    if (present.length && !inTouch.length) return this.#lacking(present.some(({ participant }) => this.#met.has(participant)), 'media');
    this.#wasConnected = true;
    return { state: 'connected', reason: null };
  }

  /** @param {boolean} before @param {'signaling' | 'media'} reason @returns {Stand} */
  #lacking(before, reason) {
    return before ? { state: 'reconnecting', reason } : { state: 'connecting', reason: null };
  }
}

/** Their media arrives, or they have chosen to send none. @param {ParticipantView} other @param {Conversation} conversation */
function inTouchWith({ participant, indicators: { microphone, camera, screen } }, conversation) {
  if (microphone || camera || screen) return conversation.inTouchWith(participant);
  return conversation.hasKeysOf(participant);
}

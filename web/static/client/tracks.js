/** Turns slots into what a page shows: who is to be seen in which stream. */

import { STAGE } from './media.js';

/** @import {MediaSession} from './media-session.js' */
/** @typedef {{participant: string, stage: boolean, stream: MediaStream | null}} TracksDetail */

export class Tracks {
  #media;
  #show;
  /** @type {Map<number, {participant: string, stream: MediaStream}>} */
  #shown = new Map();

  /** @param {MediaSession} media @param {(detail: TracksDetail) => void} show */
  constructor(media, show) {
    this.#media = media;
    this.#show = show;
  }

  /** Compare with what was shown and tell the differences. */
  update() {
    const participants = new Map(this.#media.slots.map(({ slot, participant }) => [slot, participant]));
    for (const { slot, stream } of this.#media.connection?.places ?? []) {
      const participant = participants.get(slot);
      const before = this.#shown.get(slot);
      if (before?.participant === participant && before?.stream === stream) continue;
      const stage = slot === STAGE;
      if (before && before.participant !== participant) {
        this.#shown.delete(slot);
        this.#show({ participant: before.participant, stage, stream: null });
      }
      if (participant === undefined) continue;
      this.#shown.set(slot, { participant, stream });
      this.#show({ participant, stage, stream });
    }
  }
}

/** Giving up a place in a consult when the server cannot be told at once. */

import { WireError } from './errors.js';

/** @import {Signaling} from './signaling.js' */

/** Codes of the protocol after which there is no consult to be in. */
export const OVER = new Set(['ended', 'gone', 'not_found', 'link_invalid']);

/** Codes that say no more than that there was no connection, or no place behind it yet. */
export const AWAY = new Set(['offline', 'bad_state', 'try_again']);

const RETRY_MS = 1000;

/**
 * Into the place and out of it again, as soon as there is a connection.
 * @param {Signaling} signaling
 * @param {object} place the body of `arrive`
 * @param {AbortSignal} signal
 * @throws {WireError} if the server was not told
 */
export async function giveUp(signaling, place, signal) {
  for (;;) {
    if (!signaling.connected) await opened(signaling, signal);
    if (signal.aborted) throw givenUp();
    try {
      await signaling.request('arrive', place);
      await signaling.request('leave');
      return;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (OVER.has(error.code)) return;
      if (!AWAY.has(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** @param {Signaling} signaling @param {AbortSignal} signal */
function opened(signaling, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => reject(givenUp());
    signaling.addEventListener('open', resolve, { once: true, signal });
    for (const type of ['refused', 'closed']) signaling.addEventListener(type, stop, { once: true, signal });
    signal.addEventListener('abort', stop, { once: true });
  });
}

function givenUp() {
  return new WireError('offline', 'user', 'The server was not told.');
}

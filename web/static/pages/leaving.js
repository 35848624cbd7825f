/** Giving up a place in a consult when the server cannot be told at once. */

import { WireError } from '../client/errors.js';

/** @import {Consult} from '../client/consult.js' */
/** @import {Signaling} from '../client/signaling.js' */

/** Codes that say no more than that there was no connection, or no place behind it yet. */
const AWAY = new Set(['offline', 'bad_state', 'try_again']);
const OVER = new Set(['ended', 'gone', 'not_found']);
const RETRY_MS = 1000;

/**
 * Leave a consult. Where the connection is lost, the place is taken again as soon as it is back, and given up.
 * @param {Consult} consult
 * @param {Signaling} signaling
 * @param {AbortSignal} signal
 * @throws {WireError} if the server was not told
 */
export async function leave(consult, signaling, signal) {
  const place = { appointment: consult.appointment, participant: consult.participant, take_over: false };
  let left = consult.leave();
  for (;;) {
    try {
      await left;
      return;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (OVER.has(error.code)) return;
      if (!AWAY.has(error.code)) throw error;
    }
    await (signaling.connected ? new Promise((resolve) => setTimeout(resolve, RETRY_MS)) : opened(signaling, signal));
    if (signal.aborted) throw givenUp();
    left = signaling.request('arrive', place).then(() => signaling.request('leave'));
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

/** Keeps the screen awake from `keepAwake()` to `maySleep()`; browsers drop the lock whenever the page is hidden. */

/** @type {WakeLockSentinel | null} */
let lock = null;
let wanted = false;

async function request() {
  if (!wanted || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
  try {
    lock = await navigator.wakeLock.request('screen');
    if (!wanted) await lock.release();
  } catch {
    // A low battery may refuse it: the screen then sleeps as it always does.
  }
}

document.addEventListener('visibilitychange', request);

export function keepAwake() {
  if (wanted) return;
  wanted = true;
  request();
}

export function maySleep() {
  wanted = false;
  lock?.release().catch(() => {});
  lock = null;
}

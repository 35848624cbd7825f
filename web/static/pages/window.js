/** The window while a consult fills it: nothing else in reach, a screen that stays awake, a bar that fades. */

const STILL_MS = 4000;

/**
 * Whether what fills the window is all that keys and screen readers reach: everything beside `element` and beside what
 * holds it, except dialogs, which may ask something above it.
 * @param {HTMLElement} element
 * @param {boolean} is
 */
export function alone(element, is) {
  for (let inside = element; inside.parentElement && inside !== document.body; inside = inside.parentElement) {
    for (const beside of inside.parentElement.children) {
      if (beside !== inside && beside instanceof HTMLElement && !(beside instanceof HTMLDialogElement)) beside.inert = is;
    }
  }
}

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

/** Keep the screen awake until `maySleep()`; browsers drop the lock whenever the page is hidden. */
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

/**
 * The bar fades after 4 s without movement of a mouse; never for people who use a keyboard or a touch screen.
 * @param {HTMLElement} call gets `data-still` while everything but faces may fade
 * @returns {() => void} call it when something was shown that should be seen
 */
export function fadeWhenStill(call) {
  let mouse = false;
  /** @type {number | undefined} */
  let timer;

  const busy = () =>
    Boolean(call.querySelector('dialog[open], [data-open], .bar:hover, .chat:focus-within, .call-top:hover')) ||
    Boolean(call.querySelector(':focus-visible'));

  const wake = () => {
    delete call.dataset.still;
    window.clearTimeout(timer);
    if (mouse) timer = window.setTimeout(() => (busy() ? wake() : (call.dataset.still = '')), STILL_MS);
  };

  call.addEventListener('pointermove', (event) => {
    mouse = event.pointerType === 'mouse';
    wake();
  });
  call.addEventListener('pointerdown', (event) => {
    mouse = event.pointerType === 'mouse';
    wake();
  });
  document.addEventListener('keydown', () => {
    mouse = false;
    wake();
  });
  return wake;
}

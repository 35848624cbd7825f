/** The bar fades after 4 s without movement of a mouse; never for people who use a keyboard or a touch screen. */

const STILL_MS = 4000;

/**
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

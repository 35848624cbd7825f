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

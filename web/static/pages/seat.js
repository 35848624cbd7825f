import { slot } from './build.js';

/** Ask whether this window takes the place of another one. @param {ParentNode} root @returns {Promise<boolean>} */
function askForSeat(root) {
  const dialog = slot(root, 'seat', HTMLDialogElement);
  return new Promise((resolve) => {
    const finish = (/** @type {boolean} */ take) => {
      dialog.onclose = null;
      dialog.close();
      resolve(take);
    };
    slot(dialog, 'take-over').onclick = () => finish(true);
    /** @type {HTMLElement} */ (dialog.querySelector('[data-action="stay-out"]')).onclick = () => finish(false);
    dialog.onclose = () => resolve(false);
    dialog.showModal();
  });
}

/**
 * Do something that needs this person's one place; when another window has it, ask first.
 * @template T
 * @param {ParentNode} root
 * @param {(takeOver: boolean) => Promise<T>} act
 * @returns {Promise<T | null>} null when the person leaves the place to the other window
 */
export async function withSeat(root, act) {
  try {
    return await act(false);
  } catch (error) {
    if (/** @type {{code?: string}} */ (error).code !== 'seat_taken') throw error;
  }
  return (await askForSeat(root)) ? act(true) : null;
}

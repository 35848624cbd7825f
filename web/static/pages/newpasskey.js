import { registration } from './authenticator.js';
import { slot } from './build.js';

/** The form that makes a passkey: the browser makes it first, and the form takes along what came of it. */
const root = document.querySelector('[data-slot="options"]');
const form = root?.querySelector('form');

if (root instanceof HTMLElement && form) {
  form.addEventListener('submit', async (event) => {
    const field = /** @param {string} name */ (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
    if (field('credential').value || !form.checkValidity()) return;
    event.preventDefault();
    slot(document, 'failed').hidden = true;
    try {
      for (const [name, value] of Object.entries(await registration(root.dataset))) field(name).value = value;
      form.submit();
    } catch {
      slot(document, 'failed').hidden = false;
    }
  });
}

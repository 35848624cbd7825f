import { el, slot } from './build.js';
import { isolated, language } from './language.js';

/** @import {InvitedGuest} from '../../types/wire.js' */

/** For whoever comes by a guest's link; fetched by nobody else, with its own texts. */

/** @type {Record<string, string>} */
const texts = await (await fetch(new URL(`../locales/guest-${language}.json`, import.meta.url))).json();

/** As whom they come, above both steps; what is the patient's to say is not there. @param {HTMLElement} page @param {InvitedGuest} guest */
export function showGuest(page, { name, role }) {
  for (const step of ['check-title', 'wait-title']) {
    const title = slot(page, step);
    title.parentElement?.querySelector('.as-guest')?.remove();
    const words = (texts[`guest.as.${role}`] ?? '').replace('{name}', isolated(name));
    const said = el('p', { className: 'notice as-guest', 'data-testid': 'as-guest' }, el('strong', { textContent: words }), ` ${texts['guest.other']}`);
    title.after(said);
  }
  slot(page, 'planned').querySelector('details')?.remove();
}

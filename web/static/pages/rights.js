import { slot } from './build.js';
import { tidyLink } from './link.js';

/** The link stands behind the `#` of the address, where no server sees it until somebody presses the button. */
const link = tidyLink(location.hash.slice(1));
const field = document.querySelector('input[name="link"]');
if (link && field instanceof HTMLInputElement && field.form) {
  field.value = link;
  field.form.action += `#${link}`; // a browser keeps it for the page that comes back
  slot(document.body, 'link-field').hidden = !field.hasAttribute('aria-invalid');
}

import { html, render } from '../vendor/lit-html-3.3.3/lit-html.js';

/** @import {TemplateResult} from '../vendor/lit-html-3.3.3/lit-html.js' */

/**
 * @typedef {object} Row
 * @property {string} key what the row is about: it keeps its element for as long as that is in the list
 * @property {Record<string, string>} attributes of the element
 * @property {TemplateResult} content
 */

/** A list whose rows stay the same elements while others come and go: what has the focus or is unfolded in one stays so. */
export class Rows {
  /** @type {Map<string, HTMLLIElement>} */ #rows = new Map();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
  }

  /** @param {Row[]} rows */
  draw(rows) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const kept = new Set(rows.map(({ key }) => key));
    for (const [key, row] of this.#rows) {
      if (kept.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let place = this.list.firstElementChild;
    for (const { key, attributes, content } of rows) {
      const row = this.#rows.get(key) ?? document.createElement('li');
      this.#rows.set(key, row);
      for (const [name, value] of Object.entries(attributes)) row.setAttribute(name, value);
      render(content, row);
      if (row === place) place = row.nextElementSibling;
      else this.list.insertBefore(row, place);
    }
    // An element that is moved to another place of the document loses the focus.
    if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus();
  }
}

/** One icon of the page's sprite. @param {string} name */
export const icon = (name) => html`<svg class="icon" aria-hidden="true" focusable="false"><use href=${`#icon-${name}`}></use></svg>`;

/** What the pages' modules find in a page: by its slot, and of the kind that they mean to use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { slot } from '../../../web/static/pages/build.js';

class HTMLElement {}
class HTMLButtonElement extends HTMLElement {}
Object.assign(globalThis, { HTMLElement });

const button = new HTMLButtonElement();
const page = { querySelector: (selector) => ({ '[data-slot="join"]': button, '[data-slot="mark"]': {} })[selector] ?? null };

test('a slot is found, whatever it is or as what it has to be', () => {
  assert.equal(slot(page, 'join'), button);
  assert.equal(slot(page, 'join', HTMLButtonElement), button);
});

test('one that is missing, or something else, is named', () => {
  class HTMLInputElement extends HTMLElement {}
  assert.throws(() => slot(page, 'leave'), /no HTMLElement in slot leave/);
  assert.throws(() => slot(page, 'mark'), /no HTMLElement in slot mark/);
  assert.throws(() => slot(page, 'join', HTMLInputElement), /no HTMLInputElement in slot join/);
});

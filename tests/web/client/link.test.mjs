/** What cannot belong to a patient's link is dropped. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { tidyLink } from '../../../web/static/pages/link.js';

const CASES = JSON.parse(readFileSync(new URL('../../links.json', import.meta.url), 'utf8'));
const link = 'x__Z9Ga1ct3TA30aKMvfWQdJO4c6X0cccRY8RYsaROW-';
const parts = { link, head: link.slice(0, 22), tail: link.slice(22), short: link.slice(0, 43) };
const fill = (form) => form.replace(/\{(\w+)\}/g, (_, name) => parts[name]);

test('a link is found in whatever surrounds it', () => {
  for (const form of CASES.good) assert.equal(tidyLink(fill(form)), link, form);
});

test('what is none stays as it came', () => {
  for (const form of CASES.bad) assert.equal(tidyLink(fill(form)), fill(form), form);
});

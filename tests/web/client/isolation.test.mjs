/** What somebody typed keeps its direction to itself. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

globalThis.document = { documentElement: { lang: 'en', dataset: {} } };
globalThis.fetch = async () => ({ json: async () => ({ 'wait.title': 'You have checked in with {name}, {n}' }) });
const { isolated, t } = await import('../../../web/static/pages/language.js');

const FSI = '\u2068';
const PDI = '\u2069';

test('a name from left to right stays as it is', () => {
  for (const name of ['Jan', 'Zoë-Anne', '李', "O'Brien <script>", '', 'Ω']) assert.equal(isolated(name), name);
  assert.equal(isolated(3), '3');
});

test('a name from right to left is isolated in a sentence', () => {
  assert.equal(t('wait.title', { name: 'محمد', n: 2 }), `You have checked in with ${FSI}محمد${PDI}, 2`);
});

test('no mark of direction gets out of a name', () => {
  for (const mark of ['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069']) {
    assert.equal(isolated(`a${mark}b${mark}`), `${FSI}ab${PDI}`);
  }
});

test('marks that belong to a script stay', () => {
  assert.equal(isolated('א\u200fב'), `${FSI}א\u200fב${PDI}`);
  assert.equal(isolated('نیم\u200cفاصله'), `${FSI}نیم\u200cفاصله${PDI}`);
});

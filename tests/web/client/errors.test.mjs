import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WireError } from '../../../web/static/client/errors.js';

test('an error names the field that is wrong, where one is', () => {
  const refused = { code: 'invalid', category: 'protocol', message: 'The message …', field: 'starts_at' };
  assert.equal(WireError.from(refused).field, 'starts_at');
  assert.equal(WireError.from({ ...refused, field: undefined }).field, null);
  assert.equal(WireError.from({ ...refused, field: { toString: 1 } }).field, null);
  assert.equal(WireError.from(null).field, null);
});

/** What happens to a chat of which something was lost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromBase64Url, toBase64Url, utf8 } from '../../../web/static/client/bytes.js';
import { Chat } from '../../../web/static/client/chat.js';
import { WireError } from '../../../web/static/client/errors.js';

const parsed = (ciphertext) => JSON.parse(new TextDecoder().decode(fromBase64Url(ciphertext)));
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A chat whose encryption lets everything through, and what it sent. */
function open() {
  const sent = [];
  const line = { up: true, say: null };
  const wire = {
    on: (_event, listener) => {
      line.say = (content) => listener({ sender: 'b', ciphertext: toBase64Url(utf8(JSON.stringify(content))) });
      return () => undefined;
    },
    request: async (_event, { ciphertext, to }) => {
      if (!line.up) throw new WireError('not_found', 'user', '');
      sent.push({ ...parsed(ciphertext), to });
    },
  };
  const encryption = { seal: async (plaintext) => plaintext, open: async (_sender, frame) => frame };
  const chat = new Chat(wire, encryption, { participant: 'a', role: 'practitioner' }, () => 'patient');
  return { chat, line, sent };
}

const asked = { type: 'log-wanted', to: undefined };

test('the others are asked for their logs, less and less often, until one comes', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { chat, line, sent } = open();
  line.up = false;
  await chat.ask();
  assert.deepEqual(sent, []);
  line.up = true;
  for (const [seconds, times] of [[1.9, 0], [0.1, 1], [3.9, 1], [0.1, 2]]) {
    context.mock.timers.tick(1000 * seconds);
    await settled();
    assert.deepEqual(sent, Array(times).fill(asked));
  }
  const entry = { id: 'lost', role: 'patient', participant: 'b', text: 'daar', at: 1 };
  line.say({ type: 'log', entries: [entry] });
  await settled();
  assert.deepEqual(chat.log, [{ ...entry, mine: false, copy: true }]);
  context.mock.timers.tick(100_000);
  await settled();
  assert.equal(sent.length, 2);
});

test('a log that is empty is an answer', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { chat, line, sent } = open();
  await chat.ask();
  line.say({ type: 'log', entries: [] });
  await settled();
  context.mock.timers.tick(100_000);
  await settled();
  assert.deepEqual(sent, [asked]);
});

test('a chat that was closed asks nobody', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { chat, sent } = open();
  await chat.ask();
  chat.close();
  context.mock.timers.tick(100_000);
  await settled();
  assert.deepEqual(sent, [asked]);
});

test('whoever asks is sent the log, once at a time', async () => {
  const { chat, line, sent } = open();
  line.say({ type: 'log-wanted' });
  await settled();
  await chat.send('hier');
  line.say({ type: 'log-wanted' });
  line.say({ type: 'log-wanted' });
  await settled();
  const logs = sent.filter(({ type }) => type === 'log');
  assert.deepEqual(logs.map(({ to, entries }) => [to, entries.map(({ text }) => text)]), [['b', []], ['b', ['hier']]]);
});

// --- another's log is another's word ---------------------------------------------------------------------------------

const said = (id, role, at = 1) => ({ id, role, participant: 'b', text: `${role} says ${id}`, at });
const texts = (chat) => chat.log.map(({ id, mine, copy }) => [id, mine, copy]);

test('a log that nobody lacks says nothing', async () => {
  const { chat, line } = open();
  chat.joined(['b']);
  line.say({ type: 'log', entries: [] });
  await settled();
  line.say({ type: 'log', entries: [said('late', 'patient'), said('mine?', 'practitioner')] });
  await settled();
  assert.deepEqual(chat.log, []);
});

test('of a first log each entry is a copy, that of our role too, and nobody may add to those', async () => {
  const { chat, line } = open();
  line.say({ type: 'log', entries: [said('1', 'practitioner')], more: true });
  line.say({ type: 'log', entries: [said('2', 'practitioner'), said('3', 'patient')] });
  await settled();
  assert.deepEqual(texts(chat), [['1', false, true], ['2', false, true], ['3', false, true]]);
  chat.joined(['b']);
  line.say({ type: 'log', entries: [said('4', 'practitioner'), said('5', 'patient')] });
  await settled();
  assert.equal(chat.log.length, 3);
  await chat.ask();
  line.say({ type: 'log', entries: [said('4', 'practitioner'), said('5', 'patient')] });
  await settled();
  assert.deepEqual(texts(chat).at(-1), ['5', false, true]);
  assert.equal(chat.log.length, 4);
  chat.close();
});

test('whoever wrote something takes nothing in its own name, and nothing before it', async () => {
  const { chat, line } = open();
  await chat.send('hier');
  const { at } = chat.log[0];
  await chat.ask();
  line.say({ type: 'log', entries: [said('no', 'practitioner'), said('yes', 'patient'), { ...chat.log[0], text: 'other' }] });
  line.say({ type: 'text', id: 'old', text: 'of long ago', at: 5 });
  line.say({ type: 'text', id: 'far', text: 'of next year', at: at + 1e10 });
  await settled();
  assert.deepEqual(texts(chat).map(([id]) => id).slice(1), ['yes', 'old', 'far']);
  assert.equal(chat.log[0].text, 'hier');
  assert.ok(chat.log.slice(1).every((entry) => entry.at >= at && entry.at <= Date.now() && !entry.mine));
  chat.close();
});

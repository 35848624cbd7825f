/** Handshakes between two and three members over a wire that is slow, out of order, or dishonest. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toBase64Url } from '../../../web/static/client/bytes.js';
import { WireError } from '../../../web/static/client/errors.js';
import { Handshake, Tampering } from '../../../web/static/client/handshake.js';
import { KeyExchange } from '../../../web/static/client/key-exchange.js';
import { commitment, ownMaterial } from '../../../web/static/client/keys.js';
import { Chain } from '../../../web/static/client/tally.js';
import { until } from './until.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Members that talk through `alter(event, body, from, to)`, which may change a message or return null to lose it. */
async function meet(names, alter = (event, body) => body, { delay = () => 0 } = {}) {
  const members = names.map((participant, index) => ({ participant, role: index ? 'patient' : 'practitioner' }));
  const all = new Map();
  const sent = [];
  for (const { participant } of members) {
    const one = { own: null, remote: new Map(), code: null, failure: null };
    const send = async (event, body) => {
      sent.push([participant, event]);
      for (const to of names) {
        if (to === participant || (body.to && body.to !== to)) continue;
        const message = alter(event, { ...body, sender: participant }, participant, to);
        if (message) setTimeout(() => all.get(to).handshake.receive(event, message), delay());
      }
    };
    one.handshake = new Handshake({
      appointment: 'appointment',
      participant,
      epoch: 3,
      members: members.toReversed(),
      own: await ownMaterial(),
      chain: new Chain(),
      withheld: 0,
      send,
      onReveal: () => { one.revealed = true; },
      onOwn: (place) => { one.own = place; },
      onRemote: (from, place) => one.remote.set(from, place),
      onComplete: ({ code }) => { one.code = code; },
      onFailure: (error) => { one.failure = error; },
    });
    all.set(participant, one);
  }
  for (const { handshake } of all.values()) handshake.start();
  return { all, sent, people: [...all.values()] };
}

for (const names of [['b', 'a'], ['b', 'a', '-c', 'Z']]) {
  test(`${names.length} members agree on one code and hold each other's secrets`, async () => {
    let turn = 0;
    const { all, people } = await meet(names, undefined, { delay: () => (turn = (turn * 7 + 3) % 23) });
    await until(() => people.every(({ code }) => code !== null));
    assert.equal(new Set(people.map(({ code }) => code)).size, 1);
    const order = [...names].sort();
    for (const [name, { own }] of all) {
      assert.equal(own.index, order.indexOf(name));
      for (const [other, { remote }] of all) if (other !== name) assert.deepEqual(remote.get(name), own);
    }
  });
}

test('nobody reveals before every commitment is there', async () => {
  const lose = (event, body, from) => (event === 'key-commit' && from === 'c' ? null : body);
  const { sent } = await meet(['a', 'b', 'c'], lose);
  await pause(100);
  assert.deepEqual(sent.filter(([from, event]) => event === 'key-reveal' && from !== 'c'), []);
});

const flip = (text) => (text[5] === 'A' ? 'B' : 'A') + text.slice(1, 5) + (text[5] === 'A' ? 'B' : 'A') + text.slice(6);

const changing = (step, field) => (event, body) => (event === step ? { ...body, [field]: flip(body[field]) } : body);

for (const [what, alter] of [
  ['another nonce than was committed to', changing('key-reveal', 'nonce')],
  ['another commitment', changing('key-commit', 'commitment')],
  ['a wrapped secret that was changed', changing('key-wrap', 'wrapped')],
]) {
  test(`${what} aborts and no secret is taken`, async () => {
    const { people } = await meet(['a', 'b'], alter);
    await until(() => people.every(({ failure }) => failure !== null));
    for (const { failure, code, remote } of people) {
      assert.ok(failure instanceof Tampering, String(failure));
      assert.equal(code, null);
      assert.equal(remote.size, 0);
    }
  });
}

test("one's own key under another name aborts, even with a fitting commitment", async () => {
  const own = await ownMaterial();
  const members = [{ participant: 'a', role: 'practitioner' }, { participant: 'b', role: 'patient' }];
  const failures = [];
  const handshake = new Handshake({
    appointment: 'appointment', participant: 'a', epoch: 3, members, own, chain: new Chain(), withheld: 0,
    send: async () => {},
    onReveal: () => {},
    onFailure: (error) => failures.push(error),
  });
  handshake.start();
  const nothing = { last: [new Uint8Array()], withheld: 0 };
  const digest = await commitment('appointment', 3, { ...members[1], ...nothing, key: own.key, nonce: own.nonce });
  const reveal = { key: toBase64Url(own.key), nonce: toBase64Url(own.nonce), last: [''], withheld: 0 };
  handshake.receive('key-commit', { sender: 'b', epoch: 3, version: 2, commitment: toBase64Url(digest) });
  handshake.receive('key-reveal', { sender: 'b', epoch: 3, ...reveal });
  await until(() => failures.length > 0);
  assert.match(failures[0].message, /own key/);
});

test('a server in the middle with keys of its own gets two different codes', async () => {
  const [left, right] = await Promise.all([meet(['a', 'b']), meet(['a', 'b'])]);
  await until(() => [...left.people, ...right.people].every(({ code }) => code !== null));
  assert.notEqual(left.all.get('a').code, right.all.get('b').code);
});

test('a second, different commitment aborts', async () => {
  const { all } = await meet(['a', 'b'], (event, body) => (event === 'key-reveal' ? null : body));
  await pause(50);
  all.get('a').handshake.receive('key-commit', { sender: 'b', epoch: 3, version: 2, commitment: 'A'.repeat(43) });
  await until(() => all.get('a').failure !== null);
  assert.ok(all.get('a').failure instanceof Tampering);
});

test('a member list that cannot be true is refused', async () => {
  const own = await ownMaterial();
  const options = { appointment: 'x', participant: 'a', epoch: 1, own, chain: new Chain(), withheld: 0 };
  const crowd = Array.from({ length: 33 }, (_, index) => (index ? `m${index}` : 'a'));
  for (const names of [['b', 'c'], ['a', 'b', 'b'], crowd]) {
    const members = names.map((participant) => ({ participant, role: 'patient' }));
    assert.throws(() => new Handshake({ ...options, members }), Tampering);
  }
});

// --- one handshake after another -----------------------------------------------------------------------------------

class Wire {
  listeners = new Map();
  sent = [];
  failing = false;
  on(event, listener) {
    this.listeners.set(event, listener);
    return () => this.listeners.delete(event);
  }
  async request(event, body) {
    if (this.failing) throw new WireError('offline', 'user', '');
    this.sent.push([event, body]);
    await this.peer?.(event, body);
    return {};
  }
}

const encryption = () => ({
  owned: [],
  held: [],
  own(place) { this.owned.push(place.epoch); },
  remote(participant, place) { this.held.push([participant, place.epoch]); },
  disown() { this.owned.push(null); },
});

function room(epoch, me, other, { connected = true } = {}) {
  const members = [me, other].map((participant) => ({ participant, role: 'patient' }));
  const others = [{ participant: other, role: 'patient', state: 'admitted', connected }];
  return { appointment: 'x', me: { participant: me, role: 'patient' }, keys: { epoch, members }, others };
}

function pair() {
  const wires = { a: new Wire(), b: new Wire() };
  wires.a.peer = (event, body) => wires.b.listeners.get(event)?.({ ...body, sender: 'a' });
  wires.b.peer = (event, body) => wires.a.listeners.get(event)?.({ ...body, sender: 'b' });
  const rings = { a: encryption(), b: encryption() };
  const keys = { a: new KeyExchange(wires.a, 'a', rings.a), b: new KeyExchange(wires.b, 'b', rings.b) };
  return { wires, rings, keys, close: () => Object.values(keys).forEach((one) => one.close()) };
}

test('messages that come before the room view are kept for it', async () => {
  const { keys, rings, close } = pair();
  keys.a.update(room(4, 'a', 'b'));
  await pause(50);
  keys.b.update(room(4, 'b', 'a'));
  await until(() => keys.a.code !== null && keys.b.code !== null);
  assert.equal(keys.a.code, keys.b.code);
  keys.b.update(room(5, 'b', 'a'));
  assert.equal(keys.b.code, null, 'the code of the old epoch is no longer shown');
  keys.a.update(room(5, 'a', 'b'));
  await until(() => keys.a.code !== null && keys.b.code !== null);
  assert.deepEqual(rings.a.owned, [4, 5]);
  assert.deepEqual(rings.a.held, [['b', 4], ['b', 5]]);
  close();
});

test('a handshake that stands still is begun anew, once everybody is there', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = new Wire();
  const keys = new KeyExchange(wire, 'a', encryption());
  const restarts = () => wire.sent.filter(([event]) => event === 'key-restart').map(([, { epoch }]) => epoch);
  keys.update(room(4, 'a', 'b', { connected: false }));
  context.mock.timers.tick(5500);
  assert.deepEqual(restarts(), []);
  keys.update(room(4, 'a', 'b'));
  context.mock.timers.tick(5500);
  assert.deepEqual(restarts(), [4]);
  keys.close();
});

test('who comes back in the middle of a handshake asks for a new one', async () => {
  const wire = new Wire();
  const keys = new KeyExchange(wire, 'a', encryption());
  keys.update(room(4, 'a', 'b'));
  await pause(20);
  wire.failing = true;
  keys.update(room(5, 'a', 'b'));
  await pause(20);
  wire.failing = false;
  keys.reconnected();
  assert.deepEqual(wire.sent.at(-1), ['key-restart', { epoch: 5 }]);
  keys.close();
});

test('alone there is no code', async () => {
  const { keys, close } = pair();
  keys.a.update(room(4, 'a', 'b'));
  keys.b.update(room(4, 'b', 'a'));
  await until(() => keys.a.code !== null);
  keys.a.update({ appointment: 'x', me: { role: 'patient' }, keys: null, others: [] });
  assert.equal(keys.a.code, null);
  assert.equal(keys.a.holders.size, 0);
  close();
});

test('under a secret that somebody holds who is no longer shown nothing is sent for more than 10 s', async (context) => {
  const { keys, rings, close } = pair();
  keys.a.update(room(4, 'a', 'b'));
  keys.b.update(room(4, 'b', 'a'));
  await until(() => keys.a.code !== null && keys.b.code !== null);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  keys.a.update({ appointment: 'x', me: { role: 'patient' }, keys: null, others: [] });
  context.mock.timers.tick(9_900);
  assert.deepEqual(rings.a.owned, [4]);
  context.mock.timers.tick(200);
  assert.deepEqual(rings.a.owned, [4, null]);
  close();
});

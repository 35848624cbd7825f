/** A server that lies to the browser's client: it stands in between, withholds, invents leavings, steps aside again. */

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';

import { Handshake } from '../../../web/static/client/handshake.js';
import { KeyExchange } from '../../../web/static/client/key-exchange.js';
import { ownMaterial } from '../../../web/static/client/keys.js';
import { Chain, forgetTally } from '../../../web/static/client/tally.js';
import { until as soon } from './until.js';

const RUNS = Number(process.env.LIES ?? 40);
/** So few codes that a guess is right now and then. Elsewhere they have six digits, or they would be the same by chance. */
const FEW = 8;
const ROLE = { a: 'practitioner', b: 'patient', x: 'guest' };
const APPOINTMENT = 'appointment';

/** In whose tab something happens; each has a storage of its own. */
const tab = new AsyncLocalStorage();
Object.defineProperty(globalThis, 'sessionStorage', { get: () => tab.getStore()?.storage() });

const pause = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

const until = (check) => soon(check, 30_000, 1);

const view = (epoch, me, shown, members) => ({
  appointment: APPOINTMENT,
  me: { participant: me, role: ROLE[me[0]] },
  others: shown.map((participant) => ({ participant, role: ROLE[participant[0]], state: 'admitted', connected: true })),
  keys: members && { epoch, members: [me, ...members].map((participant) => ({ participant, role: ROLE[participant[0]] })) },
});

/** One person's page, and the tab's storage that outlives it. */
class Page {
  loads = 0;
  stored = new Map();

  constructor(letter, codes) {
    this.letter = letter;
    this.codes = codes;
    this.load();
  }

  load() {
    this.keys?.close();
    this.id = `${this.letter}${(this.loads += 1)}`;
    this.heard = new Map();
    this.sent = [];
    this.used = [];
    this.refused = false;
    const wire = {
      on: (event, listener) => (this.heard.set(event, listener), () => this.heard.delete(event)),
      request: async (event, body) => {
        this.sent.push([event, body]);
        await this.peer?.(event, body, this.id);
      },
    };
    const ring = { own: ({ secret }) => this.used.push(String(secret)), remote: () => undefined, disown: () => undefined };
    this.keys = new KeyExchange(wire, this.id, ring, this.codes);
    this.keys.addEventListener('tampering', () => { this.refused = true; });
  }

  view(...rest) {
    const [epoch, shown, members] = rest;
    this.sent = [];
    tab.run(this, () => this.keys.update(view(epoch, this.id, shown, members)));
  }

  storage() {
    const { stored } = this;
    return { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value), removeItem: (key) => stored.delete(key) };
  }

  hear(sender, event, body) {
    tab.run(this, () => this.heard.get(event)?.({ ...body, sender }));
  }
}

/** Of the liar: it claims what it likes, and believes anything. */
class Claims extends Chain {
  constructor(claim) {
    super();
    this.claim = claim;
  }

  last() {
    return this.claim;
  }

  holds() {
    return true;
  }
}

/** The liar in one epoch of one page, as the other one there. It shows its key when told to. */
async function between(page, name, epoch, claim = new Uint8Array()) {
  const members = [page.id, name].map((participant) => ({ participant, role: ROLE[participant[0]] }));
  const persona = { held: [], code: null, secret: null };
  page.peer = (event, body) => persona.handshake.receive(event, { ...body, sender: page.id });
  const chain = new Claims(claim);
  chain.agree = (transcript) => { persona.transcript = transcript; };
  persona.handshake = new Handshake({
    appointment: APPOINTMENT, participant: name, epoch, members, own: await ownMaterial(), chain, withheld: 0, codes: page.codes,
    send: async (event, body) => (event === 'key-commit' ? page.hear(name, event, body) : persona.held.push([event, body])),
    onReveal: () => undefined,
    onRemote: (_from, { secret }) => { persona.secret = String(secret); },
    onOwn: () => undefined,
    onComplete: ({ code }) => { persona.code = code; },
    onFailure: () => undefined,
  });
  page.view(epoch, [name], [name]);
  persona.show = async () => {
    for (let said = 0; said < 2; said += 1) {
      await until(() => persona.held.length > 0);
      page.hear(name, ...persona.held.shift());
      await pause(2);
    }
  };
  persona.handshake.start();
  await until(() => page.sent.some(([event]) => event === 'key-reveal'));
  await until(() => persona.held.length > 1);
  return persona;
}

/** An epoch in which nobody lies. */
async function honest(pages, epoch) {
  const [first, second] = pages;
  first.peer = (event, body, from) => void pause().then(() => second.hear(from, event, body));
  second.peer = (event, body, from) => void pause().then(() => first.hear(from, event, body));
  for (const [page, other] of [pages, [second, first]]) page.view(epoch, [other.id], [other.id]);
  await until(() => pages.every(({ keys, refused }) => keys.code !== null || refused) || pages.some(({ refused }) => refused));
}

async function pair(work, codes) {
  const pages = [new Page('a', codes), new Page('b', codes)];
  try {
    await work(pages, ...pages);
  } finally {
    for (const { keys } of pages) keys.close();
  }
}

test('who stood in between for one epoch cannot step aside unseen', () => pair(async (pages, first) => {
  await honest(pages, 1);
  const { transcript } = await between(first, 'b1', 2).then(async (persona) => (await persona.show(), persona));
  await until(() => first.keys.code !== null);
  assert.equal(first.keys.comparison.again, 'renewed');
  await honest(pages, 3);
  assert.ok(transcript && pages[1].refused, 'the other one never agreed on that');
}));

test('digits never change in silence', () => pair(async (pages, first, second) => {
  await honest(pages, 1);
  assert.equal(first.keys.comparison.again, null);
  second.load();
  await honest(pages, 2);
  assert.deepEqual(pages.map(({ keys }) => keys.comparison.again), ['came', 'renewed']);
  for (const { keys } of pages) keys.compared();
  await honest(pages, 3);
  assert.ok(pages.every(({ keys }) => keys.comparison.again === 'renewed'));
  assert.ok(pages.every(({ keys }) => keys.people === 2));
}));

for (const ending of ['epoch', 'leaving', 'reload']) {
  test(`the third reveal in vain is said, whatever ends it: ${ending}`, () => pair(async (pages, first, second) => {
    for (let epoch = 1; epoch <= 3; epoch += 1) {
      assert.equal(first.keys.comparison.withheld, false, `${epoch}`);
      await between(first, 'b1', epoch);
      if (ending === 'leaving') first.view(epoch, [], null);
      if (ending === 'reload') first.load();
    }
    if (ending === 'epoch') first.view(4, [], null);
    await honest(pages, 5);
    assert.ok(first.keys.comparison.withheld && second.keys.comparison.withheld, 'to both');
    first.keys.compared();
    assert.ok(first.keys.comparison.withheld, 'it stays');
    tab.run(first, forgetTally);
    assert.ok(first.stored.size, 'an end can be invented');
  }));
}

test('the tenth epoch without somebody new is said to both', () => pair(async (pages) => {
  for (let epoch = 1; epoch <= 10; epoch += 1) {
    await honest(pages, epoch);
    assert.deepEqual(pages.map(({ keys }) => keys.comparison.withheld), [epoch === 10, epoch === 10], `${epoch}`);
  }
}));

test('nobody who is not shown is given anything, at once or later', () => pair(async (pages, first, second) => {
  await honest(pages, 1);
  first.view(1, [second.id], [second.id, 'x1']);
  assert.ok(first.refused);
  assert.deepEqual([first.sent, first.keys.code], [[], null]);
  second.view(2, ['a1', 'a1'], ['a1', 'x1']);
  assert.ok(second.refused);
  assert.deepEqual(second.sent, []);
}));

test('guessing at both ends is told of before it pays', async () => {
  let lucky = 0;
  for (let run = 0; run < RUNS; run += 1) {
    await pair(async (pages) => {
      const open = [null, null];
      for (let epoch = 1; epoch < 12; epoch += 1) {
        const at = epoch <= 2 ? epoch - 1 : epoch % 2;
        open[at] = await between(pages[at], at ? 'a1' : 'b1', epoch);
        const codes = await Promise.all(open.map(async (persona) => persona && codeOf(persona)));
        if (codes[0] === null || codes[0] !== codes[1]) continue;
        for (const persona of open) await persona.show();
        await until(() => pages.every(({ keys }) => keys.code !== null));
        const told = pages.map(({ keys }) => keys.comparison.withheld);
        if (epoch <= 6) lucky += 1;
        else assert.ok(told.some(Boolean), `guessed at the ${epoch}th, and said to nobody`);
        return;
      }
      assert.ok(pages.every(({ keys }) => keys.comparison.withheld));
    }, FEW);
  }
  assert.ok(lucky < RUNS, 'with eight codes, some guess right');
});

/** The six digits that the page would show. */
async function codeOf({ transcript }) {
  const { verificationCode } = await import('../../../web/static/client/keys.js');
  return verificationCode(transcript, FEW);
}

/** What happens in test_client_signaling.py, against a Socket.IO server that refuses, answers and hangs up on demand. */

import { Desk } from '/static/client/desk.js';
import { Signaling } from '/static/client/signaling.js';

import { until } from './until.js';

/** A connection whose tokens are t1, t2, …; `asked` counts them. */
function connection(options = {}) {
  const heard = { tokens: 0, opened: 0, closed: 0, refused: null };
  const signaling = new Signaling({ token: async () => `t${(heard.tokens += 1)}`, ...options });
  signaling.addEventListener('open', () => { heard.opened += 1; });
  signaling.addEventListener('close', () => { heard.closed += 1; });
  signaling.addEventListener('refused', ({ detail }) => { heard.refused = detail.code; });
  return { signaling, heard };
}

const codeOf = (promise) => promise.then(() => null, ({ name, code, category }) => [name, code, category]);

async function comesBack() {
  const { signaling, heard } = connection();
  const desk = new Desk(signaling);
  const views = [];
  desk.addEventListener('desk', ({ detail }) => views.push(detail.version));
  await desk.watch();
  const first = { ...heard };
  const lost = codeOf(signaling.request('hang-up'));
  await until(() => heard.closed === 1);
  const offline = await codeOf(signaling.request('echo'));
  await until(() => heard.opened === 2 && views.length === 2);
  return { first, heard, views, lost: await lost, offline };
}

async function resumeRefused() {
  let ticket = 'stale';
  const { signaling, heard } = connection({ resume: () => ticket, resumeRefused: () => { ticket = null; } });
  const reply = await signaling.request('echo', { said: 'hello' });
  return { reply, heard, ticket };
}

async function hopeless() {
  const { signaling, heard } = connection({ token: async () => 'old-version' });
  const code = await codeOf(signaling.request('echo'));
  const again = await codeOf(signaling.request('echo'));
  return { code, again, refused: heard.refused };
}

async function neverAccepted() {
  const { signaling, heard } = connection({ token: async () => 'nonsense' });
  return { code: await codeOf(signaling.request('echo')), refused: heard.refused };
}

async function errors() {
  const { signaling } = connection();
  return { taken: await codeOf(signaling.request('refuse', { code: 'seat_taken', category: 'user', message: 'Elsewhere.' })) };
}

async function present() {
  const { signaling } = connection();
  return signaling.request('ask-present');
}

async function numbers() {
  const { signaling } = connection();
  const heard = [];
  let gaps = 0;
  signaling.addEventListener('gap', () => { gaps += 1; });
  signaling.on('chat', ({ n }) => heard.push(['a', n]));
  signaling.on('chat', ({ n }) => heard.push(['b', n]));
  const before = signaling.seen;
  const events = [
    ['replay', { seq: 40, complete: true }, []],
    ['chat', { n: 1 }, [{ seq: 41 }]],
    ['chat', { n: 2 }, [{ seq: 43 }]],
    ['chat', { n: 3 }, [{ seq: 42 }]],
    ['chat', { n: 3 }, [{ seq: 43 }]],
    ['chat', { n: 4 }, []],
    ['replay', { seq: 43, complete: false }, []],
    ['chat', { n: 5 }, [{ seq: 44 }]],
  ];
  await signaling.request('say', { events });
  return { before, heard, seen: signaling.seen, gaps };
}

/** A message whose acknowledgement is lost so many times, with all that was sent of it and all that came of it. */
async function once({ knows = true, event = 'chat', place = true, lose = 2 }) {
  const { signaling, heard } = connection({ token: async () => `t${(heard.tokens += 1)}${knows ? '' : '-old'}` });
  const enter = () => place && signaling.request('arrive', { participant: 'p' });
  const sent = async () => (await signaling.request('sent')).ids;
  await signaling.request('echo');
  await enter();
  const said = codeOf(signaling.request(event, { ciphertext: 'x', lose }));
  const early = [];
  for (let lost = 1; lost <= lose; lost += 1) {
    await until(() => heard.opened === lost + 1);
    if (place) early.push((await sent()).length);
    await enter();
  }
  const code = await said;
  await signaling.request(event, { ciphertext: 'y', lose: 0 });
  return { code, early, ...(await signaling.request('sent')) };
}

/** A message that is sent when the connection is back, before the page has entered again. */
async function early() {
  const { signaling, heard } = connection();
  await signaling.request('arrive', { participant: 'p' });
  await signaling.request('hang-up').catch(() => {});
  await until(() => heard.opened === 2);
  const said = codeOf(signaling.request('chat', { ciphertext: 'x', lose: 0, inside: true }));
  const before = (await signaling.request('sent')).done;
  await signaling.request('arrive', { participant: 'p' });
  return { code: await said, before, ...(await signaling.request('sent')) };
}

/** For a test that drives the page's clock itself. */
function patient() {
  const { signaling, heard } = connection();
  window.patient = heard;
  signaling.open();
}

async function givenUp() {
  const { signaling, heard } = connection();
  await signaling.request('arrive', { participant: 'p' });
  const sent = codeOf(signaling.request('chat', { ciphertext: 'x', lose: 1 }));
  await until(() => heard.closed === 1);
  signaling.close();
  return { code: await sent };
}

Object.assign(window, { scenarios: { once, early, patient, givenUp, numbers, comesBack, resumeRefused, hopeless, neverAccepted, errors, present } });

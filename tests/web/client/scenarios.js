/** What happens in the tests of test_client_browser.py, which say what must come of it. */

import { fromBase64Url } from '/static/client/bytes.js';
import { KeyExchange } from '/static/client/key-exchange.js';

import { World, begin, decoded, frames, framesEncoded, late, pause, until } from './loopback.js';

const offers = (world) => world.log.filter(([event]) => event === 'offer').map(([, body]) => body);
const count = (world, wanted) => world.log.filter(([event]) => event === wanted).length;

/** The details of an event, as they come. */
function heard(target, event, pick = (detail) => detail) {
  const details = [];
  target.addEventListener(event, ({ detail }) => details.push(pick(detail)));
  return details;
}

/** What was on its way when a source was stopped still arrives, late on a slow machine; afterwards nothing may. */
async function drained(world) {
  let before = -1;
  await until(async () => {
    const still = before === world.seen.plain;
    before = world.seen.plain;
    if (!still) await pause(2_000);
    return still;
  }, 60_000);
}

const states = (world) => heard(world.consult, 'state', ({ state }) => state);
const connected = (world) => until(() => world.consult.state === 'connected');

export async function connect() {
  const world = new World();
  const seen = states(world);
  const tracks = heard(world.consult, 'tracks', (it) => [it.participant, it.stage, it.stream.getTracks().length]);
  await begin(world);
  await connected(world);
  await until(() => world.seen.encrypted > 60);
  await until(async () => (await decoded(world)) > 20);
  const codes = [world.consult.code, world.keys.code];
  return { states: seen, codes, seen: world.seen, tracks, indicated: world.told, offers: offers(world) };
}

export async function noKeys() {
  const world = new World({ secretsPass: false });
  await begin(world);
  await until(() => world.relay?.pc.connectionState === 'connected');
  await pause(2000);
  return { seen: world.seen, state: world.consult.state, encoded: await framesEncoded(world) };
}

export async function lateCamera() {
  late('video');
  const world = new World();
  const stopped = heard(world.consult, 'unencrypted');
  await begin(world);
  await until(() => stopped.length > 0);
  await drained(world);
  const { plain, encrypted } = world.seen;
  await pause(1500);
  const [later, sound] = [world.seen.plain - plain, world.seen.encrypted - encrypted];
  return { stopped, plain, later, sound, told: world.told };
}

export async function lateMicrophone() {
  late('audio');
  const world = new World();
  const stopped = heard(world.consult, 'unencrypted');
  await begin(world);
  await until(() => stopped.length > 0);
  await drained(world);
  const before = world.seen.plain;
  await pause(1500);
  return { stopped, later: world.seen.plain - before };
}

export async function transformRemoved() {
  const world = new World();
  const stopped = heard(world.consult, 'unencrypted');
  await begin(world);
  await connected(world);
  await until(() => world.seen.encrypted > 30);
  const camera = window.peerConnections[0].getSenders().find(({ track }) => track?.kind === 'video');
  camera.transform = null;
  await until(() => stopped.length > 0);
  await drained(world);
  const { plain } = world.seen;
  await pause(1000);
  return { stopped, later: world.seen.plain - plain };
}

export async function cameraAgain() {
  const world = new World();
  await begin(world);
  await connected(world);
  world.line.say('unencrypted', { source: 'camera' });
  await until(() => world.told.camera === false);
  const media = await navigator.mediaDevices.getUserMedia({ video: true });
  await world.consult.setCamera(media.getVideoTracks()[0]);
  const seen = world.seen.encrypted;
  await until(async () => world.consult.state === 'connected' && (await framesEncoded(world)) > 10);
  await until(() => world.seen.encrypted > seen + 30);
  return { told: world.told, plain: world.seen.plain, connections: count(world, 'offer') };
}

export async function newEpochs() {
  const world = new World();
  const codes = heard(world.consult, 'code', ({ code }) => code);
  await begin(world);
  await connected(world);
  await until(async () => (await decoded(world)) > 10);
  const [seen, before] = [states(world), count(world, 'keyframe')];
  for (let round = 0; round < 3; round += 1) {
    world.rekey();
    await until(() => world.consult.code !== null && world.consult.code === world.keys.code);
    await pause(300);
  }
  const agreed = codes.filter((code) => code !== null).length;
  return { codes: agreed, states: seen, keyframes: count(world, 'keyframe') - before, plain: world.seen.plain };
}

export async function tampering() {
  const other = (nonce) => nonce.replace(/^./, (char) => (char === 'A' ? 'B' : 'A'));
  const tamper = (event, body) => (event === 'key-reveal' ? { ...body, nonce: other(body.nonce) } : body);
  const world = new World({ tamper });
  await begin(world);
  await until(() => world.consult.state === 'failed');
  await pause(1000);
  const { reason, code } = world.consult;
  return { reason, code, seen: world.seen, wrapped: count(world, 'key-wrap') };
}

export async function screen() {
  const world = new World();
  await begin(world);
  await connected(world);
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
  const context = canvas.getContext('2d');
  let hue = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(hue += 20)} 80% 50%)`;
    context.fillRect(0, 0, 640, 360);
  }, 60);
  const track = canvas.captureStream(15).getVideoTracks()[0];
  await world.consult.setScreen(track);
  const sent = async () => {
    const sender = window.peerConnections[0].getSenders().find((it) => it.track === track);
    return sender ? frames(sender) : 0;
  };
  await until(async () => (await sent()) > 10);
  await world.consult.setScreen(null);
  await world.consult.setScreen(track);
  await until(async () => (await sent()) > 15);
  const lines = offers(world).map((offer) => offer.lines.map(({ use }) => use));
  return { lines, plain: world.seen.plain, told: world.told };
}

export async function newFence() {
  const world = new World();
  await begin(world);
  await connected(world);
  const seen = states(world);
  world.relay.pc.close();
  Object.assign(world, { fence: 7, ready: false });
  world.changed();
  await until(() => seen.at(-1) === 'reconnecting');
  await pause(300);
  Object.assign(world, { ready: true });
  world.changed();
  await until(() => seen.at(-1) === 'connected');
  return { states: seen, fences: offers(world).map(({ fence }) => fence), plain: world.seen.plain };
}

export async function lostSocket() {
  const world = new World();
  await begin(world);
  await connected(world);
  const seen = states(world);
  world.line.connected = false;
  world.line.dispatchEvent(new Event('close'));
  await pause(100);
  world.line.connected = true;
  world.line.dispatchEvent(new Event('open'));
  await until(() => seen.at(-1) === 'connected');
  const arrivals = world.log.filter(([event]) => event === 'arrive').map(([, body]) => body);
  const same = arrivals.length === 2 && arrivals.every((it) => it.participant === world.me && !it.take_over);
  const stored = JSON.parse(sessionStorage['spreekkamer.resume']);
  return { states: seen, same, stored, offers: count(world, 'offer') };
}

export async function chat() {
  const world = new World();
  await begin(world);
  await connected(world);
  await world.consult.sendChat('Goedemiddag <b>dokter</b>');
  const sent = fromBase64Url(world.chat.ciphertext);
  const opened = async (frame) => JSON.parse(new TextDecoder().decode(await world.encryption.open(world.me, frame)));
  const content = await opened(sent);
  const again = await world.encryption.open(world.me, sent);
  world.chat = null;
  world.line.dispatchEvent(new Event('gap'));
  await until(() => world.chat);
  const asked = await opened(fromBase64Url(world.chat.ciphertext));
  world.other.participant = 'zz-other-reloaded';
  world.keys.close();
  world.keys = new KeyExchange(world.otherLine, world.other.participant, world.encryption);
  world.chat = null;
  world.rekey();
  await until(() => world.chat?.to);
  const log = await opened(fromBase64Url(world.chat.ciphertext));
  return { content, again, asked, to: world.chat.to, log, kept: world.consult.chatLog.length };
}

export async function wrongSlot() {
  const world = new World();
  world.slots = () => [{ slot: 0, participant: 'somebody-else' }];
  await begin(world);
  await until(() => world.consult.code !== null);
  await until(() => world.seen.encrypted > 60);
  await pause(1500);
  const wrong = await decoded(world);
  world.line.say('slots', { fence: world.fence, version: 2, slots: [{ slot: 0, participant: world.other.participant }] });
  await connected(world);
  return { wrong };
}

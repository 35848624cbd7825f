import { arrange, shownHeight } from './arrange.js';
import { el, slot } from './build.js';
import { Floor } from './floor.js';
import { has, learn, plural, t } from './language.js';
import { Door, PersonDialog } from './person.js';
import { Tile } from './tile.js';
import { present } from './trust.js';

/** @import {Consult} from '../client/consult.js' */
/** @import {Group, Shown} from '../client/group.js' */
/** @import {ParticipantView} from '../../types/wire.js' */
/** @import {ConsultCall} from './call.js' */
/** @typedef {{name: string, role: string | null}} Named `role`: of a guest, as in `GuestRole` */

await Promise.all([learn('group'), dress()]);

/** The style sheet of this alone. */
function dress() {
  const sheet = el('link', { rel: 'stylesheet', href: new URL('../css/group.css', import.meta.url).href });
  return new Promise((resolve) => {
    for (const type of ['load', 'error']) sheet.addEventListener(type, resolve);
    document.head.append(sheet);
  });
}

const MOST_PINNED = 2;
/** A window with less room than this along its shorter side shows one face large and the others small. */
const NARROW = 480;
const PLACED = ['inset', 'left', 'top', 'width', 'height'];

/** The faces of more than two people, in the place of the one that fills the window otherwise. */
export class GroupView {
  /** @type {Map<string, Tile>} */ #tiles = new Map();
  /** @type {string[]} */ #pinned = [];
  /** @type {Map<string, string>} the names of all who were here */ #known = new Map();
  /** @type {Set<string>} whose picture stands still */ #still = new Set();
  /** @type {Set<string>} */ #silent = new Set();
  /** @type {import('./host.js').HostList | null} */ #host = null;
  #floor = new Floor();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #later;
  #list = el('ul', { className: 'people', 'data-slot': 'people-list', 'data-testid': 'tiles' });
  #said = el('p', { className: 'visually-hidden', role: 'status' });
  #over = new AbortController();
  #sizes = new ResizeObserver(() => this.#arrange());

  /** @param {ConsultCall} call @param {Consult} consult @param {Group} group */
  constructor(call, consult, group) {
    this.call = call;
    this.consult = consult;
    this.group = group;
    this.stage = /** @type {HTMLElement} */ (call.querySelector('.call-stage'));
    this.person = new PersonDialog(call, group, {
      named: (person) => this.named(person),
      leads: () => leads(consult),
      pin: (participant) => this.#pin(participant),
    });
    this.door = new Door(call, group, () => leads(consult));
    this.#list.setAttribute('aria-label', t('group.people'));
    this.stage.append(this.#list, this.#said);
    const all = call.querySelector('[data-action="put-back"]');
    if (all instanceof HTMLElement) all.hidden = true; // Each has it in their own menu.
    const one = slot(call, 'remote-video', HTMLVideoElement);
    one.srcObject = null;
    delete one.dataset.testid;
    call.toggleAttribute('data-group', true);
    const { signal } = this.#over;
    group.addEventListener('change', () => this.show(), { signal });
    document.addEventListener('visibilitychange', () => this.#tell(), { signal });
    for (const place of this.#around) this.#sizes.observe(place);
    slot(call, 'remote-screen').addEventListener('resize', () => this.#tell(), { signal });
    this.show();
  }

  /** What the faces have to leave free. */
  get #around() {
    return ['.call-stage', '.call-top', '.call-bottom', '.composer'].map((place) => /** @type {HTMLElement} */ (this.call.querySelector(place)));
  }

  /** @param {ParticipantView} person @returns {Named} */
  named(person) {
    const named = this.call.names?.(person);
    if (named) return named;
    if (person.role === 'practitioner') return { name: this.call.other, role: null };
    const guest = this.group.introduced.get(person.guest ?? '');
    if (guest) return { name: guest.name, role: has(`group.role.${guest.role}`) ? guest.role : null };
    const alike = present(this.consult).filter(({ role }) => role === person.role);
    const number = alike.length > 1 ? ` ${alike.findIndex(({ participant }) => participant === person.participant) + 1}` : '';
    return { name: `${t(`group.person.${person.role}`)}${number}`, role: null };
  }

  /** @param {string} participant */
  name(participant) {
    const person = present(this.consult).find((one) => one.participant === participant);
    return person ? this.named(person).name : this.call.other;
  }

  /** Who wrote something, also when they are gone. @param {{participant: string, role: import('../../types/wire.js').Role}} entry */
  author({ participant, role }) {
    const person = present(this.consult).find((one) => one.participant === participant);
    if (person) return this.named(person).name;
    if (role === 'practitioner') return this.call.other;
    return this.#known.get(participant) ?? t(`group.person.${role}`);
  }

  /** Whether the browser counts new frames of this picture. @param {string} participant @param {boolean} flowing */
  flows(participant, flowing) {
    // What is not to be seen is not sent.
    const wanted = !document.hidden && !this.call.soundOnly && !this.group.seats.some((seat) => seat.participant === participant && seat.paused);
    if (flowing) this.#still.delete(participant);
    else if (wanted) this.#still.add(participant);
    this.show();
  }

  /** Begin with sound anew, after a press. */
  async play() {
    await Promise.all([...this.#tiles.values()].map((tile) => tile.play(this.call.capture?.chosen.speaker)));
  }

  /** Draw everybody as they are now. */
  show() {
    const people = present(this.consult);
    this.#meet(people);
    const seats = new Map(this.group.seats.filter(({ slot: at }) => at >= 0).map((seat) => [seat.participant, seat]));
    for (const person of people) {
      const tile = this.#tiles.get(person.participant);
      const seat = seats.get(person.participant);
      tile?.give(seat?.stream ?? null, this.call.capture?.chosen.speaker);
      tile?.show(this.#state(person, tile.video, seat?.paused === true));
    }
    const title = plural('group.title', people.length + 1);
    slot(this.call, 'clock-name').textContent = title;
    const [one, ...others] = people;
    document.title = `${one && !others.length ? t('call.title.with', { name: this.named(one).name }) : title} – ${t('brand')}`;
    slot(this.call, 'nobody').hidden = people.length > 0;
    slot(this.call, 'nobody-words').textContent = t(this.consult.state === 'connecting' ? 'call.connecting' : 'group.alone');
    this.door.show(this.consult);
    this.#lead().catch(() => undefined);
    this.#arrange();
  }

  end() {
    this.#over.abort();
    clearTimeout(this.#later);
    this.#sizes.disconnect();
    for (const tile of this.#tiles.values()) tile.remove();
    this.person.remove();
    this.door.remove();
    this.#host?.remove();
    this.#list.remove();
    this.#said.remove();
    for (const placed of [slot(this.call, 'remote-screen'), this.#self]) for (const property of PLACED) placed.style.removeProperty(property);
    slot(this.call, 'remote-video').dataset.testid = 'remote-video';
    this.call.querySelector('[data-action="put-back"]')?.removeAttribute('hidden');
    for (const mark of ['data-group', 'data-many']) this.call.removeAttribute(mark);
    slot(this.call, 'clock-name').textContent = this.call.other;
  }

  get #self() {
    return /** @type {HTMLElement} */ (this.call.querySelector('.self'));
  }

  /** Who came, and who is gone. @param {ParticipantView[]} people */
  #meet(people) {
    const there = new Set(people.map(({ participant }) => participant));
    for (const [participant, tile] of this.#tiles) {
      if (there.has(participant)) continue;
      tile.remove();
      this.#said.textContent = t('group.left', { name: this.#known.get(participant) ?? '' });
      this.#tiles.delete(participant);
      this.#still.delete(participant);
      this.#silence(participant, false);
    }
    const first = this.#tiles.size === 0;
    for (const person of people) {
      const { participant } = person;
      this.#known.set(participant, this.named(person).name);
      if (this.#tiles.has(participant)) continue;
      const tile = new Tile(
        participant,
        () => this.person.open(participant),
        () => this.show(),
        (silent) => this.#silence(participant, silent),
      );
      this.#tiles.set(participant, tile);
      this.#list.append(tile.element);
      if (!first) this.#said.textContent = t('group.came', { name: this.named(person).name });
    }
    this.#pinned = this.#pinned.filter((participant) => there.has(participant));
    this.person.show(people, this.#pinned);
  }

  /** What only those see and do who lead the consult. */
  async #lead() {
    const { room, role } = this.consult;
    const others = room?.others ?? [];
    if (role === 'practitioner') {
      this.#introduce(others);
      // With a colleague who leads it, it does not end.
      const words = t(`call.leave.${others.some(({ host }) => host) ? 'patient' : 'practitioner'}`);
      const label = this.call.querySelector('[data-action="leave"] .bar-label');
      if (label && label.textContent !== words) label.textContent = words;
    } else if (room?.me.host) {
      const { HostList } = await import('./host.js');
      const notes = /** @type {HTMLElement} */ (this.call.querySelector('.call-notes'));
      this.#host ??= new HostList(notes, this.group, (person) => this.named(person).name);
    }
    this.#host?.show(room?.me.host ? others.filter(({ state }) => state === 'waiting') : []);
  }

  /** To the pages that know nobody. @param {ParticipantView[]} people */
  #introduce(people) {
    const guests = people.flatMap((person) => {
      const { name, role } = this.named(person);
      return person.guest && role ? [{ guest: person.guest, name, role }] : [];
    });
    this.group.introduce(guests);
  }

  /** @param {ParticipantView} person @param {HTMLVideoElement} video @param {boolean} paused @returns {import('./tile.js').TileState} */
  #state(person, video, paused) {
    const { participant, indicators, connected, media, host } = person;
    const { name, role } = this.named(person);
    const picture = indicators.camera && video.videoWidth > 0 && !this.call.soundOnly;
    const still = picture && !paused && this.#still.has(participant);
    let words = '';
    // Whoever has lost only the server is still seen and heard.
    if (!connected && media !== 'connected') words = t('call.away', { name });
    else if (this.call.soundOnly) words = t('group.sound-only.short');
    else if (!indicators.camera) words = t('call.other-camera', { name });
    else if (paused) words = t('group.paused');
    else if (!picture || !this.group.inTouchWith(participant)) words = t('group.coming', { name });
    else if (still) words = t('call.still', { name });
    return {
      name,
      role: [role && t(`group.role.${role}`), host && t('group.host')].filter(Boolean).join(', '),
      muted: !indicators.microphone,
      speaks: indicators.microphone && this.group.speaking.has(participant),
      pinned: this.#pinned.includes(participant),
      seen: picture,
      still: still || (picture && paused),
      words,
    };
  }

  /** The browser keeps somebody's sound off until a press. @param {string} participant @param {boolean} silent */
  #silence(participant, silent) {
    if (silent) this.#silent.add(participant);
    else this.#silent.delete(participant);
    slot(this.call, 'silent').hidden = this.#silent.size === 0;
  }

  /** @param {string} participant */
  #pin(participant) {
    const without = this.#pinned.filter((one) => one !== participant);
    this.#pinned = without.length < this.#pinned.length ? without : [...without, participant].slice(-MOST_PINNED);
    this.show();
  }

  /** Everything at its place in the window. */
  #arrange() {
    const area = this.#area();
    if (area.width <= 0 || area.height <= 0) return;
    const screen = slot(this.call, 'remote-screen', HTMLVideoElement);
    const many = this.#tiles.size > 1;
    this.call.toggleAttribute('data-many', many || !screen.hidden);
    const own = many && !this.#self.hidden;
    const large = this.#large(area, screen.hidden);
    const order = [...large, ...[...this.#tiles.keys()].filter((participant) => !large.includes(participant))];
    const small = order.length - large.length + Number(own);
    const { screen: shared, faces } = arrange({ ...area, large: large.length, small, screen: !screen.hidden });
    for (const [at, participant] of order.entries()) {
      const box = faces[at];
      if (box) this.#tiles.get(participant)?.place({ ...box, x: box.x + area.x, y: box.y + area.y });
    }
    put(screen, shared, area);
    put(this.#self, own ? (faces.at(-1) ?? null) : null, area);
    this.#tell();
  }

  /** What is free of buttons and words, in the stage. */
  #area() {
    const [stage, top, bottom, composer] = this.#around.map((place) => place.getBoundingClientRect());
    if (!stage || !top || !bottom || !composer) return { x: 0, y: 0, width: 0, height: 0 };
    if (this.#tiles.size === 1 && slot(this.call, 'remote-screen').hidden) return { x: 0, y: 0, width: stage.width, height: stage.height };
    const open = this.call.chat?.open;
    const end = open || composer.bottom > bottom.top ? bottom.top : Math.min(bottom.top, composer.top);
    const y = top.bottom - stage.top;
    return { x: 8, y, width: stage.width - 16, height: end - stage.top - y - 8 };
  }

  /** Whose faces are large. @param {{width: number, height: number}} area @param {boolean} alone whether no screen is shared @returns {string[]} */
  #large({ width, height }, alone) {
    if (this.#pinned.length) return this.#pinned;
    if (!alone || Math.min(width, height) >= NARROW || this.#tiles.size < 3) return [];
    clearTimeout(this.#later);
    const wait = this.#floor.look([...this.#tiles.keys()], this.group.speaking, performance.now());
    if (wait !== null) this.#later = setTimeout(() => this.#arrange(), wait);
    return this.#floor.holder ? [this.#floor.holder] : [];
  }

  /** The relay, how large everything is. */
  #tell() {
    const none = document.hidden || Boolean(this.call.soundOnly);
    /** @param {HTMLVideoElement} video @param {'cover' | 'contain'} how */
    const height = (video, how) =>
      none ? 0 : shownHeight({ width: video.clientWidth, height: video.clientHeight }, { width: video.videoWidth, height: video.videoHeight }, how, devicePixelRatio);
    /** @type {Shown[]} */
    const shown = [...this.#tiles.values()].map(({ participant, video }) => ({
      participant,
      height: height(video, video.dataset.fit === 'contain' ? 'contain' : 'cover'),
      pinned: this.#pinned.includes(participant),
    }));
    const screen = slot(this.call, 'remote-screen', HTMLVideoElement);
    for (const { participant } of this.group.seats.filter(({ slot: at }) => at < 0)) {
      shown.push({ participant, stage: true, height: screen.hidden ? 0 : height(screen, 'contain') });
    }
    this.group.show(shown);
  }
}

/** Whether somebody here may call in, put back, remove and lock. @param {Consult} consult */
const leads = ({ role, room }) => role === 'practitioner' || room?.me.host === true;

/** @param {HTMLElement} element @param {import('./arrange.js').Box | null} box null: where the style sheet puts it @param {{x: number, y: number}} area */
function put(element, box, { x, y }) {
  for (const property of PLACED) element.style.removeProperty(property);
  if (!box) return;
  Object.assign(element.style, { inset: 'auto', left: `${box.x + x}px`, top: `${box.y + y}px`, width: `${box.width}px`, height: `${box.height}px` });
}

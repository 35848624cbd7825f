import { onAction, openDialog, say, slot } from './build.js';
import { Capture, canShare } from './capture.js';
import { ChatPanel } from './chat.js';
import { Clock } from './clock.js';
import { has, t } from './language.js';
import { fit, play, useSpeaker } from './remote.js';
import { movable, showCamera } from './selfview.js';
import { lacking, present, showTrust, showWay } from './trust.js';
import { alone, fadeWhenStill, keepAwake, maySleep } from './window.js';

/** @import {Consult} from '../client/consult.js' */
/** @import {ParticipantView} from '../../types/wire.js' */

/**
 * `<consult-call>`: the consult on the screen, for both roles.
 *
 * Events: `leave` (the person pressed it), `again` (try to connect anew), `over` ({reason}).
 */
export class ConsultCall extends HTMLElement {
  /** @type {Consult | null} */ consult = null;
  /** @type {Capture | null} */ capture = null;
  /** What the consult was given last. @type {Record<string, MediaStreamTrack | null>} */ #given = {};
  /** @type {AbortController | null} */ #follow = null;
  /** @type {() => Promise<void>} */ #drawFields = async () => {};
  #stopped = new Set();
  /** The other person's name. */
  other = '';
  /** The names of all who take part, where the page knows them. @type {((person: ParticipantView) => import('./group.js').Named) | null} */
  names = null;
  /** The faces of more than two. @type {import('./group.js').GroupView | null} */
  group = null;
  /** What is said instead of pictures, where they were switched off by hand. */
  soundOnly = '';
  /** @type {import('./soundonly.js').SoundOnly | null} */ #pictures = null;
  /** A sentence about sound that does not flow. */
  #hint = '';
  /** The other person's picture stands still. */
  #still = false;
  /** @type {(() => void) | null} */ #admit = null;

  connectedCallback() {
    this.chat = new ChatPanel(slot(this, 'chat'), () => this.#showChat(), (entry) => this.group?.author(entry) ?? this.other);
    this.wake = fadeWhenStill(this);
    this.clock = new Clock(this);
    const own = /** @type {HTMLElement} */ (this.querySelector('.self'));
    movable(own, /** @type {HTMLElement} */ (own.querySelector('.self-move')));
    fit(this.#remote);
    this.#remote.addEventListener('playing', () => this.show());
    this.#remote.addEventListener('resize', () => this.show());
    slot(this, 'share-screen').hidden = !canShare();
    onAction(this, {
      microphone: () => this.#toggle('microphone'),
      camera: () => this.#toggle('camera'),
      screen: () => this.#share(),
      chat: () => this.chat?.toggle(),
      'close-chat': () => this.#closeChat(),
      leave: () => this.dispatchEvent(new Event('leave')),
      again: () => this.dispatchEvent(new Event('again')),
      'put-back': () => {
        slot(this, 'devices', HTMLDialogElement).close();
        this.dispatchEvent(new Event('put-back'));
      },
      newcomer: () => this.#admit?.(),
      more: () => this.#openDevices(),
      trust: () => openDialog(slot(this, 'trust', HTMLDialogElement)),
      compared: () => this.consult?.compared(),
      'hide-self': () => this.#hideSelf(true),
      'show-self': () => this.#hideSelf(!own.hidden),
      play: () => (this.group ?? this).play(),
      'sound-only': () => this.#turnPictures(),
      reacquire: () => this.#reacquire(),
    });
    this.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.chat?.open && !this.querySelector('dialog[open]')) this.#closeChat();
    });
  }

  get #remote() {
    return slot(this, 'remote-video', HTMLVideoElement);
  }

  get #stage() {
    return slot(this, 'remote-screen', HTMLVideoElement);
  }

  get #self() {
    return slot(this, 'self-video', HTMLVideoElement);
  }

  get #devices() {
    return slot(this, 'devices', HTMLDialogElement);
  }

  /**
   * Show `consult`; its events drive everything from now on.
   * @param {Consult} consult
   * @param {Capture} capture
   * @param {string} other the other person's name
   * @param {Date | null} ends the planned end, where it is known
   */
  follow(consult, capture, other, ends) {
    this.capture?.unshare();
    this.#follow?.abort();
    this.#apart();
    this.#given = {};
    this.#follow = new AbortController();
    const { signal } = this.#follow;
    this.consult = consult;
    this.capture = capture;
    this.other = other;
    this.#stopped.clear();
    this.#hint = '';
    this.#still = false;
    this.#drawFields = async () => (await import('./devicefields.js')).deviceFields(slot(this, 'device-fields'), capture, 'call')();
    this.chat?.follow(consult);
    this.clock?.set(other, consult.role, ends);
    capture.addEventListener('change', () => this.#send(), { signal });
    for (const name of ['room', 'state', 'code']) consult.addEventListener(name, () => this.show(), { signal });
    for (const [name, listener] of /** @type {[string, (detail: any) => void][]} */ ([
      ['tracks', (detail) => this.#tracks(detail)],
      ['quality', (detail) => showWay(this, detail)],
      ['unencrypted', (detail) => this.#unencrypted(detail)],
      ['pictureflow', (detail) => this.#pictureflow(detail)],
      ['audioflow', (detail) => this.#audioflow(detail)],
      ['group', () => this.#gather(consult)],
    ])) {
      consult.addEventListener(name, (event) => listener(/** @type {CustomEvent} */ (event).detail), { signal });
    }
    if (consult.group) this.#gather(consult);
    this.#send();
  }

  /** More than two may be in: show them as a group. @param {Consult} consult */
  async #gather(consult) {
    if ((consult.room?.capacity ?? 2) <= 2) return;
    const { GroupView } = await import('./group.js');
    if (this.consult !== consult || this.group || !consult.group) return;
    this.group = new GroupView(this, consult, consult.group);
  }

  async #turnPictures() {
    this.#pictures ??= new (await import('./soundonly.js')).SoundOnly(this);
    await this.#pictures.turn();
  }

  /** Fill the window. */
  open() {
    if (!this.hidden && this.dataset.state !== 'ended') return;
    this.#part('talk');
    document.body.dataset.call = '';
    alone(this, true);
    keepAwake();
    this.clock?.start();
    this.wake?.();
    /** @type {HTMLElement} */ (this.querySelector('#call-title')).focus();
    this.show();
  }

  /** The consult is over: show what comes after it, or nothing. @param {boolean} after */
  end(after) {
    this.capture?.unshare();
    this.#follow?.abort();
    this.#apart();
    this.chat?.forget();
    for (const video of [this.#remote, this.#stage, this.#self]) video.srcObject = null;
    for (const dialog of this.querySelectorAll('dialog')) dialog.close();
    delete document.body.dataset.call;
    alone(this, false);
    this.clock?.stop();
    maySleep();
    this.consult = null;
    this.dataset.state = after ? 'ended' : 'idle';
    this.#part(after ? 'after' : null);
  }

  /** Nothing of a group, nor of sound alone, goes on in the next consult. */
  #apart() {
    this.group?.end();
    this.#pictures?.remove();
    this.group = this.#pictures = null;
  }

  /** A word in the corner that makes no sound, such as who waits. @param {string | null} words */
  badge(words) {
    say(slot(this, 'badge'), words);
  }

  /**
   * Somebody opened the other person's link anew and waits, or was put back; `admit` lets that one in.
   * @param {(() => void) | null} admit @param {boolean} [held]
   */
  newcomer(admit, held = false) {
    this.#admit = admit;
    slot(this, 'newcomer').hidden = admit === null;
    slot(this, 'newcomer-anew').hidden = held;
    slot(this, 'newcomer-held').hidden = !held;
    this.wake?.();
  }

  /** @param {'talk' | 'after' | null} part */
  #part(part) {
    this.hidden = part === null;
    for (const element of this.querySelectorAll('[data-part]')) {
      if (element instanceof HTMLElement) element.hidden = element.dataset.part !== part;
    }
  }

  /** Give the consult what the devices give. */
  #send() {
    const { consult, capture } = this;
    if (!consult || !capture) return;
    const { microphone, camera, screen } = capture;
    if (microphone !== this.#given.microphone) consult.setMicrophone(microphone);
    if (camera !== this.#given.camera) consult.setCamera(camera);
    if (screen !== this.#given.screen) consult.setScreen(screen);
    this.#given = { microphone, camera, screen };
    consult.indicate({ microphone: Boolean(capture.microphone) && !capture.off.microphone });
    useSpeaker(this.#remote, capture.chosen.speaker);
    this.show();
  }

  /** Draw all as it is now. */
  show() {
    const { consult, capture } = this;
    if (!consult || !capture) return;
    if (['connecting', 'connected', 'reconnecting', 'failed'].includes(consult.state)) this.dataset.state = consult.state;
    if (consult.hopeless && capture.started) return capture.stop();
    const barred = consult.room?.barred ?? [];
    slot(this, 'share-screen').hidden = !canShare() || barred.includes('screen');
    slot(this, 'toggle-chat').hidden = barred.includes('chat');
    this.#showOwn(capture);
    this.#showStage(consult);
    if (this.group) this.group.show();
    else this.#showOther(consult);
    this.#pictures?.apply();
    showTrust(this, consult, (person) => this.group?.named(person).name ?? this.other);
    const lost = consult.reason === 'signaling' && !this.#still ? 'call.reconnecting.signaling' : 'call.reconnecting';
    const banner = consult.state === 'reconnecting' ? t(lost) : lacking(consult, (participant) => this.#name(participant)) || this.#hint;
    if (slot(this, 'banner').textContent !== banner) slot(this, 'banner').textContent = banner;
    const failed = consult.state === 'failed' ? `call.failed.${consult.reason}` : null;
    slot(this, 'failed').hidden = failed === null;
    if (failed) slot(this, 'failed-words').textContent = t(has(failed) ? failed : 'call.failed.media');
    if (!this.#devices.open) return;
    this.#drawFields();
  }

  /** @param {Capture} capture */
  #showOwn(capture) {
    const { camera, microphone, off, problem, interrupted } = capture;
    showCamera(this.#self, camera);
    slot(this, 'self-none').hidden = Boolean(camera);
    const sound = Boolean(microphone) && !off.microphone && !this.#stopped.has('microphone');
    const picture = Boolean(camera) && !off.camera && !this.#stopped.has('camera');
    slot(this, 'toggle-mic').setAttribute('aria-pressed', String(sound));
    slot(this, 'toggle-camera').setAttribute('aria-pressed', String(picture));
    slot(this, 'share-screen').setAttribute('aria-pressed', String(capture.screen !== null));
    const words = [];
    const mic = off.microphone ? null : problem.microphone && sort(problem.microphone);
    const eye = off.camera ? null : problem.camera && sort(problem.camera);
    if (mic && mic === eye) words.push(t(`call.both-${mic}`));
    else {
      if (off.microphone || mic) words.push(t(off.microphone ? 'call.muted' : `call.mic-${mic}`));
      if (off.camera || eye) words.push(t(off.camera ? 'call.camera-off' : `call.camera-${eye}`));
    }
    if (capture.screen) words.push(t('call.sharing'));
    const own = slot(this, 'own-state');
    if (own.textContent !== words.join(' · ')) own.textContent = words.join(' · ');
    this.toggleAttribute('data-own-state', words.length > 0);
    const resume = this.#stopped.size ? 'call.unencrypted' : interrupted ? 'call.interrupted' : null;
    slot(this, 'resume').hidden = resume === null;
    if (resume) slot(this, 'resume-words').textContent = t(resume);
  }

  /** @param {Consult} consult */
  #showOther(consult) {
    const name = this.other;
    const [other] = present(consult);
    const seen = !this.soundOnly && Boolean(this.#remote.srcObject && this.#remote.videoWidth) && other?.indicators.camera !== false;
    // Whoever has lost only the server is still seen and heard.
    const gone = other !== undefined && !other.connected && other.media !== 'connected';
    let words = '';
    if (consult.state === 'connecting') words = t('call.connecting');
    else if (!other) words = t('call.alone', { name });
    else if (gone) words = t('call.away', { name });
    else if (this.soundOnly) words = this.soundOnly;
    else if (!other.indicators.camera) words = t('call.other-camera', { name });
    else words = t('call.coming', { name });
    slot(this, 'nobody').hidden = seen;
    slot(this, 'nobody-words').textContent = words;
    this.#remote.dataset.seen = String(seen);
    const away = gone ? t('call.away', { name }) : null;
    const muted = other && !other.indicators.microphone ? t('call.other-muted', { name }) : null;
    const still = seen && this.#still;
    this.#remote.toggleAttribute('data-still', still);
    say(slot(this, 'other'), still ? t('call.still', { name }) : seen ? (away ?? muted) : muted);
    document.title = `${t('call.title.with', { name })} – ${t('brand')}`;
  }

  /** A place on the stage outlives the sharing; what its owner says to be sending is true at once. @param {Consult} consult */
  #showStage(consult) {
    const shared = Boolean(this.#stage.srcObject) && !this.soundOnly && present(consult).some(({ indicators }) => indicators.screen);
    this.#stage.hidden = !shared;
    this.toggleAttribute('data-stage', shared);
  }

  /** @param {{stage: boolean, stream: MediaStream | null}} tracks */
  #tracks({ stage, stream }) {
    if (!stage && !stream) this.#still = false;
    if (stage) {
      this.#stage.srcObject = stream;
      if (stream) play(this.#stage, () => {});
    } else if (!this.group) {
      this.#remote.srcObject = stream;
      if (stream) this.play();
    }
    this.show();
  }

  /** @param {string} participant */
  #name(participant) {
    return this.group?.name(participant) ?? this.other;
  }

  /** Begin with the other person's sound, which browsers may want a press for. */
  play() {
    useSpeaker(this.#remote, this.capture?.chosen.speaker);
    play(this.#remote, (silent) => (slot(this, 'silent').hidden = !silent));
  }

  /** @param {'microphone' | 'camera'} kind */
  async #toggle(kind) {
    const { capture, consult } = this;
    if (!capture || !consult) return;
    if (capture[kind] && !capture.off[kind]) capture.turnOff(kind);
    else await capture.turnOn(kind);
    if (capture.problem[kind] && !capture.off[kind]) this.#openDevices();
  }

  async #share() {
    const { capture } = this;
    if (capture?.screen) capture.unshare();
    else await capture?.share();
  }

  /** @param {{source: string}} detail */
  #unencrypted({ source }) {
    this.#stopped.add(source);
    this.show();
  }

  /** @param {{participant: string, flowing: boolean}} detail */
  #pictureflow({ participant, flowing }) {
    this.group?.flows(participant, flowing);
    this.#still = !flowing && !this.soundOnly;
    this.show();
  }

  /** @param {{participant: string, flowing: boolean}} detail */
  #audioflow({ participant, flowing }) {
    const mine = participant === this.consult?.participant;
    this.#hint = flowing ? '' : t(mine ? 'call.silent.mine' : 'call.silent.theirs', { name: this.#name(participant) });
    this.show();
  }

  async #reacquire() {
    this.#stopped.clear();
    await this.capture?.reacquire();
  }

  #openDevices() {
    this.#drawFields();
    openDialog(this.#devices);
  }

  /** @param {boolean} hide */
  #hideSelf(hide) {
    /** @type {HTMLElement} */ (this.querySelector('.self')).hidden = hide;
    this.querySelector('[data-action="show-self"]')?.setAttribute('aria-pressed', String(!hide));
  }

  #closeChat() {
    this.chat?.toggle(false);
    slot(this, 'toggle-chat').focus();
  }

  #showChat() {
    if (!this.chat) return;
    this.toggleAttribute('data-chat', this.chat.open);
    slot(this, 'toggle-chat').setAttribute('aria-expanded', String(this.chat.open));
    const { unread } = this.chat;
    say(slot(this, 'unread'), unread ? String(unread) : null);
    this.wake?.();
  }
}

/** What is wrong with a device, in the few words there is room for. @param {string} problem */
const sort = (problem) => (problem === 'denied' || problem === 'busy' ? problem : 'none');

customElements.define('consult-call', ConsultCall);

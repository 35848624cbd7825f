import { html, render } from '../vendor/lit-html-3.3.3/lit-html.js';
import { el } from './build.js';
import { t } from './language.js';
import { fit, play, useSpeaker } from './remote.js';
import { icon } from './rows.js';

/** @import {Box} from './arrange.js' */
/**
 * @typedef {object} TileState
 * @property {string} name
 * @property {string} role as what they take part, in words; empty where the name says it
 * @property {boolean} muted
 * @property {boolean} speaks
 * @property {boolean} pinned
 * @property {boolean} seen whether there is a picture to show
 * @property {boolean} still whether it stands still
 * @property {string} words what is to be said instead of a picture, or above it; empty for nothing
 */

const AVATAR = html`<span class="avatar" aria-hidden="true">${icon('user')}</span>`;

/** A sign with its words for screen readers. @param {string} of the icon @param {string} key */
const sign = (of, key) => html`<span class="tile-sign">${icon(of)}<span class="visually-hidden">${t(key)}</span></span>`;

/** Somebody in a group: picture and sound, name, what is to be said of them, and a button to what can be done. */
export class Tile {
  #drawn = '';

  /** @param {string} participant @param {() => void} onMenu @param {() => void} onSize @param {(silent: boolean) => void} onSilent */
  constructor(participant, onMenu, onSize, onSilent) {
    this.participant = participant;
    this.onMenu = onMenu;
    this.onSilent = onSilent;
    this.video = el('video', { autoplay: true, playsInline: true, 'data-testid': 'remote-video' });
    this.words = el('div', { className: 'tile-words' });
    this.label = el('div', { className: 'tile-label' });
    this.element = el('li', { className: 'tile', 'data-testid': 'tile' }, this.video, this.words, this.label);
    fit(this.video);
    for (const type of ['resize', 'playing']) this.video.addEventListener(type, onSize);
    this.sizes = new ResizeObserver(onSize);
    this.sizes.observe(this.video);
  }

  /** @param {MediaStream | null} stream @param {string | undefined} speaker */
  give(stream, speaker) {
    if (this.video.srcObject === stream) return;
    this.video.srcObject = stream;
    if (stream) this.play(speaker);
  }

  /** @param {string | undefined} speaker */
  play(speaker) {
    useSpeaker(this.video, speaker);
    return play(this.video, this.onSilent);
  }

  /** @param {Box} box */
  place({ x, y, width, height }) {
    Object.assign(this.element.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  }

  /** @param {TileState} state */
  show(state) {
    const drawn = JSON.stringify(state);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const { name, role, muted, speaks, pinned, seen, still, words } = state;
    this.video.setAttribute('aria-label', t('group.picture', { name }));
    for (const [what, is] of Object.entries({ speaks, pinned, still, unseen: !seen })) this.element.toggleAttribute(`data-${what}`, is);
    const face = seen ? '' : AVATAR;
    const said = words ? html`<p>${words}</p>` : '';
    render(html`${face}${said}`, this.words);
    const as = role ? html`<span class="tile-role">${role}</span>` : '';
    const sound = muted ? sign('mic-off', 'group.muted') : speaks ? sign('volume-2', 'group.speaks') : '';
    const kept = pinned ? sign('eye', 'group.pinned') : '';
    render(
      html`<p class="tile-name"><bdi>${name}</bdi>${as}${sound}${kept}</p>
      <button class="tile-menu" type="button" data-testid="tile-menu" aria-haspopup="dialog" aria-label=${t('group.menu', { name })} @click=${this.onMenu}>${icon('ellipsis')}</button>`,
      this.label,
    );
  }

  remove() {
    this.sizes.disconnect();
    this.video.srcObject = null;
    this.element.remove();
  }
}

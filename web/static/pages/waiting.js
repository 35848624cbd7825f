import { now } from '../client/clock.js';
import { html } from '../vendor/lit-html-3.3.3/lit-html.js';
import { batch, effect, signal } from '../vendor/signals-core-1.14.5/signals-core.module.js';
import { Alerts } from './alerts.js';
import { slot } from './build.js';
import { minutes } from './dates.js';
import { plural, t } from './language.js';
import { Rows, icon } from './rows.js';

/** @import {Declined, DeclineMessage, DeskView, WaitingView, HoldMessage} from '../../types/wire.js' */
/** @import {Row} from './rows.js' */

const DECLINE_MESSAGES = /** @type {DeclineMessage[]} */ (['not-now', 'call-us', 'new-time']);
const HOLD_MESSAGES = /** @type {HoldMessage[]} */ (['soon', 'five-minutes', 'fifteen-minutes', 'check-sound']);
const REFRESH_MS = 15_000;

/**
 * Who waits: the list, what says so to whoever does not look, the number in the title.
 *
 * `names` gives their name, `roles` says as what a guest takes part; `admit`, `tell`, `write` and `decline` are what there is to do.
 * @typedef {object} WaitingOptions
 * @property {(who: WaitingView) => string} names
 * @property {(who: WaitingView) => string | null} roles
 * @property {(who: WaitingView) => void} admit
 * @property {(who: WaitingView, message: HoldMessage) => Promise<void>} tell
 * @property {(who: WaitingView, text: string) => Promise<void>} write
 * @property {(who: WaitingView, words: Partial<Declined>) => Promise<void>} decline
 */

export class WaitingRoom {
  #who = signal(/** @type {WaitingView[]} */ ([]));
  /** What became of the message to each. */
  #told = signal(/** @type {Map<string, string>} */ (new Map()));
  /** The moment as of which the list is drawn. */
  #at = signal(now());
  #quiet = false;

  /** @param {HTMLElement} root @param {WaitingOptions} options */
  constructor(root, options) {
    this.root = root;
    this.options = options;
    const rows = new Rows(slot(root, 'waiting-list'));
    effect(() => {
      rows.draw(this.#who.value.map((one) => this.#row(one)));
      slot(root, 'nobody-waits').hidden = this.#who.value.length > 0;
    });
    this.alerts = new Alerts(slot(root, 'alerts'));
    window.setInterval(() => (this.#at.value = now()), REFRESH_MS);
  }

  /** A consult is going on: no sound, no title (KBV Anlage 31b: undisturbed). @param {boolean} quiet */
  set quiet(quiet) {
    this.#quiet = this.alerts.quiet = quiet;
  }

  /** @param {DeskView} view */
  show(view) {
    const known = new Set(this.#who.value.map((one) => one.participant));
    const arrived = view.waiting.filter((one) => !known.has(one.participant));
    batch(() => {
      this.#who.value = view.waiting;
      this.#at.value = now();
    });
    this.alerts.show(view.waiting.length, arrived.length > 0);
    if (!arrived.length) return;
    const names = arrived.map((one) => this.options.names(one)).join(', ');
    slot(this.root, 'waiting-said').textContent = t('waiting.arrived', { name: names });
  }

  /** What the title says of who waits, or nothing. */
  get title() {
    const { length } = this.#who.value;
    return length && !this.#quiet ? plural('waiting.title.count', length) : null;
  }

  /** Whose number is called next, as a proposal: of those who are there. */
  get #next() {
    const there = this.#who.value.filter(({ number, connected }) => connected && number !== undefined);
    return there.sort((one, other) => (one.number ?? 0) - (other.number ?? 0))[0]?.participant;
  }

  /** @param {WaitingView} one @returns {Row} */
  #row(one) {
    const name = this.options.names(one);
    const role = this.options.roles(one);
    const since = t('waiting.since', { ago: ago(one.since, this.#at.value) });
    const gone = one.connected ? '' : ` · ${t('waiting.gone')}`;
    const { grade, words } = devices(one);
    const shade = `chip tiny ${grade}`;
    const write = (/** @type {SubmitEvent} */ event) => this.#write(one, event);
    const decline = (/** @type {SubmitEvent} */ event) => this.#decline(one, event);
    const declines = DECLINE_MESSAGES.map(declineOption);
    const number = one.number === undefined ? '' : t('waiting.number', { number: one.number });
    const next = this.#next === one.participant ? ` · ${t('waiting.next')}` : '';
    const content = html`
      <div class="waiting-who">
        <p class="name"><bdi>${name}</bdi></p>
        <p class="chip tiny" data-testid="waiting-number" ?hidden=${!number}>${number}${next}</p>
        <p class="chip tiny" data-testid="waiting-role" ?hidden=${!role}>${role ?? ''}</p>
        <p class="chip tiny" data-testid="waiting-held" ?hidden=${!one.held}>${t('waiting.held')}</p>
        <p class="soft small"><span>${since}</span><span class="gone">${gone}</span></p>
        <p class=${shade} data-testid="waiting-check" data-grade=${grade} ?hidden=${!words}>${words}</p>
      </div>
      <button class="button primary large admit" type="button" data-testid="admit" aria-label=${t('waiting.admit.who', { name })}
        @click=${() => this.options.admit(one)}>${icon('door-open')}<span>${t('waiting.admit')}</span></button>
      <details class="tell">
        <summary class="small">${icon('message-square')}${t('waiting.tell')}</summary>
        <div class="tell-messages">${HOLD_MESSAGES.map((message) => this.#messageButton(one, message))}</div>
        <form class="write" @submit=${write}>
          <label class="small">${t('waiting.write')}<input type="text" name="text" maxlength="500" autocomplete="off" dir="auto" data-testid="write" /></label>
          <button class="button small">${t('waiting.write.send')}</button>
        </form>
      </details>
      <details class="decline">
        <summary class="small">${icon('x')}${t('decline.title')}</summary>
        <form class="write" @submit=${decline}>
          <p class="small">${t('decline.text')}</p>
          <label class="small">${t('decline.message')}<select name="message" data-testid="decline-message"><option value="">${t('decline.none')}</option>
            ${declines}</select></label>
          <label class="small">${t('waiting.write')}<input type="text" name="text" maxlength="500" autocomplete="off" dir="auto" /></label>
          <button class="button small danger" data-testid="decline" aria-label=${t('decline.who', { name })}>${t('decline.title')}</button>
        </form>
      </details>
      <p class="small"><a href=${`/waits/${one.appointment}`} target="_blank" data-testid="to-hand-over" aria-label=${t('waiting.hand-over.who', { name })}>${t('waiting.hand-over')}</a></p>
      <p class="wrote small" ?hidden=${!one.written}>${t('waiting.wrote')} <bdi>${one.written ?? ''}</bdi></p>
      <p class="said small" data-testid="waiting-said" ?hidden=${!one.said}>${one.said ? t('waiting.said', { name }) : ''} <strong><bdi>${one.said ?? ''}</bdi></strong></p>
      <p class="told soft small" role="status">${this.#told.value.get(one.participant) ?? ''}</p>`;
    const attributes = { class: one.connected ? 'waiting-card' : 'waiting-card is-gone', 'data-participant': one.participant };
    return { key: one.participant, attributes, content };
  }

  /** @param {WaitingView} one @param {HoldMessage} message */
  #messageButton(one, message) {
    const words = t(`hold.${message}.short`);
    return html`<button class="chip press" type="button" @click=${() => this.#tell(one, message)}>${words}</button>`;
  }

  /** @param {WaitingView} one @param {HoldMessage} message */
  #tell(one, message) {
    return this.#sent(one, this.options.tell(one, message), t('waiting.told', { message: t(`hold.${message}.short`) }));
  }

  /** What was typed stays until it arrived; then the row says it. @param {WaitingView} one @param {SubmitEvent} event */
  async #write(one, event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem('text'));
    const text = field.value.trim();
    if (text && (await this.#sent(one, this.options.write(one, text), ''))) field.value = '';
  }

  /** @param {WaitingView} one @param {SubmitEvent} event */
  #decline(one, event) {
    event.preventDefault();
    const said = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const [message, text] = ['message', 'text'].map((name) => String(said.get(name)).trim() || null);
    return this.#sent(one, this.options.decline(one, { message: /** @type {DeclineMessage | null} */ (message), text }), '');
  }

  /** @param {WaitingView} one @param {Promise<void>} sending @param {string} words once it arrived */
  async #sent(one, sending, words) {
    const arrived = await sending.then(() => true, () => false);
    this.#told.value = new Map(this.#told.value).set(one.participant, arrived ? words : t('waiting.not-told'));
    return arrived;
  }
}

/** How long ago, roughly: “zojuist”, “4 minuten”. @param {number} since @param {number} at both ms since the epoch */
function ago(since, at) {
  const n = Math.max(0, Math.floor((at - since) / 60_000));
  return n === 0 ? t('date.just-now') : minutes(n);
}

/** How the devices of whoever waits are, in words; a page that does not say it says at least what is off. @param {WaitingView} one */
function devices({ connected, check, indicators }) {
  if (!connected) return { grade: 'amber', words: '' };
  if (!check) return { grade: 'amber', words: indicators?.microphone === false ? t('waiting.no-microphone') : '' };
  const { grade, device, found } = check;
  return { grade, words: device ? t(`waiting.check.${device}.${found}`) : t('waiting.check.green') };
}

/** @param {DeclineMessage} message */
function declineOption(message) {
  const words = t(`decline.${message}`);
  return html`<option value=${message}>${words}</option>`;
}

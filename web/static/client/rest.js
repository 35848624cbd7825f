import { WireError } from './errors.js';
import { call } from './linked.js';

export * from './linked.js';

/** @import {AccountClosed, Agenda, AllDestroyed, AppointmentView, Correction, Handout, Language, Me, NewGuest, PasskeyAssertion, PasskeyOptions, PushOffer, PushState, Receipt, Retention, RetentionSet, SentenceList, SentenceView, Ticket, SupportCode, TechnicalCheck} from './wire.js' */

/** @type {(() => Promise<boolean>) | null} */
let askAgain = null;

/**
 * What a page does when the session has ended: once `ask` says that somebody is signed in again, what was refused is
 * asked again. Without it, or with `false`, the call fails with `unauthenticated`.
 * @param {(() => Promise<boolean>) | null} ask
 */
export const whenSignedOut = (ask) => {
  askAgain = ask;
};

/**
 * @param {string} method
 * @param {string} path under the API
 * @param {object} [body]
 * @returns {Promise<any>} the answer's JSON, or null without a body
 * @throws {WireError}
 */
async function signedIn(method, path, body) {
  for (;;) {
    try {
      return await call(method, path, body);
    } catch (error) {
      const over = error instanceof WireError && error.code === 'unauthenticated';
      if (!over || !askAgain || !(await askAgain())) throw error;
    }
  }
}

/** @param {string} mail @param {string} password @returns {Promise<Me>} */
export const signIn = (mail, password) => call('POST', '/sign-in', { mail, password });

/**
 * The second step, after `factor_needed`: with its challenge.
 * @param {string} challenge
 * @param {string} code
 * @returns {Promise<Me>}
 */
export const signInWithCode = (challenge, code) => call('POST', '/sign-in/factor', { challenge, code });

/** What an authenticator is asked with. @returns {Promise<PasskeyOptions>} */
export const passkeyOptions = () => call('POST', '/sign-in/passkey/options', {});

/** @param {PasskeyAssertion} assertion @returns {Promise<Me>} */
export const signInWithPasskey = (assertion) => call('POST', '/sign-in/passkey', assertion);

/** Set up a second factor and do nothing else, after `factor_set_up_needed`. @param {string} challenge @returns {Promise<null>} */
export const beginSetUp = (challenge) => call('POST', '/sign-in/set-up', { challenge });

/** @param {string} token @returns {Promise<Me>} */
export const signInByLink = (token) => call('POST', '/sign-in/link', { token });

/** @returns {Promise<null>} */
export const signOut = () => call('POST', '/sign-out', {});

/** What a browser subscribes with, or null where no push service is allowed. @returns {Promise<PushOffer>} */
export const pushOffer = () => signedIn('GET', '/push');

/** Tell this browser when somebody waits. @param {string} endpoint @returns {Promise<PushState>} */
export const subscribePush = (endpoint) => signedIn('PUT', '/push', { endpoint });

/** Its desk is open: is it still told? @param {string} endpoint @returns {Promise<PushState>} */
export const renewPush = (endpoint) => signedIn('POST', '/push/renewal', { endpoint });

/** Tell it nothing more. @param {string} endpoint @returns {Promise<PushState>} */
export const endPush = (endpoint) => signedIn('POST', '/push/end', { endpoint });

/** @returns {Promise<Me>} */
export const me = () => call('GET', '/me');

/** @param {Retention} retention @returns {Promise<RetentionSet>} */
export const setRetention = (retention) => signedIn('PUT', '/retention', { retention });

/**
 * What a setting would destroy within a minute, without setting it; without one, the setting as it is.
 * @param {Retention} [retention]
 * @returns {Promise<RetentionSet>}
 */
export const previewRetention = (retention) => signedIn('GET', retention ? `/retention?retention=${retention}` : '/retention');

/** Destroy all appointments now; needs the password. @param {string} password @returns {Promise<AllDestroyed>} */
export const destroyAll = (password) => signedIn('POST', '/account/destroy-all', { password });

/** Destroy all appointments and the account; needs the password. @param {string} password @returns {Promise<AccountClosed>} */
export const closeAccount = (password) => signedIn('POST', '/account/close', { password });

/** An access token for the desk; whoever opens the socket deals with a session that has ended. @returns {Promise<Ticket>} */
export const deskTicket = () => call('POST', '/desk/ticket', {});

/**
 * The practitioner's appointments on the days from `first` to `last` inclusive; today without them.
 * @param {string} [first]
 * @param {string} [last]
 * @returns {Promise<Agenda>}
 */
export function agenda(first, last) {
  const query = new URLSearchParams();
  if (first) query.set('first', first);
  if (last) query.set('last', last);
  const path = '/appointments';
  return signedIn('GET', query.size ? `${path}?${query}` : path);
}

/**
 * Those of them that can be read.
 * @param {string} [first]
 * @param {string} [last]
 * @returns {Promise<AppointmentView[]>}
 */
export async function appointments(first, last) {
  return (await agenda(first, last)).appointments;
}

/**
 * @param {{patient: string, starts_at: string, minutes: number, language?: Language, mail?: string | null, phone?: string | null,
 *   code?: boolean, anyway?: boolean}} appointment
 * @returns {Promise<AppointmentView>}
 */
export const newAppointment = (appointment) => signedIn('POST', '/appointments', appointment);

/**
 * The same again every so many weeks, until a day; all of them or none.
 * @param {{patient: string, mail?: string | null, phone?: string | null, starts_at: string, minutes: number, language?: Language,
 *   code?: boolean, anyway?: boolean, weeks: number, until: string}} series
 * @returns {Promise<Agenda>}
 */
export const newSeries = (series) => signedIn('POST', '/appointments/series', series);

/** @param {string} appointment @returns {Promise<AppointmentView>} */
export const appointment = (appointment) => signedIn('GET', `/appointments/${appointment}`);

/**
 * What is absent stays; `seen` is the version that was corrected, and `conflict` says that it is another by now.
 * @param {string} appointment
 * @param {Correction} correction
 * @returns {Promise<AppointmentView>}
 */
export const correctAppointment = (appointment, correction) => signedIn('PATCH', `/appointments/${appointment}`, correction);

/** @param {string} appointment @returns {Promise<AppointmentView>} */
export const endAppointment = (appointment) => signedIn('POST', `/appointments/${appointment}/end`, {});

/** Take an end back; the patient's link works again. @param {string} appointment @returns {Promise<AppointmentView>} */
export const reopenAppointment = (appointment) => signedIn('POST', `/appointments/${appointment}/reopen`, {});

/**
 * Tell its patient of it again; with another link the one that they had leads nowhere.
 * @param {string} appointment
 * @param {boolean} newLink
 * @returns {Promise<AppointmentView>}
 */
export const inviteAgain = (appointment, newLink) =>
  signedIn('POST', `/appointments/${appointment}/invitation`, { new_link: newLink });

/** Somebody else takes part, by a link of their own. @param {string} appointment @param {NewGuest} guest @returns {Promise<AppointmentView>} */
export const addGuest = (appointment, guest) => signedIn('POST', `/appointments/${appointment}/guests`, guest);

/** Another link; the one before leads nowhere. @param {string} appointment @param {string} guest @returns {Promise<AppointmentView>} */
export const renewGuest = (appointment, guest) => signedIn('POST', `/appointments/${appointment}/guests/${guest}/link`, {});

/** @param {string} appointment @param {string} guest @returns {Promise<AppointmentView>} */
export const removeGuest = (appointment, guest) => signedIn('DELETE', `/appointments/${appointment}/guests/${guest}`);

/** A text to paste, and the link as a QR code. @param {string} appointment @returns {Promise<Handout>} */
export const handout = (appointment) => signedIn('GET', `/appointments/${appointment}/handout`);

/**
 * It is destroyed at `destroyed_at`, ten seconds from now, or once its patient was told, unless it is kept before; the page
 * need not stay.
 * @param {string} appointment
 * @param {boolean} [tell] whether the patient is told
 * @returns {Promise<AppointmentView>}
 */
export const cancelAppointment = (appointment, tell = true) => signedIn('POST', `/appointments/${appointment}/cancel`, { tell });

/** Say whether one that has begun was held. @param {string} appointment @param {'held' | 'missed'} attended @returns {Promise<AppointmentView>} */
export const attendAppointment = (appointment, attended) => signedIn('PUT', `/appointments/${appointment}/attendance`, { attended });

/** Take back that it was cancelled. @param {string} appointment @returns {Promise<AppointmentView>} */
export const keepAppointment = (appointment) => signedIn('POST', `/appointments/${appointment}/keep`, {});

/** Destroy irrecoverably, now. @param {string} appointment @returns {Promise<Receipt>} */
export const destroyAppointment = (appointment) => signedIn('DELETE', `/appointments/${appointment}`);

/** @param {string} appointment @returns {Promise<TechnicalCheck>} */
export const technicalCheck = (appointment) => signedIn('GET', `/appointments/${appointment}/technical-check`);

/** Six digits to read out to support. @param {string} appointment @returns {Promise<SupportCode>} */
export const supportCode = (appointment) => signedIn('POST', `/appointments/${appointment}/support-code`, {});

/** @returns {Promise<Receipt[]>} */
export const receipts = async () => (await signedIn('GET', '/receipts')).receipts;

/** What whoever is signed in plans often. @returns {Promise<import('./wire.js').PresetView[]>} */
export const presets = async () => (await signedIn('GET', '/presets')).presets;

/** What whoever waits reads, by language. @returns {Promise<SentenceList>} */
export const sentences = () => signedIn('GET', '/sentences');

/**
 * Set it for a language.
 * @param {Language} language
 * @param {string} text
 * @param {boolean} anyway
 * @returns {Promise<SentenceView>}
 */
export const saySentence = (language, text, anyway) => signedIn('PUT', '/sentences', { language, text, anyway });

/** Take it back, irrecoverably. @param {string} sentence @returns {Promise<Receipt>} */
export const destroySentence = (sentence) => signedIn('DELETE', `/sentences/${sentence}`);

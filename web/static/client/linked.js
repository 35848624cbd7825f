import { heard } from './clock.js';
import { WireError, offline, timedOut } from './errors.js';

/** @import {Join, Language, LinkedAppointment, Wish} from './wire.js' */

/** Asking the REST API, and what a patient's link is asked: all that the patient's page needs of it. */

/** Where this version of the protocol is served. */
const API = '/api/v1';
const TIMEOUT_MS = 15_000;

/**
 * @param {string} method
 * @param {string} path under the API
 * @param {object} [body]
 * @returns {Promise<any>} the answer's JSON, or null without a body
 * @throws {WireError}
 */
export async function call(method, path, body) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(API + path, {
      method,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal: abort.signal,
    });
  } catch {
    throw abort.signal.aborted ? timedOut() : offline();
  } finally {
    clearTimeout(timer);
  }
  heard(response.headers.get('Date'));
  const text = await response.text();
  const answer = parse(text);
  if (!response.ok) throw WireError.from(answer?.error);
  return answer;
}

/** @param {string} text */
function parse(text) {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw WireError.from(null);
  }
}

/**
 * What the practitioner has whoever waits with this link read; null for nothing.
 * @param {string} link
 * @param {Language} language
 * @returns {Promise<string | null>}
 */
export const waitingSentence = async (link, language) => (await call('POST', '/join/sentence', { link, language })).text;

/**
 * Where the photograph of whoever lets them in is, on this server; null for none.
 * @param {string} link @param {Language} language @returns {Promise<string | null>}
 */
export const waitingPhotograph = async (link, language) => (await call('POST', '/join/photograph', { link, language })).address;

/** What a patient's link opens; `link` is what stands behind its `#`. @param {string} link @returns {Promise<Join>} */
export const join = (link) => call('POST', '/join', { link });

/** What a link is about, also when nobody is let in by it any more. @param {string} link @returns {Promise<LinkedAppointment>} */
export const linked = (link) => call('POST', '/join/appointment', { link });

/**
 * Say that one cannot come, or asks for another time; `typed` is the word that stands beside the field.
 * @param {string} link @param {Language} language @param {Wish} wish @param {string} typed @returns {Promise<LinkedAppointment>}
 */
export const wish = (link, language, wish, typed) => call('POST', '/join/wish', { link, language, wish, typed });

/** The appointment as a calendar reads it. @param {string} link @param {Language} language @returns {Promise<string>} */
export const calendarOf = async (link, language) => (await call('POST', '/join/calendar', { link, language })).calendar;

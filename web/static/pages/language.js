/** Texts of the page's language, from the catalogue that the templates use too (`web/locales/`). */

const root = document.documentElement;

export const language = root.lang;

/** The practice's time zone, IANA name. */
export const practiceZone = root.dataset.zone || 'UTC';

/** @param {string | undefined} page @returns {Promise<Record<string, string | string[]>>} */
const texts = async (page) => (await fetch(new URL(`../locales/${page}-${language}.json`, import.meta.url))).json();

const messages = await texts(root.dataset.page);

/** Texts of what is loaded later. @param {string} page */
export const learn = async (page) => Object.assign(messages, await texts(page));

const rules = new Intl.PluralRules(language);

/** What is written from right to left, and marks that turn the direction or say where such a turn ends. */
const TURNS = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const ENDS = /[\u202a-\u202e\u2066-\u2069]/gu;

/**
 * What somebody typed, so that its direction stays its own in a sentence (UAX 9: first strong isolate, pop directional isolate).
 * @param {string | number} value
 */
export function isolated(value) {
  const text = String(value);
  return TURNS.test(text) ? `\u2068${text.replace(ENDS, '')}\u2069` : text;
}

/** @param {string} text @param {Record<string, string | number>} values */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? isolated(values[name] ?? '') : whole));
}

/**
 * The text of `key` with its `{placeholders}` filled in.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const text = messages[key];
  if (typeof text !== 'string') throw new Error(`no text ${key} in ${language}`);
  return fill(text, values);
}

/**
 * The text of `key` for `n` of something; `{n}` is filled in.
 * @param {string} key
 * @param {number} n
 * @param {Record<string, string | number>} [values]
 */
export function plural(key, n, values = {}) {
  const forms = messages[key];
  if (!Array.isArray(forms)) throw new Error(`no plural ${key} in ${language}`);
  const [one = '', other = ''] = forms;
  return fill(rules.select(n) === 'one' ? one : other, { n, ...values });
}

/** Whether `key` has a text, for keys made of something the server sent. @param {string} key */
export const has = (key) => key in messages;

/** What an error means for the person, by its stable code. @param {unknown} error */
export function explain(error) {
  const code = /** @type {{code?: unknown}} */ (error ?? {}).code;
  const key = `error.${typeof code === 'string' ? code : 'internal'}`;
  return t(has(key) ? key : 'error.internal');
}

/** A browser that asks for none of our languages gets the one chosen for the appointment. @param {{language: string}} appointment */
export function inTheOtherLanguage(appointment) {
  const guessed = document.documentElement.hasAttribute('data-language-guessed');
  const offered = document.querySelector(`.languages a[lang="${appointment.language}"]`);
  if (!guessed || !offered || appointment.language === language) return false;
  location.replace(`?lang=${appointment.language}${location.hash}`);
  return true;
}

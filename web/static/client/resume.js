/** The resume ticket of this tab: `sessionStorage["spreekkamer.resume"]`. */

/** @import {Role} from './wire.js' */
/** @typedef {{appointment: string, role: Role, ticket: string}} Resume */

const KEY = 'spreekkamer.resume';

/** @returns {Resume | null} where this tab was before a reload */
export function storedResume() {
  try {
    const { appointment, role, ticket } = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? {};
    return appointment && role && ticket ? { appointment, role, ticket } : null;
  } catch {
    return null;
  }
}

/** The ticket, if it is of this appointment and role. @param {string | null} appointment @param {Role} role */
export function ticketOf(appointment, role) {
  const stored = storedResume();
  return stored?.appointment === appointment && stored?.role === role ? stored.ticket : null;
}

/** @param {Resume} resume */
export function storeResume(resume) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(resume));
  } catch {
    // A browser may refuse storage (private mode, blocked site data); then a reload starts at the link again.
  }
}

export function forgetResume() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was stored either.
  }
}

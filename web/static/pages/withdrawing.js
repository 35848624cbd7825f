import { call } from '../client/linked.js';
import { forgetResume } from '../client/resume.js';

/**
 * Nothing that was agreed to by this link stands any more: the server ends the consult for all and destroys the appointment.
 * @param {string} link @returns {Promise<string | null>} why not
 */
export async function withdraw(link) {
  forgetResume();
  try {
    await call('POST', '/join/consents/withdraw', { link });
    return null;
  } catch (error) {
    return /** @type {{code?: string}} */ (error).code ?? 'internal';
  }
}

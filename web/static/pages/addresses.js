import { has, t } from './language.js';

/** Which address nothing can be sent to, and why, in words; null where that is not what is wrong. @param {unknown} error */
export function wrongAddress(error) {
  const { code, field, reason } = /** @type {{code?: string, field?: string, reason?: string | null}} */ (error);
  if (code === 'invalid' && field === 'code') return { name: field, words: t('new.code.address') };
  if (code !== 'invalid' || (field !== 'mail' && field !== 'phone')) return null;
  const key = field === 'mail' ? 'new.mail.wrong' : `new.phone.${reason}`;
  return { name: field, words: t(has(key) ? key : 'new.phone.number') };
}

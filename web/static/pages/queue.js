import { el } from './build.js';
import { learn, plural, t } from './language.js';

/** @import {QueueView} from '../../types/wire.js' */

/** Where somebody stands who came to an open hour, loaded for them alone. */

await learn('queue');

const line = el('p', { className: 'notice', role: 'status', 'data-testid': 'queue' });

/** @param {HTMLElement} before what stands below it @param {QueueView} view */
export function show(before, { number, before: people, least, most }) {
  if (!line.isConnected) before.before(line);
  const place = people ? plural('queue.before', people) : t('queue.next');
  const range = least === null || most === null ? t('queue.unknown') : t('queue.range', { least, most });
  const text = `${t('queue.number', { number })} \u00b7 ${place} ${range}`;
  if (line.textContent !== text) line.textContent = text;
}

// Each calendar of a JSON list on standard input, as two programs read it: {"ical.js": [...], "node-ical": [...]}.
// A time is its moment in milliseconds since the Unix epoch, null where the program calls it floating.
import ICAL from 'ical.js';
import nodeIcal from 'node-ical';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const calendars = JSON.parse(Buffer.concat(chunks).toString('utf8'));

/** @param {string} text */
function byIcalJs(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone);
  const component = calendar.getFirstSubcomponent('vevent');
  const event = new ICAL.Event(component);
  const moment = (/** @type {ICAL.Time} */ time) =>
    (time.zone === ICAL.Timezone.localTimezone ? null : time.toUnixTime() * 1000);
  return {
    method: calendar.getFirstPropertyValue('method'),
    uid: event.uid,
    sequence: event.sequence,
    status: component.getFirstPropertyValue('status'),
    summary: event.summary,
    begin: moment(event.startDate),
    end: moment(event.endDate),
  };
}

/** @param {string} text */
function byNodeIcal(text) {
  const found = Object.values(nodeIcal.sync.parseICS(text));
  const event = found.find((one) => one.type === 'VEVENT');
  return {
    method: event.method,
    uid: event.uid,
    sequence: Number(event.sequence),
    status: event.status,
    summary: typeof event.summary === 'string' ? event.summary : event.summary.val,
    begin: event.start.tz ? event.start.getTime() : null,
    end: event.end.tz ? event.end.getTime() : null,
  };
}

console.log(JSON.stringify({ 'ical.js': calendars.map(byIcalJs), 'node-ical': calendars.map(byNodeIcal) }));

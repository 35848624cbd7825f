/** Moments as a practice writes them, in its own zone, wherever the machine is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.TZ = 'UTC';
const messages = {
  'date.today': 'today',
  'date.tomorrow': 'tomorrow',
  'date.moment': '{day} {time}',
  'date.there': '{moment} (in {place})',
  'date.zone': '{moment} your time ({time} in {place})',
  'date.zone.day': '{moment} your time ({there} in {place})',
};
globalThis.document = { documentElement: { lang: 'en', dataset: { zone: 'Pacific/Auckland' } } };
globalThis.fetch = async () => ({ json: async () => messages });
const { day, dayOf, elsewhere, fullDay, moment, momentThere, time } = await import('../../../web/static/pages/dates.js');
const { heard, now } = await import('../../../web/static/client/clock.js');
const { parseDay, parseMoment, parseTime, writeDay } = await import('../../../web/static/pages/typed.js');
const { dayIn, daysBetween, daysLater, momentOf, offsetAt, timeIn } = await import('../../../web/static/pages/zone.js');

const ZONES = ['Europe/Amsterdam', 'Pacific/Auckland', 'America/St_Johns', 'Africa/Cairo', 'America/Santiago'];
const MINUTE = 60_000;

test('in English too the clock has 24 hours, and the day comes before the month', () => {
  assert.equal(time(new Date('2026-01-05T01:05:00Z')), '14:05');
  assert.match(fullDay('2026-01-05', '2026-11-28'), / 5 January$/);
  assert.match(fullDay('2027-01-05', '2026-11-28'), / 5 January 2027$/);
});

test("the practice's day and clock hold at a desk elsewhere, and are named there", () => {
  const at = new Date('2026-11-28T21:30:00Z');
  assert.equal(dayOf(at), '2026-11-29');
  assert.equal(time(at), '10:30');
  assert.equal(day('2026-11-29', dayOf(at)), 'today');
  assert.equal(elsewhere(at), true);
  assert.equal(moment(at, at), 'today 10:30 (in Auckland)');
});

test("a patient reads the own time first, and the practice's with its day where that is another", () => {
  const now = new Date('2026-11-28T12:00:00Z');
  assert.equal(momentThere('2026-11-28T21:30:00Z', now), 'today 21:30 your time (today 10:30 in Auckland)');
  assert.equal(momentThere('2026-11-28T01:30:00Z', now).includes('your time (14:30 in Auckland)'), true);
});

/** Every change of the clock from 2026 to 2028: when, and by how many minutes. */
function changes(zone) {
  const found = [];
  for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2029, 0, 1); at += 60 * MINUTE) {
    const by = offsetAt(at + 60 * MINUTE, zone) - offsetAt(at, zone);
    if (!by) continue;
    let minute = at;
    while (offsetAt(minute + MINUTE, zone) === offsetAt(at, zone)) minute += MINUTE;
    found.push([minute + MINUTE, by]);
  }
  return found;
}

for (const zone of ZONES) {
  test(`each quarter around each change of the clock is what its wall shows: ${zone}`, () => {
    const all = changes(zone);
    assert.ok(all.length >= 6, `${all.length} changes`);
    for (const [change, by] of all) {
      const seen = { once: 0, never: 0, twice: 0 };
      const wall = change + offsetAt(change - MINUTE, zone) * MINUTE;
      for (let quarter = -120; quarter < 120; quarter += 1) {
        const typed = new Date(wall + quarter * 15 * MINUTE).toISOString();
        const [on, at] = [typed.slice(0, 10), typed.slice(11, 16)];
        const meant = momentOf(on, at, zone);
        seen[meant.comes] += 1;
        assert.equal(new Date(meant.rfc3339).getTime(), meant.at.getTime());
        assert.equal(meant.rfc3339.slice(0, 16), `${dayIn(meant.at, zone)}T${timeIn(meant.at, zone)}`);
        if (meant.comes !== 'never') assert.equal(meant.rfc3339.slice(0, 16), `${on}T${at}`);
        else {
          // Moved forward by the gap: the time before it as if the clock had not been changed (RFC 5545, 3.3.5).
          const moved = new Date(`${meant.rfc3339.slice(0, 16)}Z`).getTime() - new Date(`${on}T${at}Z`).getTime();
          assert.equal(moved, by * MINUTE);
        }
        if (meant.comes === 'twice') assert.ok(meant.at.getTime() < change, 'the first of two');
      }
      assert.deepEqual(seen, { once: 240 - Math.abs(by) / 15, never: by > 0 ? by / 15 : 0, twice: by < 0 ? -by / 15 : 0 });
    }
  });

  test(`each day of three years has its noon and its neighbours: ${zone}`, () => {
    for (let on = '2026-01-01'; on < '2029-01-01'; on = daysLater(on, 1)) {
      const { at, comes } = momentOf(on, '12:00', zone);
      assert.deepEqual([dayIn(at, zone), timeIn(at, zone), comes], [on, '12:00', 'once']);
      assert.equal(daysBetween(on, daysLater(on, 1)), 1);
    }
  });
}

test('an hour that Amsterdam skips moves forward, and of one that comes twice the first is meant', () => {
  assert.equal(momentOf('2026-03-29', '02:30', 'Europe/Amsterdam').rfc3339, '2026-03-29T03:30:00+02:00');
  assert.equal(momentOf('2026-10-25', '02:30', 'Europe/Amsterdam').rfc3339, '2026-10-25T02:30:00+02:00');
  assert.equal(momentOf('2026-06-01', '14:00', 'Europe/Amsterdam').rfc3339, '2026-06-01T14:00:00+02:00');
  assert.equal(momentOf('2026-06-01', '14:00', 'America/St_Johns').rfc3339, '2026-06-01T14:00:00-02:30');
});

test('a day is read as people type it', () => {
  const today = '2026-11-28';
  const read = {
    '2026-12-01': ['1-12-2026', '01/12/2026', '1.12.26', '1 12', '1/12', '1 dec', '1 december', 'December 1, 2026', 'Dec 1st', '2026-12-01', 'di', 'dinsdag', 'Tuesday', 'dinsdag 1 december', 'di 1-12-2026', 'de 1e december'],
    '2026-11-28': ['vandaag', 'Today', '28-11', 'zaterdag', 'sat', ' 28  november '],
    '2026-11-29': ['morgen', 'tomorrow', 'zo'],
    '2026-11-30': ['overmorgen', 'maandag', '30 nov.'],
    '2027-03-03': ['3 maart', '3 mrt', '3 march', '3-3'],
    '2028-02-29': ['29 februari', '29-2-2028'],
  };
  for (const [day, forms] of Object.entries(read)) for (const form of forms) assert.equal(parseDay(form, today), day, form);
  const german = { '2026-12-01': ['1.12.2026', '1. Dez.', '1. Dezember', 'Dienstag', 'Di', 'am 1.12.'], '2027-03-03': ['3. März', '3. Maerz', '3 mär'], '2026-11-29': ['morgen', 'So'], '2026-11-27': ['gestern'], '2026-11-30': ['übermorgen'] };
  for (const [day, forms] of Object.entries(german)) for (const form of forms) assert.equal(parseDay(form, today, 'de'), day, form);
  const french = { '2026-12-01': ['1/12/2026', 'le 1er décembre', '1 dec', 'mardi', 'ma', 'mardi 1er décembre'], '2026-11-28': ['aujourd’hui', "Aujourd'hui"], '2026-11-29': ['demain', 'di', 'dimanche'], '2026-11-30': ['après-demain', 'lundi 30 novembre'], '2027-08-02': ['2 août', '2 aout'], '2027-07-01': ['1 juillet', '1 juil.'] };
  for (const [day, forms] of Object.entries(french)) for (const form of forms) assert.equal(parseDay(form, today, 'fr'), day, form);
  assert.equal(parseDay('Dienstag', today, 'nl'), '2026-12-01', 'whatever the page speaks');
  for (const form of ['', 'x', '31-11-2026', '29-2-2027', '13/13', '1', 'ma di', '1 2 3 4', '1 dec jan', '1 foo', '2026-13-01', 'm', '0-0-0']) {
    assert.equal(parseDay(form, today), null, form);
  }
});

test('a time is read as people type it', () => {
  const read = {
    '14:30': ['14:30', '14.30', '14u30', '14h30', '1430', '14 30', '14:30 uur', '14:30 Uhr', '14 Uhr 30', '14 h 30', '14 heures 30', '2:30 pm', '2.30 p.m.', '14:30:00'],
    '09:00': ['9', '9:00', '09', '9 uur', '9 Uhr', '9 heures', '9 h', '9u', '9am', '900'],
    '00:15': ['0:15', '12:15 am'],
    '12:00': ['12', '12 pm'],
  };
  for (const [time, forms] of Object.entries(read)) for (const form of forms) assert.equal(parseTime(form), time, form);
  for (const form of ['', 'x', '24:00', '9:60', '14:3', '13 pm', '0 am', '12345', '-1', '9:00 x']) assert.equal(parseTime(form), null, form);
});

test('a field shows the day in the order of the language', () => {
  const written = { nl: '01-12-2026', en: '01/12/2026', de: '01.12.2026', fr: '01/12/2026' };
  for (const [language, text] of Object.entries(written)) {
    assert.equal(writeDay('2026-12-01', language), text);
    assert.equal(parseDay(text, '2026-01-01', language), '2026-12-01');
  }
});

test("a desk whose clock stands wrong by hours goes by the server's", () => {
  const real = Date.now;
  try {
    heard('Sat, 28 Nov 2026 12:00:00 GMT', Date.parse('2026-11-28T07:00:00Z'));
    Date.now = () => Date.parse('2026-11-28T07:10:00Z');
    assert.equal(now(), Date.parse('2026-11-28T12:10:00Z'));
    assert.equal(dayOf(), '2026-11-29');
    heard('Sat, 28 Nov 2026 12:00:00 GMT', Date.parse('2026-11-28T12:00:03Z'));
    heard(null);
    heard('nonsense');
    assert.equal(now(), Date.now());
  } finally {
    Date.now = real;
  }
});

test('a day and a time that are typed at once are both understood', () => {
  const today = '2026-11-28';
  const read = {
    nl: { '3-12 14:30': ['2026-12-03', '14:30'], 'morgen 9u': ['2026-11-29', '09:00'], 'vrijdag 14': ['2026-12-04', '14:00'] },
    en: { '12/3 2pm': ['2027-03-12', '14:00'], 'tomorrow 9:15 am': ['2026-11-29', '09:15'], 'December 3, 2026': ['2026-12-03', null] },
    de: { 'morgen 14 Uhr 30': ['2026-11-29', '14:30'], '3. Dez. 8 Uhr': ['2026-12-03', '08:00'], 'Di 9': ['2026-12-01', '09:00'] },
    fr: { 'demain 9 h': ['2026-11-29', '09:00'], 'le 1er décembre 14 h 30': ['2026-12-01', '14:30'], mardi: ['2026-12-01', null] },
  };
  for (const [language, forms] of Object.entries(read)) {
    for (const [text, [day, time]] of Object.entries(forms)) assert.deepEqual(parseMoment(text, today, language), { day, time }, text);
  }
  for (const text of ['', '14:30', 'morgen 25:00', 'morgen vrijdag', '31-2 9:00']) assert.equal(parseMoment(text, today, 'nl'), null, text);
});

#!/bin/sh
# An appointment in summer that icalendar 7.3.2 wrote with `add_missing_timezones()` is read an hour late by ical.js 2.2.1
# and vobject 0.9.9; node-ical 0.26.1 reads it right.
#
# What one would think: a library's own VTIMEZONE is what other libraries read. It writes all changes of clock of seventy
# years as one RDATE with a list of values (RFC 5545, 3.8.5.2, allows it); both take the first of the list alone, so that
# summer time begins in the seventies and winter time counts from then on.
# Right by all of them: times in UTC (`…Z`), as we write, or a VTIMEZONE with an RRULE for each of the two changes.
#
# Needs python3 with venv, node 20 and npm; installs into a folder of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check icalendar==7.3.2 vobject==0.9.9
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund ical.js@2.2.1 node-ical@0.26.1

cat >written.py <<'P'
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import vobject

BEGIN = datetime(2027, 7, 1, 10, tzinfo=ZoneInfo("Europe/Amsterdam"))


def calendar(begin):
    made, event = icalendar.Calendar(), icalendar.Event()
    made.add("prodid", "-//a//b//EN")
    made.add("version", "2.0")
    event.add("uid", "one")
    event.add("dtstamp", datetime(2027, 1, 1, tzinfo=UTC))
    event.add("dtstart", begin)
    event.add("dtend", begin + timedelta(minutes=30))
    made.add_component(event)
    made.add_missing_timezones()
    return made.to_ical().decode()


print(f"meant: {BEGIN.astimezone(UTC):%H:%M} UTC")
for name, begin in (("zone", BEGIN), ("utc", BEGIN.astimezone(UTC))):
    text = calendar(begin)
    open(f"{name}.ics", "w", newline="").write(text)
    print(f"vobject 0.9.9, {name}: {vobject.readOne(text).vevent.dtstart.value.astimezone(UTC):%H:%M} UTC")
P
cat >read.mjs <<'J'
import { readFileSync } from 'node:fs';
import ICAL from 'ical.js';
import nodeIcal from 'node-ical';

const said = (date) => date.toISOString().slice(11, 16);
for (const name of ['zone', 'utc']) {
  const text = readFileSync(`${name}.ics`, 'utf8');
  const calendar = new ICAL.Component(ICAL.parse(text));
  for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone);
  const event = new ICAL.Event(calendar.getFirstSubcomponent('vevent'));
  console.log(`ical.js 2.2.1, ${name}: ${said(new Date(event.startDate.toUnixTime() * 1000))} UTC`);
  const other = Object.values(nodeIcal.sync.parseICS(text)).find((one) => one.type === 'VEVENT');
  console.log(`node-ical 0.26.1, ${name}: ${said(other.start)} UTC`);
}
J
{ env/bin/python written.py; node read.mjs; } | tee seen
cat >expected <<'X'
meant: 08:00 UTC
vobject 0.9.9, zone: 09:00 UTC
vobject 0.9.9, utc: 08:00 UTC
ical.js 2.2.1, zone: 09:00 UTC
node-ical 0.26.1, zone: 08:00 UTC
ical.js 2.2.1, utc: 08:00 UTC
node-ical 0.26.1, utc: 08:00 UTC
X
diff expected seen

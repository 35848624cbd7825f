"""An appointment as a calendar reads it (RFC 5545, RFC 5546): times in UTC, which every reader takes for the same
instant; one UID for as long as the appointment lives; a SEQUENCE and a DTSTAMP that rise.

Readers do not all take a CANCEL for one (what is read last wins), so what is cancelled says so in words too.
"""

from datetime import UTC, timedelta

from practice.agenda.model import calendar_entry
from practice.calendars import PRODUCT
from practice.invitations.port import Parcel


def ics(parcel: Parcel, sender: str, summary: str, description: str) -> bytes:
    """One VEVENT: a REQUEST, or a CANCEL where it is cancelled. Neutral as the words that it is given."""
    from icalendar import Calendar, Event, vCalAddress, vText  # not at each start, which it would slow down

    one, dispatch = parcel.appointment, parcel.dispatch
    off = dispatch.word == "cancelled"
    calendar, event = Calendar(), Event()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "CANCEL" if off else "REQUEST")
    event.add("uid", calendar_entry(one)[0])
    event.add("sequence", dispatch.sequence)
    event.add("dtstamp", parcel.now.astimezone(UTC).replace(microsecond=0))
    begin = one.starts_at.astimezone(UTC)  # before its length is added: an hour may come twice
    event.add("dtstart", begin)
    event.add("dtend", begin + timedelta(minutes=one.minutes))
    event.add("summary", summary)
    event.add("description", description)
    event.add("status", "CANCELLED" if off else "CONFIRMED")
    event.add("class", "PRIVATE")
    if not off:
        event.add("location", parcel.link)
        event.add("url", parcel.link)
    organizer = vCalAddress(f"mailto:{sender}")
    if parcel.profile.name:
        organizer.params["CN"] = vText(parcel.profile.name)
    event.add("organizer", organizer)
    attendee = vCalAddress(f"mailto:{parcel.to}")
    attendee.params["ROLE"], attendee.params["RSVP"] = vText("REQ-PARTICIPANT"), vText("FALSE")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    return bytes(calendar.to_ical())

"""What a practitioner gives a patient by a way of their own: the invitation's words, to be pasted elsewhere."""

from datetime import datetime, tzinfo

from practice.agenda.model import Appointment
from practice.invitations.letter import plain
from practice.invitations.model import Dispatch
from practice.invitations.port import Parcel
from practice.invitations.wording import wording
from practice.organisation.model import Profile


def handout(one: Appointment, link: str, profile: Profile, zone: tzinfo, now: datetime) -> str:
    """In the patient's language and neutral, as what is mailed. Nothing is written down of it: nobody sends it."""
    said = Dispatch("", one.id, "mail", "invitation", "", 0, one.starts_at, one.minutes, now, now)
    parcel = Parcel(said, one, "", link, profile, zone, now)
    return plain(parcel, wording(parcel))

"""What a patient is sent: a letter of RFC 5322 in their language, neutral, with an entry that calendars read alike."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, get_args
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject

from practice.agenda.model import Appointment, Contact, patient_link
from practice.invitations.letter import letter
from practice.invitations.model import WORDS, Dispatch, Word
from practice.invitations.port import Parcel
from practice.invitations.wording import LANGUAGES, TEXTS
from practice.organisation.model import Profile
from tests.people import START

SENDER, TO, ORIGIN = "praktijk@example.org", "jan@example.com", "https://consult.example.org"
ZONE = ZoneInfo("Europe/Amsterdam")
PROFILE = Profile("Praktijk <De Ruïne>", "", "020 123 4567", "nl", "Europe/Amsterdam")


def parcel(word: Word = "invitation", language: Any = "nl", at: datetime = START, **changes: Any) -> Parcel:
    contact = Contact(TO, None, "a-uid", 3)
    one = Appointment(
        "A" * 22, "B" * 22, "Évi Canary", at, 30, language, "planned", None, "s" * 22, None, 1, contact=contact
    )
    dispatch = Dispatch("C" * 22, one.id, "mail", word, "mark", 3, at, 30, START, START)
    given: dict[str, Any] = {"profile": PROFILE, "zone": ZONE, "now": START} | changes
    return Parcel(dispatch, one, TO, patient_link(ORIGIN, one), **given)


def read(raw: bytes) -> tuple[EmailMessage, dict[str, str]]:
    """A letter, and its parts by their types."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message, {one.get_content_type(): str(one.get_content()) for one in message.walk() if not one.is_multipart()}


@pytest.mark.duty("S-25")
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_when_with_whom_and_nothing_of_whom_or_why(word: Word, language: Any) -> None:
    raw = letter(parcel(word, language), SENDER)
    message, parts = read(raw)
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 78
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert (message["To"], message["Auto-Submitted"], message["Content-Language"]) == (TO, "auto-generated", language)
    assert message["From"].addresses[0].addr_spec == SENDER
    assert message["From"].addresses[0].display_name == PROFILE.name
    assert list(parts) == ["text/plain", "text/html", "text/calendar"]
    link = f"{ORIGIN}/c#{'A' * 22}{'s' * 22}"
    for kind, text in parts.items():
        assert "Canary" not in text and "Évi" not in text, kind
        assert (link in text.replace("\r\n ", "")) == (word != "cancelled"), kind
    assert "020 123 4567" in parts["text/plain"] and "020 123 4567" in parts["text/html"]
    assert "2027" in parts["text/plain"] and "10:00" in parts["text/plain"] and "Amsterdam" in parts["text/plain"]
    assert "Praktijk <De Ruïne>" in parts["text/plain"]
    assert "Praktijk &lt;De Ruïne&gt;" in parts["text/html"] and "<De" not in parts["text/html"]
    fetched = re.search(r'(src|href)="(?!https://consult\.example\.org/c#|cid:)', parts["text/html"])
    assert not fetched


def test_each_word_is_there_in_each_language_and_leaves_no_gap() -> None:
    for word in (*WORDS, "words"):
        assert set(TEXTS[word]) == set(LANGUAGES)
        assert len({frozenset(texts) for texts in TEXTS[word].values()}) == 1
    for word in WORDS:
        for texts in TEXTS[word].values():
            gaps = {gap for text in texts.values() for gap in re.findall(r"{(\w+)}", text)}
            assert gaps == {"day", "practice", "when"} | (set() if word == "cancelled" else {"link"})


FORBIDDEN = (
    "patient",
    "patiënt",
    "cliënt",
    "consult",
    "zorg",
    "care",
    "arts",
    "doctor",
    "arzt",
    "médecin",
    "behandel",
    "!",
)


@pytest.mark.parametrize("word", WORDS)
def test_no_text_says_what_is_done_there(word: Word) -> None:
    for texts in TEXTS[word].values():
        for text in texts.values():
            assert not [one for one in FORBIDDEN if one in text.lower()], text


def test_a_name_begins_no_header() -> None:
    profile = Profile("Praktijk\r\nBcc: x@example.org", "", "1\r\n2", "nl", "Europe/Amsterdam")
    message, _ = read(letter(parcel(profile=profile), SENDER))
    assert message["Bcc"] is None


def test_without_a_name_or_a_telephone_it_is_whole() -> None:
    _, parts = read(letter(parcel(profile=Profile("", "", "", "nl", "UTC"), zone=ZoneInfo("UTC")), SENDER))
    assert "uw praktijk" in parts["text/plain"] and "UTC" in parts["text/plain"]


def moments() -> Sequence[datetime]:
    """Around every change of clock of three years, each hour, as it was planned: with the offset of the day."""
    days = [
        date(2026, 3, 29),
        date(2026, 10, 25),
        date(2027, 3, 28),
        date(2027, 10, 31),
        date(2028, 3, 26),
        date(2028, 10, 29),
    ]
    nights = [datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=3) for day in days]
    ordinary = [datetime(2026, month, 15, 9, 30, tzinfo=UTC) for month in range(1, 13)]
    return [(night + timedelta(hours=hour)).astimezone(ZONE) for night in nights for hour in range(9)] + ordinary


def test_two_readers_see_the_same_instant_over_all_changes_of_clock() -> None:
    for at in moments():
        _, parts = read(letter(parcel(at=at), SENDER))
        text, utc = parts["text/calendar"], at.astimezone(UTC)
        (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
        begin, end = (event.decoded(name) for name in ("dtstart", "dtend"))
        assert (begin.astimezone(UTC), end.astimezone(UTC)) == (utc, utc + timedelta(minutes=30))
        assert begin.utcoffset() is not None
        other = vobject.readOne(text).vevent
        begin, end = other.dtstart.value, other.dtend.value
        assert (begin.astimezone(UTC), end.astimezone(UTC)) == (utc, utc + timedelta(minutes=30))
        assert begin.utcoffset() is not None


@pytest.mark.parametrize("word", get_args(Word))
def test_a_calendar_entry_is_one_to_both_readers(word: Word) -> None:
    message, parts = read(letter(parcel(word), SENDER))
    part = next(one for one in message.walk() if one.get_content_type() == "text/calendar")
    method = "CANCEL" if word == "cancelled" else "REQUEST"
    assert part.get_param("method") == method
    calendar = icalendar.Calendar.from_ical(parts["text/calendar"])
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == method
    assert (event["UID"], event["SEQUENCE"], event["CLASS"]) == ("a-uid", 3, "PRIVATE")
    assert event["STATUS"] == ("CANCELLED" if word == "cancelled" else "CONFIRMED")
    other = vobject.readOne(parts["text/calendar"])
    assert (other.method.value, other.vevent.uid.value) == (method, "a-uid")
    assert other.vevent.summary.value == str(event["SUMMARY"])
    assert ("geannuleerd" in str(event["SUMMARY"])) == (word == "cancelled")
    assert "herinnering" not in str(event["SUMMARY"]).lower()


def test_a_logo_goes_along_and_is_fetched_from_nowhere() -> None:
    message, _ = read(letter(parcel(logo=b"\x89PNG"), SENDER))
    picture = next(one for one in message.walk() if one.get_content_type() == "image/png")
    assert picture.get_content() == b"\x89PNG"
    html = message.get_body(("html",))
    assert html is not None and f"cid:{picture['Content-ID'].strip('<>')}" in str(html.get_content())

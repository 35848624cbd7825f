"""What a patient is told, as a letter of RFC 5322: text, HTML without anything from elsewhere, and a calendar entry.

What a practice typed of itself is its name and telephone; both go through ``EmailMessage``, which folds what would
begin another header, and are escaped in HTML.
"""

import hashlib
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Final

from practice.invitations.calendar import ics
from practice.invitations.port import Parcel
from practice.invitations.wording import Wording, wording

POLICY: Final = SMTP.clone(cte_type="7bit", max_line_length=76)
PAGE: Final = Path(__file__).with_name("letter.html").read_text("utf-8")
LOGO: Final = "logo@spreekkamer"
BUTTON: Final = (
    '<p style="margin:0 0 24px"><a href="{link}" style="display:inline-block;padding:12px 20px;border-radius:999px;'
    'background:#0f5c5c;color:#ffffff;text-decoration:none">{action}</a></p>\n'
    '<p style="margin:0 0 24px;font-size:15px;word-break:break-all">{link}</p>\n'
)


def letter(parcel: Parcel, sender: str) -> bytes:
    """To ``parcel.to``, from ``sender``, which is an address."""
    words, domain = wording(parcel), sender.rpartition("@")[2]
    message = EmailMessage(POLICY)
    message["From"] = Address(" ".join(parcel.profile.name.split()), addr_spec=sender)
    message["To"] = parcel.to
    message["Subject"] = words.subject
    message["Date"] = format_datetime(parcel.now)
    # The same at each try: whoever gets it twice can tell. It is made of the row's id and does not tell that.
    mark = hashlib.sha256(f"dispatch {parcel.dispatch.id}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{mark}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation answers, please
    message.set_content(plain(parcel, words), cte="quoted-printable")
    message.add_alternative(page(parcel, words), subtype="html", cte="quoted-printable")
    if parcel.logo:
        html = message.get_payload()[1]  # type: ignore[index]  # a part of what was just made
        assert isinstance(html, MIMEPart)
        html.add_related(parcel.logo, "image", "png", cid=f"<{LOGO}>", disposition="inline")
    off = parcel.dispatch.word == "cancelled"
    entry = words if off else wording(replace(parcel, dispatch=replace(parcel.dispatch, word="invitation")))
    calendar = ics(parcel, sender, entry.title, plain(parcel, entry)).decode()
    method = {"method": "CANCEL" if off else "REQUEST"}
    message.add_alternative(calendar, subtype="calendar", cte="base64", params=method)
    message["Content-Language"] = parcel.appointment.language
    return message.as_bytes()


def plain(parcel: Parcel, words: Wording) -> str:
    """For who reads no HTML, and in calendars."""
    paragraphs = [words.lead, f"{words.when}\n{words.length}"]
    paragraphs += [f"{words.action}: {parcel.link}"] if words.action else []
    paragraphs += [words.after, *([words.phone] if words.phone else [])]
    paragraphs += [parcel.profile.name] if parcel.profile.name else []
    return "\n\n".join(paragraphs) + "\n"


def page(parcel: Parcel, words: Wording) -> str:
    """The same as a page."""
    link, name = escape(parcel.link), escape(parcel.profile.name)
    logo = f'<p style="margin:0 0 24px"><img src="cid:{LOGO}" alt="{name}" style="max-height:64px"></p>\n'
    return PAGE.format(
        language=parcel.appointment.language,
        title=escape(words.title),
        lead=escape(words.lead),
        when=escape(words.when),
        length=escape(words.length),
        after=escape(words.after),
        action=BUTTON.format(link=link, action=escape(words.action)) if words.action else "",
        phone=f'<p style="margin:0 0 16px">{escape(words.phone)}</p>\n' if words.phone else "",
        practice=name,
        logo=logo if parcel.logo else "",
    )

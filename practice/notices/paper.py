"""What letters of a practice have beside their text: its telephone below, and its logo in a second form of that text.

The logo is one that the virus scanner looked at and that was encoded by us (``practice.pictures.intake``); it travels
inside the letter, so that nobody learns when that is read. The text stands alone for who reads no HTML.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage, MIMEPart
from html import escape
from typing import Final

from practice.accounts.model import Language

FOOTER: Final[dict[Language, str]] = {
    "nl": "Vragen? Bel {phone}.",
    "en": "Questions? Call {phone}.",
    "de": "Fragen? Rufen Sie an: {phone}.",
    "fr": "Des questions\N{NO-BREAK SPACE}? Appelez le {phone}.",
}
LOGO: Final = "logo@spreekkamer"
LINK: Final = re.compile(r"https?://[^\s<]*[^\s<.,;:]")
PAGE: Final = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body style="margin:0;padding:24px 16px;font-family:system-ui,sans-serif;font-size:18px;line-height:1.5">
<div style="max-width:560px;margin:0 auto">
<p style="margin:0 0 24px"><img src="cid:{logo}" alt="" style="max-width:100%;max-height:64px"></p>
{paragraphs}
</div>
</body>
</html>
"""


@dataclass(frozen=True)
class Paper:
    """Of one organisation: ``logo`` is a PNG, empty where it has none, as ``phone`` is."""

    logo: bytes = field(default=b"", repr=False)
    phone: str = field(default="", repr=False)


PLAIN: Final = Paper()
Papers = Callable[[str], Awaitable[Paper]]
"""That of the organisation that is this owner, or of which this account is a member."""


def footed(text: str, language: Language, paper: Paper) -> str:
    """The text with the telephone below it."""
    phone = " ".join(paper.phone.split())
    return f"{text}\n\n{FOOTER[language].format(phone=phone)}\n" if phone else f"{text}\n"


def add_page(message: EmailMessage, text: str, language: Language, paper: Paper) -> None:
    """The same text below the logo, beside the plain one."""
    page = PAGE.format(
        language=language,
        title=escape(str(message["Subject"])),
        logo=LOGO,
        paragraphs="\n".join(map(paragraph, text.strip("\n").split("\n\n"))),
    )
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    *_, html = message.iter_parts()
    assert isinstance(html, MIMEPart)
    html.add_related(paper.logo, "image", "png", cid=f"<{LOGO}>", disposition="inline")


def paragraph(text: str) -> str:
    """One of the text's, with its links as such."""
    linked = LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', escape(" ".join(text.split())))
    return f'<p style="margin:0 0 16px;overflow-wrap:anywhere">{linked}</p>'

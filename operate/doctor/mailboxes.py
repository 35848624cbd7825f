"""The mailboxes that are read, each by the way that it is. Nothing in them is read, nor deleted."""

from collections.abc import Mapping
from typing import Final

from operate.doctor.finding import Finding, bad, good, unknown
from practice.imap import Mailbox, NotRead, Step
from practice.outgoing import Door, Purpose
from practice.settings import ImapSettings, PracticeSettings

SAID: Final[Mapping[Step, tuple[str, str]]] = {
    "forbidden": (
        "We may not go to the IMAP server: it is at an address of a local network.",
        "If it is in your network, name it in practice.local_hosts.",
    ),
    "connect": (
        "Nothing answers at the IMAP server's port.",
        "See {name}.host and port, and every firewall before it.",
    ),
    "certificate": (
        "The IMAP server's certificate is not trusted, or is another host's.",
        "Write its name in {name}.host; {name}.ca_file is for an authority of your own.",
    ),
    "greeting": ("What answers at that port does not speak IMAP.", "See {name}.port."),
    "sign-in": (
        "The IMAP server does not let us sign in, or not by AUTHENTICATE PLAIN.",
        "See {name}.user and {name}.password; some servers want a password for applications.",
    ),
    "inbox": ("The IMAP server has no INBOX for us.", "See {name}.user."),
    "reading": ("The IMAP server does not go on.", "Look at its log."),
}
"""What is wrong, and what to do; ``name`` is that of the settings."""


async def bounces(settings: PracticeSettings) -> list[Finding]:
    """That to which mail comes back: each step up to the first that fails."""
    if settings.bounces.address is None:
        meaning = "No mailbox is set for mail that comes back: what a mail server took counts as sent."
        return [unknown("bounces", meaning, "Set practice.bounces.address and what it is read by.")]
    fault = await _fault("bounces", settings.bounces, settings)
    if fault is not None:
        return [_bad("bounces", "practice.bounces", fault)]
    return [good("bounces", "The mailbox to which mail comes back can be read.")]


async def requests(settings: PracticeSettings) -> list[Finding]:
    """That to which people write about their data: the same."""
    box = settings.requests.mailbox
    if box.address is None:
        meaning = "No mailbox is set for what people ask about their data: they have the form, and you read your mail."
        return [unknown("requests", meaning, "Set practice.requests.mailbox.address and what it is read by.")]
    fault = await _fault("requests", box, settings)
    if fault is not None:
        return [_bad("requests", "practice.requests.mailbox", fault)]
    return [good("requests", "The mailbox to which people write about their data can be read.")]


async def _fault(purpose: Purpose, box: ImapSettings, settings: PracticeSettings) -> Step | None:
    try:
        await Mailbox(purpose, box, Door.of(settings)).look()
    except NotRead as fault:
        return fault.step
    return None


def _bad(check: str, name: str, step: Step) -> Finding:
    meaning, action = SAID[step]
    return bad(check, meaning, action.format(name=name))

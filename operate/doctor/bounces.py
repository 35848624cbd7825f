"""The mailbox to which mail comes back, by the way that it is read. Nothing in it is read, nor deleted."""

from operate.doctor.finding import Finding, bad, good, unknown
from practice.bounces.mailbox import Mailbox, NotRead, Step
from practice.outgoing import Door
from practice.settings import PracticeSettings

SAID: dict[Step, tuple[str, str]] = {
    "forbidden": (
        "We may not go to the IMAP server: it is at an address of a local network.",
        "If it is in your network, name it in practice.local_hosts.",
    ),
    "connect": (
        "Nothing answers at the IMAP server's port.",
        "See practice.bounces.host and port, and every firewall before it.",
    ),
    "certificate": (
        "The IMAP server's certificate is not trusted, or is another host's.",
        "Write its name in practice.bounces.host; practice.bounces.ca_file is for an authority of your own.",
    ),
    "greeting": ("What answers at that port does not speak IMAP.", "See practice.bounces.port."),
    "sign-in": (
        "The IMAP server does not let us sign in, or not by AUTHENTICATE PLAIN.",
        "See practice.bounces.user and practice.bounces.password; some servers want a password for applications.",
    ),
    "inbox": ("The IMAP server has no INBOX for us.", "See practice.bounces.user."),
    "reading": ("The IMAP server does not go on.", "Look at its log."),
}


async def bounces(settings: PracticeSettings) -> list[Finding]:
    """Each step up to the first that fails."""
    if settings.bounces.address is None:
        meaning = "No mailbox is set for mail that comes back: what a mail server took counts as sent."
        return [unknown("bounces", meaning, "Set practice.bounces.address and what it is read by.")]
    try:
        await Mailbox(settings.bounces, Door.of(settings)).look()
    except NotRead as fault:
        return [bad("bounces", *SAID[fault.step])]
    return [good("bounces", "The mailbox to which mail comes back can be read.")]

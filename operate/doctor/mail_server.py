"""The operator's mail server, by the way that mail takes: connection, encryption, signing in. Nothing is sent."""

from operate.doctor.finding import Finding, bad, good, unknown
from practice.notices.smtp import Mailer, NotSent, Step
from practice.outgoing import Door
from practice.settings import PracticeSettings

SAID: dict[Step, tuple[str, str]] = {
    "forbidden": (
        "We may not go to the mail server: it is at an address of a local network.",
        "If it is in your network, name it in practice.local_hosts.",
    ),
    "connect": (
        "Nothing answers at the mail server's port.",
        "See practice.mail.host and port, and every firewall before it.",
    ),
    "greeting": (
        "What answers at that port does not speak SMTP.",
        "See practice.mail.port and practice.mail.security.",
    ),
    "starttls": (
        "The mail server offers no STARTTLS, so nothing is sent to it.",
        "Switch TLS on there, or set practice.mail.security to tls and practice.mail.port to 465.",
    ),
    "certificate": (
        "The mail server's certificate is not trusted, or is another host's.",
        "Write its name in practice.mail.host; practice.mail.ca_file is for an authority of your own.",
    ),
    "sign-in": (
        "The mail server does not let us sign in, or offers no way to.",
        "See practice.mail.user and practice.mail.password; some servers want a password for applications.",
    ),
    "sender": ("The mail server does not take mail from practice.mail.sender.", "Use an address that it knows."),
}


async def mail_server(settings: PracticeSettings) -> list[Finding]:
    """Each step up to the first that fails."""
    mail = settings.mail
    if mail.host is None:
        meaning = "No mail server is set: nobody gets mail, so who forgot a password needs the operator."
        return [unknown("mail-server", meaning, "Set practice.mail.host and practice.mail.sender.")]
    mailer = Mailer(mail, Door.of(settings))
    try:
        async with mailer.session() as server:
            await server.ehlo()
            try:
                await server.mail(mailer.sender)
            except Exception:  # noqa: BLE001 -- whatever it says, it is the sender that it does not take
                raise NotSent("sender") from None
    except NotSent as fault:
        meaning, fix = SAID[fault.step]
        return [bad("mail-server", meaning, fix)]
    how = {"starttls": "after STARTTLS", "tls": "over TLS", "none": "on this machine, in clear"}[mail.spoken]
    signed_in = "signs us in and " if mail.user else ""
    return [good("mail-server", f"The mail server {signed_in}takes mail {how}.")]

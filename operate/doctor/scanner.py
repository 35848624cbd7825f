"""The virus scanner that looks at uploads: whether it answers, has signatures, and how old these are (S-53)."""

from datetime import datetime, timedelta

from operate.doctor.finding import Finding, bad, good, unknown, warn
from practice.pictures.scanner import STALE_HOURS, Scanner
from practice.settings import UploadSettings
from vault.errors import DomainError


async def scanner(settings: UploadSettings, now: datetime) -> list[Finding]:
    """Nothing is sent to it but a question."""
    if settings.scanner is None:
        meaning = "No virus scanner is set: nobody uploads a logo or a photograph."
        return [unknown("scanner", meaning, "Set practice.uploads.scanner to the socket of clamd.")]
    try:
        signatures = await Scanner(settings.scanner).signatures()
    except DomainError:
        meaning = "The virus scanner does not answer, or has no signatures: no upload is taken."
        return [bad("scanner", meaning, "See the logs of clamd and freshclam; practice.uploads.scanner is its socket.")]
    hours = int((now - signatures.made) / timedelta(hours=1))
    if hours > STALE_HOURS:
        meaning = f"The virus scanner's signatures are {hours} hours old."
        return [warn("scanner", meaning, "See the log of freshclam: it needs a way out to its mirrors.")]
    return [good("scanner", f"The virus scanner has its signatures of {signatures.made:%Y-%m-%d}.")]

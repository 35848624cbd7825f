"""A certificate of our own, for a local network where there is no other (``serve --tls-self-signed``)."""

import ssl
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from operate import certificates
from operate.process import write_new

LIFE = timedelta(days=365)
RENEW = timedelta(days=30)


def self_signed(data: Path, origin: str, now: datetime) -> ssl.SSLContext:
    """A TLS context for ``origin``; the certificate is kept in ``data`` so that a browser asks only once."""
    host = (urlsplit(origin).hostname or "localhost").lower()
    file = data / "secrets" / "tls-self-signed.pem"
    if not _good(file, host, now):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(file, certificates.self_signed(host, "Spreekkamer", now, LIFE, authority=False).pair)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(file)
    return context


def _good(file: Path, host: str, now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    return certificates.host_name(host) in names and now + RENEW < certificate.not_valid_after_utc

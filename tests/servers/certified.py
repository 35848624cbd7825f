"""What servers on loopback show who comes by TLS: a certificate made for them, and the file by which it is trusted."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from operate.deployment import openbao


def certified(folder: Path, what: str, name: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """For a server called ``name``; ``what`` it is is in the names of the files."""
    signed = openbao.certificate(name, datetime.now(UTC))
    pair, authority = folder / f"{what}-pair.pem", folder / f"{what}-ca.pem"
    pair.write_bytes(signed.pair)
    authority.write_bytes(signed.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair)
    return context, authority

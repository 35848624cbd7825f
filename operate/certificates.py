"""Certificates that vouch for themselves, where no authority does: on a local network, and for OpenBao."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class SelfSigned:
    """PEM, both; a server wants the key and then the certificate in one file."""

    key: bytes
    certificate: bytes

    @property
    def pair(self) -> bytes:
        return self.key + self.certificate


def host_name(host: str) -> x509.GeneralName:
    """As a certificate names it: a host may be an address."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def self_signed(host: str, common_name: str, now: datetime, life: timedelta, *, authority: bool) -> SelfSigned:
    """For a TLS server at ``host`` and ``localhost``; an ``authority`` is one that clients are given to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    constraints = x509.BasicConstraints(ca=authority, path_length=0 if authority else None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectAlternativeName([host_name(host), x509.DNSName("localhost")]), critical=False)
        .add_extension(constraints, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SelfSigned(private, certificate.public_bytes(serialization.Encoding.PEM))

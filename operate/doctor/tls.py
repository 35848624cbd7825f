"""TLS as a browser meets it: certificate, versions, and no way around it."""

import asyncio
import ssl
import warnings
from datetime import UTC, datetime
from typing import Final

import aiohttp
from cryptography import x509

from operate.doctor.finding import Finding, bad, good, warn

SECONDS: Final = 5.0
SOON, VERY_SOON = 21, 7
PROXY: Final = "See whether the proxy runs, and its log."


async def tls(host: str, port: int, now: datetime, authority: str | None = None) -> list[Finding]:
    """The certificate, what versions are spoken, HSTS and the way from plain http."""
    trusting = ssl.create_default_context(cafile=authority)
    try:
        certificate = await _certificate(host, port, trusting)
    except ssl.SSLCertVerificationError as error:
        return [bad("tls", f"Browsers refuse the certificate: {error.verify_message}.", PROXY)]
    except ssl.SSLError:
        return [bad("tls", "There is no TLS at this port, or none that is safe.", PROXY)]
    except (OSError, TimeoutError):
        return [bad("tls", f"Nothing answers at port {port}.", "Start the proxy; open the port in the firewall.")]
    return [_life(certificate, now), await _versions(host, port), await _header(host, port, trusting)]


async def _certificate(host: str, port: int, context: ssl.SSLContext) -> x509.Certificate:
    async with asyncio.timeout(SECONDS):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(found)
    finally:
        writer.close()


def _life(certificate: x509.Certificate, now: datetime) -> Finding:
    left = certificate.not_valid_after_utc - now
    whole = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    if left.days < VERY_SOON and left < whole / 4:
        return bad("tls", f"The certificate ends in {left.days} days.", "See why the proxy does not renew it.")
    if left.days < SOON and left < whole / 4:
        return warn("tls", f"The certificate ends in {left.days} days.", "See why the proxy does not renew it.")
    return good("tls", f"The certificate is trusted until {certificate.not_valid_after_utc.astimezone(UTC):%Y-%m-%d}.")


async def _versions(host: str, port: int) -> Finding:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # asking for what is deprecated is the point
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=old, server_hostname=host)
    except (OSError, TimeoutError):
        return good("tls-versions", "TLS 1.0 and 1.1 are refused.")
    writer.close()
    return bad("tls-versions", "TLS 1.0 or 1.1 is accepted.", "Allow TLS 1.2 and 1.3 only.")


async def _header(host: str, port: int, context: ssl.SSLContext) -> Finding:
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"https://{host}:{port}/", ssl=context, allow_redirects=False) as response,
        ):
            policy = response.headers.get("Strict-Transport-Security", "")
    except (aiohttp.ClientError, TimeoutError):
        return bad("tls-hsts", "The server does not answer over https.", PROXY)
    if "max-age" in policy:
        return good("tls-hsts", "Browsers are told to come by https only.")
    return warn("tls-hsts", "Browsers are not told to come by https only.", "Send Strict-Transport-Security.")

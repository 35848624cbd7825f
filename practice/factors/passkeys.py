"""Passkeys (WebAuthn level 3): what an authenticator says is checked here, for one origin.

**User verification is always asked for**, so a passkey is two factors: what somebody has, and what they know or are.
The library does not say that a credential's flag *backup eligible* changed, and refuses a counter that was set back for
ever: both are compared by whoever has the record.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from practice.factors.model import Device, Passkey
from vault.errors import DomainError

if TYPE_CHECKING:
    from webauthn.helpers.structs import CredentialDeviceType

# The library is imported where it is needed: it is a twentieth of what a start takes.
ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The relying party: the name that passkeys are bound to, and the one origin that may ask for them."""

    id: str
    origin: str

    @classmethod
    def of(cls, origin: str) -> "RelyingParty":
        """Errors: ``passkey_address`` for a bare IP address, which browsers bind none to."""
        host = urlsplit(origin).hostname or ""
        try:
            ip_address(host)
        except ValueError:
            return cls(host, origin)
        raise DomainError("passkey_address")


@dataclass(frozen=True, slots=True)
class Registration:
    """What a browser gives for a new one, in base64url. There is no place for results of extensions: those of PRF are
    secrets.
    """

    id: str
    client_data: str = field(repr=False)
    attestation: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """What it gives for one that is there."""

    id: str
    client_data: str = field(repr=False)
    authenticator_data: str = field(repr=False)
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asserted:
    """What the authenticator says of itself now."""

    count: int
    device: Device


def handle(owner: str) -> str:
    """What a passkey knows its account by, in base64url: the account's id, which is random."""
    return _text(owner.encode())


def owner_of(user_handle: str) -> str:
    """Whose it is. Errors: ``passkey_refused``."""
    try:
        owner = _bytes(user_handle).decode("ascii")
    except ValueError:
        raise DomainError("passkey_refused") from None
    if not ID.fullmatch(owner):
        raise DomainError("passkey_refused")
    return owner


def registered(party: RelyingParty, challenge: bytes, made: Registration, name: str, now: datetime) -> Passkey:
    """A new one. Errors: ``passkey_refused``."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    response = {"clientDataJSON": made.client_data, "attestationObject": made.attestation}
    try:
        found = verify_registration_response(
            credential=_credential(made.id, response),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise DomainError("passkey_refused") from None
    device = _device(found.credential_device_type)
    return Passkey(
        id=_text(found.credential_id),
        key=_text(found.credential_public_key),
        count=found.sign_count,
        device=device,
        backed_up=device == "multi_device",
        name=name,
        created=now,
    )


def asserted(party: RelyingParty, challenge: bytes, made: Assertion, passkey: Passkey) -> Asserted:
    """That it was used now, here, by who is its person. Errors: ``passkey_refused``."""
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    response = {
        "clientDataJSON": made.client_data,
        "authenticatorData": made.authenticator_data,
        "signature": made.signature,
    }
    try:
        found = verify_authentication_response(
            credential=_credential(made.id, response),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=_bytes(passkey.key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise DomainError("passkey_refused") from None
    return Asserted(found.new_sign_count, _device(found.credential_device_type))


def set_back(passkey: Passkey, said: Asserted) -> bool:
    """Whether its counter did not go on, as that of a copy does not (WebAuthn 6.1.1)."""
    return (passkey.count, said.count) != (0, 0) and said.count <= passkey.count


def _credential(name: str, response: dict[str, str]) -> dict[str, object]:
    return {"id": name, "rawId": name, "type": "public-key", "response": response}


def _device(kind: "CredentialDeviceType") -> Device:
    from webauthn.helpers.structs import CredentialDeviceType

    return "multi_device" if kind == CredentialDeviceType.MULTI_DEVICE else "single_device"


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

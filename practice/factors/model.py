"""The second factor of an account, as it leaves storage: immutable, silent in ``repr``."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from vault.records.content import Fields

Used = Literal["totp", "recovery"]
"""What a code that a person typed was."""

Device = Literal["single_device", "multi_device"]


@dataclass(frozen=True, slots=True)
class Passkey:
    """One credential (WebAuthn level 3). ``id`` and ``key``, the COSE public key, are base64url.

    ``backed_up`` is whether it may be copied to other devices, which never changes; ``doubted`` whether its counter
    was set back, as a copy's would be.
    """

    id: str = field(repr=False)
    key: str = field(repr=False)
    count: int
    device: Device
    backed_up: bool
    name: str = field(repr=False)
    created: datetime
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Factors:
    """All of one account. ``version`` 0 is what was never written: the account has none.

    ``since`` is from when on one is asked for, ``lifted`` whether somebody else took one away; ``secret`` is that of an
    app's codes (RFC 6238, base32), ``step`` the last time step that was accepted; ``codes`` are keyed hashes of the
    recovery codes that are left.
    """

    id: str
    owner: str
    since: datetime | None = None
    lifted: bool = False
    secret: str | None = field(default=None, repr=False)
    step: int = field(default=0, repr=False)
    codes: tuple[str, ...] = field(default=(), repr=False)
    passkeys: tuple[Passkey, ...] = field(default=(), repr=False)
    version: int = 0
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def any(self) -> bool:
        """Whether there is a second factor: recovery codes alone are none."""
        return self.secret is not None or bool(self.passkeys)

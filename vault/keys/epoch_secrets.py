"""What an epoch secret is, wherever it lives."""

from typing import NamedTuple, Protocol


class Made(NamedTuple):
    """A new epoch's secret, and what the key store must keep to read it again (nothing for a file)."""

    number: int
    secret: bytes
    sealed: bytes = b""


class EpochSecrets(Protocol):
    """Where epoch secrets live: files beside the key store, or OpenBao. Erasing one there ends its epoch for all."""

    def make(self, after: int) -> Made:
        """A new secret, of an epoch after this one. Errors: Locked, OSError."""

    def read(self, number: int, sealed: bytes) -> bytes:
        """The secret of an epoch; Locked when it is gone."""

    def erased(self, number: int) -> bool:
        """Whether nobody can read the secret of this epoch, nor of those before. Errors: Locked."""

    def tidy(self, current: int) -> None:
        """Erase all other epochs' secrets. Safe to repeat. Errors: Locked, OSError."""

    def check(self) -> None:
        """Locked when secrets cannot be had now, or could outlive their erasure."""

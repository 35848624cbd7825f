"""What commands read of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from signaling.settings import SignalingSettings
    from vault.settings import VaultSettings


class Configured(Protocol):
    """The settings that commands read."""

    @property
    def rooms(self) -> VaultSettings: ...
    @property
    def signaling(self) -> SignalingSettings: ...

"""What commands read of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from practice.settings import PracticeSettings
    from signaling.settings import SignalingSettings
    from turn.settings import TurnSettings
    from vault.settings import VaultSettings
    from web.settings import WebSettings


class Configured(Protocol):
    """The settings that commands read."""

    @property
    def rooms(self) -> VaultSettings: ...
    @property
    def practice(self) -> PracticeSettings: ...
    @property
    def signaling(self) -> SignalingSettings: ...
    @property
    def turn(self) -> TurnSettings: ...
    @property
    def web(self) -> WebSettings: ...

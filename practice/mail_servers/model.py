"""A mail server of an organisation's own, as it leaves storage."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from practice.settings import MailSettings
from vault.records.content import Fields

Encrypted = Literal["starttls", "tls"]
"""How it is: nothing goes in clear."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where it is, who signs in there (nobody where both are empty), and from which address mail comes."""

    host: str = field(repr=False)
    port: int
    security: Encrypted
    user: str = field(repr=False)
    password: str = field(repr=False)
    sender: str = field(repr=False)

    def settings(self, ca_file: Path | None) -> MailSettings:
        """As the operator's own are. Errors: ValueError (also of pydantic)."""
        return MailSettings(
            host=self.host,
            port=self.port,
            security=self.security,
            user=self.user or None,
            password=SecretStr(self.password) if self.password else None,
            sender=self.sender,
            ca_file=ca_file,
        )


@dataclass(frozen=True, slots=True)
class MailServer:
    """Of one organisation, its ``owner``. ``unknown`` is what a newer program keeps beside these fields."""

    id: str
    owner: str
    access: Access = field(repr=False)
    since: datetime
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

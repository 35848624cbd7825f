"""Settings of the media relay."""

import os
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from media.redis_address import redis_address


def _address(value: str) -> str:
    try:
        return str(ip_address(value.strip()))
    except ValueError:
        raise ValueError("must be addresses, as 192.0.2.1 or 2001:db8::1") from None


def _announced(value: str) -> str:
    """One that clients can send to: IPv4 in IPv6 clothes as itself."""
    address = ip_address(value)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_unspecified or address.is_multicast or "%" in value:
        raise ValueError("must be addresses that clients can send to, as 192.0.2.1 or 2001:db8::1")
    return str(address)


Address = Annotated[str, AfterValidator(_address)]
Announced = Annotated[Address, AfterValidator(_announced)]


def _default_workers() -> int:
    """One core is left for signaling: a second busy Python thread or process on the same core costs latency."""
    return max(1, (os.cpu_count() or 2) - 1)


class MediaSettings(BaseModel):
    """The relay: worker processes, their ports and the addresses that clients are told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(default_factory=_default_workers, ge=0, le=64, description="Worker processes on this host.")
    port: int = Field(
        40_000,
        ge=0,
        le=65_000,
        description="UDP and TCP port of the first worker, one more for each next; 0: any free ports.",
    )
    listen: list[Address] = Field(
        ["0.0.0.0", "::"],  # noqa: S104 - media comes from anywhere
        min_length=1,
        max_length=4,
        description="Addresses to listen on; a family that the host lacks is left out.",
    )
    announced: list[Announced] = Field(
        default=[],
        max_length=8,
        description="Addresses clients are told, for example behind 1:1 NAT; empty: those of this host.",
    )
    announce_loopback: bool = Field(False, description="Also tell clients 127.0.0.1, for a browser on the same host.")
    tcp: bool = Field(True, description="Answer on TCP too (RFC 4571), for networks that block UDP.")
    wake_interval: float = Field(
        0.0012,
        ge=0.0,
        le=0.005,
        description="Seconds between two looks at a busy UDP port, 0: wake at every packet. Saves CPU, adds latency.",
    )
    pump: Literal["auto", "native", "python"] = Field(
        "python",
        description="What forwards packets: `native` the pump, a thread written in C; `python` the relay itself; "
        "`auto` the pump where it was built and works.",
    )
    drain_seconds: int = Field(
        20, ge=0, le=600, description="How long a worker that is told to end waits for its rooms to move or to finish."
    )
    secret: SecretStr | None = Field(
        None,
        description="Key of calls, for `spreekkamer media` alone: what `spreekkamer media-secret` prints. "
        "It signs no tickets; workers are not given signaling.secret.",
    )
    redis_url: Annotated[SecretStr, AfterValidator(redis_address)] | None = Field(
        None, description="signaling.redis_url with the workers' own user of Redis; empty: that of the servers."
    )
    max_rooms: int = Field(1_000, ge=1, le=100_000, description="Rooms per worker.")
    full_load: float = Field(
        0.8,
        ge=0.1,
        le=1.0,
        description="Share of one processor, over some seconds, from which on a worker takes no new rooms; those that "
        "it has go on.",
    )

    @model_validator(mode="after")
    def _ports_fit(self) -> Self:
        if self.port and self.port + max(0, self.workers - 1) > 65_535:
            raise ValueError("has a port so high that its workers' ports go past 65535; choose a lower media.port")
        return self

    def port_of(self, index: int) -> int:
        """The port of worker ``index``; 0 for any free one."""
        return self.port + index if self.port else 0

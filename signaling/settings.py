"""Settings of the application server. Set them as ``SPREEKKAMER_SIGNALING__<NAME>`` or ``[signaling]`` in the file."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from media.redis_address import redis_address
from signaling import setting_forms

Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(setting_forms.network)]


class SignalingSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, AfterValidator(setting_forms.listening_host)] = Field(
        default="127.0.0.1", description="Address to listen on; :: listens on all, of IPv6 and IPv4."
    )
    port: int = Field(default=8080, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    origin: Annotated[str, AfterValidator(setting_forms.origin)] | None = Field(
        default=None,
        description="The origin that browsers see, such as https://consult.example.org; empty: http://localhost:PORT.",
    )
    trusted_proxies: list[Network] = Field(
        default=[], description="Networks of reverse proxies whose X-Forwarded-For or Forwarded is believed."
    )
    operator_networks: list[Network] = Field(
        default=[], description="Networks, beside loopback, that may read metrics and diagnostics."
    )
    redis_url: Annotated[SecretStr, AfterValidator(redis_address)] | None = Field(
        default=None, description="redis://, rediss:// or unix:// of a shared Redis; empty: an embedded one."
    )
    secret: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Key of tickets and of calls to workers, the same on all nodes; empty: one in the data folder.",
    )
    access_seconds: int = Field(default=300, ge=30, le=3600, description="Life of an access token.")
    resume_seconds: int = Field(default=14_400, ge=300, le=86_400, description="Life of a resume ticket.")
    refresh_seconds: int = Field(
        default=43_200, ge=300, le=2_592_000, description="How long an app may refresh before it has to sign in again."
    )
    second_factor: Literal["demanded", "offered"] = Field(
        default="demanded",
        description="Whether every account needs a second factor beside its password, or may have one.",
    )
    second_factor_grace_days: int = Field(
        default=14,
        ge=0,
        le=90,
        description="How long after its first sign-in an account without one is let in, where one is demanded.",
    )
    join_early_minutes: int = Field(default=60, ge=0, le=1440, description="How long before its start a link opens.")
    join_late_minutes: int = Field(
        default=30,
        ge=0,
        le=1440,
        description="How long after its end a link still opens, unless the appointment is destroyed by then: "
        "with retention `end` half an hour after its planned end.",
    )
    max_people: int = Field(
        default=12,
        ge=2,
        le=12,
        description="People who may be in one consult at once, the practitioner and the patient among them.",
    )
    queue_people: int = Field(
        default=20, ge=1, le=200, description="How many may be in the queue of one practitioner's open hour."
    )
    queue_network: int = Field(
        default=2, ge=1, le=200, description="How many of them from one network, so that nobody fills a queue alone."
    )
    drain_seconds: float = Field(
        default=3,
        ge=0,
        le=60,
        description="How long a node among several that is told to stop is not ready before its clients must move.",
    )
    log_format: Literal["json", "human"] = Field(default="json", description="Form of the log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe line to log."
    )

"""Settings of TURN. Set them as ``SPREEKKAMER_TURN__<NAME>`` or ``[turn]`` in the file."""

from ipaddress import IPv4Address

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class TurnSettings(BaseModel):
    """Without an ``address`` there is no TURN: the relay's own port answers UDP and TCP."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: IPv4Address | None = Field(default=None, description="Public address of the coturn server.")
    realm: str = Field(default="spreekkamer", pattern=r"^[A-Za-z0-9.-]{1,64}$", description="Realm of credentials.")
    tls_name: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9.-]{1,253}$", description="Host name on coturn's certificate; empty: no TLS."
    )
    port: int = Field(default=3478, ge=1, le=65535, description="UDP and TCP port of coturn.")
    tls_port: int = Field(default=5349, ge=1, le=65535, description="TLS port; 443 only at an address of its own.")
    secrets: list[SecretStr] = Field(
        default=[], max_length=2, description="Shared secrets: the first signs, the second is still accepted by coturn."
    )
    lifetime: int = Field(
        default=3600, ge=60, le=86_400, description="Seconds that a credential opens new allocations."
    )
    max_lifetime: int = Field(
        default=600, ge=300, le=3600, description="Longest life of an allocation between refreshes, in seconds."
    )
    user_quota: int = Field(default=5, ge=1, le=100, description="Allocations that one participant may have at once.")
    relay_peers: list[IPv4Address] = Field(
        default=[], description="Addresses of our media workers: the only peers that coturn may reach."
    )
    min_port: int = Field(default=49_152, ge=1024, le=65535, description="First port that coturn relays from.")
    max_port: int = Field(default=65_535, ge=1024, le=65535, description="Last port that coturn relays from.")
    certificate: str | None = Field(default=None, description="PEM file of the certificate chain for TLS.")
    private_key: str | None = Field(default=None, description="PEM file of its private key.")

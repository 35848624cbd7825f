"""How much one client may ask of the gate."""

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """Bounds that no client needs in ordinary use. Times in seconds, sizes in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message_bytes: int = Field(
        default=196_608, ge=1024, description="One message; an offer of 128 kB fits with escapes."
    )
    ping_interval: float = Field(default=1.5, gt=0, description="Between two pings.")
    ping_timeout: float = Field(default=2.5, gt=0, description="For the answer to a ping.")
    ping_early: float = Field(
        default=0.5,
        ge=0,
        description="So much sooner than interval and timeout together does a client that hears no ping give up.",
    )
    authenticate_within: float = Field(default=5, gt=0, description="From the WebSocket to an accepted CONNECT.")
    pending_per_network: int = Field(
        default=20, ge=1, description="Sockets of one IPv4 address or IPv6 /64 that did not authenticate yet."
    )
    pending: int = Field(
        default=1000,
        ge=1,
        description="Sockets of everybody that did not authenticate yet; the other places are for who did.",
    )
    sockets: int = Field(default=10_000, ge=1, description="Sockets of one process.")
    events_per_second: float = Field(default=20, gt=0, description="Refill of a socket's token bucket.")
    events_burst: int = Field(default=100, ge=1, description="Size of that bucket.")
    strikes: int = Field(default=50, ge=1, description="Refused events in a row after which the socket is closed.")
    handlers: int = Field(default=8, ge=1, description="Handlers of one socket at work at once.")
    backlog: int = Field(default=256, ge=1, description="Packets that wait for a client which does not read.")
    send_within: float = Field(default=10, gt=0, description="For one packet to leave for a client.")
    present_within: float = Field(default=0.5, gt=0, description="For a page to say that it is still there.")

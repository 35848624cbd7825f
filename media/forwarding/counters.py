"""What happened to packets, for metrics."""

from dataclasses import dataclass

from media.refusals import CheckRefusal
from media.session.dtls import REPLAYED


@dataclass(slots=True)
class Counters:
    """Shared by all peers of a worker.

    Attributes:
        received: datagrams and framed packets of any kind.
        forwarded, resent: to subscribers that have left; those of the others are counted where they are.
        errors: exceptions in the packet loop.
        unknown_source: from an address that passed no check, or of no known protocol.
        oversize: larger than a packet can be, or empty.
        malformed: authentic, and not what it should be.
        bad_tag, replayed: what libsrtp refused.
        unbound: authentic, but of no announced line.
        stun_malformed: not a binding request with our fragment in it.
        stun_unknown: for a fragment of nobody.
        stun_forged: without the right integrity.
        stun_replayed: a check that came before from elsewhere.
        stun_limited, rtcp_limited, ssrc_limited: more than are looked at.
    """

    received: int = 0
    forwarded: int = 0
    resent: int = 0
    errors: int = 0
    unknown_source: int = 0
    oversize: int = 0
    malformed: int = 0
    bad_tag: int = 0
    replayed: int = 0
    unbound: int = 0
    stun_malformed: int = 0
    stun_unknown: int = 0
    stun_forged: int = 0
    stun_replayed: int = 0
    stun_limited: int = 0
    rtcp_limited: int = 0
    ssrc_limited: int = 0

    def refused(self, result: int) -> None:
        """libsrtp did not take a packet."""
        if result in REPLAYED:
            self.replayed += 1
        else:
            self.bad_tag += 1

    def refused_check(self, kind: CheckRefusal) -> None:
        """A connectivity check was not answered."""
        setattr(self, kind, getattr(self, kind) + 1)

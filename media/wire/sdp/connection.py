"""Which lines of an offer share our one transport, and what the offer says of it (RFC 9143, 8839, 8842, 8122)."""

import re
from collections.abc import Iterator
from typing import Literal

from media.wire.sdp.errors import OfferError
from media.wire.sdp.model import Connection, Fingerprint, Offer, TransportPart

_HASH_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_ICE_CHARS = re.compile(r"[A-Za-z0-9+/]+")


def connect(offer: Offer, usable: set[str]) -> Connection:
    """The transport of the group with the most ``usable`` lines, of several the first; a line alone is a group too.

    Of the ``usable`` mids there is at least one. The first of the group speaks for all of it (RFC 9143, 7.3); what it
    leaves out another may say, as a bundle-only line has nothing of it, or the session.

    Raises:
        OfferError: ICE or DTLS cannot be had with what is said.
    """
    grouped = {mid for group in offer.groups for mid in group}
    alone = [[line.mid] for line in offer.media if line.mid and line.mid not in grouped and not line.rejected]
    group = max((*offer.groups, *alone), key=lambda mids: len(usable.intersection(mids)))
    mids = [mid for mid in group if mid in usable]
    others = [mid for mid in group if mid not in usable]
    parts = [line.transport for mid in (*mids, *others) if (line := offer.line(mid))] + [offer.transport]
    if offer.transport.lite or parts[0].lite:
        raise OfferError("ice_lite")
    return Connection(
        mids=mids,
        bundled=group in offer.groups,
        ice_ufrag=_ice((part.ufrag for part in parts), 4),
        ice_pwd=_ice((part.password for part in parts), 22),
        fingerprints=_fingerprints(parts),
        setup=_setup(parts),
    )


def _ice(values: Iterator[str | None], least: int) -> str:
    value = next((value for value in values if value is not None), "")
    if not least <= len(value) <= 256 or not _ICE_CHARS.fullmatch(value):
        raise OfferError("ice")
    return value


def _fingerprints(parts: list[TransportPart]) -> list[Fingerprint]:
    """Of the first part that has one of a hash to rely on: an old one beside it, or nearer, takes nothing away."""
    for part in parts:
        if found := [print_ for value in part.fingerprints if (print_ := _fingerprint(value))]:
            return found
    raise OfferError("fingerprint")


def _fingerprint(value: str) -> Fingerprint | None:
    algorithm, _, digest = value.partition(" ")
    size, digest = _HASH_BYTES.get(algorithm.lower()), digest.strip().upper()
    if size and re.fullmatch(rf"[0-9A-F]{{2}}(:[0-9A-F]{{2}}){{{size - 1}}}", digest):
        return Fingerprint(algorithm.lower(), digest)
    return None


def _setup(parts: list[TransportPart]) -> Literal["actpass", "active"]:
    """Who says nothing is active (RFC 4145, 4)."""
    value = next((part.setup for part in parts if part.setup), "active")
    if value == "actpass":
        return "actpass"
    if value == "active":
        return "active"
    raise OfferError("dtls_role")

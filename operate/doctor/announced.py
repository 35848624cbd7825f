"""The addresses that clients are told to send media to."""

from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address, ip_network

from operate.doctor.finding import Finding, bad, good, unknown, warn

CARRIER = ip_network("100.64.0.0/10")


def announced(media: Sequence[str], turn: IPv4Address | None, peers: Sequence[IPv4Address]) -> list[Finding]:
    """Whether clients elsewhere can use them, and whether TURN reaches them."""
    findings = []
    if not media:
        meaning = (
            "No address is configured: workers tell clients those that their host has, which behind NAT is no use."
        )
        findings.append(unknown("announced", meaning, "Set media.announced to the public address."))
    else:
        private = [text for text in media if not public(text)]
        if private:
            meaning = f"Nobody outside can reach {', '.join(private)}."
            findings.append(bad("announced", meaning, "Set media.announced to the public address."))
        else:
            findings.append(good("announced", f"Clients are told {', '.join(media)}."))
    if turn is None:
        meaning = "There is no TURN: people in networks that block UDP and the relay's TCP port cannot take part."
        return [*findings, warn("announced-turn", meaning, "Run coturn and set turn.address and turn.secrets.")]
    if not public(str(turn)):
        findings.append(
            bad("announced-turn", "The address of TURN is not public.", "Set turn.address to a public one.")
        )
    elif media and not {str(peer) for peer in peers} & set(media):
        meaning = "TURN may not reach the media workers: turn.relay_peers has none of media.announced."
        findings.append(bad("announced-turn", meaning, "Put the workers' addresses into turn.relay_peers."))
    else:
        findings.append(good("announced-turn", f"TURN is at {turn}."))
    return findings


def public(text: str) -> bool:
    """Whether the internet routes to it."""
    address = ip_address(text)
    return address.is_global and not (isinstance(address, IPv4Address) and address in CARRIER)

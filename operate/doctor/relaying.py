"""TURN end to end: by every way that clients are told, with a credential as they get it."""

from datetime import datetime

from operate.doctor.finding import Finding, bad, good, unknown
from turn.credentials import TurnCredentials
from turn.probe import Transport, Unreachable, probe
from turn.settings import TurnSettings


async def relaying(settings: TurnSettings, now: datetime) -> list[Finding]:
    """An allocation, data through it, and refusals, over UDP, TCP and (with a name) TLS."""
    credential = TurnCredentials(settings, lambda: now).issue()
    if credential is None or settings.address is None:
        return [unknown("turn", "TURN is not configured.", "Run coturn and set turn.address and turn.secrets.")]
    ways: tuple[Transport, ...] = ("udp", "tcp", "tls") if settings.tls_name else ("udp", "tcp")
    findings = []
    for way in ways:
        server = (str(settings.address), settings.tls_port if way == "tls" else settings.port)
        try:
            tried = await probe(server, credential, way, settings.relay_peers, settings.tls_name)
        except Unreachable as reason:
            fix = "Start coturn with `spreekkamer coturn`'s configuration and the same secret; open its ports."
            findings.append(bad(f"turn-{way}", f"TURN over {way.upper()} {reason}.", fix))
            continue
        if tried.reached:
            meaning = f"TURN relays to {', '.join(tried.reached)}: whoever has a link can reach inner networks."
            findings.append(bad(f"turn-{way}", meaning, "Run coturn with the configuration of `spreekkamer coturn`."))
        elif tried.echoed is False:
            meaning = f"TURN over {way.upper()} allocates, but no data comes through."
            findings.append(bad(f"turn-{way}", meaning, "Open coturn's relay ports (turn.min_port to turn.max_port)."))
        elif tried.echoed is None:
            meaning = f"TURN over {way.upper()} allocates and refuses others; no media address here to send data to."
            findings.append(unknown(f"turn-{way}", meaning, "Run this on a media host, or `check --relayed`."))
        else:
            findings.append(good(f"turn-{way}", f"Data goes through {way.upper()} and back; other peers are refused."))
    return findings

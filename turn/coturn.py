"""The configuration that we run coturn with.

coturn's own defaults relay to loopback and private addresses, its older releases do not compare every spelling of an
address with a list, and it goes on relaying for a credential that has expired. So nothing is reachable but our own
media workers: **deny every IPv4 peer, allow those, and allocate no IPv6 relay at all.**
"""

from turn.settings import TurnSettings


class NotConfigured(ValueError):  # noqa: N818 -- what the operator reads
    """Something that coturn cannot do without is missing; the text says what."""


def render(settings: TurnSettings) -> str:
    """The text of ``turnserver.conf``. It holds the shared secrets: mode 0600, owned by coturn's user.

    Raises:
        NotConfigured: address, secret or relay peers are missing, or a port range is upside down.
    """
    if settings.address is None or not settings.secrets or not settings.relay_peers:
        raise NotConfigured("turn.address, turn.secrets and turn.relay_peers must be set.")
    if settings.min_port > settings.max_port:
        raise NotConfigured("turn.min_port is above turn.max_port.")
    lines = [
        f"listening-ip={settings.address}",
        f"relay-ip={settings.address}",
        f"listening-port={settings.port}",
        f"min-port={settings.min_port}",
        f"max-port={settings.max_port}",
        f"realm={settings.realm}",
        "fingerprint",
        "use-auth-secret",
        *(f"static-auth-secret={secret.get_secret_value()}" for secret in settings.secrets),
        "stale-nonce=600",
        f"max-allocate-lifetime={settings.max_lifetime}",
        f"user-quota={settings.user_quota}",
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        *(f"allowed-peer-ip={peer}" for peer in settings.relay_peers),
        "no-multicast-peers",
        "no-tcp-relay",
        "no-cli",
        "no-rfc5780",
        "no-stun-backward-compatibility",
        "response-origin-only-with-rfc5780",
        "no-software-attribute",
        "no-stdout-log",
        "log-file=/dev/null",
        "simple-log",
        *_tls(settings),
    ]
    return "\n".join(lines) + "\n"


def _tls(settings: TurnSettings) -> list[str]:
    if not settings.tls_name:
        return ["no-tls", "no-dtls"]
    if not settings.certificate or not settings.private_key:
        raise NotConfigured("turn.tls_name needs turn.certificate and turn.private_key.")
    return [
        f"tls-listening-port={settings.tls_port}",
        f"cert={settings.certificate}",
        f"pkey={settings.private_key}",
        "no-tlsv1",
        "no-tlsv1_1",
        "no-dtls",
    ]

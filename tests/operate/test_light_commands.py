"""What a start costs: a command that needs no database does not wait for one to be imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ours import ROOT

HEAVY = {
    *("aiohttp", "aioice", "aiortc", "aiosqlite", "alembic", "argon2", "av", "cryptography", "dns", "engineio"),
    *("jinja2", "joserfc", "prometheus_client", "psycopg", "redis", "socketio", "sqlalchemy"),
}
RUN = """
import io, json, signal, sys
sys.argv = ["spreekkamer", *sys.argv[1:]]
import spreekkamer
quiet = signal.getsignal(signal.SIGINT) is signal.SIG_DFL
out, sys.stdout, sys.stderr = sys.stdout, io.StringIO(), io.StringIO()
try:
    spreekkamer.main()
except SystemExit:
    pass
out.write(json.dumps([quiet, *sorted(sys.modules)]))
"""


LIGHT = (
    *("--help", "serve --help", "practitioner add --help", "nothing", "serve --config /nowhere", "inventory --json"),
    *("coturn", "media", "practitioner close a@b.nl", "setup /nowhere --domain x --address y"),
)


@pytest.mark.parametrize("words", LIGHT)
def test_what_is_light_imports_nothing_heavy(words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words.split()],
        cwd=ROOT, env=os.environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    quiet, *modules = json.loads(done.stdout)
    assert quiet
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()


def test_a_start_collects_no_garbage_and_leaves_for_later_what_nobody_needs_yet(tmp_path: Path) -> None:
    script = (
        "import asyncio, gc, sys, spreekkamer\n"
        "from operate import process\n"
        "from practice.invitations import wording\n"
        "from babel.localedata import _cache\n"
        "def there():\n"
        "    return len(sys.modules.keys() & {*process.LATER}), len(_cache.keys() & {*wording.LANGUAGES})\n"
        "before = gc.get_stats()[1]['collections']\n"
        "async def look():\n"
        "    async with spreekkamer.server(spreekkamer.Settings()):\n"
        "        print(gc.get_stats()[1]['collections'] - before, gc.get_freeze_count() > 50_000, gc.isenabled())\n"
        "        print(*there())\n"
        "        process.REST_SECONDS = 0\n"
        "        await process.read_ahead()\n"
        "        print(*there())\n"
        "asyncio.run(look())\n"
    )
    told = {"ROOMS__DATA": str(tmp_path), "ROOMS__TRUST_CLOCK": "true", "SIGNALING__PORT": "0", "MEDIA__PORT": "0"}
    environment = {**os.environ, **{f"SPREEKKAMER_{name}": value for name, value in told.items()}}
    said = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, env=environment, text=True)
    assert said.splitlines() == ["0 True True", "0 0", "4 4"]

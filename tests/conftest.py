"""What all tests share: Ctrl-C works, and a call of ours that blocks the event loop fails the test."""

import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

from practice.invitations import wording
from tests.ours import FOLDERS

# How long an example takes says more about the machine than about the code.
pytest_plugins = ["tests.compiled_sql", "tests.servers.shared"]

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

SERVING = [folder for folder in FOLDERS if folder != "client"]
"""Aiortc waits for its decoder threads when it closes."""

BROWSER = Path(__file__).parent / "browser"


def pytest_configure() -> None:
    """A shell has its background jobs ignore Ctrl-C, and these their children; tests press it, and wait for the end.

    Where Python's own handler stands, ``asyncio.Runner`` puts one of its own in its place for each test, which has it
    write out the whole task each time: a twentieth of the time of small tests. It leaves another one alone.
    """
    signal.signal(signal.SIGINT, stop)


def stop(number: int, frame: FrameType | None) -> None:
    signal.default_int_handler(number, frame)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives browsers through the whole story shares one of them, so one event loop."""
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    items.sort(key=lambda item: item.path not in LONGEST)


LONGEST = {
    Path(__file__).parent / name
    for name in (
        *("conformance/test_kit.py", "operate/deployment/test_written_steps.py", "practice/test_scope.py"),
        *("prove/test_short_forms.py", "test_canaries.py", "turn/test_check.py", "vault/test_handing_crashes.py"),
    )
}
"""Their tests take long, mostly to wait: they begin beside the checks of the code, and no process ends with one."""


AT_START = {
    "operate/commands/check.py": {"check"},
    "vault/keys/store.py": {"open_keystore"},
    "vault/vault.py": {"open_vault"},
    "signaling/redis.py": {"__init__", "start", "close"},
    "operate/process.py": {"shared_secret"},
    "signaling/sockets/library.py": {"check_versions"},
    "web/routes.py": {"attach"},
}
"""What may read files or wait: it runs before the server answers anybody, or after."""


@pytest.fixture(scope="session", autouse=True)
def small_reserve() -> Iterator[None]:
    """The room that every data folder keeps is 64 KiB, not 16 MiB that each test would make, copy and search."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vault.reserve.BYTES", 1 << 16)
        yield


@pytest.fixture(scope="session", autouse=True)
def dates_in_words() -> None:
    """A server reads these files a moment after its start."""
    wording.read_ahead()


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    with blockbuster_ctx(SERVING) as guard:
        guard.functions["os.path.abspath"].can_block_in(
            "sqlalchemy/dialects/sqlite/pysqlite.py", {"create_connect_args"}
        )
        for file, functions in AT_START.items():
            for call in guard.functions.values():
                call.can_block_in(file, functions)
        yield guard

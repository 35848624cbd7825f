"""The lock files are whole: they are installed as they stand, and nothing is resolved anew, today or in a year."""

import importlib.metadata
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
SERVER, SOURCE, TOOLS = "requirements.txt", "requirements-source.txt", "requirements-dev.txt"
PYTHONS = ("3.11.2", "3.11.14", "3.12.12", "3.13.9", "3.14.0")
INSTALLERS = ("Makefile", "Dockerfile", ".ci/venv", ".ci/requirements")


@cache
def locked(name: str) -> dict[str, Version]:
    """Package → version; every pin has hashes."""
    pins: dict[str, Version] = {}
    for pin in re.split(r"\n(?=\S)", (ROOT / name).read_text()):
        if match := re.match(r"([\w.-]+)==(\S+)", pin):
            assert "--hash=sha256:" in pin, match[1]
            pins[canonicalize_name(match[1])] = Version(match[2])
        else:
            assert all(line.startswith("#") for line in pin.splitlines() if line.strip()), pin
    return pins


def asked(name: str) -> list[Requirement]:
    """What a person asks for in the file that the lock is made from."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).with_suffix(".in").read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def environment(python: str) -> dict[str, str]:
    short = ".".join(python.split(".")[:2])
    return {"python_full_version": python, "python_version": short, "sys_platform": "linux", "os_name": "posix"}


def needed(roots: list[Requirement], python: str) -> Iterator[tuple[str, Requirement]]:
    """All that the roots need on this Python, each with who needs it."""
    todo, seen = [("", root, "") for root in roots], set()
    while todo:
        by, requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate(environment(python) | {"extra": extra}):
            continue
        yield by, requirement
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) in seen:
                continue
            seen.add((name, wanted))
            try:
                below = importlib.metadata.requires(name) or []
            except importlib.metadata.PackageNotFoundError:
                continue  # for another Python; that it is locked is all that can be seen here
            todo += [(name, Requirement(text), wanted) for text in below]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", [SERVER, SOURCE, TOOLS])
def test_a_lock_holds_all_that_it_needs(lock: str, python: str) -> None:
    pins = locked(SERVER) | locked(lock)
    roots = asked(SERVER) if lock == SERVER else [*asked(SERVER), *asked(lock)]
    missing = {
        f"{by or lock} needs {requirement}"
        for by, requirement in needed(roots, python)
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"), prereleases=True)
        or canonicalize_name(requirement.name) not in pins
    }
    assert not missing


@pytest.mark.parametrize("lock", [SOURCE, TOOLS])
def test_the_locks_agree(lock: str) -> None:
    server, other = locked(SERVER), locked(lock)
    assert {name: other[name] for name in server.keys() & other.keys()} == {
        name: server[name] for name in server.keys() & other.keys()
    }


def test_what_is_built_here_is_built_by_what_is_locked() -> None:
    """Without a network of its own, and of wheels all but what has none."""
    assert locked(SOURCE).keys() - locked(SERVER).keys() == {"dkimpy"} and "setuptools" in locked(SERVER)
    for file in ("Makefile", "Dockerfile", "docs/operations.md"):
        text = (ROOT / file).read_text()
        assert re.search(r"--no-build-isolation (-r|--requirement) \S*requirements-source\.txt", text), file


def test_no_lock_has_an_address_in_it() -> None:
    """Where packages come from is the machine's affair; npm writes addresses of funds and registries into its own."""
    npm = ("web/package-lock.json", "tests/readers/package-lock.json")
    for lock in (SERVER, SOURCE, TOOLS, *npm):
        assert "://" not in (ROOT / lock).read_text(), lock


def test_a_lock_is_installed_as_a_lock() -> None:
    """pip 23.2.1 resolves ``coverage[toml]`` of a locked ``coverage`` anew unless it is told not to resolve."""
    commands = [
        line.strip()
        for file in INSTALLERS
        for line in (ROOT / file).read_text().replace("\\\n", " ").splitlines()
        if re.search(r"(-r|--requirement)[ =]\S*requirements\S*\.txt", line)
    ]
    assert commands
    for command in commands:
        assert "--no-deps" in command and "--require-hashes" in command, command

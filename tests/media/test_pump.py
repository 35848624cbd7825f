"""The pump as a shared object, and what becomes of a relay whose pump does not load or does not live."""

import os
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from media.net.arena import Arena
from media.net.udp import UdpSocket
from media.processes import LocalWorkers
from media.pump import build, choice, library
from media.pump.library import NoPumpError
from media.pump.source import SOURCE
from media.settings import MediaSettings
from tests.media.people import until
from tests.media.test_worker import SECRET, SETTINGS, Stage, stage

__all__ = ["stage"]

compiled = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


def a_library(path: Path, source: str) -> Path:
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path)], input=source, text=True, check=True)
    return path


@compiled
def test_it_is_built_without_a_warning_and_says_from_what(tmp_path: Path) -> None:
    assert build.build(tmp_path / "pump.so") is None
    assert library.load.__wrapped__(tmp_path / "pump.so") is not None
    assert [file.name for file in tmp_path.iterdir()] == ["pump.so"]


def test_without_a_compiler_one_line_says_so_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", str(tmp_path / "nowhere"))
    assert "No such file" in (build.build(tmp_path / "pump.so") or "")
    assert not list(tmp_path.iterdir())


@compiled
def test_what_was_built_from_another_source_is_not_used(tmp_path: Path) -> None:
    older = SOURCE.read_text().replace("return SOURCE", 'return "older"')
    flags = [flag for flag in build.FLAGS if flag != "-Werror"]
    command = ["cc", *flags, f"-I{SOURCE.parent}", "-x", "c", "-", "-o", str(tmp_path / "pump.so")]
    subprocess.run(command, input=older, text=True, check=True)
    with pytest.raises(NoPumpError, match="another source"):
        library.load.__wrapped__(tmp_path / "pump.so")


def of_another_processor(path: Path) -> Path:
    """An ELF file for a machine that this is not."""
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\0\xff\0" + bytes(44))
    return path


@pytest.mark.parametrize("made", ["another processor", "not a library", "without our functions"])
def test_what_does_not_fit_is_not_used(tmp_path: Path, made: str) -> None:
    path = tmp_path / "pump.so"
    if made == "without our functions":
        if shutil.which("cc") is None:
            pytest.skip("there is no C compiler")
        a_library(path, "int nothing;")
    elif made == "another processor":
        of_another_processor(path)
    else:
        path.write_text("#!/bin/sh")
    with pytest.raises(NoPumpError, match="does not fit"):
        library.load.__wrapped__(path)


@pytest.mark.parametrize("wanted", ["auto", "native"])
def test_a_worker_without_a_pump_forwards_by_itself_and_says_so_once(
    wanted: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none() -> None:
        raise NoPumpError("it was not built")

    monkeypatch.setattr(choice, "load", none)
    bound = UdpSocket("127.0.0.1", 0, Arena(1))
    with caplog.at_level("INFO"):
        assert choice.pumped_port(MediaSettings(pump=wanted), [bound], lambda: None) is None
    bound.socket.close()
    assert [(record.levelname, "not built" in record.msg) for record in caplog.records] == [
        ("WARNING" if wanted == "native" else "INFO", True)
    ]


def another(workers: LocalWorkers, than: str) -> bool:
    """Whether another worker runs."""
    return bool(workers.workers) and workers.workers != [than]


@compiled
async def test_a_pump_that_crashes_twice_is_not_tried_again(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with LocalWorkers(SETTINGS.model_copy(update={"pump": "native"}), stage.url, SECRET) as workers:
        assert "packets by the pump" in caplog.text
        pumps = []
        for _ in range(3):
            [worker] = workers.workers
            [beat] = [beat for beat in await stage.client.workers() if beat.worker == worker]
            pumps.append(beat.pump)
            os.kill(workers.pids[worker], signal.SIGSEGV)
            await until(partial(another, workers, worker))
        assert pumps == [True, True, False]
    assert sum("crashed again" in record.message for record in caplog.records) == 1

"""What a program that scans codes makes of a picture: zbar, a library of scanners (Debian's ``zbar-tools``)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = "zbarimg"


def scanned(picture: Path) -> list[str]:
    """What is in the codes of a picture. Skips the test where the program is not installed; CI may not skip it."""
    if shutil.which(PROGRAM) is None:
        if os.environ.get("CI"):
            pytest.fail("zbarimg is not installed, and CI may not skip it")
        pytest.skip("NOT TESTED WITH A SCANNER: install the package zbar-tools")
    done = subprocess.run([PROGRAM, "--quiet", "--raw", picture], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()

"""A build of this program from before, out of the repository's own history."""

import os
import subprocess
from pathlib import Path

from tests.ours import FOLDERS

ROOT = Path(__file__).parents[1]
RELEASE_0_1_0 = "3fe09a2da0c2cad556c082a4d1ca77a3bc7f164c"
ABSENT = "NOT TESTED BESIDE 0.1.0: its commit is not in this clone; fetch the whole history"


def known(commit: str) -> bool:
    """Whether the history of this clone goes back that far."""
    asked = ["git", "cat-file", "-e", f"{commit}^{{commit}}"]
    try:
        return not subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return False


def unpacked(commit: str, folder: Path) -> bool:
    """Write the files of a commit into a folder; False where the history does not go back that far."""
    if not known(commit):
        return False
    folder.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    # Where it has no such folder, today's, which is installed beside, must not be found in its place.
    for name in {*FOLDERS} - {path.name for path in folder.iterdir()}:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text('raise ImportError("not in this build")\n')
    return True


def environment(tree: Path) -> dict[str, str]:
    """Variables of a process that shall import the modules of this tree, and of no other."""
    return os.environ | {"PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}

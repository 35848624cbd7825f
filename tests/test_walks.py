"""The walks through the code (docs/walks) lead along files and names that are there."""

import re
from pathlib import Path

import pytest

from tests.ours import FOLDERS, ROOT

WALKS = sorted(ROOT.glob("docs/walks/[!R]*.md"))
PLACES = "|".join((*FOLDERS, "tests"))
FILE = re.compile(rf"`((?:{PLACES})/[\w/]+\.\w+)`(?:\s+\(`([\w.]+)`)?")


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.stem)
def test_every_file_and_name_of_a_walk_is_there(walk: Path) -> None:
    named = FILE.findall(walk.read_text())
    assert len(named) >= 6
    for file, name in named:
        source = (ROOT / file).read_text()
        for part in filter(None, name.split(".")):
            assert re.search(rf"^\s*(?:class|(?:async )?def) {part}\b|^{part}\b", source, re.MULTILINE), (file, name)


def test_each_is_in_the_list() -> None:
    index = ROOT.joinpath("docs/walks/README.md").read_text()
    assert set(re.findall(r"\(([\w-]+\.md)\)", index)) == {walk.name for walk in WALKS}


def test_none_goes_into_a_file_twice_but_the_one_that_ends_where_it_marked() -> None:
    """A destruction is finished where it was marked."""
    for walk in WALKS:
        files = [file for file, _ in FILE.findall(walk.read_text())]
        twice = {file for file in files if files.count(file) > 1}
        assert twice <= {"vault/destruction/destruction.py"}, walk.name

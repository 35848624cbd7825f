"""docs/privacy-status.md and the report of a practice say what the tests say: which duty is claimed, by which tests.

Run ``python -m tests.test_privacy_claims`` to write both anew.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DUTIES = ROOT / "docs" / "privacy.md"
CLAIMED = ROOT / "web" / "practice" / "claims.json"
STATUS = ROOT / "docs" / "privacy-status.md"

MARKER = re.compile(r"pytest\.mark\.duty\(([^)]*)\)")
TEST = re.compile(r"^\s*(?:async )?def (test_\w+)|^class (\w+)")


def duties() -> dict[str, str]:
    """Id to sentence."""
    return dict(re.findall(r"^\| (S-\d\d) \| (.+) \|$", DUTIES.read_text(), re.MULTILINE))


def claims() -> dict[str, list[str]]:
    """Id to the tests that carry it as a marker."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        pending: list[str] = []
        for line in path.read_text().splitlines():
            if marker := MARKER.search(line):
                pending += re.findall(r"S-\d\d", marker.group(1))
            elif test := TEST.match(line):
                for duty in pending:
                    name = (test.group(1) or test.group(2)).removeprefix("test_").replace("_", " ")
                    found.setdefault(duty, []).append(f"{path.relative_to(ROOT / 'tests')}: {name}")
                pending = []
    return found


def page() -> str:
    claimed = claims()
    lines = [
        "# Which duties are proven",
        "",
        "Generated from the tests (`python -m tests.test_privacy_claims`); see [privacy.md](privacy.md).",
        "A claim means: this test fails when the duty is broken. It says no more than the test does.",
        "",
        "| Id | Duty | Claimed by |",
        "|---|---|---|",
    ]
    for duty, sentence in duties().items():
        tests = "<br>".join(claimed.get(duty, [])) or "*not yet*"
        lines.append(f"| {duty} | {sentence} | {tests} |")
    return "\n".join(lines) + "\n"


def for_the_report() -> str:
    """Each duty with its tests, for a server: it has neither tests nor documents."""
    claimed = claims()
    return json.dumps({duty: claimed.get(duty, []) for duty in duties()}, indent=1) + "\n"


def test_all_57_duties_are_listed() -> None:
    assert list(duties()) == [f"S-{number:02}" for number in range(1, 58)]


def test_every_claim_is_about_a_known_duty() -> None:
    assert set(claims()) <= set(duties())


def test_the_status_page_is_up_to_date() -> None:
    assert STATUS.read_text() == page(), "run: python -m tests.test_privacy_claims"


def test_the_report_says_the_same() -> None:
    assert CLAIMED.read_text() == for_the_report(), "run: python -m tests.test_privacy_claims"


if __name__ == "__main__":
    STATUS.write_text(page())
    CLAIMED.write_text(for_the_report())

"""docs/apps.md names only what there is: events, errors, fields, files, numbers.

``python -m tests.test_apps_guide`` writes its table of reasons.
"""

import re
from pathlib import Path
from typing import get_args

from media.refusals import LineReason, OfferReason
from signaling.limiter import JOIN_ADDRESS
from signaling.protocol.capabilities import CAPABILITIES
from signaling.protocol.errors import CATALOGUE
from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS, Chat, Offer
from signaling.protocol.refusals import LINE_REASONS, OFFER_REASONS
from signaling.protocol.rest import Bounds, Join
from signaling.routes import ENDPOINTS
from signaling.sockets.limits import Limits
from tests.client import vectors

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "apps.md"
GUIDE = FILE.read_text()
TABLE = re.compile(r"(<!-- reasons: begin, generated -->\n).*?(<!-- reasons: end -->)", re.DOTALL)
WORDS = set(re.findall(r"`([a-z_-]+)(?: \{[^`]*\})?`", GUIDE))


def section(title: str) -> str:
    return GUIDE.split(f". {title}\n")[1].split("\n## ")[0]


def test_every_code_that_it_says_what_to_do_about_exists() -> None:
    rows = [line.split("|")[1] for line in section("Errors").splitlines() if line.startswith("| `")]
    named = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}
    assert len(named) > 12
    assert named <= set(CATALOGUE)


def test_every_event_of_its_states_exists() -> None:
    named = set(re.findall(r"^    ([a-z-]+) \{", GUIDE, re.MULTILINE)) | {"told", "ended", "taken-over", "key-restart"}
    assert {"arrive", "offer"} <= named <= set(CLIENT_EVENTS) | set(SERVER_EVENTS)
    assert {"snapshot", "indicate", "leave", "unencrypted", "slots"} <= WORDS


def test_every_call_that_it_names_exists() -> None:
    calls = set(re.findall(r"(GET|POST) (/api/v1/[a-z/{}-]+)", GUIDE))
    assert len(calls) >= 3
    assert calls <= {(one.method, one.path) for one in ENDPOINTS}
    answer = section("The link").split('{"access_token"')[1].split("\n\n")[0]
    assert set(re.findall(r'"([a-z_]+)":', answer)) <= set(Join.model_fields)


def test_its_bounds_are_those_of_the_server() -> None:
    text, limits = " ".join(section("Bounds").split()), Limits()
    expected = (
        f"{limits.events_per_second:.0f} events a second with bursts of {limits.events_burst}",
        f"{limits.message_bytes // 1024} KiB",
        f"{limits.strikes} events in a row that came too fast",
        f"{JOIN_ADDRESS.tries} wrong links",
        f"{max(one.max_length for one in Chat.model_fields['ciphertext'].metadata if hasattr(one, 'max_length')):,}",
        f"{max(one.max_length for one in Offer.model_fields['lines'].metadata if hasattr(one, 'max_length'))} lines",
    )
    assert [one for one in expected if one not in text] == []
    assert "seat_seconds" in Bounds.model_fields
    assert set(re.findall(r'"capabilities": (\[.*?\])', GUIDE)) == {str(list(CAPABILITIES)).replace("'", '"')}


def test_every_file_and_part_of_the_vectors_that_it_names_exists() -> None:
    for path in re.findall(r"`((?:client|signaling|web)/[\w/.-]+)`", GUIDE):
        assert (ROOT / path).exists(), path
    parts = {name.split("[")[0] for name in re.findall(r"^\| `([a-z]+)", section("Test vectors"), re.MULTILINE)}
    assert parts == set(vectors.make()) - {"format"}


def reasons() -> str:
    """The table of why an offer or a line of it cannot be used."""
    rows = ["| reason | of | why |", "|---|---|---|"]
    rows += [f"| `{code}` | offer | {sentence} |" for code, sentence in OFFER_REASONS.items()]
    rows += [f"| `{code}` | line | {sentence} |" for code, sentence in LINE_REASONS.items()]
    return "\n".join(rows) + "\n"


def written(text: str) -> str:
    return TABLE.sub(lambda found: found[1] + reasons() + found[2], text)


def test_its_reasons_are_those_of_the_relay_with_a_sentence_each() -> None:
    assert set(OFFER_REASONS) == set(get_args(OfferReason))
    assert set(LINE_REASONS) == set(get_args(LineReason))
    assert written(GUIDE) == GUIDE, "run: python -m tests.test_apps_guide"


if __name__ == "__main__":
    FILE.write_text(written(GUIDE))

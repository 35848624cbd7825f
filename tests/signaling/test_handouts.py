"""What a patient is given without mail or number: the invitation's words, and the link as a QR code."""

import re

import segno

from signaling.rest.handouts import QUIET
from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import Server
from tests.signaling.test_entries import acts

BAR = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


def modules(path: str) -> set[tuple[int, int]]:
    """The dark ones of a path, by column and row without the quiet zone."""
    bars = [tuple(map(int, found)) for found in BAR.findall(path)]
    assert "".join(f"M{x} {y}h{width}v1h-{back}z" for x, y, width, back in bars) == path
    assert all(width == back for _, _, width, back in bars)
    return {(x + step - QUIET, y - QUIET) for x, y, width, _ in bars for step in range(width)}


async def test_it_is_in_the_patients_language_and_the_code_is_the_link(server: Server) -> None:
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    await server.sign_in("alice")
    made = await server.appoint(server.alice, 60, "Évi Canary")
    view = (await server.call("GET", f"/api/v1/appointments/{made.id}", who="alice")).body
    answer = await server.call("GET", f"/api/v1/appointments/{made.id}/handout", who="alice")
    text, qr = answer.body["text"], answer.body["qr"]
    assert answer.status == 200 and "Canary" not in text and "Alice" not in text
    assert text.startswith("U hebt een afspraak via beeldbellen met Praktijk Voorbeeld.") and view["link"] in text
    code = segno.make(view["link"], error="m", micro=False)
    dark = {(x, y) for y, row in enumerate(code.matrix) for x, module in enumerate(row) if module}
    assert modules(qr["path"]) == dark
    assert qr["size"] == len(code.matrix) + 2 * QUIET
    assert (await acts(server)).count(("appointment-read", "practitioner", None)) == 2


async def test_nobody_elses_and_none_of_what_is_over(server: Server) -> None:
    made = await server.appoint(server.alice)
    path = f"/api/v1/appointments/{made.id}"
    for who, status in (("bob", 404), ("alice", 200)):
        await server.sign_in(who)
        assert (await server.call("GET", f"{path}/handout", who=who)).status == status
    await server.call("POST", f"{path}/cancel", {}, who="alice")
    assert (await server.call("GET", f"{path}/handout", who="alice")).code == "ended"
    await server.call("POST", f"{path}/keep", {}, who="alice")
    await server.call("POST", f"{path}/end", {}, who="alice")
    assert (await server.call("GET", f"{path}/handout", who="alice")).code == "ended"

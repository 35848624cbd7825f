"""What a practitioner says to whoever waits, over REST. Alice says it, Bob must never see or touch it."""

import pytest

from practice.sentences.store import MAX_TEXT
from tests.signaling.conftest import Server

TEXT = "Ik loop soms uit. Blijf gerust wachten."
SENTENCES = "/api/v1/sentences"


async def said(server: Server, who: str = "alice") -> dict[str, str]:
    found = (await server.call("GET", SENTENCES, who=who)).body
    assert found["unreadable"] == []
    return {one["language"]: one["text"] for one in found["sentences"]}


async def waiting(server: Server, link: str, language: str = "nl") -> object:
    return (await server.call("POST", "/api/v1/join/sentence", {"link": link, "language": language})).body


async def test_what_is_said_is_read_by_whoever_waits_until_it_is_taken_back(server: Server) -> None:
    await server.sign_in("alice")
    planned = await server.appoint(server.alice)
    link = planned.id + planned.secret
    assert await waiting(server, link) == {"text": None}
    one = (await server.call("PUT", SENTENCES, {"language": "nl", "text": f" {TEXT} "}, who="alice")).body
    assert one == {"sentence": one["sentence"], "language": "nl", "text": TEXT}
    assert await said(server) == {"nl": TEXT}
    assert await waiting(server, link) == {"text": TEXT}
    assert await waiting(server, f"https://x.example/c#{link}.") == {"text": TEXT}
    assert await waiting(server, link, "en") == {"text": None}
    gone = await server.call("DELETE", f"{SENTENCES}/{one['sentence']}", who="alice")
    assert gone.status == 200
    again = await server.call("DELETE", f"{SENTENCES}/{one['sentence']}", who="alice")
    assert again.body == gone.body
    assert gone.body in (await server.call("GET", "/api/v1/receipts", who="alice")).body["receipts"]
    assert await said(server) == {}
    assert await waiting(server, link) == {"text": None}
    acts = [(entry.act, entry.actor, entry.detail) async for entry in server.store.audit.entries()]
    assert ("sentence-changed", "practitioner", "nl") in acts
    assert ("sentences-read", "patient", None) in acts
    assert sum(act == "destroyed" for act, _, _ in acts) == 1


@pytest.mark.duty("S-13")
async def test_a_sentence_that_seems_to_be_about_one_patient_is_asked_about(server: Server) -> None:
    await server.sign_in("alice")
    about = {"language": "nl", "text": "Het gaat over uw diagnose."}
    asked = await server.call("PUT", SENTENCES, about, who="alice")
    assert (asked.status, asked.code, asked.body["error"]["doubts"]) == (409, "doubtful", ["medical"])
    assert await said(server) == {}
    assert (await server.call("PUT", SENTENCES, about | {"anyway": True}, who="alice")).status == 200
    assert await said(server) == {"nl": about["text"]}


async def test_nobody_else_reads_changes_or_destroys_it(server: Server) -> None:
    await server.sign_in("alice")
    await server.sign_in("bob")
    one = (await server.call("PUT", SENTENCES, {"language": "nl", "text": TEXT}, who="alice")).body
    assert await said(server, "bob") == {}
    assert (await server.call("DELETE", f"{SENTENCES}/{one['sentence']}", who="bob")).code == "not_found"
    theirs = await server.appoint(server.bob)
    assert await waiting(server, theirs.id + theirs.secret) == {"text": None}
    await server.call("PUT", SENTENCES, {"language": "nl", "text": "Van Bob."}, who="bob")
    assert await said(server) == {"nl": TEXT}
    for method, body in (("GET", None), ("PUT", {"language": "nl", "text": TEXT})):
        assert (await server.call(method, SENTENCES, body)).code == "unauthenticated"


async def test_one_address_destroys_its_own_kind_only(server: Server) -> None:
    await server.sign_in("alice")
    planned = await server.appoint(server.alice)
    one = (await server.call("PUT", SENTENCES, {"language": "nl", "text": TEXT}, who="alice")).body["sentence"]
    assert (await server.call("DELETE", f"{SENTENCES}/{planned.id}", who="alice")).code == "not_found"
    assert (await server.call("DELETE", f"/api/v1/appointments/{one}", who="alice")).code == "not_found"
    assert await said(server) == {"nl": TEXT}


async def test_a_wrong_link_reads_nothing_and_counts(server: Server) -> None:
    planned = await server.appoint(server.alice)
    for link in ("", "x" * 44, planned.id + "A" * 22, "A" * 22 + planned.secret):
        answer = await server.call("POST", "/api/v1/join/sentence", {"link": link, "language": "nl"})
        assert (answer.status, answer.code) == (404, "link_invalid"), link
    for _ in range(200):
        answer = await server.call("POST", "/api/v1/join/sentence", {"link": "x" * 44, "language": "nl"})
        if answer.code == "rate_limited":
            return
    raise AssertionError("links can be guessed without end")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"language": "nl", "text": ""}, "text"),
        ({"language": "nl", "text": "a\nb"}, "text"),
        ({"language": "nl", "text": "\u200b"}, "text"),
        ({"language": "nl", "text": "x" * (MAX_TEXT + 1)}, "text"),
        ({"language": "nl", "text": 5}, "text"),
        ({"language": "es", "text": TEXT}, "language"),
        ({"text": TEXT}, "language"),
    ],
)
async def test_what_is_no_sentence_is_refused_by_name(server: Server, body: dict[str, object], field: str) -> None:
    await server.sign_in("alice")
    refused = await server.call("PUT", SENTENCES, body, who="alice")
    assert (refused.status, refused.code, refused.body["error"]["field"]) == (400, "invalid", field)
    assert await said(server) == {}

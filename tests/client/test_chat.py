"""What another's chat log can say on this page: only what it lacks, and only as the other's copy."""

import json
from typing import Any

from client.chat import ChatEntry, ChatLog, compose

NOW = 1_000_000


def said(name: str, role: str, at: int = 1) -> dict[str, Any]:
    return {"id": name, "role": role, "participant": "b", "text": f"{role} says {name}", "at": at}


def log(*entries: dict[str, Any], more: bool = False) -> bytes:
    return json.dumps({"type": "log", "entries": entries, "more": more}).encode()


def page() -> ChatLog:
    return ChatLog("practitioner", lambda: NOW)


def seen(chat: ChatLog) -> list[tuple[str, bool, bool]]:
    return [(entry.id, entry.mine, entry.copy) for entry in chat.entries]


def test_a_log_that_nobody_lacks_says_nothing() -> None:
    chat = page()
    chat.joined(["b"])
    chat.take("b", "patient", log())
    chat.take("b", "patient", log(said("late", "patient"), said("mine?", "practitioner")))
    assert chat.entries == []


def test_of_a_first_log_each_entry_is_a_copy_and_nobody_may_add_to_those_of_our_role() -> None:
    chat = page()
    chat.take("b", "patient", log(said("1", "practitioner"), more=True))
    chat.take("b", "patient", log(said("2", "practitioner"), said("3", "patient")))
    assert seen(chat) == [("1", False, True), ("2", False, True), ("3", False, True)]
    chat.joined(["b"])
    chat.take("b", "patient", log(said("4", "practitioner"), said("5", "patient")))
    assert len(chat.entries) == 3
    chat.incomplete = True
    chat.take("b", "patient", log(said("4", "practitioner"), said("5", "patient")))
    assert seen(chat)[3:] == [("5", False, True)]


def test_whoever_wrote_something_takes_nothing_in_its_own_name_and_nothing_before_it() -> None:
    chat = page()
    own = ChatEntry("own", "practitioner", "a", "hier", NOW - 500)
    chat.keep(own)
    chat.incomplete = True
    forged = said("own", "patient") | {"text": "something else"}
    chat.take("b", "patient", log(said("no", "practitioner"), said("yes", "patient"), forged))
    for name, at in (("old", 5), ("far", NOW * 10)):
        chat.take("b", "patient", compose(ChatEntry(name, "patient", "b", name, at)))
    assert chat.entries[0].id == "own"
    assert {entry.id for entry in chat.entries} == {"own", "yes", "old", "far"}
    assert chat.entries[0].text == "hier"
    assert all(NOW - 500 <= entry.at <= NOW and not entry.mine for entry in chat.entries[1:])

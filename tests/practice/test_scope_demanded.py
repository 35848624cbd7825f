"""Every method of a store demands a scope, or says why not; a scope is made in two places only."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

from practice.accounts.store import Practitioners
from practice.agenda.store import Appointments
from practice.storage import Storage, Store
from tests.ours import FOLDERS, ROOT
from vault.destruction.sweeper import Sweeper
from vault.records.scope import SERVER, Scope
from vault.vault import Vault

BELOW = {one.name for one in fields(Vault)} - {"audit"}
"""Parts of a store under its records: they know of rows and keys, and of nobody."""

SESSIONS = "create create_for_set_up practitioner found strength setting_up reference form_token lives use end end_all"
TRAIL = "record record_all entries found newest name names verify tidy anchor"
WITHOUT = {
    "practitioners.add": "makes an account and gives what it was given",
    **dict.fromkeys(
        ("practitioners.indices", "practitioners.demand_free"), "of an address that is being given: it gives no record"
    ),
    "practitioners.authenticate": "nobody is known yet; the password is the proof",
    "organisation.colleagues": "asked by what demanded a scope, of that one's organisation: names alone",
    "organisation.enrol": "the server's own work on all that there is: it gives a count",
    **dict.fromkeys(("organisation.is_first", "organisation.begin"), "nobody is known yet; the link is the proof"),
    **dict.fromkeys(
        ("organisation.standing", "organisation.signed_in"),
        "it makes a scope; a token or a session says whose account it is",
    ),
    "assistants.recent": "it says for whom somebody works, to who has proved whose account it is",
    **dict.fromkeys(
        (f"sessions.{one}" for one in (*SESSIONS.split(), "bounds", "purge")),
        "of no record; a token, or what stands for it, is the proof",
    ),
    **dict.fromkeys(map("resets.{}".format, ("token", "whose", "using", "purge")), "what was mailed is the proof"),
    **dict.fromkeys(
        (f"mail_changes.{one}" for one in ("token", "of_link", "confirm", "carry_out", "stop", "purge")),
        "what was mailed is the proof",
    ),
    **dict.fromkeys(
        map("sessions.{}".format, ("just_proved", "by_passkey", "ended_by_commands", "ended_fully")), "of no record"
    ),
    **dict.fromkeys(
        map("invitations.{}".format, ("token", "stands", "welcome", "accept", "accept_by_passkey")),
        "what was mailed is the proof",
    ),
    **dict.fromkeys(map("factors.{}".format, ("begin_with", "began")), "of an account that is being made"),
    **dict.fromkeys(
        map("registrations.{}".format, ("token", "opened", "accept", "accept_by_passkey")),
        "what was mailed is the proof",
    ),
    "registrations.resembles": "whether a name is taken, to who has a link: it gives no record",
    **dict.fromkeys(("registrations.purge", "arrivals.unanswered"), "the server's own work"),
    "exports.kind": "of no record",
    **dict.fromkeys(
        ("pictures.logo_of", "organisation.profile_of"),
        "the server's own work: what letters to an account have on them, which go to nobody else",
    ),
    **dict.fromkeys(map("requests.{}".format, ("token", "of_link", "confirm", "reply")), "the link is the proof"),
    "requests.paused": "gives no record: of whom a purpose stands still",
    **dict.fromkeys(
        map("requests.{}".format, ("backlog", "to_be_reminded", "reminded", "extension_sent", "bury", "host")),
        "the server's own work",
    ),
    "identity_papers.put": "the link is the proof",
    "breaches.clocks": "the server's own work: numbers alone",
    "identity_papers.bury": "the server's own work",
    "decisions.officers": "the server's own work: whom it reminds",
    "decisions.owners": "the server's own work: whom it tells",
    "decisions.once": "a request that somebody was given by their right",
    "feeds.whose": "the address is the proof",
    **dict.fromkeys(
        map("bookings.{}".format, ("at", "receiving", "receive", "times", "hold", "held", "confirm")),
        "the address is the proof, of times that are free; what they are seen and planned by are scopes too",
    ),
    "bookings.bury": "the server's own work: it gives a count",
    **dict.fromkeys(
        map("{}.of_owner".format, ("mail_servers", "sms_providers")), "the server's own work: by what it sends"
    ),
    **dict.fromkeys(
        ("invitations.bury", "sights.bury", "push_subscriptions.bury", "statistics.purge", "disclosures.bury"),
        "the server's own work: it gives a count",
    ),
    "disclosures.tell": "the server's own work: what its practitioner may know from now on is mailed to them",
    **dict.fromkeys(
        map("subscriptions.{}".format, ("of_link", "confirm", "leave", "token")),
        "of whoever has the link that was mailed: its token is what it is found by",
    ),
    **dict.fromkeys(map("manual_spans.{}".format, ("accounts", "look")), "the server's own work"),
    "contacts.bury": "the server's own work",
    "subscriptions.waits": "asks nothing that is stored",
    **dict.fromkeys(
        map("subscriptions.{}".format, ("waiting", "recipient", "begun", "served", "objects", "bury")),
        "the server's own work",
    ),
    **dict.fromkeys(
        map("circulars.{}".format, ("under_way", "count", "to_be_told", "reach", "bury")), "the server's own work"
    ),
    **dict.fromkeys(map("notices.{}".format, ("along", "of")), "tells of what a method that demanded a scope does"),
    **dict.fromkeys(map("notices.{}".format, ("waiting", "any", "later", "done", "bury")), "the server's own work"),
    **dict.fromkeys(
        map("outbox.{}".format, ("demand", "follow", "carry", "part", "hurry")),
        "tells of what a method that demanded a scope does",
    ),
    **dict.fromkeys(("outbox.texts", "sms_providers.stands"), "gives no record: whether somebody can be told by SMS"),
    "outbox.of": "of appointments that whoever asks has: it gives what became of what they were told",
    **dict.fromkeys(
        map("outbox.{}".format, ("any", "waiting", "begun", "later", "done", "visited", "came_back")),
        "the server's own work",
    ),
    **dict.fromkeys(
        map("audit.{}".format, TRAIL.split()),
        "the trail has pseudonyms and no record; pages read it by way of ``oversight``, which demands a scope",
    ),
    **dict.fromkeys(
        ("endings.under_way", "endings.is_last", "endings.done", "endings.receipt", "notices.any_of"),
        "the server's own work on what was begun: it gives ids, moments and receipts",
    ),
    **dict.fromkeys(
        (f"retention.{one}" for one in ("catch_up", "run", "sweep", "resume", "status", "due", "compare")),
        "the server's own work on all that there is: it gives counts",
    ),
}
"""Methods of a store that take no scope, and why."""


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """All that can be asked of a store's parts, as ``part.method``."""
    hints = {name: hint for one in (Vault, Storage, Store) for name, hint in inspect.get_annotations(one).items()}
    assert set(hints) == {one.name for one in fields(Store)}
    for name, part in hints.items():
        if name not in BELOW:
            for method, call in inspect.getmembers(part, inspect.isfunction):
                if not method.startswith("_"):
                    yield f"{name}.{method}", call


def demands(call: Callable[..., Any]) -> bool:
    """Whether the first that it takes is a scope, which has no default."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    return bool(parameters) and parameters[0].annotation is Scope and parameters[0].default is inspect.Parameter.empty


def test_every_method_demands_a_scope_or_says_why_not() -> None:
    found = dict(public())
    assert {"appointments.get", "practitioners.get", "retention.destroy", "sessions.create"} <= set(found)
    assert [name for name, call in found.items() if not demands(call) and name not in WITHOUT] == []
    assert [name for name in WITHOUT if name not in found or demands(found[name])] == [], "these are no exceptions"


@pytest.mark.parametrize("call", [Appointments.get, Appointments.agenda, Practitioners.get, Sweeper.destroy])
def test_a_method_whose_scope_may_be_left_out_is_found(call: Callable[..., Any]) -> None:
    async def careless(self: Any, scope: Scope = SERVER) -> None: ...

    async def forgetful(self: Any, owner: str) -> None: ...

    assert (demands(call), demands(careless), demands(forgetful)) == (True, False, False)


def test_a_scope_is_made_in_two_places_only() -> None:
    """Where a session, ticket, link or consult is known, and in commands."""
    makers, servers, assisting = set(), set(), set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            name, text = str(path.relative_to(ROOT)), path.read_text()
            if re.search(r"\bScope(\.\w+)?\(", text):
                makers.add(name)
            if ".assisting(" in text:
                assisting.add(name)
            if re.search(r"^from vault\.records\.scope import .*SERVER", text, re.MULTILINE):
                servers.add(name)
    assert assisting == {"practice/assistants/store.py"}, "who looks up that somebody works for somebody"
    assert makers == {"vault/records/scope.py", "signaling/scopes.py", "operate/commands/storage.py"}
    assert servers == {"vault/destruction/sweeper.py", "operate/demo.py", "signaling/scopes.py"}

"""The data protection officer's queue, apart from operation's, and one request: answered by a person (S-03)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Final

from pydantic import Field

from practice.doubts import doubts
from practice.organisation.rights import Right
from practice.requests.model import MOST, OUTCOMES, Outcome, Request
from signaling.requesting import entry
from signaling.rest import factors
from signaling.rest.endpoint import Call
from signaling.scopes import of_server
from signaling.typedefs import POSTMAN, REQUESTING, STORE
from vault.audit import Act, Draft, practitioner, request
from vault.errors import DomainError
from web.forms import Download, Fields, Form, Page
from web.practice.menu import menu
from web.requests import minors
from web.requests.facts import all_facts, facts

Written = Annotated[str, Field(min_length=1, max_length=2 * MOST)]


class Nothing(Fields):
    """A button."""


class Question(Fields):
    """One thing that is not clear."""

    question: Written


class Reason(Fields):
    """Why it takes more time."""

    reason: Written


class Answer(Fields):
    """What was decided, and the words for whoever asked: nobody else writes them."""

    outcome: Outcome
    answer: Written


async def show(call: Call) -> Mapping[str, object]:
    """All of them, those first that are late soonest."""
    queue = await call.request.app[STORE].decisions.queue(call.scope)
    found = await all_facts(call, queue.requests)
    return {
        "waiting": [one for one in found if one.one.decided is None],
        "answered": [one for one in found if one.one.decided is not None],
        "unreadable": queue.unreadable,
        "menu": menu(call),
    }


async def show_one(call: Call) -> Mapping[str, object]:
    """One of them."""
    app = call.request.app
    found = await app[STORE].decisions.read(call.scope, call.path["request"])
    return {
        "fact": await facts(call, found.request),
        "doubted": bool(doubts(f"{found.request.text}\n{found.request.reply}")),
        "planners": await minors.practitioners(call) if found.request.what == "minor" else [],
        "asks": await factors.asks_for_code(call),
        "paper": found.request.id in await app[STORE].identity_papers.waiting(call.scope),
        "names": found.names,
        "outcomes": OUTCOMES,
        "most": MOST,
        "mails": app[POSTMAN] is not None,
        "menu": menu(call),
    }


async def look(call: Call) -> Download:
    """The masked paper that came with it, once: it is destroyed with this."""
    data = await call.request.app[STORE].identity_papers.look(call.scope, call.path["request"])
    return Download("paper.jpg", "image/jpeg", data, inline=True)


async def ask_back(call: Call) -> Request:
    """The question, with mail that there is one."""
    app = call.request.app
    tell = app[REQUESTING].mail("request-asked-back")
    return await app[STORE].decisions.ask_back(call.scope, call.path["request"], call.body.question, tell)


async def extend(call: Call) -> Request:
    """The reason, with the mail that makes it count."""
    app = call.request.app
    tell = app[REQUESTING].mail("request-extended", proven=True)
    return await app[STORE].decisions.extend(call.scope, call.path["request"], call.body.reason, tell)


async def answer(call: Call) -> Request:
    """The answer, with mail that there is one, to an address that was proven."""
    app, said = call.request.app, call.body
    store, wanted = app[STORE], call.path["request"]
    before = await store.decisions.get(call.scope, wanted)
    whose = await store.practitioners.id_by_mail(of_server(), before.mail) if before.pauses and before.mail else None
    tell = app[REQUESTING].mail("request-answered", proven=True)
    decided = await store.decisions.decide(call.scope, wanted, said.outcome, said.answer, tell, whose)
    with suppress(DomainError):  # it is answered: the server's own round destroys the paper, too
        await store.identity_papers.bury()
    return decided


async def discard(call: Call) -> Request:
    """It was none."""
    return await call.request.app[STORE].decisions.discard(call.scope, call.path["request"])


def listed(call: Call, shown: Mapping[str, Any]) -> Draft:
    number = str(len(shown["waiting"]) + len(shown["answered"]))
    return Draft(Act.REQUESTS_LISTED, practitioner(call.practitioner), detail=number)


def looked_at(call: Call, shown: Mapping[str, Any]) -> Draft:
    return entry(Act.REQUEST_READ, practitioner(call.practitioner), shown["fact"].one)


def seen(call: Call, _: object) -> Draft:
    on = request(call.scope.organisation or "", call.path["request"])
    return Draft(Act.PAPER_SEEN, practitioner(call.practitioner), on)


def asked_back(call: Call, one: Request) -> Draft:
    return entry(Act.REQUEST_ASKED_BACK, practitioner(call.practitioner), one)


def extended(call: Call, one: Request) -> Draft:
    return entry(Act.REQUEST_EXTENDED, practitioner(call.practitioner), one)


def answered(call: Call, one: Request) -> Draft:
    return entry(Act.REQUEST_ANSWERED, practitioner(call.practitioner), one, one.outcome)


QUEUE: Final = Page("/practice/requests", "requests/queue.html", show, entered=listed, right=Right.REQUESTS)
ONE: Final = Page(
    "/practice/requests/{request}", "requests/decide.html", show_one, entered=looked_at, right=Right.REQUESTS
)
LATE: Final = {"conflict": ("", "request.late"), "bad_state": ("reason", "request.extend.not")}

PAGES: Final = (QUEUE, ONE)
FORMS: Final = (
    Form(f"{ONE.path}/paper", ONE, Nothing, look, entered=seen),
    Form(
        f"{ONE.path}/erase",
        ONE,
        minors.Named,
        minors.erase,
        done="minor-erased",
        entered=minors.erased,
        says=minors.SAYS,
    ),
    Form(f"{ONE.path}/question", ONE, Question, ask_back, done="request-asked", entered=asked_back, says=LATE),
    Form(f"{ONE.path}/extend", ONE, Reason, extend, done="request-extended", entered=extended, says=LATE),
    Form(
        f"{ONE.path}/discard",
        ONE,
        Nothing,
        discard,
        done="request-discarded",
        goes=QUEUE.path,
        entered=answered,
        says={"conflict": ("", "request.late"), "bad_state": ("", "request.discard.not")},
    ),
    Form(
        f"{ONE.path}/answer", ONE, Answer, answer, done="request-answered", goes=QUEUE.path, entered=answered, says=LATE
    ),
)
"""``pages`` has each page and each form."""

"""The table of rights, cell by cell: every route and every event, by every role, over real HTTP and real sockets.

Made of the router and of the protocol's registry: what is new has a right or says that it is public, or nothing starts.
"""

from dataclasses import replace
from functools import reduce
from typing import Any

import pytest

from client.wire import Wire
from practice.breaches.model import Facts
from practice.organisation import standings
from practice.organisation.model import MemberRole
from practice.organisation.records import MEMBERS
from practice.organisation.rights import MEANING, RIGHTS, ROLES, Right, allowed
from practice.requests.model import Filing
from signaling import routes
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import CLIENT_EVENTS, Arrive
from signaling.rest.endpoint import Endpoint
from signaling.routes import ENDPOINTS
from signaling.sockets.acceptance import EVENTS, Authority
from signaling.tickets import Claims
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.signaling.conftest import PASSWORD, Server
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.writing import Writer, always
from web import routes as pages
from web.agreements import VERSION
from web.practice.passing_on import WAITS

PROTECTED = [one for one in ENDPOINTS if one.right is not None]
WRONG = {"there-is-no-such-field": True}


@pytest.fixture
async def practice(server: Server) -> Server:
    """Alice is signed in, by a browser and by an app."""
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    assert (await server.sign_in("alice")).status == 200
    return server


async def be(server: Server, *roles: MemberRole, active: bool = True) -> None:
    """From now on Alice is this, whoever may do so."""
    store = server.store
    account = server.alice.id
    rows = await store.database.ask(standings.OF_ACCOUNT, {"account": account})
    member, _ = await store.reader.one(MEMBERS, rows[0])
    state: Any = "active" if active else "deactivated"
    changed = replace(member, roles=frozenset(roles), state=state, version=member.version + 1)
    assert await Writer(store.database, store.keys, store.clock.wall).instead(MEMBERS, changed, always)


def address(endpoint: Endpoint) -> str:
    for part in ("{appointment}", "{sentence}", "{guest}"):
        endpoint = replace(endpoint, route=endpoint.route.replace(part, "A" * 22))
    return endpoint.path


# --- nothing is without a row ----------------------------------------------------------------------------------------


def test_every_route_of_the_router_has_a_right_or_is_public(server: Server) -> None:
    found = {
        (route.method, route.resource.canonical)
        for route in server.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert found - {(method, path) for method, path in found if path.startswith("/socket.io/")} == {
        *((one.method, one.path) for one in ENDPOINTS),
        *(("GET", path) for path in (*routes.PUBLIC, *pages.PUBLIC)),
        *(("GET", page.path) for page in pages.PAGES),
        *(("POST", form.path) for form in pages.FORMS),
        *(("POST", path) for path in pages.POSTED),
        *(("GET", form.path) for form in pages.FORMS),  # leads back to its page
    }


def test_a_route_that_says_nothing_is_refused() -> None:
    first = PROTECTED[0]
    with pytest.raises(ValueError, match="for whom"):
        replace(first, right=None)
    with pytest.raises(ValueError, match="for whom"):
        replace(first, public=True)
    with pytest.raises(ValueError, match="for whom"):
        replace(pages.PAGES[0], right=None)
    with pytest.raises(ValueError, match="for whom"):
        replace(pages.PAGES[0], public=True)


def test_every_event_of_a_practitioner_has_a_right() -> None:
    assert EVENTS.keys() == {name for name, event in CLIENT_EVENTS.items() if "practitioner" in event.roles}


def test_every_right_has_a_row_a_meaning_and_somebody() -> None:
    assert set(RIGHTS) == set(MEANING) == set(Right)
    assert all(RIGHTS.values())
    assert not allowed(Right.ACCOUNT, [])


def test_a_practitioner_has_all_that_accounts_had_before_there_were_roles() -> None:
    theirs = {right for right, roles in RIGHTS.items() if "practitioner" in roles}
    assert ({one.right for one in PROTECTED} | set(EVENTS.values())) - {Right.ASSIST} == theirs - {Right.OWN_ASSISTANTS}


# --- route by role ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*ROLES, None])
async def test_each_route_for_each_role(practice: Server, role: MemberRole | None) -> None:
    """A body that no route takes: who has the right is told so, and nothing is done."""
    await be(practice, *([role] if role else []))
    for endpoint in PROTECTED:
        assert endpoint.right is not None
        answer = await practice.call(endpoint.method, address(endpoint), WRONG, who="alice")
        wanted = (400, "invalid") if allowed(endpoint.right, [role] if role else []) else (404, "not_found")
        assert (answer.status, answer.code) == wanted, (endpoint.method, endpoint.path)


async def test_each_route_for_who_is_deactivated_or_nobody(practice: Server) -> None:
    for who in ("alice", "nobody"):
        await be(practice, "owner", "practitioner", active=False)
        for endpoint in PROTECTED:
            answer = await practice.call(endpoint.method, address(endpoint), WRONG, who=who)
            assert (answer.status, answer.code) == (401, "unauthenticated"), endpoint.path
    await be(practice, "practitioner")
    assert (await practice.call("GET", "/api/v1/me", who="alice")).status == 200, "the session is as it was"


@pytest.mark.parametrize("role", [*ROLES, None])
async def test_each_page_and_form_for_each_role(practice: Server, role: MemberRole | None) -> None:
    """A form that none of ours sends: who has the right is told so, and nothing is done. She works for Bob."""
    roles: list[MemberRole] = [role] if role else []
    await be(practice, "owner", "assistant")
    owner = await scope_of(practice.store, practice.alice.id)
    await practice.store.assistants.engage(owner, practice.alice.id, practice.bob.id)
    await be(practice, *roles)
    his, hers = await practice.appoint(practice.bob), await practice.appoint(practice.alice)
    asked = (await practice.store.requests.file(owner, Filing("access", "dashboard", "nl"))).request.id
    answering = Scope.practitioner(practice.alice.id, owner.organisation, frozenset({"officer"}))
    leaked = (await practice.store.breaches.enter(answering, Facts(practice.time.now(), "A laptop"))).id
    for page in pages.PAGES:
        if page.right is not None:
            one = his if "{practitioner}" in page.path else hers
            answer = await practice.call("GET", page_address(practice, page.path, one.id, asked, leaked), who="alice")
            may = allowed(page.right, roles) and page not in (WAITS, VERSION)  # where nobody waits, and of no such text
            assert answer.status == (200 if may else 404), page.path
    for form in pages.FORMS:
        if form.page.right is not None:
            one = his if "{practitioner}" in form.path else hers
            answer = await practice.call(
                "POST", page_address(practice, form.path, one.id, asked, leaked), WRONG, who="alice"
            )
            rights = [right for right in (form.page.right, form.right) if right is not None]
            may = all(allowed(right, roles) for right in rights) and form.page is not WAITS
            assert answer.status == (422 if may else 404), form.path


def page_address(
    server: Server, path: str, appointment: str = "A" * 22, asked: str = "A" * 22, leaked: str = "A" * 22
) -> str:
    parts = {"{account}": server.alice.id, "{practitioner}": server.bob.id, "{day}": "2027-03-01"}
    parts |= {"{appointment}": appointment, "{request}": asked, "{breach}": leaked}
    return reduce(lambda made, part: made.replace(*part), parts.items(), path)


async def test_each_route_for_each_role_by_an_app(practice: Server) -> None:
    signing_in = {"mail": "alice@example.org", "password": PASSWORD}
    tokens = (await practice.call("POST", "/api/v1/tokens", signing_in)).body
    by = {"Authorization": f"Bearer {tokens['access_token']}", "Origin": ""}
    for role in ROLES:
        await be(practice, role)
        for endpoint in PROTECTED:
            assert endpoint.right is not None
            answer = await practice.call(endpoint.method, address(endpoint), WRONG, headers=by)
            wanted = "invalid" if allowed(endpoint.right, [role]) else "not_found"
            assert answer.code == wanted, (role, endpoint.method, endpoint.path)
    await be(practice, "practitioner", active=False)
    assert (await practice.call("GET", "/api/v1/me", headers=by)).code == "token_invalid"
    refreshed = await practice.call("POST", "/api/v1/tokens/refresh", {"refresh_token": tokens["refresh_token"]})
    assert refreshed.code == "token_invalid"


async def test_who_is_deactivated_signs_in_nowhere_and_is_told_what_a_stranger_is(practice: Server) -> None:
    await be(practice, "owner", "practitioner", active=False)
    right = {"mail": "alice@example.org", "password": PASSWORD}
    for path in ("/api/v1/sign-in", "/api/v1/tokens"):
        there, nowhere = [
            await practice.call("POST", path, right | {"mail": mail}, who="new")
            for mail in ("alice@example.org", "nobody@example.org")
        ]
        assert there.body == nowhere.body
        assert (there.status, there.code) == (nowhere.status, "sign_in_refused")


# --- event by role ---------------------------------------------------------------------------------------------------

BODIES: dict[str, dict[str, Any]] = {
    "admit": {"participant": "P" * 22, "me": "M" * 22},
    "call-in": {"participant": "P" * 22},
    "tell": {"participant": "P" * 22, "message": "soon"},
    "write": {"participant": "P" * 22, "text": "hello"},
    "announce": {"status": "open"},
    "decline": {"participant": "P" * 22},
    "put-back": {"participant": "P" * 22},
    "remove": {"participant": "P" * 22},
    "lock": {"locked": True},
    "hand-over": {"participant": "P" * 22},
    "sizes": {"sizes": []},
    "speak": {"speaking": True},
    "offer": {"fence": 1, "sdp": "v=0", "lines": [{"mid": "0", "use": "camera"}]},
    "key-commit": {"epoch": 1, "commitment": "C" * 43},
    "key-reveal": {"epoch": 1, "key": "K" * 87, "nonce": "N" * 43},
    "key-wrap": {"epoch": 1, "to": "P" * 22, "wrapped": "W" * 80},
    "key-restart": {"epoch": 1},
    "keyframe": {"participant": "P" * 22, "source": "camera"},
    "chat": {"ciphertext": "AAAA"},
    "report": {"at": 0},
}


@pytest.fixture
async def wire(practice: Server, opening: Any, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Alice's socket, which takes nothing for granted."""
    monkeypatch.setattr(standings, "MOMENT", 0.0)
    ticket = (await practice.call("POST", "/api/v1/desk/ticket", who="alice")).body["access_token"]
    wire: Wire = await opening(ticket)
    return wire


@pytest.mark.parametrize("role", [*ROLES, None])
async def test_each_event_for_each_role(
    practice: Server, wire: Wire, role: MemberRole | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = await practice.appoint(practice.alice)
    roles: list[MemberRole] = [role] if role else []
    await be(practice, *roles)
    carried_out: list[str] = []
    real = Authority.demand

    async def demand(self: Authority, claims: Claims, event: str) -> None:
        await real(self, claims, event)
        carried_out.append(event)

    monkeypatch.setattr(Authority, "demand", demand)
    for event, right in EVENTS.items():
        body = dict(BODIES.get(event, {}))
        if event in ("arrive", "admit", "call-in", "tell", "write", "decline"):
            body |= {"appointment": planned.id}
        if event == "arrive":
            body |= {"participant": new_id()}
        code = await refused(wire, event, body)
        if allowed(right, roles):
            assert (carried_out, code == "invalid") == ([event], False), (event, code)
        else:
            assert (carried_out, code) == ([], "not_found"), event
        carried_out.clear()
    ended = (await practice.store.appointments.get(of(practice.alice.id), planned.id)).state == "ended"
    assert ended == (role == "practitioner"), "leave is the last of them, and ends it"


async def refused(wire: Wire, event: str, body: dict[str, Any]) -> str | None:
    """The code of its acknowledgement, None when it was carried out."""
    answer = await wire._send(event, body)
    return None if answer["ok"] else str(answer["error"]["code"])


async def test_a_right_that_is_taken_is_gone_within_a_moment(
    practice: Server, opening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(practice.store.organisation.standings, "_clock", lambda: now)
    ticket = (await practice.call("POST", "/api/v1/desk/ticket", who="alice")).body["access_token"]
    wire = await opening(ticket)
    assert await refused(wire, "watch", {}) is None
    await be(practice, "auditor")
    now += standings.MOMENT
    assert await refused(wire, "watch", {}) == "not_found"
    await be(practice, "practitioner", active=False)
    now += standings.MOMENT
    assert await refused(wire, "watch", {}) == "token_invalid"


async def test_a_socket_that_is_a_patients_needs_no_role(practice: Server, opening: Any) -> None:
    planned = await practice.appoint(practice.alice)
    await be(practice, "auditor")
    link = {"link": planned.id + planned.secret}
    wire = await opening((await practice.call("POST", "/api/v1/join", link)).body["access_token"])
    assert (await wire.request("arrive", Arrive(appointment=planned.id, participant=new_id()))) is not None


async def test_where_nobody_can_say_who_somebody_is_only_a_running_consult_goes_on(
    practice: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice: Any = {"role": "practitioner", "seat": "practitioner", "practitioner": practice.alice.id, "expires": 1}
    access, resume = (Claims(kind=kind, **alice) for kind in ("access", "resume"))
    patient = Claims(kind="access", role="patient", seat="patient", appointment="A" * 22, expires=1)
    authority = Authority(practice.store.organisation.standings)

    async def away(_: str) -> None:
        raise DomainError("try_again")

    with monkeypatch.context() as patch:
        patch.setattr(practice.store.organisation.standings, "recent", away)
        for claims in (resume, patient):
            await authority.demand(claims, "admit")
        with pytest.raises(DomainError, match="try_again"):
            await authority.demand(access, "admit")
    await authority.demand(access, "admit")
    await be(practice, "auditor")
    monkeypatch.setattr(standings, "MOMENT", 0.0)
    for claims in (access, resume):
        with pytest.raises(UserError, match="not_found"):
            await authority.demand(claims, "admit")
    await be(practice, "practitioner", active=False)
    for claims in (access, resume):
        with pytest.raises(ProtocolError, match="token_invalid"):
            await authority.demand(claims, "admit")
    await authority.demand(patient, "admit")

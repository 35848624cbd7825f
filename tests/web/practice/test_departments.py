"""Departments by pages without scripts: for who looks after the organisation, and for who looks after one."""

import pytest

from practice.organisation.model import MemberRole
from tests.organisations import OPERATOR
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser
from tests.web.practice.test_people import of_bob, roles, send


async def made(owner: Browser, name: str = "Cardiologie") -> str:
    """A new department; its id."""
    sent = await send(owner, "/practice/departments/make", name=name)
    assert (sent.status, sent.location) == (303, "/practice/departments?done=department-made")
    return (await owner.get("/practice/departments")).hidden("department")


async def place(server: Server, owner: Browser, account: str, *departments: str) -> None:
    path = f"/practice/people/{account}"
    version = (await owner.get(path)).hidden("version")
    sent = await send(owner, f"{path}/departments", version=version, departments=list(departments))
    assert (sent.status, sent.location) == (303, f"{path}?done=saved")


async def acts(server: Server) -> list[str]:
    return [entry.act async for entry in server.store.audit.entries()]


async def test_departments_are_made_renamed_and_closed(server: Server, owner: Browser) -> None:
    assert "Er zijn geen afdelingen." in (await owner.get("/practice/departments")).elements.text
    department = await made(owner)
    page = await owner.get("/practice/departments")
    assert "<bdi>Cardiologie</bdi>" in page.html
    assert "0 personen" in page.elements.text
    fields = {"department": department, "version": page.hidden("version")}
    assert (await send(owner, "/practice/departments/rename", name="Hart", **fields)).status == 303
    assert "<bdi>Hart</bdi>" in (await owner.get("/practice/departments")).html
    stale = await send(owner, "/practice/departments/rename", name="Vaten", **fields)
    assert stale.status == 409
    assert "Er is al een afdeling met deze naam" in stale.elements.text
    closed = await send(owner, "/practice/departments/close", department=department)
    assert closed.location == "/practice/departments?done=department-closed"
    assert "Hart" not in (await owner.get("/practice/departments")).html
    found = await acts(server)
    assert {"department-made", "department-renamed", "department-closed", "departments-read"} <= set(found)


async def test_bad_input_is_told_and_changes_nothing(server: Server, owner: Browser) -> None:
    department = await made(owner)
    for form, fields, status in (
        ("make", {"name": ""}, 422),
        ("make", {"name": "\u200b"}, 422),
        ("make", {"name": "x" * 101}, 422),
        ("make", {"name": "CARDIOLOGIE"}, 409),
        ("rename", {"name": "", "department": department, "version": "1"}, 422),
        ("rename", {"name": "Hart", "department": "A" * 22, "version": "1"}, 404),
        ("close", {"department": "A" * 22}, 404),
    ):
        page = await send(owner, f"/practice/departments/{form}", **fields)
        assert page.status == status, (form, fields)
        assert [one for _, one in page.elements.with_attribute("role") if one["role"] == "alert"]
    version = (await owner.get(of_bob(server))).hidden("version")
    wrong = await send(owner, of_bob(server, "/departments"), version=version, departments=["A" * 22])
    assert wrong.status == 422


async def test_somebody_is_put_into_departments(server: Server, owner: Browser) -> None:
    department = await made(owner)
    await place(server, owner, server.bob.id, department)
    page = await owner.get(of_bob(server))
    assert department in [one["value"] for _, one in page.elements.with_attribute("checked")]
    assert "1 persoon" in (await owner.get("/practice/departments")).elements.text
    assert "departments-changed" in await acts(server)


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "auditor", "department_administrator"])
async def test_to_others_there_are_no_departments_to_change(server: Server, owner: Browser, role: MemberRole) -> None:
    department = await made(owner)
    await be(server, role)
    assert (await owner.get("/practice/departments")).status == 404
    for form, fields in (
        ("/practice/departments/make", {"name": "Hart"}),
        ("/practice/departments/close", {"department": department}),
        (of_bob(server, "/departments"), {"version": "1"}),
    ):
        assert (await send(owner, form, **fields)).status == 404


async def test_who_looks_after_a_department_sees_its_people_alone(server: Server, owner: Browser) -> None:
    department = await made(owner)
    other = await server.store.organisation.add_account(OPERATOR, "eve@example.org", "correct horse", "Eve", "nl")
    await send(owner, of_bob(server, "/roles"), version="1", roles="department_administrator")
    await place(server, owner, server.bob.id, department)
    await place(server, owner, other.id, department)
    assert (await server.sign_in("bob")).status == 200
    bob = Browser(server, "bob")
    page = await bob.get("/practice/people")
    assert page.status == 200
    assert "Eve" in page.elements.text
    assert "Alice" not in page.elements.text
    assert "/practice/departments" not in page.html
    assert (await bob.get(f"/practice/people/{server.alice.id}")).status == 404
    theirs = f"/practice/people/{other.id}"
    version = (await bob.get(theirs)).hidden("version")
    assert 'value="administrator"' not in (await bob.get(theirs)).html
    assert (await send(bob, f"{theirs}/roles", version=version, roles="assistant")).status == 303
    assert await roles(server, other.id) == {"assistant"}
    assert (await send(bob, f"{theirs}/state", state="deactivated")).status == 303
    invited = await send(bob, "/practice/invitations/invite", mail="new@example.org", roles="assistant", language="nl")
    assert invited.status == 422
    fields = {"mail": "new@example.org", "roles": "assistant", "language": "nl", "departments": department}
    assert (await send(bob, "/practice/invitations/invite", **fields)).status == 200
    assert "new@example.org" in (await bob.get("/practice/people")).html

"""Pages that are forms: rendered here, sent as forms are, of use without scripts.

    PEOPLE = Page("/practice/people", "practice/people.html", show_people, right=Right.PEOPLE)
    INVITE = Form("/practice/people/invite", PEOPLE, Invitation, invite, done="invited")
    attach(app, [PEOPLE], [INVITE])

    async def show_people(call: Call) -> dict:                    # what the template shows beside its forms
    async def invite(call: Call, fields: Invitation) -> None:     # errors: DomainError, ProtocolError, UserError

``pages`` is the way of a request, ``fields`` what a body may hold, ``state`` what a template asks of its forms;
``multipart`` reads a body with a file, ``doubts`` asks once more about a text.
Templates extend ``form_page.html`` and use the macros of ``forms.html``.
"""

from web.forms.fields import NOT_ASKED, PROOF, Fields, Linked, Password, Secret, Wrong
from web.forms.pages import Download, Form, Page, Shown, Streamed, attach

__all__ = [
    "NOT_ASKED",
    "PROOF",
    "Download",
    "Fields",
    "Form",
    "Linked",
    "Page",
    "Password",
    "Secret",
    "Shown",
    "Streamed",
    "Wrong",
    "attach",
]

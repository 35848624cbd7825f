"""Who works here and what they plan: one folder for each context, all of one shape.

| file | what is there |
|---|---|
| ``model.py`` | what leaves storage: immutable, silent in ``repr`` |
| ``records.py`` | table, layout of what is sealed, the kind of record |
| ``store.py`` | what may be asked and done, each by a ``Scope`` |
| others | the context's own rules |

``accounts`` are who the keys belong to, ``factors`` with what they sign in beside a password, ``particulars`` what
somebody tells of themselves, ``billing`` their bank account, ``pictures`` what they upload; ``agenda`` is what is
planned, ``presets`` what somebody plans often, ``bookings`` what they offer and who holds a time; ``sentences`` are
what whoever waits reads; ``sights`` are what somebody else may see of an agenda; ``organisation`` is what accounts
belong to, and in which roles, ``policies`` what it decides for them, ``assistants`` who of them works for whom,
``statistics`` how much is done, in numbers; ``notices`` are mail to who has an account, ``circulars`` what goes to
many of them, ``reminders`` what somebody set long ago, ``invitations`` what a patient is told of an appointment,
``bounces`` what of that comes back. ``outgoing`` is the one door to servers elsewhere, of ``settings``, and ``imap``
how a mailbox is read; ``doubts`` finds in a text what should not be there; ``mailed_digits`` are a code that somebody
reads in a message and types.

Rights: ``requests`` are what people ask for by right, ``mailed_requests`` those that come by mail, ``identity_papers``
by what somebody shows who they are; ``consents`` are what people agree to before they are received,
``questionnaires`` what they are asked then; ``agreements`` are what who has an account agrees to, ``contacts`` whom
somebody called and why, ``breaches`` what happened to data that should not have, ``legal`` what a law demands.

``names`` and ``mailboxes`` are how a name and an address are written, ``lookalikes`` which names only look the same;
``registrations`` are who comes without being invited; ``mail_servers`` and ``sms_providers`` are what an organisation
sends by, the latter over ``https``; ``dkim`` signs what goes by the operator's mail server, and ``post`` is what a
sandbox would have sent; by ``feeds`` other ``calendars`` read when somebody is busy, and by ``push_subscriptions``
browsers are told that somebody waits; ``portability`` is what they take along and take back. ``kinds`` lists all
kinds; ``storage`` is all of it, which ``opening`` opens: begin there. A context knows only of those below it in the
contract of ``pyproject.toml``. All of it stands on ``vault``.
"""

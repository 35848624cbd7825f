"""What a patient is told of an appointment, by mail or otherwise: invitation, change, cancellation, reminder.

The way of one: ``rules`` says what a change of an appointment is told as, to each of its ``parties``, ``store`` (the
outbox) writes it down in the transaction of that change, ``courier`` takes it up in its turn, and a ``Carrier``
(``port``) hands it over: ``mail`` by a ``letter`` with an entry for a ``calendar``, or ``sms``. ``wording`` has the
words, ``handout`` those to be pasted. ``digits`` are sent at once, where a link asks for them.
"""

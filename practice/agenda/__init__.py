"""Appointments: what is planned, whom a link leads to (``visit``), and when it must be gone (``due_times``).

``starts`` remembers when appointments begin, so that a week's list opens no other week's.

``store`` plans, ends and lists; ``turning`` makes each change; ``guests`` are who else takes part; ``changes``
corrects; ``cancelling`` takes away what can still be taken back;
``series`` is when one that is repeated begins; ``handing`` says what of it becomes another's; ``posting`` is who tells
patients. ``labels`` is how much of a patient's name who works for a practitioner sees, ``wishes`` what a patient says
of coming, ``ages`` how old they are as far as the law asks, ``consenting`` who agreed to what, ``questions`` what was
asked and answered before.
"""

"""What somebody sees and changes of their own account. ``pages`` has each page and each form.

In and back in: ``first``, ``invited``, ``register``, ``forgotten``, ``passkeys``, ``security``. Who one is: ``mail``,
``particulars``, ``photograph``, ``bank`` and ``bank_mail``. What one plans often: ``presets``; what others may book:
``booking``, ``open_hour``. What there is of it: ``data``, with ``held`` for each kind, and ``export``, which takes
it along, and ``importing``, which takes it back. Who sees and helps:
``assistants``, ``sights``, and one's own calendar program: ``feed``. Before a consult: ``consents``, ``questions``,
``before``. What one is told: ``newsletter``, ``notices``, ``legal``.
"""

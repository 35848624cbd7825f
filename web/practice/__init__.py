"""Pages of those who look after an organisation.

``menu`` says which of them somebody may open. People: ``people``, ``invitations``, ``arrivals``, ``departments``,
``assistants``, ``recovery``, ``handing_over``, ``sights``. The practice: ``organisation``, ``branding``,
``mail_server``, ``sms``, ``mail_domains``, ``policies``, ``ending``. What was done: ``audit``, with ``extract`` to take
along, ``record`` of processing, ``report`` duty by duty, ``statistics`` in numbers, ``papers`` that are kept,
``breaches``, ``contacts``. What is said to many: ``newsletter``, ``service_notices``; what is asked of
patients: ``consents``. ``served`` is an assistant's own
page, ``correcting`` an appointment there; ``passing_on`` hands one who waits over.
"""

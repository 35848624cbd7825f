"""What whoever has a patient's or a guest's link reads and decides of their own data: server-rendered, behind a code.

| module | what |
|---|---|
| ``entrance`` | the link, then a code to where the appointment's mail or text messages go, then the list of sections |
| ``holder`` | who reads: the cookie of the device, bound to link and appointment |
| ``section``, ``sections`` | what one says of itself; the one table of what there is behind the code |
| ``own``, ``consents`` | one's own data: seen, taken along, erased; what one agreed to |
| ``looked`` | who looked at the appointment |

A section is a module with ``SECTION``, ``PAGES`` and ``FORMS`` and a line in that table. Its pages need nobody to be
signed in, have an address below ``/c/rights/mine``, and begin with ``await holder(call)``, which leads whoever typed
no code back.
"""

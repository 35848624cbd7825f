"""The live consult: who is there, who waits, who may be let in.

``consult`` is the state machine, pure, over the events of ``consult_events`` and the document of ``consult_state``,
``leading`` what who leads it alone does, ``tally`` what of it is counted, ``waiting`` what happens to who waits: how
their devices are (``device_check``), what is written (``words``), what is said to all of them (``announced``), who
came to an open hour (``walk_ins``). ``live`` keeps that document in Redis, with a MAC (``authentic``).
``diagnostics`` keeps technical data for 24 hours and no longer (``expiry``), ``technical_check`` puts them into
words, ``support`` lends them out by a code.
"""

"""From one participant's packets to the others', without opening a frame.

``router`` says whose a packet is; ``room`` and ``peer`` who is shown to whom. A ``publication`` is a source as it comes
in: checked by ``trust``, put in order by ``numbering``, kept in a ``ring``, its ``uplink`` what was agreed on in
``offers``. A ``slot`` shows it to a viewer. Beside the packets' path stand ``keyframes``, ``loss``, ``feedback``,
``reports`` and ``counters``.
"""

"""How records die: ``deadline`` says when, ``due`` finds them, ``destruction`` has the steps, ``sweeper`` takes them.

Beside a sweep: ``closure`` (all of an owner's at once), ``rotation`` (new epochs of keys), ``comparison`` (rows
against keys after a start), ``vouching`` (may the clock be believed), ``sweeps`` and ``status`` (what others are told
of it), ``handing`` (what becomes somebody else's), ``todo`` (what there is to do, by one question), ``apart`` (one
part's fault holds up no other), ``preservation`` (what a law demands be kept a while longer).
"""

"""Who works here and what they plan: one folder for each context, all of one shape.

| file | what is there |
|---|---|
| ``model.py`` | what leaves storage: immutable, silent in ``repr`` |
| ``records.py`` | table, layout of what is sealed, the kind of record |
| ``store.py`` | what may be asked and done, each by a ``Scope`` |
| others | the context's own rules |

``accounts`` are who the keys belong to; ``agenda`` is what is planned; ``sentences`` are what whoever waits reads.
``kinds`` lists all kinds, and ``storage`` opens everything: begin there. A context knows only of those below it in the
contract of ``pyproject.toml``. All of it stands on ``vault``.
"""

"""What stored records cost at any size, today beside 0.1.0 in the same run.

``places`` are where, ``fill`` makes the rows, ``store``, ``serve``, ``monday`` and ``million`` each ask something,
with ``inside`` in a process of the build that is asked; ``figures`` makes the table.
"""

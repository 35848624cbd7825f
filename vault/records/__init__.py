"""Records: what every kind of them has in common. ``records`` says what a kind is, ``content`` what stands sealed in a
row, ``scope`` who gets at whose, ``reading`` opens rows when some may be damaged, ``writing`` makes and changes them
one by one, ``stores`` is what those who do both stand on; ``strangers`` finds kinds that only a newer program knows,
``export`` gives its owner what may be taken along.
"""

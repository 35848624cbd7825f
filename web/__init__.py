"""What a browser shows: pages, translations, modules, styles.

``routes`` lists the addresses, ``pages`` has a handler for each, ``render`` and ``locale`` make the HTML of
``templates``, ``assets`` the files of ``static``, ``headers`` what stands above every answer. ``reference`` is the API
for people.
"""

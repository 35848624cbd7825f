"""What a browser shows: pages, translations, modules, styles.

``routes`` lists the addresses, ``pages`` has a handler for each, ``render`` and ``locale`` make the HTML of
``templates``, ``assets`` the files of ``static``, ``headers`` what stands above every answer. ``reference`` is the API
for people.

The forms: ``forms`` is how one works, ``account`` what somebody does to their own account, ``practice`` what those do
who look after an organisation, ``rights`` what whoever has a link reads and decides of their own data. ``branding``,
``colours``, ``naming`` and ``pictures`` are how a practice looks and is called, ``moments`` how a time is said;
``trail`` says what was entered, ``bare`` takes the comments out of scripts, ``storage`` lists what a browser keeps,
``installed`` is the desk as a program of its own, ``settings`` what is set; ``booking`` is what whoever books sees,
``open_hour`` whoever comes to one; ``consents`` and ``questions`` are what a link's holder agrees to and answers
before; ``requests`` are rights as those see them who ask and answer, ``agreements`` what accounts accept, ``papers``
what a practice keeps; ``post`` is a page that sandboxes have.
"""

"""What people agree to before they are received: which texts there are, who asks for which; given, withdrawn (S-44).

What somebody agreed to stands inside what is sealed with the appointment, and ends with it (``agenda.consenting``);
here are the ``texts``, and what an account and an organisation ask.
"""

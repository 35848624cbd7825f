"""Practitioners: who the keys belong to, how they sign in, and what they set.

``store`` finds and changes them, ``people`` opens what they have sealed of themselves, ``sessions`` are their
sign-ins.

A forgotten password is ``resets``, another address ``mail_changes``, what both mail ``links``; what everybody guesses
first is ``common``;
``sole`` is for kinds of which an account has one record.
"""

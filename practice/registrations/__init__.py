"""Open registration, where the operator allows it: who reads the mail of an address makes an account by themselves, in
an organisation that takes its domain, or in one of their own. ``domains`` are those that are listed.
"""

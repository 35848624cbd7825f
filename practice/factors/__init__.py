"""The second factor of an account: codes of an app, recovery codes, passkeys.

``store`` keeps and uses them, ``codes`` has the rules of what a person types. All of one account is one record, whose
id follows from the account's: **an account that has a key for it and no row is damaged, not free of a second factor**,
so whoever can only write to the database takes nobody's away.

``passkeys`` checks what an authenticator says.
"""

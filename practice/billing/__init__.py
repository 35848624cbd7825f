"""What is needed to be paid and to pay, apart from everything else: bank accounts of accounts.

``store`` keeps them, by ``iban`` as the number of an account is checked.
"""

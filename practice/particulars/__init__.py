"""What somebody tells of themselves beside name and address: all of it of their own will, one record for an account.

``store`` keeps them, within what ``check`` says may be told.
"""

"""The mail server that an organisation sends by, in place of the operator's."""

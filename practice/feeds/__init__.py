"""The calendar feed of a practitioner: the address by which their own calendar reads when they are busy."""

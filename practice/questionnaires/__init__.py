"""What a practitioner asks before consults: questionnaires by name, one record for an account."""

"""What a practitioner plans often: how long it takes and in which language, by a name; one record for an account."""

"""Self-booking: the times that a practitioner availabilities, and who holds one of them until the address is proved."""

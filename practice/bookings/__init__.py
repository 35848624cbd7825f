"""Self-booking: the times that a practitioner offers, and who holds one of them until the address is proved.

``hours`` are as people type them, and the times that follow. An open hour is part of what is offered.
"""

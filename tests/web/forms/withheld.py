"""What of a record its own owner is not given."""

WITHHELD = {
    "appointments": {"secret", "preserved"},
    "factors": {"secret", "step", "codes"},
    "feeds": {"token"},
    "availabilities": {"token"},
    "contacts": {"organisation", "by"},
    "subscriptions": {"organisation", "seed", "served"},
    "push_subscriptions": {"endpoint", "session"},
}
"""Fields of what is sealed that nobody takes along: whoever has the file could open a link or sign in with them. What a
law demands of an appointment stands on a page of the account, from when that may be known."""

"""What of a record its own owner is not given."""

WITHHELD = {
    "appointments": {"secret"},
    "factors": {"secret", "step", "codes"},
    "feeds": {"token"},
    "availabilities": {"token"},
    "subscriptions": {"organisation", "seed", "served"},
    "push_subscriptions": {"endpoint", "session"},
}
"""Fields of what is sealed that nobody takes along: whoever has the file could open a link or sign in with them."""

"""What people with an account agree to: the privacy statement and the processor agreement, by version."""

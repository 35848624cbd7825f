"""Reminders of what somebody set a long time ago: that nothing of theirs is destroyed by itself (S-32)."""

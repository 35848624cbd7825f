"""What an organisation decides for all its practitioners: how long they may keep, and what a consult may have."""

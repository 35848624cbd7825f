"""A synthetic consult: `check URL`."""

"""What a law demands: exports of named appointments, and keeping some a while longer, by two ``operators`` (S-36)."""

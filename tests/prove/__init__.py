"""Proofs, long and counted: see README.md. `python -m tests.prove`."""

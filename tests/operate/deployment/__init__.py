"""The steps of docs/operations.md on an empty machine, with stand-ins for Docker."""

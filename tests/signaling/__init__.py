"""The application for machines, without pages and without media."""

"""Whole consults in real Chromium, and the pictures of the documentation."""

"""The domain on real databases, key stores and Redis."""

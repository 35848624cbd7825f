"""The domain: who meets whom and when, what is stored of it, and when that is destroyed."""

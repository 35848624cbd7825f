"""The log of contacts: that somebody with an account was called or written to by a person, why, and until when that is
kept (S-25).
"""

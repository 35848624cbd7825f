"""Browsers of a practitioner that are told, without content, that somebody waits (Web Push, RFC 8030).

``sending`` asks a push service to wake one.
"""

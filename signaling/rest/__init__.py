"""REST: handlers that take a checked body and return a model, a module for each context.

``endpoint`` makes aiohttp handlers of them, ``entries`` says what the audit trail has of each. ``signaling/routes.py``
has them all on one screen.

``entrance`` and ``errors`` are what several answer, ``doubts`` what they ask about. Then one for each context:
``account``, ``appointments``, ``assistants``, ``codes``, ``consents``, ``factors``, ``guests``, ``handouts``, ``join``,
``linked``, ``passkeys``, ``presets``, ``push``, ``sentences``, ``series``, ``technical``, ``tokens``.
"""

from signaling.rest.endpoint import Call, Endpoint, aiohttp_handler

__all__ = ["Call", "Endpoint", "aiohttp_handler"]

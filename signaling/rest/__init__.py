"""REST: handlers that take a checked body and return a model; ``endpoint`` makes aiohttp handlers of them."""

from signaling.rest.endpoint import Call, Endpoint, aiohttp_handler

__all__ = ["Call", "Endpoint", "aiohttp_handler"]

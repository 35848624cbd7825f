"""Machine-readable descriptions of the wire, emitted from the registry of models.

``openapi`` has the REST routes, ``asyncapi`` the events, ``typescript`` the types that our pages are checked against.
"""

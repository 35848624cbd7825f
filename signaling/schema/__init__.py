"""Machine-readable descriptions of the wire, emitted from the registry of models."""

"""A real turnserver with the configuration that we ship."""

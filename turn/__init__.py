"""Time-limited TURN credentials, and coturn's configuration."""

"""What `docker compose` needs beside the compose file: secrets, made once, and the configuration that carries them.

``files`` writes all of it; ``acl`` is for Redis, ``openbao`` for the epoch keys, ``firewall`` for the host, and
``strength`` refuses what would be guessed.
"""

"""What `docker compose` needs beside the compose file: secrets, made once, and the configuration that carries them."""

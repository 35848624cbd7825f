"""The Python client (`signaling.client`): its encryption, its media through a real relay, whole consults."""

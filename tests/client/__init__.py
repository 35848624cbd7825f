"""The Python client (`client`): its encryption, its media through a real relay, whole consults."""

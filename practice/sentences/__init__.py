"""What a practitioner says to whoever waits: the smallest context, and the example for adding a kind of record."""

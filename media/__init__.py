"""The relay: packets in, packets out, in processes of their own that know nothing of rooms or people."""

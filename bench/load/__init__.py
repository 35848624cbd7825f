"""What load is made of: people who send packets to a relay when each is due, and visitors who keep nodes busy."""

"""What things cost, measured beside a peer in the same run where there is one. See README.md."""

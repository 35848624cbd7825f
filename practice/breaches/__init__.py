"""What happened to data that should not have (S-52): the register, with the 72 hours of each, kept by the officer."""

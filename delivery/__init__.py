"""What should happen: the pure core. No I/O, clock, randomness, environment, logging or threads."""

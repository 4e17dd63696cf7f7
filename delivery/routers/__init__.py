"""How a split of traffic is said to each router, as pure functions of data."""

"""A wire is a plan: networks, addresses, names, ports."""

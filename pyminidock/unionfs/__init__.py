"""Several trees look like one."""

"""A painter draws any scene; escaping, contrast and names are solved in it, once."""

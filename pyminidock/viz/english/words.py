"""What an entry of the catalogue is: the same event, said three times."""

Words = tuple[str, str, str]
"""What happened; how or why; which kernel call."""

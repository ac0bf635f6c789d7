"""A real container engine that shows every step.

Importing this package is free: it loads no room.  Read the source from the cellar up:
`errors`, `events`, then the pure rooms, then the one door to Linux, `kernel`.
"""

__version__ = "0.1.0"

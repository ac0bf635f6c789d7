"""Events become pictures, once.

    events ─► world ─► views ─► scene ─► painters ─► what people see
                 └─► frames   (what changed from one moment to the next)

`world` folds events into everything that is true at one moment; a view is one function
from that to a *scene* of a dozen primitives; a painter draws any scene.  `sentences` has
the words, `plain` the same thing in plain Linux, `keys` the one key table.  Nothing here
touches a system, so the same picture can be drawn in a terminal, a notebook or a browser.
"""

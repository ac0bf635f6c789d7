"""A lesson is data with a check: the world is judged, never what was typed."""

"""The only door to an operating system.

Rooms above decide everything as data, a *plan* of calls (`calls`), and hand it to whoever
stands behind the door (`port`).  The bodies are `linux` and `model`; `recording` wraps any
body and turns each answer into one effect event.  Only `engine/` chooses a body.
"""

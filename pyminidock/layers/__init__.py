"""A layer is a tree of files, and a container writes into one of its own on top."""

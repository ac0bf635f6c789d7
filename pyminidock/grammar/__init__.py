"""The small languages that people type: sizes, limits, variables, names."""

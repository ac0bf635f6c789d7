"""A container is a plan plus a process.

Everything is decided first, as a value: which root, which namespaces, which capabilities,
which system calls, which limits.  The plan can be printed, compared and failed at every
call before the kernel port performs any of it.
"""

"""A union filesystem in memory: the same decisions, carried out on trees of objects.

    tree      a branch: inodes, names, link counts; answers what `branches.Branch` asks
    carrying  the effects, carried out on the upper tree
    system    the calls that programs make: open, read, rename … with the kernel's errors

No disk, no clock, no process: root's view of a mount, for fuzzing against the kernel's own
overlayfs and for the simulated kernel.  Who may do what is left to the kernel above.
"""

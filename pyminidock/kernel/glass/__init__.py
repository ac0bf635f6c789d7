"""A union filesystem that everybody can look into: served by this program, through FUSE.

    program ── open(2) ─► kernel ── "LOOKUP etc", "LOOKUP motd", "OPEN" ─► /dev/fuse
                                                                              │
       wire      bytes ↔ requests and replies                                 ▼
       loop      one reader, one buffer; what is held is not answered       loop
       union     the tree that is shown: nodes, and where each of them lies   │
       reading, writing    one function for each request           ◄──────────┘
       upper     whiteouts, copies, renames: what a change does to the upper directory

The upper directory is written as the kernel's overlayfs writes it, so either can mount
what the other left.  Runs in a process of its own, from the standard library alone.

Source: Linux, include/uapi/linux/fuse.h; Documentation/filesystems/overlayfs.rst.
"""

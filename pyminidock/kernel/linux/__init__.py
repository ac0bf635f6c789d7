"""The body of the door on Linux, as root.

    body ── plan, handles ─► spawner ── fork ─► shim ── fork ─► child ── execve ─► program
     ▲                                           │                │
     └─────────── one report per call ◄──────────┴────────────────┘

`spawner`, `shim` and `child` run in a small interpreter of their own and import nothing
but the standard library and `syscalls`; this file therefore imports nothing at all.
"""

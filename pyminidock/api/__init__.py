"""Docker's JSON in, ours out: a pure router, and one transport for it.

    bytes ──► connection ──► Request ──► routes ──► engine
    bytes ◄── connection ◄── Response ◄── shapes ◄───┘

`routes` and `minidock` are the tables, `shapes` and `body` read and write documents,
`failures` turns refusals into statuses.  `address`, `server`, `connection` and `hangups`
are the Unix socket; `client.inprocess` does without them.  `daemon` is the process.
"""

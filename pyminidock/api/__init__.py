"""Docker's JSON in, ours out: a pure router, and one transport for it.

    bytes ──► connection ──► Request ──► routes ──► engine
    bytes ◄── connection ◄── Response ◄── shapes ◄───┘

`routes` is the table; `system`, `containers` and `minidock` answer its rows; `body` and
`shapes` read documents, `streams` carries what comes bit by bit, `failures` turns refusals
into statuses.  `address`, `server`, `connection` and `hangups` are the Unix socket, which
`client.inprocess` does without.  `daemon` is the process.
"""

"""A Dockerfile is text; this room turns it into instructions, and judges nothing else.

    text ── lines ──► logical lines ── words ──► instructions ── stages ──► what to build
            │ comments, continuations, heredocs       │
            └ every character keeps its place         └ expand: ${NAME:-word}, per step

Whoever builds asks, in this order: `parse` (text → Dockerfile), `stages` (who copies from
whom), `arguments` (which ARG is visible where), `substitute` (an instruction with its
variables filled in) and `history` (the words that an image remembers of it).  `lint` gives
advice and never refuses.
"""

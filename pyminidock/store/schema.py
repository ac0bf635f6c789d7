"""The tables, and how each version became the next one.

    blob ◄─── layer ◄─── layer       a layer names the one below it, never an absent one
      ▲         ▲
      └─ image ─┘ ◄─── tag           an image has its layers in order, bottom first
           ▲
           └────────── cache         what a build step made, while that image exists
                         ▲
                    cache_files      the files that it took, to say which one changed

    volumes                          what has a directory of its own below `volumes/`

    builds                           how each stage of a name was last built; it may name
                                     images that are gone: that is a cause, too
    networks                         one each, as a JSON object; who is in one is told by
                                     the records of containers

The foreign keys are the promise: SQLite refuses a row whose layer or image is not there.
A migration, once released, is never changed; the next change is a next one.
"""

_FIRST = """
CREATE TABLE layers (
    chain_id TEXT PRIMARY KEY, diff_id TEXT NOT NULL,
    parent TEXT REFERENCES layers (chain_id),
    blob TEXT NOT NULL, blob_bytes INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL, files INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX layers_by_parent ON layers (parent);
CREATE TABLE images (
    id TEXT PRIMARY KEY, config_blob TEXT NOT NULL, manifest_digest TEXT NOT NULL,
    parent TEXT NOT NULL, created_wall REAL NOT NULL, size_bytes INTEGER NOT NULL,
    is_local_build INTEGER NOT NULL, stand_in TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX images_by_parent ON images (parent);
CREATE TABLE image_layers (
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE, position INTEGER NOT NULL,
    chain_id TEXT NOT NULL REFERENCES layers (chain_id),
    PRIMARY KEY (image, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_layers_by_layer ON image_layers (chain_id);
CREATE TABLE image_blobs (
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    digest TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    PRIMARY KEY (image, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_blobs_by_digest ON image_blobs (digest);
CREATE TABLE tags (
    name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_image ON tags (image);
CREATE TABLE cache (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    parent TEXT NOT NULL, key TEXT NOT NULL, place TEXT NOT NULL, inputs TEXT NOT NULL,
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE, created REAL NOT NULL,
    UNIQUE (parent, key, image)
) STRICT;
CREATE INDEX cache_by_place ON cache (place, number);
CREATE INDEX cache_by_image ON cache (image);
CREATE TABLE leases (number INTEGER PRIMARY KEY, operation TEXT NOT NULL) STRICT
"""

_SECOND = """
CREATE TABLE builds (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL, stage TEXT NOT NULL, steps TEXT NOT NULL,
    UNIQUE (name, stage)
) STRICT;
DROP INDEX cache_by_place;
ALTER TABLE cache DROP COLUMN place
"""

_THIRD = """
ALTER TABLE cache ADD COLUMN milliseconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cache ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0
"""

_FOURTH = """
CREATE TABLE cache_files (
    number INTEGER NOT NULL REFERENCES cache (number) ON DELETE CASCADE,
    path BLOB NOT NULL, kind TEXT NOT NULL, mode INTEGER NOT NULL,
    uid INTEGER NOT NULL, gid INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    link BLOB NOT NULL, sum TEXT NOT NULL, content INTEGER NOT NULL,
    PRIMARY KEY (number, path)
) STRICT, WITHOUT ROWID
"""

_FIFTH = """
CREATE TABLE networks (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, content TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""

_SIXTH = """
CREATE TABLE volumes (
    name TEXT PRIMARY KEY, created REAL NOT NULL,
    labels TEXT NOT NULL, options TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH)

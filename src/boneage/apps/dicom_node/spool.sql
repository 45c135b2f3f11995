CREATE TABLE film (
    key TEXT PRIMARY KEY,
    instance TEXT NOT NULL,
    caller TEXT NOT NULL,
    state TEXT NOT NULL,
    starts INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    reason TEXT,
    fingerprint TEXT,
    received REAL NOT NULL,
    changed REAL NOT NULL,
    files INTEGER NOT NULL DEFAULT 1,
    content TEXT,
    requeued INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX film_instance ON film (instance);
CREATE INDEX film_state ON film (state, starts, received);
CREATE TABLE answer (
    uid TEXT PRIMARY KEY,
    film TEXT NOT NULL REFERENCES film (key) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    sent REAL,
    refusals INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    UNIQUE (film, kind)
) STRICT;
CREATE TABLE destination (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    failures INTEGER NOT NULL,
    due REAL NOT NULL
) STRICT;
INSERT INTO destination VALUES (1, 0, 0);

-- The store, version 1 (docs/formats/store.md).  A projection of the audit log:
-- everything here can be made again from it.

-- How far it has come: entries 0 .. next - 1 of the log are in it, and digest is
-- the SHA-256 of entry next - 1.
CREATE TABLE mark (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	next INTEGER NOT NULL CHECK (next >= 0),
	digest BLOB NOT NULL CHECK (length(digest) = 32)
);
INSERT INTO mark (id, next, digest) VALUES (1, 0, zeroblob(32));

-- State: each row is the record, or the part of one, that a fold handler takes.
-- key is a blob so that it is compared byte by byte.
CREATE TABLE state (
	kind TEXT NOT NULL,
	key BLOB NOT NULL,
	leaf INTEGER NOT NULL CHECK (leaf >= 0),
	body TEXT NOT NULL,
	PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX state_by_leaf ON state (leaf, kind, key);

-- The index of records, for trace and search.
CREATE TABLE record (
	leaf INTEGER PRIMARY KEY CHECK (leaf >= 0),
	at_utc_ms INTEGER NOT NULL,
	type TEXT NOT NULL,
	actor TEXT NOT NULL,
	identity TEXT NOT NULL,
	task TEXT NOT NULL,
	verdict TEXT NOT NULL,
	entry TEXT NOT NULL
);
CREATE INDEX record_by_task ON record (task, leaf) WHERE task <> '';
CREATE INDEX record_by_identity ON record (identity, leaf) WHERE identity <> '';
CREATE INDEX record_by_type ON record (type, leaf);
CREATE VIRTUAL TABLE record_words USING fts5 (
	entry, content = 'record', content_rowid = 'leaf', tokenize = 'unicode61'
);

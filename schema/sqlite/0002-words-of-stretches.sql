-- The words of records, version 2 (docs/formats/store.md): one row for each 32
-- records that follow each other, with each word of them once, so that a word costs
-- the index once for all 32.  Whether a record has it is then read from the record.
DROP TABLE record_words;
CREATE VIRTUAL TABLE record_words USING fts5 (
	words, content = '', columnsize = 0, detail = 'none', tokenize = 'unicode61'
);
-- stretches: rows 0 .. stretches - 1 are in record_words.
ALTER TABLE mark ADD COLUMN stretches INTEGER NOT NULL DEFAULT 0 CHECK (stretches >= 0);

-- No search used the first; tasks and identities are found by their words.
DROP INDEX record_by_type;
DROP INDEX record_by_task;
DROP INDEX record_by_identity;

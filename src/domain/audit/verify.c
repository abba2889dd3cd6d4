/* Verifying a log.
 *
 *	checkpoint (and the one seen) -> segments, frame by frame -> each entry:
 *	record, content, tree, tiles -> root at the signed size -> what is left over
 *
 * Where a folder holds no segments (a copy of the public files only), entries
 * are read from the bundles instead.
 *
 * Invariants:
 *  1. Nothing is believed because it is there: frames by checksum and chain,
 *     entries by the signed root, tiles and bundles by comparison with entries.
 *  2. The first fault is reported, and then nothing more is read.
 *  3. A torn last batch is told from damage as recovery does: no whole batch may
 *     follow it, and the checkpoint must not cover what is missing. */
#include "domain/audit/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/audit/envelope.h"
#include "domain/audit/frame.h"
#include "domain/audit/tile_check.h"

enum {
	NOTE_ARENA_BYTES = 4 * 1024 * 1024,
	RECORD_ARENA_BYTES = 8 * 1024 * 1024,
	NAMES_ARENA_BYTES = 256 * 1024 * 1024,
	SEGMENT_DIGITS = 10,
};

struct verification {
	const struct audit_source *source;
	const struct audit_demands *demands;
	struct audit_report *report;
	struct tile_check *tiles;
	struct arena *segment; /* one segment or bundle at a time */
	struct arena *record;  /* one record at a time */
	struct checkpoint checkpoint;
	struct checkpoint seen;
	struct arena *notes; /* what the two borrow */
	struct frame_chain chain;
	char origin[NOTE_NAME_BYTES_MAX + 1]; /* as the records say so far */
};

const char *audit_fault_name(enum audit_fault fault)
{
	switch (fault) {
	case AUDIT_SOUND: return "sound";
	case AUDIT_BAD_CHECKPOINT: return "bad-checkpoint";
	case AUDIT_BAD_ORIGIN: return "bad-origin";
	case AUDIT_ROLLED_BACK: return "rolled-back";
	case AUDIT_FORKED: return "forked";
	case AUDIT_BAD_ROOT: return "bad-root";
	case AUDIT_BAD_FRAME: return "bad-frame";
	case AUDIT_MISSING: return "missing";
	case AUDIT_BAD_RECORD: return "bad-record";
	case AUDIT_BAD_TILE: return "bad-tile";
	case AUDIT_UNKNOWN_FILE: return "unknown-file";
	case AUDIT_TAIL: return "tail";
	}
	return "unknown";
}

static void found(struct audit_report *report, enum audit_fault fault, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
static void found(struct audit_report *report, enum audit_fault fault, const char *fmt, ...)
{
	va_list args;

	if (report->fault != AUDIT_SOUND)
		return;
	report->fault = fault;
	va_start(args, fmt);
	(void)vsnprintf(report->text, sizeof report->text, fmt, args);
	va_end(args);
}

static void found_at(struct audit_report *report, const char *file, uint64_t offset)
{
	(void)snprintf(report->file, sizeof report->file, "%s", file);
	report->has_offset = true;
	report->offset = offset;
}

static bool is_sound(const struct verification *verification)
{
	return verification->report->fault == AUDIT_SOUND;
}

/* --- checkpoints ------------------------------------------------------------------- */

static bool open_checkpoint(struct verification *verification, struct error *err)
{
	const struct audit_source *source = verification->source;
	struct audit_report *report = verification->report;
	struct error why = {0};
	struct text note;

	if (!source->read(source->context, "checkpoint", verification->notes, &note, err)) {
		if (err->code != ERROR_NOT_FOUND)
			return false;
		found(report, AUDIT_BAD_CHECKPOINT, "there is no checkpoint");
	} else if (!checkpoint_open(&verification->checkpoint, verification->notes, note,
			   verification->demands->keys, verification->demands->key_count, &why)) {
		if (why.code == ERROR_LIMIT) {
			*err = why;
			return false;
		}
		found(report, AUDIT_BAD_CHECKPOINT, "%s", why.text);
	}
	(void)snprintf(report->file, sizeof report->file, "%s",
		is_sound(verification) ? "" : "checkpoint");
	report->head = verification->checkpoint.head;
	(void)snprintf(report->origin, sizeof report->origin, "%.*s",
		TEXT_ARGS(verification->checkpoint.origin));
	return true;
}

static void open_seen(struct verification *verification)
{
	const struct audit_demands *demands = verification->demands;
	struct error why = {0};

	if (demands->seen.length == 0 || !is_sound(verification))
		return;
	if (!checkpoint_open(&verification->seen, verification->notes, demands->seen, demands->keys,
		    demands->key_count, &why))
		found(verification->report, AUDIT_BAD_CHECKPOINT, "the one seen earlier: %s",
			why.text);
	else if (verification->seen.head.size > verification->checkpoint.head.size)
		found(verification->report, AUDIT_ROLLED_BACK,
			"the checkpoint covers %" PRIu64 " entries, the one seen earlier %" PRIu64,
			verification->checkpoint.head.size, verification->seen.head.size);
}

/* The tree now has as many entries as a signed head. */
static void check_heads(struct verification *verification)
{
	const struct merkle_frontier *frontier = tile_check_frontier(verification->tiles);
	const struct tree_head *head = &verification->checkpoint.head;
	const struct tree_head *seen = &verification->seen.head;
	struct sha256 root;

	if (frontier->size != head->size && frontier->size != seen->size)
		return;
	root = merkle_root(frontier);
	if (frontier->size == seen->size && !sha256_equal(&root, &seen->root))
		found(verification->report, AUDIT_FORKED,
			"at %" PRIu64 " entries this is not the log that was seen", seen->size);
	if (frontier->size == head->size && !sha256_equal(&root, &head->root))
		found(verification->report, AUDIT_BAD_ROOT,
			"the %" PRIu64 " entries are not those that were signed", head->size);
}

/* --- records ------------------------------------------------------------------------- */

static void name_record(
	struct audit_report *report, uint64_t index, const struct envelope *envelope)
{
	report->has_index = true;
	report->index = index;
	report->has_record = envelope != NULL;
	if (envelope == NULL)
		return;
	report->at_utc_ms = envelope->at_utc_ms;
	(void)snprintf(report->type, sizeof report->type, "%.*s", TEXT_ARGS(envelope->type_name));
}

/* The log belongs to the origin its genesis names, or the last restore. */
static void follow_origin(struct verification *verification, uint64_t index,
	const struct envelope *envelope, const struct json *record)
{
	struct text origin;

	if (index == 0 && envelope->type != RECORD_GENESIS) {
		found(verification->report, AUDIT_BAD_RECORD, "the first record is not genesis");
		return;
	}
	if (envelope->type != RECORD_GENESIS && envelope->type != RECORD_RESTORE)
		return;
	origin = json_text_or(record, "origin", "");
	if ((envelope->type == RECORD_GENESIS && index != 0) || origin.length == 0 ||
		origin.length > NOTE_NAME_BYTES_MAX)
		found(verification->report, AUDIT_BAD_RECORD, "a %.*s that names no origin",
			TEXT_ARGS(envelope->type_name));
	else
		(void)snprintf(verification->origin, sizeof verification->origin, "%.*s",
			TEXT_ARGS(origin));
}

static void check_content(struct verification *verification, const struct envelope *envelope,
	const struct text *content)
{
	struct sha256 named, actual;

	if ((content != NULL) != (envelope->content.data != NULL)) {
		found(verification->report, AUDIT_BAD_RECORD,
			content != NULL ? "content that the record does not name"
					: "the content the record names is missing");
		return;
	}
	if (content == NULL)
		return;
	actual = sha256_of(content->data, content->length);
	if (!digest_parse(envelope->content, &named) || !sha256_equal(&named, &actual))
		found(verification->report, AUDIT_BAD_RECORD,
			"the content is not the one the record names");
}

/* content: NULL if there is none. has_contents: this source would show it. */
static bool take_entry(struct verification *verification, struct text entry,
	const struct text *content, bool has_contents, struct error *err)
{
	uint64_t index = tile_check_frontier(verification->tiles)->size;
	struct sha256 leaf = merkle_leaf_hash(entry);
	struct audit_entry visited;
	struct envelope envelope;
	struct json record;
	struct error why = {0};

	arena_reset(verification->record);
	if (!envelope_parse(&envelope, &record, verification->record, entry, &why)) {
		if (why.code == ERROR_LIMIT) { /* no verdict for want of memory */
			*err = why;
			return false;
		}
		found(verification->report, AUDIT_BAD_RECORD, "%s", why.text);
		name_record(verification->report, index, NULL);
		return true;
	}
	if (has_contents)
		check_content(verification, &envelope, content);
	follow_origin(verification, index, &envelope, &record);
	if (!is_sound(verification)) {
		name_record(verification->report, index, &envelope);
		return true;
	}
	verification->report->entries = index + 1;
	if (!tile_check_add(verification->tiles, entry, &leaf, verification->report, err))
		return false;
	if (is_sound(verification))
		check_heads(verification);
	if (!is_sound(verification) || verification->demands->visitor == NULL)
		return true;
	visited = (struct audit_entry){
		index, entry, content == NULL ? (struct text){0} : *content, has_contents};
	return verification->demands->visitor->entry(
		verification->demands->visitor->context, &visited, err);
}

/* --- segments --------------------------------------------------------------------------- */

/* A segment being read. */
struct open_segment {
	char path[AUDIT_PATH_BYTES];
	uint64_t number;
	bool is_last;
	const uint8_t *bytes;
	size_t size;
	size_t offset;
};

static void check_segment_head(struct verification *verification,
	const struct open_segment *segment, const struct frame *frame)
{
	const struct merkle_frontier *frontier = tile_check_frontier(verification->tiles);
	struct sha256 ours = merkle_root(frontier), theirs;
	struct frame_segment head;

	if (!frame_segment_decode(&head, frame->payload) || head.number != segment->number ||
		head.frontier.size != frontier->size) {
		found(verification->report, AUDIT_BAD_FRAME, "not the first frame of this segment");
	} else {
		theirs = merkle_root(&head.frontier);
		if (!sha256_equal(&ours, &theirs))
			found(verification->report, AUDIT_BAD_FRAME,
				"the segment does not continue the tree");
		else if (frontier->size > 0 && !text_is(head.origin, verification->origin))
			found(verification->report, AUDIT_BAD_ORIGIN, "a segment of %.*s",
				TEXT_ARGS(head.origin));
	}
	if (!is_sound(verification))
		found_at(verification->report, segment->path, segment->offset);
}

static bool take_batch(struct verification *verification, const struct open_segment *segment,
	const struct frame_batch *batch, struct error *err)
{
	struct text content = {0}, *pending = NULL;
	struct frame frame;
	size_t cursor = batch->offset, at = cursor;

	for (; is_sound(verification) && frame_next(segment->bytes, batch, &cursor, &frame);
		at = cursor) {
		if (frame.kind == FRAME_SEGMENT) {
			check_segment_head(verification, segment, &frame);
		} else if (frame.kind == FRAME_CONTENT) {
			content = frame.payload;
			pending = &content;
		} else {
			if (!take_entry(verification, frame.payload, pending, true, err))
				return false;
			if (verification->report->fault == AUDIT_BAD_RECORD)
				found_at(verification->report, segment->path, at);
			pending = NULL;
		}
	}
	return true;
}

/* The record a damaged frame held, as far as its bundle still tells. */
static void name_from_bundle(struct verification *verification, uint64_t index)
{
	const struct audit_source *source = verification->source;
	struct tile tile = {.kind = TILE_ENTRIES, .index = index / TILE_WIDTH};
	struct error ignored = {0};
	struct text rest, entry = {0};
	struct envelope envelope;
	char path[TILE_PATH_BYTES];

	name_record(verification->report, index, NULL);
	tile.width = tile_width(verification->checkpoint.head.size, 0, tile.index);
	if (tile.width == 0)
		return;
	arena_reset(verification->record);
	tile_path(path, &tile);
	if (!source->read(source->context, path, verification->record, &rest, &ignored))
		return;
	for (uint64_t i = 0; i <= index % TILE_WIDTH; i++) {
		if (!bundle_next(&rest, &entry))
			return;
	}
	if (envelope_parse(&envelope, NULL, verification->record, entry, &ignored))
		name_record(verification->report, index, &envelope);
}

static size_t zeros_end(const struct open_segment *segment)
{
	size_t at = segment->offset;

	while (at < segment->size && segment->bytes[at] == 0)
		at++;
	return at;
}

/* What lies after the last whole batch of a segment. */
static void judge_rest(struct verification *verification, const struct open_segment *segment,
	enum frame_fault fault, const struct frame_fault_place *place)
{
	struct audit_report *report = verification->report;
	size_t zeros = zeros_end(segment);
	bool is_damage = !segment->is_last ||
			 verification->chain.index < verification->checkpoint.head.size ||
			 frame_finds_later_batch(segment->bytes, segment->size, segment->offset,
				 &verification->chain);

	if (fault == FRAME_END && zeros == segment->size)
		return;
	if (!is_damage) {
		report->has_torn_tail = true;
		if (verification->demands->tail == AUDIT_ALLOW_TAIL)
			return;
		found(report, AUDIT_TAIL, "a torn batch after the last whole one");
	} else if (fault == FRAME_END) {
		found(report, AUDIT_BAD_FRAME, "bytes that are not zero where nothing was written");
	} else {
		found(report, AUDIT_BAD_FRAME, "%s", frame_fault_text(fault));
	}
	found_at(report, segment->path, fault == FRAME_END ? zeros : place->offset);
	if (fault != FRAME_END)
		name_from_bundle(verification, place->index);
}

static bool take_segment(
	struct verification *verification, struct open_segment *segment, struct error *err)
{
	struct frame_fault_place place = {0};
	struct frame_batch batch;
	enum frame_fault fault = FRAME_END;

	while (is_sound(verification) && segment->offset < segment->size) {
		fault = frame_batch_read(segment->bytes, segment->size, segment->offset,
			&verification->chain, &batch, &place);
		if (fault != FRAME_OK)
			break;
		if (!take_batch(verification, segment, &batch, err))
			return false;
		segment->offset += batch.size;
		fault = FRAME_END;
	}
	if (is_sound(verification))
		judge_rest(verification, segment, fault, &place);
	return true;
}

static bool read_segment(
	struct verification *verification, uint64_t number, bool is_last, struct error *err)
{
	const struct audit_source *source = verification->source;
	struct open_segment segment = {.number = number, .is_last = is_last};
	struct text bytes;

	(void)snprintf(
		segment.path, sizeof segment.path, "segments/%0*" PRIu64, SEGMENT_DIGITS, number);
	arena_reset(verification->segment);
	if (!source->read(source->context, segment.path, verification->segment, &bytes, err)) {
		if (err->code != ERROR_NOT_FOUND)
			return false;
		found(verification->report, AUDIT_MISSING, "a segment is missing");
		(void)snprintf(verification->report->file, sizeof verification->report->file, "%s",
			segment.path);
		return true;
	}
	segment.bytes = (const uint8_t *)bytes.data;
	segment.size = bytes.length;
	verification->report->segments++;
	if (bytes.length % FRAME_BATCH_ALIGN_BYTES != 0) {
		found(verification->report, AUDIT_BAD_FRAME, "the segment was cut");
		found_at(verification->report, segment.path, bytes.length);
		return true;
	}
	return take_segment(verification, &segment, err);
}

/* Every name in segments/ must be one of 1, 2, 3 …; *out_last is the highest. */
static bool list_segments(struct verification *verification, uint64_t *out_last, struct error *err)
{
	struct arena *arena = arena_create(NAMES_ARENA_BYTES);
	struct audit_name *names;
	char expected[16];
	uint64_t number;
	size_t count;
	bool ok = false;

	*out_last = 0;
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the names of segments");
	if (!verification->source->list(
		    verification->source->context, "segments", arena, &names, &count, err)) {
		ok = err->code == ERROR_NOT_FOUND;
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		number = strtoull(names[i].name.data, NULL, 10);
		(void)snprintf(expected, sizeof expected, "%0*" PRIu64, SEGMENT_DIGITS, number);
		if (number == 0 || names[i].is_folder || !text_is(names[i].name, expected)) {
			found(verification->report, AUDIT_UNKNOWN_FILE, "not a segment");
			(void)snprintf(verification->report->file,
				sizeof verification->report->file, "segments/%.*s",
				TEXT_ARGS(names[i].name));
		}
		*out_last = number > *out_last ? number : *out_last;
	}
	ok = true;
done:
	arena_destroy(&arena);
	return ok;
}

/* --- without segments: from the bundles ------------------------------------------------ */

static bool take_bundle(
	struct verification *verification, const struct tile *tile, struct error *err)
{
	const struct audit_source *source = verification->source;
	struct text whole, rest, entry;
	char path[TILE_PATH_BYTES];
	unsigned taken = 0;

	tile_path(path, tile);
	arena_reset(verification->segment);
	if (!source->read(source->context, path, verification->segment, &whole, err)) {
		if (err->code != ERROR_NOT_FOUND)
			return false;
		found(verification->report, AUDIT_MISSING, "a bundle is missing");
	}
	rest = is_sound(verification) ? whole : (struct text){0};
	while (is_sound(verification) && taken < tile->width && bundle_next(&rest, &entry)) {
		if (!take_entry(verification, entry, NULL, false, err))
			return false;
		taken++;
	}
	if (is_sound(verification) && (taken != tile->width || rest.length != 0)) {
		found(verification->report, AUDIT_BAD_TILE, "the bundle is cut short or too long");
		found_at(verification->report, path, whole.length - rest.length);
	} else if (!is_sound(verification) && verification->report->file[0] == '\0') {
		(void)snprintf(
			verification->report->file, sizeof verification->report->file, "%s", path);
	}
	return true;
}

static bool take_bundles(struct verification *verification, struct error *err)
{
	uint64_t size = verification->checkpoint.head.size;
	struct tile tile = {.kind = TILE_ENTRIES};

	for (; is_sound(verification) && tile.index * TILE_WIDTH < size; tile.index++) {
		tile.width = tile_width(size, 0, tile.index);
		if (!take_bundle(verification, &tile, err))
			return false;
	}
	return true;
}

/* --- all of it -------------------------------------------------------------------------- */

static bool take_entries(struct verification *verification, struct error *err)
{
	struct audit_report *report = verification->report;
	uint64_t last;

	/* Tiles first: whatever has one can be read from the segments that are there then. */
	if (!tile_check_open(&verification->tiles, verification->source,
		    verification->checkpoint.head.size, err) ||
		!tile_check_list(verification->tiles, report, err) ||
		!list_segments(verification, &last, err))
		return false;
	if (!is_sound(verification))
		return true;
	if (last == 0) {
		tile_check_skip_bundles(verification->tiles);
		return take_bundles(verification, err);
	}
	for (uint64_t number = 1; number <= last && is_sound(verification); number++) {
		if (!read_segment(verification, number, number == last, err))
			return false;
	}
	if (is_sound(verification) && report->entries < report->head.size)
		found(report, AUDIT_MISSING,
			"%" PRIu64 " entries were signed, %" PRIu64 " are there", report->head.size,
			report->entries);
	return true;
}

/* Only the log's own files may lie in its folder. */
static bool check_top(struct verification *verification, struct error *err)
{
	static const char *const known[] = {
		"checkpoint", "checkpoint.new", "segments", "tile", "lock"};
	struct arena *arena = arena_create(NAMES_ARENA_BYTES);
	struct audit_name *names;
	size_t count;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the names of files");
	if (!verification->source->list(
		    verification->source->context, "", arena, &names, &count, err))
		goto done;
	for (size_t i = 0; i < count; i++) {
		bool is_known = false;

		for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
			is_known = is_known || text_is(names[i].name, known[j]);
		if (is_known)
			continue;
		found(verification->report, AUDIT_UNKNOWN_FILE, "not a file of a log");
		(void)snprintf(verification->report->file, sizeof verification->report->file,
			"%.*s", TEXT_ARGS(names[i].name));
	}
	ok = true;
done:
	arena_destroy(&arena);
	return ok;
}

static bool run(struct verification *verification, struct error *err)
{
	struct audit_report *report = verification->report;

	if (!open_checkpoint(verification, err))
		return false;
	open_seen(verification);
	if (is_sound(verification) && !take_entries(verification, err))
		return false;
	if (is_sound(verification) &&
		!text_is(verification->checkpoint.origin, verification->origin))
		found(report, AUDIT_BAD_ORIGIN, "the records belong to %s", verification->origin);
	if (is_sound(verification) && !tile_check_finish(verification->tiles, report, err))
		return false;
	if (is_sound(verification) && !check_top(verification, err))
		return false;
	if (is_sound(verification) && report->entries > report->head.size &&
		verification->demands->tail == AUDIT_REFUSE_TAIL)
		found(report, AUDIT_TAIL, "%" PRIu64 " entries after the checkpoint are not signed",
			report->entries - report->head.size);
	return true;
}

bool audit_verify(struct audit_report *out, const struct audit_source *source,
	const struct audit_demands *demands, struct error *err)
{
	struct verification verification = {.source = source,
		.demands = demands,
		.report = out,
		.segment = arena_create((size_t)AUDIT_FILE_BYTES_MAX + 4096),
		.record = arena_create((size_t)RECORD_ARENA_BYTES + AUDIT_FILE_BYTES_MAX),
		.notes = arena_create(NOTE_ARENA_BYTES)};
	bool ok = false;

	memset(out, 0, sizeof *out);
	if (verification.segment == NULL || verification.record == NULL ||
		verification.notes == NULL)
		error_set(err, ERROR_LIMIT, "no memory to verify a log");
	else
		ok = run(&verification, err);
	tile_check_close(&verification.tiles);
	arena_destroy(&verification.segment);
	arena_destroy(&verification.record);
	arena_destroy(&verification.notes);
	return ok;
}

/* Tiles, bundles and checkpoints.
 *
 * Invariants:
 *  1. levels[l] holds the hashes of the open tile of level l, bundle the bytes
 *     of the open bundle; both are what the tree of size entries needs.
 *  2. A checkpoint is signed only after every tile it implies was written.
 *  3. A file is written once, or written again with the same bytes; so a reader
 *     never sees one change.
 *  4. Files not synced yet are in unsynced, in the order of their entries;
 *     below tiled every file is durable.
 *  5. lock guards note and signed_head, which other threads read. */
#include "services/record/publisher.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/audit/tile.h"
#include "services/record/tile_nodes.h"

#define CHECKPOINT_FILE "audit/checkpoint"

enum {
	BUNDLE_BYTES_MAX = TILE_WIDTH * (65535 + 2),
	NOTE_BYTES_LIMIT = 64 * 1024,
	FOLDER_BYTES = TILE_FILE_BYTES,
	LIST_ARENA_BYTES = 1024 * 1024,
};

/* A full tile or bundle the disk has not taken yet. */
struct pending {
	struct pending *next;
	struct tile tile;
	size_t size;
	uint8_t bytes[];
};

struct unsynced {
	struct tile tile;
	uint64_t entries; /* below this the file covers */
};

struct publisher {
	const struct disk *disk;
	const struct checkpoint_signer *signer;
	uint64_t size; /* entries */
	struct sha256 levels[TILE_LEVELS_MAX][TILE_WIDTH];
	struct buffer bundle;
	bool is_stalled;
	bool is_recovering; /* partial tiles on disk may be torn */

	struct pending *pending_first, *pending_last;
	size_t pending_bytes;

	struct unsynced unsynced[PUBLISHER_UNSYNCED_MAX]; /* a ring */
	uint32_t unsynced_first, unsynced_count;
	char unsynced_folder[FOLDER_BYTES]; /* "" when none */
	char made_folder[2][FOLDER_BYTES];  /* full and partial: known to exist */
	uint64_t tiled;

	pthread_mutex_t lock;
	struct buffer note;
	struct tree_head signed_head;
};

bool publisher_open(struct publisher **out, const struct disk *disk,
	const struct checkpoint_signer *signer, const struct tree_head *signed_head,
	struct error *err)
{
	struct publisher *publisher = calloc(1, sizeof *publisher);

	*out = publisher;
	if (publisher == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for tiles");
	publisher->disk = disk;
	publisher->signer = signer;
	publisher->signed_head = *signed_head;
	buffer_init(&publisher->bundle, BUNDLE_BYTES_MAX);
	buffer_init(&publisher->note, NOTE_BYTES_LIMIT);
	pthread_mutex_init(&publisher->lock, NULL);
	return true;
}

static void pending_drop(struct publisher *publisher)
{
	struct pending *first = publisher->pending_first;

	publisher->pending_first = first->next;
	publisher->pending_bytes -= first->size;
	free(first);
}

void publisher_close(struct publisher **publisher)
{
	struct publisher *closing = *publisher;

	*publisher = NULL;
	if (closing == NULL)
		return;
	while (closing->pending_first != NULL)
		pending_drop(closing);
	buffer_deinit(&closing->bundle);
	buffer_deinit(&closing->note);
	pthread_mutex_destroy(&closing->lock);
	free(closing);
}

uint64_t publisher_size(const struct publisher *publisher)
{
	return publisher->size;
}

uint64_t publisher_signed_size(const struct publisher *publisher)
{
	return publisher->signed_head.size;
}

uint32_t publisher_unsynced(const struct publisher *publisher)
{
	return publisher->unsynced_count;
}

uint64_t publisher_tiled(const struct publisher *publisher)
{
	return publisher->tiled;
}

/* --- writing files ------------------------------------------------------------ */

static void folder_of(char out[FOLDER_BYTES], const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path);

	memcpy(out, path, length);
	out[length] = '\0';
}

/* Makes every folder on the way to path. */
static bool make_folders(const struct disk *disk, const char *path, struct error *err)
{
	char folder[FOLDER_BYTES];

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		memcpy(folder, path, (size_t)(slash - path));
		folder[slash - path] = '\0';
		if (!disk->make_dir(disk->context, folder, err))
			return false;
	}
	return true;
}

static bool ensure_folder(
	struct publisher *publisher, const struct tile *tile, const char *path, struct error *err)
{
	char *made = publisher->made_folder[tile->width < TILE_WIDTH];
	char folder[FOLDER_BYTES];

	folder_of(folder, path);
	if (strcmp(folder, made) == 0)
		return true;
	made[0] = '\0';
	if (!make_folders(publisher->disk, path, err))
		return false;
	memcpy(made, folder, sizeof folder);
	return true;
}

/* True if the file is there with these bytes already (after recovery). */
static bool file_is_same(const struct disk *disk, const char *path, struct text content)
{
	struct arena *arena = arena_create(content.length + 64);
	struct error ignored = {0};
	struct text found;
	bool same = arena != NULL &&
		    disk_read_file(disk, path, content.length, arena, &found, &ignored) &&
		    text_equal(found, content);

	arena_destroy(&arena);
	return same;
}

static bool write_file(
	const struct disk *disk, const char *path, struct text content, struct error *err)
{
	int file;
	bool ok;

	if (file_is_same(disk, path, content))
		return true;
	if (!disk->open(disk->context, path, DISK_REPLACE, &file, err))
		return false;
	ok = disk->write(
		disk->context, (struct disk_place){file, 0}, content.data, content.length, err);
	disk->close(disk->context, file);
	return ok;
}

/* Entries below which the file says something. */
static uint64_t tile_entries(const struct tile *tile)
{
	uint64_t nodes = tile->index * TILE_WIDTH + tile->width;

	return nodes << (TILE_HEIGHT * tile->level);
}

static bool tidy_step(struct publisher *publisher, struct error *err);

static bool write_tile(struct publisher *publisher, const struct tile *tile, struct text content,
	struct error *err)
{
	char path[TILE_FILE_BYTES];
	uint32_t last;

	while (publisher->unsynced_count == PUBLISHER_UNSYNCED_MAX) {
		if (!tidy_step(publisher, err))
			return false;
	}
	tile_file(path, tile);
	if (!ensure_folder(publisher, tile, path, err) ||
		!write_file(publisher->disk, path, content, err))
		return error_wrap(err, "%s", path);
	last = (publisher->unsynced_first + publisher->unsynced_count++) % PUBLISHER_UNSYNCED_MAX;
	publisher->unsynced[last] = (struct unsynced){.tile = *tile, .entries = tile_entries(tile)};
	return true;
}

bool publisher_flush(struct publisher *publisher, struct error *err)
{
	while (publisher->pending_first != NULL) {
		struct pending *first = publisher->pending_first;
		struct text content = {(const char *)first->bytes, first->size};

		if (!write_tile(publisher, &first->tile, content, err))
			return false;
		pending_drop(publisher);
	}
	return true;
}

/* --- after a crash ---------------------------------------------------------- */

/* The first width entries of a bundle. */
static struct text bundle_prefix(struct text bundle, unsigned width)
{
	struct text rest = bundle, entry;

	for (unsigned i = 0; i < width && bundle_next(&rest, &entry); i++)
		;
	return (struct text){bundle.data, bundle.length - rest.length};
}

static bool repair_partial(struct publisher *publisher, const struct tile *tile, struct text whole,
	const char *path, struct error *err)
{
	const struct disk *disk = publisher->disk;
	struct tile partial;

	if (!tile_path_parse(text_of(path + strlen("audit/")), &partial) ||
		partial.width > tile->width)
		return disk->remove(disk->context, path, err);
	if (partial.kind == TILE_ENTRIES)
		whole = bundle_prefix(whole, partial.width);
	else
		whole.length = partial.width * (size_t)SHA256_BYTES;
	return write_tile(publisher, &partial, whole, err);
}

/* Partial tiles beside this one, as far as they were published, may have lost
 * what was not synced: each gets its bytes again. */
static bool repair_partials(
	struct publisher *publisher, const struct tile *tile, struct text whole, struct error *err)
{
	const struct disk *disk = publisher->disk;
	struct arena *arena = arena_create(LIST_ARENA_BYTES);
	char folder[FOLDER_BYTES + 8], path[FOLDER_BYTES + 32];
	struct tile full = *tile;
	struct text *names;
	size_t count;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the names of tiles");
	full.width = TILE_WIDTH;
	tile_file(folder, &full);
	memcpy(folder + strlen(folder), ".p", 3);
	if (!disk->list(disk->context, folder, arena, &names, &count, err)) {
		ok = err->code == ERROR_NOT_FOUND;
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(path, sizeof path, "%s/%.*s", folder, TEXT_ARGS(names[i]));
		if (!repair_partial(publisher, tile, whole, path, err))
			goto done;
	}
	ok = true;
done:
	arena_destroy(&arena);
	return ok;
}

bool publisher_recovered(struct publisher *publisher, struct error *err)
{
	uint64_t size = publisher->size;
	struct tile tile = {.kind = TILE_ENTRIES,
		.index = size / TILE_WIDTH,
		.width = (unsigned)(size % TILE_WIDTH)};

	publisher->is_recovering = false;
	if (!repair_partials(publisher, &tile, buffer_text(&publisher->bundle), err))
		return false;
	tile.kind = TILE_HASHES;
	for (; tile.level < TILE_LEVELS_MAX; tile.level++) {
		struct text whole = {(const char *)publisher->levels[tile.level], 0};

		tile.index = tile_full_count(size, tile.level);
		tile.width = tile_partial_width(size, tile.level);
		if (!repair_partials(publisher, &tile, whole, err))
			return false;
	}
	return true;
}

/* --- taking entries ------------------------------------------------------------ */

static bool pend(struct publisher *publisher, const struct tile *tile, const void *bytes,
	size_t size, struct error *err)
{
	struct error ignored = {0};
	struct pending *pending;

	/* a partial tile that cannot be repaired now is found by whoever verifies */
	if (publisher->is_recovering)
		(void)repair_partials(publisher, tile, (struct text){bytes, size}, &ignored);
	if (publisher->pending_bytes + size > PUBLISHER_PENDING_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "too many tiles wait for the disk");
	pending = calloc(1, sizeof *pending + size);
	if (pending == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a tile");
	pending->tile = *tile;
	pending->size = size;
	memcpy(pending->bytes, bytes, size);
	if (publisher->pending_first == NULL)
		publisher->pending_first = pending;
	else
		publisher->pending_last->next = pending;
	publisher->pending_last = pending;
	publisher->pending_bytes += size;
	return true;
}

/* The open tile of each level that the newest leaf completed is full now. */
static bool finish_tiles(struct publisher *publisher, struct error *err)
{
	uint64_t nodes = publisher->size;

	for (unsigned level = 0; nodes % TILE_WIDTH == 0 && level + 1 < TILE_LEVELS_MAX; level++) {
		struct tile tile = {
			.level = level, .index = nodes / TILE_WIDTH - 1, .width = TILE_WIDTH};

		if (!pend(publisher, &tile, publisher->levels[level], TILE_BYTES, err))
			return false;
		nodes /= TILE_WIDTH;
		publisher->levels[level + 1][(nodes - 1) % TILE_WIDTH] =
			tile_root(publisher->levels[level], TILE_WIDTH);
	}
	return true;
}

static bool finish_bundle(struct publisher *publisher, struct error *err)
{
	struct tile tile = {.kind = TILE_ENTRIES,
		.index = publisher->size / TILE_WIDTH - 1,
		.width = TILE_WIDTH};

	if (!pend(publisher, &tile, publisher->bundle.data, publisher->bundle.length, err))
		return false;
	buffer_reset(&publisher->bundle);
	return true;
}

static bool take_entry(struct publisher *publisher, struct text entry, const struct sha256 *leaf,
	struct error *err)
{
	publisher->levels[0][publisher->size % TILE_WIDTH] = *leaf;
	bundle_append(&publisher->bundle, entry);
	if (buffer_failed(&publisher->bundle))
		return error_set(err, ERROR_LIMIT, "no memory for a bundle");
	publisher->size++;
	if (publisher->size % TILE_WIDTH != 0)
		return true;
	return finish_bundle(publisher, err) && finish_tiles(publisher, err);
}

bool publisher_add(struct publisher *publisher, struct text entry, const struct sha256 *leaf,
	struct error *err)
{
	if (publisher->is_stalled)
		return error_set(err, ERROR_LIMIT, "tiles are not written any more");
	publisher->is_stalled = !take_entry(publisher, entry, leaf, err);
	return !publisher->is_stalled;
}

/* --- taking up an existing tree --------------------------------------------------- */

/* Entries of the open bundle, from the segments. */
static bool resume_bundle(
	struct publisher *publisher, struct segments *segments, uint64_t size, struct error *err)
{
	uint64_t first = size - size % TILE_WIDTH;
	struct segment_walk *walk;
	struct segment_found found;
	bool is_end, ok = true;

	if (first == size)
		return true;
	if (!segment_walk_open(&walk, segments, first, SEGMENT_ENTRIES, err))
		return false;
	for (uint64_t at = first; ok && at < size; at++) {
		ok = segment_walk_next(walk, &found, &is_end, err);
		if (ok && is_end)
			ok = error_set(err, ERROR_CORRUPT, "entries are missing");
		if (!ok)
			break;
		publisher->levels[0][at % TILE_WIDTH] = merkle_leaf_hash(found.entry);
		bundle_append(&publisher->bundle, found.entry);
	}
	segment_walk_close(&walk);
	if (ok && buffer_failed(&publisher->bundle))
		ok = error_set(err, ERROR_LIMIT, "no memory for a bundle");
	return ok;
}

/* The open tile of a level above 0: roots of the full tiles below. */
static bool resume_level(
	struct publisher *publisher, unsigned level, uint64_t size, struct error *err)
{
	uint64_t first = tile_full_count(size, level) * TILE_WIDTH;
	unsigned width = tile_partial_width(size, level);
	struct sha256 below[TILE_WIDTH];

	for (unsigned i = 0; i < width; i++) {
		struct tile tile = {.level = level - 1, .index = first + i, .width = TILE_WIDTH};

		if (!tile_nodes_read(publisher->disk, &tile, below, err))
			return error_wrap(err, "tile of level %u", level - 1);
		publisher->levels[level][i] = tile_root(below, TILE_WIDTH);
	}
	return true;
}

/* The root of the tree that the open tiles stand for: made when it is asked for, as the
 * segments hash each entry into their own tree already. */
static struct sha256 root_of_levels(const struct publisher *publisher)
{
	struct merkle_frontier frontier = {.size = publisher->size};

	for (unsigned level = 0; level < TILE_LEVELS_MAX; level++) {
		unsigned width = tile_partial_width(publisher->size, level), at = 0;

		for (unsigned bit = TILE_HEIGHT; bit-- > 0;) {
			if (!(width >> bit & 1))
				continue;
			frontier.right_edge[TILE_HEIGHT * level + bit] =
				tile_root(&publisher->levels[level][at], 1U << bit);
			at += 1U << bit;
		}
	}
	return merkle_root(&frontier);
}

bool publisher_resume(struct publisher *publisher, struct segments *segments, struct error *err)
{
	const struct merkle_frontier *frontier = segments_frontier(segments);
	struct sha256 ours, theirs;

	if (!resume_bundle(publisher, segments, frontier->size, err))
		return false;
	for (unsigned level = 1; level < TILE_LEVELS_MAX; level++) {
		if (!resume_level(publisher, level, frontier->size, err))
			return false;
	}
	publisher->size = frontier->size;
	publisher->tiled = frontier->size;
	publisher->is_recovering = true;
	ours = root_of_levels(publisher);
	theirs = merkle_root(frontier);
	if (!sha256_equal(&ours, &theirs))
		return error_set(err, ERROR_CORRUPT, "the tiles are not those of the log");
	return true;
}

/* --- checkpoints ------------------------------------------------------------------- */

static bool write_open_tiles(struct publisher *publisher, struct error *err)
{
	uint64_t size = publisher->size;
	struct tile tile = {.kind = TILE_ENTRIES,
		.index = size / TILE_WIDTH,
		.width = (unsigned)(size % TILE_WIDTH)};

	if (tile.width > 0 && !write_tile(publisher, &tile, buffer_text(&publisher->bundle), err))
		return false;
	tile.kind = TILE_HASHES;
	for (; tile.level < TILE_LEVELS_MAX; tile.level++) {
		struct text content = {(const char *)publisher->levels[tile.level], 0};

		tile.index = tile_full_count(size, tile.level);
		tile.width = tile_partial_width(size, tile.level);
		content.length = tile.width * (size_t)SHA256_BYTES;
		if (tile.width > 0 && !write_tile(publisher, &tile, content, err))
			return false;
	}
	return true;
}

static bool prove_growth(
	struct publisher *publisher, uint64_t old_size, struct merkle_proof *out, struct error *err)
{
	struct tile_nodes *nodes;
	struct merkle_nodes port;
	bool ok;

	if (!tile_nodes_open(&nodes, publisher->disk, publisher->size, err))
		return false;
	port = tile_nodes_port(nodes);
	ok = merkle_prove_consistency(&port, old_size, publisher->size, out, err);
	tile_nodes_close(&nodes);
	return ok;
}

static bool sign_head(struct publisher *publisher, const struct tree_head *head,
	struct buffer *note, struct error *err)
{
	const struct checkpoint_signer *signer = publisher->signer;
	struct merkle_proof proof;
	struct tree_head last;

	if (!signer->last(signer->context, &last, err))
		return error_wrap(err, "signer");
	if (last.size > head->size)
		return error_set(err, ERROR_CONFLICT, "the signer has signed a longer log");
	if (!prove_growth(publisher, last.size, &proof, err) ||
		!signer->sign(signer->context, head, &proof, note, err))
		return error_wrap(err, "signing a checkpoint");
	if (buffer_failed(note))
		return error_set(err, ERROR_LIMIT, "no memory for a checkpoint");
	return true;
}

static bool publish_note(struct publisher *publisher, const struct tree_head *head,
	struct buffer *note, struct error *err)
{
	if (!sign_head(publisher, head, note, err) ||
		!disk_replace_file(
			publisher->disk, "audit", CHECKPOINT_FILE, buffer_text(note), err))
		return false;
	pthread_mutex_lock(&publisher->lock);
	buffer_reset(&publisher->note);
	buffer_append_text(&publisher->note, buffer_text(note));
	publisher->signed_head = *head;
	pthread_mutex_unlock(&publisher->lock);
	return true;
}

bool publisher_publish(struct publisher *publisher, struct error *err)
{
	struct tree_head head = {.size = publisher->size};
	struct buffer note;
	bool ok;

	if (publisher->is_stalled)
		return error_set(err, ERROR_LIMIT, "tiles are not written any more");
	if (head.size == publisher->signed_head.size && publisher->note.length > 0)
		return true;
	head.root = root_of_levels(publisher);
	if (!publisher_flush(publisher, err) || !write_open_tiles(publisher, err))
		return false;
	buffer_init(&note, NOTE_BYTES_LIMIT);
	ok = publish_note(publisher, &head, &note, err);
	buffer_deinit(&note);
	return ok;
}

bool publisher_checkpoint(struct publisher *publisher, struct arena *arena, struct text *out_note,
	struct tree_head *out_head, struct error *err)
{
	bool ok = true;

	pthread_mutex_lock(&publisher->lock);
	*out_head = publisher->signed_head;
	if (publisher->note.length == 0 || buffer_failed(&publisher->note))
		ok = error_set(err, ERROR_NOT_FOUND, "nothing was signed yet");
	else
		*out_note = text_copy(arena, buffer_text(&publisher->note));
	pthread_mutex_unlock(&publisher->lock);
	if (ok && out_note->data == NULL)
		ok = error_set(err, ERROR_LIMIT, "no memory for a checkpoint");
	return ok;
}

/* --- tidying up -------------------------------------------------------------------- */

static bool sync_folder(struct publisher *publisher, struct error *err)
{
	const struct disk *disk = publisher->disk;
	char parent[FOLDER_BYTES];

	folder_of(parent, publisher->unsynced_folder);
	if (!disk->sync_dir(disk->context, publisher->unsynced_folder, err) ||
		!disk->sync_dir(disk->context, parent, err))
		return false;
	publisher->unsynced_folder[0] = '\0';
	return true;
}

static bool sync_file(const struct disk *disk, const char *path, struct error *err)
{
	int file;
	bool ok;

	if (!disk->open(disk->context, path, DISK_READ, &file, err))
		return false;
	ok = disk->sync(disk->context, file, err);
	disk->close(disk->context, file);
	return ok;
}

/* Removes the partial tiles that the full one at path replaced. */
static bool remove_partials(const struct disk *disk, const char *path, struct error *err)
{
	struct arena *arena = arena_create(LIST_ARENA_BYTES);
	char folder[FOLDER_BYTES + 8], file[FOLDER_BYTES + 16];
	struct text *names;
	size_t count;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the names of tiles");
	(void)snprintf(folder, sizeof folder, "%s.p", path);
	if (!disk->list(disk->context, folder, arena, &names, &count, err)) {
		ok = err->code == ERROR_NOT_FOUND;
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		if (snprintf(file, sizeof file, "%s/%.*s", folder, TEXT_ARGS(names[i])) >=
				(int)sizeof file ||
			!disk->remove(disk->context, file, err))
			goto done;
	}
	ok = disk->remove(disk->context, folder, err);
done:
	arena_destroy(&arena);
	return ok;
}

/* A partial tile may be gone because the full one has replaced it. */
static bool settle(
	struct publisher *publisher, const struct tile *tile, const char *path, struct error *err)
{
	if (!sync_file(publisher->disk, path, err))
		return tile->width < TILE_WIDTH && err->code == ERROR_NOT_FOUND;
	if (tile->width < TILE_WIDTH)
		return true;
	publisher->made_folder[1][0] = '\0';
	return remove_partials(publisher->disk, path, err);
}

static bool tidy_step(struct publisher *publisher, struct error *err)
{
	const struct unsynced *first = &publisher->unsynced[publisher->unsynced_first];
	char path[TILE_FILE_BYTES], folder[FOLDER_BYTES];

	if (publisher->unsynced_count == 0)
		return publisher->unsynced_folder[0] == '\0' || sync_folder(publisher, err);
	tile_file(path, &first->tile);
	folder_of(folder, path);
	if (publisher->unsynced_folder[0] != '\0' &&
		strcmp(folder, publisher->unsynced_folder) != 0)
		return sync_folder(publisher, err);
	if (!settle(publisher, &first->tile, path, err))
		return error_wrap(err, "%s", path);
	memcpy(publisher->unsynced_folder, folder, sizeof folder);
	publisher->unsynced_first = (publisher->unsynced_first + 1) % PUBLISHER_UNSYNCED_MAX;
	publisher->unsynced_count--;
	return true;
}

bool publisher_tidy(struct publisher *publisher, bool *is_tidy, struct error *err)
{
	if (!tidy_step(publisher, err))
		return false;
	*is_tidy = publisher->unsynced_count == 0 && publisher->unsynced_folder[0] == '\0';
	if (*is_tidy && publisher->pending_first == NULL && !publisher->is_stalled)
		publisher->tiled = publisher->size - publisher->size % TILE_WIDTH;
	return true;
}

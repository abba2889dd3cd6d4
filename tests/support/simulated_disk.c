/* A file has a current image and a durable one, and between them the writes
 * since the last sync.  A folder has a current set of names and a durable one,
 * and between them the changes since the last sync_dir.
 *
 * At a crash each sector of each unsynced write is kept or lost on its own (so
 * writes tear and reorder), and of each folder's changes a prefix is kept.
 * Invariant: a file's current image is its durable one with all its unsynced
 * writes done in order. */
#include "simulated_disk.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, PATH_MAX_BYTES = 160, HANDLES_MAX = 256 };

struct image {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
};

struct change { /* a write, or a truncation */
	uint64_t offset;
	size_t size;
	uint8_t *bytes; /* NULL: truncate to offset */
};

struct node {
	int references;
	bool is_folder;
	struct image current, durable;
	struct change *changes;
	size_t change_count, change_capacity;
};

struct name {
	char path[PATH_MAX_BYTES];
	struct node *node;
};

struct names {
	struct name *items;
	size_t count, capacity;
};

enum name_change_kind { NAME_ADD, NAME_REMOVE, NAME_RENAME };

struct name_change {
	enum name_change_kind kind;
	char folder[PATH_MAX_BYTES];
	char path[PATH_MAX_BYTES];
	char target[PATH_MAX_BYTES];
	struct node *node;
};

struct handle {
	struct node *node;
};

struct simulated_disk {
	struct disk port;
	pthread_mutex_t lock;
	struct names current, durable;
	struct name_change *changes; /* of names, in order */
	size_t change_count, change_capacity;
	struct handle handles[HANDLES_MAX];
	uint64_t operations, cut_at, fail_at, limit_bytes;
	enum simulated_fault fault;
	bool is_locked;
};

static void *must(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "simulated disk: no memory\n");
		abort();
	}
	return memory;
}

static void *grow(void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity == 0 ? 8 : 2 * *capacity;
	return must(reallocarray(items, *capacity, size));
}

/* --- images ---------------------------------------------------------------- */

static void image_resize(struct image *image, size_t size)
{
	if (size > image->capacity) {
		image->capacity = size < 2 * image->capacity ? 2 * image->capacity : size;
		image->bytes = must(realloc(image->bytes, image->capacity));
	}
	if (size > image->size)
		memset(image->bytes + image->size, 0, size - image->size);
	image->size = size;
}

static void image_write(struct image *image, uint64_t offset, const uint8_t *bytes, size_t size)
{
	if (size == 0)
		return;
	if (offset + size > image->size)
		image_resize(image, (size_t)offset + size);
	memcpy(image->bytes + offset, bytes, size);
}

static void image_copy(struct image *to, const struct image *from)
{
	image_resize(to, from->size);
	if (from->size > 0)
		memcpy(to->bytes, from->bytes, from->size);
}

static void image_change(struct image *image, const struct change *change)
{
	if (change->bytes == NULL)
		image_resize(image, (size_t)change->offset);
	else
		image_write(image, change->offset, change->bytes, change->size);
}

/* --- nodes ----------------------------------------------------------------- */

static void node_clear_changes(struct node *node)
{
	for (size_t i = 0; i < node->change_count; i++)
		free(node->changes[i].bytes);
	node->change_count = 0;
}

static void node_release(struct node *node)
{
	if (--node->references > 0)
		return;
	node_clear_changes(node);
	free(node->changes);
	free(node->current.bytes);
	free(node->durable.bytes);
	free(node);
}

static struct node *node_create(bool is_folder)
{
	struct node *node = must(calloc(1, sizeof *node));

	node->is_folder = is_folder;
	return node;
}

static void node_note(struct node *node, uint64_t offset, const uint8_t *bytes, size_t size)
{
	struct change *change;

	node->changes = grow(
		node->changes, node->change_count, &node->change_capacity, sizeof *node->changes);
	change = &node->changes[node->change_count++];
	*change = (struct change){.offset = offset, .size = size};
	if (bytes != NULL) {
		change->bytes = must(malloc(size + 1));
		memcpy(change->bytes, bytes, size);
	}
	image_change(&node->current, change);
}

static void node_sync(struct node *node)
{
	for (size_t i = 0; i < node->change_count; i++)
		image_change(&node->durable, &node->changes[i]);
	node_clear_changes(node);
}

/* --- names ----------------------------------------------------------------- */

static struct name *names_find(const struct names *names, const char *path)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->items[i].path, path) == 0)
			return &names->items[i];
	}
	return NULL;
}

static void names_remove(struct names *names, const char *path)
{
	struct name *name = names_find(names, path);

	if (name == NULL)
		return;
	node_release(name->node);
	*name = names->items[--names->count];
}

static void names_set(struct names *names, const char *path, struct node *node)
{
	struct name *name;

	node->references++;
	names_remove(names, path);
	names->items = grow(names->items, names->count, &names->capacity, sizeof *names->items);
	name = &names->items[names->count++];
	(void)snprintf(name->path, sizeof name->path, "%s", path);
	name->node = node;
}

static void names_apply(struct names *names, const struct name_change *change)
{
	struct name *name;

	switch (change->kind) {
	case NAME_ADD: names_set(names, change->path, change->node); break;
	case NAME_REMOVE: names_remove(names, change->path); break;
	case NAME_RENAME:
		name = names_find(names, change->path);
		if (name != NULL)
			names_set(names, change->target, name->node);
		else
			names_set(names, change->target, change->node);
		names_remove(names, change->path);
		break;
	}
}

static void folder_of(char out[PATH_MAX_BYTES], const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		(void)snprintf(out, PATH_MAX_BYTES, ".");
	else
		(void)snprintf(out, PATH_MAX_BYTES, "%.*s", (int)(slash - path), path);
}

static void note_name(struct simulated_disk *disk, struct name_change change)
{
	change.node->references++;
	folder_of(change.folder, change.kind == NAME_RENAME ? change.target : change.path);
	disk->changes = grow(
		disk->changes, disk->change_count, &disk->change_capacity, sizeof *disk->changes);
	disk->changes[disk->change_count++] = change;
	names_apply(&disk->current, &change);
}

/* Makes the first keep changes of the folder durable and forgets all of them. */
static void settle_folder(struct simulated_disk *disk, const char *folder, size_t keep)
{
	size_t left = 0, seen = 0;

	for (size_t i = 0; i < disk->change_count; i++) {
		struct name_change *change = &disk->changes[i];

		if (strcmp(change->folder, folder) != 0) {
			disk->changes[left++] = *change;
			continue;
		}
		if (seen++ < keep)
			names_apply(&disk->durable, change);
		node_release(change->node);
	}
	disk->change_count = left;
}

/* --- the port ---------------------------------------------------------------- */

static bool fail(struct error *err, int number, const char *path)
{
	error_set(err, number == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "simulated: %s: %s", path,
		strerror(number));
	err->os_errno = number;
	return false;
}

/* Counts the operation; false if it shall fail.  Takes the lock either way. */
static bool begin(struct simulated_disk *disk, const char *what, struct error *err)
{
	uint64_t number;

	if (simulated_disk_guard != NULL)
		simulated_disk_guard(true);
	pthread_mutex_lock(&disk->lock);
	number = ++disk->operations;
	if (disk->cut_at != 0 && number >= disk->cut_at)
		return fail(err, EIO, what);
	if (disk->fail_at == number && disk->fault != SIMULATED_NO_FAULT)
		return fail(err, disk->fault == SIMULATED_ENOSPC ? ENOSPC : EIO, what);
	return true;
}

static bool end(struct simulated_disk *disk, bool ok)
{
	pthread_mutex_unlock(&disk->lock);
	if (simulated_disk_guard != NULL)
		simulated_disk_guard(false);
	return ok;
}

static struct node *node_of(const struct simulated_disk *disk, int file)
{
	if (file < 0 || file >= HANDLES_MAX || disk->handles[file].node == NULL) {
		fprintf(stderr, "simulated disk: a file that is not open\n");
		abort();
	}
	return disk->handles[file].node;
}

static bool folder_exists(const struct simulated_disk *disk, const char *folder)
{
	const struct name *name = names_find(&disk->current, folder);

	return strcmp(folder, ".") == 0 || (name != NULL && name->node->is_folder);
}

static bool open_node(struct simulated_disk *disk, const char *path, enum disk_mode mode,
	struct node **out, struct error *err)
{
	bool writes = mode == DISK_WRITE || mode == DISK_REPLACE;
	struct name *name = names_find(&disk->current, path);
	char folder[PATH_MAX_BYTES];

	folder_of(folder, path);
	if (name == NULL && (!writes || !folder_exists(disk, folder)))
		return fail(err, ENOENT, path);
	if (name == NULL) {
		struct name_change change = {.kind = NAME_ADD, .node = node_create(false)};

		(void)snprintf(change.path, sizeof change.path, "%s", path);
		note_name(disk, change);
		name = names_find(&disk->current, path);
	}
	if (mode == DISK_REPLACE && name->node->current.size > 0)
		node_note(name->node, 0, NULL, 0);
	*out = name->node;
	return true;
}

static bool sim_open(
	void *context, const char *path, enum disk_mode mode, int *file, struct error *err)
{
	struct simulated_disk *disk = context;
	struct node *node;

	*file = -1;
	if (!begin(disk, path, err) || !open_node(disk, path, mode, &node, err))
		return end(disk, false);
	for (int i = 0; i < HANDLES_MAX && *file < 0; i++) {
		if (disk->handles[i].node == NULL)
			*file = i;
	}
	if (*file < 0)
		abort();
	node->references++;
	disk->handles[*file].node = node;
	return end(disk, true);
}

static void sim_close(void *context, int file)
{
	struct simulated_disk *disk = context;

	pthread_mutex_lock(&disk->lock);
	node_release(node_of(disk, file));
	disk->handles[file].node = NULL;
	pthread_mutex_unlock(&disk->lock);
}

static bool sim_size(void *context, int file, uint64_t *out_bytes, struct error *err)
{
	struct simulated_disk *disk = context;

	if (!begin(disk, "size", err))
		return end(disk, false);
	*out_bytes = node_of(disk, file)->current.size;
	return end(disk, true);
}

static bool sim_read(void *context, struct disk_place from, void *out, size_t size, size_t *got,
	struct error *err)
{
	struct simulated_disk *disk = context;
	const struct image *image;

	*got = 0;
	if (!begin(disk, "read", err))
		return end(disk, false);
	image = &node_of(disk, from.file)->current;
	if (from.offset < image->size)
		*got = image->size - from.offset < size ? (size_t)(image->size - from.offset)
							: size;
	if (*got > 0)
		memcpy(out, image->bytes + from.offset, *got);
	return end(disk, true);
}

static uint64_t all_bytes(const struct simulated_disk *disk)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < disk->current.count; i++)
		sum += disk->current.items[i].node->current.size;
	return sum;
}

static bool sim_write(
	void *context, struct disk_place to, const void *bytes, size_t size, struct error *err)
{
	struct simulated_disk *disk = context;
	struct node *node;
	bool ok = begin(disk, "write", err);

	node = node_of(disk, to.file);
	if (!ok && disk->fault == SIMULATED_SHORT_WRITE && disk->fail_at == disk->operations)
		node_note(node, to.offset, bytes, size / 2);
	if (ok && disk->limit_bytes > 0 && to.offset + size > node->current.size &&
		all_bytes(disk) + to.offset + size - node->current.size > disk->limit_bytes)
		ok = fail(err, ENOSPC, "write");
	if (ok)
		node_note(node, to.offset, bytes, size);
	return end(disk, ok);
}

static bool sim_sync(void *context, int file, struct error *err)
{
	struct simulated_disk *disk = context;
	struct node *node;
	bool ok = begin(disk, "sync", err);

	node = node_of(disk, file);
	if (ok)
		node_sync(node);
	else if (disk->cut_at == 0 || disk->operations < disk->cut_at)
		node_clear_changes(node); /* marked clean, and lost */
	return end(disk, ok);
}

static bool sim_truncate(void *context, int file, uint64_t size, struct error *err)
{
	struct simulated_disk *disk = context;

	if (!begin(disk, "truncate", err))
		return end(disk, false);
	node_note(node_of(disk, file), size, NULL, 0);
	return end(disk, true);
}

static bool sim_rename(void *context, const char *from, const char *to, struct error *err)
{
	struct simulated_disk *disk = context;
	struct name_change change = {.kind = NAME_RENAME};
	struct name *name;

	if (!begin(disk, from, err))
		return end(disk, false);
	name = names_find(&disk->current, from);
	if (name == NULL)
		return end(disk, fail(err, ENOENT, from));
	change.node = name->node;
	(void)snprintf(change.path, sizeof change.path, "%s", from);
	(void)snprintf(change.target, sizeof change.target, "%s", to);
	note_name(disk, change);
	return end(disk, true);
}

static bool sim_remove(void *context, const char *path, struct error *err)
{
	struct simulated_disk *disk = context;
	struct name_change change = {.kind = NAME_REMOVE};
	struct name *name;

	if (!begin(disk, path, err))
		return end(disk, false);
	name = names_find(&disk->current, path);
	if (name == NULL)
		return end(disk, fail(err, ENOENT, path));
	change.node = name->node;
	(void)snprintf(change.path, sizeof change.path, "%s", path);
	note_name(disk, change);
	return end(disk, true);
}

static bool sim_sync_dir(void *context, const char *path, struct error *err)
{
	struct simulated_disk *disk = context;

	if (!begin(disk, path, err))
		return end(disk, false);
	if (!folder_exists(disk, path))
		return end(disk, fail(err, ENOENT, path));
	settle_folder(disk, path, SIZE_MAX);
	return end(disk, true);
}

static bool sim_make_dir(void *context, const char *path, struct error *err)
{
	struct simulated_disk *disk = context;
	struct name_change change = {.kind = NAME_ADD};
	char folder[PATH_MAX_BYTES];

	if (!begin(disk, path, err))
		return end(disk, false);
	folder_of(folder, path);
	if (!folder_exists(disk, folder))
		return end(disk, fail(err, ENOENT, path));
	if (names_find(&disk->current, path) == NULL) {
		change.node = node_create(true);
		(void)snprintf(change.path, sizeof change.path, "%s", path);
		note_name(disk, change);
	}
	return end(disk, true);
}

static bool sim_list(void *context, const char *path, struct arena *arena, struct text **out_names,
	size_t *out_count, struct error *err)
{
	struct simulated_disk *disk = context;
	char folder[PATH_MAX_BYTES];

	*out_count = 0;
	if (!begin(disk, path, err))
		return end(disk, false);
	if (!folder_exists(disk, path))
		return end(disk, fail(err, ENOENT, path));
	*out_names = arena_array(arena, struct text, disk->current.count + 1);
	if (*out_names == NULL)
		return end(disk, error_set(err, ERROR_LIMIT, "no memory"));
	for (size_t i = 0; i < disk->current.count; i++) {
		const char *item = disk->current.items[i].path, *slash = strrchr(item, '/');

		folder_of(folder, item);
		if (strcmp(folder, path) != 0)
			continue;
		(*out_names)[*out_count] = text_copy(arena, text_of(slash ? slash + 1 : item));
		if ((*out_names)[(*out_count)++].data == NULL)
			return end(disk, error_set(err, ERROR_LIMIT, "no memory"));
	}
	return end(disk, true);
}

static bool sim_lock(void *context, const char *path, struct error *err)
{
	struct simulated_disk *disk = context;

	if (!begin(disk, path, err))
		return end(disk, false);
	disk->is_locked = true;
	return end(disk, true);
}

static const struct disk sim_port = {
	.open = sim_open,
	.close = sim_close,
	.size = sim_size,
	.read = sim_read,
	.write = sim_write,
	.sync = sim_sync,
	.truncate = sim_truncate,
	.rename = sim_rename,
	.remove = sim_remove,
	.sync_dir = sim_sync_dir,
	.make_dir = sim_make_dir,
	.list = sim_list,
	.lock = sim_lock,
};

/* --- for tests ------------------------------------------------------------------ */

struct simulated_disk *simulated_disk_create(void)
{
	struct simulated_disk *disk = must(calloc(1, sizeof *disk));

	disk->port = sim_port;
	disk->port.context = disk;
	pthread_mutex_init(&disk->lock, NULL);
	return disk;
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		node_release(names->items[i].node);
	free(names->items);
}

void simulated_disk_destroy(struct simulated_disk **disk)
{
	struct simulated_disk *closing = *disk;

	*disk = NULL;
	if (closing == NULL)
		return;
	for (size_t i = 0; i < closing->change_count; i++)
		node_release(closing->changes[i].node);
	for (int i = 0; i < HANDLES_MAX; i++) {
		if (closing->handles[i].node != NULL)
			node_release(closing->handles[i].node);
	}
	names_free(&closing->current);
	names_free(&closing->durable);
	free(closing->changes);
	pthread_mutex_destroy(&closing->lock);
	free(closing);
}

const struct disk *simulated_disk_port(struct simulated_disk *disk)
{
	return &disk->port;
}

uint64_t simulated_disk_operations(struct simulated_disk *disk)
{
	uint64_t operations;

	pthread_mutex_lock(&disk->lock);
	operations = disk->operations;
	pthread_mutex_unlock(&disk->lock);
	return operations;
}

void simulated_disk_cut_power_at(struct simulated_disk *disk, uint64_t at)
{
	pthread_mutex_lock(&disk->lock);
	disk->cut_at = at;
	pthread_mutex_unlock(&disk->lock);
}

bool simulated_disk_is_cut(struct simulated_disk *disk)
{
	bool is_cut;

	pthread_mutex_lock(&disk->lock);
	is_cut = disk->cut_at != 0 && disk->operations >= disk->cut_at;
	pthread_mutex_unlock(&disk->lock);
	return is_cut;
}

void simulated_disk_fail_at(struct simulated_disk *disk, uint64_t at, enum simulated_fault fault)
{
	pthread_mutex_lock(&disk->lock);
	disk->fail_at = at;
	disk->fault = fault;
	pthread_mutex_unlock(&disk->lock);
}

void simulated_disk_limit_bytes(struct simulated_disk *disk, uint64_t limit)
{
	pthread_mutex_lock(&disk->lock);
	disk->limit_bytes = limit;
	pthread_mutex_unlock(&disk->lock);
}

uint64_t simulated_disk_bytes(struct simulated_disk *disk)
{
	uint64_t bytes;

	pthread_mutex_lock(&disk->lock);
	bytes = all_bytes(disk);
	pthread_mutex_unlock(&disk->lock);
	return bytes;
}

/* splitmix64 */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

/* Keeps each sector of the change or loses it; a whole one or nothing at times. */
static void crash_change(struct image *image, const struct change *change, uint64_t *random)
{
	uint64_t mood = random_next(random) % 4;
	size_t done = 0;

	if (mood == 0)
		return;
	if (mood == 1 || change->bytes == NULL) {
		image_change(image, change);
		return;
	}
	while (done < change->size) {
		uint64_t at = change->offset + done;
		size_t step = (size_t)(SECTOR_BYTES - at % SECTOR_BYTES);

		step = step < change->size - done ? step : change->size - done;
		if (random_next(random) & 1)
			image_write(image, at, change->bytes + done, step);
		done += step;
	}
}

/* random NULL: nothing unsynced is kept. */
static struct node *crash_node(const struct node *node, uint64_t *random)
{
	struct node *survivor = node_create(node->is_folder);

	image_copy(&survivor->durable, &node->durable);
	for (size_t i = 0; random != NULL && i < node->change_count; i++)
		crash_change(&survivor->durable, &node->changes[i], random);
	image_copy(&survivor->current, &survivor->durable);
	return survivor;
}

/* A name survives only with all the folders above it. */
static bool path_is_rooted(const struct names *names, const char *path)
{
	char folder[PATH_MAX_BYTES];
	const struct name *name;

	folder_of(folder, path);
	if (strcmp(folder, ".") == 0)
		return true;
	name = names_find(names, folder);
	return name != NULL && name->node->is_folder && path_is_rooted(names, folder);
}

static void copy_names(struct names *to, const struct names *from)
{
	for (size_t i = 0; i < from->count; i++)
		names_set(to, from->items[i].path, from->items[i].node);
}

/* The durable names, and of each folder's changes a prefix. */
static void crash_names(const struct simulated_disk *disk, struct names *out, uint64_t *random)
{
	copy_names(out, &disk->durable);
	for (size_t i = 0; i < disk->change_count; i++) {
		bool is_first = true;
		uint64_t keep = 0;

		for (size_t j = 0; j < i && is_first; j++)
			is_first = strcmp(disk->changes[j].folder, disk->changes[i].folder) != 0;
		if (!is_first)
			continue;
		keep = random_next(random) % 4 == 0 ? UINT64_MAX : random_next(random) % 4;
		for (size_t j = i; j < disk->change_count && keep > 0; j++) {
			if (strcmp(disk->changes[j].folder, disk->changes[i].folder) != 0)
				continue;
			names_apply(out, &disk->changes[j]);
			keep--;
		}
	}
}

/* Fills after with the files of these names. */
static void keep_files(struct simulated_disk *after, const struct names *kept, uint64_t *random)
{
	for (size_t i = 0; i < kept->count; i++) {
		const struct name *name = &kept->items[i];
		struct node *node;

		if (!path_is_rooted(kept, name->path))
			continue;
		node = crash_node(name->node, random);
		names_set(&after->current, name->path, node);
		names_set(&after->durable, name->path, node);
	}
}

struct simulated_disk *simulated_disk_after_crash(struct simulated_disk *disk, uint64_t seed)
{
	struct simulated_disk *after = simulated_disk_create();
	struct names kept = {0};

	pthread_mutex_lock(&disk->lock);
	crash_names(disk, &kept, &seed);
	keep_files(after, &kept, &seed);
	names_free(&kept);
	after->limit_bytes = disk->limit_bytes;
	pthread_mutex_unlock(&disk->lock);
	return after;
}

struct simulated_disk *simulated_disk_durable(struct simulated_disk *disk)
{
	struct simulated_disk *durable = simulated_disk_create();

	pthread_mutex_lock(&disk->lock);
	keep_files(durable, &disk->durable, NULL);
	pthread_mutex_unlock(&disk->lock);
	return durable;
}

bool simulated_disk_has_durable(
	struct simulated_disk *disk, const char *prefix, const void *bytes, size_t size)
{
	bool found = false;

	pthread_mutex_lock(&disk->lock);
	for (size_t i = 0; i < disk->durable.count && !found; i++) {
		const struct name *name = &disk->durable.items[i];

		found = strncmp(name->path, prefix, strlen(prefix)) == 0 &&
			path_is_rooted(&disk->durable, name->path) && size > 0 &&
			name->node->durable.size > 0 &&
			memmem(name->node->durable.bytes, name->node->durable.size, bytes, size) !=
				NULL;
	}
	pthread_mutex_unlock(&disk->lock);
	return found;
}

bool simulated_disk_flip(
	struct simulated_disk *disk, const char *path, uint64_t offset, unsigned bit)
{
	struct name *name;
	bool ok;

	pthread_mutex_lock(&disk->lock);
	name = names_find(&disk->current, path);
	ok = name != NULL && offset < name->node->current.size;
	if (ok) {
		name->node->current.bytes[offset] ^= (uint8_t)(1U << bit);
		if (offset < name->node->durable.size)
			name->node->durable.bytes[offset] ^= (uint8_t)(1U << bit);
	}
	pthread_mutex_unlock(&disk->lock);
	return ok;
}

/* Files of an import, as items: a provider's own pages are turned into them here, on the
 * machine of whoever has the export, so that nothing of it but items reaches the daemon. */
#include "edges/cli/inventory_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum {
	PAGE_BYTES_MAX = 256 * 1024 * 1024,
	PAGES_ARENA_BYTES_MAX = 1024 * 1024 * 1024,
	CHUNK_BYTES = 64 * 1024,
};

static const struct json_limits page_limits = {
	.size_bytes = PAGE_BYTES_MAX, .depth = 64, .values = 40 * 1000 * 1000};

/* ---- which files ---- */

static int is_export(const struct dirent *entry)
{
	struct text name = text_of(entry->d_name);

	return entry->d_name[0] != '.' &&
	       (text_ends_with(name, ".json") || text_ends_with(name, ".jsonl"));
}

static bool add_file(struct cli_inventory_files *files, const char *path, struct error *err)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			strerror(errno));
	if (files->count == CLI_INVENTORY_FILES_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d files", CLI_INVENTORY_FILES_MAX);
	files->paths[files->count] = arena_copy_text(files->arena, path, strlen(path));
	if (files->paths[files->count] == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a path");
	files->count++;
	/* As old as the oldest of it. */
	if (files->oldest_utc_s == 0 || status.st_mtime < files->oldest_utc_s)
		files->oldest_utc_s = status.st_mtime;
	return true;
}

static bool add_folder(struct cli_inventory_files *files, const char *folder, struct error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_export, alphasort);
	bool ok = count >= 0;

	if (!ok)
		return error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		struct text path = text_format(files->arena, "%s/%s", folder, entries[i]->d_name);

		if (path.data == NULL)
			ok = error_set(err, ERROR_LIMIT, "no memory for a path");
		ok = ok && add_file(files, path.data, err);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

bool cli_inventory_open(
	struct cli_inventory_files *files, const char *const *paths, int count, struct error *err)
{
	*files = (struct cli_inventory_files){0};
	files->arena = arena_create(PAGES_ARENA_BYTES_MAX);
	if (files->arena != NULL)
		files->paths = arena_array(files->arena, const char *, CLI_INVENTORY_FILES_MAX);
	if (files->paths == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the files");
	for (int i = 0; i < count; i++) {
		struct stat status;
		bool is_folder = stat(paths[i], &status) == 0 && S_ISDIR(status.st_mode);

		if (!(is_folder ? add_folder(files, paths[i], err)
				: add_file(files, paths[i], err)))
			return false;
	}
	return files->count > 0 ||
	       error_set(err, ERROR_NOT_FOUND, "no file that ends with .json or .jsonl");
}

void cli_inventory_close(struct cli_inventory_files *files)
{
	inventory_collector_destroy(&files->collector);
	arena_destroy(&files->arena);
}

/* ---- pages of a provider ---- */

static bool read_whole(struct arena *arena, const char *path, struct text *out, struct error *err)
{
	struct stat status;
	char *content = NULL;
	bool ok = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			strerror(errno));
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > PAGE_BYTES_MAX)
		error_set(err, ERROR_LIMIT, "%s: is not a file of at most %d bytes", path,
			PAGE_BYTES_MAX);
	else if ((content = arena_alloc(arena, (size_t)status.st_size + 1, 1)) == NULL)
		error_set(err, ERROR_LIMIT, "%s: no memory to read it", path);
	else
		ok = file_read_all(fd, content, (size_t)status.st_size, &out->length) ||
		     error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
	close(fd);
	out->data = content;
	return ok;
}

static bool read_json(struct arena *arena, const char *path, struct json *out, struct error *err)
{
	struct text content;

	if (!read_whole(arena, path, &content, err))
		return false;
	return json_parse(out, arena, content, &page_limits, err) || error_wrap(err, "%s", path);
}

bool cli_inventory_convert(struct cli_inventory_files *files, enum inventory_provider provider,
	const char *people, struct inventory_notes *notes, struct error *err)
{
	struct inventory_page *pages =
		arena_array(files->arena, struct inventory_page, files->count);
	struct json *values = arena_array(files->arena, struct json, files->count);
	struct inventory_export export = {
		.provider = provider, .pages = pages, .pages_count = files->count};
	struct json names;

	if (pages == NULL || values == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the files");
	if (people != NULL) {
		if (!read_json(files->arena, people, &names, err))
			return false;
		export.people = &names;
	}
	for (size_t i = 0; i < files->count; i++) {
		if (!read_json(files->arena, files->paths[i], &values[i], err))
			return false;
		pages[i] = (struct inventory_page){text_of(files->paths[i]), &values[i]};
	}
	return inventory_collector_create(&files->collector, err) &&
	       inventory_convert(&export, files->collector, files->arena, notes, err);
}

/* ---- lines ---- */

struct cut {
	bool (*visit)(void *context, struct text line, struct error *err);
	void *context;
	struct buffer line;
};

static bool write_item(void *context, const struct inventory_item *item, struct error *err)
{
	struct cut *cut = context;

	buffer_reset(&cut->line);
	inventory_item_write(&cut->line, item);
	return buffer_failed(&cut->line)
		       ? error_set(err, ERROR_LIMIT, "an item takes more than %d bytes",
				 INVENTORY_LINE_BYTES_MAX)
		       : cut->visit(cut->context, buffer_text(&cut->line), err);
}

/* Checked here already, so that what is wrong is said with its file. */
static bool take_line(struct cut *cut, const char *path, uint64_t number, struct error *err)
{
	struct arena *arena = arena_create_small(4 * 1024 * 1024, 4096);
	struct inventory_item item;
	bool ok;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an item");
	ok = inventory_item_parse(&item, arena, buffer_text(&cut->line), err);
	arena_destroy(&arena);
	ok = ok && cut->visit(cut->context, buffer_text(&cut->line), err);
	buffer_reset(&cut->line);
	return ok || error_wrap(err, "%s:%llu", path, (unsigned long long)number);
}

static bool take_chunk(
	struct cut *cut, const char *path, struct text chunk, uint64_t *number, struct error *err)
{
	while (chunk.length > 0) {
		ptrdiff_t end = text_find_byte(chunk, '\n');
		size_t length = end < 0 ? chunk.length : (size_t)end;

		buffer_append(&cut->line, chunk.data, length);
		chunk = text_after(chunk, length + (end >= 0));
		if (buffer_failed(&cut->line))
			return error_set(err, ERROR_LIMIT, "%s:%llu: an item has at most %d bytes",
				path, (unsigned long long)*number + 1, INVENTORY_LINE_BYTES_MAX);
		if (end < 0)
			return true;
		if (!take_line(cut, path, ++*number, err))
			return false;
	}
	return true;
}

static bool cut_file(struct cut *cut, const char *path, struct error *err)
{
	char chunk[CHUNK_BYTES];
	uint64_t number = 0;
	size_t size = 0;
	bool ok = true;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			strerror(errno));
	do {
		ok = file_read_all(fd, chunk, sizeof chunk, &size)
			     ? take_chunk(cut, path, (struct text){chunk, size}, &number, err)
			     : error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
	} while (ok && size == sizeof chunk);
	if (ok && cut->line.length > 0)
		ok = take_line(cut, path, number + 1, err);
	close(fd);
	return ok;
}

bool cli_inventory_each(struct cli_inventory_files *files,
	bool (*visit)(void *context, struct text line, struct error *err), void *context,
	struct error *err)
{
	struct cut cut = {.visit = visit, .context = context};
	bool ok = true;

	buffer_init(&cut.line, INVENTORY_LINE_BYTES_MAX);
	if (files->collector != NULL)
		ok = inventory_collector_each(files->collector, write_item, &cut, err);
	for (size_t i = 0; ok && files->collector == NULL && i < files->count; i++)
		ok = cut_file(&cut, files->paths[i], err);
	buffer_deinit(&cut.line);
	return ok;
}

/* Answers as they are kept: one object, members by question. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "edges/cli/register.h"

static const struct json_limits answers_limits = {
	.size_bytes = REGISTER_BYTES_MAX, .depth = 8, .values = 4096};

const struct json *register_answer(const struct registering *registering, const char *member)
{
	for (size_t i = 0; i < registering->answers_count; i++)
		if (strcmp(registering->answers[i].member, member) == 0)
			return &registering->answers[i].value;
	return NULL;
}

struct text register_text(const struct registering *registering, const char *member)
{
	const struct json *value = register_answer(registering, member);

	return value != NULL && value->type == JSON_STRING ? value->string : TEXT("");
}

static bool fail(struct registering *registering, const struct error *err)
{
	registering->status = cli_fail(registering->cli, err);
	return false;
}

bool register_put(struct registering *registering, const char *member, struct json value)
{
	struct error err;

	for (size_t i = 0; i < registering->answers_count; i++)
		if (strcmp(registering->answers[i].member, member) == 0) {
			registering->answers[i].value = value;
			return true;
		}
	if (registering->answers_count == REGISTER_ANSWERS_MAX) {
		error_set(&err, ERROR_LIMIT, "more than %d answers", REGISTER_ANSWERS_MAX);
		return fail(registering, &err);
	}
	registering->answers[registering->answers_count++] =
		(struct register_answer){member, value};
	return true;
}

/* ---- the file ---- */

static bool take(struct registering *registering, const struct json *object)
{
	struct error err;

	if (object->type != JSON_OBJECT) {
		error_set(&err, ERROR_INVALID, "%s: answers are an object, {\"name\": ...}",
			registering->path);
		return fail(registering, &err);
	}
	for (uint32_t i = 0; i < object->count; i++) {
		struct text name = text_copy(registering->cli->arena, object->members[i].name);

		if (name.data == NULL ||
			!register_put(registering, name.data, object->members[i].value))
			return false;
	}
	return true;
}

bool register_load(struct registering *registering)
{
	char *bytes;
	struct json object;
	struct error err = {0};
	size_t length = 0;
	int file;
	bool ok;

	if (registering->path == NULL)
		return true;
	file = open(registering->path, O_RDONLY | O_CLOEXEC);
	if (file < 0 && errno == ENOENT)
		return true;
	bytes = arena_array(registering->cli->arena, char, REGISTER_BYTES_MAX + 1);
	ok = file >= 0 && bytes != NULL &&
	     file_read_all(file, bytes, REGISTER_BYTES_MAX + 1, &length);
	if (!ok)
		error_set(&err, ERROR_IO, "%s: %s", registering->path, strerror(errno));
	if (file >= 0)
		(void)close(file);
	if (!ok)
		return fail(registering, &err);
	if (!json_parse(&object, registering->cli->arena, (struct text){bytes, length},
		    &answers_limits, &err)) {
		error_wrap(&err, "%s", registering->path);
		return fail(registering, &err);
	}
	return take(registering, &object);
}

/* The folder of path, opened, and what follows it. */
static int open_folder(const char *path, const char **out_name)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	*out_name = slash == NULL ? path : slash + 1;
	if (slash == NULL)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if ((size_t)(slash - path) + 1 >= sizeof folder)
		return -1;
	memcpy(folder, path, (size_t)(slash - path) + 1);
	folder[slash - path + 1] = '\0';
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool register_save(struct registering *registering)
{
	struct json_builder object;
	struct json sealed;
	struct text written;
	const char *name;
	struct error err;
	int folder;
	bool ok;

	if (registering->path == NULL)
		return true;
	json_object_start(&object, registering->cli->arena);
	for (size_t i = 0; i < registering->answers_count; i++)
		json_put_named(&object, text_of(registering->answers[i].member),
			registering->answers[i].value);
	if (!json_object_seal(&object, &sealed, &err))
		return fail(registering, &err);
	written = json_canonical_text(registering->cli->arena, &sealed);
	folder = open_folder(registering->path, &name);
	if (folder < 0) {
		error_set(&err, ERROR_IO, "%s: %s", registering->path, strerror(errno));
		return fail(registering, &err);
	}
	ok = written.data != NULL && file_put(folder, name, written, &err);
	(void)close(folder);
	return ok || fail(registering, &err);
}

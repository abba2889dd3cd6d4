/* Filters, paths, changes and tables of strangers.  The first byte says which: f a filter, p a
 * path, c a table; else a JSON document {"resource": ..., "patch": ...}.  Laws: what is refused has
 * a status; a filter that is taken holds or not, and its negation is the other; what a change makes
 * is read again as it is; a table's rows are in order of their lines. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "domain/scim/csv.h"

enum { ROOM_BYTES = 1 << 24, NEGATED_BYTES = SCIM_FILTER_BYTES_MAX + 8 };

static const char person[] =
	"{\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":\"ana\",\"active\":true,\"emails\":["
	"{\"value\":\"a@b\",\"type\":\"work\",\"primary\":true},{\"value\":\"c@d\"}],\"name\":{"
	"\"givenName\":\"A\"}}";

static void check_filter(struct arena *arena, struct text text)
{
	const struct scim_filter *filter, *negated;
	struct scim_fault fault = {0};
	char other[NEGATED_BYTES];
	struct json resource;
	struct error err;
	int length;

	if (!scim_filter_parse(&filter, arena, &scim_user_type, text, &fault)) {
		assert(fault.status == 400 || fault.status == 503);
		return;
	}
	if (!json_parse(&resource, arena, text_of(person), &json_limits_default, &err))
		return;
	length = snprintf(other, sizeof other, "not (%.*s)", TEXT_ARGS(text));
	if (length < 0 || (size_t)length >= sizeof other ||
		!scim_filter_parse(&negated, arena, &scim_user_type,
			(struct text){other, (size_t)length}, &fault))
		return; /* longer or deeper than may be */
	assert(scim_filter_holds(filter, &resource) != scim_filter_holds(negated, &resource));
}

static void check_path(struct arena *arena, struct text text)
{
	struct scim_fault fault = {0};
	struct scim_path path;

	if (scim_path_parse(&path, arena, &scim_user_type, text, &fault))
		assert(path.schema != NULL);
	else
		assert(fault.status == 400 || fault.status == 503);
}

static void check_table(struct arena *arena, struct text text)
{
	struct scim_fault fault = {0};
	const struct csv_row *rows;
	size_t count;

	if (!csv_people_read(&rows, &count, arena, text, &fault)) {
		assert(fault.status == 400 || fault.status == 413 || fault.status == 503);
		return;
	}
	for (size_t i = 1; i < count; i++)
		assert(rows[i].line > rows[i - 1].line);
}

static void check_patch(struct arena *arena, struct text text)
{
	struct json document, before, after, again;
	struct scim_fault fault = {0};
	const struct json *resource, *patch;
	struct error err;

	if (!json_parse(&document, arena, text, &json_limits_default, &err))
		return;
	resource = json_find(&document, "resource");
	patch = json_find(&document, "patch");
	if (resource == NULL || patch == NULL ||
		!scim_resource_read(&before, arena, &scim_user_type, resource, &fault))
		return;
	assert(scim_resource_read(&again, arena, &scim_user_type, &before, &fault) &&
		json_equal(&again, &before));
	if (!scim_patch(&after, arena, &scim_user_type, &before, patch, &fault)) {
		assert(fault.status != 0);
		return;
	}
	assert(scim_resource_read(&again, arena, &scim_user_type, &after, &fault) &&
		json_equal(&again, &after));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct text rest = {(const char *)data + 1, size == 0 ? 0 : size - 1};

	if (arena == NULL || size == 0)
		goto done;
	switch (data[0]) {
	case 'f': check_filter(arena, rest); break;
	case 'p': check_path(arena, rest); break;
	case 'c': check_table(arena, rest); break;
	default: check_patch(arena, (struct text){(const char *)data, size}); break;
	}
done:
	arena_destroy(&arena);
	return 0;
}

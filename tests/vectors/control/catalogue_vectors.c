/* The product's table of controls beside the catalogue it was made from: the same ids, and each
 * id of a framework at its version.
 *
 * catalogue-vectors FOLDER, which holds controls.json and frameworks.json, or else its namesake
 * beside $REMIT_VECTORS. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "domain/control/catalogue.h"

enum { EXIT_SKIPPED = 77, FILE_BYTES_MAX = 4 << 20, PATH_BYTES = 4096 };

static unsigned failed, passed;

static void fail(const char *what, struct text one, struct text two)
{
	failed++;
	fprintf(stderr, "%s: %.*s %.*s\n", what, TEXT_ARGS(one), TEXT_ARGS(two));
}

static bool read_json(struct arena *arena, const char *folder, const char *name, struct json *out)
{
	const struct json_limits limits = {
		.size_bytes = FILE_BYTES_MAX, .depth = 16, .values = 200000};
	char path[PATH_BYTES];
	struct error err;
	FILE *file;
	char *bytes = arena_alloc(arena, FILE_BYTES_MAX, 1);
	size_t size;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL || bytes == NULL)
		return false;
	size = fread(bytes, 1, FILE_BYTES_MAX, file);
	(void)fclose(file);
	if (!json_parse(out, arena, (struct text){bytes, size}, &limits, &err)) {
		fprintf(stderr, "%s: %s\n", path, err.text);
		exit(1);
	}
	return true;
}

/* A version as published says more behind it: "1.1 (247 objectives ...". */
static bool is_version(struct text published, struct text ours)
{
	return published.length >= ours.length &&
	       memcmp(published.data, ours.data, ours.length) == 0 &&
	       (published.length == ours.length || strchr(" ;", published.data[ours.length]));
}

static bool has_id(
	const struct catalogue *catalogue, const struct control *control, const struct json *from)
{
	struct text name = json_text_or(from, "framework", "");
	struct text id = json_text_or(from, "id", "");

	(void)catalogue;
	for (uint32_t i = 0; i < control->maps_count; i++)
		if (text_equal(control->maps[i].framework->name, name) &&
			is_version(json_text_or(from, "version", ""),
				control->maps[i].framework->version) &&
			text_equal(framework_id_text(&control->maps[i]), id))
			return true;
	for (uint32_t i = 0; i < control->cites_count; i++)
		if (text_is(name, "SOURCE-CITATION") && text_equal(control->cites[i]->cited, id))
			return true;
	return false;
}

static void compare_control(const struct catalogue *catalogue, const struct json *from)
{
	struct text id = json_text_or(from, "id", "");
	const struct control *control = catalogue_find(catalogue, id);
	const struct json *frameworks = json_find(from, "frameworks");

	if (control == NULL) {
		fail("not in the product", id, TEXT(""));
		return;
	}
	if (!text_equal(control->family, json_text_or(from, "family", "")))
		fail("another family", id, control->family);
	for (uint32_t i = 0; i < frameworks->count; i++)
		if (!has_id(catalogue, control, &frameworks->items[i]))
			fail("not mapped", id, json_text_or(&frameworks->items[i], "id", ""));
		else
			passed++;
	if (frameworks->count != control->maps_count + control->cites_count)
		fail("mapped to more", id, TEXT(""));
}

static bool is_published(const struct json *list, const struct framework *framework, uint32_t at)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (text_equal(json_text_or(&list->items[i], "framework", ""), framework->name) &&
			is_version(
				json_text_or(&list->items[i], "version", ""), framework->version) &&
			text_equal(json_text_or(&list->items[i], "id", ""), framework->ids[at]))
			return framework->titles == NULL ||
			       text_equal(json_text_or(&list->items[i], "title", ""),
				       framework->titles[at]);
	return false;
}

static void compare_frameworks(const struct catalogue *catalogue, const struct json *list)
{
	const struct framework *framework = catalogue_next_framework(catalogue, NULL);

	for (; framework != NULL; framework = catalogue_next_framework(catalogue, framework))
		for (uint32_t i = 0; i < framework->ids_count; i++)
			if (is_published(list, framework, i))
				passed++;
			else
				fail("not published", framework->name, framework->ids[i]);
}

int main(int argc, char **argv)
{
	const char *vectors = getenv("REMIT_VECTORS");
	struct arena *arena = arena_create(64 << 20);
	struct json controls, frameworks;
	struct catalogue *catalogue;
	char moved[PATH_BYTES];
	struct error err;

	if (argc != 2 || arena == NULL)
		return 2;
	if (access(argv[1], R_OK) != 0 && vectors != NULL) {
		(void)snprintf(moved, sizeof moved, "%s/../controls", vectors);
		argv[1] = moved;
	}
	if (!read_json(arena, argv[1], "controls.json", &controls) ||
		!read_json(arena, argv[1], "frameworks.json", &frameworks)) {
		fprintf(stderr, "skipped: there is no %s\n", argv[1]);
		return EXIT_SKIPPED;
	}
	if (!catalogue_create(&catalogue, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (json_find(&controls, "controls")->count != catalogue_count(catalogue))
		fail("another number of controls", TEXT(""), TEXT(""));
	for (uint32_t i = 0; i < json_find(&controls, "controls")->count; i++)
		compare_control(catalogue, &json_find(&controls, "controls")->items[i]);
	compare_frameworks(catalogue, &frameworks);
	printf("%u passed, %u failed\n", passed, failed);
	catalogue_destroy(&catalogue);
	arena_destroy(&arena);
	return failed > 0;
}

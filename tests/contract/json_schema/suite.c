/* Runs a folder of the JSON-Schema-Test-Suite.  Usage: json-schema-suite FOLDER DIALECT
 *
 * A schema that is refused counts neither way, and must be refused for what it refers to
 * outside of itself: nothing is ever loaded. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_schema.h"

enum { FILE_BYTES_MAX = 4 * 1024 * 1024, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

struct tally {
	const char *dialect;
	unsigned passed;
	unsigned failed;
	unsigned refused; /* schemas */
	unsigned refused_wrongly;
	unsigned unrun; /* tests of those */
};

static struct text read_whole(struct arena *arena, const char *path)
{
	char *bytes = arena_alloc(arena, FILE_BYTES_MAX, 1);
	FILE *file = fopen(path, "re");
	size_t length;

	if (bytes == NULL || file == NULL)
		abort();
	length = fread(bytes, 1, FILE_BYTES_MAX, file);
	(void)fclose(file);
	/* Our JSON holds no NUL: another control does for what is tested with it. */
	for (char *at = bytes; (at = strstr(at, "\\u0000")) != NULL;)
		at[5] = '1';
	return (struct text){bytes, length};
}

/* The schema of a group, which says its dialect. */
static struct json dialected(struct arena *arena, const struct json *schema, const char *dialect)
{
	struct json_builder members;
	struct json out;
	struct error err;
	uint32_t i;

	if (schema->type != JSON_OBJECT || json_find(schema, "$schema") != NULL)
		return *schema;
	json_object_start(&members, arena);
	json_put_cstring(&members, "$schema", dialect);
	for (i = 0; i < schema->count; i++)
		json_put_named(&members, schema->members[i].name, schema->members[i].value);
	if (!json_object_seal(&members, &out, &err))
		abort();
	return out;
}

static void run_tests(
	struct tally *tally, struct json_schema *schema, const struct json *group, const char *file)
{
	const struct json *tests = json_find(group, "tests");
	uint32_t i;

	for (i = 0; i < tests->count; i++) {
		const struct json *test = &tests->items[i];
		bool expected = json_boolean_or(test, "valid", false);
		struct json_schema_fault fault;
		enum json_schema_result result =
			json_schema_validate(schema, json_find(test, "data"), &fault);

		if (result == (expected ? JSON_SCHEMA_VALID : JSON_SCHEMA_INVALID)) {
			tally->passed++;
			continue;
		}
		tally->failed++;
		printf("%s: %.*s: %.*s: %s, got %d %s %s %s\n", file,
			TEXT_ARGS(json_text_or(group, "description", "")),
			TEXT_ARGS(json_text_or(test, "description", "")),
			expected ? "valid" : "invalid", (int)result, fault.pointer, fault.keyword,
			fault.text);
	}
}

static void run_group(
	struct tally *tally, struct arena *arena, const struct json *group, const char *file)
{
	struct json source = dialected(arena, json_find(group, "schema"), tally->dialect);
	struct json_schema *schema;
	struct error err = {0};

	if (json_schema_compile(&schema, &source, &err)) {
		run_tests(tally, schema, group, file);
		json_schema_destroy(&schema);
		return;
	}
	tally->refused++;
	tally->unrun += json_find(group, "tests")->count;
	if (strstr(err.text, "nothing is loaded") != NULL)
		return;
	tally->refused_wrongly++;
	printf("%s: %.*s: refused: %s\n", file, TEXT_ARGS(json_text_or(group, "description", "")),
		err.text);
}

static void run_file(struct tally *tally, const char *folder, const char *name)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	struct error err = {0};
	struct json groups;
	char path[4096];
	uint32_t i;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	if (arena == NULL ||
		!json_parse(&groups, arena, read_whole(arena, path), &json_limits_default, &err)) {
		tally->refused_wrongly++;
		printf("%s: %s\n", name, err.text);
	}
	for (i = 0; i < groups.count; i++)
		run_group(tally, arena, &groups.items[i], name);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	struct tally tally = {0};
	struct dirent *entry;
	DIR *folder;

	if (argc != 3)
		return 2;
	tally.dialect = argv[2];
	folder = opendir(argv[1]);
	if (folder == NULL)
		return 2;
	while ((entry = readdir(folder)) != NULL)
		if (text_ends_with(text_of(entry->d_name), ".json"))
			run_file(&tally, argv[1], entry->d_name);
	(void)closedir(folder);
	printf("%s: %u passed, %u failed; %u schemas refused for what they would load "
	       "(%u tests), %u for another reason\n",
		argv[2], tally.passed, tally.failed, tally.refused - tally.refused_wrongly,
		tally.unrun, tally.refused_wrongly);
	return tally.failed > 0 || tally.refused_wrongly > 0 || tally.passed < 500;
}

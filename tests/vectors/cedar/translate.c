/* cedar-translate --vectors FOLDER
 *
 * Holds the JSON policy format against what Cedar's own tool wrote for each policy
 * of the corpus (translate-4.10.jsonl.zst): the policy's text as JSON is that JSON,
 * and that JSON read and written again is itself.  All of them are looked at, but for
 * those whose numbers cannot be read.  FOLDER (or $REMIT_VECTORS) holds cedar.
 * Exit 77 if it is absent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cedar/document.h"
#include "cedar_files.h"
#include "remit/cedar.h"

enum { LINES = 3961, ROUNDED = 20 }; /* of the file */
enum { EXIT_SKIPPED = 77, ARENA_BYTES_MAX = 256 << 20, PATH_BYTES = 2 * FILES_PATH_BYTES };

struct totals {
	unsigned long passed;
	unsigned long failed;
	unsigned long rounded; /* lines whose numbers the tool rounded beyond 64 bits */
};

/* The tool that wrote the file held numbers as doubles and wrote their shortest
 * decimals, so it rounded what is beyond 2^53; what it did not round must be equal. */
static bool same_integer(int64_t a, int64_t b)
{
	const int64_t exact_max = INT64_C(1) << 53;

	if (a > -exact_max && a < exact_max)
		return a == b;
	return (double)a == (double)b;
}

/* The order of members says nothing. */
static bool same(const struct document *a, const struct document *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case DOCUMENT_NULL: return true;
	case DOCUMENT_BOOLEAN: return a->boolean == b->boolean;
	case DOCUMENT_INTEGER: return same_integer(a->integer, b->integer);
	case DOCUMENT_STRING: return cedar_text_equal(a->string, b->string);
	case DOCUMENT_ARRAY:
	case DOCUMENT_OBJECT: break;
	}
	if (a->count != b->count)
		return false;
	b = b->first;
	for (const struct document *part = a->first; part != NULL; part = part->next) {
		const struct document *other = b;

		while (a->type == DOCUMENT_OBJECT && other != NULL &&
			!cedar_text_equal(other->name, part->name))
			other = other->next;
		if (other == NULL || !same(part, other))
			return false;
		if (a->type == DOCUMENT_ARRAY)
			b = b->next;
	}
	return true;
}

static bool same_json(struct arena *arena, struct cedar_text json, const struct document *expected)
{
	struct cedar_error err;
	struct document *document;

	return json.data != NULL &&
	       document_parse_deep(&document, arena, json, CEDAR_POLICY_JSON_DEPTH_MAX, &err) &&
	       same(document, expected);
}

/* From the start of the value of "est" to its closing bracket. */
static struct cedar_text slice_of(struct cedar_text line, const struct document *est)
{
	const char *end = memmem(line.data + est->at, line.length - est->at,
		",\"formatted\":", strlen(",\"formatted\":"));

	if (end == NULL)
		return (struct cedar_text){NULL, 0};
	return (struct cedar_text){line.data + est->at, (size_t)(end - (line.data + est->at))};
}

static bool check_text(struct arena *arena, struct cedar_text text, const struct document *est)
{
	struct cedar_policy_set *set;
	struct cedar_error err;
	bool ok = cedar_policy_set_parse(&set, text, NULL, &err);

	ok = ok &&
	     same_json(arena, cedar_policy_format_json(set, 0, (struct cedar_arena *)arena), est);
	cedar_policy_set_destroy(&set);
	return ok;
}

static bool check_json(struct arena *arena, struct cedar_text json, const struct document *est)
{
	struct cedar_policy_set *set;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};
	bool ok = cedar_policy_set_create(&set, &err) &&
		  cedar_policy_set_add_json(set, CEDAR_TEXT("p"), json, &err);

	if (!ok)
		(void)fprintf(stderr, "%u:%u: %s\n", err.line, err.column, err.text);
	ok = ok &&
	     same_json(arena, cedar_policy_format_json(set, 0, (struct cedar_arena *)arena), est);
	cedar_policy_set_destroy(&set);
	return ok;
}

static bool check_line(struct arena *arena, const char *corpus, struct cedar_text line)
{
	const struct document *id, *est;
	struct document *root;
	struct cedar_error err;
	char path[PATH_BYTES];
	struct cedar_text text;

	if (!document_parse_deep(&root, arena, line, CEDAR_POLICY_JSON_DEPTH_MAX, &err))
		return false;
	id = document_find(root, "id");
	est = document_find(root, "est");
	if (id == NULL || est == NULL)
		return false;
	(void)snprintf(path, sizeof path, "%s/corpus-tests/%.*s.cedar", corpus,
		(int)id->string.length, id->string.data);
	text = files_read(arena, path);
	if (text.data != NULL && check_text(arena, text, est) &&
		check_json(arena, slice_of(line, est), est))
		return true;
	printf("{\"failed\":\"%.*s\"}\n", (int)id->string.length, id->string.data);
	return false;
}

static bool is_rounded(struct arena *arena, struct cedar_text line)
{
	struct document *root;
	struct cedar_error err;

	return !document_parse_deep(&root, arena, line, CEDAR_POLICY_JSON_DEPTH_MAX, &err) &&
	       strstr(err.text, "beyond 64 bits") != NULL;
}

static void check_all(struct totals *totals, const char *lines_path, const char *corpus)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	FILE *lines = fopen(lines_path, "rb");
	char *line = NULL;
	size_t room = 0;
	ssize_t length = 0;

	while (arena != NULL && lines != NULL && (length = getline(&line, &room, lines)) > 0) {
		arena_reset(arena);
		if (is_rounded(arena, (struct cedar_text){line, (size_t)length}))
			totals->rounded++;
		else if (check_line(arena, corpus, (struct cedar_text){line, (size_t)length}))
			totals->passed++;
		else
			totals->failed++;
	}
	free(line);
	if (lines != NULL)
		(void)fclose(lines);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const char *below = getenv("REMIT_VECTORS");
	char corpus[FILES_PATH_BYTES], archive[PATH_BYTES], lines[PATH_BYTES];
	struct totals totals = {0, 0, 0};

	if (argc != 3 || strcmp(argv[1], "--vectors") != 0) {
		(void)fprintf(stderr, "usage: cedar-translate --vectors FOLDER\n");
		return 2;
	}
	below = below == NULL ? argv[2] : below;
	(void)snprintf(archive, sizeof archive, "%s/cedar/corpus-4.10.tar.zst", below);
	if (access(archive, F_OK) != 0) {
		printf("skipped: no vectors in %s\n", below);
		return EXIT_SKIPPED;
	}
	if (!files_unpack(archive, corpus)) {
		(void)fprintf(stderr, "cannot unpack %s\n", archive);
		return 1;
	}
	(void)snprintf(lines, sizeof lines, "%s/translate.jsonl", corpus);
	(void)snprintf(archive, sizeof archive, "%s/cedar/translate-4.10.jsonl.zst", below);
	if (files_unpack_one(archive, lines))
		check_all(&totals, lines, corpus);
	files_remove(corpus);
	printf("%lu passed, %lu failed, %lu rounded beyond reading\n", totals.passed, totals.failed,
		totals.rounded);
	return totals.passed == LINES - ROUNDED && totals.failed == 0 && totals.rounded == ROUNDED
		       ? 0
		       : 1;
}

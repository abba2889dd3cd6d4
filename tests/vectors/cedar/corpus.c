/* cedar-corpus [--only decide|validate] [--through json] [--drift FILE] PATH[=TESTS]...
 *
 * Runs tests in the layout of the Cedar integration corpus: NAME.json names
 * policies, entities and schema and lists requests with the expected decision,
 * reasons and errors.  PATH is a folder (searched to any depth) or a .tar.zst
 * archive, which tar unpacks into a temporary folder.  With --vectors, paths are
 * below FOLDER, or below $REMIT_VECTORS if that is set.
 *
 * Entities and contexts are read by the schema, and its actions join the store.
 * Deciding passes if every request gives the expected decision, the same set of
 * reasons and the same set of erring policies.  Validating passes if the policies
 * validate exactly if the test says so, the entities conform, and each request does.
 * FILE lists the tests that validate since 4.13, whatever they say; by the rule of
 * 4.10 they must not.  Through json, the policies that decide are those that the
 * policies as JSON are.  What is named and cannot be read, or holds no test, or not as
 * many as TESTS, fails, and so does a .json in it that is no JSON.
 * Exit 77: there is no such FOLDER, or nothing of what is named in it. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cedar/document.h"
#include "cedar/schema.h"
#include "cedar_files.h"
#include "remit/cedar.h"

enum {
	PATH_BYTES = 4096,
	FOLDERS_OPEN_MAX = 16,
	UP_MAX = 8,
	EXIT_SKIPPED = 77,
	ARENA_BYTES_MAX = 256 << 20,
};

enum only { ONLY_BOTH = 0, ONLY_DECIDE, ONLY_VALIDATE };

struct totals {
	enum only only;
	bool is_through_json;
	unsigned long tests, requests, failed_requests, passed, failed;
	struct cedar_text drift; /* names, one a line */
};

/* nftw has no closure; this program has one thread and one run. */
static struct totals totals;

struct test {
	const char *path;
	struct arena *arena;
	struct document_reader reader;
	const struct document *root;
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_schema *schema;
	struct cedar_error err;
	unsigned failed_requests;
	char note[512];
};

static struct cedar_text member_text(const struct document *object, const char *name)
{
	const struct document *member = document_find(object, name);

	if (member == NULL || member->type != DOCUMENT_STRING)
		return (struct cedar_text){NULL, 0};
	return member->string;
}

/* Names are relative to the folder the corpus was unpacked in: some folder above
 * the test. */
static struct cedar_text read_named(struct test *test, const char *member)
{
	struct cedar_text name = member_text(test->root, member), found = {NULL, 0};
	char folder[PATH_BYTES], path[2 * PATH_BYTES];

	(void)snprintf(folder, sizeof folder, "%s", test->path);
	for (int up = 0; up < UP_MAX && found.data == NULL && name.data != NULL; up++) {
		char *slash = strrchr(folder, '/');

		if (slash == NULL)
			break;
		*slash = '\0';
		(void)snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.length, name.data);
		found = files_read(test->arena, path);
	}
	return found;
}

static bool note(struct test *test, const char *what)
{
	(void)snprintf(test->note, sizeof test->note, "%s: %s", what, test->err.text);
	return false;
}

/* Replaces the set by what its JSON says. */
static bool pass_through_json(struct test *test)
{
	struct cedar_text json =
		cedar_policy_set_format_json(test->set, (struct cedar_arena *)test->arena);

	cedar_policy_set_destroy(&test->set);
	return json.data != NULL && cedar_policy_set_create(&test->set, &test->err) &&
	       cedar_policy_set_add_set_json(test->set, json, &test->err) &&
	       cedar_policy_set_seal(test->set, &test->err);
}

static bool load(struct test *test)
{
	struct cedar_text policies = read_named(test, "policies");
	struct cedar_text entities = read_named(test, "entities");
	struct cedar_text schema = read_named(test, "schema");

	if (policies.data == NULL || entities.data == NULL || schema.data == NULL)
		return note(test, "a file is missing");
	if (!cedar_policy_set_parse(&test->set, policies, NULL, &test->err))
		return note(test, "policies");
	if (totals.is_through_json && !pass_through_json(test))
		return note(test, "policies through JSON");
	if (!cedar_schema_parse(&test->schema, schema, &test->err))
		return note(test, "schema");
	if (!cedar_entities_create(&test->entities, &test->err) ||
		!cedar_schema_add_entities(test->schema, test->entities, entities, &test->err) ||
		!cedar_schema_add_actions(test->schema, test->entities, &test->err) ||
		!cedar_entities_seal(test->entities, &test->err))
		return note(test, "entities");
	return true;
}

static bool read_uid(
	struct test *test, const struct document *request, const char *name, struct cedar_uid *out)
{
	const struct document *member = document_find(request, name);

	return member != NULL && document_uid(&test->reader, member, out);
}

static bool read_request(
	struct test *test, const struct document *document, struct cedar_request *out)
{
	const struct document *context = document_find(document, "context");

	*out = (struct cedar_request){0};
	if (!read_uid(test, document, "principal", &out->principal) ||
		!read_uid(test, document, "action", &out->action) ||
		!read_uid(test, document, "resource", &out->resource))
		return false;
	return context == NULL || schema_read_context(test->schema, &out->action, &test->reader,
					  context, &out->context);
}

static bool list_has(const struct document *list, struct cedar_text id)
{
	for (const struct document *item = list->first; item != NULL; item = item->next) {
		if (item->type == DOCUMENT_STRING && cedar_text_equal(item->string, id))
			return true;
	}
	return false;
}

static bool same_ids(
	struct test *test, const struct document *expected, const uint32_t *indexes, size_t count)
{
	if (expected == NULL || expected->type != DOCUMENT_ARRAY || expected->count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!list_has(expected, cedar_policy_set_get(test->set, indexes[i]).id))
			return false;
	}
	return true;
}

static bool same_answer(
	struct test *test, const struct document *expected, const struct cedar_answer *answer)
{
	const struct document *reasons = document_find(expected, "reason");
	bool is_allow = cedar_text_is(member_text(expected, "decision"), "allow");
	uint32_t *erring = arena_array(test->arena, uint32_t, answer->error_count);

	if (erring == NULL)
		return false;
	if (reasons == NULL)
		reasons = document_find(expected, "reasons");
	for (size_t i = 0; i < answer->error_count; i++)
		erring[i] = answer->errors[i].policy;
	return is_allow == (answer->decision == CEDAR_ALLOW) &&
	       same_ids(test, reasons, answer->reasons, answer->reason_count) &&
	       same_ids(test, document_find(expected, "errors"), erring, answer->error_count);
}

static void run_request(struct test *test, const struct document *expected)
{
	struct cedar_request request;
	struct cedar_answer answer;
	const char *first_error = "none";

	if (!read_request(test, expected, &request) ||
		!cedar_authorize(test->set, test->entities, &request,
			(struct cedar_arena *)test->arena, &answer, &test->err)) {
		test->failed_requests++;
		note(test, "a request");
		return;
	}
	if (same_answer(test, expected, &answer))
		return;
	if (answer.error_count > 0)
		first_error = answer.errors[0].text.data;
	test->failed_requests++;
	(void)snprintf(test->note, sizeof test->note,
		"got %s, %zu reasons, %zu errors (first: %s) in %.*s",
		answer.decision == CEDAR_ALLOW ? "allow" : "deny", answer.reason_count,
		answer.error_count, first_error, (int)member_text(expected, "description").length,
		member_text(expected, "description").data);
}

static void report(struct test *test)
{
	totals.failed_requests += test->failed_requests;
	if (test->failed_requests == 0 && test->note[0] == '\0') {
		totals.passed++;
		return;
	}
	totals.failed++;
	for (char *c = test->note; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\' || (unsigned char)*c < 0x20)
			*c = '\'';
	}
	printf("{\"test\":\"%s\",\"failed_requests\":%u,\"note\":\"%s\"}\n", test->path,
		test->failed_requests, test->note);
}

static void decide(struct test *test, const struct document *requests)
{
	for (const struct document *r = requests->first; r != NULL; r = r->next)
		run_request(test, r);
}

/* True if the list of drift has the test's name. */
static bool has_drifted(const struct test *test)
{
	const char *slash = strrchr(test->path, '/');
	const char *name = slash == NULL ? test->path : slash + 1;
	size_t length = strcspn(name, ".");
	const char *at = totals.drift.data, *end = at + totals.drift.length;

	while (at != NULL && at + length <= end) {
		if (memcmp(at, name, length) == 0)
			return true;
		at = memchr(at, '\n', (size_t)(end - at));
		at = at == NULL ? NULL : at + 1;
	}
	return false;
}

static void validate_by(struct test *test, enum cedar_validation_rule rule, bool expected)
{
	struct cedar_validation validation;

	if (!cedar_validate(test->set, test->schema, rule, (struct cedar_arena *)test->arena,
		    &validation, &test->err)) {
		note(test, "validation");
	} else if ((validation.error_count == 0) != expected) {
		(void)snprintf(test->note, sizeof test->note, "%zu errors, first: %s",
			validation.error_count,
			validation.count == 0 ? "none" : validation.findings[0].text.data);
	}
}

static void validate_request(struct test *test, const struct document *expected)
{
	const struct document *wanted = document_find(expected, "validateRequest");
	struct cedar_request request;

	if (wanted != NULL && !wanted->boolean)
		return;
	if (!read_request(test, expected, &request) ||
		!cedar_validate_request(test->schema, &request, &test->err)) {
		test->failed_requests++;
		note(test, "a request");
	}
}

static void validate(struct test *test, const struct document *requests)
{
	const struct document *should = document_find(test->root, "shouldValidate");
	bool expected = should != NULL && should->boolean;

	validate_by(test, CEDAR_RULE_4_10, expected);
	validate_by(test, CEDAR_RULE_4_13, expected || has_drifted(test));
	if (!cedar_validate_entities(test->schema, test->entities, &test->err))
		note(test, "entities");
	for (const struct document *r = requests->first; r != NULL; r = r->next)
		validate_request(test, r);
}

static void run(struct test *test)
{
	const struct document *requests = document_find(test->root, "requests");

	totals.requests += requests->count;
	if (!load(test)) {
		test->failed_requests = requests->count;
	} else {
		if (totals.only != ONLY_VALIDATE)
			decide(test, requests);
		if (totals.only != ONLY_DECIDE)
			validate(test, requests);
	}
	report(test);
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	struct test test = {.path = path};
	struct document *root;
	struct cedar_text json;
	size_t length = strlen(path);

	(void)status;
	(void)place;
	if (kind != FTW_F || length < 5 || strcmp(path + length - 5, ".json") != 0)
		return 0;
	test.arena = arena_create(ARENA_BYTES_MAX);
	if (test.arena == NULL)
		return -1;
	json = files_read(test.arena, path);
	test.reader =
		(struct document_reader){.arena = test.arena, .source = json, .err = &test.err};
	if (json.data == NULL || !document_parse(&root, test.arena, json, &test.err)) {
		note(&test, "no JSON");
		report(&test);
	} else if (document_find(root, "requests") != NULL &&
		   document_find(root, "policies") != NULL) {
		test.root = root;
		totals.tests++;
		run(&test);
	}
	cedar_policy_set_destroy(&test.set);
	cedar_entities_destroy(&test.entities);
	cedar_schema_destroy(&test.schema);
	arena_destroy(&test.arena);
	return 0;
}

/* Of PATH[=TESTS]. */
static int path_length(const char *name)
{
	return (int)strcspn(name, "=");
}

static bool run_path(const char *below, const char *name)
{
	char path[PATH_BYTES];
	char folder[FILES_PATH_BYTES];
	struct stat status;
	bool ok;

	(void)snprintf(path, sizeof path, "%s%s%.*s", below == NULL ? "" : below,
		below == NULL ? "" : "/", path_length(name), name);
	if (stat(path, &status) != 0)
		return false;
	if (S_ISDIR(status.st_mode))
		return nftw(path, visit, FOLDERS_OPEN_MAX, FTW_PHYS) == 0;
	if (!files_unpack(path, folder))
		return false;
	ok = nftw(folder, visit, FOLDERS_OPEN_MAX, FTW_PHYS) == 0;
	files_remove(folder);
	return ok;
}

static int usage(void)
{
	(void)fprintf(stderr,
		"usage: cedar-corpus [--only decide|validate] [--through json] [--vectors FOLDER] "
		"[--drift FILE] "
		"PATH[=TESTS]...\n");
	return 2;
}

/* The index of the first path; 0 if the arguments are not understood. */
static int read_options(int argc, char **argv, const char **below, const char **drift)
{
	int at = 1;

	for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
		if (strcmp(argv[at], "--vectors") == 0)
			*below = getenv("REMIT_VECTORS") == NULL ? argv[at + 1]
								 : getenv("REMIT_VECTORS");
		else if (strcmp(argv[at], "--through") == 0 && strcmp(argv[at + 1], "json") == 0)
			totals.is_through_json = true;
		else if (strcmp(argv[at], "--drift") == 0)
			*drift = argv[at + 1];
		else if (strcmp(argv[at], "--only") == 0 && strcmp(argv[at + 1], "decide") == 0)
			totals.only = ONLY_DECIDE;
		else if (strcmp(argv[at], "--only") == 0 && strcmp(argv[at + 1], "validate") == 0)
			totals.only = ONLY_VALIDATE;
		else
			return 0;
	}
	return at < argc ? at : 0;
}

/* The list of drift, below the vectors if those are given. */
static struct arena *read_drift(const char *below, const char *drift)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof path, "%s%s%s", below == NULL ? "" : below,
		below == NULL ? "" : "/", drift == NULL ? "" : drift);
	if (arena != NULL && drift != NULL)
		totals.drift = files_read(arena, path);
	return arena;
}

/* True if there are vectors, or the paths do not depend on them. */
static bool has_any(const char *below, char *const *names)
{
	char path[PATH_BYTES];
	struct stat status;
	bool found = below == NULL;

	for (; !found && *names != NULL; names++) {
		(void)snprintf(path, sizeof path, "%s/%.*s", below, path_length(*names), *names);
		found = stat(path, &status) == 0;
	}
	return found;
}

/* False if the path cannot be read, or holds no test or other than so many. */
static bool run_corpus(const char *below, const char *name)
{
	struct totals before = totals;
	const char *wanted = strchr(name, '=');
	unsigned long tests;

	if (!run_path(below, name)) {
		(void)fprintf(stderr, "cannot read %s: %s\n", name, strerror(errno));
		return false;
	}
	tests = totals.tests - before.tests;
	printf("{\"corpus\":\"%.*s\",\"tests\":%lu,\"requests\":%lu,\"failed_requests\":%lu}\n",
		path_length(name), name, tests, totals.requests - before.requests,
		totals.failed_requests - before.failed_requests);
	if (tests > 0 && (wanted == NULL || tests == strtoul(wanted + 1, NULL, 10)))
		return true;
	(void)fprintf(stderr, "%s: there are %lu tests\n", name, tests);
	return false;
}

int main(int argc, char **argv)
{
	const char *below = NULL, *drift = NULL;
	int at = read_options(argc, argv, &below, &drift);
	struct arena *arena;
	bool ok;

	if (at == 0)
		return usage();
	if (!has_any(below, argv + at)) {
		printf("skipped: no vectors in %s\n", below);
		return EXIT_SKIPPED;
	}
	arena = read_drift(below, drift);
	ok = drift == NULL || totals.drift.data != NULL;
	if (!ok)
		(void)fprintf(stderr, "cannot read %s\n", drift);
	for (; at < argc; at++)
		ok = run_corpus(below, argv[at]) && ok;
	printf("%lu passed, %lu failed, 0 skipped\n", totals.passed, totals.failed);
	arena_destroy(&arena);
	return ok && totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}

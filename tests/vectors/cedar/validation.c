/* cedar-validation [--vectors FOLDER]
 *
 * Compares what is found with what was published for the tests of corpus-4.10: for
 * each policy whether it is valid and the kinds of its errors, whether the entities conform,
 * all of them (each published one does), and each request; and that the JSON form of each schema
 * says the same as the schema.  What is compared is as much as was published.
 * Exit 77: none of the vectors is there. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cedar/document.h"
#include "cedar/schema.h"
#include "cedar_files.h"
#include "schema_twin.h"

enum { PATH_BYTES = 4096, FOLDERS_OPEN_MAX = 16, EXIT_SKIPPED = 77, ARENA_BYTES_MAX = 256 << 20 };

enum { TESTS = 3934, REQUESTS = 31472 }; /* published: one policy and one schema of each test */

static const char suffix[] = ".validation.json";

struct totals {
	char corpus[FILES_PATH_BYTES];
	char schemas[FILES_PATH_BYTES];
	unsigned long tests, policies, requests, twins, passed, failed;
};

/* nftw has no closure; this program has one thread and one run. */
static struct totals totals;

struct test {
	struct arena *arena;
	char name[256];
	struct cedar_schema *schema;
	struct cedar_schema *twin;
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct document_reader reader;
	struct cedar_error err;
	char note[512];
};

static bool note(struct test *test, const char *what)
{
	(void)snprintf(test->note, sizeof test->note, "%s: %s", what, test->err.text);
	return false;
}

static struct cedar_text read_part(
	struct test *test, const char *folder, const char *below, const char *ending)
{
	char path[2 * PATH_BYTES];

	(void)snprintf(path, sizeof path, "%s/%s/%s%s", folder, below, test->name, ending);
	return files_read(test->arena, path);
}

static struct cedar_text corpus_part(struct test *test, const char *ending)
{
	return read_part(test, totals.corpus, "corpus-tests", ending);
}

static bool load(struct test *test)
{
	if (!cedar_schema_parse(&test->schema, corpus_part(test, ".cedarschema"), &test->err))
		return note(test, "schema");
	if (!cedar_policy_set_parse(&test->set, corpus_part(test, ".cedar"), NULL, &test->err))
		return note(test, "policies");
	if (!cedar_entities_create(&test->entities, &test->err) ||
		!cedar_schema_add_entities(test->schema, test->entities,
			corpus_part(test, ".entities.json"), &test->err) ||
		!cedar_schema_add_actions(test->schema, test->entities, &test->err) ||
		!cedar_entities_seal(test->entities, &test->err))
		return note(test, "entities");
	return true;
}

/* What an error text of the other implementation is here. */
static enum cedar_finding_code code_of(struct cedar_text message)
{
	static const struct {
		const char *part;
		enum cedar_finding_code code;
	} table[] = {
		{"unrecognized entity type", CEDAR_FINDING_UNKNOWN_ENTITY_TYPE},
		{"unrecognized action", CEDAR_FINDING_UNKNOWN_ACTION},
		{"enumerated entity type", CEDAR_FINDING_UNKNOWN_ID},
		{"safety of access to optional attribute", CEDAR_FINDING_UNSAFE_ATTRIBUTE},
		{"safety of access to tag", CEDAR_FINDING_UNSAFE_TAG},
		{"unexpected type", CEDAR_FINDING_UNEXPECTED_TYPE},
		{"are not compatible", CEDAR_FINDING_INCOMPATIBLE_TYPES},
		{"empty set literals", CEDAR_FINDING_EMPTY_SET},
		{"wrong number of arguments", CEDAR_FINDING_ARGUMENT_COUNT},
		{"extension function argument validation", CEDAR_FINDING_ARGUMENT_INVALID},
		{"non-literal expressions", CEDAR_FINDING_ARGUMENT_NOT_LITERAL},
		{"unable to find an applicable action", CEDAR_FINDING_NO_APPLICABLE_ACTION},
		{"not found", CEDAR_FINDING_UNKNOWN_ATTRIBUTE},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (memmem(message.data, message.length, table[i].part, strlen(table[i].part)) !=
			NULL)
			return table[i].code;
	}
	return CEDAR_FINDING_NONE;
}

/* A bit for each code. */
static uint64_t published_codes(const struct document *verdict)
{
	const struct document *errors = document_find(verdict, "strictErrors");
	const struct document *at = errors == NULL ? NULL : errors->first;
	uint64_t codes = 0;

	for (; at != NULL; at = at->next)
		codes |= (uint64_t)1 << code_of(at->string);
	return codes;
}

static uint64_t found_codes(const struct cedar_validation *validation, size_t policy)
{
	uint64_t codes = 0;

	for (size_t i = 0; i < validation->count; i++) {
		if (validation->findings[i].policy == policy &&
			validation->findings[i].severity == CEDAR_SEVERITY_ERROR)
			codes |= (uint64_t)1 << validation->findings[i].code;
	}
	return codes;
}

static void check_policies(struct test *test, const struct document *published)
{
	const struct document *policies = document_find(published, "perPolicy");
	struct cedar_validation validation;

	if (!cedar_validate(test->set, test->schema, CEDAR_RULE_4_10,
		    (struct cedar_arena *)test->arena, &validation, &test->err)) {
		note(test, "validation");
		return;
	}
	if (policies->count != cedar_policy_set_count(test->set))
		note(test, "other policies than published");
	for (const struct document *at = policies->first; at != NULL; at = at->next) {
		uint64_t theirs = published_codes(at), ours;
		size_t index = 0;

		totals.policies++;
		if (!cedar_policy_set_find(test->set, at->name, &index)) {
			note(test, "an unknown policy");
			continue;
		}
		ours = found_codes(&validation, index);
		if (theirs != ours || document_find(at, "strict")->boolean != (ours == 0))
			(void)snprintf(test->note, sizeof test->note, "found %llx, published %llx",
				(unsigned long long)ours, (unsigned long long)theirs);
	}
}

static void check_entities(struct test *test, const struct document *published)
{
	const struct document *each = document_find(published, "perEntity");
	bool expected = true;

	if (each->count != cedar_entities_count(test->entities))
		note(test, "other entities than published");
	for (const struct document *at = each->first; at != NULL; at = at->next)
		expected = expected && at->count == 0;
	if (cedar_validate_entities(test->schema, test->entities, &test->err) != expected)
		note(test, "entities do not conform as published");
}

static bool read_request(
	struct test *test, const struct document *document, struct cedar_request *out)
{
	const struct document *context = document_find(document, "context");

	*out = (struct cedar_request){0};
	return document_uid(&test->reader, document_find(document, "principal"), &out->principal) &&
	       document_uid(&test->reader, document_find(document, "action"), &out->action) &&
	       document_uid(&test->reader, document_find(document, "resource"), &out->resource) &&
	       schema_read_context(
		       test->schema, &out->action, &test->reader, context, &out->context);
}

static void check_requests(struct test *test, const struct document *published)
{
	struct document *root;
	const struct document *given, *expected = published->first;

	test->reader = (struct document_reader){
		.arena = test->arena, .source = corpus_part(test, ".json"), .err = &test->err};
	if (!document_parse(&root, test->arena, test->reader.source, &test->err)) {
		note(test, "the test");
		return;
	}
	given = document_find(root, "requests")->first;
	for (; given != NULL && expected != NULL; given = given->next, expected = expected->next) {
		struct cedar_request request;
		bool ok = read_request(test, given, &request) &&
			  cedar_validate_request(test->schema, &request, &test->err);

		totals.requests++;
		if (ok != document_find(expected, "strict")->boolean)
			note(test, "a request does not conform as published");
	}
	if (given != NULL || expected != NULL)
		note(test, "other requests than published");
}

static void check_twin(struct test *test)
{
	struct cedar_text json =
		read_part(test, totals.schemas, "corpus-tests-json-schemas", ".cedarschema.json");

	totals.twins += json.data != NULL;
	if (!cedar_schema_parse_json(&test->twin, json, &test->err))
		note(test, "the JSON schema");
	else if (!schema_is_twin(test->schema, test->twin))
		(void)snprintf(test->note, sizeof test->note, "the JSON schema says otherwise");
}

static void run(struct test *test, const char *path)
{
	struct document *root;
	struct cedar_text json = files_read(test->arena, path);

	if (!document_parse(&root, test->arena, json, &test->err)) {
		note(test, "the published verdict");
	} else if (load(test)) {
		check_policies(test, document_find(root, "policyValidation"));
		check_entities(test, document_find(root, "entityValidation"));
		check_requests(test, document_find(root, "requestValidation"));
		check_twin(test);
	}
	totals.tests++;
	totals.passed += test->note[0] == '\0';
	totals.failed += test->note[0] != '\0';
	if (test->note[0] != '\0')
		printf("%s: %s\n", test->name, test->note);
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	struct test test = {.note = ""};
	size_t length = strlen(path);
	const char *name = path + place->base;

	(void)status;
	if (kind != FTW_F || length < sizeof suffix ||
		strcmp(path + length - (sizeof suffix - 1), suffix) != 0)
		return 0;
	test.arena = arena_create(ARENA_BYTES_MAX);
	if (test.arena == NULL)
		return -1;
	(void)snprintf(test.name, sizeof test.name, "%.*s",
		(int)(strlen(name) - (sizeof suffix - 1)), name);
	run(&test, path);
	cedar_policy_set_destroy(&test.set);
	cedar_entities_destroy(&test.entities);
	cedar_schema_destroy(&test.schema);
	cedar_schema_destroy(&test.twin);
	arena_destroy(&test.arena);
	return 0;
}

/* The archives, and where each is unpacked. */
static const char *const archives[] = {
	"corpus-4.10.tar.zst", "json-schemas-4.10.tar.zst", "validation-4.10.tar.zst"};
enum { ARCHIVES = sizeof archives / sizeof archives[0] };

static bool is_absent(const char *vectors)
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < ARCHIVES; i++) {
		(void)snprintf(path, sizeof path, "%s/cedar/%s", vectors, archives[i]);
		if (access(path, F_OK) == 0)
			return false;
	}
	return true;
}

static bool unpack_all(const char *vectors, char *const folders[ARCHIVES])
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < ARCHIVES; i++) {
		(void)snprintf(path, sizeof path, "%s/cedar/%s", vectors, archives[i]);
		if (files_unpack(path, folders[i]))
			continue;
		(void)fprintf(stderr, "cannot unpack %s\n", path);
		while (i-- > 0)
			files_remove(folders[i]);
		return false;
	}
	return true;
}

static bool is_all(void)
{
	return totals.tests == TESTS && totals.policies == TESTS && totals.twins == TESTS &&
	       totals.requests == REQUESTS;
}

int main(int argc, char **argv)
{
	const char *vectors = getenv("REMIT_VECTORS");
	char verdicts[FILES_PATH_BYTES];
	char *const folders[ARCHIVES] = {totals.corpus, totals.schemas, verdicts};

	if (vectors == NULL && argc == 3 && strcmp(argv[1], "--vectors") == 0)
		vectors = argv[2];
	if (vectors == NULL) {
		(void)fprintf(stderr, "usage: cedar-validation [--vectors FOLDER]\n");
		return 2;
	}
	if (is_absent(vectors)) {
		printf("skipped: no vectors in %s\n", vectors);
		return EXIT_SKIPPED;
	}
	if (!unpack_all(vectors, folders))
		return 1;
	if (nftw(verdicts, visit, FOLDERS_OPEN_MAX, FTW_PHYS) != 0)
		totals.failed++;
	for (size_t i = 0; i < ARCHIVES; i++)
		files_remove(folders[i]);
	printf("%lu tests: %lu policies, %lu requests, %lu JSON schemas; %lu passed, %lu failed\n",
		totals.tests, totals.policies, totals.requests, totals.twins, totals.passed,
		totals.failed);
	return totals.failed == 0 && is_all() ? 0 : 1;
}

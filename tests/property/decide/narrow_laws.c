/* The law of narrower charters: of two charters at random, where the one is taken for narrower
 * than the other, every call that it lets through the other lets through; and whatever a review
 * does to a charter is narrower, and had back is the charter again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "domain/charter/narrow.h"
#include "support/decide_bench.h"
#include "support/seeded.h"

enum { WORLDS = 400, LINES_MAX = 6, NARROWER_MIN = 40, CALLS_MIN = 20, EDITS_MIN = 20 };

static const char *const tools[] = {"files/read", "files/list", "files/write", "other/peek"};
static const char *const effects[] = {"read", "read", "write", "read"};
static const char *const conditions[] = {NULL, "context.args.path like \"tickets/*\"",
	"context.args.path like \"*\"", "context.environment == \"staging\""};
static const char *const ends[] = {NULL, "2020-01-01", "2029-06-01"};

static void append_line(struct buffer *out)
{
	unsigned tool = pick(COUNT(tools));
	const char *when = conditions[pick(COUNT(conditions))], *end = ends[pick(COUNT(ends))];

	buffer_append_format(out, "  - {effect: %s, tool: %s", effects[tool], tools[tool]);
	if (when != NULL)
		buffer_append_format(out, ", when: '%s'", when);
	if (end != NULL)
		buffer_append_format(out, ", expires: %s", end);
	if (pick(4) == 0)
		buffer_append_string(out, ", approvals: [owner]");
	buffer_append_string(out, "}\n");
}

static struct text charter_at_random(struct arena *arena)
{
	unsigned lines = 1 + pick(LINES_MAX);
	struct buffer out;
	struct text yaml;

	buffer_init(&out, 65536);
	buffer_append_string(&out,
		"object: identity\nname: agent\nkind: agent\nclass: execute\nrisk: low\n"
		"owner: ana\nbackup-owner: bo\nunit: support\npurpose: Works on tickets\n"
		"environments: [staging]\ndata-sources: [{name: tickets, up-to: internal}]\n"
		"outputs: [{to: reply, up-to: internal}, {to: files/write, up-to: internal}]\n"
		"limits: {task: 15m}\nexpires: 2030-01-01\nentitlements:\n");
	for (unsigned i = 0; i < lines; i++)
		append_line(&out);
	yaml = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	assert_non_null(yaml.data);
	return yaml;
}

static const struct object *object_of(struct arena *arena, const struct json *document)
{
	struct problems *problems = arena_new(arena, struct problems);
	struct object *object = NULL;

	problems->arena = arena;
	if (!object_parse(&object, document, TEXT("law"), problems))
		fail_msg("%.*s", TEXT_ARGS(problems->items[0].what));
	return object;
}

static struct json document_of(struct arena *arena, struct text yaml)
{
	struct yaml_documents documents;
	struct error err = {0};

	assert_true(yaml_parse(&documents, arena, yaml, "law", &json_limits_default, &err));
	return documents.items[0];
}

/* Which of the calls go through, as bits. */
static uint32_t calls_allowed(const char *yaml)
{
	static const char *const paths[] = {
		"{\"path\":\"tickets/1\"}", "{\"path\":\"notes/1\"}", "{}"};
	struct decide_bench bench;
	uint32_t allowed = 0;
	unsigned bit = 0;

	decide_bench_init(&bench);
	assert_true(decide_bench_put(&bench, yaml));
	for (unsigned i = 0; i < COUNT(tools); i++)
		for (unsigned j = 0; j < COUNT(paths); j++, bit++) {
			const char *slash = strchr(tools[i], '/');
			char server[16] = {0};

			memcpy(server, tools[i], (size_t)(slash - tools[i]));
			if (decide_bench_ask(&bench, server, slash + 1, paths[j])->verdict ==
				VERDICT_ALLOW)
				allowed |= UINT32_C(1) << bit;
		}
	decide_bench_deinit(&bench);
	return allowed;
}

/* Canonical JSON is YAML. */
static uint32_t allowed_by(struct arena *arena, const struct json *document)
{
	struct text yaml = json_canonical_text(arena, document);

	assert_non_null(yaml.data);
	return calls_allowed(yaml.data);
}

/* Something of the one in the other: charters at random are seldom narrower. */
static struct text shrunk(struct arena *arena, struct text yaml)
{
	struct buffer out;
	struct text rest = yaml, made;
	size_t kept = 0;

	buffer_init(&out, 65536);
	while (rest.length > 0) {
		ptrdiff_t newline = text_find_byte(rest, '\n');
		struct text row = {rest.data, (size_t)newline + 1};

		if (!text_starts_with(row, "  - ") || pick(3) != 0) {
			kept += text_starts_with(row, "  - ");
			buffer_append_text(&out, row);
		}
		rest = text_after(rest, row.length);
	}
	if (kept == 0 || pick(3) == 0)
		append_line(&out);
	made = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static void what_a_narrower_charter_allows_the_wider_allowed(void **state)
{
	uint64_t worlds = worlds_given(WORLDS), narrower = 0, calls = 0;

	(void)state;
	seed_with(seed_of_run());
	for (uint64_t i = 0; i < worlds; i++) {
		struct arena *arena = arena_create((size_t)16 << 20);
		struct text before = charter_at_random(arena);
		struct text after = shrunk(arena, before);
		struct json old = document_of(arena, before), new = document_of(arena, after);
		const struct object *was = object_of(arena, &old), *is = object_of(arena, &new);
		struct error err = {0};

		if (charter_is_narrower(is, was, &err)) {
			uint32_t now = allowed_by(arena, &new), then = allowed_by(arena, &old);

			narrower++;
			calls += now != 0;
			if ((now & ~then) != 0)
				fail_msg("%.*s allows more than\n%.*s", TEXT_ARGS(after),
					TEXT_ARGS(before));
		}
		object_release(&was);
		object_release(&is);
		arena_destroy(&arena);
	}
	printf("%llu worlds, %llu narrower, %llu of them allow something\n",
		(unsigned long long)worlds, (unsigned long long)narrower,
		(unsigned long long)calls);
	if (worlds >= WORLDS)
		assert_true(narrower >= NARROWER_MIN && calls >= CALLS_MIN);
}

/* The line, ended or asked more of. */
static const struct json *line_reduced(struct arena *arena, const struct json *line)
{
	const char *changed = pick(2) == 0 ? "expires" : "approvals";
	struct json *reduced = arena_new(arena, struct json), names;
	struct json_builder object, list;
	struct error err;

	json_array_start(&list, arena);
	json_add(&list, json_string(TEXT("owner")));
	json_add(&list, json_string(TEXT("second")));
	assert_true(json_array_seal(&list, &names, &err));
	json_object_start(&object, arena);
	for (uint32_t i = 0; i < line->count; i++)
		if (!text_is(line->members[i].name, changed))
			json_put_named(&object, line->members[i].name, line->members[i].value);
	if (strcmp(changed, "expires") == 0)
		json_put_text(&object, changed, TEXT("2020-01-01"));
	else
		json_put(&object, changed, names);
	assert_true(json_object_seal(&object, reduced, &err));
	return reduced;
}

static unsigned taken, reduced; /* of all worlds, by which less goes through */

/* The edit that undoes it gives the charter again. */
static void check_undone(struct arena *arena, const struct object *was, const struct json *edited,
	struct charter_edit edit)
{
	const struct charter_edits edits = {&edit, 1, DECIDE_BENCH_NOW};
	const struct json *line = edit.line.line;
	const struct object *is;
	struct json back;
	struct error err = {0};

	if (edit.how == CHARTER_EDIT_REPLACE) {
		edit.line.line = edit.with;
		edit.with = line;
	} else {
		edit.how = CHARTER_EDIT_PUT_BACK;
	}
	assert_true(charter_edit(&back, arena, edited, &edits, &err));
	is = object_of(arena, &back);
	assert_true(charter_is_narrower(was, is, &err) && charter_is_narrower(is, was, &err));
	object_release(&is);
}

/* A line of the charter, taken out or ended or asked more of. */
static void edit_at_random(struct arena *arena, const struct json *document)
{
	const struct json *lines = json_find(document, "entitlements");
	const struct json *line = &lines->items[pick(lines->count)];
	bool is_taken = pick(2) == 0;
	const struct charter_edit edit = {{CHARTER_PART_ENTITLEMENT, line},
		is_taken ? CHARTER_EDIT_TAKE_OUT : CHARTER_EDIT_REPLACE,
		is_taken ? NULL : line_reduced(arena, line)};
	const struct charter_edits edits = {&edit, 1, DECIDE_BENCH_NOW};
	const struct object *was = object_of(arena, document), *is;
	struct json out;
	struct error err = {0};
	uint32_t now, then = allowed_by(arena, document);

	assert_true(charter_edit(&out, arena, document, &edits, &err));
	is = object_of(arena, &out);
	if (!charter_is_narrower(is, was, &err))
		fail_msg("%s", err.text);
	now = allowed_by(arena, &out);
	assert_int_equal(now & ~then, 0);
	*(is_taken ? &taken : &reduced) += now != then;
	check_undone(arena, was, &out, edit);
	object_release(&is);
	object_release(&was);
}

static void what_a_review_takes_is_less_and_comes_back_as_it_was(void **state)
{
	uint64_t worlds = worlds_given(WORLDS);

	(void)state;
	for (uint64_t i = 0; i < worlds; i++) {
		struct arena *arena = arena_create((size_t)16 << 20);
		struct json document = document_of(arena, charter_at_random(arena));

		edit_at_random(arena, &document);
		arena_destroy(&arena);
	}
	printf("%u taken out and %u reduced let less through\n", taken, reduced);
	if (worlds >= WORLDS)
		assert_true(taken >= EDITS_MIN && reduced >= EDITS_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_narrower_charter_allows_the_wider_allowed),
		cmocka_unit_test(what_a_review_takes_is_less_and_comes_back_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

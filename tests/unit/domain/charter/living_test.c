#include "domain/charter/living.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/yaml.h"
#include "domain/charter/proof.h"
#include "domain/charter/record_form.h"

/* What of an object others rely on, when something falls due, whose word a risk needs, and that a
 * charter and what was compiled of it are the same. */

static struct arena *arena;

static int start(void **state)
{
	(void)state;
	arena = arena_create((size_t)64 << 20);
	return arena == NULL;
}

static int end(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* NULL: something is wrong with it. */
static const struct object *parse(const char *yaml)
{
	struct problems *problems = arena_new(arena, struct problems);
	struct yaml_documents documents;
	struct object *object = NULL;
	struct error err = {0};

	problems->arena = arena;
	assert_true(
		yaml_parse(&documents, arena, text_of(yaml), "f.yaml", &json_limits_default, &err));
	return object_parse(&object, &documents.items[0], TEXT("f.yaml"), problems) ? object : NULL;
}

static uint32_t between(const char *before, const char *after)
{
	const struct object *one = parse(before), *other = parse(after);
	uint32_t changes;

	assert_non_null(one);
	assert_non_null(other);
	changes = living_changes(one, other);
	assert_int_equal(living_changes(other, one), changes);
	assert_int_equal(living_changes(one, one), 0);
	object_release(&one);
	object_release(&other);
	return changes;
}

#define TOOL "object: tool\nname: s/t\neffect: read\n"
#define SOURCE "object: data-source\nname: d\nunit: u\nenvironment: dev\n"

static void what_nobody_relied_on_is_no_change(void **state)
{
	(void)state;
	assert_int_equal(between(TOOL, TOOL "reversal: restore\n"), 0);
	assert_int_equal(between(SOURCE, SOURCE "ids: open\n"), 0);
	assert_int_equal(between(TOOL, "object: tool\nname: s/other\neffect: write\n"), 0);
	assert_int_equal(living_changes(NULL, NULL), 0);
}

static void each_member_that_is_relied_on_has_its_word(void **state)
{
	(void)state;
	assert_int_equal(
		between(TOOL, "object: tool\nname: s/t\neffect: write\n"), 1u << LIVING_EFFECT);
	assert_int_equal(between(TOOL, TOOL "risk: high\n"), 1u << LIVING_TIER);
	assert_int_equal(between(SOURCE, SOURCE "sensitivity: restricted\nlocation: elsewhere\n"),
		1u << LIVING_SENSITIVITY | 1u << LIVING_LOCATION);
	assert_int_equal(between(SOURCE, "object: data-source\nname: d\nunit: v\n"
					 "environment: dev\n"),
		1u << LIVING_UNIT);
}

static void words_are_read_as_they_are_written(void **state)
{
	(void)state;
	for (unsigned i = 1; i < LIVING_CHANGE_COUNT; i++)
		assert_int_equal(living_change_of(text_of(living_change_word(i))), i);
	for (unsigned i = 1; i < REVIEW_CAUSE_COUNT; i++)
		assert_int_equal(review_cause_of(text_of(review_cause_word(i))), i);
	assert_int_equal(living_change_of(TEXT("")), LIVING_NOTHING);
	assert_int_equal(review_cause_of(TEXT("anything")), REVIEW_NONE);
	assert_null(review_cause_word(REVIEW_CAUSE_COUNT));
}

/* ---- when ---- */

static void more_risk_gives_less_time(void **state)
{
	(void)state;
	assert_true(review_term_s(RISK_LOW) > review_term_s(RISK_MEDIUM));
	assert_true(review_term_s(RISK_MEDIUM) > review_term_s(RISK_HIGH));
	assert_true(review_term_s(RISK_HIGH) > review_term_s(RISK_CRITICAL));
	assert_int_equal(review_term_s(RISK_NONE), review_term_s(RISK_CRITICAL));
}

static void a_review_is_due_its_span_after_the_last_look(void **state)
{
	struct charter charter = {.review_s = 1000, .risk = RISK_LOW};

	(void)state;
	assert_int_equal(review_due_utc_s(&charter, 500, 900), 1500);
	/* Nobody knows when: soon. */
	assert_int_equal(review_due_utc_s(&charter, 0, 900), 900 + review_term_s(RISK_LOW));
	charter.review_s = 0;
	assert_int_equal(review_due_utc_s(&charter, 500, 900), 0);
}

static void what_ends_is_said_a_quarter_of_its_span_before_at_most(void **state)
{
	int64_t long_span = 100 * (int64_t)REVIEW_NOTICE_S;

	(void)state;
	assert_false(review_is_near(1000, 400, 899));
	assert_true(review_is_near(1000, 400, 900));
	assert_false(review_is_near(long_span, long_span, long_span - REVIEW_NOTICE_S - 1));
	assert_true(review_is_near(long_span, long_span, long_span - REVIEW_NOTICE_S));
}

/* ---- risk records ---- */

#define CHARTER(risk, more)                                                                        \
	"object: identity\nname: a\nkind: agent\nclass: update\nrisk: " risk "\nowner: ana\n"      \
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [dev]\n" more
#define RECORD(residual, by)                                                                       \
	"risk-record: {residual: " residual ", accepted-by: " by ", accepted-until: 2027-01-01}\n"

static void refused(const char *yaml)
{
	const struct object *object = parse(yaml);

	if (object != NULL)
		fail_msg("taken: %s", yaml);
}

static void taken(const char *yaml)
{
	const struct object *object = parse(yaml);

	if (object == NULL)
		fail_msg("refused: %s", yaml);
	object_release(&object);
}

static void a_risk_record_names_enough_people_and_no_more_risk(void **state)
{
	(void)state;
	refused(CHARTER("low", RECORD("low", "[]")));
	refused(CHARTER("low", RECORD("medium", "[bo]")));
	refused(CHARTER("critical", RECORD("low", "[bo]")));
	refused(CHARTER("critical", RECORD("low", "[bo, bo]")));
	refused(CHARTER("low", "risk-record: {residual: low, accepted-by: [bo]}\n"));
	refused(CHARTER("low", RECORD("low", "[p1, p2, p3, p4, p5]")));
	taken(CHARTER("low", RECORD("low", "[p1, p2, p3, p4]")));
	taken(CHARTER("critical", RECORD("high", "[bo, cy]")));
}

static void versions_name_each_thing_once(void **state)
{
	(void)state;
	refused(CHARTER("low", "versions: [{of: m, version: '1'}, {of: m, version: '2'}]\n"));
	refused(CHARTER("low", "versions: [{of: m}]\n"));
	taken(CHARTER("low", "vendor: Acme\nversions: [{of: m, version: '1'}]\n"
			     "affects: [the night shift, the ticket system]\n"));
}

/* "NAME: [ITEM, ITEM, …]": each item the same but for its number in the middle. */
static const char *list_of(const char *name, const char *before, const char *after, int count)
{
	struct buffer out;
	const char *made;

	buffer_init(&out, 65536);
	buffer_append_string(&out, name);
	buffer_append_string(&out, ": [");
	for (int i = 0; i < count; i++) {
		buffer_append_format(&out, "%s%s%d%s", i == 0 ? "" : ", ", before, i, after);
	}
	buffer_append_string(&out, "]\n");
	made = text_copy(arena, buffer_text(&out)).data;
	buffer_deinit(&out);
	assert_non_null(made);
	return made;
}

static void of_charter(void (*expect)(const char *yaml), const char *more)
{
	struct text whole = text_format(arena, "%s%s", CHARTER("low", ""), more);

	expect(whole.data);
}

static void more_than_fits_in_a_record_is_refused(void **state)
{
	char line[RECORD_LINE_BYTES_MAX + 2];

	(void)state;
	of_charter(taken, list_of("affects", "who ", "", AFFECTS_MAX));
	of_charter(refused, list_of("affects", "who ", "", AFFECTS_MAX + 1));
	of_charter(taken, list_of("versions", "{of: m", ", version: '1'}", VERSIONS_MAX));
	of_charter(refused, list_of("versions", "{of: m", ", version: '1'}", VERSIONS_MAX + 1));
	memset(line, 'a', sizeof line);
	line[RECORD_LINE_BYTES_MAX] = '\0';
	of_charter(taken, text_format(arena, "vendor: %s\n", line).data);
	line[RECORD_LINE_BYTES_MAX] = 'a';
	line[RECORD_LINE_BYTES_MAX + 1] = '\0';
	of_charter(refused, text_format(arena, "vendor: %s\n", line).data);
}

static void a_risk_is_accepted_by_enough_people_until_its_day(void **state)
{
	const struct text people[] = {TEXT("bo"), TEXT("cy")};
	struct charter charter = {.risk = RISK_CRITICAL,
		.risk_record = {.residual = RISK_LOW,
			.accepted_by = people,
			.accepted_by_count = 2,
			.accepted_until_utc_s = 1000}};

	(void)state;
	assert_true(risk_is_accepted(&charter, 999));
	assert_false(risk_is_accepted(&charter, 1000));
	charter.risk_record.accepted_by_count = 1;
	assert_false(risk_is_accepted(&charter, 999));
	charter.risk_record = (struct charter_risk){0};
	assert_false(charter_has_risk_record(&charter));
	assert_false(risk_is_accepted(&charter, 999));
}

/* ---- proofs ---- */

static struct charter_proof prove(const struct object *object, uint32_t version)
{
	struct charter_proof proof;
	struct ceiling *ceiling = NULL;
	struct error err = {0};

	assert_true(ceiling_compile(&ceiling, NULL, object, version, &err));
	assert_true(charter_prove(&proof, object, ceiling, &err));
	ceiling_destroy(&ceiling);
	return proof;
}

#define LINE(when) "entitlements: [{effect: read, tool: s/t, when: '" when "'}]\n"

static void what_is_compiled_of_a_document_is_what_the_document_says(void **state)
{
	const struct object *object = parse(CHARTER("low", LINE("context.args.n == 1")));
	struct charter_proof held = prove(object, 3), anew;
	struct error err = {0};

	(void)state;
	assert_true(charter_prove_document(&anew, &object->as_read, 3, &err));
	assert_true(charter_proof_equal(&held, &anew));
	assert_true(sha256_equal(&held.document, &object->digest));
	/* Another version is another set of permits. */
	assert_true(charter_prove_document(&anew, &object->as_read, 4, &err));
	assert_false(charter_proof_equal(&held, &anew));
	object_release(&object);
}

static void a_line_that_is_compiled_otherwise_shows(void **state)
{
	const struct object *object = parse(CHARTER("low", LINE("context.args.n == 1")));
	const struct object *other = parse(CHARTER("low", LINE("context.args.n == 2")));
	struct charter_proof one = prove(object, 1), two = prove(other, 1);
	struct ceiling *ceiling = NULL;
	struct charter_proof mixed;
	struct error err = {0};

	(void)state;
	assert_false(sha256_equal(&one.enforced, &two.enforced));
	/* The document of one, enforced as the other. */
	assert_true(ceiling_compile(&ceiling, NULL, other, 1, &err));
	assert_true(charter_prove(&mixed, object, ceiling, &err));
	assert_true(sha256_equal(&mixed.document, &one.document));
	assert_false(charter_proof_equal(&mixed, &one));
	ceiling_destroy(&ceiling);
	object_release(&object);
	object_release(&other);
}

static void what_is_no_charter_is_proved_of_nothing(void **state)
{
	const struct object *tool = parse(TOOL);
	struct charter_proof proof;
	struct error err = {0};

	(void)state;
	assert_false(charter_prove_document(&proof, &tool->as_read, 1, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	object_release(&tool);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_relied_on_is_no_change),
		TEST(each_member_that_is_relied_on_has_its_word),
		TEST(words_are_read_as_they_are_written),
		TEST(more_risk_gives_less_time),
		TEST(a_review_is_due_its_span_after_the_last_look),
		TEST(what_ends_is_said_a_quarter_of_its_span_before_at_most),
		TEST(a_risk_record_names_enough_people_and_no_more_risk),
		TEST(versions_name_each_thing_once),
		TEST(more_than_fits_in_a_record_is_refused),
		TEST(a_risk_is_accepted_by_enough_people_until_its_day),
		TEST(what_is_compiled_of_a_document_is_what_the_document_says),
		TEST(a_line_that_is_compiled_otherwise_shows),
		TEST(what_is_no_charter_is_proved_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who is due when something changes: those who depend on it, each once, whatever breaks off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/living/living.h"
#include "support/governed.h"

#define DAY_MS (INT64_C(86400) * 1000)

struct bench {
	struct governed governed;
	struct living_service *living;
	struct arena *arena;
};

static const char more_yaml[] =
	"object: person\nname: cy\nunit: support\nroles: [reviewer, approver]\n---\n"
	"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"
	"transport: {url: 'https://models.example'}\nmodels: [{name: m1, up-to: internal}]\n";

static void start(struct bench *bench)
{
	struct error err = {0};

	assert_true(living_create(
		&bench->living, bench->governed.registry, bench->governed.fold, &err));
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct governed *governed = &bench->governed;
	struct error err = {0};

	bench->arena = arena_create((size_t)64 << 20);
	governed_init_loading(governed);
	start(bench);
	assert_true(fold_finish_loading(governed->fold, &err));
	governed_found(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_true(governed_apply(governed, "adi", more_yaml));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"));
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	living_destroy(&bench->living);
	governed_deinit(&bench->governed);
	arena_destroy(&bench->arena);
	free(bench);
	return 0;
}

/* Until there is nothing more to do. */
static void walk(struct bench *bench)
{
	for (int turn = 0; living_step(bench->living); turn++) {
		fake_log_flush(&bench->governed.log);
		assert_true(turn < 10000);
	}
}

static uint32_t list_at(struct bench *bench, struct json *out)
{
	const struct living_query asked = {
		.count = 1000, .now_utc_ms = bench->governed.log.now_utc_ms};
	struct error err = {0};
	struct text next;

	assert_true(living_list(bench->living, &asked, bench->arena, out, &next, &err));
	return out->count;
}

static uint32_t count_due(struct bench *bench)
{
	struct json list;

	return list_at(bench, &list);
}

/* What is due of the identity by the cause; NULL: nothing. */
static const struct json *due_of(struct bench *bench, const char *identity, const char *cause)
{
	struct json *list = arena_new(bench->arena, struct json);

	for (uint32_t i = 0; i < list_at(bench, list); i++)
		if (text_is(json_text_or(&list->items[i], "identity", ""), identity) &&
			text_is(json_text_or(&list->items[i], "cause", ""), cause))
			return &list->items[i];
	return NULL;
}

static void later(struct bench *bench, int64_t ms)
{
	bench->governed.log.now_utc_ms += ms;
}

#define A2(more)                                                                                   \
	"object: identity\nname: a2\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"          \
	"backup-owner: bo\nunit: support\npurpose: Asks a model\nenvironments: [staging]\n" more

static void put_in_force(struct bench *bench, const char *yaml)
{
	assert_true(governed_apply(&bench->governed, "adi", yaml));
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, "a2"));
}

/* ---- nobody ---- */

static void nothing_is_due_of_what_did_not_change(void **state)
{
	struct bench *bench = *state;

	walk(bench);
	assert_int_equal(count_due(bench), 0);
	/* Nor by what nobody relied on. */
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nreversal: inverse\n"));
	walk(bench);
	assert_int_equal(count_due(bench), 0);
}

static void who_has_no_line_on_it_is_not_due(void **state)
{
	struct bench *bench = *state;

	put_in_force(bench, A2("model: [{provider: open, name: m1, up-to: internal}]\n"));
	later(bench, 1000);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: data-source\nname: tickets\nunit: support\nenvironment: staging\n"
		"sensitivity: confidential\n"));
	walk(bench);
	assert_null(due_of(bench, "a2", "source"));
	assert_non_null(due_of(bench, "a1", "source"));
}

static void what_was_approved_after_the_change_is_not_due_by_it(void **state)
{
	struct bench *bench = *state;

	assert_true(governed_apply(&bench->governed, "adi",
		"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"
		"transport: {url: 'https://models.example'}\n"
		"models: [{name: m1, up-to: public}]\n"));
	later(bench, 1000);
	put_in_force(bench, A2("model: [{provider: open, name: m1, up-to: internal}]\n"));
	walk(bench);
	assert_null(due_of(bench, "a2", "model"));
}

/* ---- whom ---- */

static void a_tool_a_source_and_a_model_each_have_their_cause(void **state)
{
	struct bench *bench = *state;

	put_in_force(bench, A2("model: [{provider: open, name: m1, up-to: internal}]\n"));
	later(bench, 1000);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: high\n---\n"
		"object: data-source\nname: tickets\nunit: support\nenvironment: staging\n"
		"sensitivity: internal\nlocation: another country\n---\n"
		"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"
		"transport: {url: 'https://models.example'}\n"
		"models: [{name: m1, up-to: internal}, {name: m2, up-to: internal}]\n"));
	walk(bench);
	assert_int_equal(count_due(bench), 3);
	assert_true(text_is(json_text_or(due_of(bench, "a1", "tool"), "what", ""),
		"tool/files/write changed: risk-tier."));
	assert_true(text_is(json_text_or(due_of(bench, "a1", "source"), "what", ""),
		"data-source/tickets changed: location."));
	assert_non_null(due_of(bench, "a2", "model"));
}

static void its_own_owner_and_vendor_are_looked_at_and_by_its_peers(void **state)
{
	struct bench *bench = *state;

	put_in_force(bench, A2("peers: [{identity: a1, effects: [read], up-to: internal}]\n"
			       "vendor: Acme\nversions: [{of: Acme Bot, version: '1'}]\n"));
	later(bench, 1000);
	put_in_force(bench, A2("peers: [{identity: a1, effects: [read], up-to: internal}]\n"
			       "vendor: Acme\nversions: [{of: Acme Bot, version: '2'}]\n"));
	walk(bench);
	assert_non_null(due_of(bench, "a2", "vendor"));
	assert_int_equal(count_due(bench), 1);
}

static void the_earlier_end_stays_when_more_changes(void **state)
{
	struct bench *bench = *state;
	int64_t first, second;

	later(bench, 1000);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: high\n"));
	walk(bench);
	first = json_integer_or(due_of(bench, "a1", "tool"), "due_utc_ms", 0);
	assert_true(first > bench->governed.log.now_utc_ms);
	later(bench, 5 * DAY_MS);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: low\n"));
	walk(bench);
	second = json_integer_or(due_of(bench, "a1", "tool"), "due_utc_ms", 0);
	assert_int_equal(first, second);
}

/* ---- time ---- */

static void a_review_falls_due_by_its_charter(void **state)
{
	struct bench *bench = *state;

	put_in_force(bench, A2("review: 90d\n"));
	walk(bench);
	assert_null(due_of(bench, "a2", "cadence"));
	later(bench, 75 * DAY_MS);
	walk(bench);
	assert_null(due_of(bench, "a2", "cadence"));
	later(bench, 2 * DAY_MS);
	walk(bench);
	assert_false(json_boolean_or(due_of(bench, "a2", "cadence"), "overdue", true));
	later(bench, 13 * DAY_MS);
	assert_true(json_boolean_or(due_of(bench, "a2", "cadence"), "overdue", false));
}

static void an_accepted_risk_falls_due_before_it_ends(void **state)
{
	struct bench *bench = *state;

	bench->governed.log.now_utc_ms = INT64_C(1795700000) * 1000; /* 2026-11-26 */
	put_in_force(bench, A2("risk-record: {residual: low, accepted-by: [bo], "
			       "accepted-until: 2026-12-31}\n"));
	walk(bench);
	assert_null(due_of(bench, "a2", "risk"));
	later(bench, 25 * DAY_MS);
	walk(bench);
	assert_non_null(due_of(bench, "a2", "risk"));
}

static bool look(struct bench *bench, const char *person, const char *reason);

/* What an entry of a log of before says of a charter of today. */
static void put_before(struct bench *bench, const char *name)
{
	const struct registry_entry *entry =
		registry_find(bench->governed.registry, OBJECT_IDENTITY, text_of(name));
	const struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = text_of(name),
		.revision = registry_revision(bench->governed.registry),
		.version = entry->version,
		.in_force = entry->in_force->version,
		.state = IDENTITY_ACTIVE,
		.units_asked = UNITS_BEFORE,
		.in_force_utc_ms = entry->in_force_utc_ms};
	struct error err = {0};

	assert_true(registry_set(bench->governed.registry, &change, &err));
}

static void what_came_into_force_before_units_were_asked_is_named_once(void **state)
{
	struct bench *bench = *state;

	put_in_force(bench, A2("entitlements: [{effect: read, tool: files/read}]\n"));
	put_before(bench, "a1");
	put_before(bench, "a2");
	later(bench, 2 * LIVING_AGAIN_S * 1000);
	walk(bench);
	assert_int_equal(count_due(bench), 0); /* their own unit's */
	assert_true(governed_apply(&bench->governed, "adi",
		"object: server\nname: files\nunit: sales\nenvironment: staging\n"
		"transport: {stdio: [x]}\n"));
	later(bench, 2 * LIVING_AGAIN_S * 1000);
	walk(bench);
	assert_non_null(due_of(bench, "a1", "units"));
	assert_true(look(bench, "rey", "a new version is on its way"));
	later(bench, 2 * LIVING_AGAIN_S * 1000);
	walk(bench);
	assert_null(due_of(bench, "a1", "units"));
}

/* ---- looked at ---- */

static void on_done(void *context, uint64_t index, const struct error *err)
{
	(void)index;
	*(bool *)context = err == NULL;
}

static bool look(struct bench *bench, const char *person, const char *reason)
{
	bool is_done = false;
	const struct living_look request = {.identity = TEXT("a1"),
		.actor = text_format(bench->arena, "person:%s", person),
		.reason = text_of(reason),
		.context = &is_done,
		.done = on_done};
	struct error err = {0};

	if (!living_look(bench->living, &request, &err))
		return false;
	fake_log_flush(&bench->governed.log);
	return is_done;
}

static void change_tool(struct bench *bench)
{
	later(bench, 1000);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: high\n"));
	walk(bench);
}

static void its_owners_and_strangers_may_not_say_that_it_was_looked_at(void **state)
{
	struct bench *bench = *state;

	assert_false(look(bench, "rey", "nothing is due"));
	change_tool(bench);
	assert_false(look(bench, "ana", "fine"));
	assert_false(look(bench, "bo", "fine")); /* an approver, and its backup owner */
	assert_false(look(bench, "eva", "fine"));
	assert_false(look(bench, "adi", "fine"));
	assert_false(look(bench, "rey", ""));
	assert_int_equal(count_due(bench), 1);
	assert_true(look(bench, "rey", "the tool is still what it is for"));
	assert_int_equal(count_due(bench), 0);
	assert_false(look(bench, "rey", "again"));
}

/* What posture asks: since when a change waits, and by when people have to look. */
static void how_long_a_change_waits_and_a_look_may_take_is_told(void **state)
{
	struct bench *bench = *state;
	int64_t first_utc_ms;

	walk(bench);
	assert_int_equal(living_waiting_utc_ms(bench->living), 0);
	assert_int_equal(living_due_utc_ms(bench->living, TEXT("a1")), 0);
	later(bench, 1000);
	first_utc_ms = bench->governed.log.now_utc_ms;
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: high\n"));
	later(bench, 1000);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: low\n"));
	assert_in_range(living_waiting_utc_ms(bench->living), first_utc_ms, first_utc_ms + 999);
	walk(bench);
	assert_int_equal(living_waiting_utc_ms(bench->living), 0);
	assert_int_equal(living_due_utc_ms(bench->living, TEXT("a1")),
		json_integer_or(due_of(bench, "a1", "tool"), "due_utc_ms", 0));
	assert_int_equal(living_due_utc_ms(bench->living, TEXT("nobody")), 0);
	assert_true(look(bench, "rey", "the tool is still what it is for"));
	assert_int_equal(living_due_utc_ms(bench->living, TEXT("a1")), 0);
	assert_in_range(living_looked_utc_ms(bench->living, TEXT("a1")), first_utc_ms + 1000,
		bench->governed.log.now_utc_ms);
}

/* ---- breaking off ---- */

static void restart(struct bench *bench, struct bench *second)
{
	struct error err = {0};

	memset(second, 0, sizeof *second);
	second->arena = bench->arena;
	governed_init_loading(&second->governed);
	start(second);
	for (size_t i = 0; i < bench->governed.log.count; i++)
		assert_true(fold_apply_entry(second->governed.fold,
			bench->governed.log.entries[i].entry,
			bench->governed.log.entries[i].content, i, &err));
	second->governed.log.now_utc_ms = bench->governed.log.now_utc_ms;
	assert_true(fold_finish_loading(second->governed.fold, &err));
}

static void end(struct bench *second)
{
	living_destroy(&second->living);
	governed_deinit(&second->governed);
}

static void what_was_not_looked_for_when_it_broke_off_is_looked_for_then(void **state)
{
	struct bench *bench = *state;
	struct bench second;

	later(bench, 1000);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: high\n"));
	restart(bench, &second);
	walk(&second);
	assert_non_null(due_of(&second, "a1", "tool"));
	end(&second);
}

static void a_restart_knows_what_is_due_and_writes_nothing_twice(void **state)
{
	struct bench *bench = *state;
	struct bench second;
	size_t before;

	change_tool(bench);
	restart(bench, &second);
	assert_non_null(due_of(&second, "a1", "tool"));
	before = second.governed.log.count;
	walk(&second);
	assert_int_equal(second.governed.log.count, before);
	end(&second);
	assert_true(look(bench, "rey", "fine"));
	restart(bench, &second);
	walk(&second);
	assert_int_equal(count_due(&second), 0);
	end(&second);
}

static void a_record_that_is_lost_is_written_later(void **state)
{
	struct bench *bench = *state;

	later(bench, 1000);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: high\n"));
	bench->governed.log.loses = true;
	for (int i = 0; i < 8; i++) {
		(void)living_step(bench->living);
		fake_log_flush(&bench->governed.log);
	}
	assert_int_equal(count_due(bench), 0);
	bench->governed.log.loses = false;
	later(bench, 6000);
	walk(bench);
	assert_non_null(due_of(bench, "a1", "tool"));
}

/* ---- bounds ---- */

static void a_step_looks_at_so_many_and_the_next_goes_on(void **state)
{
	struct bench *bench = *state;
	struct buffer yaml;
	int steps = 0;

	buffer_init(&yaml, 4 << 20);
	for (int i = 0; i < LIVING_LOOKS_MAX + 8; i++)
		buffer_append_format(&yaml,
			"%sobject: identity\nname: m%04d\nkind: agent\nclass: update\nrisk: low\n"
			"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
			"environments: [staging]\n"
			"entitlements: [{effect: write, tool: files/write}]\n",
			i == 0 ? "" : "---\n", i);
	assert_true(governed_apply(&bench->governed, "adi",
		text_format(bench->arena, "%.*s", TEXT_ARGS(buffer_text(&yaml))).data));
	buffer_deinit(&yaml);
	for (int i = 0; i < LIVING_LOOKS_MAX + 8; i++)
		assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE,
			text_format(bench->arena, "m%04d", i).data));
	later(bench, 1000);
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/write\neffect: write\nrisk: high\n"));
	/* What is on its way is bounded: no more is written until some of it is durable. */
	bench->governed.log.is_held = true;
	for (; living_step(bench->living); steps++) {
		assert_true(steps < 1000);
		fake_log_flush(&bench->governed.log);
	}
	assert_int_equal(count_due(bench), LIVING_LOOKS_MAX + 8 + 1);
	assert_true(steps >= (LIVING_LOOKS_MAX + 8) / LIVING_FLIGHT_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_due_of_what_did_not_change),
		TEST(who_has_no_line_on_it_is_not_due),
		TEST(what_was_approved_after_the_change_is_not_due_by_it),
		TEST(a_tool_a_source_and_a_model_each_have_their_cause),
		TEST(its_own_owner_and_vendor_are_looked_at_and_by_its_peers),
		TEST(the_earlier_end_stays_when_more_changes),
		TEST(a_review_falls_due_by_its_charter),
		TEST(an_accepted_risk_falls_due_before_it_ends),
		TEST(what_came_into_force_before_units_were_asked_is_named_once),
		TEST(its_owners_and_strangers_may_not_say_that_it_was_looked_at),
		TEST(how_long_a_change_waits_and_a_look_may_take_is_told),
		TEST(what_was_not_looked_for_when_it_broke_off_is_looked_for_then),
		TEST(a_restart_knows_what_is_due_and_writes_nothing_twice),
		TEST(a_record_that_is_lost_is_written_later),
		TEST(a_step_looks_at_so_many_and_the_next_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

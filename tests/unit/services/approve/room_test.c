#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "services/approve/approve.h"
#include "support/call_bench.h"

/* What it takes to find whether people have room: the registry's walks are counted. */

enum { MANY = 200 };

static size_t people_seen, sources_seen;

struct counted {
	void *context;
	bool (*visit)(void *context, const struct registry_entry *entry);
};

static bool count_visit(void *context, const struct registry_entry *entry)
{
	const struct counted *counted = context;

	people_seen += entry->kind == OBJECT_PERSON;
	sources_seen += entry->kind == OBJECT_DATA_SOURCE;
	return counted->visit(counted->context, entry);
}

void __real_registry_each(const struct registry *registry, enum object_kind kind, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context);
void __wrap_registry_each(const struct registry *registry, enum object_kind kind, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context);
void __wrap_registry_each(const struct registry *registry, enum object_kind kind, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context)
{
	struct counted counted = {context, visit};

	__real_registry_each(registry, kind, after, count_visit, &counted);
}

static int setup(void **state)
{
	static struct call_bench bench;

	call_bench_init(&bench, 0);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	call_bench_deinit(*state);
	return 0;
}

static void put_approver(struct call_bench *bench, const char *name, const char *unit)
{
	assert_true(decide_bench_put(&bench->world,
		text_format(bench->world.arena,
			"object: person\nname: %s\nunit: %s\nroles: [approver]\n", name, unit)
			.data));
}

static void put_source(
	struct call_bench *bench, const char *name, const char *unit, const char *custodian)
{
	assert_true(decide_bench_put(&bench->world,
		text_format(bench->world.arena,
			"object: data-source\nname: %s\nunit: %s\ncustodian: %s\n"
			"sensitivity: internal\ntrust: trusted\nenvironment: staging\n",
			name, unit, custodian)
			.data));
}

static void run_needs(struct call_bench *bench, const char *names)
{
	struct text policy = text_format(bench->world.arena,
		"object: policy\nname: org/ask\ntext: |\n"
		"  forbid (principal, action == Action::\"execute\", resource)\n"
		"  unless { context.approvals.containsAll(%s) };\n",
		names);

	assert_true(decide_bench_put(&bench->world, policy.data));
}

static enum call_reply_kind ask_of(
	struct call_bench *bench, struct bench_client *client, const char *task, int number)
{
	char params[64];

	(void)snprintf(
		params, sizeof params, "{\"name\":\"%s\",\"arguments\":{\"n\":%d}}", "run", number);
	assert_true(call_bench_start_method(bench, client, task, "tools/call", params));
	return client->kind;
}

/* Waits for ana alone: the charter's line asks for its owner. */
static void ask_ana(struct call_bench *bench)
{
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	assert_int_equal(client.kind, CALL_ASKED);
}

static void put_many_people_and_sources(struct call_bench *bench)
{
	char name[16];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof name, "m%03d", i);
		put_approver(bench, name, "sales");
		put_source(bench, name, "sales", "eva");
	}
	put_approver(bench, "zed", "sales");
	decide_bench_edit(&bench->world, "ana", "roles: [owner]", "roles: [approver]");
	decide_bench_edit(&bench->world, "tickets", "custodian: cy", "custodian: zed");
}

/* Sources are walked once, not once for each person, and of the people nobody but custodians is
 * asked where one of them has room: but for the one walk after a change of the registry that says
 * who has which role. */
static void the_only_custodian_is_found_in_one_walk_of_the_sources(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	put_many_people_and_sources(bench);
	approve_bound_people(bench->approve, 1);
	ask_ana(bench);
	run_needs(bench, "[\"data-owner/support\"]");
	people_seen = sources_seen = 0;
	assert_int_equal(ask_of(bench, &client, "t-1", 1), CALL_ASKED);
	assert_in_range(sources_seen, 1, MANY + 2);
	assert_int_equal(people_seen, MANY + 5);
	/* Now he has none, whoever else is looked for, and whatever waits. */
	people_seen = sources_seen = 0;
	assert_int_equal(ask_of(bench, &client, "t-1", 2), CALL_REFUSED);
	assert_non_null(strstr(client.message, "1 questions wait already"));
	assert_in_range(sources_seen, 0, MANY + 2);
	assert_in_range(people_seen, 1, MANY + 5);
}

static void where_fewer_wait_in_all_than_one_may_have_nobody_is_looked_for(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	put_many_people_and_sources(bench);
	approve_bound_people(bench->approve, 2);
	ask_ana(bench);
	run_needs(bench, "[\"data-owner/support\", \"role/approver\"]");
	people_seen = sources_seen = 0;
	assert_int_equal(ask_of(bench, &client, "t-1", 1), CALL_ASKED);
	assert_int_equal(people_seen, MANY + 5); /* who has which role, once */
	assert_int_equal(sources_seen, 0);
	people_seen = 0;
	assert_int_equal(ask_of(bench, &client, "t-1", 2), CALL_ASKED);
	assert_int_not_equal(people_seen + sources_seen, 0);
}

static void an_owner_in_the_unit_has_room_where_no_custodian_does(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	approve_bound_people(bench->approve, 1);
	decide_bench_edit(&bench->world, "tickets", "custodian: cy", "custodian: bo");
	run_needs(bench, "[\"role/approver\"]"); /* bo */
	assert_int_equal(ask_of(bench, &client, "t-1", 1), CALL_ASKED);
	assert_int_equal(ask_of(bench, &client, "t-1", 2), CALL_REFUSED);
	run_needs(bench, "[\"data-owner/support\"]");
	assert_int_equal(ask_of(bench, &client, "t-1", 3), CALL_ASKED); /* ana, in the unit */
	assert_int_equal(ask_of(bench, &client, "t-1", 4), CALL_REFUSED);
}

static bool may(struct call_bench *bench, const char *id, const char *person)
{
	return approve_refusal(bench->approve, approval_find(bench->approve, text_of(id)),
		       text_of(person)) == NULL;
}

/* What is kept of the registry is as the registry is. */
static void a_custodian_is_one_from_the_change_on_that_makes_them_one(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	run_needs(bench, "[\"data-owner/support\"]");
	assert_int_equal(ask_of(bench, &client, "t-1", 1), CALL_ASKED);
	assert_true(may(bench, client.approval, "cy"));
	assert_false(may(bench, client.approval, "bo"));
	decide_bench_edit(&bench->world, "tickets", "custodian: cy", "custodian: bo");
	assert_false(may(bench, client.approval, "cy"));
	assert_true(may(bench, client.approval, "bo"));
	decide_bench_edit(&bench->world, "tickets", "unit: support", "unit: sales");
	assert_false(may(bench, client.approval, "bo"));
	put_source(bench, "more", "support", "bo");
	assert_true(may(bench, client.approval, "bo"));
}

/* ---- how much is looked at ---- */

enum {
	EACH = 400, /* questions, each of which each person is looked at for */
	PEOPLE = APPROVAL_LOOKS_MAX / EACH - 2, /* without room, beside bo; and zed, who has some */
	TASK_ASKS = APPROVAL_PENDING_PER_TASK_MAX,
};

/* Questions on behalf of zed: all approvers but zed may answer them. */
static void ask_for_zed(struct call_bench *bench, int from, int until)
{
	struct bench_client client;
	char task[24];

	for (int i = from; i < until; i++) {
		(void)snprintf(task, sizeof task, "t-z%d", i / TASK_ASKS);
		if (i % TASK_ASKS == 0)
			decide_bench_open_task_of(&bench->world, task, "zed");
		assert_int_equal(ask_of(bench, &client, task, i), CALL_ASKED);
	}
}

struct flood {
	char person[32];
	uint32_t open;
	unsigned times;
};

static void on_flooded(void *context, struct text person, uint32_t open)
{
	struct flood *flood = context;

	(void)snprintf(flood->person, sizeof flood->person, "%.*s", TEXT_ARGS(person));
	flood->open = open;
	flood->times++;
}

static void past_so_many_looks_nobody_counts_as_having_room(void **state)
{
	struct call_bench *bench = *state;
	struct flood flood = {.times = 0};
	const struct approve_listener listener = {.context = &flood, .on_flooded = on_flooded};
	struct bench_client client;
	char name[16];

	for (int i = 0; i < PEOPLE; i++) {
		(void)snprintf(name, sizeof name, "p%03d", i);
		put_approver(bench, name, "support");
	}
	put_approver(bench, "zed", "support");
	run_needs(bench, "[\"role/approver\"]");
	ask_for_zed(bench, 0, EACH);
	approve_bound_people(bench->approve, EACH);
	approve_listen(bench->approve, &listener);
	assert_int_equal(ask_of(bench, &client, "t-1", 1), CALL_ASKED); /* zed, at the limit */
	assert_int_equal(flood.times, 0);
	assert_true(call_bench_approve(bench, client.approval, "bo", false));
	approve_bound_people(bench->approve, EACH + 1);
	ask_for_zed(bench, EACH, EACH + 1);
	approve_bound_people(bench->approve, EACH);
	assert_int_equal(ask_of(bench, &client, "t-1", 2), CALL_REFUSED); /* one look past it */
	assert_int_equal(client.reason, REASON_APPROVAL_NEEDED);
	assert_non_null(strstr(client.message, "not looked further"));
	assert_int_equal(flood.times, 1);
	assert_string_equal(flood.person, "bo");
	assert_int_equal(flood.open, EACH);
	approve_listen(bench->approve, NULL);
}

/* bo and so many approvers are asked as much as they may be, zed is not: the question is on his
 * behalf. */
static void one_person_with_room_is_found_before_so_many_without(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	int without = 1; /* bo */
	char name[16];

	put_approver(bench, "zed", "support");
	run_needs(bench, "[\"role/approver\"]");
	approve_bound_people(bench->approve, 1);
	ask_for_zed(bench, 0, 1);
	for (int more = -1; more <= 1; more++) {
		for (; without < APPROVAL_PEOPLE_LOOKS_MAX + more; without++) {
			(void)snprintf(name, sizeof name, "p%03d", without);
			put_approver(bench, name, "support");
		}
		if (more < 0) {
			assert_int_equal(ask_of(bench, &client, "t-1", more), CALL_ASKED);
			assert_true(call_bench_approve(bench, client.approval, "bo", false));
			continue;
		}
		assert_int_equal(ask_of(bench, &client, "t-1", more), CALL_REFUSED);
		assert_int_equal(client.reason, REASON_APPROVAL_NEEDED);
		assert_non_null(strstr(client.message, "1 questions wait already for each person"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_only_custodian_is_found_in_one_walk_of_the_sources),
		TEST(where_fewer_wait_in_all_than_one_may_have_nobody_is_looked_for),
		TEST(an_owner_in_the_unit_has_room_where_no_custodian_does),
		TEST(a_custodian_is_one_from_the_change_on_that_makes_them_one),
		TEST(past_so_many_looks_nobody_counts_as_having_room),
		TEST(one_person_with_room_is_found_before_so_many_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/approve/approve.h"
#include "support/call_bench.h"

/* Questions come from the path of a call; what people may say is tried here. */

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

/* Asks for one write; the id stays good until the next. */
static const char *ask(struct call_bench *bench, const char *arguments)
{
	static struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", arguments));
	assert_int_equal(client.kind, CALL_ASKED);
	return client.approval;
}

static enum approval_state state_of(struct call_bench *bench, const char *id)
{
	return approval_state_now(
		bench->approve, approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms);
}

static enum error_code answer_refused(
	struct call_bench *bench, const char *id, const char *person, bool is_yes)
{
	enum answer_verb verb = is_yes ? ANSWER_APPROVE : ANSWER_REJECT;
	const struct approve_request request = {.id = text_of(id),
		.person = text_of(person),
		.verb = verb,
		.proof = call_bench_proof(bench, id, person, verb)};
	struct error err = {0};

	assert_false(approve_answer(bench->approve, &request, &err));
	return err.code;
}

static void nobody_but_those_asked_may_answer(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");

	assert_int_equal(answer_refused(bench, id, "bo", true), ERROR_INVALID);
	assert_int_equal(answer_refused(bench, id, "cy", true), ERROR_INVALID);
	assert_int_equal(answer_refused(bench, id, "eva", false), ERROR_INVALID);
	assert_int_equal(answer_refused(bench, id, "nobody", true), ERROR_INVALID);
	assert_int_equal(answer_refused(bench, id, "", true), ERROR_INVALID);
	assert_int_equal(answer_refused(bench, "a-none", "ana", true), ERROR_NOT_FOUND);
	assert_int_equal(state_of(bench, id), APPROVAL_PENDING);
	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_int_equal(state_of(bench, id), APPROVAL_APPROVED);
}

static void nobody_answers_what_was_asked_on_their_own_behalf(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	struct text id;

	decide_bench_fold(&bench->world,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-5\",\"identity\":\"agent\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":1900000000000,"
		"\"identity-epoch\":0,\"person\":\"ana\"}");
	assert_true(call_bench_start_method(
		bench, &client, "t-5", "tools/call", "{\"name\":\"write\"}"));
	id = text_of(client.approval);
	assert_true(text_is(approval_find(bench->approve, id)->person, "ana"));
	assert_int_equal(answer_refused(bench, client.approval, "ana", true), ERROR_INVALID);
}

static void a_question_is_answered_once(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");

	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_int_equal(answer_refused(bench, id, "ana", false), ERROR_INVALID);
	assert_int_equal(answer_refused(bench, id, "ana", true), ERROR_INVALID);
}

static void a_no_is_final(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");

	assert_true(call_bench_approve(bench, id, "ana", false));
	assert_int_equal(state_of(bench, id), APPROVAL_REJECTED);
	assert_false(approve_reserve(
		bench->approve, approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms));
}

static void nothing_changes_before_the_answer_is_durable(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");

	bench->is_log_held = true;
	assert_true(call_bench_approve(bench, id, "ana", true));
	call_bench_pump(bench);
	assert_int_equal(state_of(bench, id), APPROVAL_PENDING);
	assert_int_equal(bench->answers, 0);
	bench->log.loses = true;
	call_bench_flush(bench);
	assert_int_equal(state_of(bench, id), APPROVAL_PENDING);
	assert_int_equal(bench->answers, 1);
	assert_false(bench->is_answer_ok);
}

/* Else a no would be taken although the yes before it opens the call. */
static void one_answer_at_a_time_is_on_its_way(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");

	bench->is_log_held = true;
	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_int_equal(answer_refused(bench, id, "ana", false), ERROR_CONFLICT);
	bench->log.loses = true;
	call_bench_flush(bench);
	bench->log.loses = false;
	assert_true(call_bench_approve(bench, id, "ana", false));
	call_bench_flush(bench);
	assert_int_equal(state_of(bench, id), APPROVAL_REJECTED);
}

static void a_question_and_an_answer_expire(void **state)
{
	struct call_bench *bench = *state;
	const char *id;

	decide_bench_fold(
		&bench->world, "{\"type\":\"task-ended\",\"task\":\"t-none\",\"state\":\"ended\"}");
	id = ask(bench, "{}");
	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_int_equal(state_of(bench, id), APPROVAL_APPROVED);
	bench->log.now_utc_ms += 14 * 60 * 1000;
	assert_int_equal(state_of(bench, id), APPROVAL_APPROVED);
	bench->log.now_utc_ms += 60 * 1000;
	assert_int_equal(state_of(bench, id), APPROVAL_EXPIRED);
	assert_false(approve_reserve(
		bench->approve, approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms));
}

static void a_change_of_what_it_is_bound_to_makes_it_stale(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");

	decide_bench_edit(&bench->world, "agent", "purpose: Works", "purpose: Toils");
	assert_int_equal(state_of(bench, id), APPROVAL_STALE);
	assert_int_equal(answer_refused(bench, id, "ana", true), ERROR_CONFLICT);
	id = ask(bench, "{}");
	assert_int_equal(state_of(bench, id), APPROVAL_PENDING);
	assert_true(call_bench_kill(bench, "", "t-1"));
	assert_int_equal(state_of(bench, id), APPROVAL_STALE);
}

static void a_task_that_is_over_makes_it_stale_before_its_end_is_on_record(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");

	assert_int_equal(state_of(bench, id), APPROVAL_PENDING);
	task_forfeit(bench->world.tasks, task_find(bench->world.tasks, TEXT("t-1")));
	assert_int_equal(state_of(bench, id), APPROVAL_STALE);
}

static void a_new_question_about_the_same_arguments_takes_the_olds_place(void **state)
{
	struct call_bench *bench = *state;
	char first[32];
	const char *second;

	snprintf(first, sizeof(first), "%s", ask(bench, "{}"));
	assert_string_equal(ask(bench, "{}"), first); /* the same question, asked once */
	decide_bench_edit(&bench->world, "agent", "purpose: Works", "purpose: Toils");
	second = ask(bench, "{}");
	assert_string_not_equal(second, first);
	assert_int_equal(approval_find(bench->approve, text_of(first))->state, APPROVAL_STALE);
	assert_non_null(strstr(call_bench_last(bench, "approval-asked"), first));
}

static void a_question_is_recorded_with_what_it_is_about(void **state)
{
	static const char *const members[] = {"\"actor\":\"identity:agent\"",
		"\"identity\":\"agent\"", "\"task\":\"t-1\"", "\"server\":\"files\"",
		"\"tool\":\"files/write\"", "\"method\":\"tools/call\"", "\"charter\":\"agent@",
		"\"entitlement\":", "\"names\":[", "\"call\":\"sha256:", "\"arguments\":\"sha256:",
		"\"content\":\"sha256:", "\"expires\":"};
	struct call_bench *bench = *state;
	const char *asked;

	(void)ask(bench, "{}");
	asked = call_bench_last(bench, "approval-asked");
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		assert_non_null(strstr(asked, members[i]));
}

/* Its room is taken until it is on record that it is over. */
static void a_closing_that_is_lost_is_tried_again_after_a_minute(void **state)
{
	struct call_bench *bench = *state;
	char id[32];

	snprintf(id, sizeof(id), "%s", ask(bench, "{}"));
	bench->log.now_utc_ms += 2 * 60 * 60 * 1000;
	bench->log.loses_type = "approval-closed";
	bench->log.loses_count = 1;
	for (int i = 0; i < 2; i++) {
		approve_tick(bench->approve, bench->log.now_utc_ms);
		call_bench_flush(bench);
	}
	assert_int_equal(bench->log.loses_count, 0);
	assert_int_equal(call_bench_records(bench, "approval-closed"), 0); /* not at once */
	bench->log.now_utc_ms += 60 * 1000;
	for (int i = 0; i < 2; i++) {
		approve_tick(bench->approve, bench->log.now_utc_ms);
		call_bench_flush(bench);
	}
	assert_int_equal(call_bench_records(bench, "approval-closed"), 1);
	bench->log.now_utc_ms += 2 * 60 * 60 * 1000;
	approve_tick(bench->approve, bench->log.now_utc_ms);
	assert_null(approval_find(bench->approve, text_of(id)));
}

static void what_is_over_is_closed_in_the_log(void **state)
{
	struct call_bench *bench = *state;
	char id[32];

	snprintf(id, sizeof(id), "%s", ask(bench, "{}"));
	approve_tick(bench->approve, bench->log.now_utc_ms);
	call_bench_flush(bench);
	assert_int_equal(call_bench_records(bench, "approval-closed"), 0);
	bench->log.now_utc_ms += 60 * 60 * 1000;
	approve_tick(bench->approve, bench->log.now_utc_ms);
	approve_tick(bench->approve, bench->log.now_utc_ms);
	call_bench_flush(bench);
	assert_int_equal(call_bench_records(bench, "approval-closed"), 1);
	assert_int_equal(approval_find(bench->approve, text_of(id))->state, APPROVAL_EXPIRED);
	bench->log.now_utc_ms += 2 * 60 * 60 * 1000;
	approve_tick(bench->approve, bench->log.now_utc_ms);
	assert_null(approval_find(bench->approve, text_of(id)));
	assert_null(approval_next(bench->approve, NULL));
}

static void a_task_asks_only_so_many_questions_at_once(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char arguments[32];
	int i;

	for (i = 0; i < APPROVAL_PENDING_PER_TASK_MAX; i++) {
		snprintf(arguments, sizeof(arguments), "{\"n\":%d}", i);
		ask(bench, arguments);
	}
	assert_true(call_bench_start(bench, &client, "write", "{\"n\":\"more\"}"));
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_false(client.is_recorded);
}

static void an_identity_leaves_room_for_the_questions_of_others(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char task[24], params[64];
	int i;

	for (i = 0; i < APPROVALS_PER_IDENTITY_MAX; i++) {
		snprintf(task, sizeof(task), "t-m%d", i / (APPROVAL_PENDING_PER_TASK_MAX / 2));
		if (i % (APPROVAL_PENDING_PER_TASK_MAX / 2) == 0)
			decide_bench_open_task(
				&bench->world, task, "agent", ENVIRONMENT_STAGING, "");
		snprintf(
			params, sizeof(params), "{\"name\":\"write\",\"arguments\":{\"n\":%d}}", i);
		assert_true(call_bench_start_method(bench, &client, task, "tools/call", params));
		assert_int_equal(client.kind, CALL_ASKED);
	}
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_false(client.is_recorded);
}

static void ask_numbered(
	struct call_bench *bench, struct bench_client *client, const char *tool, int number)
{
	char arguments[32];

	(void)snprintf(arguments, sizeof arguments, "{\"n\":%d}", number);
	assert_true(call_bench_start(bench, client, tool, arguments));
}

/* A question of another identity, on record. */
static void fold_question(struct call_bench *bench, int number)
{
	char id[APPROVAL_ID_BYTES + 1], digest[65];
	struct error err = {0};
	struct text entry;

	(void)snprintf(id, sizeof id, "a-%020d", number);
	(void)snprintf(digest, sizeof digest, "%064d", number);
	entry = text_format(bench->world.arena,
		"{\"type\":\"approval-asked\",\"at\":1,\"approval\":\"%s\",\"identity\":\"other\","
		"\"task\":\"t-o\",\"names\":[\"owner\"],\"call\":\"sha256:%s\","
		"\"arguments\":\"sha256:%s\",\"expires\":1900000000000}",
		id, digest, digest);
	if (!fold_apply_entry(bench->fold, entry, TEXT(""), fold_next_index(bench->fold), &err))
		fail_msg("%s", err.text);
}

/* One whose task lies below so many others; false: it is no record that can be. */
static bool fold_below(struct call_bench *bench, int tasks)
{
	struct text chain = TEXT("{\"task\":\"t-0\",\"identity\":\"other\"}");
	struct error err = {0};

	for (int i = 1; i < tasks; i++)
		chain = text_format(bench->world.arena,
			"%.*s,{\"task\":\"t-%d\",\"identity\":\"other\"}", TEXT_ARGS(chain), i);
	return fold_apply_entry(bench->fold,
		text_format(bench->world.arena,
			"{\"type\":\"approval-asked\",\"at\":1,\"approval\":\"a-%020d\","
			"\"identity\":\"other\",\"task\":\"t-0\",\"names\":[\"owner\"],\"chain\":[%"
			".*s],"
			"\"call\":\"sha256:%064d\",\"arguments\":\"sha256:%064d\","
			"\"expires\":1900000000000}",
			tasks, TEXT_ARGS(chain), tasks, tasks),
		TEXT(""), fold_next_index(bench->fold), &err);
}

static void a_question_has_all_tasks_of_its_path(void **state)
{
	struct call_bench *bench = *state;
	char id[APPROVAL_ID_BYTES + 1];

	for (int tasks = CALL_CHAIN_MAX - 1; tasks <= CALL_CHAIN_MAX; tasks++) {
		assert_true(fold_below(bench, tasks));
		(void)snprintf(id, sizeof id, "a-%020d", tasks);
		assert_int_equal(approval_find(bench->approve, text_of(id))->chain_count, tasks);
	}
	assert_false(fold_below(bench, CALL_CHAIN_MAX + 1));
}

static int count_held(const struct call_bench *bench)
{
	const struct approval *approval = NULL;
	int count = 0;

	while ((approval = approval_next(bench->approve, approval)) != NULL)
		count++;
	return count;
}

/* APPROVALS_MAX. */
static void so_many_questions_are_held_with_those_on_their_way(void **state)
{
	enum { ON_THEIR_WAY = 3, REST = 2 };
	struct call_bench *bench = *state;
	struct bench_client clients[ON_THEIR_WAY], more;

	for (int i = 0; i < APPROVALS_MAX - REST; i++)
		fold_question(bench, i);
	assert_int_equal(count_held(bench), APPROVALS_MAX - REST);
	bench->is_log_held = true;
	for (int i = 0; i < ON_THEIR_WAY; i++)
		ask_numbered(bench, &clients[i], "write", i);
	bench->is_log_held = false;
	call_bench_flush(bench);
	for (int i = 0; i < ON_THEIR_WAY; i++)
		assert_int_equal(clients[i].kind, i < REST ? CALL_ASKED : CALL_REFUSED);
	assert_int_equal(count_held(bench), APPROVALS_MAX);
	ask_numbered(bench, &more, "write", ON_THEIR_WAY);
	assert_int_equal(more.kind, CALL_REFUSED);
	assert_int_equal(count_held(bench), APPROVALS_MAX);
}

/* ---- how many one person is asked ---- */

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

static void a_person_is_asked_no_more_than_they_can_read(void **state)
{
	struct call_bench *bench = *state;
	struct flood flood = {.times = 0};
	const struct approve_listener listener = {.context = &flood, .on_flooded = on_flooded};
	struct bench_client client;
	char first[32];

	approve_bound_people(bench->approve, 3);
	(void)snprintf(first, sizeof first, "%s", ask(bench, "{\"n\":0}"));
	for (int i = 1; i < 3; i++) {
		ask_numbered(bench, &client, "write", i);
		assert_int_equal(client.kind, CALL_ASKED);
	}
	approve_listen(bench->approve, &listener);
	ask_numbered(bench, &client, "write", 3);
	approve_listen(bench->approve, NULL);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.verdict, VERDICT_DENY);
	assert_true(client.is_recorded);
	assert_int_equal(client.reason, REASON_APPROVAL_NEEDED);
	assert_non_null(strstr(client.message, "3 questions wait already"));
	assert_int_equal(flood.times, 1);
	assert_string_equal(flood.person, "ana");
	assert_int_equal(flood.open, 3);
	assert_int_equal(call_bench_records(bench, "approval-asked"), 3);
	assert_true(call_bench_approve(bench, first, "ana", false));
	ask_numbered(bench, &client, "write", 3);
	assert_int_equal(client.kind, CALL_ASKED);
}

/* Calls that wait for the log together know nothing of each other. */
static void those_on_their_way_are_counted(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client clients[3];

	approve_bound_people(bench->approve, 2);
	bench->is_log_held = true;
	for (int i = 0; i < 3; i++)
		ask_numbered(bench, &clients[i], "write", i);
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(call_bench_records(bench, "approval-asked"), 2);
	assert_int_equal(clients[0].kind, CALL_ASKED);
	assert_int_equal(clients[1].kind, CALL_ASKED);
	assert_int_equal(clients[2].kind, CALL_REFUSED);
	assert_int_equal(clients[2].reason, REASON_APPROVAL_NEEDED);
	/* And once, not twice, when they are on record. */
	approve_bound_people(bench->approve, 3);
	ask_numbered(bench, &clients[2], "write", 3);
	assert_int_equal(clients[2].kind, CALL_ASKED);
}

static void a_task_has_no_more_of_them_on_their_way(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client clients[APPROVAL_PENDING_PER_TASK_MAX + 1];

	bench->is_log_held = true;
	for (int i = 0; i <= APPROVAL_PENDING_PER_TASK_MAX; i++)
		ask_numbered(bench, &clients[i], "write", i);
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(
		call_bench_records(bench, "approval-asked"), APPROVAL_PENDING_PER_TASK_MAX);
	assert_int_equal(clients[APPROVAL_PENDING_PER_TASK_MAX].kind, CALL_REFUSED);
}

/* One takes the place of another, and so does not the next. */
static void two_on_their_way_take_no_one_place(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client first, second;

	approve_bound_people(bench->approve, 1);
	(void)ask(bench, "{\"n\":0}");
	decide_bench_edit(&bench->world, "files/write", "risk: medium", "risk: high");
	bench->is_log_held = true;
	ask_numbered(bench, &first, "write", 0);
	ask_numbered(bench, &second, "write", 0);
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(first.kind, CALL_ASKED);
	assert_int_equal(second.kind, CALL_REFUSED);
}

static void what_the_log_never_took_gives_its_room_back(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	int64_t before_utc_ms = bench->log.now_utc_ms, after_utc_ms;

	approve_bound_people(bench->approve, 1);
	bench->is_log_held = true;
	ask_numbered(bench, &client, "write", 0);
	after_utc_ms = bench->log.now_utc_ms; /* each look at the clock is a tick */
	bench->log.loses = true;
	call_bench_flush(bench);
	bench->log.loses = false;
	bench->is_log_held = false;
	assert_int_equal(call_bench_records(bench, "approval-asked"), 0);
	bench->log.now_utc_ms =
		before_utc_ms + APPROVAL_ASKING_MS_MAX - (after_utc_ms - before_utc_ms) - 1;
	ask_numbered(bench, &client, "write", 1);
	assert_int_equal(client.kind, CALL_REFUSED);
	bench->log.now_utc_ms = after_utc_ms + APPROVAL_ASKING_MS_MAX;
	ask_numbered(bench, &client, "write", 2);
	assert_int_equal(client.kind, CALL_ASKED);
}

/* What was asked about already is not asked once more. */
static void the_same_call_once_more_is_no_question_more(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char first[32];

	approve_bound_people(bench->approve, 1);
	(void)snprintf(first, sizeof first, "%s", ask(bench, "{\"n\":0}"));
	ask_numbered(bench, &client, "write", 0);
	assert_int_equal(client.kind, CALL_ASKED);
	assert_string_equal(client.approval, first);
	decide_bench_edit(&bench->world, "files/write", "risk: medium", "risk: high");
	ask_numbered(bench, &client, "write", 0); /* in place of the first */
	assert_int_equal(client.kind, CALL_ASKED);
	assert_string_not_equal(client.approval, first);
}

/* A question that is over waits for nobody. */
static void what_is_over_leaves_room(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	approve_bound_people(bench->approve, 1);
	(void)ask(bench, "{\"n\":0}");
	ask_numbered(bench, &client, "write", 1);
	assert_int_equal(client.kind, CALL_REFUSED);
	decide_bench_fold(&bench->world,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-l\",\"identity\":\"agent\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":1900000000000,"
		"\"identity-epoch\":0}");
	bench->log.now_utc_ms += INT64_C(59) * 60 * 1000;
	for (int is_over = 0; is_over <= 1; is_over++) {
		assert_true(call_bench_start_method(
			bench, &client, "t-l", "tools/call", "{\"name\":\"write\"}"));
		assert_int_equal(client.kind, is_over ? CALL_ASKED : CALL_REFUSED);
		assert_int_equal(client.reason, REASON_APPROVAL_NEEDED);
		bench->log.now_utc_ms += INT64_C(61) * 1000;
	}
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

static void one_of_several_who_has_room_is_enough_and_for_each_name_one(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	approve_bound_people(bench->approve, 1);
	(void)ask(bench, "{\"n\":0}"); /* waits for ana alone */
	run_needs(bench, "[\"second\"]");
	ask_numbered(bench, &client, "run", 1); /* bo has room */
	assert_int_equal(client.kind, CALL_ASKED);
	ask_numbered(bench, &client, "run", 2); /* and now he has none */
	assert_int_equal(client.kind, CALL_REFUSED);
	run_needs(bench, "[\"role/administrator\"]");
	ask_numbered(bench, &client, "run", 3);
	assert_int_equal(client.kind, CALL_ASKED);
	approve_bound_people(bench->approve, 2);
	run_needs(bench, "[\"owner\", \"role/approver\"]");
	ask_numbered(bench, &client, "run", 4); /* ana has two, bo one */
	assert_int_equal(client.kind, CALL_REFUSED);
}

/* Nobody is spared by a refusal where nobody is asked: that is told by others. */
static void where_nobody_stands_for_a_name_people_are_asked_as_ever(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	approve_bound_people(bench->approve, 1);
	run_needs(bench, "[\"role/auditor\"]");
	ask_numbered(bench, &client, "run", 1);
	assert_int_equal(client.kind, CALL_ASKED);
	ask_numbered(bench, &client, "run", 2);
	assert_int_equal(client.kind, CALL_ASKED);
}

/* ---- who stands for which name ---- */

static const char *names_ask(struct call_bench *bench, const char *names)
{
	struct text policy = text_format(bench->world.arena,
		"object: policy\nname: org/ask\ntext: |\n"
		"  forbid (principal, action == Action::\"execute\", resource)\n"
		"  unless { context.approvals.containsAll(%s) };\n",
		names);
	static struct bench_client client;

	assert_true(decide_bench_put(&bench->world, policy.data));
	assert_true(call_bench_start(bench, &client, "run", "{}"));
	assert_int_equal(client.kind, CALL_ASKED);
	return client.approval;
}

static bool may(struct call_bench *bench, const char *id, const char *person)
{
	return approve_refusal(bench->approve, approval_find(bench->approve, text_of(id)),
		       text_of(person)) == NULL;
}

static void a_role_counts_in_the_identitys_unit_and_an_administrators_everywhere(void **state)
{
	struct call_bench *bench = *state;
	const char *id = names_ask(bench, "[\"role/approver\"]");

	assert_true(may(bench, id, "bo"));
	assert_false(may(bench, id, "cy")); /* approver in sales */
	assert_false(may(bench, id, "ana"));
	id = names_ask(bench, "[\"role/administrator\"]");
	assert_true(may(bench, id, "eva"));
	assert_false(may(bench, id, "bo"));
}

static void a_role_of_any_name_is_asked_and_answers(void **state)
{
	struct call_bench *bench = *state;
	const char *id;

	assert_true(decide_bench_put(&bench->world,
		"object: person\nname: bo\nunit: support\nroles: [legal]\n---\n"
		"object: person\nname: cy\nunit: sales\nroles: [legal]\n"));
	id = names_ask(bench, "[\"role/legal\"]");
	assert_false(may(bench, id, "cy"));
	assert_false(may(bench, id, "ana"));
	assert_true(may(bench, id, "bo"));
	assert_true(call_bench_approve(bench, id, "bo", true));
	assert_int_equal(state_of(bench, id), APPROVAL_APPROVED);
	assert_true(approve_reserve(
		bench->approve, approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms));
}

static void a_data_owner_owns_data_the_call_has_to_do_with(void **state)
{
	struct call_bench *bench = *state;
	const char *id = names_ask(bench, "[\"data-owner/support\"]");

	assert_true(may(bench, id, "ana")); /* owner in the unit */
	assert_true(may(bench, id, "cy"));  /* custodian of its tickets */
	assert_false(may(bench, id, "bo"));
}

/* So many approvers of the unit, with keys. */
static void put_approvers(
	struct call_bench *bench, char names[][8], const char *people[], int count)
{
	for (int i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof names[i], "p%d", i);
		people[i] = names[i];
		assert_true(decide_bench_put(&bench->world,
			text_format(bench->world.arena,
				"object: person\nname: %s\nunit: support\nroles: [approver]\n",
				names[i])
				.data));
	}
	people_enrol(bench->world.registry, people, bench->world.arena);
}

/* APPROVAL_ANSWERS_MAX: the last place is the owner's, for whose name nobody answered yet. */
static void so_many_people_answer_one_question_and_a_name_keeps_its_place(void **state)
{
	struct call_bench *bench = *state;
	static char names[APPROVAL_ANSWERS_MAX][8];
	const char *people[APPROVAL_ANSWERS_MAX + 1] = {NULL};
	const struct approval *approval;
	const char *id;

	put_approvers(bench, names, people, APPROVAL_ANSWERS_MAX);
	id = names_ask(bench, "[\"role/approver\", \"owner\"]");
	approval = approval_find(bench->approve, text_of(id));
	for (int i = 0; i < APPROVAL_ANSWERS_MAX - 1; i++)
		assert_true(call_bench_approve(bench, id, names[i], true));
	assert_int_equal(
		answer_refused(bench, id, names[APPROVAL_ANSWERS_MAX - 1], true), ERROR_LIMIT);
	assert_int_equal(approval->answers_count, APPROVAL_ANSWERS_MAX - 1);
	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_int_equal(approval->answers_count, APPROVAL_ANSWERS_MAX);
	assert_int_equal(state_of(bench, id), APPROVAL_APPROVED);
}

static void a_no_has_a_place_while_a_question_waits(void **state)
{
	struct call_bench *bench = *state;
	static char names[APPROVAL_ANSWERS_MAX][8];
	const char *people[APPROVAL_ANSWERS_MAX + 1] = {NULL};
	const char *id;

	put_approvers(bench, names, people, APPROVAL_ANSWERS_MAX);
	id = names_ask(bench, "[\"role/approver\", \"owner\"]");
	for (int i = 0; i < APPROVAL_ANSWERS_MAX - 1; i++)
		assert_true(call_bench_approve(bench, id, names[i], true));
	assert_true(call_bench_approve(bench, id, names[APPROVAL_ANSWERS_MAX - 1], false));
	assert_int_equal(state_of(bench, id), APPROVAL_REJECTED);
}

static void a_second_person_is_another_one(void **state)
{
	struct call_bench *bench = *state;
	const char *id = names_ask(bench, "[\"owner\", \"second\"]");

	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_int_equal(state_of(bench, id), APPROVAL_PENDING);
	assert_true(call_bench_approve(bench, id, "bo", true));
	assert_int_equal(state_of(bench, id), APPROVAL_APPROVED);
}

static void an_approver_who_loses_the_standing_no_longer_counts(void **state)
{
	struct call_bench *bench = *state;
	const char *id = names_ask(bench, "[\"role/approver\"]");

	assert_true(call_bench_approve(bench, id, "bo", true));
	assert_int_equal(state_of(bench, id), APPROVAL_APPROVED);
	decide_bench_edit(&bench->world, "bo", "roles: [backup-owner, approver]", "roles: []");
	assert_int_equal(state_of(bench, id), APPROVAL_STALE);
	assert_false(approve_reserve(
		bench->approve, approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms));
}

static void an_approval_is_shown_with_all_that_matters(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{\"note\":\"for e@x.org\"}");
	struct json shown;
	struct error err;
	struct text text;

	assert_true(approval_json(&shown, bench->world.arena, bench->approve,
		approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms, &err));
	text = json_canonical_text(bench->world.arena, &shown);
	assert_non_null(strstr(text.data, "\"names\":[\"owner\"]"));
	assert_non_null(strstr(text.data, "\"missing\":[\"owner\"]"));
	assert_non_null(strstr(text.data, "\"who\":[\"ana\"]"));
	assert_non_null(strstr(text.data, "\"state\":\"pending\""));
	assert_non_null(strstr(text.data, "\"tool\":\"files/write\""));
	assert_non_null(strstr(text.data, "\"charter\":\"agent@1\""));
	/* Why it is asked, and whence its values came. */
	assert_non_null(strstr(text.data, "permits it once people approve."));
	assert_non_null(strstr(text.data, "\"origins\":{\"addresses\":\"unknown\",\"from\":["));
	assert_null(strstr(text.data, "e@x.org"));
}

static void open_task_for(
	struct call_bench *bench, const char *id, const char *parent, const char *purpose)
{
	struct decide_bench *world = &bench->world;
	struct task_opening opening = {.id = text_of(id),
		.identity = TEXT("agent"),
		.person = parent[0] == '\0' ? TEXT("cy") : TEXT(""),
		.purpose = text_of(purpose),
		.parent = text_of(parent),
		.charter_version = 1,
		.environment = ENVIRONMENT_STAGING,
		.at_utc_ms = world->now_utc_ms,
		.deadline_utc_ms = world->now_utc_ms + 900000};
	struct json record;
	struct error err;

	assert_true(task_opened_record(
		&record, world->arena, world->tasks, &opening, TEXT("remit"), &err));
	assert_true(task_table_fold(world->tasks, &record, world->next_index++, &err));
}

static const char *approval_of_task(struct call_bench *bench, const char *task)
{
	static struct bench_client client;
	struct json shown;
	struct error err;

	assert_true(call_bench_start_method(
		bench, &client, task, "tools/call", "{\"name\":\"write\",\"arguments\":{}}"));
	assert_int_equal(client.kind, CALL_ASKED);
	assert_true(approval_json(&shown, bench->world.arena, bench->approve,
		approval_find(bench->approve, text_of(client.approval)), bench->log.now_utc_ms,
		&err));
	return json_canonical_text(bench->world.arena, &shown).data;
}

/* An agent opened it: the words of the person are those of the first task. */
static void an_approval_below_another_task_has_what_the_first_was_asked(void **state)
{
	struct call_bench *bench = *state;

	open_task_for(bench, "t-r", "", "Pay the invoice");
	open_task_for(bench, "t-c", "t-r", "");
	open_task_for(bench, "t-d", "t-c", "my own words");
	assert_null(strstr(approval_of_task(bench, "t-r"), "\"request\""));
	assert_non_null(
		strstr(approval_of_task(bench, "t-c"), "\"request\":{\"person\":\"cy\",\"purpose\":"
						       "\"Pay the invoice\",\"task\":\"t-r\"}"));
	assert_non_null(strstr(approval_of_task(bench, "t-d"), "\"purpose\":\"Pay the invoice\""));
}

static void the_log_alone_gives_the_same_approvals(void **state)
{
	struct call_bench *bench = *state;
	struct call_bench *after = calloc(1, sizeof(*after));
	struct error err;
	char first[32], second[32];
	size_t i;

	snprintf(first, sizeof(first), "%s", ask(bench, "{\"n\":1}"));
	snprintf(second, sizeof(second), "%s", ask(bench, "{\"n\":2}"));
	assert_true(call_bench_approve(bench, first, "ana", true));
	assert_true(call_bench_approve(bench, second, "ana", false));
	call_bench_init(after, 0);
	for (i = 0; i < bench->log.count; i++)
		assert_true(fold_apply_entry(after->fold, bench->log.entries[i].entry,
			bench->log.entries[i].content, i, &err));
	assert_int_equal(state_of(after, first), APPROVAL_APPROVED);
	assert_int_equal(state_of(after, second), APPROVAL_REJECTED);
	call_bench_deinit(after);
	free(after);
}

/* Rows come by their last change: the charter of an identity that was suspended
 * and reactivated comes after the answers that count by it. */
static void an_answer_counts_although_its_charter_is_loaded_after_it(void **state)
{
	struct call_bench *bench = *state;
	static const char *const people[] = {"ana", NULL};
	struct decide_bench world = {.arena = bench->world.arena};
	const struct fold_log port = fake_log_port(&bench->log);
	const struct approve_settings settings = {0};
	struct approve *approve;
	struct fold *fold;
	const char *id = ask(bench, "{}");
	int64_t expires_utc_ms;
	struct error err;
	size_t i;

	assert_true(call_bench_approve(bench, id, "ana", true));
	expires_utc_ms = approval_find(bench->approve, text_of(id))->expires_utc_ms;
	assert_true(registry_create(&world.registry, &err));
	assert_true(fold_create(&fold, &port, NULL, &err));
	assert_true(approve_create(
		&approve, world.registry, bench->world.tasks, fold, &settings, &err));
	for (i = 0; i < bench->log.count; i++)
		assert_true(fold_apply_entry(
			fold, bench->log.entries[i].entry, TEXT(""), (uint64_t)i, &err));
	assert_true(decide_bench_put(&world, decide_bench_yaml));
	people_enrol(world.registry, people, bench->world.arena);
	assert_true(fold_finish_loading(fold, &err));
	assert_int_equal(approval_find(approve, text_of(id))->state, APPROVAL_APPROVED);
	assert_int_equal(approval_find(approve, text_of(id))->expires_utc_ms, expires_utc_ms);
	approve_destroy(&approve);
	fold_destroy(&fold);
	registry_destroy(&world.registry);
}

static void a_units_own_people_are_asked_and_no_others(void **state)
{
	struct call_bench *bench = *state;
	const char *id = names_ask(bench, "[\"unit/support\"]");

	assert_true(may(bench, id, "ana")); /* owner in support */
	assert_true(may(bench, id, "bo"));  /* approver in support */
	assert_false(may(bench, id, "cy"));
	assert_false(may(bench, id, "eva")); /* administrator of org */
	decide_bench_edit(&bench->world, "bo", "unit: support", "unit: sales");
	assert_false(may(bench, id, "bo"));
}

static void the_persons_of_the_tasks_above_may_not_answer_either(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_fold(&bench->world,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-6\",\"identity\":\"agent\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":1900000000000,"
		"\"identity-epoch\":0,\"person\":\"ana\"}");
	decide_bench_fold(&bench->world,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-7\",\"identity\":\"agent\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":1900000000000,"
		"\"identity-epoch\":0,\"parent\":\"t-6\",\"parent-epoch\":0}");
	assert_true(call_bench_start_method(
		bench, &client, "t-7", "tools/call", "{\"name\":\"write\"}"));
	assert_int_equal(approval_find(bench->approve, text_of(client.approval))->chain_count, 2);
	assert_int_equal(answer_refused(bench, client.approval, "ana", true), ERROR_INVALID);
}

/* ---- who else hears of it ---- */

struct heard {
	char text[512];
};

static void on_event(void *context, enum approval_event event, const struct approval *approval)
{
	struct heard *heard = context;
	size_t used = strlen(heard->text);

	(void)snprintf(heard->text + used, sizeof heard->text - used, "%s %s; ",
		approval_event_word(event), approval_state_word(approval->state));
}

static void others_hear_of_each_question_answer_and_end(void **state)
{
	struct call_bench *bench = *state;
	struct heard heard = {""};
	const struct approve_listener listener = {.context = &heard, .on_event = on_event};
	struct bench_client client;
	const char *id;

	approve_listen(bench->approve, &listener);
	id = names_ask(bench, "[\"owner\", \"second\"]");
	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_true(call_bench_approve(bench, id, "bo", true));
	assert_true(call_bench_start(bench, &client, "run", "{}"));
	call_bench_ready(bench, true);
	assert_string_equal(
		heard.text, "asked pending; answered pending; answered approved; closed used; ");
	approve_listen(bench->approve, NULL);
	(void)ask(bench, "{\"b\":1}");
	assert_null(strstr(heard.text, "used; asked"));
}

static void a_summary_holds_nothing_that_was_asked_with(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{\"amount\":4711,\"to\":\"somewhere\"}");
	struct json summary;
	struct error err;
	struct text text;

	assert_true(approval_summary_json(&summary, bench->world.arena, bench->approve,
		approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms, &err));
	text = json_canonical_text(bench->world.arena, &summary);
	assert_non_null(strstr(text.data, "\"who\":[\"ana\"]"));
	assert_non_null(strstr(text.data, "\"missing\":[\"owner\"]"));
	assert_null(strstr(text.data, "4711"));
	assert_null(strstr(text.data, "somewhere"));
	assert_null(json_find(&summary, "clause"));
	assert_null(json_find(&summary, "call"));
}

static void a_summary_names_only_so_many_people(void **state)
{
	struct call_bench *bench = *state;
	const char *id;
	struct json summary;
	struct error err;

	for (int i = 0; i < APPROVAL_SUMMARY_PEOPLE_MAX + 1; i++) {
		struct text person = text_format(bench->world.arena,
			"object: person\nname: p%d\nunit: support\nroles: [approver]\n", i);

		assert_true(decide_bench_put(&bench->world, person.data));
	}
	id = names_ask(bench, "[\"role/approver\"]");
	assert_true(approval_summary_json(&summary, bench->world.arena, bench->approve,
		approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms, &err));
	assert_int_equal(json_find(&summary, "who")->count, APPROVAL_SUMMARY_PEOPLE_MAX);
}

static void a_lost_notice_is_on_record_and_shows(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");
	const struct approve_lost lost = {.subject = text_of(id),
		.event = TEXT("approval.asked"),
		.tries = 10,
		.why = "no answer came"};
	const struct approve_lost of_glass = {
		.subject = TEXT("g-1"), .event = TEXT("break-glass.opened"), .why = "lost"};
	const struct approve_lost of_finding = {
		.subject = TEXT("f-1"), .event = TEXT("finding.opened"), .why = "lost"};
	struct json shown;
	struct error err;

	assert_true(approve_notice_lost(bench->approve, &lost, &err));
	call_bench_flush(bench);
	assert_non_null(strstr(call_bench_last(bench, "notice-lost"), "\"tries\":10"));
	assert_non_null(strstr(call_bench_last(bench, "notice-lost"), id));
	assert_int_equal(approve_figures(bench->approve).notices_lost, 1);
	assert_int_equal(approve_figures(bench->approve).pending, 1);
	assert_true(approval_json(&shown, bench->world.arena, bench->approve,
		approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms, &err));
	assert_int_equal(json_integer_or(&shown, "notices_lost", 0), 1);
	assert_true(approve_notice_lost(bench->approve, &of_glass, &err));
	call_bench_flush(bench);
	assert_non_null(strstr(call_bench_last(bench, "notice-lost"), "\"break-glass\":\"g-1\""));
	assert_true(approve_notice_lost(bench->approve, &of_finding, &err));
	call_bench_flush(bench);
	assert_non_null(strstr(call_bench_last(bench, "notice-lost"), "\"finding\":\"f-1\""));
	bench->log.refuses = true;
	assert_false(approve_notice_lost(bench->approve, &lost, &err));
}

/* ---- what the card compares with ---- */

static void the_last_approved_call_of_a_tool_is_known_by_its_decision(void **state)
{
	struct call_bench *bench = *state;
	const struct approval_last *last;
	struct bench_client client;
	char id[32];

	assert_null(approve_last(bench->approve, TEXT("agent"), TEXT("files/write")));
	(void)snprintf(id, sizeof id, "%s", ask(bench, "{\"n\":1}"));
	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_null(approve_last(bench->approve, TEXT("agent"), TEXT("files/write")));
	assert_true(call_bench_start(bench, &client, "write", "{\"n\":1}"));
	call_bench_ready(bench, true);
	last = approve_last(bench->approve, TEXT("agent"), TEXT("files/write"));
	assert_non_null(last);
	assert_true(text_is(bench->log.entries[last->index].content, "{\"n\":1}"));
	assert_null(approve_last(bench->approve, TEXT("agent"), TEXT("files/run")));
	assert_null(approve_last(bench->approve, TEXT(""), TEXT("files/write")));
}

static void fold_allowed(struct call_bench *bench, int number)
{
	struct error err = {0};
	struct text entry = text_format(bench->world.arena,
		"{\"type\":\"decision\",\"at\":1,\"verdict\":\"allow\",\"approval\":\"a-%d\","
		"\"identity\":\"i%d\",\"task\":\"t-o\",\"tool\":\"files/write\"}",
		number, number);

	if (!fold_apply_entry(bench->fold, entry, TEXT(""), fold_next_index(bench->fold), &err))
		fail_msg("%s", err.text);
}

static bool has_last(struct call_bench *bench, int number)
{
	char identity[16];

	(void)snprintf(identity, sizeof identity, "i%d", number);
	return approve_last(bench->approve, text_of(identity), TEXT("files/write")) != NULL;
}

/* APPROVALS_LAST_MAX: of those that are known the last goes on being so; others have nothing to
 * be compared with. */
static void so_many_last_calls_are_known(void **state)
{
	struct call_bench *bench = *state;
	uint64_t first;

	for (int i = 0; i <= APPROVALS_LAST_MAX; i++)
		fold_allowed(bench, i);
	assert_true(has_last(bench, APPROVALS_LAST_MAX - 2));
	assert_true(has_last(bench, APPROVALS_LAST_MAX - 1));
	assert_false(has_last(bench, APPROVALS_LAST_MAX));
	first = approve_last(bench->approve, TEXT("i0"), TEXT("files/write"))->index;
	fold_allowed(bench, 0);
	assert_true(approve_last(bench->approve, TEXT("i0"), TEXT("files/write"))->index > first);
}

static void where_arguments_come_from_is_shown_as_the_decision_found_it(void **state)
{
	struct call_bench *bench = *state;
	const char *id = ask(bench, "{}");
	struct json shown;
	struct text told;
	struct error err;

	assert_true(approval_json(&shown, bench->world.arena, bench->approve,
		approval_find(bench->approve, text_of(id)), bench->log.now_utc_ms, &err));
	assert_non_null(json_find(&shown, "origins"));
	told = text_format(bench->world.arena, "\"origins\":%.*s,",
		TEXT_ARGS(json_canonical_text(bench->world.arena, json_find(&shown, "origins"))));
	assert_non_null(told.data);
	assert_non_null(strstr(call_bench_last(bench, "decision"), told.data));
}

/* ---- silence ---- */

static void open_long_task(struct call_bench *bench)
{
	decide_bench_fold(&bench->world,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-l\",\"identity\":\"agent\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":1900000000000,"
		"\"identity-epoch\":0}");
}

/* Of a task that lasts long enough. */
static const char *ask_of_long_task(struct call_bench *bench, struct bench_client *client)
{
	assert_true(call_bench_start_method(
		bench, client, "t-l", "tools/call", "{\"name\":\"write\"}"));
	return client->approval;
}

/* docs/approvals.md: for an hour. */
static void a_rejected_call_stays_rejected_for_an_hour(void **state)
{
	struct call_bench *bench = *state;
	const int64_t hour_ms = 60 * 60 * 1000;
	struct bench_client client;
	int64_t rejected_utc_ms;
	struct json record;
	struct error err;
	char id[32];

	open_long_task(bench);
	(void)snprintf(id, sizeof id, "%s", ask_of_long_task(bench, &client));
	assert_int_equal(client.kind, CALL_ASKED);
	assert_true(call_bench_approve(bench, id, "ana", false));
	assert_true(json_parse(&record, bench->world.arena,
		text_of(call_bench_last(bench, "approval-answered")), &json_limits_default, &err));
	rejected_utc_ms = json_integer_or(&record, "at", 0);
	bench->log.now_utc_ms = rejected_utc_ms + hour_ms - 1;
	approve_tick(bench->approve, bench->log.now_utc_ms);
	(void)ask_of_long_task(bench, &client);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_non_null(strstr(client.message, "rejected exactly this call"));
	bench->log.now_utc_ms = rejected_utc_ms + hour_ms;
	approve_tick(bench->approve, bench->log.now_utc_ms);
	assert_null(approval_find(bench->approve, text_of(id)));
	assert_string_not_equal(ask_of_long_task(bench, &client), id);
	assert_int_equal(client.kind, CALL_ASKED);
}

static void a_yes_that_nobody_used_in_time_is_asked_for_anew(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char id[32];

	open_long_task(bench);
	(void)snprintf(id, sizeof id, "%s", ask_of_long_task(bench, &client));
	assert_true(call_bench_approve(bench, id, "ana", true));
	bench->log.now_utc_ms += 16 * 60 * 1000;
	assert_int_equal(state_of(bench, id), APPROVAL_EXPIRED);
	assert_string_not_equal(ask_of_long_task(bench, &client), id);
	assert_int_equal(client.kind, CALL_ASKED);
}

#define APPROVE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		APPROVE_TEST(nobody_but_those_asked_may_answer),
		APPROVE_TEST(nobody_answers_what_was_asked_on_their_own_behalf),
		APPROVE_TEST(a_question_is_answered_once),
		APPROVE_TEST(a_no_is_final),
		APPROVE_TEST(nothing_changes_before_the_answer_is_durable),
		APPROVE_TEST(one_answer_at_a_time_is_on_its_way),
		APPROVE_TEST(a_question_and_an_answer_expire),
		APPROVE_TEST(a_closing_that_is_lost_is_tried_again_after_a_minute),
		APPROVE_TEST(a_change_of_what_it_is_bound_to_makes_it_stale),
		APPROVE_TEST(a_task_that_is_over_makes_it_stale_before_its_end_is_on_record),
		APPROVE_TEST(a_new_question_about_the_same_arguments_takes_the_olds_place),
		APPROVE_TEST(a_question_is_recorded_with_what_it_is_about),
		APPROVE_TEST(what_is_over_is_closed_in_the_log),
		APPROVE_TEST(a_task_asks_only_so_many_questions_at_once),
		APPROVE_TEST(an_identity_leaves_room_for_the_questions_of_others),
		APPROVE_TEST(so_many_questions_are_held_with_those_on_their_way),
		APPROVE_TEST(a_question_has_all_tasks_of_its_path),
		APPROVE_TEST(a_person_is_asked_no_more_than_they_can_read),
		APPROVE_TEST(those_on_their_way_are_counted),
		APPROVE_TEST(a_task_has_no_more_of_them_on_their_way),
		APPROVE_TEST(two_on_their_way_take_no_one_place),
		APPROVE_TEST(what_the_log_never_took_gives_its_room_back),
		APPROVE_TEST(the_same_call_once_more_is_no_question_more),
		APPROVE_TEST(what_is_over_leaves_room),
		APPROVE_TEST(one_of_several_who_has_room_is_enough_and_for_each_name_one),
		APPROVE_TEST(where_nobody_stands_for_a_name_people_are_asked_as_ever),
		APPROVE_TEST(a_role_counts_in_the_identitys_unit_and_an_administrators_everywhere),
		APPROVE_TEST(a_role_of_any_name_is_asked_and_answers),
		APPROVE_TEST(a_data_owner_owns_data_the_call_has_to_do_with),
		APPROVE_TEST(so_many_people_answer_one_question_and_a_name_keeps_its_place),
		APPROVE_TEST(a_no_has_a_place_while_a_question_waits),
		APPROVE_TEST(a_second_person_is_another_one),
		APPROVE_TEST(a_units_own_people_are_asked_and_no_others),
		APPROVE_TEST(the_persons_of_the_tasks_above_may_not_answer_either),
		APPROVE_TEST(others_hear_of_each_question_answer_and_end),
		APPROVE_TEST(a_summary_holds_nothing_that_was_asked_with),
		APPROVE_TEST(a_summary_names_only_so_many_people),
		APPROVE_TEST(a_lost_notice_is_on_record_and_shows),
		APPROVE_TEST(the_last_approved_call_of_a_tool_is_known_by_its_decision),
		APPROVE_TEST(where_arguments_come_from_is_shown_as_the_decision_found_it),
		APPROVE_TEST(so_many_last_calls_are_known),
		APPROVE_TEST(a_rejected_call_stays_rejected_for_an_hour),
		APPROVE_TEST(a_yes_that_nobody_used_in_time_is_asked_for_anew),
		APPROVE_TEST(an_approver_who_loses_the_standing_no_longer_counts),
		APPROVE_TEST(an_approval_is_shown_with_all_that_matters),
		APPROVE_TEST(an_approval_below_another_task_has_what_the_first_was_asked),
		APPROVE_TEST(the_log_alone_gives_the_same_approvals),
		APPROVE_TEST(an_answer_counts_although_its_charter_is_loaded_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

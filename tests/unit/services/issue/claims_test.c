/* Tasks that wait for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/jwk.h"
#include "services/issue/issue_private.h"
#include "support/issuing.h"
#include "support/self_signed.h"

#define ONE_CALL                                                                                   \
	"[{\"type\":\"remit_tool\",\"tool\":\"files/write\",\"arguments\":{\"path\":[\"a\"]}}]"

struct waiting {
	struct issuing issuing;
	/* The people. */
	enum issue_answer first; /* to being asked */
	enum issue_answer answer;
	bool is_held;
	unsigned questions;
	struct issue_question *question;
	char message[ISSUE_MESSAGE_BYTES_MAX + 1];
	/* The last answer. */
	struct issue_request request;
	unsigned answers;
	char token[8192];
	char claim[RANDOM_ID_BYTES];
	char task[RANDOM_ID_BYTES];
};

static void people_ask(void *context, struct issue_question *question)
{
	struct waiting *waiting = context;

	waiting->questions++;
	waiting->question = question;
	(void)snprintf(
		waiting->message, sizeof waiting->message, "%.*s", TEXT_ARGS(question->message));
	if (waiting->is_held)
		return;
	question->answer = waiting->first;
	if (waiting->first == ISSUE_ANSWER_PENDING)
		(void)snprintf(question->id, sizeof question->id, "a-%u", waiting->questions);
	question->done(question);
}

static enum issue_answer people_answer(void *context, struct text id)
{
	const struct waiting *waiting = context;

	assert_true(text_starts_with(id, "a-"));
	return waiting->answer;
}

static void let_ask(struct waiting *waiting)
{
	const struct issue_people people = {waiting, people_ask, people_answer};

	issue_set_people(waiting->issuing.issue, &people);
}

static int start(void **state)
{
	struct waiting *waiting = calloc(1, sizeof *waiting);

	assert_non_null(waiting);
	issuing_init(&waiting->issuing);
	waiting->first = waiting->answer = ISSUE_ANSWER_PENDING;
	let_ask(waiting);
	*state = waiting;
	return 0;
}

static int end(void **state)
{
	struct waiting *waiting = *state;

	issuing_deinit(&waiting->issuing);
	free(waiting);
	return 0;
}

static void answered(struct issue_request *request)
{
	struct waiting *waiting = request->context;

	waiting->answers++;
	waiting->request = *request;
	if (request->refusal != ISSUE_GRANTED)
		return;
	(void)snprintf(waiting->token, sizeof waiting->token, "%.*s", TEXT_ARGS(request->token));
	(void)snprintf(waiting->task, sizeof waiting->task, "%.*s", TEXT_ARGS(request->task));
	(void)snprintf(
		waiting->claim, sizeof waiting->claim, "%.*s", TEXT_ARGS(request->claim_granted));
}

static enum issue_refusal run(struct waiting *waiting, struct issue_request wish)
{
	struct issue_request *request =
		arena_new(waiting->issuing.governed.arena, struct issue_request);

	*request = wish;
	if (request->assertion.length == 0 && request->certificate.length == 0)
		request->assertion = issuing_assertion(&waiting->issuing, NULL);
	request->done = answered;
	request->context = waiting;
	waiting->answers = 0;
	issue_open_task(waiting->issuing.issue, request);
	return waiting->answers == 0 ? ISSUE_REFUSED : waiting->request.refusal;
}

static struct issue_request wish(void)
{
	return (struct issue_request){
		.wish = ISSUE_WISH_ASK, .resource = TEXT(ISSUING_FILES), .details = TEXT(ONE_CALL)};
}

static enum issue_refusal ask(struct waiting *waiting)
{
	return run(waiting, wish());
}

static enum issue_refusal poll_for(struct waiting *waiting, const char *claim)
{
	return run(
		waiting, (struct issue_request){.wish = ISSUE_WISH_CLAIM, .claim = text_of(claim)});
}

static enum issue_refusal poll(struct waiting *waiting)
{
	char claim[RANDOM_ID_BYTES];

	memcpy(claim, waiting->claim, sizeof claim);
	return poll_for(waiting, text_copy(waiting->issuing.governed.arena, text_of(claim)).data);
}

static size_t tasks_open(const struct waiting *waiting)
{
	const struct task *task = task_next(waiting->issuing.tasks, NULL);
	size_t count = 0;

	for (; task != NULL; task = task_next(waiting->issuing.tasks, task))
		count += task->recorded_state == TASK_OPEN;
	return count;
}

/* ---- asking ---- */

static void what_is_not_exactly_one_call_is_not_asked(void **state)
{
	static const char *const cases[] = {"",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/write\"}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"memory/write\",\"arguments\":{}}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"filesx/write\",\"arguments\":{}}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/write\",\"arguments\":{\"a\":[1,2]}}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/write\",\"arguments\":{}},"
		"{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"arguments\":{}}]"};
	struct waiting *waiting = *state;
	size_t records = waiting->issuing.governed.log.count;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct issue_request other = wish();

		other.details = text_of(cases[i]);
		assert_int_equal(run(waiting, other), ISSUE_NOT_ONE_CALL);
	}
	assert_int_equal(waiting->questions, 0);
	assert_int_equal(waiting->issuing.governed.log.count, records);
}

static void a_message_is_plain_and_short(void **state)
{
	struct waiting *waiting = *state;
	struct issue_request other = wish();
	char message[ISSUE_MESSAGE_BYTES_MAX + 2];

	other.message = TEXT("two\nlines");
	assert_int_equal(run(waiting, other), ISSUE_MESSAGE);
	(void)memset(message, 'm', sizeof message);
	other.message = (struct text){message, ISSUE_MESSAGE_BYTES_MAX + 1};
	assert_int_equal(run(waiting, other), ISSUE_MESSAGE);
	assert_int_equal(waiting->questions, 0);
	other.message = (struct text){message, ISSUE_MESSAGE_BYTES_MAX};
	assert_int_equal(run(waiting, other), ISSUE_GRANTED);
	assert_int_equal(strlen(waiting->message), ISSUE_MESSAGE_BYTES_MAX);
}

static void without_anybody_to_ask_nothing_is_opened(void **state)
{
	const struct issue_people nobody = {0};
	struct waiting *waiting = *state;

	issue_set_people(waiting->issuing.issue, &nobody);
	assert_int_equal(ask(waiting), ISSUE_BUSY);
	assert_int_equal(task_table_count(waiting->issuing.tasks), 0);
}

static void what_would_be_refused_anyway_leaves_no_task(void **state)
{
	struct waiting *waiting = *state;

	waiting->first = ISSUE_ANSWER_NO;
	assert_int_equal(ask(waiting), ISSUE_DENIED);
	waiting->first = ISSUE_ANSWER_OVER; /* it could not be asked */
	assert_int_equal(ask(waiting), ISSUE_BUSY);
	assert_int_equal(waiting->questions, 2);
	assert_int_equal(tasks_open(waiting), 0);
}

static void no_more_wait_than_there_is_room_for(void **state)
{
	struct waiting *waiting = *state;

	for (int i = 0; i < ISSUE_CLAIMS_PER_IDENTITY_MAX; i++)
		assert_int_equal(ask(waiting), ISSUE_GRANTED);
	assert_int_equal(ask(waiting), ISSUE_BUSY);
	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(poll(waiting), ISSUE_GRANTED);
	waiting->issuing.issue->claims_count += ISSUE_CLAIMS_MAX;
	assert_int_equal(ask(waiting), ISSUE_BUSY);
	waiting->issuing.issue->claims_count -= ISSUE_CLAIMS_MAX;
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
}

/* ---- polling ---- */

static void no_token_leaves_before_people_have_said_yes(void **state)
{
	struct waiting *waiting = *state;

	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	assert_int_equal(waiting->token[0], '\0');
	assert_int_equal(waiting->request.interval_s, ISSUE_CLAIM_INTERVAL_S);
	assert_int_equal(waiting->request.lifetime_s, 900);
	assert_int_equal(poll(waiting), ISSUE_PENDING);
	issuing_pass(&waiting->issuing, ISSUE_CLAIM_INTERVAL_S);
	waiting->answer = ISSUE_ANSWER_NO;
	assert_int_equal(poll(waiting), ISSUE_DENIED);
	assert_int_equal(tasks_open(waiting), 0);
	assert_int_equal(poll(waiting), ISSUE_CLAIM_UNKNOWN);
}

static void who_polls_too_fast_waits_longer(void **state)
{
	struct waiting *waiting = *state;

	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	waiting->answer = ISSUE_ANSWER_PENDING;
	assert_int_equal(poll(waiting), ISSUE_PENDING);
	issuing_pass(&waiting->issuing, ISSUE_CLAIM_INTERVAL_S - 1);
	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(poll(waiting), ISSUE_TOO_OFTEN);
	issuing_pass(&waiting->issuing, ISSUE_CLAIM_INTERVAL_S);
	assert_int_equal(poll(waiting), ISSUE_TOO_OFTEN);
	issuing_pass(&waiting->issuing, 3 * ISSUE_CLAIM_INTERVAL_S);
	assert_int_equal(poll(waiting), ISSUE_GRANTED);
}

static void a_yes_gives_the_token_of_that_task_once(void **state)
{
	struct waiting *waiting = *state;
	char task[RANDOM_ID_BYTES];

	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	memcpy(task, waiting->task, sizeof task);
	issuing_pass(&waiting->issuing, 100);
	assert_int_equal(poll(waiting), ISSUE_GRANTED);
	assert_int_equal(waiting->request.lifetime_s, 800);
	assert_int_equal(issuing_ask(&waiting->issuing, text_of(waiting->token)), TOKEN_ACCEPTED);
	assert_int_equal(task_table_count(waiting->issuing.tasks), 1);
	assert_non_null(task_find(waiting->issuing.tasks, text_of(task))->details);
	assert_int_equal(poll(waiting), ISSUE_CLAIM_UNKNOWN);
}

static void what_nobody_need_approve_waits_for_nobody(void **state)
{
	struct waiting *waiting = *state;

	waiting->first = ISSUE_ANSWER_YES;
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	assert_int_equal(poll(waiting), ISSUE_GRANTED);
}

static void what_is_no_claim_is_unknown_and_a_task_is_none(void **state)
{
	struct waiting *waiting = *state;
	struct issuing *issuing = &waiting->issuing;
	char claim[RANDOM_ID_BYTES];

	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	memcpy(claim, waiting->claim, sizeof claim);
	assert_int_equal(poll_for(waiting, "c-aaaaaaaaaaaaaaaaaaaa"), ISSUE_CLAIM_UNKNOWN);
	assert_int_equal(poll_for(waiting, ""), ISSUE_CLAIM_UNKNOWN);
	assert_true(issuing_open_good(issuing));
	assert_int_equal(poll_for(waiting, issuing->task.data), ISSUE_CLAIM_UNKNOWN);
	assert_int_equal(poll_for(waiting, claim), ISSUE_GRANTED);
}

static void a_claim_ends_when_its_client_would_not_wait_longer(void **state)
{
	struct waiting *waiting = *state;
	struct issue_request brief = wish();

	waiting->answer = ISSUE_ANSWER_YES;
	brief.wait_s = 60;
	assert_int_equal(run(waiting, brief), ISSUE_GRANTED);
	assert_int_equal(waiting->request.lifetime_s, 60);
	issuing_pass(&waiting->issuing, 60);
	assert_int_equal(poll(waiting), ISSUE_CLAIM_OVER);
	assert_int_equal(tasks_open(waiting), 0);
	brief.wait_s = 3600;
	assert_int_equal(run(waiting, brief), ISSUE_GRANTED);
	assert_int_equal(waiting->request.lifetime_s, 900); /* its task ends before */
	issuing_pass(&waiting->issuing, 899);
	assert_int_equal(poll(waiting), ISSUE_GRANTED);
	assert_int_equal(waiting->request.lifetime_s, 1);
}

static void a_stopped_task_or_identity_gets_no_token(void **state)
{
	struct waiting *waiting = *state;
	struct issuing *issuing = &waiting->issuing;

	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	issuing_kill(issuing, NULL, task_next(issuing->tasks, NULL)->id);
	assert_int_equal(poll(waiting), ISSUE_CLAIM_OVER);
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	assert_true(governed_step(&issuing->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	assert_int_equal(poll(waiting), ISSUE_NOT_ACTIVE);
}

static void a_poll_that_is_not_on_record_changes_nothing(void **state)
{
	struct waiting *waiting = *state;

	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	waiting->issuing.governed.log.refuses = true;
	assert_int_equal(poll(waiting), ISSUE_NOT_RECORDED);
	waiting->issuing.governed.log.refuses = false;
	assert_int_equal(waiting->issuing.issue->claims_count, 1);
}

static void a_proof_that_polled_opens_nothing_after_a_restart(void **state)
{
	struct waiting *waiting = *state;
	struct issuing *issuing = &waiting->issuing;
	struct issuing *second = calloc(1, sizeof *second);
	struct issue_request request = {.wish = ISSUE_WISH_CLAIM,
		.claim = TEXT("c-x"),
		.assertion = issuing_assertion(issuing, NULL)};
	const struct fake_log *log = &issuing->governed.log;
	struct error err = {0};

	assert_non_null(second);
	assert_int_equal(run(waiting, request), ISSUE_CLAIM_UNKNOWN);
	second->token_key = issuing->token_key;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < log->count; i++)
		assert_true(fold_apply_entry(second->governed.fold, log->entries[i].entry,
			log->entries[i].content, i, &err));
	assert_true(fold_finish_loading(second->governed.fold, &err));
	assert_false(issuing_open(second, request.assertion, ISSUING_FILES));
	assert_int_equal(second->refusal, ISSUE_REPLAYED);
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

static struct text key_of(struct issuing *issuing, const struct private_key *key)
{
	struct error err = {0};
	struct json jwk;

	assert_true(jwk_format(&jwk, issuing->governed.arena, private_key_public(key), &err));
	return text_format(issuing->governed.arena,
		"{kty: EC, crv: P-256, x: \"%.*s\", y: \"%.*s\"}",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")));
}

/* a1, the last object of the world, acts in test, too, by a key of its own. */
static void charter_in_two_environments(struct issuing *issuing, const struct private_key *key)
{
	static const char one[] = "environments: [staging]\n";
	struct governed *governed = &issuing->governed;
	const char *found = NULL;
	struct text yaml;

	for (const char *at = governed_world_yaml; (at = strstr(at, one)) != NULL; at++)
		found = at;
	assert_non_null(found);
	yaml = text_format(governed->arena,
		"%.*senvironments: [staging, test]\n%skeys: [{environment: staging, jwk: %s}, "
		"{environment: test, jwk: %s}]\n",
		(int)(found - governed_world_yaml), governed_world_yaml, found + sizeof one - 1,
		key_of(issuing, issuing->a1_key).data, key_of(issuing, key).data);
	assert_true(governed_apply(governed, "adi", yaml.data));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"));
}

static void a_key_of_another_environment_redeems_nothing(void **state)
{
	struct waiting *waiting = *state;
	struct issuing *issuing = &waiting->issuing;
	struct private_key *lesser = NULL;
	struct error err = {0};
	struct issue_request other = {.wish = ISSUE_WISH_CLAIM};

	assert_true(private_key_generate(&lesser, SIGNATURE_ES256, &err));
	charter_in_two_environments(issuing, lesser);
	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(ask(waiting), ISSUE_GRANTED);
	other.claim = text_copy(issuing->governed.arena, text_of(waiting->claim));
	other.assertion = issuing_assertion(issuing, lesser);
	assert_int_equal(run(waiting, other), ISSUE_CLAIM_UNKNOWN);
	/* And the claim is still its own environment's. */
	assert_int_equal(poll(waiting), ISSUE_GRANTED);
	private_key_destroy(&lesser);
}

static void a_token_ends_with_the_certificate_that_redeemed_it(void **state)
{
	struct waiting *waiting = *state;
	struct issuing *issuing = &waiting->issuing;
	int64_t now_utc_s = issuing_now_s(issuing);
	struct self_signed *made = calloc(1, sizeof *made);
	struct issue_request first = wish();
	struct issue_request other = {.wish = ISSUE_WISH_CLAIM, .client = TEXT("a1")};

	assert_non_null(made);
	self_signed_make(made, issuing->a1_key, now_utc_s - 60, now_utc_s + 3600);
	first.certificate = made->der;
	first.client = TEXT("a1");
	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(run(waiting, first), ISSUE_GRANTED);
	/* The next one of the same key holds for a shorter time than the task. */
	self_signed_make(made, issuing->a1_key, now_utc_s - 60, now_utc_s + 99);
	other.claim = text_copy(issuing->governed.arena, text_of(waiting->claim));
	other.certificate = made->der;
	assert_int_equal(run(waiting, other), ISSUE_GRANTED);
	assert_int_equal(waiting->request.lifetime_s, 100);
	free(made);
}

static void an_answer_that_comes_late_is_taken(void **state)
{
	struct waiting *waiting = *state;

	waiting->is_held = true;
	assert_int_equal(ask(waiting), ISSUE_REFUSED); /* not answered yet */
	assert_int_equal(waiting->answers, 0);
	assert_int_equal(waiting->questions, 1);
	waiting->question->answer = ISSUE_ANSWER_PENDING;
	(void)snprintf(waiting->question->id, sizeof waiting->question->id, "a-late");
	waiting->question->done(waiting->question);
	assert_int_equal(waiting->answers, 1);
	assert_int_equal(waiting->request.refusal, ISSUE_GRANTED);
	waiting->answer = ISSUE_ANSWER_YES;
	assert_int_equal(poll(waiting), ISSUE_GRANTED);
}

int main(void)
{
#define CLAIM_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		CLAIM_TEST(what_is_not_exactly_one_call_is_not_asked),
		CLAIM_TEST(a_message_is_plain_and_short),
		CLAIM_TEST(without_anybody_to_ask_nothing_is_opened),
		CLAIM_TEST(what_would_be_refused_anyway_leaves_no_task),
		CLAIM_TEST(no_more_wait_than_there_is_room_for),
		CLAIM_TEST(no_token_leaves_before_people_have_said_yes),
		CLAIM_TEST(who_polls_too_fast_waits_longer),
		CLAIM_TEST(a_yes_gives_the_token_of_that_task_once),
		CLAIM_TEST(what_nobody_need_approve_waits_for_nobody),
		CLAIM_TEST(what_is_no_claim_is_unknown_and_a_task_is_none),
		CLAIM_TEST(a_claim_ends_when_its_client_would_not_wait_longer),
		CLAIM_TEST(a_stopped_task_or_identity_gets_no_token),
		CLAIM_TEST(a_poll_that_is_not_on_record_changes_nothing),
		CLAIM_TEST(a_proof_that_polled_opens_nothing_after_a_restart),
		CLAIM_TEST(a_key_of_another_environment_redeems_nothing),
		CLAIM_TEST(a_token_ends_with_the_certificate_that_redeemed_it),
		CLAIM_TEST(an_answer_that_comes_late_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

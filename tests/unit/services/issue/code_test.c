/* Acting for a person: the wish, the answer, the code, and refreshing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "domain/token/jwk.h"
#include "services/issue/consent.h"
#include "services/issue/consent_private.h"
#include "support/issuing.h"
#include "support/proofs.h"

#define REDIRECT "http://127.0.0.1:4711/back"
#define CLAUSE                                                                                     \
	"acts-for:\n  people: [\"person:ana\", \"unit:sales\"]\n"                                  \
	"  redirect-uris: [\"http://127.0.0.1/back\", \"https://app.example/back\"]\n"             \
	"  environment: staging\n  refresh: 8h\n"
#define VERIFIER "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
#define OTHER_VERIFIER "1123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

struct bench {
	struct issuing issuing;
	struct issue_consent_begun begun;
	struct issue_consent_view view;
	char code[ISSUE_CONSENT_SECRET_BYTES];
	char typed[ISSUE_CONSENT_CODE_BYTES];
	char detail[ERROR_TEXT_BYTES];
	char challenge[64];
	/* The last answer of a person. */
	bool is_answered;
	struct error answer_err;
	/* The last answer to a request. */
	struct issue_request request;
	char token[8192];
	char refresh[REFRESH_TOKEN_BYTES_MAX];
	char task[RANDOM_ID_BYTES];
	unsigned reuses;
	bool is_stranger; /* answers are signed by a key that nobody enrolled */
};

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct sha256 digest = sha256_of(VERIFIER, sizeof VERIFIER - 1);

	assert_non_null(bench);
	issuing_init(&bench->issuing);
	issuing_recharter(&bench->issuing, "", CLAUSE);
	(void)snprintf(bench->challenge, sizeof bench->challenge, "%s",
		base64url_text(bench->issuing.governed.arena, digest.bytes, sizeof digest.bytes)
			.data);
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	issuing_deinit(&bench->issuing);
	free(bench);
	return 0;
}

static struct issue_asked wish(const struct bench *bench)
{
	return (struct issue_asked){.client = TEXT("a1"),
		.redirect = TEXT(REDIRECT),
		.resource = TEXT(ISSUING_FILES),
		.state = TEXT("s"),
		.challenge = text_of(bench->challenge)};
}

static enum issue_refusal ask(struct bench *bench, const struct issue_asked *asked)
{
	return issue_consent_begin(bench->issuing.issue, asked, &bench->begun, bench->detail);
}

static enum issue_consent_state look(struct bench *bench)
{
	issue_consent_look(bench->issuing.issue, text_of(bench->begun.id),
		text_of(bench->begun.secret), &bench->view);
	if (bench->view.code_to_type.length > 0)
		(void)snprintf(bench->typed, sizeof bench->typed, "%.*s",
			TEXT_ARGS(bench->view.code_to_type));
	memcpy(bench->code, bench->view.code, sizeof bench->code);
	return bench->view.state;
}

static void begin(struct bench *bench)
{
	const struct issue_asked asked = wish(bench);

	assert_int_equal(ask(bench, &asked), ISSUE_GRANTED);
	assert_int_equal(look(bench), ISSUE_CONSENT_WAITS);
}

static void on_answered(void *context, uint64_t index, const struct error *err)
{
	struct bench *bench = context;

	(void)index;
	bench->is_answered = true;
	bench->answer_err = err == NULL ? (struct error){0} : *err;
}

static struct text key_of_ana(struct bench *bench)
{
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct error err = {0};

	assert_true(jwk_thumbprint(thumbprint, private_key_public(bench->issuing.ana_key), &err));
	return text_copy(bench->issuing.governed.arena, text_of(thumbprint));
}

static bool answer(struct bench *bench, const char *person, const char *yes, int64_t number)
{
	const struct issue_consent_answer answer = {.code = text_of(bench->typed),
		.person = text_of(person),
		.answer = text_of(yes),
		.number = number,
		.key = bench->is_stranger ? TEXT("other") : key_of_ana(bench),
		.context = bench,
		.done = on_answered};

	bench->is_answered = false;
	bench->answer_err = (struct error){0};
	if (!issue_consent_answer(bench->issuing.issue, &answer, &bench->answer_err))
		return false;
	fake_log_flush(&bench->issuing.governed.log);
	return bench->is_answered && bench->answer_err.code == ERROR_NONE;
}

/* To the code. */
static void get_code(struct bench *bench)
{
	begin(bench);
	assert_true(answer(bench, "ana", "yes", bench->view.number));
	assert_int_equal(look(bench), ISSUE_CONSENT_YES);
}

static void on_done(struct issue_request *request)
{
	struct bench *bench = request->context;

	(void)snprintf(bench->token, sizeof bench->token, "%.*s", TEXT_ARGS(request->token));
	(void)snprintf(
		bench->refresh, sizeof bench->refresh, "%.*s", TEXT_ARGS(request->refresh_granted));
	(void)snprintf(bench->task, sizeof bench->task, "%.*s", TEXT_ARGS(request->task));
}

static enum issue_refusal run(struct bench *bench, struct issue_request request)
{
	bench->request = request;
	bench->request.path = TEXT("/oauth/token");
	bench->request.done = on_done;
	bench->request.context = bench;
	issue_open_task(bench->issuing.issue, &bench->request);
	fake_log_flush(&bench->issuing.governed.log);
	return bench->request.refusal;
}

static struct issue_request code_request(const struct bench *bench)
{
	return (struct issue_request){.is_code = true,
		.client = TEXT("a1"),
		.code = {text_of(bench->code), TEXT(REDIRECT), TEXT(VERIFIER)}};
}

static struct issue_request refresh_request(const char *token)
{
	return (struct issue_request){
		.wish = ISSUE_WISH_REFRESH, .client = TEXT("a1"), .refresh = text_of(token)};
}

static void redeem(struct bench *bench)
{
	get_code(bench);
	assert_int_equal(run(bench, code_request(bench)), ISSUE_GRANTED);
	assert_int_equal(issuing_ask(&bench->issuing, text_of(bench->token)), TOKEN_ACCEPTED);
}

static bool is_live(struct bench *bench)
{
	return task_is_live(task_find(bench->issuing.tasks, text_of(bench->task)),
		issue_now_utc_ms(bench->issuing.issue));
}

/* ---- the wish ---- */

static void a_browser_goes_back_only_to_what_is_registered(void **state)
{
	struct bench *bench = *state;
	static const char *const bad[] = {"", "http://127.0.0.1/other", "http://127.0.0.1/back/",
		"http://127.0.0.1@evil.example/back", "http://127.0.0.1:80@evil.example/back",
		"http://127.0.0.1:0/back", "http://127.0.0.1:65536/back", "http://127.0.0.1:/back",
		"http://localhost/back", "https://127.0.0.1/back", "https://app.example/back?x=1",
		"https://app.example/back#x", "https://app.example:444/back",
		"https://APP.example/back", "https://app.example.evil/back",
		"https://evil.example/https://app.example/back", "javascript:alert(1)",
		"http://127.0.0.1:4711/back\\..", "https://app.example/../back"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (issue_knows_redirect(bench->issuing.issue, TEXT("a1"), text_of(bad[i])))
			fail_msg("%s", bad[i]);
	assert_false(issue_knows_redirect(bench->issuing.issue, TEXT("a2"), TEXT(REDIRECT)));
	assert_false(issue_knows_redirect(bench->issuing.issue, TEXT(""), TEXT(REDIRECT)));
	assert_true(issue_knows_redirect(bench->issuing.issue, TEXT("a1"), TEXT(REDIRECT)));
	assert_true(issue_knows_redirect(
		bench->issuing.issue, TEXT("a1"), TEXT("http://127.0.0.1/back")));
	assert_true(issue_knows_redirect(
		bench->issuing.issue, TEXT("a1"), TEXT("http://127.0.0.1:65535/back")));
	assert_true(issue_knows_redirect(
		bench->issuing.issue, TEXT("a1"), TEXT("https://app.example/back")));
}

static void a_charter_without_the_clause_asks_nobody(void **state)
{
	struct bench *bench = *state;

	issuing_recharter(&bench->issuing, "", "");
	assert_false(issue_knows_redirect(bench->issuing.issue, TEXT("a1"), TEXT(REDIRECT)));
}

static void a_wish_without_s256_is_none(void **state)
{
	static const char *const bad[] = {"", "short", VERIFIER "!",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct issue_asked asked = wish(bench);

		asked.challenge = text_of(bad[i]);
		assert_int_equal(ask(bench, &asked), ISSUE_CHALLENGE);
	}
}

static void each_part_of_a_wish_is_looked_at(void **state)
{
	struct bench *bench = *state;
	struct issue_asked asked = wish(bench);

	asked.resource = TEXT("");
	assert_int_equal(ask(bench, &asked), ISSUE_AUDIENCE_MISSING);
	asked.resource = TEXT("http://127.0.0.1:8470/mcp/other");
	assert_int_equal(ask(bench, &asked), ISSUE_AUDIENCE_UNKNOWN);
	asked = wish(bench);
	asked.scope = TEXT("openid");
	assert_int_equal(ask(bench, &asked), ISSUE_SCOPE);
	asked = wish(bench);
	asked.details = TEXT("[{\"type\":\"other\"}]");
	assert_int_equal(ask(bench, &asked), ISSUE_DETAILS);
	asked = wish(bench);
	asked.purpose = TEXT("a\nb");
	assert_int_equal(ask(bench, &asked), ISSUE_PURPOSE);
	asked = wish(bench);
	asked.key = TEXT("x");
	assert_int_equal(ask(bench, &asked), ISSUE_REFUSED);
	assert_int_equal(bench->issuing.issue->consents_count, 0);
}

static void state_has_its_bound(void **state)
{
	struct bench *bench = *state;
	struct issue_asked asked = wish(bench);
	char *long_one = malloc(ISSUE_STATE_BYTES_MAX + 1);

	memset(long_one, 'x', ISSUE_STATE_BYTES_MAX + 1);
	asked.state = (struct text){long_one, ISSUE_STATE_BYTES_MAX + 1};
	assert_int_equal(ask(bench, &asked), ISSUE_REFUSED);
	asked.state.length--;
	assert_int_equal(ask(bench, &asked), ISSUE_GRANTED);
	free(long_one);
}

static void an_identity_has_a_share_of_the_wishes(void **state)
{
	struct bench *bench = *state;
	const struct issue_asked asked = wish(bench);

	for (int i = 0; i < ISSUE_CONSENTS_PER_IDENTITY_MAX; i++)
		assert_int_equal(ask(bench, &asked), ISSUE_GRANTED);
	assert_int_equal(ask(bench, &asked), ISSUE_BUSY);
	issuing_pass(&bench->issuing, ISSUE_CONSENT_WAIT_S + TOKEN_SKEW_S);
	assert_int_equal(ask(bench, &asked), ISSUE_GRANTED);
	assert_int_equal(bench->issuing.issue->consents_count, 1);
}

static void a_suspended_identity_asks_nobody(void **state)
{
	struct bench *bench = *state;
	const struct issue_asked asked = wish(bench);

	issuing_kill(&bench->issuing, "a1", TEXT(""));
	assert_int_equal(ask(bench, &asked), ISSUE_NOT_ACTIVE);
}

/* ---- the person ---- */

static void only_those_of_the_charter_are_asked(void **state)
{
	struct bench *bench = *state;
	struct json shown;
	struct error err = {0};

	begin(bench);
	assert_false(answer(bench, "bo", "yes", bench->view.number));
	assert_int_equal(bench->answer_err.code, ERROR_NOT_FOUND);
	assert_false(answer(bench, "nobody", "yes", bench->view.number));
	assert_int_equal(bench->answer_err.code, ERROR_NOT_FOUND);
	assert_false(issue_consent_show(bench->issuing.issue, text_of(bench->typed), TEXT("bo"),
		bench->issuing.governed.arena, &shown, &err));
	assert_int_equal(look(bench), ISSUE_CONSENT_WAITS);
	assert_true(issue_consent_show(bench->issuing.issue, text_of(bench->typed), TEXT("ana"),
		bench->issuing.governed.arena, &shown, &err));
	assert_true(text_is(json_text_or(&shown, "identity", ""), "a1"));
	assert_null(json_find(&shown, "number"));
	assert_true(answer(bench, "ana", "yes", bench->view.number));
}

static void another_number_ends_the_wish(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	assert_false(answer(bench, "ana", "yes", bench->view.number + 1));
	assert_int_equal(bench->answer_err.code, ERROR_CONFLICT);
	assert_false(answer(bench, "ana", "yes", bench->view.number));
	assert_int_equal(look(bench), ISSUE_CONSENT_NO);
}

static void a_no_gives_no_code(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	assert_true(answer(bench, "ana", "no", 0));
	assert_false(answer(bench, "ana", "yes", bench->view.number));
	assert_int_equal(look(bench), ISSUE_CONSENT_NO);
	assert_int_equal(bench->code[0], '\0');
	assert_int_equal(look(bench), ISSUE_CONSENT_DONE);
}

static void an_answer_holds_once_and_in_time(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	assert_true(answer(bench, "ana", "yes", bench->view.number));
	assert_false(answer(bench, "ana", "yes", bench->view.number));
	begin(bench);
	issuing_pass(&bench->issuing, ISSUE_CONSENT_WAIT_S);
	assert_false(answer(bench, "ana", "yes", bench->view.number));
	assert_int_equal(look(bench), ISSUE_CONSENT_OVER);
}

static void an_answer_that_is_not_recorded_is_none(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	bench->issuing.governed.log.loses = true;
	assert_false(answer(bench, "ana", "yes", bench->view.number));
	assert_int_not_equal(look(bench), ISSUE_CONSENT_YES);
}

static void another_browser_sees_nothing(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	assert_true(answer(bench, "ana", "yes", bench->view.number));
	issue_consent_look(bench->issuing.issue, text_of(bench->begun.id), TEXT("x"), &bench->view);
	assert_int_equal(bench->view.state, ISSUE_CONSENT_GONE);
	issue_consent_look(bench->issuing.issue, text_of(bench->begun.id), TEXT(""), &bench->view);
	assert_int_equal(bench->view.state, ISSUE_CONSENT_GONE);
	assert_int_equal(look(bench), ISSUE_CONSENT_YES);
	assert_int_equal(look(bench), ISSUE_CONSENT_DONE);
	assert_int_equal(bench->code[0], '\0');
}

/* ---- the code ---- */

static void a_code_is_good_for_its_own_request_alone(void **state)
{
	struct bench *bench = *state;

	for (int part = 0; part < 5; part++) {
		struct issue_request request;

		get_code(bench);
		request = code_request(bench);
		if (part == 0)
			request.client = TEXT("a2");
		else if (part == 1)
			request.code.redirect = TEXT("http://127.0.0.1:4712/back");
		else if (part == 2)
			request.code.verifier = TEXT(OTHER_VERIFIER);
		else if (part == 3)
			request.code.verifier = TEXT("short");
		else
			request.resource = TEXT(ISSUING_ISSUER);
		assert_int_equal(run(bench, request), ISSUE_CODE);
		/* And is spent by it. */
		assert_int_equal(run(bench, code_request(bench)), ISSUE_CODE);
	}
	assert_int_equal(task_table_count(bench->issuing.tasks), 0);
}

static void a_code_is_good_for_a_minute(void **state)
{
	struct bench *bench = *state;

	get_code(bench);
	issuing_pass(&bench->issuing, ISSUE_CODE_S);
	assert_int_equal(run(bench, code_request(bench)), ISSUE_CODE);
	get_code(bench);
	issuing_pass(&bench->issuing, ISSUE_CODE_S - 1);
	assert_int_equal(run(bench, code_request(bench)), ISSUE_GRANTED);
}

static void a_code_shown_twice_ends_what_it_gave(void **state)
{
	struct bench *bench = *state;

	redeem(bench);
	assert_true(is_live(bench));
	{
		char task[RANDOM_ID_BYTES];

		memcpy(task, bench->task, sizeof task);
		assert_int_equal(run(bench, code_request(bench)), ISSUE_CODE);
		memcpy(bench->task, task, sizeof task);
	}
	fake_log_flush(&bench->issuing.governed.log);
	assert_false(is_live(bench));
}

static void the_token_is_the_persons_and_the_identity_acts(void **state)
{
	struct bench *bench = *state;
	const struct task *task = NULL;
	struct issue_caller holder;
	struct json claims;

	redeem(bench);
	task = task_find(bench->issuing.tasks, text_of(bench->task));
	assert_true(text_is(task_person(task), "ana"));
	assert_true(issue_look_at(bench->issuing.issue, text_of(bench->token),
		bench->issuing.governed.arena, &holder, &claims));
	assert_true(text_is(json_text_or(&claims, "sub", ""), "person:ana"));
	assert_true(text_is(json_text_or(&claims, "client_id", ""), "a1"));
	assert_true(text_is(json_text_or(json_find(&claims, "act"), "sub", ""), "a1"));
	assert_int_equal(task->deadline_utc_ms / 1000 - task->opened_at_utc_ms / 1000, 8 * 3600);
	assert_int_equal(bench->request.lifetime_s, 900);
}

/* Whoever left and came back begins anew, whether or not the sweep of their tasks was there. */
static void who_comes_back_finds_no_task_of_before(void **state)
{
	static const char *const yaml[] = {
		"object: person\nname: ana\nunit: support\nroles: [owner]\n"
		"left: 2026-01-01T00:00:00Z\n",
		"object: person\nname: ana\nunit: support\nroles: [owner]\n"};
	struct bench *bench = *state;
	struct governed *governed = &bench->issuing.governed;

	redeem(bench);
	for (size_t i = 0; i < 2; i++) {
		issuing_pass(&bench->issuing, 1);
		if (!governed_apply(governed, "eva", yaml[i]))
			fail_msg("%s", governed->last.err.text);
		assert_int_equal(issuing_ask(&bench->issuing, text_of(bench->token)),
			TOKEN_PERSON_NOT_ACTIVE);
	}
	assert_int_equal(run(bench, refresh_request(bench->refresh)), ISSUE_REFRESH);
	(void)issue_expire(bench->issuing.issue);
	fake_log_flush(&governed->log);
	assert_false(is_live(bench));
}

static void a_task_ends_with_its_person(void **state)
{
	struct bench *bench = *state;

	redeem(bench);
	issuing_recharter(&bench->issuing, "",
		"acts-for: {people: [\"unit:sales\"], redirect-uris: "
		"[\"https://app.example/back\"], environment: staging}\n");
	assert_int_equal(
		issuing_ask(&bench->issuing, text_of(bench->token)), TOKEN_PERSON_NOT_ACTIVE);
	(void)issue_expire(bench->issuing.issue);
	fake_log_flush(&bench->issuing.governed.log);
	assert_false(is_live(bench));
	assert_int_equal(run(bench, refresh_request(bench->refresh)), ISSUE_REFRESH);
}

static void an_identity_with_keys_must_prove_itself(void **state)
{
	struct bench *bench = *state;
	struct issue_request request;

	issuing_recharter(&bench->issuing, NULL, CLAUSE);
	get_code(bench);
	assert_int_equal(run(bench, code_request(bench)), ISSUE_CLIENT_UNPROVEN);
	request = code_request(bench);
	request.assertion = issuing_assertion(&bench->issuing, NULL);
	assert_int_equal(run(bench, request), ISSUE_GRANTED);
	assert_int_equal(run(bench, refresh_request(bench->refresh)), ISSUE_CLIENT_UNPROVEN);
}

static void on_swept(struct issue_sweep *sweep)
{
	*(bool *)sweep->context = true;
}

/* The person's sessions end while the record of what they let open is on its way. */
static void what_a_person_let_open_ends_with_their_sessions(void **state)
{
	struct bench *bench = *state;
	bool is_swept = false;
	struct issue_sweep sweep = {.whose = ISSUE_WHOSE_PERSON,
		.name = TEXT("ana"),
		.reason = TEXT("session-revoked"),
		.done = on_swept,
		.context = &is_swept};

	get_code(bench);
	bench->request = code_request(bench);
	bench->request.path = TEXT("/oauth/token");
	bench->request.done = on_done;
	bench->request.context = bench;
	bench->issuing.governed.log.is_held = true;
	issue_open_task(bench->issuing.issue, &bench->request);
	issue_sweep(bench->issuing.issue, &sweep);
	while (issue_sweeps_run(bench->issuing.issue)) {
	}
	fake_log_flush(&bench->issuing.governed.log);
	fake_log_flush(&bench->issuing.governed.log);
	assert_true(is_swept);
	assert_int_equal(bench->request.refusal, ISSUE_NOT_ACTIVE);
	assert_int_equal(task_next(bench->issuing.tasks, NULL)->recorded_state, TASK_ENDED);
}

static void sweep_ana(struct bench *bench)
{
	bool is_swept = false;
	struct issue_sweep sweep = {.whose = ISSUE_WHOSE_PERSON,
		.name = TEXT("ana"),
		.reason = TEXT("session-revoked"),
		.done = on_swept,
		.context = &is_swept};

	issue_sweep(bench->issuing.issue, &sweep);
	while (issue_sweeps_run(bench->issuing.issue)) {
	}
	assert_true(is_swept);
}

/* A code, or the yes before it, opens nothing once the sessions have ended in which it was
 * said. */
static void what_a_person_agreed_to_ends_with_their_sessions(void **state)
{
	struct bench *bench = *state;

	get_code(bench);
	sweep_ana(bench);
	assert_int_equal(run(bench, code_request(bench)), ISSUE_CODE);
	begin(bench);
	assert_true(answer(bench, "ana", "yes", bench->view.number));
	sweep_ana(bench);
	assert_int_equal(look(bench), ISSUE_CONSENT_NO);
	begin(bench);
	bench->issuing.governed.log.is_held = true;
	(void)answer(bench, "ana", "yes", bench->view.number);
	sweep_ana(bench);
	fake_log_flush(&bench->issuing.governed.log);
	assert_int_equal(look(bench), ISSUE_CONSENT_NO);
	assert_int_equal(task_table_count(bench->issuing.tasks), 0);
}

/* And nobody else's. */
static void what_others_agreed_to_stays(void **state)
{
	struct bench *bench = *state;
	bool is_swept = false;
	struct issue_sweep sweep = {.whose = ISSUE_WHOSE_PERSON,
		.name = TEXT("bo"),
		.done = on_swept,
		.context = &is_swept};

	get_code(bench);
	issue_sweep(bench->issuing.issue, &sweep);
	while (issue_sweeps_run(bench->issuing.issue)) {
	}
	assert_true(is_swept);
	assert_int_equal(run(bench, code_request(bench)), ISSUE_GRANTED);
}

/* Whoever had the key may have said it. */
static void a_yes_counts_no_more_once_its_key_was_ended(void **state)
{
	struct bench *bench = *state;

	get_code(bench);
	assert_true(governed_run(
		&bench->issuing.governed, (struct registrar_request){.verb = REGISTRAR_REVOKE_KEY,
						  .actor = TEXT("person:ana"),
						  .name = TEXT("ana"),
						  .kid = key_of_ana(bench)}));
	assert_int_equal(run(bench, code_request(bench)), ISSUE_CODE);
	assert_int_equal(task_table_count(bench->issuing.tasks), 0);
}

static void an_answer_by_a_key_that_is_not_theirs_is_none(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	bench->is_stranger = true;
	assert_false(answer(bench, "ana", "yes", bench->view.number));
	assert_int_equal(look(bench), ISSUE_CONSENT_WAITS);
}

/* ---- refreshing ---- */

static void a_refresh_gives_another_token_of_the_same_task(void **state)
{
	struct bench *bench = *state;
	char task[RANDOM_ID_BYTES], first[REFRESH_TOKEN_BYTES_MAX];

	redeem(bench);
	memcpy(task, bench->task, sizeof task);
	memcpy(first, bench->refresh, sizeof first);
	issuing_pass(&bench->issuing, 1000);
	assert_int_equal(issuing_ask(&bench->issuing, text_of(bench->token)), TOKEN_EXPIRED);
	assert_int_equal(run(bench, refresh_request(first)), ISSUE_GRANTED);
	assert_string_equal(bench->task, task);
	assert_string_not_equal(bench->refresh, first);
	assert_int_equal(issuing_ask(&bench->issuing, text_of(bench->token)), TOKEN_ACCEPTED);
}

static void a_refresh_token_used_twice_ends_all(void **state)
{
	struct bench *bench = *state;
	char task[RANDOM_ID_BYTES], first[REFRESH_TOKEN_BYTES_MAX], second[REFRESH_TOKEN_BYTES_MAX];

	redeem(bench);
	memcpy(task, bench->task, sizeof task);
	memcpy(first, bench->refresh, sizeof first);
	assert_int_equal(run(bench, refresh_request(first)), ISSUE_GRANTED);
	memcpy(second, bench->refresh, sizeof second);
	assert_int_equal(run(bench, refresh_request(first)), ISSUE_REFRESH);
	fake_log_flush(&bench->issuing.governed.log);
	memcpy(bench->task, task, sizeof task);
	assert_false(is_live(bench));
	assert_int_equal(run(bench, refresh_request(second)), ISSUE_REFRESH);
}

/* Two have the token: whoever has the next one must not go on because the log had no room. */
static void what_was_used_twice_is_over_also_where_its_end_finds_no_room(void **state)
{
	struct bench *bench = *state;
	struct fake_log *log = &bench->issuing.governed.log;
	char task[RANDOM_ID_BYTES], first[REFRESH_TOKEN_BYTES_MAX], second[REFRESH_TOKEN_BYTES_MAX];
	char token[sizeof bench->token];

	redeem(bench);
	memcpy(task, bench->task, sizeof task);
	memcpy(first, bench->refresh, sizeof first);
	assert_int_equal(run(bench, refresh_request(first)), ISSUE_GRANTED);
	memcpy(second, bench->refresh, sizeof second);
	memcpy(token, bench->token, sizeof token);
	log->refuses = true;
	assert_int_equal(run(bench, refresh_request(first)), ISSUE_REFRESH);
	log->refuses = false;
	assert_int_not_equal(issuing_ask(&bench->issuing, text_of(token)), TOKEN_ACCEPTED);
	assert_int_equal(run(bench, refresh_request(second)), ISSUE_REFRESH);
	(void)issue_expire(bench->issuing.issue);
	fake_log_flush(log);
	memcpy(bench->task, task, sizeof task);
	assert_false(is_live(bench));
}

static void note_end(void *context, uint64_t index, const struct error *err)
{
	(void)index;
	*(bool *)context = err == NULL;
}

/* It opens nothing by then, and would again if the daemon stopped before the record. */
static void a_revocation_of_what_is_over_waits_for_the_record_of_its_end(void **state)
{
	struct bench *bench = *state;
	struct fake_log *log = &bench->issuing.governed.log;
	struct error err = {0};
	bool is_told = false;
	char token[sizeof bench->token];

	redeem(bench);
	memcpy(token, bench->token, sizeof token);
	task_forfeit(bench->issuing.tasks, task_find(bench->issuing.tasks, text_of(bench->task)));
	assert_int_equal(issuing_ask(&bench->issuing, text_of(token)), TOKEN_TASK_NOT_LIVE);
	log->is_held = true;
	assert_true(issue_revoke(bench->issuing.issue, text_of(token),
		(struct issue_end_waiter){&is_told, note_end}, &err));
	assert_false(is_told);
	fake_log_flush(log);
	assert_true(is_told);
	log->is_held = false;
	assert_false(is_live(bench));
	assert_false(issue_revoke(
		bench->issuing.issue, text_of(token), (struct issue_end_waiter){0}, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_refresh_goes_no_further_than_its_task(void **state)
{
	struct bench *bench = *state;

	redeem(bench);
	issuing_pass(&bench->issuing, 8 * 3600 - 10);
	assert_int_equal(run(bench, refresh_request(bench->refresh)), ISSUE_GRANTED);
	assert_int_equal(bench->request.lifetime_s, 10);
	issuing_pass(&bench->issuing, 10);
	assert_int_equal(run(bench, refresh_request(bench->refresh)), ISSUE_REFRESH);
}

/* Whatever proves the client has an end, and no token of it a later one. */
static void a_refreshed_token_ends_with_the_key_that_asked(void **state)
{
	struct bench *bench = *state;
	struct issue_request request;

	issuing_recharter(&bench->issuing, NULL, CLAUSE);
	get_code(bench);
	request = code_request(bench);
	request.assertion = issuing_assertion(&bench->issuing, NULL);
	assert_int_equal(run(bench, request), ISSUE_GRANTED);
	assert_true(bench->request.lifetime_s > 100);
	issuing_recharter(&bench->issuing, issuing_ending_key(&bench->issuing, 100), CLAUSE);
	issuing_pass(&bench->issuing, 60);
	request = refresh_request(bench->refresh);
	request.assertion = issuing_assertion(&bench->issuing, NULL);
	assert_int_equal(run(bench, request), ISSUE_GRANTED);
	assert_int_equal(bench->request.lifetime_s, 40);
}

static void a_refresh_asks_for_nothing_new(void **state)
{
	struct bench *bench = *state;
	struct issue_request request;

	redeem(bench);
	request = refresh_request(bench->refresh);
	request.resource = TEXT(ISSUING_ISSUER);
	assert_int_equal(run(bench, request), ISSUE_AUDIENCE_UNKNOWN);
	redeem(bench);
	request = refresh_request(bench->refresh);
	request.details = TEXT("[{\"type\":\"remit_tool\",\"tool\":\"files/read\"}]");
	assert_int_equal(run(bench, request), ISSUE_DETAILS);
	redeem(bench);
	request = refresh_request(bench->refresh);
	request.client = TEXT("a2");
	assert_int_equal(run(bench, request), ISSUE_REFRESH);
}

static void revoking_a_refresh_token_ends_its_task(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	redeem(bench);
	assert_true(issue_revoke(
		bench->issuing.issue, text_of(bench->refresh), (struct issue_end_waiter){0}, &err));
	fake_log_flush(&bench->issuing.governed.log);
	assert_false(is_live(bench));
	assert_false(issue_revoke(
		bench->issuing.issue, text_of(bench->refresh), (struct issue_end_waiter){0}, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void what_was_used_is_known_after_a_restart(void **state)
{
	struct bench *bench = *state;
	struct issuing again;
	char first[REFRESH_TOKEN_BYTES_MAX];

	redeem(bench);
	memcpy(first, bench->refresh, sizeof first);
	assert_int_equal(run(bench, refresh_request(first)), ISSUE_GRANTED);
	issuing_live_again(&bench->issuing, &again);
	assert_int_equal(refresh_look(again.issue->refreshes, text_of(first)), REFRESH_USED);
	assert_int_equal(
		refresh_look(again.issue->refreshes, text_of(bench->refresh)), REFRESH_GOOD);
	again.token_key = NULL;
	issuing_deinit(&again);
}

static void no_record_has_a_code_or_a_refresh_token(void **state)
{
	struct bench *bench = *state;
	const struct fake_log *log = &bench->issuing.governed.log;

	redeem(bench);
	assert_int_equal(run(bench, refresh_request(bench->refresh)), ISSUE_GRANTED);
	for (size_t i = 0; i < log->count; i++) {
		struct text entry = log->entries[i].entry;

		assert_null(memmem(entry.data, entry.length, bench->code, strlen(bench->code)));
		assert_null(
			memmem(entry.data, entry.length, bench->refresh, strlen(bench->refresh)));
		assert_null(memmem(entry.data, entry.length, bench->begun.secret,
			strlen(bench->begun.secret)));
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		CASE(a_browser_goes_back_only_to_what_is_registered),
		CASE(a_charter_without_the_clause_asks_nobody),
		CASE(a_wish_without_s256_is_none),
		CASE(each_part_of_a_wish_is_looked_at),
		CASE(state_has_its_bound),
		CASE(an_identity_has_a_share_of_the_wishes),
		CASE(a_suspended_identity_asks_nobody),
		CASE(only_those_of_the_charter_are_asked),
		CASE(another_number_ends_the_wish),
		CASE(a_no_gives_no_code),
		CASE(an_answer_holds_once_and_in_time),
		CASE(an_answer_that_is_not_recorded_is_none),
		CASE(another_browser_sees_nothing),
		CASE(a_code_is_good_for_its_own_request_alone),
		CASE(a_code_is_good_for_a_minute),
		CASE(a_code_shown_twice_ends_what_it_gave),
		CASE(the_token_is_the_persons_and_the_identity_acts),
		CASE(a_task_ends_with_its_person),
		CASE(who_comes_back_finds_no_task_of_before),
		CASE(an_identity_with_keys_must_prove_itself),
		CASE(what_a_person_let_open_ends_with_their_sessions),
		CASE(what_a_person_agreed_to_ends_with_their_sessions),
		CASE(what_others_agreed_to_stays),
		CASE(a_yes_counts_no_more_once_its_key_was_ended),
		CASE(an_answer_by_a_key_that_is_not_theirs_is_none),
		CASE(a_refresh_gives_another_token_of_the_same_task),
		CASE(a_refresh_token_used_twice_ends_all),
		CASE(what_was_used_twice_is_over_also_where_its_end_finds_no_room),
		CASE(a_revocation_of_what_is_over_waits_for_the_record_of_its_end),
		CASE(a_refresh_goes_no_further_than_its_task),
		CASE(a_refreshed_token_ends_with_the_key_that_asked),
		CASE(a_refresh_asks_for_nothing_new),
		CASE(revoking_a_refresh_token_ends_its_task),
		CASE(what_was_used_is_known_after_a_restart),
		CASE(no_record_has_a_code_or_a_refresh_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Values out of Vault: when they are fetched, how long they are kept, and every
 * way it fails. */
#include "vault_folder.h"

#include "edges/upstream/vault.h"
#include "edges/upstream/vault_reply.h"

enum { WAITS = 5, LONG_MS = 60000 };

struct waiter {
	struct vault_wait wait;
	int runs;
	bool is_done;
	struct error err;
};

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct fake_vault fake;
	struct vault_folder folder;
	struct upstream_edge_settings settings;
	struct vault_times times;
	struct vault *vault;
	struct waiter waiters[WAITS];
	char log[4096];
};

static const struct text reference = {"vault:kv/mcp/files#key", 22};

static void on_log(void *context, struct text server, struct text line)
{
	struct bench *bench = context;
	size_t used = strlen(bench->log);

	(void)snprintf(bench->log + used, sizeof bench->log - used, "%.*s %.*s\n",
		TEXT_ARGS(server), TEXT_ARGS(line));
}

static void on_run(void *context, const struct error *err)
{
	struct waiter *waiter = context;

	waiter->runs++;
	waiter->err = err == NULL ? (struct error){0} : *err;
	waiter->is_done = true;
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	vault_folder_open(&bench->folder);
	fake_vault_start(&bench->fake, bench->loop);
	bench->times = vault_times_default;
	bench->settings = (struct upstream_edge_settings){.loop = bench->loop,
		.http = bench->client,
		.secrets = bench->folder.secrets,
		.vault = {.url = bench->fake.url,
			.token_file = bench->folder.token_file,
			.times = &bench->times},
		.on_log = on_log,
		.log_context = bench};
	assert_true(vault_create(&bench->vault, &bench->settings, &err));
	for (size_t i = 0; i < WAITS; i++)
		bench->waiters[i] =
			(struct waiter){.wait = {.context = &bench->waiters[i], .run = on_run}};
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	vault_destroy(&bench->vault);
	assert_null(bench->vault);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->fake.http);
	loop_destroy(&bench->loop);
	vault_folder_close(&bench->folder);
	/* Nothing that anybody may read shows a value or a token. */
	assert_null(strstr(bench->log, "of-test"));
	free(bench);
	return 0;
}

/* ---- using it ---- */

static bool want(struct bench *bench, size_t index, struct text what, struct error *err)
{
	struct waiter *waiter = &bench->waiters[index];
	int runs = waiter->runs;
	bool ok = vault_want(bench->vault, what, &waiter->wait, err);

	assert_int_equal(waiter->runs, runs); /* never from within */
	return ok;
}

/* Fetches; false with the reason in *err. */
static bool fetch(struct bench *bench, struct text what, struct error *err)
{
	struct waiter *waiter = &bench->waiters[0];

	*err = (struct error){0};
	waiter->is_done = false;
	if (!want(bench, 0, what, err))
		return false;
	assert_null(strstr(err->text, bench->folder.path));
	talk_run_until(bench->loop, &waiter->is_done);
	*err = waiter->err;
	assert_null(strstr(err->text, "of-test"));
	return err->code == ERROR_NONE;
}

static void fetch_well(struct bench *bench, struct text what)
{
	struct error err;

	if (!fetch(bench, what, &err))
		fail_msg("%s", err.text);
}

static void assert_value(struct bench *bench, const char *value)
{
	struct text got;

	assert_true(vault_find(bench->vault, reference, &got));
	assert_true(text_is(got, value));
	assert_int_equal(got.data[got.length], '\0');
}

static void assert_none(struct bench *bench)
{
	struct text got;

	assert_false(vault_find(bench->vault, reference, &got));
	assert_false(vault_is_fresh(bench->vault, reference));
	assert_null(got.data);
}

struct pause {
	struct loop_timer timer;
	bool is_over;
};

static void on_pause(struct loop_timer *timer)
{
	struct pause *pause = timer->context;

	pause->is_over = true;
}

/* Turns the loop for this long. */
static void turn(struct bench *bench, int64_t delay_ms)
{
	struct pause pause = {.timer = {.on_due = on_pause}};

	pause.timer.context = &pause;
	assert_true(loop_timer_start(bench->loop, &pause.timer, delay_ms));
	talk_run_until(bench->loop, &pause.is_over);
}

/* ---- what is refused ---- */

static void what_is_no_reference_to_vault_is_refused(void **state)
{
	const char *const wrong[] = {
		"", "name", "env:A", "file:/a", "vault:kv", "vault:kv/../a#key", "vault:kv/a"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct error err = {0};

		assert_false(want(bench, 0, text_of(wrong[i]), &err));
		assert_int_equal(err.code, ERROR_INVALID);
	}
	assert_int_equal(bench->fake.fetches, 0);
}

static void without_an_address_nothing_is_fetched(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->settings.vault.url = NULL;
	assert_false(want(bench, 0, reference, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_non_null(strstr(err.text, "vault-url"));
}

static void a_token_file_that_others_can_open_is_not_used(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_int_equal(chmod(bench->folder.token_file, 0640), 0);
	assert_false(want(bench, 0, reference, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_int_equal(bench->fake.fetches, 0);
	assert_non_null(strstr(bench->log, "token: others may open it"));
	assert_null(strstr(err.text, "/")); /* an agent learns no path */
}

static void a_token_of_several_lines_is_not_sent(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	private_write(bench->folder.token_file, "token-of-test\nX-Evil: 1\n");
	assert_false(want(bench, 0, reference, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_null(strstr(err.text, "of-test"));
	assert_int_equal(bench->fake.fetches, 0);
}

struct bad_reply {
	const char *mode;
	const char *reference;
	enum error_code code;
	const char *text;
};

static const struct bad_reply bad_replies[] = {
	{"sealed", "vault:kv/a#key", ERROR_IO, "sealed or down for maintenance (HTTP 503)"},
	{"forbidden", "vault:kv/b#key", ERROR_IO, "refuses remit's token"},
	{"deleted", "vault:kv/c#key", ERROR_NOT_FOUND, "newest version is deleted (HTTP 404)"},
	{"absent", "vault:kv/d#key", ERROR_NOT_FOUND, "holds no such secret"},
	{"nonsense", "vault:kv/e#key", ERROR_IO, "nonsense: not JSON"},
	{"version-1", "vault:kv/f#key", ERROR_IO, "KV version 2"},
	{"elsewhere", "vault:kv/g#key", ERROR_IO, "name the active one"},
	{"huge", "vault:kv/h#key", ERROR_IO, "longer than 262144 bytes"},
	{"cut", "vault:kv/i#key", ERROR_IO, "Vault cannot be reached"},
	{"good", "vault:kv/j#missing", ERROR_NOT_FOUND, "no field of this name"},
	{"good", "vault:kv/k#number", ERROR_INVALID, "no text"},
};

static void a_bad_reply_gives_no_value_and_a_clear_reason(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof bad_replies / sizeof bad_replies[0]; i++) {
		const struct bad_reply *bad = &bad_replies[i];
		struct text got;
		struct error err;

		bench->fake.mode = bad->mode;
		assert_false(fetch(bench, text_of(bad->reference), &err));
		if (err.code != bad->code || strstr(err.text, bad->text) == NULL)
			fail_msg("%s: %s", bad->mode, err.text);
		assert_false(vault_find(bench->vault, text_of(bad->reference), &got));
		assert_non_null(strstr(bench->log, bad->reference));
	}
}

static void a_vault_that_is_down_is_named_in_the_log_alone(void **state)
{
	struct bench *bench = *state;
	struct error err;

	http_server_destroy(&bench->fake.http);
	assert_false(fetch(bench, reference, &err));
	assert_string_equal(err.text, "Vault cannot be reached");
	assert_non_null(strstr(bench->log, bench->fake.url));
}

static void a_vault_that_does_not_answer_is_given_up_at_the_deadline(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->times.deadline_ms = 30;
	bench->fake.mode = "silent";
	assert_false(fetch(bench, reference, &err));
	assert_int_equal(err.code, ERROR_TIMEOUT);
	assert_non_null(strstr(err.text, "did not answer in time"));
}

static void after_a_failure_vault_is_left_alone_for_a_while(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->times.again_ms = LONG_MS;
	bench->fake.mode = "sealed";
	assert_false(fetch(bench, reference, &err));
	bench->fake.mode = "good";
	assert_false(want(bench, 1, reference, &err));
	assert_non_null(strstr(err.text, "sealed"));
	assert_int_equal(bench->fake.fetches, 1);
}

static void and_then_it_is_asked_again(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->times.again_ms = 20;
	bench->fake.mode = "sealed";
	assert_false(fetch(bench, reference, &err));
	bench->fake.mode = "good";
	turn(bench, 25);
	fetch_well(bench, reference);
	assert_value(bench, "value-of-test");
}

/* ---- the value ---- */

static void a_value_is_fetched_as_the_api_says(void **state)
{
	struct bench *bench = *state;

	bench->settings.vault.namespace = "ns1/ns2";
	bench->fake.namespace = "ns1/ns2";
	assert_none(bench);
	fetch_well(bench, reference);
	assert_value(bench, "value-of-test");
	assert_true(vault_is_fresh(bench->vault, reference));
	assert_string_equal(bench->fake.paths, "GET /v1/kv/data/mcp/files;");
	fetch_well(bench, TEXT("vault:t%2Fkv/a/%C3%A4%20b#key"));
	assert_non_null(strstr(bench->fake.paths, "GET /v1/t/kv/data/a/%C3%A4%20b;"));
}

static void what_json_escapes_is_read_as_it_was_written(void **state)
{
	struct bench *bench = *state;

	bench->fake.value = "a\\u003cb\\\"\\\\ \\u00e4";
	fetch_well(bench, reference);
	assert_value(bench, "a<b\"\\ \xc3\xa4");
}

static void one_fetch_serves_all_who_wait(void **state)
{
	struct bench *bench = *state;
	struct error err;

	for (size_t i = 0; i < WAITS; i++)
		assert_true(want(bench, i, reference, &err));
	vault_forget(&bench->waiters[0].wait);
	vault_forget(&bench->waiters[2].wait);
	vault_forget(&bench->waiters[2].wait);
	vault_forget(&bench->waiters[WAITS - 1].wait);
	assert_true(want(bench, 2, reference, &err)); /* behind the others */
	talk_run_until(bench->loop, &bench->waiters[2].is_done);
	assert_int_equal(bench->fake.fetches, 1);
	for (size_t i = 0; i < WAITS; i++)
		assert_int_equal(bench->waiters[i].runs, i != 0 && i != WAITS - 1);
}

static void a_value_is_gone_when_its_time_is_over_whatever_vault_does(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->times.lifetime_ms = 30;
	bench->times.again_ms = 0;
	fetch_well(bench, reference);
	assert_value(bench, "value-of-test");
	bench->fake.mode = "sealed";
	turn(bench, 31);
	assert_none(bench);
	assert_false(fetch(bench, reference, &err));
	assert_none(bench);
}

static void a_shorter_lease_ends_it_earlier_and_a_longer_one_does_not_stretch_it(void **state)
{
	struct bench *bench = *state;

	bench->fake.lease_s = 2764800;
	bench->times.lifetime_ms = 30;
	fetch_well(bench, reference);
	turn(bench, 31);
	assert_none(bench);
	bench->fake.lease_s = 1;
	bench->times.lifetime_ms = LONG_MS;
	fetch_well(bench, reference);
	turn(bench, 1001);
	assert_none(bench);
}

static void a_failed_refetch_leaves_the_value_its_time(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	fetch_well(bench, reference);
	bench->fake.mode = "sealed";
	assert_true(fetch(bench, reference, &err));
	assert_value(bench, "value-of-test");
	assert_int_equal(bench->fake.fetches, 2);
}

static void a_value_that_vault_takes_away_is_gone_at_once(void **state)
{
	const char *const modes[] = {"deleted", "forbidden"};
	struct bench *bench = *state;
	struct error err;

	bench->times.again_ms = 0;
	for (size_t i = 0; i < 2; i++) {
		bench->fake.mode = "good";
		fetch_well(bench, reference);
		bench->fake.mode = modes[i];
		assert_false(fetch(bench, reference, &err));
		assert_none(bench);
	}
}

static void a_renounced_value_is_dropped_once_in_a_while(void **state)
{
	struct bench *bench = *state;

	vault_renounce(bench->vault, reference); /* there is none: nothing happens */
	bench->times.renounce_ms = LONG_MS;
	fetch_well(bench, reference);
	vault_renounce(bench->vault, reference);
	assert_value(bench, "value-of-test");
	bench->times.renounce_ms = 0;
	vault_renounce(bench->vault, reference);
	assert_none(bench);
	bench->fake.value = "other-value";
	fetch_well(bench, reference);
	assert_value(bench, "other-value");
}

static void the_table_is_bounded_and_gives_way_to_who_asks(void **state)
{
	struct bench *bench = *state;
	struct vault_wait waits[VAULT_REFERENCES_MAX + 1] = {0};
	struct error err = {0};
	char text[64];

	bench->fake.mode = "silent";
	for (int i = 0; i < VAULT_REFERENCES_MAX; i++) {
		waits[i] = (struct vault_wait){.run = on_run, .context = &bench->waiters[0]};
		(void)snprintf(text, sizeof text, "vault:kv/s%d#key", i);
		assert_true(vault_want(bench->vault, text_of(text), &waits[i], &err));
	}
	assert_false(want(bench, 1, reference, &err)); /* all are being fetched */
	assert_int_equal(err.code, ERROR_LIMIT);
	for (int i = 0; i < VAULT_REFERENCES_MAX; i++)
		vault_forget(&waits[i]);
}

static void the_oldest_value_gives_way(void **state)
{
	struct bench *bench = *state;
	struct text got;
	char text[64];

	for (int i = 0; i < VAULT_REFERENCES_MAX; i++) {
		(void)snprintf(text, sizeof text, "vault:kv/s%d#key", i);
		fetch_well(bench, text_of(text));
		if (i == 0)
			turn(bench, 2); /* older than the others by the clock */
	}
	assert_true(vault_find(bench->vault, TEXT("vault:kv/s0#key"), &got));
	fetch_well(bench, reference);
	assert_value(bench, "value-of-test");
	assert_false(vault_find(bench->vault, TEXT("vault:kv/s0#key"), &got));
	assert_true(vault_find(bench->vault, TEXT("vault:kv/s1#key"), &got));
}

static void an_answer_has_its_bound(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->fake.size = VAULT_REPLY_BYTES_MAX;
	fetch_well(bench, reference);
	bench->fake.size = VAULT_REPLY_BYTES_MAX + 1;
	assert_false(fetch(bench, TEXT("vault:kv/other#key"), &err));
	assert_non_null(strstr(err.text, "longer than 262144 bytes"));
}

static void a_secret_has_its_bound(void **state)
{
	static char value[SECRET_BYTES_MAX + 2];
	struct bench *bench = *state;
	struct error err;

	bench->times.again_ms = 0;
	memset(value, 'v', SECRET_BYTES_MAX + 1);
	bench->fake.value = value;
	assert_false(fetch(bench, reference, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	value[SECRET_BYTES_MAX] = '\0';
	fetch_well(bench, reference);
	assert_value(bench, value);
	bench->fake.value = "";
	assert_false(fetch(bench, reference, &err));
	bench->fake.value = "a\\nb";
	assert_false(fetch(bench, reference, &err));
	assert_int_equal(err.code, ERROR_INVALID);
}

/* ---- tokens ---- */

static void a_changed_token_file_is_read_at_the_next_fetch(void **state)
{
	struct bench *bench = *state;

	fetch_well(bench, reference);
	bench->fake.token = "new-token-of-test";
	private_write(bench->folder.token_file, "new-token-of-test");
	fetch_well(bench, reference);
	assert_int_equal(bench->fake.fetches, 2);
}

static void a_refused_token_is_read_again_and_tried_once(void **state)
{
	struct bench *bench = *state;

	bench->fake.token = "new-token-of-test";
	bench->fake.refresh_file = bench->folder.token_file;
	bench->fake.refresh_token = "new-token-of-test";
	fetch_well(bench, reference);
	assert_int_equal(bench->fake.fetches, 2);
}

static void a_refused_token_that_did_not_change_is_not_tried_again(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->fake.token = "new-token-of-test";
	assert_false(fetch(bench, reference, &err));
	assert_non_null(strstr(err.text, "HTTP 403"));
	assert_int_equal(bench->fake.fetches, 1);
}

static void a_second_refusal_is_the_last(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->fake.token = "third-token-of-test";
	bench->fake.refresh_file = bench->folder.token_file;
	bench->fake.refresh_token = "second-token-of-test";
	assert_false(fetch(bench, reference, &err));
	assert_int_equal(bench->fake.fetches, 2);
}

/* ---- AppRole ---- */

static void use_role(struct bench *bench)
{
	private_write(bench->folder.token_file, "secret-id-of-test\n");
	bench->settings.vault.token_file = NULL;
	bench->settings.vault.role_id = "role-1";
	bench->settings.vault.secret_id_file = bench->folder.token_file;
}

static void a_refused_login_gives_no_value(void **state)
{
	struct bench *bench = *state;
	struct error err;

	use_role(bench);
	private_write(bench->folder.token_file, "wrong-id-of-test");
	assert_false(fetch(bench, reference, &err));
	assert_non_null(strstr(err.text, "login: Vault takes the request for invalid (HTTP 400)"));
	assert_int_equal(bench->fake.fetches, 0);
}

static void one_login_serves_all_fetches(void **state)
{
	struct bench *bench = *state;
	struct error err;

	use_role(bench);
	assert_true(want(bench, 1, TEXT("vault:kv/a#key"), &err));
	assert_true(want(bench, 2, TEXT("vault:kv/b#key"), &err));
	fetch_well(bench, reference);
	fetch_well(bench, TEXT("vault:kv/c#key"));
	assert_int_equal(bench->fake.logins, 1);
	assert_int_equal(bench->waiters[1].runs, 1);
	assert_int_equal(bench->waiters[2].runs, 1);
}

static void a_login_is_made_anew_before_its_end(void **state)
{
	struct bench *bench = *state;

	use_role(bench);
	bench->times.login_ms = 30;
	fetch_well(bench, reference);
	turn(bench, 28); /* the last tenth has begun */
	fetch_well(bench, reference);
	assert_int_equal(bench->fake.logins, 2);
}

static void a_login_that_was_revoked_is_made_anew_once(void **state)
{
	struct bench *bench = *state;
	struct error err;

	use_role(bench);
	fetch_well(bench, reference);
	bench->fake.token = "new-token-of-test";
	fetch_well(bench, reference);
	assert_int_equal(bench->fake.logins, 2);
	bench->times.again_ms = 0;
	bench->fake.mode = "forbidden"; /* the policy, not the token */
	assert_false(fetch(bench, reference, &err));
	assert_int_equal(bench->fake.logins, 3);
	assert_int_equal(bench->fake.fetches, 5);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(what_is_no_reference_to_vault_is_refused),
		WITH(without_an_address_nothing_is_fetched),
		WITH(a_token_file_that_others_can_open_is_not_used),
		WITH(a_token_of_several_lines_is_not_sent),
		WITH(a_bad_reply_gives_no_value_and_a_clear_reason),
		WITH(a_vault_that_is_down_is_named_in_the_log_alone),
		WITH(a_vault_that_does_not_answer_is_given_up_at_the_deadline),
		WITH(after_a_failure_vault_is_left_alone_for_a_while),
		WITH(and_then_it_is_asked_again),
		WITH(a_value_is_fetched_as_the_api_says),
		WITH(what_json_escapes_is_read_as_it_was_written),
		WITH(one_fetch_serves_all_who_wait),
		WITH(a_value_is_gone_when_its_time_is_over_whatever_vault_does),
		WITH(a_shorter_lease_ends_it_earlier_and_a_longer_one_does_not_stretch_it),
		WITH(a_failed_refetch_leaves_the_value_its_time),
		WITH(a_value_that_vault_takes_away_is_gone_at_once),
		WITH(a_renounced_value_is_dropped_once_in_a_while),
		WITH(the_table_is_bounded_and_gives_way_to_who_asks),
		WITH(the_oldest_value_gives_way),
		WITH(an_answer_has_its_bound),
		WITH(a_secret_has_its_bound),
		WITH(a_changed_token_file_is_read_at_the_next_fetch),
		WITH(a_refused_token_is_read_again_and_tried_once),
		WITH(a_refused_token_that_did_not_change_is_not_tried_again),
		WITH(a_second_refusal_is_the_last),
		WITH(a_refused_login_gives_no_value),
		WITH(one_login_serves_all_fetches),
		WITH(a_login_is_made_anew_before_its_end),
		WITH(a_login_that_was_revoked_is_made_anew_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

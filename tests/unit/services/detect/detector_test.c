/* What the detector knows, for how long, through restarts, and what it lets pass. */
#include "services/detect/detector.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"

#define KEY "key-of-a-server-0123456789"
#define OTHER "another-key-9876543210-x"
#define REFERENCE "env:SERVER_KEY"
/* In two parts, so that nobody who looks for secrets in this source finds one. */
#define FOREIGN                                                                                    \
	"ghp_"                                                                                     \
	"q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoV"
enum { NOW_MS = 1000 * 1000, KEPT_MS = 5000, ARENA_BYTES = 1 << 20 };

struct bench {
	char folder[64];
	char file[128];
	struct seal_key master;
	int64_t now_ms;
	struct detector_settings settings;
	struct detector *detector;
	struct arena *arena;
	struct secret_tally tally;
	/* What the port heard last. */
	unsigned sightings;
	char subject[64];
	char fingerprint[DETECTOR_ID_BYTES];
	enum secret_kind kind;
	enum secret_place place;
};

static int64_t clock_of(void *context)
{
	return ((struct bench *)context)->now_ms;
}

static void seen(void *context, const struct secret_sighting *sighting)
{
	struct bench *bench = context;

	bench->sightings++;
	bench->kind = sighting->kind;
	bench->place = sighting->place;
	(void)snprintf(bench->subject, sizeof bench->subject, "%.*s", TEXT_ARGS(sighting->subject));
	(void)snprintf(bench->fingerprint, sizeof bench->fingerprint, "%.*s",
		TEXT_ARGS(sighting->fingerprint));
}

static void reopen(struct bench *bench)
{
	struct error err;

	detector_close(&bench->detector);
	assert_true(detector_open(&bench->detector, &bench->settings, &err));
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	assert_non_null(bench);
	memcpy(bench->folder, "/tmp/detector-test-XXXXXX", 26);
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(bench->file, sizeof bench->file, "%s/fingerprints", bench->folder);
	memset(bench->master.bytes, 7, sizeof bench->master.bytes);
	bench->now_ms = NOW_MS;
	bench->arena = arena_create(ARENA_BYTES);
	bench->settings = (struct detector_settings){.folder = bench->folder,
		.master = &bench->master,
		.kept_ms = KEPT_MS,
		.own = SECRETS_REDACTED,
		.foreign = SECRETS_REDACTED,
		.sightings = {bench, seen},
		.wall_utc_ms = clock_of,
		.clock_context = bench};
	reopen(bench);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	log_set_filter(NULL);
	detector_close(&bench->detector);
	(void)unlink(bench->file);
	assert_int_equal(rmdir(bench->folder), 0);
	arena_destroy(&bench->arena);
	free(bench);
	return 0;
}

/* Secrets in a text; its tally is kept. */
static uint32_t count(struct bench *bench, const char *text)
{
	const struct json value = json_cstring(text);

	bench->tally = (struct secret_tally){0};
	detector_count(bench->detector, &value, &bench->tally);
	return bench->tally.count;
}

static void passes_as(struct bench *bench, const char *text, enum secret_handling expected,
	const char *expected_text)
{
	const struct json value = json_cstring(text);
	struct json out;

	bench->tally = (struct secret_tally){0};
	assert_int_equal(detector_pass(bench->detector, bench->arena, &value, &bench->tally, &out),
		expected);
	if (expected != SECRETS_BLOCKED)
		assert_true(text_is(out.string, expected_text));
}

static void what_was_never_learned_is_not_found(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(count(bench, "a text with " KEY " in it"), 0);
	assert_int_equal(bench->sightings, 0);
}

static void a_secret_that_is_too_short_is_not_looked_for(void **state)
{
	struct bench *bench = *state;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT("only-15-letters"));
	assert_int_equal(count(bench, "only-15-letters only-15-letters"), 0);
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT("now-16-letters-x"));
	assert_int_equal(count(bench, "now-16-letters-x"), 1);
}

static void a_name_that_is_too_long_is_not_taken(void **state)
{
	static char name[DETECTOR_NAME_BYTES_MAX + 1];
	struct bench *bench = *state;

	memset(name, 'n', sizeof name);
	detector_learn_credential(bench->detector, (struct text){name, sizeof name}, TEXT(KEY));
	assert_int_equal(count(bench, KEY), 0);
	detector_learn_credential(
		bench->detector, (struct text){name, DETECTOR_NAME_BYTES_MAX}, TEXT(KEY));
	assert_int_equal(count(bench, KEY), 1);
	reopen(bench);
	assert_int_equal(count(bench, KEY), 1);
}

static void a_credential_is_found_and_told_by_name(void **state)
{
	struct bench *bench = *state;
	const struct secret_scene scene = {.place = SECRET_IN_RESULT};
	char id[DETECTOR_ID_BYTES];

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	assert_int_equal(count(bench, "it is " KEY "!"), 1);
	assert_int_equal(bench->tally.kinds, 1u << SECRET_OWN);
	detector_id(bench->detector, bench->tally.own[0], id);
	detector_report(bench->detector, &bench->tally, &scene);
	assert_int_equal(bench->sightings, 1);
	assert_string_equal(bench->subject, REFERENCE);
	assert_string_equal(bench->fingerprint, id);
	assert_int_equal(strncmp(id, "f-", 2), 0);
	assert_int_equal(bench->place, SECRET_IN_RESULT);
	assert_string_equal(secret_place_word(bench->place), "result");
	assert_int_equal(detector_figures(bench->detector).own, 1);
}

static void one_of_others_is_told_by_its_form(void **state)
{
	struct bench *bench = *state;
	const struct secret_scene scene = {.place = SECRET_IN_ARGUMENTS};

	assert_int_equal(count(bench, "token " FOREIGN), 1);
	assert_int_equal(bench->tally.kinds, 1u << SECRET_FOREIGN);
	detector_report(bench->detector, &bench->tally, &scene);
	assert_string_equal(bench->subject, "github-token");
	assert_string_equal(bench->fingerprint, "");
	assert_int_equal(bench->kind, SECRET_FOREIGN);
}

/* ---- how long ---- */

static void a_replaced_credential_is_known_for_its_time_and_no_longer(void **state)
{
	struct bench *bench = *state;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(OTHER));
	assert_int_equal(detector_figures(bench->detector).credentials, 2);
	bench->now_ms = NOW_MS + KEPT_MS - 1;
	detector_tick(bench->detector);
	assert_int_equal(count(bench, KEY " " OTHER), 2);
	bench->now_ms = NOW_MS + KEPT_MS;
	detector_tick(bench->detector);
	assert_int_equal(count(bench, KEY), 0);
	assert_int_equal(count(bench, OTHER), 1);
}

static void a_credential_that_is_what_it_was_again_is_known_once(void **state)
{
	struct bench *bench = *state;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(OTHER));
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	assert_int_equal(detector_figures(bench->detector).credentials, 2);
	assert_int_equal(count(bench, KEY), 1);
	bench->now_ms = NOW_MS + KEPT_MS;
	detector_tick(bench->detector);
	assert_int_equal(count(bench, KEY " " OTHER), 1);
	reopen(bench);
	assert_int_equal(count(bench, KEY), 1);
}

static void one_value_under_two_names_is_one_place(void **state)
{
	struct bench *bench = *state;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	detector_learn_credential(bench->detector, TEXT("another"), TEXT(KEY));
	assert_int_equal(count(bench, "x " KEY " y"), 1);
	assert_int_equal(bench->tally.own_count, 2);
	detector_drop_credential(bench->detector, TEXT("another"));
	bench->now_ms = NOW_MS + KEPT_MS;
	detector_tick(bench->detector);
	assert_int_equal(count(bench, "x " KEY " y"), 1);
	assert_int_equal(bench->tally.own_count, 1);
}

static void a_dropped_credential_is_known_for_its_time(void **state)
{
	struct bench *bench = *state;

	detector_drop_credential(bench->detector, TEXT("nobody-knows"));
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	detector_drop_credential(bench->detector, TEXT(REFERENCE));
	assert_int_equal(count(bench, KEY), 1);
	bench->now_ms = NOW_MS + KEPT_MS;
	reopen(bench);
	assert_int_equal(count(bench, KEY), 0);
}

static void a_token_and_a_code_are_known_until_they_end(void **state)
{
	struct bench *bench = *state;

	detector_learn_token(bench->detector, TEXT(KEY), NOW_MS + 10);
	detector_learn_token(bench->detector, TEXT(KEY), NOW_MS + 10);
	detector_learn_code(bench->detector, TEXT("ABCD-EFGH-JKLM-NPQR-STVW"), NOW_MS + 20);
	assert_int_equal(detector_figures(bench->detector).tokens, 2);
	assert_int_equal(count(bench, KEY " ABCD-EFGH-JKLM-NPQR-STVW"), 2);
	bench->now_ms = NOW_MS + 10;
	detector_tick(bench->detector);
	assert_int_equal(count(bench, KEY " ABCD-EFGH-JKLM-NPQR-STVW"), 1);
	bench->now_ms = NOW_MS + 20;
	detector_tick(bench->detector);
	assert_int_equal(detector_figures(bench->detector).tokens, 0);
	detector_learn_token(bench->detector, TEXT(KEY), NOW_MS + 20);
	assert_int_equal(count(bench, KEY), 0); /* it has ended */
}

static void of_too_many_tokens_the_first_to_end_is_forgotten(void **state)
{
	struct bench *bench = *state;
	char token[64];

	for (int i = 0; i < DETECTOR_TOKENS_MAX; i++) {
		(void)snprintf(token, sizeof token, "token-number-%08d-of-many", i);
		detector_learn_token(bench->detector, text_of(token), NOW_MS + 1000 + i);
	}
	assert_int_equal(detector_figures(bench->detector).tokens, DETECTOR_TOKENS_MAX);
	assert_int_equal(count(bench, "token-number-00000000-of-many"), 1);
	detector_learn_token(bench->detector, TEXT(KEY), NOW_MS + 500000);
	assert_int_equal(detector_figures(bench->detector).tokens, DETECTOR_TOKENS_MAX);
	assert_int_equal(count(bench, "token-number-00000000-of-many"), 0);
	assert_int_equal(count(bench, "token-number-00000001-of-many " KEY), 2);
}

/* In whatever order they come: this one goes through all ends once. */
static int64_t end_of(int number)
{
	return NOW_MS + 1000 + number * 2654435761LL % DETECTOR_TOKENS_MAX;
}

static void learn_number(struct bench *bench, int number, int64_t ends_ms)
{
	char token[64];

	(void)snprintf(token, sizeof token, "token-number-%08d-of-many", number);
	detector_learn_token(bench->detector, text_of(token), ends_ms);
}

static bool knows_number(struct bench *bench, int number)
{
	char token[64];

	(void)snprintf(token, sizeof token, "token-number-%08d-of-many", number);
	return count(bench, token) == 1;
}

static void tokens_are_forgotten_in_the_order_of_their_ends(void **state)
{
	struct bench *bench = *state;
	int newest = DETECTOR_TOKENS_MAX;

	for (int i = 0; i < DETECTOR_TOKENS_MAX; i++)
		learn_number(bench, i, end_of(i));
	/* Some end and are forgotten by the clock, wherever they stand. */
	bench->now_ms = NOW_MS + 1000 + 9;
	detector_tick(bench->detector);
	assert_int_equal(detector_figures(bench->detector).tokens, DETECTOR_TOKENS_MAX - 10);
	for (int more = 0; more < 1010; more++)
		learn_number(bench, newest++, NOW_MS + 1000000 + more);
	assert_int_equal(detector_figures(bench->detector).tokens, DETECTOR_TOKENS_MAX);
	for (int i = 0; i < DETECTOR_TOKENS_MAX; i++)
		assert_int_equal(knows_number(bench, i), end_of(i) >= NOW_MS + 1000 + 1010);
	assert_true(knows_number(bench, newest - 1));
	bench->now_ms = NOW_MS + 3000000;
	detector_tick(bench->detector);
	assert_int_equal(detector_figures(bench->detector).tokens, 0);
}

static void of_too_many_credentials_the_replaced_go_first(void **state)
{
	struct bench *bench = *state;
	char name[64], value[64];

	bench->settings.folder = NULL; /* each is written otherwise */
	reopen(bench);
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(OTHER));
	for (int i = 2; i <= DETECTOR_CREDENTIALS_MAX; i++) {
		(void)snprintf(name, sizeof name, "server-%d", i);
		(void)snprintf(value, sizeof value, "credential-number-%08d", i);
		detector_learn_credential(bench->detector, text_of(name), text_of(value));
	}
	assert_int_equal(detector_figures(bench->detector).credentials, DETECTOR_CREDENTIALS_MAX);
	assert_int_equal(count(bench, KEY), 0);
	assert_int_equal(count(bench, OTHER), 1);
	detector_learn_credential(bench->detector, TEXT("one-more"), TEXT(KEY));
	assert_int_equal(count(bench, KEY), 0); /* all others are in use */
}

/* ---- on disk ---- */

static void a_restart_knows_what_was_known(void **state)
{
	struct bench *bench = *state;
	char before[DETECTOR_ID_BYTES], after[DETECTOR_ID_BYTES];

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	detector_learn_token(bench->detector, TEXT(OTHER), NOW_MS + 10);
	assert_int_equal(count(bench, KEY), 1);
	detector_id(bench->detector, bench->tally.own[0], before);
	reopen(bench);
	assert_false(detector_was_lost(bench->detector));
	assert_int_equal(count(bench, KEY " " OTHER), 2);
	assert_int_equal(count(bench, KEY), 1);
	detector_id(bench->detector, bench->tally.own[0], after);
	assert_string_equal(before, after);
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	assert_int_equal(detector_figures(bench->detector).credentials, 1);
}

static void the_file_is_ours_alone_and_tells_nothing(void **state)
{
	struct bench *bench = *state;
	static char bytes[100000];
	struct stat about;
	FILE *file;
	size_t size;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	assert_int_equal(stat(bench->file, &about), 0); /* without a close */
	assert_int_equal(about.st_mode & 0777, 0600);
	file = fopen(bench->file, "rb");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof bytes, file);
	assert_int_equal(fclose(file), 0);
	assert_null(memmem(bytes, size, KEY, strlen(KEY)));
	assert_null(memmem(bytes, size, REFERENCE, strlen(REFERENCE)));
	assert_non_null(memmem(bytes, size, "remit-fingerprints-1\n", 21));
}

static void overwrite(struct bench *bench, long at, int byte)
{
	FILE *file = fopen(bench->file, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	assert_int_equal(fputc(byte, file), byte);
	assert_int_equal(fclose(file), 0);
}

static void a_damaged_file_is_lost_and_made_again_by_use(void **state)
{
	struct bench *bench = *state;

	for (long at = 0; at >= -1; at--) {
		detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
		detector_close(&bench->detector);
		overwrite(bench, at, '~');
		reopen(bench);
		assert_true(detector_was_lost(bench->detector));
		assert_int_equal(count(bench, KEY), 0);
		detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
		assert_int_equal(count(bench, KEY), 1);
		reopen(bench);
		assert_false(detector_was_lost(bench->detector));
		assert_int_equal(count(bench, KEY), 1);
	}
}

static void a_file_under_another_key_or_too_short_is_lost(void **state)
{
	struct bench *bench = *state;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	detector_close(&bench->detector);
	bench->master.bytes[0] ^= 1;
	reopen(bench);
	assert_true(detector_was_lost(bench->detector));
	detector_close(&bench->detector);
	assert_int_equal(truncate(bench->file, 10), 0);
	reopen(bench);
	assert_true(detector_was_lost(bench->detector));
}

/* ---- what passes ---- */

static void a_result_is_redacted_blocked_or_passed_as_is_set(void **state)
{
	struct bench *bench = *state;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	passes_as(bench, "nothing in it at all", SECRETS_PASSED, "nothing in it at all");
	passes_as(bench, "x " KEY " y", SECRETS_REDACTED, "x " SECRET_REMOVED " y");
	passes_as(bench, "x " FOREIGN " y", SECRETS_REDACTED, "x " SECRET_REMOVED " y");
	detector_handle(bench->detector, SECRETS_REDACTED, SECRETS_PASSED);
	passes_as(bench, FOREIGN, SECRETS_PASSED, FOREIGN);
	assert_int_equal(bench->tally.count, 1);
	passes_as(bench, KEY " " FOREIGN, SECRETS_REDACTED, SECRET_REMOVED " " FOREIGN);
	detector_handle(bench->detector, SECRETS_BLOCKED, SECRETS_REDACTED);
	passes_as(bench, KEY, SECRETS_BLOCKED, "");
	passes_as(bench, FOREIGN, SECRETS_REDACTED, SECRET_REMOVED);
	detector_handle(bench->detector, SECRETS_REDACTED, SECRETS_BLOCKED);
	passes_as(bench, FOREIGN, SECRETS_BLOCKED, "");
	/* ours are never passed on */
	detector_handle(bench->detector, SECRETS_PASSED, SECRETS_PASSED);
	passes_as(bench, KEY, SECRETS_REDACTED, SECRET_REMOVED);
}

static void what_cannot_be_taken_out_is_blocked(void **state)
{
	struct bench *bench = *state;
	struct arena *small = arena_create(64);
	const struct json value = json_cstring(KEY);
	struct json out;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	while (arena_alloc(small, 1, 1) != NULL)
		;
	assert_int_equal(detector_pass(bench->detector, small, &value, &bench->tally, &out),
		SECRETS_BLOCKED);
	assert_true(text_is(detector_pass_text(bench->detector, small, TEXT(KEY), &bench->tally),
		SECRET_REMOVED));
	arena_destroy(&small);
}

static void a_sentence_is_freed_of_secrets(void **state)
{
	struct bench *bench = *state;

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	bench->tally = (struct secret_tally){0};
	assert_true(text_is(detector_pass_text(bench->detector, bench->arena,
				    TEXT("HTTP 500: bad key " KEY), &bench->tally),
		"HTTP 500: bad key " SECRET_REMOVED));
	assert_int_equal(bench->tally.count, 1);
}

/* ---- the log ---- */

static bool hides(void *context, struct text value)
{
	return detector_sees(context, value);
}

static void the_log_leaves_secrets_out_and_they_are_told_later(void **state)
{
	struct bench *bench = *state;
	const struct log_filter filter = {bench->detector, hides};
	FILE *file = tmpfile();
	char line[1000];

	assert_non_null(file);
	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	log_set_fd(fileno(file));
	log_set_filter(&filter);
	log_info("said", LOG_STRING("line", "my key: " KEY), LOG_STRING("other", "in the clear"));
	log_set_filter(NULL);
	log_set_fd(STDERR_FILENO);
	rewind(file);
	assert_non_null(fgets(line, sizeof line, file));
	assert_null(strstr(line, KEY));
	assert_non_null(strstr(line, "line=\"[secret left out]\""));
	assert_non_null(strstr(line, "other=\"in the clear\""));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(bench->sightings, 0);
	detector_tick(bench->detector);
	assert_int_equal(bench->sightings, 1);
	assert_int_equal(bench->place, SECRET_IN_LOG);
	assert_string_equal(bench->subject, REFERENCE);
	assert_int_equal(detector_figures(bench->detector).logged, 1);
	detector_tick(bench->detector);
	assert_int_equal(bench->sightings, 1);
}

static void *log_all_the_time(void *context)
{
	for (int i = 0; i < 2000; i++)
		(void)detector_sees(context, TEXT("a line of the log with " KEY " in it"));
	return NULL;
}

static void other_threads_log_while_secrets_come_and_go(void **state)
{
	struct bench *bench = *state;
	pthread_t thread;
	char token[64];

	detector_learn_credential(bench->detector, TEXT(REFERENCE), TEXT(KEY));
	assert_int_equal(pthread_create(&thread, NULL, log_all_the_time, bench->detector), 0);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(token, sizeof token, "token-number-%08d-of-many", i);
		detector_learn_token(bench->detector, text_of(token), NOW_MS + 1 + i);
		bench->now_ms = NOW_MS + i;
		detector_tick(bench->detector);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	detector_tick(bench->detector);
	assert_int_equal(detector_figures(bench->detector).logged, 2000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_never_learned_is_not_found),
		TEST(a_secret_that_is_too_short_is_not_looked_for),
		TEST(a_name_that_is_too_long_is_not_taken),
		TEST(a_credential_is_found_and_told_by_name),
		TEST(one_of_others_is_told_by_its_form),
		TEST(a_replaced_credential_is_known_for_its_time_and_no_longer),
		TEST(a_credential_that_is_what_it_was_again_is_known_once),
		TEST(one_value_under_two_names_is_one_place),
		TEST(a_dropped_credential_is_known_for_its_time),
		TEST(a_token_and_a_code_are_known_until_they_end),
		TEST(of_too_many_tokens_the_first_to_end_is_forgotten),
		TEST(tokens_are_forgotten_in_the_order_of_their_ends),
		TEST(of_too_many_credentials_the_replaced_go_first),
		TEST(a_restart_knows_what_was_known),
		TEST(the_file_is_ours_alone_and_tells_nothing),
		TEST(a_damaged_file_is_lost_and_made_again_by_use),
		TEST(a_file_under_another_key_or_too_short_is_lost),
		TEST(a_result_is_redacted_blocked_or_passed_as_is_set),
		TEST(what_cannot_be_taken_out_is_blocked),
		TEST(a_sentence_is_freed_of_secrets),
		TEST(the_log_leaves_secrets_out_and_they_are_told_later),
		TEST(other_threads_log_while_secrets_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

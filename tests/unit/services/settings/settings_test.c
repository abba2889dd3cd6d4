#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/task/task.h"
#include "services/settings/settings.h"

enum { ARENA_BYTES = 1 << 20, WORDS_MAX = 12 };

struct fixture {
	struct arena *arena;
	struct settings settings;
	struct error err;
	char folder[64];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->arena = arena_create(ARENA_BYTES);
	assert_non_null(f->arena);
	(void)snprintf(f->folder, sizeof f->folder, "/tmp/settings-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[128];

	(void)snprintf(path, sizeof path, "%s/remit.yaml", f->folder);
	(void)unlink(path);
	(void)rmdir(f->folder);
	arena_destroy(&f->arena);
	free(f);
	return 0;
}

static bool read_words(struct fixture *f, const char *const *words)
{
	char *argv[WORDS_MAX + 3] = {0};
	int argc = 0;
	bool ok;

	f->err = (struct error){0};
	argv[argc++] = strdup("remitd");
	argv[argc++] = strdup("--data");
	argv[argc++] = strdup(f->folder);
	for (; *words != NULL; words++)
		argv[argc++] = strdup(*words);
	ok = settings_read(&f->settings, f->arena, argc, argv, &f->err);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return ok;
}

#define READ(f, ...) read_words((f), (const char *const[]){__VA_ARGS__, NULL})

static void write_file(struct fixture *f, const char *content)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/remit.yaml", f->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_not_equal(fputs(content, file), EOF);
	assert_int_equal(fclose(file), 0);
}

static void an_unknown_option_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	assert_false(READ(f, "--frobnicate", "1"));
	assert_non_null(strstr(f->err.text, "--frobnicate"));
}

static void an_unknown_name_in_the_file_is_refused_with_its_line(void **state)
{
	struct fixture *f = *state;

	write_file(f, "hold-ms: 5\nfrobnicate: 1\n");
	assert_false(READ(f, "--workers=1"));
	assert_non_null(strstr(f->err.text, "remit.yaml:2"));
	assert_non_null(strstr(f->err.text, "frobnicate"));
}

static void more_than_one_worker_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_false(READ(f, "--workers", "2"));
	assert_non_null(strstr(f->err.text, "workers"));
}

static void listening_beyond_loopback_needs_tls(void **state)
{
	struct fixture *f = *state;

	assert_false(READ(f, "--listen", "0.0.0.0:8470"));
	assert_non_null(strstr(f->err.text, "tls-cert"));
	assert_false(READ(f, "--listen", "[::]:8470"));
	assert_true(READ(f, "--listen", "[::1]:8470"));
	assert_true(READ(f, "--listen", "0.0.0.0:0", "--tls-cert", "c.pem", "--tls-key", "k.pem"));
}

static void half_of_a_tls_pair_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_false(READ(f, "--tls-cert", "c.pem"));
	assert_false(READ(f, "--tls-key", "k.pem"));
}

static void a_public_url_that_callers_could_not_use_is_refused(void **state)
{
	static const char *const wrong[] = {"", "foo", "ftp://a", "http://", "https:///x",
		"https://a/", "https://a b", "https://a?b", "https://a\"b"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_false(READ(f, "--public-url", wrong[i]));
		assert_non_null(strstr(f->err.text, "public-url"));
	}
	assert_true(READ(f, "--public-url", "https://remit.example:8443/gateway"));
	assert_true(READ(f, "--public-url", "http://127.0.0.1:1"));
}

static void a_public_url_in_the_clear_is_for_this_machine_alone(void **state)
{
	static const char *const wrong[] = {"http://remit.example", "http://10.0.0.1:8470",
		"http://0.0.0.0", "http://126.255.255.255", "http://128.0.0.0",
		"http://127.0.0.256", "http://127.0.0", "http://127.0.0.1.2", "http://127.0.0.01",
		"http://127.0.0.", "http://127.0.0.-1", "http://127.0.0.1.remit.example",
		"http://localhost.example", "http://127.0.0.1@remit.example",
		"http://localhost:1@remit.example", "http://[::1]@remit.example",
		"http://[::1].example", "http://[::2]", "http://[::1", "HTTP://localhost"};
	static const char *const right[] = {"http://127.0.0.0", "http://127.255.255.255:65535/a",
		"http://localhost", "http://localhost:8470/gateway", "http://[::1]",
		"http://[::1]:8470", "http://127.0.0.1/a@b", "https://10.0.0.1"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (READ(f, "--public-url", wrong[i]))
			fail_msg("%s is taken", wrong[i]);
		assert_non_null(strstr(f->err.text, "public-url: \""));
		assert_non_null(strstr(f->err.text, "https://HOST"));
	}
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		if (!READ(f, "--public-url", right[i]))
			fail_msg("%s is refused: %s", right[i], f->err.text);
}

static void a_vault_that_would_hear_a_token_in_the_clear_is_refused(void **state)
{
	static const char *const wrong[] = {"http://vault.example", "http://192.0.2.1:8200",
		"http://127.0.0.1.example", "http://localhost@192.0.2.1", "https://a/",
		"https://user@a", "https://a?b", "https://a/%2E%2E", "ftp://a", "vault"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (READ(f, "--vault-url", wrong[i], "--vault-token-file", "/t"))
			fail_msg("taken: %s", wrong[i]);
		assert_non_null(strstr(f->err.text, "vault-url"));
	}
	assert_true(READ(f, "--vault-url", "https://a:8200", "--vault-token-file", "/t"));
	assert_true(READ(f, "--vault-url", "https://a/vault", "--vault-token-file", "/t"));
	assert_true(READ(f, "--vault-url", "http://127.0.0.1:8200", "--vault-token-file", "/t"));
	assert_true(READ(f, "--vault-url", "http://[::1]", "--vault-token-file", "/t"));
}

static void a_webhook_that_would_be_told_in_the_clear_or_unsigned_is_refused(void **state)
{
	static const char *const wrong[] = {"http://hook.example/x", "https://user@a/x", "https://",
		"https:///x", "https://a/x#y", "ftp://a", "https://a/ b",
		"http://127.0.0.1.example/"};
	char long_url[WEBHOOK_URL_BYTES_MAX + 2];
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		if (READ(f, "--webhook-url", wrong[i], "--webhook-secret", "hook"))
			fail_msg("%s", wrong[i]);
		assert_non_null(strstr(f->err.text, "webhook-url"));
	}
	assert_false(READ(f, "--webhook-url", "https://a/x"));
	assert_false(READ(f, "--webhook-secret", "hook"));
	assert_false(READ(f, "--webhook-url", "https://a/x", "--webhook-secret", "file:relative"));
	assert_false(READ(f, "--webhook-url", "https://a/x", "--webhook-secret", "vault:kv/a#key"));
	memset(long_url, 'a', sizeof long_url);
	memcpy(long_url, "https://", 8);
	long_url[WEBHOOK_URL_BYTES_MAX + 1] = '\0';
	assert_false(READ(f, "--webhook-url", long_url, "--webhook-secret", "hook"));
	long_url[WEBHOOK_URL_BYTES_MAX] = '\0';
	assert_true(READ(f, "--webhook-url", long_url, "--webhook-secret", "hook"));
	assert_true(READ(f, "--webhook-url", "https://a:8/x?y=z", "--webhook-secret", "env:HOOK"));
	assert_true(READ(f, "--webhook-url", "http://[::1]:9/", "--webhook-secret", "file:/k"));
}

static void a_vault_needs_one_way_to_be_let_in(void **state)
{
	struct fixture *f = *state;
	const char *url = "https://a";

	assert_false(READ(f, "--vault-url", url));
	assert_false(READ(f, "--vault-token-file", "/t"));
	assert_false(READ(f, "--vault-ca", "/c"));
	assert_false(READ(f, "--vault-namespace", "n"));
	assert_false(READ(f, "--vault-role-id", "r", "--vault-secret-id-file", "/s"));
	assert_false(READ(f, "--vault-url", url, "--vault-role-id", "r"));
	assert_false(READ(f, "--vault-url", url, "--vault-secret-id-file", "/s"));
	assert_false(READ(f, "--vault-url", url, "--vault-token-file", "/t", "--vault-role-id", "r",
		"--vault-secret-id-file", "/s"));
	assert_false(READ(f, "--vault-url", url, "--vault-token-file", "t"));
	assert_false(
		READ(f, "--vault-url", url, "--vault-role-id", "r", "--vault-secret-id-file", "s"));
	assert_true(READ(
		f, "--vault-url", url, "--vault-role-id", "r", "--vault-secret-id-file", "/s"));
	assert_string_equal(f->settings.vault_role_id, "r");
}

static void names_for_vault_have_their_bound(void **state)
{
	static char name[VAULT_NAME_BYTES_MAX + 2], url[VAULT_URL_BYTES_MAX + 2] = "https://";
	struct fixture *f = *state;
	const char *token = "--vault-token-file";

	memset(name, 'n', VAULT_NAME_BYTES_MAX + 1);
	assert_false(READ(f, "--vault-url", "https://a", token, "/t", "--vault-namespace", name));
	assert_false(READ(f, "--vault-url", "https://a", token, "/t", "--vault-namespace", "a b"));
	name[VAULT_NAME_BYTES_MAX] = '\0';
	assert_true(READ(f, "--vault-url", "https://a", token, "/t", "--vault-namespace", name));
	memset(url + 8, 'h', VAULT_URL_BYTES_MAX + 1 - 8);
	assert_false(READ(f, "--vault-url", url, token, "/t"));
	url[VAULT_URL_BYTES_MAX] = '\0';
	assert_true(READ(f, "--vault-url", url, token, "/t"));
}

static void every_bound_holds_at_its_edges(void **state)
{
	struct fixture *f = *state;

	assert_false(READ(f, "--hold-ms", "-1"));
	assert_true(READ(f, "--hold-ms", "0"));
	assert_true(READ(f, "--hold-ms", "600000"));
	assert_false(READ(f, "--hold-ms", "600001"));
	assert_false(READ(f, "--hold-ms", "5x"));
	assert_false(READ(f, "--listen", "127.0.0.1:65536"));
}

static void the_command_line_wins_over_the_file(void **state)
{
	struct fixture *f = *state;

	write_file(f, "hold-ms: 5\nlisten: 127.0.0.1:9\n");
	assert_true(READ(f, "--hold-ms", "7"));
	assert_int_equal(f->settings.hold_ms, 7);
	assert_string_equal(f->settings.listen, "127.0.0.1:9");
}

static void nothing_said_gives_the_documented_defaults(void **state)
{
	struct fixture *f = *state;

	assert_true(READ(f, NULL));
	assert_string_equal(f->settings.listen, "127.0.0.1:8470");
	assert_string_equal(f->settings.store, "sqlite");
	assert_int_equal(f->settings.workers, 1);
	assert_int_equal(f->settings.connection_pool_bytes, 8192);
}

static void an_evaluation_is_recorded_awaited_or_behind(void **state)
{
	struct fixture *f = *state;

	assert_false(READ(f, "--authzen-record", "never"));
	assert_non_null(strstr(f->err.text, "authzen-record"));
	assert_false(READ(f, "--authzen-record", "Behind"));
	assert_true(READ(f, "--authzen-record", "awaited"));
	assert_string_equal(f->settings.authzen_record, "awaited");
	assert_true(READ(f, "--authzen-record", "behind"));
}

static void tool_calls_of_models_are_blocked_unless_it_says_otherwise(void **state)
{
	struct fixture *f = *state;

	assert_true(READ(f, "--workers=1"));
	assert_string_equal(f->settings.model_tool_calls, "block");
	assert_false(READ(f, "--model-tool-calls", "pass"));
	assert_non_null(strstr(f->err.text, "neither block nor record"));
	assert_true(READ(f, "--model-tool-calls", "record"));
	assert_string_equal(f->settings.model_tool_calls, "record");
}

static void tokens_are_bound_as_it_says_and_certificates_asked_for(void **state)
{
	struct fixture *f = *state;

	assert_true(READ(f, "--workers=1"));
	assert_string_equal(f->settings.dpop_nonces, "tokens");
	assert_string_equal(f->settings.client_certificates, "ask");
	assert_false(READ(f, "--dpop-nonces", "Always"));
	assert_non_null(strstr(f->err.text, "none of always, tokens, never"));
	assert_false(READ(f, "--client-certificates", "require"));
	assert_non_null(strstr(f->err.text, "neither ask nor never"));
	write_file(f, "dpop-nonces: always\nclient-certificates: never\n");
	assert_true(READ(f, "--workers=1"));
	assert_string_equal(f->settings.dpop_nonces, "always");
	assert_string_equal(f->settings.client_certificates, "never");
	assert_true(READ(f, "--dpop-nonces", "never"));
}

static void servers_over_stdio_are_confined_unless_it_says_otherwise(void **state)
{
	struct fixture *f = *state;

	assert_true(READ(f, "--workers=1"));
	assert_string_equal(f->settings.stdio_servers, "confined");
	assert_false(READ(f, "--stdio-servers", "free"));
	assert_non_null(strstr(f->err.text, "neither confined nor unconfined"));
	assert_false(READ(f, "--stdio-servers", "Unconfined"));
	assert_true(READ(f, "--stdio-servers", "unconfined"));
	write_file(f, "stdio-servers: unconfined\n");
	assert_true(READ(f, "--workers=1"));
	assert_string_equal(f->settings.stdio_servers, "unconfined");
	write_file(f, "stdio-servers: false\n");
	assert_false(READ(f, "--workers=1"));
}

static void tasks_are_held_to_the_most_that_is_set_and_no_setting_is_past_its_bound(void **state)
{
	struct fixture *f = *state;

	assert_true(READ(f, "--workers=1"));
	assert_int_equal(f->settings.tasks_max, TASKS_MAX_DEFAULT);
	assert_int_equal(f->settings.tasks_per_identity_max, TASKS_PER_IDENTITY_MAX_DEFAULT);
	assert_true(READ(f, "--tasks-max", "16777216", "--tasks-per-identity-max", "1"));
	assert_int_equal(f->settings.tasks_max, TASKS_MAX_MOST);
	assert_false(READ(f, "--tasks-max", "16777217"));
	assert_false(READ(f, "--tasks-max", "0"));
	assert_false(READ(f, "--tasks-per-identity-max", "0"));
}

static void secrets_in_results_are_redacted_unless_it_says_otherwise(void **state)
{
	struct fixture *f = *state;

	assert_true(READ(f, "--workers=1"));
	assert_string_equal(f->settings.own_secrets, "redact");
	assert_string_equal(f->settings.foreign_secrets, "redact");
	assert_int_equal(f->settings.fingerprints_kept_days, 90);
	assert_false(READ(f, "--own-secrets", "pass"));
	assert_non_null(strstr(f->err.text, "neither redact nor block"));
	assert_false(READ(f, "--foreign-secrets", "Pass"));
	assert_non_null(strstr(f->err.text, "none of pass, redact and block"));
	assert_false(READ(f, "--fingerprints-kept-days", "0"));
	assert_true(READ(f, "--own-secrets", "block", "--foreign-secrets", "pass"));
	assert_string_equal(f->settings.own_secrets, "block");
	assert_string_equal(f->settings.foreign_secrets, "pass");
	assert_true(READ(f, "--foreign-secrets", "block", "--fingerprints-kept-days", "1"));
	assert_int_equal(f->settings.fingerprints_kept_days, 1);
}

static void an_unknown_store_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_false(READ(f, "--store", "postgres:service"));
	assert_non_null(strstr(f->err.text, "sqlite"));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(an_unknown_option_is_refused_by_name),
		WITH_FIXTURE(an_unknown_name_in_the_file_is_refused_with_its_line),
		WITH_FIXTURE(more_than_one_worker_is_refused),
		WITH_FIXTURE(listening_beyond_loopback_needs_tls),
		WITH_FIXTURE(half_of_a_tls_pair_is_refused),
		WITH_FIXTURE(a_public_url_that_callers_could_not_use_is_refused),
		WITH_FIXTURE(a_public_url_in_the_clear_is_for_this_machine_alone),
		WITH_FIXTURE(a_vault_that_would_hear_a_token_in_the_clear_is_refused),
		WITH_FIXTURE(a_webhook_that_would_be_told_in_the_clear_or_unsigned_is_refused),
		WITH_FIXTURE(a_vault_needs_one_way_to_be_let_in),
		WITH_FIXTURE(names_for_vault_have_their_bound),
		WITH_FIXTURE(every_bound_holds_at_its_edges),
		WITH_FIXTURE(the_command_line_wins_over_the_file),
		WITH_FIXTURE(nothing_said_gives_the_documented_defaults),
		WITH_FIXTURE(an_evaluation_is_recorded_awaited_or_behind),
		WITH_FIXTURE(tool_calls_of_models_are_blocked_unless_it_says_otherwise),
		WITH_FIXTURE(servers_over_stdio_are_confined_unless_it_says_otherwise),
		WITH_FIXTURE(tokens_are_bound_as_it_says_and_certificates_asked_for),
		WITH_FIXTURE(secrets_in_results_are_redacted_unless_it_says_otherwise),
		WITH_FIXTURE(
			tasks_are_held_to_the_most_that_is_set_and_no_setting_is_past_its_bound),
		WITH_FIXTURE(an_unknown_store_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

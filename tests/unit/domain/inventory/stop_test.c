/* How an account is stopped at its provider: the calls, and what proves that it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/inventory/stop.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

struct bench {
	struct arena *arena;
	struct connector connector;
	struct inventory_stop *stop;
	struct error err;
	bool refused;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	bench->arena = arena_create(ARENA_BYTES);
	assert_non_null(bench->arena);
	bench->connector.url = TEXT("https://p.example");
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	inventory_stop_destroy(&bench->stop);
	arena_destroy(&bench->arena);
	free(bench);
	return 0;
}

static void begin_so(struct bench *bench, enum inventory_provider provider, struct stop_about about)
{
	inventory_stop_destroy(&bench->stop);
	bench->connector.provider = provider;
	about.connector = &bench->connector;
	error_clear(&bench->err);
	if (!inventory_stop_create(&bench->stop, &about, &bench->err))
		fail_msg("%s", bench->err.text);
}

static void begin(struct bench *bench, enum inventory_provider provider, const char *id,
	enum stop_direction direction)
{
	begin_so(bench, provider, (struct stop_about){.id = text_of(id), .direction = direction});
}

static void assert_asks(const struct bench *bench, const char *request, const char *body)
{
	struct stop_request asked;
	char line[1024];

	if (request == NULL) {
		assert_false(inventory_stop_next(bench->stop, &asked));
		return;
	}
	assert_true(inventory_stop_next(bench->stop, &asked));
	(void)snprintf(line, sizeof line, "%s %s", asked.method, asked.url);
	assert_string_equal(line, request);
	assert_int_equal(asked.is_call, strcmp(asked.method, "GET") != 0);
	if (body == NULL)
		assert_null(asked.body.data);
	else
		assert_true(text_is(asked.body, body));
}

static bool take(struct bench *bench, unsigned status, const char *page)
{
	struct json value;

	error_clear(&bench->err);
	if (page != NULL &&
		!json_parse(&value, bench->arena, text_of(page), &json_limits_default, &bench->err))
		fail_msg("%s", bench->err.text);
	return inventory_stop_take(
		bench->stop, status, page == NULL ? NULL : &value, &bench->refused, &bench->err);
}

static enum stop_verdict verdict(const struct bench *bench)
{
	return inventory_stop_verdict(bench->stop);
}

/* ---- what proves nothing ---- */

static void an_answer_that_says_nothing_is_no_proof(void **state)
{
	struct bench *bench = *state;
	static const struct {
		unsigned status;
		const char *page;
	} rows[] = {{500, NULL}, {200, NULL}, {200, "{}"}, {200, "{\"active\":null}"},
		{200, "{\"active\":\"false\"}"}, {200, "[]"}, {403, "{\"active\":false}"},
		{0, NULL}, {301, NULL}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(bench, PROVIDER_N8N, "w", STOP_AWAY);
		assert_true(take(bench, 200, "{\"active\":false}"));
		assert_int_equal(verdict(bench), STOP_UNKNOWN); /* the call's word is none */
		assert_false(take(bench, rows[i].status, rows[i].page));
		assert_int_equal(bench->err.code, ERROR_INVALID);
		assert_int_equal(verdict(bench), STOP_UNKNOWN);
	}
}

static void what_is_on_after_the_call_is_on(void **state)
{
	struct bench *bench = *state;

	begin(bench, PROVIDER_N8N, "w", STOP_AWAY);
	assert_true(take(bench, 200, "{}"));
	assert_true(take(bench, 200, "{\"active\":true}"));
	assert_asks(bench, NULL, NULL);
	assert_int_equal(verdict(bench), STOP_IS_ON);
}

static void one_token_that_lives_is_enough(void **state)
{
	struct bench *bench = *state;
	const struct text people[] = {TEXT("ana@example.com"), TEXT("bo/x@example.com")};

	begin_so(bench, PROVIDER_GOOGLE,
		(struct stop_about){.id = TEXT("774.apps"), .people = people, .people_count = 2});
	assert_asks(bench,
		"DELETE "
		"https://p.example/admin/directory/v1/users/ana%40example.com/tokens/774.apps",
		NULL);
	assert_true(take(bench, 204, NULL));
	assert_asks(bench,
		"DELETE https://p.example/admin/directory/v1/users/bo%2Fx%40example.com/tokens/"
		"774.apps",
		NULL);
	assert_true(take(bench, 500, NULL));
	assert_true(bench->refused);
	assert_true(take(bench, 404, NULL));
	assert_int_equal(verdict(bench), STOP_UNKNOWN); /* half of the looks */
	assert_true(take(bench, 200, "{\"clientId\":\"774.apps\"}"));
	assert_int_equal(verdict(bench), STOP_IS_ON);
}

static void who_knows_of_nobody_stops_nothing(void **state)
{
	struct bench *bench = *state;
	struct text *many = arena_array(bench->arena, struct text, STOP_PEOPLE_MAX + 1);
	struct stop_about about = {.connector = &bench->connector, .id = TEXT("c"), .people = many};

	bench->connector.provider = PROVIDER_GOOGLE;
	assert_false(inventory_stop_create(&bench->stop, &about, &bench->err));
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_null(bench->stop);
	for (size_t i = 0; i <= STOP_PEOPLE_MAX; i++)
		many[i] = TEXT("p");
	about.people_count = STOP_PEOPLE_MAX + 1;
	assert_false(inventory_stop_create(&bench->stop, &about, &bench->err));
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	about.people_count = STOP_PEOPLE_MAX;
	assert_true(inventory_stop_create(&bench->stop, &about, &bench->err));
}

static void what_no_call_stops_is_not_known(void **state)
{
	struct bench *bench = *state;
	static const struct {
		enum inventory_provider provider;
		const char *id;
		enum stop_direction direction;
		bool is_known;
	} rows[] = {{PROVIDER_N8N, "w", STOP_AWAY, true}, {PROVIDER_N8N, "w", STOP_BACK, true},
		{PROVIDER_N8N, "connection/c", STOP_AWAY, false},
		{PROVIDER_GITHUB, "installation/1", STOP_AWAY, true},
		{PROVIDER_GITHUB, "installation/1", STOP_BACK, true},
		{PROVIDER_GITHUB, "token/1", STOP_AWAY, true},
		{PROVIDER_GITHUB, "token/1", STOP_BACK, false},
		{PROVIDER_GITHUB, "credential/1", STOP_AWAY, false},
		{PROVIDER_GITHUB, "deploy-key/1", STOP_AWAY, false},
		{PROVIDER_GITHUB, "app/1", STOP_AWAY, false},
		{PROVIDER_GOOGLE, "c", STOP_AWAY, true}, {PROVIDER_GOOGLE, "c", STOP_BACK, false},
		{PROVIDER_MICROSOFT, "sp", STOP_AWAY, true},
		{PROVIDER_SLACK, "A1", STOP_BACK, true}, {PROVIDER_ZAPIER, "z", STOP_AWAY, false},
		{PROVIDER_N8N, "", STOP_AWAY, false},
		/* Dot segments: what they leave of the path is another object. */
		{PROVIDER_N8N, ".", STOP_AWAY, false}, {PROVIDER_N8N, "..", STOP_AWAY, false},
		{PROVIDER_N8N, "...", STOP_AWAY, true}, {PROVIDER_GOOGLE, "..", STOP_AWAY, false},
		{PROVIDER_MICROSOFT, "..", STOP_BACK, false},
		{PROVIDER_GITHUB, "installation/..", STOP_AWAY, false},
		{PROVIDER_GITHUB, "installation/", STOP_AWAY, false}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench->connector.provider = rows[i].provider;
		assert_int_equal(inventory_stop_is_known(
					 &bench->connector, text_of(rows[i].id), rows[i].direction),
			rows[i].is_known);
	}
}

static void nobody_whose_name_leads_elsewhere_is_in_a_path(void **state)
{
	struct bench *bench = *state;
	static const char *const names[] = {"", ".", ".."};

	bench->connector.provider = PROVIDER_GOOGLE;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct text people[] = {TEXT("ana@example.com"), text_of(names[i])};
		const struct stop_about about = {.connector = &bench->connector,
			.id = TEXT("c"),
			.people = people,
			.people_count = 2};

		assert_false(inventory_stop_create(&bench->stop, &about, &bench->err));
		assert_int_equal(bench->err.code, ERROR_INVALID);
	}
}

/* ---- calls and looks ---- */

static void an_app_of_microsoft_is_off_once_it_says_so(void **state)
{
	struct bench *bench = *state;

	begin(bench, PROVIDER_MICROSOFT, "sp", STOP_AWAY);
	assert_asks(bench, "PATCH https://p.example/v1.0/servicePrincipals/sp",
		"{\"accountEnabled\":false}");
	assert_true(take(bench, 204, NULL));
	assert_false(bench->refused);
	assert_asks(bench,
		"GET https://p.example/v1.0/servicePrincipals/sp?$select=id,accountEnabled", NULL);
	assert_true(take(bench, 200, "{\"id\":\"sp\",\"accountEnabled\":false}"));
	assert_int_equal(verdict(bench), STOP_IS_OFF);
	begin(bench, PROVIDER_MICROSOFT, "sp", STOP_BACK);
	assert_asks(bench, "PATCH https://p.example/v1.0/servicePrincipals/sp",
		"{\"accountEnabled\":true}");
	assert_true(take(bench, 204, NULL));
	assert_true(take(bench, 200, "{\"accountEnabled\":true}"));
	assert_int_equal(verdict(bench), STOP_IS_ON);
}

static void a_token_of_github_is_found_and_revoked(void **state)
{
	struct bench *bench = *state;

	bench->connector.of = TEXT("acme");
	begin(bench, PROVIDER_GITHUB, "token/98", STOP_AWAY);
	assert_asks(
		bench, "GET https://p.example/orgs/acme/personal-access-tokens?token_id=98", NULL);
	assert_true(take(bench, 200, "[{\"id\":7,\"token_id\":98}]"));
	assert_asks(bench, "POST https://p.example/orgs/acme/personal-access-tokens/7",
		"{\"action\":\"revoke\"}");
	assert_true(take(bench, 204, NULL));
	assert_true(take(bench, 200, "[]"));
	assert_int_equal(verdict(bench), STOP_IS_OFF);
	/* One that is gone is looked at, and nothing is called. */
	begin(bench, PROVIDER_GITHUB, "token/98", STOP_AWAY);
	assert_true(take(bench, 200, "[]"));
	assert_asks(
		bench, "GET https://p.example/orgs/acme/personal-access-tokens?token_id=98", NULL);
	assert_true(take(bench, 200, "[{\"id\":7}]"));
	assert_int_equal(verdict(bench), STOP_IS_ON);
	/* Nor is another's called for, where the provider lists more than was asked for. */
	begin(bench, PROVIDER_GITHUB, "token/98", STOP_AWAY);
	assert_true(take(bench, 200, "[{\"id\":6,\"token_id\":97},{\"id\":5}]"));
	assert_asks(
		bench, "GET https://p.example/orgs/acme/personal-access-tokens?token_id=98", NULL);
	begin(bench, PROVIDER_GITHUB, "token/98", STOP_AWAY);
	assert_true(take(bench, 200, "[{\"id\":6,\"token_id\":97},{\"id\":7,\"token_id\":98}]"));
	assert_asks(bench, "POST https://p.example/orgs/acme/personal-access-tokens/7",
		"{\"action\":\"revoke\"}");
	begin(bench, PROVIDER_GITHUB, "token/98", STOP_AWAY);
	assert_true(take(bench, 404, NULL));
	assert_true(bench->refused);
	assert_false(take(bench, 404, NULL)); /* the list is not to be had: no proof */
}

static void an_installation_is_suspended(void **state)
{
	struct bench *bench = *state;

	begin(bench, PROVIDER_GITHUB, "installation/25", STOP_AWAY);
	assert_asks(bench, "PUT https://p.example/app/installations/25/suspended", NULL);
	assert_true(take(bench, 403, NULL));
	assert_true(bench->refused);
	assert_asks(bench, "GET https://p.example/app/installations/25", NULL);
	assert_true(take(bench, 200, "{\"suspended_at\":null}"));
	assert_int_equal(verdict(bench), STOP_IS_ON);
	begin(bench, PROVIDER_GITHUB, "installation/25", STOP_BACK);
	assert_asks(bench, "DELETE https://p.example/app/installations/25/suspended", NULL);
	assert_true(take(bench, 204, NULL));
	assert_true(take(bench, 200, "{\"suspended_at\":\"2026-01-01T00:00:00Z\"}"));
	assert_int_equal(verdict(bench), STOP_IS_OFF);
	begin(bench, PROVIDER_GITHUB, "installation/25", STOP_AWAY);
	assert_true(take(bench, 204, NULL));
	assert_false(take(bench, 200, "{\"id\":25}"));
}

static void slack_uninstalls_restricts_and_looks_at_every_page(void **state)
{
	struct bench *bench = *state;
	static const char list[] = "GET https://p.example/api/admin.apps.approved.list?limit=1000"
				   "&team_id=T1";

	bench->connector.of = TEXT("T1");
	begin(bench, PROVIDER_SLACK, "A1", STOP_AWAY);
	assert_asks(bench, "POST https://p.example/api/admin.apps.uninstall",
		"{\"app_id\":\"A1\",\"team_ids\":[\"T1\"]}");
	assert_true(take(bench, 200, "{\"ok\":false,\"error\":\"app_not_installed\"}"));
	assert_true(bench->refused);
	assert_asks(bench, "POST https://p.example/api/admin.apps.restrict",
		"{\"app_id\":\"A1\",\"team_id\":\"T1\"}");
	assert_true(take(bench, 200, "{\"ok\":true}"));
	assert_false(bench->refused);
	assert_asks(bench, list, NULL);
	assert_true(take(bench, 200,
		"{\"ok\":true,\"approved_apps\":[{\"app\":{\"id\":\"A2\"}}],"
		"\"response_metadata\":{\"next_cursor\":\"x\"}}"));
	assert_int_equal(verdict(bench), STOP_UNKNOWN);
	assert_asks(bench,
		"GET https://p.example/api/admin.apps.approved.list?limit=1000&team_id=T1&cursor=x",
		NULL);
	assert_true(take(bench, 200, "{\"ok\":true,\"approved_apps\":[]}"));
	assert_int_equal(verdict(bench), STOP_IS_OFF);
	bench->connector.of = TEXT("E1");
	begin(bench, PROVIDER_SLACK, "A1\",\"x\":\"", STOP_AWAY);
	assert_asks(bench, "POST https://p.example/api/admin.apps.uninstall",
		"{\"app_id\":\"A1%22%2C%22x%22%3A%22\",\"enterprise_id\":\"E1\"}");
	assert_true(take(bench, 200, "{\"ok\":true}"));
	assert_true(take(bench, 200, "{\"ok\":true}"));
	assert_false(take(bench, 200, "{\"ok\":false}"));
}

static void looks_end(void **state)
{
	struct bench *bench = *state;
	char page[128];

	begin_so(bench, PROVIDER_SLACK, (struct stop_about){.id = TEXT("A1"), .looks_only = true});
	for (int i = 0; i < STOP_LOOKS_MAX; i++) {
		(void)snprintf(page, sizeof page,
			"{\"ok\":true,\"approved_apps\":[],\"response_metadata\":"
			"{\"next_cursor\":\"%d\"}}",
			i);
		if (!take(bench, 200, page))
			fail_msg("%d: %s", i, bench->err.text);
	}
	assert_false(take(bench, 200, "{\"ok\":true,\"approved_apps\":[]}"));
	assert_int_equal(bench->err.code, ERROR_LIMIT);
}

static void who_only_looks_calls_nothing(void **state)
{
	struct bench *bench = *state;

	begin_so(bench, PROVIDER_N8N, (struct stop_about){.id = TEXT("w x"), .looks_only = true});
	assert_asks(bench, "GET https://p.example/api/v1/workflows/w%20x", NULL);
	assert_true(take(bench, 404, NULL));
	assert_int_equal(verdict(bench), STOP_IS_OFF);
	bench->connector.of = TEXT("acme");
	begin_so(bench, PROVIDER_GITHUB,
		(struct stop_about){.id = TEXT("token/9"), .looks_only = true});
	assert_asks(
		bench, "GET https://p.example/orgs/acme/personal-access-tokens?token_id=9", NULL);
	assert_true(take(bench, 200, "[]"));
	assert_int_equal(verdict(bench), STOP_IS_OFF);
	assert_false(take(bench, 200, "[]"));
	assert_int_equal(bench->err.code, ERROR_INTERNAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_that_says_nothing_is_no_proof),
		TEST(what_is_on_after_the_call_is_on),
		TEST(one_token_that_lives_is_enough),
		TEST(who_knows_of_nobody_stops_nothing),
		TEST(what_no_call_stops_is_not_known),
		TEST(nobody_whose_name_leads_elsewhere_is_in_a_path),
		TEST(an_app_of_microsoft_is_off_once_it_says_so),
		TEST(a_token_of_github_is_found_and_revoked),
		TEST(an_installation_is_suspended),
		TEST(slack_uninstalls_restricts_and_looks_at_every_page),
		TEST(looks_end),
		TEST(who_only_looks_calls_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

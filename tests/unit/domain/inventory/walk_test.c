/* What a provider is asked, page by page: never elsewhere, and to an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/inventory/export.h"
#include "domain/inventory/walk.h"

enum { ARENA_BYTES = 512 * 1024 * 1024, NOW_S = 1795716000 };

struct bench {
	struct arena *arena;
	struct connector connector;
	struct inventory_walk *walk;
	struct error err;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	bench->arena = arena_create(ARENA_BYTES);
	assert_non_null(bench->arena);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	inventory_walk_destroy(&bench->walk);
	arena_destroy(&bench->arena);
	free(bench);
	return 0;
}

static void begin(struct bench *bench, enum inventory_provider provider, const char *url)
{
	inventory_walk_destroy(&bench->walk);
	bench->connector.provider = provider;
	bench->connector.url = text_of(url);
	if (!inventory_walk_create(&bench->walk, &bench->connector, NOW_S, &bench->err))
		fail_msg("%s", bench->err.text);
}

static bool take_with(struct bench *bench, struct text page, const char *link)
{
	struct json value;

	error_clear(&bench->err);
	if (!json_parse(&value, bench->arena, page, &export_page_limits, &bench->err))
		fail_msg("%s", bench->err.text);
	return inventory_walk_take(bench->walk, &value, text_of(link), &bench->err);
}

static void take(struct bench *bench, const char *page)
{
	if (!take_with(bench, text_of(page), ""))
		fail_msg("%s", bench->err.text);
}

static void assert_asks(const struct bench *bench, const char *url)
{
	if (url == NULL)
		assert_null(inventory_walk_url(bench->walk));
	else
		assert_string_equal(inventory_walk_url(bench->walk), url);
}

static void assert_refused(struct bench *bench, enum error_code code, const char *why)
{
	assert_int_equal(bench->err.code, code);
	if (strstr(bench->err.text, why) == NULL)
		fail_msg("%s", bench->err.text);
}

/* ---- what is refused ---- */

static void a_next_page_at_another_origin_is_refused(void **state)
{
	struct bench *bench = *state;
	static const char *const others[] = {"https://evil.example/v1.0/users",
		"http://graph.example/v1.0/users", "https://graph.example:444/v1.0/users",
		"https://graph.example@evil.example/", "https://graph.example.evil.example/x",
		"//graph.example/v1.0/users", "/v1.0/users", "users", "https:/graph.example/x",
		"https://GRAPH.example/x", "javascript:x", "https://", ":"};
	char page[256];

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		begin(bench, PROVIDER_MICROSOFT, "https://graph.example");
		(void)snprintf(
			page, sizeof page, "{\"value\":[],\"@odata.nextLink\":\"%s\"}", others[i]);
		assert_false(take_with(bench, text_of(page), ""));
		assert_refused(bench, ERROR_INVALID, "another place");
	}
	bench->connector.of = TEXT("acme");
	begin(bench, PROVIDER_GITHUB, "https://api.example");
	assert_false(take_with(bench, TEXT("{}"), "<https://api.example.org/x>; rel=\"next\""));
	assert_refused(bench, ERROR_INVALID, "another place");
}

static void an_id_that_leads_elsewhere_is_refused(void **state)
{
	struct bench *bench = *state;
	static const char *const ids[] = {"", ".", ".."};
	char page[64];

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		begin(bench, PROVIDER_GOOGLE, "https://google.example");
		(void)snprintf(page, sizeof page, "{\"users\":[{\"id\":\"%s\"}]}", ids[i]);
		assert_false(take_with(bench, text_of(page), ""));
		assert_refused(bench, ERROR_INVALID, "an id of 1 to");
	}
	begin(bench, PROVIDER_GOOGLE, "https://google.example");
	take(bench, "{\"users\":[{\"id\":\"../..\"}]}");
	assert_asks(bench, "https://google.example/admin/directory/v1/users/..%2F../tokens");
}

static void a_page_that_leads_to_itself_is_refused(void **state)
{
	struct bench *bench = *state;

	begin(bench, PROVIDER_MICROSOFT, "https://graph.example");
	assert_false(take_with(bench,
		TEXT("{\"value\":[],\"@odata.nextLink\":\"https://graph.example/v1.0/"
		     "organization\"}"),
		""));
	assert_refused(bench, ERROR_INVALID, "leads to itself");
	begin(bench, PROVIDER_N8N, "https://n8n.example");
	take(bench, "{\"data\":[],\"nextCursor\":\"a\"}");
	assert_false(take_with(bench, TEXT("{\"data\":[],\"nextCursor\":\"a\"}"), ""));
	assert_refused(bench, ERROR_INVALID, "leads to itself");
}

static void what_slack_refuses_is_no_page(void **state)
{
	struct bench *bench = *state;

	begin(bench, PROVIDER_SLACK, "https://slack.example");
	assert_false(
		take_with(bench, TEXT("{\"ok\":false,\"error\":\"not_an_\\u001badmin\"}"), ""));
	assert_refused(bench, ERROR_INVALID, "it refused: not_an_?admin");
}

static void pages_that_never_end_are_ended(void **state)
{
	struct bench *bench = *state;
	char page[64];

	begin(bench, PROVIDER_N8N, "https://n8n.example");
	for (int i = 0; i < WALK_PAGES_MAX; i++) {
		(void)snprintf(page, sizeof page, "{\"data\":[],\"nextCursor\":\"%d\"}", i);
		take(bench, page);
		arena_reset(bench->arena);
	}
	assert_false(take_with(bench, TEXT("{\"data\":[],\"nextCursor\":\"x\"}"), ""));
	assert_refused(bench, ERROR_LIMIT, "pages");
}

static void a_url_has_its_longest_length(void **state)
{
	struct bench *bench = *state;
	static const char base[] = "https://n8n.example/api/v1/workflows?limit=100&cursor=";
	struct buffer page;

	for (size_t more = 0; more < 2; more++) {
		size_t length = WALK_URL_BYTES_MAX - (sizeof base - 1) + more;

		buffer_init(&page, (size_t)2 * WALK_URL_BYTES_MAX);
		buffer_append_string(&page, "{\"data\":[],\"nextCursor\":\"");
		for (size_t i = 0; i < length; i++)
			buffer_append_byte(&page, 'c');
		buffer_append_string(&page, "\"}");
		begin(bench, PROVIDER_N8N, "https://n8n.example");
		assert_int_equal(take_with(bench, buffer_text(&page), ""), more == 0);
		if (more == 0)
			assert_int_equal(
				strlen(inventory_walk_url(bench->walk)), WALK_URL_BYTES_MAX);
		else
			assert_refused(bench, ERROR_LIMIT, "bytes");
		buffer_deinit(&page);
	}
}

static struct text users_page(struct bench *bench, uint32_t count, const char *id)
{
	struct buffer page;
	struct text copy;

	buffer_init(&page, (size_t)64 * 1024 * 1024);
	buffer_append_string(&page, "{\"users\":[");
	for (uint32_t i = 0; i < count; i++)
		buffer_append_format(&page, "%s{\"id\":\"%s\"}", i == 0 ? "" : ",", id);
	buffer_append_string(&page, "],\"nextPageToken\":\"p\"}");
	copy = text_copy(bench->arena, buffer_text(&page));
	buffer_deinit(&page);
	return copy;
}

static void so_many_users_are_asked_about_and_no_more(void **state)
{
	struct bench *bench = *state;

	begin(bench, PROVIDER_GOOGLE, "https://google.example");
	assert_true(take_with(bench, users_page(bench, WALK_IDS_MAX, "1"), ""));
	assert_false(take_with(bench, TEXT("{\"users\":[{\"id\":\"2\"}]}"), ""));
	assert_refused(bench, ERROR_LIMIT, "more than");
	begin(bench, PROVIDER_GOOGLE, "https://google.example");
	assert_false(take_with(bench, TEXT("{\"users\":[{\"name\":\"x\"}]}"), ""));
	assert_refused(bench, ERROR_INVALID, "an id of 1 to");
}

static void ids_take_so_many_bytes_and_no_more(void **state)
{
	struct bench *bench = *state;
	char id[INVENTORY_ID_BYTES_MAX + 1];
	uint32_t most = WALK_IDS_BYTES_MAX / (INVENTORY_ID_BYTES_MAX + 2);

	memset(id, 'i', INVENTORY_ID_BYTES_MAX);
	id[INVENTORY_ID_BYTES_MAX] = '\0';
	assert_true(most < WALK_IDS_MAX);
	/* Two pages: one may not have more bytes than EXPORT_PAGE_BYTES_MAX. */
	begin(bench, PROVIDER_GOOGLE, "https://google.example");
	for (uint32_t left = most; left > 0;) {
		uint32_t count = left < 10000 ? left : 10000;
		struct text page = users_page(bench, count, id);

		/* Each page leads on by another token. */
		((char *)(uintptr_t)page.data)[page.length - 3] = (char)('a' + left / 10000);
		assert_true(take_with(bench, page, ""));
		left -= count;
	}
	assert_false(take_with(bench, users_page(bench, 1, id), ""));
	assert_refused(bench, ERROR_LIMIT, "more than");
}

/* ---- what is asked ---- */

static void google_is_asked_for_each_users_tokens(void **state)
{
	struct bench *bench = *state;

	begin(bench, PROVIDER_GOOGLE, "https://google.example");
	assert_asks(bench, "https://google.example/admin/directory/v1/users?customer=my_customer"
			   "&maxResults=500");
	assert_false(inventory_walk_is_each(bench->walk));
	take(bench, "{\"users\":[{\"id\":\"1\"}],\"nextPageToken\":\"a/b&c\"}");
	assert_asks(bench, "https://google.example/admin/directory/v1/users?customer=my_customer"
			   "&maxResults=500&pageToken=a%2Fb%26c");
	take(bench, "{\"users\":[{\"id\":\"../2?x\"}]}");
	assert_asks(bench, "https://google.example/admin/directory/v1/users/1/tokens");
	assert_true(inventory_walk_is_each(bench->walk));
	assert_string_equal(inventory_walk_list(bench->walk), "tokens of each user");
	assert_true(inventory_walk_skip(bench->walk, &bench->err));
	assert_asks(bench, "https://google.example/admin/directory/v1/users/..%2F2%3Fx/tokens");
	take(bench, "{\"items\":[]}");
	assert_asks(bench, NULL);
	assert_null(inventory_walk_list(bench->walk));
}

static void what_is_asked_for_beside_is_asked_for_last(void **state)
{
	struct bench *bench = *state;

	bench->connector.also = 1u << CONNECTOR_ALSO_LAST_USE;
	bench->connector.of = TEXT("C1");
	begin(bench, PROVIDER_GOOGLE, "https://google.example");
	assert_asks(bench, "https://google.example/admin/directory/v1/users?customer=C1"
			   "&maxResults=500");
	take(bench, "{\"kind\":\"admin#directory#users\"}");
	assert_asks(bench, "https://google.example/admin/reports/v1/activity/users/all/"
			   "applications/token?maxResults=1000&startTime=2026-10-27T18%3A00%3A00Z");
	take(bench, "{}");
	assert_asks(bench, NULL);
}

static void microsoft_is_asked_for_each_apps_roles(void **state)
{
	struct bench *bench = *state;

	begin(bench, PROVIDER_MICROSOFT, "https://graph.example");
	take(bench, "{\"value\":[]}");
	take(bench, "{\"value\":[]}");
	assert_asks(bench, "https://graph.example/v1.0/servicePrincipals?$expand=owners");
	take(bench, "{\"value\":[{\"id\":\"a\"}],\"@odata.nextLink\":"
		    "\"https://graph.example/v1.0/servicePrincipals?$skiptoken=x\"}");
	assert_asks(bench, "https://graph.example/v1.0/servicePrincipals?$skiptoken=x");
	take(bench, "{\"value\":[{\"id\":\"b\"}]}");
	assert_asks(bench, "https://graph.example/v1.0/servicePrincipals/a/appRoleAssignments");
	take(bench, "{\"value\":[],\"@odata.nextLink\":\"https://graph.example/more\"}");
	assert_asks(bench, "https://graph.example/more");
	take(bench, "{\"value\":[]}");
	assert_asks(bench, "https://graph.example/v1.0/servicePrincipals/b/appRoleAssignments");
	take(bench, "{\"value\":[]}");
	assert_asks(bench, "https://graph.example/v1.0/oauth2PermissionGrants");
	take(bench, "{\"value\":[]}");
	assert_asks(bench, NULL);
}

static void github_says_the_next_page_in_its_head(void **state)
{
	struct bench *bench = *state;

	bench->connector.of = TEXT("acme");
	bench->connector.also = 1u << CONNECTOR_ALSO_AUTHORIZATIONS;
	begin(bench, PROVIDER_GITHUB, "https://ghe.example/api/v3");
	assert_asks(bench, "https://ghe.example/api/v3/orgs/acme/installations?per_page=100");
	assert_true(take_with(bench, TEXT("{\"installations\":[]}"),
		"<https://ghe.example/api/v3/a?page=1>; rel=\"prev\", "
		"<https://ghe.example/api/v3/a?page=3>; rel=\"next\""));
	assert_asks(bench, "https://ghe.example/api/v3/a?page=3");
	assert_true(take_with(bench, TEXT("{}"), "<https://ghe.example/x>; rel=\"last\", <"));
	assert_asks(
		bench, "https://ghe.example/api/v3/orgs/acme/personal-access-tokens?per_page=100");
	take(bench, "[]");
	assert_asks(bench,
		"https://ghe.example/api/v3/orgs/acme/credential-authorizations?per_page=100");
	take(bench, "[]");
	assert_asks(bench, NULL);
}

static void slack_counts_pages_and_has_cursors(void **state)
{
	struct bench *bench = *state;

	bench->connector.of = TEXT("E1");
	begin(bench, PROVIDER_SLACK, "https://slack.example");
	take(bench, "{\"ok\":true,\"members\":[],\"response_metadata\":{\"next_cursor\":\"\"}}");
	assert_asks(bench, "https://slack.example/api/admin.apps.approved.list?limit=1000"
			   "&enterprise_id=E1");
	take(bench, "{\"ok\":true,\"response_metadata\":{\"next_cursor\":\"dGVhbQ==\"}}");
	assert_asks(bench, "https://slack.example/api/admin.apps.approved.list?limit=1000"
			   "&enterprise_id=E1&cursor=dGVhbQ%3D%3D");
	take(bench, "{\"ok\":true}");
	assert_asks(bench, "https://slack.example/api/team.integrationLogs?count=1000");
	take(bench, "{\"ok\":true,\"logs\":[],\"paging\":{\"page\":1,\"pages\":2}}");
	assert_asks(bench, "https://slack.example/api/team.integrationLogs?count=1000&page=2");
	take(bench, "{\"ok\":true,\"logs\":[],\"paging\":{\"page\":2,\"pages\":2}}");
	assert_asks(bench, NULL);
}

static void n8n_is_asked_for_what_its_document_says(void **state)
{
	struct bench *bench = *state;

	bench->connector.also = 1u << CONNECTOR_ALSO_CREDENTIALS | 1u << CONNECTOR_ALSO_LAST_USE;
	begin(bench, PROVIDER_N8N, "https://n8n.example");
	take(bench, "{\"data\":[],\"nextCursor\":null}");
	assert_asks(bench, "https://n8n.example/api/v1/credentials?limit=250");
	take(bench, "{\"data\":[]}");
	assert_asks(bench, "https://n8n.example/api/v1/executions?limit=250");
	take(bench, "{\"data\":[]}");
	assert_asks(bench, NULL);
}

static void who_cannot_be_asked_is_not(void **state)
{
	struct bench *bench = *state;

	bench->connector.provider = PROVIDER_ZAPIER;
	assert_false(inventory_walk_create(&bench->walk, &bench->connector, NOW_S, &bench->err));
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_null(bench->walk);
}

/* ---- pages as lines ---- */

static void pages_become_lines_or_nothing(void **state)
{
	struct bench *bench = *state;
	const struct export_page list[] = {
		{TEXT("users"), TEXT("{\"kind\":\"admin#directory#users\",\"users\":[]}")},
		{TEXT("tokens"),
			TEXT("{\"kind\":\"admin#directory#tokenList\",\"items\":[{\"clientId\":"
			     "\"c\",\"userKey\":\"1\",\"scopes\":[\"openid\"]}]}")},
		{TEXT("third"), TEXT("{\"kind\":")}};
	struct export_pages pages = {PROVIDER_GOOGLE, list, 2};
	struct inventory_notes notes;
	struct buffer lines;

	buffer_init(&lines, EXPORT_LINES_BYTES_MAX);
	assert_true(inventory_export_lines(&lines, &pages, &notes, bench->arena, &bench->err));
	assert_int_equal(notes.unnamed_count, 1);
	assert_non_null(memmem(lines.data, lines.length, "\"id\":\"c\"", 8));
	assert_int_equal(lines.data[lines.length - 1], '\n');
	pages.count = 3;
	assert_false(inventory_export_lines(&lines, &pages, &notes, bench->arena, &bench->err));
	assert_refused(bench, ERROR_INVALID, "third");
	buffer_deinit(&lines);
	buffer_init(&lines, 10);
	pages.count = 2;
	assert_false(inventory_export_lines(&lines, &pages, &notes, bench->arena, &bench->err));
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	buffer_deinit(&lines);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_next_page_at_another_origin_is_refused),
		TEST(an_id_that_leads_elsewhere_is_refused),
		TEST(a_page_that_leads_to_itself_is_refused),
		TEST(what_slack_refuses_is_no_page),
		TEST(pages_that_never_end_are_ended),
		TEST(a_url_has_its_longest_length),
		TEST(so_many_users_are_asked_about_and_no_more),
		TEST(ids_take_so_many_bytes_and_no_more),
		TEST(google_is_asked_for_each_users_tokens),
		TEST(what_is_asked_for_beside_is_asked_for_last),
		TEST(microsoft_is_asked_for_each_apps_roles),
		TEST(github_says_the_next_page_in_its_head),
		TEST(slack_counts_pages_and_has_cursors),
		TEST(n8n_is_asked_for_what_its_document_says),
		TEST(who_cannot_be_asked_is_not),
		TEST(pages_become_lines_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

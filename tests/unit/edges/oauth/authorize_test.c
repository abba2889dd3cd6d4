/* The authorization endpoint and its page over loopback. */
#include "../../wire/talk.h"

#include <ctype.h>

#include "base/base64.h"
#include "domain/token/jwk.h"
#include "edges/oauth/oauth.h"
#include "services/issue/consent.h"
#include "support/issuing.h"

enum { REPLY_BYTES_MAX = 64 * 1024 };

#define CLAUSE                                                                                     \
	"acts-for: {people: [\"person:ana\"], redirect-uris: [\"http://127.0.0.1/back\"], "        \
	"environment: staging}\n"
#define CHALLENGE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define BACK "redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fback"
#define GOOD                                                                                       \
	"/oauth/authorize?response_type=code&client_id=a1&" BACK "&code_challenge=" CHALLENGE      \
	"&code_challenge_method=S256&resource=http%3A%2F%2F127.0.0.1%3A8470%2Fmcp%2Ffiles"

struct bench {
	struct issuing issuing;
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct oauth *oauth;
	char reply[REPLY_BYTES_MAX];
	char cookie[256];
	char page[128];
};

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct http_server_settings settings = {
		.tcp_address = "127.0.0.1:0", .on_request = router_on_request};
	struct error err = {0};

	assert_non_null(bench);
	issuing_init(&bench->issuing);
	issuing_recharter(&bench->issuing, "", CLAUSE);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(router_create(&bench->router, &err));
	assert_true(oauth_create(
		&bench->oauth, bench->issuing.issue, bench->issuing.governed.registrar, &err));
	assert_true(oauth_add_routes(bench->oauth, bench->router, &err));
	settings.context = bench->router;
	assert_true(http_server_create(&bench->server, bench->loop, &settings, &err));
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	http_server_destroy(&bench->server);
	router_destroy(&bench->router);
	oauth_destroy(&bench->oauth);
	loop_destroy(&bench->loop);
	issuing_deinit(&bench->issuing);
	free(bench);
	return 0;
}

static int get(struct bench *bench, const char *target, const char *cookie)
{
	char request[8192];
	struct talk talk;
	int status = 0;

	(void)snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s%s%s\r\n", target,
		cookie[0] == '\0' ? "" : "Cookie: ", cookie, cookie[0] == '\0' ? "" : "\r\n");
	talk_open(&talk, bench->loop, http_server_port(bench->server));
	talk_say(&talk, request, strlen(request));
	talk_wait(&talk, NULL);
	(void)snprintf(bench->reply, sizeof bench->reply, "%.*s", REPLY_BYTES_MAX - 1, talk.got);
	(void)sscanf(bench->reply, "HTTP/1.1 %d", &status);
	talk_close(&talk);
	return status;
}

static bool says(const struct bench *bench, const char *what)
{
	return strstr(bench->reply, what) != NULL;
}

static void take(const struct bench *bench, const char *field, char *out, size_t size)
{
	const char *at = strcasestr(bench->reply, field);

	assert_non_null(at);
	at += strlen(field);
	(void)snprintf(out, size, "%.*s", (int)strcspn(at, ";\r"), at);
}

static void begin(struct bench *bench, const char *more)
{
	char target[4096];

	(void)snprintf(target, sizeof target, "%s%s", GOOD, more);
	assert_int_equal(get(bench, target, ""), 303);
	take(bench, "\r\nLocation: ", bench->page, sizeof bench->page);
	take(bench, "\r\nSet-Cookie: ", bench->cookie, sizeof bench->cookie);
	assert_true(says(bench, "; Path=/; Max-Age=660; HttpOnly; SameSite=Lax\r\n"));
}

static void on_answered(void *context, uint64_t index, const struct error *err)
{
	(void)context;
	(void)index;
	assert_null(err);
}

/* As the person whom the page asks. */
static void answer(struct bench *bench, const char *yes)
{
	char code[16];
	const char *number = strstr(bench->reply, "<strong>");
	struct issue_consent_answer given = {
		.person = TEXT("ana"), .answer = text_of(yes), .done = on_answered};
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct error err = {0};

	assert_true(jwk_thumbprint(thumbprint, private_key_public(bench->issuing.ana_key), &err));
	given.key = text_of(thumbprint);
	assert_non_null(number);
	(void)snprintf(code, sizeof code, "%.9s", strstr(bench->reply, "remit consent ") + 14);
	given.code = text_of(code);
	given.number = strtol(number + 8, NULL, 10);
	assert_true(issue_consent_answer(bench->issuing.issue, &given, &err));
}

static void a_fault_before_the_address_is_known_sends_nobody_anywhere(void **state)
{
	static const char *const bad[] = {"/oauth/authorize", "/oauth/authorize?",
		GOOD "&client_id=a1", GOOD "&state=1&state=2", GOOD "&x",
		"/oauth/authorize?client_id=a1",
		"/oauth/authorize?client_id=a1&redirect_uri=https%3A%2F%2Fevil.example%2F",
		"/oauth/authorize?client_id=a2&" BACK, "/oauth/authorize?" BACK};
	struct bench *bench = *state;
	char first[REPLY_BYTES_MAX] = "";

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(get(bench, bad[i], ""), 400);
		assert_null(strcasestr(bench->reply, "\r\nLocation:"));
		if (i == 0)
			memcpy(first, strstr(bench->reply, "\r\n\r\n"), sizeof first / 2);
		assert_memory_equal(first, strstr(bench->reply, "\r\n\r\n"), strlen(first));
	}
}

static void a_later_fault_goes_back_with_state_and_issuer(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(
		get(bench, "/oauth/authorize?response_type=token&client_id=a1&state=a%26b&" BACK,
			""),
		303);
	assert_true(says(bench,
		"\r\nLocation: http://127.0.0.1:4711/back?error=unsupported_response_type&"
		"error_description=response_type%20must%20be%20code&state=a%26b&"
		"iss=http%3A%2F%2F127.0.0.1%3A8470\r\n"));
}

static void a_page_cannot_be_framed_scripted_or_kept(void **state)
{
	struct bench *bench = *state;

	begin(bench, "&purpose=%3Cb%3E%22%27%26");
	assert_int_equal(get(bench, bench->page, bench->cookie), 200);
	assert_true(says(bench, "default-src 'none'; base-uri 'none'; form-action 'none'; "
				"frame-ancestors 'none'"));
	assert_true(says(bench, "X-Frame-Options: DENY"));
	assert_true(says(bench, "Cache-Control: no-store"));
	assert_true(says(bench, "&lt;b&gt;&quot;&#39;&amp;"));
	assert_false(says(bench, "<b>"));
	assert_false(says(bench, "<form"));
	assert_false(says(bench, "<a "));
	assert_false(says(bench, "Reads tickets")); /* of the charter: nobody has shown anything */
}

static void a_page_is_its_own_browsers(void **state)
{
	struct bench *bench = *state;
	char twice[600];

	begin(bench, "");
	assert_int_equal(get(bench, bench->page, ""), 404);
	(void)snprintf(twice, sizeof twice, "%s; %s", bench->cookie, bench->cookie);
	assert_int_equal(get(bench, bench->page, twice), 404);
	bench->cookie[strlen(bench->cookie) - 1] ^= 1;
	assert_int_equal(get(bench, bench->page, bench->cookie), 404);
	assert_int_equal(get(bench, "/oauth/consent/w-00000000000000000000", ""), 404);
}

static void a_yes_takes_the_browser_back_with_the_code_once(void **state)
{
	struct bench *bench = *state;

	begin(bench, "&state=s");
	assert_int_equal(get(bench, bench->page, bench->cookie), 200);
	answer(bench, "yes");
	assert_int_equal(get(bench, bench->page, bench->cookie), 303);
	assert_true(says(bench, "\r\nLocation: http://127.0.0.1:4711/back?code="));
	assert_true(says(bench, "&state=s&iss=http%3A%2F%2F127.0.0.1%3A8470\r\n"));
	assert_int_equal(get(bench, bench->page, bench->cookie), 200);
	assert_false(says(bench, "code="));
}

static void a_no_takes_it_back_without_one(void **state)
{
	struct bench *bench = *state;

	begin(bench, "");
	assert_int_equal(get(bench, bench->page, bench->cookie), 200);
	answer(bench, "no");
	assert_int_equal(get(bench, bench->page, bench->cookie), 303);
	assert_true(says(bench, "/back?error=access_denied&"));
	assert_false(says(bench, "code="));
}

static void what_the_token_endpoint_misses_is_an_invalid_request(void **state)
{
	static const char *const bodies[] = {"grant_type=authorization_code",
		"grant_type=authorization_code&code=x", "grant_type=refresh_token",
		"grant_type=authorization_code&code=x&redirect_uri=y",
		"grant_type=authorization_code&code=x&redirect_uri=y&code_verifier=z",
		"grant_type=refresh_token&refresh_token=x"};
	struct bench *bench = *state;
	char request[1024];

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct talk talk;

		(void)snprintf(request, sizeof request,
			"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
			"Content-Type: application/x-www-form-urlencoded\r\n"
			"Content-Length: %zu\r\n\r\n%s",
			strlen(bodies[i]), bodies[i]);
		talk_open(&talk, bench->loop, http_server_port(bench->server));
		talk_say(&talk, request, strlen(request));
		talk_wait(&talk, NULL);
		assert_non_null(strstr(talk.got, "\"error\":\"invalid_request\""));
		talk_close(&talk);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		CASE(a_fault_before_the_address_is_known_sends_nobody_anywhere),
		CASE(a_later_fault_goes_back_with_state_and_issuer),
		CASE(a_page_cannot_be_framed_scripted_or_kept),
		CASE(a_page_is_its_own_browsers),
		CASE(a_yes_takes_the_browser_back_with_the_code_once),
		CASE(a_no_takes_it_back_without_one),
		CASE(what_the_token_endpoint_misses_is_an_invalid_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

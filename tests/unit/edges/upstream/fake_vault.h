#ifndef TESTS_UNIT_EDGES_UPSTREAM_FAKE_VAULT_H
#define TESTS_UNIT_EDGES_UPSTREAM_FAKE_VAULT_H

/* A Vault in the test's own loop: the shapes of the HTTP API as documented (KV
 * secrets engine version 2, AppRole), and every wrong one. */

#include "../../wire/talk.h"

#include <sys/stat.h>

#include "base/json.h"
#include "wire/http_server.h"

struct fake_vault {
	struct http_server *http;
	char url[64];
	const char *mode;      /* "good" and the others of fake_vault_fetch */
	const char *value;     /* the secret */
	const char *token;     /* the only one it takes */
	const char *namespace; /* wanted, or NULL */
	int64_t lease_s;
	size_t size; /* of a good answer, made up with blanks; 0: as it comes */
	int fetches;
	int logins;
	const char *refresh_file; /* gets refresh_token at the first refusal */
	const char *refresh_token;
	struct http_exchange *held; /* of "silent" */
	bool is_held;
	char paths[1024];
};

/* Makes the file anew, 0600. */
static inline void private_write(const char *path, const char *text)
{
	size_t size = strlen(text);
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(close(fd), 0);
}

static inline void fake_vault_say(struct http_exchange *exchange, unsigned status, const char *body)
{
	http_respond(exchange, &(struct http_response){.status = status,
				       .content_type = "application/json",
				       .body = text_of(body)});
}

static inline void fake_vault_good(struct fake_vault *vault, struct http_exchange *exchange)
{
	static char body[300 * 1024];
	size_t used;

	(void)snprintf(body, sizeof body,
		"{\"request_id\":\"1\",\"lease_id\":\"\",\"renewable\":false,\"lease_duration\":%"
		"lld,\"data\":{\"data\":{\"key\":\"%s\",\"number\":7,\"other\":\"o\"},\"metadata\":"
		"{\"created_time\":\"2018-03-22T02:24:06.945319214Z\",\"custom_metadata\":null,"
		"\"deletion_time\":\"\",\"destroyed\":false,\"version\":2}},\"wrap_info\":null,"
		"\"warnings\":null,\"auth\":null}",
		(long long)vault->lease_s, vault->value);
	used = strlen(body);
	if (used < vault->size) {
		memset(body + used, ' ', vault->size - used);
		body[vault->size] = '\0';
	}
	fake_vault_say(exchange, 200, body);
}

static inline void fake_vault_on_closed(void *context, enum http_closed how)
{
	struct fake_vault *vault = context;

	(void)how;
	vault->held = NULL;
}

static inline void fake_vault_huge(struct http_exchange *exchange)
{
	static char body[300 * 1024];

	memset(body, ' ', sizeof body - 1);
	fake_vault_say(exchange, 200, body);
}

static inline void fake_vault_fetch(struct fake_vault *vault, struct http_exchange *exchange)
{
	const char *mode = vault->mode;

	if (strcmp(mode, "sealed") == 0)
		fake_vault_say(exchange, 503, "{\"errors\":[\"Vault is sealed\"]}");
	else if (strcmp(mode, "forbidden") == 0)
		fake_vault_say(exchange, 403, "{\"errors\":[\"permission denied\"]}");
	else if (strcmp(mode, "deleted") == 0)
		fake_vault_say(exchange, 404,
			"{\"data\":{\"data\":null,\"metadata\":{\"created_time\":\"2018-03-22T02:"
			"24:06Z\",\"deletion_time\":\"2018-04-22T02:24:06Z\",\"destroyed\":false,"
			"\"version\":2}}}");
	else if (strcmp(mode, "absent") == 0)
		fake_vault_say(exchange, 404, "{\"errors\":[]}");
	else if (strcmp(mode, "nonsense") == 0)
		fake_vault_say(exchange, 200, "value-of-test, not JSON");
	else if (strcmp(mode, "version-1") == 0)
		fake_vault_say(exchange, 200, "{\"data\":{\"key\":\"value-of-test\"}}");
	else if (strcmp(mode, "elsewhere") == 0)
		fake_vault_say(exchange, 307, "");
	else if (strcmp(mode, "huge") == 0)
		fake_vault_huge(exchange);
	else if (strcmp(mode, "cut") == 0)
		http_exchange_abort(exchange);
	else if (strcmp(mode, "silent") == 0) {
		vault->held = exchange;
		vault->is_held = true;
		http_exchange_watch(exchange, &(struct http_exchange_events){.context = vault,
						      .on_closed = fake_vault_on_closed});
	} else
		fake_vault_good(vault, exchange);
}

static inline void fake_vault_login(struct fake_vault *vault, struct http_exchange *exchange)
{
	const struct http_request *request = http_exchange_request(exchange);
	char body[512];

	vault->logins++;
	if (!text_is(request->body,
		    "{\"role_id\":\"role-1\",\"secret_id\":\"secret-id-of-test\"}")) {
		fake_vault_say(exchange, 400, "{\"errors\":[\"invalid role or secret ID\"]}");
		return;
	}
	(void)snprintf(body, sizeof body,
		"{\"auth\":{\"renewable\":true,\"lease_duration\":%lld,\"metadata\":null,"
		"\"token_policies\":[\"default\"],\"accessor\":\"a\",\"client_token\":\"%s\"},"
		"\"data\":null,\"lease_duration\":0}",
		(long long)vault->lease_s, vault->token);
	fake_vault_say(exchange, 200, body);
}

static inline void fake_vault_on_request(void *context, struct http_exchange *exchange)
{
	struct fake_vault *vault = context;
	const struct http_request *request = http_exchange_request(exchange);
	size_t used = strlen(vault->paths);

	(void)snprintf(vault->paths + used, sizeof vault->paths - used, "%.*s %.*s;",
		TEXT_ARGS(request->method), TEXT_ARGS(request->target));
	assert_true(text_is(http_header_find(exchange, "X-Vault-Request"), "true"));
	if (vault->namespace != NULL)
		assert_true(
			text_is(http_header_find(exchange, "X-Vault-Namespace"), vault->namespace));
	if (text_is(request->path, "/v1/auth/approle/login")) {
		fake_vault_login(vault, exchange);
		return;
	}
	vault->fetches++;
	if (text_is(http_header_find(exchange, "X-Vault-Token"), vault->token)) {
		fake_vault_fetch(vault, exchange);
		return;
	}
	if (vault->refresh_file != NULL)
		private_write(vault->refresh_file, vault->refresh_token);
	fake_vault_say(exchange, 403, "{\"errors\":[\"permission denied\"]}");
}

static inline void fake_vault_start(struct fake_vault *vault, struct loop *loop)
{
	struct error err;

	vault->mode = "good";
	vault->value = "value-of-test";
	vault->token = "token-of-test";
	assert_true(http_server_create(&vault->http, loop,
		&(struct http_server_settings){.tcp_address = "127.0.0.1:0",
			.on_request = fake_vault_on_request,
			.context = vault},
		&err));
	(void)snprintf(vault->url, sizeof vault->url, "http://127.0.0.1:%u",
		http_server_port(vault->http));
}

#endif

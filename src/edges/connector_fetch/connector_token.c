/* Tokens of clients.  They live in memory alone, as long as their answer says, and no longer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/inventory/walk.h"
#include "edges/connector_fetch/connector_fetch_private.h"

enum { TOKEN_ARENA_BYTES_MAX = 4 * 1024 * 1024, KEY_BYTES_MAX = 4096 };

char *secret_copy(struct text secret)
{
	char *copy = calloc(1, secret.length + 1);

	if (copy != NULL && secret.length > 0)
		memcpy(copy, secret.data, secret.length);
	return copy;
}

void secret_drop(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void token_clear(struct kept_token *kept)
{
	free(kept->key);
	secret_drop(&kept->token);
	*kept = (struct kept_token){0};
}

/* A client's token is another's never: the key has all that the token hangs on. */
static bool write_key(char key[KEY_BYTES_MAX], const struct connector *connector)
{
	int length = snprintf(key, KEY_BYTES_MAX, "%.*s\n%.*s\n%.*s\n%.*s",
		TEXT_ARGS(connector->client), TEXT_ARGS(connector->token_url),
		TEXT_ARGS(connector->credential), TEXT_ARGS(connector_url(connector)));

	return length > 0 && length < KEY_BYTES_MAX;
}

static struct kept_token *find(struct connector_fetch_edge *edge, const struct connector *connector)
{
	char key[KEY_BYTES_MAX];

	if (!write_key(key, connector))
		return NULL;
	for (size_t i = 0; i < CONNECTOR_TOKENS_MAX; i++)
		if (edge->tokens[i].key != NULL && strcmp(edge->tokens[i].key, key) == 0)
			return &edge->tokens[i];
	return NULL;
}

const char *token_find(struct connector_fetch_edge *edge, const struct connector *connector)
{
	struct kept_token *kept = find(edge, connector);

	if (kept == NULL)
		return NULL;
	if (loop_now_ms(edge->parts.loop) < kept->until_ms)
		return kept->token;
	token_clear(kept);
	return NULL;
}

void token_forget(struct connector_fetch_edge *edge, const struct connector *connector)
{
	struct kept_token *kept = find(edge, connector);

	if (kept != NULL)
		token_clear(kept);
}

static struct kept_token *make_room(struct connector_fetch_edge *edge)
{
	struct kept_token *first = &edge->tokens[0];

	for (size_t i = 0; i < CONNECTOR_TOKENS_MAX; i++) {
		if (edge->tokens[i].key == NULL)
			return &edge->tokens[i];
		if (edge->tokens[i].until_ms < first->until_ms)
			first = &edge->tokens[i];
	}
	token_clear(first);
	return first;
}

static bool is_header_text(struct text token)
{
	for (size_t i = 0; i < token.length; i++)
		if (token.data[i] <= ' ' || token.data[i] > '~')
			return false;
	return token.length > 0 && token.length <= CONNECTOR_TOKEN_BYTES_MAX;
}

static bool keep(struct connector_fetch_edge *edge, const struct connector *connector,
	const struct json *answer, struct error *err)
{
	struct text token = json_text_or(answer, "access_token", "");
	int64_t lasts_s = json_integer_or(answer, "expires_in", 0);
	struct kept_token *kept;
	char key[KEY_BYTES_MAX];

	if (!is_header_text(token) || lasts_s <= 0 || lasts_s > 7 * 86400)
		return error_set(err, ERROR_INVALID,
			"token-url: its answer has no access_token, or not until when it is good");
	token_forget(edge, connector);
	kept = make_room(edge);
	*kept = (struct kept_token){.until_ms = loop_now_ms(edge->parts.loop) + lasts_s * 1000 -
						CONNECTOR_TOKEN_EARLY_MS};
	if (write_key(key, connector))
		kept->key = secret_copy(text_of(key));
	kept->token = secret_copy(token);
	if (kept->key != NULL && kept->token != NULL)
		return true;
	token_clear(kept);
	return error_set(err, ERROR_LIMIT, "no memory for a token");
}

bool token_take(struct connector_fetch_edge *edge, const struct connector *connector,
	const struct http_reply *reply, struct error *err)
{
	struct arena *arena;
	struct json answer;
	struct error parse;
	bool ok;

	if (reply->err.code != ERROR_NONE) {
		*err = reply->err;
		return error_wrap(err, "token-url");
	}
	if (reply->status != 200)
		return error_set(err, ERROR_IO,
			"token-url: the client got no token (HTTP %u): look at client and "
			"credential",
			reply->status);
	arena = arena_create(TOKEN_ARENA_BYTES_MAX);
	ok = arena != NULL && json_parse(&answer, arena, reply->body, &json_limits_default, &parse);
	/* What the parser says might quote the token. */
	ok = ok ? keep(edge, connector, &answer, err)
		: error_set(err, ERROR_INVALID, "token-url: its answer is no JSON");
	arena_wipe(&arena);
	return ok;
}

void token_form(struct buffer *out, const struct connector *connector, struct text secret)
{
	buffer_append_string(out, "grant_type=client_credentials&client_id=");
	inventory_walk_escape(out, connector->client);
	buffer_append_string(out, "&client_secret=");
	inventory_walk_escape(out, secret);
	buffer_append_string(out, "&scope=");
	inventory_walk_escape(out, connector_url(connector));
	inventory_walk_escape(out, TEXT("/.default"));
}

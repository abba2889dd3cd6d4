/* What `remit task open` does beside asking: proofs of a key (RFC 9449), and the connection
 * that a task with --session lives by. */
#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/private_key.h"
#include "base/random.h"
#include "domain/token/dpop.h"
#include "domain/token/jwk.h"
#include "edges/cli/task_open.h"

static bool seal_header(
	struct cli *cli, const struct private_key *key, struct text *out, struct error *err)
{
	const struct public_key *half = private_key_public(key);
	struct json_builder object;
	struct json jwk, sealed;

	if (!jwk_format(&jwk, cli->arena, half, err))
		return false;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "alg", signature_algorithm_name(public_key_algorithm(half)));
	json_put(&object, "jwk", jwk);
	json_put_cstring(&object, "typ", DPOP_TYPE);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	*out = json_canonical_text(cli->arena, &sealed);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for a proof");
}

static bool seal_claims(
	struct cli *cli, const struct cli_proof *proof, struct text *out, struct error *err)
{
	struct sha256 digest = sha256_of(proof->token.data, proof->token.length);
	struct json_builder object;
	char id[RANDOM_ID_BYTES];
	struct json sealed;

	random_id(id, "");
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "htm", proof->method);
	json_put_text(&object, "htu", proof->url);
	json_put_integer(&object, "iat", (int64_t)time(NULL));
	json_put_cstring(&object, "jti", id);
	if (proof->token.length > 0)
		json_put_text(&object, "ath",
			base64url_text(cli->arena, digest.bytes, sizeof digest.bytes));
	json_put_text_unless_empty(&object, "nonce", proof->nonce);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	*out = json_canonical_text(cli->arena, &sealed);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for a proof");
}

bool cli_make_proof(
	struct cli *cli, const struct cli_proof *proof, struct text *out, struct error *err)
{
	struct private_key *key = NULL;
	uint8_t signature[SIGNATURE_BYTES_MAX];
	struct text header, claims;
	struct buffer made;
	size_t size = 0;
	bool ok;

	buffer_init(&made, DPOP_BYTES_MAX);
	ok = private_key_load(&key, cli->values[OPTION_DPOP], err) &&
	     seal_header(cli, key, &header, err) && seal_claims(cli, proof, &claims, err);
	if (ok) {
		base64url_append(&made, header.data, header.length);
		buffer_append_byte(&made, '.');
		base64url_append(&made, claims.data, claims.length);
		ok = private_key_sign(key, buffer_text(&made), signature, &size, err);
		buffer_append_byte(&made, '.');
		base64url_append(&made, signature, size);
	}
	*out = ok ? text_copy(cli->arena, buffer_text(&made)) : (struct text){0};
	if (ok && (buffer_failed(&made) || out->data == NULL))
		ok = error_set(err, ERROR_LIMIT, "no memory for a proof");
	buffer_deinit(&made);
	private_key_destroy(&key);
	return ok;
}

/* ---- the connection ---- */

/* Comments, which say that both are there. */
static bool on_part(void *context, struct text part)
{
	(void)context;
	(void)part;
	return true;
}

static bool hold_once(struct cli *cli, const struct cli_held *held, struct text nonce,
	struct http_reply *reply, struct http_fetch_head *head, struct error *err)
{
	bool is_bound = cli->values[OPTION_DPOP] != NULL;
	struct cli_proof proof = {.method = "GET",
		.url = text_format(cli->arena, "%.*s/oauth/session", TEXT_ARGS(held->issuer)),
		.token = held->token,
		.nonce = nonce};
	struct text authorization = text_format(
		cli->arena, "%s %.*s", is_bound ? "DPoP" : "Bearer", TEXT_ARGS(held->token));
	struct text shown = TEXT("");
	struct http_header headers[2] = {{"Authorization", authorization.data}, {"DPoP", NULL}};
	struct http_call_request request = {.method = "GET",
		.url = cli->values[OPTION_SERVER] == NULL ? "http://localhost/oauth/session"
							  : proof.url.data,
		.unix_path = cli->values[OPTION_SERVER] == NULL ? held->socket.data : NULL,
		.headers = headers,
		.header_count = is_bound ? 2 : 1,
		.on_body = on_part};

	if (is_bound && !cli_make_proof(cli, &proof, &shown, err))
		return false;
	headers[1].value = shown.data;
	head->extra_name = "DPoP-Nonce";
	return http_fetch(reply, head, cli->arena, &request, err);
}

int cli_hold(struct cli *cli, const struct cli_held *held)
{
	struct http_fetch_head head = {0};
	struct http_reply reply;
	struct error err = {0};
	bool is_whole;

	(void)fflush(stdout); /* whoever waits for the token has it now */
	cli_say("The task lives as long as this runs.");
	is_whole = hold_once(cli, held, TEXT(""), &reply, &head, &err);
	if (is_whole && reply.status == 401 && head.extra.length > 0)
		is_whole = hold_once(cli, held, head.extra, &reply, &head, &err);
	if (!is_whole)
		return cli_fail(cli, &err);
	if (reply.status != 200) {
		cli_wrong(cli,
			"the session was refused (%u): the task, or its token, is over; open "
			"another",
			reply.status);
		return EXIT_REFUSED;
	}
	cli_say("The task is over.");
	return EXIT_DONE;
}

#include "edges/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/private_key.h"
#include "base/random.h"
#include "base/time.h"
#include "domain/token/jwk.h"
#include "edges/cli/loopback.h"
#include "wire/http_client.h"

/* `remit login` without a code: a person proves who they are at the issuer of their organisation,
 * and a new key of this machine is enrolled for as long as that issuer's document says.
 *
 * As a native app does it (RFC 8252): authorization code with PKCE (RFC 7636) in the person's
 * browser, which comes back to a port of this machine.  The nonce is the thumbprint of the new key,
 * so the id_token is of no use to whoever has another. */

enum {
	FETCH_MS = 20000,
	CONFIGURATION_BYTES_MAX = 256 * 1024,
	ID_TOKEN_BYTES_MAX = 16 * 1024,
	SECRET_BYTES = 32, /* of state and PKCE verifier */
};

/* One sign-in. */
struct sign_in {
	struct cli *cli;
	struct private_key *key;
	struct text nonce;
	struct text name; /* of the registered issuer, as the daemon says it, and the next */
	struct text issuer;
	struct text client;
	const struct json *row;
	struct text authorization_endpoint; /* by the issuer's own configuration */
	struct text token_endpoint;
	bool says_issuer; /* its answers have iss */
	struct text state;
	struct text verifier;
	struct text redirect;
};

/* ---- the registered issuer ---- */

static bool take_row(struct sign_in *sign_in, const struct json *items)
{
	const char *wanted = sign_in->cli->values[OPTION_ISSUER];

	for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count; i++)
		if (wanted == NULL || text_is(json_text_or(&items->items[i], "name", ""), wanted)) {
			if (sign_in->row != NULL) {
				cli_wrong(sign_in->cli, "people sign in through more than one "
							"issuer: --issuer NAME");
				return false;
			}
			sign_in->row = &items->items[i];
		}
	if (sign_in->row == NULL)
		cli_wrong(sign_in->cli,
			"people sign in through no issuer%s%s here: an administrator registers one "
			"with the clause people (docs/login.md), or gives you a code for remit "
			"login PERSON",
			wanted == NULL ? "" : " of the name ", wanted == NULL ? "" : wanted);
	return sign_in->row != NULL;
}

static bool find_issuer(struct sign_in *sign_in, int *status)
{
	const struct cli_call call = {
		.method = "GET", .target = TEXT("/v1/sign-in"), .is_unsigned = true};
	struct cli_reply *reply = arena_new(sign_in->cli->arena, struct cli_reply);
	struct error err;

	if (reply == NULL || !cli_ask(sign_in->cli, &call, reply, status))
		return false;
	*status = EXIT_NOT_FOUND;
	if (!take_row(sign_in, json_find(&reply->json, "items")))
		return false;
	if (json_need_text(sign_in->row, "name", &sign_in->name, &err) &&
		json_need_text(sign_in->row, "url", &sign_in->issuer, &err) &&
		json_need_text(sign_in->row, "client", &sign_in->client, &err))
		return true;
	*status = cli_fail(sign_in->cli, &err);
	return false;
}

/* ---- its configuration ---- */

/* https, or this machine: a code and a verifier go there. */
static bool is_safe_url(struct text url)
{
	static const char *const local[] = {
		"http://127.0.0.1:", "http://localhost:", "http://[::1]:"};

	for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
		if (text_starts_with(url, local[i]))
			return true;
	return text_starts_with(url, "https://");
}

static bool fetch(struct sign_in *sign_in, struct http_call_request *request, struct json *out,
	struct error *err)
{
	struct http_reply reply;

	request->ca_file = sign_in->cli->values[OPTION_CA_FILE];
	request->deadline_ms = FETCH_MS;
	request->reply_bytes_max = CONFIGURATION_BYTES_MAX;
	if (!http_fetch(&reply, NULL, sign_in->cli->arena, request, err))
		return false;
	if (reply.status != 200)
		return error_set(err, ERROR_IO, "it answered HTTP %u", reply.status);
	return json_parse(out, sign_in->cli->arena, reply.body, &json_limits_default, err);
}

static bool supports_s256(const struct json *configuration)
{
	const struct json *methods = json_find(configuration, "code_challenge_methods_supported");

	if (methods == NULL || methods->type != JSON_ARRAY)
		return true; /* it need not say (OIDC Discovery); the challenge is sent anyway */
	for (uint32_t i = 0; i < methods->count; i++)
		if (methods->items[i].type == JSON_STRING &&
			text_is(methods->items[i].string, "S256"))
			return true;
	return false;
}

static bool read_configuration(
	struct sign_in *sign_in, const struct json *configuration, struct error *err)
{
	if (!text_equal(json_text_or(configuration, "issuer", ""), sign_in->issuer))
		return error_set(err, ERROR_INVALID, "its configuration is another issuer's");
	if (!json_need_text(configuration, "authorization_endpoint",
		    &sign_in->authorization_endpoint, err) ||
		!json_need_text(configuration, "token_endpoint", &sign_in->token_endpoint, err))
		return false;
	if (!is_safe_url(sign_in->authorization_endpoint) || !is_safe_url(sign_in->token_endpoint))
		return error_set(err, ERROR_INVALID, "its endpoints are not https");
	if (!supports_s256(configuration))
		return error_set(err, ERROR_INVALID, "it does not take PKCE with S256");
	sign_in->says_issuer = json_boolean_or(
		configuration, "authorization_response_iss_parameter_supported", false);
	return true;
}

static bool discover(struct sign_in *sign_in, struct error *err)
{
	struct http_call_request request = {.method = "GET"};
	struct text issuer = sign_in->issuer;
	struct json configuration;

	if (!is_safe_url(issuer))
		return error_set(err, ERROR_INVALID, "the issuer is not https");
	while (issuer.length > 0 && issuer.data[issuer.length - 1] == '/')
		issuer.length--;
	request.url = text_format(
		sign_in->cli->arena, "%.*s/.well-known/openid-configuration", TEXT_ARGS(issuer))
			      .data;
	if (request.url == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a URL");
	return (fetch(sign_in, &request, &configuration, err) &&
		       read_configuration(sign_in, &configuration, err)) ||
	       error_wrap(err, "%.*s", TEXT_ARGS(sign_in->issuer));
}

/* ---- to the browser ---- */

static struct text random_text(struct cli *cli)
{
	unsigned char bytes[SECRET_BYTES];
	struct text made;

	random_bytes(bytes, sizeof bytes);
	made = base64url_text(cli->arena, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	return made;
}

static void append_escaped(struct sign_in *sign_in, struct buffer *url, struct text value)
{
	struct text copy = text_copy(sign_in->cli->arena, value); /* ends with NUL */

	buffer_append_text(url, cli_escape(sign_in->cli, copy.data == NULL ? "" : copy.data));
}

static void append_words(
	struct sign_in *sign_in, struct buffer *url, const char *member, const char *first)
{
	const struct json *words = json_find(sign_in->row, member);

	if (first[0] != '\0')
		buffer_append_string(url, first);
	for (uint32_t i = 0; words != NULL && words->type == JSON_ARRAY && i < words->count; i++) {
		if (words->items[i].type != JSON_STRING || text_is(words->items[i].string, first))
			continue;
		if (i > 0 || first[0] != '\0')
			buffer_append_string(url, "%20");
		append_escaped(sign_in, url, words->items[i].string);
	}
}

/* OpenID Connect Core 1.0 §3.1.2.1. */
static void write_url(struct sign_in *sign_in, struct buffer *url)
{
	struct sha256 challenge = sha256_of(sign_in->verifier.data, sign_in->verifier.length);
	int64_t max_age_s = json_integer_or(sign_in->row, "max_age_s", 0);
	const struct json *acr = json_find(sign_in->row, "acr");

	buffer_append_text(url, sign_in->authorization_endpoint);
	buffer_append_string(
		url, text_find_byte(sign_in->authorization_endpoint, '?') < 0 ? "?" : "&");
	buffer_append_string(url, "response_type=code&code_challenge_method=S256&code_challenge=");
	base64url_append(url, challenge.bytes, sizeof challenge.bytes);
	buffer_append_string(url, "&client_id=");
	append_escaped(sign_in, url, sign_in->client);
	buffer_append_string(url, "&redirect_uri=");
	append_escaped(sign_in, url, sign_in->redirect);
	buffer_append_string(url, "&state=");
	buffer_append_text(url, sign_in->state);
	buffer_append_string(url, "&nonce=");
	buffer_append_text(url, sign_in->nonce);
	buffer_append_string(url, "&scope=");
	append_words(sign_in, url, "scopes", "openid");
	if (max_age_s > 0)
		buffer_append_format(url, "&max_age=%lld", (long long)max_age_s);
	if (acr != NULL && acr->count > 0) {
		buffer_append_string(url, "&acr_values=");
		append_words(sign_in, url, "acr", "");
	}
}

/* Where there is a display.  The address holds no secret: what it was made from is kept here. */
static void open_browser(const char *url)
{
	char *const words[] = {(char[]){"xdg-open"}, (char *)(uintptr_t)url, NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;

	if (getenv("DISPLAY") == NULL && getenv("WAYLAND_DISPLAY") == NULL)
		return;
	if (posix_spawn_file_actions_init(&actions) != 0)
		return;
	if (posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0 &&
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0 &&
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) == 0)
		(void)posix_spawnp(&child, "xdg-open", &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
}

static bool send_to_browser(struct sign_in *sign_in, struct error *err)
{
	struct buffer url;
	struct text whole;

	buffer_init(&url, CONFIGURATION_BYTES_MAX);
	write_url(sign_in, &url);
	whole = text_copy(sign_in->cli->arena, buffer_text(&url));
	buffer_deinit(&url);
	if (whole.data == NULL || whole.length == 0)
		return error_set(err, ERROR_LIMIT, "no memory for a URL");
	cli_say("Sign in with a browser of this machine:\n");
	cli_say_plain(whole);
	cli_say("%s", "");
	if (sign_in->cli->values[OPTION_NO_BROWSER] == NULL)
		open_browser(whole.data);
	return true;
}

/* ---- and back ---- */

/* Which issuer answers is looked at before its code goes anywhere (RFC 9207 §2.4). */
static bool check_answer(
	struct sign_in *sign_in, const struct loopback_answer *answer, struct error *err)
{
	if ((sign_in->says_issuer || answer->issuer.data != NULL) &&
		!text_equal(answer->issuer, sign_in->issuer))
		return error_set(err, ERROR_CORRUPT, "another issuer answered than was asked");
	if (answer->error.length > 0)
		return error_set(err, ERROR_CORRUPT, "the issuer did not sign you in: %.*s",
			TEXT_ARGS(text_head(answer->error, 64)));
	return true;
}

static bool exchange(
	struct sign_in *sign_in, struct text code, struct text *id_token, struct error *err)
{
	static const struct http_header headers[] = {
		{"Content-Type", "application/x-www-form-urlencoded"},
		{"Accept", "application/json"}};
	struct http_call_request request = {
		.method = "POST", .headers = headers, .header_count = 2};
	struct json answer;
	struct buffer body;
	bool is_ok;

	buffer_init(&body, CONFIGURATION_BYTES_MAX);
	buffer_append_string(&body, "grant_type=authorization_code&code=");
	append_escaped(sign_in, &body, code);
	buffer_append_string(&body, "&client_id=");
	append_escaped(sign_in, &body, sign_in->client);
	buffer_append_string(&body, "&redirect_uri=");
	append_escaped(sign_in, &body, sign_in->redirect);
	buffer_append_string(&body, "&code_verifier=");
	buffer_append_text(&body, sign_in->verifier);
	request.body = buffer_text(&body);
	request.url = text_copy(sign_in->cli->arena, sign_in->token_endpoint).data;
	is_ok = (!buffer_failed(&body) && request.url != NULL) ||
		error_set(err, ERROR_LIMIT, "no memory for a request");
	is_ok = is_ok && ((fetch(sign_in, &request, &answer, err) &&
				  json_need_text(&answer, "id_token", id_token, err)) ||
				 error_wrap(err, "the issuer gave no id_token"));
	buffer_deinit(&body);
	return is_ok;
}

static bool sign_in_with_browser(struct sign_in *sign_in, struct text *id_token, struct error *err)
{
	struct loopback loopback;
	struct loopback_answer answer;
	struct cli *cli = sign_in->cli;
	bool is_ok;

	if (!discover(sign_in, err) || !loopback_open(&loopback, err))
		return false;
	sign_in->state = random_text(cli);
	sign_in->verifier = random_text(cli);
	sign_in->redirect =
		text_format(cli->arena, "http://127.0.0.1:%u/callback", (unsigned)loopback.port);
	is_ok = (sign_in->state.data != NULL && sign_in->verifier.data != NULL &&
			sign_in->redirect.data != NULL) ||
		error_set(err, ERROR_LIMIT, "no memory for a sign-in");
	is_ok = is_ok && send_to_browser(sign_in, err) &&
		loopback_wait(&loopback, sign_in->state, cli->arena, &answer, err) &&
		check_answer(sign_in, &answer, err) &&
		exchange(sign_in, answer.code, id_token, err);
	loopback_close(&loopback);
	return is_ok;
}

/* ---- a token that was got elsewhere ---- */

static bool read_token(struct sign_in *sign_in, struct text *id_token, struct error *err)
{
	const char *path = sign_in->cli->values[OPTION_ID_TOKEN_FILE];
	char *room = arena_array(sign_in->cli->arena, char, ID_TOKEN_BYTES_MAX + 2);
	bool is_input = strcmp(path, "-") == 0;
	size_t size = 0;
	int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	bool is_ok =
		room != NULL && fd >= 0 && file_read_all(fd, room, ID_TOKEN_BYTES_MAX + 2, &size);

	if (!is_ok)
		error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			strerror(errno));
	if (fd >= 0 && !is_input)
		close(fd);
	if (is_ok && size > 0 && room[size - 1] == '\n')
		size--;
	*id_token = (struct text){room, size};
	return is_ok && ((size > 0 && size <= ID_TOKEN_BYTES_MAX) ||
				error_set(err, ERROR_INVALID, "%s holds no id_token", path));
}

/* ---- the daemon ---- */

static bool enrol_body(
	struct sign_in *sign_in, struct text id_token, struct json *out, struct error *err)
{
	struct json_builder object;
	struct json jwk;

	if (!jwk_format(&jwk, sign_in->cli->arena, private_key_public(sign_in->key), err))
		return false;
	json_object_start(&object, sign_in->cli->arena);
	json_put_text(&object, "id_token", id_token);
	json_put_text(&object, "issuer", sign_in->name);
	json_put(&object, "jwk", jwk);
	return json_object_seal(&object, out, err);
}

static int print_signed_in(struct cli *cli, const struct json *answer)
{
	char until[TIME_TEXT_BYTES];
	struct text person = json_text_or(answer, "person", "");

	if (cli->output != OUTPUT_TABLE) {
		cli_print(cli, answer);
		return EXIT_DONE;
	}
	time_format_utc_ms(until, json_integer_or(answer, "expires_utc_ms", 0));
	printf("%.*s: signed in until %s (%s)\n", TEXT_ARGS(person), until, cli_person_folder(cli));
	return EXIT_DONE;
}

/* In place of what was here.  Between the two there is no key, which a new sign-in mends. */
static bool keep(struct sign_in *sign_in, struct cli_person *person, struct error *err)
{
	return cli_person_forget(sign_in->cli, err) && cli_person_save(sign_in->cli, person, err);
}

static int enrol(struct sign_in *sign_in, struct text id_token)
{
	struct cli_person person = {
		.name = TEXT("sign-in"), .key = sign_in->key, .issuer = sign_in->name};
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/sign-in"), .signer = &person};
	struct cli *cli = sign_in->cli;
	struct cli_reply reply;
	struct error err;
	struct json body;
	int status;

	if (!cli_ask_installation(cli, &person.installation, &status))
		return status;
	if (!enrol_body(sign_in, id_token, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	if (!json_need_text(&reply.json, "person", &person.name, &err) ||
		!cli_is_plain_name(person.name)) {
		cli_wrong(cli, "the daemon does not say who you are");
		return EXIT_UNAVAILABLE;
	}
	if (!keep(sign_in, &person, &err))
		return cli_fail(cli, &err);
	return print_signed_in(cli, &reply.json);
}

/* ---- the key ---- */

/* With --nonce the key waits in a file of its own for the token that is got elsewhere. */
static bool take_key(struct sign_in *sign_in, struct error *err)
{
	const char *path = cli_next_key_path(sign_in->cli, err);
	char thumbprint[JWK_THUMBPRINT_BYTES];
	bool is_ok;

	if (path == NULL)
		return false;
	if (sign_in->cli->values[OPTION_ID_TOKEN_FILE] != NULL)
		is_ok = private_key_load(&sign_in->key, path, err) ||
			error_wrap(err, "remit login --nonce makes the key first");
	else
		is_ok = private_key_generate(&sign_in->key, SIGNATURE_ES256, err);
	if (!is_ok || !jwk_thumbprint(thumbprint, private_key_public(sign_in->key), err))
		return false;
	sign_in->nonce = text_copy(sign_in->cli->arena, text_of(thumbprint));
	return sign_in->nonce.data != NULL || error_set(err, ERROR_LIMIT, "no memory for a key");
}

static int print_nonce(struct sign_in *sign_in)
{
	struct cli *cli = sign_in->cli;
	struct error err;

	if (!cli_next_key_save(cli, sign_in->key, &err))
		return cli_fail(cli, &err);
	cli_print_text(sign_in->nonce);
	cli_say("Get an id_token with this nonce, then: remit login --id-token-file FILE");
	return EXIT_DONE;
}

static int run(struct sign_in *sign_in)
{
	struct cli *cli = sign_in->cli;
	bool is_file = cli->values[OPTION_ID_TOKEN_FILE] != NULL;
	struct text id_token;
	struct error err = {0};
	int status = EXIT_UNAVAILABLE;

	if (!take_key(sign_in, &err))
		return cli_fail(cli, &err);
	if (cli->values[OPTION_NONCE] != NULL)
		return print_nonce(sign_in);
	if (!find_issuer(sign_in, &status))
		return status;
	if (!(is_file ? read_token(sign_in, &id_token, &err)
		      : sign_in_with_browser(sign_in, &id_token, &err)))
		return cli_fail(cli, &err);
	status = enrol(sign_in, id_token);
	if (is_file && status == EXIT_DONE && !cli_next_key_forget(cli, &err))
		return cli_fail(cli, &err);
	return status;
}

int command_sign_in(struct cli *cli)
{
	struct sign_in sign_in = {.cli = cli};
	int status = run(&sign_in);

	private_key_destroy(&sign_in.key);
	return status;
}

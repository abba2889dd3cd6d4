#include "edges/cli/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/private_key.h"
#include "domain/token/jwk.h"

/* People: their keys, their codes; and what only people may set. */

enum { INSTALLATION_BYTES_MAX = 255 }; /* as an origin may be long */

static bool enrol_body(struct cli *cli, const struct cli_person *person, const char *code,
	struct json *out, struct error *err)
{
	struct json_builder object;
	struct json jwk;

	if (!jwk_format(&jwk, cli->arena, private_key_public(person->key), err))
		return false;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "code", code);
	json_put_text(&object, "name", person->name);
	json_put(&object, "jwk", jwk);
	return json_object_seal(&object, out, err);
}

bool cli_is_plain_name(struct text name)
{
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~')
			return false;
	return name.length > 0 && name.length <= INSTALLATION_BYTES_MAX;
}

bool cli_ask_installation(struct cli *cli, struct text *out, int *status)
{
	const struct cli_call call = {
		.method = "GET", .target = TEXT("/v1/installation"), .is_unsigned = true};
	struct cli_reply reply;
	struct error err;

	if (!cli_ask(cli, &call, &reply, status))
		return false;
	if (json_need_text(&reply.json, "installation", out, &err) && cli_is_plain_name(*out))
		return true;
	cli_wrong(cli, "the daemon does not say which installation it is");
	*status = EXIT_UNAVAILABLE;
	return false;
}

/* The key is kept before it is enrolled: an answer that is lost leaves a key
 * that works, or one that can be enrolled again. */
static int enrol(struct cli *cli, const struct cli_person *person, const char *code)
{
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/login"), .signer = person};
	struct cli_reply reply;
	struct error err;
	struct json body;
	int status;

	if (!enrol_body(cli, person, code, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_person_save(cli, person, &err))
		return cli_fail(cli, &err);
	if (!cli_ask(cli, &call, &reply, &status)) {
		if (reply.status != 0 && !cli_person_forget(cli, &err))
			cli_say("remit: %s", err.text);
		return status;
	}
	if (cli->output == OUTPUT_TABLE)
		printf("%.*s: this machine's key is enrolled (%s)\n", TEXT_ARGS(person->name),
			cli_person_folder(cli));
	else
		cli_print(cli, &reply.json);
	return EXIT_DONE;
}

/* Bound only once the daemon has taken a request that the key signed for it. */
static int rebind(struct cli *cli, struct cli_person *person)
{
	const struct cli_call call = {
		.method = "GET", .target = TEXT("/v1/whoami"), .signer = person};
	struct text before = person->installation;
	struct cli_reply reply;
	struct error err;
	int status;

	if (!cli_ask_installation(cli, &person->installation, &status))
		return status;
	if (text_equal(before, person->installation)) {
		cli_say("The key of this machine signs for %.*s already.", TEXT_ARGS(before));
		return EXIT_DONE;
	}
	if (!cli_confirm(cli,
		    "The key of %.*s will sign for the installation %.*s, and no more "
		    "for %.*s.",
		    TEXT_ARGS(person->name), TEXT_ARGS(person->installation),
		    TEXT_ARGS(before.length == 0 ? TEXT("none") : before)))
		return EXIT_REFUSED;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	return cli_person_rebind(cli, person->installation, &err) ? EXIT_DONE : cli_fail(cli, &err);
}

/* The person who has logged in here, with the key they have. */
static int login_again(struct cli *cli, struct cli_person *known)
{
	int status = EXIT_CONFLICT;

	if (cli->values[OPTION_KEEP_KEY] == NULL)
		cli_wrong(cli, "this machine has a key of %.*s already; `remit logout` forgets it",
			TEXT_ARGS(known->name));
	else if (cli->words_count == 0 || !text_is(known->name, cli->words[0]))
		cli_wrong(cli, "this machine's key is one of %.*s", TEXT_ARGS(known->name));
	else
		status = rebind(cli, known);
	private_key_destroy(&known->key);
	return status;
}

int command_login(struct cli *cli)
{
	struct cli_person person = {0};
	struct error err = {0};
	const char *code;
	int status;

	if (cli->words_count == 0 && cli->values[OPTION_KEEP_KEY] != NULL)
		return cli_usage(cli, "--keep-key is for `remit login PERSON`");
	if (cli_person_load(cli, &person, &err)) {
		bool is_by_code = person.issuer.length == 0;

		if (is_by_code || cli->words_count > 0)
			return login_again(cli, &person);
		private_key_destroy(
			&person.key); /* which is replaced when the new one is in force */
	}
	if (err.code != ERROR_NONE)
		return cli_fail(cli, &err);
	if (cli->words_count == 0)
		return command_sign_in(cli);
	if (cli->values[OPTION_KEEP_KEY] != NULL) {
		cli_wrong(cli, "this machine has no key to keep");
		return EXIT_NOT_FOUND;
	}
	code = cli_read_line(cli, "One-time code: ");
	if (code == NULL)
		return cli_usage(cli, "the one-time code is read from standard input; an "
				      "administrator makes one: remit person code PERSON");
	person.name = text_of(cli->words[0]);
	if (!cli_ask_installation(cli, &person.installation, &status))
		return status;
	if (!private_key_generate(&person.key, SIGNATURE_ES256, &err))
		return cli_fail(cli, &err);
	status = enrol(cli, &person, code);
	private_key_destroy(&person.key);
	return status;
}

/* Ends the key that was enrolled by signing in.  Where that cannot be the person is told, and the
 * key is forgotten here all the same: it ends by itself. */
static void end_key(struct cli *cli)
{
	struct cli_call call = {.method = "DELETE"};
	struct cli_person person = {0};
	char kid[JWK_THUMBPRINT_BYTES];
	struct cli_reply reply;
	struct error err = {0};
	int status;

	if (!cli_person_load(cli, &person, &err))
		return;
	if (person.issuer.length > 0 && jwk_thumbprint(kid, private_key_public(person.key), &err)) {
		struct text name = text_copy(cli->arena, person.name);

		call.target = text_format(cli->arena, "/v1/persons/%.*s/keys/%s",
			TEXT_ARGS(cli_escape(cli, name.data)), kid);
		if (!cli_ask(cli, &call, &reply, &status))
			cli_say("The key is deleted here; the daemon did not end it (above).");
	}
	private_key_destroy(&person.key);
}

int command_logout(struct cli *cli)
{
	struct error err;

	if (!cli_confirm(cli, "This deletes the key in %s.",
		    cli_person_folder(cli) == NULL ? "(no home)" : cli_person_folder(cli)))
		return EXIT_REFUSED;
	end_key(cli);
	if (!cli_person_forget(cli, &err))
		return cli_fail(cli, &err);
	return EXIT_DONE;
}

int command_whoami(struct cli *cli)
{
	struct cli_reply reply;
	int status;

	if (cli_get(cli, &reply, &status, "/v1/whoami"))
		cli_print(cli, &reply.json);
	return status;
}

static bool ask_for_code(struct cli *cli, const struct cli_call *call, struct cli_reply *reply,
	struct text *out, int *status)
{
	struct error err;

	if (!cli_ask(cli, call, reply, status))
		return false;
	if (json_need_text(&reply->json, "code", out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

/* {file, person} or {file, identity}: the code itself is in the file alone. */
static int print_code_file(struct cli *cli, const char *path, const char *what)
{
	struct json_builder object;
	struct json result;
	struct error err;

	cli_say("%s holds a code for %s, good for one hour and one use", path, cli->words[0]);
	if (cli->output == OUTPUT_TABLE)
		return EXIT_DONE;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "file", path);
	json_put_cstring(&object, what, cli->words[0]);
	if (!json_object_seal(&object, &result, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &result);
	return EXIT_DONE;
}

/* Asks for a code into the file of --out, which is new. */
static int code_into_file(struct cli *cli, const struct cli_call *call, const char *what)
{
	const char *path = cli->values[OPTION_OUT];
	struct cli_reply reply;
	struct text code;
	struct error err;
	int status;

	if (path == NULL)
		return cli_usage(cli, "--out names the file, which gets mode 0600");
	/* Looked at first: a code that cannot be kept would be lost. */
	if (access(path, F_OK) == 0) {
		(void)error_set(&err, ERROR_CONFLICT, "%s exists already", path);
		return cli_fail(cli, &err);
	}
	if (!ask_for_code(cli, call, &reply, &code, &status))
		return status;
	if (!file_create(path, text_format(cli->arena, "%.*s\n", TEXT_ARGS(code)), &err))
		return cli_fail(cli, &err);
	return print_code_file(cli, path, what);
}

int command_code(struct cli *cli)
{
	struct text name = cli_escape(cli, cli->words[0]);
	const struct cli_call call = {.method = "POST",
		.target = text_format(cli->arena, "/v1/persons/%.*s/code", TEXT_ARGS(name))};

	return code_into_file(cli, &call, "person");
}

int command_invite(struct cli *cli)
{
	struct text name = cli_escape(cli, cli->words[0]);
	struct cli_call call = {.method = "POST",
		.target = text_format(cli->arena, "/v1/identities/%.*s/invite", TEXT_ARGS(name))};
	struct json_builder object;
	struct json body;
	struct error err;

	if (cli->values[OPTION_BACKUP_OWNER] == NULL || cli->values[OPTION_PURPOSE] == NULL)
		return cli_usage(cli, "--backup-owner and --purpose are needed");
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "backup_owner", cli->values[OPTION_BACKUP_OWNER]);
	json_put_cstring(&object, "purpose", cli->values[OPTION_PURPOSE]);
	if (cli->values[OPTION_ENVIRONMENT] != NULL)
		json_put_cstring(&object, "environment", cli->values[OPTION_ENVIRONMENT]);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	return code_into_file(cli, &call, "identity");
}

int command_bootstrap(struct cli *cli)
{
	const struct cli_call call = {
		.method = "POST", .target = TEXT("/v1/admin/bootstrap"), .is_unsigned = true};
	struct cli_reply reply;
	struct text code;
	int status;

	if (!ask_for_code(cli, &call, &reply, &code, &status))
		return status;
	if (cli->output == OUTPUT_TABLE)
		cli_print_text(code);
	else
		cli_print(cli, &reply.json);
	cli_say("Good for 15 minutes and one use: remit login PERSON");
	return EXIT_DONE;
}

/* ---- secrets ---- */

int command_secret_set(struct cli *cli)
{
	struct text name = cli_escape(cli, cli->words[0]);
	struct cli_call call = {.method = "PUT",
		.target = text_format(cli->arena, "/v1/secrets/%.*s", TEXT_ARGS(name))};
	const char *value = cli_read_line(cli, "Value: ");
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	if (value == NULL)
		return cli_usage(cli, "the value is read from standard input");
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "value", value);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	(void)cli_ask(cli, &call, &reply, &status);
	return status;
}

int command_secret_remove(struct cli *cli)
{
	struct text name = cli_escape(cli, cli->words[0]);
	struct cli_call call = {.method = "DELETE",
		.target = text_format(cli->arena, "/v1/secrets/%.*s", TEXT_ARGS(name))};
	struct cli_reply reply;
	int status;

	if (!cli_confirm(cli, "This forgets the secret %s; servers that need it stop working.",
		    cli->words[0]))
		return EXIT_REFUSED;
	(void)cli_ask(cli, &call, &reply, &status);
	return status;
}

/* Accounts at providers that nobody stands for: who might, and a charter's draft for one. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "domain/charter/terms.h"
#include "domain/inventory/contain.h"
#include "edges/cli/command.h"

enum { YAML_BYTES_MAX = 64 * 1024, NAME_BYTES_MAX = 64, ANSWER_NAP_MS = 100 };

/* ---- listing ---- */

static struct text first_suggestion(struct cli *cli, const struct json *draft)
{
	const struct json *all = json_find(draft, "suggestions");

	if (all == NULL || all->count == 0)
		return TEXT("");
	return text_format(cli->arena, "%.*s (%.*s)",
		TEXT_ARGS(json_text_or(&all->items[0], "person", "")),
		TEXT_ARGS(json_text_or(&all->items[0], "ground", "")));
}

/* As a list whose rows fit a table. */
static bool rows_of(struct cli *cli, const struct json *items, struct json *out, struct error *err)
{
	struct json_builder list, object;
	struct json item, rows;

	json_array_start(&list, cli->arena);
	for (uint32_t i = 0; items != NULL && i < items->count; i++) {
		const struct json *draft = &items->items[i];
		const struct json *reaches = json_find(draft, "reaches");

		json_object_start(&object, cli->arena);
		json_put_text(&object, "account", json_text_or(draft, "account", ""));
		json_put_text(&object, "title", json_text_or(draft, "title", ""));
		json_put_text(&object, "kind", json_text_or(draft, "kind", ""));
		json_put_integer(&object, "reaches", reaches == NULL ? 0 : reaches->count);
		json_put_text(&object, "used", json_text_or(draft, "used", ""));
		json_put_text(&object, "suggested", first_suggestion(cli, draft));
		if (!json_object_seal(&object, &item, err))
			return false;
		json_add(&list, item);
	}
	json_object_start(&object, cli->arena);
	if (!json_array_seal(&list, &rows, err))
		return false;
	json_put(&object, "items", rows);
	return json_object_seal(&object, out, err);
}

int command_inventory_drafts(struct cli *cli)
{
	struct cli_reply reply = {0};
	struct json rows;
	struct error err;
	int status;

	if (!cli_inventory_page(cli, "drafts", &reply, &status))
		return status;
	if (cli->output != OUTPUT_TABLE) {
		cli_print(cli, &reply.json);
		return EXIT_DONE;
	}
	if (!rows_of(cli, json_find(&reply.json, "items"), &rows, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &rows);
	cli_say_inventory_more(&reply);
	return EXIT_DONE;
}

/* ---- adopting ---- */

/* The first of two members that says something. */
static struct text first_of(const struct json *draft, const char *name, const char *other)
{
	struct text t = json_text_or(draft, name, "");

	return t.length > 0 ? t : json_text_or(draft, other, "");
}

/* A name for it: of its title, in the letters that names have. */
static struct text name_of(struct cli *cli, const struct json *draft)
{
	struct text title = first_of(draft, "title", "account");
	char *name = arena_array(cli->arena, char, NAME_BYTES_MAX + 1);
	size_t used = 0;

	if (cli->values[OPTION_NAME] != NULL)
		return text_of(cli->values[OPTION_NAME]);
	for (size_t i = 0; name != NULL && i < title.length && used < NAME_BYTES_MAX; i++) {
		char c = title.data[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			name[used++] = c;
		else if (used > 0 && name[used - 1] != '-')
			name[used++] = '-';
	}
	while (used > 0 && name[used - 1] == '-')
		used--;
	return used == 0 ? TEXT("adopted") : (struct text){name, used};
}

/* The least class that has all it may do there. */
static const char *class_of(const struct json *draft)
{
	const struct json *reaches = json_find(draft, "reaches");
	const char *class = use_class_word(CLASS_RETRIEVE);

	for (uint32_t i = 0; reaches != NULL && i < reaches->count; i++) {
		const struct json *effects = json_find(&reaches->items[i], "effects");

		for (uint32_t at = 0; effects != NULL && at < effects->count; at++) {
			if (text_is(effects->items[at].string, "execute"))
				return use_class_word(CLASS_EXECUTE);
			if (text_is(effects->items[at].string, "write"))
				class = use_class_word(CLASS_UPDATE);
		}
	}
	return class;
}

static void put_line(struct buffer *out, const char *name, struct text value)
{
	buffer_append_format(out, "%s: ", name);
	json_append_string(out, value); /* which YAML reads, too */
	buffer_append_byte(out, '\n');
}

static struct text given(const struct cli *cli, enum cli_option option, struct text fallback)
{
	return cli->values[option] != NULL ? text_of(cli->values[option]) : fallback;
}

/* A charter that says who answers for the account and gives it nothing here: what it may do
 * through remit, its owner writes. */
static void write_charter(struct cli *cli, const struct json *draft, struct buffer *out)
{
	buffer_append_string(out, "object: identity\n");
	put_line(out, "name", name_of(cli, draft));
	put_line(out, "kind", json_text_or(draft, "kind", "integration"));
	put_line(out, "class", text_of(class_of(draft)));
	put_line(out, "risk", given(cli, OPTION_RISK, TEXT("high")));
	put_line(out, "owner", given(cli, OPTION_OWNER, TEXT("")));
	put_line(out, "backup-owner", given(cli, OPTION_BACKUP_OWNER, TEXT("")));
	put_line(out, "unit", given(cli, OPTION_UNIT, json_text_or(draft, "unit", "")));
	put_line(out, "purpose", given(cli, OPTION_PURPOSE, first_of(draft, "title", "account")));
	buffer_append_string(out, "environments: [");
	json_append_string(out, given(cli, OPTION_ENVIRONMENT, TEXT("prod")));
	buffer_append_string(out, "]\naccounts: [");
	json_append_string(out, json_text_or(draft, "account", ""));
	buffer_append_string(out, "]\n");
}

static int apply(struct cli *cli, struct text yaml)
{
	struct json_builder list, object;
	struct json file, files, body;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "file", "adopt");
	json_put_text(&object, "yaml", yaml);
	if (!json_object_seal(&object, &file, &err))
		return cli_fail(cli, &err);
	json_array_start(&list, cli->arena);
	json_add(&list, file);
	if (!json_array_seal(&list, &files, &err))
		return cli_fail(cli, &err);
	json_object_start(&object, cli->arena);
	json_put(&object, "files", files);
	json_put_boolean(&object, "draft", true);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	cli->values[OPTION_DRAFT] = ""; /* it waits for its author */
	return cli_apply_files(cli, &body);
}

int command_inventory_adopt(struct cli *cli)
{
	struct text account = cli_escape_name(cli, cli->words[0]);
	struct cli_reply reply;
	struct buffer yaml;
	int status;

	if (cli->values[OPTION_OWNER] == NULL || cli->values[OPTION_BACKUP_OWNER] == NULL)
		return cli_usage(cli,
			"--owner and --backup-owner: who answers for it; `remit "
			"inventory drafts CONNECTOR -o json` says who might, and why");
	if (!cli_get(cli, &reply, &status, "/v1/drafts/%.*s", TEXT_ARGS(account)))
		return status;
	if (cli->values[OPTION_UNIT] == NULL && json_text_or(&reply.json, "unit", "").length == 0)
		return cli_usage(cli, "--unit: whose it is; nobody who is suggested has one");
	buffer_init(&yaml, YAML_BYTES_MAX);
	write_charter(cli, &reply.json, &yaml);
	if (buffer_failed(&yaml))
		status = cli_usage(cli, "the words are too long");
	else if (cli->values[OPTION_DRY_RUN] != NULL)
		cli_print_text(buffer_text(&yaml));
	else
		status = apply(cli, text_copy(cli->arena, buffer_text(&yaml)));
	buffer_deinit(&yaml);
	return status;
}

/* ---- stopping ---- */

static void print_calls(const struct json *containment)
{
	const struct json *calls = json_find(containment, "calls");
	const struct json *others = json_find(containment, "dependants");

	for (uint32_t i = 0; calls != NULL && i < calls->count; i++) {
		const struct json *call = &calls->items[i];
		struct text undo = json_text_or(call, "undo", "");

		printf("%u. %.*s\n   %.*s; %.*s\n", i + 1,
			TEXT_ARGS(json_text_or(call, "call", "")),
			TEXT_ARGS(json_text_or(call, "does", "")),
			TEXT_ARGS(json_text_or(call, "limit", "")));
		printf("   back: %.*s\n", TEXT_ARGS(undo.length > 0 ? undo : TEXT("no way")));
	}
	if (calls == NULL || calls->count == 0)
		printf("remit knows of no way to stop it there: look where its credential was "
		       "made\n");
	if (others != NULL && others->count > 0)
		printf("who acts through it:\n");
	for (uint32_t i = 0; others != NULL && i < others->count; i++)
		printf("- %.*s\n", TEXT_ARGS(others->items[i].string));
}

static struct text answer_of(const struct json *containment)
{
	return json_text_or(json_find(containment, "provider"), "answer", "");
}

/* Until its provider was asked again; one that is contained no more answers 404.  What was said
 * before goes each time: this may take as long as others wait for their turn. */
static bool await_answer(struct cli *cli, struct cli_reply *reply)
{
	const struct timespec nap = {.tv_nsec = ANSWER_NAP_MS * 1000000L};
	struct cli_call call = {.method = "GET"};

	while (text_is(
		answer_of(&reply->json), containment_answer_word(CONTAINMENT_ANSWER_CALLED))) {
		(void)nanosleep(&nap, NULL);
		arena_reset(cli->arena);
		call.target = text_format(cli->arena, "/v1/containments/%.*s",
			TEXT_ARGS(cli_escape(cli, cli->words[0])));
		if (!cli_send(cli, &call, reply))
			return false;
	}
	return true;
}

static void print_answer(const struct json *containment)
{
	const struct json *provider = json_find(containment, "provider");
	struct text said = json_text_or(provider, "said", "");

	printf("its provider: %.*s%s%.*s (record #%lld)\n",
		TEXT_ARGS(json_text_or(provider, "meaning", "")), said.length > 0 ? "; " : "",
		TEXT_ARGS(said), (long long)json_integer_or(provider, "record", 0));
}

static int print_containment(struct cli *cli, const struct json *containment)
{
	bool is_called = answer_of(containment).length > 0;
	bool is_off =
		text_is(answer_of(containment), containment_answer_word(CONTAINMENT_ANSWER_OFF));

	if (cli->output != OUTPUT_TABLE) {
		cli_print(cli, containment);
		return is_called && !is_off ? EXIT_UNAVAILABLE : EXIT_DONE;
	}
	printf("%.*s: %.*s, record #%lld\n", TEXT_ARGS(json_text_or(containment, "account", "")),
		TEXT_ARGS(json_text_or(containment, "state", "")),
		(long long)json_integer_or(containment, "record", 0));
	if (is_called)
		print_answer(containment);
	else
		printf("remit has no way in of its own there.  Do the first that fits, and import "
		       "the inventory again:\n");
	print_calls(containment);
	return is_called && !is_off ? EXIT_UNAVAILABLE : EXIT_DONE;
}

static int print_released(struct cli *cli)
{
	struct json_builder object;
	struct json body;
	struct error err;

	if (cli->output == OUTPUT_TABLE) {
		printf("%s may act again, and its provider says that it does\n", cli->words[0]);
		return EXIT_DONE;
	}
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "account", cli->words[0]);
	json_put_boolean(&object, "released", true);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &body);
	return EXIT_DONE;
}

/* A review had it stopped. */
static int print_asked(struct cli *cli, const struct json *containment)
{
	if (cli->output != OUTPUT_TABLE) {
		cli_print(cli, containment);
		return EXIT_WAITING;
	}
	printf("asked for: review %.*s had it stopped, so another person who may judge that does "
	       "the same:\n  remit inventory contain %s --undo --reason T\n",
		TEXT_ARGS(json_text_or(containment, "review", "")), cli->words[0]);
	return EXIT_WAITING;
}

static bool is_asked(const struct json *containment)
{
	return json_find(containment, "asked_by") != NULL &&
	       !json_boolean_or(json_find(containment, "provider"), "back", false);
}

/* One that was released is there no more. */
static int print_release(struct cli *cli, const struct cli_reply *reply)
{
	if (reply->status == 404)
		return print_released(cli);
	if (is_asked(&reply->json))
		return print_asked(cli, &reply->json);
	if (answer_of(&reply->json).length == 0) {
		cli_print(cli, &reply->json);
		return EXIT_DONE;
	}
	if (cli->output == OUTPUT_TABLE)
		print_answer(&reply->json);
	else
		cli_print(cli, &reply->json);
	return EXIT_UNAVAILABLE;
}

/* Whoever wants it back is shown before it is agreed with; one who did so alone asks anew.
 * *out_ask: their record; 0: nobody does.  False: *status says why. */
static bool confirm_ask(struct cli *cli, int64_t *out_ask, int *status)
{
	const struct cli_call call = {.method = "GET",
		.target = text_format(cli->arena, "/v1/containments/%.*s",
			TEXT_ARGS(cli_escape(cli, cli->words[0])))};
	struct cli_reply reply;

	*out_ask = 0;
	*status = EXIT_UNAVAILABLE;
	if (!cli_send(cli, &call, &reply))
		return false;
	*out_ask = reply.status == 200 ? json_integer_or(&reply.json, "ask", 0) : 0;
	if (*out_ask == 0)
		return true;
	*status = EXIT_REFUSED;
	return cli_confirm(cli,
		"%.*s asked for it at %.*s (record #%lld): %.*s\nThis says yes to that; of one who "
		"asked for it, it asks anew.",
		TEXT_ARGS(json_text_or(&reply.json, "asked_by", "")),
		TEXT_ARGS(json_text_or(&reply.json, "asked", "")), (long long)*out_ask,
		TEXT_ARGS(json_text_or(&reply.json, "asked_reason", "")));
}

int command_inventory_contain(struct cli *cli)
{
	bool is_undo = cli->values[OPTION_UNDO] != NULL;
	struct cli_call call = {.method = "POST",
		.target = is_undo ? TEXT("/v1/containments/release") : TEXT("/v1/containments")};
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int64_t ask = 0;
	int status;

	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says why; it is recorded");
	if (is_undo && !confirm_ask(cli, &ask, &status))
		return status;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "account", cli->words[0]);
	json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (ask != 0)
		json_put_integer(&object, "ask", ask);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	if (!await_answer(cli, &reply))
		return EXIT_UNAVAILABLE;
	return is_undo ? print_release(cli, &reply) : print_containment(cli, &reply.json);
}

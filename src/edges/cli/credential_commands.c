/* `remit credential list` and `convert`: access that stands, and how it becomes task-bound.
 *
 * convert writes the charter that would be, and hands it to plan and apply as any other change:
 * another person approves it.  In it
 *   - a rule of federation (--issuer) or a key with an end (--key) stands beside the old ones,
 *   - what stood has an end: after the grace where there is a successor, else after --lasts,
 *   - limits.task is said, and tokens for prod are bound again. */
#include "edges/cli/credential.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/private_key.h"
#include "base/time.h"
#include "domain/charter/standing.h"
#include "domain/token/jwk.h"

enum {
	DAY_S = 86400,
	GRACE_S = 7 * DAY_S,
	LASTS_S = 90 * DAY_S,
	LOOK_BACK_S = 30 * DAY_S,
};

/* What is asked for, and what is known. */
struct conversion {
	struct cli *cli;
	const struct json *charter;  /* in force */
	const struct json *standing; /* of the identity, as /v1/standing lists it */
	int64_t now_utc_s;
	int64_t grace_s;
	int64_t lasts_s;
	int64_t old_end_utc_s; /* of what stands */
	bool has_successor;
	bool is_binding_mended;
	struct credential_uses uses;
};

/* ---- list ---- */

static int64_t now_utc_s(void)
{
	return (int64_t)time(NULL);
}

static struct text identity_of(const struct json *item)
{
	struct text object = json_text_or(item, "object", "");

	return text_starts_with(object, "identity/") ? text_after(object, sizeof "identity/" - 1)
						     : TEXT("");
}

/* When the credential last opened a task; -1: not since then. */
static int64_t last_use(const struct credential_uses *uses, struct text credential)
{
	int64_t last = -1;

	for (size_t i = 0; i < uses->count; i++)
		if (text_equal(uses->items[i].credential, credential) &&
			uses->items[i].last_utc_ms > last)
			last = uses->items[i].last_utc_ms;
	return last;
}

static bool with_use(struct cli *cli, const struct json *item, const struct credential_uses *uses,
	struct json *out, int *status)
{
	int64_t last = last_use(uses, json_text_or(item, "credential", ""));
	struct json_builder object;
	struct error err;

	json_object_start(&object, cli->arena);
	for (uint32_t i = 0; i < item->count; i++)
		json_put_named(&object, item->members[i].name, item->members[i].value);
	if (last >= 0)
		json_put_integer(&object, "last_used", last);
	if (json_object_seal(&object, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

/* All items of the page, each with when it was last used where records can say. */
static bool add_uses(struct cli *cli, const struct json *page, struct json *out, int *status)
{
	const struct json *items = json_find(page, "items");
	struct credential_uses uses = {0};
	struct text known = TEXT("");
	struct json_builder list;
	struct error err;
	struct json one;

	json_array_start(&list, cli->arena);
	for (uint32_t i = 0; items != NULL && i < items->count; i++) {
		struct text name = identity_of(&items->items[i]);

		if (name.length == 0)
			uses.count = 0;
		else if (!text_equal(name, known) &&
			 !cli_read_uses(
				 cli, name, (now_utc_s() - LOOK_BACK_S) * 1000, &uses, status))
			return false;
		known = name;
		if (!with_use(cli, &items->items[i], &uses, &one, status))
			return false;
		json_add(&list, one);
	}
	if (json_array_seal(&list, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

int command_credential_list(struct cli *cli)
{
	struct cli_reply reply = {0};
	struct json_builder object;
	struct json items, body;
	struct buffer query;
	struct error err;
	int status = EXIT_UNAVAILABLE;

	buffer_init(&query, 4096);
	if (cli_page_query(cli, &query, '?') &&
		cli_get(cli, &reply, &status, "/v1/standing%.*s", TEXT_ARGS(buffer_text(&query))) &&
		add_uses(cli, &reply.json, &items, &status)) {
		json_object_start(&object, cli->arena);
		json_put(&object, "items", items);
		if (json_find(&reply.json, "next") != NULL)
			json_put(&object, "next", *json_find(&reply.json, "next"));
		if (json_object_seal(&object, &body, &err))
			cli_print(cli, &body);
		else
			status = cli_fail(cli, &err);
		cli_say_more(cli, &reply.json);
	}
	buffer_deinit(&query);
	return status;
}

/* ---- the charter that would be ---- */

/* "90d", "12h", "30m", "45s". */
static bool read_duration(
	struct cli *cli, enum cli_option option, int64_t otherwise, int64_t *out_s)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
	struct text given = text_of(cli->values[option] == NULL ? "" : cli->values[option]);
	struct text number = {given.data, given.length - (given.length > 0)};

	*out_s = otherwise;
	if (cli->values[option] == NULL)
		return true;
	for (size_t i = 0; i < sizeof units / sizeof *units && number.length > 0; i++)
		if (given.data[number.length] == units[i].unit && text_to_int64(number, out_s) &&
			*out_s >= 1 && *out_s <= STANDING_END_S_MAX / units[i].seconds) {
			*out_s *= units[i].seconds;
			return true;
		}
	return false;
}

static struct text time_text(struct cli *cli, int64_t utc_s)
{
	char written[TIME_TEXT_BYTES];

	time_format_utc_ms(written, utc_s * 1000);
	return text_format(cli->arena, "%.19sZ", written);
}

/* Whether the line of `keys` is one of what stands. */
static bool does_stand(const struct conversion *conversion, const struct json *line)
{
	const struct json *jwk = json_find(line, "jwk");
	struct text name = json_text_or(line, "certificate", "");

	if (jwk != NULL)
		name = charter_key_thumbprint(
			conversion->cli->arena, &(struct charter_key){.jwk = *jwk});
	for (uint32_t i = 0; i < conversion->standing->count; i++)
		if (text_equal(
			    name, json_text_or(&conversion->standing->items[i], "credential", "")))
			return true;
	return false;
}

static bool put_line(struct conversion *conversion, struct json_builder *list,
	const struct json *line, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	if (!does_stand(conversion, line)) {
		json_add(list, *line);
		return true;
	}
	json_object_start(&object, conversion->cli->arena);
	for (uint32_t i = 0; i < line->count; i++)
		if (!text_is(line->members[i].name, "expires"))
			json_put_named(&object, line->members[i].name, line->members[i].value);
	json_put_text(&object, "expires", time_text(conversion->cli, conversion->old_end_utc_s));
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_add(list, sealed);
	return true;
}

/* Where the successor counts: where what stands does, once each. */
static struct text environment_at(const struct conversion *conversion, uint32_t at)
{
	const struct json *items = conversion->standing->items;
	struct text mine = json_text_or(&items[at], "environment", "");

	if (conversion->cli->values[OPTION_ENVIRONMENT] != NULL)
		return at == 0 ? text_of(conversion->cli->values[OPTION_ENVIRONMENT]) : TEXT("");
	for (uint32_t i = 0; i < at; i++)
		if (text_equal(json_text_or(&items[i], "environment", ""), mine))
			return TEXT("");
	return mine;
}

/* A key is written once, so it counts in one environment: the first of what stands, or as said. */
static bool put_new_key(struct conversion *conversion, struct json_builder *list, struct error *err)
{
	struct cli *cli = conversion->cli;
	struct private_key *key = NULL;
	struct json_builder object;
	struct json jwk, sealed;
	bool ok = private_key_load(&key, cli->values[OPTION_KEY], err) &&
		  jwk_format(&jwk, cli->arena, private_key_public(key), err);

	private_key_destroy(&key);
	if (!ok)
		return false;
	json_object_start(&object, cli->arena);
	json_put_text(&object, "environment", environment_at(conversion, 0));
	json_put(&object, "jwk", jwk);
	json_put_text(
		&object, "expires", time_text(cli, conversion->now_utc_s + conversion->lasts_s));
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_add(list, sealed);
	return true;
}

static bool put_keys(struct conversion *conversion, struct json_builder *out, struct error *err)
{
	const struct json *keys = json_find(conversion->charter, "keys");
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, conversion->cli->arena);
	for (uint32_t i = 0; keys != NULL && i < keys->count; i++)
		if (!put_line(conversion, &list, &keys->items[i], err))
			return false;
	if (conversion->cli->values[OPTION_KEY] != NULL && !put_new_key(conversion, &list, err))
		return false;
	if (!json_array_seal(&list, &sealed, err))
		return false;
	if (sealed.count > 0)
		json_put(out, "keys", sealed);
	return true;
}

static bool put_rule(struct conversion *conversion, struct json_builder *list,
	struct text environment, struct error *err)
{
	struct cli *cli = conversion->cli;
	const char *claims = cli->values[OPTION_CLAIMS];
	const char *subject = cli->values[OPTION_SUBJECT];
	struct json_builder object;
	struct json sealed, parsed;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "issuer", cli->values[OPTION_ISSUER]);
	json_put_text(&object, "environment", environment);
	json_put_cstring(&object, subject == NULL ? "subject-prefix" : "subject",
		subject == NULL ? cli->values[OPTION_SUBJECT_PREFIX] : subject);
	if (claims != NULL) {
		if (!json_parse(&parsed, cli->arena, text_of(claims), &json_limits_default, err))
			return false;
		json_put(&object, "claims", parsed);
	}
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_add(list, sealed);
	return true;
}

static bool put_federation(
	struct conversion *conversion, struct json_builder *out, struct error *err)
{
	const struct json *rules = json_find(conversion->charter, "federation");
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, conversion->cli->arena);
	for (uint32_t i = 0; rules != NULL && i < rules->count; i++)
		json_add(&list, rules->items[i]);
	for (uint32_t i = 0;
		conversion->cli->values[OPTION_ISSUER] != NULL && i < conversion->standing->count;
		i++) {
		struct text environment = environment_at(conversion, i);

		if (environment.length > 0 && !put_rule(conversion, &list, environment, err))
			return false;
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	if (sealed.count > 0)
		json_put(out, "federation", sealed);
	return true;
}

static bool put_limits(struct conversion *conversion, struct json_builder *out, struct error *err)
{
	const struct json *limits = json_find(conversion->charter, "limits");
	struct json_builder object;
	struct json sealed;

	json_object_start(&object, conversion->cli->arena);
	for (uint32_t i = 0; limits != NULL && i < limits->count; i++)
		json_put_named(&object, limits->members[i].name, limits->members[i].value);
	if (limits == NULL || json_find(limits, "task") == NULL)
		json_put_cstring(&object, "task", "15m"); /* as it is without, but said */
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(out, "limits", sealed);
	return true;
}

static bool is_rewritten(struct text member)
{
	static const char *const members[] = {"keys", "federation", "limits", "binding"};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (text_is(member, members[i]))
			return true;
	return false;
}

/* `binding: none` goes, where it makes tokens for prod anybody's. */
static void put_binding(struct conversion *conversion, struct json_builder *out)
{
	const struct json *binding = json_find(conversion->charter, "binding");

	for (uint32_t i = 0; i < conversion->standing->count; i++)
		conversion->is_binding_mended |= text_is(
			json_text_or(&conversion->standing->items[i], "stands", ""), "binding");
	if (conversion->is_binding_mended)
		json_put_cstring(out, "binding", "any-bound");
	else if (binding != NULL)
		json_put(out, "binding", *binding);
}

static bool make_charter(struct conversion *conversion, struct json *out, struct error *err)
{
	const struct json *charter = conversion->charter;
	struct json_builder object;

	json_object_start(&object, conversion->cli->arena);
	for (uint32_t i = 0; i < charter->count; i++)
		if (!is_rewritten(charter->members[i].name))
			json_put_named(
				&object, charter->members[i].name, charter->members[i].value);
	put_binding(conversion, &object);
	return put_keys(conversion, &object, err) && put_federation(conversion, &object, err) &&
	       put_limits(conversion, &object, err) && json_object_seal(&object, out, err);
}

/* As `remit apply -f` sends it. */
static bool make_body(struct conversion *conversion, struct json *out, struct error *err)
{
	struct cli *cli = conversion->cli;
	struct json_builder object, file, files;
	struct json charter, one, all;

	if (!make_charter(conversion, &charter, err))
		return false;
	json_object_start(&file, cli->arena);
	json_put_text(&file, "file", text_format(cli->arena, "%s.yaml", cli->words[0]));
	json_put_text(&file, "yaml", json_canonical_text(cli->arena, &charter));
	json_array_start(&files, cli->arena);
	if (!json_object_seal(&file, &one, err))
		return false;
	json_add(&files, one);
	if (!json_array_seal(&files, &all, err))
		return false;
	json_object_start(&object, cli->arena);
	json_put(&object, "files", all);
	json_put_boolean(&object, "prune", false);
	json_put_boolean(&object, "draft", false);
	return json_object_seal(&object, out, err);
}

/* ---- what it means ---- */

static void say_uses(const struct conversion *conversion)
{
	const struct credential_uses *uses = &conversion->uses;
	struct cli *cli = conversion->cli;

	if (uses->tasks == 0)
		printf("No task was opened in the last %d days.\n", LOOK_BACK_S / DAY_S);
	for (size_t i = 0; i < uses->count; i++)
		printf("%.*s opened %lld task%s for %.*s, last %.*s\n",
			TEXT_ARGS(uses->items[i].credential), (long long)uses->items[i].tasks,
			uses->items[i].tasks == 1 ? "" : "s", TEXT_ARGS(uses->items[i].audience),
			TEXT_ARGS(time_text(cli, uses->items[i].last_utc_ms / 1000)));
}

static void say_report(const struct conversion *conversion, const struct json *unused)
{
	struct cli *cli = conversion->cli;

	for (uint32_t i = 0; i < conversion->standing->count; i++)
		printf("stands: %.*s\n",
			TEXT_ARGS(json_text_or(&conversion->standing->items[i], "id", "")));
	say_uses(conversion);
	for (uint32_t i = 0; i < unused->count; i++)
		printf("granted, and no token was asked for in that time: %.*s\n",
			TEXT_ARGS(unused->items[i].string));
	printf("From %.*s on what stands now is refused%s.\n",
		TEXT_ARGS(time_text(cli, conversion->old_end_utc_s)),
		conversion->has_successor
			? "; until then both work"
			: ", and nothing takes its place: --issuer or --key names what does");
	if (conversion->is_binding_mended)
		printf("Tokens for prod that are bound to nothing are refused as soon as it is "
		       "approved.\n");
}

/* {identity, standing, uses, unused, ends, successor, plan}. */
static int print_dry(const struct conversion *conversion, const struct json *uses,
	const struct json *unused, const struct json *plan)
{
	struct cli *cli = conversion->cli;
	struct json_builder object;
	struct json sealed;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "identity", cli->words[0]);
	json_put(&object, "standing", *conversion->standing);
	json_put(&object, "uses", *uses);
	json_put(&object, "unused", *unused);
	json_put_text(&object, "ends", time_text(cli, conversion->old_end_utc_s));
	json_put_boolean(&object, "successor", conversion->has_successor);
	json_put(&object, "plan", *plan);
	if (!json_object_seal(&object, &sealed, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &sealed);
	return EXIT_DONE;
}

static int dry_run(const struct conversion *conversion, const struct json *body,
	const struct json *uses, const struct json *unused)
{
	const struct cli_call call = {.method = "POST", .target = TEXT("/v1/plan"), .body = body};
	struct cli *cli = conversion->cli;
	struct cli_reply reply;
	int status;

	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	if (cli->output == OUTPUT_TABLE)
		cli_print_plan(cli, &reply.json);
	else
		(void)print_dry(conversion, uses, unused, &reply.json);
	return json_integer_or(&reply.json, "problems_total", 0) > 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int convert(struct conversion *conversion)
{
	struct cli *cli = conversion->cli;
	struct json body, uses, unused;
	struct error err;

	if (!make_body(conversion, &body, &err) ||
		!cli_uses_json(cli, &conversion->uses, &uses, &err) ||
		!cli_unused_json(cli, conversion->charter, &conversion->uses, &unused, &err))
		return cli_fail(cli, &err);
	if (cli->output == OUTPUT_TABLE)
		say_report(conversion, &unused);
	if (cli->values[OPTION_DRY_RUN] != NULL)
		return dry_run(conversion, &body, &uses, &unused);
	return cli_apply_files(cli, &body);
}

/* ---- asking ---- */

/* What stands of this identity, over as many pages as it takes. */
static bool find_standing(struct cli *cli, struct json *out, int *status)
{
	struct text object = text_format(cli->arena, "identity/%s", cli->words[0]);
	struct text after = text_of("");
	struct json_builder list;
	struct cli_reply reply;
	struct error err;

	json_array_start(&list, cli->arena);
	do {
		const struct json *items;

		if (!cli_get(cli, &reply, status, "/v1/standing?limit=1000%s%.*s",
			    after.length > 0 ? "&after=" : "", TEXT_ARGS(after)))
			return false;
		items = json_find(&reply.json, "items");
		for (uint32_t i = 0; items != NULL && i < items->count; i++)
			if (text_equal(json_text_or(&items->items[i], "object", ""), object))
				json_add(&list, items->items[i]);
		after = json_text_or(&reply.json, "next", "");
		if (after.length > 0)
			after = cli_escape(cli, after.data);
	} while (after.length > 0);
	if (json_array_seal(&list, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

static const char *fault_of(const struct cli *cli)
{
	bool has_rule = cli->values[OPTION_ISSUER] != NULL;
	bool has_subject = cli->values[OPTION_SUBJECT] != NULL;
	bool has_prefix = cli->values[OPTION_SUBJECT_PREFIX] != NULL;

	if (has_rule && cli->values[OPTION_KEY] != NULL)
		return "--issuer or --key takes its place, not both";
	if (has_rule && has_subject == has_prefix)
		return "--issuer needs --subject or --subject-prefix";
	if (!has_rule && (has_subject || has_prefix || cli->values[OPTION_CLAIMS] != NULL))
		return "--subject, --subject-prefix and --claims go with --issuer";
	return NULL;
}

static bool start(struct conversion *conversion, int *status)
{
	struct cli *cli = conversion->cli;
	const char *fault = fault_of(cli);

	if (fault == NULL &&
		(!read_duration(cli, OPTION_GRACE, GRACE_S, &conversion->grace_s) ||
			!read_duration(cli, OPTION_LASTS, LASTS_S, &conversion->lasts_s)))
		fault = "--grace and --lasts take a time of up to 400 days: 7d, 12h, 30m, 45s";
	if (fault != NULL) {
		*status = cli_usage(cli, fault);
		return false;
	}
	conversion->now_utc_s = now_utc_s();
	conversion->has_successor =
		cli->values[OPTION_ISSUER] != NULL || cli->values[OPTION_KEY] != NULL;
	conversion->old_end_utc_s =
		conversion->now_utc_s +
		(conversion->has_successor ? conversion->grace_s : conversion->lasts_s);
	return true;
}

int command_credential_convert(struct cli *cli)
{
	struct conversion conversion = {.cli = cli};
	struct text name = cli_escape(cli, cli->words[0]);
	struct cli_reply reply;
	struct json standing;
	int status;

	if (!start(&conversion, &status) ||
		!cli_get(cli, &reply, &status, "/v1/identities/%.*s", TEXT_ARGS(name)) ||
		!find_standing(cli, &standing, &status))
		return status;
	conversion.charter = json_find(&reply.json, "object");
	conversion.standing = &standing;
	if (conversion.charter == NULL || standing.count == 0) {
		cli_wrong(cli, "nothing of %s stands: there is nothing to convert", cli->words[0]);
		return EXIT_NOT_FOUND;
	}
	if (!cli_read_uses(cli, name, (conversion.now_utc_s - LOOK_BACK_S) * 1000, &conversion.uses,
		    &status))
		return status;
	return convert(&conversion);
}

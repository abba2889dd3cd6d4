#include "edges/cli/command.h"

#include <stdio.h>
#include <string.h>

enum { LINES_BYTES_MAX = 16 * 1024 * 1024 };

/* What waits: shown, so that whoever approves it has seen
 * what it changes, and approved as it was shown. */

/* ---- what changes ---- */

static struct text last_line(struct text text)
{
	size_t start = text.length;

	while (start > 0 && text.data[start - 1] != '\n')
		start--;
	return (struct text){text.data + start, text.length - start};
}

/* Without its last line and the end of the one before. */
static struct text without_last(struct text text)
{
	text.length -= last_line(text).length;
	text.length -= text.length > 0;
	return text;
}

static struct text without_end(struct text text)
{
	text.length -= text.length > 0 && text.data[text.length - 1] == '\n';
	return text;
}

static void print_lines(struct text text, char sign)
{
	struct buffer out;

	if (text.length == 0)
		return;
	buffer_init(&out, LINES_BYTES_MAX);
	while (text.length > 0) {
		struct text line = text_cut(&text, '\n');

		buffer_append_format(&out, "    %c ", sign);
		for (size_t i = 0, from = 0; i <= line.length; i++) {
			if (i < line.length && line.data[i] != '\t')
				continue;
			buffer_append_visible(&out, (struct text){line.data + from, i - from});
			if (i < line.length)
				buffer_append_string(&out, "    ");
			from = i + 1;
		}
		buffer_append_byte(&out, '\n');
	}
	cli_print_text(buffer_text(&out));
	buffer_deinit(&out);
}

/* All between the first and the last line that differ: a line that only moved, or is there
 * once more, must show. */
void cli_print_line_diff(struct text before, struct text after)
{
	struct text rest_before = before = without_end(before);
	struct text rest_after = after = without_end(after);
	bool is_same = text_equal(before, after);

	while (before.length > 0 && after.length > 0 &&
		text_equal(text_cut(&rest_before, '\n'), text_cut(&rest_after, '\n'))) {
		before = rest_before;
		after = rest_after;
	}
	while (before.length > 0 && after.length > 0 &&
		text_equal(last_line(before), last_line(after))) {
		before = without_last(before);
		after = without_last(after);
	}
	if (before.length == 0 && after.length == 0 && !is_same)
		printf("    (only empty lines differ)\n");
	print_lines(before, '-');
	print_lines(after, '+');
}

/* A list with a line for each item. */
static struct text list_text(struct cli *cli, const struct json *list)
{
	struct buffer lines;
	struct text text;

	buffer_init(&lines, LINES_BYTES_MAX);
	for (uint32_t i = 0; i < list->count; i++) {
		buffer_append_text(&lines, json_canonical_text(cli->arena, &list->items[i]));
		buffer_append_byte(&lines, '\n');
	}
	text = text_copy(cli->arena, buffer_text(&lines));
	buffer_deinit(&lines);
	return text;
}

/* A text as it is, another value as canonical JSON, nothing as nothing. */
static struct text value_text(struct cli *cli, const struct json *value)
{
	if (value != NULL && value->type == JSON_ARRAY && value->count > 0)
		return list_text(cli, value);
	if (value == NULL || value->type == JSON_NULL)
		return TEXT("");
	return value->type == JSON_STRING ? value->string : json_canonical_text(cli->arena, value);
}

void cli_print_value_diff(
	struct cli *cli, struct text path, const struct json *before, const struct json *after)
{
	struct buffer out;

	buffer_init(&out, LINES_BYTES_MAX);
	buffer_append_string(&out, "  ");
	buffer_append_visible(&out, path);
	buffer_append_string(&out, ":\n");
	cli_print_text(buffer_text(&out));
	buffer_deinit(&out);
	cli_print_line_diff(value_text(cli, before), value_text(cli, after));
}

/* All members of an object that comes or goes whole. */
static void print_whole(struct cli *cli, const struct json *object, bool is_new)
{
	for (uint32_t i = 0; object != NULL && i < object->count; i++) {
		const struct json_member *member = &object->members[i];

		if (text_is(member->name, "object") || text_is(member->name, "name"))
			continue;
		cli_print_value_diff(cli, member->name, is_new ? NULL : &member->value,
			is_new ? &member->value : NULL);
	}
}

static void print_difference(
	struct cli *cli, const struct json *in_force, const struct json *waiting)
{
	const struct json *fields = json_find(waiting, "fields");

	if (json_boolean_or(waiting, "removal", false)) {
		print_whole(cli, in_force, false);
		return;
	}
	if (in_force == NULL) {
		print_whole(cli, json_find(waiting, "object"), true);
		return;
	}
	for (uint32_t i = 0; fields != NULL && i < fields->count; i++)
		cli_print_value_diff(cli, json_text_or(&fields->items[i], "path", ""),
			json_find(&fields->items[i], "before"),
			json_find(&fields->items[i], "after"));
}

/* ---- the proposal ---- */

static void print_cases_passed(const struct json *entry, int64_t passed)
{
	if (passed > 0)
		printf("  %lld %s passed, as its author's remit says\n", (long long)passed,
			passed == 1 ? "case" : "cases");
	else if (text_is(json_text_or(entry, "kind", ""), "policy")) /* nothing else has cases */
		printf("  no cases were run before it was proposed\n");
}

static void print_proposal(struct cli *cli, const struct json *entry, const struct json *waiting)
{
	const struct json *in_force = json_find(entry, "object");
	bool is_removal = json_boolean_or(waiting, "removal", false);

	printf("%s %.*s %.*s, version %lld, proposed by %.*s\n",
		is_removal         ? "remove"
		: in_force == NULL ? "add"
				   : "change",
		TEXT_ARGS(json_text_or(entry, "kind", "")),
		TEXT_ARGS(json_text_or(entry, "name", "")),
		(long long)json_integer_or(waiting, "version", 0),
		TEXT_ARGS(json_text_or(waiting, "proposed_by", "")));
	if (!is_removal) { /* which has no text, and whose cases are those of what stays */
		printf("  %.*s\n", TEXT_ARGS(json_text_or(waiting, "digest", "")));
		print_cases_passed(entry, json_integer_or(waiting, "cases_passed", 0));
	}
	print_difference(cli, in_force, waiting);
}

enum answer_use { ANSWER_FOR_GOOD = 0, ANSWER_TO_CHECK /* asks whether it would be taken */ };

/* The version that was looked at, unless another one is meant. */
static bool answer_body(struct cli *cli, const struct json *waiting, enum answer_use use,
	struct json *out, int *status)
{
	const char *version = cli->values[OPTION_VERSION];
	int64_t number = json_integer_or(waiting, "version", 0);
	struct json_builder object;
	struct error err;

	if (version != NULL && !text_to_int64(text_of(version), &number)) {
		*status = cli_usage(cli, "--version: a number is expected");
		return false;
	}
	json_object_start(&object, cli->arena);
	json_put_integer(&object, "version", number);
	if (use == ANSWER_TO_CHECK)
		json_put_boolean(&object, "check", true);
	if (cli->values[OPTION_REASON] != NULL)
		json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (json_object_seal(&object, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

static bool confirm(struct cli *cli, const struct json *waiting, int *status)
{
	bool is_removal = json_boolean_or(waiting, "removal", false);

	*status = EXIT_REFUSED;
	return cli_is_shown(cli) &&
	       cli_confirm(cli, is_removal ? "This takes it out of force at once."
					   : "This puts it in force at once.");
}

static void print_approved(struct cli *cli, const struct json *waiting, const struct json *reply)
{
	bool is_removal = json_boolean_or(waiting, "removal", false);

	if (cli->output == OUTPUT_TABLE)
		printf("%s, record #%lld\n", is_removal ? "removed" : "in force",
			(long long)json_integer_or(reply, "index", 0));
	else
		cli_print(cli, reply);
}

/* The entry, of which something waits, and what answers it: of the version that was looked
 * at, and only while nothing of the entry changed since. */
struct answer {
	struct cli_reply entry;
	const struct json *waiting;
	struct json body;
	struct cli_call call;
};

static bool names_custodian(const struct json *entry)
{
	return json_find(entry, "named_by") != NULL;
}

/* A unit also consents to what is in force, which may touch it since something moved: where
 * nothing waits, or by its version.  And to whom data in force name as their custodian. */
static bool is_of_in_force(const struct cli *cli, const struct json *entry, const char *verb)
{
	int64_t in_force = json_integer_or(entry, "version", 0), version = 0;
	bool is_chosen = cli->values[OPTION_VERSION] != NULL &&
			 text_to_int64(text_of(cli->values[OPTION_VERSION]), &version) &&
			 version == in_force;

	if (!text_is(text_of(verb), "consent") || in_force == 0)
		return false;
	return names_custodian(entry) ||
	       (text_is(json_text_or(entry, "kind", ""), "identity") &&
		       (is_chosen || json_find(entry, "waiting") == NULL));
}

static bool look(struct cli *cli, struct answer *answer, const char *verb, int *status)
{
	struct text name = cli_escape_name(cli, cli->words[0]);

	if (!cli_get(cli, &answer->entry, status, "%s/%.*s", cli->command->path, TEXT_ARGS(name)))
		return false;
	answer->waiting = is_of_in_force(cli, &answer->entry.json, verb)
				  ? &answer->entry.json
				  : json_find(&answer->entry.json, "waiting");
	if (answer->waiting == NULL) {
		cli_wrong(cli, "nothing of %s waits for %s", cli->words[0],
			strcmp(verb, "consent") == 0 ? "consent" : "approval");
		*status = EXIT_CONFLICT;
		return false;
	}
	answer->call = (struct cli_call){.method = "POST",
		.target = text_format(
			cli->arena, "%s/%.*s/%s", cli->command->path, TEXT_ARGS(name), verb),
		.if_match = answer->entry.etag,
		.body = &answer->body};
	return answer_body(cli, answer->waiting, ANSWER_FOR_GOOD, &answer->body, status);
}

/* Who would be refused is told before anything is shown or asked. */
static bool may_approve(struct cli *cli, const struct answer *answer, int *status)
{
	struct cli_call call = answer->call;
	struct cli_reply reply;
	struct json body;

	if (!answer_body(cli, answer->waiting, ANSWER_TO_CHECK, &body, status))
		return false;
	call.body = &body;
	return cli_ask(cli, &call, &reply, status);
}

int command_approve_proposal(struct cli *cli)
{
	struct answer answer;
	struct cli_reply reply;
	int status;

	if (!look(cli, &answer, "approve", &status) || !may_approve(cli, &answer, &status))
		return status;
	if (cli->output == OUTPUT_TABLE)
		print_proposal(cli, &answer.entry.json, answer.waiting);
	if (confirm(cli, answer.waiting, &status) && cli_ask(cli, &answer.call, &reply, &status))
		print_approved(cli, answer.waiting, &reply.json);
	return status;
}

static void print_custodian(const struct json *entry)
{
	const struct json *object = json_find(entry, "object");

	printf("data-source %.*s of unit %.*s, custodian %.*s, named by %.*s\n",
		TEXT_ARGS(json_text_or(entry, "name", "")),
		TEXT_ARGS(json_text_or(object, "unit", "")),
		TEXT_ARGS(json_text_or(object, "custodian", "")),
		TEXT_ARGS(json_text_or(entry, "named_by", "")));
}

/* Of what is in force, the halves: it changes nothing of it. */
static bool show_asked(struct cli *cli, const struct answer *answer, int *status)
{
	if (names_custodian(&answer->entry.json)) {
		print_custodian(&answer->entry.json);
		return true;
	}
	if (answer->waiting == &answer->entry.json)
		return cli_show_halves(cli, status);
	print_proposal(cli, &answer->entry.json, answer->waiting);
	return true;
}

/* A person says yes to what waits, which puts nothing in force alone, or to what is in force. */
static int agree(struct cli *cli, const char *verb, const char *warning, const char *said)
{
	struct answer answer;
	struct cli_reply reply;
	int status;

	if (!look(cli, &answer, verb, &status) || !may_approve(cli, &answer, &status))
		return status;
	if (cli->output == OUTPUT_TABLE && !show_asked(cli, &answer, &status))
		return status;
	status = EXIT_REFUSED;
	if (!cli_is_shown(cli) || !cli_confirm(cli, "%s", warning) ||
		!cli_ask(cli, &answer.call, &reply, &status))
		return status;
	if (cli->output == OUTPUT_TABLE)
		printf("%s, record #%lld\n", said,
			(long long)json_integer_or(&reply.json, "index", 0));
	else
		cli_print(cli, &reply.json);
	return status;
}

static const char *consent_warning(const struct cli *cli)
{
	if (strcmp(cli->command->path, "/v1/identities") == 0)
		return "This lets it use what its lines name of your unit, once it is in force.";
	if (strcmp(cli->command->path, "/v1/data-sources") == 0)
		return "This gives its custodian the word of the unit: they agree for it to what "
		       "touches it, and answer for these data.";
	return "This lets it out of your unit's hands: lines on it ask your unit no more.";
}

/* A data owner agrees to what a charter touches of their unit, that something leaves it, or who
 * is to answer for data of it. */
int command_consent(struct cli *cli)
{
	return agree(cli, "consent", consent_warning(cli), "consented");
}

/* Whom the risk record names. */
int command_accept(struct cli *cli)
{
	return agree(cli, "accept",
		"This says that you accept what is left of its risk, until the day it names.",
		"accepted");
}

/* The reply and, as `rejected`, what waited. */
static struct json rejected_json(
	struct cli *cli, const struct answer *answer, const struct json *reply)
{
	struct json_builder object, rejected;
	struct json out, sealed;
	struct error err;

	json_object_start(&rejected, cli->arena);
	json_put_text(&rejected, "kind", json_text_or(&answer->entry.json, "kind", ""));
	json_put_cstring(&rejected, "name", cli->words[0]);
	for (uint32_t i = 0; i < answer->waiting->count; i++)
		json_put_named(&rejected, answer->waiting->members[i].name,
			answer->waiting->members[i].value);
	json_object_start(&object, cli->arena);
	for (uint32_t i = 0; i < reply->count; i++)
		json_put_named(&object, reply->members[i].name, reply->members[i].value);
	if (json_object_seal(&rejected, &sealed, &err))
		json_put(&object, "rejected", sealed);
	return json_object_seal(&object, &out, &err) ? out : *reply;
}

/* It is gone from the registry then: who turned it down must see what it was. */
int command_reject_proposal(struct cli *cli)
{
	struct answer answer;
	struct cli_reply reply;
	struct json shown;
	int status;

	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says why; it is recorded");
	if (!look(cli, &answer, "reject", &status) || !cli_ask(cli, &answer.call, &reply, &status))
		return status;
	if (cli->output == OUTPUT_TABLE) {
		print_proposal(cli, &answer.entry.json, answer.waiting);
		printf("rejected, record #%lld\n",
			(long long)json_integer_or(&reply.json, "index", 0));
		return status;
	}
	shown = rejected_json(cli, &answer, &reply.json);
	cli_print(cli, &shown);
	return status;
}

/* Access reviews: started, judged item by item, reported. */

#include "edges/cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "domain/review/review.h"
#include "edges/cli/review.h"

enum {
	SNAPSHOT_WAIT_MS = 120 * 1000,
	SNAPSHOT_POLL_MS = 50,
	NUMBERS_MAX = 256,
	PAGE_ITEMS = 200,
};

/* ---- start ---- */

static void put_option(struct json_builder *object, const struct cli *cli, const char *name,
	enum cli_option option)
{
	if (cli->values[option] != NULL)
		json_put_cstring(object, name, cli->values[option]);
}

/* "a,b" as a list. */
static bool put_list(
	struct json_builder *object, const char *name, const char *value, struct error *err)
{
	struct text rest = text_of(value);
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, object->arena);
	while (rest.length > 0) {
		struct text one = text_cut(&rest, ',');

		json_add(&list, json_string(one));
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, name, sealed);
	return true;
}

static bool start_body(struct cli *cli, struct json *out, int *status)
{
	struct json_builder object;
	struct error err = {0};

	json_object_start(&object, cli->arena);
	put_option(&object, cli, "unit", OPTION_UNIT);
	put_option(&object, cli, "risk", OPTION_RISK);
	put_option(&object, cli, "owner", OPTION_OWNER);
	put_option(&object, cli, "identity", OPTION_IDENTITY);
	put_option(&object, cli, "event", OPTION_EVENT);
	put_option(&object, cli, "name", OPTION_NAME);
	if (cli->values[OPTION_ALL] != NULL)
		json_put_boolean(&object, "all", true);
	if (!cli_put_days(&object, cli, status))
		return false;
	if ((cli->values[OPTION_REVIEWER] == NULL ||
		    put_list(&object, "reviewers", cli->values[OPTION_REVIEWER], &err)) &&
		json_object_seal(&object, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

static void wait_ms(long ms)
{
	const struct timespec time = {ms / 1000, (ms % 1000) * 1000000};

	(void)nanosleep(&time, NULL);
}

/* Until the snapshot is made, or cannot be. */
static bool wait_for_snapshot(struct cli *cli, struct text id, struct cli_reply *reply, int *status)
{
	bool is_shown = isatty(STDERR_FILENO) != 0;

	for (long waited = 0; waited < SNAPSHOT_WAIT_MS; waited += SNAPSHOT_POLL_MS) {
		if (!cli_get(cli, reply, status, "/v1/reviews/%.*s", TEXT_ARGS(id)))
			return false;
		if (!text_is(json_text_or(&reply->json, "stage", ""), "gathering"))
			break;
		if (is_shown && waited % 1000 == 0)
			fprintf(stderr, "\rmaking the snapshot: %lld items",
				(long long)json_integer_or(&reply->json, "items", 0));
		wait_ms(SNAPSHOT_POLL_MS);
	}
	if (is_shown)
		fputs("\r\033[K", stderr);
	return true;
}

int command_review_start(struct cli *cli)
{
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/reviews")};
	struct cli_reply reply;
	struct json body;
	struct text id, failure;
	int status;

	if (!start_body(cli, &body, &status))
		return status;
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	id = json_text_or(&reply.json, "review", "");
	if (!wait_for_snapshot(cli, id, &reply, &status))
		return status;
	failure = json_text_or(&reply.json, "failure", "");
	if (failure.length > 0) {
		cli_wrong(cli, "%.*s", TEXT_ARGS(failure));
		return EXIT_NOT_FOUND;
	}
	cli_print(cli, &reply.json);
	if (cli->output == OUTPUT_TABLE)
		cli_say("Next: remit review show %.*s, then remit review decide %.*s",
			TEXT_ARGS(id), TEXT_ARGS(id));
	return status;
}

/* ---- items ---- */

/* "recommended=keep,risk=low" as the members of a filter; *wrong says what is not. */
static bool put_filter(struct cli *cli, struct json_builder *object, struct text filter)
{
	static const char *const names[] = {
		"item_state", "item_kind", "recommended", "risk", "identity", "unit", NULL};
	static const char *const words[] = {
		"state", "kind", "recommended", "risk", "identity", "unit"};

	while (filter.length > 0) {
		struct text one = text_cut(&filter, ',');
		ptrdiff_t equals = text_find_byte(one, '=');
		size_t i = 0;

		while (equals > 0 && names[i] != NULL &&
			!text_is((struct text){one.data, (size_t)equals}, words[i]))
			i++;
		if (equals <= 0 || names[i] == NULL) {
			(void)cli_usage(cli, "--filter takes state=, kind=, recommended=, risk=, "
					     "identity= and unit=, with commas between");
			return false;
		}
		json_put_text(object, names[i], text_after(one, (size_t)equals + 1));
	}
	return true;
}

static bool filter_object(struct cli *cli, struct json *out, int *status)
{
	const char *filter = cli->values[OPTION_FILTER];
	struct json_builder object;
	struct error err;

	json_object_start(&object, cli->arena);
	*status = EXIT_USAGE;
	if (!put_filter(cli, &object, text_of(filter == NULL ? "" : filter)))
		return false;
	if (json_object_seal(&object, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

static bool get_items(struct cli *cli, const struct json *filter, int64_t after, long limit,
	struct cli_reply *reply, int *status)
{
	struct buffer query;
	bool ok;

	buffer_init(&query, 4096);
	buffer_append_format(&query, "?limit=%ld&after=%lld", limit, (long long)after);
	for (uint32_t i = 0; i < filter->count; i++)
		buffer_append_format(&query, "&%.*s=%.*s", TEXT_ARGS(filter->members[i].name),
			TEXT_ARGS(cli_escape(
				cli, text_copy(cli->arena, filter->members[i].value.string).data)));
	ok = !buffer_failed(&query) &&
	     cli_get(cli, reply, status, "/v1/reviews/%.*s/items%.*s",
		     TEXT_ARGS(cli_escape(cli, cli->words[0])), TEXT_ARGS(buffer_text(&query)));
	buffer_deinit(&query);
	return ok;
}

/* How long ago, as a person says it. */
static struct text ago(struct cli *cli, int64_t at_utc_ms)
{
	int64_t days = ((int64_t)time(NULL) * 1000 - at_utc_ms) / REVIEW_DAY_MS;

	if (at_utc_ms == 0)
		return TEXT("never seen");
	return days <= 0 ? TEXT("today")
			 : text_format(cli->arena, "%lld days ago", (long long)days);
}

/* One row for a reader: what counts, in its order. */
static bool row_for_reader(struct cli *cli, const struct json *row, struct json *out)
{
	const struct json *item = json_find(row, "item"), *use = json_find(item, "use");
	struct json_builder object;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_integer(&object, "number", json_integer_or(row, "number", 0));
	json_put_text(&object, "identity", json_text_or(item, "identity", ""));
	json_put_text(&object, "may", json_text_or(item, "title", ""));
	json_put_text(&object, "risk", json_text_or(item, "risk", ""));
	json_put_text(&object, "used", ago(cli, json_integer_or(use, "last", 0)));
	json_put_integer(&object, "uses", json_integer_or(use, "uses", 0));
	json_put_text(&object, "recommended", json_text_or(item, "advice", ""));
	json_put_text(&object, "because", json_text_or(item, "because", ""));
	json_put_text(&object, "state", json_text_or(row, "state", ""));
	return json_object_seal(&object, out, &err);
}

static bool for_reader(struct cli *cli, const struct json *answer, struct json *out)
{
	const struct json *items = json_find(answer, "items");
	struct json_builder list, object;
	struct json sealed, row;
	struct error err;

	json_array_start(&list, cli->arena);
	for (uint32_t i = 0; items != NULL && i < items->count; i++)
		if (row_for_reader(cli, &items->items[i], &row))
			json_add(&list, row);
	json_object_start(&object, cli->arena);
	if (!json_array_seal(&list, &sealed, &err))
		return false;
	json_put(&object, "items", sealed);
	return json_object_seal(&object, out, &err);
}

int command_review_show(struct cli *cli)
{
	const char *limit = cli->values[OPTION_LIMIT], *after = cli->values[OPTION_AFTER];
	int64_t most = PAGE_ITEMS, from = 0;
	struct cli_reply reply;
	struct json filter, table;
	int status;

	if ((limit != NULL && !text_to_int64(text_of(limit), &most)) ||
		(after != NULL && !text_to_int64(text_of(after), &from)))
		return cli_usage(cli, "--limit and --after take whole numbers");
	if (!filter_object(cli, &filter, &status) ||
		!get_items(cli, &filter, from, (long)most, &reply, &status))
		return status;
	if (cli->output == OUTPUT_TABLE && for_reader(cli, &reply.json, &table))
		cli_print(cli, &table);
	else
		cli_print(cli, &reply.json);
	cli_say_more(cli, &reply.json);
	return status;
}

/* ---- decide ---- */

/* What a decision is about, and against which snapshot. */
struct deciding {
	const char *choice;
	const char *to;
	struct text snapshot;
	const struct json *items; /* numbers; NULL: filter */
	const struct json *filter;
};

static bool send_decision(
	struct cli *cli, const struct deciding *deciding, struct cli_reply *reply, int *status)
{
	struct cli_call call = {.method = "POST",
		.target = text_format(cli->arena, "/v1/reviews/%.*s/decide",
			TEXT_ARGS(cli_escape(cli, cli->words[0])))};
	struct json_builder object;
	struct json body;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "decision", deciding->choice);
	json_put_text(&object, "snapshot", deciding->snapshot);
	if (deciding->items != NULL)
		json_put(&object, "items", *deciding->items);
	else
		json_put(&object, "filter", *deciding->filter);
	if (deciding->to != NULL)
		json_put_cstring(&object, "to", deciding->to);
	if (cli->values[OPTION_REASON] != NULL)
		json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (!json_object_seal(&object, &body, &err)) {
		*status = cli_fail(cli, &err);
		return false;
	}
	call.body = &body;
	return cli_ask(cli, &call, reply, status);
}

/* "3,7,12" or "3-9". */
static bool read_numbers(struct cli *cli, const char *words, struct json *out)
{
	struct text rest = text_of(words);
	struct json_builder list;
	struct error err;
	int64_t count = 0;

	json_array_start(&list, cli->arena);
	while (rest.length > 0) {
		struct text one = text_cut(&rest, ',');
		ptrdiff_t dash = text_find_byte(one, '-');
		int64_t from, to;

		if (!text_to_int64(text_before(one, '-'), &from) || from < 1)
			return false;
		to = from;
		if (dash >= 0 &&
			(!text_to_int64(text_after(one, (size_t)dash + 1), &to) || to < from))
			return false;
		for (; from <= to; from++, count++) {
			if (count == NUMBERS_MAX)
				return false;
			json_add(&list, json_integer(from));
		}
	}
	return count > 0 && json_array_seal(&list, out, &err);
}

static bool get_snapshot(struct cli *cli, struct text *out, int *status)
{
	struct cli_reply reply;

	if (!cli_get(cli, &reply, status, "/v1/reviews/%.*s",
		    TEXT_ARGS(cli_escape(cli, cli->words[0]))))
		return false;
	*out = json_text_or(&reply.json, "snapshot", "");
	return true;
}

static int print_decided(struct cli *cli, const struct cli_reply *reply, int status)
{
	cli_print(cli, &reply->json);
	return json_integer_or(&reply->json, "refused", 0) > 0 ? EXIT_REFUSED : status;
}

static const char *choice_given(const struct cli *cli, int *count)
{
	static const struct {
		enum cli_option option;
		const char *choice;
	} rows[] = {{OPTION_KEEP, "keep"}, {OPTION_REDUCE, "reduce"},
		{OPTION_TRIAL, "trial-revoke"}, {OPTION_REVOKE, "revoke"},
		{OPTION_REASSIGN, "reassign"}};
	const char *choice = NULL;

	*count = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (cli->values[rows[i].option] != NULL) {
			choice = rows[i].choice;
			(*count)++;
		}
	return choice;
}

static int decide_given(struct cli *cli, const char *choice)
{
	struct deciding deciding = {.choice = choice, .to = cli->values[OPTION_REASSIGN]};
	struct cli_reply reply;
	struct json items, filter;
	int status;

	if ((cli->values[OPTION_ITEMS] == NULL) == (cli->values[OPTION_FILTER] == NULL))
		return cli_usage(cli, "--items N,N or --filter says of which items");
	if (cli->values[OPTION_ITEMS] != NULL) {
		if (!read_numbers(cli, cli->values[OPTION_ITEMS], &items))
			return cli_usage(cli, "--items takes at most 256 numbers: 3,7 or 3-9");
		deciding.items = &items;
	} else {
		if (!filter_object(cli, &filter, &status))
			return status;
		deciding.filter = &filter;
	}
	if (!cli_confirm(cli, "review %s: %s %s%s.", cli->words[0], choice,
		    deciding.items != NULL ? "items " : "all of low risk with ",
		    deciding.items != NULL ? cli->values[OPTION_ITEMS]
					   : cli->values[OPTION_FILTER]))
		return EXIT_REFUSED;
	if (!get_snapshot(cli, &deciding.snapshot, &status) ||
		!send_decision(cli, &deciding, &reply, &status))
		return status;
	return print_decided(cli, &reply, status);
}

/* ---- one by one ---- */

static void print_fact(const char *name, struct text value)
{
	struct buffer line;

	buffer_init(&line, 8192);
	buffer_append_visible(&line, value);
	printf("  %-12s %.*s\n", name, TEXT_ARGS(buffer_text(&line)));
	buffer_deinit(&line);
}

static void print_item(struct cli *cli, const struct json *row)
{
	const struct json *item = json_find(row, "item"), *use = json_find(item, "use");
	const struct json *line = json_find(item, "line"), *reduced = json_find(item, "reduced");

	printf("\n%lld. %.*s may %.*s\n", (long long)json_integer_or(row, "number", 0),
		TEXT_ARGS(json_text_or(item, "identity", "")),
		TEXT_ARGS(json_text_or(item, "title", "")));
	print_fact(
		"used", text_format(cli->arena, "%.*s; %lld times by at most %lld tasks in 90 days",
				TEXT_ARGS(ago(cli, json_integer_or(use, "last", 0))),
				(long long)json_integer_or(use, "uses", 0),
				(long long)json_integer_or(use, "tasks", 0)));
	print_fact("like it", text_format(cli->arena, "%lld of %lld of its kind and unit have it",
				      (long long)json_integer_or(item, "alike", 0),
				      (long long)json_integer_or(item, "alike_of", 0)));
	print_fact("risk", text_format(cli->arena, "%.*s, weight %lld; %lld hand work to it",
				   TEXT_ARGS(json_text_or(item, "risk", "")),
				   (long long)json_integer_or(item, "weight", 0),
				   (long long)json_integer_or(item, "handed_by", 0)));
	if (json_text_or(item, "via", "").length > 0)
		print_fact("reached by", json_text_or(item, "via", ""));
	if (line != NULL)
		print_fact("line", json_canonical_text(cli->arena, line));
	if (reduced != NULL)
		print_fact("reduced to", json_canonical_text(cli->arena, reduced));
	print_fact("recommended",
		text_format(cli->arena, "%.*s: %.*s", TEXT_ARGS(json_text_or(item, "advice", "")),
			TEXT_ARGS(json_text_or(item, "because", ""))));
}

/* NULL: skip it; "": no more. */
static const char *ask_choice(struct cli *cli)
{
	static const struct {
		char key;
		const char *choice;
	} keys[] = {{'k', "keep"}, {'r', "reduce"}, {'t', "trial-revoke"}, {'v', "revoke"},
		{'s', NULL}, {'q', ""}};

	for (;;) {
		const char *line = cli_read_line(
			cli, "[k]eep [r]educe [t]ake on trial re[v]oke [s]kip [q]uit: ");

		if (line == NULL)
			return "";
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			if (line[0] == keys[i].key && line[1] == '\0')
				return keys[i].choice;
	}
}

/* True: go on with the next. */
static bool decide_one(struct cli *cli, const struct json *row, struct text snapshot)
{
	struct deciding deciding = {.snapshot = snapshot};
	struct cli_reply reply;
	struct json_builder list;
	struct json items;
	struct error err;
	int status;

	print_item(cli, row);
	deciding.choice = ask_choice(cli);
	if (deciding.choice == NULL)
		return true;
	if (deciding.choice[0] == '\0')
		return false;
	json_array_start(&list, cli->arena);
	json_add(&list, json_integer(json_integer_or(row, "number", 0)));
	if (!json_array_seal(&list, &items, &err))
		return false;
	deciding.items = &items;
	if (send_decision(cli, &deciding, &reply, &status))
		printf("  done, record #%lld\n",
			(long long)json_integer_or(&reply.json, "index", 0));
	return true;
}

static bool is_for_me(const struct json *row)
{
	struct text state = json_text_or(row, "state", "");

	return json_boolean_or(row, "yours", false) &&
	       (text_is(state, "open") || text_is(state, "agreed"));
}

static int decide_by_hand(struct cli *cli)
{
	struct cli_reply reply;
	struct text snapshot;
	struct json filter;
	int64_t after = 0;
	int status;

	if (isatty(STDIN_FILENO) == 0)
		return cli_usage(cli,
			"--keep, --reduce, --trial-revoke, --revoke or --reassign says "
			"what is decided; without one a terminal is needed");
	if (!filter_object(cli, &filter, &status) || !get_snapshot(cli, &snapshot, &status))
		return status;
	do {
		const struct json *items;

		if (!get_items(cli, &filter, after, PAGE_ITEMS, &reply, &status))
			return status;
		items = json_find(&reply.json, "items");
		for (uint32_t i = 0; items != NULL && i < items->count; i++)
			if (is_for_me(&items->items[i]) &&
				!decide_one(cli, &items->items[i], snapshot))
				return EXIT_DONE;
		after = json_integer_or(&reply.json, "next", 0);
	} while (after != 0);
	cli_say("Nothing more of this review is yours to decide.");
	return EXIT_DONE;
}

int command_review_decide(struct cli *cli)
{
	int count;
	const char *choice = choice_given(cli, &count);

	if (count > 1)
		return cli_usage(cli, "one decision at a time");
	return choice == NULL ? decide_by_hand(cli) : decide_given(cli, choice);
}

/* ---- the rest ---- */

int command_review_restore(struct cli *cli)
{
	struct deciding deciding = {.choice = "restore"};
	struct cli_reply reply;
	struct json items;
	int status;

	if (!read_numbers(cli, cli->words[1], &items))
		return cli_usage(cli, "the number of an item is expected: 3, 3,7 or 3-9");
	deciding.items = &items;
	if (!get_snapshot(cli, &deciding.snapshot, &status) ||
		!send_decision(cli, &deciding, &reply, &status))
		return status;
	return print_decided(cli, &reply, status);
}

int command_review_delegate(struct cli *cli)
{
	struct cli_call call = {.method = "POST",
		.target = text_format(cli->arena, "/v1/reviews/%.*s/delegate",
			TEXT_ARGS(cli_escape(cli, cli->words[0])))};
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	if (cli->values[OPTION_TO] == NULL)
		return cli_usage(cli, "--to says who judges instead of you");
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "to", cli->values[OPTION_TO]);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (cli_ask(cli, &call, &reply, &status))
		cli_print(cli, &reply.json);
	return status;
}

static int write_file(struct cli *cli, const char *path, struct text bytes)
{
	struct error err;

	if (!file_create(path, bytes, &err))
		return cli_fail(cli, &err);
	return EXIT_DONE;
}

/* How its items are by now, where that is no longer what the report says: what was taken for a
 * trial was restored, or is gone for good.  NULL: as it says. */
static bool states_now(
	struct cli *cli, const struct json *report, const struct json **out, int *status)
{
	const struct json *then = json_find(report, "states"), *now;
	struct cli_reply reply;

	*out = NULL;
	if (then == NULL || !json_boolean_or(report, "final", false))
		return true;
	if (!cli_get(cli, &reply, status, "/v1/reviews/%.*s",
		    TEXT_ARGS(cli_escape(cli, cli->words[0]))))
		return false;
	now = json_find(&reply.json, "states");
	if (now != NULL && now->type == JSON_OBJECT && !json_equal(now, then))
		*out = now;
	return true;
}

/* What a reader wants of it; every item is in the file. */
static bool summary(
	struct cli *cli, const struct json *report, const struct json *now, struct json *out)
{
	static const char *const names[] = {"review", "name", "cause", "final", "item_count",
		"settled", "unanswered", "states", "risk", "snapshot", "opened_record"};
	struct json_builder object;
	struct error err;

	json_object_start(&object, cli->arena);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct json *value = json_find(report, names[i]);

		if (value != NULL)
			json_put(&object, names[i], *value);
	}
	if (now != NULL)
		json_put(&object, "states_now", *now);
	return json_object_seal(&object, out, &err);
}

int command_review_report(struct cli *cli)
{
	const struct json *now;
	struct cli_reply reply;
	struct json shown;
	struct text html;
	int status;

	if (!cli_get(cli, &reply, &status, "/v1/reviews/%.*s/report",
		    TEXT_ARGS(cli_escape(cli, cli->words[0]))) ||
		!states_now(cli, &reply.json, &now, &status))
		return status;
	if (cli->values[OPTION_OUT] != NULL)
		status = write_file(cli, cli->values[OPTION_OUT], reply.body);
	if (status == EXIT_DONE && cli->values[OPTION_HTML] != NULL) {
		html = cli_review_html(cli, &reply.json, now, reply.body);
		status = html.data == NULL ? EXIT_UNAVAILABLE
					   : write_file(cli, cli->values[OPTION_HTML], html);
	}
	if (status != EXIT_DONE)
		return status;
	if (cli->output == OUTPUT_TABLE && summary(cli, &reply.json, now, &shown))
		cli_print(cli, &shown);
	else if (cli->output == OUTPUT_JSON && cli->values[OPTION_OUT] == NULL)
		cli_print_text(reply.body);
	else
		cli_print(cli, &reply.json);
	return status;
}

/* The card of an approval: what a person reads before they say yes.
 *
 * Everything in it but remit's own words was written by an agent, a server or a stranger.
 * Invariants:
 *  1. complete: no value is cut, and arguments are in canonical order;
 *  2. one line is one line: a value cannot begin one, because what moves the cursor, hides
 *     or turns text is written as an escape, and each line of arguments begins with a bar;
 *  3. a text with anything but printable ASCII is shown twice, as it is and in ASCII, so that
 *     letters that only look alike are told apart. */
#include "edges/cli/card.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"

enum { CARD_BYTES_MAX = 64 * 1024 * 1024, MS_PER_MINUTE = 60000, LABEL_WIDTH = 16 };

enum spelling { SPELLING_AS_IS = 0, SPELLING_ASCII };

/* ---- texts ------------------------------------------------------------------------ */

static bool is_ascii(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] < ' ' || (unsigned char)text.data[i] > '~')
			return false;
	return true;
}

static bool has_other_letters(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] > '~')
			return true;
	return false;
}

static void append_escape(struct buffer *out, uint32_t code)
{
	if (code == '\n')
		buffer_append_string(out, "\\n");
	else if (code == '\t')
		buffer_append_string(out, "\\t");
	else if (code > 0xFFFF)
		buffer_append_format(out, "\\U%08x", (unsigned)code);
	else
		buffer_append_format(out, "\\u%04x", (unsigned)code);
}

static void append_spelled(struct buffer *out, struct text text, enum spelling spelling)
{
	for (size_t i = 0; i < text.length;) {
		size_t size = utf8_sequence_size(text.data + i, text.length - i);
		uint32_t code = size == 0 ? 0xFFFD : utf8_code_point(text.data + i, size);
		bool is_shown = code <= '~' ? code >= ' '
					    : spelling == SPELLING_AS_IS && size > 0 &&
						      code_point_is_visible(code);

		if (code == '"' || code == '\\')
			buffer_append_byte(out, '\\');
		if (is_shown)
			buffer_append(out, text.data + i, size);
		else
			append_escape(out, code);
		i += size == 0 ? 1 : size;
	}
}

static void append_quoted(struct buffer *out, struct text text, enum spelling spelling)
{
	buffer_append_byte(out, '"');
	append_spelled(out, text, spelling);
	buffer_append_byte(out, '"');
}

/* As it is, and in ASCII if that is another. */
static void append_both(struct buffer *out, struct text text)
{
	append_quoted(out, text, SPELLING_AS_IS);
	if (!has_other_letters(text))
		return;
	buffer_append_string(out, "   (in ASCII: ");
	append_quoted(out, text, SPELLING_ASCII);
	buffer_append_byte(out, ')');
}

/* ---- arguments ---------------------------------------------------------------------- */

static void begin_line(struct buffer *out, unsigned depth)
{
	buffer_append_string(out, "  | ");
	for (unsigned i = 0; i < depth; i++)
		buffer_append_string(out, "  ");
}

static void append_value(
	struct buffer *out, const struct json *value, unsigned depth, const char *end);

static void append_members(struct buffer *out, const struct json *value, unsigned depth)
{
	for (uint32_t i = 0; i < value->count; i++) {
		const char *end = i + 1 < value->count ? "," : "";

		begin_line(out, depth);
		if (value->type == JSON_OBJECT) {
			append_both(out, value->members[i].name);
			buffer_append_string(out, ": ");
			append_value(out, &value->members[i].value, depth, end);
		} else {
			append_value(out, &value->items[i], depth, end);
		}
	}
}

/* The rest of a line, and the lines of what it opens. */
static void append_value(
	struct buffer *out, const struct json *value, unsigned depth, const char *end)
{
	bool is_object = value->type == JSON_OBJECT;

	if (value->type == JSON_STRING) {
		append_both(out, value->string);
	} else if ((is_object || value->type == JSON_ARRAY) && value->count > 0) {
		buffer_append_string(out, is_object ? "{\n" : "[\n");
		append_members(out, value, depth + 1);
		begin_line(out, depth);
		buffer_append_string(out, is_object ? "}" : "]");
	} else {
		json_canonical(out, value);
	}
	buffer_append_string(out, end);
	buffer_append_byte(out, '\n');
}

void card_append_arguments(struct buffer *out, const struct json *arguments)
{
	begin_line(out, 0);
	append_value(out, arguments, 0, "");
}

/* ---- lines --------------------------------------------------------------------------- */

static void label(struct buffer *out, const char *name)
{
	buffer_append_format(out, "%-*s", LABEL_WIDTH, name);
}

/* A name or a word: without quotes where it can be nothing else. */
static void append_name(struct buffer *out, struct text text)
{
	if (is_ascii(text))
		append_spelled(out, text, SPELLING_AS_IS);
	else
		append_both(out, text);
}

static void append_texts(struct buffer *out, const struct json *list)
{
	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		if (i > 0)
			buffer_append_string(out, ", ");
		if (list->items[i].type == JSON_STRING)
			append_name(out, list->items[i].string);
	}
}

static void line(struct buffer *out, const char *name, struct text value)
{
	if (value.length == 0)
		return;
	label(out, name);
	append_name(out, value);
	buffer_append_byte(out, '\n');
}

static void line_of(struct buffer *out, const char *name, const struct json *list)
{
	if (list == NULL || list->count == 0)
		return;
	label(out, name);
	append_texts(out, list);
	buffer_append_byte(out, '\n');
}

static void append_moment(struct buffer *out, int64_t utc_ms)
{
	char moment[TIME_TEXT_BYTES];

	time_format_utc_ms(moment, utc_ms);
	buffer_append_string(out, moment);
}

/* ---- who ------------------------------------------------------------------------------ */

static void append_end(struct buffer *out, const char *name, struct text purpose)
{
	if (purpose.length == 0)
		return;
	label(out, name);
	append_both(out, purpose);
	buffer_append_byte(out, '\n');
}

/* For whom and what for; of a task that an agent opened also the first one's, whose words are
 * the request. */
static void append_for(struct buffer *out, const struct json *approval)
{
	const struct json *request = json_find(approval, "request");

	line(out, "For",
		json_text_or(approval, "person",
			request == NULL
				? "nobody: the identity's own purpose"
				: "nobody itself: an agent opened this task below the first"));
	append_end(out, "To what end", json_text_or(approval, "purpose", ""));
	if (request == NULL)
		return;
	label(out, "First task");
	append_name(out, json_text_or(request, "task", ""));
	buffer_append_string(out, ", for ");
	append_name(out, json_text_or(request, "person", "nobody: its identity's own purpose"));
	buffer_append_byte(out, '\n');
	append_end(out, "It was asked", json_text_or(request, "purpose", ""));
}

void card_append_who(struct buffer *out, const struct json *approval)
{
	label(out, "Who");
	append_name(out, json_text_or(approval, "identity", ""));
	buffer_append_string(out, ", charter ");
	append_name(out, json_text_or(approval, "charter", ""));
	buffer_append_string(out, ", owner ");
	append_name(out, json_text_or(approval, "owner", "nobody"));
	buffer_append_string(out, ", unit ");
	append_name(out, json_text_or(approval, "unit", "none"));
	buffer_append_byte(out, '\n');
	append_for(out, approval);
}

static void append_chain(struct buffer *out, const struct json *approval)
{
	const struct json *chain = json_find(approval, "chain");

	for (uint32_t i = 0; chain != NULL && i < chain->count; i++) {
		const struct json *link = &chain->items[i];

		label(out, i == 0 ? "Chain" : "");
		buffer_append_string(out, i == 0 ? "" : "started by ");
		append_name(out, json_text_or(link, "identity", ""));
		buffer_append_string(out, " in task ");
		append_name(out, json_text_or(link, "task", ""));
		if (json_find(link, "person") != NULL) {
			buffer_append_string(out, " for ");
			append_name(out, json_text_or(link, "person", ""));
		}
		buffer_append_byte(out, '\n');
	}
}

/* ---- what ------------------------------------------------------------------------------ */

static void append_data(struct buffer *out, const struct json *approval)
{
	label(out, "Data it reads");
	append_name(out, json_text_or(approval, "sensitivity", "none that is registered"));
	if (json_boolean_or(approval, "untrusted", false))
		buffer_append_string(out, ", with text written by strangers");
	buffer_append_byte(out, '\n');
	label(out, "Task has seen");
	append_name(out, json_text_or(approval, "label", "no registered data"));
	if (json_boolean_or(approval, "label_untrusted", false))
		buffer_append_string(out, ", and text written by strangers");
	buffer_append_byte(out, '\n');
}

/* The policy's own lines, each behind a bar. */
static void append_clause(struct buffer *out, struct text clause)
{
	while (clause.length > 0) {
		ptrdiff_t end = text_find_byte(clause, '\n');
		size_t length = end < 0 ? clause.length : (size_t)end;
		size_t taken = end < 0 ? length : length + 1;

		begin_line(out, 0);
		append_spelled(out, (struct text){clause.data, length}, SPELLING_AS_IS);
		buffer_append_byte(out, '\n');
		clause.data += taken;
		clause.length -= taken;
	}
}

static void append_what(struct buffer *out, const struct json *approval)
{
	label(out, "Wants");
	append_name(out, json_text_or(approval, "effect", "an effect not known"));
	buffer_append_string(out, " by ");
	append_name(out, json_text_or(approval, "tool", ""));
	buffer_append_string(out, " (");
	append_name(out, json_text_or(approval, "method", ""));
	buffer_append_string(out, ")\n");
	line(out, "Environment", json_text_or(approval, "environment", "not proven"));
	line(out, "Risk", json_text_or(approval, "risk", "not said, so critical"));
	line(out, "To take it back",
		json_text_or(approval, "reversal", "not said, so irreversible"));
	append_data(out, approval);
	line_of(out, "Held by", json_find(approval, "policies"));
	append_clause(out, json_text_or(approval, "clause", ""));
	line(out, "Would open", json_text_or(approval, "entitlement", ""));
}

/* Of one argument, as the decision recorded it: a word, or whatever else it says. */
static void append_origin(struct buffer *out, const struct json *origins, struct text argument)
{
	const struct json *origin = json_find_text(origins, argument);

	buffer_append_string(out, ", from: ");
	if (origin == NULL) {
		buffer_append_string(out, "not known");
	} else if (origin->type == JSON_STRING) {
		append_name(out, origin->string);
	} else {
		struct buffer canonical;

		buffer_init(&canonical, CARD_BYTES_MAX);
		json_canonical(&canonical, origin);
		append_spelled(out, buffer_text(&canonical), SPELLING_ASCII);
		buffer_deinit(&canonical);
	}
}

static void append_targets(struct buffer *out, const struct json *approval, const struct json *call)
{
	const struct json *targets = json_find(approval, "targets");
	const struct json *origins = json_find(approval, "origins");
	static const struct json none = {.type = JSON_OBJECT};

	for (uint32_t i = 0; targets != NULL && i < targets->count; i++) {
		struct text argument = json_text_or(&targets->items[i], "argument", "");

		if (call == NULL || json_find_text(call, argument) == NULL)
			continue;
		label(out, "Goes to");
		append_name(out, argument);
		buffer_append_string(out, " (");
		append_name(out, json_text_or(&targets->items[i], "form", ""));
		buffer_append_byte(out, ')');
		append_origin(out, origins == NULL ? &none : origins, argument);
		buffer_append_byte(out, '\n');
	}
}

/* ---- people ---------------------------------------------------------------------------- */

static void append_answers(struct buffer *out, const struct json *approval)
{
	const struct json *answers = json_find(approval, "answers");

	for (uint32_t i = 0; answers != NULL && i < answers->count; i++) {
		const struct json *answer = &answers->items[i];

		label(out, "Answered");
		append_name(out, json_text_or(answer, "person", ""));
		buffer_append_string(out, ": ");
		append_name(out, json_text_or(answer, "answer", ""));
		if (json_text_or(answer, "reason", "").length > 0) {
			buffer_append_string(out, ", ");
			append_both(out, json_text_or(answer, "reason", ""));
		}
		buffer_append_byte(out, '\n');
	}
}

static void append_clock(struct buffer *out, const struct json *approval, int64_t now_utc_ms)
{
	int64_t expires = json_integer_or(approval, "expires", 0);
	int64_t left = (expires - now_utc_ms) / MS_PER_MINUTE;

	label(out, "Asked");
	append_moment(out, json_integer_or(approval, "asked_at", 0));
	buffer_append_byte(out, '\n');
	label(out, "Holds until");
	append_moment(out, expires);
	if (expires > now_utc_ms)
		buffer_append_format(out, " (%" PRId64 " min); no answer is a no", left);
	buffer_append_byte(out, '\n');
}

static void append_people(struct buffer *out, const struct json *approval, int64_t now_utc_ms)
{
	const struct json *missing = json_find(approval, "missing");

	line_of(out, "Needs", json_find(approval, "names"));
	append_answers(out, approval);
	label(out, "Still missing");
	if (missing == NULL || missing->count == 0)
		buffer_append_string(out, "nobody");
	append_texts(out, missing);
	buffer_append_byte(out, '\n');
	line_of(out, "May answer", json_find(approval, "who"));
	append_clock(out, approval, now_utc_ms);
	if (json_find(approval, "edits") != NULL) {
		label(out, "Edited by");
		append_name(out, json_text_or(approval, "editor", ""));
		buffer_append_string(out, ", in place of ");
		append_name(out, json_text_or(approval, "edits", ""));
		buffer_append_byte(out, '\n');
	}
	line(out, "In its place", json_text_or(approval, "edited", ""));
}

/* ---- the whole ------------------------------------------------------------------------- */

static void print_buffer(struct buffer *out)
{
	cli_print_text(buffer_text(out));
	buffer_deinit(out);
}

static void print_difference(const struct json *last, const struct json *call)
{
	const struct json *before_call = json_find(last, "call");
	struct buffer before, after, head;

	if (before_call == NULL || call == NULL)
		return;
	buffer_init(&head, CARD_BYTES_MAX);
	buffer_append_format(&head,
		"\nThe last approved call of this tool by this identity, #%" PRId64 ", ",
		json_integer_or(last, "record", 0));
	append_moment(&head, json_integer_or(last, "at", 0));
	if (json_equal(before_call, call)) {
		buffer_append_string(&head, ", had the same arguments.\n");
		print_buffer(&head);
		return;
	}
	buffer_append_string(&head, ", differs:\n");
	print_buffer(&head);
	buffer_init(&before, CARD_BYTES_MAX);
	buffer_init(&after, CARD_BYTES_MAX);
	card_append_arguments(&before, before_call);
	card_append_arguments(&after, call);
	cli_print_line_diff(buffer_text(&before), buffer_text(&after));
	buffer_deinit(&before);
	buffer_deinit(&after);
}

static void append_reason(struct buffer *out, const struct json *shown)
{
	struct text reason = json_text_or(shown, "reason", "");

	if (reason.length == 0)
		return;
	buffer_append_string(out, "\nThe agent's own words, which nobody checked:\n  | ");
	append_both(out, reason);
	buffer_append_byte(out, '\n');
}

bool cli_print_card(struct cli *cli, const struct json *shown)
{
	const struct json *approval = json_find(shown, "approval");
	const struct json *call = json_find(shown, "call");
	struct buffer out;

	if (cli->output != OUTPUT_TABLE || approval == NULL || call == NULL) {
		cli_print(cli, shown);
		return true;
	}
	buffer_init(&out, CARD_BYTES_MAX);
	line(&out, "Approval", json_text_or(approval, "id", ""));
	line(&out, "State", json_text_or(approval, "state", ""));
	card_append_who(&out, approval);
	append_chain(&out, approval);
	append_what(&out, approval);
	append_targets(&out, approval, call);
	append_people(&out, approval, json_integer_or(shown, "now", 0));
	buffer_append_string(&out, "\nThe arguments, complete and in canonical order:\n");
	card_append_arguments(&out, call);
	append_reason(&out, shown);
	if (buffer_failed(&out)) {
		buffer_deinit(&out);
		cli_say("remit: the card is too large to be shown; -o json shows it");
		return false;
	}
	print_buffer(&out);
	print_difference(json_find(shown, "last"), call);
	return true;
}

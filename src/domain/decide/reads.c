/* The `reads` lines of a tool: which data a call with these arguments reads.
 * Each condition is one expression, compiled once. */

#include <stdlib.h>

#include "base/buffer.h"
#include "cedar/from_json.h"
#include "domain/decide/evaluation.h"

enum { CONDITION_BYTES_MAX = CHARTER_WHEN_BYTES_MAX + 2 * GLOB_BYTES_MAX + 100 };

struct tool_reads {
	size_t count;
	struct tool_reads_line {
		char *data_source; /* owned */
		size_t data_source_length;
		struct cedar_expression *when; /* NULL: always */
	} lines[];
};

/* A glob has neither quotes nor backslashes (form_read_glob), so it is the literal. */
static void glob_write(struct buffer *out, const char *argument, struct text glob)
{
	if (glob.length != 0)
		buffer_append_format(out, "%scontext.args.%s like \"%.*s\"",
			out->length == 0 ? "" : " && ", argument, TEXT_ARGS(glob));
}

/* The whole condition of a line; nothing where it has none. */
static void condition_write(struct buffer *out, const struct tool_read *read)
{
	bool is_alone = read->uri.length == 0 && read->prompt.length == 0;

	glob_write(out, "uri", read->uri);
	glob_write(out, "name", read->prompt);
	if (read->when.length != 0)
		buffer_append_format(out, is_alone ? "%s%.*s%s" : " && %s%.*s%s",
			is_alone ? "" : "(", TEXT_ARGS(read->when), is_alone ? "" : ")");
}

static bool line_compile(
	struct tool_reads_line *line, const struct tool_read *read, struct error *err)
{
	struct cedar_error cedar_err = {0};
	struct buffer condition;
	bool ok = true;

	buffer_init(&condition, CONDITION_BYTES_MAX);
	line->data_source = calloc(1, read->data_source.length + 1);
	if (line->data_source == NULL) {
		ok = error_set(err, ERROR_LIMIT, "no memory for the lines of a tool");
		goto done;
	}
	for (size_t i = 0; i < read->data_source.length; i++)
		line->data_source[i] = read->data_source.data[i];
	line->data_source_length = read->data_source.length;
	condition_write(&condition, read);
	if (condition.length == 0)
		goto done;
	ok = !buffer_failed(&condition) &&
	     cedar_expression_parse(
		     &line->when, cedar_text_from(buffer_text(&condition)), &cedar_err);
	if (!ok)
		error_set(err,
			buffer_failed(&condition) || cedar_err.code == CEDAR_ERROR_LIMIT
				? ERROR_LIMIT
				: ERROR_INVALID,
			"%s", cedar_err.text);
done:
	buffer_deinit(&condition);
	return ok;
}

bool tool_reads_compile(struct tool_reads **out, const struct tool *tool, struct error *err)
{
	struct tool_reads *reads;
	bool ok = false;
	uint32_t i;

	*out = NULL;
	reads = calloc(1, sizeof(*reads) + tool->reads_count * sizeof(*reads->lines));
	if (reads == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for the lines of a tool");
		goto done;
	}
	for (i = 0; i < tool->reads_count; i++) {
		reads->count = i + 1;
		if (!line_compile(&reads->lines[i], &tool->reads[i], err)) {
			error_wrap(err, "tool %.*s: reads[%u].when", TEXT_ARGS(tool->name), i);
			goto done;
		}
	}
	*out = reads;
	reads = NULL;
	ok = true;
done:
	tool_reads_destroy(&reads);
	return ok;
}

void tool_reads_destroy(struct tool_reads **reads)
{
	size_t i;

	if (*reads == NULL)
		return;
	for (i = 0; i < (*reads)->count; i++) {
		free((*reads)->lines[i].data_source);
		cedar_expression_destroy(&(*reads)->lines[i].when);
	}
	free(*reads);
	*reads = NULL;
}

enum match { MATCH_FAILED = 0, MATCH_NO, MATCH_YES };

static enum match line_match(
	const struct tool_reads_line *line, const struct evaluation *evaluation)
{
	struct cedar_arena *scratch = cedar_arena_from(evaluation->arena);
	struct cedar_error err = {0};
	struct cedar_value value;

	if (line->when == NULL)
		return MATCH_YES;
	if (evaluation_expression_mentions_lost(evaluation, line->when))
		return MATCH_FAILED;
	if (!cedar_evaluate_expression(
		    line->when, evaluation->entities, &evaluation->request, scratch, &value, &err))
		return MATCH_FAILED;
	if (value.type != CEDAR_BOOL)
		return MATCH_FAILED;
	return value.boolean ? MATCH_YES : MATCH_NO;
}

static bool could_not_tell(struct evaluation *evaluation, struct text name)
{
	return refuse(evaluation, REASON_COULD_NOT_EVALUATE,
		evaluation_sentence(evaluation,
			"Whether %.*s reads data source %.*s could not be evaluated for these "
			"arguments.",
			TEXT_ARGS(evaluation->tool->name), TEXT_ARGS(name)),
		evaluation_sentence(evaluation,
			"Arguments for which the reads line of %.*s can be evaluated.",
			TEXT_ARGS(evaluation->tool->name)));
}

bool tool_reads_match(const struct tool_reads *reads, struct evaluation *evaluation)
{
	size_t i;

	for (i = 0; i < reads->count; i++) {
		const struct tool_reads_line *line = &reads->lines[i];
		struct text name = {line->data_source, line->data_source_length};
		const struct data_source *source = evaluation_find_data_source(evaluation, name);
		enum match match = line_match(line, evaluation);

		if (match == MATCH_FAILED)
			return could_not_tell(evaluation, name);
		if (match == MATCH_NO)
			continue;
		if (source == NULL)
			return refuse(evaluation, REASON_DATA_SOURCE,
				evaluation_sentence(evaluation,
					"It reads data source %.*s, "
					"which is not registered.",
					TEXT_ARGS(name)),
				evaluation_sentence(
					evaluation, "Register data source %.*s.", TEXT_ARGS(name)));
		if (evaluation->sources_count < TOOL_READS_MAX)
			evaluation->sources[evaluation->sources_count++] = source;
		else
			return refuse(evaluation, REASON_COULD_NOT_EVALUATE,
				TEXT("It reads more data sources than can be judged."), TEXT(""));
	}
	return true;
}

bool tool_reads_left(const struct tool_reads *reads, size_t index,
	const struct evaluation *evaluation, const struct cedar_partial *partial,
	struct cedar_residual *out)
{
	const struct cedar_expression *when = reads->lines[index].when;
	struct cedar_arena *arena = cedar_arena_from(evaluation->arena);
	struct cedar_error err;

	*out = (struct cedar_residual){.kind = CEDAR_RESIDUAL_TRUE};
	if (when == NULL ||
		cedar_expression_residual(when, evaluation->entities, partial, arena, out, &err))
		return true;
	*out = (struct cedar_residual){.kind = CEDAR_RESIDUAL_CONDITION, .may_fail = true};
	out->text = cedar_expression_format(when, arena);
	return out->text.data != NULL;
}

/* One index a task, in a table by its id; indexes share one budget and one key.
 *
 * Charters have an index each, made when it is first asked and thrown away with all others
 * when the registry moves on.  Of purposes the last one is kept as it was read. */

#include "domain/flow/flow_trace.h"

#include <stdlib.h>

#include "domain/charter/form.h"
#include "domain/charter/name_table.h"
#include "domain/charter/object.h"
#include "domain/flow/flow_form.h"
#include "domain/flow/flow_result.h"
#include "domain/flow/flow_words.h"

enum {
	SCRATCH_BYTES_MAX = 16 * 1024 * 1024,
	FORMS_BYTES_FIRST = 4096,
	ECHO_SLOTS = 2 * FLOW_ECHO_TOKENS_MAX,
};

/* With it, the hash of a token says that its parts were taken, too.  What was endorsed as it
 * stands is not parted. */
#define PARTED UINT64_C(0x7061727465640000)

/* Of the arguments of the call whose result is being added: what nothing endorsed. */
struct echo {
	uint64_t slots[ECHO_SLOTS];          /* hashes; 0: free */
	uint16_t used[FLOW_ECHO_TOKENS_MAX]; /* count of them: the slots that are not */
	size_t count;
	size_t looked;
	bool is_full;
};

/* The purpose of the first task that was asked for last, as most values are asked for one
 * after the other.  Tasks keep their ids and their purposes. */
struct purpose {
	char task[TASK_ID_BYTES];
	size_t task_length; /* 0: none */
	struct flow_value words;
};

struct trace {
	struct text id; /* behind it */
	struct flow_index *index;
	struct flow_budget *budget;
	struct flow_words written; /* of a first task: by it and those below it */
};

struct flow_traces {
	struct flow_key key;
	struct flow_budget budget;
	struct name_table *tasks;
	struct flow_budget charter_budget;
	struct name_table *charters; /* of this generation */
	uint64_t generation;
	struct purpose purpose;
	uint64_t known_from; /* records: what tasks opened before wrote is not known */
	struct arena *scratch;
	struct arena *forms; /* of one text of arguments */
	struct echo echo;
};

bool flow_traces_create(
	struct flow_traces **out, const struct flow_key *key, size_t bytes_max, struct error *err)
{
	struct flow_traces *traces = calloc(1, sizeof *traces);

	*out = NULL;
	if (traces == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to trace values");
	traces->key = *key;
	traces->budget.bytes_max = bytes_max;
	traces->charter_budget.bytes_max = bytes_max;
	traces->tasks = name_table_create();
	traces->charters = name_table_create();
	traces->scratch = arena_create(SCRATCH_BYTES_MAX);
	traces->forms = arena_create_small(SCRATCH_BYTES_MAX, FORMS_BYTES_FIRST);
	if (traces->tasks != NULL && traces->charters != NULL && traces->scratch != NULL &&
		traces->forms != NULL) {
		*out = traces;
		return true;
	}
	flow_traces_destroy(&traces);
	return error_set(err, ERROR_LIMIT, "no memory to trace values");
}

static void trace_destroy(void *value)
{
	struct trace *trace = value;

	flow_words_clear(&trace->written, trace->budget);
	flow_index_destroy(&trace->index);
	free(trace);
}

void flow_traces_destroy(struct flow_traces **traces)
{
	if (*traces == NULL)
		return;
	if ((*traces)->tasks != NULL)
		name_table_destroy(&(*traces)->tasks, trace_destroy);
	if ((*traces)->charters != NULL)
		name_table_destroy(&(*traces)->charters, trace_destroy);
	arena_destroy(&(*traces)->scratch);
	arena_destroy(&(*traces)->forms);
	explicit_bzero(&(*traces)->key, sizeof(*traces)->key);
	free(*traces);
	*traces = NULL;
}

/* In the table by its name.  NULL: no room. */
static struct trace *trace_create(struct flow_traces *traces, struct name_table *table,
	struct flow_budget *budget, struct text id)
{
	struct trace *trace = calloc(1, sizeof *trace + id.length);
	struct error err;

	if (trace == NULL)
		return NULL;
	memcpy(trace + 1, id.data, id.length);
	trace->id = (struct text){(const char *)(trace + 1), id.length};
	trace->budget = budget;
	if (flow_index_create(&trace->index, &traces->key, budget, &err) &&
		name_table_put(table, trace->id, trace))
		return trace;
	trace_destroy(trace);
	return NULL;
}

static struct trace *trace_get(struct flow_traces *traces, struct text id)
{
	struct trace *trace = name_table_find(traces->tasks, id);

	return trace != NULL ? trace : trace_create(traces, traces->tasks, &traces->budget, id);
}

/* ---- charters ---- */

static void add_text(struct flow_index *index, struct text text)
{
	const struct flow_found found = {.origin = FLOW_CHARTER};

	(void)flow_index_add(index, text, &found);
}

/* The literals of a condition: what stands between quotation marks. */
static void add_literals(struct flow_index *index, struct text when)
{
	size_t i = 0, start;

	for (;;) {
		while (i < when.length && when.data[i] != '"')
			i++;
		start = ++i;
		for (; i < when.length && when.data[i] != '"'; i++)
			i += when.data[i] == '\\';
		if (i >= when.length)
			return;
		add_text(index, (struct text){when.data + start, i - start});
		i++;
	}
}

/* Whoever it names, and a target that is written out: a tool and a glob are no values. */
static void add_output(struct flow_index *index, const struct charter_output *output)
{
	struct text to = output->to;

	if (text_starts_with(to, "person:"))
		to = text_after(to, sizeof "person:" - 1);
	if (!name_is_tool(to))
		add_text(index, to);
	if (output->target.length != 0 && text_find_byte(output->target, '*') < 0)
		add_text(index, output->target);
}

/* NULL: no room. */
static const struct flow_index *charter_index(
	struct flow_traces *traces, const struct charter *charter, uint64_t generation)
{
	struct trace *trace;
	uint32_t i;

	if (charter == &charter_lost)
		return NULL;
	while (traces->generation != generation &&
		(trace = name_table_next(traces->charters, TEXT(""))) != NULL)
		trace_destroy(name_table_remove(traces->charters, trace->id));
	traces->generation = generation;
	trace = name_table_find(traces->charters, charter->name);
	if (trace != NULL)
		return trace->index;
	trace = trace_create(traces, traces->charters, &traces->charter_budget, charter->name);
	if (trace == NULL)
		return NULL;
	for (i = 0; i < charter->outputs_count; i++)
		add_output(trace->index, &charter->outputs[i]);
	for (i = 0; i < charter->entitlements_count; i++)
		add_literals(trace->index, charter->entitlements[i].when);
	return trace->index;
}

/* ---- looking ---- */

/* Whether the value's tokens stand in the text one after the other. */
static bool text_has(const struct flow_key *key, struct text text, const struct flow_value *value)
{
	struct flow_tokens tokens = flow_tokens_of(text), rest;
	struct text token;
	size_t i;

	while (value->count != 0 && flow_token_next(&tokens, &token)) {
		rest = tokens;
		for (i = 0; i < value->count; i++) {
			if (flow_token_hash(key, token) != value->tokens[i])
				break;
			if (i + 1 < value->count && !flow_token_next(&rest, &token))
				break;
		}
		if (i == value->count)
			return true;
	}
	return false;
}

/* NULL: it has too many words, or none. */
static const struct flow_value *purpose_words(struct flow_traces *traces, const struct task *task)
{
	struct purpose *kept = &traces->purpose;

	if (task->id.length > sizeof kept->task)
		return NULL;
	if (kept->task_length == 0 ||
		!text_equal((struct text){kept->task, kept->task_length}, task->id)) {
		memcpy(kept->task, task->id.data, task->id.length);
		kept->task_length = task->id.length;
		flow_value_read(&kept->words, &traces->key, task->purpose);
	}
	return kept->words.count == 0 ? NULL : &kept->words;
}

static bool purpose_has(
	struct flow_traces *traces, const struct task *task, const struct flow_value *value)
{
	const struct flow_value *words = purpose_words(traces, task);

	if (words == NULL)
		return text_has(&traces->key, task->purpose, value);
	for (size_t at = 0; value->count != 0 && at + value->count <= words->count; at++)
		if (words->tokens[at] == value->tokens[0] &&
			memcmp(&words->tokens[at], value->tokens,
				value->count * sizeof *value->tokens) == 0)
			return true;
	return false;
}

static void find_in_charter(
	const struct flow_asker *asker, const struct flow_value *value, struct flow_found *found)
{
	const struct flow_index *index = NULL;

	if (asker->charter != NULL)
		index = charter_index(asker->traces, asker->charter, asker->generation);
	if (index != NULL)
		flow_index_find(index, value, found);
}

static void find_in_results(const struct flow_traces *traces, const struct task *task,
	const struct flow_value *value, struct flow_found *found)
{
	for (; task != NULL && found->origin < FLOW_TRUSTED; task = task->parent) {
		const struct trace *trace = name_table_find(traces->tasks, task->id);

		if (trace != NULL)
			flow_index_find(trace->index, value, found);
	}
}

static struct flow_found find_value(const struct flow_asker *asker, const struct flow_value *value)
{
	struct flow_found found = {.origin = FLOW_UNKNOWN};
	const struct task *root = asker->task == NULL ? NULL : task_root(asker->task);

	if (root != NULL && purpose_has(asker->traces, root, value)) {
		found.origin = FLOW_REQUEST;
		return found;
	}
	find_in_charter(asker, value, &found);
	if (found.origin == FLOW_UNKNOWN)
		find_in_results(asker->traces, asker->task, value, &found);
	return found;
}

struct flow_found flow_find(const struct flow_asker *asker, struct text value)
{
	NOT_ZEROED struct flow_value read;

	flow_value_read(&read, &asker->traces->key, value);
	return find_value(asker, &read);
}

/* ---- what a call's arguments say ---- */

/* Each text and number below the value, and each name of a member. */
static void each_text(
	const struct json *value, void (*visit)(void *closure, struct text text), void *closure)
{
	char digits[FLOW_DIGITS_BYTES];
	uint32_t i;

	if (value->type == JSON_STRING)
		visit(closure, value->string);
	if (value->type == JSON_INTEGER)
		visit(closure, flow_digits(digits, value->integer));
	for (i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		each_text(&value->items[i], visit, closure);
	for (i = 0; value->type == JSON_OBJECT && i < value->count; i++) {
		visit(closure, value->members[i].name);
		each_text(&value->members[i].value, visit, closure);
	}
}

/* ---- adding ---- */

struct adding {
	struct flow_traces *traces;
	const struct json *arguments; /* NULL once they are in the echo */
	struct flow_asker asker;
	struct flow_index *index;
	const struct flow_words *written; /* NULL: nothing */
	bool is_lost;                     /* what was written is not known */
	struct flow_found found;
};

static bool echo_has(const struct echo *echo, uint64_t token)
{
	size_t at = token % ECHO_SLOTS;

	for (; echo->slots[at] != 0; at = (at + 1) % ECHO_SLOTS)
		if (echo->slots[at] == token)
			return true;
	return false;
}

static void echo_put(struct echo *echo, uint64_t token)
{
	size_t at = token % ECHO_SLOTS;

	while (echo->slots[at] != 0)
		at = (at + 1) % ECHO_SLOTS;
	echo->slots[at] = token;
	echo->used[echo->count++] = (uint16_t)at;
}

/* Only what is used: most calls have a few words. */
static void echo_clear(struct echo *echo)
{
	while (echo->count != 0)
		echo->slots[echo->used[--echo->count]] = 0;
	echo->looked = 0;
	echo->is_full = false;
}

/* True if nothing endorsed it. */
static bool echo_take(struct adding *adding, uint64_t token)
{
	struct echo *echo = &adding->traces->echo;
	NOT_ZEROED struct flow_value one;

	if (echo->is_full || echo_has(echo, token))
		return true;
	echo->is_full = echo->looked == FLOW_ECHO_TOKENS_MAX;
	echo->looked++;
	one.count = 1;
	one.tokens[0] = token;
	if (echo->is_full || find_value(&adding->asker, &one).origin >= FLOW_TRUSTED)
		return false;
	echo_put(echo, token);
	return true;
}

static void echo_part(void *closure, struct text part)
{
	struct adding *adding = closure;

	(void)echo_take(adding, flow_token_hash(&adding->traces->key, part));
}

static void echo_form(void *closure, struct text form)
{
	struct adding *adding = closure;
	struct flow_tokens tokens = flow_tokens_of(form);
	struct echo *echo = &adding->traces->echo;
	struct text token;

	while (!echo->is_full && flow_token_next(&tokens, &token)) {
		uint64_t hash = flow_token_hash(&adding->traces->key, token);

		if (!echo_take(adding, hash) || !flow_has_parts(token) ||
			echo_has(echo, hash ^ PARTED))
			continue;
		if (!echo_take(adding, hash ^ PARTED) || !flow_parts_each(token, echo_part, adding))
			echo->is_full = true;
	}
}

static void echo_text(void *closure, struct text text)
{
	struct adding *adding = closure;

	if (!flow_forms_each(adding->traces->forms, text, echo_form, adding))
		adding->traces->echo.is_full = true;
}

static bool is_echo(struct adding *adding, struct flow_hashes field)
{
	const struct echo *echo = &adding->traces->echo;

	if (adding->arguments != NULL)
		each_text(adding->arguments, echo_text, adding);
	adding->arguments = NULL;
	if (echo->is_full)
		return true;
	for (size_t i = 0; echo->count != 0 && i < field.count; i++)
		if (echo_has(echo, field.items[i]))
			return true;
	return false;
}

static bool is_written(const struct adding *adding, struct text token)
{
	return flow_words_have(adding->written, flow_token_hash(&adding->traces->key, token));
}

static bool has_written(const struct adding *adding, struct flow_hashes field)
{
	if (adding->written == NULL || adding->written->count == 0)
		return false;
	for (size_t i = 0; i < field.count; i++)
		if (flow_words_have(adding->written, field.items[i]))
			return true;
	return false;
}

static void add_as(struct adding *adding, struct text field, enum flow_origin origin)
{
	adding->found.origin = origin;
	(void)flow_index_add(adding->index, field, &adding->found);
}

/* What stands between the words that the task wrote itself. */
static void add_between(struct adding *adding, struct text field)
{
	struct flow_tokens tokens = flow_tokens_of(field);
	struct text token, part = {0};

	while (flow_token_next(&tokens, &token)) {
		if (is_written(adding, token)) {
			add_as(adding, part, FLOW_TRUSTED);
			part = (struct text){0};
			continue;
		}
		if (part.length == 0)
			part.data = token.data;
		part.length = (size_t)(token.data + token.length - part.data);
	}
	add_as(adding, part, FLOW_TRUSTED);
}

static void add_field(void *closure, struct text field, enum trust trust)
{
	struct adding *adding = closure;
	struct flow_index *index = adding->index;

	adding->found.origin = FLOW_UNTRUSTED;
	if (trust != TRUST_TRUSTED || adding->is_lost) {
		(void)flow_index_add(index, field, &adding->found);
	} else if (flow_index_read(index, field)) {
		struct flow_hashes words = flow_index_read_tokens(index);

		if (is_echo(adding, words)) {
			(void)flow_index_keep(index, &adding->found);
		} else if (has_written(adding, words)) {
			add_between(adding, field);
			add_as(adding, field, FLOW_UNTRUSTED);
		} else {
			adding->found.origin = FLOW_TRUSTED;
			(void)flow_index_keep(index, &adding->found);
		}
	}
}

void flow_traces_add(struct flow_traces *traces, const struct flow_brought *brought)
{
	const struct task *root = task_root(brought->task);
	const struct trace *top = name_table_find(traces->tasks, root->id);
	struct trace *trace = trace_get(traces, brought->task->id);
	struct adding adding = {
		.traces = traces,
		.arguments = brought->arguments,
		.asker = {traces, brought->task, brought->charter, brought->generation},
		.written = top == NULL ? NULL : &top->written,
		.is_lost = root->record_index < traces->known_from ||
			   (top != NULL && top->written.is_full),
		.found = {.has_record = true, .record = brought->record},
	};
	struct flow_result result = {brought->tool, brought->trust, brought->result};

	if (trace == NULL)
		return;
	adding.index = trace->index;
	echo_clear(&traces->echo);
	flow_result_split(&result, traces->scratch, add_field, &adding);
	arena_reset(traces->scratch);
}

/* ---- writing ---- */

struct writing {
	const struct flow_asker *asker;
	struct trace *top;
};

/* True if nothing endorsed it. */
static bool write_token(struct writing *writing, uint64_t token)
{
	struct flow_words *words = &writing->top->written;
	NOT_ZEROED struct flow_value one;

	if (words->is_full || flow_words_have(words, token))
		return true;
	one.count = 1;
	one.tokens[0] = token;
	if (find_value(writing->asker, &one).origin >= FLOW_TRUSTED)
		return false;
	flow_words_put(words, writing->top->budget, token);
	return true;
}

static void write_part(void *closure, struct text part)
{
	struct writing *writing = closure;

	(void)write_token(writing, flow_token_hash(&writing->asker->traces->key, part));
}

static void write_form(void *closure, struct text form)
{
	struct writing *writing = closure;
	struct flow_tokens tokens = flow_tokens_of(form);
	struct flow_words *words = &writing->top->written;
	struct text token;

	while (!words->is_full && flow_token_next(&tokens, &token)) {
		uint64_t hash = flow_token_hash(&writing->asker->traces->key, token);

		if (!write_token(writing, hash) || !flow_has_parts(token) ||
			flow_words_have(words, hash ^ PARTED))
			continue;
		flow_words_put(words, writing->top->budget, hash ^ PARTED);
		if (!flow_parts_each(token, write_part, writing))
			words->is_full = true;
	}
}

static void write_text(void *closure, struct text text)
{
	struct writing *writing = closure;

	if (!flow_forms_each(writing->asker->traces->forms, text, write_form, writing))
		writing->top->written.is_full = true;
}

void flow_traces_lose(struct flow_traces *traces, uint64_t record)
{
	if (record > traces->known_from)
		traces->known_from = record;
}

void flow_traces_write(const struct flow_asker *asker, const struct json *arguments)
{
	const struct task *root = task_root(asker->task);
	struct writing writing = {asker, trace_get(asker->traces, root->id)};

	if (writing.top == NULL)
		flow_traces_lose(asker->traces, root->record_index + 1);
	else
		each_text(arguments, write_text, &writing);
}

/* ---- forgetting ---- */

void flow_traces_forget(struct flow_traces *traces, struct text task)
{
	struct trace *trace = name_table_remove(traces->tasks, task);

	if (trace != NULL)
		trace_destroy(trace);
}

void flow_traces_sweep(
	struct flow_traces *traces, const struct task_table *tasks, int64_t now_utc_ms)
{
	struct trace *trace = name_table_next(traces->tasks, TEXT(""));

	while (trace != NULL) {
		struct trace *next = name_table_next(traces->tasks, trace->id);

		if (!task_is_live(task_find(tasks, trace->id), now_utc_ms))
			flow_traces_forget(traces, trace->id);
		trace = next;
	}
}

size_t flow_traces_count(const struct flow_traces *traces)
{
	return name_table_count(traces->tasks);
}

size_t flow_traces_bytes(const struct flow_traces *traces)
{
	return traces->budget.bytes;
}

struct arena *flow_traces_forms(struct flow_traces *traces)
{
	return traces->forms;
}

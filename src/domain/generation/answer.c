/* One answer.  Events and whole answers of both APIs come down to the same few notes:
 * so much text, a piece of a tool call's arguments, a tool call's end, usage, a finish.
 *
 * Invariants:
 * 1. bytes are passed on after all that is in them was noted, and only if no tool call
 *    that they end was stopped;
 * 2. arguments are told once: at the brace that closes them, or at their end where they
 *    are no object; what follows the brace but blanks ends the answer. */
#include "domain/generation/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "domain/generation/events.h"

enum {
	SCRATCH_BYTES_MAX = 128 * 1024 * 1024, /* of one event as values */
	SLICE_BYTES = 64 * 1024,               /* of a chunk, so that pending stays bounded */
	NAME_BYTES_MAX = 256,
};

static const struct json_limits event_limits = {
	.size_bytes = GENERATION_ANSWER_BYTES_MAX, .depth = 64, .values = 400000};

/* A tool call that is coming. */
struct collected {
	int64_t choice; /* of several answers at once */
	int64_t index;
	struct buffer name;
	struct buffer arguments;
	uint32_t depth; /* of braces that are open */
	bool is_in_string;
	bool is_escaped;
	bool is_whole; /* the first brace is closed again */
	bool is_told;
};

struct generation_answer {
	enum generation_api api;
	enum generation_form form;
	struct generation_sink sink;
	struct generation_events events;
	struct buffer whole;
	struct arena *scratch;
	struct collected *tools; /* GENERATION_TOOLS_MAX of them; NULL: none came */
	size_t tools_count;
	struct generation_notes notes;
};

/* ---- notes ---- */

static void keep_word(char out[GENERATION_WORD_BYTES_MAX + 1], struct text word)
{
	if (word.length > 0 && word.length <= GENERATION_WORD_BYTES_MAX)
		(void)snprintf(out, GENERATION_WORD_BYTES_MAX + 1, "%.*s", TEXT_ARGS(word));
}

/* A number of tokens that can be one. */
static int64_t tokens_of(const struct json *usage, const char *name)
{
	int64_t value = json_integer_or(usage, name, -1);

	return value > GENERATION_TOKENS_MOST ? GENERATION_TOKENS_MOST : value;
}

static void note_usage(struct generation_notes *notes, const struct json *usage,
	const char *const inputs[4], const char *output)
{
	int64_t input = tokens_of(usage, inputs[0]);

	for (size_t i = 1; i < 4 && inputs[i] != NULL && input >= 0; i++) {
		int64_t more = tokens_of(usage, inputs[i]);

		input += more > 0 ? more : 0;
	}
	if (input > notes->input_tokens)
		notes->input_tokens = input;
	if (tokens_of(usage, output) > notes->output_tokens)
		notes->output_tokens = tokens_of(usage, output);
}

static bool take_piece(struct generation_answer *answer, const struct generation_place *place,
	struct text piece, struct error *err)
{
	answer->notes.output_bytes += piece.length;
	return piece.length == 0 || answer->sink.on_text == NULL ||
	       answer->sink.on_text(answer->sink.context, place, piece) ||
	       error_set(err, ERROR_CONFLICT, "a text was stopped");
}

/* The member of value of this name, if it is a text. */
static bool take_text(struct generation_answer *answer, const struct json *value, const char *name,
	struct generation_place place, struct error *err)
{
	const struct json *text = json_find(value, name);

	return text == NULL || text->type != JSON_STRING ||
	       take_piece(answer, &place, text->string, err);
}

/* ---- tool calls ---- */

static bool no_memory(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "no memory for the answer");
}

static struct collected *tool_find(
	const struct generation_answer *answer, int64_t choice, int64_t index)
{
	for (size_t i = 0; i < answer->tools_count; i++)
		if (answer->tools[i].choice == choice && answer->tools[i].index == index)
			return &answer->tools[i];
	return NULL;
}

static struct collected *tool_begin(
	struct generation_answer *answer, int64_t choice, int64_t index, struct error *err)
{
	struct collected *tool;

	if (answer->tools == NULL)
		answer->tools = calloc(GENERATION_TOOLS_MAX, sizeof *answer->tools);
	if (answer->tools == NULL || answer->tools_count == GENERATION_TOOLS_MAX) {
		error_set(err, ERROR_LIMIT, "the answer asks for more than %d tool calls",
			GENERATION_TOOLS_MAX);
		return NULL;
	}
	tool = &answer->tools[answer->tools_count++];
	tool->choice = choice;
	tool->index = index;
	buffer_init(&tool->name, NAME_BYTES_MAX);
	buffer_init(&tool->arguments, GENERATION_ARGUMENTS_BYTES_MAX);
	return tool;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* One byte of arguments.  False: it comes after their end. */
static bool scan_byte(struct collected *tool, char byte)
{
	if (tool->is_whole)
		return is_blank(byte);
	if (tool->is_in_string) {
		if (tool->is_escaped)
			tool->is_escaped = false;
		else if (byte == '\\')
			tool->is_escaped = true;
		else if (byte == '"')
			tool->is_in_string = false;
	} else if (byte == '"')
		tool->is_in_string = true;
	else if (byte == '{' || byte == '[')
		tool->depth++;
	else if ((byte == '}' || byte == ']') && tool->depth > 0)
		tool->is_whole = --tool->depth == 0;
	return true;
}

/* Whether the arguments are a JSON object, or nothing at all. */
static bool is_object(struct generation_answer *answer, struct text arguments)
{
	struct json value;
	struct error err;

	if (arguments.length == 0)
		return true;
	return json_parse(&value, answer->scratch, arguments, &event_limits, &err) &&
	       value.type == JSON_OBJECT;
}

static bool tool_tell(struct generation_answer *answer, struct collected *tool, struct error *err)
{
	struct generation_tool told = {
		.name = buffer_text(&tool->name),
		.arguments = buffer_text(&tool->arguments),
	};

	if (tool->is_told)
		return true;
	tool->is_told = true;
	if (buffer_failed(&tool->name) || buffer_failed(&tool->arguments))
		return error_set(err, ERROR_LIMIT, "a tool call is longer than %d bytes",
			GENERATION_ARGUMENTS_BYTES_MAX);
	told.is_object = is_object(answer, told.arguments);
	return answer->sink.on_tool(answer->sink.context, &told) ||
	       error_set(err, ERROR_CONFLICT, "a tool call was stopped");
}

static bool is_only_blank(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if (strchr(" \t\r\n", text.data[i]) == NULL)
			return false;
	return true;
}

/* A piece of the name.  Clients put pieces together, or take the last: so the name is whole
 * before arguments come, and may only be said again as it is. */
static bool name_add(struct collected *tool, struct text piece, struct error *err)
{
	if (piece.length == 0 || text_equal(piece, buffer_text(&tool->name)))
		return true;
	if (tool->is_told || tool->arguments.length > 0)
		return error_set(err, ERROR_INVALID, "a tool call changes its name");
	buffer_append_text(&tool->name, piece);
	return true;
}

static bool tool_add(struct generation_answer *answer, struct collected *tool,
	const struct json *piece, struct error *err)
{
	const struct generation_place place = {
		GENERATION_TEXT_ARGUMENTS, tool->choice, tool->index};

	if (piece == NULL || piece->type != JSON_STRING)
		return true;
	if (!take_piece(answer, &place, piece->string, err))
		return false;
	if (tool->is_told && !is_only_blank(piece->string))
		return error_set(err, ERROR_INVALID, "a tool call goes on after it ended");
	for (size_t i = 0; i < piece->string.length; i++)
		if (!scan_byte(tool, piece->string.data[i]))
			return error_set(err, ERROR_INVALID,
				"the arguments of a tool call go on after their end");
	buffer_append_text(&tool->arguments, piece->string);
	if (buffer_failed(&tool->arguments))
		return error_set(err, ERROR_LIMIT, "a tool call is longer than %d bytes",
			GENERATION_ARGUMENTS_BYTES_MAX);
	return !tool->is_whole || tool_tell(answer, tool, err);
}

/* All tool calls of a choice that are not told (-1: of all choices). */
static bool tools_end(struct generation_answer *answer, int64_t choice, struct error *err)
{
	for (size_t i = 0; i < answer->tools_count; i++)
		if ((choice < 0 || answer->tools[i].choice == choice) &&
			!tool_tell(answer, &answer->tools[i], err))
			return false;
	return true;
}

/* ---- chat completions ---- */

/* NULL: it is not there, or null. */
static const struct json *find_object(const struct json *value, const char *name)
{
	const struct json *found = json_find(value, name);

	return found != NULL && found->type == JSON_OBJECT ? found : NULL;
}

/* {index, function: {name, arguments}}, {custom: {name, input}}, whole or a piece. */
static bool take_chat_tool(struct generation_answer *answer, int64_t choice, int64_t index,
	const struct json *call, struct error *err)
{
	const struct json *function = find_object(call, "function");
	const struct json *custom = find_object(call, "custom");
	const struct json *body = function != NULL ? function : custom;
	struct collected *tool = tool_find(answer, choice, index);

	if (function != NULL && custom != NULL)
		return error_set(err, ERROR_INVALID, "a tool call is of two kinds");
	if (body == NULL)
		body = call; /* function_call, which came before tool_calls */
	if (tool == NULL) {
		if (!tools_end(answer, choice, err))
			return false;
		tool = tool_begin(answer, choice, index, err);
	}
	if (tool == NULL)
		return false;
	return name_add(tool, json_text_or(body, "name", ""), err) &&
	       tool_add(answer, tool, json_find(body, "arguments"), err) &&
	       tool_add(answer, tool, json_find(body, "input"), err);
}

/* Thinking has no name that all providers use; what is spoken is a text beside the content. */
static bool take_chat_texts(struct generation_answer *answer, int64_t choice,
	const struct json *message, struct error *err)
{
	const struct generation_place spoken = {GENERATION_TEXT_CONTENT, choice, 1};
	const struct generation_place thinking = {GENERATION_TEXT_THINKING, choice, 0};

	return take_text(answer, message, "content",
		       (struct generation_place){GENERATION_TEXT_CONTENT, choice, 0}, err) &&
	       take_text(answer, message, "refusal",
		       (struct generation_place){GENERATION_TEXT_REFUSAL, choice, 0}, err) &&
	       take_text(answer, json_find(message, "audio"), "transcript", spoken, err) &&
	       take_text(answer, message, "reasoning_content", thinking, err) &&
	       take_text(answer, message, "reasoning", thinking, err);
}

static bool take_chat_message(struct generation_answer *answer, int64_t choice,
	const struct json *message, struct error *err)
{
	const struct json *calls = json_find(message, "tool_calls");
	const struct json *one = json_find(message, "function_call");

	if (!take_chat_texts(answer, choice, message, err))
		return false;
	for (uint32_t i = 0; calls != NULL && calls->type == JSON_ARRAY && i < calls->count; i++)
		if (!take_chat_tool(answer, choice, json_integer_or(&calls->items[i], "index", i),
			    &calls->items[i], err))
			return false;
	return one == NULL || one->type != JSON_OBJECT ||
	       take_chat_tool(answer, choice, -1, one, err);
}

static bool take_chat_choice(struct generation_answer *answer, const struct json *choice,
	uint32_t place, struct error *err)
{
	int64_t index = json_integer_or(choice, "index", place);
	const char *member = answer->form == GENERATION_STREAM ? "delta" : "message";
	struct text finish = json_text_or(choice, "finish_reason", "");

	if (!take_chat_message(answer, index < 0 ? 0 : index, json_find(choice, member), err))
		return false;
	if (finish.length == 0)
		return true;
	keep_word(answer->notes.finish, finish);
	return tools_end(answer, index < 0 ? 0 : index, err);
}

static bool take_chat(struct generation_answer *answer, const struct json *value, struct error *err)
{
	static const char *const inputs[4] = {"prompt_tokens"};
	const struct json *choices = json_find(value, "choices");

	keep_word(answer->notes.model, json_text_or(value, "model", ""));
	note_usage(&answer->notes, json_find(value, "usage"), inputs, "completion_tokens");
	answer->notes.has_error |= json_find(value, "error") != NULL;
	for (uint32_t i = 0; choices != NULL && choices->type == JSON_ARRAY && i < choices->count;
		i++)
		if (!take_chat_choice(answer, &choices->items[i], i, err))
			return false;
	return true;
}

/* ---- messages ---- */

static const char *const messages_inputs[4] = {
	"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"};

static bool is_tool_block(const struct json *block)
{
	struct text type = json_text_or(block, "type", "");

	return text_is(type, "tool_use") || text_is(type, "server_tool_use") ||
	       text_is(type, "mcp_tool_use");
}

/* An input that is there at once, as arguments. */
static bool take_input(struct generation_answer *answer, struct collected *tool,
	const struct json *input, struct error *err)
{
	struct json text = {.type = JSON_STRING};

	if (input == NULL || (input->type == JSON_OBJECT && input->count == 0))
		return true;
	text.string = json_canonical_text(answer->scratch, input);
	return text.string.data == NULL ? no_memory(err) : tool_add(answer, tool, &text, err);
}

static bool take_block_texts(struct generation_answer *answer, int64_t index,
	const struct json *block, struct error *err)
{
	return take_text(answer, block, "text",
		       (struct generation_place){GENERATION_TEXT_CONTENT, 0, index}, err) &&
	       take_text(answer, block, "thinking",
		       (struct generation_place){GENERATION_TEXT_THINKING, 0, index}, err);
}

static bool take_block(struct generation_answer *answer, int64_t index, const struct json *block,
	struct error *err)
{
	struct collected *tool;

	if (!take_block_texts(answer, index, block, err))
		return false;
	if (!is_tool_block(block))
		return true;
	if (tool_find(answer, 0, index) != NULL)
		return error_set(err, ERROR_INVALID, "a block of the answer begins twice");
	tool = tool_begin(answer, 0, index, err);
	if (tool == NULL)
		return false;
	buffer_append_text(&tool->name, json_text_or(block, "name", ""));
	return take_input(answer, tool, json_find(block, "input"), err);
}

static bool take_block_delta(struct generation_answer *answer, int64_t index,
	const struct json *delta, struct error *err)
{
	const struct json *piece = json_find(delta, "partial_json");
	struct collected *tool = tool_find(answer, 0, index);

	if (!take_block_texts(answer, index, delta, err))
		return false;
	if (piece == NULL)
		return true;
	if (tool == NULL)
		return error_set(err, ERROR_INVALID, "a piece of a tool call that did not begin");
	return tool_add(answer, tool, piece, err);
}

static bool take_whole_message(
	struct generation_answer *answer, const struct json *message, struct error *err)
{
	const struct json *content = json_find(message, "content");

	keep_word(answer->notes.model, json_text_or(message, "model", ""));
	keep_word(answer->notes.finish, json_text_or(message, "stop_reason", ""));
	note_usage(&answer->notes, json_find(message, "usage"), messages_inputs, "output_tokens");
	if (answer->api == GENERATION_COUNT)
		note_usage(&answer->notes, message, messages_inputs, "output_tokens");
	for (uint32_t i = 0; content != NULL && content->type == JSON_ARRAY && i < content->count;
		i++)
		if (!take_block(answer, i, &content->items[i], err))
			return false;
	return answer->form == GENERATION_STREAM || tools_end(answer, -1, err);
}

static bool take_messages_event(
	struct generation_answer *answer, const struct json *value, struct error *err)
{
	struct text type = json_text_or(value, "type", "");
	const struct json *delta = json_find(value, "delta");
	int64_t index = json_integer_or(value, "index", 0);
	struct collected *tool = tool_find(answer, 0, index);

	if (text_is(type, "message_start"))
		return take_whole_message(answer, json_find(value, "message"), err);
	if (text_is(type, "content_block_start"))
		return take_block(answer, index, json_find(value, "content_block"), err);
	if (text_is(type, "content_block_delta"))
		return take_block_delta(answer, index, delta, err);
	if (text_is(type, "content_block_stop"))
		return tool == NULL || tool_tell(answer, tool, err);
	if (text_is(type, "message_delta")) {
		keep_word(answer->notes.finish, json_text_or(delta, "stop_reason", ""));
		note_usage(&answer->notes, json_find(value, "usage"), messages_inputs,
			"output_tokens");
		return tools_end(answer, -1, err);
	}
	answer->notes.has_error |= text_is(type, "error");
	answer->notes.is_ended |= text_is(type, "message_stop");
	return !answer->notes.is_ended || tools_end(answer, -1, err);
}

/* ---- responses ---- */

static const char *const responses_inputs[4] = {"input_tokens"};

/* A call of a function, or of what the provider runs itself, named by its type. */
static bool is_call_item(const struct json *item)
{
	return text_ends_with(json_text_or(item, "type", ""), "_call");
}

static bool says_the_same(const struct collected *tool, const struct json *whole, struct error *err)
{
	return whole == NULL || whole->type != JSON_STRING ||
	       text_equal(whole->string, buffer_text(&tool->arguments)) ||
	       error_set(err, ERROR_INVALID, "a tool call changes its arguments");
}

static bool take_call_item(
	struct generation_answer *answer, int64_t index, const struct json *item, struct error *err)
{
	struct collected *tool = tool_find(answer, 0, index);
	struct text name = json_text_or(item, "name", "");

	if (!is_call_item(item))
		return true;
	if (tool == NULL)
		tool = tool_begin(answer, 0, index, err);
	if (tool == NULL)
		return false;
	if (name.length == 0)
		name = json_text_or(item, "type", "");
	if (tool->name.length == 0)
		buffer_append_text(&tool->name, name);
	if (!text_equal(name, buffer_text(&tool->name)))
		return error_set(err, ERROR_INVALID, "a tool call changes its name");
	/* A whole item says again what came in pieces. */
	if (tool->arguments.length > 0)
		return says_the_same(tool, json_find(item, "arguments"), err) &&
		       says_the_same(tool, json_find(item, "input"), err);
	return (tool_add(answer, tool, json_find(item, "arguments"), err) &&
		tool_add(answer, tool, json_find(item, "input"), err));
}

/* Clients may take the call from here: it says again what came in pieces, and was judged. */
static bool take_call_done(struct generation_answer *answer, int64_t index,
	const struct json *value, struct error *err)
{
	struct collected *tool = tool_find(answer, 0, index);
	struct text name = json_text_or(value, "name", "");

	if (tool == NULL)
		return error_set(err, ERROR_INVALID, "the end of a tool call that did not begin");
	if (name.length > 0 && !text_equal(name, buffer_text(&tool->name)))
		return error_set(err, ERROR_INVALID, "a tool call changes its name");
	if (tool->arguments.length == 0 && !tool->is_told &&
		(!tool_add(answer, tool, json_find(value, "arguments"), err) ||
			!tool_add(answer, tool, json_find(value, "input"), err)))
		return false;
	return says_the_same(tool, json_find(value, "arguments"), err) &&
	       says_the_same(tool, json_find(value, "input"), err) && tool_tell(answer, tool, err);
}

static bool take_item_texts(
	struct generation_answer *answer, int64_t index, const struct json *item, struct error *err)
{
	const struct json *content = json_find(item, "content");

	for (uint32_t i = 0; content != NULL && content->type == JSON_ARRAY && i < content->count;
		i++)
		if (!take_text(answer, &content->items[i], "text",
			    (struct generation_place){GENERATION_TEXT_CONTENT, 0, index}, err) ||
			!take_text(answer, &content->items[i], "refusal",
				(struct generation_place){GENERATION_TEXT_REFUSAL, 0, index}, err))
			return false;
	return true;
}

static void note_response(struct generation_answer *answer, const struct json *response)
{
	keep_word(answer->notes.model, json_text_or(response, "model", ""));
	note_usage(&answer->notes, json_find(response, "usage"), responses_inputs, "output_tokens");
}

static bool take_whole_response(
	struct generation_answer *answer, const struct json *response, struct error *err)
{
	const struct json *output = json_find(response, "output");

	note_response(answer, response);
	keep_word(answer->notes.finish, json_text_or(response, "status", ""));
	for (uint32_t i = 0; output != NULL && output->type == JSON_ARRAY && i < output->count;
		i++) {
		if (!take_item_texts(answer, i, &output->items[i], err) ||
			!take_call_item(answer, i, &output->items[i], err))
			return false;
	}
	return tools_end(answer, -1, err);
}

static enum generation_text kind_of_delta(struct text type)
{
	if (text_starts_with(type, "response.refusal."))
		return GENERATION_TEXT_REFUSAL;
	return text_starts_with(type, "response.reasoning") ? GENERATION_TEXT_THINKING
							    : GENERATION_TEXT_CONTENT;
}

/* A piece of a tool call, or of some text. */
static bool take_response_delta(struct generation_answer *answer, struct text type, int64_t index,
	const struct json *value, struct error *err)
{
	const struct json *delta = json_find(value, "delta");
	struct collected *tool = tool_find(answer, 0, index);

	if (text_is(type, "response.audio.delta"))
		return true; /* sound is no text */
	if (!text_ends_with(type, "arguments.delta") && !text_ends_with(type, "input.delta"))
		return take_text(answer, value, "delta",
			(struct generation_place){kind_of_delta(type), 0, index}, err);
	if (tool == NULL)
		return error_set(err, ERROR_INVALID, "a piece of a tool call that did not begin");
	return tool_add(answer, tool, delta, err);
}

/* Clients may take the calls from any event that says the whole response: each is one that
 * came before, or is one from now on. */
static bool take_response(
	struct generation_answer *answer, const struct json *response, struct error *err)
{
	const struct json *output = json_find(response, "output");

	note_response(answer, response);
	for (uint32_t i = 0; output != NULL && output->type == JSON_ARRAY && i < output->count; i++)
		if (!take_call_item(answer, i, &output->items[i], err))
			return false;
	return true;
}

static bool take_response_end(struct generation_answer *answer, struct text type,
	const struct json *response, struct error *err)
{
	if (!take_response(answer, response, err))
		return false;
	keep_word(answer->notes.finish, json_text_or(response, "status", ""));
	answer->notes.is_ended = true;
	answer->notes.has_error |= text_is(type, "response.failed");
	return tools_end(answer, -1, err);
}

static bool take_response_event(
	struct generation_answer *answer, const struct json *value, struct error *err)
{
	struct text type = json_text_or(value, "type", "");
	const struct json *item = json_find(value, "item");
	int64_t index = json_integer_or(value, "output_index", 0);
	struct collected *tool;

	if (text_is(type, "response.completed") || text_is(type, "response.incomplete") ||
		text_is(type, "response.failed"))
		return take_response_end(answer, type, json_find(value, "response"), err);
	if (text_ends_with(type, ".delta"))
		return take_response_delta(answer, type, index, value, err);
	if (text_ends_with(type, "arguments.done") || text_ends_with(type, "input.done"))
		return take_call_done(answer, index, value, err);
	answer->notes.has_error |= text_is(type, "error");
	if (!take_response(answer, json_find(value, "response"), err))
		return false;
	if (!text_starts_with(type, "response.output_item."))
		return true;
	if (!take_call_item(answer, index, item, err))
		return false;
	tool = text_is(type, "response.output_item.done") ? tool_find(answer, 0, index) : NULL;
	return tool == NULL || tool_tell(answer, tool, err);
}

/* ---- bytes ---- */

static bool take_value(
	struct generation_answer *answer, const struct json *value, struct error *err)
{
	if (value->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "the answer is no JSON object");
	if (answer->api == GENERATION_CHAT)
		return take_chat(answer, value, err);
	if (answer->api == GENERATION_RESPONSES)
		return answer->form == GENERATION_STREAM ? take_response_event(answer, value, err)
							 : take_whole_response(answer, value, err);
	return answer->form == GENERATION_STREAM ? take_messages_event(answer, value, err)
						 : take_whole_message(answer, value, err);
}

static bool take_event(
	struct generation_answer *answer, const struct generation_event *event, struct error *err)
{
	struct json value;
	bool ok;

	if (event->data.data == NULL)
		return true; /* a comment, to keep the stream open */
	if (answer->notes.is_ended)
		return error_set(err, ERROR_INVALID, "the stream goes on after its end");
	if (answer->api == GENERATION_CHAT && text_is(event->data, "[DONE]")) {
		answer->notes.is_ended = true;
		return tools_end(answer, -1, err);
	}
	ok = json_parse(&value, answer->scratch, event->data, &event_limits, err) &&
	     take_value(answer, &value, err);
	arena_reset(answer->scratch);
	return ok;
}

static bool pass(struct generation_answer *answer, struct text bytes, struct error *err)
{
	return answer->sink.on_pass(answer->sink.context, bytes) ||
	       error_set(err, ERROR_CONFLICT, "the answer was stopped");
}

static bool feed_slice(struct generation_answer *answer, struct text slice, struct error *err)
{
	struct generation_event event;

	if (!generation_events_put(&answer->events, slice, err))
		return false;
	while (generation_events_next(&answer->events, &event, err))
		if (!take_event(answer, &event, err) || !pass(answer, event.raw, err))
			return false;
	return err->code == ERROR_NONE;
}

bool generation_answer_feed(struct generation_answer *answer, struct text chunk, struct error *err)
{
	if (answer->form == GENERATION_WHOLE) {
		buffer_append_text(&answer->whole, chunk);
		return !buffer_failed(&answer->whole) ||
		       error_set(err, ERROR_LIMIT, "the answer is longer than %d bytes",
			       GENERATION_ANSWER_BYTES_MAX);
	}
	while (chunk.length > 0) {
		struct text slice = {
			chunk.data, chunk.length > SLICE_BYTES ? SLICE_BYTES : chunk.length};

		if (!feed_slice(answer, slice, err))
			return false;
		chunk = (struct text){chunk.data + slice.length, chunk.length - slice.length};
	}
	return true;
}

bool generation_answer_finish(struct generation_answer *answer, struct error *err)
{
	struct json value;
	bool ok;

	if (answer->form == GENERATION_STREAM) {
		if (generation_events_pending(&answer->events) > 0)
			return error_set(err, ERROR_INVALID, "the stream was cut within an event");
		return answer->notes.is_ended || answer->notes.has_error ||
		       error_set(err, ERROR_INVALID, "the stream ended without its end");
	}
	ok = json_parse(&value, answer->scratch, buffer_text(&answer->whole), &event_limits, err) &&
	     take_value(answer, &value, err);
	arena_reset(answer->scratch);
	return ok && pass(answer, buffer_text(&answer->whole), err);
}

const struct generation_notes *generation_answer_notes(const struct generation_answer *answer)
{
	return &answer->notes;
}

bool generation_answer_create(struct generation_answer **out, enum generation_api api,
	enum generation_form form, const struct generation_sink *sink, struct error *err)
{
	struct generation_answer *answer = calloc(1, sizeof *answer);

	*out = NULL;
	if (answer == NULL)
		return no_memory(err);
	answer->api = api;
	answer->form = form;
	answer->sink = *sink;
	answer->notes.input_tokens = -1;
	answer->notes.output_tokens = -1;
	generation_events_init(&answer->events);
	buffer_init(&answer->whole, GENERATION_ANSWER_BYTES_MAX);
	answer->scratch = arena_create(SCRATCH_BYTES_MAX);
	if (answer->scratch == NULL) {
		generation_answer_destroy(&answer);
		return no_memory(err);
	}
	*out = answer;
	return true;
}

void generation_answer_destroy(struct generation_answer **answer)
{
	if (*answer == NULL)
		return;
	for (size_t i = 0; i < (*answer)->tools_count; i++) {
		buffer_deinit(&(*answer)->tools[i].name);
		buffer_deinit(&(*answer)->tools[i].arguments);
	}
	free((*answer)->tools);
	generation_events_deinit(&(*answer)->events);
	buffer_deinit(&(*answer)->whole);
	arena_destroy(&(*answer)->scratch);
	free(*answer);
	*answer = NULL;
}

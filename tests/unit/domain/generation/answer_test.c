#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "domain/generation/answer.h"

#define CHAT(delta) "data: {\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":" delta "}]}\n\n"
#define TOOL(index, rest) CHAT("{\"tool_calls\":[{\"index\":" #index "," rest "}]}")
#define NAMED(index, name) TOOL(index, "\"function\":{\"name\":\"" name "\",\"arguments\":\"\"}")
#define PIECE(index, text) TOOL(index, "\"function\":{\"arguments\":\"" text "\"}")
#define FINISH(word)                                                                               \
	"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" word "\"}]}\n\n"
#define DONE "data: [DONE]\n\n"

struct run {
	struct generation_answer *answer;
	struct buffer passed;
	char told[1024];     /* "name(arguments)" each, with the bytes passed by then */
	const char *refused; /* a tool whose call stops it */
	char texts[2048];
	const char *stopper; /* a piece that stops it */
	size_t passes;
	size_t passes_max; /* 0: any number */
	struct error err;
};

/* "KIND.CHOICE.INDEX:PIECE;" each. */
static bool on_text(void *context, const struct generation_place *place, struct text piece)
{
	struct run *run = context;
	size_t used = strlen(run->texts);

	(void)snprintf(run->texts + used, sizeof run->texts - used, "%d.%lld.%lld:%.*s;",
		(int)place->kind, (long long)place->choice, (long long)place->index,
		TEXT_ARGS(piece));
	return run->stopper == NULL || !text_is(piece, run->stopper);
}

static bool on_tool(void *context, const struct generation_tool *tool)
{
	struct run *run = context;
	size_t used = strlen(run->told);

	(void)snprintf(run->told + used, sizeof run->told - used, "%.*s(%.*s)%s",
		TEXT_ARGS(tool->name), TEXT_ARGS(tool->arguments), tool->is_object ? ";" : "?;");
	return run->refused == NULL || !text_is(tool->name, run->refused);
}

static bool on_pass(void *context, struct text bytes)
{
	struct run *run = context;

	if (run->passes_max != 0 && run->passes == run->passes_max)
		return false;
	run->passes++;
	buffer_append_text(&run->passed, bytes);
	return true;
}

static void begin(struct run *run, enum generation_api api, enum generation_form form)
{
	const struct generation_sink sink = {run, on_text, on_tool, on_pass};

	buffer_init(&run->passed, (size_t)1 << 26);
	assert_true(generation_answer_create(&run->answer, api, form, &sink, &run->err));
}

static void end(struct run *run)
{
	generation_answer_destroy(&run->answer);
	buffer_deinit(&run->passed);
}

/* True if all of it was taken and it was whole. */
static bool feed(struct run *run, const char *text, size_t piece)
{
	for (size_t at = 0; at < strlen(text); at += piece) {
		size_t left = strlen(text) - at;

		if (!generation_answer_feed(run->answer,
			    (struct text){text + at, left < piece ? left : piece}, &run->err))
			return false;
	}
	return generation_answer_finish(run->answer, &run->err);
}

static void a_stream_passes_byte_for_byte_however_it_is_cut(void **state)
{
	static const char stream[] =
		": hello\n\n" CHAT("{\"content\":\"He\"}") CHAT("{\"content\":\"y\\u00e9\"}")
			FINISH("stop") "data: "
				       "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,"
				       "\"completion_tokens\":2}}\n\n" DONE;

	(void)state;
	for (size_t piece = 1; piece < 200; piece += 7) {
		struct run run = {0};
		const struct generation_notes *notes;

		begin(&run, GENERATION_CHAT, GENERATION_STREAM);
		assert_true(feed(&run, stream, piece));
		assert_int_equal(run.passed.length, strlen(stream));
		assert_memory_equal(run.passed.data, stream, strlen(stream));
		notes = generation_answer_notes(run.answer);
		assert_string_equal(notes->model, "m-1");
		assert_string_equal(notes->finish, "stop");
		assert_int_equal(notes->input_tokens, 7);
		assert_int_equal(notes->output_tokens, 2);
		assert_int_equal(notes->output_bytes, 5);
		end(&run);
	}
}

static void what_is_no_stream_is_refused(void **state)
{
	static const char *const wrong[] = {
		"data: {\"choices\"\n\n",        /* no JSON */
		"data: 7\n\n",                   /* no object */
		CHAT("{}") "data: {\"choices\"", /* cut within an event */
		CHAT("{}"),                      /* no end */
		DONE CHAT("{}"),                 /* goes on after its end */
		NAMED(0, "a") PIECE(0, "{}") PIECE(0, "{\\\"x\\\":1}") DONE,
		"data: {\"a\":1,\"a\":2}\n\n",
		NAMED(0, "a") PIECE(0, "{}") NAMED(0, "b") DONE, /* another name, late */
		NAMED(0, "a") PIECE(0, "{") NAMED(0, "b") DONE,
		NAMED(0, "a") NAMED(1, "b") PIECE(0, "{}") DONE, /* told as without arguments */
		/* Which of the two a client takes is its own affair. */
		CHAT("{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"a\",\"arguments\":"
		     "\"{}\"},\"custom\":{\"name\":\"b\",\"input\":\"{}\"}}]}") DONE,
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct run run = {0};

		begin(&run, GENERATION_CHAT, GENERATION_STREAM);
		assert_false(feed(&run, wrong[i], 11));
		assert_int_equal(run.err.code, ERROR_INVALID);
		end(&run);
	}
}

static void a_tool_call_is_told_before_the_bytes_that_complete_it_pass(void **state)
{
	struct run run = {.refused = "b"};
	static const char before[] = NAMED(0, "a") PIECE(0, "{\\\"x\\\":") PIECE(0, "\\\"}\\\"}")
		CHAT("{\"content\":\"t\"}") NAMED(1, "b") PIECE(1, "{\\\"y\\\":");
	static const char after[] = PIECE(1, "2}") FINISH("tool_calls") DONE;

	(void)state;
	begin(&run, GENERATION_CHAT, GENERATION_STREAM);
	assert_true(generation_answer_feed(run.answer, text_of(before), &run.err));
	assert_string_equal(run.told, "a({\"x\":\"}\"});");
	assert_false(generation_answer_feed(run.answer, text_of(after), &run.err));
	assert_int_equal(run.err.code, ERROR_CONFLICT);
	assert_string_equal(run.told, "a({\"x\":\"}\"});b({\"y\":2});");
	assert_int_equal(run.passed.length, strlen(before)); /* and not a byte more */
	end(&run);
}

static void arguments_that_never_close_are_told_at_the_end(void **state)
{
	static const struct {
		const char *stream;
		const char *told;
	} cases[] = {
		{NAMED(0, "a") FINISH("tool_calls") DONE, "a();"},
		{NAMED(0, "a") PIECE(0, "{\\\"x\\\":") FINISH("length") DONE, "a({\"x\":)?;"},
		{NAMED(0, "a") PIECE(0, "[1]") FINISH("tool_calls") DONE, "a([1])?;"},
		{NAMED(0, "a") PIECE(0, "x") DONE, "a(x)?;"},
		{NAMED(0, "a") PIECE(0, "x") NAMED(1, "b") PIECE(1, "{}") DONE, "a(x)?;b({});"},
		{NAMED(0, "a") NAMED(0, "bc") PIECE(0, "{}") DONE, "abc({});"},
		{NAMED(0, "a") NAMED(0, "a") PIECE(0, "{}") DONE, "a({});"},
		{CHAT("{\"tool_calls\":[{\"index\":0,\"function\":null,\"custom\":{\"name\":\"c\","
		      "\"input\":\"x\"}}]}") DONE,
			"c(x)?;"},
		{CHAT("{\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}}") DONE, "f({});"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run run = {0};

		begin(&run, GENERATION_CHAT, GENERATION_STREAM);
		assert_true(feed(&run, cases[i].stream, 1000));
		assert_string_equal(run.told, cases[i].told);
		end(&run);
	}
}

#define ADDED                                                                                      \
	"data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":"              \
	"{\"type\":\"function_call\",\"name\":\"a\",\"arguments\":\"\"}}\n\n"
#define FILLED                                                                                     \
	"data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,"           \
	"\"delta\":\"{}\"}\n\n"
#define COMPLETED(items)                                                                           \
	"data: {\"type\":\"response.completed\",\"response\":{\"output\":[" items "]}}\n\n"
#define CREATED(items)                                                                             \
	"data: {\"type\":\"response.created\",\"response\":{\"output\":[" items "]}}\n\n"
#define CALL_ITEM(name, arguments)                                                                 \
	"{\"type\":\"function_call\",\"name\":\"" name "\",\"arguments\":\"" arguments "\"}"

#define CALL_DONE(rest)                                                                            \
	"data: {\"type\":\"response.function_call_arguments.done\",\"output_index\":0" rest "}\n"  \
	"\n"
#define ITEM_DONE(item)                                                                            \
	"data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":" item "}\n\n"
#define FILL_MORE                                                                                  \
	"data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,"           \
	"\"delta\":\"{\\\"x\\\":\"}\n\n"

/* What ends a call says it whole once more, and clients take it from there. */
static void a_call_ends_as_it_came_in_pieces_or_the_answer_ends(void **state)
{
	static const struct {
		const char *stream;
		const char *told; /* NULL: it is refused */
	} cases[] = {
		{ADDED FILLED CALL_DONE(",\"arguments\":\"{\\\"x\\\":1}\""), NULL},
		{ADDED FILLED CALL_DONE(",\"arguments\":\"{ }\""), NULL},
		{ADDED FILLED CALL_DONE(",\"arguments\":\"\""), NULL},
		{ADDED FILLED CALL_DONE(",\"arguments\":\"{}\",\"name\":\"b\""), NULL},
		{ADDED FILLED CALL_DONE(",\"input\":\"{ }\""), NULL},
		{CALL_DONE(",\"arguments\":\"{}\""), NULL}, /* it never began */
		{ADDED FILL_MORE CALL_DONE(",\"arguments\":\"{}\""), NULL},
		{ADDED FILLED ITEM_DONE(CALL_ITEM("a", "{ }")), NULL},
		{ADDED FILLED ITEM_DONE(CALL_ITEM("a", "")), NULL},
		{ADDED FILLED ITEM_DONE(CALL_ITEM("b", "{}")), NULL},
		{ADDED ITEM_DONE(CALL_ITEM("a", "")) COMPLETED(CALL_ITEM("a", "{}")), NULL},
		{ADDED FILLED COMPLETED(CALL_ITEM("a", "")), NULL},
		{ADDED FILLED CALL_DONE(",\"arguments\":\"{}\",\"name\":\"a\"")
				ITEM_DONE(CALL_ITEM("a", "{}")) COMPLETED(CALL_ITEM("a", "{}")),
			"a({});"},
		/* Providers that send no pieces: it is judged where it comes. */
		{ADDED CALL_DONE(",\"arguments\":\"{}\"") COMPLETED(""), "a({});"},
		{ADDED CALL_DONE(",\"arguments\":\"\"") COMPLETED(CALL_ITEM("a", "")), "a();"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run run = {0};
		bool ok;

		begin(&run, GENERATION_RESPONSES, GENERATION_STREAM);
		ok = feed(&run, cases[i].stream, 1000);
		if (ok != (cases[i].told != NULL))
			fail_msg("case %zu: %s", i, run.err.text);
		if (ok)
			assert_string_equal(run.told, cases[i].told);
		else
			assert_int_equal(run.err.code, ERROR_INVALID);
		end(&run);
	}
}

static void a_response_ends_with_the_calls_it_told_of(void **state)
{
	static const struct {
		const char *stream;
		const char *told; /* NULL: it is refused */
	} cases[] = {
		{ADDED FILLED COMPLETED(CALL_ITEM("a", "{}")), "a({});"},
		{ADDED FILLED COMPLETED(CALL_ITEM("b", "{}")), NULL},
		{ADDED FILLED COMPLETED(CALL_ITEM("a", "{\\\"x\\\":1}")), NULL},
		{COMPLETED(CALL_ITEM("c", "{}")), "c({});"}, /* judged at last */
		/* Clients begin with what the first event says of the response. */
		{CREATED(CALL_ITEM("c", "{}")) COMPLETED(CALL_ITEM("c", "{}")), "c({});"},
		{CREATED(CALL_ITEM("c", "{}")) COMPLETED(CALL_ITEM("d", "{}")), NULL},
		{CREATED("") ADDED FILLED COMPLETED(CALL_ITEM("a", "{}")), "a({});"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run run = {0};
		bool ok;

		begin(&run, GENERATION_RESPONSES, GENERATION_STREAM);
		ok = feed(&run, cases[i].stream, 1000);
		assert_int_equal(ok, cases[i].told != NULL);
		if (ok)
			assert_string_equal(run.told, cases[i].told);
		end(&run);
	}
}

static void a_whole_answer_passes_only_when_its_tool_calls_may(void **state)
{
	static const char answer[] =
		"{\"model\":\"m\",\"choices\":[{\"index\":0,\"finish_reason\":\"tool_calls\","
		"\"message\":{\"content\":\"abc\",\"tool_calls\":[{\"function\":{\"name\":\"a\","
		"\"arguments\":\"{\\\"p\\\":1}\"}},{\"custom\":{\"name\":\"b\",\"input\":\"zz\"}}]"
		"}}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}";
	struct run run = {0};

	(void)state;
	begin(&run, GENERATION_CHAT, GENERATION_WHOLE);
	assert_true(feed(&run, answer, 10));
	assert_string_equal(run.told, "a({\"p\":1});b(zz)?;");
	assert_int_equal(run.passed.length, strlen(answer));
	assert_int_equal(generation_answer_notes(run.answer)->output_bytes, 12);
	end(&run);
	run = (struct run){.refused = "b"};
	begin(&run, GENERATION_CHAT, GENERATION_WHOLE);
	assert_false(feed(&run, answer, 10));
	assert_int_equal(run.err.code, ERROR_CONFLICT);
	assert_int_equal(run.passed.length, 0);
	end(&run);
}

#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"

static void the_events_of_messages_come_to_the_same_notes(void **state)
{
	static const char stream[] = EVENT("message_start",
		",\"message\":{\"model\":\"l-1\",\"content\":[],\"usage\":{\"input_tokens\":5,"
		"\"cache_read_input_tokens\":6,\"output_tokens\":1}}") EVENT("content_block_start",
		",\"index\":0,\"content_block\":{\"type\":\"text\"}") EVENT("ping",
		"") EVENT("content_block_delta",
		",\"index\":0,\"delta\":{\"text\":\"abcd\"}") EVENT("content_block_stop",
		",\"index\":0") EVENT("content_block_start",
		",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"name\":\"a\","
		"\"input\":{}}") EVENT("content_block_delta",
		",\"index\":1,\"delta\":{\"partial_json\":\"\"}") EVENT("content_block_delta",
		",\"index\":1,\"delta\":{\"partial_json\":\"{\\\"k\\\": \"}")
		EVENT("content_block_delta", ",\"index\":1,\"delta\":{\"partial_json\":\"1}\"}")
			EVENT("content_block_stop", ",\"index\":1") EVENT("content_block_start",
				",\"index\":2,\"content_block\":{\"type\":\"server_tool_use\","
				"\"name\":\"s\",\"input\":{\"q\":1}}")
				EVENT("content_block_stop", ",\"index\":2") EVENT("message_delta",
					",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{"
					"\"output_tokens\":40}") EVENT("message_stop", "");
	const struct generation_notes *notes;
	struct run run = {0};

	(void)state;
	begin(&run, GENERATION_MESSAGES, GENERATION_STREAM);
	assert_true(feed(&run, stream, 13));
	assert_string_equal(run.told, "a({\"k\": 1});s({\"q\":1});");
	notes = generation_answer_notes(run.answer);
	assert_string_equal(notes->model, "l-1");
	assert_string_equal(notes->finish, "tool_use");
	assert_int_equal(notes->input_tokens, 11);
	assert_int_equal(notes->output_tokens, 40);
	assert_int_equal(run.passed.length, strlen(stream));
	end(&run);
}

static void the_events_of_responses_come_to_the_same_notes(void **state)
{
	static const char stream[] = EVENT("response.created",
		",\"response\":{\"model\":\"r-1\",\"usage\":null,\"output\":[]"
		"}") EVENT("response.output_item.added",
		",\"output_index\":0,\"item\":{\"type\":\"message\"}") EVENT("response.output_text."
									     "delta",
		",\"output_index\":0,\"delta\":\"abcd\"") EVENT("response.output_item.added",
		",\"output_index\":1,\"item\":{\"type\":\"function_call\",\"name\":\"a\","
		"\"arguments\":\"\"}") EVENT("response.function_call_arguments.delta",
		",\"output_index\":1,\"delta\":\"{\\\"k\\\":\"")
		EVENT("response.function_call_arguments.delta",
			",\"output_index\":1,\"delta\":\"1}\"") EVENT("response.output_item.done",
			",\"output_index\":1,\"item\":{\"type\":\"function_call\",\"name\":\"a\","
			"\"arguments\":\"{\\\"k\\\":1}\"}") EVENT("response.output_item.done",
			",\"output_index\":2,\"item\":{\"type\":\"web_search_call\"}")
			EVENT("response.completed", ",\"response\":{\"status\":\"completed\","
						    "\"usage\":{\"input_tokens\":5,"
						    "\"output_tokens\":6}}");
	const struct generation_notes *notes;
	struct run run = {0};

	(void)state;
	begin(&run, GENERATION_RESPONSES, GENERATION_STREAM);
	assert_true(feed(&run, stream, 13));
	assert_string_equal(run.told, "a({\"k\":1});web_search_call();");
	notes = generation_answer_notes(run.answer);
	assert_string_equal(notes->model, "r-1");
	assert_string_equal(notes->finish, "completed");
	assert_int_equal(notes->input_tokens, 5);
	assert_int_equal(notes->output_tokens, 6);
	assert_int_equal(notes->output_bytes, 11);
	assert_int_equal(run.passed.length, strlen(stream));
	end(&run);
	run = (struct run){.refused = "a"};
	begin(&run, GENERATION_RESPONSES, GENERATION_STREAM);
	assert_false(feed(&run, stream, 13));
	assert_null(memmem(run.passed.data, run.passed.length, "1}", 2));
	end(&run);
	run = (struct run){0};
	begin(&run, GENERATION_RESPONSES, GENERATION_WHOLE);
	assert_true(feed(&run,
		"{\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{"
		"\"text\":\"abc\"}]},{\"type\":\"function_call\",\"name\":\"a\",\"arguments\":\"{}"
		"\"}]}",
		9));
	assert_string_equal(run.told, "a({});");
	assert_int_equal(generation_answer_notes(run.answer)->output_bytes, 5);
	end(&run);
}

static void responses_that_are_malformed_are_refused(void **state)
{
	static const char *const wrong[] = {
		EVENT("response.created", ""),
		EVENT("response.function_call_arguments.delta",
			",\"output_index\":3,\"delta\":\"{\""),
		EVENT("response.completed", ",\"response\":{}") EVENT("response.created", ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct run run = {0};

		begin(&run, GENERATION_RESPONSES, GENERATION_STREAM);
		assert_false(feed(&run, wrong[i], 1000));
		assert_int_equal(run.err.code, ERROR_INVALID);
		end(&run);
	}
}

static void messages_that_are_malformed_are_refused(void **state)
{
	static const char *const wrong[] = {
		EVENT("content_block_delta", ",\"index\":3,\"delta\":{\"partial_json\":\"{\"}"),
		EVENT("content_block_start",
			",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"name\":\"a\"}")
			EVENT("content_block_start",
				",\"index\":1,\"content_block\":{\"type\":\"tool_use\"}"),
		EVENT("message_start", ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct run run = {0};

		begin(&run, GENERATION_MESSAGES, GENERATION_STREAM);
		assert_false(feed(&run, wrong[i], 1000));
		assert_int_equal(run.err.code, ERROR_INVALID);
		end(&run);
	}
}

static void an_error_in_the_stream_is_its_end(void **state)
{
	struct run run = {0};

	(void)state;
	begin(&run, GENERATION_MESSAGES, GENERATION_STREAM);
	assert_true(feed(&run, EVENT("error", ",\"error\":{\"type\":\"overloaded_error\"}"), 9));
	assert_true(generation_answer_notes(run.answer)->has_error);
	end(&run);
}

static void a_count_of_tokens_says_what_goes_in(void **state)
{
	struct run run = {0};

	(void)state;
	begin(&run, GENERATION_COUNT, GENERATION_WHOLE);
	assert_true(feed(&run, "{\"input_tokens\":77}", 5));
	assert_int_equal(generation_answer_notes(run.answer)->input_tokens, 77);
	end(&run);
}

/* Each with the place it belongs to, before the event that it came in passes. */
static void the_pieces_of_each_text_are_told(void **state)
{
	static const struct {
		enum generation_api api;
		enum generation_form form;
		const char *answer, *texts;
	} cases[] = {
		{GENERATION_CHAT, GENERATION_STREAM,
			CHAT("{\"content\":\"a\",\"reasoning_content\":\"b\"}")
				CHAT("{\"content\":\"\",\"refusal\":\"c\",\"reasoning\":\"d\"}")
					NAMED(1, "f") PIECE(1, "{}") FINISH("stop") DONE,
			"1.0.0:a;3.0.0:b;2.0.0:c;3.0.0:d;0.0.1:{};"},
		{GENERATION_CHAT, GENERATION_WHOLE,
			"{\"choices\":[{\"index\":0,\"message\":{\"content\":\"a\"}},{\"index\":1,"
			"\"message\":{\"content\":\"b\"}}]}",
			"1.0.0:a;1.1.0:b;"},
		/* What is spoken is a text too; its sound is none. */
		{GENERATION_CHAT, GENERATION_STREAM,
			CHAT("{\"audio\":{\"transcript\":\"a\",\"data\":\"QUJD\"}}")
				CHAT("{\"content\":\"b\",\"audio\":{\"transcript\":\"c\"}}") DONE,
			"1.0.1:a;1.0.0:b;1.0.1:c;"},
		{GENERATION_RESPONSES, GENERATION_STREAM,
			EVENT("response.audio.transcript.delta", ",\"delta\":\"a\"")
				EVENT("response.audio.delta", ",\"delta\":\"QUJD\"")
					EVENT("response.audio.transcript.delta", ",\"delta\":\"b\"")
						COMPLETED(""),
			"1.0.0:a;1.0.0:b;"},
		{GENERATION_MESSAGES, GENERATION_STREAM,
			EVENT("content_block_start",
				",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"a\"}")
				EVENT("content_block_delta",
					",\"index\":0,\"delta\":{\"text\":\"b\"}")
					EVENT("content_block_delta",
						",\"index\":1,\"delta\":{\"thinking\":\"c\"}")
						EVENT("message_stop", ""),
			"1.0.0:a;1.0.0:b;3.0.1:c;"},
		{GENERATION_RESPONSES, GENERATION_STREAM,
			EVENT("response.output_text.delta", ",\"output_index\":1,\"delta\":\"a\"")
				EVENT("response.refusal.delta",
					",\"output_index\":1,\"delta\":\"b\"")
					EVENT("response.reasoning_text.delta",
						",\"output_index\":0,\"delta\":\"c\"")
						ADDED FILLED COMPLETED(CALL_ITEM("a", "{}")),
			"1.0.1:a;2.0.1:b;3.0.0:c;0.0.0:{};"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run run = {0};

		begin(&run, cases[i].api, cases[i].form);
		if (!feed(&run, cases[i].answer, 17))
			fail_msg("case %zu: %s", i, run.err.text);
		assert_string_equal(run.texts, cases[i].texts);
		end(&run);
	}
}

static void of_an_event_whose_text_is_stopped_nothing_passes(void **state)
{
	struct run run = {.stopper = "b"};
	static const char before[] = CHAT("{\"content\":\"a\"}");

	(void)state;
	begin(&run, GENERATION_CHAT, GENERATION_STREAM);
	assert_true(generation_answer_feed(run.answer, text_of(before), &run.err));
	assert_false(generation_answer_feed(
		run.answer, TEXT(CHAT("{\"content\":\"b\"}") DONE), &run.err));
	assert_int_equal(run.err.code, ERROR_CONFLICT);
	assert_int_equal(run.passed.length, strlen(before));
	end(&run);
}

static void the_sink_stops_it_between_events(void **state)
{
	struct run run = {.passes_max = 2};

	(void)state;
	begin(&run, GENERATION_CHAT, GENERATION_STREAM);
	assert_false(feed(&run,
		CHAT("{\"content\":\"a\"}") CHAT("{\"content\":\"b\"}") CHAT("{\"content\":\"c\"}"),
		5));
	assert_int_equal(run.err.code, ERROR_CONFLICT);
	assert_int_equal(run.passed.length, 2 * strlen(CHAT("{\"content\":\"a\"}")));
	end(&run);
}

static void a_usage_out_of_range_is_cut_to_the_most(void **state)
{
	struct run run = {0};

	(void)state;
	begin(&run, GENERATION_CHAT, GENERATION_WHOLE);
	assert_true(feed(&run,
		"{\"usage\":{\"prompt_tokens\":9000000000000000000,\"completion_tokens\":-4}}",
		80));
	assert_int_equal(generation_answer_notes(run.answer)->input_tokens, GENERATION_TOKENS_MOST);
	assert_int_equal(generation_answer_notes(run.answer)->output_tokens, -1);
	end(&run);
}

static void tool_calls_have_their_bounds(void **state)
{
	(void)state;
	for (int past = 0; past < 2; past++) {
		struct run run = {0};
		char event[256];
		bool ok = true;

		begin(&run, GENERATION_CHAT, GENERATION_STREAM);
		for (int i = 0; i < GENERATION_TOOLS_MAX + past; i++) {
			(void)snprintf(event, sizeof event,
				"data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{"
				"\"index\":%d,\"function\":{\"name\":\"t\"}}]}}]}\n\n",
				i);
			ok = ok && generation_answer_feed(run.answer, text_of(event), &run.err);
		}
		assert_int_equal(ok, past == 0);
		assert_int_equal(run.err.code, past == 0 ? ERROR_NONE : ERROR_LIMIT);
		end(&run);
	}
}

static void arguments_have_their_bound(void **state)
{
	static char piece[65536 + 1];
	static char event[sizeof piece + 256];

	(void)state;
	memset(piece, 'x', 65536);
	for (size_t past = 0; past < 2; past++) {
		struct run run = {0};
		bool ok;

		begin(&run, GENERATION_CHAT, GENERATION_STREAM);
		ok = generation_answer_feed(run.answer, text_of(NAMED(0, "a")), &run.err);
		for (size_t fed = 0; ok && fed < GENERATION_ARGUMENTS_BYTES_MAX; fed += 65536) {
			(void)snprintf(event, sizeof event,
				"data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{"
				"\"index\":0,\"function\":{\"arguments\":\"%s\"}}]}}]}\n\n",
				piece);
			ok = generation_answer_feed(run.answer, text_of(event), &run.err);
		}
		assert_true(ok);
		if (past == 1)
			assert_false(generation_answer_feed(
				run.answer, text_of(PIECE(0, "x")), &run.err));
		end(&run);
	}
}

static void an_answer_that_is_no_stream_has_its_bound(void **state)
{
	static char block[1 << 20];

	(void)state;
	memset(block, ' ', sizeof block);
	for (size_t past = 0; past < 2; past++) {
		struct run run = {0};
		size_t left = GENERATION_ANSWER_BYTES_MAX - 2 + past;
		bool ok = true;

		begin(&run, GENERATION_CHAT, GENERATION_WHOLE);
		while (ok && left > 0) {
			size_t size = left < sizeof block ? left : sizeof block;

			ok = generation_answer_feed(
				run.answer, (struct text){block, size}, &run.err);
			left -= size;
		}
		ok = ok && generation_answer_feed(run.answer, TEXT("{}"), &run.err) &&
		     generation_answer_finish(run.answer, &run.err);
		assert_int_equal(ok, past == 0);
		end(&run);
	}
}

static void a_word_that_is_too_long_is_not_kept(void **state)
{
	char answer[2 * GENERATION_WORD_BYTES_MAX], word[GENERATION_WORD_BYTES_MAX + 2];

	(void)state;
	for (size_t past = 0; past < 2; past++) {
		struct run run = {0};

		memset(word, 'w', sizeof word);
		word[GENERATION_WORD_BYTES_MAX + past] = '\0';
		(void)snprintf(answer, sizeof answer, "{\"model\":\"%s\"}", word);
		begin(&run, GENERATION_CHAT, GENERATION_WHOLE);
		assert_true(feed(&run, answer, 1000));
		assert_string_equal(
			generation_answer_notes(run.answer)->model, past == 0 ? word : "");
		end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_stream_is_refused),
		cmocka_unit_test(messages_that_are_malformed_are_refused),
		cmocka_unit_test(a_stream_passes_byte_for_byte_however_it_is_cut),
		cmocka_unit_test(a_tool_call_is_told_before_the_bytes_that_complete_it_pass),
		cmocka_unit_test(arguments_that_never_close_are_told_at_the_end),
		cmocka_unit_test(a_call_ends_as_it_came_in_pieces_or_the_answer_ends),
		cmocka_unit_test(a_response_ends_with_the_calls_it_told_of),
		cmocka_unit_test(the_pieces_of_each_text_are_told),
		cmocka_unit_test(of_an_event_whose_text_is_stopped_nothing_passes),
		cmocka_unit_test(a_whole_answer_passes_only_when_its_tool_calls_may),
		cmocka_unit_test(the_events_of_messages_come_to_the_same_notes),
		cmocka_unit_test(responses_that_are_malformed_are_refused),
		cmocka_unit_test(the_events_of_responses_come_to_the_same_notes),
		cmocka_unit_test(an_error_in_the_stream_is_its_end),
		cmocka_unit_test(a_count_of_tokens_says_what_goes_in),
		cmocka_unit_test(the_sink_stops_it_between_events),
		cmocka_unit_test(a_usage_out_of_range_is_cut_to_the_most),
		cmocka_unit_test(tool_calls_have_their_bounds),
		cmocka_unit_test(arguments_have_their_bound),
		cmocka_unit_test(an_answer_that_is_no_stream_has_its_bound),
		cmocka_unit_test(a_word_that_is_too_long_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

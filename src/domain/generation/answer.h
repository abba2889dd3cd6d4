#ifndef DOMAIN_GENERATION_ANSWER_H
#define DOMAIN_GENERATION_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/generation/request.h"

/* Reads what a model answers while it passes: usage, why it ended, and the tool calls it
 * asks for, each of which is told when its arguments are whole and before the bytes that
 * make them so are passed on. */
struct generation_answer;

enum {
	GENERATION_ANSWER_BYTES_MAX = 8 * 1024 * 1024, /* that is no stream */
	GENERATION_TOOLS_MAX = 128,                    /* tool calls one answer asks for */
	GENERATION_ARGUMENTS_BYTES_MAX = 1024 * 1024,  /* of one of them */
	GENERATION_WORD_BYTES_MAX = 128,               /* kept of a model's name, of an end */
	GENERATION_TEXTS_MAX = 256,                    /* texts that come in pieces, of an answer */
};

/* A tool call that the model asks for. */
struct generation_tool {
	struct text name;      /* as the request named the tool */
	struct text arguments; /* JSON, as the model wrote it */
	bool is_object;        /* the arguments are one JSON object, or there are none */
};

/* What a text of an answer is. */
enum generation_text {
	GENERATION_TEXT_ARGUMENTS = 0, /* of a tool call */
	GENERATION_TEXT_CONTENT,
	GENERATION_TEXT_REFUSAL,
	GENERATION_TEXT_THINKING,
};

/* Where a piece of text belongs: pieces of one place are one text, and clients may put those
 * of one kind and choice together, in their order. */
struct generation_place {
	enum generation_text kind;
	int64_t choice; /* of several answers at once */
	int64_t index;  /* of the block, item or tool call */
};

/* Where it goes.  False from any stops the answer. */
struct generation_sink {
	void *context;
	/* The next piece of a text, before the bytes that it came in are passed on.  NULL:
	 * nobody wants to know. */
	bool (*on_text)(void *context, const struct generation_place *place, struct text piece);
	bool (*on_tool)(void *context, const struct generation_tool *tool);
	/* The next bytes, exactly as they came: of a stream whole events. */
	bool (*on_pass)(void *context, struct text bytes);
};

/* What is known so far. */
struct generation_notes {
	char model[GENERATION_WORD_BYTES_MAX + 1]; /* that answers; empty: not said */
	char finish[GENERATION_WORD_BYTES_MAX + 1];
	int64_t input_tokens; /* as the provider counts; -1: not said */
	int64_t output_tokens;
	uint64_t output_bytes; /* of texts and arguments */
	bool has_error;        /* the stream itself said that it failed */
	bool is_ended;         /* the stream said that it is over */
};

enum generation_form { GENERATION_WHOLE = 0, GENERATION_STREAM };

/* sink is copied.  Errors: LIMIT. */
bool generation_answer_create(struct generation_answer **out, enum generation_api api,
	enum generation_form form, const struct generation_sink *sink,
	struct error *err) MUST_CHECK;
void generation_answer_destroy(struct generation_answer **answer);

/* The next bytes of the provider.  Errors: INVALID (no such stream), LIMIT, CONFLICT (the
 * sink stopped it).  After one nothing more may be fed. */
bool generation_answer_feed(
	struct generation_answer *answer, struct text chunk, struct error *err) MUST_CHECK;
/* There is no more.  Errors: as feed; INVALID where the answer is not whole. */
bool generation_answer_finish(struct generation_answer *answer, struct error *err) MUST_CHECK;

const struct generation_notes *generation_answer_notes(const struct generation_answer *answer);

#endif

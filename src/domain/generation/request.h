#ifndef DOMAIN_GENERATION_REQUEST_H
#define DOMAIN_GENERATION_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* What a request to a model asks for, read from the body of a provider's API: OpenAI's
 * chat completions and responses, Anthropic's messages and its token counts. */

/* Which API, by its path below /v1. */
enum generation_api {
	GENERATION_NONE = 0,
	GENERATION_CHAT,      /* chat/completions */
	GENERATION_RESPONSES, /* responses */
	GENERATION_MESSAGES,  /* messages */
	GENERATION_COUNT,     /* messages/count_tokens: answers with no text, but takes it */
};

enum {
	GENERATION_BODY_BYTES_MAX = 8 * 1024 * 1024, /* of one request, canonical */
	GENERATION_TOOLS_OFFERED_MAX = 512,          /* tools one request names */
	GENERATION_BYTES_PER_TOKEN = 4,              /* what an estimate takes a token to be */
};
/* No parameter above it is passed on. */
#define GENERATION_TOKENS_MOST INT64_C(1000000000)

struct generation_request {
	enum generation_api api;
	struct text model;
	bool is_stream;
	int64_t prompt_tokens; /* estimated from the body's bytes, rounded up */
	struct text canonical; /* the body */
	/* What policies see as context.generation: {api, max_tokens, prompt_tokens,
	 * provider_tools, stream, temperature, tools}; max_tokens and temperature (in
	 * thousandths) only where given.  tools are those that the caller runs, by name,
	 * provider_tools those that the provider knows or runs itself, by type. */
	struct json facts;
};

enum generation_api generation_api_of(struct text method);

/* Reads the body; texts are its own or live in arena.  A member that says how to generate
 * and is not of its type is refused, because a provider might read it otherwise.
 * Errors: INVALID, LIMIT. */
bool generation_request_read(struct generation_request *out, struct arena *arena,
	struct text method, const struct json *body, struct error *err) MUST_CHECK;

/* The facts of the least that can be asked of a model whose provider speaks `api`
 * ("openai"): one token, no stream, no tools; but for what `given` (an object) says.
 * Errors: LIMIT. */
bool generation_facts_least(struct json *out, struct arena *arena, const char *api,
	const struct json *given, struct error *err) MUST_CHECK;

/* Every piece of text that the body says somebody said: role is "system", "user",
 * "assistant", "tool" or another word of the body's, text what was said. */
typedef void generation_visit(void *context, struct text role, struct text text);
void generation_each_message(const struct json *body, generation_visit *visit, void *context);

/* Tokens that so many bytes are taken to be. */
int64_t generation_estimate(uint64_t bytes);

#endif

#ifndef EDGES_LLM_LLM_PRIVATE_H
#define EDGES_LLM_LLM_PRIVATE_H

#include "base/buffer.h"
#include "domain/charter/object.h"
#include "edges/llm/llm_door.h"

/* Shared inside edges/llm: llm_door.c (what comes in), llm_call.c (one answer under way),
 * llm_reply.c (errors as clients of a provider know them). */

struct llm_door {
	struct llm_door_settings settings;
	struct http_route routes[LLM_ROUTES];
	size_t call_count;
};

enum { LLM_FIELDS_MAX = 2 };

/* What a client is told in place of an answer. */
struct llm_error {
	unsigned status;
	const char *code; /* a reason's word, or one of ours */
	struct text message;
	bool is_final;                    /* trying again unchanged comes to the same */
	const struct http_header *fields; /* more of the answer's head, at most LLM_FIELDS_MAX */
	size_t field_count;
};

/* llm_reply.c */

/* What became of a request, as an error.  Not for RESULT. */
struct llm_error llm_error_of(const struct call_reply *reply);
/* Of a request that services/call did not take. */
struct llm_error llm_error_of_start(const struct error *err);
/* Answers with an error in the shape of the provider's API. */
void llm_respond_error(
	struct http_exchange *exchange, enum speaks speaks, const struct llm_error *error);
/* The same as the last event of a stream.  Fails as the buffer fails. */
void llm_format_event(struct buffer *out, enum speaks speaks, const struct llm_error *error);

/* llm_call.c */

/* Hands one request over and answers the exchange, sooner or later. */
void llm_call_begin(struct llm_door *door, struct http_exchange *exchange, enum speaks speaks,
	const struct call_request *request);

#endif

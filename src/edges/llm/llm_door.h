#ifndef EDGES_LLM_LLM_DOOR_H
#define EDGES_LLM_LLM_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "services/call/call_service.h"
#include "services/issue/issue.h"
#include "wire/router.h"

/* The door to models, /llm/PROVIDER/v1: a part of OpenAI's API (chat/completions, responses,
 * models) and of Anthropic's (messages, messages/count_tokens, models), as the provider's line in
 * the registry says.  It checks form and token, and hands each request to services/call,
 * whose answer it passes on byte by byte.  No rule lives here.  docs/models.md says what
 * a refusal looks like to the clients of both. */

enum {
	LLM_ROUTES = 5,
	/* Answers under way: as many as there are calls, of which each identity has a share. */
	LLM_CALLS_MAX = CALL_EXCHANGES_MAX_DEFAULT,
};

struct llm_door;

/* All borrowed while the door lives. */
struct llm_door_settings {
	struct issue *issue;
	struct call_service *calls;
	struct decide_service *decide;
	const struct registry *registry;
};

/* Errors: LIMIT. */
bool llm_door_create(struct llm_door **out, const struct llm_door_settings *settings,
	struct error *err) MUST_CHECK;
/* Adds its routes.  Errors: as router_add. */
bool llm_door_route(struct llm_door *door, struct router *router, struct error *err) MUST_CHECK;
/* After the HTTP server, before services/call. */
void llm_door_destroy(struct llm_door **door);

/* Answers under way. */
size_t llm_door_calls(const struct llm_door *door);

#endif

#ifndef DOMAIN_CALL_CALL_H
#define DOMAIN_CALL_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/call/method.h"
#include "domain/call/peer_request.h"
#include "domain/charter/object.h"
#include "domain/charter/terms.h"
#include "domain/generation/request.h"

/* One canonical call: who wants what, in a form that any two doors build alike.
 * Plain data; everything it points to lives in the arena it was built in, or
 * in what the builder was given, which must outlive it. */

enum {
	CALL_ARGUMENTS_BYTES_MAX = 1024 * 1024, /* canonical arguments */
	CALL_CHAIN_MAX = 16,                    /* tasks on the path, the caller's first */
};

struct call {
	struct text identity;
	struct text task;
	enum environment environment; /* how the caller proved itself; never what it says */
	struct text server;
	struct text method; /* "tools/call" */
	enum method_route route;
	struct text tool;           /* "server/name": what the decision is about */
	enum effect effect;         /* asked for; NONE: whatever the tool's is */
	struct json arguments;      /* an object */
	struct text arguments_text; /* canonical JSON of arguments */
	struct json params;         /* what goes upstream: no progress token */
	unsigned secrets;           /* kinds that its arguments hold, as in struct secret_tally:
				     * set by who looked, 0 from call_build */
	struct json generation;     /* METHOD_MODEL: what is asked of the model, for policies */
};

/* Who asks whom. */
enum call_side {
	CALL_OF_CLIENT = 0, /* an agent, of a server */
	CALL_OF_SERVER,     /* a server, of the agent's client: sampling, elicitation */
};

/* What a door knows. */
struct call_draft {
	enum call_side side;
	struct text identity;
	struct text task;
	enum environment environment;
	struct text server;
	struct text method;
	const struct json *params; /* JSON-RPC params; NULL: none */
};

/* Builds the call of a draft.  The arguments are params.arguments of tools/call,
 * else params, without _meta: neither the JSON-RPC id nor a progress token
 * is part of a call.  tool is "SERVER/NAME" for tools/call; another method is
 * known to the registry as the tool "SERVER/METHOD", with dots for its slashes:
 * files/resources.read.  What is not for that side has the route DENIED.
 * Errors: INVALID (params not an object, no tool name), LIMIT. */
bool call_build(struct call *out, struct arena *arena, const struct call_draft *draft,
	struct error *err) MUST_CHECK;

/* The route of a method on that side.  DENIED: it is none, or another's. */
enum method_route call_route(const struct method *method, enum call_side side);

/* Builds the call of a request to a provider: method is the path below /v1, params the
 * body; server is the provider, tool "PROVIDER/MODEL" with the model that the body names.
 * The whole body, read into *request, is what is sealed, bound and forwarded, in canonical form;
 * policies see `generation` (generation.h) and no arguments. Errors: INVALID (the body's form),
 * LIMIT. */
bool call_build_generation(struct call *out, struct generation_request *request,
	struct arena *arena, const struct call_draft *draft, struct error *err) MUST_CHECK;

/* Builds the call of a request to a peer: method is A2A's, server the peer, tool
 * "PEER/SKILL".  The arguments are those of the request, and the peer gets what is made of
 * them (peer_request.h).  Errors: INVALID, LIMIT. */
bool call_build_peer(struct call *out, const struct peer_request *request, struct arena *arena,
	const struct call_draft *draft, struct error *err) MUST_CHECK;

/* Checks the arguments that say where a call goes.  A target that is absent is
 * fine (the tool's schema says what is required); one that is there must be a
 * text or an array of texts, each of its form:
 *   path       relative or absolute; not empty; no segment empty, "." or "..";
 *              no backslash, no "~" in front, no NUL, no control character
 *   url        scheme://host..., http or https; no user, blank, control or
 *              backslash; no "." or ".." segment, plain or percent-encoded
 *   recipient  not empty; no blank, control character or list separator
 *   account, object   not empty; no control character; a whole number will do, too
 * False: err says which argument and what it should be.  Errors: INVALID. */
bool call_targets_check(
	const struct call *call, const struct tool *tool, struct error *err) MUST_CHECK;

/* What an approval is bound to besides the call itself: all that the people who said yes
 * were shown, so that a change of any of it is another question. */
struct call_binding {
	const struct text *chain; /* tasks from the caller's up to the root */
	size_t chain_count;
	struct text charter;         /* "NAME@VERSION" */
	struct text definition;      /* "sha256:..." of the pinned tool; may be empty */
	struct text entitlement;     /* id of the permit that would open it; may be empty */
	const struct text *policies; /* determining, sorted; the binding keeps order out */
	size_t policies_count;
	const struct text *approvals; /* names that are asked for, sorted; order is kept out too */
	size_t approvals_count;
	struct sha256 objects;  /* of what is in force: tool, server, sources, charters above */
	enum sensitivity label; /* of the task: what it has touched so far */
	bool has_untrusted_content;
};

/* SHA-256 of a domain-separated canonical JSON of call and binding; equal
 * exactly if all of it is equal.  Errors: LIMIT. */
bool call_digest(struct sha256 *out, struct arena *arena, const struct call *call,
	const struct call_binding *binding, struct error *err) MUST_CHECK;

#endif

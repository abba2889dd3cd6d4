/* Requests that wait for the service: each lives until both its answer and its connection
 * are over. */
#include <stdlib.h>

#include "edges/oauth/oauth_private.h"

enum { PENDING_ARENA_BYTES_MAX = 512 * 1024 };

struct oauth_error oauth_error_of(enum issue_refusal refusal)
{
	switch (refusal) {
	case ISSUE_ASSERTION:
	case ISSUE_CERTIFICATE:
	case ISSUE_CLIENT_UNPROVEN:
	case ISSUE_CLIENT_MISMATCH:
	case ISSUE_REPLAYED: return (struct oauth_error){401, "invalid_client"};
	case ISSUE_NOT_ACTIVE:
	case ISSUE_UNGOVERNED:
	case ISSUE_CHARTER_EXPIRED:
	case ISSUE_ENVIRONMENT: return (struct oauth_error){400, "unauthorized_client"};
	case ISSUE_AUDIENCE_MISSING:
	case ISSUE_AUDIENCE_UNKNOWN: return (struct oauth_error){400, "invalid_target"};
	case ISSUE_DETAILS: return (struct oauth_error){400, "invalid_authorization_details"};
	case ISSUE_SCOPE: return (struct oauth_error){400, "invalid_scope"};
	case ISSUE_MESSAGE: return (struct oauth_error){400, "invalid_binding_message"};
	case ISSUE_PENDING: return (struct oauth_error){400, "authorization_pending"};
	case ISSUE_TOO_OFTEN: return (struct oauth_error){400, "slow_down"};
	case ISSUE_DENIED: return (struct oauth_error){400, "access_denied"};
	case ISSUE_CLAIM_OVER: return (struct oauth_error){400, "expired_token"};
	case ISSUE_CODE:
	case ISSUE_REFRESH:
	case ISSUE_CLAIM_UNKNOWN: return (struct oauth_error){400, "invalid_grant"};
	case ISSUE_NOT_ONE_CALL: return (struct oauth_error){400, "invalid_authorization_details"};
	case ISSUE_TOKEN_TYPE: /* these: RFC 8693 §2.2.2 */
	case ISSUE_SUBJECT_TOKEN:
	case ISSUE_ACTOR_TOKEN:
	case ISSUE_DELEGATION:
	case ISSUE_CHAIN:
	case ISSUE_MAY_ACT:
	case ISSUE_CHALLENGE:
	case ISSUE_PURPOSE:
	case ISSUE_INSTANCE:
	case ISSUE_SESSION:
	case ISSUE_BINDING:
	case ISSUE_PARENT: return (struct oauth_error){400, "invalid_request"};
	case ISSUE_INSTANCE_KILLED:
	case ISSUE_LIMIT: return (struct oauth_error){400, "unauthorized_client"};
	case ISSUE_PROOF: return (struct oauth_error){400, "invalid_dpop_proof"};
	case ISSUE_NONCE: return (struct oauth_error){400, "use_dpop_nonce"};
	case ISSUE_KEYS:
	case ISSUE_BUSY:
	case ISSUE_NOT_RECORDED:
	case ISSUE_NOT_SIGNED: return (struct oauth_error){503, "temporarily_unavailable"};
	case ISSUE_REFUSED:
	case ISSUE_GRANTED:
	case ISSUE_REFUSAL_COUNT: break;
	}
	return (struct oauth_error){400, "invalid_request"};
}

void oauth_pending_free(struct pending *pending)
{
	struct pending **link = &pending->oauth->pending;

	while (*link != NULL && *link != pending)
		link = &(*link)->next;
	if (*link != NULL)
		*link = pending->next;
	registrar_request_deinit(&pending->registration);
	arena_wipe(&pending->arena); /* codes and tokens came and went */
	free(pending);
}

static void on_closed(void *context, enum http_closed how)
{
	struct pending *pending = context;

	(void)how;
	pending->is_closed = true;
	pending->exchange = NULL;
	if (pending->is_answered)
		oauth_pending_free(pending);
	else
		issue_abandon_opening(pending->oauth->issue, &pending->request);
}

bool oauth_pending_is_open(struct pending *pending)
{
	pending->is_answered = true;
	if (!pending->is_closed)
		return true;
	oauth_pending_free(pending);
	return false;
}

struct pending *oauth_pending_create(struct oauth *oauth, struct http_exchange *exchange)
{
	const struct http_exchange_events events = {.on_closed = on_closed};
	struct http_exchange_events watched = events;
	struct pending *pending = calloc(1, sizeof *pending);

	if (pending == NULL)
		return NULL;
	pending->arena = arena_create(PENDING_ARENA_BYTES_MAX);
	if (pending->arena == NULL) {
		free(pending);
		return NULL;
	}
	pending->oauth = oauth;
	pending->exchange = exchange;
	pending->next = oauth->pending;
	oauth->pending = pending;
	watched.context = pending;
	http_exchange_watch(exchange, &watched);
	return pending;
}

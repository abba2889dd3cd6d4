/* A request to a peer, as far as it differs from a call of a tool: which skill it is about, whose
 * the peer's tasks are, and events that come before the last one.
 *
 * Invariants:
 * 1. a task or a context of the peer is named to it only by the identity, and within the tree of
 *    tasks, that it was made for;
 * 2. what comes in events passes as what comes in a result does: less secrets, noted as read,
 *    and a text that comes in pieces is searched as one. */
#include <stdlib.h>
#include <string.h>

#include "domain/charter/peer.h"
#include "services/call/exchange.h"

enum { WATCHED_MAX = 256 }; /* artifacts of one answer that come in pieces */

/* An artifact that comes in pieces, watched for secrets as one text. */
struct watched {
	struct watched *next;
	struct text artifact;
	struct secret_strand *strand;
};

/* A token on its way: it outlives an exchange that does not wait for it any more. */
struct handing {
	struct call_hand hand;
	struct exchange *exchange; /* NULL: nobody waits */
	bool is_done;
	bool is_late; /* make has returned before it was done */
	bool has_failed;
	struct error failure;
	size_t length;
	char *token; /* cleared at the end */
};

struct peer_exchange {
	struct handing *handing; /* NULL: none was asked for */
	struct watched *watched;
	uint32_t watched_count;
};

/* ---- the request -------------------------------------------------------------------- */

/* The one skill of a peer that has no other. */
struct only_skill {
	struct text peer;
	struct text name; /* empty: none */
	bool is_one_of_several;
};

static bool note_skill(void *context, const struct registry_entry *entry)
{
	struct only_skill *only = context;
	const struct tool *tool = entry->in_force == NULL ? NULL : entry->in_force->tool;

	if (tool == NULL)
		return true;
	if (!text_equal(tool->server, only->peer))
		return false; /* they stand together, in order of their names */
	only->is_one_of_several = only->name.length != 0;
	only->name = tool->tool_name;
	return !only->is_one_of_several;
}

/* A2A has no member for the skill that is meant. */
static bool choose_skill(const struct exchange *exchange, struct text peer,
	struct peer_request *request, struct error *err)
{
	struct only_skill only = {.peer = peer};
	struct text after;

	if (request->skill.length != 0)
		return true;
	after = text_format(exchange->arena, "%.*s/", TEXT_ARGS(peer));
	if (after.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the request");
	registry_each(exchange->service->ports.registry, OBJECT_TOOL, after, note_skill, &only);
	if (only.name.length == 0 || only.is_one_of_several)
		return error_set(err, ERROR_INVALID,
			"say which skill is meant: metadata {\"remit/skill\": ID}");
	request->skill = text_copy(exchange->arena, only.name);
	return request->skill.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no room for the request");
}

static bool is_own(const struct exchange *exchange, const struct peer_name *name,
	const struct task *task, struct text *skill)
{
	*skill = peer_tasks_find(exchange->service->peer_tasks, name, task);
	return skill->data != NULL;
}

/* What is refused here is like what is not there: nobody learns which tasks others have. */
static bool refuse_task(struct error *err)
{
	return error_set(err, ERROR_CONFLICT,
		"no task or context of this peer is known by that id in this task; what was made "
		"in another task, or before a restart, is not");
}

/* Each task and context that is named; a task goes on with the skill that it began with. */
static bool check_owned(const struct exchange *exchange, struct text peer, const struct task *task,
	struct peer_request *request, struct error *err)
{
	struct peer_name name = {PEER_CONTEXT, peer, request->context};
	struct text skill;

	if (request->context.length != 0 && !is_own(exchange, &name, task, &skill))
		return refuse_task(err);
	name.thing = PEER_TASK;
	for (uint32_t i = 0; i < request->references_count; i++) {
		name.id = request->references[i];
		if (!is_own(exchange, &name, task, &skill))
			return refuse_task(err);
	}
	name.id = request->task;
	if (request->task.length == 0)
		return true;
	if (!is_own(exchange, &name, task, &skill))
		return refuse_task(err);
	if (request->skill.length != 0 && !text_equal(request->skill, skill))
		return error_set(err, ERROR_INVALID, "that task is of another skill");
	request->skill = text_copy(exchange->arena, skill);
	return request->skill.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no room for the request");
}

bool peer_build(struct exchange *exchange, const struct call_draft *draft, struct error *err)
{
	const struct task *task = task_find(exchange->service->ports.tasks, draft->task);
	struct peer_request request;

	exchange->peer = arena_new(exchange->arena, struct peer_exchange);
	if (exchange->peer == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the request");
	if (task == NULL)
		return error_set(err, ERROR_NOT_FOUND, "the task is gone");
	if (method_find(draft->method)->route != METHOD_PEER)
		return error_set(err, ERROR_INVALID, "no request to a peer is called that");
	if (!peer_request_read(&request, exchange->arena, draft->method, draft->params, err) ||
		!check_owned(exchange, draft->server, task, &request, err) ||
		!choose_skill(exchange, draft->server, &request, err))
		return false;
	exchange->reason = call_shortened(request.reason, CALL_REASON_BYTES_MAX);
	return call_build_peer(&exchange->call, &request, exchange->arena, draft, err);
}

/* ---- the token of a governed peer --------------------------------------------------- */

static void handing_free(struct handing *handing)
{
	if (handing->token != NULL)
		explicit_bzero(handing->token, handing->length);
	free(handing->token);
	free(handing);
}

/* One without a credential of its own is governed here; it gets something of the caller's
 * authority only where the caller's charter hands work on to it. */
static bool gets_token(const struct exchange *exchange)
{
	const struct registry *registry = exchange->service->ports.registry;
	const struct server *server = registry_find_server(registry, exchange->call.server);
	const struct charter *charter = registry_find_charter(registry, exchange->call.identity);

	return exchange->service->ports.handing.make != NULL && server != NULL &&
	       server->credential.length == 0 && server->credentials_count == 0 &&
	       charter != NULL && peer_method_sends(exchange->call.method) &&
	       charter_find_peer(charter, exchange->call.server) != NULL;
}

static void token_keep(struct handing *handing, struct text token)
{
	handing->token = token.length == 0 ? NULL : calloc(1, token.length);
	if (handing->token == NULL) {
		handing->has_failed = true;
		if (token.length != 0)
			error_set(&handing->failure, ERROR_LIMIT, "no memory for a token");
		return;
	}
	memcpy(handing->token, token.data, token.length);
	handing->length = token.length;
}

static void on_handed(struct call_hand *hand, struct text token, const struct error *err)
{
	struct handing *handing = hand->context;
	struct exchange *exchange = handing->exchange;

	handing->is_done = true;
	if (err != NULL)
		handing->failure = *err;
	token_keep(handing, token);
	if (!handing->is_late)
		return; /* peer_is_handed goes on */
	if (exchange == NULL)
		handing_free(handing);
	else if (exchange->state == EXCHANGE_RECORDED) {
		exchange->failure = &handing->failure;
		exchange_event(exchange, handing->has_failed ? EVENT_NOT_READY : EVENT_READY);
		exchange->failure = NULL;
	}
}

/* False: it could not be asked for. */
static bool hand(struct exchange *exchange)
{
	const struct call_handing *port = &exchange->service->ports.handing;
	struct handing *handing = calloc(1, sizeof *handing);

	if (handing == NULL)
		return false;
	*handing = (struct handing){
		.hand = {.done = on_handed, .context = handing}, .exchange = exchange};
	exchange->peer->handing = handing;
	return port->make(port->context, exchange->call.task, exchange->call.server, &handing->hand,
		&handing->failure);
}

bool peer_is_handed(struct exchange *exchange)
{
	struct error err = {.code = ERROR_LIMIT, .text = "no token could be made for the peer"};
	struct handing *handing;
	bool was_asked;

	if (!gets_token(exchange) ||
		(exchange->peer->handing != NULL && exchange->peer->handing->is_done))
		return true;
	was_asked = hand(exchange);
	handing = exchange->peer->handing;
	if (was_asked && !handing->is_done) {
		handing->is_late = true;
		return false;
	}
	if (was_asked && !handing->has_failed)
		return true;
	if (handing != NULL)
		handing->is_done = true;
	exchange->failure = handing == NULL ? &err : &handing->failure;
	exchange_event(exchange, EVENT_NOT_READY);
	exchange->failure = NULL;
	return false;
}

struct text peer_token(const struct exchange *exchange)
{
	const struct handing *handing = exchange->peer->handing;

	return handing == NULL || handing->token == NULL
		       ? TEXT("")
		       : (struct text){handing->token, handing->length};
}

struct text peer_label(const struct exchange *exchange)
{
	enum sensitivity label = exchange->decision.labels.sensitivity;

	if (label == SENSITIVITY_UNLABELLED)
		label = SENSITIVITY_PUBLIC;
	return text_of(sensitivity_word(label));
}

void peer_release(struct exchange *exchange)
{
	if (exchange->peer == NULL)
		return;
	for (struct watched *watched = exchange->peer->watched; watched != NULL;
		watched = watched->next)
		secret_strand_destroy(&watched->strand);
	if (exchange->peer->handing != NULL) {
		exchange->peer->handing->exchange = NULL;
		if (exchange->peer->handing->is_done)
			handing_free(exchange->peer->handing);
	}
	exchange->peer = NULL;
}

/* ---- what it brings ----------------------------------------------------------------- */

static bool note_one(struct exchange *exchange, enum peer_thing thing, struct text id)
{
	const struct peer_name name = {thing, exchange->call.server, id};
	const struct task *task = task_find(exchange->service->ports.tasks, exchange->call.task);
	size_t skip = exchange->call.server.length + 1;

	/* Without memory it is nobody's. */
	return id.length == 0 || id.length > PEER_ID_BYTES_MAX || task == NULL ||
	       peer_tasks_note(exchange->service->peer_tasks, &name, task,
		       text_after(exchange->call.tool, skip));
}

void peer_note(struct exchange *exchange, const struct json *result)
{
	static const struct {
		const char *member;
		const char *id;
	} forms[] = {{"task", "id"}, {"message", "taskId"}, {"statusUpdate", "taskId"},
		{"artifactUpdate", "taskId"}};

	/* The answer of GetTask and CancelTask is a task, which is known already. */
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const struct json *form = json_find(result, forms[i].member);

		if (form == NULL || form->type != JSON_OBJECT)
			continue;
		(void)note_one(exchange, PEER_TASK, json_text_or(form, forms[i].id, ""));
		(void)note_one(exchange, PEER_CONTEXT, json_text_or(form, "contextId", ""));
	}
}

/* NULL: no memory, or too many. */
static struct watched *watch(struct exchange *exchange, struct text artifact)
{
	struct peer_exchange *peer = exchange->peer;
	struct watched *watched = peer->watched;

	while (watched != NULL && !text_equal(watched->artifact, artifact))
		watched = watched->next;
	if (watched != NULL || peer->watched_count == WATCHED_MAX)
		return watched;
	watched = arena_new(exchange->arena, struct watched);
	if (watched == NULL)
		return NULL;
	watched->artifact = text_copy(exchange->arena, artifact);
	watched->strand = secret_strand_create();
	if (watched->strand == NULL || watched->artifact.data == NULL) {
		secret_strand_destroy(&watched->strand);
		return NULL;
	}
	watched->next = peer->watched;
	peer->watched = watched;
	peer->watched_count++;
	return watched;
}

bool peer_follow(struct exchange *exchange, const struct json *event, struct error *err)
{
	const struct json *artifact = json_find(json_find(event, "artifactUpdate"), "artifact");
	const struct json *parts = artifact == NULL ? NULL : json_find(artifact, "parts");
	struct watched *watched;

	if (parts == NULL || parts->type != JSON_ARRAY || exchange->service->ports.detector == NULL)
		return true;
	watched = watch(exchange, json_text_or(artifact, "artifactId", ""));
	if (watched == NULL)
		return error_set(err, ERROR_LIMIT, "too many artifacts come in pieces");
	for (uint32_t i = 0; i < parts->count; i++) {
		struct text piece = json_text_or(&parts->items[i], "text", "");

		if (piece.length != 0 && !exchange_follow(exchange, watched->strand, piece, err))
			return false;
	}
	return true;
}

/* What a server asks of the agent's client within a call (sampling, elicitation), as an
 * exchange of its own: decided, made durable and looked at again like a call, with the
 * ends turned round.  The server is its door, the client is what is called, and the call
 * it came in holds it (docs/data.md, "What servers ask").
 *
 * Invariants:
 *  1. on_ask has one caller, asking_forward, and asking_forward one, forward() of
 *     exchange.c: nothing reaches the client but what was allowed and is durable.
 *  2. respond is given a client's words by on_asking_answer of exchange.c alone, when they
 *     were looked at.
 *  3. It ends with its call at the latest, and is in its call's list until then. */

#include <stdio.h>

#include "domain/call/ask.h"
#include "services/call/exchange.h"

const char *ask_refusal_word(enum ask_refusal cause)
{
	static const char *const words[] = {
#define X(name, word) [name] = word,
		ASK_REFUSALS(X)
#undef X
	};

	return (size_t)cause < sizeof(words) / sizeof(*words) ? words[cause] : words[0];
}

/* ---- towards the server ---------------------------------------------------------------- */

bool asking_respond(
	struct exchange *exchange, const struct upstream_reply *reply, struct error *err)
{
	struct upstream *upstream = &exchange->service->ports.upstream;

	return upstream->respond(upstream->context, exchange->asking->edge_number, reply, err);
}

/* A sentence of ours: a server learns nothing of charters and people. */
static void respond_refusal(struct exchange *exchange, const char *why)
{
	const struct upstream_reply reply = {.refusal = why};
	struct error err;

	/* Where it cannot be told, the server waits until it gives up: its place is free. */
	if (!asking_respond(exchange, &reply, &err))
		return;
}

static void on_reply(void *context, const struct call_reply *reply)
{
	struct exchange *exchange = context;

	switch (reply->kind) {
	case CALL_ASKED:
		respond_refusal(exchange, "people must approve this first: ask again later");
		return;
	case CALL_REFUSED:
		respond_refusal(exchange, "refused: nothing was passed on, and it is on record");
		return;
	case CALL_FAILED:
	case CALL_STOPPED:
	case CALL_RESULT:
	case CALL_ERROR: break;
	}
	respond_refusal(exchange, "it was let through, but no answer may be had");
}

/* ---- its call ------------------------------------------------------------------------------ */

static void insert(struct exchange *exchange, struct exchange *within)
{
	struct asking *asking = exchange->asking;

	asking->within = within;
	asking->next = within->asks;
	asking->link = &within->asks;
	if (asking->next != NULL)
		asking->next->asking->link = &asking->next;
	within->asks = exchange;
	within->asks_open++;
	within->asks_made++;
}

void asking_release(struct exchange *exchange)
{
	struct asking *asking = exchange->asking;

	if (asking == NULL || asking->link == NULL)
		return;
	*asking->link = asking->next;
	if (asking->next != NULL)
		asking->next->asking->link = asking->link;
	asking->link = NULL;
	asking->within->asks_open--;
	asking->within = NULL;
}

void asking_end_all(struct exchange *within)
{
	while (within->asks != NULL) {
		struct exchange *exchange = within->asks, *aborted = exchange;

		if (exchange->client != NULL)
			respond_refusal(exchange, "the call this belongs to is over");
		call_abort(&aborted);
		asking_release(exchange);
	}
}

/* ---- where it begins ------------------------------------------------------------------------- */

/* A call that is with its server, and whose client hears of it. */
static struct exchange *call_of(const struct upstream_ask *asked)
{
	struct exchange *within = asked->request == NULL ? NULL : asked->request->context;

	if (within == NULL || within->client == NULL || within->generation != NULL ||
		(within->state != EXCHANGE_FORWARDED && within->state != EXCHANGE_STREAMING))
		return NULL;
	return within;
}

static bool is_registered(const struct call_service *service, const struct upstream_ask *asked)
{
	char name[CHARTER_NAME_BYTES_MAX + TOOL_NAME_BYTES_MAX + 2];
	int length = snprintf(name, sizeof(name), "%.*s/%.*s", TEXT_ARGS(asked->server),
		TEXT_ARGS(asked->method));

	if (length < 0 || (size_t)length >= sizeof(name))
		return false;
	for (size_t i = asked->server.length + 1; i < (size_t)length; i++)
		if (name[i] == '/')
			name[i] = '.';
	return registry_find_tool(service->ports.registry, (struct text){name, (size_t)length}) !=
	       NULL;
}

/* False: cause says why it goes to no rule. */
static bool may_be_decided(struct call_service *service, const struct upstream_ask *asked,
	const struct exchange *within, enum ask_refusal *cause)
{
	struct error err = {0};

	if (!method_is_asked(method_find(asked->method)))
		*cause = ASK_NOT_PASSED;
	else if (!is_registered(service, asked))
		*cause = ASK_NOT_REGISTERED;
	else if (within == NULL)
		*cause = ASK_NO_CALL;
	else if (exchange_is_judged(within))
		*cause = ASK_JUDGED;
	else if (within->client->on_ask == NULL)
		*cause = ASK_NOT_ABLE;
	else if (asked->params == NULL)
		*cause = ASK_MALFORMED;
	else if (!ask_check(asked->method, asked->params, within->abilities, &err))
		*cause = err.code == ERROR_NOT_FOUND ? ASK_NOT_ABLE
			 : err.code == ERROR_LIMIT   ? ASK_TOO_MANY
						     : ASK_MALFORMED;
	else if (within->asks_open >= CALL_ASKS_OPEN_MAX || within->asks_made >= CALL_ASKS_MAX ||
		 !server_request_count(service, asked->server))
		*cause = ASK_TOO_MANY;
	else
		return true;
	return false;
}

/* MCP has -32602 for a form, and for a mode of elicitation that the client has not. */
enum upstream_objection asking_objection(const struct upstream_ask *asked, enum ask_refusal cause)
{
	const struct exchange *within = call_of(asked);
	bool is_elicitation = text_is(asked->method, "elicitation/create");
	bool has_other_mode = is_elicitation && within != NULL &&
			      (within->abilities & (ASK_FORMS | ASK_URLS)) != 0;

	if (cause == ASK_NOT_ABLE)
		return has_other_mode ? UPSTREAM_OBJECTS_TO_MODE : UPSTREAM_OBJECTS_TO_CLIENT;
	return cause == ASK_MALFORMED ? UPSTREAM_OBJECTS_TO_PARAMS : UPSTREAM_OBJECTS_TO_METHOD;
}

bool asking_start(
	struct call_service *service, const struct upstream_ask *asked, enum ask_refusal *cause)
{
	struct exchange *within = call_of(asked), *exchange;
	struct asking asking = {.edge_number = asked->number};
	struct call_client server = {.on_reply = on_reply};
	struct call_request request = {
		.server = asked->server,
		.method = asked->method,
		.params = asked->params,
	};
	const struct exchange_offer offer = {&request, &server, &asking};
	struct error err = {0};

	if (!may_be_decided(service, asked, within, cause))
		return false;
	request.task = within->call.task;
	asking.record = within->index;
	if (!exchange_start(service, &offer, &exchange, &err)) {
		*cause = err.code == ERROR_INVALID ? ASK_MALFORMED : ASK_TOO_MANY;
		return false;
	}
	exchange->client_copy.context = exchange;
	insert(exchange, within);
	exchange_event(exchange, EVENT_START);
	return true;
}

/* ---- towards the client ------------------------------------------------------------------------
 */

/* What the request says may endorse or taint later values of the task, as a result does; what
 * the server has from the call it belongs to endorses nothing by coming back. */
static void tell_flow(struct exchange *exchange, const struct exchange *within)
{
	struct json_member member = {TEXT("structuredContent"), exchange->call.params};
	const struct json result = {.type = JSON_OBJECT, .count = 1, .members = &member};
	struct call told = exchange->call;
	struct decide_result seen = {
		.call = &told,
		.decision = &exchange->decision,
		.result = &result,
		.record = exchange->index,
		.now_utc_ms = fold_stamp_utc_ms(exchange->service->ports.fold),
	};

	told.arguments = within->call.arguments;
	decide_result_seen(exchange->service->ports.decide, &seen);
}

bool asking_forward(struct exchange *exchange, struct error *err)
{
	struct asking *asking = exchange->asking;
	struct exchange *within = asking->within;
	struct call_ask ask = {.method = exchange->call.method};
	struct json passed;

	if (within == NULL || within->client == NULL)
		return error_set(err, ERROR_CONFLICT, "the call this belongs to is over");
	if (!exchange_pass_asked(exchange, &exchange->call.params, &passed))
		return error_set(err, ERROR_INVALID,
			"the server's request held a secret and was not passed on");
	tell_flow(exchange, within);
	ask.number = asking->number = ++exchange->service->asks_made;
	ask.params = &passed;
	if (exchange->deadline_ms > within->deadline_ms)
		exchange->deadline_ms = within->deadline_ms;
	asking->is_open = within->client->on_ask(within->client->context, &ask, err);
	if (asking->is_open)
		exchange->service->figures.server_asked++;
	return asking->is_open;
}

void asking_withdraw(struct exchange *exchange)
{
	struct asking *asking = exchange->asking;
	const struct call_client *client = asking->within == NULL ? NULL : asking->within->client;

	if (!asking->is_open)
		return;
	asking->is_open = false;
	if (client != NULL && client->on_ask_over != NULL)
		client->on_ask_over(client->context, asking->number);
}

bool call_answer(struct exchange *within, uint64_t number, const struct call_answer *answer)
{
	const struct upstream_answer came = {.result = answer->result, .error = answer->error};
	struct exchange *exchange = within->asks;

	while (exchange != NULL &&
		!(exchange->asking->is_open && exchange->asking->number == number))
		exchange = exchange->asking->next;
	if (exchange == NULL)
		return false;
	exchange->asking->is_open = false;
	exchange->answer = &came;
	exchange_event(exchange, EVENT_ANSWER);
	exchange->answer = NULL;
	return true;
}

bool asking_read(struct exchange *exchange, const struct upstream_answer *answer, struct json *out,
	struct error *err)
{
	const struct ask_answer read = {.method = exchange->call.method,
		.params = &exchange->call.params,
		.result = answer->result};

	if (answer->result == NULL && answer->error == NULL)
		return error_set(err, ERROR_INVALID, "the client's answer makes no sense");
	if (answer->result == NULL)
		return ask_error_read(out, exchange->arena, answer->error, err);
	return ask_answer_read(out, exchange->arena, &read, err);
}

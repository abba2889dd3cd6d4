/* What a server asks of the agent's client by itself, and what no rule of a charter was asked
 * about (asking.c has the rest).
 *
 * Nothing of it is forwarded: the answer is an error, and the refusal is on record, so that
 * a server that tries is found.  A server that asks without end
 * fills no log: beyond SERVER_REQUESTS_PER_MINUTE_MAX they are counted, and the next
 * record says how many. */

#include <stdlib.h>

#include "domain/decide/rate.h"
#include "services/call/exchange.h"

enum { REQUEST_ARENA_BYTES = 64 * 1024 };

/* What one server asked. */
struct asked {
	struct rate rate;  /* its records, of decisions too */
	uint64_t left_out; /* since its last record */
};

/* One record on its way to the log. */
struct refusal {
	struct fold_change change;
	struct arena *arena;
};

static void refusal_destroy(struct refusal **refusal)
{
	if (*refusal == NULL)
		return;
	arena_destroy(&(*refusal)->arena);
	free(*refusal);
	*refusal = NULL;
}

static void on_refusal_done(struct fold_change *change)
{
	struct refusal *refusal = change->context;

	refusal_destroy(&refusal);
}

static struct refusal *refusal_create(void)
{
	struct refusal *refusal = calloc(1, sizeof(*refusal));

	if (refusal == NULL)
		return NULL;
	refusal->arena = arena_create(REQUEST_ARENA_BYTES);
	refusal->change.done = on_refusal_done;
	refusal->change.context = refusal;
	refusal->change.append.may_linger = true;
	if (refusal->arena == NULL)
		refusal_destroy(&refusal);
	return refusal;
}

static struct asked *asked_of(struct call_service *service, struct text server)
{
	struct asked *asked = name_table_find(service->asked, server);

	if (asked != NULL)
		return asked;
	asked = calloc(1, sizeof(*asked));
	if (asked != NULL && !name_table_put(service->asked, server, asked)) {
		free(asked);
		return NULL;
	}
	return asked;
}

/* A word of the protocol; a server's own stands in no record. */
static const char *method_word(struct text method)
{
	static const char *const words[] = {
		"elicitation/create", "roots/list", "sampling/createMessage"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (text_is(method, words[i]))
			return words[i];
	return "other";
}

static bool refusal_write(struct call_service *service, struct refusal *refusal,
	const struct server_request *request, uint64_t left_out, struct error *err)
{
	const struct exchange *exchange = request->exchange;
	struct json_builder record;
	struct json sealed;

	json_object_start(&record, refusal->arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(service->ports.fold));
	json_put_cstring(&record, "type", "server-request");
	json_put_cstring(&record, "actor", "remit");
	json_put_text(&record, "server", request->server);
	json_put_cstring(&record, "method", method_word(request->method));
	json_put_cstring(&record, "verdict", verdict_word(VERDICT_DENY));
	json_put_cstring(&record, "reason",
		reason_word(request->cause == ASK_NOT_REGISTERED ? REASON_TOOL_UNKNOWN
								 : REASON_METHOD_UNKNOWN));
	json_put_cstring(&record, "cause", ask_refusal_word(request->cause));
	if (left_out > 0)
		json_put_integer(&record, "left-out", (int64_t)left_out);
	if (exchange != NULL) {
		json_put_text(&record, "task", exchange->call.task);
		json_put_text(&record, "identity", exchange->call.identity);
		json_put_integer(&record, "decision", (int64_t)exchange->index);
	}
	if (!json_object_seal(&record, &sealed, err))
		return false;
	refusal->change.entry = json_canonical_text(refusal->arena, &sealed);
	return refusal->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no room for the record");
}

bool server_request_count(struct call_service *service, struct text server)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(service->ports.fold);
	struct asked *asked = asked_of(service, server);

	if (asked == NULL || rate_count(&asked->rate, now_utc_ms) >= SERVER_REQUESTS_PER_MINUTE_MAX)
		return false;
	rate_add(&asked->rate, now_utc_ms);
	return true;
}

void server_request_refuse(struct call_service *service, const struct server_request *request)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(service->ports.fold);
	struct asked *asked = asked_of(service, request->server);
	struct refusal *refusal = NULL;
	struct error err;

	if (asked == NULL || rate_count(&asked->rate, now_utc_ms) >= SERVER_REQUESTS_PER_MINUTE_MAX)
		goto done;
	refusal = refusal_create();
	if (refusal == NULL || !refusal_write(service, refusal, request, asked->left_out, &err) ||
		!fold_submit(service->ports.fold, &refusal->change, &err))
		goto done;
	refusal = NULL; /* on_refusal_done frees it */
	rate_add(&asked->rate, now_utc_ms);
	asked->left_out = 0;
	return;
done:
	refusal_destroy(&refusal);
	if (asked != NULL)
		asked->left_out++;
}

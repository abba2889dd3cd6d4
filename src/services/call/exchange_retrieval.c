/* What a call that reads data sources brought: looked at while the server's answer is
 * borrowed, before the door hears of it (docs/data.md).
 *
 * How to look is taken from the registry when the call leaves, so that it is what
 * the call was decided by. */

#include "services/call/exchange.h"

static struct text asked_for(const struct call *call)
{
	if (text_is(call->method, "resources/read"))
		return json_text_or(&call->arguments, "uri", "");
	if (text_is(call->method, "prompts/get"))
		return json_text_or(&call->arguments, "name", "");
	return TEXT("");
}

static bool keeps_ids_open(const struct exchange *exchange)
{
	const struct decision *decision = &exchange->decision;
	size_t i;

	for (i = 0; i < decision->sources_count; i++) {
		const struct data_source *source = registry_find_data_source(
			exchange->service->ports.registry, decision->sources[i]);

		if (source == NULL || source->ids != IDS_OPEN)
			return false;
	}
	return decision->sources_count != 0;
}

enum reason exchange_retrieval_prepare(struct exchange *exchange)
{
	const struct tool *tool =
		registry_find_tool(exchange->service->ports.registry, exchange->call.tool);
	struct retrieval_rule *rule = &exchange->retrieval_rule;

	exchange->is_retrieval = exchange->decision.sources_count != 0;
	if (!exchange->is_retrieval)
		return REASON_ALLOWED;
	/* The rows of what a server asks are not looked at, so they are not judged. */
	if (exchange->asking != NULL && tool != NULL && tool->classification.length != 0)
		return REASON_SENSITIVITY;
	if (tool == NULL || (tool->classification.length != 0) !=
				    (exchange->decision.ceiling != SENSITIVITY_UNLABELLED))
		return REASON_SENSITIVITY;
	*rule = (struct retrieval_rule){
		.is_tool = exchange->call.route == METHOD_TOOL,
		.is_resource = text_is(exchange->call.method, "resources/read"),
		.objects = text_copy(exchange->arena, tool->objects),
		.object = asked_for(&exchange->call),
		.classification = text_copy(exchange->arena, tool->classification),
		.ceiling = exchange->decision.ceiling,
	};
	exchange->has_open_ids = keeps_ids_open(exchange);
	return rule->objects.data == NULL || rule->classification.data == NULL ? REASON_NO_MEMORY
									       : REASON_ALLOWED;
}

bool exchange_is_judged(const struct exchange *exchange)
{
	return exchange->is_retrieval && exchange->retrieval_rule.classification.length != 0;
}

bool exchange_tells_record(const struct exchange *exchange)
{
	return exchange_is_judged(exchange) ||
	       (exchange->is_retrieval && (exchange->retrieval_rule.objects.length != 0 ||
						  exchange->retrieval_rule.object.length != 0));
}

_Static_assert((int)RETRIEVAL_OBJECTS_MAX <= 32, "each has a bit in digested_ids");

/* As a keyed digest. */
static bool hide_id(struct exchange *exchange, struct text *id)
{
	struct contents_port *values = &exchange->service->ports.values;
	char hex[DIGEST_TEXT_BYTES];
	struct sha256 digest;
	struct error err;

	if (!values->digest(values->context, exchange->call.task, *id, &digest, &err))
		return false;
	digest_format(hex, &digest);
	*id = text_copy(exchange->arena, text_of(hex));
	return id->data != NULL;
}

/* Takes an id out of what is borrowed.  A short one is hidden when the record is made, as
 * nobody waits for that. */
static bool keep_id(struct exchange *exchange, struct text *id, uint32_t at)
{
	if (id->length > RETRIEVAL_ID_BYTES_MAX) {
		exchange->digested_ids |= (uint32_t)1 << at;
		return hide_id(exchange, id);
	}
	*id = text_copy(exchange->arena, *id);
	return id->data != NULL;
}

static bool hide_kept_id(struct exchange *exchange, struct text *id, uint32_t at)
{
	return exchange->has_open_ids || (exchange->digested_ids >> at & 1) != 0 ||
	       hide_id(exchange, id);
}

typedef bool id_step(struct exchange *exchange, struct text *id, uint32_t at);

/* Each id by one step; where that fails for one, none is known. */
static void take_objects(struct exchange *exchange, struct retrieval *found, id_step *step)
{
	uint32_t i, count = (uint32_t)found->objects_count;
	struct text *ids;

	if (count == 0)
		return;
	ids = arena_array(exchange->arena, struct text, count);
	for (i = 0; ids != NULL && i < count; i++) {
		ids[i] = found->objects[i];
		if (!step(exchange, &ids[i], i))
			ids = NULL;
	}
	found->objects = ids;
	if (ids == NULL) {
		found->is_known = false;
		found->objects_count = 0;
	}
}

static bool is_fine(const struct exchange *exchange)
{
	enum retrieval_fault fault = exchange->retrieval.fault;

	return exchange_is_judged(exchange) ? fault == RETRIEVAL_FINE
					    : fault != RETRIEVAL_ELSEWHERE;
}

bool exchange_retrieval_take(struct exchange *exchange, const struct json *result)
{
	if (!exchange->is_retrieval)
		return true;
	if (result == NULL) {
		exchange->retrieval.fault = RETRIEVAL_ERROR;
		return is_fine(exchange);
	}
	retrieval_read(&exchange->retrieval, exchange->arena, result, &exchange->retrieval_rule);
	take_objects(exchange, &exchange->retrieval, keep_id);
	return is_fine(exchange);
}

/* To an agent: not what the ceiling is, which may be of a person or of a charter above. */
void exchange_retrieval_say(const struct exchange *exchange, struct error *err)
{
	const struct retrieval *found = &exchange->retrieval;

	switch (found->fault) {
	case RETRIEVAL_ABOVE:
		(void)error_set(err, ERROR_INVALID,
			"the result is withheld: %llu of its rows are above what may come here, or "
			"not labelled",
			(unsigned long long)found->rows_above);
		break;
	case RETRIEVAL_AMBIGUOUS:
		(void)error_set(err, ERROR_INVALID,
			"the result is withheld: beside the rows that were judged it says "
			"something else");
		break;
	case RETRIEVAL_NOT_ROWS:
		(void)error_set(err, ERROR_INVALID,
			"the result is withheld: it has no rows whose sensitivity could be "
			"judged");
		break;
	case RETRIEVAL_ELSEWHERE:
		(void)error_set(err, ERROR_INVALID,
			"the result is withheld: it is of another resource than was asked for");
		break;
	case RETRIEVAL_ERROR:
		(void)error_set(err, ERROR_INVALID,
			"the server answered an error; its text is withheld, as nobody could judge "
			"how sensitive it is");
		break;
	case RETRIEVAL_NOT_JUDGED:
	case RETRIEVAL_FINE:
		(void)error_set(err, ERROR_LIMIT,
			"the result is withheld: it could not be judged, for want of memory");
		break;
	}
}

/* The lowest place in the record that says how sensitive it was. */
static enum sensitivity found_sensitivity(const struct exchange *exchange)
{
	if (exchange_is_judged(exchange) &&
		exchange->retrieval.sensitivity != SENSITIVITY_UNLABELLED)
		return exchange->retrieval.sensitivity;
	return exchange->decision.sensitivity;
}

bool exchange_retrieval_record(
	struct json_builder *record, struct exchange *exchange, struct error *err)
{
	const struct retrieval *found = &exchange->retrieval;
	const struct decision *decision = &exchange->decision;
	struct json_builder object;
	struct json sealed;

	take_objects(exchange, &exchange->retrieval, hide_kept_id);
	json_object_start(&object, exchange->arena);
	json_put_texts(&object, "sources", decision->sources, decision->sources_count);
	if (found->is_known)
		json_put_texts(&object, "objects", found->objects, found->objects_count);
	else
		json_put_cstring(&object, "objects", "unknown");
	if (found->is_known || found->count > 0)
		json_put_integer(&object, "count", (int64_t)found->count);
	json_put_text_unless_empty(
		&object, "sensitivity", text_of(sensitivity_word(found_sensitivity(exchange))));
	json_put_cstring(&object, "trust", decision->is_untrusted ? "untrusted" : "trusted");
	json_put_digest(&object, "query", &exchange->query);
	if (exchange_is_judged(exchange))
		json_put_cstring(
			&object, "ceiling", sensitivity_word(exchange->retrieval_rule.ceiling));
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(record, "retrieval", sealed);
	return true;
}

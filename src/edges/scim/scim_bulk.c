/* Bulk (RFC 7644 §3.7): operations in their order, one after the other, until there were
 * failOnErrors of them that failed.  What a bulkId names is put in once it is made; a reference
 * to one that comes later, or that failed, is refused: 409, as §3.7.1 says of what cannot be
 * resolved. */
#include "edges/scim/scim_private.h"

#include <string.h>

#define URN_REQUEST "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
#define URN_RESPONSE "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

enum { BULK_DEPTH_MAX = 16 };

struct made {
	struct text bulk_id;
	struct text id;
};

struct scim_bulk {
	const struct json *operations;
	uint32_t at;
	int64_t errors;
	int64_t errors_max; /* INT64_MAX: all may fail */
	struct json_builder results;
	struct made *made;
	size_t made_count;
	struct json data; /* of the operation under way */
	bool is_running;
	bool is_waiting;
};

static const struct json *current(const struct scim_exchange *exchange)
{
	return &exchange->bulk->operations->items[exchange->bulk->at];
}

/* ---- references ---- */

static bool resolve_text(
	struct scim_exchange *exchange, struct text *text, struct scim_fault *fault)
{
	const struct scim_bulk *bulk = exchange->bulk;
	struct text wanted;

	if (!text_starts_with(*text, "bulkId:"))
		return true;
	wanted = text_after(*text, sizeof "bulkId:" - 1);
	for (size_t i = 0; i < bulk->made_count; i++)
		if (text_equal(bulk->made[i].bulk_id, wanted)) {
			*text = bulk->made[i].id;
			return true;
		}
	return scim_fail(fault, 409, NULL, "no operation before made the bulkId");
}

static bool resolve(struct scim_exchange *exchange, const struct json *value, int depth,
	struct json *out, struct scim_fault *fault);

static bool resolve_items(struct scim_exchange *exchange, const struct json *value, int depth,
	struct json *out, struct scim_fault *fault)
{
	bool is_object = value->type == JSON_OBJECT;
	struct json_builder made;
	struct error err;
	struct json item;

	if (is_object)
		json_object_start(&made, exchange->arena);
	else
		json_array_start(&made, exchange->arena);
	for (uint32_t i = 0; i < value->count; i++) {
		const struct json *from = is_object ? &value->members[i].value : &value->items[i];

		if (!resolve(exchange, from, depth + 1, &item, fault))
			return false;
		if (is_object)
			json_put_named(&made, value->members[i].name, item);
		else
			json_add(&made, item);
	}
	return (is_object ? json_object_seal(&made, out, &err)
			  : json_array_seal(&made, out, &err)) ||
	       scim_fail(fault, 503, NULL, "no memory for an operation");
}

/* Bounded by depth. */
static bool resolve(struct scim_exchange *exchange, const struct json *value, int depth,
	struct json *out, struct scim_fault *fault)
{
	*out = *value;
	if (depth > BULK_DEPTH_MAX)
		return scim_fail(fault, 400, "invalidSyntax", "data is nested too deep");
	if (value->type == JSON_STRING)
		return resolve_text(exchange, &out->string, fault);
	if (value->type != JSON_OBJECT && value->type != JSON_ARRAY)
		return true;
	return resolve_items(exchange, value, depth, out, fault);
}

/* ---- results ---- */

static bool put_fault(struct json_builder *result, const struct scim_fault *fault)
{
	struct json body;
	struct error err;

	if (!scim_fault_json(&body, result->arena, fault, &err))
		return false;
	json_put(result, "response", body);
	return true;
}

static unsigned status_of(const struct directory_request *request)
{
	if (request->fault.status != 0)
		return request->fault.status;
	if (request->verb == DIRECTORY_CREATE)
		return 201;
	return request->verb == DIRECTORY_DELETE ? 204 : 200;
}

static void keep_made(struct scim_exchange *exchange)
{
	struct scim_bulk *bulk = exchange->bulk;
	struct text bulk_id = json_text_or(current(exchange), "bulkId", "");

	if (exchange->request.fault.status == 0 && bulk_id.length > 0 &&
		exchange->request.verb == DIRECTORY_CREATE)
		bulk->made[bulk->made_count++] =
			(struct made){bulk_id, json_text_or(&exchange->request.resource, "id", "")};
}

static void keep_result(struct scim_exchange *exchange)
{
	const struct directory_request *request = &exchange->request;
	const struct json *operation = current(exchange);
	const struct json *meta = json_find(&request->resource, "meta");
	struct json_builder result;
	struct json sealed;
	struct error err;

	json_object_start(&result, exchange->arena);
	json_put_text(&result, "method", json_text_or(operation, "method", ""));
	json_put_text_unless_empty(&result, "bulkId", json_text_or(operation, "bulkId", ""));
	json_put_text_unless_empty(&result, "version", json_text_or(meta, "version", ""));
	json_put_text_unless_empty(&result, "location", json_text_or(meta, "location", ""));
	json_put_text(&result, "status", text_format(exchange->arena, "%u", status_of(request)));
	if (request->fault.status != 0) {
		exchange->bulk->errors++;
		if (!put_fault(&result, &request->fault))
			result.failed = true;
	}
	keep_made(exchange);
	if (json_object_seal(&result, &sealed, &err))
		json_add(&exchange->bulk->results, sealed);
	else
		exchange->bulk->results.failed = true;
	exchange->bulk->at++;
}

static void answer(struct scim_exchange *exchange)
{
	struct json_builder object;
	struct json results, body;
	struct error err;

	scim_start_message(&object, exchange->arena, URN_RESPONSE);
	if (json_array_seal(&exchange->bulk->results, &results, &err)) {
		json_put(&object, "Operations", results);
		if (json_object_seal(&object, &body, &err)) {
			scim_answer_json(exchange, 200, &body);
			return;
		}
	}
	scim_answer_status(
		exchange, 503, NULL, "no memory for the answer; what was asked before is done");
}

/* ---- operations ---- */

static void run(struct scim_exchange *exchange);

static void on_operation(struct directory_request *request)
{
	struct scim_exchange *exchange = request->context;

	keep_result(exchange);
	exchange->bulk->is_waiting = false;
	run(exchange);
}

/* "/Users", or "/Users/ID". */
static bool read_target(struct scim_exchange *exchange, struct scim_fault *fault)
{
	struct text path = json_text_or(current(exchange), "path", "");
	struct directory_request *request = &exchange->request;

	if (path.length > 0 && path.data[0] == '/')
		path = text_after(path, 1);
	request->type = scim_type_of(scim_take_segment(&path));
	request->id = path;
	if (request->type == NULL || request->verb == DIRECTORY_NOTHING ||
		(request->verb == DIRECTORY_CREATE) != (path.length == 0))
		return scim_fail(fault, 400, "invalidPath",
			"POST is for /Users and /Groups; PUT, PATCH and DELETE for /Users/ID and "
			"/Groups/ID");
	if (request->verb == DIRECTORY_CREATE &&
		json_text_or(current(exchange), "bulkId", "").length == 0)
		return scim_fail(fault, 400, "invalidValue", "bulkId is missing");
	return resolve_text(exchange, &request->id, fault);
}

static bool read_operation(struct scim_exchange *exchange, struct scim_fault *fault)
{
	const struct json *operation = current(exchange);
	const struct json *data = json_find(operation, "data");
	struct text version = json_text_or(operation, "version", "");
	struct directory_request *request = &exchange->request;

	*request = (struct directory_request){
		.verb = scim_verb_of(json_text_or(operation, "method", "")),
		.directory = exchange->directory,
		.arena = exchange->arena,
		.done = on_operation,
		.context = exchange,
		.body = &exchange->bulk->data,
		.has_if_match = version.length > 0};
	exchange->bulk->data = json_null();
	if (!read_target(exchange, fault))
		return false;
	if (version.length > 0 && !scim_etag_read(version, &request->if_match))
		return scim_fail(fault, 412, NULL, "version is none of this service");
	if (request->verb == DIRECTORY_DELETE)
		return true;
	if (data == NULL || data->type != JSON_OBJECT)
		return scim_fail(fault, 400, "invalidSyntax", "data: an object is expected");
	return resolve(exchange, data, 0, &exchange->bulk->data, fault);
}

static bool is_over(const struct scim_bulk *bulk)
{
	return bulk->at == bulk->operations->count || bulk->errors >= bulk->errors_max;
}

/* One after the other, in a loop where they are answered at once. */
static void run(struct scim_exchange *exchange)
{
	struct scim_bulk *bulk = exchange->bulk;
	struct scim_fault fault = {0};

	if (bulk->is_running)
		return;
	bulk->is_running = true;
	while (!bulk->is_waiting && !is_over(bulk)) {
		if (read_operation(exchange, &fault)) {
			bulk->is_waiting = true;
			directory_submit(exchange->scim->directories, &exchange->request);
		} else {
			exchange->request.fault = fault;
			exchange->request.resource = json_null();
			keep_result(exchange);
		}
	}
	bulk->is_running = false;
	if (bulk->is_waiting || exchange->is_answered)
		return;
	if (exchange->is_closed) /* what was asked is done all the same */
		scim_exchange_free(exchange);
	else
		answer(exchange);
}

void scim_handle_bulk(struct scim_exchange *exchange)
{
	const struct json *operations = json_find(&exchange->body, "Operations");
	int64_t fail_on = json_integer_or(&exchange->body, "failOnErrors", 0);
	struct scim_bulk *bulk = arena_new(exchange->arena, struct scim_bulk);
	struct made *made = arena_array(exchange->arena, struct made, SCIM_OPERATIONS_MAX + 1);

	if (!scim_has_schema(&exchange->body, URN_REQUEST))
		scim_answer_status(
			exchange, 400, "invalidSyntax", "schemas: must name " URN_REQUEST);
	else if (operations == NULL || operations->type != JSON_ARRAY || operations->count == 0)
		scim_answer_status(
			exchange, 400, "invalidSyntax", "Operations: a list is expected");
	else if (operations->count > SCIM_OPERATIONS_MAX)
		scim_answer_status(exchange, 413, NULL, "too many operations: 1000 at most");
	else if (bulk == NULL || made == NULL)
		scim_answer_status(exchange, 503, NULL, "no memory for a bulk request");
	else {
		*bulk = (struct scim_bulk){.operations = operations,
			.errors_max = fail_on > 0 ? fail_on : INT64_MAX,
			.made = made};
		json_array_start(&bulk->results, exchange->arena);
		exchange->bulk = bulk;
		run(exchange);
	}
}

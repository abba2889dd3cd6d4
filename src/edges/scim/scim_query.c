/* Reading: lists, searches, and what the service says of itself. */
#include "edges/scim/scim_private.h"

#define URN_LIST "urn:ietf:params:scim:api:messages:2.0:ListResponse"
#define URN_SEARCH "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

enum { COUNT_DEFAULT = 100 };

/* What a query asks, wherever it is written. */
struct asked {
	struct text filter;
	struct text sort_by;
	struct text sort_order;
	struct text attributes;
	struct text excluded;
	int64_t first;
	int64_t count;
};

static void no_memory(struct scim_exchange *exchange)
{
	scim_answer_status(exchange, 503, NULL, "no memory for the answer");
}

/* ---- answers ---- */

static const struct scim_resource_type *type_of_resource(const struct json *resource)
{
	struct text word = json_text_or(json_find(resource, "meta"), "resourceType", "");

	return text_is(word, "Group") ? &scim_group_type : &scim_user_type;
}

/* Each resource by its own type. */
static bool select_all(struct scim_exchange *exchange, const struct asked *asked,
	const struct json *found, struct json *out)
{
	struct scim_selection selection;
	struct json_builder list;
	struct scim_fault fault;
	struct error err;

	json_array_start(&list, exchange->arena);
	for (uint32_t i = 0; i < found->count; i++) {
		const struct scim_resource_type *type = type_of_resource(&found->items[i]);
		struct json shown;

		if (!scim_selection_read(&selection, exchange->arena, type, asked->attributes,
			    asked->excluded, &fault)) {
			scim_answer_fault(exchange, &fault);
			return false;
		}
		if (!scim_select(
			    &shown, exchange->arena, type, &found->items[i], &selection, &err)) {
			no_memory(exchange);
			return false;
		}
		json_add(&list, shown);
	}
	if (json_array_seal(&list, out, &err))
		return true;
	no_memory(exchange);
	return false;
}

static void answer_list(
	struct scim_exchange *exchange, const struct json *resources, int64_t total, int64_t start)
{
	struct json_builder object;
	struct json body;
	struct error err;

	scim_start_message(&object, exchange->arena, URN_LIST);
	json_put_integer(&object, "totalResults", total);
	json_put_integer(&object, "startIndex", start);
	json_put_integer(&object, "itemsPerPage", resources->count);
	json_put(&object, "Resources", *resources);
	if (json_object_seal(&object, &body, &err))
		scim_answer_json(exchange, 200, &body);
	else
		no_memory(exchange);
}

/* ---- queries ---- */

static bool read_sort(struct scim_exchange *exchange, const struct asked *asked,
	struct directory_query *query, struct scim_path *path, struct scim_fault *fault)
{
	if (asked->sort_by.length == 0)
		return true;
	if (query->type == NULL)
		return scim_fail(fault, 501, NULL, "sorting is of one type of resource");
	query->sort = path;
	query->is_descending = scim_same_letters(asked->sort_order, TEXT("descending"));
	return scim_path_parse(path, exchange->arena, query->type, asked->sort_by, fault) &&
	       (path->attribute != NULL ||
		       scim_fail(fault, 400, "invalidPath", "an attribute is expected"));
}

static bool read_filter(struct scim_exchange *exchange, const struct asked *asked,
	struct directory_query *query, struct scim_fault *fault)
{
	if (asked->filter.length == 0)
		return true;
	if (query->type == NULL)
		return scim_fail(fault, 501, NULL, "a filter is of one type of resource");
	return scim_filter_parse(
		&query->filter, exchange->arena, query->type, asked->filter, fault);
}

/* A list under way: some of it a turn, so that others are answered meanwhile. */
struct scim_listing {
	struct loop_timer timer;
	struct directory_search *search;
	struct directory_query query;
	struct asked asked; /* its texts live in the exchange's arena */
	struct scim_path sort;
	struct scim_fault fault;
};

void scim_listing_end(struct scim_exchange *exchange)
{
	if (exchange->listing == NULL)
		return;
	loop_timer_stop(exchange->scim->loop, &exchange->listing->timer);
	directory_search_destroy(&exchange->listing->search);
	exchange->listing = NULL;
}

/* Once it is answered, whoever waits is told and the exchange is like any other. */
static void go_on(struct scim_exchange *exchange)
{
	struct scim_listing *listing = exchange->listing;
	struct json found, shown;
	int64_t total;

	switch (directory_search_step(listing->search, &found, &total)) {
	case SEARCH_IS_UNDER_WAY:
		if (loop_timer_start(exchange->scim->loop, &listing->timer, SCIM_SOON_MS))
			return;
		scim_listing_end(exchange);
		no_memory(exchange);
		return;
	case SEARCH_IS_DONE:
		scim_listing_end(exchange);
		if (select_all(exchange, &listing->asked, &found, &shown))
			answer_list(exchange, &shown, total, listing->query.first);
		return;
	case SEARCH_HAS_FAILED: break;
	}
	scim_listing_end(exchange);
	scim_answer_fault(exchange, &listing->fault);
}

static void on_due(struct loop_timer *timer)
{
	go_on(timer->context);
}

static void run(struct scim_exchange *exchange, const struct asked *asked)
{
	struct scim_listing *listing = arena_new(exchange->arena, struct scim_listing);

	if (listing == NULL) {
		no_memory(exchange);
		return;
	}
	*listing = (struct scim_listing){.asked = *asked,
		.timer = {.on_due = on_due, .context = exchange},
		.query = {.directory = exchange->directory,
			.type = exchange->type,
			.first = asked->first < 1 ? 1 : asked->first,
			.count = asked->count < 0 ? 0 : asked->count}};
	if (!read_filter(exchange, asked, &listing->query, &listing->fault) ||
		!read_sort(exchange, asked, &listing->query, &listing->sort, &listing->fault) ||
		!directory_search_create(&listing->search, exchange->scim->directories,
			&listing->query, exchange->arena, &listing->fault)) {
		scim_answer_fault(exchange, &listing->fault);
		return;
	}
	exchange->listing = listing;
	go_on(exchange);
}

/* Of a parameter; false: it is no number. */
static bool number_of(
	struct scim_exchange *exchange, const char *name, int64_t otherwise, int64_t *out)
{
	struct text value = scim_query(exchange, name);

	*out = otherwise;
	return value.length == 0 || text_to_int64(value, out);
}

void scim_handle_list(struct scim_exchange *exchange)
{
	struct asked asked = {.filter = scim_query(exchange, "filter"),
		.sort_by = scim_query(exchange, "sortBy"),
		.sort_order = scim_query(exchange, "sortOrder"),
		.attributes = scim_query(exchange, "attributes"),
		.excluded = scim_query(exchange, "excludedAttributes")};

	if (!number_of(exchange, "startIndex", 1, &asked.first) ||
		!number_of(exchange, "count", COUNT_DEFAULT, &asked.count))
		scim_answer_status(
			exchange, 400, "invalidValue", "startIndex and count are whole numbers");
	else
		run(exchange, &asked);
}

/* ["a", "b"] as "a,b". */
static struct text joined(struct scim_exchange *exchange, const char *name)
{
	const struct json *list = json_find(&exchange->body, name);
	struct text out = TEXT("");

	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count &&
			     i <= SCIM_ATTRIBUTES_MAX;
		i++)
		if (list->items[i].type == JSON_STRING)
			out = text_format(exchange->arena, "%.*s%s%.*s", TEXT_ARGS(out),
				out.length == 0 ? "" : ",", TEXT_ARGS(list->items[i].string));
	return out;
}

void scim_handle_search(struct scim_exchange *exchange)
{
	const struct json *body = &exchange->body;
	const struct asked asked = {.filter = json_text_or(body, "filter", ""),
		.sort_by = json_text_or(body, "sortBy", ""),
		.sort_order = json_text_or(body, "sortOrder", ""),
		.attributes = joined(exchange, "attributes"),
		.excluded = joined(exchange, "excludedAttributes"),
		.first = json_integer_or(body, "startIndex", 1),
		.count = json_integer_or(body, "count", COUNT_DEFAULT)};

	if (!scim_has_schema(body, URN_SEARCH))
		scim_answer_status(
			exchange, 400, "invalidSyntax", "schemas: must name " URN_SEARCH);
	else
		run(exchange, &asked);
}

/* ---- what the service says of itself ---- */

static const struct scim_resource_type *const types[] = {&scim_user_type, &scim_group_type};

static bool schema_at(struct scim_exchange *exchange, size_t at, struct json *out, struct text *id)
{
	struct error err;

	*id = text_of(scim_schemas[at]->urn);
	return scim_schema_json(out, exchange->arena, scim_schemas[at],
		directory_base(exchange->scim->directories), &err);
}

static bool type_at(struct scim_exchange *exchange, size_t at, struct json *out, struct text *id)
{
	struct error err;

	*id = text_of(types[at]->name);
	return scim_resource_type_json(
		out, exchange->arena, types[at], directory_base(exchange->scim->directories), &err);
}

static void answer_described(struct scim_exchange *exchange, struct text id, size_t count,
	bool (*at)(struct scim_exchange *, size_t, struct json *, struct text *))
{
	struct json_builder list;
	struct json one, all;
	struct text name;
	struct error err;

	json_array_start(&list, exchange->arena);
	for (size_t i = 0; i < count; i++) {
		if (!at(exchange, i, &one, &name)) {
			no_memory(exchange);
			return;
		}
		if (scim_same_letters(name, id)) {
			scim_answer_json(exchange, 200, &one);
			return;
		}
		json_add(&list, one);
	}
	if (id.length > 0)
		scim_answer_status(exchange, 404, NULL, "there is no such description");
	else if (json_array_seal(&list, &all, &err))
		answer_list(exchange, &all, all.count, 1);
	else
		no_memory(exchange);
}

static void answer_provider(struct scim_exchange *exchange)
{
	const struct scim_limits limits = {
		SCIM_OPERATIONS_MAX, SCIM_BODY_BYTES_MAX, DIRECTORY_PAGE_MAX};
	struct json body;
	struct error err;

	if (scim_provider_json(&body, exchange->arena, &limits,
		    directory_base(exchange->scim->directories), &err))
		scim_answer_json(exchange, 200, &body);
	else
		no_memory(exchange);
}

void scim_handle_discovery(struct scim_exchange *exchange, struct text what, struct text id)
{
	/* RFC 7644 §4: a filter is refused here. */
	if (scim_query(exchange, "filter").length > 0)
		scim_answer_status(exchange, 403, NULL, "descriptions are not filtered");
	else if (text_is(what, "Schemas"))
		answer_described(exchange, id, SCIM_SCHEMAS_COUNT, schema_at);
	else if (text_is(what, "ResourceTypes"))
		answer_described(exchange, id, sizeof types / sizeof *types, type_at);
	else if (id.length == 0)
		answer_provider(exchange);
	else
		scim_answer_status(exchange, 404, NULL, "there is no such description");
}

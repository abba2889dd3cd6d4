#include "edges/api/request.h"

#include <string.h>

/* Break-glass: what people do with it, and the banner that says it is open. */

enum { BANNER_BYTES_MAX = 1024 };

void handle_glass_list(struct api_request *request)
{
	const struct approve *approve = request->api->services.approve;
	const struct break_glass *glass = NULL;
	struct json_builder list, object;
	struct json items, body;
	struct error err;

	json_array_start(&list, request->arena);
	while ((glass = break_glass_next(approve, glass)) != NULL) {
		struct json item;

		if (!break_glass_json(&item, request->arena, approve, glass, &err)) {
			api_answer_problem(request, &err);
			return;
		}
		json_add(&list, item);
	}
	if (!json_array_seal(&list, &items, &err)) {
		api_answer_problem(request, &err);
		return;
	}
	json_object_start(&object, request->arena);
	json_put(&object, "items", items);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

static void on_change(void *context, uint64_t index, const struct error *err)
{
	struct api_request *request = context;
	struct json_builder object;
	struct json body;
	struct error failure;

	if (err != NULL) {
		api_answer_problem(request, err);
		return;
	}
	json_object_start(&object, request->arena);
	json_put_integer(&object, "index", (int64_t)index);
	json_put_text(&object, "break_glass", request->work.glass.out_id);
	/* The second person has yet to agree. */
	if (request->work.glass.verb == BREAK_GLASS_VERB_OPEN && !request->work.glass.is_alone)
		json_put_boolean(&object, "waits", true);
	api_answer_or_fail(request, json_object_seal(&object, &body, &failure), &body, &failure);
}

static enum break_glass_verb verb_of(const struct api_request *request)
{
	static const struct {
		const char *operation;
		enum break_glass_verb verb;
	} rows[] = {
		{"openBreakGlass", BREAK_GLASS_VERB_OPEN},
		{"agreeBreakGlass", BREAK_GLASS_VERB_AGREE},
		{"closeBreakGlass", BREAK_GLASS_VERB_CLOSE},
		{"reviewBreakGlass", BREAK_GLASS_VERB_REVIEW},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(request->route->operation, rows[i].operation) == 0)
			return rows[i].verb;
	return BREAK_GLASS_VERB_NONE;
}

void handle_glass_change(struct api_request *request)
{
	struct break_glass_request *work = &request->work.glass;
	const struct json *body = &request->body;
	struct error err;

	*work = (struct break_glass_request){.verb = verb_of(request),
		.person = request->person,
		.identity = json_text_or(body, "identity", ""),
		.tool = json_text_or(body, "tool", ""),
		.task = json_text_or(body, "task", ""),
		.ticket = json_text_or(body, "ticket", ""),
		.reason = json_text_or(body, "reason", ""),
		.minutes = json_integer_or(body, "minutes", 0),
		.is_alone = json_boolean_or(body, "alone", false),
		.proof = api_proof(request),
		.arena = request->arena,
		.context = request,
		.done = on_change};
	if (work->verb != BREAK_GLASS_VERB_OPEN)
		work->id = text_copy(request->arena, api_path(request, "id"));
	if (!break_glass_submit(request->api->services.approve, work, &err))
		api_answer_problem(request, &err);
}

/* The socket's user is told of all: who may sit there answers for the machine. */
static bool concerns(const struct api_request *request, const struct break_glass *glass)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	const struct person *person = registry_find_person(registry, request->person);

	if (request->person.length == 0)
		return request->actor.length != 0;
	return person != NULL && (text_equal(person->unit, glass->unit) ||
					 text_is(person->unit, REGISTRY_ORGANISATION));
}

struct text api_break_glass_banner(struct api_request *request)
{
	const struct approve *approve = request->api->services.approve;
	const struct break_glass *glass = NULL;
	struct buffer line;
	struct text banner = TEXT("");

	if (approve == NULL || break_glass_next(approve, NULL) == NULL)
		return banner;
	buffer_init(&line, BANNER_BYTES_MAX);
	while ((glass = break_glass_next(approve, glass)) != NULL)
		if (break_glass_is_open(approve, glass, api_now_utc_ms(request)) &&
			concerns(request, glass))
			buffer_append_format(&line, "%s%.*s of %.*s by %.*s",
				line.length == 0 ? "" : "; ", TEXT_ARGS(glass->id),
				TEXT_ARGS(glass->identity), TEXT_ARGS(glass->opener));
	if (buffer_failed(&line))
		banner = TEXT("more than can be listed: GET /v1/break-glass");
	else if (line.length > 0)
		banner = text_copy(request->arena, buffer_text(&line));
	buffer_deinit(&line);
	return banner;
}

#include "edges/api/request.h"
#include "services/graph/graph_service.h"

/* What the graph is asked.  Parameters are names of people and providers: any text. */

static bool read_number(struct api_request *request, const char *name, uint32_t most, uint32_t *out)
{
	struct text value = api_query(request, name);
	int64_t number = 0;

	*out = 0;
	if (value.length == 0)
		return true;
	if (text_to_int64(value, &number) && number >= 0 && number <= most) {
		*out = (uint32_t)number;
		return true;
	}
	api_answer_status(request, 400,
		text_format(
			request->arena, "%s: a number up to %u is expected", name, (unsigned)most)
			.data);
	return false;
}

/* False: it is answered. */
static bool read_asked(struct api_request *request, struct graph_asked *asked)
{
	*asked = (struct graph_asked){
		.from = api_query(request, "from"),
		.to = api_query(request, "to"),
		.without = api_query(request, "without"),
		.is_inherited = text_is(api_query(request, "inherited"), "true"),
		.now_utc_s = api_now_utc_ms(request) / 1000,
	};
	return api_page_size(request, &asked->count) &&
	       read_number(request, "hops", GRAPH_PATH_HOPS_MAX, &asked->hops) &&
	       read_number(request, "after", UINT32_MAX / 2, &asked->after);
}

typedef bool graph_answer(struct graph_service *service, const struct graph_asked *asked,
	struct arena *arena, struct json *out, struct error *err);

static void answer(struct api_request *request, graph_answer *ask)
{
	struct graph_asked asked;
	struct json body;
	struct error err;

	if (read_asked(request, &asked))
		api_answer_or_fail(request,
			ask(request->api->services.graph, &asked, request->arena, &body, &err),
			&body, &err);
}

void handle_graph_show(struct api_request *request)
{
	answer(request, graph_show);
}

void handle_graph_path(struct api_request *request)
{
	answer(request, graph_path);
}

void handle_graph_reach(struct api_request *request)
{
	answer(request, graph_reach);
}

void handle_excess(struct api_request *request)
{
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		graph_excess_json(request->api->services.graph, api_path(request, "name"),
			api_now_utc_ms(request) / 1000, request->arena, &body, &err),
		&body, &err);
}

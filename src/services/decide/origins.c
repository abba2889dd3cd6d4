/* Where the values of calls came from: a trace for each task that had a result, in this
 * process alone.  Swept when twice as many are kept as the last sweep left. */

#include "base/random.h"
#include "domain/flow/flow_trace.h"
#include "services/decide/decide_private.h"

enum { TRACES_SWEPT_MIN = 64 };

bool decide_traces_open(struct decide_service *service, struct error *err)
{
	struct flow_key key;

	random_bytes(&key, sizeof key);
	service->sweep_at = TRACES_SWEPT_MIN;
	return flow_traces_create(&service->traces, &key, FLOW_BYTES_MAX_DEFAULT, err);
}

static struct flow_asker asker_of(const struct decide_service *service, const struct call *call)
{
	return (struct flow_asker){
		.traces = service->traces,
		.task = task_find(service->tasks, call->task),
		.charter = registry_find_charter(service->registry, call->identity),
		.generation = registry_generation(service->registry),
	};
}

void decide_origins(
	struct decide_service *service, const struct call *call, struct flow_origins *out)
{
	struct flow_asker asker = asker_of(service, call);

	flow_origins_of(&asker, call, registry_find_tool(service->registry, call->tool), out);
}

void decide_sends(struct decide_service *service, const struct call *call, const struct json *sent)
{
	const struct tool *tool = registry_find_tool(service->registry, call->tool);
	struct flow_asker asker = asker_of(service, call);
	bool may_write =
		call->route == METHOD_ASKED || call->route == METHOD_PEER ||
		(call->route == METHOD_TOOL && (tool == NULL || tool->effect != EFFECT_READ));

	if (may_write && asker.task != NULL)
		flow_traces_write(&asker, sent);
}

static void sweep(struct decide_service *service, int64_t now_utc_ms)
{
	size_t left;

	if (flow_traces_count(service->traces) < service->sweep_at)
		return;
	flow_traces_sweep(service->traces, service->tasks, now_utc_ms);
	left = flow_traces_count(service->traces);
	service->sweep_at = left < TRACES_SWEPT_MIN ? TRACES_SWEPT_MIN : left * 2;
}

void decide_result_seen(struct decide_service *service, const struct decide_result *result)
{
	const struct call *call = result->call;
	struct flow_brought brought = {
		.task = task_find(service->tasks, call->task),
		.tool = registry_find_tool(service->registry, call->tool),
		.charter = registry_find_charter(service->registry, call->identity),
		.generation = registry_generation(service->registry),
		.trust = result->decision->is_source_trusted ? TRUST_TRUSTED : TRUST_UNTRUSTED,
		.arguments = &call->arguments,
		.result = result->result,
		.record = result->record,
	};

	/* What an error says is made of the arguments more often than not. */
	if (json_boolean_or(result->result, "isError", false)) {
		brought.tool = NULL;
		brought.trust = TRUST_UNTRUSTED;
	}
	sweep(service, result->now_utc_ms);
	if (call->route != METHOD_FILTERED && task_is_live(brought.task, result->now_utc_ms))
		flow_traces_add(service->traces, &brought);
}

static bool forget(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct decide_service *service = state;

	(void)index;
	(void)err;
	flow_traces_forget(service->traces, json_text_or(record, "task", ""));
	return true;
}

/* This process knows what was written since, and by whom else nothing. */
static bool lose(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct decide_service *service = state;

	(void)record;
	(void)err;
	flow_traces_lose(service->traces, index);
	return true;
}

bool decide_fold_register(struct fold *fold, struct decide_service *service, struct error *err)
{
	const struct fold_handler ended = {.type = "task-ended", .apply = forget, .state = service};
	const struct fold_handler started = {.type = "start", .apply = lose, .state = service};

	return fold_add(fold, &ended, err) && fold_add(fold, &started, err);
}

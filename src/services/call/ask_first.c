/* A question to people about a call that is not made yet, for a task that was opened for it
 * alone.  The decision here grants nothing: when the call comes, it is decided again, and only
 * what is exactly the same call, in the same task, finds the answer (I7). */
#include <stdlib.h>
#include <string.h>

#include "services/call/exchange.h"

struct asking_first {
	struct fold_change change;
	struct call_first *asked;
	struct arena *arena;
	struct call call;
	struct flow_origins origins;
	struct decision decision;
};

static void destroy(struct asking_first **first)
{
	if (*first == NULL)
		return;
	arena_destroy(&(*first)->arena);
	free(*first);
	*first = NULL;
}

static struct asking_first *create(const struct call_service *service, struct call_first *asked)
{
	struct asking_first *first = calloc(1, sizeof *first);

	if (first != NULL)
		first->arena = arena_create(service->settings.arena_bytes);
	if (first == NULL || first->arena == NULL) {
		destroy(&first);
		error_set(&asked->err, ERROR_LIMIT, "no memory for a question");
		return NULL;
	}
	first->asked = asked;
	return first;
}

/* ---- the call ---- */

static bool params_of(struct json *out, struct arena *arena, struct text name,
	const struct json *arguments, struct error *err)
{
	struct json_builder params;

	json_object_start(&params, arena);
	json_put_text(&params, "name", name);
	json_put(&params, "arguments", *arguments);
	return json_object_seal(&params, out, err);
}

/* Nothing of it is borrowed from the task, which the fold may change. */
static bool build_call(struct call_service *service, struct asking_first *first, struct error *err)
{
	const struct task *task = task_find(service->ports.tasks, first->asked->task);
	struct arena *arena = first->arena;
	struct json arguments, copied, params;
	struct text tool;
	ptrdiff_t slash;
	struct call_draft draft = {.method = TEXT("tools/call"), .params = &params};

	if (task == NULL || task->details == NULL ||
		!task_details_one_call(task->details, arena, &tool, &arguments))
		return error_set(err, ERROR_INVALID, "the task is not for exactly one call");
	slash = text_find_byte(tool, '/');
	draft.environment = task->environment;
	draft.identity = text_copy(arena, task->identity);
	draft.task = text_copy(arena, task->id);
	draft.server = text_copy(arena, (struct text){tool.data, (size_t)slash});
	tool = text_copy(
		arena, (struct text){tool.data + slash + 1, tool.length - (size_t)slash - 1});
	if (draft.identity.data == NULL || draft.task.data == NULL || draft.server.data == NULL ||
		tool.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a question");
	return json_copy(&copied, arena, &arguments, err) &&
	       params_of(&params, arena, tool, &copied, err) &&
	       call_build(&first->call, arena, &draft, err);
}

/* ---- asking ---- */

static void on_asked(struct fold_change *change)
{
	struct asking_first *first = change->context;
	struct call_first *asked = first->asked;

	asked->answer = change->is_durable ? CALL_FIRST_ASKED : CALL_FIRST_FAILED;
	if (!change->is_durable)
		asked->err = change->err;
	destroy(&first);
	asked->done(asked);
}

static bool submit(struct call_service *service, struct asking_first *first, struct error *err)
{
	const struct call_question question = {
		.ports = &service->ports,
		.arena = first->arena,
		.call = &first->call,
		.decision = &first->decision,
		.reason = call_shortened(first->asked->message, CALL_REASON_BYTES_MAX),
		.origins = &first->origins,
	};
	struct sha256 digest;
	struct text id;

	if (!call_question_digest(&question, &digest, err) ||
		!call_question_record(&question, &digest, &first->change, &id, err))
		return false;
	if (id.length >= sizeof first->asked->approval)
		return error_set(err, ERROR_LIMIT, "the id of the question is too long");
	memcpy(first->asked->approval, id.data, id.length);
	first->change.done = on_asked;
	first->change.context = first;
	return fold_submit(service->ports.fold, &first->change, err);
}

/* True: it is on its way, and done runs later. */
static bool ask(struct call_service *service, struct asking_first *first)
{
	struct call_first *asked = first->asked;
	struct decide_request request = {
		.call = &first->call,
		.origins = &first->origins,
		.search = DECIDE_SEARCH,
		.now_utc_ms = fold_stamp_utc_ms(service->ports.fold),
	};

	if (!build_call(service, first, &asked->err))
		return false;
	call_look_at_values(&service->ports, &first->call, &first->origins);
	decide_call(service->ports.decide, &request, first->arena, &first->decision);
	if (first->decision.verdict == VERDICT_ASK)
		return submit(service, first, &asked->err);
	if (first->decision.verdict == VERDICT_ALLOW) {
		asked->answer = CALL_FIRST_ALLOWED;
		return false;
	}
	asked->answer = CALL_FIRST_REFUSED;
	return error_set(
		&asked->err, ERROR_INVALID, "%.*s", TEXT_ARGS(first->decision.explanation));
}

void call_ask_first(struct call_service *service, struct call_first *asked)
{
	struct asking_first *first = NULL;

	asked->answer = CALL_FIRST_FAILED;
	asked->err = (struct error){0};
	memset(asked->approval, 0, sizeof asked->approval);
	first = create(service, asked);
	if (first != NULL && ask(service, first))
		return;
	destroy(&first);
	asked->done(asked);
}

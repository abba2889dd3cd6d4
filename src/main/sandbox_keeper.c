/* One request at a time, and a bounded look each turn: what is over and not yet on record
 * is refused all the same. */
#include "main/sandbox_keeper.h"

#include <stdlib.h>

#include "base/log.h"

struct sandbox_keeper {
	struct loop *loop;
	struct registrar *registrar;
	struct loop_timer timer;
	struct registrar_request request;
	struct text after; /* looked at last; empty: from the start */
	bool is_started;
	bool is_retiring;
};

static void on_retired(struct registrar_request *request)
{
	struct sandbox_keeper *keeper = request->context;

	keeper->is_retiring = false;
	if (request->err.code != ERROR_NONE)
		log_warn("sandbox_not_retired", LOG_TEXT("identity", request->name),
			LOG_STRING("why", request->err.text));
	else
		log_info("sandbox_retired", LOG_TEXT("identity", request->name));
	registrar_request_deinit(request);
}

static void look(struct sandbox_keeper *keeper)
{
	const struct registry_entry *found;
	struct error err;

	keeper->after = registrar_find_expired(
		keeper->registrar, keeper->after, SANDBOX_KEEPER_LOOKS, &found);
	if (found == NULL)
		return;
	keeper->request = (struct registrar_request){.verb = REGISTRAR_RETIRE,
		.actor = TEXT("remit"),
		.name = found->name, /* a name once there stays */
		.reason = TEXT("its time as a sandbox is over"),
		.done = on_retired,
		.context = keeper};
	keeper->is_retiring = true;
	if (!registrar_submit(keeper->registrar, &keeper->request, &err)) {
		keeper->is_retiring = false;
		log_warn("sandbox_not_retired", LOG_TEXT("identity", found->name),
			LOG_STRING("why", err.text));
	}
}

static void on_due(struct loop_timer *timer)
{
	struct sandbox_keeper *keeper = timer->context;

	if (!keeper->is_retiring)
		look(keeper);
	keeper->is_started = loop_timer_start(keeper->loop, timer,
		keeper->is_retiring ? SANDBOX_KEEPER_SOON_MS : SANDBOX_KEEPER_MS);
}

bool sandbox_keeper_create(struct sandbox_keeper **out, struct loop *loop,
	struct registrar *registrar, struct error *err)
{
	struct sandbox_keeper *keeper = calloc(1, sizeof *keeper);

	*out = NULL;
	if (keeper == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the sandboxes");
	keeper->loop = loop;
	keeper->registrar = registrar;
	keeper->timer = (struct loop_timer){.on_due = on_due, .context = keeper};
	/* At once: some may have ended while there was no daemon. */
	keeper->is_started = loop_timer_start(loop, &keeper->timer, 0);
	if (!keeper->is_started) {
		free(keeper);
		return error_set(err, ERROR_LIMIT, "no memory for the sandboxes");
	}
	*out = keeper;
	return true;
}

void sandbox_keeper_destroy(struct sandbox_keeper **keeper)
{
	if (*keeper == NULL)
		return;
	if ((*keeper)->is_started)
		loop_timer_stop((*keeper)->loop, &(*keeper)->timer);
	free(*keeper);
	*keeper = NULL;
}

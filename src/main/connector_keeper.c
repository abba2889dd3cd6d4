#include "main/connector_keeper.h"

#include <stdlib.h>

#include "main/reading_thread.h"
#include "main/secrecy.h"

struct connector_keeper {
	struct connector_keeper_parts parts;
	struct credential_listener listener;
	struct connector_fetch_edge *edge;
	struct connector_service *service;
	struct reading_thread *thread;
};

static void learn(void *context, struct text reference, struct text secret)
{
	struct connector_keeper *keeper = context;

	keeper->listener.used(keeper->listener.context, reference, secret);
}

static bool holds(void *context, struct text answer)
{
	const struct connector_keeper *keeper = context;
	const struct json whole = json_string(answer);
	struct secret_tally tally = {0};

	detector_count(keeper->parts.detector, &whole, &tally);
	return secret_tally_has(&tally, SECRET_OWN);
}

/* ---- secrets that lie in a vault ---- */

struct waiting {
	struct vault_wait wait;
	struct connector_wait *who;
};

static bool find(void *context, struct text reference, struct text *out)
{
	const struct connector_keeper *keeper = context;

	return vault_find(keeper->parts.vault, reference, out);
}

static void on_fetched(void *context, const struct error *err)
{
	struct waiting *waiting = context;
	struct connector_wait *who = waiting->who;

	who->held = NULL;
	free(waiting);
	who->run(who->context, err);
}

static bool want(
	void *context, struct text reference, struct connector_wait *wait, struct error *err)
{
	const struct connector_keeper *keeper = context;
	struct waiting *waiting = calloc(1, sizeof *waiting);

	if (waiting == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to wait for a secret");
	waiting->who = wait;
	waiting->wait = (struct vault_wait){.context = waiting, .run = on_fetched};
	wait->held = waiting;
	if (vault_want(keeper->parts.vault, reference, &waiting->wait, err))
		return true;
	wait->held = NULL;
	free(waiting);
	return false;
}

static void forget(void *context, struct connector_wait *wait)
{
	struct waiting *waiting = wait->held;

	(void)context;
	wait->held = NULL;
	vault_forget(&waiting->wait);
	free(waiting);
}

static void renounce(void *context, struct text reference)
{
	const struct connector_keeper *keeper = context;

	vault_renounce(keeper->parts.vault, reference);
}

/* ---- making ---- */

static bool make(struct connector_keeper *keeper, struct error *err)
{
	const struct connector_keeper_parts *parts = &keeper->parts;
	const struct connector_fetch_parts edge = {.loop = parts->loop,
		.http = parts->http,
		.secrets = parts->secrets,
		.vault = {keeper, find, want, forget, renounce},
		.learn = learn,
		.holds = holds,
		.context = keeper};
	struct connector_parts service = {.loop = parts->loop,
		.fold = parts->fold,
		.registry = parts->registry,
		.inventory = parts->inventory,
		.finding = parts->finding};

	if (!reading_thread_create(&keeper->thread, parts->loop, err) ||
		!connector_fetch_create(&keeper->edge, &edge, err))
		return false;
	service.fetcher = connector_fetch_port(keeper->edge);
	service.reader = reading_thread_port(keeper->thread);
	return connector_service_create(&keeper->service, &service, err);
}

bool connector_keeper_create(struct connector_keeper **out,
	const struct connector_keeper_parts *parts, struct error *err)
{
	struct connector_keeper *keeper = calloc(1, sizeof *keeper);

	*out = keeper;
	if (keeper == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for connectors");
	keeper->parts = *parts;
	keeper->listener = secrecy_credentials(parts->detector);
	if (make(keeper, err))
		return true;
	connector_keeper_destroy(out);
	return false;
}

struct connector_service *connector_keeper_service(struct connector_keeper *keeper)
{
	return keeper->service;
}

void connector_keeper_destroy(struct connector_keeper **keeper)
{
	if (*keeper == NULL)
		return;
	connector_service_destroy(&(*keeper)->service);
	reading_thread_destroy(&(*keeper)->thread);
	connector_fetch_destroy(&(*keeper)->edge);
	free(*keeper);
	*keeper = NULL;
}

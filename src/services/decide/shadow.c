/* Shadow integrations: what identities try in other units without a line that those agreed to.
 * One finding for each identity and server, or peer; each owner has a bounded share of them
 * (FINDINGS_PER_ORIGIN_MAX), so that trying many fills nobody else's. */
#include "services/decide/decide_private.h"
#include "services/finding/finding.h"

/* Refused because no edge is there, or not agreed to; whatever else, somebody knows of it. */
static bool is_about_an_edge(enum reason reason)
{
	return reason == REASON_NO_ENTITLEMENT || reason == REASON_CONSENT ||
	       reason == REASON_PEER || reason == REASON_MODEL;
}

static bool put_side(
	struct json_builder *details, const char *side, struct text kind_and_name, struct text unit)
{
	struct json_builder object;
	struct error err;
	struct json made;

	json_object_start(&object, details->arena);
	json_put_text(&object, "object", kind_and_name);
	json_put_text(&object, "unit", unit);
	if (kind_and_name.data == NULL || !json_object_seal(&object, &made, &err))
		return false;
	json_put(details, side, made);
	return true;
}

/* What is called: a peer's skill is the peer's. */
static struct text callee_of(const struct server *server, struct arena *arena)
{
	return text_format(arena, "%s/%.*s", server->speaks == SPEAKS_A2A ? "identity" : "server",
		TEXT_ARGS(server->name));
}

static void report(struct decide_service *service, const struct finding_draft *draft)
{
	struct error err;
	/* Refused ones are counted: remit_findings_refused_total. */
	bool is_taken = finding_report(service->findings, draft, &err);

	(void)is_taken;
}

void decide_report_shadow(struct decide_service *service, const struct call *call,
	struct arena *arena, const struct decision *decision)
{
	const struct charter *charter = registry_find_charter(service->registry, call->identity);
	const struct server *server = registry_find_server(service->registry, call->server);
	struct finding_draft draft = {.kind = FINDING_SHADOW_EDGE,
		.control = "G-52",
		.what = decision->explanation,
		.task = call->task};
	struct text caller, callee;
	struct json_builder details;
	struct json made;
	struct error err;

	if (service->findings == NULL || charter == NULL || server == NULL ||
		!is_about_an_edge(decision->reason) || text_equal(charter->unit, server->unit) ||
		text_is(server->unit, REGISTRY_ORGANISATION))
		return;
	caller = text_format(arena, "identity/%.*s", TEXT_ARGS(call->identity));
	callee = callee_of(server, arena);
	json_object_start(&details, arena);
	if (!put_side(&details, "from", caller, charter->unit) ||
		!put_side(&details, "to", callee, server->unit))
		return;
	json_put_text(&details, "tool", call->tool);
	json_put_cstring(&details, "reason", reason_word(decision->reason));
	if (!json_object_seal(&details, &made, &err))
		return;
	draft.details = &made;
	draft.subject = text_format(arena, "%.*s -> %.*s", TEXT_ARGS(caller), TEXT_ARGS(callee));
	draft.unit = server->unit;
	draft.causer = charter->owner;
	if (draft.subject.data != NULL)
		report(service, &draft);
}

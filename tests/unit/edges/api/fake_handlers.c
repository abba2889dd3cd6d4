/* Every handler of the table save the description, as a fake that notes it was
 * reached and answers 200: what the tests ask is who gets this far.  The linker
 * takes these instead of the real files, whose services are not needed then. */
#include "fake_handlers.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "edges/api/request.h"
#include "services/registry/registrar.h"

static atomic_uint reached;
static _Atomic(const char *) installation = "remit-one";

void handlers_set_installation(const char *name)
{
	atomic_store(&installation, name);
}

const char *handlers_installation(void)
{
	return atomic_load(&installation);
}

unsigned handlers_reached(void)
{
	return atomic_load(&reached);
}

enum { REVISION = 7 };

static atomic_uint policies;

void handlers_set_policies(unsigned count)
{
	atomic_store(&policies, count);
}

static bool seal_policy(struct arena *arena, struct text name, struct json *out)
{
	struct json_builder object;
	struct error err;

	json_object_start(&object, arena);
	json_put_cstring(&object, "object", "policy");
	json_put_text(&object, "name", name);
	json_put_cstring(&object, "text", "forbid (principal, action, resource);");
	return json_object_seal(&object, out, &err);
}

/* What waits: a change by ada of two lines, and of none that are the same. */
static void put_waiting(struct json_builder *builder, struct api_request *request)
{
	static const char waiting[] =
		"{\"cases_passed\":2,\"digest\":\"sha256:abc\",\"fields\":[{\"after\":"
		"\"head\\nnew \\u001b[2J\\ntail\\n\",\"before\":\"head\\nold\\ntail\\n\","
		"\"path\":\"text\"}],\"proposed_by\":\"person:ada\",\"version\":3}";
	struct json object = {.type = JSON_OBJECT};
	struct json parsed;
	struct error err;

	if (!json_parse(&parsed, request->arena, text_of(waiting), &json_limits_default, &err) ||
		(atomic_load(&policies) != 0 &&
			!seal_policy(request->arena, api_path(request, "name"), &object)))
		abort();
	json_put(builder, "waiting", parsed);
	json_put(builder, "object", object);
}

/* A question about a call, as far as the command line reads it. */
static void put_approval(struct json_builder *builder, struct api_request *request)
{
	static const char approval[] =
		"{\"call\":\"sha256:abc\",\"id\":\"a-1\",\"state\":\"pending\"}";
	struct json parsed;
	struct error err;

	if (!json_parse(&parsed, request->arena, text_of(approval), &json_limits_default, &err))
		abort();
	json_put(builder, "approval", parsed);
	json_put(builder, "call", (struct json){.type = JSON_OBJECT});
}

/* Nobody may approve what is named so; only a question whether one may gets to hear it, as the
 * command line must ask first. */
static bool is_not_theirs(const struct api_request *request)
{
	return json_boolean_or(&request->body, "check", false) &&
	       text_is(api_path(request, "name"), "not-yours");
}

static bool add_policy(struct json_builder *items, struct arena *arena, unsigned number)
{
	struct json_builder item;
	struct json sealed;
	struct error err;

	if (!seal_policy(arena, text_format(arena, "org/p%05u", number), &sealed))
		return false;
	json_object_start(&item, arena);
	json_put(&item, "object", sealed);
	if (!json_object_seal(&item, &sealed, &err))
		return false;
	json_add(items, sealed);
	return true;
}

/* One answer that holds what the command line looks for in any of them. */
static void answer(struct api_request *request)
{
	struct json empty = {.type = JSON_ARRAY};
	struct json_builder builder;
	struct json body;
	struct error err;

	if (is_not_theirs(request)) {
		atomic_fetch_add(&reached, 1);
		api_answer_status(request, 403, "somebody else must");
		return;
	}
	json_object_start(&builder, request->arena);
	json_put(&builder, "items", empty);
	json_put(&builder, "entitlements", empty);
	json_put_cstring(&builder, "verdict", "allow");
	json_put_integer(&builder, "total", 1);
	json_put_cstring(&builder, "code", "once-only-code");
	json_put_cstring(&builder, "token", "once-only-token");
	json_put_cstring(&builder, "installation", handlers_installation());
	json_put_cstring(&builder, "operation", request->route->operation);
	json_put_integer(&builder, "reached", (int64_t)atomic_fetch_add(&reached, 1) + 1);
	json_put_text(&builder, "actor", request->actor);
	if (json_find(&request->body, "version") != NULL)
		json_put(&builder, "version", *json_find(&request->body, "version"));
	json_put_integer(
		&builder, "if_match", request->has_if_match ? (int64_t)request->if_match : -1);
	if (request->route->handle == handle_object_show)
		put_waiting(&builder, request);
	if (request->route->handle == handle_object_show &&
		text_is(api_path(request, "name"), "killed"))
		json_put_boolean(&builder, "needs_two", true);
	if (request->route->handle == handle_approval_show)
		put_approval(&builder, request);
	if (request->route->handle == handle_approval_edit)
		json_put_cstring(&builder, "approval", "a-2");
	if (json_object_seal(&builder, &body, &err))
		api_answer_revision(request, &body, REVISION);
	else
		api_answer_problem(request, &err);
}

/* ---- a service that answers after the peer has gone ---- */

static atomic_uint late_answers;
static atomic_uint waiting;

unsigned handlers_waiting(void)
{
	return atomic_load(&waiting);
}

unsigned handlers_answered_late(void)
{
	return atomic_load(&late_answers);
}

struct late {
	struct loop_timer timer;
	struct api_request *request;
};

static void on_late(struct loop_timer *timer)
{
	struct late *late = timer->context;
	struct api_request *request = late->request;

	if (!request->is_closed) {
		if (!loop_timer_start(request->api->services.loop, timer, 1))
			abort();
		return;
	}
	/* What was asked is still there to be read. */
	if (text_is(json_text_or(&request->body, "path", ""), "late"))
		atomic_fetch_add(&late_answers, 1);
	free(late);
	atomic_fetch_sub(&waiting, 1);
	answer(request);
}

void handle_backup(struct api_request *request)
{
	struct late *late;

	if (!text_is(json_text_or(&request->body, "path", ""), "late")) {
		answer(request);
		return;
	}
	late = calloc(1, sizeof *late);
	if (late == NULL)
		abort();
	late->request = request;
	atomic_fetch_add(&waiting, 1);
	late->timer = (struct loop_timer){.on_due = on_late, .context = late};
	if (!loop_timer_start(request->api->services.loop, &late->timer, 0))
		abort();
}

void handle_enrol(struct api_request *request)
{
	if (text_is(json_text_or(&request->body, "code", ""), "wrong"))
		api_answer_status(request, 403, "no such code");
	else
		answer(request);
}

/* Policies in pages of what is asked for, each with the one where the next begins. */
static void answer_policies(struct api_request *request)
{
	struct text after = api_query(request, "after");
	struct json_builder items, builder;
	struct json list, body;
	struct error err;
	int64_t first = 0, limit = 0;
	bool ok;

	json_array_start(&items, request->arena);
	json_object_start(&builder, request->arena);
	ok = text_to_int64(api_query(request, "limit"), &limit) &&
	     (after.length == 0 || text_to_int64(after, &first));
	for (int64_t i = first; ok && i < first + limit && i < atomic_load(&policies); i++)
		ok = add_policy(&items, request->arena, (unsigned)i);
	if (!ok || !json_array_seal(&items, &list, &err))
		abort();
	json_put(&builder, "items", list);
	if (first + limit < atomic_load(&policies))
		json_put_text(&builder, "next",
			text_format(request->arena, "%lld", (long long)(first + limit)));
	if (!json_object_seal(&builder, &body, &err))
		abort();
	api_answer_revision(request, &body, REVISION);
}

void handle_object_list(struct api_request *request)
{
	if (atomic_load(&policies) != 0)
		answer_policies(request);
	else
		answer(request);
}

#define FAKE(name)                                                                                 \
	void name(struct api_request *request)                                                     \
	{                                                                                          \
		answer(request);                                                                   \
	}

FAKE(handle_installation)
FAKE(handle_whoami)
FAKE(handle_sign_in_list)
FAKE(handle_sign_in)
FAKE(handle_object_show)
FAKE(handle_plan)
FAKE(handle_apply)
FAKE(handle_sandbox_list)
FAKE(handle_sandbox_open)
FAKE(handle_invite)
FAKE(handle_export)
FAKE(handle_verb)
FAKE(handle_key_revoke)
FAKE(handle_definition_list)
FAKE(handle_definition_show)
FAKE(handle_can)
FAKE(handle_who)
FAKE(handle_why)
FAKE(handle_secret_list)
FAKE(handle_secret_set)
FAKE(handle_secret_remove)
FAKE(handle_consent_show)
FAKE(handle_consent_answer)
FAKE(handle_crossing_list)
FAKE(handle_crossing_show)
FAKE(handle_due_list)
FAKE(handle_due_done)
FAKE(handle_proof)
FAKE(handle_outlook)
FAKE(handle_task_list)
FAKE(handle_task_show)
FAKE(handle_task_end)
FAKE(handle_kill)
FAKE(handle_approval_list)
FAKE(handle_approval_show)
FAKE(handle_approval_answer)
FAKE(handle_finding_list)
FAKE(handle_finding_show)
FAKE(handle_graph_show)
FAKE(handle_graph_path)
FAKE(handle_graph_reach)
FAKE(handle_excess)
FAKE(handle_finding_report)
FAKE(handle_finding_close)
FAKE(handle_standing_list)
FAKE(handle_control_list)
FAKE(handle_control_show)
FAKE(handle_posture)
FAKE(handle_waiver_list)
FAKE(handle_waiver_ask)
FAKE(handle_waiver_approve)
FAKE(handle_waiver_end)
FAKE(handle_inventory_list)
FAKE(handle_inventory_show)
FAKE(handle_inventory_items)
FAKE(handle_inventory_begin)
FAKE(handle_inventory_part)
FAKE(handle_inventory_plan)
FAKE(handle_inventory_commit)
FAKE(handle_inventory_undo)
FAKE(handle_inventory_drafts)
FAKE(handle_inventory_draft)
FAKE(handle_containment_list)
FAKE(handle_containment_show)
FAKE(handle_refresh)
FAKE(handle_refresh_list)
FAKE(handle_refresh_show)
FAKE(handle_contain)
FAKE(handle_release)
FAKE(handle_approval_edit)
FAKE(handle_approval_how)
FAKE(handle_token_key_list)
FAKE(handle_token_key_rotate)
FAKE(handle_glass_list)
FAKE(handle_glass_change)
FAKE(handle_review_list)
FAKE(handle_review_show)
FAKE(handle_review_items)
FAKE(handle_review_start)
FAKE(handle_review_decide)
FAKE(handle_review_delegate)
FAKE(handle_review_report)
FAKE(handle_record_list)
FAKE(handle_record_show)
FAKE(handle_record_why)
FAKE(handle_kill_receipt)
FAKE(handle_record_receipt)
FAKE(handle_trace)
FAKE(handle_owner_list)
FAKE(handle_directory_list)
FAKE(handle_directory_token)
FAKE(handle_directory_confirm)
FAKE(handle_directory_import)
FAKE(handle_trust_list)
FAKE(handle_hops)
FAKE(handle_audit_head)

/* The one question the edge asks of the registry: adm administers. */
const struct registry *registrar_registry(const struct registrar *registrar)
{
	(void)registrar;
	return NULL;
}

/* By the linker (--wrap), for a program that holds the registry too. */
bool __wrap_registry_may_about(const struct registry *registry, struct text actor,
	enum people_action action, const struct people_resource *resource, struct error *err);
bool __wrap_registry_may_about(const struct registry *registry, struct text actor,
	enum people_action action, const struct people_resource *resource, struct error *err)
{
	(void)registry;
	(void)err;
	return text_is(actor, "person:adm") && action == PEOPLE_ADMINISTER &&
	       resource->about == PEOPLE_ABOUT_INSTALLATION;
}

void registrar_request_deinit(struct registrar_request *request)
{
	(void)request;
}

/* Who asks for `whoami` of the unit that broke it sees that it is open. */
struct text api_break_glass_banner(struct api_request *request)
{
	return request->route->handle == handle_whoami ? TEXT("g-1 of agent by bo") : TEXT("");
}

/* A person who would accept other arguments.  Two records: the question about the call with
 * those arguments, then, once that is folded, the answer `edited` that closes the first.
 * Between the two the first is held, so that nobody else answers it.  Nothing is approved by
 * it: the new question is answered like any other, and only a call with exactly its
 * arguments finds it.
 *
 * So it is decided as that call will be: by the same origins of its values and the same look
 * for secrets.  Who writes a value vouches for it with their yes, like anybody who is asked,
 * and not by writing it: a guardrail that no yes lifts is not lifted by an edit. */

#include <stdlib.h>

#include "services/call/exchange.h"

struct editing {
	struct fold_change change;
	struct approve *approve;
	struct approve_request answer; /* its texts in the arena */
	struct arena *arena;
	struct call call;
	struct flow_origins origins; /* of its values, as the agent's call would have them */
	struct decision decision;
	struct sha256 digest;
};

static void editing_destroy(struct editing **editing)
{
	if (*editing == NULL)
		return;
	arena_destroy(&(*editing)->arena);
	free(*editing);
	*editing = NULL;
}

/* False: it is closed for nobody, and others may answer it. */
static bool submit_answer(struct editing *editing, struct error *err)
{
	if (approve_answer(editing->approve, &editing->answer, err))
		return true;
	approve_answer_release(editing->approve, editing->answer.id);
	return false;
}

static void on_asked(struct fold_change *change)
{
	struct editing *editing = change->context;
	const struct approve_request *answer = &editing->answer;
	struct error err = change->err;

	if (!change->is_durable)
		approve_answer_release(editing->approve, answer->id);
	if ((!change->is_durable || !submit_answer(editing, &err)) && answer->done != NULL)
		answer->done(answer->context, 0, &err);
	editing_destroy(&editing);
}

static bool copy_text(struct arena *arena, struct text from, struct text *out, struct error *err)
{
	*out = text_copy(arena, from);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no room for the edit");
}

static bool copy_answer(struct editing *editing, const struct call_edit *edit, struct error *err)
{
	struct approve_request *answer = &editing->answer;
	struct arena *arena = editing->arena;

	answer->verb = ANSWER_EDIT;
	answer->context = edit->context;
	answer->done = edit->done;
	return copy_text(arena, edit->id, &answer->id, err) &&
	       copy_text(arena, edit->person, &answer->person, err) &&
	       copy_text(arena, edit->reason, &answer->reason, err) &&
	       copy_text(arena, edit->proof.signature, &answer->proof.signature, err) &&
	       copy_text(arena, edit->proof.body, &answer->proof.body, err);
}

static bool editing_create(struct editing **out, const struct call_service *service,
	const struct call_edit *edit, struct error *err)
{
	struct editing *editing = calloc(1, sizeof *editing);

	*out = NULL;
	if (editing != NULL)
		editing->arena = arena_create(service->settings.arena_bytes);
	if (editing == NULL || editing->arena == NULL)
		error_set(err, ERROR_LIMIT, "no memory for an edit");
	else if (copy_answer(editing, edit, err))
		*out = editing;
	if (*out == NULL) {
		editing_destroy(&editing);
		return false;
	}
	editing->approve = service->ports.approve;
	editing->change.done = on_asked;
	editing->change.context = editing;
	return true;
}

/* ---- the arguments -------------------------------------------------------------------- */

/* RFC 7396.  Depth is that of what was parsed. */
static bool merge(struct json *out, struct arena *arena, const struct json *target,
	const struct json *patch, struct error *err)
{
	struct json_builder merged;
	uint32_t i;

	if (patch->type != JSON_OBJECT) {
		*out = *patch;
		return true;
	}
	json_object_start(&merged, arena);
	for (i = 0; target != NULL && target->type == JSON_OBJECT && i < target->count; i++)
		if (json_find_text(patch, target->members[i].name) == NULL)
			json_put_named(&merged, target->members[i].name, target->members[i].value);
	for (i = 0; i < patch->count; i++) {
		const struct json_member *member = &patch->members[i];
		struct json value;

		if (member->value.type == JSON_NULL)
			continue;
		if (!merge(&value, arena,
			    target == NULL ? NULL : json_find_text(target, member->name),
			    &member->value, err))
			return false;
		json_put_named(&merged, member->name, value);
	}
	return json_object_seal(&merged, out, err);
}

/* What was asked about, from beside its record. */
static bool read_asked(struct call_service *service, struct editing *editing,
	const struct approval *approval, struct json *out, struct error *err)
{
	const struct call_contents *contents = &service->ports.contents;
	const struct json *arguments = out;
	struct text plain;

	if (contents->open == NULL)
		return error_set(err, ERROR_NOT_FOUND, "what was asked about is not kept here");
	if (!contents->open(
		    contents->context, approval->asked_index, editing->arena, &plain, err) ||
		!json_parse(out, editing->arena, plain, &call_card_limits, err))
		return false;
	if (approval->facts.has_card)
		arguments = json_find(out, "arguments");
	if (arguments == NULL || arguments->type != JSON_OBJECT)
		return error_set(err, ERROR_CORRUPT, "what was asked about cannot be read");
	*out = *arguments;
	return true;
}

/* params of the method, around these arguments. */
static bool params_of(struct json *out, struct arena *arena, const struct approval *approval,
	const struct json *arguments, struct error *err)
{
	struct text name = approval->tool;
	struct json_builder params;

	if (!text_is(approval->method, "tools/call")) {
		*out = *arguments;
		return true;
	}
	name.data += approval->server.length + 1;
	name.length -= approval->server.length + 1;
	json_object_start(&params, arena);
	json_put_text(&params, "name", name);
	json_put(&params, "arguments", *arguments);
	return json_object_seal(&params, out, err);
}

/* A model's request is a conversation: what is merged into one is another one. */
static bool may_be_edited(const struct approval *approval, struct error *err)
{
	if (method_find(approval->method)->route != METHOD_MODEL)
		return true;
	return error_set(err, ERROR_INVALID,
		"approval %.*s is about a request to a model, which has no other arguments: "
		"approve "
		"it, or reject it with a reason that says what you would accept",
		TEXT_ARGS(approval->id));
}

/* The agent is told what would be accepted, so no secret of ours may be written there. */
static bool tells_no_secret(
	const struct call_service *service, const struct json *with, struct error *err)
{
	struct secret_tally tally = {0};

	if (service->ports.detector == NULL)
		return true;
	detector_count(service->ports.detector, with, &tally);
	return !secret_tally_has(&tally, SECRET_OWN) ||
	       error_set(err, ERROR_INVALID,
		       "what you wrote holds a secret, and the agent would be told: leave it out");
}

/* The call as it would be; nothing of it is borrowed from the approval, which the fold may
 * change. */
static bool build_call(struct call_service *service, struct editing *editing,
	const struct approval *approval, const struct json *with, struct error *err)
{
	struct json asked, arguments, params;
	struct call_draft draft = {
		.environment = environment_of(approval->facts.environment), .params = &params};

	return may_be_edited(approval, err) && tells_no_secret(service, with, err) &&
	       read_asked(service, editing, approval, &asked, err) &&
	       merge(&arguments, editing->arena, &asked, with, err) &&
	       params_of(&params, editing->arena, approval, &arguments, err) &&
	       copy_text(editing->arena, approval->identity, &draft.identity, err) &&
	       copy_text(editing->arena, approval->task, &draft.task, err) &&
	       copy_text(editing->arena, approval->server, &draft.server, err) &&
	       copy_text(editing->arena, approval->method, &draft.method, err) &&
	       call_build(&editing->call, editing->arena, &draft, err);
}

/* ---- deciding ------------------------------------------------------------------------- */

static bool decide_edit(struct call_service *service, struct editing *editing, struct error *err)
{
	const struct decide_request request = {
		.call = &editing->call,
		.origins = &editing->origins,
		.search = DECIDE_SEARCH,
		.now_utc_ms = fold_stamp_utc_ms(service->ports.fold),
	};

	call_look_at_values(&service->ports, &editing->call, &editing->origins);
	decide_call(service->ports.decide, &request, editing->arena, &editing->decision);
	if (editing->decision.verdict == VERDICT_ASK)
		return true;
	if (editing->decision.verdict == VERDICT_ALLOW)
		return error_set(err, ERROR_INVALID,
			"with these arguments nobody needs to approve it: reject it, and say so");
	return error_set(err, ERROR_INVALID, "with these arguments it would be refused: %.*s",
		TEXT_ARGS(editing->decision.explanation));
}

/* The question that has these arguments: one that is open already, or a new one, whose record
 * change then is. */
static bool find_question(struct call_service *service, struct editing *editing,
	const struct approval *edits, struct error *err)
{
	const struct call_question asked = {
		.ports = &service->ports,
		.arena = editing->arena,
		.call = &editing->call,
		.decision = &editing->decision,
		.edits = edits,
		.editor = editing->answer.person,
		.origins = &editing->origins,
	};
	const struct approval *open;

	if (!call_question_digest(&asked, &editing->digest, err))
		return false;
	if (sha256_equal(&editing->digest, &edits->call_digest))
		return error_set(
			err, ERROR_INVALID, "these are the arguments that were asked about");
	open = approve_find_call(
		service->ports.approve, &editing->digest, fold_stamp_utc_ms(service->ports.fold));
	if (open != NULL)
		return copy_text(editing->arena, open->id, &editing->answer.edited, err);
	return call_question_record(
		&asked, &editing->digest, &editing->change, &editing->answer.edited, err);
}

static bool compose(struct call_service *service, struct editing *editing, struct call_edit *edit,
	struct error *err)
{
	const struct approval *approval = approval_find(service->ports.approve, edit->id);

	return build_call(service, editing, approval, edit->with, err) &&
	       decide_edit(service, editing, err) &&
	       find_question(service, editing, approval, err) &&
	       copy_text(edit->arena, editing->answer.edited, &edit->approval, err);
}

/* The question first, if it is not there yet.  Takes *editing, if it is taken. */
static bool submit(struct call_service *service, struct editing **editing, struct error *err)
{
	if ((*editing)->change.entry.data == NULL)
		return approve_answer(service->ports.approve, &(*editing)->answer, err);
	if (!fold_submit(service->ports.fold, &(*editing)->change, err))
		return false;
	*editing = NULL; /* on_asked frees it */
	return true;
}

bool call_edit_submit(struct call_service *service, struct call_edit *edit, struct error *err)
{
	struct editing *editing = NULL;
	bool ok = editing_create(&editing, service, edit, err) &&
		  approve_answer_hold(service->ports.approve, &editing->answer, err);

	if (ok) {
		editing->answer.is_held = true;
		ok = compose(service, editing, edit, err) && submit(service, &editing, err);
		if (!ok)
			approve_answer_release(service->ports.approve, editing->answer.id);
	}
	editing_destroy(&editing);
	return ok;
}

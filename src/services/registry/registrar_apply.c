/* apply: a plan made at this moment, allowed, and written as one record. */
#include "domain/audit/envelope.h"
#include "services/registry/registrar_private.h"

/* ---- may they ---- */

/* Whether what providers hold of it is still held to be its data. */
static bool is_found_at(const struct data_source *source, struct text at)
{
	for (uint32_t i = 0; i < source->at_count; i++)
		if (text_equal(source->at[i], at))
			return true;
	return false;
}

static bool is_let_go(const struct data_source *before, const struct data_source *after)
{
	for (uint32_t i = 0; i < before->at_count; i++)
		if (!is_found_at(after, before->at[i]))
			return true;
	return false;
}

/* Whether the data of a unit lie more open after it. */
static bool is_opened(const struct data_source *before, const struct data_source *after)
{
	return sensitivity_level(after->sensitivity) < sensitivity_level(before->sensitivity) ||
	       (after->trust == TRUST_TRUSTED && before->trust != TRUST_TRUSTED) ||
	       (after->ids == IDS_OPEN && before->ids != IDS_OPEN) ||
	       (before->concerns & ~after->concerns) != 0 ||
	       after->environment != before->environment ||
	       !text_equal(after->custodian, before->custodian) ||
	       !text_equal(after->unit, before->unit) || is_let_go(before, after);
}

static bool is_new(const struct registrar *registrar, const struct plan_change *change)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, change->kind, change->name);

	return entry == NULL || entry->in_force == NULL;
}

/* Whoever administers remit does not decide over the data of units, as soon as there are two
 * who do.  What is taken out could be put in anew, as anything.  Whoever named a custodian, whom
 * the unit has not agreed to, writes that as what is new. */
static enum people_action action_of(
	const struct registrar *registrar, const struct plan_change *change, struct text actor)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, change->kind, change->name);

	if (change->kind != OBJECT_DATA_SOURCE || registrar_is_founding(registrar))
		return PEOPLE_WRITE;
	if (is_new(registrar, change) || text_equal(entry->more->named_by, actor))
		return PEOPLE_WRITE;
	return change->after == NULL ||
			       is_opened(entry->in_force->data_source, change->after->data_source)
		       ? PEOPLE_OPEN
		       : PEOPLE_WRITE;
}

/* Before a charter is in force, those answer whom the new one names; of new data its unit's owners
 * and administrators, for who is named answers for nothing yet. */
static bool may_write(const struct registry *registry, enum people_action action,
	const struct plan_change *change, struct text actor, struct error *err)
{
	const struct registry_entry *entry = registry_find(registry, change->kind, change->name);
	struct people_resource resource = {.kind = change->kind, .name = change->name};

	if (entry != NULL && entry->in_force != NULL) {
		resource = registry_resource_of_entry(registry, entry);
		if (change->kind == OBJECT_DATA_SOURCE && text_equal(entry->more->named_by, actor))
			resource.custodian = entry->in_force->data_source->custodian;
		return registry_may_about(registry, actor, action, &resource, err);
	}
	if (change->after != NULL)
		resource = registry_resource_of(registry, change->after);
	resource.custodian = TEXT("");
	return registry_may_about(registry, actor, action, &resource, err);
}

static bool check_author(const struct registrar *registrar, const struct plan_change *change,
	struct text actor, struct error *err)
{
	enum people_action action = action_of(registrar, change, actor);
	struct error cause = {0};
	static const char who_may[] = "who may: ";
	const char *who = NULL;

	if (may_write(registrar->registry, action, change, actor, &cause))
		return true;
	who = strstr(cause.text, who_may);
	return error_set(err, ERROR_INVALID, "forbidden: %.*s may not change %s %.*s%s; %s may",
		TEXT_ARGS(actor), object_kind_word(change->kind), TEXT_ARGS(change->name),
		action == PEOPLE_OPEN ? " so that its data lie more open" : "",
		who == NULL ? "another person" : who + sizeof who_may - 1);
}

static bool check_approver(const struct registrar *registrar, const struct plan_change *change,
	struct text actor, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, change->kind, change->name);

	return registry_may(registrar->registry, actor, PEOPLE_APPROVE, entry, err) ||
	       error_set(err, ERROR_INVALID,
		       "forbidden: %.*s may not approve %s %.*s; an approver of its unit or of "
		       "org, or an administrator, may, who did not propose it",
		       TEXT_ARGS(actor), object_kind_word(change->kind), TEXT_ARGS(change->name));
}

bool registrar_check_actor(
	struct registrar *registrar, struct registrar_request *request, struct error *err)
{
	const struct plan *plan = request->plan;
	bool ok = true;

	for (size_t i = 0; ok && i < plan->changes_count; i++)
		ok = (plan->changes[i].is_approval ? check_approver : check_author)(
			registrar, &plan->changes[i], request->actor, err);
	return ok;
}

/* ---- what is written ---- */

static void put_in_force(struct written_change *written, const struct plan_change *planned)
{
	struct registry_change *change = &written->change;

	written_change_drop(written, change->in_force);
	change->in_force = change->version;
	change->consents = (struct text){NULL, 0};
	change->owner_in_force = (struct text){NULL, 0};
	change->acknowledged = 0;
	change->units_asked = UNITS_ASKED;
	if (planned->kind == OBJECT_IDENTITY)
		change->state = IDENTITY_ACTIVE;
	if (planned->kind == OBJECT_UNIT && object_charter(planned->after) == NULL)
		change->approved_by = (struct text){NULL, 0}; /* there is no template any more */
}

static void write_put(struct written_change *written, const struct plan_change *planned,
	const struct registrar_request *request)
{
	struct registry_change *change = &written->change;
	bool is_identity = planned->kind == OBJECT_IDENTITY;

	written->object = planned->after;
	change->version++;
	written_change_drop_waiting(written);
	if (!planned->needs_approval) {
		if (is_identity)
			change->authored_by = request->actor;
		put_in_force(written, planned);
		return;
	}
	change->waiting = change->version;
	change->waiting_state =
		is_identity && request->options.is_draft ? IDENTITY_DRAFT : IDENTITY_PROPOSED;
	change->proposed_by = request->actor;
	if (is_identity && change->in_force == 0)
		change->state = change->waiting_state;
	if (object_is_proposed(planned->kind) || object_is_ceded(planned->kind))
		change->proposed_utc_ms = request->options.now_utc_ms;
	if (object_is_proposed(planned->kind))
		change->cases_passed = request->options.cases_passed;
}

/* The end of what is in force, which waits like a new version. */
static void write_proposed_removal(
	struct written_change *written, const struct registrar_request *request)
{
	struct registry_change *change = &written->change;

	written_change_drop_waiting(written);
	change->version++;
	change->waiting = change->version;
	change->is_removal = true;
	change->waiting_state = IDENTITY_PROPOSED;
	change->proposed_by = request->actor;
	change->proposed_utc_ms = request->options.now_utc_ms;
	change->cases_passed = request->options.cases_passed;
}

static void write_removal(struct written_change *written)
{
	struct registry_change *change = &written->change;

	written_change_drop_waiting(written);
	if (change->kind == OBJECT_IDENTITY) { /* its last charter stays, to explain */
		change->state = IDENTITY_RETIRED;
		change->needs_two = false;
		return;
	}
	written_change_drop(written, change->in_force);
	change->in_force = 0;
	change->named_by = (struct text){NULL, 0};
}

static struct text named_by(const struct registrar *registrar, const struct registry_entry *entry,
	const struct object *after, struct text actor)
{
	struct error unused;
	struct custody custody = registrar_custody(registrar, &unused);

	custody.actor = actor;
	return registrar_is_founding(registrar)
		       ? TEXT("")
		       : custody_names(&custody, entry, after->data_source);
}

/* What waits is asked about again but for what its units agreed to before.  What comes into force
 * at once is a sandbox, which was nothing before. */
static bool carry_consents(struct registrar *registrar, const struct plan_change *planned,
	const struct registry_entry *entry, struct written_change *written, struct error *err)
{
	const struct next_version next = {
		.object = planned->after, .version = written->change.waiting};

	if (planned->kind != OBJECT_IDENTITY || written->object == NULL || next.version == 0)
		return true;
	return registrar_carry_consents(
		registrar, entry, &next, &written->change.waiting_consents, err);
}

static bool write_change(struct registrar *registrar, const struct plan_change *planned,
	const struct registrar_request *request, struct written_change *written, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, planned->kind, planned->name);

	*written = (struct written_change){0};
	if (entry != NULL)
		*written = written_change_of(registrar, entry);
	written->change.kind = planned->kind;
	written->change.name = planned->name;
	if (planned->is_approval)
		written_change_approve(written, entry);
	else if (planned->action == PLAN_REMOVE && planned->needs_approval)
		write_proposed_removal(written, request);
	else if (planned->action == PLAN_REMOVE)
		write_removal(written);
	else
		write_put(written, planned, request);
	if (planned->kind == OBJECT_DATA_SOURCE && planned->after != NULL)
		written->change.named_by =
			named_by(registrar, entry, planned->after, request->actor);
	return carry_consents(registrar, planned, entry, written, err);
}

bool registrar_write_plan(
	struct registrar *registrar, const struct registrar_request *request, struct error *err)
{
	const struct plan *plan = request->plan;
	struct json_builder record;
	struct people_events events;
	struct written_change *changes =
		arena_array(registrar->arena, struct written_change, plan->changes_count);

	if (changes == NULL)
		return error_set(err, ERROR_LIMIT, "the change is too large");
	people_events_start(&events, registrar);
	for (size_t i = 0; i < plan->changes_count; i++) {
		if (!write_change(registrar, &plan->changes[i], request, &changes[i], err) ||
			!people_events_follow(&events, &changes[i], plan->changes[i].after, err))
			return false;
	}
	registrar_record_start(registrar, &record, "registry", request->actor);
	if (!people_events_put(&events, &record, err))
		return false;
	if (request->verb == REGISTRAR_REGISTER)
		json_put_cstring(&record, "code", request->code_used);
	return registrar_record_finish(registrar, &record, changes, plan->changes_count, err);
}

/* Of a charter that was made here: nobody wrote its file and lines. */
static bool check_opening(const struct problem *first, struct error *err)
{
	ptrdiff_t colon = text_find_byte(first->field, ':');
	struct text field = first->field;

	if (colon > 0 && (size_t)colon + 2 < field.length)
		field = (struct text){field.data + colon + 2, field.length - (size_t)colon - 2};
	return error_set(err, ERROR_INVALID, "%.*s: %.*s%s%.*s", TEXT_ARGS(field),
		TEXT_ARGS(first->what), first->remedy.length == 0 ? "" : "; ",
		TEXT_ARGS(first->remedy));
}

static bool check_plan(
	const struct registrar_request *request, const struct plan *plan, struct error *err)
{
	const struct problem *first = &plan->problems.items[0];

	if (plan->problems.total == 0)
		return true;
	if (request->verb != REGISTRAR_APPLY)
		return check_opening(first, err);
	return error_set(err, ERROR_INVALID, "%zu problems, the first: %.*s:%u: %.*s: %.*s",
		plan->problems.total, TEXT_ARGS(first->file), first->line, TEXT_ARGS(first->field),
		TEXT_ARGS(first->what));
}

bool registrar_plan(
	struct registrar *registrar, struct registrar_request *request, struct error *err)
{
	request->options.now_utc_ms = fold_stamp_utc_ms(registrar->fold);
	request->options.is_founding = registrar_is_founding(registrar);
	request->options.is_alone = registrar_is_alone(registrar);
	request->options.is_opening = request->verb == REGISTRAR_OPEN_SANDBOX;
	request->options.actor = request->actor;
	request->options.excess = registrar->excess;
	return registry_plan(&request->plan, registrar->registry, request->sources,
		       request->sources_count, &request->options, err) &&
	       check_plan(request, request->plan, err);
}

static bool check_match(const struct registrar *registrar, const struct registrar_request *request,
	struct error *err)
{
	return !request->has_if_match ||
	       request->if_match == registry_revision(registrar->registry) ||
	       error_set(err, ERROR_CONFLICT, "the registry changed: it is at revision %llu",
		       (unsigned long long)registry_revision(registrar->registry));
}

static bool run_stage(struct registrar *registrar, struct registrar_request *request,
	enum apply_stage stage, struct error *err)
{
	switch (stage) {
	case APPLY_COMPOSE:
		return check_match(registrar, request, err) &&
		       (request->compose == NULL || request->compose(request, err));
	case APPLY_PLAN: return registrar_plan(registrar, request, err);
	case APPLY_CHECK: return registrar_check_actor(registrar, request, err);
	case APPLY_WRITE: return registrar_write_plan(registrar, request, err);
	}
	return error_set(err, ERROR_INTERNAL, "no such stage");
}

enum prepared_as registrar_apply_stage(
	struct registrar *registrar, struct registrar_request *request, enum apply_stage stage)
{
	struct error err = {0};

	if (!run_stage(registrar, request, stage, &err))
		return registrar_refuse(request, &err);
	if (stage == APPLY_WRITE)
		return PREPARED_RECORD;
	return stage == APPLY_CHECK && (request->plan->changes_count == 0 || request->is_check)
		       ? PREPARED_NOTHING
		       : PREPARED_SO_FAR;
}

enum prepared_as registrar_prepare_apply(
	struct registrar *registrar, struct registrar_request *request)
{
	enum prepared_as prepared = PREPARED_SO_FAR;

	for (enum apply_stage stage = APPLY_COMPOSE; prepared == PREPARED_SO_FAR; stage++)
		prepared = registrar_apply_stage(registrar, request, stage);
	return prepared;
}

/* Makes a plan: documents → objects → what differs from the registry → what is
 * wrong with the result.
 *
 * Invariants:
 * 1. the registry is only read;
 * 2. a document equal to what is in force, or to what waits, changes nothing, so
 *    planning an export is empty;
 * 3. nothing is removed unless pruning was asked for;
 * 4. what needs two either waits or is the approval of what another person proposed,
 *    but for the first ever (is_alone);
 * 5. a template for sandboxes waits, always: it is the approval of all that is opened
 *    from it;
 * 6. what leaves a unit waits, and until then counts as what it is. */
#include "services/registry/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "domain/charter/name_table.h"
#include "domain/charter/policy_check.h"
#include "domain/charter/reference.h"
#include "services/registry/plan_accounts.h"
#include "services/registry/plan_administrators.h"
#include "services/registry/plan_approvers.h"
#include "services/registry/plan_cession.h"
#include "services/registry/plan_diff.h"
#include "services/registry/plan_guardrails.h"
#include "services/registry/plan_issuers.h"
#include "services/registry/plan_notes.h"
#include "services/registry/plan_outputs.h"
#include "services/registry/plan_people.h"
#include "services/registry/plan_sandboxes.h"
#include "services/registry/plan_ways.h"

enum { KINDS = OBJECT_KIND_COUNT };

/* A plan and what is needed while it is made. */
struct planned {
	struct plan plan; /* first: a plan is its maker */
	const struct registry *registry;
	struct custodians *custodians; /* of it */
	struct plan_options options;
	struct name_table *named[KINDS]; /* documents by name */
	const struct object **objects;   /* held */
	struct text *files;              /* of each object */
	size_t objects_count;
	const struct object **partial; /* held; what was read with problems */
	struct text *partial_files;
	size_t partial_count;
	struct plan_change *changes;
	struct plan_waiting *waiting;
};

/* ---- reading documents ---- */

static bool check_amount(const struct plan_source *sources, size_t count, struct error *err)
{
	size_t bytes = 0;

	if (count > PLAN_SOURCES_MAX)
		return error_set(err, ERROR_LIMIT, "%zu files, where %d is the most", count,
			PLAN_SOURCES_MAX);
	for (size_t i = 0; i < count; i++)
		bytes += sources[i].yaml.length;
	if (bytes > PLAN_BYTES_MAX)
		return error_set(
			err, ERROR_LIMIT, "%zu bytes, where %d is the most", bytes, PLAN_BYTES_MAX);
	return true;
}

static void keep_object(struct planned *planned, struct object *object, struct text file)
{
	struct problems *problems = &planned->plan.problems;
	struct place place = {.file = file, .line = object->as_read.line, .field = object->name};
	const struct object *held = object;

	if (planned->objects_count == PLAN_OBJECTS_MAX) {
		problem_add(problems, place, NULL, "more than %d documents", PLAN_OBJECTS_MAX);
		object_release(&held);
		return;
	}
	planned->files[planned->objects_count] = file;
	planned->objects[planned->objects_count++] = object;
	if (name_table_find(planned->named[object->kind], object->name) != NULL)
		problem_add(problems, place, "write one of the two", "%s %.*s is written twice",
			object_kind_word(object->kind), TEXT_ARGS(object->name));
	else if (!name_table_put(planned->named[object->kind], object->name, object))
		problem_add(problems, place, NULL, "no memory for it");
}

/* It changes nothing, but it is there, and what it names is looked for. */
static void keep_partial(struct planned *planned, struct object *object, struct text file)
{
	const struct object *held = object;

	if (planned->partial_count == PROBLEMS_MAX ||
		name_table_find(planned->named[object->kind], object->name) != NULL ||
		!name_table_put(planned->named[object->kind], object->name, object)) {
		object_release(&held);
		return;
	}
	planned->partial_files[planned->partial_count] = file;
	planned->partial[planned->partial_count++] = object;
}

static void read_document(struct planned *planned, struct json document, struct text file)
{
	struct plan *plan = &planned->plan;
	struct object *object;

	if (!planned->options.is_provisioning)
		plan_keep_directory(&document, planned->registry, plan->arena);
	if (object_parse_partial(&object, &document, file, &plan->problems))
		keep_object(planned, object, file);
	else if (object != NULL)
		keep_partial(planned, object, file);
}

static void read_source(struct planned *planned, const struct plan_source *source)
{
	struct plan *plan = &planned->plan;
	struct text file = text_copy(plan->arena, source->file);
	struct json_limits limits = json_limits_default;
	struct yaml_documents documents;
	struct error cause = {0};
	const char *name = file.data == NULL ? "" : file.data;

	limits.size_bytes = PLAN_BYTES_MAX;
	limits.values = UINT32_C(10) * 1000 * 1000;
	if (!yaml_parse(&documents, plan->arena, source->yaml, name, &limits, &cause)) {
		problem_add_syntax(&planned->plan.problems, text_of(name), &cause);
		return;
	}
	for (size_t i = 0; i < documents.count; i++)
		read_document(planned, documents.items[i], text_of(name));
}

static void read_documents(struct planned *planned)
{
	const struct plan_options *options = &planned->options;

	for (size_t i = 0; i < options->documents_count; i++)
		read_document(planned, options->documents[i], options->documents_file);
}

/* ---- the world as it would be ---- */

static const struct object *newest(const struct registry_entry *entry)
{
	if (entry == NULL || entry->state == IDENTITY_RETIRED)
		return NULL;
	if (object_is_ceded(entry->kind))
		return entry->in_force;
	return entry->waiting != NULL ? entry->waiting : entry->in_force;
}

/* Pruning spares administrators: a folder that forgot them must not lock
 * everyone out.  And sandboxes, which are in nobody's folder. */
static bool is_spared(const struct registry_entry *entry)
{
	if (entry->kind == OBJECT_IDENTITY && entry->in_force != NULL &&
		charter_is_sandbox(charter_of(entry->in_force)))
		return true;
	return entry->kind == OBJECT_PERSON && entry->in_force != NULL &&
	       person_has_role(entry->in_force->person, "administrator");
}

static bool is_pruned(const struct planned *planned, const struct registry_entry *entry)
{
	if (planned->options.is_publish && entry->kind != OBJECT_POLICY)
		return false;
	return planned->options.is_prune && newest(entry) != NULL && !is_spared(entry) &&
	       name_table_find(planned->named[entry->kind], entry->name) == NULL;
}

bool proposal_has_expired(const struct registry_entry *entry, int64_t now_utc_ms)
{
	static const int64_t lifetime_ms = (int64_t)PROPOSAL_LIFETIME_DAYS * 24 * 3600 * 1000;

	return (object_is_proposed(entry->kind) || object_is_ceded(entry->kind)) &&
	       entry->waiting_version != 0 &&
	       now_utc_ms - entry->more->proposed_utc_ms >= lifetime_ms;
}

/* What waits of it is approved by this very request, if it is what was meant. */
static bool is_approving(const struct planned *planned, const struct registry_entry *entry)
{
	return planned->options.is_publish && object_needs_two(entry->kind) &&
	       !text_equal(planned->options.actor, entry->more->proposed_by);
}

static bool is_removal_waiting(const struct planned *planned, const struct registry_entry *entry)
{
	return entry->is_removal && !proposal_has_expired(entry, planned->options.now_utc_ms);
}

static struct plan_cession cession_of(const struct planned *planned)
{
	return (struct plan_cession){.registry = planned->registry,
		.custodians = planned->custodians,
		.arena = planned->plan.arena,
		.actor = planned->options.actor,
		.author = planned->options.actor,
		.is_founding = planned->options.is_founding};
}

static struct custody custody_of(const struct planned *planned, struct error *err)
{
	return (struct custody){.registry = planned->registry,
		.custodians = planned->custodians,
		.actor = planned->options.actor,
		.err = err};
}

/* It leaves a unit that has not agreed. */
static bool is_ceding(const struct planned *planned, const struct registry_entry *entry,
	const struct object *after)
{
	const struct plan_cession cession = cession_of(planned);

	return plan_cession_waits(&cession, entry, after);
}

/* Pruned, and yet in force until another person has agreed. */
static bool is_staying(const struct planned *planned, const struct registry_entry *entry)
{
	if (object_is_ceded(entry->kind))
		return is_ceding(planned, entry, NULL);
	if (!object_needs_two(entry->kind) || entry->in_force == NULL)
		return false;
	return !(is_removal_waiting(planned, entry) && is_approving(planned, entry));
}

static const struct object *find_in_world(void *context, enum object_kind kind, struct text name)
{
	const struct planned *planned = context;
	const struct object *written = name_table_find(planned->named[kind], name);
	const struct registry_entry *entry;

	if (written != NULL)
		return written;
	entry = registry_find(planned->registry, kind, name);
	if (entry == NULL)
		return NULL;
	if (is_pruned(planned, entry))
		return is_staying(planned, entry) ? entry->in_force : NULL;
	return newest(entry);
}

struct name_visit {
	bool (*visit)(void *visitor, struct text name);
	void *visitor;
};

static bool visit_entry_name(void *context, const struct registry_entry *entry)
{
	const struct name_visit *visit = context;

	return visit->visit(visit->visitor, entry->name);
}

static void each_name(void *context, enum object_kind kind,
	bool (*visit)(void *visitor, struct text name), void *visitor)
{
	const struct planned *planned = context;
	struct name_visit each = {visit, visitor};

	for (size_t i = 0; i < planned->objects_count; i++)
		if (planned->objects[i]->kind == kind && !visit(visitor, planned->objects[i]->name))
			return;
	registry_each(planned->registry, kind, (struct text){NULL, 0}, visit_entry_name, &each);
}

/* ---- comparing ---- */

/* An administrator is one everywhere. */
static bool has_role_of_unit(const struct person *person)
{
	return person->roles_count > (person_has_role(person, "administrator") ? 1U : 0U);
}

/* A role that was not there, a higher clearance, or roles that count somewhere
 * else: they count in the person's unit. */
static bool is_raised(const struct person *before, const struct person *after)
{
	int old_level = before == NULL ? 0 : ceiling_level(before->clearance);
	int new_level = ceiling_level(after->clearance);

	if (new_level > old_level)
		return true;
	if (before != NULL && has_role_of_unit(after) && !text_equal(before->unit, after->unit))
		return true;
	for (uint32_t i = 0; i < after->roles_count; i++) {
		bool had = false;

		for (uint32_t j = 0; before != NULL && j < before->roles_count; j++)
			had = had || text_equal(before->roles[j], after->roles[i]);
		if (!had)
			return true;
	}
	return false;
}

static bool needs_approval(const struct planned *planned, const struct registry_entry *entry,
	const struct object *after)
{
	const struct object *in_force = entry == NULL ? NULL : entry->in_force;

	if (after->kind == OBJECT_IDENTITY)
		return !planned->options.is_opening;
	if (after->kind == OBJECT_UNIT)
		return plan_has_new_template(in_force, after);
	if (object_is_ceded(after->kind))
		return entry != NULL && is_ceding(planned, entry, after);
	if (object_needs_two(after->kind))
		return !planned->options.is_alone;
	if (after->kind != OBJECT_PERSON || planned->options.is_founding)
		return false;
	return is_raised(in_force == NULL ? NULL : in_force->person, after->person);
}

static bool same_document(const struct object *a, const struct object *b)
{
	return a != NULL && sha256_equal(&a->digest, &b->digest);
}

/* The document is what waits, and that can still be approved. */
static bool is_what_waits(const struct planned *planned, const struct registry_entry *entry,
	const struct object *object)
{
	return same_document(entry->waiting, object) &&
	       !proposal_has_expired(entry, planned->options.now_utc_ms);
}

enum plan_action plan_proposed_action(const struct registry_entry *entry)
{
	return entry->is_removal         ? PLAN_REMOVE
	       : entry->in_force == NULL ? PLAN_CREATE
					 : PLAN_CHANGE;
}

static void note_waiting(
	struct planned *planned, const struct registry_entry *entry, bool is_otherwise)
{
	if (entry->waiting_state == IDENTITY_PROPOSED &&
		!proposal_has_expired(entry, planned->options.now_utc_ms))
		planned->waiting[planned->plan.waiting_count++] = (struct plan_waiting){
			.action = plan_proposed_action(entry),
			.is_otherwise = is_otherwise,
			.kind = entry->kind,
			.name = text_copy(planned->plan.arena, entry->name),
			.proposed_by = text_copy(planned->plan.arena, entry->more->proposed_by)};
}

/* True if the document changes nothing of the entry. */
static bool is_as_it_is(const struct planned *planned, const struct registry_entry *entry,
	const struct object *object)
{
	if (same_document(entry->in_force, object))
		return true;
	if (object_is_ceded(entry->kind) && !is_ceding(planned, entry, object))
		return false;
	return is_what_waits(planned, entry, object) && !is_approving(planned, entry);
}

/* What it was before, for people: of what needs two, what is in force. */
static const struct object *before_of(const struct registry_entry *entry)
{
	if (entry == NULL)
		return NULL;
	return object_is_proposed(entry->kind) ? entry->in_force : newest(entry);
}

/* Adds what one document changes; false if it changes nothing. */
static bool compare_object(struct planned *planned, size_t at)
{
	const struct object *after = planned->objects[at];
	const struct registry_entry *entry =
		registry_find(planned->registry, after->kind, after->name);
	struct plan_change *change = &planned->changes[planned->plan.changes_count];
	struct place place = {planned->files[at], after->as_read.line, after->name};

	if (entry != NULL && entry->state == IDENTITY_RETIRED) {
		problem_add(&planned->plan.problems, place, "choose a new name",
			"identity %.*s is retired; its name is never used again",
			TEXT_ARGS(after->name));
		return false;
	}
	if (entry != NULL && is_as_it_is(planned, entry, after)) {
		note_waiting(planned, entry, !is_what_waits(planned, entry, after));
		return false;
	}
	*change = (struct plan_change){.kind = after->kind, .name = after->name, .after = after};
	change->before = before_of(entry);
	change->action = change->before == NULL ? PLAN_CREATE : PLAN_CHANGE;
	change->is_approval = entry != NULL && !object_is_ceded(after->kind) &&
			      is_what_waits(planned, entry, after);
	if (change->is_approval)
		change->author = text_copy(planned->plan.arena, entry->more->proposed_by);
	else
		change->needs_approval = needs_approval(planned, entry, after);
	planned->plan.changes_count++;
	return true;
}

static void compare_all(struct planned *planned)
{
	for (size_t i = 0; i < planned->objects_count; i++)
		if (!compare_object(planned, i))
			planned->plan.unchanged_count++;
}

static bool add_removal(void *context, const struct registry_entry *entry)
{
	struct planned *planned = context;
	struct plan_change *change;

	if (!is_pruned(planned, entry))
		return true;
	if (is_removal_waiting(planned, entry) && is_staying(planned, entry)) {
		note_waiting(planned, entry, false);
		planned->plan.unchanged_count++;
		return true;
	}
	change = &planned->changes[planned->plan.changes_count++];
	*change = (struct plan_change){.action = PLAN_REMOVE,
		.kind = entry->kind,
		.name = text_copy(planned->plan.arena, entry->name),
		.before = entry->in_force != NULL && object_needs_two(entry->kind) ? entry->in_force
										   : newest(entry),
		.needs_approval = is_staying(planned, entry),
		.is_approval = object_needs_two(entry->kind) && is_removal_waiting(planned, entry)};
	if (change->is_approval)
		change->author = text_copy(planned->plan.arena, entry->more->proposed_by);
	return true;
}

/* ---- who could agree ---- */

/* Whose people answer: of what is in force, else of what waits. */
static const struct object *answering(const struct planned *planned, enum object_kind kind,
	struct text name, const struct object *otherwise)
{
	const struct registry_entry *entry = registry_find(planned->registry, kind, name);

	if (entry != NULL && entry->in_force != NULL)
		return entry->in_force;
	return otherwise != NULL || entry == NULL ? otherwise : entry->waiting;
}

/* Of those of what leaves a unit. */
static bool name_ceders(struct planned *planned, struct error *err)
{
	struct plan_cession cession = cession_of(planned);

	for (size_t i = 0; i < planned->plan.changes_count; i++) {
		struct plan_change *change = &planned->changes[i];

		if (change->needs_approval && object_is_ceded(change->kind) &&
			!plan_cession_names(&cession,
				registry_find(planned->registry, change->kind, change->name),
				change->after, &change->approvers, &change->approvers_count, err))
			return false;
	}
	for (size_t i = 0; i < planned->plan.waiting_count; i++) {
		struct plan_waiting *waiting = &planned->waiting[i];
		const struct registry_entry *entry =
			registry_find(planned->registry, waiting->kind, waiting->name);

		cession.author = waiting->proposed_by;
		if (object_is_ceded(waiting->kind) &&
			!plan_cession_names(&cession, entry, entry->waiting, &waiting->approvers,
				&waiting->approvers_count, err))
			return false;
	}
	return true;
}

static bool name_approvers(struct planned *planned, struct error *err)
{
	struct plan_approvers all = {.registry = planned->registry, .arena = planned->plan.arena};

	for (size_t i = 0; i < planned->plan.changes_count; i++) {
		struct plan_change *change = &planned->changes[i];

		if (change->needs_approval && plan_has_approvers(change->kind) &&
			!plan_find_approvers(&all,
				answering(planned, change->kind, change->name, change->after),
				planned->options.actor, &change->approvers,
				&change->approvers_count, err))
			return false;
	}
	for (size_t i = 0; i < planned->plan.waiting_count; i++) {
		struct plan_waiting *waiting = &planned->waiting[i];

		if (plan_has_approvers(waiting->kind) &&
			!plan_find_approvers(&all,
				answering(planned, waiting->kind, waiting->name, NULL),
				waiting->proposed_by, &waiting->approvers,
				&waiting->approvers_count, err))
			return false;
	}
	return true;
}

static int compare_names(
	enum object_kind a_kind, struct text a, enum object_kind b_kind, struct text b)
{
	if (a_kind != b_kind)
		return a_kind < b_kind ? -1 : 1;
	return text_compare(a, b);
}

static int compare_changes(const void *left, const void *right)
{
	const struct plan_change *a = left, *b = right;

	return compare_names(a->kind, a->name, b->kind, b->name);
}

static int compare_waiting(const void *left, const void *right)
{
	const struct plan_waiting *a = left, *b = right;

	return compare_names(a->kind, a->name, b->kind, b->name);
}

/* ---- checking the result ---- */

static bool is_unchanged(const struct planned *planned, const struct object *object)
{
	const struct registry_entry *entry =
		registry_find(planned->registry, object->kind, object->name);

	return entry != NULL && is_as_it_is(planned, entry, object);
}

static struct reference_world world_of(struct planned *planned)
{
	return (struct reference_world){.context = planned,
		.find = find_in_world,
		.each_name = each_name,
		.now_utc_s = planned->options.now_utc_ms / 1000};
}

static void check_references(struct planned *planned)
{
	struct reference_world world = world_of(planned);

	for (size_t i = 0; i < planned->objects_count; i++) {
		if (is_unchanged(planned, planned->objects[i]))
			continue;
		references_check(
			planned->objects[i], &world, planned->files[i], &planned->plan.problems);
		plan_check_ways(planned->objects[i], planned->files[i], &planned->plan.problems);
		plan_check_sandbox(planned->registry, planned->objects[i],
			&(struct plan_sandbox){planned->options.is_opening, planned->files[i]},
			&planned->plan.problems);
		plan_check_people(
			planned->objects[i], &world, planned->files[i], &planned->plan.problems);
		if (!planned->options.is_provisioning)
			plan_check_directory(planned->objects[i], planned->registry,
				planned->files[i], &planned->plan.problems);
	}
	for (size_t i = 0; i < planned->partial_count; i++)
		references_check(planned->partial[i], &world, planned->partial_files[i],
			&planned->plan.problems);
}

/* A document that says nothing new was right when it was taken; an installation that
 * is older than validation keeps what it has. */
static bool check_policies(struct planned *planned, struct error *err)
{
	struct policy_checker *checker = NULL;
	bool ok = policy_checker_create(&checker, err);

	for (size_t i = 0; ok && i < planned->objects_count; i++)
		ok = is_unchanged(planned, planned->objects[i]) ||
		     policy_check_problems(checker, planned->objects[i], planned->files[i],
			     &planned->plan.problems, err);
	policy_checker_destroy(&checker);
	return ok;
}

/* Publishing is of guardrails alone. */
static void check_published(struct planned *planned)
{
	for (size_t i = 0; planned->options.is_publish && i < planned->objects_count; i++) {
		const struct object *object = planned->objects[i];
		struct place place = {planned->files[i], object->as_read.line, object->name};

		if (object->kind != OBJECT_POLICY)
			problem_add(&planned->plan.problems, place, "apply it",
				"only guardrails are published; this is of kind %s",
				object_kind_word(object->kind));
	}
}

struct referrer {
	const struct planned *planned;
	const struct plan_change *removed;
	const struct registry_entry *found;
};

static bool names_removed(void *context, const struct registry_entry *entry)
{
	struct referrer *referrer = context;
	const struct object *object =
		find_in_world((void *)(uintptr_t)referrer->planned, entry->kind, entry->name);

	if (object != NULL &&
		object_refers_to(object, referrer->removed->kind, referrer->removed->name))
		referrer->found = entry;
	return referrer->found == NULL;
}

/* What is removed must not be named by anything that stays. */
static void check_removals(struct planned *planned)
{
	for (size_t i = 0; i < planned->plan.changes_count; i++) {
		const struct plan_change *change = &planned->plan.changes[i];
		struct referrer referrer = {.planned = planned, .removed = change};
		struct place place = {.field = change->name};

		if (change->action != PLAN_REMOVE)
			continue;
		registry_each(planned->registry, OBJECT_NONE, (struct text){NULL, 0}, names_removed,
			&referrer);
		if (referrer.found != NULL)
			problem_add(&planned->plan.problems, place,
				is_pruned(planned, referrer.found)
					? "keep it until another person approved the removal of "
					  "what names it"
					: "change what names it, or keep it",
				"%s %.*s would be removed, but %s %.*s names it",
				object_kind_word(change->kind), TEXT_ARGS(change->name),
				object_kind_word(referrer.found->kind),
				TEXT_ARGS(referrer.found->name));
	}
}

/* ---- what is recorded only ---- */

const struct unenforced_field unenforced_fields[] = {
	{"identity", "entitlements[].resource", "data sources have no door of their own yet", NULL,
		"data-source:"},
	{"identity", "impact", "for people to read", NULL, NULL},
	{"identity", "affects", "for people to read", NULL, NULL},
	{"unit", "purpose", "for people to read", NULL, NULL},
	{"data-source", "location", "for people to read", NULL, NULL},
	{"data-source", "environment",
		"compared with the charter when planned; at each call only of a sandbox", NULL,
		NULL},
	{"tool", "reversal", "shown to policies; there is no undo yet", NULL, NULL},
	{"policy", "level", "mandatory and default are both always in force", NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static bool has_value(
	const struct json *object, const char *member, const struct unenforced_field *field)
{
	const struct json *value = json_find(object, member);
	struct text text = value != NULL && value->type == JSON_STRING ? value->string : TEXT("");

	if (value == NULL || (field->but != NULL && text_starts_with(text, field->but)) ||
		(field->only != NULL && !text_starts_with(text, field->only)))
		return false;
	return value->type != JSON_ARRAY || value->count != 0;
}

/* Of a member, or of "list[].member". */
static bool has_field(const struct json *document, const struct unenforced_field *field)
{
	const char *brackets = strstr(field->field, "[].");
	const struct json *list;

	if (brackets == NULL)
		return has_value(document, field->field, field);
	list = json_find_text(
		document, (struct text){field->field, (size_t)(brackets - field->field)});
	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		if (has_value(&list->items[i], brackets + 3, field))
			return true;
	return false;
}

static bool is_used(const struct planned *planned, const struct unenforced_field *field)
{
	for (size_t i = 0; i < planned->objects_count; i++)
		if (text_is(text_of(object_kind_word(planned->objects[i]->kind)), field->kind) &&
			has_field(&planned->objects[i]->as_read, field))
			return true;
	return false;
}

static bool note_unenforced(struct planned *planned, struct error *err)
{
	size_t count = 0;
	const struct unenforced_field **used;

	while (unenforced_fields[count].kind != NULL)
		count++;
	used = arena_array(planned->plan.arena, const struct unenforced_field *, count);
	if (used == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	planned->plan.unenforced = used;
	for (size_t i = 0; i < count; i++)
		if (is_used(planned, &unenforced_fields[i]))
			used[planned->plan.unenforced_count++] = &unenforced_fields[i];
	return true;
}

/* ---- guardrails ---- */

static bool is_of_organisation(const struct object *object)
{
	return object != NULL && object->kind == OBJECT_POLICY &&
	       text_is(object_unit(object), REGISTRY_ORGANISATION);
}

static bool find_guardrail(void *context, const struct registry_entry *entry)
{
	bool *found = context;

	*found = is_of_organisation(entry->in_force) || is_of_organisation(entry->waiting);
	return !*found;
}

static void note_unguarded(struct planned *planned)
{
	bool has_guardrail = false, has_charter = false;

	registry_each(planned->registry, OBJECT_POLICY, TEXT(""), find_guardrail, &has_guardrail);
	for (size_t i = 0; i < planned->plan.changes_count; i++) {
		const struct object *after = planned->changes[i].after;

		has_guardrail = has_guardrail || is_of_organisation(after);
		has_charter = has_charter || (after != NULL && after->kind == OBJECT_IDENTITY);
	}
	planned->plan.is_unguarded = has_charter && !has_guardrail;
}

/* ---- the plan ---- */

static bool planned_create(struct planned **out, const struct registry *registry, struct error *err)
{
	struct planned *planned = calloc(1, sizeof *planned);
	struct arena *arena;

	*out = planned;
	if (planned == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	planned->registry = registry;
	arena = arena_create(PLAN_ARENA_BYTES_MAX);
	planned->plan.arena = arena;
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	if (!custodians_create(&planned->custodians, registry, err))
		return false;
	planned->plan.problems.arena = arena;
	planned->objects = arena_array(arena, const struct object *, PLAN_OBJECTS_MAX);
	planned->files = arena_array(arena, struct text, PLAN_OBJECTS_MAX);
	planned->partial = arena_array(arena, const struct object *, PROBLEMS_MAX);
	planned->partial_files = arena_array(arena, struct text, PROBLEMS_MAX);
	for (unsigned kind = OBJECT_IDENTITY; kind < KINDS; kind++) {
		planned->named[kind] = name_table_create();
		if (planned->named[kind] == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a plan");
	}
	if (planned->objects == NULL || planned->files == NULL || planned->partial == NULL ||
		planned->partial_files == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	return true;
}

static bool find_changes(struct planned *planned, struct error *err)
{
	size_t most = planned->objects_count + 1;

	if (planned->options.is_prune)
		most += registry_count(planned->registry, OBJECT_NONE);
	planned->changes = arena_array(planned->plan.arena, struct plan_change, most);
	planned->waiting = arena_array(planned->plan.arena, struct plan_waiting, most);
	planned->plan.waiting = planned->waiting;
	if (planned->changes == NULL || planned->waiting == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	compare_all(planned);
	if (planned->options.is_prune)
		registry_each(planned->registry, OBJECT_NONE, (struct text){NULL, 0}, add_removal,
			planned);
	qsort(planned->changes, planned->plan.changes_count, sizeof *planned->changes,
		compare_changes);
	qsort(planned->waiting, planned->plan.waiting_count, sizeof *planned->waiting,
		compare_waiting);
	planned->plan.changes = planned->changes;
	for (size_t i = 0; i < planned->plan.changes_count; i++)
		if (!plan_diff(&planned->changes[i], planned->plan.arena, err))
			return false;
	return name_approvers(planned, err) && name_ceders(planned, err);
}

/* What changes refer to in the registry stays as long as the plan does. */
static void hold_changes(struct planned *planned)
{
	for (size_t i = 0; i < planned->plan.changes_count; i++)
		if (planned->changes[i].before != NULL)
			(void)object_acquire(planned->changes[i].before);
}

bool registry_plan(struct plan **out, const struct registry *registry,
	const struct plan_source *sources, size_t count, const struct plan_options *options,
	struct error *err)
{
	struct planned *planned = NULL;
	struct plan *plan = NULL;
	struct plan_documents documents;
	struct reference_world world;
	struct custody custody;
	struct error unused;
	bool ok = false;

	*out = NULL;
	if (!check_amount(sources, count, err) || !planned_create(&planned, registry, err))
		goto done;
	planned->options = *options;
	planned->plan.revision = registry_revision(registry);
	for (size_t i = 0; i < count; i++)
		read_source(planned, &sources[i]);
	read_documents(planned);
	ok = find_changes(planned, err);
	if (planned->changes != NULL)
		hold_changes(planned);
	if (!ok)
		goto done;
	check_published(planned);
	check_references(planned);
	check_removals(planned);
	world = world_of(planned);
	custody = custody_of(planned, &unused);
	documents =
		(struct plan_documents){planned->objects, planned->files, planned->objects_count};
	plan_check_administrators(&planned->plan, registry, &documents);
	plan_check_issuers(&planned->plan, registry, &documents);
	ok = plan_check_sign_ins(&planned->plan, registry, &documents, err) &&
	     plan_check_accounts(&planned->plan, registry, &documents, err) &&
	     check_policies(planned, err) &&
	     plan_check_guardrails(&planned->plan, registry, &documents, err) &&
	     plan_note_outputs(&planned->plan, find_in_world, planned, err) &&
	     plan_note_more(&planned->plan, registry, &world,
		     options->is_founding ? NULL : &custody, err) &&
	     plan_note_excess(&planned->plan, &options->excess, options->now_utc_ms / 1000, err) &&
	     note_unenforced(planned, err);
	if (!ok)
		goto done;
	note_unguarded(planned);
	*out = &planned->plan;
	planned = NULL;
done:
	plan = planned == NULL ? NULL : &planned->plan;
	plan_destroy(&plan);
	return ok;
}

void plan_destroy(struct plan **plan)
{
	struct planned *planned;

	if (*plan == NULL)
		return;
	planned = (struct planned *)*plan;
	for (size_t i = 0; planned->changes != NULL && i < planned->plan.changes_count; i++)
		object_release(&planned->changes[i].before);
	for (size_t i = 0; i < planned->objects_count; i++)
		object_release(&planned->objects[i]);
	for (size_t i = 0; i < planned->partial_count; i++)
		object_release(&planned->partial[i]);
	for (unsigned kind = OBJECT_IDENTITY; kind < KINDS; kind++)
		name_table_destroy(&planned->named[kind], NULL);
	custodians_destroy(&planned->custodians);
	arena_destroy(&planned->plan.arena);
	free(planned);
	*plan = NULL;
}

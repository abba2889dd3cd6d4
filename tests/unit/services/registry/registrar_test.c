#include "services/registry/registrar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/ceiling.h"
#include "remit/cedar.h"
#include "services/registry/plan_administrators.h"
#include "services/registry/plan_guardrails.h"
#include "support/governed.h"

static const char a1_changed[] =
	"object: identity\nname: a1\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Reads and sorts tickets\n"
	"environments: [staging]\n";
static const char a1_taken_over[] =
	"object: identity\nname: a1\nkind: agent\nclass: update\nrisk: low\nowner: rey\n"
	"backup-owner: bo\nunit: support\npurpose: Something else\nenvironments: [staging]\n";

/* adi is administrator; the world is applied, a1 waits. */
static int set_up(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);

	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	*state = governed;
	return 0;
}

static int tear_down(void **state)
{
	struct governed *governed = *state;

	governed_deinit(governed);
	free(governed);
	return 0;
}

static const struct registry_entry *entry_of(
	const struct governed *governed, enum object_kind kind, const char *name)
{
	return registry_find(governed->registry, kind, text_of(name));
}

static const struct registry_entry *a1(const struct governed *governed)
{
	return entry_of(governed, OBJECT_IDENTITY, "a1");
}

static bool step(struct governed *governed, const char *person, enum registrar_verb verb)
{
	return governed_step(governed, person, verb, "a1");
}

/* ---- applying ---- */

static void a_stranger_applies_nothing(void **state)
{
	struct governed *governed = *state;
	size_t count = governed->log.count;

	assert_false(governed_apply(governed, "nobody", "object: unit\nname: hr\n"));
	assert_true(governed->last.is_forbidden);
	assert_false(governed_apply(governed, "ana", "object: unit\nname: hr\n"));
	assert_true(governed->last.is_forbidden);
	assert_false(governed_apply(governed, "uid:0", "object: unit\nname: hr\n"));
	assert_true(governed->last.is_forbidden);
	assert_false(governed_apply(governed, "rey", a1_changed));
	assert_true(governed->last.is_forbidden);
	assert_int_equal(governed->log.count, count);
}

static void what_has_a_problem_changes_nothing(void **state)
{
	struct governed *governed = *state;
	size_t count = governed->log.count;
	uint64_t revision = registry_revision(governed->registry);

	assert_false(governed_apply(governed, "adi",
		"object: unit\nname: hr\n---\nobject: unit\nname: fin\ncolour: red\n"));
	assert_int_equal(governed->last.err.code, ERROR_INVALID);
	assert_int_equal(governed->last.plan->problems.total, 1);
	assert_int_equal(governed->last.plan->problems.items[0].line, 6);
	assert_int_equal(governed->log.count, count);
	assert_int_equal(registry_revision(governed->registry), revision);
	assert_null(registry_find_unit(governed->registry, TEXT("hr")));
}

enum { GUARDRAIL_BYTES = 64 * 1024 - 256 };

static bool approve_guardrail(struct governed *governed, int number)
{
	struct text name = text_format(governed->arena, "support/g%d", number);

	return governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_POLICY, name.data);
}

/* So many guardrails of one unit, of that many bytes each, from number `from` on. */
static struct buffer guardrails_yaml(int from, int count, size_t bytes)
{
	static const char policy[] = "forbid (principal, action, resource) when { false };";
	struct buffer yaml;

	buffer_init(&yaml, PLAN_BYTES_MAX);
	for (int i = from; i < from + count; i++) {
		buffer_append_format(
			&yaml, "---\nobject: policy\nname: support/g%d\ntext: \"%s//", i, policy);
		buffer_append_format(&yaml, "%0*d\"\n", (int)(bytes - sizeof policy - 1), 0);
	}
	buffer_append_byte(&yaml, '\0');
	assert_false(buffer_failed(&yaml));
	return yaml;
}

static bool propose_guardrails(struct governed *governed, int from, int count, size_t bytes)
{
	struct buffer yaml = guardrails_yaml(from, count, bytes);
	bool ok = governed_apply(governed, "adi", yaml.data);

	buffer_deinit(&yaml);
	return ok;
}

static bool publish_guardrails(struct governed *governed, struct text yaml)
{
	struct plan_source source = {TEXT("guardrails.yaml"), yaml};

	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
					      .actor = TEXT("person:eva"),
					      .sources = &source,
					      .sources_count = 1,
					      .options = {.is_publish = true}});
}

/* And another puts them in force, all in one record. */
static bool apply_guardrails(struct governed *governed, int from, int count, size_t bytes)
{
	struct buffer yaml = guardrails_yaml(from, count, bytes);
	bool ok = governed_apply(governed, "adi", yaml.data) &&
		  publish_guardrails(governed, text_of(yaml.data));

	buffer_deinit(&yaml);
	return ok;
}

static size_t guardrails_in_force(const struct governed *governed)
{
	return cedar_policy_set_count(
		guardrails_policies(registry_guardrails(governed->registry, TEXT("support"))));
}

/* Each is right by itself; what is in force stays, and who applied is told. */
static void guardrails_that_are_too_much_together_leave_the_old_ones(void **state)
{
	struct governed *governed = *state;
	const int whole = UNIT_POLICIES_BYTES_MAX / GUARDRAIL_BYTES;
	const size_t rest = UNIT_POLICIES_BYTES_MAX % GUARDRAIL_BYTES;
	const int part = PLAN_BYTES_MAX / GUARDRAIL_BYTES - 1;
	int done = 0;

	for (; done + part < whole; done += part)
		assert_true(apply_guardrails(governed, done, part, GUARDRAIL_BYTES));
	assert_true(apply_guardrails(governed, done, whole - done, GUARDRAIL_BYTES));
	assert_false(apply_guardrails(governed, whole, 1, rest + 1));
	assert_non_null(strstr(governed->last.plan->problems.items[0].what.data,
		"the guardrails of support would be"));
	assert_int_equal(guardrails_in_force(governed), whole);
	assert_null(entry_of(governed, OBJECT_POLICY, "support/last"));
	assert_true(apply_guardrails(governed, whole, 1, rest - 1));
	assert_true(apply_guardrails(governed, whole, 1, rest));
	assert_int_equal(guardrails_in_force(governed), whole + 1);
	assert_false(fold_has_failed(governed->fold));
}

/* What only waits makes no room for what another approves in the same request. */
static void what_is_approved_must_fit_with_what_stays_until_it_is_approved(void **state)
{
	struct governed *governed = *state;
	const int whole = UNIT_POLICIES_BYTES_MAX / GUARDRAIL_BYTES;
	const int part = PLAN_BYTES_MAX / GUARDRAIL_BYTES - 1;
	struct buffer joining, shorter[2];
	struct text both[2];
	int done = 0;

	for (; done + part < whole; done += part)
		assert_true(apply_guardrails(governed, done, part, GUARDRAIL_BYTES));
	assert_true(apply_guardrails(governed, done, whole - done, GUARDRAIL_BYTES));
	joining = guardrails_yaml(whole, 1, GUARDRAIL_BYTES);
	for (size_t i = 0; i < 2; i++) {
		shorter[i] = guardrails_yaml(0, 1, 100 + i);
		both[i] = text_format(governed->arena, "%s%s", shorter[i].data, joining.data);
		buffer_deinit(&shorter[i]);
	}
	buffer_deinit(&joining);
	assert_true(governed_apply(governed, "adi", both[0].data));
	assert_false(publish_guardrails(governed, both[1]));
	assert_non_null(strstr(governed->last.plan->problems.items[0].what.data,
		"the guardrails of support would be"));
	assert_int_equal(guardrails_in_force(governed), whole);
	assert_true(publish_guardrails(governed, both[0]));
	assert_int_equal(guardrails_in_force(governed), whole + 1);
	assert_false(fold_has_failed(governed->fold));
}

/* Two that were each proposed when the other was not in force: the second cannot join. */
static void what_waits_must_fit_with_what_came_into_force_meanwhile(void **state)
{
	struct governed *governed = *state;
	const int whole = UNIT_POLICIES_BYTES_MAX / GUARDRAIL_BYTES;
	const int part = PLAN_BYTES_MAX / GUARDRAIL_BYTES - 1;
	int done = 0;

	for (; done + part < whole; done += part)
		assert_true(apply_guardrails(governed, done, part, GUARDRAIL_BYTES));
	assert_true(propose_guardrails(governed, done, whole - done, GUARDRAIL_BYTES));
	assert_true(apply_guardrails(governed, whole, 1, GUARDRAIL_BYTES));
	for (int i = done; i < whole - 1; i++)
		assert_true(approve_guardrail(governed, i));
	assert_false(approve_guardrail(governed, whole - 1));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_non_null(strstr(governed->last.err.text, "the guardrails of support would be"));
	assert_int_equal(guardrails_in_force(governed), whole);
	assert_false(fold_has_failed(governed->fold));
}

/* Broken, or read by a newer language: the application and the guardrail that are in force
 * go on. */
static void a_policy_set_that_cannot_be_loaded_leaves_the_old_one(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *application;
	const struct application_rules *rules;

	assert_true(governed_apply_by_two(governed, "adi",
		"object: policy\nname: support/stop\ntext: "
		"'forbid (principal, action, resource);'\n---\n"
		"object: application\nname: shop\nunit: support\n"
		"schema: 'entity U; action a appliesTo {principal: U, resource: U};'\n"
		"policies: 'permit (principal, action, resource);'\n"
		"entities: [{uid: {type: U, id: u}, attrs: {}, parents: []}]\n"));
	application = entry_of(governed, OBJECT_APPLICATION, "shop");
	rules = application->rules;
	assert_non_null(rules);
	assert_false(governed_apply(governed, "adi",
		"object: policy\nname: support/stop\ntext: 'forbid (principal, action);'\n"));
	assert_non_null(strstr(governed->last.plan->problems.items[0].field.data, "support/stop"));
	for (int i = 0; i < 3; i++) {
		static const char *const broken[][2] = {
			{"entity U; action a appliesTo {principal: U, resource: X};", "[]"},
			{"entity U; action b appliesTo {principal: U, resource: U};",
				"[{uid: {type: V, id: u}, attrs: {}, parents: []}]"},
			{"entity U; entity U; action a;", "[]"}};
		struct text yaml = text_format(governed->arena,
			"object: application\nname: shop\n"
			"unit: support\n"
			"schema: '%s'\npolicies: 'permit (principal, action, resource);'\n"
			"entities: %s\n",
			broken[i][0], broken[i][1]);

		assert_false(governed_apply(governed, "adi", yaml.data));
		assert_non_null(strstr(
			governed->last.plan->problems.items[0].field.data, "application shop"));
		assert_ptr_equal(application->rules, rules);
	}
	assert_int_equal(guardrails_in_force(governed), 1);
	assert_false(fold_has_failed(governed->fold));
}

/* Starts anew from the log, in which `before` reads `after`, of the same length. */
static bool restart_with(
	const struct governed *governed, const char *before, const char *after, struct error *err)
{
	const size_t length = strlen(before);
	struct governed second;
	size_t replaced = 0;
	bool ok = true;

	governed_init_loading(&second);
	for (size_t i = 0; ok && i < governed->log.count; i++) {
		struct text entry = governed->log.entries[i].entry;
		char *copy = arena_array(second.arena, char, entry.length + 1);
		char *at;

		memcpy(copy, entry.data, entry.length);
		at = memmem(copy, entry.length, before, length);
		if (at != NULL)
			memcpy(at, after, length);
		replaced += at != NULL;
		ok = fold_apply_entry(second.fold, (struct text){copy, entry.length},
			governed->log.entries[i].content, i, err);
	}
	assert_true(replaced > 0);
	ok = ok && fold_finish_loading(second.fold, err);
	governed_deinit(&second);
	return ok;
}

/* There is no old one at a start: without its rules remit does not begin, and says which
 * of them it cannot read. */
static void a_log_with_rules_that_cannot_be_read_starts_nothing(void **state)
{
	struct governed *governed = *state;
	struct error err = {0};

	assert_true(governed_apply_by_two(governed, "adi",
		"object: policy\nname: support/stop\ntext: "
		"'forbid (principal, action, resource);'\n---\n"
		"object: application\nname: shop\nunit: support\n"
		"policies: 'permit (principal, action, resource);'\n"));
	assert_true(restart_with(governed, "permit (", "permit (", &err));
	assert_false(restart_with(governed, "(principal, action, resource);",
		"(principal, action, resourse);", &err));
	assert_non_null(strstr(err.text, "support/stop"));
	assert_false(restart_with(governed, "permit (", "permits(", &err));
	assert_non_null(strstr(err.text, "application shop"));
}

static void what_was_applied_changes_nothing_again(void **state)
{
	struct governed *governed = *state;
	size_t count = governed->log.count;

	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_false(governed->last.is_changed);
	assert_int_equal(governed->log.count, count);
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_false(governed->last.is_changed);
}

static void one_apply_is_one_record(void **state)
{
	struct governed *governed = *state;
	size_t count = governed->log.count;
	uint64_t revision = registry_revision(governed->registry);

	assert_true(governed_apply(
		governed, "adi", "object: unit\nname: hr\n---\nobject: unit\nname: fin\n"));
	assert_int_equal(governed->log.count, count + 1);
	assert_int_equal(governed->last.index, count);
	assert_int_equal(registry_revision(governed->registry), revision + 1);
	assert_non_null(registry_find_unit(governed->registry, TEXT("hr")));
	assert_int_equal(entry_of(governed, OBJECT_UNIT, "fin")->revision, revision + 1);
}

static void a_change_against_an_old_revision_conflicts(void **state)
{
	struct governed *governed = *state;
	struct plan_source source = {TEXT("a"), TEXT("object: unit\nname: hr\n")};
	struct registrar_request request = {.verb = REGISTRAR_APPLY,
		.actor = TEXT("person:adi"),
		.sources = &source,
		.sources_count = 1,
		.has_if_match = true,
		.if_match = registry_revision(governed->registry) - 1};

	assert_false(governed_run(governed, request));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	request.if_match++;
	assert_true(governed_run(governed, request));
	request = (struct registrar_request){.verb = REGISTRAR_APPROVE,
		.actor = TEXT("person:bo"),
		.name = TEXT("a1"),
		.has_if_match = true,
		.if_match = a1(governed)->revision + 1};
	assert_false(governed_run(governed, request));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	request.if_match--;
	request.version = 2;
	assert_false(governed_run(governed, request));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	request.version = 1;
	assert_true(governed_run(governed, request));
}

static void what_is_not_durable_has_no_effect(void **state)
{
	struct governed *governed = *state;

	governed->log.loses = true;
	assert_false(governed_apply(governed, "adi", "object: unit\nname: hr\n"));
	assert_int_equal(governed->last.err.code, ERROR_IO);
	assert_null(registry_find_unit(governed->registry, TEXT("hr")));
	governed->log.loses = false;
	governed->log.refuses = true;
	assert_false(governed_apply(governed, "adi", "object: unit\nname: hr\n"));
	assert_int_equal(governed->last.err.code, ERROR_LIMIT);
	assert_null(registry_find_unit(governed->registry, TEXT("hr")));
	governed->log.refuses = false;
	assert_true(governed_apply(governed, "adi", "object: unit\nname: hr\n"));
}

static void an_apply_too_long_for_a_record_lies_beside_it(void **state)
{
	struct governed *governed = *state;
	struct buffer yaml;
	const struct fake_entry *entry;

	buffer_init(&yaml, 1 << 22);
	for (unsigned i = 0; i < 2000; i++)
		buffer_append_format(&yaml,
			"---\nobject: unit\nname: u%u\npurpose: To be one of many units\n", i);
	buffer_append_byte(&yaml, '\0');
	assert_true(governed_apply(governed, "adi", buffer_text(&yaml).data + 4));
	buffer_deinit(&yaml);
	entry = &governed->log.entries[governed->log.count - 1];
	assert_true(entry->entry.length < RECORD_ENTRY_BYTES_MAX);
	assert_true(entry->content.length > RECORD_ENTRY_BYTES_MAX);
	assert_int_equal(registry_count(governed->registry, OBJECT_UNIT), 2002);
}

static void pruning_removes_what_the_documents_do_not_name(void **state)
{
	struct governed *governed = *state;
	struct plan_source source = {TEXT("a"), TEXT("object: unit\nname: support\n")};
	struct registrar_request request = {.verb = REGISTRAR_APPLY,
		.actor = TEXT("person:adi"),
		.sources = &source,
		.sources_count = 1};

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_run(governed, request));
	assert_non_null(registry_find_unit(governed->registry, TEXT("sales")));
	request.options.is_prune = true;
	assert_true(governed_run(governed, request));
	assert_null(registry_find_unit(governed->registry, TEXT("sales")));
	assert_null(registry_find_tool(governed->registry, TEXT("files/read")));
	assert_int_equal(a1(governed)->state, IDENTITY_RETIRED);
	assert_null(registry_find_person(governed->registry, TEXT("ana")));
	assert_non_null(registry_find_person(governed->registry, TEXT("adi"))); /* spared */
}

static void what_is_still_named_is_not_pruned(void **state)
{
	struct governed *governed = *state;
	struct plan_source source = {
		TEXT("a"), TEXT("object: person\nname: rey\nunit: support\nroles: [reviewer]\n")};

	assert_false(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
						    .actor = TEXT("person:adi"),
						    .sources = &source,
						    .sources_count = 1,
						    .options = {.is_prune = true}}));
	assert_int_equal(governed->last.err.code, ERROR_INVALID);
	assert_non_null(registry_find_unit(governed->registry, TEXT("support")));
}

/* ---- the life of an identity ---- */

static void a_charter_waits_until_another_person_approves(void **state)
{
	struct governed *governed = *state;

	assert_int_equal(a1(governed)->state, IDENTITY_PROPOSED);
	assert_null(a1(governed)->in_force);
	assert_null(a1(governed)->ceiling);
	assert_false(step(governed, "adi", REGISTRAR_APPROVE));
	assert_false(step(governed, "rey", REGISTRAR_APPROVE));
	assert_false(step(governed, "uid:0", REGISTRAR_APPROVE));
	assert_null(a1(governed)->in_force);
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_int_equal(a1(governed)->state, IDENTITY_ACTIVE);
	assert_int_equal(a1(governed)->in_force->version, 1);
	assert_non_null(a1(governed)->ceiling);
	assert_null(a1(governed)->waiting);
	assert_false(step(governed, "ana", REGISTRAR_APPROVE));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
}

/* Whether somebody might approve it is answered as the approval would be, and changes nothing. */
static void a_check_of_an_approval_refuses_as_it_would_and_changes_nothing(void **state)
{
	struct governed *governed = *state;
	struct registrar_request request = {.verb = REGISTRAR_APPROVE,
		.actor = TEXT("person:adi"),
		.name = TEXT("a1"),
		.is_check = true};
	uint64_t revision = registry_revision(governed->registry);

	assert_false(governed_run(governed, request));
	assert_true(governed->last.is_forbidden);
	request.actor = TEXT("person:bo");
	request.version = 2;
	assert_false(governed_run(governed, request));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	request.version = 1;
	assert_true(governed_run(governed, request));
	assert_false(governed->last.is_changed);
	assert_int_equal(registry_revision(governed->registry), revision);
	assert_null(a1(governed)->in_force);
	request.is_check = false;
	assert_true(governed_run(governed, request));
	assert_true(governed->last.is_changed);
	assert_non_null(a1(governed)->in_force);
}

static void what_a_charter_changes_is_said_where_it_waits(void **state)
{
	struct governed *governed = *state;
	struct arena *arena = arena_create(1 << 20);
	const struct json *waiting;
	struct json shown;
	struct error err;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "ana", a1_changed));
	assert_true(registrar_entry_json(a1(governed), arena, &shown, &err));
	waiting = json_find(&shown, "waiting");
	assert_non_null(waiting);
	assert_true(text_starts_with(json_text_or(waiting, "digest", ""), "sha256:"));
	assert_non_null(json_find(waiting, "fields"));
	assert_true(json_find(waiting, "fields")->count > 0);
	arena_destroy(&arena);
}

static void nobody_approves_what_they_proposed(void **state)
{
	struct governed *governed = *state;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "ana", a1_changed));
	assert_int_equal(a1(governed)->in_force->version, 1);
	assert_int_equal(a1(governed)->waiting->version, 2);
	assert_int_equal(a1(governed)->state, IDENTITY_ACTIVE);
	assert_false(step(governed, "ana", REGISTRAR_APPROVE));
	assert_true(governed->last.is_forbidden);
	assert_int_equal(a1(governed)->in_force->version, 1);
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_int_equal(a1(governed)->in_force->version, 2);
}

static void a_rejected_draft_is_not_laundered_by_another_hand(void **state)
{
	struct governed *governed = *state;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "ana", a1_changed));
	assert_true(step(governed, "bo", REGISTRAR_REJECT));
	assert_int_equal(a1(governed)->waiting_state, IDENTITY_DRAFT);
	assert_false(step(governed, "bo", REGISTRAR_PROPOSE)); /* not hers to propose */
	assert_false(step(governed, "bo", REGISTRAR_APPROVE)); /* a draft is not approved */
	assert_true(step(governed, "ana", REGISTRAR_PROPOSE));
	assert_false(step(governed, "ana", REGISTRAR_APPROVE));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
}

static void a_new_charter_does_not_choose_its_own_approver(void **state)
{
	struct governed *governed = *state;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "adi", a1_taken_over));
	assert_false(step(governed, "rey", REGISTRAR_APPROVE)); /* owner only in the new one */
	assert_true(governed->last.is_forbidden);
	assert_true(step(governed, "ana", REGISTRAR_APPROVE));
	assert_true(text_is(charter_of(a1(governed)->in_force)->owner, "rey"));
}

static void a_newer_version_replaces_the_one_that_waits(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "ana", a1_changed));
	assert_int_equal(a1(governed)->waiting->version, 2);
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_int_equal(a1(governed)->in_force->version, 2);
	assert_true(
		text_is(charter_of(a1(governed)->in_force)->purpose, "Reads and sorts tickets"));
}

static void a_draft_is_no_identity_yet(void **state)
{
	struct governed *governed = *state;
	struct plan_source source = {TEXT("a"),
		TEXT("object: identity\nname: a2\nkind: agent\nclass: update\nrisk: low\nowner: "
		     "ana\nbackup-owner: bo\nunit: support\npurpose: x\nenvironments: "
		     "[staging]\n")};
	const struct registry_entry *a2;

	assert_true(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
						   .actor = TEXT("person:ana"),
						   .sources = &source,
						   .sources_count = 1,
						   .options = {.is_draft = true}}));
	a2 = entry_of(governed, OBJECT_IDENTITY, "a2");
	assert_int_equal(a2->state, IDENTITY_DRAFT);
	assert_null(a2->ceiling);
	assert_false(governed_step(governed, "bo", REGISTRAR_APPROVE, "a2"));
	assert_true(governed_step(governed, "ana", REGISTRAR_PROPOSE, "a2"));
	assert_int_equal(a2->state, IDENTITY_PROPOSED);
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "a2"));
	assert_int_equal(a2->state, IDENTITY_ACTIVE);
}

static void what_does_not_fit_any_more_is_not_approved(void **state)
{
	struct governed *governed = *state;

	governed->log.now_utc_ms = INT64_C(1900000000000); /* its end has passed meanwhile */
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_null(a1(governed)->in_force);
}

static void a_suspension_is_lifted_by_a_person_and_not_by_an_approval(void **state)
{
	struct governed *governed = *state;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(step(governed, "uid:1000", REGISTRAR_SUSPEND));
	assert_int_equal(a1(governed)->state, IDENTITY_SUSPENDED);
	assert_false(step(governed, "uid:1000", REGISTRAR_REACTIVATE));
	assert_false(step(governed, "rey", REGISTRAR_REACTIVATE));
	assert_true(governed_apply(governed, "ana", a1_changed));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_int_equal(a1(governed)->state, IDENTITY_SUSPENDED);
	assert_int_equal(a1(governed)->in_force->version, 2);
	assert_true(step(governed, "ana", REGISTRAR_REACTIVATE));
	assert_int_equal(a1(governed)->state, IDENTITY_ACTIVE);
}

static void a_suspension_may_use_the_logs_reserve_and_no_other_step_may(void **state)
{
	struct governed *governed = *state;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_int_equal(governed->log.urgency, RECORD_ORDINARY);
	assert_true(step(governed, "uid:1000", REGISTRAR_SUSPEND));
	assert_int_equal(governed->log.urgency, RECORD_RESERVED);
	assert_true(step(governed, "ana", REGISTRAR_REACTIVATE));
	assert_int_equal(governed->log.urgency, RECORD_ORDINARY);
}

static void a_step_is_recorded_with_whom_it_is_about(void **state)
{
	struct governed *governed = *state;
	struct text last;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	last = governed->log.entries[governed->log.count - 1].entry;
	assert_non_null(strstr(last.data, "\"identity\":\"a1\""));
	assert_non_null(strstr(last.data, "\"verb\":\"approve\""));
	assert_non_null(strstr(last.data, "\"actor\":\"person:bo\""));
}

static void kill(struct governed *governed)
{
	struct error err = {0};
	struct text entry = TEXT("{\"actor\":\"uid:0\",\"at\":1,\"identity\":\"a1\","
				 "\"reason\":\"INC-7\",\"type\":\"kill\"}");

	assert_true(fold_apply_entry(
		governed->fold, entry, (struct text){NULL, 0}, governed->log.count, &err));
	fake_log_append(&governed->log, entry);
}

static void after_a_kill_two_people_bring_it_back(void **state)
{
	struct governed *governed = *state;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	kill(governed);
	assert_int_equal(a1(governed)->state, IDENTITY_SUSPENDED);
	assert_true(step(governed, "ana", REGISTRAR_REACTIVATE));
	assert_int_equal(a1(governed)->state, IDENTITY_SUSPENDED);
	assert_false(step(governed, "ana", REGISTRAR_REACTIVATE));
	assert_int_equal(a1(governed)->state, IDENTITY_SUSPENDED);
	assert_true(step(governed, "bo", REGISTRAR_REACTIVATE));
	assert_int_equal(a1(governed)->state, IDENTITY_ACTIVE);
	assert_false(a1(governed)->needs_two);
}

static void a_second_kill_voids_a_first_agreement(void **state)
{
	struct governed *governed = *state;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	kill(governed);
	assert_true(step(governed, "ana", REGISTRAR_REACTIVATE));
	kill(governed);
	assert_true(step(governed, "bo", REGISTRAR_REACTIVATE));
	assert_int_equal(a1(governed)->state, IDENTITY_SUSPENDED);
	assert_true(step(governed, "ana", REGISTRAR_REACTIVATE));
	assert_int_equal(a1(governed)->state, IDENTITY_ACTIVE);
}

static void a_retired_name_is_never_used_again(void **state)
{
	struct governed *governed = *state;

	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_false(step(governed, "bo", REGISTRAR_NONE));
	assert_true(step(governed, "ana", REGISTRAR_RETIRE));
	assert_int_equal(a1(governed)->state, IDENTITY_RETIRED);
	assert_false(step(governed, "ana", REGISTRAR_REACTIVATE));
	assert_false(step(governed, "ana", REGISTRAR_RETIRE));
	assert_false(governed_apply(governed, "ana", a1_changed));
	assert_int_equal(governed->last.err.code, ERROR_INVALID);
	kill(governed);
	assert_int_equal(a1(governed)->state, IDENTITY_RETIRED);
}

static void what_is_not_there_takes_no_step(void **state)
{
	struct governed *governed = *state;

	assert_false(governed_step(governed, "ana", REGISTRAR_SUSPEND, "a9"));
	assert_int_equal(governed->last.err.code, ERROR_NOT_FOUND);
	assert_false(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_SUSPEND,
						    .actor = TEXT("person:adi"),
						    .kind = OBJECT_SERVER,
						    .name = TEXT("files")}));
	assert_int_equal(governed->last.err.code, ERROR_INVALID);
}

static void a_reason_is_bounded(void **state)
{
	struct governed *governed = *state;
	char reason[REASON_BYTES_MAX + 1];
	struct registrar_request request = {
		.verb = REGISTRAR_SUSPEND, .actor = TEXT("person:ana"), .name = TEXT("a1")};

	memset(reason, 'x', sizeof reason);
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	request.reason = (struct text){reason, REASON_BYTES_MAX + 1};
	assert_false(governed_run(governed, request));
	request.reason = (struct text){"\xff", 1};
	assert_false(governed_run(governed, request));
	request.reason = (struct text){reason, REASON_BYTES_MAX};
	assert_true(governed_run(governed, request));
	assert_int_equal(a1(governed)->more->reason.length, REASON_BYTES_MAX);
}

/* ---- people ---- */

static const char rey_raised[] =
	"object: person\nname: rey\nunit: support\nroles: [reviewer, administrator]\n";

static void once_there_are_two_administrators_a_raise_needs_the_other(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *rey = entry_of(governed, OBJECT_PERSON, "rey");
	struct registrar_request approve = {
		.verb = REGISTRAR_APPROVE, .kind = OBJECT_PERSON, .name = TEXT("rey")};

	assert_true(registrar_is_founding(governed->registrar));
	assert_true(governed_enrol(governed, "adi", "eva"));
	assert_false(registrar_is_founding(governed->registrar));
	assert_true(governed_apply(governed, "adi", rey_raised));
	assert_false(person_has_role(rey->in_force->person, "administrator"));
	assert_non_null(rey->waiting);
	approve.actor = TEXT("person:adi");
	assert_false(governed_run(governed, approve));
	assert_true(governed->last.is_forbidden);
	approve.actor = TEXT("person:rey");
	assert_false(governed_run(governed, approve));
	approve.actor = TEXT("person:ana");
	assert_false(governed_run(governed, approve));
	approve.actor = TEXT("person:eva");
	assert_true(governed_run(governed, approve));
	assert_true(person_has_role(rey->in_force->person, "administrator"));
	assert_null(rey->waiting);
}

static void the_last_administrator_who_can_sign_stays_one(void **state)
{
	static const char adi[] = "object: person\nname: adi\nunit: org\nroles: []\n";
	static const char eva[] = "object: person\nname: eva\nunit: org\nroles: []\n";
	struct governed *governed = *state;

	/* eva has the role and no key. */
	assert_false(governed_apply(governed, "adi", adi));
	assert_non_null(strstr(governed->last.plan->problems.items[0].what.data,
		"person adi is the last administrator who can sign"));
	assert_int_equal(governed->last.plan->problems.items[0].line, 1);
	assert_true(governed_enrol(governed, "adi", "eva"));
	assert_false(governed_apply(governed, "adi",
		"object: person\nname: adi\nunit: org\nroles: []\n---\n"
		"object: person\nname: eva\nunit: org\nroles: []\n"));
	assert_int_equal(governed->last.plan->problems.total, 2);
	assert_true(governed_apply(governed, "adi", adi));
	assert_false(governed_apply(governed, "eva", eva));
}

static void a_higher_clearance_is_a_raise_and_a_lower_one_is_not(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *rey = entry_of(governed, OBJECT_PERSON, "rey");

	assert_true(governed_enrol(governed, "adi", "eva"));
	assert_true(governed_apply(governed, "adi",
		"object: person\nname: rey\nunit: support\nroles: [reviewer]\nclearance: "
		"public\n"));
	assert_non_null(rey->waiting);
	assert_true(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_REJECT,
						   .kind = OBJECT_PERSON,
						   .name = TEXT("rey"),
						   .actor = TEXT("person:eva")}));
	assert_null(rey->waiting);
	assert_int_equal(rey->in_force->person->clearance, SENSITIVITY_UNLABELLED);
	assert_true(governed_apply(governed, "adi", "object: person\nname: rey\nunit: support\n"));
	assert_null(rey->waiting);
	assert_int_equal(rey->in_force->person->roles_count, 0);
}

#define PAYROLL(sensitivity, more)                                                                 \
	"object: data-source\nname: payroll\nunit: support\nenvironment: staging\n"                \
	"sensitivity: " sensitivity "\n" more

static void an_administrator_alone_lets_go_nothing_that_providers_hold(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi",
		PAYROLL("internal", "custodian: ana\nat: [n8n/customers, n8n/orders]\n")));
	assert_true(governed_enrol(governed, "adi", "eva"));
	assert_false(governed_apply(
		governed, "adi", PAYROLL("internal", "custodian: ana\nat: [n8n/orders]\n")));
	assert_true(governed->last.is_forbidden);
	assert_false(governed_apply(governed, "adi", PAYROLL("internal", "custodian: ana\n")));
	assert_true(governed_apply(governed, "adi",
		PAYROLL("internal",
			"custodian: ana\nat: [n8n/orders, n8n/customers, n8n/more]\n")));
	assert_true(governed_apply(governed, "ana", PAYROLL("internal", "custodian: ana\n")));
}

/* Whoever administers remit does not decide over the data of units. */
static void an_administrator_alone_opens_no_data_of_a_unit(void **state)
{
	static const char *const opened[] = {
		PAYROLL("internal", "custodian: ana\n"),
		PAYROLL("confidential", "custodian: eva\n"),
		PAYROLL("confidential", ""),
		PAYROLL("confidential", "custodian: ana\ntrust: trusted\n"),
		PAYROLL("confidential", "custodian: ana\nids: open\n"),
	};
	struct governed *governed = *state;
	struct text whole;

	assert_true(governed_apply(governed, "adi", PAYROLL("public", "custodian: ana\n")));
	/* While there is one administrator, there is nobody else to ask. */
	assert_true(governed_apply(governed, "adi", PAYROLL("internal", "custodian: ana\n")));
	assert_true(governed_apply(governed, "adi", PAYROLL("public", "custodian: ana\n")));
	assert_true(governed_enrol(governed, "adi", "eva"));
	/* Closing it needs nobody's leave but an administrator's. */
	assert_true(governed_apply(governed, "adi", PAYROLL("confidential", "custodian: ana\n")));
	for (size_t i = 0; i < sizeof opened / sizeof opened[0]; i++) {
		assert_false(governed_apply(governed, "adi", opened[i]));
		assert_true(governed->last.is_forbidden);
		assert_non_null(strstr(governed->last.err.text,
			"so that its data lie more open; its custodian, an owner of its unit may"));
	}
	assert_true(governed_apply(governed, "ana", opened[0]));
	assert_false(governed_apply(governed, "bo", PAYROLL("public", "custodian: ana\n")));
	/* Nor by taking it out first, to put it in anew. */
	whole = text_format(governed->arena,
		"%s---\nobject: person\nname: adi\nunit: org\nroles: [administrator]\n",
		governed_world_yaml);
	assert_false(governed_run(
		governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
				  .actor = TEXT("person:adi"),
				  .options = {.is_prune = true},
				  .sources = &(struct plan_source){TEXT("f.yaml"), whole},
				  .sources_count = 1}));
	assert_true(governed->last.is_forbidden);
	assert_non_null(strstr(governed->last.err.text, "data-source payroll so that"));
}

static void roles_carried_to_another_unit_are_a_raise(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *rey = entry_of(governed, OBJECT_PERSON, "rey");

	assert_true(governed_enrol(governed, "adi", "eva"));
	assert_true(governed_apply(
		governed, "adi", "object: person\nname: rey\nunit: org\nroles: [reviewer]\n"));
	assert_non_null(rey->waiting);
	assert_true(text_is(rey->in_force->person->unit, "support"));
	/* Without roles nothing counts anywhere. */
	assert_true(governed_apply(governed, "adi", "object: person\nname: rey\nunit: org\n"));
	assert_null(rey->waiting);
	assert_true(text_is(rey->in_force->person->unit, "org"));
}

static void taking_the_second_administrators_key_away_ends_no_rule(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *eva = entry_of(governed, OBJECT_PERSON, "eva");
	char kid[64];

	assert_true(governed_enrol(governed, "adi", "eva"));
	memcpy(kid, governed->last.kid_issued, sizeof kid);
	assert_true(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_REVOKE_KEY,
						   .actor = TEXT("person:adi"),
						   .name = TEXT("eva"),
						   .kid = text_of(kid)}));
	assert_int_equal(eva->keys_count, 0);
	assert_true(governed_apply(governed, "adi", rey_raised));
	assert_false(person_has_role(
		registry_find_person(governed->registry, TEXT("rey")), "administrator"));
}

static void the_first_administrator_comes_by_a_code_once(void **state)
{
	struct governed fresh;
	char code[CODE_TEXT_BYTES];
	struct registrar_request enrol = {.verb = REGISTRAR_ENROL,
		.actor = TEXT("remit"),
		.name = TEXT("adi"),
		.code = TEXT("0000-0000-0000-0000-0000")};

	(void)state;
	governed_init(&fresh);
	assert_false(registrar_has_administrator(fresh.registrar));
	assert_false(governed_step(&fresh, "adi", REGISTRAR_BOOTSTRAP, ""));
	assert_true(governed_step(&fresh, "uid:1000", REGISTRAR_BOOTSTRAP, ""));
	memcpy(code, fresh.code, sizeof code);
	assert_int_equal(strlen(code), 24);
	assert_false(governed_run(&fresh, enrol)); /* a wrong code */
	assert_true(fresh.last.is_forbidden);
	enrol.code = text_of(code);
	assert_false(governed_run(&fresh, enrol)); /* no key */
	governed_deinit(&fresh);
	governed_init_with_administrator(&fresh);
	assert_true(registrar_has_administrator(fresh.registrar));
	assert_false(governed_step(&fresh, "uid:1000", REGISTRAR_BOOTSTRAP, ""));
	assert_true(fresh.last.is_forbidden);
	assert_true(person_has_role(
		registry_find_person(fresh.registry, TEXT("adi")), "administrator"));
	governed_deinit(&fresh);
}

static void no_code_lies_in_the_log(void **state)
{
	struct governed *governed = *state;
	char code[CODE_TEXT_BYTES];

	assert_true(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, "ana"));
	memcpy(code, governed->code, sizeof code);
	for (size_t i = 0; i < governed->log.count; i++)
		assert_null(strstr(governed->log.entries[i].entry.data, code));
}

static struct registrar_request enrolment(
	struct governed *governed, const char *person, const char *code)
{
	struct json_builder key;
	struct registrar_request request = {.verb = REGISTRAR_ENROL,
		.actor = TEXT("remit"),
		.name = text_of(person),
		.code = text_of(code)};
	struct error err = {0};
	struct text x = text_format(governed->arena, "%039uAAAA", 1000 + ++governed->keys_made);

	json_object_start(&key, governed->arena);
	json_put_cstring(&key, "kty", "EC");
	json_put_cstring(&key, "crv", "P-256");
	json_put_text(&key, "x", x);
	json_put_text(&key, "y", x);
	assert_true(json_object_seal(&key, &request.jwk, &err));
	return request;
}

static void a_code_works_once_for_its_person_and_for_an_hour(void **state)
{
	struct governed *governed = *state;
	char code[CODE_TEXT_BYTES];

	assert_false(governed_step(governed, "ana", REGISTRAR_ISSUE_CODE, "ana"));
	assert_false(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, "nobody"));
	assert_true(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, "ana"));
	memcpy(code, governed->code, sizeof code);
	assert_false(governed_run(governed, enrolment(governed, "bo", code)));
	assert_true(governed->last.is_forbidden);
	assert_true(governed_run(governed, enrolment(governed, "ana", code)));
	assert_false(governed_run(governed, enrolment(governed, "ana", code)));
	assert_true(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, "bo"));
	memcpy(code, governed->code, sizeof code);
	governed->log.now_utc_ms += INT64_C(1000) * CODE_LIFETIME_S;
	assert_false(governed_run(governed, enrolment(governed, "bo", code)));
}

static void a_key_is_enrolled_once(void **state)
{
	struct governed *governed = *state;
	struct registrar_request first, second;
	char code[CODE_TEXT_BYTES];

	assert_true(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, "ana"));
	memcpy(code, governed->code, sizeof code);
	first = enrolment(governed, "ana", code);
	assert_true(governed_run(governed, first));
	assert_true(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, "bo"));
	memcpy(code, governed->code, sizeof code);
	second = enrolment(governed, "bo", code);
	second.jwk = first.jwk;
	assert_false(governed_run(governed, second));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
}

static void a_person_who_is_removed_signs_nothing_even_when_back(void **state)
{
	struct governed *governed = *state;
	const struct person_key *key;
	char kid[64];
	struct plan_source without = {TEXT("a"), TEXT("object: unit\nname: support\n")};

	assert_true(governed_enrol(governed, "adi", "ana"));
	memcpy(kid, governed->last.kid_issued, sizeof kid);
	assert_non_null(registry_find_key(governed->registry, text_of(kid), &key));
	assert_true(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
						   .actor = TEXT("person:adi"),
						   .sources = &without,
						   .sources_count = 1,
						   .options = {.is_prune = true}}));
	assert_null(registry_find_key(governed->registry, text_of(kid), &key));
	assert_true(governed_apply(governed, "adi", "object: person\nname: ana\nunit: support\n"));
	assert_null(registry_find_key(governed->registry, text_of(kid), &key));
}

/* ---- the queue ---- */

struct waiting {
	struct registrar_request request;
	size_t *answered;
	size_t place;
};

static void answered_in_turn(struct registrar_request *request)
{
	struct waiting *waiting = request->context;

	assert_int_equal(*waiting->answered, waiting->place);
	(*waiting->answered)++;
}

static void changes_wait_their_turn_and_see_those_before(void **state)
{
	struct governed *governed = *state;
	static const struct plan_source source = {
		{"a", 1}, {"object: unit\nname: hr\n", sizeof "object: unit\nname: hr\n" - 1}};
	struct waiting waiting[3] = {0};
	size_t answered = 0;
	struct error err = {0};

	governed->log.is_held = true;
	for (size_t i = 0; i < 3; i++) {
		waiting[i].request = (struct registrar_request){.verb = REGISTRAR_APPLY,
			.actor = TEXT("person:adi"),
			.sources = &source,
			.sources_count = 1,
			.done = answered_in_turn,
			.context = &waiting[i]};
		waiting[i].answered = &answered;
		waiting[i].place = i;
		assert_true(registrar_submit(governed->registrar, &waiting[i].request, &err));
	}
	assert_int_equal(answered, 0);
	assert_null(registry_find_unit(governed->registry, TEXT("hr"))); /* not durable yet */
	fake_log_flush(&governed->log);
	assert_int_equal(answered, 3);
	assert_true(waiting[0].request.is_changed);
	assert_false(waiting[1].request.is_changed);
	assert_false(waiting[2].request.is_changed);
	for (size_t i = 0; i < 3; i++)
		registrar_request_deinit(&waiting[i].request);
}

static void ignore(struct registrar_request *request)
{
	(void)request;
}

static void the_queue_is_bounded(void **state)
{
	struct governed *governed = *state;
	struct registrar_request *requests = calloc(REGISTRAR_QUEUE_MAX + 2, sizeof *requests);
	struct error err = {0};

	governed->log.is_held = true;
	for (size_t i = 0; i < REGISTRAR_QUEUE_MAX + 2; i++) {
		requests[i] = (struct registrar_request){.verb = REGISTRAR_ISSUE_CODE,
			.actor = TEXT("person:adi"),
			.name = TEXT("ana"),
			.done = ignore};
		/* one is on its way, the most wait, the next is refused */
		assert_int_equal(registrar_submit(governed->registrar, &requests[i], &err),
			i <= REGISTRAR_QUEUE_MAX);
	}
	assert_int_equal(err.code, ERROR_LIMIT);
	fake_log_flush(&governed->log);
	free(requests);
}

/* ---- questions ---- */

static void what_an_identity_can_is_told_line_by_line(void **state)
{
	struct governed *governed = *state;
	struct json answer;
	struct error err = {0};
	const struct json *lines;

	assert_false(
		registrar_can(governed->registrar, TEXT("a9"), 0, governed->arena, &answer, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(registrar_can(governed->registrar, TEXT("a1"), governed->log.now_utc_ms,
		governed->arena, &answer, &err));
	lines = json_find(&answer, "entitlements");
	assert_int_equal(lines->count, 2);
	assert_true(json_boolean_or(&lines->items[0], "usable", false));
	assert_true(step(governed, "bo", REGISTRAR_SUSPEND));
	assert_true(registrar_can(governed->registrar, TEXT("a1"), governed->log.now_utc_ms,
		governed->arena, &answer, &err));
	lines = json_find(&answer, "entitlements");
	assert_false(json_boolean_or(&lines->items[0], "usable", true));
}

static void who_can_do_it_is_told(void **state)
{
	struct governed *governed = *state;
	struct registrar_who_query query = {.effect = EFFECT_WRITE,
		.resource = TEXT("files/write"),
		.now_utc_ms = governed->log.now_utc_ms,
		.count = 1};
	const struct json *items;
	struct json answer;
	struct error err = {0};

	assert_true(registrar_who(governed->registrar, &query, governed->arena, &answer, &err));
	assert_int_equal(json_find(&answer, "items")->count, 0); /* a1 is not approved yet */
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(registrar_who(governed->registrar, &query, governed->arena, &answer, &err));
	items = json_find(&answer, "items");
	assert_int_equal(items->count, 1);
	assert_true(text_is(json_text_or(&items->items[0], "identity", ""), "a1"));
	assert_null(json_find(&answer, "next"));
	query.count = 0; /* a page with no room says where it goes on */
	assert_true(registrar_who(governed->registrar, &query, governed->arena, &answer, &err));
	assert_int_equal(json_find(&answer, "items")->count, 0);
	assert_non_null(json_find(&answer, "next"));
	query.count = 1;
	query.after = TEXT("a1");
	assert_true(registrar_who(governed->registrar, &query, governed->arena, &answer, &err));
	assert_int_equal(json_find(&answer, "items")->count, 0);
	query.after = TEXT("");
	query.effect = EFFECT_READ;
	assert_true(registrar_who(governed->registrar, &query, governed->arena, &answer, &err));
	assert_int_equal(json_find(&answer, "items")->count, 0);
	query.effect = EFFECT_NONE;
	assert_false(registrar_who(governed->registrar, &query, governed->arena, &answer, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void on_code(void *context, struct text code, int64_t ends_utc_ms)
{
	char *heard = context;

	assert_true(ends_utc_ms > 0);
	assert_true(code.length < CODE_TEXT_BYTES);
	memcpy(heard, code.data, code.length);
}

static void a_code_is_told_before_anybody_has_it(void **state)
{
	struct governed *governed = *state;
	char heard[CODE_TEXT_BYTES] = "";
	const struct code_listener listener = {heard, on_code};

	registrar_listen(governed->registrar, &listener);
	assert_false(governed_step(governed, "ana", REGISTRAR_ISSUE_CODE, "bo"));
	assert_string_equal(heard, "");
	assert_true(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, "bo"));
	assert_string_equal(heard, governed->code);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_code_is_told_before_anybody_has_it),
		TEST(a_stranger_applies_nothing),
		TEST(what_has_a_problem_changes_nothing),
		TEST(guardrails_that_are_too_much_together_leave_the_old_ones),
		TEST(what_is_approved_must_fit_with_what_stays_until_it_is_approved),
		TEST(what_waits_must_fit_with_what_came_into_force_meanwhile),
		TEST(a_policy_set_that_cannot_be_loaded_leaves_the_old_one),
		TEST(a_log_with_rules_that_cannot_be_read_starts_nothing),
		TEST(what_was_applied_changes_nothing_again),
		TEST(one_apply_is_one_record),
		TEST(a_change_against_an_old_revision_conflicts),
		TEST(what_is_not_durable_has_no_effect),
		TEST(an_apply_too_long_for_a_record_lies_beside_it),
		TEST(pruning_removes_what_the_documents_do_not_name),
		TEST(what_is_still_named_is_not_pruned),
		TEST(a_charter_waits_until_another_person_approves),
		TEST(a_check_of_an_approval_refuses_as_it_would_and_changes_nothing),
		TEST(what_a_charter_changes_is_said_where_it_waits),
		TEST(nobody_approves_what_they_proposed),
		TEST(a_rejected_draft_is_not_laundered_by_another_hand),
		TEST(a_new_charter_does_not_choose_its_own_approver),
		TEST(a_newer_version_replaces_the_one_that_waits),
		TEST(a_draft_is_no_identity_yet),
		TEST(what_does_not_fit_any_more_is_not_approved),
		TEST(a_suspension_is_lifted_by_a_person_and_not_by_an_approval),
		TEST(a_suspension_may_use_the_logs_reserve_and_no_other_step_may),
		TEST(a_step_is_recorded_with_whom_it_is_about),
		TEST(after_a_kill_two_people_bring_it_back),
		TEST(a_second_kill_voids_a_first_agreement),
		TEST(a_retired_name_is_never_used_again),
		TEST(what_is_not_there_takes_no_step),
		TEST(a_reason_is_bounded),
		TEST(once_there_are_two_administrators_a_raise_needs_the_other),
		TEST(the_last_administrator_who_can_sign_stays_one),
		TEST(a_higher_clearance_is_a_raise_and_a_lower_one_is_not),
		TEST(an_administrator_alone_lets_go_nothing_that_providers_hold),
		TEST(an_administrator_alone_opens_no_data_of_a_unit),
		TEST(roles_carried_to_another_unit_are_a_raise),
		TEST(taking_the_second_administrators_key_away_ends_no_rule),
		cmocka_unit_test(the_first_administrator_comes_by_a_code_once),
		TEST(no_code_lies_in_the_log),
		TEST(a_code_works_once_for_its_person_and_for_an_hour),
		TEST(a_key_is_enrolled_once),
		TEST(a_person_who_is_removed_signs_nothing_even_when_back),
		TEST(changes_wait_their_turn_and_see_those_before),
		TEST(the_queue_is_bounded),
		TEST(what_an_identity_can_is_told_line_by_line),
		TEST(who_can_do_it_is_told),
	};

	return cmocka_run_group_tests_name("registrar", tests, NULL, NULL);
}

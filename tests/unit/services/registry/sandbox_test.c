/* Templates for sandboxes wait for a second person; what is opened from one waits for
 * nobody, ends by itself, and becomes an ordinary identity by approval alone. */
#include "services/registry/plan_sandboxes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/registry/registrar_private.h"
#include "support/governed.h"

static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

#define TEMPLATE(up_to, days)                                                                      \
	"object: unit\nname: support\nsandbox:\n"                                                  \
	"  class: retrieve\n  risk: low\n  environments: [dev, test]\n  up-to: " up_to "\n"        \
	"  expires: " days "\n"                                                                    \
	"  entitlements: [{effect: read, tool: play/read}]\n"                                      \
	"  data-sources: [{name: samples, up-to: public}]\n"

static const char play[] = "object: server\nname: play\nunit: support\nenvironment: dev\n"
			   "transport: {stdio: [play]}\n---\n"
			   "object: tool\nname: play/read\neffect: read\n---\n"
			   "object: data-source\nname: samples\nunit: support\nenvironment: dev\n"
			   "sensitivity: public\n---\n"
			   "object: data-source\nname: letters\nunit: support\nenvironment: dev\n";

/* ana and bo belong to support, bo approves there; eva and adi are administrators. */
static int set_up(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);

	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_true(governed_enrol(governed, "adi", "bo"));
	assert_true(governed_enrol(governed, "adi", "eva"));
	assert_true(governed_apply(governed, "adi", play));
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

static const struct registry_entry *unit(const struct governed *governed)
{
	return registry_find(governed->registry, OBJECT_UNIT, TEXT("support"));
}

static const struct registry_entry *identity(const struct governed *governed, const char *name)
{
	return registry_find_identity(governed->registry, text_of(name));
}

static bool has_template(const struct governed *governed)
{
	return unit(governed)->in_force != NULL &&
	       unit(governed)->in_force->unit->sandbox.life_s > 0;
}

static bool approve_unit(struct governed *governed, const char *person)
{
	return governed_step_of(governed, person, REGISTRAR_APPROVE, OBJECT_UNIT, "support");
}

static void put_template(struct governed *governed)
{
	assert_true(governed_apply(governed, "adi", TEMPLATE("public", "14d")));
	assert_true(approve_unit(governed, "bo"));
}

static struct registrar_request wish(
	struct governed *governed, const char *person, const char *name)
{
	return (struct registrar_request){.verb = REGISTRAR_OPEN_SANDBOX,
		.actor = text_format(governed->arena, "person:%s", person),
		.name = text_copy(governed->arena, text_of(name)),
		.sandbox = {.unit = TEXT("support"),
			.backup_owner = TEXT("bo"),
			.purpose = TEXT("Tries a prompt: \"quoted\" & more")},
		.jwk = governed_key(governed)};
}

static bool open_sandbox(struct governed *governed, const char *person, const char *name)
{
	return governed_run(governed, wish(governed, person, name));
}

/* ---- templates ---- */

static void nobody_puts_a_template_in_force_alone(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", TEMPLATE("public", "14d")));
	assert_false(has_template(governed));
	assert_int_equal(unit(governed)->waiting_state, IDENTITY_PROPOSED);
	assert_false(open_sandbox(governed, "ana", "s1"));
	assert_non_null(strstr(governed->last.err.text, "no template"));
	assert_false(approve_unit(governed, "adi"));
	assert_true(governed->last.is_forbidden);
	assert_false(approve_unit(governed, "ana"));
	assert_true(governed->last.is_forbidden);
	assert_true(approve_unit(governed, "bo"));
	assert_true(has_template(governed));
	assert_true(text_is(unit(governed)->more->approved_by, "person:bo"));
}

static void the_only_person_puts_no_template_in_force_either(void **state)
{
	struct governed alone;

	(void)state;
	governed_init_with_administrator(&alone);
	assert_true(registrar_is_alone(alone.registrar));
	assert_true(governed_apply(&alone, "adi", governed_world_yaml));
	assert_true(governed_apply(&alone, "adi", play));
	assert_true(governed_apply(&alone, "adi", TEMPLATE("public", "14d")));
	assert_false(has_template(&alone));
	assert_false(approve_unit(&alone, "adi"));
	governed_deinit(&alone);
}

static void every_other_template_waits_again_and_none_is_gone_at_once(void **state)
{
	struct governed *governed = *state;

	put_template(governed);
	assert_true(governed_apply(governed, "adi", TEMPLATE("internal", "14d")));
	assert_int_equal(unit(governed)->in_force->unit->sandbox.up_to, SENSITIVITY_PUBLIC);
	assert_int_not_equal(unit(governed)->waiting_version, 0);
	assert_true(governed_step_of(governed, "adi", REGISTRAR_REJECT, OBJECT_UNIT, "support"));
	assert_int_equal(unit(governed)->waiting_version, 0);
	assert_true(governed_apply(governed, "adi", "object: unit\nname: support\n"));
	assert_false(has_template(governed));
	assert_int_equal(unit(governed)->more->approved_by.length, 0);
}

static void what_is_not_about_the_template_waits_for_nobody(void **state)
{
	struct governed *governed = *state;

	put_template(governed);
	assert_true(governed_apply(
		governed, "adi", TEMPLATE("public", "14d") "purpose: Answers customers\n"));
	assert_true(text_is(unit(governed)->in_force->unit->purpose, "Answers customers"));
	assert_true(has_template(governed));
	assert_true(text_is(unit(governed)->more->approved_by, "person:bo"));
}

/* Its budget would hold nobody. */
static void nobody_is_approved_of_a_unit_that_is_not_in_force(void **state)
{
	struct governed *governed = *state;
	struct text yaml = text_format(governed->arena,
		"object: unit\nname: lab\nbudget-per-day: {requests: 1}\nsandbox:\n"
		"  class: retrieve\n  risk: low\n  environments: [dev]\n  up-to: public\n"
		"  expires: 1d\n---\n"
		"object: identity\nname: l1\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: lab\npurpose: p\nenvironments: [dev]\n");

	assert_true(governed_apply(governed, "adi", yaml.data));
	assert_null(registry_find(governed->registry, OBJECT_UNIT, TEXT("lab"))->in_force);
	assert_false(governed_step(governed, "bo", REGISTRAR_APPROVE, "l1"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_non_null(strstr(governed->last.err.text, "unit lab is not in force yet"));
	assert_true(governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_UNIT, "lab"));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "l1"));
}

static void a_template_that_waits_too_long_is_proposed_again(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", TEMPLATE("public", "14d")));
	governed->log.now_utc_ms += PROPOSAL_LIFETIME_DAYS * DAY_MS;
	assert_false(approve_unit(governed, "bo"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(governed_apply(governed, "adi", TEMPLATE("public", "14d")));
	assert_true(approve_unit(governed, "bo"));
}

static bool is_template_refused(struct governed *governed, const char *lines, const char *why)
{
	struct text yaml = text_format(governed->arena,
		"object: unit\nname: support\nsandbox:\n  class: retrieve\n  risk: low\n"
		"  environments: [dev]\n  up-to: internal\n  expires: 1d\n%s",
		lines);

	assert_false(governed_apply(governed, "adi", yaml.data));
	assert_non_null(strstr(governed->last.plan->problems.items[0].what.data, why));
	assert_non_null(strstr(governed->last.plan->problems.items[0].field.data, "sandbox."));
	return true;
}

static void a_template_names_what_is_there_and_open_to_sandboxes(void **state)
{
	struct governed *governed = *state;

	assert_true(is_template_refused(governed,
		"  entitlements: [{effect: read, tool: play/none}]\n", "no tool is named"));
	assert_true(is_template_refused(
		governed, "  entitlements: [{effect: read, tool: files/read}]\n", "is in staging"));
	assert_true(is_template_refused(governed,
		"  entitlements: [{effect: read, tool: play/read, when: 'principal.nose'}]\n",
		"nose"));
	assert_true(is_template_refused(
		governed, "  data-sources: [{name: letters, up-to: internal}]\n", "unlabelled"));
}

static bool prunes_to(struct governed *governed, struct text yaml)
{
	struct plan_source source = {TEXT("t"), yaml};

	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
					      .actor = TEXT("person:adi"),
					      .sources = &source,
					      .sources_count = 1,
					      .options = {.is_prune = true}});
}

/* The world with this unit support instead of its own, and more. */
static struct text world_with(struct governed *governed, const char *support, const char *more)
{
	const char *others = strstr(governed_world_yaml, "---\n");

	return text_format(governed->arena, "%s%s---\n%s", support, others, more);
}

static void what_a_template_names_is_not_removed(void **state)
{
	struct governed *governed = *state;
	const char *server = "object: server\nname: play\nunit: support\nenvironment: dev\n"
			     "transport: {stdio: [play]}\n";
	struct text without = world_with(governed, TEMPLATE("public", "14d"), server);

	put_template(governed);
	assert_false(prunes_to(governed, without));
	assert_non_null(strstr(governed->last.err.text, "unit support names it"));
	assert_true(prunes_to(governed, world_with(governed, TEMPLATE("public", "14d"), play)));
}

/* ---- opening ---- */

static void is_refused_with(
	struct governed *governed, struct registrar_request request, const char *text)
{
	assert_false(governed_run(governed, request));
	if (strstr(governed->last.err.text, text) == NULL)
		fail_msg("says %s", governed->last.err.text);
}

static void what_is_wrong_with_a_wish_is_told_in_its_words(void **state)
{
	struct governed *governed = *state;
	struct registrar_request request = wish(governed, "ana", "s1");

	request.sandbox.unit = TEXT("suport");
	is_refused_with(governed, request, "no unit is named suport; did you mean support?");
	assert_true(governed_apply(governed, "adi", TEMPLATE("public", "14d")));
	is_refused_with(governed, wish(governed, "ana", "s1"),
		"no template for sandboxes in force: version 2 waits, and bo or eva may approve "
		"it");
	assert_true(approve_unit(governed, "bo"));
	request = wish(governed, "ana", "s1");
	request.sandbox.environment = ENVIRONMENT_PROD;
	is_refused_with(
		governed, request, "environment: this unit's sandboxes act in dev and test");
	is_refused_with(governed, wish(governed, "ana", "Trial2"), "name: is not a name");
	assert_null(strstr(governed->last.err.text, "sandbox:"));
	assert_null(strstr(governed->last.err.text, "problems"));
}

static void who_takes_a_template_away_is_told_what_stops(void **state)
{
	struct governed *governed = *state;
	const struct plan *plan;

	put_template(governed);
	assert_true(open_sandbox(governed, "ana", "s1"));
	assert_true(open_sandbox(governed, "ana", "s2"));
	assert_true(governed_apply(governed, "adi", "object: unit\nname: support\n"));
	plan = governed->last.plan;
	assert_int_equal(plan->notes_count, 1);
	assert_string_equal(plan->notes[0].text.data,
		"without a template for sandboxes none is opened, and 2 sandboxes that it has are "
		"refused from then on");
}

static void a_person_of_the_unit_opens_one_alone_and_it_is_active(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *entry;
	const struct charter *charter;

	put_template(governed);
	assert_true(open_sandbox(governed, "ana", "s1"));
	entry = identity(governed, "s1");
	assert_int_equal(entry->state, IDENTITY_ACTIVE);
	charter = charter_of(entry->in_force);
	assert_true(charter_is_sandbox(charter));
	assert_true(text_is(charter->owner, "ana"));
	assert_true(text_is(charter->purpose, "Tries a prompt: \"quoted\" & more"));
	assert_int_equal(charter->sandbox.template_version, unit(governed)->in_force->version);
	assert_true(text_is(charter->sandbox.approved_by, "bo"));
	assert_int_equal(
		charter->expires_utc_s, governed->log.now_utc_ms / 1000 + 14 * DAY_MS / 1000);
	assert_int_equal(charter->keys[0].environment, ENVIRONMENT_DEV);
}

/* It becomes a document, and none of its words more than words. */
static void a_purpose_stays_the_words_that_were_said(void **state)
{
	static const char *const purposes[] = {"back\\slash \\\" # : - {a: b}",
		"two\nlines\tand tabs", "---\nobject: identity",
		"\xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf", "\xf0\x9f\xa7\xaa", "&a *a !!t"};
	struct governed *governed = *state;

	put_template(governed);
	for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++) {
		struct text name = text_format(governed->arena, "s%zu", i);
		struct registrar_request request = wish(governed, "ana", name.data);

		request.sandbox.purpose = text_of(purposes[i]);
		assert_true(governed_run(governed, request));
		assert_true(text_is(
			charter_of(identity(governed, name.data)->in_force)->purpose, purposes[i]));
		assert_true(governed_step(governed, "ana", REGISTRAR_RETIRE, name.data));
	}
}

static void nobody_else_opens_one(void **state)
{
	static const char *const people[] = {"eva", "nobody"};
	struct governed *governed = *state;
	size_t count;

	put_template(governed);
	count = governed->log.count;
	for (size_t i = 0; i < 2; i++) {
		assert_false(open_sandbox(governed, people[i], "s1"));
		assert_true(governed->last.is_forbidden);
	}
	struct registrar_request socket = wish(governed, "ana", "s1");

	socket.actor = TEXT("uid:0");
	assert_false(governed_run(governed, socket));
	assert_true(governed->last.is_forbidden);
	assert_int_equal(governed->log.count, count);
	assert_null(identity(governed, "s1"));
}

static void a_name_is_taken_once(void **state)
{
	struct governed *governed = *state;

	put_template(governed);
	assert_false(open_sandbox(governed, "ana", "a1"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(open_sandbox(governed, "ana", "s1"));
	assert_false(open_sandbox(governed, "ana", "s1"));
	assert_true(governed_step(governed, "ana", REGISTRAR_RETIRE, "s1"));
	assert_false(open_sandbox(governed, "ana", "s1"));
	assert_false(open_sandbox(governed, "ana", "no name"));
	assert_int_equal(governed->last.err.code, ERROR_INVALID);
}

static bool opens_for(struct governed *governed, const char *name, int64_t days)
{
	struct registrar_request request = wish(governed, "ana", name);

	request.sandbox.days = days;
	return governed_run(governed, request);
}

static void it_lives_as_long_as_the_template_lets_it(void **state)
{
	struct governed *governed = *state;

	put_template(governed);
	assert_false(opens_for(governed, "s1", 15));
	assert_false(opens_for(governed, "s1", -1));
	assert_true(opens_for(governed, "s1", 14));
	assert_true(opens_for(governed, "s2", 1));
	assert_int_equal(charter_of(identity(governed, "s2")->in_force)->expires_utc_s,
		governed->log.now_utc_ms / 1000 + DAY_MS / 1000);
}

static void the_key_proves_a_place_of_the_template_alone(void **state)
{
	struct governed *governed = *state;
	struct registrar_request request;

	put_template(governed);
	request = wish(governed, "ana", "s1");
	request.sandbox.environment = ENVIRONMENT_PROD;
	assert_false(governed_run(governed, request));
	request = wish(governed, "ana", "s1");
	request.sandbox.environment = ENVIRONMENT_TEST;
	assert_true(governed_run(governed, request));
	assert_int_equal(charter_of(identity(governed, "s1")->in_force)->keys[0].environment,
		ENVIRONMENT_TEST);
}

static void owner_and_backup_owner_are_two_who_are_registered(void **state)
{
	struct governed *governed = *state;
	struct registrar_request request;

	put_template(governed);
	request = wish(governed, "ana", "s1");
	request.sandbox.backup_owner = TEXT("ana");
	assert_false(governed_run(governed, request));
	request = wish(governed, "ana", "s1");
	request.sandbox.backup_owner = TEXT("nobody");
	assert_false(governed_run(governed, request));
	assert_null(identity(governed, "s1"));
}

static const char *numbered(struct governed *governed, const char *prefix, int number)
{
	return text_format(governed->arena, "%s%d", prefix, number).data;
}

static void a_person_owns_so_many_at_once_and_no_more(void **state)
{
	struct governed *governed = *state;
	struct registrar_request other;

	put_template(governed);
	for (int i = 0; i < SANDBOXES_PER_PERSON_MAX; i++)
		assert_true(open_sandbox(governed, "ana", numbered(governed, "s", i)));
	assert_false(open_sandbox(governed, "ana", "more"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	other = wish(governed, "bo", "other");
	other.sandbox.backup_owner = TEXT("ana");
	assert_true(governed_run(governed, other));
	assert_true(governed_step(governed, "ana", REGISTRAR_RETIRE, "s0"));
	assert_true(open_sandbox(governed, "ana", "more"));
	/* What is over counts no more, whether or not it was retired. */
	governed->log.now_utc_ms += 15 * DAY_MS;
	assert_true(open_sandbox(governed, "ana", "later"));
}

static void note_refusal(struct registrar_request *request)
{
	*(enum error_code *)request->context = request->err.code;
}

/* Nobody knows whose it is, so it may be theirs. */
static void one_whose_charter_cannot_be_read_counts(void **state)
{
	struct governed *governed = *state;
	enum error_code refusal = ERROR_NONE;
	struct registrar_request more;
	const struct charter *body;
	struct object *lost;
	struct error err = {0};

	put_template(governed);
	for (int i = 0; i < SANDBOXES_PER_PERSON_MAX; i++)
		assert_true(open_sandbox(governed, "ana", numbered(governed, "s", i)));
	more = wish(governed, "ana", "more");
	more.done = note_refusal;
	more.context = &refusal;
	lost = (struct object *)(uintptr_t)registry_find_identity(governed->registry, TEXT("s0"))
		       ->in_force;
	body = lost->body;
	lost->body = &charter_lost;
	assert_true(registrar_submit(governed->registrar, &more, &err));
	lost->body = body;
	registrar_request_deinit(&more);
	assert_int_equal(refusal, ERROR_CONFLICT);
	assert_null(registry_find_identity(governed->registry, TEXT("more")));
}

static void a_unit_has_so_many_at_once_and_no_more(void **state)
{
	struct governed *governed = *state;

	put_template(governed);
	for (int i = 0; i <= SANDBOXES_PER_UNIT_MAX / SANDBOXES_PER_PERSON_MAX; i++) {
		struct text yaml = text_format(
			governed->arena, "object: person\nname: p%d\nunit: support\n", i);

		assert_true(governed_apply(governed, "adi", yaml.data));
	}
	for (int i = 0; i < SANDBOXES_PER_UNIT_MAX; i++)
		assert_true(open_sandbox(governed,
			numbered(governed, "p", i / SANDBOXES_PER_PERSON_MAX),
			numbered(governed, "s", i)));
	assert_false(open_sandbox(governed,
		numbered(governed, "p", SANDBOXES_PER_UNIT_MAX / SANDBOXES_PER_PERSON_MAX),
		"more"));
	assert_non_null(strstr(governed->last.err.text, "the most at once"));
}

/* ---- documents ---- */

static struct text charter_yaml(struct governed *governed, const char *name, const char *tool,
	const char *end, const char *origin)
{
	return text_format(governed->arena,
		"object: identity\nname: %s\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Tries more\nenvironments: [dev]\n"
		"entitlements: [{effect: read, tool: %s}]\nexpires: %s\n%s",
		name, tool, end, origin);
}

static bool applies(struct governed *governed, struct text yaml)
{
	return governed_apply(governed, "ana", yaml.data);
}

static struct text end_of(struct governed *governed, const char *name)
{
	struct json document;
	struct error err;

	assert_true(object_document(
		identity(governed, name)->in_force, governed->arena, &document, &err));
	return json_text_or(&document, "expires", "");
}

static void a_document_makes_no_identity_a_sandbox(void **state)
{
	struct governed *governed = *state;
	const char *origin = "sandbox: {template: 2, approved-by: bo}\n";

	put_template(governed);
	assert_false(applies(
		governed, charter_yaml(governed, "new", "play/read", "2028-01-01", origin)));
	assert_non_null(strstr(governed->last.plan->problems.items[0].what.data, "is no sandbox"));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_false(
		applies(governed, charter_yaml(governed, "a1", "play/read", "2028-01-01", origin)));
}

static void a_document_neither_widens_nor_prolongs_a_sandbox(void **state)
{
	struct governed *governed = *state;
	struct text origin, end, later = TEXT("2099-01-01");

	put_template(governed);
	assert_true(
		governed_apply(governed, "adi", "object: tool\nname: play/more\neffect: read\n"));
	assert_true(open_sandbox(governed, "ana", "s1"));
	origin = text_format(governed->arena, "sandbox: {template: %u, approved-by: bo}\n",
		unit(governed)->in_force->version);
	end = end_of(governed, "s1");
	assert_false(applies(
		governed, charter_yaml(governed, "s1", "play/more", end.data, origin.data)));
	assert_non_null(strstr(governed->last.plan->problems.items[0].what.data, "is wider"));
	assert_false(applies(
		governed, charter_yaml(governed, "s1", "play/read", later.data, origin.data)));
	assert_non_null(strstr(governed->last.plan->problems.items[0].what.data, "prolonged"));
	assert_false(applies(governed, charter_yaml(governed, "s1", "play/read", end.data,
					       "sandbox: {template: 1, approved-by: ana}\n")));
	/* Within the template it waits for another person, as every charter. */
	assert_true(applies(
		governed, charter_yaml(governed, "s1", "play/read", end.data, origin.data)));
	assert_int_equal(identity(governed, "s1")->in_force->version, 1);
	assert_false(governed_step(governed, "ana", REGISTRAR_APPROVE, "s1"));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "s1"));
	assert_int_equal(identity(governed, "s1")->more->tasks_since, 0);
}

static void pruning_spares_sandboxes(void **state)
{
	struct governed *governed = *state;

	put_template(governed);
	assert_true(open_sandbox(governed, "ana", "s1"));
	assert_true(prunes_to(governed, world_with(governed, TEMPLATE("public", "14d"), play)));
	assert_int_equal(identity(governed, "s1")->state, IDENTITY_ACTIVE);
}

/* ---- promotion ---- */

static void promotion_is_a_charter_that_another_person_approves(void **state)
{
	struct governed *governed = *state;
	struct governed later;

	put_template(governed);
	assert_true(open_sandbox(governed, "ana", "s1"));
	assert_true(applies(governed, charter_yaml(governed, "s1", "play/read", "2028-01-01", "")));
	assert_true(charter_is_sandbox(charter_of(identity(governed, "s1")->in_force)));
	assert_false(governed_step(governed, "ana", REGISTRAR_APPROVE, "s1"));
	assert_true(governed->last.is_forbidden);
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "s1"));
	assert_false(charter_is_sandbox(charter_of(identity(governed, "s1")->in_force)));
	assert_int_equal(charter_of(identity(governed, "s1")->in_force)->keys_count, 0);
	assert_int_equal(identity(governed, "s1")->more->tasks_since, 2);
	governed_restart(governed, &later);
	assert_int_equal(identity(&later, "s1")->more->tasks_since, 2);
	assert_true(text_is(unit(&later)->more->approved_by, "person:bo"));
	registry_validate(later.registry);
	governed_deinit(&later);
}

/* ---- the end ---- */

static bool retire_by_remit(struct governed *governed, const char *name)
{
	return governed_step(governed, "remit", REGISTRAR_RETIRE, name);
}

static void remit_retires_a_sandbox_when_its_time_is_over_and_nothing_else(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *found;

	put_template(governed);
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_true(opens_for(governed, "s1", 1));
	assert_true(opens_for(governed, "s2", 2));
	assert_false(retire_by_remit(governed, "a1"));
	assert_true(governed->last.is_forbidden);
	governed->log.now_utc_ms =
		charter_of(identity(governed, "s1")->in_force)->expires_utc_s * 1000 - 1000;
	(void)registrar_find_expired(governed->registrar, TEXT(""), 100, &found);
	assert_null(found);
	assert_false(retire_by_remit(governed, "s1"));
	governed->log.now_utc_ms += 1000;
	(void)registrar_find_expired(governed->registrar, TEXT(""), 100, &found);
	assert_ptr_equal(found, identity(governed, "s1"));
	assert_true(retire_by_remit(governed, "s1"));
	assert_int_equal(identity(governed, "s1")->state, IDENTITY_RETIRED);
	assert_int_equal(identity(governed, "s2")->state, IDENTITY_ACTIVE);
	(void)registrar_find_expired(governed->registrar, TEXT(""), 100, &found);
	assert_null(found);
}

static void a_look_for_what_is_over_is_bounded_and_goes_on_where_it_stopped(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *found;
	struct text after;

	put_template(governed);
	assert_true(opens_for(governed, "s1", 2));
	assert_true(opens_for(governed, "s2", 2));
	assert_true(opens_for(governed, "s3", 1));
	governed->log.now_utc_ms += DAY_MS;
	after = registrar_find_expired(governed->registrar, TEXT(""), 2, &found);
	assert_null(found);
	assert_true(text_is(after, "s2"));
	after = registrar_find_expired(governed->registrar, after, 2, &found);
	assert_ptr_equal(found, identity(governed, "s3"));
}

static void one_that_waits_to_be_promoted_is_left_to_people(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *found;

	put_template(governed);
	assert_true(opens_for(governed, "s1", 1));
	assert_true(applies(governed, charter_yaml(governed, "s1", "play/read", "2028-01-01", "")));
	governed->log.now_utc_ms += 2 * DAY_MS;
	(void)registrar_find_expired(governed->registrar, TEXT(""), 100, &found);
	assert_null(found);
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "s1"));
	assert_int_equal(identity(governed, "s1")->state, IDENTITY_ACTIVE);
}

/* ---- the list ---- */

static void the_list_says_whose_each_is_and_until_when(void **state)
{
	struct governed *governed = *state;
	struct registrar_sandbox_query asked = {.count = 1};
	struct error err = {0};
	struct text next;
	struct json items;

	put_template(governed);
	assert_true(opens_for(governed, "s1", 1));
	assert_true(opens_for(governed, "s2", 2));
	asked.now_utc_ms = governed->log.now_utc_ms + DAY_MS;
	assert_true(registrar_sandboxes(
		governed->registrar, &asked, governed->arena, &items, &next, &err));
	assert_int_equal(items.count, 1);
	assert_true(text_is(next, "s1"));
	assert_true(text_is(json_text_or(&items.items[0], "owner", ""), "ana"));
	assert_true(text_is(json_text_or(&items.items[0], "approved_by", ""), "bo"));
	assert_true(json_boolean_or(&items.items[0], "expired", false));
	asked.after = next;
	assert_true(registrar_sandboxes(
		governed->registrar, &asked, governed->arena, &items, &next, &err));
	assert_int_equal(items.count, 1);
	assert_int_equal(next.length, 0);
	assert_false(json_boolean_or(&items.items[0], "expired", true));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_puts_a_template_in_force_alone),
		TEST(what_is_wrong_with_a_wish_is_told_in_its_words),
		TEST(who_takes_a_template_away_is_told_what_stops),
		TEST(the_only_person_puts_no_template_in_force_either),
		TEST(every_other_template_waits_again_and_none_is_gone_at_once),
		TEST(what_is_not_about_the_template_waits_for_nobody),
		TEST(nobody_is_approved_of_a_unit_that_is_not_in_force),
		TEST(a_template_that_waits_too_long_is_proposed_again),
		TEST(a_template_names_what_is_there_and_open_to_sandboxes),
		TEST(what_a_template_names_is_not_removed),
		TEST(a_person_of_the_unit_opens_one_alone_and_it_is_active),
		TEST(a_purpose_stays_the_words_that_were_said),
		TEST(nobody_else_opens_one),
		TEST(a_name_is_taken_once),
		TEST(it_lives_as_long_as_the_template_lets_it),
		TEST(the_key_proves_a_place_of_the_template_alone),
		TEST(owner_and_backup_owner_are_two_who_are_registered),
		TEST(a_person_owns_so_many_at_once_and_no_more),
		TEST(one_whose_charter_cannot_be_read_counts),
		TEST(a_unit_has_so_many_at_once_and_no_more),
		TEST(a_document_makes_no_identity_a_sandbox),
		TEST(a_document_neither_widens_nor_prolongs_a_sandbox),
		TEST(pruning_spares_sandboxes),
		TEST(promotion_is_a_charter_that_another_person_approves),
		TEST(remit_retires_a_sandbox_when_its_time_is_over_and_nothing_else),
		TEST(a_look_for_what_is_over_is_bounded_and_goes_on_where_it_stopped),
		TEST(one_that_waits_to_be_promoted_is_left_to_people),
		TEST(the_list_says_whose_each_is_and_until_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

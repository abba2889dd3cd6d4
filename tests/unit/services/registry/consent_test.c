#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/consents.h"
#include "domain/charter/narrow.h"
#include "services/registry/registrar_private.h"
#include "support/governed.h"

/* a2 of support hands work on that reaches into sales (a server) and people (data). */

static const char others[] =
	"object: unit\nname: people\n---\n"
	"object: person\nname: cy\nunit: sales\nroles: [owner]\n---\n"
	"object: person\nname: dan\nunit: support\n---\n"
	"object: data-source\nname: staff\nunit: people\ncustodian: dan\nenvironment: staging\n"
	"sensitivity: internal\n---\n"
	"object: server\nname: crm\nunit: sales\nenvironment: staging\n"
	"transport: {stdio: [crm-server]}\n---\n"
	"object: tool\nname: crm/get\neffect: read\n---\n"
	"object: tool\nname: crm/staff\neffect: read\nreads: [{data-source: staff}]\n";

static const char a2_start[] =
	"object: identity\nname: a2\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Asks others\nenvironments: [staging]\n"
	"peers: [{identity: a1, effects: [read], up-to: internal";

static bool apply(struct governed *governed, const char *person, const char *tools)
{
	struct text yaml = text_format(governed->arena, "%s%s}]\n", a2_start, tools);

	return governed_apply(governed, person, yaml.data);
}

static int set_up(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);

	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_true(governed_apply(governed, "adi", others));
	*state = governed;
	return 0;
}

static int tear_down(void **state)
{
	governed_deinit(*state);
	free(*state);
	return 0;
}

static const struct registry_entry *a2(const struct governed *governed)
{
	return registry_find(governed->registry, OBJECT_IDENTITY, TEXT("a2"));
}

static bool step(struct governed *governed, const char *person, enum registrar_verb verb)
{
	return governed_step(governed, person, verb, "a2");
}

/* Of exactly these units, each with who said it to what. */
static bool is_by_units(struct text consents, const char *first, const char *second)
{
	struct consent_given given;

	if (!consents_next_given(&consents, &given) || !text_is(given.unit, first) ||
		!given.has_digest || given.by.length == 0)
		return false;
	if (second == NULL)
		return consents.length == 0;
	return consents_next_given(&consents, &given) && text_is(given.unit, second) &&
	       given.has_digest && consents.length == 0;
}

static void who_answers_for_no_data_in_reach_consents_to_nothing(void **state)
{
	struct governed *governed = *state;

	assert_true(apply(governed, "bo", ", tools: [crm/get]"));
	assert_false(step(governed, "ana", REGISTRAR_CONSENT)); /* an owner, of another unit */
	assert_true(governed->last.is_forbidden);
	assert_false(step(governed, "eva", REGISTRAR_CONSENT)); /* an administrator */
	assert_false(step(governed, "dan", REGISTRAR_CONSENT)); /* of data that is not in it */
	assert_false(step(governed, "nobody", REGISTRAR_CONSENT));
	assert_false(step(governed, "uid:0", REGISTRAR_CONSENT));
	assert_int_equal(a2(governed)->more->waiting_consents.length, 0);
}

static void a_reach_waits_for_each_unit_and_then_for_its_approval(void **state)
{
	struct governed *governed = *state;

	assert_true(apply(governed, "adi", ", tools: ['crm/*']"));
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text, "unit people"));
	assert_true(step(governed, "dan", REGISTRAR_CONSENT));
	assert_false(step(governed, "dan", REGISTRAR_CONSENT)); /* once is enough */
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text, "unit sales"));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_null(a2(governed)->in_force);
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(is_by_units(a2(governed)->more->consents, "people", "sales"));
	assert_int_equal(a2(governed)->more->waiting_consents.length, 0);
}

static void who_proposed_it_does_not_consent(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi",
		"object: person\nname: cy\nunit: sales\nroles: [owner, administrator]\n"));
	assert_true(apply(governed, "cy", ", tools: [crm/get]"));
	assert_false(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(governed->last.is_forbidden);
}

static void a_consent_is_to_one_version(void **state)
{
	struct governed *governed = *state;

	assert_true(apply(governed, "adi", ", tools: [crm/get]"));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	/* Another version takes the place of what waited. */
	assert_true(apply(governed, "adi", ", tools: [crm/get, files/read]"));
	assert_int_equal(a2(governed)->more->waiting_consents.length, 0);
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	/* And what is in force keeps its own until the next is approved. */
	assert_true(apply(governed, "adi", ""));
	assert_true(is_by_units(a2(governed)->more->consents, "sales", NULL));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_int_equal(a2(governed)->more->consents.length, 0);
}

static void without_a_reach_into_others_there_is_nothing_to_consent_to(void **state)
{
	struct governed *governed = *state;

	assert_true(apply(governed, "ana", ""));
	assert_false(step(governed, "cy", REGISTRAR_CONSENT));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(apply(governed, "adi", ", tools: ['files/*']"));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE)); /* its own unit's */
	assert_false(step(governed, "cy", REGISTRAR_CONSENT));
}

/* ---- accounts ---- */

static void nobody_claims_an_account_that_another_unit_s_connector_knows(void **state)
{
	struct governed *governed = *state;
	static const char claims[] =
		"object: identity\nname: a2\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Asks others\nenvironments: [staging]\n"
		"accounts: [flows/theirs]\n";

	assert_true(governed_enrol(governed, "adi", "eva"));
	assert_true(governed_apply_by_two(governed, "adi",
		"object: connector\nname: flows\nunit: sales\nowner: cy\nprovider: n8n\n"
		"url: 'https://n8n.example'\ncredential: k\nmay: [read]\n"));
	assert_true(governed_apply(governed, "adi", claims));
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text,
		"unit sales, whose data owner has not consented to accounts[0]"));
	assert_false(step(governed, "eva", REGISTRAR_CONSENT));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	/* A later version claims the same without a new word. */
	assert_true(governed_apply(governed, "adi",
		text_format(governed->arena, "%sexpires: 2030-01-01\n", claims).data));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
}

/* ---- lines that are no reach ---- */

static const char a3_start[] =
	"object: identity\nname: a3\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: ";

static bool apply_a3(struct governed *governed, const char *purpose, const char *lines)
{
	struct text yaml = text_format(governed->arena,
		"%s%s\nenvironments: [staging]\ndata-sources: [{name: staff, up-to: internal}]\n"
		"entitlements: [%s]\n",
		a3_start, purpose, lines);

	return governed_apply(governed, "adi", yaml.data);
}

#define GET "{effect: read, tool: crm/get}"
#define STAFF "{effect: read, tool: crm/staff}"

static const struct registry_entry *a3(const struct governed *governed)
{
	return registry_find(governed->registry, OBJECT_IDENTITY, TEXT("a3"));
}

static bool step_a3(struct governed *governed, const char *person, enum registrar_verb verb)
{
	return governed_step(governed, person, verb, "a3");
}

static void lines_into_other_units_wait_for_each(void **state)
{
	struct governed *governed = *state;

	assert_true(apply_a3(governed, "Looks things up", GET ", " STAFF));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_false(step_a3(governed, "eva", REGISTRAR_CONSENT)); /* an administrator */
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_int_equal(a3(governed)->units_asked, UNITS_ASKED);
	assert_true(is_by_units(a3(governed)->more->consents, "people", "sales"));
}

static bool put_in_force(struct governed *governed)
{
	return apply_a3(governed, "Looks things up", GET ", " STAFF) &&
	       step_a3(governed, "cy", REGISTRAR_CONSENT) &&
	       step_a3(governed, "dan", REGISTRAR_CONSENT) &&
	       step_a3(governed, "bo", REGISTRAR_APPROVE);
}

static void a_line_more_or_another_purpose_voids_what_was_agreed(void **state)
{
	struct governed *governed = *state;

	assert_true(put_in_force(governed));
	assert_true(apply_a3(governed, "Looks other things up", GET ", " STAFF));
	assert_int_equal(a3(governed)->more->waiting_consents.length, 0);
	/* Of a line the unit whose it is; the other keeps its word. */
	assert_true(apply_a3(governed, "Looks things up",
		GET ", " GET ", " STAFF ", {effect: read, tool: files/read}"));
	assert_true(is_by_units(a3(governed)->more->waiting_consents, "people", NULL));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
}

#define LOOK "Looks things up"
#define LINES_AND(outputs) GET ", " STAFF "]\noutputs: [" outputs

/* Whoever approves the charter does not say where another unit's data may go. */
static void data_goes_no_further_than_its_unit_agreed(void **state)
{
	struct governed *governed = *state;

	assert_true(put_in_force(governed));
	assert_true(apply_a3(governed, LOOK, LINES_AND("{to: reply, up-to: internal}")));
	assert_int_equal(a3(governed)->more->waiting_consents.length, 0);
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	/* Less far needs nobody, and back again does. */
	assert_true(apply_a3(governed, LOOK, LINES_AND("{to: reply, up-to: public}")));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(apply_a3(governed, LOOK, LINES_AND("{to: reply, up-to: internal}")));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text, "has not consented to"));
}

/* What was agreed may go to a host covers what a call finds to be there, and nothing else. */
static void a_recipient_at_two_hosts_is_at_neither(void **state)
{
	struct governed *governed = *state;

	assert_true(apply_a3(governed, LOOK, LINES_AND("{to: '*@example.com', up-to: internal}")));
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(apply_a3(governed, LOOK, LINES_AND("{to: eve@Example.com, up-to: internal}")));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE)); /* a host has no case */
	assert_true(apply_a3(governed, LOOK, LINES_AND("{to: '*@*', up-to: internal}")));
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(apply_a3(
		governed, LOOK, LINES_AND("{to: eve@evil.org@example.com, up-to: internal}")));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text, "has not consented to"));
}

static void a_line_less_needs_no_new_consent(void **state)
{
	struct governed *governed = *state;

	assert_true(put_in_force(governed));
	assert_true(apply_a3(governed, "Looks things up",
		"{effect: read, tool: crm/get, when: 'true', expires: '2029-01-01'}"));
	assert_true(is_by_units(a3(governed)->more->waiting_consents, "people", "sales"));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	/* And back again is a line more. */
	assert_true(apply_a3(governed, "Looks things up", GET ", " STAFF));
	assert_int_equal(a3(governed)->more->waiting_consents.length, 0);
}

static void what_became_anothers_meanwhile_is_asked_again(void **state)
{
	struct governed *governed = *state;

	assert_true(apply_a3(governed, "Looks things up", GET));
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT));
	/* Now its tool reads what is of people, so that unit's half is another. */
	assert_true(governed_apply(governed, "adi",
		"object: tool\nname: crm/get\neffect: read\nreads: [{data-source: staff}]\n"));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text, "other lines"));
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
}

/* ---- what is in force ---- */

/* Whether the unit agreed to the entitlement of what is in force. */
static bool is_agreed(const struct governed *governed, const char *unit, uint32_t at)
{
	struct half_lines lines;

	return consents_lines(a3(governed)->more->consents, text_of(unit),
		       a3(governed)->in_force->version, &lines) &&
	       half_lines_has(&lines, HALF_ENTITLEMENTS, at);
}

static bool review(struct governed *governed, const char *line, enum charter_edit_how how)
{
	struct text written = text_copy(governed->arena, text_of(line));
	const struct registry_entry *entry = a3(governed);
	struct review_edit edited = {.identity = TEXT("a3"),
		.version = entry->in_force->version,
		.is_restore = how == CHARTER_EDIT_PUT_BACK};
	struct charter_edit edit = {.how = how};
	struct json was, now, taken, members;
	struct json_builder object;
	struct error err = {0};

	assert_true(json_parse(&taken, governed->arena, written, &json_limits_default, &err));
	assert_true(object_document(entry->in_force, governed->arena, &was, &err));
	edit.line = (struct charter_line){CHARTER_PART_ENTITLEMENT, &taken};
	assert_true(charter_edit(
		&now, governed->arena, &was, &(struct charter_edits){&edit, 1, 0}, &err));
	json_object_start(&object, governed->arena);
	json_put_cstring(&object, "review", "v-1");
	assert_true(json_object_seal(&object, &members, &err));
	edited.document = &now;
	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_REVIEW,
					      .actor = TEXT("person:rey"),
					      .review = {&members, &edited, 1}});
}

/* The places of lines are another version's then: of what is left each stays whose it was. */
static void what_a_review_leaves_stays_agreed_line_by_line(void **state)
{
	struct governed *governed = *state;
	struct consent_given before, after;
	char by[64];

	assert_true(apply_a3(
		governed, "Looks things up", "{effect: read, tool: files/read}, " GET ", " STAFF));
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_false(is_agreed(governed, "sales", 0));
	assert_true(is_agreed(governed, "sales", 1) && is_agreed(governed, "sales", 2));
	assert_true(consents_find(a3(governed)->more->consents, TEXT("sales"), &before));
	(void)snprintf(by, sizeof by, "%.*s", TEXT_ARGS(before.by));
	assert_true(review(
		governed, "{\"effect\":\"read\",\"tool\":\"crm/get\"}", CHARTER_EDIT_TAKE_OUT));
	assert_true(is_agreed(governed, "sales", 1) && is_agreed(governed, "people", 1));
	assert_false(is_agreed(governed, "sales", 0) || is_agreed(governed, "sales", 2));
	/* On record is still who said it, and to what. */
	assert_true(consents_find(a3(governed)->more->consents, TEXT("sales"), &after));
	assert_true(sha256_equal(&after.digest, &before.digest));
	assert_true(text_is(after.by, by) && after.at_utc_ms == before.at_utc_ms);
	/* Had back it is again what sales agreed to. */
	assert_true(review(
		governed, "{\"effect\":\"read\",\"tool\":\"crm/get\"}", CHARTER_EDIT_PUT_BACK));
	assert_true(is_agreed(governed, "sales", 1) && is_agreed(governed, "sales", 2));
}

static void what_comes_to_touch_a_unit_is_agreed_to_while_it_is_in_force(void **state)
{
	struct governed *governed = *state;

	assert_true(
		apply_a3(governed, "Looks things up", GET ", {effect: read, tool: files/read}"));
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_false(step_a3(governed, "cy", REGISTRAR_CONSENT)); /* that is so already */
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(governed_apply(governed, "adi",
		"object: server\nname: files\nunit: sales\nenvironment: staging\n"
		"transport: {stdio: [mcp-server-filesystem, desk]}\n"));
	assert_true(is_agreed(governed, "sales", 0));
	assert_false(is_agreed(governed, "sales", 1));
	assert_false(step_a3(governed, "adi", REGISTRAR_CONSENT)); /* it wrote it */
	assert_false(step_a3(governed, "eva", REGISTRAR_CONSENT));
	assert_false(step_a3(governed, "bo", REGISTRAR_CONSENT));
	assert_true(governed->last.is_forbidden);
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_true(is_agreed(governed, "sales", 0) && is_agreed(governed, "sales", 1));
}

/* Of a charter of before units were asked, nobody's lines are known: it goes on as it is. */
static void what_a_review_leaves_of_before_goes_on_as_it_was(void **state)
{
	struct governed *governed = *state;
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a3"),
		.version = 1,
		.in_force = 1,
		.state = IDENTITY_ACTIVE,
		.consents = TEXT("sales"),
		.units_asked = UNITS_BEFORE};
	struct error err = {0};

	assert_true(put_in_force(governed));
	change.revision = registry_revision(governed->registry);
	assert_true(registry_set(governed->registry, &change, &err));
	assert_false(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(review(
		governed, "{\"effect\":\"read\",\"tool\":\"crm/get\"}", CHARTER_EDIT_TAKE_OUT));
	assert_int_equal(a3(governed)->units_asked, UNITS_BEFORE);
	assert_true(text_is(a3(governed)->more->consents, "sales"));
}

/* Whoever wrote it does not agree to it, in force or not. */
static void who_wrote_what_is_in_force_does_not_consent_to_it(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi",
		"object: person\nname: cy\nunit: sales\nroles: [owner, administrator]\n"));
	assert_true(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPROVE,
						   .kind = OBJECT_PERSON,
						   .actor = TEXT("person:eva"),
						   .name = TEXT("cy")}) ||
		    registry_find_person(governed->registry, TEXT("cy"))->roles_count == 2);
	assert_true(governed_apply(governed, "cy",
		"object: identity\nname: a3\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"entitlements: [{effect: write, tool: files/write}]\n"));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "adi",
		"object: server\nname: files\nunit: sales\nenvironment: staging\n"
		"transport: {stdio: [mcp-server-filesystem, desk]}\n"));
	assert_false(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_true(governed->last.is_forbidden);
}

static void set_consents(struct governed *governed, unsigned count)
{
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a3"),
		.version = 1,
		.in_force = 1,
		.state = IDENTITY_ACTIVE,
		.consents = TEXT("")};
	struct error err = {0};

	for (unsigned i = 0; i < count; i++)
		change.consents = text_format(governed->arena, "%.*s%su%02u",
			TEXT_ARGS(change.consents), i > 0 ? " " : "", i);
	change.revision = registry_revision(governed->registry);
	assert_true(registry_set(governed->registry, &change, &err));
}

static void so_many_units_are_kept_beside_a_version_and_not_one_more(void **state)
{
	struct governed *governed = *state;

	assert_true(put_in_force(governed));
	set_consents(governed, CONSENTS_KEPT_MAX);
	assert_false(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_non_null(strstr(governed->last.err.text, "apply another one"));
	set_consents(governed, CONSENTS_KEPT_MAX - 1);
	assert_true(step_a3(governed, "cy", REGISTRAR_CONSENT));
	assert_true(is_agreed(governed, "sales", 0));
}

/* A version that waits is another question than the one that is in force. */
static void each_version_is_agreed_to_by_its_number(void **state)
{
	struct governed *governed = *state;
	struct registrar_request request = {.verb = REGISTRAR_CONSENT,
		.actor = TEXT("person:cy"),
		.name = TEXT("a3"),
		.version = 1};

	assert_true(apply_a3(governed, "Looks things up", "{effect: read, tool: files/read}"));
	assert_true(step_a3(governed, "dan", REGISTRAR_CONSENT)); /* its data-sources line */
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(
		apply_a3(governed, "Looks things up", "{effect: read, tool: files/read}, " GET));
	assert_true(governed_apply(governed, "adi",
		"object: server\nname: files\nunit: sales\nenvironment: staging\n"
		"transport: {stdio: [mcp-server-filesystem, desk]}\n"));
	assert_true(governed_run(governed, request));
	assert_true(is_agreed(governed, "sales", 0));
	assert_false(consents_has(a3(governed)->more->waiting_consents, TEXT("sales")));
	assert_false(governed_run(governed, request)); /* once */
	request.version = 0;
	assert_true(governed_run(governed, request));
	assert_true(consents_has(a3(governed)->more->waiting_consents, TEXT("sales")));
	request.version = 3;
	assert_false(governed_run(governed, request));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
}

/* ---- what is left of the risk ---- */

static bool apply_risk(struct governed *governed, const char *risk, const char *accepted_by)
{
	struct text yaml = text_format(governed->arena,
		"object: identity\nname: a3\nkind: agent\nclass: update\nrisk: %s\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"risk-record: {residual: low, accepted-by: [%s], accepted-until: 2999-01-01}\n",
		risk, accepted_by);

	return governed_apply(governed, "adi", yaml.data);
}

static void who_is_not_named_or_may_not_accepts_nothing(void **state)
{
	struct governed *governed = *state;

	assert_true(apply_risk(governed, "high", "ana"));
	assert_false(step_a3(governed, "bo", REGISTRAR_ACCEPT)); /* an approver, not named */
	assert_true(governed->last.is_forbidden);
	assert_false(step_a3(governed, "ana", REGISTRAR_ACCEPT)); /* named, an owner */
	assert_true(governed->last.is_forbidden);
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text, "may not accept a high risk"));
	/* Nor of a charter without a record of it. */
	assert_true(apply_a3(governed, "Looks things up", "{effect: read, tool: files/read}"));
	assert_false(step_a3(governed, "bo", REGISTRAR_ACCEPT));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
}

static void who_approves_it_and_is_named_accepts_it_with_that(void **state)
{
	struct governed *governed = *state;
	struct consent_given given;

	assert_true(apply_risk(governed, "high", "bo"));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(consents_find(a3(governed)->more->consents, TEXT("risk/bo"), &given));
	assert_true(sha256_equal(&given.digest, &a3(governed)->in_force->digest));
	assert_true(text_is(given.by, "person:bo"));
}

static void a_critical_risk_waits_for_both(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(
		governed, "adi", "object: person\nname: sam\nunit: org\nroles: [security]\n"));
	assert_true(apply_risk(governed, "critical", "bo, sam"));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text, "sam has not accepted its risk"));
	assert_true(step_a3(governed, "sam", REGISTRAR_ACCEPT));
	assert_false(step_a3(governed, "sam", REGISTRAR_ACCEPT)); /* once */
	/* Another version is another risk. */
	assert_true(apply_risk(governed, "critical", "sam, bo"));
	assert_false(step_a3(governed, "bo", REGISTRAR_APPROVE));
	assert_true(step_a3(governed, "sam", REGISTRAR_ACCEPT));
	assert_true(step_a3(governed, "bo", REGISTRAR_APPROVE));
}

static void who_proposed_it_does_not_accept_its_risk(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi",
		"object: person\nname: pat\nunit: org\nroles: [approver, administrator]\n"));
	assert_true(governed_apply(governed, "pat",
		"object: identity\nname: a3\nkind: agent\nclass: update\nrisk: high\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"risk-record: {residual: low, accepted-by: [pat], accepted-until: 2999-01-01}\n"));
	assert_false(step_a3(governed, "pat", REGISTRAR_ACCEPT));
	assert_true(governed->last.is_forbidden);
}

static void a_draft_is_consented_to_only_when_proposed(void **state)
{
	struct governed *governed = *state;

	assert_true(apply(governed, "adi", ", tools: [crm/get]"));
	assert_true(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_REJECT,
						   .actor = TEXT("person:bo"),
						   .name = TEXT("a2"),
						   .reason = TEXT("too wide")}));
	assert_false(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step(governed, "adi", REGISTRAR_PROPOSE));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
}

static void a_server_that_is_not_there_is_refused_by_the_plan(void **state)
{
	struct governed *governed = *state;

	assert_false(apply(governed, "adi", ", tools: [nowhere/get]"));
}

static void a_plan_says_whose_consent_it_waits_for(void **state)
{
	struct governed *governed = *state;
	bool is_said = false;

	assert_true(apply(governed, "adi", ", tools: [crm/get]"));
	for (size_t i = 0; i < governed->last.plan->notes_count; i++)
		is_said |= strstr(governed->last.plan->notes[i].text.data, "unit sales") != NULL;
	assert_true(is_said);
}

static void a_restart_knows_who_consented(void **state)
{
	struct governed *governed = *state;
	struct governed second;

	assert_true(apply(governed, "adi", ", tools: ['crm/*']"));
	assert_true(step(governed, "dan", REGISTRAR_CONSENT));
	governed_restart(governed, &second);
	assert_true(is_by_units(a2(&second)->more->waiting_consents, "people", NULL));
	governed_deinit(&second);
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	governed_restart(governed, &second);
	assert_true(is_by_units(a2(&second)->more->consents, "people", "sales"));
	governed_deinit(&second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(who_answers_for_no_data_in_reach_consents_to_nothing),
		TEST(a_reach_waits_for_each_unit_and_then_for_its_approval),
		TEST(who_proposed_it_does_not_consent),
		TEST(a_consent_is_to_one_version),
		TEST(nobody_claims_an_account_that_another_unit_s_connector_knows),
		TEST(without_a_reach_into_others_there_is_nothing_to_consent_to),
		TEST(lines_into_other_units_wait_for_each),
		TEST(a_line_more_or_another_purpose_voids_what_was_agreed),
		TEST(data_goes_no_further_than_its_unit_agreed),
		TEST(a_recipient_at_two_hosts_is_at_neither),
		TEST(a_line_less_needs_no_new_consent),
		TEST(what_became_anothers_meanwhile_is_asked_again),
		TEST(what_a_review_leaves_stays_agreed_line_by_line),
		TEST(what_comes_to_touch_a_unit_is_agreed_to_while_it_is_in_force),
		TEST(what_a_review_leaves_of_before_goes_on_as_it_was),
		TEST(who_wrote_what_is_in_force_does_not_consent_to_it),
		TEST(so_many_units_are_kept_beside_a_version_and_not_one_more),
		TEST(each_version_is_agreed_to_by_its_number),
		TEST(who_is_not_named_or_may_not_accepts_nothing),
		TEST(who_approves_it_and_is_named_accepts_it_with_that),
		TEST(a_critical_risk_waits_for_both),
		TEST(who_proposed_it_does_not_accept_its_risk),
		TEST(a_draft_is_consented_to_only_when_proposed),
		TEST(a_server_that_is_not_there_is_refused_by_the_plan),
		TEST(a_plan_says_whose_consent_it_waits_for),
		TEST(a_restart_knows_who_consented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

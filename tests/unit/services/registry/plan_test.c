#include "services/registry/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/reference.h"
#include "services/registry/plan_diff.h"
#include "services/registry/plan_issuers.h"
#include "services/registry/plan_notes.h"
#include "services/registry/plan_outputs.h"
#include "services/registry/plan_ways.h"
#include "support/governed.h"

struct fixture {
	struct governed governed;
	struct plan *plan;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	governed_init_with_administrator(&fixture->governed);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	plan_destroy(&fixture->plan);
	governed_deinit(&fixture->governed);
	free(fixture);
	return 0;
}

static const struct plan *plan_of(struct fixture *fixture, const char *yaml)
{
	struct plan_source source = {TEXT("a.yaml"), text_of(yaml)};
	struct plan_options options = {.now_utc_ms = fixture->governed.log.now_utc_ms};
	struct error err = {0};

	plan_destroy(&fixture->plan);
	assert_true(registry_plan(
		&fixture->plan, fixture->governed.registry, &source, 1, &options, &err));
	return fixture->plan;
}

static void says(const struct plan *plan, uint32_t line, const char *what)
{
	for (size_t i = 0; i < plan->problems.count; i++)
		if (plan->problems.items[i].line == line &&
			strstr(plan->problems.items[i].what.data, what) != NULL &&
			text_is(plan->problems.items[i].file, "a.yaml"))
			return;
	fail_msg("no problem at line %u that says %s", line, what);
}

static void what_is_no_yaml_is_told_with_its_line(void **state)
{
	const struct plan *plan = plan_of(*state, "object: unit\nname: [u\n");

	assert_int_equal(plan->problems.total, 1);
	assert_true(plan->problems.items[0].line > 0);
	assert_true(text_is(plan->problems.items[0].file, "a.yaml"));
	assert_false(text_starts_with(plan->problems.items[0].what, "a.yaml"));
	assert_int_equal(plan->changes_count, 0);
}

static void anchors_and_aliases_are_told(void **state)
{
	assert_true(plan_of(*state, "object: &a unit\nname: u\n")->problems.total > 0);
	assert_true(plan_of(*state, "object: unit\nname: u\nname: v\n")->problems.total > 0);
	assert_true(plan_of(*state, "object: unit\nname: u\n---\n- list\n")->problems.total > 0);
}

static void two_documents_of_one_name_are_told(void **state)
{
	const struct plan *plan =
		plan_of(*state, "object: unit\nname: u\n---\nobject: unit\nname: u\n");

	says(plan, 4, "written twice");
}

static void a_reference_to_a_document_beside_it_is_fine(void **state)
{
	const struct plan *plan =
		plan_of(*state, "object: person\nname: ana\nunit: u\n---\nobject: unit\nname: u\n");

	assert_int_equal(plan->problems.total, 0);
	plan = plan_of(*state, "object: person\nname: ana\nunit: u\n");
	says(plan, 3, "no unit is named u");
}

static void what_a_document_names_is_looked_for_beside_what_is_wrong_with_it(void **state)
{
	const struct plan *plan =
		plan_of(*state, "object: person\nname: ana\nunit: suport\nrolls: [x]\n---\n"
				"object: unit\nname: support\nbudget-per-day: 1\n");

	says(plan, 3, "no unit is named suport");
	says(plan, 4, "field");
	says(plan, 8, "");
	assert_int_equal(plan->problems.total, 3);
	assert_int_equal(plan->changes_count, 0);
	/* Of one that is there and wrong nobody says that it is missing. */
	plan = plan_of(*state, "object: person\nname: ana\nunit: support\n---\n"
			       "object: unit\nname: support\nbudget-per-day: 1\n");
	assert_int_equal(plan->problems.total, 1);
}

/* The line is the file's: the text of a policy begins below its "|". */
static void a_policy_that_could_not_hold_is_told_where_it_stands(void **state)
{
	const struct plan *plan =
		plan_of(*state, "object: policy\nname: org/stop\nlevel: mandatory\ntext: |\n"
				"  forbid (principal, action, resource)\n"
				"  when { resource.enviroment == \"prod\" };\n");

	assert_int_equal(plan->problems.total, 1);
	says(plan, 6, "line 2, column 8: ");
	assert_string_equal(plan->problems.items[0].field.data, "policy org/stop: text");
	assert_string_equal(plan->problems.items[0].excerpt.data,
		"    when { resource.enviroment == \"prod\" };\n"
		"           ^~~~~~~~~~~~~~~~~~~\n");
	assert_non_null(strstr(plan->problems.items[0].remedy.data, "environment"));
	plan = plan_of(*state,
		"object: policy\nname: org/stop\ntext: 'forbid (principal, action, resource) "
		"unless { context.approvals.contains(\"ovner\") };'\n");
	says(plan, 3, "no name of an approval is \"ovner\"");
}

#define SERVER_OF(more)                                                                            \
	"object: server\nname: s\nunit: org\nenvironment: dev\ntransport: {" more "}\n"
#define TOOL_OF(name, more) SERVER_OF("stdio: [x]") "---\nobject: tool\nname: s/" name "\n" more

static void a_tool_that_is_named_like_a_method_is_held_to_it(void **state)
{
	static const char pinned[] = TOOL_OF("elicitation.creat",
		"effect: write\ndefinition: 'sha256:"
		"00000000000000000000000000000000000000000000000000000000000000aa'\n");

	says(plan_of(*state, TOOL_OF("elicitation.creat", "effect: write\n")), 8,
		"no method is named elicitation.creat");
	assert_non_null(strstr(((struct fixture *)*state)->plan->problems.items[0].remedy.data,
		"did you mean s/elicitation.create?"));
	says(plan_of(*state, TOOL_OF("elicitation.create", "effect: read\n")), 9,
		"elicitation/create is a method, and its effect is write");
	says(plan_of(*state, TOOL_OF("sampling.createMessage", "effect: execute\n")), 9,
		"its effect is write");
	says(plan_of(*state, TOOL_OF("resources.read", "effect: write\n")), 9,
		"its effect is read");
	says(plan_of(*state, TOOL_OF("resources.read", "effect: read\ndefinition: 'sha256:"
						       "0000000000000000000000000000000000000000000"
						       "0000000000000000000aa'\n")),
		10, "no server defines it");
	says(plan_of(*state, TOOL_OF("roots.list", "effect: write\n")), 8, "always refused");
	says(plan_of(*state, TOOL_OF("resources.subscribe", "effect: read\n")), 8,
		"always refused");
	assert_int_equal(plan_of(*state, pinned)->problems.total, 0);
	assert_int_equal(
		plan_of(*state, TOOL_OF("elicitation.create", "effect: write\n"))->problems.total,
		0);
	assert_int_equal(
		plan_of(*state, TOOL_OF("notes.read", "effect: write\n"))->problems.total, 0);
}

static void a_credential_that_would_leave_in_the_clear_is_told(void **state)
{
	says(plan_of(*state, SERVER_OF("url: 'http://m.example', credential: k")), 5,
		"a credential leaves over https only");
	says(plan_of(*state, SERVER_OF("url: 'http://127.0.0.1.m.example/', credential: k")), 5,
		"a credential leaves over https only");
	assert_int_equal(plan_of(*state, SERVER_OF("url: 'http://m.example'"))->problems.total, 0);
	assert_int_equal(plan_of(*state, SERVER_OF("url: 'https://m.example', credential: k"))
				 ->problems.total,
		0);
	assert_int_equal(plan_of(*state, SERVER_OF("url: 'http://[::1]:80/', credential: k"))
				 ->problems.total,
		0);
}

static void too_much_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct plan_options options = {0};
	struct plan_source *sources = calloc(PLAN_SOURCES_MAX + 1, sizeof *sources);
	struct plan *plan;
	struct error err = {0};
	char *bytes = calloc(1, PLAN_BYTES_MAX + 1);

	memset(bytes, '#', PLAN_BYTES_MAX + 1);
	assert_false(registry_plan(
		&plan, fixture->governed.registry, sources, PLAN_SOURCES_MAX + 1, &options, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_null(plan);
	sources[0].yaml = (struct text){bytes, PLAN_BYTES_MAX + 1};
	assert_false(registry_plan(&plan, fixture->governed.registry, sources, 1, &options, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	free(sources);
	free(bytes);
}

static void a_change_is_told_field_by_field(void **state)
{
	struct fixture *fixture = *state;
	const struct plan *plan;
	struct buffer text;

	assert_true(governed_apply(&fixture->governed, "adi", governed_world_yaml));
	plan = plan_of(fixture,
		"object: tool\nname: files/read\neffect: read\nrisk: low\n"
		"reads: [{data-source: tickets, when: 'true'}, {data-source: tickets}]\n");
	assert_int_equal(plan->problems.total, 0);
	assert_int_equal(plan->changes_count, 1);
	assert_int_equal(plan->changes[0].action, PLAN_CHANGE);
	assert_int_equal(plan->changes[0].fields_count, 3);
	assert_true(text_is(plan->changes[0].fields[0].path, "reads[0].when"));
	assert_true(text_is(plan->changes[0].fields[1].path, "reads[1]"));
	assert_null(plan->changes[0].fields[1].before);
	assert_true(text_is(plan->changes[0].fields[2].path, "risk"));
	assert_false(plan->changes[0].needs_approval);
	buffer_init(&text, 1 << 16);
	plan_text(&text, plan);
	buffer_append_byte(&text, '\0');
	assert_non_null(strstr(text.data, "~ tool files/read\n"));
	assert_non_null(strstr(text.data, "    risk: (absent) -> \"low\"\n"));
	assert_non_null(strstr(text.data, "0 to create, 1 to change, 0 to remove, 0 unchanged"));
	assert_null(strstr(text.data, "tool risk: ")); /* it is enforced */
	buffer_deinit(&text);
}

static void nothing_is_removed_unasked(void **state)
{
	struct fixture *fixture = *state;
	const struct plan *plan;

	assert_true(governed_apply(&fixture->governed, "adi", governed_world_yaml));
	plan = plan_of(fixture, "object: unit\nname: support\n");
	assert_int_equal(plan->changes_count, 0);
	assert_int_equal(plan->unchanged_count, 1);
}

#define ISSUER(name, rest)                                                                         \
	"object: issuer\nname: " name "\nunit: support\nspeaks: oidc\nalgorithms: [ES256]\n" rest  \
	"\n"

static void two_issuers_of_one_name_outside_are_refused(void **state)
{
	static const char mesh[] = "object: issuer\nname: %s\nunit: support\nspeaks: spiffe\n"
				   "trust-domain: td\nkeys: {file: /k}\n";
	struct fixture *fixture = *state;
	char yaml[512];

	assert_true(governed_apply(&fixture->governed, "adi", governed_world_yaml));
	assert_int_equal(plan_of(fixture, ISSUER("a", "url: https://a") "---\n" ISSUER(
						  "b", "url: https://b"))
				 ->problems.total,
		0);
	assert_int_equal(plan_of(fixture, ISSUER("a", "url: https://a") "---\n" ISSUER(
						  "b", "url: https://a"))
				 ->problems.total,
		1);
	(void)snprintf(yaml, sizeof yaml, mesh, "m");
	assert_true(governed_apply(&fixture->governed, "adi", yaml));
	assert_int_equal(plan_of(fixture, yaml)->problems.total, 0);
	(void)snprintf(yaml, sizeof yaml, mesh, "n");
	assert_int_equal(plan_of(fixture, yaml)->problems.total, 1);
}

static void a_rule_is_held_against_its_issuer(void **state)
{
	static const char charter[] =
		"---\nobject: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: "
		"ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: "
		"[staging]\nfederation:\n"
		"  - {issuer: %s, environment: staging, subject-prefix: 'repo:o/n:'%s}\n";
	static const char numbers[] =
		", claims: [{name: repository_id, is: '1'}, {name: repository_owner_id, is: '2'}]";
	static const char issuer[] = "object: issuer\nname: github\nunit: support\nspeaks: github\n"
				     "url: https://g\n";
	struct fixture *fixture = *state;
	char yaml[1024];
	static const struct {
		const char *name, *rest;
		unsigned problems;
	} cases[] = {{"github", "", 1}, {"nobody", numbers, 1}, {"github", numbers, 0}};

	assert_true(governed_apply(&fixture->governed, "adi", governed_world_yaml));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(yaml, sizeof yaml, "%s", issuer);
		(void)snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), charter,
			cases[i].name, cases[i].rest);
		assert_int_equal(plan_of(fixture, yaml)->problems.total, cases[i].problems);
	}
}

static void an_issuer_that_a_rule_names_is_not_removed(void **state)
{
	static const char world[] =
		"object: issuer\nname: id\nunit: support\nspeaks: oidc\nalgorithms: [ES256]\n"
		"url: https://id\n---\nobject: identity\nname: i\nkind: agent\nclass: retrieve\n"
		"risk: low\nowner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
		"environments: [staging]\nfederation:\n"
		"  - {issuer: id, environment: staging, subject: w}\n";
	struct fixture *fixture = *state;
	const struct registry *registry = fixture->governed.registry;

	assert_true(governed_apply(&fixture->governed, "adi", governed_world_yaml));
	assert_true(governed_apply(&fixture->governed, "adi", world));
	assert_true(object_refers_to(registry_find(registry, OBJECT_IDENTITY, TEXT("i"))->waiting,
		OBJECT_ISSUER, TEXT("id")));
}

static void a_charter_without_a_guardrail_of_the_organisation_is_told(void **state)
{
	static const char charter[] =
		"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"outputs: [{to: reply, up-to: internal}]\n";
	static const char guardrail[] = "---\nobject: policy\nname: %s/g\ntext: 'forbid "
					"(principal, action, resource);'\n";
	struct fixture *fixture = *state;
	char yaml[1024];

	assert_true(plan_of(fixture, charter)->is_unguarded);
	assert_false(plan_of(fixture, "object: unit\nname: more\n")->is_unguarded);
	(void)snprintf(yaml, sizeof yaml, "%s", charter);
	(void)snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), guardrail, "support");
	assert_true(plan_of(fixture, yaml)->is_unguarded);
	(void)snprintf(yaml, sizeof yaml, "%s", charter);
	(void)snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), guardrail, "org");
	assert_false(plan_of(fixture, yaml)->is_unguarded);
	assert_true(governed_apply(&fixture->governed, "adi", yaml + strlen(charter) + 4));
	assert_false(plan_of(fixture, charter)->is_unguarded);
}

static void what_is_recorded_only_is_named_where_it_is_used(void **state)
{
	const struct plan *plan = plan_of(*state,
		"object: data-source\nname: t\nunit: org\nenvironment: dev\nlocation: here\n");

	assert_int_equal(plan->unenforced_count, 2);
	assert_string_equal(plan->unenforced[0]->field, "location");
	assert_string_equal(plan->unenforced[1]->field, "environment");
	plan = plan_of(*state, "object: person\nname: t\nunit: org\n");
	assert_int_equal(plan->unenforced_count, 0);
	plan = plan_of(*state,
		"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: a\n"
		"backup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\npeers: []\n"
		"entitlements: [{effect: generate, resource: 'model:local/m'}]\n");
	assert_int_equal(plan->unenforced_count, 0);
	plan = plan_of(*state,
		"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: a\n"
		"backup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\npeers: []\n"
		"entitlements: [{effect: delegate, resource: 'peer:i'}]\n");
	assert_int_equal(plan->unenforced_count, 0);
	plan = plan_of(*state,
		"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: a\n"
		"backup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\npeers: []\n"
		"entitlements: [{effect: read, resource: 'data-source:d'}]\n");
	assert_int_equal(plan->unenforced_count, 1);
	assert_string_equal(plan->unenforced[0]->field, "entitlements[].resource");
	plan = plan_of(*state,
		"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: a\n"
		"backup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\n"
		"outputs: [{to: reply, up-to: public}, {to: 's/t', up-to: public}]\n");
	assert_int_equal(plan->unenforced_count, 0);
	plan = plan_of(*state,
		"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: a\n"
		"backup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\n"
		"outputs: [{to: reply, up-to: public}, {to: 'peer:i', up-to: public}]\n");
	assert_int_equal(plan->unenforced_count, 0);
}

/* ---- notes ---- */

static const char noted_head[] =
	"object: data-source\nname: t\nunit: org\nsensitivity: confidential\nenvironment: dev\n"
	"---\n"
	"object: server\nname: s\nunit: org\nenvironment: dev\ntransport: {stdio: [x]}\n---\n"
	"object: tool\nname: s/put\neffect: write\n---\n"
	"object: tool\nname: s/get\neffect: read\n---\n"
	"object: tool\nname: s/fetch\neffect: read\ntargets: [{argument: at, as: url}]\n---\n"
	"object: tool\nname: s/mail\neffect: write\ntargets: [{argument: to, as: recipient}]\n"
	"---\n"
	"object: identity\nname: i\nkind: agent\nclass: update\nrisk: low\nowner: a\n"
	"backup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\n"
	"data-sources: [{name: t, up-to: internal}]\n"
	"entitlements: [{effect: write, tool: s/put}, {effect: write, tool: s/put, when: 'true'},\n"
	"  {effect: read, tool: s/get}, {effect: read, tool: s/fetch},\n"
	"  {effect: write, tool: s/mail}]\n";

static const struct plan *noted(struct fixture *fixture, const char *outputs)
{
	char yaml[2048];

	(void)snprintf(yaml, sizeof yaml, "%soutputs: [{to: reply, up-to: internal}%s]\n",
		noted_head, outputs);
	return plan_of(fixture, yaml);
}

static void what_outputs_would_refuse_is_noted_and_no_problem(void **state)
{
	const struct plan *plan = noted(*state, "");
	size_t problems = plan->problems.total;

	assert_int_equal(plan->notes_count, 1);
	assert_int_equal(plan->notes[0].kind, OBJECT_IDENTITY);
	assert_true(text_is(plan->notes[0].name, "i"));
	assert_string_equal(plan->notes[0].text.data,
		"a task that has read internal data is refused what lets less go: s/put (public), "
		"s/fetch (public), s/mail (recipients: none); an output {to: SERVER/TOOL, up-to: "
		"internal} or, of recipients, to a recipient (NAME@HOST, *@HOST, person:NAME) up "
		"to internal lets it, where that is meant");
	plan = noted(*state, ", {to: s/put, up-to: internal, target: 'a*'},"
			     " {to: s/fetch, up-to: restricted}, {to: '*@*', up-to: public}");
	assert_int_equal(plan->notes_count, 2);
	assert_non_null(strstr(plan->notes[0].text.data, "go: s/mail (recipients: public); an "
							 "output to a recipient"));
	plan = noted(*state, ", {to: s/put, up-to: internal}, {to: s/fetch, up-to: internal},"
			     " {to: '*@*', up-to: internal}");
	assert_int_equal(plan->notes_count, 0);
	assert_int_equal(plan->problems.total, problems);
}

static bool notes(const struct plan *plan, const char *text)
{
	for (size_t i = 0; i < plan->notes_count; i++)
		if (strstr(plan->notes[i].text.data, text) != NULL)
			return true;
	return false;
}

#define LINES(data, outputs, entitlements)                                                         \
	"object: data-source\nname: t\nunit: org\nsensitivity: confidential\nenvironment: dev\n"   \
	"---\nobject: person\nname: cyd\nunit: org\nclearance: internal\n---\n"                    \
	"object: server\nname: s\nunit: org\nenvironment: dev\ntransport: {stdio: [x]}\n---\n"     \
	"object: tool\nname: s/put\neffect: write\n---\n"                                          \
	"object: tool\nname: s/get\neffect: read\nreads: [{data-source: t}]\n---\n"                \
	"object: tool\nname: s/some\neffect: read\nreads: [{data-source: t, when: 'false'}]\n"     \
	"---\nobject: identity\nname: i\nkind: agent\nclass: update\nrisk: low\nowner: a\n"        \
	"backup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\ndata-sources: [" data        \
	"]\noutputs: [" outputs "]\nentitlements: [" entitlements "]\n"

static void a_line_that_never_permits_anything_is_noted(void **state)
{
	static const char get[] =
		LINES("", "{to: reply, up-to: internal}", "{effect: read, tool: s/get}");

	assert_true(notes(plan_of(*state, get), "entitlements[0] never permits anything: s/get "
						"reads data source t, which data-sources does not "
						"list"));
	assert_true(notes(
		plan_of(*state, LINES("{name: t, up-to: internal}", "{to: reply, up-to: internal}",
					"{effect: read, tool: s/get}")),
		"which is confidential and covered up to internal"));
	assert_true(notes(plan_of(*state, LINES("{name: t, up-to: confidential}", "",
						  "{effect: read, tool: s/get}")),
		"an output {to: reply, up-to: ...} is missing"));
	assert_true(notes(plan_of(*state, LINES("", "",
						  "{effect: write, tool: s/put, uses: 1}, "
						  "{effect: write, tool: s/put}")),
		"uses of entitlements[0] never counts: entitlements[1]"));
	/* What only some calls need is none of it. */
	assert_int_equal(plan_of(*state, LINES("", "{to: reply, up-to: internal}",
						 "{effect: read, tool: s/some}"))
				 ->notes_count,
		0);
	assert_int_equal(plan_of(*state, LINES("", "",
						 "{effect: write, tool: s/put, uses: 1}, "
						 "{effect: write, tool: s/put, when: 'true'}"))
				 ->notes_count,
		0);
}

#define BOUND(risk, environment, line)                                                             \
	"object: identity\nname: i\nkind: agent\nclass: update\nrisk: " risk "\nowner: a\n"        \
	"backup-owner: b\nunit: org\npurpose: p\nenvironments: [" environment "]\n" line

static void what_tokens_for_production_must_be_bound_to_is_noted(void **state)
{
	assert_true(notes(plan_of(*state, BOUND("high", "dev, prod", "")),
		"tokens for prod must be bound (DPoP or a client certificate), as the risk is "
		"high"));
	assert_true(notes(plan_of(*state, BOUND("critical", "prod", "binding: none\n")),
		"Bearer tokens will do for prod although the risk is critical"));
	assert_int_equal(plan_of(*state, BOUND("high", "prod", "binding: dpop\n"))->notes_count, 0);
	assert_int_equal(plan_of(*state, BOUND("high", "staging", ""))->notes_count, 0);
	assert_int_equal(plan_of(*state, BOUND("medium", "prod", ""))->notes_count, 0);
}

static void an_output_that_lets_nothing_go_is_noted(void **state)
{
	assert_true(
		notes(plan_of(*state, LINES("", "{to: s/put, up-to: public, target: 'a*'}", "")),
			"outputs[0] never matches: s/put has no targets, and target needs one"));
	assert_true(notes(plan_of(*state, LINES("", "{to: s/get, up-to: public}", "")),
		"outputs[0] does nothing: s/get only reads"));
	assert_true(notes(plan_of(*state, LINES("", "{to: 'person:cyd', up-to: confidential}", "")),
		"outputs[0] never lets confidential data go: cyd has the clearance internal"));
	assert_int_equal(
		plan_of(*state, LINES("", "{to: 'person:cyd', up-to: internal}", ""))->notes_count,
		0);
}

static void a_role_that_is_nearly_one_of_ours_is_noted(void **state)
{
	assert_true(notes(plan_of(*state, "object: person\nname: x\nunit: org\nroles: [aprover]\n"),
		"role aprover counts for approvals by role/aprover alone; did you mean approver?"));
	assert_int_equal(plan_of(*state, "object: person\nname: x\nunit: org\n"
					 "roles: [approver, backup-owner, pharmacist]\n")
				 ->notes_count,
		0);
}

static void what_a_guardrail_names_and_is_not_there_is_noted(void **state)
{
	static const char world[] =
		"object: server\nname: mail\nunit: org\nenvironment: dev\n"
		"transport: {stdio: [x]}\n---\nobject: tool\nname: mail/send\neffect: write\n---\n"
		"object: unit\nname: ward\n---\nobject: policy\nname: org/p\ntext: |\n"
		"  forbid (principal in Unit::\"%s\", action, resource == Tool::\"%s\")\n"
		"  unless { principal in [Unit::\"ward\", Unit::\"%s\"] };\n";
	char yaml[1024];
	const struct plan *plan;

	(void)snprintf(yaml, sizeof yaml, world, "wrd", "mail/sned", "wrd");
	plan = plan_of(*state, yaml);
	assert_int_equal(plan->problems.total, 0);
	assert_int_equal(plan->notes_count, 2);
	assert_true(notes(plan, "it names Unit::\"wrd\", which is not registered; did you mean "
				"ward?"));
	assert_true(notes(plan, "it names Tool::\"mail/sned\", which is not registered; did you "
				"mean mail/send?"));
	(void)snprintf(yaml, sizeof yaml, world, "org", "mail/send", "ward");
	assert_int_equal(plan_of(*state, yaml)->notes_count, 0);
}

static void of_more_notes_than_the_most_none_is_told(void **state)
{
	for (int count = PLAN_MORE_NOTES_MAX; count <= PLAN_MORE_NOTES_MAX + 1; count++) {
		struct buffer yaml;

		buffer_init(&yaml, 1 << 20);
		for (int i = 0; i < count; i++)
			buffer_append_format(&yaml,
				"%sobject: person\nname: p%d\nunit: org\nroles: [aprover]\n",
				i == 0 ? "" : "---\n", i);
		assert_int_equal(
			plan_of(*state, buffer_text(&yaml).data)->notes_count, PLAN_MORE_NOTES_MAX);
		buffer_deinit(&yaml);
	}
}

/* A mail goes to people: no line of the tool stands in for theirs. */
static void a_tool_of_recipients_is_noted_until_a_recipient_has_a_line(void **state)
{
	static const char *const others[] = {", {to: s/mail, up-to: internal}",
		", {to: s/mail, up-to: internal, target: '*'}",
		", {to: 'peer:i', up-to: internal}"};
	static const char *const recipients[] = {"'*@*'", "'*@desk.example'", "ana@desk.example"};
	static const char tools[] =
		", {to: s/put, up-to: internal}, {to: s/fetch, up-to: internal}";
	const struct plan *plan;
	char outputs[256];

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		(void)snprintf(outputs, sizeof outputs, "%s%s", tools, others[i]);
		plan = noted(*state, outputs);
		assert_int_equal(
			plan->notes_count, i == 1 ? 2 : 1); /* its target is in vain, too */
		assert_string_equal(plan->notes[0].text.data,
			"a task that has read internal data is refused what lets less go: s/mail "
			"(recipients: none); an output to a recipient (NAME@HOST, *@HOST, "
			"person:NAME) up to internal lets it, where that is meant");
	}
	for (size_t i = 0; i < sizeof recipients / sizeof recipients[0]; i++) {
		(void)snprintf(outputs, sizeof outputs, "%s, {to: %s, up-to: internal}", tools,
			recipients[i]);
		assert_int_equal(noted(*state, outputs)->notes_count, 0);
	}
}

/* Nothing goes to a recipient that no line covers, public data neither. */
static void a_tool_of_recipients_is_noted_where_only_public_data_is_read(void **state)
{
	const struct plan *plan = plan_of(*state,
		"object: server\nname: s\nunit: org\nenvironment: dev\ntransport: {stdio: [x]}\n"
		"---\n"
		"object: tool\nname: s/both\neffect: read\n"
		"targets: [{argument: to, as: recipient}, {argument: at, as: path}]\n---\n"
		"object: identity\nname: i\nkind: agent\nclass: update\nrisk: low\nowner: a\n"
		"backup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\n"
		"entitlements: [{effect: read, tool: s/both}]\n");

	assert_int_equal(plan->notes_count, 1);
	assert_non_null(strstr(plan->notes[0].text.data, "go: s/both (recipients: none); an output "
							 "to a recipient"));
}

static void only_so_many_tools_are_named_in_a_note(void **state)
{
	struct fixture *fixture = *state;

	for (int count = PLAN_NOTE_TOOLS_MAX; count <= PLAN_NOTE_TOOLS_MAX + 1; count++) {
		struct buffer yaml;
		const struct plan *plan;

		buffer_init(&yaml, 1 << 20);
		buffer_append_string(&yaml,
			"object: data-source\nname: t\nunit: org\nenvironment: dev\n---\n"
			"object: server\nname: s\nunit: org\nenvironment: dev\n"
			"transport: {stdio: [x]}\n---\n");
		for (int i = 0; i < count; i++)
			buffer_append_format(
				&yaml, "object: tool\nname: s/t%d\neffect: write\n---\n", i);
		buffer_append_string(&yaml,
			"object: identity\nname: i\nkind: agent\nclass: update\nrisk: low\n"
			"owner: a\nbackup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\n"
			"data-sources: [{name: t, up-to: internal}]\nentitlements:\n");
		for (int i = 0; i < count; i++)
			buffer_append_format(&yaml, "  - {effect: write, tool: s/t%d}\n", i);
		buffer_append_byte(&yaml, '\0');
		plan = plan_of(fixture, buffer_text(&yaml).data);
		assert_int_equal(plan->notes_count, 1);
		assert_int_equal(strstr(plan->notes[0].text.data, " and more;") != NULL,
			count > PLAN_NOTE_TOOLS_MAX);
		buffer_deinit(&yaml);
	}
}

static void of_more_charters_than_the_most_none_is_noted(void **state)
{
	struct buffer yaml;

	buffer_init(&yaml, 1 << 20);
	buffer_append_string(&yaml, noted_head);
	for (int i = 0; i < PLAN_NOTES_MAX; i++)
		buffer_append_format(&yaml,
			"---\nobject: identity\nname: i%d\nkind: agent\nclass: update\nrisk: low\n"
			"owner: a\nbackup-owner: b\nunit: org\npurpose: p\nenvironments: [dev]\n"
			"data-sources: [{name: t, up-to: internal}]\n"
			"entitlements: [{effect: write, tool: s/put}]\n",
			i);
	buffer_append_byte(&yaml, '\0');
	assert_int_equal(plan_of(*state, buffer_text(&yaml).data)->notes_count, PLAN_NOTES_MAX);
	buffer_deinit(&yaml);
}

static void an_export_plans_to_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct buffer yaml;

	assert_true(governed_apply(&fixture->governed, "adi", governed_world_yaml));
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_APPROVE, "a1"));
	for (int with_waiting = 0; with_waiting < 2; with_waiting++) {
		const struct plan *plan;

		buffer_init(&yaml, 1 << 20);
		registry_export(&yaml, fixture->governed.registry, with_waiting != 0);
		buffer_append_byte(&yaml, '\0');
		plan = plan_of(fixture, yaml.data);
		assert_int_equal(plan->problems.total, 0);
		assert_int_equal(plan->changes_count, 0);
		assert_int_equal(plan->unchanged_count, 13);
		buffer_deinit(&yaml);
	}
}

static void a_plan_is_told_as_json(void **state)
{
	struct fixture *fixture = *state;
	const struct plan *plan =
		plan_of(fixture, "object: unit\nname: u\n---\nobject: unit\nname: v\ncolour: x\n");
	struct json json;
	struct error err = {0};

	assert_true(plan_json(&json, fixture->governed.arena, plan, &err));
	assert_int_equal(json_integer_or(&json, "revision", -1), 2);
	assert_int_equal(json_find(&json, "changes")->count, 1);
	assert_int_equal(json_integer_or(&json, "problems_total", -1), 1);
	assert_int_equal(json_integer_or(&json_find(&json, "problems")->items[0], "line", 0), 6);
}

static void a_diff_needs_both_sides(void **state)
{
	struct fixture *fixture = *state;
	struct plan_change change = {.action = PLAN_CREATE};
	struct error err = {0};

	assert_true(plan_diff(&change, fixture->governed.arena, &err));
	assert_int_equal(change.fields_count, 0);
}

/* {"attrs": {"a0": value, ...}, "zones": value} */
static const struct object *object_of_numbers(
	struct object *out, struct arena *arena, uint32_t count, int64_t value)
{
	struct json_builder attributes, document;
	struct error err = {0};
	struct json sealed;

	json_object_start(&attributes, arena);
	for (uint32_t i = 0; i < count; i++)
		json_put_integer(&attributes, text_format(arena, "a%u", i).data, value);
	assert_true(json_object_seal(&attributes, &sealed, &err));
	json_object_start(&document, arena);
	json_put(&document, "attrs", sealed);
	json_put_integer(&document, "zones", value);
	assert_true(json_object_seal(&document, &out->as_read, &err));
	return out;
}

/* Who approves must see all that changes: many small ones hide none behind them. */
static void where_too_many_fields_differ_members_are_told_whole(void **state)
{
	struct fixture *fixture = *state;
	struct arena *arena = fixture->governed.arena;

	for (uint32_t more = 0; more < 2; more++) {
		uint32_t count = PLAN_FIELDS_MAX - 1 + more;
		struct object before, after;
		struct plan_change change = {.action = PLAN_CHANGE,
			.before = object_of_numbers(&before, arena, count, 1),
			.after = object_of_numbers(&after, arena, count, 2)};
		struct error err = {0};

		assert_true(plan_diff(&change, arena, &err));
		assert_int_equal(change.fields_count, more == 0 ? PLAN_FIELDS_MAX : 2);
		assert_true(text_is(change.fields[0].path, more == 0 ? "attrs.a0" : "attrs"));
		assert_true(text_is(change.fields[change.fields_count - 1].path, "zones"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_no_yaml_is_told_with_its_line),
		TEST(anchors_and_aliases_are_told),
		TEST(two_documents_of_one_name_are_told),
		TEST(a_reference_to_a_document_beside_it_is_fine),
		TEST(what_a_document_names_is_looked_for_beside_what_is_wrong_with_it),
		TEST(a_policy_that_could_not_hold_is_told_where_it_stands),
		TEST(a_tool_that_is_named_like_a_method_is_held_to_it),
		TEST(a_credential_that_would_leave_in_the_clear_is_told),
		TEST(too_much_is_refused),
		TEST(a_change_is_told_field_by_field),
		TEST(nothing_is_removed_unasked),
		TEST(what_is_recorded_only_is_named_where_it_is_used),
		TEST(what_outputs_would_refuse_is_noted_and_no_problem),
		TEST(a_line_that_never_permits_anything_is_noted),
		TEST(an_output_that_lets_nothing_go_is_noted),
		TEST(what_tokens_for_production_must_be_bound_to_is_noted),
		TEST(a_role_that_is_nearly_one_of_ours_is_noted),
		TEST(what_a_guardrail_names_and_is_not_there_is_noted),
		TEST(of_more_notes_than_the_most_none_is_told),
		TEST(a_tool_of_recipients_is_noted_until_a_recipient_has_a_line),
		TEST(a_tool_of_recipients_is_noted_where_only_public_data_is_read),
		TEST(only_so_many_tools_are_named_in_a_note),
		TEST(of_more_charters_than_the_most_none_is_noted),
		TEST(two_issuers_of_one_name_outside_are_refused),
		TEST(a_rule_is_held_against_its_issuer),
		TEST(an_issuer_that_a_rule_names_is_not_removed),
		TEST(a_charter_without_a_guardrail_of_the_organisation_is_told),
		TEST(an_export_plans_to_nothing),
		TEST(a_plan_is_told_as_json),
		TEST(a_diff_needs_both_sides),
		TEST(where_too_many_fields_differ_members_are_told_whole),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}

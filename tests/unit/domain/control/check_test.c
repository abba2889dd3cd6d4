/* Each check beside its near misses: what violates it, and what only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/standing.h"
#include "domain/control/check.h"
#include "domain/control/key_holders.h"
#include "domain/review/review.h"
#include "support/decide_bench.h"

enum { NOW = DECIDE_BENCH_NOW, DAY = CHECK_DAY_S };

struct bench {
	struct decide_bench world;
	struct graph *graph;
	struct key_holders *holders;
	unsigned parts;
	struct identity_facts facts; /* that a witness tells; none while has_witness is false */
	struct control_witness witness;
	bool has_witness;
};

static void tell_facts(void *context, const struct registry_entry *entry, int64_t now_utc_s,
	struct identity_facts *out)
{
	const struct bench *bench = context;

	assert_non_null(entry->in_force);
	assert_int_equal(now_utc_s, NOW);
	*out = bench->facts;
}

static int setup(void **state)
{
	static struct bench bench;
	struct error err = {0};

	memset(&bench, 0, sizeof bench);
	decide_bench_init(&bench.world);
	assert_true(graph_create(&bench.graph, &err));
	bench.holders = key_holders_create();
	assert_non_null(bench.holders);
	bench.witness = (struct control_witness){&bench, tell_facts};
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	key_holders_destroy(&bench->holders);
	graph_destroy(&bench->graph);
	decide_bench_deinit(&bench->world);
	return 0;
}

/* ---- the world ---- */

static struct control_world world_of(const struct bench *bench, struct arena *scratch)
{
	return (struct control_world){.registry = bench->world.registry,
		.graph = bench->graph,
		.key_holders = bench->holders,
		.witness = bench->has_witness ? &bench->witness : NULL,
		.now_utc_s = NOW,
		.scratch = scratch};
}

static bool note_keys(void *context, const struct registry_entry *entry)
{
	struct bench *bench = context;

	assert_true(key_holders_note(bench->holders, entry, bench->world.arena));
	return true;
}

static bool note_person(void *context, const struct registry_entry *entry)
{
	assert_true(key_holders_note_person(((struct bench *)context)->holders, entry));
	return true;
}

static check_set violated_by(struct bench *bench, enum object_kind kind, const char *name)
{
	const struct registry_entry *entry =
		registry_find(bench->world.registry, kind, text_of(name));
	struct control_world world = world_of(bench, bench->world.arena);
	check_set violated;
	struct error err;

	assert_non_null(entry);
	registry_each(bench->world.registry, OBJECT_IDENTITY, TEXT(""), note_keys, bench);
	registry_each(bench->world.registry, OBJECT_PERSON, TEXT(""), note_person, bench);
	assert_true(check_entry(&world, entry, &violated, &err));
	assert_int_equal(violated & ~check_set_of_entry(kind), 0);
	return violated;
}

static bool has(check_set violated, enum control_check check)
{
	return (violated & check_bit(check)) != 0;
}

/* The documents with one that is right, of which `before` is written as `after`. */
static void assert_entry(struct bench *bench, enum object_kind kind, const char *name,
	const char *yaml, enum control_check check, bool is_expected)
{
	if (!decide_bench_put(&bench->world, yaml))
		fail_msg("%s", yaml);
	if (has(violated_by(bench, kind, name), check) != is_expected)
		fail_msg("%s is %sviolated by:\n%s", check_word(check), is_expected ? "not " : "",
			yaml);
}

#define PLAIN                                                                                      \
	"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"          \
	"backup-owner: bo\nunit: support\npurpose: p\nimpact: little\nreview: 90d\n"               \
	"expires: 2027-06-30\n"
#define ACCEPTED(by, until)                                                                        \
	"risk-record: {residual: low, accepted-by: [" by "], accepted-until: " until "}\n"
#define RIGHT PLAIN ACCEPTED("bo", "2027-06-30")
#define STAGING "environments: [staging]\n"

static void assert_identity(
	struct bench *bench, const char *yaml, enum control_check check, bool is_expected)
{
	assert_entry(bench, OBJECT_IDENTITY, "i", yaml, check, is_expected);
}

/* ---- identities ---- */

static void a_right_identity_violates_nothing(void **state)
{
	struct bench *bench = *state;

	assert_true(decide_bench_put(&bench->world,
		RIGHT STAGING "entitlements:\n  - {effect: read, tool: files/read}\n"
			      "  - {effect: execute, tool: files/run, approvals: [owner]}\n"
			      "  - {effect: write, tool: files/write}\n"));
	assert_int_equal(violated_by(bench, OBJECT_IDENTITY, "i"), 0);
}

static void owners_must_be_here(void **state)
{
	struct bench *bench = *state;

	assert_identity(bench, RIGHT STAGING, CHECK_OWNER_GONE, false);
	assert_identity(bench,
		"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: zoe\n"
		"backup-owner: bo\nunit: support\npurpose: p\n" STAGING,
		CHECK_OWNER_GONE, true);
	assert_identity(bench, RIGHT STAGING, CHECK_BACKUP_GONE, false);
	assert_identity(bench,
		"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: zoe\nunit: support\npurpose: p\n" STAGING,
		CHECK_BACKUP_GONE, true);
	decide_bench_set_state(&bench->world, "i", IDENTITY_SUSPENDED);
	assert_int_equal(violated_by(bench, OBJECT_IDENTITY, "i"), 0);
}

static void what_is_missing_in_a_charter_is_said(void **state)
{
	struct bench *bench = *state;
	check_set bare;

	assert_true(decide_bench_put(&bench->world,
		"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\n" STAGING));
	bare = violated_by(bench, OBJECT_IDENTITY, "i");
	assert_true(has(bare, CHECK_RISK_MISSING));
	assert_true(has(bare, CHECK_REVIEW_MISSING));
	assert_identity(bench, RIGHT STAGING, CHECK_RISK_MISSING, false);
	assert_identity(bench, RIGHT STAGING, CHECK_REVIEW_MISSING, false);
}

static void a_charter_is_over_from_its_second_on(void **state)
{
	struct bench *bench = *state;

	/* NOW is 2027-01-15T08:00:00Z. */
	assert_identity(bench,
		"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nexpires: 2027-01-16\n" STAGING,
		CHECK_CHARTER_OVER, false);
	assert_identity(bench,
		"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nexpires: 2027-01-13\n" STAGING,
		CHECK_CHARTER_OVER, true);
}

static void somebody_who_is_here_accepts_a_risk_for_a_time(void **state)
{
	struct bench *bench = *state;

	assert_identity(bench, PLAIN STAGING, CHECK_RISK_UNACCEPTED, true);
	assert_identity(bench, RIGHT STAGING, CHECK_RISK_UNACCEPTED, false);
	/* NOW is 2027-01-15T08:00:00Z: to its last second and no longer. */
	assert_identity(bench, PLAIN ACCEPTED("bo", "2027-01-15T08:00:01Z") STAGING,
		CHECK_RISK_UNACCEPTED, false);
	assert_identity(bench, PLAIN ACCEPTED("bo", "2027-01-15T08:00:00Z") STAGING,
		CHECK_RISK_UNACCEPTED, true);
	assert_identity(
		bench, PLAIN ACCEPTED("zoe", "2027-06-30") STAGING, CHECK_RISK_UNACCEPTED, true);
	assert_identity(bench, PLAIN ACCEPTED("bo, zoe", "2027-06-30") STAGING,
		CHECK_RISK_UNACCEPTED, true);
	decide_bench_set_state(&bench->world, "i", IDENTITY_SUSPENDED);
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_RISK_UNACCEPTED));
}

static void people_look_again_by_their_day(void **state)
{
	struct bench *bench = *state;

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
#define OVERDUE(looked, due)                                                                       \
	(bench->facts = (struct identity_facts){.looked_utc_s = (looked), .due_utc_s = (due)},     \
		has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_REVIEW_OVERDUE))
	assert_false(OVERDUE(NOW - 200 * DAY, NOW - DAY)); /* nobody tells */
	bench->has_witness = true;
	assert_false(OVERDUE(0, 0));
	assert_false(OVERDUE(NOW - DAY, NOW + 1));
	assert_true(OVERDUE(NOW - DAY, NOW));
	assert_false(OVERDUE(NOW - 90 * DAY + 1, 0));
	assert_true(OVERDUE(NOW - 90 * DAY, 0));
	decide_bench_set_state(&bench->world, "i", IDENTITY_SUSPENDED);
	assert_false(OVERDUE(NOW - 90 * DAY, NOW));
}

static void what_accounts_open_undeclared_counts_while_it_is_in_force(void **state)
{
	struct bench *bench = *state;

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	bench->facts.has_excess = true;
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_EXCESS_OPEN));
	bench->has_witness = true;
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_EXCESS_OPEN));
	decide_bench_set_state(&bench->world, "i", IDENTITY_SUSPENDED);
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_EXCESS_OPEN));
	decide_bench_set_state(&bench->world, "i", IDENTITY_RETIRED);
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_EXCESS_OPEN));
	decide_bench_set_state(&bench->world, "i", IDENTITY_ACTIVE);
	bench->facts.has_excess = false;
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_EXCESS_OPEN));
}

static void a_class_holds_lines_below_it(void **state)
{
	struct bench *bench = *state;

	assert_identity(bench, RIGHT STAGING "entitlements: [{effect: write, tool: files/write}]\n",
		CHECK_LINE_ABOVE_CLASS, false);
	decide_bench_set_class(&bench->world, "i", CLASS_RETRIEVE);
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_LINE_ABOVE_CLASS));
	decide_bench_set_class(&bench->world, "i", CLASS_NONE);
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_PURPOSE_MISSING));
}

static void acts_at_risk_need_an_approval(void **state)
{
	struct bench *bench = *state;

	assert_identity(bench, RIGHT STAGING "entitlements: [{effect: execute, tool: files/run}]\n",
		CHECK_LINE_UNCHECKED, true);
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_LINE_IRREVERSIBLE));
	assert_identity(bench,
		RIGHT STAGING
		"entitlements: [{effect: execute, tool: files/run, approvals: [owner]}]\n",
		CHECK_LINE_UNCHECKED, false);
	assert_identity(bench, RIGHT STAGING "entitlements: [{effect: write, tool: files/write}]\n",
		CHECK_LINE_UNCHECKED, false);
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_LINE_IRREVERSIBLE));
}

static void keys_without_an_end_stand(void **state)
{
	struct bench *bench = *state;

#define CERTIFICATE(environment, more)                                                             \
	"keys:\n  - {environment: " environment ", certificate: 'sha256:"                          \
	"00000000000000000000000000000000000000000000000000000000000000aa'" more "}\n"
#define ENDLESS                                                                                    \
	"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"          \
	"backup-owner: bo\nunit: support\npurpose: p\n" STAGING
	assert_identity(bench, ENDLESS CERTIFICATE("staging", ""), CHECK_KEY_ENDLESS, true);
	assert_identity(bench, ENDLESS CERTIFICATE("staging", ", expires: 2027-03-01"),
		CHECK_KEY_ENDLESS, false);
	assert_identity(bench, RIGHT STAGING CERTIFICATE("staging", ""), CHECK_KEY_ENDLESS, false);
}

static void a_key_of_two_is_shared_as_long_as_both_have_it(void **state)
{
	struct bench *bench = *state;

	assert_true(decide_bench_put(&bench->world,
		"object: identity\nname: j\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\n" STAGING CERTIFICATE(
			"staging", "")));
	assert_identity(bench, RIGHT STAGING, CHECK_KEY_SHARED, false);
	assert_identity(bench, RIGHT STAGING CERTIFICATE("staging", ""), CHECK_KEY_SHARED, true);
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "j"), CHECK_KEY_SHARED));
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "j"), CHECK_KEY_ACROSS));
	decide_bench_set_state(&bench->world, "j", IDENTITY_RETIRED);
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_KEY_SHARED));
}

static void a_key_of_prod_and_another_environment_goes_across(void **state)
{
	struct bench *bench = *state;

	assert_true(decide_bench_put(&bench->world,
		"object: identity\nname: j\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [prod]\n" CERTIFICATE(
			"prod", "")));
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "j"), CHECK_KEY_ACROSS));
	assert_identity(bench, RIGHT STAGING CERTIFICATE("staging", ""), CHECK_KEY_ACROSS, true);
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "j"), CHECK_KEY_ACROSS));
}

/* ---- who could answer what it asks ---- */

#define JWK                                                                                        \
	"keys:\n  - {environment: staging, jwk: {kty: EC, crv: P-256, "                            \
	"x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU, "                                         \
	"y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0}}\n"

/* The key of identity i as ana's; ended, where end is a moment. */
static void enrol(struct bench *bench, int64_t ended_utc_ms)
{
	const struct registry_entry *entry =
		registry_find(bench->world.registry, OBJECT_IDENTITY, TEXT("i"));
	const struct charter_key *key = &charter_of(entry->in_force)->keys[0];
	struct person_key enrolled = {.kid = charter_key_thumbprint(bench->world.arena, key),
		.jwk = {.type = JSON_OBJECT},
		.enrolled_utc_ms = 1};
	struct error err;
	bool is_set = registry_set_key(bench->world.registry, TEXT("ana"), &enrolled,
		registry_revision(bench->world.registry), &err);

	enrolled.ended_utc_ms = ended_utc_ms;
	enrolled.useless_utc_ms = INT64_MAX;
	if (is_set && ended_utc_ms != 0)
		is_set = registry_end_key(bench->world.registry, TEXT("ana"), &enrolled,
			registry_revision(bench->world.registry), &err);
	if (!is_set)
		fail_msg("%s", err.text);
}

static void who_has_the_key_of_a_person_answers_as_one(void **state)
{
	struct bench *bench = *state;

	assert_identity(bench, RIGHT STAGING JWK, CHECK_ANSWERS_AS_PERSON, false);
	enrol(bench, 0);
	assert_identity(bench, RIGHT STAGING JWK, CHECK_ANSWERS_AS_PERSON, true);
	assert_identity(
		bench, RIGHT STAGING CERTIFICATE("staging", ""), CHECK_ANSWERS_AS_PERSON, false);
	assert_identity(bench, RIGHT STAGING JWK, CHECK_ANSWERS_AS_PERSON, true);
	decide_bench_set_state(&bench->world, "i", IDENTITY_RETIRED);
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_ANSWERS_AS_PERSON));
}

static void a_key_that_was_ended_answers_nothing(void **state)
{
	struct bench *bench = *state;

	assert_identity(bench, RIGHT STAGING JWK, CHECK_ANSWERS_AS_PERSON, false);
	enrol(bench, INT64_C(1000) * (NOW - 1));
	assert_identity(bench, RIGHT STAGING JWK, CHECK_ANSWERS_AS_PERSON, false);
}

#define IDP(people)                                                                                \
	"object: issuer\nname: idp\nunit: support\nspeaks: oidc\nalgorithms: [ES256]\n"            \
	"url: https://idp.example\n" people
#define RULE(members)                                                                              \
	RIGHT STAGING "federation:\n  - {issuer: idp, environment: staging, " members "}\n"
#define DEE(members) "object: person\nname: dee\nunit: support\nroles: [approver]\n" members

static void put_documents(struct bench *bench, const char *first, const char *second)
{
	assert_true(decide_bench_put(&bench->world, first));
	assert_true(decide_bench_put(&bench->world, second));
}

static void who_is_met_by_the_word_that_a_person_signs_in_by_answers_as_one(void **state)
{
	struct bench *bench = *state;

	put_documents(bench, IDP("people: {client: remit, claim: sub}\n"),
		DEE("sign-in: {issuer: idp, as: u-17}\n"));
	assert_identity(bench, RULE("subject: u-17"), CHECK_ANSWERS_AS_PERSON, true);
	assert_identity(bench, RULE("subject: u-18"), CHECK_ANSWERS_AS_PERSON, false);
	assert_identity(bench, RULE("subject: dee"), CHECK_ANSWERS_AS_PERSON, false);
	put_documents(bench, IDP(""), DEE("sign-in: {issuer: idp, as: u-17}\n"));
	assert_identity(bench, RULE("subject: u-17"), CHECK_ANSWERS_AS_PERSON, false);
	put_documents(bench, IDP("people: {client: remit, claim: sub}\n"), DEE(""));
	assert_identity(bench, RULE("subject: u-17"), CHECK_ANSWERS_AS_PERSON, false);
	put_documents(bench, IDP("people: {client: remit, claim: sub}\n"),
		DEE("sign-in: {issuer: idp, as: u-17}\nleft: 2027-01-01\n"));
	assert_identity(bench, RULE("subject: u-17"), CHECK_ANSWERS_AS_PERSON, false);
}

/* The claim by which its issuer knows people is what counts, not the subject. */
static void by_another_claim_a_rule_is_met_as_a_person_where_it_says_that_claim(void **state)
{
	struct bench *bench = *state;

	put_documents(bench, IDP("people: {client: remit, claim: oid}\n"),
		DEE("sign-in: {issuer: idp, as: d@x.example}\n"));
	assert_identity(bench, RULE("subject: d@x.example"), CHECK_ANSWERS_AS_PERSON, false);
	assert_identity(bench, RULE("subject: s, claims: [{name: oid, is: d@x.example}]"),
		CHECK_ANSWERS_AS_PERSON, true);
	assert_identity(bench, RULE("subject: s, claims: [{name: sid, is: d@x.example}]"),
		CHECK_ANSWERS_AS_PERSON, false);
}

static void tokens_for_prod_at_risk_are_bound(void **state)
{
	struct bench *bench = *state;

#define PROD(risk, more)                                                                           \
	"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: " risk "\nowner: ana\n"     \
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [prod]\n" more
	assert_identity(bench, PROD("high", "binding: none\n"), CHECK_TOKEN_UNBOUND, true);
	assert_identity(bench, PROD("high", ""), CHECK_TOKEN_UNBOUND, false);
	assert_identity(bench, PROD("low", "binding: none\n"), CHECK_TOKEN_UNBOUND, false);
}

static const char issuers[] = "object: issuer\nname: ci\nunit: support\nspeaks: github\n"
			      "url: https://token.actions.githubusercontent.com\n---\n"
			      "object: issuer\nname: idp\nunit: support\nspeaks: oidc\n"
			      "algorithms: [ES256]\nurl: https://idp.example\n"
			      "";

static void rules_of_federation_hold_on_to_what_cannot_be_taken_over(void **state)
{
	struct bench *bench = *state;

	if (!decide_bench_put(&bench->world, issuers))
		fail_msg("issuers");
	assert_identity(bench,
		RIGHT STAGING
		"federation:\n  - {issuer: idp, environment: staging, subject-prefix: 'team/'}\n",
		CHECK_RULE_WILDCARD, true);
	assert_identity(bench,
		RIGHT STAGING
		"federation:\n  - {issuer: idp, environment: staging, subject: 'team/one'}\n",
		CHECK_RULE_WILDCARD, false);
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_RULE_DANGLING));
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_RULE_BY_NAME));
	assert_identity(bench,
		RIGHT STAGING
		"federation:\n  - {issuer: gone, environment: staging, subject: 'team/one'}\n",
		CHECK_RULE_DANGLING, true);
}

static void sandboxes_stay_away_from_production(void **state)
{
	struct bench *bench = *state;

#define SANDBOX                                                                                    \
	"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"         \
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [dev]\n"                       \
	"expires: 2027-01-20\nsandbox: {template: 1, approved-by: ana}\n"
	assert_identity(bench, SANDBOX, CHECK_SANDBOX_ESCAPE, false);
	assert_identity(bench, SANDBOX "data-sources: [{name: tickets, up-to: internal}]\n",
		CHECK_SANDBOX_ESCAPE, true); /* which lies in staging */
	assert_identity(bench, SANDBOX "entitlements: [{effect: read, tool: files/read}]\n",
		CHECK_SANDBOX_ESCAPE, true);
}

/* ---- other entries ---- */

#define READS_TOOL(name) "object: tool\nname: " name "\neffect: read\nrisk: low\n"

/* Of a method no server has a definition that could be pinned; of what is only called like one,
 * it has. */
static void a_method_has_nothing_to_be_pinned(void **state)
{
	struct bench *bench = *state;

	assert_entry(bench, OBJECT_TOOL, "files/prompts.get", READS_TOOL("files/prompts.get"),
		CHECK_TOOL_UNPINNED, false);
	assert_entry(bench, OBJECT_TOOL, "files/resources.read", READS_TOOL("files/resources.read"),
		CHECK_TOOL_UNPINNED, false);
	assert_entry(bench, OBJECT_TOOL, "files/messages", READS_TOOL("files/messages"),
		CHECK_TOOL_UNPINNED, true);
	assert_entry(bench, OBJECT_TOOL, "files/prompts-get", READS_TOOL("files/prompts-get"),
		CHECK_TOOL_UNPINNED, true);
}

static void other_entries_are_asked_what_concerns_them(void **state)
{
	struct bench *bench = *state;

	assert_true(has(violated_by(bench, OBJECT_TOOL, "files/read"), CHECK_TOOL_UNPINNED));
	assert_false(has(violated_by(bench, OBJECT_TOOL, "files/run"), CHECK_REVERSAL_UNSAID));
	assert_entry(bench, OBJECT_TOOL, "files/x",
		"object: tool\nname: files/x\neffect: write\nrisk: low\ndefinition: 'sha256:"
		"00000000000000000000000000000000000000000000000000000000000000aa'\n",
		CHECK_TOOL_UNPINNED, false);
	assert_true(has(violated_by(bench, OBJECT_TOOL, "files/x"), CHECK_REVERSAL_UNSAID));
	assert_int_equal(violated_by(bench, OBJECT_DATA_SOURCE, "tickets"), 0);
	assert_entry(bench, OBJECT_DATA_SOURCE, "d",
		"object: data-source\nname: d\nunit: support\ncustodian: zoe\ntrust: trusted\n"
		"environment: staging\n",
		CHECK_CUSTODIAN_GONE, true);
	assert_true(has(violated_by(bench, OBJECT_DATA_SOURCE, "d"), CHECK_SOURCE_UNLABELLED));
	assert_false(has(violated_by(bench, OBJECT_UNIT, "support"), CHECK_UNIT_UNGOVERNED));
	assert_int_equal(violated_by(bench, OBJECT_SERVER, "files"), 0);
	assert_entry(bench, OBJECT_SERVER, "s",
		"object: server\nname: s\nunit: support\nenvironment: staging\n"
		"transport: {url: 'https://s.example/mcp', credential: 'env:KEY'}\n",
		CHECK_SECRET_STATIC, true);
}

static void a_custodian_is_agreed_to(void **state)
{
	struct bench *bench = *state;
	struct registry_change change = {.kind = OBJECT_DATA_SOURCE,
		.name = TEXT("tickets"),
		.version = 1,
		.in_force = 1,
		.named_by = TEXT("person:eva")};
	struct error err = {0};

	change.version = change.in_force =
		registry_find(bench->world.registry, OBJECT_DATA_SOURCE, change.name)->version;
	change.revision = registry_revision(bench->world.registry) + 1;
	if (!registry_set(bench->world.registry, &change, &err))
		fail_msg("%s", err.text);
	assert_true(has(violated_by(bench, OBJECT_DATA_SOURCE, "tickets"), CHECK_CUSTODIAN_NAMED));
	change.named_by = TEXT("");
	change.revision++;
	assert_true(registry_set(bench->world.registry, &change, &err));
	assert_int_equal(violated_by(bench, OBJECT_DATA_SOURCE, "tickets"), 0);
}

static void an_issuer_is_somebodys(void **state)
{
	struct bench *bench = *state;

	if (!decide_bench_put(&bench->world, issuers))
		fail_msg("issuers");
	assert_false(has(violated_by(bench, OBJECT_ISSUER, "ci"), CHECK_ISSUER_UNOWNED));
	assert_entry(bench, OBJECT_ISSUER, "lone",
		"object: unit\nname: empty\n---\nobject: issuer\nname: lone\nunit: empty\n"
		"speaks: oidc\nalgorithms: [ES256]\nurl: https://lone.example\n",
		CHECK_ISSUER_UNOWNED, true);
}

/* ---- what was seen ---- */

static graph_id say(struct bench *bench, struct graph_node node)
{
	struct error err;
	char part[16];
	graph_id id;

	(void)snprintf(part, sizeof part, "p%u", bench->parts++);
	assert_true(graph_part_begin(bench->graph, TEXT("google"), text_of(part), &err));
	assert_true(graph_put_node(bench->graph, &node, &id, &err));
	graph_part_end(bench->graph);
	return id;
}

static graph_id name(struct bench *bench, enum graph_node_kind kind, const char *name)
{
	struct error err;
	char part[16];
	graph_id id;

	(void)snprintf(part, sizeof part, "p%u", bench->parts++);
	assert_true(graph_part_begin(bench->graph, TEXT("google"), text_of(part), &err));
	assert_true(graph_name_node(bench->graph, kind, text_of(name), &id, &err));
	graph_part_end(bench->graph);
	return id;
}

static void join(struct bench *bench, struct graph_edge edge)
{
	struct error err;
	char part[16];

	(void)snprintf(part, sizeof part, "p%u", bench->parts++);
	assert_true(graph_part_begin(bench->graph, TEXT("google"), text_of(part), &err));
	if (!graph_put_edge(bench->graph, &edge, &err))
		fail_msg("%s", err.text);
	graph_part_end(bench->graph);
}

static check_set violated_by_node(struct bench *bench, graph_id id)
{
	struct control_world world = world_of(bench, bench->world.arena);
	struct graph_node node;
	check_set violated;

	assert_true(graph_node(bench->graph, id, &node));
	check_node(&world, &node, &violated);
	assert_int_equal(violated & ~check_set_of_node(node.kind), 0);
	return violated;
}

static graph_id account(
	struct bench *bench, const char *id, enum identity_kind kind, uint32_t flags)
{
	return say(bench, (struct graph_node){.kind = GRAPH_NODE_ACCOUNT,
				  .name = text_of(id),
				  .identity_kind = kind,
				  .flags = flags | GRAPH_NODE_IS_KNOWN});
}

static void an_account_that_no_identity_is_is_unregistered(void **state)
{
	struct bench *bench = *state;
	graph_id app = account(bench, "google/app", KIND_OAUTH_APP, 0);
	graph_id key = account(bench, "google/key", KIND_API_KEY, 0);
	graph_id bot = account(bench, "google/bot", KIND_AGENT, GRAPH_NODE_IS_EXTERNAL);
	graph_id off = account(bench, "google/off", KIND_AGENT, GRAPH_NODE_IS_OFF);
	graph_id none = account(bench, "google/none", KIND_NONE, 0);
	graph_id i = name(bench, GRAPH_NODE_IDENTITY, "i");

	assert_true(has(violated_by_node(bench, app), CHECK_GRANT_UNREGISTERED));
	assert_true(has(violated_by_node(bench, key), CHECK_KEY_UNREGISTERED));
	assert_true(has(violated_by_node(bench, bot), CHECK_ACCOUNT_UNREGISTERED));
	assert_true(has(violated_by_node(bench, bot), CHECK_EXTERNAL_UNONBOARDED));
	assert_false(has(violated_by_node(bench, app), CHECK_EXTERNAL_UNONBOARDED));
	assert_true(has(violated_by_node(bench, none), CHECK_ACCOUNT_UNTYPED));
	assert_int_equal(violated_by_node(bench, off), 0);
	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = bot});
	assert_int_equal(violated_by_node(bench, bot), 0);
	/* In force still, and active no more. */
	decide_bench_set_state(&bench->world, "i", IDENTITY_SUSPENDED);
	assert_false(has(violated_by_node(bench, bot), CHECK_ACCOUNT_UNREGISTERED));
	assert_true(has(violated_by_node(bench, bot), CHECK_EXTERNAL_UNONBOARDED));
	decide_bench_set_state(&bench->world, "i", IDENTITY_RETIRED);
	assert_true(has(violated_by_node(bench, bot), CHECK_ACCOUNT_UNREGISTERED));
}

static void somebody_who_is_here_owns_an_account(void **state)
{
	struct bench *bench = *state;
	graph_id app = account(bench, "google/app", KIND_OAUTH_APP, 0);
	graph_id zoe = name(bench, GRAPH_NODE_PERSON, "zoe");
	graph_id ana = name(bench, GRAPH_NODE_PERSON, "ana");

	assert_true(has(violated_by_node(bench, app), CHECK_ACCOUNT_OWNERLESS));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_CREATED, .from = ana, .to = app});
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_OWNS, .from = zoe, .to = app});
	assert_true(has(violated_by_node(bench, app), CHECK_ACCOUNT_OWNERLESS));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_OWNS, .from = ana, .to = app});
	assert_false(has(violated_by_node(bench, app), CHECK_ACCOUNT_OWNERLESS));
}

static graph_id used_account(
	struct bench *bench, const char *id, uint32_t flags, int64_t used_s, int64_t created_s)
{
	return say(bench, (struct graph_node){.kind = GRAPH_NODE_ACCOUNT,
				  .name = text_of(id),
				  .identity_kind = KIND_OAUTH_APP,
				  .flags = flags | GRAPH_NODE_IS_KNOWN,
				  .used_s = (graph_time)used_s,
				  .created_s = (graph_time)created_s});
}

static void access_is_unused_past_its_days_and_not_before(void **state)
{
	struct bench *bench = *state;
	uint32_t out = GRAPH_NODE_IS_EXTERNAL;

#define UNUSED(name, flags, used, created)                                                         \
	has(violated_by_node(bench, used_account(bench, name, flags, used, created)),              \
		CHECK_GRANT_UNUSED)
	assert_false(UNUSED("google/1", 0, NOW - 90 * DAY, 0));
	assert_true(UNUSED("google/2", 0, NOW - 90 * DAY - 1, 0));
	assert_false(UNUSED("google/3", out, NOW - 30 * DAY, 0));
	assert_true(UNUSED("google/4", out, NOW - 30 * DAY - 1, 0));
	assert_false(UNUSED("google/5", 0, 0, 0));
	assert_true(UNUSED("google/6", 0, 0, NOW - 91 * DAY));
	assert_false(UNUSED("google/7", 0, NOW - 200 * DAY, NOW - DAY));
}

static void what_is_used_and_never_writes_is_wide(void **state)
{
	struct bench *bench = *state;
	graph_id drive = say(bench, (struct graph_node){.kind = GRAPH_NODE_RESOURCE,
					    .name = TEXT("google/drive"),
					    .flags = GRAPH_NODE_IS_KNOWN});
	graph_id app = used_account(bench, "google/app", 0, NOW - DAY, NOW - 400 * DAY);
	struct graph_edge may = {.kind = GRAPH_EDGE_MAY,
		.from = app,
		.to = drive,
		.effects = 1U << EFFECT_READ,
		.scope = TEXT("drive.readonly")};

	join(bench, may);
	assert_false(has(violated_by_node(bench, app), CHECK_GRANT_WIDE));
	may.effects = 1U << EFFECT_WRITE;
	may.scope = TEXT("drive.new");
	may.since_s = NOW - 90 * DAY;
	join(bench, may);
	assert_false(has(violated_by_node(bench, app), CHECK_GRANT_WIDE));
	may.scope = TEXT("drive");
	may.since_s = NOW - 90 * DAY - 1;
	may.used_s = NOW - 90 * DAY;
	join(bench, may);
	assert_false(has(violated_by_node(bench, app), CHECK_GRANT_WIDE));
	may.scope = TEXT("drive.all");
	may.used_s = NOW - 91 * DAY;
	join(bench, may);
	assert_true(has(violated_by_node(bench, app), CHECK_GRANT_WIDE));
}

static void what_an_account_may_was_given_by_somebody(void **state)
{
	struct bench *bench = *state;
	graph_id app = account(bench, "google/app", KIND_OAUTH_APP, 0);
	graph_id ana = name(bench, GRAPH_NODE_PERSON, "ana");
	graph_id drive = name(bench, GRAPH_NODE_RESOURCE, "google/drive");
	struct graph_edge right = {.kind = GRAPH_EDGE_MAY,
		.from = app,
		.to = drive,
		.effects = 1 << EFFECT_READ,
		.by = TEXT("ana")};

	assert_false(has(violated_by_node(bench, app), CHECK_PERMISSION_UNEXPLAINED));
	join(bench, right);
	assert_false(has(violated_by_node(bench, app), CHECK_PERMISSION_UNEXPLAINED));
	right.by = TEXT("");
	join(bench, right);
	assert_true(has(violated_by_node(bench, app), CHECK_PERMISSION_UNEXPLAINED));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_CREATED, .from = ana, .to = app});
	assert_true(has(violated_by_node(bench, app), CHECK_PERMISSION_UNEXPLAINED));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_CONSENTED, .from = ana, .to = app});
	assert_false(has(violated_by_node(bench, app), CHECK_PERMISSION_UNEXPLAINED));
}

static graph_id credential(struct bench *bench, const char *id, uint32_t flags,
	const char *fingerprint, uint32_t environments)
{
	return say(bench, (struct graph_node){.kind = GRAPH_NODE_CREDENTIAL,
				  .name = text_of(id),
				  .flags = flags | GRAPH_NODE_IS_KNOWN,
				  .fingerprint = text_of(fingerprint),
				  .environments = environments});
}

static bool is_unreviewed(struct bench *bench, int64_t judged_utc_s)
{
	bench->facts.judged_utc_s = judged_utc_s;
	return has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_HOP_UNREVIEWED);
}

static void lines_are_judged_by_their_approval_or_a_review(void **state)
{
	struct bench *bench = *state;
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("i"),
		.version = 1,
		.in_force = 1,
		.state = IDENTITY_ACTIVE};
	struct error err = {0};

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	assert_false(is_unreviewed(bench, 0)); /* nobody tells */
	bench->has_witness = true;
	assert_true(is_unreviewed(bench, 0)); /* nor is it known when it was approved */
	assert_true(is_unreviewed(bench, NOW - 90 * DAY));
	assert_false(is_unreviewed(bench, NOW - 90 * DAY + 1));
	change.version = change.in_force =
		registry_find_identity(bench->world.registry, TEXT("i"))->version;
	change.revision = registry_revision(bench->world.registry) + 1;
	change.in_force_utc_ms = INT64_C(1000) * (NOW - 90 * DAY + 1);
	if (!registry_set(bench->world.registry, &change, &err))
		fail_msg("%s", err.text);
	assert_false(is_unreviewed(bench, 0));
	change.in_force_utc_ms -= 1000;
	change.revision++;
	assert_true(registry_set(bench->world.registry, &change, &err));
	assert_true(is_unreviewed(bench, 0));
	decide_bench_set_state(&bench->world, "i", IDENTITY_SUSPENDED);
	assert_false(is_unreviewed(bench, 0));
}

static void a_hop_that_no_review_showed_is_unreviewed(void **state)
{
	struct bench *bench = *state;
	graph_id app = account(bench, "google/app", KIND_OAUTH_APP, 0);
	graph_id off = account(bench, "google/off", KIND_OAUTH_APP, GRAPH_NODE_IS_OFF);
	graph_id drive = name(bench, GRAPH_NODE_RESOURCE, "google/drive");
	graph_id i = name(bench, GRAPH_NODE_IDENTITY, "i");
	struct graph_edge right = {.kind = GRAPH_EDGE_MAY, .from = app, .to = drive};

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	bench->has_witness = true;
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = app});
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = off});
	join(bench,
		(struct graph_edge){
			.kind = GRAPH_EDGE_MAY, .from = off, .to = drive, .since_s = NOW - DAY});
	assert_false(is_unreviewed(bench, NOW - 9 * DAY));
	join(bench, right); /* undated: it was there */
	assert_false(is_unreviewed(bench, NOW - 9 * DAY));
	right.since_s = NOW - 9 * DAY;
	join(bench, right);
	assert_false(is_unreviewed(bench, NOW - 9 * DAY));
	right.since_s = NOW - 9 * DAY + 1;
	join(bench, right);
	assert_true(is_unreviewed(bench, NOW - 9 * DAY));
	assert_false(is_unreviewed(bench, NOW - 8 * DAY));
	/* A credential that it holds there is a hop, too. */
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_HOLDS,
			    .from = app,
			    .to = credential(bench, "google/k", 0, "", 0),
			    .since_s = NOW - DAY});
	assert_true(is_unreviewed(bench, NOW - 8 * DAY));
	assert_false(is_unreviewed(bench, NOW - DAY));
}

/* A review takes so many and no more. */
static void more_hops_than_a_review_takes_are_not_all_reviewed(void **state)
{
	struct bench *bench = *state;
	graph_id app = account(bench, "google/app", KIND_OAUTH_APP, 0);
	graph_id i = name(bench, GRAPH_NODE_IDENTITY, "i");
	char resource[32];

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	bench->has_witness = true;
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = app});
	for (unsigned n = 0; n <= REVIEW_INHERITED_MAX; n++) {
		assert_false(is_unreviewed(bench, NOW - DAY));
		(void)snprintf(resource, sizeof resource, "google/r%u", n);
		join(bench, (struct graph_edge){.kind = GRAPH_EDGE_MAY,
				    .from = app,
				    .to = name(bench, GRAPH_NODE_RESOURCE, resource)});
	}
	assert_true(is_unreviewed(bench, NOW - DAY));
}

static void one_account_is_one_identity_and_one_function(void **state)
{
	struct bench *bench = *state;
	graph_id one = account(bench, "google/1", KIND_AGENT, GRAPH_NODE_IS_AUTONOMOUS);
	graph_id two = account(bench, "google/2", KIND_AGENT, GRAPH_NODE_IS_AUTONOMOUS);
	graph_id far = account(bench, "slack/1", KIND_AGENT, GRAPH_NODE_IS_AUTONOMOUS);
	graph_id i = name(bench, GRAPH_NODE_IDENTITY, "i");
	graph_id agent = name(bench, GRAPH_NODE_IDENTITY, "agent");

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = one});
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = far});
	assert_false(has(violated_by_node(bench, one), CHECK_ACCOUNT_SHARED));
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_IDENTITY_MANY));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = agent, .to = one});
	assert_true(has(violated_by_node(bench, one), CHECK_ACCOUNT_SHARED));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = two});
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_IDENTITY_MANY));
}

static void what_a_charter_names_lives_as_long_as_it_does(void **state)
{
	struct bench *bench = *state;
	graph_id one = account(bench, "google/1", KIND_AGENT, 0);
	graph_id ghost = name(bench, GRAPH_NODE_ACCOUNT, "google/ghost");
	graph_id i = name(bench, GRAPH_NODE_IDENTITY, "i");
	check_set violated;

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = one});
	violated = violated_by(bench, OBJECT_IDENTITY, "i");
	assert_false(has(violated, CHECK_ACCOUNT_MISSING) || has(violated, CHECK_ACCOUNT_ALIVE));
	decide_bench_set_state(&bench->world, "i", IDENTITY_RETIRED);
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_ACCOUNT_ALIVE));
	decide_bench_set_state(&bench->world, "i", IDENTITY_ACTIVE);
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = ghost});
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_ACCOUNT_MISSING));
	assert_true(has(violated_by_node(bench, ghost), CHECK_FAR_END_UNKNOWN));
	assert_false(has(violated_by_node(bench, one), CHECK_FAR_END_UNKNOWN));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_BELONGS,
			    .from = one,
			    .to = name(bench, GRAPH_NODE_UNIT, "org")});
	assert_false(has(violated_by_node(bench, name(bench, GRAPH_NODE_UNIT, "org")),
		CHECK_FAR_END_UNKNOWN));
}

static void an_identity_sleeps_after_45_days(void **state)
{
	struct bench *bench = *state;
	graph_id i = name(bench, GRAPH_NODE_IDENTITY, "i");
	graph_id late = used_account(bench, "google/1", 0, NOW - 45 * DAY - 1, 0);
	graph_id just = used_account(bench, "google/2", 0, NOW - 45 * DAY, 0);

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_DORMANT));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = late});
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_DORMANT));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_IS, .from = i, .to = just});
	assert_false(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_DORMANT));
}

static void work_is_handed_to_declared_peers_alone(void **state)
{
	struct bench *bench = *state;
	graph_id i = name(bench, GRAPH_NODE_IDENTITY, "i");
	graph_id agent = name(bench, GRAPH_NODE_IDENTITY, "agent");

	assert_true(decide_bench_put(&bench->world, RIGHT STAGING));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_HANDS, .from = i, .to = agent});
	assert_true(has(violated_by(bench, OBJECT_IDENTITY, "i"), CHECK_HAND_UNDECLARED));
	assert_identity(bench,
		RIGHT STAGING
		"peers: [{identity: agent, effects: [read], up-to: internal, depth: 1}]\n",
		CHECK_HAND_UNDECLARED, false);
}

static void hold(struct bench *bench, graph_id holder, graph_id credential)
{
	join(bench,
		(struct graph_edge){.kind = GRAPH_EDGE_HOLDS, .from = holder, .to = credential});
}

static void one_secret_has_one_holder(void **state)
{
	struct bench *bench = *state;
	graph_id a = account(bench, "google/a", KIND_AGENT, 0);
	graph_id b = account(bench, "google/b", KIND_AGENT, 0);
	graph_id one = credential(bench, "google/k1", 0, "fp", 0);
	graph_id two = credential(bench, "google/k2", 0, "fp", 0);
	graph_id off = credential(bench, "google/k3", GRAPH_NODE_IS_OFF, "fp", 0);
	graph_id other = credential(bench, "google/k4", 0, "other", 0);

	hold(bench, a, one);
	hold(bench, a, two); /* the same holder has it twice */
	hold(bench, b, off);
	hold(bench, b, other);
	assert_false(has(violated_by_node(bench, one), CHECK_CREDENTIAL_SHARED));
	hold(bench, b, two);
	assert_true(has(violated_by_node(bench, one), CHECK_CREDENTIAL_SHARED));
	assert_true(has(violated_by_node(bench, two), CHECK_CREDENTIAL_SHARED));
	assert_false(has(violated_by_node(bench, other), CHECK_CREDENTIAL_SHARED));
	assert_false(has(violated_by_node(bench, off), CHECK_CREDENTIAL_SHARED));
}

static void one_secret_has_one_side_of_production(void **state)
{
	struct bench *bench = *state;
	uint32_t prod = environment_bit(ENVIRONMENT_PROD), dev = environment_bit(ENVIRONMENT_DEV);
	graph_id one = credential(bench, "google/k1", 0, "fp", prod);
	graph_id two = credential(bench, "google/k2", 0, "fp", prod);
	graph_id low = credential(
		bench, "google/k3", 0, "low", dev | environment_bit(ENVIRONMENT_STAGING));

	assert_false(has(violated_by_node(bench, one), CHECK_CREDENTIAL_ACROSS));
	assert_false(has(violated_by_node(bench, low), CHECK_CREDENTIAL_ACROSS));
	(void)credential(bench, "google/k4", 0, "fp", dev);
	assert_true(has(violated_by_node(bench, one), CHECK_CREDENTIAL_ACROSS));
	assert_true(has(violated_by_node(bench, two), CHECK_CREDENTIAL_ACROSS));
}

static void static_credentials_have_a_manager_an_end_and_somebody(void **state)
{
	struct bench *bench = *state;
	graph_id bare = credential(bench, "google/k1", GRAPH_NODE_IS_STATIC, "", 0);
	graph_id good = say(bench,
		(struct graph_node){.kind = GRAPH_NODE_CREDENTIAL,
			.name = TEXT("google/k2"),
			.flags = GRAPH_NODE_IS_KNOWN | GRAPH_NODE_IS_STATIC | GRAPH_NODE_IS_MANAGED,
			.expires_s = NOW + DAY});
	graph_id seen = credential(bench, "google/k3", GRAPH_NODE_IS_EXPOSED, "", 0);
	graph_id key = credential(bench, "key/abc", GRAPH_NODE_IS_STATIC, "", 0);
	graph_id a = account(bench, "google/a", KIND_AGENT, 0);
	graph_id ana = name(bench, GRAPH_NODE_PERSON, "ana");

	assert_int_equal(violated_by_node(bench, bare),
		check_bit(CHECK_CREDENTIAL_UNMANAGED) | check_bit(CHECK_CREDENTIAL_ENDLESS) |
			check_bit(CHECK_CREDENTIAL_OWNERLESS) | check_bit(CHECK_CREDENTIAL_STRAY));
	assert_true(has(violated_by_node(bench, seen), CHECK_CREDENTIAL_EXPOSED));
	assert_int_equal(violated_by_node(bench, key), 0); /* a charter's line */
	hold(bench, a, good);
	assert_int_equal(violated_by_node(bench, good), check_bit(CHECK_CREDENTIAL_OWNERLESS));
	join(bench, (struct graph_edge){.kind = GRAPH_EDGE_OWNS, .from = ana, .to = a});
	assert_int_equal(violated_by_node(bench, good), 0);
}

static void without_a_graph_nothing_seen_is_asked(void **state)
{
	struct bench *bench = *state;
	struct control_world world = world_of(bench, bench->world.arena);
	const struct registry_entry *entry =
		registry_find(bench->world.registry, OBJECT_IDENTITY, TEXT("agent"));
	check_set violated;
	struct error err;

	world.graph = NULL;
	world.key_holders = NULL;
	assert_true(check_entry(&world, entry, &violated, &err));
	assert_false(has(violated, CHECK_DORMANT));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_right_identity_violates_nothing),
		CASE(owners_must_be_here),
		CASE(what_is_missing_in_a_charter_is_said),
		CASE(a_charter_is_over_from_its_second_on),
		CASE(somebody_who_is_here_accepts_a_risk_for_a_time),
		CASE(people_look_again_by_their_day),
		CASE(what_accounts_open_undeclared_counts_while_it_is_in_force),
		CASE(a_class_holds_lines_below_it),
		CASE(acts_at_risk_need_an_approval),
		CASE(keys_without_an_end_stand),
		CASE(a_key_of_two_is_shared_as_long_as_both_have_it),
		CASE(a_key_of_prod_and_another_environment_goes_across),
		CASE(who_has_the_key_of_a_person_answers_as_one),
		CASE(a_key_that_was_ended_answers_nothing),
		CASE(who_is_met_by_the_word_that_a_person_signs_in_by_answers_as_one),
		CASE(by_another_claim_a_rule_is_met_as_a_person_where_it_says_that_claim),
		CASE(tokens_for_prod_at_risk_are_bound),
		CASE(rules_of_federation_hold_on_to_what_cannot_be_taken_over),
		CASE(sandboxes_stay_away_from_production),
		CASE(a_method_has_nothing_to_be_pinned),
		CASE(other_entries_are_asked_what_concerns_them),
		CASE(a_custodian_is_agreed_to),
		CASE(an_issuer_is_somebodys),
		CASE(an_account_that_no_identity_is_is_unregistered),
		CASE(somebody_who_is_here_owns_an_account),
		CASE(access_is_unused_past_its_days_and_not_before),
		CASE(what_is_used_and_never_writes_is_wide),
		CASE(what_an_account_may_was_given_by_somebody),
		CASE(lines_are_judged_by_their_approval_or_a_review),
		CASE(a_hop_that_no_review_showed_is_unreviewed),
		CASE(more_hops_than_a_review_takes_are_not_all_reviewed),
		CASE(one_account_is_one_identity_and_one_function),
		CASE(what_a_charter_names_lives_as_long_as_it_does),
		CASE(an_identity_sleeps_after_45_days),
		CASE(work_is_handed_to_declared_peers_alone),
		CASE(one_secret_has_one_holder),
		CASE(one_secret_has_one_side_of_production),
		CASE(static_credentials_have_a_manager_an_end_and_somebody),
		CASE(without_a_graph_nothing_seen_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The attacks of the controls that have a check: each turns its control red, and its repair
 * green again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "domain/control/record_check.h"
#include "domain/graph/excess.h"
#include "services/posture/posture.h"
#include "support/decide_bench.h"
#include "support/fake_log.h"

enum { NOW = DECIDE_BENCH_NOW, DAY = CHECK_DAY_S };

struct bench {
	struct decide_bench world;
	struct fake_log log;
	struct loop *loop;
	struct fold *fold;
	struct graph *graph;
	struct finding_service *findings;
	struct waiver_service *waivers;
	struct measure_service *measures;
	struct posture *posture;
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	const char *control; /* under attack */
	uint64_t before;
	char waiver[RANDOM_ID_BYTES + 8];
	uint64_t next; /* record to be read */
	struct graph_search *search;
	struct graph_excess *excess;
	struct identity_facts facts; /* what people looked at, of every identity */
	int64_t drift_utc_ms;        /* since when a change waits */
};

static bool oldest(void *context, int64_t *out_utc_s)
{
	const struct bench *bench = context;

	*out_utc_s = bench->log.now_utc_ms / 1000;
	return true;
}

static bool log_open(void *context, uint64_t from, struct error *err)
{
	(void)err;
	((struct bench *)context)->next = from;
	return true;
}

static bool log_next(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err)
{
	struct bench *bench = context;

	(void)err;
	*is_end = bench->next >= bench->log.count;
	if (*is_end)
		return true;
	*index = bench->next++;
	*entry = bench->log.entries[*index].entry;
	return true;
}

static void tell_facts(void *context, const struct registry_entry *entry, int64_t now_utc_s,
	struct identity_facts *out)
{
	struct bench *bench = context;

	*out = bench->facts;
	graph_excess_of(bench->search, bench->graph, charter_of(entry->in_force),
		(graph_time)now_utc_s, bench->excess);
	out->has_excess = bench->excess->total > 0 &&
			  waiver_live(bench->waivers, WAIVER_OF_EXCESS, entry->name,
				  TEXT("google/files"), now_utc_s) == NULL;
}

static int64_t drift_since(void *context)
{
	return ((const struct bench *)context)->drift_utc_ms;
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct fold_log port;
	struct error err = {0};
	struct posture_parts parts;

	decide_bench_init(&bench->world);
	fake_log_init(&bench->log);
	bench->log.now_utc_ms = (int64_t)NOW * 1000;
	assert_true(loop_create(&bench->loop, &err));
	port = fake_log_port(&bench->log);
	assert_true(fold_create(&bench->fold, &port, bench->loop, &err));
	assert_true(graph_create(&bench->graph, &err));
	assert_true(graph_search_create(&bench->search, &err));
	bench->excess = calloc(1, sizeof *bench->excess);
	assert_non_null(bench->excess);
	assert_true(
		finding_service_create(&bench->findings, bench->world.registry, bench->fold, &err));
	assert_true(waiver_service_create(&bench->waivers, bench->fold, &err));
	assert_true(measure_service_create(&bench->measures, bench->fold, &err));
	parts = (struct posture_parts){.registry = bench->world.registry,
		.graph = bench->graph,
		.fold = bench->fold,
		.findings = bench->findings,
		.waivers = bench->waivers,
		.inventories = {.context = bench, .oldest = oldest},
		.log = {.context = bench, .open = log_open, .next = log_next},
		.witness = {.context = bench, .identity = tell_facts},
		.drift = {.context = bench, .since_utc_ms = drift_since},
		.measures = bench->measures};
	assert_true(posture_create(&bench->posture, &parts, &err));
	assert_true(fold_finish_loading(bench->fold, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	graph_search_destroy(&bench->search);
	free(bench->excess);
	graph_destroy(&bench->graph);
	posture_destroy(&bench->posture);
	waiver_service_destroy(&bench->waivers);
	measure_service_destroy(&bench->measures);
	finding_service_destroy(&bench->findings);
	fold_destroy(&bench->fold);
	loop_destroy(&bench->loop);
	fake_log_deinit(&bench->log);
	decide_bench_deinit(&bench->world);
	free(bench);
	return 0;
}

/* ---- red and green ---- */

/* Half an hour later everything was looked at. */
static const struct control_status *look(struct bench *bench, const char *control)
{
	const struct catalogue *catalogue = posture_catalogue(bench->posture);

	bench->log.now_utc_ms += INT64_C(1000) * POSTURE_AGAIN_S;
	while (posture_look(bench->posture))
		;
	posture_survey(bench->posture, bench->all);
	return &bench->all[catalogue_number(
		catalogue, catalogue_find(catalogue, text_of(control)))];
}

/* What was touched, and no more: no time goes by. */
static enum control_state look_at_once(struct bench *bench, const char *control)
{
	const struct catalogue *catalogue = posture_catalogue(bench->posture);

	while (posture_look(bench->posture))
		;
	posture_survey(bench->posture, bench->all);
	return bench->all[catalogue_number(catalogue, catalogue_find(catalogue, text_of(control)))]
		.state;
}

/* What stands on record, with ' for ". */
static void record(struct bench *bench, const char *members)
{
	struct text entry = text_format(bench->world.arena, "{'at':%lld,'actor':'remit',%s}",
		(long long)bench->log.now_utc_ms, members);
	char *bytes = (char *)(uintptr_t)entry.data;

	for (size_t i = 0; i < entry.length; i++)
		if (bytes[i] == '\'')
			bytes[i] = '"';
	fake_log_append(&bench->log, entry);
}

/* What the bench put in force is on record up to here. */
static void begin(struct bench *bench, const char *control)
{
	struct text members = text_format(bench->world.arena, "'type':'admin-code','revision':%llu",
		(unsigned long long)registry_revision(bench->world.registry));

	record(bench, members.data);
	bench->control = control;
	bench->before = look(bench, control)->violations;
}

static void assert_red(struct bench *bench)
{
	const struct control_status *status = look(bench, bench->control);

	if (status->state != CONTROL_FAILING || status->violations <= bench->before)
		fail_msg("%s is %s with %lu violations", bench->control,
			control_state_word(status->state), (unsigned long)status->violations);
}

static void assert_green(struct bench *bench)
{
	const struct control_status *status = look(bench, bench->control);

	if (status->violations != bench->before ||
		(bench->before == 0 && status->state != CONTROL_PASSING))
		fail_msg("%s is %s with %lu violations", bench->control,
			control_state_word(status->state), (unsigned long)status->violations);
}

static void put(struct bench *bench, const char *yaml)
{
	if (!decide_bench_put(&bench->world, yaml))
		fail_msg("%s", yaml);
}

static void attack_and_repair(
	struct bench *bench, const char *control, const char *broken, const char *repaired)
{
	put(bench, repaired);
	begin(bench, control);
	put(bench, broken);
	assert_red(bench);
	put(bench, repaired);
	assert_green(bench);
}

#define WHO(owner, backup)                                                                         \
	"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: " owner         \
	"\nbackup-owner: " backup "\nunit: support\npurpose: p\nimpact: little\nreview: 90d\n"     \
	"expires: 2027-06-30\n"
#define RIGHT WHO("ana", "bo") "environments: [staging]\n"
#define CERTIFICATE                                                                                \
	"keys:\n  - {environment: staging, certificate: 'sha256:"                                  \
	"00000000000000000000000000000000000000000000000000000000000000aa'}\n"

/* ---- the registry ---- */

static void g_02_an_owner_who_goes_turns_it_red(void **state)
{
	attack_and_repair(*state, "G-02", WHO("zoe", "bo") "environments: [staging]\n", RIGHT);
}

static void g_03_a_line_above_its_class_turns_it_red(void **state)
{
	struct bench *bench = *state;

	put(bench, RIGHT "entitlements: [{effect: write, tool: files/write}]\n");
	begin(bench, "G-03");
	decide_bench_set_class(&bench->world, "i", CLASS_SUMMARISE);
	assert_red(bench);
	decide_bench_set_class(&bench->world, "i", CLASS_UPDATE);
	assert_green(bench);
}

static void g_18_unbound_tokens_for_production_turn_it_red(void **state)
{
#define PROD                                                                                       \
	"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: high\nowner: ana\n"         \
	"backup-owner: bo\nunit: support\npurpose: p\nimpact: little\nenvironments: [prod]\n"      \
	"expires: 2027-06-30\n"
	attack_and_repair(*state, "G-18", PROD "binding: none\n", PROD);
}

static void g_19_a_rule_that_fits_many_turns_it_red(void **state)
{
	put(*state, "object: issuer\nname: idp\nunit: support\nspeaks: oidc\n"
		    "algorithms: [ES256]\nurl: https://idp.example\n");
	attack_and_repair(*state, "G-19",
		RIGHT "federation:\n"
		      "  - {issuer: idp, environment: staging, subject-prefix: 'tenant/'}\n",
		RIGHT "federation:\n"
		      "  - {issuer: idp, environment: staging, subject: 'tenant/one'}\n");
}

static void on_done(void *context, struct text id, uint64_t index, const struct error *err)
{
	struct bench *bench = context;

	(void)index;
	assert_null(err);
	memcpy(bench->waiver, id.data, id.length);
	bench->waiver[id.length] = '\0';
}

static void waive(struct bench *bench, enum waiver_kind kind, const char *of, const char *object)
{
	struct waiver_request request = {.kind = kind,
		.of = text_of(of),
		.object = text_of(object),
		.reason = TEXT("its provider knows no other way until March"),
		.person = TEXT("eva"),
		.until_utc_s = bench->log.now_utc_ms / 1000 + 7 * DAY,
		.context = bench,
		.done = on_done};
	struct error err;

	put(bench, "object: person\nname: rey\nunit: support\nroles: [reviewer]\n");
	if (!waiver_ask(bench->waivers, &request, &err))
		fail_msg("%s", err.text);
	request.id = text_of(bench->waiver);
	request.person = TEXT("rey");
	if (!waiver_approve(bench->waivers, &request, &err))
		fail_msg("%s", err.text);
}

static void g_20_a_secret_whose_waiver_ended_turns_it_red(void **state)
{
	struct bench *bench = *state;

#define SERVER(more)                                                                               \
	"object: server\nname: s\nunit: support\nenvironment: staging\n"                           \
	"transport: {url: 'https://s.example/mcp'" more "}\n"
	put(bench, SERVER(""));
	begin(bench, "G-20");
	put(bench, SERVER(", credential: 'env:KEY'"));
	assert_red(bench);
	waive(bench, WAIVER_OF_CONTROL, "G-20", "server/s");
	assert_int_equal(look(bench, "G-20")->state, CONTROL_PASSING);
	bench->log.now_utc_ms += INT64_C(1000) * 8 * DAY;
	assert_red(bench); /* the waiver ended yesterday */
	put(bench, SERVER(", credential: 'vault:kv/a#b'"));
	assert_green(bench);
}

static void g_22_one_key_of_two_agents_turns_it_red(void **state)
{
	put(*state, "object: identity\nname: j\nkind: agent\nclass: execute\nrisk: low\n"
		    "owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\nimpact: little\n"
		    "expires: 2027-06-30\nenvironments: [staging]\n" CERTIFICATE);
	attack_and_repair(*state, "G-22", RIGHT CERTIFICATE, RIGHT);
}

static void g_25_what_lives_past_its_charter_turns_it_red(void **state)
{
	attack_and_repair(*state, "G-25",
		"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nimpact: little\n"
		"expires: 2026-12-31\nenvironments: [staging]\n",
		RIGHT);
}

static void g_27_a_stripped_label_turns_it_red(void **state)
{
#define SOURCE "object: data-source\nname: d\nunit: support\ncustodian: ana\nenvironment: staging\n"
	attack_and_repair(*state, "G-27", SOURCE, SOURCE "sensitivity: internal\n");
}

#define TOOL(more) "object: tool\nname: files/x\neffect: write\nrisk: low\n" more
#define PIN                                                                                        \
	"definition: 'sha256:"                                                                     \
	"00000000000000000000000000000000000000000000000000000000000000aa'\n"

static void g_28_a_tool_without_its_pin_turns_it_red(void **state)
{
	attack_and_repair(
		*state, "G-28", TOOL("reversal: restore\n"), TOOL("reversal: restore\n") PIN);
}

static void g_29_a_key_of_both_sides_turns_it_red(void **state)
{
	put(*state, "object: identity\nname: j\nkind: agent\nclass: execute\nrisk: low\n"
		    "owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\nimpact: little\n"
		    "expires: 2027-06-30\nenvironments: [prod]\n"
		    "keys:\n  - {environment: prod, certificate: 'sha256:"
		    "00000000000000000000000000000000000000000000000000000000000000aa'}\n");
	attack_and_repair(*state, "G-29", RIGHT CERTIFICATE, RIGHT);
}

static void g_34_an_act_at_risk_without_people_turns_it_red(void **state)
{
	attack_and_repair(*state, "G-34",
		RIGHT "entitlements: [{effect: execute, tool: files/run}]\n",
		RIGHT "entitlements: [{effect: execute, tool: files/run, approvals: [owner]}]\n");
}

static void g_37_a_sandbox_near_production_turns_it_red(void **state)
{
#define SANDBOX                                                                                    \
	"object: identity\nname: i\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"         \
	"backup-owner: bo\nunit: support\npurpose: p\nimpact: little\nenvironments: [dev]\n"       \
	"expires: 2027-01-30\nsandbox: {template: 1, approved-by: ana}\n"
	attack_and_repair(*state, "G-37",
		SANDBOX "entitlements: [{effect: read, tool: files/read}]\n", SANDBOX);
}

static void g_50_data_without_a_custodian_turns_it_red(void **state)
{
	attack_and_repair(*state, "G-50",
		"object: data-source\nname: d\nunit: support\ncustodian: zoe\n"
		"environment: staging\nsensitivity: internal\n",
		SOURCE "sensitivity: internal\n");
}

static void g_53_a_unit_below_the_minimum_turns_it_red(void **state)
{
#define GUARDRAIL(level)                                                                           \
	"object: policy\nname: org/no-prod\nlevel: " level "\ntext: |\n"                           \
	"  forbid (principal, action, resource)\n"                                                 \
	"  when { resource.environment == \"prod\" && context.environment != \"prod\" };\n"
	attack_and_repair(*state, "G-53", GUARDRAIL("default"), GUARDRAIL("mandatory"));
}

static void g_54_an_act_that_says_no_way_back_turns_it_red(void **state)
{
	attack_and_repair(*state, "G-54", TOOL(PIN), TOOL("reversal: restore\n") PIN);
}

static void g_55_an_act_without_a_way_back_turns_it_red(void **state)
{
	attack_and_repair(*state, "G-55",
		RIGHT "entitlements: [{effect: write, tool: files/mail}]\n",
		RIGHT "entitlements: [{effect: write, tool: files/mail, approvals: [owner]}]\n");
}

static void g_57_a_model_that_was_swapped_turns_it_red(void **state)
{
	struct bench *bench = *state;
	int64_t now_utc_s = bench->log.now_utc_ms / 1000;

	put(bench, RIGHT);
	begin(bench, "G-57");
	/* The provider serves another model: a review is due, and nobody looks until its day. */
	bench->facts.due_utc_s = now_utc_s + 7 * DAY;
	assert_green(bench);
	bench->log.now_utc_ms += INT64_C(7000) * DAY;
	assert_red(bench);
	bench->facts.due_utc_s = 0;
	assert_green(bench);
}

static void g_57_a_change_that_nobody_was_looked_for_turns_it_stale(void **state)
{
	struct bench *bench = *state;

	decide_bench_set_state(&bench->world, "agent", IDENTITY_RETIRED);
	bench->drift_utc_ms = bench->log.now_utc_ms;
	bench->log.now_utc_ms += INT64_C(1000) * (POSTURE_DRIFT_S - POSTURE_AGAIN_S);
	assert_int_equal(look(bench, "G-57")->state, CONTROL_PASSING);
	bench->drift_utc_ms -= 1000;
	assert_int_equal(look(bench, "G-57")->state, CONTROL_STALE);
	bench->drift_utc_ms = 0;
	assert_int_equal(look(bench, "G-57")->state, CONTROL_PASSING);
}

static void g_58_a_risk_that_nobody_here_accepts_turns_it_red(void **state)
{
#define RISK(who)                                                                                  \
	RIGHT "risk-record: {residual: low, accepted-by: [" who "], accepted-until: 2027-06-30}\n"
	attack_and_repair(*state, "G-58", RISK("mallory"), RISK("bo"));
}

static void g_60_without_one_control_the_row_of_its_risk_turns_red(void **state)
{
	struct bench *bench = *state;
	uint64_t before;

	put(bench, RIGHT);
	before = look(bench, "G-60")->violations;
	/* NHI8 is answered by keys of one side alone, and by sandboxes: both are taken. */
	g_29_a_key_of_both_sides_turns_it_red(state);
	put(bench, RIGHT CERTIFICATE);
	put(bench, "object: identity\nname: box\nkind: agent\nclass: retrieve\nrisk: low\n"
		   "owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\nimpact: little\n"
		   "environments: [dev]\nexpires: 2027-01-30\n"
		   "sandbox: {template: 1, approved-by: ana}\n"
		   "entitlements: [{effect: read, tool: files/read}]\n");
	assert_true(look(bench, "G-60")->violations > before);
	decide_bench_set_state(&bench->world, "box", IDENTITY_RETIRED);
	put(bench, RIGHT);
	assert_int_equal(look(bench, "G-60")->violations, before);
}

/* How many ids are told as answered by nothing, and whether that one is. */
static uint32_t unanswered(struct bench *bench, const char *control, const char *id, bool *is_told)
{
	const struct catalogue *catalogue = posture_catalogue(bench->posture);
	const struct posture_page page = {
		.control = catalogue_number(catalogue, catalogue_find(catalogue, text_of(control))),
		.count = 10};
	struct arena *arena = arena_create(1 << 20);
	const struct json *ids;
	struct json out;
	struct error err;
	uint32_t count;

	assert_true(posture_control_json(bench->posture, &page, arena, &out, &err));
	ids = json_find(&out, "unanswered");
	count = ids == NULL ? 0 : ids->count;
	*is_told = false;
	for (uint32_t i = 0; i < count; i++)
		*is_told |= text_is(json_text_or(&ids->items[i], "id", ""), id);
	arena_destroy(&arena);
	return count;
}

static void g_60_tells_each_risk_that_nothing_answers(void **state)
{
	struct bench *bench = *state;
	bool is_told;

	put(bench, RIGHT);
	look(bench, "G-60");
	(void)unanswered(bench, "G-60", "MCP06:2025", &is_told);
	assert_false(is_told);
	record(bench, "'type':'decision','verdict':'allow','identity':'agent','labels':"
		      "{'sensitivity':'restricted','untrusted':true},'origins':{'url':'unknown'}");
	assert_int_equal(look(bench, "G-32")->state, CONTROL_FAILING);
	assert_true(look(bench, "G-60")->violations > 0);
	assert_int_equal(unanswered(bench, "G-60", "MCP06:2025", &is_told),
		(int)look(bench, "G-60")->violations);
	assert_true(is_told); /* G-32 alone answers it */
	(void)unanswered(bench, "G-60", "NHI8", &is_told);
	assert_false(is_told);
	assert_int_equal(unanswered(bench, "G-28", "MCP06:2025", &is_told), 0);
}

/* ---- what connectors see ---- */

/* What the inventory says of one thing, each time anew. */
static void say_begin(struct bench *bench, const char *part)
{
	struct error err;

	assert_true(graph_part_begin(bench->graph, TEXT("google"), text_of(part), &err));
}

static graph_id say(struct bench *bench, const struct graph_node *node)
{
	struct error err;
	graph_id id;

	if (!graph_put_node(bench->graph, node, &id, &err))
		fail_msg("%s", err.text);
	return id;
}

static graph_id call(struct bench *bench, enum graph_node_kind kind, const char *name)
{
	struct error err;
	graph_id id;

	assert_true(graph_name_node(bench->graph, kind, text_of(name), &id, &err));
	return id;
}

static void join(struct bench *bench, enum graph_edge_kind kind, graph_id from, graph_id to)
{
	const struct graph_edge edge = {.kind = kind, .from = from, .to = to};
	struct error err;

	if (!graph_put_edge(bench->graph, &edge, &err))
		fail_msg("%s", err.text);
}

static void grant(struct bench *bench, const char *by)
{
	const struct graph_edge edge = {.kind = GRAPH_EDGE_MAY,
		.from = call(bench, GRAPH_NODE_ACCOUNT, "google/a"),
		.to = call(bench, GRAPH_NODE_RESOURCE, "google/drive"),
		.effects = 1U << EFFECT_WRITE,
		.since_s = (graph_time)(bench->log.now_utc_ms / 1000),
		.by = text_of(by)};
	struct error err;

	if (!graph_put_edge(bench->graph, &edge, &err))
		fail_msg("%s", err.text);
}

/* One account that the identity `is` is and the person `owner` owns; NULL: nobody. */
static void say_account(
	struct bench *bench, const struct graph_node *account, const char *is, const char *owner)
{
	struct graph_node node = *account;
	graph_id id;

	node.kind = GRAPH_NODE_ACCOUNT;
	node.name = TEXT("google/a");
	node.flags |= GRAPH_NODE_IS_KNOWN;
	say_begin(bench, "account");
	id = say(bench, &node);
	if (is != NULL)
		join(bench, GRAPH_EDGE_IS, call(bench, GRAPH_NODE_IDENTITY, is), id);
	if (owner != NULL)
		join(bench, GRAPH_EDGE_OWNS, call(bench, GRAPH_NODE_PERSON, owner), id);
	graph_part_end(bench->graph);
}

static void say_nothing(struct bench *bench)
{
	say_begin(bench, "account");
	graph_part_end(bench->graph);
}

static void an_account_turns_it_red_until_it_is_registered(
	struct bench *bench, const char *control, enum identity_kind kind)
{
	const struct graph_node account = {.identity_kind = kind};

	put(bench, RIGHT);
	begin(bench, control);
	say_account(bench, &account, NULL, "ana");
	assert_red(bench);
	say_account(bench, &account, "i", "ana");
	assert_green(bench);
}

static void g_01_an_unregistered_account_turns_it_red(void **state)
{
	an_account_turns_it_red_until_it_is_registered(*state, "G-01", KIND_SERVICE_ACCOUNT);
}

static void g_07_an_account_of_no_kind_turns_it_red(void **state)
{
	struct bench *bench = *state;

	put(bench, RIGHT);
	begin(bench, "G-07");
	say_account(bench, &(struct graph_node){0}, "i", NULL);
	assert_red(bench);
	say_account(bench, &(struct graph_node){.identity_kind = KIND_API_KEY}, "i", NULL);
	assert_green(bench);
}

/* Its people were reviewed; the account that it got later was hidden. */
static void g_10_a_service_account_that_no_review_showed_turns_it_red(void **state)
{
	struct bench *bench = *state;
	const struct graph_node account = {.identity_kind = KIND_SERVICE_ACCOUNT};

	decide_bench_set_state(&bench->world, "agent", IDENTITY_RETIRED);
	put(bench, RIGHT);
	bench->facts.judged_utc_s = bench->log.now_utc_ms / 1000;
	begin(bench, "G-10");
	assert_int_equal(bench->before, 0);
	bench->log.now_utc_ms += INT64_C(1000) * DAY;
	say_account(bench, &account, "i", "ana");
	say_begin(bench, "right");
	grant(bench, "ana");
	graph_part_end(bench->graph);
	assert_red(bench);
	bench->facts.judged_utc_s = bench->log.now_utc_ms / 1000;
	assert_green(bench);
}

/* The account of an identity gets a right that its charter does not say, after its approval. */
static void g_12_what_is_granted_after_the_approval_turns_it_red(void **state)
{
	struct bench *bench = *state;
	const struct graph_node account = {.identity_kind = KIND_SERVICE_ACCOUNT};

	put(bench, RIGHT "accounts: [google/a]\n");
	say_account(bench, &account, "i", "ana");
	begin(bench, "G-12");
	say_begin(bench, "right");
	grant(bench, "ana");
	graph_part_end(bench->graph);
	assert_red(bench);
	say_begin(bench, "right");
	graph_part_end(bench->graph);
	assert_green(bench);
}

static bool find_excess(
	void *context, const struct waiver_request *request, struct waiver *out, struct error *err)
{
	(void)context;
	(void)err;
	out->of = request->of;
	out->object = request->object;
	out->effects = UINT32_C(1) << EFFECT_READ;
	return true;
}

static bool may_all(void *context, const struct waiver_deed *deed, const struct waiver *waiver,
	struct error *err)
{
	(void)context;
	(void)deed;
	(void)waiver;
	(void)err;
	return true;
}

static void an_excess_that_is_waived_or_not_any_more_is_seen_at_once(void **state)
{
	struct bench *bench = *state;
	const struct graph_node account = {.identity_kind = KIND_SERVICE_ACCOUNT};
	const struct waiver_rules rules = {bench, find_excess, may_all};
	struct waiver_request request = {.reason = TEXT("taken away"),
		.person = TEXT("rey"),
		.context = bench,
		.done = on_done};
	struct error err;

	put(bench, RIGHT "accounts: [google/a]\n");
	say_account(bench, &account, "i", "ana");
	say_begin(bench, "right");
	grant(bench, "ana");
	graph_part_end(bench->graph);
	assert_int_equal(look(bench, "G-12")->state, CONTROL_FAILING);
	waiver_use(bench->waivers, WAIVER_OF_EXCESS, &rules);
	waive(bench, WAIVER_OF_EXCESS, "i", "google/files");
	assert_int_equal(look_at_once(bench, "G-12"), CONTROL_PASSING);
	request.id = text_of(bench->waiver);
	if (!waiver_end(bench->waivers, &request, &err))
		fail_msg("%s", err.text);
	assert_int_equal(look_at_once(bench, "G-12"), CONTROL_FAILING);
}

static void g_13_a_permission_that_nobody_gave_turns_it_red(void **state)
{
	struct bench *bench = *state;
	const struct graph_node account = {.identity_kind = KIND_SERVICE_ACCOUNT};

	put(bench, RIGHT);
	say_account(bench, &account, "i", "ana");
	begin(bench, "G-13");
	say_begin(bench, "right");
	grant(bench, "");
	graph_part_end(bench->graph);
	/* Not proven on this bench, which has no records of charters; it is counted all the same.
	 */
	assert_red(bench);
	say_begin(bench, "right");
	grant(bench, "ana");
	graph_part_end(bench->graph);
	assert_int_equal(look(bench, "G-13")->violations, bench->before);
}

static void g_44_a_new_oauth_app_turns_it_red(void **state)
{
	an_account_turns_it_red_until_it_is_registered(*state, "G-44", KIND_OAUTH_APP);
}

static void g_45_a_dormant_grant_turns_it_red(void **state)
{
	struct bench *bench = *state;
	struct graph_node app = {.identity_kind = KIND_OAUTH_APP, .used_s = NOW - 91 * DAY};

	put(bench, RIGHT);
	begin(bench, "G-45");
	say_account(bench, &app, "i", NULL);
	assert_red(bench);
	app.flags = GRAPH_NODE_IS_OFF; /* contained at the provider */
	say_account(bench, &app, "i", NULL);
	assert_green(bench);
}

static void g_46_work_handed_past_a_charter_turns_it_red(void **state)
{
	struct bench *bench = *state;

	put(bench, RIGHT);
	begin(bench, "G-46");
	say_begin(bench, "hand");
	join(bench, GRAPH_EDGE_HANDS, call(bench, GRAPH_NODE_IDENTITY, "i"),
		call(bench, GRAPH_NODE_IDENTITY, "agent"));
	graph_part_end(bench->graph);
	assert_red(bench);
	put(bench,
		RIGHT "peers: [{identity: agent, effects: [read], up-to: internal, depth: 1}]\n");
	assert_green(bench);
}

static void g_47_two_agents_behind_one_account_turn_it_red(void **state)
{
	struct bench *bench = *state;
	const struct graph_node account = {.identity_kind = KIND_API_KEY};

	put(bench, RIGHT);
	say_account(bench, &account, "i", NULL);
	begin(bench, "G-47");
	say_begin(bench, "second");
	join(bench, GRAPH_EDGE_IS, call(bench, GRAPH_NODE_IDENTITY, "agent"),
		call(bench, GRAPH_NODE_ACCOUNT, "google/a"));
	graph_part_end(bench->graph);
	assert_red(bench);
	say_begin(bench, "second");
	graph_part_end(bench->graph);
	assert_green(bench);
}

static void g_49_an_agent_of_others_turns_it_red_until_it_is_active(void **state)
{
	struct bench *bench = *state;
	const struct graph_node account = {
		.identity_kind = KIND_AGENT, .flags = GRAPH_NODE_IS_EXTERNAL};

	put(bench, RIGHT);
	decide_bench_set_state(&bench->world, "i", IDENTITY_SUSPENDED);
	begin(bench, "G-49");
	say_account(bench, &account, "i", "ana");
	assert_red(bench);
	decide_bench_set_state(&bench->world, "i", IDENTITY_ACTIVE);
	assert_green(bench);
}

static void g_51_a_name_that_nothing_has_turns_it_red(void **state)
{
	struct bench *bench = *state;
	const struct graph_node account = {.identity_kind = KIND_AGENT};

	put(bench, RIGHT);
	say_account(bench, &account, NULL, "ana");
	begin(bench, "G-51");
	/* The identity was renamed at one end. */
	say_begin(bench, "use");
	join(bench, GRAPH_EDGE_USES, call(bench, GRAPH_NODE_ACCOUNT, "google/a"),
		call(bench, GRAPH_NODE_ACCOUNT, "google/old-name"));
	graph_part_end(bench->graph);
	assert_red(bench);
	say_begin(bench, "use");
	graph_part_end(bench->graph);
	assert_green(bench);
}

static void g_52_a_rogue_server_turns_it_red(void **state)
{
	an_account_turns_it_red_until_it_is_registered(*state, "G-52", KIND_TOOL_SERVER);
}

static void n_01_a_new_key_at_a_provider_turns_it_red(void **state)
{
	an_account_turns_it_red_until_it_is_registered(*state, "N-01", KIND_API_KEY);
}

static void n_11_an_account_that_outlives_its_identity_turns_it_red(void **state)
{
	struct bench *bench = *state;
	const struct graph_node account = {.identity_kind = KIND_AGENT};

	put(bench, RIGHT);
	say_account(bench, &account, "i", NULL);
	begin(bench, "N-11");
	decide_bench_set_state(&bench->world, "i", IDENTITY_RETIRED);
	assert_red(bench);
	say_nothing(bench);
	assert_green(bench);
}

/* ---- credentials ---- */

static void say_credential(struct bench *bench, uint32_t flags, graph_time expires_s,
	const char *holder, const char *owner)
{
	const struct graph_node credential = {.kind = GRAPH_NODE_CREDENTIAL,
		.name = TEXT("google/k"),
		.flags = flags | GRAPH_NODE_IS_KNOWN,
		.fingerprint = TEXT("fp"),
		.expires_s = expires_s};
	graph_id id;

	say_begin(bench, "credential");
	id = say(bench, &credential);
	if (holder != NULL)
		join(bench, GRAPH_EDGE_HOLDS, call(bench, GRAPH_NODE_ACCOUNT, holder), id);
	if (owner != NULL)
		join(bench, GRAPH_EDGE_OWNS, call(bench, GRAPH_NODE_PERSON, owner), id);
	graph_part_end(bench->graph);
}

enum { SAFE = GRAPH_NODE_IS_STATIC | GRAPH_NODE_IS_MANAGED };

static void credential_attack(struct bench *bench, const char *control, uint32_t flags,
	graph_time expires_s, const char *holder, const char *owner)
{
	put(bench, RIGHT);
	say_account(bench, &(struct graph_node){.identity_kind = KIND_AGENT}, "i", NULL);
	say_credential(bench, SAFE, NOW + 9 * DAY, "google/a", "ana");
	begin(bench, control);
	say_credential(bench, flags, expires_s, holder, owner);
	assert_red(bench);
	say_credential(bench, SAFE, NOW + 9 * DAY, "google/a", "ana");
	assert_green(bench);
}

static void g_21_an_exposed_credential_turns_it_red(void **state)
{
	credential_attack(
		*state, "G-21", SAFE | GRAPH_NODE_IS_EXPOSED, NOW + 9 * DAY, "google/a", "ana");
}

static void g_23_a_credential_outside_a_manager_turns_it_red(void **state)
{
	credential_attack(*state, "G-23", GRAPH_NODE_IS_STATIC, NOW + 9 * DAY, "google/a", "ana");
}

static void n_02_a_key_without_end_or_owner_turns_it_red(void **state)
{
	credential_attack(*state, "N-02", SAFE, 0, "google/a", "ana");
	credential_attack(*state, "N-02", SAFE, NOW + 9 * DAY, NULL, "zoe");
}

static void n_05_a_key_that_nothing_holds_turns_it_red(void **state)
{
	credential_attack(*state, "N-05", SAFE, NOW + 9 * DAY, NULL, "ana");
}

static void n_04_a_key_without_an_end_turns_it_red(void **state)
{
	attack_and_repair(*state, "N-04",
		"object: identity\nname: i\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: "
		"[staging]\n" CERTIFICATE,
		RIGHT CERTIFICATE);
}

static void n_08_a_trust_that_no_table_has_turns_it_red(void **state)
{
	attack_and_repair(*state, "N-08",
		RIGHT
		"federation:\n  - {issuer: gone, environment: staging, subject: 'team/one'}\n",
		RIGHT);
}

/* ---- records ---- */

#define OPENED(task, more)                                                                         \
	"'type':'task-opened','task':'" task "','identity':'agent','charter-version':1,"           \
	"'environment':'staging'" more
#define ALLOWED(task, identity, environment, more)                                                 \
	"'type':'decision','task':'" task "','identity':'" identity                                \
	"','environment':'" environment "','verdict':'allow'" more

#define QUESTION(id)                                                                               \
	"'type':'approval-asked','approval':'" id                                                  \
	"','identity':'agent','environment':'staging','tool':'files/write'"
#define YES(id, more) "'type':'approval-answered','approval':'" id "','answer':'yes'" more
#define USED(id, tool) ALLOWED("t-1", "agent", "staging", ",'tool':'" tool "','approval':'" id "'")

/* Somebody looked at each finding of the control. */
static void close_findings(struct bench *bench)
{
	const struct finding *finding = finding_next(bench->findings, NULL);
	struct error err;

	while (finding != NULL) {
		struct finding_close request = {.id = finding->id,
			.person = TEXT("eva"),
			.reason = TEXT("the log was restored from a copy")};

		if (finding->kind == FINDING_CONTROL_FAILING) {
			finding = finding_next(bench->findings, finding);
			continue;
		}
		if (!finding_close(bench->findings, &request, &err))
			fail_msg("%s", err.text);
		finding = finding_next(bench->findings, NULL);
	}
}

/* The good records change nothing, the last one turns the control red. */
static void record_attack(
	struct bench *bench, const char *control, const char *const *good, const char *bad)
{
	begin(bench, control);
	for (size_t i = 0; good[i] != NULL; i++)
		record(bench, good[i]);
	assert_green(bench);
	record(bench, bad);
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

#define GOOD(...) ((const char *const[]){__VA_ARGS__, NULL})

static void g_01_a_call_of_nobody_on_record_turns_it_red(void **state)
{
	record_attack(
		*state, "G-01", GOOD(OPENED("t-1", "")), ALLOWED("t-1", "nobody", "staging", ""));
}

#define READ(sources, more) ALLOWED("t-1", "agent", "staging", ",'tool':'files/read'" sources more)

/* Its charter lists tickets up to internal, which they are. */
static void g_04_a_read_outside_its_list_turns_it_red(void **state)
{
	record_attack(*state, "G-04",
		GOOD(OPENED("t-1", ""), READ(",'sources':['tickets']", ""),
			READ(",'sources':['tickets']", ",'ceiling':'internal'"),
			ALLOWED("t-1", "agent", "staging", ",'tool':'files/list'"),
			"'type':'decision','verdict':'deny','identity':'agent','sources':['payroll'"
			"]"),
		READ(",'sources':['tickets','payroll']", ""));
}

static void g_04_rows_above_what_it_covers_turn_it_red(void **state)
{
	record_attack(*state, "G-04",
		GOOD(OPENED("t-1", ""), READ(",'sources':['tickets']", ",'ceiling':'internal'")),
		READ(",'sources':['tickets']", ",'ceiling':'confidential'"));
}

static void g_04_a_tool_that_reads_and_a_record_that_says_nothing_turn_it_red(void **state)
{
	record_attack(*state, "G-04", GOOD(OPENED("t-1", "")), READ("", ""));
}

/* What was public when it was read is so, whatever it became before anybody looked. */
static void g_04_goes_by_what_its_charter_was_then(void **state)
{
	struct bench *bench = *state;
	char members[200];

	begin(bench, "G-04");
	record(bench, OPENED("t-1", ""));
	record(bench, READ(",'sources':['tickets']", ""));
	decide_bench_edit(&bench->world, "agent", "{name: tickets, up-to: internal}",
		"{name: tickets, up-to: public}");
	assert_green(bench);
	(void)snprintf(members, sizeof members,
		"'type':'registry','revision':%llu,'changes':[{'kind':'identity','name':'agent',"
		"'version':2,'in_force':2}]",
		(unsigned long long)registry_revision(bench->world.registry));
	record(bench, members);
	record(bench, READ(",'sources':['tickets']", ""));
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_04_what_came_of_another_source_turns_it_red(void **state)
{
	struct bench *bench = *state;
	char outcome[200];

	begin(bench, "G-04");
	record(bench, OPENED("t-1", ""));
	for (int is_other = 0; is_other <= 1; is_other++) {
		assert_green(bench);
		(void)snprintf(outcome, sizeof outcome,
			"'type':'outcome','decision':%zu,'retrieval':{'sources':['%s'],"
			"'sensitivity':'internal'}",
			(size_t)bench->log.count, is_other ? "payroll" : "tickets");
		record(bench, READ(",'sources':['tickets']", ",'sensitivity':'internal'"));
		record(bench, outcome);
	}
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_04_what_came_above_its_ceiling_turns_it_red(void **state)
{
	struct bench *bench = *state;
	char outcome[200];

	begin(bench, "G-04");
	record(bench, OPENED("t-1", ""));
	(void)snprintf(outcome, sizeof outcome,
		"'type':'outcome','decision':%zu,'retrieval':{'sources':['tickets'],"
		"'sensitivity':'internal'}",
		(size_t)bench->log.count);
	record(bench, READ(",'sources':['tickets']", ",'ceiling':'public'"));
	assert_green(bench);
	record(bench, outcome);
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

/* ---- grounds: the lines of agent are 0 read, 1 write, 2 list ---- */

#define BY(version, line)                                                                          \
	",'charter':'agent@" version "','entitlement':'charter/agent@" version                     \
	"/entitlements/" line "'"
#define LISTED(by, more) ALLOWED("t-1", "agent", "staging", ",'tool':'files/list'" by more)

static void g_31_a_line_about_another_tool_turns_it_red(void **state)
{
	record_attack(*state, "G-31",
		GOOD(OPENED("t-1", ""), LISTED(BY("1", "2"), ""),
			ALLOWED("t-1", "agent", "staging",
				",'server':'files','method':'tools/list','tool':'files/tools.list',"
				"'charter':'agent@1'"),
			"'type':'decision','verdict':'deny','identity':'agent','tool':'files/"
			"list'"),
		LISTED(BY("1", "0"), ""));
}

static void g_31_a_line_that_there_is_not_turns_it_red(void **state)
{
	record_attack(*state, "G-31", GOOD(OPENED("t-1", ""), LISTED(BY("1", "2"), "")),
		LISTED(BY("1", "7"), ""));
}

static void g_31_a_call_that_names_no_line_turns_it_red(void **state)
{
	record_attack(*state, "G-31", GOOD(OPENED("t-1", ""), LISTED(BY("1", "2"), "")),
		LISTED(",'charter':'agent@1'", ""));
}

static void g_31_a_charter_that_was_not_in_force_turns_it_red(void **state)
{
	record_attack(*state, "G-31", GOOD(OPENED("t-1", ""), LISTED(BY("1", "2"), "")),
		LISTED(BY("2", "2"), ""));
}

static void g_31_a_line_that_is_over_turns_it_red(void **state)
{
	struct bench *bench = *state;

	decide_bench_edit(&bench->world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, expires: 2028-01-01}");
	record_attack(bench, "G-31",
		GOOD(OPENED("t-1", ""), LISTED(BY("2", "2"), ",'decided':1830297599999")),
		LISTED(BY("2", "2"), ",'decided':1830297600000"));
}

static void g_31_a_tool_that_passes_for_another_turns_it_red(void **state)
{
	record_attack(*state, "G-31",
		GOOD(OPENED("t-1", ""), LISTED(BY("1", "2"), ",'definition':'unpinned'")),
		LISTED(BY("1", "2"), ",'definition':'shadowed'"));
}

static void g_31_what_does_not_fit_its_pin_turns_it_red(void **state)
{
	struct bench *bench = *state;

	put(bench, "object: tool\nname: files/list\neffect: read\nrisk: low\ndefinition: "
		   "sha256:0000000000000000000000000000000000000000000000000000000000000001\n");
	record_attack(bench, "G-31",
		GOOD(OPENED("t-1", ""), LISTED(BY("1", "2"), ",'definition':'unseen'"),
			LISTED(BY("1", "2"), ",'definition':'matches','form':'valid'")),
		LISTED(BY("1", "2"), ",'definition':'differs'"));
	record_attack(bench, "G-31", GOOD(LISTED(BY("1", "2"), "")),
		LISTED(BY("1", "2"), ",'definition':'matches','form':'undecided'"));
}

#define TOUCHED(sensitivity, untrusted)                                                            \
	",'labels':{'sensitivity':'" sensitivity "','untrusted':" untrusted "}"
#define SENT(form, origin) ",'origins':{'" form "':'" origin "'}"

static void g_32_private_data_that_goes_where_a_stranger_said_turns_it_red(void **state)
{
	static const char *const outs[] = {SENT("recipient", "untrusted"),
		SENT("recipient", "unknown"), SENT("url", "untrusted"), SENT("url", "unknown")};
	struct bench *bench = *state;

	record(bench, OPENED("t-1", ""));
	for (size_t i = 0; i < sizeof outs / sizeof *outs; i++) {
		char bad[300];

		(void)snprintf(bad, sizeof bad, "%s%s", LISTED("", TOUCHED("confidential", "true")),
			outs[i]);
		record_attack(bench, "G-32",
			GOOD(LISTED("", TOUCHED("internal", "true") SENT("url", "unknown")),
				LISTED("", TOUCHED("restricted", "false") SENT("url", "unknown")),
				LISTED("", TOUCHED("restricted", "true") SENT("url", "request")),
				LISTED("",
					TOUCHED("restricted", "true") SENT("path", "untrusted"))),
			bad);
	}
}

/* ---- outputs: 0 reply, 1 person:ana (public), 2 files/write, 3 files/run ---- */

#define WROTE(more)                                                                                \
	ALLOWED("t-1", "agent", "staging", ",'tool':'files/write','effect':'write'" more)
#define MAILED(more)                                                                               \
	ALLOWED("t-1", "agent", "staging",                                                         \
		",'tool':'files/"                                                                  \
		"mail','origins':{'from':[{'argument':'to','origin':'request'}]}" more)
#define HAD_INTERNAL ",'labels':{'sensitivity':'internal'}"
#define OUT(data, line, to) "{'data':'" data "','line':" line ",'to':'" to "'}"
#define OUTS(outputs) ",'outputs':[" outputs "]"

static void g_05_data_above_its_line_turns_it_red(void **state)
{
	record_attack(*state, "G-05",
		GOOD(OPENED("t-1", ""),
			READ(",'sources':['tickets']", OUTS(OUT("internal", "0", "reply"))),
			WROTE(HAD_INTERNAL OUTS(OUT("internal", "2", "tool"))),
			WROTE(OUTS("{'data':'public','to':'tool'}")),
			ALLOWED("t-1", "agent", "staging", ",'tool':'files/list'" OUTS("")),
			"'type':'decision','verdict':'deny','identity':'agent','tool':'files/"
			"write'"),
		WROTE(",'labels':{'sensitivity':'restricted'}" OUTS(
			OUT("restricted", "2", "tool"))));
}

/* What its task had read goes out, whatever the record calls it. */
static void g_05_data_that_is_called_less_than_it_is_turns_it_red(void **state)
{
	record_attack(*state, "G-05",
		GOOD(OPENED("t-1", ""), MAILED(OUTS(OUT("public", "1", "recipient")))),
		MAILED(HAD_INTERNAL OUTS(OUT("public", "1", "recipient"))));
}

static void g_05_a_line_about_another_place_turns_it_red(void **state)
{
	record_attack(*state, "G-05",
		GOOD(OPENED("t-1", ""), WROTE(HAD_INTERNAL OUTS(OUT("internal", "2", "tool")))),
		WROTE(HAD_INTERNAL OUTS(OUT("internal", "3", "tool"))));
}

static void g_05_a_line_that_there_is_not_turns_it_red(void **state)
{
	record_attack(*state, "G-05",
		GOOD(OPENED("t-1", ""), WROTE(OUTS(OUT("public", "2", "tool")))),
		WROTE(OUTS(OUT("public", "4", "tool"))));
}

static void g_05_a_recipient_that_no_line_names_turns_it_red(void **state)
{
	record_attack(*state, "G-05",
		GOOD(OPENED("t-1", ""), MAILED(OUTS(OUT("public", "1", "recipient")))),
		MAILED(OUTS("{'data':'public','to':'tool'}")));
}

static void g_05_a_reply_that_the_record_hides_turns_it_red(void **state)
{
	record_attack(*state, "G-05",
		GOOD(OPENED("t-1", ""),
			READ(",'sources':['tickets']", OUTS(OUT("internal", "0", "reply")))),
		READ(",'sources':['tickets']", OUTS("")));
}

static void g_05_a_write_without_a_line_turns_it_red_above_public(void **state)
{
	record_attack(*state, "G-05",
		GOOD(OPENED("t-1", ""), MAILED(OUTS(OUT("public", "1", "recipient"))),
			WROTE(OUTS("{'data':'public','to':'tool'}"))),
		WROTE(HAD_INTERNAL OUTS("{'data':'internal','to':'tool'}")));
}

/* They name no line: any would do that lets it go. */
static void g_05_a_record_of_before_goes_by_any_line(void **state)
{
	record_attack(*state, "G-05",
		GOOD(OPENED("t-1", ""), READ(",'sources':['tickets']", ""), WROTE(HAD_INTERNAL),
			MAILED("")),
		MAILED(HAD_INTERNAL));
}

static void g_05_goes_by_what_its_charter_was_then(void **state)
{
	struct bench *bench = *state;
	char members[200];

	begin(bench, "G-05");
	record(bench, OPENED("t-1", ""));
	record(bench, WROTE(HAD_INTERNAL OUTS(OUT("internal", "2", "tool"))));
	decide_bench_edit(&bench->world, "agent", "{to: files/write, up-to: internal}",
		"{to: files/write, up-to: public}");
	assert_green(bench);
	(void)snprintf(members, sizeof members,
		"'type':'registry','revision':%llu,'changes':[{'kind':'identity','name':'agent',"
		"'version':2,'in_force':2}]",
		(unsigned long long)registry_revision(bench->world.registry));
	record(bench, members);
	record(bench, WROTE(HAD_INTERNAL OUTS(OUT("internal", "2", "tool"))));
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

/* ---- hops: lead hands agent what it reads, and mailing ---- */

#define LEAD(outputs, peers)                                                                       \
	"object: identity\nname: lead\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"       \
	"backup-owner: bo\nunit: support\npurpose: leads\nenvironments: [staging]\n"               \
	"data-sources: [{name: tickets, up-to: internal}]\noutputs: [" outputs "]\n"               \
	"entitlements: [{effect: read, tool: files/read}, {effect: write, tool: files/write}]\n"   \
	"peers: [" peers "]\n"
#define READS "{identity: agent, effects: [read], up-to: internal}"
#define WRITES "{identity: agent, effects: [read, write], up-to: internal}"
#define OF_LEAD(task)                                                                              \
	"'type':'task-opened','task':'" task "','identity':'lead','charter-version':1,"            \
	"'environment':'staging','deadline':9000"
#define BELOW(task, parent, identity, more)                                                        \
	"'type':'task-opened','task':'" task "','identity':'" identity "','charter-version':1,"    \
	"'environment':'staging','parent':'" parent "'" more
#define HANDED ",'chain':['t-2','t-1'],'identities':['agent','lead']"
#define DID(tool, more)                                                                            \
	ALLOWED("t-2", "agent", "staging", ",'server':'files','tool':'files/" tool "'" HANDED more)
#define LOOKED DID("read", ",'sources':['tickets']")
#define HAND GOOD(OF_LEAD("t-1"), BELOW("t-2", "t-1", "agent", ",'deadline':9000"), LOOKED)

static void hop_attack(struct bench *bench, const char *lead, const char *bad)
{
	put(bench, lead);
	record_attack(bench, "G-48", HAND, bad);
	record(bench, LOOKED);
	assert_green(bench);
}

static void g_48_an_effect_that_was_not_handed_on_turns_it_red(void **state)
{
	hop_attack(*state, LEAD("{to: files/write, up-to: internal}", READS), DID("write", ""));
}

static void g_48_what_the_one_above_may_not_itself_turns_it_red(void **state)
{
	hop_attack(*state, LEAD("", WRITES), DID("run", ""));
	hop_attack(*state, LEAD("", WRITES), DID("mail", ""));
}

static void g_48_data_above_what_was_handed_on_turns_it_red(void **state)
{
	hop_attack(*state, LEAD("", READS), DID("read", ",'sources':['payroll']"));
}

/* The caller may; the one above lets internal data go nowhere. */
static void g_48_an_output_that_the_one_above_lacks_turns_it_red(void **state)
{
	put(*state, LEAD("", WRITES));
	record_attack(*state, "G-48",
		GOOD(OF_LEAD("t-1"), BELOW("t-2", "t-1", "agent", ""), DID("write", "")),
		DID("write", HAD_INTERNAL));
}

static void g_48_data_that_was_carried_past_its_line_turns_it_red(void **state)
{
	put(*state, LEAD("{to: files/write, up-to: restricted}", WRITES));
	record_attack(*state, "G-48",
		GOOD(OF_LEAD("t-1"), BELOW("t-2", "t-1", "agent", ""), DID("write", HAD_INTERNAL)),
		DID("write", ",'labels':{'sensitivity':'confidential'}"));
}

/* Of the reach alone: it may write, and hands on mailing. */
static void g_48_what_is_out_of_reach_turns_it_red(void **state)
{
	put(*state, LEAD("", "{identity: agent, effects: [write], up-to: public, "
			     "tools: [files/mail]}"));
	record_attack(*state, "G-48",
		GOOD(OF_LEAD("t-1"), BELOW("t-2", "t-1", "agent", ""), DID("mail", "")),
		DID("write", ""));
}

static void g_48_a_chain_that_the_record_hides_turns_it_red(void **state)
{
	put(*state, LEAD("", READS));
	record_attack(*state, "G-48", HAND,
		ALLOWED("t-2", "agent", "staging",
			",'server':'files','tool':'files/list','chain':['t-2']"));
	record_attack(*state, "G-48", GOOD(LOOKED),
		ALLOWED("t-2", "agent", "staging",
			",'server':'files','tool':'files/read','sources':['tickets'],"
			"'chain':['t-2','t-1'],'identities':['agent','other']"));
}

static void g_48_an_environment_of_the_caller_alone_turns_it_red(void **state)
{
	put(*state, LEAD("", READS));
	record_attack(*state, "G-48", HAND,
		ALLOWED("t-2", "agent", "prod",
			",'server':'files','tool':'files/read','sources':['tickets']" HANDED));
}

static void g_48_a_hop_too_far_turns_it_red(void **state)
{
	struct bench *bench = *state;
	char opened[300];

	put(bench, LEAD("", READS));
	decide_bench_edit(&bench->world, "agent", "entitlements:",
		"peers: [{identity: third, effects: [read], up-to: internal, depth: 6}]\n"
		"entitlements:");
	begin(bench, "G-48");
	record(bench, OF_LEAD("t-1"));
	record(bench, BELOW("t-2", "t-1", "agent", ""));
	(void)snprintf(opened, sizeof opened, BELOW("t-3", "t-2", "third", ",'revision':%llu"),
		(unsigned long long)registry_revision(bench->world.registry));
	record(bench, BELOW("t-4", "t-2", "third", "")); /* of before: it says by which registry */
	assert_green(bench);
	record(bench, opened);
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_48_a_hop_that_no_line_has_turns_it_red(void **state)
{
	struct bench *bench = *state;
	char good[300], bad[300];
	unsigned long long revision;

	put(bench, LEAD("", READS));
	begin(bench, "G-48");
	revision = registry_revision(bench->world.registry);
	(void)snprintf(
		good, sizeof good, BELOW("t-2", "t-1", "agent", ",'revision':%llu"), revision);
	(void)snprintf(bad, sizeof bad, BELOW("t-3", "t-1", "third", ",'revision':%llu"), revision);
	record(bench, OF_LEAD("t-1"));
	record(bench, good);
	assert_green(bench);
	record(bench, bad);
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_48_a_task_that_outlives_the_one_above_turns_it_red(void **state)
{
	put(*state, LEAD("", READS));
	record_attack(*state, "G-48", HAND, BELOW("t-3", "t-1", "agent", ",'deadline':9001"));
}

static void g_48_goes_by_what_the_charters_were_then(void **state)
{
	struct bench *bench = *state;
	char members[200];

	put(bench, LEAD("", READS));
	begin(bench, "G-48");
	record(bench, OF_LEAD("t-1"));
	record(bench, BELOW("t-2", "t-1", "agent", ""));
	record(bench, LOOKED);
	put(bench, LEAD("", "{identity: agent, effects: [read], up-to: public}"));
	assert_green(bench);
	(void)snprintf(members, sizeof members,
		"'type':'registry','revision':%llu,'changes':[{'kind':'identity','name':'lead',"
		"'version':2,'in_force':2}]",
		(unsigned long long)registry_revision(bench->world.registry));
	record(bench, members);
	record(bench, LOOKED);
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_08_a_task_under_no_charter_turns_it_red(void **state)
{
	record_attack(*state, "G-08", GOOD(OPENED("t-1", "")),
		"'type':'task-opened','task':'t-2','identity':'ghost','charter-version':1,"
		"'environment':'staging'");
}

static void g_15_the_token_of_another_task_turns_it_red(void **state)
{
	record_attack(*state, "G-15",
		GOOD(OPENED("t-1", ""), ALLOWED("t-1", "agent", "staging", "")),
		ALLOWED("t-9", "agent", "staging", ""));
}

static void g_16_a_call_after_the_end_turns_it_red(void **state)
{
	record_attack(*state, "G-16",
		GOOD(OPENED("t-1", ""), ALLOWED("t-1", "agent", "staging", ""),
			"'type':'task-ended','task':'t-1','state':'ended'"),
		ALLOWED("t-1", "agent", "staging", ""));
}

static void g_26_an_effect_without_a_decision_turns_it_red(void **state)
{
	struct bench *bench = *state;
	char outcome[80];

	begin(bench, "G-26");
	record(bench, OPENED("t-1", ""));
	(void)snprintf(outcome, sizeof outcome, "'type':'outcome','decision':%zu",
		(size_t)bench->log.count);
	record(bench, ALLOWED("t-1", "agent", "staging", ""));
	record(bench, outcome);
	assert_green(bench);
	record(bench, outcome); /* the call was made again */
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_29_a_call_in_another_environment_turns_it_red(void **state)
{
	record_attack(*state, "G-29",
		GOOD(OPENED("t-1", ""), ALLOWED("t-1", "agent", "staging", "")),
		ALLOWED("t-1", "agent", "prod", ""));
}

static void g_30_an_approval_used_twice_turns_it_red(void **state)
{
	record_attack(*state, "G-30",
		GOOD(OPENED("t-1", ""),
			"'type':'approval-asked','approval':'a-1','identity':'agent',"
			"'environment':'staging'",
			"'type':'approval-answered','approval':'a-1','answer':'yes'",
			ALLOWED("t-1", "agent", "staging", ",'approval':'a-1'")),
		ALLOWED("t-1", "agent", "staging", ",'approval':'a-1'"));
}

static void g_30_an_approval_without_a_yes_turns_it_red(void **state)
{
	record_attack(*state, "G-30",
		GOOD(OPENED("t-1", ""),
			"'type':'approval-asked','approval':'a-1','identity':'agent',"
			"'environment':'staging'",
			"'type':'approval-answered','approval':'a-1','answer':'no'"),
		ALLOWED("t-1", "agent", "staging", ",'approval':'a-1'"));
}

#define FIRST(tool, more) ALLOWED("t-1", "agent", "staging", ",'first':true,'tool':'" tool "'" more)
#define ASKED_ABOUT(id, tool)                                                                      \
	"'type':'approval-asked','approval':'" id                                                  \
	"','identity':'agent','environment':'staging','tool':'" tool "'"

static void g_36_a_first_use_of_a_risky_tool_turns_it_red(void **state)
{
	record_attack(*state, "G-36",
		GOOD(OPENED("t-1", ""), FIRST("files/write", ""),
			FIRST("files/run", ",'break-glass':'g-1'"),
			ALLOWED("t-1", "agent", "staging", ",'tool':'files/run'"),
			ASKED_ABOUT("a-1", "files/run"), YES("a-1", ""),
			FIRST("files/run", ",'approval':'a-1','approvals':['owner','second']")),
		FIRST("files/run", ""));
}

static void g_36_anybody_elses_yes_turns_it_red(void **state)
{
	record_attack(*state, "G-36",
		GOOD(OPENED("t-1", ""), ASKED_ABOUT("a-1", "files/run"), YES("a-1", "")),
		FIRST("files/run", ",'approval':'a-1','approvals':['role/approver','second']"));
}

static void g_36_a_first_look_at_production_turns_it_red(void **state)
{
	struct bench *bench = *state;

	put(bench, "object: server\nname: live\nunit: support\nenvironment: prod\n"
		   "transport: {stdio: [live-server]}\n");
	put(bench, "object: tool\nname: live/look\neffect: read\nrisk: low\n"
		   "reversal: none-needed\n");
	record_attack(bench, "G-36",
		GOOD(OPENED("t-1", ""), FIRST("files/list", ",'server':'files'")),
		FIRST("live/look", ",'server':'live'"));
}

static void g_36_a_first_read_of_production_data_turns_it_red(void **state)
{
	struct bench *bench = *state;

	put(bench, "object: data-source\nname: orders\nunit: support\ncustodian: cy\n"
		   "sensitivity: internal\nenvironment: prod\n");
	record_attack(bench, "G-36",
		GOOD(OPENED("t-1", ""), FIRST("files/read", ",'sources':['tickets']")),
		FIRST("files/read", ",'sources':['tickets','orders']"));
}

static void g_40_a_call_that_nobody_saw_end_turns_it_red(void **state)
{
	struct bench *bench = *state;

	begin(bench, "G-40");
	record(bench, OPENED("t-1", ""));
	record(bench, ALLOWED("t-1", "agent", "staging", ",'charter':'agent@1'"));
	bench->log.now_utc_ms += RECORD_WATCH_OUTCOME_MS - INT64_C(1000) * POSTURE_AGAIN_S;
	record(bench, "'type':'stop'");
	assert_green(bench); /* a task may last that long */
	bench->log.now_utc_ms += 2;
	record(bench, "'type':'stop'");
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_41_a_task_below_none_turns_it_red(void **state)
{
	record_attack(*state, "G-41", GOOD(OPENED("t-1", ""), OPENED("t-2", ",'parent':'t-1'")),
		OPENED("t-3", ",'parent':'t-8'"));
}

/* A token at high risk, that ends so many milliseconds behind now. */
static void give_token(struct bench *bench, const char *task, const char *more, int64_t life_ms)
{
	struct text members = text_format(bench->world.arena,
		"'type':'task-opened','task':'%s','identity':'agent','charter-version':1,"
		"'environment':'staging','risk':'high','token-until':%lld%s",
		task, (long long)(bench->log.now_utc_ms + life_ms), more);

	record(bench, members.data);
}

static void g_17_a_token_of_ten_hours_at_high_risk_turns_it_red(void **state)
{
	struct bench *bench = *state;

	begin(bench, "G-17");
	give_token(bench, "t-1", "", INT64_C(1000) * TOKEN_HIGH_S_MAX);
	assert_green(bench);
	give_token(bench, "t-2", "", INT64_C(1000) * TOKEN_HIGH_S_MAX + 1);
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_17_a_refresh_past_its_task_turns_it_red(void **state)
{
	struct bench *bench = *state;
	int64_t deadline_utc_ms = bench->log.now_utc_ms + INT64_C(36000000);
	struct text task =
		text_format(bench->world.arena, ",'deadline':%lld", (long long)deadline_utc_ms);
	char refreshed[160];

	begin(bench, "G-17");
	give_token(bench, "t-1", task.data, 60000);
	for (int past = 0; past <= 1; past++) {
		(void)snprintf(refreshed, sizeof refreshed,
			"'type':'token-refreshed','task':'t-1','risk':'low','token-until':%lld",
			(long long)deadline_utc_ms + past);
		assert_green(bench);
		record(bench, refreshed);
	}
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

/* How long tokens live is told with the control, by risk. */
static void g_17_tells_how_long_half_of_the_tokens_live(void **state)
{
	struct bench *bench = *state;
	const struct catalogue *catalogue = posture_catalogue(bench->posture);
	struct posture_page page = {
		.control = catalogue_number(catalogue, catalogue_find(catalogue, TEXT("G-17"))),
		.count = 1};
	const struct json *lives;
	struct json out;
	struct error err;

	give_token(bench, "t-1", "", 60000);
	give_token(bench, "t-2", "", 60001);
	give_token(bench, "t-3", "", INT64_C(1000) * 3600 * 7);
	look(bench, "G-17");
	assert_true(posture_control_json(bench->posture, &page, bench->world.arena, &out, &err));
	lives = json_find(&out, "token_lives");
	assert_non_null(lives);
	assert_int_equal(lives->count, 1);
	assert_true(text_is(json_text_or(&lives->items[0], "risk", ""), "high"));
	assert_int_equal(json_integer_or(&lives->items[0], "tokens", 0), 3);
	assert_int_equal(json_integer_or(&lives->items[0], "median_minutes", 0), 2);
	assert_int_equal(json_integer_or(&lives->items[0], "most_minutes", 0), 480);
}

/* ---- what is measured ---- */

static void measured(struct bench *bench, enum control_measure measure, int64_t value)
{
	const struct measure_taken taken = {.measure = measure, .value = value, .samples = 3};
	struct error err;

	if (!measure_take(bench->measures, &taken, &err))
		fail_msg("%s", err.text);
}

static void g_24_a_kill_that_takes_too_long_turns_it_red(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(look(bench, "G-24")->state, CONTROL_UNPROVEN); /* nothing was tried */
	measured(bench, MEASURE_KILL_TIME, 1000000);
	begin(bench, "G-24");
	assert_green(bench);
	measured(bench, MEASURE_KILL_TIME, 1000001);
	assert_red(bench);
	for (int i = 0; i < MEASURES_KEPT; i++)
		measured(bench, MEASURE_KILL_TIME, 900);
	assert_green(bench);
}

static void g_24_what_outlives_the_kill_turns_it_red(void **state)
{
	struct bench *bench = *state;
	const struct finding_draft draft = {.kind = FINDING_CANARY_FAILED,
		.subject = TEXT("canary/canary"),
		.control = "G-24",
		.what = TEXT("the call of a task below was still taken after the kill")};
	struct error err;

	measured(bench, MEASURE_KILL_TIME, 900);
	begin(bench, "G-24");
	assert_true(finding_report(bench->findings, &draft, &err));
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_24_is_stale_when_no_kill_was_tried_for_a_day(void **state)
{
	struct bench *bench = *state;

	measured(bench, MEASURE_KILL_TIME, 900);
	bench->log.now_utc_ms += INT64_C(1000) * (DAY - POSTURE_AGAIN_S);
	assert_int_equal(look(bench, "G-24")->state, CONTROL_PASSING);
	bench->log.now_utc_ms += 1000;
	assert_int_equal(look(bench, "G-24")->state, CONTROL_STALE);
	measured(bench, MEASURE_KILL_TIME, 900);
	assert_int_equal(look(bench, "G-24")->state, CONTROL_PASSING);
}

static void g_56_a_drill_that_takes_too_long_turns_it_red(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(look(bench, "G-56")->state, CONTROL_UNPROVEN); /* none was run */
	measured(bench, MEASURE_DRILL_TIME, 60000000);
	begin(bench, "G-56");
	assert_green(bench);
	measured(bench, MEASURE_DRILL_TIME, 60000001);
	assert_red(bench);
	for (int i = 0; i < MEASURES_KEPT; i++)
		measured(bench, MEASURE_DRILL_TIME, 900);
	assert_green(bench);
}

static void g_24_tells_how_long_kills_took(void **state)
{
	struct bench *bench = *state;
	const struct catalogue *catalogue = posture_catalogue(bench->posture);
	struct posture_page page = {
		.control = catalogue_number(catalogue, catalogue_find(catalogue, TEXT("G-24"))),
		.count = 1};
	const struct json *measures;
	struct json out;
	struct error err;

	for (int taken = 0; taken <= 1; taken++) {
		if (taken == 1)
			measured(bench, MEASURE_KILL_TIME, 900);
		look(bench, "G-24");
		assert_true(posture_control_json(
			bench->posture, &page, bench->world.arena, &out, &err));
		measures = json_find(&out, "measures");
		assert_non_null(measures);
		assert_int_equal(measures->count, 1);
		assert_int_equal(json_integer_or(&measures->items[0], "most", 0), 1000000);
		assert_int_equal(
			json_integer_or(&measures->items[0], "value", -1), taken == 1 ? 900 : -1);
		assert_int_equal(json_integer_or(&measures->items[0], "kept", -1), taken);
	}
}

/* An agent that signs in as its approver: the rule is in force, and the approver's sign-in comes
 * later. */
static void n_12_an_agent_that_could_sign_as_its_approver_turns_it_red(void **state)
{
	struct bench *bench = *state;

	put(bench, "object: issuer\nname: idp\nunit: support\nspeaks: oidc\n"
		   "algorithms: [ES256]\nurl: https://idp.example\n"
		   "people: {client: remit, claim: sub}\n");
	put(bench, "object: person\nname: dee\nunit: support\nroles: [approver]\n");
	put(bench, RIGHT "federation:\n"
			 "  - {issuer: idp, environment: staging, subject: 'u-17'}\n");
	begin(bench, "N-12");
	put(bench, "object: person\nname: dee\nunit: support\nroles: [approver]\n"
		   "sign-in: {issuer: idp, as: u-17}\n");
	assert_red(bench);
	put(bench, RIGHT "federation:\n"
			 "  - {issuer: idp, environment: staging, subject: 'w-17'}\n");
	assert_green(bench);
}

#define ASKED(risk, effect, verdict)                                                               \
	"'type':'decision','task':'t-1','identity':'agent','environment':'staging','verdict':"     \
	"'" verdict "','risk':'" risk "','effect':'" effect "'"

static void g_35_a_question_about_a_read_of_low_risk_turns_it_red(void **state)
{
	measured(*state, MEASURE_DECISION_TIME, 100);
	record_attack(*state, "G-35",
		GOOD(OPENED("t-1", ""), ASKED("low", "write", "ask"),
			ASKED("medium", "read", "ask"), ASKED("low", "read", "deny"),
			ASKED("low", "read", "allow")),
		ASKED("low", "read", "ask"));
}

static void g_35_a_slow_decision_turns_it_red(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(look(bench, "G-35")->state, CONTROL_UNPROVEN);
	measured(bench, MEASURE_DECISION_TIME, 1000);
	begin(bench, "G-35");
	assert_green(bench);
	measured(bench, MEASURE_DECISION_TIME, 2000);
	assert_red(bench);
	measured(bench, MEASURE_DECISION_TIME, 500); /* the hour after it */
	assert_green(bench);
}

static void g_35_a_flood_of_questions_turns_it_red(void **state)
{
	struct bench *bench = *state;
	const struct finding_draft draft = {.kind = FINDING_PERSON_FLOODED,
		.subject = TEXT("person/ana"),
		.control = "G-35",
		.what = TEXT("100 questions wait for ana")};
	struct error err;

	measured(bench, MEASURE_DECISION_TIME, 500);
	begin(bench, "G-35");
	assert_true(finding_report(bench->findings, &draft, &err));
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void g_43_a_decision_that_comes_out_otherwise_turns_it_red(void **state)
{
	struct bench *bench = *state;
	const struct finding_draft draft = {.kind = FINDING_REPLAY_DIFFERS,
		.subject = TEXT("record/7"),
		.control = "G-43",
		.what = TEXT("Record #7 does not come out again")};
	struct error err;

	assert_int_equal(look(bench, "G-43")->state, CONTROL_UNPROVEN);
	measured(bench, MEASURE_REPLAY_DIFFERENCES, 0);
	begin(bench, "G-43");
	assert_green(bench);
	measured(bench, MEASURE_REPLAY_DIFFERENCES, 1);
	assert_red(bench);
	assert_true(finding_report(bench->findings, &draft, &err));
	measured(bench, MEASURE_REPLAY_DIFFERENCES, 0); /* the next sample has others */
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void n_10_ids_that_do_not_match_turn_it_red(void **state)
{
	record_attack(*state, "N-10",
		GOOD(OPENED("t-1", ""), QUESTION("a-1"), QUESTION("a-2"), YES("a-1", ""),
			YES("a-2", ""), USED("a-1", "files/write")),
		USED("a-2", "files/run"));
}

static void n_10_a_clock_that_is_askew_turns_it_red(void **state)
{
	struct bench *bench = *state;

	begin(bench, "N-10");
	record(bench, OPENED("t-1", ""));
	record(bench, QUESTION("a-1"));
	record(bench, YES("a-1", ""));
	assert_green(bench);
	bench->log.now_utc_ms -= INT64_C(3000) * POSTURE_AGAIN_S;
	record(bench, USED("a-1", "files/write"));
	bench->log.now_utc_ms += INT64_C(3000) * POSTURE_AGAIN_S;
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void n_10_a_use_after_its_end_turns_it_red(void **state)
{
	struct bench *bench = *state;
	char answer[160];

	begin(bench, "N-10");
	record(bench, OPENED("t-1", ""));
	record(bench, QUESTION("a-1"));
	(void)snprintf(answer, sizeof answer,
		"'type':'approval-answered','approval':'a-1','answer':'yes','expires':%lld",
		(long long)bench->log.now_utc_ms + 10);
	record(bench, answer);
	assert_green(bench); /* half an hour later */
	record(bench, USED("a-1", "files/write"));
	assert_red(bench);
	close_findings(bench);
	assert_green(bench);
}

static void n_10_an_answer_to_no_question_turns_it_red(void **state)
{
	record_attack(*state, "N-10", GOOD(QUESTION("a-1"), YES("a-1", "")), YES("a-7", ""));
}

static void n_10_names_without_their_question_turn_it_red(void **state)
{
	record_attack(*state, "N-10",
		GOOD(OPENED("t-1", ""),
			ALLOWED("t-1", "agent", "staging", ",'approvals':[],'charter':'agent@1'"),
			ALLOWED("t-1", "agent", "staging",
				",'approvals':['owner'],'break-glass':'g-1'")),
		ALLOWED("t-1", "agent", "staging", ",'approvals':['owner']"));
}

static void n_10_a_charter_that_never_was_turns_it_red(void **state)
{
	record_attack(*state, "N-10",
		GOOD(OPENED("t-1", ""), ALLOWED("t-1", "agent", "staging", ",'charter':'agent@1'")),
		ALLOWED("t-1", "agent", "staging", ",'charter':'agent@99'"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	CASE(g_01_an_unregistered_account_turns_it_red),
	CASE(g_02_an_owner_who_goes_turns_it_red),
	CASE(g_03_a_line_above_its_class_turns_it_red),
	CASE(g_07_an_account_of_no_kind_turns_it_red),
	CASE(g_10_a_service_account_that_no_review_showed_turns_it_red),
	CASE(g_12_what_is_granted_after_the_approval_turns_it_red),
	CASE(an_excess_that_is_waived_or_not_any_more_is_seen_at_once),
	CASE(g_13_a_permission_that_nobody_gave_turns_it_red),
	CASE(g_18_unbound_tokens_for_production_turn_it_red),
	CASE(g_19_a_rule_that_fits_many_turns_it_red),
	CASE(g_20_a_secret_whose_waiver_ended_turns_it_red),
	CASE(g_21_an_exposed_credential_turns_it_red),
	CASE(g_22_one_key_of_two_agents_turns_it_red),
	CASE(g_23_a_credential_outside_a_manager_turns_it_red),
	CASE(g_24_a_kill_that_takes_too_long_turns_it_red),
	CASE(g_24_what_outlives_the_kill_turns_it_red),
	CASE(g_24_is_stale_when_no_kill_was_tried_for_a_day),
	CASE(g_24_tells_how_long_kills_took),
	CASE(g_56_a_drill_that_takes_too_long_turns_it_red),
	CASE(g_35_a_question_about_a_read_of_low_risk_turns_it_red),
	CASE(g_35_a_slow_decision_turns_it_red),
	CASE(g_35_a_flood_of_questions_turns_it_red),
	CASE(g_43_a_decision_that_comes_out_otherwise_turns_it_red),
	CASE(n_12_an_agent_that_could_sign_as_its_approver_turns_it_red),
	CASE(g_25_what_lives_past_its_charter_turns_it_red),
	CASE(g_27_a_stripped_label_turns_it_red),
	CASE(g_28_a_tool_without_its_pin_turns_it_red),
	CASE(g_29_a_key_of_both_sides_turns_it_red),
	CASE(g_34_an_act_at_risk_without_people_turns_it_red),
	CASE(g_37_a_sandbox_near_production_turns_it_red),
	CASE(g_44_a_new_oauth_app_turns_it_red),
	CASE(g_45_a_dormant_grant_turns_it_red),
	CASE(g_46_work_handed_past_a_charter_turns_it_red),
	CASE(g_47_two_agents_behind_one_account_turn_it_red),
	CASE(g_49_an_agent_of_others_turns_it_red_until_it_is_active),
	CASE(g_50_data_without_a_custodian_turns_it_red),
	CASE(g_51_a_name_that_nothing_has_turns_it_red),
	CASE(g_52_a_rogue_server_turns_it_red),
	CASE(g_53_a_unit_below_the_minimum_turns_it_red),
	CASE(g_54_an_act_that_says_no_way_back_turns_it_red),
	CASE(g_55_an_act_without_a_way_back_turns_it_red),
	CASE(g_57_a_model_that_was_swapped_turns_it_red),
	CASE(g_57_a_change_that_nobody_was_looked_for_turns_it_stale),
	CASE(g_58_a_risk_that_nobody_here_accepts_turns_it_red),
	CASE(g_60_without_one_control_the_row_of_its_risk_turns_red),
	CASE(g_60_tells_each_risk_that_nothing_answers),
	CASE(n_01_a_new_key_at_a_provider_turns_it_red),
	CASE(n_02_a_key_without_end_or_owner_turns_it_red),
	CASE(n_04_a_key_without_an_end_turns_it_red),
	CASE(n_05_a_key_that_nothing_holds_turns_it_red),
	CASE(n_08_a_trust_that_no_table_has_turns_it_red),
	CASE(g_01_a_call_of_nobody_on_record_turns_it_red),
	CASE(g_04_a_read_outside_its_list_turns_it_red),
	CASE(g_04_rows_above_what_it_covers_turn_it_red),
	CASE(g_04_a_tool_that_reads_and_a_record_that_says_nothing_turn_it_red),
	CASE(g_04_goes_by_what_its_charter_was_then),
	CASE(g_04_what_came_of_another_source_turns_it_red),
	CASE(g_04_what_came_above_its_ceiling_turns_it_red),
	CASE(g_31_a_line_about_another_tool_turns_it_red),
	CASE(g_31_a_line_that_there_is_not_turns_it_red),
	CASE(g_31_a_call_that_names_no_line_turns_it_red),
	CASE(g_31_a_charter_that_was_not_in_force_turns_it_red),
	CASE(g_31_a_line_that_is_over_turns_it_red),
	CASE(g_31_a_tool_that_passes_for_another_turns_it_red),
	CASE(g_31_what_does_not_fit_its_pin_turns_it_red),
	CASE(g_32_private_data_that_goes_where_a_stranger_said_turns_it_red),
	CASE(g_05_data_above_its_line_turns_it_red),
	CASE(g_05_data_that_is_called_less_than_it_is_turns_it_red),
	CASE(g_05_a_line_about_another_place_turns_it_red),
	CASE(g_05_a_line_that_there_is_not_turns_it_red),
	CASE(g_05_a_recipient_that_no_line_names_turns_it_red),
	CASE(g_05_a_reply_that_the_record_hides_turns_it_red),
	CASE(g_05_a_write_without_a_line_turns_it_red_above_public),
	CASE(g_05_a_record_of_before_goes_by_any_line),
	CASE(g_05_goes_by_what_its_charter_was_then),
	CASE(g_48_an_effect_that_was_not_handed_on_turns_it_red),
	CASE(g_48_what_the_one_above_may_not_itself_turns_it_red),
	CASE(g_48_data_above_what_was_handed_on_turns_it_red),
	CASE(g_48_an_output_that_the_one_above_lacks_turns_it_red),
	CASE(g_48_data_that_was_carried_past_its_line_turns_it_red),
	CASE(g_48_what_is_out_of_reach_turns_it_red),
	CASE(g_48_a_chain_that_the_record_hides_turns_it_red),
	CASE(g_48_an_environment_of_the_caller_alone_turns_it_red),
	CASE(g_48_a_hop_too_far_turns_it_red),
	CASE(g_48_a_hop_that_no_line_has_turns_it_red),
	CASE(g_48_a_task_that_outlives_the_one_above_turns_it_red),
	CASE(g_48_goes_by_what_the_charters_were_then),
	CASE(g_08_a_task_under_no_charter_turns_it_red),
	CASE(g_15_the_token_of_another_task_turns_it_red),
	CASE(g_16_a_call_after_the_end_turns_it_red),
	CASE(g_26_an_effect_without_a_decision_turns_it_red),
	CASE(g_29_a_call_in_another_environment_turns_it_red),
	CASE(g_30_an_approval_used_twice_turns_it_red),
	CASE(g_30_an_approval_without_a_yes_turns_it_red),
	CASE(g_36_a_first_use_of_a_risky_tool_turns_it_red),
	CASE(g_36_anybody_elses_yes_turns_it_red),
	CASE(g_36_a_first_look_at_production_turns_it_red),
	CASE(g_36_a_first_read_of_production_data_turns_it_red),
	CASE(g_40_a_call_that_nobody_saw_end_turns_it_red),
	CASE(g_41_a_task_below_none_turns_it_red),
	CASE(g_17_a_token_of_ten_hours_at_high_risk_turns_it_red),
	CASE(g_17_a_refresh_past_its_task_turns_it_red),
	CASE(g_17_tells_how_long_half_of_the_tokens_live),
	CASE(n_10_ids_that_do_not_match_turn_it_red),
	CASE(n_10_a_clock_that_is_askew_turns_it_red),
	CASE(n_10_a_use_after_its_end_turns_it_red),
	CASE(n_10_an_answer_to_no_question_turns_it_red),
	CASE(n_10_names_without_their_question_turn_it_red),
	CASE(n_10_a_charter_that_never_was_turns_it_red),
	CASE(n_11_an_account_that_outlives_its_identity_turns_it_red),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Random trees of tasks, handed on from identity to identity, against a small model of what
 * each may do: whoever acts may do what it may itself, as far as each one above it handed it
 * on.  Charters are narrowed and widened, identities suspended and killed, tasks killed and
 * late, links dropped and written twice, wherever the tree has got to.  No call is allowed that
 * the model does not allow, none refused that it does; and no work is taken over otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/hand_on.h"
#include "support/decide_bench.h"
#include "support/seeded.h"

enum {
	CASES = 1000000, /* tasks opened and exchanges asked for; REMIT_CHAINS */
	WORLD_CASES = 2000,
	IDENTITIES = 10,
	TOOLS = 6,
	NODES_MAX = WORLD_CASES + 1,
	DEADLINE_MS = 3600 * 1000,
};

/* ---- the model ---- */

/* Levels as they are ordered: 0 public, 1 internal, 2 confidential, 3 restricted. */
static const char *const level_words[] = {"public", "internal", "confidential", "restricted"};
enum source { NO_SOURCE = 0, TICKETS, PAYROLL, SOURCES };

static const struct {
	const char *server;
	const char *name;
	const char *word;
	enum effect effect;
	enum source source;
	int level;       /* of what it reads */
	bool is_foreign; /* another unit's, or reads another unit's data */
} tools[TOOLS] = {
	{"files", "list", "read", EFFECT_READ, NO_SOURCE, 0, false},
	{"files", "write", "write", EFFECT_WRITE, NO_SOURCE, 0, false},
	{"files", "run", "execute", EFFECT_EXECUTE, NO_SOURCE, 0, false},
	{"other", "peek", "read", EFFECT_READ, NO_SOURCE, 0, true},
	{"files", "open", "read", EFFECT_READ, TICKETS, 1, false},
	{"files", "pay", "read", EFFECT_READ, PAYROLL, 2, true},
};

struct line {
	bool is_there;
	unsigned effects; /* bits of enum effect */
	int up_to;
	unsigned depth;
	unsigned reach; /* bits of tools; 0: none given */
};

struct agent {
	unsigned highest;    /* effect that its class permits: 1 read, 2 write, 3 execute */
	unsigned lines;      /* bits of tools */
	int covers[SOURCES]; /* level; -1: it does not list the source */
	struct line peers[IDENTITIES];
	bool has_consent;
	bool is_active;
	unsigned epoch;
};

struct model_node {
	int parent; /* -1: none */
	unsigned identity;
	unsigned epoch; /* of the identity when it was opened */
	bool is_killed;
	int label; /* -1: nothing was read */
	int64_t deadline_utc_ms;
};

struct law {
	struct decide_bench bench;
	struct arena *scratch;
	struct agent agents[IDENTITIES];
	struct model_node nodes[NODES_MAX];
	unsigned count;
	struct call calls[TOOLS];
	struct tool_reads *reads[TOOLS];
	int64_t now_utc_ms;
};

static struct {
	uint64_t opened, taken_over, refused, allowed, denied, deepest, dead, killed, rewritten;
	uint64_t by[HAND_ON_LABEL + 1];
	uint64_t allowed_of[CHAIN_IDENTITIES_MAX + 1]; /* by identities in the chain */
} seen;

static const char *const names[IDENTITIES] = {
	"i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8", "i9"};

static unsigned rank_of_effect(enum effect effect)
{
	return effect == EFFECT_READ ? 1 : effect == EFFECT_WRITE ? 2 : 3;
}

static bool class_permits(const struct agent *agent, unsigned tool)
{
	return rank_of_effect(tools[tool].effect) <= agent->highest;
}

static bool may_itself(const struct agent *agent, unsigned tool)
{
	return class_permits(agent, tool) && (agent->lines >> tool & 1) != 0 &&
	       (tools[tool].source == NO_SOURCE ||
		       agent->covers[tools[tool].source] >= tools[tool].level) &&
	       (!tools[tool].is_foreign || agent->has_consent);
}

/* Identities from the node up, each once; how many. */
static unsigned links_of(const struct law *law, int node, unsigned out[TASK_DEPTH_MAX])
{
	unsigned count = 0;

	for (; node >= 0; node = law->nodes[node].parent)
		if (count == 0 || out[count - 1] != law->nodes[node].identity)
			out[count++] = law->nodes[node].identity;
	return count;
}

static bool is_live(const struct law *law, int node)
{
	for (; node >= 0; node = law->nodes[node].parent) {
		const struct model_node *one = &law->nodes[node];

		if (one->is_killed || one->epoch != law->agents[one->identity].epoch ||
			law->now_utc_ms >= one->deadline_utc_ms)
			return false;
	}
	return true;
}

static int label_of(const struct law *law, int node)
{
	int label = -1;

	for (; node >= 0; node = law->nodes[node].parent)
		if (law->nodes[node].label > label)
			label = law->nodes[node].label;
	return label;
}

static bool hands_on(
	const struct law *law, int node, unsigned from, const struct line *line, unsigned tool)
{
	const struct agent *agent = &law->agents[from];
	int along = tools[tool].level;

	if (tools[tool].effect != EFFECT_READ && label_of(law, node) > along)
		along = label_of(law, node);
	if (!line->is_there || (line->effects >> tools[tool].effect & 1) == 0 ||
		along > line->up_to || !class_permits(agent, tool))
		return false;
	if (line->reach == 0)
		return may_itself(agent, tool);
	return (line->reach >> tool & 1) != 0 && (!tools[tool].is_foreign || agent->has_consent);
}

static bool model_allows(const struct law *law, int node, unsigned tool)
{
	unsigned links[TASK_DEPTH_MAX] = {0}, count = links_of(law, node, links);

	if (!is_live(law, node) || !may_itself(&law->agents[links[0]], tool))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!law->agents[links[i]].is_active)
			return false;
	for (unsigned i = 1; i < count; i++) {
		const struct line *line = &law->agents[links[i]].peers[links[i - 1]];

		if (line->depth < i - 1 || !hands_on(law, node, links[i], line, tool))
			return false;
	}
	return true;
}

static enum hand_on model_hands_on(const struct law *law, int node, unsigned client, int named)
{
	unsigned links[TASK_DEPTH_MAX] = {0}, count = links_of(law, node, links);
	const struct line *line = &law->agents[links[0]].peers[client];

	if (named >= 0 && named != (int)client)
		return HAND_ON_NOT_NAMED;
	if (links[0] == client)
		return HAND_ON_OWN;
	if (!line->is_there)
		return HAND_ON_NO_LINE;
	for (unsigned i = 0; i < count; i++)
		if (links[i] == client || count >= 8)
			return HAND_ON_LOOP;
	for (unsigned i = 1; i < count; i++) {
		const struct line *above = &law->agents[links[i]].peers[links[i - 1]];

		if (!above->is_there || above->depth < i)
			return HAND_ON_DEPTH;
	}
	return label_of(law, node) > line->up_to ? HAND_ON_LABEL : HAND_ON_ALLOWED;
}

/* ---- the world ---- */

static const char world_yaml[] =
	"object: data-source\nname: payroll\nunit: sales\ncustodian: cy\n"
	"sensitivity: confidential\ntrust: trusted\nenvironment: staging\n---\n"
	"object: tool\nname: files/open\neffect: read\nrisk: low\n"
	"reads: [{data-source: tickets}]\nreversal: none-needed\n---\n"
	"object: tool\nname: files/pay\neffect: read\nrisk: low\n"
	"reads: [{data-source: payroll}]\nreversal: none-needed\n";

static struct line random_line(void)
{
	static const unsigned effects[] = {1u << EFFECT_READ,
		1u << EFFECT_READ | 1u << EFFECT_WRITE,
		1u << EFFECT_READ | 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE};

	return (struct line){
		.is_there = pick(100) < 60,
		.effects = effects[pick(10) == 0 ? pick(2) : 2],
		.up_to = pick(4) == 0 ? (int)pick(3) : 3,
		.depth = pick(6) == 0 ? pick(7) : 6,
		.reach = pick(4) == 0 ? 1 + pick((1u << TOOLS) - 1) : 0,
	};
}

static void draw_agent(struct agent *agent, unsigned self)
{
	agent->highest = pick(8) == 0 ? 1 + pick(2) : 3;
	agent->lines = pick(1u << TOOLS) | pick(1u << TOOLS) | pick(1u << TOOLS);
	for (unsigned tool = 0; tool < TOOLS; tool++)
		if (!class_permits(agent, tool))
			agent->lines &= ~(1u << tool);
	for (unsigned source = TICKETS; source < SOURCES; source++)
		agent->covers[source] = pick(3) == 0 ? (int)pick(4) - 1 : 3;
	for (unsigned to = 0; to < IDENTITIES; to++) {
		agent->peers[to] = random_line();
		agent->peers[to].is_there &= to != self;
	}
	agent->has_consent = pick(2) == 0;
}

static struct text peers_yaml(struct law *law, const struct agent *agent)
{
	struct text yaml = TEXT("");

	for (unsigned to = 0; to < IDENTITIES; to++) {
		const struct line *line = &agent->peers[to];
		struct text reach = TEXT("");

		if (!line->is_there)
			continue;
		for (unsigned tool = 0; tool < TOOLS; tool++)
			if ((line->reach >> tool & 1) != 0)
				reach = text_format(law->scratch, "%.*s%s%s/%s", TEXT_ARGS(reach),
					reach.length > 0 ? ", " : ", tools: [", tools[tool].server,
					tools[tool].name);
		yaml = text_format(law->scratch,
			"%.*s{identity: %s, effects: [read%s%s], up-to: %s, depth: %u%.*s%s}, ",
			TEXT_ARGS(yaml), names[to],
			(line->effects >> EFFECT_WRITE & 1) != 0 ? ", write" : "",
			(line->effects >> EFFECT_EXECUTE & 1) != 0 ? ", execute" : "",
			level_words[line->up_to], line->depth, TEXT_ARGS(reach),
			reach.length > 0 ? "]" : "");
	}
	return yaml;
}

static void set_state(struct law *law, unsigned identity)
{
	const struct agent *agent = &law->agents[identity];

	decide_bench_set_state(&law->bench, names[identity],
		agent->is_active ? IDENTITY_ACTIVE : IDENTITY_SUSPENDED);
	decide_bench_consent(&law->bench, names[identity], agent->has_consent ? "sales" : "");
}

static void put_agent(struct law *law, unsigned identity)
{
	static const char *const classes[] = {"", "retrieve", "update", "execute"};
	const struct agent *agent = &law->agents[identity];
	struct text lines = TEXT(""), sources = TEXT(""), yaml;

	for (unsigned tool = 0; tool < TOOLS; tool++)
		if ((agent->lines >> tool & 1) != 0)
			lines = text_format(law->scratch, "%.*s{effect: %s, tool: %s/%s}, ",
				TEXT_ARGS(lines), tools[tool].word, tools[tool].server,
				tools[tool].name);
	for (unsigned source = TICKETS; source < SOURCES; source++)
		if (agent->covers[source] >= 0)
			sources = text_format(law->scratch, "%.*s{name: %s, up-to: %s}, ",
				TEXT_ARGS(sources), source == TICKETS ? "tickets" : "payroll",
				level_words[agent->covers[source]]);
	yaml = text_format(law->scratch,
		"object: identity\nname: %s\nkind: agent\nclass: %s\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"data-sources: [%.*s]\noutputs: [{to: reply, up-to: restricted},\n"
		"  {to: files/write, up-to: restricted}, {to: files/run, up-to: restricted}]\n"
		"entitlements: [%.*s]\npeers: [%.*s]\nexpires: 2030-01-01\n",
		names[identity], classes[agent->highest], TEXT_ARGS(sources), TEXT_ARGS(lines),
		TEXT_ARGS(peers_yaml(law, agent)));
	if (!decide_bench_put(&law->bench, yaml.data))
		fail_msg("%s", yaml.data);
	set_state(law, identity);
	arena_reset(law->scratch);
}

static void law_init(struct law *law)
{
	struct error err = {0};

	memset(law, 0, sizeof *law);
	decide_bench_init(&law->bench);
	law->scratch = arena_create((size_t)16 << 20);
	assert_non_null(law->scratch);
	assert_true(decide_bench_put(&law->bench, world_yaml));
	law->now_utc_ms = law->bench.now_utc_ms;
	for (unsigned i = 0; i < IDENTITIES; i++) {
		law->agents[i].is_active = true;
		draw_agent(&law->agents[i], i);
	}
	/* First without peers, whom nobody has registered yet. */
	for (unsigned i = 0; i < IDENTITIES; i++)
		put_agent(law, i);
	for (unsigned tool = 0; tool < TOOLS; tool++) {
		const struct tool *registered;

		law->calls[tool] =
			decide_bench_call(&law->bench, tools[tool].server, tools[tool].name, "{}");
		registered = registry_find_tool(law->bench.registry, law->calls[tool].tool);
		if (registered->reads_count > 0)
			assert_true(tool_reads_compile(&law->reads[tool], registered, &err));
	}
}

static void law_deinit(struct law *law)
{
	for (unsigned tool = 0; tool < TOOLS; tool++)
		tool_reads_destroy(&law->reads[tool]);
	arena_destroy(&law->scratch);
	decide_bench_deinit(&law->bench);
}

/* ---- steps ---- */

static struct text id_of(struct law *law, unsigned node)
{
	return text_format(law->scratch, "t-c%u", node);
}

static void fold(struct law *law, const struct json *record)
{
	struct error err = {0};

	assert_true(task_table_fold(law->bench.tasks, record, ++law->bench.next_index, &err));
}

/* Opens it if the table lets it, which is when the model does. */
static void open_node(struct law *law, int parent, unsigned identity)
{
	int64_t latest =
		parent < 0 ? law->now_utc_ms + DEADLINE_MS : law->nodes[parent].deadline_utc_ms;
	bool is_wide = parent >= 0 && pick(8) == 0;
	const struct task_opening opening = {.id = id_of(law, law->count),
		.identity = text_of(names[identity]),
		.parent = parent < 0 ? TEXT("") : id_of(law, (unsigned)parent),
		.charter_version = 1,
		.environment = ENVIRONMENT_STAGING,
		.at_utc_ms = law->now_utc_ms,
		.deadline_utc_ms = is_wide ? latest + 1 : latest};
	struct error err = {0};
	struct json record;
	bool is_open = task_opened_record(
		&record, law->scratch, law->bench.tasks, &opening, TEXT("identity:x"), &err);
	unsigned depth = 1;

	for (int above = parent; above >= 0; above = law->nodes[above].parent)
		depth++;
	assert_int_equal(is_open,
		!is_wide && depth <= TASK_DEPTH_MAX && (parent < 0 || is_live(law, parent)));
	if (!is_open)
		return;
	fold(law, &record);
	law->nodes[law->count++] = (struct model_node){.parent = parent,
		.identity = identity,
		.epoch = law->agents[identity].epoch,
		.label = -1,
		.deadline_utc_ms = latest};
	seen.opened++;
	seen.deepest = depth > seen.deepest ? depth : seen.deepest;
}

static void decide_one(struct law *law, int node, unsigned tool)
{
	struct decide_world world = {.registry = law->bench.registry,
		.tasks = law->bench.tasks,
		.entities = law->bench.entities,
		.reads = law->reads[tool],
		.definition = DEFINITION_MATCHES,
		.arguments = ARGUMENTS_UNCHECKED,
		.now_utc_ms = law->now_utc_ms};
	struct call call = law->calls[tool];
	bool is_due = model_allows(law, node, tool);
	unsigned links[TASK_DEPTH_MAX];
	struct decision decision;

	call.identity = text_of(names[law->nodes[node].identity]);
	call.task = id_of(law, (unsigned)node);
	decide(&world, &call, NULL, DECIDE_NO_SEARCH, law->scratch, &decision);
	if ((decision.verdict == VERDICT_ALLOW) != is_due)
		fail_msg("%s: node %d, tool %u: %s, %.*s", is_due ? "a right lost" : "escalation",
			node, tool, reason_word(decision.reason), TEXT_ARGS(decision.explanation));
	seen.allowed += is_due;
	seen.denied += !is_due;
	seen.allowed_of[is_due ? links_of(law, node, links) : 0]++;
}

/* A peer of who acts now, mostly; else anybody, who may be in the chain already or have a
 * line of somebody further up. */
static unsigned draw_client(const struct law *law, int node)
{
	const struct agent *agent = &law->agents[law->nodes[node].identity];
	unsigned client = pick(IDENTITIES);

	for (unsigned i = 0; i < IDENTITIES && pick(10) != 0; i++) {
		if (agent->peers[client].is_there)
			return client;
		client = (client + 1) % IDENTITIES;
	}
	return client;
}

static void exchange_one(struct law *law)
{
	unsigned recent = law->count < 12 ? law->count : 12;
	int node = (int)(law->count - 1 - pick(pick(4) == 0 ? law->count : recent));
	unsigned client = draw_client(law, node);
	int named = pick(5) == 0 ? (int)(pick(3) == 0 ? pick(IDENTITIES) : client) : -1;
	const struct hand_on_question question = {.registry = law->bench.registry,
		.task = task_find(law->bench.tasks, id_of(law, (unsigned)node)),
		.client = text_of(names[client]),
		.may_act = named < 0 ? TEXT("") : text_of(names[named])};
	enum hand_on due = model_hands_on(law, node, client, named);
	enum hand_on found = decide_hand_on(&question);
	unsigned before = law->count;

	if (found != due)
		fail_msg("handed on: %d, not %d", (int)found, (int)due);
	seen.by[due]++;
	if (due != HAND_ON_ALLOWED && due != HAND_ON_OWN) {
		seen.refused++;
		return;
	}
	open_node(law, node, client);
	seen.dead += law->count == before;
	if (law->count == before)
		return;
	seen.taken_over++;
	decide_one(law, (int)before, pick(TOOLS));
}

static void kill_one(struct law *law)
{
	unsigned node = law->count - 1 - pick(law->count < 30 ? law->count : 30);
	unsigned identity = law->nodes[node].identity;
	bool is_task = pick(3) != 0;
	const struct task_kill kill = {.target = is_task ? TASK_TARGET_TASK : TASK_TARGET_IDENTITY,
		.task = is_task ? id_of(law, node) : TEXT(""),
		.identity = is_task ? TEXT("") : text_of(names[identity]),
		.reason = TEXT("law"),
		.actor = TEXT("person:ana"),
		.at_utc_ms = law->now_utc_ms};
	struct error err = {0};
	struct json record;

	assert_true(task_kill_record(&record, law->scratch, law->bench.tasks, &kill, &err));
	fold(law, &record);
	if (is_task)
		law->nodes[node].is_killed = true;
	else
		law->agents[identity].epoch++;
	seen.killed++;
}

static void label_one(struct law *law)
{
	unsigned node = law->count - 1 - pick(law->count < 30 ? law->count : 30);
	int level = 1 + (int)pick(3);
	struct error err = {0};
	struct json record;
	struct text text = text_format(law->scratch,
		"{\"type\":\"decision\",\"task\":\"%.*s\",\"verdict\":\"allow\",\"sensitivity\":\"%"
		"s\"}",
		TEXT_ARGS(id_of(law, node)), level_words[level]);

	assert_true(json_parse(&record, law->scratch, text, &json_limits_default, &err));
	fold(law, &record);
	for (int above = (int)node; above >= 0; above = law->nodes[above].parent)
		if (level > law->nodes[above].label)
			law->nodes[above].label = level;
}

static void change_one(struct law *law)
{
	unsigned identity = pick(IDENTITIES);
	struct agent *agent = &law->agents[identity];

	if (pick(3) != 0) {
		agent->is_active = !agent->is_active || pick(3) != 0;
		set_state(law, identity);
		return;
	}
	draw_agent(agent, identity);
	put_agent(law, identity);
	seen.rewritten++;
}

/* True if it was an exchange or a task: one case. */
static bool step(struct law *law)
{
	unsigned what = pick(1000);

	arena_reset(law->scratch);
	if (law->count == 0 || what < 60) {
		open_node(law, -1, pick(IDENTITIES));
		return true;
	}
	if (what < 800) {
		exchange_one(law);
		return true;
	}
	if (what < 960)
		decide_one(law, (int)pick(law->count), pick(TOOLS));
	else if (what < 972)
		label_one(law);
	else if (what < 980)
		kill_one(law);
	else if (what < 990)
		change_one(law);
	else
		law->now_utc_ms += pick(DEADLINE_MS / 200);
	return false;
}

static void nobody_in_a_chain_gains_a_right(void **state)
{
	uint64_t seed = seed_of_run(), cases = number_given("REMIT_CHAINS", share_of(CASES)),
		 done = 0;
	static struct law law;

	(void)state;
	for (uint64_t world = 0; done < cases; world++) {
		seed_with(seed + world);
		law_init(&law);
		for (unsigned in_world = 0; in_world < WORLD_CASES && done < cases;) {
			bool is_case = step(&law);

			in_world += is_case;
			done += is_case;
		}
		law_deinit(&law);
	}
	printf("chains: %llu cases, %llu tasks, %llu taken over, %llu refused, deepest %llu; "
	       "calls: "
	       "%llu allowed, %llu denied; 0 escalations\n",
		(unsigned long long)done, (unsigned long long)seen.opened,
		(unsigned long long)seen.taken_over, (unsigned long long)seen.refused,
		(unsigned long long)seen.deepest, (unsigned long long)seen.allowed,
		(unsigned long long)seen.denied);
	printf("allowed by identities in the chain:");
	for (int links = 1; links <= CHAIN_IDENTITIES_MAX; links++)
		printf(" %llu", (unsigned long long)seen.allowed_of[links]);
	printf("\n");
	if (cases < CASES)
		return;
	assert_true(seen.deepest >= 8 && seen.killed > 0 && seen.rewritten > 0 && seen.dead > 0);
	assert_true(seen.allowed > cases / 50 && seen.denied > cases / 50);
	for (int links = 1; links <= CHAIN_IDENTITIES_MAX; links++)
		assert_true(seen.allowed_of[links] > 0);
	for (int why = HAND_ON_OWN; why <= HAND_ON_LABEL; why++)
		assert_true(seen.by[why] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_in_a_chain_gains_a_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/decide_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "domain/charter/crossing.h"
#include "domain/charter/object.h"

const char decide_bench_yaml[] =
	"object: unit\nname: support\n---\n"
	"object: unit\nname: sales\n---\n"
	"object: person\nname: ana\nunit: support\nroles: [owner]\nclearance: internal\n---\n"
	"object: person\nname: bo\nunit: support\nroles: [backup-owner, approver]\n---\n"
	"object: person\nname: cy\nunit: sales\nroles: [owner, approver]\n---\n"
	"object: person\nname: eva\nunit: org\nroles: [administrator]\n---\n"
	"object: data-source\nname: tickets\nunit: support\ncustodian: cy\n"
	"sensitivity: internal\ntrust: untrusted\nenvironment: staging\n---\n"
	"object: data-source\nname: payroll\nunit: sales\ncustodian: cy\n"
	"sensitivity: restricted\ntrust: trusted\nenvironment: staging\n---\n"
	"object: server\nname: files\nunit: support\nenvironment: staging\n"
	"transport: {stdio: [files-server, desk]}\nschemes: [kb]\n---\n"
	"object: server\nname: other\nunit: sales\nenvironment: staging\n"
	"transport: {stdio: [other-server]}\n---\n"
	"object: tool\nname: files/read\neffect: read\nrisk: low\n"
	"reads:\n"
	"  - {data-source: tickets, when: 'context.args.path like \"tickets/*\"'}\n"
	"  - {data-source: payroll, when: 'context.args.path like \"payroll/*\"'}\n"
	"targets: [{argument: path, as: path}]\nreversal: none-needed\n---\n"
	"object: tool\nname: files/list\neffect: read\nrisk: low\nreversal: none-needed\n---\n"
	"object: tool\nname: files/write\neffect: write\nrisk: medium\nreversal: restore\n---\n"
	"object: tool\nname: files/run\neffect: execute\nrisk: high\nreversal: irreversible\n---\n"
	"object: tool\nname: files/mail\neffect: write\nrisk: high\n"
	"targets: [{argument: to, as: recipient}]\nreversal: irreversible\n---\n"
	"object: tool\nname: files/resources.read\neffect: read\nrisk: low\n"
	"reads:\n  - {data-source: tickets, uri: 'kb://tickets/*'}\n"
	"  - {data-source: payroll, uri: 'kb://payroll/*'}\n"
	"reversal: none-needed\n---\n"
	"object: tool\nname: other/peek\neffect: read\nrisk: low\nreversal: none-needed\n---\n"
	"object: policy\nname: org/no-prod\ntext: |\n"
	"  forbid (principal, action, resource)\n"
	"  when { resource.environment == \"prod\" && context.environment != \"prod\" };\n---\n"
	"object: identity\nname: agent\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Works on tickets\n"
	"environments: [staging]\n"
	"data-sources: [{name: tickets, up-to: internal}]\n"
	"outputs: [{to: reply, up-to: internal}, {to: 'person:ana', up-to: public},\n"
	"  {to: files/write, up-to: internal}, {to: files/run, up-to: internal}]\n"
	"entitlements:\n"
	"  - {effect: read, tool: files/read, when: 'context.args.path like \"*s/*\"'}\n"
	"  - {effect: write, tool: files/write, approvals: [owner]}\n"
	"  - {effect: read, tool: files/list}\n"
	"  - {effect: execute, tool: files/run}\n"
	"  - {effect: write, tool: files/mail}\n"
	"  - {effect: read, tool: files/resources.read}\n"
	"  - {effect: read, tool: other/peek}\n"
	"limits: {task: 15m, calls-per-minute: 60}\n"
	"expires: 2030-01-01\n";

static const struct object *find_in_force(void *context, enum object_kind kind, struct text name)
{
	const struct registry_entry *entry = registry_find(context, kind, name);

	return entry == NULL ? NULL : entry->in_force;
}

static struct text with_consent(
	struct decide_bench *bench, struct text consents, const struct consent_given *given)
{
	struct consent_given whole = *given;

	whole.at_utc_ms = bench->now_utc_ms;
	whole.by = TEXT("person:cy");
	whole.has_digest = true;
	consents = consents_with(bench->arena, consents, &whole);
	if (consents.data == NULL)
		abort();
	return consents;
}

/* Of the units that its lines touch, but for what its peers reach: each said yes to those. */
static struct text consents_to(
	struct decide_bench *bench, const struct object *identity, uint32_t version)
{
	const struct reference_world world = {.context = bench->registry, .find = find_in_force};
	struct charter charter = *charter_of(identity);
	struct charter_peer *peers =
		arena_array(bench->arena, struct charter_peer, charter.peers_count + 1U);
	struct object without = *identity;
	struct text units = TEXT(""), unit, consents = TEXT("");
	struct error err = {0};

	for (uint32_t i = 0; i < charter.peers_count; i++) {
		peers[i] = charter.peers[i];
		peers[i].tools_count = 0;
	}
	charter.peers = peers;
	without.body = &charter;
	without.unpacked = NULL;
	if (!charter_crossed_units(&units, bench->arena, &charter, &world, &err))
		goto failed;
	while (consents_next(&units, &unit)) {
		struct half half;

		if (!charter_half(&half, bench->arena, &without, unit, &world, &err))
			goto failed;
		consents = with_consent(bench, consents,
			&(struct consent_given){
				.unit = unit, .version = version, .lines = half.lines});
	}
	return consents;
failed:
	fprintf(stderr, "%s\n", err.text);
	abort();
}

static void put_document(struct decide_bench *bench, struct object *object)
{
	const struct registry_entry *old =
		registry_find(bench->registry, object->kind, object->name);
	uint32_t version = old == NULL ? 1 : old->in_force->version + 1;
	struct registry_change change = {
		.kind = object->kind,
		.name = object->name,
		.revision = ++bench->revision,
		.version = version,
		.in_force = version,
		.state = object->kind == OBJECT_IDENTITY ? IDENTITY_ACTIVE : IDENTITY_NONE,
	};
	struct error err = {0};

	if (object->kind == OBJECT_IDENTITY)
		change.consents = consents_to(bench, object, version);
	if (!registry_hold(bench->registry, object, version, bench->revision, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	change.name = object->name; /* it was packed */
	if (!registry_set(bench->registry, &change, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

bool decide_bench_put(struct decide_bench *bench, const char *yaml)
{
	/* Of a folder of files, which one text stands for here. */
	static const struct json_limits limits = {
		.size_bytes = (size_t)16 << 20, .depth = 64, .values = 100000};
	struct problems problems = {.arena = bench->arena};
	struct yaml_documents documents;
	struct error err = {0};
	size_t i;

	if (!yaml_parse(&documents, bench->arena, text_of(yaml), "bench", &limits, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	for (i = 0; i < documents.count; i++) {
		struct object *object;

		if (!object_parse(&object, &documents.items[i], TEXT("bench"), &problems)) {
			fprintf(stderr, "%.*s\n", TEXT_ARGS(problems.items[0].what));
			return false;
		}
		put_document(bench, object);
	}
	if (!registry_settle(bench->registry, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	return true;
}

void decide_bench_edit(
	struct decide_bench *bench, const char *name, const char *before, const char *after)
{
	struct text wanted = text_format(bench->arena, "\nname: %s\n", name);
	const char *at = strstr(decide_bench_yaml, wanted.data);
	const char *end, *found;
	struct text edited;

	while (at > decide_bench_yaml && strncmp(at, "\n---", 4) != 0)
		at--;
	at = at == decide_bench_yaml ? at : at + 5;
	end = strstr(at, "\n---");
	end = end == NULL ? at + strlen(at) : end + 1;
	found = strstr(at, before);
	if (found == NULL || found >= end) {
		fprintf(stderr, "%s has no: %s\n", name, before);
		abort();
	}
	edited = text_format(bench->arena, "%.*s%s%.*s", (int)(found - at), at, after,
		(int)(end - found - (ptrdiff_t)strlen(before)), found + strlen(before));
	if (!decide_bench_put(bench, edited.data))
		abort();
}

struct text decide_bench_agreed(
	struct decide_bench *bench, const struct registry_entry *entry, const char *units)
{
	struct text rest = text_of(units), unit, consents = TEXT("");
	struct consent_given given = {.version = entry->in_force->version};

	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t at = 0;
			at < half_list_count(charter_of(entry->in_force), (enum half_list)list);
			at++)
			half_lines_add(&given.lines, (enum half_list)list, at);
	while (consents_next(&rest, &unit)) {
		given.unit = unit;
		consents = with_consent(bench, consents, &given);
	}
	return consents;
}

void decide_bench_consent(struct decide_bench *bench, const char *identity, const char *units)
{
	const struct registry_entry *entry =
		registry_find(bench->registry, OBJECT_IDENTITY, text_of(identity));

	decide_bench_set_consents(bench, identity, decide_bench_agreed(bench, entry, units));
}

void decide_bench_agree_to(struct decide_bench *bench, const char *identity, const char *unit,
	uint32_t version, const char *lines)
{
	const struct registry_entry *entry =
		registry_find(bench->registry, OBJECT_IDENTITY, text_of(identity));
	const struct sha256 digest = {{0}};
	char written[DIGEST_TEXT_BYTES];
	struct consent_given given;
	struct text token;

	digest_format(written, &digest);
	token = text_format(bench->arena, "%s=1=%s/%u:%s=person:cy", unit, written, version, lines);
	if (!consents_find(token, text_of(unit), &given))
		abort();
	decide_bench_set_consents(
		bench, identity, with_consent(bench, entry->more->consents, &given));
}

void decide_bench_agree(
	struct decide_bench *bench, const char *identity, const char *unit, const char *lines)
{
	const struct registry_entry *entry =
		registry_find(bench->registry, OBJECT_IDENTITY, text_of(identity));

	decide_bench_agree_to(bench, identity, unit, entry->in_force->version, lines);
}

void decide_bench_set_consents(
	struct decide_bench *bench, const char *identity, struct text consents)
{
	const struct registry_entry *entry =
		registry_find(bench->registry, OBJECT_IDENTITY, text_of(identity));
	const struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = text_of(identity),
		.revision = ++bench->revision,
		.version = entry->version,
		.in_force = entry->in_force->version,
		.state = entry->state,
		.consents = consents};
	struct error err = {0};

	if (!registry_set(bench->registry, &change, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

void decide_bench_set_state(
	struct decide_bench *bench, const char *identity, enum identity_state state)
{
	const struct registry_entry *entry =
		registry_find(bench->registry, OBJECT_IDENTITY, text_of(identity));
	struct registry_change change = {
		.kind = OBJECT_IDENTITY,
		.name = text_of(identity),
		.revision = ++bench->revision,
		.version = entry->in_force->version,
		.in_force = entry->in_force->version,
		.state = state,
		.consents = entry->more->consents,
	};
	struct error err = {0};

	if (!registry_set(bench->registry, &change, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

void decide_bench_set_class(
	struct decide_bench *bench, const char *identity, enum use_class use_class)
{
	const struct registry_entry *entry =
		registry_find(bench->registry, OBJECT_IDENTITY, text_of(identity));
	struct error err;

	((struct charter *)(uintptr_t)charter_of(entry->in_force))->use_class = use_class;
	/* Past the registry, so that nothing hears of it. */
	entity_table_destroy(&bench->entities);
	if (!entity_table_create(&bench->entities, bench->registry, &err))
		abort();
}

void decide_bench_fold(struct decide_bench *bench, const char *text)
{
	struct json record;
	struct error err = {0};

	if (!json_parse(&record, bench->arena, text_copy(bench->arena, text_of(text)),
		    &json_limits_default, &err) ||
		!task_table_fold(bench->tasks, &record, bench->next_index++, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

static void open_task(struct decide_bench *bench, struct task_opening opening)
{
	struct json record;
	struct error err = {0};

	opening.charter_version = 1;
	opening.at_utc_ms = bench->now_utc_ms;
	opening.deadline_utc_ms = bench->now_utc_ms + 900000;
	if (!task_opened_record(
		    &record, bench->arena, bench->tasks, &opening, TEXT("remit"), &err) ||
		!task_table_fold(bench->tasks, &record, bench->next_index++, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

void decide_bench_open_task(struct decide_bench *bench, const char *id, const char *identity,
	enum environment environment, const char *parent)
{
	open_task(bench, (struct task_opening){.id = text_of(id),
				 .identity = text_of(identity),
				 .parent = text_of(parent),
				 .environment = environment});
}

void decide_bench_open_task_of(struct decide_bench *bench, const char *id, const char *person)
{
	open_task(bench, (struct task_opening){.id = text_of(id),
				 .identity = TEXT("agent"),
				 .person = text_of(person),
				 .environment = ENVIRONMENT_STAGING});
}

void decide_bench_open_task_for(
	struct decide_bench *bench, const char *id, const char *parent, const struct json *details)
{
	open_task(bench, (struct task_opening){.id = text_of(id),
				 .identity = TEXT("agent"),
				 .parent = text_of(parent),
				 .details = details,
				 .environment = ENVIRONMENT_STAGING});
}

void decide_bench_init(struct decide_bench *bench)
{
	struct error err = {0};

	*bench = (struct decide_bench){
		.arena = arena_create((size_t)1 << 30),
		.now_utc_ms = DECIDE_BENCH_NOW * INT64_C(1000),
		.definition = DEFINITION_UNPINNED,
		.arguments = ARGUMENTS_UNCHECKED,
	};
	if (bench->arena == NULL || !registry_create(&bench->registry, &err) ||
		!entity_table_create(&bench->entities, bench->registry, &err) ||
		!task_table_create(&bench->tasks, 4096, &err) ||
		!decide_bench_put(bench, decide_bench_yaml))
		abort();
	decide_bench_open_task(bench, "t-1", "agent", ENVIRONMENT_STAGING, "");
}

void decide_bench_deinit(struct decide_bench *bench)
{
	tool_reads_destroy(&bench->reads);
	entity_table_destroy(&bench->entities);
	task_table_destroy(&bench->tasks);
	registry_destroy(&bench->registry);
	arena_destroy(&bench->arena);
}

static struct call build(
	struct decide_bench *bench, const char *server, const char *method, struct text params_text)
{
	struct call_draft draft = {
		.identity = TEXT("agent"),
		.task = TEXT("t-1"),
		.environment = ENVIRONMENT_STAGING,
		.server = text_of(server),
		.method = text_of(method),
	};
	struct json params;
	struct error err = {0};
	struct call call;

	if (!json_parse(&params, bench->arena, params_text, &json_limits_default, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	draft.params = &params;
	if (!call_build(&call, bench->arena, &draft, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return call;
}

struct call decide_bench_call(
	struct decide_bench *bench, const char *server, const char *tool, const char *arguments)
{
	return build(bench, server, "tools/call",
		text_format(bench->arena, "{\"name\":\"%s\",\"arguments\":%s}", tool, arguments));
}

struct call decide_bench_method(
	struct decide_bench *bench, const char *server, const char *method, const char *params)
{
	return build(bench, server, method, text_copy(bench->arena, text_of(params)));
}

struct call decide_bench_generation(
	struct decide_bench *bench, const char *provider, const char *method, const char *body)
{
	struct call_draft draft = {
		.identity = TEXT("agent"),
		.task = TEXT("t-1"),
		.environment = ENVIRONMENT_STAGING,
		.server = text_of(provider),
		.method = text_of(method),
	};
	struct generation_request request;
	struct json params;
	struct error err = {0};
	struct call call;

	if (!json_parse(&params, bench->arena, text_copy(bench->arena, text_of(body)),
		    &json_limits_default, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	draft.params = &params;
	if (!call_build_generation(&call, &request, bench->arena, &draft, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return call;
}

static bool is_same(const struct decision *a, const struct decision *b)
{
	bool same = a->verdict == b->verdict && a->reason == b->reason && a->effect == b->effect &&
		    a->sensitivity == b->sensitivity && a->is_untrusted == b->is_untrusted &&
		    a->risk == b->risk && a->is_first == b->is_first &&
		    a->revision == b->revision && a->policies_count == b->policies_count &&
		    a->approvals_count == b->approvals_count && a->uses_count == b->uses_count &&
		    text_equal(a->entitlement, b->entitlement) &&
		    text_equal(a->clause, b->clause) &&
		    text_equal(a->explanation, b->explanation) && text_equal(a->needed, b->needed);

	for (size_t i = 0; same && i < a->policies_count; i++)
		same = text_equal(a->policies[i], b->policies[i]);
	for (size_t i = 0; same && i < a->approvals_count; i++)
		same = text_equal(a->approvals[i], b->approvals[i]);
	return same;
}

const struct decision *decide_bench_decide(struct decide_bench *bench, const struct call *call,
	enum decide_search search, const char *const *names)
{
	const struct tool *tool = registry_find_tool(bench->registry, call->tool);
	struct text texts[DECISION_APPROVALS_MAX];
	struct approval_names approvals = {texts, 0};
	struct decide_world world = {
		.registry = bench->registry,
		.tasks = bench->tasks,
		.definition = bench->definition,
		.arguments = bench->arguments,
		.calls_last_minute = bench->calls_last_minute,
		.usage = bench->usage,
		.uses = bench->uses,
		.uses_count = bench->uses_count,
		.owner_gone = bench->owner_gone,
		.now_utc_ms = bench->now_utc_ms,
	};
	struct decision plain;
	struct error err = {0};

	for (; names != NULL && names[approvals.count] != NULL; approvals.count++)
		texts[approvals.count] = text_of(names[approvals.count]);
	tool_reads_destroy(&bench->reads);
	if (tool != NULL && tool->reads_count != 0 &&
		!tool_reads_compile(&bench->reads, tool, &err))
		abort();
	world.reads = bench->reads;
	decide(&world, call, &approvals, search, bench->arena, &plain);
	world.entities = bench->entities;
	decide(&world, call, &approvals, search, bench->arena, &bench->decision);
	if (!is_same(&plain, &bench->decision))
		abort();
	return &bench->decision;
}

const struct decision *decide_bench_ask(
	struct decide_bench *bench, const char *server, const char *tool, const char *arguments)
{
	struct call call = decide_bench_call(bench, server, tool, arguments);

	return decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
}

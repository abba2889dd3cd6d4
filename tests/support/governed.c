#include "support/governed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/people.h"

enum { POLICY_NAME_BYTES = 256 };

/* check-source: line: one text, kept as it is written in a folder */
const char governed_world_yaml[] =
	"object: unit\nname: support\n---\n"
	"object: unit\nname: sales\n---\n"
	"object: person\nname: ana\nunit: support\nroles: [owner]\n---\n"
	"object: person\nname: bo\nunit: support\nroles: [backup-owner, approver]\n---\n"
	"object: person\nname: eva\nunit: org\nroles: [administrator]\n---\n"
	"object: person\nname: rey\nunit: support\nroles: [reviewer]\n---\n"
	"object: data-source\nname: tickets\nunit: support\nenvironment: staging\n"
	"sensitivity: internal\n---\n"
	"object: server\nname: files\nunit: support\nenvironment: staging\n"
	"transport: {stdio: [mcp-server-filesystem, desk]}\n---\n"
	"object: tool\nname: files/read\neffect: read\n"
	"reads: [{data-source: tickets, when: 'context.args.path like \"tickets/*\"'}]\n---\n"
	"object: tool\nname: files/write\neffect: write\n---\n"
	"object: policy\nname: org/no-prod\ntext: |\n"
	"  forbid (principal, action, resource)\n"
	"  when { resource.environment == \"prod\" && context.environment != \"prod\" };\n---\n"
	"object: identity\nname: a1\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Reads tickets\nenvironments: [staging]\n"
	"data-sources: [{name: tickets, up-to: internal}]\n"
	"entitlements:\n"
	"  - {effect: read, tool: files/read, when: 'context.args.path like \"tickets/*\"'}\n"
	"  - {effect: write, tool: files/write, approvals: [owner]}\n"
	"expires: 2030-01-01\n";

void governed_init_on(struct governed *governed, const struct governed_log *on)
{
	struct error err = {0};

	memset(governed, 0, sizeof *governed);
	governed->on = *on;
	governed->arena = arena_create((size_t)1 << 30);
	assert(governed->arena != NULL);
	if (!registry_create(&governed->registry, &err) ||
		!fold_create(&governed->fold, &on->port, on->loop, &err) ||
		!registrar_create(&governed->registrar, governed->registry, governed->fold, &err))
		abort();
}

static void settle(void *context)
{
	fake_log_flush(context);
}

void governed_init_loading(struct governed *governed)
{
	const struct governed_log on = {
		.context = &governed->log,
		.port = fake_log_port(&governed->log),
		.settle = settle,
	};

	governed_init_on(governed, &on);
	fake_log_init(&governed->log);
}

void governed_init(struct governed *governed)
{
	struct error err = {0};

	governed_init_loading(governed);
	if (!fold_finish_loading(governed->fold, &err))
		abort();
}

void governed_restart(const struct governed *governed, struct governed *other)
{
	struct error err = {0};

	governed_init_loading(other);
	for (size_t i = 0; i < governed->log.count; i++) {
		fake_log_append(&other->log, governed->log.entries[i].entry);
		if (!fold_apply_entry(other->fold, governed->log.entries[i].entry,
			    governed->log.entries[i].content, i, &err))
			abort();
	}
	other->log.now_utc_ms = governed->log.now_utc_ms;
	other->keys_made = governed->keys_made;
	if (!fold_finish_loading(other->fold, &err))
		abort();
}

struct json governed_key(struct governed *governed)
{
	struct json_builder key;
	struct json sealed;
	struct error err = {0};
	struct text x;

	json_object_start(&key, governed->arena);
	/* 32 bytes in base64url: 43 letters, the last of a multiple of four */
	x = text_format(governed->arena, "%039uAAAA", ++governed->keys_made);
	json_put_cstring(&key, "kty", "EC");
	json_put_cstring(&key, "crv", "P-256");
	json_put_text(&key, "x", x);
	json_put_text(&key, "y", x);
	if (!json_object_seal(&key, &sealed, &err))
		abort();
	return sealed;
}

static void answered(struct registrar_request *request)
{
	*(bool *)request->context = true;
}

bool governed_run(struct governed *governed, struct registrar_request request)
{
	bool is_done = false;
	struct error err = {0};

	registrar_request_deinit(&governed->last);
	governed->last = request;
	governed->last.done = answered;
	governed->last.context = &is_done;
	if (!registrar_submit(governed->registrar, &governed->last, &err))
		abort();
	governed->on.settle(governed->on.context);
	assert(is_done);
	registry_validate(governed->registry);
	if (governed->last.err.code != ERROR_NONE)
		return false;
	memcpy(governed->code, governed->last.issued_code, sizeof governed->code);
	return true;
}

static struct text actor_of(struct governed *governed, const char *person)
{
	if (strncmp(person, "uid:", 4) == 0 || strcmp(person, "remit") == 0)
		return text_of(person);
	return text_format(governed->arena, "person:%s", person);
}

bool governed_apply(struct governed *governed, const char *person, const char *yaml)
{
	struct plan_source source = {TEXT("test.yaml"), text_of(yaml)};

	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
					      .actor = actor_of(governed, person),
					      .sources = &source,
					      .sources_count = 1});
}

struct first_waiting {
	char name[POLICY_NAME_BYTES];
};

static bool find_waiting(void *context, const struct registry_entry *entry)
{
	struct first_waiting *first = context;

	if (entry->waiting_version == 0)
		return true;
	(void)snprintf(first->name, sizeof first->name, "%.*s", TEXT_ARGS(entry->name));
	return false;
}

bool governed_apply_by_two(struct governed *governed, const char *person, const char *yaml)
{
	static const enum object_kind kinds[] = {
		OBJECT_POLICY, OBJECT_APPLICATION, OBJECT_ISSUER, OBJECT_CONNECTOR};
	bool ok = governed_apply(governed, person, yaml);

	for (size_t i = 0; ok && i < sizeof kinds / sizeof *kinds;) {
		struct first_waiting first = {{0}};

		registry_each(
			governed->registry, kinds[i], (struct text){NULL, 0}, find_waiting, &first);
		if (first.name[0] == '\0')
			i++;
		else
			ok = governed_step_of(
				governed, "eva", REGISTRAR_APPROVE, kinds[i], first.name);
	}
	return ok;
}

bool governed_step(
	struct governed *governed, const char *person, enum registrar_verb verb, const char *name)
{
	return governed_step_of(governed, person, verb, OBJECT_IDENTITY, name);
}

bool governed_step_of(struct governed *governed, const char *person, enum registrar_verb verb,
	enum object_kind kind, const char *name)
{
	return governed_run(governed, (struct registrar_request){.verb = verb,
					      .actor = actor_of(governed, person),
					      .kind = kind,
					      .name = text_of(name)});
}

bool governed_enrol(struct governed *governed, const char *administrator, const char *person)
{
	char code[CODE_TEXT_BYTES];

	if (!governed_step(governed, administrator, REGISTRAR_ISSUE_CODE, person))
		return false;
	memcpy(code, governed->code, sizeof code);
	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_ENROL,
					      .actor = TEXT("remit"),
					      .name = text_of(person),
					      .code = text_of(code),
					      .jwk = governed_key(governed)});
}

bool governed_enrol_signing(
	struct governed *governed, const char *administrator, const char *person)
{
	char code[CODE_TEXT_BYTES];

	if (!governed_step(governed, administrator, REGISTRAR_ISSUE_CODE, person))
		return false;
	memcpy(code, governed->code, sizeof code);
	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_ENROL,
					      .actor = TEXT("remit"),
					      .name = text_of(person),
					      .code = text_of(code),
					      .jwk = people_jwk(governed->arena, person)});
}

void governed_init_with_administrator(struct governed *governed)
{
	governed_init(governed);
	governed_found(governed);
}

void governed_found(struct governed *governed)
{
	char code[CODE_TEXT_BYTES];

	if (!governed_step(governed, "remit", REGISTRAR_BOOTSTRAP, ""))
		abort();
	memcpy(code, governed->code, sizeof code);
	if (!governed_run(governed, (struct registrar_request){.verb = REGISTRAR_ENROL,
					    .actor = TEXT("remit"),
					    .name = TEXT("adi"),
					    .code = text_of(code),
					    .jwk = governed_key(governed)}))
		abort();
}

void governed_deinit_on(struct governed *governed)
{
	registrar_request_deinit(&governed->last);
	registrar_destroy(&governed->registrar);
	fold_destroy(&governed->fold);
	registry_destroy(&governed->registry);
	arena_destroy(&governed->arena);
}

void governed_deinit(struct governed *governed)
{
	governed_deinit_on(governed);
	fake_log_deinit(&governed->log);
}

struct dump {
	struct buffer out;
	struct arena *arena;
};

static bool dump_entry(void *context, const struct registry_entry *entry)
{
	struct dump *dump = context;
	struct json json;
	struct error err = {0};

	if (!registrar_entry_json(entry, dump->arena, &json, &err))
		abort();
	json_canonical(&dump->out, &json);
	buffer_append_format(&dump->out, " %u\n", entry->version);
	return true;
}

struct text governed_dump(const struct governed *governed, struct arena *arena)
{
	struct dump dump = {.arena = arena};
	struct text text;

	buffer_init(&dump.out, (size_t)1 << 30);
	buffer_append_format(&dump.out, "revision %llu\n",
		(unsigned long long)registry_revision(governed->registry));
	registry_each(governed->registry, OBJECT_NONE, (struct text){NULL, 0}, dump_entry, &dump);
	text = text_copy(arena, buffer_text(&dump.out));
	buffer_deinit(&dump.out);
	return text;
}

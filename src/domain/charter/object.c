/* What each object may say, as tables: shapes of fields (form.h).  The order of
 * a shape's fields is the order in which export writes them.
 *
 * Invariants of an object:
 * 1. all it points to lives in its own arena and never changes;
 * 2. digest is the SHA-256 of its document's canonical JSON;
 * 3. the document parses to an equal object (the round-trip law), packed or not. */
#include "domain/charter/object.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "domain/application/application.h"
#include "domain/charter/charters.h"
#include "domain/charter/connector.h"
#include "domain/charter/federation_forms.h"
#include "domain/charter/form.h"
#include "domain/charter/form_table.h"
#include "domain/charter/outbound_form.h"
#include "domain/charter/pack.h"
#include "domain/charter/record_form.h"

enum {
	OBJECT_ARENA_BYTES_MAX = 4 * 1024 * 1024,
	UNPACKED_TIMES = 4, /* as large as what is packed, beside its fixed part */
};

struct held_object {
	struct object object; /* first: an object is its holder */
	struct arena *arena;  /* NULL of a packed identity */
	char *bytes;          /* of a packed identity, its packed document */
	uint32_t holds;
};

/* ---- vocabularies ---- */

static const char *const object_kind_words[] = {
	[OBJECT_IDENTITY] = "identity",
	[OBJECT_PERSON] = "person",
	[OBJECT_UNIT] = "unit",
	[OBJECT_DATA_SOURCE] = "data-source",
	[OBJECT_SERVER] = "server",
	[OBJECT_TOOL] = "tool",
	[OBJECT_POLICY] = "policy",
	[OBJECT_APPLICATION] = "application",
	[OBJECT_ISSUER] = "issuer",
	[OBJECT_CONNECTOR] = "connector",
};
static const char *const reversal_words[] = {
	[REVERSAL_NONE_NEEDED] = "none-needed",
	[REVERSAL_INVERSE] = "inverse",
	[REVERSAL_RESTORE] = "restore",
	[REVERSAL_HELD] = "held",
	[REVERSAL_IRREVERSIBLE] = "irreversible",
};
static const char *const reads_words[] = {
	[APPLICATION_READS_1_0] = NULL,
	[APPLICATION_READS_DRAFT_00] = "draft-00",
};
static const char *const speaks_words[] = {
	[SPEAKS_MCP] = "mcp",
	[SPEAKS_OPENAI] = "openai",
	[SPEAKS_ANTHROPIC] = "anthropic",
	[SPEAKS_A2A] = "a2a",
};
static const char *const target_form_words[] = {
	[TARGET_PATH] = "path",
	[TARGET_URL] = "url",
	[TARGET_RECIPIENT] = "recipient",
	[TARGET_ACCOUNT] = "account",
	[TARGET_OBJECT] = "object",
};

static unsigned find_word(const char *const *words, size_t count, struct text word)
{
	for (unsigned value = 1; value < count; value++)
		if (text_is(word, words[value]))
			return value;
	return 0;
}

const char *object_kind_word(enum object_kind kind)
{
	return kind < COUNT(object_kind_words) ? object_kind_words[kind] : NULL;
}

enum object_kind object_kind_of(struct text word)
{
	return (enum object_kind)find_word(object_kind_words, COUNT(object_kind_words), word);
}

bool object_needs_two(enum object_kind kind)
{
	return kind == OBJECT_POLICY || kind == OBJECT_APPLICATION || kind == OBJECT_ISSUER ||
	       kind == OBJECT_CONNECTOR;
}

bool object_is_proposed(enum object_kind kind)
{
	return object_needs_two(kind) || kind == OBJECT_UNIT;
}

bool object_is_ceded(enum object_kind kind)
{
	return kind == OBJECT_SERVER || kind == OBJECT_TOOL;
}

const char *reversal_word(enum reversal value)
{
	return value < COUNT(reversal_words) ? reversal_words[value] : NULL;
}

const char *target_form_word(enum target_form value)
{
	return value < COUNT(target_form_words) ? target_form_words[value] : NULL;
}

const char *speaks_word(enum speaks value)
{
	return speaks_words[value < COUNT(speaks_words) ? value : SPEAKS_MCP];
}

/* Some vocabularies have a word for zero too; their forms subtract one. */
static unsigned trust_value(struct text word)
{
	return text_is(word, "untrusted") ? 1 : text_is(word, "trusted") ? 2 : 0;
}

static unsigned ids_value(struct text word)
{
	return text_is(word, "private") ? 1 : text_is(word, "open") ? 2 : 0;
}

static unsigned policy_level_value(struct text word)
{
	return text_is(word, "mandatory") ? 1 : text_is(word, "default") ? 2 : 0;
}

static unsigned effect_value(struct text word)
{
	return effect_of(word);
}

static unsigned use_class_value(struct text word)
{
	return use_class_of(word);
}

static unsigned sensitivity_value(struct text word)
{
	return sensitivity_of(word);
}

static unsigned risk_tier_value(struct text word)
{
	return risk_tier_of(word);
}

static unsigned environment_value(struct text word)
{
	return environment_of(word);
}

static unsigned concern_value(struct text word)
{
	return concern_of(word);
}

static unsigned binding_need_value(struct text word)
{
	return binding_need_of(word);
}

static unsigned identity_kind_value(struct text word)
{
	return identity_kind_of(word);
}

static unsigned reversal_value(struct text word)
{
	return find_word(reversal_words, COUNT(reversal_words), word);
}

static unsigned target_form_value(struct text word)
{
	return find_word(target_form_words, COUNT(target_form_words), word);
}

/* Zero, AuthZEN 1.0, has no word: it is what is read where none is given. */
static unsigned reads_value(struct text word)
{
	return find_word(reads_words, COUNT(reads_words), word);
}

/* MCP is what is spoken where nothing is said. */
static unsigned speaks_value(struct text word)
{
	return find_word(speaks_words, COUNT(speaks_words), word);
}

static const char *const effect_list[] = {"read", "write", "execute", "generate", "delegate", NULL};
static const char *const use_class_list[] = {"summarise", "retrieve", "update", "execute", NULL};
static const char *const sensitivity_list[] = {
	"public", "internal", "confidential", "restricted", NULL};
static const char *const risk_tier_list[] = {"low", "medium", "high", "critical", NULL};
static const char *const environment_list[] = {"dev", "test", "staging", "prod", NULL};
static const char *const identity_kind_list[] = {"agent", "assistant", "workflow", "model",
	"service-account", "api-key", "oauth-app", "integration", "tool-server", NULL};
static const char *const concern_list[] = {"deployment", "customer-data", "money", NULL};
static const char *const binding_need_list[] = {"none", "dpop", "mtls", "any-bound", NULL};
static const char *const trust_list[] = {"untrusted", "trusted", NULL};
static const char *const ids_list[] = {"private", "open", NULL};
static const char *const policy_level_list[] = {"mandatory", "default", NULL};
static const char *const reversal_list[] = {
	"none-needed", "inverse", "restore", "held", "irreversible", NULL};
static const char *const target_form_list[] = {
	"path", "url", "recipient", "account", "object", NULL};

static const struct form_words effect_words = {"an effect", effect_value, effect_list};
static const struct form_words use_class_words = {"a class", use_class_value, use_class_list};
static const struct form_words sensitivity_words = {
	"a sensitivity", sensitivity_value, sensitivity_list};
static const struct form_words risk_tier_words = {"a risk tier", risk_tier_value, risk_tier_list};
static const struct form_words environment_words = {
	"an environment", environment_value, environment_list};
static const struct form_words identity_kind_words = {
	"a kind of identity", identity_kind_value, identity_kind_list};
static const struct form_words concern_words = {"a concern", concern_value, concern_list};
static const struct form_words binding_need_words = {
	"a binding", binding_need_value, binding_need_list};
static const struct form_words trust_words = {"a degree of trust", trust_value, trust_list};
static const struct form_words ids_words = {"a way to keep ids", ids_value, ids_list};
static const struct form_words policy_level_words = {
	"a level", policy_level_value, policy_level_list};
static const struct form_words reversal_vocabulary = {"a reversal", reversal_value, reversal_list};
static const struct form_words target_form_vocabulary = {
	"a form of target", target_form_value, target_form_list};
static const char *const reads_list[] = {"draft-00", NULL};
static const struct form_words reads_vocabulary = {"a way to read", reads_value, reads_list};

static const char *const speaks_list[] = {"openai", "anthropic", NULL};
static const struct form_words speaks_vocabulary = {
	"a way providers speak", speaks_value, speaks_list};

/* ---- forms ---- */

static const struct form name_form = {.read = form_read_name};
static const struct form model_name_form = {.read = form_read_model};
static const struct form speaks_form = {.read = form_read_word, .words = &speaks_vocabulary};
static const struct form budget_number_form = {
	.read = form_read_integer, .least = 1, .most = BUDGET_MOST};
static const struct form price_form = {.read = form_read_integer, .least = 0, .most = PRICE_MOST};
static const struct form credential_form = {.read = form_read_credential};
static const struct form person_form = {.read = form_read_person};
static const struct form tool_form = {.read = form_read_tool};
static const struct form policy_form = {.read = form_read_policy};
static const struct form approval_form = {.read = form_read_approval};
static const struct form output_form = {.read = form_read_output};
static const struct form resource_form = {.read = form_read_line, .bytes_max = 300};
static const struct form line_form = {.read = form_read_line, .bytes_max = CHARTER_TEXT_BYTES_MAX};
static const struct form prose_form = {
	.read = form_read_paragraphs, .bytes_max = CHARTER_TEXT_BYTES_MAX};
static const struct form argument_form = {.read = form_read_line, .bytes_max = 4096};
static const struct form member_form = {.read = form_read_line, .bytes_max = 128};
static const struct form when_form = {
	.read = form_read_condition, .bytes_max = CHARTER_WHEN_BYTES_MAX};
static const struct form read_when_form = {
	.read = form_read_argument_condition, .bytes_max = CHARTER_WHEN_BYTES_MAX};
static const struct form guardrail_form = {
	.read = form_read_guardrail, .bytes_max = POLICY_TEXT_BYTES_MAX};
static const struct form application_text_form = {
	.read = form_read_paragraphs, .bytes_max = APPLICATION_TEXT_BYTES_MAX};
static const struct form entities_form = {
	.read = form_read_values, .most = APPLICATION_ENTITIES_MAX};
static const struct form boolean_form = {.read = form_read_boolean};
static const struct form reads_word_form = {.read = form_read_word, .words = &reads_vocabulary};
static const struct form url_form = {.read = form_read_url, .bytes_max = 2000};
static const struct form time_form = {.read = form_read_time};
static const struct form key_form = {.read = form_read_key};
static const struct form digest_form = {.read = form_read_digest};
static const struct form effect_form = {.read = form_read_word, .words = &effect_words};
static const struct form effects_form = {.read = form_read_bits, .words = &effect_words};
static const struct form use_class_form = {.read = form_read_word, .words = &use_class_words};
static const struct form sensitivity_form = {.read = form_read_word, .words = &sensitivity_words};
static const struct form risk_tier_form = {.read = form_read_word, .words = &risk_tier_words};
static const struct form environment_form = {.read = form_read_word, .words = &environment_words};
static const struct form environments_form = {.read = form_read_bits, .words = &environment_words};
static const struct form concerns_form = {.read = form_read_bits, .words = &concern_words};
static const struct form identity_kind_form = {
	.read = form_read_word, .words = &identity_kind_words};
static const struct form binding_need_form = {.read = form_read_word, .words = &binding_need_words};
static const struct form trust_form = {.read = form_read_word, .words = &trust_words, .least = 1};
static const struct form ids_form = {.read = form_read_word, .words = &ids_words, .least = 1};
static const struct form account_form = {.read = form_read_account};
static const struct form accounts_form = TEXTS_OF(account_form, 1, CHARTER_LIST_MAX);
static const struct form at_form = TEXTS_OF(account_form, 1, DATA_SOURCE_AT_MAX);
static const struct form place_form = {.read = form_read_place, .bytes_max = PLACE_BYTES_MAX};
static const struct form glob_form = {.read = form_read_glob, .bytes_max = GLOB_BYTES_MAX};
static const struct form target_glob_form = {
	.read = form_read_target_glob, .bytes_max = GLOB_BYTES_MAX};
static const struct form policy_level_form = {
	.read = form_read_word, .words = &policy_level_words, .least = 1};
static const struct form reversal_form = {.read = form_read_word, .words = &reversal_vocabulary};
static const struct form target_form_form = {
	.read = form_read_word, .words = &target_form_vocabulary};
static const struct form task_form = {
	.read = form_read_duration, .least = 1, .most = CHARTER_TASK_S_MAX};
static const struct form review_form = {
	.read = form_read_duration, .least = 3600, .most = 366 * 86400};
static const struct form rate_form = {
	.read = form_read_integer, .least = 1, .most = CHARTER_CALLS_PER_MINUTE_MAX};

static const struct form depth_form = {
	.read = form_read_integer, .least = 1, .most = CHARTER_DEPTH_MAX};
static const struct form fan_out_form = {
	.read = form_read_integer, .least = 1, .most = CHARTER_FAN_OUT_MAX};
static const struct form open_tasks_form = {
	.read = form_read_integer, .least = 1, .most = CHARTER_OPEN_TASKS_MAX};

static const struct form uses_form = {
	.read = form_read_integer, .least = 1, .most = CHARTER_USES_MAX};

/* ---- rules that no single field can tell ---- */

/* Reports each item of the list whose member was there before. */
static void refuse_twins(struct form_reader *reader, const struct json *value,
	const struct form_path *up, const char *list_name, const char *member)
{
	const struct json *list = json_find(value, list_name);
	struct form_path at_list = {.up = up, .name = text_of(list_name)};

	if (list == NULL || list->type != JSON_ARRAY)
		return;
	for (uint32_t i = 1; i < list->count; i++) {
		struct form_path at_item = {.up = &at_list, .index = i};
		const struct json *mine = json_find(&list->items[i], member);

		for (uint32_t j = 0; j < i && mine != NULL; j++) {
			const struct json *other = json_find(&list->items[j], member);

			if (other == NULL || !json_equal(mine, other))
				continue;
			form_problem(reader, &list->items[i], &at_item, "write it once",
				"has the same %s as item %u", member, j);
			break;
		}
	}
}

/* Reports each text of the list that stood there before. */
static void refuse_same(struct form_reader *reader, const struct json *value,
	const struct form_path *up, const char *list_name)
{
	const struct json *list = json_find(value, list_name);
	struct form_path at_list = {.up = up, .name = text_of(list_name)};

	if (list == NULL || list->type != JSON_ARRAY)
		return;
	for (uint32_t i = 1; i < list->count; i++) {
		struct form_path at_item = {.up = &at_list, .index = i};
		uint32_t j = 0;

		while (j < i && !json_equal(&list->items[i], &list->items[j]))
			j++;
		if (j < i)
			form_problem(reader, &list->items[i], &at_item, "write it once",
				"is the same as item %u", j);
	}
}

/* What an entitlement is about, from its one of `tool` and `resource`. */
static void finish_resource(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct entitlement *line)
{
	static const struct {
		const char *prefix;
		enum resource_kind kind;
		bool (*is_name)(struct text);
	} kinds[] = {
		{"data-source:", RESOURCE_DATA_SOURCE, name_is_plain},
		{"model:", RESOURCE_MODEL, name_is_provider_model},
		{"peer:", RESOURCE_PEER, name_is_plain},
	};
	struct form_path here = {.up = path, .name = TEXT("resource")};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct text name;

		if (!text_starts_with(line->resource, kinds[i].prefix))
			continue;
		name = text_after(line->resource, strlen(kinds[i].prefix));
		if (!kinds[i].is_name(name))
			break;
		line->resource_kind = kinds[i].kind;
		line->resource = name;
		return;
	}
	form_problem(reader, value, &here,
		"write data-source:NAME, model:PROVIDER/NAME or peer:IDENTITY; a tool goes under "
		"tool",
		"is not a resource");
}

static bool is_effect_on(enum resource_kind kind, enum effect effect)
{
	switch (kind) {
	case RESOURCE_TOOL:
		return effect == EFFECT_READ || effect == EFFECT_WRITE || effect == EFFECT_EXECUTE;
	case RESOURCE_DATA_SOURCE: return effect == EFFECT_READ;
	case RESOURCE_MODEL: return effect == EFFECT_GENERATE;
	case RESOURCE_PEER: return effect == EFFECT_DELEGATE;
	case RESOURCE_NONE: break;
	}
	return false;
}

static void finish_entitlement(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct entitlement *line = body;
	const struct json *tool = json_find(value, "tool");
	const struct json *resource = json_find(value, "resource");

	line->number = path->index;
	if ((tool == NULL) == (resource == NULL)) {
		form_problem(reader, value, path, "write exactly one of tool and resource",
			tool == NULL ? "names nothing it is about" : "names two things");
		return;
	}
	if (tool != NULL)
		line->resource_kind = line->resource.length == 0 ? RESOURCE_NONE : RESOURCE_TOOL;
	else if (line->resource.length > 0)
		finish_resource(reader, resource, path, line);
	if (line->effect != EFFECT_NONE && line->resource_kind != RESOURCE_NONE &&
		!is_effect_on(line->resource_kind, line->effect))
		form_problem(reader, value, path,
			"tools: read, write, execute; data-source: read; model: generate; peer: "
			"delegate",
			"%s has no meaning on this resource", effect_word(line->effect));
}

static void finish_key(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct charter_key *key = body;
	const struct json *jwk = json_find(value, "jwk");
	const struct json *certificate = json_find(value, "certificate");

	key->has_certificate = certificate != NULL;
	if ((jwk == NULL) == (certificate == NULL))
		form_problem(reader, value, path,
			"write exactly one of jwk (a public key) and certificate (sha256:...)",
			jwk == NULL ? "has no key" : "has two keys");
}

/* Only a tool has targets. */
static void finish_output(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct charter_output *output = body;
	struct form_path at_target = {.up = path, .name = TEXT("target")};

	if (output->target.length != 0 && output->to.length != 0 && !name_is_tool(output->to))
		form_problem(reader, json_find(value, "target"), &at_target,
			"take it out, or write to: SERVER/TOOL", "only a tool has targets");
}

/* Two lines to the same place would be told apart by their targets alone. */
static void refuse_output_twins(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	const struct json *list = json_find(value, "outputs");
	struct form_path at_list = {.up = path, .name = TEXT("outputs")};

	for (uint32_t i = 1; i < charter->outputs_count; i++) {
		const struct charter_output *mine = &charter->outputs[i];
		struct form_path at_item = {.up = &at_list, .index = i};

		for (uint32_t j = 0; j < i; j++) {
			const struct charter_output *other = &charter->outputs[j];

			if (mine->to.length == 0 || !text_equal(mine->to, other->to) ||
				!text_equal(mine->target, other->target))
				continue;
			form_problem(reader, &list->items[i], &at_item, "write it once",
				"has the same to%s as item %u",
				mine->target.length == 0 ? "" : " and target", j);
			break;
		}
	}
}

static void check_class(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	const struct json *lines = json_find(value, "entitlements");
	struct form_path at_list = {.up = path, .name = TEXT("entitlements")};

	for (uint32_t i = 0; i < charter->entitlements_count; i++) {
		enum effect effect = charter->entitlements[i].effect;
		struct form_path at_line = {.up = &at_list, .index = i};

		if (charter->use_class == CLASS_NONE || effect == EFFECT_NONE ||
			effect == EFFECT_GENERATE || effect == EFFECT_DELEGATE ||
			use_class_permits(charter->use_class, effect))
			continue;
		form_problem(reader, &lines->items[i], &at_line,
			"take the line out, or propose a wider class",
			"class %s does not permit %s", use_class_word(charter->use_class),
			effect_word(effect));
	}
}

static void check_keys(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	const struct json *keys = json_find(value, "keys");
	struct form_path at_list = {.up = path, .name = TEXT("keys")};

	for (uint32_t i = 0; i < charter->keys_count; i++) {
		enum environment environment = charter->keys[i].environment;
		struct form_path at_key = {.up = &at_list, .index = i};

		if (environment != ENVIRONMENT_NONE && charter->environments != 0 &&
			!charter_has_environment(charter, environment))
			form_problem(reader, &keys->items[i], &at_key,
				"add the environment to environments, or take the key out",
				"is for %s, which this charter does not cover",
				environment_word(environment));
	}
}

static void check_federation(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	const struct json *rules = json_find(value, "federation");
	struct form_path at_list = {.up = path, .name = TEXT("federation")};

	for (uint32_t i = 0; i < charter->federation_count; i++) {
		enum environment environment = charter->federation[i].environment;
		struct form_path at_rule = {.up = &at_list, .index = i};

		if (environment != ENVIRONMENT_NONE && charter->environments != 0 &&
			!charter_has_environment(charter, environment))
			form_problem(reader, &rules->items[i], &at_rule,
				"add the environment to environments, or take the rule out",
				"is for %s, which this charter does not cover",
				environment_word(environment));
	}
}

/* Work is handed to another one, and what it may do with it has a door. */
static void finish_peer(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct charter_peer *peer = body;

	if ((peer->effects & 1u << EFFECT_DELEGATE) != 0)
		form_problem(reader, value, path, "write depth: how often the peer may hand it on",
			"delegate is not done with tools");
}

static void check_peers(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	const struct json *list = json_find(value, "peers");
	struct form_path at_list = {.up = path, .name = TEXT("peers")};

	for (uint32_t i = 0; i < charter->peers_count; i++) {
		struct form_path at_item = {.up = &at_list, .index = i};

		if (charter->name.length > 0 &&
			text_equal(charter->peers[i].identity, charter->name))
			form_problem(reader, &list->items[i], &at_item,
				"take the line out: a task of its own needs none",
				"is the identity itself");
	}
	refuse_twins(reader, value, path, "peers", "identity");
}

static void finish_charter(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct charter *charter = body;
	const struct json *backup = json_find(value, "backup-owner");
	struct form_path at_backup = {.up = path, .name = TEXT("backup-owner")};

	if (backup != NULL && charter->owner.length > 0 &&
		text_equal(charter->owner, charter->backup_owner))
		form_problem(
			reader, backup, &at_backup, "name a second person", "is the owner again");
	check_class(reader, value, path, charter);
	check_keys(reader, value, path, charter);
	check_federation(reader, value, path, charter);
	acting_check(reader, value, path, charter);
	record_check(reader, value, path, charter);
	if (json_find(value, "sandbox") != NULL)
		sandbox_check_charter(reader, value, path, charter);
	refuse_twins(reader, value, path, "data-sources", "name");
	refuse_twins(reader, value, path, "versions", "of");
	refuse_output_twins(reader, value, path, charter);
	check_peers(reader, value, path, charter);
	refuse_twins(reader, value, path, "keys", "jwk");
	refuse_twins(reader, value, path, "keys", "certificate");
	refuse_same(reader, value, path, "accounts");
	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		charter->has_uses |= charter->entitlements[i].uses != 0;
	if (charter->task_s == 0)
		charter->task_s = CHARTER_TASK_S_DEFAULT;
}

static void finish_template(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct sandbox_template *template = body;

	check_class(reader, value, path, &template->charter);
	refuse_twins(reader, value, path, "data-sources", "name");
	sandbox_check_template(reader, value, path, template);
}

static void finish_unit(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct unit *unit = body;

	if (text_is(unit->name, "org"))
		form_problem(reader, value, path, "choose another name",
			"org is the organisation itself: always there, never written");
}

/* In place of a secret that is kept; whoever asks where it lies is told of the exchange. */
static void finish_exchange(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct server *server)
{
	const struct json *exchange = json_find(value, "exchange");
	struct form_path here = {.up = path, .name = TEXT("exchange")};

	if (exchange == NULL)
		return;
	if (server->transport == TRANSPORT_STDIO)
		form_problem(reader, exchange, &here, "take exchange out",
			"a provider token is injected into HTTP only");
	if (json_find(value, "credential") != NULL)
		form_problem(reader, exchange, &here,
			"write exactly one of credential and exchange",
			"stands beside a credential");
	server->credential = text_format(
		reader->arena, OUTBOUND_REFERENCE "%.*s", TEXT_ARGS(server->exchange.url));
	if (server->credential.data == NULL)
		form_problem(reader, exchange, &here, NULL, "no memory");
}

static void finish_transport(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct server *server = body;
	bool is_stdio = json_find(value, "stdio") != NULL;
	bool is_http = json_find(value, "url") != NULL;

	if (is_stdio == is_http) {
		form_problem(reader, value, path, "write exactly one of stdio and url",
			is_stdio ? "says two ways" : "says no way");
		return;
	}
	if (is_stdio && json_find(value, "credential") != NULL)
		form_problem(reader, value, path, "take credential out",
			"a credential is injected into HTTP only");
	server->transport = is_stdio ? TRANSPORT_STDIO : TRANSPORT_HTTP;
	finish_exchange(reader, value, path, server);
}

/* Rows are judged before anybody sees them; what a write did is done by then. */
static void check_classification(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct tool *tool)
{
	const struct json *field = json_find(value, "classification");
	struct form_path at_field = {.up = path, .name = TEXT("classification")};

	if (field == NULL)
		return;
	if (tool->effect != EFFECT_NONE && tool->effect != EFFECT_READ)
		form_problem(reader, field, &at_field, "take it out",
			"only of a tool that reads the rows are judged");
	if (tool->reads_count == 0)
		form_problem(reader, field, &at_field, "write reads: with the data source",
			"says how sensitive rows are of a tool that reads no data source");
}

/* Of "a..b" no field is the one that is meant; nor of "a[*]b". */
static bool has_empty_segment(struct text field)
{
	size_t i;

	for (i = 0; i < field.length; i++) {
		struct text rest = text_after(field, i);

		if (rest.data[0] == '.' && (i == 0 || rest.length == 1 || rest.data[1] == '.'))
			return true;
		if (text_starts_with(rest, "[*]") &&
			(i == 0 || field.data[i - 1] == '.' ||
				(rest.length > 3 && rest.data[3] != '.' && rest.data[3] != '[')))
			return true;
	}
	return false;
}

static void check_results(struct form_reader *reader, const struct tool *tool,
	const struct json *value, const struct form_path *path)
{
	struct form_path at_list = {.up = path, .name = TEXT("results")};

	refuse_twins(reader, value, path, "results", "field");
	for (uint32_t i = 0; i < tool->results_count; i++) {
		struct form_path at_item = {.up = &at_list, .index = i};

		if (has_empty_segment(tool->results[i].field))
			form_problem(reader, value, &at_item,
				"write names with one dot between, * for each item",
				"has an empty name, or text beside [*], in its field");
	}
}

static void finish_model(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct server_model *model = body;

	model->has_prices = json_find(value, "input-price") != NULL;
	if (model->has_prices != (json_find(value, "output-price") != NULL))
		form_problem(reader, value, path, "write both input-price and output-price",
			"has one of two prices");
}

/* An MCP server's connection is shared by all, so it has one credential. */
static void check_credentials(struct form_reader *reader, const struct server *server,
	const struct json *value, const struct form_path *path)
{
	const struct json *credentials = json_find(value, "credentials");
	struct form_path at_credentials = {.up = path, .name = TEXT("credentials")};

	if (server->speaks == SPEAKS_MCP && credentials != NULL)
		form_problem(reader, credentials, &at_credentials,
			"write the one credential under transport",
			"only a provider takes a credential for each identity");
	refuse_twins(reader, value, path, "credentials", "identity");
}

/* A connection that all share has no token of one of them. */
static void finish_per(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct server *server)
{
	const struct json *exchange = json_find(json_find(value, "transport"), "exchange");
	struct form_path at_transport = {.up = path, .name = TEXT("transport")};
	struct form_path here = {.up = &at_transport, .name = TEXT("exchange")};
	bool is_shared = server->speaks == SPEAKS_MCP;
	enum outbound_per *per = &server->exchange.per;

	if (exchange == NULL)
		return;
	if (json_find(value, "credentials") != NULL)
		form_problem(reader, exchange, &here, "take one of them out",
			"stands beside credentials of identities");
	if (*per == OUTBOUND_PER_NONE)
		*per = is_shared ? OUTBOUND_PER_SERVER : OUTBOUND_PER_IDENTITY;
	if (is_shared != (*per == OUTBOUND_PER_SERVER))
		form_problem(reader, exchange, &here,
			is_shared ? "write per: server" : "write per: identity or per: task", "%s",
			is_shared ? "an MCP server's connection is shared by all"
				  : "each request to it is one identity's");
}

/* A provider is reached by URL and says which models it has; an MCP server has none. */
static void finish_server(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct server *server = body;
	struct form_path at_models = {.up = path, .name = TEXT("models")};
	struct form_path at_speaks = {.up = path, .name = TEXT("speaks")};
	const struct json *models = json_find(value, "models");

	if (!speaks_is_provider(server->speaks) && models != NULL)
		form_problem(reader, models, &at_models, "write speaks: openai or anthropic",
			"only a provider has models");
	if (server->speaks != SPEAKS_MCP && server->transport == TRANSPORT_STDIO)
		form_problem(reader, json_find(value, "speaks"), &at_speaks,
			"write transport: {url: https://...}", "%s is reached by URL",
			server->speaks == SPEAKS_A2A ? "an agent" : "a provider");
	refuse_twins(reader, value, path, "models", "name");
	check_credentials(reader, server, value, path);
	finish_per(reader, value, path, server);
}

static void finish_tool(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct tool *tool = body;
	const struct json *effect = json_find(value, "effect");
	const struct json *up_to = json_find(value, "up-to");
	struct form_path at_effect = {.up = path, .name = TEXT("effect")};
	struct form_path at_up_to = {.up = path, .name = TEXT("up-to")};
	ptrdiff_t slash = text_find_byte(tool->name, '/');

	if (slash > 0) {
		tool->server = (struct text){tool->name.data, (size_t)slash};
		tool->tool_name = text_after(tool->name, (size_t)slash + 1);
	}
	tool->has_definition = json_find(value, "definition") != NULL;
	if (tool->effect == EFFECT_GENERATE)
		form_problem(reader, effect, &at_effect, "write read, write, execute or delegate",
			"a tool does not %s", effect_word(tool->effect));
	if (tool_is_skill(tool) && up_to == NULL)
		form_problem(reader, value, path,
			"write up-to: the highest sensitivity that may go to it",
			"a skill says which data may go to it");
	if (tool->effect != EFFECT_NONE && !tool_is_skill(tool) && up_to != NULL)
		form_problem(reader, up_to, &at_up_to, "take it out; outputs of charters say it",
			"only a skill, of effect delegate, has it");
	refuse_twins(reader, value, path, "targets", "argument");
	check_classification(reader, value, path, tool);
	check_results(reader, tool, value, path);
}

static void finish_policy(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct policy *policy = body;
	ptrdiff_t slash = text_find_byte(policy->name, '/');

	(void)reader;
	(void)value;
	(void)path;
	if (slash > 0)
		policy->unit = (struct text){policy->name.data, (size_t)slash};
}

/* What others read as a number with a fraction, or as nothing. */
static bool is_misread(struct text t)
{
	static const char *const nothing[] = {"~", "Null", "NULL"};
	char written[32];
	char *end;

	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		if (text_is(t, nothing[i]))
			return true;
	if (t.length == 0 || t.length >= sizeof written)
		return false;
	memcpy(written, t.data, t.length);
	written[t.length] = '\0';
	if (strspn(written, "0123456789.eE+-") < t.length || strcspn(written, ".eE") == t.length)
		return false;
	(void)strtod(written, &end);
	return end == written + t.length;
}

/* Cedar can hold neither a fraction nor null, and as a text it would be another value than the
 * one that was written.  The depth of documents is bounded. */
static void refuse_misread(
	struct form_reader *reader, const struct json *value, const struct form_path *path)
{
	if (value->type == JSON_STRING && value->block == JSON_PLAIN && is_misread(value->string))
		form_problem(reader, value, path, "write it in quotes if the text is meant",
			"%.*s is no text, and Cedar holds neither fractions nor null",
			TEXT_ARGS(value->string));
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++) {
		const struct form_path at_item = {.up = path, .index = i};

		refuse_misread(reader, &value->items[i], &at_item);
	}
	for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++) {
		const struct form_path at_member = {.up = path, .name = value->members[i].name};

		refuse_misread(reader, &value->members[i].value, &at_member);
	}
}

struct application_reader {
	struct form_reader *reader;
	const struct json *value;
	const struct form_path *path;
	size_t told;
};

static void tell_application(void *context, const struct application_finding *finding)
{
	static const char otherwise[] = "see docs/charters.md for what may stand here";
	struct application_reader *of = context;
	const struct json *field = json_find(of->value, finding->part);
	struct form_path at_part = {.up = of->path, .name = text_of(finding->part)};
	struct text hint = text_copy(of->reader->problems->arena, finding->hint);
	const char *remedy = hint.length > 0 ? hint.data : finding->line == 0 ? otherwise : NULL;
	struct form_stretch at = {finding->line, finding->column, finding->length};

	form_problem_at(
		of->reader, field == NULL ? of->value : field, &at_part, remedy, at, finding->what);
	of->told++;
}

/* What stands in the three fields together is compiled as it will be; all that is wrong is
 * told, or at least what it was refused for. */
static void finish_application(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct application *application = body;
	const struct application_source source = {.prefix = TEXT(""),
		.schema = application->schema,
		.policies = application->policies,
		.entities =
			application->entities.type == JSON_ARRAY ? &application->entities : NULL};
	const struct json *entities = json_find(value, "entities");
	const struct form_path at_entities = {.up = path, .name = TEXT("entities")};
	struct application_rules *rules = NULL;
	struct error err = {0};
	const char *part;

	if (entities != NULL)
		refuse_misread(reader, entities, &at_entities);
	if (application->policies.length > 0 &&
		!application_compile(&rules, &source, &part, &err)) {
		struct application_reader of = {reader, value, path, 0};
		struct error more = {0};

		if (!application_check(&source, tell_application, &of, &more))
			err = more; /* what follows could not be looked at */
		else if (of.told > 0)
			part = NULL;
		if (part != NULL)
			tell_application(
				&of, &(struct application_finding){
					     .part = part, .length = 1, .what = text_of(err.text)});
	}
	application_rules_destroy(&rules);
}

/* ---- shapes ---- */

static const struct form_field model_fields[] = {
	REQUIRED(charter_model, "provider", &name_form, provider, "write provider: NAME"),
	REQUIRED(charter_model, "name", &model_name_form, name, "write name: MODEL"),
	OPTIONAL(charter_model, "up-to", &sensitivity_form, up_to),
};
static const struct form_shape model_shape = {
	SHAPE(model_fields), sizeof(struct charter_model), NULL};
static const struct form models_form = LIST_OF(model_shape, charter_model, CHARTER_LIST_MAX);

static const struct form_field charter_source_fields[] = {
	REQUIRED(charter_data_source, "name", &name_form, name, "name the data source"),
	REQUIRED(charter_data_source, "up-to", &sensitivity_form, up_to,
		"write the highest sensitivity it may read"),
};
static const struct form_shape charter_source_shape = {
	SHAPE(charter_source_fields), sizeof(struct charter_data_source), NULL};
static const struct form charter_sources_form =
	LIST_OF(charter_source_shape, charter_data_source, CHARTER_LIST_MAX);

static const struct form_field output_fields[] = {
	REQUIRED(charter_output, "to", &output_form, to, "write to: reply, or who gets it"),
	REQUIRED(charter_output, "up-to", &sensitivity_form, up_to,
		"write the highest sensitivity that may go there"),
	OPTIONAL(charter_output, "target", &target_glob_form, target),
};
static const struct form_shape output_shape = {
	SHAPE(output_fields), sizeof(struct charter_output), finish_output};
static const struct form outputs_form = LIST_OF(output_shape, charter_output, CHARTER_LIST_MAX);

static const struct form approvals_form = TEXTS_OF(approval_form, 1, CHARTER_APPROVALS_MAX);
static const struct form_field entitlement_fields[] = {
	REQUIRED(entitlement, "effect", &effect_form, effect,
		"write effect: read, write or execute"),
	OPTIONAL(entitlement, "tool", &tool_form, resource),
	OPTIONAL(entitlement, "resource", &resource_form, resource),
	OPTIONAL(entitlement, "when", &when_form, when),
	LIST(entitlement, "approvals", &approvals_form, approvals),
	OPTIONAL(entitlement, "expires", &time_form, expires_utc_s),
	OPTIONAL(entitlement, "uses", &uses_form, uses),
};
static const struct form_shape entitlement_shape = {
	SHAPE(entitlement_fields), sizeof(struct entitlement), finish_entitlement};
static const struct form entitlements_form =
	LIST_OF(entitlement_shape, entitlement, CHARTER_ENTITLEMENTS_MAX);

static const struct form peer_depth_form = {
	.read = form_read_integer, .least = 0, .most = PEER_DEPTH_MAX};
static const struct form reach_form = {.read = form_read_reach, .bytes_max = GLOB_BYTES_MAX};
static const struct form reaches_form = TEXTS_OF(reach_form, 1, PEER_TOOLS_MAX);
static const struct form skill_form = {.read = form_read_line, .bytes_max = PEER_SKILL_BYTES_MAX};
static const struct form skills_form = TEXTS_OF(skill_form, 1, PEER_SKILLS_MAX);
static const struct form_field peer_fields[] = {
	REQUIRED(charter_peer, "identity", &name_form, identity, "name the identity"),
	REQUIRED(charter_peer, "effects", &effects_form, effects, "write effects: [read]"),
	REQUIRED(charter_peer, "up-to", &sensitivity_form, up_to,
		"write the highest sensitivity that may go along"),
	OPTIONAL(charter_peer, "depth", &peer_depth_form, depth),
	LIST(charter_peer, "tools", &reaches_form, tools),
	LIST(charter_peer, "skills", &skills_form, skills),
};
static const struct form_shape peer_shape = {
	SHAPE(peer_fields), sizeof(struct charter_peer), finish_peer};
static const struct form peers_form = LIST_OF(peer_shape, charter_peer, CHARTER_LIST_MAX);

static const struct form_field budget_fields[] = {
	OPTIONAL(budget, "requests", &budget_number_form, requests),
	OPTIONAL(budget, "tokens", &budget_number_form, tokens),
	OPTIONAL(budget, "spend", &budget_number_form, spend),
};
static const struct form_shape budget_shape = {SHAPE(budget_fields), 0, NULL};
static const struct form budget_form = {.read = form_read_part, .shape = &budget_shape};

static const struct form_field limit_fields[] = {
	OPTIONAL(charter, "task", &task_form, task_s),
	OPTIONAL(charter, "idle", &task_form, idle_s),
	OPTIONAL(charter, "depth", &depth_form, depth),
	OPTIONAL(charter, "fan-out", &fan_out_form, fan_out),
	OPTIONAL(charter, "open-tasks", &open_tasks_form, open_tasks),
	OPTIONAL(charter, "calls-per-minute", &rate_form, calls_per_minute),
	OPTIONAL(charter, "budget-per-task", &budget_form, task_budget),
	OPTIONAL(charter, "budget-per-day", &budget_form, day_budget),
};
static const struct form_shape limits_shape = {SHAPE(limit_fields), 0, NULL};
static const struct form limits_form = {.read = form_read_part, .shape = &limits_shape};

static const struct form_field key_fields[] = {
	REQUIRED(charter_key, "environment", &environment_form, environment,
		"write the environment this key proves"),
	OPTIONAL(charter_key, "jwk", &key_form, jwk),
	OPTIONAL(charter_key, "certificate", &digest_form, certificate),
	OPTIONAL(charter_key, "expires", &time_form, expires_utc_s),
};
static const struct form_shape key_shape = {
	SHAPE(key_fields), sizeof(struct charter_key), finish_key};
static const struct form keys_form = LIST_OF(key_shape, charter_key, CHARTER_LIST_MAX);

static const struct form object_word_form = {.read = form_read_nothing};
#define OBJECT_WORD                                                                                \
	{                                                                                          \
		"object", FORM_REQUIRED, &object_word_form, 0, 0, NULL                             \
	}

static const struct form template_version_form = {
	.read = form_read_integer, .least = 1, .most = UINT32_MAX};
static const struct form_field sandbox_fields[] = {
	REQUIRED(charter, "template", &template_version_form, sandbox.template_version,
		"a sandbox is opened with remit sandbox open"),
	REQUIRED(charter, "approved-by", &person_form, sandbox.approved_by,
		"a sandbox is opened with remit sandbox open"),
};
static const struct form_shape sandbox_shape = {SHAPE(sandbox_fields), 0, NULL};
static const struct form sandbox_form = {.read = form_read_part, .shape = &sandbox_shape};

static const struct form_field charter_fields[] = {
	OBJECT_WORD,
	REQUIRED(charter, "name", &name_form, name, "name the identity"),
	REQUIRED(charter, "kind", &identity_kind_form, kind, "write kind: agent, or what it is"),
	REQUIRED(charter, "class", &use_class_form, use_class,
		"write the ceiling: summarise, retrieve, update or execute"),
	REQUIRED(charter, "risk", &risk_tier_form, risk, "write low, medium, high or critical"),
	REQUIRED(charter, "owner", &person_form, owner, "name the person who answers for it"),
	REQUIRED(charter, "backup-owner", &person_form, backup_owner,
		"name a second person, who takes over"),
	REQUIRED(charter, "unit", &name_form, unit, "name the unit it belongs to"),
	REQUIRED(charter, "purpose", &prose_form, purpose, "say what it is for"),
	{"environments", FORM_REQUIRED, &environments_form, offsetof(struct charter, environments),
		0, "list dev, test, staging or prod"},
	LIST(charter, "accounts", &accounts_form, accounts),
	LIST(charter, "model", &models_form, models),
	LIST(charter, "data-sources", &charter_sources_form, data_sources),
	LIST(charter, "outputs", &outputs_form, outputs),
	LIST(charter, "entitlements", &entitlements_form, entitlements),
	LIST(charter, "peers", &peers_form, peers),
	{"limits", FORM_OPTIONAL, &limits_form, 0, 0, NULL},
	OPTIONAL(charter, "binding", &binding_need_form, binding),
	OPTIONAL(charter, "impact", &prose_form, impact),
	LIST(charter, "affects", &affects_form, affects),
	{"risk-record", FORM_OPTIONAL, &risk_record_form, 0, 0, NULL},
	OPTIONAL(charter, "vendor", &vendor_form, vendor),
	LIST(charter, "versions", &versions_form, versions),
	OPTIONAL(charter, "review", &review_form, review_s),
	OPTIONAL(charter, "expires", &time_form, expires_utc_s),
	LIST(charter, "keys", &keys_form, keys),
	LIST(charter, "federation", &federation_form, federation),
	{"acts-for", FORM_OPTIONAL, &acts_for_form, 0, 0, NULL},
	{"sandbox", FORM_OPTIONAL, &sandbox_form, 0, 0, NULL},
};

static const struct form life_form = {
	.read = form_read_duration, .least = SANDBOX_LIFE_S_MIN, .most = SANDBOX_LIFE_S_MAX};
static const struct form_field template_fields[] = {
	REQUIRED(sandbox_template, "class", &use_class_form, charter.use_class,
		"write the ceiling: summarise, retrieve, update or execute"),
	REQUIRED(sandbox_template, "risk", &risk_tier_form, charter.risk,
		"write low, medium, high or critical"),
	{"environments", FORM_REQUIRED, &environments_form,
		offsetof(struct sandbox_template, charter.environments), 0, "list dev, test"},
	REQUIRED(sandbox_template, "up-to", &sensitivity_form, up_to, "write public or internal"),
	REQUIRED(sandbox_template, "expires", &life_form, life_s,
		"write the longest life, as in 14d"),
	LIST(sandbox_template, "model", &models_form, charter.models),
	LIST(sandbox_template, "data-sources", &charter_sources_form, charter.data_sources),
	LIST(sandbox_template, "entitlements", &entitlements_form, charter.entitlements),
	{"limits", FORM_OPTIONAL, &limits_form, 0, 0, NULL}, /* the charter is first */
};
static const struct form_shape template_shape = {SHAPE(template_fields), 0, finish_template};
static const struct form template_form = {.read = form_read_part, .shape = &template_shape};

static const struct form roles_form = TEXTS_OF(name_form, 0, PERSON_ROLES_MAX);
static const struct form sign_in_as_form = {
	.read = form_read_line, .bytes_max = FEDERATION_VALUE_BYTES_MAX};
static const struct form_field sign_in_fields[] = {
	REQUIRED(person, "issuer", &name_form, sign_in_issuer, "name the registered issuer"),
	OPTIONAL(person, "as", &sign_in_as_form, sign_in_as),
};
static const struct form_shape sign_in_shape = {SHAPE(sign_in_fields), 0, NULL};
static const struct form sign_in_form = {.read = form_read_part, .shape = &sign_in_shape};

static const struct form directory_id_form = {
	.read = form_read_line, .bytes_max = PERSON_DIRECTORY_ID_BYTES_MAX};
static const struct form external_id_form = {
	.read = form_read_line, .bytes_max = PERSON_EXTERNAL_ID_BYTES_MAX};
static const struct form user_name_form = {
	.read = form_read_line, .bytes_max = PERSON_NAME_BYTES_MAX};
static const struct form profile_form = {
	.read = form_read_object, .bytes_max = PERSON_PROFILE_BYTES_MAX};
static const struct form_field directory_fields[] = {
	REQUIRED(person, "name", &name_form, directory.name, "name the directory"),
	OPTIONAL(person, "id", &directory_id_form, directory.id),
	OPTIONAL(person, "user-name", &user_name_form, directory.user_name),
	OPTIONAL(person, "external-id", &external_id_form, directory.external_id),
	OPTIONAL(person, "profile", &profile_form, directory.profile),
};
static const struct form_shape directory_shape = {SHAPE(directory_fields), 0, NULL};
static const struct form directory_form = {.read = form_read_part, .shape = &directory_shape};

static const struct form_field person_fields[] = {
	OBJECT_WORD,
	REQUIRED(person, "name", &person_form, name, "name the person"),
	REQUIRED(person, "unit", &name_form, unit, "name the unit the person belongs to"),
	LIST(person, "roles", &roles_form, roles),
	OPTIONAL(person, "clearance", &sensitivity_form, clearance),
	{"sign-in", FORM_OPTIONAL, &sign_in_form, 0, 0, NULL},
	OPTIONAL(person, "left", &time_form, left_utc_s),
	{"directory", FORM_OPTIONAL, &directory_form, 0, 0, NULL},
};

static const struct form_field unit_fields[] = {
	OBJECT_WORD,
	REQUIRED(unit, "name", &name_form, name, "name the unit"),
	OPTIONAL(unit, "purpose", &prose_form, purpose),
	OPTIONAL(unit, "budget-per-day", &budget_form, day_budget),
	OPTIONAL(unit, "sandbox", &template_form, sandbox),
};

static const struct form_field data_source_fields[] = {
	OBJECT_WORD,
	REQUIRED(data_source, "name", &name_form, name, "name the data source"),
	REQUIRED(data_source, "unit", &name_form, unit, "name the unit it belongs to"),
	OPTIONAL(data_source, "custodian", &person_form, custodian),
	OPTIONAL(data_source, "sensitivity", &sensitivity_form, sensitivity),
	OPTIONAL(data_source, "trust", &trust_form, trust),
	OPTIONAL(data_source, "location", &line_form, location),
	OPTIONAL(data_source, "concerns", &concerns_form, concerns),
	REQUIRED(data_source, "environment", &environment_form, environment,
		"write dev, test, staging or prod"),
	OPTIONAL(data_source, "ids", &ids_form, ids),
	LIST(data_source, "at", &at_form, at),
};

static const struct form stdio_form = TEXTS_OF(argument_form, 1, SERVER_ARGUMENTS_MAX);
static const struct form schemes_form = TEXTS_OF(name_form, 0, SERVER_SCHEMES_MAX);
static const struct form_field transport_fields[] = {
	LIST(server, "stdio", &stdio_form, arguments),
	OPTIONAL(server, "url", &url_form, url),
	OPTIONAL(server, "credential", &credential_form, credential),
	OPTIONAL(server, "exchange", &outbound_form, exchange),
};
static const struct form_shape transport_shape = {SHAPE(transport_fields), 0, finish_transport};
static const struct form transport_form = {.read = form_read_part, .shape = &transport_shape};
static const struct form model_tools_form = TEXTS_OF(member_form, 0, MODEL_TOOLS_MAX);
static const struct form_field server_model_fields[] = {
	REQUIRED(server_model, "name", &model_name_form, name, "write the provider's own name"),
	REQUIRED(server_model, "up-to", &sensitivity_form, up_to,
		"write the highest sensitivity that may go to it"),
	LIST(server_model, "provider-tools", &model_tools_form, tools),
	OPTIONAL(server_model, "input-price", &price_form, input_price),
	OPTIONAL(server_model, "output-price", &price_form, output_price),
};
static const struct form_shape server_model_shape = {
	SHAPE(server_model_fields), sizeof(struct server_model), finish_model};
static const struct form server_models_form =
	LIST_OF(server_model_shape, server_model, SERVER_MODELS_MAX);
static const struct form_field server_credential_fields[] = {
	REQUIRED(server_credential, "identity", &name_form, identity, "name the identity"),
	REQUIRED(server_credential, "credential", &credential_form, credential,
		"write where its secret lies"),
};
static const struct form_shape server_credential_shape = {
	SHAPE(server_credential_fields), sizeof(struct server_credential), NULL};
static const struct form server_credentials_form =
	LIST_OF(server_credential_shape, server_credential, SERVER_CREDENTIALS_MAX);
static const struct form_field server_fields[] = {
	OBJECT_WORD,
	REQUIRED(server, "name", &name_form, name, "name the server"),
	{"transport", FORM_REQUIRED, &transport_form, 0, 0,
		"write {stdio: [PROGRAM, ...]} or {url: https://...}"},
	REQUIRED(server, "environment", &environment_form, environment,
		"write dev, test, staging or prod"),
	REQUIRED(server, "unit", &name_form, unit, "name the unit it belongs to"),
	LIST(server, "schemes", &schemes_form, schemes),
	OPTIONAL(server, "speaks", &speaks_form, speaks),
	LIST(server, "models", &server_models_form, models),
	LIST(server, "credentials", &server_credentials_form, credentials),
};

static const struct form_field read_fields[] = {
	REQUIRED(tool_read, "data-source", &name_form, data_source, "name the data source"),
	OPTIONAL(tool_read, "when", &read_when_form, when),
	OPTIONAL(tool_read, "uri", &glob_form, uri),
	OPTIONAL(tool_read, "prompt", &glob_form, prompt),
};
static const struct form_shape read_shape = {SHAPE(read_fields), sizeof(struct tool_read), NULL};
static const struct form reads_form = LIST_OF(read_shape, tool_read, TOOL_READS_MAX);
static const struct form_field target_fields[] = {
	REQUIRED(tool_target, "argument", &member_form, argument, "name the argument"),
	REQUIRED(tool_target, "as", &target_form_form, form,
		"write path, url, recipient, account or object"),
};
static const struct form_shape target_shape = {
	SHAPE(target_fields), sizeof(struct tool_target), NULL};
static const struct form targets_form = LIST_OF(target_shape, tool_target, TOOL_TARGETS_MAX);
static const struct form_field result_fields[] = {
	REQUIRED(tool_result, "field", &member_form, field,
		"name the field, such as messages.*.body"),
	REQUIRED(tool_result, "trust", &trust_form, trust, "write untrusted or trusted"),
};
static const struct form_shape result_shape = {
	SHAPE(result_fields), sizeof(struct tool_result), NULL};
static const struct form results_form = LIST_OF(result_shape, tool_result, TOOL_RESULTS_MAX);
static const struct form_field tool_fields[] = {
	OBJECT_WORD,
	REQUIRED(tool, "name", &tool_form, name, "write SERVER/TOOL"),
	REQUIRED(tool, "effect", &effect_form, effect, "write read, write, execute or delegate"),
	OPTIONAL(tool, "up-to", &sensitivity_form, up_to),
	OPTIONAL(tool, "risk", &risk_tier_form, risk),
	LIST(tool, "reads", &reads_form, reads),
	LIST(tool, "targets", &targets_form, targets),
	LIST(tool, "results", &results_form, results),
	OPTIONAL(tool, "reversal", &reversal_form, reversal),
	OPTIONAL(tool, "concerns", &concerns_form, concerns),
	OPTIONAL(tool, "definition", &digest_form, definition),
	OPTIONAL(tool, "objects", &place_form, objects),
	OPTIONAL(tool, "classification", &place_form, classification),
};

static const struct form_field policy_fields[] = {
	OBJECT_WORD,
	REQUIRED(policy, "name", &policy_form, name, "write org/NAME or UNIT/NAME"),
	OPTIONAL(policy, "level", &policy_level_form, level),
	REQUIRED(policy, "text", &guardrail_form, text, "write the Cedar policy"),
};

static const struct form callers_form = TEXTS_OF(name_form, 0, APPLICATION_CALLERS_MAX);
static const struct form_field application_fields[] = {
	OBJECT_WORD,
	REQUIRED(application, "name", &name_form, name, "name the application"),
	REQUIRED(application, "unit", &name_form, unit, "name the unit it belongs to"),
	LIST(application, "callers", &callers_form, callers),
	OPTIONAL(application, "schema", &application_text_form, schema),
	REQUIRED(application, "policies", &application_text_form, policies,
		"write the Cedar policies"),
	OPTIONAL(application, "entities", &entities_form, entities),
	OPTIONAL(application, "reads", &reads_word_form, reads),
	OPTIONAL(application, "keep-questions", &boolean_form, keeps_questions),
};

static const struct form_shape object_shapes[] = {
	[OBJECT_IDENTITY] = {SHAPE(charter_fields), sizeof(struct charter), finish_charter},
	[OBJECT_PERSON] = {SHAPE(person_fields), sizeof(struct person), NULL},
	[OBJECT_UNIT] = {SHAPE(unit_fields), sizeof(struct unit), finish_unit},
	[OBJECT_DATA_SOURCE] = {SHAPE(data_source_fields), sizeof(struct data_source), NULL},
	[OBJECT_SERVER] = {SHAPE(server_fields), sizeof(struct server), finish_server},
	[OBJECT_TOOL] = {SHAPE(tool_fields), sizeof(struct tool), finish_tool},
	[OBJECT_POLICY] = {SHAPE(policy_fields), sizeof(struct policy), finish_policy},
	[OBJECT_APPLICATION] = {SHAPE(application_fields), sizeof(struct application),
		finish_application},
	[OBJECT_ISSUER] = {issuer_fields, ISSUER_FIELDS, sizeof(struct issuer), finish_issuer},
	[OBJECT_CONNECTOR] = {connector_fields, CONNECTOR_FIELDS, sizeof(struct connector),
		finish_connector},
};

/* ---- objects ---- */

static struct held_object *holder_of(const struct object *object)
{
	return (struct held_object *)(uintptr_t)object;
}

static void object_destroy(struct held_object **held)
{
	if (*held == NULL)
		return;
	object_repack(&(*held)->object);
	if ((*held)->object.charters != NULL)
		pack_drop(charters_texts((*held)->object.charters), (*held)->object.packed);
	charters_release(&(*held)->object.charters);
	arena_destroy(&(*held)->arena);
	free((*held)->bytes);
	free(*held);
	*held = NULL;
}

/* The kind a document says it is; NONE is reported. */
static enum object_kind read_kind(struct form_reader *reader, const struct json *document)
{
	static const char *const words[] = {"identity", "person", "unit", "data-source", "server",
		"tool", "policy", "application", "issuer", "connector", NULL};
	const struct json *word = json_find(document, "object");
	struct form_path path = {.name = TEXT("object")};
	enum object_kind kind = OBJECT_NONE;
	const char *nearest = NULL;
	char remedy[64];

	if (document->type != JSON_OBJECT) {
		form_problem(reader, document, NULL, "begin it with object: KIND",
			"a document is a mapping");
		return OBJECT_NONE;
	}
	if (word != NULL && word->type == JSON_STRING) {
		kind = object_kind_of(word->string);
		nearest = word_nearest(word->string, words);
	}
	(void)snprintf(remedy, sizeof remedy, "did you mean %s?", nearest == NULL ? "" : nearest);
	if (kind == OBJECT_NONE)
		form_problem(reader, word == NULL ? document : word, &path,
			nearest != NULL
				? remedy
				: "write identity, person, unit, data-source, server, tool, "
				  "policy, application, issuer or connector",
			word == NULL ? "is missing" : "is not a kind of object");
	return kind;
}

static struct text title_of(struct arena *arena, enum object_kind kind, const struct json *document)
{
	struct text name = json_text_or(document, "name", "");
	struct text title;

	if (name.length == 0 || (!name_is_person(name) && !name_is_tool(name)))
		title = text_format(arena, "%s", object_kind_word(kind));
	else
		title = text_format(arena, "%s %.*s", object_kind_word(kind), TEXT_ARGS(name));
	return title.data == NULL ? TEXT("") : title;
}

static bool order_members(struct json *out, struct arena *arena, const struct form_shape *shape,
	const struct json *value, struct error *err);

/* Each item of a list in the order of its shape. */
static bool order_items(struct json *out, struct arena *arena, const struct form_shape *shape,
	const struct json *list, struct error *err)
{
	struct json_builder items;

	json_array_start(&items, arena);
	for (uint32_t i = 0; i < list->count; i++) {
		struct json item;

		if (!order_members(&item, arena, shape, &list->items[i], err))
			return false;
		json_add(&items, item);
	}
	return json_array_seal(&items, out, err);
}

static bool order_value(struct json *out, struct arena *arena, const struct form *form,
	const struct json *value, struct error *err)
{
	bool ok;

	if (form->shape != NULL && value->type == JSON_ARRAY)
		ok = order_items(out, arena, form->shape, value, err);
	else if (form->shape != NULL)
		ok = order_members(out, arena, form->shape, value, err);
	else
		ok = json_copy(out, arena, value, err);
	if (ok)
		out->line = value->line;
	return ok;
}

/* A deep copy with its members in the order of the shape. */
static bool order_members(struct json *out, struct arena *arena, const struct form_shape *shape,
	const struct json *value, struct error *err)
{
	struct json_builder builder;

	json_object_start(&builder, arena);
	for (size_t i = 0; i < shape->fields_count; i++) {
		const struct form_field *field = &shape->fields[i];
		const struct json *member = json_find(value, field->name);
		struct json ordered;

		if (member == NULL)
			continue;
		if (!order_value(&ordered, arena, field->form, member, err))
			return false;
		json_put(&builder, field->name, ordered);
	}
	if (!json_object_seal(&builder, out, err))
		return false;
	out->line = value->line;
	return true;
}

static bool keep_document(struct held_object *held, const struct form_shape *shape,
	const struct json *document, struct error *err)
{
	struct object *object = &held->object;

	struct text canonical;

	if (!order_members(&object->as_read, held->arena, shape, document, err))
		return false;
	canonical = json_canonical_text(held->arena, &object->as_read);
	if (canonical.data == NULL || canonical.length > OBJECT_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "is larger than %d bytes", OBJECT_BYTES_MAX);
	object->digest = sha256_of(canonical.data, canonical.length);
	return true;
}

static struct held_object *held_create(enum object_kind kind)
{
	struct held_object *held = calloc(1, sizeof *held);

	if (held == NULL)
		return NULL;
	held->holds = 1;
	held->object.kind = kind;
	held->arena = arena_create(OBJECT_ARENA_BYTES_MAX);
	if (held->arena == NULL)
		object_destroy(&held);
	return held;
}

/* Fills the object from its document, as far as it can; false if anything was reported.  It
 * has no name if it is of no use. */
static bool fill_object(
	struct held_object *held, const struct json *document, struct form_reader *reader)
{
	const struct form_shape *shape = &object_shapes[held->object.kind];
	void *body = arena_alloc(held->arena, 1, shape->size);
	struct error err = {0};
	bool ok;

	if (body == NULL) {
		form_problem(reader, document, NULL, NULL, "no memory for it");
		return false;
	}
	ok = form_read_shape(reader, shape, document, NULL, body);
	if (!keep_document(held, shape, document, &err)) {
		form_problem(reader, document, NULL, NULL, "%s", err.text);
		return false;
	}
	held->object.body = body; /* whichever member of the union it is */
	held->object.name = json_text_or(&held->object.as_read, "name", "");
	held->object.is_partial = !ok;
	return ok;
}

bool object_parse_partial(struct object **out, const struct json *document, struct text file,
	struct problems *problems)
{
	struct form_reader reader = {.problems = problems, .file = file, .title = TEXT("object")};
	struct held_object *held = NULL;
	enum object_kind kind = read_kind(&reader, document);
	bool ok = false;

	*out = NULL;
	if (kind == OBJECT_NONE)
		goto done;
	reader.title = title_of(problems->arena, kind, document);
	held = held_create(kind);
	if (held == NULL) {
		form_problem(&reader, document, NULL, NULL, "no memory for it");
		goto done;
	}
	reader.arena = held->arena;
	ok = fill_object(held, document, &reader);
	if (held->object.name.length == 0)
		goto done;
	*out = &held->object;
	held = NULL;
done:
	object_destroy(&held);
	return ok;
}

bool object_parse(struct object **out, const struct json *document, struct text file,
	struct problems *problems)
{
	const struct object *partial;

	if (object_parse_partial(out, document, file, problems))
		return true;
	partial = *out;
	object_release(&partial);
	*out = NULL;
	return false;
}

/* ---- packing ---- */

const struct charter charter_lost = {
	.name = {"", 0},
	.owner = {"", 0},
	.backup_owner = {"", 0},
	.unit = {"", 0},
	.purpose = {"", 0},
	.impact = {"", 0},
	.vendor = {"", 0},
	.expires_utc_s = 1,
};

/* Reads what is packed into a body in arena. */
static bool read_packed(const struct object *object, struct arena *arena,
	const struct json *document, void **body, struct error *err)
{
	const struct form_shape *shape = &object_shapes[object->kind];
	struct problems problems = {.arena = arena};
	struct form_reader reader = {
		.arena = arena, .problems = &problems, .title = TEXT("object"), .is_known = true};

	*body = arena_alloc(arena, 1, shape->size);
	if (*body != NULL && form_read_shape(&reader, shape, document, NULL, *body))
		return true;
	return error_set(err, ERROR_LIMIT, "no memory for an object");
}

/* An arena of exactly the bytes that the object needs, with its body and what is packed. */
static bool fill_exactly(struct held_object *held, struct text packed, struct arena *scratch,
	const struct json *document, struct error *err)
{
	struct arena *arena = NULL;
	size_t before = arena_handed_bytes(scratch);
	struct text copy;
	void *body;

	if (!read_packed(&held->object, scratch, document, &body, err))
		return false;
	arena = arena_create_small(OBJECT_ARENA_BYTES_MAX,
		arena_handed_bytes(scratch) - before + packed.length + sizeof(max_align_t));
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an object");
	copy = text_copy(arena, packed);
	if (copy.data == NULL || !read_packed(&held->object, arena, document, &body, err)) {
		arena_destroy(&arena);
		return error_set(err, ERROR_LIMIT, "no memory for an object");
	}
	held->object.packed = copy;
	held->object.body = body;
	arena_destroy(&held->arena);
	held->arena = arena;
	return true;
}

/* Of an identity nothing but what is packed. */
static bool keep_packed(struct held_object *held, struct text packed, struct error *err)
{
	held->bytes = calloc(1, packed.length);
	if (held->bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an object");
	memcpy(held->bytes, packed.data, packed.length);
	held->object.packed = (struct text){held->bytes, packed.length};
	held->object.body = NULL;
	arena_destroy(&held->arena);
	return true;
}

static bool fill_packed(
	struct held_object *held, struct text packed, struct charters *charters, struct error *err)
{
	struct arena *scratch = charters_scratch(charters);
	struct json document;
	bool ok = pack_get(&document, scratch, charters_texts(charters), packed, err);

	if (ok && held->object.kind == OBJECT_IDENTITY)
		ok = keep_packed(held, packed, err);
	else if (ok)
		ok = fill_exactly(held, packed, scratch, &document, err);
	if (ok)
		held->object.name = json_text_or(&document, "name", "");
	return ok;
}

bool object_pack(struct object *object, struct charters *charters, struct error *err)
{
	struct held_object *held = holder_of(object);
	struct buffer packed;
	bool ok = true;

	assert(held->holds == 1 && !object->is_partial);
	if (object->charters != NULL)
		return true;
	buffer_init(&packed, OBJECT_ARENA_BYTES_MAX);
	if (!pack_put(&packed, charters_texts(charters), &object->as_read, err)) {
		ok = false;
		goto done;
	}
	if (!fill_packed(held, buffer_text(&packed), charters, err)) {
		pack_drop(charters_texts(charters), buffer_text(&packed));
		ok = false;
		goto done;
	}
	object->charters = charters_acquire(charters);
	object->as_read = json_null();
done:
	buffer_deinit(&packed);
	return ok;
}

/* The body of a packed charter, in an arena of its own; NULL without memory. */
static const struct charter *unpack(struct object *object, struct arena **arena)
{
	struct arena *scratch = charters_scratch(object->charters);
	struct json document;
	struct error err;
	void *body;

	*arena = arena_create_small(OBJECT_ARENA_BYTES_MAX,
		sizeof(struct charter) + object->packed.length * UNPACKED_TIMES);
	if (*arena != NULL &&
		pack_get(&document, scratch, charters_texts(object->charters), object->packed,
			&err) &&
		read_packed(object, *arena, &document, &body, &err))
		return body;
	arena_destroy(arena);
	return NULL;
}

const struct charter *object_unpack(const struct object *object)
{
	struct object *unpacking = &holder_of(object)->object;
	struct arena *arena;

	assert(object->kind == OBJECT_IDENTITY && object->charters != NULL);
	unpacking->body = unpack(unpacking, &arena);
	if (unpacking->body == NULL)
		return &charter_lost;
	unpacking->unpacked = charters_note(object->charters, object, arena);
	if (unpacking->unpacked != NULL)
		return object->body;
	unpacking->body = NULL;
	arena_destroy(&arena);
	return &charter_lost;
}

void object_repack(const struct object *object)
{
	struct object *packing;

	if (object == NULL || object->unpacked == NULL)
		return;
	packing = &holder_of(object)->object;
	charters_forget(packing->charters, packing->unpacked);
	packing->unpacked = NULL;
	packing->body = NULL;
}

bool object_is_shared(const struct object *object)
{
	return holder_of(object)->holds > 1;
}

bool object_document(
	const struct object *object, struct arena *arena, struct json *out, struct error *err)
{
	if (object->charters != NULL)
		return pack_get(out, arena, charters_texts(object->charters), object->packed, err);
	*out = object->as_read;
	return true;
}

const struct object *object_whole(const struct object *object)
{
	struct problems problems = {NULL};
	struct object *whole = NULL;
	struct json document;
	struct error err;

	if (object->charters == NULL)
		return object_acquire(object);
	problems.arena = arena_create(OBJECT_ARENA_BYTES_MAX);
	if (problems.arena != NULL && object_document(object, problems.arena, &document, &err) &&
		object_parse(&whole, &document, TEXT("object"), &problems) && whole != NULL) {
		whole->version = object->version;
		whole->revision = object->revision;
	}
	arena_destroy(&problems.arena);
	return whole;
}

/* ---- holding ---- */

const struct object *object_acquire(const struct object *object)
{
	assert(holder_of(object)->holds > 0);
	holder_of(object)->holds++;
	return object;
}

void object_release(const struct object **object)
{
	struct held_object *held;

	if (*object == NULL)
		return;
	held = holder_of(*object);
	assert(held->holds > 0);
	*object = NULL;
	if (--held->holds == 0)
		object_destroy(&held);
}

struct text object_unit(const struct object *object)
{
	switch (object->kind) {
	case OBJECT_IDENTITY: return charter_of(object)->unit;
	case OBJECT_PERSON: return object->person->unit;
	case OBJECT_DATA_SOURCE: return object->data_source->unit;
	case OBJECT_SERVER: return object->server->unit;
	case OBJECT_POLICY: return object->policy->unit;
	case OBJECT_APPLICATION: return object->application->unit;
	case OBJECT_ISSUER: return object->issuer->unit;
	case OBJECT_CONNECTOR: return object->connector->unit;
	case OBJECT_UNIT: return object->unit->name;
	case OBJECT_KIND_COUNT:
	case OBJECT_TOOL:
	case OBJECT_NONE: break;
	}
	return (struct text){NULL, 0};
}

const struct charter *object_charter(const struct object *object)
{
	if (object->kind == OBJECT_IDENTITY)
		return charter_of(object);
	if (object->kind == OBJECT_UNIT && object->unit->sandbox.life_s > 0)
		return &object->unit->sandbox.charter;
	return NULL;
}

const struct json *object_charter_document(const struct object *object, const struct json *document)
{
	if (object->kind == OBJECT_IDENTITY)
		return document;
	return object->kind == OBJECT_UNIT ? json_find(document, "sandbox") : NULL;
}

bool speaks_is_provider(enum speaks value)
{
	return value == SPEAKS_OPENAI || value == SPEAKS_ANTHROPIC;
}

bool tool_is_skill(const struct tool *tool)
{
	return tool->effect == EFFECT_DELEGATE;
}

bool server_model_has_tool(const struct server_model *model, struct text name)
{
	for (uint32_t i = 0; i < model->tools_count; i++)
		if (text_equal(model->tools[i], name))
			return true;
	return false;
}

const struct server_model *server_find_model(const struct server *server, struct text name)
{
	for (uint32_t i = 0; i < server->models_count; i++)
		if (text_equal(server->models[i].name, name))
			return &server->models[i];
	return NULL;
}

bool server_credential_of(const struct server *server, struct text identity, struct text *reference)
{
	*reference = server->credential;
	for (uint32_t i = 0; i < server->credentials_count; i++)
		if (text_equal(server->credentials[i].identity, identity)) {
			*reference = server->credentials[i].credential;
			return true;
		}
	return server->credentials_count == 0 || server->credential.length > 0;
}

bool person_has_role(const struct person *person, const char *role)
{
	for (uint32_t i = 0; i < person->roles_count; i++)
		if (text_is(person->roles[i], role))
			return true;
	return false;
}

bool person_stands_for_role(const struct person *person, struct text role, struct text unit)
{
	for (uint32_t i = 0; i < person->roles_count; i++)
		if (text_equal(person->roles[i], role))
			return text_is(role, "administrator") || text_equal(person->unit, unit) ||
			       text_is(person->unit, "org");
	return false;
}

bool person_has_left(const struct person *person)
{
	return person->left_utc_s != 0;
}

struct text person_sign_in_name(const struct person *person)
{
	if (person->sign_in_issuer.length == 0)
		return TEXT("");
	return person->sign_in_as.length > 0 ? person->sign_in_as : person->name;
}

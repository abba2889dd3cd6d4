/* What each connector sees, as items (docs/formats/inventory.md), and the guide. */
#include "domain/estate/model.h"

#include <stdio.h>

#include "base/json.h"

enum { FILE_BYTES_MAX = 64 * 1024 * 1024, HAND_OVER_BYTES = 64 * 1024, PATH_BYTES = 64 };

/* ---- members ---- */

static void append_text(struct buffer *out, const char *name, struct text value)
{
	if (value.length == 0)
		return;
	buffer_append_format(out, ",\"%s\":", name);
	json_append_string(out, value);
}

static void append_moment(struct buffer *out, const char *name, int64_t at_s)
{
	if (at_s == 0)
		return;
	buffer_append_format(out, ",\"%s\":\"", name);
	append_time(out, at_s);
	buffer_append_byte(out, '"');
}

static void append_is(struct buffer *out, uint32_t is)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = {{GRAPH_NODE_IS_EXTERNAL, "external"}, {GRAPH_NODE_IS_VERIFIED, "verified"},
		{GRAPH_NODE_IS_OFF, "off"}, {GRAPH_NODE_IS_MANAGED, "managed"},
		{GRAPH_NODE_IS_EXPOSED, "exposed"}, {GRAPH_NODE_IS_STATIC, "static"},
		{GRAPH_NODE_IS_AUTONOMOUS, "autonomous"}};
	const char *before = ",\"is\":[\"";

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if ((is & words[i].flag) == 0)
			continue;
		buffer_append_format(out, "%s%s\"", before, words[i].word);
		before = ",\"";
	}
	buffer_append_string(out, before[1] == '"' && before[2] == '\0' ? "]" : "");
}

static void append_where(struct buffer *out, uint32_t environments)
{
	const char *before = ",\"environments\":[\"";

	for (int e = ENVIRONMENT_DEV; e <= ENVIRONMENT_PROD; e++) {
		if ((environments & environment_bit((enum environment)e)) == 0)
			continue;
		buffer_append_format(out, "%s%s\"", before, environment_word((enum environment)e));
		before = ",\"";
	}
	buffer_append_string(out, environments != 0 ? "]" : "");
}

/* ---- nodes ---- */

static struct text person_name(const struct model *model, uint32_t person)
{
	return person == NOTHING ? TEXT("") : model->people[person].name;
}

static void append_account(struct buffer *out, const struct model *model, uint32_t at)
{
	const struct model_account *account = &model->accounts[at];

	buffer_append_string(out, "{\"node\":\"account\",\"id\":");
	json_append_string(out, account->id);
	if (account->kind != KIND_NONE)
		append_text(out, "kind", text_of(identity_kind_word(account->kind)));
	append_text(out, "title", text_of(account->title));
	append_text(out, "owner",
		account->stranger.length > 0 ? account->stranger
					     : person_name(model, account->owner));
	append_text(out, "creator", person_name(model, account->creator));
	if (account->unit != NOTHING)
		append_text(out, "unit", model->units[account->unit].name);
	append_is(out, account->is);
	append_moment(out, "created", account->created_s);
	append_moment(out, "used", account->used_s);
	append_where(out, account->environments);
	buffer_append_string(out, "}\n");
}

static void append_credential(struct buffer *out, struct model *model, uint32_t at)
{
	const struct model_credential *credential = &model->credentials[at];
	struct sha256 digest = sha256_of(&credential->secret, sizeof credential->secret);
	char fingerprint[DIGEST_TEXT_BYTES];

	digest_format(fingerprint, &digest);
	buffer_append_string(out, "{\"node\":\"credential\",\"id\":");
	json_append_string(out, credential->id);
	append_text(out, "owner", person_name(model, credential->owner));
	append_is(out, credential->is);
	append_moment(out, "created", credential->created_s);
	append_moment(out, "expires", credential->expires_s);
	append_moment(out, "used", credential->used_s);
	append_where(out, credential->environments);
	append_text(out, "fingerprint", text_of(fingerprint));
	if ((credential->is & GRAPH_NODE_IS_MANAGED) != 0)
		append_text(out, "place", TEXT("vault:kv/connectors"));
	buffer_append_string(out, "}\n");
	for (uint32_t i = 0; i < credential->holders_count; i++) {
		const struct model_account *holder = &model->accounts[credential->holders[i]];

		buffer_append_string(out, "{\"edge\":\"holds\",\"from\":");
		json_append_string(out,
			holder->connector == credential->connector
				? say(model, "account:%.*s", TEXT_ARGS(holder->id))
				: say(model, "account:/%s/%.*s", connector_names[holder->connector],
					  TEXT_ARGS(holder->id)));
		buffer_append_string(out, ",\"to\":");
		json_append_string(out, say(model, "credential:%.*s", TEXT_ARGS(credential->id)));
		buffer_append_string(out, "}\n");
	}
}

/* ---- edges ---- */

static struct text end_of(
	struct model *model, enum model_end kind, uint32_t at, const struct model_edge *edge)
{
	switch (kind) {
	case END_ACCOUNT: return say(model, "account:%.*s", TEXT_ARGS(model->accounts[at].id));
	case END_RESOURCE: return say(model, "resource:%.*s", TEXT_ARGS(model->resources[at].id));
	case END_IDENTITY:
		return say(model, "identity:%.*s", TEXT_ARGS(model->identities[at].name));
	case END_PERSON: return say(model, "person:%.*s", TEXT_ARGS(model->people[at].name));
	case END_UNKNOWN: break;
	}
	return edge->unknown;
}

static void append_effects(struct buffer *out, uint32_t effects)
{
	const char *before = ",\"effects\":[\"";

	for (int e = EFFECT_READ; e <= EFFECT_EXECUTE; e++) {
		if ((effects & 1u << e) == 0)
			continue;
		buffer_append_format(out, "%s%s\"", before, effect_word((enum effect)e));
		before = ",\"";
	}
	buffer_append_string(out, effects != 0 ? "]" : "");
}

static void append_edge(struct buffer *out, struct model *model, uint32_t at)
{
	const struct model_edge *edge = &model->edges[at];

	buffer_append_format(out, "{\"edge\":\"%s\",\"from\":", graph_edge_kind_word(edge->kind));
	json_append_string(out, end_of(model, edge->from_kind, edge->from, edge));
	append_text(out, "to", end_of(model, edge->to_kind, edge->to, edge));
	append_effects(out, edge->effects);
	append_text(out, "scope", edge->scope == NULL ? TEXT("") : text_of(edge->scope));
	append_text(out, "by", person_name(model, edge->by));
	append_moment(out, "since", edge->since_s);
	append_moment(out, "used", edge->used_s);
	if (edge->uses > 0)
		buffer_append_format(out, ",\"uses\":%u", (unsigned)edge->uses);
	buffer_append_string(out, "}\n");
}

/* ---- one connector ---- */

struct writing {
	const struct estate_sink *sink;
	char path[PATH_BYTES];
	struct buffer out;
	struct error *err;
};

static bool flush(struct writing *writing)
{
	return writing->out.length < HAND_OVER_BYTES ||
	       hand_over(writing->sink, writing->path, &writing->out, writing->err);
}

static bool write_connector(struct writing *writing, struct model *model, uint32_t connector)
{
	bool ok = true;

	(void)snprintf(writing->path, sizeof writing->path, "inventory/%s.jsonl",
		connector_names[connector]);
	for (uint32_t i = 0; i < model->resources_count; i++)
		if (model->resources[i].connector == connector)
			buffer_append_format(&writing->out,
				"{\"node\":\"resource\",\"id\":\"%.*s\"}\n",
				TEXT_ARGS(model->resources[i].id));
	for (uint32_t i = 0; ok && i < model->accounts_count; i++) {
		if (model->accounts[i].connector == connector)
			append_account(&writing->out, model, i);
		ok = flush(writing);
	}
	for (uint32_t i = 0; ok && i < model->credentials_count; i++) {
		if (model->credentials[i].connector == connector)
			append_credential(&writing->out, model, i);
		ok = flush(writing);
	}
	for (uint32_t i = 0; ok && i < model->edges_count; i++) {
		if (model->edges[i].connector == connector)
			append_edge(&writing->out, model, i);
		ok = flush(writing);
	}
	return ok && hand_over(writing->sink, writing->path, &writing->out, writing->err);
}

bool write_inventories(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct writing writing = {.sink = sink, .err = err};
	bool ok = true;

	buffer_init(&writing.out, FILE_BYTES_MAX);
	for (uint32_t i = 0; ok && i < MODEL_CONNECTORS; i++)
		ok = write_connector(&writing, model, i);
	buffer_deinit(&writing.out);
	return ok;
}

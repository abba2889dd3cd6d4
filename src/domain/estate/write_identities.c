/* Charters, so many a folder, in an order in which peers come first; and what became of them
 * afterwards. */
#include "domain/estate/model.h"

#include <stdio.h>

enum { FILE_BYTES_MAX = 64 * 1024 * 1024, HAND_OVER_BYTES = 64 * 1024, PATH_BYTES = 64 };

static void append_environments(struct buffer *out, uint32_t environments)
{
	bool is_first = true;

	buffer_append_string(out, "environments: [");
	for (int e = ENVIRONMENT_DEV; e <= ENVIRONMENT_PROD; e++) {
		if ((environments & environment_bit((enum environment)e)) == 0)
			continue;
		buffer_append_format(
			out, "%s%s", is_first ? "" : ", ", environment_word((enum environment)e));
		is_first = false;
	}
	buffer_append_string(out, "]\n");
}

static void append_lines(
	struct buffer *out, const struct model *model, const struct model_identity *identity)
{
	buffer_append_string(out, "entitlements:\n");
	for (uint32_t i = 0; i < identity->lines_count; i++) {
		const struct model_line *line = &identity->lines[i];
		const struct model_tool *tool = &model->tools[line->tool];

		buffer_append_format(out, "  - {effect: %s, tool: %.*s%s%s}\n",
			effect_word(tool->effect), TEXT_ARGS(tool->name),
			line->has_condition ? ", when: 'context.environment != \"dev\"'" : "",
			line->has_approval ? ", approvals: [owner]" : "");
	}
}

static void append_keys(struct buffer *out, const struct model_identity *identity)
{
	for (uint32_t i = 0; i < identity->keys_count; i++) {
		const struct model_key *key = &identity->keys[i];
		struct sha256 certificate = sha256_of(&key->secret, sizeof key->secret);
		char digest[DIGEST_TEXT_BYTES];

		digest_format(digest, &certificate);
		buffer_append_format(out, "%s  - {environment: %s, certificate: \"%s\"",
			i == 0 ? "keys:\n" : "", environment_word(key->environment), digest);
		if (key->expires_s != 0) {
			buffer_append_string(out, ", expires: \"");
			append_time(out, key->expires_s);
			buffer_append_byte(out, '"');
		}
		buffer_append_string(out, "}\n");
	}
}

static enum environment first_environment(uint32_t environments)
{
	int e = ENVIRONMENT_DEV;

	while (e < ENVIRONMENT_PROD && (environments & environment_bit((enum environment)e)) == 0)
		e++;
	return (enum environment)e;
}

/* What holds on to one workload, whatever its subject is. */
static void append_claims(struct buffer *out, const struct model_identity *identity, bool is_github)
{
	if (identity->rule == RULE_PREFIX_LOOSE)
		buffer_append_string(out, "    claims: [{name: ref, prefix: refs/heads/}]\n");
	else if (is_github && identity->has_number)
		buffer_append_format(out,
			"    claims: [{name: repository_id, is: \"%zu\"}, "
			"{name: repository_owner_id, is: \"4711\"}]\n",
			identity->name.length * 7919);
	else if (is_github)
		buffer_append_format(out,
			"    claims: [{name: repository, is: \"example/%.*s\"}]\n",
			TEXT_ARGS(identity->name));
	else if (identity->rule == RULE_PREFIX_HELD)
		buffer_append_format(out,
			"    claims: [{name: /kubernetes.io/namespace, is: work}, "
			"{name: /kubernetes.io/serviceaccount/name, is: \"%.*s\"}]\n",
			TEXT_ARGS(identity->name));
}

static void append_rule(
	struct buffer *out, const struct model *model, const struct model_identity *identity)
{
	bool is_github = identity->issuer != NOTHING && model->issuers[identity->issuer].is_github;
	bool is_exact = identity->rule == RULE_EXACT;
	struct text issuer =
		identity->issuer == NOTHING ? TEXT("gone") : model->issuers[identity->issuer].name;

	if (identity->rule == RULE_NONE)
		return;
	buffer_append_format(out, "federation:\n  - issuer: %.*s\n    environment: %s\n    %s: \"",
		TEXT_ARGS(issuer), environment_word(first_environment(identity->environments)),
		is_exact ? "subject" : "subject-prefix");
	if (is_github)
		buffer_append_format(out, "repo:example/%.*s:%s\"\n", TEXT_ARGS(identity->name),
			is_exact ? "run" : "");
	else
		buffer_append_format(out, "system:serviceaccount:work:%.*s\"\n",
			is_exact ? (int)identity->name.length : 0, identity->name.data);
	append_claims(out, identity, is_github);
}

static void append_accounts(
	struct buffer *out, struct model *model, const struct model_identity *identity)
{
	uint32_t count = identity->accounts_count + (identity->missing.length > 0);

	for (uint32_t i = 0; i < count; i++) {
		buffer_append_string(out, i == 0 ? "accounts: [" : ", ");
		json_append_string(out, i < identity->accounts_count
						? account_name(model, identity->accounts[i])
						: identity->missing);
	}
	buffer_append_string(out, count > 0 ? "]\n" : "");
}

static void append_risk(
	struct buffer *out, const struct model *model, const struct model_identity *identity)
{
	struct text second = model->people[identity->backup].name;
	bool has_two = identity->risk == RISK_CRITICAL;

	if (identity->accepted_until_s == 0 || identity->is_sandbox)
		return;
	buffer_append_format(out,
		"risk-record:\n  residual: low\n  accepted-by: [%.*s%s%.*s]\n"
		"  accepted-until: \"",
		TEXT_ARGS(model->people[identity->accepter].name), has_two ? ", " : "",
		has_two ? (int)second.length : 0, second.data);
	append_time(out, identity->accepted_until_s);
	buffer_append_string(out, "\"\n");
}

static void append_rest(
	struct buffer *out, const struct model *model, const struct model_identity *identity)
{
	if (identity->source != NOTHING)
		buffer_append_format(out, "data-sources: [{name: %.*s, up-to: internal}]\n",
			TEXT_ARGS(model->sources[identity->source].name));
	else if (identity->declares != NOTHING)
		buffer_append_format(out, "data-sources: [{name: %.*s, up-to: restricted}]\n",
			TEXT_ARGS(model->sources[identity->declares].name));
	buffer_append_string(out, "outputs: [{to: reply, up-to: internal}]\n");
	if (identity->peer != NOTHING && !identity->is_sandbox)
		buffer_append_format(out,
			"peers: [{identity: %.*s, effects: [read], up-to: internal}]\n",
			TEXT_ARGS(model->identities[identity->peer].name));
	if (identity->binding != BINDING_NEED_BY_RISK)
		buffer_append_format(out, "binding: %s\n", binding_need_word(identity->binding));
	if (identity->has_impact)
		buffer_append_string(out, "impact: Somebody has to do it by hand\n");
	if (identity->has_review)
		buffer_append_string(out, "review: 90d\n");
	if (identity->is_sandbox)
		buffer_append_format(out, "sandbox: {template: 1, approved-by: \"%.*s\"}\n",
			TEXT_ARGS(model->people[identity->backup].name));
	if (identity->expires_s == 0)
		return;
	buffer_append_string(out, "expires: \"");
	append_time(out, identity->expires_s);
	buffer_append_string(out, "\"\n");
}

static void append_identity(struct buffer *out, struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];

	buffer_append_format(out,
		"---\nobject: identity\nname: %.*s\nkind: %s\nclass: %s\nrisk: %s\nowner: %.*s\n"
		"backup-owner: %.*s\nunit: %.*s\npurpose: Work of %.*s that nobody has to do\n",
		TEXT_ARGS(identity->name), identity_kind_word(identity->kind),
		use_class_word(identity->use_class), risk_tier_word(identity->risk),
		TEXT_ARGS(model->people[identity->owner].name),
		TEXT_ARGS(model->people[identity->backup].name),
		TEXT_ARGS(model->units[identity->unit].name),
		TEXT_ARGS(model->units[identity->unit].name));
	append_environments(out, identity->environments);
	append_accounts(out, model, identity);
	append_lines(out, model, identity);
	append_keys(out, identity);
	append_rule(out, model, identity);
	append_risk(out, model, identity);
	append_rest(out, model, identity);
}

/* All that are past, or all that are not. */
static bool write_all(
	struct model *model, const struct estate_sink *sink, bool is_past, struct error *err)
{
	char path[PATH_BYTES] = "past/identities.yaml";
	struct buffer out;
	uint32_t written = 0;
	bool ok = true;

	buffer_init(&out, FILE_BYTES_MAX);
	for (uint32_t i = 0; ok && i < model->identities_count; i++) {
		if (model->identities[i].is_past != is_past)
			continue;
		if (!is_past && written % ESTATE_FOLDER_DOCUMENTS == 0) {
			ok = hand_over(sink, path, &out, err);
			(void)snprintf(path, sizeof path, "charters/4-identities-%03u/all.yaml",
				(unsigned)(written / ESTATE_FOLDER_DOCUMENTS + 1));
		}
		append_identity(&out, model, i);
		written++;
		if (out.length > HAND_OVER_BYTES)
			ok = ok && hand_over(sink, path, &out, err);
	}
	ok = ok && hand_over(sink, path, &out, err);
	buffer_deinit(&out);
	return ok;
}

static bool write_states(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct buffer out;
	bool ok;

	buffer_init(&out, FILE_BYTES_MAX);
	buffer_append_string(&out, "identity,state\n");
	for (uint32_t i = 0; i < model->identities_count; i++)
		if (model->identities[i].state != IDENTITY_ACTIVE)
			buffer_append_format(&out, "%.*s,%s\n",
				TEXT_ARGS(model->identities[i].name),
				identity_state_word(model->identities[i].state));
	ok = hand_over(sink, "states.csv", &out, err);
	buffer_deinit(&out);
	return ok;
}

static bool write_usage(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct buffer out;
	bool ok;

	buffer_init(&out, FILE_BYTES_MAX);
	buffer_append_string(&out, "identity,tool,uses,used\n");
	for (uint32_t i = 0; i < model->identities_count; i++) {
		const struct model_identity *identity = &model->identities[i];

		if (identity->used_s == 0)
			continue;
		buffer_append_format(&out, "%.*s,%.*s,%u,", TEXT_ARGS(identity->name),
			TEXT_ARGS(model->tools[identity->lines[0].tool].name),
			(unsigned)identity->uses);
		append_time(&out, identity->used_s);
		buffer_append_byte(&out, '\n');
	}
	ok = hand_over(sink, "usage.csv", &out, err);
	buffer_deinit(&out);
	return ok;
}

/* When people looked at what last, and by when they have to. */
static bool write_looks(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct buffer out;
	bool ok;

	buffer_init(&out, FILE_BYTES_MAX);
	buffer_append_string(&out, "identity,looked,due,judged\n");
	for (uint32_t i = 0; i < model->identities_count; i++) {
		buffer_append_format(&out, "%.*s,", TEXT_ARGS(model->identities[i].name));
		append_time(&out, model->identities[i].looked_s);
		buffer_append_byte(&out, ',');
		if (model->identities[i].due_s != 0)
			append_time(&out, model->identities[i].due_s);
		buffer_append_byte(&out, ',');
		if (model->identities[i].judged_s != 0)
			append_time(&out, model->identities[i].judged_s);
		buffer_append_byte(&out, '\n');
	}
	ok = hand_over(sink, "looks.csv", &out, err);
	buffer_deinit(&out);
	return ok;
}

bool write_identities(struct model *model, const struct estate_sink *sink, struct error *err)
{
	return write_all(model, sink, false, err) && write_all(model, sink, true, err) &&
	       write_states(model, sink, err) && write_looks(model, sink, err) &&
	       write_usage(model, sink, err);
}

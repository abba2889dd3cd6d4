/* The answer key: each check of docs/posture-checks.md that an estate can break, and who does. */
#include "domain/estate/rules.h"

#include <string.h>

enum about {
	ABOUT_IDENTITY,
	ABOUT_SERVER,
	ABOUT_TOOL,
	ABOUT_SOURCE,
	ABOUT_ISSUER,
	ABOUT_UNIT,
	ABOUT_ACCOUNT,
	ABOUT_CREDENTIAL,
	ABOUT_END
};

static const struct {
	const char *check;
	enum about about;
	rule_is *is;
} rules[] = {
	{"owner-gone", ABOUT_IDENTITY, rule_owner_gone},
	{"backup-gone", ABOUT_IDENTITY, rule_backup_gone},
	{"charter-over", ABOUT_IDENTITY, rule_charter_over},
	{"dormant", ABOUT_IDENTITY, rule_dormant},
	{"sandbox-escape", ABOUT_IDENTITY, rule_sandbox_escape},
	{"risk-missing", ABOUT_IDENTITY, rule_risk_missing},
	{"review-missing", ABOUT_IDENTITY, rule_review_missing},
	{"risk-unaccepted", ABOUT_IDENTITY, rule_risk_unaccepted},
	{"review-overdue", ABOUT_IDENTITY, rule_review_overdue},
	{"key-endless", ABOUT_IDENTITY, rule_key_endless},
	{"token-unbound", ABOUT_IDENTITY, rule_token_unbound},
	{"key-shared", ABOUT_IDENTITY, rule_key_shared},
	{"key-across", ABOUT_IDENTITY, rule_key_across},
	{"rule-wildcard", ABOUT_IDENTITY, rule_wildcard},
	{"rule-dangling", ABOUT_IDENTITY, rule_dangling},
	{"rule-by-name", ABOUT_IDENTITY, rule_by_name},
	{"line-irreversible", ABOUT_IDENTITY, rule_line_irreversible},
	{"line-unchecked", ABOUT_IDENTITY, rule_line_unchecked},
	{"identity-many", ABOUT_IDENTITY, rule_identity_many},
	{"account-alive", ABOUT_IDENTITY, rule_account_alive},
	{"account-missing", ABOUT_IDENTITY, rule_account_missing},
	{"hop-unreviewed", ABOUT_IDENTITY, rule_hop_unreviewed},
	{"excess-open", ABOUT_IDENTITY, rule_excess_open},
	{"hand-undeclared", ABOUT_IDENTITY, rule_hand_undeclared},
	{"secret-static", ABOUT_SERVER, rule_secret_static},
	{"tool-unpinned", ABOUT_TOOL, rule_tool_unpinned},
	{"reversal-unsaid", ABOUT_TOOL, rule_reversal_unsaid},
	{"source-unlabelled", ABOUT_SOURCE, rule_source_unlabelled},
	{"custodian-gone", ABOUT_SOURCE, rule_custodian_gone},
	{"issuer-unowned", ABOUT_ISSUER, rule_issuer_unowned},
	{"unit-ungoverned", ABOUT_UNIT, rule_unit_ungoverned},
	{"account-unregistered", ABOUT_ACCOUNT, rule_account_unregistered},
	{"grant-unregistered", ABOUT_ACCOUNT, rule_grant_unregistered},
	{"key-unregistered", ABOUT_ACCOUNT, rule_key_unregistered},
	{"account-ownerless", ABOUT_ACCOUNT, rule_account_ownerless},
	{"external-unonboarded", ABOUT_ACCOUNT, rule_external_unonboarded},
	{"grant-unused", ABOUT_ACCOUNT, rule_grant_unused},
	{"grant-wide", ABOUT_ACCOUNT, rule_grant_wide},
	{"permission-unexplained", ABOUT_ACCOUNT, rule_permission_unexplained},
	{"account-shared", ABOUT_ACCOUNT, rule_account_shared},
	{"credential-exposed", ABOUT_CREDENTIAL, rule_credential_exposed},
	{"credential-shared", ABOUT_CREDENTIAL, rule_credential_shared},
	{"credential-across", ABOUT_CREDENTIAL, rule_credential_across},
	{"credential-unmanaged", ABOUT_CREDENTIAL, rule_credential_unmanaged},
	{"credential-endless", ABOUT_CREDENTIAL, rule_credential_endless},
	{"credential-ownerless", ABOUT_CREDENTIAL, rule_credential_ownerless},
	{"credential-stray", ABOUT_CREDENTIAL, rule_credential_stray},
	{"far-end-unknown", ABOUT_END, rule_end_unknown},
};

enum { RULES = sizeof rules / sizeof *rules, ANSWER_BUFFER_BYTES_MAX = 64 * 1024 * 1024 };

static uint32_t how_many(const struct model *model, enum about about)
{
	switch (about) {
	case ABOUT_IDENTITY: return model->identities_count;
	case ABOUT_SERVER: return model->servers_count;
	case ABOUT_TOOL: return model->tools_count;
	case ABOUT_SOURCE: return model->sources_count;
	case ABOUT_ISSUER: return model->issuers_count;
	case ABOUT_UNIT: return model->units_count;
	case ABOUT_ACCOUNT: return model->accounts_count;
	case ABOUT_CREDENTIAL: return model->credentials_count;
	case ABOUT_END: return model->edges_count;
	}
	return 0;
}

/* "account:/okta/1" is account/okta/1. */
static struct text end_subject(struct model *model, struct text end)
{
	ptrdiff_t colon = text_find_byte(end, ':');
	struct text name = text_after(end, (size_t)colon + 1);

	if (name.data[0] == '/')
		name = text_after(name, 1);
	return say(model, "%.*s/%.*s", (int)colon, end.data, TEXT_ARGS(name));
}

static struct text named(struct model *model, const char *kind, struct text name)
{
	return say(model, "%s/%.*s", kind, TEXT_ARGS(name));
}

static struct text subject_of(struct model *model, enum about about, uint32_t at)
{
	switch (about) {
	case ABOUT_IDENTITY: return named(model, "identity", model->identities[at].name);
	case ABOUT_SERVER: return named(model, "server", model->servers[at].name);
	case ABOUT_TOOL: return named(model, "tool", model->tools[at].name);
	case ABOUT_SOURCE: return named(model, "data-source", model->sources[at].name);
	case ABOUT_ISSUER: return named(model, "issuer", model->issuers[at].name);
	case ABOUT_UNIT: return named(model, "unit", model->units[at].name);
	case ABOUT_ACCOUNT: return named(model, "account", account_name(model, at));
	case ABOUT_CREDENTIAL:
		return say(model, "credential/%s/%.*s",
			connector_names[model->credentials[at].connector],
			TEXT_ARGS(model->credentials[at].id));
	case ABOUT_END: return end_subject(model, model->edges[at].unknown);
	}
	return TEXT("");
}

static void append_subject(struct buffer *out, struct text subject, bool *is_first)
{
	buffer_append_string(out, *is_first ? "\n      " : ",\n      ");
	*is_first = false;
	json_append_string(out, subject);
}

static void append_answers(struct buffer *out, struct model *model, size_t rule)
{
	bool is_first = true;

	buffer_append_format(out, "%s\n    \"%s\": [", rule == 0 ? "" : ",", rules[rule].check);
	for (uint32_t i = 0; i < how_many(model, rules[rule].about); i++)
		if (rules[rule].is(model, i))
			append_subject(out, subject_of(model, rules[rule].about, i), &is_first);
	/* Accounts that charters name, and nobody sees, are ends of edges, too. */
	for (uint32_t i = 0; rules[rule].about == ABOUT_END && i < model->identities_count; i++)
		if (model->identities[i].missing.length > 0)
			append_subject(out, named(model, "account", model->identities[i].missing),
				&is_first);
	buffer_append_string(out, is_first ? "]" : "\n    ]");
}

/* Its check was violated by something else in the end, or not: then it is a near miss. */
static bool is_near(const struct model *model, const struct model_near *near, size_t *rule)
{
	for (*rule = 0; *rule < RULES; (*rule)++)
		if (strcmp(rules[*rule].check, near->check) == 0)
			return !rules[*rule].is(model, near->at);
	return false;
}

static void append_near(struct buffer *out, struct model *model)
{
	bool is_first = true;
	size_t rule;

	for (uint32_t i = 0; i < model->near_count; i++) {
		const struct model_near *near = &model->near[i];

		if (!is_near(model, near, &rule))
			continue;
		buffer_append_format(out,
			"%s\n    {\"check\": \"%s\", \"subject\": ", is_first ? "" : ",",
			near->check);
		json_append_string(out, subject_of(model, rules[rule].about, near->at));
		buffer_append_format(out, ", \"why\": \"%s\"}", near->why);
		is_first = false;
	}
}

/* Names in `past`: their documents would not be taken today. */
static void append_past(struct buffer *out, struct model *model)
{
	bool is_first = true;

	for (uint32_t i = 0; i < model->identities_count; i++)
		if (model->identities[i].is_past)
			append_subject(out, subject_of(model, ABOUT_IDENTITY, i), &is_first);
}

bool write_answers(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct buffer out;
	bool ok;

	buffer_init(&out, ANSWER_BUFFER_BYTES_MAX);
	buffer_append_format(&out,
		"{\n  \"format\": \"remit-estate-answers\",\n  \"version\": 1,\n"
		"  \"people\": %u,\n  \"identities\": %u,\n  \"seed\": %llu,\n  \"at\": \"",
		(unsigned)model->order->people, (unsigned)model->order->identities,
		(unsigned long long)model->order->seed);
	append_time(&out, model->order->at_utc_s);
	buffer_append_string(&out, "\",\n  \"answers\": {");
	for (size_t i = 0; i < RULES; i++)
		append_answers(&out, model, i);
	buffer_append_string(&out, "\n  },\n  \"near_misses\": [");
	append_near(&out, model);
	buffer_append_string(&out, "\n  ],\n  \"past\": [");
	append_past(&out, model);
	buffer_append_string(&out, "\n  ]\n}\n");
	ok = hand_over(sink, "answers.json", &out, err);
	buffer_deinit(&out);
	return ok;
}

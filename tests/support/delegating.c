#include "support/delegating.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/token/access_token.h"

static void must(bool is_ok, const struct error *err)
{
	if (is_ok)
		return;
	fprintf(stderr, "delegating: %s\n", err->text);
	abort();
}

const char *delegating_name(unsigned identity)
{
	static const char *const names[DELEGATING_IDENTITIES] = {
		"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9"};

	return names[identity];
}

static const char charter[] =
	"object: identity\nname: %s\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Works in a chain\nenvironments: [staging]\n"
	"data-sources: [{name: tickets, up-to: internal}]\noutputs: [{to: reply, up-to: "
	"internal}]\n"
	"entitlements: [{effect: read, tool: files/read}, {effect: write, tool: files/write}]\n"
	"peers: [%s]\nlimits: {task: 1h}\nexpires: 2030-01-01\n%s";

void delegating_peers(struct delegating *delegating, unsigned identity, const char *peers)
{
	struct governed *governed = &delegating->issuing.governed;
	const char *name = delegating_name(identity);
	struct text yaml = text_format(governed->arena, charter, name, peers,
		issuing_key_yaml(&delegating->issuing, delegating->keys[identity]));

	must(governed_apply(governed, "adi", yaml.data), &governed->last.err);
	if (governed->last.is_changed)
		must(governed_step(governed, "bo", REGISTRAR_APPROVE, name), &governed->last.err);
}

void delegating_line_up(struct delegating *delegating, unsigned count)
{
	for (unsigned i = 0; i + 1 < count; i++) {
		struct text line = text_format(delegating->issuing.governed.arena,
			"{identity: %s, effects: [read, write], up-to: internal, depth: %u}",
			delegating_name(i + 1), count - 2 - i < 6 ? count - 2 - i : 6);

		delegating_peers(delegating, i, line.data);
	}
}

void delegating_init(struct delegating *delegating)
{
	struct error err = {0};

	issuing_init(&delegating->issuing);
	for (unsigned i = 0; i < DELEGATING_IDENTITIES; i++) {
		delegating->keys[i] = NULL;
		must(private_key_generate(&delegating->keys[i], SIGNATURE_ES256, &err), &err);
		delegating_peers(delegating, i, "");
	}
}

void delegating_deinit(struct delegating *delegating)
{
	for (unsigned i = 0; i < DELEGATING_IDENTITIES; i++)
		private_key_destroy(&delegating->keys[i]);
	issuing_deinit(&delegating->issuing);
}

static struct issue_request *request_of(struct delegating *delegating, unsigned identity)
{
	struct issue_request *request =
		arena_new(delegating->issuing.governed.arena, struct issue_request);

	request->assertion = issuing_assertion_of(
		&delegating->issuing, delegating_name(identity), delegating->keys[identity]);
	request->resource = TEXT(ISSUING_FILES);
	return request;
}

static struct text answer_of(struct delegating *delegating, struct issue_request *request)
{
	if (issuing_request(&delegating->issuing, request))
		return delegating->issuing.token;
	return (struct text){0};
}

struct text delegating_open(struct delegating *delegating, unsigned identity, const char *may_act)
{
	struct issue_request *request = request_of(delegating, identity);

	request->may_act = text_of(may_act);
	return answer_of(delegating, request);
}

struct text delegating_exchange_as(struct delegating *delegating, unsigned identity,
	struct text subject, void (*fill)(struct issue_request *request, const void *context),
	const void *context)
{
	struct issue_request *request = request_of(delegating, identity);

	request->is_exchange = true;
	request->exchange.subject_token = subject;
	request->exchange.subject_token_type = TEXT(TOKEN_TYPE_ACCESS);
	if (fill != NULL)
		fill(request, context);
	return answer_of(delegating, request);
}

struct text delegating_exchange(
	struct delegating *delegating, unsigned identity, struct text subject)
{
	return delegating_exchange_as(delegating, identity, subject, NULL, NULL);
}

struct json delegating_claims(struct delegating *delegating, struct text token)
{
	static const char *const types[] = {ACCESS_TOKEN_TYPE, NULL};
	const struct jws_rules rules = {.types = types};
	struct jws jws;

	if (jws_parse(&jws, delegating->issuing.governed.arena, token, &rules) != TOKEN_ACCEPTED)
		abort();
	return jws.claims;
}

enum token_reason delegating_ask(struct delegating *delegating, struct text token)
{
	struct issue_caller caller;

	return issue_authenticate(delegating->issuing.issue, token, TEXT(ISSUING_FILES), &caller);
}

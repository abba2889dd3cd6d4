/* Rules × claims × key sets.  The input is one JSON document: {"issuer": ..., "charter": ...,
 * "claims": ..., "keys": ...}.  Laws: what a rule matches has the subject it says and each
 * claim it says, by another way of looking; a rule with a fault matches nothing; a key set that
 * is refused hands over nothing. */
#include <assert.h>
#include <string.h>

#include "domain/charter/object.h"
#include "domain/federation/key_source.h"
#include "domain/federation/match.h"
#include "domain/federation/rule.h"

enum { ROOM_BYTES = 1 << 24 };

static struct object *object_of(const struct json *document, struct arena *arena)
{
	struct problems problems = {.arena = arena};
	struct object *object = NULL;

	if (document == NULL || !object_parse(&object, document, TEXT("f"), &problems))
		return NULL;
	return object;
}

static bool begins(struct text whole, struct text prefix)
{
	return whole.length > prefix.length && prefix.length > 0 &&
	       memcmp(whole.data, prefix.data, prefix.length) == 0;
}

static void check_match(const struct issuer *issuer, const struct federation_rule *rule,
	struct text subject, const struct json *claims)
{
	assert(text_equal(issuer->name, rule->issuer));
	assert(federation_rule_fault(issuer, rule) == NULL);
	assert(text_equal(subject, rule->subject) || begins(subject, rule->subject_prefix));
	for (uint32_t i = 0; i < rule->claims_count; i++) {
		const struct federation_claim *claim = &rule->claims[i];
		const struct json *value;

		if (claim->name.data[0] == '/')
			continue;
		value = json_find_text(claims, claim->name);
		assert(value != NULL && value->type == JSON_STRING);
		assert(text_equal(value->string, claim->is) ||
			begins(value->string, claim->prefix));
	}
}

static void check_rules(
	const struct object *issuer, const struct object *charter, const struct json *claims)
{
	struct text subject = json_text_or(claims, "sub", "");

	for (uint32_t i = 0; i < charter_of(charter)->federation_count; i++) {
		const struct federation_rule *rule = &charter_of(charter)->federation[i];

		assert(federation_subject_fault(rule) == NULL);
		assert((rule->subject.length == 0) != (rule->subject_prefix.length == 0));
		if (federation_match(issuer->issuer, rule, subject, claims) == FEDERATION_MATCHED)
			check_match(issuer->issuer, rule, subject, claims);
	}
}

static void check_keys(const struct issuer *issuer, const struct json *document)
{
	struct issuer_keys *keys = NULL;
	struct error err = {0};
	size_t roots = 0;

	if (!issuer_keys_read(&keys, issuer, document, &err)) {
		assert(keys == NULL && err.code != ERROR_NONE);
		return;
	}
	(void)issuer_keys_roots(keys, &roots);
	assert(issuer_keys_count(keys) <= ISSUER_KEYS_MAX && roots <= ISSUER_ROOTS_MAX);
	assert(issuer_keys_count(keys) + roots > 0);
	for (unsigned each = SIGNATURE_ES256; each <= SIGNATURE_ED25519; each++)
		if ((issuer->algorithms & UINT32_C(1) << each) == 0)
			assert(issuer_keys_find(keys, (struct text){NULL, 0},
				       (enum signature_algorithm)each) == NULL);
	issuer_keys_destroy(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct error err = {0};
	struct json whole;

	if (arena != NULL && json_parse(&whole, arena, (struct text){(const char *)data, size},
				     &json_limits_default, &err)) {
		const struct object *issuer = object_of(json_find(&whole, "issuer"), arena);
		const struct object *charter = object_of(json_find(&whole, "charter"), arena);
		const struct json *claims = json_find(&whole, "claims");
		const struct json *keys = json_find(&whole, "keys");
		bool is_issuer = issuer != NULL && issuer->kind == OBJECT_ISSUER;

		if (is_issuer && charter != NULL && charter->kind == OBJECT_IDENTITY &&
			claims != NULL && claims->type == JSON_OBJECT)
			check_rules(issuer, charter, claims);
		if (is_issuer && keys != NULL)
			check_keys(issuer->issuer, keys);
		object_release(&issuer);
		object_release(&charter);
	}
	arena_destroy(&arena);
	return 0;
}

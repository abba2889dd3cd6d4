/* A rule is met if and only if the subject and every claim of it are what it says, by an
 * oracle that knows what was written instead of reading it; a claim more only narrows, in
 * whatever order; and no change of one letter in what a rule holds on to passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/federation/match.h"
#include "domain/federation/rule.h"
#include "support/seeded.h"

enum { CASES = 200000, ROOM_BYTES = 1 << 20, TEXT_BYTES = 2048, VALUE_BYTES = 16, FIELDS = 4 };

/* What tokens say: a member, one with a dot, and two behind a name with a dot. */
static const struct {
	const char *name; /* as a rule writes it */
} fields[FIELDS] = {{"a"}, {"b.c"}, {"/k.io/n"}, {"/k.io/d~1e"}};

static const char *const values[] = {
	"x", "X", "x/", "x/y", "x/yy", "x-y", "x-", "xy", "7", "x/y/", "x:y", " x", "x ", ""};

enum kind { KIND_ABSENT, KIND_TEXT, KIND_NUMBER, KIND_LIST, KIND_COUNT };

struct token {
	enum kind kinds[FIELDS];
	const char *values[FIELDS];
	const char *subject;
};

struct drawn {
	struct federation_rule rule;
	struct federation_claim claims[FIELDS];
	unsigned fields[FIELDS]; /* which each claim is of */
};

/* Mostly text, or little would ever be met. */
static struct token draw_token(void)
{
	struct token token = {.subject = values[pick(COUNT(values))]};

	for (unsigned i = 0; i < FIELDS; i++) {
		token.kinds[i] = pick(4) == 0 ? (enum kind)pick(KIND_COUNT) : KIND_TEXT;
		token.values[i] = values[pick(COUNT(values))];
	}
	return token;
}

static void write_value(struct buffer *out, const struct token *token, unsigned field)
{
	switch (token->kinds[field]) {
	case KIND_TEXT: json_append_string(out, text_of(token->values[field])); break;
	case KIND_NUMBER: buffer_append_string(out, "7"); break;
	case KIND_LIST:
		buffer_append_byte(out, '[');
		json_append_string(out, text_of(token->values[field]));
		buffer_append_byte(out, ']');
		break;
	case KIND_ABSENT:
	case KIND_COUNT: break;
	}
}

static void write_member(struct buffer *out, const struct token *token, unsigned field,
	const char *name, bool *is_first)
{
	if (token->kinds[field] == KIND_ABSENT)
		return;
	buffer_append_string(out, *is_first ? "" : ",");
	*is_first = false;
	buffer_append_format(out, "\"%s\":", name);
	write_value(out, token, field);
}

static struct json claims_of(struct arena *arena, const struct token *token)
{
	struct buffer out;
	struct error err = {0};
	struct json claims;
	bool is_first = true;

	buffer_init(&out, TEXT_BYTES);
	buffer_append_byte(&out, '{');
	write_member(&out, token, 0, "a", &is_first);
	write_member(&out, token, 1, "b.c", &is_first);
	buffer_append_string(&out, is_first ? "" : ",");
	buffer_append_string(&out, "\"k.io\":{");
	is_first = true;
	write_member(&out, token, 2, "n", &is_first);
	write_member(&out, token, 3, "d/e", &is_first);
	buffer_append_string(&out, "}}");
	assert_true(json_parse(
		&claims, arena, text_copy(arena, buffer_text(&out)), &json_limits_default, &err));
	buffer_deinit(&out);
	return claims;
}

/* Half of what is held on to is what the token says. */
static struct text wish(const char *said)
{
	return text_of(pick(2) == 0 ? said : values[pick(COUNT(values))]);
}

static void draw_rule(struct drawn *drawn, const struct token *token)
{
	*drawn = (struct drawn){.rule = {.issuer = TEXT("i"), .claims = drawn->claims}};
	if (pick(2) == 0)
		drawn->rule.subject = wish(token->subject);
	else
		drawn->rule.subject_prefix = wish(token->subject);
	drawn->rule.claims_count = pick(FIELDS + 1);
	for (uint32_t i = 0; i < drawn->rule.claims_count; i++) {
		unsigned field = drawn->fields[i] = pick(FIELDS);

		drawn->claims[i].name = text_of(fields[field].name);
		if (pick(2) == 0)
			drawn->claims[i].is = wish(token->values[field]);
		else
			drawn->claims[i].prefix = wish(token->values[field]);
	}
}

static bool is_mark(char c)
{
	return strchr("/:- ", c) != NULL;
}

/* What docs/federation.md says of a prefix, letter by letter. */
static bool may_be_prefix(const char *prefix, const char *ends)
{
	size_t length = strlen(prefix);
	bool says = false;

	for (size_t i = 0; i < length; i++)
		says = says || !is_mark(prefix[i]);
	return length > 0 && says && strchr(ends, prefix[length - 1]) != NULL;
}

static bool is_met(const char *said, struct text exact, struct text prefix, const char *ends)
{
	char written[VALUE_BYTES] = "";

	if (exact.length > 0)
		return strlen(said) == exact.length && strncmp(said, exact.data, exact.length) == 0;
	if (prefix.length > 0)
		memcpy(written, prefix.data, prefix.length);
	return may_be_prefix(written, ends) && strstr(said, written) == said &&
	       strcmp(said, written) != 0;
}

static bool oracle(const struct drawn *drawn, const struct token *token)
{
	const struct federation_rule *rule = &drawn->rule;

	if (!is_met(token->subject, rule->subject, rule->subject_prefix, "/:"))
		return false;
	for (uint32_t i = 0; i < rule->claims_count; i++) {
		unsigned field = drawn->fields[i];

		if (token->kinds[field] != KIND_TEXT ||
			!is_met(token->values[field], drawn->claims[i].is, drawn->claims[i].prefix,
				"/:- "))
			return false;
	}
	return true;
}

static const struct issuer issuer = {
	.name = {"i", 1}, .speaks = ISSUER_SPEAKS_OIDC, .source = ISSUER_SOURCE_FILE};

static bool matches(
	const struct federation_rule *rule, const struct token *token, const struct json *claims)
{
	return federation_match(&issuer, rule, text_of(token->subject), claims) ==
	       FEDERATION_MATCHED;
}

/* A rule that is met: less of it is met, too, and turned round; and one letter else is not. */
static void check_met(struct drawn *drawn, const struct token *token, const struct json *claims)
{
	struct federation_rule rule = drawn->rule;
	struct federation_claim turned[FIELDS];
	char changed[VALUE_BYTES] = "";
	struct text *held = rule.subject.length > 0 ? &rule.subject : &rule.subject_prefix;

	while (rule.claims_count > 0) {
		rule.claims_count--;
		assert_true(matches(&rule, token, claims));
	}
	for (uint32_t i = 0; i < drawn->rule.claims_count; i++)
		turned[drawn->rule.claims_count - 1 - i] = drawn->claims[i];
	rule.claims = turned;
	rule.claims_count = drawn->rule.claims_count;
	assert_true(matches(&rule, token, claims));
	memcpy(changed, held->data, held->length);
	changed[pick(held->length)] ^= 1;
	held->data = changed;
	assert_false(matches(&rule, token, claims));
}

static void a_rule_is_met_exactly_by_what_it_says(void **state)
{
	uint64_t cases = cases_given(CASES);
	struct arena *arena = arena_create(ROOM_BYTES);
	uint64_t met = 0;

	(void)state;
	seed_with(seed_of_run());
	for (uint64_t i = 0; i < cases; i++) {
		struct token token = draw_token();
		struct drawn drawn;
		struct json claims;
		bool expected;

		arena_reset(arena);
		draw_rule(&drawn, &token);
		claims = claims_of(arena, &token);
		expected = oracle(&drawn, &token);
		if (matches(&drawn.rule, &token, &claims) != expected)
			fail_msg("case %llu", (unsigned long long)i);
		if (expected) {
			check_met(&drawn, &token, &claims);
			met++;
		}
	}
	print_message(
		"%llu of %llu were met\n", (unsigned long long)met, (unsigned long long)cases);
	assert_true(cases < CASES || met > cases / 100);
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_met_exactly_by_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

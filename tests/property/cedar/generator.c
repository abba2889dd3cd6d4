/* Text is generated, not trees: what is tested begins at the text.  Most of what
 * is made is well typed; enough is not for errors to be common. */
#include "generator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t generator_seed(void)
{
	const char *given = getenv("REMIT_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	printf("seed %llu (REMIT_SEED repeats it)\n", (unsigned long long)seed);
	return seed;
}

/* splitmix64 */
static uint64_t next(struct generator *generator)
{
	uint64_t z = generator->state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

uint32_t generator_below(struct generator *generator, uint32_t bound)
{
	return (uint32_t)(next(generator) >> 32) % bound;
}

void generator_reset(struct generator *generator)
{
	generator->length = 0;
}

void generator_put(struct generator *generator, const char *string)
{
	size_t length = strlen(string);

	if (generator->length + length + 1 > generator->capacity)
		abort(); /* the tests give room enough */
	memcpy(generator->text + generator->length, string, length + 1);
	generator->length += length;
}

static void put(struct generator *generator, const char *string)
{
	generator_put(generator, string);
}

static const char *pick(struct generator *generator, const char *const *words, uint32_t count)
{
	return words[generator_below(generator, count)];
}
#define PICK(generator, ...)                                                                       \
	pick((generator), (const char *const[]){__VA_ARGS__},                                      \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const char *entity(struct generator *generator)
{
	return PICK(generator, "U::\"a\"", "U::\"b\"", "U::\"c\"", "N::G::\"a\"", "N::G::\"b\"",
		"N::G::\"c\"", "R::\"a\"", "R::\"b\"", "R::\"c\"");
}

static const char *attribute(struct generator *generator)
{
	return PICK(generator, ".n", ".s", ".set", ".rec", ".who", "[\"o d d\"]", ".rec.n");
}

static void leaf(struct generator *generator)
{
	if (generator_below(generator, 3) == 0) {
		put(generator, PICK(generator, "principal", "resource", "action", "context"));
		put(generator, generator_below(generator, 4) == 0 ? "" : attribute(generator));
		return;
	}
	if (generator_below(generator, 4) == 0) {
		put(generator, entity(generator));
		return;
	}
	put(generator,
		PICK(generator, "true", "false", "0", "1", "2", "-1", "9223372036854775807",
			"-9223372036854775808", "\"\"", "\"x\"", "\"a*b\"", "\"\\u{1F600}\\0\"",
			"[]", "[1, 2]", "[\"x\", 1]", "{}", "{n: 1, \"o d d\": []}",
			"decimal(\"1.5\")", "decimal(\"bad\")", "ip(\"10.0.0.1/8\")", "ip(\"::1\")",
			"datetime(\"2024-02-29T12:00:00Z\")", "duration(\"-1h30m\")"));
}

static void join(struct generator *generator, int depth, const char *infix)
{
	put(generator, "(");
	generate_expression(generator, depth - 1);
	put(generator, infix);
	generate_expression(generator, depth - 1);
	put(generator, ")");
}

static void wrap(struct generator *generator, int depth, const char *before, const char *after)
{
	put(generator, before);
	generate_expression(generator, depth - 1);
	put(generator, after);
}

static void choose(struct generator *generator, int depth)
{
	put(generator, "(if ");
	generate_expression(generator, depth - 1);
	put(generator, " then ");
	generate_expression(generator, depth - 1);
	wrap(generator, depth, " else ", ")");
}

static void call(struct generator *generator, int depth)
{
	wrap(generator, depth, "(", ")");
	put(generator,
		PICK(generator, ".contains(", ".containsAll(", ".containsAny(", ".hasTag(",
			".getTag(", ".lessThan(", ".isInRange(", ".offset(", ".durationSince("));
	generate_expression(generator, depth - 1);
	put(generator, ")");
}

void generate_expression(struct generator *generator, int depth)
{
	if (depth <= 0) {
		leaf(generator);
		return;
	}
	switch (generator_below(generator, 12)) {
	case 0: join(generator, depth, PICK(generator, " && ", " || ")); break;
	case 1: join(generator, depth, PICK(generator, " == ", " != ", " in ")); break;
	case 2: join(generator, depth, PICK(generator, " < ", " <= ", " > ", " >= ")); break;
	case 3: join(generator, depth, PICK(generator, " + ", " - ", " * ")); break;
	case 4: wrap(generator, depth, PICK(generator, "!(", "-(", "!!("), ")"); break;
	case 5: choose(generator, depth); break;
	case 6: call(generator, depth); break;
	case 7: join(generator, depth, " && "); break;
	case 8:
		wrap(generator, depth, "((",
			PICK(generator, ") has n)", ") has rec.n)", ") has \"o d d\")", ") is U)",
				") is N::G in R::\"a\")", ") like \"*x\\**\")"));
		break;
	case 9:
		wrap(generator, depth, "(",
			PICK(generator, ").n", ").rec", ").isEmpty()", ").toDate()", ").toDays()",
				").isIpv4()", ")[\"o d d\"]"));
		break;
	case 10: wrap(generator, depth, PICK(generator, "[1, ", "["), "]"); break;
	default: wrap(generator, depth, "{s: 1, n: ", "}"); break;
	}
}

static void scope_part(struct generator *generator, const char *variable)
{
	put(generator, variable);
	switch (generator_below(generator, 6)) {
	case 0:
		put(generator, " == ");
		put(generator, entity(generator));
		break;
	case 1:
		put(generator, " in ");
		put(generator, entity(generator));
		break;
	case 2: put(generator, PICK(generator, " is U", " is N::G", " is R in U::\"a\"")); break;
	default: break;
	}
}

static void action_part(struct generator *generator)
{
	put(generator,
		PICK(generator, ", action", ", action == Action::\"a\"", ", action in []",
			", action in [Action::\"a\", Action::\"b\"]", ", action in Action::\"b\""));
	put(generator, ", ");
}

static void conjunct(struct generator *generator)
{
	put(generator, PICK(generator, "context", "principal", "resource"));
	put(generator, PICK(generator, ".n == 1", ".s == \"x\"", " has n", " has s",
			       ".s like \"x*\"", ".s like \"*\"", ".rec has n", ".rec.n == 1",
			       ".who == U::\"a\"", " == U::\"a\"", ".who has n", ".s like \"x\"",
			       ".n == true", ".set == [1, 2]", ".s like \"xy*\""));
}

void generate_indexable_policy(struct generator *generator)
{
	uint32_t conjuncts = 1 + generator_below(generator, 3);

	put(generator, PICK(generator, "permit(", "permit(", "forbid("));
	if (generator_below(generator, 3) == 0) {
		scope_part(generator, "principal");
		action_part(generator);
		scope_part(generator, "resource");
	} else {
		put(generator, "principal, action, resource");
	}
	put(generator, PICK(generator, ") when { ", ") when { ", ") when { ", ") unless { "));
	for (uint32_t i = 0; i < conjuncts; i++) {
		conjunct(generator);
		put(generator, PICK(generator, " && ", " && ", " && ", " } when { ", " || "));
	}
	generate_expression(generator, 1 + (int)generator_below(generator, 2));
	put(generator, " };\n");
}

void generate_uid(struct generator *generator, const char **type, const char **id)
{
	*type = PICK(generator, "U", "N::G", "R");
	*id = PICK(generator, "a", "b", "c");
}

uint32_t generate_template(struct generator *generator)
{
	uint32_t slots = 1 + generator_below(generator, 3);

	put(generator, PICK(generator, "permit(", "permit(", "forbid("));
	put(generator, "principal");
	put(generator, (slots & 1) == 0 ? PICK(generator, "", " is U", " in N::G::\"a\"")
					: PICK(generator, " == ?principal", " in ?principal",
						  " is U in ?principal"));
	action_part(generator);
	put(generator, "resource");
	put(generator, (slots & 2) == 0 ? PICK(generator, "", " is R", " == R::\"a\"")
					: PICK(generator, " == ?resource", " in ?resource",
						  " is R in ?resource"));
	put(generator, ")");
	if (generator_below(generator, 2) == 0)
		wrap(generator, 2, " when { ", " }");
	put(generator, ";\n");
	return slots;
}

void generate_policy(struct generator *generator)
{
	uint32_t clauses = generator_below(generator, 3);

	put(generator, PICK(generator, "", "", "@id(\"x\") ", "@in @a(\"\\\"\\n\") "));
	put(generator, PICK(generator, "permit(", "permit(", "forbid("));
	scope_part(generator, "principal");
	action_part(generator);
	scope_part(generator, "resource");
	put(generator, ")");
	for (uint32_t i = 0; i < clauses; i++)
		wrap(generator, 1 + (int)generator_below(generator, 4),
			PICK(generator, " when { ", " when { ", " unless { "), " }");
	put(generator, ";\n");
}

static const char *value(struct generator *generator)
{
	return PICK(generator, "0", "1", "true", "false", "\"x\"", "\"\"", "[1,2]", "[]",
		"{\"n\":1}", "{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}",
		"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"2.5\"}}",
		"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.1.2.3\"}}");
}

static void members(struct generator *generator)
{
	static const char *const names[] = {"n", "s", "set", "rec", "who", "o d d"};
	const char *comma = "";

	put(generator, "{");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (generator_below(generator, 3) == 0)
			continue;
		put(generator, comma);
		put(generator, "\"");
		put(generator, names[i]);
		put(generator, "\":");
		put(generator, value(generator));
		comma = ",";
	}
	put(generator, "}");
}

void generate_context(struct generator *generator)
{
	members(generator);
}

/* Parents come later in a fixed order, so there is no cycle. */
void generate_entities(struct generator *generator)
{
	static const char *const uids[] = {"{\"type\":\"U\",\"id\":\"a\"}",
		"{\"type\":\"U\",\"id\":\"b\"}", "{\"type\":\"R\",\"id\":\"a\"}",
		"{\"type\":\"R\",\"id\":\"b\"}", "{\"type\":\"N::G\",\"id\":\"a\"}",
		"{\"type\":\"N::G\",\"id\":\"b\"}", "{\"type\":\"Action\",\"id\":\"a\"}",
		"{\"type\":\"Action\",\"id\":\"b\"}"};
	const size_t count = sizeof uids / sizeof uids[0];

	put(generator, "[");
	for (size_t i = 0; i < count; i++) {
		const char *comma = "";

		put(generator, i == 0 ? "{\"uid\":" : ",{\"uid\":");
		put(generator, uids[i]);
		put(generator, ",\"attrs\":");
		members(generator);
		put(generator, ",\"tags\":");
		members(generator);
		put(generator, ",\"parents\":[");
		for (size_t parent = i + 1; parent < count; parent++) {
			if (generator_below(generator, 4) != 0)
				continue;
			put(generator, comma);
			put(generator, uids[parent]);
			comma = ",";
		}
		put(generator, "]}");
	}
	put(generator, "]");
}

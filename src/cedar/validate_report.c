/* The words of findings. */
#include "cedar/validate_inner.h"

enum { SHOWN_BYTES_MAX = 100, NEAREST_BYTES_MAX = 64, NEAREST_NAMES_MAX = 2000 };

const char *cedar_finding_name(enum cedar_finding_code code)
{
	static const char *const names[] = {
		[CEDAR_FINDING_NONE] = "none",
		[CEDAR_FINDING_UNKNOWN_ENTITY_TYPE] = "unknown_entity_type",
		[CEDAR_FINDING_UNKNOWN_ACTION] = "unknown_action",
		[CEDAR_FINDING_UNKNOWN_ID] = "unknown_id",
		[CEDAR_FINDING_UNKNOWN_ATTRIBUTE] = "unknown_attribute",
		[CEDAR_FINDING_UNSAFE_ATTRIBUTE] = "unsafe_attribute",
		[CEDAR_FINDING_UNSAFE_TAG] = "unsafe_tag",
		[CEDAR_FINDING_UNEXPECTED_TYPE] = "unexpected_type",
		[CEDAR_FINDING_INCOMPATIBLE_TYPES] = "incompatible_types",
		[CEDAR_FINDING_EMPTY_SET] = "empty_set",
		[CEDAR_FINDING_ARGUMENT_COUNT] = "argument_count",
		[CEDAR_FINDING_ARGUMENT_INVALID] = "argument_invalid",
		[CEDAR_FINDING_ARGUMENT_NOT_LITERAL] = "argument_not_literal",
		[CEDAR_FINDING_NO_APPLICABLE_ACTION] = "no_applicable_action",
		[CEDAR_FINDING_IMPOSSIBLE] = "impossible",
		[CEDAR_FINDING_BIDIRECTIONAL_TEXT] = "bidirectional_text",
	};

	return names[code];
}

/* `text`, escaped and cut. */
static void write_name(struct cedar_writer *writer, struct cedar_text text)
{
	if (text.length > SHOWN_BYTES_MAX) {
		text.length = SHOWN_BYTES_MAX;
		text.length = utf8_valid_length(text);
	}
	cedar_write_string(writer, "`");
	cedar_write_escaped(writer, text, false);
	cedar_write_string(writer, "`");
}

static void write_source(
	struct cedar_writer *writer, const struct node *node, struct cedar_text source)
{
	struct cedar_text text = {source.data + node->start, node->end - node->start};

	if (text.length > SHOWN_BYTES_MAX || text.length == 0)
		cedar_write_string(writer, "it");
	else
		cedar_write(writer, text);
}

static void write_type(struct cedar_writer *writer, const struct schema_type *type)
{
	struct cedar_writer inner = {.arena = writer->arena};

	type_write(&inner, type); /* it counts its own bytes */
	cedar_write_string(writer, "`");
	cedar_write(writer, cedar_writer_text(&inner));
	cedar_write_string(writer, "`");
}

static void write_expected(struct cedar_writer *writer, uint32_t expected)
{
	static const struct {
		uint32_t bits;
		const char *name;
	} table[] = {{EXPECT_BOOL, "Bool"}, {EXPECT_LONG, "Long"}, {EXPECT_STRING, "String"},
		{EXPECT_ENTITY, "an entity"}, {EXPECT_RECORD, "a record"}, {EXPECT_SET, "a set"},
		{EXPECT_ENTITY_SET, "a set of entities"}, {EXPECT_DECIMAL, "decimal"},
		{EXPECT_IPADDR, "ipaddr"}, {EXPECT_DATETIME, "datetime"},
		{EXPECT_DURATION, "duration"}};
	const char *comma = "";

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if ((expected & table[i].bits) == 0)
			continue;
		cedar_write_string(writer, comma);
		cedar_write_string(writer, table[i].name);
		comma = " or ";
	}
}

/* Where an attribute is read. */
static void write_place(struct cedar_writer *writer, const struct report *report)
{
	if (report->action != NULL) {
		cedar_write_string(writer, " in the context of ");
		cedar_write_uid(writer, &report->action->uid);
	} else if (report->type->kind == TYPE_ENTITY) {
		cedar_write_string(writer, " of the entity type ");
		write_name(writer, report->type->entity->name);
	} else {
		cedar_write_string(writer, " in a record");
	}
}

static void write_counts(struct cedar_writer *writer, const struct report *report)
{
	write_name(writer, report->name);
	cedar_write_string(writer, " takes ");
	cedar_write_int64(writer, report->expected);
	cedar_write_string(writer, report->expected == 1 ? " argument, not " : " arguments, not ");
	cedar_write_int64(writer, report->given);
}

static void write_types(struct cedar_writer *writer, const struct report *report)
{
	cedar_write_string(writer, "the types ");
	write_type(writer, report->type);
	cedar_write_string(writer, " and ");
	write_type(writer, report->other);
	cedar_write_string(writer, " are not compatible");
}

/* Findings whose words are a name between two texts. */
static bool write_named(struct cedar_writer *writer, const struct report *report)
{
	static const struct {
		enum cedar_finding_code code;
		const char *before, *after;
	} table[] = {
		{CEDAR_FINDING_UNKNOWN_ENTITY_TYPE, "the entity type ", " is not declared"},
		{CEDAR_FINDING_UNKNOWN_ACTION, "the action ", " is not declared"},
		{CEDAR_FINDING_UNKNOWN_ID, "the id ", " is none of those its type declares"},
		{CEDAR_FINDING_ARGUMENT_INVALID, "not a text that ", " takes"},
		{CEDAR_FINDING_ARGUMENT_NOT_LITERAL, "", " takes a literal only"},
		{CEDAR_FINDING_BIDIRECTIONAL_TEXT,
			"characters that change the direction of text "
			"in ",
			""},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (table[i].code != report->code)
			continue;
		cedar_write_string(writer, table[i].before);
		write_name(writer, report->name);
		cedar_write_string(writer, table[i].after);
		return true;
	}
	return false;
}

static void write_attribute(struct cedar_writer *writer, const struct report *report)
{
	bool is_unknown = report->code == CEDAR_FINDING_UNKNOWN_ATTRIBUTE;

	cedar_write_string(writer, is_unknown ? "no attribute " : "the attribute ");
	write_name(writer, report->name);
	write_place(writer, report);
	cedar_write_string(writer, is_unknown ? " is declared" : " may be absent");
}

static void write_tag(
	struct cedar_writer *writer, const struct report *report, struct cedar_text source)
{
	bool is_unsafe = report->code == CEDAR_FINDING_UNSAFE_TAG;

	cedar_write_string(writer, is_unsafe ? "the tag " : "no tag ");
	write_source(writer, report->receiver->children[1], source);
	write_place(writer, report);
	cedar_write_string(writer, is_unsafe ? " may be absent" : " is declared");
}

/* Findings about a policy or a literal as a whole. */
static bool write_fixed(struct cedar_writer *writer, const struct report *report)
{
	static const struct {
		enum cedar_finding_code code;
		const char *text;
	} table[] = {
		{CEDAR_FINDING_EMPTY_SET, "the type of an empty set literal is not known"},
		{CEDAR_FINDING_NO_APPLICABLE_ACTION,
			"no declared action applies to what the scope says"},
		{CEDAR_FINDING_IMPOSSIBLE, "false for every request that the schema declares"},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (table[i].code != report->code)
			continue;
		cedar_write_string(writer, table[i].text);
		return true;
	}
	return false;
}

static void write_unexpected(struct cedar_writer *writer, const struct report *report)
{
	cedar_write_string(writer, "expected ");
	write_expected(writer, report->expected);
	cedar_write_string(writer, ", not ");
	write_type(writer, report->type);
}

static void write_report(
	struct cedar_writer *writer, const struct report *report, struct cedar_text source)
{
	if (write_fixed(writer, report) || write_named(writer, report))
		return;
	if (report->code == CEDAR_FINDING_UNKNOWN_ATTRIBUTE ||
		report->code == CEDAR_FINDING_UNSAFE_ATTRIBUTE)
		write_attribute(writer, report);
	else if (report->code == CEDAR_FINDING_UNEXPECTED_TYPE)
		write_unexpected(writer, report);
	else if (report->code == CEDAR_FINDING_INCOMPATIBLE_TYPES)
		write_types(writer, report);
	else if (report->code == CEDAR_FINDING_ARGUMENT_COUNT)
		write_counts(writer, report);
	else
		write_tag(writer, report, source);
}

struct cedar_text report_text(
	struct arena *arena, const struct report *report, struct cedar_text source)
{
	struct cedar_writer writer = {.arena = arena};

	write_report(&writer, report, source);
	return cedar_writer_text(&writer);
}

/* ---- Hints ----------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* How many bytes must be put in, left out or changed (Levenshtein). */
static uint32_t distance(struct cedar_text a, struct cedar_text b)
{
	uint32_t row[NEAREST_BYTES_MAX + 1];

	if (a.length > NEAREST_BYTES_MAX || b.length > NEAREST_BYTES_MAX)
		return NEAREST_BYTES_MAX;
	for (uint32_t i = 0; i <= b.length; i++)
		row[i] = i;
	for (uint32_t i = 1; i <= a.length; i++) {
		uint32_t diagonal = row[0];

		row[0] = i;
		for (uint32_t j = 1; j <= b.length; j++) {
			uint32_t changed = diagonal + (a.data[i - 1] != b.data[j - 1]);

			diagonal = row[j];
			row[j] = least(changed, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.length];
}

struct nearest {
	struct cedar_text wanted;
	struct cedar_text found;
	uint32_t distance; /* of found */
	uint64_t *cells_left;
};

/* Only a name that is more alike than not is worth a hint. */
static struct nearest nearest_to(struct cedar_text wanted, uint64_t *cells_left)
{
	return (struct nearest){
		wanted, {NULL, 0}, (uint32_t)(wanted.length + 1) / 2 + 1, cells_left};
}

/* What is too long is not compared, but was looked at. */
static uint64_t cells_of(struct cedar_text a, struct cedar_text b)
{
	if (a.length > NEAREST_BYTES_MAX || b.length > NEAREST_BYTES_MAX)
		return 1;
	return 1 + (uint64_t)(a.length * b.length);
}

static void consider(struct nearest *nearest, struct cedar_text name)
{
	uint64_t cells = cells_of(nearest->wanted, name);
	uint32_t away;

	if (cells > *nearest->cells_left) { /* of half of the names the nearest may mislead */
		*nearest->cells_left = 0;
		nearest->found = (struct cedar_text){NULL, 0};
		return;
	}
	*nearest->cells_left -= cells;
	away = distance(nearest->wanted, name);
	if (away < nearest->distance) {
		nearest->distance = away;
		nearest->found = name;
	}
}

static struct cedar_text nearest_entity(
	const struct cedar_schema *schema, struct cedar_text name, uint64_t *cells_left)
{
	struct nearest nearest = nearest_to(name, cells_left);

	for (uint32_t i = 0; i < schema->entity_count && i < NEAREST_NAMES_MAX; i++)
		consider(&nearest, schema->entities[i].name);
	return nearest.found;
}

static struct cedar_text nearest_action(
	const struct cedar_schema *schema, struct cedar_text name, uint64_t *cells_left)
{
	struct nearest nearest = nearest_to(name, cells_left);

	for (uint32_t i = 0; i < schema->action_count && i < NEAREST_NAMES_MAX; i++)
		consider(&nearest, schema->actions[i].uid.id);
	return nearest.found;
}

static struct cedar_text nearest_member(const struct report *report, uint64_t *cells_left)
{
	struct nearest nearest = nearest_to(report->name, cells_left);
	const struct schema_type *record =
		report->type->kind == TYPE_ENTITY ? report->type->entity->shape : report->type;

	for (uint32_t i = 0; i < record->count && i < NEAREST_NAMES_MAX; i++)
		consider(&nearest, record->members[i].name);
	return nearest.found;
}

static void write_test(
	struct cedar_writer *writer, const struct report *report, struct cedar_text source)
{
	const struct node *receiver = report->receiver;

	cedar_write_string(writer, "test for it first: `");
	if (report->code == CEDAR_FINDING_UNSAFE_ATTRIBUTE) {
		write_source(writer, receiver, source);
		cedar_write_string(writer, " has ");
		if (cedar_is_identifier(report->name) && !cedar_is_reserved(report->name))
			cedar_write(writer, report->name);
		else
			cedar_write_quoted(writer, report->name);
	} else {
		write_source(writer, receiver->children[0], source);
		cedar_write_string(writer, ".hasTag(");
		write_source(writer, receiver->children[1], source);
		cedar_write_string(writer, ")");
	}
	cedar_write_string(writer, " && ..`");
}

static void write_near(struct cedar_writer *writer, struct cedar_text name)
{
	if (name.data == NULL)
		return;
	cedar_write_string(writer, "did you mean ");
	write_name(writer, name);
	cedar_write_string(writer, "?");
}

struct cedar_text report_hint(struct arena *arena, const struct cedar_schema *schema,
	const struct report *report, struct cedar_text source, uint64_t *cells_left)
{
	struct cedar_writer writer = {.arena = arena};

	if (report->hint != NULL)
		cedar_write_string(&writer, report->hint);
	else if (report->code == CEDAR_FINDING_UNSAFE_ATTRIBUTE ||
		 report->code == CEDAR_FINDING_UNSAFE_TAG)
		write_test(&writer, report, source);
	else if (report->code == CEDAR_FINDING_UNKNOWN_ENTITY_TYPE)
		write_near(&writer, nearest_entity(schema, report->name, cells_left));
	else if (report->code == CEDAR_FINDING_UNKNOWN_ACTION)
		write_near(&writer, nearest_action(schema, report->name, cells_left));
	else if (report->code == CEDAR_FINDING_UNKNOWN_ATTRIBUTE)
		write_near(&writer, nearest_member(report, cells_left));
	return cedar_writer_text(&writer);
}

/* An item is a table of members: what stands here is what may stand in a file, and the
 * order of the table is the order in which it is written. */
#include "domain/inventory/item.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/time.h"
#include "domain/charter/charter.h"

/* clang-format off */
static const char *const node_words[] = {
	[GRAPH_NODE_PERSON] = "person", [GRAPH_NODE_ACCOUNT] = "account",
	[GRAPH_NODE_CREDENTIAL] = "credential", [GRAPH_NODE_RESOURCE] = "resource",
};
/* Ends of edges alone: what the registry has. */
static const char *const other_words[] = {
	[GRAPH_NODE_IDENTITY] = "identity", [GRAPH_NODE_DATA_SOURCE] = "data-source",
	[GRAPH_NODE_SERVER] = "server", [GRAPH_NODE_TOOL] = "tool",
};
static const char *const edge_words[] = {
	[GRAPH_EDGE_OWNS] = "owns", [GRAPH_EDGE_CREATED] = "created",
	[GRAPH_EDGE_CONSENTED] = "consented", [GRAPH_EDGE_HOLDS] = "holds",
	[GRAPH_EDGE_USES] = "uses", [GRAPH_EDGE_OPENS] = "opens",
	[GRAPH_EDGE_HANDS] = "hands", [GRAPH_EDGE_MAY] = "may",
};
static const struct { const char *word; uint32_t bit; } is_words[] = {
	{"autonomous", GRAPH_NODE_IS_AUTONOMOUS}, {"exposed", GRAPH_NODE_IS_EXPOSED},
	{"external", GRAPH_NODE_IS_EXTERNAL}, {"managed", GRAPH_NODE_IS_MANAGED},
	{"off", GRAPH_NODE_IS_OFF}, {"static", GRAPH_NODE_IS_STATIC},
	{"verified", GRAPH_NODE_IS_VERIFIED},
};
/* clang-format on */

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define BIT(kind) (1u << (kind))
#define ACTS (BIT(GRAPH_NODE_ACCOUNT) | BIT(GRAPH_NODE_IDENTITY))

/* What an edge may join. */
static const struct {
	uint32_t from, to;
} joins[] = {
	[GRAPH_EDGE_OWNS] = {BIT(GRAPH_NODE_PERSON),
		BIT(GRAPH_NODE_ACCOUNT) | BIT(GRAPH_NODE_CREDENTIAL)},
	[GRAPH_EDGE_CREATED] = {BIT(GRAPH_NODE_PERSON), BIT(GRAPH_NODE_ACCOUNT)},
	[GRAPH_EDGE_CONSENTED] = {BIT(GRAPH_NODE_PERSON), BIT(GRAPH_NODE_ACCOUNT)},
	[GRAPH_EDGE_HOLDS] = {ACTS, BIT(GRAPH_NODE_CREDENTIAL)},
	[GRAPH_EDGE_USES] = {ACTS, BIT(GRAPH_NODE_ACCOUNT)},
	[GRAPH_EDGE_OPENS] = {BIT(GRAPH_NODE_CREDENTIAL),
		BIT(GRAPH_NODE_ACCOUNT) | BIT(GRAPH_NODE_SERVER)},
	[GRAPH_EDGE_HANDS] = {BIT(GRAPH_NODE_IDENTITY), BIT(GRAPH_NODE_IDENTITY)},
	[GRAPH_EDGE_MAY] = {ACTS, BIT(GRAPH_NODE_RESOURCE) | BIT(GRAPH_NODE_DATA_SOURCE) |
					  BIT(GRAPH_NODE_TOOL) | BIT(GRAPH_NODE_SERVER)},
};

enum member_form {
	FORM_TEXT,
	FORM_TIME,
	FORM_COUNT,
	FORM_NODE,
	FORM_EDGE,
	FORM_KIND,
	FORM_SENSITIVITY,
	FORM_IS,
	FORM_ENVIRONMENTS,
	FORM_EFFECTS,
};

struct member {
	const char *name;
	enum member_form form;
	size_t offset;
	size_t bytes_max;
};

#define MEMBER(name_, form_, field)                                                                \
	{                                                                                          \
		name_, form_, offsetof(struct inventory_item, field), 0                            \
	}
#define WORDS(name_, field, most)                                                                  \
	{                                                                                          \
		name_, FORM_TEXT, offsetof(struct inventory_item, field), most                     \
	}

static const struct member node_members[] = {
	MEMBER("created", FORM_TIME, created_s),
	WORDS("creator", creator, INVENTORY_ID_BYTES_MAX),
	MEMBER("environments", FORM_ENVIRONMENTS, environments),
	MEMBER("expires", FORM_TIME, expires_s),
	WORDS("fingerprint", fingerprint, INVENTORY_ID_BYTES_MAX),
	WORDS("id", id, INVENTORY_ID_BYTES_MAX),
	MEMBER("is", FORM_IS, is),
	MEMBER("kind", FORM_KIND, kind),
	MEMBER("node", FORM_NODE, node),
	WORDS("owner", owner, INVENTORY_ID_BYTES_MAX),
	WORDS("place", place, INVENTORY_TEXT_BYTES_MAX),
	WORDS("publisher", publisher, INVENTORY_TEXT_BYTES_MAX),
	WORDS("registered", registered, INVENTORY_ID_BYTES_MAX),
	MEMBER("sensitivity", FORM_SENSITIVITY, sensitivity),
	WORDS("title", title, INVENTORY_TEXT_BYTES_MAX),
	WORDS("unit", unit, INVENTORY_ID_BYTES_MAX),
	MEMBER("used", FORM_TIME, used_s),
	WORDS("version", version, INVENTORY_TEXT_BYTES_MAX),
};
static const struct member edge_members[] = {
	WORDS("by", by, INVENTORY_ID_BYTES_MAX),
	MEMBER("edge", FORM_EDGE, edge),
	MEMBER("effects", FORM_EFFECTS, effects),
	WORDS("from", from, INVENTORY_TEXT_BYTES_MAX),
	WORDS("scope", scope, INVENTORY_TEXT_BYTES_MAX),
	MEMBER("since", FORM_TIME, since_s),
	WORDS("to", to, INVENTORY_TEXT_BYTES_MAX),
	MEMBER("until", FORM_TIME, until_s),
	MEMBER("used", FORM_TIME, used_s),
	MEMBER("uses", FORM_COUNT, uses),
	WORDS("why", why, INVENTORY_TEXT_BYTES_MAX),
};

static unsigned word_value(const char *const *words, size_t count, struct text word)
{
	for (size_t i = 1; i < count; i++)
		if (words[i] != NULL && text_is(word, words[i]))
			return (unsigned)i;
	return 0;
}

/* ---- times and names ---- */

graph_time inventory_time_of(struct text t)
{
	int64_t at_utc_ms;

	if (!time_parse_utc_ms(t, &at_utc_ms) || at_utc_ms < 1000 || at_utc_ms / 1000 > UINT32_MAX)
		return 0;
	return (graph_time)(at_utc_ms / 1000);
}

void inventory_time_format(char out[TIME_TEXT_BYTES], graph_time at_s)
{
	char *dot;

	time_format_utc_ms(out, (int64_t)at_s * 1000);
	dot = strchr(out, '.');
	assert(dot != NULL);
	memcpy(dot, "Z", 2);
}

bool inventory_is_connector(struct text name)
{
	if (text_is(name, "registry") || text_is(name, "recorded"))
		return false; /* layers of the graph that are no connector's */
	if (name.length == 0 || name.length > INVENTORY_CONNECTOR_BYTES_MAX || name.data[0] < 'a' ||
		name.data[0] > 'z')
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

static bool is_visible(struct text t)
{
	for (size_t i = 0, size; i < t.length; i += size) {
		size = utf8_sequence_size(t.data + i, t.length - i);
		if (size == 0 || !code_point_is_visible(utf8_code_point(t.data + i, size)))
			return false;
	}
	return true;
}

bool inventory_end_read(struct inventory_end *out, struct text reference)
{
	ptrdiff_t colon = text_find_byte(reference, ':');
	struct text word;
	unsigned kind;

	*out = (struct inventory_end){0};
	if (colon <= 0)
		return false;
	word = (struct text){reference.data, (size_t)colon};
	kind = word_value(node_words, COUNT(node_words), word);
	if (kind == 0)
		kind = word_value(other_words, COUNT(other_words), word);
	out->kind = (enum graph_node_kind)kind;
	out->name = text_after(reference, (size_t)colon + 1);
	out->is_own = word_value(node_words, COUNT(node_words), word) != 0 &&
		      out->kind != GRAPH_NODE_PERSON;
	if (out->is_own && out->name.length > 0 && out->name.data[0] == '/') {
		out->is_own = false;
		out->name = text_after(out->name, 1);
	}
	return kind != 0 && out->name.length > 0 && out->name.length <= INVENTORY_ID_BYTES_MAX;
}

/* ---- reading ---- */

static bool read_text(
	struct text *out, const struct member *member, const struct json *value, struct error *err)
{
	if (value->type != JSON_STRING || value->string.length == 0)
		return error_set(err, ERROR_INVALID, "%s: a text is expected", member->name);
	*out = value->string;
	return true;
}

static bool read_time(
	graph_time *out, const struct member *member, const struct json *value, struct error *err)
{
	bool is_text = value->type == JSON_STRING;

	*out = is_text ? inventory_time_of(value->string) : 0;
	if (*out != 0 && value->string.length == sizeof "2026-11-26T13:00:00Z" - 1 &&
		text_ends_with(value->string, "Z"))
		return true;
	return error_set(err, ERROR_INVALID,
		"%s: a time in UTC as 2026-11-26T13:00:00Z is expected", member->name);
}

static uint32_t bit_of(enum member_form form, struct text word)
{
	enum environment environment;
	enum effect effect;

	if (form == FORM_ENVIRONMENTS) {
		environment = environment_of(word);
		return environment == ENVIRONMENT_NONE ? 0 : environment_bit(environment);
	}
	if (form == FORM_EFFECTS) {
		effect = effect_of(word);
		return effect == EFFECT_NONE || effect > EFFECT_EXECUTE ? 0 : BIT(effect);
	}
	for (size_t i = 0; i < COUNT(is_words); i++)
		if (text_is(word, is_words[i].word))
			return is_words[i].bit;
	return 0;
}

static bool read_bits(
	uint32_t *out, const struct member *member, const struct json *value, struct error *err)
{
	*out = 0;
	if (value->type != JSON_ARRAY || value->count == 0)
		return error_set(
			err, ERROR_INVALID, "%s: a list of words is expected", member->name);
	for (uint32_t i = 0; i < value->count; i++) {
		const struct json *word = &value->items[i];
		uint32_t bit = word->type == JSON_STRING ? bit_of(member->form, word->string) : 0;

		if (bit == 0 || (*out & bit) != 0)
			return error_set(err, ERROR_INVALID,
				"%s: item %u is none of its words (docs/formats/inventory.md), or "
				"there twice",
				member->name, i);
		*out |= bit;
	}
	return true;
}

static unsigned form_word(enum member_form form, struct text word)
{
	if (form == FORM_NODE)
		return word_value(node_words, COUNT(node_words), word);
	if (form == FORM_EDGE)
		return word_value(edge_words, COUNT(edge_words), word);
	return form == FORM_KIND ? (unsigned)identity_kind_of(word)
				 : (unsigned)sensitivity_of(word);
}

static bool read_word(
	unsigned *out, const struct member *member, const struct json *value, struct error *err)
{
	*out = value->type == JSON_STRING ? form_word(member->form, value->string) : 0;
	return *out != 0 ||
	       error_set(err, ERROR_INVALID, "%s: is none of its words (docs/formats/inventory.md)",
		       member->name);
}

static bool read_count(
	uint32_t *out, const struct member *member, const struct json *value, struct error *err)
{
	if (value->type != JSON_INTEGER || value->integer < 0 || value->integer > UINT32_MAX)
		return error_set(
			err, ERROR_INVALID, "%s: a whole number is expected", member->name);
	*out = (uint32_t)value->integer;
	return true;
}

static bool is_list(enum member_form form)
{
	return form == FORM_IS || form == FORM_ENVIRONMENTS || form == FORM_EFFECTS;
}

static bool read_member(struct inventory_item *item, const struct member *member,
	const struct json *value, struct error *err)
{
	void *field = (char *)item + member->offset;

	if (member->form == FORM_TEXT)
		return read_text(field, member, value, err);
	if (member->form == FORM_TIME)
		return read_time(field, member, value, err);
	if (member->form == FORM_COUNT)
		return read_count(field, member, value, err);
	if (is_list(member->form))
		return read_bits(field, member, value, err);
	return read_word(field, member, value, err);
}

static const struct member *find_member(
	const struct member *members, size_t count, struct text name)
{
	for (size_t i = 0; i < count; i++)
		if (text_is(name, members[i].name))
			return &members[i];
	return NULL;
}

bool inventory_item_read(struct inventory_item *out, const struct json *value, struct error *err)
{
	bool is_node = json_find(value, "node") != NULL;
	const struct member *members = is_node ? node_members : edge_members;
	size_t count = is_node ? COUNT(node_members) : COUNT(edge_members);

	*out = (struct inventory_item){0};
	if (value->type != JSON_OBJECT || (!is_node && json_find(value, "edge") == NULL))
		return error_set(err, ERROR_INVALID, "an object with `node` or `edge` is expected");
	for (uint32_t i = 0; i < value->count; i++) {
		struct text name = value->members[i].name;
		const struct member *member = find_member(members, count, name);

		if (member == NULL)
			return error_set(err, ERROR_INVALID, "%.*s: is no member of %s",
				(int)(name.length < 64 ? name.length : 64), name.data,
				is_node ? "a node" : "an edge");
		if (!read_member(out, member, &value->members[i].value, err))
			return false;
	}
	return inventory_item_check(out, err);
}

bool inventory_item_parse(
	struct inventory_item *out, struct arena *arena, struct text line, struct error *err)
{
	struct json value;

	if (line.length > INVENTORY_LINE_BYTES_MAX)
		return error_set(
			err, ERROR_LIMIT, "an item has at most %d bytes", INVENTORY_LINE_BYTES_MAX);
	return json_parse(&value, arena, line, &json_limits_default, err) &&
	       inventory_item_read(out, &value, err);
}

/* ---- what an item must be ---- */

static bool check_texts(const struct inventory_item *item, const struct member *members,
	size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct text *t = (const void *)((const char *)item + members[i].offset);

		if (members[i].form != FORM_TEXT)
			continue;
		if (t->length > members[i].bytes_max)
			return error_set(err, ERROR_INVALID, "%s: has at most %zu bytes",
				members[i].name, members[i].bytes_max);
		if (!is_visible(*t))
			return error_set(err, ERROR_INVALID,
				"%s: has letters that cannot be seen, or is no UTF-8",
				members[i].name);
	}
	return true;
}

static bool check_node(const struct inventory_item *item, struct error *err)
{
	if (item->id.length == 0)
		return error_set(err, ERROR_INVALID, "id: is missing");
	if (item->id.data[0] == '/')
		return error_set(err, ERROR_INVALID, "id: begins with a slash");
	if (item->node != GRAPH_NODE_ACCOUNT && item->kind != KIND_NONE)
		return error_set(err, ERROR_INVALID, "kind: only an account has one");
	if (item->node == GRAPH_NODE_ACCOUNT && item->kind == KIND_NONE)
		return error_set(err, ERROR_INVALID, "kind: an account needs one");
	return check_texts(item, node_members, COUNT(node_members), err);
}

static bool check_edge(const struct inventory_item *item, struct error *err)
{
	bool has_effects = item->edge == GRAPH_EDGE_MAY || item->edge == GRAPH_EDGE_CONSENTED;
	struct inventory_end from, to;

	if (!inventory_end_read(&from, item->from) ||
		(BIT(from.kind) & joins[item->edge].from) == 0)
		return error_set(err, ERROR_INVALID, "from: no end that `%s` may have",
			edge_words[item->edge]);
	if (!inventory_end_read(&to, item->to) || (BIT(to.kind) & joins[item->edge].to) == 0)
		return error_set(err, ERROR_INVALID, "to: no end that `%s` may have",
			edge_words[item->edge]);
	if (item->effects != 0 && !has_effects)
		return error_set(
			err, ERROR_INVALID, "effects: `%s` has none", edge_words[item->edge]);
	if (item->effects == 0 && item->edge == GRAPH_EDGE_MAY)
		return error_set(err, ERROR_INVALID, "effects: `may` needs them");
	return check_texts(item, edge_members, COUNT(edge_members), err);
}

bool inventory_item_check(const struct inventory_item *item, struct error *err)
{
	if (item->node != GRAPH_NODE_NONE)
		return check_node(item, err);
	if (item->edge == GRAPH_EDGE_NONE)
		return error_set(err, ERROR_INVALID, "neither a node nor an edge");
	return check_edge(item, err);
}

/* ---- writing ---- */

static void write_bits(struct json_writer *writer, const struct member *member, uint32_t bits)
{
	if (bits == 0)
		return;
	json_write_array(writer, text_of(member->name));
	if (member->form == FORM_IS) {
		for (size_t i = 0; i < COUNT(is_words); i++)
			if ((bits & is_words[i].bit) != 0)
				json_write_text(
					writer, (struct text){NULL, 0}, text_of(is_words[i].word));
	} else if (member->form == FORM_ENVIRONMENTS) {
		for (unsigned i = ENVIRONMENT_DEV; i <= ENVIRONMENT_PROD; i++)
			if ((bits & environment_bit((enum environment)i)) != 0)
				json_write_text(writer, (struct text){NULL, 0},
					text_of(environment_word((enum environment)i)));
	} else {
		for (unsigned i = EFFECT_READ; i <= EFFECT_EXECUTE; i++)
			if ((bits & BIT(i)) != 0)
				json_write_text(writer, (struct text){NULL, 0},
					text_of(effect_word((enum effect)i)));
	}
	json_write_end(writer);
}

static const char *word_of(enum member_form form, unsigned value)
{
	if (form == FORM_NODE)
		return node_words[value];
	if (form == FORM_EDGE)
		return edge_words[value];
	return form == FORM_KIND ? identity_kind_word((enum identity_kind)value)
				 : sensitivity_word((enum sensitivity)value);
}

static void write_text(struct json_writer *writer, const struct member *member, struct text t)
{
	if (t.length > 0)
		json_write_text(writer, text_of(member->name), t);
}

static void write_time(struct json_writer *writer, const struct member *member, graph_time at_s)
{
	char time[TIME_TEXT_BYTES];

	if (at_s == 0)
		return;
	inventory_time_format(time, at_s);
	json_write_text(writer, text_of(member->name), text_of(time));
}

static void write_member(
	struct json_writer *writer, const struct inventory_item *item, const struct member *member)
{
	const void *field = (const char *)item + member->offset;
	const struct text *t = field;
	const uint32_t *number = field;

	if (member->form == FORM_TEXT)
		write_text(writer, member, *t);
	else if (member->form == FORM_TIME)
		write_time(writer, member, *number);
	else if (is_list(member->form))
		write_bits(writer, member, *number);
	else if (*number != 0 && member->form == FORM_COUNT)
		json_write_integer(writer, text_of(member->name), *number);
	else if (*number != 0)
		json_write_text(
			writer, text_of(member->name), text_of(word_of(member->form, *number)));
}

void inventory_item_write(struct buffer *out, const struct inventory_item *item)
{
	bool is_node = item->node != GRAPH_NODE_NONE;
	const struct member *members = is_node ? node_members : edge_members;
	size_t count = is_node ? COUNT(node_members) : COUNT(edge_members);
	struct json_writer writer;

	json_writer_start(&writer, out);
	json_write_object(&writer, (struct text){NULL, 0});
	for (size_t i = 0; i < count; i++)
		write_member(&writer, item, &members[i]);
	json_write_end(&writer);
	if (!json_writer_finish(&writer))
		out->failed = true;
}

/* Of numbers and words the same four bytes. */
static bool is_alike(const struct inventory_item *was, const struct inventory_item *is,
	const struct member *member)
{
	const unsigned char *left = (const unsigned char *)was + member->offset;
	const unsigned char *right = (const unsigned char *)is + member->offset;
	struct text a, b;

	if (member->form != FORM_TEXT)
		return memcmp(left, right, sizeof(uint32_t)) == 0;
	memcpy(&a, left, sizeof a);
	memcpy(&b, right, sizeof b);
	return text_equal(a, b);
}

uint32_t inventory_item_changes(const struct inventory_item *was, const struct inventory_item *is,
	struct text *names, uint32_t most)
{
	bool is_node = is->node != GRAPH_NODE_NONE;
	const struct member *members = is_node ? node_members : edge_members;
	size_t count = is_node ? sizeof node_members / sizeof *node_members
			       : sizeof edge_members / sizeof *edge_members;
	uint32_t found = 0;

	for (size_t i = 0; i < count && found < most; i++)
		if (strncmp(members[i].name, "use", 3) != 0 && !is_alike(was, is, &members[i]))
			names[found++] = text_of(members[i].name);
	return found;
}

void inventory_item_key(struct buffer *out, const struct inventory_item *item)
{
	if (item->node != GRAPH_NODE_NONE) {
		buffer_append_string(out, "node ");
		buffer_append_string(out, node_words[item->node]);
		buffer_append_byte(out, ' ');
		buffer_append_text(out, item->id);
		return;
	}
	buffer_append_string(out, edge_words[item->edge]);
	buffer_append_byte(out, ' ');
	buffer_append_text(out, item->from);
	buffer_append_byte(out, '\n');
	buffer_append_text(out, item->to);
	buffer_append_byte(out, '\n');
	buffer_append_text(out, item->scope);
}

/* A value is a byte that says what it is, then: of a text its number, of a list or an object
 * how many, and of each its parts; numbers seven bits a byte, the lowest first.  What is read
 * was written here, by this process: a form that cannot be is our own mistake. */
#include "domain/charter/pack.h"

#include <assert.h>
#include <string.h>

enum tag {
	TAG_NULL = 0,
	TAG_FALSE,
	TAG_TRUE,
	TAG_INTEGER,
	TAG_DOUBLE,
	TAG_STRING,
	TAG_ARRAY,
	TAG_OBJECT,
};

enum { NUMBER_BITS = 7, NUMBER_MORE = 0x80, VALUE_BYTES_MAX = 11 };

/* ---- writing ---- */

static void put_number(struct buffer *out, uint64_t number)
{
	for (; number >= NUMBER_MORE; number >>= NUMBER_BITS)
		buffer_append_byte(out, (char)(unsigned char)(number | NUMBER_MORE));
	buffer_append_byte(out, (char)(unsigned char)number);
}

struct packing {
	struct buffer *out; /* has room for all */
	struct texts *texts;
	size_t held; /* texts so far */
	bool has_failed;
};

static void put_text(struct packing *packing, struct text t)
{
	uint32_t number = 0;

	packing->has_failed = packing->has_failed || !texts_put(packing->texts, t, &number);
	if (packing->has_failed)
		return;
	packing->held++;
	put_number(packing->out, number);
}

static void put_value(struct packing *packing, const struct json *value)
{
	static const enum tag tags[] = {[JSON_NULL] = TAG_NULL,
		[JSON_BOOLEAN] = TAG_FALSE,
		[JSON_INTEGER] = TAG_INTEGER,
		[JSON_DOUBLE] = TAG_DOUBLE,
		[JSON_STRING] = TAG_STRING,
		[JSON_ARRAY] = TAG_ARRAY,
		[JSON_OBJECT] = TAG_OBJECT};
	bool is_true = value->type == JSON_BOOLEAN && value->boolean;

	buffer_append_byte(packing->out, (char)(is_true ? TAG_TRUE : tags[value->type]));
	if (value->type == JSON_INTEGER)
		put_number(packing->out, (uint64_t)value->integer);
	if (value->type == JSON_DOUBLE)
		buffer_append(packing->out, &value->number, sizeof value->number);
	if (value->type == JSON_STRING)
		put_text(packing, value->string);
	if (value->type == JSON_ARRAY || value->type == JSON_OBJECT)
		put_number(packing->out, value->count);
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		put_value(packing, &value->items[i]);
	for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++) {
		put_text(packing, value->members[i].name);
		put_value(packing, &value->members[i].value);
	}
}

static size_t values_in(const struct json *value)
{
	size_t count = 1;

	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		count += values_in(&value->items[i]);
	for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++)
		count += 1 + values_in(&value->members[i].value);
	return count;
}

/* Holding it once more tells its number. */
static void take_back(struct packing *packing, struct text t)
{
	uint32_t number;

	if (packing->held == 0 || !texts_put(packing->texts, t, &number))
		return;
	packing->held--;
	texts_drop(packing->texts, number);
	texts_drop(packing->texts, number);
}

/* The texts held so far, in the order in which they were put. */
static void take_all_back(struct packing *packing, const struct json *value)
{
	if (value->type == JSON_STRING)
		take_back(packing, value->string);
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		take_all_back(packing, &value->items[i]);
	for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++) {
		take_back(packing, value->members[i].name);
		take_all_back(packing, &value->members[i].value);
	}
}

bool pack_put(struct buffer *out, struct texts *texts, const struct json *value, struct error *err)
{
	struct packing packing = {.out = out, .texts = texts};

	if (!buffer_reserve(out, values_in(value) * VALUE_BYTES_MAX))
		return error_set(err, ERROR_LIMIT, "no memory for a document");
	put_value(&packing, value);
	if (!packing.has_failed)
		return true;
	take_all_back(&packing, value);
	return error_set(err, ERROR_LIMIT, "no memory for a document's texts");
}

/* ---- reading ---- */

struct unpacking {
	const char *at;
	const char *end;
	const struct texts *texts;
	struct arena *arena;
};

static unsigned char get_byte(struct unpacking *unpacking)
{
	assert(unpacking->at < unpacking->end);
	return (unsigned char)*unpacking->at++;
}

static uint64_t get_number(struct unpacking *unpacking)
{
	uint64_t number = 0;
	unsigned shift = 0;
	unsigned char byte;

	do {
		byte = get_byte(unpacking);
		assert(shift < 64);
		number |= (uint64_t)(byte & (NUMBER_MORE - 1)) << shift;
		shift += NUMBER_BITS;
	} while ((byte & NUMBER_MORE) != 0);
	return number;
}

static double get_double(struct unpacking *unpacking)
{
	double number;

	assert((size_t)(unpacking->end - unpacking->at) >= sizeof number);
	memcpy(&number, unpacking->at, sizeof number);
	unpacking->at += sizeof number;
	return number;
}

static struct text get_text(struct unpacking *unpacking)
{
	return texts_get(unpacking->texts, (uint32_t)get_number(unpacking));
}

static bool get_value(struct unpacking *unpacking, struct json *out);

static bool get_items(struct unpacking *unpacking, struct json *out)
{
	struct json *items;

	out->type = JSON_ARRAY;
	out->count = (uint32_t)get_number(unpacking);
	items = arena_array(unpacking->arena, struct json, out->count + (size_t)1);
	out->items = items;
	for (uint32_t i = 0; items != NULL && i < out->count; i++)
		if (!get_value(unpacking, &items[i]))
			return false;
	return items != NULL;
}

static bool get_members(struct unpacking *unpacking, struct json *out)
{
	struct json_member *members;

	out->type = JSON_OBJECT;
	out->count = (uint32_t)get_number(unpacking);
	members = arena_array(unpacking->arena, struct json_member, out->count + (size_t)1);
	out->members = members;
	for (uint32_t i = 0; members != NULL && i < out->count; i++) {
		members[i].name = get_text(unpacking);
		if (!get_value(unpacking, &members[i].value))
			return false;
	}
	return members != NULL;
}

static bool get_value(struct unpacking *unpacking, struct json *out)
{
	enum tag tag = (enum tag)get_byte(unpacking);

	*out = json_null();
	switch (tag) {
	case TAG_NULL: break;
	case TAG_FALSE: *out = json_boolean(false); break;
	case TAG_TRUE: *out = json_boolean(true); break;
	case TAG_INTEGER: *out = json_integer((int64_t)get_number(unpacking)); break;
	case TAG_DOUBLE:
		out->type = JSON_DOUBLE;
		out->number = get_double(unpacking);
		break;
	case TAG_STRING: *out = json_string(get_text(unpacking)); break;
	case TAG_ARRAY: return get_items(unpacking, out);
	case TAG_OBJECT: return get_members(unpacking, out);
	}
	return true;
}

bool pack_get(struct json *out, struct arena *arena, const struct texts *texts, struct text packed,
	struct error *err)
{
	struct unpacking unpacking = {packed.data, packed.data + packed.length, texts, arena};

	if (get_value(&unpacking, out)) {
		assert(unpacking.at == unpacking.end);
		return true;
	}
	*out = json_null();
	return error_set(err, ERROR_LIMIT, "no memory for a document");
}

/* ---- dropping ---- */

static void drop_value(struct texts *texts, struct unpacking *unpacking)
{
	enum tag tag = (enum tag)get_byte(unpacking);
	uint64_t count;

	if (tag == TAG_INTEGER)
		(void)get_number(unpacking);
	if (tag == TAG_DOUBLE)
		(void)get_double(unpacking);
	if (tag == TAG_STRING)
		texts_drop(texts, (uint32_t)get_number(unpacking));
	if (tag != TAG_ARRAY && tag != TAG_OBJECT)
		return;
	for (count = get_number(unpacking); count > 0; count--) {
		if (tag == TAG_OBJECT)
			texts_drop(texts, (uint32_t)get_number(unpacking));
		drop_value(texts, unpacking);
	}
}

void pack_drop(struct texts *texts, struct text packed)
{
	struct unpacking unpacking = {packed.data, packed.data + packed.length, texts, NULL};

	drop_value(texts, &unpacking);
}

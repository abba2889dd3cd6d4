/* Numbers and equality as JSON Schema has them: 1 and 1.0 are one number.
 *
 * A double stands for the shortest decimal that reads back to it, which is what its author
 * wrote: so 0.3 is a multiple of 0.1, exactly. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_schema_private.h"

static const double two_to_63 = 9223372036854775808.0;

bool schema_is_integer(const struct json *number)
{
	return number->type == JSON_INTEGER ||
	       (number->type == JSON_DOUBLE && floor(number->number) == number->number);
}

static int order(bool is_less, bool is_more)
{
	return is_more - is_less;
}

static int compare_mixed(int64_t integer, double number)
{
	int64_t whole;

	if (number >= two_to_63)
		return -1;
	if (number < -two_to_63)
		return 1;
	whole = (int64_t)floor(number);
	if (integer != whole)
		return order(integer<whole, integer> whole);
	return floor(number) < number ? -1 : 0;
}

int schema_compare(const struct json *a, const struct json *b)
{
	if (a->type == JSON_INTEGER && b->type == JSON_INTEGER)
		return order(a->integer<b->integer, a->integer> b->integer);
	if (a->type == JSON_INTEGER)
		return compare_mixed(a->integer, b->number);
	if (b->type == JSON_INTEGER)
		return -compare_mixed(b->integer, a->number);
	return order(a->number<b->number, a->number> b->number);
}

/* A double's 17 digits, or an integer's 19, scaled by 10^18 fit. */
__extension__ typedef __int128 wide;

/* digits * 10^exponent */
struct decimal {
	wide digits;
	int exponent;
};

static struct decimal decimal_of(const struct json *number)
{
	struct decimal decimal = {0, 0};
	char text[48];
	int precision = 15;
	const char *at;

	if (number->type == JSON_INTEGER)
		return (struct decimal){number->integer, 0};
	do
		(void)snprintf(text, sizeof(text), "%.*e", precision - 1, number->number);
	while (strtod(text, NULL) != number->number && precision++ < 17);
	for (at = text; *at != 'e' && *at != '\0'; at++)
		if (*at >= '0' && *at <= '9')
			decimal.digits = decimal.digits * 10 + (*at - '0');
	decimal.exponent = (*at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0) - (precision - 1);
	while (decimal.digits != 0 && decimal.digits % 10 == 0) {
		decimal.digits /= 10;
		decimal.exponent++;
	}
	return decimal; /* the sign does not matter to multiples */
}

enum { SCALE_MAX = 18 };

static wide scaled(wide digits, int by)
{
	while (by-- > 0)
		digits *= 10;
	return digits;
}

bool schema_is_multiple(const struct json *number, const struct json *of)
{
	struct decimal a = decimal_of(number);
	struct decimal b = decimal_of(of);
	int apart = a.exponent - b.exponent;

	if (a.digits == 0 || b.digits == 0) /* the schema has no 0 */
		return a.digits == 0;
	if (apart > SCALE_MAX) { /* then a mod b, step by step */
		a.digits %= b.digits;
		for (; apart > 0; apart--)
			a.digits = a.digits * 10 % b.digits;
		return a.digits == 0;
	}
	if (apart < -SCALE_MAX) /* b is larger than any a with so few digits */
		return false;
	if (apart >= 0)
		return scaled(a.digits, apart) % b.digits == 0;
	return a.digits % scaled(b.digits, -apart) == 0;
}

/* ---- equality -------------------------------------------------------------------------- */

static bool is_number(const struct json *value)
{
	return value->type == JSON_INTEGER || value->type == JSON_DOUBLE;
}

static bool equal_members(const struct json *a, const struct json *b, uint32_t *steps)
{
	uint32_t i;

	for (i = 0; i < a->count; i++) {
		const struct json *other = json_find_text(b, a->members[i].name);

		*steps += b->count / 8;
		if (other == NULL || !schema_equal(&a->members[i].value, other, steps))
			return false;
	}
	return true;
}

static bool equal_items(const struct json *a, const struct json *b, uint32_t *steps)
{
	uint32_t i;

	for (i = 0; i < a->count; i++)
		if (!schema_equal(&a->items[i], &b->items[i], steps))
			return false;
	return true;
}

/* Beyond the steps it gives up: whoever counts them sees that. */
bool schema_equal(const struct json *a, const struct json *b, uint32_t *steps)
{
	if (++*steps > JSON_SCHEMA_STEPS_MAX)
		return false;
	if (is_number(a) && is_number(b))
		return schema_compare(a, b) == 0;
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case JSON_BOOLEAN: return a->boolean == b->boolean;
	case JSON_STRING: return text_equal(a->string, b->string);
	case JSON_ARRAY: return a->count == b->count && equal_items(a, b, steps);
	case JSON_OBJECT: return a->count == b->count && equal_members(a, b, steps);
	case JSON_NULL:
	case JSON_INTEGER:
	case JSON_DOUBLE:
	default: return true;
	}
}

/* ---- no two alike ------------------------------------------------------------------------ */

static uint64_t mixed(uint64_t hash, uint64_t more)
{
	hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 29);
}

static uint64_t hash_text(struct text text, uint32_t *steps)
{
	uint64_t hash = text.length;
	size_t i;

	*steps += (uint32_t)(text.length / 64);
	for (i = 0; i < text.length; i++)
		hash = mixed(hash, (unsigned char)text.data[i]);
	return hash;
}

static uint64_t hash_number(const struct json *value)
{
	double number = value->type == JSON_DOUBLE ? value->number : (double)value->integer;
	uint64_t bits = 0;

	number = number == 0 ? 0 : number; /* -0.0 is 0 */
	memcpy(&bits, &number, sizeof(bits));
	return mixed(1, bits);
}

/* Equal values have the same hash, whatever the order of their members. */
static uint64_t hash_of(const struct json *value, uint32_t *steps)
{
	uint64_t hash = (uint64_t)value->type;
	uint32_t i;

	if (++*steps > JSON_SCHEMA_STEPS_MAX)
		return 0;
	switch (value->type) {
	case JSON_BOOLEAN: return mixed(2, value->boolean);
	case JSON_INTEGER:
	case JSON_DOUBLE: return hash_number(value);
	case JSON_STRING: return mixed(3, hash_text(value->string, steps));
	case JSON_ARRAY:
		for (i = 0; i < value->count; i++)
			hash = mixed(hash, hash_of(&value->items[i], steps));
		return hash;
	case JSON_OBJECT:
		for (i = 0; i < value->count; i++)
			hash += mixed(hash_text(value->members[i].name, steps),
				hash_of(&value->members[i].value, steps));
		return hash;
	case JSON_NULL:
	default: return mixed(4, 0);
	}
}

struct hashed {
	uint64_t hash;
	const struct json *value;
};

static int by_hash(const void *a, const void *b)
{
	const struct hashed *left = a;
	const struct hashed *right = b;

	return order(left->hash<right->hash, left->hash> right->hash);
}

enum schema_unique schema_is_unique(
	const struct json *array, struct arena *scratch, uint32_t *steps)
{
	struct hashed *items = arena_array(scratch, struct hashed, (size_t)array->count + 1);
	uint32_t i, k;

	if (items == NULL)
		return UNIQUE_EXHAUSTED;
	for (i = 0; i < array->count; i++)
		items[i] = (struct hashed){hash_of(&array->items[i], steps), &array->items[i]};
	if (*steps > JSON_SCHEMA_STEPS_MAX)
		return UNIQUE_EXHAUSTED;
	qsort(items, array->count, sizeof(*items), by_hash);
	for (i = 0; i < array->count; i++)
		for (k = i + 1; k < array->count && items[k].hash == items[i].hash; k++) {
			if (schema_equal(items[i].value, items[k].value, steps))
				return UNIQUE_NO;
			if (*steps > JSON_SCHEMA_STEPS_MAX)
				return UNIQUE_EXHAUSTED;
		}
	return UNIQUE_YES;
}

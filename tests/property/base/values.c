#include "values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LETTERS_MAX = 24, CONTAINER_MAX = 5 };

uint64_t source_next(struct source *source)
{
	uint64_t mixed = source->state += 0x9E3779B97F4A7C15U;

	mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9U;
	mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBU;
	return mixed ^ mixed >> 31;
}

uint32_t source_below(struct source *source, uint32_t bound)
{
	return (uint32_t)(source_next(source) >> 32) % bound;
}

uint64_t seed_of_run(void)
{
	const char *given = getenv("REMIT_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	printf("seed %llu (set REMIT_SEED to have it again)\n", (unsigned long long)seed);
	return seed;
}

/* Letters that writers and readers stumble over, more often than others. */
static struct text text_random(struct source *source, struct arena *arena)
{
	static const char *const pieces[] = {"a", "b", "true", "no", "null", "1", "-", "- ", ": ",
		":", "#", " #", " ", "  ", "\t", "\n", "\n\n", "\r", "\"", "'", "\\", "{", "}", "[",
		"]", ",", "&", "*", "!", "|", ">", "%", "@", "`", "---", "...", "?", "? ", "<<",
		"~", "\x01", "\x1f", "\x7f", "\xC2\x80", "\xC2\x85", "\xC2\xA0", "\xC3\xA9",
		"\xE2\x80\xA8", "\xE2\x80\xA9", "\xEE\x80\x80", "\xEF\xBB\xBF", "\xEF\xBF\xBE",
		"\xEF\xBF\xBF", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "/", "0", "2027-06-30",
		"text", "word", "=", "(", ")"};
	struct buffer out;
	struct text text;
	uint32_t count = source_below(source, LETTERS_MAX);
	uint32_t many = source_below(source, 50) == 0 ? 200 : 1;

	if (source_below(source, 3) == 0)
		count %= 3;
	buffer_init(&out, 1 << 16);
	for (count *= many; count > 0; count--)
		buffer_append_string(
			&out, pieces[source_below(source, sizeof pieces / sizeof pieces[0])]);
	text = text_copy(arena, buffer_text(&out));
	if (text.data == NULL)
		abort();
	buffer_deinit(&out);
	return text;
}

static struct json number_random(struct source *source, unsigned flags)
{
	uint64_t bits = source_next(source);
	struct json value;

	if (flags & VALUES_WITHOUT_DOUBLES || source_below(source, 2) == 0)
		return json_integer((int64_t)(bits >> source_below(source, 64)) *
				    (source_below(source, 2) ? 1 : -1));
	value = (struct json){.type = JSON_DOUBLE};
	switch (source_below(source, 4)) {
	case 0: value.number = (double)(int64_t)(bits >> 50); break;
	case 1: value.number = ldexp(1, (int)(bits % 2000) - 1000); break;
	case 2: value.number = (double)(bits % 100000) / 1000; break;
	default: memcpy(&value.number, &bits, sizeof bits);
	}
	if (!isfinite(value.number))
		value.number = 0.5;
	return value;
}

struct json object_random(struct source *source, struct arena *arena, unsigned flags, int depth)
{
	uint32_t count = source_below(source, source_below(source, 20) == 0 ? 40 : CONTAINER_MAX);
	struct json_builder builder;
	struct error err;
	struct json out;
	uint32_t i;

	json_object_start(&builder, arena);
	for (i = 0; i < count; i++) {
		struct text name = text_random(source, arena);

		if (i > 0) /* no name twice */
			name = text_format(arena, "%.*s%u", TEXT_ARGS(name), i);
		json_put_named(&builder, name, value_random(source, arena, flags, depth - 1));
	}
	if (!json_object_seal(&builder, &out, &err))
		out = json_null(); /* the first name may end in a digit of another */
	if (out.type == JSON_NULL)
		return object_random(source, arena, flags, depth);
	return out;
}

struct json value_random(struct source *source, struct arena *arena, unsigned flags, int depth)
{
	uint32_t count = source_below(source, CONTAINER_MAX);
	struct json_builder builder;
	struct error err;
	struct json out;

	switch (source_below(source, depth > 0 ? 7 : 5)) {
	case 0: return json_null();
	case 1: return json_boolean(source_below(source, 2));
	case 2: return number_random(source, flags);
	case 3:
	case 4: return json_string(text_random(source, arena));
	case 5: return object_random(source, arena, flags, depth);
	default: break;
	}
	json_array_start(&builder, arena);
	while (count-- > 0)
		json_add(&builder, value_random(source, arena, flags, depth - 1));
	if (!json_array_seal(&builder, &out, &err))
		abort();
	return out;
}

struct json value_shuffled(struct source *source, struct arena *arena, const struct json *value)
{
	struct json_builder builder;
	struct error err;
	struct json out = *value;
	uint32_t start;
	uint32_t i;

	if (value->count == 0 || (value->type != JSON_OBJECT && value->type != JSON_ARRAY))
		return out;
	json_object_start(&builder, arena);
	start = value->type == JSON_OBJECT ? source_below(source, value->count) : 0;
	for (i = 0; i < value->count; i++) {
		uint32_t from = (start + i) % value->count;
		bool is_object = value->type == JSON_OBJECT;
		const struct json *item =
			is_object ? &value->members[from].value : &value->items[from];
		struct text name = is_object ? value->members[from].name : (struct text){0};

		json_put_named(&builder, name, value_shuffled(source, arena, item));
	}
	if (value->type == JSON_OBJECT ? !json_object_seal(&builder, &out, &err)
				       : !json_array_seal(&builder, &out, &err))
		abort();
	return out;
}

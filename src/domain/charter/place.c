#include "domain/charter/place.h"

/* One step of a place: a name, and whether it is each of a list. */
struct step {
	struct text name;
	bool is_each;
};

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static bool is_name(struct text name)
{
	size_t i;

	for (i = 0; i < name.length; i++)
		if (!is_name_byte(name.data[i]))
			return false;
	return name.length > 0;
}

/* Takes what stands before the first dot, or the end. */
static struct text part_take(struct text *rest)
{
	ptrdiff_t dot = text_find_byte(*rest, '.');
	size_t length = dot < 0 ? rest->length : (size_t)dot;
	struct text part = {rest->data, length};

	rest->data += dot < 0 ? length : length + 1;
	rest->length -= dot < 0 ? length : length + 1;
	return part;
}

/* Takes the first step of *rest, with the star that may follow it. */
static struct step step_take(struct text *rest)
{
	struct step step = {.name = part_take(rest)};

	step.is_each = text_ends_with(step.name, "[*]");
	if (step.is_each)
		step.name.length -= 3;
	else if (text_is(*rest, "*") || text_starts_with(*rest, "*.")) {
		step.is_each = true;
		(void)part_take(rest);
	}
	return step;
}

bool place_is_wellformed(struct text place)
{
	unsigned steps = 0;

	if (place.length == 0 || place.length > PLACE_BYTES_MAX || text_ends_with(place, "."))
		return false;
	while (place.length > 0)
		if (!is_name(step_take(&place).name) || ++steps > PLACE_STEPS_MAX)
			return false;
	return true;
}

/* Within an item of a list what is not there is seen as such, and never stops the
 * others.  The depth is that of the place. */
static enum place_found walk(
	const struct json *at, struct text rest, bool is_item, place_visit *visit, void *context)
{
	enum place_found missing = is_item ? PLACE_FOUND : PLACE_MISSING;
	struct step step;
	const struct json *value;

	if (rest.length == 0) {
		visit(context, at);
		return PLACE_FOUND;
	}
	step = step_take(&rest);
	value = at->type == JSON_OBJECT ? json_find_text(at, step.name) : NULL;
	if (value == NULL || (step.is_each && value->type != JSON_ARRAY)) {
		if (is_item)
			visit(context, NULL);
		return missing;
	}
	if (!step.is_each)
		return walk(value, rest, is_item, visit, context);
	for (uint32_t i = 0; i < value->count; i++)
		(void)walk(&value->items[i], rest, true, visit, context);
	return PLACE_FOUND;
}

enum place_found place_each(
	const struct json *root, struct text place, place_visit *visit, void *context)
{
	return place.length == 0 ? PLACE_MISSING : walk(root, place, false, visit, context);
}

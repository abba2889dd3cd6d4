/* What both readers of schemas share: names, and errors with a place. */
#include "cedar/schema_raw.h"

#include <stdarg.h>
#include <stdio.h>

bool raw_is_name(struct cedar_text text)
{
	return cedar_is_identifier(text) &&
	       (!cedar_is_reserved(text) || cedar_text_is(text, "__cedar"));
}

/* The part of a container that begins last before the place. */
static const struct document *part_at(const struct document *container, uint32_t at)
{
	const struct document *found = NULL;

	if (container->type != DOCUMENT_ARRAY && container->type != DOCUMENT_OBJECT)
		return NULL;
	for (const struct document *part = container->first; part != NULL; part = part->next) {
		if (part->at <= at)
			found = part;
	}
	return found;
}

static uint32_t position(const struct document *array, const struct document *part)
{
	uint32_t count = 0;

	for (const struct document *at = array->first; at != part; at = at->next)
		count++;
	return count;
}

/* "/NS/entityTypes/A/memberOfTypes/0: " as far as there is room. */
static size_t write_path(const struct document *root, uint32_t at, char *out, size_t room)
{
	const struct document *container = root, *part;
	size_t used = 0;

	while ((part = part_at(container, at)) != NULL && used < room) {
		int written = 0;

		if (container->type == DOCUMENT_ARRAY)
			written =
				snprintf(out + used, room - used, "/%u", position(container, part));
		else
			written = snprintf(out + used, room - used, "/%.*s", RAW_SHOWN(part->name));
		used += written < 0 ? 0 : (size_t)written;
		container = part;
	}
	if (used > 0 && used + 2 < room)
		used += (size_t)snprintf(out + used, room - used, ": ");
	return used < room ? used : room - 1;
}

bool raw_fail(const struct raw_schema *raw, uint32_t at, const char *fmt, ...)
{
	char text[CEDAR_ERROR_TEXT_BYTES] = "";
	size_t used = 0;
	va_list args;

	if (raw->root != NULL)
		used = write_path(raw->root, at, text, sizeof text / 2);
	va_start(args, fmt);
	(void)vsnprintf(text + used, sizeof text - used, fmt, args);
	va_end(args);
	return cedar_fail_at(raw->err, raw->text, at, "%s", text);
}

/* The table of methods, sorted by name so that a look is a binary search.  It
 * is the whole vocabulary: adding a method means adding a row here. */

#include "domain/call/method.h"

#include <stddef.h>

/* clang-format off */
static const struct method methods[] = {
	{ "CancelTask",                           METHOD_PEER,     EFFECT_DELEGATE },
	{ "GetTask",                              METHOD_PEER,     EFFECT_DELEGATE },
	{ "SendMessage",                          METHOD_PEER,     EFFECT_DELEGATE },
	{ "SendStreamingMessage",                 METHOD_PEER,     EFFECT_DELEGATE },
	{ "SubscribeToTask",                      METHOD_PEER,     EFFECT_DELEGATE },
	{ "chat/completions",                     METHOD_MODEL,    EFFECT_GENERATE },
	{ "completion/complete",                  METHOD_RESOURCE, EFFECT_READ },
	{ "elicitation/create",                   METHOD_ASKED,    EFFECT_WRITE },
	{ "initialize",                           METHOD_LOCAL,    EFFECT_NONE },
	{ "logging/setLevel",                     METHOD_RESOURCE, EFFECT_WRITE },
	{ "messages",                             METHOD_MODEL,    EFFECT_GENERATE },
	{ "messages/count_tokens",                METHOD_MODEL,    EFFECT_GENERATE },
	{ "notifications/cancelled",              METHOD_LOCAL,    EFFECT_NONE },
	{ "notifications/initialized",            METHOD_LOCAL,    EFFECT_NONE },
	{ "notifications/progress",               METHOD_LOCAL,    EFFECT_NONE },
	{ "notifications/roots/list_changed",     METHOD_LOCAL,    EFFECT_NONE },
	{ "ping",                                 METHOD_LOCAL,    EFFECT_NONE },
	{ "prompts/get",                          METHOD_RESOURCE, EFFECT_READ },
	{ "prompts/list",                         METHOD_FILTERED, EFFECT_READ },
	{ "resources/list",                       METHOD_FILTERED, EFFECT_READ },
	{ "resources/read",                       METHOD_RESOURCE, EFFECT_READ },
	{ "resources/subscribe",                  METHOD_DENIED,   EFFECT_READ },
	{ "resources/templates/list",             METHOD_FILTERED, EFFECT_READ },
	{ "resources/unsubscribe",                METHOD_DENIED,   EFFECT_READ },
	{ "responses",                            METHOD_MODEL,    EFFECT_GENERATE },
	{ "sampling/createMessage",               METHOD_ASKED,    EFFECT_WRITE },
	{ "tasks/cancel",                         METHOD_DENIED,   EFFECT_EXECUTE },
	{ "tasks/get",                            METHOD_DENIED,   EFFECT_READ },
	{ "tasks/list",                           METHOD_DENIED,   EFFECT_READ },
	{ "tasks/result",                         METHOD_DENIED,   EFFECT_READ },
	{ "tools/call",                           METHOD_TOOL,     EFFECT_NONE },
	{ "tools/list",                           METHOD_FILTERED, EFFECT_READ },
};
/* clang-format on */

static const struct method unknown = {"", METHOD_DENIED, EFFECT_NONE};

const struct method *method_find(struct text name)
{
	size_t low = 0, high = sizeof(methods) / sizeof(*methods);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = text_compare(name, text_of(methods[middle].name));

		if (order == 0)
			return &methods[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return &unknown;
}

static bool is_dotted(struct text dotted, const char *name)
{
	size_t i;

	for (i = 0; i < dotted.length && name[i] != '\0'; i++)
		if (dotted.data[i] != name[i] && !(name[i] == '/' && dotted.data[i] == '.'))
			return false;
	return i == dotted.length && name[i] == '\0';
}

const struct method *method_find_dotted(struct text name)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (methods[i].route != METHOD_PEER && is_dotted(name, methods[i].name))
			return &methods[i];
	return &unknown;
}

const struct method *method_at(size_t index)
{
	return index < sizeof(methods) / sizeof(*methods) ? &methods[index] : NULL;
}

bool method_is_retrieval(const struct method *method)
{
	return method->route == METHOD_RESOURCE && method->effect == EFFECT_READ;
}

bool method_has_door(const struct method *method)
{
	return method->route == METHOD_RESOURCE || method->route == METHOD_ASKED;
}

bool method_is_asked(const struct method *method)
{
	return method->route == METHOD_ASKED;
}

bool method_is_notification(struct text name)
{
	return text_starts_with(name, "notifications/");
}

/* All this would be found by the first call: it is refused then, too (domain/call,
 * edges/upstream). */
#include "services/registry/plan_ways.h"

#include <stdio.h>

#include "domain/call/method.h"
#include "domain/charter/nearest.h"
#include "services/settings/settings.h"

static struct place place_of(const struct problems *problems, const struct object *object,
	struct text file, const char *field)
{
	const struct json *value = json_find(&object->as_read, field);

	return (struct place){.file = file,
		.line = value == NULL ? object->as_read.line : value->line,
		.field = text_format(problems->arena, "%s %.*s: %s", object_kind_word(object->kind),
			TEXT_ARGS(object->name), field)};
}

static void check_credential(
	const struct object *object, struct text file, struct problems *problems)
{
	const struct server *server = object->server;
	struct text url = server->url;

	if (server->transport != TRANSPORT_HTTP || text_starts_with(url, "https://") ||
		(server->credential.length == 0 && server->credentials_count == 0))
		return;
	url = text_copy(problems->arena, url);
	if (url.data == NULL || !url_is_local(url.data))
		problem_add(problems, place_of(problems, object, file, "transport"),
			"write https; http is for this machine's own addresses, or without a "
			"credential",
			"a credential leaves over https only");
}

/* ---- methods ---- */

/* "resources/read" as the registry writes it. */
static struct text dotted(char *out, size_t size, const char *method)
{
	(void)snprintf(out, size, "%s", method);
	for (size_t i = 0; out[i] != '\0'; i++)
		if (out[i] == '/')
			out[i] = '.';
	return text_of(out);
}

/* A server may have a tool whose name is near one; who pins its definition has seen it. */
static void check_misspelt(const struct tool *tool, struct place place, struct problems *problems)
{
	struct nearest nearest = {.wrong = tool->tool_name};
	char name[NEAREST_NAME_BYTES];
	char remedy[PROBLEM_TEXT_BYTES];
	const struct method *method;

	if (tool->has_definition || text_find_byte(tool->tool_name, '.') < 0)
		return;
	for (size_t i = 0; (method = method_at(i)) != NULL; i++)
		if (method_has_door(method))
			nearest_consider(&nearest, dotted(name, sizeof name, method->name));
	if (nearest.found[0] == '\0')
		return;
	(void)snprintf(remedy, sizeof remedy,
		"did you mean %.*s/%s? if the server has a tool of this name, pin its definition",
		TEXT_ARGS(tool->server), nearest.found);
	problem_add(problems, place, remedy, "no method is named %.*s", TEXT_ARGS(tool->tool_name));
}

static void check_method(const struct object *object, struct text file, struct problems *problems)
{
	const struct tool *tool = object->tool;
	const struct method *method = method_find_dotted(tool->tool_name);
	struct place place = place_of(problems, object, file, "name");
	bool is_roots = text_is(tool->tool_name, "roots.list") && !tool->has_definition;

	if (method->name[0] == '\0' && !is_roots) {
		check_misspelt(tool, place, problems);
		return;
	}
	/* Lists needed a tool once; one that is still there harms nothing. */
	if (method->route == METHOD_FILTERED)
		return;
	if (!method_has_door(method))
		problem_add(problems, place, "take it out",
			"%.*s is a method that is always refused, and no tool",
			TEXT_ARGS(tool->tool_name));
	else if (tool->effect != method->effect)
		problem_add(problems, place_of(problems, object, file, "effect"),
			method->effect == EFFECT_WRITE ? "write effect: write"
						       : "write effect: read",
			"%s is a method, and its effect is %s", method->name,
			effect_word(method->effect));
	else if (tool->has_definition)
		problem_add(problems, place_of(problems, object, file, "definition"), "take it out",
			"%s is a method: no server defines it, so nothing of it is pinned",
			method->name);
}

void plan_check_ways(const struct object *object, struct text file, struct problems *problems)
{
	if (object->kind == OBJECT_SERVER)
		check_credential(object, file, problems);
	if (object->kind == OBJECT_TOOL)
		check_method(object, file, problems);
}

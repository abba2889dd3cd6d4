/* Tools kept honest: what an offered tool without a pin is beside those that have one.
 *
 *   renamed      by another name it would be exactly what was pinned on this server, and the
 *                server does not offer that name any more
 *   shadowed     a pinned tool of another server has its name
 *   look-alike   its name could be taken for a pinned tool's, of any server
 *
 * Whoever is pinned and unchanged is never judged: the newcomer is, until an administrator
 * pins it too.  A judgement holds for one list of the server and one generation of the
 * registry.  Findings are opened when a list comes in; a tool that is not registered cannot
 * be called, so only so many of them are looked at. */

#include <stdlib.h>

#include "services/decide/decide_private.h"
#include "services/decide/look_alike.h"
#include "services/finding/finding.h"

/* A tool that an administrator has pinned.  Texts are the registry's. */
struct protected_name {
	const struct tool *tool;
	struct text bare;
	struct name_look look;
};

/* ---- the pinned names ---------------------------------------------------------------------- */

void protected_names_forget(struct decide_service *service)
{
	free(service->protected);
	service->protected = NULL;
	service->protected_count = 0;
	service->protected_generation = 0;
}

static struct text bare_of(const struct tool *tool)
{
	return (struct text){tool->name.data + tool->server.length + 1,
		tool->name.length - tool->server.length - 1};
}

static bool add_protected(void *context, const struct registry_entry *entry)
{
	struct decide_service *service = context;
	const struct tool *tool = entry->in_force == NULL ? NULL : entry->in_force->tool;
	struct protected_name *name;

	if (tool == NULL || !tool->has_definition)
		return true;
	name = &service->protected[service->protected_count++];
	name->tool = tool;
	name->bare = bare_of(tool);
	name_look_of(&name->look, name->bare);
	return true;
}

/* False without memory. */
static bool protected_names_make(struct decide_service *service)
{
	uint64_t generation = registry_generation(service->registry) + 1;
	size_t room = registry_count(service->registry, OBJECT_TOOL) + 1;

	if (service->protected_generation == generation)
		return true;
	protected_names_forget(service);
	service->protected = calloc(room, sizeof(*service->protected));
	if (service->protected == NULL)
		return false;
	registry_each(service->registry, OBJECT_TOOL, TEXT(""), add_protected, service);
	service->protected_generation = generation;
	return true;
}

/* ---- judging ------------------------------------------------------------------------------ */

/* A definition beside the pinned names of its server that are gone. */
struct comparing {
	const struct definition *definition;
	struct arena *arena;   /* of parsed */
	struct arena *scratch; /* of one comparison */
	struct json parsed;
};

/* False: it cannot be compared. */
static bool comparing_start(struct comparing *comparing)
{
	const struct json_limits limits = {
		.size_bytes = DEFINITION_TEXTS_BYTES_MAX, .depth = 64, .values = 400000};
	struct error err;

	if (comparing->arena != NULL)
		return comparing->parsed.type == JSON_OBJECT;
	comparing->arena = arena_create_small(16 * DEFINITION_ARENA_BYTES, 4096);
	comparing->scratch = arena_create_small(2 * DEFINITION_ARENA_BYTES, 4096);
	return comparing->arena != NULL && comparing->scratch != NULL &&
	       comparing->definition->canonical.length > 0 &&
	       json_parse(&comparing->parsed, comparing->arena, comparing->definition->canonical,
		       &limits, &err);
}

static void comparing_end(struct comparing *comparing)
{
	arena_destroy(&comparing->arena);
	arena_destroy(&comparing->scratch);
}

/* Whether the definition, by this pinned name, would be what is pinned; what cannot be
 * compared is taken for it. */
static bool is_renamed_from(struct comparing *comparing, const struct protected_name *old)
{
	struct text canonical;
	struct sha256 digest;
	struct error err;

	if (!comparing_start(comparing) || !definition_text(&comparing->parsed, old->bare,
						   comparing->scratch, &canonical, &err))
		return true;
	digest = sha256_of(canonical.data, canonical.length);
	arena_reset(comparing->scratch);
	return sha256_equal(&digest, &old->tool->definition);
}

static bool is_gone(
	const struct definition_list *list, const struct protected_name *name, struct text server)
{
	return text_equal(name->tool->server, server) &&
	       name_table_find(list->tools, name->bare) == NULL;
}

/* The pinned tool of this server that the definition was, or NULL. */
static const struct protected_name *find_renamed(const struct decide_service *service,
	struct text server, struct definition_list *list, const struct definition *definition)
{
	struct comparing comparing = {.definition = definition};
	const struct protected_name *found = NULL;
	size_t i;

	if (list->renames_generation != service->protected_generation)
		list->renames_tried = 0;
	list->renames_generation = service->protected_generation;
	for (i = 0; i < service->protected_count && found == NULL; i++) {
		const struct protected_name *name = &service->protected[i];

		if (is_gone(list, name, server) &&
			(list->renames_tried++ >= DEFINITION_RENAMES_MAX ||
				is_renamed_from(&comparing, name)))
			found = name;
	}
	comparing_end(&comparing);
	return found;
}

static const struct protected_name *find_shadowed(
	const struct decide_service *service, struct text server, struct text bare)
{
	size_t i;

	for (i = 0; i < service->protected_count; i++)
		if (!text_equal(service->protected[i].tool->server, server) &&
			text_equal(service->protected[i].bare, bare))
			return &service->protected[i];
	return NULL;
}

static const struct protected_name *find_alike(
	const struct decide_service *service, const struct name_look *look, struct text bare)
{
	size_t i;

	for (i = 0; i < service->protected_count; i++)
		if (!text_equal(service->protected[i].bare, bare) &&
			name_looks_alike(&service->protected[i].look, look))
			return &service->protected[i];
	return NULL;
}

static enum definition_state judge(struct decide_service *service, struct text server,
	const struct definition *definition, const struct protected_name **out)
{
	struct definition_list *list = definition_list_of(service, server);
	struct name_look look;

	*out = list == NULL ? NULL : find_renamed(service, server, list, definition);
	if (*out != NULL)
		return DEFINITION_RENAMED;
	*out = find_shadowed(service, server, definition->name);
	if (*out != NULL)
		return DEFINITION_SHADOWED;
	name_look_of(&look, definition->name);
	*out = find_alike(service, &look, definition->name);
	return *out != NULL || look.is_disguised ? DEFINITION_LOOK_ALIKE : DEFINITION_UNPINNED;
}

enum definition_state decide_judge(
	struct decide_service *service, struct text server, struct definition *definition)
{
	const struct protected_name *resembled = NULL;

	if (definition->is_twice)
		return DEFINITION_SHADOWED;
	if (!protected_names_make(service))
		return DEFINITION_LOOK_ALIKE; /* not known to be none */
	if (definition->judged != DEFINITION_UNSEEN &&
		definition->judged_generation == service->protected_generation)
		return definition->judged;
	definition->judged = judge(service, server, definition, &resembled);
	definition->judged_generation = service->protected_generation;
	definition->resembles = resembled == NULL ? (struct text){0} : resembled->tool->name;
	return definition->judged;
}

/* ---- findings ----------------------------------------------------------------------------- */

enum { SUBJECT_NAME_BYTES_MAX = 300 };

struct reporting {
	struct decide_service *service;
	struct arena *arena;
	struct text server;
	struct text unit; /* of the server */
	uint32_t strangers;
};

static enum finding_kind kind_of(enum definition_state state, const struct definition *definition)
{
	switch (state) {
	case DEFINITION_DIFFERS:
		return definition->is_twice ? FINDING_TOOL_SHADOWED : FINDING_TOOL_DRIFT;
	case DEFINITION_RENAMED: return FINDING_TOOL_RENAMED;
	case DEFINITION_SHADOWED: return FINDING_TOOL_SHADOWED;
	case DEFINITION_LOOK_ALIKE: return FINDING_TOOL_LOOK_ALIKE;
	case DEFINITION_UNREADABLE: return FINDING_TOOL_UNREADABLE;
	case DEFINITION_MATCHES:
	case DEFINITION_UNPINNED:
	case DEFINITION_UNSEEN:
	case DEFINITION_STATE_COUNT:
	default: return FINDING_NONE;
	}
}

/* A name of a server's choice, short enough for a record. */
static struct text shortened(struct text name)
{
	if (name.length <= SUBJECT_NAME_BYTES_MAX)
		return name;
	name.length = SUBJECT_NAME_BYTES_MAX;
	while (!text_is_utf8(name))
		name.length--;
	return name;
}

static struct text what_of(const struct reporting *reporting, enum finding_kind kind,
	const struct definition *definition, struct text subject)
{
	struct text resembles = definition->resembles;

	if (kind == FINDING_TOOL_DRIFT)
		return text_format(reporting->arena,
			"Server %.*s defines %.*s otherwise than it was pinned.",
			TEXT_ARGS(reporting->server), TEXT_ARGS(subject));
	if (kind == FINDING_TOOL_UNREADABLE)
		return text_format(reporting->arena,
			"%.*s is as it was pinned, but its schemas cannot be used.",
			TEXT_ARGS(subject));
	if (definition->is_twice)
		return text_format(reporting->arena, "Server %.*s lists %.*s more than once.",
			TEXT_ARGS(reporting->server), TEXT_ARGS(subject));
	if (resembles.length == 0)
		return text_format(reporting->arena,
			"The name of %.*s has letters that hide or mix scripts.",
			TEXT_ARGS(subject));
	return text_format(reporting->arena, "%.*s %s %.*s, which is pinned.", TEXT_ARGS(subject),
		kind == FINDING_TOOL_RENAMED    ? "is by another name what was"
		: kind == FINDING_TOOL_SHADOWED ? "has the name of"
						: "has a name like",
		TEXT_ARGS(resembles));
}

static bool details_of(const struct reporting *reporting, const struct tool *tool,
	struct definition *definition, struct json *out, struct error *err)
{
	struct json_builder members;

	json_object_start(&members, reporting->arena);
	if (definition->has_digest)
		json_put_digest(&members, "offered", &definition->digest);
	if (tool != NULL && tool->has_definition)
		json_put_digest(&members, "pinned", &tool->definition);
	if (definition->resembles.length > 0 && (tool == NULL || !tool->has_definition))
		json_put_text(&members, "resembles", definition->resembles);
	if (tool != NULL && tool->has_definition)
		json_put_text_unless_empty(
			&members, "problem", definition_problem(definition, reporting->arena));
	json_put_boolean(&members, "registered", tool != NULL);
	return json_object_seal(&members, out, err);
}

/* What cannot be reported now is when the server lists its tools again. */
static void report(const struct reporting *reporting, const struct tool *tool,
	enum finding_kind kind, struct definition *definition)
{
	struct finding_draft draft = {.kind = kind, .control = "G-28", .unit = reporting->unit};
	struct json details;
	bool is_taken = false;
	struct error err;

	draft.subject = text_format(reporting->arena, "%.*s/%.*s", TEXT_ARGS(reporting->server),
		TEXT_ARGS(shortened(definition->name)));
	if (draft.subject.data == NULL || !details_of(reporting, tool, definition, &details, &err))
		return;
	draft.details = &details;
	draft.what = what_of(reporting, kind, definition, draft.subject);
	if (draft.what.data != NULL)
		/* refused ones are counted: remit_findings_refused_total */
		is_taken = finding_report(reporting->service->findings, &draft, &err);
	(void)is_taken;
}

static void report_one(struct reporting *reporting, struct definition *definition)
{
	struct decide_service *service = reporting->service;
	struct text name = text_format(reporting->arena, "%.*s/%.*s", TEXT_ARGS(reporting->server),
		TEXT_ARGS(definition->name));
	const struct tool *tool =
		name.data == NULL ? NULL : registry_find_tool(service->registry, name);
	enum finding_kind kind;

	if (name.data == NULL ||
		(tool == NULL && reporting->strangers++ >= DEFINITION_STRANGERS_MAX))
		return;
	kind = kind_of(decide_definition_state(service, name), definition);
	if (kind != FINDING_NONE)
		report(reporting, tool, kind, definition);
}

void decide_report_list(struct decide_service *service, struct text server)
{
	const struct definition_list *list = definition_list_of(service, server);
	const struct server *registered = registry_find_server(service->registry, server);
	struct reporting reporting = {.service = service,
		.server = server,
		.unit = registered == NULL ? TEXT("") : registered->unit};
	struct definition *definition;

	if (service->findings == NULL || list == NULL)
		return;
	reporting.arena = arena_create(DEFINITION_ARENA_BYTES);
	definition = name_table_next(list->tools, TEXT(""));
	for (; reporting.arena != NULL && definition != NULL;
		definition = name_table_next(list->tools, definition->name)) {
		report_one(&reporting, definition);
		arena_reset(reporting.arena);
	}
	arena_destroy(&reporting.arena);
}

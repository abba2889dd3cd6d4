/* One list says what each kind of object refers to (visit_references); both
 * questions, "is it there?" and "does this name that?", walk it, so neither can
 * forget a field. */
#include "domain/charter/reference.h"

#include <stdio.h>
#include <string.h>

#include "domain/charter/form.h"
#include "domain/charter/nearest.h"
#include "domain/federation/rule.h"

struct reference {
	enum object_kind kind;
	struct text name;
	const struct json *value; /* where it stands; NULL: in the object's name */
	const struct form_path *path;
	const struct entitlement *line; /* of an entitlement on a tool or data source */
	bool is_environment_bound;      /* its environment must be one of the charter's */
	/* Of a server that must be a provider of models, by a charter's `model` or its lines. */
	struct text model;
	bool is_permit;                     /* of a model: it must be in `model`, too */
	const struct federation_rule *rule; /* of an issuer: what counts of its tokens */
};

typedef void reference_visit(void *context, const struct reference *reference);

/* ---- walking ---- */

/* Of a charter's list where there is a charter, else of the object's own. */
static const struct json *item_of(const struct object *object, const char *list, uint32_t index)
{
	const struct json *charter = object_charter_document(object, &object->as_read);
	const struct json *items = json_find(charter == NULL ? &object->as_read : charter, list);

	return items == NULL || index >= items->count ? NULL : &items->items[index];
}

static void visit_member(const struct object *object, const char *member, enum object_kind kind,
	reference_visit *visit, void *context)
{
	const struct json *value = json_find(&object->as_read, member);
	struct form_path path = {.name = text_of(member)};
	struct reference reference = {.kind = kind, .value = value, .path = &path};

	if (value == NULL || value->type != JSON_STRING)
		return;
	reference.name = value->string;
	visit(context, &reference);
}

/* One reference in an item of a list. */
static void visit_item(const struct object *object, const char *list, uint32_t index,
	struct reference *reference, reference_visit *visit, void *context)
{
	struct form_path at_template = {.name = TEXT("sandbox")};
	struct form_path at_list = {
		.up = object->kind == OBJECT_UNIT ? &at_template : NULL, .name = text_of(list)};
	struct form_path at_item = {.up = &at_list, .index = index};

	reference->path = &at_item;
	reference->value = item_of(object, list, index);
	visit(context, reference);
	reference->path = NULL; /* at_item ends here */
}

/* What a "person:NAME", "peer:NAME" or "server/tool" names; NONE for "reply" and
 * a recipient. */
static enum object_kind output_kind(struct text to, struct text *name)
{
	*name = to;
	if (text_starts_with(to, "person:")) {
		*name = text_after(to, sizeof "person:" - 1);
		return OBJECT_PERSON;
	}
	if (text_starts_with(to, "peer:")) {
		*name = text_after(to, sizeof "peer:" - 1);
		return OBJECT_IDENTITY;
	}
	return name_is_tool(to) ? OBJECT_TOOL : OBJECT_NONE;
}

static enum object_kind resource_object_kind(enum resource_kind kind)
{
	switch (kind) {
	case RESOURCE_TOOL: return OBJECT_TOOL;
	case RESOURCE_DATA_SOURCE: return OBJECT_DATA_SOURCE;
	case RESOURCE_PEER: return OBJECT_IDENTITY;
	case RESOURCE_MODEL: return OBJECT_SERVER; /* its provider */
	case RESOURCE_NONE: break;
	}
	return OBJECT_NONE;
}

static void visit_approvals(const struct object *object, const struct entitlement *line,
	reference_visit *visit, void *context)
{
	for (uint32_t i = 0; i < line->approvals_count; i++) {
		struct reference reference = {.kind = OBJECT_UNIT};
		struct text name = line->approvals[i];

		if (text_starts_with(name, "data-owner/"))
			reference.name = text_after(name, sizeof "data-owner/" - 1);
		else if (text_starts_with(name, "unit/"))
			reference.name = text_after(name, sizeof "unit/" - 1);
		else
			continue;
		visit_item(object, "entitlements", line->number, &reference, visit, context);
	}
}

/* Whom work is handed to, and whose tools it may be done with. */
static void visit_peers(const struct object *object, reference_visit *visit, void *context)
{
	const struct charter *charter = object_charter(object);

	for (uint32_t i = 0; i < charter->peers_count; i++) {
		const struct charter_peer *peer = &charter->peers[i];
		struct reference reference = {.kind = OBJECT_IDENTITY, .name = peer->identity};

		visit_item(object, "peers", i, &reference, visit, context);
		for (uint32_t j = 0; j < peer->tools_count; j++) {
			struct text glob = peer->tools[j];
			ptrdiff_t slash = text_find_byte(glob, '/');
			struct reference server = {.kind = OBJECT_SERVER,
				.name = {glob.data, slash < 0 ? 0 : (size_t)slash}};

			visit_item(object, "peers", i, &server, visit, context);
		}
	}
}

/* "PROVIDER/NAME"; a name may have slashes of its own. */
static void split_model(struct reference *reference, struct text resource)
{
	ptrdiff_t slash = text_find_byte(resource, '/');

	if (slash < 0)
		return;
	reference->name = (struct text){resource.data, (size_t)slash};
	reference->model = text_after(resource, (size_t)slash + 1);
	reference->line = NULL;
	reference->is_permit = true;
}

static void visit_models(const struct object *object, reference_visit *visit, void *context)
{
	const struct charter *charter = object_charter(object);

	for (uint32_t i = 0; i < charter->models_count; i++) {
		struct reference reference = {.kind = OBJECT_SERVER,
			.name = charter->models[i].provider,
			.is_environment_bound = true,
			.model = charter->models[i].name};

		visit_item(object, "model", i, &reference, visit, context);
	}
}

static void visit_entitlements(const struct object *object, reference_visit *visit, void *context)
{
	const struct charter *charter = object_charter(object);

	for (uint32_t i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];
		struct reference reference = {
			.kind = resource_object_kind(line->resource_kind),
			.name = line->resource,
			.line = line,
			.is_environment_bound = true,
		};

		if (line->resource_kind == RESOURCE_MODEL)
			split_model(&reference, line->resource);
		if (reference.kind != OBJECT_NONE)
			visit_item(object, "entitlements", i, &reference, visit, context);
		visit_approvals(object, line, visit, context);
	}
}

static void visit_sources(const struct object *object, reference_visit *visit, void *context)
{
	const struct charter *charter = object_charter(object);

	for (uint32_t i = 0; i < charter->data_sources_count; i++) {
		struct reference reference = {.kind = OBJECT_DATA_SOURCE,
			.name = charter->data_sources[i].name,
			.is_environment_bound = true};

		visit_item(object, "data-sources", i, &reference, visit, context);
	}
}

/* For whom it acts, if they consent. */
static void visit_acting(const struct object *object, reference_visit *visit, void *context)
{
	const struct charter_acting *acting = &charter_of(object)->acts_for;
	const struct json *clause = json_find(&object->as_read, "acts-for");
	const struct json *people = clause == NULL ? NULL : json_find(clause, "people");
	struct form_path at_clause = {.name = TEXT("acts-for")};
	struct form_path at_list = {.up = &at_clause, .name = TEXT("people")};

	for (uint32_t i = 0; people != NULL && i < acting->people_count; i++) {
		struct text line = acting->people[i];
		ptrdiff_t colon = text_find_byte(line, ':');
		struct form_path at_item = {.up = &at_list, .index = i};
		struct reference reference = {
			.kind = text_starts_with(line, "person:") ? OBJECT_PERSON : OBJECT_UNIT,
			.value = i < people->count ? &people->items[i] : NULL,
			.path = &at_item};

		if (colon < 0)
			continue;
		reference.name = text_after(line, (size_t)colon + 1);
		visit(context, &reference);
	}
}

static void visit_charter(const struct object *object, reference_visit *visit, void *context)
{
	const struct charter *charter = charter_of(object);

	visit_member(object, "owner", OBJECT_PERSON, visit, context);
	visit_member(object, "backup-owner", OBJECT_PERSON, visit, context);
	visit_member(object, "unit", OBJECT_UNIT, visit, context);
	visit_models(object, visit, context);
	visit_sources(object, visit, context);
	for (uint32_t i = 0; i < charter->outputs_count; i++) {
		struct reference reference = {0};

		reference.kind = output_kind(charter->outputs[i].to, &reference.name);
		if (reference.kind != OBJECT_NONE)
			visit_item(object, "outputs", i, &reference, visit, context);
	}
	visit_entitlements(object, visit, context);
	visit_peers(object, visit, context);
	for (uint32_t i = 0; i < charter->federation_count; i++) {
		struct reference reference = {.kind = OBJECT_ISSUER,
			.name = charter->federation[i].issuer,
			.rule = &charter->federation[i]};

		visit_item(object, "federation", i, &reference, visit, context);
	}
	visit_acting(object, visit, context);
}

static void visit_person(const struct object *object, reference_visit *visit, void *context)
{
	struct form_path at = {.name = TEXT("sign-in")}, here = {.up = &at, .name = TEXT("issuer")};
	struct reference reference = {.kind = OBJECT_ISSUER,
		.name = object->person->sign_in_issuer,
		.value = json_find(json_find(&object->as_read, "sign-in"), "issuer"),
		.path = &here};

	visit_member(object, "unit", OBJECT_UNIT, visit, context);
	if (reference.name.length > 0)
		visit(context, &reference);
}

static void visit_template(const struct object *object, reference_visit *visit, void *context)
{
	if (object_charter(object) == NULL)
		return;
	visit_models(object, visit, context);
	visit_sources(object, visit, context);
	visit_entitlements(object, visit, context);
}

static void visit_server(const struct object *object, reference_visit *visit, void *context)
{
	struct form_path at_name = {.name = TEXT("name")};
	struct reference peer = {.kind = OBJECT_IDENTITY,
		.name = object->server->name,
		.value = json_find(&object->as_read, "name"),
		.path = &at_name};

	visit_member(object, "unit", OBJECT_UNIT, visit, context);
	if (object->server->speaks == SPEAKS_A2A)
		visit(context, &peer);
	for (uint32_t i = 0; i < object->server->credentials_count; i++) {
		struct reference reference = {
			.kind = OBJECT_IDENTITY, .name = object->server->credentials[i].identity};

		visit_item(object, "credentials", i, &reference, visit, context);
	}
}

static void visit_tool(const struct object *object, reference_visit *visit, void *context)
{
	struct form_path at_name = {.name = TEXT("name")};
	struct reference server = {.kind = OBJECT_SERVER,
		.name = object->tool->server,
		.value = json_find(&object->as_read, "name"),
		.path = &at_name};

	visit(context, &server);
	for (uint32_t i = 0; i < object->tool->reads_count; i++) {
		struct reference reference = {
			.kind = OBJECT_DATA_SOURCE, .name = object->tool->reads[i].data_source};

		visit_item(object, "reads", i, &reference, visit, context);
	}
}

static void visit_policy(const struct object *object, reference_visit *visit, void *context)
{
	struct form_path at_name = {.name = TEXT("name")};
	struct reference unit = {.kind = OBJECT_UNIT,
		.name = object->policy->unit,
		.value = json_find(&object->as_read, "name"),
		.path = &at_name};

	visit(context, &unit);
}

static void visit_application(const struct object *object, reference_visit *visit, void *context)
{
	visit_member(object, "unit", OBJECT_UNIT, visit, context);
	for (uint32_t i = 0; i < object->application->callers_count; i++) {
		struct reference reference = {
			.kind = OBJECT_IDENTITY, .name = object->application->callers[i]};

		visit_item(object, "callers", i, &reference, visit, context);
	}
}

static void visit_references(const struct object *object, reference_visit *visit, void *context)
{
	switch (object->kind) {
	case OBJECT_IDENTITY: visit_charter(object, visit, context); break;
	case OBJECT_DATA_SOURCE:
		visit_member(object, "custodian", OBJECT_PERSON, visit, context);
		visit_member(object, "unit", OBJECT_UNIT, visit, context);
		break;
	case OBJECT_SERVER: visit_server(object, visit, context); break;
	case OBJECT_PERSON: visit_person(object, visit, context); break;
	case OBJECT_TOOL: visit_tool(object, visit, context); break;
	case OBJECT_POLICY: visit_policy(object, visit, context); break;
	case OBJECT_APPLICATION: visit_application(object, visit, context); break;
	case OBJECT_ISSUER: visit_member(object, "unit", OBJECT_UNIT, visit, context); break;
	case OBJECT_CONNECTOR:
		visit_member(object, "owner", OBJECT_PERSON, visit, context);
		visit_member(object, "unit", OBJECT_UNIT, visit, context);
		break;
	case OBJECT_UNIT: visit_template(object, visit, context); break;
	case OBJECT_KIND_COUNT:
	case OBJECT_NONE: break;
	}
}

/* ---- is it there, does it fit ---- */

struct check {
	const struct object *object;
	const struct reference_world *world;
	struct form_reader reader;
};

static bool consider_name(void *nearest, struct text name)
{
	nearest_consider(nearest, name);
	return true;
}

static void report_unknown(struct check *check, const struct reference *reference)
{
	char remedy[PROBLEM_TEXT_BYTES];
	struct nearest nearest = {.wrong = reference->name};
	const char *kind = object_kind_word(reference->kind);

	if (check->world->each_name != NULL)
		check->world->each_name(
			check->world->context, reference->kind, consider_name, &nearest);
	if (nearest.found[0] != '\0')
		(void)snprintf(remedy, sizeof remedy, "did you mean %s?", nearest.found);
	else
		(void)snprintf(remedy, sizeof remedy, "add a document with object: %s", kind);
	form_problem(&check->reader,
		reference->value == NULL ? &check->object->as_read : reference->value,
		reference->path, remedy, "no %s is named %.*s", kind, TEXT_ARGS(reference->name));
}

static enum environment environment_of_object(
	const struct check *check, const struct object *object)
{
	const struct object *server;

	if (object->kind == OBJECT_DATA_SOURCE)
		return object->data_source->environment;
	if (object->kind == OBJECT_SERVER)
		return object->server->environment;
	if (object->kind != OBJECT_TOOL)
		return ENVIRONMENT_NONE;
	server = check->world->find(check->world->context, OBJECT_SERVER, object->tool->server);
	return server == NULL ? ENVIRONMENT_NONE : server->server->environment;
}

static void check_environment(
	struct check *check, const struct reference *reference, const struct object *found)
{
	enum environment environment = environment_of_object(check, found);

	if (environment == ENVIRONMENT_NONE ||
		charter_has_environment(object_charter(check->object), environment))
		return;
	form_problem(&check->reader, reference->value, reference->path,
		"name one of an environment this charter covers, or add that environment",
		"%s %.*s is in %s, which this charter does not cover",
		object_kind_word(found->kind), TEXT_ARGS(found->name),
		environment_word(environment));
}

/* Nobody writes a sandbox a line that no call could ever use. */
static void check_sandbox(
	struct check *check, const struct reference *reference, const struct object *found)
{
	bool is_sandbox =
		check->object->kind == OBJECT_UNIT || charter_is_sandbox(charter_of(check->object));

	if (!is_sandbox || found->kind != OBJECT_DATA_SOURCE ||
		sandbox_covers(NULL, found->data_source->sensitivity))
		return;
	form_problem(&check->reader, reference->value, reference->path,
		"name a data source that is labelled public or internal",
		"data source %.*s is %s; a sandbox reads data up to internal",
		TEXT_ARGS(found->name),
		found->data_source->sensitivity == SENSITIVITY_UNLABELLED
			? "unlabelled, which counts as restricted"
			: sensitivity_word(found->data_source->sensitivity));
}

static void check_effect(
	struct check *check, const struct reference *reference, const struct object *found)
{
	if (found->kind != OBJECT_TOOL || reference->line->effect == found->tool->effect)
		return;
	form_problem(&check->reader, reference->value, reference->path,
		"write the tool's own effect, or name another tool",
		"tool %.*s has the effect %s; a line for %s would never permit it",
		TEXT_ARGS(found->name), effect_word(found->tool->effect),
		effect_word(reference->line->effect));
}

static void report_model(
	struct check *check, const struct reference *reference, const struct object *provider)
{
	char remedy[PROBLEM_TEXT_BYTES];
	struct nearest nearest = {.wrong = reference->model};

	for (uint32_t i = 0; i < provider->server->models_count; i++)
		nearest_consider(&nearest, provider->server->models[i].name);
	if (nearest.found[0] != '\0')
		(void)snprintf(remedy, sizeof remedy, "did you mean %s?", nearest.found);
	else
		(void)snprintf(remedy, sizeof remedy, "add it to models of server %.*s",
			TEXT_ARGS(provider->name));
	form_problem(&check->reader, reference->value, reference->path, remedy,
		"provider %.*s has no model named %.*s", TEXT_ARGS(provider->name),
		TEXT_ARGS(reference->model));
}

/* A model is named twice: `model` says which may be used at all, a line permits it. */
static void check_model(
	struct check *check, const struct reference *reference, const struct object *provider)
{
	const struct charter *charter = object_charter(check->object);

	if (!speaks_is_provider(provider->server->speaks))
		form_problem(&check->reader, reference->value, reference->path,
			"name a server that speaks openai or anthropic",
			"server %.*s is no provider of models", TEXT_ARGS(provider->name));
	else if (server_find_model(provider->server, reference->model) == NULL)
		report_model(check, reference, provider);
	else if (reference->is_permit &&
		 charter_find_model(charter, provider->name, reference->model) == NULL)
		form_problem(&check->reader, reference->value, reference->path,
			"add it to model, or take the line out",
			"model %.*s/%.*s is not listed under model; the line would never permit it",
			TEXT_ARGS(provider->name), TEXT_ARGS(reference->model));
}

/* What a peer does is handed to it, and nothing else is. */
static void check_server(
	struct check *check, const struct reference *reference, const struct object *server)
{
	bool is_peer = server->server->speaks == SPEAKS_A2A;

	if (is_peer == tool_is_skill(check->object->tool))
		return;
	form_problem(&check->reader, reference->value, reference->path,
		is_peer ? "write effect: delegate" : "name a server that speaks a2a",
		is_peer ? "server %.*s speaks a2a, so this is a skill of a peer"
			: "server %.*s does not speak a2a, so it has no skills",
		TEXT_ARGS(server->name));
}

static void check_rule(
	struct check *check, const struct reference *reference, const struct object *found)
{
	const char *fault = federation_rule_fault(found->issuer, reference->rule);

	if (fault != NULL)
		form_problem(&check->reader, reference->value, reference->path,
			"see docs/federation.md for what such a rule needs", "%s", fault);
}

/* In what was read with problems a name may be none, which is said already. */
static bool is_name(const struct reference *reference)
{
	if (reference->kind == OBJECT_PERSON)
		return name_is_person(reference->name);
	return reference->kind == OBJECT_TOOL ? name_is_tool(reference->name)
					      : name_is_plain(reference->name);
}

static void check_reference(void *context, const struct reference *reference)
{
	struct check *check = context;
	const struct object *found;

	if (!is_name(reference))
		return;
	if (reference->kind == OBJECT_UNIT && text_is(reference->name, "org"))
		return;
	found = check->world->find(check->world->context, reference->kind, reference->name);
	if (found == NULL) {
		report_unknown(check, reference);
		return;
	}
	if (found->is_partial || check->object->is_partial)
		return;
	if (reference->is_environment_bound) {
		check_environment(check, reference, found);
		check_sandbox(check, reference, found);
	}
	if (reference->model.length > 0)
		check_model(check, reference, found);
	if (reference->line != NULL)
		check_effect(check, reference, found);
	if (check->object->kind == OBJECT_TOOL && found->kind == OBJECT_SERVER)
		check_server(check, reference, found);
	if (reference->rule != NULL)
		check_rule(check, reference, found);
	if (check->object->kind == OBJECT_PERSON && found->kind == OBJECT_ISSUER &&
		found->issuer->people.client.length == 0)
		form_problem(&check->reader, reference->value, reference->path,
			"add the clause people to it, or name another issuer",
			"nobody signs in through issuer %.*s", TEXT_ARGS(found->name));
}

static void check_ends(struct check *check)
{
	const struct charter *charter = charter_of(check->object);
	const struct json *end = json_find(&check->object->as_read, "expires");
	struct form_path at_end = {.name = TEXT("expires")};

	if (end != NULL && is_expired(charter->expires_utc_s, check->world->now_utc_s))
		form_problem(&check->reader, end, &at_end, "write a day to come", "has passed");
	for (uint32_t i = 0; i < charter->entitlements_count; i++) {
		struct form_path at_list = {.name = TEXT("entitlements")};
		struct form_path at_item = {.up = &at_list, .index = i};

		if (is_expired(charter->entitlements[i].expires_utc_s, check->world->now_utc_s))
			form_problem(&check->reader, item_of(check->object, "entitlements", i),
				&at_item, "write a day to come, or take the line out",
				"its end has passed");
	}
}

void references_check(const struct object *object, const struct reference_world *world,
	struct text file, struct problems *problems)
{
	struct check check = {.world = world};
	struct text title = text_format(problems->arena, "%s %.*s", object_kind_word(object->kind),
		TEXT_ARGS(object->name));

	check.reader = (struct form_reader){.problems = problems, .file = file, .title = title};
	check.object = object_whole(object);
	if (check.object == NULL) {
		form_problem(&check.reader, &object->as_read, NULL, NULL, "no memory to check it");
		return;
	}
	visit_references(check.object, check_reference, &check);
	if (object->kind == OBJECT_IDENTITY && !object->is_partial)
		check_ends(&check);
	object_release(&check.object);
}

/* ---- does this name that ---- */

struct search {
	enum object_kind kind;
	struct text name;
	bool is_found;
};

static void match_reference(void *context, const struct reference *reference)
{
	struct search *search = context;

	if (reference->kind == search->kind && text_equal(reference->name, search->name))
		search->is_found = true;
}

bool object_refers_to(const struct object *object, enum object_kind kind, struct text name)
{
	struct search search = {.kind = kind, .name = name};
	const struct object *whole = object_whole(object);

	if (whole == NULL)
		return true; /* no memory to tell that it does not */
	visit_references(whole, match_reference, &search);
	object_release(&whole);
	return search.is_found;
}

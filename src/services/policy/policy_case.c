/* Cases: what is given, and what must come of it.  A case of an identity is decided by
 * domain/decide as a real call would be, in a registry that holds the bundle; a case
 * with a request of its own asks its guardrails alone. */
#include <stdlib.h>
#include <string.h>

#include "cedar/from_json.h"
#include "domain/charter/argument_types.h"
#include "domain/charter/form.h"
#include "domain/charter/nearest.h"
#include "domain/charter/owner.h"
#include "domain/charter/registry.h"
#include "domain/charter/vocabulary.h"
#include "domain/decide/decide.h"
#include "domain/secret/fingerprint.h"
#include "services/policy/policy_bundle.h"

enum {
	CASE_APPROVALS_MAX = DECISION_APPROVALS_MAX,
	CASE_ARENA_BYTES_MAX = 64 * 1024 * 1024,
	CASE_TASK_MS = 15 * 60 * 1000,
	CASE_AGE_S_MAX = 86400, /* as old as a task may be */
	CASE_GOT_POLICIES_MAX = 16,
};

/* What came of one case, in words. */
struct got {
	const char *verdict;
	const char *reason;
	const struct text *policies;
	size_t policies_count;
	const struct text *asks;
	size_t asks_count;
	struct text explanation;
};

struct case_run {
	struct policy_bundle *bundle;
	int64_t now_utc_ms;
	struct registry *registry;
	struct task_table *tasks;
	struct arena *arena; /* of one case */
	struct cedar_schema *schema;
	uint64_t records;
	struct error *err;
	/* The case. */
	const struct json *given;
	struct text problem;   /* why it cannot be run; empty: it was */
	uint32_t problem_line; /* of the member that is wrong; 0: the case's own */
	struct got got;
};

/* ---- the world ---- */

static bool put_object(struct case_run *run, const struct object *object)
{
	struct json document = object->as_read;
	struct problems *problems = arena_new(run->arena, struct problems);
	struct registry_change change = {
		.kind = object->kind,
		.name = object->name,
		.revision = registry_revision(run->registry) + 1,
		.version = 1,
		.in_force = 1,
		.state = object->kind == OBJECT_IDENTITY ? IDENTITY_ACTIVE : IDENTITY_NONE,
		/* Cases are about policies: whoever has to agree to a charter has. */
		.units_asked = UNITS_BEFORE,
	};
	struct object *copy = NULL;
	const struct object *unwanted;

	if (registry_find(run->registry, object->kind, object->name) != NULL)
		return error_set(run->err, ERROR_INVALID, "%s %.*s is written twice",
			object_kind_word(object->kind), TEXT_ARGS(object->name));
	if (problems == NULL)
		return error_set(run->err, ERROR_LIMIT, "no memory to test in");
	problems->arena = run->arena;
	if (!object_parse(&copy, &document, TEXT("case"), problems))
		return error_set(run->err, ERROR_LIMIT, "no memory to test in");
	if (!registry_hold(run->registry, copy, 1, change.revision, run->err)) {
		unwanted = copy;
		object_release(&unwanted);
		return false;
	}
	if (!registry_set(run->registry, &change, run->err))
		return false;
	registry_set_revision(run->registry, change.revision);
	return true;
}

static bool run_open(struct case_run *run)
{
	struct cedar_error cause = {0};

	run->arena = arena_create(CASE_ARENA_BYTES_MAX);
	if (run->arena == NULL)
		return error_set(run->err, ERROR_LIMIT, "no memory to test in");
	if (!cedar_schema_parse(&run->schema, cedar_text_of(remit_schema), &cause))
		return error_set(run->err, ERROR_LIMIT, "%s", cause.text);
	if (!registry_create(&run->registry, run->err) ||
		!task_table_create(&run->tasks, PLAN_OBJECTS_MAX, run->err))
		return false;
	for (size_t i = 0; i < run->bundle->objects_count; i++) {
		if (!put_object(run, run->bundle->objects[i]))
			return false;
		arena_reset(run->arena);
	}
	return registry_settle(run->registry, run->err);
}

static void run_close(struct case_run *run)
{
	cedar_schema_destroy(&run->schema);
	task_table_destroy(&run->tasks);
	registry_destroy(&run->registry);
	arena_destroy(&run->arena);
}

/* ---- reading a case ---- */

static bool cannot(struct case_run *run, const char *what, struct text detail)
{
	run->problem = text_format(run->arena, "%s%.*s", what, TEXT_ARGS(detail));
	return false;
}

/* The same of a value of the case, with its line. */
static bool cannot_at(
	struct case_run *run, const struct json *value, const char *what, struct text detail)
{
	if (value != NULL)
		run->problem_line = value->line;
	return cannot(run, what, detail);
}

/* The member at the path is no text of those that can stand there: the nearest, or hint. */
static bool no_word(struct case_run *run, const struct json *value, struct text path,
	const char *what, const char *nearest, const char *hint)
{
	struct text wrong = value->string;

	return cannot_at(run, value, "",
		text_format(run->arena, "%.*s: no %s is \"%.*s\"; %s%s%s", TEXT_ARGS(path), what,
			TEXT_ARGS(text_head(wrong, 64)), nearest == NULL ? hint : "did you mean ",
			nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?"));
}

/* A slip here would let the case pass for another reason than its own. */
static bool check_word(struct case_run *run, const struct json *value, struct text path,
	const struct vocabulary *vocabulary)
{
	if (vocabulary_has(vocabulary, value->string))
		return true;
	return no_word(run, value, path, vocabulary->what,
		vocabulary_nearest(vocabulary, value->string), vocabulary->hint);
}

/* The member, where it is there, is a word of the vocabulary. */
static bool check_member_word(struct case_run *run, const struct json *object, const char *name,
	const char *path, const struct vocabulary *vocabulary)
{
	const struct json *value = json_find(object, name);

	if (value == NULL)
		return true;
	if (value->type != JSON_STRING)
		return cannot_at(
			run, value, "", text_format(run->arena, "%s: a word is expected", path));
	return check_word(run, value, text_of(path), vocabulary);
}

/* Path is that of the object with a dot, or empty. */
static bool no_member(struct case_run *run, const struct json_member *member, struct text path,
	const struct nearest *nearest)
{
	bool is_near = nearest->found[0] != '\0';

	return cannot_at(run, &member->value, "there is no such member: ",
		text_format(run->arena, "%.*s%.*s%s%.*s%s%s", TEXT_ARGS(path),
			TEXT_ARGS(text_head(member->name, 64)), is_near ? "; did you mean " : "",
			is_near ? (int)path.length : 0, path.data, nearest->found,
			is_near ? "?" : ""));
}

static bool has_only(
	struct case_run *run, const struct json *object, const char *const *names, const char *path)
{
	for (uint32_t i = 0; i < object->count; i++) {
		struct nearest nearest = {.wrong = object->members[i].name};
		const char *const *known = names;

		while (*known != NULL && !text_is(nearest.wrong, *known))
			nearest_consider(&nearest, text_of(*known++));
		if (*known == NULL)
			return no_member(run, &object->members[i], text_of(path), &nearest);
	}
	return true;
}

/* A member that is a text where it is there. */
struct text_member {
	const char *name; /* NULL ends a list of them */
	bool may_be_empty;
};

/* Read as if it were not there, one that is none would let the case pass for another reason
 * than its own.  Path is that of the object with a dot, or empty. */
static bool check_texts(struct case_run *run, const struct json *object,
	const struct text_member *members, const char *path)
{
	for (; members->name != NULL; members++) {
		const struct json *value = json_find(object, members->name);

		if (value == NULL || (value->type == JSON_STRING &&
					     (value->string.length > 0 || members->may_be_empty)))
			continue;
		return cannot_at(run, value, "",
			text_format(run->arena, "%s%s: a text is expected", path, members->name));
	}
	return true;
}

/* The member, if it is there: a list of words of the vocabulary of that name. */
static bool read_words(struct case_run *run, const char *name, const struct vocabulary *vocabulary,
	struct text *out, size_t *count)
{
	const struct json *list = json_find(run->given, name);

	*count = 0;
	if (list == NULL)
		return true;
	if (list->type != JSON_ARRAY || list->count > CASE_APPROVALS_MAX)
		return cannot_at(run, list, name, TEXT(": a list of at most 16 names is expected"));
	for (uint32_t i = 0; i < list->count; i++) {
		const struct json *item = &list->items[i];

		if (item->type != JSON_STRING)
			return cannot_at(run, item, name, TEXT(": a list of names is expected"));
		if (!check_word(run, item, text_of(name), vocabulary))
			return false;
		out[(*count)++] = item->string;
	}
	return true;
}

/* The kinds of secrets that the arguments are taken to hold. */
static bool read_secrets(struct case_run *run, unsigned *out)
{
	const struct vocabulary *vocabulary = vocabulary_find(TEXT("secrets"));
	struct text words[CASE_APPROVALS_MAX];
	size_t count;

	*out = 0;
	if (!read_words(run, "secrets", vocabulary, words, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		*out |= 1u << (text_is(words[i], secret_kind_word(SECRET_OWN)) ? SECRET_OWN
									       : SECRET_FOREIGN);
	return true;
}

/* Whoever is asked is asked once, so that who stands there twice hides another. */
static bool read_asks(struct case_run *run, struct text *out, size_t *count)
{
	if (!read_words(run, "asks", &vocabulary_approvals, out, count))
		return false;
	for (size_t i = 0; i < *count; i++)
		for (size_t j = 0; j < i; j++)
			if (text_equal(out[i], out[j]))
				return cannot_at(run, &json_find(run->given, "asks")->items[i],
					"asks: named twice: ", out[i]);
	return true;
}

static bool read_now(struct case_run *run, int64_t *out_utc_ms)
{
	struct text at = json_text_or(run->given, "at", "");
	int64_t utc_s;

	*out_utc_ms = run->now_utc_ms;
	if (at.length == 0)
		return true;
	if (!time_of_text(at, &utc_s))
		return cannot_at(run, json_find(run->given, "at"),
			"at: a time such as 2027-06-30T12:00:00Z is expected", TEXT(""));
	*out_utc_ms = utc_s * 1000;
	return true;
}

static bool check_labels(struct case_run *run)
{
	static const char *const names[] = {"sensitivity", "untrusted", NULL};
	const struct json *labels = json_find(run->given, "labels");
	const struct json *untrusted;

	if (labels == NULL)
		return true;
	if (labels->type != JSON_OBJECT)
		return cannot_at(
			run, labels, "labels: {sensitivity, untrusted} is expected", TEXT(""));
	untrusted = json_find(labels, "untrusted");
	if (!has_only(run, labels, names, "labels.") ||
		!check_member_word(run, labels, "sensitivity", "labels.sensitivity",
			vocabulary_find(TEXT("sensitivity"))))
		return false;
	return untrusted == NULL || untrusted->type == JSON_BOOLEAN ||
	       cannot_at(run, untrusted, "labels.untrusted: true or false is expected", TEXT(""));
}

static bool check_origins(struct case_run *run)
{
	const struct json *origins = json_find(run->given, "origins");

	if (origins == NULL)
		return true;
	if (origins->type != JSON_OBJECT)
		return cannot_at(
			run, origins, "origins: {recipient: untrusted, ...} is expected", TEXT(""));
	if (!has_only(run, origins, origin_members, "origins."))
		return false;
	for (size_t i = 0; origin_members[i] != NULL; i++) {
		struct text path = text_format(run->arena, "origins.%s", origin_members[i]);

		if (path.data == NULL)
			return error_set(run->err, ERROR_LIMIT, "no memory for a case");
		if (!check_member_word(
			    run, origins, origin_members[i], path.data, &vocabulary_origins))
			return false;
	}
	return true;
}

static enum flow_origin given_origin(
	const struct json *origins, const char *name, enum flow_origin otherwise)
{
	enum flow_origin origin = otherwise;
	struct text word = json_text_or(origins, name, "");

	if (word.length != 0)
		(void)flow_origin_of(word, &origin);
	return origin;
}

/* What the case says, else as if the person had asked for the values. */
static void read_origins(const struct case_run *run, const struct call *call,
	const struct tool *tool, struct flow_origins *out)
{
	const struct json *origins = json_find(run->given, "origins");

	flow_origins_assume(call, tool, FLOW_REQUEST, out);
	if (origins == NULL)
		return;
	out->worst = FLOW_NONE;
	for (int form = TARGET_PATH; form <= TARGET_OBJECT; form++) {
		out->form[form] = given_origin(
			origins, target_form_word((enum target_form)form), out->form[form]);
		out->worst = flow_origin_worst(out->worst, out->form[form]);
	}
	out->worst = given_origin(origins, "worst", out->worst);
	out->addresses = given_origin(origins, "addresses", out->addresses);
}

static bool check_calls(struct case_run *run)
{
	const struct json *calls = json_find(run->given, "calls");

	return calls == NULL || (calls->type == JSON_INTEGER && calls->integer >= 0) ||
	       cannot_at(run, calls, "calls: a number from 0 is expected", TEXT(""));
}

static bool check_used(struct case_run *run)
{
	const struct json *used = json_find(run->given, "used");

	return used == NULL || (used->type == JSON_INTEGER && used->integer >= 0) ||
	       cannot_at(run, used, "used: a number from 0 is expected", TEXT(""));
}

/* Each line of the identity's charter with `uses` was used that often before. */
static bool read_used(struct case_run *run, struct text identity, struct decide_world *world)
{
	const struct registry_entry *entry = registry_find_identity(run->registry, identity);
	int64_t used = json_integer_or(run->given, "used", 0);
	uint32_t i, count;
	struct line_use *uses;

	if (entry == NULL || entry->in_force == NULL || used == 0)
		return true;
	count = charter_of(entry->in_force)->entitlements_count;
	uses = arena_array(run->arena, struct line_use, count + 1);
	if (uses == NULL)
		return error_set(run->err, ERROR_LIMIT, "no memory for a case");
	for (i = 0; i < count; i++)
		uses[i] = (struct line_use){entry->name, i, used};
	world->uses = uses;
	world->uses_count = count;
	return true;
}

static bool check_first(struct case_run *run)
{
	const struct json *first = json_find(run->given, "first");

	return first == NULL || first->type == JSON_BOOLEAN ||
	       cannot_at(run, first, "first: true or false is expected", TEXT(""));
}

/* Words that stand at the top, whose names are those of the vocabularies. */
static bool check_case_words(struct case_run *run)
{
	static const char *const names[] = {"effect", "environment", "binding", NULL};

	for (const char *const *name = names; *name != NULL; name++)
		if (!check_member_word(
			    run, run->given, *name, *name, vocabulary_find(text_of(*name))))
			return false;
	return true;
}

static bool check_age(struct case_run *run)
{
	const struct json *age = json_find(run->given, "age");

	return age == NULL ||
	       (age->type == JSON_INTEGER && age->integer >= 0 && age->integer <= CASE_AGE_S_MAX) ||
	       cannot_at(run, age, "age: whole seconds from 0 to 86400 are expected", TEXT(""));
}

/* ---- a case of an identity ---- */

/* member: where the case names it. */
static bool check_there(
	struct case_run *run, const char *member, enum object_kind kind, struct text name)
{
	const struct registry_entry *entry = registry_find(run->registry, kind, name);
	struct nearest nearest = {.wrong = name};
	bool is_near;

	if (entry != NULL && entry->in_force != NULL)
		return true;
	nearest_registered(&nearest, run->registry, kind);
	is_near = nearest.found[0] != '\0';
	return cannot_at(run, json_find(run->given, member), "",
		text_format(run->arena,
			"no %s here (-f adds charters and tools) is named %.*s%s%s%s",
			object_kind_word(kind), TEXT_ARGS(name), is_near ? "; did you mean " : "",
			nearest.found, is_near ? "?" : ""));
}

static bool check_model(struct case_run *run, const struct server *server, const struct call *call)
{
	size_t before = call->server.length + 1; /* "SERVER/" */
	struct text name = {call->tool.data + before, call->tool.length - before};

	struct nearest nearest = {.wrong = name};
	bool is_near;

	if (server_find_model(server, name) != NULL)
		return true;
	for (uint32_t i = 0; i < server->models_count; i++)
		nearest_consider(&nearest, server->models[i].name);
	is_near = nearest.found[0] != '\0';
	return cannot_at(run, json_find(run->given, "tool"), "no such model of its provider: ",
		text_format(run->arena, "%.*s%s%s%s", TEXT_ARGS(name),
			is_near ? "; did you mean " : "", nearest.found, is_near ? "?" : ""));
}

/* What is not there is denied for that alone, whatever the policies say: a slip would pass
 * as a deny.  A case that expects just that reason passes for no other. */
static bool check_named(struct case_run *run, const struct call *call)
{
	const struct server *server = registry_find_server(run->registry, call->server);
	bool is_model = server != NULL && speaks_is_provider(server->speaks);
	enum reason reason = reason_of(json_text_or(run->given, "reason", ""));

	if (reason == REASON_IDENTITY_UNKNOWN || reason == REASON_SERVER_UNKNOWN ||
		reason == REASON_TOOL_UNKNOWN || reason == REASON_MODEL_UNKNOWN)
		return true;
	return check_there(run, "identity", OBJECT_IDENTITY, call->identity) &&
	       check_there(run, "tool", OBJECT_SERVER, call->server) &&
	       (is_model ? check_model(run, server, call)
			 : check_there(run, "tool", OBJECT_TOOL, call->tool));
}

static bool fold_record(struct case_run *run, struct json *record)
{
	return task_table_fold(run->tasks, record, run->records++, run->err);
}

/* What the task has done so far: used the tool, unless this is its first use, and read
 * what the labels say. */
static bool fold_past(struct case_run *run, const struct call *call, struct text task)
{
	static const struct json none = {.type = JSON_OBJECT};
	const struct json *given = json_find(run->given, "labels");
	const struct json *labels = given == NULL ? &none : given;
	struct json_builder record;
	struct json sealed;

	json_object_start(&record, run->arena);
	json_put_cstring(&record, "type", "decision");
	json_put_cstring(&record, "verdict", "allow");
	json_put_text(&record, "task", task);
	json_put_text(&record, "identity", call->identity);
	json_put_text(&record, "tool", call->tool);
	json_put_boolean(&record, "first", !json_boolean_or(run->given, "first", false));
	if (given != NULL)
		json_put_text(
			&record, "sensitivity", json_text_or(labels, "sensitivity", "public"));
	json_put_boolean(&record, "untrusted", json_boolean_or(labels, "untrusted", false));
	return json_object_seal(&record, &sealed, run->err) && fold_record(run, &sealed);
}

/* The environment a key of the charter would prove, as `remit why` takes it. */
static enum environment environment_for(
	const struct case_run *run, const struct registry_entry *entry, const struct server *server)
{
	struct text word = json_text_or(run->given, "environment", "");

	if (word.length > 0)
		return environment_of(word);
	if (entry == NULL) /* a case that expects just that */
		return ENVIRONMENT_DEV;
	if (server != NULL &&
		charter_has_environment(charter_of(entry->in_force), server->environment))
		return server->environment;
	for (int i = ENVIRONMENT_DEV; i <= ENVIRONMENT_PROD; i++)
		if (charter_has_environment(charter_of(entry->in_force), (enum environment)i))
			return (enum environment)i;
	return ENVIRONMENT_NONE;
}

static bool open_task(
	struct case_run *run, const struct call *call, int64_t now_utc_ms, struct text *out)
{
	struct task_opening opening = {
		.id = text_format(run->arena, "t-%llu", (unsigned long long)run->records),
		.identity = call->identity,
		.person = json_text_or(run->given, "person", ""),
		.purpose = json_text_or(run->given, "purpose", ""),
		.charter_version = 1,
		.environment = call->environment,
		.binding = binding_of(json_text_or(run->given, "binding", "")),
		.at_utc_ms = now_utc_ms - json_integer_or(run->given, "age", 0) * 1000,
		.deadline_utc_ms = now_utc_ms + CASE_TASK_MS,
	};
	struct json record;

	*out = opening.id;
	return task_opened_record(
		       &record, run->arena, run->tasks, &opening, TEXT("remit"), run->err) &&
	       fold_record(run, &record) && fold_past(run, call, opening.id);
}

/* What a request to a model asks for where the case says nothing. */
static const char default_generation[] =
	"{\"api\":\"openai\",\"prompt_tokens\":1,\"provider_tools\":[],\"stream\":false,"
	"\"tools\":[]}";

static bool is_list_of_texts(const struct json *value)
{
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		if (value->items[i].type != JSON_STRING)
			return false;
	return value->type == JSON_ARRAY;
}

static const struct vocabulary *vocabulary_at(struct text path, struct text name)
{
	return text_is(path, "request.context.origins.") ? &vocabulary_origins
							 : vocabulary_find(name);
}

static bool check_member_words(
	struct case_run *run, const struct json_member *member, struct text path)
{
	const struct json *value = &member->value;
	const struct vocabulary *vocabulary = vocabulary_at(path, member->name);
	struct text whole =
		text_format(run->arena, "%.*s%.*s", TEXT_ARGS(path), TEXT_ARGS(member->name));

	if (vocabulary == NULL)
		return true;
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		if (!check_word(run, &value->items[i], whole, vocabulary))
			return false;
	/* What a request does not have is an empty text. */
	return value->type != JSON_STRING || value->string.length == 0 ||
	       check_word(run, value, whole, vocabulary);
}

/* What has no default is a name, or a number. */
static enum json_type type_of(const struct json *base, struct text name)
{
	const struct json *otherwise = json_find_text(base, name);

	if (otherwise != NULL)
		return otherwise->type;
	return text_is(name, "name") ? JSON_STRING : JSON_INTEGER;
}

static const char *type_word(enum json_type type)
{
	return type == JSON_ARRAY    ? "a list of texts"
	       : type == JSON_STRING ? "a text"
				     : json_type_name(type);
}

/* Each is of its type, and a word where only words can stand.  Path is that of the object with
 * a dot. */
static bool check_values(
	struct case_run *run, const struct json *base, const struct json *given, struct text path)
{
	for (uint32_t i = 0; given != NULL && i < given->count; i++) {
		const struct json_member *member = &given->members[i];
		enum json_type type = type_of(base, member->name);

		if (type == JSON_ARRAY ? !is_list_of_texts(&member->value)
				       : member->value.type != type)
			return cannot_at(run, &member->value, "",
				text_format(run->arena, "%.*s%.*s: %s is expected", TEXT_ARGS(path),
					TEXT_ARGS(member->name), type_word(type)));
		if (!check_member_words(run, member, path))
			return false;
	}
	return true;
}

/* The defaults with what is given. */
static bool read_generation(struct case_run *run, const struct json *given, struct json *out)
{
	static const char *const names[] = {"api", "max_tokens", "prompt_tokens", "provider_tools",
		"stream", "temperature", "tools", NULL};
	struct json_builder object;
	struct json base;

	if (given != NULL && given->type != JSON_OBJECT)
		return cannot_at(run, given, "generation: an object is expected", TEXT(""));
	if (!json_parse(
		    &base, run->arena, text_of(default_generation), &json_limits_default, run->err))
		return false;
	if (given != NULL && (!has_only(run, given, names, "generation.") ||
				     !check_values(run, &base, given, TEXT("generation."))))
		return false;
	json_object_start(&object, run->arena);
	for (uint32_t i = 0; i < base.count; i++)
		if (given == NULL || json_find_text(given, base.members[i].name) == NULL)
			json_put_named(&object, base.members[i].name, base.members[i].value);
	for (uint32_t i = 0; given != NULL && i < given->count; i++)
		json_put_named(&object, given->members[i].name, given->members[i].value);
	return json_object_seal(&object, out, run->err);
}

/* A tool of a provider is a model. */
static bool ask_model(struct case_run *run, struct call *call)
{
	const struct json *generation = json_find(run->given, "generation");
	const struct server *server = registry_find_server(run->registry, call->server);

	if (server != NULL && server->speaks == SPEAKS_A2A) {
		call->method = TEXT("SendMessage");
		call->route = METHOD_PEER;
	}
	if (server == NULL || !speaks_is_provider(server->speaks))
		return generation == NULL ||
		       cannot_at(run, generation, "generation: the server is no provider of models",
			       TEXT(""));
	if (call->effect != EFFECT_NONE && call->effect != EFFECT_GENERATE)
		return cannot_at(run, json_find(run->given, "effect"),
			"effect: a model is asked to generate", TEXT(""));
	call->method = TEXT("chat/completions");
	call->route = METHOD_MODEL;
	call->arguments = (struct json){.type = JSON_OBJECT};
	return read_generation(run, generation, &call->generation);
}

static bool build_call(struct case_run *run, struct call *call, int64_t *now_utc_ms)
{
	static const char *const names[] = {"test", "identity", "effect", "tool", "arguments",
		"generation", "environment", "approvals", "labels", "origins", "person", "purpose",
		"calls", "used", "age", "first", "at", "expect", "reason", "policy", "asks",
		"secrets", "binding", NULL};
	const struct json *arguments = json_find(run->given, "arguments");
	struct text tool = json_text_or(run->given, "tool", "");
	ptrdiff_t slash = text_find_byte(tool, '/');

	if (!has_only(run, run->given, names, "") || !read_now(run, now_utc_ms) ||
		!check_labels(run) || !check_origins(run) || !check_calls(run) ||
		!check_used(run) || !check_age(run) || !check_first(run) || !check_case_words(run))
		return false;
	if (slash <= 0)
		return cannot_at(run, json_find(run->given, "tool"),
			"tool: SERVER/TOOL is expected", TEXT(""));
	if (json_find(run->given, "identity") == NULL)
		return cannot(run, "identity: whose call it is is expected", TEXT(""));
	*call = (struct call){
		.identity = json_text_or(run->given, "identity", ""),
		.server = {tool.data, (size_t)slash},
		.method = TEXT("tools/call"),
		.route = METHOD_TOOL,
		.tool = tool,
		.effect = effect_of(json_text_or(run->given, "effect", "")),
		.arguments = {.type = JSON_OBJECT},
	};
	if (arguments != NULL)
		call->arguments = *arguments;
	if (call->arguments.type != JSON_OBJECT)
		return cannot_at(run, arguments, "arguments: an object is expected", TEXT(""));
	if (!check_named(run, call))
		return false;
	call->environment =
		environment_for(run, registry_find_identity(run->registry, call->identity),
			registry_find_server(run->registry, call->server));
	if (!ask_model(run, call))
		return false;
	call->arguments_text = json_canonical_text(run->arena, &call->arguments);
	return call->arguments_text.data != NULL ||
	       error_set(run->err, ERROR_LIMIT, "no memory for a case");
}

static void keep_decision(struct case_run *run, const struct decision *decision)
{
	run->got = (struct got){
		.verdict = verdict_word(decision->verdict),
		.reason = reason_word(decision->reason),
		.policies = decision->policies,
		.policies_count = decision->policies_count,
		.explanation = decision->explanation,
	};
	if (decision->verdict == VERDICT_ASK) {
		run->got.asks = decision->approvals;
		run->got.asks_count = decision->approvals_count;
	}
}

/* False with run->problem: it cannot be run; with err: the run is over. */
static bool run_identity(struct case_run *run)
{
	struct text *names = arena_array(run->arena, struct text, CASE_APPROVALS_MAX);
	struct tool_reads *reads = NULL;
	const struct tool *tool;
	struct approval_names approvals = {names, 0};
	struct flow_origins origins;
	struct decide_world world;
	struct decision decision;
	struct call call;
	int64_t now_utc_ms;
	bool ok;

	if (names == NULL)
		return error_set(run->err, ERROR_LIMIT, "no memory for a case");
	if (!build_call(run, &call, &now_utc_ms) || !read_secrets(run, &call.secrets) ||
		!read_words(run, "approvals", &vocabulary_approvals, names, &approvals.count) ||
		!open_task(run, &call, now_utc_ms, &call.task))
		return false;
	tool = registry_find_tool(run->registry, call.tool);
	if (tool != NULL && tool->reads_count > 0 && !tool_reads_compile(&reads, tool, run->err))
		return false;
	read_origins(run, &call, tool, &origins);
	world = (struct decide_world){
		.registry = run->registry,
		.tasks = run->tasks,
		.reads = reads,
		.definition = DEFINITION_MATCHES,
		.arguments = ARGUMENTS_UNCHECKED,
		.origins = &origins,
		.calls_last_minute = json_integer_or(run->given, "calls", 0),
		.owner_gone = {OWNER_GONE_WRITES_S_DEFAULT, OWNER_GONE_ALL_S_DEFAULT},
		.now_utc_ms = now_utc_ms,
	};
	ok = read_used(run, call.identity, &world);
	if (ok) {
		decide(&world, &call, &approvals, DECIDE_SEARCH, run->arena, &decision);
		keep_decision(run, &decision);
	}
	tool_reads_destroy(&reads);
	return ok;
}

/* ---- a case with a request of its own ---- */

/* What a request is made of where the case says nothing: JSON of its members. */
static const char default_principal[] = "{\"kind\":\"agent\",\"class\":\"execute\",\"risk\":"
					"\"low\",\"owner\":\"\",\"unit\":\"org\","
					"\"environments\":[]}";
static const char default_resource[] =
	"{\"server\":\"\",\"effect\":\"read\",\"risk\":\"low\",\"environment\":\"dev\","
	"\"reversal\":\"none-needed\",\"unit\":\"org\",\"sensitivity\":\"public\",\"concerns\":[]}";
/* What every request has, whatever it is about. */
#define DEFAULT_CONTEXT                                                                            \
	"\"args\":{},\"binding\":\"none\",\"environment\":\"dev\",\"task\":{\"id\":\"t\","         \
	"\"person\":\"\","                                                                         \
	"\"purpose\":\"\",\"depth\":0,\"age\":0},\"approvals\":[],\"labels\":{\"sensitivity\":"    \
	"\"public\",\"untrusted\":false},\"origins\":{\"account\":\"none\",\"addresses\":"         \
	"\"none\","                                                                                \
	"\"object\":\"none\",\"path\":\"none\",\"recipient\":\"none\",\"url\":\"none\","           \
	"\"worst\":\"none\"},\"chain\":[],\"risk\":\"low\",\"first\":false,\"secrets\":[]"
static const char default_context[] = "{" DEFAULT_CONTEXT "}";
/* Members that a request to a model need not have are not there: a case that looks at
 * them is one of an identity. */
static const char default_model_context[] =
	"{" DEFAULT_CONTEXT ",\"generation\":{\"api\":\"openai\",\"prompt_tokens\":1,"
	"\"provider_tools\":[],\"stream\":false,\"tools\":[]}}";

/* No member but those of the defaults; of an entity also its name. */
static bool has_defaults_only(struct case_run *run, const struct json *defaults,
	const struct json *given, struct text path)
{
	bool is_entity = text_is(path, "request.principal.") || text_is(path, "request.resource.");

	for (uint32_t i = 0; given != NULL && i < given->count; i++) {
		struct nearest nearest = {.wrong = given->members[i].name};

		if (json_find_text(defaults, nearest.wrong) != NULL ||
			(is_entity && text_is(nearest.wrong, "name")))
			continue;
		for (uint32_t j = 0; j < defaults->count; j++)
			nearest_consider(&nearest, defaults->members[j].name);
		return no_member(run, &given->members[i], path, &nearest);
	}
	return true;
}

/* The defaults with what the case says instead.  A member that is none is told. */
static bool merge(struct case_run *run, const struct json *defaults, const struct json *given,
	struct text path, struct json *out)
{
	struct json_builder object;
	struct error err;

	if (!has_defaults_only(run, defaults, given, path) ||
		!check_values(run, defaults, given, path))
		return false;
	json_object_start(&object, run->arena);
	for (uint32_t i = 0; i < defaults->count; i++) {
		struct text name = defaults->members[i].name;
		const struct json *own = given == NULL ? NULL : json_find_text(given, name);
		struct json value = own == NULL ? defaults->members[i].value : *own;

		if (own != NULL && own->type == JSON_OBJECT && !text_is(name, "args") &&
			!merge(run, &defaults->members[i].value, own,
				text_format(
					run->arena, "%.*s%.*s.", TEXT_ARGS(path), TEXT_ARGS(name)),
				&value))
			return false;
		json_put_named(&object, name, value);
	}
	return json_object_seal(&object, out, &err) || cannot(run, "", text_of(err.text));
}

/* Of the request's member. */
static bool value_of(
	struct case_run *run, const char *defaults, const char *member, struct cedar_value *out)
{
	const struct json *given = json_find(json_find(run->given, "request"), member);
	struct text path = text_format(run->arena, "request.%s.", member);
	struct cedar_error cause = {0};
	struct json base, merged;
	struct error err = {0};

	if (given != NULL && given->type != JSON_OBJECT)
		return cannot_at(run, given, "",
			text_format(run->arena, "request.%s: an object is expected", member));
	if (!json_parse(&base, run->arena, text_of(defaults), &json_limits_default, &err))
		return cannot(run, "", text_of(err.text));
	if (!merge(run, &base, given, path, &merged))
		return false;
	return cedar_value_from_json(out, run->arena, &merged, NULL, NULL, &cause) ||
	       cannot(run, "", text_of(cause.text));
}

static struct cedar_text unit_in(const struct cedar_value *attributes)
{
	const struct cedar_value *unit = cedar_value_find(attributes, CEDAR_TEXT("unit"));

	if (unit == NULL || unit->type != CEDAR_STRING)
		return CEDAR_TEXT("org");
	return (struct cedar_text){unit->string, unit->count};
}

struct raw_request {
	struct cedar_request request;
	struct cedar_entity entities[5];
	struct cedar_uid parents[3];
	const struct cedar_entities *store;
	struct cedar_text units[3]; /* whose guardrails are asked */
};

/* Everything but the arguments must be what the schema declares. */
static bool check_request(struct case_run *run, struct raw_request *raw)
{
	struct cedar_arena *arena = cedar_arena_from(run->arena);
	struct cedar_request checked = raw->request;
	struct cedar_error cause = {0};
	uint32_t count = raw->request.context.count;
	struct cedar_member *members = arena_array(run->arena, struct cedar_member, count);

	if (members == NULL)
		return error_set(run->err, ERROR_LIMIT, "no memory for a case");
	for (uint32_t i = 0; i < count; i++) {
		members[i] = raw->request.context.members[i];
		if (members[i].name.length == 4 && memcmp(members[i].name.data, "args", 4) == 0 &&
			!cedar_value_record(&members[i].value, arena, NULL, 0, &cause))
			return cannot(run, "", text_of(cause.text));
	}
	if (!cedar_value_record(&checked.context, arena, members, count, &cause) ||
		!cedar_validate_request(run->schema, &checked, &cause) ||
		!cedar_validate_entities(run->schema, raw->store, &cause))
		return cannot_at(run, json_find(run->given, "request"), "",
			text_of(cause.text)); /* begins with what it is about */
	return true;
}

static bool check_request_texts(struct case_run *run, const struct json *given)
{
	static const struct text_member action[] = {{"action", false}, {NULL, false}};
	static const struct text_member name[] = {{"name", true}, {NULL, false}};
	const struct vocabulary *actions = vocabulary_find(TEXT("effect"));

	return check_texts(run, given, action, "request.") &&
	       check_member_word(run, given, "action", "request.action", actions) &&
	       check_texts(run, json_find(given, "principal"), name, "request.principal.") &&
	       check_texts(run, json_find(given, "resource"), name, "request.resource.");
}

static bool build_request(struct case_run *run, struct raw_request *raw)
{
	static const char *const names[] = {"principal", "action", "resource", "context", NULL};
	const struct json *given = json_find(run->given, "request");
	const struct json *principal = json_find(given, "principal");
	const struct json *resource = json_find(given, "resource");
	struct cedar_error cause = {0};
	bool is_model = text_is(json_text_or(given, "action", ""), "generate");
	struct cedar_value who, what;
	size_t count = 2;

	if (!has_only(run, given, names, "request.") || !check_request_texts(run, given) ||
		!value_of(run, default_principal, "principal", &who) ||
		!value_of(run, default_resource, "resource", &what) ||
		!value_of(run, is_model ? default_model_context : default_context, "context",
			&raw->request.context))
		return false;
	raw->request.principal = cedar_uid_of(CEDAR_TEXT("Identity"),
		cedar_text_from(json_text_or(principal, "name", "somebody")));
	raw->request.action = cedar_uid_of(
		CEDAR_TEXT("Action"), cedar_text_from(json_text_or(given, "action", "read")));
	raw->request.resource = cedar_uid_of(is_model ? CEDAR_TEXT("Model") : CEDAR_TEXT("Tool"),
		cedar_text_from(json_text_or(resource, "name", "server/tool")));
	raw->units[0] = CEDAR_TEXT(REGISTRY_ORGANISATION);
	raw->units[1] = unit_in(&who);
	raw->units[2] = unit_in(&what);
	raw->parents[0] = cedar_uid_of(CEDAR_TEXT("Unit"), raw->units[1]);
	raw->parents[1] = cedar_uid_of(CEDAR_TEXT("Unit"), raw->units[2]);
	raw->entities[0] = (struct cedar_entity){.uid = raw->request.principal,
		.attributes = who,
		.parents = raw->parents,
		.parent_count = 1};
	raw->entities[1] = (struct cedar_entity){.uid = raw->request.resource,
		.attributes = what,
		.parents = raw->parents + 1,
		.parent_count = 1};
	raw->entities[count++] = (struct cedar_entity){.uid = raw->request.action};
	return cedar_entities_overlay(&raw->store, cedar_arena_from(run->arena), NULL,
		       raw->entities, count, &cause)
		       ? check_request(run, raw)
		       : cannot(run, "", text_of(cause.text));
}

static bool keep_answer(
	struct case_run *run, const struct cedar_policy_set *set, const struct cedar_answer *answer)
{
	size_t count = answer->error_count > 0 ? 1 : answer->reason_count;
	struct text *policies = arena_array(run->arena, struct text, CASE_GOT_POLICIES_MAX);

	if (policies == NULL)
		return error_set(run->err, ERROR_LIMIT, "no memory for a case");
	if (count == 0)
		return true;
	for (size_t i = 0; i < count && i < CASE_GOT_POLICIES_MAX; i++) {
		size_t index =
			answer->error_count > 0 ? answer->errors[0].policy : answer->reasons[i];

		policies[run->got.policies_count++] =
			cedar_text_to(cedar_policy_set_get(set, index).id);
	}
	run->got.policies = policies;
	run->got.verdict = "deny";
	run->got.reason =
		reason_word(answer->error_count > 0 ? REASON_COULD_NOT_EVALUATE : REASON_FORBIDDEN);
	if (answer->error_count > 0)
		run->got.explanation = cedar_text_to(answer->errors[0].text);
	return true;
}

/* In the order of rule_guardrails; the first that refuses gives the answer. */
static bool run_request(struct case_run *run)
{
	static const char *const names[] = {"test", "request", "expect", "reason", "policy", NULL};
	struct raw_request *raw = arena_new(run->arena, struct raw_request);
	struct cedar_error cause = {0};

	if (raw == NULL)
		return error_set(run->err, ERROR_LIMIT, "no memory for a case");
	if (!has_only(run, run->given, names, "") || !build_request(run, raw))
		return false;
	run->got = (struct got){.verdict = "allow", .reason = reason_word(REASON_ALLOWED)};
	for (size_t i = 0; i < 3; i++) {
		const struct guardrails *guardrails =
			registry_guardrails(run->registry, cedar_text_to(raw->units[i]));
		struct cedar_answer answer = {0};

		if (guardrails == NULL || run->got.policies_count > 0)
			continue;
		if (!cedar_authorize(guardrails_policies(guardrails), raw->store, &raw->request,
			    cedar_arena_from(run->arena), &answer, &cause))
			return cannot(run, "", text_of(cause.text));
		if (!keep_answer(run, guardrails_policies(guardrails), &answer))
			return false;
	}
	return true;
}

/* ---- what must come of it ---- */

/* "org/x" is the policy of "policy/org/x@1/2"; an id is itself. */
static bool is_policy(struct text id, struct text wanted)
{
	static const size_t prefix = sizeof "policy/" - 1;

	if (text_equal(id, wanted))
		return true;
	return text_starts_with(id, "policy/") && id.length > prefix + wanted.length &&
	       memcmp(id.data + prefix, wanted.data, wanted.length) == 0 &&
	       id.data[prefix + wanted.length] == '@';
}

static bool has_policy(const struct got *got, struct text wanted)
{
	for (size_t i = 0; i < got->policies_count; i++)
		if (is_policy(got->policies[i], wanted))
			return true;
	return wanted.length == 0;
}

static bool asks_exactly(struct case_run *run, bool *is_same)
{
	const struct json *list = json_find(run->given, "asks");
	struct text names[CASE_APPROVALS_MAX];
	size_t count, found = 0;

	*is_same = true;
	if (list == NULL)
		return true;
	if (!read_asks(run, names, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < run->got.asks_count; j++)
			found += text_equal(names[i], run->got.asks[j]);
	*is_same = found == count && count == run->got.asks_count;
	return true;
}

static bool check_verdict(struct case_run *run)
{
	static const char *const words[] = {"allow", "deny", "ask", NULL};
	const struct json *expect = json_find(run->given, "expect");

	if (expect == NULL)
		return cannot(run, "expect: allow, deny or ask is expected", TEXT(""));
	for (const char *const *word = words; *word != NULL; word++)
		if (text_is(expect->string, *word))
			return true;
	return no_word(run, expect, TEXT("expect"), "verdict", word_nearest(expect->string, words),
		"write allow, deny or ask");
}

static bool check_reason(struct case_run *run)
{
	const struct json *given = json_find(run->given, "reason");
	struct nearest nearest;

	if (given == NULL || reason_of(given->string) != REASON_NONE)
		return true;
	nearest = (struct nearest){.wrong = given->string};
	for (int i = REASON_NONE + 1; i <= REASON_NO_MEMORY; i++)
		nearest_consider(&nearest, text_of(reason_word((enum reason)i)));
	return no_word(run, given, TEXT("reason"), "reason",
		nearest.found[0] == '\0' ? NULL : nearest.found, "docs/words.md has the reasons");
}

/* Whether the case passes; run->problem if it cannot be told. */
static bool holds(struct case_run *run)
{
	struct text expect = json_text_or(run->given, "expect", "");
	struct text reason = json_text_or(run->given, "reason", "");
	struct text policy = json_text_or(run->given, "policy", "");
	bool is_asked;

	if (!check_verdict(run) || !check_reason(run) || !asks_exactly(run, &is_asked))
		return false;
	return text_is(expect, run->got.verdict) &&
	       (reason.length == 0 || text_is(reason, run->got.reason)) &&
	       has_policy(&run->got, policy) && is_asked;
}

/* ---- the report ---- */

static void put_expected(struct case_run *run, struct json_builder *out)
{
	static const char *const names[] = {"expect", "reason", "policy", "asks"};
	struct json_builder expected;
	struct json sealed;
	struct error err;

	json_object_start(&expected, out->arena);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct json *value = json_find(run->given, names[i]);

		if (value != NULL)
			json_put(&expected, i == 0 ? "verdict" : names[i], *value);
	}
	if (json_object_seal(&expected, &sealed, &err))
		json_put(out, "expected", sealed);
}

static void put_texts_copied(
	struct json_builder *out, const char *name, const struct text *texts, size_t count)
{
	struct text *copies = arena_array(out->arena, struct text, count + 1);

	for (size_t i = 0; copies != NULL && i < count; i++)
		copies[i] = text_copy(out->arena, texts[i]);
	if (copies != NULL && count > 0)
		json_put_texts(out, name, copies, count);
}

static void put_got(const struct case_run *run, struct json_builder *out)
{
	struct json_builder got;
	struct json sealed;
	struct error err;

	json_object_start(&got, out->arena);
	json_put_cstring(&got, "verdict", run->got.verdict);
	json_put_cstring(&got, "reason", run->got.reason);
	put_texts_copied(&got, "policies", run->got.policies, run->got.policies_count);
	put_texts_copied(&got, "asks", run->got.asks, run->got.asks_count);
	json_put_text_unless_empty(
		&got, "explanation", text_copy(out->arena, run->got.explanation));
	if (json_object_seal(&got, &sealed, &err))
		json_put(out, "got", sealed);
}

static bool report_case(struct case_run *run, size_t at, bool has_passed, struct json_builder *list)
{
	struct arena *arena = run->bundle->arena;
	struct json_builder out;
	struct json sealed;

	json_object_start(&out, arena);
	json_put_text(&out, "test", json_text_or(run->given, "test", "without a name"));
	json_put_text(&out, "file", run->bundle->case_files[at]);
	json_put_integer(
		&out, "line", run->problem_line > 0 ? run->problem_line : run->given->line);
	json_put_boolean(&out, "passed", has_passed);
	put_expected(run, &out);
	if (run->problem.length > 0)
		json_put_text(&out, "problem", text_copy(arena, run->problem));
	else
		put_got(run, &out);
	if (!json_object_seal(&out, &sealed, run->err))
		return false;
	json_add(list, sealed);
	return true;
}

static const struct text_member case_texts[] = {{"identity", false}, {"tool", false},
	{"effect", false}, {"environment", false}, {"binding", false}, {"person", true},
	{"purpose", true}, {"at", false}, {"expect", false}, {"reason", false}, {"policy", false},
	{NULL, false}};

static bool run_case(struct case_run *run, size_t at, bool *has_passed, struct json_builder *list)
{
	bool is_raw, ok;

	run->given = &run->bundle->cases[at];
	run->problem = TEXT("");
	run->problem_line = 0;
	run->got = (struct got){0};
	is_raw = json_find(run->given, "request") != NULL;
	run->err->code = ERROR_NONE;
	ok = json_text_or(run->given, "test", "").length == 0
		     ? cannot_at(run, json_find(run->given, "test"),
			       "test: what the case is about is expected", TEXT(""))
	     : is_raw && json_find(run->given, "request")->type != JSON_OBJECT
		     ? cannot_at(run, json_find(run->given, "request"),
			       "request: an object is expected", TEXT(""))
		     : check_texts(run, run->given, case_texts, "") &&
			       (is_raw ? run_request(run) : run_identity(run));
	if (!ok && run->problem.length == 0)
		return false;
	*has_passed = ok && holds(run);
	return report_case(run, at, *has_passed, list);
}

bool policy_bundle_test(struct policy_bundle *bundle, int64_t now_utc_ms, struct json *out,
	size_t *failed, struct error *err)
{
	struct case_run run = {.bundle = bundle, .now_utc_ms = now_utc_ms, .err = err};
	struct json_builder list, object;
	size_t passed = 0;
	struct json cases;
	bool ok = run_open(&run);

	*failed = 0;
	json_array_start(&list, bundle->arena);
	for (size_t i = 0; ok && i < bundle->cases_count; i++) {
		bool has_passed = false;

		ok = run_case(&run, i, &has_passed, &list);
		passed += has_passed;
		*failed += !has_passed;
		arena_reset(run.arena);
	}
	run_close(&run);
	if (!ok || !json_array_seal(&list, &cases, err))
		return false;
	json_object_start(&object, bundle->arena);
	json_put_integer(&object, "passed", (int64_t)passed);
	json_put_integer(&object, "failed", (int64_t)*failed);
	json_put(&object, "cases", cases);
	return json_object_seal(&object, out, err);
}

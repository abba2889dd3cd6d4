#include "domain/charter/nearest.h"

#include <string.h>

#include "domain/charter/problem.h"

void nearest_consider(struct nearest *nearest, struct text name)
{
	char candidate[NEAREST_NAME_BYTES];
	const char *const words[] = {nearest->found, candidate, NULL};

	if (name.length >= sizeof candidate)
		return;
	memcpy(candidate, name.data, name.length);
	candidate[name.length] = '\0';
	if (word_nearest(nearest->wrong, words) == candidate)
		memcpy(nearest->found, candidate, name.length + 1);
}

static bool consider_entry(void *context, const struct registry_entry *entry)
{
	if (entry->in_force != NULL)
		nearest_consider(context, entry->name);
	return true;
}

void nearest_registered(
	struct nearest *nearest, const struct registry *registry, enum object_kind kind)
{
	registry_each(registry, kind, TEXT(""), consider_entry, nearest);
}

static bool consider_known(void *context, const struct registry_entry *entry)
{
	if (entry->in_force != NULL || entry->waiting != NULL)
		nearest_consider(context, entry->name);
	return true;
}

static bool fail_unknown(
	const char *kind, struct text name, const struct nearest *nearest, struct error *err)
{
	bool has_nearest = nearest->found[0] != '\0';

	return error_set(err, ERROR_NOT_FOUND, "no %s is named %.*s%s%s%s", kind, TEXT_ARGS(name),
		has_nearest ? "; did you mean " : "", nearest->found, has_nearest ? "?" : "");
}

bool name_unknown(
	const struct registry *registry, enum object_kind kind, struct text name, struct error *err)
{
	struct nearest nearest = {.wrong = name};

	registry_each(registry, kind, TEXT(""), consider_known, &nearest);
	return fail_unknown(object_kind_word(kind), name, &nearest, err);
}

static bool note_user(void *is_used, const struct registry_entry *entry)
{
	(void)entry;
	*(bool *)is_used = true;
	return false;
}

bool resource_check(const struct registry *registry, enum object_kind kind, struct text written,
	struct error *err)
{
	ptrdiff_t colon = text_find_byte(written, ':');
	struct text name = {written.data + colon + 1, written.length - (size_t)(colon + 1)};
	const struct registry_entry *entry = registry_find(registry, kind, name);
	struct nearest nearest = {.wrong = name};
	bool is_used = false;

	registry_each_user(registry, written, TEXT(""), note_user, &is_used);
	if (is_used || (entry != NULL && entry->in_force != NULL))
		return true;
	nearest_registered(&nearest, registry, kind);
	return fail_unknown(object_kind_word(kind), name, &nearest, err);
}

bool model_check(const struct registry *registry, struct text written, struct error *err)
{
	struct text name = text_after(written, sizeof "model:" - 1);
	ptrdiff_t slash = text_find_byte(name, '/');
	const struct server *server =
		slash < 0 ? NULL
			  : registry_find_server(registry, (struct text){name.data, (size_t)slash});
	struct text model = text_after(name, (size_t)(slash + 1));
	struct nearest nearest = {.wrong = model};
	bool is_used = false;

	registry_each_user(registry, written, TEXT(""), note_user, &is_used);
	if (is_used || (server != NULL && server_find_model(server, model) != NULL))
		return true;
	for (uint32_t i = 0; server != NULL && i < server->models_count; i++)
		nearest_consider(&nearest, server->models[i].name);
	return fail_unknown("model", name, &nearest, err);
}

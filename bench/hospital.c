/* Text is generated; everything is drawn from a fixed seed. */
#include "hospital.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROLES = 9, ACTIONS = 12, TYPES = 10, PEOPLE = 5, TEAMS = 2, TEXT_BYTES = 64 << 20 };

struct writer {
	char *text;
	size_t length;
	uint64_t state;
};

static void put(struct writer *writer, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(
		writer->text + writer->length, TEXT_BYTES - writer->length, format, arguments);
	va_end(arguments);
	if (length < 0 || writer->length + (size_t)length >= TEXT_BYTES)
		abort();
	writer->length += (size_t)length;
}

static uint32_t draw(struct writer *writer, uint32_t bound)
{
	writer->state = writer->state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(writer->state >> 33) % bound;
}

/* 32 permits: each role may do some things with some types; then one forbid. */
static void put_department(struct writer *writer, uint32_t department)
{
	for (uint32_t i = 0; i + 1 < HOSPITAL_POLICIES_OF_DEPARTMENT; i++)
		put(writer,
			"permit(principal in Role::\"%u-%u\", action in [Action::\"a%u\", "
			"Action::\"a%u\"], resource is T%u in Department::\"%u\");\n",
			department, i % ROLES, i % ACTIONS, (i * 5 + 1) % ACTIONS, i % TYPES,
			department);
	put(writer,
		"forbid(principal, action, resource in Department::\"%u\") "
		"when { resource.sensitivity > principal.clearance };\n",
		department);
}

static void add_text(struct cedar_policy_set *set, struct writer *writer)
{
	struct cedar_error err;
	struct cedar_text text = {writer->text, writer->length};

	if (!cedar_policy_set_add_text(set, text, NULL, &err)) {
		(void)fprintf(stderr, "hospital: %s\n", err.text);
		exit(1);
	}
	writer->length = 0;
}

static void put_policies(struct hospital *hospital, struct writer *writer, uint32_t departments)
{
	struct cedar_error err;

	if (!cedar_policy_set_create(&hospital->set, &err))
		exit(1);
	for (uint32_t i = 0; i < departments; i++) {
		put_department(writer, i);
		add_text(hospital->set, writer);
	}
	put(writer, "permit(principal in Role::\"auditor\", action == Action::\"a0\", resource);\n"
		    "permit(principal in Role::\"director\", action, resource);\n"
		    "permit(principal, action == Action::\"a1\", resource is T0);\n"
		    "forbid(principal in Role::\"suspended\", action, resource);\n"
		    "forbid(principal, action == Action::\"a11\", resource is T9);\n");
	add_text(hospital->set, writer);
	if (!cedar_policy_set_seal(hospital->set, &err))
		exit(1);
}

static void put_person(
	struct writer *writer, uint32_t department, uint32_t person, uint32_t departments)
{
	put(writer,
		",{\"uid\":{\"type\":\"Person\",\"id\":\"%u-%u\"},\"attrs\":{\"clearance\":%u},"
		"\"parents\":[{\"type\":\"Role\",\"id\":\"%u-%u\"},{\"type\":\"Team\",\"id\":"
		"\"%u-%u\"}",
		department, person, 1 + draw(writer, 5), department, draw(writer, ROLES),
		department, draw(writer, TEAMS));
	if (draw(writer, 20) == 0)
		put(writer, ",{\"type\":\"Role\",\"id\":\"%u-%u\"}", draw(writer, departments),
			draw(writer, ROLES));
	put(writer, "]}");
}

static void put_entities(struct hospital *hospital, struct writer *writer, uint32_t departments)
{
	struct cedar_error err;

	put(writer, "[{\"uid\":{\"type\":\"Hospital\",\"id\":\"h\"},\"attrs\":{},\"parents\":[]}");
	for (uint32_t d = 0; d < departments; d++) {
		put(writer,
			",{\"uid\":{\"type\":\"Department\",\"id\":\"%u\"},\"attrs\":{},"
			"\"parents\":[{\"type\":\"Hospital\",\"id\":\"h\"}]}",
			d);
		for (uint32_t t = 0; t < TEAMS; t++)
			put(writer,
				",{\"uid\":{\"type\":\"Team\",\"id\":\"%u-%u\"},\"attrs\":{},"
				"\"parents\":[{\"type\":\"Department\",\"id\":\"%u\"}]}",
				d, t, d);
		for (uint32_t p = 0; p < PEOPLE; p++)
			put_person(writer, d, p, departments);
		for (uint32_t r = 0; r < TYPES; r++)
			put(writer,
				",{\"uid\":{\"type\":\"T%u\",\"id\":\"%u\"},\"attrs\":{"
				"\"sensitivity\":%u},\"parents\":[{\"type\":\"Department\","
				"\"id\":\"%u\"}]}",
				r, d, draw(writer, 5), d);
	}
	put(writer, "]");
	if (!cedar_entities_create(&hospital->entities, &err) ||
		!cedar_entities_add_json(hospital->entities,
			(struct cedar_text){writer->text, writer->length}, &err) ||
		!cedar_entities_seal(hospital->entities, &err))
		exit(1);
}

static void draw_requests(struct hospital *hospital, struct writer *writer, uint32_t departments)
{
	static const char *const actions[ACTIONS] = {
		"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "a11"};
	static const char *const types[TYPES] = {
		"T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9"};

	for (int i = 0; i < HOSPITAL_REQUESTS; i++) {
		struct cedar_request *request = &hospital->requests[i];
		char *person = hospital->names[i][0], *resource = hospital->names[i][1];
		uint32_t home = draw(writer, departments);
		uint32_t place = draw(writer, 5) == 0 ? draw(writer, departments) : home;

		(void)snprintf(person, 32, "%u-%u", home, draw(writer, PEOPLE));
		(void)snprintf(resource, 32, "%u", place);
		request->principal.type = CEDAR_TEXT("Person");
		request->principal.id = cedar_text_of(person);
		request->action.type = CEDAR_TEXT("Action");
		request->action.id = cedar_text_of(actions[draw(writer, ACTIONS)]);
		request->resource.type = cedar_text_of(types[draw(writer, TYPES)]);
		request->resource.id = cedar_text_of(resource);
	}
}

void hospital_open(struct hospital *out, uint32_t departments)
{
	struct writer writer = {.text = malloc(TEXT_BYTES), .state = departments};

	if (writer.text == NULL)
		exit(1);
	memset(out, 0, sizeof *out);
	put_policies(out, &writer, departments);
	put_entities(out, &writer, departments);
	draw_requests(out, &writer, departments);
	free(writer.text);
}

void hospital_close(struct hospital *hospital)
{
	cedar_policy_set_destroy(&hospital->set);
	cedar_entities_destroy(&hospital->entities);
}

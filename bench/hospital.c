/* Text is generated; everything is drawn from a fixed seed. */
#include "hospital.h"

#include <stdio.h>
#include <sys/stat.h>

#include "cedar_files.h"

enum { ROLES = 9, ACTIONS = 12, TYPES = 10, PEOPLE = 5, TEAMS = 2, NAME_BYTES = 32 };
enum { ARENA_BYTES_MAX = 64 << 20, SCRATCH_BYTES = 1 << 20 };

struct drawn {
	char person[NAME_BYTES];
	char action[NAME_BYTES];
	char type[NAME_BYTES];
	char resource[NAME_BYTES];
};

struct hospital {
	const char *root;
	const char *app;
	uint32_t departments;
	uint64_t state;
	struct drawn requests[HOSPITAL_REQUESTS];
};

static uint32_t draw(struct hospital *hospital, uint32_t bound)
{
	hospital->state = hospital->state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(hospital->state >> 33) % bound;
}

/* What is read while the app lives below workloads/APP/n01-s0, the rest below apps/APP. */
static void name_file(char out[2 * FILES_PATH_BYTES], const struct hospital *hospital,
	bool is_workload, const char *name)
{
	(void)snprintf(out, 2 * FILES_PATH_BYTES, "%s/%s/%s%s/%s", hospital->root,
		is_workload ? "workloads" : "apps", hospital->app, is_workload ? "/n01-s0" : "",
		name);
}

static FILE *open_file(const struct hospital *hospital, bool is_workload, const char *name)
{
	char path[2 * FILES_PATH_BYTES];
	FILE *file;

	name_file(path, hospital, is_workload, name);
	file = fopen(path, "we");
	if (file == NULL)
		(void)fprintf(stderr, "hospital: cannot write %s\n", path);
	return file;
}

static bool close_file(FILE *file)
{
	bool ok = ferror(file) == 0;

	return fclose(file) == 0 && ok;
}

/* 32 permits: each role may do some things with some types; then one forbid. */
static void put_department(FILE *file, uint32_t department)
{
	for (uint32_t i = 0; i + 1 < HOSPITAL_POLICIES_OF_DEPARTMENT; i++)
		(void)fprintf(file,
			"permit(principal in Role::\"%u-%u\", action in [Action::\"a%u\", "
			"Action::\"a%u\"], resource is T%u in Department::\"%u\");\n",
			department, i % ROLES, i % ACTIONS, (i * 5 + 1) % ACTIONS, i % TYPES,
			department);
	(void)fprintf(file,
		"forbid(principal, action, resource in Department::\"%u\") "
		"when { resource.sensitivity > principal.clearance };\n",
		department);
}

static bool write_policies(const struct hospital *hospital)
{
	FILE *file = open_file(hospital, false, "policies.cedar");

	if (file == NULL)
		return false;
	for (uint32_t i = 0; i < hospital->departments; i++)
		put_department(file, i);
	(void)fputs("permit(principal in Role::\"auditor\", action == Action::\"a0\", resource);\n"
		    "permit(principal in Role::\"director\", action, resource);\n"
		    "permit(principal, action == Action::\"a1\", resource is T0);\n"
		    "forbid(principal in Role::\"suspended\", action, resource);\n"
		    "forbid(principal, action == Action::\"a11\", resource is T9);\n",
		file);
	return close_file(file);
}

/* Peers take from it only what actions there are. */
static bool write_schema(const struct hospital *hospital)
{
	char name[NAME_BYTES + sizeof ".cedarschema.json"];
	FILE *file;

	(void)snprintf(name, sizeof name, "%s.cedarschema.json", hospital->app);
	file = open_file(hospital, false, name);
	if (file == NULL)
		return false;
	(void)fputs("{\"\":{\"entityTypes\":{},\"actions\":{", file);
	for (int i = 0; i < ACTIONS; i++)
		(void)fprintf(file, "%s\"a%d\":{}", i == 0 ? "" : ",", i);
	(void)fputs("}}}\n", file);
	return close_file(file);
}

static void put_person(FILE *file, struct hospital *hospital, uint32_t department, uint32_t person)
{
	uint32_t clearance = 1 + draw(hospital, 5);
	uint32_t role = draw(hospital, ROLES);
	uint32_t team = draw(hospital, TEAMS);

	(void)fprintf(file,
		",{\"uid\":{\"type\":\"Person\",\"id\":\"%u-%u\"},\"attrs\":{\"clearance\":%u},"
		"\"parents\":[{\"type\":\"Role\",\"id\":\"%u-%u\"},{\"type\":\"Team\",\"id\":"
		"\"%u-%u\"}",
		department, person, clearance, department, role, department, team);
	if (draw(hospital, 20) == 0) {
		uint32_t other = draw(hospital, hospital->departments);

		(void)fprintf(file, ",{\"type\":\"Role\",\"id\":\"%u-%u\"}", other,
			draw(hospital, ROLES));
	}
	(void)fputs("]}", file);
}

static void put_members(FILE *file, struct hospital *hospital, uint32_t department)
{
	(void)fprintf(file,
		",{\"uid\":{\"type\":\"Department\",\"id\":\"%u\"},\"attrs\":{},"
		"\"parents\":[{\"type\":\"Hospital\",\"id\":\"h\"}]}",
		department);
	for (uint32_t i = 0; i < TEAMS; i++)
		(void)fprintf(file,
			",{\"uid\":{\"type\":\"Team\",\"id\":\"%u-%u\"},\"attrs\":{},"
			"\"parents\":[{\"type\":\"Department\",\"id\":\"%u\"}]}",
			department, i, department);
	for (uint32_t i = 0; i < PEOPLE; i++)
		put_person(file, hospital, department, i);
	for (uint32_t i = 0; i < TYPES; i++)
		(void)fprintf(file,
			",{\"uid\":{\"type\":\"T%u\",\"id\":\"%u\"},\"attrs\":{"
			"\"sensitivity\":%u},\"parents\":[{\"type\":\"Department\",\"id\":\"%u\"}]"
			"}",
			i, department, draw(hospital, 5), department);
}

static bool write_entities(struct hospital *hospital)
{
	FILE *file = open_file(hospital, true, "entities.json");

	if (file == NULL)
		return false;
	(void)fputs("[{\"uid\":{\"type\":\"Hospital\",\"id\":\"h\"},\"attrs\":{},\"parents\":[]}",
		file);
	for (uint32_t i = 0; i < hospital->departments; i++)
		put_members(file, hospital, i);
	(void)fputs("]\n", file);
	return close_file(file);
}

static void draw_request(struct hospital *hospital, struct drawn *out)
{
	uint32_t home = draw(hospital, hospital->departments);
	uint32_t place = draw(hospital, 5) == 0 ? draw(hospital, hospital->departments) : home;

	(void)snprintf(out->person, NAME_BYTES, "%u-%u", home, draw(hospital, PEOPLE));
	(void)snprintf(out->action, NAME_BYTES, "a%u", draw(hospital, ACTIONS));
	(void)snprintf(out->type, NAME_BYTES, "T%u", draw(hospital, TYPES));
	(void)snprintf(out->resource, NAME_BYTES, "%u", place);
}

static bool write_requests(struct hospital *hospital)
{
	FILE *file = open_file(hospital, true, "requests.json");

	if (file == NULL)
		return false;
	for (int i = 0; i < HOSPITAL_REQUESTS; i++) {
		struct drawn *drawn = &hospital->requests[i];

		draw_request(hospital, drawn);
		(void)fprintf(file, "%s[\"Person\",\"%s\",\"%s\",\"%s\",\"%s\"]",
			i == 0 ? "[" : ",\n", drawn->person, drawn->action, drawn->type,
			drawn->resource);
	}
	(void)fputs("]\n", file);
	return close_file(file);
}

static bool put_answer(FILE *file, const struct drawn *drawn, const struct cedar_policy_set *set,
	const struct cedar_entities *entities)
{
	struct cedar_arena *scratch = cedar_arena_create(SCRATCH_BYTES);
	struct cedar_request request = {
		.principal = cedar_uid_of(CEDAR_TEXT("Person"), cedar_text_of(drawn->person)),
		.action = cedar_uid_of(CEDAR_TEXT("Action"), cedar_text_of(drawn->action)),
		.resource =
			cedar_uid_of(cedar_text_of(drawn->type), cedar_text_of(drawn->resource))};
	struct cedar_answer answer;
	struct cedar_error err;
	bool ok = scratch != NULL &&
		  cedar_authorize(set, entities, &request, scratch, &answer, &err) &&
		  answer.error_count == 0;

	if (!ok)
		goto done;
	(void)fprintf(file, "[%d,[", answer.decision == CEDAR_ALLOW);
	for (size_t i = 0; i < answer.reason_count; i++)
		(void)fprintf(file, "%s\"policy%u\"", i == 0 ? "" : ",", answer.reasons[i]);
	(void)fputs("],[]]", file);
done:
	cedar_arena_destroy(&scratch);
	return ok;
}

static bool write_answers(const struct hospital *hospital, const struct cedar_policy_set *set,
	const struct cedar_entities *entities)
{
	FILE *file = open_file(hospital, true, "expected.json");
	bool ok = file != NULL;

	for (int i = 0; ok && i < HOSPITAL_REQUESTS; i++) {
		(void)fputs(i == 0 ? "[" : ",\n", file);
		ok = put_answer(file, &hospital->requests[i], set, entities);
	}
	if (file == NULL)
		return false;
	(void)fputs("]\n", file);
	return close_file(file) && ok;
}

/* Reads back what was written, and decides by it. */
static bool decide_requests(const struct hospital *hospital)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	struct cedar_policy_set *set = NULL;
	struct cedar_entities *entities = NULL;
	struct cedar_error err = {0};
	struct cedar_text policies, json;
	char path[2 * FILES_PATH_BYTES];
	bool ok = false;

	if (arena == NULL)
		return false;
	name_file(path, hospital, false, "policies.cedar");
	policies = files_read(arena, path);
	name_file(path, hospital, true, "entities.json");
	json = files_read(arena, path);
	ok = policies.data != NULL && json.data != NULL &&
	     cedar_policy_set_parse(&set, policies, NULL, &err) &&
	     cedar_entities_create(&entities, &err) &&
	     cedar_entities_add_json(entities, json, &err) && cedar_entities_seal(entities, &err) &&
	     write_answers(hospital, set, entities);
	if (!ok)
		(void)fprintf(stderr, "hospital: %s\n", err.text);
	cedar_policy_set_destroy(&set);
	cedar_entities_destroy(&entities);
	arena_destroy(&arena);
	return ok;
}

static bool make_folders(const struct hospital *hospital)
{
	char path[2 * FILES_PATH_BYTES];

	name_file(path, hospital, false, "");
	if (mkdir(path, S_IRWXU) != 0)
		return false;
	(void)snprintf(path, sizeof path, "%s/workloads/%s", hospital->root, hospital->app);
	if (mkdir(path, S_IRWXU) != 0)
		return false;
	name_file(path, hospital, true, "");
	return mkdir(path, S_IRWXU) == 0;
}

bool hospital_write(const char *root, const char *app, uint32_t departments)
{
	struct hospital hospital = {
		.root = root, .app = app, .departments = departments, .state = departments};

	return make_folders(&hospital) && write_policies(&hospital) && write_schema(&hospital) &&
	       write_entities(&hospital) && write_requests(&hospital) && decide_requests(&hospital);
}

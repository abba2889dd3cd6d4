#include "support/estate_world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/yaml.h"
#include "domain/charter/form.h"
#include "domain/control/key_holders.h"
#include "domain/estate/estate.h"
#include "domain/graph/derive.h"
#include "domain/inventory/item.h"
#include "domain/inventory/layer.h"
#include "domain/scim/csv.h"
#include "domain/scim/user.h"

static const size_t ARENA_BYTES_MAX = (size_t)8 << 30;

static _Noreturn void stop(struct text where, const char *why)
{
	(void)fprintf(stderr, "estate: %.*s: %s\n", TEXT_ARGS(where), why);
	exit(1);
}

static struct arena *new_arena(void)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);

	if (arena == NULL)
		stop(TEXT("estate"), "no memory");
	return arena;
}

/* ---- files ---- */

enum { FILES_MAX = 4096 };

static struct estate_file *file_of(struct estate_files *files, struct text name)
{
	struct estate_file *last = files->count == 0 ? NULL : &files->items[files->count - 1];

	if (last != NULL && text_equal(last->name, name))
		return last;
	if (files->count == FILES_MAX)
		stop(name, "too many files");
	last = &files->items[files->count++];
	*last = (struct estate_file){.name = text_copy(files->arena, name)};
	return last;
}

/* One file after the other, so that only the last grows. */
struct growing {
	struct estate_files *files;
	char *bytes;
	size_t room;
};

static bool put(void *context, const char *name, struct text bytes, struct error *err)
{
	struct growing *growing = context;
	size_t before = growing->files->count;
	struct estate_file *file = file_of(growing->files, text_of(name));

	(void)err;
	if (growing->files->count != before) {
		growing->bytes = NULL;
		growing->room = 0;
	}
	if (file->bytes.length + bytes.length > growing->room) {
		growing->room = (file->bytes.length + bytes.length) * 2;
		growing->bytes = realloc(growing->bytes, growing->room);
		if (growing->bytes == NULL)
			stop(file->name, "no memory");
	}
	memcpy(growing->bytes + file->bytes.length, bytes.data, bytes.length);
	file->bytes = (struct text){growing->bytes, file->bytes.length + bytes.length};
	return true;
}

void estate_files_make(struct estate_files *out, uint32_t people, uint32_t identities,
	uint64_t seed, int64_t at_utc_s)
{
	const struct estate_order order = {people, identities, seed, at_utc_s};
	struct growing growing = {.files = out};
	const struct estate_sink sink = {&growing, put};
	struct error err = {0};

	*out = (struct estate_files){.arena = new_arena()};
	out->items = calloc(FILES_MAX, sizeof *out->items);
	if (out->items == NULL || !estate_write(&order, &sink, &err))
		stop(TEXT("estate"), err.text);
}

static struct estate_files *reading; /* nftw has no context */
static size_t prefix_length;

static int read_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
	struct estate_file *file;
	char *bytes;
	FILE *from;

	(void)ftw;
	if (kind != FTW_F)
		return 0;
	file = file_of(reading, text_of(path + prefix_length));
	bytes = malloc((size_t)info->st_size + 1);
	from = fopen(path, "re");
	if (bytes == NULL || from == NULL ||
		fread(bytes, 1, (size_t)info->st_size, from) != (size_t)info->st_size)
		stop(file->name, "cannot be read");
	(void)fclose(from);
	file->bytes = (struct text){bytes, (size_t)info->st_size};
	return 0;
}

static int by_name(const void *left, const void *right)
{
	return text_compare(((const struct estate_file *)left)->name,
		((const struct estate_file *)right)->name);
}

void estate_files_read(struct estate_files *out, const char *folder)
{
	*out = (struct estate_files){.arena = new_arena()};
	out->items = calloc(FILES_MAX, sizeof *out->items);
	reading = out;
	prefix_length = strlen(folder) + 1;
	if (out->items == NULL || nftw(folder, read_one, 16, FTW_PHYS) != 0)
		stop(text_of(folder), "cannot be read");
	qsort(out->items, out->count, sizeof *out->items, by_name);
}

void estate_files_drop(struct estate_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free((void *)(uintptr_t)files->items[i].bytes.data);
	free(files->items);
	arena_destroy(&files->arena);
}

static struct text find_file(const struct estate_files *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (text_is(files->items[i].name, name))
			return files->items[i].bytes;
	stop(text_of(name), "is not there");
}

/* ---- lines and their fields ---- */

static bool next_line(struct text *rest, struct text *line)
{
	ptrdiff_t end = text_find_byte(*rest, '\n');

	if (rest->length == 0)
		return false;
	*line = (struct text){rest->data, end < 0 ? rest->length : (size_t)end};
	*rest = text_after(*rest, end < 0 ? rest->length : (size_t)end + 1);
	return true;
}

static struct text next_field(struct text *line)
{
	ptrdiff_t comma = text_find_byte(*line, ',');
	struct text field = {line->data, comma < 0 ? line->length : (size_t)comma};

	*line = text_after(*line, comma < 0 ? line->length : (size_t)comma + 1);
	return field;
}

static int64_t time_field(struct text *line, struct text where)
{
	struct text field = next_field(line);
	int64_t at_s = 0;

	if (field.length > 0 && !time_of_text(field, &at_s))
		stop(where, "a time that is none");
	return at_s;
}

/* ---- registry ---- */

static void put_object(struct estate_world *world, struct object *object, struct text where)
{
	struct registry_change change = {.kind = object->kind,
		.revision = ++world->revision,
		.version = 1,
		.in_force = 1,
		.state = object->kind == OBJECT_IDENTITY ? IDENTITY_ACTIVE : IDENTITY_NONE};
	struct error err = {0};

	if (!registry_hold(world->registry, object, 1, world->revision, &err))
		stop(where, err.text);
	change.name = object->name;
	if (!registry_set(world->registry, &change, &err))
		stop(where, err.text);
}

static void put_document(struct estate_world *world, const struct json *document, struct text where)
{
	struct problems problems = {.arena = world->scratch};
	struct object *object;

	if (!object_parse(&object, document, where, &problems))
		stop(problems.items[0].field, problems.items[0].what.data);
	put_object(world, object, where);
}

static void load_documents(struct estate_world *world, const struct estate_file *file)
{
	struct json_limits limits = {file->bytes.length + 1, 64, UINT32_MAX};
	struct yaml_documents documents;
	struct error err = {0};

	arena_reset(world->scratch);
	if (!yaml_parse(&documents, world->scratch, file->bytes, "estate", &limits, &err))
		stop(file->name, err.text);
	for (size_t i = 0; i < documents.count; i++)
		put_document(world, &documents.items[i], file->name);
}

/* Through the table that `remit person import` takes; who left, left yesterday. */
static void load_people(struct estate_world *world, struct text table)
{
	static const struct scim_fault none = {0};
	struct arena *arena = new_arena();
	struct scim_fault fault = none;
	const struct csv_row *rows;
	char left[TIME_TEXT_BYTES];
	size_t count;

	time_format_utc_ms(left, (world->at_utc_s - 86400) * 1000);
	if (!csv_people_read(&rows, &count, arena, table, &fault))
		stop(TEXT("people"), fault.detail);
	for (size_t i = 0; i < count; i++) {
		const struct json *user = &rows[i].resource;
		struct json_builder person;
		struct json document;
		struct error err;

		arena_reset(world->scratch);
		json_object_start(&person, world->scratch);
		json_put_cstring(&person, "object", "person");
		json_put_text(&person, "name", json_text_or(user, "userName", ""));
		json_put_text(&person, "unit", scim_user_department(user));
		if (!json_boolean_or(user, "active", true))
			json_put_text(&person, "left", text_format(world->scratch, "%.19sZ", left));
		if (!json_object_seal(&person, &document, &err))
			stop(TEXT("people"), err.text);
		put_document(world, &document, TEXT("people"));
	}
	arena_destroy(&arena);
}

static void load_states(struct estate_world *world, struct text table)
{
	struct text line;

	(void)next_line(&table, &line);
	while (next_line(&table, &line)) {
		struct registry_change change = {.kind = OBJECT_IDENTITY,
			.name = next_field(&line),
			.revision = ++world->revision,
			.version = 1,
			.in_force = 1,
			.state = identity_state_of(next_field(&line))};
		struct error err = {0};

		if (!registry_set(world->registry, &change, &err))
			stop(TEXT("states.csv"), err.text);
	}
}

/* ---- graph ---- */

static bool derive(void *context, const struct registry_entry *entry)
{
	static const struct graph_grant grant = {{NULL, 0}, 0};
	struct estate_world *world = context;
	struct error err = {0};

	if (!graph_derive(world->graph, entry, &grant, world->scratch, &err))
		stop(entry->name, err.text);
	if (entry->kind == OBJECT_IDENTITY &&
		!key_holders_note(world->holders, entry, world->scratch))
		stop(entry->name, "no memory");
	return true;
}

/* The part is the item's number: a sample is loaded once. */
static void load_inventory(struct estate_world *world, const struct estate_file *file)
{
	size_t start = sizeof "inventory/" - 1;
	struct text connector = {
		file->name.data + start, file->name.length - start - (sizeof ".jsonl" - 1)};
	struct arena *arena = new_arena();
	struct text rest = file->bytes, line;
	unsigned number = 0;

	while (next_line(&rest, &line)) {
		struct inventory_item item;
		struct inventory_layer_part part = {.connector = connector};
		struct error err = {0};

		arena_reset(arena);
		part.part = text_format(arena, "%u", ++number);
		if (!inventory_item_parse(&item, arena, line, &err))
			stop(file->name, err.text);
		if (!inventory_layer_put(world->graph, &part, &item, world->scratch, &err))
			stop(file->name, err.text);
	}
	arena_destroy(&arena);
}

static void load_usage(struct estate_world *world, struct text table)
{
	struct text line;

	(void)next_line(&table, &line);
	while (next_line(&table, &line)) {
		struct graph_node identity, tool;
		struct text name = next_field(&line), of = next_field(&line);
		struct error err = {0};
		int64_t uses = 0;

		if (!graph_find(world->graph, GRAPH_NODE_IDENTITY, name, &identity) ||
			!graph_find(world->graph, GRAPH_NODE_TOOL, of, &tool) ||
			!text_to_int64(next_field(&line), &uses))
			stop(name, "a use of nothing that is there");
		if (!graph_note_use(world->graph,
			    &(struct graph_used){.from = identity.id,
				    .to = tool.id,
				    .at_s = (graph_time)time_field(&line, name),
				    .count = (uint32_t)uses},
			    &err))
			stop(name, err.text);
	}
}

/* ---- what people looked at ---- */

static void load_looks(struct estate_world *world, struct text table)
{
	struct text line;

	(void)next_line(&table, &line);
	while (next_line(&table, &line)) {
		struct text name = next_field(&line);
		struct identity_facts *facts = calloc(1, sizeof *facts);

		if (facts == NULL || !name_table_put(world->looks, name, facts))
			stop(name, "no memory");
		facts->looked_utc_s = time_field(&line, name);
		facts->due_utc_s = time_field(&line, name);
		facts->judged_utc_s = time_field(&line, name);
	}
}

static void witness_identity(void *context, const struct registry_entry *entry, int64_t now_utc_s,
	struct identity_facts *out)
{
	struct estate_world *world = context;
	const struct identity_facts *facts = name_table_find(world->looks, entry->name);

	if (facts == NULL)
		stop(entry->name, "is not in looks.csv");
	*out = *facts;
	graph_excess_of(world->search, world->graph, charter_of(entry->in_force),
		(graph_time)now_utc_s, world->excess);
	out->has_excess = world->excess->total > 0 || world->excess->is_cut;
}

/* ---- all ---- */

static void load_answers(struct estate_world *world, const struct estate_files *files)
{
	struct text bytes = find_file(files, "answers.json");
	struct json_limits limits = {bytes.length + 1, 64, UINT32_MAX};
	struct error err = {0};

	if (!json_parse(&world->answers, world->arena, bytes, &limits, &err))
		stop(TEXT("answers.json"), err.text);
	if (!time_of_text(json_text_or(&world->answers, "at", ""), &world->at_utc_s))
		stop(TEXT("answers.json"), "says of no moment");
}

void estate_world_load(struct estate_world *out, const struct estate_files *files)
{
	struct error err = {0};

	*out = (struct estate_world){.arena = new_arena(), .scratch = new_arena()};
	out->holders = key_holders_create();
	out->looks = name_table_create();
	out->excess = calloc(1, sizeof *out->excess);
	if (!registry_create(&out->registry, &err) || !graph_create(&out->graph, &err) ||
		!graph_search_create(&out->search, &err) || out->holders == NULL ||
		out->looks == NULL || out->excess == NULL)
		stop(TEXT("estate"), "no memory");
	load_answers(out, files);
	load_people(out, find_file(files, "people/2-today.csv"));
	for (size_t i = 0; i < files->count; i++)
		if (text_ends_with(files->items[i].name, ".yaml") &&
			!text_starts_with(files->items[i].name, "charters/2-people/"))
			load_documents(out, &files->items[i]);
	if (!registry_settle(out->registry, &err))
		stop(TEXT("guardrails"), err.text);
	load_states(out, find_file(files, "states.csv"));
	registry_each(out->registry, OBJECT_NONE, TEXT(""), derive, out);
	for (size_t i = 0; i < files->count; i++)
		if (text_starts_with(files->items[i].name, "inventory/"))
			load_inventory(out, &files->items[i]);
	load_usage(out, find_file(files, "usage.csv"));
	load_looks(out, find_file(files, "looks.csv"));
}

void estate_world_drop(struct estate_world *world)
{
	key_holders_destroy(&world->holders);
	name_table_destroy(&world->looks, free);
	graph_search_destroy(&world->search);
	free(world->excess);
	graph_destroy(&world->graph);
	registry_destroy(&world->registry);
	arena_destroy(&world->scratch);
	arena_destroy(&world->arena);
}

/* ---- checking ---- */

struct checking {
	struct estate_world *world;
	struct control_world control;
	void (*visit)(void *context, enum control_check check, struct text subject);
	void *context;
};

static void tell(struct checking *checking, check_set found, const char *kind, struct text name)
{
	struct text subject;

	if (found == 0)
		return;
	subject = text_format(checking->world->arena, "%s/%.*s", kind, TEXT_ARGS(name));
	for (; found != 0; found &= found - 1)
		checking->visit(
			checking->context, (enum control_check)__builtin_ctzll(found), subject);
}

static bool check_one(void *context, const struct registry_entry *entry)
{
	struct checking *checking = context;
	struct error err = {0};
	check_set found;

	arena_reset(checking->world->scratch);
	if (!check_entry(&checking->control, entry, &found, &err))
		stop(entry->name, err.text);
	tell(checking, found, object_kind_word(entry->kind), entry->name);
	return true;
}

void estate_world_check(struct estate_world *world,
	void (*visit)(void *context, enum control_check check, struct text subject), void *context)
{
	const struct control_witness witness = {world, witness_identity};
	struct checking checking = {.world = world,
		.control = {.witness = &witness,
			.registry = world->registry,
			.graph = world->graph,
			.key_holders = world->holders,
			.now_utc_s = world->at_utc_s,
			.scratch = world->scratch},
		.visit = visit,
		.context = context};
	struct graph_node node = {0};

	registry_each(world->registry, OBJECT_NONE, TEXT(""), check_one, &checking);
	while (graph_next(world->graph, GRAPH_NODE_NONE, node.id, &node)) {
		check_set found;

		arena_reset(world->scratch);
		check_node(&checking.control, &node, &found);
		tell(&checking, found, graph_node_kind_word(node.kind), node.name);
	}
}

/* ---- scoring ---- */

struct found {
	enum control_check check;
	struct text subject;
};

struct all_found {
	struct found *items;
	size_t count;
	size_t room;
};

static void add_found(void *context, enum control_check check, struct text subject)
{
	struct all_found *all = context;

	if (all->count == all->room) {
		all->room = all->room == 0 ? 1024 : all->room * 2;
		all->items = realloc(all->items, all->room * sizeof *all->items);
		if (all->items == NULL)
			stop(subject, "no memory");
	}
	all->items[all->count++] = (struct found){check, subject};
}

static int by_subject(const void *left, const void *right)
{
	const struct found *a = left, *b = right;

	if (a->check != b->check)
		return (a->check > b->check) - (a->check < b->check);
	return text_compare(a->subject, b->subject);
}

static void read_answers(const struct json *answers, struct all_found *out)
{
	for (uint32_t i = 0; answers != NULL && i < answers->count; i++) {
		const struct json_member *member = &answers->members[i];
		enum control_check check = check_of(member->name);

		if (check == CHECK_NONE)
			stop(member->name, "there is no such check");
		for (uint32_t j = 0; j < member->value.count; j++)
			add_found(out, check, member->value.items[j].string);
	}
	qsort(out->items, out->count, sizeof *out->items, by_subject);
}

static void compare(const struct all_found *found, const struct all_found *answers,
	struct estate_score out[CHECK_COUNT])
{
	size_t f = 0, a = 0;

	while (f < found->count || a < answers->count) {
		int order = f == found->count ? 1
			    : a == answers->count
				    ? -1
				    : by_subject(&found->items[f], &answers->items[a]);
		struct estate_score *score =
			&out[order <= 0 ? found->items[f].check : answers->items[a].check];

		if (order == 0) {
			score->right++;
		} else if (order < 0) {
			if (score->wrong++ == 0)
				score->first_wrong = found->items[f].subject;
		} else if (score->missed++ == 0) {
			score->first_missed = answers->items[a].subject;
		}
		f += order <= 0;
		a += order >= 0;
	}
}

static void look_at_near(
	const struct json *list, const struct all_found *found, struct estate_near *near)
{
	*near = (struct estate_near){0};
	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		const struct found wanted = {check_of(json_text_or(&list->items[i], "check", "")),
			json_text_or(&list->items[i], "subject", "")};

		near->count++;
		near->taken +=
			found->count > 0 && bsearch(&wanted, found->items, found->count,
						    sizeof *found->items, by_subject) != NULL;
	}
}

void estate_world_score(
	struct estate_world *world, struct estate_score out[CHECK_COUNT], struct estate_near *near)
{
	struct all_found found = {0}, answers = {0};

	memset(out, 0, CHECK_COUNT * sizeof *out);
	read_answers(json_find(&world->answers, "answers"), &answers);
	estate_world_check(world, add_found, &found);
	qsort(found.items, found.count, sizeof *found.items, by_subject);
	compare(&found, &answers, out);
	look_at_near(json_find(&world->answers, "near_misses"), &found, near);
	free(found.items);
	free(answers.items);
}

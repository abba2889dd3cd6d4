/* Exports of each provider, written after their own documentation (tests/vectors/inventory), and
 * the items that come of them: whatever the order of pages, the same lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>

#include "domain/inventory/convert.h"
#include "domain/inventory/scope.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, PAGES_MAX = 16, FILE_BYTES_MAX = 256 * 1024 };

static const char *folder;

struct read_export {
	struct arena *arena;
	struct inventory_page pages[PAGES_MAX];
	struct json values[PAGES_MAX];
	size_t count;
	struct json people;
	bool has_people;
	struct buffer lines;
	struct inventory_notes notes;
	struct error err;
};

static void setup(struct read_export *read)
{
	*read = (struct read_export){.arena = arena_create(ARENA_BYTES)};
	assert_non_null(read->arena);
	buffer_init(&read->lines, FILE_BYTES_MAX);
}

static void teardown(struct read_export *read)
{
	arena_destroy(&read->arena);
	buffer_deinit(&read->lines);
}

static void add_page(struct read_export *read, const char *name, struct text content)
{
	struct inventory_page *page = &read->pages[read->count];

	assert_true(read->count < PAGES_MAX);
	if (!json_parse(&read->values[read->count], read->arena, content, &json_limits_default,
		    &read->err))
		fail_msg("%s: %s", name, read->err.text);
	page->name = text_copy(read->arena, text_of(name));
	page->value = &read->values[read->count++];
}

static bool add_line(void *context, const struct inventory_item *item, struct error *err)
{
	struct read_export *read = context;

	(void)err;
	inventory_item_write(&read->lines, item);
	buffer_append_byte(&read->lines, '\n');
	return true;
}

static bool convert(struct read_export *read, enum inventory_provider provider)
{
	const struct inventory_export export = {.provider = provider,
		.pages = read->pages,
		.pages_count = read->count,
		.people = read->has_people ? &read->people : NULL};
	struct inventory_collector *out = NULL;
	bool ok;

	buffer_reset(&read->lines);
	assert_true(inventory_collector_create(&out, &read->err));
	ok = inventory_convert(&export, out, read->arena, &read->notes, &read->err);
	if (ok)
		assert_true(inventory_collector_each(out, add_line, read, &read->err));
	inventory_collector_destroy(&out);
	assert_false(buffer_failed(&read->lines));
	return ok;
}

/* ---- vectors ---- */

static struct text read_file(struct arena *arena, const char *path)
{
	char *content = arena_array(arena, char, FILE_BYTES_MAX);
	FILE *file = fopen(path, "re");
	size_t length;

	if (file == NULL)
		return (struct text){NULL, 0};
	assert_non_null(content);
	length = fread(content, 1, FILE_BYTES_MAX, file);
	assert_true(length < FILE_BYTES_MAX);
	(void)fclose(file);
	return (struct text){content, length};
}

static void read_folder(struct read_export *read, const char *provider)
{
	struct text path = text_format(read->arena, "%s/%s", folder, provider);
	struct dirent **entries = NULL;
	int count = scandir(path.data, &entries, NULL, alphasort);

	assert_true(count > 2);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		struct text file = text_format(read->arena, "%s/%s", path.data, name);

		if (strcmp(name, "people.json") == 0) {
			assert_true(json_parse(&read->people, read->arena,
				read_file(read->arena, file.data), &json_limits_default,
				&read->err));
			read->has_people = true;
		} else if (text_ends_with(text_of(name), ".json")) {
			add_page(read, name, read_file(read->arena, file.data));
		}
		free(entries[i]);
	}
	free(entries);
}

static void reverse(struct read_export *read)
{
	for (size_t i = 0; i < read->count / 2; i++) {
		struct inventory_page page = read->pages[i];

		read->pages[i] = read->pages[read->count - 1 - i];
		read->pages[read->count - 1 - i] = page;
	}
}

/* With REMIT_WRITE the lines are written anew, to be looked at. */
static void compare(struct read_export *read, const char *provider)
{
	struct text path = text_format(read->arena, "%s/%s.jsonl", folder, provider);
	struct text lines = buffer_text(&read->lines), expected;
	FILE *file;

	if (getenv("REMIT_WRITE") != NULL) {
		file = fopen(path.data, "we");
		assert_non_null(file);
		assert_int_equal(fwrite(lines.data, 1, lines.length, file), lines.length);
		(void)fclose(file);
	}
	expected = read_file(read->arena, path.data);
	if (!text_equal(expected, lines))
		fail_msg("%s: other lines than %s:\n%.*s", provider, path.data, TEXT_ARGS(lines));
}

static void every_provider_gives_the_same_items_in_any_order_of_pages(void **state)
{
	(void)state;
	for (int i = PROVIDER_GOOGLE; i < PROVIDER_COUNT; i++) {
		const char *provider = inventory_provider_word((enum inventory_provider)i);
		struct read_export read;

		setup(&read);
		read_folder(&read, provider);
		if (!convert(&read, (enum inventory_provider)i))
			fail_msg("%s: %s", provider, read.err.text);
		compare(&read, provider);
		reverse(&read);
		assert_true(convert(&read, (enum inventory_provider)i));
		compare(&read, provider);
		teardown(&read);
	}
}

static void every_line_can_be_read_again_and_is_written_the_same(void **state)
{
	(void)state;
	for (int i = PROVIDER_GOOGLE; i < PROVIDER_COUNT; i++) {
		struct read_export read;
		struct text lines;
		ptrdiff_t end;

		setup(&read);
		read_folder(&read, inventory_provider_word((enum inventory_provider)i));
		assert_true(convert(&read, (enum inventory_provider)i));
		lines = buffer_text(&read.lines);
		while ((end = text_find_byte(lines, '\n')) >= 0) {
			struct text line = {lines.data, (size_t)end};
			struct inventory_item item;
			struct buffer again;

			if (!inventory_item_parse(&item, read.arena, line, &read.err))
				fail_msg("%.*s: %s", TEXT_ARGS(line), read.err.text);
			buffer_init(&again, FILE_BYTES_MAX);
			inventory_item_write(&again, &item);
			assert_true(text_equal(line, buffer_text(&again)));
			buffer_deinit(&again);
			lines = text_after(lines, (size_t)end + 1);
		}
		teardown(&read);
	}
}

static void no_secret_of_an_export_comes_through(void **state)
{
	static const char *const secrets[] = {"U2FsdGVkX18never", "71c3fc11", "\"abc\"", "AAA..."};

	(void)state;
	for (int i = PROVIDER_GOOGLE; i < PROVIDER_COUNT; i++) {
		struct read_export read;
		struct text lines;

		setup(&read);
		read_folder(&read, inventory_provider_word((enum inventory_provider)i));
		assert_true(convert(&read, (enum inventory_provider)i));
		lines = buffer_text(&read.lines);
		for (size_t at = 0; at < sizeof secrets / sizeof *secrets; at++)
			assert_null(
				memmem(lines.data, lines.length, secrets[at], strlen(secrets[at])));
		teardown(&read);
	}
}

static bool has_note(const struct text *notes, uint32_t count, const char *what)
{
	for (uint32_t i = 0; i < count && i < INVENTORY_NOTES_MAX; i++)
		if (text_is(notes[i], what))
			return true;
	return false;
}

static void unknown_scopes_and_people_without_an_address_are_reported(void **state)
{
	struct read_export read;

	(void)state;
	setup(&read);
	read_folder(&read, "google");
	assert_true(convert(&read, PROVIDER_GOOGLE));
	assert_int_equal(read.notes.unknown_scopes_count, 1);
	assert_true(has_note(
		read.notes.unknown_scopes, 1, "https://www.googleapis.com/auth/notes.of.tomorrow"));
	assert_int_equal(read.notes.unnamed_count, 1);
	assert_true(has_note(read.notes.unnamed, 1, "1003"));
	teardown(&read);
	setup(&read);
	read_folder(&read, "microsoft");
	assert_true(convert(&read, PROVIDER_MICROSOFT));
	assert_true(has_note(
		read.notes.unknown_scopes, read.notes.unknown_scopes_count, "Mail.Invent"));
	assert_true(has_note(
		read.notes.unknown_scopes, read.notes.unknown_scopes_count, "role-unknown"));
	teardown(&read);
}

/* ---- n8n as it answers: lists name projects by id, and what runs is the published version ---- */

static bool has_line(const struct read_export *read, const char *part)
{
	struct text lines = buffer_text(&read->lines);

	return lines.length > 0 && memmem(lines.data, lines.length, part, strlen(part)) != NULL;
}

static void what_a_published_flow_runs_is_seen_whatever_its_draft_says(void **state)
{
	static const char flow[] =
		"{\"data\":[{\"id\":\"w\",\"name\":\"w\",\"active\":true,\"nodes\":[],"
		"\"activeVersion\":{\"nodes\":[{\"type\":\"n8n-nodes-base.slack\",\"parameters\":{"
		"\"operation\":\"delete\"},\"credentials\":{\"slackApi\":{\"id\":\"c\","
		"\"name\":\"c\"}}}]}}],\"nextCursor\":null}";
	struct read_export read;

	(void)state;
	setup(&read);
	add_page(&read, "p0", text_of(flow));
	assert_true(convert(&read, PROVIDER_N8N));
	assert_true(has_line(&read, "\"scope\":\"n8n-nodes-base.slack:delete\""));
	assert_true(has_line(&read, "\"to\":\"account:connection/c\""));
	teardown(&read);
}

/* A list of flows says which project they are in; only other answers say whose that is. */
static const char *const namings[] = {
	"{\"data\":[{\"id\":\"c\",\"name\":\"c\",\"type\":\"slackApi\",\"shared\":[{\"id\":\"p\","
	"\"name\":\"Ana <ana@example.com>\",\"role\":\"credential:owner\"}]}]}",
	"{\"data\":[{\"id\":\"p\",\"name\":\"Ana <ana@example.com>\",\"type\":\"personal\"}]}",
	"{\"id\":\"w\",\"name\":\"w\",\"active\":true,\"nodes\":[],\"updatedAt\":"
	"\"2026-01-01T00:00:00.000Z\",\"shared\":[{\"role\":\"workflow:owner\",\"projectId\":"
	"\"p\",\"project\":{\"id\":\"p\",\"name\":\"Ana <ana@example.com>\",\"type\":"
	"\"personal\"}}]}",
};

static void who_created_a_flow_is_found_by_its_project(void **state)
{
	static const char flow[] =
		"{\"data\":[{\"id\":\"w\",\"name\":\"w\",\"active\":true,\"nodes\":[],"
		"\"updatedAt\":"
		"\"2026-01-01T00:00:00.000Z\",\"shared\":[{\"role\":\"workflow:owner\","
		"\"projectId\":\"p\"}]}]}";
	static const char created[] = "{\"edge\":\"created\",\"from\":\"person:ana@example.com\","
				      "\"to\":\"account:w\"}";

	(void)state;
	for (size_t i = 0; i < sizeof namings / sizeof *namings; i++)
		for (int turned = 0; turned < 2; turned++) {
			struct read_export read;

			setup(&read);
			add_page(&read, "p0", text_of(turned ? namings[i] : flow));
			add_page(&read, "p1", text_of(turned ? flow : namings[i]));
			if (!convert(&read, PROVIDER_N8N))
				fail_msg("%zu: %s", i, read.err.text);
			if (!has_line(&read, created))
				fail_msg("%zu:\n%.*s", i, TEXT_ARGS(buffer_text(&read.lines)));
			assert_false(has_line(&read, "connection/p"));
			teardown(&read);
		}
}

static const struct {
	const char *project;
	const char *creator; /* NULL: nobody */
} projects[] = {
	{"\"name\":\"Eve <eve@example.com>\",\"type\":\"personal\"", "eve@example.com"},
	{"\"name\":\"Bo <bo@example.com> <eve@example.com>\",\"type\":\"personal\"",
		"eve@example.com"},
	{"\"name\":\"Bo <bo@example.com>\",\"type\":\"team\"", NULL},
	{"\"name\":\"Sales\",\"type\":\"personal\"", NULL},
	{"\"name\":\"<@>\",\"type\":\"personal\"", NULL},
	{"\"name\":\"bo@example.com>\",\"type\":\"personal\"", NULL},
	{"\"name\":\"Eve <eve@example.com>>\",\"type\":\"personal\"", NULL},
	{"\"name\":null,\"type\":\"personal\"", NULL},
};

static void nobody_is_made_a_creator_by_what_a_project_is_called(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof projects / sizeof *projects; i++) {
		struct read_export read;
		struct text page, edge;

		setup(&read);
		page = text_format(read.arena,
			"{\"id\":\"w\",\"active\":true,\"nodes\":[],\"shared\":[{\"role\":"
			"\"workflow:owner\",\"project\":{\"id\":\"p\",%s}}]}",
			projects[i].project);
		add_page(&read, "p0", page);
		if (!convert(&read, PROVIDER_N8N))
			fail_msg("%zu: %s", i, read.err.text);
		edge = text_format(read.arena, "{\"edge\":\"created\",\"from\":\"person:%s\",",
			projects[i].creator == NULL ? "" : projects[i].creator);
		if (has_line(&read, projects[i].creator == NULL ? "created" : edge.data) !=
			(projects[i].creator != NULL))
			fail_msg("%zu:\n%.*s", i, TEXT_ARGS(buffer_text(&read.lines)));
		teardown(&read);
	}
}

static void a_flow_that_stands_in_two_states_is_refused(void **state)
{
	static const char *const changed[] = {
		"{\"id\":\"w\",\"active\":false,\"nodes\":[],\"versionId\":\"1\"}",
		"{\"id\":\"w\",\"active\":true,\"nodes\":[],\"versionId\":\"2\"}",
		"{\"id\":\"w\",\"active\":true,\"nodes\":[],\"versionId\":\"1\",\"name\":\"v\"}",
		"{\"id\":\"w\",\"active\":true,\"nodes\":[],\"versionId\":\"1\",\"isArchived\":"
		"true}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
		struct read_export read;

		setup(&read);
		add_page(&read, "p0",
			TEXT("{\"id\":\"w\",\"active\":true,\"nodes\":[],\"versionId\":\"1\"}"));
		add_page(&read, "p1", text_of(changed[i]));
		assert_false(convert(&read, PROVIDER_N8N));
		assert_non_null(strstr(read.err.text, "stands here twice"));
		teardown(&read);
	}
}

/* ---- what is refused ---- */

struct refused {
	enum inventory_provider provider;
	const char *pages[3];
	const char *why;
};

static const struct refused refused_rows[] = {
	{PROVIDER_GOOGLE, {"{}"}, "p0:1: kind:"},
	{PROVIDER_GOOGLE,
		{"{\"kind\":\"admin#directory#tokenList\",\"items\":[\n{\"userKey\":\"1\"}]"
		 "}"},
		"p0:2: clientId: is missing"},
	{PROVIDER_GOOGLE,
		{"{\"kind\":\"admin#directory#tokenList\",\"items\":[\n"
		 "{\"clientId\":\"c\",\"userKey\":\"1\",\"scopes\":\"x\"}]}"},
		"p0:2: scopes:"},
	{PROVIDER_GOOGLE,
		{"{\"kind\":\"admin#directory#users\",\"users\":[],\"nextPageToken\":"
		 "\"t\"}"},
		"users: half an export"},
	{PROVIDER_GOOGLE,
		{"{\"kind\":\"admin#reports#activities\",\"items\":[{\"id\":{\"time\":"
		 "\"soon\"}}]}"},
		"time: is no time"},
	{PROVIDER_MICROSOFT, {"{\"error\":{\"code\":\"Forbidden\"}}"}, "value: is missing"},
	{PROVIDER_MICROSOFT, {"{\"value\":[{\"id\":\"x\"}]}"}, "an item of no collection"},
	{PROVIDER_MICROSOFT,
		{"{\"value\":[{\"clientId\":\"gone\",\"consentType\":\"AllPrincipals\","
		 "\"resourceId\":\"r\",\"scope\":\"User.Read\"}]}"},
		"clientId: no service principal of this id"},
	{PROVIDER_MICROSOFT, {"{\"value\":[],\"@odata.nextLink\":\"https://x\"}"},
		"half an export"},
	{PROVIDER_GITHUB,
		{"{\"total_count\":2,\"installations\":[{\"id\":1,\"app_id\":1,"
		 "\"account\":{\"login\":\"a\"},\"permissions\":{}}]}"},
		"installations: half an export: the pages speak of 2, and hold 1"},
	{PROVIDER_GITHUB, {"{\"message\":\"Bad credentials\"}"}, "installations: is missing"},
	{PROVIDER_GITHUB, {"[{\"id\":1,\"key\":\"k\",\"read_only\":true,\"url\":\"https://x\"}]"},
		"url:"},
	{PROVIDER_SLACK, {"{\"ok\":false,\"error\":\"missing_scope\"}"},
		"Slack refused: missing_scope"},
	{PROVIDER_SLACK,
		{"{\"ok\":true,\"approved_apps\":[],\"response_metadata\":{\"next_cursor\":"
		 "\"c\"}}"},
		"half an export"},
	{PROVIDER_SLACK, {"{\"ok\":true,\"logs\":[],\"paging\":{\"total\":3}}"}, "half an export"},
	{PROVIDER_N8N, {"{\"data\":[],\"nextCursor\":\"c\"}"}, "half an export"},
	{PROVIDER_N8N, {"{\"message\":\"unauthorized\"}"}, "a list, or an object with `data`"},
	{PROVIDER_N8N, {"{\"data\":[{\"id\":\"1\",\"nodes\":[{\"name\":\"x\"}]}]}"},
		"type: is missing"},
	{PROVIDER_ZAPIER, {"{\"errors\":[]}"}, "data, or zaps"},
	{PROVIDER_ZAPIER, {"{\"data\":[],\"meta\":{\"count\":5}}"}, "half an export"},
	{PROVIDER_POWER_AUTOMATE, {"{\"value\":[{\"name\":\"x\",\"type\":\"other\"}]}"}, "type:"},
	{PROVIDER_POWER_AUTOMATE, {"{\"value\":[],\"nextLink\":\"https://x\"}"}, "half an export"},
	{PROVIDER_ITEMS, {"{}"}, "no export of this provider"},
	{PROVIDER_NONE, {"{}"}, "no export of this provider"},
};

static void what_is_no_export_is_refused_with_its_place(void **state)
{
	const struct refused *rows = refused_rows;

	(void)state;
	for (size_t i = 0; i < sizeof refused_rows / sizeof *refused_rows; i++) {
		struct read_export read;

		setup(&read);
		for (size_t at = 0; rows[i].pages[at] != NULL; at++)
			add_page(&read, at == 0 ? "p0" : "p1", text_of(rows[i].pages[at]));
		if (convert(&read, rows[i].provider))
			fail_msg("taken: %s", rows[i].pages[0]);
		if (strstr(read.err.text, rows[i].why) == NULL)
			fail_msg("%s: said \"%s\"", rows[i].why, read.err.text);
		assert_int_equal(read.err.code, ERROR_INVALID);
		teardown(&read);
	}
}

static void no_pages_are_no_export(void **state)
{
	struct read_export read;

	(void)state;
	setup(&read);
	assert_false(convert(&read, PROVIDER_GOOGLE));
	teardown(&read);
}

static void the_last_page_of_a_list_completes_it(void **state)
{
	struct read_export read;

	(void)state;
	setup(&read);
	add_page(&read, "p0", TEXT("{\"data\":[],\"nextCursor\":\"c\"}"));
	add_page(&read, "p1", TEXT("{\"data\":[],\"nextCursor\":null}"));
	assert_true(convert(&read, PROVIDER_N8N));
	teardown(&read);
}

/* ---- scopes ---- */

static void scopes_open_what_their_provider_says_and_unknown_ones_everything(void **state)
{
	static const struct {
		enum inventory_provider provider;
		const char *scope, *resource;
		unsigned effects; /* 1 read, 2 write, 4 execute */
	} rows[] = {
		{PROVIDER_GOOGLE, "https://www.googleapis.com/auth/drive.readonly", "drive", 1},
		{PROVIDER_GOOGLE, "https://www.googleapis.com/auth/drive", "drive", 3},
		{PROVIDER_GOOGLE, "https://www.googleapis.com/auth/drive.metadata.readonly",
			"drive", 1},
		{PROVIDER_GOOGLE, "https://www.googleapis.com/auth/gmail.send", "mail", 2},
		{PROVIDER_GOOGLE, "https://www.googleapis.com/auth/drivelike.readonly",
			"https://www.googleapis.com/auth/drivelike.readonly", 7},
		{PROVIDER_GOOGLE, "https://evil.example/auth/drive.readonly",
			"https://evil.example/auth/drive.readonly", 7},
		{PROVIDER_MICROSOFT, "Files.Read.All", "Files", 1},
		{PROVIDER_MICROSOFT, "Mail.Send", "Mail", 2},
		{PROVIDER_MICROSOFT, "Files.FullControl.All", "Files.FullControl.All", 7},
		{PROVIDER_MICROSOFT, "Reading.Read", "Reading.Read", 7},
		{PROVIDER_MICROSOFT, "user_impersonation", "user_impersonation", 7},
		{PROVIDER_GITHUB, "read:org", "organization", 1},
		{PROVIDER_GITHUB, "workflow", "workflows", 7},
		{PROVIDER_GITHUB, "repo:everything", "repo:everything", 7},
		{PROVIDER_SLACK, "channels:history", "channels", 1},
		{PROVIDER_SLACK, "chat:write.public", "chat", 2},
		{PROVIDER_SLACK, "admin", "admin", 7},
		{PROVIDER_SLACK, "channels:manage", "channels:manage", 7},
		{PROVIDER_N8N, "read", "read", 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct inventory_scope scope =
			inventory_scope_of(rows[i].provider, text_of(rows[i].scope));
		unsigned effects = scope.effects >> EFFECT_READ;

		if (!text_is(scope.resource, rows[i].resource) || effects != rows[i].effects ||
			scope.is_known !=
				(rows[i].effects != 7 || !text_is(scope.resource, rows[i].scope)))
			fail_msg("%s: %.*s %u", rows[i].scope, TEXT_ARGS(scope.resource), effects);
	}
}

static void operations_are_known_by_their_first_word_or_do_anything(void **state)
{
	static const struct {
		const char *operation;
		unsigned effects;
	} rows[] = {{"getAll", 1}, {"get", 1}, {"list_rows", 1}, {"Delete item", 2},
		{"sendAndWait", 2}, {"CreateFile", 2}, {"executeQuery", 6}, {"getaway", 6}, {"", 6},
		{"dance", 6}, {"upsert", 3}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned effects =
			inventory_operation_effects(text_of(rows[i].operation)) >> EFFECT_READ;

		if (effects != rows[i].effects)
			fail_msg("%s: %u", rows[i].operation, effects);
	}
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_published_flow_runs_is_seen_whatever_its_draft_says),
		cmocka_unit_test(who_created_a_flow_is_found_by_its_project),
		cmocka_unit_test(nobody_is_made_a_creator_by_what_a_project_is_called),
		cmocka_unit_test(a_flow_that_stands_in_two_states_is_refused),
		cmocka_unit_test(what_is_no_export_is_refused_with_its_place),
		cmocka_unit_test(no_pages_are_no_export),
		cmocka_unit_test(every_provider_gives_the_same_items_in_any_order_of_pages),
		cmocka_unit_test(every_line_can_be_read_again_and_is_written_the_same),
		cmocka_unit_test(no_secret_of_an_export_comes_through),
		cmocka_unit_test(unknown_scopes_and_people_without_an_address_are_reported),
		cmocka_unit_test(the_last_page_of_a_list_completes_it),
		cmocka_unit_test(scopes_open_what_their_provider_says_and_unknown_ones_everything),
		cmocka_unit_test(operations_are_known_by_their_first_word_or_do_anything),
	};

	if (count != 2)
		return 2;
	folder = words[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

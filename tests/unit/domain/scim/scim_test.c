#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/scim/csv.h"
#include "domain/scim/filter.h"
#include "domain/scim/resource.h"
#include "domain/scim/schema.h"
#include "domain/scim/user.h"

/* Filters, paths, changes and tables: each row of each is one sentence of RFC 7644 or 4180, or of
 * what directories send beside them. */

enum { ARENA_BYTES = 64 * 1024 * 1024 };

#define SCHEMAS "\"schemas\":[\"" SCIM_URN_USER "\",\"" SCIM_URN_ENTERPRISE "\"]"
#define PERSON                                                                                     \
	"{" SCHEMAS ",\"externalId\":\"Ext-1\",\"userName\":\"Ana@example.com\",\"displayName\":"  \
	"\"Ana\",\"title\":\"Lead\",\"active\":true,\"name\":{\"givenName\":\"Ana\","              \
	"\"familyName\":\"Abt\"},\"emails\":[{\"value\":\"ana@work.example\",\"type\":\"work\","   \
	"\"primary\":true},{\"value\":\"ana@home.example\",\"type\":\"home\"}],"                   \
	"\"" SCIM_URN_ENTERPRISE "\":{\"department\":\"support\"},"                                \
	"\"meta\":{\"lastModified\":\"2026-11-26T12:00:00.000Z\"}}"

static int set_up(void **state)
{
	*state = arena_create(ARENA_BYTES);
	return *state == NULL;
}

static int tear_down(void **state)
{
	arena_destroy((struct arena **)state);
	return 0;
}

static struct json json_of(struct arena *arena, const char *text)
{
	struct json out;
	struct error err;

	if (!json_parse(&out, arena, text_of(text), &json_limits_default, &err))
		fail_msg("%s: %s", err.text, text);
	return out;
}

/* ---- filters ---- */

static void a_filter_holds_as_the_standard_says(void **state)
{
	static const struct {
		const char *filter;
		bool holds;
	} rows[] = {
		{"userName eq \"ana@EXAMPLE.com\"", true}, /* no case */
		{"externalId eq \"Ext-1\"", true},
		{"externalId eq \"ext-1\"", false}, /* case */
		{"userName ne \"bo\"", true},
		{"USERNAME SW \"ana\"", true},
		{"userName ew \".com\"", true},
		{"userName co \"@exam\"", true},
		{"userName co \"\"", true},
		{"title pr", true},
		{"nickName pr or title pr", false}, /* not kept: refused, below */
		{"name.familyName eq \"Abt\"", true},
		{"name.formatted pr", false},
		{"name.formatted eq null", true},
		{"name.formatted ne null", false},
		{"title ne null", true},
		{"active eq true", true},
		{"active eq false", false},
		{"active ne false", true},
		{"emails eq \"ana@home.example\"", true}, /* its value */
		{"emails.type eq \"home\"", true},
		{"emails.type eq \"other\"", false},
		{"emails[type eq \"work\" and value co \"@work\"]", true},
		{"emails[type eq \"home\" and value co \"@work\"]", false},
		{"emails[not (type eq \"work\")]", true},
		{"emails[primary eq true]", true},
		{"not (emails[type eq \"other\"])", true},
		{SCIM_URN_ENTERPRISE ":department eq \"support\"", true},
		{SCIM_URN_USER ":userName eq \"ana@example.com\"", true},
		{"meta.lastModified gt \"2026-11-26T12:00:00+01:00\"", true},
		{"meta.lastModified lt \"2026-11-26T12:00:00Z\"", false},
		{"meta.lastModified ge \"2026-11-26T12:00:00Z\"", true},
		{"displayName ge \"an\" and displayName le \"ANA\"", true},
		{"title eq \"x\" and title eq \"y\" or active eq true", true}, /* and first */
		{"title eq \"x\" and (title eq \"y\" or active eq true)", false},
		{"schemas eq \"" SCIM_URN_USER "\"", true},
	};
	struct json person = json_of(*state, PERSON);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct scim_filter *filter;
		struct scim_fault fault = {0};
		bool is_read = scim_filter_parse(
			&filter, *state, &scim_user_type, text_of(rows[i].filter), &fault);

		if (strstr(rows[i].filter, "nickName") != NULL) {
			assert_false(is_read);
			continue;
		}
		if (!is_read)
			fail_msg("%s: %s", rows[i].filter, fault.detail);
		if (scim_filter_holds(filter, &person) != rows[i].holds)
			fail_msg("%s", rows[i].filter);
	}
}

static void what_is_no_filter_is_refused(void **state)
{
	static const char *const rows[] = {"", " ", "userName", "userName eq", "userName eq ana",
		"userName zz \"a\"", "userName eq \"a", "userName eq \"a\" and", "(title pr",
		"title pr)", "not title pr", "title pr title pr", "colour eq \"red\"",
		"name.colour pr", "userName.value pr", "active gt true", "active eq \"true\"",
		"active co true", "userName eq 1", "userName eq {}", "userName gt null",
		"name eq \"a\"", "name[familyName pr]", "emails[emails[type pr]]", "emails[type pr",
		"emails[type pr].", "emails[colour pr]", "meta.lastModified gt \"yesterday\"",
		SCIM_URN_USER, SCIM_URN_USER ":", SCIM_URN_GROUP ":members pr",
		"userName eq \"a\"\n", "userName  pr x"};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct scim_filter *filter;
		struct scim_fault fault = {0};

		if (scim_filter_parse(&filter, *state, &scim_user_type, text_of(rows[i]), &fault))
			fail_msg("taken: %s", rows[i]);
		assert_int_equal(fault.status, 400);
		assert_string_equal(fault.type, "invalidFilter");
	}
}

static bool is_taken(struct arena *arena, const char *piece, size_t count, const char *end)
{
	const struct scim_filter *filter;
	struct scim_fault fault;
	struct buffer text;
	bool ok;

	buffer_init(&text, 1 << 20);
	for (size_t i = 0; i < count; i++)
		buffer_append_string(&text, piece);
	buffer_append_string(&text, end);
	ok = scim_filter_parse(&filter, arena, &scim_user_type, buffer_text(&text), &fault);
	buffer_deinit(&text);
	return ok;
}

/* SCIM_FILTER_NODES_MAX, SCIM_FILTER_DEPTH_MAX, SCIM_FILTER_BYTES_MAX. */
static void filters_are_bounded(void **state)
{
	char parentheses[2 * SCIM_FILTER_DEPTH_MAX + 16];

	/* n comparisons and n - 1 operators */
	assert_true(is_taken(*state, "title pr or ", SCIM_FILTER_NODES_MAX / 2 - 1, "title pr"));
	assert_false(is_taken(*state, "title pr or ", SCIM_FILTER_NODES_MAX / 2, "title pr"));
	for (int more = 0; more < 2; more++) {
		int depth = SCIM_FILTER_DEPTH_MAX - 1 + more;

		memset(parentheses, ')', sizeof parentheses);
		(void)snprintf(parentheses, sizeof parentheses, "title pr%.*s", depth,
			"))))))))))))))))))))))))))");
		assert_int_equal(is_taken(*state, "(", (size_t)depth, parentheses), more == 0);
	}
	assert_true(is_taken(*state, " ", SCIM_FILTER_BYTES_MAX - 8, "title pr"));
	assert_false(is_taken(*state, " ", SCIM_FILTER_BYTES_MAX - 7, "title pr"));
}

static void what_a_filter_wants_of_one_attribute_is_known(void **state)
{
	const struct scim_filter *filter;
	struct scim_fault fault;

	assert_true(scim_filter_parse(
		&filter, *state, &scim_user_type, TEXT("userName eq \"a\""), &fault));
	assert_true(text_is(scim_filter_wants(filter, "userName"), "a"));
	assert_int_equal(scim_filter_wants(filter, "id").length, 0);
	assert_true(scim_filter_parse(
		&filter, *state, &scim_user_type, TEXT("userName ne \"a\""), &fault));
	assert_int_equal(scim_filter_wants(filter, "userName").length, 0);
}

/* ---- changes ---- */

#define OPERATION(text)                                                                            \
	"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[" text   \
	"]}"

static struct json person_of(struct arena *arena)
{
	struct json written = json_of(arena, PERSON), out;
	struct scim_fault fault;

	assert_true(scim_resource_read(&out, arena, &scim_user_type, &written, &fault));
	return out;
}

static const struct {
	const char *operation;
	const char *path;     /* what is looked at then */
	const char *expected; /* its canonical JSON; "" is not there */
} changes[] = {
	{"{\"op\":\"replace\",\"path\":\"title\",\"value\":\"Head\"}", "title", "\"Head\""},
	{"{\"op\":\"ADD\",\"path\":\"TITLE\",\"value\":\"Head\"}", "title", "\"Head\""},
	{"{\"op\":\"remove\",\"path\":\"title\"}", "title", ""},
	{"{\"op\":\"replace\",\"path\":\"title\",\"value\":null}", "title", ""},
	{"{\"op\":\"replace\",\"value\":{\"active\":false}}", "active", "false"},
	{"{\"op\":\"Replace\",\"path\":\"active\",\"value\":\"False\"}", "active", "false"},
	{"{\"op\":\"replace\",\"value\":{\"name.givenName\":\"An\"}}", "name",
		"{\"familyName\":\"Abt\",\"givenName\":\"An\"}"},
	{"{\"op\":\"replace\",\"value\":{\"" SCIM_URN_ENTERPRISE ":department\":\"sales\"}}",
		SCIM_URN_ENTERPRISE, "{\"department\":\"sales\"}"},
	{"{\"op\":\"add\",\"value\":{\"" SCIM_URN_ENTERPRISE "\":{\"employeeNumber\":\"7\"}}}",
		SCIM_URN_ENTERPRISE, "{\"department\":\"support\",\"employeeNumber\":\"7\"}"},
	{"{\"op\":\"remove\",\"path\":\"" SCIM_URN_ENTERPRISE "\"}", SCIM_URN_ENTERPRISE, ""},
	{"{\"op\":\"replace\",\"path\":\"name\",\"value\":{\"familyName\":\"B\"}}", "name",
		"{\"familyName\":\"B\",\"givenName\":\"Ana\"}"},
	{"{\"op\":\"replace\",\"path\":\"emails[type eq \\\"home\\\"].value\",\"value\":"
	 "\"x@y\"}",
		"emails",
		"[{\"primary\":true,\"type\":\"work\",\"value\":\"ana@work.example\"},"
		"{\"type\":\"home\",\"value\":\"x@y\"}]"},
	{"{\"op\":\"remove\",\"path\":\"emails[type eq \\\"home\\\"]\"}", "emails",
		"[{\"primary\":true,\"type\":\"work\",\"value\":\"ana@work.example\"}]"},
	{"{\"op\":\"add\",\"path\":\"emails[type eq \\\"other\\\"].value\",\"value\":"
	 "\"o@y\"}",
		"emails",
		"[{\"primary\":true,\"type\":\"work\",\"value\":\"ana@work.example\"},"
		"{\"type\":\"home\",\"value\":\"ana@home.example\"},"
		"{\"type\":\"other\",\"value\":\"o@y\"}]"},
	{"{\"op\":\"add\",\"path\":\"emails\",\"value\":[{\"value\":\"p\",\"primary\":"
	 "\"True\"}]}",
		"emails",
		"[{\"primary\":false,\"type\":\"work\",\"value\":\"ana@work.example\"},"
		"{\"type\":\"home\",\"value\":\"ana@home.example\"},"
		"{\"primary\":true,\"value\":\"p\"}]"},
	{"{\"op\":\"add\",\"path\":\"emails\",\"value\":[{\"value\":\"ana@home.example\","
	 "\"type\":\"home\"}]}",
		"emails",
		"[{\"primary\":true,\"type\":\"work\",\"value\":\"ana@work.example\"},"
		"{\"type\":\"home\",\"value\":\"ana@home.example\"}]"},
	{"{\"op\":\"replace\",\"path\":\"emails\",\"value\":[{\"value\":\"z\"}]}", "emails",
		"[{\"value\":\"z\"}]"},
	{"{\"op\":\"remove\",\"path\":\"emails\"}", "emails", ""},
	{"{\"op\":\"remove\",\"path\":\"emails.type\"}", "emails",
		"[{\"primary\":true,\"value\":\"ana@work.example\"},"
		"{\"value\":\"ana@home.example\"}]"},
	{"{\"op\":\"replace\",\"value\":{\"id\":\"x\",\"colour\":\"red\",\"title\":\"T\"}}",
		"title", "\"T\""}, /* read-only and unknown members are passed over */
};

static void a_change_makes_what_the_standard_says(void **state)
{

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct json before = person_of(*state), after, body;
		struct scim_fault fault = {0};
		const struct json *found;
		struct text written;
		char operation[2048];

		(void)snprintf(operation, sizeof operation, OPERATION("%s"), changes[i].operation);
		body = json_of(*state, text_copy(*state, text_of(operation)).data);
		if (!scim_patch(&after, *state, &scim_user_type, &before, &body, &fault))
			fail_msg("%s: %s", changes[i].operation, fault.detail);
		found = json_find(&after, changes[i].path);
		written = found == NULL ? TEXT("") : json_canonical_text(*state, found);
		if (!text_is(written, changes[i].expected))
			fail_msg("%s: %.*s", changes[i].operation, TEXT_ARGS(written));
	}
}

static void what_is_no_change_is_refused_by_its_type(void **state)
{
	static const struct {
		const char *operation;
		const char *type;
	} rows[] = {
		{"{\"op\":\"move\",\"path\":\"title\"}", "invalidSyntax"},
		{"{\"path\":\"title\",\"value\":\"x\"}", "invalidSyntax"},
		{"7", "invalidSyntax"},
		{"{\"op\":\"remove\"}", "noTarget"},
		{"{\"op\":\"add\",\"path\":\"title\"}", "invalidValue"},
		{"{\"op\":\"add\",\"value\":\"x\"}", "invalidValue"},
		{"{\"op\":\"add\",\"path\":7,\"value\":\"x\"}", "invalidPath"},
		{"{\"op\":\"add\",\"path\":\"colour\",\"value\":\"x\"}", "invalidPath"},
		{"{\"op\":\"add\",\"path\":\"title[type eq \\\"x\\\"]\",\"value\":\"x\"}",
			"invalidPath"},
		{"{\"op\":\"add\",\"path\":\"emails[type\",\"value\":\"x\"}", "invalidPath"},
		{"{\"op\":\"replace\",\"path\":\"id\",\"value\":\"x\"}", "mutability"},
		{"{\"op\":\"replace\",\"path\":\"meta.version\",\"value\":\"x\"}", "mutability"},
		{"{\"op\":\"replace\",\"path\":\"emails[type eq "
		 "\\\"x\\\"].value\",\"value\":\"x\"}",
			"noTarget"},
		{"{\"op\":\"add\",\"path\":\"emails[type co \\\"x\\\"].value\",\"value\":\"x\"}",
			"noTarget"},
		{"{\"op\":\"remove\",\"path\":\"userName\"}", "invalidValue"},
		{"{\"op\":\"replace\",\"path\":\"active\",\"value\":\"maybe\"}", "invalidValue"},
		{"{\"op\":\"replace\",\"path\":\"title\",\"value\":7}", "invalidValue"},
		{"{\"op\":\"replace\",\"path\":\"emails[type eq \\\"work\\\"]\",\"value\":7}",
			"invalidValue"},
		{"{\"op\":\"add\",\"path\":\"emails\",\"value\":[{\"value\":\"a\",\"primary\":true}"
		 ","
		 "{\"value\":\"b\",\"primary\":true}]}",
			"invalidValue"},
		{"{\"op\":\"add\",\"path\":\"emails\",\"value\":[{\"value\":\"a\",\"type\":\"x\"}]"
		 "}",
			"invalidValue"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json before = person_of(*state), after, body;
		struct scim_fault fault = {0};
		char operation[2048];

		(void)snprintf(operation, sizeof operation, OPERATION("%s"), rows[i].operation);
		body = json_of(*state, text_copy(*state, text_of(operation)).data);
		if (scim_patch(&after, *state, &scim_user_type, &before, &body, &fault))
			fail_msg("taken: %s", rows[i].operation);
		if (fault.status != 400 || fault.type == NULL ||
			strcmp(fault.type, rows[i].type) != 0)
			fail_msg("%s: %u %s", rows[i].operation, fault.status,
				fault.type == NULL ? "-" : fault.type);
	}
}

static void members_go_by_their_value_however_they_are_removed(void **state)
{
	static const char *const operations[] = {
		"{\"op\":\"remove\",\"path\":\"members[value eq \\\"u-1\\\"]\"}",
		"{\"op\":\"Remove\",\"path\":\"members\",\"value\":[{\"value\":\"u-1\"}]}"};
	static const char group[] =
		"{\"schemas\":[\"" SCIM_URN_GROUP "\"],\"displayName\":\"G\",\"members\":["
		"{\"value\":\"u-1\",\"type\":\"User\"},{\"value\":\"u-2\",\"type\":\"User\"}]}";

	for (size_t i = 0; i < 2; i++) {
		struct json before = json_of(*state, group), after, body;
		struct scim_fault fault = {0};
		char operation[512];
		const struct json *members;

		(void)snprintf(operation, sizeof operation, OPERATION("%s"), operations[i]);
		body = json_of(*state, text_copy(*state, text_of(operation)).data);
		assert_true(scim_patch(&after, *state, &scim_group_type, &before, &body, &fault));
		members = json_find(&after, "members");
		assert_int_equal(members->count, 1);
		assert_true(text_is(json_text_or(&members->items[0], "value", ""), "u-2"));
	}
}

/* ---- resources ---- */

static unsigned status_of(struct arena *arena, const char *text, const char **type)
{
	struct json written = json_of(arena, text), out;
	struct scim_fault fault = {0};

	if (!scim_resource_read(&out, arena, &scim_user_type, &written, &fault))
		assert_int_not_equal(fault.status, 0);
	*type = fault.type;
	return fault.status;
}

static void a_resource_is_refused_for_what_it_lacks_or_says_twice(void **state)
{
	static const char user[] = "\"schemas\":[\"" SCIM_URN_USER "\"]";
	static const struct {
		const char *rest;
		const char *type;
	} rows[] = {{"\"title\":\"x\"", "invalidValue"}, {"\"userName\":\"\"", "invalidValue"},
		{"\"userName\":7", "invalidValue"},
		{"\"userName\":\"a\",\"USERNAME\":\"b\"", "invalidSyntax"},
		{"\"userName\":\"a\",\"active\":\"true\"", "invalidValue"},
		{"\"userName\":\"a\",\"emails\":{}", NULL},
		{"\"userName\":\"a\",\"emails\":{\"value\":\"x\"}", "invalidValue"},
		{"\"userName\":\"a\",\"name\":\"x\"", "invalidValue"},
		{"\"userName\":\"a\\u0007\"", "invalidValue"},
		{"\"userName\":\"a\",\"" SCIM_URN_ENTERPRISE "\":7", "invalidValue"},
		{"\"userName\":\"a\",\"nickName\":7,\"password\":\"p\",\"id\":\"x\"", NULL}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[512];
		const char *type;
		unsigned status;

		(void)snprintf(text, sizeof text, "{%s,%s}", user, rows[i].rest);
		status = status_of(*state, text_copy(*state, text_of(text)).data, &type);
		if ((status == 0) != (rows[i].type == NULL) ||
			(type != NULL && strcmp(type, rows[i].type) != 0))
			fail_msg("%s: %u %s", rows[i].rest, status, type == NULL ? "-" : type);
	}
}

static unsigned emails_status(struct arena *arena, size_t count, size_t bytes)
{
	struct buffer text;
	const char *type;
	unsigned status;

	buffer_init(&text, 1 << 20);
	buffer_append_string(
		&text, "{\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":\"a\",\"emails\":[");
	for (size_t i = 0; i < count; i++)
		buffer_append_format(
			&text, "%s{\"value\":\"%0*d\"}", i == 0 ? "" : ",", (int)bytes, (int)i + 1);
	buffer_append_string(&text, "]}");
	status = status_of(arena, text_copy(arena, buffer_text(&text)).data, &type);
	buffer_deinit(&text);
	return status;
}

/* SCIM_EMAILS_MAX, SCIM_VALUE_BYTES_MAX. */
static void what_a_resource_holds_is_bounded(void **state)
{
	assert_int_equal(emails_status(*state, SCIM_EMAILS_MAX, 4), 0);
	assert_int_equal(emails_status(*state, SCIM_EMAILS_MAX + 1, 4), 413);
	assert_int_equal(emails_status(*state, 1, SCIM_VALUE_BYTES_MAX), 0);
	assert_int_equal(emails_status(*state, 1, SCIM_VALUE_BYTES_MAX + 1), 400);
}

/* start, count times piece, end. */
static struct text repeated(struct arena *arena, const char *const parts[3], size_t count)
{
	struct buffer text;
	struct text out;

	buffer_init(&text, 1 << 22);
	buffer_append_string(&text, parts[0]);
	for (size_t i = 0; i < count; i++)
		buffer_append_format(&text, "%s%s", i == 0 ? "" : ",", parts[1]);
	buffer_append_string(&text, parts[2]);
	out = text_copy(arena, buffer_text(&text));
	assert_false(buffer_failed(&text));
	buffer_deinit(&text);
	return out;
}

/* SCIM_PATCHES_MAX. */
static void a_change_has_so_many_operations_and_no_more(void **state)
{
	static const char *const parts[] = {
		"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[",
		"{\"op\":\"remove\",\"path\":\"title\"}", "]}"};

	for (int more = 0; more < 2; more++) {
		struct text text = repeated(*state, parts, SCIM_PATCHES_MAX + (size_t)more);
		struct json before = person_of(*state), after, body = json_of(*state, text.data);
		struct scim_fault fault = {0};

		assert_int_equal(
			scim_patch(&after, *state, &scim_user_type, &before, &body, &fault),
			more == 0);
		assert_int_equal(fault.status, more == 0 ? 0 : 413);
	}
}

/* SCIM_MEMBERS_MAX. */
static void a_group_has_so_many_members_and_no_more(void **state)
{
	static const char *const parts[] = {"{\"schemas\":[\"" SCIM_URN_GROUP
					    "\"],\"displayName\":\"G\",\"members\":[",
		"{\"value\":\"u-1\"}", "]}"};

	for (int more = 0; more < 2; more++) {
		struct text text = repeated(*state, parts, SCIM_MEMBERS_MAX + (size_t)more);
		struct json written = json_of(*state, text.data), out;
		struct scim_fault fault = {0};

		assert_int_equal(
			scim_resource_read(&out, *state, &scim_group_type, &written, &fault),
			more == 0);
	}
}

/* SCIM_ATTRIBUTES_MAX. */
static void so_many_attributes_are_asked_for_and_no_more(void **state)
{
	static const char *const parts[] = {"", "title", ""};

	for (int more = 0; more < 2; more++) {
		struct text text = repeated(*state, parts, SCIM_ATTRIBUTES_MAX + (size_t)more);
		struct scim_selection selection;
		struct scim_fault fault;

		assert_int_equal(scim_selection_read(&selection, *state, &scim_user_type, text,
					 TEXT(""), &fault),
			more == 0);
	}
}

static void what_is_returned_is_what_was_asked_for(void **state)
{
	static const struct {
		const char *attributes;
		const char *excluded;
		const char *expected;
	} rows[] = {
		{"title", "", "{" SCHEMAS ",\"title\":\"Lead\"}"},
		{" name.givenName , colour", "", "{\"name\":{\"givenName\":\"Ana\"}," SCHEMAS "}"},
		{SCIM_URN_ENTERPRISE, "",
			"{" SCHEMAS ",\"" SCIM_URN_ENTERPRISE "\":{\"department\":\"support\"}}"},
		{"", "emails,name,title,displayName,active,meta,externalId," SCIM_URN_ENTERPRISE,
			"{" SCHEMAS ",\"userName\":\"Ana@example.com\"}"},
		{"",
			"schemas,name.familyName,emails,title,displayName,active,meta,externalId,"
			"userName," SCIM_URN_ENTERPRISE,
			"{\"name\":{\"givenName\":\"Ana\"}," SCHEMAS "}"},
	};
	struct json person = json_of(*state, PERSON);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json expected = json_of(*state, rows[i].expected), out;
		struct scim_selection selection;
		struct scim_fault fault;
		struct error err;

		assert_true(scim_selection_read(&selection, *state, &scim_user_type,
			text_of(rows[i].attributes), text_of(rows[i].excluded), &fault));
		assert_true(scim_select(&out, *state, &scim_user_type, &person, &selection, &err));
		if (!json_equal(&out, &expected))
			fail_msg("%zu: %.*s", i, TEXT_ARGS(json_canonical_text(*state, &out)));
	}
}

/* ---- documents ---- */

static struct json document_of(struct arena *arena, const struct scim_provision *provision)
{
	struct scim_fault fault;
	struct json out;

	assert_true(scim_person_document(&out, arena, provision, &fault));
	return out;
}

static struct json provision_of(
	struct arena *arena, const char *before, const char *resource, const char *unit)
{
	struct json document = json_of(arena, before), read;
	struct problems *problems = arena_new(arena, struct problems);
	struct scim_provision provision = {.before = &document,
		.name = TEXT("ana"),
		.directory = TEXT("okta"),
		.id = TEXT("u-1"),
		.unit = text_of(unit),
		.now_utc_ms = 1800000000000};
	struct object *object;
	const struct object *held;
	struct json out;

	problems->arena = arena;
	assert_true(object_parse(&object, &document, TEXT("t"), problems));
	provision.person = object->person;
	if (resource != NULL) {
		read = json_of(arena, resource);
		provision.resource = &read;
	}
	out = document_of(arena, &provision);
	held = object;
	object_release(&held);
	return out;
}

#define BEFORE                                                                                     \
	"{\"object\":\"person\",\"name\":\"ana\",\"unit\":\"support\",\"roles\":[\"approver\","    \
	"\"administrator\"],\"clearance\":\"confidential\"}"
#define BARE "{\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":\"ana\""

static void a_directory_keeps_roles_of_who_stays_and_gives_none(void **state)
{
	struct json stays = provision_of(*state, BEFORE, BARE "}", "support");
	struct json moves = provision_of(*state, BEFORE, BARE "}", "sales");
	struct json leaves = provision_of(*state, BEFORE, BARE ",\"active\":false}", "support");
	struct json gone = provision_of(*state, BEFORE, NULL, "support");

	assert_int_equal(json_find(&stays, "roles")->count, 2);
	assert_non_null(json_find(&stays, "clearance"));
	assert_null(json_find(&stays, "left"));
	assert_int_equal(json_find(&moves, "roles")->count, 1);
	assert_true(text_is(json_find(&moves, "roles")->items[0].string, "administrator"));
	assert_null(json_find(&moves, "clearance"));
	assert_null(json_find(&leaves, "roles"));
	assert_true(text_is(json_text_or(&leaves, "left", ""), "2027-01-15T08:00:00Z"));
	assert_null(json_find(json_find(&gone, "directory"), "id"));
	assert_non_null(json_find(&gone, "left"));
}

static void who_comes_back_brings_nothing_along(void **state)
{
	static const char left[] = "{\"object\":\"person\",\"name\":\"ana\",\"unit\":\"support\","
				   "\"roles\":[\"approver\"],\"left\":\"2026-01-01\"}";
	struct json back = provision_of(*state, left, BARE ",\"active\":true}", "support");
	struct json away = provision_of(*state, left, BARE ",\"active\":false}", "support");

	assert_null(json_find(&back, "left"));
	assert_null(json_find(&back, "roles"));
	assert_true(text_is(json_text_or(&away, "left", ""), "2026-01-01"));
}

/* Of what the directory says so many bytes; 0: it is kept. */
static unsigned profile_status(struct arena *arena, int bytes)
{
	enum { BESIDE = 93 }; /* what a profile of a name alone holds beside the name */
	struct json resource = json_of(arena,
		text_format(arena, BARE ",\"displayName\":\"%0*d\"}", bytes - BESIDE, 0).data);
	const struct scim_provision provision = {.name = TEXT("ana"),
		.directory = TEXT("okta"),
		.id = TEXT("u-1"),
		.unit = TEXT("support"),
		.resource = &resource,
		.now_utc_ms = 1800000000000};
	struct scim_fault fault = {0};
	const struct json *profile;
	struct json out;

	if (!scim_person_document(&out, arena, &provision, &fault))
		return fault.status;
	profile = json_find(json_find(&out, "directory"), "profile");
	assert_int_equal(json_canonical_text(arena, profile).length, bytes);
	return 0;
}

static void what_is_kept_of_one_person_is_bounded(void **state)
{
	assert_int_equal(profile_status(*state, PERSON_PROFILE_BYTES_MAX - 1), 0);
	assert_int_equal(profile_status(*state, PERSON_PROFILE_BYTES_MAX), 0);
	assert_int_equal(profile_status(*state, PERSON_PROFILE_BYTES_MAX + 1), 413);
}

/* ---- tables ---- */

static unsigned csv_status(struct arena *arena, struct text text, const char **detail)
{
	static struct scim_fault fault;
	const struct csv_row *rows;
	size_t count;

	fault = (struct scim_fault){0};
	if (!csv_people_read(&rows, &count, arena, text, &fault))
		assert_int_not_equal(fault.status, 0);
	*detail = fault.detail;
	return fault.status;
}

static void a_table_is_read_field_by_field(void **state)
{
	static const char text[] = "\xef\xbb\xbfUSERNAME,displayName,active,department\r\n"
				   "a@x,\"A, \"\"B\"\"\nC\",TRUE,support\r\n\n"
				   "b@x,,false,\n"
				   "\"c@x\",C,,";
	const struct csv_row *rows;
	struct scim_fault fault;
	size_t count;

	assert_true(csv_people_read(&rows, &count, *state, text_of(text), &fault));
	assert_int_equal(count, 3);
	assert_true(text_is(json_text_or(&rows[0].resource, "displayName", ""), "A, \"B\"\nC"));
	assert_true(json_boolean_or(&rows[0].resource, "active", false));
	assert_int_equal(rows[0].line, 2);
	assert_int_equal(rows[1].line, 5);
	assert_false(json_boolean_or(&rows[1].resource, "active", true));
	assert_null(json_find(&rows[1].resource, SCIM_URN_ENTERPRISE));
	assert_true(text_is(json_text_or(&rows[2].resource, "userName", ""), "c@x"));
}

static void a_table_says_in_which_line_it_is_wrong(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {{"", "no column \"\""}, {"displayName\n", "userName is missing"},
		{"userName,userName\n", "twice"}, {"userName,colour\n", "colour"},
		{"userName\na\n\n\n,\n", "line 5: 2 columns"},
		{"userName,title\na\n", "line 2: 1 columns"},
		{"userName\n\"a\n", "line 2: a quote is not closed"},
		{"userName\na\"b\n", "line 2: a quote within"},
		{"userName\n\"a\"b\n", "line 2: a comma"},
		{"userName,active\na,maybe\n", "line 2: active"},
		{"userName,title\n,x\n", "line 2: userName is empty"},
		{"userName\na\xff\n", "line 2: column 1 is not UTF-8"}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *detail;

		assert_int_equal(csv_status(*state, text_of(rows[i].text), &detail), 400);
		if (strstr(detail, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].text, detail);
	}
}

static unsigned rows_status(struct arena *arena, size_t rows, size_t bytes)
{
	struct buffer text;
	const char *detail;
	unsigned status;

	buffer_init(&text, 2 * CSV_BYTES_MAX);
	buffer_append_string(&text, "userName\n");
	for (size_t i = 0; i < rows; i++)
		buffer_append_format(&text, "%0*d\n", (int)bytes, (int)i + 1);
	status = csv_status(arena, text_copy(arena, buffer_text(&text)), &detail);
	buffer_deinit(&text);
	return status;
}

/* CSV_ROWS_MAX, CSV_FIELD_BYTES_MAX, CSV_BYTES_MAX, CSV_COLUMNS_MAX. */
static void tables_are_bounded(void **state)
{
	char *large = calloc(1, CSV_BYTES_MAX + 2);
	const char *detail;

	assert_int_equal(rows_status(*state, CSV_ROWS_MAX, 8), 0);
	assert_int_equal(rows_status(*state, CSV_ROWS_MAX + 1, 8), 413);
	assert_int_equal(rows_status(*state, 1, CSV_FIELD_BYTES_MAX), 0);
	assert_int_equal(rows_status(*state, 1, CSV_FIELD_BYTES_MAX + 1), 413);
	assert_non_null(large);
	memset(large, '\n', CSV_BYTES_MAX + 1);
	memcpy(large, "userName", sizeof "userName" - 1);
	assert_int_equal(csv_status(*state, (struct text){large, CSV_BYTES_MAX}, &detail), 0);
	assert_int_equal(csv_status(*state, (struct text){large, CSV_BYTES_MAX + 1}, &detail), 413);
	assert_int_equal(csv_status(*state, TEXT("userName\na,,,,,,,,,,,,,,,,\n"), &detail), 400);
	assert_non_null(strstr(detail, "more than 16 columns"));
	free(large);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_no_filter_is_refused),
		CASE(a_filter_holds_as_the_standard_says),
		CASE(filters_are_bounded),
		CASE(what_a_filter_wants_of_one_attribute_is_known),
		CASE(what_is_no_change_is_refused_by_its_type),
		CASE(a_change_makes_what_the_standard_says),
		CASE(members_go_by_their_value_however_they_are_removed),
		CASE(a_resource_is_refused_for_what_it_lacks_or_says_twice),
		CASE(what_a_resource_holds_is_bounded),
		CASE(a_change_has_so_many_operations_and_no_more),
		CASE(a_group_has_so_many_members_and_no_more),
		CASE(so_many_attributes_are_asked_for_and_no_more),
		CASE(what_is_returned_is_what_was_asked_for),
		CASE(a_directory_keeps_roles_of_who_stays_and_gives_none),
		CASE(who_comes_back_brings_nothing_along),
		CASE(what_is_kept_of_one_person_is_bounded),
		CASE(a_table_says_in_which_line_it_is_wrong),
		CASE(a_table_is_read_field_by_field),
		CASE(tables_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "domain/charter/reference.h"

#include "domain/charter/charter.h"
#include <stdlib.h>

#include "support/documents.h"

enum { WORLD_MAX = 16, NOW_UTC_S = 1800000000 };

struct fixture {
	struct arena *arena;
	struct object *objects[WORLD_MAX];
	size_t count;
};

static int set_up(void **state)
{
	static const char *const written[] = {
		"{'object':'unit','name':'support'}",
		"{'object':'person','name':'ana','unit':'support'}",
		"{'object':'person','name':'bo','unit':'support'}",
		"{'object':'data-source','name':'tickets','unit':'support','environment':'staging'"
		"}",
		"{'object':'data-source','name':'live','unit':'support','environment':'prod'}",
		"{'object':'server','name':'files','unit':'support','environment':'staging','"
		"transport':{'stdio':['a']}}",
		"{'object':'server','name':'prod','unit':'support','environment':'prod','transport'"
		":{'stdio':['a']}}",
		"{'object':'tool','name':'files/read','effect':'read'}",
		"{'object':'tool','name':'prod/read','effect':'read'}",
		"{'object':'server','name':'open','unit':'support','environment':'staging',"
		"'speaks':'openai','transport':{'url':'https://m.example'},"
		"'models':[{'name':'small/1','up-to':'public'}]}",
	};
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture->arena = arena_create(64 << 20);
	for (size_t i = 0; i < sizeof written / sizeof *written; i++)
		fixture->objects[fixture->count++] = object_of(fixture->arena, written[i]);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < fixture->count; i++)
		drop_object(fixture->objects[i]);
	arena_destroy(&fixture->arena);
	free(fixture);
	return 0;
}

static const struct object *find(void *context, enum object_kind kind, struct text name)
{
	struct fixture *fixture = context;

	for (size_t i = 0; i < fixture->count; i++)
		if (fixture->objects[i]->kind == kind &&
			text_equal(fixture->objects[i]->name, name))
			return fixture->objects[i];
	return NULL;
}

static void each_name(void *context, enum object_kind kind,
	bool (*visit)(void *visitor, struct text name), void *visitor)
{
	struct fixture *fixture = context;

	for (size_t i = 0; i < fixture->count; i++)
		if (fixture->objects[i]->kind == kind && !visit(visitor, fixture->objects[i]->name))
			return;
}

static struct problems *check(struct fixture *fixture, const char *written)
{
	struct reference_world world = {fixture, find, each_name, NOW_UTC_S};
	struct object *object = object_of(fixture->arena, written);
	struct problems *problems = problems_of(fixture->arena);

	references_check(object, &world, TEXT("a.yaml"), problems);
	drop_object(object);
	return problems;
}

static void is_one_problem(
	const struct problems *problems, const char *field, const char *what, const char *remedy)
{
	if (problems->total != 1)
		fail_msg("%zu problems, the last: %.*s %.*s", problems->total,
			TEXT_ARGS(problems->items[problems->total > 0 ? problems->total - 1 : 0]
					  .field),
			TEXT_ARGS(problems->items[problems->total > 0 ? problems->total - 1 : 0]
					  .what));
	if (!text_ends_with(problems->items[0].field, field))
		fail_msg("at %.*s", TEXT_ARGS(problems->items[0].field));
	if (strstr(problems->items[0].what.data, what) == NULL)
		fail_msg("says %.*s", TEXT_ARGS(problems->items[0].what));
	if (strstr(problems->items[0].remedy.data, remedy) == NULL)
		fail_msg("advises %.*s", TEXT_ARGS(problems->items[0].remedy));
	assert_int_equal(problems->items[0].line, 1);
}

#define IDENTITY(more)                                                                             \
	"{'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"           \
	"'owner':'ana','backup-owner':'bo','unit':'support','purpose':'p',"                        \
	"'environments':['staging']" more "}"

static void what_is_not_there_is_named(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *written, *field, *what, *remedy;
	} cases[] = {
		{"{'object':'person','name':'x','unit':'suport'}", "unit",
			"no unit is named suport", "did you mean support?"},
		{"{'object':'person','name':'x','unit':'sales'}", "unit", "no unit is named sales",
			"object: unit"},
		{"{'object':'data-source','name':'x','unit':'org','custodian':'cy','environment':'"
		 "dev'}",
			"custodian", "no person is named cy", "object: person"},
		{"{'object':'tool','name':'file/x','effect':'read'}", "name",
			"no server is named file", "files"},
		{"{'object':'tool','name':'files/"
		 "x','effect':'read','reads':[{'data-source':'payroll'}]}",
			"reads[0]", "no data-source is named payroll", "object: data-source"},
		{"{'object':'policy','name':'sales/p','text':'forbid (principal, action, "
		 "resource);'}",
			"name", "no unit is named sales", "object: unit"},
		{IDENTITY(",'entitlements':[{'effect':'read','tool':'files/raed'}]"),
			"entitlements[0]", "no tool is named files/raed", "files/read"},
		{IDENTITY(",'entitlements':[{'effect':'read','resource':'data-source:x'}]"),
			"entitlements[0]", "no data-source is named x", "object: data-source"},
		{IDENTITY(",'entitlements':[{'effect':'delegate','resource':'peer:x'}]"),
			"entitlements[0]", "no identity is named x", "object: identity"},
		{IDENTITY(",'entitlements':[{'effect':'read','tool':'files/"
			  "read','approvals':['data-owner/sales']}]"),
			"entitlements[0]", "no unit is named sales", "object: unit"},
		{IDENTITY(",'data-sources':[{'name':'x','up-to':'public'}]"), "data-sources[0]",
			"no data-source is named x", "object: data-source"},
		{IDENTITY(",'outputs':[{'to':'files/raed','up-to':'public'}]"), "outputs[0]",
			"no tool is named", "files/read"},
		{IDENTITY(",'outputs':[{'to':'person:eva','up-to':'public'}]"), "outputs[0]",
			"no person is named eva", "object: person"},
		{IDENTITY(",'peers':[{'identity':'a2','effects':['read'],'up-to':'public'}]"),
			"peers[0]", "no identity is named a2", "object: identity"},
		{"{'object':'server','name':'p','unit':'support','environment':'staging',"
		 "'transport':{'url':'https://a'},'speaks':'openai','credentials':[{'identity':"
		 "'a2','credential':'k'}]}",
			"credentials[0]", "no identity is named a2", "object: identity"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_one_problem(check(fixture, cases[i].written), cases[i].field, cases[i].what,
			cases[i].remedy);
}

static void an_owner_who_does_not_exist_is_named(void **state)
{
	struct problems *problems = check(*state,
		"{'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"
		"'owner':'eva','backup-owner':'dan','unit':'org','purpose':'p',"
		"'environments':['staging']}");

	assert_int_equal(problems->total, 2);
	assert_true(text_ends_with(problems->items[0].field, "owner"));
	assert_true(text_ends_with(problems->items[1].field, "backup-owner"));
}

#define MODEL(provider, name) ",'model':[{'provider':'" provider "','name':'" name "'}]"
#define GENERATE(model) ",'entitlements':[{'effect':'generate','resource':'model:" model "'}]"

static void a_model_that_no_provider_has_is_named(void **state)
{
	struct fixture *fixture = *state;

	is_one_problem(check(fixture, IDENTITY(MODEL("opn", "small/1"))), "model[0]",
		"no server is named opn", "did you mean open?");
	is_one_problem(check(fixture, IDENTITY(MODEL("files", "small/1"))), "model[0]",
		"server files is no provider of models", "speaks openai");
	is_one_problem(check(fixture, IDENTITY(MODEL("open", "smal/1"))), "model[0]",
		"provider open has no model named smal/1", "did you mean small/1?");
	is_one_problem(check(fixture, IDENTITY(MODEL("open", "other"))), "model[0]",
		"provider open has no model named other", "models of server open");
	is_one_problem(check(fixture, IDENTITY(GENERATE("opn/x"))), "entitlements[0]",
		"no server is named opn", "did you mean open?");
	is_one_problem(check(fixture, IDENTITY(GENERATE("open/smal/1"))), "entitlements[0]",
		"provider open has no model named smal/1", "did you mean small/1?");
	is_one_problem(check(fixture, IDENTITY(GENERATE("open/small/1"))), "entitlements[0]",
		"model open/small/1 is not listed under model", "add it to model");
	is_one_problem(
		check(fixture, "{'object':'unit','name':'support','sandbox':{'class':'retrieve',"
			       "'risk':'low','environments':['test'],'up-to':'public','expires':"
			       "'1d'" MODEL("opn", "m") "}}"),
		"sandbox.model[0]", "no server is named opn", "did you mean open?");
}

static void a_provider_of_another_environment_is_named(void **state)
{
	is_one_problem(check(*state, "{'object':'unit','name':'support','sandbox':{'class':"
				     "'retrieve','risk':'low','environments':['test'],'up-to':"
				     "'public','expires':'1d'" MODEL("open", "small/1") "}}"),
		"sandbox.model[0]", "server open is in staging", "environment");
}

static void an_effect_that_is_not_the_tools_is_named(void **state)
{
	is_one_problem(
		check(*state, IDENTITY(",'entitlements':[{'effect':'write','tool':'files/read'}]")),
		"entitlements[0]", "has the effect read", "own effect");
}

static void another_environment_is_named(void **state)
{
	is_one_problem(
		check(*state, IDENTITY(",'entitlements':[{'effect':'read','tool':'prod/read'}]")),
		"entitlements[0]", "is in prod", "environment");
	is_one_problem(
		check(*state, IDENTITY(",'data-sources':[{'name':'live','up-to':'public'}]")),
		"data-sources[0]", "is in prod", "environment");
}

static void an_end_that_has_passed_is_named(void **state)
{
	is_one_problem(
		check(*state, IDENTITY(",'expires':'2027-01-15'")), "expires", "passed", "to come");
	is_one_problem(check(*state, IDENTITY(",'entitlements':[{'effect':'read',"
					      "'tool':'files/read','expires':'2020-01-01'}]")),
		"entitlements[0]", "passed", "to come");
}

static void what_fits_has_no_problem(void **state)
{
	struct problems *problems =
		check(*state, IDENTITY(",'entitlements':[{'effect':'read','tool':'files/read',"
				       "'approvals':['data-owner/support','owner']},"
				       "{'effect':'generate','resource':'model:open/small/1'}],"
				       "'model':[{'provider':'open','name':'small/1'}],"
				       "'data-sources':[{'name':'tickets','up-to':'public'}],"
				       "'outputs':[{'to':'reply','up-to':'public'},{'to':'ops@"
				       "example.com','up-to':'public'},{'to':'files/read','up-to':"
				       "'public'}],'expires':'2027-01-16'"));

	assert_int_equal(problems->total, 0);
	problems = check(*state, "{'object':'policy','name':'org/p','text':'forbid (principal, "
				 "action, resource);'}");
	assert_int_equal(problems->total, 0);
}

static void an_object_refers_to_what_it_names(void **state)
{
	struct fixture *fixture = *state;
	struct object *object = object_of(
		fixture->arena, IDENTITY(",'entitlements':[{'effect':'read','tool':'files/read'}],"
					 "'data-sources':[{'name':'tickets','up-to':'public'}]"));

	assert_true(object_refers_to(object, OBJECT_PERSON, TEXT("ana")));
	assert_true(object_refers_to(object, OBJECT_PERSON, TEXT("bo")));
	assert_true(object_refers_to(object, OBJECT_UNIT, TEXT("support")));
	assert_true(object_refers_to(object, OBJECT_TOOL, TEXT("files/read")));
	assert_true(object_refers_to(object, OBJECT_DATA_SOURCE, TEXT("tickets")));
	assert_false(object_refers_to(object, OBJECT_SERVER, TEXT("files")));
	assert_false(object_refers_to(object, OBJECT_UNIT, TEXT("ana")));
	drop_object(object);
	assert_true(object_refers_to(fixture->objects[7], OBJECT_SERVER, TEXT("files")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_not_there_is_named),
		TEST(an_owner_who_does_not_exist_is_named),
		TEST(a_model_that_no_provider_has_is_named),
		TEST(a_provider_of_another_environment_is_named),
		TEST(an_effect_that_is_not_the_tools_is_named),
		TEST(another_environment_is_named),
		TEST(an_end_that_has_passed_is_named),
		TEST(what_fits_has_no_problem),
		TEST(an_object_refers_to_what_it_names),
	};

	return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}

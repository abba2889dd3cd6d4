#include "domain/charter/sandbox.h"

#include <stdio.h>

#include "support/documents.h"

/* What documents may say of sandboxes, what a template makes of an opening, and what is
 * wider than a template. */

#define TEMPLATE(more)                                                                             \
	"{'object':'unit','name':'lab','sandbox':{'class':'retrieve','risk':'medium',"             \
	"'environments':['dev','test'],'up-to':'internal','expires':'14d'" more "}}"
#define CHARTER(more)                                                                              \
	"{'object':'identity','name':'s','kind':'agent','class':'retrieve','risk':'medium',"       \
	"'owner':'ana','backup-owner':'bo','unit':'lab','purpose':'Tries things',"                 \
	"'environments':['dev'],'expires':'2027-06-01'," more                                      \
	"'sandbox':{'template':1,'approved-by':'cy'}}"
#define LINES                                                                                      \
	",'data-sources':[{'name':'kb','up-to':'internal'}],"                                      \
	"'entitlements':[{'effect':'read','tool':'files/read','when':'context.args has path'}],"   \
	"'model':[{'provider':'p','name':'m','up-to':'internal'}],'limits':{'task':'1h'}"

static int set_up(void **state)
{
	*state = arena_create(64 << 20);
	return *state == NULL;
}

static int tear_down(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static bool is_read(struct arena *arena, const char *written, const char *wrong)
{
	struct json document = document_of(arena, written);
	struct problems *problems = problems_of(arena);
	struct object *object = NULL;
	bool ok = object_parse(&object, &document, TEXT("test"), problems);

	if (ok)
		drop_object(object);
	else if (wrong != NULL && strstr(problems->items[0].what.data, wrong) == NULL)
		fail_msg("%s: %.*s", written, TEXT_ARGS(problems->items[0].what));
	return ok;
}

static void no_sandbox_acts_in_staging_or_prod(void **state)
{
	static const char *const places[] = {"staging", "prod"};

	assert_true(is_read(*state, TEMPLATE(""), NULL));
	assert_true(is_read(*state, CHARTER(""), NULL));
	assert_false(sandbox_environment(ENVIRONMENT_NONE));
	for (size_t i = 0; i < 2; i++) {
		char template[512], charter[512];

		assert_false(sandbox_environment(environment_of(text_of(places[i]))));
		(void)snprintf(template, sizeof template,
			"{'object':'unit','name':'lab','sandbox':{'class':'retrieve','risk':'low',"
			"'environments':['dev','%s'],'up-to':'public','expires':'1d'}}",
			places[i]);
		(void)snprintf(charter, sizeof charter,
			"{'object':'identity','name':'s','kind':'agent','class':'retrieve','risk':"
			"'low','owner':'ana','backup-owner':'bo','unit':'lab','purpose':'p',"
			"'environments':['test','%s'],'expires':'2027-06-01','sandbox':{'template'"
			":1,'approved-by':'cy'}}",
			places[i]);
		assert_false(is_read(*state, template, "never in staging or prod"));
		assert_false(is_read(*state, charter, "never in staging or prod"));
	}
}

static void nothing_above_internal_is_open_to_a_sandbox(void **state)
{
	const struct sandbox_template public = {.up_to = SENSITIVITY_PUBLIC, .life_s = 1};
	const struct sandbox_template wide = {.up_to = SENSITIVITY_RESTRICTED, .life_s = 1};
	const struct sandbox_template none = {.life_s = 1};

	assert_true(sandbox_covers(NULL, SENSITIVITY_INTERNAL));
	assert_false(sandbox_covers(NULL, SENSITIVITY_CONFIDENTIAL));
	assert_false(sandbox_covers(NULL, SENSITIVITY_UNLABELLED));
	assert_false(sandbox_covers(&wide, SENSITIVITY_CONFIDENTIAL));
	assert_true(sandbox_covers(&public, SENSITIVITY_PUBLIC));
	assert_false(sandbox_covers(&public, SENSITIVITY_INTERNAL));
	assert_false(sandbox_covers(&none, SENSITIVITY_PUBLIC));
	assert_false(
		is_read(*state, TEMPLATE(",'data-sources':[{'name':'kb','up-to':'confidential'}]"),
			"covers more than a sandbox may read"));
	assert_false(
		is_read(*state, CHARTER("'data-sources':[{'name':'kb','up-to':'restricted'}],"),
			"covers more than a sandbox may read"));
	assert_false(is_read(*state,
		CHARTER("'model':[{'provider':'p','name':'m','up-to':'confidential'}],"),
		"lets more go to a model"));
	assert_false(is_read(*state,
		"{'object':'unit','name':'lab','sandbox':{'class':'retrieve','risk':'low',"
		"'environments':['dev'],'up-to':'confidential','expires':'1d'}}",
		"up to internal at most"));
	assert_false(is_read(*state,
		"{'object':'unit','name':'lab','sandbox':{'class':'retrieve','risk':'low',"
		"'environments':['dev'],'up-to':'public','expires':'1d','data-sources':[{'name':"
		"'kb','up-to':'internal'}]}}",
		"covers more than a sandbox may read"));
}

static void a_sandbox_tells_nobody_but_who_asks(void **state)
{
	assert_true(
		is_read(*state, CHARTER("'outputs':[{'to':'reply','up-to':'internal'}],"), NULL));
	assert_false(
		is_read(*state, CHARTER("'outputs':[{'to':'a@example.org','up-to':'public'}],"),
			"to the reply alone"));
	assert_false(is_read(*state, CHARTER("'outputs':[{'to':'reply','up-to':'confidential'}],"),
		"to the reply alone"));
	assert_false(is_read(*state,
		CHARTER("'peers':[{'identity':'x','effects':['read'],'up-to':'public'}],"),
		"hands work to nobody"));
	assert_false(is_read(*state,
		CHARTER("'entitlements':[{'effect':'delegate','resource':'peer:x'}],"),
		"hands work to nobody"));
	assert_false(is_read(*state,
		TEMPLATE(",'entitlements':[{'effect':'delegate','resource':'peer:x'}]"),
		"hands work to nobody"));
}

static void a_sandbox_without_an_end_is_none(void **state)
{
	assert_false(is_read(*state,
		"{'object':'identity','name':'s','kind':'agent','class':'retrieve','risk':'low',"
		"'owner':'ana','backup-owner':'bo','unit':'lab','purpose':'p','environments':['dev'"
		"],"
		"'sandbox':{'template':1,'approved-by':'cy'}}",
		"a sandbox has an end"));
}

static void a_template_lives_from_an_hour_to_thirty_days(void **state)
{
	static const struct {
		const char *life;
		bool is_right;
	} rows[] = {{"3599s", false}, {"1h", true}, {"30d", true}, {"2592001s", false}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char written[512];

		(void)snprintf(written, sizeof written,
			"{'object':'unit','name':'lab','sandbox':{'class':'retrieve','risk':'low',"
			"'environments':['dev'],'up-to':'public','expires':'%s'}}",
			rows[i].life);
		assert_int_equal(is_read(*state, written, NULL), rows[i].is_right);
	}
	assert_int_equal(SANDBOX_LIFE_S_MIN, 3600);
	assert_int_equal(SANDBOX_LIFE_S_MAX, 2592000);
}

static void a_template_keeps_its_class(void **state)
{
	assert_false(is_read(*state,
		TEMPLATE(",'entitlements':[{'effect':'write','tool':'files/write'}]"),
		"class retrieve does not permit write"));
}

/* ---- what an opening makes ---- */

static struct object *opened(struct arena *arena, struct object *unit)
{
	struct sandbox_opening opening = {.name = TEXT("s"),
		.owner = TEXT("ana"),
		.backup_owner = TEXT("bo"),
		.purpose = TEXT("Tries things"),
		.approved_by = TEXT("cy"),
		.environment = ENVIRONMENT_DEV,
		.jwk = document_of(arena, "{'crv':'P-256','kty':'EC','x':'"
					  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',"
					  "'y':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}"),
		.expires_utc_s = 1800000000};
	struct problems *problems = problems_of(arena);
	struct object *object = NULL;
	struct error err = {0};
	struct json charter;

	unit->version = 7;
	assert_true(sandbox_charter(&charter, arena, unit, &opening, &err));
	if (!object_parse(&object, &charter, TEXT("test"), problems))
		fail_msg("%.*s: %.*s", TEXT_ARGS(problems->items[0].field),
			TEXT_ARGS(problems->items[0].what));
	return object;
}

static void an_opening_gets_what_the_template_says_and_where_it_is_from(void **state)
{
	struct object *unit = object_of(*state, TEMPLATE(LINES));
	struct object *object = opened(*state, unit);
	const struct charter *charter = charter_of(object);

	assert_true(charter_is_sandbox(charter));
	assert_int_equal(charter->sandbox.template_version, 7);
	assert_true(text_is(charter->sandbox.approved_by, "cy"));
	assert_int_equal(charter->use_class, CLASS_RETRIEVE);
	assert_int_equal(charter->risk, RISK_MEDIUM);
	assert_int_equal(charter->expires_utc_s, 1800000000);
	assert_int_equal(charter->task_s, 3600);
	assert_int_equal(charter->entitlements_count, 1);
	assert_int_equal(charter->data_sources_count, 1);
	assert_int_equal(charter->models_count, 1);
	assert_int_equal(charter->outputs_count, 1);
	assert_true(text_is(charter->outputs[0].to, "reply"));
	assert_int_equal(charter->outputs[0].up_to, SENSITIVITY_INTERNAL);
	assert_int_equal(charter->keys_count, 1);
	assert_null(sandbox_breach(unit, object));
	drop_object(object);
	drop_object(unit);
}

static void each_part_that_is_wider_than_the_template_is_named(void **state)
{
	static const struct {
		const char *template;
		const char *field;
	} rows[] = {
		{"{'object':'unit','name':'lab'}", "sandbox"},
		{"{'object':'unit','name':'lab','sandbox':{'class':'summarise','risk':'medium',"
		 "'environments':['dev','test'],'up-to':'internal','expires':'14d'" LINES "}}",
			"class"},
		{"{'object':'unit','name':'lab','sandbox':{'class':'retrieve','risk':'high',"
		 "'environments':['dev','test'],'up-to':'internal','expires':'14d'" LINES "}}",
			"risk"},
		{"{'object':'unit','name':'lab','sandbox':{'class':'retrieve','risk':'medium',"
		 "'environments':['dev'],'up-to':'internal','expires':'14d'" LINES "}}",
			"environments"},
		{TEMPLATE(",'limits':{'task':'1h'}"), "model"},
		{TEMPLATE(",'model':[{'provider':'p','name':'m','up-to':'internal'}]"),
			"data-sources"},
		{TEMPLATE(",'data-sources':[{'name':'kb','up-to':'internal'}],'model':[{'provider':"
			  "'p','name':'m','up-to':'internal'}],'entitlements':[{'effect':'read',"
			  "'tool':'files/read','when':'context.args has path && true'}]"),
			"entitlements"},
		{TEMPLATE(",'data-sources':[{'name':'kb','up-to':'internal'}],'model':[{'provider':"
			  "'p','name':'m','up-to':'internal'}],'entitlements':[{'effect':'read',"
			  "'tool':'files/read','when':'context.args has path'}]"),
			"limits"},
	};
	struct object *unit = object_of(*state, TEMPLATE(LINES));
	struct object *object = opened(*state, unit);

	assert_string_equal(sandbox_breach(NULL, object), "sandbox");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct object *narrow = object_of(*state, rows[i].template);
		const char *breach = sandbox_breach(narrow, object);

		assert_non_null(breach);
		assert_string_equal(breach, rows[i].field);
		drop_object(narrow);
	}
	drop_object(object);
	drop_object(unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_sandbox_acts_in_staging_or_prod),
		cmocka_unit_test(nothing_above_internal_is_open_to_a_sandbox),
		cmocka_unit_test(a_sandbox_tells_nobody_but_who_asks),
		cmocka_unit_test(a_sandbox_without_an_end_is_none),
		cmocka_unit_test(a_template_lives_from_an_hour_to_thirty_days),
		cmocka_unit_test(a_template_keeps_its_class),
		cmocka_unit_test(an_opening_gets_what_the_template_says_and_where_it_is_from),
		cmocka_unit_test(each_part_that_is_wider_than_the_template_is_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

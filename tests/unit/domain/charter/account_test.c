/* What an identity is at providers, and what they call a data source. */
#include "domain/charter/form.h"
#include "domain/charter/registry.h"
#include "domain/charter/users.h"

#include <stdio.h>

#include "support/documents.h"

#define HEAD                                                                                       \
	"'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"            \
	"'owner':'ana','backup-owner':'bo','unit':'support','purpose':'p',"                        \
	"'environments':['staging']"
#define SOURCE "'object':'data-source','name':'d','unit':'u','environment':'dev'"

static bool is_read(struct arena *arena, const char *written, const char *field)
{
	struct json document = document_of(arena, written);
	struct problems *problems = problems_of(arena);
	struct object *object = NULL;
	bool ok = object_parse(&object, &document, TEXT("test"), problems);

	if (!ok)
		assert_true(text_ends_with(problems->items[0].field, field));
	drop_object(object);
	return ok;
}

/* The document with so many accounts. */
static const char *with_many(struct arena *arena, const char *start, unsigned count)
{
	struct text text = text_format(arena, "{%s[", start);

	for (unsigned i = 0; i < count; i++)
		text = text_format(arena, "%.*s%s'aws/%u'", TEXT_ARGS(text), i == 0 ? "" : ",", i);
	return text_format(arena, "%.*s]}", TEXT_ARGS(text)).data;
}

static void a_name_without_connector_or_id_is_none(void **state)
{
	static const char *const wrong[] = {"", "aws", "aws/", "/x", "Aws/x", "a b/x", "aws/x\ty",
		"aws/\xe2\x80\x8b", "aws/\xff"};
	static const char *const right[] = {"aws/x", "aws/role/deploy bot", "m365/\xc3\xa4"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(name_is_account(text_of(wrong[i])));
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		assert_true(name_is_account(text_of(right[i])));
}

static void a_name_has_so_many_bytes_and_no_more(void **state)
{
	char name[ACCOUNT_BYTES_MAX + 1];
	const size_t connector = CHARTER_NAME_BYTES_MAX;

	(void)state;
	memset(name, 'x', sizeof name);
	name[connector] = '/';
	assert_true(name_is_account((struct text){name, ACCOUNT_BYTES_MAX}));
	assert_false(name_is_account((struct text){name, ACCOUNT_BYTES_MAX + 1}));
	name[connector] = 'x';
	name[connector + 1] = '/';
	assert_false(name_is_account((struct text){name, ACCOUNT_BYTES_MAX}));
}

static void an_account_is_written_once(void **state)
{
	struct arena *arena = *state;

	assert_false(
		is_read(arena, "{" HEAD ",'accounts':['aws/a','aws/b','aws/a']}", "accounts[2]"));
	assert_false(is_read(arena, "{" HEAD ",'accounts':['aws']}", "accounts[0]"));
	assert_false(is_read(arena, "{" HEAD ",'accounts':[]}", "accounts"));
	assert_true(is_read(arena, "{" HEAD ",'accounts':['aws/a','aws/b']}", ""));
}

static void there_are_so_many_accounts_and_no_more(void **state)
{
	struct arena *arena = *state;

	assert_true(is_read(arena, with_many(arena, HEAD ",'accounts':", CHARTER_LIST_MAX), ""));
	assert_false(is_read(
		arena, with_many(arena, HEAD ",'accounts':", CHARTER_LIST_MAX + 1), "accounts"));
}

static void there_are_so_many_names_of_a_source_and_no_more(void **state)
{
	struct arena *arena = *state;

	assert_true(is_read(arena, with_many(arena, SOURCE ",'at':", DATA_SOURCE_AT_MAX), ""));
	assert_false(
		is_read(arena, with_many(arena, SOURCE ",'at':", DATA_SOURCE_AT_MAX + 1), "at"));
	assert_false(is_read(arena, "{" SOURCE ",'at':['crm']}", "at[0]"));
}

static void who_has_an_account_is_found_by_it(void **state)
{
	const struct text accounts[] = {TEXT("aws/a"), TEXT("aws/b")};
	const struct charter charter = {
		.name = TEXT("a1"), .accounts = accounts, .accounts_count = 2};
	const struct charter staying = {
		.name = TEXT("a1"), .accounts = accounts, .accounts_count = 1};
	struct name_table *users = name_table_create();
	char key[USERS_KEY_BYTES_MAX];
	struct registry_entry value = {.name = TEXT("a1")};

	(void)state;
	assert_true(users_enter(users, &charter, &value));
	assert_ptr_equal(users_next(users, users_account_key(accounts[1], key), TEXT("")), &value);
	users_leave(users, &charter, &staying);
	assert_null(users_next(users, users_account_key(accounts[1], key), TEXT("")));
	assert_ptr_equal(users_next(users, users_account_key(accounts[0], key), TEXT("")), &value);
	users_leave(users, &charter, NULL);
	assert_int_equal(name_table_count(users), 0);
	users_destroy(&users);
}

static int set_up(void **state)
{
	*state = arena_create(64 << 20);
	return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_name_without_connector_or_id_is_none),
		TEST(a_name_has_so_many_bytes_and_no_more),
		TEST(an_account_is_written_once),
		TEST(there_are_so_many_accounts_and_no_more),
		TEST(there_are_so_many_names_of_a_source_and_no_more),
		TEST(who_has_an_account_is_found_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

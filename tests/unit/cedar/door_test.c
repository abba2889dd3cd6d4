/* What a program gives in parts, not as a text: it is kept only if the language can say it,
 * so whatever was kept can be written and read back. */
#include "support.h"

enum { PLACES = 5, TEXTS = 256 * 8 };

static const char template[] = "permit(principal == ?principal, action, resource in ?resource);";

static struct cedar_policy_set *open_set(void)
{
	struct cedar_policy_set *set;
	struct cedar_naming naming = {.prefix = CEDAR_TEXT("t")};
	struct cedar_error err;

	assert_true(cedar_policy_set_create(&set, &err));
	assert_true(cedar_policy_set_add_text(set, cedar_text_of(template), &naming, &err));
	return set;
}

/* The same text at one place of all that make policies of parts. */
static bool keeps(
	struct cedar_policy_set *set, int place, struct cedar_text text, struct cedar_error *err)
{
	struct cedar_uid plain = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("p"));
	struct cedar_uid given = cedar_uid_of(
		place == 3 ? text : CEDAR_TEXT("N::U"), place == 3 ? CEDAR_TEXT("p") : text);
	struct cedar_scope scope = {.principal = &given, .resource = &plain};
	struct cedar_naming naming = {.prefix = text};
	struct cedar_link link = {CEDAR_TEXT("t0"), CEDAR_TEXT("x"), &plain, &given};

	switch (place) {
	case 0:
		return cedar_policy_set_add_permit(
			set, text, &(struct cedar_scope){0}, CEDAR_TEXT(""), err);
	case 1:
		return cedar_policy_set_add_text(
			set, CEDAR_TEXT("forbid(principal, action, resource);"), &naming, err);
	case 2: return cedar_policy_set_link(set, &link, err);
	case 3:
		return cedar_policy_set_add_permit(
			set, CEDAR_TEXT("x"), &scope, CEDAR_TEXT(""), err);
	default: link.id = text; return cedar_policy_set_link(set, &link, err);
	}
}

static bool is_equal(struct cedar_text a, struct cedar_text b)
{
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* What is in the set is read back from its JSON, and each policy from its text. */
static void read_back(const struct cedar_policy_set *set, struct cedar_arena *arena)
{
	struct cedar_text json = cedar_policy_set_format_json(set, arena);
	struct cedar_text text = cedar_policy_format(set, 0, arena);
	struct cedar_policy_set *again, *one;
	struct cedar_error err;

	assert_true(cedar_policy_set_create(&again, &err));
	if (!cedar_policy_set_add_set_json(again, json, &err))
		fail_msg("%s: %.*s", err.text, (int)json.length, json.data);
	assert_true(is_equal(cedar_policy_set_format_json(again, arena), json));
	if (!cedar_policy_set_parse(&one, text, NULL, &err))
		fail_msg("%s: %.*s", err.text, (int)text.length, text.data);
	assert_true(is_equal(cedar_policy_format(one, 0, arena), text));
	cedar_policy_set_destroy(&one);
	cedar_policy_set_destroy(&again);
}

/* One, two and three bytes, of each kind that UTF-8 has. */
static struct cedar_text text_number(int number, char bytes[3])
{
	static const char seconds[] = {'a', '"', '\0', '\x80', '\xA0', '\xBF', '\xC3', '\xFF'};

	bytes[0] = (char)(number / 8);
	bytes[1] = seconds[number % 8];
	bytes[2] = '\x80';
	return (struct cedar_text){bytes, (size_t)(1 + number % 3)};
}

static void whatever_a_set_keeps_is_read_back(void **state)
{
	struct cedar_arena *arena = cedar_arena_create(SUPPORT_ARENA_BYTES);
	int kept = 0, refused = 0;

	(void)state;
	for (int i = 0; i < TEXTS * PLACES; i++) {
		struct cedar_policy_set *set = open_set();
		struct cedar_error err = {.code = CEDAR_ERROR_NONE};
		char bytes[3];

		if (keeps(set, i % PLACES, text_number(i / PLACES, bytes), &err)) {
			read_back(set, arena);
			kept++;
		} else {
			assert_int_equal(err.code, CEDAR_ERROR_INVALID);
			assert_int_equal(cedar_policy_set_count(set), 0);
			refused++;
		}
		cedar_policy_set_destroy(&set);
		cedar_arena_reset(arena);
	}
	assert_true(kept > TEXTS && refused > TEXTS);
	cedar_arena_destroy(&arena);
}

static void assert_placed(const struct cedar_error *err, uint32_t line, uint32_t column)
{
	assert_int_equal(err->code, CEDAR_ERROR_INVALID);
	assert_int_equal(err->line, line);
	assert_int_equal(err->column, column);
}

static void a_refusal_says_whose_text_is_wrong(void **state)
{
	static const char *const said[PLACES] = {
		"the policy: byte 2 of the id is not UTF-8",
		"the policy: byte 2 of the id is not UTF-8",
		"resource: byte 2 of the id is not UTF-8",
		"principal: \"a\" is not the name of an entity type",
		"the policy: byte 2 of the id is not UTF-8",
	};

	(void)state;
	for (int place = 0; place < PLACES; place++) {
		struct cedar_policy_set *set = open_set();
		struct cedar_error err = {.line = 7};

		assert_false(keeps(set, place, CEDAR_TEXT("a\xff"), &err));
		assert_string_equal(err.text, said[place]);
		assert_placed(&err, place == 1, place == 1); /* of the policy in its text */
		cedar_policy_set_destroy(&set);
	}
}

/* An id that is taken was given by itself or as a name for what is in a text: only that text
 * has a place, and never one that was given before. */
static void an_id_that_is_taken_has_the_place_of_its_policy_in_the_text_at_hand(void **state)
{
	static const char text[] = "permit(principal, action, resource);\n"
				   "  forbid(principal, action, resource);";
	static const char json[] = "{\"effect\":\"permit\",\"principal\":{\"op\":\"All\"},"
				   "\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},"
				   "\"conditions\":[]}";
	struct cedar_text names[] = {CEDAR_TEXT("free"), CEDAR_TEXT("t0")};
	struct cedar_naming naming = {.ids = names, .id_count = 2};
	struct cedar_uid plain = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("p"));
	struct cedar_link link = {CEDAR_TEXT("t0"), CEDAR_TEXT("t0"), &plain, &plain};
	struct cedar_policy_set *set = open_set();
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	(void)state;
	assert_false(cedar_policy_set_link(set, &link, &err));
	assert_placed(&err, 0, 0);
	assert_false(cedar_policy_set_add_permit(
		set, CEDAR_TEXT("t0"), &(struct cedar_scope){0}, CEDAR_TEXT("true"), &err));
	assert_placed(&err, 0, 0);
	assert_false(cedar_policy_set_add_json(set, CEDAR_TEXT("t0"), cedar_text_of(json), &err));
	assert_placed(&err, 0, 0);
	assert_false(cedar_policy_set_add_text(set, cedar_text_of(text), &naming, &err));
	assert_placed(&err, 2, 3);
	assert_int_equal(cedar_policy_set_count(set), 0);
	cedar_policy_set_destroy(&set);
}

/* ---- entities ---- */

/* An entity with one thing wrong in it, by its number; false: there are no more. */
static bool make_wrong(struct cedar_entity *entity, struct cedar_arena *arena, int number)
{
	static struct cedar_uid wrong[2], plain;
	struct cedar_member member = {CEDAR_TEXT("a"), cedar_value_string(CEDAR_TEXT("\xff"))};
	struct cedar_error err;

	wrong[0] = cedar_uid_of(CEDAR_TEXT("a b"), CEDAR_TEXT("x"));
	wrong[1] = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("\xed\xa0\x80"));
	plain = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("x"));
	*entity = (struct cedar_entity){.uid = plain};
	if (number < 2)
		entity->uid = wrong[number];
	else if (number < 4)
		*entity = (struct cedar_entity){
			plain, .parents = &wrong[number - 2], .parent_count = 1};
	if (number < 4)
		return true;
	if (number < 6)
		member.value = cedar_value_entity(&wrong[number - 4]);
	else if (number == 6)
		member = (struct cedar_member){CEDAR_TEXT("\x80"), cedar_value_bool(true)};
	else if (number == 7)
		member.value = (struct cedar_value){.type = CEDAR_NONE};
	else if (number == 8)
		assert_true(cedar_value_set(&member.value, arena, &member.value, 1, &err));
	else if (number == 9)
		assert_true(cedar_value_record(&member.value, arena, &member, 1, &err));
	assert_true(cedar_value_record(
		number % 2 == 0 ? &entity->attributes : &entity->tags, arena, &member, 1, &err));
	return number <= 11;
}

static void a_store_keeps_no_entity_that_no_text_could_say(void **state)
{
	struct cedar_arena *arena = cedar_arena_create(SUPPORT_ARENA_BYTES);
	const struct cedar_entities *first, *next;
	struct cedar_entities *store;
	struct cedar_entity entity;
	struct cedar_error err;
	int count = 0;

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	for (; make_wrong(&entity, arena, count); count++) {
		err.code = CEDAR_ERROR_NONE;
		assert_false(cedar_entities_add(store, &entity, &err));
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	}
	assert_int_equal(count, 12);
	assert_int_equal(cedar_entities_count(store), 0);
	assert_true(cedar_entities_seal(store, &err));
	assert_true(cedar_revision_first(&first, &store, &err));
	for (count = 0; make_wrong(&entity, arena, count); count++) {
		struct cedar_change change = {.put = &entity};

		assert_false(cedar_revision_change(&next, first, &change, 1, &err));
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
		assert_null(next);
	}
	cedar_revision_release(&first);
	cedar_arena_destroy(&arena);
}

/* A decision takes a request as it is: nothing is checked, and nothing matches what it is not. */
static void a_request_is_only_compared(void **state)
{
	struct world world;
	struct cedar_policy_set *set = set_of("permit(principal == U::\"p\", action, resource);");
	struct cedar_answer answer;

	(void)state;
	world_open(&world, NULL, NULL);
	world.request.principal = cedar_uid_of(CEDAR_TEXT("a b"), CEDAR_TEXT("\xff"));
	assert_true(cedar_authorize(set, NULL, &world.request, world.arena, &answer, &world.err));
	assert_int_equal(answer.decision, CEDAR_DENY);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_a_set_keeps_is_read_back),
		cmocka_unit_test(a_refusal_says_whose_text_is_wrong),
		cmocka_unit_test(
			an_id_that_is_taken_has_the_place_of_its_policy_in_the_text_at_hand),
		cmocka_unit_test(a_store_keeps_no_entity_that_no_text_could_say),
		cmocka_unit_test(a_request_is_only_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/call/method.h"

static void an_unknown_method_is_denied(void **state)
{
	static const char *const names[] = {"", "tools/calls", "tools", "Tools/call", "tools/call ",
		"roots/list", "server/discover", "zzz"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(method_find(text_of(names[i]))->route, METHOD_DENIED);
		assert_int_equal(method_find(text_of(names[i]))->effect, EFFECT_NONE);
		assert_string_equal(method_find(text_of(names[i]))->name, "");
	}
}

static void a_known_method_that_is_not_let_through_is_denied(void **state)
{
	(void)state;
	assert_int_equal(method_find(TEXT("resources/subscribe"))->route, METHOD_DENIED);
	assert_int_equal(method_find(TEXT("tasks/cancel"))->route, METHOD_DENIED);
}

/* The search is binary: a row out of order would be lost. */
static void each_method_of_the_protocol_has_its_route(void **state)
{
	static const struct {
		const char *name;
		enum method_route route;
		enum effect effect;
	} rows[] = {
		{"CancelTask", METHOD_PEER, EFFECT_DELEGATE},
		{"GetTask", METHOD_PEER, EFFECT_DELEGATE},
		{"SendMessage", METHOD_PEER, EFFECT_DELEGATE},
		{"SendStreamingMessage", METHOD_PEER, EFFECT_DELEGATE},
		{"SubscribeToTask", METHOD_PEER, EFFECT_DELEGATE},
		{"completion/complete", METHOD_RESOURCE, EFFECT_READ},
		{"elicitation/create", METHOD_ASKED, EFFECT_WRITE},
		{"initialize", METHOD_LOCAL, EFFECT_NONE},
		{"logging/setLevel", METHOD_RESOURCE, EFFECT_WRITE},
		{"notifications/cancelled", METHOD_LOCAL, EFFECT_NONE},
		{"notifications/initialized", METHOD_LOCAL, EFFECT_NONE},
		{"notifications/progress", METHOD_LOCAL, EFFECT_NONE},
		{"notifications/roots/list_changed", METHOD_LOCAL, EFFECT_NONE},
		{"ping", METHOD_LOCAL, EFFECT_NONE},
		{"prompts/get", METHOD_RESOURCE, EFFECT_READ},
		{"prompts/list", METHOD_FILTERED, EFFECT_READ},
		{"resources/list", METHOD_FILTERED, EFFECT_READ},
		{"resources/read", METHOD_RESOURCE, EFFECT_READ},
		{"resources/templates/list", METHOD_FILTERED, EFFECT_READ},
		{"sampling/createMessage", METHOD_ASKED, EFFECT_WRITE},
		{"tools/call", METHOD_TOOL, EFFECT_NONE},
		{"tools/list", METHOD_FILTERED, EFFECT_READ},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct method *method = method_find(text_of(rows[i].name));

		assert_string_equal(method->name, rows[i].name);
		assert_int_equal(method->route, rows[i].route);
		assert_int_equal(method->effect, rows[i].effect);
	}
}

static void only_what_servers_ask_is_asked(void **state)
{
	(void)state;
	assert_true(method_is_asked(method_find(TEXT("elicitation/create"))));
	assert_true(method_is_asked(method_find_dotted(TEXT("sampling.createMessage"))));
	assert_false(method_is_asked(method_find(TEXT("resources/read"))));
	assert_false(method_is_asked(method_find(TEXT("roots/list"))));
}

static void notifications_are_told_by_their_name(void **state)
{
	(void)state;
	assert_true(method_is_notification(TEXT("notifications/cancelled")));
	assert_true(method_is_notification(TEXT("notifications/unheard-of")));
	assert_false(method_is_notification(TEXT("tools/call")));
	assert_false(method_is_notification(TEXT("notifications")));
}

static void the_rows_are_those_that_are_found(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; method_at(i) != NULL; i++)
		assert_ptr_equal(method_find(text_of(method_at(i)->name)), method_at(i));
	assert_true(i > 20);
	assert_null(method_at(i + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_method_is_denied),
		cmocka_unit_test(a_known_method_that_is_not_let_through_is_denied),
		cmocka_unit_test(each_method_of_the_protocol_has_its_route),
		cmocka_unit_test(only_what_servers_ask_is_asked),
		cmocka_unit_test(notifications_are_told_by_their_name),
		cmocka_unit_test(the_rows_are_those_that_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

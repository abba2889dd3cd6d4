#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edges/health/health.h"

/* What the parts would say; each stands in for the function of its name. */
static struct {
	bool has_log_failed;
	bool has_fold_failed;
	bool has_signer_ended;
} now;

bool issue_can_sign(const struct issue *issue)
{
	(void)issue;
	return !now.has_signer_ended;
}

bool record_has_failed(const struct record_log *log)
{
	(void)log;
	return now.has_log_failed;
}

bool fold_has_failed(const struct fold *fold)
{
	(void)fold;
	return now.has_fold_failed;
}

void record_log_status(struct record_log *log, struct record_log_status *out)
{
	(void)log;
	*out = (struct record_log_status){
		.size = 10, .signed_size = 9, .has_failed = now.has_log_failed};
}

void issue_status(const struct issue *issue, struct issue_status *out)
{
	(void)issue;
	*out = (struct issue_status){.tokens_repeated = 77};
}

struct call_figures call_figures(const struct call_service *service)
{
	(void)service;
	return (struct call_figures){.denied = 12};
}

struct decide_status decide_service_status(const struct decide_service *service)
{
	(void)service;
	return (struct decide_status){.decisions = 4, .took_ns = 2000000030};
}

struct posture_figures posture_figures(const struct posture *posture)
{
	(void)posture;
	return (struct posture_figures){
		.of = {[CONTROL_UNPROVEN] = 33, [CONTROL_FAILING] = 4, [CONTROL_PASSING] = 35},
		.rows = 7,
		.waivers = 2};
}

struct finding_figures finding_figures(const struct finding_service *service)
{
	(void)service;
	return (struct finding_figures){.open = 2, .opened = 6, .closed = 5, .refused = 1};
}

struct review_figures review_figures(const struct review_service *service)
{
	(void)service;
	return (struct review_figures){.open = 3, .items = 90, .waiting = 40};
}

struct approve_figures approve_figures(const struct approve *approve)
{
	(void)approve;
	return (struct approve_figures){.pending = 5};
}

struct break_glass_figures break_glass_figures(const struct approve *approve)
{
	(void)approve;
	return (struct break_glass_figures){.open = 2, .overdue = 1};
}

uint64_t projector_next(const struct projector *projector)
{
	(void)projector;
	return 7;
}

bool projector_has_failed(const struct projector *projector)
{
	(void)projector;
	return false;
}

size_t registry_count(const struct registry *registry, enum object_kind kind)
{
	(void)registry;
	return kind == OBJECT_IDENTITY ? 3 : 5;
}

uint64_t registry_revision(const struct registry *registry)
{
	(void)registry;
	return 42;
}

uint32_t http_server_connection_count(const struct http_server *server)
{
	(void)server;
	return 1;
}

static int set_up(void **state)
{
	*state = NULL;
	memset(&now, 0, sizeof now);
	return 0;
}

static void a_failed_log_makes_the_daemon_unready(void **state)
{
	struct health health = {0};

	(void)state;
	now.has_log_failed = true;
	assert_non_null(health_obstacle(&health));
}

static void a_failed_fold_makes_the_daemon_unready(void **state)
{
	struct health health = {0};

	(void)state;
	now.has_fold_failed = true;
	assert_non_null(health_obstacle(&health));
}

static void without_a_signer_the_daemon_is_unready(void **state)
{
	struct health health = {0};

	(void)state;
	now.has_signer_ended = true;
	assert_non_null(health_obstacle(&health));
}

static void a_draining_daemon_is_unready(void **state)
{
	struct health health = {.is_draining = true};

	(void)state;
	assert_non_null(health_obstacle(&health));
}

static void nothing_wrong_means_ready(void **state)
{
	struct health health = {0};

	(void)state;
	assert_null(health_obstacle(&health));
}

/* The number on the line of that name. */
static long figure(const struct buffer *text, const char *name)
{
	char line[128];
	const char *found;

	(void)snprintf(line, sizeof line, "\n%s ", name);
	found = strstr(text->data, line);
	assert_non_null(found);
	return strtol(found + strlen(line), NULL, 10);
}

static void the_figures_say_what_the_parts_said(void **state)
{
	struct health health = {0};
	struct buffer text;

	(void)state;
	now.has_log_failed = true;
	buffer_init(&text, 65536);
	health_metrics(&health, &text);
	buffer_append_byte(&text, '\0');
	assert_false(buffer_failed(&text));
	assert_int_equal(figure(&text, "remit_ready"), 0);
	assert_int_equal(figure(&text, "remit_log_entries_total"), 10);
	assert_int_equal(figure(&text, "remit_log_failed"), 1);
	assert_int_equal(figure(&text, "remit_store_lag_records"), 3);
	assert_int_equal(figure(&text, "remit_registry_identities"), 3);
	assert_int_equal(figure(&text, "remit_tokens_repeated_total"), 77);
	assert_int_equal(figure(&text, "remit_calls_denied_total"), 12);
	assert_int_equal(figure(&text, "remit_approvals_pending"), 5);
	assert_int_equal(figure(&text, "remit_break_glass_open"), 2);
	assert_int_equal(figure(&text, "remit_break_glass_overdue"), 1);
	assert_int_equal(figure(&text, "remit_decisions_total"), 4);
	assert_int_equal(figure(&text, "remit_findings_open"), 2);
	assert_int_equal(figure(&text, "remit_findings_opened_total"), 6);
	assert_int_equal(figure(&text, "remit_findings_closed_total"), 5);
	assert_int_equal(figure(&text, "remit_findings_refused_total"), 1);
	assert_int_equal(figure(&text, "remit_controls_passing"), 35);
	assert_int_equal(figure(&text, "remit_controls_failing"), 4);
	assert_int_equal(figure(&text, "remit_controls_stale"), 0);
	assert_int_equal(figure(&text, "remit_controls_unproven"), 33);
	assert_int_equal(figure(&text, "remit_posture_subjects"), 7);
	assert_int_equal(figure(&text, "remit_waivers_live"), 2);
	assert_int_equal(figure(&text, "remit_reviews_open"), 3);
	assert_int_equal(figure(&text, "remit_review_items_waiting"), 40);
	assert_non_null(strstr(text.data, "\nremit_decision_seconds_total 2.000000030\n"));
	buffer_deinit(&text);
}

static void every_figure_has_help_and_type_and_a_name_of_its_own(void **state)
{
	struct health health = {0};
	struct buffer text;
	int count = 0;

	(void)state;
	buffer_init(&text, 65536);
	health_metrics(&health, &text);
	buffer_append_byte(&text, '\0');
	for (const char *at = text.data; (at = strstr(at, "# HELP ")) != NULL; at += 7) {
		char line[160];
		size_t length = strcspn(at + 7, " ");

		(void)snprintf(line, sizeof line, "# TYPE %.*s ", (int)length, at + 7);
		assert_non_null(strstr(at, line));
		assert_null(strstr(strstr(at, line) + 1, line));
		count++;
	}
	assert_true(count > 15);
	buffer_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_failed_log_makes_the_daemon_unready, set_up),
		cmocka_unit_test_setup(a_failed_fold_makes_the_daemon_unready, set_up),
		cmocka_unit_test_setup(without_a_signer_the_daemon_is_unready, set_up),
		cmocka_unit_test_setup(a_draining_daemon_is_unready, set_up),
		cmocka_unit_test_setup(nothing_wrong_means_ready, set_up),
		cmocka_unit_test_setup(the_figures_say_what_the_parts_said, set_up),
		cmocka_unit_test_setup(
			every_figure_has_help_and_type_and_a_name_of_its_own, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

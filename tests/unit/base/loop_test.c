/* The event loop, through its header only.  Each test has a guard timer, so a
 * fault shows as a failure and not as a hang. */
#include "base/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { GUARD_MS = 5000, TIMERS_MANY = 1000, POSTS_MANY = 2000 };

struct bench {
	struct loop *loop;
	struct loop_timer guard;
	bool guard_fired;
	int count;
	int order[TIMERS_MANY];
	int fds[2];
};

static void on_guard(struct loop_timer *timer)
{
	struct bench *bench = timer->context;

	bench->guard_fired = true;
	loop_stop(bench->loop);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	assert_non_null(bench);
	assert_true(loop_create(&bench->loop, &err));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, bench->fds), 0);
	bench->guard = (struct loop_timer){.on_due = on_guard, .context = bench};
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	loop_destroy(&bench->loop);
	assert_null(bench->loop);
	close(bench->fds[0]);
	close(bench->fds[1]);
	free(bench);
	return 0;
}

static void run_to_stop(struct bench *bench)
{
	struct error err = {0};

	assert_true(loop_timer_start(bench->loop, &bench->guard, GUARD_MS));
	assert_true(loop_run(bench->loop, &err));
	loop_timer_stop(bench->loop, &bench->guard);
	assert_false(bench->guard_fired);
}

static void stop_on_event(struct loop_watch *watch, unsigned events)
{
	struct bench *bench = watch->context;

	bench->order[bench->count++] = (int)events;
	loop_stop(bench->loop);
}

static void a_readable_descriptor_is_reported(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	struct loop_watch watch = {.fd = bench->fds[0],
		.events = LOOP_READ,
		.on_event = stop_on_event,
		.context = bench};

	assert_true(loop_watch_add(bench->loop, &watch, &err));
	assert_int_equal(write(bench->fds[1], "x", 1), 1);
	run_to_stop(bench);
	assert_int_equal(bench->order[0], LOOP_READ);
	loop_watch_remove(bench->loop, &watch);
}

static void a_half_close_is_reported_to_who_asks_for_it(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	struct loop_watch watch = {.fd = bench->fds[0],
		.events = LOOP_HANGUP,
		.on_event = stop_on_event,
		.context = bench};

	assert_true(loop_watch_add(bench->loop, &watch, &err));
	assert_int_equal(shutdown(bench->fds[1], SHUT_WR), 0);
	run_to_stop(bench);
	assert_int_equal(bench->order[0], LOOP_HANGUP);
	loop_watch_remove(bench->loop, &watch);
}

static void a_closed_descriptor_cannot_be_watched(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	struct loop_watch watch = {.fd = -1, .events = LOOP_READ, .on_event = stop_on_event};

	assert_false(loop_watch_add(bench->loop, &watch, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_false(watch.is_watched);
	loop_watch_remove(bench->loop, &watch); /* harmless */
}

struct pair {
	struct bench *bench;
	struct loop_watch *watches[2];
};

static void remove_and_free_both(struct loop_watch *watch, unsigned events)
{
	struct pair *pair = watch->context;
	int i;

	(void)events;
	pair->bench->count++;
	for (i = 0; i < 2; i++) {
		loop_watch_remove(pair->bench->loop, pair->watches[i]);
		free(pair->watches[i]);
	}
	loop_stop(pair->bench->loop);
}

static void a_watch_freed_in_the_same_batch_gets_no_event(void **state)
{
	struct bench *bench = *state;
	struct pair pair = {.bench = bench};
	struct error err = {0};
	int i;

	for (i = 0; i < 2; i++) {
		pair.watches[i] = calloc(1, sizeof(struct loop_watch));
		assert_non_null(pair.watches[i]);
		*pair.watches[i] = (struct loop_watch){.fd = bench->fds[i],
			.events = LOOP_READ,
			.on_event = remove_and_free_both,
			.context = &pair};
		assert_true(loop_watch_add(bench->loop, pair.watches[i], &err));
		assert_int_equal(write(bench->fds[1 - i], "x", 1), 1);
	}
	run_to_stop(bench);
	assert_int_equal(bench->count, 1);
}

struct ranked {
	struct loop_timer timer;
	struct bench *bench;
	int rank;
	bool is_last;
};

static void note_rank(struct loop_timer *timer)
{
	struct ranked *ranked = timer->context;

	ranked->bench->order[ranked->bench->count++] = ranked->rank;
	if (ranked->is_last)
		loop_stop(ranked->bench->loop);
}

static void timers_fire_in_order_of_their_deadlines(void **state)
{
	struct bench *bench = *state;
	struct ranked *timers = calloc(TIMERS_MANY, sizeof *timers);
	int i;

	assert_non_null(timers);
	for (i = 0; i < TIMERS_MANY; i++) { /* 7 and 1000 are coprime: a fixed shuffle */
		timers[i] = (struct ranked){.bench = bench, .rank = i * 7 % 50, .is_last = false};
		timers[i].timer = (struct loop_timer){.on_due = note_rank, .context = &timers[i]};
		assert_true(loop_timer_start(bench->loop, &timers[i].timer, timers[i].rank * 4));
	}
	for (i = 0; i < TIMERS_MANY; i += 3)
		loop_timer_stop(bench->loop, &timers[i].timer);
	timers[0].rank = 51;
	timers[0].is_last = true;
	assert_true(loop_timer_start(bench->loop, &timers[0].timer, 51 * 4));
	run_to_stop(bench);
	assert_int_equal(bench->count, TIMERS_MANY - (TIMERS_MANY + 2) / 3 + 1);
	for (i = 1; i < bench->count; i++)
		assert_true(bench->order[i - 1] <= bench->order[i]);
	free(timers);
}

static void a_stopped_timer_does_not_fire(void **state)
{
	struct bench *bench = *state;
	struct ranked stopped = {.bench = bench, .rank = 1};
	struct ranked last = {.bench = bench, .rank = 2, .is_last = true};

	stopped.timer = (struct loop_timer){.on_due = note_rank, .context = &stopped};
	last.timer = (struct loop_timer){.on_due = note_rank, .context = &last};
	assert_true(loop_timer_start(bench->loop, &stopped.timer, 0));
	assert_true(loop_timer_start(bench->loop, &last.timer, 5));
	loop_timer_stop(bench->loop, &stopped.timer);
	loop_timer_stop(bench->loop, &stopped.timer); /* twice is harmless */
	run_to_stop(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->order[0], 2);
}

static void rearm_at_once(struct loop_timer *timer)
{
	struct bench *bench = timer->context;

	bench->count++;
	assert_true(loop_timer_start(bench->loop, timer, 0));
}

static void a_timer_that_rearms_itself_does_not_starve_the_sockets(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	struct loop_timer greedy = {.on_due = rearm_at_once, .context = bench};
	struct loop_watch watch = {.fd = bench->fds[0],
		.events = LOOP_READ,
		.on_event = stop_on_event,
		.context = bench};

	assert_true(loop_timer_start(bench->loop, &greedy, 0));
	assert_true(loop_watch_add(bench->loop, &watch, &err));
	assert_int_equal(write(bench->fds[1], "x", 1), 1);
	run_to_stop(bench);
	loop_timer_stop(bench->loop, &greedy);
	loop_watch_remove(bench->loop, &watch);
}

struct numbered_post {
	struct loop_post post;
	struct bench *bench;
	int number;
};

static void note_post(struct loop_post *post)
{
	struct numbered_post *numbered = post->context;

	assert_int_equal(numbered->number, numbered->bench->count);
	if (++numbered->bench->count == POSTS_MANY)
		loop_stop(numbered->bench->loop);
}

static void *post_all(void *context)
{
	struct numbered_post *posts = context;
	int i;

	for (i = 0; i < POSTS_MANY; i++)
		loop_post(posts[i].bench->loop, &posts[i].post);
	return NULL;
}

static void posts_of_another_thread_run_once_and_in_order(void **state)
{
	struct bench *bench = *state;
	struct numbered_post *posts = calloc(POSTS_MANY, sizeof *posts);
	pthread_t thread;
	int i;

	assert_non_null(posts);
	for (i = 0; i < POSTS_MANY; i++) {
		posts[i] = (struct numbered_post){.bench = bench, .number = i};
		posts[i].post = (struct loop_post){.run = note_post, .context = &posts[i]};
	}
	assert_int_equal(pthread_create(&thread, NULL, post_all, posts), 0);
	run_to_stop(bench);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(bench->count, POSTS_MANY);
	free(posts);
}

/* One that takes back another, and ends the run. */
struct cancelling {
	struct loop_post post;
	struct loop *loop;
	struct loop_post *other;
};

static void cancel_other(struct loop_post *post)
{
	struct cancelling *cancelling = post->context;

	loop_post_cancel(cancelling->loop, cancelling->other);
	loop_stop(cancelling->loop);
}

static void must_not_run(struct loop_post *post)
{
	(void)post;
	fail_msg("it was taken back");
}

/* The first, one between, the last, and all there is; then what was posted after them runs. */
static void what_is_taken_back_does_not_run(void **state)
{
	struct bench *bench = *state;
	struct loop_post none[4];
	struct numbered_post kept = {.bench = bench, .number = POSTS_MANY - 1};

	for (size_t i = 0; i < 4; i++)
		none[i] = (struct loop_post){.run = must_not_run};
	loop_post_cancel(bench->loop, &none[0]); /* never posted */
	loop_post(bench->loop, &none[0]);
	loop_post_cancel(bench->loop, &none[0]);
	for (size_t i = 0; i < 3; i++)
		loop_post(bench->loop, &none[i]);
	bench->count = POSTS_MANY - 1;
	kept.post = (struct loop_post){.run = note_post, .context = &kept};
	loop_post_cancel(bench->loop, &none[1]);
	loop_post_cancel(bench->loop, &none[2]);
	loop_post(bench->loop, &kept.post);
	loop_post(bench->loop, &none[3]);
	loop_post_cancel(bench->loop, &none[0]);
	loop_post_cancel(bench->loop, &none[3]);
	run_to_stop(bench);
	assert_int_equal(bench->count, POSTS_MANY);
}

static void one_post_may_take_back_another_of_its_turn(void **state)
{
	struct bench *bench = *state;
	struct loop_post *other = calloc(1, sizeof *other);
	struct cancelling cancelling = {.loop = bench->loop, .other = other};

	assert_non_null(other);
	cancelling.post = (struct loop_post){.run = cancel_other, .context = &cancelling};
	other->run = must_not_run;
	loop_post(bench->loop, &cancelling.post);
	loop_post(bench->loop, other);
	run_to_stop(bench);
	free(other); /* the loop knows it no more */
	bench->count = 0;
	cancelling.other = NULL;
	loop_post(bench->loop, &cancelling.post);
	run_to_stop(bench);
}

/* Defers itself again and again; each turn runs it once, after the drivers of
 * the turn that deferred it. */
static void defer_again(struct loop_post *post)
{
	struct numbered_post *numbered = post->context;

	assert_int_equal(numbered->bench->count, numbered->number);
	numbered->number++;
	if (numbered->number == 4)
		loop_stop(numbered->bench->loop);
	else
		loop_defer(numbered->bench->loop, post);
}

static int64_t count_turn(struct loop_driver *driver)
{
	struct bench *bench = driver->context;

	bench->count++;
	return -1;
}

static void what_is_deferred_runs_in_the_next_turn_without_a_ring(void **state)
{
	struct bench *bench = *state;
	struct loop_driver driver = {.turn = count_turn, .context = bench};
	struct numbered_post numbered = {.bench = bench};

	numbered.post = (struct loop_post){.run = defer_again, .context = &numbered};
	loop_defer(bench->loop, &numbered.post);
	loop_driver_add(bench->loop, &driver);
	run_to_stop(bench);
	loop_driver_remove(bench->loop, &driver);
	assert_int_equal(numbered.number, 4);
}

static int64_t remove_self(struct loop_driver *driver)
{
	struct bench *bench = driver->context;

	bench->count++;
	loop_driver_remove(bench->loop, driver);
	return -1;
}

static int64_t stop_third_turn(struct loop_driver *driver)
{
	struct bench *bench = driver->context;

	if (++bench->order[0] == 3)
		loop_stop(bench->loop);
	return 0;
}

static void a_driver_may_remove_itself_and_others_go_on(void **state)
{
	struct bench *bench = *state;
	struct loop_driver once = {.turn = remove_self, .context = bench};
	struct loop_driver more = {.turn = stop_third_turn, .context = bench};

	loop_driver_add(bench->loop, &more);
	loop_driver_add(bench->loop, &once);
	run_to_stop(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->order[0], 3);
}

static void a_stop_before_the_run_ends_it_at_once(void **state)
{
	struct bench *bench = *state;

	loop_stop(bench->loop);
	run_to_stop(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_closed_descriptor_cannot_be_watched, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stopped_timer_does_not_fire, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_watch_freed_in_the_same_batch_gets_no_event, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_timer_that_rearms_itself_does_not_starve_the_sockets, setup, teardown),
		cmocka_unit_test_setup_teardown(a_readable_descriptor_is_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_half_close_is_reported_to_who_asks_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			timers_fire_in_order_of_their_deadlines, setup, teardown),
		cmocka_unit_test_setup_teardown(
			posts_of_another_thread_run_once_and_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_taken_back_does_not_run, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_post_may_take_back_another_of_its_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_driver_may_remove_itself_and_others_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_stop_before_the_run_ends_it_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_deferred_runs_in_the_next_turn_without_a_ring, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

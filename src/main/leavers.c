/* One sweep at a time: whoever comes next waits.  What ends is refused before that, by the rule
 * about tasks (domain/decide/rules.c): a sweep only says so on record. */
#include "main/leavers.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct leaver {
	struct leaver *next;
	char name[PERSON_NAME_BYTES_MAX + 1];
};

struct leavers {
	struct leavers_parts parts;
	struct loop_timer timer;
	bool is_started;
	struct leaver *first;
	struct leaver *last;
	struct issue_sweep sweep;
	struct loop_post post;
	bool is_sweeping;
	bool is_posted;
};

static void sweep_next(struct leavers *leavers);

static void on_post(struct loop_post *post)
{
	struct leavers *leavers = post->context;

	leavers->is_posted = false;
	sweep_next(leavers);
}

/* Not from within a fold, nor from within the sweep before. */
static void post(struct leavers *leavers)
{
	if (leavers->is_posted || leavers->is_sweeping || leavers->first == NULL)
		return;
	leavers->post = (struct loop_post){.run = on_post, .context = leavers};
	leavers->is_posted = true;
	loop_post(leavers->parts.loop, &leavers->post);
}

static void on_swept(struct issue_sweep *sweep)
{
	struct leavers *leavers = sweep->context;
	struct leaver *done = leavers->first;

	leavers->is_sweeping = false;
	leavers->first = done->next;
	if (leavers->first == NULL)
		leavers->last = NULL;
	if (sweep->is_done)
		log_info("leaver_swept", LOG_NUMBER("tasks", sweep->tasks));
	else
		log_warn("leaver_not_swept", LOG_STRING("why", sweep->err.text));
	free(done);
	post(leavers);
}

static void sweep_next(struct leavers *leavers)
{
	if (leavers->is_sweeping || leavers->first == NULL)
		return;
	leavers->is_sweeping = true;
	leavers->sweep = (struct issue_sweep){.whose = ISSUE_WHOSE_PERSON,
		.name = text_of(leavers->first->name),
		.reason = TEXT("the person left"),
		.done = on_swept,
		.context = leavers};
	issue_sweep(leavers->parts.issue, &leavers->sweep);
}

/* Whoever comes back finds nothing of what a sweep may have missed. */
static void on_changed(void *context, enum people_event event, struct text person)
{
	struct leavers *leavers = context;
	struct leaver *leaver;

	if ((event != PEOPLE_LEFT && event != PEOPLE_RETURNED) ||
		person.length > PERSON_NAME_BYTES_MAX)
		return;
	leaver = calloc(1, sizeof *leaver);
	if (leaver == NULL) {
		log_warn("leaver_not_swept", LOG_STRING("why", "no memory"));
		return;
	}
	memcpy(leaver->name, person.data, person.length);
	if (leavers->last == NULL)
		leavers->first = leaver;
	else
		leavers->last->next = leaver;
	leavers->last = leaver;
	post(leavers);
}

static void on_due(struct loop_timer *timer)
{
	struct leavers *leavers = timer->context;
	bool has_more = finding_look_owners(leavers->parts.findings);

	leavers->is_started = loop_timer_start(
		leavers->parts.loop, timer, has_more ? LEAVERS_SOON_MS : LEAVERS_MS);
}

bool leavers_create(struct leavers **out, const struct leavers_parts *parts, struct error *err)
{
	struct leavers *leavers = calloc(1, sizeof *leavers);
	const struct people_listener listener = {.context = leavers, .changed = on_changed};

	*out = leavers;
	if (leavers == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for leavers");
	leavers->parts = *parts;
	leavers->timer = (struct loop_timer){.on_due = on_due, .context = leavers};
	directory_listen(parts->directories, &listener);
	leavers->is_started = loop_timer_start(parts->loop, &leavers->timer, 0);
	return leavers->is_started || error_set(err, ERROR_LIMIT, "no memory for leavers");
}

void leavers_destroy(struct leavers **leavers)
{
	static const struct people_listener nobody = {0};
	struct leaver *next;

	if (*leavers == NULL)
		return;
	directory_listen((*leavers)->parts.directories, &nobody);
	if ((*leavers)->is_started)
		loop_timer_stop((*leavers)->parts.loop, &(*leavers)->timer);
	for (; (*leavers)->first != NULL; (*leavers)->first = next) {
		next = (*leavers)->first->next;
		free((*leavers)->first);
	}
	free(*leavers);
	*leavers = NULL;
}

/* How many tasks a charter lets there be, and which run and session one is of. */
#include <stdio.h>

#include "services/issue/issue_private.h"

static bool is_instance(struct text name)
{
	for (size_t i = 0; i < name.length; i++) {
		char byte = name.data[i];
		bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
				 (byte >= '0' && byte <= '9');

		if (!is_letter && byte != '.' && byte != '_' && byte != '-')
			return false;
	}
	return name.length <= TASK_INSTANCE_BYTES_MAX;
}

static bool refuse_limit(
	struct issue_request *request, const char *limit, int64_t most, const char *what)
{
	char detail[128];

	(void)snprintf(
		detail, sizeof detail, "limits.%s is %lld: %s", limit, (long long)most, what);
	return issue_refuse(request, ISSUE_LIMIT, detail);
}

static bool check_names(
	const struct issue *issue, struct issue_request *request, const struct proven *proven)
{
	if (!is_instance(request->instance))
		return issue_refuse(request, ISSUE_INSTANCE, NULL);
	if (task_instance_epoch(issue->parts.tasks, proven->identity, request->instance) > 0)
		return issue_refuse(request, ISSUE_INSTANCE_KILLED, NULL);
	if (request->session.length > 0 && task_session_of(request->session) == TASK_SESSION_NONE)
		return issue_refuse(request, ISSUE_SESSION, NULL);
	return true;
}

/* Below a task of another identity both charters count: its own for what it opens, and the
 * parent's for what may hang below its tasks. */
static bool check_below(const struct issue *issue, struct issue_request *request,
	const struct charter *charter, const struct task *parent)
{
	int64_t now_utc_ms = issue_now_utc_ms(issue);

	if (charter == NULL || parent == NULL)
		return true;
	if (charter->depth > 0 && parent->depth >= charter->depth)
		return refuse_limit(
			request, "depth", charter->depth, "the parent is as deep already");
	if (charter->fan_out > 0 && issue_count_openings(issue, TEXT(""), parent->id) +
						    task_count_live_children(parent, now_utc_ms,
							    (size_t)charter->fan_out) >=
					    (size_t)charter->fan_out)
		return refuse_limit(
			request, "fan-out", charter->fan_out, "so many are open below the parent");
	return true;
}

bool issue_check_limits(const struct issue *issue, struct issue_request *request,
	const struct proven *proven, struct text parent)
{
	const struct task_table *tasks = issue->parts.tasks;
	const struct charter *charter = proven->charter;
	const struct task *above_it = task_find(tasks, parent);
	const struct charter *above =
		above_it == NULL || text_equal(above_it->identity, proven->identity)
			? NULL
			: registry_find_charter(issue->parts.registry, above_it->identity);

	if (!check_names(issue, request, proven) ||
		!check_below(issue, request, charter, above_it) ||
		!check_below(issue, request, above, above_it))
		return false;
	if (charter->open_tasks > 0 &&
		issue_count_openings(issue, proven->identity, TEXT("")) +
				task_count_live(tasks, proven->identity, issue_now_utc_ms(issue),
					(size_t)charter->open_tasks) >=
			(size_t)charter->open_tasks)
		return refuse_limit(request, "open-tasks", charter->open_tasks, "so many are open");
	return true;
}

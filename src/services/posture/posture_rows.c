/* Which subject violates what.  A subject without a violation has no row, so memory goes by
 * what is wrong; counts are kept with each change. */
#include <stdlib.h>

#include "services/posture/posture_private.h"

static void count(struct posture *posture, check_set violated, int by)
{
	while (violated != 0) {
		int check = __builtin_ctzll(violated);

		posture->counts[check] += (uint64_t)(int64_t)by;
		violated &= violated - 1;
	}
}

static struct row *row_create(struct text subject)
{
	struct row *row = calloc(1, sizeof *row + subject.length);

	if (row == NULL)
		return NULL;
	memcpy(row + 1, subject.data, subject.length);
	row->subject = (struct text){(const char *)(row + 1), subject.length};
	return row;
}

static struct row *row_add(struct posture *posture, struct text subject, struct error *err)
{
	struct row *row = row_create(subject);

	if (row != NULL && name_table_put(posture->rows, subject, row))
		return row;
	free(row);
	error_set(err, ERROR_LIMIT, "no memory for what is violated");
	return NULL;
}

bool posture_row_set(struct posture *posture, struct text subject, check_set asked,
	check_set violated, struct error *err)
{
	struct row *row = name_table_find(posture->rows, subject);
	check_set before = row == NULL ? 0 : row->violated;
	check_set after = (before & ~asked) | (violated & asked);

	if (before == after)
		return true;
	if (row == NULL)
		row = row_add(posture, subject, err);
	if (row == NULL)
		return false;
	count(posture, before, -1);
	count(posture, after, 1);
	row->violated = after;
	posture->is_changed = true;
	if (after == 0)
		free(name_table_remove(posture->rows, subject));
	return true;
}

const struct row *posture_row_find(const struct posture *posture, struct text subject)
{
	return subject.length == 0 ? NULL : name_table_find(posture->rows, subject);
}

/* A table by name, and a list from the oldest to the newest, for who has to give way.
 *
 * Invariant: each entry of the list is in the table under its own key, and holds one share of
 * its identity. */
#include "services/call/peer_tasks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/charter/name_table.h"
#include "services/call/share.h"

struct entry {
	struct entry *older, *newer;
	struct share *of_identity;
	struct text key; /* the thing, the peer, a line end, the id */
	struct text identity;
	struct text root; /* the first task of the tree */
	struct text skill;
	char bytes[];
};

struct peer_tasks {
	struct name_table *entries;
	struct share_table *identities;
	struct entry *oldest, *newest;
	size_t count_max;
	size_t of_identity_max;
};

enum { KEY_BYTES_MAX = 1024 };

bool peer_tasks_create(
	struct peer_tasks **out, size_t count_max, size_t of_identity_max, struct error *err)
{
	struct peer_tasks *tasks = calloc(1, sizeof *tasks);

	*out = NULL;
	if (tasks != NULL) {
		tasks->count_max = count_max;
		tasks->of_identity_max = of_identity_max;
		tasks->entries = name_table_create();
	}
	if (tasks == NULL || tasks->entries == NULL) {
		peer_tasks_destroy(&tasks);
		return error_set(err, ERROR_LIMIT, "no memory for the tasks of peers");
	}
	if (!share_table_create(&tasks->identities, count_max, err)) {
		peer_tasks_destroy(&tasks);
		return false;
	}
	*out = tasks;
	return true;
}

static void forget(struct peer_tasks *tasks, struct entry *entry)
{
	(void)name_table_remove(tasks->entries, entry->key);
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		tasks->oldest = entry->newer;
	if (entry->newer != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): who is freed is off the list */
		entry->newer->older = entry->older;
	else
		tasks->newest = entry->older;
	share_give(tasks->identities, &entry->of_identity);
	free(entry);
}

void peer_tasks_destroy(struct peer_tasks **tasks)
{
	if (*tasks == NULL)
		return;
	while ((*tasks)->oldest != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		forget(*tasks, (*tasks)->oldest);
	name_table_destroy(&(*tasks)->entries, NULL);
	share_table_destroy(&(*tasks)->identities);
	free(*tasks);
	*tasks = NULL;
}

/* Empty where the parts are too long for any that was noted. */
static struct text key_of(const struct peer_name *name, char key[KEY_BYTES_MAX])
{
	size_t at = 0;

	if (name->id.length == 0 || name->peer.length + name->id.length + 2 > KEY_BYTES_MAX)
		return TEXT("");
	key[at++] = name->thing == PEER_TASK ? 't' : 'c';
	memcpy(key + at, name->peer.data, name->peer.length);
	at += name->peer.length;
	key[at++] = '\n';
	memcpy(key + at, name->id.data, name->id.length);
	return (struct text){key, at + name->id.length};
}

static struct text place(char **end, struct text from)
{
	struct text placed = {*end, from.length};

	if (from.length != 0)
		memcpy(*end, from.data, from.length);
	*end += from.length;
	return placed;
}

static struct entry *entry_create(struct text key, const struct task *task, struct text skill)
{
	struct text root = task_root(task)->id;
	struct entry *entry = calloc(1, sizeof *entry + key.length + task->identity.length +
						root.length + skill.length + 1);
	char *end;

	if (entry == NULL)
		return NULL;
	end = entry->bytes;
	entry->key = place(&end, key);
	entry->identity = place(&end, task->identity);
	entry->root = place(&end, root);
	entry->skill = place(&end, skill);
	return entry;
}

/* One identity does not push out what others have, while it has something itself. */
static bool take_share(struct peer_tasks *tasks, struct entry *entry)
{
	struct entry *oldest = tasks->oldest;
	struct error err;

	if (share_take(&entry->of_identity, tasks->identities, entry->identity,
		    tasks->of_identity_max, &err))
		return true;
	while (oldest != NULL && !text_equal(oldest->identity, entry->identity))
		oldest = oldest->newer;
	if (oldest == NULL)
		return false;
	forget(tasks, oldest);
	return share_take(&entry->of_identity, tasks->identities, entry->identity,
		tasks->of_identity_max, &err);
}

bool peer_tasks_note(struct peer_tasks *tasks, const struct peer_name *name,
	const struct task *task, struct text skill)
{
	char bytes[KEY_BYTES_MAX];
	struct text key = key_of(name, bytes);
	struct entry *entry;

	if (key.length == 0 || name_table_find(tasks->entries, key) != NULL)
		return key.length != 0;
	entry = entry_create(key, task, skill);
	if (entry == NULL)
		return false;
	if (!take_share(tasks, entry) || !name_table_put(tasks->entries, entry->key, entry)) {
		share_give(tasks->identities, &entry->of_identity);
		free(entry);
		return false;
	}
	entry->older = tasks->newest;
	if (tasks->newest != NULL)
		tasks->newest->newer = entry;
	else
		tasks->oldest = entry;
	tasks->newest = entry;
	if (name_table_count(tasks->entries) > tasks->count_max)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		forget(tasks, tasks->oldest);
	return true;
}

struct text peer_tasks_find(
	const struct peer_tasks *tasks, const struct peer_name *name, const struct task *task)
{
	char bytes[KEY_BYTES_MAX];
	struct text key = key_of(name, bytes);
	const struct entry *entry = key.length == 0 ? NULL : name_table_find(tasks->entries, key);

	if (entry == NULL || !text_equal(entry->identity, task->identity) ||
		!text_equal(entry->root, task_root(task)->id))
		return (struct text){0};
	return entry->skill;
}

size_t peer_tasks_count(const struct peer_tasks *tasks)
{
	return name_table_count(tasks->entries);
}

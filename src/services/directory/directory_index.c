/* Who is who in a directory: kept beside the registry, from the same records. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "services/directory/directory_private.h"

enum { INDEX_KEY_BYTES_MAX = CHARTER_NAME_BYTES_MAX + 1 + PERSON_NAME_BYTES_MAX };

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "DIRECTORY/rest", with small letters if need be; empty: too long to be there. */
static struct text key_of(
	char out[INDEX_KEY_BYTES_MAX], struct text directory, struct text rest, bool is_small)
{
	size_t length = directory.length + 1 + rest.length;

	if (length > INDEX_KEY_BYTES_MAX || directory.length == 0 || rest.length == 0)
		return TEXT("");
	memcpy(out, directory.data, directory.length);
	out[directory.length] = '/';
	for (size_t i = 0; i < rest.length; i++)
		out[directory.length + 1 + i] = is_small ? small(rest.data[i]) : rest.data[i];
	return (struct text){out, length};
}

static struct text letters_of(char out[INDEX_KEY_BYTES_MAX], struct text name)
{
	if (name.length > INDEX_KEY_BYTES_MAX)
		return TEXT("");
	for (size_t i = 0; i < name.length; i++)
		out[i] = small(name.data[i]);
	return (struct text){out, name.length};
}

/* ---- marks ---- */

static struct text keep(char **at, struct text text)
{
	struct text kept = {*at, text.length};

	memcpy(*at, text.length == 0 ? "" : text.data, text.length);
	*at += text.length;
	return kept;
}

static struct mark *mark_create(const struct person *person)
{
	char letters[INDEX_KEY_BYTES_MAX], id[INDEX_KEY_BYTES_MAX], user[INDEX_KEY_BYTES_MAX];
	const struct person_directory *of = &person->directory;
	const struct mark borrowed = {.person = person->name,
		.letters = letters_of(letters, person->name),
		.id = key_of(id, of->name, of->id, false),
		.user = key_of(user, of->name, of->user_name, true)};
	struct mark *mark =
		calloc(1, sizeof *mark + borrowed.person.length + borrowed.letters.length +
				  borrowed.id.length + borrowed.user.length);
	char *at;

	if (mark == NULL)
		return NULL;
	at = (char *)(mark + 1);
	mark->person = keep(&at, borrowed.person);
	mark->letters = keep(&at, borrowed.letters);
	mark->id = keep(&at, borrowed.id);
	mark->user = keep(&at, borrowed.user);
	mark->left_utc_s = person->left_utc_s;
	mark->has_id = of->id.length > 0;
	if (!time_parse_utc_ms(json_text_or(&of->profile, "created", ""), &mark->created_utc_ms))
		mark->created_utc_ms = MARK_NEVER;
	return mark;
}

/* ---- crowds ---- */

static struct crowd *crowd_need(struct directory_service *service, struct text directory)
{
	struct crowd *crowd = name_table_find(service->crowds, directory);

	if (crowd != NULL)
		return crowd;
	crowd = calloc(1, sizeof *crowd + directory.length);
	if (crowd == NULL)
		return NULL;
	memcpy(crowd->bytes, directory.data, directory.length);
	crowd->directory = (struct text){crowd->bytes, directory.length};
	if (name_table_put(service->crowds, crowd->directory, crowd))
		return crowd;
	free(crowd);
	return NULL;
}

/* False without memory. */
static bool join_crowd(struct directory_service *service, struct mark *mark, struct text directory)
{
	if (directory.length == 0)
		return true;
	mark->crowd = crowd_need(service, directory);
	if (mark->crowd == NULL)
		return false;
	mark->next = mark->crowd->first;
	if (mark->next != NULL)
		mark->next->last = mark;
	mark->crowd->first = mark;
	return true;
}

/* Who has nobody left goes. */
static void leave_crowd(struct directory_service *service, struct mark *mark)
{
	struct crowd *crowd = mark->crowd;

	if (crowd == NULL)
		return;
	if (mark->next != NULL)
		mark->next->last = mark->last;
	*(mark->last != NULL ? &mark->last->next : &crowd->first) = mark->next;
	if (crowd->first == NULL)
		free(name_table_remove(service->crowds, crowd->directory));
}

static void count_of(struct directory_service *service, struct text id, int more)
{
	ptrdiff_t slash = text_find_byte(id, '/');
	struct directory *directory =
		slash < 0 ? NULL : directory_find(service, (struct text){id.data, (size_t)slash});

	if (directory != NULL)
		directory->people = (size_t)((ptrdiff_t)directory->people + more);
}

/* Takes out what leads to this mark, and to no other. */
static void forget_key(struct name_table *table, struct text key, const struct mark *mark)
{
	if (key.length > 0 && name_table_find(table, key) == mark)
		(void)name_table_remove(table, key);
}

static void forget(struct directory_service *service, struct text name)
{
	struct mark *mark = name_table_remove(service->marks, name);

	if (mark == NULL)
		return;
	forget_key(service->letters, mark->letters, mark);
	forget_key(service->ids, mark->id, mark);
	forget_key(service->users, mark->user, mark);
	count_of(service, mark->id, -1);
	leave_crowd(service, mark);
	free(mark);
}

/* The first of a key stays. */
static bool put_key(struct name_table *table, struct text key, struct mark *mark)
{
	return key.length == 0 || name_table_find(table, key) != NULL ||
	       name_table_put(table, key, mark);
}

bool index_person(struct directory_service *service, struct text name, struct error *err)
{
	const struct person *person = registry_find_person(service->parts.registry, name);
	struct mark *mark;

	forget(service, name);
	if (person == NULL)
		return true;
	mark = mark_create(person);
	if (mark == NULL || !name_table_put(service->marks, mark->person, mark)) {
		free(mark);
		return error_set(err, ERROR_LIMIT, "no memory for a person");
	}
	count_of(service, mark->id, 1);
	return (join_crowd(service, mark, person->directory.name) &&
		       put_key(service->letters, mark->letters, mark) &&
		       put_key(service->ids, mark->id, mark) &&
		       put_key(service->users, mark->user, mark)) ||
	       error_set(err, ERROR_LIMIT, "no memory for a person");
}

struct everybody {
	struct directory_service *service;
	struct error *err;
	bool has_failed;
};

static bool index_one(void *context, const struct registry_entry *entry)
{
	struct everybody *all = context;

	all->has_failed = !index_person(all->service, entry->name, all->err);
	return !all->has_failed;
}

bool index_everybody(struct directory_service *service, struct error *err)
{
	struct everybody all = {.service = service, .err = err};

	registry_each(service->parts.registry, OBJECT_PERSON, TEXT(""), index_one, &all);
	return !all.has_failed;
}

void index_destroy(struct directory_service *service)
{
	name_table_destroy(&service->letters, NULL);
	name_table_destroy(&service->ids, NULL);
	name_table_destroy(&service->users, NULL);
	name_table_destroy(&service->crowds, free);
	name_table_destroy(&service->marks, free);
}

/* ---- finding ---- */

static const struct registry_entry *entry_of(
	const struct directory_service *service, const struct mark *mark)
{
	return mark == NULL ? NULL
			    : registry_find(service->parts.registry, OBJECT_PERSON, mark->person);
}

const struct registry_entry *index_find_id(
	const struct directory_service *service, struct text directory, struct text id)
{
	char key[INDEX_KEY_BYTES_MAX];
	struct text wanted = key_of(key, directory, id, false);

	return entry_of(service, wanted.length == 0 ? NULL : name_table_find(service->ids, wanted));
}

const struct registry_entry *index_find_user(
	const struct directory_service *service, struct text directory, struct text user_name)
{
	char key[INDEX_KEY_BYTES_MAX];
	struct text wanted = key_of(key, directory, user_name, true);

	return entry_of(
		service, wanted.length == 0 ? NULL : name_table_find(service->users, wanted));
}

const struct registry_entry *index_find_letters(
	const struct directory_service *service, struct text name)
{
	char key[INDEX_KEY_BYTES_MAX];
	struct text wanted = letters_of(key, name);

	return entry_of(
		service, wanted.length == 0 ? NULL : name_table_find(service->letters, wanted));
}

const struct mark *index_first(const struct directory_service *service, struct text directory)
{
	const struct crowd *crowd =
		directory.length == 0 ? NULL : name_table_find(service->crowds, directory);

	return crowd == NULL ? NULL : crowd->first;
}

void index_each(const struct directory_service *service, struct text directory,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context)
{
	char prefix[CHARTER_NAME_BYTES_MAX + 2] = "";
	const struct mark *mark;

	if (directory.length == 0 || directory.length > CHARTER_NAME_BYTES_MAX)
		return;
	memcpy(prefix, directory.data, directory.length);
	prefix[directory.length] = '/';
	mark = name_table_next(service->ids, text_of(prefix));
	while (mark != NULL && text_starts_with(mark->id, prefix)) {
		const struct registry_entry *entry = entry_of(service, mark);

		if (entry != NULL && entry->in_force != NULL && !visit(context, entry))
			return;
		mark = name_table_next(service->ids, mark->id);
	}
}

#ifndef SERVICES_DIRECTORY_DIRECTORY_PRIVATE_H
#define SERVICES_DIRECTORY_DIRECTORY_PRIVATE_H

#include "domain/charter/name_table.h"
#include "services/directory/directory.h"

/* A directory, as its last record says. */
struct directory {
	struct text name;
	struct text unit; /* of people whose department is no unit */
	bool has_token;   /* one that only tables are imported to has none */
	struct sha256 token;
	int64_t expires_utc_ms;
	int64_t stopped_utc_ms;         /* 0: it is not */
	struct text stopped_by;         /* actor of the change that was too much */
	int64_t confirmed_until_utc_ms; /* 0: never */
	/* Whom moves took roles or a clearance, in an hour that began then; of this process. */
	int64_t lost;
	int64_t lost_since_utc_ms;
	size_t people; /* that are in the index, left or not */
	size_t groups;
	struct arena *arena;
};

/* How the index finds a person; the texts are owned, in one block. */
struct mark {
	struct text person;
	struct text letters; /* the name, made small */
	struct text id;      /* "DIRECTORY/ID"; empty: of no directory */
	struct text user;    /* "DIRECTORY/user name made small" */
	/* What counts of who leaves; of no directory they are in no crowd. */
	struct crowd *crowd;
	struct mark *next; /* of the crowd */
	struct mark *last;
	int64_t created_utc_ms; /* by the directory; MARK_NEVER: not known */
	int64_t left_utc_s;     /* 0: they are here */
	bool has_id;            /* the directory still has them */
};

#define MARK_NEVER INT64_MAX

/* The people of one directory, here or not, so that counting them looks at no others. */
struct crowd {
	struct mark *first;
	struct text directory;
	char bytes[];
};

struct group {
	struct text id;             /* "DIRECTORY/ID" */
	struct json resource;       /* without members, id and meta */
	const struct text *members; /* ids of users */
	size_t members_count;
	struct text created;
	struct text modified;
	uint64_t revision; /* index of its record */
	struct arena *arena;
};

struct directory_service {
	struct directory_parts parts;
	struct people_listener listener;
	struct text base;
	struct name_table *directories;
	struct name_table *marks;   /* by person */
	struct name_table *crowds;  /* by directory */
	struct name_table *letters; /* the first of each spelling */
	struct name_table *ids;
	struct name_table *users;
	struct name_table *groups; /* by "DIRECTORY/ID" */
	/* Of groups, tokens and stops: one record at a time. */
	struct directory_request *current;
	struct directory_request *first;
	struct directory_request *last;
	size_t waiting;
	bool is_running;
};

/* directory_index.c */
bool index_person(struct directory_service *service, struct text name, struct error *err);
bool index_everybody(struct directory_service *service, struct error *err);
void index_destroy(struct directory_service *service);
/* The person in force, or NULL.  letters: whoever is called so, whatever the case. */
const struct registry_entry *index_find_id(
	const struct directory_service *service, struct text directory, struct text id);
const struct registry_entry *index_find_user(
	const struct directory_service *service, struct text directory, struct text user_name);
const struct registry_entry *index_find_letters(
	const struct directory_service *service, struct text name);
/* The first of the directory's people, those behind it by mark->next; NULL: it has none. */
const struct mark *index_first(const struct directory_service *service, struct text directory);
/* Calls visit for each person of the directory in order of id, until it returns false. */
void index_each(const struct directory_service *service, struct text directory,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context);

/* directory_fold.c */
bool directory_register(struct directory_service *service, struct error *err);
bool directory_tables_create(struct directory_service *service);
void directory_tables_destroy(struct directory_service *service);
struct directory *directory_find(const struct directory_service *service, struct text name);
const struct group *group_find(
	const struct directory_service *service, struct text directory, struct text id);

/* directory_people.c: of users and imports, through the registrar. */
void directory_provision(struct directory_request *request);
/* Leavers within the window, and how many may be. */
void directory_count(const struct directory_service *service, const struct directory *directory,
	int64_t *leavers, int64_t *most);

/* directory_group.c: fills request->change.entry, and the answer.  False: fault says why. */
bool group_prepare(struct directory_service *service, struct directory_request *request);
bool group_shown(const struct directory_service *service, const struct group *group,
	struct arena *arena, struct json *out, struct error *err);

/* directory.c: refuses what has not been taken. */
void directory_refuse(
	struct directory_request *request, unsigned status, const char *type, const char *detail);
/* Writes that the directory is stopped, unless it is by then, and answers the request. */
void directory_stop(struct directory_request *request);

#endif

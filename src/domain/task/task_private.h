#ifndef DOMAIN_TASK_TASK_PRIVATE_H
#define DOMAIN_TASK_TASK_PRIVATE_H

#include "domain/charter/charter.h"
#include "domain/charter/name_table.h"
#include "domain/task/names.h"
#include "domain/task/task.h"
#include "domain/task/touch.h"

/* What the files of this folder share: how a task lies in memory. */

struct node;

/* What tasks hang on and share an epoch by: a unit, an identity, an instance of one. */
struct anchor {
	uint32_t epoch;        /* counts its kills */
	uint32_t epoch_before; /* the last one */
	uint32_t held;         /* tasks in the table that name it, dead ones included */
	/* Of an identity: its tasks, in the order opened. */
	struct node *oldest;
	struct node *youngest;
	struct text name;
	char bytes[];
};

/* A token that was ended alone; known as long as its task. */
struct revoked {
	struct revoked *next;
	size_t length;
	char id[];
};

struct source {
	uint64_t record;
	struct word *tool; /* NULL: none was named */
	bool is_known;
};

/* What few tasks have, so that those without it need no room for it. */
struct notes {
	struct source label;     /* of the present label */
	struct source untrusted; /* of has_untrusted_content */
	struct revoked *revoked;
	uint32_t revoked_count;
};

/* Which heap a node lies in. */
enum wait { WAIT_END = 0, WAIT_FORGET };

struct node {
	struct named named; /* first */
	struct task task;
	struct task_details *details; /* owned; NULL: none */
	struct anchor *owner;         /* the identity */
	struct anchor *unit;          /* NULL: its record names none */
	struct anchor *instance;
	struct word *person;
	struct word *vouched;
	struct word *brought; /* id of the parent's token that was exchanged for it; NULL: none */
	struct notes *notes;
	uint64_t last_call; /* leaf of its last decision, plus 1; 0: none known */
	struct node *first_child;
	struct node *sibling;
	struct node *sibling_before;
	struct node *older; /* of the same identity */
	struct node *younger;
	uint32_t unit_epoch; /* these, as they were when it was opened */
	uint32_t instance_epoch;
	uint32_t idle_s;     /* 0: it may be idle */
	uint32_t last_use_s; /* UTC */
	uint32_t place;      /* in its heap */
	uint8_t wait;        /* enum wait */
	uint8_t session;     /* enum task_session */
	bool is_let_go;      /* the last connection that held it has gone */
	bool is_forfeit;     /* two have what only one may have of it */
	uint16_t attached;   /* connections that hold it now */
	char texts[];        /* id, purpose */
};

struct slot_due {
	int64_t due_utc_ms;
	struct node *node;
};

/* Two heaps of nodes by when they have to be looked at next, in one array: WAIT_END grows
 * from its front, WAIT_FORGET from its back, so that a node can always change over. */
struct due_heaps {
	struct slot_due *slots;
	size_t room;
	size_t counts[2]; /* by enum wait */
};

struct task_table {
	struct name_slots tasks;
	struct name_table *units;
	struct name_table *identities;
	struct name_table *instances; /* "IDENTITY/NAME" */
	struct name_slots words;
	struct due_heaps due;
	struct touches *touches;
	struct line_uses *uses;
	struct task_bounds bounds;
	size_t instances_killed;
	uint32_t units_epoch;   /* the highest of all units: their kills count together */
	uint32_t units_given;   /* likewise, of records that were made: each has one of its own */
	int64_t started_utc_ms; /* idle times count from here at the earliest */
	uint32_t walks;         /* nothing is forgotten while there are some */
};

struct node *node_of(const struct task *task);
struct node *node_find(const struct task_table *table, struct text id);
static inline struct node *node_parent(const struct node *node)
{
	return node->task.parent == NULL ? NULL : node_of(node->task.parent);
}
/* Whether the token of its parent that was exchanged for it was killed. */
bool node_is_brought_by_killed(const struct node *node);
/* NULL without memory. */
struct notes *node_notes(struct node *node);
void node_free(struct task_table *table, struct node *node);

/* NULL: nobody heard of it. */
struct anchor *anchor_find(const struct name_table *anchors, struct text name);
/* Made if it is the first we hear of it.  Errors: LIMIT. */
bool anchor_get(struct name_table *anchors, struct text name, struct anchor **out,
	struct error *err) MUST_CHECK;

enum { INSTANCE_KEY_BYTES_MAX = 2 * CHARTER_NAME_BYTES_MAX + 1 };
/* "IDENTITY/NAME"; empty: it can be none. */
struct text instance_key(
	char bytes[INSTANCE_KEY_BYTES_MAX], struct text identity, struct text instance);

/* Room for one more, so that due_insert cannot fail. */
bool due_reserve(struct task_table *table, struct error *err) MUST_CHECK;
void due_insert(struct task_table *table, struct node *node);
void due_remove(struct task_table *table, struct node *node);
/* After what it depends on has changed. */
void due_update(struct task_table *table, struct node *node);
void due_deinit(struct task_table *table);

/* Takes a node without children out of all and frees it. */
void node_forget(struct task_table *table, struct node *node);

#endif

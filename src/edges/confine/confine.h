#ifndef EDGES_CONFINE_CONFINE_H
#define EDGES_CONFINE_CONFINE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Holds a server that remit starts as its child to what it needs, although it runs
 * as remit's own user.
 *
 * Files (Landlock; everything else is refused):
 *   to read and run   the system (/usr, /bin, /lib…), the folders of the search path,
 *                     the program, its interpreter and what they are installed with
 *   to read           a few files of /etc that programs need to find each other
 *   to read and write a folder of its own, DIR/servers/NAME, and each folder that
 *                     one of its arguments names
 *   to read and run   each file that an argument names, and the project it lies in
 * Never, whatever an argument says: DIR, a folder above it, remit's own names in it.
 * An argument is relative to DIR; one that leads through a symbolic link grants
 * nothing, because a server could have laid the link.
 *
 * System calls (seccomp): no local sockets, no tracing, no kernel interfaces, no
 * changing of modes and owners by path, no signal to remitd.  Capabilities: none.
 * The network stays: a server may need it, and remit's port gives nothing without
 * a token. */

enum {
	CONFINE_FILES_MAX = 4096, /* open files of a child */
	CONFINE_PATH_BYTES = 4096,
	CONFINE_PROJECT_LEVELS_MAX = 3, /* how far above a file its project may begin */
	CONFINE_TASKS_MAX = 100,        /* threads of ours that a child may not signal */
};

/* Zero confines. */
enum confine_mode { CONFINE_CHILDREN = 0, CONFINE_NOTHING };

/* What this kernel offers. */
struct confine_features {
	int landlock_version; /* 0: none */
	bool has_filter;      /* seccomp, and a filter for this processor */
};

/* Borrowed while the confiner lives. */
struct confine_settings {
	const char *directory;            /* the data folder, DIR; it exists */
	bool (*is_own)(struct text name); /* names in DIR that no child may have */
	const char *search_path;          /* where programs are found, ':' between; may be NULL */
	enum confine_mode mode;
	struct confine_features features; /* as confine_probe found them */
};

/* One child to be. */
struct confine_child {
	struct text name; /* of its folder; no '/', no '.' at the start */
	const char *program;
	const char *const *arguments; /* NULL-terminated; [0] is the program's name */
};

struct confiner;
struct confinement;

void confine_probe(struct confine_features *out);
/* Errors: IO (the data folder), LIMIT. */
bool confiner_create(struct confiner **out, const struct confine_settings *settings,
	struct error *err) MUST_CHECK;
void confiner_destroy(struct confiner **handle);

/* Everything that the child will be held to, computed and allocated; makes the
 * child's own folder.  The caller releases it once the child runs.
 * Errors: IO (the kernel cannot, or a folder), INVALID (the name), LIMIT. */
bool confine_prepare(struct confinement **out, const struct confiner *confiner,
	const struct confine_child *child, struct error *err) MUST_CHECK;
/* The child's own folder, absolute. */
const char *confinement_home(const struct confinement *confinement);
/* For process_settings.confine, with the confinement as its context: in the child,
 * between fork and exec.  NULL, or what could not be given up, with errno. */
const char *confinement_enter(const void *context);
/* Takes NULL. */
void confinement_release(struct confinement **handle);

#endif

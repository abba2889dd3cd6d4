#ifndef EDGES_CONFINE_CONFINE_PRIVATE_H
#define EDGES_CONFINE_CONFINE_PRIVATE_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "edges/confine/confine.h"

/* Shared inside edges/confine. */

enum { FILTER_INSTRUCTIONS_MAX = 1024 };

struct confiner {
	struct confine_settings settings;
	int directory_fd;
	char directory[CONFINE_PATH_BYTES]; /* DIR, no links in it */
};

/* A filter in the making. */
struct filter {
	struct sock_filter code[FILTER_INSTRUCTIONS_MAX];
	size_t count;
	bool is_full;
};

/* confine_filter.c */

/* True if this processor's system calls are known. */
bool filter_is_known(void);
/* Errors: LIMIT (CONFINE_TASKS_MAX), IO. */
bool filter_build(struct filter *out, int landlock_version, struct error *err);
/* The other way round: what is in no list fails with EPERM. */
struct filter_list {
	const uint32_t *allowed;
	size_t allowed_count;
	const uint32_t *fatal; /* end the process */
	size_t fatal_count;
};
void filter_build_list(struct filter *out, const struct filter_list *list);

/* confine.c */

/* System calls only.  False with errno. */
bool capabilities_drop(void);

/* confine_files.c */

/* What of files a Landlock of this version can refuse. */
uint64_t files_handled(int landlock_version);
/* Adds to ruleset what the child may do with files; home is its own folder.
 * Errors: IO, LIMIT. */
bool files_grant(const struct confiner *confiner, int ruleset, const struct confine_child *child,
	const char *home, struct error *err);

#endif

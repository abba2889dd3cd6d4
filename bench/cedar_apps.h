#ifndef BENCH_CEDAR_APPS_H
#define BENCH_CEDAR_APPS_H

#include <stdbool.h>

/* The applications that bench/cedar and its peers decide in: the published ones
 * first, then two hospitals, named by how many policies they have. */
enum { CEDAR_APPS = 7, CEDAR_APPS_PUBLISHED = 5 };
extern const char *const cedar_apps[CEDAR_APPS];

/* Makes root/apps beside root/workloads (the published archive, unpacked): for each
 * APP its policies.cedar and APP.cedarschema.json.  vectors is an absolute path. */
bool cedar_apps_lay_out(const char *vectors, const char *root);

#endif

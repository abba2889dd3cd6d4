#ifndef EDGES_CONFINE_LANDLOCK_H
#define EDGES_CONFINE_LANDLOCK_H

#include <linux/landlock.h>
#include <stdint.h>

/* Landlock as later kernels have it: Debian 12's header stops at version 2.  Names
 * of our own, so that a newer header cannot collide.  Linux 5.13: version 1; 5.19:
 * 2; 6.2: 3; 6.7: 4; 6.10: 5; 6.12: 6; 6.15: 7. */

enum {
	LANDLOCK_VERSION_TRUNCATE = 3,
	LANDLOCK_VERSION_REFER = 2,
	LANDLOCK_VERSION_NETWORK = 4,
	LANDLOCK_VERSION_DEVICES = 5,
	LANDLOCK_VERSION_SCOPES = 6,
};

#define LANDLOCK_FS_TRUNCATE (UINT64_C(1) << 14)          /* Linux 6.2 */
#define LANDLOCK_FS_IOCTL_DEVICE (UINT64_C(1) << 15)      /* Linux 6.10 */
#define LANDLOCK_NETWORK_ALL (UINT64_C(3))                /* bind and connect; Linux 6.7 */
#define LANDLOCK_SCOPE_ABSTRACT_SOCKET (UINT64_C(1) << 0) /* Linux 6.12 */
#define LANDLOCK_SCOPE_SIGNALS (UINT64_C(1) << 1)         /* Linux 6.12 */

/* struct landlock_ruleset_attr; older kernels take a shorter one. */
struct landlock_handled {
	uint64_t files;
	uint64_t network; /* Linux 6.7; of servers nothing of it is handled */
	uint64_t scopes;  /* Linux 6.12 */
};

#endif

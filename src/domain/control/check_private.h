#ifndef DOMAIN_CONTROL_CHECK_PRIVATE_H
#define DOMAIN_CONTROL_CHECK_PRIVATE_H

#include "domain/control/check.h"

/* Private to domain/control. */

/* check_identity_entry.c; entry has a charter in force. */
bool check_identity_entry(const struct control_world *world, const struct registry_entry *entry,
	check_set *out, struct error *err) MUST_CHECK;

/* A charter in force, and neither retired nor only planned. */
static inline bool identity_is_in_force(const struct registry_entry *entry)
{
	return entry != NULL && entry->in_force != NULL &&
	       (entry->state == IDENTITY_ACTIVE || entry->state == IDENTITY_SUSPENDED);
}

/* A moment of the graph that lies more than that before now.  0, not known: false. */
static inline bool is_longer_ago(graph_time at_s, int64_t seconds, int64_t now_utc_s)
{
	return at_s != 0 && now_utc_s - (int64_t)at_s > seconds;
}

static inline graph_time later_of(graph_time a, graph_time b)
{
	return a > b ? a : b;
}

/* The latest use of the account, and what is known of its age (docs/posture-checks.md). */
struct account_times {
	graph_time used_s;
	graph_time known_s;
};
struct account_times account_times_of(
	const struct control_world *world, const struct graph_node *account);

static inline bool node_is_live(const struct graph_node *node)
{
	return (node->flags & GRAPH_NODE_IS_KNOWN) != 0 && (node->flags & GRAPH_NODE_IS_OFF) == 0;
}

#endif

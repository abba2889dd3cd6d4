#ifndef DOMAIN_INVENTORY_FLOW_H
#define DOMAIN_INVENTORY_FLOW_H

#include "domain/inventory/converting.h"

/* What automation platforms have in common: a flow acts through connections, and a connection
 * may whatever its credential may, which no export says: read, write and execute. */

struct flow {
	struct text id;
	struct text title;
	struct text creator; /* a person; empty: not said.  No owner */
	struct text place;
	bool is_off;
	graph_time created_s;
	graph_time used_s;
};
void flow_put(struct converting *c, const struct flow *flow);

struct flow_connection {
	struct text id; /* without "connection/" */
	struct text title;
	struct text service; /* "slack" */
	struct text creator;
	bool is_off;
	graph_time created_s;
};
void flow_put_connection(struct converting *c, const struct flow_connection *connection);

/* flow uses the connection. */
void flow_put_use(struct converting *c, struct text flow, struct text connection, struct text why);

/* What a step of the flow does at a service. */
struct flow_step {
	struct text flow;
	struct text service;
	struct text scope; /* "slack/message.post" */
	uint32_t effects;
};
void flow_put_step(struct converting *c, const struct flow_step *step);

#endif

#ifndef EDGES_SCIM_SCIM_PRIVATE_H
#define EDGES_SCIM_SCIM_PRIVATE_H

#include "edges/scim/scim.h"

enum { SCIM_ARENA_BYTES_MAX = 64 * 1024 * 1024, SCIM_SOON_MS = 1 };

struct scim_bulk;
struct scim_listing;

struct scim {
	struct loop *loop;
	struct directory_service *directories;
	struct scim_exchange *exchanges;
	unsigned count;
};

/* One request, until it is answered and its connection is over. */
struct scim_exchange {
	struct scim *scim;
	struct http_exchange *http; /* NULL once the peer has gone */
	struct arena *arena;        /* owned */
	struct text method;
	struct text path; /* below /scim/v2/, decoded */
	struct text directory;
	struct json body; /* JSON_NULL: none */
	const struct scim_resource_type *type;
	struct text id;
	struct scim_selection selection;
	struct directory_request request;
	struct scim_bulk *bulk;       /* in arena */
	struct scim_listing *listing; /* in arena; while it is not answered */
	bool is_answered;
	bool is_closed;
	struct scim_exchange *next;
};

/* scim_answer.c: exactly one ends an exchange. */
void scim_answer_fault(struct scim_exchange *exchange, const struct scim_fault *fault);
void scim_answer_status(
	struct scim_exchange *exchange, unsigned status, const char *type, const char *detail);
void scim_answer_json(struct scim_exchange *exchange, unsigned status, const struct json *body);
/* A resource, cut down to what was asked for, with its ETag and, if it is new, Location. */
void scim_answer_resource(
	struct scim_exchange *exchange, unsigned status, const struct json *resource);
void scim_answer_nothing(struct scim_exchange *exchange);
bool scim_fault_json(
	struct json *out, struct arena *arena, const struct scim_fault *fault, struct error *err);
/* {"schemas": [URN], ...} is begun. */
void scim_start_message(struct json_builder *object, struct arena *arena, const char *urn);

/* scim_query.c */
void scim_handle_list(struct scim_exchange *exchange);
void scim_handle_search(struct scim_exchange *exchange);
void scim_handle_discovery(struct scim_exchange *exchange, struct text what, struct text id);
/* Ends a list that is under way, if one is. */
void scim_listing_end(struct scim_exchange *exchange);
/* scim_bulk.c */
void scim_handle_bulk(struct scim_exchange *exchange);

void scim_exchange_free(struct scim_exchange *exchange); /* scim.c */
/* scim.c: the verb of a method; NOTHING: it changes nothing. */
enum directory_verb scim_verb_of(struct text method);
/* The type of "Users" or "Groups", or NULL. */
const struct scim_resource_type *scim_type_of(struct text endpoint);
/* W/"12" or "12"; false: it is no ETag of ours. */
bool scim_etag_read(struct text etag, uint64_t *out);
/* The part of a path before the next slash, taken off it. */
struct text scim_take_segment(struct text *path);
struct text scim_query(struct scim_exchange *exchange, const char *name);

#endif

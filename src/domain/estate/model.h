#ifndef DOMAIN_ESTATE_MODEL_H
#define DOMAIN_ESTATE_MODEL_H

#include "base/buffer.h"
#include "domain/charter/charter.h"
#include "domain/charter/object.h"
#include "domain/estate/estate.h"
#include "domain/graph/graph.h"

/* Private to domain/estate: the organisation before it is written down.  Everything refers to
 * everything by its place in a list; NOTHING is no place. */

#define NOTHING UINT32_MAX

/* check-source: bound: tables of what there is of each, not limits of input */
enum {
	MODEL_LINES_MAX = 6,
	MODEL_KEYS_MAX = 2,
	MODEL_ACCOUNTS_MAX = 4,
	MODEL_HOLDERS_MAX = 2,
	MODEL_CONNECTORS = 9,
	MODEL_DAY_S = 86400,
};

enum model_rule {
	RULE_NONE = 0,
	RULE_EXACT,        /* one subject */
	RULE_PREFIX_HELD,  /* many, with a claim that says is */
	RULE_PREFIX_LOOSE, /* many, without */
};

enum model_secret { SECRET_NONE = 0, SECRET_VAULT, SECRET_STORED, SECRET_FILE };

struct model_unit {
	struct text name;
	bool has_mandatory;
	bool has_default;
};

struct model_person {
	struct text name;
	uint32_t unit;
	uint32_t was_in; /* another unit, before they moved */
	int64_t left_s;  /* 0: they are here */
	const char *roles;
	enum sensitivity clearance;
};

struct model_server {
	struct text name;
	uint32_t unit;
	enum environment environment;
	enum model_secret secret; /* NONE: a program of ours, or no secret */
	bool is_remote;
};

struct model_tool {
	struct text name;
	uint32_t server;
	enum effect effect;
	enum risk_tier risk;
	enum reversal reversal;
	bool is_pinned;
	uint32_t source;
};

struct model_source {
	struct text name;
	uint32_t unit;
	uint32_t custodian;
	enum sensitivity sensitivity;
	enum environment environment;
};

struct model_issuer {
	struct text name;
	uint32_t unit;
	bool is_github;
};

struct model_line {
	uint32_t tool;
	bool has_approval;
	bool has_condition;
};

struct model_key {
	uint64_t secret; /* equal where the key is */
	enum environment environment;
	int64_t expires_s;
};

struct model_identity {
	struct text name;
	uint32_t unit;
	uint32_t owner;
	uint32_t backup;
	enum identity_kind kind;
	enum use_class use_class;
	enum risk_tier risk;
	enum binding_need binding; /* BY_RISK: not said */
	enum identity_state state;
	uint32_t environments;
	bool has_impact;
	bool has_review;
	uint32_t accepter;        /* of its risk; of a critical one its backup owner, too */
	int64_t accepted_until_s; /* 0: nobody accepted it */
	int64_t looked_s;         /* people looked at it last */
	int64_t judged_s;         /* a review has judged all that it may; 0: none did */
	int64_t due_s;            /* they have to look by then; 0: nothing asks for it */
	uint32_t declares;        /* data source that it may read; NOTHING: none */
	bool is_past;             /* its document would not be taken today */
	bool is_sandbox;
	uint32_t source; /* of a sandbox */
	int64_t expires_s;
	struct model_line lines[MODEL_LINES_MAX];
	uint32_t lines_count;
	struct model_key keys[MODEL_KEYS_MAX];
	uint32_t keys_count;
	enum model_rule rule;
	uint32_t issuer; /* of the rule; NOTHING: of one that is gone */
	bool has_number; /* the rule's claim is a number that is not given out again */
	uint32_t accounts[MODEL_ACCOUNTS_MAX];
	uint32_t accounts_count;
	struct text missing; /* an account that nobody sees; empty: none */
	/* By model_join. */
	bool has_shared_key;
	bool has_key_across;
	bool has_other_hand; /* an edge hands to one that is no peer of its charter */
	int64_t hands_used_s;
	uint32_t peer;
	bool has_hand; /* an edge hands was seen */
	/* Recorded: the last use of its first line; 0: none. */
	int64_t used_s;
	uint32_t uses;
};

struct model_account {
	uint32_t connector;
	struct text id;
	const char *title;
	enum identity_kind kind;
	uint32_t is; /* of enum graph_node_flag */
	uint32_t owner;
	struct text stranger; /* an owner who is not registered; empty: none */
	uint32_t creator;
	uint32_t unit;
	int64_t created_s;
	int64_t used_s;
	uint32_t environments;
	uint32_t first_edge; /* its own are in a row, but for those that came later */
	uint32_t own_edges;
	/* By model_join. */
	uint32_t identity;   /* the first whose it is, in force or not; NOTHING */
	uint32_t identities; /* in force, whose it is */
	uint32_t active;     /* of these */
	int64_t edges_used_s;
	int64_t edges_since_s;
	bool has_wide;
	bool has_consent;
	bool has_hop;         /* a right, or a credential */
	int64_t hops_since_s; /* the latest of them */
	bool has_unexplained; /* a right that nobody is said to have given */
	bool has_undeclared;  /* a right that no charter can declare here */
	uint32_t read_source; /* data source that its other rights read; NOTHING: none */
};

struct model_resource {
	uint32_t connector;
	struct text id;
	uint32_t source; /* data source that it is; NOTHING: of none */
};

enum model_end {
	END_ACCOUNT = 0,
	END_RESOURCE,
	END_IDENTITY,
	END_PERSON,
	END_UNKNOWN, /* the text */
};

struct model_edge {
	uint32_t connector;
	enum graph_edge_kind kind;
	enum model_end from_kind;
	enum model_end to_kind;
	uint32_t from;
	uint32_t to;
	struct text unknown; /* "account:/CONNECTOR/ID", of an end that nothing has */
	const char *scope;
	uint32_t by; /* who gave it; NOTHING: nobody says */
	uint32_t effects;
	uint32_t uses;
	int64_t since_s;
	int64_t used_s;
};

struct model_credential {
	uint32_t connector;
	struct text id;
	uint32_t is;
	uint64_t secret; /* of its fingerprint; 0: has none */
	uint32_t environments;
	uint32_t owner;
	int64_t created_s;
	int64_t expires_s;
	int64_t used_s;
	uint32_t holders[MODEL_HOLDERS_MAX]; /* accounts */
	uint32_t holders_count;
	/* By model_join. */
	bool is_shared;
	bool is_across;
};

/* Something that looks wrong and is not. */
struct model_near {
	const char *check;
	uint32_t at; /* in the list of what the check is about */
	const char *why;
};

struct model_random {
	uint64_t state;
};

#define MODEL_LIST(type, name)                                                                     \
	struct type *name;                                                                         \
	uint32_t name##_count;                                                                     \
	uint32_t name##_room

struct model {
	const struct estate_order *order;
	struct arena *arena;
	struct model_random random;
	bool has_failed; /* no memory */
	MODEL_LIST(model_unit, units);
	MODEL_LIST(model_person, people);
	MODEL_LIST(model_server, servers);
	MODEL_LIST(model_tool, tools);
	MODEL_LIST(model_source, sources);
	MODEL_LIST(model_issuer, issuers);
	MODEL_LIST(model_identity, identities);
	MODEL_LIST(model_account, accounts);
	MODEL_LIST(model_resource, resources);
	MODEL_LIST(model_edge, edges);
	MODEL_LIST(model_credential, credentials);
	MODEL_LIST(model_near, near);
};

/* ---- dice ---- */

uint64_t dice_next(struct model_random *random);
/* From 0 to count - 1. */
uint32_t dice_below(struct model_random *random, uint32_t count);
bool dice_share(struct model_random *random, uint32_t of_thousand);
/* Small numbers often, large ones seldom: 1 to most. */
uint32_t dice_tail(struct model_random *random, uint32_t most);
/* Before the order's moment: between two numbers of days, to the second. */
int64_t dice_ago(struct model *model, double days_least, double days_most);
int64_t dice_ahead(struct model *model, double days_least, double days_most);

/* ---- lists ---- */

/* A zeroed item at the end; NULL without memory, and the model has failed. */
void *model_list_add(
	struct model *model, void *items, uint32_t *count, uint32_t *room, size_t size);
#define ADD(model, name)                                                                           \
	model_list_add((model), &(model)->name, &(model)->name##_count, &(model)->name##_room,     \
		sizeof *(model)->name)
/* .data is "" without memory, and the model has failed. */
struct text say(struct model *model, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- parts ---- */

extern const char *const connector_names[MODEL_CONNECTORS];

void model_organisation(struct model *model); /* units, people, guardrails */
void model_things(struct model *model);       /* servers, tools, data, issuers */
void model_identities(struct model *model);
void model_accounts(struct model *model); /* and what they may, and credentials */
void model_plant(struct model *model);    /* what is wrong, and what only looks so */

bool model_is_here(const struct model *model, uint32_t person);
bool identity_in_force(const struct model_identity *identity);
struct text account_name(struct model *model, uint32_t account); /* CONNECTOR/ID */

/* A near miss of the check. */
void model_near_add(struct model *model, const char *check, uint32_t at, const char *why);

bool write_people(struct model *model, const struct estate_sink *sink, struct error *err);
bool write_things(struct model *model, const struct estate_sink *sink, struct error *err);
bool write_identities(struct model *model, const struct estate_sink *sink, struct error *err);
bool write_inventories(struct model *model, const struct estate_sink *sink, struct error *err);
bool write_answers(struct model *model, const struct estate_sink *sink, struct error *err);
bool write_guide(struct model *model, const struct estate_sink *sink, struct error *err);

/* Appends "2026-11-26T13:00:00Z". */
void append_time(struct buffer *out, int64_t at_s);
/* Gives the file what is in the buffer, which is empty then.  False: the buffer or the sink
 * failed. */
bool hand_over(const struct estate_sink *sink, const char *file, struct buffer *buffer,
	struct error *err) MUST_CHECK;

#endif

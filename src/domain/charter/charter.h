#ifndef DOMAIN_CHARTER_CHARTER_H
#define DOMAIN_CHARTER_CHARTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/acting.h"
#include "domain/charter/federation.h"
#include "domain/charter/terms.h"

/* The approved use-case record of an identity.  Plain, immutable data; every
 * text and array lives in the object that holds the charter (object.h). */

enum {
	CHARTER_LIST_MAX = 64,          /* items of models, data sources, outputs, peers, keys */
	CHARTER_ENTITLEMENTS_MAX = 256, /* entitlements of one charter */
	CHARTER_APPROVALS_MAX = 16,     /* names of approvals on one entitlement */
	CHARTER_USES_MAX = 1000,        /* calls that a line with `uses` lets through */
	CHARTER_NAME_BYTES_MAX = 64,    /* identity, unit, server, data source, role */
	CHARTER_TEXT_BYTES_MAX = 2000,  /* purpose, impact, location */
	PEER_TOOLS_MAX = 32,            /* globs of one peer's reach */
	PEER_SKILLS_MAX = 32,           /* skills of one peer */
	PEER_SKILL_BYTES_MAX = 128,
	PEER_DEPTH_MAX = 6,            /* a chain has two identities more (CHAIN_IDENTITIES_MAX) */
	GLOB_BYTES_MAX = 500,          /* of a URI or the name of a prompt */
	CHARTER_WHEN_BYTES_MAX = 4096, /* one condition */
	CHARTER_TASK_S_MAX = 86400,    /* longest limits.task; 8 h of work and a margin */
	CHARTER_TASK_S_DEFAULT = 900,
	TOKEN_HIGH_S_MAX = 8 * 3600, /* longest token at high risk: a day's work */
	TOKEN_CRITICAL_S_MAX = 3600, /* at critical risk, or where no risk is said */
	CHARTER_CALLS_PER_MINUTE_MAX = 100000,
	CHARTER_DEPTH_MAX = 16,           /* limits.depth: as deep as tasks nest at all */
	CHARTER_FAN_OUT_MAX = 100000,     /* limits.fan-out */
	CHARTER_OPEN_TASKS_MAX = 1000000, /* limits.open-tasks */
	CHARTER_MODEL_BYTES_MAX = 128,    /* name of a model, as its provider writes it */
	ACCOUNT_BYTES_MAX = 449,          /* CONNECTOR/ID: 64, a slash, 384 */
	RISK_ACCEPTERS_MAX = 4,
	AFFECTS_MAX = 32,            /* people and systems downstream */
	VERSIONS_MAX = 32,           /* of models, products and components */
	RECORD_LINE_BYTES_MAX = 200, /* one of those, a vendor, a version */
};

/* The most of a budget's numbers, and of one price: sums of them stay far from overflow. */
#define BUDGET_MOST INT64_C(1000000000000)
#define PRICE_MOST INT64_C(1000000000)

/* A model it may use, and which of what its task has read may go there. */
struct charter_model {
	struct text provider;
	struct text name;
	enum sensitivity up_to; /* UNLABELLED: as PUBLIC */
};

/* What models may cost.  0: no limit of its own. */
struct budget {
	int64_t requests;
	int64_t tokens; /* of prompts and answers together */
	int64_t spend;  /* millionths of the currency that prices are in */
};

/* A data source it may read, up to a sensitivity. */
struct charter_data_source {
	struct text name;
	enum sensitivity up_to;
};

/* Where data may go: "reply", a tool's recipient ("name@host"; "*@host" is anybody
 * there, "*@*" anybody at all), a tool ("server/name"), "person:NAME" or "peer:IDENTITY". */
struct charter_output {
	struct text to;
	enum sensitivity up_to;
	struct text target; /* of a tool: a glob that the call's targets must be like; empty: any */
};

/* Whether the line "*@HOST" or "*@*" is about this recipient, or about all that another such line
 * is about.  What has more than one '@' is at no host; the case of a host does not count. */
bool output_is_anybody_at(struct text line, struct text to);

/* Another identity it may hand work to, and the most that may go along (peer.h). */
struct charter_peer {
	struct text identity;
	uint32_t effects; /* bit 1 << enum effect of each */
	enum sensitivity up_to;
	int64_t depth; /* how many more times the peer may hand it on */
	/* The reach: the only tools and models ("server/glob") that the peer may use for this
	 * identity, which then need not be able to use them itself.  None: whatever it may. */
	const struct text *tools;
	uint32_t tools_count;
	const struct text *skills; /* of the peer's, that may be asked for; none: any */
	uint32_t skills_count;
};

/* What an entitlement is about. */
enum resource_kind {
	RESOURCE_NONE = 0,
	RESOURCE_TOOL,        /* tool: server/name */
	RESOURCE_DATA_SOURCE, /* resource: data-source:NAME */
	RESOURCE_MODEL,       /* resource: model:PROVIDER/NAME */
	RESOURCE_PEER,        /* resource: peer:IDENTITY */
};

/* One line of a charter: an effect on a resource, under conditions. */
struct entitlement {
	uint32_t number; /* from 0, its place in the charter and in its permit's id */
	enum effect effect;
	enum resource_kind resource_kind;
	struct text resource;         /* without the "data-source:" in front */
	struct text when;             /* one Cedar expression; empty: always */
	const struct text *approvals; /* names of context.approvals that must be there */
	uint32_t approvals_count;
	int64_t expires_utc_s; /* first second in which it is void; 0: no end of its own */
	int64_t uses;          /* calls it lets through for a first task; 0: any number */
};

/* What the identity proves itself with, and where that proof counts: a key, or one client
 * certificate (RFC 8705) by its digest. */
struct charter_key {
	enum environment environment;
	struct json jwk; /* public members only; JSON_NULL where it is a certificate */
	bool has_certificate;
	struct sha256 certificate; /* of its DER */
	int64_t expires_utc_s;     /* first second in which it proves nothing; 0: no end */
};

/* Where a sandbox comes from: its unit's template of that version, and who approved
 * that. */
struct charter_sandbox {
	int64_t template_version; /* 0: no sandbox */
	struct text approved_by;
};

/* What is left of the risk, who accepted that, and until when. */
struct charter_risk {
	enum risk_tier residual; /* NONE: there is no record of it */
	const struct text *accepted_by;
	uint32_t accepted_by_count;
	int64_t accepted_until_utc_s; /* first second in which it is not */
	struct text notes;
};

/* What it runs in which version, as its vendor says. */
struct charter_version {
	struct text of;
	struct text version;
};

struct charter {
	struct text name;
	enum identity_kind kind;
	enum use_class use_class;
	enum risk_tier risk;
	struct text owner;
	struct text backup_owner;
	struct text unit;
	struct text purpose;
	uint32_t environments;       /* bits of environment_bit() */
	const struct text *accounts; /* "CONNECTOR/ID": what it is at providers */
	uint32_t accounts_count;
	const struct charter_model *models;
	uint32_t models_count;
	const struct charter_data_source *data_sources;
	uint32_t data_sources_count;
	const struct charter_output *outputs;
	uint32_t outputs_count;
	const struct entitlement *entitlements;
	uint32_t entitlements_count;
	bool has_uses; /* one of them says `uses` */
	const struct charter_peer *peers;
	uint32_t peers_count;
	const struct charter_key *keys;
	uint32_t keys_count;
	const struct federation_rule *federation; /* tokens of others that are it */
	uint32_t federation_count;
	struct charter_acting acts_for; /* people, by their consent */
	int64_t task_s;                 /* longest task; CHARTER_TASK_S_DEFAULT if not given */
	int64_t idle_s;            /* a task ends when it was not used for so long; 0: it may be */
	int64_t depth;             /* tasks on one path; 0: no limit of its own, as the next */
	int64_t fan_out;           /* open tasks directly below one */
	int64_t open_tasks;        /* of the identity at once */
	int64_t calls_per_minute;  /* 0: no limit of its own */
	struct budget task_budget; /* of a task and all below it */
	struct budget day_budget;  /* of the identity, from midnight to midnight UTC */
	enum binding_need binding;
	struct text impact;
	struct charter_risk risk_record;
	const struct text *affects; /* people and systems that depend on what it does */
	uint32_t affects_count;
	struct text vendor; /* whose product it is; may be empty */
	const struct charter_version *versions;
	uint32_t versions_count;
	int64_t review_s;      /* 0: not given */
	int64_t expires_utc_s; /* first second in which it is void; 0: never given */
	struct charter_sandbox sandbox;
};

/* How long a token of an identity of that risk lives at most. */
int64_t risk_token_s_max(enum risk_tier risk);
/* How long each of its tokens lives: what limits.task says, or the default, up to that. */
int64_t charter_token_s(const struct charter *charter);
/* True for an identity for experiments (sandbox.h). */
bool charter_is_sandbox(const struct charter *charter);
uint32_t environment_bit(enum environment value);
bool charter_has_environment(const struct charter *charter, enum environment value);
/* What its tokens for this environment must be bound to, BY_RISK resolved: never BY_RISK. */
enum binding_need charter_binding_need(const struct charter *charter, enum environment environment);
/* True if a token that is bound so may be used there. */
bool charter_takes_binding(
	const struct charter *charter, enum environment environment, enum binding shown);
/* The line for a data source, or NULL: then it may not read it at all. */
const struct charter_data_source *charter_find_data_source(
	const struct charter *charter, struct text name);
/* The line for a model, or NULL: then it may not use it. */
const struct charter_model *charter_find_model(
	const struct charter *charter, struct text provider, struct text name);
/* True once now_utc_s reaches an end; an end of 0 never comes. */
bool is_expired(int64_t expires_utc_s, int64_t now_utc_s);

#endif

#ifndef DOMAIN_CHARTER_OBJECT_H
#define DOMAIN_CHARTER_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/json.h"
#include "domain/charter/charter.h"
#include "domain/charter/outbound.h"
#include "domain/charter/problem.h"
#include "domain/charter/sandbox.h"

struct charters; /* charters.h */
struct unpacked; /* likewise */

/* The objects of the registry, as written in charters (docs/charters.md).  An
 * object is immutable; a change is a new object. */

enum object_kind {
	OBJECT_NONE = 0,
	OBJECT_IDENTITY,
	OBJECT_PERSON,
	OBJECT_UNIT,
	OBJECT_DATA_SOURCE,
	OBJECT_SERVER,
	OBJECT_TOOL,
	OBJECT_POLICY,
	OBJECT_APPLICATION,
	OBJECT_ISSUER,
	OBJECT_CONNECTOR,
	OBJECT_KIND_COUNT,
};

enum {
	PERSON_NAME_BYTES_MAX = 254,
	PERSON_ROLES_MAX = 32,
	PERSON_DIRECTORY_ID_BYTES_MAX = 64,
	PERSON_EXTERNAL_ID_BYTES_MAX = 255,
	PERSON_PROFILE_BYTES_MAX = 4096, /* in its canonical form */
	TOOL_NAME_BYTES_MAX = 200,       /* of a call; "server/name" has fewer (name.c) */
	TOOL_READS_MAX = 32,
	TOOL_TARGETS_MAX = 16,
	TOOL_RESULTS_MAX = 32,
	SERVER_ARGUMENTS_MAX = 64,
	SERVER_SCHEMES_MAX = 16,
	SERVER_MODELS_MAX = 64,
	SERVER_CREDENTIALS_MAX = 128,
	MODEL_TOOLS_MAX = 32,
	POLICY_TEXT_BYTES_MAX = 65536,
	APPLICATION_CALLERS_MAX = 64,
	DATA_SOURCE_AT_MAX = 64,
	OBJECT_BYTES_MAX = 256 * 1024, /* canonical form of one object */
};

/* The directory that keeps a person, and how they stand there. */
struct person_directory {
	struct text name;        /* empty: none does */
	struct text id;          /* of the resource there; empty: it is there no more */
	struct text user_name;   /* as the directory writes it */
	struct text external_id; /* may be empty */
	struct json profile;     /* what else it says, an object; JSON_NULL: nothing */
};

struct person {
	struct text name;
	struct text unit;
	const struct text
		*roles; /* owner backup-owner approver reviewer administrator auditor ... */
	uint32_t roles_count;
	enum sensitivity clearance; /* UNLABELLED here: no clearance at all */
	/* Whose word counts that they are here, and what it calls them; empty: nobody's. */
	struct text sign_in_issuer;
	struct text sign_in_as; /* empty: by their name */
	/* When they left; 0: they are here.  Who has left signs, approves and consents to
	 * nothing. */
	int64_t left_utc_s;
	struct person_directory directory;
};

struct unit {
	struct text name;
	struct text purpose;
	struct budget day_budget; /* of all its identities together */
	struct sandbox_template sandbox;
};

/* UNTRUSTED is zero: it may hold text written by strangers. */
enum trust { TRUST_UNTRUSTED = 0, TRUST_TRUSTED };

/* How the ids of what was read stand on record.  PRIVATE is zero: as keyed digests. */
enum ids { IDS_PRIVATE = 0, IDS_OPEN };

struct data_source {
	struct text name;
	struct text unit;
	struct text custodian;
	enum sensitivity sensitivity;
	enum trust trust;
	struct text location;
	enum environment environment;
	uint32_t concerns; /* bits 1 << enum concern */
	enum ids ids;
	const struct text *at; /* "CONNECTOR/ID": what providers call it */
	uint32_t at_count;
};

enum transport { TRANSPORT_NONE = 0, TRANSPORT_STDIO, TRANSPORT_HTTP };

/* What is spoken behind a server's URL: MCP, a provider's API, or A2A, by the agent that is
 * registered as the identity of the server's name. */
enum speaks { SPEAKS_MCP = 0, SPEAKS_OPENAI, SPEAKS_ANTHROPIC, SPEAKS_A2A };

/* A model that a provider offers, under exactly this name. */
struct server_model {
	struct text name;
	enum sensitivity up_to; /* the most sensitive data that may go there */
	/* What the provider may run itself for it: "web_search". */
	const struct text *tools;
	uint32_t tools_count;
	bool has_prices;
	/* Millionths of a currency for a million tokens. */
	int64_t input_price;
	int64_t output_price;
};

/* Where the secret lies that a provider is sent in the requests of one identity. */
struct server_credential {
	struct text identity;
	struct text credential; /* credential.h */
};

struct server {
	struct text name;
	struct text unit;
	enum environment environment;
	enum transport transport;
	const struct text *arguments; /* stdio: program and arguments, at least one */
	uint32_t arguments_count;
	struct text url;        /* HTTP */
	struct text credential; /* where the secret to inject lies (credential.h); may be empty */
	/* Instead: a provider token; credential is then OUTBOUND_REFERENCE and the URL. */
	struct outbound_exchange exchange;
	const struct text *schemes; /* of the URIs its resources may be read by */
	uint32_t schemes_count;
	enum speaks speaks;
	const struct server_model *models; /* of a provider */
	uint32_t models_count;
	/* Of a provider: instead of credential, for these identities. */
	const struct server_credential *credentials;
	uint32_t credentials_count;
};

/* A data source a tool reads, under a condition on its arguments. */
struct tool_read {
	struct text data_source;
	struct text when;   /* one Cedar expression; empty: always */
	struct text uri;    /* what its argument `uri` must be like; empty: anything */
	struct text prompt; /* the same of `name`, the name of a prompt */
};

/* What an argument that says where a call goes means.  NONE: not a target. */
enum target_form {
	TARGET_NONE = 0,
	TARGET_PATH,
	TARGET_URL,
	TARGET_RECIPIENT,
	TARGET_ACCOUNT,
	TARGET_OBJECT,
};

struct tool_target {
	struct text argument;
	enum target_form form;
};

/* A field of the tool's results and whether strangers can write it: member names with
 * dots between, "*" for each item or member. */
struct tool_result {
	struct text field;
	enum trust trust;
};

/* How an action of the tool is taken back.  NONE (not said) counts as
 * IRREVERSIBLE. */
enum reversal {
	REVERSAL_NONE = 0,
	REVERSAL_NONE_NEEDED,
	REVERSAL_INVERSE,
	REVERSAL_RESTORE,
	REVERSAL_HELD,
	REVERSAL_IRREVERSIBLE,
};

struct tool {
	struct text name;      /* "server/name" */
	struct text server;    /* before the slash */
	struct text tool_name; /* after it: as the server calls it */
	enum effect effect;
	enum sensitivity up_to; /* of a peer's skill: the most sensitive data that may go to it */
	enum risk_tier risk;
	const struct tool_read *reads;
	uint32_t reads_count;
	const struct tool_target *targets;
	uint32_t targets_count;
	const struct tool_result *results; /* others: as the data the tool reads */
	uint32_t results_count;
	enum reversal reversal;
	uint32_t concerns;   /* of its own, beside those of its data; bits 1 << enum concern */
	bool has_definition; /* pinned */
	struct sha256 definition;
	struct text objects;        /* the place (place.h) of ids in a result; may be empty */
	struct text classification; /* the place of each row's sensitivity; empty: rows have
				     * none, the data source's holds for all */
};

enum policy_level { POLICY_MANDATORY = 0, POLICY_DEFAULT };

struct policy {
	struct text name; /* "org/..." or "UNIT/..." */
	struct text unit; /* before the slash; "org" is the organisation */
	enum policy_level level;
	struct text text; /* Cedar, forbid only */
};

/* How the members of a subject, an action or a resource are read. */
enum application_reads {
	APPLICATION_READS_1_0 = 0,  /* AuthZEN 1.0: those that are not known are ignored */
	APPLICATION_READS_DRAFT_00, /* as draft 00 wrote them: they are properties */
};

/* A policy set of its own, for others who ask remit to decide: full Cedar, which
 * counts nowhere else.  remit's own points are no application. */
struct application {
	struct text name;
	struct text unit;
	const struct text *callers; /* identities that may ask */
	uint32_t callers_count;
	struct text schema;   /* Cedar; empty: none */
	struct text policies; /* Cedar, permits included */
	struct json entities; /* Cedar entities JSON; JSON_NULL: none */
	enum application_reads reads;
	bool keeps_questions; /* beside their records, sealed; else nothing is kept */
};

/* One object and where it came from.  Counted: hold it with object_acquire
 * while a call is in flight.  Used by one thread at a time. */
struct object {
	enum object_kind kind;
	struct text name;
	uint64_t revision; /* of the registry, when it was put; 0 before */
	uint32_t version;  /* from 1, per name; 0 before it was put */
	/* The document as it was read, with its lines, members in field order; JSON_NULL once it
	 * is packed: object_document has it then, too. */
	struct json as_read;
	struct charters *charters; /* once it is packed: what it shares; else NULL */
	struct text packed;        /* likewise; see object_document */
	struct unpacked *unpacked; /* a packed charter that is; else NULL */
	struct sha256 digest;      /* of the document's canonical JSON */
	bool is_partial;           /* read with problems: only the names in it count */
	union {
		const struct charter *body; /* ask charter_of: NULL while it is packed */
		const struct person *person;
		const struct unit *unit;
		const struct data_source *data_source;
		const struct server *server;
		const struct tool *tool;
		const struct policy *policy;
		const struct application *application;
		const struct issuer *issuer;       /* federation.h */
		const struct connector *connector; /* connector.h */
	};
};

/* Reads one document ("object: tool ...").  file is borrowed during the call.
 * Checks everything the document alone can tell: fields, words, names, forms,
 * that conditions are Cedar expressions and policies forbid only.  False: out
 * is NULL and problems says all that is wrong. */
bool object_parse(struct object **out, const struct json *document, struct text file,
	struct problems *problems) MUST_CHECK;

/* The same, but *out is there whenever its kind and name could be read: what it names can be
 * looked for beside what is wrong with it.  It is_partial then, and false is returned. */
bool object_parse_partial(struct object **out, const struct json *document, struct text file,
	struct problems *problems) MUST_CHECK;

/* Makes it as small as it can be, in place: its texts are shared ones from then on, and the
 * document is packed (pack.h); a charter is nothing else until charter_of is asked.  What
 * pointed into it is void; it must be held once.  Errors: LIMIT, and it is as it was. */
bool object_pack(struct object *object, struct charters *charters, struct error *err) MUST_CHECK;
/* Gives up what a packed identity's charter was unpacked to; its texts stay. */
void object_repack(const struct object *object);
/* Held more than once. */
bool object_is_shared(const struct object *object);

/* For charter_of.  Its charter, or charter_lost. */
const struct charter *object_unpack(const struct object *object);
/* What stands for a charter that there was no memory to unpack: it permits nothing and is over.
 * Told by its address. */
extern const struct charter charter_lost;

/* The charter of an identity, which the object is; never NULL.  Of a packed one it is good until
 * the turn ends or the next record is folded (registry_tidy), or its entry changes; while the
 * object is held by object_acquire; and, where registry_each gave the entry, until that visit
 * returns.  Its texts live as long as the object. */
static inline const struct charter *charter_of(const struct object *object)
{
	return object->body != NULL ? object->body : object_unpack(object);
}
/* The document, members in field order, as export writes them: in arena if it is packed.  Its
 * texts live as long as the object.  Errors: LIMIT. */
bool object_document(const struct object *object, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;
/* The object with its document as_read: itself, held once more, or a copy.  NULL without
 * memory. */
const struct object *object_whole(const struct object *object) MUST_CHECK;

const struct object *object_acquire(const struct object *object);
/* Gives one hold back and sets *object to NULL.  *object may be NULL. */
void object_release(const struct object **object);

/* "identity" ... "connector"; NULL for NONE. */
const char *object_kind_word(enum object_kind kind);
enum object_kind object_kind_of(struct text word);
/* True for guardrails, applications, issuers and connectors: nobody adds, changes or removes one
 * alone; what one person proposes waits for another's approval. */
bool object_needs_two(enum object_kind kind);
/* True for these and for units, whose template for sandboxes is proposed likewise. */
bool object_is_proposed(enum object_kind kind);
/* True for servers and tools: what takes one out of a unit's hands waits for the unit's consent
 * (cession.h). */
bool object_is_ceded(enum object_kind kind);
/* What stands in it as a charter does: an identity's own, or what a unit's template gives its
 * sandboxes; and which part of its document that is.  NULL: nothing. */
const struct charter *object_charter(const struct object *object);
const struct json *object_charter_document(
	const struct object *object, const struct json *document);
const char *reversal_word(enum reversal value);
/* "path" ... "object"; NULL for NONE. */
const char *target_form_word(enum target_form value);
/* "openai", "anthropic", "a2a"; "mcp" for MCP. */
const char *speaks_word(enum speaks value);
/* Whether what speaks it is a provider of models. */
bool speaks_is_provider(enum speaks value);
/* A skill of a peer, which work is handed to; anything else is a tool that is called. */
bool tool_is_skill(const struct tool *tool);
bool server_model_has_tool(const struct server_model *model, struct text name);
/* The model of exactly that name, or NULL. */
const struct server_model *server_find_model(const struct server *server, struct text name);
/* False: its requests may not leave, for others have keys of their own and there is none for
 * it.  *reference is empty where none is sent. */
bool server_credential_of(
	const struct server *server, struct text identity, struct text *reference) MUST_CHECK;

/* The unit the object belongs to by its own line or its name's prefix, a unit to itself;
 * empty for a tool (its server's, see registry_unit_of). */
struct text object_unit(const struct object *object);
bool person_has_role(const struct person *person, const char *role);
/* Of an identity of that unit: an administrator stands for that role everywhere, any other counts
 * at home and in org. */
bool person_stands_for_role(const struct person *person, struct text role, struct text unit);
bool person_has_left(const struct person *person);
/* What the issuer's claim says of this person, or an empty text where they have no sign-in. */
struct text person_sign_in_name(const struct person *person);

#endif

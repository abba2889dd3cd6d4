#ifndef REMIT_CEDAR_H
#define REMIT_CEDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The Cedar policy language (4.5): parse policies once, seal them, then decide
 * any number of requests from any number of threads.  No locale, no clock, no
 * I/O, and no global state but a random key for hashes, which is drawn when the
 * library is loaded and never changes.  Sealed sets and sealed entities never change; an
 * arena belongs to one thread at a time.
 *
 * A function that returns bool returns false on failure and fills err (never
 * NULL); outputs are then NULL, empty or DENY.  Texts handed out live as long
 * as what they came from.  docs/cedar.md, installed as share/doc/remit/cedar.md, has
 * the semantics and the limits.
 *
 * What no data can cause, only a mistake in the calling program, is no error but
 * undefined, mostly the end of the program: adding to what is sealed, sealing it
 * again, reading what is not sealed, NULL where NULL is not said to be taken. */

#define CEDAR_MUST_CHECK __attribute__((warn_unused_result))

#ifdef __cplusplus
extern "C" {
#endif

/* What is declared from here on is all that the shared library shows. */
#pragma GCC visibility push(default)

enum {
	CEDAR_DEPTH_MAX = 200,                          /* nesting of expressions, values, JSON */
	CEDAR_TEXT_BYTES_MAX = 4 * 1024 * 1024,         /* one policy text */
	CEDAR_POLICY_BYTES_MAX = 64 * 1024,             /* one policy in it */
	CEDAR_POLICIES_MAX = 1000000,                   /* policies in a set; templates too */
	CEDAR_POLICY_JSON_BYTES_MAX = 64 * 1024 * 1024, /* one policy or set as JSON */
	CEDAR_POLICY_JSON_DEPTH_MAX = 65536,            /* its nesting: a chain of && nests in it */
	CEDAR_STACK_VALUES_MAX = 1024,                  /* values one policy holds at once */
	CEDAR_ENTITIES_BYTES_MAX = 256 * 1024 * 1024,   /* entities, or one value, as JSON */
	CEDAR_ENTITIES_MAX = 10000000,                  /* entities in one store */
	CEDAR_REVISION_ANCESTORS_MAX = 100000000,       /* of changed entities, summed */
	CEDAR_SCHEMA_BYTES_MAX = 4 * 1024 * 1024,       /* one schema text */
	CEDAR_SCHEMA_DECLARATIONS_MAX = 20000,          /* types and actions in a schema */
	CEDAR_SCHEMA_LINKS_MAX = 1000000,               /* parents and groups in a schema */
	CEDAR_FINDINGS_MAX = 1000,                      /* findings of one validation */
	CEDAR_VALIDATION_STEPS_MAX = 100000000,         /* steps of one validation */
	CEDAR_PARTS_MAX = 64,                           /* parts told of one policy */
	CEDAR_OPERANDS_MAX = 8,                         /* values told of one part */
	CEDAR_OPERAND_BYTES_MAX = 160,                  /* of the text and of the value of one */
	CEDAR_COMPARISONS_MAX = 8,                      /* comparisons told of one part */
	CEDAR_ACCOUNT_BYTES_MAX = 16 * 1024,            /* source evaluated again to tell values */
	CEDAR_UNKNOWNS_MAX = 16,                        /* members of a context left open */
	/* Memory, in MiB. */
	CEDAR_SET_MEMORY_MIB_MAX = 1024,         /* of one policy set */
	CEDAR_POLICY_JSON_MEMORY_MIB_MAX = 1024, /* while policies are read from JSON */
	CEDAR_EXPRESSION_MEMORY_MIB_MAX = 64,    /* of one expression on its own */
	CEDAR_STORE_MEMORY_MIB_MAX = 4096,       /* of one store; while entities are read; of
						  * one entity put into a revision */
	CEDAR_SCHEMA_MEMORY_MIB_MAX = 512,       /* of one schema */
	CEDAR_VALIDATION_MEMORY_MIB_MAX = 256,   /* of types; of one policy; of one policy for
						  * one kind of request */
	CEDAR_ERROR_TEXT_BYTES = 256,
};

/* Borrowed UTF-8, not NUL-terminated.  NUL bytes are allowed inside. */
struct cedar_text {
	const char *data;
	size_t length;
};
/* A text of a string literal.  In C that is no constant: what is static is initialized with
 * CEDAR_TEXT_INIT. */
#ifdef __cplusplus
#define CEDAR_TEXT(literal) (cedar_text{"" literal, sizeof(literal) - 1})
#else
#define CEDAR_TEXT(literal) ((struct cedar_text){"" literal, sizeof(literal) - 1})
#endif
#define CEDAR_TEXT_INIT(literal)                                                                   \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}
struct cedar_text cedar_text_of(const char *string);

enum cedar_error_code {
	CEDAR_ERROR_NONE = 0,
	CEDAR_ERROR_INVALID,    /* the text or value breaks a rule of the language */
	CEDAR_ERROR_LIMIT,      /* one of the limits above, an arena's limit, or memory */
	CEDAR_ERROR_EVALUATION, /* an expression failed as the language defines it */
};

struct cedar_error {
	enum cedar_error_code code;
	uint32_t line;                     /* 1-based; 0 when the error is at no place in a text */
	uint32_t column;                   /* 1-based, in bytes */
	char text[CEDAR_ERROR_TEXT_BYTES]; /* NUL-terminated */
};

/* ---- Memory ---------------------------------------------------------- */

/* What one decision or one context lives in.  NULL without memory. */
struct cedar_arena;
struct cedar_arena *cedar_arena_create(size_t limit_bytes) CEDAR_MUST_CHECK;
void cedar_arena_reset(struct cedar_arena *arena);
void cedar_arena_destroy(struct cedar_arena **arena);

/* ---- Values ---------------------------------------------------------- */

enum cedar_type {
	CEDAR_NONE = 0,
	CEDAR_BOOL,
	CEDAR_LONG,
	CEDAR_STRING,
	CEDAR_ENTITY,
	CEDAR_SET,
	CEDAR_RECORD,
	CEDAR_DECIMAL,
	CEDAR_DATETIME,
	CEDAR_DURATION,
	CEDAR_IPADDR,
};

/* Type::"id".  type is a full name such as "Files::Folder", id any UTF-8.  What keeps one
 * (policies, stores, revisions) refuses another type and other bytes: INVALID.  What only
 * reads one (a request, what is known of one, an overlay, a look-up) checks neither and
 * compares bytes: there the caller owes both, for the texts that tell of it say what it says. */
struct cedar_uid {
	struct cedar_text type;
	struct cedar_text id;
	uint64_t hash; /* private: 0 or what cedar_uid_of computed, in this process */
};
/* Borrows both texts. */
struct cedar_uid cedar_uid_of(struct cedar_text type, struct cedar_text id);
bool cedar_uid_equal(const struct cedar_uid *a, const struct cedar_uid *b);

struct cedar_member;
struct cedar_ip;

/* One value; made by the functions below, read through its fields.  What it
 * points to is borrowed and never changes.  Sets are sorted and without
 * duplicates, records are sorted by name: make them with the functions. */
struct cedar_value {
	uint16_t type;  /* enum cedar_type */
	uint16_t depth; /* private: sets and records inside */
	uint32_t count; /* bytes of a string, items of a set, members of a record */
	union {
		bool boolean;
		int64_t integer; /* LONG; DECIMAL x 10^-4; DATETIME and DURATION in ms */
		const char *string;
		const struct cedar_uid *entity;
		const struct cedar_value *items;
		const struct cedar_member *members;
		const struct cedar_ip *ip;
	};
};

struct cedar_member {
	struct cedar_text name;
	struct cedar_value value;
};

struct cedar_value cedar_value_bool(bool value);
struct cedar_value cedar_value_long(int64_t value);
/* text is borrowed; at most UINT32_MAX bytes of UTF-8, which is checked, like the names of
 * members, where a store keeps the value, and not in a context. */
struct cedar_value cedar_value_string(struct cedar_text text);
/* uid is borrowed. */
struct cedar_value cedar_value_entity(const struct cedar_uid *uid);
/* The items and members are copied to the arena (what they point to is not).
 * Errors: INVALID for a name given twice, LIMIT. */
bool cedar_value_set(struct cedar_value *out, struct cedar_arena *arena,
	const struct cedar_value *items, size_t count, struct cedar_error *err) CEDAR_MUST_CHECK;
bool cedar_value_record(struct cedar_value *out, struct cedar_arena *arena,
	const struct cedar_member *members, size_t count, struct cedar_error *err) CEDAR_MUST_CHECK;
/* constructor is "decimal", "ip", "datetime" or "duration".  Errors: INVALID. */
bool cedar_value_extension(struct cedar_value *out, struct cedar_arena *arena,
	struct cedar_text constructor, struct cedar_text argument,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* Cedar JSON of one value, with __entity and __extn.  Errors: INVALID, LIMIT. */
bool cedar_value_parse_json(struct cedar_value *out, struct cedar_arena *arena,
	struct cedar_text json, struct cedar_error *err) CEDAR_MUST_CHECK;
/* The member's value, or NULL if value is no record or has none so named. */
const struct cedar_value *cedar_value_find(
	const struct cedar_value *record, struct cedar_text name);
/* Cedar's ==: total, false across types. */
bool cedar_value_equal(const struct cedar_value *a, const struct cedar_value *b);
/* The value as Cedar source; .data is NULL when the arena is full. */
struct cedar_text cedar_value_format(
	struct cedar_arena *arena, const struct cedar_value *value) CEDAR_MUST_CHECK;
const char *cedar_type_name(enum cedar_type type);

/* ---- Entities -------------------------------------------------------- */

struct cedar_entity {
	struct cedar_uid uid;
	struct cedar_value attributes; /* RECORD, or {0} for none */
	struct cedar_value tags;       /* RECORD, or {0} for none */
	const struct cedar_uid *parents;
	size_t parent_count;
};

/* A store of entities: filled, sealed, then read by any thread.  One that a failed call
 * left half done, as is said there, can only be destroyed: filling and sealing it fail from
 * then on (INVALID). */
struct cedar_entities;

/* Errors: LIMIT. */
bool cedar_entities_create(struct cedar_entities **out, struct cedar_error *err) CEDAR_MUST_CHECK;
/* Copies everything.  The same uid twice is refused unless the two are equal.
 * On failure the store is as before.  Errors: INVALID (also a type that is no name, a text
 * that is not UTF-8, a value without a type), LIMIT. */
bool cedar_entities_add(struct cedar_entities *entities, const struct cedar_entity *entity,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* Adds every entity of a Cedar entities JSON array.  Without a schema: strings
 * stay strings, entities and extension values must be spelled with __entity
 * and __extn.  On failure the store can only be destroyed.  Errors: INVALID with line
 * and column, LIMIT. */
bool cedar_entities_add_json(struct cedar_entities *entities, struct cedar_text json,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* Closes the hierarchy transitively; nothing can be added afterwards.  A parent
 * that is not in the store is allowed.  On failure the store can only be destroyed.
 * Errors: INVALID for a cycle, which is told by the names in it and has no place, since it
 * may go through several texts; LIMIT. */
bool cedar_entities_seal(struct cedar_entities *entities, struct cedar_error *err) CEDAR_MUST_CHECK;
void cedar_entities_destroy(struct cedar_entities **entities);

/* A sealed store of `added` over a sealed one, in the arena: for the entities
 * of one request.  Nothing is copied, so `below` (may be NULL) and all that
 * added points to must live as long.  An added entity hides the one below with
 * the same uid.  Never destroy it: it dies with the arena.  Errors: INVALID for
 * a cycle, a uid added twice, or hiding (or giving parents to) an entity that
 * is a parent below; LIMIT. */
bool cedar_entities_overlay(const struct cedar_entities **out, struct cedar_arena *arena,
	const struct cedar_entities *below, const struct cedar_entity *added, size_t count,
	struct cedar_error *err) CEDAR_MUST_CHECK;

size_t cedar_entities_count(const struct cedar_entities *entities);
/* False if there is no such entity.  What is filled in lives as long as the store. */
bool cedar_entities_find(const struct cedar_entities *entities, const struct cedar_uid *uid,
	struct cedar_entity *out) CEDAR_MUST_CHECK;
/* Calls visit for each entity of a sealed store (what lies below an overlay left
 * out), in the order of adding, until it returns false.  Of a revision, those that its
 * first one had come first, and the others follow in an order that differs from one
 * process to another. */
void cedar_entities_visit(const struct cedar_entities *entities,
	bool (*visit)(void *closure, const struct cedar_entity *entity), void *closure);
/* Cedar's `in`: the same, or an ancestor. */
bool cedar_entities_in(const struct cedar_entities *entities, const struct cedar_uid *uid,
	const struct cedar_uid *ancestor);

/* ---- Revisions of entities ------------------------------------------- */

/* A revision is a sealed store that others are made from by changing single entities.
 * It costs what the change touches, not what there is: time and memory follow the
 * entities that are put and all that are below one whose parents change.  What a
 * revision shares with others is counted: nothing is copied for those who still read
 * an older one, and what only it has is freed with it.
 *
 * Every function that takes sealed entities takes a revision.  Any thread may read,
 * hold, release and change one; handing the newest from one thread to others, with a
 * hold for each, is the caller's. */

/* The first one, of a sealed store that is no overlay: takes the store over (*sealed is
 * NULL then; on failure it stays).  Takes time like sealing.  Release what comes out.
 * Errors: LIMIT. */
bool cedar_revision_first(const struct cedar_entities **out, struct cedar_entities **sealed,
	struct cedar_error *err) CEDAR_MUST_CHECK;

/* One of the two; the other is NULL. */
struct cedar_change {
	const struct cedar_entity *put; /* a new entity, or instead of the one with its uid */
	const struct cedar_uid *remove; /* nothing if there is none */
};
/* Another revision, with all the changes, made one after the other; copies everything.
 * It decides as a store would that is filled with what is in it and sealed: the
 * ancestors of all that are below a changed entity are right, and an entity that is
 * removed while others name it as a parent is a parent that is not in the store.
 * `before` stays as it is and in force, also on failure.  The parents of an entity that
 * was put are found sorted and each once.  Release what comes out.
 * Errors: INVALID for a cycle, a change that says nothing or both, or an entity that
 * cedar_entities_add refuses; LIMIT (also CEDAR_REVISION_ANCESTORS_MAX). */
bool cedar_revision_change(const struct cedar_entities **out, const struct cedar_entities *before,
	const struct cedar_change *changes, size_t count, struct cedar_error *err) CEDAR_MUST_CHECK;
/* The same revision, to be released once more. */
const struct cedar_entities *cedar_revision_hold(
	const struct cedar_entities *revision) CEDAR_MUST_CHECK;
/* Sets *revision to NULL; it may be NULL.  Overlays and answers borrow from it. */
void cedar_revision_release(const struct cedar_entities **revision);

/* ---- Policies -------------------------------------------------------- */

enum cedar_effect { CEDAR_FORBID = 0, CEDAR_PERMIT };

struct cedar_policy_set;

/* How policies and templates get their ids.  {0}: "policy0", "policy1", … counted
 * over the whole set.  An @id annotation is only data. */
struct cedar_naming {
	struct cedar_text prefix;     /* instead of "policy" */
	const struct cedar_text *ids; /* or these, in the order of the text */
	size_t id_count;
};

/* Errors: LIMIT. */
bool cedar_policy_set_create(
	struct cedar_policy_set **out, struct cedar_error *err) CEDAR_MUST_CHECK;
/* Parses and adds every policy and template of text (copied).  naming may be
 * NULL.  On failure the set is as before.  Errors: INVALID with line and column (also
 * of the policy whose id is taken or not UTF-8), LIMIT. */
bool cedar_policy_set_add_text(struct cedar_policy_set *set, struct cedar_text text,
	const struct cedar_naming *naming, struct cedar_error *err) CEDAR_MUST_CHECK;

/* NULL means any. */
struct cedar_scope {
	const struct cedar_uid *principal; /* == */
	const struct cedar_uid *action;    /* == */
	const struct cedar_uid *resource;  /* == */
};
/* Adds one permit made of parts.  when_text is parsed on its own as exactly one
 * expression (empty: no condition), so no text can close the clause it stands
 * in; errors count lines and columns in it.  On failure the set is as before.
 * Errors: INVALID (also an id that is taken or not UTF-8, an entity that is none), LIMIT. */
bool cedar_policy_set_add_permit(struct cedar_policy_set *set, struct cedar_text id,
	const struct cedar_scope *scope, struct cedar_text when_text,
	struct cedar_error *err) CEDAR_MUST_CHECK;

/* Entities for the slots of a template; NULL where it has no such slot. */
struct cedar_link {
	struct cedar_text template_id;
	struct cedar_text id; /* of the policy that the link makes */
	const struct cedar_uid *principal;
	const struct cedar_uid *resource;
};
/* Adds the policy that a template is with these entities in its slots.  It shares
 * the template's condition.  On failure the set is as before.  Errors: INVALID
 * (no such template, an id that is taken or not UTF-8, a slot without an entity, an
 * entity without a slot or that is none), LIMIT. */
bool cedar_policy_set_link(struct cedar_policy_set *set, const struct cedar_link *link,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* Indexes; nothing can be added afterwards.  On failure the set is as before and may be
 * sealed later.  Errors: LIMIT. */
bool cedar_policy_set_seal(struct cedar_policy_set *set, struct cedar_error *err) CEDAR_MUST_CHECK;
/* create, add_text and seal in one.  Errors: INVALID, LIMIT. */
bool cedar_policy_set_parse(struct cedar_policy_set **out, struct cedar_text text,
	const struct cedar_naming *naming, struct cedar_error *err) CEDAR_MUST_CHECK;
void cedar_policy_set_destroy(struct cedar_policy_set **set);

struct cedar_annotation {
	struct cedar_text key;
	struct cedar_text value; /* .data is NULL for a bare @key */
};

/* A place in a source text. */
struct cedar_range {
	uint32_t start;  /* byte offset in the text the policy came from */
	uint32_t length; /* bytes */
	uint32_t line;   /* 1-based, of the start */
	uint32_t column; /* 1-based, in bytes */
};

/* What a template leaves open; bits. */
enum cedar_slot { CEDAR_SLOT_PRINCIPAL = 1, CEDAR_SLOT_RESOURCE = 2 };

struct cedar_policy {
	struct cedar_text id;
	enum cedar_effect effect;
	uint32_t slots; /* enum cedar_slot; 0: not a template */
	const struct cedar_annotation *annotations;
	size_t annotation_count;
	struct cedar_range range; /* of an added permit: of its when_text */
	struct cedar_text source; /* the bytes of the range */
};

size_t cedar_policy_set_count(const struct cedar_policy_set *set);
/* The policy at index < count, in the order of adding. */
struct cedar_policy cedar_policy_set_get(const struct cedar_policy_set *set, size_t index);
/* True and its index if there is a policy with that id. */
bool cedar_policy_set_find(
	const struct cedar_policy_set *set, struct cedar_text id, size_t *index) CEDAR_MUST_CHECK;
/* The link that made the policy at index; false if it is no link's. */
bool cedar_policy_set_get_link(
	const struct cedar_policy_set *set, size_t index, struct cedar_link *out) CEDAR_MUST_CHECK;
/* Templates decide nothing and are counted apart from policies. */
size_t cedar_policy_set_template_count(const struct cedar_policy_set *set);
struct cedar_policy cedar_policy_set_get_template(const struct cedar_policy_set *set, size_t index);
bool cedar_policy_set_find_template(
	const struct cedar_policy_set *set, struct cedar_text id, size_t *index) CEDAR_MUST_CHECK;
/* True and its index if there is a policy with that effect: the first. */
bool cedar_policy_set_find_effect(const struct cedar_policy_set *set, enum cedar_effect effect,
	size_t *index) CEDAR_MUST_CHECK;
/* The policy in normal form (without blanks where it is longer than
 * CEDAR_POLICY_BYTES_MAX), which parses to the same policy (a link's to one
 * without slots); .data is NULL when the arena is full. */
struct cedar_text cedar_policy_format(const struct cedar_policy_set *set, size_t index,
	struct cedar_arena *arena) CEDAR_MUST_CHECK;
struct cedar_text cedar_template_format(const struct cedar_policy_set *set, size_t index,
	struct cedar_arena *arena) CEDAR_MUST_CHECK;
/* Its conditions alone, in the same form, as one expression ("true": it has none): where the scope
 * covers a request, the policy is satisfied or fails as this evaluates. */
struct cedar_text cedar_policy_format_condition(const struct cedar_policy_set *set, size_t index,
	struct cedar_arena *arena) CEDAR_MUST_CHECK;

/* ---- Policies as JSON ------------------------------------------------ */

/* The JSON policy format of Cedar: what one policy says, without loss.  Reading
 * writes the policy in normal form and parses that, so a policy's source and the
 * places of its errors are those of the normal form. */

/* Adds one policy or template.  On failure the set is as before.
 * Errors: INVALID with line and column in the JSON (without for an id that is taken or not
 * UTF-8), LIMIT. */
bool cedar_policy_set_add_json(struct cedar_policy_set *set, struct cedar_text id,
	struct cedar_text json, struct cedar_error *err) CEDAR_MUST_CHECK;
/* Adds {"staticPolicies": {id: policy}, "templates": {id: policy}, "templateLinks":
 * [{templateId, newId, values}]}.  On failure the set is as before.
 * Errors: as above. */
bool cedar_policy_set_add_set_json(struct cedar_policy_set *set, struct cedar_text json,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* .data is NULL when the arena is full.  A link's policy is written without slots. */
struct cedar_text cedar_policy_format_json(const struct cedar_policy_set *set, size_t index,
	struct cedar_arena *arena) CEDAR_MUST_CHECK;
struct cedar_text cedar_template_format_json(const struct cedar_policy_set *set, size_t index,
	struct cedar_arena *arena) CEDAR_MUST_CHECK;
struct cedar_text cedar_policy_set_format_json(
	const struct cedar_policy_set *set, struct cedar_arena *arena) CEDAR_MUST_CHECK;

/* ---- What a policy reads --------------------------------------------- */

/* True if the policy may read the value at context.PATH, part of it, or
 * something that holds it.  path has count names; count 0 asks for context. */
bool cedar_policy_mentions(const struct cedar_policy_set *set, size_t index,
	const struct cedar_text *path, size_t count);
/* Calls visit once for each mention of context in source order with the longest
 * chain of attribute names after it (count 0: context as a whole). */
void cedar_policy_visit_context(const struct cedar_policy_set *set, size_t index,
	void (*visit)(void *closure, const struct cedar_text *path, size_t count), void *closure);
/* Calls visit for each text that context.NAME (a set) is asked for by contains, containsAll or
 * containsAny with string literals, in source order, as often as it stands there. */
void cedar_policy_visit_asked(const struct cedar_policy_set *set, size_t index,
	struct cedar_text name, void (*visit)(void *closure, struct cedar_text text),
	void *closure);
/* True if context.NAME (a set) is used only as the receiver of contains,
 * containsAll or containsAny with string literals, and only so that a larger
 * set can only allow more: positive in a permit, negative in a forbid, never
 * inside an operator that is neither.  err names the first breach.  A policy
 * that does not mention it passes.  Errors: INVALID. */
bool cedar_check_monotone_use(const struct cedar_policy_set *set, size_t index,
	struct cedar_text name, struct cedar_error *err) CEDAR_MUST_CHECK;

/* ---- Decisions ------------------------------------------------------- */

struct cedar_request {
	struct cedar_uid principal;
	struct cedar_uid action;
	struct cedar_uid resource;
	struct cedar_value context; /* RECORD, or {0} for an empty one */
};

enum cedar_decision { CEDAR_DENY = 0, CEDAR_ALLOW };

struct cedar_policy_error {
	uint32_t policy; /* index in the set */
	struct cedar_range range;
	struct cedar_text text;
};

struct cedar_answer {
	enum cedar_decision decision;
	/* Satisfied forbids if there is one, else satisfied permits: indexes in
	 * the set, ascending.  Empty on a default deny. */
	const uint32_t *reasons;
	size_t reason_count;
	/* Policies that failed to evaluate; such a policy decides nothing. */
	const struct cedar_policy_error *errors;
	size_t error_count;
};

/* Decides.  entities may be NULL (none).  The answer's arrays live in scratch.
 * False only if scratch is full or the request is malformed: the answer is then
 * DENY without reasons, and the caller must treat it as could-not-evaluate.
 * Errors: LIMIT, INVALID. */
bool cedar_authorize(const struct cedar_policy_set *set, const struct cedar_entities *entities,
	const struct cedar_request *request, struct cedar_arena *scratch,
	struct cedar_answer *answer, struct cedar_error *err) CEDAR_MUST_CHECK;

/* True if the scope of the policy (not its conditions) covers the request. */
bool cedar_policy_applies(const struct cedar_policy_set *set, size_t index,
	const struct cedar_entities *entities, const struct cedar_request *request);

enum cedar_outcome {
	CEDAR_OUTCOME_SATISFIED = 0,
	CEDAR_OUTCOME_PRINCIPAL, /* this part of the scope does not match */
	CEDAR_OUTCOME_ACTION,
	CEDAR_OUTCOME_RESOURCE,
	CEDAR_OUTCOME_WHEN_FALSE,
	CEDAR_OUTCOME_UNLESS_TRUE,
	CEDAR_OUTCOME_ERROR,
};

struct cedar_explanation {
	enum cedar_outcome outcome;
	uint32_t clause;          /* index of the when or unless; 0 for the scope */
	struct cedar_range range; /* first conjunct that is false or fails; of an
				   * unless, the first disjunct that is true or fails */
	struct cedar_text text;   /* its source, or the scope part in normal form */
	struct cedar_text error;  /* OUTCOME_ERROR: what failed */
};

/* Says why one policy is or is not satisfied.  Texts live in the set or in
 * scratch.  Errors: LIMIT, INVALID. */
bool cedar_explain_policy(const struct cedar_policy_set *set, size_t index,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *scratch, struct cedar_explanation *out,
	struct cedar_error *err) CEDAR_MUST_CHECK;

/* ---- Part by part ---------------------------------------------------- */

enum cedar_part_kind {
	CEDAR_PART_PRINCIPAL = 0,
	CEDAR_PART_ACTION,
	CEDAR_PART_RESOURCE,
	CEDAR_PART_WHEN,   /* one operand of the && that the clause is */
	CEDAR_PART_UNLESS, /* one operand of the || that the clause is */
};

enum cedar_part_result {
	CEDAR_PART_NOT_REACHED = 0, /* what comes before it settled the matter */
	CEDAR_PART_FALSE,
	CEDAR_PART_TRUE,
	CEDAR_PART_FAILED,
};

/* A sub-expression that was evaluated, and its value as Cedar source; either is cut
 * to CEDAR_OPERAND_BYTES_MAX, "..." at its end. */
struct cedar_operand {
	struct cedar_text text;
	struct cedar_text value;
};

enum cedar_relation {
	CEDAR_RELATION_NONE = 0, /* the part is nothing so simple */
	CEDAR_RELATION_EQUAL,
	CEDAR_RELATION_NOT_EQUAL,
	CEDAR_RELATION_LESS,
	CEDAR_RELATION_LESS_EQUAL,
	CEDAR_RELATION_GREATER,
	CEDAR_RELATION_GREATER_EQUAL,
	CEDAR_RELATION_LIKE,
	CEDAR_RELATION_NOT_LIKE,
	CEDAR_RELATION_ONE_OF, /* the literal is a set */
	CEDAR_RELATION_NONE_OF,
	CEDAR_RELATION_HAS, /* the path is there, whatever its value: no literal */
	CEDAR_RELATION_HAS_NOT,
};

/* A part of the form VARIABLE.NAME... RELATION LITERAL, however it is written: the
 * literal first, behind a !, a bare boolean path, or a has. */
struct cedar_comparison {
	enum cedar_relation relation;
	struct cedar_text variable;     /* "context" */
	const struct cedar_text *names; /* after it */
	size_t name_count;
	struct cedar_value literal; /* NONE: of a like */
	struct cedar_text pattern;  /* of a like: as in the source, without quotes */
	const void *like;           /* private */
};
/* A value for which the comparison is `wanted`: a bound, the literal, the literal's
 * neighbour, a text the pattern matches; of what it must not be, a text of one letter or a
 * number below.  False: none is known. */
bool cedar_comparison_solve(const struct cedar_comparison *comparison, bool wanted,
	struct cedar_arena *arena, struct cedar_value *out) CEDAR_MUST_CHECK;

struct cedar_part {
	enum cedar_part_kind kind;
	uint32_t clause; /* index of the when or unless; 0 for the scope */
	enum cedar_part_result result;
	struct cedar_range range;
	struct cedar_text text;  /* its source, or the scope part in normal form */
	struct cedar_text error; /* FAILED: what failed */
	/* What was compared: of a part that was reached, in the order of evaluation. */
	const struct cedar_operand *operands;
	size_t operand_count;
	struct cedar_comparison comparison; /* that it is */
	/* That it is, or is made of by && and || and !; the relation is turned with each !, so that
	 * each is wanted as the part is.  At most CEDAR_COMPARISONS_MAX. */
	const struct cedar_comparison *comparisons;
	size_t comparison_count;
};

/* One policy, part by part, in the order in which it reads them. */
struct cedar_account {
	enum cedar_outcome outcome;
	struct cedar_range range; /* of the policy */
	const struct cedar_part *parts;
	size_t part_count;
	size_t decisive; /* index of the part that settled it; part_count: none did */
	bool is_cut;     /* there are more parts than CEDAR_PARTS_MAX; never the decisive one */
};

/* Like cedar_explain_policy, with every part.  A scope part that leaves all open is
 * left out.  Errors: LIMIT, INVALID. */
bool cedar_account_policy(const struct cedar_policy_set *set, size_t index,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *scratch, struct cedar_account *out,
	struct cedar_error *err) CEDAR_MUST_CHECK;

/* ---- Residuals: what is left of a policy when not all is known -------- */

struct cedar_partial {
	/* NULL: unknown.  What the entities hold is known. */
	const struct cedar_uid *principal;
	const struct cedar_uid *action;
	const struct cedar_uid *resource;
	struct cedar_value context; /* what is known of it; RECORD, or {0} for nothing */
	/* Members that may be there or not, with any value; at most CEDAR_UNKNOWNS_MAX.
	 * None of them may be in context, and every other member is as in context. */
	const struct cedar_text *unknowns;
	size_t unknown_count;
};

enum cedar_residual_kind {
	CEDAR_RESIDUAL_FALSE = 0, /* not satisfied, whatever is unknown */
	CEDAR_RESIDUAL_TRUE,      /* satisfied, whatever is unknown */
	CEDAR_RESIDUAL_FAILED,    /* fails to evaluate, whatever is unknown */
	CEDAR_RESIDUAL_CONDITION,
};

/* Under every completion of what is unknown, `text` evaluates as the policy does: to
 * true where it is satisfied, to false where it is not, with an error where it
 * fails.  It may nest one deeper than the policy. */
struct cedar_residual {
	enum cedar_residual_kind kind;
	struct cedar_text text; /* CONDITION: one expression in normal form, else empty */
	/* CONDITION: the operands of the && that it is, or itself alone. */
	const struct cedar_text *conditions;
	size_t condition_count;
	bool may_fail; /* false only if no completion makes it fail */
};

struct cedar_candidates {
	const uint32_t *policies; /* indexes in the set */
	size_t count;
};

/* Errors: LIMIT (also a text longer than CEDAR_POLICY_BYTES_MAX), INVALID. */
bool cedar_policy_residual(const struct cedar_policy_set *set, size_t index,
	const struct cedar_entities *entities, const struct cedar_partial *partial,
	struct cedar_arena *arena, struct cedar_residual *out,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* The policies of which more than FALSE may be left, ascending, in arena: found without a look at
 * the others where principal, action and resource are known.  Errors: LIMIT, INVALID. */
bool cedar_partial_candidates(const struct cedar_policy_set *set,
	const struct cedar_entities *entities, const struct cedar_partial *partial,
	struct cedar_arena *arena, struct cedar_candidates *out,
	struct cedar_error *err) CEDAR_MUST_CHECK;

/* ---- Expressions on their own ---------------------------------------- */

/* One compiled expression, such as a condition outside a policy. */
struct cedar_expression;

/* text is copied.  Errors: INVALID with line and column, LIMIT. */
bool cedar_expression_parse(struct cedar_expression **out, struct cedar_text text,
	struct cedar_error *err) CEDAR_MUST_CHECK;
void cedar_expression_destroy(struct cedar_expression **expression);
/* Like cedar_policy_mentions and cedar_policy_visit_context. */
bool cedar_expression_mentions(
	const struct cedar_expression *expression, const struct cedar_text *path, size_t count);
void cedar_expression_visit_context(const struct cedar_expression *expression,
	void (*visit)(void *closure, const struct cedar_text *path, size_t count), void *closure);
/* The value may borrow from the expression, the entities, the request and
 * scratch.  request may be NULL: then variables are an error.
 * Errors: EVALUATION with line and column, LIMIT, INVALID. */
bool cedar_evaluate_expression(const struct cedar_expression *expression,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *scratch, struct cedar_value *out,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* What is left of it, as of a policy's one condition.  Errors: like cedar_policy_residual. */
bool cedar_expression_residual(const struct cedar_expression *expression,
	const struct cedar_entities *entities, const struct cedar_partial *partial,
	struct cedar_arena *arena, struct cedar_residual *out,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* The expression in normal form (without blanks where it is longer than
 * CEDAR_POLICY_BYTES_MAX); .data is NULL when the arena is full. */
struct cedar_text cedar_expression_format(
	const struct cedar_expression *expression, struct cedar_arena *arena) CEDAR_MUST_CHECK;

/* ---- Schemas --------------------------------------------------------- */

/* What entity types, actions and contexts there are.  Never changes once made. */
struct cedar_schema;

/* Cedar schema syntax, names resolved (text is copied).  Errors: INVALID with line
 * and column, LIMIT. */
bool cedar_schema_parse(struct cedar_schema **out, struct cedar_text text,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* The same as JSON; an error's text begins with the path to its place.  Errors: INVALID
 * with line and column, LIMIT. */
bool cedar_schema_parse_json(struct cedar_schema **out, struct cedar_text json,
	struct cedar_error *err) CEDAR_MUST_CHECK;
void cedar_schema_destroy(struct cedar_schema **schema);

/* Like cedar_entities_add_json, but a bare string is the value, and a bare
 * {type, id} or {fn, arg} the entity or extension value, that the schema declares.
 * It does not check more than that: cedar_validate_entities does.  On failure the store can
 * only be destroyed.  Errors: INVALID with line and column, LIMIT. */
bool cedar_schema_add_entities(const struct cedar_schema *schema, struct cedar_entities *entities,
	struct cedar_text json, struct cedar_error *err) CEDAR_MUST_CHECK;
/* Adds the schema's actions with their groups, save those that are there already.  On
 * failure the store can only be destroyed.  Errors: LIMIT. */
bool cedar_schema_add_actions(const struct cedar_schema *schema, struct cedar_entities *entities,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* Like cedar_value_parse_json, by the type of the action's context.  It reads and does not
 * check: it succeeds for an action that is not declared, as without a schema, and for members
 * that are of another type or not declared, which cedar_validate_request refuses.
 * Errors: INVALID with line and column, LIMIT. */
bool cedar_schema_parse_context(struct cedar_value *out, struct cedar_arena *arena,
	const struct cedar_schema *schema, const struct cedar_uid *action, struct cedar_text json,
	struct cedar_error *err) CEDAR_MUST_CHECK;

/* True if a request has an action, types of principal and resource and a context
 * that the schema declares together.  Errors: INVALID. */
bool cedar_validate_request(const struct cedar_schema *schema, const struct cedar_request *request,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* True if every entity of the sealed store is of a declared type and has what it
 * declares, and nothing else; an action must be exactly as it is declared.
 * Errors: INVALID names the first entity that is wrong, of a revision the first by its
 * name; LIMIT. */
bool cedar_validate_entities(const struct cedar_schema *schema,
	const struct cedar_entities *entities, struct cedar_error *err) CEDAR_MUST_CHECK;

/* ---- Validation of policies ------------------------------------------ */

enum cedar_severity { CEDAR_SEVERITY_ERROR = 0, CEDAR_SEVERITY_WARNING };

enum cedar_finding_code {
	CEDAR_FINDING_NONE = 0,
	/* errors */
	CEDAR_FINDING_UNKNOWN_ENTITY_TYPE,  /* not declared */
	CEDAR_FINDING_UNKNOWN_ACTION,       /* not declared */
	CEDAR_FINDING_UNKNOWN_ID,           /* not one of an enumerated entity type */
	CEDAR_FINDING_UNKNOWN_ATTRIBUTE,    /* not declared where it is read */
	CEDAR_FINDING_UNSAFE_ATTRIBUTE,     /* optional, and read without `has` */
	CEDAR_FINDING_UNSAFE_TAG,           /* read without hasTag */
	CEDAR_FINDING_UNEXPECTED_TYPE = 8,  /* an operand the operator does not take */
	CEDAR_FINDING_INCOMPATIBLE_TYPES,   /* operands, branches or items that differ */
	CEDAR_FINDING_EMPTY_SET,            /* a literal [], whose type nobody knows */
	CEDAR_FINDING_ARGUMENT_COUNT,       /* of an extension function */
	CEDAR_FINDING_ARGUMENT_INVALID,     /* a text its constructor refuses */
	CEDAR_FINDING_ARGUMENT_NOT_LITERAL, /* of a constructor */
	/* a warning, or an error by the older rule */
	CEDAR_FINDING_NO_APPLICABLE_ACTION, /* no declared action fits the scope */
	/* warnings */
	CEDAR_FINDING_IMPOSSIBLE,         /* false for every declared request */
	CEDAR_FINDING_BIDIRECTIONAL_TEXT, /* a text that may not look like what it is */
};

struct cedar_finding {
	enum cedar_severity severity;
	enum cedar_finding_code code;
	bool is_template;         /* it is about a template */
	uint32_t policy;          /* index in the set, or among its templates */
	struct cedar_text id;     /* of the policy or template */
	struct cedar_range range; /* of the whole policy if it is about all of it */
	struct cedar_text text;
	struct cedar_text hint; /* empty: none */
};

struct cedar_validation {
	/* By policy, then by template, each in the order of the text; the first
	 * CEDAR_FINDINGS_MAX. */
	const struct cedar_finding *findings;
	size_t count;
	/* Of all errors.  Those that are not listed count for each kind of request
	 * they are found for: once the list is full it is the most there may be. */
	size_t error_count;
};

enum cedar_validation_rule {
	CEDAR_RULE_4_13 = 0, /* no applicable action: a warning */
	CEDAR_RULE_4_10,     /* an error, as up to version 4.10 */
};

/* Validates strictly every policy and template of the set for every kind of request
 * the schema declares, a template for every type its slots may have; of a link, only
 * what is in the slots.  The set is valid if out->error_count is 0.  Findings live in arena, in
 * the set and in the schema.  Errors: LIMIT (out is then empty: not validated). */
bool cedar_validate(const struct cedar_policy_set *set, const struct cedar_schema *schema,
	enum cedar_validation_rule rule, struct cedar_arena *arena, struct cedar_validation *out,
	struct cedar_error *err) CEDAR_MUST_CHECK;
/* A code's stable name, such as "unknown_attribute". */
const char *cedar_finding_name(enum cedar_finding_code code);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

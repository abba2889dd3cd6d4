#ifndef DOMAIN_DECIDE_EVALUATION_H
#define DOMAIN_DECIDE_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/decide/decide.h"
#include "domain/decide/trial.h"
#include "remit/cedar.h"

/* Private to domain/decide: what one run of the rules carries. */

/* check-source: bound: LOST_PATH_NAMES_MAX is past the depth of any JSON that is read */
enum { LOST_PATHS_MAX = 32, LOST_PATH_NAMES_MAX = 66 };

/* Something in the arguments that Cedar cannot hold, as a path below context. */
struct lost_path {
	const struct cedar_text *names; /* "args", ... */
	size_t count;
};

/* The guardrails that refused, and by which policies. */
struct refusing {
	const struct cedar_policy_set *set; /* NULL: no guardrail did */
	struct cedar_answer answer;
};

struct evaluation {
	const struct decide_world *world;
	const struct trial *trial; /* NULL: the world as it is */
	const struct call *call;
	struct arena *arena;
	struct decision *out;
	struct decision fixed; /* what the fixed rules came to */
	bool is_open;          /* they hold, so the policies are asked */
	/* Found by the rules, in their order. */
	const struct registry_entry *entry;
	const struct charter *charter;
	const struct task *task; /* NULL only for a question without a task */
	const struct server *server;
	const struct tool *tool;          /* NULL for a FILTERED method, and for a model */
	const struct server_model *model; /* of a request to a model; else NULL */
	enum effect effect;
	/* What Cedar is asked; built once, the approvals replaced by the search. */
	const struct registry_entry *principal; /* the identity the request is about */
	struct cedar_request request;
	const struct cedar_entities *entities;
	size_t approvals_count;             /* in the request's context */
	size_t runs;                        /* of the policy rules, for one question */
	const struct role_holders *holders; /* NULL: not asked yet */
	struct refusing refusing;           /* of the last run of the policy rules */
	struct cedar_value *risk; /* the member of the context; CRITICAL until it is known */
	struct lost_path *lost;   /* LOST_PATHS_MAX of them; NULL: none was */
	size_t lost_count;
	bool has_lost_too_much; /* more than fits: every mention counts as lost */
	/* The data it reads. */
	const struct data_source *sources[TOOL_READS_MAX];
	size_t sources_count;
	enum sensitivity sensitivity; /* highest of sources, or of the rows it may bring */
};

/* A skill of a peer is what is asked for. */
static inline bool evaluation_is_peer(const struct evaluation *evaluation)
{
	return evaluation->tool != NULL && tool_is_skill(evaluation->tool);
}

/* What the lines of charters name: a model, a peer, else a tool. */
static inline enum resource_kind evaluation_resource_kind(const struct evaluation *evaluation)
{
	if (evaluation_is_peer(evaluation))
		return RESOURCE_PEER;
	return evaluation->model != NULL ? RESOURCE_MODEL : RESOURCE_TOOL;
}

/* By its name: of a peer that of the identity, whatever the skill. */
static inline struct text evaluation_resource(const struct evaluation *evaluation)
{
	const struct tool *tool = evaluation->tool;

	return tool != NULL && tool_is_skill(tool) ? tool->server : evaluation->call->tool;
}

/* The line is one on what is asked for, by the same effect. */
static inline bool evaluation_is_about(
	const struct evaluation *evaluation, const struct entitlement *line)
{
	return line->resource_kind == evaluation_resource_kind(evaluation) &&
	       line->effect == evaluation->effect &&
	       text_equal(line->resource, evaluation_resource(evaluation));
}

/* trial.c: the registry, or what stands in for it. */
const struct registry_entry *evaluation_find_identity(
	const struct evaluation *evaluation, struct text name);
const struct server *evaluation_find_server(const struct evaluation *evaluation, struct text name);
const struct tool *evaluation_find_tool(const struct evaluation *evaluation, struct text name);
const struct data_source *evaluation_find_data_source(
	const struct evaluation *evaluation, struct text name);
const struct person *evaluation_find_person(const struct evaluation *evaluation, struct text name);

/* entities.c: what the request is about, whatever the call says. */
struct asked_entities {
	struct cedar_uid principal;
	struct cedar_uid action;
	struct cedar_uid resource;
	const struct cedar_entities *entities;
};
/* Of the identity and the evaluation's tool and server; kept by the world's table where
 * that can be.  NULL: no memory. */
const struct asked_entities *evaluation_entities_of(
	const struct evaluation *evaluation, const struct registry_entry *identity);

/* request.c: entities, principal, action, resource and context, all but the
 * approvals.  False: no memory. */
bool evaluation_build_request(struct evaluation *evaluation);
/* Puts the names into context.approvals.  False: no memory. */
bool evaluation_set_approvals(
	struct evaluation *evaluation, const struct text *names, size_t count);
/* The same request with another identity of the chain as principal. */
bool evaluation_set_principal(struct evaluation *evaluation, const struct registry_entry *entry);

/* True if a policy of the set whose scope covers the request mentions an
 * argument that Cedar cannot hold; *index names the first. */
bool evaluation_mentions_lost(
	const struct evaluation *evaluation, const struct cedar_policy_set *set, size_t *index);
bool evaluation_expression_mentions_lost(
	const struct evaluation *evaluation, const struct cedar_expression *expression);

/* reads.c: the data sources whose conditions match, into sources.  False: one
 * of them could not be evaluated. */
bool tool_reads_match(const struct tool_reads *reads, struct evaluation *evaluation);

/* What is left of the condition of the line at index; where that is too large to be said, all of
 * it.  False: no memory. */
bool tool_reads_left(const struct tool_reads *reads, size_t index,
	const struct evaluation *evaluation, const struct cedar_partial *partial,
	struct cedar_residual *out);

/* rules.c and policies.c: one rule each, in the order of the tables in decide.c.
 * False: refused, and out says why. */
struct rule {
	bool (*holds)(struct evaluation *evaluation);
};
bool rule_method(struct evaluation *evaluation);
bool rule_identity(struct evaluation *evaluation);
bool rule_owner(struct evaluation *evaluation); /* owner.c */
bool rule_task(struct evaluation *evaluation);
bool rule_server(struct evaluation *evaluation);
bool rule_sandbox(struct evaluation *evaluation); /* sandbox.c */
bool rule_sandbox_data(struct evaluation *evaluation);
bool rule_environment(struct evaluation *evaluation);
bool rule_tool(struct evaluation *evaluation);
bool rule_definition(struct evaluation *evaluation);
bool rule_details(struct evaluation *evaluation);
bool rule_targets(struct evaluation *evaluation);
bool rule_arguments(struct evaluation *evaluation);
bool rule_model(struct evaluation *evaluation);
bool rule_class(struct evaluation *evaluation);
bool rule_peer(struct evaluation *evaluation); /* peers.c */
bool check_peer_data(struct evaluation *evaluation, const struct registry_entry *entry);
bool rule_request(struct evaluation *evaluation);
bool rule_sources(struct evaluation *evaluation);
bool rule_outputs(struct evaluation *evaluation); /* outputs.c */
bool rule_risk(struct evaluation *evaluation);    /* risk.c */
bool rule_consent(struct evaluation *evaluation); /* crossing.c */
/* Whether what the call touches was consented to, in the charter of this identity, by each line
 * that the call goes by; of data, what sources says. */
bool check_consents(struct evaluation *evaluation, const struct registry_entry *entry);
/* The same of the server, and of the peer whose skill it is; of a peer to whom its line hands
 * work; and of one data source, without a refusal. */
bool check_server_consent(struct evaluation *evaluation, const struct registry_entry *entry);
bool check_peer_consent(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct charter_peer *line);
bool has_source_consent(const struct evaluation *evaluation, const struct registry_entry *entry,
	const struct data_source *source);
/* Whether the line of the entry's charter under peers holds towards the unit: of the peer, and
 * of what it reaches.  It is its own, or the unit consented to the line; what is the
 * organisation's it may hand work to without, but not reach. */
bool has_peer_consent(
	const struct registry_entry *entry, const struct charter_peer *line, struct text unit);
bool has_reach_consent(
	const struct registry_entry *entry, const struct charter_peer *line, struct text unit);
/* Unit, identity, version: who would have to say yes, and how. */
#define NEEDED_CONSENT "A data owner of unit %.*s: remit identity consent %.*s --version %u"
bool rule_ceiling(struct evaluation *evaluation);
bool rule_chain(struct evaluation *evaluation); /* chain.c */
bool rule_guardrails(struct evaluation *evaluation);
bool rule_rate(struct evaluation *evaluation);
bool rule_budget(struct evaluation *evaluation);

/* True where the call brings data and is no tool: it must be bound to data sources. */
bool is_retrieval_method(const struct evaluation *evaluation);
/* True where the tool's rows are judged one by one: what a line covers is then the
 * ceiling of the rows, not of the source. */
bool is_judged_by_row(const struct evaluation *evaluation);
/* No row above this comes, nor above what it was lowered to before. */
void lower_ceiling(struct evaluation *evaluation, enum sensitivity up_to);

/* How sensitive what it reads is: the highest of its sources, or of the rows that may come. */
void settle_sensitivity(struct evaluation *evaluation);

/* False: the identity is a sandbox, and may not read the data source. */
bool is_source_open(const struct evaluation *evaluation, const struct data_source *source);

/* The same questions about any identity of the chain. */
bool check_identity(
	struct evaluation *evaluation, const struct registry_entry *entry, struct text name);
bool check_owner(struct evaluation *evaluation, const struct registry_entry *entry);
bool check_environment(
	struct evaluation *evaluation, const struct registry_entry *entry, enum environment value);
bool check_class(struct evaluation *evaluation, const struct registry_entry *entry);
bool check_source(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct data_source *source);
bool check_model(struct evaluation *evaluation, const struct registry_entry *entry);
bool check_outputs(struct evaluation *evaluation, const struct registry_entry *entry);
/* policies.c: whether this link's own charter permits the call; the caller's line is the one
 * the decision names. */
bool check_ceiling(struct evaluation *evaluation, const struct registry_entry *entry);
/* The guardrails of the organisation, of the identity's unit and of the resource's, for the
 * identity the request is about. */
bool check_all_guardrails(struct evaluation *evaluation, struct text own);

/* outputs.c: what the call would carry out, whatever it carries it to: what its task has read
 * so far and what it reads itself; PUBLIC if nothing. */
enum sensitivity carried_label(const struct evaluation *evaluation);
/* Whether that goes to the tool, there is one, and not to recipients alone, who have lines of
 * their own. */
bool is_carried_to_tool(const struct evaluation *evaluation);
/* Whether the line is about what goes to the tool.  It may name the one skill, or the peer with
 * all it has. */
bool output_is_to_tool(const struct charter_output *line, const struct tool *tool);
/* The line that says what may go to the call's tool, to the targets that the call has; NULL:
 * none does, and public data may. */
const struct charter_output *output_to_tool(
	const struct evaluation *evaluation, const struct charter *charter);
/* Whether the line lets what the call carries go to its tool at some targets. */
bool output_lets_elsewhere(const struct evaluation *evaluation, const struct charter_output *line);

/* decide.c: the rules that no approval can change; false: *out says why not. */
bool run_fixed(struct evaluation *evaluation);
/* The policy rules with these approvals, into *out; what the fixed rules
 * found is kept. */
bool run_policies(struct evaluation *evaluation, const struct approval_names *approvals,
	struct decision *out);

/* holders.c: who has which role, of the first DECISION_PEOPLE_MAX people; NULL: no memory.
 * entities.c keeps it. */
struct role_holders;
const struct role_holders *role_holders_make(const struct registry *registry, struct arena *arena);
/* Whether somebody in the unit or in org has the role, an administrator anywhere, or not all
 * people were looked at. */
bool role_holders_may_have(const struct role_holders *holders, struct text role, struct text unit);
const struct role_holders *evaluation_holders(struct evaluation *evaluation);

/* search.c: whether approvals could change this reason; and the search, which
 * leaves the denial in *out or makes it ASK. */
bool is_searched(enum reason reason);
void approvals_search(struct evaluation *evaluation, struct decision *out);

/* explain.c: the sentences, filled in after a refusal; no memory leaves them
 * empty.  What is longer than SENTENCE_BYTES_MAX ends with "…". */
struct text evaluation_sentence(struct evaluation *evaluation, const char *fmt, ...)
	PRINTF_LIKE(2, 3);
/* What a line says, as a sentence has room for it (QUOTED_BYTES_MAX), so that the sentence itself
 * goes to its end. */
struct text evaluation_quoted(struct evaluation *evaluation, struct text said);
bool refuse(struct evaluation *evaluation, enum reason reason, struct text explanation,
	struct text needed);
bool refuse_no_memory(struct evaluation *evaluation);
/* Why no line of this identity's ceiling permits the call. */
bool refuse_no_entitlement(struct evaluation *evaluation, const struct registry_entry *entry);

#endif

#ifndef EDGES_CLI_COMMAND_H
#define EDGES_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "edges/cli/cli.h"

/* Shared by the commands. */

enum cli_exit {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1, /* refused, or the answer is no */
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_CONFLICT = 4,
	EXIT_UNAVAILABLE = 5,
	EXIT_WAITING = 6, /* for approval */
};

enum cli_output { OUTPUT_TABLE = 0, OUTPUT_JSON, OUTPUT_YAML };

/* Options by name; the row says whether a value follows. */
enum cli_option {
	OPTION_NONE = 0,
	OPTION_DATA,
	OPTION_SERVER,
	OPTION_OUTPUT,
	OPTION_NO_COLOR,
	OPTION_YES,
	OPTION_HELP,
	OPTION_FILE,
	OPTION_DRAFT,
	OPTION_PRUNE,
	OPTION_REASON,
	OPTION_KEY,
	OPTION_RESOURCE,
	OPTION_OUT,
	OPTION_RECEIPT,
	OPTION_VERSION,
	OPTION_TASK,
	OPTION_IDENTITY,
	OPTION_ACTOR,
	OPTION_TYPE,
	OPTION_VERDICT,
	OPTION_WORDS,
	OPTION_SOURCE,
	OPTION_LOG,
	OPTION_DRY_RUN,
	OPTION_SHIPPED,
	OPTION_STATE,
	OPTION_KIND,
	OPTION_SINCE,
	OPTION_LIMIT,
	OPTION_AFTER,
	OPTION_ARGUMENTS,
	OPTION_ENVIRONMENT,
	OPTION_WAITING,
	OPTION_KEEP_KEY,
	OPTION_CANDIDATE,
	OPTION_UNIT,
	OPTION_WITH,
	OPTION_TICKET,
	OPTION_TOOL,
	OPTION_MINUTES,
	OPTION_ALONE,
	OPTION_COMPROMISED,
	OPTION_PARENT,
	OPTION_DETAILS,
	OPTION_PURPOSE,
	OPTION_BACKUP_OWNER,
	OPTION_DAYS,
	OPTION_HOPS,
	OPTION_ISSUER,
	OPTION_SUBJECT,
	OPTION_SUBJECT_PREFIX,
	OPTION_CLAIMS,
	OPTION_GRACE,
	OPTION_LASTS,
	OPTION_INSTANCE,
	OPTION_SESSION,
	OPTION_DPOP,
	OPTION_NO_BROWSER,
	OPTION_CA_FILE,
	OPTION_NONCE,
	OPTION_ID_TOKEN_FILE,
	OPTION_NUMBER,
	OPTION_DENY,
	OPTION_EVENT,
	OPTION_REVIEWER,
	OPTION_ITEMS,
	OPTION_FILTER,
	OPTION_KEEP,
	OPTION_REDUCE,
	OPTION_TRIAL,
	OPTION_REVOKE,
	OPTION_REASSIGN,
	OPTION_TO,
	OPTION_HTML,
	OPTION_FRAMEWORK,
	OPTION_SEVERITY,
	OPTION_CONTROL,
	OPTION_UNTIL,
	OPTION_ALL,
	OPTION_DIRECTORY,
	OPTION_WITHOUT,
	OPTION_DEPTH,
	OPTION_INHERITED,
	OPTION_PROVIDER,
	OPTION_TAKEN,
	OPTION_PEOPLE,
	OPTION_OLDER,
	OPTION_SMALLER,
	OPTION_OWNER,
	OPTION_NAME,
	OPTION_RISK,
	OPTION_UNDO,
	OPTION_IDENTITIES,
	OPTION_SEED,
	OPTION_AT,
	OPTION_ANSWERS,
	OPTION_COUNT,
};

enum {
	CLI_ARENA_BYTES_MAX = 256 * 1024 * 1024,
	CLI_INPUT_BYTES_MAX = 64 * 1024,
	CLI_WORDS_MAX = 1000,   /* of a command that names files: as many as it reads */
	CLI_WRONG_BYTES = 2048, /* of what is wrong, with its NUL; more is cut */
};

struct cli;
struct private_key;

/* Who signs: this person with this key, for this installation alone. */
struct cli_person {
	struct text name;
	struct private_key *key;  /* owned */
	struct text installation; /* empty: not known yet */
	struct text issuer;       /* through which they signed in; empty: by a code */
};

/* One row of the table. */
struct cli_command {
	const char *words; /* "identity approve" */
	const char *usage; /* what follows them: "NAME [--version N]" */
	const char *help;  /* one line */
	int words_min;     /* plain words that must follow */
	int words_max;
	const enum cli_option *options; /* beside the general ones; ends with NONE; may be NULL */
	int (*run)(struct cli *cli);
	const char *path;           /* of the API, where one function serves several commands */
	const char *const *columns; /* of a list, NULL-terminated paths into each item */
};

extern const struct cli_command cli_commands[];
extern const size_t cli_commands_count;

struct cli {
	const struct cli_offline *offline;
	const struct cli_command *command;
	struct arena *arena;
	const char *values[OPTION_COUNT]; /* NULL: not given; a flag is "" */
	const char *words[CLI_WORDS_MAX]; /* after the command's own */
	int words_count;
	enum cli_output output;
	bool is_colored;
	bool has_printed;            /* a result, or an error as JSON, on standard output */
	char wrong[CLI_WRONG_BYTES]; /* what was said to be wrong first; empty: nothing was */
};

/* ---- client.c: one request to the daemon ---- */

struct cli_reply {
	unsigned status;
	struct text body; /* as received */
	struct json json; /* JSON_NULL if the body is not JSON */
	struct text etag; /* of the reply; NUL-terminated */
};

struct cli_call {
	const char *method;
	struct text target;      /* "/v1/identities/x" */
	const struct json *body; /* NULL: none */
	struct text if_match;    /* empty: none; NUL-terminated */
	/* Who signs: NULL for the person who has logged in here, else this one. */
	const struct cli_person *signer;
	bool is_unsigned; /* the socket's user asks, not a person */
};

/* Sends it, signed where this person has a key.  False: the daemon could not be
 * reached, and the user was told. */
bool cli_send(struct cli *cli, const struct cli_call *call, struct cli_reply *reply);
/* The exit status for a reply; tells the user what was refused. */
int cli_report(struct cli *cli, const struct cli_reply *reply);
/* Tells the user; the exit status for err. */
int cli_fail(struct cli *cli, const struct error *err);
/* send and, unless the status is 2xx, report; *exit_code is set when false. */
bool cli_ask(struct cli *cli, const struct cli_call *call, struct cli_reply *reply, int *exit_code);
/* GET of a target made from the format. */
bool cli_get(struct cli *cli, struct cli_reply *reply, int *exit_code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* A path segment or query value, percent-encoded. */
struct text cli_escape(struct cli *cli, const char *value);

/* Whom tokens come from, and where they are asked for, as the daemon describes itself. */
bool cli_find_issuer(struct cli *cli, struct text *issuer, struct text *endpoint, int *status);

/* ---- keys.c: this person's key ---- */

/* False and no error: nobody has logged in here. */
bool cli_person_load(struct cli *cli, struct cli_person *out, struct error *err);
/* Errors: CONFLICT (somebody has logged in here), IO, LIMIT. */
bool cli_person_save(struct cli *cli, const struct cli_person *person, struct error *err);
/* Binds the key that is here to another installation.  Errors: IO, LIMIT. */
bool cli_person_rebind(struct cli *cli, struct text installation, struct error *err);
bool cli_person_forget(struct cli *cli, struct error *err);
/* The key that waits for an id_token which is got elsewhere; a new one takes its place. */
const char *cli_next_key_path(struct cli *cli, struct error *err);
bool cli_next_key_save(struct cli *cli, const struct private_key *key, struct error *err);
bool cli_next_key_forget(struct cli *cli, struct error *err);
/* The folder that holds it; NULL: no home. */
const char *cli_person_folder(struct cli *cli);

/* ---- output.c ---- */

/* Prints a result in the form asked for; a list {items: [...]} as a table of the
 * command's columns. */
void cli_print(struct cli *cli, const struct json *result);
/* Text as it is. */
void cli_print_text(struct text t);
/* Prints a plan like a version-control diff. */
void cli_print_plan(struct cli *cli, const struct json *plan);
/* A line of each of {action, kind, name, proposed_by, otherwise?}; NULL: none. */
void cli_print_waiting(const struct json *list);
/* Says "remit: " and what is wrong, on standard error, and notes it. */
void cli_wrong(struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Notes what is wrong, which was said otherwise; the first of a run counts. */
void cli_note_wrong(struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Words for the user, on standard error. */
void cli_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same with what a stranger wrote, made safe for a terminal. */
void cli_say_plain(struct text t);
/* The same for several lines. */
void cli_say_excerpt(struct text excerpt);
/* Says what will happen and asks; true with --yes.  Without a terminal and
 * without --yes: false. */
bool cli_confirm(struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Only a table shows what a question is about, so in another form nobody is asked, and --yes has
 * to be given.  False: it is not, and the user was told. */
bool cli_is_shown(struct cli *cli);
/* --reason was given and says something. */
bool cli_has_reason(const struct cli *cli);
int cli_usage(struct cli *cli, const char *wrong);
/* Prints what was noted as wrong as JSON, if that was asked for and nothing was printed:
 * {detail, status, title} as a refusal of the daemon; status is the one of HTTP that gives
 * this exit status. */
void cli_print_wrong(struct cli *cli, int exit_status);
/* One line from standard input, without its end; asks with prompt on a terminal,
 * without echo.  NULL: nothing came. */
const char *cli_read_line(struct cli *cli, const char *prompt);
/* The member at a path like "object.class"; NULL if absent. */
const struct json *cli_find(const struct json *value, const char *path);

/* ---- files.c ---- */

/* In place of a folder: the guardrails that this binary carries.  Known by its address. */
extern const char cli_shipped[];
/* The YAML files of a folder, in order of name and without cases, or one file, as a
 * JSON array of {file, yaml}.  Errors: NOT_FOUND, IO, LIMIT. */
bool cli_read_files(struct cli *cli, const char *path, struct json *out, struct error *err);
/* The same with cases and texts of policies.  Errors: as above. */
bool cli_read_policy_files(struct cli *cli, const char *path, struct json *out, struct error *err);
/* Of what that read, what is no case and no text of a policy alone.  Errors: LIMIT. */
bool cli_documents_of(
	struct cli *cli, const struct json *files, struct json *out, struct error *err);

/* ---- pages ---- */

/* What GET /v1/can or /v1/who answered; in a table `when` also says what data may go where. */
struct json cli_outlooks_for_reader(struct cli *cli, const struct json *answer);

/* Puts --days, where it was given; the exit status when false: the user was told. */
bool cli_put_days(struct json_builder *object, struct cli *cli, int *status);
/* Appends --after, --limit, --state and --kind as a query; mark comes before the first. */
bool cli_page_query(struct cli *cli, struct buffer *out, char mark);
/* Tells the user where the next page begins, if there is one. */
void cli_say_more(const struct cli *cli, const struct json *body);

/* ---- the commands, by file ---- */

int command_plan(struct cli *cli); /* registry_commands.c */
int command_apply(struct cli *cli);
int command_export(struct cli *cli);
int command_list(struct cli *cli);
int command_show(struct cli *cli);
int command_propose(struct cli *cli);
int command_suspend(struct cli *cli);
int command_reactivate(struct cli *cli);
int command_retire(struct cli *cli);
int command_acknowledge(struct cli *cli);
int command_scim_token(struct cli *cli); /* people_commands.c */
int command_directory_confirm(struct cli *cli);
int command_person_import(struct cli *cli);
int command_path(struct cli *cli); /* graph_commands.c */
int command_reach(struct cli *cli);
/* What `remit can --inherited` says. */
int cli_print_inherited(struct cli *cli);
int command_graph_show(struct cli *cli);
int command_graph_diff(struct cli *cli);
int command_excess(struct cli *cli);
int command_can(struct cli *cli); /* why_commands.c */
int command_who(struct cli *cli);
int command_why(struct cli *cli);
int command_sign_in(struct cli *cli); /* sign_in_command.c: of command_login */
int command_login(struct cli *cli);   /* person_commands.c */
/* Which installation answers; asked unsigned, so this is its word alone. */
bool cli_ask_installation(struct cli *cli, struct text *out, int *status);
/* Letters that show as they are: it is printed, and kept as one line. */
bool cli_is_plain_name(struct text name);
int command_logout(struct cli *cli);
int command_whoami(struct cli *cli);
int command_code(struct cli *cli);
int command_estate(struct cli *cli);
int command_invite(struct cli *cli);
int command_bootstrap(struct cli *cli);
int command_secret_set(struct cli *cli);
int command_secret_remove(struct cli *cli);
int command_key_new(struct cli *cli); /* key_commands.c */
int command_key_show(struct cli *cli);
int command_key_rotate(struct cli *cli);
int command_credential_list(struct cli *cli); /* credential_commands.c */
int command_credential_convert(struct cli *cli);
int command_sandbox_open(struct cli *cli); /* sandbox_commands.c */
int command_task_open(struct cli *cli);    /* work_commands.c */
int command_task_end(struct cli *cli);
int command_kill(struct cli *cli);
int command_finding_close(struct cli *cli);
int command_backup(struct cli *cli);
int command_restore(struct cli *cli);
int command_approval_show(struct cli *cli); /* approval_commands.c */
int command_approve(struct cli *cli);
int command_reject(struct cli *cli);
int command_consent_person(struct cli *cli); /* consent_command.c */
int command_controls(struct cli *cli);
int command_posture_list(struct cli *cli);
int command_waive(struct cli *cli);
int command_waiver_approve(struct cli *cli);
int command_waiver_end(struct cli *cli);
int command_glass_open(struct cli *cli);    /* glass_commands.c */
int command_crossing_list(struct cli *cli); /* crossing_commands.c */
int command_crossing_show(struct cli *cli);
int command_due_list(struct cli *cli); /* living_commands.c */
int command_due_done(struct cli *cli);
int command_prove_identity(struct cli *cli); /* proof_command.c */
int command_register(struct cli *cli);       /* register_command.c */
int command_glass_agree(struct cli *cli);
int command_glass_close(struct cli *cli);
int command_glass_review(struct cli *cli);
int command_review_start(struct cli *cli); /* review_commands.c */
int command_review_show(struct cli *cli);
int command_review_decide(struct cli *cli);
int command_review_restore(struct cli *cli);
int command_review_delegate(struct cli *cli);
int command_review_report(struct cli *cli);
int command_inventory_import(struct cli *cli); /* inventory_commands.c */
int command_inventory_items(struct cli *cli);
int command_inventory_undo(struct cli *cli);
int command_inventory_refresh(struct cli *cli); /* refresh_command.c */
/* The page of `items` or `drafts` that the options name, the first with something in it; the
 * exit status when false. */
bool cli_inventory_page(struct cli *cli, const char *of, struct cli_reply *reply, int *status);
void cli_say_inventory_more(const struct cli_reply *reply);
int command_inventory_drafts(struct cli *cli); /* draft_commands.c */
int command_inventory_adopt(struct cli *cli);
int command_inventory_contain(struct cli *cli);
int command_trace(struct cli *cli); /* audit_commands.c */
int command_search(struct cli *cli);
int command_prove(struct cli *cli);
int command_audit_export(struct cli *cli);
int command_reconcile(struct cli *cli);    /* reconcile_command.c */
int command_policy_check(struct cli *cli); /* policy_commands.c */
int command_policy_test(struct cli *cli);
int command_policy_diff(struct cli *cli);
int command_policy_publish(struct cli *cli);
int command_policy_replay(struct cli *cli);    /* replay_command.c */
int command_report_friction(struct cli *cli);  /* report_command.c */
int command_approve_proposal(struct cli *cli); /* proposal_commands.c */
int command_consent(struct cli *cli);
int command_accept(struct cli *cli);
int command_hops(struct cli *cli); /* hop_command.c, of command_trace */
/* "#12" without its mark; and whether that is the index of a record. */
const char *cli_index_word(const char *word);
bool cli_is_index(const char *word);
int command_reject_proposal(struct cli *cli);

/* ---- log_pass.c: of commands that read the log of --data themselves ---- */

/* A progress bar, on a terminal after a second. */
struct cli_bar {
	int64_t begun_ms;
	int percent; /* shown last; -1: nothing yet */
};
/* What to call with the bar as it goes on; NULL: there is no terminal. */
void (*cli_bar_start(struct cli_bar *bar))(void *bar, uint64_t done_bytes, uint64_t total_bytes);
void cli_bar_wipe(const struct cli_bar *bar);
/* --since as milliseconds since 1970, a time, or how long ago ("7d"); 0 without it.
 * False: the user was told. */
bool cli_read_since(struct cli *cli, int64_t *out_utc_ms);
/* --until likewise; now without it. */
bool cli_read_until(struct cli *cli, int64_t *out_utc_ms);
const char *cli_data_folder(const struct cli *cli);

/* ---- policy_commands.c ---- */

struct policy_bundle;

/* Reads paths (NULL ones are left out) into a bundle of objects and cases, which the caller
 * deinits whatever comes of it; a text without a name is refused.  False: the user was told, and
 * *status is set. */
bool cli_read_bundle(struct cli *cli, const char *const *paths, size_t count,
	struct policy_bundle *bundle, int *status);
/* Checks it and tells the user; *status is REFUSED if it may not be used. */
bool cli_check_bundle(
	struct cli *cli, struct policy_bundle *bundle, struct json *report, int *status);
/* A name with its slashes, each part escaped for a path. */
struct text cli_escape_name(struct cli *cli, const char *name);
/* Prints what a plan, an apply came to; the exit status: WAITING where something of it waits
 * for another person, now or since before.  registry_commands.c. */
int cli_apply_files(struct cli *cli, const struct json *body);
/* The lines that only one of two texts has.  proposal_commands.c. */
void cli_print_line_diff(struct text before, struct text after);
/* The path of a field, which may hold names of an author's choice, and the lines of both
 * values that differ; NULL: there is none.  proposal_commands.c. */
void cli_print_value_diff(
	struct cli *cli, struct text path, const struct json *before, const struct json *after);
/* The halves of the identity in words[0], of each unit that it touches or of --unit, for people;
 * false: status says why not. */
bool cli_show_halves(struct cli *cli, int *status);

#endif

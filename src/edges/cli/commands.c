#include "edges/cli/command.h"

/* The one table of commands. */

#define OPTIONS(...) ((const enum cli_option[]){__VA_ARGS__, OPTION_NONE})
#define COLUMNS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define LIST(noun, collection, ...)                                                                \
	{                                                                                          \
		noun " list", "[--after NAME] [--limit N]", "list them by name", 0, 0,             \
			OPTIONS(OPTION_AFTER, OPTION_LIMIT), command_list, "/v1/" collection,      \
			COLUMNS(__VA_ARGS__)                                                       \
	}
#define SHOW(noun, collection)                                                                     \
	{                                                                                          \
		noun " show", "NAME", "show one, with what waits for approval", 1, 1, NULL,        \
			command_show, "/v1/" collection, NULL                                      \
	}
#define REASONED OPTIONS(OPTION_REASON)

const struct cli_command cli_commands[] = {
	{"plan", "-f DIR [--prune] [--draft]", "show what applying the files would change", 0, 0,
		OPTIONS(OPTION_FILE, OPTION_PRUNE, OPTION_DRAFT), command_plan, NULL, NULL},
	{"apply", "-f DIR [--prune] [--draft]", "apply the files in one transaction", 0, 0,
		OPTIONS(OPTION_FILE, OPTION_PRUNE, OPTION_DRAFT), command_apply, NULL, NULL},
	{"export", "[-f FILE] [--waiting]", "write every object as YAML", 0, 0,
		OPTIONS(OPTION_FILE, OPTION_WAITING), command_export, NULL, NULL},

	LIST("identity", "identities", "name", "state", "version|waiting.version",
		"object.kind|waiting.object.kind", "object.class|waiting.object.class",
		"object.owner|waiting.object.owner"),
	SHOW("identity", "identities"),
	{"identity propose", "NAME", "propose a draft charter", 1, 1, NULL, command_propose, NULL,
		NULL},
	{"identity approve", "NAME [--version N]", "put a proposed charter in force", 1, 1,
		OPTIONS(OPTION_VERSION), command_approve_object, "/v1/identities", NULL},
	{"identity reject", "NAME --reason T [--version N]", "turn a proposed charter down", 1, 1,
		OPTIONS(OPTION_REASON, OPTION_VERSION), command_reject_object, "/v1/identities",
		NULL},
	{"identity suspend", "NAME --reason T", "refuse its new work, keep the evidence", 1, 1,
		REASONED, command_suspend, NULL, NULL},
	{"identity reactivate", "NAME --reason T", "lift a suspension (two people after a kill)", 1,
		1, REASONED, command_reactivate, NULL, NULL},
	{"identity retire", "NAME --reason T", "end it for good", 1, 1, REASONED, command_retire,
		NULL, NULL},

	{"can", "IDENTITY", "what an identity may do, line by line", 1, 1, NULL, command_can, NULL,
		COLUMNS("number", "effect", "resource", "when", "approvals", "usable", "why_not")},
	{"who", "EFFECT RESOURCE", "which identities may do this", 2, 2, NULL, command_who, NULL,
		COLUMNS("identity", "state", "version", "number", "when", "usable", "why_not")},
	{"why", "RECORD | IDENTITY EFFECT RESOURCE [--arguments JSON]",
		"why a call was, or would be, allowed or refused", 1, 3, OPTIONS(OPTION_ARGUMENTS),
		command_why, NULL, NULL},

	LIST("person", "persons", "name", "object.unit", "object.roles", "object.clearance",
		"waiting.state"),
	SHOW("person", "persons"),
	{"person approve", "NAME [--version N]", "agree to a raised role, as the second person", 1,
		1, OPTIONS(OPTION_VERSION), command_approve_object, "/v1/persons", NULL},
	{"person reject", "NAME --reason T [--version N]", "turn a raised role down", 1, 1,
		OPTIONS(OPTION_REASON, OPTION_VERSION), command_reject_object, "/v1/persons", NULL},
	{"person code", "NAME --out FILE", "make a one-time code for `remit login`", 1, 1,
		OPTIONS(OPTION_OUT), command_code, NULL, NULL},
	LIST("unit", "units", "name", "object.purpose"),
	SHOW("unit", "units"),
	LIST("data-source", "data-sources", "name", "object.unit", "object.sensitivity",
		"object.trust", "object.environment"),
	SHOW("data-source", "data-sources"),
	LIST("server", "servers", "name", "object.unit", "object.environment", "object.transport"),
	SHOW("server", "servers"),
	LIST("tool", "tools", "name", "object.effect", "object.risk", "object.reversal"),
	SHOW("tool", "tools"),
	{"definition list", "SERVER [--after NAME] [--limit N]",
		"the tools a server offers now, with the pins they would have", 1, 1,
		OPTIONS(OPTION_AFTER, OPTION_LIMIT), command_list, "/v1/definitions",
		COLUMNS("tool", "state", "definition")},
	{"definition show", "TOOL", "a tool as its server defines it now, beside its pin", 1, 1,
		NULL, command_show, "/v1/definitions", NULL},
	LIST("policy", "policies", "name", "object.level"),
	SHOW("policy", "policies"),
	{"policy check", "FILE|DIR|NAME ...", "validate policies and conditions, without a daemon",
		1, 7, NULL, command_policy_check, NULL, NULL},
	{"policy test", "DIR [-f DIR]", "run the cases beside policies; -f adds charters and tools",
		1, 1, OPTIONS(OPTION_FILE), command_policy_test, NULL, NULL},
	{"policy diff", "DIR [--prune]", "what publishing would change of the policies in force", 1,
		1, OPTIONS(OPTION_PRUNE), command_policy_diff, NULL, NULL},
	{"policy publish", "DIR [-f DIR]", "apply policies that pass their check and their cases",
		1, 1, OPTIONS(OPTION_FILE), command_policy_publish, NULL, NULL},
	{"policy replay", "--candidate DIR [--since T] [--identity NAME] [--prune]",
		"make recorded decisions again, and say what would change", 0, 0,
		OPTIONS(OPTION_CANDIDATE, OPTION_SINCE, OPTION_IDENTITY, OPTION_PRUNE),
		command_policy_replay, NULL, NULL},
	LIST("application", "applications", "name", "object.unit"),
	SHOW("application", "applications"),

	{"secret list", "", "names of upstream secrets", 0, 0, NULL, command_list, "/v1/secrets",
		COLUMNS("name")},
	{"secret set", "NAME", "set an upstream secret, read from standard input", 1, 1, NULL,
		command_secret_set, NULL, NULL},
	{"secret remove", "NAME", "forget an upstream secret", 1, 1, NULL, command_secret_remove,
		NULL, NULL},

	{"key new", "FILE", "make a key for an identity; print the line for its charter", 1, 1,
		NULL, command_key_new, NULL, NULL},
	{"key show", "FILE", "print that line again", 1, 1, NULL, command_key_show, NULL, NULL},
	{"task open", "IDENTITY --key FILE --resource URL", "open a task and print its token", 1, 1,
		OPTIONS(OPTION_KEY, OPTION_RESOURCE), command_task_open, NULL, NULL},
	{"task list", "[--after ID] [--limit N]", "tasks, the ended ones too", 0, 0,
		OPTIONS(OPTION_AFTER, OPTION_LIMIT), command_list, "/v1/tasks",
		COLUMNS("id", "identity", "environment", "state", "opened", "deadline")},
	{"task show", "ID", "one task", 1, 1, NULL, command_show, "/v1/tasks", NULL},
	{"task end", "ID", "end a task; its token is refused at once", 1, 1, NULL, command_task_end,
		NULL, NULL},
	{"kill", "identity|task ID --reason T", "revoke it and everything it started", 2, 2,
		REASONED, command_kill, NULL, NULL},

	{"approvals list", "[--state S] [--after ID] [--limit N]", "questions to people", 0, 0,
		OPTIONS(OPTION_STATE, OPTION_AFTER, OPTION_LIMIT), command_list, "/v1/approvals",
		COLUMNS("id", "state", "identity", "tool", "names", "expires")},
	{"approvals show", "ID", "one question, with the complete arguments", 1, 1, NULL,
		command_approval_show, NULL, NULL},
	{"approve", "ID [--reason T]", "say yes to exactly this call", 1, 1, REASONED,
		command_approve, NULL, NULL},
	{"reject", "ID --reason T", "say no", 1, 1, REASONED, command_reject, NULL, NULL},

	{"login", "PERSON [--keep-key]",
		"enrol a key of yours with a one-time code from standard input", 1, 1,
		OPTIONS(OPTION_KEEP_KEY), command_login, NULL, NULL},
	{"logout", "", "forget this machine's key (an administrator should revoke it too)", 0, 0,
		NULL, command_logout, NULL, NULL},
	{"whoami", "", "who the daemon takes you for", 0, 0, NULL, command_whoami, NULL, NULL},
	{"admin bootstrap", "", "make a code for the first administrator (on the socket)", 0, 0,
		NULL, command_bootstrap, NULL, NULL},

	{"trace", "TASK|RECORD", "everything a task did, in order; or one record", 1, 1, NULL,
		command_trace, NULL,
		COLUMNS("index", "record.at", "record.type", "record.actor",
			"record.verdict|record.answer", "record.tool",
			"record.reason|record.status")},
	{"audit head", "", "the newest signed checkpoint", 0, 0, NULL, command_show,
		"/v1/audit/head", NULL},
	{"audit prove", "RECORD [--out FILE]", "a record's receipt, to be checked offline", 1, 1,
		OPTIONS(OPTION_OUT), command_prove, NULL, NULL},
	{"audit export", "[--task T] [--since MS] ...", "records as JSON lines", 0, 0,
		OPTIONS(OPTION_TASK, OPTION_IDENTITY, OPTION_ACTOR, OPTION_TYPE, OPTION_VERDICT,
			OPTION_WORDS, OPTION_SINCE, OPTION_AFTER),
		command_audit_export, NULL, NULL},
	{"audit search", "[--task T] [--identity I] [--type T] [--verdict V] [--words W] ...",
		"find records", 0, 0,
		OPTIONS(OPTION_TASK, OPTION_IDENTITY, OPTION_ACTOR, OPTION_TYPE, OPTION_VERDICT,
			OPTION_WORDS, OPTION_SINCE, OPTION_AFTER, OPTION_LIMIT),
		command_search, NULL,
		COLUMNS("index", "record.at", "record.type", "record.verdict", "record.identity",
			"record.tool", "record.reason")},
	{"backup", "FILE", "write a backup to a new file (on the socket)", 1, 1, NULL,
		command_backup, NULL, NULL},
	{"restore", "FILE --data DIR", "restore a backup into an empty folder, without a daemon", 1,
		1, NULL, command_restore, NULL, NULL},
};

const size_t cli_commands_count = sizeof cli_commands / sizeof cli_commands[0];

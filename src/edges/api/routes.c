#include "edges/api/request.h"

/* The one table: what is not a row here does not exist. */

#define MEMBERS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_MEMBERS ((const char *const[]){ NULL })

#define PAGE "after", "limit"

/* clang-format off */

/* List and show, for one kind of object. */
#define OBJECTS(path, kind_value, Name) \
	{ .method = "GET", .pattern = "/v1/" path, .access = ACCESS_READ, .handle = handle_object_list, \
	  .operation = "list" Name, .summary = "List by name", .query = MEMBERS(PAGE), .kind = kind_value }, \
	{ .method = "GET", .pattern = "/v1/" path "/{name...}", .access = ACCESS_READ, .handle = handle_object_show, \
	  .operation = "show" Name, .summary = "Show one, with what waits for approval", .kind = kind_value }

/* One verb of the registrar on a name. */
#define VERB(path, word, kind_value, verb_value, access_value, flags_value, members_value, Operation, text) \
	{ .method = "POST", .pattern = "/v1/" path "/{name}/" word, .access = access_value, .flags = flags_value, \
	  .handle = handle_verb, .operation = Operation, .summary = text, .members = members_value, \
	  .kind = kind_value, .verb = verb_value }

const struct api_route api_routes[] = {
	{ .method = "GET", .pattern = "/v1/openapi.json", .access = ACCESS_ANYONE, .handle = handle_description,
	  .operation = "describe", .summary = "This description" },
	{ .method = "GET", .pattern = "/v1/whoami", .access = ACCESS_READ, .handle = handle_whoami,
	  .operation = "whoami", .summary = "Who the request comes from, and their roles" },

	OBJECTS("identities", OBJECT_IDENTITY, "Identity"),
	OBJECTS("persons", OBJECT_PERSON, "Person"),
	OBJECTS("units", OBJECT_UNIT, "Unit"),
	OBJECTS("data-sources", OBJECT_DATA_SOURCE, "DataSource"),
	OBJECTS("servers", OBJECT_SERVER, "Server"),
	OBJECTS("tools", OBJECT_TOOL, "Tool"),
	OBJECTS("policies", OBJECT_POLICY, "Policy"),

	{ .method = "POST", .pattern = "/v1/plan", .access = ACCESS_READ, .handle = handle_plan,
	  .operation = "plan", .summary = "What applying these documents would change; changes nothing",
	  .members = MEMBERS("!files", "prune", "draft") },
	{ .method = "POST", .pattern = "/v1/apply", .access = ACCESS_PERSON, .flags = ROUTE_NEEDS_IF_MATCH,
	  .handle = handle_apply, .operation = "apply", .summary = "Apply documents in one transaction",
	  .members = MEMBERS("!files", "prune", "draft"), .verb = REGISTRAR_APPLY },
	{ .method = "GET", .pattern = "/v1/export", .access = ACCESS_READ, .handle = handle_export,
	  .operation = "export", .summary = "Every object as YAML; applying it changes nothing",
	  .query = MEMBERS("waiting") },

	VERB("identities", "propose", OBJECT_IDENTITY, REGISTRAR_PROPOSE, ACCESS_PERSON, ROUTE_NEEDS_IF_MATCH,
	  NO_MEMBERS, "proposeIdentity", "Propose a draft charter"),
	VERB("identities", "approve", OBJECT_IDENTITY, REGISTRAR_APPROVE, ACCESS_PERSON, ROUTE_NEEDS_IF_MATCH,
	  MEMBERS("version"), "approveIdentity", "Put a proposed charter in force; not by its proposer"),
	VERB("identities", "reject", OBJECT_IDENTITY, REGISTRAR_REJECT, ACCESS_PERSON, ROUTE_NEEDS_IF_MATCH,
	  MEMBERS("version", "!reason"), "rejectIdentity", "Turn a proposed charter down"),
	VERB("identities", "suspend", OBJECT_IDENTITY, REGISTRAR_SUSPEND, ACCESS_STOP, ROUTE_TAKES_IF_MATCH,
	  MEMBERS("!reason"), "suspendIdentity", "Refuse new work, keep the evidence"),
	VERB("identities", "reactivate", OBJECT_IDENTITY, REGISTRAR_REACTIVATE, ACCESS_PERSON, ROUTE_NEEDS_IF_MATCH,
	  MEMBERS("!reason"), "reactivateIdentity", "Lift a suspension; after a kill two people must"),
	VERB("identities", "retire", OBJECT_IDENTITY, REGISTRAR_RETIRE, ACCESS_PERSON, ROUTE_NEEDS_IF_MATCH,
	  MEMBERS("!reason"), "retireIdentity", "End an identity for good"),
	VERB("persons", "approve", OBJECT_PERSON, REGISTRAR_APPROVE, ACCESS_PERSON, ROUTE_NEEDS_IF_MATCH,
	  MEMBERS("version"), "approvePerson", "Agree to a raised role or clearance, as the second person"),
	VERB("persons", "reject", OBJECT_PERSON, REGISTRAR_REJECT, ACCESS_PERSON, ROUTE_NEEDS_IF_MATCH,
	  MEMBERS("version", "!reason"), "rejectPerson", "Turn a raised role or clearance down"),
	VERB("persons", "code", OBJECT_PERSON, REGISTRAR_ISSUE_CODE, ACCESS_ADMINISTRATOR, 0,
	  NO_MEMBERS, "issueCode", "Make a one-time code with which the person enrols a key"),
	{ .method = "DELETE", .pattern = "/v1/persons/{name}/keys/{kid}", .access = ACCESS_PERSON,
	  .flags = ROUTE_TAKES_IF_MATCH, .handle = handle_key_revoke, .operation = "revokeKey",
	  .summary = "Forget a person's key", .kind = OBJECT_PERSON, .verb = REGISTRAR_REVOKE_KEY },
	{ .method = "POST", .pattern = "/v1/login", .access = ACCESS_ENROLLING, .handle = handle_enrol,
	  .operation = "enrol", .summary = "Enrol a key with a one-time code; signed by that key",
	  .members = MEMBERS("!code", "!name", "!jwk"), .verb = REGISTRAR_ENROL },
	{ .method = "POST", .pattern = "/v1/admin/bootstrap", .access = ACCESS_SOCKET, .handle = handle_verb,
	  .operation = "bootstrap", .summary = "Make a code for the first administrator",
	  .members = NO_MEMBERS, .verb = REGISTRAR_BOOTSTRAP },

	{ .method = "GET", .pattern = "/v1/can/{name}", .access = ACCESS_READ, .handle = handle_can,
	  .operation = "can", .summary = "What an identity may do, line by line" },
	{ .method = "GET", .pattern = "/v1/who", .access = ACCESS_READ, .handle = handle_who, .operation = "who",
	  .summary = "Which identities may do this", .query = MEMBERS("effect", "resource") },
	{ .method = "POST", .pattern = "/v1/why", .access = ACCESS_READ, .handle = handle_why, .operation = "why",
	  .summary = "What would be decided for these arguments, and why",
	  .members = MEMBERS("!identity", "!effect", "!resource", "arguments") },

	{ .method = "GET", .pattern = "/v1/tasks", .access = ACCESS_READ, .handle = handle_task_list,
	  .operation = "listTasks", .summary = "Tasks that are open", .query = MEMBERS(PAGE) },
	{ .method = "GET", .pattern = "/v1/tasks/{id}", .access = ACCESS_READ, .handle = handle_task_show,
	  .operation = "showTask", .summary = "One task" },
	{ .method = "POST", .pattern = "/v1/tasks/{id}/end", .access = ACCESS_PERSON, .handle = handle_task_end,
	  .operation = "endTask", .summary = "End a task; its token is refused at once", .members = NO_MEMBERS },
	{ .method = "POST", .pattern = "/v1/tasks/{id}/kill", .access = ACCESS_STOP, .handle = handle_kill,
	  .operation = "killTask", .summary = "Revoke a task and everything it started",
	  .members = MEMBERS("!reason") },
	{ .method = "POST", .pattern = "/v1/identities/{name}/kill", .access = ACCESS_STOP, .handle = handle_kill,
	  .operation = "killIdentity", .summary = "Revoke an identity and everything it started",
	  .members = MEMBERS("!reason") },

	{ .method = "GET", .pattern = "/v1/approvals", .access = ACCESS_READ, .handle = handle_approval_list,
	  .operation = "listApprovals", .summary = "Questions to people, oldest first",
	  .query = MEMBERS("state", PAGE) },
	{ .method = "GET", .pattern = "/v1/approvals/{id}", .access = ACCESS_READ, .handle = handle_approval_show,
	  .operation = "showApproval", .summary = "One question, with the complete canonical arguments" },
	{ .method = "POST", .pattern = "/v1/approvals/{id}/approve", .access = ACCESS_PERSON,
	  .handle = handle_approval_answer, .operation = "approveCall", .summary = "Say yes to exactly this call",
	  .members = MEMBERS("reason") },
	{ .method = "POST", .pattern = "/v1/approvals/{id}/reject", .access = ACCESS_PERSON,
	  .handle = handle_approval_answer, .operation = "rejectCall", .summary = "Say no",
	  .members = MEMBERS("!reason") },

	{ .method = "GET", .pattern = "/v1/records", .access = ACCESS_READ, .handle = handle_record_list,
	  .operation = "searchRecords", .summary = "Search the audit log",
	  .query = MEMBERS("task", "identity", "actor", "type", "verdict", "words", "since", PAGE) },
	{ .method = "GET", .pattern = "/v1/records/{index}", .access = ACCESS_READ, .handle = handle_record_show,
	  .operation = "showRecord", .summary = "One record" },
	{ .method = "GET", .pattern = "/v1/records/{index}/receipt", .access = ACCESS_READ,
	  .handle = handle_record_receipt, .operation = "proveRecord",
	  .summary = "The record's inclusion proof under a signed checkpoint (C2SP tlog-proof)" },
	{ .method = "GET", .pattern = "/v1/trace/{task}", .access = ACCESS_READ, .handle = handle_trace,
	  .operation = "trace", .summary = "Everything one task did, in order", .query = MEMBERS(PAGE) },
	{ .method = "GET", .pattern = "/v1/audit/head", .access = ACCESS_READ, .handle = handle_audit_head,
	  .operation = "auditHead", .summary = "The newest signed checkpoint, and the log's size" },

	{ .method = "GET", .pattern = "/v1/secrets", .access = ACCESS_READ, .handle = handle_secret_list,
	  .operation = "listSecrets", .summary = "Names of upstream secrets; never their values" },
	{ .method = "PUT", .pattern = "/v1/secrets/{name}", .access = ACCESS_ADMINISTRATOR,
	  .handle = handle_secret_set, .operation = "setSecret", .summary = "Set an upstream secret",
	  .members = MEMBERS("!value") },
	{ .method = "DELETE", .pattern = "/v1/secrets/{name}", .access = ACCESS_ADMINISTRATOR,
	  .handle = handle_secret_remove, .operation = "removeSecret", .summary = "Forget an upstream secret" },
	{ .method = "POST", .pattern = "/v1/backup", .access = ACCESS_SOCKET, .handle = handle_backup,
	  .operation = "backup", .summary = "Write a backup to a new file on this machine",
	  .members = MEMBERS("!path") },
};
/* clang-format on */

const size_t api_routes_count = sizeof api_routes / sizeof api_routes[0];

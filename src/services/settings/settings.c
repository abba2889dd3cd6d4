#include "services/settings/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/yaml.h"
#include "domain/charter/credential.h"
#include "domain/task/task.h"

/* Design: one table row a setting.  The command line and the file are read by
 * the same rows, so neither can know a name the other does not.  Everything is
 * checked together at the end: a daemon starts with all of its settings right
 * or not at all. */

enum setting_kind { SETTING_TEXT, SETTING_INTEGER, SETTING_FLAG };

enum { SETTINGS_FILE_BYTES_MAX = 64 * 1024 };

struct setting {
	const char *name;
	enum setting_kind kind;
	bool is_in_file; /* may stand in remit.yaml */
	size_t offset;
	int64_t least;
	int64_t most;
	const char *value_name;
	const char *help;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
	{"data", SETTING_TEXT, false, AT(data), 0, 0, "DIR", "folder of all state (./var)"},
	{"listen", SETTING_TEXT, true, AT(listen), 0, 0, "ADDR:PORT",
		"where HTTP listens; port 0 picks a free one (127.0.0.1:8470)"},
	{"tls-cert", SETTING_TEXT, true, AT(tls_cert), 0, 0, "FILE", "certificate chain, PEM"},
	{"tls-key", SETTING_TEXT, true, AT(tls_key), 0, 0, "FILE", "its private key, PEM"},
	{"store", SETTING_TEXT, true, AT(store), 0, 0, "KIND",
		"sqlite, the embedded store (sqlite)"},
	{"public-url", SETTING_TEXT, true, AT(public_url), 0, 0, "URL",
		"how callers reach this daemon, where a proxy stands in front"},
	{"client-certificates", SETTING_TEXT, true, AT(client_certificates), 0, 0, "HOW",
		"with tls-cert: ask clients for a certificate, which none needs; or never (ask)"},
	{"dpop-nonces", SETTING_TEXT, true, AT(dpop_nonces), 0, 0, "WHERE",
		"DPoP proofs must have a nonce of the daemon's: always; for tokens, where one is "
		"asked for; or never (tokens)"},
	{"authzen-record", SETTING_TEXT, true, AT(authzen_record), 0, 0, "WHEN",
		"awaited: an evaluation is answered once its record is durable; behind: once it is "
		"on its way (behind)"},
	{"workers", SETTING_INTEGER, true, AT(workers), 1, 1, "N",
		"worker threads; 1 in this version (1)"},
	{"hold-ms", SETTING_INTEGER, true, AT(hold_ms), 0, 600000, "MS",
		"how long a call waits for a person before it is told to retry (20000)"},
	{"approval-lifetime-s", SETTING_INTEGER, true, AT(approval_lifetime_s), 1, 604800, "S",
		"how long an approval may be answered and used (3600)"},
	{"questions-per-person-max", SETTING_INTEGER, true, AT(questions_per_person_max), 1, 10000,
		"N", "open questions of one person, before no other is asked (100)"},
	{"token-key-overlap-s", SETTING_INTEGER, true, AT(token_key_overlap_s), 1, 604800, "S",
		"how long a new key for tokens is published before it signs (3600)"},
	{"owner-gone-writes", SETTING_INTEGER, true, AT(owner_gone_writes_s), 0, 86400, "S",
		"after its owner left, an identity that nobody acknowledges writes no more "
		"(86400)"},
	{"owner-gone-all", SETTING_INTEGER, true, AT(owner_gone_all_s), 0, 604800, "S",
		"and then does nothing any more (604800)"},
	{"directory-leavers-max", SETTING_INTEGER, true, AT(directory_leavers_max), 1, 100000, "N",
		"people of a directory who may leave in an hour before it is stopped (10)"},
	{"directory-leavers-percent", SETTING_INTEGER, true, AT(directory_leavers_percent), 0, 100,
		"N", "or so many of a hundred of its people, if that is more (20)"},
	{"upstream-timeout-ms", SETTING_INTEGER, true, AT(upstream_timeout_ms), 1, 3600000, "MS",
		"how long an upstream may take to answer (60000)"},
	{"stdio-servers", SETTING_TEXT, true, AT(stdio_servers), 0, 0, "HOW",
		"confined, or unconfined: with all that remit's user may do (confined)"},
	{"model-tool-calls", SETTING_TEXT, true, AT(model_tool_calls), 0, 0, "HOW",
		"block: a model's answer ends before a tool call that would be refused; record: it "
		"passes (block)"},
	{"connections-max", SETTING_INTEGER, true, AT(connections_max), 1, 1000000, "N",
		"connections held at once (4096)"},
	{"connection-pool-bytes", SETTING_INTEGER, true, AT(connection_pool_bytes), 4096, 1048576,
		"N", "memory a connection has for its headers (8192)"},
	{"body-bytes-max", SETTING_INTEGER, true, AT(body_bytes_max), 1024, 67108864, "N",
		"largest request body (4194304)"},
	{"tasks-max", SETTING_INTEGER, true, AT(tasks_max), 1, TASKS_MAX_MOST, "N",
		"tasks held at once, about 380 bytes each (1000000)"},
	{"tasks-per-identity-max", SETTING_INTEGER, true, AT(tasks_per_identity_max), 1,
		TASKS_MAX_MOST, "N", "of those, of one identity (131072)"},
	{"vault-url", SETTING_TEXT, true, AT(vault_url), 0, 0, "URL",
		"HashiCorp Vault or OpenBao, for credentials vault:MOUNT/PATH#FIELD"},
	{"vault-ca", SETTING_TEXT, true, AT(vault_ca), 0, 0, "FILE",
		"certificates that vault-url is checked with, PEM (the system's)"},
	{"vault-namespace", SETTING_TEXT, true, AT(vault_namespace), 0, 0, "NAME",
		"sent as X-Vault-Namespace"},
	{"vault-token-file", SETTING_TEXT, true, AT(vault_token_file), 0, 0, "FILE",
		"a token of Vault's, mode 0600; read at each fetch"},
	{"vault-role-id", SETTING_TEXT, true, AT(vault_role_id), 0, 0, "ID",
		"log in with AppRole instead"},
	{"vault-secret-id-file", SETTING_TEXT, true, AT(vault_secret_id_file), 0, 0, "FILE",
		"the role's secret id, mode 0600"},
	{"own-secrets", SETTING_TEXT, true, AT(own_secrets), 0, 0, "HOW",
		"of a result that holds a secret of remit's: redact it, or block the result "
		"(redact)"},
	{"foreign-secrets", SETTING_TEXT, true, AT(foreign_secrets), 0, 0, "HOW",
		"of one that holds what looks like a credential of others: pass, redact or block "
		"(redact)"},
	{"fingerprints-kept-days", SETTING_INTEGER, true, AT(fingerprints_kept_days), 1, 3650,
		"DAYS", "how long a credential is looked for after it was replaced (90)"},
	{"webhook-url", SETTING_TEXT, true, AT(webhook_url), 0, 0, "URL",
		"is told of approvals: summaries, never arguments"},
	{"webhook-secret", SETTING_TEXT, true, AT(webhook_secret), 0, 0, "REF",
		"what they are signed with: a secret's name, file:/PATH or env:VARIABLE"},
	{"canary", SETTING_TEXT, true, AT(canary), 0, 0, "NAME",
		"identity that may do nothing, with which it is tried whether kills are effective"},
	{"canary-key", SETTING_TEXT, true, AT(canary_key), 0, 0, "FILE",
		"its private key, PEM, mode 0600"},
	{"canary-every-s", SETTING_INTEGER, true, AT(canary_every_s), 1, 86400, "S",
		"between two such tries (600)"},
	{"canary-tasks", SETTING_INTEGER, true, AT(canary_tasks), 2, TASK_DEPTH_MAX, "N",
		"opened for one, each below the one before (3)"},
	{"decision-times-every-s", SETTING_INTEGER, true, AT(decision_times_every_s), 1, 43200, "S",
		"from one record of how long decisions took to the next (3600)"},
	{"replay-sample-every-s", SETTING_INTEGER, true, AT(replay_sample_every_s), 1, 43200, "S",
		"from one sample of decisions that is made again to the next (43200)"},
	{"check-config", SETTING_FLAG, false, AT(is_check_only), 0, 0, NULL,
		"check the settings, then exit"},
	{"help", SETTING_FLAG, false, AT(is_help), 0, 0, NULL, "this text"},
	{"version", SETTING_FLAG, false, AT(is_version), 0, 0, NULL, "the version"},
};

enum { TABLE_COUNT = sizeof table / sizeof table[0] };

static const struct settings defaults = {
	.data = "./var",
	.listen = "127.0.0.1:8470",
	.store = "sqlite",
	.client_certificates = "ask",
	.dpop_nonces = "tokens",
	.authzen_record = "behind",
	.workers = 1,
	.hold_ms = 20000,
	.approval_lifetime_s = 3600,
	.token_key_overlap_s = 3600,
	.owner_gone_writes_s = 86400,
	.owner_gone_all_s = 604800,
	.directory_leavers_max = 10,
	.directory_leavers_percent = 20,
	.upstream_timeout_ms = 60000,
	.stdio_servers = "confined",
	.model_tool_calls = "block",
	.connections_max = 4096,
	.connection_pool_bytes = 8192,
	.body_bytes_max = 4194304,
	.tasks_max = TASKS_MAX_DEFAULT,
	.tasks_per_identity_max = TASKS_PER_IDENTITY_MAX_DEFAULT,
	.own_secrets = "redact",
	.foreign_secrets = "redact",
	.fingerprints_kept_days = 90,
	.canary_every_s = 600,
	.canary_tasks = 3,
	.questions_per_person_max = 100,
	.decision_times_every_s = 3600,
	.replay_sample_every_s = 43200,
};

static const struct setting *find_setting(struct text name)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (text_is(name, table[i].name))
			return &table[i];
	}
	return NULL;
}

static void *member_of(struct settings *settings, const struct setting *row)
{
	return (char *)settings + row->offset;
}

static bool assign_integer(
	struct settings *settings, const struct setting *row, int64_t value, struct error *err)
{
	if (value < row->least || value > row->most)
		return error_set(err, ERROR_INVALID, "%s: %lld is outside %lld to %lld", row->name,
			(long long)value, (long long)row->least, (long long)row->most);
	memcpy(member_of(settings, row), &value, sizeof value);
	return true;
}

static bool assign_text(struct settings *settings, const struct setting *row, struct text value,
	struct arena *arena, struct error *err)
{
	struct text copy;

	if (value.length == 0)
		return error_set(err, ERROR_INVALID, "%s: the value is empty", row->name);
	copy = text_copy(arena, value);
	if (copy.data == NULL)
		return error_set(err, ERROR_LIMIT, "%s: no memory for the value", row->name);
	memcpy(member_of(settings, row), &copy.data, sizeof copy.data);
	return true;
}

static bool assign_written(struct settings *settings, const struct setting *row, struct text value,
	struct arena *arena, struct error *err)
{
	int64_t number;

	if (row->kind == SETTING_TEXT)
		return assign_text(settings, row, value, arena, err);
	if (!text_to_int64(value, &number))
		return error_set(err, ERROR_INVALID, "%s: \"%.*s\" is not a whole number",
			row->name, TEXT_ARGS(value));
	return assign_integer(settings, row, number, err);
}

/* One "--name", "--name=value" or "--name value"; *index is left on the last
 * word taken. */
static bool read_option(struct settings *settings, struct arena *arena, int argc, char *const *argv,
	int *index, struct error *err)
{
	const char *word = argv[*index];
	const struct setting *row;
	struct text name;
	struct text value;
	ptrdiff_t equals;

	if (strncmp(word, "--", 2) != 0)
		return error_set(
			err, ERROR_INVALID, "unexpected word \"%s\": options start with --", word);
	name = text_of(word + 2);
	equals = text_find_byte(name, '=');
	if (equals >= 0)
		name.length = (size_t)equals;
	row = find_setting(name);
	if (row == NULL)
		return error_set(err, ERROR_INVALID, "unknown option --%.*s: see remitd --help",
			TEXT_ARGS(name));
	if (row->kind == SETTING_FLAG) {
		if (equals >= 0)
			return error_set(err, ERROR_INVALID, "--%s takes no value", row->name);
		*(bool *)member_of(settings, row) = true;
		return true;
	}
	if (equals >= 0)
		value = text_of(argv[*index] + 2 + equals + 1);
	else if (++*index < argc)
		value = text_of(argv[*index]);
	else
		return error_set(err, ERROR_INVALID, "--%s needs a value", row->name);
	return assign_written(settings, row, value, arena, err);
}

static bool read_arguments(struct settings *settings, struct arena *arena, int argc,
	char *const *argv, struct error *err)
{
	for (int i = 1; i < argc; i++) {
		if (!read_option(settings, arena, argc, argv, &i, err))
			return false;
	}
	return true;
}

/* The whole file; *out has no data where there is no file. */
static bool load_file(struct text *out, struct arena *arena, const char *path, struct error *err)
{
	struct stat status;
	char *content;
	bool ok = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = (struct text){0};
	if (fd < 0)
		return errno == ENOENT ? true
				       : error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
	if (fstat(fd, &status) == 0 && status.st_size <= SETTINGS_FILE_BYTES_MAX) {
		content = arena_alloc(arena, (size_t)status.st_size + 1, 1);
		ok = content != NULL &&
		     file_read_all(fd, content, (size_t)status.st_size, &out->length);
		out->data = content;
	}
	close(fd);
	if (!ok)
		return error_set(err, ERROR_LIMIT, "%s: cannot be read, or larger than %d bytes",
			path, SETTINGS_FILE_BYTES_MAX);
	return true;
}

static bool assign_member(struct settings *settings, const struct json_member *member,
	struct arena *arena, struct error *err)
{
	const struct setting *row = find_setting(member->name);

	if (row == NULL || !row->is_in_file)
		return error_set(
			err, ERROR_INVALID, "unknown setting \"%.*s\"", TEXT_ARGS(member->name));
	if (row->kind == SETTING_INTEGER && member->value.type == JSON_INTEGER)
		return assign_integer(settings, row, member->value.integer, err);
	if (row->kind == SETTING_TEXT && member->value.type == JSON_STRING)
		return assign_text(settings, row, member->value.string, arena, err);
	return error_set(err, ERROR_INVALID, "%s: expected %s, found %s", row->name,
		row->kind == SETTING_TEXT ? "text" : "a whole number",
		json_type_name(member->value.type));
}

static bool read_file(struct settings *settings, struct arena *arena, struct error *err)
{
	struct text path = text_format(arena, "%s/remit.yaml", settings->data);
	struct yaml_documents documents;
	struct text content;

	if (path.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a path");
	if (!load_file(&content, arena, path.data, err))
		return false;
	if (content.length == 0)
		return true;
	if (!yaml_parse(&documents, arena, content, path.data, &json_limits_default, err))
		return false;
	if (documents.count != 1)
		return error_set(err, ERROR_INVALID, "%s: one YAML document is expected, %zu found",
			path.data, documents.count);
	for (uint32_t i = 0; i < documents.items[0].count; i++) {
		const struct json_member *member = &documents.items[0].members[i];

		if (!assign_member(settings, member, arena, err))
			return error_wrap(err, "%s:%u", path.data, member->value.line);
	}
	return true;
}

bool listen_address_parse(struct listen_address *out, const char *text, struct error *err)
{
	const char *colon = strrchr(text, ':');
	bool is_v6 = text[0] == '[';
	size_t length = colon == NULL ? 0 : (size_t)(colon - text);
	unsigned char raw[sizeof(struct in6_addr)];
	int64_t port;

	*out = (struct listen_address){0};
	if (colon == NULL || !text_to_int64(text_of(colon + 1), &port) || port < 0 || port > 65535)
		return error_set(err, ERROR_INVALID, "listen: \"%s\" is not ADDR:PORT", text);
	if (is_v6) {
		if (length < 2 || text[length - 1] != ']')
			return error_set(err, ERROR_INVALID, "listen: \"%s\" lacks the ]", text);
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof out->host)
		return error_set(err, ERROR_INVALID, "listen: the address is empty or too long");
	memcpy(out->host, text, length);
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, out->host, raw) != 1)
		return error_set(
			err, ERROR_INVALID, "listen: \"%s\" is not a numeric address", out->host);
	out->port = (uint16_t)port;
	out->is_loopback = is_v6 ? memcmp(raw, &in6addr_loopback, sizeof raw) == 0 : raw[0] == 127;
	return true;
}

/* A scheme and something behind it.  Paths are put behind it, so it ends without
 * a slash. */
static bool is_web_address(struct text url)
{
	bool is_secure = text_starts_with(url, "https://");
	size_t scheme = is_secure ? 8 : 7;

	if ((!is_secure && !text_starts_with(url, "http://")) || url.length <= scheme)
		return false;
	for (size_t i = 0; i < url.length; i++) {
		if (url.data[i] <= ' ' || url.data[i] > '~' ||
			strchr("\"<>\\?#", url.data[i]) != NULL)
			return false;
	}
	return url.data[scheme] != '/' && url.data[url.length - 1] != '/';
}

/* 0 to 255; not with zeros before it, of which some readers make octal. */
static bool is_octet(struct text part)
{
	int64_t number;

	return part.length > 0 && part.data[0] != '-' && text_to_int64(part, &number) &&
	       number <= 255;
}

/* 127.0.0.0/8 (RFC 1122, section 3.2.1.3), all four numbers written. */
static bool is_loopback_ipv4(struct text host)
{
	enum { DOTS = 3 };

	if (!text_starts_with(host, "127."))
		return false;
	for (int i = 0; i < DOTS; i++) {
		ptrdiff_t dot = text_find_byte(host, '.');

		if (dot < 0 || !is_octet((struct text){host.data, (size_t)dot}))
			return false;
		host = (struct text){host.data + dot + 1, host.length - (size_t)dot - 1};
	}
	return is_octet(host);
}

bool url_is_local(const char *url)
{
	static const char scheme[] = "http://";
	struct text host;

	if (strncmp(url, scheme, sizeof scheme - 1) != 0)
		return false;
	url += sizeof scheme - 1;
	/* Before an @ stands a user, and behind it the host. */
	if (memchr(url, '@', strcspn(url, "/?#")) != NULL)
		return false;
	host = (struct text){url, strcspn(url, *url == '[' ? "/?#" : ":/?#")};
	if (*url == '[')
		return text_starts_with(host, "[::1]") && (host.length == 5 || url[5] == ':');
	return text_is(host, "localhost") || is_loopback_ipv4(host);
}

/* The rules of "file:". */
static bool check_file(const char *name, const char *path, struct error *err)
{
	char reference[CREDENTIAL_BYTES_MAX + 1] = "file:";
	struct credential credential;

	if (path == NULL)
		return true;
	if (strlen(path) > CREDENTIAL_BYTES_MAX - 5)
		return error_set(err, ERROR_INVALID, "%s: the path is too long", name);
	memcpy(reference + 5, path, strlen(path) + 1);
	return credential_parse(&credential, text_of(reference), err) ||
	       error_set(err, ERROR_INVALID, "%s: needs an absolute path", name);
}

/* May stand in a header field or a body as it is. */
static bool check_word(const char *name, const char *word, struct error *err)
{
	size_t length = word == NULL ? 0 : strlen(word);

	for (size_t i = 0; i < length; i++)
		if (length > VAULT_NAME_BYTES_MAX || word[i] <= ' ' || word[i] > '~')
			return error_set(err, ERROR_INVALID,
				"%s: needs 1 to %d visible ASCII characters", name,
				VAULT_NAME_BYTES_MAX);
	return true;
}

static bool check_vault_address(const struct settings *settings, struct error *err)
{
	const char *url = settings->vault_url;

	if (url == NULL)
		return (settings->vault_ca == NULL && settings->vault_namespace == NULL &&
			       settings->vault_token_file == NULL &&
			       settings->vault_role_id == NULL &&
			       settings->vault_secret_id_file == NULL) ||
		       error_set(err, ERROR_INVALID, "settings of vault need vault-url");
	if (strlen(url) > VAULT_URL_BYTES_MAX || !is_web_address(text_of(url)) ||
		strchr(url, '@') != NULL || strchr(url, '%') != NULL)
		return error_set(err, ERROR_INVALID,
			"vault-url: is not https://HOST[:PORT], without a / at the end");
	return text_starts_with(text_of(url), "https://") || url_is_local(url) ||
	       error_set(err, ERROR_INVALID,
		       "vault-url: secrets come over https only, or from this machine");
}

static bool check_vault(const struct settings *settings, struct error *err)
{
	bool has_role = settings->vault_role_id != NULL;

	if (!check_vault_address(settings, err))
		return false;
	if (has_role != (settings->vault_secret_id_file != NULL))
		return error_set(
			err, ERROR_INVALID, "vault-role-id and vault-secret-id-file go together");
	if (settings->vault_url != NULL && has_role == (settings->vault_token_file != NULL))
		return error_set(err, ERROR_INVALID,
			"vault-url: give either vault-token-file, or vault-role-id and "
			"vault-secret-id-file");
	return check_file("vault-token-file", settings->vault_token_file, err) &&
	       check_file("vault-secret-id-file", settings->vault_secret_id_file, err) &&
	       check_word("vault-role-id", settings->vault_role_id, err) &&
	       check_word("vault-namespace", settings->vault_namespace, err);
}

/* Tokens go to it, and what its metadata names must be https (metadata of AuthZEN
 * 1.0; RFC 8414, section 2). */
static bool check_public_url(const char *url, struct error *err)
{
	if (url == NULL)
		return true;
	if (!is_web_address(text_of(url)))
		return error_set(err, ERROR_INVALID,
			"public-url: \"%.80s\" is not https://HOST, without a / at the end", url);
	return text_starts_with(text_of(url), "https://") || url_is_local(url) ||
	       error_set(err, ERROR_INVALID,
		       "public-url: \"%.80s\" is not https, and tokens would travel in the clear: "
		       "write https://HOST; http is for 127.0.0.0/8, [::1] and localhost alone",
		       url);
}

static bool check_binding(const struct settings *settings, struct error *err)
{
	if (strcmp(settings->client_certificates, "ask") != 0 &&
		strcmp(settings->client_certificates, "never") != 0)
		return error_set(err, ERROR_INVALID,
			"client-certificates: \"%s\" is neither ask nor never",
			settings->client_certificates);
	if (strcmp(settings->dpop_nonces, "always") == 0 ||
		strcmp(settings->dpop_nonces, "tokens") == 0 ||
		strcmp(settings->dpop_nonces, "never") == 0)
		return true;
	return error_set(err, ERROR_INVALID, "dpop-nonces: \"%s\" is none of always, tokens, never",
		settings->dpop_nonces);
}

static bool check_secrets(const struct settings *settings, struct error *err)
{
	if (strcmp(settings->own_secrets, "redact") != 0 &&
		strcmp(settings->own_secrets, "block") != 0)
		return error_set(err, ERROR_INVALID,
			"own-secrets: \"%s\" is neither redact nor block", settings->own_secrets);
	return strcmp(settings->foreign_secrets, "pass") == 0 ||
	       strcmp(settings->foreign_secrets, "redact") == 0 ||
	       strcmp(settings->foreign_secrets, "block") == 0 ||
	       error_set(err, ERROR_INVALID,
		       "foreign-secrets: \"%s\" is none of pass, redact and block",
		       settings->foreign_secrets);
}

/* A path and a query may follow the host; a user may not, and nothing behind a #. */
static bool is_webhook_address(struct text url)
{
	bool is_secure = text_starts_with(url, "https://");
	size_t scheme = is_secure ? 8 : 7;

	if ((!is_secure && !text_starts_with(url, "http://")) || url.length <= scheme ||
		url.data[scheme] == '/' || url.length > WEBHOOK_URL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < url.length; i++)
		if (url.data[i] <= ' ' || url.data[i] > '~' ||
			strchr("\"<>\\#@", url.data[i]) != NULL)
			return false;
	return true;
}

static bool check_webhook(const struct settings *settings, struct error *err)
{
	struct credential credential;
	const char *url = settings->webhook_url;

	if ((url == NULL) != (settings->webhook_secret == NULL))
		return error_set(err, ERROR_INVALID, "webhook-url and webhook-secret go together");
	if (url == NULL)
		return true;
	if (!is_webhook_address(text_of(url)))
		return error_set(err, ERROR_INVALID,
			"webhook-url: is not https://HOST[:PORT][/PATH] of at most %d bytes",
			WEBHOOK_URL_BYTES_MAX);
	if (!text_starts_with(text_of(url), "https://") && !url_is_local(url))
		return error_set(err, ERROR_INVALID,
			"webhook-url: notices leave over https only, or to this machine");
	if (!credential_parse(&credential, text_of(settings->webhook_secret), err))
		return error_wrap(err, "webhook-secret");
	return credential.kind != CREDENTIAL_VAULT ||
	       error_set(err, ERROR_INVALID,
		       "webhook-secret: a secret's name, file:/PATH or env:VARIABLE is expected");
}

static bool check_together(const struct settings *settings, struct error *err)
{
	struct listen_address address;

	if (!listen_address_parse(&address, settings->listen, err))
		return false;
	if ((settings->canary == NULL) != (settings->canary_key == NULL))
		return error_set(err, ERROR_INVALID, "canary and canary-key go together");
	if ((settings->tls_cert == NULL) != (settings->tls_key == NULL))
		return error_set(err, ERROR_INVALID, "tls-cert and tls-key go together");
	if (!address.is_loopback && settings->tls_cert == NULL)
		return error_set(err, ERROR_INVALID,
			"listen: %s is not loopback: give --tls-cert and --tls-key, or listen on "
			"127.0.0.1",
			address.host);
	if (!check_public_url(settings->public_url, err))
		return false;
	if (strcmp(settings->stdio_servers, "confined") != 0 &&
		strcmp(settings->stdio_servers, "unconfined") != 0)
		return error_set(err, ERROR_INVALID,
			"stdio-servers: \"%s\" is neither confined nor unconfined",
			settings->stdio_servers);
	if (strcmp(settings->store, "sqlite") != 0)
		return error_set(err, ERROR_INVALID,
			"store: \"%s\" is not known in this version: use sqlite", settings->store);
	if (strcmp(settings->model_tool_calls, "block") != 0 &&
		strcmp(settings->model_tool_calls, "record") != 0)
		return error_set(err, ERROR_INVALID,
			"model-tool-calls: \"%s\" is neither block nor record",
			settings->model_tool_calls);
	if (strcmp(settings->authzen_record, "behind") != 0 &&
		strcmp(settings->authzen_record, "awaited") != 0)
		return error_set(err, ERROR_INVALID,
			"authzen-record: \"%s\" is neither awaited nor behind",
			settings->authzen_record);
	return check_binding(settings, err) && check_secrets(settings, err) &&
	       check_webhook(settings, err) && check_vault(settings, err);
}

bool settings_read(
	struct settings *out, struct arena *arena, int argc, char *const *argv, struct error *err)
{
	struct settings from_arguments = defaults;

	*out = defaults;
	/* The folder must be known before its file, and the arguments win over the
	 * file: so they are read twice. */
	if (!read_arguments(&from_arguments, arena, argc, argv, err))
		return false;
	out->data = from_arguments.data;
	if (!from_arguments.is_help && !from_arguments.is_version && !read_file(out, arena, err))
		return false;
	if (!read_arguments(out, arena, argc, argv, err))
		return false;
	return check_together(out, err);
}

void settings_usage(struct buffer *out)
{
	buffer_append_string(out, "usage: remitd [OPTION]...\n\n"
				  "The remit control plane.  Options may also stand in "
				  "DIR/remit.yaml, without the dashes.\n\n");
	for (size_t i = 0; i < TABLE_COUNT; i++)
		buffer_append_format(out, "  --%-22s %-10s %s\n", table[i].name,
			table[i].value_name == NULL ? "" : table[i].value_name, table[i].help);
}

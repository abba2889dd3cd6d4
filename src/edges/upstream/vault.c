/* Design: a table of entries, one a reference.  An entry without a value and
 * without a fetch is empty work: it is given to another reference when the table
 * is full.  A fetch needs a token of Vault's: from a file, which is read for each
 * fetch, or from a login with AppRole, which all entries share.
 *
 * Invariants:
 *  V1  a value is at hand until end_ms and not a moment longer, whatever Vault does;
 *  V2  an entry has at most one request under way, and the table at most one login;
 *  V3  every wait ends: by the fetch it is for, which has a deadline, or by
 *      vault_forget; each once, and never inside vault_want;
 *  V4  values lie in this one mapping, which is in no dump, and in the reply they
 *      came in; both are cleared.  No error and no line of the log holds one. */
#include "edges/upstream/vault.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buffer.h"
#include "base/json.h"
#include "edges/upstream/vault_reply.h"

enum {
	URL_BYTES_MAX = 4096,
	LOGIN_BYTES_MAX = 2 * SECRET_BYTES_MAX + 4096,
	LOG_BYTES_MAX = CREDENTIAL_BYTES_MAX + 300,
	HEADERS_MAX = 4,
	MARGIN_PARTS = 10, /* fetched again in the last tenth of its time */
};

/* SETTLING: those who waited are being told. */
enum entry_state { ENTRY_IDLE = 0, ENTRY_AWAITS_LOGIN, ENTRY_FETCHING, ENTRY_SETTLING };

/* One request to Vault and its reply. */
struct talk {
	struct vault *vault;
	struct vault_entry *entry; /* NULL: the login */
	struct http_call *call;    /* NULL: none is under way */
	char *body;                /* VAULT_REPLY_BYTES_MAX */
	size_t size;
};

struct vault_entry {
	struct vault *vault;
	char reference[CREDENTIAL_BYTES_MAX + 1]; /* empty: free */
	enum entry_state state;
	bool is_second_try; /* with another token */
	uint64_t token_number;
	struct talk talk;
	struct vault_wait *waits;
	struct vault_wait **last;
	int64_t fetched_ms;
	int64_t lifetime_ms;
	int64_t end_ms;   /* of the value */
	int64_t again_ms; /* after a failure: not before */
	struct error failure;
	struct loop_timer end;
	struct vault_value value; /* size 0: none */
};

struct vault {
	const struct upstream_edge_settings *settings;
	const struct vault_times *times;
	struct talk login;
	int64_t token_end_ms;  /* of a login */
	uint64_t token_number; /* counts tokens: who used which */
	struct vault_value token;
	struct vault_value next_token; /* while two are compared */
	struct vault_entry entries[VAULT_REFERENCES_MAX];
};

const struct vault_times vault_times_default = {
	.deadline_ms = 5000,
	.lifetime_ms = 60 * 1000,
	.login_ms = 60 * 60 * 1000,
	.again_ms = 1000,
	.renounce_ms = 10 * 1000,
};

static int64_t now_ms(const struct vault *vault)
{
	return loop_now_ms(vault->settings->loop);
}

static void value_clear(struct vault_value *value)
{
	explicit_bzero(value, sizeof *value);
}

/* ---- values ---- */

static bool has_value(const struct vault_entry *entry)
{
	return entry->value.size > 0 && now_ms(entry->vault) < entry->end_ms; /* V1 */
}

static void entry_drop_value(struct vault_entry *entry)
{
	loop_timer_stop(entry->vault->settings->loop, &entry->end);
	value_clear(&entry->value);
	entry->end_ms = 0;
}

static void on_end(struct loop_timer *timer)
{
	entry_drop_value(timer->context);
}

static struct vault_entry *entry_find(struct vault *vault, struct text reference)
{
	size_t i;

	for (i = 0; i < VAULT_REFERENCES_MAX; i++)
		if (vault->entries[i].vault != NULL &&
			text_is(reference, vault->entries[i].reference))
			return &vault->entries[i];
	return NULL;
}

/* One that nobody needs just now: free before full of an older value. */
static struct vault_entry *entry_vacate(struct vault *vault)
{
	struct vault_entry *found = NULL;
	size_t i;

	for (i = 0; i < VAULT_REFERENCES_MAX; i++) {
		struct vault_entry *entry = &vault->entries[i];

		if (entry->state == ENTRY_IDLE && (found == NULL || entry->end_ms < found->end_ms))
			found = entry;
	}
	if (found != NULL && found->vault != NULL)
		entry_drop_value(found);
	return found;
}

static struct vault_entry *entry_of(struct vault *vault, struct text reference, struct error *err)
{
	struct vault_entry *entry = entry_find(vault, reference);
	struct credential credential;

	if (entry != NULL)
		return entry;
	if (!credential_parse(&credential, reference, err))
		return NULL;
	if (credential.kind != CREDENTIAL_VAULT) {
		error_set(err, ERROR_INVALID, "not a reference to Vault");
		return NULL;
	}
	entry = entry_vacate(vault);
	if (entry == NULL) {
		error_set(err, ERROR_LIMIT, "more than %d secrets are being fetched from Vault",
			VAULT_REFERENCES_MAX);
		return NULL;
	}
	*entry = (struct vault_entry){.vault = vault, .last = &entry->waits};
	entry->talk = (struct talk){.vault = vault, .entry = entry};
	entry->end = (struct loop_timer){.on_due = on_end, .context = entry};
	memcpy(entry->reference, reference.data, reference.length);
	return entry;
}

/* ---- waits ---- */

static void talk_clear(struct talk *talk);

/* The log is the operator's: it may name files, hosts and references.  An error
 * reaches an agent: it says what is wrong and not where. */
static void vault_log(const struct vault *vault, const char *what, const struct error *failure)
{
	const struct upstream_edge_settings *settings = vault->settings;
	struct buffer line;

	buffer_init(&line, LOG_BYTES_MAX);
	buffer_append_format(&line, "%s: %s", what, failure->text);
	if (settings->on_log != NULL && !buffer_failed(&line))
		settings->on_log(settings->log_context, TEXT("vault"), buffer_text(&line));
	buffer_deinit(&line);
}

/* The fetch is over; failure is NULL if it gave a value. */
static void entry_settle(struct vault_entry *entry, const struct error *failure)
{
	struct error copy = failure == NULL ? (struct error){0} : *failure;
	struct vault_wait *wait;

	talk_clear(&entry->talk);
	entry->state = ENTRY_SETTLING; /* so that it stays ours */
	if (failure != NULL) {
		entry->failure = copy;
		entry->again_ms = now_ms(entry->vault) + entry->vault->times->again_ms;
		vault_log(entry->vault, entry->reference, &copy);
	}
	/* Who waits anew from within run is refused or finds the value: this ends. */
	while ((wait = entry->waits) != NULL) {
		vault_forget(wait);
		wait->run(wait->context, has_value(entry) ? NULL : &copy);
	}
	entry->state = ENTRY_IDLE;
}

void vault_forget(struct vault_wait *wait)
{
	if (wait->entry == NULL)
		return;
	*wait->link = wait->next;
	if (wait->next != NULL)
		wait->next->link = wait->link;
	else
		wait->entry->last = wait->link;
	wait->entry = NULL;
	wait->next = NULL;
	wait->link = NULL;
}

static void entry_join(struct vault_entry *entry, struct vault_wait *wait)
{
	assert(wait->entry == NULL);
	wait->entry = entry;
	wait->next = NULL;
	wait->link = entry->last;
	*entry->last = wait;
	entry->last = &wait->next;
}

/* ---- talking to Vault ---- */

static void talk_clear(struct talk *talk)
{
	http_call_cancel(&talk->call);
	if (talk->body != NULL)
		explicit_bzero(talk->body, VAULT_REPLY_BYTES_MAX);
	free(talk->body);
	talk->body = NULL;
	talk->size = 0;
}

static bool on_body(void *context, struct text chunk)
{
	struct talk *talk = context;

	if (chunk.length > VAULT_REPLY_BYTES_MAX - talk->size)
		return false;
	memcpy(talk->body + talk->size, chunk.data, chunk.length);
	talk->size += chunk.length;
	return true;
}

static void entry_done(struct vault_entry *entry, unsigned status, const struct error *failure);
static void login_done(struct vault *vault, unsigned status, const struct error *failure);

static void on_done(void *context, const struct http_reply *reply)
{
	struct talk *talk = context;
	struct error failure = reply->err;

	talk->call = NULL;
	if (failure.code == ERROR_LIMIT)
		error_set(&failure, ERROR_IO, "Vault's answer is longer than %d bytes",
			VAULT_REPLY_BYTES_MAX);
	else if (failure.code == ERROR_TIMEOUT)
		error_set(&failure, ERROR_TIMEOUT, "Vault did not answer in time");
	else if (failure.code != ERROR_NONE) {
		vault_log(talk->vault, talk->vault->settings->vault.url, &failure);
		error_set(&failure, ERROR_IO, "Vault cannot be reached");
	}
	failure.os_errno = 0;
	if (talk->entry != NULL)
		entry_done(
			talk->entry, reply->status, failure.code == ERROR_NONE ? NULL : &failure);
	else
		login_done(
			talk->vault, reply->status, failure.code == ERROR_NONE ? NULL : &failure);
}

/* Sends; body is NULL for GET.  token is NULL at the login. */
static bool talk_send(
	struct talk *talk, const char *url, const char *token, struct text body, struct error *err)
{
	const struct upstream_edge_settings *settings = talk->vault->settings;
	struct http_header headers[HEADERS_MAX] = {{"X-Vault-Request", "true"}};
	size_t count = 1;

	assert(talk->call == NULL);
	talk_clear(talk);
	talk->body = calloc(1, VAULT_REPLY_BYTES_MAX);
	if (talk->body == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for Vault's answer");
	if (token != NULL)
		headers[count++] = (struct http_header){"X-Vault-Token", token};
	else
		headers[count++] = (struct http_header){"Content-Type", "application/json"};
	if (settings->vault.namespace != NULL)
		headers[count++] =
			(struct http_header){"X-Vault-Namespace", settings->vault.namespace};
	return http_client_send(settings->http,
		&(struct http_call_request){.method = token != NULL ? "GET" : "POST",
			.url = url,
			.ca_file = settings->vault.ca_file,
			.headers = headers,
			.header_count = count,
			.body = body,
			.deadline_ms = (uint32_t)talk->vault->times->deadline_ms,
			.context = talk,
			.on_body = on_body,
			.on_done = on_done},
		&talk->call, err);
}

/* ---- tokens ---- */

static bool is_login(const struct vault *vault)
{
	return vault->settings->vault.role_id != NULL;
}

static bool has_token(const struct vault *vault)
{
	return vault->token.size > 0 && (!is_login(vault) || now_ms(vault) < vault->token_end_ms);
}

/* A file's secret, which must be fit for a header field. */
static bool file_resolve(const struct vault *vault, const char *reference, struct vault_value *out,
	struct error *err)
{
	struct secret secret;

	if (vault->settings->secrets == NULL)
		return error_set(err, ERROR_INVALID, "no secrets are kept here");
	if (!secrets_resolve(vault->settings->secrets, text_of(reference), &secret, err))
		return false;
	memcpy(out->bytes, secret.bytes, secret.size);
	out->bytes[secret.size] = '\0';
	out->size = secret.size;
	secret_clear(&secret);
	if (strlen(out->bytes) == out->size && strpbrk(out->bytes, "\r\n") == NULL)
		return true;
	value_clear(out);
	return error_set(err, ERROR_INVALID, "it is not one line of text");
}

static bool file_value(
	const struct vault *vault, const char *path, struct vault_value *out, struct error *err)
{
	char reference[CREDENTIAL_BYTES_MAX + 1];

	value_clear(out);
	if (path == NULL || strlen(path) >= sizeof reference - strlen("file:"))
		return error_set(err, ERROR_INVALID, "nothing lets remit into Vault");
	(void)snprintf(reference, sizeof reference, "file:%s", path);
	if (file_resolve(vault, reference, out, err))
		return true;
	vault_log(vault, reference, err);
	return error_set(err, err->code, "what lets remit into Vault cannot be read");
}

/* Takes next_token, and counts it if it is another one. */
static void token_take(struct vault *vault)
{
	const struct vault_value *next = &vault->next_token;

	if (next->size != vault->token.size ||
		memcmp(next->bytes, vault->token.bytes, next->size) != 0) {
		vault->token = *next;
		vault->token_number++;
	}
	value_clear(&vault->next_token);
}

static bool token_read(struct vault *vault, struct error *err)
{
	if (!file_value(vault, vault->settings->vault.token_file, &vault->next_token, err))
		return false;
	token_take(vault);
	return true;
}

static bool login_send(struct vault *vault, struct error *err)
{
	const struct upstream_vault *settings = &vault->settings->vault;
	struct vault_value *secret_id = &vault->next_token;
	char *bytes = calloc(1, LOGIN_BYTES_MAX);
	struct buffer body = {
		.data = bytes, .capacity = LOGIN_BYTES_MAX, .limit_bytes = LOGIN_BYTES_MAX};
	char url[URL_BYTES_MAX];
	bool ok = false;

	if (bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a login");
	if (!file_value(vault, settings->secret_id_file, secret_id, err))
		goto done;
	if (snprintf(url, sizeof url, "%s/v1/auth/approle/login", settings->url) >=
		(int)sizeof url) {
		error_set(err, ERROR_LIMIT, "vault-url is too long");
		goto done;
	}
	buffer_append_string(&body, "{\"role_id\":");
	json_append_string(&body, text_of(settings->role_id));
	buffer_append_string(&body, ",\"secret_id\":");
	json_append_string(&body, (struct text){secret_id->bytes, secret_id->size});
	buffer_append_string(&body, "}");
	ok = buffer_failed(&body) ? error_set(err, ERROR_LIMIT, "the login is too long")
				  : talk_send(&vault->login, url, NULL, buffer_text(&body), err);
done:
	value_clear(secret_id);
	explicit_bzero(bytes, LOGIN_BYTES_MAX);
	free(bytes);
	return ok;
}

/* ---- one fetch ---- */

static bool entry_send(struct vault_entry *entry, struct error *err)
{
	struct vault *vault = entry->vault;
	struct credential credential;
	struct buffer url;
	bool ok;

	if (!credential_parse(&credential, text_of(entry->reference), err))
		return false;
	buffer_init(&url, URL_BYTES_MAX);
	vault_url_of_secret(&url, vault->settings->vault.url, &credential);
	entry->token_number = vault->token_number;
	entry->state = ENTRY_FETCHING;
	ok = buffer_failed(&url)
		     ? error_set(err, ERROR_LIMIT, "the URL in Vault is too long")
		     : talk_send(&entry->talk, url.data, vault->token.bytes, (struct text){0}, err);
	buffer_deinit(&url);
	return ok;
}

/* Fetches, or logs in first. */
static bool entry_start(struct vault_entry *entry, struct error *err)
{
	struct vault *vault = entry->vault;

	entry->is_second_try = false;
	if (!is_login(vault))
		return token_read(vault, err) && entry_send(entry, err);
	if (has_token(vault))
		return entry_send(entry, err);
	entry->state = ENTRY_AWAITS_LOGIN;
	return vault->login.call != NULL || login_send(vault, err); /* V2 */
}

/* Vault did not take the token.  True: another one is tried, once. */
static bool entry_try_again(struct vault_entry *entry)
{
	struct vault *vault = entry->vault;
	struct error ignored; /* the refusal is the better reason */

	if (entry->is_second_try)
		return false;
	entry->is_second_try = true;
	if (!is_login(vault))
		return token_read(vault, &ignored) && entry->token_number != vault->token_number &&
		       entry_send(entry, &ignored);
	if (entry->token_number != vault->token_number && has_token(vault))
		return entry_send(entry, &ignored);
	value_clear(&vault->token);
	entry->state = ENTRY_AWAITS_LOGIN;
	return vault->login.call != NULL || login_send(vault, &ignored);
}

static int64_t lifetime_of(int64_t lease_s, int64_t most_ms)
{
	return lease_s > 0 && lease_s < most_ms / 1000 ? lease_s * 1000 : most_ms;
}

/* The reply has a value; it is at hand from now on. */
static bool entry_take(struct vault_entry *entry, struct error *err)
{
	struct loop *loop = entry->vault->settings->loop;
	struct credential credential;
	int64_t lease_s;

	entry_drop_value(entry);
	if (!credential_parse(&credential, text_of(entry->reference), err) ||
		!vault_read_secret((struct text){entry->talk.body, entry->talk.size},
			credential.field, &entry->value, &lease_s, err))
		return false;
	entry->lifetime_ms = lifetime_of(lease_s, entry->vault->times->lifetime_ms);
	entry->fetched_ms = now_ms(entry->vault);
	entry->end_ms = entry->fetched_ms + entry->lifetime_ms;
	if (loop_timer_start(loop, &entry->end, entry->lifetime_ms))
		return true;
	entry_drop_value(entry);
	return error_set(err, ERROR_LIMIT, "no memory for a deadline");
}

static void entry_done(struct vault_entry *entry, unsigned status, const struct error *failure)
{
	struct error err = failure == NULL ? (struct error){0} : *failure;
	bool ok = failure == NULL;

	if (ok && status == 403 && entry_try_again(entry))
		return;
	ok = ok && (status == 200 || vault_fault_of(status, &err)) && entry_take(entry, &err);
	if (status == 403 || status == 404)
		entry_drop_value(entry); /* it is no longer ours to use */
	entry_settle(entry, ok ? NULL : &err);
}

static bool login_take(struct vault *vault, struct error *err)
{
	const struct talk *talk = &vault->login;
	int64_t lease_s, lifetime_ms;

	if (!vault_read_login(
		    (struct text){talk->body, talk->size}, &vault->next_token, &lease_s, err))
		return false;
	token_take(vault);
	lifetime_ms = lifetime_of(lease_s, vault->times->login_ms);
	vault->token_end_ms = now_ms(vault) + lifetime_ms - lifetime_ms / MARGIN_PARTS;
	return true;
}

static void login_done(struct vault *vault, unsigned status, const struct error *failure)
{
	struct error err = failure == NULL ? (struct error){0} : *failure;
	bool ok = failure == NULL;
	size_t i;

	ok = ok && (status == 200 || vault_fault_of(status, &err)) && login_take(vault, &err);
	talk_clear(&vault->login);
	if (!ok)
		error_wrap(&err, "login");
	for (i = 0; i < VAULT_REFERENCES_MAX; i++) {
		struct vault_entry *entry = &vault->entries[i];
		struct error why = err;

		if (entry->state != ENTRY_AWAITS_LOGIN)
			continue;
		entry->is_second_try = true; /* this token is as new as can be */
		if (!ok || !entry_send(entry, &why))
			entry_settle(entry, &why);
	}
}

/* ---- for the edge ---- */

bool vault_find(struct vault *vault, struct text reference, struct text *out)
{
	const struct vault_entry *entry = entry_find(vault, reference);

	*out = (struct text){0};
	if (entry == NULL || !has_value(entry))
		return false;
	*out = (struct text){entry->value.bytes, entry->value.size};
	return true;
}

bool vault_is_fresh(struct vault *vault, struct text reference)
{
	const struct vault_entry *entry = entry_find(vault, reference);

	return entry != NULL && has_value(entry) &&
	       (now_ms(vault) < entry->end_ms - entry->lifetime_ms / MARGIN_PARTS ||
		       now_ms(vault) < entry->again_ms);
}

static bool is_busy(const struct vault_entry *entry)
{
	return entry->state == ENTRY_AWAITS_LOGIN || entry->state == ENTRY_FETCHING;
}

bool vault_want(
	struct vault *vault, struct text reference, struct vault_wait *wait, struct error *err)
{
	struct vault_entry *entry;

	if (vault->settings->vault.url == NULL)
		return error_set(err, ERROR_INVALID, "vault-url is not set");
	entry = entry_of(vault, reference, err);
	if (entry == NULL)
		return false;
	if (!is_busy(entry) && now_ms(vault) < entry->again_ms) {
		*err = entry->failure;
		return false;
	}
	if (!is_busy(entry) && !entry_start(entry, err)) {
		entry_settle(entry, err); /* nobody waits yet */
		return false;
	}
	entry_join(entry, wait);
	return true;
}

void vault_renounce(struct vault *vault, struct text reference)
{
	struct vault_entry *entry = entry_find(vault, reference);

	if (entry != NULL && entry->state == ENTRY_IDLE &&
		now_ms(vault) - entry->fetched_ms >= vault->times->renounce_ms)
		entry_drop_value(entry);
}

bool vault_create(
	struct vault **out, const struct upstream_edge_settings *settings, struct error *err)
{
	struct vault *vault = mmap(
		NULL, sizeof *vault, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*out = NULL;
	if (vault == MAP_FAILED)
		return error_set(err, ERROR_LIMIT, "no memory for secrets");
	if (madvise(vault, sizeof *vault, MADV_DONTDUMP) != 0) { /* V4 */
		(void)munmap(vault, sizeof *vault);
		return error_set(err, ERROR_LIMIT, "no memory that is in no dump");
	}
	vault->settings = settings;
	vault->times = settings->vault.times != NULL ? settings->vault.times : &vault_times_default;
	vault->login = (struct talk){.vault = vault};
	*out = vault;
	return true;
}

void vault_destroy(struct vault **handle)
{
	struct vault *vault = *handle;
	size_t i;

	if (vault == NULL)
		return;
	talk_clear(&vault->login);
	for (i = 0; i < VAULT_REFERENCES_MAX; i++) {
		struct vault_entry *entry = &vault->entries[i];

		assert(entry->waits == NULL);
		if (entry->vault == NULL)
			continue;
		talk_clear(&entry->talk);
		entry_drop_value(entry);
	}
	value_clear(&vault->token);
	(void)munmap(vault, sizeof *vault);
	*handle = NULL;
}

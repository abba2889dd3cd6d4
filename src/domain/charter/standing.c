/* What stands, told from the documents in force alone.
 *
 * Only what can be used counts: of an identity that is not active nothing does.  What is bound
 * to a task is none: a rule of federation (its tokens end), a key with an end, a secret that
 * Vault keeps (whose end is Vault's to say). */
#include "domain/charter/standing.h"

#include "base/base64.h"
#include "domain/charter/credential.h"

static const struct {
	const char *word;
	const char *meaning;
} kinds[] = {
	[STANDING_NONE] = {NULL, "nothing stands"},
	[STANDING_KEY] = {"key", "A key of the charter has no end: whoever has it gets tokens, "
				 "as long as the charter is there."},
	[STANDING_CERTIFICATE] = {"certificate",
		"A client certificate of the charter has no end: whoever has its key gets "
		"tokens, as long as the charter is there."},
	[STANDING_UNBOUND] = {"binding", "Its tokens for prod are bound to nothing: whoever has "
					 "one can use it."},
	[STANDING_SECRET] = {"secret", "One secret without an end goes with the calls of all "
				       "tasks."},
};

const char *standing_kind_word(enum standing_kind value)
{
	return kinds[value].word;
}

const char *standing_kind_meaning(enum standing_kind value)
{
	return kinds[value].meaning;
}

int64_t charter_key_end(const struct charter *charter, const struct charter_key *key)
{
	if (key->expires_utc_s == 0)
		return charter->expires_utc_s;
	return charter->expires_utc_s != 0 && charter->expires_utc_s < key->expires_utc_s
		       ? charter->expires_utc_s
		       : key->expires_utc_s;
}

struct text charter_key_thumbprint(struct arena *arena, const struct charter_key *key)
{
	static const char *const members[] = {"crv", "kty", "x", "y"};
	struct json_builder object;
	struct text canonical = {0};
	struct sha256 digest;
	struct json needed;
	struct error err;

	json_object_start(&object, arena);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		json_put_text(&object, members[i], json_text_or(&key->jwk, members[i], ""));
	if (json_object_seal(&object, &needed, &err))
		canonical = json_canonical_text(arena, &needed);
	if (canonical.data == NULL)
		return canonical;
	digest = sha256_of(canonical.data, canonical.length);
	return base64url_text(arena, digest.bytes, sizeof digest.bytes);
}

/* ---- looking ---- */

struct look {
	const struct registry_entry *entry;
	struct arena *arena;
	int64_t now_utc_s;
	struct standing *out;
	size_t count;
	bool has_failed;
};

/* One more, with the parts of its id behind the name. */
static struct standing *add(
	struct look *look, enum standing_kind kind, const char *folder, struct text credential)
{
	struct standing *one = &look->out[look->count++];

	*one = (struct standing){.kind = kind, .credential = credential};
	one->id = text_format(look->arena, "%.*s/%s%s%.*s", TEXT_ARGS(look->entry->name),
		standing_kind_word(kind), folder, TEXT_ARGS(credential));
	one->object = text_format(look->arena, "%s/%.*s", object_kind_word(look->entry->kind),
		TEXT_ARGS(look->entry->name));
	one->unit = object_unit(look->entry->in_force);
	look->has_failed |= one->id.data == NULL || one->object.data == NULL;
	return one;
}

static bool has_end(int64_t end_utc_s, int64_t now_utc_s)
{
	return end_utc_s != 0 && end_utc_s - now_utc_s <= STANDING_END_S_MAX;
}

static void look_at_key(
	struct look *look, const struct charter *charter, const struct charter_key *key)
{
	enum standing_kind kind = key->has_certificate ? STANDING_CERTIFICATE : STANDING_KEY;
	char digest[DIGEST_TEXT_BYTES];
	struct standing *one;
	struct text name;

	if (has_end(charter_key_end(charter, key), look->now_utc_s))
		return;
	if (key->has_certificate)
		digest_format(digest, &key->certificate);
	name = key->has_certificate ? text_copy(look->arena, text_of(digest))
				    : charter_key_thumbprint(look->arena, key);
	one = add(look, kind, "/", name);
	one->environment = key->environment;
	one->severity = key->environment == ENVIRONMENT_PROD ? RISK_HIGH : RISK_MEDIUM;
	look->has_failed |= name.data == NULL;
}

static void look_at_identity(struct look *look)
{
	const struct charter *charter = charter_of(look->entry->in_force);
	struct standing *one;

	if (look->entry->state != IDENTITY_ACTIVE ||
		is_expired(charter->expires_utc_s, look->now_utc_s))
		return;
	for (uint32_t i = 0; i < charter->keys_count; i++)
		look_at_key(look, charter, &charter->keys[i]);
	if (charter->binding != BINDING_NEED_NONE ||
		!charter_has_environment(charter, ENVIRONMENT_PROD) ||
		risk_tier_level(charter->risk) < risk_tier_level(RISK_HIGH))
		return;
	one = add(look, STANDING_UNBOUND, "", TEXT(""));
	one->environment = ENVIRONMENT_PROD;
	one->severity = RISK_HIGH;
}

static bool is_static(struct text reference)
{
	struct credential credential;
	struct error err;

	return reference.length > 0 && (!credential_parse(&credential, reference, &err) ||
					       credential.kind != CREDENTIAL_VAULT);
}

static void add_secret(
	struct look *look, const char *folder, struct text identity, struct text reference)
{
	const struct server *server = look->entry->in_force->server;
	struct standing *one;

	if (!is_static(reference))
		return;
	one = add(look, STANDING_SECRET, folder, identity);
	one->credential = reference;
	one->environment = server->environment;
	one->severity = speaks_is_provider(server->speaks) ? RISK_MEDIUM : RISK_LOW;
}

static void look_at_server(struct look *look)
{
	const struct server *server = look->entry->in_force->server;

	add_secret(look, "", TEXT(""), server->credential);
	for (uint32_t i = 0; i < server->credentials_count; i++)
		add_secret(look, "/", server->credentials[i].identity,
			server->credentials[i].credential);
}

bool standing_of(const struct registry_entry *entry, int64_t now_utc_s, struct arena *arena,
	struct standing *out, size_t *out_count, struct error *err)
{
	struct look look = {.entry = entry, .arena = arena, .now_utc_s = now_utc_s, .out = out};

	if (entry->in_force != NULL && entry->kind == OBJECT_IDENTITY)
		look_at_identity(&look);
	else if (entry->in_force != NULL && entry->kind == OBJECT_SERVER)
		look_at_server(&look);
	*out_count = look.count;
	return look.has_failed ? error_set(err, ERROR_LIMIT, "no memory for what stands") : true;
}

struct text standing_remedy(struct arena *arena, const struct standing *standing)
{
	ptrdiff_t slash = text_find_byte(standing->id, '/');
	struct text name = {standing->id.data, slash < 0 ? 0 : (size_t)slash};

	if (standing->kind == STANDING_SECRET)
		return text_format(arena, "remit server show %.*s", TEXT_ARGS(name));
	return text_format(arena, "remit credential convert %.*s", TEXT_ARGS(name));
}

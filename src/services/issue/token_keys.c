/* Rotation: made by the signer ▸ on record ▸ published ▸ told to the signer ▸ it signs.
 *
 * K1  The record comes before the signer may use the key, so whatever it signs with is
 *     published.  A crash between leaves a key that nobody uses.
 * K2  What the signer is told is what is on record; it is told until it confirms.
 * K3  A key is accepted for as long as a token it signed may live, by the moment at which
 *     the next one signs: never by how many tokens there were. */
#include "services/issue/token_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "domain/audit/envelope.h"
#include "domain/token/jwk.h"
#include "domain/token/key_set.h"

#define RECORD_TYPE "token-key"

enum { ROTATION_ARENA_BYTES_MAX = 64 * 1024 };

struct entry {
	char id[JWK_THUMBPRINT_BYTES];
	struct public_key *key;
	int64_t from_utc_ms;  /* 0: since before all records of keys */
	int64_t until_utc_ms; /* accepted before it; 0: no end is known */
};

/* The one rotation that may be under way. */
struct rotation {
	struct token_key_rotation asked; /* its texts in arena */
	struct arena *arena;             /* NULL: none is under way */
	struct token_signing making;
	struct fold_change change;
};

struct token_keys {
	struct token_keys_parts parts;
	struct entry entries[TOKEN_KEYS_MAX]; /* by from_utc_ms */
	size_t count;
	struct rotation rotation;
	struct token_signing telling;
	bool is_telling;
	bool is_told; /* the signer has confirmed the newest */
};

static int64_t now_utc_ms(const struct token_keys *keys)
{
	return keys->parts.wall_utc_ms(keys->parts.clock_context);
}

/* ---- the set ---- */

static struct entry *find(const struct token_keys *keys, struct text id)
{
	for (size_t i = 0; i < keys->count; i++)
		if (text_is(id, keys->entries[i].id))
			return (struct entry *)(uintptr_t)&keys->entries[i];
	return NULL;
}

static void drop_at(struct token_keys *keys, size_t place)
{
	public_key_destroy(&keys->entries[place].key);
	keys->count--;
	memmove(&keys->entries[place], &keys->entries[place + 1],
		(keys->count - place) * sizeof keys->entries[0]);
}

static bool is_over(const struct entry *entry, int64_t now)
{
	return entry->until_utc_ms != 0 && entry->until_utc_ms <= now;
}

static void drop_over(struct token_keys *keys, int64_t now)
{
	for (size_t i = keys->count; i > 0; i--)
		if (is_over(&keys->entries[i - 1], now))
			drop_at(keys, i - 1);
}

/* Behind those that signed earlier.  Takes key over in any case. */
static bool add(struct token_keys *keys, struct entry made, struct error *err)
{
	size_t place = keys->count;

	if (keys->count == TOKEN_KEYS_MAX) {
		public_key_destroy(&made.key);
		return error_set(err, ERROR_LIMIT, "at most %d keys are published", TOKEN_KEYS_MAX);
	}
	while (place > 0 && keys->entries[place - 1].from_utc_ms > made.from_utc_ms)
		place--;
	memmove(&keys->entries[place + 1], &keys->entries[place],
		(keys->count - place) * sizeof keys->entries[0]);
	keys->entries[place] = made;
	keys->count++;
	return true;
}

static bool add_jwk(
	struct token_keys *keys, const struct json *jwk, struct entry made, struct error *err)
{
	if (!jwk_parse(&made.key, jwk, err))
		return false;
	if (public_key_algorithm(made.key) != SIGNATURE_ES256 ||
		!jwk_thumbprint(made.id, made.key, err)) {
		public_key_destroy(&made.key);
		return error_set(err, ERROR_CORRUPT, "not a key of tokens");
	}
	return add(keys, made, err);
}

static bool add_first(struct token_keys *keys, struct error *err)
{
	struct entry first = {0};
	struct public_key_numbers numbers;

	public_key_numbers(keys->parts.signer.key, &numbers);
	if (!jwk_thumbprint(first.id, keys->parts.signer.key, err) ||
		!public_key_from_ec(&first.key, public_key_algorithm(keys->parts.signer.key),
			numbers.x, numbers.y, err))
		return false;
	return add(keys, first, err);
}

/* Whose turn it is to sign, of at least one. */
static const struct entry *current(const struct token_keys *keys, int64_t now)
{
	const struct entry *found = &keys->entries[0];

	for (size_t i = 1; i < keys->count; i++)
		if (keys->entries[i].from_utc_ms <= now)
			found = &keys->entries[i];
	return found;
}

/* The one that waits for its time, or NULL. */
static const struct entry *next(const struct token_keys *keys, int64_t now)
{
	const struct entry *newest = keys->count == 0 ? NULL : &keys->entries[keys->count - 1];

	return newest != NULL && newest->from_utc_ms > now ? newest : NULL;
}

const struct public_key *token_keys_find(const struct token_keys *keys, struct text kid)
{
	const struct entry *entry = find(keys, kid);

	return entry == NULL || is_over(entry, now_utc_ms(keys)) ? NULL : entry->key;
}

/* ---- what is shown ---- */

bool token_keys_publish(
	const struct token_keys *keys, struct arena *arena, struct json *out, struct error *err)
{
	struct key_set_entry entries[TOKEN_KEYS_MAX];
	struct key_set set = {.entries = entries};
	int64_t now = now_utc_ms(keys);

	for (size_t i = 0; i < keys->count; i++)
		if (!is_over(&keys->entries[i], now))
			entries[set.count++] = (struct key_set_entry){
				text_of(keys->entries[i].id), keys->entries[i].key};
	return key_set_format(out, arena, &set, err);
}

static bool show(const struct token_keys *keys, const struct entry *entry, int64_t now,
	struct json_builder *list, struct error *err)
{
	const char *state = entry == current(keys, now) ? "current" : "old";
	struct json_builder object;
	struct json shown;

	json_object_start(&object, list->arena);
	json_put_text(&object, "kid", text_of(entry->id));
	json_put_cstring(&object, "state", entry->from_utc_ms > now ? "next" : state);
	if (entry->from_utc_ms != 0)
		json_put_integer(&object, "signs_from", entry->from_utc_ms);
	if (entry->until_utc_ms != 0)
		json_put_integer(&object, "accepted_until", entry->until_utc_ms);
	if (!json_object_seal(&object, &shown, err))
		return false;
	json_add(list, shown);
	return true;
}

bool token_keys_list(
	const struct token_keys *keys, struct arena *arena, struct json *out, struct error *err)
{
	int64_t now = now_utc_ms(keys);
	struct json_builder list;

	json_array_start(&list, arena);
	for (size_t i = 0; i < keys->count; i++)
		if (!is_over(&keys->entries[i], now) &&
			!show(keys, &keys->entries[i], now, &list, err))
			return false;
	return json_array_seal(&list, out, err);
}

/* ---- the signer is told ---- */

static void on_told(struct token_signing *telling)
{
	struct token_keys *keys = telling->context;

	keys->is_telling = false;
	keys->is_told = telling->is_signed;
	if (telling->is_signed)
		return;
	log_warn("token_key_not_used", LOG_STRING("why", telling->err.text));
	/* It goes on with the key it has, which is accepted; asking again makes no other. */
	keys->is_told = telling->err.code == ERROR_NOT_FOUND;
}

static void tell(struct token_keys *keys)
{
	const struct entry *newest = keys->count == 0 ? NULL : &keys->entries[keys->count - 1];
	const struct token_signer *signer = &keys->parts.signer;

	if (newest == NULL || keys->is_told || keys->is_telling || newest->from_utc_ms == 0 ||
		signer->use_key == NULL || fold_is_loading(keys->parts.fold))
		return;
	keys->is_telling = true;
	keys->telling = (struct token_signing){.done = on_told, .context = keys};
	signer->use_key(signer->context, text_of(newest->id), newest->from_utc_ms, &keys->telling);
}

void token_keys_tend(struct token_keys *keys)
{
	const struct token_signer *signer = &keys->parts.signer;

	drop_over(keys, now_utc_ms(keys));
	if (signer->is_ready == NULL || signer->is_ready(signer->context))
		tell(keys);
}

/* ---- fold ---- */

/* The key that signed before, until when. */
static bool fold_replaced(struct token_keys *keys, const struct json *record, struct error *err)
{
	const struct json *replaces = json_find(record, "replaces");
	const struct json *jwk = replaces == NULL ? NULL : json_find(replaces, "jwk");
	int64_t until = json_integer_or(replaces, "until", 0);
	struct entry *known = NULL;

	if (jwk == NULL || until <= 0)
		return error_set(err, ERROR_CORRUPT, "the record of a key replaces none");
	known = find(keys, json_text_or(replaces, "kid", ""));
	if (known != NULL) {
		known->until_utc_ms = until;
		return true;
	}
	if (until <= now_utc_ms(keys))
		return true;
	return add_jwk(keys, jwk, (struct entry){.until_utc_ms = until}, err);
}

static bool fold_made(struct token_keys *keys, const struct json *record, struct error *err)
{
	const struct json *jwk = json_find(record, "jwk");
	int64_t from = json_integer_or(record, "from", 0);
	struct entry *known = find(keys, json_text_or(record, "kid", ""));

	if (jwk == NULL || from <= 0)
		return error_set(err, ERROR_CORRUPT, "the record of a key has none");
	if (known != NULL)
		drop_at(keys, (size_t)(known - keys->entries));
	return add_jwk(keys, jwk, (struct entry){.from_utc_ms = from}, err);
}

/* A compromised key ends every earlier one, not only the one before. */
static void end_earlier(struct token_keys *keys, const struct json *record)
{
	int64_t from = json_integer_or(record, "from", 0);

	if (!json_boolean_or(record, "compromised", false))
		return;
	for (size_t i = 0; i < keys->count; i++)
		if (keys->entries[i].from_utc_ms < from)
			keys->entries[i].until_utc_ms = from;
}

static bool fold_record(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct token_keys *keys = state;

	(void)index;
	if (!fold_replaced(keys, record, err) || !fold_made(keys, record, err))
		return false;
	end_earlier(keys, record);
	drop_over(keys, now_utc_ms(keys));
	keys->is_told = false;
	keys->parts.on_change(keys->parts.change_context);
	return true;
}

static void project(const struct json *record, struct projection *projection)
{
	projection_put(projection, RECORD_TYPE, json_text_or(record, "kid", ""), record);
}

/* ---- rotation ---- */

static void rotation_end(struct token_keys *keys, uint64_t index, const struct error *err)
{
	struct rotation *rotation = &keys->rotation;
	struct token_key_rotation asked = rotation->asked;
	struct arena *arena = rotation->arena;

	rotation->arena = NULL;
	asked.done(asked.context, index, err);
	arena_destroy(&arena);
}

static void on_recorded(struct fold_change *change)
{
	struct token_keys *keys = change->context;

	if (change->is_durable)
		tell(keys);
	rotation_end(keys, change->index, change->is_durable ? NULL : &change->err);
}

static bool put_replaced(
	struct json_builder *record, const struct entry *entry, int64_t until, struct error *err)
{
	struct json_builder object;
	struct json jwk, sealed;

	if (!jwk_format(&jwk, record->arena, entry->key, err))
		return false;
	json_object_start(&object, record->arena);
	json_put(&object, "jwk", jwk);
	json_put_text(&object, "kid", text_of(entry->id));
	json_put_integer(&object, "until", until);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(record, "replaces", sealed);
	return true;
}

static bool make_record(
	struct token_keys *keys, const struct json *jwk, const char *kid, struct error *err)
{
	struct rotation *rotation = &keys->rotation;
	const struct envelope common = {.at_utc_ms = fold_stamp_utc_ms(keys->parts.fold),
		.type = RECORD_TOKEN_KEY,
		.actor = rotation->asked.actor};
	bool is_now = rotation->asked.why == ROTATION_COMPROMISED;
	int64_t from = common.at_utc_ms + (is_now ? 0 : keys->parts.overlap_ms);
	struct json_builder record;
	struct json whole;

	envelope_start(&record, rotation->arena, &common);
	if (is_now)
		json_put_boolean(&record, "compromised", true);
	json_put_integer(&record, "from", from);
	json_put(&record, "jwk", *jwk);
	json_put_cstring(&record, "kid", kid);
	json_put_text(&record, "reason", rotation->asked.reason);
	if (!put_replaced(&record, current(keys, common.at_utc_ms),
		    from + (is_now ? 0 : (int64_t)TOKEN_KEY_GRACE_MS), err) ||
		!json_object_seal(&record, &whole, err))
		return false;
	rotation->change = (struct fold_change){.done = on_recorded, .context = keys};
	rotation->change.entry = json_canonical_text(rotation->arena, &whole);
	return rotation->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for a record");
}

static bool submit(struct token_keys *keys, const struct public_key *key, struct error *err)
{
	struct rotation *rotation = &keys->rotation;
	char kid[JWK_THUMBPRINT_BYTES];
	struct json jwk;

	return jwk_thumbprint(kid, key, err) && jwk_format(&jwk, rotation->arena, key, err) &&
	       make_record(keys, &jwk, kid, err) &&
	       fold_submit(keys->parts.fold, &rotation->change, err);
}

static void on_made(struct token_signing *making)
{
	struct token_keys *keys = making->context;
	struct public_key *key = NULL;
	struct error err = making->err;
	struct json jwk;
	bool ok = making->is_signed;

	if (ok)
		ok = json_parse(&jwk, keys->rotation.arena, making->token, &json_limits_default,
			     &err) &&
		     jwk_parse(&key, &jwk, &err) && submit(keys, key, &err);
	public_key_destroy(&key);
	if (!ok)
		rotation_end(keys, 0, &err);
}

static bool rotation_check(
	const struct token_keys *keys, const struct token_key_rotation *asked, struct error *err)
{
	const struct token_signer *signer = &keys->parts.signer;

	if (keys->count == 0)
		return error_set(err, ERROR_INTERNAL, "there is no key");
	if (signer->make_key == NULL)
		return error_set(err, ERROR_CONFLICT, "this signer's key is never changed");
	if (keys->rotation.arena != NULL)
		return error_set(err, ERROR_CONFLICT, "another key is on its way");
	if (asked->why == ROTATION_DUE && next(keys, now_utc_ms(keys)) != NULL)
		return error_set(err, ERROR_CONFLICT, "the next key has not begun to sign");
	if (asked->reason.length == 0 || asked->reason.length > TOKEN_KEY_REASON_BYTES_MAX)
		return error_set(
			err, ERROR_INVALID, "reason: 1 to %d bytes", TOKEN_KEY_REASON_BYTES_MAX);
	/* One place is left for a rotation that cannot wait. */
	if (keys->count + (asked->why == ROTATION_DUE ? 1 : 0) >= TOKEN_KEYS_MAX &&
		next(keys, now_utc_ms(keys)) == NULL)
		return error_set(err, ERROR_LIMIT, "%zu keys are published: wait until one is over",
			keys->count);
	return true;
}

static bool rotation_begin(
	struct token_keys *keys, const struct token_key_rotation *asked, struct error *err)
{
	struct rotation *rotation = &keys->rotation;

	*rotation =
		(struct rotation){.asked = *asked, .arena = arena_create(ROTATION_ARENA_BYTES_MAX)};
	if (rotation->arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a new key");
	rotation->asked.actor = text_copy(rotation->arena, asked->actor);
	rotation->asked.reason = text_copy(rotation->arena, asked->reason);
	if (rotation->asked.actor.data != NULL && rotation->asked.reason.data != NULL)
		return true;
	arena_destroy(&rotation->arena);
	return error_set(err, ERROR_LIMIT, "no memory for a new key");
}

bool token_keys_rotate(
	struct token_keys *keys, const struct token_key_rotation *asked, struct error *err)
{
	const struct token_signer *signer = &keys->parts.signer;
	const struct entry *waiting = NULL;

	drop_over(keys, now_utc_ms(keys));
	if (!rotation_check(keys, asked, err) || !rotation_begin(keys, asked, err))
		return false;
	/* One that waits was never used: it is as good as a new one. */
	waiting = next(keys, now_utc_ms(keys));
	if (waiting != NULL) {
		if (submit(keys, waiting->key, err))
			return true;
		arena_destroy(&keys->rotation.arena);
		return false;
	}
	keys->rotation.making = (struct token_signing){.done = on_made, .context = keys};
	signer->make_key(signer->context, &keys->rotation.making);
	return true;
}

/* ---- life ---- */

bool token_keys_create(
	struct token_keys **out, const struct token_keys_parts *parts, struct error *err)
{
	static const struct fold_projector projector = {RECORD_TYPE, project};
	struct token_keys *keys = calloc(1, sizeof *keys);
	const struct fold_handler handler = {
		.type = RECORD_TYPE, .apply = fold_record, .state = keys};

	*out = NULL;
	if (keys == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the keys of tokens");
	keys->parts = *parts;
	if (keys->parts.overlap_ms == 0)
		keys->parts.overlap_ms = TOKEN_KEY_OVERLAP_MS;
	if (add_first(keys, err) && fold_add(parts->fold, &handler, err) &&
		fold_add_projector(parts->fold, &projector, err)) {
		*out = keys;
		return true;
	}
	token_keys_destroy(&keys);
	return false;
}

void token_keys_destroy(struct token_keys **keys)
{
	if (*keys == NULL)
		return;
	while ((*keys)->count > 0)
		drop_at(*keys, (*keys)->count - 1);
	arena_destroy(&(*keys)->rotation.arena);
	free(*keys);
	*keys = NULL;
}

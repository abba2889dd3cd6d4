/* Invariants:
 * 1. the index holds the fingerprint of each known secret, under its place in `known`;
 * 2. `in_use` holds each credential by its reference while it is in use, and each token and
 *    code by its digest;
 * 3. nothing is logged while the lock is held: the log asks detector_sees. */
#include "services/detect/detector.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "domain/secret/foreign.h"
#include "services/detect/detector_private.h"

const char *secret_place_word(enum secret_place place)
{
	static const char *const words[] = {
		[SECRET_IN_ARGUMENTS] = "arguments",
		[SECRET_IN_RESULT] = "result",
		[SECRET_IN_NOTICE] = "notice",
		[SECRET_IN_LOG] = "log",
	};

	return words[place];
}

int64_t detector_now_utc_ms(const struct detector *detector)
{
	struct timespec now;

	if (detector->settings.wall_utc_ms != NULL)
		return detector->settings.wall_utc_ms(detector->settings.clock_context);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is known ---- */

static size_t *count_of(struct detector *detector, enum known_sort sort)
{
	return sort == KNOWN_CREDENTIAL ? &detector->figures.credentials
					: &detector->figures.tokens;
}

static size_t most_of(enum known_sort sort)
{
	return sort == KNOWN_CREDENTIAL ? (size_t)DETECTOR_CREDENTIALS_MAX
					: (size_t)DETECTOR_TOKENS_MAX;
}

/* NULL: no memory. */
struct known *known_create(enum known_sort sort, struct text name)
{
	struct known *known = calloc(1, sizeof *known + name.length);

	if (known == NULL)
		return NULL;
	known->sort = sort;
	known->ends_utc_ms = INT64_MAX;
	known->name_length = name.length;
	memcpy(known->name, name.data, name.length);
	return known;
}

static struct text name_of(const struct known *known)
{
	return (struct text){known->name, known->name_length};
}

/* No reference begins with a zero. */
static struct text digest_key(const struct siphash *digest, char room[KNOWN_KEY_BYTES])
{
	room[0] = '\0';
	memcpy(room + 1, digest, sizeof *digest);
	return (struct text){room, KNOWN_KEY_BYTES};
}

struct text known_key(const struct known *known, char room[KNOWN_KEY_BYTES])
{
	if (known->sort != KNOWN_CREDENTIAL)
		return digest_key(&known->digest, room);
	return known->ends_utc_ms == INT64_MAX ? name_of(known) : TEXT("");
}

static bool use_put(struct detector *detector, struct known *known)
{
	char room[KNOWN_KEY_BYTES];
	struct text key = known_key(known, room);

	return key.length == 0 || name_table_put(detector->in_use, key, known);
}

static void use_end(struct detector *detector, const struct known *known)
{
	char room[KNOWN_KEY_BYTES];
	struct text key = known_key(known, room);

	if (key.length != 0)
		(void)name_table_remove(detector->in_use, key);
}

static void forget(struct detector *detector, uint32_t owner)
{
	struct known *known = detector->known[owner];

	use_end(detector, known);
	pthread_mutex_lock(&detector->lock);
	fingerprint_index_remove(detector->index, &known->fingerprint, owner);
	detector->known[owner] = NULL;
	pthread_mutex_unlock(&detector->lock);
	(*count_of(detector, known->sort))--;
	if (known->sort != KNOWN_CREDENTIAL)
		known_ends_remove(&detector->ends, known);
	free(known);
}

/* Of the credentials that were replaced; KNOWN_MAX: none was.  They are few and change
 * seldom, and so they are looked for. */
static uint32_t first_credential_to_end(const struct detector *detector)
{
	int64_t before = INT64_MAX;
	uint32_t first = KNOWN_MAX;

	for (uint32_t i = 0; i < KNOWN_MAX; i++) {
		const struct known *known = detector->known[i];

		if (known == NULL || known->sort != KNOWN_CREDENTIAL ||
			known->ends_utc_ms >= before)
			continue;
		before = known->ends_utc_ms;
		first = i;
	}
	return first;
}

/* Of a sort; KNOWN_MAX: none ends. */
static uint32_t first_to_end(const struct detector *detector, enum known_sort sort)
{
	if (sort == KNOWN_CREDENTIAL)
		return first_credential_to_end(detector);
	return detector->ends.count == 0 ? (uint32_t)KNOWN_MAX : detector->ends.items[0]->owner;
}

/* Fewer than the most are known, so there is one. */
static uint32_t free_place(struct detector *detector)
{
	while (detector->known[detector->next] != NULL)
		detector->next = (detector->next + 1) % KNOWN_MAX;
	return detector->next;
}

static bool make_room(struct detector *detector, enum known_sort sort, struct error *err)
{
	uint32_t first;

	if (*count_of(detector, sort) < most_of(sort))
		return true;
	first = first_to_end(detector, sort);
	if (first == KNOWN_MAX)
		return error_set(err, ERROR_LIMIT, "more than %zu are in use", most_of(sort));
	forget(detector, first);
	return true;
}

bool detector_add(struct detector *detector, struct known **known, struct error *err)
{
	struct known *one = *known;
	uint32_t owner;
	bool ok;

	if (!make_room(detector, one->sort, err))
		return false;
	if (!use_put(detector, one))
		return error_set(err, ERROR_LIMIT, "no memory for a fingerprint");
	owner = free_place(detector);
	pthread_mutex_lock(&detector->lock);
	ok = fingerprint_index_add(detector->index, &one->fingerprint, owner, err);
	if (ok)
		detector->known[owner] = one;
	pthread_mutex_unlock(&detector->lock);
	if (!ok) {
		use_end(detector, one);
		return false;
	}
	(*count_of(detector, one->sort))++;
	one->owner = owner;
	if (one->sort != KNOWN_CREDENTIAL)
		known_ends_put(&detector->ends, one);
	*known = NULL;
	return true;
}

/* ---- learning ---- */

static void save_or_say(struct detector *detector)
{
	struct error err;

	if (detector->folder_fd >= 0 && !detector_save(detector, &err))
		log_error("fingerprints_not_kept", LOG_STRING("why", err.text));
}

/* It stays known for a while: what has leaked is used later. */
static void replace(struct detector *detector, struct known *known)
{
	use_end(detector, known);
	known->ends_utc_ms = detector_now_utc_ms(detector) + detector->settings.kept_ms;
}

/* Whether it is neither too short nor too long for one. */
static bool has_fingerprint(struct text value)
{
	return value.length >= FINGERPRINT_SECRET_BYTES_MIN &&
	       value.length <= FINGERPRINT_SECRET_BYTES_MAX;
}

static bool learn(struct detector *detector, enum known_sort sort, struct text name,
	struct text value, int64_t ends_utc_ms, struct error *err)
{
	struct known *known = known_create(sort, name);
	bool ok;

	if (known == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a fingerprint");
	known->ends_utc_ms = ends_utc_ms;
	known->digest = siphash_of(detector->key.bytes, value.data, value.length);
	ok = fingerprint_make(&known->fingerprint, &detector->key, value, err);
	/* One that has none is known too, so that it is said once. */
	if (!ok && sort == KNOWN_CREDENTIAL && !has_fingerprint(value)) {
		log_warn("secret_not_looked_for", LOG_TEXT("reference", name),
			LOG_STRING("why", err->text));
		ok = true;
	}
	ok = ok && detector_add(detector, &known, err);
	free(known);
	return ok;
}

/* A credential that was replaced, and is what it was again; NULL: there is none. */
static struct known *find_replaced(
	const struct detector *detector, struct text reference, const struct siphash *digest)
{
	for (uint32_t i = 0; i < KNOWN_MAX; i++) {
		struct known *known = detector->known[i];

		if (known != NULL && known->sort == KNOWN_CREDENTIAL &&
			siphash_equal(&known->digest, digest) &&
			text_equal(name_of(known), reference))
			return known;
	}
	return NULL;
}

static bool learn_or_revive(struct detector *detector, struct text reference, struct text value,
	const struct siphash *digest, struct error *err)
{
	struct known *known = find_replaced(detector, reference, digest);

	if (known == NULL)
		return learn(detector, KNOWN_CREDENTIAL, reference, value, INT64_MAX, err);
	if (!name_table_put(detector->in_use, reference, known))
		return error_set(err, ERROR_LIMIT, "no memory for a fingerprint");
	known->ends_utc_ms = INT64_MAX;
	return true;
}

void detector_learn_credential(struct detector *detector, struct text reference, struct text value)
{
	struct siphash digest = siphash_of(detector->key.bytes, value.data, value.length);
	struct known *known = name_table_find(detector->in_use, reference);
	struct error err;

	if (known != NULL && siphash_equal(&known->digest, &digest))
		return;
	if (reference.length == 0 || reference.length > DETECTOR_NAME_BYTES_MAX)
		return;
	if (known != NULL)
		replace(detector, known);
	if (learn_or_revive(detector, reference, value, &digest, &err))
		save_or_say(detector);
	else
		log_warn("secret_not_looked_for", LOG_TEXT("reference", reference),
			LOG_STRING("why", err.text));
}

void detector_drop_credential(struct detector *detector, struct text reference)
{
	struct known *known = name_table_find(detector->in_use, reference);

	if (known == NULL)
		return;
	replace(detector, known);
	save_or_say(detector);
}

static void learn_short_lived(
	struct detector *detector, enum known_sort sort, struct text value, int64_t ends_utc_ms)
{
	struct siphash digest = siphash_of(detector->key.bytes, value.data, value.length);
	char room[KNOWN_KEY_BYTES];
	struct error err;

	if (ends_utc_ms <= detector_now_utc_ms(detector) ||
		name_table_find(detector->in_use, digest_key(&digest, room)) != NULL)
		return;
	if (!learn(detector, sort, sort == KNOWN_CODE ? TEXT("code") : TEXT("token"), value,
		    ends_utc_ms, &err))
		log_warn("secret_not_looked_for",
			LOG_STRING("what", sort == KNOWN_CODE ? "code" : "token"),
			LOG_STRING("why", err.text));
}

void detector_learn_token(struct detector *detector, struct text token, int64_t ends_utc_ms)
{
	learn_short_lived(detector, KNOWN_TOKEN, token, ends_utc_ms);
}

void detector_learn_code(struct detector *detector, struct text code, int64_t ends_utc_ms)
{
	learn_short_lived(detector, KNOWN_CODE, code, ends_utc_ms);
}

/* ---- looking ---- */

static void find(const struct detector *detector, struct text text, struct secret_scratch *scratch,
	struct secret_spans *out)
{
	fingerprint_find(detector->index, text, scratch, out);
	foreign_find(text, out);
}

static void find_on_loop(const void *context, struct text text, struct secret_spans *out)
{
	const struct detector *detector = context;

	find(detector, text, detector->scratch, out);
}

static struct secret_finder finder_of(const struct detector *detector)
{
	return (struct secret_finder){detector, find_on_loop};
}

void detector_count(struct detector *detector, const struct json *value, struct secret_tally *tally)
{
	const struct secret_finder finder = finder_of(detector);

	secret_count(tally, value, &finder);
}

/* The strictest of what is to become of the kinds that were found. */
static enum secret_handling handling_of(
	const struct detector *detector, const struct secret_tally *tally, unsigned *kinds)
{
	const enum secret_handling by_kind[] = {
		[SECRET_OWN] = detector->settings.own,
		[SECRET_FOREIGN] = detector->settings.foreign,
	};
	enum secret_handling strictest = SECRETS_PASSED;

	*kinds = 0;
	for (unsigned kind = SECRET_OWN; kind <= SECRET_FOREIGN; kind++) {
		if (!secret_tally_has(tally, (enum secret_kind)kind) ||
			by_kind[kind] == SECRETS_PASSED)
			continue;
		*kinds |= 1u << kind;
		if (by_kind[kind] < strictest)
			strictest = by_kind[kind];
	}
	return strictest;
}

enum secret_handling detector_pass(struct detector *detector, struct arena *arena,
	const struct json *value, struct secret_tally *tally, struct json *out)
{
	const struct secret_finder finder = finder_of(detector);
	enum secret_handling handling;
	struct error err;
	unsigned kinds;

	*out = *value;
	secret_count(tally, value, &finder);
	handling = handling_of(detector, tally, &kinds);
	/* What cannot be taken out goes not at all. */
	if (handling == SECRETS_REDACTED && !secret_redact(out, arena, value, kinds, &finder, &err))
		handling = SECRETS_BLOCKED;
	return handling;
}

struct text detector_pass_text(struct detector *detector, struct arena *arena, struct text text,
	struct secret_tally *tally)
{
	const struct secret_finder finder = finder_of(detector);
	struct text out = text;

	secret_count_text(tally, text, &finder);
	if (tally->kinds != 0)
		out = secret_redact_text(arena, text, tally->kinds, &finder);
	return out.data == NULL ? TEXT(SECRET_REMOVED) : out;
}

bool detector_follow(struct detector *detector, struct secret_strand *strand, struct text piece,
	struct secret_tally *tally, struct error *err)
{
	NOT_ZEROED struct secret_spans spans;

	spans.count = 0;
	spans.is_full = false;
	if (!secret_strand_find(strand, detector->index, piece, &spans, err))
		return false;
	secret_count_spans(tally, &spans);
	return true;
}

bool detector_sees(struct detector *detector, struct text text)
{
	NOT_ZEROED struct secret_spans spans;

	if (text.length < FINGERPRINT_SECRET_BYTES_MIN)
		return false;
	spans.count = 0;
	spans.is_full = false;
	pthread_mutex_lock(&detector->lock);
	find(detector, text, detector->log_scratch, &spans);
	detector->logged += spans.count != 0;
	for (uint32_t i = 0; i < spans.count; i++)
		if (spans.items[i].kind == SECRET_OWN)
			detector->known[spans.items[i].what]->is_seen_in_log = true;
		else
			detector->foreign_logged++;
	pthread_mutex_unlock(&detector->lock);
	return spans.count != 0;
}

/* ---- telling ---- */

static void id_of(const struct known *known, char out[DETECTOR_ID_BYTES])
{
	(void)snprintf(out, DETECTOR_ID_BYTES, "f-%016" PRIx64, known->digest.low);
}

void detector_id(const struct detector *detector, uint32_t own, char out[DETECTOR_ID_BYTES])
{
	assert(own < KNOWN_MAX);
	if (detector->known[own] == NULL)
		(void)snprintf(out, DETECTOR_ID_BYTES, "f-unknown");
	else
		id_of(detector->known[own], out);
}

static void tell(const struct detector *detector, const struct secret_sighting *sighting)
{
	const struct secret_sightings *port = &detector->settings.sightings;

	if (port->seen != NULL)
		port->seen(port->context, sighting);
}

static void tell_own(
	const struct detector *detector, const struct known *known, struct secret_sighting sighting)
{
	char id[DETECTOR_ID_BYTES];

	id_of(known, id);
	sighting.kind = SECRET_OWN;
	sighting.subject = name_of(known);
	sighting.fingerprint = text_of(id);
	tell(detector, &sighting);
}

void detector_report(struct detector *detector, const struct secret_tally *tally,
	const struct secret_scene *scene)
{
	struct secret_sighting sighting = {.place = scene->place,
		.identity = scene->identity,
		.task = scene->task,
		.tool = scene->tool};

	detector->figures.own += tally->own_count;
	detector->figures.foreign += tally->foreign_count;
	for (uint32_t i = 0; i < tally->own_count; i++)
		if (detector->known[tally->own[i]] != NULL)
			tell_own(detector, detector->known[tally->own[i]], sighting);
	for (uint32_t i = 0; i < tally->foreign_count; i++) {
		sighting.kind = SECRET_FOREIGN;
		sighting.subject = text_of(foreign_form_word(tally->foreign[i]));
		tell(detector, &sighting);
	}
}

/* What other threads saw in the log, told from the loop. */
static void tell_logged(struct detector *detector)
{
	const struct secret_sighting sighting = {.place = SECRET_IN_LOG};
	struct secret_sighting foreign = {
		.kind = SECRET_FOREIGN, .subject = TEXT("log"), .place = SECRET_IN_LOG};
	bool has_foreign;

	for (uint32_t i = 0; i < KNOWN_MAX; i++) {
		bool is_seen = false;

		if (detector->known[i] == NULL)
			continue;
		pthread_mutex_lock(&detector->lock);
		is_seen = detector->known[i]->is_seen_in_log;
		detector->known[i]->is_seen_in_log = false;
		pthread_mutex_unlock(&detector->lock);
		if (is_seen)
			tell_own(detector, detector->known[i], sighting);
	}
	pthread_mutex_lock(&detector->lock);
	has_foreign = detector->foreign_logged != 0;
	detector->foreign_logged = 0;
	pthread_mutex_unlock(&detector->lock);
	if (has_foreign)
		tell(detector, &foreign);
}

void detector_tick(struct detector *detector)
{
	int64_t now_utc_ms = detector_now_utc_ms(detector);
	uint64_t logged;

	pthread_mutex_lock(&detector->lock);
	logged = detector->logged;
	pthread_mutex_unlock(&detector->lock);
	if (logged != detector->figures.logged) {
		detector->figures.logged = logged;
		tell_logged(detector);
	}
	for (uint32_t i = 0; i < KNOWN_MAX; i++)
		if (detector->known[i] != NULL && detector->known[i]->ends_utc_ms <= now_utc_ms)
			forget(detector, i);
}

struct detector_figures detector_figures(const struct detector *detector)
{
	return detector->figures;
}

/* ---- open and close ---- */

bool detector_was_lost(const struct detector *detector)
{
	return detector->was_lost;
}

void detector_handle(
	struct detector *detector, enum secret_handling own, enum secret_handling foreign)
{
	detector->settings.own = own == SECRETS_PASSED ? SECRETS_REDACTED : own;
	detector->settings.foreign = foreign;
}

static bool open_folder(struct detector *detector, const char *folder, struct error *err)
{
	if (folder == NULL)
		return true;
	detector->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return detector->folder_fd >= 0 ||
	       error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
}

/* What is on disk, or else a new key. */
static bool begin(struct detector *detector, struct error *err)
{
	if (detector->folder_fd >= 0 && detector_load(detector, err))
		return true;
	detector->was_lost = detector->folder_fd >= 0 && err->code != ERROR_NOT_FOUND;
	random_bytes(detector->key.bytes, sizeof detector->key.bytes);
	if (detector->in_use == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the detector");
	return fingerprint_index_create(&detector->index, &detector->key, err);
}

bool detector_open(
	struct detector **out, const struct detector_settings *settings, struct error *err)
{
	struct detector *detector = calloc(1, sizeof *detector);

	*out = NULL;
	if (detector == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the detector");
	pthread_mutex_init(&detector->lock, NULL);
	detector->settings = *settings;
	if (settings->master != NULL)
		detector->master = *settings->master;
	detector->folder_fd = -1;
	detector_handle(detector, settings->own, settings->foreign);
	detector->in_use = name_table_create();
	detector->scratch = secret_scratch_create();
	detector->log_scratch = secret_scratch_create();
	if (detector->in_use == NULL || detector->scratch == NULL || detector->log_scratch == NULL)
		error_set(err, ERROR_LIMIT, "no memory for the detector");
	else if (open_folder(detector, settings->folder, err) && begin(detector, err)) {
		*out = detector;
		return true;
	}
	detector->folder_fd = -1; /* nothing is worth keeping */
	detector_close(&detector);
	return false;
}

void detector_close(struct detector **detector_at)
{
	struct detector *detector = *detector_at;

	if (detector == NULL)
		return;
	save_or_say(detector);
	if (detector->folder_fd >= 0)
		(void)close(detector->folder_fd);
	name_table_destroy(&detector->in_use, NULL);
	fingerprint_index_destroy(&detector->index);
	for (uint32_t i = 0; i < KNOWN_MAX; i++)
		free(detector->known[i]);
	secret_scratch_destroy(&detector->scratch);
	secret_scratch_destroy(&detector->log_scratch);
	pthread_mutex_destroy(&detector->lock);
	seal_key_clear(&detector->master);
	explicit_bzero(detector, sizeof *detector);
	free(detector);
	*detector_at = NULL;
}

/* One issuer's keys.
 *
 *   idle ──refresh──▶ (discovers ──▶) fetches ──▶ idle, with keys or with a reason
 *
 * K1  Keys are replaced whole, by a set that was read whole, and only then; what fails
 *     leaves the old ones.
 * K2  Keys count until TRUST_STALE_S_MAX after they were fresh, and not a moment longer.
 * K3  One fetch at a time, and none sooner than again_ms, whoever asks how often.
 * K4  Every wait ends with the fetch it is for, which has a deadline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/trust/trust_private.h"

enum { FETCH_URL_BYTES = ISSUER_URL_BYTES_MAX + 64, DISCOVERY_ARENA_BYTES_MAX = 4 * 1024 * 1024 };
#define DISCOVERY_PATH "/.well-known/openid-configuration"

static const struct issuer *issuer_of(const struct trust_source *source)
{
	return source->object->issuer;
}

static bool is_fetched(const struct trust_source *source)
{
	return issuer_of(source)->source != ISSUER_SOURCE_INLINE;
}

const struct issuer_keys *source_keys(struct trust_source *source)
{
	int64_t end = source->fresh_until_ms + (int64_t)TRUST_STALE_S_MAX * 1000;

	if (source->keys != NULL && is_fetched(source) && trust_now_ms(source->trust) >= end)
		issuer_keys_destroy(&source->keys); /* K2 */
	return source->keys;
}

bool source_is_fetching(const struct trust_source *source)
{
	return source->step != SOURCE_IDLE;
}

const char *source_state_word(struct trust_source *source)
{
	if (source_keys(source) == NULL)
		return source->why[0] != '\0' ? "failing" : "waiting";
	if (!is_fetched(source))
		return "fresh";
	return trust_now_ms(source->trust) < source->fresh_until_ms ? "fresh" : "stale";
}

/* ---- the end of a fetch ---- */

/* Who waits anew from within run finds a source that is idle. */
static void run_waits(struct trust_wait *waits)
{
	while (waits != NULL) {
		struct trust_wait *wait = waits;

		waits = wait->next;
		wait->next = NULL;
		wait->run(wait);
	}
}

static struct trust_wait *take_waits(struct trust_source *source)
{
	struct trust_wait *waits = source->waits;

	for (struct trust_wait *wait = waits; wait != NULL; wait = wait->next)
		wait->source = NULL;
	source->waits = NULL;
	source->waits_count = 0;
	return waits;
}

static void settle(struct trust_source *source)
{
	source->step = SOURCE_IDLE;
	run_waits(take_waits(source)); /* source may be gone after this */
}

static void fail(struct trust_source *source, const struct error *err)
{
	(void)snprintf(source->why, sizeof source->why, "%s", err->text);
	source->again_ms = trust_now_ms(source->trust) + TRUST_RETRY_MS;
	settle(source);
}

static int64_t bounded_s(int64_t wanted_s)
{
	if (wanted_s < TRUST_FRESH_S_MIN)
		return TRUST_FRESH_S_MIN;
	return wanted_s < TRUST_FRESH_S_MAX ? wanted_s : TRUST_FRESH_S_MAX;
}

/* A bundle says itself when to look again; else the answer's cache may. */
static int64_t fresh_s(const struct issuer_keys *keys, int64_t answer_s)
{
	if (issuer_keys_refresh_s(keys) > 0)
		return bounded_s(issuer_keys_refresh_s(keys));
	return answer_s < 0 ? TRUST_FRESH_S_DEFAULT : bounded_s(answer_s);
}

static void take_keys(struct trust_source *source, const struct trust_answer *answer)
{
	int64_t now_ms = trust_now_ms(source->trust);
	struct issuer_keys *keys = NULL;
	struct error err = answer->err;

	if (err.code != ERROR_NONE ||
		!issuer_keys_parse(&keys, issuer_of(source), answer->body, &err)) {
		fail(source, &err);
		return;
	}
	issuer_keys_destroy(&source->keys);
	source->keys = keys;
	source->why[0] = '\0';
	source->fetched_ms = now_ms;
	source->fetched_utc_ms = trust_now_utc_ms(source->trust);
	source->fresh_until_ms = now_ms + fresh_s(keys, answer->fresh_s) * 1000;
	source->again_ms = now_ms + TRUST_REFRESH_MS;
	settle(source);
}

static bool start_fetch(struct trust_source *source, struct text url, struct error *err);

/* The issuer's own word where its keys are counts as what is registered does. */
static void take_discovery(struct trust_source *source, const struct trust_answer *answer)
{
	struct arena *arena = arena_create(DISCOVERY_ARENA_BYTES_MAX);
	struct error err = answer->err;
	struct text url = {0};
	bool is_ok = false;

	if (arena == NULL)
		error_set(&err, ERROR_LIMIT, "no memory for a configuration");
	else if (err.code == ERROR_NONE &&
		 issuer_discovery_parse(&url, arena, answer->body, issuer_of(source)->url, &err)) {
		is_ok = issuer_may_fetch(issuer_of(source), url) ||
			error_set(&err, ERROR_INVALID, "its jwks_uri is not https");
		source->step = SOURCE_FETCHES;
		is_ok = is_ok && start_fetch(source, url, &err);
	}
	arena_destroy(&arena);
	if (!is_ok)
		fail(source, &err);
}

static void on_fetched(struct trust_fetch *fetch, const struct trust_answer *answer)
{
	struct trust_source *source = fetch->context;

	if (source->step == SOURCE_DISCOVERS)
		take_discovery(source, answer);
	else
		take_keys(source, answer);
}

/* ---- the start of one ---- */

static bool write_path(char *out, size_t size, struct text value, const char *behind)
{
	int length = snprintf(out, size, "%.*s%s", TEXT_ARGS(value), behind);

	return length > 0 && (size_t)length < size;
}

/* The URL for its configuration: OIDC Discovery 1.0 §4.1 takes a slash off its end. */
static struct text without_slash(struct text url)
{
	return url.length > 0 && url.data[url.length - 1] == '/'
		       ? (struct text){url.data, url.length - 1}
		       : url;
}

static bool start_fetch(struct trust_source *source, struct text url, struct error *err)
{
	const struct issuer *issuer = issuer_of(source);
	const struct trust_fetcher *fetcher = &source->trust->parts.fetcher;
	bool is_discovery = source->step == SOURCE_DISCOVERS;
	bool is_file = issuer->source == ISSUER_SOURCE_FILE;
	char place[FETCH_URL_BYTES + ISSUER_PATH_BYTES_MAX], ca_file[ISSUER_PATH_BYTES_MAX + 1];
	struct trust_question question = {.private_addresses = issuer->private_addresses,
		.bytes_max = ISSUER_KEYS_BYTES_MAX,
		.deadline_ms = TRUST_FETCH_MS};

	if (!write_path(place, sizeof place, is_discovery ? without_slash(url) : url,
		    is_discovery ? DISCOVERY_PATH : ""))
		return error_set(err, ERROR_LIMIT, "the URL is too long");
	*(is_file ? &question.path : &question.url) = place;
	if (issuer->ca_file.length > 0) {
		(void)write_path(ca_file, sizeof ca_file, issuer->ca_file, "");
		question.ca_file = ca_file;
	}
	source->fetch = (struct trust_fetch){.done = on_fetched, .context = source};
	return fetcher->begin(fetcher->context, &question, &source->fetch, err);
}

static struct text place_of(const struct issuer *issuer)
{
	switch (issuer->source) {
	case ISSUER_SOURCE_DISCOVERED: return issuer->url;
	case ISSUER_SOURCE_JWKS_URL: return issuer->jwks_url;
	case ISSUER_SOURCE_BUNDLE_URL: return issuer->bundle_url;
	case ISSUER_SOURCE_FILE: return issuer->file;
	case ISSUER_SOURCE_INLINE:
	case ISSUER_SOURCE_NONE: break;
	}
	return TEXT("");
}

void source_refresh(struct trust_source *source)
{
	struct error err = {0};

	if (!is_fetched(source) || source->step != SOURCE_IDLE ||
		trust_now_ms(source->trust) < source->again_ms) /* K3 */
		return;
	source->step = issuer_of(source)->source == ISSUER_SOURCE_DISCOVERED ? SOURCE_DISCOVERS
									     : SOURCE_FETCHES;
	if (!start_fetch(source, place_of(issuer_of(source)), &err))
		fail(source, &err);
}

/* ---- life ---- */

struct trust_source *source_create(struct trust_service *trust, const struct object *object)
{
	struct trust_source *source = calloc(1, sizeof *source);
	struct error err = {0};

	if (source == NULL)
		return NULL;
	source->trust = trust;
	source->object = object_acquire(object);
	/* What is written in the registry itself is never old. */
	if (!is_fetched(source) &&
		!issuer_keys_read(&source->keys, object->issuer, &object->issuer->jwks, &err))
		(void)snprintf(source->why, sizeof source->why, "%s", err.text);
	source->fetched_utc_ms = is_fetched(source) ? 0 : trust_now_utc_ms(trust);
	return source;
}

struct trust_wait *source_destroy(struct trust_source **handle)
{
	struct trust_source *source = *handle;
	const struct trust_fetcher *fetcher = &source->trust->parts.fetcher;
	struct trust_wait *waits = take_waits(source);

	if (source->step != SOURCE_IDLE)
		fetcher->cancel(fetcher->context, &source->fetch);
	issuer_keys_destroy(&source->keys);
	object_release(&source->object);
	free(source);
	*handle = NULL;
	return waits;
}

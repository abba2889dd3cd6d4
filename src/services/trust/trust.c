/* The sources, one an issuer in force, made anew when the registry's generation moves: an
 * issuer that was changed begins without keys, so nothing that it said before counts.
 *
 * T1  Sources share nothing but the list; asking one looks at one.
 * T2  Two issuers with one URL, or one trust domain, are nobody. */
#include "services/trust/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "services/trust/trust_private.h"

int64_t trust_now_ms(const struct trust_service *trust)
{
	const struct trust_parts *parts = &trust->parts;

	if (parts->monotonic_ms != NULL)
		return parts->monotonic_ms(parts->clock_context);
	return loop_now_ms(parts->loop);
}

int64_t trust_now_utc_ms(const struct trust_service *trust)
{
	struct timespec now;

	if (trust->parts.wall_utc_ms != NULL)
		return trust->parts.wall_utc_ms(trust->parts.clock_context);
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what the registry says ---- */

static void run_dropped(struct trust_wait *waits)
{
	while (waits != NULL) {
		struct trust_wait *wait = waits;

		waits = wait->next;
		wait->next = NULL;
		wait->run(wait);
	}
}

static const struct object *in_force(const struct trust_service *trust, struct text name)
{
	const struct registry_entry *entry =
		registry_find(trust->parts.registry, OBJECT_ISSUER, name);

	return entry == NULL ? NULL : entry->in_force;
}

/* Those that are not in force any more, or not as they were; who waited for them comes back. */
static struct trust_wait *drop_old(struct trust_service *trust)
{
	struct trust_wait *dropped = NULL;
	struct trust_source **link = &trust->sources;

	while (*link != NULL) {
		struct trust_source *source = *link;
		struct trust_wait *waits;

		if (in_force(trust, source->object->name) == source->object) {
			link = &source->next;
			continue;
		}
		*link = source->next;
		trust->sources_count--;
		waits = source_destroy(&source);
		while (waits != NULL) {
			struct trust_wait *wait = waits;

			waits = wait->next;
			wait->next = dropped;
			dropped = wait;
		}
	}
	return dropped;
}

struct trust_source *trust_source_of(struct trust_service *trust, struct text name)
{
	struct trust_source *source = trust->sources;

	while (source != NULL && !text_equal(source->object->name, name))
		source = source->next;
	return source;
}

static bool add_new(void *context, const struct registry_entry *entry)
{
	struct trust_service *trust = context;
	struct trust_source *source;

	if (entry->in_force == NULL || trust_source_of(trust, entry->name) != NULL)
		return true;
	if (trust->sources_count == TRUST_ISSUERS_MAX) {
		log_warn("issuers_many", LOG_TEXT("without", entry->name));
		return false;
	}
	source = source_create(trust, entry->in_force);
	if (source == NULL)
		return false;
	source->next = trust->sources;
	trust->sources = source;
	trust->sources_count++;
	return true;
}

void trust_sync(struct trust_service *trust)
{
	uint64_t generation = registry_generation(trust->parts.registry);
	struct trust_wait *dropped;

	if (trust->is_synced && trust->generation == generation)
		return;
	trust->is_synced = true;
	trust->generation = generation;
	dropped = drop_old(trust);
	registry_each(trust->parts.registry, OBJECT_ISSUER, TEXT(""), add_new, trust);
	run_dropped(dropped);
}

/* ---- asking ---- */

static bool is_meant(const struct issuer *issuer, const struct trust_query *query)
{
	if (query->issuer.length > 0)
		return text_equal(issuer->url, query->issuer);
	return query->trust_domain.length > 0 && issuer->speaks == ISSUER_SPEAKS_SPIFFE &&
	       text_equal(issuer->trust_domain, query->trust_domain);
}

/* T2. */
static struct trust_source *find_source(
	struct trust_service *trust, const struct trust_query *query)
{
	struct trust_source *found = NULL;

	trust_sync(trust);
	for (struct trust_source *each = trust->sources; each != NULL; each = each->next) {
		if (!is_meant(each->object->issuer, query))
			continue;
		if (found != NULL)
			return NULL;
		found = each;
	}
	return found;
}

bool trust_knows(struct trust_service *trust, const struct trust_query *query)
{
	return find_source(trust, query) != NULL;
}

static bool fill(
	struct trust_found *out, struct trust_source *source, const struct trust_query *query)
{
	const struct issuer_keys *keys = source_keys(source);

	*out = (struct trust_found){.issuer = source->object->issuer};
	if (keys == NULL)
		return false;
	if (query->algorithm == SIGNATURE_NONE) {
		out->roots = issuer_keys_roots(keys, &out->roots_count);
		return out->roots_count > 0;
	}
	out->key = issuer_keys_find(keys, query->key_id, query->algorithm);
	return out->key != NULL;
}

static bool join(struct trust_source *source, struct trust_wait *wait)
{
	if (wait == NULL || source->waits_count == TRUST_WAITS_MAX)
		return false;
	wait->source = source;
	wait->next = source->waits;
	source->waits = wait;
	source->waits_count++;
	return true;
}

enum trust_outcome trust_find(struct trust_service *trust, const struct trust_query *query,
	struct trust_wait *wait, struct trust_found *out)
{
	struct trust_source *source = find_source(trust, query);

	*out = (struct trust_found){0};
	if (source == NULL)
		return TRUST_UNKNOWN;
	if (fill(out, source, query))
		return TRUST_FOUND;
	/* Who comes back with a wait that was run has had its fetch. */
	if (wait != NULL)
		source_refresh(source);
	if (wait != NULL && source_is_fetching(source))
		return join(source, wait) ? TRUST_WAITS : TRUST_NO_KEYS;
	return source_keys(source) == NULL ? TRUST_NO_KEYS : TRUST_UNKNOWN;
}

void trust_forget(struct trust_wait *wait)
{
	struct trust_source *source = wait->source;
	struct trust_wait **link = source == NULL ? NULL : &source->waits;

	if (source == NULL)
		return;
	while (*link != wait)
		link = &(*link)->next;
	*link = wait->next;
	wait->next = NULL;
	wait->source = NULL;
	source->waits_count--;
}

void trust_note_refused(struct trust_service *trust, struct text issuer, const char *why)
{
	struct trust_source *source = trust_source_of(trust, issuer);

	if (source == NULL)
		return;
	(void)snprintf(source->refused, sizeof source->refused, "%s", why);
	source->refused_utc_ms = trust_now_utc_ms(trust);
}

void trust_note_polled(struct trust_service *trust, struct text issuer, const char *why)
{
	struct trust_source *source = trust_source_of(trust, issuer);

	if (source == NULL)
		return;
	(void)snprintf(source->poll_why, sizeof source->poll_why, "%s", why == NULL ? "" : why);
	source->polled_utc_ms = trust_now_utc_ms(trust);
}

/* ---- keeping keys fresh ---- */

void trust_tick(struct trust_service *trust)
{
	struct trust_source *next;

	trust_sync(trust);
	for (struct trust_source *each = trust->sources; each != NULL; each = next) {
		next = each->next;
		if (source_keys(each) == NULL || trust_now_ms(trust) >= each->fresh_until_ms)
			source_refresh(each);
	}
}

static void on_tick(struct loop_timer *timer)
{
	struct trust_service *trust = timer->context;

	trust_tick(trust);
	if (!loop_timer_start(trust->parts.loop, timer, TRUST_TICK_MS))
		log_error("trust_stopped", LOG_STRING("why", "no memory for a timer"));
}

bool trust_start(struct trust_service *trust, struct error *err)
{
	trust->tick = (struct loop_timer){.on_due = on_tick, .context = trust};
	trust->has_tick = loop_timer_start(trust->parts.loop, &trust->tick, 0);
	return trust->has_tick || error_set(err, ERROR_LIMIT, "no memory for a timer");
}

bool trust_create(struct trust_service **out, const struct trust_parts *parts, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the issuers");
	(*out)->parts = *parts;
	return true;
}

void trust_destroy(struct trust_service **trust)
{
	if (*trust == NULL)
		return;
	if ((*trust)->has_tick)
		loop_timer_stop((*trust)->parts.loop, &(*trust)->tick);
	while ((*trust)->sources != NULL) {
		struct trust_source *source = (*trust)->sources;

		(*trust)->sources = source->next;
		(void)source_destroy(&source);
	}
	free(*trust);
	*trust = NULL;
}

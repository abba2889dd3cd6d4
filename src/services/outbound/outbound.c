/* Design: a table of entries, one for each server and whose token it is.  An entry without a
 * token and without an exchange is empty work: it is given to another when the table is full.
 *
 * Invariants:
 *  O1  a token is at hand until shortly before its end and not a moment longer, and only while
 *      what it was got for lasts: the server's document, the task, a task of the identity;
 *  O2  an entry has at most one exchange under way, however many wait;
 *  O3  every wait ends, once, and never inside outbound_want;
 *  O4  a token is at hand only when the record of its exchange is durable;
 *  O5  tokens lie in this one mapping, which is in no dump, and in the answer they came in;
 *      both are cleared.  No error, record or line of the log holds one. */
#include "services/outbound/outbound.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "services/outbound/outbound_private.h"

int64_t outbound_now_ms(const struct outbound *outbound)
{
	const struct outbound_parts *parts = &outbound->parts;

	return parts->monotonic_ms != NULL ? parts->monotonic_ms(parts->clock_context)
					   : loop_now_ms(parts->loop);
}

int64_t outbound_now_utc_ms(const struct outbound *outbound)
{
	struct timespec now;

	if (outbound->parts.wall_utc_ms != NULL)
		return outbound->parts.wall_utc_ms(outbound->parts.clock_context);
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what it is for ---- */

const struct outbound_exchange *outbound_terms(
	const struct outbound *outbound, struct text server, struct sha256 *out_digest)
{
	const struct registry_entry *entry =
		registry_find(outbound->parts.registry, OBJECT_SERVER, server);

	if (entry == NULL || entry->in_force == NULL ||
		entry->in_force->server->exchange.grant == OUTBOUND_NONE)
		return NULL;
	*out_digest = entry->in_force->digest;
	return &entry->in_force->server->exchange;
}

/* It may act, and does: what nobody uses just now is not kept for later. */
static bool is_identity_live(const struct outbound *outbound, struct text identity)
{
	const struct registry_entry *entry =
		registry_find_identity(outbound->parts.registry, identity);

	return entry != NULL && entry->state == IDENTITY_ACTIVE && entry->in_force != NULL &&
	       task_count_live(outbound->parts.tasks, identity, outbound_now_utc_ms(outbound), 1) >
		       0;
}

bool entry_is_live(const struct outbound_entry *entry)
{
	const struct outbound *outbound = entry->outbound;
	struct sha256 digest;

	if (outbound_terms(outbound, text_of(entry->server), &digest) == NULL ||
		!sha256_equal(&digest, &entry->terms))
		return false;
	if (entry->identity[0] == '\0')
		return true;
	if (!is_identity_live(outbound, text_of(entry->identity)))
		return false;
	return entry->task[0] == '\0' ||
	       task_may_act(outbound->parts.tasks,
		       task_find(outbound->parts.tasks, text_of(entry->task)),
		       outbound_now_utc_ms(outbound));
}

/* ---- the table ---- */

/* The key without what the server's tokens are not told apart by. */
static bool key_narrow(
	const struct outbound *outbound, const struct outbound_key *key, struct outbound_key *out)
{
	struct sha256 digest;
	const struct outbound_exchange *terms = outbound_terms(outbound, key->server, &digest);
	const struct server *server = registry_find_server(outbound->parts.registry, key->server);

	*out = *key;
	if (terms == NULL || server == NULL)
		return false;
	if (terms->per != OUTBOUND_PER_TASK)
		out->task = TEXT("");
	if (terms->per == OUTBOUND_PER_SERVER) {
		out->identity = TEXT("");
		out->environment = server->environment;
		return true;
	}
	return key->identity.length > 0 &&
	       (terms->per == OUTBOUND_PER_IDENTITY || key->task.length > 0);
}

static bool is_of(const struct outbound_entry *entry, const struct outbound_key *key)
{
	return entry->outbound != NULL && entry->environment == key->environment &&
	       text_is(key->server, entry->server) && text_is(key->identity, entry->identity) &&
	       text_is(key->task, entry->task);
}

static struct outbound_entry *entry_find(struct outbound *outbound, const struct outbound_key *key)
{
	struct outbound_key narrow;

	if (!key_narrow(outbound, key, &narrow))
		return NULL;
	for (size_t i = 0; i < OUTBOUND_ENTRIES_MAX; i++)
		if (is_of(&outbound->entries[i], &narrow))
			return &outbound->entries[i];
	return NULL;
}

/* Whether the identity has as many as it may; those of servers are as many as there are servers. */
static bool has_its_share(const struct outbound *outbound, struct text identity)
{
	size_t count = 0;

	for (size_t i = 0; i < OUTBOUND_ENTRIES_MAX; i++)
		count += outbound->entries[i].outbound != NULL &&
			 text_is(identity, outbound->entries[i].identity);
	return identity.length > 0 && count >= OUTBOUND_PER_IDENTITY_MAX;
}

/* One that nobody needs just now: without a token before the one that ends first; an identity
 * that has its share gives one of its own. */
static struct outbound_entry *entry_vacate(struct outbound *outbound, struct text identity)
{
	bool is_own = has_its_share(outbound, identity);
	struct outbound_entry *found = NULL;

	for (size_t i = 0; i < OUTBOUND_ENTRIES_MAX; i++) {
		struct outbound_entry *entry = &outbound->entries[i];

		if (entry->state == ENTRY_IDLE && (!is_own || text_is(identity, entry->identity)) &&
			(found == NULL || entry->end_ms < found->end_ms))
			found = entry;
	}
	if (found != NULL && found->outbound != NULL)
		entry_drop_token(found);
	return found;
}

static bool keep_name(char *out, size_t size, struct text name)
{
	if (name.length >= size)
		return false;
	memcpy(out, name.data, name.length);
	out[name.length] = '\0';
	return true;
}

static void on_end(struct loop_timer *timer)
{
	entry_drop_token(timer->context);
}

static struct outbound_entry *entry_make(
	struct outbound *outbound, const struct outbound_key *key, struct error *err)
{
	struct outbound_entry *entry = entry_vacate(outbound, key->identity);

	if (entry == NULL) {
		error_set(err, ERROR_LIMIT, "too many provider tokens are being got");
		return NULL;
	}
	*entry = (struct outbound_entry){.environment = key->environment};
	entry->last = &entry->waits;
	entry->end = (struct loop_timer){.on_due = on_end, .context = entry};
	if (!keep_name(entry->server, sizeof entry->server, key->server) ||
		!keep_name(entry->identity, sizeof entry->identity, key->identity) ||
		!keep_name(entry->task, sizeof entry->task, key->task)) {
		error_set(err, ERROR_LIMIT, "a name is too long");
		return NULL;
	}
	entry->outbound = outbound;
	return entry;
}

/* ---- waits ---- */

void outbound_forget(struct outbound_wait *wait)
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

static void entry_join(struct outbound_entry *entry, struct outbound_wait *wait)
{
	wait->entry = entry;
	wait->next = NULL;
	wait->link = entry->last;
	*entry->last = wait;
	entry->last = &wait->next;
}

/* ---- asking ---- */

bool outbound_find(struct outbound *outbound, const struct outbound_key *key, struct text *out)
{
	const struct outbound_entry *entry = entry_find(outbound, key);

	*out = (struct text){0};
	if (entry == NULL || !entry_has_token(entry) || !entry_is_live(entry)) /* O1 */
		return false;
	*out = (struct text){entry->token.bytes, entry->token.size};
	return true;
}

bool outbound_is_fresh(struct outbound *outbound, const struct outbound_key *key)
{
	const struct outbound_entry *entry = entry_find(outbound, key);
	int64_t now_ms = outbound_now_ms(outbound);

	return entry != NULL && entry_has_token(entry) && entry_is_live(entry) &&
	       (now_ms < entry->end_ms - entry->lifetime_ms / 10 || now_ms < entry->again_ms);
}

static struct outbound_entry *entry_of(
	struct outbound *outbound, const struct outbound_key *key, struct error *err)
{
	struct outbound_entry *entry = entry_find(outbound, key);
	struct outbound_key narrow;

	if (!key_narrow(outbound, key, &narrow)) {
		error_set(err, ERROR_INVALID, "no exchange is registered for it");
		return NULL;
	}
	return entry != NULL ? entry : entry_make(outbound, &narrow, err);
}

bool outbound_want(struct outbound *outbound, const struct outbound_key *key,
	struct outbound_wait *wait, struct error *err)
{
	struct outbound_entry *entry = entry_of(outbound, key, err);
	struct sha256 digest;

	if (entry == NULL)
		return false;
	if (entry->state == ENTRY_IDLE) {
		(void)outbound_terms(outbound, key->server, &digest);
		if (!sha256_equal(&digest, &entry->terms)) { /* what was said before is over */
			entry_drop_token(entry);
			entry->again_ms = entry->backoff_ms = 0;
			entry->terms = digest;
		}
		if (!entry_is_live(entry))
			return error_set(err, ERROR_CONFLICT, "its task is over");
		if (outbound_now_ms(outbound) < entry->again_ms) {
			*err = entry->failure;
			return false;
		}
		if (!keep_name(entry->asker, sizeof entry->asker, key->task))
			return error_set(err, ERROR_LIMIT, "a name is too long");
	}
	entry_join(entry, wait);
	if (entry->state == ENTRY_IDLE)
		entry_start(entry);
	return true;
}

void outbound_renounce(struct outbound *outbound, const struct outbound_key *key)
{
	struct outbound_entry *entry = entry_find(outbound, key);

	if (entry != NULL && entry->state == ENTRY_IDLE &&
		outbound_now_ms(outbound) - entry->asked_ms >= OUTBOUND_RENOUNCE_MS)
		entry_drop_token(entry);
}

/* ---- ends ---- */

void outbound_look(struct outbound *outbound)
{
	bool has_tokens = false;

	for (size_t i = 0; i < OUTBOUND_ENTRIES_MAX; i++) {
		struct outbound_entry *entry = &outbound->entries[i];

		if (entry->outbound == NULL || entry->token.size == 0)
			continue;
		if (!entry_is_live(entry))
			entry_drop_token(entry);
		else
			has_tokens = true;
	}
	if (has_tokens && !loop_timer_is_armed(&outbound->look) &&
		!loop_timer_start(outbound->parts.loop, &outbound->look, OUTBOUND_LOOK_MS))
		for (size_t i = 0; i < OUTBOUND_ENTRIES_MAX; i++)
			if (outbound->entries[i].outbound != NULL)
				entry_drop_token(&outbound->entries[i]);
}

static void on_look(struct loop_timer *timer)
{
	outbound_look(timer->context);
}

static void on_look_post(struct loop_post *post)
{
	struct outbound *outbound = post->context;

	outbound->is_look_posted = false;
	outbound_look(outbound);
}

/* Something that may end authority: looked at once every handler has run. */
static bool fold_ending(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct outbound *outbound = state;

	(void)record;
	(void)index;
	(void)err;
	if (outbound->is_look_posted || fold_is_loading(outbound->parts.fold))
		return true;
	outbound->is_look_posted = true;
	outbound->look_post = (struct loop_post){.run = on_look_post, .context = outbound};
	loop_post(outbound->parts.loop, &outbound->look_post);
	return true;
}

static bool join_fold(struct outbound *outbound, struct error *err)
{
	static const char *const endings[] = {"kill", "task-ended", "state", "registry"};

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		const struct fold_handler ending = {
			.type = endings[i], .apply = fold_ending, .state = outbound};

		if (!fold_add(outbound->parts.fold, &ending, err))
			return false;
	}
	return true;
}

/* ---- the whole ---- */

bool outbound_create(struct outbound **out, const struct outbound_parts *parts, struct error *err)
{
	struct outbound *outbound = mmap(
		NULL, sizeof *outbound, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*out = NULL;
	if (outbound == MAP_FAILED)
		return error_set(err, ERROR_LIMIT, "no memory for provider tokens");
	outbound->parts = *parts;
	outbound->look = (struct loop_timer){.on_due = on_look, .context = outbound};
	if (madvise(outbound, sizeof *outbound, MADV_DONTDUMP) != 0) /* O5 */
		error_set(err, ERROR_LIMIT, "no memory that is in no dump");
	else if (join_fold(outbound, err)) {
		*out = outbound;
		return true;
	}
	(void)munmap(outbound, sizeof *outbound);
	return false;
}

void outbound_destroy(struct outbound **handle)
{
	struct outbound *outbound = *handle;

	if (outbound == NULL)
		return;
	for (size_t i = 0; i < OUTBOUND_ENTRIES_MAX; i++)
		if (outbound->entries[i].outbound != NULL)
			entry_clear(&outbound->entries[i]);
	loop_timer_stop(outbound->parts.loop, &outbound->look);
	(void)munmap(outbound, sizeof *outbound);
	*handle = NULL;
}

bool outbound_set_issuer(struct outbound *outbound, struct text issuer, struct error *err)
{
	return keep_name(outbound->issuer, sizeof outbound->issuer, issuer) ||
	       error_set(err, ERROR_LIMIT, "the issuer's URL is too long");
}

void outbound_status_of(
	const struct outbound *outbound, struct text server, struct outbound_status *out)
{
	*out = (struct outbound_status){0};
	for (size_t i = 0; i < OUTBOUND_ENTRIES_MAX; i++) {
		const struct outbound_entry *entry = &outbound->entries[i];

		if (entry->outbound == NULL || !text_is(server, entry->server))
			continue;
		if (entry->exchanged_utc_ms > out->exchanged_utc_ms)
			out->exchanged_utc_ms = entry->exchanged_utc_ms;
		if (entry_has_token(entry)) {
			out->held++;
			if (entry->end_utc_ms > out->until_utc_ms)
				out->until_utc_ms = entry->end_utc_ms;
		}
		if (entry->has_failed)
			out->error = entry->failure.text;
	}
}

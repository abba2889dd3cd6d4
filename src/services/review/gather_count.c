/* Who else has what is in a snapshot, and how it was used. */
#include "services/review/gathering.h"

#include <stdlib.h>

#include "domain/graph/derive.h"

enum {
	GATHER_KEY_BYTES_MAX = 768,
	COUNT_LINES = 1024, /* of charters, in one step */
};

/* What is counted: "unit kind" all of them, "unit kind title" those with it, "> name" those that
 * hand work to it. */
static struct text counter_key(char out[GATHER_KEY_BYTES_MAX], const struct charter *charter,
	const char *what, struct text name)
{
	struct buffer key;
	struct text text;

	buffer_init_in(&key, GATHER_KEY_BYTES_MAX, out, GATHER_KEY_BYTES_MAX);
	if (charter != NULL) {
		buffer_append_text(&key, charter->unit);
		buffer_append_byte(&key, ' ');
		buffer_append_string(&key, identity_kind_word(charter->kind));
	}
	if (name.length > 0) {
		buffer_append_byte(&key, ' ');
		buffer_append_string(&key, what);
		buffer_append_byte(&key, ' ');
		buffer_append_text(&key, name);
	}
	text = buffer_failed(&key) ? TEXT("") : (struct text){out, key.length};
	buffer_deinit(&key);
	return text;
}

static int64_t *counter_of(const struct gathering *gathering, const struct charter *charter,
	const char *what, struct text name)
{
	char bytes[GATHER_KEY_BYTES_MAX];
	struct text key = counter_key(bytes, charter, what, name);

	return key.length == 0 ? NULL : name_table_find(gathering->counters, key);
}

static bool want_counter(struct gathering *gathering, const struct charter *charter,
	const char *what, struct text name)
{
	char bytes[GATHER_KEY_BYTES_MAX];
	struct text key = counter_key(bytes, charter, what, name);
	int64_t *counter;

	if (key.length == 0 || name_table_find(gathering->counters, key) != NULL)
		return true;
	counter = arena_new(gathering->arena, int64_t);
	return counter != NULL && name_table_put(gathering->counters, key, counter);
}

/* "read files/x" is "read" and "files/x". */
static struct text title_rest(struct text title, char out[16])
{
	ptrdiff_t blank = text_find_byte(title, ' ');

	if (blank <= 0 || blank >= 16)
		return (struct text){0};
	memcpy(out, title.data, (size_t)blank);
	out[blank] = '\0';
	return text_after(title, (size_t)blank + 1);
}

static bool want_item(struct gathering *gathering, const struct review_item *item)
{
	const struct charter *charter =
		registry_find_charter(gathering->service->parts.registry, item->identity);
	char what[16];
	struct text rest = title_rest(item->title, what);

	if (charter == NULL || rest.length == 0)
		return true;
	return want_counter(gathering, charter, "", TEXT("")) &&
	       want_counter(gathering, NULL, ">", item->identity) &&
	       (item->kind > REVIEW_ITEM_PEER || want_counter(gathering, charter, what, rest));
}

/* Each of the wanted once for an identity, however many lines it has for it. */
static void count_line(const struct gathering *gathering, const struct charter *charter,
	const char *what, struct text name)
{
	int64_t *counter = counter_of(gathering, charter, what, name);

	if (counter != NULL)
		(*counter)++;
}

static bool is_repeated(const struct charter *charter, uint32_t at)
{
	for (uint32_t i = 0; i < at; i++)
		if (charter->entitlements[i].effect == charter->entitlements[at].effect &&
			text_equal(charter->entitlements[i].resource,
				charter->entitlements[at].resource))
			return true;
	return false;
}

/* Returns how many lines it looked at. */
static uint32_t count_charter(const struct gathering *gathering, const struct charter *charter)
{
	int64_t *all = counter_of(gathering, charter, "", TEXT(""));

	for (uint32_t i = 0; i < charter->peers_count; i++)
		count_line(gathering, NULL, ">", charter->peers[i].identity);
	if (all == NULL)
		return charter->peers_count;
	(*all)++;
	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (!is_repeated(charter, i))
			count_line(gathering, charter, effect_word(charter->entitlements[i].effect),
				charter->entitlements[i].resource);
	for (uint32_t i = 0; i < charter->peers_count; i++)
		count_line(gathering, charter, "peer", charter->peers[i].identity);
	return charter->entitlements_count + charter->peers_count;
}

/* Some identities of the registry a step. */
struct scanning {
	struct gathering *gathering;
	uint32_t left;
	uint32_t lines; /* looked at */
};

static bool count_entry(void *context, const struct registry_entry *entry)
{
	struct scanning *scanning = context;
	const struct gathering *gathering = scanning->gathering;
	const struct charter *charter =
		entry->in_force == NULL ? NULL : charter_of(entry->in_force);

	scanning->gathering->after = entry->name;
	if (charter != NULL && entry->state != IDENTITY_RETIRED)
		scanning->lines += count_charter(gathering, charter);
	if (--scanning->left > 0 && scanning->lines >= COUNT_LINES)
		scanning->left = 0;
	return scanning->left > 0;
}

static int compare_items(const void *a, const void *b)
{
	return review_item_compare(
		*(struct review_item *const *)a, *(struct review_item *const *)b);
}

/* What is moved is small: there may be many. */
static bool sort_items(struct gathering *gathering)
{
	gathering->order =
		arena_array(gathering->arena, struct review_item *, gathering->items_count + 1);
	if (gathering->order == NULL)
		return false;
	for (size_t i = 0; i < gathering->items_count; i++)
		gathering->order[i] = &gathering->items[i];
	qsort(gathering->order, gathering->items_count, sizeof *gathering->order, compare_items);
	return true;
}

bool gather_count(struct gathering *gathering, struct error *err)
{
	struct scanning scanning = {.gathering = gathering, .left = GATHER_IDENTITIES};

	if (gathering->items_at < gathering->items_count) { /* what is wanted */
		for (int i = 0;
			i < GATHER_IDENTITIES && gathering->items_at < gathering->items_count; i++)
			if (!want_item(gathering, &gathering->items[gathering->items_at++]))
				return gather_no_memory(err);
		return true;
	}
	registry_each(gathering->service->parts.registry, OBJECT_IDENTITY, gathering->after,
		count_entry, &scanning);
	if (scanning.left == 0)
		return true;
	if (!sort_items(gathering))
		return gather_no_memory(err);
	gathering->items_at = 0;
	gathering->stage = GATHER_JUDGE;
	return true;
}

/* ---- evidence ---- */

/* What the graph calls it.  name has room for it. */
static struct text used_name(
	const struct review_item *item, struct text rest, char name[GATHER_KEY_BYTES_MAX])
{
	const char *prefix = item->kind == REVIEW_ITEM_FEDERATION   ? GRAPH_ISSUER_PREFIX
			     : item->kind != REVIEW_ITEM_CREDENTIAL ? ""
			     : text_starts_with(rest, "sha256:")    ? GRAPH_CERTIFICATE_PREFIX
								    : GRAPH_KEY_PREFIX;
	struct buffer whole;
	struct text text;

	buffer_init_in(&whole, GATHER_KEY_BYTES_MAX, name, GATHER_KEY_BYTES_MAX);
	buffer_append_string(&whole, prefix);
	buffer_append_text(
		&whole, item->kind == REVIEW_ITEM_CONSENT ? TEXT(GRAPH_PEOPLE_NAME) : rest);
	text = buffer_failed(&whole) ? TEXT("") : (struct text){name, whole.length};
	buffer_deinit(&whole);
	return text;
}

static enum graph_node_kind used_kind(const struct review_item *item)
{
	if (item->kind == REVIEW_ITEM_PEER)
		return GRAPH_NODE_IDENTITY;
	if (item->kind != REVIEW_ITEM_ENTITLEMENT)
		return GRAPH_NODE_CREDENTIAL;
	if (item->effect == EFFECT_DELEGATE)
		return GRAPH_NODE_IDENTITY;
	return item->effect == EFFECT_GENERATE ? GRAPH_NODE_MODEL : GRAPH_NODE_TOOL;
}

/* When its charter was last changed says nothing once uses are not known so far back. */
static int64_t granted_utc_ms(
	const struct review_service *service, struct text identity, int64_t known_utc_ms)
{
	const struct registry_entry *entry =
		registry_find(service->parts.registry, OBJECT_IDENTITY, identity);

	return entry == NULL || entry->changed_utc_ms < known_utc_ms ? 0 : entry->changed_utc_ms;
}

static void add_use(const struct gathering *gathering, struct review_item *item, struct text rest)
{
	const struct review_service *service = gathering->service;
	char name[GATHER_KEY_BYTES_MAX];
	const struct graph_usage_asked asked = {.identity = item->identity,
		.kind = used_kind(item),
		.name = used_name(item, rest, name),
		.way = item->kind == REVIEW_ITEM_ENTITLEMENT ? item->effect : EFFECT_NONE,
		.now_utc_ms = gathering->seen_utc_ms};
	struct graph_usage usage;

	graph_usage(service->parts.graph, &asked, &usage);
	item->use = (struct review_use){.known_utc_ms = usage.known_utc_ms,
		.granted_utc_ms = granted_utc_ms(service, item->identity, usage.known_utc_ms),
		.last_utc_ms = usage.last_utc_ms,
		.uses = usage.uses,
		.tasks = usage.tasks,
		.environments = usage.environments,
		.effects = usage.effects,
		.is_unsure = item->use.is_unsure || usage.is_unsure};
}

void gather_add_evidence(const struct gathering *gathering, struct review_item *item)
{
	const struct review_service *service = gathering->service;
	const struct charter *charter =
		registry_find_charter(service->parts.registry, item->identity);
	const int64_t *have, *all, *handed;
	char what[16];
	struct text rest = title_rest(item->title, what);

	if (item->kind == REVIEW_ITEM_INHERITED || charter == NULL || rest.length == 0)
		return;
	add_use(gathering, item, rest);
	have = counter_of(gathering, charter, what, rest);
	all = counter_of(gathering, charter, "", TEXT(""));
	handed = counter_of(gathering, NULL, ">", item->identity);
	item->alike = (struct review_alike){
		have == NULL ? 0 : *have, have == NULL || all == NULL ? 0 : *all};
	item->handed_by = handed == NULL ? 0 : *handed;
}

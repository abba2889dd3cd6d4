/* Which lines touch whom is asked of what is registered now; a line is kept as its document
 * has it, so two halves with the same digest say the same to whoever reads them, in whatever order.
 *
 * Invariant: charter_crossed_units names a unit exactly if its half has a line. */
#include "domain/charter/crossing.h"

#include <stdlib.h>

#include "domain/charter/connector.h"
#include "domain/charter/narrow.h"
#include "domain/charter/peer.h"
#include "domain/charter/registry.h"

struct crossing {
	const struct charter *charter;
	const struct reference_world *world;
	struct arena *arena;
	struct text own;   /* the unit that is not asked; empty: each is */
	struct text units; /* found so far */
	uint32_t count;
	bool has_failed;
	bool is_short;                   /* of memory to know whose a peer is */
	const struct charter_peer *peer; /* whose reach is looked at */
};

static void add_any(struct crossing *crossing, struct text unit)
{
	const struct consent_given given = {.unit = unit};

	if (crossing->has_failed || unit.length == 0 || text_equal(unit, crossing->own) ||
		consents_has(crossing->units, unit))
		return;
	crossing->units = consents_with(crossing->arena, crossing->units, &given);
	crossing->count++;
	crossing->has_failed |= crossing->units.data == NULL || crossing->count > CONSENT_UNITS_MAX;
}

/* Of a line that is no reach. */
static void add_unit(struct crossing *crossing, struct text unit)
{
	if (!text_is(unit, REGISTRY_ORGANISATION))
		add_any(crossing, unit);
}

static const struct object *find(
	const struct crossing *crossing, enum object_kind kind, struct text name)
{
	return crossing->world->find(crossing->world->context, kind, name);
}

/* ---- what one line touches ---- */

typedef void add_function(struct crossing *crossing, struct text unit);

static void touch_server(struct crossing *crossing, struct text resource, add_function *add)
{
	const struct object *server = find(crossing, OBJECT_SERVER, text_before(resource, '/'));

	if (server != NULL)
		add(crossing, server->server->unit);
}

static void touch_reads(struct crossing *crossing, const struct object *tool, add_function *add)
{
	for (uint32_t i = 0; tool != NULL && i < tool->tool->reads_count; i++) {
		const struct object *source =
			find(crossing, OBJECT_DATA_SOURCE, tool->tool->reads[i].data_source);

		if (source != NULL)
			add(crossing, source->data_source->unit);
	}
}

static void touch_source(struct crossing *crossing, struct text name)
{
	const struct object *source = find(crossing, OBJECT_DATA_SOURCE, name);

	if (source != NULL)
		add_unit(crossing, source->data_source->unit);
}

static void touch_identity(struct crossing *crossing, struct text name)
{
	const struct object *identity = find(crossing, OBJECT_IDENTITY, name);

	if (identity == NULL)
		return;
	crossing->is_short |= charter_of(identity) == &charter_lost;
	add_unit(crossing, charter_of(identity)->unit);
}

static void touch_entitlement(struct crossing *crossing, const struct entitlement *line)
{
	switch (line->resource_kind) {
	case RESOURCE_TOOL:
		touch_server(crossing, line->resource, add_unit);
		touch_reads(crossing, find(crossing, OBJECT_TOOL, line->resource), add_unit);
		return;
	case RESOURCE_DATA_SOURCE: touch_source(crossing, line->resource); return;
	case RESOURCE_MODEL: touch_server(crossing, line->resource, add_unit); return;
	case RESOURCE_PEER: /* the peer, and the server where it lives */
		touch_identity(crossing, line->resource);
		touch_server(crossing, line->resource, add_unit);
		return;
	case RESOURCE_NONE: break;
	}
}

static bool touch_if_reached(void *context, struct text name)
{
	struct crossing *crossing = context;

	if (peer_reaches(crossing->peer, name))
		touch_reads(crossing, find(crossing, OBJECT_TOOL, name), add_any);
	return !crossing->has_failed;
}

/* The peer itself, and what it may use for this identity beyond its own. */
static void touch_peer(struct crossing *crossing, const struct charter_peer *peer)
{
	touch_identity(crossing, peer->identity);
	for (uint32_t i = 0; i < peer->tools_count; i++)
		touch_server(crossing, peer->tools[i], add_any);
	crossing->peer = peer;
	if (peer_has_reach(peer) && crossing->world->each_name != NULL)
		crossing->world->each_name(
			crossing->world->context, OBJECT_TOOL, touch_if_reached, crossing);
}

/* Whose the connector is that knows the account. */
static void touch_account(struct crossing *crossing, struct text account)
{
	const struct object *connector =
		find(crossing, OBJECT_CONNECTOR, text_before(account, '/'));

	if (connector != NULL)
		add_unit(crossing, connector->connector->unit);
}

static void touch_line(struct crossing *crossing, enum half_list list, uint32_t at)
{
	const struct charter *charter = crossing->charter;

	switch (list) {
	case HALF_ENTITLEMENTS: touch_entitlement(crossing, &charter->entitlements[at]); return;
	case HALF_DATA_SOURCES: touch_source(crossing, charter->data_sources[at].name); return;
	case HALF_MODELS: touch_server(crossing, charter->models[at].provider, add_unit); return;
	case HALF_PEERS: touch_peer(crossing, &charter->peers[at]); return;
	case HALF_ACCOUNTS: touch_account(crossing, charter->accounts[at]); return;
	case HALF_LIST_COUNT: return;
	}
}

/* ---- units ---- */

bool charter_crossed_units(struct text *out, struct arena *arena, const struct charter *charter,
	const struct reference_world *world, struct error *err)
{
	struct crossing crossing = {.charter = charter,
		.world = world,
		.arena = arena,
		.own = charter->unit,
		.units = TEXT("")};

	if (charter == &charter_lost)
		return error_set(err, ERROR_LIMIT, "no memory for a charter");
	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t i = 0; i < half_list_count(charter, (enum half_list)list); i++)
			touch_line(&crossing, (enum half_list)list, i);
	*out = crossing.units;
	if (crossing.is_short)
		return error_set(err, ERROR_LIMIT, "no memory for a charter");
	return !crossing.has_failed ||
	       error_set(err, ERROR_LIMIT, "its lines touch more than %d other units",
		       CONSENT_UNITS_MAX);
}

/* ---- halves ---- */

static bool touches(
	const struct crossing *asked, enum half_list list, uint32_t at, struct text unit)
{
	struct crossing one = *asked;

	one.units = TEXT("");
	one.count = 0;
	touch_line(&one, list, at);
	return consents_has(one.units, unit);
}

/* A line as it stands and as it is compared. */
struct put_line {
	struct text canonical;
	const struct json *line;
};

static int compare_lines(const void *one, const void *other)
{
	return text_compare(((const struct put_line *)one)->canonical,
		((const struct put_line *)other)->canonical);
}

/* Those of one list of the document that are wanted, if any are, in an order that is none of the
 * charter's: the same lines elsewhere are the same half. */
static bool put_sorted(struct json_builder *object, const struct json *document, const char *member,
	bool (*is_wanted)(const void *context, uint32_t at), const void *context, struct error *err)
{
	const struct json *written = json_find(document, member);
	uint32_t count = written == NULL ? 0 : written->count, put = 0;
	struct put_line *sorted = arena_array(object->arena, struct put_line, count + 1U);
	bool is_out_of_memory = sorted == NULL;
	struct json_builder array;
	struct json made;

	for (uint32_t i = 0; !is_out_of_memory && i < count; i++) {
		if (!is_wanted(context, i))
			continue;
		sorted[put].line = &written->items[i];
		sorted[put].canonical = json_canonical_text(object->arena, sorted[put].line);
		is_out_of_memory = sorted[put++].canonical.data == NULL;
	}
	if (is_out_of_memory)
		return error_set(err, ERROR_LIMIT, "no memory for a unit's half");
	qsort(sorted, put, sizeof *sorted, compare_lines);
	json_array_start(&array, object->arena);
	for (uint32_t i = 0; i < put; i++)
		json_add(&array, *sorted[i].line);
	if (!json_array_seal(&array, &made, err))
		return false;
	if (put > 0)
		json_put_named(object, text_of(member), made);
	return true;
}

struct found_lines {
	const struct half_lines *lines;
	enum half_list list;
};

static bool is_found(const void *context, uint32_t at)
{
	const struct found_lines *found = context;

	return half_lines_has(found->lines, found->list, at);
}

static bool is_any(const void *context, uint32_t at)
{
	(void)context;
	(void)at;
	return true;
}

/* Whether something of the unit's comes in by the line, which the outputs let out again. */
static bool brings_in(const struct charter *charter, enum half_list list, uint32_t at)
{
	if (list == HALF_ENTITLEMENTS)
		return charter->entitlements[at].resource_kind != RESOURCE_MODEL;
	return list != HALF_MODELS && list != HALF_ACCOUNTS;
}

static bool any_brings_in(const struct charter *charter, const struct half_lines *lines)
{
	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t at = 0; at < half_list_count(charter, (enum half_list)list); at++)
			if (half_lines_has(lines, (enum half_list)list, at) &&
				brings_in(charter, (enum half_list)list, at))
				return true;
	return false;
}

static struct half_lines find_lines(const struct crossing *crossing, struct text unit)
{
	struct half_lines found = {0};

	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t i = 0; i < half_list_count(crossing->charter, (enum half_list)list);
			i++)
			if (touches(crossing, (enum half_list)list, i, unit))
				half_lines_add(&found, (enum half_list)list, i);
	return found;
}

/* What the lines are for: a change of these is another question to the unit. */
static const char *const head_members[] = {
	"unit", "purpose", "kind", "class", "risk", "environments"};

static void put_head(struct json_builder *half, const struct json *document)
{
	for (size_t i = 0; i < sizeof head_members / sizeof *head_members; i++) {
		const struct json *value = json_find(document, head_members[i]);

		if (value != NULL)
			json_put(half, head_members[i], *value);
	}
}

bool charter_half(struct half *out, struct arena *arena, const struct object *identity,
	struct text unit, const struct reference_world *world, struct error *err)
{
	const struct json *document;
	const struct charter *charter = charter_of(identity);
	const struct crossing crossing = {.charter = charter,
		.world = world,
		.arena = arena,
		.own = text_equal(unit, charter->unit) ? TEXT("") : charter->unit};
	struct json_builder half, lines;
	struct json whole, made;

	if (!object_document(identity, arena, &whole, err))
		return false;
	document = object_charter_document(identity, &whole);
	out->lines = find_lines(&crossing, unit);
	json_object_start(&half, arena);
	json_object_start(&lines, arena);
	json_put_text(&half, "identity", identity->name);
	put_head(&half, document);
	for (unsigned list = 0; list < HALF_LIST_COUNT; list++) {
		const struct found_lines found = {&out->lines, (enum half_list)list};

		if (!put_sorted(
			    &lines, document, half_list_member(found.list), is_found, &found, err))
			return false;
	}
	if (!json_object_seal(&lines, &made, err))
		return false;
	json_put(&half, "lines", made);
	if (any_brings_in(crossing.charter, &out->lines) &&
		!put_sorted(&half, document, "outputs", is_any, NULL, err))
		return false;
	return json_object_seal(&half, &out->document, err);
}

/* ---- what was agreed to, in another version ---- */

struct carrying {
	const struct charter *after;
	const struct charter *before;
	struct json now; /* their documents */
	struct json was;
	struct half_lines wanted; /* of after, not found yet */
	struct half_lines left;   /* of before, not used yet */
};

static bool has_same_head(const struct carrying *carrying)
{
	for (size_t i = 0; i < sizeof head_members / sizeof *head_members; i++) {
		const struct json *now = json_find(&carrying->now, head_members[i]);
		const struct json *was = json_find(&carrying->was, head_members[i]);

		if ((now == NULL) != (was == NULL) || (now != NULL && !json_equal(now, was)))
			return false;
	}
	return true;
}

static bool is_as_it_was(
	const struct carrying *carrying, enum half_list list, uint32_t now, uint32_t was)
{
	const struct json *after = json_find(&carrying->now, half_list_member(list));
	const struct json *before = json_find(&carrying->was, half_list_member(list));

	return after != NULL && before != NULL && now < after->count && was < before->count &&
	       json_equal(&after->items[now], &before->items[was]);
}

static bool reads_less(
	const struct charter_data_source *after, const struct charter_data_source *before)
{
	return text_equal(after->name, before->name) && after->up_to != SENSITIVITY_UNLABELLED &&
	       before->up_to != SENSITIVITY_UNLABELLED &&
	       sensitivity_level(after->up_to) <= sensitivity_level(before->up_to);
}

static bool is_narrower(
	const struct carrying *carrying, enum half_list list, uint32_t now, uint32_t was)
{
	const struct charter *after = carrying->after, *before = carrying->before;

	switch (list) {
	case HALF_ENTITLEMENTS:
		return entitlement_is_narrower(
			&after->entitlements[now], &before->entitlements[was]);
	case HALF_DATA_SOURCES:
		return reads_less(&after->data_sources[now], &before->data_sources[was]);
	case HALF_PEERS: return peer_is_narrower(&after->peers[now], &before->peers[was]);
	case HALF_MODELS:
	case HALF_ACCOUNTS:
	case HALF_LIST_COUNT: break;
	}
	return false;
}

static bool is_held(const struct carrying *carrying, enum half_list list, uint32_t now)
{
	return list != HALF_ENTITLEMENTS || entitlement_is_held(&carrying->after->entitlements[now],
						    carrying->after, carrying->before);
}

/* Of recipients a line may name a host, or all. */
static bool goes_no_further(struct text after, struct text before)
{
	if (text_equal(after, before))
		return true;
	return !text_starts_with(after, "person:") && !text_starts_with(after, "peer:") &&
	       text_find_byte(after, '/') < 0 && output_is_anybody_at(before, after);
}

static bool lets_out_no_more(
	const struct charter_output *after, const struct charter_output *before)
{
	return goes_no_further(after->to, before->to) &&
	       sensitivity_level(after->up_to) <= sensitivity_level(before->up_to) &&
	       (before->target.length == 0 || text_equal(after->target, before->target));
}

static bool has_wider_outputs(const struct carrying *carrying)
{
	const struct charter *after = carrying->after, *before = carrying->before;

	for (uint32_t now = 0; now < after->outputs_count; now++) {
		bool is_held = false;

		for (uint32_t was = 0; was < before->outputs_count; was++)
			is_held |= lets_out_no_more(&after->outputs[now], &before->outputs[was]);
		if (!is_held)
			return true;
	}
	return false;
}

/* What was agreed to was agreed to with where it may go. */
static void drop_what_goes_further(struct carrying *carrying)
{
	struct half_lines dropped = {0};

	if (!has_wider_outputs(carrying))
		return;
	for (unsigned each = 0; each < HALF_LIST_COUNT; each++) {
		enum half_list list = (enum half_list)each;

		for (uint32_t at = 0; at < half_list_count(carrying->after, list); at++)
			if (brings_in(carrying->after, list, at))
				half_lines_add(&dropped, list, at);
	}
	carrying->wanted = half_lines_without(&carrying->wanted, &dropped);
}

typedef bool compare_function(
	const struct carrying *carrying, enum half_list list, uint32_t now, uint32_t was);

static void carry_line(struct carrying *carrying, enum half_list list, uint32_t now,
	compare_function *is_no_more, struct half_lines *found)
{
	for (uint32_t was = 0; was < half_list_count(carrying->before, list); was++) {
		struct half_lines used = {0};

		if (!half_lines_has(&carrying->left, list, was) ||
			!is_no_more(carrying, list, now, was))
			continue;
		half_lines_add(&used, list, was);
		carrying->left = half_lines_without(&carrying->left, &used);
		half_lines_add(found, list, now);
		return;
	}
}

static void carry_lines(
	struct carrying *carrying, compare_function *is_no_more, struct half_lines *found)
{
	for (unsigned each = 0; each < HALF_LIST_COUNT; each++) {
		enum half_list list = (enum half_list)each;

		for (uint32_t now = 0; now < half_list_count(carrying->after, list); now++)
			if (half_lines_has(&carrying->wanted, list, now) &&
				!half_lines_has(found, list, now) && is_held(carrying, list, now))
				carry_line(carrying, list, now, is_no_more, found);
	}
}

static bool stands_there(const struct carrying *carrying, enum half_list list, uint32_t was)
{
	for (uint32_t now = 0; now < half_list_count(carrying->after, list); now++)
		if (is_as_it_was(carrying, list, now, was))
			return true;
	return false;
}

static void find_lost(
	const struct carrying *carrying, const struct half_lines *agreed, struct half_lines *lost)
{
	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t was = 0;
			was < half_list_count(carrying->before, (enum half_list)list); was++)
			if (half_lines_has(agreed, (enum half_list)list, was) &&
				!stands_there(carrying, (enum half_list)list, was))
				half_lines_add(lost, (enum half_list)list, was);
}

bool half_carry(struct half_carried *out, struct arena *arena, const struct lines_of *after,
	const struct lines_of *before, struct error *err)
{
	struct carrying carrying = {.after = charter_of(after->identity),
		.before = charter_of(before->identity),
		.wanted = after->lines,
		.left = before->lines};
	struct json now, was;

	*out = (struct half_carried){0};
	if (!object_document(after->identity, arena, &now, err) ||
		!object_document(before->identity, arena, &was, err))
		return false;
	carrying.now = *object_charter_document(after->identity, &now);
	carrying.was = *object_charter_document(before->identity, &was);
	find_lost(&carrying, &before->lines, &out->lost);
	if (!text_equal(after->identity->name, before->identity->name) || !has_same_head(&carrying))
		return true;
	drop_what_goes_further(&carrying);
	carry_lines(&carrying, is_as_it_was, &out->found);
	carry_lines(&carrying, is_narrower, &out->found);
	return true;
}

bool half_line_digest(struct sha256 *out, struct arena *arena, const struct object *identity,
	enum half_list list, uint32_t at, struct error *err)
{
	struct json whole;
	const struct json *lines;

	if (!object_document(identity, arena, &whole, err))
		return false;
	lines = json_find(object_charter_document(identity, &whole), half_list_member(list));
	if (lines == NULL || at >= lines->count)
		return error_set(err, ERROR_INTERNAL, "a line that is not there");
	return json_digest(out, &lines->items[at], OBJECT_BYTES_MAX, err);
}

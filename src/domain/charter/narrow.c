/* Narrower: by the members of both documents, so that a field which is new here is compared
 * before anybody thought of it; lists that may shrink are compared line by line as structs.
 *
 * Invariants: charter_is_narrower(x, x) holds; of what it accepts, every call that the new
 * charter lets through the old one let through (property/registry, narrow-laws). */
#include "domain/charter/narrow.h"

#include "domain/charter/form.h"
#include "domain/charter/peer.h"

#include "base/time.h"

enum {
	NARROW_SCRATCH_BYTES_MAX = 64 * 1024,
	NARROW_DOCUMENTS_BYTES_MAX = 64 * 1024 * 1024,
	WAYS_MAX = 16
};

static const char *const part_members[] = {
	[CHARTER_PART_ENTITLEMENT] = "entitlements",
	[CHARTER_PART_PEER] = "peers",
	[CHARTER_PART_KEY] = "keys",
	[CHARTER_PART_RULE] = "federation",
	[CHARTER_PART_ACTING] = "acts-for",
};

const char *charter_part_member(enum charter_part part)
{
	return (size_t)part < sizeof part_members / sizeof *part_members ? part_members[part]
									 : NULL;
}

static enum charter_part part_of(struct text member)
{
	for (size_t i = 1; i < sizeof part_members / sizeof *part_members; i++)
		if (text_is(member, part_members[i]))
			return (enum charter_part)i;
	return CHARTER_PART_NONE;
}

/* ---- narrower: lines ---- */

static bool ends_no_later(int64_t after_utc_s, int64_t before_utc_s)
{
	return before_utc_s == 0 || (after_utc_s != 0 && after_utc_s <= before_utc_s);
}

struct text charter_when_in(struct arena *arena, struct text when, uint32_t environments)
{
	struct text written = when.length == 0 ? text_copy(arena, TEXT("["))
					       : text_format(arena, "(%.*s) && [", TEXT_ARGS(when));
	bool is_first = true;

	for (int value = ENVIRONMENT_DEV; written.data != NULL && value <= ENVIRONMENT_PROD;
		value++) {
		if ((environments & environment_bit((enum environment)value)) == 0)
			continue;
		written = text_format(arena, "%.*s%s\"%s\"", TEXT_ARGS(written),
			is_first ? "" : ", ", environment_word((enum environment)value));
		is_first = false;
	}
	if (written.data == NULL)
		return written;
	return text_format(arena, "%.*s].contains(context.environment)", TEXT_ARGS(written));
}

/* Each of the few forms that a review writes is made again: no text of others is trusted to be
 * a conjunction. */
static bool when_is_narrower(struct text after, struct text before)
{
	struct arena *arena;
	bool is_narrower = text_equal(after, before) || before.length == 0;

	if (is_narrower)
		return true;
	arena = arena_create_small(NARROW_SCRATCH_BYTES_MAX * 4, 4096);
	for (uint32_t way = 1; arena != NULL && !is_narrower && way < WAYS_MAX; way++) {
		struct text made =
			charter_when_in(arena, before, way * environment_bit(ENVIRONMENT_DEV));

		is_narrower = made.data != NULL && text_equal(after, made);
		arena_reset(arena);
	}
	arena_destroy(&arena);
	return is_narrower;
}

static bool has_text(const struct text *items, uint32_t count, struct text wanted)
{
	for (uint32_t i = 0; i < count; i++)
		if (text_equal(items[i], wanted))
			return true;
	return false;
}

static bool texts_within(
	const struct text *inner, uint32_t inner_count, const struct text *outer, uint32_t count)
{
	for (uint32_t i = 0; i < inner_count; i++)
		if (!has_text(outer, count, inner[i]))
			return false;
	return true;
}

/* A line with `uses` is known by its place: elsewhere it would begin to count anew. */
static bool uses_are_fewer(const struct entitlement *after, const struct entitlement *before)
{
	return before->uses == 0 ||
	       (after->uses > 0 && after->uses <= before->uses && after->number == before->number);
}

bool entitlement_is_narrower(const struct entitlement *after, const struct entitlement *before)
{
	return after->effect == before->effect && after->resource_kind == before->resource_kind &&
	       text_equal(after->resource, before->resource) &&
	       when_is_narrower(after->when, before->when) &&
	       texts_within(before->approvals, before->approvals_count, after->approvals,
		       after->approvals_count) &&
	       ends_no_later(after->expires_utc_s, before->expires_utc_s) &&
	       uses_are_fewer(after, before);
}

/* A reach gives what the charter itself does not, so one that was not there is not less. */
static bool reach_is_narrower(const struct charter_peer *after, const struct charter_peer *before)
{
	if (before->tools_count == 0)
		return after->tools_count == 0;
	return after->tools_count > 0 &&
	       texts_within(after->tools, after->tools_count, before->tools, before->tools_count);
}

static bool skills_are_fewer(const struct charter_peer *after, const struct charter_peer *before)
{
	if (before->skills_count == 0)
		return true;
	return after->skills_count > 0 && texts_within(after->skills, after->skills_count,
						  before->skills, before->skills_count);
}

bool peer_is_narrower(const struct charter_peer *after, const struct charter_peer *before)
{
	return text_equal(after->identity, before->identity) &&
	       (after->effects & ~before->effects) == 0 &&
	       sensitivity_level(after->up_to) <= sensitivity_level(before->up_to) &&
	       after->depth <= before->depth && reach_is_narrower(after, before) &&
	       skills_are_fewer(after, before);
}

static bool key_is_narrower(const struct charter_key *after, const struct charter_key *before)
{
	return after->environment == before->environment &&
	       after->has_certificate == before->has_certificate &&
	       sha256_equal(&after->certificate, &before->certificate) &&
	       json_equal(&after->jwk, &before->jwk) &&
	       ends_no_later(after->expires_utc_s, before->expires_utc_s);
}

bool entitlement_is_held(
	const struct entitlement *line, const struct charter *after, const struct charter *before)
{
	return line->resource_kind != RESOURCE_PEER ||
	       charter_find_peer(before, line->resource) == NULL ||
	       charter_find_peer(after, line->resource) != NULL;
}

/* ---- narrower: lists ---- */

static bool entitlements_are_narrower(const struct charter *after, const struct charter *before)
{
	for (uint32_t i = 0; i < after->entitlements_count; i++) {
		uint32_t j = 0;

		while (j < before->entitlements_count &&
			!entitlement_is_narrower(&after->entitlements[i], &before->entitlements[j]))
			j++;
		if (j == before->entitlements_count)
			return false;
	}
	return true;
}

static bool peers_are_narrower(const struct charter *after, const struct charter *before)
{
	for (uint32_t i = 0; i < after->peers_count; i++) {
		uint32_t j = 0;

		while (j < before->peers_count &&
			!peer_is_narrower(&after->peers[i], &before->peers[j]))
			j++;
		if (j == before->peers_count)
			return false;
	}
	return true;
}

static bool keys_are_narrower(const struct charter *after, const struct charter *before)
{
	for (uint32_t i = 0; i < after->keys_count; i++) {
		uint32_t j = 0;

		while (j < before->keys_count &&
			!key_is_narrower(&after->keys[i], &before->keys[j]))
			j++;
		if (j == before->keys_count)
			return false;
	}
	return true;
}

static bool rules_are_narrower(const struct json *after, const struct json *before)
{
	for (uint32_t i = 0; after != NULL && i < after->count; i++) {
		uint32_t j = 0;

		while (before != NULL && j < before->count &&
			!json_equal(&after->items[i], &before->items[j]))
			j++;
		if (before == NULL || j == before->count)
			return false;
	}
	return true;
}

/* Both as documents, which may lie packed. */
struct compared {
	const struct object *after;
	const struct object *before;
	struct json now;
	struct json was;
};

static bool part_is_narrower(enum charter_part part, const struct compared *compared)
{
	const struct charter *after = charter_of(compared->after);
	const struct charter *before = charter_of(compared->before);
	const char *member = charter_part_member(part);
	const struct json *now, *was;

	switch (part) {
	case CHARTER_PART_ENTITLEMENT: return entitlements_are_narrower(after, before);
	case CHARTER_PART_PEER: return peers_are_narrower(after, before);
	case CHARTER_PART_KEY: return keys_are_narrower(after, before);
	case CHARTER_PART_RULE:
		return rules_are_narrower(
			json_find(&compared->now, member), json_find(&compared->was, member));
	case CHARTER_PART_ACTING:
		now = json_find(&compared->now, member);
		was = json_find(&compared->was, member);
		return now == NULL || (was != NULL && json_equal(now, was));
	case CHARTER_PART_NONE: break;
	}
	return false;
}

static bool not_narrower(struct text member, struct error *err)
{
	return error_set(err, ERROR_INVALID, "%.*s would not be narrower than what is in force",
		TEXT_ARGS(member));
}

static bool has_all_held(
	const struct charter *after, const struct charter *before, struct error *err)
{
	for (uint32_t i = 0; i < after->entitlements_count; i++)
		if (!entitlement_is_held(&after->entitlements[i], after, before))
			return error_set(err, ERROR_INVALID,
				"peers would not be narrower than what is in force: the line of "
				"%.*s holds entitlements on it, so these go first, or with it",
				TEXT_ARGS(after->entitlements[i].resource));
	return true;
}

/* All that is no list of lines is equal in both. */
static bool rest_is_equal(const struct json *inner, const struct json *outer, struct error *err)
{
	for (uint32_t i = 0; i < inner->count; i++) {
		const struct json_member *member = &inner->members[i];
		const struct json *other = json_find_text(outer, member->name);

		if (part_of(member->name) == CHARTER_PART_NONE &&
			(other == NULL || !json_equal(&member->value, other)))
			return not_narrower(member->name, err);
	}
	return true;
}

static bool compare(const struct compared *compared, struct error *err)
{
	if (!rest_is_equal(&compared->now, &compared->was, err) ||
		!rest_is_equal(&compared->was, &compared->now, err))
		return false;
	for (int part = CHARTER_PART_ENTITLEMENT; part <= CHARTER_PART_ACTING; part++)
		if (!part_is_narrower((enum charter_part)part, compared))
			return not_narrower(
				text_of(charter_part_member((enum charter_part)part)), err);
	return has_all_held(charter_of(compared->after), charter_of(compared->before), err);
}

static bool with_documents(
	const struct object *after, const struct object *before, struct error *err)
{
	struct compared compared = {.after = after, .before = before};
	struct arena *arena = arena_create_small(NARROW_DOCUMENTS_BYTES_MAX, 4096);
	bool ok = arena != NULL || error_set(err, ERROR_LIMIT, "no memory to compare charters");

	ok = ok && object_document(after, arena, &compared.now, err) &&
	     object_document(before, arena, &compared.was, err) && compare(&compared, err);
	arena_destroy(&arena);
	return ok;
}

bool charter_is_narrower(const struct object *after, const struct object *before, struct error *err)
{
	if (after->kind != OBJECT_IDENTITY || before->kind != OBJECT_IDENTITY ||
		after->is_partial || before->is_partial)
		return error_set(err, ERROR_INVALID, "only charters are narrowed");
	return with_documents(after, before, err);
}

/* ---- editing ---- */

const struct json *charter_find_line(const struct json *document, const struct charter_line *line)
{
	const char *member = charter_part_member(line->part);
	const struct json *list = member == NULL ? NULL : json_find(document, member);

	if (list == NULL)
		return NULL;
	if (line->part == CHARTER_PART_ACTING)
		return json_equal(list, line->line) ? list : NULL;
	for (uint32_t i = 0; list->type == JSON_ARRAY && i < list->count; i++)
		if (json_equal(&list->items[i], line->line))
			return &list->items[i];
	return NULL;
}

/* One list on its way through the edits. */
struct editing {
	struct arena *arena;
	const struct charter_edits *edits;
	enum charter_part part;
	struct json_builder items;
	bool stays; /* lines keep their places */
	uint32_t count;
	bool *is_done; /* of each edit */
};

static bool is_end(struct text name)
{
	return text_is(name, "expires");
}

/* Equal but for their ends. */
static bool is_same_line(const struct json *a, const struct json *b)
{
	uint32_t counted = 0, others = 0;

	for (uint32_t i = 0; i < a->count; i++) {
		const struct json *other = json_find_text(b, a->members[i].name);

		if (is_end(a->members[i].name))
			continue;
		counted++;
		if (other == NULL || !json_equal(&a->members[i].value, other))
			return false;
	}
	for (uint32_t i = 0; i < b->count; i++)
		others += !is_end(b->members[i].name);
	return counted == others;
}

/* The line with an end that has come. */
static bool end_line(
	const struct editing *editing, const struct json *line, struct json *out, struct error *err)
{
	char moment[TIME_TEXT_BYTES];
	struct json_builder object;
	struct text end;

	time_format_utc_ms(moment, editing->edits->now_utc_s * 1000);
	/* "2026-11-23T18:20:11.000Z" without its fraction, as charters write it. */
	end = text_format(editing->arena, "%.19sZ", moment);
	if (end.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to edit a charter");
	json_object_start(&object, editing->arena);
	for (uint32_t i = 0; i < line->count; i++)
		if (!is_end(line->members[i].name))
			json_put_named(&object, line->members[i].name, line->members[i].value);
	json_put_text(&object, "expires", end);
	return json_object_seal(&object, out, err);
}

static bool has_ended(const struct editing *editing, const struct json *line)
{
	int64_t end_utc_s;

	return time_of_text(json_text_or(line, "expires", ""), &end_utc_s) &&
	       is_expired(end_utc_s, editing->edits->now_utc_s);
}

/* The first edit, not done yet, of this line. */
static size_t edit_of(const struct editing *editing, const struct json *line)
{
	for (size_t i = 0; i < editing->edits->count; i++) {
		const struct charter_edit *edit = &editing->edits->items[i];

		if (edit->line.part != editing->part || editing->is_done[i])
			continue;
		if (edit->how == CHARTER_EDIT_PUT_BACK
				? editing->stays && has_ended(editing, line) &&
					  is_same_line(line, edit->line.line)
				: json_equal(line, edit->line.line))
			return i;
	}
	return editing->edits->count;
}

static bool edit_line(struct editing *editing, const struct json *line, struct error *err)
{
	size_t at = edit_of(editing, line);
	const struct charter_edit *edit;
	struct json ended;

	if (at == editing->edits->count) {
		json_add(&editing->items, *line);
		return true;
	}
	edit = &editing->edits->items[at];
	editing->is_done[at] = true;
	if (edit->how == CHARTER_EDIT_REPLACE) {
		json_add(&editing->items, *edit->with);
	} else if (edit->how == CHARTER_EDIT_PUT_BACK) {
		json_add(&editing->items, *edit->line.line);
	} else if (editing->stays) {
		if (!end_line(editing, line, &ended, err))
			return false;
		json_add(&editing->items, ended);
	}
	return true;
}

/* What was taken out altogether comes back at the end. */
static void put_back(struct editing *editing)
{
	for (size_t i = 0; i < editing->edits->count; i++) {
		const struct charter_edit *edit = &editing->edits->items[i];

		if (edit->line.part != editing->part || edit->how != CHARTER_EDIT_PUT_BACK ||
			editing->is_done[i])
			continue;
		if (!editing->stays || json_find(edit->line.line, "uses") == NULL) {
			json_add(&editing->items, *edit->line.line);
			editing->is_done[i] = true;
		}
	}
}

static bool has_uses(const struct json *list)
{
	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		if (json_find(&list->items[i], "uses") != NULL)
			return true;
	return false;
}

static bool edit_list(
	struct editing *editing, const struct json *list, struct json *out, struct error *err)
{
	json_array_start(&editing->items, editing->arena);
	editing->stays = editing->part == CHARTER_PART_ENTITLEMENT && has_uses(list);
	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		if (!edit_line(editing, &list->items[i], err))
			return false;
	put_back(editing);
	editing->count = editing->items.count;
	return json_array_seal(&editing->items, out, err);
}

/* acts-for is one clause: it is there or not. */
static bool edit_clause(struct editing *editing, const struct json *clause, struct json *out)
{
	*out = clause == NULL ? json_null() : *clause;
	editing->count = clause != NULL;
	for (size_t i = 0; i < editing->edits->count; i++) {
		const struct charter_edit *edit = &editing->edits->items[i];

		if (edit->line.part != CHARTER_PART_ACTING)
			continue;
		editing->is_done[i] =
			edit->how == CHARTER_EDIT_PUT_BACK
				? clause == NULL
				: clause != NULL && json_equal(clause, edit->line.line);
		if (edit->how == CHARTER_EDIT_PUT_BACK && editing->is_done[i])
			*out = *edit->line.line;
		editing->count = edit->how == CHARTER_EDIT_PUT_BACK;
	}
	return true;
}

static bool edit_part(struct editing *editing, const struct json *value,
	struct json_builder *document, struct error *err)
{
	struct json edited;

	if (editing->part == CHARTER_PART_ACTING ? !edit_clause(editing, value, &edited)
						 : !edit_list(editing, value, &edited, err))
		return false;
	if (editing->count > 0)
		json_put(document, charter_part_member(editing->part), edited);
	return true;
}

static bool touches(const struct charter_edits *edits, enum charter_part part)
{
	for (size_t i = 0; i < edits->count; i++)
		if (edits->items[i].line.part == part)
			return true;
	return false;
}

/* Members stay in their order; a list that was not there comes at the end. */
static bool edit_members(struct editing *editing, const struct json *document,
	struct json_builder *object, struct error *err)
{
	for (uint32_t i = 0; i < document->count; i++) {
		const struct json_member *member = &document->members[i];

		editing->part = part_of(member->name);
		if (editing->part == CHARTER_PART_NONE || !touches(editing->edits, editing->part))
			json_put_named(object, member->name, member->value);
		else if (!edit_part(editing, &member->value, object, err))
			return false;
	}
	for (int part = CHARTER_PART_ENTITLEMENT; part <= CHARTER_PART_ACTING; part++) {
		editing->part = (enum charter_part)part;
		if (touches(editing->edits, editing->part) &&
			json_find(document, charter_part_member(editing->part)) == NULL &&
			!edit_part(editing, NULL, object, err))
			return false;
	}
	return true;
}

bool charter_edit(struct json *out, struct arena *arena, const struct json *document,
	const struct charter_edits *edits, struct error *err)
{
	struct editing editing = {.arena = arena, .edits = edits};
	struct json_builder object;

	editing.is_done = arena_array(arena, bool, edits->count + 1);
	if (editing.is_done == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to edit a charter");
	json_object_start(&object, arena);
	if (!edit_members(&editing, document, &object, err))
		return false;
	for (size_t i = 0; i < edits->count; i++)
		if (!editing.is_done[i])
			return error_set(err, ERROR_CONFLICT,
				"a line of %s is not there any more as it was",
				charter_part_member(edits->items[i].line.part));
	return json_object_seal(&object, out, err);
}

/* Consent of units to the lines of a charter that touch them (domain/charter/crossing.h):
 * whoever answers for a unit's data says yes to its half before anybody puts the version in
 * force, or, of lines that came to touch it since, while it is.  On record are the digest of the
 * half that was shown and the lines of that version that are in it; in another version those
 * lines of it that say no more, and still the digest that somebody said yes to.
 *
 * Invariant: no line is among a unit's that its people did not see, or a wider one of. */
#include "services/registry/registrar_private.h"

/* ---- what is registered ---- */

/* A peer that only waits is a unit's already. */
static const struct object *find_in_force(void *context, enum object_kind kind, struct text name)
{
	const struct registry_entry *entry = registry_find(context, kind, name);

	if (entry == NULL)
		return NULL;
	return entry->in_force != NULL || kind != OBJECT_IDENTITY ? entry->in_force
								  : entry->waiting;
}

struct name_visit {
	bool (*visit)(void *visitor, struct text name);
	void *visitor;
};

static bool visit_name(void *context, const struct registry_entry *entry)
{
	const struct name_visit *each = context;

	return each->visit(each->visitor, entry->name);
}

static void each_name(void *context, enum object_kind kind,
	bool (*visit)(void *visitor, struct text name), void *visitor)
{
	struct name_visit each = {visit, visitor};

	registry_each(context, kind, TEXT(""), visit_name, &each);
}

struct reference_world registrar_world(const struct registrar *registrar)
{
	return (struct reference_world){
		.context = registrar->registry, .find = find_in_force, .each_name = each_name};
}

bool registrar_half(struct registrar *registrar, struct arena *arena, const struct object *identity,
	struct text unit, struct crossing_half *out, struct error *err)
{
	const struct reference_world world = registrar_world(registrar);

	return charter_half(&out->half, arena, identity, unit, &world, err) &&
	       json_digest(&out->digest, &out->half.document, OBJECT_BYTES_MAX, err);
}

static bool find_units(struct registrar *registrar, const struct charter *charter, struct text *out,
	struct error *err)
{
	const struct reference_world world = registrar_world(registrar);

	return charter_crossed_units(out, registrar->arena, charter, &world, err);
}

/* ---- consent ---- */

/* Whether the unit said yes to anything of that version. */
static bool has_agreed(struct text consents, struct text unit, uint32_t version)
{
	struct consent_given given;

	return consents_find(consents, unit, &given) && given.has_digest &&
	       given.version == version;
}

/* The lines of the half that the unit has not agreed to, of that version. */
static struct half_lines not_agreed(
	struct text consents, struct text unit, uint32_t version, const struct half *half)
{
	struct half_lines agreed;

	(void)consents_lines(consents, unit, version, &agreed);
	return half_lines_without(&half->lines, &agreed);
}

static bool add_consent(struct registrar *registrar, struct text *made,
	const struct consent_given *given, struct error *err)
{
	struct text with = consents_with(registrar->arena, *made, given);

	if (with.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a consent");
	*made = with;
	return true;
}

/* One more unit beside those that said yes to this version: what moves about while it is in force
 * leaves theirs behind. */
static bool has_room(const struct consent_query *query, struct text unit, struct text consents)
{
	uint32_t count = 0;
	struct text one;

	if (consents_has(consents, unit))
		return true;
	while (consents_next(&consents, &one))
		count++;
	return count < CONSENTS_KEPT_MAX ||
	       error_set(query->err, ERROR_CONFLICT,
		       "%d units have consented to this version already: apply another one, "
		       "which asks anew",
		       CONSENTS_KEPT_MAX);
}

/* The actor's yes for the unit, unless it is there. */
static bool agree(struct consent_query *query, struct text unit, struct text *made)
{
	struct registrar *registrar = query->registrar;
	uint32_t version = query->object->version;
	struct crossing_half half;
	struct half_lines left;

	if (!registrar_half(registrar, registrar->arena, query->object, unit, &half, query->err))
		return false;
	left = not_agreed(*made, unit, version, &half.half);
	if (half_lines_is_empty(&left) && has_agreed(*made, unit, version))
		return true;
	if (!has_room(query, unit, *made))
		return false;
	return add_consent(registrar, made,
		&(struct consent_given){.unit = unit,
			.by = query->actor,
			.at_utc_ms = fold_stamp_utc_ms(registrar->fold),
			.digest = half.digest,
			.has_digest = true,
			.version = version,
			.lines = half.half.lines},
		query->err);
}

bool registrar_consent(struct consent_query *query, struct text *consents)
{
	struct custody custody = registrar_custody(query->registrar, query->err);
	struct text rest, unit, made = *consents;
	bool is_data_owner = false;

	if (!registrar_units_asked(query->registrar, query->registrar->arena, query->entry,
		    query->object, &rest, query->err))
		return false;
	if (rest.length == 0)
		return error_set(query->err, ERROR_CONFLICT, "its lines touch no unit but its own");
	custody.actor = query->actor;
	custody.author = query->author;
	while (consents_next(&rest, &unit)) {
		if (!custody_answers(&custody, unit))
			continue;
		is_data_owner = true;
		if (!agree(query, unit, &made))
			return false;
	}
	if (is_data_owner)
		*consents = made;
	return is_data_owner;
}

static bool check_unit(struct registrar *registrar, const struct registry_entry *entry,
	struct text unit, struct error *err)
{
	struct crossing_half half;
	struct half_lines left;
	struct text lines;

	if (!registrar_half(registrar, registrar->arena, entry->waiting, unit, &half, err))
		return false;
	left = not_agreed(entry->more->waiting_consents, unit, entry->waiting_version, &half.half);
	if (half_lines_is_empty(&left))
		return true;
	lines = half_lines_say(registrar->arena, &left);
	return error_set(err, ERROR_CONFLICT,
		"its lines touch unit %.*s, whose data owner %s %.*s: "
		"remit identity consent %.*s",
		TEXT_ARGS(unit),
		consents_has(entry->more->waiting_consents, unit)
			? "consented to other lines, not to"
			: "has not consented to",
		TEXT_ARGS(lines), TEXT_ARGS(entry->name));
}

bool registrar_check_consents(
	struct registrar *registrar, const struct registry_entry *entry, struct error *err)
{
	struct text rest, unit;

	if (entry->waiting == NULL)
		return true;
	if (!find_units(registrar, charter_of(entry->waiting), &rest, err))
		return false;
	while (consents_next(&rest, &unit))
		if (!check_unit(registrar, entry, unit, err))
			return false;
	return true;
}

/* The unit's own lines are in its half, as no other unit is asked about them. */
bool registrar_check_entry(const struct consent_query *query)
{
	const struct registry_entry *entry = query->entry;
	struct error unused;
	struct custody custody = registrar_custody(query->registrar, &unused);
	struct text unit = custody_entered(&custody, entry);

	custody.actor = query->actor;
	if (unit.length == 0 || custody_is_of(&custody, unit) || custody_is_vacant(&custody, unit))
		return true;
	if (has_agreed(entry->more->waiting_consents, unit, entry->waiting_version))
		return check_unit(query->registrar, entry, unit, query->err);
	return error_set(query->err, ERROR_CONFLICT,
		"it comes into unit %.*s, of which neither who wrote it nor who approves it is: "
		"one of that unit approves it, or its data owner consents: remit identity consent "
		"%.*s",
		TEXT_ARGS(unit), TEXT_ARGS(entry->name));
}

/* ---- what a unit agreed to before ---- */

/* What of the half of the next version one unit's consent is to. */
struct carried {
	struct consent_given given; /* of the version in force, then of the next */
	struct crossing_half half;  /* of the next */
};

/* Calls for each line, until one fails. */
static bool each_line(struct registrar *registrar, const struct lines_of *lines,
	bool (*visit)(struct registrar *registrar, struct carried *carried, enum half_list list,
		uint32_t at, const struct sha256 *line, struct error *err),
	struct carried *carried, struct error *err)
{
	for (unsigned each = 0; each < HALF_LIST_COUNT; each++) {
		enum half_list list = (enum half_list)each;

		for (uint32_t at = 0; at < half_list_count(charter_of(lines->identity), list);
			at++) {
			struct sha256 line;

			if (!half_lines_has(&lines->lines, list, at))
				continue;
			if (!half_line_digest(
				    &line, registrar->arena, lines->identity, list, at, err) ||
				!visit(registrar, carried, list, at, &line, err))
				return false;
		}
	}
	return true;
}

static bool keep_taken(struct registrar *registrar, struct carried *carried, enum half_list list,
	uint32_t at, const struct sha256 *line, struct error *err)
{
	(void)list;
	(void)at;
	carried->given.taken = taken_with(registrar->arena, carried->given.taken, line);
	return carried->given.taken.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for a consent");
}

/* A line that is had back is as good as when it was taken. */
static bool give_back(struct registrar *registrar, struct carried *carried, enum half_list list,
	uint32_t at, const struct sha256 *line, struct error *err)
{
	(void)err;
	if (taken_remove(registrar->arena, &carried->given.taken, line))
		half_lines_add(&carried->given.lines, list, at);
	return true;
}

static bool carry_lines(struct registrar *registrar, const struct registry_entry *entry,
	const struct next_version *next, struct carried *carried, struct error *err)
{
	struct consent_given *given = &carried->given;
	const struct lines_of before = {entry->in_force, given->lines};
	struct lines_of lines = {next->object, carried->half.half.lines};
	struct half_carried found;

	if (!half_carry(&found, registrar->arena, &lines, &before, err))
		return false;
	given->lines = found.found;
	if (next->as == CARRY_PROPOSED) {
		given->taken = TEXT(""); /* what was had back then would be another question */
		return true;
	}
	if (next->as == CARRY_RESTORED) {
		lines.lines = half_lines_without(&lines.lines, &found.found);
		return each_line(registrar, &lines, give_back, carried, err);
	}
	lines = (struct lines_of){entry->in_force, found.lost};
	return each_line(registrar, &lines, keep_taken, carried, err);
}

static bool carry(struct registrar *registrar, const struct registry_entry *entry,
	const struct next_version *next, struct carried *carried, struct error *err)
{
	struct consent_given *given = &carried->given;

	if (!registrar_half(
		    registrar, registrar->arena, next->object, given->unit, &carried->half, err))
		return false;
	if (given->version != entry->in_force->version) {
		given->lines = (struct half_lines){0};
		given->taken = TEXT("");
	} else if (!carry_lines(registrar, entry, next, carried, err)) {
		return false;
	}
	given->version = next->version;
	return true;
}

/* Where a yes to part of a half would be as good as none, there is none. */
static bool is_kept(const struct next_version *next, const struct carried *carried)
{
	return next->as != CARRY_PROPOSED ||
	       (!half_lines_is_empty(&carried->half.half.lines) &&
		       half_lines_within(&carried->half.half.lines, &carried->given.lines));
}

/* Of the risk of a version it says nothing of the next, but stays beside what is in force. */
static bool is_of_unit(const struct consent_given *given)
{
	return given->has_digest && !text_starts_with(given->unit, RISK_CONSENT_PREFIX);
}

bool registrar_carry_consents(struct registrar *registrar, const struct registry_entry *entry,
	const struct next_version *next, struct text *consents, struct error *err)
{
	bool is_proposed = next->as == CARRY_PROPOSED;
	struct text rest, made = TEXT("");
	struct carried carried;

	*consents = made;
	if (entry == NULL || entry->in_force == NULL)
		return true;
	rest = entry->more->consents;
	if (!is_proposed && entry->units_asked == UNITS_BEFORE) {
		*consents = rest;
		return true;
	}
	while (consents_next_given(&rest, &carried.given)) {
		bool is_unit = is_of_unit(&carried.given);

		if (!is_unit && is_proposed)
			continue;
		if (is_unit && !carry(registrar, entry, next, &carried, err))
			return false;
		if (is_unit && !is_kept(next, &carried))
			continue;
		if (!add_consent(registrar, &made, &carried.given, err))
			return false;
	}
	*consents = made;
	return true;
}

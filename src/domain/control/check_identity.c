/* Checks of identities: their charters, their keys, and what their edges say. */
#include "domain/charter/living.h"
#include "domain/charter/owner.h"
#include "domain/charter/standing.h"
#include "domain/control/check_private.h"

static void put(check_set *out, enum control_check check, bool is_violated)
{
	if (is_violated)
		*out |= check_bit(check);
}

/* ---- lines ---- */

static bool is_act(const struct entitlement *line)
{
	return line->effect == EFFECT_WRITE || line->effect == EFFECT_EXECUTE;
}

static bool is_near_production(const struct control_world *world, const struct tool *tool)
{
	const struct server *server =
		tool == NULL ? NULL : registry_find_server(world->registry, tool->server);

	return server != NULL && (server->environment == ENVIRONMENT_STAGING ||
					 server->environment == ENVIRONMENT_PROD);
}

static void check_line(const struct control_world *world, const struct charter *charter,
	const struct entitlement *line, check_set *out)
{
	const struct tool *tool = NULL;

	if (line->resource_kind != RESOURCE_TOOL && line->resource_kind != RESOURCE_DATA_SOURCE)
		return;
	put(out, CHECK_LINE_ABOVE_CLASS, !use_class_permits(charter->use_class, line->effect));
	if (line->resource_kind == RESOURCE_TOOL)
		tool = registry_find_tool(world->registry, line->resource);
	if (charter_is_sandbox(charter))
		put(out, CHECK_SANDBOX_ESCAPE, is_near_production(world, tool));
	if (tool == NULL || !is_act(line) || line->approvals_count > 0)
		return;
	put(out, CHECK_LINE_IRREVERSIBLE,
		tool->reversal == REVERSAL_NONE || tool->reversal == REVERSAL_IRREVERSIBLE);
	put(out, CHECK_LINE_UNCHECKED, risk_tier_level(tool->risk) >= risk_tier_level(RISK_HIGH));
}

/* ---- sandboxes ---- */

static bool is_outside(const struct control_world *world, struct text source)
{
	const struct data_source *found = registry_find_data_source(world->registry, source);

	return found != NULL && (!sandbox_covers(NULL, found->sensitivity) ||
					found->environment == ENVIRONMENT_STAGING ||
					found->environment == ENVIRONMENT_PROD);
}

static void check_sandbox(
	const struct control_world *world, const struct charter *charter, check_set *out)
{
	put(out, CHECK_SANDBOX_ESCAPE,
		charter->expires_utc_s == 0 ||
			is_expired(charter->expires_utc_s, world->now_utc_s) ||
			charter_has_environment(charter, ENVIRONMENT_STAGING) ||
			charter_has_environment(charter, ENVIRONMENT_PROD));
	for (uint32_t i = 0; i < charter->data_sources_count; i++)
		put(out, CHECK_SANDBOX_ESCAPE, is_outside(world, charter->data_sources[i].name));
}

/* ---- federation ---- */

static bool holds_on(const struct federation_rule *rule)
{
	for (uint32_t i = 0; i < rule->claims_count; i++)
		if (rule->claims[i].is.length > 0)
			return true;
	return false;
}

/* Numbers that GitHub never gives out again; names of repositories and owners it does. */
static bool holds_on_to_number(const struct federation_rule *rule)
{
	static const char *const numbers[] = {
		"repository_id", "repository_owner_id", "enterprise_id"};

	for (uint32_t i = 0; i < rule->claims_count; i++)
		for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++)
			if (rule->claims[i].is.length > 0 &&
				text_is(rule->claims[i].name, numbers[j]))
				return true;
	return false;
}

static const struct issuer *find_issuer(const struct control_world *world, struct text name)
{
	const struct registry_entry *entry = registry_find(world->registry, OBJECT_ISSUER, name);

	return entry == NULL || entry->in_force == NULL ? NULL : entry->in_force->issuer;
}

static void check_rule(
	const struct control_world *world, const struct federation_rule *rule, check_set *out)
{
	const struct issuer *issuer = find_issuer(world, rule->issuer);

	put(out, CHECK_RULE_WILDCARD, rule->subject_prefix.length > 0 && !holds_on(rule));
	put(out, CHECK_RULE_DANGLING, issuer == NULL);
	put(out, CHECK_RULE_BY_NAME,
		issuer != NULL && issuer->speaks == ISSUER_SPEAKS_GITHUB &&
			!holds_on_to_number(rule));
}

/* ---- keys ---- */

/* One key of a charter, and what all who have it use it for. */
struct sharing {
	const struct control_world *world;
	const struct registry_entry *entry;
	struct sha256 key;
	uint32_t environments;
	bool is_shared;
	bool has_failed;
};

static bool add_environments(struct sharing *sharing, const struct charter *charter)
{
	bool has_key = false;
	struct sha256 key;

	for (uint32_t i = 0; i < charter->keys_count; i++) {
		if (!charter_key_name(sharing->world->scratch, &charter->keys[i], &key)) {
			sharing->has_failed = true;
			return false;
		}
		if (!sha256_equal(&key, &sharing->key))
			continue;
		has_key = true;
		sharing->environments |= environment_bit(charter->keys[i].environment);
	}
	return has_key;
}

static bool see_holder(void *context, struct text name)
{
	struct sharing *sharing = context;
	const struct registry_entry *other =
		registry_find(sharing->world->registry, OBJECT_IDENTITY, name);

	if (!identity_is_in_force(other) || text_equal(name, sharing->entry->name))
		return true;
	if (add_environments(sharing, charter_of(other->in_force)))
		sharing->is_shared = true;
	return !sharing->has_failed;
}

static bool check_keys(const struct control_world *world, const struct registry_entry *entry,
	check_set *out, struct error *err)
{
	const struct charter *charter = charter_of(entry->in_force);

	for (uint32_t i = 0; i < charter->keys_count; i++) {
		struct sharing sharing = {.world = world, .entry = entry};

		if (!charter_key_name(world->scratch, &charter->keys[i], &sharing.key))
			return error_set(err, ERROR_LIMIT, "no memory for a key's name");
		add_environments(&sharing, charter);
		if (world->key_holders != NULL)
			key_holders_each(world->key_holders, &sharing.key, see_holder, &sharing);
		if (sharing.has_failed)
			return error_set(err, ERROR_LIMIT, "no memory for a key's name");
		put(out, CHECK_KEY_SHARED, sharing.is_shared);
		put(out, CHECK_KEY_ACROSS,
			(sharing.environments & environment_bit(ENVIRONMENT_PROD)) != 0 &&
				(sharing.environments & ~environment_bit(ENVIRONMENT_PROD)) != 0);
	}
	return true;
}

static bool check_standing(const struct control_world *world, const struct registry_entry *entry,
	check_set *out, struct error *err)
{
	struct standing found[STANDING_PER_OBJECT_MAX];
	size_t count = 0;

	if (!standing_of(entry, world->now_utc_s, world->scratch, found, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		put(out, CHECK_TOKEN_UNBOUND, found[i].kind == STANDING_UNBOUND);
		put(out, CHECK_KEY_ENDLESS,
			found[i].kind == STANDING_KEY || found[i].kind == STANDING_CERTIFICATE);
	}
	return true;
}

/* ---- whose place it could take ---- */

/* Somebody who is here and has a key that signs, or may sign in again. */
static bool is_key_of_person(const struct control_world *world, struct text thumbprint)
{
	const struct person_key *key = NULL;

	return registry_find_key(world->registry, thumbprint, &key) != NULL && key != NULL &&
	       !person_key_is_over(key, world->now_utc_s * 1000);
}

struct namesake {
	const struct control_world *world;
	struct text issuer;
	struct text name; /* by which the issuer knows them */
	bool is_found;
};

static bool see_person(void *context, struct text name)
{
	struct namesake *namesake = context;
	const struct person *person = registry_find_person(namesake->world->registry, name);

	namesake->is_found = person != NULL &&
			     text_equal(person->sign_in_issuer, namesake->issuer) &&
			     text_equal(person_sign_in_name(person), namesake->name) &&
			     check_person_is_here(namesake->world, name);
	return !namesake->is_found;
}

/* What the rule says of the claim by which its issuer knows people; empty: nothing exact. */
static struct text said_of(const struct federation_rule *rule, struct text claim)
{
	if (text_is(claim, "sub"))
		return rule->subject;
	for (uint32_t i = 0; i < rule->claims_count; i++)
		if (text_equal(rule->claims[i].name, claim))
			return rule->claims[i].is;
	return TEXT("");
}

/* Whether whoever the rule is met by is a person who signs in by the same issuer. */
static bool is_rule_of_person(const struct control_world *world, const struct federation_rule *rule)
{
	const struct issuer *issuer = find_issuer(world, rule->issuer);
	struct namesake namesake = {.world = world, .issuer = rule->issuer};
	struct sha256 key;

	if (issuer == NULL || issuer->people.client.length == 0 || world->key_holders == NULL)
		return false;
	namesake.name = said_of(rule, issuer->people.claim);
	if (namesake.name.length == 0)
		return false;
	key = sign_in_key(namesake.issuer, namesake.name);
	key_holders_each(world->key_holders, &key, see_person, &namesake);
	return namesake.is_found;
}

static bool check_as_person(const struct control_world *world, const struct charter *charter,
	check_set *out, struct error *err)
{
	for (uint32_t i = 0; i < charter->keys_count; i++) {
		struct text thumbprint;

		if (charter->keys[i].has_certificate)
			continue;
		thumbprint = charter_key_thumbprint(world->scratch, &charter->keys[i]);
		if (thumbprint.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a key's name");
		put(out, CHECK_ANSWERS_AS_PERSON, is_key_of_person(world, thumbprint));
	}
	for (uint32_t i = 0; i < charter->federation_count; i++)
		put(out, CHECK_ANSWERS_AS_PERSON,
			is_rule_of_person(world, &charter->federation[i]));
	return true;
}

/* ---- the charter of one that is active ---- */

static void check_people(
	const struct control_world *world, const struct registry_entry *entry, check_set *out)
{
	struct text backup = charter_of(entry->in_force)->backup_owner;

	put(out, CHECK_OWNER_GONE, !check_person_is_here(world, owner_of(entry)));
	put(out, CHECK_BACKUP_GONE,
		!check_person_is_here(world, backup) || text_equal(backup, owner_of(entry)));
}

static bool risk_is_answered_for(const struct control_world *world, const struct charter *charter)
{
	const struct charter_risk *record = &charter->risk_record;
	uint32_t here = 0;

	for (uint32_t i = 0; i < record->accepted_by_count; i++)
		here += check_person_is_here(world, record->accepted_by[i]);
	return risk_is_accepted(charter, world->now_utc_s) && here == record->accepted_by_count;
}

/* A sandbox ends within weeks, and its template was approved by two. */
static void check_living(const struct control_world *world, const struct registry_entry *entry,
	const struct identity_facts *facts, check_set *out)
{
	const struct charter *charter = charter_of(entry->in_force);

	if (charter_is_sandbox(charter))
		return;
	put(out, CHECK_RISK_UNACCEPTED, !risk_is_answered_for(world, charter));
	put(out, CHECK_REVIEW_OVERDUE,
		is_expired(facts->due_utc_s, world->now_utc_s) ||
			(charter->review_s != 0 && facts->looked_utc_s != 0 &&
				is_expired(facts->looked_utc_s + charter->review_s,
					world->now_utc_s)));
}

/* An approval shows the lines of a charter; what is at providers only a review does. */
static void check_review(const struct control_world *world, const struct registry_entry *entry,
	const struct identity_facts *facts, check_set *out)
{
	const struct charter *charter = charter_of(entry->in_force);
	int64_t cadence_s = charter->review_s != 0 ? charter->review_s : CHECK_REVIEW_S;
	int64_t approved_utc_s = entry->in_force_utc_ms / 1000;
	int64_t oldest_utc_s = world->now_utc_s - cadence_s;

	if (world->witness == NULL || charter_is_sandbox(charter))
		return;
	put(out, CHECK_HOP_UNREVIEWED,
		approved_utc_s <= oldest_utc_s && facts->judged_utc_s <= oldest_utc_s);
	put(out, CHECK_HOP_UNREVIEWED,
		check_has_new_hop(world, entry,
			facts->judged_utc_s <= oldest_utc_s ? 0 : facts->judged_utc_s));
}

static void check_charter(
	const struct control_world *world, const struct charter *charter, check_set *out)
{
	put(out, CHECK_PURPOSE_MISSING,
		charter->purpose.length == 0 || charter->use_class == CLASS_NONE);
	put(out, CHECK_CHARTER_OVER, is_expired(charter->expires_utc_s, world->now_utc_s));
	put(out, CHECK_RISK_MISSING, charter->risk == RISK_NONE || charter->impact.length == 0);
	put(out, CHECK_REVIEW_MISSING, charter->review_s == 0);
	if (charter_is_sandbox(charter))
		check_sandbox(world, charter, out);
	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		check_line(world, charter, &charter->entitlements[i], out);
	for (uint32_t i = 0; i < charter->federation_count; i++)
		check_rule(world, &charter->federation[i], out);
}

bool check_identity_entry(const struct control_world *world, const struct registry_entry *entry,
	check_set *out, struct error *err)
{
	struct identity_facts facts = {0};

	if (world->witness != NULL && identity_is_in_force(entry))
		world->witness->identity(world->witness->context, entry, world->now_utc_s, &facts);
	put(out, CHECK_EXCESS_OPEN, facts.has_excess);
	if (entry->state == IDENTITY_ACTIVE) {
		check_people(world, entry, out);
		check_living(world, entry, &facts, out);
		check_review(world, entry, &facts, out);
		check_charter(world, charter_of(entry->in_force), out);
		if (!check_standing(world, entry, out, err))
			return false;
	}
	if (identity_is_in_force(entry) &&
		(!check_keys(world, entry, out, err) ||
			!check_as_person(world, charter_of(entry->in_force), out, err)))
		return false;
	if (world->graph != NULL)
		check_identity_edges(world, entry, out);
	return true;
}

/* Whose it is to judge an item.
 *
 * The rules about people say who may at all: owner, backup owner, reviewers of the unit or of
 * the organisation, and the owners of the unit whose resource it is.  Whom the review names
 * comes before the others, whom it was handed to before all; a person who is not here any more
 * counts for nobody, so what was theirs is everybody's again that the rules name. */
#include "domain/charter/nearest.h"
#include "domain/charter/owner.h"
#include "services/review/review_private.h"

bool review_is_here(const struct review_service *service, struct text person)
{
	const struct person *found = registry_find_person(service->parts.registry, person);

	return found != NULL && !person_has_left(found);
}

static bool may_about_resource(
	const struct review_service *service, const struct person *person, struct text unit)
{
	const struct people_resource about = {.kind = OBJECT_UNIT, .name = unit, .unit = unit};

	return unit.length > 0 &&
	       registry_person_may(service->parts.registry, person, PEOPLE_REVIEW, &about);
}

static bool may_by_rule(
	const struct review_service *service, const struct review_item *item, struct text name)
{
	const struct registry *registry = service->parts.registry;
	const struct person *person = registry_find_person(registry, name);
	const struct registry_entry *entry =
		registry_find(registry, OBJECT_IDENTITY, item->identity);
	struct people_resource about = {.kind = OBJECT_IDENTITY,
		.name = item->identity,
		.unit = item->unit,
		.owner = item->owner,
		.backup_owner = item->backup_owner};

	if (person == NULL || person_has_left(person))
		return false;
	if (entry != NULL && entry->in_force != NULL) {
		about = registry_resource_of(registry, entry->in_force);
		about.owner = owner_of(entry); /* who answers for it now */
	}
	return registry_person_may(registry, person, PEOPLE_REVIEW, &about) ||
	       may_about_resource(service, person, item->resource_unit);
}

/* Nobody is named, or nobody of them is here any more and may, or this person is. */
static bool is_named(const struct review_service *service, const struct review *review,
	const struct review_item *item, struct text person)
{
	bool is_any_there = false;

	for (size_t i = 0; i < review->reviewers_count; i++) {
		if (text_equal(review->reviewers[i], person))
			return true;
		is_any_there = is_any_there || may_by_rule(service, item, review->reviewers[i]);
	}
	return !is_any_there;
}

static bool may_self(const struct review_service *service, const struct review *review,
	const struct review_row *row, struct text person)
{
	if (row->assignee.length > 0 && review_is_here(service, row->assignee) &&
		!text_equal(row->assignee, person))
		return false;
	return may_by_rule(service, &row->item, person) &&
	       (text_equal(row->assignee, person) || is_named(service, review, &row->item, person));
}

/* Whoever delegated to the person last; false: nobody did. */
static bool step_behind(const struct review *review, struct text *person)
{
	size_t i = review->delegations_count;

	while (i > 0 && !text_equal(review->delegations[i - 1].to, *person))
		i--;
	if (i > 0)
		*person = review->delegations[i - 1].from;
	return i > 0;
}

/* Those, over at most so many delegations, who stand behind the person, up to the first who may;
 * 0: nobody of them may. */
static size_t find_way(const struct review_service *service, const struct review *review,
	const struct review_row *row, struct text person,
	struct text way[REVIEW_DELEGATION_HOPS_MAX])
{
	for (size_t hops = 0; hops < REVIEW_DELEGATION_HOPS_MAX; hops++) {
		if (!step_behind(review, &person))
			return 0;
		way[hops] = person;
		if (may_self(service, review, row, person))
			return hops + 1;
	}
	return 0;
}

static bool find_behind(const struct review_service *service, const struct review *review,
	const struct review_row *row, struct text person, struct text *behind)
{
	struct text way[REVIEW_DELEGATION_HOPS_MAX];
	size_t count = find_way(service, review, row, person, way);

	if (count > 0)
		*behind = way[count - 1];
	return count > 0;
}

bool review_may(const struct review_service *service, const struct review *review,
	const struct review_row *row, struct text person, struct text *for_person,
	struct error *err)
{
	*for_person = (struct text){NULL, 0};
	if (!review_is_here(service, person))
		return error_set(err, ERROR_INVALID, "forbidden: no such person is registered");
	if (may_self(service, review, row, person) ||
		find_behind(service, review, row, person, for_person))
		return true;
	if (row->assignee.length > 0)
		return error_set(err, ERROR_INVALID, "forbidden: it was handed to %.*s",
			TEXT_ARGS(row->assignee));
	return error_set(err, ERROR_INVALID,
		"forbidden: its owner or backup owner, a reviewer of %.*s or of org%s decides%s",
		TEXT_ARGS(row->item.unit),
		row->item.resource_unit.length > 0 ? ", or an owner of the resource's unit" : "",
		review->reviewers_count > 0 ? ", if the review names them" : "");
}

/* ---- giving back ---- */

bool review_is_of_account(const struct review_item *item, struct text account)
{
	return item->kind == REVIEW_ITEM_INHERITED && item->title.length > account.length &&
	       item->title.data[account.length] == ' ' &&
	       text_equal((struct text){item->title.data, account.length}, account);
}

static bool is_owner(const struct review_service *service, struct text identity, struct text person)
{
	const struct registry *registry = service->parts.registry;
	const struct registry_entry *entry = registry_find(registry, OBJECT_IDENTITY, identity);
	struct people_resource about;

	if (entry == NULL || person.length == 0)
		return false;
	about = registry_resource_of_entry(registry, entry);
	return text_equal(person, about.owner) || text_equal(person, about.backup_owner);
}

/* Whether the person judges the row by a delegation that the other had part in, or, if nobody is
 * named as the other, an owner. */
static bool is_through(const struct review_service *service, const struct review *review,
	const struct review_row *row, struct text person, const struct text *other)
{
	struct text way[REVIEW_DELEGATION_HOPS_MAX];
	size_t count = 0;

	if (!may_self(service, review, row, person))
		count = find_way(service, review, row, person, way);
	for (size_t i = 0; i < count; i++)
		if (other != NULL ? text_equal(way[i], *other)
				  : is_owner(service, row->item.identity, way[i]))
			return true;
	return false;
}

/* Of their own, or by delegations that neither an owner nor who asks had part in. */
static bool is_another(const struct review_service *service, const struct review *review,
	const struct review_row *row, const struct review_given_back *asked)
{
	return !is_through(service, review, row, asked->person, NULL) &&
	       (asked->asked_by.length == 0 ||
		       (!is_through(service, review, row, asked->person, &asked->asked_by) &&
			       !is_through(service, review, row, asked->asked_by, &asked->person)));
}

/* By any of the rows that are of the account; is_known: there is one. */
static bool may_by_row(const struct review_service *service, const struct review_given_back *asked,
	bool *is_known, struct error *err)
{
	const struct review *review = review_find(service, asked->review);
	struct text behind;

	*is_known = false;
	for (size_t i = 0; review != NULL && i < review->rows_count; i++) {
		const struct review_row *row = &review->rows[i];

		if (!text_equal(row->item.identity, asked->identity) ||
			!review_is_of_account(&row->item, asked->account))
			continue;
		*is_known = true;
		if (review_may(service, review, row, asked->person, &behind, err) &&
			is_another(service, review, row, asked))
			return true;
	}
	return false;
}

bool review_may_give_back(const struct review_service *service,
	const struct review_given_back *asked, struct error *err)
{
	const struct review_item any = {
		.identity = asked->identity, .unit = TEXT(REGISTRY_ORGANISATION)};
	bool is_known;

	if (!is_owner(service, asked->identity, asked->person) &&
		(asked->asked_by.length == 0 || !text_equal(asked->person, asked->asked_by))) {
		if (may_by_row(service, asked, &is_known, err))
			return true;
		if (!is_known && review_is_here(service, asked->person) &&
			may_by_rule(service, &any, asked->person))
			return true;
	}
	return error_set(err, ERROR_INVALID,
		"forbidden: review %.*s had it stopped: another person than who asks, who may "
		"judge that by neither's delegation and does not own identity %.*s, has it act "
		"again",
		TEXT_ARGS(asked->review), TEXT_ARGS(asked->identity));
}

/* ---- starting ---- */

static bool check_reviewers(const struct review_service *service,
	const struct review_request *request, struct error *err)
{
	if (request->reviewers_count > REVIEW_REVIEWERS_MAX)
		return error_set(err, ERROR_INVALID, "a review names at most %d reviewers",
			REVIEW_REVIEWERS_MAX);
	for (size_t i = 0; i < request->reviewers_count; i++)
		if (!review_is_here(service, request->reviewers[i]))
			return name_unknown(
				service->parts.registry, OBJECT_PERSON, request->reviewers[i], err);
	return true;
}

static bool check_scope(const struct review_service *service, const struct review_scope *scope,
	struct text *unit, struct error *err)
{
	const struct registry *registry = service->parts.registry;
	const struct charter *charter;

	*unit = scope->unit.length > 0 ? scope->unit : TEXT(REGISTRY_ORGANISATION);
	if (scope->unit.length > 0 && !text_is(scope->unit, REGISTRY_ORGANISATION) &&
		registry_find_unit(registry, scope->unit) == NULL)
		return name_unknown(registry, OBJECT_UNIT, scope->unit, err);
	if (scope->owner.length > 0 && !review_is_here(service, scope->owner))
		return name_unknown(registry, OBJECT_PERSON, scope->owner, err);
	if (scope->identity.length == 0)
		return true;
	charter = registry_find_charter(registry, scope->identity);
	if (charter == NULL)
		return name_unknown(registry, OBJECT_IDENTITY, scope->identity, err);
	*unit = charter->unit;
	return true;
}

bool review_may_start(const struct review_service *service, const struct review_request *request,
	struct error *err)
{
	const struct registry *registry = service->parts.registry;
	const struct person *person = registry_find_person(registry, request->person);
	struct people_resource about = {.kind = OBJECT_UNIT};

	if (!check_scope(service, &request->scope, &about.unit, err) ||
		!check_reviewers(service, request, err))
		return false;
	about.name = about.unit;
	if (person != NULL && registry_person_may(registry, person, PEOPLE_START_REVIEW, &about))
		return true;
	return error_set(err, ERROR_INVALID,
		"forbidden: a reviewer or approver of %.*s or of org, an administrator or one of "
		"security starts it",
		TEXT_ARGS(about.unit));
}

/* ---- delegation ---- */

/* Whether, over delegations, the work of `from` comes to `to` already. */
static bool comes_to(const struct review *review, struct text from, struct text to)
{
	for (int hops = 0; hops < REVIEW_DELEGATIONS_MAX; hops++) {
		size_t i = 0;

		if (text_equal(from, to))
			return true;
		while (i < review->delegations_count &&
			!text_equal(review->delegations[i].from, from))
			i++;
		if (i == review->delegations_count)
			return false;
		from = review->delegations[i].to;
	}
	return true;
}

/* Who administers remit does not judge for a unit because somebody asks them to. */
static bool is_stand_in(const struct review_service *service, struct text name)
{
	const struct person *person = registry_find_person(service->parts.registry, name);

	return person_has_role(person, "administrator") && !person_has_role(person, "reviewer");
}

bool review_check_delegation(const struct review_service *service, const struct review *review,
	const struct review_request *request, struct error *err)
{
	if (!review_is_here(service, request->to))
		return name_unknown(service->parts.registry, OBJECT_PERSON, request->to, err);
	if (is_stand_in(service, request->to))
		return error_set(err, ERROR_INVALID,
			"forbidden: an administrator does not stand in for those of a unit");
	if (comes_to(review, request->to, request->person))
		return error_set(err, ERROR_CONFLICT,
			"%.*s hands work to you: it would go round in a circle",
			TEXT_ARGS(request->to));
	for (size_t i = 0; i < review->delegations_count; i++)
		if (text_equal(review->delegations[i].from, request->person))
			return error_set(err, ERROR_CONFLICT, "you delegated this review to %.*s",
				TEXT_ARGS(review->delegations[i].to));
	if (review->delegations_count >= REVIEW_DELEGATIONS_MAX)
		return error_set(err, ERROR_LIMIT, "a review has at most %d delegations",
			REVIEW_DELEGATIONS_MAX);
	return true;
}

/* Who has a contained account act again.  What people stopped by hand is an administrator's to
 * give back.  What a review stopped takes two: somebody asks for it, and another person agrees who
 * may judge what the review took.
 *
 *   inventory-release-asked  somebody wants it back
 *
 * Rows of the store: containment-asked / ACCOUNT is that record, as long as the containment's. */
#include <string.h>

#include "services/inventory/inventory_private.h"

/* ---- folding ---- */

/* One that was released, or contained anew, meanwhile has nothing of it. */
static bool fold_asked(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct inventory_service *service = state;
	struct text account = json_text_or(record, "account", "");
	struct containment *containment = containment_find(service, account);

	if (containment == NULL || index <= containment->index)
		return true;
	containment->asked_by = text_copy(containment->arena, json_text_or(record, "actor", ""));
	containment->asked_utc_ms = json_integer_or(record, "at", 0);
	return containment->asked_by.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for a containment");
}

static void project_asked(const struct json *record, struct projection *projection)
{
	projection_put(
		projection, "containment-asked", json_text_or(record, "account", ""), record);
}

bool releasing_register(struct inventory_service *service, struct error *err)
{
	const struct fold_handler asked = {
		.type = "inventory-release-asked", .apply = fold_asked, .state = service};
	static const struct fold_projector projector = {"inventory-release-asked", project_asked};

	return fold_add(service->parts.fold, &asked, err) &&
	       fold_add_projector(service->parts.fold, &projector, err);
}

/* ---- who may ---- */

void inventory_use_judge(struct inventory_service *service, const struct inventory_judge *judge)
{
	service->judge = *judge;
}

static bool may_administer(
	const struct inventory_service *service, struct text actor, struct error *err)
{
	const struct inventory_judge *judge = &service->judge;

	if (judge->may_administer == NULL)
		return error_set(err, ERROR_INVALID, "forbidden: nobody is asked who may");
	return judge->may_administer(judge->context, actor, err);
}

static bool may_judge(const struct inventory_service *service,
	const struct containment *containment, struct text actor, struct error *err)
{
	const struct inventory_judge *judge = &service->judge;
	const struct inventory_judged judged = {.review = containment->review,
		.identity = containment->identity,
		.account = containment->account,
		.actor = actor};

	if (judge->may_judge == NULL)
		return error_set(err, ERROR_INVALID, "forbidden: nobody is asked who may");
	return judge->may_judge(judge->context, &judged, err);
}

/* The first who wants it back, or another after whom somebody else has to agree.  no_judge: why
 * they may not judge it; of who may it has no code. */
static enum inventory_release ask(struct inventory_service *service,
	const struct containment *containment, struct inventory_change *change,
	const struct error *no_judge, struct error *err)
{
	struct error no_administrator;

	if (no_judge->code != ERROR_NONE &&
		!may_administer(service, change->actor, &no_administrator)) {
		*err = *no_judge;
		return INVENTORY_RELEASE_REFUSED;
	}
	if (text_equal(containment->asked_by, change->actor)) {
		error_set(err, ERROR_CONFLICT,
			"you asked for it: another person agrees who may judge review %.*s",
			TEXT_ARGS(containment->review));
		return INVENTORY_RELEASE_REFUSED;
	}
	return inventory_submit_change(service, change, "inventory-release-asked", err)
		       ? INVENTORY_RELEASE_ASKED
		       : INVENTORY_RELEASE_REFUSED;
}

/* By one administrator, whoever contained it. */
static enum inventory_release release_own(const struct inventory_service *service,
	const struct containment *containment, const struct inventory_change *change,
	struct error *err)
{
	if (!may_administer(service, change->actor, err))
		return INVENTORY_RELEASE_REFUSED;
	if (containment == NULL) {
		error_set(err, ERROR_NOT_FOUND, "this account is not contained");
		return INVENTORY_RELEASE_REFUSED;
	}
	return inventory_check_reason(change, err) &&
			       inventory_check_settled(service, change->account, err)
		       ? INVENTORY_RELEASE_LET
		       : INVENTORY_RELEASE_REFUSED;
}

enum inventory_release inventory_ask_release(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	const struct containment *containment = containment_find(service, change->account);
	struct error no_judge = {0};

	if (containment == NULL || containment->review.length == 0)
		return release_own(service, containment, change, err);
	if (!inventory_check_reason(change, err) ||
		!inventory_check_settled(service, change->account, err))
		return INVENTORY_RELEASE_REFUSED;
	if (may_judge(service, containment, change->actor, &no_judge) &&
		containment->asked_by.length > 0 &&
		!text_equal(containment->asked_by, change->actor))
		return INVENTORY_RELEASE_LET;
	return ask(service, containment, change, &no_judge, err);
}

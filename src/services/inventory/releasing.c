/* Who has a contained account act again.  What people stopped by hand is an administrator's to
 * give back.  What a review stopped takes two: somebody asks for it, and another person agrees who
 * may judge what the review took.  They agree to one record, which they were shown, of at most
 * INVENTORY_ASK_MS_MAX ago, by somebody who may ask still.
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
	containment->asked_reason =
		text_copy(containment->arena, json_text_or(record, "reason", ""));
	containment->asked_utc_ms = json_integer_or(record, "at", 0);
	containment->asked_index = index;
	return (containment->asked_by.data != NULL && containment->asked_reason.data != NULL) ||
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

/* asked_by: whom they would agree with; empty: nobody. */
static bool may_judge(const struct inventory_service *service,
	const struct containment *containment, struct text actor, struct text asked_by,
	struct error *err)
{
	const struct inventory_judge *judge = &service->judge;
	const struct inventory_judged judged = {.review = containment->review,
		.identity = containment->identity,
		.account = containment->account,
		.actor = actor,
		.asked_by = asked_by};

	if (judge->may_judge == NULL)
		return error_set(err, ERROR_INVALID, "forbidden: nobody is asked who may");
	return judge->may_judge(judge->context, &judged, err);
}

/* Who may judge it, or administers remit; err: why they may not judge it. */
static bool may_ask(const struct inventory_service *service, const struct containment *containment,
	struct text actor, struct error *err)
{
	struct error no_administrator;

	return may_judge(service, containment, actor, TEXT(""), err) ||
	       may_administer(service, actor, &no_administrator);
}

/* Whether somebody wants it back whom another may agree with now. */
static bool does_ask_stand(
	const struct inventory_service *service, const struct containment *containment)
{
	struct error why;

	return containment->asked_by.length > 0 &&
	       fold_stamp_utc_ms(service->parts.fold) - containment->asked_utc_ms <=
		       INVENTORY_ASK_MS_MAX &&
	       may_ask(service, containment, containment->asked_by, &why);
}

/* What is agreed to is what was shown. */
static bool check_ask(const struct containment *containment, const struct inventory_change *change,
	struct error *err)
{
	if (change->ask == 0 || (containment != NULL && containment->asked_by.length > 0 &&
					change->ask == containment->asked_index))
		return true;
	return error_set(err, ERROR_CONFLICT,
		"ask: another record asks for it now, or none: see `remit inventory contained`");
}

/* Whether they say yes to somebody else's wish, which stands; else they wish it themselves.  One
 * who may judge nothing there wishes it in the other's place. */
static bool is_yes(const struct inventory_service *service, const struct containment *containment,
	const struct inventory_change *change)
{
	struct error why;

	return change->ask != 0 && !text_equal(containment->asked_by, change->actor) &&
	       does_ask_stand(service, containment) &&
	       may_judge(service, containment, change->actor, TEXT(""), &why);
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
			       inventory_check_settled(service, change->account, err) &&
			       inventory_check_answered(service, change->account, err) &&
			       check_ask(containment, change, err)
		       ? INVENTORY_RELEASE_LET
		       : INVENTORY_RELEASE_REFUSED;
}

enum inventory_release inventory_ask_release(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	const struct containment *containment = containment_find(service, change->account);

	if (containment == NULL || containment->review.length == 0)
		return release_own(service, containment, change, err);
	if (!inventory_check_reason(change, err) ||
		!may_ask(service, containment, change->actor, err) ||
		!inventory_check_settled(service, change->account, err) ||
		!check_ask(containment, change, err))
		return INVENTORY_RELEASE_REFUSED;
	if (is_yes(service, containment, change))
		return may_judge(service, containment, change->actor, containment->asked_by, err) &&
				       inventory_check_answered(service, change->account, err)
			       ? INVENTORY_RELEASE_LET
			       : INVENTORY_RELEASE_REFUSED;
	return inventory_submit_change(service, change, "inventory-release-asked", err)
		       ? INVENTORY_RELEASE_ASKED
		       : INVENTORY_RELEASE_REFUSED;
}

void releasing_put(struct json_builder *object, const struct inventory_service *service,
	const struct containment *containment)
{
	if (!does_ask_stand(service, containment))
		return;
	json_put_text(object, "asked_by", containment->asked_by);
	json_put_time(object, "asked", containment->asked_utc_ms);
	json_put_text(object, "asked_reason", containment->asked_reason);
	json_put_integer(object, "ask", (int64_t)containment->asked_index);
}

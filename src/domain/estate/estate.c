/* First everything in order, then what is wrong, then what that comes to, then the files. */
#include "domain/estate/estate.h"

#include "domain/estate/rules.h"

static const size_t ARENA_BYTES_MAX = (size_t)4 << 30;

static bool check_order(const struct estate_order *order, struct error *err)
{
	if (order->people < ESTATE_PEOPLE_MIN || order->people > ESTATE_PEOPLE_MAX)
		return error_set(err, ERROR_INVALID, "%u people, where %d to %d are possible",
			(unsigned)order->people, ESTATE_PEOPLE_MIN, ESTATE_PEOPLE_MAX);
	if (order->identities < ESTATE_IDENTITIES_MIN || order->identities > ESTATE_IDENTITIES_MAX)
		return error_set(err, ERROR_INVALID, "%u identities, where %d to %d are possible",
			(unsigned)order->identities, ESTATE_IDENTITIES_MIN, ESTATE_IDENTITIES_MAX);
	if (order->at_utc_s < (int64_t)2000 * MODEL_DAY_S ||
		order->at_utc_s > (int64_t)47000 * MODEL_DAY_S)
		return error_set(err, ERROR_INVALID, "a day of 1975 to 2098 is possible");
	return true;
}

static void make(struct model *model)
{
	model_organisation(model);
	model_things(model);
	model_identities(model);
	model_accounts(model);
	if (!model->has_failed)
		model_plant(model);
	if (!model->has_failed)
		model_join(model);
}

static bool write_all(struct model *model, const struct estate_sink *sink, struct error *err)
{
	bool ok = write_people(model, sink, err) && write_things(model, sink, err) &&
		  write_identities(model, sink, err) && write_inventories(model, sink, err) &&
		  write_answers(model, sink, err) && write_guide(model, sink, err);

	return ok && (!model->has_failed ||
			     error_set(err, ERROR_LIMIT, "no memory for an estate of this size"));
}

bool estate_write(
	const struct estate_order *order, const struct estate_sink *sink, struct error *err)
{
	struct model model = {.order = order, .random = {order->seed}};
	bool ok;

	if (!check_order(order, err))
		return false;
	model.arena = arena_create(ARENA_BYTES_MAX);
	if (model.arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an estate");
	make(&model);
	ok = model.has_failed ? error_set(err, ERROR_LIMIT, "no memory for an estate of this size")
			      : write_all(&model, sink, err);
	arena_destroy(&model.arena);
	return ok;
}

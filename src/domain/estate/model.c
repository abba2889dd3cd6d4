/* What all parts of an estate are made with: dice that fall the same way for a seed
 * (splitmix64), lists that grow, and times. */
#include "domain/estate/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

enum { LIST_FIRST = 64, SAY_BYTES = 512 };

const char *const connector_names[MODEL_CONNECTORS] = {
	"aws", "gcp", "entra", "github", "google", "slack", "n8n", "kubernetes", "warehouse"};

uint64_t dice_next(struct model_random *random)
{
	uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

uint32_t dice_below(struct model_random *random, uint32_t count)
{
	return count == 0 ? 0 : (uint32_t)((dice_next(random) >> 32) * count >> 32);
}

bool dice_share(struct model_random *random, uint32_t of_thousand)
{
	return dice_below(random, 1000) < of_thousand;
}

uint32_t dice_tail(struct model_random *random, uint32_t most)
{
	uint32_t number = 1;

	while (number < most && dice_share(random, 700))
		number = number * 2 + dice_below(random, number + 1);
	return number < most ? number : most;
}

static int64_t between(struct model *model, double least, double most)
{
	uint32_t span = (uint32_t)((most - least) * MODEL_DAY_S);

	return (int64_t)(least * MODEL_DAY_S) + dice_below(&model->random, span + 1);
}

int64_t dice_ago(struct model *model, double days_least, double days_most)
{
	return model->order->at_utc_s - between(model, days_least, days_most);
}

int64_t dice_ahead(struct model *model, double days_least, double days_most)
{
	return model->order->at_utc_s + between(model, days_least, days_most);
}

void *model_list_add(struct model *model, void *items, uint32_t *count, uint32_t *room, size_t size)
{
	char *list;

	memcpy(&list, items, sizeof list);
	if (*count == *room) {
		uint32_t wanted = *room == 0 ? LIST_FIRST : *room * 2;
		char *grown = arena_alloc(model->arena, wanted, size);

		if (grown == NULL) {
			model->has_failed = true;
			return NULL;
		}
		if (*count > 0)
			memcpy(grown, list, *count * size);
		list = grown;
		memcpy(items, &list, sizeof list);
		*room = wanted;
	}
	return list + size * (*count)++;
}

struct text say(struct model *model, const char *format, ...)
{
	char written[SAY_BYTES];
	struct text copy;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(written, sizeof written, format, args);
	va_end(args);
	copy = text_copy(model->arena, text_of(written));
	if (copy.data != NULL)
		return copy;
	model->has_failed = true;
	return TEXT("");
}

bool model_is_here(const struct model *model, uint32_t person)
{
	return person != NOTHING && model->people[person].left_s == 0;
}

bool identity_in_force(const struct model_identity *identity)
{
	return identity->state == IDENTITY_ACTIVE || identity->state == IDENTITY_SUSPENDED;
}

struct text account_name(struct model *model, uint32_t account)
{
	const struct model_account *of = &model->accounts[account];

	return say(model, "%s/%.*s", connector_names[of->connector], TEXT_ARGS(of->id));
}

void model_near_add(struct model *model, const char *check, uint32_t at, const char *why)
{
	struct model_near *near = ADD(model, near);

	if (near != NULL)
		*near = (struct model_near){check, at, why};
}

void append_time(struct buffer *out, int64_t at_s)
{
	char written[TIME_TEXT_BYTES];

	time_format_utc_ms(written, at_s * 1000);
	buffer_append_format(out, "%.19sZ", written);
}

bool hand_over(
	const struct estate_sink *sink, const char *file, struct buffer *buffer, struct error *err)
{
	bool ok = !buffer_failed(buffer) || error_set(err, ERROR_LIMIT, "no memory for %s", file);

	ok = ok &&
	     (buffer->length == 0 || sink->put(sink->context, file, buffer_text(buffer), err));
	buffer_reset(buffer);
	return ok;
}

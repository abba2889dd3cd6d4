/* An item as it is frozen: one JSON object, whose canonical form is what is hashed. */
#include "domain/review/review.h"

#include <string.h>

/* ---- writing ---- */

static void put_count(struct json_builder *object, const char *name, int64_t value)
{
	if (value != 0)
		json_put_integer(object, name, value);
}

static bool put_environments(
	struct json_builder *object, const char *name, uint32_t bits, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	if (bits == 0)
		return true;
	json_array_start(&list, object->arena);
	for (int value = ENVIRONMENT_DEV; value <= ENVIRONMENT_PROD; value++)
		if ((bits & environment_bit((enum environment)value)) != 0)
			json_add(&list, json_cstring(environment_word((enum environment)value)));
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, name, sealed);
	return true;
}

static bool put_use(struct json_builder *object, const struct review_use *use, struct error *err)
{
	struct json_builder one;
	struct json sealed;

	json_object_start(&one, object->arena);
	put_count(&one, "known", use->known_utc_ms);
	put_count(&one, "granted", use->granted_utc_ms);
	put_count(&one, "last", use->last_utc_ms);
	json_put_integer(&one, "uses", use->uses);
	json_put_integer(&one, "tasks", use->tasks);
	put_count(&one, "effects", use->effects);
	if (use->is_unsure)
		json_put_boolean(&one, "unsure", true);
	if (!put_environments(&one, "environments", use->environments, err) ||
		!json_object_seal(&one, &sealed, err))
		return false;
	json_put(object, "use", sealed);
	return true;
}

static void put_people(struct json_builder *object, const struct review_item *item)
{
	json_put_text(object, "unit", item->unit);
	json_put_text_unless_empty(object, "resource_unit", item->resource_unit);
	json_put_text(object, "owner", item->owner);
	json_put_text(object, "backup_owner", item->backup_owner);
	json_put_text_unless_empty(object, "author", item->author);
	json_put_text_unless_empty(object, "via", item->via);
}

static void put_word(struct json_builder *object, const char *name, const char *word)
{
	if (word != NULL)
		json_put_cstring(object, name, word);
}

static void put_judgement(struct json_builder *object, const struct review_item *item)
{
	put_word(object, "advice", review_choice_word(item->advice));
	json_put_text(object, "because", item->because);
	json_put_integer(object, "weight", item->weight);
	json_put_integer(object, "reduced_weight", item->reduced_weight);
	if (item->line != NULL)
		json_put(object, "line", *item->line);
	if (item->reduced != NULL)
		json_put(object, "reduced", *item->reduced);
}

bool review_item_json(
	struct json *out, struct arena *arena, const struct review_item *item, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_cstring(&object, "kind", review_item_kind_word(item->kind));
	json_put_text(&object, "identity", item->identity);
	json_put_integer(&object, "version", item->version);
	json_put_text(&object, "title", item->title);
	put_people(&object, item);
	put_word(&object, "risk", risk_tier_word(item->risk));
	put_word(&object, "effect", effect_word(item->effect));
	put_word(&object, "sensitivity", sensitivity_word(item->sensitivity));
	put_count(&object, "handed_by", item->handed_by);
	put_count(&object, "ends", item->ends_utc_s);
	json_put_integer(&object, "alike", item->alike.have);
	json_put_integer(&object, "alike_of", item->alike.all);
	put_judgement(&object, item);
	return put_environments(&object, "environments", item->environments, err) &&
	       put_use(&object, &item->use, err) && json_object_seal(&object, out, err);
}

/* ---- reading ---- */

static uint32_t read_environments(const struct json *object)
{
	const struct json *list = json_find(object, "environments");
	uint32_t bits = 0;

	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++)
		if (list->items[i].type == JSON_STRING)
			bits |= environment_bit(environment_of(list->items[i].string));
	return bits;
}

static void read_use(struct review_use *use, const struct json *value)
{
	*use = (struct review_use){
		.known_utc_ms = json_integer_or(value, "known", 0),
		.granted_utc_ms = json_integer_or(value, "granted", 0),
		.last_utc_ms = json_integer_or(value, "last", 0),
		.uses = json_integer_or(value, "uses", 0),
		.tasks = json_integer_or(value, "tasks", 0),
		.environments = read_environments(value),
		.effects = (uint32_t)json_integer_or(value, "effects", 0),
		.is_unsure = json_boolean_or(value, "unsure", false),
	};
}

bool review_item_read(struct review_item *out, const struct json *value, struct error *err)
{
	const struct json *use = json_find(value, "use");

	*out = (struct review_item){
		.kind = review_item_kind_of(json_text_or(value, "kind", "")),
		.identity = json_text_or(value, "identity", ""),
		.version = (uint32_t)json_integer_or(value, "version", 0),
		.title = json_text_or(value, "title", ""),
		.unit = json_text_or(value, "unit", ""),
		.resource_unit = json_text_or(value, "resource_unit", ""),
		.owner = json_text_or(value, "owner", ""),
		.backup_owner = json_text_or(value, "backup_owner", ""),
		.author = json_text_or(value, "author", ""),
		.via = json_text_or(value, "via", ""),
		.risk = risk_tier_of(json_text_or(value, "risk", "")),
		.effect = effect_of(json_text_or(value, "effect", "")),
		.sensitivity = sensitivity_of(json_text_or(value, "sensitivity", "")),
		.environments = read_environments(value),
		.handed_by = json_integer_or(value, "handed_by", 0),
		.ends_utc_s = json_integer_or(value, "ends", 0),
		.line = json_find(value, "line"),
		.alike = {json_integer_or(value, "alike", 0),
			json_integer_or(value, "alike_of", 0)},
		.reduced = json_find(value, "reduced"),
		.advice = review_choice_of(json_text_or(value, "advice", "")),
		.because = json_text_or(value, "because", ""),
		.weight = json_integer_or(value, "weight", 0),
		.reduced_weight = json_integer_or(value, "reduced_weight", 0),
	};
	if (out->kind == REVIEW_ITEM_NONE || out->identity.length == 0 || use == NULL)
		return error_set(err, ERROR_CORRUPT, "an item of a review is malformed");
	read_use(&out->use, use);
	return true;
}

/* ---- order ---- */

int review_item_compare(const struct review_item *a, const struct review_item *b)
{
	int order = text_compare(a->identity, b->identity);

	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	return order != 0 ? order : text_compare(a->title, b->title);
}

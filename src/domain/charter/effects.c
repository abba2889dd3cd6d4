#include "domain/charter/effects.h"

void effects_put(struct json_builder *object, const char *name, uint32_t effects)
{
	struct text words[EFFECT_DELEGATE + 1];
	uint32_t count = 0;

	for (int effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if ((effects >> effect & 1) != 0)
			words[count++] = text_of(effect_word((enum effect)effect));
	if (count > 0)
		json_put_texts(object, name, words, count);
}

uint32_t effects_read(const struct json *words)
{
	uint32_t effects = 0;

	for (uint32_t i = 0; words != NULL && words->type == JSON_ARRAY && i < words->count; i++)
		if (words->items[i].type == JSON_STRING)
			effects |= UINT32_C(1) << effect_of(words->items[i].string);
	return effects & ~(UINT32_C(1) << EFFECT_NONE);
}

#include <assert.h>
#include <stdlib.h>

#include "domain/control/catalogue_private.h"

static const char *const state_words[] = {
	[FRAMEWORK_CURRENT] = "current",
	[FRAMEWORK_BETA] = "beta",
	[FRAMEWORK_DRAFT] = "draft",
	[FRAMEWORK_SUPERSEDED] = "superseded",
};

const char *framework_state_word(enum framework_state value)
{
	return state_words[value];
}

bool catalogue_create(struct catalogue **out, struct error *err)
{
	return catalogue_read(out, text_of(control_catalogue), err);
}

void catalogue_destroy(struct catalogue **catalogue)
{
	if (*catalogue == NULL)
		return;
	arena_destroy(&(*catalogue)->arena);
	free(*catalogue);
	*catalogue = NULL;
}

uint32_t catalogue_count(const struct catalogue *catalogue)
{
	return catalogue->controls_count;
}

const struct control *catalogue_control(const struct catalogue *catalogue, uint32_t number)
{
	assert(number < catalogue->controls_count);
	return &catalogue->controls[number];
}

uint32_t catalogue_number(const struct catalogue *catalogue, const struct control *control)
{
	assert(control >= catalogue->controls &&
		control < catalogue->controls + catalogue->controls_count);
	return (uint32_t)(control - catalogue->controls);
}

const struct control *catalogue_find(const struct catalogue *catalogue, struct text id)
{
	for (uint32_t i = 0; i < catalogue->controls_count; i++)
		if (text_equal(catalogue->controls[i].id, id))
			return &catalogue->controls[i];
	return NULL;
}

const struct framework *catalogue_exact(
	const struct catalogue *catalogue, struct text name, struct text version)
{
	for (uint32_t i = 0; i < catalogue->frameworks_count; i++)
		if (text_equal(catalogue->frameworks[i].name, name) &&
			text_equal(catalogue->frameworks[i].version, version))
			return &catalogue->frameworks[i];
	return NULL;
}

const struct framework *catalogue_next_framework(
	const struct catalogue *catalogue, const struct framework *after)
{
	const struct framework *next = after == NULL ? catalogue->frameworks : after + 1;

	return next < catalogue->frameworks + catalogue->frameworks_count ? next : NULL;
}

bool framework_find(const struct framework *framework, struct text id, uint32_t *number)
{
	for (uint32_t i = 0; i < framework->ids_count; i++) {
		if (!text_equal(framework->ids[i], id))
			continue;
		*number = i;
		return true;
	}
	return false;
}

struct text framework_id_text(const struct framework_id *id)
{
	return id->framework->ids[id->number];
}

struct text framework_id_title(const struct framework_id *id)
{
	return id->framework->titles == NULL ? TEXT("") : id->framework->titles[id->number];
}

bool framework_id_equal(const struct framework_id *a, const struct framework_id *b)
{
	return a->framework == b->framework && a->number == b->number;
}

bool control_maps_to(const struct control *control, const struct framework_id *id)
{
	for (uint32_t i = 0; i < control->maps_count; i++)
		if (framework_id_equal(&control->maps[i], id))
			return true;
	return false;
}

#include "domain/charter/nearest.h"

#include <string.h>

#include "domain/charter/problem.h"

void nearest_consider(struct nearest *nearest, struct text name)
{
	char candidate[NEAREST_NAME_BYTES];
	const char *const words[] = {nearest->found, candidate, NULL};

	if (name.length >= sizeof candidate)
		return;
	memcpy(candidate, name.data, name.length);
	candidate[name.length] = '\0';
	if (word_nearest(nearest->wrong, words) == candidate)
		memcpy(nearest->found, candidate, name.length + 1);
}

static bool consider_entry(void *context, const struct registry_entry *entry)
{
	if (entry->in_force != NULL)
		nearest_consider(context, entry->name);
	return true;
}

void nearest_registered(
	struct nearest *nearest, const struct registry *registry, enum object_kind kind)
{
	registry_each(registry, kind, TEXT(""), consider_entry, nearest);
}

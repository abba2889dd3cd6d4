/* What people cite.  The same letters mean other things in other lists, so an id is taken
 * only where one version of one framework is meant; nothing is guessed. */
#include "domain/control/catalogue_private.h"

#include <stdio.h>

/* ---- frameworks ---- */

static bool is_named(const struct framework *framework, struct text name)
{
	return text_equal(framework->name, name) ||
	       (framework->word.length > 0 && text_equal(framework->word, name));
}

bool catalogue_framework(const struct catalogue *catalogue, struct text name, struct text version,
	const struct framework **out, struct error *err)
{
	const struct framework *found = NULL;
	bool has_name = false;

	for (uint32_t i = 0; i < catalogue->frameworks_count; i++) {
		const struct framework *one = &catalogue->frameworks[i];

		if (!is_named(one, name))
			continue;
		has_name = true;
		if (version.length > 0 ? text_equal(one->version, version)
				       : one->state != FRAMEWORK_SUPERSEDED)
			found = one;
	}
	*out = found;
	if (found != NULL)
		return true;
	if (!has_name)
		return error_set(err, ERROR_NOT_FOUND,
			"no framework is called %.*s here; among others there are nhi, asi, "
			"maestro, ai-rmf and csf",
			TEXT_ARGS(name));
	return error_set(err, ERROR_NOT_FOUND, "%.*s has no version \"%.*s\" here", TEXT_ARGS(name),
		TEXT_ARGS(version));
}

/* ---- ids ---- */

/* "MCP1" and "MCP01" are one id. */
static struct text without_zero(struct text id, char *buffer, size_t size)
{
	size_t letters = 0;
	int length;

	while (letters < id.length && id.data[letters] >= 'A' && id.data[letters] <= 'Z')
		letters++;
	if (letters == 0 || letters + 1 >= id.length || id.data[letters] != '0')
		return id;
	length = snprintf(buffer, size, "%.*s%.*s", (int)letters, id.data,
		(int)(id.length - letters - 1), id.data + letters + 1);
	return length < 0 || (size_t)length >= size ? id : (struct text){buffer, (size_t)length};
}

static bool is_same(struct text a, struct text b)
{
	char first[64], second[64];

	return text_equal(
		without_zero(a, first, sizeof first), without_zero(b, second, sizeof second));
}

/* "LLM06:2025" without what is behind the colon. */
static struct text bare(struct text id)
{
	return text_before(id, ':');
}

static bool has_year(struct text id)
{
	return text_find_byte(id, ':') >= 0;
}

static bool is_meant(struct text id, struct text asked)
{
	return is_same(id, asked) || (!has_year(asked) && is_same(bare(id), asked));
}

static bool is_in_reach(
	const struct framework *framework, const struct catalogue_reference *reference)
{
	return (reference->framework.length == 0 || is_named(framework, reference->framework)) &&
	       (reference->version.length == 0 ||
		       text_equal(framework->version, reference->version));
}

static void find_ids(const struct catalogue *catalogue, const struct catalogue_reference *reference,
	struct catalogue_resolved *out)
{
	for (uint32_t i = 0; i < catalogue->frameworks_count; i++) {
		const struct framework *framework = &catalogue->frameworks[i];

		if (!is_in_reach(framework, reference))
			continue;
		for (uint32_t j = 0; j < framework->ids_count; j++)
			if (is_meant(framework->ids[j], reference->text) &&
				out->count < CATALOGUE_RESOLVED_MAX)
				out->ids[out->count++] = (struct framework_id){framework, j};
	}
}

/* ---- aliases ---- */

static bool is_cited(const struct framework_alias *alias, struct text text)
{
	if (text_equal(alias->cited, text))
		return true;
	for (uint32_t i = 0; i < alias->also_count; i++)
		if (text_equal(alias->also[i], text))
			return true;
	return false;
}

static bool find_alias(
	const struct catalogue *catalogue, struct text text, struct catalogue_resolved *out)
{
	for (uint32_t i = 0; i < catalogue->aliases_count; i++) {
		const struct framework_alias *alias = &catalogue->aliases[i];

		if (!is_cited(alias, text))
			continue;
		out->alias = alias;
		out->count = alias->resolves_count;
		for (uint32_t j = 0; j < alias->resolves_count; j++)
			out->ids[j] = alias->resolves[j];
		return true;
	}
	return false;
}

bool catalogue_resolve(const struct catalogue *catalogue,
	const struct catalogue_reference *reference, struct catalogue_resolved *out,
	struct error *err)
{
	*out = (struct catalogue_resolved){0};
	if (reference->text.length == 0)
		return error_set(err, ERROR_INVALID, "an id is expected");
	if (find_alias(catalogue, reference->text, out))
		return true;
	find_ids(catalogue, reference, out);
	if (out->count == 1)
		return true;
	if (out->count == 0)
		return error_set(err, ERROR_NOT_FOUND,
			"no control and no framework has the id %.*s", TEXT_ARGS(reference->text));
	return error_set(err, ERROR_INVALID,
		"%.*s is not one id: it is %.*s of %.*s %.*s, and %.*s of %.*s %.*s; say which, "
		"with its version",
		TEXT_ARGS(reference->text), TEXT_ARGS(framework_id_text(&out->ids[0])),
		TEXT_ARGS(out->ids[0].framework->name), TEXT_ARGS(out->ids[0].framework->version),
		TEXT_ARGS(framework_id_text(&out->ids[1])), TEXT_ARGS(out->ids[1].framework->name),
		TEXT_ARGS(out->ids[1].framework->version));
}

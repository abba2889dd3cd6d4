/* A small array, searched from the front: a set holds few keys. */
#include "domain/token/key_set.h"

#include <stdlib.h>
#include <string.h>

#include "domain/token/jwk.h"

static bool check_new(const struct key_set *set, struct text id, struct error *err)
{
	if (id.length == 0 || id.length > KEY_ID_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a kid has 1 to %d bytes", KEY_ID_BYTES_MAX);
	if (key_set_find(set, id) != NULL)
		return error_set(err, ERROR_CONFLICT, "two keys have the kid %.*s", TEXT_ARGS(id));
	if (set->count == KEY_SET_KEYS_MAX)
		return error_set(
			err, ERROR_LIMIT, "a key set holds at most %d keys", KEY_SET_KEYS_MAX);
	return true;
}

bool key_set_add(struct key_set *set, struct text id, struct public_key *key, struct error *err)
{
	struct key_set_entry *entries = NULL;
	char *copy = NULL;

	if (!check_new(set, id, err))
		goto failed;
	entries = reallocarray(set->entries, set->count + 1, sizeof *entries);
	if (entries != NULL)
		set->entries = entries;
	copy = calloc(1, id.length + 1);
	if (entries == NULL || copy == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a key");
		goto failed;
	}
	memcpy(copy, id.data, id.length);
	entries[set->count] = (struct key_set_entry){{copy, id.length}, key};
	set->count++;
	return true;
failed:
	free(copy);
	public_key_destroy(&key);
	return false;
}

static bool add_parsed(struct key_set *set, const struct json *value, struct error *err)
{
	const struct json *id = json_find(value, "kid");
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct public_key *key = NULL;

	if (id != NULL && id->type != JSON_STRING)
		return error_set(err, ERROR_INVALID, "a kid is not text");
	if (!jwk_parse(&key, value, err))
		return false;
	if (id == NULL && !jwk_thumbprint(thumbprint, key, err)) {
		public_key_destroy(&key);
		return false;
	}
	return key_set_add(set, id == NULL ? text_of(thumbprint) : id->string, key, err);
}

bool key_set_parse(struct key_set *out, const struct json *value, struct error *err)
{
	static const char *const names[] = {"keys", NULL};
	const struct json *keys = json_find(value, "keys");

	*out = (struct key_set){0};
	if (keys == NULL || keys->type != JSON_ARRAY)
		return error_set(err, ERROR_INVALID, "a key set is an object with an array keys");
	if (!json_only_members(value, names, err))
		return false;
	for (uint32_t i = 0; i < keys->count; i++)
		if (!add_parsed(out, &keys->items[i], err)) {
			key_set_deinit(out);
			return error_wrap(err, "key %u", i);
		}
	return true;
}

static bool format_entry(
	struct json *out, struct arena *arena, const struct key_set_entry *entry, struct error *err)
{
	struct json_builder object;
	struct json numbers;

	if (!jwk_format(&numbers, arena, entry->key, err))
		return false;
	json_object_start(&object, arena);
	for (uint32_t i = 0; i < numbers.count; i++)
		if (!text_is(numbers.members[i].name, "alg"))
			json_put_named(&object, numbers.members[i].name, numbers.members[i].value);
	json_put_text(&object, "kid", entry->id);
	json_put_cstring(&object, "use", "sig");
	json_put_cstring(
		&object, "alg", signature_algorithm_name(public_key_algorithm(entry->key)));
	return json_object_seal(&object, out, err);
}

bool key_set_format(
	struct json *out, struct arena *arena, const struct key_set *set, struct error *err)
{
	struct json_builder keys, object;
	struct json entry, array;

	json_array_start(&keys, arena);
	for (size_t i = 0; i < set->count; i++) {
		if (!format_entry(&entry, arena, &set->entries[i], err))
			return false;
		json_add(&keys, entry);
	}
	if (!json_array_seal(&keys, &array, err))
		return false;
	json_object_start(&object, arena);
	json_put(&object, "keys", array);
	return json_object_seal(&object, out, err);
}

const struct public_key *key_set_find(const struct key_set *set, struct text id)
{
	for (size_t i = 0; i < set->count; i++)
		if (text_equal(set->entries[i].id, id))
			return set->entries[i].key;
	return NULL;
}

void key_set_deinit(struct key_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		char *owned = NULL;

		memcpy(&owned, &set->entries[i].id.data, sizeof owned);
		free(owned);
		public_key_destroy(&set->entries[i].key);
	}
	free(set->entries);
	*set = (struct key_set){0};
}

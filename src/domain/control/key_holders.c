/* Open addressing over the first eight bytes of a key's name.  Rows are never taken out: a row
 * says "look there", and whoever asks looks.  Names are SHA-256, so equal beginnings by chance
 * cost a look and no wrong answer. */
#include "domain/control/key_holders.h"

#include <stdlib.h>
#include <string.h>

#include "domain/charter/standing.h"

enum { HOLDERS_FIRST = 256 };

struct holder {
	uint64_t key;
	const char *name; /* NULL: no row */
	size_t length;
};

struct key_holders {
	struct holder *rows;
	size_t size; /* a power of two */
	size_t count;
};

struct key_holders *key_holders_create(void)
{
	struct key_holders *holders = calloc(1, sizeof *holders);

	if (holders == NULL)
		return NULL;
	holders->size = HOLDERS_FIRST;
	holders->rows = calloc(holders->size, sizeof *holders->rows);
	if (holders->rows == NULL)
		key_holders_destroy(&holders);
	return holders;
}

void key_holders_destroy(struct key_holders **holders)
{
	if (*holders == NULL)
		return;
	free((*holders)->rows);
	free(*holders);
	*holders = NULL;
}

bool charter_key_name(struct arena *scratch, const struct charter_key *key, struct sha256 *out)
{
	struct text thumbprint;

	if (key->has_certificate) {
		*out = key->certificate;
		return true;
	}
	thumbprint = charter_key_thumbprint(scratch, key);
	if (thumbprint.data != NULL)
		*out = sha256_of(thumbprint.data, thumbprint.length);
	return thumbprint.data != NULL;
}

static uint64_t beginning(const struct sha256 *key)
{
	uint64_t value;

	memcpy(&value, key->bytes, sizeof value);
	return value;
}

/* Where the row is, or would be. */
static struct holder *place_of(const struct key_holders *holders, uint64_t key, struct text name)
{
	size_t at = (size_t)key & (holders->size - 1);

	while (holders->rows[at].name != NULL) {
		const struct holder *row = &holders->rows[at];

		if (row->key == key && text_equal((struct text){row->name, row->length}, name))
			break;
		at = (at + 1) & (holders->size - 1);
	}
	return &holders->rows[at];
}

static bool grow(struct key_holders *holders)
{
	struct key_holders larger = {.size = holders->size * 2, .count = holders->count};

	larger.rows = calloc(larger.size, sizeof *larger.rows);
	if (larger.rows == NULL)
		return false;
	for (size_t i = 0; i < holders->size; i++) {
		const struct holder *row = &holders->rows[i];

		if (row->name != NULL)
			*place_of(&larger, row->key, (struct text){row->name, row->length}) = *row;
	}
	free(holders->rows);
	*holders = larger;
	return true;
}

static bool note(struct key_holders *holders, uint64_t key, struct text name)
{
	struct holder *row;

	if (holders->count * 2 >= holders->size && !grow(holders))
		return false;
	row = place_of(holders, key, name);
	holders->count += row->name == NULL;
	*row = (struct holder){key, name.data, name.length};
	return true;
}

bool key_holders_note(
	struct key_holders *holders, const struct registry_entry *identity, struct arena *scratch)
{
	const struct charter *charter =
		identity->in_force == NULL ? NULL : charter_of(identity->in_force);
	struct sha256 key;

	for (uint32_t i = 0; charter != NULL && i < charter->keys_count; i++)
		if (!charter_key_name(scratch, &charter->keys[i], &key) ||
			!note(holders, beginning(&key), identity->name))
			return false;
	return true;
}

/* No issuer's name has a line break. */
struct sha256 sign_in_key(struct text issuer, struct text name)
{
	const struct text parts[] = {issuer, TEXT("\n"), name};

	return sha256_of_parts(parts, 3);
}

bool key_holders_note_person(struct key_holders *holders, const struct registry_entry *person)
{
	const struct person *known = person->in_force == NULL ? NULL : person->in_force->person;
	struct sha256 key;

	if (known == NULL || known->sign_in_issuer.length == 0)
		return true;
	key = sign_in_key(known->sign_in_issuer, person_sign_in_name(known));
	return note(holders, beginning(&key), person->name);
}

static void each_of(const struct key_holders *holders, uint64_t key,
	bool (*visit)(void *context, struct text identity), void *context)
{
	size_t at = (size_t)key & (holders->size - 1);

	for (; holders->rows[at].name != NULL; at = (at + 1) & (holders->size - 1)) {
		const struct holder *row = &holders->rows[at];

		if (row->key == key && !visit(context, (struct text){row->name, row->length}))
			return;
	}
}

void key_holders_each(const struct key_holders *holders, const struct sha256 *key,
	bool (*visit)(void *context, struct text identity), void *context)
{
	each_of(holders, beginning(key), visit, context);
}

struct partners {
	struct text identity;
	void (*visit)(void *context, struct text other);
	void *context;
};

static bool tell_partner(void *context, struct text identity)
{
	const struct partners *partners = context;

	if (!text_equal(identity, partners->identity))
		partners->visit(partners->context, identity);
	return true;
}

void key_holders_each_partner(const struct key_holders *holders, struct text identity,
	void (*visit)(void *context, struct text other), void *context)
{
	struct partners partners = {identity, visit, context};

	for (size_t i = 0; i < holders->size; i++) {
		const struct holder *row = &holders->rows[i];

		if (row->name != NULL &&
			text_equal((struct text){row->name, row->length}, identity))
			each_of(holders, row->key, tell_partner, &partners);
	}
}

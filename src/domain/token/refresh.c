/* A token is "TASK.SECRET": its task is found by name, and a stranger who knows the name and not
 * the secret ends nothing, because digests of all that were good are kept with the family. */
#include "domain/token/refresh.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/random.h"
#include "domain/charter/name_table.h"

enum { SECRET_LETTERS = 43, USED_FIRST = 8 };

struct kept {
	struct refresh_family family;
	struct sha256 *used; /* those that were good before */
	uint32_t used_count;
	uint32_t used_room;
	char texts[];
};

struct refresh_table {
	struct name_table *families;
};

bool refresh_table_create(struct refresh_table **out, struct error *err)
{
	struct refresh_table *table = calloc(1, sizeof *table);

	*out = NULL;
	if (table != NULL)
		table->families = name_table_create();
	if (table == NULL || table->families == NULL) {
		free(table);
		return error_set(err, ERROR_LIMIT, "no memory for refresh tokens");
	}
	*out = table;
	return true;
}

static void kept_free(void *value)
{
	struct kept *kept = value;

	free(kept->used);
	free(kept);
}

void refresh_table_destroy(struct refresh_table **table)
{
	if (*table == NULL)
		return;
	name_table_destroy(&(*table)->families, kept_free);
	free(*table);
	*table = NULL;
}

size_t refresh_table_count(const struct refresh_table *table)
{
	return name_table_count(table->families);
}

/* ---- tokens ---- */

void refresh_token_write(char out[REFRESH_TOKEN_BYTES_MAX], struct text task,
	const uint8_t secret[REFRESH_SECRET_BYTES], struct sha256 *out_digest)
{
	struct buffer text;

	buffer_init(&text, REFRESH_TOKEN_BYTES_MAX - 1);
	buffer_append(&text, task.data, task.length);
	buffer_append(&text, ".", 1);
	base64url_append(&text, secret, REFRESH_SECRET_BYTES);
	memset(out, 0, REFRESH_TOKEN_BYTES_MAX);
	if (!buffer_failed(&text))
		memcpy(out, buffer_text(&text).data, buffer_text(&text).length);
	*out_digest = sha256_of(out, strlen(out));
	if (text.data != NULL)
		explicit_bzero(text.data, text.length);
	buffer_deinit(&text);
}

bool refresh_token_read(struct text token, struct text *out_task)
{
	ptrdiff_t dot = text_find_byte(token, '.');
	uint8_t secret[REFRESH_SECRET_BYTES];
	size_t size = 0;
	bool is_one;

	*out_task = (struct text){0};
	if (dot <= 0 || token.length >= REFRESH_TOKEN_BYTES_MAX ||
		token.length - (size_t)dot - 1 != SECRET_LETTERS)
		return false;
	is_one = random_id_is((struct text){token.data, (size_t)dot}, "t-") &&
		 base64url_decode(
			 text_after(token, (size_t)dot + 1), secret, sizeof secret, &size) &&
		 size == sizeof secret;
	explicit_bzero(secret, sizeof secret);
	if (is_one)
		*out_task = (struct text){token.data, (size_t)dot};
	return is_one;
}

/* ---- families ---- */

static struct kept *find(const struct refresh_table *table, struct text task)
{
	return task.length == 0 ? NULL : name_table_find(table->families, task);
}

struct refresh_family *refresh_find(const struct refresh_table *table, struct text task)
{
	struct kept *kept = find(table, task);

	return kept == NULL ? NULL : &kept->family;
}

bool refresh_begin(
	struct refresh_table *table, const struct refresh_family *family, struct error *err)
{
	struct kept *kept = NULL;

	if (find(table, family->task) != NULL)
		return true;
	kept = calloc(1, sizeof *kept + family->task.length + family->audience.length);
	if (kept == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a refresh token");
	kept->family = *family;
	kept->family.uses = 0;
	kept->family.is_on_its_way = false;
	memcpy(kept->texts, family->task.data, family->task.length);
	kept->family.task.data = kept->texts;
	if (family->audience.length > 0)
		memcpy(kept->texts + family->task.length, family->audience.data,
			family->audience.length);
	kept->family.audience.data = kept->texts + family->task.length;
	if (name_table_put(table->families, family->task, kept))
		return true;
	kept_free(kept);
	return error_set(err, ERROR_LIMIT, "no memory for a refresh token");
}

static bool was_good(const struct kept *kept, const struct sha256 *digest)
{
	for (uint32_t i = 0; i < kept->used_count; i++)
		if (sha256_equal(&kept->used[i], digest))
			return true;
	return false;
}

enum refresh_state refresh_look(const struct refresh_table *table, struct text token)
{
	const struct kept *kept = NULL;
	struct sha256 digest;
	struct text task;

	if (!refresh_token_read(token, &task) || (kept = find(table, task)) == NULL)
		return REFRESH_UNKNOWN;
	digest = sha256_of(token.data, token.length);
	if (sha256_equal(&kept->family.digest, &digest))
		return kept->family.is_on_its_way ? REFRESH_USED : REFRESH_GOOD;
	return was_good(kept, &digest) ? REFRESH_USED : REFRESH_UNKNOWN;
}

static bool has_room(struct kept *kept)
{
	uint32_t room = kept->used_room == 0 ? USED_FIRST : kept->used_room * 2;
	struct sha256 *grown = NULL;

	if (kept->used_count < kept->used_room)
		return true;
	grown = realloc(kept->used, room * sizeof *grown);
	if (grown == NULL)
		return false;
	kept->used = grown;
	kept->used_room = room;
	return true;
}

bool refresh_rotate(struct refresh_table *table, struct text task, const struct sha256 *used,
	const struct sha256 *next, struct error *err)
{
	struct kept *kept = find(table, task);

	if (kept == NULL || !sha256_equal(&kept->family.digest, used))
		return true;
	if (!has_room(kept))
		return error_set(err, ERROR_LIMIT, "no memory for a refresh token");
	kept->used[kept->used_count++] = kept->family.digest;
	kept->family.digest = *next;
	kept->family.uses++;
	kept->family.is_on_its_way = false;
	return true;
}

void refresh_end(struct refresh_table *table, struct text task)
{
	struct kept *kept = find(table, task);

	if (kept == NULL)
		return;
	(void)name_table_remove(table->families, task);
	kept_free(kept);
}

void refresh_sweep(struct refresh_table *table, int64_t before_utc_s)
{
	struct kept *kept = name_table_next(table->families, TEXT(""));

	while (kept != NULL) {
		struct kept *next = name_table_next(table->families, kept->family.task);

		if (kept->family.until_utc_s < before_utc_s)
			refresh_end(table, kept->family.task);
		kept = next;
	}
}

#include "audit_support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "audit support: %s\n", err->text);
	abort();
}

static bool last(void *context, struct tree_head *out, struct error *err)
{
	(void)err;
	*out = ((struct test_signer *)context)->last;
	return true;
}

static bool sign(void *context, const struct tree_head *newer, const struct merkle_proof *proof,
	struct buffer *out_note, struct error *err)
{
	struct test_signer *signer = context;
	struct checkpoint checkpoint = {text_of(signer->key.name), *newer};
	uint8_t signature[SIGNATURE_BYTES_MAX];
	size_t size;

	if (signer->refuses)
		return error_set(err, ERROR_IO, "the signer is gone");
	if (!checkpoint_extends(
		    &signer->last, newer, (struct merkle_hashes){proof->hashes, proof->count})) {
		signer->conflict_count++;
		return error_set(err, ERROR_CONFLICT, "not an extension of what was signed");
	}
	signer->last = *newer;
	signer->signed_count++;
	checkpoint_format(out_note, &checkpoint);
	if (!private_key_sign(signer->private_key, buffer_text(out_note), signature, &size, err))
		return false;
	buffer_append_byte(out_note, '\n');
	note_append_signature(out_note, &signer->key, signature, size);
	return true;
}

void test_signer_init(struct test_signer *signer, const char *origin)
{
	struct public_key_numbers numbers;
	struct error err = {0};

	memset(signer, 0, sizeof *signer);
	must(private_key_generate(&signer->private_key, SIGNATURE_ED25519, &err), &err);
	public_key_numbers(private_key_public(signer->private_key), &numbers);
	must(note_key_init(&signer->key, text_of(origin), NOTE_ED25519,
		     (const uint8_t *)numbers.x.data, &err),
		&err);
	signer->last.root = merkle_empty_root();
	signer->port = (struct checkpoint_signer){signer, &signer->key, last, sign};
}

void test_signer_deinit(struct test_signer *signer)
{
	private_key_destroy(&signer->private_key);
}

void test_entry_format(
	struct buffer *out, int64_t at_utc_ms, uint64_t id, size_t size, const struct text *content)
{
	char name[DIGEST_TEXT_BYTES];
	struct sha256 digest;

	buffer_append_format(out, "{\"actor\":\"uid:0\",\"at\":%" PRId64 ",", at_utc_ms);
	if (content != NULL) {
		digest = sha256_of(content->data, content->length);
		digest_format(name, &digest);
		buffer_append_format(out, "\"content\":\"%s\",", name);
	}
	buffer_append_format(out, "\"id\":%" PRIu64 ",\"pad\":\"", id);
	while (out->length + 20 < size)
		buffer_append_byte(out, 'x');
	buffer_append_string(out, "\",\"type\":\"outcome\"}");
}

bool test_entry_id(struct text entry, uint64_t *out)
{
	const char *at = memmem(entry.data, entry.length, "\"id\":", 5);

	return at != NULL && sscanf(at + 5, "%" SCNu64, out) == 1;
}

uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static bool source_read(
	void *context, const char *path, struct arena *arena, struct text *out, struct error *err)
{
	char whole[256];

	(void)snprintf(whole, sizeof whole, "audit/%s", path);
	return disk_read_file(context, whole, AUDIT_FILE_BYTES_MAX, arena, out, err);
}

static bool source_list(void *context, const char *path, struct arena *arena,
	struct audit_name **out_names, size_t *out_count, struct error *err)
{
	const struct disk *disk = context;
	char whole[256], item[512];
	struct text *names, *inner;
	size_t inner_count;
	struct error ignored = {0};

	(void)snprintf(whole, sizeof whole, *path == '\0' ? "audit" : "audit/%s", path);
	if (!disk->list(disk->context, whole, arena, &names, out_count, err))
		return false;
	*out_names = arena_array(arena, struct audit_name, *out_count + 1);
	if (*out_names == NULL)
		return error_set(err, ERROR_LIMIT, "no memory");
	for (size_t i = 0; i < *out_count; i++) {
		(void)snprintf(item, sizeof item, "%s/%s", whole, names[i].data);
		(*out_names)[i] = (struct audit_name){names[i],
			disk->list(disk->context, item, arena, &inner, &inner_count, &ignored)};
	}
	return true;
}

struct audit_source test_source_of(const struct disk *disk)
{
	/* the port's functions do not change the disk */
	return (struct audit_source){(void *)(uintptr_t)disk, source_read, source_list};
}

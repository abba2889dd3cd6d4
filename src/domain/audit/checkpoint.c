/* Checkpoint text: origin, size, base64 root; one line each. */
#include "domain/audit/checkpoint.h"

#include <inttypes.h>

#include "base/base64.h"

bool checkpoint_number_parse(struct text t, uint64_t *out)
{
	*out = 0;
	if (t.length == 0 || (t.length > 1 && t.data[0] == '0'))
		return false;
	for (size_t i = 0; i < t.length; i++) {
		if (t.data[i] < '0' || t.data[i] > '9' || __builtin_mul_overflow(*out, 10U, out) ||
			__builtin_add_overflow(*out, (uint64_t)(t.data[i] - '0'), out))
			return false;
	}
	return true;
}

/* Takes the text up to the next LF. */
static bool take_line(struct text *t, struct text *line)
{
	ptrdiff_t end = text_find_byte(*t, '\n');

	if (end < 0)
		return false;
	*line = (struct text){t->data, (size_t)end};
	t->data += end + 1;
	t->length -= (size_t)end + 1;
	return true;
}

bool checkpoint_parse(struct checkpoint *out, struct text note_text, struct error *err)
{
	struct checkpoint checkpoint;
	struct sha256 empty = merkle_empty_root();
	struct text size, root;
	size_t root_size;

	*out = (struct checkpoint){0};
	if (!take_line(&note_text, &checkpoint.origin) || checkpoint.origin.length == 0)
		return error_set(err, ERROR_INVALID, "checkpoint: no origin");
	if (!take_line(&note_text, &size) || !checkpoint_number_parse(size, &checkpoint.head.size))
		return error_set(err, ERROR_INVALID, "checkpoint: the size is not a number");
	if (!take_line(&note_text, &root) ||
		!base64_decode(root, checkpoint.head.root.bytes, SHA256_BYTES, &root_size) ||
		root_size != SHA256_BYTES)
		return error_set(err, ERROR_INVALID, "checkpoint: the root is not 32 bytes");
	if (note_text.length != 0)
		return error_set(err, ERROR_INVALID, "checkpoint: extension lines are refused");
	if (checkpoint.head.size == 0 && !sha256_equal(&checkpoint.head.root, &empty))
		return error_set(err, ERROR_INVALID, "checkpoint: wrong root of the empty tree");
	*out = checkpoint;
	return true;
}

void checkpoint_format(struct buffer *out, const struct checkpoint *checkpoint)
{
	buffer_append_text(out, checkpoint->origin);
	buffer_append_format(out, "\n%" PRIu64 "\n", checkpoint->head.size);
	base64_append(out, checkpoint->head.root.bytes, SHA256_BYTES);
	buffer_append_byte(out, '\n');
}

bool checkpoint_open(struct checkpoint *out, struct arena *arena, struct text signed_note,
	const struct note_key *keys, size_t key_count, struct error *err)
{
	struct checkpoint checkpoint;
	struct note note;
	size_t verified;

	*out = (struct checkpoint){0};
	if (key_count == 0)
		return error_set(err, ERROR_INVALID, "checkpoint: no key to verify it with");
	/* keys[0] alone first: a witness's signature does not replace the log's. */
	if (!note_parse(&note, arena, signed_note, err) ||
		!note_verify(&note, keys, 1, &verified, err) ||
		!note_verify(&note, keys, key_count, &verified, err) ||
		!checkpoint_parse(&checkpoint, note.text, err))
		return false;
	if (!text_is(checkpoint.origin, keys[0].name))
		return error_set(err, ERROR_INVALID, "checkpoint: another log's, of %.*s",
			TEXT_ARGS(checkpoint.origin));
	*out = checkpoint;
	return true;
}

bool checkpoint_extends(const struct tree_head *older, const struct tree_head *newer,
	struct merkle_hashes consistency)
{
	return merkle_verify_consistency(
		older->size, &older->root, newer->size, &newer->root, consistency);
}

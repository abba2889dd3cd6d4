#include "domain/audit/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/private_key.h"
#include "domain/audit/checkpoint.h"
#include "domain/audit/receipt.h"

/* The example of the signed-note specification. */
#define EXAMPLE_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define EXAMPLE_TEXT "This is an example message.\n"
#define EXAMPLE_LINE                                                                               \
	"\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYN" \
	"ZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

struct fixture {
	struct arena *arena;
	struct private_key *private_key;
	struct note_key key;
	struct buffer note;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct public_key_numbers numbers;
	struct error err = {0};

	fixture.arena = arena_create(4 * 1024 * 1024);
	assert_non_null(fixture.arena);
	assert_true(private_key_generate(&fixture.private_key, SIGNATURE_ED25519, &err));
	public_key_numbers(private_key_public(fixture.private_key), &numbers);
	assert_true(note_key_init(&fixture.key, TEXT("log.test"), NOTE_ED25519,
		(const uint8_t *)numbers.x.data, &err));
	buffer_init(&fixture.note, NOTE_BYTES_MAX * 2);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	arena_destroy(&fixture->arena);
	private_key_destroy(&fixture->private_key);
	buffer_deinit(&fixture->note);
	return 0;
}

static void sign(struct fixture *fixture, const char *text)
{
	uint8_t signature[SIGNATURE_BYTES_MAX];
	struct error err = {0};
	size_t size;

	buffer_reset(&fixture->note);
	buffer_append_string(&fixture->note, text);
	assert_true(private_key_sign(fixture->private_key, text_of(text), signature, &size, &err));
	buffer_append_byte(&fixture->note, '\n');
	note_append_signature(&fixture->note, &fixture->key, signature, size);
}

static bool opens(struct fixture *fixture, struct text whole, const struct note_key *key)
{
	struct note note;
	struct error err = {0};
	size_t verified;
	bool ok = note_parse(&note, fixture->arena, whole, &err) &&
		  note_verify(&note, key, 1, &verified, &err);

	assert_true(ok || err.code != ERROR_NONE);
	arena_reset(fixture->arena);
	return ok;
}

static void bad_verifier_keys_are_refused(void **state)
{
	static const char *const bad[] = {"",
		"PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
		"PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", EXAMPLE_KEY "\n"};
	struct note_key key;
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(note_key_parse(&key, text_of(bad[i]), &err));
}

static void malformed_notes_are_refused(void **state)
{
	static const char *const bad[] = {"", "\n", "\n\n", "text\n", "text\n\n",
		"text\n\nno dash\n", "text\n\n\xe2\x80\x94 name\n",
		"text\n\n\xe2\x80\x94 name !!\n", "text\n\n\xe2\x80\x94 name AAAA\n",
		"a\x01 b\n\n" EXAMPLE_LINE, "\xff\n\n" EXAMPLE_LINE,
		EXAMPLE_TEXT "\n\xe2\x80\x94 example.com/foo Uw2QOkn8"};
	struct note_key key;
	struct error err = {0};

	assert_true(note_key_parse(&key, TEXT(EXAMPLE_KEY), &err));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(opens(*state, text_of(bad[i]), &key));
}

static void the_specifications_example_verifies_and_no_altered_one_does(void **state)
{
	char whole[] = EXAMPLE_TEXT "\n" EXAMPLE_LINE;
	struct text note = {whole, sizeof whole - 1};
	struct note_key key;
	struct error err = {0};

	assert_true(note_key_parse(&key, TEXT(EXAMPLE_KEY), &err));
	assert_true(opens(*state, note, &key));
	for (size_t i = 0; i < note.length; i++) {
		whole[i] ^= 0x02;
		assert_false(opens(*state, note, &key));
		whole[i] ^= 0x02;
	}
}

static void an_unknown_signer_is_ignored_but_a_known_one_must_be_right(void **state)
{
	struct fixture *fixture = *state;
	struct note_key example;
	struct error err = {0};
	struct buffer *note = &fixture->note;

	assert_true(note_key_parse(&example, TEXT(EXAMPLE_KEY), &err));
	sign(fixture, "some text\n");
	buffer_append_string(note, EXAMPLE_LINE); /* not a signature of this text */
	assert_true(opens(fixture, buffer_text(note), &fixture->key));
	assert_false(opens(fixture, buffer_text(note), &example));
	{
		struct note_key keys[] = {fixture->key, example};
		struct note parsed;
		size_t verified;

		assert_true(note_parse(&parsed, fixture->arena, buffer_text(note), &err));
		assert_false(note_verify(&parsed, keys, 2, &verified, &err));
		assert_int_equal(verified, 0);
	}
}

static void too_many_signatures_are_refused(void **state)
{
	struct fixture *fixture = *state;

	sign(fixture, "text\n");
	for (int i = 1; i < NOTE_SIGNATURES_MAX; i++)
		buffer_append_string(&fixture->note, EXAMPLE_LINE);
	assert_true(opens(fixture, buffer_text(&fixture->note), &fixture->key));
	buffer_append_string(&fixture->note, EXAMPLE_LINE);
	assert_false(opens(fixture, buffer_text(&fixture->note), &fixture->key));
}

static void a_key_reads_back_as_it_was_written(void **state)
{
	struct fixture *fixture = *state;
	struct note_key again;
	struct error err = {0};

	buffer_reset(&fixture->note);
	note_key_format(&fixture->note, &fixture->key);
	assert_true(note_key_parse(&again, buffer_text(&fixture->note), &err));
	assert_memory_equal(&again, &fixture->key, sizeof again);
}

static void malformed_checkpoints_are_refused(void **state)
{
#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	static const char *const bad[] = {"", "origin\n", "origin\n0\n", "\n0\n" ROOT "\n",
		"origin\n00\n" ROOT "\n", "origin\n-1\n" ROOT "\n", "origin\n+1\n" ROOT "\n",
		"origin\n18446744073709551616\n" ROOT "\n", "origin\n1\nAAAA\n", "origin\n1\n" ROOT,
		"origin\n1\n" ROOT "\nextension\n",
		"origin\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"};
	struct checkpoint checkpoint;
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(checkpoint_parse(&checkpoint, text_of(bad[i]), &err));
	assert_true(checkpoint_parse(
		&checkpoint, TEXT("origin\n18446744073709551615\n" ROOT "\n"), &err));
	assert_true(checkpoint.head.size == UINT64_MAX);
}

static void a_checkpoint_of_another_origin_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct checkpoint checkpoint;
	struct error err = {0};

	sign(fixture, "other.test\n0\n" ROOT "\n");
	assert_false(checkpoint_open(
		&checkpoint, fixture->arena, buffer_text(&fixture->note), &fixture->key, 1, &err));
	sign(fixture, "log.test\n0\n" ROOT "\n");
	assert_true(checkpoint_open(
		&checkpoint, fixture->arena, buffer_text(&fixture->note), &fixture->key, 1, &err));
	assert_false(checkpoint_open(
		&checkpoint, fixture->arena, buffer_text(&fixture->note), &fixture->key, 0, &err));
}

/* A log of one entry: its root is the leaf. */
static void make_receipt(struct fixture *fixture, struct receipt *receipt, struct buffer *out)
{
	struct checkpoint checkpoint = {.origin = TEXT("log.test"), .head = {.size = 1}};
	struct buffer text;

	memset(receipt, 0, sizeof *receipt);
	receipt->entry = TEXT("the entry");
	checkpoint.head.root = merkle_leaf_hash(receipt->entry);
	buffer_init(&text, 1024);
	checkpoint_format(&text, &checkpoint);
	buffer_append_byte(&text, '\0');
	sign(fixture, text.data);
	receipt->checkpoint = buffer_text(&fixture->note);
	receipt_format(out, receipt);
	buffer_deinit(&text);
}

static void no_byte_of_a_receipt_can_change(void **state)
{
	struct fixture *fixture = *state;
	struct receipt receipt;
	struct checkpoint checkpoint;
	struct buffer file;
	struct error err = {0};
	struct text t;

	buffer_init(&file, 4096);
	make_receipt(fixture, &receipt, &file);
	t = buffer_text(&file);
	assert_true(receipt_is(t));
	assert_true(receipt_parse(&receipt, fixture->arena, t, &err));
	assert_true(text_is(receipt.entry, "the entry"));
	assert_true(receipt_verify(&checkpoint, fixture->arena, &receipt, &fixture->key, 1, &err));
	for (size_t i = 0; i < t.length; i++) {
		file.data[i] ^= 0x04;
		assert_false(receipt_parse(&receipt, fixture->arena, t, &err) &&
			     receipt_verify(&checkpoint, fixture->arena, &receipt, &fixture->key, 1,
				     &err));
		file.data[i] ^= 0x04;
		arena_reset(fixture->arena);
	}
	buffer_deinit(&file);
}

static void a_receipt_without_its_record_proves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct receipt receipt;
	struct checkpoint checkpoint;
	struct buffer file;
	struct error err = {0};

	buffer_init(&file, 4096);
	make_receipt(fixture, &receipt, &file);
	receipt.entry = (struct text){0};
	assert_false(receipt_verify(&checkpoint, fixture->arena, &receipt, &fixture->key, 1, &err));
	buffer_deinit(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_verifier_keys_are_refused),
		cmocka_unit_test_setup_teardown(malformed_notes_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_specifications_example_verifies_and_no_altered_one_does, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			an_unknown_signer_is_ignored_but_a_known_one_must_be_right, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(too_many_signatures_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_reads_back_as_it_was_written, set_up, tear_down),
		cmocka_unit_test(malformed_checkpoints_are_refused),
		cmocka_unit_test_setup_teardown(
			a_checkpoint_of_another_origin_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_byte_of_a_receipt_can_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_receipt_without_its_record_proves_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

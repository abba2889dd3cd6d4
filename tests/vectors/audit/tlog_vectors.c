/* Runs published transparency-log vectors: Merkle hashing and proofs, signed
 * notes, a tlog-tiles log of another implementation, and roots where carries
 * happen, these also through our own tile writer.
 *
 * usage: tlog-vectors PATH...
 *
 * PATH is a folder (searched to any depth) or a .tar.zst archive; a folder's
 * archives are unpacked too.  Where a path is absent, REMIT_VECTORS says where
 * the folder of its name lies.  Prints a JSON line for each vector, then
 * `N passed, N failed, N skipped`.  Exit status 0 only if none failed; 77 if
 * there is no such path. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit_support.h"
#include "base/base64.h"
#include "base/json.h"
#include "domain/audit/checkpoint.h"
#include "domain/audit/merkle.h"
#include "domain/audit/note.h"
#include "domain/audit/tile.h"
#include "services/record/publisher.h"
#include "services/record/tile_nodes.h"
#include "simulated_disk.h"

enum {
	ARENA_BYTES = 32 * 1024 * 1024,
	FILE_BYTES_MAX = 4 * 1024 * 1024,
	PROOF_MAX = 128,
	HASH_BYTES_MAX = 64,
	PATH_BYTES = 4096,
	DEPTH_MAX = 16,
	LOG_SIZE = 70000,
	EXIT_SKIPPED = 77,
};

extern char **environ;

static unsigned passed, failed;

static void result(const char *name, bool ok, const char *why)
{
	if (ok)
		passed++;
	else
		failed++;
	printf("{\"vector\":\"%s\",\"result\":\"%s\"%s%s%s}\n", name, ok ? "passed" : "failed",
		ok ? "" : ",\"why\":\"", ok ? "" : why, ok ? "" : "\"");
}

/* --- files ----------------------------------------------------------------------- */

static bool read_file(const char *path, struct arena *arena, struct text *out)
{
	FILE *file = fopen(path, "rb");
	char *bytes = arena_array(arena, char, FILE_BYTES_MAX);
	size_t size;

	if (file == NULL || bytes == NULL) {
		if (file != NULL)
			fclose(file);
		return false;
	}
	size = fread(bytes, 1, FILE_BYTES_MAX, file);
	fclose(file);
	*out = (struct text){bytes, size};
	return true;
}

/* base/json keeps int64 only, and some sizes here lie above 2^63: bare integers
 * become texts before reading. */
static struct text quote_numbers(struct arena *arena, struct text t)
{
	char *out = arena_array(arena, char, 3 * t.length + 1);
	bool in_string = false, in_number = false;
	size_t used = 0;

	for (size_t i = 0; out != NULL && i < t.length; i++) {
		char c = t.data[i];
		bool is_digit = !in_string && c >= '0' && c <= '9';

		if (is_digit != in_number) {
			out[used++] = '"';
			in_number = is_digit;
		}
		if (c == '"' && (i == 0 || t.data[i - 1] != '\\'))
			in_string = !in_string;
		out[used++] = c;
	}
	return (struct text){out, used};
}

/* --- proofs ------------------------------------------------------------------------ */

/* A hash as the vector has it, which may be of any length. */
struct bytes {
	uint8_t data[HASH_BYTES_MAX];
	size_t size;
};

struct proof {
	uint64_t index, tree_size, start, end, size, size1, size2;
	struct bytes root, root1, root2, leaf;
	struct sha256 hashes[PROOF_MAX];
	size_t count;
	bool has_odd_hash; /* one that is not 32 bytes */
	bool wants_error;
};

static bool read_number(const struct json *object, const char *name, uint64_t *out)
{
	struct text t = json_text_or(object, name, "0");

	return checkpoint_number_parse(t, out);
}

static bool read_bytes(const struct json *object, const char *name, struct bytes *out)
{
	struct text t = json_text_or(object, name, "");

	return base64_decode(t, out->data, sizeof out->data, &out->size);
}

static bool read_hashes(const struct json *object, struct proof *proof)
{
	const struct json *list = json_find(object, "proof");

	if (list == NULL || list->type == JSON_NULL)
		return true;
	if (list->type != JSON_ARRAY || list->count > PROOF_MAX)
		return false;
	for (uint32_t i = 0; i < list->count; i++) {
		uint8_t hash[HASH_BYTES_MAX];
		size_t size;

		if (!base64_decode(list->items[i].string, hash, sizeof hash, &size))
			return false;
		proof->has_odd_hash = proof->has_odd_hash || size != SHA256_BYTES;
		memcpy(proof->hashes[i].bytes, hash, SHA256_BYTES);
	}
	proof->count = list->count;
	return true;
}

static bool read_proof(const struct json *object, struct proof *proof)
{
	memset(proof, 0, sizeof *proof);
	proof->wants_error = json_boolean_or(object, "wantErr", false);
	return read_number(object, "leafIdx", &proof->index) &&
	       read_number(object, "treeSize", &proof->tree_size) &&
	       read_number(object, "start", &proof->start) &&
	       read_number(object, "end", &proof->end) &&
	       read_number(object, "size", &proof->size) &&
	       read_number(object, "size1", &proof->size1) &&
	       read_number(object, "size2", &proof->size2) &&
	       read_bytes(object, "root", &proof->root) &&
	       read_bytes(object, "root1", &proof->root1) &&
	       read_bytes(object, "root2", &proof->root2) &&
	       read_bytes(object, "leafHash", &proof->leaf) && read_hashes(object, proof);
}

/* Our functions take hashes of 32 bytes only: whatever else comes is refused
 * before, as the product does when it decodes. */
static bool take(const struct bytes *bytes, struct sha256 *out)
{
	memcpy(out->bytes, bytes->data, SHA256_BYTES);
	return bytes->size == SHA256_BYTES;
}

static bool same_bytes(const struct bytes *a, const struct bytes *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static bool verify_inclusion(const struct proof *proof, struct merkle_hashes hashes)
{
	struct sha256 leaf, root;

	return take(&proof->leaf, &leaf) && take(&proof->root, &root) &&
	       merkle_verify_inclusion(&leaf, proof->index, proof->tree_size, &root, hashes);
}

static bool verify_consistency(const struct proof *proof, struct merkle_hashes hashes)
{
	struct sha256 old_root, new_root;

	/* the same tree: placeholder roots are compared as they stand */
	if (proof->size1 == proof->size2 && proof->size1 > 0 &&
		(proof->root1.size != SHA256_BYTES || proof->root2.size != SHA256_BYTES))
		return proof->count == 0 && same_bytes(&proof->root1, &proof->root2);
	return take(&proof->root1, &old_root) && take(&proof->root2, &new_root) &&
	       merkle_verify_consistency(proof->size1, &old_root, proof->size2, &new_root, hashes);
}

static bool verify_subtree_inclusion(const struct proof *proof, struct merkle_hashes hashes)
{
	struct merkle_range range = {proof->start, proof->end};
	struct sha256 leaf, root;

	return take(&proof->leaf, &leaf) && take(&proof->root, &root) &&
	       merkle_verify_subtree_inclusion(&leaf, proof->index, range, &root, hashes);
}

static bool verify_subtree_consistency(const struct proof *proof, struct merkle_hashes hashes)
{
	struct merkle_range range = {proof->start, proof->end};
	struct sha256 part, whole;

	if (range.end - range.start == proof->size && range.start == 0 && proof->size > 0 &&
		(proof->root1.size != SHA256_BYTES || proof->root2.size != SHA256_BYTES))
		return proof->count == 0 && same_bytes(&proof->root1, &proof->root2);
	/* nothing is part of every tree, whatever its root */
	(void)take(&proof->root2, &whole);
	if (proof->root2.size != SHA256_BYTES && range.start != range.end)
		return false;
	return take(&proof->root1, &part) &&
	       merkle_verify_subtree_consistency(range, proof->size, &part, &whole, hashes);
}

static const struct {
	const char *folder;
	bool (*verify)(const struct proof *proof, struct merkle_hashes hashes);
} kinds[] = {
	{"/inclusion/", verify_inclusion},
	{"/consistency/", verify_consistency},
	{"/subtreeinclusion/", verify_subtree_inclusion},
	{"/subtreeconsistency/", verify_subtree_consistency},
};

static void run_proof(const char *path, struct arena *arena, struct text t)
{
	struct error err = {0};
	struct proof proof;
	struct json object;
	bool accepted;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strstr(path, kinds[i].folder) == NULL)
			continue;
		if (!json_parse(
			    &object, arena, quote_numbers(arena, t), &json_limits_default, &err) ||
			!read_proof(&object, &proof)) {
			result(path, false, "cannot be read");
			return;
		}
		accepted =
			!proof.has_odd_hash &&
			kinds[i].verify(&proof, (struct merkle_hashes){proof.hashes, proof.count});
		result(path, accepted != proof.wants_error, accepted ? "accepted" : "refused");
		return;
	}
}

/* --- hashing --------------------------------------------------------------------------- */

static bool hex_is(struct text digits, const struct sha256 *hash)
{
	uint8_t bytes[SHA256_BYTES];

	return hex_decode(digits, bytes, sizeof bytes) &&
	       memcmp(bytes, hash->bytes, sizeof bytes) == 0;
}

static struct sha256 leaf_of_hex(struct text digits)
{
	uint8_t bytes[64] = {0};
	size_t size = digits.length / 2;

	if (size > sizeof bytes || !hex_decode(digits, bytes, size))
		size = 0;
	return merkle_leaf_hash((struct text){(const char *)bytes, size});
}

static void run_reference(const struct json *object)
{
	const struct json *inputs = json_find(object, "leaf_inputs_hex");
	const struct json *levels = json_find(object, "node_hashes_by_level_hex");
	const struct json *roots = json_find(object, "root_hashes_by_size_hex");
	struct merkle_frontier frontier = {0};
	struct sha256 row[64], root;
	char name[64];

	for (uint32_t i = 0; i < inputs->count; i++)
		row[i] = leaf_of_hex(inputs->items[i].string);
	for (uint32_t size = 0; size < roots->count; size++) {
		root = merkle_root(&frontier);
		(void)snprintf(name, sizeof name, "rfc6962-reference root %u", size);
		result(name, hex_is(roots->items[size].string, &root), "another root");
		if (size < inputs->count)
			merkle_append(&frontier, &row[size]);
	}
	for (uint32_t level = 0; level < levels->count; level++) {
		const struct json *want = &levels->items[level];
		bool ok = true;

		for (uint32_t i = 0; i < want->count; i++) {
			ok = ok && hex_is(want->items[i].string, &row[i]);
			if (i % 2 == 1)
				row[i / 2] = merkle_node_hash(&row[i - 1], &row[i]);
		}
		(void)snprintf(name, sizeof name, "rfc6962-reference level %u", level);
		result(name, ok, "another node");
	}
}

/* --- a log through our own tile writer ---------------------------------------------------- */

static bool tiles_are(const struct disk *disk, const struct json *want, uint64_t size)
{
	for (uint32_t i = 0; want != NULL && i < want->count; i++) {
		const struct json *row = &want->items[i];
		unsigned level = (unsigned)json_integer_or(row, "level", -1);
		struct tile tile = {.level = level, .width = TILE_WIDTH};
		struct sha256 hashes[TILE_WIDTH];
		struct error err = {0};

		if (json_integer_or(row, "full", -1) != (int64_t)tile_full_count(size, level) ||
			json_integer_or(row, "partial_width", -1) !=
				tile_partial_width(size, level))
			return false;
		tile.index = tile_full_count(size, level);
		tile.width = tile_partial_width(size, level);
		if (tile.width > 0 && !tile_nodes_read(disk, &tile, hashes, &err))
			return false;
		tile.width = TILE_WIDTH;
		if (tile.index-- > 0 && !tile_nodes_read(disk, &tile, hashes, &err))
			return false;
	}
	return true;
}

/* The published root, and what the signer signed, are the vector's. */
static void check_size(struct publisher *publisher, struct simulated_disk *disk,
	const struct test_signer *signer, const struct json *vectors)
{
	char key[32], name[64];
	struct error err = {0};
	const struct json *root;
	uint64_t size = publisher_size(publisher);

	(void)snprintf(key, sizeof key, "%" PRIu64, size);
	root = json_find(json_find(vectors, "roots_hex_by_size"), key);
	if (root == NULL)
		return;
	(void)snprintf(name, sizeof name, "synthetic-boundary size %s", key);
	if (!publisher_publish(publisher, &err)) {
		result(name, false, "not published");
		return;
	}
	result(name, signer->last.size == size && hex_is(root->string, &signer->last.root),
		"another root");
	(void)snprintf(name, sizeof name, "synthetic-boundary tiles %s", key);
	result(name,
		tiles_are(simulated_disk_port(disk),
			json_find(json_find(vectors, "tiles_by_size"), key), size),
		"other tiles");
}

/* From our tiles: each size is a prefix of the next (a sample, and all near a
 * carry), and its last entry is in it. */
static void check_proofs(
	struct simulated_disk *disk, const struct sha256 *roots, const struct sha256 *leaves)
{
	unsigned wrong = 0, checked = 0;
	struct tile_nodes *nodes;
	struct merkle_nodes port;
	struct error err = {0};

	if (!tile_nodes_open(&nodes, simulated_disk_port(disk), LOG_SIZE, &err))
		abort();
	port = tile_nodes_port(nodes);
	for (uint64_t size = 1; size < LOG_SIZE; size++) {
		struct merkle_proof proof;
		bool ok;

		if (size % 61 != 0 && (size + 2) % 256 > 4)
			continue;
		ok = merkle_prove_consistency(&port, size, size + 1, &proof, &err) &&
		     merkle_verify_consistency(size, &roots[size], size + 1, &roots[size + 1],
			     (struct merkle_hashes){proof.hashes, proof.count}) &&
		     merkle_prove_inclusion(&port, size - 1, size, &proof, &err) &&
		     merkle_verify_inclusion(&leaves[size - 1], size - 1, size, &roots[size],
			     (struct merkle_hashes){proof.hashes, proof.count});
		wrong += !ok;
		checked++;
	}
	tile_nodes_close(&nodes);
	result("synthetic-boundary proofs from our tiles", wrong == 0 && checked > 2000,
		"a proof is wrong");
}

static void run_boundaries(const struct json *vectors)
{
	struct simulated_disk *disk = simulated_disk_create();
	struct tree_head none = {.root = merkle_empty_root()};
	struct sha256 *roots = calloc(LOG_SIZE + 1, sizeof *roots);
	struct sha256 *leaves = calloc(LOG_SIZE, sizeof *leaves);
	const struct disk *port = simulated_disk_port(disk);
	const struct json *empty = json_find(json_find(vectors, "roots_hex_by_size"), "0");
	struct merkle_frontier frontier = {0};
	struct publisher *publisher;
	struct test_signer signer;
	struct error err = {0};
	char entry[32];

	test_signer_init(&signer, "synthetic");
	if (roots == NULL || leaves == NULL || !port->make_dir(port->context, "audit", &err) ||
		!publisher_open(&publisher, port, &signer.port, &none, &err))
		abort();
	result("synthetic-boundary size 0", empty != NULL && hex_is(empty->string, &none.root),
		"another root");
	for (uint32_t i = 0; i < LOG_SIZE; i++) {
		(void)snprintf(entry, sizeof entry, "entry-%u", i);
		leaves[i] = merkle_leaf_hash(text_of(entry));
		merkle_append(&frontier, &leaves[i]);
		roots[i + 1] = merkle_root(&frontier);
		if (!publisher_add(publisher, text_of(entry), &leaves[i], &err) ||
			!publisher_flush(publisher, &err))
			abort();
		check_size(publisher, disk, &signer, vectors);
	}
	check_proofs(disk, roots, leaves);
	publisher_close(&publisher);
	test_signer_deinit(&signer);
	simulated_disk_destroy(&disk);
	free(roots);
	free(leaves);
}

/* --- notes ---------------------------------------------------------------------------------- */

static bool opens(struct arena *arena, const struct note_key *key, struct text whole)
{
	struct error err = {0};
	struct note note;
	size_t verified;

	return note_parse(&note, arena, whole, &err) && note_verify(&note, key, 1, &verified, &err);
}

static void run_keys(const struct json *list, bool are_good)
{
	struct error err = {0};
	struct note_key key;

	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		bool ok = note_key_parse(&key, list->items[i].string, &err);

		result(are_good ? "good verifier key" : "bad verifier key", ok == are_good,
			ok ? "accepted" : "refused");
	}
}

static void run_notes(const struct json *object, struct arena *arena)
{
	const struct json *example = json_find(object, "signed_note_example");
	struct text text = json_text_or(example, "text", "");
	struct text line = json_text_or(example, "sig_line", "");
	struct note_key key;
	struct error err = {0};
	bool ok = note_key_parse(&key, json_text_or(example, "vkey", ""), &err);

	result("signed-note key", ok, "refused");
	result("signed-note example",
		ok && opens(arena, &key,
			      text_format(arena, "%.*s\n%.*s", TEXT_ARGS(text), TEXT_ARGS(line))),
		"refused");
	result("signed-note altered",
		ok && !opens(arena, &key,
			      text_format(arena, "X%.*s\n%.*s", TEXT_ARGS(text), TEXT_ARGS(line))),
		"accepted");
	run_keys(json_find(object, "go_sumdb_note_vkeys"), true);
	run_keys(json_find(object, "go_sumdb_bad_vkeys"), false);
}

/* --- another implementation's log ---------------------------------------------------------------
 */

/* Its key stands in note-vectors.json, so that is read first. */
static struct note_key log_key;
static bool has_log_key;

static void run_log_size(const char *folder, unsigned size, struct arena *arena)
{
	struct merkle_frontier frontier = {0};
	struct checkpoint checkpoint;
	struct text note, tile = {0}, rest = {0}, entry;
	struct error err = {0};
	struct sha256 root, leaf;
	char path[PATH_BYTES], name[64];
	bool ok = true;

	(void)snprintf(name, sizeof name, "tessera-testlog checkpoint.%u", size);
	(void)snprintf(path, sizeof path, "%s/checkpoint.%u", folder, size);
	if (!has_log_key || !read_file(path, arena, &note) ||
		!checkpoint_open(&checkpoint, arena, note, &log_key, 1, &err) ||
		checkpoint.head.size != size) {
		result(name, false, "its checkpoint is refused");
		return;
	}
	if (size > 0) {
		(void)snprintf(path, sizeof path, "%s/tile/0/000.p/%u", folder, size);
		ok = read_file(path, arena, &tile);
		(void)snprintf(path, sizeof path, "%s/tile/entries/000.p/%u", folder, size);
		ok = ok && read_file(path, arena, &rest);
	}
	while (ok && bundle_next(&rest, &entry)) {
		leaf = merkle_leaf_hash(entry);
		ok = frontier.size < size && tile.length >= (frontier.size + 1) * SHA256_BYTES &&
		     memcmp(tile.data + frontier.size * SHA256_BYTES, leaf.bytes, SHA256_BYTES) ==
			     0;
		merkle_append(&frontier, &leaf);
	}
	root = merkle_root(&frontier);
	ok = ok && rest.length == 0 && frontier.size == size &&
	     tile.length == size * (size_t)SHA256_BYTES &&
	     sha256_equal(&root, &checkpoint.head.root);
	result(name, ok, "tile, bundle and root do not agree");
}

static void run_log(const char *folder)
{
	for (unsigned size = 0; size <= 15; size++) {
		struct arena *arena = arena_create(ARENA_BYTES);

		run_log_size(folder, size, arena);
		arena_destroy(&arena);
	}
}

/* --- finding them
 * ----------------------------------------------------------------------------------- */

static void run_json(const char *path, struct arena *arena)
{
	struct json object;
	struct text t;
	struct error err = {0};
	bool is_proof = strstr(path, "/merkle-proofs/") != NULL;

	if (!read_file(path, arena, &t)) {
		result(path, false, "cannot be read");
		return;
	}
	if (is_proof) {
		run_proof(path, arena, t);
		return;
	}
	if (!json_parse(&object, arena, t, &json_limits_default, &err)) {
		result(path, false, "is not JSON");
		return;
	}
	if (strstr(path, "rfc6962-reference.json") != NULL)
		run_reference(&object);
	else if (strstr(path, "synthetic-boundary-roots.json") != NULL)
		run_boundaries(&object);
	else if (strstr(path, "note-vectors.json") != NULL)
		run_notes(&object, arena);
}

static void learn_log_key(const char *folder)
{
	struct arena *arena = arena_create(ARENA_BYTES);
	char path[PATH_BYTES];
	struct error err = {0};
	struct json object;
	struct text t;

	(void)snprintf(path, sizeof path, "%s/note-vectors.json", folder);
	if (read_file(path, arena, &t) && json_parse(&object, arena, t, &json_limits_default, &err))
		has_log_key = note_key_parse(
			&log_key, json_text_or(&object, "tessera_testlog_vkey", ""), &err);
	arena_destroy(&arena);
}

static int run_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	size_t length = strlen(path);
	struct arena *arena;

	(void)status;
	(void)walk;
	if (kind == FTW_D && length > 16 && strcmp(path + length - 16, "/tessera-testlog") == 0)
		run_log(path);
	if (kind != FTW_F || length < 6 || strcmp(path + length - 5, ".json") != 0)
		return 0;
	arena = arena_create(ARENA_BYTES);
	run_json(path, arena);
	arena_destroy(&arena);
	return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void run_archive(const char *archive)
{
	char folder[] = "/tmp/tlog-vectors-XXXXXX";
	char tar[] = "tar", zstd[] = "--zstd", extract[] = "-xf", change[] = "-C";
	char *file = strdup(archive);
	char *arguments[] = {tar, zstd, extract, file, change, folder, NULL};
	int status = 1;
	pid_t child;

	if (file == NULL || mkdtemp(folder) == NULL) {
		result(archive, false, "no temporary folder");
		free(file);
		return;
	}
	if (posix_spawnp(&child, tar, NULL, NULL, arguments, environ) != 0 ||
		waitpid(child, &status, 0) != child || status != 0)
		result(archive, false, "tar cannot unpack it");
	else
		(void)nftw(folder, run_entry, DEPTH_MAX, FTW_PHYS);
	(void)nftw(folder, remove_entry, DEPTH_MAX, FTW_DEPTH | FTW_PHYS);
	free(file);
}

static bool is_archive(const char *path)
{
	size_t length = strlen(path);

	return length > 8 && strcmp(path + length - 8, ".tar.zst") == 0;
}

static void run_folder(const char *folder)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	DIR *stream;

	learn_log_key(folder);
	(void)nftw(folder, run_entry, DEPTH_MAX, FTW_PHYS);
	stream = opendir(folder);
	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		if (!is_archive(entry->d_name))
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		run_archive(path);
	}
	if (stream != NULL)
		(void)closedir(stream);
}

/* Tries path, or its namesake in the folder REMIT_VECTORS names. */
static bool run_path(const char *path)
{
	const char *elsewhere = getenv("REMIT_VECTORS"), *slash = strrchr(path, '/');
	char moved[PATH_BYTES];

	if (access(path, R_OK) != 0 && elsewhere != NULL) {
		(void)snprintf(
			moved, sizeof moved, "%s/%s", elsewhere, slash == NULL ? path : slash + 1);
		path = moved;
	}
	if (access(path, R_OK) != 0) {
		fprintf(stderr, "skipped: there is no %s\n", path);
		return false;
	}
	if (is_archive(path))
		run_archive(path);
	else
		run_folder(path);
	return true;
}

int main(int argc, char **argv)
{
	unsigned skipped = 0;

	if (argc < 2) {
		fputs("usage: tlog-vectors PATH...\n", stderr);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		skipped += !run_path(argv[i]);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	if (failed > 0)
		return 1;
	return passed == 0 || skipped > 0 ? EXIT_SKIPPED : 0;
}

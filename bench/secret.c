/* Secrets: what looking for them costs on a call's arguments, on a result and on much
 * text, beside PCRE2 with one expression for the same forms of others, which knows none of
 * remit's own; and what is found in ordinary text, where nothing should be. */
#include "bench.h"

#include <string.h>

#include "base/random.h"
#include "domain/secret/foreign.h"
#include "secret_bench.h"

#ifdef HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

enum { OWN_CREDENTIALS = 20, OWN_TOKENS = 1000, OWN = OWN_CREDENTIALS + OWN_TOKENS };
enum { SECRET_BYTES = 40, ARGUMENTS_BYTES = 400, RESULT_BYTES = 4096, MUCH_BYTES = 1 << 20 };

struct bench {
	struct fingerprint_index *index;
	struct secret_scratch *scratch;
	struct fingerprint *fingerprints;
	char *ordinary; /* MUCH_BYTES of the project's own texts */
	struct text text;
	uint64_t found;
#ifdef HAVE_PCRE2
	pcre2_code *peer;
	pcre2_match_data *match;
#endif
};

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

static void run_find(void *context)
{
	struct bench *bench = context;
	struct secret_spans spans;

	spans.count = 0;
	spans.is_full = false;
	fingerprint_find(bench->index, bench->text, bench->scratch, &spans);
	foreign_find(bench->text, &spans);
	bench->found += spans.count;
}

static void run_own(void *context)
{
	struct bench *bench = context;
	struct secret_spans spans;

	spans.count = 0;
	spans.is_full = false;
	fingerprint_find(bench->index, bench->text, bench->scratch, &spans);
	bench->found += spans.count;
}

static void run_foreign(void *context)
{
	struct bench *bench = context;
	struct secret_spans spans;

	spans.count = 0;
	spans.is_full = false;
	foreign_find(bench->text, &spans);
	bench->found += spans.count;
}

/* ---- the peer ---- */

#ifdef HAVE_PCRE2
static const char forms[] =
	"(?:\\b(?:AKIA|ASIA)[A-Z0-9]{16}\\b|\\bsk-(?:ant|proj|svcacct|admin)-[A-Za-z0-9_-]{40,250}"
	"|\\bsk-[A-Za-z0-9]{48}\\b|\\bgh[pousr]_[A-Za-z0-9]{36,255}|\\bgithub_pat_[A-Za-z0-9_]{60,"
	"255}"
	"|\\bglpat-[A-Za-z0-9_.-]{20,100}|\\bxox[bpars]-[A-Za-z0-9-]{24,300}|\\bxapp-[A-Za-z0-9-]{"
	"24,300}"
	"|\\bAIza[A-Za-z0-9_-]{35}\\b|\\bGOCSPX-[A-Za-z0-9_-]{28}|\\bya29\\.[A-Za-z0-9_-]{40,1024}"
	"|\\b[sr]k_(?:live|test)_[A-Za-z0-9]{24,250}|\\bwhsec_[A-Za-z0-9]{32,64}"
	"|\\bnpm_[A-Za-z0-9]{36}\\b|\\bpypi-AgE[A-Za-z0-9_-]{50,300}|\\bhf_[A-Za-z0-9]{34,40}\\b"
	"|\\bSG\\.[A-Za-z0-9_.-]{66}|\\bdop_v1_[0-9a-f]{64}|\\bhv[sb]\\.[A-Za-z0-9_-]{24,300}"
	"|\\bshpat_[0-9a-f]{32}|\\bAGE-SECRET-KEY-1[A-Z0-9]{58}"
	"|\\beyJ[A-Za-z0-9_-]+\\.eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{43,}"
	"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)";

static void peer_open(struct bench *bench)
{
	int code;
	PCRE2_SIZE at;

	bench->peer = pcre2_compile((PCRE2_SPTR)forms, PCRE2_ZERO_TERMINATED, 0, &code, &at, NULL);
	must(bench->peer != NULL && pcre2_jit_compile(bench->peer, PCRE2_JIT_COMPLETE) == 0);
	bench->match = pcre2_match_data_create_from_pattern(bench->peer, NULL);
	must(bench->match != NULL);
}

static void run_peer(void *context)
{
	struct bench *bench = context;
	PCRE2_SIZE at = 0;

	while (pcre2_jit_match(bench->peer, (PCRE2_SPTR)bench->text.data, bench->text.length, at, 0,
		       bench->match, NULL) > 0) {
		at = pcre2_get_ovector_pointer(bench->match)[1];
		bench->found++;
	}
}

static double peer_ns(struct bench *bench)
{
	return bench_run(run_peer, bench).p50_ns;
}

static void peer_close(struct bench *bench)
{
	pcre2_match_data_free(bench->match);
	pcre2_code_free(bench->peer);
}

static const char *const peer_name = "PCRE2 JIT";
#else
static void peer_open(struct bench *bench)
{
	(void)bench;
}

static double peer_ns(struct bench *bench)
{
	(void)bench;
	return 1;
}

static void peer_close(struct bench *bench)
{
	(void)bench;
}

static const char *const peer_name = NULL;
#endif

/* ---- the texts ---- */

/* The file's bytes, at most so many, behind what is there. */
static size_t append_file(char *out, size_t length, size_t most, const char *name)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", SOURCE_ROOT, name);
	file = fopen(path, "rb");
	must(file != NULL);
	length += fread(out + length, 1, most - length, file);
	must(fclose(file) == 0);
	return length;
}

static const char *const texts[] = {"README.md", "ARCHITECTURE.md", "SECURITY.md", "HACKING.md",
	"CHANGELOG.md", "docs/words.md", "docs/policies.md", "docs/charters.md", "docs/cedar.md",
	"docs/formats/tokens.md", "docs/formats/secrets.md", "src/services/call/exchange.c",
	"src/cedar/evaluate.c", "src/domain/secret/foreign.c", "tests/e2e/credentials.mjs",
	"examples/stories/stories.mjs", "examples/package-lock.json"};

static void read_ordinary(struct bench *bench)
{
	size_t length = 0;

	bench->ordinary = calloc(1, MUCH_BYTES);
	must(bench->ordinary != NULL);
	while (length < MUCH_BYTES)
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
			length = append_file(bench->ordinary, length, MUCH_BYTES, texts[i]);
}

/* Each file on its own; prints what was found where nothing is. */
static void count_in_ordinary(struct bench *bench)
{
	static char whole[MUCH_BYTES];
	size_t bytes = 0, files = 0;

	bench->found = 0;
	for (; files < sizeof texts / sizeof *texts; files++) {
		bench->text = (struct text){whole, append_file(whole, 0, MUCH_BYTES, texts[files])};
		bytes += bench->text.length;
		run_find(bench);
	}
	printf("{\"bench\":\"secret\",\"note\":\"%llu found in %zu files, %zu bytes of ordinary "
	       "text\"}\n",
		(unsigned long long)bench->found, files, bytes);
}

static void know(struct bench *bench)
{
	struct fingerprint_key key;
	struct error err;

	random_bytes(key.bytes, sizeof key.bytes);
	must(fingerprint_index_create(&bench->index, &key, &err));
	bench->fingerprints = calloc(OWN, sizeof *bench->fingerprints);
	must(bench->fingerprints != NULL);
	for (uint32_t i = 0; i < OWN; i++) {
		char secret[SECRET_BYTES];

		random_bytes(secret, sizeof secret);
		must(fingerprint_make(&bench->fingerprints[i], &key,
			     (struct text){secret, sizeof secret}, &err) &&
			fingerprint_index_add(bench->index, &bench->fingerprints[i], i, &err));
	}
}

static void measure(struct bench *bench, const char *name, size_t bytes)
{
	char label[64];
	double peer;

	bench->text = (struct text){bench->ordinary, bytes};
	peer = peer_ns(bench);
	bench_print("secret", name, bench_run(run_find, bench), peer_name, peer);
	(void)snprintf(label, sizeof label, "%s, own alone", name);
	bench_print("secret", label, bench_run(run_own, bench), NULL, 0);
	(void)snprintf(label, sizeof label, "%s, foreign alone", name);
	bench_print("secret", label, bench_run(run_foreign, bench), peer_name, peer);
}

int main(void)
{
	struct bench bench = {.found = 0};

	bench.scratch = secret_scratch_create();
	must(bench.scratch != NULL);
	know(&bench);
	peer_open(&bench);
	read_ordinary(&bench);
	measure(&bench, "arguments of 400 bytes", ARGUMENTS_BYTES);
	measure(&bench, "a result of 4 KiB", RESULT_BYTES);
	measure(&bench, "1 MiB", MUCH_BYTES);
	count_in_ordinary(&bench);
	peer_close(&bench);
	fingerprint_index_destroy(&bench.index);
	secret_scratch_destroy(&bench.scratch);
	free(bench.fingerprints);
	free(bench.ordinary);
	return 0;
}

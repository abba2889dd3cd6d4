/* The signer: what a token costs in this process and from one of its own, one at a time and
 * many at once, as the loop hears of it; and what each head costs. */
#include "bench.h"

#include <string.h>
#include <unistd.h>

#include "edges/confine/confine_keeper.h"
#include "edges/signer/child.h"
#include "edges/signer/serve.h"
#include "edges/signer/signer.h"

#define ISSUER "http://127.0.0.1:8470"

enum { ROUNDS = 8000, AT_ONCE_MAX = 256, PATH_BYTES = 128 };

struct bench {
	struct token_signer port;
	struct loop *loop; /* NULL: it answers before it returns */
	struct access_token token;
	struct ask {
		struct token_signing signing;
		struct bench *bench;
		int64_t begun_ns;
	} asks[AT_ONCE_MAX];
	double took_ns[ROUNDS];
	int asked, answered;
};

static void must(bool is_ok, const struct error *err)
{
	if (is_ok)
		return;
	(void)fprintf(stderr, "signer: %s\n", err->text);
	exit(1);
}

static void ask(struct ask *ask)
{
	struct bench *bench = ask->bench;

	bench->asked++;
	ask->begun_ns = bench_now_ns();
	bench->port.sign(bench->port.context, &bench->token, &ask->signing);
}

/* Asks again until all rounds are asked. */
static void on_signed(struct token_signing *signing)
{
	struct ask *answered = signing->context;
	struct bench *bench = answered->bench;

	must(signing->is_signed, &signing->err);
	bench->took_ns[bench->answered++] = (double)(bench_now_ns() - answered->begun_ns);
	if (bench->loop == NULL)
		return;
	*signing = (struct token_signing){.done = on_signed, .context = answered};
	if (bench->asked < ROUNDS)
		ask(answered);
	else if (bench->answered == ROUNDS)
		loop_stop(bench->loop);
}

static void measure(struct bench *bench, const char *name, int at_once, double peer_ns)
{
	int64_t begun = bench_now_ns();
	struct bench_figures figures;
	struct error err;
	double per_token_ns;

	bench->asked = bench->answered = 0;
	bench->token.issued_utc_s = (int64_t)time(NULL);
	bench->token.expires_utc_s = bench->token.issued_utc_s + 900;
	for (int i = 0; i < at_once; i++) {
		bench->asks[i] = (struct ask){.bench = bench};
		bench->asks[i].signing =
			(struct token_signing){.done = on_signed, .context = &bench->asks[i]};
		ask(&bench->asks[i]);
	}
	if (bench->loop != NULL)
		must(loop_run(bench->loop, &err), &err);
	while (bench->loop == NULL && bench->asked < ROUNDS) {
		bench->asks[0].signing =
			(struct token_signing){.done = on_signed, .context = &bench->asks[0]};
		ask(&bench->asks[0]);
	}
	per_token_ns = (double)(bench_now_ns() - begun) / ROUNDS;
	qsort(bench->took_ns, ROUNDS, sizeof bench->took_ns[0], bench_ascending);
	figures = (struct bench_figures){
		bench->took_ns[ROUNDS / 2], bench->took_ns[ROUNDS * 99 / 100]};
	printf("{\"bench\":\"signer\",\"case\":\"%s\",\"p50_ns\":%.0f,\"p99_ns\":%.0f,"
	       "\"per_second\":%.0f",
		name, figures.p50_ns, figures.p99_ns, 1e9 / per_token_ns);
	if (peer_ns > 0)
		printf(",\"peer\":\"in process\",\"ratio\":%.2f", peer_ns / figures.p50_ns);
	printf("}\n");
	(void)fflush(stdout);
}

static double measure_here(struct bench *bench, const char *folder)
{
	const struct signer_settings settings = {.folder = folder};
	struct signer *signer = NULL;
	struct error err = {0};
	double p50_ns;

	must(signer_open(&signer, &settings, &err) && signer_set_issuer(signer, TEXT(ISSUER), &err),
		&err);
	bench->port = signer_tokens(signer);
	measure(bench, "token, in process", 1, 0);
	p50_ns = bench->took_ns[ROUNDS / 2];
	signer_close(&signer);
	return p50_ns;
}

static void measure_there(struct bench *bench, const char *folder, double here_ns)
{
	const char *const arguments[] = {"signer", "--signer", folder, NULL};
	struct signer_child_settings settings = {
		.program = "/proc/self/exe", .arguments = arguments};
	struct signer_child *child = NULL;
	struct error err = {0};

	must(loop_create(&bench->loop, &err), &err);
	settings.loop = bench->loop;
	must(signer_child_start(&child, &settings, &err) &&
			signer_child_set_issuer(child, TEXT(ISSUER), &err),
		&err);
	bench->port = signer_child_tokens(child);
	measure(bench, "token, from its process, 1 in flight", 1, here_ns);
	measure(bench, "token, from its process, 16 in flight", 16, 0);
	measure(bench, "token, from its process, 256 in flight", AT_ONCE_MAX, 0);
	signer_child_stop(&child);
	loop_destroy(&bench->loop);
}

static int serve(const char *folder)
{
	const struct signer_serving serving = {.folder = folder,
		.give_up_files = confine_keeper_files,
		.give_up_calls = confine_keeper_calls};

	return signer_serve(&serving);
}

static void remove_keys(const char *root, const char *keys)
{
	static const char *const names[] = {"token.pem", "checkpoint.pem", "master.key", "origin"};
	char path[2 * PATH_BYTES];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", keys, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(keys);
	(void)rmdir(root);
}

int main(int argc, char **argv)
{
	char root[] = "/tmp/signer-bench-XXXXXX", keys[PATH_BYTES];
	struct bench *bench = NULL;

	if (argc == 3)
		_exit(serve(argv[2]));
	bench = mkdtemp(root) == NULL ? NULL : calloc(1, sizeof *bench);
	if (bench == NULL)
		return 1;
	(void)snprintf(keys, sizeof keys, "%s/keys", root);
	bench->token = (struct access_token){.issuer = TEXT(ISSUER),
		.identity = TEXT("support-summariser"),
		.audience = TEXT(ISSUER "/mcp/files"),
		.id = TEXT("0123456789abcdefghjk"),
		.task = TEXT("t-00000000000000000000"),
		.scope = TEXT(ACCESS_TOKEN_SCOPE),
		.environment = ENVIRONMENT_STAGING};
	measure_there(bench, keys, measure_here(bench, keys));
	remove_keys(root, keys);
	free(bench);
	return 0;
}

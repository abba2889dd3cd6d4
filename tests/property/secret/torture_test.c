/* Every allocation of ours fails once: what was learned is found or was said not to be, and
 * nothing leaks (the sanitizer build checks that).  Looking allocates nothing at all.  The
 * linker sends malloc, calloc and realloc of this program here; OpenSSL's own are not ours
 * to fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/detect/detector.h"

enum { ALLOCATIONS_MAX = 2000, ARENA_BYTES = 1 << 16, NOW_MS = 1000 };

#define KEY "key-of-a-server-0123456789"
#define TOKEN "token-of-a-task-9876543210"

static long allocations_left = -1; /* negative: never fail */
static unsigned long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails_now(void)
{
	allocations++;
	return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails_now() ? NULL : __real_realloc(memory, size);
}

static void must(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	fprintf(stderr, "torture: %s\n", what);
	abort();
}

static int64_t now_of(void *context)
{
	(void)context;
	return NOW_MS;
}

static uint32_t count(struct detector *detector, const char *text)
{
	const struct json value = json_cstring(text);
	struct secret_tally tally = {0};
	unsigned long before = allocations;

	detector_count(detector, &value, &tally);
	must(allocations == before, "looking allocates nothing");
	return tally.count;
}

/* What is known is found; what passes is without it, or does not pass. */
static void use(struct detector *detector)
{
	const struct json value = json_cstring("x " KEY "\n y");
	struct arena *arena = arena_create(ARENA_BYTES);
	struct secret_tally tally = {0};
	struct json out;

	if (count(detector, KEY) == 1 && arena != NULL) {
		enum secret_handling handling =
			detector_pass(detector, arena, &value, &tally, &out);

		must(handling == SECRETS_BLOCKED || memmem(out.string.data, out.string.length, KEY,
							    strlen(KEY)) == NULL,
			"a secret passed");
	}
	arena_destroy(&arena);
}

/* True if nothing failed. */
static bool live(const struct detector_settings *settings)
{
	struct detector *detector = NULL;
	struct error err;
	bool ok = detector_open(&detector, settings, &err);

	must(ok == (detector != NULL), "open says one thing and does another");
	if (!ok)
		return false;
	detector_learn_credential(detector, TEXT("env:A"), TEXT("the-one-before-this-one"));
	detector_learn_credential(detector, TEXT("env:A"), TEXT(KEY));
	detector_learn_token(detector, TEXT(TOKEN), NOW_MS + 1);
	use(detector);
	ok = count(detector, KEY " " TOKEN " the-one-before-this-one") == 3;
	detector_close(&detector);
	return ok;
}

int main(void)
{
	char folder[] = "/tmp/secret-torture-XXXXXX", file[64];
	struct seal_key master = {{7}};
	struct detector_settings settings = {
		.master = &master, .kept_ms = 1000, .own = SECRETS_REDACTED, .wall_utc_ms = now_of};
	long failed = 0;

	must(mkdtemp(folder) != NULL, "no folder");
	(void)snprintf(file, sizeof file, "%s/fingerprints", folder);
	settings.folder = folder;
	for (; failed < ALLOCATIONS_MAX; failed++) {
		bool ok;

		allocations_left = failed;
		ok = live(&settings);
		if (allocations_left >= 0) { /* none was left to fail */
			must(ok, "it failed although nothing did");
			break;
		}
		allocations_left = -1;
		must(live(&settings), "it does not recover");
		(void)unlink(file);
	}
	must(failed > 10 && failed < ALLOCATIONS_MAX, "no allocation failed");
	(void)unlink(file);
	must(rmdir(folder) == 0, "something was left");
	printf("%ld allocations failed in turn\n", failed);
	return 0;
}

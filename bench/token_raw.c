/* The crypto ceiling: how often a second one core does so many ES256 verifications and
 * signatures, as OpenSSL does them, of messages as long as a token's.
 *
 * Usage: token-raw VERIFICATIONS SIGNATURES COUNT.  Prints one JSON line: {"count",
 * "per_second", "cpu_ns"}, the last of one. */
#include <string.h>

#include "base/private_key.h"
#include "bench.h"

enum { MESSAGE_BYTES = 400 };

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long verifications = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long signatures = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	unsigned long count = argc > 3 ? strtoul(argv[3], NULL, 10) : 2000;
	char bytes[MESSAGE_BYTES];
	struct text message = {bytes, sizeof bytes};
	uint8_t signature[SIGNATURE_BYTES_MAX], made[SIGNATURE_BYTES_MAX];
	struct private_key *key = NULL;
	struct error err = {0};
	size_t size = 0, made_size = 0;
	int64_t begun_ns, begun_cpu_ns;

	memset(bytes, 'x', sizeof bytes);
	must(count > 0 && private_key_generate(&key, SIGNATURE_ES256, &err) &&
		private_key_sign(key, message, signature, &size, &err));
	begun_ns = bench_now_ns();
	begun_cpu_ns = cpu_ns();
	for (unsigned long i = 0; i < count; i++) {
		for (unsigned long j = 0; j < verifications; j++)
			must(public_key_verify(private_key_public(key), message,
				(struct text){(const char *)signature, size}));
		for (unsigned long j = 0; j < signatures; j++)
			must(private_key_sign(key, message, made, &made_size, &err));
	}
	printf("{\"count\":%lu,\"per_second\":%.0f,\"cpu_ns\":%.0f}\n", count,
		(double)count * 1e9 / (double)(bench_now_ns() - begun_ns),
		(double)(cpu_ns() - begun_cpu_ns) / (double)count);
	private_key_destroy(&key);
	return 0;
}

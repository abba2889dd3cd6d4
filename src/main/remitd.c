/* remitd: the control plane. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "main/daemon.h"
#include "main/signer_process.h"
#include "main/version.h"

enum { ARENA_BYTES_MAX = 4 * 1024 * 1024, USAGE_BYTES_MAX = 16 * 1024 };
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static int say_usage(void)
{
	struct buffer text;

	buffer_init(&text, USAGE_BYTES_MAX);
	settings_usage(&text);
	(void)fwrite(text.data, 1, text.length, stdout);
	buffer_deinit(&text);
	return EXIT_DONE;
}

static int serve(const struct settings *settings, const struct daemon_arguments *arguments)
{
	struct daemon *daemon;
	struct error err = {0};
	bool ok;

	if (!daemon_create(&daemon, settings, arguments, &err)) {
		log_error("start_failed", LOG_STRING("why", err.text));
		return EXIT_FAILED;
	}
	ok = daemon_run(daemon, &err);
	if (!ok)
		log_error("stopped", LOG_STRING("why", err.text));
	daemon_destroy(&daemon);
	return ok ? EXIT_DONE : EXIT_FAILED;
}

static bool is_signer(int argc, char **argv)
{
	return argc == 3 && strcmp(argv[1], SIGNER_PROCESS_OPTION) == 0;
}

static int run(int argc, char **argv)
{
	const struct daemon_arguments arguments = {argc, argv};
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	struct settings settings;
	struct error err;
	int status = EXIT_USAGE;

	if (arena == NULL)
		return EXIT_FAILED;
	if (!settings_read(&settings, arena, argc, argv, &err))
		(void)fprintf(stderr, "remitd: %s\n", err.text);
	else if (settings.is_help)
		status = say_usage();
	else if (settings.is_version)
		status = printf("remitd %s\n", REMIT_VERSION) < 0 ? EXIT_FAILED : EXIT_DONE;
	else if (settings.is_check_only)
		status = printf("the settings are right\n") < 0 ? EXIT_FAILED : EXIT_DONE;
	else
		status = serve(&settings, &arguments);
	arena_destroy(&arena);
	return status;
}

int main(int argc, char **argv)
{
	/* At once: what would be cleared at an exit, the system clears. */
	if (is_signer(argc, argv))
		_exit(signer_process_run(argv[2]));
	return run(argc, argv);
}

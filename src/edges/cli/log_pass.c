#include "edges/cli/command.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "domain/charter/form.h"

/* What commands share that read the log of a data folder themselves. */

enum { BAR_CELLS = 30, BAR_DELAY_MS = 1000 };

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show_progress(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
	struct cli_bar *bar = context;
	int percent = total_bytes == 0 ? 100 : (int)(done_bytes * 100 / total_bytes);

	if (percent == bar->percent || now_ms() - bar->begun_ms < BAR_DELAY_MS)
		return;
	bar->percent = percent;
	(void)fprintf(stderr, "\r[%.*s%.*s] %3d%%", percent * BAR_CELLS / 100,
		"##############################", BAR_CELLS - percent * BAR_CELLS / 100,
		"..............................", percent);
	(void)fflush(stderr);
}

void (*cli_bar_start(struct cli_bar *bar))(void *, uint64_t, uint64_t)
{
	*bar = (struct cli_bar){now_ms(), -1};
	return isatty(STDERR_FILENO) ? show_progress : NULL;
}

void cli_bar_wipe(const struct cli_bar *bar)
{
	if (bar->percent >= 0)
		(void)fputs("\r\033[K", stderr);
}

static bool read_since(const char *word, int64_t *out_utc_ms)
{
	struct text text = text_of(word);
	int64_t seconds;

	*out_utc_ms = 0;
	if (word == NULL || text_to_int64(text, out_utc_ms))
		return true;
	if (text_to_duration_s(text, &seconds))
		*out_utc_ms = ((int64_t)time(NULL) - seconds) * 1000;
	else if (time_of_text(text, &seconds))
		*out_utc_ms = seconds * 1000;
	else
		return false;
	return true;
}

bool cli_read_since(struct cli *cli, int64_t *out_utc_ms)
{
	if (read_since(cli->values[OPTION_SINCE], out_utc_ms))
		return true;
	(void)cli_usage(cli, "--since: a time, 7d, or ms since 1970");
	return false;
}

bool cli_read_until(struct cli *cli, int64_t *out_utc_ms)
{
	const char *word = cli->values[OPTION_UNTIL];

	if (word == NULL)
		*out_utc_ms = (int64_t)time(NULL) * 1000 + 999;
	else if (!read_since(word, out_utc_ms))
		return cli_usage(cli, "--until: a time, 7d, or ms since 1970") == EXIT_DONE;
	return true;
}

const char *cli_data_folder(const struct cli *cli)
{
	return cli->values[OPTION_DATA] == NULL ? "./var" : cli->values[OPTION_DATA];
}

/* A peer is a program, installed/NAME/peer, that takes the folder of the workloads and
 * prints one JSON line a case.  It compares its answers with the expected ones before it
 * times anything, and exits 1 if one differs. */
#include "cedar_peers.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cedar/document.h"
#include "cedar_files.h"

enum { ARENA_BYTES_MAX = 16 << 20, NAME_BYTES = 256, WRITABLE = 0600 };

static const char *const names[] = {"cedar-rust", "cedar-go", "cedar-wasm", "opa", "sapl"};

/* How many times our time a peer's must be. */
static const struct bar {
	const char *peer;
	const char *title;
	double least;
} bars[] = {
	{"cedar-rust", "github", 20},
	{"cedar-rust", "gdrive", 20},
	{"cedar-rust", "tinytodo", 20},
	{"cedar-rust", "github-templates", 50},
	{"cedar-rust", "gdrive-templates", 50},
	{"cedar-go", "github", 6},
	{"cedar-go", "gdrive", 6},
	{"cedar-go", "tinytodo", 6},
	{"cedar-go", "load entities JSON, github", 4},
	{"cedar-go", "load entities JSON, gdrive", 4},
	{"cedar-go", "load entities JSON, tinytodo", 4},
	{"cedar-go", "load entities JSON, hospital-9905", 4},
	{"sapl", "github", 1},
	{"sapl", "gdrive", 1},
	{"sapl", "tinytodo", 1},
};

static double bar_of(const char *peer, const char *title)
{
	for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++) {
		if (strcmp(bars[i].peer, peer) == 0 && strcmp(bars[i].title, title) == 0)
			return bars[i].least;
	}
	return 0;
}

static size_t bars_of(const char *peer)
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++)
		count += strcmp(bars[i].peer, peer) == 0;
	return count;
}

/* A title of a peer may go on after ours: "github, request built before". */
static const struct peers_figure *figure_of(
	const struct peers_figure *ours, size_t count, const char *title)
{
	const struct peers_figure *best = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(ours[i].title);

		if (strncmp(ours[i].title, title, length) == 0 &&
			(title[length] == '\0' || title[length] == ','))
			best = &ours[i];
	}
	return best;
}

/* The child's standard output goes to the file path. */
static bool run_peer(const char *program, const char *root, const char *path)
{
	char *arguments[] = {strdup(program), strdup(root), NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status = -1;

	if (arguments[0] == NULL || arguments[1] == NULL ||
		posix_spawn_file_actions_init(&actions) != 0)
		abort();
	if (posix_spawn_file_actions_addopen(
		    &actions, STDOUT_FILENO, path, O_WRONLY | O_CREAT | O_TRUNC, WRITABLE) == 0 &&
		posix_spawn(&child, program, &actions, NULL, arguments, environ) == 0)
		(void)waitpid(child, &status, 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	free(arguments[0]);
	free(arguments[1]);
	return status == 0;
}

static bool read_text(const struct document *line, const char *name, char out[NAME_BYTES])
{
	const struct document *member = document_find(line, name);

	if (member == NULL || member->type != DOCUMENT_STRING ||
		member->string.length >= NAME_BYTES)
		return false;
	memcpy(out, member->string.data, member->string.length);
	out[member->string.length] = '\0';
	return true;
}

static bool read_ns(const struct document *line, const char *name, double *out)
{
	const struct document *member = document_find(line, name);

	if (member == NULL || member->type != DOCUMENT_INTEGER || member->integer <= 0)
		return false;
	*out = (double)member->integer;
	return true;
}

struct peer {
	const char *name;
	const struct peers_figure *ours;
	size_t count;
	bool is_met;        /* all bars so far */
	size_t bars_judged; /* so that a case which is not printed is no bar met */
};

/* What a peer says instead of figures: why there are none, or what it timed. */
static bool print_remark(const struct document *line, const char *engine, const char *title)
{
	static const char *const words[] = {"skipped", "note"};
	char text[NAME_BYTES];

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!read_text(line, words[i], text))
			continue;
		printf("{\"bench\":\"cedar\",\"case\":\"%s\",\"peer\":\"%s\",\"%s\":\"%s\"}\n",
			title, engine, words[i], text);
		return true;
	}
	return false;
}

static bool print_figures(
	struct peer *peer, const struct document *line, const char *engine, const char *title)
{
	const struct peers_figure *ours;
	double p50, p99, ratio, bar;

	if (!read_ns(line, "p50_ns", &p50) || !read_ns(line, "p99_ns", &p99))
		return false;
	ours = figure_of(peer->ours, peer->count, title);
	bar = bar_of(peer->name, title);
	if (ours == NULL)
		return false;
	ratio = p50 / ours->p50_ns;
	printf("{\"bench\":\"cedar\",\"case\":\"%s\",\"peer\":\"%s\",\"p50_ns\":%.0f,"
	       "\"p99_ns\":%.0f,\"per_second\":%.0f,\"ratio\":%.2f",
		title, engine, p50, p99, ours->per_run * 1e9 / p50, ratio);
	if (bar > 0)
		printf(",\"bar\":%.0f,\"met\":%s", bar, ratio >= bar ? "true" : "false");
	printf("}\n");
	peer->is_met &= ratio >= bar;
	peer->bars_judged += bar > 0;
	return true;
}

static bool print_line(struct peer *peer, const struct document *line)
{
	char engine[NAME_BYTES], title[NAME_BYTES];

	return line->type == DOCUMENT_OBJECT && read_text(line, "peer", engine) &&
	       read_text(line, "case", title) &&
	       (print_remark(line, engine, title) || print_figures(peer, line, engine, title));
}

static bool print_lines(struct peer *peer, struct arena *arena, struct cedar_text text)
{
	struct cedar_error err;
	size_t lines = 0;

	while (text.length > 0) {
		const char *end = memchr(text.data, '\n', text.length);
		struct cedar_text line = {
			text.data, end == NULL ? text.length : (size_t)(end - text.data)};
		struct document *document;

		if (!document_parse(&document, arena, line, &err) || !print_line(peer, document))
			return false;
		lines++;
		if (end == NULL)
			break;
		text.data += line.length + 1;
		text.length -= line.length + 1;
	}
	return lines > 0;
}

static void print_state(const char *name, const char *state, const char *why)
{
	printf("{\"bench\":\"cedar\",\"case\":\"peers\",\"peer\":\"%s\",\"%s\":\"%s\"}\n", name,
		state, why);
	fflush(stdout);
}

static bool compare(struct peer *peer, const char *program, const char *root)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	char path[2 * FILES_PATH_BYTES];
	struct cedar_text printed;
	bool ok;

	if (arena == NULL)
		return false;
	(void)snprintf(path, sizeof path, "%s/%s.jsonl", root, peer->name);
	ok = run_peer(program, root, path);
	printed = files_read(arena, path);
	if (!ok)
		print_state(peer->name, "failed", "it exited with a failure");
	if (printed.data == NULL || !print_lines(peer, arena, printed)) {
		print_state(peer->name, "failed", "it did not print its figures");
		ok = false;
	} else if (peer->bars_judged < bars_of(peer->name)) {
		print_state(peer->name, "failed", "a case with a bar is missing");
		ok = false;
	}
	fflush(stdout);
	arena_destroy(&arena);
	return ok;
}

bool peers_run(
	const char *installed, const char *root, const struct peers_figure *ours, size_t count)
{
	bool ok = true;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct peer peer = {.name = names[i], .ours = ours, .count = count, .is_met = true};
		char program[2 * FILES_PATH_BYTES];

		(void)snprintf(program, sizeof program, "%s/%s/peer", installed, names[i]);
		if (access(program, X_OK) != 0)
			print_state(names[i], "skipped", "not built: tools/deps bench");
		else
			ok &= compare(&peer, program, root) && peer.is_met;
	}
	return ok;
}

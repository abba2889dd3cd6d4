/* remit-verify: checks a log or a receipt offline, against a key.
 *
 * Links base, cedar and domain only: an auditor need not trust the daemon, nor
 * anything else on the machine that wrote the log.  Exit status: 0 sound, 1 not,
 * 2 it could not be decided or the command was wrong. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "domain/audit/envelope.h"
#include "domain/audit/receipt.h"
#include "domain/audit/verify.h"
#include "main/verify_answers.h"
#include "main/verify_replay.h"

enum {
	EXIT_SOUND = 0,
	EXIT_FAULT = 1,
	EXIT_USAGE = 2,
	KEYS_MAX = 16,
	INPUT_ARENA_BYTES = 64 * 1024 * 1024,
	OUTPUT_BYTES_MAX = 1024 * 1024,
	NAMES_FIRST = 64,
};

enum output { OUTPUT_TEXT = 0, OUTPUT_JSON };

struct options {
	struct note_key keys[KEYS_MAX]; /* the log's, then witnesses' */
	size_t key_count;
	bool has_key;
	struct text seen;
	enum audit_tail tail;
	enum output output;
	bool wants_replay;
	bool wants_approvals;
	const char *keys_folder; /* NULL: none */
	const char *charter;     /* whose is told; NULL: nobody's */
	const char *report;      /* what the receipt's record names; NULL: nothing */
	const char *path;
	bool wants_help;
};

static const char usage[] =
	"usage: remit-verify --key VKEY [--witness VKEY]... [--seen CHECKPOINT] [--allow-tail]\n"
	"                    [--replay [--keys KEYS_DIR] [--charter IDENTITY]] [--approvals]\n"
	"                    [-o text|json]\n"
	"                    [--report FILE] AUDIT_DIR|RECEIPT\n"
	"\n"
	"Checks a log folder, or one receipt, against the log's key.  VKEY is a verifier key or\n"
	"a file that holds one; CHECKPOINT is a file.  --replay also makes each decision again\n"
	"from what the log says it was made from; KEYS_DIR opens its arguments; --charter says\n"
	"what is in force of an identity at the end, as `remit identity prove`.  --approvals also\n"
	"checks that people's own keys signed their answers for exactly those calls.  --report\n"
	"checks that FILE is what the receipt's record says it wrote (a review's report).  Exit "
	"status:\n"
	"0 sound (and all as recorded), 1 not sound or not as recorded, 2 could not be decided.\n";

/* --- reading files ------------------------------------------------------------------ */

static bool fail(struct error *err, const char *what, const char *path)
{
	int saved = errno;

	return error_set(err, saved == ENOENT || saved == ENOTDIR ? ERROR_NOT_FOUND : ERROR_IO,
		"%s %s: %s", what, path, strerror(saved));
}

static bool read_all(
	int file, const char *path, struct arena *arena, struct text *out, struct error *err)
{
	struct stat status;
	size_t size, done;
	char *bytes;

	if (fstat(file, &status) != 0)
		return fail(err, "read", path);
	if (!S_ISREG(status.st_mode))
		return error_set(err, ERROR_INVALID, "%s is not a file", path);
	if (status.st_size > AUDIT_FILE_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "%s is too large", path);
	size = (size_t)status.st_size;
	bytes = arena_array(arena, char, size + 1);
	if (bytes == NULL)
		return error_set(err, ERROR_LIMIT, "%s: no memory", path);
	if (!file_read_all(file, bytes, size, &done))
		return fail(err, "read", path);
	*out = (struct text){bytes, done};
	return true;
}

static bool read_at(
	int folder, const char *path, struct arena *arena, struct text *out, struct error *err)
{
	int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (file < 0)
		return fail(err, "open", path);
	ok = read_all(file, path, arena, out, err);
	(void)close(file);
	return ok;
}

static bool source_read(
	void *context, const char *path, struct arena *arena, struct text *out, struct error *err)
{
	return read_at(*(int *)context, path, arena, out, err);
}

static bool is_folder(DIR *stream, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(status.st_mode);
}

/* Names found so far; grows in the arena. */
struct names {
	struct audit_name *items;
	size_t count;
	size_t capacity;
};

static bool names_add(struct names *names, struct arena *arena, const struct audit_name *name)
{
	struct audit_name *items;

	if (names->count == names->capacity) {
		names->capacity = names->capacity == 0 ? NAMES_FIRST : 2 * names->capacity;
		items = arena_array(arena, struct audit_name, names->capacity);
		if (items == NULL)
			return false;
		if (names->count > 0)
			memcpy(items, names->items, names->count * sizeof *items);
		names->items = items;
	}
	names->items[names->count++] = *name;
	return name->name.data != NULL;
}

static bool list_stream(
	DIR *stream, const char *path, struct arena *arena, struct names *names, struct error *err)
{
	for (;;) {
		struct dirent *entry;
		struct audit_name name;

		errno = 0;
		entry = readdir(stream);
		if (entry == NULL)
			return errno == 0 || fail(err, "list", path);
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		name = (struct audit_name){
			text_copy(arena, text_of(entry->d_name)), is_folder(stream, entry)};
		if (!names_add(names, arena, &name))
			return error_set(err, ERROR_LIMIT, "%s: too many names", path);
	}
}

static bool source_list(void *context, const char *path, struct arena *arena,
	struct audit_name **out_names, size_t *out_count, struct error *err)
{
	struct names names = {0};
	int folder = openat(
		*(int *)context, *path == '\0' ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = folder < 0 ? NULL : fdopendir(folder);
	bool ok;

	if (stream == NULL) {
		if (folder >= 0)
			(void)close(folder);
		return fail(err, "list", path);
	}
	ok = list_stream(stream, path, arena, &names, err);
	(void)closedir(stream);
	*out_names = names.items;
	*out_count = names.count;
	return ok;
}

/* --- options ------------------------------------------------------------------------- */

static struct text trimmed(struct text t)
{
	while (t.length > 0 && strchr(" \r\n", t.data[t.length - 1]) != NULL)
		t.length--;
	return t;
}

/* A verifier key, or a file that holds one. */
static bool take_key(struct options *options, size_t at, const char *value, struct arena *arena,
	struct error *err)
{
	struct text t = text_of(value);

	if (at >= KEYS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d keys", KEYS_MAX);
	if (strchr(value, '+') == NULL && !read_at(AT_FDCWD, value, arena, &t, err))
		return false;
	if (!note_key_parse(&options->keys[at], trimmed(t), err))
		return error_wrap(err, "%s", value);
	return true;
}

static bool set_key(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	options->has_key = true;
	return take_key(options, 0, value, arena, err);
}

static bool set_witness(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	return take_key(options, options->key_count, value, arena, err) && ++options->key_count;
}

static bool set_seen(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	if (!read_at(AT_FDCWD, value, arena, &options->seen, err))
		return false;
	return options->seen.length > 0 || error_set(err, ERROR_INVALID, "%s is empty", value);
}

static bool set_tail(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	(void)value;
	(void)arena;
	(void)err;
	options->tail = AUDIT_ALLOW_TAIL;
	return true;
}

static bool set_output(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	(void)arena;
	if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
		return error_set(err, ERROR_INVALID, "-o takes text or json");
	options->output = strcmp(value, "json") == 0 ? OUTPUT_JSON : OUTPUT_TEXT;
	return true;
}

static bool set_replay(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	(void)value;
	(void)arena;
	(void)err;
	options->wants_replay = true;
	return true;
}

static bool set_approvals(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	(void)value;
	(void)arena;
	(void)err;
	options->wants_approvals = true;
	return true;
}

static bool set_keys(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	(void)arena;
	(void)err;
	options->keys_folder = value;
	return true;
}

static bool set_charter(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	(void)arena;
	(void)err;
	options->charter = value;
	return true;
}

static bool set_report(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	(void)arena;
	(void)err;
	options->report = value;
	return true;
}

static bool set_help(
	struct options *options, const char *value, struct arena *arena, struct error *err)
{
	(void)value;
	(void)arena;
	(void)err;
	options->wants_help = true;
	return true;
}

static const struct option_row {
	const char *name;
	bool takes_value;
	bool (*set)(
		struct options *options, const char *value, struct arena *arena, struct error *err);
} option_rows[] = {
	{"--key", true, set_key},
	{"--witness", true, set_witness},
	{"--seen", true, set_seen},
	{"--allow-tail", false, set_tail},
	{"--replay", false, set_replay},
	{"--keys", true, set_keys},
	{"--charter", true, set_charter},
	{"--approvals", false, set_approvals},
	{"--report", true, set_report},
	{"-o", true, set_output},
	{"--help", false, set_help},
	{"-h", false, set_help},
};

static const struct option_row *find_option(const char *name)
{
	for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
		if (strcmp(option_rows[i].name, name) == 0)
			return &option_rows[i];
	}
	return NULL;
}

static bool take_argument(
	struct options *options, char **argv, int *at, struct arena *arena, struct error *err)
{
	const struct option_row *row = find_option(argv[*at]);
	const char *value = NULL;

	if (row == NULL && argv[*at][0] == '-')
		return error_set(err, ERROR_INVALID, "unknown option %s", argv[*at]);
	if (row == NULL && options->path != NULL)
		return error_set(err, ERROR_INVALID, "one folder or receipt at a time");
	if (row == NULL) {
		options->path = argv[*at];
		return true;
	}
	if (row->takes_value) {
		value = argv[++*at];
		if (value == NULL)
			return error_set(err, ERROR_INVALID, "%s needs a value", row->name);
	}
	return row->set(options, value, arena, err);
}

static bool parse_options(
	struct options *options, char **argv, struct arena *arena, struct error *err)
{
	options->key_count = 1;
	for (int at = 1; argv[at] != NULL; at++) {
		if (!take_argument(options, argv, &at, arena, err))
			return false;
	}
	if (options->wants_help)
		return true;
	if (!options->has_key)
		return error_set(err, ERROR_INVALID,
			"--key is needed: a log that vouches for "
			"itself proves nothing");
	if (options->charter != NULL && !options->wants_replay)
		return error_set(err, ERROR_INVALID, "--charter is for --replay");
	if (options->keys_folder != NULL && !options->wants_replay)
		return error_set(err, ERROR_INVALID, "--keys is for --replay");
	return options->path != NULL || error_set(err, ERROR_INVALID, "which folder or receipt?");
}

/* --- saying it ----------------------------------------------------------------------- */

static void print_buffer(struct buffer *out)
{
	if (buffer_failed(out))
		fputs("remit-verify: the output is too long\n", stderr);
	else
		(void)fwrite(out->data, 1, out->length, stdout);
	buffer_deinit(out);
}

static void append_time(struct buffer *out, int64_t at_utc_ms)
{
	char text[TIME_TEXT_BYTES];

	time_format_utc_ms(text, at_utc_ms);
	buffer_append_string(out, text);
}

static void append_record(struct buffer *out, uint64_t index, const char *type, int64_t at_utc_ms)
{
	buffer_append_format(out, "record #%" PRIu64, index);
	if (type[0] == '\0')
		return;
	buffer_append_format(out, " (%s, ", type);
	append_time(out, at_utc_ms);
	buffer_append_string(out, ")");
}

static void append_report(struct buffer *out, const struct audit_report *report)
{
	if (report->fault == AUDIT_SOUND) {
		buffer_append_format(out,
			"sound: %s, %" PRIu64 " entries signed, %" PRIu64 " segment%s, %" PRIu64
			" tiles\n",
			report->origin, report->head.size, report->segments,
			report->segments == 1 ? "" : "s", report->tiles);
		if (report->entries > report->head.size || report->has_torn_tail)
			buffer_append_format(out, "tail: %" PRIu64 " not signed yet%s\n",
				report->entries - report->head.size,
				report->has_torn_tail ? ", a torn batch" : "");
		return;
	}
	buffer_append_format(
		out, "NOT SOUND: %s: %s\n", audit_fault_name(report->fault), report->text);
	if (report->has_index) {
		buffer_append_string(out, "  ");
		append_record(out, report->index, report->has_record ? report->type : "",
			report->at_utc_ms);
		buffer_append_string(out, "\n");
	}
	if (report->file[0] != '\0')
		buffer_append_format(out, "  file %s", report->file);
	if (report->file[0] != '\0' && report->has_offset)
		buffer_append_format(out, ", offset %" PRIu64, report->offset);
	if (report->file[0] != '\0')
		buffer_append_string(out, "\n");
}

static void append_member(struct buffer *out, const char *name, struct text value)
{
	buffer_append_format(out, ",\"%s\":", name);
	json_append_string(out, value);
}

static void append_report_json(struct buffer *out, const struct audit_report *report)
{
	buffer_append_format(out, "{\"sound\":%s", report->fault == AUDIT_SOUND ? "true" : "false");
	append_member(out, "fault", text_of(audit_fault_name(report->fault)));
	if (report->fault != AUDIT_SOUND)
		append_member(out, "text", text_of(report->text));
	if (report->file[0] != '\0')
		append_member(out, "file", text_of(report->file));
	if (report->has_offset)
		buffer_append_format(out, ",\"offset\":%" PRIu64, report->offset);
	if (report->has_index)
		buffer_append_format(out, ",\"record\":%" PRIu64, report->index);
	if (report->has_record) {
		append_member(out, "type", text_of(report->type));
		buffer_append_format(out, ",\"at\":%" PRId64, report->at_utc_ms);
	}
	append_member(out, "origin", text_of(report->origin));
	buffer_append_format(out,
		",\"signed\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"segments\":%" PRIu64
		",\"tiles\":%" PRIu64 ",\"torn\":%s",
		report->head.size, report->entries, report->segments, report->tiles,
		report->has_torn_tail ? "true" : "false");
}

/* --- the two things it checks ------------------------------------------------------------ */

/* What is asked of a log besides being sound; either may be NULL. */
struct questions {
	struct verify_replay *replay;
	struct answer_audit *answers;
};

static bool take_entry(void *context, const struct audit_entry *entry, struct error *err)
{
	const struct questions *questions = context;
	const struct audit_visitor *visitor;

	if (questions->answers != NULL &&
		!answer_audit_feed(questions->answers, entry->index, entry->entry, err))
		return false;
	if (questions->replay == NULL)
		return true;
	visitor = verify_replay_visitor(questions->replay);
	return visitor->entry(visitor->context, entry, err);
}

static bool questions_open(
	struct questions *questions, const struct options *options, struct error *err)
{
	*questions = (struct questions){0};
	if (options->wants_replay &&
		!verify_replay_open(&questions->replay, options->keys_folder, err))
		return false;
	if (options->charter != NULL)
		verify_replay_ask_charter(questions->replay, options->charter);
	return !options->wants_approvals || answer_audit_create(&questions->answers, err);
}

static void append_answers_text(
	struct buffer *out, const struct options *options, const struct questions *questions)
{
	if (options->output == OUTPUT_JSON) {
		if (questions->replay != NULL) {
			buffer_append_string(out, ",\"replay\":");
			verify_replay_append_json(out, questions->replay);
		}
		if (questions->answers != NULL) {
			buffer_append_string(out, ",\"approvals\":");
			verify_answers_append_json(out, questions->answers);
		}
		return;
	}
	if (questions->replay != NULL)
		verify_replay_append(out, questions->replay);
	if (questions->answers != NULL)
		verify_answers_append(out, questions->answers);
}

/* Of a log that is not sound nothing else is said. */
static void print_folder(const struct options *options, const struct audit_report *report,
	const struct questions *questions)
{
	bool is_sound = report->fault == AUDIT_SOUND;
	struct buffer out;

	buffer_init(&out, OUTPUT_BYTES_MAX);
	if (options->output == OUTPUT_JSON)
		append_report_json(&out, report);
	else
		append_report(&out, report);
	if (is_sound)
		append_answers_text(&out, options, questions);
	if (options->output == OUTPUT_JSON)
		buffer_append_string(&out, "}\n");
	print_buffer(&out);
}

static int replay_status(const struct verify_replay *replay)
{
	if (replay == NULL)
		return EXIT_SOUND;
	switch (verify_replay_result(replay)) {
	case VERIFY_REPLAYED_ALL: return EXIT_SOUND;
	case VERIFY_REPLAYED_DIFFERS: return EXIT_FAULT;
	case VERIFY_REPLAYED_SOME: break;
	}
	return EXIT_USAGE;
}

static int answers_status(const struct answer_audit *answers)
{
	if (answers == NULL)
		return EXIT_SOUND;
	switch (verify_answers_result(answers)) {
	case VERIFY_ANSWERED_ALL: return EXIT_SOUND;
	case VERIFY_ANSWERED_WRONG: return EXIT_FAULT;
	case VERIFY_ANSWERED_SOME: break;
	}
	return EXIT_USAGE;
}

/* What is wrong counts before what could not be decided. */
static int folder_status(const struct audit_report *report, const struct questions *questions)
{
	int replayed = replay_status(questions->replay);
	int answered = answers_status(questions->answers);

	if (report->fault != AUDIT_SOUND || replayed == EXIT_FAULT || answered == EXIT_FAULT)
		return EXIT_FAULT;
	return replayed == EXIT_USAGE ? replayed : answered;
}

static int verify_folder(const struct options *options, int folder)
{
	struct audit_source source = {&folder, source_read, source_list};
	struct audit_demands demands = {.keys = options->keys,
		.key_count = options->key_count,
		.seen = options->seen,
		.tail = options->tail};
	struct questions questions;
	const struct audit_visitor visitor = {&questions, take_entry};
	struct audit_report report;
	struct error err = {0};
	int status = EXIT_USAGE;

	demands.visitor = &visitor;
	if (questions_open(&questions, options, &err) &&
		audit_verify(&report, &source, &demands, &err)) {
		print_folder(options, &report, &questions);
		status = folder_status(&report, &questions);
	} else {
		fprintf(stderr, "remit-verify: %s\n", err.text);
	}
	verify_replay_close(&questions.replay);
	answer_audit_destroy(&questions.answers);
	return status;
}

static void print_receipt(const struct options *options, const struct receipt *receipt,
	const struct checkpoint *checkpoint, struct arena *arena)
{
	struct envelope envelope = {0};
	struct error ignored = {0};
	char type[AUDIT_TYPE_BYTES] = "";
	struct buffer out;

	if (envelope_parse(&envelope, NULL, arena, receipt->entry, &ignored))
		(void)snprintf(type, sizeof type, "%.*s", TEXT_ARGS(envelope.type_name));
	buffer_init(&out, OUTPUT_BYTES_MAX);
	if (options->output == OUTPUT_JSON) {
		buffer_append_string(&out, "{\"sound\":true,\"fault\":\"sound\"");
		append_member(&out, "origin", checkpoint->origin);
		buffer_append_format(&out, ",\"record\":%" PRIu64 ",\"signed\":%" PRIu64,
			receipt->index, checkpoint->head.size);
		append_member(&out, "entry", receipt->entry);
		buffer_append_string(&out, "}\n");
	} else {
		buffer_append_string(&out, "sound: ");
		append_record(&out, receipt->index, type, envelope.at_utc_ms);
		buffer_append_format(&out, " is in %.*s of %" PRIu64 " entries\n",
			TEXT_ARGS(checkpoint->origin), checkpoint->head.size);
		buffer_append_text(&out, receipt->entry);
		buffer_append_byte(&out, '\n');
	}
	print_buffer(&out);
}

static void print_bad_receipt(const struct options *options, const struct error *err)
{
	struct buffer out;

	buffer_init(&out, OUTPUT_BYTES_MAX);
	if (options->output == OUTPUT_JSON) {
		buffer_append_string(&out, "{\"sound\":false,\"fault\":\"bad-receipt\"");
		append_member(&out, "text", text_of(err->text));
		buffer_append_string(&out, "}\n");
	} else {
		buffer_append_format(&out, "NOT SOUND: bad-receipt: %s\n", err->text);
	}
	print_buffer(&out);
}

/* That the file given is what the record says lies beside it. */
static bool check_named_file(const struct options *options, const struct receipt *receipt,
	struct arena *arena, struct error *err)
{
	struct envelope envelope;
	struct sha256 named, found;
	struct text bytes = {0};

	if (options->report == NULL)
		return true;
	if (!read_at(AT_FDCWD, options->report, arena, &bytes, err))
		return false;
	found = sha256_of(bytes.data, bytes.length);
	return (envelope_parse(&envelope, NULL, arena, receipt->entry, err) &&
		       digest_parse(envelope.content, &named) && sha256_equal(&named, &found)) ||
	       error_set(err, ERROR_INVALID, "%s is not what the record names", options->report);
}

static int verify_receipt(const struct options *options, struct arena *arena)
{
	struct checkpoint checkpoint;
	struct receipt receipt;
	struct error err = {0};
	struct text t = {0};

	if (!read_at(AT_FDCWD, options->path, arena, &t, &err)) {
		fprintf(stderr, "remit-verify: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (!receipt_parse(&receipt, arena, t, &err) ||
		!receipt_verify(
			&checkpoint, arena, &receipt, options->keys, options->key_count, &err)) {
		print_bad_receipt(options, &err);
		return err.code == ERROR_LIMIT ? EXIT_USAGE : EXIT_FAULT;
	}
	if (!check_named_file(options, &receipt, arena, &err)) {
		print_bad_receipt(options, &err);
		return err.code == ERROR_INVALID ? EXIT_FAULT : EXIT_USAGE;
	}
	print_receipt(options, &receipt, &checkpoint, arena);
	return EXIT_SOUND;
}

static int verify(const struct options *options, struct arena *arena)
{
	int folder = open(options->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status;

	if (folder < 0 && errno == ENOTDIR && (options->wants_replay || options->wants_approvals)) {
		fputs("remit-verify: a receipt cannot be replayed: it holds one record\n", stderr);
		return EXIT_USAGE;
	}
	if (folder < 0 && errno == ENOTDIR)
		return verify_receipt(options, arena);
	if (folder >= 0 && options->report != NULL) {
		(void)close(folder);
		fputs("remit-verify: --report takes a receipt, not a folder\n", stderr);
		return EXIT_USAGE;
	}
	if (folder < 0) {
		fprintf(stderr, "remit-verify: open %s: %s\n", options->path, strerror(errno));
		return EXIT_USAGE;
	}
	status = verify_folder(options, folder);
	(void)close(folder);
	return status;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_create(INPUT_ARENA_BYTES);
	struct options *options = calloc(1, sizeof *options);
	struct error err = {0};
	int status = EXIT_USAGE;

	(void)argc;
	if (arena == NULL || options == NULL)
		fputs("remit-verify: no memory\n", stderr);
	else if (!parse_options(options, argv, arena, &err))
		fprintf(stderr, "remit-verify: %s\n%s", err.text, usage);
	else if (options->wants_help)
		status = fputs(usage, stdout) < 0 ? EXIT_USAGE : EXIT_SOUND;
	else
		status = verify(options, arena);
	if (fflush(stdout) != 0)
		status = EXIT_USAGE;
	free(options);
	arena_destroy(&arena);
	return status;
}

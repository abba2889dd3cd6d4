/* authzen-cases [--token-file FILE] URL PATH...: the published AuthZEN cases in each PATH
 * (a folder, a file of interop cases, or certification-cases.json) against the decision
 * point at URL.  FILE holds the access token.  Prints one JSON line a case, then `N passed,
 * N failed`; exits 1 if one failed, 77 if a PATH is absent and nothing failed. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <curl/curl.h>

#include "base/buffer.h"
#include "base/json.h"

enum {
	FILE_BYTES_MAX = 4 * 1024 * 1024,
	ARENA_BYTES_MAX = 256 * 1024 * 1024,
	ANSWER_BYTES_MAX = 4 * 1024 * 1024,
	TIMEOUT_MS = 20000,
	URL_BYTES_MAX = 2048,
	FILES_MAX = 64,
};
#define REQUEST_ID "case-1f2e"

struct runner {
	CURL *curl;
	struct arena *arena;
	const char *url;
	char token[8192]; /* "Authorization: Bearer ..."; empty: none */
	char page_token[1024];
	unsigned passed;
	unsigned failed;
	unsigned absent;
};

struct answer {
	long status;
	bool is_json;
	bool has_request_id;
	struct json body;
	const char *fault; /* NULL: none */
};

/* ---- HTTP ---- */

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct buffer *buffer = context;

	buffer_append(buffer, data, size * count);
	return buffer_failed(buffer) ? 0 : size * count;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	struct answer *answer = context;
	static const char name[] = "X-Request-ID: " REQUEST_ID;

	if (size * count >= sizeof name - 1 && strncasecmp(data, name, sizeof name - 1) == 0)
		answer->has_request_id = true;
	return size * count;
}

static bool exchange(struct runner *runner, const char *url, const char *content_type,
	const struct text *body, struct answer *out)
{
	struct curl_slist *headers = NULL;
	struct buffer buffer;
	char line[256];
	char *type = NULL;
	struct error err;
	bool ok;

	*out = (struct answer){0};
	buffer_init(&buffer, ANSWER_BYTES_MAX);
	curl_easy_reset(runner->curl);
	(void)snprintf(line, sizeof line, "Content-Type: %s", content_type);
	headers = curl_slist_append(headers, "X-Request-ID: " REQUEST_ID);
	headers = curl_slist_append(headers, "Expect:");
	if (body != NULL)
		headers = curl_slist_append(headers, line);
	if (runner->token[0] != '\0')
		headers = curl_slist_append(headers, runner->token);
	curl_easy_setopt(runner->curl, CURLOPT_URL, url);
	curl_easy_setopt(runner->curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(runner->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(runner->curl, CURLOPT_WRITEDATA, &buffer);
	curl_easy_setopt(runner->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(runner->curl, CURLOPT_HEADERDATA, out);
	curl_easy_setopt(runner->curl, CURLOPT_HTTPHEADER, headers);
	if (body != NULL) {
		curl_easy_setopt(runner->curl, CURLOPT_POSTFIELDSIZE, (long)body->length);
		curl_easy_setopt(runner->curl, CURLOPT_COPYPOSTFIELDS, body->data);
	}
	ok = curl_easy_perform(runner->curl) == CURLE_OK;
	curl_slist_free_all(headers);
	if (ok) {
		curl_easy_getinfo(runner->curl, CURLINFO_RESPONSE_CODE, &out->status);
		curl_easy_getinfo(runner->curl, CURLINFO_CONTENT_TYPE, &type);
		out->is_json = type != NULL && strncmp(type, "application/json",
						       sizeof "application/json" - 1) == 0;
		if (!json_parse(&out->body, runner->arena,
			    text_copy(runner->arena, buffer_text(&buffer)), &json_limits_default,
			    &err))
			out->is_json = false;
	} else {
		out->fault = "no answer";
	}
	buffer_deinit(&buffer);
	return ok;
}

/* ---- what should come ---- */

static bool is_decision(const struct json *value)
{
	const struct json *decision = json_find(value, "decision");

	return decision != NULL && decision->type == JSON_BOOLEAN;
}

static bool same_decision(const struct json *a, const struct json *b)
{
	return is_decision(a) && is_decision(b) &&
	       json_find(a, "decision")->boolean == json_find(b, "decision")->boolean;
}

/* Every item of a is in b. */
static bool is_within(const struct json *a, const struct json *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		bool found = false;

		for (uint32_t j = 0; j < b->count && !found; j++)
			found = json_equal(&a->items[i], &b->items[j]);
		if (!found)
			return false;
	}
	return true;
}

static bool same_list(const struct json *got, const struct json *expected)
{
	if (got == NULL || got->type != JSON_ARRAY || got->count != expected->count)
		return false;
	for (uint32_t i = 0; i < got->count; i++)
		if (!same_decision(&got->items[i], &expected->items[i]))
			return false;
	return true;
}

static bool same_results(const struct json *got, const struct json *expected, bool is_at_least)
{
	const struct json *found = json_find(got, "results");

	if (found == NULL || found->type != JSON_ARRAY)
		return false;
	return is_within(expected, found) && (is_at_least || found->count == expected->count);
}

static bool is_shaped(const struct json *body)
{
	const struct json *list = json_find(body, "evaluations");
	const struct json *results = json_find(body, "results");

	if (results != NULL)
		return results->type == JSON_ARRAY;
	if (list == NULL)
		return is_decision(body);
	for (uint32_t i = 0; i < list->count; i++)
		if (!is_decision(&list->items[i]))
			return false;
	return list->type == JSON_ARRAY;
}

/* response: {decision}, {evaluations: [...]} or {results: [...]}. */
static bool is_as_expected(const struct json *body, const struct json *response, bool is_at_least)
{
	const struct json *list = json_find(response, "evaluations");
	const struct json *results = json_find(response, "results");

	if (results != NULL)
		return same_results(body, results, is_at_least);
	if (list != NULL)
		return same_list(json_find(body, "evaluations"), list);
	return same_decision(body, response);
}

/* ---- reporting ---- */

static void report(
	struct runner *runner, const struct json *test, const char *group, const char *fault)
{
	struct buffer line;

	buffer_init(&line, FILE_BYTES_MAX);
	buffer_append_string(&line, "{\"case\":");
	json_append_string(&line, json_text_or(test, "id", ""));
	buffer_append_string(&line, ",\"group\":");
	json_append_string(&line, text_of(group));
	buffer_append_format(&line, ",\"held\":%s", fault == NULL ? "true" : "false");
	if (fault != NULL) {
		buffer_append_string(&line, ",\"why\":");
		json_append_string(&line, text_of(fault));
	}
	buffer_append_string(&line, "}\n");
	(void)fwrite(line.data, 1, line.length, stdout);
	buffer_deinit(&line);
	if (fault == NULL)
		runner->passed++;
	else
		runner->failed++;
}

/* ---- interop cases ---- */

static const char *check_interop(
	struct runner *runner, const struct json *test, struct answer *answer)
{
	const struct json *request = json_find(test, "request");
	const struct json *expected = json_find(test, "expected");
	struct text endpoint = json_text_or(test, "endpoint", "");
	struct text body =
		request == NULL ? (struct text){0} : json_canonical_text(runner->arena, request);
	const struct json *results;
	char url[URL_BYTES_MAX];

	if (body.data == NULL || expected == NULL)
		return "the case is malformed";
	(void)snprintf(url, sizeof url, "%s/access/v1/%.*s", runner->url, TEXT_ARGS(endpoint));
	if (!exchange(runner, url, "application/json", &body, answer))
		return answer->fault;
	if (answer->status != 200 || !answer->is_json)
		return "not 200 with JSON";
	if (expected->type == JSON_BOOLEAN)
		return is_decision(&answer->body) &&
				       json_find(&answer->body, "decision")->boolean ==
					       expected->boolean
			       ? NULL
			       : "another decision";
	if (expected->type == JSON_ARRAY)
		return same_list(json_find(&answer->body, "evaluations"), expected)
			       ? NULL
			       : "other decisions";
	results = json_find(expected, "results");
	return results != NULL && same_results(&answer->body, results, false) ? NULL
									      : "other results";
}

/* ---- certification cases ---- */

/* The body with a page token of an answer before in place of "<...>". */
static struct text body_of(struct runner *runner, const struct json *request)
{
	const struct json *body = json_find(request, "body");
	struct text text = body == NULL ? json_text_or(request, "raw", "")
					: json_canonical_text(runner->arena, body);
	const char *mark = text.data == NULL ? NULL : strchr(text.data, '<');
	const char *end = mark == NULL ? NULL : strchr(mark, '>');

	if (end == NULL || body == NULL)
		return text;
	return text_format(runner->arena, "%.*s%s%s", (int)(mark - text.data), text.data,
		runner->page_token, end + 1);
}

static void keep_page_token(struct runner *runner, const struct json *body)
{
	const struct json *page = json_find(body, "page");
	struct text token = page == NULL ? (struct text){0} : json_text_or(page, "next_token", "");

	if (token.length > 0)
		(void)snprintf(
			runner->page_token, sizeof runner->page_token, "%.*s", TEXT_ARGS(token));
}

static const char *check_answer(
	const struct json *test, const struct answer *answer, const struct answer *again)
{
	struct text match = json_text_or(test, "match", "structure");
	const struct json *response = json_find(test, "response");
	int64_t status = json_integer_or(test, "status", 0);

	if (answer->status != status)
		return "another status";
	if (!answer->is_json)
		return "not application/json";
	if (!answer->has_request_id)
		return "X-Request-ID is not echoed";
	if (status != 200)
		return NULL;
	if (!is_shaped(&answer->body))
		return "not of the shape";
	if (response != NULL && !text_is(match, "structure") &&
		!is_as_expected(&answer->body, response, text_is(match, "at-least")))
		return "another decision";
	return again->status == answer->status &&
			       (!is_decision(&answer->body) ||
				       same_decision(&answer->body, &again->body))
		       ? NULL
		       : "another answer the second time";
}

static const char *check_requests(struct runner *runner, const struct json *test)
{
	const struct json *requests = json_find(test, "requests");
	const char *fault = NULL;

	for (uint32_t i = 0; i < requests->count && fault == NULL; i++) {
		const struct json *request = &requests->items[i];
		struct text type = json_text_or(request, "content_type", "application/json");
		struct text endpoint = json_text_or(request, "endpoint", "");
		struct text body = body_of(runner, request);
		struct answer answer, again;
		char content_type[128], url[URL_BYTES_MAX];

		if (body.data == NULL)
			return "the case is malformed";
		(void)snprintf(content_type, sizeof content_type, "%.*s", TEXT_ARGS(type));
		(void)snprintf(
			url, sizeof url, "%s/access/v1/%.*s", runner->url, TEXT_ARGS(endpoint));
		if (!exchange(runner, url, content_type, &body, &answer) ||
			!exchange(runner, url, content_type, &body, &again))
			return "no answer";
		keep_page_token(runner, &answer.body);
		fault = check_answer(test, &answer, &again);
	}
	return fault;
}

/* Section 6: the document at the point's address names the point itself. */
static const char *check_discovery(struct runner *runner, const struct json *test)
{
	struct answer answer;
	struct text path = json_text_or(test, "path", "");
	char url[URL_BYTES_MAX], endpoint[URL_BYTES_MAX];

	(void)snprintf(url, sizeof url, "%s%.*s", runner->url, TEXT_ARGS(path));
	if (!exchange(runner, url, "", NULL, &answer))
		return answer.fault;
	if (answer.status != 200 || !answer.is_json)
		return "not 200 with JSON";
	(void)snprintf(endpoint, sizeof endpoint, "%s/access/v1/evaluation", runner->url);
	if (!text_is(json_text_or(&answer.body, "policy_decision_point", ""), runner->url))
		return "policy_decision_point is not the address";
	return text_is(json_text_or(&answer.body, "access_evaluation_endpoint", ""), endpoint)
		       ? NULL
		       : "access_evaluation_endpoint is not below the address";
}

static void run_case(struct runner *runner, const struct json *test)
{
	struct text level = json_text_or(test, "level", "");
	struct answer answer;
	const char *fault;
	char group[64];

	if (level.length == 0) {
		struct text id = json_text_or(test, "id", "");

		(void)snprintf(group, sizeof group, "%.*s",
			(int)(id.length > 4 ? id.length - 4 : id.length), id.data);
		fault = check_interop(runner, test, &answer);
	} else {
		(void)snprintf(group, sizeof group, "%.*s", TEXT_ARGS(level));
		fault = json_find(test, "requests") == NULL ? check_discovery(runner, test)
							    : check_requests(runner, test);
	}
	report(runner, test, group, fault);
}

/* ---- files ---- */

static bool read_file(struct text *out, struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	char *bytes = arena_array(arena, char, FILE_BYTES_MAX);

	if (file == NULL || bytes == NULL) {
		if (file != NULL)
			fclose(file);
		return false;
	}
	*out = (struct text){bytes, fread(bytes, 1, FILE_BYTES_MAX - 1, file)};
	fclose(file);
	return true;
}

/* A JSON array of cases. */
static bool run_file(struct runner *runner, const char *path)
{
	struct text text = {0};
	struct json root;
	struct error err;
	unsigned count = 0;

	if (!read_file(&text, runner->arena, path))
		return false;
	if (json_parse(&root, runner->arena, text, &json_limits_default, &err) &&
		root.type == JSON_ARRAY) {
		for (; count < root.count; count++)
			run_case(runner, &root.items[count]);
		return count > 0;
	}
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void run_folder(struct runner *runner, const char *folder)
{
	char names[FILES_MAX][256];
	char path[URL_BYTES_MAX];
	size_t count = 0;
	DIR *open = opendir(folder);
	const struct dirent *entry;

	while (open != NULL && count < FILES_MAX && (entry = readdir(open)) != NULL)
		if (text_ends_with(text_of(entry->d_name), ".json"))
			(void)snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
	if (open != NULL)
		closedir(open);
	qsort(names, count, sizeof names[0], compare_names);
	for (size_t i = 0; i < count; i++) {
		int length = snprintf(path, sizeof path, "%s/%s", folder, names[i]);

		if (length < 0 || (size_t)length >= sizeof path || !run_file(runner, path)) {
			fprintf(stderr, "%s: not a file of cases\n", path);
			runner->failed++;
		}
	}
}

/* The published folder, or one of cases, or a file. */
static void run_path(struct runner *runner, const char *path)
{
	char inner[URL_BYTES_MAX];
	struct stat found;

	if (stat(path, &found) != 0) {
		fprintf(stderr, "skipped: there is no %s\n", path);
		runner->absent++;
		return;
	}
	if (!S_ISDIR(found.st_mode)) {
		if (!run_file(runner, path)) {
			fprintf(stderr, "%s: not a file of cases\n", path);
			runner->failed++;
		}
		return;
	}
	(void)snprintf(inner, sizeof inner, "%s/cases", path);
	if (stat(inner, &found) != 0) {
		run_folder(runner, path);
		return;
	}
	run_folder(runner, inner);
	(void)snprintf(inner, sizeof inner, "%s/certification-cases.json", path);
	if (!run_file(runner, inner))
		runner->failed++;
}

static bool read_token(struct runner *runner, const char *path)
{
	struct text text = {0};

	if (!read_file(&text, runner->arena, path))
		return false;
	while (text.length > 0 && text.data[text.length - 1] <= ' ')
		text.length--;
	(void)snprintf(
		runner->token, sizeof runner->token, "Authorization: Bearer %.*s", TEXT_ARGS(text));
	return text.length > 0;
}

int main(int argc, char **argv)
{
	struct runner runner = {.arena = arena_create(ARENA_BYTES_MAX), .curl = curl_easy_init()};
	int at = 1;

	if (runner.arena == NULL || runner.curl == NULL)
		return 1;
	if (argc > 2 && strcmp(argv[1], "--token-file") == 0) {
		if (!read_token(&runner, argv[2])) {
			fprintf(stderr, "%s: holds no token\n", argv[2]);
			return 2;
		}
		at = 3;
	}
	if (argc - at < 2) {
		fprintf(stderr, "usage: authzen-cases [--token-file FILE] URL PATH...\n");
		return 2;
	}
	runner.url = argv[at];
	for (int i = at + 1; i < argc; i++)
		run_path(&runner, argv[i]);
	printf("%u passed, %u failed\n", runner.passed, runner.failed);
	curl_easy_cleanup(runner.curl);
	arena_destroy(&runner.arena);
	if (runner.failed > 0)
		return 1;
	return runner.absent > 0 ? 77 : 0;
}

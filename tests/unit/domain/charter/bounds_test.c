#include "domain/charter/charter.h"
#include "domain/charter/connector.h"
#include "domain/charter/federation.h"
#include "domain/charter/object.h"
#include "domain/charter/outbound.h"

#include <stdio.h>

#include "support/documents.h"

/* Each bound of what an object may say: one below it and at it the object is taken; one past it
 * there is one problem, which is at the field and says what the most is. */

enum { ARENA_BYTES = 64 * 1024 * 1024, FILLED_BYTES_MAX = 512 * 1024 };

enum fill {
	FILL_LETTERS = 0, /* a text of so many bytes, which begins with `with` */
	FILL_BLANKS,      /* the same, of Cedar */
	FILL_ITEMS,       /* so many of `with`, where # is the number of the item */
	FILL_NUMBER,
	FILL_SECONDS,
	FILL_NAMES,  /* a JSON pointer of so many names */
	FILL_MEMBER, /* an object of so many bytes in its canonical form */
};

struct row {
	const char *field, *written; /* @ is the place that is filled */
	uint32_t limit;
	enum fill fill;
	const char *with;
};

#define IDENTITY                                                                                   \
	"'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"            \
	"'owner':'ana','backup-owner':'bo','unit':'u','environments':['dev']"
#define AGENT "{" IDENTITY ",'purpose':'p',"
#define RULE AGENT "'federation':[{'issuer':'i','environment':'dev',"
#define PERSON "{'object':'person','name':'ana','unit':'u',"
#define SERVER "{'object':'server','name':'s','environment':'dev','unit':'u',"
#define HTTP SERVER "'transport':{'url':'https://h'"
#define MODELS HTTP "},'speaks':'openai','models':"
#define EXCHANGE HTTP ",'exchange':{'grant':'token-exchange',"
#define SERVICE EXCHANGE "'url':'https://s','audience':'a',"
#define TOOL "{'object':'tool','name':'s/t','effect':'read',"
#define CONNECTOR                                                                                  \
	"{'object':'connector','name':'c','unit':'u','owner':'ana','credential':'k',"              \
	"'may':['read'],"
#define MICROSOFT CONNECTOR "'provider':'microsoft',"
#define ISSUER "{'object':'issuer','name':'i','unit':'u','speaks':'oidc','algorithms':['RS256'],"
#define OIDC ISSUER "'url':'https://i',"
#define SIGN_IN OIDC "'people':{'client':'c',"
#define SPIFFE "{'object':'issuer','name':'i','unit':'u','speaks':'spiffe','trust-domain':'a.com',"
#define PERMITS "forbid (principal, action, resource);"

static const struct row rows[] = {
	/* charters */
	{"purpose", "{" IDENTITY ",'purpose':'@'}", CHARTER_TEXT_BYTES_MAX, FILL_LETTERS, ""},
	{"impact", AGENT "'impact':'@'}", CHARTER_TEXT_BYTES_MAX, FILL_LETTERS, ""},
	{"risk-record.notes",
		AGENT "'risk-record':{'residual':'low','accepted-by':['ana'],"
		      "'accepted-until':'2030-01-01','notes':'@'}}",
		CHARTER_TEXT_BYTES_MAX, FILL_LETTERS, ""},
	{"risk-record.accepted-by",
		AGENT "'risk-record':{'residual':'low','accepted-by':[@],"
		      "'accepted-until':'2030-01-01'}}",
		RISK_ACCEPTERS_MAX, FILL_ITEMS, "'p#'"},
	{"entitlements[0].approvals",
		AGENT "'entitlements':[{'effect':'read','tool':'s/t','approvals':[@]}]}",
		CHARTER_APPROVALS_MAX, FILL_ITEMS, "'role/r#'"},
	{"entitlements[0].when",
		AGENT "'entitlements':[{'effect':'read','tool':'s/t','when':'@'}]}",
		CHARTER_WHEN_BYTES_MAX, FILL_BLANKS, "true"},
	{"limits.calls-per-minute", AGENT "'limits':{'calls-per-minute':@}}",
		CHARTER_CALLS_PER_MINUTE_MAX, FILL_NUMBER, ""},
	{"outputs[0].target", AGENT "'outputs':[{'to':'s/t','up-to':'public','target':'@'}]}",
		GLOB_BYTES_MAX, FILL_LETTERS, "https://h/*"},
	{"peers[0].tools[0]",
		AGENT "'peers':[{'identity':'b','effects':['read'],'up-to':'public',"
		      "'tools':['@']}]}",
		GLOB_BYTES_MAX, FILL_LETTERS, "s/*"},
	/* federation rules */
	{"federation[0].subject", RULE "'subject':'@'}]}", FEDERATION_VALUE_BYTES_MAX, FILL_LETTERS,
		""},
	{"federation[0].claims[0].name", RULE "'subject':'s','claims':[{'name':'@','is':'x'}]}]}",
		FEDERATION_NAME_BYTES_MAX, FILL_LETTERS, ""},
	{"federation[0].claims[0]", RULE "'subject':'s','claims':[{'name':'@','is':'x'}]}]}",
		FEDERATION_DEPTH_MAX, FILL_NAMES, "/a"},
	{"federation[0].claims[0].is", RULE "'subject':'s','claims':[{'name':'n','is':'@'}]}]}",
		FEDERATION_VALUE_BYTES_MAX, FILL_LETTERS, ""},
	/* people and units */
	{"sign-in.as", PERSON "'sign-in':{'issuer':'i','as':'@'}}", FEDERATION_VALUE_BYTES_MAX,
		FILL_LETTERS, ""},
	{"directory.id", PERSON "'directory':{'name':'d','id':'@'}}", PERSON_DIRECTORY_ID_BYTES_MAX,
		FILL_LETTERS, ""},
	{"directory.external-id", PERSON "'directory':{'name':'d','external-id':'@'}}",
		PERSON_EXTERNAL_ID_BYTES_MAX, FILL_LETTERS, ""},
	{"directory.profile", PERSON "'directory':{'name':'d','profile':{@}}}",
		PERSON_PROFILE_BYTES_MAX, FILL_MEMBER, ""},
	{"purpose", "{'object':'unit','name':'u','purpose':'@'}", CHARTER_TEXT_BYTES_MAX,
		FILL_LETTERS, ""},
	{"location",
		"{'object':'data-source','name':'d','unit':'u','environment':'dev',"
		"'location':'@'}",
		CHARTER_TEXT_BYTES_MAX, FILL_LETTERS, ""},
	/* servers and tools */
	{"transport.stdio", SERVER "'transport':{'stdio':[@]}}", SERVER_ARGUMENTS_MAX, FILL_ITEMS,
		"'a#'"},
	{"schemes", HTTP "},'schemes':[@]}", SERVER_SCHEMES_MAX, FILL_ITEMS, "'s#'"},
	{"models", MODELS "[@]}", SERVER_MODELS_MAX, FILL_ITEMS, "{'name':'m#','up-to':'public'}"},
	{"models[0].provider-tools", MODELS "[{'name':'m','up-to':'public','provider-tools':[@]}]}",
		MODEL_TOOLS_MAX, FILL_ITEMS, "'t#'"},
	{"reads", TOOL "'reads':[@]}", TOOL_READS_MAX, FILL_ITEMS, "{'data-source':'d#'}"},
	{"reads[0].when", TOOL "'reads':[{'data-source':'d','when':'@'}]}", CHARTER_WHEN_BYTES_MAX,
		FILL_BLANKS, "true"},
	{"reads[0].uri", TOOL "'reads':[{'data-source':'d','uri':'@'}]}", GLOB_BYTES_MAX,
		FILL_LETTERS, ""},
	{"reads[0].prompt", TOOL "'reads':[{'data-source':'d','prompt':'@'}]}", GLOB_BYTES_MAX,
		FILL_LETTERS, ""},
	{"targets", TOOL "'targets':[@]}", TOOL_TARGETS_MAX, FILL_ITEMS,
		"{'argument':'a#','as':'path'}"},
	/* policies */
	{"text", "{'object':'policy','name':'org/p','text':'@'}", POLICY_TEXT_BYTES_MAX,
		FILL_BLANKS, PERMITS},
	/* token services */
	{"transport.exchange.url", EXCHANGE "'audience':'a','url':'@'}}}", OUTBOUND_URL_BYTES_MAX,
		FILL_LETTERS, "https://s/"},
	{"transport.exchange.audience", EXCHANGE "'url':'https://s','audience':'@'}}}",
		OUTBOUND_VALUE_BYTES_MAX, FILL_LETTERS, ""},
	{"transport.exchange.target", SERVICE "'target':'@'}}}", OUTBOUND_VALUE_BYTES_MAX,
		FILL_LETTERS, ""},
	{"transport.exchange.scope", SERVICE "'scope':'@'}}}", OUTBOUND_VALUE_BYTES_MAX,
		FILL_LETTERS, ""},
	{"transport.exchange.client-id",
		HTTP ",'exchange':{'grant':'client-assertion','url':'https://s','audience':'a',"
		     "'client-id':'@'}}}",
		OUTBOUND_VALUE_BYTES_MAX, FILL_LETTERS, ""},
	{"transport.exchange.ca-file", SERVICE "'ca-file':'@'}}}", ISSUER_PATH_BYTES_MAX,
		FILL_LETTERS, "/"},
	{"transport.exchange.parameters[0].name",
		SERVICE "'parameters':[{'name':'@','value':'v'}]}}}", OUTBOUND_NAME_BYTES_MAX,
		FILL_LETTERS, ""},
	{"transport.exchange.parameters[0].value",
		SERVICE "'parameters':[{'name':'n','value':'@'}]}}}", OUTBOUND_VALUE_BYTES_MAX,
		FILL_LETTERS, ""},
	/* connectors */
	{"url", CONNECTOR "'provider':'n8n','url':'@'}", CONNECTOR_URL_BYTES_MAX, FILL_LETTERS,
		"https://c/"},
	{"token-url", MICROSOFT "'client':'c','token-url':'@'}", CONNECTOR_URL_BYTES_MAX,
		FILL_LETTERS, "https://c/"},
	{"client", MICROSOFT "'token-url':'https://c','client':'@'}", CONNECTOR_CLIENT_BYTES_MAX,
		FILL_LETTERS, ""},
	{"of", CONNECTOR "'provider':'github','of':'@'}", CONNECTOR_OF_BYTES_MAX, FILL_LETTERS, ""},
	{"every", MICROSOFT "'every':'@'}", CONNECTOR_EVERY_S_MAX, FILL_SECONDS, ""},
	{"ca-file", MICROSOFT "'ca-file':'@'}", ISSUER_PATH_BYTES_MAX, FILL_LETTERS, "/"},
	/* issuers */
	{"url", ISSUER "'keys':{'file':'/k'},'url':'@'}", ISSUER_URL_BYTES_MAX, FILL_LETTERS,
		"https://i/"},
	{"keys.jwks-url", OIDC "'keys':{'jwks-url':'@'}}", ISSUER_URL_BYTES_MAX, FILL_LETTERS,
		"https://i/"},
	{"keys.bundle-url", SPIFFE "'keys':{'bundle-url':'@'}}", ISSUER_URL_BYTES_MAX, FILL_LETTERS,
		"https://i/"},
	{"keys.file", OIDC "'keys':{'file':'@'}}", ISSUER_PATH_BYTES_MAX, FILL_LETTERS, "/"},
	{"keys.ca-file", OIDC "'keys':{'ca-file':'@'}}", ISSUER_PATH_BYTES_MAX, FILL_LETTERS, "/"},
	{"audience", OIDC "'audience':'@'}", FEDERATION_VALUE_BYTES_MAX, FILL_LETTERS, ""},
	{"events.poll",
		OIDC "'events':{'types':['session-revoked'],'subjects':['people'],'poll':'@'}}",
		ISSUER_URL_BYTES_MAX, FILL_LETTERS, "https://i/"},
	{"people.client", OIDC "'people':{'client':'@'}}", FEDERATION_VALUE_BYTES_MAX, FILL_LETTERS,
		""},
	{"people.claim", SIGN_IN "'claim':'@'}}", FEDERATION_NAME_BYTES_MAX, FILL_LETTERS, ""},
	{"people.require[0].name", SIGN_IN "'require':[{'name':'@','is':true}]}}",
		FEDERATION_NAME_BYTES_MAX, FILL_LETTERS, ""},
	{"people.require[0].is", SIGN_IN "'require':[{'name':'n','is':'@'}]}}",
		FEDERATION_VALUE_BYTES_MAX, FILL_LETTERS, ""},
	{"people.acr", SIGN_IN "'acr':[@]}}", SIGN_IN_LIST_MAX, FILL_ITEMS, "'a#'"},
	{"people.amr", SIGN_IN "'amr':[@]}}", SIGN_IN_LIST_MAX, FILL_ITEMS, "'a#'"},
	{"people.scopes", SIGN_IN "'scopes':[@]}}", SIGN_IN_LIST_MAX, FILL_ITEMS, "'a#'"},
	{"people.scopes[0]", SIGN_IN "'scopes':['@']}}", FEDERATION_NAME_BYTES_MAX, FILL_LETTERS,
		""},
};

struct filled {
	char bytes[FILLED_BYTES_MAX];
	size_t length;
};

static void put(struct filled *filled, const char *bytes, size_t length)
{
	assert_true(filled->length + length < sizeof filled->bytes);
	memcpy(filled->bytes + filled->length, bytes, length);
	filled->length += length;
	filled->bytes[filled->length] = '\0';
}

static void put_times(struct filled *filled, const char *bytes, uint32_t times)
{
	for (uint32_t i = 0; i < times; i++)
		put(filled, bytes, strlen(bytes));
}

static void put_number(struct filled *filled, uint32_t number)
{
	char written[16];

	put(filled, written, (size_t)snprintf(written, sizeof written, "%u", number));
}

static void put_items(struct filled *filled, const char *item, uint32_t count)
{
	size_t before = strcspn(item, "#");

	for (uint32_t i = 0; i < count; i++) {
		put_times(filled, ",", i != 0);
		put(filled, item, before);
		put_number(filled, i);
		put_times(filled, item + before + 1, 1);
	}
}

static void put_fill(struct filled *filled, const struct row *row, uint32_t amount)
{
	static const uint32_t beside = sizeof "{\"p\":\"\"}" - 1;

	switch (row->fill) {
	case FILL_LETTERS:
	case FILL_BLANKS:
		put_times(filled, row->with, 1);
		put_times(filled, row->fill == FILL_BLANKS ? " " : "a",
			amount - (uint32_t)strlen(row->with));
		break;
	case FILL_ITEMS: put_items(filled, row->with, amount); break;
	case FILL_NUMBER: put_number(filled, amount); break;
	case FILL_SECONDS:
		put_number(filled, amount);
		put_times(filled, "s", 1);
		break;
	case FILL_NAMES: put_times(filled, row->with, amount); break;
	case FILL_MEMBER:
		put_times(filled, "'p':'", 1);
		put_times(filled, "a", amount - beside);
		put_times(filled, "'", 1);
		break;
	}
}

/* The two parts of what the problem says, one past the limit. */
static void say(const struct row *row, char found[64], char most[64])
{
	static const struct {
		const char *before, *behind; /* of how much was found; NULL: it is not said */
		const char *most;
	} says[] = {
		[FILL_LETTERS] = {"is ", " bytes long, where ", " is the most"},
		[FILL_BLANKS] = {"is ", " bytes long, where ", " is the most"},
		[FILL_ITEMS] = {"has ", " items, where ", " is allowed"},
		[FILL_NUMBER] = {"is ", ", where ", " is allowed"},
		[FILL_SECONDS] = {"is ", " s, where ", " s is allowed"},
		[FILL_NAMES] = {NULL, NULL, " names"},
		[FILL_MEMBER] = {NULL, NULL, " bytes"},
	};

	found[0] = '\0';
	if (says[row->fill].before != NULL)
		(void)snprintf(found, 64, "%s%u%s", says[row->fill].before, row->limit + 1,
			says[row->fill].behind);
	(void)snprintf(most, 64, " %u%s", row->limit, says[row->fill].most);
}

static void expect(const struct row *row, uint32_t amount, const struct problems *problems)
{
	char found[64], most[64], field[128];
	const struct problem *first = &problems->items[0];

	if (amount <= row->limit && problems->total > 0)
		fail_msg("%s of %u is refused: %s: %s", row->field, amount, first->field.data,
			first->what.data);
	if (amount <= row->limit)
		return;
	if (problems->total != 1)
		fail_msg("%s of %u: %zu problems, the last at %s: %s", row->field, amount,
			problems->total,
			problems->total == 0 ? "" : problems->items[problems->count - 1].field.data,
			problems->total == 0 ? "" : problems->items[problems->count - 1].what.data);
	say(row, found, most);
	(void)snprintf(field, sizeof field, ": %s", row->field);
	if (!text_ends_with(first->field, field) || strstr(first->what.data, found) == NULL ||
		strstr(first->what.data, most) == NULL)
		fail_msg("%s of %u, not \"%s%s\" but %s: %s", row->field, amount, found, most,
			first->field.data, first->what.data);
}

static void read_with(const struct row *row, uint32_t amount)
{
	static struct filled filled;
	struct arena *arena = arena_create(ARENA_BYTES);
	size_t before = strcspn(row->written, "@");
	struct problems *problems;
	struct object *object;
	struct json document;

	assert_non_null(arena);
	problems = problems_of(arena);
	filled.length = 0;
	put(&filled, row->written, before);
	put_fill(&filled, row, amount);
	put_times(&filled, row->written + before + 1, 1);
	document = document_of(arena, filled.bytes);
	assert_true(object_parse(&object, &document, TEXT("a.yaml"), problems) ==
		    (problems->total == 0));
	expect(row, amount, problems);
	if (object != NULL)
		drop_object(object);
	arena_destroy(&arena);
}

static void what_an_object_says_is_taken_up_to_its_bound_and_no_further(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_with(&rows[i], rows[i].limit - 1);
		read_with(&rows[i], rows[i].limit);
		read_with(&rows[i], rows[i].limit + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_object_says_is_taken_up_to_its_bound_and_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/signature.h"
#include "domain/charter/federation_forms.h"
#include "domain/charter/object.h"
#include "domain/token/security_event.h"

#include <stdio.h>

#include "domain/application/application.h"
#include "domain/charter/charter.h"
#include "domain/charter/form.h"

#include "support/documents.h"

#define POINT                                                                                      \
	"'kty':'EC','crv':'P-256','x':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',"              \
	"'y':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'"
#define DIGEST "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define HEAD                                                                                       \
	"'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"            \
	"'owner':'ana@example.com','backup-owner':'bo@example.com','unit':'support',"              \
	"'purpose':'p','environments':['staging']"

static int set_up(void **state)
{
	*state = arena_create(64 << 20);
	return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

/* The document is refused, and one problem is at the field and says what. */
static void refuses(struct arena *arena, const char *written, const char *field, const char *what)
{
	struct json document = document_of(arena, written);
	struct problems *problems = problems_of(arena);
	struct object *object;

	assert_false(object_parse(&object, &document, TEXT("a.yaml"), problems));
	assert_null(object);
	assert_true(problems->total > 0);
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];

		assert_true(text_is(problem->file, "a.yaml"));
		assert_true(problem->line > 0);
		if (text_ends_with(problem->field, field) &&
			strstr(problem->what.data, what) != NULL)
			return;
	}
	fail_msg("%s\nno problem at \"%s\" saying \"%s\" but \"%s\": \"%s\"", written, field, what,
		problems->items[0].field.data, problems->items[0].what.data);
}

#define SHOP "'object':'application','name':'p','unit':'u'"
#define PROVIDER                                                                                   \
	"'object':'server','name':'s','environment':'dev','unit':'u','speaks':'anthropic',"        \
	"'transport':{'url':'https://a'}"
#define PERMIT "permit (principal, action, resource);"

static const struct {
	const char *written, *field, *what;
} refused[] = {
	{"[]", "object", "mapping"},
	{"{}", "object", "missing"},
	{"{'object':7}", "object", "not a kind"},
	{"{'object':'idenity'}", "object", "not a kind"},
	{"{'object':'unit'}", "name", "missing"},
	{"{'object':'unit','name':'org'}", "unit org", "org is the organisation"},
	{"{'object':'unit','name':'U'}", "name", "not a name"},
	{"{'object':'unit','name':'u','purpos':'x'}", "purpos", "not a field"},
	{"{'object':'unit','name':'u','purpose':''}", "purpose", "empty"},
	{"{'object':'unit','name':'u','purpose':'\\u0007'}", "purpose", "control"},
	{"{'object':'unit','name':'u','purpose':[]}", "purpose", "is an array"},
	{"{'object':'person','name':'a@b'}", "unit", "missing"},
	{"{'object':'person','name':'a b','unit':'u'}", "name", "not a name"},
	{"{'object':'person','name':'a','unit':'u','roles':['A B']}", "roles[0]", "not a name"},
	{"{'object':'person','name':'a','unit':'u','clearance':'secret'}", "clearance",
		"not a sensitivity"},
	{"{'object':'data-source','name':'t','unit':'u'}", "environment", "missing"},
	{"{'object':'data-source','name':'t','unit':'u','environment':'staging','trust':'"
	 "yes'}",
		"trust", "degree of trust"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev'}", "transport", "missing"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{}}",
		"transport", "no way"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{'stdio'"
	 ":['a'],'url':'https://h'}}",
		"transport", "two ways"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{'stdio'"
	 ":[]}}",
		"transport.stdio", "0 items"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{'stdio'"
	 ":['a'],'credential':'c'}}",
		"transport", "HTTP only"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{'url':'"
	 "https://h','credential':'vault:kv/../key#f'}}",
		"transport.credential", "where a credential lies"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{'url':'"
	 "https://h','credential':'sk-Live-key'}}",
		"transport.credential", "where a credential lies"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{'url':'"
	 "ftp://h'}}",
		"transport.url", "URL"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{'url':'"
	 "https://user@h/'}}",
		"transport.url", "URL"},
	{"{'object':'server','name':'s','unit':'u','environment':'dev','transport':{'url':'"
	 "https://'}}",
		"transport.url", "URL"},
	{"{'object':'tool','name':'s/t'}", "effect", "missing"},
	{"{'object':'tool','name':'t','effect':'read'}", "name", "not a name"},
	{"{'object':'tool','name':'s/t','effect':'generate'}", "effect", "does not generate"},
	{"{'object':'tool','name':'s/t','effect':'read','definition':'sha256:12'}", "definition",
		"digest"},
	{"{'object':'tool','name':'s/"
	 "t','effect':'read','targets':[{'argument':'p','as':'file'}]}",
		"targets[0].as", "form of target"},
	{"{'object':'tool','name':'s/"
	 "t','effect':'read','targets':[{'argument':'p','as':'path'},{'argument':'p','as':'"
	 "url'}]}",
		"targets[1]", "same argument"},
	{"{'object':'tool','name':'s/"
	 "t','effect':'read','reads':[{'data-source':'d','when':'context.approvals."
	 "contains(\\\"owner\\\")'}]}",
		"reads[0].when", "approvals"},
	{"{'object':'policy','name':'org/p','text':'permit (principal, action, "
	 "resource);'}",
		"text", "permit"},
	{"{'object':'policy','name':'org/p','text':'forbid (principal, action'}", "text", "line 1"},
	{"{'object':'policy','name':'p','text':'forbid (principal, action, resource);'}", "name",
		"not a name"},
	{"{'object':'policy','name':'org/p','text':'forbid (principal, action, resource) "
	 "when { context.approvals.contains(\\\"owner\\\") };'}",
		"text", "approvals"},
	{"{'object':'identity','name':'a1'}", "owner", "missing"},
	{"{'object':'identity','name':'a1'}", "backup-owner", "missing"},
	{"{'object':'identity','name':'a1'}", "purpose", "missing"},
	{"{'object':'identity','name':'a1'}", "unit", "missing"},
	{"{'object':'identity','name':'a1'}", "class", "missing"},
	{"{'object':'identity','name':'a1','owner':'x@y','backup-owner':'x@y'}", "backup-owner",
		"owner again"},
	{"{" HEAD ",'entitlements':[{'effect':'execute','tool':'s/t'}]}", "entitlements[0]",
		"class update does not permit execute"},
	{"{" HEAD ",'entitlements':[{'effect':'read'}]}", "entitlements[0]", "nothing"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','resource':'data-source:x'}]}",
		"entitlements[0]", "two things"},
	{"{" HEAD ",'entitlements':[{'effect':'read','resource':'x'}]}", "entitlements[0].resource",
		"not a resource"},
	{"{" HEAD ",'entitlements':[{'effect':'write','resource':'data-source:x'}]}",
		"entitlements[0]", "no meaning"},
	{"{" HEAD ",'entitlements':[{'effect':'generate','tool':'s/t'}]}", "entitlements[0]",
		"no meaning"},
	{"{" HEAD ",'entitlements':[{'effect':'raed','tool':'s/t'}]}", "entitlements[0].effect",
		"not an effect"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','when':'true) || (true'}]}",
		"entitlements[0].when", "line 1"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','when':'true }; permit "
	 "(principal, action, resource) when { true'}]}",
		"entitlements[0].when", "line 1"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/"
	 "t','when':'!context.approvals.contains(\\\"owner\\\")'}]}",
		"entitlements[0].when", "approvals"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','approvals':[]}]}",
		"entitlements[0].approvals", "0 items"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','approvals':['boss']}]}",
		"entitlements[0].approvals[0]", "not a name"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','expires':'soon'}]}",
		"entitlements[0].expires", "day or time"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','uses':0}]}",
		"entitlements[0].uses", "allowed"},
	{"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','uses':1001}]}",
		"entitlements[0].uses", "allowed"},
	{"{" HEAD ",'data-sources':[{'name':'t','up-to':'public'},{'name':'t','up-to':'public'}]}",
		"data-sources[1]", "same name"},
	{"{" HEAD ",'outputs':[{'to':'world','up-to':'public'}]}", "outputs[0].to", "not a name"},
	{"{" HEAD ",'outputs':[{'to':'s/t','up-to':'public','target':''}]}", "outputs[0].target",
		"not a name"},
	{"{" HEAD ",'outputs':[{'to':'s/t','up-to':'public','target':'a b'}]}", "outputs[0].target",
		"not a name"},
	{"{" HEAD ",'outputs':[{'to':'s/t','up-to':'public','target':'https://a.com*'}]}",
		"outputs[0].target", "not a name"},
	{"{" HEAD ",'outputs':[{'to':'s/t','up-to':'public','target':'https://*.a.com/x'}]}",
		"outputs[0].target", "not a name"},
	{"{" HEAD ",'outputs':[{'to':'s/t','up-to':'public','target':'*://a.com/x'}]}",
		"outputs[0].target", "not a name"},
	{"{" HEAD ",'outputs':[{'to':'s/t','up-to':'public','target':'https:///x'}]}",
		"outputs[0].target", "not a name"},
	{"{" HEAD ",'outputs':[{'to':'reply','up-to':'public','target':'a'}]}", "outputs[0].target",
		"only a tool"},
	{"{" HEAD ",'outputs':[{'to':'reply','up-to':'public'},{'to':'reply','up-to':'public'}]}",
		"outputs[1]", "same to as item 0"},
	{"{" HEAD ",'outputs':[{'to':'s/t','up-to':'public','target':'a'},"
	 "{'to':'s/t','up-to':'internal','target':'a'}]}",
		"outputs[1]", "same to and target as item 0"},
	{"{" HEAD ",'peers':[{'identity':'x'}]}", "peers[0].effects", "missing"},
	{"{" HEAD ",'limits':{'task':'25h'}}", "limits.task", "allowed"},
	{"{" HEAD ",'limits':{'task':'0s'}}", "limits.task", "allowed"},
	{"{" HEAD ",'limits':{'idle':'0s'}}", "limits.idle", "1"},
	{"{" HEAD ",'limits':{'idle':'86401s'}}", "limits.idle", "1"},
	{"{" HEAD ",'limits':{'depth':0}}", "limits.depth", "allowed"},
	{"{" HEAD ",'limits':{'depth':17}}", "limits.depth", "allowed"},
	{"{" HEAD ",'limits':{'fan-out':0}}", "limits.fan-out", "allowed"},
	{"{" HEAD ",'limits':{'fan-out':100001}}", "limits.fan-out", "allowed"},
	{"{" HEAD ",'limits':{'open-tasks':0}}", "limits.open-tasks", "allowed"},
	{"{" HEAD ",'limits':{'open-tasks':1000001}}", "limits.open-tasks", "allowed"},
	{"{" HEAD ",'limits':{'calls-per-minute':0}}", "limits.calls-per-minute", "allowed"},
	{"{" HEAD ",'limits':{'calls-per-minute':100001}}", "limits.calls-per-minute", "allowed"},
	{"{" HEAD ",'review':'often'}", "review", "duration"},
	{"{" HEAD ",'model':[{'provider':'P','name':'m'}]}", "model[0].provider", "not a name"},
	{"{" HEAD ",'model':[{'provider':'p','name':'a b'}]}", "model[0].name", "not a name"},
	{"{" HEAD ",'model':[{'provider':'p','name':'/m'}]}", "model[0].name", "not a name"},
	{"{" HEAD ",'model':[{'provider':'p','name':'m','up-to':'all'}]}", "model[0].up-to",
		"not a sensitivity"},
	{"{" HEAD ",'limits':{'budget-per-task':{'tokens':0}}}", "limits.budget-per-task.tokens",
		"allowed"},
	{"{" HEAD ",'limits':{'budget-per-day':{'spend':1000000000001}}}",
		"limits.budget-per-day.spend", "allowed"},
	{"{" HEAD ",'limits':{'budget-per-day':7}}", "limits.budget-per-day", "wanted"},
	{"{" HEAD ",'entitlements':[{'effect':'generate','resource':'model:p/a b'}]}",
		"entitlements[0].resource", "not a resource"},
	{"{" HEAD ",'entitlements':[{'effect':'read','resource':'model:p/m'}]}", "entitlements[0]",
		"has no meaning"},
	{"{'object':'unit','name':'u','budget-per-day':{'tokens':'many'}}", "budget-per-day.tokens",
		"wanted"},
	{"{" PROVIDER ",'models':[{'name':'m'}]}", "models[0].up-to", "missing"},
	{"{" PROVIDER ",'models':[{'name':'m','up-to':'public','input-price':1}]}", "models[0]",
		"one of two prices"},
	{"{" PROVIDER ",'models':[{'name':'m','up-to':'public','input-price':1000000001,"
	 "'output-price':0}]}",
		"models[0].input-price", "allowed"},
	{"{" PROVIDER ",'models':[{'name':'m','up-to':'public'},{'name':'m','up-to':'public'}]}",
		"models[1]", "same name"},
	{"{'object':'server','name':'s','environment':'dev','unit':'u','transport':{'url':"
	 "'https://a'},'models':[{'name':'m','up-to':'public'}]}",
		"models", "only a provider"},
	{"{'object':'server','name':'s','environment':'dev','unit':'u','transport':{'stdio':["
	 "'x']},'speaks':'openai'}",
		"speaks", "by URL"},
	{"{'object':'server','name':'s','environment':'dev','unit':'u','transport':{'url':"
	 "'https://a'},'speaks':'mcp2'}",
		"speaks", "not a way"},
	{"{" PROVIDER ",'models':[],'credentials':[{'identity':'a'}]}", "credentials[0].credential",
		"missing"},
	{"{" PROVIDER ",'models':[],'credentials':[{'credential':'k'}]}", "credentials[0].identity",
		"missing"},
	{"{" PROVIDER ",'models':[],'credentials':[{'identity':'a','credential':'sk-Live'}]}",
		"credentials[0].credential", "credential"},
	{"{" PROVIDER ",'models':[],'credentials':[{'identity':'a','credential':'k'},"
	 "{'identity':'a','credential':'l'}]}",
		"credentials[1]", "same identity"},
	{"{'object':'server','name':'s','environment':'dev','unit':'u','transport':{'url':"
	 "'https://a'},'credentials':[{'identity':'a','credential':'k'}]}",
		"credentials", "only a provider"},
	{"{" HEAD ",'model':[{'provider':'p','name':'m','credential':'k'}]}", "model[0].credential",
		"not a field"},
	{"{" HEAD ",'keys':[{'environment':'prod','jwk':{" POINT "}}]}", "keys[0]",
		"does not cover"},
	{"{" HEAD ",'keys':[{'environment':'staging','jwk':{" POINT ",'d':'AA'}}]}", "keys[0].jwk",
		"private key"},
	{"{" HEAD ",'keys':[{'environment':'staging'}]}", "keys[0]", "has no key"},
	{"{" HEAD ",'keys':[{'environment':'staging','jwk':{" POINT "},'certificate':'" DIGEST
	 "'}]}",
		"keys[0]", "two keys"},
	{"{" HEAD ",'keys':[{'environment':'staging','certificate':'sha256:00'}]}",
		"keys[0].certificate", "digest"},
	{"{" HEAD ",'keys':[{'environment':'staging','certificate':'" DIGEST
	 "'},{'environment':'staging','certificate':'" DIGEST "'}]}",
		"keys[1]", "same certificate"},
	{"{" HEAD ",'binding':'tls'}", "binding", "binding"},
	{"{" HEAD ",'binding':true}", "binding", "boolean"},
	{"{" HEAD ",'colour':'red'}", "colour", "not a field"},
	{"{'object':'issuer','name':'i','unit':'u'}", "speaks", "missing"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'saml','url':'https://a'}", "speaks",
		"not a kind of issuer"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','algorithms':['RS256']}", "url",
		"missing"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://a'}",
		"algorithms", "missing"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':[]}",
		"algorithms", "empty"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['none']}",
		"algorithms[0]", "not an algorithm"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['HS256']}",
		"algorithms[0]", "not an algorithm"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'http://"
	 "a','algorithms':['RS256']}",
		"keys", "https alone"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'http://"
	 "127.0.0.1:1','algorithms':['RS256']}",
		"keys", "https alone"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'events':{'types':['session-revoked']}}",
		"events", "which events"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'events':{'subjects':['people']}}",
		"events", "about whom"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'events':{'types':['other'],'subjects':['people']}}",
		"events.types[0]", "not a security event"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'events':{'types':['session-revoked'],'subjects':['all']}}",
		"events.subjects[0]", "not whom"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'events':{'types':['session-revoked'],'subjects':["
	 "'people'],'poll':'http://b/poll'}}",
		"events", "https alone"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'events':{'types':['session-revoked'],'subjects':["
	 "'people'],'credential':'x'}}",
		"events", "not polled"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'events':{'types':['session-revoked'],'subjects':["
	 "'people'],'poll':'https://b','credential':'vault:kv/x#f'}}",
		"events", "not here to be read"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'keys':{'jwks-url':'https://a','file':'/a'}}",
		"keys", "two ways"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'keys':{'bundle-url':'https://a'}}",
		"keys", "SPIFFE"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'keys':{'file':'keys.json'}}",
		"keys.file", "absolute"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'keys':{'jwks':{'keys':[]}}}",
		"keys.jwks", "no key"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'keys':{'jwks':{'keys':[{" POINT ",'d':'A'}]}}}",
		"keys.jwks", "private member"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'keys':{'file':'/k','ca-file':'/c'}}",
		"keys", "fetched"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'audience':'*'}",
		"audience", "wildcard"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'max-lifetime':'59s'}",
		"max-lifetime", "allowed"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'max-lifetime':'86401s'}",
		"max-lifetime", "allowed"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'private-addresses':'refused'}",
		"private-addresses", "not a leave"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
	 "a','algorithms':['RS256'],'trust-domain':'td'}",
		"trust-domain", "only SPIFFE"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'spiffe','keys':{'bundle-url':'https://"
	 "a'}}",
		"trust-domain", "missing"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'spiffe','trust-domain':'TD','keys':{'"
	 "bundle-url':'https://a'}}",
		"trust-domain", "not a trust domain"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'spiffe','trust-domain':'td'}", "keys",
		"no way"},
	{"{'object':'issuer','name':'i','unit':'u','speaks':'spiffe','trust-domain':'td','keys':{'"
	 "bundle-url':'https://a'},'algorithms':['Ed25519']}",
		"algorithms", "JWT-SVID"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'staging'}]}", "federation[0]",
		"says no subject"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'staging','subject':'a','subject-"
	 "prefix':'a/'}]}",
		"federation[0]", "two subjects"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'staging','subject':''}]}",
		"federation[0].subject", "empty"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'staging','subject':'*'}]}",
		"federation[0]", "wildcard"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'prod','subject':'a'}]}",
		"federation[0]", "does not cover"},
	{"{" HEAD ",'federation':[{'issuer':'i','subject':'a'}]}", "federation[0].environment",
		"missing"},
	{"{" HEAD
	 ",'federation':[{'issuer':'i','environment':'staging','subject-prefix':'repo:o/n'}]}",
		"federation[0]", "does not end in"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'staging','subject':'a','claims':[{'"
	 "name':'c'}]}]}",
		"federation[0].claims[0]", "says nothing"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'staging','subject':'a','claims':[{'"
	 "name':'c','is':'a','prefix':'b/'}]}]}",
		"federation[0].claims[0]", "two things"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'staging','subject':'a','claims':[{'"
	 "name':'c','is':7}]}]}",
		"federation[0].claims[0].is", "is an integer"},
	{"{" HEAD ",'federation':[{'issuer':'i','environment':'staging','subject':'a','claims':[{'"
	 "name':'/','is':'a'}]}]}",
		"federation[0].claims[0]", "JSON pointer"},
	{"{'object':'tool','name':'s/"
	 "t','effect':'read','results':[{'field':'a..b','trust':'trusted'}]}",
		"results[0]", "empty name"},
	{"{'object':'tool','name':'s/"
	 "t','effect':'read','results':[{'field':'a.','trust':'trusted'}]}",
		"results[0]", "empty name"},
	{"{'object':'tool','name':'s/"
	 "t','effect':'read','results':[{'field':'a[*]b','trust':'trusted'}]}",
		"results[0]", "beside [*]"},
	{"{'object':'tool','name':'s/"
	 "t','effect':'read','results':[{'field':'[*].a','trust':'trusted'}]}",
		"results[0]", "beside [*]"},
	{"{'object':'tool','name':'s/"
	 "t','effect':'read','results':[{'field':'a.[*]','trust':'trusted'}]}",
		"results[0]", "beside [*]"},
	{"{'object':'tool','name':'s/t','effect':'read','results':[{'field':'a'}]}",
		"results[0].trust", "missing"},
	{"{'object':'tool','name':'s/t','effect':'read','results':[{'field':'a','trust':'maybe'}]}",
		"results[0].trust", ""},
	{"{'object':'tool','name':'s/t','effect':'read','results':[{'field':'a','trust':'trusted'},"
	 "{'field':'a','trust':'untrusted'}]}",
		"results[1]", "same field"},
	{"{" HEAD ",'outputs':[{'to':'*@a@b','up-to':'public'}]}", "outputs[0].to", "not a name"},
	{"{'object':'application','name':'p','unit':'u'}", "policies", "missing"},
	{"{'object':'application','name':'p','policies':'" PERMIT "'}", "unit", "missing"},
	{"{" SHOP ",'policies':'" PERMIT "','keep-questions':'true'}", "keep-questions",
		"a boolean is wanted"},
	{"{" SHOP ",'policies':'" PERMIT "','reads':'draft-01'}", "reads", "not a way to read"},
	{"{" SHOP ",'policies':'" PERMIT "','reads':''}", "reads", "not a way to read"},
	{"{" SHOP ",'policies':'" PERMIT "','reads':['draft-00']}", "reads", "a string is wanted"},
	{"{" SHOP ",'policies':'" PERMIT "','keep-questions':1}", "keep-questions", "wanted"},
	{"{" SHOP ",'policies':'permit (principal,\\n action);'}", "policies", "line 2, column "},
	{"{" SHOP ",'policies':'" PERMIT "','schema':'entity {'}", "schema", "line 1, column "},
	{"{" SHOP ",'policies':'" PERMIT "','entities':[{'uid':7}]}", "entities", ""},
	{"{" SHOP ",'policies':'" PERMIT "','entities':{}}", "entities", "is an object"},
	{"{" SHOP ",'policies':'permit (principal, action, resource) when { principal.a };',"
	 "'schema':'entity U; entity D; action a appliesTo { principal: U, resource: D };'}",
		"policies", "line 1, column 45: no attribute `a`"},
	{"{" SHOP ",'policies':'" PERMIT "','callers':['A B']}", "callers[0]", "not a name"},
};

static void what_an_object_may_not_say_is_refused(void **state)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		refuses(*state, refused[i].written, refused[i].field, refused[i].what);
		arena_reset(*state);
	}
}

static void says(const struct problem *problem, const char *field, const char *what,
	const char *remedy, const char *marked)
{
	if (!text_ends_with(problem->field, field) || strstr(problem->what.data, what) == NULL ||
		(remedy[0] != '\0' && strstr(problem->remedy.data, remedy) == NULL))
		fail_msg("%s: %s; %s", problem->field.data, problem->what.data,
			problem->remedy.data);
	if (marked[0] != '\0' && strstr(problem->excerpt.data, marked) == NULL)
		fail_msg("%s\n%s", problem->what.data, problem->excerpt.data);
}

/* As of a guardrail: each with its stretch and its hint, and none hides another. */
static void all_that_is_wrong_with_an_application_is_told(void **state)
{
	struct json document = document_of(*state,
		"{" SHOP
		",'schema':'entity User { name: String }; entity Page; action view appliesTo "
		"{ principal: User, resource: Page };',"
		"'entities':[{'uid':{'type':'Ghost','id':'g'},'attrs':{},'parents':[]}],"
		"'policies':'permit (principal, action == Action::\\\"veiw\\\", resource);\\n"
		"permit (principal == ?principal, action, resource);\\n"
		"permit (principal, action == Action::\\\"view\\\", resource) when { principal.nme "
		"== "
		"\\\"a\\\" };'}");
	struct problems *problems = problems_of(*state);
	struct object *object;

	assert_false(object_parse(&object, &document, TEXT("a.yaml"), problems));
	assert_int_equal(problems->total, 4);
	says(&problems->items[0], "entities", "Ghost", "docs/charters.md", "");
	says(&problems->items[1], "policies", "line 2, column 1: a template", "", "^~~~~~");
	says(&problems->items[2], "policies", "line 1, column ", "did you mean", "^~~~");
	says(&problems->items[3], "policies", "line 3, column ", "did you mean `name`?", "^~~~~");
}

static void a_provider_is_read_with_its_models(void **state)
{
	struct object *object = object_of(*state,
		"{" PROVIDER ",'models':[{'name':'Vendor/large:2@x','up-to':'internal',"
		"'input-price':0,'output-price':1000000000},{'name':'m','up-to':'public'}]}");
	const struct server *server = object->server;
	const struct server_model *model = server_find_model(server, TEXT("Vendor/large:2@x"));

	assert_int_equal(server->speaks, SPEAKS_ANTHROPIC);
	assert_string_equal(speaks_word(server->speaks), "anthropic");
	assert_string_equal(speaks_word(SPEAKS_MCP), "mcp");
	assert_int_equal(server->models_count, 2);
	assert_int_equal(model->up_to, SENSITIVITY_INTERNAL);
	assert_true(model->has_prices);
	assert_int_equal(model->output_price, PRICE_MOST);
	assert_false(server_find_model(server, TEXT("m"))->has_prices);
	assert_null(server_find_model(server, TEXT("M")));
	drop_object(object);
	object = object_of(*state,
		"{" HEAD ",'model':[{'provider':'p','name':'m','up-to':'internal'}],"
		"'limits':{'budget-per-task':{'requests':1,'tokens':2,'spend':1000000000000},"
		"'budget-per-day':{'tokens':4}}}");
	assert_int_equal(charter_find_model(charter_of(object), TEXT("p"), TEXT("m"))->up_to,
		SENSITIVITY_INTERNAL);
	assert_null(charter_find_model(charter_of(object), TEXT("p"), TEXT("n")));
	assert_int_equal(charter_of(object)->task_budget.requests, 1);
	assert_int_equal(charter_of(object)->task_budget.tokens, 2);
	assert_int_equal(charter_of(object)->task_budget.spend, BUDGET_MOST);
	assert_int_equal(charter_of(object)->day_budget.tokens, 4);
	assert_int_equal(charter_of(object)->day_budget.requests, 0);
	drop_object(object);
}

static void a_provider_has_a_credential_for_an_identity_or_else_the_common_one(void **state)
{
	struct object *object = object_of(*state,
		"{" PROVIDER ",'credentials':[{'identity':'a','credential':'vault:kv/a#key'},"
		"{'identity':'b','credential':'key-b'}]}");
	struct server server = *object->server;
	struct text reference;

	assert_true(server_credential_of(&server, TEXT("a"), &reference));
	assert_true(text_is(reference, "vault:kv/a#key"));
	assert_true(server_credential_of(&server, TEXT("b"), &reference));
	assert_true(text_is(reference, "key-b"));
	assert_false(server_credential_of(&server, TEXT("c"), &reference));
	assert_false(server_credential_of(&server, TEXT(""), &reference));
	server.credential = TEXT("common");
	assert_true(server_credential_of(&server, TEXT("c"), &reference));
	assert_true(text_is(reference, "common"));
	server = (struct server){0};
	assert_true(server_credential_of(&server, TEXT("c"), &reference));
	assert_int_equal(reference.length, 0);
	drop_object(object);
}

static void a_provider_has_so_many_credentials_and_no_more(void **state)
{
	for (int count = SERVER_CREDENTIALS_MAX; count <= SERVER_CREDENTIALS_MAX + 1; count++) {
		struct buffer written;

		buffer_init(&written, 65536);
		buffer_append_string(&written, "{" PROVIDER ",'credentials':[");
		for (int i = 0; i < count; i++)
			buffer_append_format(&written, "%s{'identity':'i%d','credential':'k'}",
				i == 0 ? "" : ",", i);
		buffer_append_string(&written, "]}");
		buffer_append_byte(&written, '\0');
		assert_false(buffer_failed(&written));
		if (count > SERVER_CREDENTIALS_MAX)
			refuses(*state, written.data, "credentials", "128");
		else
			drop_object(object_of(*state, written.data));
		buffer_deinit(&written);
		arena_reset(*state);
	}
}

static void the_name_of_a_model_has_its_bound(void **state)
{
	char name[CHARTER_MODEL_BYTES_MAX + 2];

	(void)state;
	memset(name, 'm', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_false(name_is_model(text_of(name)));
	name[CHARTER_MODEL_BYTES_MAX] = '\0';
	assert_true(name_is_model(text_of(name)));
	assert_false(name_is_model(TEXT("")));
	assert_false(name_is_model(TEXT("m/")));
	assert_true(name_is_provider_model(TEXT("p/a/b")));
	assert_false(name_is_provider_model(TEXT("P/a")));
	assert_false(name_is_provider_model(TEXT("a")));
}

static void all_problems_are_told_at_once(void **state)
{
	struct json document =
		document_of(*state, "{'object':'identity','name':'a1','kind':'robot','colour':1}");
	struct problems *problems = problems_of(*state);
	struct object *object;

	assert_false(object_parse(&object, &document, TEXT("a.yaml"), problems));
	/* colour, kind, and seven that are missing */
	assert_int_equal(problems->total, 9);
	assert_true(text_starts_with(problems->items[0].field, "identity a1: "));
}

static void a_slip_is_answered_with_what_was_meant(void **state)
{
	struct json document = document_of(*state, "{'object':'unit','name':'u','purpos':'x'}");
	struct problems *problems = problems_of(*state);
	struct object *object;

	assert_false(object_parse(&object, &document, TEXT("a.yaml"), problems));
	assert_true(text_is(problems->items[0].remedy, "did you mean purpose?"));
	document = document_of(*state, "{'object':'persn','name':'x'}");
	assert_false(object_parse(&object, &document, TEXT("a.yaml"), problems));
	assert_true(text_is(problems->items[1].remedy, "did you mean person?"));
}

static void an_issuer_is_read_field_by_field(void **state)
{
	struct object *object = object_of(*state,
		"{'object':'issuer','name':'mesh','unit':'u','speaks':'spiffe','url':'https://a',"
		"'trust-domain':'td.example','keys':{'bundle-url':'https://a/b','ca-file':'/c'},"
		"'algorithms':['ES256','PS256'],'audience':'x','max-lifetime':'86400s',"
		"'private-addresses':'allowed','reuse':'allowed','events':{'types':["
		"'credential-change'],'subjects':['workloads'],'poll':'https://a/p','audience':'y',"
		"'credential':'env:POLL'}}");
	struct object *least = object_of(*state, "{'object':'issuer','name':'g','unit':'u','speaks'"
						 ":'github','url':'https://a'}");
	const struct issuer *issuer = object->issuer;

	assert_int_equal(object->as_read.count, ISSUER_FIELDS - 1); /* people: of oidc alone */
	assert_int_equal(issuer->speaks, ISSUER_SPEAKS_SPIFFE);
	assert_int_equal(issuer->source, ISSUER_SOURCE_BUNDLE_URL);
	assert_int_equal(issuer->algorithms, 1u << SIGNATURE_ES256 | 1u << SIGNATURE_PS256);
	assert_int_equal(issuer->lifetime_s, ISSUER_LIFETIME_S_MAX);
	assert_int_equal(issuer->private_addresses, ISSUER_ALLOWED);
	assert_int_equal(issuer->reuse, ISSUER_ALLOWED);
	assert_true(text_is(issuer->trust_domain, "td.example"));
	assert_true(text_is(issuer->ca_file, "/c"));
	assert_true(text_is(object_unit(object), "u"));
	assert_true(object_needs_two(object->kind));
	assert_int_equal(issuer->events.types, 1u << EVENT_CREDENTIAL_CHANGE);
	assert_int_equal(issuer->events.subjects, 1u << ISSUER_SUBJECT_WORKLOADS);
	assert_true(text_is(issuer->events.poll, "https://a/p"));
	assert_true(text_is(issuer->events.audience, "y"));
	assert_true(text_is(issuer->events.credential, "env:POLL"));
	/* What nothing says is the narrowest. */
	assert_int_equal(least->issuer->events.types, 0);
	assert_int_equal(least->issuer->events.subjects, 0);
	assert_int_equal(least->issuer->source, ISSUER_SOURCE_DISCOVERED);
	assert_int_equal(least->issuer->algorithms, 1u << SIGNATURE_RS256);
	assert_int_equal(least->issuer->lifetime_s, ISSUER_LIFETIME_S_DEFAULT);
	assert_int_equal(least->issuer->private_addresses, ISSUER_REFUSED);
	assert_int_equal(least->issuer->reuse, ISSUER_REFUSED);
	assert_string_equal(issuer_speaks_word(ISSUER_SPEAKS_GITHUB), "github");
	assert_null(issuer_source_word(ISSUER_SOURCE_NONE));
	drop_object(object);
	drop_object(least);
}

#define OIDC_PEOPLE(more)                                                                          \
	"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://a',"              \
	"'algorithms':['ES256'],'people':{'client':'remit'" more "}}"

static void people_sign_in_through_an_issuer_that_says_how(void **state)
{
	struct object *whole = object_of(*state,
		OIDC_PEOPLE(",'claim':'email','require':[{'name':'email_verified','is':true},"
			    "{'name':'/org/level','is':3},{'name':'hd','is':'x.org'}],"
			    "'key-lasts':'24h','max-age':'24h','acr':['a'],'amr':['pwd','otp'],"
			    "'scopes':['email']"));
	struct object *least = object_of(*state, OIDC_PEOPLE(""));
	const struct issuer_people *people = &whole->issuer->people;

	assert_true(text_is(people->client, "remit"));
	assert_true(text_is(people->claim, "email"));
	assert_int_equal(people->require_count, 3);
	assert_true(people->require[0].is.boolean);
	assert_int_equal(people->require[1].is.integer, 3);
	assert_true(text_is(people->require[2].is.string, "x.org"));
	assert_int_equal(people->key_lasts_s, SIGN_IN_KEY_S_MAX);
	assert_int_equal(people->max_age_s, SIGN_IN_MAX_AGE_S_MAX);
	assert_int_equal(people->acr_count, 1);
	assert_int_equal(people->amr_count, 2);
	assert_int_equal(people->scopes_count, 1);
	assert_true(text_is(least->issuer->people.claim, "sub"));
	assert_int_equal(least->issuer->people.key_lasts_s, SIGN_IN_KEY_S_DEFAULT);
	drop_object(whole);
	drop_object(least);
}

static void refuses_issuer(void **state, const char *text)
{
	struct problems *problems = problems_of(*state);
	struct json document = document_of(*state, text);
	struct object *object = NULL;

	if (object_parse(&object, &document, TEXT("a.yaml"), problems))
		fail_msg("%s", text);
}

static void what_people_sign_in_by_has_bounds(void **state)
{
	refuses_issuer(state, OIDC_PEOPLE(",'claim':'email'")); /* that nobody verified */
	refuses_issuer(state, OIDC_PEOPLE(",'claim':'email','require':[{'name':'email_verified',"
					  "'is':'true'}]"));
	refuses_issuer(state, OIDC_PEOPLE(",'key-lasts':'299s'"));
	refuses_issuer(state, OIDC_PEOPLE(",'key-lasts':'86401s'"));
	refuses_issuer(state, OIDC_PEOPLE(",'max-age':'86401s'"));
	refuses_issuer(state, OIDC_PEOPLE(",'scopes':['a b']"));
	refuses_issuer(state, OIDC_PEOPLE(",'scopes':['1','2','3','4','5','6','7','8','9']"));
	refuses_issuer(state, OIDC_PEOPLE(",'require':[{'name':'x','is':['a']}]"));
	refuses_issuer(state, OIDC_PEOPLE(",'require':[{'name':'x','is':null}]"));
	refuses_issuer(state, OIDC_PEOPLE(",'require':[{'name':'/x~2','is':true}]"));
	refuses_issuer(state, "{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':"
			      "'https://a','algorithms':['ES256'],'people':{}}");
	/* A token of a workload would be one of a person. */
	refuses_issuer(state, "{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':"
			      "'https://a','algorithms':['ES256'],'audience':'remit','people':"
			      "{'client':'remit'}}");
	refuses_issuer(state, "{'object':'issuer','name':'i','unit':'u','speaks':'github','url':"
			      "'https://a','people':{'client':'remit'}}");
}

static void so_many_claims_are_required_and_no_more(void **state)
{
	for (unsigned count = SIGN_IN_REQUIRE_MAX; count <= SIGN_IN_REQUIRE_MAX + 1; count++) {
		struct problems *problems = problems_of(*state);
		struct object *object = NULL;
		struct buffer text;
		struct json document;

		buffer_init(&text, 1 << 16);
		buffer_append_string(&text,
			"{'object':'issuer','name':'i','unit':'u','speaks':'oidc','url':'https://"
			"a','algorithms':['ES256'],'people':{'client':'remit','require':[");
		for (unsigned i = 0; i < count; i++)
			buffer_append_format(
				&text, "%s{'name':'c%u','is':true}", i == 0 ? "" : ",", i);
		buffer_append_string(&text, "]}}");
		buffer_append_byte(&text, '\0');
		document = document_of(*state, text.data);
		assert_int_equal(object_parse(&object, &document, TEXT("a.yaml"), problems),
			count == SIGN_IN_REQUIRE_MAX);
		if (object != NULL)
			drop_object(object);
		buffer_deinit(&text);
	}
}

static void a_person_signs_in_as_their_document_says(void **state)
{
	struct object *named = object_of(*state,
		"{'object':'person','name':'ana','unit':'u','sign-in':{'issuer':'i','as':'u 1'}}");
	struct object *own = object_of(
		*state, "{'object':'person','name':'ana','unit':'u','sign-in':{'issuer':'i'}}");
	struct object *none = object_of(*state, "{'object':'person','name':'ana','unit':'u'}");

	assert_true(text_is(person_sign_in_name(named->person), "u 1"));
	assert_true(text_is(person_sign_in_name(own->person), "ana"));
	assert_int_equal(person_sign_in_name(none->person).length, 0);
	refuses_issuer(state, "{'object':'person','name':'ana','unit':'u','sign-in':{'as':'x'}}");
	drop_object(named);
	drop_object(own);
	drop_object(none);
}

static void a_charter_says_whose_tokens_it_is(void **state)
{
	struct object *object = object_of(*state,
		"{" HEAD ",'federation':[{'issuer':'g','environment':'staging','subject-prefix':"
		"'repo:o/n:','claims':[{'name':'repository_id','is':'1'},{'name':'ref','prefix':"
		"'refs/heads/'}]},{'issuer':'i','environment':'staging','subject':'w'}]}");
	const struct federation_rule *rule = charter_of(object)->federation;

	assert_int_equal(charter_of(object)->federation_count, 2);
	assert_true(text_is(rule[0].issuer, "g"));
	assert_int_equal(rule[0].environment, ENVIRONMENT_STAGING);
	assert_int_equal(rule[0].claims_count, 2);
	assert_true(text_is(rule[0].claims[1].prefix, "refs/heads/"));
	assert_true(text_is(rule[1].subject, "w"));
	drop_object(object);
}

/* A charter with so many rules, of so many claims each. */
static bool takes_rules(void **state, unsigned rules, unsigned claims)
{
	struct problems *problems = problems_of(*state);
	struct object *object = NULL;
	struct buffer text;
	struct json document;
	bool is_ok;

	buffer_init(&text, 1 << 20);
	buffer_append_string(&text, "{" HEAD ",'federation':[");
	for (unsigned i = 0; i < rules; i++) {
		buffer_append_format(&text,
			"%s{'issuer':'i','environment':'staging','subject':'w%u','claims':[",
			i == 0 ? "" : ",", i);
		for (unsigned j = 0; j < claims; j++)
			buffer_append_format(
				&text, "%s{'name':'c%u','is':'x'}", j == 0 ? "" : ",", j);
		buffer_append_string(&text, "]}");
	}
	buffer_append_string(&text, "]}");
	buffer_append_byte(&text, '\0');
	document = document_of(*state, text.data);
	is_ok = object_parse(&object, &document, TEXT("a.yaml"), problems);
	if (object != NULL)
		drop_object(object);
	buffer_deinit(&text);
	return is_ok;
}

static void rules_and_their_claims_have_a_most(void **state)
{
	assert_true(takes_rules(state, FEDERATION_RULES_MAX, FEDERATION_CLAIMS_MAX));
	assert_false(takes_rules(state, FEDERATION_RULES_MAX + 1, 1));
	assert_false(takes_rules(state, 1, FEDERATION_CLAIMS_MAX + 1));
}

static void a_charter_is_read_field_by_field(void **state)
{
	struct object *object = object_of(*state,
		"{" HEAD ",'model':[{'provider':'local','name':'small-1'}],"
		"'data-sources':[{'name':'tickets','up-to':'internal'}],"
		"'outputs':[{'to':'reply','up-to':'internal'},{'to':'m/t','up-to':'public'},"
		"{'to':'m/t','up-to':'internal','target':'https://a.com/*'}],"
		"'entitlements':[{'effect':'read','tool':'files/read','when':'context.args.path "
		"like "
		"\\\"t/*\\\"'},{'effect':'write','tool':'files/write','approvals':['owner','role/"
		"x'],"
		"'expires':'2027-06-30','uses':1000},{'effect':'read','resource':'data-source:"
		"tickets',"
		"'uses':1}],"
		"'peers':[{'identity':'b1','effects':['read','write'],'up-to':'public'}],"
		"'limits':{'task':'10m','idle':'5m','depth':16,'fan-out':100000,'open-tasks':"
		"1000000,"
		"'calls-per-minute':60},'impact':'none','review':'90d',"
		"'expires':'2027-06-30','binding':'any-bound','keys':[{'environment':'staging','"
		"jwk':{" POINT "}},{'environment':'staging','certificate':'" DIGEST "'}]}");
	const struct charter *charter = charter_of(object);

	assert_int_equal(object->kind, OBJECT_IDENTITY);
	assert_true(text_is(object->name, "a1"));
	assert_int_equal(charter->kind, KIND_AGENT);
	assert_int_equal(charter->use_class, CLASS_UPDATE);
	assert_int_equal(charter->risk, RISK_LOW);
	assert_true(text_is(charter->owner, "ana@example.com"));
	assert_true(text_is(charter->backup_owner, "bo@example.com"));
	assert_true(charter_has_environment(charter, ENVIRONMENT_STAGING));
	assert_false(charter_has_environment(charter, ENVIRONMENT_PROD));
	assert_false(charter_has_environment(charter, ENVIRONMENT_NONE));
	assert_int_equal(charter->binding, BINDING_NEED_ANY);
	assert_int_equal(charter->keys_count, 2);
	assert_false(charter->keys[0].has_certificate);
	assert_true(charter->keys[1].has_certificate);
	assert_int_equal(charter->models_count, 1);
	assert_int_equal(
		charter_find_data_source(charter, TEXT("tickets"))->up_to, SENSITIVITY_INTERNAL);
	assert_null(charter_find_data_source(charter, TEXT("payroll")));
	assert_int_equal(charter->outputs_count, 3);
	assert_int_equal(charter->entitlements_count, 3);
	assert_int_equal(charter->entitlements[1].number, 1);
	assert_int_equal(charter->entitlements[1].resource_kind, RESOURCE_TOOL);
	assert_int_equal(charter->entitlements[1].approvals_count, 2);
	assert_int_equal(charter->entitlements[1].expires_utc_s, 1814313600);
	assert_int_equal(charter->entitlements[0].uses, 0);
	assert_int_equal(charter->entitlements[1].uses, CHARTER_USES_MAX);
	assert_int_equal(charter->entitlements[2].uses, 1);
	assert_true(charter->has_uses);
	assert_int_equal(charter->entitlements[2].resource_kind, RESOURCE_DATA_SOURCE);
	assert_true(text_is(charter->entitlements[2].resource, "tickets"));
	assert_int_equal(charter->peers[0].effects, 1U << EFFECT_READ | 1U << EFFECT_WRITE);
	assert_int_equal(charter->task_s, 600);
	assert_int_equal(charter->idle_s, 300);
	assert_int_equal(charter->depth, CHARTER_DEPTH_MAX);
	assert_int_equal(charter->fan_out, CHARTER_FAN_OUT_MAX);
	assert_int_equal(charter->open_tasks, CHARTER_OPEN_TASKS_MAX);
	assert_int_equal(charter->calls_per_minute, 60);
	assert_int_equal(charter->review_s, 90 * 86400);
	assert_int_equal(charter->expires_utc_s, 1814313600);
	assert_int_equal(charter->keys[0].environment, ENVIRONMENT_STAGING);
	drop_object(object);
}

static void what_is_left_out_is_the_safe_value(void **state)
{
	struct object *source = object_of(
		*state, "{'object':'data-source','name':'t','unit':'u','environment':'prod'}");
	struct object *tool = object_of(*state, "{'object':'tool','name':'s/t','effect':'read'}");
	struct object *charter = object_of(*state, "{" HEAD "}");
	struct object *policy =
		object_of(*state, "{'object':'policy','name':'support/p','text':'forbid "
				  "(principal, action, resource);'}");

	assert_int_equal(source->data_source->sensitivity, SENSITIVITY_UNLABELLED);
	assert_int_equal(source->data_source->trust, TRUST_UNTRUSTED);
	assert_int_equal(tool->tool->reversal, REVERSAL_NONE);
	assert_int_equal(tool->tool->risk, RISK_NONE);
	assert_false(tool->tool->has_definition);
	assert_int_equal(charter_of(charter)->entitlements_count, 0);
	assert_int_equal(charter_of(charter)->task_s, CHARTER_TASK_S_DEFAULT);
	assert_int_equal(policy->policy->level, POLICY_MANDATORY);
	drop_object(source);
	drop_object(tool);
	drop_object(charter);
	drop_object(policy);
}

static void words_that_mean_zero_and_one_are_told_apart(void **state)
{
	struct object *trusted = object_of(*state, "{'object':'data-source','name':'t','unit':'u','"
						   "environment':'prod','trust':'trusted'}");
	struct object *untrusted = object_of(*state,
		"{'object':'data-source','name':'t','unit':'u','environment':'prod',"
		"'trust':'untrusted'}");
	struct object *policy =
		object_of(*state, "{'object':'policy','name':'support/p','level':'default',"
				  "'text':'forbid (principal, action, resource);'}");

	assert_int_equal(trusted->data_source->trust, TRUST_TRUSTED);
	assert_int_equal(untrusted->data_source->trust, TRUST_UNTRUSTED);
	assert_int_equal(policy->policy->level, POLICY_DEFAULT);
	drop_object(trusted);
	drop_object(untrusted);
	drop_object(policy);
}

static void a_tool_knows_its_server(void **state)
{
	struct object *tool =
		object_of(*state, "{'object':'tool','name':'files/read_text','effect':'read'}");

	assert_true(text_is(tool->tool->server, "files"));
	assert_true(text_is(tool->tool->tool_name, "read_text"));
	assert_int_equal(object_unit(tool).length, 0);
	drop_object(tool);
}

static void the_document_of_an_object_is_the_object(void **state)
{
	struct object *first = object_of(*state,
		"{'reads':[{'data-source':'d'}],'effect':'read','name':'s/t','object':'tool'}");
	struct problems *problems = problems_of(*state);
	struct object *second;

	assert_true(object_parse(&second, &first->as_read, TEXT("again"), problems));
	assert_true(sha256_equal(&first->digest, &second->digest));
	assert_true(text_is(first->as_read.members[0].name, "object"));
	assert_true(text_is(first->as_read.members[1].name, "name"));
	drop_object(first);
	drop_object(second);
}

static void entitlements_are_bounded(void **state)
{
	for (unsigned extra = 0; extra < 2; extra++) {
		struct buffer written;
		struct json document;
		struct problems *problems = problems_of(*state);
		struct object *object = NULL;
		bool is_read;

		buffer_init(&written, 1 << 20);
		buffer_append_string(&written, "{" HEAD ",'entitlements':[");
		for (unsigned i = 0; i < CHARTER_ENTITLEMENTS_MAX + extra; i++)
			buffer_append_format(&written, "%s{'effect':'read','tool':'s/t%u'}",
				i == 0 ? "" : ",", i);
		buffer_append_string(&written, "]}");
		buffer_append_byte(&written, '\0');
		document = document_of(*state, buffer_text(&written).data);
		is_read = object_parse(&object, &document, TEXT("a.yaml"), problems);
		assert_int_equal(is_read, extra == 0);
		drop_object(object);
		buffer_deinit(&written);
	}
}

/* Whether an application with these members is one. */
static bool is_application(struct arena *arena, struct buffer *members)
{
	struct problems *problems = problems_of(arena);
	struct object *object = NULL;
	struct json document;
	bool is_read;

	buffer_append_byte(members, '\0');
	assert_false(buffer_failed(members));
	document = document_of(arena, buffer_text(members).data);
	is_read = object_parse(&object, &document, TEXT("a.yaml"), problems);
	drop_object(object);
	buffer_deinit(members);
	return is_read;
}

static void an_application_is_bounded(void **state)
{
	for (unsigned extra = 0; extra < 2; extra++) {
		struct buffer callers, entities, policies;

		buffer_init(&callers, 1 << 20);
		buffer_append_string(&callers, "{" SHOP ",'policies':'" PERMIT "','callers':[");
		for (unsigned i = 0; i < APPLICATION_CALLERS_MAX + extra; i++)
			buffer_append_format(&callers, "%s'a%u'", i == 0 ? "" : ",", i);
		buffer_append_string(&callers, "]}");
		assert_int_equal(is_application(*state, &callers), extra == 0);
		buffer_init(&entities, 1 << 20);
		buffer_append_string(&entities, "{" SHOP ",'policies':'" PERMIT "','entities':[");
		for (unsigned i = 0; i < APPLICATION_ENTITIES_MAX + extra; i++)
			buffer_append_format(&entities,
				"%s{'uid':{'type':'T','id':'%u'},'attrs':{},'parents':[]}",
				i == 0 ? "" : ",", i);
		buffer_append_string(&entities, "]}");
		assert_int_equal(is_application(*state, &entities), extra == 0);
		buffer_init(&policies, 1 << 20);
		buffer_append_string(&policies, "{" SHOP ",'policies':'" PERMIT);
		for (unsigned i = sizeof PERMIT - 1; i < APPLICATION_TEXT_BYTES_MAX + extra; i++)
			buffer_append_byte(&policies, ' ');
		buffer_append_string(&policies, "'}");
		assert_int_equal(is_application(*state, &policies), extra == 0);
	}
}

static void an_application_is_read_field_by_field(void **state)
{
	struct object *object = object_of(*state,
		"{" SHOP ",'callers':['a1'],'policies':'" PERMIT "',"
		"'entities':[{'uid':{'type':'T','id':'x'},'attrs':{},'parents':[]}]}");

	assert_int_equal(object->kind, OBJECT_APPLICATION);
	assert_true(text_is(object_unit(object), "u"));
	assert_int_equal(object->application->callers_count, 1);
	assert_true(text_is(object->application->policies, PERMIT));
	assert_int_equal(object->application->entities.count, 1);
	assert_int_equal(object->application->schema.length, 0);
	assert_false(object->application->keeps_questions);
	assert_int_equal(APPLICATION_READS_1_0, 0);
	assert_int_equal(object->application->reads, APPLICATION_READS_1_0);
	drop_object(object);
	object = object_of(*state, "{" SHOP ",'policies':'" PERMIT "','reads':'draft-00'}");
	assert_int_equal(object->application->reads, APPLICATION_READS_DRAFT_00);
	drop_object(object);
	object = object_of(*state, "{" SHOP ",'policies':'" PERMIT "','keep-questions':true}");
	assert_true(object->application->keeps_questions);
	drop_object(object);
	object = object_of(*state, "{" SHOP ",'policies':'" PERMIT "','keep-questions':false}");
	assert_false(object->application->keeps_questions);
	drop_object(object);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_an_object_may_not_say_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			all_that_is_wrong_with_an_application_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_provider_is_read_with_its_models, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_provider_has_a_credential_for_an_identity_or_else_the_common_one, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_provider_has_so_many_credentials_and_no_more, set_up, tear_down),
		cmocka_unit_test(the_name_of_a_model_has_its_bound),
		cmocka_unit_test_setup_teardown(all_problems_are_told_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_slip_is_answered_with_what_was_meant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_charter_is_read_field_by_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_issuer_is_read_field_by_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			people_sign_in_through_an_issuer_that_says_how, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_people_sign_in_by_has_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			so_many_claims_are_required_and_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_person_signs_in_as_their_document_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_charter_says_whose_tokens_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			rules_and_their_claims_have_a_most, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_left_out_is_the_safe_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			words_that_mean_zero_and_one_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tool_knows_its_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_document_of_an_object_is_the_object, set_up, tear_down),
		cmocka_unit_test_setup_teardown(entitlements_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_application_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_application_is_read_field_by_field, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}

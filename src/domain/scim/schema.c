/* The tables, and how they are told (RFC 7643 §7, RFC 7644 §4). */
#include "domain/scim/schema.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define COMPLEX(name, flags, description, subs)                                                    \
	{                                                                                          \
		name, SCIM_COMPLEX, flags, description, subs, COUNT(subs), NULL, NULL              \
	}
#define TEXTUAL(name, flags, description)                                                          \
	{                                                                                          \
		name, SCIM_STRING, flags, description, NULL, 0, NULL, NULL                         \
	}
#define OF(type, name, flags, description)                                                         \
	{                                                                                          \
		name, type, flags, description, NULL, 0, NULL, NULL                                \
	}

/* ---- of every resource ---- */

static const struct scim_attribute meta_attributes[] = {
	TEXTUAL("resourceType", SCIM_READ_ONLY | SCIM_EXACT, "User or Group"),
	OF(SCIM_DATETIME, "created", SCIM_READ_ONLY, "When it was made"),
	OF(SCIM_DATETIME, "lastModified", SCIM_READ_ONLY, "When it was changed last"),
	OF(SCIM_REFERENCE, "location", SCIM_READ_ONLY | SCIM_EXACT, "Where it is"),
	TEXTUAL("version", SCIM_READ_ONLY | SCIM_EXACT, "Its ETag"),
};
static const struct scim_attribute common_attributes[] = {
	TEXTUAL("schemas", SCIM_MULTI | SCIM_REQUIRED | SCIM_EXACT | SCIM_ALWAYS,
		"What it is made of"),
	TEXTUAL("id", SCIM_READ_ONLY | SCIM_EXACT | SCIM_ALWAYS | SCIM_UNIQUE, "Its name here"),
	TEXTUAL("externalId", SCIM_EXACT, "Its name in the directory"),
	COMPLEX("meta", SCIM_READ_ONLY, "About the resource itself", meta_attributes),
};
const struct scim_schema scim_common = {
	"", "Common", "", common_attributes, COUNT(common_attributes)};

/* ---- User ---- */

static const char *const email_types[] = {"work", "home", "other", NULL};
static const struct scim_attribute name_attributes[] = {
	TEXTUAL("formatted", 0, "The whole name"),
	TEXTUAL("familyName", 0, "The family name"),
	TEXTUAL("givenName", 0, "The given name"),
};
static const struct scim_attribute email_attributes[] = {
	TEXTUAL("value", 0, "The address"),
	TEXTUAL("display", 0, "How it is shown"),
	{"type", SCIM_STRING, 0, "What it is for", NULL, 0, email_types, NULL},
	OF(SCIM_BOOLEAN, "primary", 0, "Whether it is the preferred one"),
};
static const struct scim_attribute user_attributes[] = {
	TEXTUAL("userName", SCIM_REQUIRED | SCIM_UNIQUE, "What the directory calls the person"),
	COMPLEX("name", 0, "The parts of the person's name", name_attributes),
	TEXTUAL("displayName", 0, "How the person is shown"),
	TEXTUAL("title", 0, "What the person does"),
	OF(SCIM_BOOLEAN, "active", 0, "Whether the person is here; false: they have left"),
	COMPLEX("emails", SCIM_MULTI, "Mail addresses", email_attributes),
};
static const struct scim_schema user_schema = {
	SCIM_URN_USER, "User", "A person", user_attributes, COUNT(user_attributes)};

static const struct scim_attribute enterprise_attributes[] = {
	TEXTUAL("employeeNumber", 0, "The number of the person"),
	TEXTUAL("department", 0, "The department: a unit, where there is one of this name"),
};
static const struct scim_schema enterprise_schema = {SCIM_URN_ENTERPRISE, "EnterpriseUser",
	"A person of an enterprise", enterprise_attributes, COUNT(enterprise_attributes)};

const struct scim_resource_type scim_user_type = {
	"User", "/Users", "People", &user_schema, &enterprise_schema};

/* ---- Group ---- */

static const char *const member_types[] = {"User", NULL};
static const struct scim_attribute member_attributes[] = {
	TEXTUAL("value", SCIM_EXACT, "The id of the member"),
	{"$ref", SCIM_REFERENCE, SCIM_EXACT, "Where the member is", NULL, 0, NULL, "User"},
	{"type", SCIM_STRING, 0, "What the member is", NULL, 0, member_types, NULL},
};
static const struct scim_attribute group_attributes[] = {
	TEXTUAL("displayName", SCIM_REQUIRED, "What the group is called"),
	COMPLEX("members", SCIM_MULTI, "Who is in it", member_attributes),
};
static const struct scim_schema group_schema = {SCIM_URN_GROUP, "Group",
	"People of the directory, together; it gives nobody anything here", group_attributes,
	COUNT(group_attributes)};

const struct scim_resource_type scim_group_type = {
	"Group", "/Groups", "Groups of people", &group_schema, NULL};

/* ---- what describes the service ---- */

static const struct scim_attribute supported_attributes[] = {
	OF(SCIM_BOOLEAN, "supported", SCIM_REQUIRED | SCIM_READ_ONLY, "Whether it is there"),
};
static const struct scim_attribute bulk_attributes[] = {
	OF(SCIM_BOOLEAN, "supported", SCIM_REQUIRED | SCIM_READ_ONLY, "Whether it is there"),
	OF(SCIM_INTEGER, "maxOperations", SCIM_REQUIRED | SCIM_READ_ONLY, "Operations at most"),
	OF(SCIM_INTEGER, "maxPayloadSize", SCIM_REQUIRED | SCIM_READ_ONLY, "Bytes at most"),
};
static const struct scim_attribute filter_attributes[] = {
	OF(SCIM_BOOLEAN, "supported", SCIM_REQUIRED | SCIM_READ_ONLY, "Whether it is there"),
	OF(SCIM_INTEGER, "maxResults", SCIM_REQUIRED | SCIM_READ_ONLY, "Resources of one page"),
};
static const struct scim_attribute scheme_attributes[] = {
	TEXTUAL("type", SCIM_REQUIRED | SCIM_READ_ONLY, "oauthbearertoken"),
	TEXTUAL("name", SCIM_REQUIRED | SCIM_READ_ONLY, "What it is called"),
	TEXTUAL("description", SCIM_REQUIRED | SCIM_READ_ONLY, "What it is"),
	OF(SCIM_BOOLEAN, "primary", SCIM_READ_ONLY, "Whether it is the preferred one"),
};
static const struct scim_attribute provider_attributes[] = {
	COMPLEX("patch", SCIM_REQUIRED | SCIM_READ_ONLY, "PATCH", supported_attributes),
	COMPLEX("bulk", SCIM_REQUIRED | SCIM_READ_ONLY, "Bulk", bulk_attributes),
	COMPLEX("filter", SCIM_REQUIRED | SCIM_READ_ONLY, "Filters", filter_attributes),
	COMPLEX("changePassword", SCIM_REQUIRED | SCIM_READ_ONLY, "Passwords",
		supported_attributes),
	COMPLEX("sort", SCIM_REQUIRED | SCIM_READ_ONLY, "Sorting", supported_attributes),
	COMPLEX("etag", SCIM_REQUIRED | SCIM_READ_ONLY, "ETags", supported_attributes),
	COMPLEX("authenticationSchemes", SCIM_MULTI | SCIM_REQUIRED | SCIM_READ_ONLY,
		"How a directory shows who it is", scheme_attributes),
};
static const struct scim_schema provider_schema = {
	"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig", "ServiceProviderConfig",
	"What this service can do", provider_attributes, COUNT(provider_attributes)};

static const struct scim_attribute extension_attributes[] = {
	OF(SCIM_REFERENCE, "schema", SCIM_REQUIRED | SCIM_READ_ONLY | SCIM_EXACT, "Its URN"),
	OF(SCIM_BOOLEAN, "required", SCIM_REQUIRED | SCIM_READ_ONLY, "Whether it must be there"),
};
static const struct scim_attribute type_attributes[] = {
	TEXTUAL("name", SCIM_REQUIRED | SCIM_READ_ONLY, "What it is called"),
	TEXTUAL("description", SCIM_READ_ONLY, "What it is"),
	OF(SCIM_REFERENCE, "endpoint", SCIM_REQUIRED | SCIM_READ_ONLY, "Where it is"),
	OF(SCIM_REFERENCE, "schema", SCIM_REQUIRED | SCIM_READ_ONLY | SCIM_EXACT, "Its URN"),
	COMPLEX("schemaExtensions", SCIM_MULTI | SCIM_READ_ONLY, "What it may have besides",
		extension_attributes),
};
static const struct scim_schema type_schema = {"urn:ietf:params:scim:schemas:core:2.0:ResourceType",
	"ResourceType", "A kind of resource", type_attributes, COUNT(type_attributes)};

#define DESCRIBING                                                                                 \
	TEXTUAL("name", SCIM_REQUIRED | SCIM_READ_ONLY | SCIM_EXACT, "What it is called"),         \
		TEXTUAL("type", SCIM_REQUIRED | SCIM_READ_ONLY, "Its type"),                       \
		OF(SCIM_BOOLEAN, "multiValued", SCIM_REQUIRED | SCIM_READ_ONLY,                    \
			"Whether there are many"),                                                 \
		TEXTUAL("description", SCIM_READ_ONLY, "What it is"),                              \
		OF(SCIM_BOOLEAN, "required", SCIM_READ_ONLY, "Whether it must be there"),          \
		TEXTUAL("canonicalValues", SCIM_MULTI | SCIM_READ_ONLY | SCIM_EXACT,               \
			"Values it may have"),                                                     \
		OF(SCIM_BOOLEAN, "caseExact", SCIM_READ_ONLY, "Whether case counts"),              \
		TEXTUAL("mutability", SCIM_READ_ONLY | SCIM_EXACT, "Who changes it"),              \
		TEXTUAL("returned", SCIM_READ_ONLY | SCIM_EXACT, "When it is returned"),           \
		TEXTUAL("uniqueness", SCIM_READ_ONLY | SCIM_EXACT, "Whether there may be two"),    \
		TEXTUAL("referenceTypes", SCIM_MULTI | SCIM_READ_ONLY | SCIM_EXACT,                \
			"What it refers to")
static const struct scim_attribute sub_description[] = {DESCRIBING};
static const struct scim_attribute attribute_description[] = {
	DESCRIBING,
	COMPLEX("subAttributes", SCIM_MULTI | SCIM_READ_ONLY, "Its parts", sub_description),
};
static const struct scim_attribute schema_attributes[] = {
	TEXTUAL("name", SCIM_READ_ONLY, "What it is called"),
	TEXTUAL("description", SCIM_READ_ONLY, "What it is"),
	COMPLEX("attributes", SCIM_MULTI | SCIM_REQUIRED | SCIM_READ_ONLY, "What it has",
		attribute_description),
};
static const struct scim_schema schema_schema = {"urn:ietf:params:scim:schemas:core:2.0:Schema",
	"Schema", "What a resource may have", schema_attributes, COUNT(schema_attributes)};

const struct scim_schema *const scim_schemas[SCIM_SCHEMAS_COUNT] = {&user_schema,
	&enterprise_schema, &group_schema, &provider_schema, &type_schema, &schema_schema};

/* ---- names ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool scim_same_letters(struct text a, struct text b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

const struct scim_attribute *scim_attribute_find(
	const struct scim_attribute *attributes, size_t count, struct text name)
{
	for (size_t i = 0; i < count; i++)
		if (scim_same_letters(text_of(attributes[i].name), name))
			return &attributes[i];
	return NULL;
}

/* The policy: for each stage what its rules may say. Facts, units and actions
 * of other stages are left out, so that an editor offers what is right. */
#include "proxy/schema/json_schema_internal.h"

#include "rules/limit.h"

#include <stdio.h>

#define SIZE "[0-9]+[KMGTkmgt]?"
#define PERIOD "/[0-9]*(ms|s|m|h|d)"
#define TEMPLATE "\\{.+\\}"
#define HEADER_FACT "^header\\.[!-9;-~]+$"

/* --- tests of facts --- */

static const char *const type_names[] = {
    [FACT_TYPE_TEXT] = "text_test",       [FACT_TYPE_NAME] = "name_test",
    [FACT_TYPE_ADDRESS] = "address_test", [FACT_TYPE_IP] = "host_test",
    [FACT_TYPE_NUMBER] = "number_test",   [FACT_TYPE_FLAG] = "flag_test",
};

#define TYPE_COUNT (sizeof type_names / sizeof *type_names)

/* One value of a test: a literal of the type, "@list" or a template. */
static json_t *test_value(enum fact_type type)
{
    if (type == FACT_TYPE_NUMBER)
        return json_pack("{s:[s,s], s:s}", "type", "integer", "string",
                         "pattern", "^((>=|<=|>|<)[ \\t]*)?" SIZE "$|^@|\\{");
    if (type == FACT_TYPE_IP)
        return describe_pattern("^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$|^@|^/|\\{");
    return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

static json_t *word_value(enum test_word word, enum fact_type type)
{
    switch (test_words[word].form) {
    case VALUE_PATTERN:
        return describe_one_or_list(describe_pattern("^/.+/[a-z]*$"));
    case VALUE_COUNT:
        return json_pack("{s:[s,s], s:s}", "type", "integer", "string",
                         "pattern", "^" SIZE "$");
    case VALUE_FLAG:
        return describe_flag();
    default:
        return describe_one_or_list(test_value(type));
    }
}

static bool has_word(enum test_word word, enum fact_type type)
{
    return test_words[word].form != VALUE_COUNT || type == FACT_TYPE_NUMBER;
}

static json_t *test_of(enum fact_type type)
{
    json_t *words = json_object();
    for (enum test_word w = WORD_SHORT + 1; w < WORD_COUNT; w++)
        if (has_word(w, type))
            describe_put(
                words, test_words[w].name,
                describe_with(word_value(w, type), test_words[w].help, NULL));
    json_t *map = describe_object_of(words, NULL);
    describe_put(map, "minProperties", json_integer(1));
    return describe_any_of(describe_one_or_list(test_value(type)), map);
}

/* --- facts as keys --- */

typedef json_t *fact_value(const struct fact_ref *ref);

static json_t *refer_to_test(const struct fact_ref *ref)
{
    return describe_ref(type_names[fact_type(ref)]);
}

/* What a test of the policy states: one value, or several of a list. */
static json_t *stated(const struct fact_ref *ref)
{
    const char *const *words = fact_words(ref->fact);
    json_t *value = words != NULL ? describe_words(words)
                                  : json_pack("{s:[s,s,s]}", "type", "string",
                                              "number", "boolean");
    if (!fact_is_list(ref))
        return value;
    return describe_any_of(describe_list(value), json_incref(value));
}

/* mail.from, mail.from.local, mail.from.domain. */
static void put_parts(json_t *properties, const struct fact_ref *ref,
                      fact_value *make)
{
    static const struct {
        enum fact_part part;
        const char *suffix, *help;
    } parts[] = {
        {FACT_PART_ALL, "", ""},
        {FACT_PART_LOCAL, ".local", ": what stands before the @"},
        {FACT_PART_DOMAIN, ".domain", ": what stands behind the @"},
    };
    size_t count = fact_type(ref) == FACT_TYPE_ADDRESS ? 3 : 1;
    for (size_t i = 0; i < count; i++) {
        struct fact_ref part = *ref;
        char name[64];
        char help[200];
        part.part = parts[i].part;
        snprintf(name, sizeof name, "%s%s", fact_name(ref->fact),
                 parts[i].suffix);
        snprintf(help, sizeof help, "%s%s", fact_help(ref->fact),
                 parts[i].help);
        describe_put(properties, name, describe_with(make(&part), help, NULL));
    }
}

/* Those that the stage knows. Of a header field the type hangs on its name. */
static void put_facts(json_t *object, enum stage stage, fact_value *make)
{
    json_t *properties = json_object_get(object, "properties");
    struct fact_ref header = {.fact = FACT_HEADER, .header = STR("subject")};
    for (enum fact f = 0; f < FACT_COUNT; f++) {
        struct fact_ref ref = {.fact = f, .header = STR("")};
        if (f != FACT_HEADER && fact_stage(&ref) <= stage)
            put_parts(properties, &ref, make);
    }
    if (fact_stage(&header) > stage)
        return;
    json_t *value = describe_with(make(&header), fact_help(FACT_HEADER), NULL);
    describe_put(object, "patternProperties",
                 json_pack("{s:o}", HEADER_FACT, value));
}

json_t *describe_given(json_t *object)
{
    put_facts(object, STAGE_COUNT - 1, stated);
    return object;
}

/* --- when and limit --- */

static const char *stage_name_of(const char *what, enum stage stage,
                                 char room[32])
{
    snprintf(room, 32, "%s_%s", what, stage_name(stage));
    return room;
}

static json_t *when_at(enum stage stage)
{
    char name[32];
    json_t *self = describe_ref(stage_name_of("when", stage, name));
    json_t *several = json_pack("{s:s, s:O, s:i}", "type", "array", "items",
                                self, "minItems", 1);
    json_t *object = describe_object_of(json_object(), NULL);
    json_t *properties = json_object_get(object, "properties");
    describe_put(object, "minProperties", json_integer(1));
    describe_put(properties, "any",
                 describe_with(json_copy(several), "one of these holds", NULL));
    describe_put(properties, "all",
                 describe_with(several, "all of these hold", NULL));
    describe_put(properties, "not",
                 describe_with(self, "this does not hold", NULL));
    put_facts(object, stage, refer_to_test);
    return object;
}

static json_t *unit_amount(const struct unit_row *row)
{
    switch (row->periods) {
    case LIMIT_WITHOUT_PERIOD:
        return json_pack("{s:[s,s], s:s}", "type", "integer", "string",
                         "pattern", "^" SIZE "$|" TEMPLATE);
    case LIMIT_WITH_PERIOD:
        return describe_pattern("^" SIZE PERIOD "$|" TEMPLATE);
    default:
        return json_pack("{s:[s,s], s:s}", "type", "integer", "string",
                         "pattern", "^" SIZE "(" PERIOD ")?$|" TEMPLATE);
    }
}

static json_t *value_of(const struct rule_key *key, enum stage stage);

static json_t *limit_at(enum stage stage)
{
    json_t *properties = json_object();
    json_t *one = json_array();
    for (enum limit_unit u = 0; u < UNIT_COUNT; u++) {
        const struct unit_row *row = unit_row(u);
        if ((row->stages & 1u << stage) == 0)
            continue;
        describe_put(properties, row->name,
                     describe_with(unit_amount(row), row->help, NULL));
        json_array_append_new(one, json_pack("{s:[s]}", "required", row->name));
    }
    for (size_t i = 0; i < LIMIT_KEYS; i++)
        describe_put(properties, limit_keys[i].name,
                     describe_with(value_of(&limit_keys[i], stage),
                                   limit_keys[i].help, NULL));
    json_t *object = describe_object_of(properties, NULL);
    describe_put(object, "oneOf", one);
    return object;
}

static bool has_unit(enum stage stage)
{
    for (enum limit_unit u = 0; u < UNIT_COUNT; u++)
        if ((unit_row(u)->stages & 1u << stage) != 0)
            return true;
    return false;
}

/* --- what a rule does --- */

static json_t *reply_of(char class, enum stage stage)
{
    if (class == 'c')
        return describe_pattern("^421 +\\S");
    if (class == '4')
        return describe_pattern("^4(?!21)[0-5][0-9] +\\S");
    return describe_pattern(stage == STAGE_CONNECT ? "^554 +\\S"
                                                   : "^5[0-5][0-9] +\\S");
}

static json_t *rewrite_at(enum stage stage)
{
    enum fact fact;
    json_t *object = describe_object_of(json_object(), NULL);
    json_t *text = describe_with(describe_text(), "the new value", NULL);
    if (!rule_rewrites(stage, &fact))
        json_decref(text);
    else if (fact == FACT_HEADER)
        describe_put(object, "patternProperties",
                     json_pack("{s:o}", HEADER_FACT, text));
    else
        describe_put(json_object_get(object, "properties"), fact_name(fact),
                     text);
    describe_put(object, "minProperties", json_integer(1));
    return object;
}

static json_t *header_edits(enum stage stage)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < header_key_count; i++)
        describe_put(properties, header_keys[i].name,
                     describe_with(value_of(&header_keys[i], stage),
                                   header_keys[i].help, NULL));
    return describe_object_of(properties, NULL);
}

static json_t *recipients(void)
{
    return describe_one_or_list(describe_any_of(
        describe_text(), describe_section(&recipient_schema, false)));
}

static json_t *list_change(void)
{
    json_t *object = describe_section(&list_change_schema, false);
    describe_put(object, "anyOf",
                 json_pack("[{s:[s]}, {s:[s]}]", "required", "add", "required",
                           "remove"));
    return object;
}

static json_t *fields(void)
{
    json_t *map = describe_map_of(describe_text());
    describe_put(map, "propertyNames",
                 json_pack("{s:s}", "pattern", "^[!-9;-~]+$"));
    return map;
}

static json_t *true_alone(void)
{
    static const char *const words[] = {"true", NULL};
    return describe_words(words);
}

static json_t *refer_to(const char *what, enum stage stage)
{
    char name[32];
    return describe_ref(stage_name_of(what, stage, name));
}

static json_t *value_of(const struct rule_key *key, enum stage stage)
{
    switch (key->form) {
    case VALUE_CONDITION:
        return refer_to("when", stage);
    case VALUE_LIMIT:
        return refer_to("limit", stage);
    case VALUE_TRUE:
        return true_alone();
    case VALUE_WORD:
        return describe_words(key->words);
    case VALUE_REPLY:
        return reply_of(key->classes, stage);
    case VALUE_REWRITE:
        return rewrite_at(stage);
    case VALUE_HEADERS:
        return header_edits(stage);
    case VALUE_RECIPIENT:
        return recipients();
    case VALUE_LIST_CHANGE:
        return list_change();
    case VALUE_TIME:
        return describe_pattern("^[0-9]+(ms|s|m|h|d)$");
    case VALUE_TEMPLATES:
    case VALUE_GLOBS:
        return describe_one_or_list(describe_text());
    case VALUE_FIELDS:
        return fields();
    case VALUE_COUNT:
        return json_pack("{s:[s,s], s:s, s:i}", "type", "integer", "string",
                         "pattern", "^" SIZE "$", "minimum", 1);
    case VALUE_PERCENT:
        return describe_pattern("^[0-9]{1,3}%$");
    case VALUE_FLAG:
        return describe_flag();
    default:
        return describe_text();
    }
}

static json_t *rule_at(enum stage stage)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < rule_key_count; i++) {
        const struct rule_key *key = &rule_keys[i];
        bool is_here = (key->stages & 1u << stage) != 0 &&
                       (key->form != VALUE_LIMIT || has_unit(stage));
        if (is_here)
            describe_put(properties, key->name,
                         describe_with(value_of(key, stage), key->help, NULL));
    }
    return describe_object_of(properties, json_pack("[s]", "rule"));
}

json_t *describe_policy(void)
{
    json_t *properties = json_object();
    for (enum stage s = 0; s < STAGE_COUNT; s++)
        describe_put(properties, stage_name(s),
                     describe_with(describe_list(refer_to("rule", s)),
                                   stage_help(s), NULL));
    return describe_object_of(properties, NULL);
}

void describe_put_definitions(json_t *definitions)
{
    char name[32];
    for (size_t i = 0; i < TYPE_COUNT; i++)
        describe_put(definitions, type_names[i], test_of((enum fact_type)i));
    for (enum stage s = 0; s < STAGE_COUNT; s++) {
        describe_put(definitions, stage_name_of("rule", s, name), rule_at(s));
        describe_put(definitions, stage_name_of("when", s, name), when_at(s));
        if (has_unit(s))
            describe_put(definitions, stage_name_of("limit", s, name),
                         limit_at(s));
    }
}

/* Endpoint rules: the functions, the walk through the tree, hostile documents, region patterns. */
#include "aws/endpoint/endpoint.h"
#include "aws/endpoint/region.h"
#include "unit/check.h"

#include <stdio.h>

#define PARTITIONS                                                                                 \
  "{\"partitions\":[{\"id\":\"aws\",\"regionRegex\":\"^(us|eu)\\\\-\\\\w+\\\\-\\\\d+$\","          \
  "\"outputs\":{\"dnsSuffix\":\"amazonaws.com\",\"supportsFIPS\":true},"                           \
  "\"regions\":{\"eu-west-1\":{\"description\":\"x\"},\"aws-global\":{}}},"                        \
  "{\"id\":\"aws-cn\",\"regionRegex\":\"^cn\\\\-\\\\w+\\\\-\\\\d+$\","                             \
  "\"outputs\":{\"dnsSuffix\":\"amazonaws.com.cn\",\"supportsFIPS\":false},\"regions\":{}}]}"

static mb_arena *arena;

static int make_arena(void **state) {
  arena = mb_arena_new(64u * 1024 * 1024);
  return arena ? 0 : -1;
}

static int free_arena(void **state) {
  mb_arena_free(arena);
  return 0;
}

static mb_ruleset *try_ruleset(const char *rules, mb_error *error) {
  memset(error, 0, sizeof *error);
  return mb_ruleset_new(arena, rules, strlen(rules), PARTITIONS, strlen(PARTITIONS), error);
}

static mb_ruleset *ruleset(const char *rules) {
  mb_error error;
  mb_ruleset *out = try_ruleset(rules, &error);
  if (!out)
    fail_msg("%s\n%s", rules, error.message);
  return out;
}

static const mb_value *json(const char *text) {
  mb_value *value;
  mb_error error;
  if (mb_value_from_json(arena, &value, text, strlen(text), &error))
    fail_msg("%s: %s", text, error.message);
  return value;
}

static const char *format(const char *before, const char *middle, const char *after) {
  size_t size = strlen(before) + strlen(middle) + strlen(after) + 1;
  char *out = malloc(size);
  assert_non_null(out);
  snprintf(out, size, "%s%s%s", before, middle, after);
  const char *copy = mb_value_string(mb_value_new_string(arena, out));
  free(out);
  return copy;
}

/* Rules with one parameter, Text, that give `rule` as their only one. */
static mb_ruleset *rules_of(const char *rule) {
  return ruleset(format("{\"parameters\":{\"Text\":{\"type\":\"string\"},\"Flag\":{\"type\":"
                        "\"boolean\",\"default\":false,\"required\":true}},\"rules\":[",
                        rule, "]}"));
}

/* The URL, or the error's message. */
static const char *resolve(const mb_ruleset *rules, const char *params) {
  mb_error error;
  mb_endpoint endpoint;
  if (!mb_ruleset_resolve(rules, arena, json(params), &endpoint, &error))
    return endpoint.url;
  assert_string_equal(error.code, "EndpointError");
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  return mb_value_string(mb_value_new_string(arena, error.message));
}

/* What a call gives, written with `show` ("{r}", "{r#scheme}"); "unset" when it does not hold. */
static const char *call(const char *function, const char *show) {
  const char *rule = format("{\"type\":\"endpoint\",\"conditions\":[{", function,
                            ",\"assign\":\"r\"}],\"endpoint\":{\"url\":\"");
  rule = format(rule, show, "\"}},{\"type\":\"error\",\"conditions\":[],\"error\":\"unset\"}");
  return resolve(rules_of(rule), "{}");
}

#define FN(name, arguments) "\"fn\":\"" name "\",\"argv\":[" arguments "]"

/* ---- functions ---- */

static void substring_counts_from_either_end(void **state) {
  static const char *const rows[][2] = {
      {FN("substring", "\"abcdef\",0,4,false"), "abcd"},
      {FN("substring", "\"abcdef\",0,4,true"), "cdef"},
      {FN("substring", "\"abcdef\",1,2,true"), "e"},
      {FN("substring", "\"abc\",0,3,false"), "abc"},
      {FN("substring", "\"abc\",0,4,false"), "unset"},
      {FN("substring", "\"abc\",2,2,false"), "unset"},
      {FN("substring", "\"abc\",3,1,false"), "unset"},
      {FN("substring", "\"abc\",-1,2,false"), "unset"},
      {FN("substring", "\"abc\",0,9223372036854775807,true"), "unset"},
      {FN("substring", "\"\\u00e9bc\",0,2,false"), "unset"},
      {FN("substring", "\"\",0,0,false"), "unset"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(call(rows[i][0], "{r}"), rows[i][1]);
}

static void urls_are_taken_apart(void **state) {
  static const char *const rows[][2] = {
      {"https://example.com", "https|example.com|||/|false"},
      {"HTTP://Example.com:8080/a/b", "http|Example.com:8080||/a/b|/a/b/|false"},
      {"https://127.0.0.1/x/", "https|127.0.0.1||/x/|/x/|true"},
      {"https://127.0.0.256", "https|127.0.0.256|||/|false"},
      {"http://[::1]:80", "http|[::1]:80|||/|true"},
      {"http://user@10.0.0.1", "http|user@10.0.0.1|||/|true"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *function = format("\"fn\":\"parseURL\",\"argv\":[\"", rows[i][0], "\"]");
    assert_string_equal(
        call(function, "{r#scheme}|{r#authority}||{r#path}|{r#normalizedPath}|{r#isIp}"),
        rows[i][1]);
  }
}

static void what_is_no_plain_url_is_unset(void **state) {
  static const char *const rows[] = {"",
                                     "example.com",
                                     "ftp://example.com",
                                     "https://",
                                     "https:///",
                                     "https://example?a=b",
                                     "https://example#frag",
                                     "https://example:99999",
                                     "://x",
                                     "https://example:x",
                                     "https://example:-1",
                                     "https://[::1",
                                     "https://:80",
                                     "https://[::1]x"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(
        call(format("\"fn\":\"parseURL\",\"argv\":[\"", rows[i], "\"]"), "{r#scheme}"), "unset");
}

static void arns_are_taken_apart(void **state) {
  static const char *const rows[][2] = {
      {"arn:aws:s3:us-east-1:123456789012:accesspoint/mine",
       "aws|s3|us-east-1|123456789012|accesspoint"},
      {"arn:aws:s3:::bucket", "aws|s3|||bucket"},
      {"arn:aws:sns:r:a:b:c", "aws|sns|r|a|b"},
      {"arn:aws:s3:::", "unset"},
      {"arn:aws:s3::", "unset"},
      {"arn::s3:::bucket", "unset"},
      {"arn:aws::::bucket", "unset"},
      {"ARN:aws:s3:::bucket", "unset"},
      {"arn", "unset"},
      {"", "unset"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(
        call(format("\"fn\":\"aws.parseArn\",\"argv\":[\"", rows[i][0], "\"]"),
             "{r#partition}|{r#service}|{r#region}|{r#accountId}|{r#resourceId[0]}"),
        rows[i][1]);
  assert_string_equal(call(FN("aws.parseArn", "\"arn:aws:s3:::a/b:c/\""),
                           "{r#resourceId[1]}{r#resourceId[-2]}{r#resourceId[3]}"),
                      "bc");
}

static void host_labels_are_checked(void **state) {
  static const struct {
    const char *arguments;
    bool valid;
  } rows[] = {
      {"\"abc\",false", true},
      {"\"a-b\",false", true},
      {"\"ABC\",false", true},
      {"\"-ab\",false", false},
      {"\"ab-\",false", false},
      {"\"\",false", false},
      {"\"a.b\",false", false},
      {"\"a.b\",true", true},
      {"\"a..b\",true", false},
      {"\"a.b.\",true", false},
      {"\"a_b\",false", false},
      {"\"\\u00e9\",false", false},
      {"\"a\\u0000b\",true", false},
      {"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",false", true},
      {"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",false", false},
      {"{\"ref\":\"Text\"},false", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(
        call(format("\"fn\":\"isValidHostLabel\",\"argv\":[", rows[i].arguments, "]"), "{r}"),
        rows[i].valid ? "true" : "unset");
}

static void bucket_names_are_checked(void **state) {
  static const struct {
    const char *arguments;
    bool valid;
  } rows[] = {
      {"\"bucket\",false", true},       {"\"a.bucket\",false", false},
      {"\"a.bucket\",true", true},      {"\"Bucket\",false", false},
      {"\"ab\",false", false},          {"\"192.168.5.4\",true", false},
      {"\"192.168.5.400\",true", true}, {"\"a-.b\",true", false},
      {"\"a_b\",true", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(
        call(format("\"fn\":\"aws.isVirtualHostableS3Bucket\",\"argv\":[", rows[i].arguments, "]"),
             "{r}"),
        rows[i].valid ? "true" : "unset");
}

static void smaller_functions_do_what_they_say(void **state) {
  static const char *const rows[][3] = {
      {FN("uriEncode", "\"a/b c~\\u00e9\""), "{r}", "a%2Fb%20c~%C3%A9"},
      {FN("stringEquals", "\"a\",\"a\""), "{r}", "true"},
      {FN("stringEquals", "\"a\",\"A\""), "{r}", "unset"},
      {FN("stringEquals", "{\"ref\":\"Text\"},\"a\""), "{r}", "unset"},
      {FN("booleanEquals", "true,\"true\""), "{r}", "unset"},
      {FN("not", "{\"fn\":\"isSet\",\"argv\":[{\"ref\":\"Text\"}]}"), "{r}", "true"},
      {FN("not", "{\"ref\":\"Flag\"}"), "{r}", "true"},
      {FN("isSet", "{\"ref\":\"Text\"}"), "{r}", "unset"},
      {FN("isSet", "{\"ref\":\"Flag\"}"), "{r}", "true"},
      {FN("aws.partition", "\"cn-north-1\""), "{r#name} {r#dnsSuffix} {r#supportsFIPS}",
       "aws-cn amazonaws.com.cn false"},
      {FN("aws.partition", "\"nowhere\""), "{r#name}", "aws"},
      {FN("getAttr", "{\"fn\":\"aws.partition\",\"argv\":[\"eu-west-9\"]},\"dnsSuffix\""), "{r}",
       "amazonaws.com"},
      {FN("getAttr", "{\"fn\":\"aws.partition\",\"argv\":[\"eu-west-9\"]},\"none.x[0]\""), "{r}",
       "unset"},
      {FN("getAttr", "{\"fn\":\"split\",\"argv\":[\"a--b--c\",\"--\",0]},\"[2]\""), "{r}", "c"},
      {FN("getAttr", "{\"fn\":\"split\",\"argv\":[\"a--b--c\",\"--\",2]},\"[-1]\""), "{r}", "b--c"},
      {FN("getAttr", "{\"fn\":\"split\",\"argv\":[\"a--b--c\",\"--\",0]},\"[2147483647]\""), "{r}",
       "unset"},
      {FN("coalesce", "{\"ref\":\"Text\"},\"other\""), "{r}", "other"},
      {FN("ite", "{\"ref\":\"Flag\"},\"yes\",\"no\""), "{r}", "no"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(call(rows[i][0], rows[i][1]), rows[i][2]);
}

/* ---- the walk ---- */

static void names_set_by_a_rule_are_not_seen_by_the_next(void **state) {
  mb_ruleset *rules = rules_of("{\"type\":\"tree\",\"conditions\":[{" FN(
      "uriEncode",
      "\"first\"") ",\"assign\":\"a\"}],"
                   "\"rules\":[{\"type\":\"error\",\"conditions\":[{" FN(
                       "isSet", "{\"ref\":\"Text\"}") "}],\"error\":\"{a}\"}]},"
                                                      "{\"type\":\"tree\",\"conditions\":[{" FN(
                                                          "uriEncode",
                                                          "\"second\"") ",\"assign\":\"a\"}],"
                                                                        "\"rules\":[{\"type\":"
                                                                        "\"error\",\"conditions\":["
                                                                        "],\"error\":\"{a}\"}]}");
  assert_string_equal(resolve(rules, "{}"), "second");
  assert_string_equal(resolve(rules, "{\"Text\":\"x\"}"), "first");
}

static void a_name_is_not_set_twice(void **state) {
  mb_ruleset *rules = rules_of(
      "{\"type\":\"error\",\"conditions\":[{" FN("uriEncode", "\"x\"") ",\"assign\":\"a\"},{" FN(
          "uriEncode", "\"y\"") ",\"assign\":\"a\"}],\"error\":\"e\"}");
  assert_non_null(strstr(resolve(rules, "{}"), "twice"));
}

static void parameters_are_demanded_typed_and_defaulted(void **state) {
  mb_ruleset *rules = ruleset(
      "{\"parameters\":{\"Region\":{\"type\":\"String\",\"required\":true},"
      "\"Mode\":{\"type\":\"string\",\"default\":\"quiet\"},\"List\":{\"type\":\"stringArray\"}},"
      "\"rules\":[{\"type\":\"error\",\"conditions\":[],\"error\":\"{Region} {Mode}\"}]}");
  assert_string_equal(resolve(rules, "{\"Region\":\"r\"}"), "r quiet");
  assert_string_equal(resolve(rules, "{\"Region\":\"r\",\"Mode\":\"loud\",\"Other\":1}"), "r loud");
  assert_non_null(strstr(resolve(rules, "{}"), "Region"));
  assert_non_null(strstr(resolve(rules, "{\"Region\":null}"), "Region"));
  assert_non_null(strstr(resolve(rules, "{\"Region\":1}"), "must be"));
  assert_non_null(strstr(resolve(rules, "{\"Region\":\"r\",\"List\":\"x\"}"), "List"));
}

static void properties_and_headers_are_filled_in(void **state) {
  mb_error error;
  mb_endpoint endpoint;
  mb_ruleset *rules = rules_of(
      "{\"type\":\"endpoint\",\"conditions\":[],\"endpoint\":{\"url\":\"https://{Text}/{{x}}\","
      "\"properties\":{\"authSchemes\":[{\"name\":\"sigv4\",\"signingRegion\":\"{Text}\",\"n\":[1,"
      "true]}]},"
      "\"headers\":{\"x-a\":[\"{Text}\",{\"ref\":\"Text\"}]}}}");
  assert_int_equal(mb_ruleset_resolve(rules, arena, json("{\"Text\":\"t\"}"), &endpoint, &error),
                   0);
  assert_string_equal(endpoint.url, "https://t/{x}");
  assert_true(mb_value_equal(
      endpoint.properties,
      json("{\"authSchemes\":[{\"name\":\"sigv4\",\"signingRegion\":\"t\",\"n\":[1,true]}]}")));
  assert_true(mb_value_equal(endpoint.headers, json("{\"x-a\":[\"t\",\"t\"]}")));
}

static void a_template_of_an_unset_name_is_an_error(void **state) {
  mb_ruleset *rules = rules_of("{\"type\":\"error\",\"conditions\":[],\"error\":\"a {Text}\"}");
  assert_non_null(strstr(resolve(rules, "{}"), "Text"));
}

static void no_rule_that_fits_is_an_error(void **state) {
  mb_ruleset *rules = rules_of("{\"type\":\"error\",\"conditions\":[{" FN(
      "isSet", "{\"ref\":\"Text\"}") "}],\"error\":\"e\"}");
  assert_non_null(strstr(resolve(rules, "{}"), "No endpoint rule"));
}

static void partition_of_a_region_is_found_by_name_then_pattern(void **state) {
  mb_ruleset *rules = rules_of("");
  static const char *const rows[][2] = {{"aws-global", "aws"}, {"eu-west-1", "aws"},
                                        {"us-new-7", "aws"},   {"cn-x-1", "aws-cn"},
                                        {"", "aws"},           {"mars", "aws"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(
        mb_value_string(mb_map_get(mb_ruleset_partition(rules, arena, rows[i][0]), "name")),
        rows[i][1]);
}

/* ---- hostile documents ---- */

#define GET_ATTR(arguments)                                                                        \
  "{\"rules\":[{\"type\":\"error\",\"error\":{" FN("getAttr", arguments) "}}]}"

static void rules_that_make_no_sense_are_refused(void **state) {
  static const char *const rows[] = {
      "",
      "[]",
      "{\"rules\":{}}",
      "{\"rules\":[1]}",
      "{\"rules\":[{}]}",
      "{\"rules\":[{\"type\":\"shrub\"}]}",
      "{\"rules\":[{\"type\":\"error\"}]}",
      "{\"rules\":[{\"type\":\"endpoint\",\"endpoint\":{}}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":\"{a\"}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":\"a}\"}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":\"{}\"}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":\"{a#}\"}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":{\"fn\":\"noSuch\",\"argv\":[]}}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":{\"fn\":\"isSet\",\"argv\":[]}}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":{\"fn\":\"isSet\"}}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":{\"x\":1}}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":\"e\",\"conditions\":[{\"ref\":\"a\"}]}]}",
      "{\"rules\":[{\"type\":\"error\",\"error\":\"e\",\"conditions\":{}}]}",
      GET_ATTR("\"a\",\"b[\""),
      GET_ATTR("\"a\",\"b[x]\""),
      GET_ATTR("1,\"[2147483648]\""),
      GET_ATTR("\"a\",\"b..c\""),
      GET_ATTR("\"a\",\"\""),
      GET_ATTR("\"a\",1"),
      "{\"parameters\":{\"a\":{}}}",
      "{\"parameters\":{\"a\":{\"type\":\"integer\"}}}",
      "{\"parameters\":{\"a\":{\"type\":\"string\",\"default\":true}}}",
      "{\"parameters\":{\"a\":{\"type\":\"string\",\"required\":1}}}",
      "{\"rules\":[]} x",
      "{\"rules\":[",
  };
  mb_error error;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (try_ruleset(rows[i], &error))
      fail_msg("accepted: %s", rows[i]);
    assert_int_equal(error.kind, MB_ERROR_USAGE);
  }
}

static void deep_rules_are_refused_not_a_crash(void **state) {
  static const char open[] = "{\"type\":\"tree\",\"conditions\":[],\"rules\":[";
  enum { LEVELS = 20000 };
  mb_error error;
  char *text = malloc(sizeof open * LEVELS + 32);
  assert_non_null(text);
  size_t size = (size_t)sprintf(text, "{\"rules\":[");
  for (int i = 0; i < LEVELS; i++) {
    memcpy(text + size, open, sizeof open - 1);
    size += sizeof open - 1;
  }
  text[size] = '\0';
  assert_null(try_ruleset(text, &error));
  assert_non_null(strstr(error.message, "deep"));
  free(text);
}

static void partitions_that_make_no_sense_are_refused(void **state) {
  static const char *const rows[] = {
      "",
      "{}",
      "{\"partitions\":[]}",
      "{\"partitions\":[{}]}",
      "{\"partitions\":[{\"id\":\"a\",\"outputs\":{},\"regions\":[]}]}",
      "{\"partitions\":[{\"id\":\"a\",\"outputs\":{},\"regions\":{},\"regionRegex\":\"(\"}]}",
  };
  mb_error error;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_null(mb_ruleset_new(arena, "{}", 2, rows[i], strlen(rows[i]), &error));
    assert_int_equal(error.kind, MB_ERROR_USAGE);
  }
}

/* ---- region patterns ---- */

static void region_patterns_match_the_whole_name(void **state) {
  static const struct {
    const char *pattern, *region;
    bool matches;
  } rows[] = {
      {"^(us|eu|ap)\\-\\w+\\-\\d+$", "eu-west-1", true},
      {"^(us|eu|ap)\\-\\w+\\-\\d+$", "us-gov-west-1", false},
      {"^(us|eu|ap)\\-\\w+\\-\\d+$", "eu-west-", false},
      {"^(us|eu|ap)\\-\\w+\\-\\d+$", "eu-west-1x", false},
      {"^(us|eu|ap)\\-\\w+\\-\\d+$", "", false},
      {"^us\\-gov\\-\\w+\\-\\d+$", "us-gov-west-1", true},
      {"a*b", "b", true},
      {"a*b", "aaab", true},
      {"a?b", "aab", false},
      {"(ab)+", "abab", true},
      {"(ab)+", "aba", false},
      {"(?:a|b|)c", "c", true},
      {"[a-c]x", "bx", true},
      {"[^a-c]x", "bx", false},
      {"[^a-c]x", "dx", true},
      {"[\\d-]+", "1-2", true},
      {"a.c", "abc", true},
      {"", "", true},
      {"^$", "x", false},
      {"\xc3", "\xc3", false},
      {"a", "\xe1", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (mb_region_matches(rows[i].pattern, rows[i].region) != rows[i].matches)
      fail_msg("%s over %s", rows[i].pattern, rows[i].region);
}

static void patterns_not_understood_are_refused(void **state) {
  static const char *const rows[] = {"(",    ")",  "a)",  "[a",   "*a",  "a**", "\\",  "\\q",
                                     "a{2}", "a^", "a$b", "(a|b", "\\1", "+",   "\xff"};
  char deep[2001];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (mb_region_pattern_valid(rows[i]))
      fail_msg("accepted: %s", rows[i]);
  memset(deep, '(', sizeof deep - 1);
  deep[sizeof deep - 1] = '\0';
  assert_false(mb_region_pattern_valid(deep));
  memset(deep, 'a', sizeof deep - 1);
  assert_false(mb_region_pattern_valid(deep));
  memset(deep, '|', sizeof deep - 1);
  assert_false(mb_region_pattern_valid(deep));
}

/* A matcher that backtracks would never come back from this. */
static void nested_repetitions_stay_quick(void **state) {
  char text[5001];
  memset(text, 'a', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  assert_false(mb_region_matches("((a*)*)*b", text));
  assert_true(mb_region_matches("((a*)*)*", text));
}

/* ---- memory ---- */

static int resolve_once(void *limit) {
  static const char rules[] =
      "{\"parameters\":{\"Text\":{\"type\":\"string\",\"default\":\"d\"}},\"rules\":["
      "{\"type\":\"tree\",\"conditions\":[{" FN(
          "aws.partition",
          "\"cn-north-1\"") ",\"assign\":\"p\"},"
                            "{" FN("parseURL", "\"https://h:1/p\"") ",\"assign\":\"u\"},{" FN(
                                "aws.parseArn",
                                "\"arn:aws:s3:::b/c\"") ",\"assign\":\"n\"},"
                                                        "{" FN(
                                                            "split",
                                                            "\"a,b\",\",\",0") ",\"assign\":\"s\"},"
                                                                               "{" FN("substring",
                                                                                      "\"abc\",0,2,"
                                                                                      "true") ",\"a"
                                                                                              "ssig"
                                                                                              "n\":"
                                                                                              "\"x"
                                                                                              "\"}]"
                                                                                              ","
                                                                                              "\"ru"
                                                                                              "les"
                                                                                              "\":["
                                                                                              "{\"t"
                                                                                              "ype"
                                                                                              "\":"
                                                                                              "\"en"
                                                                                              "dpoi"
                                                                                              "nt\""
                                                                                              ",\"c"
                                                                                              "ondi"
                                                                                              "tion"
                                                                                              "s\":"
                                                                                              "[],"
                                                                                              "\"en"
                                                                                              "dpoi"
                                                                                              "nt\""
                                                                                              ":{"
                                                                                              "\"ur"
                                                                                              "l\":"
                                                                                              "\"{"
                                                                                              "u#"
                                                                                              "sche"
                                                                                              "me}:"
                                                                                              "//"
                                                                                              "{Tex"
                                                                                              "t}.{"
                                                                                              "p#"
                                                                                              "name"
                                                                                              "}\","
                                                                                              "\"pr"
                                                                                              "oper"
                                                                                              "ties"
                                                                                              "\":{"
                                                                                              "\"a"
                                                                                              "\":["
                                                                                              "{\"b"
                                                                                              "\":"
                                                                                              "\"{"
                                                                                              "n#"
                                                                                              "serv"
                                                                                              "ice}"
                                                                                              "\"}]"
                                                                                              "},"
                                                                                              "\"he"
                                                                                              "ader"
                                                                                              "s\":"
                                                                                              "{\"h"
                                                                                              "\":["
                                                                                              "\"{"
                                                                                              "x}"
                                                                                              "\"]}"
                                                                                              "}}]}"
                                                                                              "]}";
  mb_error error = {0};
  mb_value *params = NULL;
  mb_endpoint endpoint;
  int result = -1;
  mb_arena *own = mb_arena_new(*(const size_t *)limit);
  if (!own)
    return -1;
  const mb_ruleset *compiled =
      mb_ruleset_new(own, rules, sizeof rules - 1, PARTITIONS, strlen(PARTITIONS), &error);
  if (compiled && !mb_value_from_json(own, &params, "{}", 2, &error))
    result = mb_ruleset_resolve(compiled, own, params, &endpoint, &error);
  if (result)
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  else
    assert_string_equal(endpoint.url, "https://d.aws-cn");
  mb_arena_free(own);
  return result;
}

static void every_allocation_of_a_resolution_may_fail(void **state) {
  size_t unlimited = 0;
  check_allocation_failures(resolve_once, &unlimited);
  check_arena_limits(resolve_once);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(substring_counts_from_either_end),
      cmocka_unit_test(urls_are_taken_apart),
      cmocka_unit_test(what_is_no_plain_url_is_unset),
      cmocka_unit_test(arns_are_taken_apart),
      cmocka_unit_test(host_labels_are_checked),
      cmocka_unit_test(bucket_names_are_checked),
      cmocka_unit_test(smaller_functions_do_what_they_say),
      cmocka_unit_test(names_set_by_a_rule_are_not_seen_by_the_next),
      cmocka_unit_test(a_name_is_not_set_twice),
      cmocka_unit_test(parameters_are_demanded_typed_and_defaulted),
      cmocka_unit_test(properties_and_headers_are_filled_in),
      cmocka_unit_test(a_template_of_an_unset_name_is_an_error),
      cmocka_unit_test(no_rule_that_fits_is_an_error),
      cmocka_unit_test(partition_of_a_region_is_found_by_name_then_pattern),
      cmocka_unit_test(rules_that_make_no_sense_are_refused),
      cmocka_unit_test(deep_rules_are_refused_not_a_crash),
      cmocka_unit_test(partitions_that_make_no_sense_are_refused),
      cmocka_unit_test(region_patterns_match_the_whole_name),
      cmocka_unit_test(patterns_not_understood_are_refused),
      cmocka_unit_test(nested_repetitions_stay_quick),
      cmocka_unit_test(every_allocation_of_a_resolution_may_fail),
  };
  return cmocka_run_group_tests(tests, make_arena, free_arena);
}

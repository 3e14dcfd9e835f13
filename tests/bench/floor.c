/* The floor: the same signed calls by a bare program on libcurl, OpenSSL and cJSON, with nothing
 * around them. What moonbook costs is what it takes above this.
 *
 * usage: floor URL CALLS IN_FLIGHT [CA_DIRECTORY]     (IN_FLIGHT 1: one after another)
 */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TARGET       "AmazonEC2ContainerServiceV20141113.DescribeServices"
#define REQUEST_BODY "{\"cluster\":\"prod\",\"services\":[\"service-00001\"]}"

typedef struct exchange {
  CURL *easy;
  struct curl_slist *headers;
  char *body;
  size_t size, capacity;
} exchange;

static char host[256];
static unsigned char signing_key[32];

static void hex(const unsigned char *bytes, char *out) {
  for (int i = 0; i < 32; i++) {
    snprintf(out + 2 * i, 3, "%02x", bytes[i]);
  }
}

static void hmac(const void *key, int key_size, const char *text, unsigned char *out) {
  unsigned int size = 32;
  HMAC(EVP_sha256(), key, key_size, (const unsigned char *)text, strlen(text), out, &size);
}

static void derive_key(const char *day) {
  unsigned char a[32], b[32];
  hmac("AWS4secret", 10, day, a);
  hmac(a, 32, "eu-west-1", b);
  hmac(b, 32, "ecs", a);
  hmac(a, 32, "aws4_request", signing_key);
}

static void sign(char *date_header, size_t date_size, char *authorization, size_t size) {
  char date[17], day[9], digest[65], canonical[1024], to_sign[256];
  unsigned char bytes[32];
  time_t seconds = time(NULL);
  struct tm parts;
  gmtime_r(&seconds, &parts);
  strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", &parts);
  memcpy(day, date, 8);
  day[8] = '\0';
  derive_key(day);
  SHA256((const unsigned char *)REQUEST_BODY, strlen(REQUEST_BODY), bytes);
  hex(bytes, digest);
  snprintf(canonical, sizeof canonical,
           "POST\n/\n\ncontent-type:application/x-amz-json-1.1\nhost:%s\nx-amz-date:%s\n"
           "x-amz-target:" TARGET "\n\ncontent-type;host;x-amz-date;x-amz-target\n%s",
           host, date, digest);
  SHA256((unsigned char *)canonical, strlen(canonical), bytes);
  hex(bytes, digest);
  snprintf(to_sign, sizeof to_sign, "AWS4-HMAC-SHA256\n%s\n%s/eu-west-1/ecs/aws4_request\n%s", date,
           day, digest);
  hmac(signing_key, 32, to_sign, bytes);
  hex(bytes, digest);
  snprintf(date_header, date_size, "X-Amz-Date: %s", date);
  snprintf(authorization, size,
           "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/%s/eu-west-1/ecs/aws4_request, "
           "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=%s",
           day, digest);
}

static size_t receive(char *data, size_t unit, size_t count, void *payload) {
  exchange *x = payload;
  size_t size = unit * count;
  if (x->size + size > x->capacity) {
    x->capacity = (x->size + size) * 2;
    x->body = realloc(x->body, x->capacity);
  }
  if (x->body == NULL) {
    return 0;
  }
  memcpy(x->body + x->size, data, size);
  x->size += size;
  return size;
}

static void prepare(exchange *x) {
  char date[64], authorization[512];
  sign(date, sizeof date, authorization, sizeof authorization);
  curl_slist_free_all(x->headers);
  x->headers = curl_slist_append(NULL, "Content-Type: application/x-amz-json-1.1");
  x->headers = curl_slist_append(x->headers, "X-Amz-Target: " TARGET);
  x->headers = curl_slist_append(x->headers, "Expect:");
  x->headers = curl_slist_append(x->headers, date);
  x->headers = curl_slist_append(x->headers, authorization);
  curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
  x->size = 0;
}

static void start(exchange *x, const char *url, const char *directory) {
  x->easy = curl_easy_init();
  curl_easy_setopt(x->easy, CURLOPT_URL, url);
  curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, REQUEST_BODY);
  curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
  curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
  curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
  if (directory) {
    curl_easy_setopt(x->easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(x->easy, CURLOPT_CAPATH, directory);
  }
}

static int finish(exchange *x) {
  long status = 0;
  curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
  cJSON *answer = cJSON_ParseWithLength(x->body, x->size);
  int failed = status != 200 || !cJSON_GetObjectItemCaseSensitive(answer, "services");
  cJSON_Delete(answer);
  return failed;
}

static int one_after_another(const char *url, int calls, const char *directory) {
  exchange x = {0};
  start(&x, url, directory);
  for (int i = 0; i < calls; i++) {
    prepare(&x);
    CURLcode code = curl_easy_perform(x.easy);
    if (code != CURLE_OK || finish(&x)) {
      fprintf(stderr, "floor: %s\n", curl_easy_strerror(code));
      return 1;
    }
  }
  return 0;
}

static int side_by_side(const char *url, int calls, int in_flight, const char *directory) {
  CURLM *multi = curl_multi_init();
  exchange *all = calloc((size_t)in_flight, sizeof *all);
  int started = 0, ended = 0, running, left;
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
  for (int i = 0; i < in_flight && started < calls; i++, started++) {
    start(&all[i], url, directory);
    prepare(&all[i]);
    curl_multi_add_handle(multi, all[i].easy);
  }
  while (ended < calls) {
    curl_multi_perform(multi, &running);
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
      exchange *x;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x);
      if (message->data.result != CURLE_OK || finish(x)) {
        return 1;
      }
      ended++;
      curl_multi_remove_handle(multi, x->easy);
      if (started < calls) {
        started++;
        prepare(x);
        curl_multi_add_handle(multi, x->easy);
      }
    }
    if (ended < calls) {
      curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: floor URL CALLS IN_FLIGHT [CA_DIRECTORY]\n");
    return 2;
  }
  const char *authority = strstr(argv[1], "://");
  snprintf(host, sizeof host, "%.*s", (int)strcspn(authority + 3, "/"), authority + 3);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  int calls = (int)strtol(argv[2], NULL, 10), in_flight = (int)strtol(argv[3], NULL, 10);
  const char *directory = argc > 4 ? argv[4] : NULL;
  return in_flight <= 1 ? one_after_another(argv[1], calls, directory)
                        : side_by_side(argv[1], calls, in_flight, directory);
}

/* Carrying requests with libcurl: one multi handle per loop, easy handles that are set up once and
 * used again and again. */
#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "loop/curl_api.h"
#include "loop/internal.h"
#include "loop/receive.h"
#include "loop/trouble.h"
#include "loop/trust.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>

enum {
  KEPT_CONNECTIONS = 512,
  RECEIVE_BUFFER = 16 * 1024, /* what a handle reads at once, and holds while it is under way */
  IDLE_CONNECTION_SECONDS = 55,
  KEEPALIVE_SECONDS = 60,
  REDIRECTS = 10
};

struct mb_courier {
  const mb_curl_api *api;
  mb_loop *loop;
  CURLM *multi;
  bool fresh; /* a transfer was started that libcurl has not looked at */
  bool trust_found;
  mb_trust trust;
  mb_proxies proxies;
};

/* libcurl's part of one transfer. What is remembered of the last request saves setting it again. */
typedef struct parcel {
  CURL *easy;
  mb_receiver receiver;
  char detail[CURL_ERROR_SIZE];
  int dispatches;           /* requests begun on a connection */
  unsigned memory_failures; /* of libcurl, before it began */
  curl_off_t uploaded;      /* bytes, when last asked */
  bool customised;          /* a method name is set */
  long connect_timeout;
  const char *proxy;
  char *ca_bundle;      /* the caller's; NULL: the system's */
  bool trust_set;       /* to the system's */
  bool authorities_set; /* to something else than libcurl's own */
} parcel;

/* ---- setting up ---- */

static int set_up_multi(mb_courier *courier) {
  const mb_curl_api *api = courier->api;
  courier->multi = api->multi_init();
  return courier->multi && api->multi_setopt(courier->multi, CURLMOPT_MAXCONNECTS,
                                             (long)KEPT_CONNECTIONS) == CURLM_OK
             ? 0
             : -1;
}

mb_courier *mb_courier_new(mb_loop *loop, mb_error *error) {
  const mb_curl_api *api = mb_curl_load(error);
  if (!api) {
    return NULL;
  }
  mb_courier *courier = mb_alloc_zero(1, sizeof *courier);
  if (!courier) {
    mb_error_memory(error);
    return NULL;
  }
  courier->api = api;
  courier->loop = loop;
  if (set_up_multi(courier) != 0 || mb_proxies_find(&courier->proxies, &loop->system) != 0) {
    mb_courier_free(courier);
    mb_error_memory(error);
    return NULL;
  }
  return courier;
}

void mb_courier_free(mb_courier *courier) {
  if (!courier) {
    return;
  }
  if (courier->multi) {
    courier->api->multi_cleanup(courier->multi);
  }
  mb_trust_dispose(&courier->trust);
  mb_proxies_dispose(&courier->proxies);
  mb_free(courier);
}

/* libcurl sends a request again by itself when a kept connection turns out dead; this is how it is
 * noticed. */
static int count_dispatch(void *user, char *remote, char *local, int remote_port, int local_port) {
  parcel *of = user;
  (void)remote;
  (void)local;
  (void)remote_port;
  (void)local_port;
  of->dispatches++;
  return CURL_PREREQFUNC_OK;
}

/* Opens the socket that libcurl asks for, unless its address must not be reached: this is after the
 * name was resolved, so no name can stand for such an address. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
  parcel *of = user;
  const mb_transfer *transfer = of->receiver.transfer;
  (void)purpose;
  if (transfer->options.refuse_link_local && mb_address_is_link_local(&address->addr)) {
    of->receiver.refusal = MB_REFUSAL_ADDRESS;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* What never changes from request to request. */
static bool set_constants(const mb_curl_api *api, parcel *of) {
  const struct {
    CURLoption option;
    long value;
  } numbers[] = {
      {CURLOPT_NOSIGNAL, 1},
      {CURLOPT_PATH_AS_IS, 1}, /* the path was signed as it stands */
      {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
      {CURLOPT_NETRC, CURL_NETRC_IGNORED},
      {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
      {CURLOPT_MAXREDIRS, REDIRECTS},
      {CURLOPT_BUFFERSIZE, RECEIVE_BUFFER},
      {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
      {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
      {CURLOPT_TCP_KEEPALIVE, 1},
      {CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SECONDS},
      {CURLOPT_TCP_KEEPINTVL, KEEPALIVE_SECONDS},
      {CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_SECONDS},
      {CURLOPT_QUICK_EXIT, 1}, /* do not wait for a resolver that hangs */
  };
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (api->easy_setopt(of->easy, numbers[i].option, numbers[i].value) != CURLE_OK) {
      return false;
    }
  }
  return api->easy_setopt(of->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_HEADERFUNCTION, mb_receiver_header) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_HEADERDATA, &of->receiver) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_WRITEFUNCTION, mb_receiver_body) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_WRITEDATA, &of->receiver) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_PREREQFUNCTION, count_dispatch) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_OPENSOCKETDATA, of) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_PREREQDATA, of) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_ERRORBUFFER, of->detail) == CURLE_OK;
}

static parcel *make_parcel(mb_courier *courier) {
  parcel *of = mb_alloc_zero(1, sizeof *of);
  if (!of) {
    return NULL;
  }
  of->easy = courier->api->easy_init();
  if (!of->easy || !set_constants(courier->api, of)) {
    if (of->easy) {
      courier->api->easy_cleanup(of->easy);
    }
    mb_free(of);
    return NULL;
  }
  return of;
}

void mb_courier_release(mb_courier *courier, mb_transfer *transfer) {
  parcel *of = transfer->courier;
  if (of) {
    courier->api->easy_cleanup(of->easy);
    mb_free(of->ca_bundle);
    mb_free(of);
    transfer->courier = NULL;
  }
}

/* ---- one request ---- */

static int add_line(mb_arena *arena, struct curl_slist ***tail, char *line) {
  struct curl_slist *node = line ? mb_arena_alloc(arena, sizeof *node) : NULL;
  if (!node) {
    return -1;
  }
  *node = (struct curl_slist){.data = line};
  **tail = node;
  *tail = &node->next;
  return 0;
}

/* The list of header lines lies in the arena: libcurl only reads it. libcurl makes Content-Length
 * itself; a header without a value has a spelling of its own; what libcurl would add unasked is
 * taken out. NULL without memory. */
static struct curl_slist *make_header_lines(mb_arena *arena, const mb_headers *headers) {
  static const char *const unasked[] = {"Content-Type", "Expect", "Accept", "User-Agent"};
  struct curl_slist *first = NULL;
  struct curl_slist **tail = &first;
  for (size_t i = 0; i < headers->count; i++) {
    const mb_header *header = &headers->items[i];
    if (mb_text_equal_ci(header->name, "Content-Length")) {
      continue;
    }
    char *line = *header->value ? mb_arena_printf(arena, "%s: %s", header->name, header->value)
                                : mb_arena_printf(arena, "%s;", header->name);
    if (add_line(arena, &tail, line) != 0) {
      return NULL;
    }
  }
  for (size_t i = 0; i < sizeof unasked / sizeof unasked[0]; i++) {
    if (!mb_headers_get(headers, unasked[i]) &&
        add_line(arena, &tail, mb_arena_printf(arena, "%s:", unasked[i])) != 0) {
      return NULL;
    }
  }
  return first;
}

static bool set_method(const mb_curl_api *api, parcel *of, const mb_http_request *request) {
  const char *method = request->method;
  bool post = strcmp(method, "POST") == 0;
  bool body =
      post || request->body_size > 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
  bool head = strcmp(method, "HEAD") == 0 && !body;
  bool custom = !head && !post && (body || strcmp(method, "GET") != 0);
  /* HTTPGET also undoes what a HEAD or a body left behind. */
  bool set = api->easy_setopt(of->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
  if (body) {
    set = set && api->easy_setopt(of->easy, CURLOPT_POST, 1L) == CURLE_OK &&
          api->easy_setopt(of->easy, CURLOPT_POSTFIELDS, request->body_size ? request->body : "") ==
              CURLE_OK &&
          api->easy_setopt(of->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size) ==
              CURLE_OK;
  }
  if (head) {
    set = set && api->easy_setopt(of->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
  }
  if (custom || of->customised) {
    set = set &&
          api->easy_setopt(of->easy, CURLOPT_CUSTOMREQUEST, custom ? method : NULL) == CURLE_OK;
    of->customised = custom;
  }
  return set;
}

/* Proxies come from the environment the library sees, never from libcurl's own look at it. */
static bool set_proxy(mb_courier *courier, parcel *of, const mb_transfer *transfer) {
  const mb_curl_api *api = courier->api;
  bool secure = mb_text_starts(transfer->request->url, "https:");
  const char *proxy = secure ? courier->proxies.https : courier->proxies.http;
  const char *except = courier->proxies.except ? courier->proxies.except : "";
  if (!proxy || transfer->options.no_proxy) {
    proxy = "";
  }
  if (of->proxy == proxy) {
    return true;
  }
  bool set = api->easy_setopt(of->easy, CURLOPT_PROXY, proxy) == CURLE_OK &&
             api->easy_setopt(of->easy, CURLOPT_NOPROXY, *proxy ? except : "*") == CURLE_OK;
  of->proxy = set ? proxy : NULL;
  return set;
}

static bool set_authorities(mb_courier *courier, parcel *of, const mb_trust *trust) {
  const mb_curl_api *api = courier->api;
  if (!trust->file && !trust->directory && !of->authorities_set) {
    return true; /* none was found: libcurl's own are the last hope */
  }
  of->authorities_set = true;
  return api->easy_setopt(of->easy, CURLOPT_CAINFO, trust->file) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_CAPATH, trust->directory) == CURLE_OK;
}

static bool set_named_bundle(mb_courier *courier, parcel *of, const char *path) {
  mb_trust trust;
  if (of->ca_bundle && strcmp(of->ca_bundle, path) == 0) {
    return true;
  }
  mb_free(of->ca_bundle);
  of->trust_set = false;
  of->ca_bundle = mb_strdup(path);
  bool set = of->ca_bundle && mb_trust_of_path(&trust, path) == 0;
  if (set) {
    set = set_authorities(courier, of, &trust);
    mb_trust_dispose(&trust);
  }
  if (!set) {
    mb_free(of->ca_bundle);
    of->ca_bundle = NULL;
  }
  return set;
}

static bool set_trust(mb_courier *courier, parcel *of, const mb_transfer *transfer) {
  bool plain = mb_text_starts(transfer->request->url, "http:");
  if (plain && !transfer->options.follow_redirects && of->proxy && !*of->proxy) {
    return true; /* no TLS here: the looking can wait */
  }
  if (transfer->options.ca_bundle && *transfer->options.ca_bundle) {
    return set_named_bundle(courier, of, transfer->options.ca_bundle);
  }
  if (!courier->trust_found) {
    if (mb_trust_find(&courier->trust, &courier->loop->system) != 0) {
      mb_trust_dispose(&courier->trust);
      return false;
    }
    courier->trust_found = true;
  }
  if (of->trust_set) {
    return true;
  }
  mb_free(of->ca_bundle);
  of->ca_bundle = NULL;
  of->trust_set = set_authorities(courier, of, &courier->trust);
  return of->trust_set;
}

static bool set_request(mb_courier *courier, parcel *of, mb_transfer *transfer) {
  const mb_curl_api *api = courier->api;
  const mb_http_request *request = transfer->request;
  int64_t timeout = transfer->options.connect_timeout_ms;
  long connect_timeout = timeout > INT_MAX ? INT_MAX : (long)timeout;
  struct curl_slist *lines = make_header_lines(transfer->arena, &request->headers);
  if (!lines || !set_method(api, of, request) || !set_proxy(courier, of, transfer) ||
      !set_trust(courier, of, transfer)) {
    return false;
  }
  if (of->connect_timeout != connect_timeout) {
    if (api->easy_setopt(of->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout) != CURLE_OK) {
      return false;
    }
    of->connect_timeout = connect_timeout;
  }
  return api->easy_setopt(of->easy, CURLOPT_URL, request->url) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_HTTPHEADER, lines) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
         api->easy_setopt(of->easy, CURLOPT_FOLLOWLOCATION,
                          transfer->options.follow_redirects ? 1L : 0L) == CURLE_OK;
}

int mb_courier_start(mb_courier *courier, mb_transfer *transfer, mb_error *error) {
  if (!transfer->courier) {
    transfer->courier = make_parcel(courier);
  }
  parcel *of = transfer->courier;
  if (!of) {
    return mb_error_memory(error);
  }
  mb_receiver_init(&of->receiver, transfer);
  of->detail[0] = '\0';
  of->dispatches = 0;
  of->uploaded = 0;
  of->memory_failures = mb_curl_memory_failures();
  if (!set_request(courier, of, transfer) ||
      courier->api->multi_add_handle(courier->multi, of->easy) != CURLM_OK) {
    return mb_error_memory(error);
  }
  courier->fresh = true;
  return 0;
}

/* ---- ends ---- */

static void count(mb_courier *courier, parcel *of) {
  const mb_curl_api *api = courier->api;
  long connections = 0;
  long redirects = 0;
  api->easy_getinfo(of->easy, CURLINFO_NUM_CONNECTS, &connections);
  api->easy_getinfo(of->easy, CURLINFO_REDIRECT_COUNT, &redirects);
  courier->loop->counts.connections += (uint64_t)connections;
  if (of->dispatches > 1 + redirects) {
    courier->loop->counts.resent += (uint64_t)(of->dispatches - 1 - redirects);
  }
}

void mb_courier_stop(mb_courier *courier, mb_transfer *transfer) {
  parcel *of = transfer->courier;
  long request_size = 0;
  courier->api->easy_getinfo(of->easy, CURLINFO_REQUEST_SIZE, &request_size);
  transfer->result.sent = request_size > 0;
  count(courier, of);
  courier->api->multi_remove_handle(courier->multi, of->easy);
  /* What libcurl keeps pointing at belongs to the caller and may go before the handle is used
   * again; setting these to NULL cannot fail. */
  courier->api->easy_setopt(of->easy, CURLOPT_HTTPHEADER, NULL);
  courier->api->easy_setopt(of->easy, CURLOPT_POSTFIELDS, NULL);
}

bool mb_courier_moved(mb_courier *courier, mb_transfer *transfer) {
  parcel *of = transfer->courier;
  curl_off_t uploaded = 0;
  courier->api->easy_getinfo(of->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
  bool moved = uploaded != of->uploaded;
  of->uploaded = uploaded;
  return moved;
}

static void tell_refusal(const mb_transfer *transfer, mb_refusal refusal, mb_error *error) {
  char place[MB_PLACE_SIZE];
  mb_url_place(transfer->request->url, place);
  if (refusal == MB_REFUSAL_MEMORY) {
    mb_error_memory(error);
  } else if (refusal == MB_REFUSAL_HEADERS) {
    mb_error_set(error, MB_ERROR_LIMIT, "AnswerTooLarge",
                 "the headers of the answer of %s are larger than %u bytes, or one of them is "
                 "larger than 100,000",
                 place, MB_HEADERS_LIMIT);
  } else if (refusal == MB_REFUSAL_ADDRESS) {
    mb_error_set(error, MB_ERROR_REFUSED, "AddressRefused",
                 "%s stands at a link-local or metadata address, which is never reached", place);
  } else {
    mb_error_set(error, MB_ERROR_LIMIT, "AnswerTooLarge",
                 "the answer of %s is larger than %zu bytes", place,
                 transfer->options.response_limit);
  }
  if (refusal == MB_REFUSAL_HEADERS) {
    mb_error_next(error, "check that the endpoint is the service's own");
  } else if (refusal == MB_REFUSAL_BODY) {
    mb_error_next(error,
                  "ask for less at a time, and check that the endpoint is the service's own");
  }
}

/* A header line beyond 100 kB is "out of memory" to libcurl, and "too large" (100) since 8.6. */
static bool is_endless_line(const parcel *of, CURLcode code) {
  const mb_receiver *receiver = &of->receiver;
  bool refused = mb_curl_memory_failures() != of->memory_failures;
  return (int)code == 100 || (code == CURLE_OUT_OF_MEMORY && !refused && !receiver->whole &&
                              receiver->headers_size > 0);
}

static void tell_failure(mb_courier *courier, mb_transfer *transfer, CURLcode code) {
  parcel *of = transfer->courier;
  mb_error *error = &transfer->result.error;
  mb_trouble trouble = {.code = code,
                        .meaning = courier->api->easy_strerror(code),
                        .detail = of->detail,
                        .url = transfer->request->url,
                        .connect_timeout_ms = transfer->options.connect_timeout_ms,
                        .trust_file = of->ca_bundle ? of->ca_bundle : courier->trust.file};
  courier->api->easy_getinfo(of->easy, CURLINFO_OS_ERRNO, &trouble.system_error);
  transfer->result.failed = -1;
  if (of->receiver.refusal != MB_REFUSAL_NONE) {
    tell_refusal(transfer, of->receiver.refusal, error);
  } else if (is_endless_line(of, code)) {
    tell_refusal(transfer, MB_REFUSAL_HEADERS, error);
  } else {
    mb_trouble_tell(&trouble, error);
  }
  size_t length = strcspn(transfer->request->url, "?");
  mb_text_copy(error->endpoint, sizeof error->endpoint, transfer->request->url);
  if (length < sizeof error->endpoint) {
    error->endpoint[length] = '\0';
  }
  memset(&transfer->result.response, 0, sizeof transfer->result.response);
  transfer->result.response.body = "";
}

static void end_transfer(mb_courier *courier, mb_transfer *transfer, CURLcode code) {
  parcel *of = transfer->courier;
  if (code == CURLE_OK && !of->receiver.whole) {
    /* libcurl takes headers that stop short for an answer without a body. */
    code = CURLE_PARTIAL_FILE;
  }
  if (code == CURLE_OK || of->receiver.refusal == MB_REFUSAL_CUT) {
    transfer->result.cut = of->receiver.refusal == MB_REFUSAL_CUT;
    mb_receiver_finish(&of->receiver);
  } else {
    tell_failure(courier, transfer, code);
  }
  mb_courier_stop(courier, transfer);
  mb_transfer_conclude(transfer);
}

/* ---- waiting ---- */

static void collect(mb_courier *courier) {
  int left;
  for (;;) {
    CURLMsg *message = courier->api->multi_info_read(courier->multi, &left);
    if (!message) {
      return;
    }
    char *transfer = NULL;
    CURLcode code = message->data.result;
    courier->api->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    if (message->msg == CURLMSG_DONE && transfer) {
      end_transfer(courier, (mb_transfer *)(void *)transfer, code);
    }
  }
}

/* The multi handle itself has failed, for want of memory as a rule: nothing under way can end by
 * itself any more. */
static void fail_all(mb_courier *courier, CURLMcode code) {
  mb_transfer_list *active = &courier->loop->active;
  CURLcode meaning = code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
  while (active->first) {
    end_transfer(courier, active->first, meaning);
  }
}

static void perform(mb_courier *courier) {
  int running;
  CURLMcode code = courier->api->multi_perform(courier->multi, &running);
  collect(courier);
  if (code != CURLM_OK) {
    fail_all(courier, code);
  }
}

void mb_courier_wait(mb_courier *courier, int timeout_ms) {
  struct curl_waitfd wake = {.fd = courier->loop->wake_file, .events = CURL_WAIT_POLLIN};
  /* A new transfer can be started at once; the wait would only come back to say so. */
  if (courier->fresh) {
    courier->fresh = false;
    perform(courier);
    if (courier->loop->finished.count > 0) {
      return;
    }
  }
  CURLMcode code = courier->api->multi_poll(courier->multi, &wake, 1, timeout_ms, NULL);
  if (code != CURLM_OK) {
    fail_all(courier, code);
    return;
  }
  perform(courier);
}

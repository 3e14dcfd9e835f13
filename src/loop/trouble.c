/* What libcurl's failures mean, in plain words. */
#include "loop/trouble.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* Where the authority of a URL begins and how long it is, without the user. */
static const char *find_authority(const char *url, size_t *size) {
  const char *at = strstr(url, "://");
  at = at ? at + 3 : url;
  *size = strcspn(at, "/?#");
  for (size_t i = *size; i > 0; i--) {
    if (at[i - 1] == '@') {
      at += i;
      *size -= i;
      break;
    }
  }
  return at;
}

static bool has_port(const char *authority, size_t size) {
  size_t digits = 0;
  while (digits < size && authority[size - 1 - digits] >= '0' &&
         authority[size - 1 - digits] <= '9') {
    digits++;
  }
  return digits > 0 && digits < size && authority[size - 1 - digits] == ':';
}

void mb_url_place(const char *url, char out[MB_PLACE_SIZE]) {
  size_t size;
  const char *authority = find_authority(url, &size);
  const char *port = has_port(authority, size)       ? ""
                     : mb_text_starts(url, "https:") ? ":443"
                                                     : ":80";
  if (size > MB_PLACE_SIZE - 8) {
    size = MB_PLACE_SIZE - 8;
  }
  memcpy(out, authority, size);
  memcpy(out + size, port, strlen(port) + 1);
}

static int tell(mb_error *error, const char *code, bool retryable, const char *text,
                const char *place) {
  mb_error_set(error, MB_ERROR_NETWORK, code, "%s %s", text, place);
  error->retryable = retryable;
  return -1;
}

/* The system's word for an errno, or the fallback. */
static const char *system_text(long code, char *room, size_t size, const char *fallback) {
  return code > 0 ? strerror_r((int)code, room, size) : fallback;
}

static int tell_unreachable(const mb_trouble *trouble, const char *place, mb_error *error) {
  char room[128];
  if (trouble->system_error == ECONNREFUSED) {
    tell(error, "ConnectionRefused", true, "connection refused by", place);
    return mb_error_next(error,
                         "check that something listens there and that the endpoint is right");
  }
  mb_error_set(error, MB_ERROR_NETWORK, "CannotConnect", "no connection to %s: %s", place,
               system_text(trouble->system_error, room, sizeof room,
                           *trouble->detail ? trouble->detail : trouble->meaning));
  error->retryable = true;
  return mb_error_next(error, "check the network, and the proxy if one is set");
}

static int tell_unresolved(const char *place, mb_error *error) {
  char host[MB_PLACE_SIZE];
  mb_text_copy(host, sizeof host, place);
  char *colon = strrchr(host, ':');
  if (colon) {
    *colon = '\0';
  }
  tell(error, "HostNotFound", true, "could not resolve host", host);
  return mb_error_next(error, "check the region's name, the endpoint and the network's DNS");
}

static int tell_untrusted(const mb_trouble *trouble, const char *place, mb_error *error) {
  mb_error_set(error, MB_ERROR_NETWORK, "CertificateNotTrusted",
               "the TLS certificate of %s is not trusted: %s", place,
               *trouble->detail ? trouble->detail : trouble->meaning);
  return mb_error_next(error,
                       "if the network or the endpoint has a certificate authority of its own, "
                       "name its bundle in AWS_CA_BUNDLE or in ca_bundle of the profile");
}

static int tell_no_tls(const mb_trouble *trouble, const char *place, mb_error *error) {
  mb_error_set(error, MB_ERROR_NETWORK, "NoTls", "no TLS connection to %s: %s", place,
               *trouble->detail ? trouble->detail : trouble->meaning);
  return mb_error_next(error, "check the endpoint's port, and whether it should be http");
}

static int tell_bad_bundle(const mb_trouble *trouble, mb_error *error) {
  mb_error_set(error, MB_ERROR_NETWORK, "CannotReadCaBundle",
               "the certificate authorities in %s cannot be read: %s",
               trouble->trust_file ? trouble->trust_file : "the system's bundle",
               *trouble->detail ? trouble->detail : trouble->meaning);
  return mb_error_next(error, "check AWS_CA_BUNDLE, ca_bundle of the profile and SSL_CERT_FILE");
}

static int tell_broken(const mb_trouble *trouble, const char *place, mb_error *error) {
  char room[128];
  mb_error_set(error, MB_ERROR_NETWORK, "ConnectionLost", "the connection to %s broke: %s", place,
               system_text(trouble->system_error, room, sizeof room,
                           *trouble->detail ? trouble->detail : trouble->meaning));
  error->retryable = true;
  return -1;
}

static int tell_no_http(const mb_trouble *trouble, const char *place, mb_error *error) {
  if (!mb_text_starts(trouble->url, "http://") && !mb_text_starts(trouble->url, "https://")) {
    mb_error_set(error, MB_ERROR_NETWORK, "UnsupportedUrl", "%.*s is neither http nor https",
                 (int)strcspn(trouble->url, "?"), trouble->url);
    return mb_error_next(error, "correct the endpoint URL");
  }
  mb_error_set(error, MB_ERROR_NETWORK, "NotHttp",
               "%s answered with something that is not HTTP: %s", place,
               *trouble->detail ? trouble->detail : trouble->meaning);
  return mb_error_next(error, "check the endpoint's port, and whether it should be https");
}

static int tell_slow_connect(const mb_trouble *trouble, const char *place, mb_error *error) {
  mb_error_set(error, MB_ERROR_TIMEOUT, "ConnectTimeout", "no connection to %s within %.1f seconds",
               place, (double)trouble->connect_timeout_ms / 1000);
  error->retryable = true;
  return mb_error_next(error, "check the network, and the proxy if one is set");
}

static int tell_rest(const mb_trouble *trouble, const char *place, mb_error *error) {
  mb_error_set(error, MB_ERROR_NETWORK, "TransferFailed", "the exchange with %s failed: %s%s%s",
               place, trouble->meaning, *trouble->detail ? ": " : "", trouble->detail);
  return -1;
}

int mb_trouble_tell(const mb_trouble *trouble, mb_error *error) {
  char place[MB_PLACE_SIZE];
  mb_url_place(trouble->url, place);
  switch (trouble->code) {
  case CURLE_OUT_OF_MEMORY:
    return mb_error_memory(error);
  case CURLE_COULDNT_RESOLVE_HOST:
    return tell_unresolved(place, error);
  case CURLE_COULDNT_RESOLVE_PROXY:
    tell(error, "ProxyNotFound", true, "could not resolve the proxy for", place);
    return mb_error_next(error, "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY");
  case CURLE_PROXY:
    return tell(error, "ProxyFailed", true, "the proxy made no connection to", place);
  case CURLE_COULDNT_CONNECT:
    return tell_unreachable(trouble, place, error);
  case CURLE_OPERATION_TIMEDOUT:
    return tell_slow_connect(trouble, place, error);
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_ISSUER_ERROR:
    return tell_untrusted(trouble, place, error);
  case CURLE_SSL_CONNECT_ERROR:
    return tell_no_tls(trouble, place, error);
  case CURLE_SSL_CACERT_BADFILE:
    return tell_bad_bundle(trouble, error);
  case CURLE_GOT_NOTHING:
    mb_error_set(error, MB_ERROR_NETWORK, "NoAnswer", "%s closed the connection without an answer",
                 place);
    error->retryable = true;
    return -1;
  case CURLE_PARTIAL_FILE:
    mb_error_set(error, MB_ERROR_NETWORK, "AnswerTruncated",
                 "%s closed the connection before the answer was complete", place);
    error->retryable = true;
    return -1;
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
    return tell_broken(trouble, place, error);
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_HTTP2:
    return tell_no_http(trouble, place, error);
  case CURLE_URL_MALFORMAT:
    mb_error_set(error, MB_ERROR_NETWORK, "BadUrl", "%.*s is not a URL that can be called",
                 (int)strcspn(trouble->url, "?"), trouble->url);
    return mb_error_next(error, "correct the endpoint URL");
  case CURLE_TOO_MANY_REDIRECTS:
    return tell(error, "TooManyRedirects", false, "too many redirects from", place);
  default:
    return tell_rest(trouble, place, error);
  }
}

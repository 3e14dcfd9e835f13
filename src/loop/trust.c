/* Which certificate authorities TLS trusts, and through which proxies requests go. */
#include "loop/trust.h"
#include "base/memory.h"
#include "base/system.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Copies text that may be absent. */
static int keep(char **out, const char *text) {
  *out = text ? mb_strdup(text) : NULL;
  return text && !*out ? -1 : 0;
}

/* OpenSSL finds a certificate under the hash of its subject: eight hex digits, ".0" to ".9". */
static bool is_hash_name(const char *name) {
  return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' &&
         name[9] <= '9' && name[10] == '\0';
}

static bool is_hashed_directory(const char *path) {
  DIR *directory = opendir(path);
  bool found = false;
  if (!directory) {
    return false;
  }
  for (struct dirent *entry = readdir(directory); entry && !found; entry = readdir(directory)) {
    found = is_hash_name(entry->d_name);
  }
  closedir(directory);
  return found;
}

/* The first of `paths` below the root that is usable, copied. */
static int keep_first(char **out, const mb_system *system, const char *const *paths,
                      bool directories) {
  for (; *paths; paths++) {
    char path[512];
    int length = snprintf(path, sizeof path, "%s%s", system->root ? system->root : "", *paths);
    if (length < 0 || (size_t)length >= sizeof path) {
      continue;
    }
    if (directories ? is_hashed_directory(path) : access(path, R_OK) == 0) {
      return keep(out, path);
    }
  }
  return 0;
}

static int find_of_system(mb_trust *trust, const mb_system *system) {
  static const char *const directories[] = {"/etc/ssl/certs",
                                            "/etc/pki/ca-trust/extracted/pem/directory-hash", NULL};
  static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem", NULL};
  if (keep_first(&trust->directory, system, directories, true) != 0) {
    return -1;
  }
  return trust->directory ? 0 : keep_first(&trust->file, system, bundles, false);
}

static bool lies_in(const char *file, const char *directory) {
  size_t size = strlen(directory);
  while (size > 1 && directory[size - 1] == '/') {
    size--;
  }
  return strncmp(file, directory, size) == 0 && file[size] == '/' && !strchr(file + size + 1, '/');
}

int mb_trust_find(mb_trust *trust, const mb_system *system) {
  const char *file = mb_getenv(system, "SSL_CERT_FILE");
  const char *directory = mb_getenv(system, "SSL_CERT_DIR");
  *trust = (mb_trust){NULL, NULL};
  if (!file && !directory) {
    return find_of_system(trust, system);
  }
  /* libcurl keeps what it read from a bundle for the next connection only when there is no
   * directory besides. One that lies in the directory has its certificates anyway. */
  if (file && directory && lies_in(file, directory)) {
    directory = NULL;
  }
  return keep(&trust->file, file) == 0 && keep(&trust->directory, directory) == 0 ? 0 : -1;
}

int mb_trust_of_path(mb_trust *trust, const char *path) {
  struct stat about;
  bool directory = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
  *trust = (mb_trust){NULL, NULL};
  return keep(directory ? &trust->directory : &trust->file, path);
}

void mb_trust_dispose(mb_trust *trust) {
  mb_free(trust->file);
  mb_free(trust->directory);
  *trust = (mb_trust){NULL, NULL};
}

/* Lower case first, as everywhere. */
static int keep_variable(char **out, const mb_system *system, const char *lower,
                         const char *upper) {
  const char *value = mb_getenv(system, lower);
  return keep(out, value ? value : mb_getenv(system, upper));
}

int mb_proxies_find(mb_proxies *proxies, const mb_system *system) {
  char *all = NULL;
  *proxies = (mb_proxies){NULL, NULL, NULL};
  int failed = keep_variable(&proxies->http, system, "http_proxy", "HTTP_PROXY") ||
               keep_variable(&proxies->https, system, "https_proxy", "HTTPS_PROXY") ||
               keep_variable(&proxies->except, system, "no_proxy", "NO_PROXY") ||
               keep_variable(&all, system, "all_proxy", "ALL_PROXY");
  if (!failed && all) {
    failed = (!proxies->http && keep(&proxies->http, all)) ||
             (!proxies->https && keep(&proxies->https, all));
  }
  mb_free(all);
  return failed ? -1 : 0;
}

void mb_proxies_dispose(mb_proxies *proxies) {
  mb_free(proxies->http);
  mb_free(proxies->https);
  mb_free(proxies->except);
  *proxies = (mb_proxies){NULL, NULL, NULL};
}

/* What comes back, bounded while it comes. Everything goes straight to the transfer's arena. */
#include "loop/receive.h"
#include "base/text.h"

#include <string.h>

enum { FIRST_ROOM = 16 * 1024, TRUSTED_LENGTH = 1024 * 1024 };

void mb_receiver_init(mb_receiver *receiver, mb_transfer *transfer) {
  const char *method = transfer->request->method;
  *receiver = (mb_receiver){.transfer = transfer, .announced = -1};
  receiver->bodiless = strcmp(method, "HEAD") == 0;
}

/* Returning anything but the size makes libcurl end the transfer. */
static size_t refuse(mb_receiver *receiver, mb_refusal refusal) {
  receiver->refusal = refusal;
  return 0;
}

/* ---- headers ---- */

static int read_status(const char *line, size_t size) {
  const char *space = memchr(line, ' ', size);
  int64_t status;
  if (!space || line + size - space < 4 || mb_parse_integer(space + 1, 3, &status) != 0) {
    return 0;
  }
  return (int)status;
}

/* A new answer begins: after "100 Continue", or after a redirect that is followed. */
static void start_answer(mb_receiver *receiver, const char *line, size_t size) {
  mb_http_response *response = &receiver->transfer->result.response;
  response->status = read_status(line, size);
  response->headers.count = 0;
  receiver->announced = -1;
  receiver->whole = false;
}

static void end_headers(mb_receiver *receiver) {
  int status = receiver->transfer->result.response.status;
  bool interim = status < 200;
  bool redirect = status >= 300 && status < 400 && receiver->transfer->options.follow_redirects;
  receiver->complete = !interim && !redirect;
  receiver->whole = true;
}

static size_t add_header(mb_receiver *receiver, const char *line, size_t size) {
  mb_transfer *transfer = receiver->transfer;
  const char *colon = memchr(line, ':', size);
  if (!colon || colon == line) {
    return size; /* no header: nothing can be made of it */
  }
  const char *value = colon + 1;
  const char *end = line + size;
  while (value < end && (*value == ' ' || *value == '\t')) {
    value++;
  }
  while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
    end--;
  }
  if (mb_headers_add_sized(transfer->arena, &transfer->result.response.headers, line,
                           (size_t)(colon - line), value, (size_t)(end - value)) != 0) {
    return refuse(receiver, MB_REFUSAL_MEMORY);
  }
  const mb_headers *headers = &transfer->result.response.headers;
  if (mb_text_equal_ci(headers->items[headers->count - 1].name, "Content-Length")) {
    int64_t length;
    receiver->announced =
        mb_parse_integer(value, (size_t)(end - value), &length) == 0 && length >= 0 ? length : -1;
  }
  return size;
}

/* What is too large is refused before a byte of it has been read. */
static bool is_announced_too_large(const mb_receiver *receiver) {
  return !receiver->bodiless && receiver->announced > 0 &&
         !receiver->transfer->options.cut_response &&
         (uint64_t)receiver->announced > receiver->transfer->options.response_limit;
}

size_t mb_receiver_header(char *line, size_t one, size_t size, void *user) {
  mb_receiver *receiver = user;
  size_t whole = one * size;
  size_t length = whole;
  receiver->transfer->last_activity = mb_loop_now(receiver->transfer->loop);
  receiver->headers_size += whole;
  if (receiver->headers_size > MB_HEADERS_LIMIT) {
    return refuse(receiver, MB_REFUSAL_HEADERS);
  }
  while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == '\n')) {
    length--;
  }
  if (memchr(line, '\0', length) || memchr(line, '\r', length)) {
    return whole; /* never a header that means anything */
  }
  if (length == 0) {
    end_headers(receiver);
    return is_announced_too_large(receiver) ? refuse(receiver, MB_REFUSAL_BODY) : whole;
  }
  /* Behind the headers come trailers, which must not pass for another answer. */
  if (!receiver->complete && length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
    start_answer(receiver, line, length);
    return whole;
  }
  return add_header(receiver, line, length) == length ? whole : 0;
}

/* ---- body ---- */

/* Doubling, from the announced length where that is believable, and never more than may be kept:
 * one byte too many would otherwise cost twice the memory. */
static size_t next_room(const mb_receiver *receiver, size_t needed) {
  size_t room = receiver->body_room * 2;
  if (receiver->body_room == 0) {
    bool announced = receiver->announced > 0 && receiver->announced <= TRUSTED_LENGTH;
    room = announced ? (size_t)receiver->announced + 1 : FIRST_ROOM;
  }
  size_t limit = receiver->transfer->options.response_limit;
  if (room >= limit && needed - 1 <= limit) {
    return limit + 1;
  }
  return room < needed ? needed : room;
}

static int keep_body(mb_receiver *receiver, const char *data, size_t added) {
  mb_transfer *transfer = receiver->transfer;
  size_t needed = receiver->body_size + added + 1;
  if (needed > receiver->body_room) {
    size_t room = next_room(receiver, needed);
    char *body = mb_arena_grow(transfer->arena, receiver->body, receiver->body_room, room);
    if (!body) {
      return -1;
    }
    receiver->body = body;
    receiver->body_room = room;
  }
  memcpy(receiver->body + receiver->body_size, data, added);
  receiver->body_size += added;
  return 0;
}

size_t mb_receiver_body(char *data, size_t one, size_t size, void *user) {
  mb_receiver *receiver = user;
  const mb_transfer_options *options = &receiver->transfer->options;
  size_t added = one * size;
  size_t left = options->response_limit - receiver->body_size;
  receiver->transfer->last_activity = mb_loop_now(receiver->transfer->loop);
  if (added > left && !options->cut_response) {
    return refuse(receiver, MB_REFUSAL_BODY);
  }
  if (keep_body(receiver, data, added < left ? added : left) != 0) {
    return refuse(receiver, MB_REFUSAL_MEMORY);
  }
  return added <= left ? added : refuse(receiver, MB_REFUSAL_CUT);
}

void mb_receiver_finish(mb_receiver *receiver) {
  mb_http_response *response = &receiver->transfer->result.response;
  if (receiver->body) {
    receiver->body[receiver->body_size] = '\0';
    response->body = receiver->body;
    response->body_size = receiver->body_size;
  }
}

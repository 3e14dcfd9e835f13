/* What comes back: status line, headers and body, as libcurl hands them over. */
#ifndef MB_LOOP_RECEIVE_H
#define MB_LOOP_RECEIVE_H

#include "loop/internal.h"

typedef enum mb_refusal {
  MB_REFUSAL_NONE = 0,
  MB_REFUSAL_MEMORY,
  MB_REFUSAL_BODY,    /* the body is larger than allowed */
  MB_REFUSAL_HEADERS, /* the headers are */
  MB_REFUSAL_CUT,     /* the body is long enough (cut_response): not a failure */
  MB_REFUSAL_ADDRESS  /* the host stands at an address that must not be reached */
} mb_refusal;

/* All headers of one answer together; AWS's own stay below 10 kB. */
#define MB_HEADERS_LIMIT (256u * 1024u)

typedef struct mb_receiver {
  mb_transfer *transfer;
  bool bodiless; /* the answer to a HEAD names a length and has none */
  bool complete; /* the headers have ended and no other answer follows */
  bool whole;    /* the headers of the answer at hand have ended */
  size_t headers_size;
  int64_t announced; /* Content-Length, or -1 */
  char *body;
  size_t body_size, body_room;
  mb_refusal refusal; /* why the transfer was ended from here */
} mb_receiver;

void mb_receiver_init(mb_receiver *receiver, mb_transfer *transfer);
/* libcurl's callbacks; `user` is the receiver. */
size_t mb_receiver_header(char *line, size_t one, size_t size, void *user);
size_t mb_receiver_body(char *data, size_t one, size_t size, void *user);
/* Puts the body into the transfer's response. */
void mb_receiver_finish(mb_receiver *receiver);

#endif

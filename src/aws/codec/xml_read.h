/* XML into a small tree: what the XML protocols read their answers from. Names lose their prefix,
 * comments and processing instructions are dropped, a document type declaration is refused. */
#ifndef MB_AWS_CODEC_XML_READ_H
#define MB_AWS_CODEC_XML_READ_H

#include "base/arena.h"
#include <stddef.h>

#define MB_XML_DEPTH 100
#define MB_XML_NODES 2000000 /* a bound on memory, not on sense */

typedef struct mb_xml_attribute {
  const char *name; /* with its prefix: "xsi:type" */
  const char *value;
  struct mb_xml_attribute *next;
} mb_xml_attribute;

typedef struct mb_xml_node {
  const char *name; /* without its prefix */
  const char *text; /* of a node without children, NUL-terminated; else "" */
  size_t size;
  mb_xml_attribute *attributes;
  struct mb_xml_node *first, *last, *next;
  bool taken; /* for readers that go through the children more than once */
} mb_xml_node;

/* The root of a document. NULL with `*problem` (static text) and `*line` when it is not
 * well-formed, too deep or too large, or holds a DOCTYPE; `*problem` is NULL when memory ran out.
 */
mb_xml_node *mb_xml_read(mb_arena *arena, const char *text, size_t size, const char **problem,
                         unsigned long *line);
/* The first child of that name, or NULL. `node` may be NULL. */
const mb_xml_node *mb_xml_child(const mb_xml_node *node, const char *name);
/* Its text, or "". */
const char *mb_xml_child_text(const mb_xml_node *node, const char *name);
const char *mb_xml_attribute_value(const mb_xml_node *node, const char *name); /* or NULL */

#endif

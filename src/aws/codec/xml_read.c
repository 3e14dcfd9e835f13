/* XML into a small tree, by expat with our memory. */
#include "aws/codec/xml_read.h"
#include "base/buffer.h"
#include "base/memory.h"
#include <expat.h>
#include <string.h>

typedef struct xml_reading {
  XML_Parser parser;
  mb_arena *arena;
  mb_xml_node *root;
  mb_xml_node *open[MB_XML_DEPTH];
  int depth;
  size_t nodes;
  mb_buffer text; /* of the innermost open element, since its last child */
  const char *problem;
  bool out_of_memory;
} xml_reading;

static void *xml_allocate(size_t size) {
  return mb_alloc(size);
}

static void *xml_reallocate(void *pointer, size_t size) {
  return mb_realloc(pointer, size);
}

static void xml_release(void *pointer) {
  mb_free(pointer);
}

static void stop(xml_reading *reading, const char *problem) {
  if (problem == NULL) {
    reading->out_of_memory = true;
  } else if (reading->problem == NULL) {
    reading->problem = problem;
  }
  XML_StopParser(reading->parser, XML_FALSE);
}

/* expat may call a little further after it was told to stop. */
static bool stopped(const xml_reading *reading) {
  return reading->out_of_memory || reading->problem != NULL;
}

static const char *local_name(const char *name) {
  const char *colon = strrchr(name, ':');
  return colon != NULL && colon[1] != '\0' ? colon + 1 : name;
}

static bool add_attributes(xml_reading *reading, mb_xml_node *node, const XML_Char **pairs) {
  mb_xml_attribute **end = &node->attributes;
  for (size_t i = 0; pairs[i] != NULL; i += 2) {
    mb_xml_attribute *attribute = mb_arena_zero(reading->arena, sizeof(*attribute));
    if (attribute == NULL) {
      return false;
    }
    attribute->name = mb_arena_strdup(reading->arena, pairs[i]);
    attribute->value = mb_arena_strdup(reading->arena, pairs[i + 1]);
    if (attribute->name == NULL || attribute->value == NULL) {
      return false;
    }
    *end = attribute;
    end = &attribute->next;
  }
  return true;
}

static void attach(xml_reading *reading, mb_xml_node *node) {
  if (reading->depth == 0) {
    reading->root = node;
    return;
  }
  mb_xml_node *parent = reading->open[reading->depth - 1];
  if (parent->last != NULL) {
    parent->last->next = node;
  } else {
    parent->first = node;
  }
  parent->last = node;
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes) {
  xml_reading *reading = user;
  if (stopped(reading)) {
    return;
  }
  if (reading->depth == MB_XML_DEPTH) {
    stop(reading, "elements are nested too deeply");
    return;
  }
  if (++reading->nodes > MB_XML_NODES) {
    stop(reading, "there are too many elements");
    return;
  }
  mb_xml_node *node = mb_arena_zero(reading->arena, sizeof(*node));
  if (node == NULL || !add_attributes(reading, node, attributes) ||
      (node->name = mb_arena_strdup(reading->arena, local_name(name))) == NULL) {
    stop(reading, NULL);
    return;
  }
  node->text = "";
  attach(reading, node);
  reading->open[reading->depth++] = node;
  mb_buffer_truncate(&reading->text, 0);
}

static void XMLCALL on_end(void *user, const XML_Char *name) {
  xml_reading *reading = user;
  (void)name;
  if (stopped(reading)) {
    return;
  }
  mb_xml_node *node = reading->open[--reading->depth];
  if (node->first == NULL && reading->text.size > 0) {
    node->text = mb_arena_strndup(reading->arena, reading->text.data, reading->text.size);
    node->size = reading->text.size;
    if (node->text == NULL) {
      stop(reading, NULL);
    }
  }
  mb_buffer_truncate(&reading->text, 0);
}

static void XMLCALL on_text(void *user, const XML_Char *text, int size) {
  xml_reading *reading = user;
  if (stopped(reading)) {
    return;
  }
  mb_buffer_add(&reading->text, text, (size_t)size);
  if (reading->text.failed) {
    stop(reading, NULL);
  }
}

/* A declaration could define entities that grow without bound, and no service sends one. */
static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int internal) {
  (void)name, (void)system_id, (void)public_id, (void)internal;
  stop(user, "a document type declaration is not allowed");
}

static int feed(xml_reading *reading, const char *text, size_t size) {
  const size_t step = (size_t)1 << 28; /* expat counts in int */
  do {
    size_t part = size > step ? step : size;
    bool last = part == size;
    if (XML_Parse(reading->parser, text, (int)part, last) != XML_STATUS_OK) {
      return -1;
    }
    text += part;
    size -= part;
    if (last) {
      return 0;
    }
  } while (size > 0);
  return 0;
}

static void explain(xml_reading *reading, const char **problem, unsigned long *line) {
  enum XML_Error code = XML_GetErrorCode(reading->parser);
  *line = (unsigned long)XML_GetCurrentLineNumber(reading->parser);
  if (reading->out_of_memory || code == XML_ERROR_NO_MEMORY) {
    *problem = NULL;
  } else {
    *problem = reading->problem != NULL ? reading->problem : XML_ErrorString(code);
  }
}

mb_xml_node *mb_xml_read(mb_arena *arena, const char *text, size_t size, const char **problem,
                         unsigned long *line) {
  static const XML_Memory_Handling_Suite memory = {xml_allocate, xml_reallocate, xml_release};
  xml_reading reading = {.arena = arena};
  mb_buffer_init(&reading.text, size + 16);
  *problem = NULL;
  *line = 0;
  reading.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
  if (reading.parser == NULL) {
    return NULL;
  }
  XML_SetUserData(reading.parser, &reading);
  XML_SetElementHandler(reading.parser, on_start, on_end);
  XML_SetCharacterDataHandler(reading.parser, on_text);
  XML_SetStartDoctypeDeclHandler(reading.parser, on_doctype);
  mb_xml_node *root = NULL;
  if (feed(&reading, text, size) == 0 && !stopped(&reading)) {
    root = reading.root;
  } else {
    explain(&reading, problem, line);
  }
  XML_ParserFree(reading.parser);
  mb_buffer_dispose(&reading.text);
  return root;
}

const mb_xml_node *mb_xml_child(const mb_xml_node *node, const char *name) {
  const mb_xml_node *child = node != NULL ? node->first : NULL;
  while (child != NULL && strcmp(child->name, name) != 0) {
    child = child->next;
  }
  return child;
}

const char *mb_xml_child_text(const mb_xml_node *node, const char *name) {
  const mb_xml_node *child = mb_xml_child(node, name);
  return child != NULL ? child->text : "";
}

const char *mb_xml_attribute_value(const mb_xml_node *node, const char *name) {
  for (const mb_xml_attribute *at = node->attributes; at != NULL; at = at->next) {
    if (strcmp(at->name, name) == 0) {
      return at->value;
    }
  }
  return NULL;
}

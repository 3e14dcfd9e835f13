/* A small matcher for the patterns that say which regions belong to a partition, such as
 * ^(us|eu)\-\w+\-\d+$. They are not POSIX expressions, and they come from data files: the pattern
 * is turned into a bounded program that is run over all its states at once, so no pattern is slow.
 */
#include "aws/endpoint/region.h"

#include <stdint.h>
#include <string.h>

#define PROGRAM_MAX 320
#define DEPTH_MAX   40

typedef enum opcode { OP_CLASS, OP_SPLIT, OP_JUMP, OP_MATCH } opcode;

typedef struct instruction {
  opcode op;
  int first, second; /* targets of a split or jump, relative to the instruction */
  uint64_t set[2];   /* ASCII characters of a class */
} instruction;

typedef struct program {
  instruction code[PROGRAM_MAX];
  int size;
  const char *at;
  bool bad;
} program;

static void parse_alternatives(program *p, int depth);

static instruction *emit(program *p, opcode op) {
  static instruction nowhere;
  if (p->size == PROGRAM_MAX) {
    p->bad = true;
    return &nowhere;
  }
  instruction *out = &p->code[p->size++];
  *out = (instruction){.op = op};
  return out;
}

/* Makes room for one instruction at `where`; targets are relative, so what moves stays right. */
static instruction *insert(program *p, int where, opcode op) {
  instruction *last = emit(p, op);
  if (p->bad)
    return last;
  memmove(&p->code[where + 1], &p->code[where],
          (size_t)(p->size - 1 - where) * sizeof(instruction));
  p->code[where] = (instruction){.op = op};
  return &p->code[where];
}

static void set_add(uint64_t set[2], unsigned char from, unsigned char to) {
  for (unsigned c = from; c <= to && c < 128; c++)
    set[c / 64] |= (uint64_t)1 << (c % 64);
}

/* What a character after a backslash stands for. */
static void set_add_escape(program *p, uint64_t set[2], char c) {
  if (c == 'd' || c == 'w')
    set_add(set, '0', '9');
  if (c == 'w') {
    set_add(set, 'a', 'z');
    set_add(set, 'A', 'Z');
    set_add(set, '_', '_');
  } else if (c == 's') {
    set_add(set, '\t', '\r');
    set_add(set, ' ', ' ');
  } else if (c != 'd') {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    p->bad = p->bad || !c || letter; /* an escape that is not known here */
    set_add(set, (unsigned char)c, (unsigned char)c);
  }
}

/* After '['. */
static void parse_class(program *p) {
  instruction *out = emit(p, OP_CLASS);
  bool negated = *p->at == '^';
  p->at += negated;
  while (*p->at && *p->at != ']') {
    unsigned char c = (unsigned char)*p->at++;
    if (c == '\\') {
      set_add_escape(p, out->set, *p->at);
      p->at += *p->at != '\0';
    } else if (p->at[0] == '-' && p->at[1] && p->at[1] != ']') {
      set_add(out->set, c, (unsigned char)p->at[1]);
      p->at += 2;
    } else {
      set_add(out->set, c, c);
    }
  }
  p->bad = p->bad || *p->at != ']';
  p->at += *p->at == ']';
  if (negated) {
    out->set[0] = ~out->set[0];
    out->set[1] = ~out->set[1];
  }
}

/* After '('. */
static void parse_group(program *p, int depth) {
  if (p->at[0] == '?' && p->at[1] == ':')
    p->at += 2;
  parse_alternatives(p, depth + 1);
  p->bad = p->bad || *p->at != ')';
  p->at += *p->at == ')';
}

static void parse_atom(program *p, int depth) {
  char c = *p->at++;
  if (c == '(') {
    parse_group(p, depth);
  } else if (c == '[') {
    parse_class(p);
  } else if (c == '\\') {
    set_add_escape(p, emit(p, OP_CLASS)->set, *p->at);
    p->at += *p->at != '\0';
  } else if (c == '.') {
    set_add(emit(p, OP_CLASS)->set, 1, 127);
  } else {
    p->bad = p->bad || strchr("*+?{^$", c) || (unsigned char)c > 127;
    set_add(emit(p, OP_CLASS)->set, (unsigned char)c, (unsigned char)c);
  }
}

/* Turns the code since `start` into a repetition. */
static void parse_repetition(program *p, int start) {
  int length = p->size - start;
  char c = *p->at;
  if (c != '*' && c != '+' && c != '?')
    return;
  p->at++;
  if (c == '+') {
    instruction *split = emit(p, OP_SPLIT);
    split->first = -length;
    split->second = 1;
    return;
  }
  instruction *split = insert(p, start, OP_SPLIT);
  split->first = 1;
  split->second = length + (c == '*' ? 2 : 1);
  if (c == '*')
    emit(p, OP_JUMP)->first = -length - 1;
}

static void parse_sequence(program *p, int depth) {
  while (!p->bad && *p->at && *p->at != '|' && *p->at != ')') {
    if (p->at[0] == '$' && !p->at[1])
      return;
    int start = p->size;
    parse_atom(p, depth);
    parse_repetition(p, start);
  }
}

static void parse_alternatives(program *p, int depth) {
  int start = p->size;
  if (depth > DEPTH_MAX)
    p->bad = true;
  parse_sequence(p, depth);
  if (p->bad || *p->at != '|')
    return;
  p->at++;
  int length = p->size - start;
  instruction *split = insert(p, start, OP_SPLIT);
  split->first = 1;
  split->second = length + 2;
  int jump = p->size;
  emit(p, OP_JUMP);
  parse_alternatives(p, depth + 1);
  if (!p->bad)
    p->code[jump].first = p->size - jump;
}

static bool compile(program *p, const char *pattern) {
  p->size = 0;
  p->bad = false;
  p->at = pattern + (*pattern == '^');
  parse_alternatives(p, 0);
  if (*p->at == '$')
    p->at++;
  emit(p, OP_MATCH);
  return !p->bad && !*p->at;
}

/* Adds a state and all that can be reached from it without reading a character. */
static void add_state(const program *p, bool states[PROGRAM_MAX], int state) {
  int stack[2 * PROGRAM_MAX], depth = 0;
  stack[depth++] = state;
  while (depth > 0) {
    int now = stack[--depth];
    if (states[now])
      continue;
    states[now] = true;
    if (p->code[now].op == OP_SPLIT)
      stack[depth++] = now + p->code[now].second;
    if (p->code[now].op == OP_SPLIT || p->code[now].op == OP_JUMP)
      stack[depth++] = now + p->code[now].first;
  }
}

static bool class_has(const instruction *code, unsigned char c) {
  return code->op == OP_CLASS && c < 128 && (code->set[c / 64] >> (c % 64) & 1);
}

static bool run(const program *p, const char *text) {
  bool states[PROGRAM_MAX] = {false}, next[PROGRAM_MAX];
  add_state(p, states, 0);
  for (; *text; text++) {
    bool any = false;
    memset(next, 0, sizeof next);
    for (int i = 0; i < p->size; i++) {
      if (states[i] && class_has(&p->code[i], (unsigned char)*text)) {
        add_state(p, next, i + 1);
        any = true;
      }
    }
    if (!any)
      return false;
    memcpy(states, next, sizeof states);
  }
  return states[p->size - 1];
}

bool mb_region_pattern_valid(const char *pattern) {
  program p;
  return compile(&p, pattern);
}

bool mb_region_matches(const char *pattern, const char *region) {
  program p;
  return compile(&p, pattern) && run(&p, region);
}

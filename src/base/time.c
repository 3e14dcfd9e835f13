/* Time to and from text: the proleptic Gregorian calendar in UTC, worked out here because the C
 * library's own functions depend on locale and time zone. */
#include "base/format.h"
#include "base/json.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { DAY = 86400, FIRST_YEAR = -9999, LAST_YEAR = 9999 };

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};

/* ---- the calendar ---- */

static int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/* Days from 1970-01-01 to a date. The year is taken to begin in March, so that the leap day is its
 * last; 719468 days lie between 0000-03-01 and 1970-01-01. */
static int64_t days_of(int year, int month, int day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t m = month <= 2 ? month + 9 : month - 3;
  int64_t in_year = (153 * m + 2) / 5 + day - 1;
  return 365 * y + floor_divide(y, 4) - floor_divide(y, 100) + floor_divide(y, 400) + in_year -
         719468;
}

static int64_t seconds_of(int year, int month, int day, int hour, int minute, int second) {
  return days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
}

void mb_time_civil(int64_t seconds, int *year, int *month, int *day, int *hour, int *minute,
                   int *second) {
  int64_t first = seconds_of(FIRST_YEAR, 1, 1, 0, 0, 0);
  int64_t last = seconds_of(LAST_YEAR, 12, 31, 23, 59, 59);
  seconds = seconds < first ? first : seconds > last ? last : seconds;
  int64_t days = floor_divide(seconds, DAY);
  int64_t rest = seconds - days * DAY;
  int64_t shifted = days + 719468;
  int64_t era = floor_divide(shifted, 146097);
  int64_t in_era = shifted - era * 146097;
  int64_t year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
  int64_t in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t m = (5 * in_year + 2) / 153;
  *day = (int)(in_year - (153 * m + 2) / 5 + 1);
  *month = (int)(m < 10 ? m + 3 : m - 9);
  *year = (int)(era * 400 + year_of_era + (*month <= 2 ? 1 : 0));
  *hour = (int)(rest / 3600);
  *minute = (int)(rest / 60 % 60);
  *second = (int)(rest % 60);
}

/* ---- writing ---- */

void mb_time_amz(char out[17], int64_t seconds) {
  int year, month, day, hour, minute, second;
  mb_time_civil(seconds, &year, &month, &day, &hour, &minute, &second);
  /* Signatures know no years before 0: the field has four digits. */
  unsigned fields[] = {(unsigned)(year < 0 ? 0 : year),
                       (unsigned)month,
                       (unsigned)day,
                       (unsigned)hour,
                       (unsigned)minute,
                       (unsigned)second};
  static const int widths[] = {4, 2, 2, 2, 2, 2};
  char *at = out;
  for (int i = 0; i < 6; i++) {
    for (int digit = widths[i] - 1; digit >= 0; digit--) {
      at[digit] = (char)('0' + fields[i] % 10);
      fields[i] /= 10;
    }
    at += widths[i];
    if (i == 2) {
      *at++ = 'T';
    }
  }
  at[0] = 'Z';
  at[1] = '\0';
}

/* Whole seconds and microseconds, rounded: a double holds no more of today's dates. */
static int64_t split(double seconds, int *micros) {
  double whole = floor(seconds);
  double rest = nearbyint((seconds - whole) * 1e6);
  if (rest >= 1e6) {
    whole += 1;
    rest = 0;
  }
  *micros = (int)rest;
  return (int64_t)whole;
}

static void add_iso(mb_buffer *out, int64_t seconds, int micros) {
  int year, month, day, hour, minute, second;
  mb_time_civil(seconds, &year, &month, &day, &hour, &minute, &second);
  mb_buffer_addf(out, "%s%04d-%02d-%02dT%02d:%02d:%02d", year < 0 ? "-" : "",
                 year < 0 ? -year : year, month, day, hour, minute, second);
  if (micros != 0) {
    char digits[8];
    int count = 6;
    for (int i = 5; i >= 0; i--) {
      digits[i] = (char)('0' + micros % 10);
      micros /= 10;
    }
    while (digits[count - 1] == '0') {
      count--;
    }
    mb_buffer_add_char(out, '.');
    mb_buffer_add(out, digits, (size_t)count);
  }
  mb_buffer_add_char(out, 'Z');
}

/* The form of HTTP has no fraction. */
static void add_http(mb_buffer *out, int64_t seconds) {
  int year, month, day, hour, minute, second;
  mb_time_civil(seconds, &year, &month, &day, &hour, &minute, &second);
  int64_t days = days_of(year, month, day);
  int64_t weekday = days + 4 - floor_divide(days + 4, 7) * 7;
  mb_buffer_addf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_names[weekday], day,
                 month_names[month - 1], year, hour, minute, second);
}

void mb_time_add(mb_buffer *out, double seconds, mb_time_format format) {
  int micros = 0;
  if (format == MB_TIME_EPOCH || isnan(seconds)) {
    mb_json_write_number(out, seconds);
    return;
  }
  /* Past the last year the calendar stops, see mb_time_civil. */
  seconds = fmax(-1e15, fmin(1e15, seconds));
  int64_t whole = split(seconds, &micros);
  if (format == MB_TIME_HTTP) {
    add_http(out, whole);
  } else {
    add_iso(out, whole, micros);
  }
}

/* ---- reading ---- */

typedef struct cursor {
  const char *at, *end;
} cursor;

static bool take(cursor *from, char c) {
  if (from->at < from->end && *from->at == c) {
    from->at++;
    return true;
  }
  return false;
}

/* Exactly `count` digits. */
static bool take_digits(cursor *from, int count, int *out) {
  int value = 0;
  if (from->end - from->at < count) {
    return false;
  }
  for (int i = 0; i < count; i++) {
    char c = from->at[i];
    if (c < '0' || c > '9') {
      return false;
    }
    value = value * 10 + (c - '0');
  }
  from->at += count;
  *out = value;
  return true;
}

/* "." or "," and digits, or nothing. */
static bool take_fraction(cursor *from, double *out) {
  *out = 0;
  if (!take(from, '.') && !take(from, ',')) {
    return true;
  }
  const char *start = from->at;
  double value = 0;
  while (from->at < from->end && *from->at >= '0' && *from->at <= '9') {
    if (from->at - start < 15) {
      value = value * 10 + (*from->at - '0');
    }
    from->at++;
  }
  double places = (double)(from->at - start < 15 ? from->at - start : 15);
  *out = value / pow(10, places);
  return from->at > start;
}

static bool take_word(cursor *from, const char *word) {
  size_t size = strlen(word);
  if ((size_t)(from->end - from->at) < size || memcmp(from->at, word, size) != 0) {
    return false;
  }
  from->at += size;
  return true;
}

static bool take_month(cursor *from, int *month) {
  for (int i = 0; i < 12; i++) {
    if (take_word(from, month_names[i])) {
      *month = i + 1;
      return true;
    }
  }
  return false;
}

typedef struct moment {
  int year, month, day, hour, minute, second;
  double fraction;
  int offset; /* minutes east of UTC */
} moment;

static bool take_clock(cursor *from, moment *when) {
  return take_digits(from, 2, &when->hour) && take(from, ':') &&
         take_digits(from, 2, &when->minute) && take(from, ':') &&
         take_digits(from, 2, &when->second) && take_fraction(from, &when->fraction);
}

static bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* A leap second (60) counts as the first second of the next minute. */
static int finish(const cursor *from, const moment *when, double *seconds) {
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (from->at != from->end || when->month < 1 || when->month > 12 || when->day < 1 ||
      when->hour > 23 || when->minute > 59 || when->second > 60) {
    return -1;
  }
  int length = lengths[when->month - 1] + (when->month == 2 && is_leap(when->year) ? 1 : 0);
  if (when->day > length) {
    return -1;
  }
  *seconds = (double)(seconds_of(when->year, when->month, when->day, when->hour, when->minute,
                                 when->second) -
                      (int64_t)when->offset * 60) +
             when->fraction;
  return 0;
}

/* "Z", "+01:00", "+0100", "+01" or nothing, which means UTC too. */
static bool take_zone(cursor *from, int *offset) {
  int hours;
  int minutes = 0;
  *offset = 0;
  if (from->at == from->end || take(from, 'Z') || take(from, 'z')) {
    return true;
  }
  int sign = take(from, '+') ? 1 : take(from, '-') ? -1 : 0;
  if (sign == 0 || !take_digits(from, 2, &hours)) {
    return false;
  }
  bool colon = take(from, ':');
  if ((colon || from->at < from->end) && !take_digits(from, 2, &minutes)) {
    return false;
  }
  *offset = sign * (hours * 60 + minutes);
  return hours <= 23 && minutes <= 59;
}

static int parse_iso(const char *text, size_t size, double *seconds) {
  cursor from = {text, text + size};
  moment when = {0};
  bool negative = take(&from, '-');
  if (!take_digits(&from, 4, &when.year)) {
    return -1;
  }
  bool basic = !take(&from, '-');
  if (!take_digits(&from, 2, &when.month) || (!basic && !take(&from, '-')) ||
      !take_digits(&from, 2, &when.day)) {
    return -1;
  }
  when.year = negative ? -when.year : when.year;
  if (from.at == from.end && !basic) {
    return finish(&from, &when, seconds);
  }
  if (!take(&from, 'T') && !take(&from, 't') && !take(&from, ' ')) {
    return -1;
  }
  bool read = basic ? take_digits(&from, 2, &when.hour) && take_digits(&from, 2, &when.minute) &&
                          take_digits(&from, 2, &when.second)
                    : take_clock(&from, &when);
  if (!read || !take_zone(&from, &when.offset)) {
    return -1;
  }
  return finish(&from, &when, seconds);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", after the name of the day. */
static int parse_fixdate(cursor from, double *seconds) {
  moment when = {0};
  if (!take_word(&from, ", ") || !take_digits(&from, 2, &when.day) || !take(&from, ' ') ||
      !take_month(&from, &when.month) || !take(&from, ' ') || !take_digits(&from, 4, &when.year) ||
      !take(&from, ' ') || !take_clock(&from, &when) || !take_word(&from, " GMT")) {
    return -1;
  }
  return finish(&from, &when, seconds);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT", after the name of the day. Two digits of a year mean the
 * century in which they are no further off than 1970 to 2069. */
static int parse_rfc850(cursor from, double *seconds) {
  moment when = {0};
  if (!take_word(&from, ", ") || !take_digits(&from, 2, &when.day) || !take(&from, '-') ||
      !take_month(&from, &when.month) || !take(&from, '-') || !take_digits(&from, 2, &when.year) ||
      !take(&from, ' ') || !take_clock(&from, &when) || !take_word(&from, " GMT")) {
    return -1;
  }
  when.year += when.year < 70 ? 2000 : 1900;
  return finish(&from, &when, seconds);
}

/* "Sun Nov  6 08:49:37 1994", after the name of the day. */
static int parse_asctime(cursor from, double *seconds) {
  moment when = {0};
  if (!take(&from, ' ') || !take_month(&from, &when.month) || !take(&from, ' ') ||
      !take_digits(&from, take(&from, ' ') ? 1 : 2, &when.day) || !take(&from, ' ') ||
      !take_clock(&from, &when) || !take(&from, ' ') || !take_digits(&from, 4, &when.year)) {
    return -1;
  }
  return finish(&from, &when, seconds);
}

static int parse_named(const char *text, size_t size, double *seconds) {
  for (int i = 0; i < 7; i++) {
    cursor from = {text, text + size};
    if (take_word(&from, long_day_names[i])) {
      return parse_rfc850(from, seconds);
    }
    if (take_word(&from, day_names[i])) {
      return from.at < from.end && *from.at == ',' ? parse_fixdate(from, seconds)
                                                   : parse_asctime(from, seconds);
    }
  }
  return -1;
}

int mb_time_parse(const char *text, size_t size, double *seconds) {
  double number;
  if (size == 0) {
    return -1;
  }
  if (parse_iso(text, size, seconds) == 0 || parse_named(text, size, seconds) == 0) {
    return 0;
  }
  if (mb_parse_number(text, size, &number) != 0 || !isfinite(number)) {
    return -1;
  }
  *seconds = number;
  return 0;
}
